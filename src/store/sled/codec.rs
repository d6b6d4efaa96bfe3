//! How rows and the ledger lie in the database, as bytes.
//!
//! The ledger is the store's own row: revision, and per family of keys how many rows there are and what their
//! checksums add up to. The database can quietly give back an older page after damage; a sum that no longer
//! adds up shows it, without keeping a second copy of anything.

use std::collections::BTreeMap;

use crate::store::rows::{Entry, Rev};

/// The layout of row values and of the ledger; anything else was written by a later version or is damage.
const FORMAT: u8 = 1;
/// `format | create_rev | mod_rev`, big-endian, in front of every value.
const HEAD: usize = 1 + 8 + 8;
/// A family is the key up to its first slash, when that comes this early.
const FAMILY_BYTES: usize = 8;
/// More families than this share one sum, so that strange keys cannot blow up the ledger.
const FAMILIES: usize = 32;

/// A stored value, split.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    pub(super) create_rev: Rev,
    pub(super) mod_rev: Rev,
    pub(super) value: &'a [u8],
}

impl<'a> Row<'a> {
    /// `None` when the bytes are no row.
    pub(super) fn decode(raw: &'a [u8]) -> Option<Self> {
        let (&format, rest) = raw.split_first()?;
        let (create_rev, rest) = take_u64(rest)?;
        let (mod_rev, value) = take_u64(rest)?;
        (format == FORMAT).then_some(Self { create_rev: Rev(create_rev), mod_rev: Rev(mod_rev), value })
    }

    pub(super) fn encode(self) -> Vec<u8> {
        let mut raw = Vec::with_capacity(HEAD + self.value.len());
        raw.push(FORMAT);
        raw.extend_from_slice(&self.create_rev.0.to_be_bytes());
        raw.extend_from_slice(&self.mod_rev.0.to_be_bytes());
        raw.extend_from_slice(self.value);
        raw
    }

    pub(super) fn to_entry(self) -> Entry {
        Entry { value: self.value.to_vec(), create_rev: self.create_rev, mod_rev: self.mod_rev }
    }
}

/// Rows of one family: how many, and the wrapping sum of their checksums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) rows: u64,
    pub(super) sum: u64,
}

impl Tally {
    pub(super) fn add(&mut self, key: &[u8], raw: &[u8]) {
        self.rows = self.rows.wrapping_add(1);
        self.sum = self.sum.wrapping_add(row_sum(key, raw));
    }

    fn remove(&mut self, key: &[u8], raw: &[u8]) {
        self.rows = self.rows.wrapping_sub(1);
        self.sum = self.sum.wrapping_sub(row_sum(key, raw));
    }
}

/// The revision of the store and the tallies of its families.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ledger {
    pub(super) rev: Rev,
    families: BTreeMap<Vec<u8>, Tally>,
}

impl Ledger {
    /// Enters the change of one row from `old` to `new`, both as stored.
    pub(super) fn enter(&mut self, key: &[u8], old: Option<&[u8]>, new: Option<&[u8]>) {
        let family = family(key);
        if !self.families.contains_key(family) && self.families.len() < FAMILIES {
            self.families.insert(family.to_vec(), Tally::default());
        }
        let home = if self.families.contains_key(family) { family } else { b"" };
        let tally = self.families.entry(home.to_vec()).or_default();
        if let Some(raw) = old {
            tally.remove(key, raw);
        }
        if let Some(raw) = new {
            tally.add(key, raw);
        }
    }

    /// The tally to expect under `prefix`, when it is the name of a family.
    pub(super) fn tally(&self, prefix: &[u8]) -> Option<Tally> {
        if prefix.is_empty() { None } else { self.families.get(prefix).copied() }
    }

    /// The tally of all rows together.
    pub(super) fn total(&self) -> Tally {
        let add =
            |a: Tally, b: &Tally| Tally { rows: a.rows.wrapping_add(b.rows), sum: a.sum.wrapping_add(b.sum) };
        self.families.values().fold(Tally::default(), add)
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut raw = vec![FORMAT];
        raw.extend_from_slice(&self.rev.0.to_be_bytes());
        for (family, tally) in &self.families {
            // A family's name is at most FAMILY_BYTES long.
            raw.push(u8::try_from(family.len()).unwrap_or(u8::MAX));
            raw.extend_from_slice(family);
            raw.extend_from_slice(&tally.rows.to_be_bytes());
            raw.extend_from_slice(&tally.sum.to_be_bytes());
        }
        raw
    }

