//! Before the desk: the first start, the sign-in and the locked screen. What is typed here stays in guarded fields
//! until a thread of its own has tried it; one attempt at a time, and none that repeats itself.
//!
//! - `found`: the first start. `recovery`: the code shown once. `sign_in`: the rest.

mod found;
mod recovery;
mod sign_in;

use std::collections::HashSet;
use std::time::Duration;

use ratatui::layout::Rect;

use self::found::FoundForm;
use self::recovery::CodeForm;
use self::sign_in::SignInForm;
pub use self::sign_in::{Cause, Locked};
use super::ask::Tab;
use super::effect::{Effect, Outcome};
use super::entry::{Entered, Entry};
use super::habits::Left;
use crate::engine::OpenError;
use crate::engine::open::{Open, Options, is_store};
use crate::serve::door::Entrance;
use crate::tui::action::{Action, Layer};
use crate::tui::canvas::{Canvas, HitMap, Target};
use crate::tui::clock::{Moment, Now};
use crate::tui::form::body::{Body, Step as Heard};
use crate::tui::form::{Face, Pages, Told};
use crate::tui::input::{Gesture, Input, TextFocus};
use crate::tui::keymap::Keymap;
use crate::tui::overlay::{Cue, PastedRef};
use crate::tui::program::{JobId, Msg, Orders};
use crate::tui::router::route;
use crate::tui::theme::{Glyphs, Role};
use crate::tui::widgets::status::{self, Hints};
use crate::tui::widgets::{layout, text};

/// Columns of its boxes.
const WIDTH: u16 = 66;
/// Between two steps of the spinner.
const SPIN: Duration = Duration::from_millis(100);

/// Which store lies behind the door.
pub enum Way {
    /// The one in a directory.
    Store(Box<Options>),
    /// A throw-away one: this, or one that is made.
    Demo(Option<Box<Open>>),
}

impl Way {
    /// What is known of it once somebody goes it.
    #[must_use]
    pub fn known(&self) -> Self {
        match self {
            Self::Store(options) => Self::Store(options.clone()),
            Self::Demo(_) => Self::Demo(None),
        }
    }
}

/// What came of it: the store is open.
pub struct Passage {
    /// The store, and who is signed in.
    pub open: Entrance,
    /// How they left the console, where that is remembered.
    pub left: Option<Left>,
    /// Where to go on, when it was locked.
    pub tab: Option<Tab>,
}

enum Step {
    Found(Box<FoundForm>),
    Code(Box<Passage>, Box<CodeForm>),
    SignIn(Box<SignInForm>),
    /// Nothing to fill in: sample data are being made, or could not be.
    Wait(Option<String>),
}

impl Step {
    fn body(&self) -> Option<&Body> {
        match self {
            Self::Found(form) => Some(&form.body),
            Self::Code(_, form) => Some(&form.body),
            Self::SignIn(form) => Some(&form.body),
            Self::Wait(_) => None,
        }
    }

    fn gate(&mut self) -> Option<&mut dyn Gate> {
        match self {
            Self::Found(form) => Some(form.as_mut()),
            Self::Code(_, form) => Some(form.as_mut()),
            Self::SignIn(form) => Some(form.as_mut()),
            Self::Wait(_) => None,
        }
    }
}

/// One of its forms.
trait Gate {
    /// What it has in common with all forms, and its fields.
    fn parts(&mut self) -> (&mut Body, Pages<'_>);

    /// Says beside the fields what is wrong with them.
    fn check(&mut self, told: Told);

    /// What is to be tried, when no field says that something is wrong.
    fn submit(&mut self, options: &Options, now: Moment) -> Want;

    /// What it says of itself.
    fn face(&self, glyphs: &Glyphs, now: Moment) -> Face;
}

impl dyn Gate + '_ {
    fn hear(&mut self, cue: Cue<'_>, way: &Way, now: Now) -> Want {
        let Way::Store(options) = way else { return Want::Nothing };
        let (body, pages) = self.parts();
        match body.hear(cue, &mut pages.into(), now) {
            Heard::Changed => self.judge(Told::AsTyped),
            Heard::Submit | Heard::On => {
                self.judge(Told::Whole);
                let (body, pages) = self.parts();
                if !body.go_wrong(&mut pages.into()) {
                    return self.submit(options, now.at);
                }
            }
            Heard::Leave | Heard::Say(_) => body.refuse(body.leaving()),
            Heard::Stay | Heard::Ignored => {}
        }
        Want::Nothing
    }

