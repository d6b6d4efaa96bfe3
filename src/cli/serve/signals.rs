//! When a server stops, and when it reads its configuration again: INT and TERM, HUP.

use std::io::{self, IsTerminal as _};
use std::sync::mpsc::Sender;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals, listened for from when it was made.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
    /// Whether somebody sat at a terminal then.
    at_terminal: bool,
}

/// HUP, listened for from now on: while a large store is read it would end the process. Must be called on a tokio runtime.
pub fn hang_up() -> io::Result<Signal> {
    signal(SignalKind::hangup())
}

impl Signals {
    /// Listens from now on, and for what `hang_up` has heard already. Must be called on a tokio runtime.
    pub fn listen(hang_up: Signal) -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up,
            at_terminal: io::stderr().is_terminal(),
        })
    }

    /// Done when it is time to stop; until then each HUP is passed on. The one that comes because the terminal is gone means
    /// to stop, as it does to other programs.
    pub async fn until_stop(mut self, reload: &Sender<()>) {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => return,
                _ = self.terminate.recv() => return,
                _ = self.hang_up.recv() => {
                    if self.at_terminal && !io::stderr().is_terminal() {
                        return;
                    }
                    // Nobody listens any more only while it stops.
                    let _ = reload.send(());
                }
            }
        }
    }
}
