//! All keys, by group, searchable; what is not possible now is listed too, with the reason.

use ratatui::layout::Rect;

use crate::domain::name::plain;
use crate::tui::action::{Action, Group, Layer, Reason};
use crate::tui::app::ask::Ask;
use crate::tui::app::look::Look;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::clock::Now;
use crate::tui::input::TextFocus;
use crate::tui::list::page::{Line, Page, wrapped};
use crate::tui::overlay::{Cue, Heard, Overlay};
use crate::tui::theme::Role;
use crate::tui::widgets::field::TextField;
use crate::tui::widgets::{Focus, layout, popup};

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
    fn line(&self, dot: &str) -> Line {
        let (key, words, said) = match &self.why_not {
            None => (Role::Key, Role::Text, self.title.clone()),
            Some(why) => (Role::Dim, Role::Dim, format!("{} {dot} {why}", self.title)),
        };
        Line { label: Some((key, format!(" {}", self.keys).into())), ..Line::of(words, said) }
    }
}

pub struct Help {
    entries: Vec<Entry>,
    query: TextField,
    page: Page,
}

impl Help {
    /// Lists every action that has a key. `told` says what it does on the screen below, and why it is not possible now.
    pub fn new(told: impl Fn(Action) -> (String, Result<(), Reason>), look: &Look) -> Self {
        let mut entries = Vec::new();
        for group in Group::ALL.iter().copied() {
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
        Self { entries, query, page: Page::default() }
    }

    /// Those that are looked for, below the names of their groups.
    fn lines(&self, dot: &str) -> Vec<Line> {
        let words: Vec<String> = self.query.text().split_whitespace().map(plain).collect();
        let matches = |entry: &&Entry| {
            let text = plain(&format!("{} {} {}", entry.title, entry.keys, entry.group.title()));
            words.iter().all(|word| text.contains(word))
        };
        let (mut lines, mut group) = (Vec::new(), None);
        for entry in self.entries.iter().filter(matches) {
            if group.replace(entry.group) != Some(entry.group) {
                lines.extend((!lines.is_empty()).then(Line::blank));
                lines.push(Line::of(Role::Header, entry.group.title()));
            }
            lines.push(entry.line(dot));
        }
        lines
    }
}

impl Overlay for Help {
    fn name(&self) -> &'static str {
        "help"
    }

    fn layer(&self) -> Layer {
        Layer::Picker
    }

    fn text_focus(&self) -> TextFocus {
        TextFocus::Here
    }

    fn hear(&mut self, cue: Cue<'_>, _: &Look, _: Now, _: &mut Vec<Ask>) -> Heard {
        match cue {
            Cue::Do(Action::Press) => return Heard::Close,
            Cue::Do(Action::Cancel) | Cue::Click(_) | Cue::Tick => return Heard::Ignored,
            Cue::Do(action) => drop(self.page.act(action)),
            Cue::Wheel { rows, .. } => self.page.scroll(rows),
            Cue::Type(_) | Cue::Edit(_) | Cue::Paste(_) => {
                self.query.take_in(cue);
                self.page.offset = 0;
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
        let lines = wrapped(self.lines(canvas.glyphs().dot), KEYS, list.width.saturating_sub(2));
        if lines.is_empty() {
            canvas.fit(list.x, list.y, list.width, "no key does that", Role::Dim);
        }
        self.page.draw(canvas, list, KEYS, &lines, |_| false);
    }

    fn hints(&self) -> &[Action] {
        &[Action::PageDown, Action::Cancel]
    }
}
