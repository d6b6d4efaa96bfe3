//! The rules of time once more, written from the contract alone and in another way than the program has them: a key is a
//! diary of what happened to it, and whatever is asked is read from the diary, in whole days. Slow and plain, and it
//! uses nothing of the program but names.

use std::collections::{BTreeMap, BTreeSet};

use super::{Did, KeyId};

const DAY: i64 = 86_400_000;
/// How many days before the end a thing is done at the earliest, and how many after the one before it.
const LADDER: [(u32, i64); 4] = [(15, 0), (7, 8), (1, 6), (0, 1)];

/// What a diary says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Made,
    Used,
    Paused,
    Resumed,
    Revoked,
    Deleted,
    Restored,
    Purged,
    Protected,
    Unprotected,
    Kept,
    /// Another takes over; how long it works from then on, or from the first use of that one.
    Rotated(KeyId, i64, bool),
    /// Another takes over from one that was lost then, and works no more.
    Lost(KeyId, i64),
    /// None does any more.
    Cancelled,
    /// The grace is over, and that is written down.
    GraceOver,
    /// It ends then, and is told of so many days before; none: never, and as the policy says.
    Ends(Option<i64>, Option<u32>),
    /// Told that it goes unused; those that were told before are void.
    IdleTold,
    IdleVoid,
    /// So many days before the end are behind it; all that were are not.
    EndPassed(u32),
    EndAhead,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stands {
    Works,
    Superseded,
    Paused,
    Over,
    Revoked,
    /// Since then.
    Deleted(i64),
    Purged,
}

/// What happened to a key, the first first.
type Diary = Vec<(i64, Entry)>;

/// What a diary comes to.
struct Page {
    stands: Stands,
    /// Somebody has stopped it, an old half too.
    is_stopped: bool,
    is_protected: bool,
    /// From when days without use count.
    base: i64,
    end: (Option<i64>, Option<u32>),
    /// When each notice was given that still holds.
    told: Vec<i64>,
    passed: BTreeSet<u32>,
    /// Who took over, when, and the grace that was given.
    taken: Option<(KeyId, i64, i64, bool)>,
    /// When it was lost.
    lost: Option<i64>,
    /// When it was used for the first time.
    first_use: Option<i64>,
}

/// Whole days from one moment to a later one.
fn days(from: i64, to: i64) -> i64 {
    (to - from).div_euclid(DAY)
}

fn read(diary: &Diary, now: i64) -> Page {
    let (stands, end, told, passed) = (Stands::Works, (None, None), Vec::new(), BTreeSet::new());
    let (is_stopped, is_protected, base) = (false, false, 0);
    let (taken, lost, first_use) = (None, None, None);
    let mut page = Page { stands, is_stopped, is_protected, base, end, told, passed, taken, lost, first_use };
    for (at, entry) in diary.iter().copied() {
        match entry {
            Entry::Made
            | Entry::Used
            | Entry::Resumed
            | Entry::Kept
            | Entry::Cancelled
            | Entry::Unprotected => page.base = at,
            Entry::Ends(end, notice) => page.end = (end, notice),
            Entry::IdleTold => page.told.push(at),
            Entry::EndPassed(step) => drop(page.passed.insert(step)),
            Entry::EndAhead => page.passed.clear(),
            _ => {}
        }
        if entry == Entry::Used {
            page.first_use = page.first_use.or(Some(at));
        }
        match entry {
            Entry::Rotated(to, grace, waits) => page.taken = Some((to, at, grace, waits)),
            Entry::Lost(to, then) => (page.taken, page.lost) = (Some((to, at, 0, false)), Some(then)),
            Entry::Cancelled => page.taken = None,
            Entry::Paused => page.stands = Stands::Paused,
            Entry::Resumed => page.stands = Stands::Works,
            Entry::GraceOver | Entry::Revoked | Entry::Restored => page.stands = Stands::Revoked,
            Entry::Deleted => page.stands = Stands::Deleted(at),
            Entry::Purged => page.stands = Stands::Purged,
            Entry::Protected | Entry::Unprotected => page.is_protected = entry == Entry::Protected,
            _ => {}
        }
        if !matches!(entry, Entry::IdleTold | Entry::Ends(..) | Entry::EndPassed(_) | Entry::EndAhead) {
            page.told.clear();
        }
    }
    page.is_stopped = page.stands == Stands::Paused;
    let is_over = page.end.0.is_some_and(|end| now >= end);
    if page.is_live() {
        page.stands = match page.taken {
            Some(_) if is_over => Stands::Revoked,
            Some(_) => Stands::Superseded,
            None if is_over => Stands::Over,
            None => page.stands,
        };
    }
    page
}

