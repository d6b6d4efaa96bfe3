//! The desktop's clipboard, by arboard.
//!
//! On X11 and Wayland the process that copied serves the text to whoever pastes, so the handle lives on a thread
//! of its own for as long as the console. The text is marked to be left out of clipboard histories; with that mark
//! it is gone when keydeck ends, which for a secret is right.

use std::{
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::Duration,
};

use arboard::Error;
#[cfg(target_os = "macos")]
use arboard::SetExtApple as _;
#[cfg(all(unix, not(target_os = "macos")))]
use arboard::SetExtLinux as _;
use zeroize::Zeroizing;

use super::{ClipboardError, Fingerprint, Holds, Provider, Route};
use crate::tui::secret::SecretText;

/// How long the desktop may take. An owner that hangs must not hang the console.
const PATIENCE: Duration = Duration::from_secs(2);

enum Request {
    Copy(SecretText, Sender<Result<(), ClipboardError>>),
    Holds(Fingerprint, Sender<Holds>),
    Clear(Sender<Result<(), ClipboardError>>),
}

/// The handle. The thread starts with the first copy, and ends when this is dropped.
#[derive(Default)]
pub struct Native {
    requests: Option<Sender<Request>>,
}

impl Native {
    fn ask<T>(&mut self, request: impl FnOnce(Sender<T>) -> Request) -> Result<T, ClipboardError> {
        let (answer, answered) = channel();
        let thread = match &self.requests {
            Some(thread) => thread,
            None => self.requests.insert(start()?),
        };
        if thread.send(request(answer)).is_err() {
            // The thread ended because there is no desktop; a later try may find one.
            self.requests = None;
            return Err(ClipboardError::NoDesktop);
        }
        answered.recv_timeout(PATIENCE).map_err(|_| ClipboardError::NoAnswer)
    }
}

impl Provider for Native {
    fn route(&self) -> Route {
        Route::Native
    }

    fn copy(&mut self, text: &SecretText) -> Result<(), ClipboardError> {
        let copied = self.ask(|answer| Request::Copy(text.duplicate(), answer))?;
        if copied == Err(ClipboardError::NoDesktop) {
            self.requests = None;
        }
        copied
    }

    fn holds(&mut self, print: &Fingerprint) -> Holds {
        self.ask(|answer| Request::Holds(print.clone(), answer)).unwrap_or(Holds::Unknown)
    }

    fn clear(&mut self) -> Result<(), ClipboardError> {
        self.ask(Request::Clear)?
    }
}

fn start() -> Result<Sender<Request>, ClipboardError> {
    let (sender, receiver) = channel();
    let thread = thread::Builder::new().name("clipboard".to_owned());
    thread.spawn(move || serve(&receiver)).map_err(|_| ClipboardError::NoAnswer)?;
    Ok(sender)
}

fn serve(requests: &Receiver<Request>) {
    let Ok(mut clipboard) = arboard::Clipboard::new() else { return refuse(requests) };
    while let Ok(request) = requests.recv() {
        // Whoever asked may have lost patience; the work is done all the same.
        match request {
            Request::Copy(text, answer) => drop(answer.send(copy(&mut clipboard, &text))),
            Request::Holds(print, answer) => drop(answer.send(holds(&mut clipboard, &print))),
            Request::Clear(answer) => drop(answer.send(clipboard.clear().map_err(in_our_words))),
        }
    }
}

/// Without a desktop every request is answered at once.
fn refuse(requests: &Receiver<Request>) {
    while let Ok(request) = requests.recv() {
        match request {
            Request::Copy(_, answer) | Request::Clear(answer) => {
                drop(answer.send(Err(ClipboardError::NoDesktop)));
            }
            Request::Holds(_, answer) => drop(answer.send(Holds::Unknown)),
        }
    }
}

fn copy(clipboard: &mut arboard::Clipboard, text: &SecretText) -> Result<(), ClipboardError> {
    let set = clipboard.set();
    #[cfg(unix)]
    let set = set.exclude_from_history();
    set.text(text.expose()).map_err(in_our_words)
}

fn holds(clipboard: &mut arboard::Clipboard, print: &Fingerprint) -> Holds {
    match clipboard.get_text().map(Zeroizing::new) {
        Ok(text) if Fingerprint::of(&text) == *print => Holds::Ours,
        Ok(_) | Err(Error::ContentNotAvailable) => Holds::Other,
        Err(_) => Holds::Unknown,
    }
}

/// The library's own words mislead: without a display it says that something timed out.
#[expect(clippy::needless_pass_by_value, reason = "used as a function on results")]
fn in_our_words(error: Error) -> ClipboardError {
    match error {
        Error::ClipboardOccupied => ClipboardError::Occupied,
        Error::ClipboardNotSupported => ClipboardError::NoDesktop,
        _ => ClipboardError::NoAnswer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_desktop_it_says_so_in_our_words() {
        if std::env::var_os("DISPLAY").is_some() || std::env::var_os("WAYLAND_DISPLAY").is_some() {
            println!("skipped: needs a machine without a desktop");
            return;
        }
        let mut native = Native::default();
        for _ in 0..2 {
            assert_eq!(native.copy(&SecretText::new("x".into())), Err(ClipboardError::NoDesktop));
        }
        assert_eq!(native.holds(&Fingerprint::of("x")), Holds::Unknown);
    }
}
