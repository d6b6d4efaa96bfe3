//! What a story of sample data is made of: a clock that comes from the past, and throws that are the same each time.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::domain::Timestamp;
use crate::engine::Origin;
use crate::engine::clock::{Clock, Reading};

/// Programs that call.
const PROGRAMS: [&str; 5] =
    ["curl/8.5.0", "python-requests/2.31", "okhttp/4.12", "Apache-HttpClient/5.3", "kiosk/2.1"];

/// A clock, some time ago.
pub struct PastClock {
    present: Arc<dyn Clock>,
    behind_ms: AtomicI64,
}

impl PastClock {
    /// `present`, so long ago.
    pub fn begin(present: Arc<dyn Clock>, behind_ms: i64) -> Arc<Self> {
        Arc::new(Self { present, behind_ms: AtomicI64::new(behind_ms) })
    }

    /// How long ago.
    pub fn behind(&self) -> i64 {
        self.behind_ms.load(Ordering::SeqCst)
    }

    /// So long ago from now on.
    pub fn set(&self, behind_ms: i64) {
        self.behind_ms.store(behind_ms, Ordering::SeqCst);
    }
}

impl Clock for PastClock {
    fn read(&self) -> Reading {
        let now = self.present.read();
        let behind = self.behind_ms.load(Ordering::SeqCst);
        Reading { wall: Timestamp(now.wall.0 - behind), since_boot: now.since_boot - behind }
    }

    fn boot(&self) -> String {
        self.present.boot()
    }
}

/// The same throws each time.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        // Knuth's MMIX generator.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides.max(1)
    }

    pub fn pick<'o, T>(&mut self, of: &'o [T]) -> Option<&'o T> {
        let at = self.roll(of.len() as u64);
        of.get(usize::try_from(at).unwrap_or(0))
    }

    pub fn caller(&mut self) -> Caller {
        let program = self.pick(&PROGRAMS).copied().unwrap_or_default();
        (u8::try_from(2 + self.roll(200)).unwrap_or(2), program)
    }
}

/// Where requests come from: the end of an address, and a program.
pub type Caller = (u8, &'static str);

/// As a request says it.
pub fn origin_of((last, program): Caller) -> Origin<'static> {
    Origin { address: Some(IpAddr::from([10, 1, 4, last])), agent: Some(program.as_bytes()) }
}
