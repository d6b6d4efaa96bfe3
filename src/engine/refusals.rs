//! Commands that were refused. The first of its kind is written into the trail at once; those like it that follow are
//! counted for a minute at a time and then told together, so that asking again and again costs a counter and not a
//! disk. There are no more kinds than operators, commands and reasons, and only an admin can make more operators.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::denials::WINDOW_MS;
use crate::domain::audit::{Entry, TriesLine};
use crate::domain::{OperatorId, Timestamp};

/// Who wanted what, and why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Kind {
    pub operator: OperatorId,
    pub command: &'static str,
    pub reason: &'static str,
}

/// Those of one kind since one was written by itself or told with others.
struct Run {
    since: Timestamp,
    /// Those that are not told, with the newest as it would be told alone.
    repeats: Option<(Entry, TriesLine)>,
}

impl Run {
    fn is_over(&self, now: Timestamp) -> bool {
        // A clock that was put back must not hold them for as long as it was ahead.
        !(0..WINDOW_MS).contains(&now.since(self.since))
    }

    fn count(&mut self, entry: Entry, now: Timestamp) {
        match &mut self.repeats {
            None => {
                let (first, last) = (now.0, now.0);
                let tries = TriesLine {
                    n: 1,
                    first,
                    last,
                    address: None,
                    agent: None,
                    scope: None,
                    tokens: Vec::new(),
                };
                self.repeats = Some((entry, tries));
            }
            Some((newest, tries)) => {
                tries.n = tries.n.saturating_add(1);
                tries.last = tries.last.max(now.0);
                // Told together they are about what all of them were about.
                let subjects = std::mem::take(&mut newest.subjects);
                *newest = entry;
                if newest.subjects != subjects {
                    newest.subjects.clear();
                }
            }
        }
    }
}

/// Where refused commands are counted.
#[derive(Default)]
pub(super) struct Refusals {
    runs: Mutex<HashMap<Kind, Run>>,
}

impl Refusals {
    fn runs(&self) -> MutexGuard<'_, HashMap<Kind, Run>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a refusal as it would be told alone, and gives it back when it must be written now.
    pub fn note(&self, kind: Kind, entry: Entry, now: Timestamp) -> Option<Entry> {
        let mut runs = self.runs();
        match runs.get_mut(&kind) {
            Some(run) if run.repeats.is_some() || !run.is_over(now) => {
                run.count(entry, now);
                None
            }
            _ => {
                runs.insert(kind, Run { since: now, repeats: None });
                Some(entry)
            }
        }
    }

    /// Whether some wait to be told.
    pub fn wait(&self) -> bool {
        self.runs().values().any(|run| run.repeats.is_some())
    }

    /// Takes those that have waited long enough, or all of them; each stands for all of its kind.
    pub fn take(&self, now: Timestamp, all: bool) -> Vec<(Kind, Entry)> {
        let mut runs = self.runs();
        runs.retain(|_, run| run.repeats.is_some() || !run.is_over(now));
        let mut taken: Vec<(Kind, Entry)> = Vec::new();
        for (kind, run) in runs.iter_mut().filter(|(_, run)| all || run.is_over(now)) {
            if let Some((entry, tries)) = run.repeats.take() {
                run.since = now;
                taken.push((*kind, Entry { at: now.0, tries: Some(tries), ..entry }));
            }
        }
        taken.sort_by_key(|(kind, entry)| {
            (entry.tries.as_ref().map(|tries| tries.first), kind.operator, kind.command, kind.reason)
        });
        taken
    }

    /// Puts back what could not be written, before what came since.
    pub fn put_back(&self, untold: Vec<(Kind, Entry)>) {
        let mut runs = self.runs();
        for (kind, mut entry) in untold {
            let Some(older) = entry.tries.take() else { continue };
            let run = runs.entry(kind).or_insert(Run { since: Timestamp(older.first), repeats: None });
            match &mut run.repeats {
                Some((newest, newer)) => {
                    (newer.n, newer.first) = (newer.n.saturating_add(older.n), older.first);
                    if newest.subjects != entry.subjects {
                        newest.subjects.clear();
                    }
                }
                None => run.repeats = Some((entry, older)),
            }
            // Due as they were.
            run.since = Timestamp(run.since.0.saturating_sub(WINDOW_MS));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::PublicId;
    use crate::domain::audit::{ActorLine, SubjectLine};

    const KIND: Kind =
        Kind { operator: OperatorId(PublicId::NOBODY), command: "key.issue", reason: "role_too_low" };

    fn entry(subject: &str) -> Entry {
        let actor = ActorLine::of("vera", "viewer");
        let subject =
            SubjectLine { kind: "key".into(), id: subject.into(), name: subject.into(), owner: None };
        Entry { subjects: vec![subject], ..Entry::of(actor, Timestamp(0), KIND.command) }
    }

    #[test]
    fn the_first_is_told_at_once_and_the_rest_of_its_minute_together() {
        let refusals = Refusals::default();
        assert!(refusals.note(KIND, entry("a"), Timestamp(0)).is_some());
        for n in 1..=1_700 {
            assert!(refusals.note(KIND, entry("a"), Timestamp(n)).is_none());
        }
        let other = Kind { reason: "no_such_key", ..KIND };
        assert!(refusals.note(other, entry("b"), Timestamp(5)).is_some(), "another reason is news");
        assert!(refusals.wait() && refusals.take(Timestamp(WINDOW_MS - 1), false).is_empty());
        let told = refusals.take(Timestamp(WINDOW_MS), false);
        let [(kind, told)] = told.as_slice() else { panic!("{told:?}") };
        let tries = told.tries.as_ref().unwrap();
        assert_eq!((*kind, tries.n, tries.first, tries.last), (KIND, 1_700, 1, 1_700));
        assert_eq!(told.subjects, entry("a").subjects);
        // While it goes on, it is one entry a minute; after a quiet minute the next is told at once again.
        assert!(refusals.note(KIND, entry("a"), Timestamp(WINDOW_MS + 1)).is_none());
        assert!(refusals.note(KIND, entry("b"), Timestamp(WINDOW_MS + 2)).is_none());
        let told = refusals.take(Timestamp(2 * WINDOW_MS), false);
        assert!(told.len() == 1 && told[0].1.subjects.is_empty(), "they were about different keys");
        assert!(!refusals.wait());
        assert!(refusals.note(KIND, entry("a"), Timestamp(4 * WINDOW_MS)).is_some());
    }

    #[test]
    fn what_could_not_be_written_is_told_later_and_counted_once() {
        let refusals = Refusals::default();
        for n in 0..10 {
            refusals.note(KIND, entry("a"), Timestamp(n));
        }
        let taken = refusals.take(Timestamp(20), true);
        refusals.note(KIND, entry("a"), Timestamp(30));
        refusals.put_back(taken);
        let told = refusals.take(Timestamp(WINDOW_MS + 20), false);
        let tries = told[0].1.tries.as_ref().unwrap();
        assert_eq!((told.len(), tries.n, tries.first, tries.last), (1, 10, 1, 30));
    }
}
