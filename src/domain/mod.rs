//! The rules of keydeck, and nothing but rules: what a key is, who may do what, which command leads to which
//! events. Everything here is a pure function of its arguments: no I/O, no clock, no randomness, no async.
//! Time, the actor and fresh random ids come in through [`Context`].
//!
//! - [`id`], [`name`], [`contact`], [`time`]: the small types that carry a rule each.
//! - [`scope`], [`catalog`]: permissions and the file that defines them.
//! - [`agency`], [`operator`], [`location`], [`app`], [`key`], [`policy`], [`signing`]: the records a store holds
//!   ([`record`]).
//! - [`state`]: all of them together, the keys on a `shelf`, with an `index` of names and lives; [`view`]: what one operator may see of it.
//! - [`authorize()`]: the one place that says who may do what.
//! - [`command`] → [`decide()`] → [`event`]: the one way a state changes.
//! - [`lockdown`]: everything of somebody or something refused at once.
//! - [`lineage`]: keys that take over from one another; [`motive`]: why one was revoked.
//! - [`lifecycle`]: what is due by time: notices, deletions, purges.
//! - `coming`: what time brings until a moment.
//! - [`notice`]: the board that tells of it; [`delivery`]: who is told of it beyond the screen.
//! - [`review`]: which keys may do more than they need, or should not be there; [`report_only`]: what fewer scopes would refuse.
//! - [`preview`]: what a change of the policy would touch; [`blast`]: what stops with a key or an app.
//! - [`aftermath`]: what a wrong clock left behind.
//! - [`trace`]: where a key was used from and what for; [`history`]: how often, by the hour and the day.
//! - [`tail`]: requests as they arrive, for whoever watches.
//! - [`verdict`]: allow or deny of a presented token, and why; [`proof`]: what is refused because nobody vouches for it.
//! - `report`: how many keys and apps there are, by state, age, end, use and risk.
//! - `sheet`: the names in a table that somebody made elsewhere. `filter`: what is asked of a list, in one line.
//! - [`audit`]: what an entry of the audit chain says.

pub mod aftermath;
pub mod agency;
pub mod app;
pub mod audit;
pub mod authorize;
pub mod basis;
pub mod blast;
pub mod catalog;
#[cfg(feature = "console")]
pub mod coming;
pub mod command;
pub mod contact;
pub mod decide;
pub mod decoy;
pub mod delivery;
pub mod event;
#[cfg(feature = "console")]
pub mod filter;
pub mod handover;
pub mod history;
pub mod id;
mod index;
pub mod invisible;
pub mod key;
pub mod knock;
pub mod lifecycle;
pub mod lineage;
pub mod location;
pub mod lockdown;
pub mod motive;
pub mod name;
pub mod notice;
pub mod operator;
pub mod policy;
pub mod preview;
pub mod proof;
pub mod record;
pub mod refusal;
#[cfg(feature = "console")]
pub mod report;
pub mod report_only;
pub mod review;
pub mod scope;
#[cfg(feature = "console")]
pub mod sheet;
mod shelf;
pub mod signing;
pub mod state;
pub mod tail;
pub mod time;
pub mod trace;
pub mod undo;
mod usage;
mod used;
pub mod verdict;
pub mod view;

pub use aftermath::Aftermath;
pub use agency::Agency;
pub use app::{App, AppStatus, Profile, SourceApp, Terms, TokenAlg, Url, UserType};
pub use authorize::{Access, Action, Actor, authorize};
pub use catalog::Catalog;
pub use command::{Command, CommandKind, Context, KeysAfter, Minted, NewApp, NewKey};
pub use contact::{Contact, Contacts};
pub use decide::{decide, decide_each};
pub use event::Event;
pub use id::{AppId, KeyId, LocationId, OperatorId, PublicId};
pub use key::{Audience, Imported, Key, KeyState, Outside, Place, Status, Verifier};
pub use lifecycle::{Cycle, Grounds, Hold};
pub use lineage::{Counted, Grace, Halves, Rotation, Superseded};
pub use location::Location;
pub use lockdown::{Extent, Lockdown};
pub use motive::{Motive, Why};
pub use name::{Name, Note};
pub use operator::{Operator, Role, Standing};
pub use policy::Policy;
pub use proof::Proof;
pub use record::{HeaderMark, Record, RecordKey};
pub use refusal::Refusal;
pub use report_only::ReportOnly;
pub use scope::{ScopeId, Scopes};
pub use state::State;
pub use time::{Expiry, Timestamp};
pub use trace::Trace;
pub use usage::{LastUse, Usage};
pub use verdict::{Bearer, Decision, Reason};
pub use view::View;
