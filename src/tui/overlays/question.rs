//! A small form that asks the engine for one thing: hears keys, hands the answers to whoever knows what they mean,
//! waits for the outcome, and closes or says why it was not done.

use ratatui::layout::Rect;

use super::small_form::{SmallForm, Step};
use crate::tui::action::{Action, Layer, Reason};
use crate::tui::app::ask::{Answer, Ask, Job};
use crate::tui::app::look::Look;
use crate::tui::canvas::Canvas;
use crate::tui::clock::{Moment, Now};
use crate::tui::input::TextFocus;
use crate::tui::overlay::{Cue, Heard, Overlay, Return, Secrecy};

/// What the answers of a form mean.
pub trait Asking {
    /// Its name among the overlays.
    fn name(&self) -> &'static str;

    /// What the spinner says while the job is done: `adding the operator`.
    fn doing(&self) -> &'static str;

    /// Something was typed or chosen.
    fn changed(&mut self, _form: &mut SmallForm, _look: &Look) {}

    /// The job to be done, or nothing after the form was told what is wrong.
    fn submit(&mut self, form: &mut SmallForm, look: &Look) -> Option<Job>;

    /// It was done.
    fn done(&mut self, _answer: Answer) -> Heard<Look, Ask, Answer> {
        Heard::Close
    }

    /// Whether what is typed here is secret.
    fn secrecy(&self) -> Secrecy {
        Secrecy::Open
    }
}

/// Columns of the box.
const WIDTH: u16 = 74;

/// The overlay.
pub struct Question<T> {
    form: SmallForm,
    asks: T,
}

impl<T: Asking> Question<T> {
    /// Asks with `form`; `asks` knows what the answers mean.
    pub fn new(mut form: SmallForm, mut asks: T, look: &Look) -> Self {
        asks.changed(&mut form, look);
        Self { form, asks }
    }
}

impl<T: Asking> Overlay<Look, Ask, Answer> for Question<T> {
    fn name(&self) -> &'static str {
        self.asks.name()
    }

    fn layer(&self) -> Layer {
        Layer::Dialog
    }

    fn text_focus(&self) -> TextFocus {
        self.form.text_focus()
    }

    fn hear(&mut self, cue: Cue<'_>, look: &Look, now: Now, out: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        match self.form.hear(cue, now) {
            Step::Stay => {
                if cue != Cue::Tick {
                    self.asks.changed(&mut self.form, look);
                }
                Heard::Consumed
            }
            Step::Ignored => Heard::Ignored,
            Step::Cancel => Heard::Close,
            Step::Submit => {
                if let Some(job) = self.asks.submit(&mut self.form, look) {
                    self.form.begin(self.asks.doing(), now);
                    out.push(Ask::Do(job));
                }
                Heard::Consumed
            }
        }
    }

    fn told(&mut self, answer: Answer, look: &Look, _: Now, _: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        match answer {
            Answer::Refused(why) => {
                self.asks.changed(&mut self.form, look);
                self.form.refused(&why);
                Heard::Consumed
            }
            answer => self.asks.done(answer),
        }
    }

    fn waits(&self) -> bool {
        self.secrecy() == Secrecy::Open && self.form.is_harmless()
    }

    fn resume(&mut self, look: &Look) -> Return {
        self.asks.changed(&mut self.form, look);
        Return::Now
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, _: Rect, _: &Look, _: Now) {
        self.form.draw(canvas, WIDTH);
    }

    fn hints(&self) -> &[Action] {
        &[Action::Press, Action::NextField, Action::Submit, Action::Cancel]
    }

    fn enabled(&self, _: Action, _: &Look) -> Result<(), Reason> {
        self.form.held().map_or(Ok(()), Err)
    }

    fn held(&self) -> Option<Reason> {
        self.form.held()
    }

    fn wake_at(&self) -> Option<Moment> {
        self.form.wake_at()
    }

    fn secrecy(&self) -> Secrecy {
        self.asks.secrecy()
    }
}
