//! The thread that sweeps while a process stays: soon after it began, then every hour, or sooner when something is due
//! sooner, or when somebody has changed what is due. It sleeps between two sweeps, and holds the engine only while it sweeps.

use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::session::Session;
use super::sweep::{Sweeping, Swept};
use super::{Engine as _, EngineError, LocalEngine, News};
use crate::domain::event::Subject;
use crate::domain::lifecycle::rings;
use crate::domain::{Event, KeyId, PublicId, Timestamp};

/// How often a [`Sweeper`] sweeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How long it waits at first: whoever opens a store wants to see it before anything else is done.
    pub first: Duration,
    /// The least time between two sweeps, whatever is due.
    pub least: Duration,
    /// The time after which one that was not done is tried again.
    pub again: Duration,
    /// The most time between two. No rule is finer, and a late sweep only delays.
    pub most: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        Self { first: Duration::from_secs(3), least: minutes(1), again: minutes(5), most: minutes(60) }
    }
}

impl Pace {
    /// How long to wait at `now` after a sweep; `next` is when something is due that was not.
    fn after(self, next: Option<Timestamp>, now: Timestamp) -> Duration {
        let due = next.map(|next| Duration::from_millis(u64::try_from(next.since(now)).unwrap_or(0)));
        due.map_or(self.most, |due| due.min(self.most).max(self.least))
    }
}

/// Sweeps until it is dropped, which waits for a sweep that is under way: nothing holds the store any more then.
#[must_use = "it sweeps only as long as somebody has it"]
pub struct Sweeper {
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Sweeper {
    fn start(engine: &Arc<LocalEngine>, pace: Pace) -> Self {
        let (stop, stopped) = watch::channel(false);
        let (news, engine) = (engine.subscribe(), Arc::downgrade(engine));
        let body = move || match Builder::new_current_thread().enable_time().build() {
            Ok(runtime) => runtime.block_on(sweep_on(&engine, pace, news, stopped)),
            Err(error) => tracing::warn!(%error, "no timer for sweeps; `keydeck sweep` does one"),
        };
        let thread = std::thread::Builder::new().name("keydeck-sweep".into()).spawn(body);
        if let Err(error) = &thread {
            tracing::warn!(%error, "no thread for sweeps; `keydeck sweep` does one");
        }
        Self { stop, thread: thread.ok() }
    }
}

async fn sweep_on(
    engine: &Weak<LocalEngine>,
    pace: Pace,
    mut news: Receiver<News>,
    mut stopped: watch::Receiver<bool>,
) {
    let (mut pause, mut least) = (pace.first, pace.first);
    while wait(engine, &mut news, &mut stopped, least, pause).await {
        let Some(engine) = engine.upgrade() else { return };
        pause = match sweep(&engine) {
            Ok(swept) => pace.after(swept.next, engine.now().time),
            Err(error) => {
                tracing::warn!(%error, "a sweep was not done; it is tried again");
                pace.again
            }
        };
        least = pace.least;
    }
}

/// Waits for so long, or for no longer than `least` when something is due anew. False when it is time to end.
async fn wait(
    engine: &Weak<LocalEngine>,
    news: &mut Receiver<News>,
    stopped: &mut watch::Receiver<bool>,
    least: Duration,
    most: Duration,
) -> bool {
    let begun = Instant::now();
    let due = sleep(most);
    tokio::pin!(due);
    loop {
        tokio::select! {
            // Also when whoever stops it is gone.
            _ = stopped.wait_for(|stop| *stop) => return false,
            () = &mut due => return true,
            heard = news.recv() => match heard {
                Ok(News::Happened(events)) if events.iter().any(hastens) => break,
                Ok(News::Used(ids)) if ring(engine, &ids) => break,
                Err(RecvError::Lagged(_)) => break,
                Ok(News::Gone(_)) | Err(RecvError::Closed) => return false,
                Ok(_) => {}
            },
        }
    }
    tokio::select! {
        _ = stopped.wait_for(|stop| *stop) => false,
        () = &mut due => true,
        () = sleep(least.saturating_sub(begun.elapsed())) => true,
    }
}

/// Whether something may be due sooner for it. What sweeps and deliveries remember for themselves is no such thing.
fn hastens(event: &Event) -> bool {
    match event.subject() {
        Subject::Store => matches!(event, Event::ClockConfirmed(..)),
        Subject::Hold(_) => matches!(event, Event::HoldConfirmed(_)),
        Subject::Policy(_)
        | Subject::Operator(_)
        | Subject::Agency(_)
        | Subject::Location(_)
        | Subject::Key(_)
        | Subject::App(_) => true,
        Subject::Founding(..)
        | Subject::Signing(_)
        | Subject::Tokens(..)
        | Subject::Notices(..)
        | Subject::Channel(_) => false,
    }
}

/// Whether one of these is a key that opens nothing, somebody presents it, and that is to be told.
fn ring(engine: &Weak<LocalEngine>, ids: &[PublicId]) -> bool {
    let Some(engine) = engine.upgrade() else { return false };
    let (state, now) = (engine.state(), engine.now().time);
    ids.iter().any(|id| state.key(KeyId(*id)).is_some_and(|key| rings(&state, key, now)))
}

fn sweep(engine: &LocalEngine) -> Result<Swept, EngineError> {
    let swept = engine.sweep_for(&Session::service()?, Sweeping::Do)?;
    let done = swept.events.len();
    if done > 0 {
        tracing::info!(done, "swept");
    }
    Ok(swept)
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // It panics only if the store does, which has been logged.
            let _ = thread.join();
        }
    }
}

impl LocalEngine {
    /// Sweeps from now on, at that pace, as long as somebody has what is returned: for processes that stay.
    pub fn sweep_by_itself(self: &Arc<Self>, pace: Pace) -> Sweeper {
        Sweeper::start(self, pace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_is_every_hour_or_when_something_is_due_but_not_more_often_than_each_minute() {
        const NOW: Timestamp = Timestamp(1_790_000_000_000);
        let pace = Pace::default();
        let minutes =
            |next: Option<i64>| pace.after(next.map(|ms| Timestamp(NOW.0 + ms)), NOW).as_secs_f64() / 60.0;
        for (next, expected) in [
            (None, 60.0),
            (Some(i64::MAX - NOW.0), 60.0),
            (Some(3_600_001), 60.0),
            (Some(600_000), 10.0),
            (Some(60_001), 60_001.0 / 60_000.0),
            (Some(1), 1.0),
            (Some(0), 1.0),
            // The clock went on while it swept.
            (Some(-1), 1.0),
        ] {
            assert!((minutes(next) - expected).abs() < 1e-9, "{next:?}: {}", minutes(next));
        }
    }
}
