//! Choosing: one of a few options, or a value that is typed or picked from suggestions (`90d`, `never`).
//!
//! What a typed value means is told by a function the screen passes in; this file knows no dates.

use ratatui::layout::Rect;

use super::field::{TextField, draw_error};
use super::{Focus, Handled, layout, text};
use crate::tui::{
    action::Action,
    canvas::{Canvas, Target},
    router::Edit,
    theme::Role,
};

/// A value read from text: the value and how to say it in full, or what is wrong.
pub type Reading<T> = Result<(T, String), String>;

type Reader<T> = Box<dyn Fn(&str) -> Reading<T> + Send>;

/// A text field with suggestions, and a function that reads it.
pub struct TypedChoice<T> {
    field: TextField,
    suggestions: Vec<String>,
    /// The text was put there, not typed: typing replaces it instead of adding to it.
    preset: bool,
    read: Reader<T>,
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

    /// The text as written.
    pub fn text(&self) -> &str {
        self.field.text()
    }

    /// Writes `text` in.
    pub fn set(&mut self, text: &str) {
        self.field.set(text);
        self.preset = true;
        self.reread();
    }

    /// Types one character.
    pub fn type_char(&mut self, c: char) {
        // A blank says nothing: it would throw away what stands there and mean something else.
        if c.is_whitespace() && (self.preset || self.field.is_empty()) {
            return;
        }
        self.make_room();
        self.field.type_char(c);
        self.reread();
    }

    /// Pastes.
    pub fn paste(&mut self, pasted: &str) {
        if pasted.trim().is_empty() {
            return;
        }
        self.make_room();
        self.field.paste(pasted);
        self.reread();
    }

    /// Edits the text. Whoever moves the cursor means to change what is there, not to replace it.
    pub fn edit(&mut self, edit: Edit) {
        match edit {
            Edit::Left | Edit::Right | Edit::Start | Edit::End => self.preset = false,
            Edit::Backspace | Edit::Delete | Edit::DeleteWord | Edit::DeleteToStart | Edit::DeleteToEnd => {
                self.make_room();
            }
        }
        self.field.edit(edit);
        self.reread();
    }

    fn make_room(&mut self) {
        if std::mem::take(&mut self.preset) {
            self.field.clear();
        }
    }

    /// Up and down walk through the suggestions, round and round.
    pub fn act(&mut self, action: Action) -> Handled {
        let count = self.suggestions.len();
        let now = self.suggestions.iter().position(|suggestion| suggestion == self.field.text());
        let next = match (action, now) {
            (Action::Down, Some(at)) => at + 1,
            (Action::Down, None) => 0,
            (Action::Up, Some(at)) => at + count.saturating_sub(1),
            (Action::Up, None) => count.saturating_sub(1),
            _ => return Handled::Ignored,
        };
        let Some(suggestion) = self.suggestions.get(next % count.max(1)).cloned() else {
            return Handled::Unmoved;
        };
        self.set(&suggestion);
        Handled::Changed
    }

