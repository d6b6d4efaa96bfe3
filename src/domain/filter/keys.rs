//! What may be asked of keys in a filter line: `scope:contacts.read`, `state:paused`, `expires<7d`, `idle>60d`,
//! `owner:jonas`, `at:Berlin`, and what words are looked for in. The grammar around it is that of [`super`].

use super::{Filter, needs, push_plain};
use crate::domain::name::plain;
use crate::domain::{Key, KeyState, LastUse, Reason, Timestamp, View, time::DAY_MS};

/// What a list says of a key or an app that the store does not vouch for.
pub const IN_DOUBT: &str = "in doubt";

/// What it says of one that a lockdown covers.
pub const LOCKED_DOWN: &str = "locked down";

/// A filter line about keys, understood.
pub type KeyFilter = Filter<Term>;

/// The states `state:` knows, beside the words of the table.
const STATES: &str =
    "active, paused, superseded, stopped, expired, revoked, deleted, live, expiring, idle, due or decoy";

/// Something asked of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// It has a scope with this in its name.
    Scope(String),
    /// It stands so.
    State(Wanted),
    /// Its owner's name has this in it.
    Owner(String),
    /// The name of its location or app has.
    At(String),
    /// Live and over within this many milliseconds.
    ExpiresWithin(i64),
    /// Not over before this many milliseconds have passed.
    ExpiresAfter(i64),
    /// It has no end.
    NeverExpires,
    /// Unused for longer than this many milliseconds.
    IdleLonger(i64),
    /// Used within this many milliseconds.
    IdleShorter(i64),
    /// No use of it is known, and none was lost.
    NeverUsed,
}

/// How a key is to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// In this state.
    Exactly(KeyState),
    /// Active or paused.
    Live,
    /// Its end is near enough to be told of.
    Expiring,
    /// Unused for the policy's days.
    Idle,
    /// Either of these two.
    Due,
    /// It opens nothing and rings.
    Decoy,
    /// Neither people nor time have ended it, and it is refused for one of these.
    Stopped(&'static [Reason]),
}

impl Term {
    /// Whether it holds for a key.
    pub fn fits(&self, key: &Key, view: View<'_>, now: Timestamp) -> bool {
        let left = || key.expiry.instant().map(|at| at.since(now));
        // To be unused is all that a decoy is for: nothing that is asked of use is meant of one.
        let unused = || now.since(view.unused_since(key));
        let is_for_use = !key.is_decoy();
        match self {
            Self::Scope(wanted) => key.scopes.iter().any(|scope| scope.as_str().contains(wanted.as_str())),
            Self::State(wanted) => wanted.fits(key, view, now),
            Self::Owner(wanted) => plain(view.owner_name(key)).contains(wanted.as_str()),
            Self::At(wanted) => {
                view.place_name(key.place).is_some_and(|place| plain(place).contains(wanted.as_str()))
            }
            Self::ExpiresWithin(limit) => {
                key.state(now).is_live() && left().is_some_and(|ms| (1..=*limit).contains(&ms))
            }
            Self::ExpiresAfter(limit) => left().is_none_or(|ms| ms > *limit),
            Self::NeverExpires => left().is_none(),
            Self::IdleLonger(limit) => is_for_use && unused() > *limit,
            Self::IdleShorter(limit) => is_for_use && unused() <= *limit,
            Self::NeverUsed => is_for_use && view.last_use(key) == LastUse::Never,
        }
    }
}

impl Wanted {
    fn fits(self, key: &Key, view: View<'_>, now: Timestamp) -> bool {
        let expiring = || key.expires_soon(view.policy(), now).is_some();
        let idle = || view.idle_days(key, now).is_some() || view.goes(key, now).is_some();
        match self {
            // To somebody who asks what works it does not.
            Self::Exactly(KeyState::Active) => key.state(now) == KeyState::Active && !key.is_decoy(),
            Self::Exactly(state) => key.state(now) == state,
            Self::Decoy => key.is_laid(),
            Self::Live => key.state(now).is_live(),
            Self::Expiring => expiring(),
            Self::Idle => idle(),
            Self::Due => expiring() || idle() || view.still_used(key, now),
            Self::Stopped(why) => {
                let refused = view.refused(key, now).filter(|_| !key.state(now).is_over());
                refused.is_some_and(|reason| why.contains(&reason))
            }
        }
    }
}

impl super::Term for Term {
    const EXAMPLES: &'static str =
        "state:paused  NOT scope:contacts.read  expires<7d OR idle>60d  at:Berlin  owner:jonas";
    const FIELDS: &'static str = "scope: state: owner: at: expires< idle> used:";

