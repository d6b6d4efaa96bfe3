//! Sets of scopes as they are read from a store. A million keys hold one of a few: each is read once and kept once.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use minicbor::Decode as _;
use minicbor::decode::{Decoder, Error};

use super::Scopes;
use crate::domain::{Audience, Catalog};

/// Bytes of sets whose written form is remembered by one reader. Any beyond is read as if there were no other.
const REMEMBERED: usize = 1 << 20;

/// The sets that were read, for several who read at once.
pub struct Sets<'c> {
    catalog: &'c Catalog,
    all: Mutex<HashSet<Scopes>>,
}

impl<'c> Sets<'c> {
    /// None yet. Names are those of the catalog where it has them.
    pub fn of(catalog: &'c Catalog) -> Self {
        Self { catalog, all: Mutex::default() }
    }

    /// For one who reads.
    pub fn familiar(&self) -> Familiar<'_> {
        Familiar { sets: self, read: HashMap::new(), bytes: 0 }
    }

    fn share(&self, read: &Scopes) -> Scopes {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(read) {
            return known.clone();
        }
        let shared = self.catalog.share(read);
        all.insert(shared.clone());
        shared
    }
}

/// The sets one reader has read, by the bytes they were written with.
pub struct Familiar<'s> {
    sets: &'s Sets<'s>,
    read: HashMap<Box<[u8]>, Scopes>,
    bytes: usize,
}

impl Audience for Familiar<'_> {
    const IS_STORE: bool = true;

    fn scopes(&mut self, from: &mut Decoder<'_>) -> Result<Scopes, Error> {
        let begins = from.position();
        from.skip()?;
        let written = from.input().get(begins..from.position()).unwrap_or_default();
        if let Some(known) = self.read.get(written) {
            return Ok(known.clone());
        }
        from.set_position(begins);
        let scopes = self.sets.share(&Scopes::decode(from, &mut ())?);
        if self.bytes < REMEMBERED {
            self.bytes += written.len();
            self.read.insert(written.into(), scopes.clone());
        }
        Ok(scopes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(scopes: &str) -> Vec<u8> {
        minicbor::to_vec(scopes.parse::<Scopes>().unwrap()).unwrap()
    }

    #[test]
    fn a_set_is_one_for_all_who_read_it_and_what_is_none_is_refused_each_time() {
        let sets = Sets::of(Catalog::builtin());
        let (mut one, mut other) = (sets.familiar(), sets.familiar());
        let row = written("contacts.read contacts.write");
        let read = |known: &mut Familiar<'_>, row: &[u8]| {
            let mut from = Decoder::new(row);
            let scopes = known.scopes(&mut from);
            scopes.map(|scopes| (scopes, from.position()))
        };
        let all = [read(&mut one, &row), read(&mut one, &row), read(&mut other, &row)].map(Result::unwrap);
        assert!(all.iter().all(|(scopes, end)| {
            std::ptr::eq(scopes.as_slice(), all[0].0.as_slice()) && *end == row.len()
        }));
        assert_eq!(all[0].0.to_string(), "contacts.read contacts.write");
        assert_eq!(read(&mut one, &written("")).unwrap().0, Scopes::default());
        let disordered = minicbor::to_vec(["contacts.write", "contacts.read"]).unwrap();
        for broken in [&disordered[..], &row[..row.len() - 1], &[], &[0x40]] {
            assert!((0..2).all(|_| read(&mut one, broken).is_err()), "{broken:?}");
        }
    }
}
