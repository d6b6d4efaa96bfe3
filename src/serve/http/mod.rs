//! The HTTP server a proxy asks before it lets a request through. HTTP/1 only: TLS and HTTP/2 end at the proxy.
//!
//! - `listen`: accepting, connections, stopping. `endpoint`: where, over TCP or a socket file. `seat`: how long a connection
//!   may take. [`limits`]: every bound. `workers`: the threads.
//!   `target`: what the parser would leave out of an address.
//! - [`router`]: the table of all routes. `verify`: the answer to "may this request pass?", made of `lines` (the
//!   headers that matter), `credential` (exactly one, from one place), `path` (does it read in one way?), `ask` (which
//!   scopes, which profile), `gate` (the engine), `bearer` (who it is) and `reply` (what is said).
//! - `oauth`: access tokens; `credentials`: which app asks for them; `metadata`: what clients find by themselves.
//! - [`form`]: reading a small body, for endpoints that take one. [`metrics`], `health`, `process`: for whoever watches.
//!
//! Whatever goes wrong here is a refusal: an allow is written in one place, `reply::allow`, from a decision of the
//! engine that says so.

mod ask;
mod bearer;
mod credential;
mod credentials;
mod endpoint;
pub mod form;
mod gate;
mod health;
pub mod limits;
mod lines;
mod listen;
mod metadata;
pub mod metrics;
mod oauth;
mod path;
mod process;
pub mod reply;
pub mod router;
mod seat;
mod tally;
mod target;
mod verify;
mod workers;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub use self::ask::Profile;
pub use self::bearer::NAMES as IDENTITY;
pub(super) use self::credential::{Presented, read as read_credential};
pub use self::endpoint::{BadEndpoint, Bound, Endpoint};
pub(super) use self::gate::{address, is_slow};
pub use self::limits::Limits;
pub(super) use self::lines::Lines;
pub use self::listen::Server;
use self::metrics::Metrics;
use self::seat::Seats;
use self::tally::Tally;
pub use self::workers::{default_workers, runtime};
use crate::domain::Timestamp;
use crate::engine::{Engine as _, LocalEngine};
use crate::store::Standing;

/// What every request is answered with: the engine, and what the server knows of itself.
pub struct Front {
    /// Decides.
    pub engine: Arc<LocalEngine>,
    /// Counts.
    pub metrics: Metrics,
    /// Counts keys.
    tally: Tally,
    seats: Arc<Seats>,
    stopping: AtomicBool,
    /// When it began to answer.
    since: Timestamp,
}

impl Front {
    fn new(engine: Arc<LocalEngine>, limits: Limits) -> Self {
        Self {
            since: engine.now().time,
            engine,
            metrics: Metrics::default(),
            tally: Tally::default(),
            seats: Arc::new(Seats::new(limits)),
            stopping: AtomicBool::new(false),
        }
    }

    /// Why no new requests should be sent here, if that is so. For whoever asks: it names nothing of this machine.
    pub fn not_ready(&self) -> Option<&'static str> {
        if self.is_stopping() {
            Some("the server is stopping")
        } else if !self.engine.doubts().is_empty() {
            Some("the store cannot vouch for its keys")
        } else if self.engine.condition().health.standing != Standing::Writable {
            // What is denied from now on might come back with a restart.
            Some("the store cannot be written")
        } else {
            None
        }
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// The server goes away soon; from now on it is not ready.
    fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }
}
