//! What was used and not yet taken: noted on the request path, so nothing here waits for anything but another note
//! of the same few keys. Counts and times of keys live in the verification table; here is what does not fit there.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Origin;
use crate::domain::history::Lacked;
use crate::domain::trace::{Agent, Sighting};
use crate::domain::{PublicId, ScopeId, Timestamp, Trace, Usage};

/// Two requests meet on one lock seldom.
const PARTS: usize = 64;
/// Origins a part notes until uses are taken: with 262 144 in all, some 17 MB at the very worst. Of uses beyond, time,
/// count and scopes still count.
const PART_MAX: usize = 4_096;
/// Up to so many each caller of a key has a note of its own; the rest is for keys that have none yet.
const SHARED: usize = PART_MAX / 2;
/// How many of the last notes are looked through for one of the same key: those of a few busy keys would fill a part.
const RECENT: usize = 8;
/// Bytes of an agent that are kept until somebody has time to read it.
const AGENT_BYTES: usize = 256;
/// Agents a part remembers, so that the many requests of one program share one copy of its name.
const AGENTS: usize = 4;

/// What was used of one key or app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Use {
    /// Whose.
    pub id: PublicId,
    /// When at the latest, how often.
    pub usage: Usage,
    /// Where from, what for.
    pub trace: Trace,
    /// Who sent how many of them, as far as that was noted; the same caller may come twice.
    pub callers: Vec<(Sighting, u32)>,
    /// What fewer scopes would have refused, where that is tried.
    pub lacked: Option<Box<Lacked>>,
}

impl Use {
    /// Who sent the first of them, where each of them said where it came from: else that may have been one that did not.
    pub fn first_caller(&self) -> Option<Sighting> {
        let told: u64 = self.callers.iter().map(|(_, count)| u64::from(*count)).sum();
        let (first, _) = self.callers.first().filter(|_| told == self.usage.count)?;
        self.usage.first_used_at.map(|at| Sighting { at, ..first.clone() })
    }
}

/// An origin as it came, to be read later, and how many requests came from it.
struct Glimpse {
    id: PublicId,
    address: Option<IpAddr>,
    agent: Arc<[u8]>,
    at: Timestamp,
    count: u32,
}

/// What is not in the table: uses of apps, scopes that have no bit, who presents deleted keys, and what fewer scopes would
/// refuse.
#[derive(Default)]
struct Waiting {
    usage: Usage,
    rest: Trace,
    lacked: Option<Box<Lacked>>,
}

/// Those ids whose notes share a lock, on lines of memory of their own.
#[repr(align(128))]
#[derive(Default)]
struct Part {
    // One after another, and sorted out by whoever takes them: a place for each key would have to come from memory, and a
    // request would wait for it.
    glimpses: Vec<Glimpse>,
    waiting: HashMap<PublicId, Waiting>,
    agents: [Arc<[u8]>; AGENTS],
    /// Which of them is given up for the next.
    oldest: usize,
}

/// Uses that wait.
pub(super) struct Uses {
    parts: Vec<Mutex<Part>>,
    /// Keys used for the first time since uses were taken, and when that was.
    keys: Mutex<Vec<(PublicId, Timestamp)>>,
    pub bell: Bell,
}

impl Default for Uses {
    fn default() -> Self {
        let parts = std::iter::repeat_with(Mutex::default).take(PARTS).collect();
        Self { parts, keys: Mutex::default(), bell: Bell::default() }
    }
}

