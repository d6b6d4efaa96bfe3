//! The messages. A request carries a number, so that answers find who asked while news go by on the same connection.
//! Secrets are borrowed from the frame they came in, which is wiped.

use minicbor::{Decode, Encode};

use super::fault::Fault;
use super::lines::HealthLine;
use crate::domain::{Access, Audience, Command, Event, OperatorId, Place, PublicId, ScopeId, Trace, Usage};
use crate::engine::open::Wants;
use crate::engine::{Doubt, EngineError, Finding, Left, Question, Sweeping, Via};

/// What the attached process asks.
#[derive(Encode, Decode)]
pub struct Ask<'b> {
    /// Comes back with the answer.
    #[n(0)]
    pub id: u32,
    /// How far the session should reach for this. The owner goes by what it granted.
    #[n(1)]
    pub reach: Reach,
    /// What is asked.
    #[b(2)]
    pub what: Request<'b>,
}

/// How far a session reaches, as [`Access`] says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Reach {
    /// Own keys.
    #[n(0)]
    Own,
    /// The whole agency.
    #[n(1)]
    Agency,
    /// A new passphrase only.
    #[n(2)]
    Recovery,
}

impl Reach {
    /// None for the server's own, which nobody attached can have.
    pub const fn of(access: Access) -> Result<Self, EngineError> {
        match access {
            Access::Own => Ok(Self::Own),
            Access::Agency => Ok(Self::Agency),
            Access::Recovery => Ok(Self::Recovery),
            Access::Service => Err(EngineError::Closed),
        }
    }

    /// Back again.
    pub const fn access(self) -> Access {
        match self {
            Self::Own => Access::Own,
            Self::Agency => Access::Agency,
            Self::Recovery => Access::Recovery,
        }
    }
}

/// All that can be asked.
#[derive(Encode, Decode)]
pub enum Request<'b> {
    /// The first request, and the only one before it is answered.
    #[n(0)]
    SignIn {
        /// Whether it is a console; else a command line.
        #[n(0)]
        console: bool,
        /// What opens the store.
        #[b(1)]
        with: With<'b>,
        /// Whether it only looks, and leaves no trace.
        #[n(2)]
        read_only: bool,
        /// What it must have of keys and apps.
        #[n(3)]
        wants: Wants,
    },
    /// [`crate::engine::Engine::act`].
    #[n(1)]
    Act {
        /// The command.
        #[n(0)]
        command: Command,
        /// What it goes with.
        #[b(1)]
        brought: BroughtLine<'b>,
    },
    /// [`crate::engine::Engine::ask`].
    #[n(2)]
    Ask(#[b(0)] Question<'b>),
    /// [`crate::engine::Engine::verify`].
    #[n(3)]
    Verify {
        /// What somebody presented.
        #[cbor(b(0), with = "minicbor::bytes")]
        presented: &'b [u8],
        /// The scopes needed.
        #[n(1)]
        wanted: Vec<ScopeId>,
    },
    /// [`crate::engine::Engine::settle`].
    #[n(4)]
    Settle,
    /// [`crate::engine::Engine::shown`].
    #[n(5)]
    Shown(#[n(0)] PublicId),
}

impl Request<'_> {
    /// Whether it may have been carried out although no answer came.
    pub const fn changes(&self) -> bool {
        matches!(self, Self::Act { .. } | Self::Ask(Question::Sweep(Sweeping::Do)))
    }
}

/// What opens a store.
#[derive(Clone, Copy, Encode, Decode)]
pub enum With<'b> {
    /// A passphrase.
    #[n(0)]
    Passphrase {
        /// Whose.
        #[b(0)]
        name: &'b str,
        /// Theirs.
        #[b(1)]
        passphrase: &'b str,
    },
    /// The content of a key file.
    #[n(1)]
    KeyFile {
        /// 32 bytes.
        #[cbor(b(0), with = "minicbor::bytes")]
        content: &'b [u8],
    },
    /// The recovery code.
    #[n(2)]
    Recovery {
        /// Whose passphrase will be set.
        #[b(0)]
        name: &'b str,
        /// The code.
        #[b(1)]
        code: &'b str,
    },
}

