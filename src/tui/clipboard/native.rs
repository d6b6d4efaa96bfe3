//! The desktop's clipboard, by arboard.
//!
//! On X11 and Wayland the process that copied serves the text to whoever pastes, so the handle lives on a thread
//! of its own for as long as the console. The text is marked to be left out of clipboard histories; with that mark
//! it is gone when keydeck ends, which for a secret is right.

use std::{
    sync::mpsc::{RecvTimeoutError, Sender, channel},
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

/// What is to be done with the desktop's clipboard, or without one.
type Work = Box<dyn FnOnce(Option<&mut arboard::Clipboard>) + Send>;

/// The handle. The thread starts with the first copy, and ends when this is dropped.
#[derive(Default)]
pub struct Native {
    thread: Option<Sender<Work>>,
}

impl Native {
    fn ask<T: Send + 'static>(
        &mut self,
        act: impl FnOnce(&mut arboard::Clipboard) -> Result<T, ClipboardError> + Send + 'static,
    ) -> Result<T, ClipboardError> {
        let (answer, answered) = channel();
        let thread = match &self.thread {
            Some(thread) => thread,
            None => self.thread.insert(start()?),
        };
        let work: Work = Box::new(move |clipboard| {
            // Whoever asked may have lost patience; the work is done all the same.
            drop(answer.send(clipboard.map_or(Err(ClipboardError::NoDesktop), act)));
        });
        drop(thread.send(work));
        let told = answered.recv_timeout(PATIENCE).unwrap_or_else(|none| match none {
            RecvTimeoutError::Timeout => Err(ClipboardError::NoAnswer),
            RecvTimeoutError::Disconnected => Err(ClipboardError::NoDesktop),
        });
        if matches!(told, Err(ClipboardError::NoDesktop)) {
            // There is none, or the thread broke on a fault of its own. A later try begins anew.
            self.thread = None;
        }
        told
    }
}

impl Provider for Native {
    fn route(&self) -> Route {
        Route::Native
    }

    fn copy(&mut self, text: &SecretText) -> Result<(), ClipboardError> {
        let text = text.duplicate();
        self.ask(move |clipboard| copy(clipboard, &text))
    }

    fn holds(&mut self, print: &Fingerprint) -> Holds {
        let print = print.clone();
        self.ask(move |clipboard| Ok(holds(clipboard, &print))).unwrap_or(Holds::Unknown)
    }

    fn clear(&mut self) -> Result<(), ClipboardError> {
        self.ask(|clipboard| clipboard.clear().map_err(in_our_words))
    }
}

fn start() -> Result<Sender<Work>, ClipboardError> {
    let (sender, receiver) = channel::<Work>();
    let thread = thread::Builder::new().name("clipboard".to_owned());
    let serve = move || {
        let mut clipboard = arboard::Clipboard::new().ok();
        while let Ok(work) = receiver.recv() {
            work(clipboard.as_mut());
        }
    };
    thread.spawn(serve).map_err(|_| ClipboardError::NoAnswer)?;
    Ok(sender)
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
