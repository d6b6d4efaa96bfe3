//! What other programs speak to while `keydeck serve` runs: the HTTP side that proxies ask about each request.
//!
//! - [`http`]: `/verify` and its neighbours. Nothing there changes a store; management is never on that listener.
//! - [`guide`]: the proxy configurations that go with it, ready to paste, and the ones the tests run.

pub mod guide;
pub mod http;
