//! What is known of the use of keys and apps. Of a key it lies at the place the key has on the shelf, so that a million keys
//! cost 32 bytes each and no search of their own; of all else, under its id.

use std::collections::HashMap;

use super::shelf::ShelfMark;
use super::{PublicId, Timestamp, Trace, Usage};

/// Use of one of them, small.
#[derive(Clone, Debug)]
struct Used {
    last: i64,
    first: i64,
    count: u64,
    // Of most keys of most stores none left more than a time.
    trace: Option<Box<Trace>>,
}

/// Stands for no time.
const NEVER: i64 = i64::MIN;

impl Default for Used {
    fn default() -> Self {
        Self { last: NEVER, first: NEVER, count: 0, trace: None }
    }
}

impl Used {
    fn usage(&self) -> Usage {
        let time = |at: i64| (at != NEVER).then_some(Timestamp(at));
        Usage { last_used_at: time(self.last), count: self.count, first_used_at: time(self.first) }
    }

    fn set(&mut self, usage: Usage) {
        let time = |at: Option<Timestamp>| at.map_or(NEVER, |at| at.0);
        (self.last, self.first, self.count) =
            (time(usage.last_used_at), time(usage.first_used_at), usage.count);
    }
}

/// Under what use is noted: an id, and of a key its place.
#[derive(Clone, Copy, Debug)]
pub struct Under {
    /// The id.
    pub id: PublicId,
    /// Of a key that is there.
    pub place: Option<ShelfMark>,
}

/// The use of all of them.
#[derive(Clone, Debug, Default)]
pub struct AllUsed {
    of_keys: Vec<Used>,
    // Of apps and their secrets: their public ids are random, and so never the same as a key's. And of keys not read yet.
    others: HashMap<PublicId, Used>,
}

impl AllUsed {
    /// Makes room for so many more keys.
    pub fn reserve(&mut self, keys: usize) {
        self.of_keys.reserve(keys);
    }

    /// A key has come that lies there: what was noted under its id goes with it.
    pub fn place(&mut self, whose: Under) {
        if !self.others.is_empty()
            && let Some(used) = self.others.remove(&whose.id)
        {
            *self.entry(whose) = used;
        }
    }

    /// When and how often something was used.
    pub fn usage(&self, whose: Under) -> Usage {
        self.get(whose).map_or_else(Usage::default, Used::usage)
    }

    /// Puts what is known of that in place of what was.
    pub fn set_usage(&mut self, whose: Under, usage: Usage) {
        self.entry(whose).set(usage);
    }

    /// What its use left behind; nothing when no request ever said.
    pub fn trace(&self, whose: Under) -> Option<&Trace> {
        self.get(whose)?.trace.as_deref()
    }

    /// The same, to change it.
    pub fn trace_mut(&mut self, whose: Under) -> Option<&mut Trace> {
        match whose.place {
            Some(place) => self.of_keys.get_mut(place.index()),
            None => self.others.get_mut(&whose.id),
        }
        .and_then(|used| used.trace.as_deref_mut())
    }

    /// Puts another in its place.
    pub fn set_trace(&mut self, whose: Under, trace: Option<Trace>) {
        self.entry(whose).trace = trace.map(Box::new);
    }

    fn get(&self, whose: Under) -> Option<&Used> {
        match whose.place {
            Some(place) => self.of_keys.get(place.index()),
            None => self.others.get(&whose.id),
        }
    }

    fn entry(&mut self, Under { id, place }: Under) -> &mut Used {
        let Some(place) = place.map(ShelfMark::index) else { return self.others.entry(id).or_default() };
        if self.of_keys.len() <= place {
            self.of_keys.resize_with(place + 1, Used::default);
        }
        match self.of_keys.get_mut(place) {
            Some(used) => used,
            // It was just made.
            None => self.others.entry(id).or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        Expiry, Key, KeyId, Name, Note, OperatorId, Place, Record, Scopes, State, Status, Verifier,
    };
    use super::*;
    use crate::domain::trace::Sighting;

    fn id(last: u8) -> PublicId {
        let mut id = *b"111111111111";
        id[11] = last;
        PublicId::from_bytes(id).unwrap()
    }

    fn key(last: u8) -> Record {
        Record::Key(Key {
            id: KeyId(id(last)),
            name: Name::new("Relay").unwrap(),
            place: Place::Agency,
            owner: OperatorId(PublicId::NOBODY),
            scopes: Scopes::default(),
            note: Note::default(),
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
        })
    }

    #[test]
    fn a_use_is_the_same_whether_its_key_was_read_before_or_after_it_and_no_other_has_it() {
        let usage = Usage { last_used_at: Some(Timestamp(9)), count: 3, first_used_at: Some(Timestamp(2)) };
        let seen = Trace::presented_by(Sighting { at: Timestamp(9), address: None, agent: None });
        for first in [true, false] {
            let mut state = State::default();
            state.put(key(b'a'));
            if first {
                state.put(key(b'b'));
            }
            state.merge_use(id(b'b'), usage);
            state.put_use(id(b'c'), usage, Some(seen.clone()));
            if !first {
                assert_eq!(state.usage_of(id(b'b')), usage, "nobody knows yet of what it is");
                state.put(key(b'b'));
            }
            assert_eq!(state.usage(KeyId(id(b'b'))), usage);
            assert_eq!(state.usage(KeyId(id(b'a'))), Usage::default());
            state.put(key(b'c'));
            assert_eq!((state.usage(KeyId(id(b'c'))), state.trace(KeyId(id(b'c')))), (usage, Some(&seen)));
            state.merge_use(id(b'b'), usage);
            assert_eq!(state.usage(KeyId(id(b'b'))).count, 6);
            assert!(state.trace(KeyId(id(b'b'))).is_none());
        }
    }
}
