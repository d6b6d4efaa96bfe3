//! The sign-in, and the locked screen, which is one with a reason.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Gate, WIDTH, Want};
use crate::engine::OpenError;
use crate::engine::open::Options;
use crate::tui::app::entry::Entry;
use crate::tui::app::kept::Forms;
use crate::tui::clock::Moment;
use crate::tui::form::body::Body;
use crate::tui::form::field::Field;
use crate::tui::form::{Face, Manner, Pages, Told};
use crate::tui::secret::SecretText;
use crate::tui::theme::{Glyphs, Role};
use crate::tui::widgets::field::TextField;

/// The number of the field.
const PASSPHRASE: usize = 1;

/// Why the console was locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A person wanted it.
    Asked,
    /// Nobody pressed a key for so many minutes.
    Idle(u32),
    /// It was in the background.
    Background {
        /// Whether it is only now going there.
        going: bool,
    },
    /// The process that had the store open is gone, or sent this one away; in words.
    Gone(Arc<str>),
}

/// How a console came to be locked.
pub struct Locked {
    pub cause: Cause,
    /// What became of what was open.
    pub forms: Forms,
    /// Who was signed in.
    pub operator: String,
}

impl Locked {
    fn said(&self) -> String {
        let who = &self.operator;
        let forms = match self.forms {
            Forms::None => String::new(),
            Forms::Wait => {
                format!(
                    " What you were filling in waits for {who}; it is dropped when anybody else signs in."
                )
            }
            Forms::Gone => " What was typed and not saved is gone: secrets do not wait.".to_owned(),
            Forms::SecretGone => " The secret on the screen is gone.".to_owned(),
        };
        let why = match &self.cause {
            Cause::Gone(why) => {
                return format!("{why} Nothing that was saved is lost. Sign in again to go on.{forms}");
            }
            Cause::Asked => "Locked.".to_owned(),
            Cause::Idle(1) => "Locked, because no key was pressed for a minute.".to_owned(),
            Cause::Idle(minutes) => format!("Locked, because no key was pressed for {minutes} minutes."),
            Cause::Background { .. } => "Locked while keydeck was in the background.".to_owned(),
        };
        format!("{why} The store is closed.{forms}")
    }
}

pub struct SignInForm {
    pub(super) body: Body,
    operator: TextField,
    passphrase: TextField,
    locked: Option<Locked>,
    /// A passphrase was wrong: it may be forgotten.
    forgotten: bool,
    /// No attempt before this, after so many failed ones.
    wait: Option<(Moment, u32)>,
}

impl SignInForm {
    pub fn new(operator: Option<&str>) -> Self {
        Self::of(operator, None)
    }

    /// Of a console that was locked.
    pub fn locked(locked: Locked) -> Self {
        let operator = locked.operator.clone();
        Self::of(Some(&operator), Some(locked))
    }

    fn of(known: Option<&str>, locked: Option<Locked>) -> Self {
        let manner = Manner {
            leaves: "",
            leaving: "",
            does: if locked.is_some() { "Unlock" } else { "Sign in" },
            doing: "checking the passphrase",
            width: WIDTH,
            ..Manner::secret("sign-in")
        };
        let mut operator = TextField::new("Operator").filled(known.unwrap_or_default());
        let mut passphrase = TextField::secret("Passphrase");
        let mut sheet = vec![vec![&mut operator as &mut dyn Field, &mut passphrase]].into();
        let mut body = Body::new(manner, &mut sheet);
        if known.is_some() {
            body.go(PASSPHRASE, &mut sheet);
        }
        Self { body, operator, passphrase, locked, forgotten: false, wait: None }
    }

    /// It did not open.
    pub fn failed(&mut self, error: &OpenError, now: Moment) {
        match error {
            // The passphrase was not even tried: it stays, to be sent when the wait is over.
            OpenError::Throttled { failed, wait } => {
                self.wait = Some((now + *wait, *failed));
                return;
            }
            OpenError::Unseal(_) | OpenError::NoOperator => {
                self.forgotten = true;
                self.passphrase.clear();
                let (body, pages) = self.parts();
                body.go(PASSPHRASE, &mut pages.into());
            }
            _ => {}
        }
        self.body.refuse(&error.to_string());
    }

    /// When the number on the screen changes.
    pub fn wake_at(&self, now: Moment) -> Option<Moment> {
        self.wait?.0.next_second(now)
    }

    fn seconds_left(&self, now: Moment) -> u64 {
        self.wait.map_or(0, |(until, _)| until.seconds_from(now))
    }
}

impl Gate for SignInForm {
    fn parts(&mut self) -> (&mut Body, Pages<'_>) {
        (&mut self.body, vec![vec![&mut self.operator, &mut self.passphrase]])
    }

    fn check(&mut self, told: Told) {
        let missing = [
            (&mut self.operator, "Who are you? The operator's name is missing."),
            (&mut self.passphrase, "The passphrase is missing."),
        ];
        for (field, said) in missing {
            if told == Told::Whole && field.text().trim().is_empty() {
                field.error = Some(said.to_owned());
            }
        }
    }

    fn submit(&mut self, options: &Options, now: Moment) -> Want {
        if self.seconds_left(now) > 0 {
            return Want::Nothing;
        }
        self.wait = None;
        Want::Try(Entry::SignIn {
            options: Box::new(options.clone()),
            operator: self.operator.text().trim().to_owned(),
            passphrase: SecretText::new(self.passphrase.text().to_owned()),
        })
    }

    fn face(&self, glyphs: &Glyphs, now: Moment) -> Face {
        let forgotten = self.forgotten.then(|| {
            let name = Some(self.operator.text().trim()).filter(|name| !name.is_empty()).unwrap_or("NAME");
            format!(
                "Forgotten? With the recovery code in a file:\nkeydeck operator passphrase {} --recovery-file FILE",
                shell_word(name)
            )
        });
        let lines = self.wait.map(|(_, failed)| match self.seconds_left(now) {
            0 => (Role::Dim, "Now you may try again.".to_owned()),
            left => {
                let warn = glyphs.warn;
                (Role::Warn, format!("{warn} {failed} attempts failed. You may try again in {left} s."))
            }
        });
        Face {
            title: if self.locked.is_some() { "Locked" } else { "keydeck" }.to_owned(),
            intro: forgotten.or_else(|| self.locked.as_ref().map(Locked::said)).unwrap_or_default(),
            lines: lines.into_iter().collect(),
            ..Face::default()
        }
    }
}

/// A name as one word of a command line.
fn shell_word(name: &str) -> Cow<'_, str> {
    let plain = name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if plain { Cow::Borrowed(name) } else { Cow::Owned(format!("'{}'", name.replace('\'', "'\\''"))) }
}
