//! The terminal's clipboard, by the sequence OSC 52 (xterm control sequences, "Manipulate Selection Data").
//!
//! Write-only and without an answer, so the screen says "sent", not "copied". Never wrapped for tmux: tmux passes
//! it on by itself where the user has `set-clipboard on`, and a wrapped one fails for everybody else. The copy tmux
//! keeps for itself is deleted with the next copy, and when the clipboard is cleared.

use crossterm::{Command as _, clipboard::CopyToClipboard};
use zeroize::Zeroizing;

use super::{ClipboardError, Fingerprint, Holds, Provider, Route, tmux};
use crate::tui::{output::Output, secret::SecretText};

/// Characters of Base64 that common terminals take in one sequence.
const LONGEST: usize = 74_994;

/// The way through the terminal.
pub struct Osc52 {
    output: Output,
    /// What was sent last.
    last: Option<Fingerprint>,
}

impl Osc52 {
    /// Through the console's own terminal.
    pub const fn new(output: Output) -> Self {
        Self { output, last: None }
    }

    /// Has the last copy deleted where clearing does not reach.
    fn forget(&mut self) {
        if let Some(print) = self.last.take() {
            tmux::forget(&print);
        }
    }

    fn send(&self, text: &str) -> Result<(), ClipboardError> {
        if text.len().div_ceil(3) * 4 > LONGEST {
            return Err(ClipboardError::TooLong);
        }
        // Room for all of it at once: a growing buffer would leave pieces behind.
        let mut sequence = Zeroizing::new(String::with_capacity(text.len() * 2 + 32));
        let written = CopyToClipboard::to_clipboard_from(text).write_ansi(&mut *sequence);
        written.map_err(|_| ClipboardError::NoTerminal)?;
        self.output.send(sequence.as_bytes()).map_err(|_| ClipboardError::NoTerminal)
    }
}

impl Provider for Osc52 {
    fn route(&self) -> Route {
        Route::Terminal
    }

    fn copy(&mut self, text: &SecretText) -> Result<(), ClipboardError> {
        self.forget();
        self.send(text.expose())?;
        self.last = Some(Fingerprint::of(text.expose()));
        Ok(())
    }

    fn holds(&mut self, _: &Fingerprint) -> Holds {
        Holds::Unknown
    }

    fn clear(&mut self) -> Result<(), ClipboardError> {
        let cleared = self.send("");
        self.forget();
        cleared
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::output::tests::Recorder;

    #[test]
    fn copies_as_base64_and_clears_with_nothing() {
        let recorder = Recorder::default();
        let mut terminal = Osc52::new(Output::to(recorder.clone()));
        terminal.copy(&SecretText::new("kdag_x".into())).unwrap();
        terminal.clear().unwrap();
        let sent = recorder.0.lock().unwrap();
        assert_eq!(*sent, [b"\x1b]52;c;a2RhZ194\x1b\\".to_vec(), b"\x1b]52;c;\x1b\\".to_vec()]);
    }

    #[test]
    fn what_no_terminal_takes_is_refused_whole() {
        let recorder = Recorder::default();
        let mut terminal = Osc52::new(Output::to(recorder.clone()));
        assert_eq!(terminal.copy(&SecretText::new("x".repeat(60_000))), Err(ClipboardError::TooLong));
        assert!(recorder.0.lock().unwrap().is_empty());
    }
}
