//! A new passphrase, typed twice, and how good it is.

use super::Told;
use super::field::Field;
use crate::crypto::CryptoError;
use crate::crypto::passphrase::{MIN_CHARS, Passphrase};
use crate::crypto::strength::most_bits;
use crate::tui::secret::SecretText;
use crate::tui::widgets::field::TextField;

/// Bits at most below which one more word helps. What people choose has far fewer than it seems to have.
const GOOD_BITS: u32 = 110;
/// Bits at most from which nothing more is to be said.
const STRONG_BITS: u32 = 150;

pub struct NewPassphrase {
    first: TextField,
    again: TextField,
}

impl NewPassphrase {
    /// Nothing typed.
    pub(crate) fn new() -> Self {
        Self { first: TextField::secret("Passphrase"), again: TextField::secret("And again") }
    }

    /// The fields, for a form.
    pub fn fields(&mut self) -> [&mut dyn Field; 2] {
        [&mut self.first, &mut self.again]
    }

    /// Says below the fields how good it is. `names` are known to everybody and make it weak.
    pub fn check(&mut self, told: Told, names: &[&str]) {
        let text = self.first.text();
        let typed = text.chars().count();
        let chosen = Passphrase::choose(text).map(drop);
        let folded = text.to_lowercase();
        let named = |name: &&str| name.chars().count() > 2 && folded.contains(&name.to_lowercase());
        let note = match (typed, most_bits(text.as_bytes())) {
            (0, _) => {
                format!("at least {MIN_CHARS} characters; five or six unrelated words are easy to keep")
            }
            (1..MIN_CHARS, _) => format!("{typed} of at least {MIN_CHARS} characters"),
            _ if names.iter().any(named) => "weak: it contains a name from above".to_owned(),
            (_, ..GOOD_BITS) => format!("{typed} characters: fair; a word more makes it good"),
            (_, ..STRONG_BITS) => format!("{typed} characters: good"),
            _ => format!("{typed} characters: strong"),
        };
        let short = matches!(
            chosen,
            Err(CryptoError::PassphraseEmpty
                | CryptoError::PassphraseTooShort { .. }
                | CryptoError::PassphraseLength { .. })
        );
        let (rest, same) = (text.strip_prefix(self.again.text()), self.again.text() == text);
        let (again, differs) = match rest {
            _ if self.again.is_empty() => ("the same once more, against typing errors", true),
            _ if same => ("the same", false),
            Some(_) => ("the same so far", true),
            None => ("this differs from the first", true),
        };
        self.first.error = chosen.err().filter(|_| told == Told::Whole || !short).map(|why| why.to_string());
        self.again.error = (told == Told::Whole && differs && self.first.error.is_none())
            .then(|| "That is not the same; type it again".to_owned());
        (self.first.note, self.again.note) = (note, again.to_owned());
    }

    /// A copy of it, for an attempt that may fail.
    pub fn copy(&self) -> SecretText {
        SecretText::new(self.first.text().to_owned())
    }

    /// Takes it out and leaves both fields empty.
    pub fn take(&mut self) -> SecretText {
        self.again.clear();
        self.first.take_secret()
    }
}
