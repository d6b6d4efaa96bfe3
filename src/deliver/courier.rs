//! The thread that delivers while a process stays: when a sweep told of something, whoever asked for the sweep, and when
//! something is to be tried again. It sleeps in between, and holds the engine only while it delivers.

use std::future::pending;
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::sleep;

use super::{Quit, Setup, run};
use crate::domain::Event;
use crate::engine::{Engine as _, LocalEngine, News};

/// How long it waits at first: whoever opens a store wants to see it before anything else is done.
const FIRST: Duration = Duration::from_secs(3);
/// A sweep tells of what it does in parts; when it says nothing for so long, all of it is told in one message.
const QUIET: Duration = Duration::from_secs(2);

/// Delivers until it is dropped, which ends what is under way: a message that was not accepted yet is sent again.
#[must_use = "it delivers only as long as somebody has it"]
pub struct Courier {
    quit: Arc<Quit>,
    thread: Option<JoinHandle<()>>,
}

impl Courier {
    /// Delivers through these channels from now on.
    pub fn start(engine: &Arc<LocalEngine>, channels: &[Setup]) -> Self {
        let quit: Arc<Quit> = Arc::default();
        if channels.is_empty() {
            return Self { quit, thread: None };
        }
        let (news, engine, channels) = (engine.subscribe(), Arc::downgrade(engine), channels.to_vec());
        let shared = Arc::clone(&quit);
        let body = move || match Builder::new_current_thread().enable_time().build() {
            Ok(runtime) => runtime.block_on(attend(&engine, news, &channels, &shared)),
            Err(error) => tracing::warn!(%error, "no timer for deliveries; `keydeck sweep` delivers"),
        };
        let thread = thread::Builder::new().name("keydeck-deliver".into()).spawn(body);
        if let Err(error) = &thread {
            tracing::warn!(%error, "no thread for deliveries; `keydeck sweep` delivers");
        }
        Self { quit, thread: thread.ok() }
    }
}

impl Drop for Courier {
    fn drop(&mut self) {
        self.quit.say();
        if let Some(thread) = self.thread.take() {
            // It panics only if the store does, which has been logged.
            let _ = thread.join();
        }
    }
}

async fn attend(engine: &Weak<LocalEngine>, mut news: Receiver<News>, channels: &[Setup], quit: &Quit) {
    let mut next = Some(FIRST);
    while wait(&mut news, next, quit).await {
        let Some(engine) = engine.upgrade() else { return };
        let report = run(&engine, channels, quit);
        for (channel, why) in &report.failed {
            tracing::warn!(%channel, why, "notices could not be delivered");
        }
        let now = engine.now().time;
        next = report.next.map(|at| Duration::from_millis(at.since(now).max(1_000).unsigned_abs()));
    }
}

/// Waits until there is something to deliver. False when it is time to end.
async fn wait(news: &mut Receiver<News>, next: Option<Duration>, quit: &Quit) -> bool {
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
                Ok(News::Happened(events)) if events.iter().any(tells) => break,
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

/// Whether it is something that people are told of.
fn tells(event: &Event) -> bool {
    matches!(event, Event::NoticeGiven(..) | Event::KeyDeleted(_) | Event::DeletionsHeld(_))
}
