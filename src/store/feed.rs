//! The change feed: a ring of the last commits that watchers read at their own pace.
//!
//! Writers push and never wait; a watcher holds only the revision it has read up to. One that falls behind the
//! ring is told to list again. Nothing here touches a disk.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::rows::{Entry, Rev};

/// Commits the ring keeps at most.
const RING_COMMITS: usize = 4096;
/// Bytes of keys and values the ring keeps at most.
const RING_BYTES: usize = 8 * 1024 * 1024;

/// What one commit did to one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The key.
    pub key: Vec<u8>,
    /// What happened to it.
    pub change: Change,
}

/// The kind of change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Created or replaced; the new entry.
    Put(Entry),
    /// Removed.
    Deleted,
}

/// What a watcher is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Update {
    /// The watched changes of one commit, in the order of its operations.
    Batch {
        /// The commit's revision.
        rev: Rev,
        /// Never empty.
        events: Vec<Event>,
    },
    /// Changes up to and including `oldest` may have been missed: list again. Batches after `oldest` follow;
    /// skip those the new list already holds.
    Relist {
        /// The revision after which the feed is whole again.
        oldest: Rev,
    },
    /// The feed has ended: the store was closed.
    Lost,
}

/// A reader's place in the change feed. Dropping it costs the writers nothing.
#[derive(Debug)]
pub struct Watch {
    feed: Arc<Feed>,
    prefix: Vec<u8>,
    seen: Rev,
}

impl Watch {
    /// The next update if one is there already.
    pub fn try_next(&mut self) -> Option<Update> {
        let feed = Arc::clone(&self.feed);
        self.advance(&feed.lock())
    }

    /// The next update, waiting up to `patience` for it.
    pub fn next_within(&mut self, patience: Duration) -> Option<Update> {
        let deadline = Instant::now().checked_add(patience);
        let feed = Arc::clone(&self.feed);
        let mut ring = feed.lock();
        loop {
            if let Some(update) = self.advance(&ring) {
                return Some(update);
            }
            let left = match deadline {
                Some(deadline) => deadline.checked_duration_since(Instant::now())?,
                None => Duration::MAX,
            };
            (ring, _) = feed.news.wait_timeout(ring, left).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The revision up to which this watcher has seen everything.
    #[must_use]
    pub fn seen(&self) -> Rev {
        self.seen
    }

    fn advance(&mut self, ring: &Ring) -> Option<Update> {
        if self.seen < ring.base || self.seen > ring.newest() {
            // Behind the ring, or ahead of a store that went back.
            self.seen = ring.newest();
            return Some(Update::Relist { oldest: self.seen });
        }
        // Revisions in the ring have no gaps, so the place of a revision is its distance from the base.
        let skip = usize::try_from(self.seen.0 - ring.base.0).unwrap_or(usize::MAX);
        for batch in ring.batches.iter().skip(skip) {
            self.seen = batch.rev;
            let events: Vec<_> =
                batch.events.iter().filter(|event| event.key.starts_with(&self.prefix)).cloned().collect();
            if !events.is_empty() {
                return Some(Update::Batch { rev: batch.rev, events });
            }
        }
        ring.closed.then_some(Update::Lost)
    }
}

/// One commit in the ring.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    pub(super) rev: Rev,
    pub(super) events: Vec<Event>,
}

impl Batch {
    fn weight(&self) -> usize {
        let of = |event: &Event| {
            64 + event.key.len()
                + match &event.change {
                    Change::Put(entry) => entry.value.len(),
                    Change::Deleted => 0,
                }
        };
        self.events.iter().map(of).sum()
    }
}

/// The writers' side of the feed.
#[derive(Debug)]
pub(super) struct Feed {
    ring: Mutex<Ring>,
    news: Condvar,
}

#[derive(Debug)]
struct Ring {
    /// Everything after this revision is in `batches`.
    base: Rev,
    batches: VecDeque<Batch>,
    weight: usize,
    closed: bool,
}

impl Ring {
    fn newest(&self) -> Rev {
        self.batches.back().map_or(self.base, |batch| batch.rev)
    }
}

impl Feed {
    /// A feed that starts behind `rev`.
    pub(super) fn new(rev: Rev) -> Arc<Self> {
        let ring = Ring { base: rev, batches: VecDeque::new(), weight: 0, closed: false };
        Arc::new(Self { ring: Mutex::new(ring), news: Condvar::new() })
    }

