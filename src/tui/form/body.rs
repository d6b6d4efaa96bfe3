//! What all forms have in common, whoever fills them in and why: which field has the keyboard, pages and buttons,
//! whether it is being filled in, about to be left or waiting, and why it was not done.
//!
//! Enter goes on to the next field, and from the last one does what is harmless; of what takes access away it stops at
//! Cancel. Tab goes round. While the work is done elsewhere the form shows a spinner, hears nothing and stays.

use std::ops::Range;
use std::time::Duration;

use super::field::{Build, Side, Took};
use super::manner::{Enter, Manner, Paging, Sheet};
use crate::tui::action::{Action, Danger, Layer, Reason};
use crate::tui::canvas::Target;
use crate::tui::clock::{Moment, Now};
use crate::tui::input::TextFocus;
use crate::tui::overlay::Cue;
use crate::tui::widgets::buttons::{Button, ButtonRow};

/// Time between two signs of the spinner.
const SPIN: Duration = Duration::from_millis(100);

/// What a cue came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    Stay,
    /// A field may say something else now.
    Changed,
    /// Not meant for the form.
    Ignored,
    /// This page is finished, and another follows.
    On,
    /// It shall be done.
    Submit,
    /// It shall be closed.
    Leave,
    /// This is to be said.
    Say(String),
}

/// What is going on. A form that waits can neither be filled in nor left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Filling,
    /// Esc was pressed once, and would throw away what is there.
    Leaving,
    /// What was asked for is being done: the sign of the spinner, and when it turns.
    Waiting(usize, Moment),
}

/// The form, without its fields.
pub struct Body {
    pub(super) manner: Manner,
    /// The field with the keyboard; the buttons have it when there is none.
    pub(super) at: Option<usize>,
    pub(super) page: usize,
    pub(super) buttons: ButtonRow,
    pub(super) phase: Phase,
    /// Why it was not done.
    pub(super) problem: Option<String>,
    /// What the values looked like when nothing was lost by leaving.
    began: u64,
    touched: bool,
    text: TextFocus,
    layer: Layer,
    hints: &'static [Action],
}

impl Body {
    /// The form at its first field.
    pub fn new(manner: Manner, sheet: &mut Sheet<'_>) -> Self {
        let mut body = Self {
            manner,
            at: None,
            page: 0,
            buttons: ButtonRow::new([]),
            phase: Phase::Filling,
            problem: None,
            began: 0,
            touched: false,
            text: TextFocus::Elsewhere,
            layer: Layer::Dialog,
            hints: &[],
        };
        body.turn(0, sheet);
        body.mark(sheet);
        body
    }

    /// From now on leaving loses nothing.
    pub fn mark(&mut self, sheet: &Sheet<'_>) {
        self.began = sheet.signed();
        self.look_at(sheet);
    }

    /// Opens a page at its first field.
    fn turn(&mut self, page: usize, sheet: &mut Sheet<'_>) {
        self.page = page;
        self.land(None, Side::Above, sheet);
        self.step(Side::Above, sheet);
    }

    pub fn go(&mut self, at: usize, sheet: &mut Sheet<'_>) {
        self.land(Some(at), Side::Above, sheet);
        self.look_at(sheet);
    }

    /// Opens the next page; at its tree rather than at something to be typed.
    pub fn turn_on(&mut self, sheet: &mut Sheet<'_>) {
        self.turn(self.page + 1, sheet);
        let typed = self.at.and_then(|at| sheet.fields.get(at)).is_some_and(|field| field.wants_text());
        if let Some(tall) = self.range(sheet).find(|at| typed && sheet.is(*at, Build::Tall)) {
            self.go(tall, sheet);
        }
    }

    /// Goes to the button that does it.
    pub fn go_to_end(&mut self, mut sheet: Sheet<'_>) {
        self.page = sheet.ends.len().saturating_sub(1);
        self.land(None, Side::Below, &mut sheet);
        self.look_at(&sheet);
    }

    /// Whether a page follows that is not seen before this one is finished.
    fn goes_on(&self, sheet: &Sheet<'_>) -> bool {
        self.manner.paging.steps().is_some() && self.page + 1 < sheet.ends.len()
    }

    /// The fields the keyboard goes through.
    fn range(&self, sheet: &Sheet<'_>) -> Range<usize> {
        if self.manner.paging.steps().is_some() { sheet.page(self.page) } else { 0..sheet.fields.len() }
    }

    /// Goes to the first field that something is wrong with: of this page, when another follows.
    pub fn go_wrong(&mut self, sheet: &mut Sheet<'_>) -> bool {
        let range = if self.goes_on(sheet) { sheet.page(self.page) } else { 0..sheet.fields.len() };
        let wrong = |at: &usize| sheet.fields.get(*at).is_some_and(|field| field.is_wrong());
        let found = range.into_iter().find(wrong);
        // Whoever is there already stays where they are in it.
        if found.is_some() && found != self.at {
            self.land(found, Side::Above, sheet);
        }
        self.look_at(sheet);
        found.is_some()
    }

