//! The command line as people and scripts meet it: the real program, in homes of its own, told by the words they
//! type. `desk` is the person at the machine; each other file is a part of their life.

#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]
#![expect(clippy::panic, reason = "a test stops where something is not as it must be")]

mod apps;
mod audit;
mod backup;
mod changes;
mod clocks;
mod day;
mod decoys;
mod delivery;
mod demos;
mod imports;
mod lockdowns;
mod many;
mod people;
mod red;
mod report;
mod report_only;
mod rotation;
mod scan;
mod scanners;
mod shell;
mod terminal;
mod trouble;
mod verify;
mod words;
