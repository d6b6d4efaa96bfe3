//! One thing done to many keys, part by part: as many at once as stand together, the others one by one. Whoever has it done may
//! stop between two parts, and hears of each key what became of it; `report`: that, for programs.

mod report;

use std::collections::{HashSet, VecDeque};

use minicbor::{Decode, Encode};

pub use self::report::{Refused, Report, taken_back};
use super::error::unsaid;
use super::handover::Purse;
use super::{Class, Done, Engine, EngineError, Session};
use crate::crypto::public_id;
use crate::crypto::random::OsEntropy;
use crate::domain::command::{Together, Yields};
use crate::domain::{
    Command, Context, Event, Imported, KeyId, Minted, Refusal, State, Timestamp, Verifier, decide,
};

/// One of many that was not done, and why.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Left {
    /// Which key.
    #[n(0)]
    pub key: KeyId,
    /// What kind of no it was.
    #[n(1)]
    pub class: Class,
    /// The short word for scripts.
    #[n(2)]
    pub code: String,
    /// Why, for people.
    #[n(3)]
    pub text: String,
}

/// How a key is to which something was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stays {
    /// As it was.
    AsItWas,
    /// Refused all the same: only the disk does not know yet.
    Refused,
    /// As it was, or perhaps not: the disk failed.
    Undone,
}

impl Stays {
    /// In words, of one and of several.
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::AsItWas => ("is as it was", "are as they were"),
            Self::Refused => ("is refused all the same", "are refused all the same"),
            Self::Undone => ("was not done", "were not done"),
        }
    }
}

impl Left {
    /// Whether its token found no place.
    pub fn is_unkept(&self) -> bool {
        self.code == EngineError::Unkept(String::new()).code()
    }

    /// What is so of it all the same.
    pub fn stays(&self) -> Stays {
        match (self.code.as_str(), self.class) {
            ("denied_kept" | "denied_not_durable", _) => Stays::Refused,
            (_, Class::Unavailable) => Stays::Undone,
            (_, Class::Refused | Class::Sealed | Class::Usage) => Stays::AsItWas,
        }
    }

    /// The key of a command that was not done; `None` of one that is about no key.
    pub fn of(command: &Command, error: &EngineError) -> Option<Self> {
        let (class, code, text) = (error.class(), error.code().to_owned(), unsaid(error));
        command.key().map(|key| Self { key, class, code, text })
    }
}

/// Bytes of commands in one part: a request of the control socket takes 64 KiB.
const PART_BYTES: usize = 48 * 1024;

/// See the module.
#[derive(Debug, Default)]
pub struct Many {
    waiting: VecDeque<Command>,
    total: usize,
    /// The keys it was done to.
    pub done: Vec<KeyId>,
    /// Those it was not done to, and why.
    pub left: Vec<Left>,
    /// Where the secrets go that it makes.
    purse: Option<Purse>,
    given_up: bool,
}

impl Many {
    /// Nothing is done yet.
    pub fn of(commands: Vec<Command>) -> Self {
        Self { total: commands.len(), waiting: commands.into(), ..Self::default() }
    }

    /// The same, where the secrets go that it makes.
    #[must_use]
    pub fn keeping(self, purse: Purse) -> Self {
        Self { purse: Some(purse), ..self }
    }

    /// Where the secrets are that it made, for people.
    pub fn kept(&self) -> Option<String> {
        self.purse.as_ref().filter(|_| !self.done.is_empty()).map(Purse::said)
    }

    /// How many there are.
    pub const fn total(&self) -> usize {
        self.total
    }

    /// How many of them were not tried.
    pub fn untried(&self) -> usize {
        self.waiting.len()
    }

