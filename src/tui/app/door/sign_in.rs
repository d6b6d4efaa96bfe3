//! The sign-in, and the locked screen, which is one with a reason.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::{Gate, WIDTH, Want};
use crate::engine::open::Options;
use crate::engine::{OpenError, Patience};
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
/// What takes longer says how far it is.
const LONG: Duration = Duration::from_millis(300);

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
    /// The attempt under way, and when it was begun.
    opening: Option<(Arc<Patience>, Moment)>,
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
        Self { body, operator, passphrase, locked, forgotten: false, wait: None, opening: None }
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
        let stopped = self.opening.take().is_some_and(|(patience, _)| patience.is_over());
        self.body.refuse(&if stopped {
            "Stopped: the store was not opened.".into()
        } else {
            error.to_string()
        });
    }

    /// Opening it goes on no further.
    pub fn stop(&self) {
        if let Some((patience, _)) = &self.opening {
            patience.end();
        }
    }

    /// How far it is with a store that takes long.
    fn progress(&self, now: Moment) -> Option<String> {
        let (patience, since) = self.opening.as_ref().filter(|_| self.body.waits())?;
        let (done, all) = patience.so_far()?;
        let spent = now.since(*since);
        if spent < LONG || done >= all {
            return None;
        }
        let left = spent.as_millis().saturating_mul(u128::from(all - done)) / u128::from(done.max(1));
        let (percent, seconds) = (done.saturating_mul(100) / all, left.div_ceil(1_000));
        let rest = if done > 0 { format!(", {seconds} s left") } else { String::new() };
        Some(format!("{percent} % of {all} records and uses read and checked{rest}; esc stops it"))
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
        let patience = Arc::default();
        self.opening = Some((Arc::clone(&patience), now));
        Want::Try(Entry::SignIn {
            options: Box::new(Options { patience, ..options.clone() }),
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
            lines: self.progress(now).map(|said| (Role::Dim, said)).into_iter().chain(lines).collect(),
            ..Face::default()
        }
    }
}

/// A name as one word of a command line.
fn shell_word(name: &str) -> Cow<'_, str> {
    let plain = name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if plain { Cow::Borrowed(name) } else { Cow::Owned(format!("'{}'", name.replace('\'', "'\\''"))) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Via;

    #[test]
    fn a_store_that_takes_long_says_how_far_it_is_and_how_long_it_still_takes_and_may_be_stopped() {
        let mut form = SignInForm::new(Some("maria"));
        let options = Options::new(std::path::Path::new("nowhere"), "test", Via::Console);
        let begun = Moment::default();
        let tried = form.submit(&options, begun);
        let Want::Try(Entry::SignIn { options, .. }) = tried else { panic!("nothing is tried") };
        form.body.begin(crate::tui::clock::Now { at: begun, utc_ms: 0 });
        let said = |form: &SignInForm, after: u64| form.progress(begun + Duration::from_millis(after));
        assert_eq!(said(&form, 5_000), None, "nobody knows how many there are");
        options.patience.expect(1_000);
        options.patience.more(250);
        assert_eq!(said(&form, 100), None, "what is over at once is not told");
        let told = "25 % of 1000 records and uses read and checked, 15 s left; esc stops it";
        assert_eq!(said(&form, 5_000).as_deref(), Some(told));
        form.stop();
        assert!(options.patience.is_over());
        options.patience.more(750);
        assert_eq!(said(&form, 5_000), None, "it is all read");
    }
}
