//! Who knocks at a key that is paused, or was a while ago: the requests that were refused for it, told by caller, off the entries
//! of the trail.
//! An entry stands for a minute and names the last caller of it.

use super::audit::{Entry, Outcome};
use super::{CommandKind, Grace, Key, Reason, Status, Timestamp};

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

/// Who presented a key while it was paused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Knocked {
    /// When the pause ended, if it has.
    pub ended: Option<Timestamp>,
    /// Who did, whoever came last first.
    pub by: Vec<Knock>,
}

/// Who presented a key since it was paused, or in the pause before where that ended no more than seven days ago. `entries`
/// are of the trail, the newest first; of those before a pause that lasts no more is read than one. `None` where they tell of
/// no such pause, or not when it began.
pub fn knocked<'e>(
    key: &Key,
    entries: impl Iterator<Item = &'e Entry> + Clone,
    now: Timestamp,
) -> Option<Knocked> {
    if let Status::Paused(since) = key.status {
        let by = callers(key, since, entries.take_while(|entry| entry.at >= since.0));
        return Some(Knocked { ended: None, by });
    }
    let resumes = |entry: &&Entry| {
        is_done(entry, key, CommandKind::ResumeKey) || is_done(entry, key, CommandKind::ResumeDue)
    };
    let mut earlier = entries.clone();
    let ended = Timestamp(earlier.find(resumes)?.at);
    if now.since(ended) > Grace::MAX.ms() {
        return None;
    }
    // A pause that was made another is one all the same.
    let pauses = earlier.take_while(|entry| !resumes(entry));
    let begun = pauses.filter(|entry| is_done(entry, key, CommandKind::PauseKey)).last()?;
    // A minute is written down when it is over: what came last stands after the end.
    let by = callers(key, Timestamp(begun.at), entries);
    Some(Knocked { ended: Some(ended), by })
}

fn callers<'e>(key: &Key, since: Timestamp, entries: impl Iterator<Item = &'e Entry>) -> Vec<Knock> {
    let mut knocks: Vec<Knock> = Vec::new();
    for entry in entries {
        let Some(tries) = entry.tries.as_ref().filter(|_| is_knock(entry, key)) else { continue };
        if tries.last < since.0 {
            continue;
        }
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

fn is_done(entry: &Entry, key: &Key, kind: CommandKind) -> bool {
    entry.event == kind.spec().code && entry.outcome == Outcome::Done && entry.is_about(key.id)
}

fn is_knock(entry: &Entry, key: &Key) -> bool {
    entry.event == Entry::DENIED
        && entry.reason.as_deref() == Some(Reason::Disabled.code())
        && entry.is_about(key.id)
}

impl Knocked {
    /// What stands above the callers or in place of them, if anything does; `relative` says how long ago something was.
    pub fn words(&self, relative: impl FnOnce(Timestamp) -> String) -> Option<String> {
        match (self.ended, self.by.is_empty()) {
            (None, true) => Some("nobody since it was paused".to_owned()),
            (None, false) => None,
            (Some(at), true) => Some(format!("nobody while it was paused, until {}", relative(at))),
            (Some(at), false) => Some(format!("while it was paused, until {}:", relative(at))),
        }
    }
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