    /// Publishes durable commits, oldest first, without gaps.
    pub(super) fn publish(&self, batches: Vec<Batch>) {
        let mut ring = self.lock();
        for batch in batches {
            ring.weight += batch.weight();
            ring.batches.push_back(batch);
            while ring.batches.len() > RING_COMMITS || ring.weight > RING_BYTES {
                let Some(oldest) = ring.batches.pop_front() else { break };
                ring.weight -= oldest.weight();
                ring.base = oldest.rev;
            }
        }
        drop(ring);
        self.news.notify_all();
    }

    /// Starts over behind `rev`, because what lies between is not known: every watcher must list again.
    pub(super) fn restart(&self, rev: Rev) {
        let mut ring = self.lock();
        ring.base = rev;
        ring.batches.clear();
        ring.weight = 0;
        drop(ring);
        self.news.notify_all();
    }

    /// Ends the feed: watchers read what is left, then learn that it is over.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.news.notify_all();
    }

    /// A watcher of `prefix` that has seen everything up to `from`.
    pub(super) fn watch(self: &Arc<Self>, prefix: &[u8], from: Rev) -> Watch {
        Watch { feed: Arc::clone(self), prefix: prefix.to_vec(), seen: from }
    }

    /// The keys under `prefix` put after `rev`, or `None` when the ring does not reach back that far.
    pub(super) fn put_since(&self, prefix: &[u8], rev: Rev) -> Option<Vec<Vec<u8>>> {
        let ring = self.lock();
        if rev < ring.base {
            return None;
        }
        let newer = ring.batches.iter().rev().take_while(|batch| batch.rev > rev);
        let put = newer
            .flat_map(|batch| &batch.events)
            .filter(|event| matches!(event.change, Change::Put(_)) && event.key.starts_with(prefix));
        Some(put.map(|event| event.key.clone()).collect())
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(rev: u64, key: &[u8]) -> Batch {
        let entry = Entry { value: vec![7; 100], create_rev: Rev(rev), mod_rev: Rev(rev) };
        Batch { rev: Rev(rev), events: vec![Event { key: key.to_vec(), change: Change::Put(entry) }] }
    }

    #[test]
    fn a_reader_that_fell_behind_lists_again_and_is_exact_from_there() {
        let feed = Feed::new(Rev(0));
        let mut watch = feed.watch(b"k/", Rev(0));
        for rev in 1..=(RING_COMMITS as u64 + 5) {
            feed.publish(vec![put(rev, b"k/1")]);
        }
        let newest = Rev(RING_COMMITS as u64 + 5);
        assert_eq!(watch.try_next(), Some(Update::Relist { oldest: newest }));
        assert_eq!(watch.try_next(), None);
        feed.publish(vec![put(newest.0 + 1, b"other"), put(newest.0 + 2, b"k/2")]);
        assert!(matches!(watch.try_next(), Some(Update::Batch { rev, .. }) if rev.0 == newest.0 + 2));
    }

    #[test]
    fn a_closed_feed_is_read_to_its_end_first() {
        let feed = Feed::new(Rev(3));
        let mut watch = feed.watch(b"", Rev(3));
        feed.publish(vec![put(4, b"a")]);
        feed.close();
        assert!(matches!(watch.try_next(), Some(Update::Batch { rev: Rev(4), .. })));
        assert_eq!(watch.next_within(Duration::from_secs(60)), Some(Update::Lost));
    }

    #[test]
    fn a_restart_sends_every_reader_back_to_the_list() {
        let feed = Feed::new(Rev(3));
        let mut current = feed.watch(b"", Rev(3));
        feed.restart(Rev(5));
        assert_eq!(current.try_next(), Some(Update::Relist { oldest: Rev(5) }));
        let mut ahead = feed.watch(b"", Rev(9));
        assert_eq!(ahead.try_next(), Some(Update::Relist { oldest: Rev(5) }));
    }

    #[test]
    fn what_was_put_since_is_known_only_as_far_as_the_ring_reaches() {
        let feed = Feed::new(Rev(10));
        feed.publish(vec![put(11, b"k/1"), put(12, b"x/1"), put(13, b"k/2")]);
        assert_eq!(feed.put_since(b"k/", Rev(11)), Some(vec![b"k/2".to_vec()]));
        assert_eq!(feed.put_since(b"k/", Rev(13)), Some(vec![]));
        assert_eq!(feed.put_since(b"k/", Rev(9)), None);
    }
}
