//! Secrets whose characters take two or four bytes each where no mark says so: in files that some systems write, and in such
//! strings in the midst of other bytes. All of a secret is ASCII, so whether low bytes come first or last, between two of its
//! characters stand one or three zeros: one search finds both orders. A text without zeros has none.

use memchr::{memchr, memmem};
use zeroize::Zeroizing;

use super::{Hit, Kind, PREFIX, REACH, hit};

/// Bytes that a character takes, and the mark all secrets begin with in that width.
const WIDTHS: [(usize, &[u8]); 2] = [(2, b"k\0d"), (4, b"k\0\0\0d")];

/// Whether such a secret begins at a place is told by as many bytes from there on.
pub const WIDE_REACH: usize = 4 * REACH;

/// A place where a secret may begin whose characters take so many bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wide {
    /// Where.
    pub start: usize,
    width: usize,
}

/// Where such secrets may begin before `before`, in order.
pub fn candidates(text: &[u8], before: usize) -> Vec<Wide> {
    let mut all = Vec::new();
    if memchr(0, text).is_some() {
        for (width, mark) in WIDTHS {
            let starts = text.get(..before.saturating_add(mark.len() - 1)).unwrap_or(text);
            let found = memmem::find_iter(starts, mark).map(|start| Wide { start, width });
            all.extend(found.filter(|wide| Kind::of(&wide.narrow(text, PREFIX)).is_some()));
        }
        all.sort_unstable();
    }
    all
}

impl Wide {
    /// Tells the secret that begins there, if one does.
    pub fn tell(self, text: &[u8], tell: impl FnOnce(&Hit<'_>)) {
        let narrow = self.narrow(text, REACH);
        if let Some(found) = hit(&narrow, 0) {
            tell(&Hit { start: self.start, ..found });
        }
    }

    /// At most so many of the characters from there on, a byte each, as long as zeros stand between them.
    fn narrow(self, text: &[u8], most: usize) -> Zeroizing<Vec<u8>> {
        let mut narrow = Zeroizing::new(Vec::with_capacity(most));
        let mut at = self.start;
        while let Some(byte) = text.get(at).filter(|_| narrow.len() < most) {
            narrow.push(*byte);
            match text.get(at + 1..at + self.width) {
                Some(between) if between.iter().all(|byte| *byte == 0) => at += self.width,
                _ => break,
            }
        }
        narrow
    }
}
