//! What other programs speak to: proxies over HTTP, and other keydeck processes through a socket.
//!
//! - [`http`]: `/verify` and its neighbours. Nothing there changes a store; management is never on that listener.
//! - [`guide`]: the proxy configurations that go with it, ready to paste, and the ones the tests run.
//! - [`library`]: verification inside another Rust program; `layer`, with feature `tower`: in front of a service.
//! - [`control`]: the socket through which the command line and the console attach to a store that is open elsewhere.
//! - [`door`]: opens a store, or attaches to the process that has it. `socket_file`: what both sockets share.

pub mod control;
pub mod door;
pub mod guide;
pub mod http;
#[cfg(feature = "tower")]
pub mod layer;
pub mod library;
mod socket_file;
