//! The control socket: while one process has the store, all others attach to it. A real store in a real directory, a
//! real socket, and where it matters the real program.
//!
//! - `house`: a store, its owner, and people who attach. `attached`: everything works as if it were one's own.
//! - `rights`: who may and who sees what; nothing else is in the bytes. `hostile`: garbage, strangers, guessing.
//! - `gone`: the owner ends, in all ways. `unshown`: who attached ends before a secret was shown. `program`: the command line and the console, attached. `tail`: watching.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where a promise breaks")]

mod attached;
mod gone;
mod hostile;
mod house;
mod program;
mod rights;
mod tail;
mod unshown;
