//! What the verification table is made of: pages of memory, each with slots and the names that belong to them.
//!
//! At a million keys the table is larger than what a processor remembers of where pages are, so that finding the page
//! costs more than reading from it. All that is asked about a key therefore stands on one page.

use std::sync::atomic::{AtomicU16, AtomicU32};

use prefetch_index::prefetch_index;
use zerocopy::{FromBytes, IntoBytes, KnownLayout};

use crate::crypto::digest;
use crate::domain::{Expiry, Timestamp};

/// Slots of a page: as many as fit with their names.
pub const ROWS: usize = 42;

/// One page of memory. All bytes zero, its slots are empty.
#[repr(C, align(4096))]
#[derive(FromBytes, IntoBytes, KnownLayout)]
pub struct Page {
    /// What decides.
    pub slots: [Slot; ROWS],
    /// Of the key in the slot at the same place: the one thing a caller is told that no other key shares.
    pub names: [Label; ROWS],
    rest: [u8; 64],
}

impl Default for Page {
    fn default() -> Self {
        Self {
            slots: std::array::from_fn(|_| Slot::default()),
            names: [Label::default(); ROWS],
            rest: [0; 64],
        }
    }
}

/// Slots asked for at once: of ten keys nine live in one of them when the table is as full as it gets at the start.
const TOUCHED: usize = 4;

impl Page {
    /// Asks for a slot and those after it, and for their names, without waiting for them.
    pub fn touch(&self, row: usize) {
        for row in row..(row + TOUCHED).min(ROWS) {
            prefetch_index(self.slots.as_slice(), row);
        }
        // Two to a line.
        prefetch_index(self.names.as_slice(), row);
        prefetch_index(self.names.as_slice(), row + 2);
    }
}

/// One line of memory: all that decides, and what notes a use.
#[repr(C, align(64))]
#[derive(Default, FromBytes, IntoBytes, KnownLayout)]
pub struct Slot {
    /// Of the whole token.
    pub digest: [u8; digest::LEN],
    /// The key.
    pub id: [u8; 12],
    /// The last use in seconds since 1970.
    pub last: AtomicU32,
    /// How many there were since they were written down last. Four thousand million of one key between two settlings
    /// would start the count anew, and lose nothing but the number.
    pub uses: AtomicU32,
    /// Which scopes were needed since then: bit n for the nth of the key's set.
    pub needed: AtomicU16,
    /// Where its terms are.
    pub terms: TermsIndex,
    /// When it stops working.
    pub expires: Deadline,
    /// What made the digest.
    pub pepper: u8,
    /// Four bits each: the kind, of which 0 marks an empty slot, and what closes it.
    pub kind_and_closed: u8,
}

impl Slot {
    /// Whether no key lives here.
    pub const fn is_empty(&self) -> bool {
        self.kind_and_closed == 0
    }
}

/// An index into the terms of a table, in three bytes: more terms than anybody has keys in one table.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, KnownLayout)]
#[repr(transparent)]
pub struct TermsIndex([u8; 3]);

impl TermsIndex {
    /// Of an index.
    pub fn of(index: u32) -> Self {
        // Beyond what fits there are no terms, and a key without them is refused.
        let [_, bytes @ ..] = index.min(0xFF_FFFF).to_be_bytes();
        Self(bytes)
    }

    /// The index.
    pub const fn index(self) -> u32 {
        let [high, mid, low] = self.0;
        u32::from_be_bytes([0, high, mid, low])
    }
}

/// An expiry in five bytes, so that a slot is one line: milliseconds since 2020, good until 2054; lives are bounded
/// to ten years.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, KnownLayout)]
#[repr(transparent)]
pub struct Deadline([u8; 5]);

impl Deadline {
    const BASE: i64 = 1_577_836_800_000;
    const NEVER: i64 = (1 << 40) - 1;

    /// Of an expiry.
    pub fn of(expiry: Expiry) -> Self {
        // Out of range is brought in, which can only make a key expire early.
        let ms = expiry
            .instant()
            .map_or(Self::NEVER, |at| at.0.saturating_sub(Self::BASE).clamp(0, Self::NEVER - 1));
        let [_, _, _, bytes @ ..] = ms.to_be_bytes();
        Self(bytes)
    }

    /// The expiry.
    pub fn expiry(self) -> Expiry {
        match self.0.iter().fold(0, |ms, byte| ms << 8 | i64::from(*byte)) {
            Self::NEVER => Expiry::Never,
            ms => Expiry::At(Timestamp(Self::BASE + ms)),
        }
    }
}

/// Bytes of a name that fit; most do.
const NAME_BYTES: usize = 31;
/// Stands in the place of a length for a name that is kept elsewhere.
const LISTED: u8 = u8::MAX;

/// A name, or where in a list a longer one is.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, KnownLayout)]
#[repr(C, align(32))]
pub struct Label {
    length: u8,
    text: [u8; NAME_BYTES],
}

impl Label {
    /// A name that fits.
    pub fn of(name: &str) -> Option<Self> {
        let (mut text, length) = ([0; NAME_BYTES], u8::try_from(name.len()).ok()?);
        text.get_mut(..name.len())?.copy_from_slice(name.as_bytes());
        Some(Self { length, text })
    }

    /// The nth of the list.
    pub fn listed(nth: u32) -> Self {
        let mut text = [0; NAME_BYTES];
        let [a, b, c, d, ..] = &mut text;
        [*a, *b, *c, *d] = nth.to_be_bytes();
        Self { length: LISTED, text }
    }

    /// The name, or its place in the list.
    pub fn read(&self) -> Result<&str, usize> {
        if self.length == LISTED {
            let [a, b, c, d, ..] = self.text;
            return Err(u32::from_be_bytes([a, b, c, d]) as usize);
        }
        let text = self.text.get(..usize::from(self.length)).unwrap_or_default();
        Ok(str::from_utf8(text).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_one_page_and_a_slot_one_line() {
        assert_eq!((size_of::<Page>(), align_of::<Page>()), (4096, 4096));
        assert_eq!((size_of::<Slot>(), align_of::<Slot>()), (64, 64));
        let page = Page::default();
        let start = std::ptr::from_ref(&page).addr();
        let end = std::ptr::from_ref(&page.names[ROWS - 1]).addr() + size_of::<Label>();
        assert!(end - start <= 4096);
    }

    #[test]
    fn a_name_that_fits_is_here_and_another_elsewhere() {
        for name in ["", "Nightly export", "日本 🦊", "123456789 123456789 123456789 1"] {
            assert_eq!(Label::of(name).unwrap().read(), Ok(name));
        }
        assert!(Label::of("123456789 123456789 123456789 12").is_none());
        assert!(Label::of(&"x".repeat(300)).is_none());
        for nth in [0, 7, u32::MAX] {
            assert_eq!(Label::listed(nth).read(), Err(nth as usize));
        }
    }

    #[test]
    fn an_expiry_keeps_its_millisecond_and_is_never_late() {
        for ms in [1_577_836_800_000, 1_790_000_000_001, 2_105_395_200_000] {
            let at = Expiry::At(Timestamp(ms));
            assert_eq!(Deadline::of(at).expiry(), at);
        }
        assert_eq!(Deadline::of(Expiry::Never).expiry(), Expiry::Never);
        for ms in [i64::MIN, 0, i64::MAX] {
            let Expiry::At(at) = Deadline::of(Expiry::At(Timestamp(ms))).expiry() else {
                panic!("{ms} became never")
            };
            assert!(at.0 <= ms.max(Deadline::BASE));
        }
    }
}
