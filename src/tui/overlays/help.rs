//! All keys, by group, searchable; what is not possible now is listed too, with the reason.

use ratatui::layout::Rect;

use crate::domain::name::plain;
use crate::tui::action::{Action, Group, Layer, Reason};
use crate::tui::app::ask::{Answer, Ask};
use crate::tui::app::look::Look;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::clock::Now;
use crate::tui::input::TextFocus;
use crate::tui::overlay::{Cue, Heard, Overlay, PastedRef, Typed};
use crate::tui::theme::Role;
use crate::tui::widgets::field::TextField;
use crate::tui::widgets::{Focus, layout, popup, scrollbar, text};

const WIDTH: u16 = 100;
const HEIGHT: u16 = 34;
/// Columns for the keys.
const KEYS: u16 = 18;

/// One action with its keys.
struct Entry {
    group: Group,
    keys: String,
    title: String,
    why_not: Option<Reason>,
}

impl Entry {
    fn said(&self, dot: &str) -> String {
        self.why_not.as_ref().map_or_else(|| self.title.clone(), |why| format!("{} {dot} {why}", self.title))
    }
}

/// One line of the list as it stands now.
#[derive(Clone, Copy)]
enum Line {
    Gap,
    Heading(Group),
    Entry(usize),
}

/// The part of a line that stands in one row: its number among the parts, and its words.
type Part = (Line, usize, String);

/// The help.
pub struct Help {
    entries: Vec<Entry>,
    lines: Vec<Line>,
    query: TextField,
    offset: usize,
    page: usize,
    /// Rows that all of it took in the last frame.
    rows: usize,
}

impl Help {
    /// Lists every action that has a key. `told` says what it does on the screen below, and why it is not possible now.
    pub fn new(told: impl Fn(Action) -> (String, Result<(), Reason>), look: &Look) -> Self {
        let mut entries = Vec::new();
        for group in Group::ALL {
            for action in Action::ALL.iter().copied().filter(|action| action.spec().group == group) {
                let keys: Vec<String> =
                    look.keymap.all_keys(action).iter().map(ToString::to_string).collect();
                if keys.is_empty() {
                    continue;
                }
                let on_screen = action.spec().layers.contains(&Layer::Screen);
                let (title, why_not) = match told(action) {
                    (title, Err(why)) if on_screen => (title, Some(why)),
                    (title, _) => (title, None),
                };
                entries.push(Entry { group, keys: keys.join(" "), title, why_not });
            }
        }
        let query = TextField::new("").placeholder("type to search");
        let mut help = Self { entries, lines: Vec::new(), query, offset: 0, page: 1, rows: 0 };
        help.search();
        help
    }

    fn search(&mut self) {
        let words: Vec<String> = self.query.text().split_whitespace().map(plain).collect();
        let matches = |entry: &Entry| {
            let text = plain(&format!("{} {} {}", entry.title, entry.keys, entry.group.title()));
            words.iter().all(|word| text.contains(word))
        };
        self.lines.clear();
        let mut group = None;
        for (at, entry) in self.entries.iter().enumerate().filter(|(_, entry)| matches(entry)) {
            if group != Some(entry.group) {
                if group.is_some() {
                    self.lines.push(Line::Gap);
                }
                self.lines.push(Line::Heading(entry.group));
                group = Some(entry.group);
            }
            self.lines.push(Line::Entry(at));
        }
        self.offset = 0;
    }

    fn scroll(&mut self, action: Action) {
        let last = self.rows.saturating_sub(self.page);
        let wanted = match action {
            Action::Up => self.offset.saturating_sub(1),
            Action::Down => self.offset + 1,
            Action::PageUp => self.offset.saturating_sub(self.page),
            Action::PageDown => self.offset + self.page,
            Action::Top => 0,
            Action::Bottom => last,
            _ => self.offset,
        };
        self.offset = wanted.min(last);
    }

    /// All lines in rows of so many cells; what does not fit beside the keys goes on below.
    fn parts(&self, cells: u16, dot: &str) -> Vec<Part> {
        let mut parts = Vec::new();
        for line in &self.lines {
            let said = match line {
                Line::Gap => String::new(),
                Line::Heading(group) => group.title().to_owned(),
                Line::Entry(at) => self.entries.get(*at).map_or_else(String::new, |entry| entry.said(dot)),
            };
            let wrapped = text::wrap(&said, cells.saturating_sub(KEYS)).into_iter().enumerate();
            parts.extend(wrapped.map(|(number, said)| (*line, number, said)));
        }
        parts
    }

    fn draw_part(&self, canvas: &mut Canvas<'_>, row: Rect, (line, number, said): &Part) {
        let Line::Entry(at) = line else {
            canvas.fit(row.x, row.y, row.width, said, Role::Header);
            return;
        };
        let Some(entry) = self.entries.get(*at) else { return };
        let (keys, rest) = layout::left(row, KEYS);
        let (key, words) =
            if entry.why_not.is_none() { (Role::Key, Role::Text) } else { (Role::Dim, Role::Dim) };
        if *number == 0 {
            canvas.fit(keys.x + 1, keys.y, keys.width.saturating_sub(2), &entry.keys, key);
        }
        canvas.fit(rest.x, rest.y, rest.width, said, words);
    }
}

impl Overlay<Look, Ask, Answer> for Help {
    fn name(&self) -> &'static str {
        "help"
    }

    fn layer(&self) -> Layer {
        Layer::Picker
    }

    fn text_focus(&self) -> TextFocus {
        TextFocus::Here
    }

    fn hear(&mut self, cue: Cue<'_>, _: &Look, _: Now, _: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        match cue {
            Cue::Do(Action::Press) => return Heard::Close,
            Cue::Do(Action::Cancel) | Cue::Click(_) | Cue::Tick => return Heard::Ignored,
            Cue::Do(action) => self.scroll(action),
            Cue::Wheel { rows, .. } => {
                let action = if rows < 0 { Action::Up } else { Action::Down };
                (0..rows.unsigned_abs()).for_each(|_| self.scroll(action));
            }
            Cue::Type(Typed(c)) => {
                self.query.type_char(c);
                self.search();
            }
            Cue::Edit(edit) => {
                self.query.edit(edit);
                self.search();
            }
            Cue::Paste(PastedRef(text)) => {
                self.query.paste(text);
                self.search();
            }
        }
        Heard::Consumed
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, _: Rect, _: &Look, _: Now) {
        let inside = popup::draw(canvas, "Keys", WIDTH, HEIGHT);
        let (query, below) = layout::top(inside, 1);
        self.query.draw_input(canvas, query, Focus::Here);
        let (_, list) = layout::top(below, 1);
        canvas.hit(list, Target::Pane(0));
        self.page = usize::from(list.height).max(1);
        let room = layout::left(list, list.width.saturating_sub(1)).0;
        let parts = self.parts(room.width, canvas.glyphs().dot);
        self.rows = parts.len();
        self.offset = self.offset.min(self.rows.saturating_sub(self.page));
        if self.lines.is_empty() {
            canvas.fit(list.x, list.y, list.width, "no key does that", Role::Dim);
        }
        for (row, part) in (0..list.height).zip(parts.iter().skip(self.offset)) {
            self.draw_part(canvas, layout::row(room, row), part);
        }
        scrollbar::draw(canvas, list, self.offset, self.page, self.rows);
    }

    fn hints(&self) -> &[Action] {
        &[Action::PageDown, Action::Cancel]
    }
}