    /// Says why it was not done.
    pub fn refuse(&mut self, why: &str) {
        self.problem = Some(why.to_owned()).filter(|why| !why.is_empty());
    }

    /// The work has begun.
    pub fn begin(&mut self, now: Now) {
        self.problem = None;
        self.phase = Phase::Waiting(0, now.at + SPIN);
        self.text = TextFocus::Elsewhere;
    }

    /// The work has ended, and the form is still there.
    pub fn end(&mut self, mut sheet: Sheet<'_>) {
        self.phase = Phase::Filling;
        sheet.fields.iter_mut().for_each(|field| field.close());
        self.look_at(&sheet);
    }

    pub const fn waits(&self) -> bool {
        matches!(self.phase, Phase::Waiting(..))
    }

    /// Why it must not close.
    pub fn held(&self) -> Option<Reason> {
        self.waits().then(|| "one moment: it is being written".into())
    }

    /// When the spinner turns.
    pub const fn wake_at(&self) -> Option<Moment> {
        match self.phase {
            Phase::Waiting(_, at) => Some(at),
            Phase::Filling | Phase::Leaving => None,
        }
    }

    pub const fn text_focus(&self) -> TextFocus {
        self.text
    }

    /// Whose keys are searched.
    pub const fn layer(&self) -> Layer {
        self.layer
    }

