//! How deliveries end when the process does: nobody who closes a console waits for a program or a server that hangs.

use std::io;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use tokio::sync::watch;

/// How often it is looked at whether it is time to end.
const GLANCE: Duration = Duration::from_millis(100);

/// Says that it is time to end, to whoever delivers.
#[derive(Debug, Default)]
pub struct Quit(watch::Sender<bool>);

impl Quit {
    /// Says it.
    pub fn say(&self) {
        self.0.send_replace(true);
    }

    /// Whether it was said.
    pub fn is_said(&self) -> bool {
        *self.0.borrow()
    }

    /// Done when it is said.
    pub(super) async fn heard(&self) {
        // It cannot end before: the sender is here.
        let _ = self.0.subscribe().wait_for(|said| *said).await;
    }

    /// What comes within `limit`; nothing when nothing does, or when it is time to end.
    pub(super) fn wait<T>(&self, for_it: &Receiver<T>, limit: Duration) -> Option<T> {
        let mut left = limit;
        while !left.is_zero() && !self.is_said() {
            let time = left.min(GLANCE);
            if let Ok(it) = for_it.recv_timeout(time) {
                return Some(it);
            }
            left = left.saturating_sub(time);
        }
        None
    }
}

/// Does something on a thread that nobody waits for longer than they want to.
pub(super) fn on_its_own<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<Receiver<T>> {
    let (done, wait) = mpsc::channel();
    thread::Builder::new().name("deliver".into()).spawn(move || {
        // Who waited may have gone.
        let _ = done.send(work());
    })?;
    Ok(wait)
}
