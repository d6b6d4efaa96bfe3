//! Copying, and taking a secret back.
//!
//! Two ways lead to a clipboard: the desktop's own ([`native`]), and a sequence that asks the terminal to copy
//! ([`osc52`]). Over ssh only the second reaches the person's machine, so `auto` never uses the first there. A
//! copied secret is on lease ([`lease`]): after 45 s, or when the console locks or ends, it is cleared, but only
//! while the clipboard still holds what we put there.

pub mod lease;
pub mod native;
pub mod osc52;
mod tmux;

use sha2::{Digest as _, Sha256};

use super::{output::Output, secret::SecretText};

/// Which way a text went, for the honest word on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// The desktop's clipboard took it.
    Native,
    /// The terminal was asked; it does not answer whether it did.
    Terminal,
}

impl Route {
    /// What to say after copying `what`.
    pub fn said(self, what: &str) -> String {
        match self {
            Self::Native => format!("{what} copied"),
            Self::Terminal => {
                format!("{what} sent to the terminal's clipboard (OSC 52); check that it pastes")
            }
        }
    }
}

/// What a person chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preference {
    /// The best way there is.
    #[default]
    Auto,
    /// Only the desktop's clipboard.
    Native,
    /// Only the terminal's.
    Osc52,
    /// None: nothing is ever copied.
    Off,
}

impl Preference {
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "auto" => Self::Auto,
            "native" => Self::Native,
            "osc52" => Self::Osc52,
            "off" => Self::Off,
            _ => return None,
        })
    }
}

/// Where this console runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seat {
    /// At the machine itself.
    Local,
    /// Through ssh: the desktop's clipboard here is somebody else's.
    Remote,
}

impl Seat {
    /// Reads the variables through `var`.
    pub fn read(var: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| var(name).is_some_and(|value| !value.is_empty());
        if set("SSH_TTY") || set("SSH_CONNECTION") { Self::Remote } else { Self::Local }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClipboardError {
    /// A person wants it so.
    #[error("copying is switched off in the settings; show the bare secret and select it with the mouse")]
    Off,
    #[error("there is no desktop clipboard here; set clipboard to osc52 to copy through the terminal")]
    NoDesktop,
    /// Somebody else has it open.
    #[error("another program holds the clipboard; try again")]
    Occupied,
    #[error("the desktop clipboard does not answer; try again, or set clipboard to osc52")]
    NoAnswer,
    /// Too much for a terminal.
    #[error("the text is too long to copy through the terminal")]
    TooLong,
    #[error("the terminal did not take the text")]
    NoTerminal,
}

/// A copied text, known again without being kept: SHA-256 of it. Never stored, never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub fn of(text: &str) -> Self {
        Self::of_bytes(text.as_bytes())
    }

    fn of_bytes(text: &[u8]) -> Self {
        Self(Sha256::digest(text).into())
    }
}

impl std::fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fingerprint(…)")
    }
}

/// Whether the clipboard still holds what we put there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    Ours,
    /// It holds something else, or nothing.
    Other,
    /// It cannot be read.
    Unknown,
}

/// One way to a clipboard.
pub trait Provider: Send {
    fn route(&self) -> Route;

    /// Puts `text` there, kept out of clipboard histories where that can be asked for.
    fn copy(&mut self, text: &SecretText) -> Result<(), ClipboardError>;

    /// Whether what `print` was taken from is still there.
    fn holds(&mut self, print: &Fingerprint) -> Holds;

    fn clear(&mut self) -> Result<(), ClipboardError>;
}

/// Whether a copy is to be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// A public text: it stays.
    Stays,
    /// A secret: it is cleared when its lease ends.
    Leased,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Nothing of ours was on lease.
    Nothing,
    Cleared(Route),
    /// Somebody copied something else since; it was left alone.
    NotOurs,
    /// It could not be emptied.
    Failed(ClipboardError),
}

