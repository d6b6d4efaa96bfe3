//! Requests as they arrive, told to somebody who watches: which key or app, allowed or why not, what it asked for, from where.
//! Never a secret, never a path; of what nobody here recognises only how much it was.

use minicbor::{Decode, Encode};

use super::trace::Sighting;
use super::{AppId, Bearer, Key, KeyId, LocationId, Name, Reason, Refusal, ScopeId, Timestamp, View};

/// Scopes of a request that are told one by one.
pub const SCOPES: usize = 8;

/// What somebody watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Watched {
    /// All that they may see.
    #[n(0)]
    All,
    /// A key, with the other half of its rotation.
    #[n(1)]
    Key(#[n(0)] KeyId),
    /// An app: its keys and its access tokens.
    #[n(2)]
    App(#[n(0)] AppId),
    /// The keys of a location.
    #[n(3)]
    Location(#[n(0)] LocationId),
}

impl Watched {
    /// Refused where there is no such thing in view.
    pub fn in_view(self, view: View<'_>) -> Result<(), Refusal> {
        match self {
            Self::All => Ok(()),
            Self::Key(id) => view.key(id).map(drop).ok_or(Refusal::NoSuchKey),
            Self::App(id) => view.app(id).map(drop).ok_or(Refusal::NoSuchApp),
            Self::Location(id) => view.location(id).map(drop).ok_or(Refusal::NoSuchLocation),
        }
    }

    /// What it is called.
    pub fn name(self, view: View<'_>) -> Option<Name> {
        match self {
            Self::All => None,
            Self::Key(id) => view.key(id).map(|key| key.name.clone()),
            Self::App(id) => view.app(id).map(|app| app.name.clone()),
            Self::Location(id) => view.location(id).map(|location| location.name.clone()),
        }
    }

    /// The name of a request's key or app, where the request belongs to what is watched and the key or app is in view.
    pub fn caught(self, view: View<'_>, bearer: Bearer) -> Option<Name> {
        match bearer {
            Bearer::Key(id) => {
                let key = view.key(id).filter(|key| self.holds(view, key))?;
                Some(key.name.clone())
            }
            Bearer::App(id) => {
                let app = view.app(id).filter(|_| self == Self::All || self == Self::App(id))?;
                Some(app.name.clone())
            }
        }
    }

    fn holds(self, view: View<'_>, key: &Key) -> bool {
        match self {
            Self::All => true,
            Self::Key(id) => {
                let halves = || view.key(key.id).and_then(|key| view.halves(key));
                key.id == id || halves().is_some_and(|halves| halves.old.id == id || halves.new.id == id)
            }
            Self::App(id) => key.place.app() == Some(id),
            Self::Location(id) => key.place.location() == Some(id),
        }
    }

    /// Whether what nobody recognises is counted too: for whoever watches everything there is.
    pub fn counts_strangers(self, view: View<'_>) -> bool {
        self == Self::All && view.is_whole()
    }
}

/// One request whose secret was right.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Arrival {
    /// The key, or the app of an access token.
    #[n(0)]
    pub bearer: Bearer,
    /// What that was called.
    #[n(1)]
    pub name: Name,
    /// Why it was refused, if it was.
    #[n(2)]
    pub reason: Option<Reason>,
    /// The scopes it asked for, [`SCOPES`] at most.
    #[n(3)]
    pub scopes: Vec<ScopeId>,
    /// How many more it asked for.
    #[n(4)]
    pub more: u32,
    /// When and from where.
    #[n(5)]
    pub from: Sighting,
}

impl Arrival {
    /// The scopes it asked for, in words; a stroke where it asked for none.
    pub fn wanted(&self) -> String {
        let mut words: Vec<&str> = self.scopes.iter().map(ScopeId::as_str).collect();
        let more = format!("+{}", self.more);
        if self.more > 0 {
            words.push(&more);
        }
        if words.is_empty() { "-".to_owned() } else { words.join(" ") }
    }
}

/// Requests of one second, all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Second {
    /// When it begins.
    #[n(0)]
    pub at: Timestamp,
    /// Allowed.
    #[n(1)]
    pub allowed: u64,
    /// Refused although the secret was right.
    #[n(2)]
    pub refused: u64,
    /// Of nobody who is known here, for those who may know of them.
    #[n(3)]
    pub strangers: u64,
}

