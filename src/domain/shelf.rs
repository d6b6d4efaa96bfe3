//! All keys of a state, each at a place that stays its own: a number of four bytes, which the indexes beside it keep in
//! place of an id. A million keys cost no more than their records and a few bytes each.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use super::{Key, KeyId};

/// Where a key lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShelfMark(u32);

impl ShelfMark {
    /// As a number: the first key has 0.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Some of the keys, in the order in which they lie.
#[derive(Clone, Debug, Default)]
pub struct Marks(Vec<ShelfMark>);

impl Marks {
    /// Takes one in, unless it is.
    pub fn put(&mut self, mark: ShelfMark) {
        // A new key lies behind all others.
        if self.0.last().is_none_or(|last| *last < mark) {
            self.0.push(mark);
        } else if let Err(at) = self.0.binary_search(&mark) {
            self.0.insert(at, mark);
        }
    }

    /// Takes one out, if it is in.
    pub fn take(&mut self, mark: ShelfMark) {
        if let Ok(at) = self.0.binary_search(&mark) {
            self.0.remove(at);
        }
    }

    /// All of them.
    pub fn iter(&self) -> std::slice::Iter<'_, ShelfMark> {
        self.0.iter()
    }
}

/// Keys that lie together: growing by one of these never moves the others, nor needs twice their room.
const BOARD: usize = 1_024;

/// The keys. None is ever taken away: a deleted key is a key that says so.
#[derive(Clone, Debug, Default)]
pub struct Shelf {
    boards: Vec<Vec<Key>>,
    marks: HashTable<u32>,
    hasher: RandomState,
}

impl Shelf {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.marks.len()
    }

    /// Makes room for so many more.
    pub fn reserve(&mut self, more: usize) {
        let Self { boards, marks, hasher } = self;
        marks.reserve(more, |at| key_at(boards, *at).map_or(0, |key| hasher.hash_one(key.id)));
    }

    /// All of them, the first put first.
    pub fn iter(&self) -> impl Iterator<Item = &Key> {
        self.boards.iter().flatten()
    }

    /// Those from this place on.
    pub fn iter_from(&self, place: usize) -> impl Iterator<Item = &Key> {
        // All boards but the last are full.
        self.boards.get(place / BOARD..).unwrap_or_default().iter().flatten().skip(place % BOARD)
    }

    /// One of them.
    pub fn get(&self, id: KeyId) -> Option<&Key> {
        self.at(self.mark(id)?)
    }

    /// Where one of them lies.
    pub fn mark(&self, id: KeyId) -> Option<ShelfMark> {
        let is = |at: &u32| key_at(&self.boards, *at).is_some_and(|key| key.id == id);
        self.marks.find(self.hasher.hash_one(id), is).map(|at| ShelfMark(*at))
    }

    /// The one that lies there.
    pub fn at(&self, mark: ShelfMark) -> Option<&Key> {
        key_at(&self.boards, mark.0)
    }

    /// Puts a key in place of the one with its id, which is returned, or at the end. `None` in place of a mark when
    /// there is no room for another: some four thousand million keys.
    pub fn put(&mut self, key: Key) -> Option<(ShelfMark, Option<Key>)> {
        let Self { boards, marks, hasher } = self;
        let hash = hasher.hash_one(key.id);
        if let Some(at) = marks.find(hash, |at| key_at(boards, *at).is_some_and(|known| known.id == key.id)) {
            let place = boards.get_mut(*at as usize / BOARD)?.get_mut(*at as usize % BOARD)?;
            return Some((ShelfMark(*at), Some(std::mem::replace(place, key))));
        }
        let at = u32::try_from(marks.len()).ok()?;
        match boards.last_mut() {
            Some(board) if board.len() < BOARD => board.push(key),
            // The first grows with a small store.
            None => boards.push(vec![key]),
            Some(_) => {
                let mut board = Vec::with_capacity(BOARD);
                board.push(key);
                boards.push(board);
            }
        }
        marks.insert_unique(hash, at, |at| key_at(boards, *at).map_or(0, |key| hasher.hash_one(key.id)));
        Some((ShelfMark(at), None))
    }
}

fn key_at(boards: &[Vec<Key>], at: u32) -> Option<&Key> {
    boards.get(at as usize / BOARD)?.get(at as usize % BOARD)
}

#[cfg(test)]
mod tests {
    use super::super::{
        Expiry, Name, Note, OperatorId, Place, PublicId, Scopes, Status, Timestamp, Verifier,
    };
    use super::*;

    fn key(n: usize, note: &str) -> Key {
        let digit = |n: usize| super::super::id::BASE58[n % 58];
        let mut id = *b"111111111111";
        (id[0], id[1], id[2]) = (digit(n), digit(n / 58), digit(n / 3_364));
        Key {
            id: KeyId(PublicId::from_bytes(id).unwrap()),
            name: Name::new("Nightly export").unwrap(),
            place: Place::Agency,
            owner: OperatorId(PublicId::NOBODY),
            scopes: Scopes::default(),
            note: Note::new(note).unwrap(),
            created_at: Timestamp(0),
            expiry: Expiry::Never,
            status: Status::Active,
            verifier: Verifier::NONE,
            imported: None,
            counted_from: None,
            protection: None,
            notice_days: None,
            contacts: None,
            succeeds: None,
            superseded: None,
            motive: None,
            pause_ends: None,
            handed: None,
            decoy: None,
            report_only: None,
            kept: None,
        }
    }

    #[test]
    fn marks_are_each_there_once_and_in_order_however_they_come() {
        let (mut marks, mark) = (Marks::default(), ShelfMark);
        for n in [3, 7, 9, 7, 1, 8, 3] {
            marks.put(mark(n));
        }
        marks.take(mark(7));
        marks.take(mark(2));
        assert_eq!(marks.iter().copied().collect::<Vec<_>>(), [1, 3, 8, 9].map(mark));
    }

    #[test]
    fn keys_keep_their_spots_while_the_shelf_grows() {
        let mut shelf = Shelf::default();
        let marks: Vec<ShelfMark> = (0..3 * BOARD).map(|n| shelf.put(key(n, "first")).unwrap().0).collect();
        assert_eq!(shelf.len(), 3 * BOARD);
        for (n, mark) in marks.iter().enumerate().step_by(7) {
            let (again, before) = shelf.put(key(n, "second")).unwrap();
            assert_eq!(again, *mark);
            assert_eq!(before.unwrap().note.as_str(), "first");
        }
        assert_eq!((shelf.len(), shelf.iter().count()), (3 * BOARD, 3 * BOARD));
        for from in [0, 1, BOARD - 1, BOARD, 2 * BOARD + 7, 3 * BOARD, 9 * BOARD] {
            assert!(shelf.iter_from(from).eq(shelf.iter().skip(from)), "from {from}");
        }
        for (n, mark) in marks.iter().enumerate() {
            let wanted = if n % 7 == 0 { "second" } else { "first" };
            let id = key(n, "").id;
            assert_eq!((shelf.get(id).unwrap().note.as_str(), shelf.at(*mark).unwrap().id), (wanted, id));
        }
        assert!(shelf.get(key(3 * BOARD, "").id).is_none());
    }
}
