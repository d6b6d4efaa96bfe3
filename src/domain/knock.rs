//! Who knocks at a key that is paused: the requests that were refused for it, told by caller, off the entries of the trail.
//! An entry stands for a minute and names the last caller of it.

use super::audit::Entry;
use super::{Key, Reason, Status, Timestamp};

/// Refused requests of one caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Knock {
    /// Where the last came from, if anybody told.
    pub address: Option<String>,
    /// What the caller said it is.
    pub agent: Option<String>,
    /// How many.
    pub count: u64,
    /// When the first came.
    pub first: Timestamp,
    /// When the last came.
    pub last: Timestamp,
}

/// Who presented the key since it was paused, whoever came last first; none of one that is not. `entries` are of the trail,
/// the newest first: of those before the pause no more is read than one.
pub fn knocks<'e>(key: &Key, entries: impl IntoIterator<Item = &'e Entry>) -> Vec<Knock> {
    let Status::Paused(since) = key.status else { return Vec::new() };
    let mut knocks: Vec<Knock> = Vec::new();
    for entry in entries.into_iter().take_while(|entry| entry.at >= since.0) {
        let Some(tries) = entry.tries.as_ref().filter(|_| is_knock(entry, key)) else { continue };
        let same = |knock: &&mut Knock| knock.address == tries.address && knock.agent == tries.agent;
        let (first, last) = (Timestamp(tries.first.max(since.0)), Timestamp(tries.last));
        match knocks.iter_mut().find(same) {
            Some(knock) => {
                knock.count = knock.count.saturating_add(tries.n);
                knock.first = knock.first.min(first);
                knock.last = knock.last.max(last);
            }
            None => knocks.push(Knock {
                address: tries.address.clone(),
                agent: tries.agent.clone(),
                count: tries.n,
                first,
                last,
            }),
        }
    }
    knocks.sort_by_key(|knock| std::cmp::Reverse(knock.last));
    knocks
}

fn is_knock(entry: &Entry, key: &Key) -> bool {
    entry.event == Entry::DENIED
        && entry.reason.as_deref() == Some(Reason::Disabled.code())
        && entry.is_about(key.id)
}

impl Knock {
    /// Where from and with what, in words: `203.0.113.7 by curl/8.5`.
    pub fn whence(&self) -> String {
        let address = self.address.as_deref().unwrap_or("an unknown address");
        match &self.agent {
            Some(agent) => format!("{address} by {agent}"),
            None => address.to_owned(),
        }
    }
}
