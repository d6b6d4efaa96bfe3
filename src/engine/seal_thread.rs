//! The thread that keeps the seal file at most a second behind the store. It sleeps while nothing changes, and
//! knows the store only: when the engine ends, it ends first, so nothing holds the store open behind its back.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::store::{Seal, SealError, Store};

/// How far the seal may be behind for changes that take nothing away.
const DELAY: Duration = Duration::from_secs(1);

#[derive(Default)]
struct Due {
    seal: Option<Seal>,
    stop: bool,
}

type Shared = (Mutex<Due>, Condvar);

/// Takes seals to be written.
pub(super) struct SealThread {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl SealThread {
    /// Starts the thread for a store.
    pub fn start(store: Arc<dyn Store>) -> Self {
        let shared: Arc<Shared> = Arc::default();
        let body = {
            let shared = Arc::clone(&shared);
            move || {
                let mut behind = false;
                while let Some(seal) = next(&shared) {
                    let written = store.write_seal(&seal);
                    match &written {
                        Ok(()) if behind => tracing::info!("the seal is written again"),
                        Err(error) if !behind => tracing::warn!(%error, "the seal is behind"),
                        Ok(()) | Err(_) => {}
                    }
                    behind = written.is_err();
                    // The old seal of a read-only store is evidence and stays; any other is tried again.
                    if matches!(written, Err(error) if error != SealError::ReadOnly) {
                        lock(&shared).seal.get_or_insert(seal);
                    }
                }
            }
        };
        let thread = std::thread::Builder::new().name("keydeck-seal".into()).spawn(body);
        if let Err(error) = &thread {
            tracing::warn!(%error, "no thread for the seal; it is written when keydeck ends");
        }
        Self { shared, thread: Mutex::new(thread.ok()) }
    }

    /// Writes this seal, or a newer one, within a second, and as long as that fails tries again every second.
    pub fn soon(&self, seal: Seal) {
        self.tell(|due| due.seal = Some(seal));
    }

    /// Ends the thread and waits for it. A seal still due is the caller's to write.
    pub fn stop(&self) {
        self.tell(|due| due.stop = true);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // It panics only if the store does, which has been logged.
            let _ = thread.join();
        }
    }

    fn tell(&self, change: impl FnOnce(&mut Due)) {
        change(&mut lock(&self.shared));
        self.shared.1.notify_all();
    }
}

fn lock((due, _): &Shared) -> MutexGuard<'_, Due> {
    due.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until a seal is due and a second has passed, so that changes close together share one. `None` at the end.
fn next(shared: &Shared) -> Option<Seal> {
    let (due, wake) = (lock(shared), &shared.1);
    let due =
        wake.wait_while(due, |due| due.seal.is_none() && !due.stop).unwrap_or_else(PoisonError::into_inner);
    let waited = wake.wait_timeout_while(due, DELAY, |due| !due.stop);
    let (mut due, _) = waited.unwrap_or_else(PoisonError::into_inner);
    if due.stop { None } else { due.seal.take() }
}
