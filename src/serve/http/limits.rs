//! Every bound of the server. A stranger can reach `/verify` through any proxy, so each of these is the answer to
//! somebody who sends more, slower or longer than a request needs.

use std::time::Duration;

/// Bytes of request line and headers together; more is 431. As much as nginx takes from a client by default.
pub const HEAD_BYTES: usize = 32 * 1024;
/// Headers of one request; more is 431. The parser keeps room for just as many on the stack.
pub const HEADERS: usize = 100;
/// Bytes of path and query; more is 414.
pub const URI_BYTES: usize = 8 * 1024;
/// Scopes one request may ask for; more is refused.
pub const WANTED_SCOPES: usize = 32;
/// Bytes of a form; more is 413. `/verify` reads no body at all.
pub const FORM_BYTES: usize = 8 * 1024;

/// How many connections, and how long each may take. The defaults are what serves; tests wait less.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From the first byte of a request, or from the connection's start, to the end of its headers.
    pub head: Duration,
    /// Between two requests.
    pub idle: Duration,
    /// From the end of the headers to the answer, a form included.
    pub answer: Duration,
    /// Connections at a time. One more takes the place of whoever has kept the server waiting longest; when all of
    /// them are being answered it is closed.
    pub connections: usize,
    /// From the order to stop to the last answer.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            answer: Duration::from_secs(10),
            connections: 4_096,
            drain: Duration::from_secs(5),
        }
    }
}

impl Limits {
    /// How often connections are looked through: often enough to be at most a tenth late.
    pub(super) fn tick(&self) -> Duration {
        (self.head.min(self.idle).min(self.answer) / 10)
            .clamp(Duration::from_millis(10), Duration::from_secs(1))
    }
}
