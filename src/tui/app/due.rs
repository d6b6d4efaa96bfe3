//! What needs attention, for the status line: counted when the state changes, not when it is drawn.

use std::collections::HashMap;
use std::time::Duration;

use super::ask::{Errand, Tab};
use super::look::Look;
use crate::domain::time::DAY_MS;
use crate::domain::{Key, KeyState, Timestamp};
use crate::engine::{Condition, Writing};
use crate::store::Standing;
use crate::tui::list::search::AT_A_TIME;
use crate::tui::sight::seen::{Glance, Seen};
use crate::tui::theme::{Glyphs, Role};

/// What is due among the keys the operator sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// Live keys that expire within the policy's notice.
    expiring: usize,
    /// The one that expires first: its name, and days until then.
    first: Option<(String, i64)>,
    /// Keys that are announced to be deleted for want of use, and days until the first is.
    going: usize,
    goes: Option<i64>,
    /// Other live keys nobody used for the policy's idle days.
    idle: usize,
    /// The key that expires first, and where it is found.
    soonest: Option<(Timestamp, String, Tab)>,
    /// Keys and apps that are not deleted.
    counts: HashMap<Tab, usize>,
    /// The policy's notice, in days.
    notice_days: u32,
    /// Where they are found, the one that expires first first.
    tabs: Vec<Tab>,
    /// How long until the first key expires, or is due to be told of: until then the numbers hold.
    holds: Option<Duration>,
    /// What is wrong with the store or the clock, worst first.
    trouble: Option<String>,
}

impl Due {
    /// Counts all keys, a few at a time, and the apps.
    pub fn count(glance: Glance<'_>) -> Self {
        let (mut due, mut from) = (Self::default(), 0);
        loop {
            let mut looked = 0;
            glance(&mut |seen| {
                for key in seen.view.keys().skip(from).take(AT_A_TIME) {
                    looked += 1;
                    due.add(key, seen);
                }
                if looked < AT_A_TIME {
                    due.close(seen);
                }
            });
            from += looked;
            if looked < AT_A_TIME {
                return due;
            }
        }
    }

    fn add(&mut self, key: &Key, seen: &Seen<'_>) {
        let (policy, now) = (seen.view.policy(), seen.now());
        let tab = Tab::of(key.place);
        if key.state(now) != KeyState::Deleted {
            *self.counts.entry(tab).or_default() += 1;
        }
        if let Some(left) = key.expiry.instant().map(|at| at.since(now)) {
            // One instant after the notice begins, and the very instant it expires.
            let notice = i64::from(policy.notice_days) * DAY_MS;
            let next = [left - notice, left].into_iter().find(|left| *left > 0);
            let next = next.and_then(|left| u64::try_from(left).ok()).map(Duration::from_millis);
            self.holds = self.holds.into_iter().chain(next).min();
        }
        let expires = key.expires_soon(policy, now);
        let goes = seen.goes(key);
        let idle = goes.is_none() && seen.usage(key).idle_days(key, policy, now).is_some();
        self.expiring += usize::from(expires.is_some());
        self.idle += usize::from(idle);
        self.going += usize::from(goes.is_some());
        self.goes = self.goes.into_iter().chain(goes.map(|at| whole_days(at.since(now)))).min();
        if let Some(at) = expires
            && self.soonest.as_ref().is_none_or(|(soonest, ..)| at < *soonest)
        {
            self.soonest = Some((at, key.name.to_string(), tab));
        }
        if (idle || goes.is_some() || expires.is_some()) && !self.tabs.contains(&tab) {
            self.tabs.push(tab);
        }
    }

    /// After the last key.
    fn close(&mut self, seen: &Seen<'_>) {
        self.notice_days = seen.view.policy().notice_days;
        let apps = seen.view.apps().into_iter().filter(|app| !app.is_deleted()).count();
        self.counts.insert(Tab::Apps, apps);
        let first = self.soonest.as_ref();
        self.tabs.sort_by_key(|tab| (first.is_none_or(|(_, _, soonest)| tab != soonest), *tab));
        self.first = first.map(|(at, name, _)| (name.clone(), whole_days(at.since(seen.now()))));
    }

    /// Looks again at what is wrong with the store or the clock.
    pub fn look_for_trouble(&mut self, look: &Look) {
        self.trouble = trouble(look);
    }

