//! Rows as callers see them: revisions, entries, key ranges, pages. Plain values, no behaviour that can fail.

use std::fmt;

/// A revision: the number of effective commits a store has seen. 0 is the empty store.
///
/// Each commit that changes something gets the next revision, and all its rows carry it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rev(pub u64);

impl Rev {
    /// The revision after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Rev {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The value under a key, with the revisions that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The bytes that were put.
    pub value: Vec<u8>,
    /// The commit that put the key when it was absent.
    pub create_rev: Rev,
    /// The commit that put the key last.
    pub mod_rev: Rev,
}

/// A half-open range of keys in byte order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    /// The first key that may be in the range.
    pub from: Vec<u8>,
    /// The first key that is no longer in it; `None` runs to the end.
    pub to: Option<Vec<u8>>,
}

impl KeyRange {
    /// Every key of the store.
    #[must_use]
    pub fn all() -> Self {
        Self { from: Vec::new(), to: None }
    }

    /// Every key that starts with `prefix`.
    #[must_use]
    pub fn prefix(prefix: &[u8]) -> Self {
        Self { from: prefix.to_vec(), to: after_prefix(prefix) }
    }

    /// Keys from `from` up to and without `to`.
    #[must_use]
    pub fn between(from: &[u8], to: &[u8]) -> Self {
        Self { from: from.to_vec(), to: Some(to.to_vec()) }
    }

    /// Whether `key` lies in the range.
    #[must_use]
    pub fn contains(&self, key: &[u8]) -> bool {
        key >= self.from.as_slice() && self.to.as_deref().is_none_or(|to| key < to)
    }

    /// Whether no key can lie in the range.
    pub(super) fn is_void(&self) -> bool {
        self.to.as_ref().is_some_and(|to| to <= &self.from)
    }
}

/// The first key behind all keys that start with `prefix`; `None` when nothing can follow.
fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut end = prefix.get(..=last)?.to_vec();
    if let Some(byte) = end.last_mut() {
        *byte += 1;
    }
    Some(end)
}

/// One page of a range, all of it from one revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Keys and entries, in the order asked for.
    pub rows: Vec<(Vec<u8>, Entry)>,
    /// Where the next page goes on (hand it back as `after` or `before`); `None` when the range is exhausted.
    pub next: Option<Vec<u8>>,
    /// The store's revision when the page was read. Pages with different revisions are not one picture.
    pub rev: Rev,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_where_no_longer_key_can_start_with_it() {
        assert_eq!(KeyRange::prefix(b"k/").to.as_deref(), Some(b"k0".as_slice()));
        assert_eq!(KeyRange::prefix(b"a\xff\xff").to.as_deref(), Some(b"b".as_slice()));
        assert_eq!(KeyRange::prefix(b"\xff").to, None);
        assert_eq!(KeyRange::prefix(b"").to, None);
        assert!(KeyRange::prefix(b"a\xff").contains(b"a\xff\xff\x01"));
        assert!(!KeyRange::prefix(b"a\xff").contains(b"b"));
    }
}
