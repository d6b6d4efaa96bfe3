//! What a store must live through: killed processes, power cuts, full and foreign disks; and its system calls seen
//! from outside.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may stop, and says what it did or what it needs"
)]

mod child;
mod crash;
mod denials;
mod disk;
mod kept;
mod powercut;
mod rounds;
mod system;
mod trace;
