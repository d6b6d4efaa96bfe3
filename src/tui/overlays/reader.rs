//! A long text to read: facts with their labels, lists, paragraphs. Scrolls, finds, and copies the one thing worth
//! copying. What is read is fixed when it opens.

use ratatui::layout::Rect;

use crate::domain::name::plain;

use super::super::{
    action::{Action, Layer, Reason},
    app::ask::{Answer, Ask},
    app::look::Look,
    canvas::{Canvas, Target},
    clipboard::Keep,
    clock::Now,
    input::TextFocus,
    overlay::{Cue, Heard, Overlay},
    secret::SecretText,
    theme::Role,
    widgets::{Focus, field::TextField, layout, popup, scrollbar, text},
};

/// Columns of the widest box.
const WIDTH: u16 = 100;
/// Columns a label takes at most.
const LABEL: usize = 18;
/// Which list this is for the mouse.
const PANE: u8 = 0;

/// A piece of the text.
pub enum Block {
    /// A heading.
    Heading(String),
    /// A label and what it stands for, wrapped beside it.
    Fact {
        /// The label.
        label: String,
        /// What it stands for.
        text: String,
        /// Its look.
        role: Role,
    },
    /// A paragraph.
    Text(Role, String),
    /// An empty line.
    Blank,
}

impl Block {
    /// A fact in plain text.
    pub fn fact(label: impl Into<String>, text: impl Into<String>) -> Self {
        Self::Fact { label: label.into(), text: text.into(), role: Role::Text }
    }
}

/// One line as it stands on the screen.
struct Row {
    label: String,
    text: String,
    role: Role,
}

/// The state of a reader.
pub struct Reader {
    name: &'static str,
    title: String,
    blocks: Vec<Block>,
    copied: Option<SecretText>,
    rows: Vec<Row>,
    width: u16,
    offset: usize,
    page: usize,
    search: Option<TextField>,
    wanted: String,
    hints: Vec<Action>,
}

impl Reader {
    /// A reader called `name` that shows `blocks`; `copied` is what the copy key copies.
    pub fn new(
        name: &'static str,
        title: impl Into<String>,
        blocks: Vec<Block>,
        copied: Option<String>,
    ) -> Self {
        let mut hints = Vec::new();
        hints.extend(copied.as_ref().map(|_| Action::CopyText));
        hints.extend([Action::Filter, Action::NextMatch, Action::Cancel, Action::Down, Action::Up]);
        Self {
            name,
            title: title.into(),
            blocks,
            copied: copied.map(SecretText::new),
            rows: Vec::new(),
            width: 0,
            offset: 0,
            page: 1,
            search: None,
            wanted: String::new(),
            hints,
        }
    }

    fn lay_out(&mut self, width: u16) {
        if self.width == width && !self.rows.is_empty() {
            return;
        }
        self.width = width;
        let labels = self.blocks.iter().filter_map(|block| match block {
            Block::Fact { label, .. } => Some(text::width(label)),
            _ => None,
        });
        let indent = labels.max().unwrap_or_default().min(LABEL) + 2;
        let beside = width.saturating_sub(u16::try_from(indent).unwrap_or(u16::MAX)).max(8);
        let mut rows = Vec::new();
        for block in &self.blocks {
            match block {
                Block::Heading(heading) => {
                    rows.push(Row { label: String::new(), text: heading.clone(), role: Role::Title });
                }
                Block::Blank => {
                    rows.push(Row { label: String::new(), text: String::new(), role: Role::Text });
                }
                Block::Text(role, said) => {
                    let lines = text::wrap(said, width.max(1)).into_iter();
                    rows.extend(lines.map(|line| Row { label: String::new(), text: line, role: *role }));
                }
                Block::Fact { label, text: said, role } => {
                    for (line, said) in text::wrap(said, beside).into_iter().enumerate() {
                        let label = if line == 0 { label.as_str() } else { "" };
                        let gap = " ".repeat(indent.saturating_sub(text::width(label)));
                        rows.push(Row { label: format!("{label}{gap}"), text: said, role: *role });
                    }
                }
            }
        }
        self.rows = rows;
    }

    fn scroll(&mut self, action: Action) -> bool {
        let (half, last) = ((self.page / 2).max(1), self.rows.len().saturating_sub(self.page));
        let to = match action {
            Action::Up => self.offset.saturating_sub(1),
            Action::Down => self.offset + 1,
            Action::HalfUp => self.offset.saturating_sub(half),
            Action::HalfDown => self.offset + half,
            Action::PageUp => self.offset.saturating_sub(self.page),
            Action::PageDown => self.offset + self.page,
            Action::Top => 0,
            Action::Bottom => last,
            _ => return false,
        };
        self.offset = to.min(last);
        true
    }