    fn read(field: &str, sign: char, value: String) -> Option<Result<Self, String>> {
        Some(match (field, sign, value.as_str()) {
            ("scope", ':', "") => needs(field, sign, "a scope, such as contacts.read"),
            ("scope", ':', _) => Ok(Self::Scope(value)),
            ("owner", ':', "") => needs(field, sign, "a name"),
            ("owner", ':', _) => Ok(Self::Owner(value)),
            ("at" | "location", ':', "") => needs(field, sign, "a location"),
            ("at" | "location", ':', _) => Ok(Self::At(value)),
            ("state" | "is", ':', _) => match wanted(&value) {
                Some(wanted) => Ok(Self::State(wanted)),
                None => needs(field, sign, STATES),
            },
            ("expires", ':', "never") => Ok(Self::NeverExpires),
            ("used", ':', "never") => Ok(Self::NeverUsed),
            ("used", _, _) => Err("write used:never, idle>60d or idle<1d".to_owned()),
            ("expires" | "idle", ':', _) => Err(format!(
                "write {field}<7d or {field}>7d{}",
                if field == "expires" { " or expires:never" } else { "" }
            )),
            ("expires" | "idle", _, _) => match span(&value) {
                None => needs(field, sign, "a time, such as 7d, 12h or 8w"),
                Some(ms) if field == "expires" && sign == '<' => Ok(Self::ExpiresWithin(ms)),
                Some(ms) if field == "expires" => Ok(Self::ExpiresAfter(ms)),
                Some(ms) if sign == '>' => Ok(Self::IdleLonger(ms)),
                Some(ms) => Ok(Self::IdleShorter(ms)),
            },
            _ => return None,
        })
    }

    fn reveals(&self) -> bool {
        // Those that another took over from stand in its row, and are revoked in the end.
        let aside = [KeyState::Deleted, KeyState::Superseded, KeyState::Revoked];
        match self {
            Self::State(Wanted::Exactly(state)) => aside.contains(state),
            Self::State(wanted) => *wanted == Wanted::Due,
            _ => false,
        }
    }
}

/// Adds what words are looked for in, one field per line so that no word spans two.
pub fn text(key: &Key, view: View<'_>, room: &mut String) {
    let id = key.id.to_string();
    let place = view.place_name(key.place).unwrap_or_default();
    let (name, note, owner) = (key.name.as_str(), key.note.as_str(), view.owner_name(key));
    for field in [name, "\n", key.place.prefix(), &id, "_\n", note, "\n", owner, "\n", place] {
        push_plain(room, field);
    }
}

impl KeyFilter {
    /// Whether a key is among those asked for. What lists leave out comes where a term asks for it.
    pub fn finds(&self, key: &Key, view: View<'_>, now: Timestamp) -> bool {
        let mut room = String::new();
        if self.has_words() {
            text(key, view, &mut room);
        }
        self.lets(view.is_aside(key, now), &room, |term| term.fits(key, view, now))
    }
}

fn wanted(word: &str) -> Option<Wanted> {
    Some(match word {
        "live" => Wanted::Live,
        "expiring" | "expires soon" => Wanted::Expiring,
        "stopped" => Wanted::Stopped(&[
            Reason::StoreError,
            Reason::LockedDown,
            Reason::OwnerDisabled,
            Reason::LocationDisabled,
            Reason::AppDisabled,
        ]),
        LOCKED_DOWN => Wanted::Stopped(&[Reason::LockedDown]),
        IN_DOUBT => Wanted::Stopped(&[Reason::StoreError]),
        "owner stopped" => Wanted::Stopped(&[Reason::OwnerDisabled]),
        "location gone" => Wanted::Stopped(&[Reason::LocationDisabled]),
        "app stopped" => Wanted::Stopped(&[Reason::AppDisabled]),
        "idle" => Wanted::Idle,
        "due" => Wanted::Due,
        "decoy" => Wanted::Decoy,
        _ => Wanted::Exactly(KeyState::ALL.into_iter().find(|state| state.as_str() == word)?),
    })
}

/// `12h`, `7d`, `8w`, `1y` in milliseconds.
fn span(text: &str) -> Option<i64> {
    let unit = match text.chars().last()? {
        'h' => DAY_MS / 24,
        'd' => DAY_MS,
        'w' => 7 * DAY_MS,
        'y' => 365 * DAY_MS,
        _ => return None,
    };
    let digits = text.get(..text.len() - 1).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?;
    digits.parse::<i64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Query = KeyFilter;

    #[test]
    fn terms_of_keys_are_read() {
        let read = |line: &str| Query::parse(line).mistakes;
        assert!(
            read(r#"nightly scope:contacts.read at:"Berlin Mitte" expires<7d NOT state:due 02:00"#)
                .is_empty()
        );
        for (text, said) in [
            ("state:purple", "state: needs active, paused, superseded, stopped"),
            ("used:7d", "write used:never"),
            ("expires<soon", "expires< needs a time"),
            ("expires:7d", "write expires<7d"),
            ("idle>", "idle> needs a time"),
            ("scope:", "scope: needs a scope"),
            ("colour:red", "there is no filter colour:"),
            ("idle>99999999999999999y", "idle> needs a time"),
        ] {
            let query = Query::parse(text);
            assert!(query.lets(false, "", |_| false), "{text}");
            assert!(query.mistakes[0].starts_with(said), "{text}: {:?}", query.mistakes);
        }
    }

    #[test]
    fn who_asks_for_what_is_not_there_hears_what_there_is() {
        assert!(Query::parse("colour:red").mistakes[0].contains("used:"));
    }

    #[test]
    fn deleted_keys_come_only_when_asked_for() {
        assert!(Query::parse("state:deleted").reveals());
        assert!(Query::parse("state:superseded").reveals(), "nor those that another took over from");
        assert!(!Query::parse("deleted state:paused").reveals());
        assert!(!Query::parse("NOT state:deleted").reveals());
    }
}
