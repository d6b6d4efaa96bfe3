//! What nearly every command asks of a state, kept beside its records so that the answer costs no walk over them: who
//! has that name, and how many keys of an owner are live. Small: a million keys have to fit in memory.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hash, RandomState};

use hashbrown::HashTable;

use super::time::DAY_MS;
use super::{Expiry, Timestamp};

/// Records by their folded name, among those of whoever it must be unique for. Kept are four bytes of a hash and the
/// record's id; whoever asks compares the names of those few that are handed out.
#[derive(Clone, Debug)]
pub struct Names<T> {
    table: HashTable<(u32, T)>,
    hasher: RandomState,
}

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self { table: HashTable::new(), hasher: RandomState::new() }
    }
}

impl<T: Copy + PartialEq> Names<T> {
    /// Makes room for so many more.
    pub fn reserve(&mut self, more: usize) {
        self.table.reserve(more, |(hash, _)| spread(*hash));
    }

    /// Remembers a record. One that has the same name as another is no fault: both are handed out.
    pub fn put(&mut self, whose: impl Hash, folded: &str, record: T) {
        let hash = self.hash(whose, folded);
        self.table.insert_unique(spread(hash), (hash, record), |(hash, _)| spread(*hash));
    }

    /// Forgets a record that was put under that name.
    pub fn take(&mut self, whose: impl Hash, folded: &str, record: T) {
        let hash = self.hash(whose, folded);
        if let Ok(found) = self.table.find_entry(spread(hash), |known| *known == (hash, record)) {
            found.remove();
        }
    }

    /// All that may have that name: every one that has it, and once in a long while another.
    pub fn likely(&self, whose: impl Hash, folded: &str) -> impl Iterator<Item = T> {
        let hash = self.hash(whose, folded);
        self.table.iter_hash(spread(hash)).filter(move |(known, _)| *known == hash).map(|(_, record)| *record)
    }

    fn hash(&self, whose: impl Hash, folded: &str) -> u32 {
        let [a, b, c, d, ..] = self.hasher.hash_one((whose, folded)).to_le_bytes();
        u32::from_le_bytes([a, b, c, d])
    }
}

/// The table looks at both ends of a hash.
const fn spread(hash: u32) -> u64 {
    hash as u64 * 0x1_0000_0001
}

/// The keys of one owner that nobody has ended, by the time that ends them.
#[derive(Clone, Debug, Default)]
pub struct Lives {
    all: usize,
    ends: BTreeMap<Timestamp, u32>,
    // The same by the day, so that an owner of a hundred thousand that are over is not counted one by one.
    days: BTreeMap<i64, u32>,
}

impl Lives {
    /// One more.
    pub fn put(&mut self, expiry: Expiry) {
        self.all += 1;
        if let Expiry::At(end) = expiry {
            *self.ends.entry(end).or_default() += 1;
            *self.days.entry(day(end)).or_default() += 1;
        }
    }

    /// One less.
    pub fn take(&mut self, expiry: Expiry) {
        self.all = self.all.saturating_sub(1);
        if let Expiry::At(end) = expiry {
            one_less(&mut self.ends, &end);
            one_less(&mut self.days, &day(end));
        }
    }

    /// How many are live at `now`. Costs no more than the days there were, and the ends of one.
    pub fn live(&self, now: Timestamp) -> usize {
        let today = day(now);
        let before = self.days.range(..today).map(|(_, count)| *count as usize);
        let ends = self.ends.range(Timestamp(today.saturating_mul(DAY_MS))..=now);
        let over: usize = before.chain(ends.map(|(_, count)| *count as usize)).sum();
        self.all.saturating_sub(over)
    }
}

const fn day(at: Timestamp) -> i64 {
    at.0.div_euclid(DAY_MS)
}

fn one_less<K: Ord>(counts: &mut BTreeMap<K, u32>, at: &K) {
    if let Some(count) = counts.get_mut(at) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_by_whose_it_is_and_forgotten_alone() {
        let mut names = Names::default();
        for n in 0..5_000_u32 {
            names.put(n % 3, &format!("branch {n}"), n);
        }
        names.put(1, "branch 7", 9_000);
        let found = |names: &Names<u32>, whose: u32, name: &str| {
            let mut found: Vec<u32> = names.likely(whose, name).filter(|n| *n == 7 || *n >= 9_000).collect();
            found.sort_unstable();
            found
        };
        assert_eq!(found(&names, 1, "branch 7"), [7, 9_000]);
        assert!(found(&names, 2, "branch 7").is_empty());
        names.take(1, "branch 7", 7);
        names.take(1, "branch 7", 7);
        assert_eq!(found(&names, 1, "branch 7"), [9_000]);
        assert!(
            (0..5_000)
                .filter(|n| *n != 7)
                .all(|n| names.likely(n % 3, &format!("branch {n}")).any(|m| m == n))
        );
    }

    #[test]
    fn a_life_is_over_at_its_end_and_counted_once() {
        let mut lives = Lives::default();
        for end in
            [Expiry::Never, Expiry::At(Timestamp(5)), Expiry::At(Timestamp(5)), Expiry::At(Timestamp(9))]
        {
            lives.put(end);
        }
        assert_eq!([4, 5, 8, 9].map(|now| lives.live(Timestamp(now))), [4, 2, 2, 1]);
        lives.take(Expiry::At(Timestamp(5)));
        lives.take(Expiry::Never);
        assert_eq!([4, 5, 9].map(|now| lives.live(Timestamp(now))), [2, 1, 0]);
    }

    #[test]
    fn ends_of_days_before_and_of_the_same_day_count_and_those_to_come_do_not() {
        let mut lives = Lives::default();
        let ends = [-1, 0, 1, DAY_MS - 1, DAY_MS, DAY_MS + 1, 3 * DAY_MS];
        for end in ends {
            lives.put(Expiry::At(Timestamp(end)));
        }
        for now in ends.into_iter().flat_map(|end| [end - 1, end, end + 1]) {
            let live = ends.iter().filter(|end| **end > now).count();
            assert_eq!(lives.live(Timestamp(now)), live, "at {now}");
        }
    }
}
