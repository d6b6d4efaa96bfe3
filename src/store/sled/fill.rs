//! A database made row by row as another one was: values, revisions and the sums over them. For putting a store back from a
//! backup, and for nothing else: a row comes at the revision it had, which no commit can do.

use std::path::Path;

use super::codec::{Ledger, Row};
use super::directory::DataDir;
use super::live::Live;
use super::lock::DirLock;
use super::open::{Opening, Ready};
use crate::store::contract::{RESERVED_KEY, RowView, limits};
use crate::store::error::{OpenError, StoreError};
use crate::store::rows::Rev;
use crate::store::seal::{Seal, SealFile};

/// A store that is being made. It is none before [`Filling::complete`]: what is left of one that was given up opens at no
/// revision.
#[derive(Debug)]
pub struct Filling {
    live: Live,
    ledger: Ledger,
    batch: ::sled::Batch,
    bytes: usize,
    dir: DataDir,
    // Declared last: others are let in when everything else is gone.
    _lock: DirLock,
}

impl Filling {
    /// Begins in a directory in which no store is, which is made when there is none.
    ///
    /// # Errors
    /// As of opening a store; and when one is there.
    pub fn begin(dir: &Path, command: &str) -> Result<Self, OpenError> {
        let dir = DataDir::claim(dir, true)?;
        let lock = DirLock::take(dir.root(), command, None)?;
        let opening = Opening {
            dir: dir.clone(),
            cache_bytes: 16 * super::MIB,
            free_bytes: 64 * super::MIB,
            at_least: None,
            create: true,
        };
        let Ready { live, ledger, created, .. } = opening.open()?;
        if !created || ledger.rev > Rev(0) {
            return Err(dir.io("store", &"there is a database already"));
        }
        Ok(Self { live, ledger, batch: ::sled::Batch::default(), bytes: 0, dir, _lock: lock })
    }

    /// Puts one row. Each key comes once; the order does not matter.
    ///
    /// # Errors
    /// When it is no row that a store could have, or the disk does not take it.
    pub fn row(&mut self, row: RowView<'_>) -> Result<(), StoreError> {
        let RowView { key, value, create_rev, mod_rev } = row;
        let fits = (1..=limits::KEY_BYTES).contains(&key.len()) && value.len() <= limits::VALUE_BYTES;
        if !fits || key == RESERVED_KEY || create_rev > mod_rev {
            let key = String::from_utf8_lossy(key).into_owned();
            return Err(StoreError::Invalid(format!("{key:?} is no row of a store")));
        }
        let raw = Row { create_rev, mod_rev, value }.encode();
        self.ledger.enter(key, None, Some(&raw));
        self.bytes += key.len() + raw.len();
        self.batch.insert(key, raw);
        if self.bytes < limits::COMMIT_BYTES { Ok(()) } else { self.write() }
    }

    /// Brings the database to the revision it shall have, and writes its seal beside it.
    ///
    /// # Errors
    /// When the disk does not take it, or the seal is ahead of the revision.
    pub fn complete(mut self, rev: Rev, seal: &Seal) -> Result<(), OpenError> {
        self.ledger.rev = rev;
        let written = self.write();
        written.map_err(|error| self.dir.io("store", &error))?;
        self.dir.settle(&self.dir.store())?;
        let sealed = seal.check(rev).and_then(|()| SealFile::new(self.dir.root()).write(seal));
        sealed.map_err(|error| self.dir.io("seal", &error))
    }

    fn write(&mut self) -> Result<(), StoreError> {
        let mut batch = std::mem::take(&mut self.batch);
        batch.insert(RESERVED_KEY, self.ledger.encode());
        self.bytes = 0;
        self.live.write(batch).map_err(StoreError::Unavailable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sled::{SledOptions, SledStore};
    use crate::store::{Op, Store as _};

    #[test]
    fn a_store_filled_with_the_rows_of_another_is_that_store_to_the_revision_of_each_row() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let first = SledStore::open(&SledOptions::new(one.path()).create()).unwrap().store;
        for (key, value) in [("k/1", "a"), ("k/2", "b"), ("k/1", "c"), ("t/1", "d")] {
            first.commit(&[], &[Op::Put(key.into(), value.into())]).unwrap();
        }
        let range = crate::store::KeyRange::all();
        let whole = first.range(&range, None, 10).unwrap();
        let mut filling = Filling::begin(other.path(), "test").unwrap();
        for (key, entry) in &whole.rows {
            let (create_rev, mod_rev) = (entry.create_rev, entry.mod_rev);
            filling.row(RowView { key, value: &entry.value, create_rev, mod_rev }).unwrap();
        }
        let view = |key| RowView { key, value: b"", create_rev: Rev(1), mod_rev: Rev(1) };
        assert!(filling.row(view(b"")).is_err() && filling.row(view(RESERVED_KEY)).is_err());
        let seal = Seal { store: [7; 16], rev: Rev(4), audit_head: vec![1], mac: vec![2] };
        filling.complete(whole.rev, &seal).unwrap();
        assert!(Filling::begin(other.path(), "test").is_err(), "there is one now");
        let opened = SledStore::open(&SledOptions::new(other.path())).unwrap();
        assert_eq!((opened.rev, opened.seal, opened.doubt), (Rev(4), Some(seal), None));
        assert_eq!(opened.store.range(&range, None, 10).unwrap(), whole);
        assert_eq!(opened.store.verify(), Ok(Rev(4)), "its sums are those of its rows");
        assert_eq!(opened.store.commit(&[], &[Op::Delete(b"k/2".to_vec())]), Ok(Rev(5)));
    }
}
