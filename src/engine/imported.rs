//! Checking the keys whose secrets keydeck did not make. Their entropy is unknown, so each is hashed with Argon2id:
//! 19 MiB and some 15 ms, which strangers must not be able to ask for at will. So few are hashed at once, and those who
//! wait take turns by where they come from: a guesser waits for itself, not others for it. An id that nobody has costs
//! the same as one that somebody has, and a guess is answered the same, so that guessing tells neither. Who goes on trying
//! one id from one place waits longer for each try, up to [`LONGEST`]: a secret with few possibilities is not found in hours.
//!
//! A secret that was right once is known again by its keyed digest, in memory only and for that key only: what
//! callers do all day costs no hash, and whoever has the right secret is not slowed down by those who guess.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::crypto::digest::{self, Pepper};
use crate::crypto::passphrase::Workspace;
use crate::crypto::phc::{ImportedSecrets, MAX_SECRET, Phc};
use crate::domain::key::{Digested, IMPORTED_PREFIX};
use crate::domain::{Key, KeyId, PublicId, Reason, State};

/// Hashes at a time at most, and on no more than half of the processors: each holds 19 MiB and a processor.
const AT_ONCE: usize = 2;
/// Callers that may wait for one.
const QUEUE: usize = 64;
/// How long they wait.
const PATIENCE: Duration = Duration::from_secs(2);
/// Places whose last turn is remembered.
const REMEMBERED: usize = 64;
/// Tries of one id from one place that follow each other as fast as they can be hashed.
const FREE: u32 = 3;
/// From the beginning of one try to that of the next, once they are used up: the first wait, and the longest. Below
/// [`PATIENCE`], so that whoever asks once at a time is always answered.
const SHORTEST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(1);
/// After so long without a try none is held against anybody.
const HELD: Duration = Duration::from_secs(600);
/// Tries remembered at most, by id and place. Each entry costs whoever makes it one hash.
const TRIED: usize = 4_096;
/// Hashed for an id that nobody has: a salt and an output that no secret gives.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A text that claims to be an imported key: `kdim_`, the public id, `_` and the secret as it always was.
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    /// The key it names.
    pub id: KeyId,
    secret: &'a [u8],
}

/// Reads the form; `None` when it is none.
pub fn parse(presented: &[u8]) -> Option<Presented<'_>> {
    let rest = presented.strip_prefix(IMPORTED_PREFIX.as_bytes())?;
    let (id, rest) = rest.split_first_chunk::<12>()?;
    let secret = rest.strip_prefix(b"_")?;
    let fits = (1..=MAX_SECRET).contains(&secret.len()) && secret.iter().all(u8::is_ascii_graphic);
    fits.then_some(Presented { id: KeyId(PublicId::from_bytes(*id)?), secret })
}

/// Where a guess comes from: an address, or of IPv6 the network one household has.
type Place = Option<IpAddr>;

fn place(address: Option<IpAddr>) -> Place {
    address.map(|address| match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(long) => Ipv6Addr::from_bits(long.to_bits() >> 64 << 64).into(),
    })
}

/// Knows the imported keys.
pub struct Imported {
    secrets: ImportedSecrets,
    pepper: Pepper,
    keys: Mutex<HashMap<KeyId, Entry>>,
    nobodys: Option<Phc>,
    at_once: usize,
    load: Mutex<Load>,
    freed: Condvar,
}

struct Entry {
    /// `None` when what is stored is no hash we accept.
    phc: Option<Phc>,
    /// What is made of a presented secret before.
    digested: Option<Digested>,
    /// The keyed digest of the secret, once it was right.
    known: Option<[u8; digest::LEN]>,
}

/// Who tries what. By both: others at the same address, with keys of their own, do not wait for one who guesses.
type Lane = (KeyId, Place);

/// The tries of one lane since the last that was right.
#[derive(Clone, Copy)]
struct Tries {
    begun: u32,
    last: Instant,
}

impl Tries {
    fn next(self) -> Instant {
        let Some(over) = self.begun.checked_sub(FREE) else { return self.last };
        self.last + SHORTEST.saturating_mul(1 << over.min(8)).min(LONGEST)
    }
}

