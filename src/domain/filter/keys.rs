//! What may be asked of keys in a filter line: `scope:contacts.read`, `state:paused`, `expires<7d`, `used<1d`, `created>90d`,
//! `owner:jonas`, `at:Berlin`, `at:="Berlin Mitte"` for just that one, `note:warehouse`, `from:203.0.113.0/24`, `by:curl`, and what words are looked for in. The grammar
//! around it is that of [`super`]. A term is printed as it is read.

use std::fmt;

use super::caller::Whence;
use super::{Filter, needs, push_plain, quoted};
use crate::domain::name::plain;
use crate::domain::{Key, KeyState, LastUse, Reason, Timestamp, View, time::DAY_MS};

/// What a list says of a key or an app that the store does not vouch for.
pub const IN_DOUBT: &str = "in doubt";

/// What it says of one that a lockdown covers.
pub const LOCKED_DOWN: &str = "locked down";

/// A filter line about keys, understood.
pub type KeyFilter = Filter<Term>;

/// The states `state:` knows, beside the words of the table.
const STATES: &str = "active, paused, superseded, stopped, expired, revoked, deleted, live, ended, expiring, idle, due or decoy";

/// Something asked of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// It has a scope with this in its name.
    Scope(String),
    /// It stands so.
    State(Wanted),
    /// Its owner's name has this in it.
    Owner(Called),
    /// The name of its location or app has.
    At(Called),
    /// Its note has.
    Note(String),
    /// Its last caller came from there.
    From(Whence),
    /// What its last caller says it is has this in it.
    By(String),
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
    /// Used within this many milliseconds, as far as that is known.
    UsedWithin(i64),
    /// Used, and not within this many milliseconds.
    UsedBefore(i64),
    /// No use of it is known, and none was lost.
    NeverUsed,
    /// Whether it was ever used is not known.
    UseUnknown,
    /// Made within this many milliseconds.
    YoungerThan(i64),
    /// Made before that.
    OlderThan(i64),
}

/// What a name is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Called {
    /// It has this in it.
    Like(String),
    /// It is just this, as [`exactly`] has it.
    Just(String),
}

impl Called {
    fn read(value: String) -> Self {
        match value.strip_prefix('=').filter(|name| !name.is_empty()) {
            Some(name) => Self::Just(name.to_owned()),
            None => Self::Like(value),
        }
    }

    /// Whether a name is so.
    pub fn fits(&self, name: &str) -> bool {
        match self {
            Self::Like(part) => plain(name).contains(part.as_str()),
            Self::Just(wanted) => exactly(name) == *wanted,
        }
    }
}

/// As it is read, behind its field.
impl fmt::Display for Called {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Like(part) => f.write_str(&quoted(part)),
            Self::Just(name) => f.write_str(&quoted(&format!("={name}"))),
        }
    }
}

/// A name as `owner:=` and `at:=` compare it: quotes are the grammar's own.
pub fn exactly(name: &str) -> String {
    plain(&name.replace('"', ""))
}

/// How a key is to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// In this state.
    Exactly(KeyState),
    /// Active or paused.
    Live,
    /// Over: expired, revoked or deleted.
    Ended,
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
        let used = || view.last_use(key).at().filter(|_| is_for_use).map(|at| now.since(at));
        let caller = || view.trace(key).and_then(|trace| trace.sighting.as_ref());
        let age = || now.since(key.created_at);
        match self {
            Self::Scope(wanted) => key.scopes.iter().any(|scope| scope.as_str().contains(wanted.as_str())),
            Self::State(wanted) => wanted.fits(key, view, now),
            Self::Owner(wanted) => wanted.fits(view.owner_name(key)),
            Self::At(wanted) => view.place_name(key.place).is_some_and(|place| wanted.fits(place)),
            Self::Note(wanted) => plain(key.note.as_str()).contains(wanted.as_str()),
            Self::From(whence) => {
                caller().and_then(|seen| seen.address).is_some_and(|address| whence.holds(address))
            }
            Self::By(wanted) => {
                let agent = caller().and_then(|seen| seen.agent.as_ref());
                agent.is_some_and(|agent| plain(agent.as_str()).contains(wanted.as_str()))
            }
            Self::ExpiresWithin(limit) => {
                key.state(now).is_live() && left().is_some_and(|ms| (1..=*limit).contains(&ms))
            }
            Self::ExpiresAfter(limit) => left().is_none_or(|ms| ms > *limit),
            Self::NeverExpires => left().is_none(),
            Self::IdleLonger(limit) => is_for_use && unused() > *limit,
            Self::IdleShorter(limit) => is_for_use && unused() <= *limit,
            Self::UsedWithin(limit) => used().is_some_and(|ms| ms <= *limit),
            Self::UsedBefore(limit) => used().is_some_and(|ms| ms > *limit),
            Self::NeverUsed => is_for_use && view.last_use(key) == LastUse::Never,
            Self::UseUnknown => is_for_use && matches!(view.last_use(key), LastUse::NotKnown(_)),
            Self::YoungerThan(limit) => age() <= *limit,
            Self::OlderThan(limit) => age() > *limit,
        }
    }
}