/// All the ways there are, in the order in which they are tried. Lives as long as the console: the desktop's
/// clipboard is served by the process that copied.
pub struct Clipboard {
    providers: Vec<Box<dyn Provider>>,
    /// Which provider holds a secret of ours, and which.
    leased: Option<(usize, Fingerprint)>,
}

impl Clipboard {
    /// The ways for `preference` at this seat.
    pub fn new(preference: Preference, seat: Seat, output: &Output) -> Self {
        let native = || Box::new(native::Native::default()) as Box<dyn Provider>;
        let terminal = || Box::new(osc52::Osc52::new(output.clone())) as Box<dyn Provider>;
        Self::with(match (preference, seat) {
            (Preference::Off, _) => Vec::new(),
            (Preference::Native, _) => vec![native()],
            (Preference::Osc52, _) | (Preference::Auto, Seat::Remote) => vec![terminal()],
            (Preference::Auto, Seat::Local) => vec![native(), terminal()],
        })
    }

    /// Ways of the caller's own.
    pub fn with(providers: Vec<Box<dyn Provider>>) -> Self {
        Self { providers, leased: None }
    }

    /// Copies `text` the first way that takes it. May take a while: call it where blocking is allowed.
    pub fn copy(&mut self, text: &SecretText, keep: Keep) -> Result<Route, ClipboardError> {
        let mut refusal = ClipboardError::Off;
        for number in 0..self.providers.len() {
            let Some(provider) = self.providers.get_mut(number) else { break };
            match provider.copy(text) {
                Ok(()) => {
                    let route = provider.route();
                    self.note_copy(number, text, keep);
                    return Ok(route);
                }
                Err(error) => refusal = error,
            }
        }
        Err(refusal)
    }

    fn note_copy(&mut self, number: usize, text: &SecretText, keep: Keep) {
        // Whatever was on lease there has been replaced by this very copy.
        if self.leased.as_ref().is_some_and(|(leased, _)| *leased == number) {
            self.leased = None;
        }
        if keep == Keep::Leased {
            // An earlier secret on another way would otherwise be forgotten there.
            self.settle();
            self.leased = Some((number, Fingerprint::of(text.expose())));
        }
    }

    /// Ends the lease: clears what is still ours. A clipboard that cannot be read is cleared only by us while we
    /// were the last to copy through it, which is what the lease says.
    pub fn settle(&mut self) -> Settled {
        let Some((number, print)) = self.leased.take() else { return Settled::Nothing };
        let Some(provider) = self.providers.get_mut(number) else { return Settled::Nothing };
        if provider.holds(&print) == Holds::Other {
            return Settled::NotOurs;
        }
        match provider.clear() {
            Ok(()) => Settled::Cleared(provider.route()),
            Err(error) => Settled::Failed(error),
        }
    }
}

