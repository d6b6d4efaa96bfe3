//! Choosing: one of a few options, or a value that is typed or picked from suggestions (`90d`, `never`).
//!
//! What a typed value means is told by a function the screen passes in; this file knows no dates.

use std::hash::{Hash as _, Hasher};
use std::ops::Range;

use ratatui::layout::Rect;

use super::field::{Field, Slot, Took, draw_below, draw_label, rows, rows_below};
use crate::tui::action::Action;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::overlay::Cue;
use crate::tui::router::Edit;
use crate::tui::theme::Role;
use crate::tui::widgets::field::TextField;
use crate::tui::widgets::{Focus, layout, text};

/// A value read from text: the value and how to say it in full, or what is wrong.
pub type Reading<T> = Result<(T, String), String>;

type Parse<T> = Box<dyn Fn(&str) -> Reading<T> + Send>;

/// A text field with suggestions, and a function that reads it.
pub struct TypedChoice<T> {
    pub field: TextField,
    suggestions: Vec<String>,
    /// The text was put there, not typed: typing replaces it instead of adding to it.
    preset: bool,
    read: Parse<T>,
}

impl<T> TypedChoice<T> {
    /// Starts with the first suggestion written in. `read` is asked after each change, so it must be quick.
    pub fn new(
        label: impl Into<String>,
        suggestions: impl IntoIterator<Item = impl Into<String>>,
        read: impl Fn(&str) -> Reading<T> + Send + 'static,
    ) -> Self {
        let suggestions: Vec<String> = suggestions.into_iter().map(Into::into).collect();
        let first = suggestions.first().map_or("", String::as_str);
        let field = TextField::new(label).filled(first);
        let mut choice = Self { field, suggestions, preset: true, read: Box::new(read) };
        choice.reread();
        choice
    }

    /// The value, when the text means one.
    pub fn value(&self) -> Option<T> {
        self.reading().ok().map(|(value, _)| value)
    }

    pub fn text(&self) -> &str {
        self.field.text()
    }

    pub fn set(&mut self, text: &str) {
        self.field.set(text);
        self.preset = true;
        self.reread();
    }

    fn make_room(&mut self) {
        if std::mem::take(&mut self.preset) {
            self.field.clear();
        }
    }

    /// Goes round and round through the suggestions.
    fn walk(&mut self, action: Action) {
        let count = self.suggestions.len().max(1);
        let now = self.suggestions.iter().position(|suggestion| suggestion == self.field.text());
        let next = match (action, now) {
            (Action::Down, at) => at.map_or(0, |at| at + 1),
            (_, at) => at.unwrap_or(count) + count - 1,
        };
        if let Some(suggestion) = self.suggestions.get(next % count).cloned() {
            self.set(&suggestion);
        }
    }

    /// Which suggestions are shown where `room` cells are: whole ones, as many as fit with a sign that there are more, and
    /// the chosen one among them.
    fn in_sight(&self, room: usize, gap: usize) -> Range<usize> {
        let all = self.suggestions.len();
        let chosen =
            self.suggestions.iter().position(|suggestion| suggestion == self.field.text()).unwrap_or(0);
        let shown = |from: usize| {
            let (mut end, mut taken) = (from, 0);
            for suggestion in self.suggestions.iter().skip(from) {
                taken += text::width(suggestion);
                let more = if end + 1 < all { gap + 1 } else { 0 };
                if taken + more > room {
                    break;
                }
                (end, taken) = (end + 1, taken + gap);
            }
            from..end
        };
        (0..=chosen).map(shown).find(|shown| shown.contains(&chosen)).unwrap_or(chosen..chosen)
    }

    /// What the text means. An emptied field means nothing: taking it for a suggestion would choose what nobody did.
    fn reading(&self) -> Reading<T> {
        if self.field.text().trim().is_empty() {
            return Err(format!("write one: {}", self.suggestions.join(", ")));
        }
        (self.read)(self.field.text())
    }

    fn reread(&mut self) {
        match self.reading() {
            Ok((_, meaning)) => {
                self.field.note = meaning;
                self.field.error = None;
            }
            Err(mistake) => self.field.error = Some(mistake),
        }
    }
}

