//! A small form that asks the engine for one thing: hears keys, hands the answers to whoever knows what they mean,
//! waits for the outcome, and closes or says why it was not done.

use ratatui::layout::Rect;

use super::meanwhile::{Choice, Meanwhile, Moved};
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

    /// What it is about, for the question when that was changed meanwhile.
    fn what(&self) -> String {
        String::new()
    }

    /// The value the form is based on, if it is another now.
    fn moved(&self, _form: &SmallForm, _look: &Look) -> Option<Moved> {
        None
    }

    /// From now on the form is based on the value `now`; shows it when that was chosen.
    fn rebase(&mut self, _form: &mut SmallForm, _now: &str, _choice: Choice) {}

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
    meanwhile: Option<Meanwhile>,
}

impl<T: Asking> Question<T> {
    /// Asks with `form`; `asks` knows what the answers mean.
    pub fn new(mut form: SmallForm, mut asks: T, look: &Look) -> Self {
        asks.changed(&mut form, look);
        Self { form, asks, meanwhile: None }
    }

    fn submit(&mut self, look: &Look, now: Now, out: &mut Vec<Ask>) {
        if self.compare(look) {
            return;
        }
        if let Some(job) = self.asks.submit(&mut self.form, look) {
            self.form.begin(self.asks.doing(), now);
            out.push(Ask::Do(job));
        }
    }

    /// Asks whose word holds, when what the form is based on is another now.
    fn compare(&mut self, look: &Look) -> bool {
        let moved = self.asks.moved(&self.form, look).into_iter().collect();
        self.meanwhile = Meanwhile::ask(&self.asks.what(), moved);
        self.meanwhile.is_some()
    }

    /// Whose word holds was said.
    fn settle(&mut self, choice: Choice, look: &Look, now: Now, out: &mut Vec<Ask>) {
        let Some(asked) = self.meanwhile.take() else { return };
        if let Some(moved) = asked.moved().first().filter(|_| choice != Choice::Back) {
            self.asks.rebase(&mut self.form, &moved.now, choice);
            self.asks.changed(&mut self.form, look);
        }
        if choice == Choice::Mine {
            self.submit(look, now, out);
        }
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
        if self.meanwhile.is_some() { TextFocus::Elsewhere } else { self.form.text_focus() }
    }

    fn hear(&mut self, cue: Cue<'_>, look: &Look, now: Now, out: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        if let Some(asked) = &mut self.meanwhile {
            match asked.hear(cue) {
                Choice::Open => {}
                choice => self.settle(choice, look, now, out),
            }
            return Heard::Consumed;
        }
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
                self.submit(look, now, out);
                Heard::Consumed
            }
        }
    }

    fn told(&mut self, answer: Answer, look: &Look, _: Now, _: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        match answer {
            Answer::Refused(why) => {
                self.asks.changed(&mut self.form, look);
                self.form.refused(&why);
                self.compare(look);
                Heard::Consumed
            }
            answer => self.asks.done(answer),
        }
    }

    fn unsaved(&self) -> bool {
        self.form.touched()
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
        if let Some(asked) = &self.meanwhile {
            asked.draw(canvas);
        }
    }

    fn hints(&self) -> &[Action] {
        if self.meanwhile.is_some() {
            return Meanwhile::hints();
        }
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
