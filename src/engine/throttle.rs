//! Attempts to sign in, and what a wrong one costs. Wrong ones are held against the process that made them and against
//! no other: a guesser waits, whoever has the secret does not wait with it. One attempt of a process at a time, and one
//! hash at a time, so that guessing in parallel gains nothing and takes no more memory than one.
//!
//! How many failed since the last success stands in a small file beside the store, for the audit trail. It holds nobody
//! up: who can write it can read the header, too, and guesses elsewhere, against Argon2.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::error::OpenError;
use super::session::Purpose;
use crate::crypto::CryptoError;
use crate::files;

/// Attempts that cost nothing but their own work.
const FREE: u32 = 3;
/// The longest wait of a process that guesses.
const LONGEST: Duration = Duration::from_secs(60);
/// The longest a command line that ends anyway keeps back that a secret was wrong.
const LATEST: Duration = Duration::from_secs(5);
/// For how long a wrong attempt is held against its process, in milliseconds.
const HELD_MS: i64 = 10 * 60_000;
/// Where the failures are counted.
const COUNT: &str = "attempts";
/// No count is longer.
const COUNT_MAX: usize = 64;

/// The processes that try to sign in.
#[derive(Default)]
pub struct Callers {
    tries: Mutex<HashMap<u32, Tries>>,
    freed: Condvar,
    hashing: Mutex<()>,
}

/// What is known of one process.
#[derive(Default)]
struct Tries {
    wrong: u32,
    /// Milliseconds since boot: that clock goes back for nobody.
    last: i64,
    busy: bool,
}

impl Callers {
    /// The turn of the process `caller` to try a secret of the store in `dir`; `now` in milliseconds since boot. Waits for
    /// another attempt of the same process; refused to one that guessed wrong too often and too lately.
    pub(super) fn attempt(&self, caller: u32, dir: &Path, now: i64) -> Result<Attempt<'_>, OpenError> {
        let mut all = self.tries();
        while all.get(&caller).is_some_and(|tries| tries.busy) {
            all = self.freed.wait(all).unwrap_or_else(PoisonError::into_inner);
        }
        all.retain(|_, tries| tries.busy || now.saturating_sub(tries.last) < HELD_MS);
        let tries = all.entry(caller).or_default();
        let passed = Duration::from_millis(u64::try_from(now.saturating_sub(tries.last)).unwrap_or(0));
        if let Some(wait) =
            wait(tries.wrong).and_then(|wait| wait.checked_sub(passed)).filter(|w| !w.is_zero())
        {
            return Err(OpenError::Throttled { failed: tries.wrong, wait });
        }
        tries.busy = true;
        Ok(Attempt { callers: self, caller, now, count: dir.join(COUNT), right: false })
    }

    /// Held while a secret is hashed: each hash takes 64 MiB and all processors.
    pub(super) fn hashing(&self) -> MutexGuard<'_, ()> {
        self.hashing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tries(&self) -> MutexGuard<'_, HashMap<u32, Tries>> {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One attempt, until dropped.
pub(super) struct Attempt<'c> {
    callers: &'c Callers,
    caller: u32,
    now: i64,
    count: PathBuf,
    right: bool,
}

impl Attempt<'_> {
    /// Counts a wrong secret.
    pub(super) fn judge<T>(&self, tried: Result<T, CryptoError>) -> Result<T, OpenError> {
        if matches!(tried, Err(CryptoError::WrongSecret)) {
            let mut all = self.callers.tries();
            let tries = all.entry(self.caller).or_default();
            tries.wrong = tries.wrong.saturating_add(1);
            tries.last = self.now;
            // Counted under the lock: each failure once.
            let failed = count(&self.count).saturating_add(1);
            // A file that cannot be written costs the count, not the sign-in.
            if let Err(error) = files::overwrite(&self.count, format!("{failed}\n").as_bytes()) {
                tracing::warn!(%error, "failed attempts cannot be counted");
            }
        }
        tried.map_err(OpenError::Unseal)
    }

    /// The secret was right: forgets the failures, and says how many there were.
    pub(super) fn passed(mut self, purpose: Purpose) -> u32 {
        self.right = true;
        let failed = count(&self.count);
        // Who signs in to change nothing leaves the count to be told to the next one.
        if failed > 0 && purpose == Purpose::Work {
            let _ = std::fs::remove_file(&self.count);
        }
        failed
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let mut all = self.callers.tries();
        if let Some(tries) = all.get_mut(&self.caller) {
            tries.busy = false;
            if self.right {
                tries.wrong = 0;
            }
            if tries.wrong == 0 {
                all.remove(&self.caller);
            }
        }
        drop(all);
        self.callers.freed.notify_all();
    }
}