#[derive(Default)]
struct Load {
    running: usize,
    /// Who waits, by number, the longest first.
    waiting: Vec<(u64, Lane)>,
    tries: HashMap<Lane, Tries>,
    next: u64,
    /// The places that had a turn, the latest last.
    served: VecDeque<Place>,
    spare: Vec<Workspace>,
}

impl Load {
    fn waiting_from(&self, place: Place) -> usize {
        self.waiting.iter().filter(|(_, (_, other))| *other == place).count()
    }

    /// When the lane may try again; `None` when it may now.
    fn ready_at(&self, lane: &Lane, now: Instant) -> Option<Instant> {
        self.tries.get(lane).map(|tries| tries.next()).filter(|next| *next > now)
    }

    /// Whose turn is next: of those who may try now the one whose place had no turn yet, or whose last was longest ago.
    fn first(&self, now: Instant) -> Option<u64> {
        let last = |place: &Place| self.served.iter().position(|served| served == place);
        let ready = self.waiting.iter().filter(|(_, lane)| self.ready_at(lane, now).is_none());
        ready.min_by_key(|(number, (_, place))| (last(place), *number)).map(|(number, _)| *number)
    }

    /// A number to wait with, if there is room or somebody from a more crowded place makes some.
    fn queue(&mut self, lane: Lane) -> Option<u64> {
        if self.waiting.len() >= QUEUE {
            let crowd = |(_, (_, place)): &(u64, Lane)| self.waiting_from(*place);
            let crowded = self.waiting.iter().max_by_key(|waiter| (crowd(waiter), waiter.0)).copied()?;
            if crowd(&crowded) <= self.waiting_from(lane.1) + 1 {
                return None;
            }
            self.waiting.retain(|waiter| *waiter != crowded);
        }
        let number = self.next;
        self.next += 1;
        self.waiting.push((number, lane));
        Some(number)
    }

    fn begin(&mut self, number: u64, lane: Lane, now: Instant) -> Workspace {
        self.waiting.retain(|(other, _)| *other != number);
        self.served.retain(|other| *other != lane.1);
        self.served.push_back(lane.1);
        if self.served.len() > REMEMBERED {
            self.served.pop_front();
        }
        self.count(lane, now);
        self.running += 1;
        self.spare.pop().unwrap_or_default()
    }

    /// Counted when a try begins: many at once are as many.
    fn count(&mut self, lane: Lane, now: Instant) {
        if self.tries.len() >= TRIED && !self.tries.contains_key(&lane) {
            self.tries.retain(|_, tries| now.duration_since(tries.last) < HELD);
            let oldest = self.tries.iter().min_by_key(|(_, tries)| tries.last).map(|(lane, _)| *lane);
            if let Some(oldest) = oldest.filter(|_| self.tries.len() >= TRIED) {
                self.tries.remove(&oldest);
            }
        }
        let tries = self.tries.entry(lane).or_insert(Tries { begun: 0, last: now });
        let held = now.duration_since(tries.last) < HELD;
        *tries = Tries { begun: if held { tries.begun.saturating_add(1) } else { 1 }, last: now };
    }
}