impl<T> Field for TypedChoice<T> {
    fn hear(&mut self, cue: Cue<'_>) -> Took {
        match cue {
            // A blank says nothing: it would throw away what stands there and mean something else.
            Cue::Type(typed) if typed.0.is_whitespace() && (self.preset || self.field.is_empty()) => {
                return Took::Kept;
            }
            Cue::Paste(pasted) if pasted.0.trim().is_empty() => return Took::Kept,
            // Whoever moves the cursor means to change what is there, not to replace it.
            Cue::Edit(Edit::Left | Edit::Right | Edit::Start | Edit::End) => self.preset = false,
            Cue::Type(_) | Cue::Paste(_) | Cue::Edit(_) => self.make_room(),
            Cue::Do(action @ (Action::Up | Action::Down)) => {
                self.walk(action);
                return Took::Changed;
            }
            Cue::Click(Target::Row { row, .. }) => {
                let Some(suggestion) = self.suggestions.get(row).cloned() else { return Took::Kept };
                self.set(&suggestion);
                return Took::Changed;
            }
            _ => {}
        }
        let took = self.field.hear(cue);
        self.reread();
        took
    }

    fn wants_text(&self) -> bool {
        true
    }

    fn rows(&self, cells: u16, air: u16) -> u16 {
        1 + rows_below(self.field.error.as_deref(), &self.field.note, cells).max(1) + air
    }

    /// The field with its suggestions behind it, and below what the text means.
    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, slot: Slot) {
        canvas.hit(area, Target::Field(slot.number.into()));
        let beside = draw_label(canvas, area, &self.field.label, slot);
        let words: usize = self.suggestions.iter().map(|suggestion| text::width(suggestion)).sum();
        let mut field_width = (beside.width / 3).clamp(12.min(beside.width), 24);
        let mut gap = 2_u16;
        // They move together before one of them is not seen: a date still has room.
        let wide = words + usize::from(gap) * self.suggestions.len();
        if wide + usize::from(field_width) > usize::from(beside.width) {
            (field_width, gap) = (DATE.min(beside.width), 1);
        }
        let (field, rest) = layout::left(layout::row(beside, 0), field_width);
        self.field.draw_input(canvas, field, slot.focus);
        let room = rest.width.saturating_sub(2);
        let shown = self.in_sight(room.into(), gap.into());
        let more = if shown.end < self.suggestions.len() { canvas.glyphs().ellipsis } else { "" };
        let mut x = rest.x.saturating_add(2);
        let end = x.saturating_add(room);
        for (row, suggestion) in self.suggestions.iter().enumerate().take(shown.end).skip(shown.start) {
            let chosen = suggestion == self.field.text();
            let span = canvas.span(if chosen { Role::Accent } else { Role::Dim }, suggestion.as_str());
            let after = canvas.spans(x, rest.y, end.saturating_sub(x), &[span]);
            canvas.hit_to(x, rest.y, after, Target::Row { pane: slot.number, row });
            x = after.saturating_add(gap);
        }
        canvas.spans(x, rest.y, end.saturating_sub(x), &[canvas.span(Role::Dim, more)]);
        draw_below(canvas, layout::top(beside, 1).1, self.field.error.as_deref(), &self.field.note);
    }

    fn is_wrong(&self) -> bool {
        self.field.is_wrong()
    }

    fn sign(&self, into: &mut dyn Hasher) {
        self.field.sign(into);
    }
}

/// Cells of a date, and of the cursor behind it.
const DATE: u16 = 11;

/// One of a few options, all of them shown.
pub struct Radio<K> {
    label: &'static str,
    options: Vec<(K, &'static str, &'static str)>,
    chosen: usize,
    across: bool,
    /// Side by side in as many rows as that takes.
    wraps: bool,
}

impl<K: Clone + PartialEq> Radio<K> {
    /// Options with a name and a note each, one below the other; the first is chosen.
    pub fn new(
        label: &'static str,
        options: impl IntoIterator<Item = (K, &'static str, &'static str)>,
    ) -> Self {
        Self { label, options: options.into_iter().collect(), chosen: 0, across: false, wraps: false }
    }

    /// The options side by side, without their notes.
    #[must_use]
    pub fn across(self) -> Self {
        Self { across: true, ..self }
    }

    /// The options side by side, in [`Radio::lines_in`] rows.
    #[must_use]
    pub fn wrapped(self) -> Self {
        Self { across: true, wraps: true, ..self }
    }

    /// The same with `key` chosen, if it is an option.
    #[must_use]
    pub fn choosing(mut self, key: &K) -> Self {
        self.choose(key);
        self
    }

    /// The chosen option; `None` only when there are no options.
    pub fn value(&self) -> Option<K> {
        self.options.get(self.chosen).map(|(key, ..)| key.clone())
    }

    /// Chooses `key` if it is an option.
    pub fn choose(&mut self, key: &K) {
        if let Some(at) = self.options.iter().position(|(known, ..)| known == key) {
            self.chosen = at;
        }
    }

