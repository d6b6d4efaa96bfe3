//! keydeck: issue, scope, hand over, watch and revoke the API keys of an agency's platform.
//!
//! To a Rust service it is [`Verifier`]: it opens the store inside the service and says of each request whose key it
//! carries ([`Identity`]) or why it may not pass ([`Refused`]). Without the default feature `console` nothing of the
//! program comes along; feature `tower` adds `VerifyLayer`, which stands in front of a service and does the asking.
//!
//! The house. A folder may use those below it in this list and never one above:
//!
//! - `cli`: the command line, one file per command family, text and `--json`.
//! - `tui`: the console: loop, actions, router, overlays, screens, widgets, theme, clipboard.
//! - `serve`: what other programs speak to: HTTP for proxies, and the control socket that the command line and the
//!   console attach to.
//! - `deliver`: notices beyond the screen, by channels set up on this machine.
//! - `engine`: the imperative shell: runs commands against a store, verifies, records use.
//! - `store`: the ordered key-value trait; sled behind it with our durability rules; memory for tests.
//! - `crypto`: token format, digests, passphrases, slots, sealing.
//! - `domain`: keys, locations, operators, scopes, policy, audit; `decide` and `apply`. No I/O, no clock,
//!   no randomness.
//!
//! Below them all, `files`: small files that somebody else may have put there.
//!
//! The flow. A key press becomes an action, a finished form a `Command`; the engine asks the pure
//! `domain::decide`, seals the changed records and one audit entry into one durable batch, then applies the
//! events to its state and tells whoever listens. The command line takes the same road. So there is one place
//! that authorises, one that validates, one that writes.

#[cfg(feature = "console")]
#[doc(hidden)]
pub mod cli;
#[doc(hidden)]
pub mod crypto;
#[doc(hidden)]
pub mod deliver;
#[doc(hidden)]
pub mod domain;
#[doc(hidden)]
pub mod engine;
mod files;
#[doc(hidden)]
pub mod serve;
#[doc(hidden)]
pub mod store;
#[cfg(feature = "console")]
#[doc(hidden)]
pub mod tui;

pub use crypto::passphrase::Passphrase;
pub use domain::{AppId, Bearer, KeyId, LocationId, Name, Reason, ScopeId, SourceApp, UserType};
pub use engine::open::{Key, Options};
pub use engine::{OpenError, Origin, Via};
#[cfg(feature = "tower")]
pub use serve::layer::{Verify, VerifyLayer};
pub use serve::library::{Identity, Refused, Verifier};
