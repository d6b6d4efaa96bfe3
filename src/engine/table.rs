//! The verification table: one flat slot of 64 bytes per key, found by the public id.
//!
//! A verification at a million keys costs memory latency, not computing: a hash map takes two dependent misses.
//! Here a look-up starts by asking for the lines the id leads to, and the digest of the token is computed while
//! they travel. The slot holds all that decides, so nothing else is read to allow or to refuse.

use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};

use prefetch_index::prefetch_index;

use crate::crypto::digest;
use crate::domain::{Expiry, KeyId, Name, PublicId, Reason, ScopeId, Scopes, Timestamp, Usage, Verifier};

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

/// One line of memory: all that decides, and what notes a use.
#[repr(C, align(64))]
#[derive(Default)]
struct Slot {
    digest: [u8; digest::LEN],
    id: [u8; 12],
    // The last use in seconds since 1970, and how many there were since they were written down last. Four thousand
    // million of one key between two settlings would start the count anew, and lose nothing but the number.
    last: AtomicU32,
    uses: AtomicU32,
    // Which scopes were needed since then: bit n for the nth of the key's set.
    needed: AtomicU16,
    terms: TermsIndex,
    expires: Deadline,
    pepper: u8,
    // Four bits each: the kind, of which 0 marks an empty slot, and what closes it.
    kind_and_closed: u8,
}

impl Slot {
    const fn is_empty(&self) -> bool {
        self.kind_and_closed == 0
    }
}

/// How many scopes of a set have a bit. Few keys hold more; their other scopes are noted elsewhere.
pub const MARKED: usize = 16;

/// An index into the terms of a table, in three bytes: more terms than anybody has keys in one table.
#[derive(Clone, Copy, Default)]
struct TermsIndex([u8; 3]);

impl TermsIndex {
    fn of(index: u32) -> Self {
        // Beyond what fits there are no terms, and a key without them is refused.
        let [_, bytes @ ..] = index.min(0xFF_FFFF).to_be_bytes();
        Self(bytes)
    }

    const fn index(self) -> u32 {
        let [high, mid, low] = self.0;
        u32::from_be_bytes([0, high, mid, low])
    }
}

/// An expiry in five bytes, so that a slot is one line: milliseconds since 2020, good until 2054; lives are bounded
/// to ten years.
#[derive(Clone, Copy, Default)]
struct Deadline([u8; 5]);

impl Deadline {
    const BASE: i64 = 1_577_836_800_000;
    const NEVER: i64 = (1 << 40) - 1;

    fn of(expiry: Expiry) -> Self {
        // Out of range is brought in, which can only make a key expire early.
        let ms = expiry
            .instant()
            .map_or(Self::NEVER, |at| at.0.saturating_sub(Self::BASE).clamp(0, Self::NEVER - 1));
        let [_, _, _, bytes @ ..] = ms.to_be_bytes();
        Self(bytes)
    }

    fn expiry(self) -> Expiry {
        match self.0.iter().fold(0, |ms, byte| ms << 8 | i64::from(*byte)) {
            Self::NEVER => Expiry::Never,
            ms => Expiry::At(Timestamp(Self::BASE + ms)),
        }
    }
}

/// Where the search for an id begins: the same in every table, whatever its size.
#[derive(Clone, Copy)]
pub struct Spot {
    home: u32,
    part: u32,
}

impl Spot {
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
    name: &'t str,
}

/// The table. Slots are never freed: a deleted key keeps its slot, closed.
pub struct Table {
    slots: Vec<Slot>,
    // The name of the key in the slot at the same place: the one thing a caller is told that no other key shares.
    names: Vec<Option<Name>>,
    used: usize,
}

/// Stands for a pepper this table cannot name; no verifier has it.
const UNKNOWN_PEPPER: u8 = 0;

/// In a slot a reason is its place here plus one, in four bits; the last number stands for one that has no place.
const NO_REASON: u8 = 15;
const _: () = assert!(REASONS.len() < NO_REASON as usize);

const REASONS: [Reason; 13] = [
    Reason::Malformed,
    Reason::Unknown,
    Reason::MacMismatch,
    Reason::KindMismatch,
    Reason::Revoked,
    Reason::Disabled,
    Reason::Tombstoned,
    Reason::Expired,
    Reason::OwnerDisabled,
    Reason::LocationDisabled,
    Reason::Scope,
    Reason::StoreError,
    Reason::AppDisabled,
];

impl Table {
    /// A table with room for `keys`.
    pub fn with_capacity(keys: usize) -> Self {
        let size = (keys * 7 / 4).max(8);
        Self { slots: empty(size), names: vec![None; size], used: 0 }
    }

    /// Asks for the lines a spot leads to, without waiting for them. Two slots, because every other key lives in the
    /// one after its first choice or further on.
    pub fn touch(&self, spot: Spot) {
        let home = spot.home(self.slots.len());
        prefetch_index(&self.slots, home);
        prefetch_index(&self.slots, home + 1);
        prefetch_index(&self.names, home);
    }

