//! The control socket: sled admits one process, and all others attach to it. The process that owns the store offers
//! a Unix socket in the data directory; another signs in through it with the operator's own secret and gets an
//! [`crate::engine::Engine`] that behaves like the owner's. Who may what is decided by the owner alone, with the same
//! rules at the same place; an attached process holds only what its operator may see, without any digest.
//!
//! - `frame`, `wire`: bytes and messages. `lines`: how the health of a store travels, `fault`: how errors do.
//! - `visible`: what may be sent to whom. `guest`: one attached process, `requests`: what it asks. [`server`]: the socket and its threads.
//! - [`client`]: the other side; `remote`: its engine, `replica`: what it holds.

pub mod client;
mod fault;
mod frame;
#[doc(hidden)]
pub mod fuzzing;
mod guest;
mod lines;
mod place;
mod remote;
mod replica;
mod requests;
pub mod server;
mod visible;
mod wire;

pub use self::client::{Owner, RemoteEngine};
pub use self::place::{SOCKET_FILE, knock, try_offer};
pub use self::server::{Control, ControlError, Settings};
