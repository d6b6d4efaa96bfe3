//! The recovery code of a new store: shown once, and typed back from the paper it was written on.

use ratatui::layout::Rect;

use super::{Gate, WIDTH, Want};
use crate::crypto::recovery::RecoveryCode;
use crate::engine::open::Options;
use crate::tui::app::custody::Fresh;
use crate::tui::canvas::Canvas;
use crate::tui::clock::Moment;
use crate::tui::form::body::Body;
use crate::tui::form::field::{Build, Field, Slot, draw_below, rows_below};
use crate::tui::form::{Face, Manner, Pages, Told};
use crate::tui::theme::{Glyphs, Role};
use crate::tui::widgets::field::TextField;

const INTRO: &str = "This recovery code opens the store when the passphrase is lost. It is shown only now. Write it on \
                     paper and keep it away from this machine.";
const OUTRO: &str = "Should keydeck end before you did: the store is there, sign in with your passphrase, and make \
                     another code in Settings.";

/// The code among the fields, on a line of its own.
struct Shown(Fresh);

impl Field for Shown {
    fn build(&self) -> Build {
        Build::Fact
    }

    fn rows(&self, _: u16, air: u16) -> u16 {
        1 + air
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, _: Slot) {
        canvas.fit(area.x, area.y, area.width, self.0.expose(), Role::Secret);
    }
}

/// What to do when this is interrupted, as far as there is room.
struct Outro;

impl Field for Outro {
    fn build(&self) -> Build {
        Build::Pane
    }

    fn rows(&self, cells: u16, air: u16) -> u16 {
        if air == 0 { 0 } else { rows_below(None, OUTRO, cells) }
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, _: Slot) {
        draw_below(canvas, area, None, OUTRO);
    }
}

/// The code, and the field to type it back. Without a label the whole code fits the smallest window.
pub struct CodeForm {
    pub(super) body: Body,
    code: Shown,
    typed: TextField,
    outro: Outro,
}

impl CodeForm {
    pub fn new(code: Fresh) -> Self {
        let manner = Manner {
            leaves: "",
            does: "Go on",
            leaving: "Type the code back first; it is the only way in without the passphrase.",
            width: WIDTH,
            labels: 0,
            ..Manner::secret("code")
        };
        let (mut code, mut outro) = (Shown(code), Outro);
        let mut typed = TextField::bare_secret("").placeholder("type it back here");
        let mut sheet = vec![vec![&mut code as &mut dyn Field, &mut typed, &mut outro]].into();
        let body = Body::new(manner, &mut sheet);
        let mut form = Self { body, code, typed, outro };
        form.check(Told::AsTyped);
        form
    }
}

impl Gate for CodeForm {
    fn parts(&mut self) -> (&mut Body, Pages<'_>) {
        (&mut self.body, vec![vec![&mut self.code, &mut self.typed, &mut self.outro]])
    }

    /// Says how far what was typed is right.
    fn check(&mut self, _: Told) {
        let bare = |text: &str| -> usize { text.bytes().filter(|byte| counts(*byte)).count() };
        let (typed, code) = (self.typed.text(), self.code.0.expose());
        let right = |code: &str| {
            let typed = typed.bytes().filter(|byte| counts(*byte));
            typed.zip(code.bytes().filter(|byte| counts(*byte))).take_while(|(a, b)| a == b).count()
        };
        // How all codes begin need not be typed.
        let rest = code.split_once('_').map_or(code, |(_, rest)| rest);
        let code = if right(rest) > right(code) { rest } else { code };
        let same = right(code);
        let (here, all) = (bare(typed), bare(code));
        self.typed.note = match here {
            0 => "Upper and lower case matter; dashes and spaces do not.".to_owned(),
            _ if same < here => format!("The first {same} characters are right, the next is not."),
            _ if here == all => "That is it.".to_owned(),
            _ => format!("{here} of {all}, right so far."),
        };
    }

    fn submit(&mut self, _: &Options, _: Moment) -> Want {
        match RecoveryCode::parse(self.typed.text()) {
            Ok(typed) if typed.reveal().as_str() == self.code.0.expose() => {
                self.code.0.hand_over();
                return Want::Confirmed;
            }
            Ok(_) => self.body.refuse("That is another store's code."),
            Err(why) => self.body.refuse(&why.to_string()),
        }
        Want::Nothing
    }

    fn face(&self, _: &Glyphs, _: Moment) -> Face {
        Face { title: "Write down the recovery code".into(), intro: INTRO.into(), ..Face::default() }
    }
}

/// Dashes and spaces are for the eye.
const fn counts(byte: u8) -> bool {
    !byte.is_ascii_whitespace() && byte != b'-'
}
