//! Whether the rows of a database are those its ledger knows of.

use super::codec::{Ledger, Row, Tally};
use super::live::Live;
use crate::store::error::StoreError;

/// Reads every row. `Err` when one cannot be read or they do not add up.
pub(super) fn adds_up(live: &Live, ledger: &Ledger) -> Result<(), StoreError> {
    let mut found = Tally::default();
    for row in live.rows(b"", None) {
        let (key, raw) = row?;
        if Row::decode(&raw).is_none() {
            return Err(unreadable(&key));
        }
        found.add(&key, &raw);
    }
    compare(b"", found, ledger.total())
}

/// `Err` when the rows found under `prefix` are not those expected.
pub(super) fn compare(prefix: &[u8], found: Tally, expected: Tally) -> Result<(), StoreError> {
    if found == expected {
        return Ok(());
    }
    let place = if prefix.is_empty() { "it".into() } else { String::from_utf8_lossy(prefix) };
    Err(StoreError::Damaged(if found.rows == expected.rows {
        format!("some of the {} rows in {place} are not as they were last written", found.rows)
    } else {
        format!("{} rows were found in {place} where there should be {}", found.rows, expected.rows)
    }))
}

/// The error for a row whose bytes are no row.
pub(super) fn unreadable(key: &[u8]) -> StoreError {
    StoreError::Damaged(format!("the row {:?} cannot be read", String::from_utf8_lossy(key)))
}
