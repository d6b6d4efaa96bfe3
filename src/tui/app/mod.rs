//! The console of keydeck itself: what is on the desk, who may ask for what, and how a wish becomes work.
//!
//! - [`look`]: what screens and overlays may look at. [`ask`]: what they may ask for, and what comes back.
//! - [`console`]: the model the runtime runs: the door, or the desk behind it.
//! - [`door`]: first start, sign-in and the locked screen. [`kept`]: forms that wait behind it.
//! - [`desk`]: the open console: tabs, overlays, notes, status. [`due`]: what its status line warns of.
//! - [`custody`]: secrets that nobody has yet.
//! - [`effect`]: what the console orders. [`worker`]: performs jobs on the engine and the clipboard. [`entry`]: the ways into a store.
//! - [`testing`]: an open console on sample data, for tests.
//! - [`habits`]: how an operator left the console, remembered.
//! - [`times`]: times as people read them.

pub mod ask;
pub mod console;
pub mod custody;
pub mod desk;
pub mod door;
pub mod due;
pub mod effect;
pub mod entry;
pub mod habits;
pub mod kept;
pub mod look;
#[doc(hidden)]
pub mod testing;
pub mod times;
pub mod worker;