impl Imported {
    /// Of all imported keys in `state`.
    pub fn new(secrets: ImportedSecrets, pepper: Pepper, state: &State) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let all = Self {
            secrets,
            pepper,
            keys: Mutex::default(),
            nobodys: NOBODYS.parse().ok(),
            at_once: (processors / 2).clamp(1, AT_ONCE),
            load: Mutex::default(),
            freed: Condvar::new(),
        };
        state.keys().for_each(|key| all.put(key));
        all
    }

    /// Learns of a key, if it is an imported one.
    pub fn put(&self, key: &Key) {
        let Some(imported) = &key.imported else { return };
        let phc = imported.phc.parse().ok();
        if phc.is_none() {
            tracing::error!(key = %key.id, "the stored hash of an imported key is not acceptable; it is refused");
        }
        let mut keys = self.keys();
        let entry = keys.entry(key.id).or_insert(Entry { phc: None, digested: None, known: None });
        if (&entry.phc, entry.digested) != (&phc, imported.digested) {
            *entry = Entry { phc, digested: imported.digested, known: None };
        }
    }

    /// The hash to store for a secret.
    pub const fn secrets(&self) -> &ImportedSecrets {
        &self.secrets
    }

    /// Learns that this is the secret of a key just imported.
    pub fn know(&self, id: KeyId, secret: &[u8]) {
        let digest = self.pepper.imported(id.public(), secret);
        if let Some(entry) = self.keys().get_mut(&id) {
            entry.known = Some(digest);
        }
    }

    /// Whether the secret is the key's; `from` is where the question comes from. Blocks for one hash and the wait before
    /// it.
    pub fn check(&self, presented: &Presented<'_>, from: Option<IpAddr>) -> Result<(), Reason> {
        let digest = self.pepper.imported(presented.id.public(), presented.secret);
        let (phc, digested) = match self.keys().get(&presented.id) {
            Some(entry) if entry.known.is_some_and(|known| Pepper::same(&digest, &known)) => return Ok(()),
            Some(entry) => (entry.phc.clone(), entry.digested),
            None => (self.nobodys.clone(), None),
        };
        let phc = phc.ok_or(Reason::StoreError)?;
        let known = || {
            let keys = self.keys();
            let known = keys.get(&presented.id).and_then(|entry| entry.known);
            known.is_some_and(|known| Pepper::same(&digest, &known))
        };
        let lane = (presented.id, place(from));
        let mut turn = match self.turn(lane, known) {
            Waited::Turn(turn) => turn,
            Waited::Known => return Ok(()),
            Waited::InVain => return Err(Reason::Rate),
        };
        let right = self.secrets.verify(presented.secret, digested, &phc, &mut turn.memory);
        let right = right.map_err(|_| Reason::StoreError)?;
        let mut keys = self.keys();
        let entry = keys.get_mut(&presented.id).ok_or(Reason::Unknown)?;
        // The key may have been learnt of, or changed, while another was hashed for.
        if !right || (entry.phc.as_ref(), entry.digested) != (Some(&phc), digested) {
            return Err(Reason::MacMismatch);
        }
        entry.known = Some(digest);
        drop(keys);
        self.load().tries.remove(&lane);
        Ok(())
    }

    fn keys(&self) -> MutexGuard<'_, HashMap<KeyId, Entry>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn load(&self) -> MutexGuard<'_, Load> {
        self.load.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a turn, unless the secret is `known` before it comes: others present it as well.
    fn turn(&self, lane: Lane, known: impl Fn() -> bool) -> Waited<'_> {
        let until = Instant::now() + PATIENCE;
        let mut load = self.load();
        let Some(number) = load.queue(lane) else { return Waited::InVain };
        loop {
            let now = Instant::now();
            if load.running < self.at_once && load.first(now) == Some(number) {
                let memory = load.begin(number, lane, now);
                drop(load);
                // There may be room for the next as well.
                self.freed.notify_all();
                return Waited::Turn(Turn { of: self, memory });
            }
            if now >= until {
                load.waiting.retain(|(other, _)| *other != number);
                return Waited::InVain;
            }
            let wake = load.ready_at(&lane, now).map_or(until, |ready| ready.min(until));
            load = self
                .freed
                .wait_timeout(load, wake.saturating_duration_since(now))
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            let waits = load.waiting.iter().any(|(other, _)| *other == number);
            if waits && !known() {
                continue;
            }
            load.waiting.retain(|(other, _)| *other != number);
            return if waits { Waited::Known } else { Waited::InVain };
        }
    }
}

/// How the waiting for a turn ended.
enum Waited<'i> {
    /// It came.
    Turn(Turn<'i>),
    /// No turn is needed any more.
    Known,
    /// Too many wait, or it took too long.
    InVain,
}

