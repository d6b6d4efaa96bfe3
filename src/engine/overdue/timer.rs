//! The timer that tries again: it runs while something waits for the disk, and only then.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::Overdue;

/// Between two tries to write what waits.
const EVERY: Duration = Duration::from_secs(2);

#[derive(Default)]
struct Pace {
    thread: Option<JoinHandle<()>>,
    runs: bool,
    stop: bool,
}

/// How it goes with the timer.
#[derive(Default)]
pub(super) struct Timer {
    pace: Mutex<Pace>,
    wake: Condvar,
}

impl Timer {
    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Overdue {
    /// Starts the timer, unless it runs.
    pub fn set_out(self: &Arc<Self>) {
        let mut pace = self.timer.pace();
        if pace.runs || pace.stop || self.frozen.is_some() {
            return;
        }
        let own = Arc::clone(self);
        let spawned =
            std::thread::Builder::new().name("keydeck-overdue".into()).spawn(move || own.try_again());
        match spawned {
            Ok(thread) => (pace.thread, pace.runs) = (Some(thread), true),
            Err(error) => {
                tracing::warn!(%error, "no timer for what waits; it is written with the next change");
            }
        }
    }

    fn try_again(self: &Arc<Self>) {
        loop {
            let pace = self.timer.pace();
            let waited = self.timer.wake.wait_timeout_while(pace, EVERY, |pace| !pace.stop);
            let (pace, _) = waited.unwrap_or_else(PoisonError::into_inner);
            if pace.stop {
                return;
            }
            drop(pace);
            let cleared = {
                let mut ledger = self.parts.ledger.lock().unwrap_or_else(PoisonError::into_inner);
                self.clear_the_way(&mut ledger).is_ok()
            };
            let mut pace = self.timer.pace();
            let waiting = self.waiting();
            if cleared && waiting.denials.is_empty() && (waiting.current || self.parts.kept.is_none()) {
                pace.runs = false;
                return;
            }
        }
    }

    /// Ends the timer and waits for it.
    pub fn stop(&self) {
        let thread = {
            let mut pace = self.timer.pace();
            pace.stop = true;
            pace.thread.take()
        };
        self.timer.wake.notify_all();
        if let Some(thread) = thread {
            // It panics only if the store does, which has been logged.
            let _ = thread.join();
        }
    }
}