impl Uses {
    /// Puts a key on the list of those whose count the table holds, at its first use since uses were taken.
    pub fn enlist(&self, id: PublicId, now: Timestamp) {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).push((id, now));
        self.bell.ring();
    }

    /// Notes where a use of a key came from. A key that was not enlisted will be by this use.
    pub fn note_origin(&self, id: PublicId, origin: Origin<'_>, now: Timestamp) {
        if let Some(mut part) = self.part(id) {
            part.see(id, origin, now);
        }
    }

    /// Notes that a scope was needed that has no bit in the table.
    pub fn note_scope(&self, id: PublicId, scope: &ScopeId, at: Timestamp) {
        if let Some(mut part) = self.part(id) {
            part.waiting.entry(id).or_default().rest.note_scope(scope, at);
        }
        self.bell.ring();
    }

    /// Notes that a request which was allowed needs scopes that a narrower set, tried since `begun`, lacks.
    pub fn note_lacked<'s>(
        &self,
        id: PublicId,
        begun: Timestamp,
        lacking: impl Iterator<Item = &'s ScopeId>,
        origin: Origin<'_>,
        now: Timestamp,
    ) {
        if let Some(mut part) = self.part(id) {
            let seen = sighting(origin, now);
            let lacked = &mut part.waiting.entry(id).or_default().lacked;
            if lacked.as_ref().is_none_or(|lacked| lacked.begun != begun) {
                *lacked = None;
            }
            lacked.get_or_insert_with(|| Box::new(Lacked::since(begun))).note(lacking, &seen);
        }
        self.bell.ring();
    }

    /// Notes a use of something that is not in the table.
    pub fn note(&self, id: PublicId, wanted: &[ScopeId], origin: Origin<'_>, now: Timestamp) {
        if let Some(mut part) = self.part(id) {
            // Not bounded as origins are: there are no more of them than apps.
            let waiting = part.waiting.entry(id).or_default();
            let used = Usage { last_used_at: Some(now), count: 1, first_used_at: Some(now) };
            waiting.usage = waiting.usage.merged(used);
            for scope in wanted {
                waiting.rest.note_scope(scope, now);
            }
            if !origin.is_nowhere() {
                part.see(id, origin, now);
            }
        }
        self.bell.ring();
    }

    fn part(&self, id: PublicId) -> Option<MutexGuard<'_, Part>> {
        let [first, .., last] = id.as_bytes();
        let part = self.parts.get((usize::from(*first) * 58 + usize::from(*last)) % PARTS)?;
        Some(part.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes all that waits, each id once. What the table holds of it is the caller's to add.
    pub fn take(&self) -> Vec<Use> {
        let mut found: HashMap<PublicId, Use> = HashMap::new();
        let nothing = |id| Use {
            id,
            usage: Usage::default(),
            trace: Trace::default(),
            callers: Vec::new(),
            lacked: None,
        };
        for (id, at) in std::mem::take(&mut *self.keys.lock().unwrap_or_else(PoisonError::into_inner)) {
            let usage = &mut found.entry(id).or_insert_with(|| nothing(id)).usage;
            *usage = usage.merged(Usage { first_used_at: Some(at), ..Usage::default() });
        }
        for part in &self.parts {
            let (glimpses, waiting) = {
                let mut part = part.lock().unwrap_or_else(PoisonError::into_inner);
                // As much room as was needed this time.
                let fresh = Vec::with_capacity(part.glimpses.len());
                (std::mem::replace(&mut part.glimpses, fresh), std::mem::take(&mut part.waiting))
            };
            for (id, waiting) in waiting {
                let used = found.entry(id).or_insert_with(|| nothing(id));
                (used.usage, used.trace) = (used.usage.merged(waiting.usage), waiting.rest);
                used.lacked = waiting.lacked;
            }
            // Of many that say the same of themselves, one is read.
            let mut names: HashMap<Arc<[u8]>, Option<Agent>> = HashMap::new();
            for Glimpse { id, address, agent: said, at, count } in glimpses {
                let agent = names.entry(said).or_insert_with_key(|said| agent(said)).clone();
                let seen = Sighting { at, address: address.map(Into::into), agent };
                let used = found.entry(id).or_insert_with(|| nothing(id));
                if used.trace.sighting.as_ref().is_none_or(|known| known.at <= seen.at) {
                    used.trace.sighting = Some(seen.clone());
                }
                used.callers.push((seen, count));
            }
        }
        found.into_values().collect()
    }
}

impl Part {
    fn see(&mut self, id: PublicId, origin: Origin<'_>, now: Timestamp) {
        let agent = origin.agent.unwrap_or_default();
        let agent = agent.get(..AGENT_BYTES).unwrap_or(agent);
        let known = match self.agents.iter().position(|known| **known == *agent) {
            Some(known) => known,
            None => self.learn(agent),
        };
        let Some(agent) = self.agents.get(known) else { return };
        let noted = self.glimpses.len();
        let mut other = None;
        for glimpse in self.glimpses.iter_mut().rev().take(RECENT).filter(|glimpse| glimpse.id == id) {
            // Most requests with a key come from one place and one program: then they are only counted.
            if glimpse.address == origin.address && Arc::ptr_eq(&glimpse.agent, agent) {
                glimpse.at = glimpse.at.max(now);
                glimpse.count = glimpse.count.saturating_add(1);
                return;
            }
            other.get_or_insert(glimpse);
        }
        match other {
            // Of those there is no room to tell apart, the last is known.
            Some(glimpse) if noted >= SHARED => {
                glimpse.agent = Arc::clone(agent);
                glimpse.address = origin.address;
                glimpse.at = glimpse.at.max(now);
                glimpse.count = 1;
            }
            _ if noted < PART_MAX => {
                let agent = Arc::clone(agent);
                self.glimpses.push(Glimpse { id, address: origin.address, agent, at: now, count: 1 });
            }
            _ => {}
        }
    }