    /// `None` when the bytes are no ledger.
    pub(super) fn decode(raw: &[u8]) -> Option<Self> {
        let (&format, rest) = raw.split_first()?;
        let (rev, mut rest) = take_u64(rest)?;
        let mut families = BTreeMap::new();
        while let Some((&len, after)) = rest.split_first() {
            let (family, after) = after.split_at_checked(usize::from(len))?;
            let (rows, after) = take_u64(after)?;
            let (sum, after) = take_u64(after)?;
            families.insert(family.to_vec(), Tally { rows, sum });
            rest = after;
        }
        (format == FORMAT).then_some(Self { rev: Rev(rev), families })
    }
}

/// The key up to and including its first slash; empty when there is none early on.
fn family(key: &[u8]) -> &[u8] {
    let head = key.get(..FAMILY_BYTES).unwrap_or(key);
    let slash = head.iter().position(|byte| *byte == b'/');
    slash.and_then(|at| head.get(..=at)).unwrap_or_default()
}

/// A checksum of one stored row. It covers accidents; whoever forges rows is the sealing's concern.
fn row_sum(key: &[u8], raw: &[u8]) -> u64 {
    let words = (u64::from(crc32fast::hash(key)) << 32) | u64::from(crc32fast::hash(raw));
    // CRC is linear: two rows that revert by the same difference would cancel out in the sum. Mixing in the
    // revision, which differs for every version of a row, and scrambling the word takes that away.
    let revision = Row::decode(raw).map_or(0, |row| row.mod_rev.0);
    scramble(words ^ scramble(revision))
}

/// The finaliser of `SplitMix64` (Steele, Lea, Flood 2014): every input bit reaches every output bit.
fn scramble(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

fn take_u64(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (word, rest) = bytes.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*word), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(create: u64, changed: u64, value: &[u8]) -> Vec<u8> {
        Row { create_rev: Rev(create), mod_rev: Rev(changed), value }.encode()
    }

    #[test]
    fn rows_and_ledgers_come_back_as_they_went_in_and_scraps_do_not() {
        let bytes = raw(3, 9, b"value");
        let row = Row::decode(&bytes).unwrap();
        assert_eq!((row.create_rev, row.mod_rev, row.value), (Rev(3), Rev(9), b"value".as_slice()));
        assert!(Row::decode(&bytes[..HEAD - 1]).is_none());
        assert!(Row::decode(&[&[2], &bytes[1..]].concat()).is_none());

        let mut ledger = Ledger { rev: Rev(9), ..Ledger::default() };
        ledger.enter(b"k/1", None, Some(&bytes));
        ledger.enter(b"plain", None, Some(&bytes));
        let stored = ledger.encode();
        assert_eq!(Ledger::decode(&stored), Some(ledger));
        assert_eq!(Ledger::decode(&stored[..stored.len() - 1]), None);
        assert_eq!(Ledger::decode(b""), None);
    }

    #[test]
    fn two_rows_that_revert_by_the_same_difference_still_break_the_sum() {
        let (mut now, mut reverted) = (Ledger::default(), Ledger::default());
        for key in [b"k/1".as_slice(), b"k/2"] {
            now.enter(key, None, Some(&raw(1, 5, b"revoked")));
            reverted.enter(key, None, Some(&raw(1, 2, b"active!")));
        }
        assert_ne!(now.tally(b"k/"), reverted.tally(b"k/"));
        assert_eq!(now.total().rows, reverted.total().rows);
    }

    #[test]
    fn a_row_leaves_the_tally_as_it_came() {
        let mut ledger = Ledger::default();
        ledger.enter(b"k/1", None, Some(&raw(1, 1, b"a")));
        let before = ledger.clone();
        ledger.enter(b"k/2", None, Some(&raw(2, 2, b"b")));
        ledger.enter(b"k/2", Some(&raw(2, 2, b"b")), Some(&raw(2, 3, b"c")));
        ledger.enter(b"k/2", Some(&raw(2, 3, b"c")), None);
        assert_eq!(ledger, before);
    }

    #[test]
    fn strange_keys_cannot_blow_up_the_ledger() {
        let mut ledger = Ledger::default();
        for n in 0..1000_u64 {
            ledger.enter(format!("{n:x}/").as_bytes(), None, Some(&raw(n, n, b"")));
        }
        assert!(ledger.encode().len() < 1024);
        assert_eq!(ledger.total().rows, 1000);
    }
}