/// [`crate::engine::Brought`].
#[derive(Clone, Copy, Encode, Decode)]
pub enum BroughtLine<'b> {
    /// Nothing.
    #[n(0)]
    Nothing,
    /// A passphrase.
    #[n(1)]
    Passphrase(#[b(0)] &'b str),
    /// The content of a key file that the attached process has written: 32 bytes. No path travels here, so nobody has the
    /// owner write where they may not.
    #[n(2)]
    KeyFile(#[cbor(b(0), with = "minicbor::bytes")] &'b [u8]),
    /// The secret of a key as it always was.
    #[n(3)]
    Imported(#[cbor(b(0), with = "minicbor::bytes")] &'b [u8]),
    /// The SHA-256 of such a secret.
    #[n(4)]
    ImportedSha256(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]),
}

/// What the owner says.
#[derive(Encode, Decode)]
#[cbor(context_bound = "Audience")]
pub enum Said<'b> {
    /// Done.
    #[n(0)]
    Answer {
        /// Which request.
        #[n(0)]
        id: u32,
        /// What came of it.
        #[b(1)]
        answer: Answer<'b>,
    },
    /// Not done.
    #[n(1)]
    Refused {
        /// Which request.
        #[n(0)]
        id: u32,
        /// Why.
        #[n(1)]
        fault: Fault,
    },
    /// All there is to see, in parts: what was held before is forgotten when the last has come.
    #[n(2)]
    Whole {
        /// Whether more parts follow.
        #[n(0)]
        more: bool,
        /// Some of it.
        #[n(1)]
        rows: Rows,
    },
    /// What is different now.
    #[n(3)]
    Changed {
        /// The records and uses as they are now.
        #[n(0)]
        rows: Rows,
        /// What led to it.
        #[n(1)]
        events: Vec<Event>,
        /// How the store is doing.
        #[n(2)]
        health: Box<HealthLine>,
    },
    /// Nothing follows.
    #[n(4)]
    Bye {
        /// Why.
        #[n(0)]
        why: String,
    },
}

/// Records and uses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Rows {
    /// Records, none with a digest.
    #[n(0)]
    pub records: Vec<Row>,
    /// What is known of uses.
    #[n(1)]
    pub uses: Vec<(PublicId, Usage, Option<Trace>)>,
    /// Live keys that exist and may not be seen, for those who may know how many.
    #[n(2)]
    pub census: Option<Vec<(OperatorId, Place, u32)>>,
}

impl Rows {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.uses.is_empty() && self.census.is_none()
    }
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Row {
    /// Where it lives.
    #[n(0)]
    pub key: String,
    /// Its bytes.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub value: Vec<u8>,
    /// Whether requests of this key or app are refused because nobody vouches for what they hang on.
    #[n(2)]
    pub unproven: bool,
}

/// What can come of a request.
#[derive(Encode, Decode)]
#[cbor(context_bound = "Audience")]
pub enum Answer<'b> {
    /// Signed in.
    #[n(0)]
    Welcome(#[n(0)] Box<Welcome>),
    /// Done, and there is nothing to tell.
    #[n(1)]
    Nothing,
    /// A command was carried out.
    #[n(2)]
    Done {
        /// The token of an issued key or the secret of an app.
        #[b(0)]
        token: Option<&'b str>,
        /// A recovery code.
        #[b(1)]
        code: Option<&'b str>,
        /// What happened, as far as it may be seen.
        #[n(2)]
        events: Vec<Event>,
        /// Of many at once, those that were not done.
        #[n(3)]
        left: Vec<Left>,
    },
    /// What was found.
    #[n(3)]
    Found {
        /// For what was asked.
        #[n(0)]
        finding: Finding,
        /// Whom a presented token speaks for.
        #[n(1)]
        bearer: Option<Row>,
    },
}

/// What the attached process must know of the owner.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Welcome {
    /// Who is signed in.
    #[n(0)]
    pub operator: OperatorId,
    /// How far they reach.
    #[n(1)]
    pub reach: Reach,
    /// The owner's command.
    #[n(2)]
    pub command: String,
    /// The owner's process.
    #[n(3)]
    pub pid: u32,
    /// Text of the catalog; none for the built-in one, which both have.
    #[n(4)]
    pub catalog: Option<String>,
    /// What does not agree in the store.
    #[n(5)]
    pub doubts: Vec<Doubt>,
    /// How the store is doing.
    #[n(7)]
    pub health: HealthLine,
}

/// A console or a command line.
pub const fn via(console: bool) -> Via {
    if console { Via::Console } else { Via::CommandLine }
}