    fn judge(&mut self, told: Told) {
        self.check(told);
        let (body, pages) = self.parts();
        body.look_at(&pages.into());
    }
}

/// What a form wants after a cue.
enum Want {
    Nothing,
    Try(Entry),
    /// The code was typed back.
    Confirmed,
}

pub struct Door {
    way: Way,
    step: Step,
    /// The attempt under way.
    trying: Option<(JobId, Moment)>,
    /// Work of the console that was just locked; the store can be opened again when all of it has ended.
    closing: HashSet<JobId>,
    /// Ready to be tried, once nothing is closing any more.
    queued: Option<Entry>,
    /// Go to the background once nothing is closing any more.
    suspend: bool,
    /// Somebody wants to leave without the code of the new store, and was asked.
    leaving: bool,
    tab: Option<Tab>,
}

impl Door {
    /// The door of a console that starts. `operator` is a guess at who it is.
    pub fn new(mut way: Way, operator: Option<&str>) -> Self {
        let step = match &way {
            Way::Store(options) => match is_store(&options.dir) {
                Ok(true) => Step::SignIn(Box::new(SignInForm::new(operator))),
                Ok(false) => Step::Found(Box::new(FoundForm::new(&options.dir, operator))),
                Err(error) => Step::Wait(Some(error.to_string())),
            },
            Way::Demo(_) => Step::Wait(None),
        };
        // Begun with the first tick, so that the first frame does not wait for it.
        let queued = match &mut way {
            Way::Demo(made) => Some(Entry::Demo(made.take())),
            Way::Store(_) => None,
        };
        Self { queued, ..Self::at(way, step) }
    }

    /// The door of a console that was locked. `closing` must come back before the store can be opened again.
    pub fn locked(options: Box<Options>, locked: Locked, closing: HashSet<JobId>, tab: Option<Tab>) -> Self {
        let suspend = locked.cause == Cause::Background { going: true };
        let step = Step::SignIn(Box::new(SignInForm::locked(locked)));
        Self { closing, suspend, tab, ..Self::at(Way::Store(options), step) }
    }

    fn at(way: Way, step: Step) -> Self {
        Self {
            way,
            step,
            trying: None,
            closing: HashSet::new(),
            queued: None,
            suspend: false,
            leaving: false,
            tab: None,
        }
    }

    /// Hears what happened; the store when it is open.
    pub fn update(
        &mut self,
        msg: Msg<Outcome>,
        now: Now,
        (hits, keymap): (&HitMap, &Keymap),
        orders: &mut Orders<Effect>,
    ) -> Option<Passage> {
        let want = match msg {
            Msg::Input(input) => self.input(input, now, hits, keymap, orders),
            Msg::Done { job, outcome } => return self.finished(job, outcome, now, orders),
            Msg::Lost { job } => {
                if self.trying.is_some_and(|(trying, _)| trying == job) {
                    self.ended();
                    self.say("keydeck stopped on a fault of its own there. Nothing that was saved is lost; try again.");
                }
                self.closed(job, now, orders);
                Want::Nothing
            }
            Msg::Suspending => self.go_to_background(orders),
            Msg::CannotSuspend => {
                self.say("No shell is there to bring the console back from the background.");
                Want::Nothing
            }
            Msg::Tick => {
                self.start_queued(now, orders);
                self.give(Cue::Tick, now)
            }
            Msg::News(_) | Msg::Resumed => Want::Nothing,
        };
        match want {
            Want::Nothing => None,
            Want::Try(entry) => {
                self.queued = Some(entry);
                if let Some(gate) = self.step.gate() {
                    let (body, pages) = gate.parts();
                    body.mark(&pages.into());
                    body.begin(now);
                }
                self.start_queued(now, orders);
                None
            }
            Want::Confirmed => {
                orders.wipe();
                let step = std::mem::replace(&mut self.step, Step::Wait(None));
                let Step::Code(passage, _) = step else { return None };
                Some(*passage)
            }
        }
    }

