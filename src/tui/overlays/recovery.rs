//! Renewing the recovery code: one question, then the new code, shown once and until somebody says they stored it.

use ratatui::layout::Rect;

use super::question::{Asking, Question};
use super::small_form::SmallForm;
use crate::tui::action::{Action, Danger, Layer, Reason};
use crate::tui::app::ask::{Answer, Ask, Job};
use crate::tui::app::custody::Fresh;
use crate::tui::app::look::Look;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::clipboard::Keep;
use crate::tui::clock::Now;
use crate::tui::overlay::{Cue, Heard, Overlay, Secrecy};
use crate::tui::theme::Role;
use crate::tui::widgets::{layout, popup, text};

/// The question's name among the overlays.
pub const RENEW: &str = "recovery-renew";
/// The showing's name among the overlays.
pub const SHOWN: &str = "recovery-code";

/// Columns of the box.
const WIDTH: u16 = 74;
const ABOUT: &str = "With this code and an operator's name a new passphrase can be set when the old one is forgotten. \
                     Write it down and keep it away from this machine. It is never shown again.";
const HELD: &str = "say that you stored it first: the code is never shown again";

/// Asks before the old code becomes worthless.
pub struct Renew;

/// The question.
pub fn renew(look: &Look) -> Question<Renew> {
    let why = "A new recovery code is made and shown once. The old one, wherever it is kept, opens nothing from then on.";
    let form =
        SmallForm::new("Renew the recovery code?", why, Vec::new(), "Make a new code", Danger::Dangerous);
    Question::new(form, Renew, look)
}

impl Asking for Renew {
    fn name(&self) -> &'static str {
        RENEW
    }

    fn doing(&self) -> &'static str {
        "making a new code"
    }

    fn submit(&mut self, _: &mut SmallForm, _: &Look) -> Option<Job> {
        Some(Job::RenewRecovery)
    }

    fn done(&mut self, answer: Answer) -> Heard<Look, Ask, Answer> {
        match answer {
            Answer::Recovery(code) => Heard::Replace(Box::new(RecoveryShown::new(code))),
            _ => Heard::Close,
        }
    }
}

/// The one showing of a code.
pub struct RecoveryShown {
    code: Fresh,
    stored: bool,
    hidden: bool,
    raw: bool,
}

impl RecoveryShown {
    /// Shows `code`, in groups.
    pub const fn new(code: Fresh) -> Self {
        Self { code, stored: false, hidden: false, raw: false }
    }

    fn finish(&mut self, out: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        if self.stored {
            self.code.hand_over();
            out.push(Ask::Celebrate("The new recovery code is in force".into()));
            return Heard::Close;
        }
        out.push(Ask::Say(HELD.into()));
        Heard::Consumed
    }
}

impl Overlay<Look, Ask, Answer> for RecoveryShown {
    fn name(&self) -> &'static str {
        SHOWN
    }

    fn layer(&self) -> Layer {
        Layer::Secret
    }

    fn hear(&mut self, cue: Cue<'_>, _: &Look, _: Now, out: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        match cue {
            Cue::Do(Action::CloseRaw) if self.raw => self.raw = false,
            Cue::Do(Action::Finish | Action::CloseRaw) => return self.finish(out),
            Cue::Do(Action::Stored) | Cue::Click(Target::Field(_)) => self.stored = !self.stored,
            Cue::Do(Action::Reveal) => self.hidden = !self.hidden,
            Cue::Do(Action::RawView) => self.raw = !self.raw,
            Cue::Do(Action::CopySecret) => out.push(Ask::Copy(self.code.copy(), Keep::Leased)),
            _ => return Heard::Ignored,
        }
        Heard::Consumed
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, _: Rect, _: &Look, _: Now) {
        if self.raw {
            // Nothing beside it and nothing around it, so that it can be selected with the mouse as it is.
            let all = layout::bottom(canvas.area(), 1).0;
            canvas.shield();
            canvas.erase(all);
            let style = canvas.style(Role::Secret);
            canvas.print(all.x, all.y.saturating_add(1), all.width, self.code.expose(), style);
            return;
        }
        let width = WIDTH.min(canvas.area().width);
        let about = text::wrap(ABOUT, width.saturating_sub(6).max(1));
        let rows = u16::try_from(about.len()).unwrap_or(u16::MAX);
        let inner = popup::draw(canvas, "New recovery code", WIDTH, rows.saturating_add(9));
        let (head, rest) = layout::top(inner, rows.min(inner.height.saturating_sub(4)));
        for (line, said) in (0..).zip(&about) {
            let row = layout::row(head, line);
            if !row.is_empty() {
                canvas.fit(row.x, row.y, row.width, said, Role::Text);
            }
        }
        let code = layout::row(rest, 1);
        let style = canvas.style(Role::Secret);
        if self.hidden {
            let mask = canvas.glyphs().mask.repeat(text::width(self.code.expose()));
            canvas.print(code.x, code.y, code.width, &mask, style);
        } else {
            canvas.print(code.x, code.y, code.width, self.code.expose(), style);
        }
        let tick = layout::row(rest, 3);
        let sign = if self.stored { canvas.glyphs().box_on } else { canvas.glyphs().box_off };
        let role = if self.stored { Role::Good } else { Role::Accent };
        canvas.fit(
            tick.x,
            tick.y,
            tick.width,
            &format!("{sign} I stored it where this machine is not"),
            role,
        );
        canvas.hit(tick, Target::Field(0));
        canvas.cursor(tick.x.saturating_add(1), tick.y);
    }

    fn hints(&self) -> &[Action] {
        if self.raw {
            &[Action::CloseRaw]
        } else if self.stored {
            &[Action::Finish, Action::CopySecret, Action::Reveal, Action::RawView]
        } else {
            &[Action::Stored, Action::CopySecret, Action::Reveal, Action::RawView]
        }
    }

    fn enabled(&self, action: Action, _: &Look) -> Result<(), Reason> {
        match action {
            Action::Finish if !self.stored => Err(HELD.into()),
            _ => Ok(()),
        }
    }

    fn held(&self) -> Option<Reason> {
        (!self.stored).then(|| HELD.into())
    }

    fn secrecy(&self) -> Secrecy {
        Secrecy::Secret
    }
}
