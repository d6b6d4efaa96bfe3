//! What other processes speak to.
//!
//! - [`control`]: the socket through which the command line and the console attach to a store that is open elsewhere.
//! - [`door`]: opens a store, or attaches to the process that has it.

pub mod control;
pub mod door;
