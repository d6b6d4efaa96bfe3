//! The imperative shell: opens a store, runs commands against it, keeps the state in memory, verifies tokens,
//! records use. Above it nobody touches a store, a secret key or a clock; below it nobody knows a session.
//!
//! - [`Engine`] is what the console and the command line speak to; [`LocalEngine`] owns the store.
//! - [`open`]: from a directory and a secret to an engine and a session; founding a new store. `admit`: signing in to one
//!   that is open.
//! - `tails`: requests as they arrive, for whoever watches.
//! - `uses`, `denials` and `refusals`: what was used, and which requests and commands were refused. `scribe`: the thread
//!   that writes all of it down.
//! - `sweep`: what time brings. `sweeper`: the thread that does it while a process stays.
//! - `delivery`: what is told of it beyond the screen.
//! - [`LookOnly`]: an engine that changes nothing.
//! - [`Many`]: one thing done to many keys, part by part. [`handover`]: where fresh secrets go.
//! - `ledger`: the only writer. `rows`: what lies in a store besides records. `overdue`: denials a disk did not take. `owed`: one of them. `image`: what is held in memory. `load`: reads
//!   and checks a store. `proof`: what the trail says of it. `verifier` and `table`: is this token good? [`Caller`]:
//!   whose it is.
//! - `imported`: the keys whose secrets were made elsewhere.
//! - [`oauth`]: access tokens: issuing, checking, ending them. `token_desk`: the keys for that.
//! - `snapshot`: what is held in memory. `question`: what can be asked. [`audit_log`]: reading and checking the trail. `tried`: what it says of one token.
//!   `trim`: taking its oldest entries out of the store. `whose`: what a secret opens that was found somewhere.
//! - `troubles`: what is wrong, for people.
//! - `doors`: slots, passphrases, recovery. [`backup`]: the whole store as one file, and back.
//! - [`clock`] and `timekeeper`: time, injected and doubted. [`demo`]: a store full of sample data.

mod admit;
pub mod audit_log;
pub mod backup;
mod caller;
pub mod clock;
mod delivery;
pub mod demo;
mod denials;
mod doors;
mod error;
pub mod handover;
mod image;
mod imported;
mod ledger;
mod load;
mod local;
mod look_only;
pub mod many;
pub mod oauth;
pub mod open;
mod overdue;
mod owed;
mod patience;
mod pictures;
mod proof;
mod question;
mod reading;
mod refusals;
mod rows;
mod scribe;
mod seal_thread;
mod session;
mod snapshot;
mod sweep;
mod sweeper;
mod table;
mod tails;
pub mod throttle;
mod timekeeper;
mod token_desk;
mod tried;
mod trim;
mod troubles;
mod uses;
mod verifier;
mod whose;

use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::broadcast;

pub use self::audit_log::{Anchor, AuditLine, AuditPage, AuditReport, Doubt, Integrity};
pub use self::caller::Caller;
pub use self::delivery::Tidings;
pub use self::doors::{Door, Doors};
pub use self::error::{Class, EngineError, OpenError};
pub use self::local::LocalEngine;
pub use self::look_only::LookOnly;
pub use self::many::{Left, Many, Stays, foretell, foretell_imports};
pub use self::overdue::Unwritten;
pub use self::owed::Note as Unshown;
pub use self::patience::Patience;
pub use self::question::{Finding, Question};
pub use self::reading::Reading;
pub use self::scribe::Writing;
pub use self::session::{Auth, Peer, Session, Via};
pub use self::snapshot::Snapshot;
pub use self::sweep::{Sweeping, Sweeps, Swept};
pub use self::sweeper::{Pace, Sweeper};
pub use self::timekeeper::{Dial, Mark, Now, Timekeeper};
pub use self::tried::{Party, Tried, Try};
pub use self::trim::SEGMENT;
pub use self::troubles::{Troubles, failing, fails, troubles};
pub use self::verifier::Verifier;
#[cfg(feature = "console")]
pub use self::whose::whose_found;
pub use self::whose::{Holder, Whose};
use crate::crypto::keyfile::KeyFileSecret;
use crate::crypto::passphrase::Passphrase;
use crate::crypto::recovery::RecoveryCode;
use crate::crypto::token::Token;
use crate::domain::delivery::ChannelName;
use crate::domain::lineage::instead;
use crate::domain::{Command, Decision, Event, PublicId, ScopeId, Timestamp};
use crate::store::{Health, Standing};

/// What a command led to.
#[derive(Default)]
pub struct Done {
    /// What happened, in order.
    pub events: Vec<Event>,
    /// The token of a key, or the secret of an app, that was issued: here once and nowhere else.
    pub token: Option<Token>,
    /// The recovery code that counts from now on: here once and nowhere else.
    pub code: Option<RecoveryCode>,
    /// The session that reaches further from now on.
    pub session: Option<Session>,
    /// What takes the token's key or app back, should the process it goes to end before it was shown: for whoever serves
    /// that process, see [`LocalEngine::take_back`]. Nothing where the token was made by another process.
    pub unshown: Option<Unshown>,
    /// Of many that stood together, those that were not done, and why.
    pub left: Vec<Left>,
}

