//! Boxes to tick side by side, and a fact that stands among the fields.

use std::hash::{Hash as _, Hasher};

use ratatui::layout::Rect;

use super::field::{Build, Field, Side, Slot, Took, draw_below, draw_label, rows_below};
use crate::tui::action::Action;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::overlay::Cue;
use crate::tui::theme::Role;
use crate::tui::widgets::layout;

#[derive(Default)]
pub struct Ticks {
    label: &'static str,
    boxes: Vec<(String, bool)>,
    at: usize,
    /// What to know, below.
    pub note: String,
    pub error: Option<String>,
}

impl Ticks {
    pub fn new(label: &'static str, boxes: impl IntoIterator<Item = (String, bool)>) -> Self {
        Self { label, boxes: boxes.into_iter().collect(), at: 0, note: String::new(), error: None }
    }

    /// Whether the box with this number is ticked.
    pub fn is_on(&self, number: usize) -> bool {
        self.boxes.get(number).is_some_and(|(_, on)| *on)
    }

    fn go(&mut self, to: Option<usize>) -> Took {
        match to.filter(|to| *to < self.boxes.len()) {
            Some(to) => {
                self.at = to;
                Took::Kept
            }
            None => Took::Left,
        }
    }
}

impl Field for Ticks {
    fn hear(&mut self, cue: Cue<'_>) -> Took {
        match cue {
            Cue::Do(Action::NextField | Action::Right) => return self.go(Some(self.at + 1)),
            Cue::Do(Action::PrevField | Action::Left) => return self.go(self.at.checked_sub(1)),
            Cue::Do(Action::Toggle) => {}
            Cue::Click(Target::Tick { row, .. }) => drop(self.go(Some(row))),
            Cue::Click(_) => return Took::Kept,
            _ => return Took::Left,
        }
        if let Some((_, on)) = self.boxes.get_mut(self.at) {
            *on = !*on;
        }
        self.error = None;
        Took::Changed
    }

    fn rows(&self, cells: u16, air: u16) -> u16 {
        1 + rows_below(self.error.as_deref(), &self.note, cells).max(air)
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, slot: Slot) {
        let input = draw_label(canvas, area, self.label, slot);
        let mut x = input.x;
        for (row, (name, on)) in self.boxes.iter().enumerate() {
            let here = slot.focus.is_here() && row == self.at;
            let role = match (here, on) {
                (true, _) => Role::Selected,
                (false, true) => Role::Accent,
                (false, false) => Role::Text,
            };
            let sign = if *on { canvas.glyphs().box_on } else { canvas.glyphs().box_off };
            let end =
                canvas.fit(x, input.y, input.right().saturating_sub(x), &format!("{sign} {name}"), role);
            canvas.hit_to(x, input.y, end, Target::Tick { pane: slot.number, row });
            if here {
                canvas.cursor(x.saturating_add(1), input.y);
            }
            x = end.saturating_add(3);
        }
        draw_below(canvas, layout::top(input, 1).1, self.error.as_deref(), &self.note);
    }

    fn is_wrong(&self) -> bool {
        self.error.is_some()
    }

    fn sign(&self, mut into: &mut dyn Hasher) {
        self.boxes.hash(&mut into);
    }

    fn hints(&self) -> &'static [Action] {
        &[Action::Toggle, Action::NextField, Action::Submit, Action::Cancel]
    }

    fn enter(&mut self, from: Side) {
        self.at = if from == Side::Above { 0 } else { self.boxes.len().saturating_sub(1) };
    }
}

pub struct Fact {
    label: &'static str,
    said: String,
}

impl Fact {
    /// What is so, beside its label.
    pub const fn new(label: &'static str, said: String) -> Self {
        Self { label, said }
    }
}

impl Field for Fact {
    fn build(&self) -> Build {
        Build::Fact
    }

    fn rows(&self, _: u16, air: u16) -> u16 {
        1 + air
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, slot: Slot) {
        let value = draw_label(canvas, area, self.label, slot);
        canvas.fit(value.x, value.y, value.width, &self.said, Role::Text);
    }
}
