//! What the engine promises on real stores: what was acknowledged holds, what was taken away stays away.

mod backups;
mod delivery;
mod denials;
mod each;
mod history;
mod imported_keys;
mod kinds;
mod library;
mod lockdowns;
mod owed;
mod promises;
mod report_only;
mod revocation;
mod rotation;
mod seals;
#[path = "../support/mod.rs"]
mod support;
mod sweeper;
mod sweeps;
mod tails;
mod time;
mod uses;
mod watched;
