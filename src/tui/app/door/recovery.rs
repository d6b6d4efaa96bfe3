//! The recovery code of a new store: shown once, and typed back from the paper it was written on.

use super::Want;
use crate::crypto::recovery::RecoveryCode;
use crate::tui::action::Action;
use crate::tui::app::custody::Fresh;
use crate::tui::canvas::Canvas;
use crate::tui::overlay::{Cue, PastedRef, Typed};
use crate::tui::theme::Role;
use crate::tui::widgets::field::TextField;
use crate::tui::widgets::{Focus, layout, popup, text};

const WIDTH: u16 = 66;
const INTRO: &str = "This recovery code opens the store when the passphrase is lost. It is shown only now. Write it on \
                     paper and keep it away from this machine.";
const OUTRO: &str = "Should keydeck end before you did: the store is there, sign in with your passphrase, and make \
                     another code in Settings.";

/// The code, and the field to type it back.
pub struct CodeForm {
    code: Fresh,
    field: TextField,
    error: Option<String>,
}

impl CodeForm {
    pub fn new(code: Fresh) -> Self {
        Self { code, field: TextField::bare_secret("Type it back"), error: None }
    }

    pub fn say(&mut self, said: &str) {
        self.error = Some(said.to_owned());
    }

    pub fn hear(&mut self, cue: Cue<'_>) -> Want {
        match cue {
            Cue::Do(Action::Press | Action::Submit) => return self.check(),
            Cue::Do(Action::Cancel) => {
                self.error = Some(
                    "Type the code back first; it is the only way in without the passphrase.".to_owned(),
                );
                return Want::Nothing;
            }
            Cue::Type(Typed(c)) => self.field.type_char(c),
            Cue::Edit(edit) => self.field.edit(edit),
            Cue::Paste(PastedRef(pasted)) => self.field.paste(pasted),
            _ => return Want::Nothing,
        }
        self.error = None;
        Want::Nothing
    }

    fn check(&mut self) -> Want {
        match RecoveryCode::parse(self.field.text()) {
            Ok(typed) if typed.reveal().as_str() == self.code.expose() => {
                self.code.hand_over();
                return Want::Confirmed;
            }
            Ok(_) => self.error = Some("That is another store's code.".to_owned()),
            Err(why) => self.error = Some(why.to_string()),
        }
        Want::Nothing
    }

    /// How far what was typed is right.
    fn feedback(&self) -> (Role, String) {
        let bare = |text: &'_ str| -> usize { text.bytes().filter(|byte| counts(*byte)).count() };
        let typed = self.field.text().bytes().filter(|byte| counts(*byte));
        let same = typed
            .zip(self.code.expose().bytes().filter(|byte| counts(*byte)))
            .take_while(|(a, b)| a == b)
            .count();
        let (here, all) = (bare(self.field.text()), bare(self.code.expose()));
        match here {
            0 => (Role::Dim, "Upper and lower case matter; dashes and spaces do not.".into()),
            _ if same < here => {
                (Role::Warn, format!("The first {same} characters are right, the next is not."))
            }
            _ if here == all => (Role::Good, "That is it.".into()),
            _ => (Role::Dim, format!("{here} of {all}, right so far.")),
        }
    }

    pub fn draw(&self, canvas: &mut Canvas<'_>) {
        let width = WIDTH.min(canvas.area().width).saturating_sub(6);
        let (intro, outro) = (text::wrap(INTRO, width), text::wrap(OUTRO, width));
        let lines = u16::try_from(intro.len() + outro.len() + 3).unwrap_or(u16::MAX);
        // Empty lines where there is room: before the code, after it, after the field.
        let gaps = canvas.area().height.saturating_sub(5).saturating_sub(lines).min(3);
        let inside = popup::draw(canvas, "Write down the recovery code", WIDTH, lines + gaps + 4);
        let (role, said) = match &self.error {
            Some(error) => (Role::Bad, format!("{} {error}", canvas.glyphs().bad)),
            None => self.feedback(),
        };
        let gap = |nth: u16| (gaps >= nth).then_some(("", Role::Text));
        let shown = intro.iter().map(|line| (line.as_str(), Role::Text));
        let shown = shown.chain(gap(1)).chain([(self.code.expose(), Role::Secret)]).chain(gap(2));
        let field_at = u16::try_from(shown.clone().count()).unwrap_or(u16::MAX);
        let shown = shown.chain([("", Role::Text), (said.as_str(), role)]).chain(gap(3));
        let shown = shown.chain(outro.iter().map(|line| (line.as_str(), Role::Dim)));
        for (y, (line, role)) in (0..).zip(shown) {
            let row = layout::row(inside, y);
            canvas.fit(row.x, row.y, row.width, line, role);
        }
        // Without its label beside it, the whole code fits the smallest window.
        let row = layout::row(inside, field_at);
        self.field.draw_input(canvas, row, Focus::Here);
        if self.field.is_empty() {
            canvas.fit(row.x, row.y, row.width, "type it back here", Role::Placeholder);
        }
    }
}

/// Dashes and spaces are for the eye.
const fn counts(byte: u8) -> bool {
    !byte.is_ascii_whitespace() && byte != b'-'
}
