//! What several tests share: a person at a machine, in a terminal, over HTTP. No test binary needs all of it.

#![allow(dead_code, reason = "what is unused differs from one binary to the next")]
#![allow(clippy::allow_attributes, reason = "an expectation would be disappointed where all of it is used")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where something is not as it must be")]

pub mod child;
pub mod day;
pub mod desk;
pub mod dice;
pub mod http;
pub mod pty;
pub mod wait;