    fn matches(&self, row: &Row) -> bool {
        let holds = |text: &str| plain(text).contains(&self.wanted);
        !self.wanted.is_empty() && (holds(&row.text) || holds(&row.label))
    }

    /// Goes to the next (or previous) matching row, round the end; says when there is none.
    fn find(&mut self, forward: bool, from: usize, out: &mut Vec<Ask>) {
        let count = self.rows.len();
        let steps = (0..count)
            .map(|step| if forward { (from + step) % count } else { (from + count - step) % count });
        let found = steps.into_iter().find(|at| self.rows.get(*at).is_some_and(|row| self.matches(row)));
        match found {
            Some(at) => self.offset = at.min(count.saturating_sub(self.page)),
            None => out.push(Ask::Say(format!("\"{}\" is not in this text", self.wanted))),
        }
    }

    fn hear_search(&mut self, cue: Cue<'_>, out: &mut Vec<Ask>) -> bool {
        let Some(field) = &mut self.search else { return false };
        match cue {
            Cue::Type(c) => field.type_char(c.0),
            Cue::Edit(edit) => field.edit(edit),
            Cue::Paste(pasted) => field.paste(pasted.0),
            Cue::Do(Action::Press) => {
                self.wanted = plain(field.text());
                self.search = None;
                if !self.wanted.is_empty() {
                    self.find(true, self.offset, out);
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

    fn draw_rows(&mut self, canvas: &mut Canvas<'_>, area: Rect) {
        canvas.hit(area, Target::Pane(PANE));
        self.page = usize::from(area.height).max(1);
        self.offset = self.offset.min(self.rows.len().saturating_sub(self.page));
        for (line, row) in self.rows.iter().skip(self.offset).take(self.page).enumerate() {
            let place = layout::row(area, u16::try_from(line).unwrap_or(u16::MAX));
            let dim = canvas.style(Role::Dim);
            let x = canvas.print(place.x, place.y, place.width, &row.label, dim);
            let role = if self.matches(row) { Role::Match } else { row.role };
            canvas.fit(x, place.y, place.right().saturating_sub(x), &row.text, role);
        }
    }
}

impl Overlay<Look, Ask, Answer> for Reader {
    fn name(&self) -> &'static str {
        self.name
    }

    fn layer(&self) -> Layer {
        if self.search.is_some() { Layer::Picker } else { Layer::Reader }
    }

    fn text_focus(&self) -> TextFocus {
        if self.search.is_some() { TextFocus::Here } else { TextFocus::Elsewhere }
    }

    fn hear(&mut self, cue: Cue<'_>, _: &Look, _: Now, out: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        if self.hear_search(cue, out) {
            return Heard::Consumed;
        }
        match cue {
            Cue::Do(action) if self.scroll(action) => Heard::Consumed,
            Cue::Do(Action::Filter) => {
                self.search = Some(TextField::new("").placeholder("find in this text").filled(&self.wanted));
                Heard::Consumed
            }
            Cue::Do(Action::NextMatch) => {
                self.find(true, self.offset + 1, out);
                Heard::Consumed
            }
            Cue::Do(Action::PrevMatch) => {
                self.find(false, self.offset + self.rows.len().saturating_sub(1), out);
                Heard::Consumed
            }
            Cue::Do(Action::CopyText) => {
                out.extend(self.copied.as_ref().map(|text| Ask::Copy(text.duplicate(), Keep::Stays)));
                Heard::Consumed
            }
            Cue::Wheel { rows, .. } => {
                let last = self.rows.len().saturating_sub(self.page);
                self.offset = self.offset.saturating_add_signed(rows).min(last);
                Heard::Consumed
            }
            _ => Heard::Ignored,
        }
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
        self.draw_rows(canvas, body);
        // The bar stands beside the text, not over its last column.
        let bar = Rect { width: body.width.saturating_add(2), ..body };
        scrollbar::draw(canvas, bar, self.offset, self.page, self.rows.len());
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
            Action::CopyText if self.copied.is_none() => Err("there is nothing to copy here".into()),
            Action::Up | Action::Down if self.rows.len() <= self.page => {
                Err("all of it is on the screen".into())
            }
            _ => Ok(()),
        }
    }
}
