//! The threads that deliver while a process stays, one for a channel: when a sweep told of something, whoever asked for the
//! sweep, when something is wrong, and when something is to be tried again. They sleep in between, and hold the engine only
//! while they deliver.

use std::future::pending;
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::sleep;

use super::{Quit, Setup, begin, run};
use crate::domain::delivery::ChannelName;
use crate::domain::notice::Trouble;
use crate::domain::{Event, Timestamp};
use crate::engine::{Engine as _, LocalEngine, News, troubles};

/// How long it waits at first: whoever opens a store wants to see it before anything else is done.
const FIRST: Duration = Duration::from_secs(3);
/// A sweep tells of what it does in parts; when it says nothing for so long, all of it is told in one message.
const QUIET: Duration = Duration::from_secs(2);

/// Delivers until it is dropped, which ends what is under way: a message that was not accepted yet is sent again.
#[must_use = "it delivers only as long as somebody has it"]
pub struct Courier {
    quit: Arc<Quit>,
    threads: Vec<JoinHandle<()>>,
}

impl Courier {
    /// Delivers through these channels from now on.
    pub fn start(engine: &Arc<LocalEngine>, channels: &[Setup]) -> Self {
        engine.deliver_through(channels.iter().map(|setup| setup.name));
        begin(engine, channels);
        let quit: Arc<Quit> = Arc::default();
        let threads = channels.iter().filter_map(|setup| employ(engine, setup, &quit)).collect();
        Self { quit, threads }
    }
}

fn employ(engine: &Arc<LocalEngine>, setup: &Setup, quit: &Arc<Quit>) -> Option<JoinHandle<()>> {
    let (news, engine, setup, quit) =
        (engine.subscribe(), Arc::downgrade(engine), setup.clone(), Arc::clone(quit));
    let body = move || match Builder::new_current_thread().enable_time().build() {
        Ok(runtime) => runtime.block_on(attend(&Rounds { engine, setup }, news, &quit)),
        Err(error) => tracing::warn!(%error, "no timer for deliveries; `keydeck sweep` delivers"),
    };
    let thread = thread::Builder::new().name("keydeck-deliver".into()).spawn(body);
    if let Err(error) = &thread {
        tracing::warn!(%error, "no thread for deliveries; `keydeck sweep` delivers");
    }
    thread.ok()
}

impl Drop for Courier {
    fn drop(&mut self) {
        self.quit.say();
        for thread in self.threads.drain(..) {
            // It panics only if the store does, which has been logged.
            let _ = thread.join();
        }
    }
}

/// One channel, and what it is looked after for.
struct Rounds {
    engine: Weak<LocalEngine>,
    setup: Setup,
}

/// What was wrong when that was looked at last.
type Wrong = Vec<Trouble>;

async fn attend(rounds: &Rounds, mut news: Receiver<News>, quit: &Quit) {
    let (mut next, mut wrong) = (Some(FIRST), Wrong::new());
    while rounds.wait(&mut news, next, &wrong, quit).await {
        let Some(engine) = rounds.engine.upgrade() else { return };
        wrong = what_is_wrong(&engine);
        let report = run(&engine, std::slice::from_ref(&rounds.setup), quit);
        for channel in &report.taken_over {
            tracing::warn!(%channel, "another process ended while it delivered; that message is sent again");
        }
        for (channel, why) in &report.failed {
            tracing::warn!(%channel, why, "notices could not be delivered");
        }
        let now = engine.now().time;
        next =
            report.next.map(|at: Timestamp| Duration::from_millis(at.since(now).max(1_000).unsigned_abs()));
    }
}

fn what_is_wrong(engine: &LocalEngine) -> Wrong {
    troubles(engine).when().into_iter().map(|(trouble, _)| trouble).collect()
}

impl Rounds {
    /// Waits until there is something to deliver. False when it is time to end.
    async fn wait(
        &self,
        news: &mut Receiver<News>,
        next: Option<Duration>,
        wrong: &Wrong,
        quit: &Quit,
    ) -> bool {
        let due = async {
            match next {
                Some(time) => sleep(time).await,
                None => pending().await,
            }
        };
        tokio::pin!(due);
        loop {
            tokio::select! {
                () = quit.heard() => return false,
                () = &mut due => return true,
                heard = news.recv() => match heard {
                    Ok(News::Happened(events)) if self.is_told(&events, wrong) => break,
                    Err(RecvError::Lagged(_)) => break,
                    Ok(News::Gone(_)) | Err(RecvError::Closed) => return false,
                    Ok(_) => {}
                },
            }
        }
        loop {
            tokio::select! {
                () = quit.heard() => return false,
                () = sleep(QUIET) => return true,
                heard = news.recv() => match heard {
                    Ok(News::Gone(_)) | Err(RecvError::Closed) => return false,
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                },
            }
        }
    }

    /// Whether people are told of it, or something else is wrong than before.
    fn is_told(&self, events: &[Event], wrong: &Wrong) -> bool {
        if events.is_empty() {
            return self.engine.upgrade().is_some_and(|engine| what_is_wrong(&engine) != *wrong);
        }
        events.iter().any(|event| tells(event, self.setup.name))
    }
}

/// Whether it is something that people are told of through a channel, or that lets them be told.
fn tells(event: &Event, channel: ChannelName) -> bool {
    match event {
        Event::NoticeGiven(..)
        | Event::NoticesRenewed(..)
        | Event::KeyDeleted(_)
        | Event::KeyRestored(_)
        | Event::KeySuperseded(..)
        | Event::AppSecretRenewed(_)
        | Event::AppSecretEnds(..)
        | Event::AppSecretMissed(..)
        | Event::DeletionsHeld(..)
        | Event::KeyGiven(..)
        | Event::AppGiven(..)
        | Event::OperatorDisabled(_)
        | Event::ClockConfirmed(..) => true,
        Event::KeyEdited(after, before) => after.contacts != before.contacts,
        // Another one began to fail or works again; this one was given something to send.
        Event::ChannelMoved(after, before) => {
            let fails =
                |known: &crate::domain::delivery::Channel| !known.waiting.is_empty() || known.lost.is_some();
            let began = fails(after) != before.as_deref().is_some_and(fails);
            let given = before.as_deref().is_some_and(|before| after.was_given_more(before));
            if after.name == channel { given && after.claim.is_none() } else { began }
        }
        _ => false,
    }
}
