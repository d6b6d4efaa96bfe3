//! Forms: what a person fills in, and the one way in which all of it is filled in, judged, done and left.
//!
//! - [`field`]: a thing to fill in. [`choice`], [`drop_down`], [`lines`], [`ticks`], [`tree`]: more of them.
//! - [`manner`]: what is fixed about a form. [`body`]: what all have in common. [`draw`]: how they look.
//! - [`Asking`] is what a form is about; [`Form`] is the overlay around it, which asks the engine, waits for the
//!   answer, and asks whose word holds when somebody else changed meanwhile what it is based on.

pub mod body;
pub mod choice;
pub mod draw;
pub mod drop_down;
pub mod field;
pub mod lines;
pub mod manner;
pub mod meanwhile;
pub mod passphrase;
pub mod ticks;
pub mod tree;

use ratatui::layout::Rect;

use self::body::{Body, Step};
pub use self::draw::{Face, Spot};
pub use self::manner::{Manner, Pages};
use self::meanwhile::{Choice, Meanwhile, Moved};
use super::action::{Action, Danger, Layer, Reason};
use super::app::ask::{Answer, Ask, Job};
use super::app::look::Look;
use super::canvas::Canvas;
use super::clock::{Moment, Now};
use super::input::TextFocus;
use super::overlay::{Cue, Heard, Overlay, Return, Secrecy};

/// How strictly a form is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// What is there, while it is being typed.
    AsTyped,
    /// All of it, since somebody wanted it done: what is missing too.
    Whole,
}

/// What a form is about. The order of calls: [`Asking::check`] after whatever changes a value and before
/// [`Asking::submit`], which comes only when no field says that something is wrong with it; then [`Asking::done`], or
/// `check` again when it was refused.
pub trait Asking {
    /// What is fixed about it.
    fn manner(&self) -> Manner;

    /// The fields there are now, in the order of Tab.
    fn fields(&mut self) -> Pages<'_>;

    /// What it says of itself.
    fn face(&self, look: &Look, spot: Spot) -> Face;

    /// Judges all that is filled in and says what is wrong beside its field. What it gives is said aloud.
    fn check(&mut self, _look: &Look, _told: Told) -> Option<String> {
        None
    }

    /// The job to be done.
    ///
    /// # Errors
    /// When it can't be done as a whole, and why.
    fn submit(&mut self, look: &Look) -> Result<Job, String>;

    fn done(&mut self, _answer: Answer, _look: &Look, _out: &mut Vec<Ask>) -> Heard {
        Heard::Close
    }

    /// What is to be read from the disk for what it says, asked for once, when it is there.
    fn wonders(&self) -> Option<Job> {
        None
    }

    /// That was read.
    fn learns(&mut self, _answer: Answer, _look: &Look) {}

    /// What it is about, for the question when that was changed meanwhile.
    fn what(&self) -> String {
        String::new()
    }

    /// What the form is based on and is another now.
    fn moved(&mut self, _look: &Look) -> Vec<Moved> {
        Vec::new()
    }

    /// From now on the form is based on what there is now; says whether anything of one's own is left in it.
    fn rebase(&mut self, _choice: Choice, _look: &Look) -> Own {
        Own::Left
    }

    /// Brings what was read when the form was opened up to date, after the console was locked.
    fn resume(&mut self, _look: &Look) -> Return {
        Return::Now
    }
}

/// Whether a form says anything but what there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    Left,
    /// It shows what there is.
    Gone,
}

pub struct Form<T> {
    body: Body,
    asks: T,
    told: Told,
    meanwhile: Option<Meanwhile>,
    /// What it wonders about was asked for.
    wondered: bool,
}

impl<T: Asking> Form<T> {
    /// At its first field. What nothing has to be looked up for is ready so.
    pub fn blank(mut asks: T) -> Self {
        let body = Body::new(asks.manner(), &mut asks.fields().into());
        Self { body, asks, told: Told::AsTyped, meanwhile: None, wondered: false }
    }

    /// At its first field, with what is filled in judged.
    pub fn new(mut asks: T, look: &Look) -> Self {
        asks.check(look, Told::AsTyped);
        Self::blank(asks)
    }

    /// At the button that does it: all is filled in.
    #[must_use]
    pub fn at_end(mut self) -> Self {
        self.body.go_to_end(self.asks.fields().into());
        self
    }

    /// At this field, counted from 0.
    #[must_use]
    pub fn at(mut self, field: usize) -> Self {
        self.body.go(field, &mut self.asks.fields().into());
        self
    }

    fn check(&mut self, look: &Look, out: &mut Vec<Ask>) {
        out.extend(self.asks.check(look, self.told).map(Ask::Say));
        self.body.look_at(&self.asks.fields().into());
    }

    /// To the next page, when nothing is wrong on this one.
    fn turn(&mut self, look: &Look, out: &mut Vec<Ask>) {
        self.told = Told::Whole;
        self.check(look, out);
        if !self.body.go_wrong(&mut self.asks.fields().into()) {
            // What nobody has seen yet is not told as missing yet.
            self.told = Told::AsTyped;
            self.body.turn_on(&mut self.asks.fields().into());
            self.check(look, out);
        }
    }

