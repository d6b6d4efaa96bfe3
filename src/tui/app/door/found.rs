//! The first start: the agency's name, the first operator's name, a passphrase twice.

use std::path::Path;

use super::Want;
use super::form::{Form, Meant};
use crate::crypto::passphrase::MIN_CHARS;
use crate::domain::Name;
use crate::engine::open::Options;
use crate::tui::app::entry::Entry;
use crate::tui::app::worker::judge_passphrase;
use crate::tui::canvas::Canvas;
use crate::tui::input::TextFocus;
use crate::tui::overlay::Cue;
use crate::tui::overlays::small_form::sentence;
use crate::tui::secret::SecretText;
use crate::tui::theme::Role;
use crate::tui::widgets::field::TextField;

const AGENCY: usize = 0;
const OPERATOR: usize = 1;
const PASSPHRASE: usize = 2;
const AGAIN: usize = 3;
/// Different characters a passphrase has at least that is not one key held down.
const VARIETY: usize = 6;

/// The form of the first start.
pub struct FoundForm {
    form: Form,
    dir: String,
    error: Option<String>,
}

impl FoundForm {
    pub fn new(dir: &Path, operator: Option<&str>) -> Self {
        let fields = vec![
            TextField::new("Agency").placeholder("Acme Agency"),
            TextField::new("Your name").placeholder("maria").filled(operator.unwrap_or_default()),
            TextField::secret("Passphrase"),
            TextField::secret("And again"),
        ];
        Self { form: Form::new(fields, "Create the store"), dir: dir.display().to_string(), error: None }
    }

    pub fn text_focus(&self) -> TextFocus {
        self.form.text_focus()
    }

    pub fn say(&mut self, text: &str) {
        self.error = Some(text.to_owned());
    }

    pub fn hear(&mut self, cue: Cue<'_>, options: &Options) -> Want {
        match self.form.hear(cue) {
            Meant::Nothing => Want::Nothing,
            Meant::Changed => {
                self.error = None;
                Want::Nothing
            }
            Meant::Submit => self.submit(options),
        }
    }

    fn submit(&mut self, options: &Options) -> Want {
        match self.check() {
            Ok((agency, operator)) => {
                self.error = None;
                let passphrase = SecretText::new(self.form.text(PASSPHRASE).to_owned());
                Want::Try(Entry::Found { options: Box::new(options.clone()), agency, operator, passphrase })
            }
            Err((field, why)) => {
                self.form.focus = field;
                self.error = Some(why);
                Want::Nothing
            }
        }
    }

    /// The names, or the first field that is not right and why.
    fn check(&self) -> Result<(Name, Name), (usize, String)> {
        let name = |field, what: &str| {
            let text = self.form.text(field);
            if text.trim().is_empty() {
                return Err((field, format!("{what} is missing.")));
            }
            Name::new(text).map_err(|why| (field, format!("{what}: {why}")))
        };
        let agency = name(AGENCY, "The agency's name")?;
        let operator = name(OPERATOR, "Your name")?;
        judge_passphrase(self.form.text(PASSPHRASE))
            .map_err(|why| (PASSPHRASE, sentence(&why.to_string())))?;
        if self.form.text(PASSPHRASE) != self.form.text(AGAIN) {
            return Err((AGAIN, "The two passphrases differ. Type the same one twice.".to_owned()));
        }
        Ok((agency, operator))
    }

    /// How the focused field stands, as it is typed.
    fn feedback(&self) -> (Role, String) {
        match self.form.focus {
            AGENCY => (Role::Dim, "The organisation whose API keys these are.".into()),
            OPERATOR => (Role::Dim, "You sign in with it. You are the first operator, and an admin.".into()),
            PASSPHRASE => self.strength(),
            AGAIN if self.form.text(AGAIN).is_empty() => {
                (Role::Dim, "The same once more, against typing errors.".into())
            }
            AGAIN if self.form.text(AGAIN) == self.form.text(PASSPHRASE) => {
                (Role::Good, "They are the same.".into())
            }
            AGAIN if self.form.text(PASSPHRASE).starts_with(self.form.text(AGAIN)) => {
                (Role::Dim, "The same so far.".into())
            }
            AGAIN => (Role::Warn, "This differs from the first.".into()),
            _ => (Role::Dim, "Everything is checked before the store is made.".into()),
        }
    }

    /// No rules but length; the rest is advice.
    fn strength(&self) -> (Role, String) {
        let text = self.form.text(PASSPHRASE);
        let chars = text.chars().count();
        let variety = text.chars().collect::<std::collections::HashSet<_>>().len();
        let folded = text.to_lowercase();
        let names = [AGENCY, OPERATOR].map(|field| self.form.text(field).trim().to_lowercase());
        let named = names.iter().any(|name| name.chars().count() > 2 && folded.contains(name.as_str()));
        match chars {
            0 => (
                Role::Dim,
                format!("At least {MIN_CHARS} characters. Five or six unrelated words are easy to keep."),
            ),
            n if n < MIN_CHARS => (Role::Dim, format!("{n} of at least {MIN_CHARS} characters.")),
            _ if variety < VARIETY => (Role::Warn, "Weak: it repeats itself.".into()),
            _ if named => (Role::Warn, "Weak: it contains a name from above.".into()),
            n if n < 20 => (Role::Text, format!("{n} characters: fair. A word more makes it good.")),
            n if n < 28 => (Role::Good, format!("{n} characters: good.")),
            n => (Role::Good, format!("{n} characters: strong.")),
        }
    }

    pub fn draw(&self, canvas: &mut Canvas<'_>, spinner: Option<&str>) {
        let (role, said) = match (spinner, &self.error) {
            (Some(sign), _) => (Role::Info, format!("{sign} creating the store…")),
            (None, Some(error)) => (Role::Bad, format!("{} {error}", canvas.glyphs().bad)),
            (None, None) => self.feedback(),
        };
        let intro = format!("No store is in {} yet. This makes one.", self.dir);
        self.form.draw(canvas, "Welcome to keydeck", &intro, Some((role, &said)), spinner.is_some());
    }
}