impl Page {
    fn is_live(&self) -> bool {
        matches!(self.stands, Stands::Works | Stands::Paused)
    }
}

/// All keys, and what is remembered of them together.
pub(super) struct Reckoning {
    pub(super) idle_days: Option<u32>,
    pub(super) notice_days: u32,
    diaries: BTreeMap<KeyId, Diary>,
    held: Vec<KeyId>,
    word: BTreeSet<KeyId>,
}

impl Reckoning {
    pub(super) fn new(idle_days: Option<u32>, notice_days: u32) -> Self {
        Self { idle_days, notice_days, diaries: BTreeMap::new(), held: Vec::new(), word: BTreeSet::new() }
    }

    pub(super) fn stands(&self, key: KeyId, now: i64) -> Stands {
        let page = read(&self.diaries[&key], now);
        if page.stands == Stands::Superseded && self.grace_end(&page).is_some_and(|end| now >= end) {
            return Stands::Revoked;
        }
        page.stands
    }

    /// When the grace of an old half ends, once that is known. Its own end may come first.
    fn grace_end(&self, page: &Page) -> Option<i64> {
        let (to, at, grace, waits) = page.taken?;
        let begun = if waits { read(&self.diaries[&to], i64::MIN).first_use? } else { at };
        Some(begun + grace)
    }

    /// Has a key take over from one that works. No grace is for one that was lost: it ends, and so does its own old half,
    /// which hinders any other rotation.
    pub(super) fn rotate(&mut self, key: KeyId, to: KeyId, now: i64, (grace, waits): (i64, bool)) -> bool {
        let third = self.old_half(key, now);
        if self.stands(key, now) != Stands::Works || grace > 0 && third.is_some() {
            return false;
        }
        self.takes_after(key, to, now);
        let entry = if grace > 0 { Entry::Rotated(to, grace, waits) } else { Entry::Lost(to, now) };
        self.diaries.entry(key).or_default().push((now, entry));
        for lost in [Some(key), third].into_iter().flatten().filter(|_| grace == 0) {
            self.diaries.entry(lost).or_default().push((now, Entry::Revoked));
        }
        true
    }

    /// Has yet another key take over, instead of one that was never used: neither may have been followed by others.
    pub(super) fn again(&mut self, key: KeyId, to: KeyId, now: i64) -> bool {
        let before = read(&self.diaries[&key], now).taken.map_or_else(|| self.before(key), |_| Some(key));
        let Some(old) = before.filter(|old| self.stands(*old, now) != Stands::Purged) else { return false };
        let of_old = read(&self.diaries[&old], now);
        let Some((new, at, grace, waits)) = of_old.taken else { return false };
        let (page, stands) = (read(&self.diaries[&new], now), self.stands(new, now));
        if stands != Stands::Works || page.taken.is_some() || page.first_use.is_some() {
            return false;
        }
        self.takes_after(new, to, now);
        // The grace ends when it would have.
        let left = if waits { grace } else { at + grace - now };
        let entry = of_old.lost.map_or(Entry::Rotated(to, left, waits), |then| Entry::Lost(to, then));
        self.diaries.entry(old).or_default().push((now, entry));
        self.diaries.entry(new).or_default().push((now, Entry::Revoked));
        true
    }

    /// A new key that is what another is, but for its age.
    fn takes_after(&mut self, key: KeyId, to: KeyId, now: i64) {
        let page = read(&self.diaries[&key], now);
        let mut diary = vec![(now, Entry::Made), (now, Entry::Ends(page.end.0, page.end.1))];
        diary.extend(page.is_protected.then_some((now, Entry::Protected)));
        self.diaries.insert(to, diary);
    }

    /// The key that this one took over from.
    fn before(&self, key: KeyId) -> Option<KeyId> {
        let took = |old: &&KeyId| read(&self.diaries[*old], i64::MIN).taken.is_some_and(|(by, ..)| by == key);
        self.diaries.keys().find(took).copied()
    }

    /// The same, while its grace runs.
    fn old_half(&self, key: KeyId, now: i64) -> Option<KeyId> {
        self.before(key).filter(|old| self.stands(*old, now) == Stands::Superseded)
    }

