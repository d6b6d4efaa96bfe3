//! A long text to read: facts with their labels, lists, paragraphs. Scrolls, finds, and copies the one thing worth
//! copying. What is read is fixed when it opens.

use ratatui::layout::Rect;

use crate::domain::name::plain;

use super::super::{
    action::{Action, Layer, Reason},
    app::ask::Ask,
    app::look::Look,
    canvas::{Canvas, Target},
    clipboard::Keep,
    clock::Now,
    input::TextFocus,
    list::page::{Line, Page, wrapped},
    overlay::{Cue, Heard, Overlay},
    secret::SecretText,
    theme::Role,
    widgets::{Focus, field::TextField, layout, popup, text},
};

/// Columns of the widest box.
const WIDTH: u16 = 100;
/// Columns a label takes at most.
const LABEL: u16 = 18;
/// Which list this is for the mouse.
const PANE: u8 = 0;

/// The state of a reader.
pub struct Reader {
    name: &'static str,
    title: String,
    lines: Vec<Line>,
    copied: Option<SecretText>,
    /// Columns of the labels.
    labels: u16,
    /// The lines as they were laid out for so many columns.
    rows: Vec<Line>,
    width: u16,
    page: Page,
    search: Option<TextField>,
    wanted: String,
    hints: Vec<Action>,
    takes_back: bool,
    /// Whether it tells what was done to many, which is written to a file from here too.
    tells_of_many: bool,
}

impl Reader {
    /// A reader called `name` that shows `lines`; `copied` is what the copy key copies.
    pub fn new(
        name: &'static str,
        title: impl Into<String>,
        lines: Vec<Line>,
        copied: Option<String>,
    ) -> Self {
        let labels = lines.iter().filter_map(|line| line.label.as_ref());
        let labels = labels.map(|(_, label)| u16::try_from(text::width(label)).unwrap_or(u16::MAX));
        let mut hints = Vec::new();
        hints.extend(copied.as_ref().map(|_| Action::CopyText));
        hints.extend([Action::Filter, Action::NextMatch, Action::Cancel, Action::Down, Action::Up]);
        Self {
            name,
            title: title.into(),
            labels: labels.max().unwrap_or_default().min(LABEL) + 2,
            lines,
            copied: copied.map(SecretText::new),
            rows: Vec::new(),
            width: 0,
            page: Page::default(),
            search: None,
            wanted: String::new(),
            hints,
            takes_back: false,
            tells_of_many: false,
        }
    }

    /// The same, of something done that is taken back from here too.
    #[must_use]
    pub fn taking_back(mut self) -> Self {
        self.hints.insert(0, Action::Undo);
        self.takes_back = true;
        self
    }

    /// The same, of what was done to many: a report of it is written to a file from here too.
    #[must_use]
    pub fn of_many(mut self) -> Self {
        self.hints.insert(0, Action::SaveReport);
        self.tells_of_many = true;
        self
    }

    fn lay_out(&mut self, width: u16) {
        if self.width == width && !self.rows.is_empty() {
            return;
        }
        self.width = width;
        self.rows = wrapped(self.lines.iter().cloned(), self.labels, width);
    }

    fn matches(wanted: &str, row: &Line) -> bool {
        !wanted.is_empty() && plain(&row.text()).contains(wanted)
    }

    /// Goes to the next (or previous) matching row, round the end; says when there is none.
    fn find(&mut self, forward: bool, from: usize, out: &mut Vec<Ask>) {
        let count = self.rows.len();
        let steps = (0..count)
            .map(|step| if forward { (from + step) % count } else { (from + count - step) % count });
        let found = steps
            .into_iter()
            .find(|at| self.rows.get(*at).is_some_and(|row| Self::matches(&self.wanted, row)));
        match found {
            Some(at) => self.page.offset = at.min(self.page.last()),
            None => out.push(Ask::Say(format!("\"{}\" is not in this text", self.wanted))),
        }
    }

