//! Checking the keys whose secrets keydeck did not make. Their entropy is unknown, so each is hashed with Argon2id:
//! 19 MiB and some 15 ms, which strangers must not be able to ask for at will. So the key is found by its public id
//! first, few are hashed at once, a queue is short and a wait bounded, and wrong tries of one key are spaced out.
//! A secret that was right once is known again by its keyed digest, in memory only and for that key only: what
//! callers do all day costs no hash, and whoever has the right secret is not slowed down by those who guess.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::crypto::digest::{self, Pepper};
use crate::crypto::passphrase::Workspace;
use crate::crypto::phc::{ImportedSecrets, MAX_SECRET, Phc};
use crate::domain::key::IMPORTED_PREFIX;
use crate::domain::{Key, KeyId, PublicId, Reason, State, Timestamp};

/// Hashes at a time: each holds 19 MiB and a processor.
const AT_ONCE: usize = 2;
/// Callers that may wait for one.
const QUEUE: usize = 16;
/// How long they wait.
const PATIENCE: Duration = Duration::from_millis(500);
/// Wrong tries of one key after which the next must wait.
const FREE_TRIES: u32 = 5;
/// Between two tries of a key that was tried wrongly too often.
const SPACING_MS: i64 = 1_000;
/// How long wrong tries are held against a key.
const FORGIVEN_MS: i64 = 60_000;

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

/// Knows the imported keys.
pub struct Imported {
    secrets: ImportedSecrets,
    pepper: Pepper,
    keys: Mutex<HashMap<KeyId, Entry>>,
    load: Mutex<Load>,
    freed: Condvar,
}

struct Entry {
    /// `None` when what is stored is no hash we accept.
    phc: Option<Phc>,
    /// The keyed digest of the secret, once it was right.
    known: Option<[u8; digest::LEN]>,
    wrong: u32,
    last_wrong: Timestamp,
}

#[derive(Default)]
struct Load {
    running: usize,
    waiting: usize,
    spare: Vec<Workspace>,
}

impl Imported {
    /// Of all imported keys in `state`.
    pub fn new(secrets: ImportedSecrets, pepper: Pepper, state: &State) -> Self {
        let all =
            Self { secrets, pepper, keys: Mutex::default(), load: Mutex::default(), freed: Condvar::new() };
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
        let entry = keys.entry(key.id).or_insert(Entry {
            phc: None,
            known: None,
            wrong: 0,
            last_wrong: Timestamp(0),
        });
        if entry.phc != phc {
            entry.known = None;
            entry.phc = phc;
        }
    }

    /// The hash to store for a secret.
    pub const fn secrets(&self) -> &ImportedSecrets {
        &self.secrets
    }

    /// Whether the secret is the key's. Blocks for one hash and the wait before it.
    pub fn check(&self, presented: &Presented<'_>, now: Timestamp) -> Result<(), Reason> {
        let digest = self.pepper.imported(presented.id.public(), presented.secret);
        let phc = {
            let keys = self.keys();
            let entry = keys.get(&presented.id).ok_or(Reason::Unknown)?;
            if entry.known.is_some_and(|known| Pepper::same(&digest, &known)) {
                return Ok(());
            }
            let since = now.since(entry.last_wrong);
            if entry.wrong >= FREE_TRIES && (0..SPACING_MS).contains(&since) {
                return Err(Reason::Rate);
            }
            entry.phc.clone().ok_or(Reason::StoreError)?
        };
        let right = {
            let mut turn = self.turn().ok_or(Reason::Rate)?;
            self.secrets.verify(presented.secret, &phc, &mut turn.memory).map_err(|_| Reason::StoreError)?
        };
        let mut keys = self.keys();
        let entry = keys.get_mut(&presented.id).ok_or(Reason::Unknown)?;
        if right {
            entry.known = Some(digest);
            return Ok(());
        }
        if now.since(entry.last_wrong) > FORGIVEN_MS {
            entry.wrong = 0;
        }
        entry.wrong = entry.wrong.saturating_add(1);
        entry.last_wrong = now;
        Err(Reason::MacMismatch)
    }

    fn keys(&self) -> MutexGuard<'_, HashMap<KeyId, Entry>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn load(&self) -> MutexGuard<'_, Load> {
        self.load.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a turn; `None` when the queue is full or the wait too long.
    fn turn(&self) -> Option<Turn<'_>> {
        let until = Instant::now() + PATIENCE;
        let mut load = self.load();
        if load.running >= AT_ONCE {
            if load.waiting >= QUEUE {
                return None;
            }
            load.waiting += 1;
            while load.running >= AT_ONCE {
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    load.waiting -= 1;
                    return None;
                }
                load = self.freed.wait_timeout(load, left).unwrap_or_else(PoisonError::into_inner).0;
            }
            load.waiting -= 1;
        }
        load.running += 1;
        let memory = load.spare.pop().unwrap_or_default();
        Some(Turn { of: self, memory })
    }
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
        self.of.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
