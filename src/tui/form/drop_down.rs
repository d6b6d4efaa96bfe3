//! A field whose value comes from a list that opens above the form and is narrowed by typing.

use std::hash::{Hash as _, Hasher};

use ratatui::layout::Rect;

use super::field::{Field, Slot, Took, draw_below, draw_label, rows_below};
use crate::tui::action::{Action, Layer};
use crate::tui::canvas::{Canvas, Target};
use crate::tui::overlay::Cue;
use crate::tui::theme::Role;
use crate::tui::widgets::picker::{PickItem, Picker};
use crate::tui::widgets::{layout, popup};

pub struct DropDown<K> {
    label: &'static str,
    hint: &'static str,
    /// Above the open list.
    pub title: String,
    placeholder: &'static str,
    /// Somebody wants the list, and typed this already.
    opening: Option<String>,
    list: Option<Picker<K>>,
    value: Option<K>,
    /// It was chosen just now.
    fresh: bool,
    /// The value in words.
    pub words: String,
    /// What is wrong with it.
    pub error: Option<String>,
}

impl<K: Clone> DropDown<K> {
    /// Nothing chosen; `hint` stands in the empty field, `placeholder` above the open list.
    pub fn new(label: &'static str, hint: &'static str, placeholder: &'static str) -> Self {
        Self {
            label,
            hint,
            title: label.to_owned(),
            placeholder,
            opening: None,
            list: None,
            value: None,
            fresh: false,
            words: String::new(),
            error: None,
        }
    }

    /// Opens the list with what can be chosen, if somebody just asked for it.
    pub fn offer(&mut self, items: impl FnOnce() -> Vec<PickItem<K>>) {
        let Some(typed) = self.opening.take() else { return };
        let mut list = Picker::new(items(), self.placeholder);
        typed.chars().for_each(|c| list.type_char(c));
        self.list = Some(list);
    }

    pub fn set(&mut self, value: K, words: String) {
        (self.value, self.words) = (Some(value), words);
    }

    pub const fn value(&self) -> Option<&K> {
        self.value.as_ref()
    }

    /// What was chosen just now, once.
    pub fn take_fresh(&mut self) -> Option<K> {
        if std::mem::take(&mut self.fresh) { self.value.clone() } else { None }
    }

    fn open(&mut self, typed: String) -> Took {
        self.opening = Some(typed);
        Took::Opened
    }

    fn choose(&mut self) -> Took {
        let Some(item) = self.list.as_ref().and_then(Picker::selected) else { return Took::Kept };
        if let Some(reason) = &item.disabled {
            return Took::Refused(format!("{}: {reason}", item.text).into());
        }
        let (value, words) = (item.key.clone(), item.text.clone());
        self.set(value, words);
        (self.fresh, self.list, self.error) = (true, None, None);
        Took::Done
    }
}

impl<K: Clone> Field for DropDown<K> {
    fn hear(&mut self, cue: Cue<'_>) -> Took {
        let Some(list) = &mut self.list else {
            return match cue {
                Cue::Do(Action::Press | Action::Toggle) | Cue::Click(_) => self.open(String::new()),
                Cue::Type(typed) => self.open(typed.0.to_string().trim().to_owned()),
                Cue::Edit(_) | Cue::Paste(_) => Took::Kept,
                Cue::Do(_) | Cue::Wheel { .. } | Cue::Tick => Took::Left,
            };
        };
        match cue {
            Cue::Do(Action::Press) => return self.choose(),
            Cue::Click(Target::Row { row, .. }) => {
                list.select(row);
                return self.choose();
            }
            Cue::Do(Action::Cancel) => self.list = None,
            cue => list.hear(cue),
        }
        Took::Kept
    }

    fn wants_text(&self) -> bool {
        true
    }

    fn layer(&self) -> Layer {
        if self.list.is_some() { Layer::Picker } else { Layer::Dialog }
    }

    fn hints(&self) -> &'static [Action] {
        match self.list {
            Some(_) => &[Action::Press, Action::Down, Action::Cancel],
            None => &[Action::Press, Action::NextField, Action::Submit, Action::Cancel],
        }
    }

    fn rows(&self, cells: u16, air: u16) -> u16 {
        1 + rows_below(self.error.as_deref(), "", cells).max(air)
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, slot: Slot) {
        canvas.hit(area, Target::Field(slot.number.into()));
        let input = draw_label(canvas, area, self.label, slot);
        let row = layout::row(input, 0);
        let style = canvas.style(if slot.focus.is_here() { Role::FieldFocused } else { Role::Field });
        canvas.print(row.x, row.y, row.width, &" ".repeat(row.width.into()), style);
        let cells = row.width.saturating_sub(2);
        if self.value.is_some() {
            canvas.print(row.x, row.y, cells, &self.words, style);
        } else {
            canvas.fit(row.x, row.y, cells, self.hint, Role::Placeholder);
        }
        let sign = canvas.glyphs().unfolded;
        canvas.print(row.right().saturating_sub(1), row.y, row.width.min(1), sign, style);
        if slot.focus.is_here() {
            canvas.cursor(row.x, row.y);
        }
        draw_below(canvas, layout::top(input, 1).1, self.error.as_deref(), "");
    }

    fn is_wrong(&self) -> bool {
        self.error.is_some()
    }

    fn sign(&self, mut into: &mut dyn Hasher) {
        self.words.hash(&mut into);
    }

    fn close(&mut self) {
        self.list = None;
    }

    fn draw_above(&mut self, canvas: &mut Canvas<'_>) {
        if let Some(list) = &mut self.list {
            let inner = popup::draw(canvas, &self.title, 76, 18);
            list.draw(canvas, inner, u8::MAX);
        }
    }
}