    fn learn(&mut self, agent: &[u8]) -> usize {
        let place = self.oldest;
        self.oldest = (place + 1) % AGENTS;
        if let Some(known) = self.agents.get_mut(place) {
            *known = agent.into();
        }
        place
    }
}

/// Where a request came from, read at once.
pub(super) fn sighting(origin: Origin<'_>, now: Timestamp) -> Sighting {
    Sighting { at: now, address: origin.address.map(Into::into), agent: origin.agent.and_then(agent) }
}

/// How secrets of all kinds begin, also those that were made elsewhere, and recovery codes.
const SECRETS: [&[u8]; 6] = [b"kdag_", b"kdlo_", b"kdap_", b"kdas_", b"kdim_", b"kdrc_"];

/// What a caller says it is. Now and then one puts its secret where its name belongs, or the beginning of it: that is not kept.
pub(super) fn agent(raw: &[u8]) -> Option<Agent> {
    let goes_on = |rest: &[u8]| rest.get(..4).is_some_and(|next| next.iter().all(u8::is_ascii_alphanumeric));
    let is_secret =
        |part: &[u8]| SECRETS.iter().any(|begins| part.strip_prefix(*begins).is_some_and(goes_on));
    let leaks = (0..raw.len()).any(|at| raw.get(at..).is_some_and(is_secret));
    Agent::read(if leaks { b"(a token)" } else { raw })
}

/// Wakes whoever writes uses down, once until they are taken.
#[derive(Default)]
pub(super) struct Bell {
    rung: AtomicBool,
    state: Mutex<Call>,
    wake: Condvar,
    wakes: AtomicU64,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Call {
    #[default]
    Rest,
    Work,
    End,
}

impl Bell {
    /// There is something to take. Costs one read of shared memory while it has been said before.
    pub fn ring(&self) {
        if !self.rung.load(Ordering::SeqCst) && !self.rung.swap(true, Ordering::SeqCst) {
            self.call(Call::Work);
        }
    }

    /// The next note rings again. Before taking, so that nothing noted after is forgotten.
    pub fn hush(&self) {
        self.rung.store(false, Ordering::SeqCst);
    }

    /// Asks the one who listens to end.
    pub fn end(&self) {
        self.call(Call::End);
    }

    fn call(&self, call: Call) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if *state != Call::End {
            *state = call;
        }
        self.wake.notify_all();
    }