    /// Whether the focus takes text.
    pub fn text_focus(&self) -> TextFocus {
        self.step.body().map_or(TextFocus::Elsewhere, Body::text_focus)
    }

    /// When it wants a tick.
    pub fn wake_at(&self, now: Moment) -> Option<Moment> {
        if self.trying.is_some() || self.queued.is_some() {
            return Some(now + SPIN);
        }
        match &self.step {
            Step::SignIn(form) => form.wake_at(now),
            _ => None,
        }
    }

    /// The store that is open behind a code nobody confirmed yet: to be closed when the console ends.
    pub fn into_open(self) -> Option<Entrance> {
        match self.step {
            Step::Code(passage, _) => Some(passage.open),
            _ => None,
        }
    }

    pub fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, keymap: &Keymap, now: Now) {
        let work = self.trying.map(|(_, since)| since).or(self.queued.as_ref().map(|_| now.at));
        let spinner = work.map(|since| {
            let step = now.at.since(since).as_millis() / SPIN.as_millis();
            canvas.glyphs().spin(usize::try_from(step).unwrap_or(0))
        });
        let glyphs = canvas.glyphs();
        if let Step::Wait(said) = &self.step {
            wait(canvas, area, spinner, said.as_deref());
        } else if let Some(gate) = self.step.gate() {
            let face = gate.face(glyphs, now.at);
            let (body, pages) = gate.parts();
            body.draw(canvas, area, &mut pages.into(), &face);
        }
        let actions: &[Action] = match (&self.step, work) {
            (Step::Wait(_), _) | (_, Some(_)) => &[Action::ForceQuit],
            (Step::Code(..), None) => &[Action::Press, Action::ForceQuit],
            (_, None) => &[Action::Press, Action::NextField, Action::ForceQuit],
        };
        let hints = Hints { keymap, layer: Layer::Dialog, actions, called: &[] };
        let (_, last) = layout::bottom(area, 1);
        status::status(canvas, last, None, &hints, |_| true);
    }

    fn input(
        &mut self,
        input: Input,
        now: Now,
        hits: &HitMap,
        keymap: &Keymap,
        orders: &mut Orders<Effect>,
    ) -> Want {
        match input {
            Input::Key { chord, held } => {
                let cue = route(keymap, Layer::Dialog, self.text_focus(), chord, held);
                cue.map_or(Want::Nothing, |cue| self.hear(cue, now, orders))
            }
            Input::Paste(pasted) => self.hear(Cue::Paste(PastedRef(pasted.text())), now, orders),
            Input::Mouse(mouse) if mouse.gesture == Gesture::Click => match hits.at(mouse.x, mouse.y) {
                Some(Target::Do(action)) => self.hear(Cue::Do(action), now, orders),
                Some(target) => self.hear(Cue::Click(target), now, orders),
                None => Want::Nothing,
            },
            Input::Mouse(_) | Input::Resize { .. } => Want::Nothing,
        }
    }

    fn hear(&mut self, cue: Cue<'_>, now: Now, orders: &mut Orders<Effect>) -> Want {
        if cue != Cue::Do(Action::ForceQuit) {
            self.leaving = false;
        }
        match cue {
            Cue::Do(Action::ForceQuit) if self.asks_to_leave() => return Want::Nothing,
            Cue::Do(Action::ForceQuit) => {
                orders.quit();
                return Want::Nothing;
            }
            Cue::Do(Action::Redraw) => {
                orders.wipe();
                return Want::Nothing;
            }
            Cue::Do(Action::Suspend) => return self.go_to_background(orders),
            Cue::Do(Action::Cancel) if self.trying.is_some() => {
                if let Step::SignIn(form) = &self.step {
                    form.stop();
                }
                return Want::Nothing;
            }
            _ if self.trying.is_some() || self.queued.is_some() => return Want::Nothing,
            _ => {}
        }
        self.give(cue, now)
    }

    /// Gives a cue to the form.
    fn give(&mut self, cue: Cue<'_>, now: Now) -> Want {
        self.step.gate().map_or(Want::Nothing, |gate| gate.hear(cue, &self.way, now))
    }

    fn ended(&mut self) {
        self.trying = None;
        if let Some(gate) = self.step.gate() {
            let (body, pages) = gate.parts();
            body.end(pages.into());
        }
    }

    /// Whether leaving would lose the code of a new store, or what somebody filled in; asks once.
    fn asks_to_leave(&mut self) -> bool {
        let founding = self.trying.is_some() && matches!(self.step, Step::Found(_));
        let why = match &self.step {
            Step::Code(..) => "Shown only now.",
            _ if founding => "The store is just being made, and its recovery code is shown only once.",
            step if step.body().is_some_and(Body::touched) => "What you filled in is not sent yet.",
            _ => return false,
        };
        if std::mem::replace(&mut self.leaving, true) {
            return false;
        }
        self.say(&format!("{why} The same key again quits all the same."));
        true
    }

    fn go_to_background(&mut self, orders: &mut Orders<Effect>) -> Want {
        if self.closing.is_empty() {
            orders.suspend();
        } else {
            self.suspend = true;
        }
        Want::Nothing
    }

    fn start_queued(&mut self, now: Now, orders: &mut Orders<Effect>) {
        if self.closing.is_empty()
            && let Some(entry) = self.queued.take()
        {
            self.trying = Some((orders.perform(Effect::Enter(entry)), now.at));
        }
    }

    fn closed(&mut self, job: JobId, now: Now, orders: &mut Orders<Effect>) {
        if !self.closing.remove(&job) || !self.closing.is_empty() {
            return;
        }
        if std::mem::take(&mut self.suspend) {
            orders.suspend();
        }
        self.start_queued(now, orders);
    }

    fn finished(
        &mut self,
        job: JobId,
        outcome: Outcome,
        now: Now,
        orders: &mut Orders<Effect>,
    ) -> Option<Passage> {
        self.closed(job, now, orders);
        let Outcome::Entered(entered) = outcome else { return None };
        self.ended();
        match *entered {
            Ok(Entered { open, left, recovery }) => {
                let passage = Passage { open, left, tab: self.tab };
                let Some(code) = recovery else { return Some(passage) };
                self.step = Step::Code(Box::new(passage), Box::new(CodeForm::new(code)));
                None
            }
            Err(error) => {
                self.failed(&error, now);
                None
            }
        }
    }

    fn failed(&mut self, error: &OpenError, now: Now) {
        match (&mut self.step, &self.way) {
            (Step::SignIn(_), Way::Store(options)) if matches!(error, OpenError::Unfounded) => {
                self.step = Step::Found(Box::new(FoundForm::new(&options.dir, None)));
                self.say("The set-up of this store was interrupted before it was complete. Begin again.");
            }
            (Step::SignIn(form), _) => form.failed(error, now.at),
            _ => self.say(&error.to_string()),
        }
    }

    /// Says something where it is read.
    pub fn say(&mut self, text: &str) {
        if let Step::Wait(said) = &mut self.step {
            *said = Some(text.to_owned());
        } else if let Some(gate) = self.step.gate() {
            gate.parts().0.refuse(text);
        }
    }
}

fn wait(canvas: &mut Canvas<'_>, area: Rect, spinner: Option<&str>, said: Option<&str>) {
    let text = match (said, spinner) {
        (Some(said), _) => said.to_owned(),
        (None, Some(sign)) => format!("{sign} filling a store with a year of sample data…"),
        (None, None) => String::new(),
    };
    let role = if said.is_some() { Role::Bad } else { Role::Dim };
    let lines = text::wrap(&text, area.width.saturating_sub(8).clamp(1, 72));
    let width = lines.iter().map(|line| text::width(line)).max().unwrap_or_default();
    let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let room = layout::centred(area, u16::try_from(width).unwrap_or(u16::MAX), rows);
    for (row, line) in (0..room.height).zip(&lines) {
        let row = layout::row(room, row);
        canvas.fit(row.x, row.y, row.width, line, role);
    }
}

#[cfg(test)]
mod tests;