/// What a command goes with that no record holds: which, is said by [`crate::domain::command::Beside`] in its row.
#[derive(Clone, Copy)]
pub enum Brought<'a> {
    /// Nothing.
    Nothing,
    /// A passphrase that an operator chose.
    Passphrase(&'a Passphrase),
    /// The content of an operator's key file, which lies where whoever asks has put it.
    KeyFile(&'a KeyFileSecret),
    /// The secret of a key that was made elsewhere: 1 to 1024 visible ASCII characters. Callers present it as
    /// `kdim_<id>_<secret>` from then on.
    Imported(&'a [u8]),
    /// The SHA-256 of such a secret, where another system knows no more of it. Callers present the secret all the same.
    ImportedSha256(&'a [u8; 32]),
}

/// Something a listener should know.
#[derive(Clone, Debug)]
pub enum News {
    /// A command was carried out.
    Happened(Arc<Vec<Event>>),
    /// Keys and apps were used; what is known of their use is newer now.
    Used(Arc<[PublicId]>),
    /// The process that owns the store cannot be reached any more, and why. Nothing follows.
    Gone(Arc<str>),
}

/// How a store is doing.
#[derive(Clone, Debug)]
pub struct Condition {
    /// The store itself.
    pub health: Health,
    /// Whether what is used gets written down. Verification goes on when it does not.
    pub writing: Writing,
    /// Since when no use was lost: what a rule that deletes the unused must ask first. A key may be judged idle only for
    /// the time since then. `None` while uses are not written down, or when that is not known here.
    pub complete_since: Option<Timestamp>,
    /// What takes access away and is in force, and could not be written into the store yet.
    pub unwritten: Unwritten,
    /// How sweeps go.
    pub sweeps: Sweeps,
    /// The channels that the process which has the store delivers through, as far as that is known.
    pub channels: Option<Vec<ChannelName>>,
}

/// Where a request came from, as far as anybody told.
#[derive(Clone, Copy, Debug, Default)]
pub struct Origin<'a> {
    /// The caller's address.
    pub address: Option<IpAddr>,
    /// The caller's `User-Agent`, as it was sent.
    pub agent: Option<&'a [u8]>,
}

impl Origin<'_> {
    /// Whether nobody said anything.
    pub const fn is_nowhere(&self) -> bool {
        self.address.is_none() && self.agent.is_none()
    }
}

/// What the console and the command line speak to, and all that has to be written for a new kind of it. What is asked for
/// in short stands beside [`Snapshot`] and [`Question`] and comes down to these. All calls may block on the disk; the
/// console makes them on threads of their own.
pub trait Engine: Send + Sync {
    /// Runs a command with what it goes with: judged, written durably, applied, told to subscribers. `Ok` means all of
    /// that happened; of many that stand together, to all but those that were left.
    fn act(&self, session: &Session, command: Command, brought: Brought<'_>) -> Result<Done, EngineError>;

    /// Answers a question with the finding of its kind.
    fn ask(&self, session: &Session, question: Question<'_>) -> Result<Finding, EngineError>;

    /// Decides about a presented token for a request that needs all of `wanted`, and notes its use.
    fn verify(&self, presented: &[u8], wanted: &[ScopeId]) -> Decision;

    /// What is held in memory. Nobody waits for it.
    fn snapshot(&self) -> Snapshot<'_>;

    /// Everything that happens from now on, whoever did it. A slow listener misses events and is told so; the
    /// state is always whole.
    fn subscribe(&self) -> broadcast::Receiver<News>;

    /// How the store is doing. Looks at the disk.
    fn condition(&self) -> Condition;

    /// Says that the token with this id was shown. It goes to the process that made it, without waiting: whatever is asked
    /// later is answered after it was heard. That process takes back what was shown to nobody when this one ends.
    fn shown(&self, token: PublicId) -> Result<(), EngineError>;

    /// Writes down what is only in memory: uses, the clock, the seal.
    fn settle(&self) -> Result<(), EngineError>;
}

/// How the store stands for whoever wants to change something: on what it cannot vouch for, nothing is built.
pub fn standing(engine: &dyn Engine) -> Standing {
    match engine.condition().health.standing {
        Standing::Writable if !engine.doubts().is_empty() => Standing::ReadOnly(
            "it is in doubt: nothing can be changed, and requests that it does not vouch for are refused"
                .into(),
        ),
        standing => standing,
    }
}

/// Takes back a key whose token nobody was shown; what was done for that.
///
/// # Errors
/// As of [`Engine::act`].
pub fn take_back(engine: &dyn Engine, session: &Session, back: Command) -> Result<Command, EngineError> {
    let Err(error) = engine.execute(session, back.clone()) else { return Ok(back) };
    let Some(other) = instead(&back, error.code()) else { return Err(error) };
    engine.execute(session, other.clone()).map(|_| other)
}
