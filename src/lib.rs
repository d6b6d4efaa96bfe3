//! keydeck: issue, scope, hand over, watch and revoke the API keys of an agency's platform.
//!
//! The house. A folder may use those below it in this list and never one above:
//!
//! - `cli`: the command line, one file per command family, text and `--json`.
//! - `tui`: the console: loop, actions, router, overlays, screens, widgets, theme, clipboard.
//! - `serve`: what other programs speak to: HTTP for proxies, and the control socket that the command line and the
//!   console attach to.
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

pub mod cli;
pub mod crypto;
pub mod domain;
pub mod engine;
mod files;
pub mod serve;
pub mod store;
pub mod tui;

pub use serve::library::{Identity, Refused, Verifier};