    /// Sleeps until the bell rings. False when it is time to end.
    pub fn wait(&self) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state =
            self.wake.wait_while(state, |call| *call == Call::Rest).unwrap_or_else(PoisonError::into_inner);
        self.wakes.fetch_add(1, Ordering::SeqCst);
        if *state == Call::Work {
            *state = Call::Rest;
        }
        *state != Call::End
    }

    /// The same, for no longer than that.
    pub fn wait_for(&self, time: Duration) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.wake.wait_timeout_while(state, time, |call| *call == Call::Rest);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        self.wakes.fetch_add(1, Ordering::SeqCst);
        if *state == Call::Work {
            *state = Call::Rest;
        }
        *state != Call::End
    }

    /// Lets time pass, so that notes close together are written together. False when it is time to end.
    pub fn pause(&self, time: Duration) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.wake.wait_timeout_while(state, time, |call| *call != Call::End);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        self.wakes.fetch_add(1, Ordering::SeqCst);
        *state != Call::End
    }

    /// How often somebody who listens came out of their sleep.
    pub fn wakes(&self) -> u64 {
        self.wakes.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::random::OsEntropy;
    use crate::crypto::token::{Token, TokenKind};

    fn id(n: u8) -> PublicId {
        format!("kd1111111{:03}", u16::from(n) + 111).replace('0', "z").parse().unwrap()
    }

    fn origin<'a>(address: &str, agent: &'a [u8]) -> Origin<'a> {
        Origin { address: Some(address.parse().unwrap()), agent: Some(agent) }
    }

    #[test]
    fn each_id_is_taken_once_with_its_last_origin() {
        let uses = Uses::default();
        uses.enlist(id(1), Timestamp(1));
        let notes = [(1, "203.0.113.7"), (3, "203.0.113.8"), (2, "203.0.113.9"), (2, "203.0.113.7")];
        for (at, address) in notes {
            uses.note_origin(id(1), origin(address, b"curl/8.5"), Timestamp(at));
        }
        let wanted = ["contacts.read".parse().unwrap()];
        uses.note(id(2), &wanted, Origin::default(), Timestamp(5));
        uses.note(id(2), &[], Origin::default(), Timestamp(4));
        let mut taken = uses.take();
        taken.sort_by_key(|used| used.usage.count);
        let [key, app] = &taken[..] else { panic!("{taken:?}") };
        let seen = key.trace.sighting.as_ref().unwrap();
        assert_eq!((seen.to_string().as_str(), seen.at), ("203.0.113.8 by curl/8.5", Timestamp(3)));
        let callers: Vec<String> =
            key.callers.iter().map(|(seen, count)| format!("{seen} {count}")).collect();
        let told = ["203.0.113.7 by curl/8.5 2", "203.0.113.8 by curl/8.5 1", "203.0.113.9 by curl/8.5 1"];
        assert_eq!(callers, told);
        assert_eq!(
            app.usage,
            Usage { last_used_at: Some(Timestamp(5)), count: 2, first_used_at: Some(Timestamp(4)) }
        );
        assert_eq!(app.trace.scope_used_at(&wanted[0]), Some(Timestamp(5)));
        assert!(uses.take().is_empty());
    }

    #[test]
    fn of_many_keys_at_once_each_keeps_its_last_origin() {
        let uses = Uses::default();
        for address in ["203.0.113.7", "203.0.113.8"] {
            (0..200).for_each(|n| uses.note_origin(id(n), origin(address, b"curl/8.5"), Timestamp(1)));
        }
        let taken = uses.take();
        assert_eq!(taken.len(), 200);
        let seen = |used: &Use| used.trace.sighting.as_ref().unwrap().to_string();
        assert!(taken.iter().all(|used| seen(used) == "203.0.113.8 by curl/8.5"));
    }

    #[test]
    fn a_flood_of_origins_is_bounded_and_counts_still_count() {
        let uses = Uses::default();
        let bytes = |n: usize| {
            let digit = |n: usize| crate::domain::id::BASE58[n % 58];
            let mut id = *b"111111111111";
            (id[1], id[2], id[3]) = (digit(n), digit(n / 58), digit(n / 3_364));
            PublicId::from_bytes(id).unwrap()
        };
        // All in one part.
        (0..PART_MAX * 2).for_each(|n| uses.note_origin(bytes(n), origin("203.0.113.7", b""), Timestamp(1)));
        let late = bytes(PART_MAX * 2 + 1);
        uses.note(late, &[], origin("203.0.113.7", b""), Timestamp(1));
        let taken = uses.take();
        assert_eq!(taken.len(), PART_MAX + 1);
        assert!(taken.iter().any(|used| used.id == late && used.usage.count == 1));
    }

    #[test]
    fn one_key_called_from_everywhere_leaves_room_for_the_others() {
        let uses = Uses::default();
        for n in 0..PART_MAX * 2 {
            let [.., a, b] = n.to_be_bytes();
            let origin = Origin { address: Some([10, 0, a, b].into()), agent: Some(b"curl/8.5") };
            uses.note_origin(id(1), origin, Timestamp(1));
        }
        uses.note_origin(id(1), origin("203.0.113.7", b"curl/8.5"), Timestamp(2));
        let taken = uses.take().remove(0);
        assert_eq!(taken.callers.len(), SHARED);
        assert_eq!(taken.trace.sighting.unwrap().to_string(), "203.0.113.7 by curl/8.5");
    }

    #[test]
    fn a_token_in_the_place_of_a_name_is_not_kept() {
        let token = Token::mint(TokenKind::Agency, &mut OsEntropy).unwrap();
        let uses = Uses::default();
        let leak = format!("my-app {} (x)", token.reveal());
        uses.note_origin(id(1), origin("203.0.113.7", leak.as_bytes()), Timestamp(1));
        let seen = uses.take().remove(0).trace.sighting.unwrap();
        assert_eq!(seen.to_string(), "203.0.113.7 by (a token)");
        let cut = &token.reveal()[..30];
        for said in
            [cut, "imp kdim_eu4cPZZwQY21_my-old-Secret", "rec kdrc_qZuz-rNCF-xxxx", "kdas_7HqP2mVx9KtR_x"]
        {
            assert_eq!(agent(said.as_bytes()).unwrap().as_str(), "(a token)", "{said}");
        }
        for said in ["curl/8.5", "kdag_", "kd/1.0 kdim-import"] {
            assert_eq!(agent(said.as_bytes()).unwrap().as_str(), said);
        }
    }

    #[test]
    fn the_bell_rings_once_until_it_is_hushed() {
        let bell = Bell::default();
        (0..1_000).for_each(|_| bell.ring());
        assert!(bell.wait());
        bell.hush();
        bell.ring();
        assert!(bell.wait());
        bell.end();
        assert!(!bell.wait() && !bell.pause(Duration::MAX));
    }
}
