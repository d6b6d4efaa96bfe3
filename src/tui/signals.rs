//! What the system tells the console: end, go to the background, come back, the terminal is gone.
//!
//! The terminal's end is watched for by itself, because a parent may have switched the hang-up signal off, and a
//! console that reads from a dead terminal burns a whole core.

use std::{io, thread};

use rustix::event::{PollFd, PollFlags, poll};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};

/// What the system said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Somebody wants the console to end (INT, TERM, QUIT): the signal's number.
    Terminate(u8),
    /// The terminal was hung up (HUP), or is simply gone.
    HangUp,
    /// Go to the background (TSTP).
    Suspend,
    /// Back in the foreground (CONT).
    Continue,
}

/// Starts listening. Must be called on a tokio runtime.
pub fn listen() -> io::Result<mpsc::Receiver<Signal>> {
    let (sender, receiver) = mpsc::channel(16);
    let kinds = [
        (SignalKind::interrupt(), Signal::Terminate(2)),
        (SignalKind::terminate(), Signal::Terminate(15)),
        (SignalKind::quit(), Signal::Terminate(3)),
        (SignalKind::hangup(), Signal::HangUp),
        (SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw()), Signal::Suspend),
        (SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()), Signal::Continue),
    ];
    for (kind, meaning) in kinds {
        let mut stream = signal(kind)?;
        let sender = sender.clone();
        tokio::spawn(async move {
            while stream.recv().await.is_some() {
                if sender.send(meaning).await.is_err() {
                    break;
                }
            }
        });
    }
    thread::Builder::new().name("hang-up watch".to_owned()).spawn(move || {
        wait_for_hang_up();
        let _console_gone = sender.blocking_send(Signal::HangUp);
    })?;
    Ok(receiver)
}

/// Whether the terminal is gone by now.
pub fn is_hung_up() -> bool {
    let stdin = rustix::stdio::stdin();
    let now = rustix::time::Timespec::default();
    matches!(poll(&mut [PollFd::new(&stdin, PollFlags::empty())], Some(&now)), Ok(1..))
}

/// Returns when standard input is hung up; costs nothing meanwhile. No event is asked for: hang-up and error are
/// always told.
fn wait_for_hang_up() {
    let stdin = rustix::stdio::stdin();
    loop {
        match poll(&mut [PollFd::new(&stdin, PollFlags::empty())], None) {
            Err(rustix::io::Errno::INTR) | Ok(0) => {}
            Ok(_) | Err(_) => return,
        }
    }
}