    fn submit(&mut self, look: &Look, now: Now, out: &mut Vec<Ask>) {
        if self.compare(look) {
            return;
        }
        self.told = Told::Whole;
        self.check(look, out);
        if self.body.go_wrong(&mut self.asks.fields().into()) {
            return;
        }
        match self.asks.submit(look) {
            Ok(job) => {
                self.body.begin(now);
                out.push(Ask::Do(job));
            }
            Err(why) => {
                self.body.go_wrong(&mut self.asks.fields().into());
                self.body.refuse(&why);
            }
        }
    }

    /// Asks whose word holds, when what the form is based on is another now.
    fn compare(&mut self, look: &Look) -> bool {
        let moved = self.asks.moved(look);
        self.meanwhile = Meanwhile::ask(&self.asks.what(), moved);
        self.meanwhile.is_some()
    }

    /// Whose word holds was said.
    fn settle(&mut self, choice: Choice, look: &Look, now: Now, out: &mut Vec<Ask>) {
        let Some(asked) = self.meanwhile.take().filter(|_| choice != Choice::Back) else { return };
        if asked.moved() != self.asks.moved(look) {
            // It changed once more while one read.
            self.compare(look);
            return;
        }
        let own = self.asks.rebase(choice, look);
        self.told = Told::AsTyped;
        self.check(look, out);
        if own == Own::Gone {
            self.body.mark(&self.asks.fields().into());
        }
        if choice == Choice::Mine {
            self.submit(look, now, out);
        }
    }
}

impl<T: Asking> Overlay for Form<T> {
    fn name(&self) -> &'static str {
        self.asks.manner().name
    }

    fn layer(&self) -> Layer {
        if self.meanwhile.is_some() { Layer::Dialog } else { self.body.layer() }
    }

    fn text_focus(&self) -> TextFocus {
        if self.meanwhile.is_some() { TextFocus::Elsewhere } else { self.body.text_focus() }
    }

    fn hear(&mut self, cue: Cue<'_>, look: &Look, now: Now, out: &mut Vec<Ask>) -> Heard {
        if cue == Cue::Tick && !self.wondered {
            self.wondered = true;
            if let Some(job) = self.asks.wonders() {
                out.push(Ask::Do(job));
                return Heard::Consumed;
            }
        }
        if let Some(asked) = &mut self.meanwhile {
            match asked.hear(cue) {
                Choice::Open => {}
                choice => self.settle(choice, look, now, out),
            }
            return Heard::Consumed;
        }
        match self.body.hear(cue, &mut self.asks.fields().into(), now) {
            Step::Stay => {}
            Step::Changed => self.check(look, out),
            Step::On => self.turn(look, out),
            Step::Submit => self.submit(look, now, out),
            Step::Say(said) => out.push(Ask::Say(said)),
            Step::Ignored => return Heard::Ignored,
            Step::Leave => return Heard::Close,
        }
        Heard::Consumed
    }

    fn told(&mut self, answer: Answer, look: &Look, _: Now, out: &mut Vec<Ask>) -> Heard {
        if let Answer::Busy(_) = answer {
            self.asks.learns(answer, look);
            return Heard::Consumed;
        }
        self.body.end(self.asks.fields().into());
        match answer {
            Answer::Refused(why) => {
                // The state changed under the form: the rules know which field it concerns.
                self.check(look, out);
                self.body.go_wrong(&mut self.asks.fields().into());
                self.body.refuse(&why);
                self.compare(look);
                Heard::Consumed
            }
            answer => {
                if let Answer::Done { events, .. } = &answer {
                    // The screen below did not ask for it, and may know how it is taken back.
                    let (events, said) = (events.clone(), String::new());
                    out.push(Ask::Report(Answer::Done { events, token: None, said }));
                }
                let next = self.asks.done(answer, look, out);
                self.body.mark(&self.asks.fields().into());
                next
            }
        }
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, look: &Look, _: Now) {
        let pages = self.asks.fields().len();
        let face = self.asks.face(look, self.body.spot(area.width, pages));
        self.body.draw(canvas, area, &mut self.asks.fields().into(), &face);
        if let Some(asked) = &self.meanwhile {
            asked.draw(canvas);
        }
    }

    fn hints(&self) -> &[Action] {
        if self.meanwhile.is_some() { Meanwhile::hints() } else { self.body.hints() }
    }

    fn enabled(&self, _: Action, _: &Look) -> Result<(), Reason> {
        self.held().map_or(Ok(()), Err)
    }

    fn held(&self) -> Option<Reason> {
        self.body.held()
    }

    fn wake_at(&self) -> Option<Moment> {
        let wonders = !self.wondered && self.asks.wonders().is_some();
        if wonders { Some(Moment::default()) } else { self.body.wake_at() }
    }

    fn unsaved(&self) -> bool {
        self.body.touched()
    }

    fn asks(&self) -> bool {
        self.asks.manner().danger == Danger::Dangerous
    }

    fn waits(&self) -> bool {
        self.asks.manner().waits
    }

    fn resume(&mut self, look: &Look) -> Return {
        let returns = self.asks.resume(look);
        if returns == Return::Now {
            self.check(look, &mut Vec::new());
            self.body.end(self.asks.fields().into());
            self.compare(look);
        }
        returns
    }

    fn secrecy(&self) -> Secrecy {
        self.asks.manner().secrecy
    }
}

#[cfg(test)]
mod tests;