    /// The first of those that are shown side by side in `room` cells: 0, unless the chosen one would be out of sight.
    fn first_in(&self, room: usize) -> usize {
        let wide = |from: usize| {
            let shown = self.options.iter().take(self.chosen + 1).skip(from);
            shown.map(|(_, name, _)| text::width(name) + 6).sum::<usize>()
        };
        let first = (0..self.chosen).find(|from| wide(*from) <= room + 2);
        if self.across { first.unwrap_or(self.chosen) } else { 0 }
    }

    /// Rows that all take side by side in `room` cells.
    pub fn lines_in(&self, room: u16) -> u16 {
        let (mut lines, mut x) = (1, 0);
        for (_, name, _) in &self.options {
            let wide = text::width(name) + 4;
            if x > 0 && x + wide > usize::from(room) {
                (lines, x) = (lines + 1, 0);
            }
            x += wide + 2;
        }
        lines
    }

    /// Goes to an option; `past_the_end` is what came of it when there is none.
    fn go(&mut self, to: Option<usize>, past_the_end: Took) -> Took {
        match to.filter(|to| *to < self.options.len()) {
            Some(to) => {
                self.chosen = to;
                Took::Changed
            }
            None => past_the_end,
        }
    }
}

impl<K: Clone + PartialEq> Field for Radio<K> {
    fn hear(&mut self, cue: Cue<'_>) -> Took {
        let (before, after) = (self.chosen.checked_sub(1), Some(self.chosen + 1));
        match cue {
            Cue::Click(Target::Row { row, .. }) => self.go(Some(row), Took::Kept),
            Cue::Do(Action::Left) => self.go(before, Took::Kept),
            Cue::Do(Action::Right) => self.go(after, Took::Kept),
            Cue::Do(Action::Toggle) => {
                self.go(Some((self.chosen + 1) % self.options.len().max(1)), Took::Kept)
            }
            Cue::Do(Action::Up) if !self.across => self.go(before, Took::Left),
            Cue::Do(Action::Down) if !self.across => self.go(after, Took::Left),
            Cue::Click(_) => Took::Kept,
            _ => Took::Left,
        }
    }

    fn rows(&self, _: u16, air: u16) -> u16 {
        if self.across { 1 + air } else { rows(self.options.len()) + air }
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, slot: Slot) {
        let list = draw_label(canvas, area, self.label, slot);
        let names = self.options.iter().map(|(_, name, _)| text::width(name)).max().unwrap_or_default();
        let names = rows(names);
        let (mut x, mut line) = (list.x, 0);
        let room = usize::from(list.width);
        let first = if self.wraps { 0 } else { self.first_in(room) };
        for (number, (_, name, note)) in self.options.iter().enumerate().skip(first) {
            let end = usize::from(x) + text::width(name) + 4;
            if self.wraps && x > list.x && end > usize::from(list.right()) {
                (x, line) = (list.x, line + 1);
            }
            let row = layout::row(list, if self.across { line } else { rows(number) });
            if row.is_empty() {
                break;
            }
            let chosen = number == self.chosen;
            let role = match (chosen, slot.focus) {
                (true, Focus::Here) => Role::Selected,
                (true, Focus::Elsewhere) => Role::Accent,
                (false, _) => Role::Text,
            };
            if chosen && slot.focus.is_here() {
                canvas.cursor(x.saturating_add(1), row.y);
            }
            let sign = if chosen { "(*)" } else { "( )" };
            let room = |x: u16| row.right().saturating_sub(x);
            let end = canvas.fit(x, row.y, room(x), &format!("{sign} {name}"), role);
            let mut hit = row;
            if self.across {
                hit = Rect { x, width: end.saturating_sub(x), ..row };
                x = end.saturating_add(2);
            } else {
                let note_x = x.saturating_add(names).saturating_add(6);
                canvas.fit(note_x, row.y, room(note_x), note, Role::Dim);
            }
            canvas.hit(hit, Target::Row { pane: slot.number, row: number });
        }
    }

