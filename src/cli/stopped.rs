//! How many keys a command stopped: what was done is half told without it.

use serde::Serialize;

/// What a command was about, as it is now, with what it stopped.
#[derive(Serialize)]
pub struct Stopped<T> {
    /// The record.
    #[serde(flatten)]
    pub about: T,
    /// Live keys that are refused from now on.
    pub keys_stopped: usize,
}

/// In words: `no live key`, `1 live key`, `12 live keys`.
pub fn live(keys: usize) -> String {
    match keys {
        0 => "no live key".to_owned(),
        1 => "1 live key".to_owned(),
        n => format!("{n} live keys"),
    }
}
