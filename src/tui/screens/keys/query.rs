//! What a filter line means: words that must all be found, and terms such as `scope:contacts.read`,
//! `state:paused`, `expires<7d`, `idle>60d`, `owner:jonas`, `at:Berlin`. A term that means nothing is told, never
//! silently left out. Pure text; knows no table.

use super::seen::Seen;
use crate::domain::name::plain;
use crate::domain::{Key, KeyState, time::DAY_MS};

/// The filters there are, for the line under an empty filter and for mistakes.
pub const TERMS: &str = "state:paused  scope:contacts.read  expires<7d  idle>60d  at:Berlin  owner:jonas";

/// The states `state:` knows.
const STATES: &str = "active, paused, expired, revoked, deleted, live, expiring, idle or due";

/// A filter line, understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    words: Vec<String>,
    terms: Vec<Term>,
    /// What is wrong with terms that were left out, in words.
    pub mistakes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Term {
    Scope(String),
    State(Wanted),
    Owner(String),
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Exactly(KeyState),
    Live,
    Expiring,
    Idle,
    Due,
}

impl Query {
    /// Reads a filter line. Quotes keep a phrase together: `at:"Berlin Mitte"`.
    pub fn parse(text: &str) -> Self {
        let mut query = Self::default();
        for word in words(text) {
            match term(&word) {
                Ok(Some(term)) => query.terms.push(term),
                Ok(None) => query.words.push(plain(&word.replace('"', ""))),
                Err(mistake) => query.mistakes.push(mistake),
            }
        }
        query.words.retain(|word| !word.is_empty());
        query
    }

    /// Whether it lets everything through.
    pub const fn is_empty(&self) -> bool {
        self.words.is_empty() && self.terms.is_empty()
    }

    /// Whether texts of the keys are looked at.
    pub const fn has_words(&self) -> bool {
        !self.words.is_empty()
    }

    /// Whether the words are all in `text`, made by [`search_text`].
    pub fn finds(&self, text: &str) -> bool {
        self.words.iter().all(|word| text.contains(word.as_str()))
    }

    /// Whether deleted keys were asked for; otherwise they stay out of sight.
    pub fn wants_deleted(&self) -> bool {
        self.terms.contains(&Term::State(Wanted::Exactly(KeyState::Deleted)))
    }

    /// Whether the terms fit the key.
    pub fn fits(&self, key: &Key, seen: &Seen<'_>) -> bool {
        self.terms.iter().all(|term| term.fits(key, seen))
    }
}

impl Term {
    fn fits(&self, key: &Key, seen: &Seen<'_>) -> bool {
        let left = || key.expiry.instant().map(|at| at.since(seen.now()));
        let unused = || seen.now().since(seen.usage(key).last_used_at.unwrap_or(key.created_at));
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
            Self::NeverUsed => seen.usage(key).last_used_at.is_none(),
        }
    }
}

impl Wanted {
    fn fits(self, key: &Key, seen: &Seen<'_>) -> bool {
        let policy = seen.view.policy();
        let expiring = || key.expires_soon(policy, seen.now()).is_some();
        let idle = || seen.usage(key).idle_days(key, policy, seen.now()).is_some();
        match self {
            Self::Exactly(state) => key.state(seen.now()) == state,
            Self::Live => key.state(seen.now()).is_live(),
            Self::Expiring => expiring(),
            Self::Idle => idle(),
            Self::Due => expiring() || idle(),
        }
    }
}

/// The text in which words are looked for: as [`plain`] has it, one field per line so that no word spans two.
pub fn search_text(key: &Key, seen: &Seen<'_>) -> Box<str> {
    let place = seen.view.place_name(key.place).unwrap_or_default();
    let prefix = key.place.prefix();
    plain(&format!("{}\n{prefix}{}_\n{}\n{}\n{place}", key.name, key.id, key.note, seen.view.owner_name(key)))
        .into_boxed_str()
}

fn words(text: &str) -> Vec<String> {
    let (mut all, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        quoted ^= c == '"';
        if c.is_whitespace() && !quoted {
            all.push(std::mem::take(&mut word));
        } else {
            word.push(c);
        }
    }
    all.push(word);
    all.retain(|word| !word.is_empty());
    all
}