/// The right to hash, and memory for it; both are given back when dropped.
struct Turn<'i> {
    of: &'i Imported,
    memory: Workspace,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut load = self.of.load();
        load.running -= 1;
        load.spare.push(std::mem::take(&mut self.memory));
        drop(load);
        self.of.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(n: u8) -> Lane {
        (KeyId(PublicId::NOBODY), place(Some(IpAddr::from([192, 0, 2, n]))))
    }

    #[test]
    fn turns_go_round_by_place_and_a_crowd_makes_room_for_the_few() {
        let now = Instant::now();
        let mut load = Load::default();
        let crowd: Vec<_> = (0..QUEUE).map(|_| load.queue(at(1)).unwrap()).collect();
        assert_eq!(load.queue(at(1)), None, "no more of the same");
        let few = load.queue(at(2)).unwrap();
        assert_eq!(load.waiting.len(), QUEUE);
        assert!(!load.waiting.iter().any(|(number, _)| *number == crowd[QUEUE - 1]), "the last to come went");
        assert_eq!(load.first(now), Some(crowd[0]));
        load.begin(crowd[0], at(1), now);
        assert_eq!(load.first(now), Some(few), "who had no turn yet is next, however many came before");
        load.begin(few, at(2), now);
        assert_eq!(load.first(now), Some(crowd[1]));
        let (one, same, other) = ("2001:db8::1", "2001:db8::9:1", "2001:db8:0:1::1");
        let net = |text: &str| place(Some(text.parse().unwrap()));
        assert_eq!(net(one), net(same));
        assert_ne!(net(one), net(other));
        assert!(NOBODYS.parse::<Phc>().is_ok());
    }

    #[test]
    fn a_pin_cannot_be_tried_through_in_an_afternoon_and_nobody_else_waits_for_the_guesser() {
        let begin = Instant::now();
        let mut load = Load::default();
        let mut now = begin;
        for _ in 0..100 {
            // As many at once as fit: it is the beginning that counts.
            let number = load.queue(at(1)).unwrap();
            load.queue(at(1)).unwrap();
            now = load.ready_at(&at(1), now).unwrap_or(now);
            assert_eq!(load.first(now), Some(number));
            load.begin(number, at(1), now);
            load.waiting.clear();
        }
        assert!(now - begin > LONGEST * 90, "{:?}", now - begin);
        let guesser = load.queue(at(1)).unwrap();
        assert_eq!(load.first(now), None);
        let neighbour = (KeyId("7HqP2mVx9KtR".parse().unwrap()), at(1).1);
        for other in [at(2), neighbour] {
            let number = load.queue(other).unwrap();
            assert_eq!(load.first(now), Some(number), "whoever comes from elsewhere, or for another key");
            load.begin(number, other, now);
        }
        assert_eq!(load.first(now + LONGEST), Some(guesser), "the wait is no ban");
        load.count(at(1), now + HELD + LONGEST);
        assert_eq!(load.ready_at(&at(1), now + HELD + LONGEST), None);
        for n in 0..TRIED + 10 {
            let host = u32::try_from(n).unwrap();
            load.count((at(1).0, place(Some(IpAddr::from(host.to_be_bytes())))), now);
        }
        assert_eq!(load.tries.len(), TRIED);
    }

    #[test]
    fn the_form_is_read_and_nothing_else_is() {
        let good = b"kdim_7HqP2mVx9KtR_s3cret_with_underscore";
        let read = parse(good).unwrap();
        assert_eq!(
            (read.id.to_string().as_str(), read.secret),
            ("7HqP2mVx9KtR", &b"s3cret_with_underscore"[..])
        );
        let long = format!("kdim_7HqP2mVx9KtR_{}", "x".repeat(MAX_SECRET + 1));
        for bad in [
            "",
            "kdim_",
            "kdim_7HqP2mVx9KtR",
            "kdim_7HqP2mVx9KtR_",
            "kdim_0HqP2mVx9KtR_secret",
            "kdim_7HqP2mVx9KtR_two words",
            "kdim_7HqP2mVx9KtR_n\u{f6}n",
            "kdag_7HqP2mVx9KtR_secret",
            long.as_str(),
        ] {
            assert!(parse(bad.as_bytes()).is_none(), "{bad}");
        }
    }
}
