//! The verification table: one flat slot of 64 bytes per key, found by the public id.
//!
//! A verification at a million keys costs memory latency, not computing: a hash map takes two dependent misses.
//! Here a look-up starts by asking for the lines the id leads to, and the digest of the token is computed while
//! they travel. The slot holds all that decides, so nothing else is read to allow or to refuse.

mod page;
mod pages;

use std::sync::atomic::Ordering;

use self::page::{Deadline, Label, ROWS, Slot, TermsIndex};
use self::pages::Pages;

use crate::crypto::digest;
use crate::domain::{Expiry, KeyId, Name, PublicId, Reason, ScopeId, Scopes, Timestamp, Usage, Verifier};

/// How many scopes of a set have a bit. Few keys hold more; their other scopes are noted elsewhere.
pub const MARKED: usize = 16;

/// What a slot says about its key besides the digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gate {
    /// A reason to refuse that does not depend on time or scopes.
    pub closed: Option<Reason>,
    /// When the key stops working.
    pub expiry: Expiry,
    /// Its scopes, owner and place: an index into the list of terms beside the table.
    pub terms: u32,
    /// 0 agency, 1 location, 2 app: which prefix its token must carry.
    pub kind: u8,
}

/// Where the search for an id begins: the same in every table, whatever its size.
#[derive(Clone, Copy)]
pub struct HashedId {
    home: u32,
    part: u32,
}

impl HashedId {
    /// Of an id.
    pub fn of(id: &PublicId) -> Self {
        let (first, rest) = id.as_bytes().split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
        let low = u64::from_le_bytes(*first);
        let high = rest.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        // Ids are random; this only spreads their ASCII over all bits (Fibonacci hashing).
        let mixed = (low ^ high.rotate_left(40)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let [home, part] = [mixed >> 32, (mixed ^ (mixed >> 32)) & u64::from(u32::MAX)];
        // Both fit: what is above 32 bits was shifted out or masked.
        Self { home: u32::try_from(home).unwrap_or(0), part: u32::try_from(part).unwrap_or(0) }
    }

    /// One of `parts` equal parts, independent of the place within a table.
    pub const fn part(self, parts: usize) -> usize {
        scale(self.part, parts)
    }

    const fn home(self, size: usize) -> usize {
        scale(self.home, size)
    }
}

/// Maps a random 32-bit number evenly onto `0..size`, for sizes that are no power of two (Lemire 2019).
const fn scale(random: u32, size: usize) -> usize {
    // Shifted down, the product is below `size` again.
    ((random as u128 * size as u128) >> 32) as usize
}

/// A slot that matched an id.
#[derive(Clone, Copy)]
pub struct Hit<'t> {
    slot: &'t Slot,
    label: &'t Label,
    long: &'t [Name],
}

/// The table. Slots are never freed: a deleted key keeps its slot, closed.
pub struct Table {
    pages: Pages,
    // Names that do not fit on their page.
    long: Vec<Name>,
    used: usize,
}

/// Stands for a pepper this table cannot name; no verifier has it.
const UNKNOWN_PEPPER: u8 = 0;

/// In a slot a reason is its place here plus one, in four bits; the last number stands for one that has no place.
const NO_REASON: u8 = 15;
const _: () = assert!(REASONS.len() < NO_REASON as usize);

/// Those for which a slot is closed. The others hang on the time, on what was presented or on what is asked for.
const REASONS: [Reason; 9] = [
    Reason::Revoked,
    Reason::Disabled,
    Reason::Tombstoned,
    Reason::OwnerDisabled,
    Reason::LocationDisabled,
    Reason::AppDisabled,
    Reason::LockedDown,
    Reason::StoreError,
    Reason::Decoy,
];

impl Table {
    /// A table with room for `keys`.
    pub fn with_capacity(keys: usize) -> Self {
        Self::of_size(keys * 3 / 2)
    }

    /// At least so many slots.
    fn of_size(slots: usize) -> Self {
        Self { pages: Pages::new(slots.div_ceil(ROWS).max(1)), long: Vec::new(), used: 0 }
    }

    fn size(&self) -> usize {
        self.pages.len() * ROWS
    }

    fn row(&self, at: usize) -> Option<(&Slot, &Label)> {
        let page = self.pages.get(at / ROWS)?;
        Some((page.slots.get(at % ROWS)?, page.names.get(at % ROWS)?))
    }