    /// Done to a key, and to the old half of it that works: nobody sees that apart.
    pub(super) fn happens_to_both(&mut self, key: KeyId, now: i64, entry: Entry) -> bool {
        let old = self.old_half(key, now);
        let done = self.happens(key, now, entry);
        if let Some(old) = old.filter(|_| done) {
            self.happens(old, now, entry);
        }
        done
    }

    /// The old half is alone again, unless it is over.
    pub(super) fn cancel(&mut self, key: KeyId, now: i64) -> bool {
        let taken = read(&self.diaries[&key], now).taken;
        let Some((to, ..)) = taken.filter(|_| self.stands(key, now) == Stands::Superseded) else {
            return false;
        };
        // What people said of the key meanwhile they said of the new half.
        let (before, new) = (read(&self.diaries[&key], now), read(&self.diaries[&to], now));
        let diary = self.diaries.entry(key).or_default();
        diary.push((now, Entry::Cancelled));
        diary.push((now, Entry::Ends(before.end.0, new.end.1)));
        if new.is_protected != before.is_protected {
            diary.push((now, if new.is_protected { Entry::Protected } else { Entry::Unprotected }));
        }
        if !matches!(self.stands(to, now), Stands::Revoked | Stands::Deleted(_) | Stands::Purged) {
            self.diaries.entry(to).or_default().push((now, Entry::Revoked));
        }
        true
    }

    /// Whether it may happen, which is when it is noted.
    pub(super) fn happens(&mut self, key: KeyId, now: i64, entry: Entry) -> bool {
        use Stands::{Deleted, Over, Paused, Purged, Superseded, Works};
        let stands = if entry == Entry::Made { None } else { Some(self.stands(key, now)) };
        let diary = self.diaries.entry(key).or_default();
        let mut page = read(diary, now);
        page.stands = stands.unwrap_or(page.stands);
        let may = match entry {
            Entry::Made => diary.is_empty(),
            Entry::Used | Entry::Paused => matches!(page.stands, Works | Superseded) && !page.is_stopped,
            Entry::Resumed => matches!(page.stands, Paused | Superseded) && page.is_stopped,
            Entry::Revoked => matches!(page.stands, Works | Superseded | Paused | Over),
            Entry::Deleted => !matches!(page.stands, Deleted(_) | Purged),
            Entry::Restored => matches!(page.stands, Deleted(at) if days(at, now) < 30),
            Entry::Protected => page.is_live() && !page.is_protected,
            Entry::Unprotected => page.stands != Purged && page.is_protected,
            Entry::Kept => page.is_live(),
            Entry::Ends(end, _) if end != page.end.0 => page.is_live() && end.is_none_or(|end| end > now),
            Entry::Ends(_, notice) => page.is_live() && notice != page.end.1,
            _ => false,
        };
        if may {
            diary.push((now, entry));
        }
        let old = self.old_half(key, now).filter(|_| may);
        if let (Some(old), Entry::Ends(Some(end), _)) = (old, entry) {
            let (own, notice) = read(&self.diaries[&old], now).end;
            let sooner = own.map_or(end, |own| own.min(end));
            self.diaries.entry(old).or_default().push((now, Entry::Ends(Some(sooner), notice)));
        }
        may
    }

    /// An operator lets go what is held, unless that was said already.
    pub(super) fn confirm(&mut self) -> bool {
        let word = self.held.iter().copied().collect();
        std::mem::replace(&mut self.word, word).is_empty() && !self.held.is_empty()
    }

    /// The idle days, for a key of which they are counted.
    fn idle(&self, page: &Page, is_new_half: bool) -> Option<i64> {
        let counts = page.stands == Stands::Works && !page.is_protected && !is_new_half;
        self.idle_days.filter(|_| counts).map(i64::from)
    }

