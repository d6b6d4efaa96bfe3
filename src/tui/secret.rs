//! Text that must not linger: a token on its way to the screen or clipboard, a passphrase being typed.
//!
//! Both types zero themselves, print as dots in `Debug`, and have no `Display`, `Clone` or `Serialize`; whoever
//! needs the text says so by name. Nothing here reaches a log.

use std::fmt;

use unicode_segmentation::UnicodeSegmentation as _;
use zeroize::Zeroizing;

/// A whole secret, moved but never copied by accident.
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Takes over `text`; its memory is zeroed when this is dropped.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself, for the one who shows or copies it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// A second copy, equally guarded.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(…)")
    }
}

/// Bytes a typed secret may have. A passphrase of so many bytes is past any use, and an access token with all scopes
/// there are is shorter. The bound is what keeps the buffer from growing, and a buffer that grows leaves its old
/// self behind in freed memory.
pub const SECRET_CAPACITY: usize = 4096;

/// A secret being typed: one allocation for life, zeroed at the end.
pub struct SecretBuffer(Zeroizing<String>);

impl SecretBuffer {
    /// An empty buffer with its whole memory already taken.
    pub(crate) fn new() -> Self {
        Self(Zeroizing::new(String::with_capacity(SECRET_CAPACITY)))
    }

    /// Inserts `text` at byte `at`; what does not fit is refused as a whole.
    pub fn insert(&mut self, at: usize, text: &str) -> Result<(), SecretTooLong> {
        if self.0.len() + text.len() > SECRET_CAPACITY || !self.0.is_char_boundary(at) {
            return Err(SecretTooLong);
        }
        self.0.insert_str(at, text);
        Ok(())
    }

    /// Removes the bytes `from..to`, both on grapheme borders. The tail moves down; its old place is zeroed by
    /// refilling up to the former length.
    pub fn remove(&mut self, from: usize, to: usize) {
        if from >= to || to > self.0.len() || !self.0.is_char_boundary(from) || !self.0.is_char_boundary(to) {
            return;
        }
        let former = self.0.len();
        self.0.replace_range(from..to, "");
        let kept = self.0.len();
        self.0.extend(std::iter::repeat_n('\0', former - kept));
        self.0.truncate(kept);
    }

    /// The text so far.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// How many characters a person would count.
    pub fn graphemes(&self) -> usize {
        self.0.graphemes(true).count()
    }

    /// Hands the secret over and starts again empty.
    pub fn take(&mut self) -> SecretText {
        let fresh = Zeroizing::new(String::with_capacity(SECRET_CAPACITY));
        SecretText(std::mem::replace(&mut self.0, fresh))
    }
}

impl fmt::Debug for SecretBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBuffer(…)")
    }
}

/// The typed secret would outgrow its buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a secret may have at most {SECRET_CAPACITY} bytes; what you pasted is longer")]
pub struct SecretTooLong;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let mut buffer = SecretBuffer::new();
        buffer.insert(0, "hunter2").unwrap();
        assert_eq!(
            format!("{buffer:?} {:?}", SecretText::new("hunter2".into())).matches("hunter").count(),
            0
        );
    }

    #[test]
    fn the_buffer_never_moves_in_memory() {
        let mut buffer = SecretBuffer::new();
        let home = buffer.expose().as_ptr();
        for _ in 0..SECRET_CAPACITY {
            buffer.insert(0, "x").unwrap();
        }
        assert_eq!(buffer.insert(0, "x"), Err(SecretTooLong));
        assert_eq!(buffer.expose().as_ptr(), home);
        assert_eq!(buffer.expose().len(), SECRET_CAPACITY);
    }

    #[test]
    fn removing_keeps_the_rest() {
        let mut buffer = SecretBuffer::new();
        buffer.insert(0, "añb").unwrap();
        buffer.remove(1, 3);
        assert_eq!(buffer.expose(), "ab");
        buffer.remove(1, 9);
        assert_eq!(buffer.expose(), "ab");
        assert_eq!(buffer.take().expose(), "ab");
        assert_eq!(buffer.graphemes(), 0);
    }
}
