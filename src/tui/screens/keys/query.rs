//! What may be asked of keys in a filter line: `scope:contacts.read`, `state:paused`, `expires<7d`, `idle>60d`,
//! `owner:jonas`, `at:Berlin`, and what words are looked for in. The grammar around it is [`filter`]'s.

use crate::domain::name::plain;
use crate::domain::{Key, KeyState, LastUse, time::DAY_MS};
use crate::tui::list::filter::{self, needs};
use crate::tui::sight::seen::{IN_DOUBT, Seen, Standing};

/// The states `state:` knows, beside the words of the table.
const STATES: &str =
    "active, paused, superseded, stopped, expired, revoked, deleted, live, expiring, idle or due";

/// Something asked of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// It has a scope with this in its name.
    Scope(String),
    State(Wanted),
    /// Its owner's name has this in it.
    Owner(String),
    /// The name of its location or app has.
    At(String),
    /// Live and over within this many milliseconds.
    ExpiresWithin(i64),
    /// Not over before this many milliseconds have passed.
    ExpiresAfter(i64),
    NeverExpires,
    /// Unused for longer than this many milliseconds.
    IdleLonger(i64),
    /// Used within this many milliseconds.
    IdleShorter(i64),
    NeverUsed,
}

/// How a key is to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Exactly(KeyState),
    Live,
    Expiring,
    /// Unused for the policy's days.
    Idle,
    /// Either of these two.
    Due,
    /// Refused for what it belongs to, as the table says it.
    Stopped(&'static [Standing]),
}

impl Term {
    /// Whether it holds for a key.
    pub fn fits(&self, key: &Key, seen: &Seen<'_>) -> bool {
        let left = || key.expiry.instant().map(|at| at.since(seen.now()));
        let unused = || seen.now().since(seen.view.unused_since(key));
        match self {
            Self::Scope(wanted) => key.scopes.iter().any(|scope| scope.as_str().contains(wanted.as_str())),
            Self::State(wanted) => wanted.fits(key, seen),
            Self::Owner(wanted) => plain(seen.view.owner_name(key)).contains(wanted.as_str()),
            Self::At(wanted) => {
                seen.view.place_name(key.place).is_some_and(|place| plain(place).contains(wanted.as_str()))
            }
            Self::ExpiresWithin(limit) => {
                key.state(seen.now()).is_live() && left().is_some_and(|ms| (1..=*limit).contains(&ms))
            }
            Self::ExpiresAfter(limit) => left().is_none_or(|ms| ms > *limit),
            Self::NeverExpires => left().is_none(),
            Self::IdleLonger(limit) => unused() > *limit,
            Self::IdleShorter(limit) => unused() <= *limit,
            Self::NeverUsed => seen.view.last_use(key) == LastUse::Never,
        }
    }
}

impl Wanted {
    fn fits(self, key: &Key, seen: &Seen<'_>) -> bool {
        let policy = seen.view.policy();
        let expiring = || key.expires_soon(policy, seen.now()).is_some();
        let idle = || seen.view.idle_days(key, seen.now()).is_some() || seen.goes(key).is_some();
        match self {
            Self::Exactly(state) => key.state(seen.now()) == state,
            Self::Live => key.state(seen.now()).is_live(),
            Self::Expiring => expiring(),
            Self::Idle => idle(),
            Self::Due => expiring() || idle() || seen.view.still_used(key, seen.now()),
            Self::Stopped(as_shown) => as_shown.contains(&seen.standing(key)),
        }
    }
}

impl filter::Term for Term {
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

fn wanted(word: &str) -> Option<Wanted> {
    Some(match word {
        "live" => Wanted::Live,
        "expiring" | "expires soon" => Wanted::Expiring,
        "stopped" => Wanted::Stopped(&[
            Standing::InDoubt,
            Standing::OwnerStopped,
            Standing::LocationGone,
            Standing::AppStopped,
        ]),
        IN_DOUBT => Wanted::Stopped(&[Standing::InDoubt]),
        "owner stopped" => Wanted::Stopped(&[Standing::OwnerStopped]),
        "location gone" => Wanted::Stopped(&[Standing::LocationGone]),
        "app stopped" => Wanted::Stopped(&[Standing::AppStopped]),
        "idle" => Wanted::Idle,
        "due" => Wanted::Due,
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
    use crate::tui::list::filter::Filter;

    type Query = Filter<Term>;

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
    fn every_word_that_the_table_says_of_a_state_is_one_that_can_be_asked_for() {
        let standings = [
            Standing::ExpiresSoon,
            Standing::Active,
            Standing::Superseded,
            Standing::Paused,
            Standing::InDoubt,
            Standing::OwnerStopped,
            Standing::LocationGone,
            Standing::AppStopped,
            Standing::Expired,
            Standing::Revoked,
            Standing::Deleted,
        ];
        for word in standings.map(Standing::words).iter().map(String::as_str).chain(["stopped", "idle"]) {
            let query = Query::parse(&format!("state:\"{word}\""));
            assert!(query.mistakes.is_empty(), "{word}: {:?}", query.mistakes);
        }
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
