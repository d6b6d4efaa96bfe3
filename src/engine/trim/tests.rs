//! Whatever the whole trail proved, the trimmed one proves; whatever is done to what is left of it is noticed; and wherever it
//! breaks off, the trail is whole.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::crypto::random::OsEntropy;
use crate::domain::{Catalog, Expiry, KeyId, Name, NewKey, Note, Place, RecordKey, Timestamp};
use crate::engine::audit_log::{Integrity, Older};
use crate::engine::clock::TestClock;
use crate::engine::load::{Loaded, Witness, load};
use crate::engine::open::{Open, in_store};
use crate::engine::rows::AUDIT;
use crate::engine::{Patience, Sweeping, Via};
use crate::store::{
    Entry as Row, Guard, Health, MemoryStore, Op, Page, Rev, RowView, Seal, SealError, Store, Watch,
};

const FILE: &str = "/mnt/other/trail.jsonl";

/// A store that takes so many changes and no more.
struct Failing {
    inner: MemoryStore,
    left: AtomicUsize,
}

impl Default for Failing {
    fn default() -> Self {
        Self { inner: MemoryStore::new(), left: AtomicUsize::new(usize::MAX) }
    }
}

impl Failing {
    fn takes(&self) -> bool {
        let one_less = |left: usize| Some(if left == usize::MAX { left } else { left.saturating_sub(1) });
        self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok_and(|left| left > 0)
    }

    fn give(&self, changes: usize) {
        self.left.store(changes, Ordering::SeqCst);
    }
}

impl Store for Failing {
    fn get(&self, key: &[u8]) -> Result<Option<Row>, StoreError> {
        self.inner.get(key)
    }

    fn range(&self, range: &KeyRange, after: Option<&[u8]>, limit: usize) -> Result<Page, StoreError> {
        self.inner.range(range, after, limit)
    }

    fn range_back(&self, range: &KeyRange, before: Option<&[u8]>, limit: usize) -> Result<Page, StoreError> {
        self.inner.range_back(range, before, limit)
    }

    fn scan(
        &self,
        prefix: &[u8],
        row: &mut dyn FnMut(RowView<'_>) -> ControlFlow<()>,
    ) -> Result<Rev, StoreError> {
        self.inner.scan(prefix, row)
    }

    fn commit(&self, guards: &[Guard], ops: &[Op]) -> Result<Rev, CommitError> {
        if self.takes() {
            self.inner.commit(guards, ops)
        } else {
            Err(CommitError::Unavailable("full".into()))
        }
    }

    fn watch(&self, prefix: &[u8], from: Rev) -> Watch {
        self.inner.watch(prefix, from)
    }

    fn write_seal(&self, seal: &Seal) -> Result<(), SealError> {
        self.inner.write_seal(seal)
    }

    fn read_seal(&self) -> Result<Option<Seal>, SealError> {
        self.inner.read_seal()
    }

    fn health(&self) -> Health {
        self.inner.health()
    }
}

struct House {
    store: Arc<Failing>,
    open: Open,
    keys: Vec<KeyId>,
}

impl House {
    fn founded() -> Self {
        let store = Arc::new(Failing::default());
        let clock = Arc::new(TestClock::at(Timestamp(1_790_000_000_000)));
        let (own, acme, maria) = (Arc::clone(&store) as Arc<dyn Store>, name("Acme"), name("maria"));
        let open = in_store(own, acme, maria, clock, Via::CommandLine, Box::new(OsEntropy)).unwrap();
        Self { store, open, keys: Vec::new() }
    }

    fn does(&self, command: Command) -> Result<Done, EngineError> {
        self.open.engine.execute(&self.open.session, command)
    }

    /// Something happens to some record, or to none.
    fn lives(&mut self, roll: &mut impl FnMut(usize) -> usize) {
        let key = (!self.keys.is_empty()).then(|| self.keys[roll(self.keys.len())]);
        // What is refused is an entry too.
        let _done = match (roll(6), key) {
            (0, _) | (_, None) if self.keys.len() < 9 => {
                let new = NewKey {
                    name: name(&format!("Till {}", self.keys.len())),
                    place: Place::Agency,
                    scopes: vec!["contacts.read".into()],
                    expiry: Some(Expiry::Never),
                    note: Note::default(),
                    decoy: false,
                };
                let done = self.does(Command::IssueKey(new)).unwrap();
                self.keys.push(KeyId(done.token.unwrap().id()));
                return;
            }
            (1, Some(key)) => self.does(Command::PauseKey(key, None)),
            (2, Some(key)) => self.does(Command::ResumeKey(key)),
            (3, Some(key)) => self.does(Command::revoke(key)),
            (4, _) => self.does(Command::AddLocations(vec![name(&format!("Place {}", roll(4)))])),
            _ => self.does(Command::ReadAudit),
        };
    }

    fn last(&self) -> u64 {
        self.open.engine.ledger().head().seq
    }

    fn trims(&self, upto: u64) -> Result<Done, EngineError> {
        let head = self.open.engine.audit_hash(&self.open.session, upto).unwrap().unwrap_or_default();
        self.does(Command::TrimAudit { upto, head, file: FILE.into() })
    }