/// A term, `None` for an ordinary word, or what is wrong with it.
fn term(word: &str) -> Result<Option<Term>, String> {
    let Some(at) = word.find([':', '<', '>']).filter(|at| *at > 0) else { return Ok(None) };
    let (field, rest) = word.split_at(at);
    let field = field.to_ascii_lowercase();
    // Anything else with a colon is a text somebody looks for, such as a time or an address.
    if field.contains('"') || !field.bytes().all(|b| b.is_ascii_alphabetic()) {
        return Ok(None);
    }
    let sign = rest.chars().next().unwrap_or(':');
    let value = plain(&rest.get(1..).unwrap_or_default().replace('"', ""));
    let needs = |what: &str| Err(format!("{field}{sign} needs {what}"));
    let term = match (field.as_str(), sign, value.as_str()) {
        ("scope", ':', "") => return needs("a scope, such as contacts.read"),
        ("scope", ':', _) => Term::Scope(value),
        ("owner", ':', "") => return needs("a name"),
        ("owner", ':', _) => Term::Owner(value),
        ("at" | "location", ':', "") => return needs("a location"),
        ("at" | "location", ':', _) => Term::At(value),
        ("state" | "is", ':', _) => match wanted(&value) {
            Some(wanted) => Term::State(wanted),
            None => return needs(STATES),
        },
        ("expires", ':', "never") => Term::NeverExpires,
        ("used", ':', "never") => Term::NeverUsed,
        ("used", _, _) => return Err("write used:never, idle>60d or idle<1d".to_owned()),
        ("expires" | "idle", ':', _) => {
            return Err(format!(
                "write {field}<7d or {field}>7d{}",
                if field == "expires" { " or expires:never" } else { "" }
            ));
        }
        ("expires" | "idle", _, _) => match span(&value) {
            None => return needs("a time, such as 7d, 12h or 8w"),
            Some(ms) if field == "expires" && sign == '<' => Term::ExpiresWithin(ms),
            Some(ms) if field == "expires" => Term::ExpiresAfter(ms),
            Some(ms) if sign == '>' => Term::IdleLonger(ms),
            Some(ms) => Term::IdleShorter(ms),
        },
        _ => {
            return Err(format!(
                "there is no filter {field}{sign}; there are scope: state: owner: at: expires< idle>"
            ));
        }
    };
    Ok(Some(term))
}

fn wanted(word: &str) -> Option<Wanted> {
    Some(match word {
        "live" => Wanted::Live,
        "expiring" => Wanted::Expiring,
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
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_and_terms_are_told_apart() {
        let query =
            Query::parse(r#"nightly scope:contacts.read at:"Berlin Mitte" expires<7d "two words" 02:00"#);
        assert_eq!(query.words, ["nightly", "two words", "02:00"]);
        assert_eq!(
            query.terms,
            [
                Term::Scope("contacts.read".into()),
                Term::At("berlin mitte".into()),
                Term::ExpiresWithin(7 * DAY_MS)
            ]
        );
        assert!(query.mistakes.is_empty());
    }

    #[test]
    fn a_term_that_means_nothing_is_told() {
        for (text, said) in [
            ("state:purple", "state: needs active, paused"),
            ("expires<soon", "expires< needs a time"),
            ("expires:7d", "write expires<7d"),
            ("idle>", "idle> needs a time"),
            ("scope:", "scope: needs a scope"),
            ("colour:red", "there is no filter colour:"),
            ("idle>99999999999999999y", "idle> needs a time"),
        ] {
            let query = Query::parse(text);
            assert!(query.is_empty(), "{text}");
            assert!(query.mistakes[0].starts_with(said), "{text}: {:?}", query.mistakes);
        }
    }

    #[test]
    fn deleted_keys_come_only_when_asked_for() {
        assert!(Query::parse("state:deleted").wants_deleted());
        assert!(!Query::parse("deleted state:revoked").wants_deleted());
    }

    proptest! {
        #[test]
        fn no_line_is_too_odd_to_be_read(text in "[a-z:<>\" é日0-9]{0,24}") {
            let query = Query::parse(&text);
            let _ = query.finds("anything");
        }
    }
}