    fn hear_search(&mut self, cue: Cue<'_>, out: &mut Vec<Ask>) -> bool {
        let Some(field) = &mut self.search else { return false };
        match cue {
            cue if field.take_in(cue) => {}
            Cue::Do(Action::Press) => {
                self.wanted = plain(field.text());
                self.search = None;
                if !self.wanted.is_empty() {
                    self.find(true, self.page.offset, out);
                }
            }
            Cue::Do(Action::Cancel) => {
                self.search = None;
                self.wanted.clear();
            }
            _ => return false,
        }
        true
    }
}

impl Overlay for Reader {
    fn name(&self) -> &'static str {
        self.name
    }

    fn layer(&self) -> Layer {
        if self.search.is_some() { Layer::Picker } else { Layer::Reader }
    }

    fn text_focus(&self) -> TextFocus {
        if self.search.is_some() { TextFocus::Here } else { TextFocus::Elsewhere }
    }

    fn hear(&mut self, cue: Cue<'_>, _: &Look, _: Now, out: &mut Vec<Ask>) -> Heard {
        if self.hear_search(cue, out) {
            return Heard::Consumed;
        }
        match cue {
            Cue::Do(action) if self.page.act(action) => {}
            Cue::Do(Action::Filter) => {
                self.search = Some(TextField::new("").placeholder("find in this text").filled(&self.wanted));
            }
            Cue::Do(Action::NextMatch) => self.find(true, self.page.offset + 1, out),
            Cue::Do(Action::PrevMatch) => {
                self.find(false, self.page.offset + self.rows.len().saturating_sub(1), out);
            }
            Cue::Do(Action::Undo) => {
                out.push(Ask::Act(Action::Undo));
                return Heard::Close;
            }
            Cue::Do(Action::CopyText) => {
                out.extend(self.copied.as_ref().map(|text| Ask::Copy(text.duplicate(), Keep::Stays)));
            }
            Cue::Wheel { rows, .. } => self.page.scroll(rows),
            _ => return Heard::Ignored,
        }
        Heard::Consumed
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, _: &Look, _: Now) {
        let width = WIDTH.min(canvas.area().width.saturating_sub(4));
        self.lay_out(width.saturating_sub(8));
        let search = usize::from(self.search.is_some()) * 2;
        let wanted = u16::try_from(self.rows.len() + search + 4).unwrap_or(u16::MAX);
        // In a small window reading needs all there is.
        let most = if area.height < 16 { canvas.area().height } else { area.height.saturating_sub(2) };
        let inner = popup::draw(canvas, &self.title, width, wanted.min(most));
        let (body, last) = layout::bottom(inner, u16::try_from(search).unwrap_or(0));
        canvas.hit(body, Target::Pane(PANE));
        canvas.cursor(body.x, body.y);
        // The bar stands beside the text, not over its last column.
        let body = Rect { width: body.width.saturating_add(2), ..body };
        self.page.draw(canvas, body, self.labels, &self.rows, |row| Self::matches(&self.wanted, row));
        if let Some(field) = &self.search {
            let row = layout::row(last, 1);
            let key = canvas.style(Role::Key);
            let x = canvas.print(row.x, row.y, row.width, "/ ", key);
            field.draw_input(canvas, Rect { x, width: row.right().saturating_sub(x), ..row }, Focus::Here);
        }
    }

    fn hints(&self) -> &[Action] {
        if self.search.is_some() { &[Action::Press, Action::Cancel] } else { &self.hints }
    }

    fn enabled(&self, action: Action, _: &Look) -> Result<(), Reason> {
        match action {
            Action::NextMatch | Action::PrevMatch if self.wanted.is_empty() => {
                Err("search for something first".into())
            }
            Action::Undo if !self.takes_back => Err("nothing was done here that could be taken back".into()),
            Action::SaveReport if !self.tells_of_many => Err("there is no report here to be saved".into()),
            Action::CopyText if self.copied.is_none() => Err("there is nothing to copy here".into()),
            Action::Up | Action::Down if self.page.last() == 0 => Err("all of it is on the screen".into()),
            _ => Ok(()),
        }
    }
}
