//! Failed attempts to unseal, counted in a small file beside the store: the wait grows from the fourth on and is
//! kept over restarts. It slows guessing at the keyboard; it never locks anybody out, and who holds the files
//! guesses elsewhere, against Argon2.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::Timestamp;

/// Attempts that cost nothing but their own work.
const FREE: u32 = 3;
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(60);

/// The count for one store.
pub struct Throttle {
    path: PathBuf,
    failed: u32,
    last: Timestamp,
}

impl Throttle {
    /// Reads the count; a missing or unreadable file counts as none.
    pub fn read(dir: &Path) -> Self {
        let path = dir.join("attempts");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let mut words = text.split_whitespace();
        let failed = words.next().and_then(|w| w.parse().ok()).unwrap_or(0);
        let last = Timestamp(words.next().and_then(|w| w.parse().ok()).unwrap_or(0));
        Self { path, failed, last }
    }

    /// Failed attempts since the last success.
    pub const fn failed(&self) -> u32 {
        self.failed
    }

    /// How long to wait before the next attempt: 1, 2, 4 … 60 s after the fourth, fifth, sixth … failure.
    pub fn wait(&self, now: Timestamp) -> Option<Duration> {
        let over = self.failed.checked_sub(FREE + 1)?;
        let wait = Duration::from_secs(1 << over.min(10)).min(LONGEST);
        // A clock set back must not lock anybody out for long, nor one set forward let a guesser through twice.
        let passed = Duration::from_millis(u64::try_from(now.since(self.last)).unwrap_or(0));
        wait.checked_sub(passed).filter(|rest| !rest.is_zero())
    }

    /// Counts a failure. A file that cannot be written costs the count, not the sign-in.
    pub fn fail(&mut self, now: Timestamp) {
        self.failed = self.failed.saturating_add(1);
        self.last = now;
        if let Err(error) = fs::write(&self.path, format!("{} {}\n", self.failed, now.0)) {
            tracing::warn!(%error, "failed attempts cannot be counted");
        }
    }

    /// Forgets all failures.
    pub fn clear(&mut self) {
        if self.failed > 0 {
            self.failed = 0;
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_grows_is_bounded_and_survives_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let now = Timestamp(1_790_000_000_000);
        let mut waits = Vec::new();
        for _ in 0..20 {
            let mut throttle = Throttle::read(dir.path());
            waits.push(throttle.wait(now).map_or(0, |w| w.as_secs()));
            throttle.fail(now);
        }
        assert_eq!(waits[..9], [0, 0, 0, 0, 1, 2, 4, 8, 16]);
        assert_eq!(waits[19], 60);
        let mut throttle = Throttle::read(dir.path());
        assert_eq!(throttle.failed(), 20);
        assert_eq!(throttle.wait(Timestamp(now.0 + 60_000)), None);
        throttle.clear();
        assert_eq!(Throttle::read(dir.path()).failed(), 0);
    }
}