/// The last resort, should nobody have settled: a fault unwinding through the console.
impl Drop for Clipboard {
    fn drop(&mut self) {
        self.settle();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing::FakeClipboard;

    fn secret() -> SecretText {
        SecretText::new("kdag_secret".into())
    }

    #[test]
    fn a_secret_is_cleared_and_a_public_text_stays() {
        let fake = FakeClipboard::default();
        let mut clipboard = Clipboard::with(vec![fake.provider(Route::Native)]);
        assert_eq!(clipboard.copy(&secret(), Keep::Leased), Ok(Route::Native));
        assert_eq!(fake.text(), "kdag_secret");
        assert_eq!(clipboard.settle(), Settled::Cleared(Route::Native));
        assert_eq!((fake.text(), clipboard.settle()), (String::new(), Settled::Nothing));
        clipboard.copy(&SecretText::new("kdag_7HqP".into()), Keep::Stays).unwrap();
        assert_eq!((clipboard.settle(), fake.text().as_str()), (Settled::Nothing, "kdag_7HqP"));
    }

    #[test]
    fn what_somebody_else_copied_since_is_left_alone() {
        let fake = FakeClipboard::default();
        let mut clipboard = Clipboard::with(vec![fake.provider(Route::Native)]);
        clipboard.copy(&secret(), Keep::Leased).unwrap();
        fake.set("shopping list");
        assert_eq!((clipboard.settle(), fake.text().as_str()), (Settled::NotOurs, "shopping list"));
    }

    #[test]
    fn a_clipboard_that_cannot_be_read_is_cleared_only_while_we_were_last() {
        let fake = FakeClipboard::default();
        let mut clipboard = Clipboard::with(vec![fake.provider(Route::Terminal)]);
        clipboard.copy(&secret(), Keep::Leased).unwrap();
        clipboard.copy(&SecretText::new("public id".into()), Keep::Stays).unwrap();
        assert_eq!((clipboard.settle(), fake.text().as_str()), (Settled::Nothing, "public id"));
        clipboard.copy(&secret(), Keep::Leased).unwrap();
        assert_eq!((clipboard.settle(), fake.text().as_str()), (Settled::Cleared(Route::Terminal), ""));
    }

    #[test]
    fn the_next_way_is_tried_and_the_last_reason_told() {
        let (broken, works) = (FakeClipboard::default(), FakeClipboard::default());
        broken.refuse(Some(ClipboardError::NoDesktop));
        let providers = || vec![broken.provider(Route::Native), works.provider(Route::Terminal)];
        let mut clipboard = Clipboard::with(providers());
        assert_eq!(clipboard.copy(&secret(), Keep::Leased), Ok(Route::Terminal));
        works.refuse(Some(ClipboardError::NoTerminal));
        assert_eq!(clipboard.settle(), Settled::Failed(ClipboardError::NoTerminal));
        assert_eq!(clipboard.copy(&secret(), Keep::Leased), Err(ClipboardError::NoTerminal));
        assert_eq!(Clipboard::with(Vec::new()).copy(&secret(), Keep::Stays), Err(ClipboardError::Off));
    }

    #[test]
    fn a_dropped_clipboard_leaves_no_secret_behind() {
        let fake = FakeClipboard::default();
        let mut clipboard = Clipboard::with(vec![fake.provider(Route::Native)]);
        clipboard.copy(&secret(), Keep::Leased).unwrap();
        drop(clipboard);
        assert_eq!(fake.text(), "");
    }

    #[test]
    fn a_secret_left_on_another_way_is_cleared_when_a_new_one_is_copied() {
        let (desktop, terminal) = (FakeClipboard::default(), FakeClipboard::default());
        let mut clipboard =
            Clipboard::with(vec![desktop.provider(Route::Native), terminal.provider(Route::Terminal)]);
        clipboard.copy(&secret(), Keep::Leased).unwrap();
        desktop.refuse_copies();
        assert_eq!(clipboard.copy(&SecretText::new("second".into()), Keep::Leased), Ok(Route::Terminal));
        assert_eq!((desktop.text().as_str(), terminal.text().as_str()), ("", "second"));
    }

    #[test]
    fn over_ssh_the_desktop_here_is_not_used() {
        let output = Output::to(std::io::sink());
        let routes = |preference, seat| -> Vec<Route> {
            Clipboard::new(preference, seat, &output).providers.iter().map(|way| way.route()).collect()
        };
        assert_eq!(routes(Preference::Auto, Seat::Remote), [Route::Terminal]);
        assert_eq!(routes(Preference::Auto, Seat::Local), [Route::Native, Route::Terminal]);
        assert_eq!(routes(Preference::Off, Seat::Local), []);
        assert_eq!(Seat::read(|name| (name == "SSH_TTY").then(|| "/dev/pts/1".into())), Seat::Remote);
        assert_eq!(Seat::read(|_| Some(String::new())), Seat::Local);
        assert_eq!(Preference::parse("osc52"), Some(Preference::Osc52));
        assert_eq!(Preference::parse("xclip"), None);
    }
}