    fn row_mut(&mut self, at: usize) -> Option<(&mut Slot, &mut Label)> {
        let page = self.pages.get_mut(at / ROWS)?;
        Some((page.slots.get_mut(at % ROWS)?, page.names.get_mut(at % ROWS)?))
    }

    /// Asks for the slots a hashed leads to, without waiting for them.
    pub fn touch(&self, hashed: HashedId) {
        let home = hashed.home(self.size());
        if let Some(page) = self.pages.get(home / ROWS) {
            page.touch(home % ROWS);
        }
    }

    /// The slot of an id, searched from its hashed.
    pub fn find(&self, hashed: HashedId, id: &PublicId) -> Option<Hit<'_>> {
        let at = self.probe(hashed, id.as_bytes()).ok()?;
        self.row(at).map(|(slot, label)| Hit { slot, label, long: &self.long })
    }

    /// `Ok` with the slot of the id, `Err` with the empty one where it belongs.
    fn probe(&self, hashed: HashedId, id: &[u8; 12]) -> Result<usize, usize> {
        let mut at = hashed.home(self.size());
        loop {
            match self.row(at) {
                Some((slot, _)) if slot.is_empty() => return Err(at),
                Some((slot, _)) if slot.id == *id => return Ok(at),
                Some(_) => at += 1,
                // Never full, so an empty slot is always met.
                None => at = 0,
            }
        }
    }

    /// Puts a key in, or replaces what was known of it.
    pub fn put(&mut self, id: KeyId, name: &Name, verifier: &Verifier, gate: Gate) {
        // At most two thirds full: beyond, searches grow long.
        if (self.used + 1) * 3 > self.size() * 2 {
            self.grow();
        }
        let id = id.public();
        let at = match self.probe(HashedId::of(id), id.as_bytes()) {
            Ok(at) => at,
            Err(at) => {
                self.used += 1;
                at
            }
        };
        let fits = Label::of(name.as_str());
        let kept = self.row(at).and_then(|(_, before)| before.read().err());
        let label = fits.unwrap_or_else(|| self.list(kept, name));
        let Some((slot, place)) = self.row_mut(at) else { return };
        *place = label;
        // What was noted of its use stays.
        slot.digest = verifier.digest;
        slot.id = *id.as_bytes();
        slot.terms = TermsIndex::of(gate.terms);
        slot.expires = Deadline::of(gate.expiry);
        slot.pepper = u8::try_from(verifier.pepper).unwrap_or(UNKNOWN_PEPPER);
        slot.kind_and_closed = (gate.kind + 1) << 4 | gate.closed.map_or(0, code_of);
    }

    /// Keeps a long name, in the place its key has for one.
    fn list(&mut self, place: Option<usize>, name: &Name) -> Label {
        let at = place.unwrap_or(self.long.len());
        match self.long.get_mut(at) {
            Some(before) => *before = name.clone(),
            None => self.long.push(name.clone()),
        }
        Label::listed(u32::try_from(at).unwrap_or(u32::MAX))
    }

    fn grow(&mut self) {
        let mut larger = Self::of_size(self.size() * 3 / 2);
        for page in self.pages.iter_mut() {
            for (slot, label) in page.slots.iter_mut().zip(page.names).filter(|(slot, _)| !slot.is_empty()) {
                let Some(id) = PublicId::from_bytes(slot.id) else { continue };
                if let Err(at) = larger.probe(HashedId::of(&id), &slot.id)
                    && let Some((place, its)) = larger.row_mut(at)
                {
                    (*place, *its) = (std::mem::take(slot), label);
                }
            }
        }
        self.pages = larger.pages;
    }
}

fn code_of(reason: Reason) -> u8 {
    REASONS.iter().position(|r| *r == reason).and_then(|at| u8::try_from(at + 1).ok()).unwrap_or(NO_REASON)
}

