//! What must hold for any bytes at all that somebody sends to the control socket: entry points for fuzzers and
//! property tests, no part of the API.

use super::frame::{self, REQUEST_MAX};
use super::wire::{Ask, Said};

/// A frame is refused or read, a request is refused or understood; nothing panics, nothing large is allocated.
pub fn request(bytes: &[u8]) {
    let mut from = bytes;
    let _ = frame::greeting(&mut from);
    let mut from = bytes;
    while let Ok(Some(content)) = frame::read(&mut from, REQUEST_MAX) {
        let _ = frame::message::<Ask<'_>>(&content);
        let _ = frame::message::<Said<'_>>(&content);
    }
    let _ = frame::message::<Ask<'_>>(bytes);
    let _ = frame::message::<Said<'_>>(bytes);
}