    fn sign(&self, mut into: &mut dyn Hasher) {
        self.chosen.hash(&mut into);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::overlay::{PastedRef, Typed};
    use crate::tui::testing;

    fn expiry() -> TypedChoice<Option<u32>> {
        TypedChoice::new("Expires", ["90d", "365d", "never"], |text| match text {
            "never" => Ok((None, "never expires".to_owned())),
            _ => text
                .strip_suffix('d')
                .and_then(|days| days.parse().ok())
                .map(|days| (Some(days), format!("in {days} days")))
                .ok_or_else(|| "write 90d, 2027-01-31 or never".to_owned()),
        })
    }

    fn drawn(field: &mut dyn Field, width: u16) -> Vec<String> {
        let slot = Slot { labels: 10, focus: Focus::Here, number: 0, skip: 0 };
        testing::draw(width, 2, |canvas, area| field.draw(canvas, area, slot))
    }

    fn type_text(choice: &mut TypedChoice<Option<u32>>, text: &str) {
        text.chars().for_each(|c| drop(choice.hear(Cue::Type(Typed(c)))));
    }

    #[test]
    fn space_in_expires_leaves_the_days_as_they_are() {
        let mut choice = expiry();
        choice.hear(Cue::Do(Action::Down));
        for _ in 0..2 {
            type_text(&mut choice, " ");
            choice.hear(Cue::Paste(PastedRef(" \n")));
        }
        assert_eq!((choice.text(), choice.value()), ("365d", Some(Some(365))));
        choice.hear(Cue::Edit(Edit::DeleteToStart));
        type_text(&mut choice, " ");
        assert_eq!(choice.value(), None, "an emptied field chooses nothing");
    }

    #[test]
    fn suggestions_and_typing_lead_to_the_same_value() {
        let mut choice = expiry();
        assert_eq!(choice.value(), Some(Some(90)));
        assert_eq!(choice.hear(Cue::Do(Action::Up)), Took::Changed);
        assert_eq!(choice.value(), Some(None));
        choice.set("");
        type_text(&mut choice, "30d");
        assert_eq!(choice.value(), Some(Some(30)));
        let seen = ["Expires   30d               90d  365d  never", "          in 30 days"];
        assert_eq!(drawn(&mut choice, 60), seen);
        choice.hear(Cue::Edit(Edit::Backspace));
        assert_eq!(choice.value(), None);
        assert_eq!(drawn(&mut choice, 60)[1], "          ✗ write 90d, 2027-01-31 or never");
    }

    #[test]
    fn a_suggestion_is_shown_whole_or_not_at_all_and_the_chosen_one_always() {
        let mut choice = expiry();
        let row = |choice: &mut TypedChoice<Option<u32>>, width| drawn(choice, width).swap_remove(0);
        assert_eq!(row(&mut choice, 43), "Expires   90d           90d  365d  never");
        assert_eq!(row(&mut choice, 38), "Expires   90d          90d 365d never");
        assert_eq!(row(&mut choice, 33), "Expires   90d          90d 365d …");
        choice.hear(Cue::Do(Action::Up));
        assert_eq!(row(&mut choice, 33), "Expires   never        365d never");
        choice.hear(Cue::Do(Action::Down));
        choice.hear(Cue::Do(Action::Down));
        assert_eq!(row(&mut choice, 29), "Expires   365d         365d …");
    }

    #[test]
    fn typing_replaces_what_was_preset_and_moving_the_cursor_keeps_it() {
        let mut choice = expiry();
        type_text(&mut choice, "30d");
        assert_eq!((choice.text(), choice.value()), ("30d", Some(Some(30))));
        choice.hear(Cue::Do(Action::Down));
        choice.hear(Cue::Paste(PastedRef("7d")));
        assert_eq!(choice.text(), "7d");
        choice.set("90d");
        choice.hear(Cue::Edit(Edit::Start));
        type_text(&mut choice, "1");
        assert_eq!(choice.text(), "190d");
        choice.set("90d");
        choice.hear(Cue::Edit(Edit::Backspace));
        assert_eq!(choice.text(), "");
    }

    #[test]
    fn radio_shows_the_choice_without_colour() {
        let mut radio = Radio::new("Method", [(1, "API key", "never changes"), (2, "Access tokens", "JWT")]);
        assert_eq!(radio.hear(Cue::Do(Action::Up)), Took::Left);
        assert_eq!(radio.hear(Cue::Do(Action::Down)), Took::Changed);
        assert_eq!(radio.value(), Some(2));
        let seen = ["Method    ( ) API key        never changes", "          (*) Access tokens  JWT"];
        assert_eq!(drawn(&mut radio, 50), seen);
        let mut radio = radio.choosing(&1).across();
        assert_eq!(drawn(&mut radio, 50)[0], "Method    (*) API key  ( ) Access tokens");
        assert_eq!(drawn(&mut radio, 30)[0], "Method    (*) API key  ( ) Ac…");
        // The chosen one is in sight in any window.
        let mut radio = radio.choosing(&2);
        assert_eq!(drawn(&mut radio, 30)[0], "Method    (*) Access tokens");
        // Or the rest is in a second row.
        let mut radio = radio.wrapped();
        assert_eq!((radio.lines_in(20), radio.lines_in(40)), (2, 1));
        assert_eq!(drawn(&mut radio, 30), ["Method    ( ) API key", "          (*) Access tokens"]);
    }

    #[test]
    fn no_window_is_too_small() {
        for width in 0..14 {
            drawn(&mut expiry(), width);
        }
    }
}