/// How long to wait before the next attempt: 1, 2, 4 … 60 s after the fourth, fifth, sixth … failure.
fn wait(failed: u32) -> Option<Duration> {
    let over = failed.checked_sub(FREE + 1)?;
    Some(Duration::from_secs(1 << over.min(10)).min(LONGEST))
}

/// Failures since the last success; a missing or unreadable file counts as none.
fn count(path: &Path) -> u32 {
    let text = files::read_text(path, COUNT_MAX).unwrap_or_default();
    text.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0)
}

/// How long a process that ends anyway keeps back that a secret was wrong, so that somebody at the keyboard guesses no
/// faster by starting it again and again.
pub fn late(dir: &Path) -> Option<Duration> {
    wait(count(&dir.join(COUNT))).map(|wait| wait.min(LATEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUESSER: u32 = 7;

    fn guess(callers: &Callers, dir: &Path, now: i64) -> u64 {
        match callers.attempt(GUESSER, dir, now) {
            Ok(attempt) => {
                assert!(attempt.judge::<()>(Err(CryptoError::WrongSecret)).is_err());
                0
            }
            Err(OpenError::Throttled { wait, .. }) => wait.as_secs(),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn a_guesser_waits_longer_each_time_and_nobody_waits_with_it() {
        let dir = tempfile::tempdir().unwrap();
        let callers = Callers::default();
        let mut now = 1_000;
        let mut waits = Vec::new();
        for _ in 0..20 {
            let wait = guess(&callers, dir.path(), now);
            waits.push(wait);
            now += i64::try_from(wait).unwrap() * 1_000;
            if wait > 0 {
                assert_eq!(guess(&callers, dir.path(), now), 0, "after the wait it may try again");
            }
        }
        assert_eq!(waits[..9], [0, 0, 0, 0, 1, 2, 4, 8, 16]);
        assert_eq!(waits[19], 60);
        // Another process signs in at once, and the trail learns what there was before it.
        assert_eq!(callers.attempt(8, dir.path(), now).unwrap().passed(Purpose::Work), 20);
        assert!(!dir.path().join(COUNT).exists());
        // The guesser has the secret now: nothing is held against it any more.
        now += 60_000;
        callers.attempt(GUESSER, dir.path(), now).unwrap().passed(Purpose::Work);
        assert_eq!(guess(&callers, dir.path(), now), 0);
        assert_eq!(callers.tries().len(), 1);
    }

    #[test]
    fn a_count_from_the_future_or_a_pipe_in_its_place_keeps_nobody_waiting() {
        let dir = tempfile::tempdir().unwrap();
        let callers = Callers::default();
        std::fs::write(dir.path().join(COUNT), "4000000000 99999999999999\n").unwrap();
        assert_eq!(late(dir.path()), Some(LATEST));
        assert_eq!(callers.attempt(1, dir.path(), 0).unwrap().passed(Purpose::Work), 4_000_000_000);
        let pipe = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, dir.path().join(COUNT), pipe, 0o600.into(), 0).unwrap();
        assert_eq!(guess(&callers, dir.path(), 0), 0);
        assert_eq!(callers.attempt(1, dir.path(), 0).unwrap().passed(Purpose::Work), 0);
    }

    #[test]
    fn a_process_tries_one_secret_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let callers = Callers::default();
        let first = callers.attempt(GUESSER, dir.path(), 0).unwrap();
        std::thread::scope(|scope| {
            let second = scope.spawn(|| {
                callers.attempt(GUESSER, dir.path(), 0).map(|attempt| attempt.passed(Purpose::Work))
            });
            assert!(callers.attempt(8, dir.path(), 0).is_ok(), "another process is not kept waiting");
            assert!(!second.is_finished());
            drop(first);
            assert!(second.join().unwrap().is_ok());
        });
    }
}