    /// The keys that matter where the keyboard is.
    pub const fn hints(&self) -> &'static [Action] {
        self.hints
    }

    /// What is said before it is left.
    pub const fn leaving(&self) -> &'static str {
        self.manner.leaving
    }

    /// Whether closing it would lose what somebody filled in.
    pub const fn touched(&self) -> bool {
        self.touched
    }

    pub fn hear(&mut self, cue: Cue<'_>, sheet: &mut Sheet<'_>, now: Now) -> Step {
        if let Phase::Waiting(step, at) = &mut self.phase {
            if cue == Cue::Tick {
                (*step, *at) = (*step + 1, now.at + SPIN);
            }
            return if cue == Cue::Do(Action::Cancel) { Step::Ignored } else { Step::Stay };
        }
        let asked = self.phase == Phase::Leaving || self.manner.leaving.is_empty();
        let step = match self.hear_filling(cue, sheet) {
            Step::Leave if self.touched && !asked => {
                self.phase = Phase::Leaving;
                Step::Say(self.manner.leaving.to_owned())
            }
            step => {
                self.phase = Phase::Filling;
                step
            }
        };
        self.look_at(sheet);
        step
    }

    fn hear_filling(&mut self, cue: Cue<'_>, sheet: &mut Sheet<'_>) -> Step {
        match cue {
            Cue::Type(_) | Cue::Edit(_) | Cue::Paste(_) => self.give(cue, sheet).unwrap_or(Step::Ignored),
            _ if self.layer == Layer::Picker => self.give(cue, sheet).unwrap_or(Step::Ignored),
            Cue::Do(Action::Submit) => match self.manner.paging {
                Paging::Edits(_) => Step::Submit,
                Paging::Beside | Paging::Steps(_) => self.finish(sheet),
            },
            Cue::Do(action) => match self.give(cue, sheet) {
                Some(step) => step,
                None if self.at.is_none() => self.act_at_buttons(action, sheet),
                None => self.act(action, sheet),
            },
            Cue::Click(Target::Button(button)) => self.press(button, sheet),
            Cue::Click(Target::Field(at)) => self.aim(at, cue, sheet),
            // The wheel scrolls what it is over, and takes the keyboard nowhere else.
            Cue::Wheel { pane, .. } if !sheet.is(pane.into(), Build::Tall) => Step::Stay,
            Cue::Click(Target::Row { pane, .. } | Target::Tick { pane, .. } | Target::Pane(pane))
            | Cue::Wheel { pane, .. } => self.aim(pane.into(), cue, sheet),
            Cue::Click(_) | Cue::Tick => Step::Ignored,
        }
    }

    /// The mouse is over a field.
    fn aim(&mut self, at: usize, cue: Cue<'_>, sheet: &mut Sheet<'_>) -> Step {
        if at >= sheet.fields.len() || !sheet.listens(at) {
            return Step::Ignored;
        }
        if self.at != Some(at) {
            self.land(Some(at), Side::Above, sheet);
        }
        self.give(cue, sheet).unwrap_or(Step::Stay)
    }

    /// Gives a cue to the field that has the keyboard; nothing when it is not for it.
    fn give(&mut self, cue: Cue<'_>, sheet: &mut Sheet<'_>) -> Option<Step> {
        match sheet.fields.get_mut(self.at?)?.hear(cue) {
            Took::Left => return None,
            Took::Kept => return Some(Step::Stay),
            Took::Refused(reason) => return Some(Step::Say(reason.to_string())),
            Took::Changed | Took::Opened => {}
            Took::Done => self.step(Side::Above, sheet),
        }
        self.problem = None;
        Some(Step::Changed)
    }

    fn act(&mut self, action: Action, sheet: &mut Sheet<'_>) -> Step {
        match action {
            Action::Press if self.manner.enter == Enter::Does => return self.finish(sheet),
            Action::Press if self.is_last(sheet) && self.manner.danger == Danger::Safe => {
                return self.finish(sheet);
            }
            Action::NextField | Action::Down | Action::Press => self.step(Side::Above, sheet),
            Action::PrevField => self.step(Side::Below, sheet),
            Action::Up if self.at > self.first(sheet) => self.step(Side::Below, sheet),
            Action::Up => {}
            Action::Cancel => return self.leave(sheet),
            Action::Filter => {
                let Some(tall) = self.range(sheet).find(|at| sheet.is(*at, Build::Tall)) else {
                    return Step::Ignored;
                };
                return self.aim(tall, Cue::Do(action), sheet);
            }
            _ => return Step::Ignored,
        }
        Step::Stay
    }

    /// Whether all that is left is to do it. From a tree one goes to the button first.
    fn is_last(&self, sheet: &Sheet<'_>) -> bool {
        let Some(at) = self.at else { return true };
        let rest = at + 1..self.range(sheet).end;
        !sheet.is(at, Build::Tall) && !rest.into_iter().any(|at| sheet.listens(at))
    }

    fn first(&self, sheet: &Sheet<'_>) -> Option<usize> {
        self.range(sheet).find(|at| sheet.listens(*at))
    }

    fn act_at_buttons(&mut self, action: Action, sheet: &mut Sheet<'_>) -> Step {
        match action {
            Action::Press => return self.press(self.buttons.focused(), sheet),
            Action::Cancel => return self.leave(sheet),
            Action::Left | Action::Right => _ = self.buttons.walk(action),
            Action::NextField | Action::PrevField if self.buttons.tab(action).is_some() => {}
            Action::NextField => self.step(Side::Above, sheet),
            Action::Up | Action::PrevField => self.step(Side::Below, sheet),
            Action::Filter => return self.act(action, sheet),
            _ => return Step::Ignored,
        }
        Step::Stay
    }

    fn press(&mut self, button: usize, sheet: &mut Sheet<'_>) -> Step {
        if button < self.buttons.last() { self.leave(sheet) } else { self.finish(sheet) }
    }

    fn finish(&self, sheet: &Sheet<'_>) -> Step {
        if self.goes_on(sheet) { Step::On } else { Step::Submit }
    }

    /// Steps back, or out.
    fn leave(&mut self, sheet: &mut Sheet<'_>) -> Step {
        if self.manner.paging.steps().is_none() || self.page == 0 {
            return Step::Leave;
        }
        self.turn(self.page - 1, sheet);
        Step::Stay
    }

    /// To the next field, coming from above, or to the one before, coming from below; round the buttons.
    fn step(&mut self, from: Side, sheet: &mut Sheet<'_>) {
        let range = self.range(sheet);
        let free = |at: &usize| sheet.listens(*at);
        let to = match from {
            Side::Above => (self.at.map_or(range.start, |at| at + 1)..range.end).find(free),
            Side::Below => (range.start..self.at.unwrap_or(range.end)).rev().find(free),
        };
        self.land(to, from, sheet);
    }

    /// Gives the keyboard to a field, or to the buttons: there Enter shall do what is harmless, and never by mistake
    /// what is not.
    fn land(&mut self, at: Option<usize>, from: Side, sheet: &mut Sheet<'_>) {
        self.at = at;
        match at {
            Some(at) => self.page = sheet.page_of(at),
            None if self.manner.paging.steps().is_none() => self.page = sheet.ends.len().saturating_sub(1),
            None => {}
        }
        let leaves =
            if self.page > 0 && self.manner.paging.steps().is_some() { "Back" } else { self.manner.leaves };
        let does = if self.goes_on(sheet) { "Next" } else { self.manner.does };
        let does = Button { label: does.to_owned(), danger: self.manner.danger };
        let leaves = (!leaves.is_empty()).then(|| Button::safe(leaves));
        self.buttons = ButtonRow::new(leaves.into_iter().chain([does]));
        if self.manner.danger == Danger::Safe {
            self.buttons.focus(self.buttons.last());
        }
        if let Some(field) = at.and_then(|at| sheet.fields.get_mut(at)) {
            field.enter(from);
        }
    }

    /// Takes note of what the fields say.
    pub fn look_at(&mut self, sheet: &Sheet<'_>) {
        if self.at.is_some_and(|at| at >= sheet.fields.len()) {
            self.at = None;
        }
        self.touched = sheet.signed() != self.began;
        let field = self.at.and_then(|at| sheet.fields.get(at));
        let typing = field.is_some_and(|field| field.wants_text()) && !self.waits();
        self.text = if typing { TextFocus::Here } else { TextFocus::Elsewhere };
        self.layer = field.map_or(Layer::Dialog, |field| field.layer());
        self.hints = field
            .map_or(&[Action::Submit, Action::NextField, Action::Cancel, Action::PrevField], |field| {
                field.hints()
            });
    }
}