impl Wanted {
    /// All words there are for it.
    pub fn words() -> impl Iterator<Item = &'static str> {
        KeyState::ALL.into_iter().map(KeyState::as_str).chain(WANTED.iter().map(|(word, _)| *word))
    }

    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Exactly(state) => state.as_str(),
            other => WANTED.iter().find(|(_, wanted)| *wanted == other).map_or("", |(word, _)| word),
        }
    }

    fn fits(self, key: &Key, view: View<'_>, now: Timestamp) -> bool {
        let expiring = || key.expires_soon(view.policy(), now).is_some();
        let idle = || view.idle_days(key, now).is_some() || view.goes(key, now).is_some();
        match self {
            // To somebody who asks what works it does not.
            Self::Exactly(KeyState::Active) => key.state(now) == KeyState::Active && !key.is_decoy(),
            Self::Exactly(state) => key.state(now) == state,
            Self::Decoy => key.is_laid(),
            Self::Live => key.state(now).is_live(),
            Self::Ended => key.state(now).is_over(),
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
    const FIELDS: &'static str = "scope: state: owner: at: note: from: by: expires< used< created< idle>";

    fn read(field: &str, sign: char, value: String) -> Option<Result<Self, String>> {
        Some(match (field, sign, value.as_str()) {
            ("scope", ':', "") => needs(field, sign, "a scope, such as contacts.read"),
            ("scope", ':', _) => Ok(Self::Scope(value)),
            ("owner", ':', "") => needs(field, sign, "a name"),
            ("owner", ':', _) => Ok(Self::Owner(Called::read(value))),
            ("at" | "location", ':', "") => needs(field, sign, "a location"),
            ("at" | "location", ':', _) => Ok(Self::At(Called::read(value))),
            ("note", ':', "") => needs(field, sign, "words of a note"),
            ("note", ':', _) => Ok(Self::Note(value)),
            ("from", ':', _) => match Whence::read(&value) {
                Some(whence) => Ok(Self::From(whence)),
                None => needs(field, sign, Whence::FORM),
            },
            ("by", ':', "") => needs(
                field,
                sign,
                "the program of the last caller, such as curl; who issued a key the trail tells",
            ),
            ("by", ':', _) => Ok(Self::By(value)),
            ("state" | "is", ':', _) => match wanted(&value) {
                Some(wanted) => Ok(Self::State(wanted)),
                None => needs(field, sign, STATES),
            },
            ("expires", ':', "never") => Ok(Self::NeverExpires),
            ("used", ':', "never") => Ok(Self::NeverUsed),
            ("used", ':', "unknown") => Ok(Self::UseUnknown),
            ("expires", ':', _) => Err("write expires<7d, expires>7d or expires:never".to_owned()),
            ("used", ':', _) => Err("write used<7d, used>7d, used:never or used:unknown".to_owned()),
            ("created" | "idle", ':', _) => Err(format!("write {field}<7d or {field}>7d")),
            ("expires" | "used" | "created" | "idle", '<' | '>', _) => match span(&value) {
                None => needs(field, sign, "a time, such as 7d, 12h or 8w"),
                Some(ms) => Ok(match (field, sign) {
                    ("expires", '<') => Self::ExpiresWithin(ms),
                    ("expires", _) => Self::ExpiresAfter(ms),
                    ("used", '<') => Self::UsedWithin(ms),
                    ("used", _) => Self::UsedBefore(ms),
                    ("created", '<') => Self::YoungerThan(ms),
                    ("created", _) => Self::OlderThan(ms),
                    (_, '<') => Self::IdleShorter(ms),
                    (_, _) => Self::IdleLonger(ms),
                }),
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

/// As it is read.
impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scope(scope) => write!(f, "scope:{}", quoted(scope)),
            Self::State(wanted) => write!(f, "state:{}", quoted(wanted.word())),
            Self::Owner(name) => write!(f, "owner:{name}"),
            Self::At(name) => write!(f, "at:{name}"),
            Self::Note(words) => write!(f, "note:{}", quoted(words)),
            Self::From(whence) => write!(f, "from:{whence}"),
            Self::By(program) => write!(f, "by:{}", quoted(program)),
            Self::ExpiresWithin(ms) => write!(f, "expires<{}", spelt(*ms)),
            Self::ExpiresAfter(ms) => write!(f, "expires>{}", spelt(*ms)),
            Self::NeverExpires => f.write_str("expires:never"),
            Self::IdleLonger(ms) => write!(f, "idle>{}", spelt(*ms)),
            Self::IdleShorter(ms) => write!(f, "idle<{}", spelt(*ms)),
            Self::UsedWithin(ms) => write!(f, "used<{}", spelt(*ms)),
            Self::UsedBefore(ms) => write!(f, "used>{}", spelt(*ms)),
            Self::NeverUsed => f.write_str("used:never"),
            Self::UseUnknown => f.write_str("used:unknown"),
            Self::YoungerThan(ms) => write!(f, "created<{}", spelt(*ms)),
            Self::OlderThan(ms) => write!(f, "created>{}", spelt(*ms)),
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

/// The words for how a key is to stand, beside those of its states; of several for one the first is said.
const WANTED: &[(&str, Wanted)] = &[
    ("live", Wanted::Live),
    ("ended", Wanted::Ended),
    ("expiring", Wanted::Expiring),
    ("expires soon", Wanted::Expiring),
    (
        "stopped",
        Wanted::Stopped(&[
            Reason::StoreError,
            Reason::LockedDown,
            Reason::OwnerDisabled,
            Reason::LocationDisabled,
            Reason::AppDisabled,
        ]),
    ),
    (LOCKED_DOWN, Wanted::Stopped(&[Reason::LockedDown])),
    (IN_DOUBT, Wanted::Stopped(&[Reason::StoreError])),
    ("owner stopped", Wanted::Stopped(&[Reason::OwnerDisabled])),
    ("location gone", Wanted::Stopped(&[Reason::LocationDisabled])),
    ("app stopped", Wanted::Stopped(&[Reason::AppDisabled])),
    ("idle", Wanted::Idle),
    ("due", Wanted::Due),
    ("decoy", Wanted::Decoy),
];

fn wanted(word: &str) -> Option<Wanted> {
    let state = || KeyState::ALL.into_iter().find(|state| state.as_str() == word).map(Wanted::Exactly);
    WANTED.iter().find(|(known, _)| *known == word).map(|(_, wanted)| *wanted).or_else(state)
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

/// The other way round.
fn spelt(ms: i64) -> String {
    if ms % DAY_MS == 0 { format!("{}d", ms / DAY_MS) } else { format!("{}h", ms / (DAY_MS / 24)) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    use super::super::{Node, Test, What};

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
            ("used:7d", "write used<7d, used>7d, used:never or used:unknown"),
            ("created:7d", "write created<7d or created>7d"),
            ("created<then", "created< needs a time"),
            ("note:", "note: needs words"),
            ("by:", "by: needs the program"),
            ("from:home", "from: needs an address"),
            ("from:10.0.0.0/40", "from: needs an address"),
            ("note>x", "there is no filter note>"),
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
        let mistake = Query::parse("colour:red").mistakes.remove(0);
        for field in ["scope:", "note:", "from:", "by:", "created<", "used<"] {
            assert!(mistake.contains(field), "{field}: {mistake}");
        }
    }

    #[test]
    fn a_name_is_looked_for_in_part_or_just_as_it_is() {
        let fits = |line: &str, name: &str| {
            Query::parse(&format!("at:{line}")).lets(
                false,
                "",
                |term| matches!(term, Term::At(wanted) if wanted.fits(name)),
            )
        };
        assert!(fits("berlin", "Berlin Mitte") && !fits("=berlin", "Berlin Mitte"));
        assert!(fits(r#"="Berlin Mitte""#, "Berlin Mitte") && fits("=zurich", "Zürich"));
        assert!(fits(r#"="The Yard""#, r#"The "Yard""#), "quotes are the grammar's");
        assert!(fits("=", "a = b") && !fits("=", "a"), "a bare sign is a text");
    }

    fn term() -> impl Strategy<Value = Term> {
        let text = || "[a-z0-9][a-z0-9 .\"\\\\é:()<>-]{0,14}".prop_map(|text| plain(&text));
        let ms = || (1..5_000i64).prop_map(|hours| hours * (DAY_MS / 24));
        let words: Vec<_> = Wanted::words().collect();
        let whence = prop_oneof![
            Just("10.2.0.7"),
            Just("10.2."),
            Just("203.0.113.0/24"),
            Just("2001:db8::/32"),
            Just("fe80:")
        ];
        prop_oneof![
            text().prop_map(Term::Scope),
            text().prop_map(|text| Term::Owner(Called::read(text))),
            text().prop_map(|text| Term::At(Called::read(format!("={text}")))),
            text().prop_map(Term::Note),
            text().prop_map(Term::By),
            proptest::sample::select(words).prop_map(|word| Term::State(wanted(word).unwrap())),
            whence.prop_map(|text| Term::From(Whence::read(text).unwrap())),
            ms().prop_map(Term::ExpiresWithin),
            ms().prop_map(Term::ExpiresAfter),
            ms().prop_map(Term::IdleLonger),
            ms().prop_map(Term::IdleShorter),
            ms().prop_map(Term::UsedWithin),
            ms().prop_map(Term::UsedBefore),
            ms().prop_map(Term::YoungerThan),
            ms().prop_map(Term::OlderThan),
            Just(Term::NeverExpires),
            Just(Term::NeverUsed),
            Just(Term::UseUnknown),
        ]
    }

    /// What may stand in brackets, as deep as people write.
    fn node() -> impl Strategy<Value = Node<Term>> {
        let test = (any::<bool>(), term())
            .prop_map(|(wanted, term)| Node::Test(Test { wanted, what: What::Term(term) }));
        test.prop_recursive(4, 24, 4, |inner| {
            let several = || proptest::collection::vec(inner.clone(), 1..4);
            prop_oneof![
                several().prop_map(Node::all),
                several().prop_map(|nodes| Node::any(nodes.into_iter()).unwrap()),
            ]
        })
    }

    /// As it is written, with brackets where they are needed; with some behind `NOT` the other way round where `odd`.
    fn printed(node: &Node<Term>, odd: bool) -> String {
        let inside = |node: &Node<Term>| match node {
            Node::Test(_) => printed(node, odd),
            Node::All(_) | Node::Any(_) if odd => format!("NOT ({})", printed(&node.clone().turned(), false)),
            Node::All(_) | Node::Any(_) => format!("({})", printed(node, odd)),
        };
        match node {
            Node::Test(Test { wanted, what: What::Term(term) }) => {
                format!("{}{term}", if *wanted { "" } else { "NOT " })
            }
            Node::Test(_) => unreachable!("there are no words among them"),
            Node::All(nodes) => nodes.iter().map(inside).collect::<Vec<_>>().join(" "),
            Node::Any(nodes) => nodes.iter().map(inside).collect::<Vec<_>>().join(" OR "),
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_as_it_was(node in node(), odd in any::<bool>()) {
            let line = printed(&node, odd);
            prop_assert_eq!(Query::parse(&line), Filter { root: Some(node), mistakes: Vec::new() }, "{}", line);
        }
    }

    #[test]
    fn deleted_keys_come_only_when_asked_for() {
        assert!(Query::parse("state:deleted").reveals());
        assert!(Query::parse("state:superseded").reveals(), "nor those that another took over from");
        assert!(!Query::parse("deleted state:paused").reveals());
        assert!(!Query::parse("NOT state:deleted").reveals());
    }
}
