//! The sign-in, and the locked screen, which is one with a reason.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::Want;
use super::form::{Form, Meant};
use crate::engine::OpenError;
use crate::engine::open::Options;
use crate::tui::app::entry::Entry;
use crate::tui::app::kept::Forms;
use crate::tui::canvas::Canvas;
use crate::tui::clock::Moment;
use crate::tui::input::TextFocus;
use crate::tui::overlay::Cue;
use crate::tui::secret::SecretText;
use crate::tui::theme::Role;
use crate::tui::widgets::field::TextField;

const OPERATOR: usize = 0;
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
    /// Why.
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

/// The form.
pub struct SignInForm {
    form: Form,
    locked: Option<Locked>,
    error: Option<String>,
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

    fn of(operator: Option<&str>, locked: Option<Locked>) -> Self {
        let fields = vec![
            TextField::new("Operator").filled(operator.unwrap_or_default()),
            TextField::secret("Passphrase"),
        ];
        let mut form = Form::new(fields, if locked.is_some() { "Unlock" } else { "Sign in" });
        form.focus = if operator.is_some() { PASSPHRASE } else { OPERATOR };
        Self { form, locked, error: None, forgotten: false, wait: None }
    }

    pub fn text_focus(&self) -> TextFocus {
        self.form.text_focus()
    }

    pub fn say(&mut self, text: &str) {
        self.error = Some(text.to_owned());
    }

    pub fn hear(&mut self, cue: Cue<'_>, options: &Options, now: Moment) -> Want {
        match self.form.hear(cue) {
            Meant::Nothing => Want::Nothing,
            Meant::Changed => {
                self.error = None;
                Want::Nothing
            }
            Meant::Submit if self.seconds_left(now) > 0 => Want::Nothing,
            Meant::Submit => self.submit(options),
        }
    }

    fn submit(&mut self, options: &Options) -> Want {
        self.wait = None;
        let missing = [
            (OPERATOR, "Who are you? The operator's name is missing."),
            (PASSPHRASE, "The passphrase is missing."),
        ];
        if let Some((field, said)) =
            missing.into_iter().find(|(field, _)| self.form.text(*field).trim().is_empty())
        {
            self.form.focus = field;
            self.error = Some(said.to_owned());
            return Want::Nothing;
        }
        self.error = None;
        Want::Try(Entry::SignIn {
            options: Box::new(options.clone()),
            operator: self.form.text(OPERATOR).trim().to_owned(),
            passphrase: SecretText::new(self.form.text(PASSPHRASE).to_owned()),
        })
    }

    /// It did not open.
    pub fn failed(&mut self, error: &OpenError, now: Moment) {
        match error {
            // The passphrase was not even tried: it stays, to be sent when the wait is over.
            OpenError::Throttled { failed, wait } => {
                self.error = None;
                self.wait = Some((now + *wait, *failed));
                return;
            }
            OpenError::Unseal(_) | OpenError::NoOperator => {
                self.forgotten = true;
                self.form.focus = PASSPHRASE;
                if let Some(field) = self.form.fields.get_mut(PASSPHRASE) {
                    field.clear();
                }
            }
            _ => {}
        }
        self.error = Some(error.to_string());
    }

    /// When the number on the screen changes.
    pub fn wake_at(&self, now: Moment) -> Option<Moment> {
        let left = self.wait?.0.since(now);
        (!left.is_zero()).then(|| {
            let part = Duration::from_nanos(left.subsec_nanos().into());
            now + if part.is_zero() { Duration::from_secs(1) } else { part }
        })
    }

    fn seconds_left(&self, now: Moment) -> u64 {
        let left = self.wait.map_or(0, |(until, _)| until.since(now).as_millis().div_ceil(1000));
        u64::try_from(left).unwrap_or(u64::MAX)
    }

    pub fn draw(&self, canvas: &mut Canvas<'_>, spinner: Option<&str>, now: Moment) {
        let bad = canvas.glyphs().bad;
        let warn = canvas.glyphs().warn;
        let forgotten = self.forgotten.then(|| {
            let name = Some(self.form.text(OPERATOR).trim()).filter(|name| !name.is_empty()).unwrap_or("NAME");
            format!(
                "Forgotten? With the recovery code in a file:\nkeydeck operator passphrase {} --recovery-file FILE",
                shell_word(name)
            )
        });
        let said = match (spinner, &self.error, self.wait) {
            (Some(sign), ..) => Some((Role::Info, format!("{sign} checking the passphrase…"))),
            (None, Some(error), _) => Some((Role::Bad, format!("{bad} {error}"))),
            (None, None, Some((_, failed))) => Some(match self.seconds_left(now) {
                0 => (Role::Dim, "Now you may try again.".to_owned()),
                left => {
                    (Role::Warn, format!("{warn} {failed} attempts failed. You may try again in {left} s."))
                }
            }),
            (None, None, None) => None,
        };
        let intro = forgotten.or_else(|| self.locked.as_ref().map(Locked::said)).unwrap_or_default();
        let said = said.as_ref().map(|(role, text)| (*role, text.as_str()));
        self.form.draw(
            canvas,
            if self.locked.is_some() { "Locked" } else { "keydeck" },
            &intro,
            said,
            spinner.is_some(),
        );
    }
}

/// A name as one word of a command line.
fn shell_word(name: &str) -> Cow<'_, str> {
    let plain = name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if plain { Cow::Borrowed(name) } else { Cow::Owned(format!("'{}'", name.replace('\'', "'\\''"))) }
}