    /// Draws the field with its suggestions behind it, and below what the text means.
    pub fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, label_width: u16, focus: Focus, index: usize) {
        let (_, input) = layout::left(area, label_width);
        let field_width = (input.width / 3).clamp(12.min(input.width), 24);
        let (first, below) = layout::top(area, 1);
        let (field_area, rest) = layout::left(first, label_width.saturating_add(field_width));
        self.field.draw(canvas, field_area, label_width, focus, index);
        let (x, cells) = (rest.x.saturating_add(2), rest.width.saturating_sub(2));
        let mut spans = Vec::new();
        for suggestion in &self.suggestions {
            let chosen = suggestion == self.field.text();
            spans.push(canvas.span(if chosen { Role::Accent } else { Role::Dim }, suggestion.as_str()));
            spans.push(canvas.span(Role::Dim, "  "));
        }
        canvas.spans(x, rest.y, cells, &spans);
        canvas.hit(area, Target::Field(index));
        let below = layout::left(below, label_width).1;
        match &self.field.error {
            Some(error) => draw_error(canvas, below, error),
            None if !below.is_empty() => {
                canvas.fit(below.x, below.y, below.width, &self.field.note, Role::Dim);
            }
            None => {}
        }
    }

    /// Rows below a text of `cells` columns that say what is wrong, whole, or what the text means.
    pub fn rows_below(&self, cells: u16) -> u16 {
        self.field.rows_below(cells)
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

/// One of a few options, all of them shown.
pub struct Radio<K> {
    /// What is being chosen.
    pub label: String,
    options: Vec<(K, String, String)>,
    chosen: usize,
}

impl<K: Clone + PartialEq> Radio<K> {
    /// Options with a name and a note each; the first is chosen.
    pub fn new(
        label: impl Into<String>,
        options: impl IntoIterator<Item = (K, &'static str, &'static str)>,
    ) -> Self {
        let options = options.into_iter().map(|(key, name, note)| (key, name.to_owned(), note.to_owned()));
        Self { label: label.into(), options: options.collect(), chosen: 0 }
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

    /// Rows this takes.
    pub fn height(&self) -> u16 {
        u16::try_from(self.options.len()).unwrap_or(u16::MAX)
    }

    /// Up and down choose and stop at the ends.
    pub fn act(&mut self, action: Action) -> Handled {
        let next = match action {
            Action::Up => self.chosen.checked_sub(1),
            Action::Down => Some(self.chosen + 1),
            _ => return Handled::Ignored,
        };
        match next.filter(|next| *next < self.options.len()) {
            Some(next) => {
                self.chosen = next;
                Handled::Changed
            }
            None => Handled::Unmoved,
        }
    }

    /// One option per row, the label beside the first. Clicks are rows of `pane`.
    pub fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, label_width: u16, focus: Focus, pane: u8) {
        let (label, list) = layout::left(area, label_width);
        let role = if focus.is_here() { Role::Accent } else { Role::Dim };
        canvas.fit(label.x, label.y, label.width.saturating_sub(1), &self.label, role);
        let names = self.options.iter().map(|(_, name, _)| text::width(name)).max().unwrap_or_default();
        let names = u16::try_from(names).unwrap_or(u16::MAX);
        for (index, (_, name, note)) in self.options.iter().enumerate() {
            let row = layout::row(list, u16::try_from(index).unwrap_or(u16::MAX));
            if row.is_empty() {
                break;
            }
            let chosen = index == self.chosen;
            let role = match (chosen, focus) {
                (true, Focus::Here) => Role::Selected,
                (true, Focus::Elsewhere) => Role::Accent,
                (false, _) => Role::Text,
            };
            let sign = if chosen { "(*) " } else { "( ) " };
            let style = canvas.style(role);
            let x = canvas.print(row.x, row.y, row.width, sign, style);
            canvas.fit(x, row.y, row.right().saturating_sub(x), name, role);
            if chosen && focus.is_here() {
                canvas.cursor(row.x.saturating_add(1), row.y);
            }
            let x = x.saturating_add(names).saturating_add(2);
            canvas.fit(x, row.y, row.right().saturating_sub(x), note, Role::Dim);
            canvas.hit(row, Target::Row { pane, row: index });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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

    #[test]
    fn space_in_expires_leaves_the_days_as_they_are() {
        let mut choice = expiry();
        choice.act(Action::Down);
        for _ in 0..2 {
            choice.type_char(' ');
            choice.paste(" \n");
        }
        assert_eq!((choice.text(), choice.value()), ("365d", Some(Some(365))));
        choice.edit(Edit::DeleteToStart);
        choice.type_char(' ');
        assert_eq!(choice.value(), None, "an emptied field chooses nothing");
    }

    #[test]
    fn suggestions_and_typing_lead_to_the_same_value() {
        let mut choice = expiry();
        assert_eq!(choice.value(), Some(Some(90)));
        assert_eq!(choice.act(Action::Up), Handled::Changed);
        assert_eq!(choice.value(), Some(None));
        choice.set("");
        "30d".chars().for_each(|c| choice.type_char(c));
        assert_eq!(choice.value(), Some(Some(30)));
        let drawn = testing::draw(60, 2, |canvas, area| choice.draw(canvas, area, 10, Focus::Here, 0));
        assert_eq!(drawn, ["Expires   30d               90d  365d  never", "          in 30 days"]);
        choice.edit(Edit::Backspace);
        assert_eq!(choice.value(), None);
        let drawn = testing::draw(60, 2, |canvas, area| choice.draw(canvas, area, 10, Focus::Here, 0));
        assert_eq!(drawn[1], "          ✗ write 90d, 2027-01-31 or never");
    }

    #[test]
    fn typing_replaces_what_was_preset_and_moving_the_cursor_keeps_it() {
        let mut choice = expiry();
        "30d".chars().for_each(|c| choice.type_char(c));
        assert_eq!((choice.text(), choice.value()), ("30d", Some(Some(30))));
        choice.act(Action::Down);
        choice.paste("7d");
        assert_eq!(choice.text(), "7d");
        choice.set("90d");
        choice.edit(Edit::Start);
        choice.type_char('1');
        assert_eq!(choice.text(), "190d");
        choice.set("90d");
        choice.edit(Edit::Backspace);
        assert_eq!(choice.text(), "");
    }

    #[test]
    fn radio_shows_the_choice_without_colour() {
        let mut radio = Radio::new("Method", [(1, "API key", "never changes"), (2, "Access tokens", "JWT")]);
        assert_eq!(radio.act(Action::Up), Handled::Unmoved);
        assert_eq!(radio.act(Action::Down), Handled::Changed);
        assert_eq!(radio.value(), Some(2));
        let drawn = testing::draw(50, 2, |canvas, area| radio.draw(canvas, area, 10, Focus::Here, 0));
        assert_eq!(drawn, ["Method    ( ) API key        never changes", "          (*) Access tokens  JWT"]);
        radio.choose(&1);
        assert_eq!(radio.value(), Some(1));
    }

    #[test]
    fn no_window_is_too_small() {
        for width in 0..14 {
            for height in 0..3 {
                testing::draw(width, height, |canvas, area| expiry().draw(canvas, area, 10, Focus::Here, 0));
            }
        }
    }
}