    /// The slot of an id, searched from its spot.
    pub fn find(&self, spot: Spot, id: &PublicId) -> Option<Hit<'_>> {
        let at = self.probe(spot, id.as_bytes()).ok()?;
        let name = self.names.get(at).and_then(Option::as_ref).map_or("", Name::as_str);
        prefetch_index(name.as_bytes(), 0);
        self.slots.get(at).map(|slot| Hit { slot, name })
    }

    /// `Ok` with the slot of the id, `Err` with the empty one where it belongs.
    fn probe(&self, spot: Spot, id: &[u8; 12]) -> Result<usize, usize> {
        let mut at = spot.home(self.slots.len());
        loop {
            match self.slots.get(at) {
                Some(slot) if slot.is_empty() => return Err(at),
                Some(slot) if slot.id == *id => return Ok(at),
                Some(_) => at += 1,
                // Never full, so an empty slot is always met.
                None => at = 0,
            }
        }
    }

    /// Puts a key in, or replaces what was known of it.
    pub fn put(&mut self, id: KeyId, name: &Name, verifier: &Verifier, gate: Gate) {
        // At most two thirds full: beyond, searches grow long.
        if (self.used + 1) * 3 > self.slots.len() * 2 {
            self.grow();
        }
        let id = id.public();
        let at = match self.probe(Spot::of(id), id.as_bytes()) {
            Ok(at) => at,
            Err(at) => {
                self.used += 1;
                at
            }
        };
        let (Some(slot), Some(place)) = (self.slots.get_mut(at), self.names.get_mut(at)) else { return };
        *place = Some(name.clone());
        // What was noted of its use stays.
        slot.digest = verifier.digest;
        slot.id = *id.as_bytes();
        slot.terms = TermsIndex::of(gate.terms);
        slot.expires = Deadline::of(gate.expiry);
        slot.pepper = u8::try_from(verifier.pepper).unwrap_or(UNKNOWN_PEPPER);
        slot.kind_and_closed = (gate.kind + 1) << 4 | gate.closed.map_or(0, code_of);
    }

    fn grow(&mut self) {
        let size = self.slots.len() * 3 / 2;
        let old = std::mem::replace(&mut self.slots, empty(size));
        let names = std::mem::replace(&mut self.names, vec![None; size]);
        for (slot, name) in old.into_iter().zip(names).filter(|(slot, _)| !slot.is_empty()) {
            let Some(id) = PublicId::from_bytes(slot.id) else { continue };
            if let Err(at) = self.probe(Spot::of(&id), &slot.id)
                && let (Some(place), Some(its)) = (self.slots.get_mut(at), self.names.get_mut(at))
            {
                (*place, *its) = (slot, name);
            }
        }
    }
}

fn empty(size: usize) -> Vec<Slot> {
    let mut slots = Vec::new();
    slots.resize_with(size, Slot::default);
    slots
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
    pub const fn name(self) -> &'t str {
        self.name
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

    /// Takes how often it was used since the last time.
    pub fn take_uses(self) -> Usage {
        // The count first: a use that comes in between starts a new count and is taken next time.
        let count = self.slot.uses.swap(0, Ordering::AcqRel);
        Usage { last_used_at: (count > 0).then(|| self.last_used()), count: u64::from(count) }
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
        table.find(Spot::of(id), id).map(|h| h.gate().terms)
    }

    #[test]
    fn a_slot_is_one_line_of_memory() {
        assert_eq!(size_of::<Slot>(), 64);
        assert_eq!(align_of::<Slot>(), 64);
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
            assert_eq!(table.find(Spot::of(&id(n)), &id(n)).unwrap().name(), format!("key {n}"));
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
            let hit = table.find(Spot::of(&id(1)), &id(1)).unwrap();
            assert_eq!(hit.gate(), shut);
        }
        assert_eq!(table.used, 1);
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

    #[test]
    fn uses_are_noted_once_and_taken_once() {
        let mut table = Table::with_capacity(1);
        table.put(KeyId(id(1)), &name(1), &Verifier { digest: [1; 32], pepper: 1 }, gate(0));
        let hit = table.find(Spot::of(&id(1)), &id(1)).unwrap();
        table.touch(Spot::of(&id(1)));
        assert!(hit.note_use(Timestamp(10_000)));
        assert!(!hit.note_use(Timestamp(9_999)));
        assert_eq!(hit.take_uses(), Usage { last_used_at: Some(Timestamp(10_000)), count: 2 });
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
        let hit = table.find(Spot::of(&id(0)), &id(0)).unwrap();
        assert!(hit.note_scopes(&held, &[scope("a.s03"), scope("a.s15")]));
        assert!(hit.note_scopes(&held, &[scope("a.s03")]));
        assert!(!hit.note_scopes(&held, &[scope("a.s16")]), "this one has no bit");
        (1..1_000).for_each(|n| put(&mut table, n));
        let hit = table.find(Spot::of(&id(0)), &id(0)).unwrap();
        assert_eq!(hit.take_scopes(&held), [scope("a.s03"), scope("a.s15")]);
        assert_eq!(hit.take_scopes(&held), []);
    }
}
