//! What other programs speak to: proxies over HTTP, and other keydeck processes through a socket.
//!
//! - [`http`]: `/verify` and its neighbours. Nothing there changes a store; management is never on that listener.
//! - [`guide`]: the proxy configurations that go with it, ready to paste, and the ones the tests run.
//! - [`control`]: the socket through which the command line and the console attach to a store that is open elsewhere.
//! - [`door`]: opens a store, or attaches to the process that has it.

pub mod control;
pub mod door;
pub mod guide;
pub mod http;
