//! What is wrong with a store or the machine it is on, for people: one list for the console, the command line and the board.

use super::{Condition, Engine, Writing};
use crate::domain::delivery::{Channel, ChannelName, Failing, Named};
use crate::domain::notice::Trouble;
use crate::domain::{State, Timestamp};
use crate::store::Standing;

/// What is wrong, the worst first, since when as far as that is known, and how to say it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Troubles(Vec<(Trouble, Timestamp, String)>);

impl Troubles {
    /// What is wrong, and since when.
    pub fn when(&self) -> Vec<(Trouble, Timestamp)> {
        self.0.iter().map(|(trouble, since, _)| (*trouble, *since)).collect()
    }

    /// What there is to say of one of them.
    pub fn why(&self, trouble: Trouble) -> Option<&str> {
        self.0.iter().find(|(known, ..)| *known == trouble).map(|(.., why)| why.as_str())
    }

    /// The worst of them, as one clause.
    pub fn worst(&self) -> Option<String> {
        let (trouble, _, why) = self.0.first()?;
        Some(match trouble {
            // It says it all.
            Trouble::Denials => why.clone(),
            _ => format!("{}: {why}", trouble.words()),
        })
    }

    /// The same without what whoever only looks has asked for.
    #[must_use]
    pub fn but(mut self, trouble: Trouble) -> Self {
        self.0.retain(|(known, ..)| *known != trouble);
        self
    }
}

/// A channel through which notices are not delivered, and why; `named` are those of the configuration, as far as that is
/// known.
pub fn fails<'s>(
    channel: &'s Channel,
    named: Option<&[ChannelName]>,
    now: Timestamp,
) -> Option<(&'s Channel, Failing)> {
    let is_named = named.is_none_or(|all| all.contains(&channel.name));
    let failing = channel.failing(if is_named { Named::Yes } else { Named::NoMore }, now);
    failing.map(|failing| (channel, failing))
}

/// All of them.
pub fn failing<'s>(
    state: &'s State,
    named: Option<&[ChannelName]>,
    now: Timestamp,
) -> Vec<(&'s Channel, Failing)> {
    state.channels().filter_map(|channel| fails(channel, named, now)).collect()
}

/// What is wrong now. Looks at the disk.
pub fn troubles(engine: &dyn Engine) -> Troubles {
    let Condition { health, writing, unwritten, sweeps, channels, .. } = engine.condition();
    let dial = engine.clock();
    let now = dial.now.time;
    let mut all = Vec::new();
    if let Some(doubt) = engine.doubts().first() {
        all.push((Trouble::Doubt, now, doubt.what.clone()));
    }
    if let Some(why) = unwritten.in_words() {
        all.push((Trouble::Denials, unwritten.since.unwrap_or(now), why));
    }
    match health.standing {
        Standing::Writable => {}
        Standing::ReadOnly(why) => all.push((Trouble::ReadOnly, now, why)),
        Standing::Down(why) => all.push((Trouble::Disk, now, why)),
    }
    if let Some(why) = health.seal_behind {
        all.push((Trouble::Seal, now, why));
    }
    if let Writing::Failing { since, why, .. } = writing {
        all.push((Trouble::Uses, since, why));
    }
    if let Some(why) = dial.doubt() {
        all.push((Trouble::Clock, now, why));
    }
    if let Some(why) = sweeps.why_not {
        all.push((Trouble::Sweep, sweeps.tried.unwrap_or(now), why));
    }
    let state = engine.state();
    let failing = failing(&state, channels.as_deref(), now);
    if let Some(since) = failing.iter().map(|(_, failing)| failing.since).min() {
        let why: Vec<_> =
            failing.iter().map(|(channel, failing)| format!("{}: {}", channel.name, failing.why)).collect();
        all.push((Trouble::Delivery, since, why.join("; ")));
    }
    Troubles(all)
}