impl<'t> Hit<'t> {
    /// The stored digest.
    pub const fn digest(&self) -> &'t [u8; digest::LEN] {
        &self.slot.digest
    }

    /// The key's name.
    pub fn name(self) -> &'t str {
        self.label.read().unwrap_or_else(|nth| self.long.get(nth).map_or("", Name::as_str))
    }

    /// Which pepper made it.
    pub fn pepper(self) -> u32 {
        u32::from(self.slot.pepper)
    }

    /// What else decides.
    pub fn gate(self) -> Gate {
        let closed = match self.slot.kind_and_closed & NO_REASON {
            0 => None,
            // A number that names no reason is damage, and damage is no.
            code => Some(REASONS.get(usize::from(code) - 1).copied().unwrap_or(Reason::StoreError)),
        };
        Gate {
            closed,
            expiry: self.slot.expires.expiry(),
            terms: self.slot.terms.index(),
            kind: (self.slot.kind_and_closed >> 4) - 1,
        }
    }

    /// Notes that these scopes of `held` were needed. Before [`Hit::note_use`], so that whoever takes a count finds
    /// the scopes of each use counted in it. False when one of them has no bit.
    pub fn note_scopes(self, held: &Scopes, wanted: &[ScopeId]) -> bool {
        let mut bits = 0_u16;
        let mut all = true;
        for scope in wanted {
            match held.position(scope.as_str()) {
                Some(at) if at < MARKED => bits |= 1 << at,
                _ => all = false,
            }
        }
        // Nearly always another request needed the same before: then nothing has to be written.
        if self.slot.needed.load(Ordering::Relaxed) & bits != bits {
            self.slot.needed.fetch_or(bits, Ordering::Relaxed);
        }
        all
    }

    /// Takes which scopes of `held` were needed since the last time.
    pub fn take_scopes(self, held: &Scopes) -> Vec<ScopeId> {
        if self.slot.needed.load(Ordering::Relaxed) == 0 {
            return Vec::new();
        }
        let bits = self.slot.needed.swap(0, Ordering::AcqRel);
        held.iter()
            .take(MARKED)
            .enumerate()
            .filter(|(at, _)| bits >> at & 1 == 1)
            .map(|(_, s)| s.clone())
            .collect()
    }

    /// When it was used last, as far as this table knows.
    pub fn last_used(self) -> Timestamp {
        Timestamp(i64::from(self.slot.last.load(Ordering::Relaxed)) * 1_000)
    }

    /// Whether it was used since uses were taken.
    pub fn is_used(self) -> bool {
        self.slot.uses.load(Ordering::Acquire) > 0
    }

    /// Takes how often it was used since the last time.
    pub fn take_uses(self) -> Usage {
        // The count first: a use that comes in between starts a new count and is taken next time.
        let count = self.slot.uses.swap(0, Ordering::AcqRel);
        let last_used_at = (count > 0).then(|| self.last_used());
        Usage { last_used_at, count: u64::from(count), first_used_at: None }
    }

    /// Notes one use. True when it is the first since the last time uses were taken.
    pub fn note_use(self, now: Timestamp) -> bool {
        let second = u32::try_from(now.0 / 1_000).unwrap_or(0);
        // A busy key is used many times in one second: only the first of them has to write.
        if self.slot.last.load(Ordering::Relaxed) < second {
            self.slot.last.fetch_max(second, Ordering::Relaxed);
        }
        // After the time, so that whoever takes the count finds the time of each use counted in it.
        self.slot.uses.fetch_add(1, Ordering::Release) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: usize) -> PublicId {
        let mut bytes = [b'1'; 12];
        let mut rest = n;
        for byte in &mut bytes {
            *byte = crate::domain::id::BASE58[rest % 58];
            rest /= 58;
        }
        PublicId::from_bytes(bytes).unwrap()
    }

    fn gate(terms: u32) -> Gate {
        Gate { closed: None, expiry: Expiry::Never, terms, kind: 1 }
    }

    fn name(n: usize) -> Name {
        Name::new(&format!("key {n}")).unwrap()
    }

    fn get(table: &Table, id: &PublicId) -> Option<u32> {
        table.find(HashedId::of(id), id).map(|h| h.gate().terms)
    }

    #[test]
    fn keys_are_found_after_the_table_grew_many_times() {
        let mut table = Table::with_capacity(1);
        for n in 0..10_000 {
            table.put(
                KeyId(id(n)),
                &name(n),
                &Verifier { digest: [7; 32], pepper: 1 },
                gate(u32::try_from(n).unwrap()),
            );
        }
        for n in 0..10_000 {
            assert_eq!(get(&table, &id(n)), Some(u32::try_from(n).unwrap()));
            assert_eq!(table.find(HashedId::of(&id(n)), &id(n)).unwrap().name(), format!("key {n}"));
        }
        assert_eq!(get(&table, &id(10_000)), None);
    }

    #[test]
    fn a_second_put_replaces_and_every_reason_survives() {
        let mut table = Table::with_capacity(1);
        for reason in REASONS {
            let shut = Gate {
                closed: Some(reason),
                expiry: Expiry::At(Timestamp(1_790_000_000_005)),
                terms: 3,
                kind: 0,
            };
            table.put(KeyId(id(1)), &name(1), &Verifier { digest: [1; 32], pepper: 2 }, shut);
            let hit = table.find(HashedId::of(&id(1)), &id(1)).unwrap();
            assert_eq!(hit.gate(), shut);
        }
        assert_eq!(table.used, 1);
    }

    #[test]
    fn a_name_of_any_length_stays_with_its_key() {
        let mut table = Table::with_capacity(1);
        let verifier = Verifier { digest: [1; 32], pepper: 1 };
        let put = |table: &mut Table, n: usize, name: &str| {
            table.put(KeyId(id(n)), &Name::new(name).unwrap(), &verifier, gate(0));
        };
        let long = |n: usize| format!("{n:04} {}", "🦊".repeat(59));
        (0..100).for_each(|n| put(&mut table, n, &if n % 2 == 0 { long(n) } else { format!("short {n}") }));
        // Renamed: to another long name, to a short one, and to a long one from a short one.
        put(&mut table, 0, &long(1_000));
        put(&mut table, 2, "short");
        put(&mut table, 1, &long(1_001));
        (100..1_000).for_each(|n| put(&mut table, n, "more"));
        let name = |n: usize| table.find(HashedId::of(&id(n)), &id(n)).unwrap().name();
        assert_eq!([name(0), name(1), name(2)], [&long(1_000), &long(1_001), "short"]);
        (3..100).for_each(|n| assert!(name(n) == long(n) || n % 2 == 1 && name(n) == format!("short {n}")));
        assert_eq!(table.long.len(), 51, "a long name takes the place of the one before");
    }

    #[test]
    fn uses_are_noted_once_and_taken_once() {
        let mut table = Table::with_capacity(1);
        table.put(KeyId(id(1)), &name(1), &Verifier { digest: [1; 32], pepper: 1 }, gate(0));
        let hit = table.find(HashedId::of(&id(1)), &id(1)).unwrap();
        table.touch(HashedId::of(&id(1)));
        assert!(hit.note_use(Timestamp(10_000)));
        assert!(!hit.note_use(Timestamp(9_999)));
        assert_eq!(
            hit.take_uses(),
            Usage { last_used_at: Some(Timestamp(10_000)), count: 2, first_used_at: None }
        );
        assert_eq!(hit.take_uses(), Usage::default());
        assert!(hit.note_use(Timestamp(11_000)), "a new count begins");
    }

    #[test]
    fn scopes_needed_are_taken_once_also_after_the_table_grew() {
        let held: Scopes =
            (0..70).map(|n| format!("a.s{n:02}")).collect::<Vec<_>>().join(" ").parse().unwrap();
        let scope = |name: &str| name.parse::<ScopeId>().unwrap();
        let mut table = Table::with_capacity(1);
        let verifier = Verifier { digest: [1; 32], pepper: 1 };
        let put = |table: &mut Table, n| table.put(KeyId(id(n)), &name(n), &verifier, gate(0));
        put(&mut table, 0);
        let hit = table.find(HashedId::of(&id(0)), &id(0)).unwrap();
        assert!(hit.note_scopes(&held, &[scope("a.s03"), scope("a.s15")]));
        assert!(hit.note_scopes(&held, &[scope("a.s03")]));
        assert!(!hit.note_scopes(&held, &[scope("a.s16")]), "this one has no bit");
        (1..1_000).for_each(|n| put(&mut table, n));
        let hit = table.find(HashedId::of(&id(0)), &id(0)).unwrap();
        assert_eq!(hit.take_scopes(&held), [scope("a.s03"), scope("a.s15")]);
        assert_eq!(hit.take_scopes(&held), []);
    }
}