    /// The keys that were not tried.
    pub fn waiting(&self) -> impl Iterator<Item = KeyId> + '_ {
        self.waiting.iter().filter_map(Command::key)
    }

    /// Whether there is nothing more to do: all were tried, or nothing more can be done.
    pub fn is_over(&self) -> bool {
        self.given_up || self.waiting.is_empty()
    }

    /// Does the next part; what happened.
    pub fn go_on(&mut self, engine: &dyn Engine, session: &Session) -> Vec<Event> {
        let part = self.next_part();
        let Some(first) = part.first() else { return Vec::new() };
        if first.yields() != Yields::Nothing {
            return self.make(engine, session, first);
        }
        let command = match Together::of(part.clone()) {
            Some(together) if part.len() > 1 => Command::Each(together),
            _ => first.clone(),
        };
        let Done { events, left, .. } = match engine.execute(session, command) {
            Ok(done) => done,
            Err(error) => {
                let left = part.iter().filter_map(|one| Left::of(one, &error)).collect();
                self.given_up |= matches!(error, EngineError::Gone(_));
                Done { left, ..Done::default() }
            }
        };
        // What takes access away is in force all the same, so the rest is asked for; nothing else is done by a disk that fails.
        self.given_up |= !first.denies() && left.iter().any(|left| left.class != Class::Refused);
        let not_done: HashSet<KeyId> = left.iter().map(|left| left.key).collect();
        self.done.extend(part.iter().filter_map(Command::key).filter(|key| !not_done.contains(key)));
        self.left.extend(left);
        events
    }

    /// Does one that makes a secret, which has to go somewhere. Where that cannot take one it will not take the next.
    fn make(&mut self, engine: &dyn Engine, session: &Session, command: &Command) -> Vec<Event> {
        let made = match &mut self.purse {
            Some(purse) => purse.make(engine, session, command),
            None => Err(EngineError::Unkept("nothing says where its token goes, so none was made.".into())),
        };
        match made {
            Ok(events) => {
                self.done.extend(command.key());
                events
            }
            Err(error) => {
                self.given_up |= error.class() != Class::Refused || matches!(error, EngineError::Unkept(_));
                self.left.extend(Left::of(command, &error));
                Vec::new()
            }
        }
    }

    /// As many as stand together and fit a request, or one.
    fn next_part(&mut self) -> Vec<Command> {
        let (mut part, mut bytes, mut keys) = (Vec::new(), 0, HashSet::new());
        while let Some(next) = self.waiting.front() {
            bytes += minicbor::to_vec(next).map_or(PART_BYTES, |bytes| bytes.len());
            let stands = Together::of(vec![next.clone()]).is_some()
                && part.first().is_none_or(|first: &Command| first.kind() == next.kind());
            let fits =
                stands && bytes <= PART_BYTES && keys.insert(next.key()) && part.len() < Together::MOST;
            if !fits && !part.is_empty() {
                break;
            }
            part.extend(self.waiting.pop_front());
            if !fits {
                break;
            }
        }
        part
    }
}

/// Why each of these commands would be refused now, as far as that can be said before it is run; `None` of one that would not.
pub fn foretell(engine: &dyn Engine, session: &Session, commands: &[Command]) -> Vec<Option<Refusal>> {
    let context = before(engine, session);
    let state = engine.state();
    // Nothing is minted for it, and where that is all that is missing nothing is.
    let why =
        |command: &Command| decide(&state, command, &context).err().filter(|why| *why != Refusal::IdTaken);
    commands.iter().map(why).collect()
}

/// The same of keys that are taken over one after another: each is judged as if those before it were there, but for those that
/// are refused.
///
/// # Errors
/// When the system's generator draws no ids for them.
pub fn foretell_imports(
    engine: &dyn Engine,
    session: &Session,
    commands: &[Command],
) -> Result<Vec<Option<Refusal>>, EngineError> {
    let mut state = State::clone(&engine.state());
    let one = |command: &Command| {
        let imported = Some(Box::new(Imported { phc: String::new(), digested: None }));
        let minted = Minted { id: public_id::generate(&mut OsEntropy)?, verifier: Verifier::NONE, imported };
        let context = Context { minted: Some(minted), ..before(engine, session) };
        Ok(match decide(&state, command, &context) {
            Ok(events) => {
                for event in &events {
                    state.apply(event);
                }
                None
            }
            Err(refusal) => Some(refusal),
        })
    };
    commands.iter().map(one).collect()
}

/// What may be known before a command is run.
fn before<'e>(engine: &'e dyn Engine, session: &Session) -> Context<'e> {
    let now = engine.now();
    Context {
        actor: session.actor(),
        now: now.time,
        doubted: now.suspect.then_some(now.time),
        // Where uses were lost, what hangs on them comes later than this.
        complete_since: Some(Timestamp(0)),
        catalog: engine.catalog(),
        ids: &[],
        minted: None,
        outlook: None,
    }
}