    /// When a key goes if every sweep comes in time from now on, and whether it was told of that.
    pub(super) fn deletes_at(&self, key: KeyId, now: i64, complete: i64) -> Option<(i64, bool)> {
        let mut page = read(&self.diaries[&key], now);
        let idle = self.idle(&page, self.old_half(key, now).is_some())?;
        let base = page.base.max(complete);
        if days(base, now) < idle - 15 {
            page.told.clear();
        }
        let given = page.told.len();
        for (left, gap) in &LADDER[given..] {
            let ripe = base + (idle - i64::from(*left)) * DAY;
            let rested = page.told.last().map_or(ripe, |at| at + gap * DAY);
            // What is still to be told cannot be told before now.
            let soonest = if *left > 0 { now } else { ripe };
            page.told.push(ripe.max(rested).max(soonest));
        }
        // Of what ends by itself before that, a deletion is told to nobody.
        let is_before = |at: &i64| page.end.0.is_none_or(|end| *at < end);
        page.told.last().copied().filter(is_before).map(|at| (at, given > 0))
    }

    /// One pass over all keys. Without grounds, nothing.
    pub(super) fn sweep(&mut self, now: i64, complete: Option<i64>) -> Vec<Did> {
        let Some(complete) = complete else { return Vec::new() };
        let (mut did, mut due, mut live) = (Vec::new(), Vec::new(), 0);
        let over: Vec<KeyId> =
            self.diaries.keys().copied().filter(|key| self.grace_is_over(*key, now)).collect();
        for key in over {
            self.diaries.entry(key).or_default().push((now, Entry::GraceOver));
            did.push(Did::GraceEnded(key));
        }
        let new_halves: BTreeSet<KeyId> =
            self.diaries.keys().copied().filter(|key| self.old_half(*key, now).is_some()).collect();
        let mut diaries = std::mem::take(&mut self.diaries);
        for (key, diary) in &mut diaries {
            let page = read(diary, now);
            live += usize::from(page.is_live() || page.stands == Stands::Superseded);
            if matches!(page.stands, Stands::Deleted(at) if days(at, now) >= 30) {
                diary.push((now, Entry::Purged));
                did.push(Did::Purged(*key));
            }
            if page.is_live() || page.stands == Stands::Over {
                did.extend(self.told_of_end(diary, &page, now).map(|step| Did::Ends(*key, step)));
            }
            let unused = days(page.base.max(complete), now);
            let Some(idle) = self.idle(&page, new_halves.contains(key)).filter(|idle| unused >= idle - 15)
            else {
                if !page.told.is_empty() {
                    diary.push((now, Entry::IdleVoid));
                }
                continue;
            };
            let (left, gap) = LADDER[page.told.len()];
            let rested = page.told.last().is_none_or(|at| days(*at, now) >= gap);
            if unused < idle - i64::from(left) || !rested {
                continue;
            }
            if left == 0 {
                due.push(*key);
            } else {
                diary.push((now, Entry::IdleTold));
                did.push(Did::Idle(*key, left));
            }
        }
        let unasked: Vec<_> = due.iter().copied().filter(|key| !self.word.contains(key)).collect();
        let is_held = unasked.len() > 20 || unasked.len() > 5 && unasked.len() * 100 > live * 5;
        if is_held {
            due.retain(|key| self.word.contains(key));
            did.extend((self.held != unasked).then_some(Did::Held(unasked.len())));
        }
        self.held = if is_held { unasked } else { Vec::new() };
        self.word.clear();
        for key in due {
            diaries.entry(key).or_default().push((now, Entry::Deleted));
            did.push(Did::Deleted(key));
        }
        self.diaries = diaries;
        did.sort_unstable();
        did
    }

    /// Whether the grace of a key is over and nobody has written that down.
    fn grace_is_over(&self, key: KeyId, now: i64) -> bool {
        // Before time has a say: who rotated it, and whether somebody ended it since.
        let page = read(&self.diaries[&key], i64::MIN);
        page.stands == Stands::Superseded && self.stands(key, now) == Stands::Revoked
    }

    /// What is told of the end of a key now.
    fn told_of_end(&self, diary: &mut Diary, page: &Page, now: i64) -> Option<u32> {
        let notice = page.end.1.unwrap_or(self.notice_days);
        // A day that has begun is a day.
        let left = page.end.0.map_or(i64::MAX, |end| -days(end, now));
        if left > i64::from(notice) {
            if !page.passed.is_empty() {
                diary.push((now, Entry::EndAhead));
            }
            return None;
        }
        let steps: BTreeSet<u32> =
            [0, 1, notice].into_iter().filter(|step| i64::from(*step) >= left).collect();
        diary.extend(steps.difference(&page.passed).map(|step| (now, Entry::EndPassed(*step))));
        steps.first().copied().filter(|tightest| !page.passed.contains(tightest))
    }
}