    /// What stands beside a tab's name, if something is counted there.
    pub fn beside(&self, tab: Tab) -> Option<usize> {
        tab.is_counted().then(|| self.counts.get(&tab).copied().unwrap_or_default())
    }

    /// How long the numbers hold, if a key makes them change by itself.
    pub const fn holds(&self) -> Option<Duration> {
        self.holds
    }

    pub const fn is_nothing(&self) -> bool {
        self.tabs.is_empty()
    }

    /// Whether what the status line says is what is due, rather than a trouble above it.
    pub const fn is_what_is_said(&self) -> bool {
        self.trouble.is_none() && !self.is_nothing()
    }

    /// Where to go to see it, and what to do there. Who was shown it at `seen` already is led to the next place.
    pub fn errand(&self, seen: Option<Tab>) -> Option<(Tab, Errand)> {
        let next = self.tabs.iter().position(|tab| Some(*tab) == seen).map_or(0, |at| at + 1);
        let tab = self.tabs.get(next).or_else(|| self.tabs.first())?;
        Some((*tab, Errand::Filter("state:due".into())))
    }

    /// What the status line says, with its look.
    pub fn said(&self, glyphs: &Glyphs) -> Option<(Role, String)> {
        if let Some(trouble) = &self.trouble {
            return Some((Role::Bad, format!("{} {trouble}", glyphs.bad)));
        }
        let expiring = match (&self.first, self.expiring) {
            (Some((name, days)), 1) => Some(format!("{name} expires {}", in_days(*days))),
            (Some(_), n) => Some(format!("{n} keys expire within {}", days(self.notice_days.into()))),
            (None, _) => None,
        };
        let going = self.goes.map(|days| match self.going {
            1 => format!("1 key is deleted {}", in_days(days)),
            n => format!("{n} keys are deleted, the first {}", in_days(days)),
        });
        let urgent = expiring.is_some() || going.is_some();
        let idle = match self.idle {
            0 => None,
            1 if !urgent => Some("1 key is idle".to_owned()),
            n if !urgent => Some(format!("{n} keys are idle")),
            n => Some(format!("{n} idle")),
        };
        let role = if urgent { Role::Warn } else { Role::Dim };
        let sign = if urgent { glyphs.warn } else { glyphs.info };
        let parts: Vec<String> = [expiring, going, idle].into_iter().flatten().collect();
        if parts.is_empty() {
            return None;
        }
        Some((role, format!("{sign} {}", parts.join(&format!(" {} ", glyphs.dot)))))
    }
}

/// Store doubts, disk trouble, a clock nobody should believe: above everything else.
fn trouble(look: &Look) -> Option<String> {
    if let Some(doubt) = look.engine.doubts().first() {
        return Some(format!("the store is in doubt, what it does not vouch for is refused: {}", doubt.what));
    }
    let Condition { health, writing, unwritten, sweeps, .. } = look.engine.condition();
    if let Some(waiting) = unwritten.in_words() {
        return Some(waiting);
    }
    match health.standing {
        Standing::Writable => {}
        // So it was asked for, and the title line says so.
        Standing::ReadOnly(_) if look.read_only => {}
        Standing::ReadOnly(why) | Standing::Down(why) => {
            return Some(format!("the store takes no changes: {why}"));
        }
    }
    if let Some(why) = health.seal_behind {
        return Some(format!("a store put back in time might go unnoticed: {why}"));
    }
    if let Writing::Failing { why, .. } = writing {
        return Some(format!("uses are not written down, no key is deleted for being idle: {why}"));
    }
    if look.engine.now().suspect {
        const SAID: &str =
            "this machine's clock is in doubt; set it right, or say in Settings, Security that it is";
        return Some(SAID.to_owned());
    }
    sweeps.why_not.map(|why| format!("what time brings is not done: {why}"))
}

/// Rounded up, as everywhere; less than one is none.
const fn whole_days(ms: i64) -> i64 {
    if ms < DAY_MS { 0 } else { ms.saturating_add(DAY_MS - 1) / DAY_MS }
}

fn days(n: i64) -> String {
    if n == 1 { "1 day".into() } else { format!("{n} days") }
}

fn in_days(n: i64) -> String {
    match n {
        ..1 => "within a day".into(),
        1 => "in 1 day".into(),
        _ => format!("in {n} days"),
    }
}