/// What arrived since somebody asked last.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Tail {
    /// Since when.
    #[n(0)]
    pub since: Timestamp,
    /// Until when.
    #[n(1)]
    pub until: Timestamp,
    /// The requests in their order, or some of them.
    #[n(2)]
    pub arrivals: Vec<Arrival>,
    /// Those that were left out because there were too many.
    #[n(3)]
    pub left_out: u64,
    /// How many there were, by the second, those with none left out; a second that goes on comes again with what was added.
    #[n(4)]
    pub seconds: Vec<Second>,
}

impl Tail {
    /// Whether nothing arrived.
    pub const fn is_quiet(&self) -> bool {
        self.seconds.is_empty()
    }
}

/// How many requests there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Allowed.
    pub allowed: u64,
    /// Refused.
    pub refused: u64,
    /// Of nobody who is known here.
    pub strangers: u64,
    /// Of the first two, those that were not told one by one.
    pub left_out: u64,
}

impl Totals {
    /// Adds what arrived.
    pub fn add(&mut self, tail: &Tail) {
        for second in &tail.seconds {
            self.allowed = self.allowed.saturating_add(second.allowed);
            self.refused = self.refused.saturating_add(second.refused);
            self.strangers = self.strangers.saturating_add(second.strangers);
        }
        self.left_out = self.left_out.saturating_add(tail.left_out);
    }
}

/// How fast requests come: of the last seconds, each second's as far as it has come.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    seconds: Vec<Second>,
}

/// Over so many milliseconds.
const PACE_MS: i64 = 5_000;

impl Pace {
    /// Adds what arrived.
    pub fn add(&mut self, tail: &Tail) {
        self.since.get_or_insert(tail.since);
        self.until = Some(tail.until);
        self.seconds.extend(&tail.seconds);
        let (begins, ends) = (tail.until.0.saturating_sub(PACE_MS), tail.until.0);
        self.seconds.retain(|second| (begins..=ends).contains(&second.at.0));
    }

    /// How many of them a second, in words: `38/s`, `0.4/s`.
    pub fn words(&self, of: impl Fn(&Second) -> u64) -> String {
        let passed = self.since.zip(self.until).map_or(0, |(since, until)| until.since(since));
        let passed = passed.clamp(1_000, PACE_MS);
        let count = self.seconds.iter().map(of).fold(0, u64::saturating_add);
        let tenths = u128::from(count) * 10_000 / u128::from(passed.unsigned_abs());
        match (tenths / 10, tenths % 10) {
            (0, 0) if count > 0 => "0.1/s".to_owned(),
            (whole, tenth) if whole < 10 && tenth > 0 => format!("{whole}.{tenth}/s"),
            (whole, _) => format!("{whole}/s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_is_that_of_the_last_seconds_and_comes_to_rest() {
        let mut pace = Pace::default();
        let mut come = |ms: i64, allowed: u64| {
            let at = Timestamp(ms - ms.rem_euclid(1_000));
            let seconds = if allowed == 0 {
                Vec::new()
            } else {
                vec![Second { at, allowed, refused: 0, strangers: 0 }]
            };
            let (since, until) = (Timestamp(ms - 250), Timestamp(ms));
            pace.add(&Tail { since, until, arrivals: Vec::new(), left_out: 0, seconds });
            pace.words(|second| second.allowed)
        };
        assert_eq!(come(10_250, 0), "0/s");
        assert_eq!(come(10_500, 40), "40/s");
        assert_eq!(come(10_750, 40), "80/s", "the same second goes on");
        assert_eq!(come(12_000, 0), "40/s");
        assert_eq!(come(15_000, 2), "16/s");
        assert_eq!(come(15_250, 0), "0.4/s");
        assert_eq!(come(21_000, 0), "0/s");
    }
}
