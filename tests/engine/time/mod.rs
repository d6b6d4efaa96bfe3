//! Time over long stretches: a year of ordinary days, and clocks that are wrong. Both are held against the reckoning that the
//! rules of time are tested with; it uses no more of the program than the names here.

#![expect(clippy::panic, reason = "a test stops where something happens that should not")]

mod clocks;
mod evidence;
mod year;

#[path = "../../../src/domain/decide/tests/lifecycle/reckoning.rs"]
mod reckoning;
#[path = "../../../src/domain/decide/tests/lifecycle/witness.rs"]
mod witness;

use keydeck::domain::lifecycle::Told;
use keydeck::domain::{Event, Key, KeyId, KeyState, Status, Timestamp};

use self::witness::Did;