    fn rows(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let mut rows = BTreeMap::new();
        let row = &mut |row: RowView<'_>| {
            rows.insert(row.key.to_vec(), row.value.to_vec());
            ControlFlow::Continue(())
        };
        self.store.inner.scan(b"", row).unwrap();
        rows
    }

    /// What somebody reads of these rows who opens the store.
    fn read(&self, rows: &BTreeMap<Vec<u8>, Vec<u8>>, seal: Option<&Seal>) -> Loaded {
        let store = MemoryStore::new();
        for (key, value) in rows {
            store.commit(&[], &[Op::Put(key.clone(), value.clone())]).unwrap();
        }
        load(
            &store,
            &self.open.engine.keyring,
            Catalog::builtin(),
            Witness::of_seal(seal),
            &Patience::default(),
        )
        .unwrap()
    }

    fn seal(&self) -> Seal {
        self.open.engine.ledger().seal()
    }

    fn is_whole(&self) -> bool {
        let report = self.open.engine.check_audit(&self.open.session).unwrap();
        let read = self.read(&self.rows(), Some(&self.seal()));
        assert!(report.faults.is_empty() && read.doubts.is_empty(), "{:?} {:?}", report.faults, read.doubts);
        report.integrity == Integrity::Intact
    }
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// Chance that can be told by its seed.
fn dice(seed: u64) -> impl FnMut(usize) -> usize {
    let mut word = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move |sides| {
        word ^= word >> 12;
        word ^= word << 25;
        word ^= word >> 27;
        usize::try_from(word.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap() % sides.max(1)
    }
}

fn said(read: &Loaded) -> Vec<&str> {
    read.doubts.iter().map(|doubt| doubt.what.as_str()).collect()
}

/// The rows of entries that are in the trail.
fn trail(rows: &BTreeMap<Vec<u8>, Vec<u8>>) -> Vec<Vec<u8>> {
    rows.keys().filter(|key| key.starts_with(AUDIT)).cloned().collect()
}

#[test]
fn whatever_was_proven_before_a_trimming_is_proven_after_it_and_doubts_name_the_same() {
    for seed in 0..10 {
        let (mut house, mut roll) = (House::founded(), dice(seed));
        let past = house.rows();
        let mut older = Vec::new();
        for _ in 0..4 {
            for _ in 0..roll(12) + 2 {
                house.lives(&mut roll);
            }
            let (before, seal) = (house.rows(), house.seal());
            let (records, base) = (
                before.keys().filter(|key| RecordKey::parse(key).is_some()).cloned().collect::<Vec<_>>(),
                house.open.engine.ledger().trimmed().map_or(0, |trimmed| trimmed.upto),
            );
            let upto = base + 1 + u64::try_from(roll(usize::try_from(house.last() - base).unwrap())).unwrap();
            house.trims(upto).unwrap();
            assert!(house.is_whole(), "seed {seed}");
            let (after, new_seal) = (house.rows(), house.seal());
            let first = trail(&after).into_iter().next().and_then(|key| seq_of(&key));
            assert_eq!(first, Some(upto + 1), "seed {seed}: what was taken out is not there");
            older.push(before.clone());
            for _ in 0..4 {
                let record = &records[roll(records.len())];
                let junk = b"junk".to_vec();
                let mut forms = vec![None, Some(junk)];
                forms.extend(past.get(record).cloned().map(Some));
                forms.extend(older.iter().filter_map(|rows| rows.get(record).cloned().map(Some)));
                let other = &records[roll(records.len())];
                forms.push(before.get(other).cloned());
                for form in forms {
                    let done_to = |rows: &BTreeMap<Vec<u8>, Vec<u8>>| {
                        let mut rows = rows.clone();
                        match &form {
                            Some(value) => drop(rows.insert(record.clone(), value.clone())),
                            None => drop(rows.remove(record)),
                        }
                        rows
                    };
                    let was = house.read(&done_to(&before), Some(&seal));
                    let is = house.read(&done_to(&after), Some(&new_seal));
                    assert_eq!(said(&was), said(&is), "seed {seed}, {}", String::from_utf8_lossy(record));
                    for key in was.state.keys() {
                        assert_eq!(was.proof.of_key(key), is.proof.of_key(key), "seed {seed}, {}", key.name);
                    }
                }
            }
        }
    }
}

#[test]
fn each_byte_of_what_is_left_counts_and_no_entry_can_go_or_come_back() {
    let (mut house, mut roll) = (House::founded(), dice(7));
    for _ in 0..20 {
        house.lives(&mut roll);
    }
    let whole = house.rows();
    house.trims(house.last()).unwrap();
    house.does(Command::ReadAudit).unwrap();
    let (rows, seal, sealer) = (house.rows(), house.seal(), house.open.engine.keyring.sealer());
    let entries = trail(&rows);
    assert_eq!(entries.len(), 3, "what is said again, what tells of it, and one after it");
    let proves = |rows: &BTreeMap<Vec<u8>, Vec<u8>>, changed: Option<(&Vec<u8>, Vec<u8>)>| {
        let store = MemoryStore::new();
        for key in trail(rows) {
            let value = changed.as_ref().filter(|(at, _)| **at == key).map(|(_, value)| value);
            store.commit(&[], &[Op::Put(key.clone(), value.unwrap_or(&rows[&key]).clone())]).unwrap();
        }
        let trail = Trail::of(&store, &house.open.engine.keyring, &sealer);
        let newest = trail.newest().unwrap();
        let readable = matches!(newest.vouched, Some(Ok(_)));
        let said = trail.testimony(newest.head, newest.base()).unwrap();
        let sealed = trail.check_seal(&house.open.engine.keyring, (newest.head, newest.base()), Some(&seal));
        readable && said.is_whole() && sealed.unwrap().is_none()
    };
    assert!(proves(&rows, None));
    for key in &entries {
        for at in 0..rows[key].len() {
            let mut value = rows[key].clone();
            value[at] ^= 1 << (at % 8);
            assert!(!proves(&rows, Some((key, value))), "{} byte {at}", String::from_utf8_lossy(key));
        }
        let mut less = rows.clone();
        less.remove(key);
        assert!(!proves(&less, None), "{} is gone", String::from_utf8_lossy(key));
    }
    // The trail as it was before, with its own entries: the seal knows better.
    assert!(!proves(&whole, None));
    // What was taken out does no harm when somebody brings it back.
    let mut both = whole.clone();
    both.extend(rows.clone());
    assert!(proves(&both, None));
    assert!(house.read(&both, Some(&seal)).doubts.is_empty());
}

#[test]
fn wherever_it_breaks_off_the_trail_is_whole_and_the_rest_is_done_later() {
    let mut done = false;
    for changes in 0..40 {
        let (mut house, mut roll) = (House::founded(), dice(3));
        for _ in 0..230 {
            house.lives(&mut roll);
        }
        let (upto, before) = (house.last() - 5, house.rows());
        house.store.give(changes);
        let answer = house.trims(upto);
        house.store.give(usize::MAX);
        let left = trail(&house.rows()).into_iter().filter(|key| seq_of(key) <= Some(upto)).count();
        let trimmed = house.open.engine.ledger().trimmed().map(|trimmed| trimmed.upto);
        assert_eq!(answer.is_ok(), trimmed == Some(upto), "after {changes} changes");
        assert!(trimmed.is_some() || trail(&before).iter().all(|key| house.rows().contains_key(key)));
        // As whoever opens it now would find it, with the seal as it is.
        let read = house.read(&house.rows(), Some(&house.seal()));
        assert!(read.doubts.is_empty(), "after {changes} changes: {:?}", read.doubts);
        assert_eq!(read.trimmed.map(|trimmed| trimmed.upto), trimmed);
        assert!(house.is_whole());
        if trimmed.is_none() {
            house.trims(upto).unwrap();
        } else {
            house.open.engine.sweep(&house.open.session, Sweeping::Do).unwrap();
        }
        assert!(house.is_whole());
        assert_eq!(trail(&house.rows()).first().and_then(|key| seq_of(key)), Some(upto + 1));
        done = answer.is_ok() && left == 0;
        if done {
            break;
        }
    }
    assert!(done, "it never came to its end");
}

#[test]
fn the_trail_says_where_older_entries_are_and_what_cannot_go_stays() {
    let (mut house, mut roll) = (House::founded(), dice(5));
    for _ in 0..20 {
        house.lives(&mut roll);
    }
    let kept = |answer: Result<Done, EngineError>| {
        assert!(matches!(answer, Err(EngineError::Refused(Refusal::TrailKept(_)))), "{:?}", answer.err());
    };
    kept(house.does(Command::TrimAudit { upto: 9, head: "00".repeat(32), file: FILE.into() }));
    kept(house.trims(house.last() + 9));
    let (engine, session) = (&house.open.engine, &house.open.session);
    let (own, genesis) = (engine.audit_hash(session, 9).unwrap(), engine.audit_hash(session, 0).unwrap());
    house.trims(9).unwrap();
    kept(house.trims(9));
    assert_eq!(engine.audit_hash(session, 9).unwrap(), own, "the chain goes on from it");
    assert_eq!(
        (engine.audit_hash(session, 8).unwrap(), engine.audit_hash(session, 0).unwrap()),
        (None, genesis)
    );
    let span = engine.span(session).unwrap();
    assert_eq!((span.first, span.last), (10, house.last()));
    let says = |older: &Older| {
        let told = older.told.clone().unwrap();
        assert_eq!((older.upto, told.file.as_str(), told.by.as_str()), (9, FILE, "maria"));
        assert!(older.in_words(|_| "then".into()).contains("before then"));
    };
    says(&span.older.unwrap());
    let page = engine.audit(session, None, 5, None).unwrap();
    assert!(page.next.is_some() && page.older.is_none(), "there is more to read");
    let page = engine.audit(session, page.next, 1_000, None).unwrap();
    assert_eq!(page.lines.last().unwrap().entry.seq, 10);
    says(&page.older.unwrap());
    // Of one key too.
    says(&engine.audit(session, None, 1_000, Some(house.keys[0])).unwrap().older.unwrap());
}
