//! A page of facts with a few things to do below: the facts scroll, the things to do stay in sight.

use ratatui::layout::Rect;

use crate::tui::action::{Action, Layer};
use crate::tui::app::look::Look;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::theme::{Glyphs, Role};
use crate::tui::widgets::{Focus, Handled, layout, scrollbar, text};

/// Columns of the labels.
const LABEL: u16 = 16;

/// How a fact stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// Only a fact.
    Plain,
    /// All is well.
    Good,
    /// Something to look at.
    Bad,
    /// Less important.
    Dim,
}

impl Mood {
    const fn role(self) -> Role {
        match self {
            Self::Plain => Role::Text,
            Self::Good => Role::Good,
            Self::Bad => Role::Bad,
            Self::Dim => Role::Dim,
        }
    }

    const fn sign(self, glyphs: &Glyphs) -> &'static str {
        match self {
            Self::Good => glyphs.good,
            Self::Bad => glyphs.bad,
            Self::Plain | Self::Dim => "",
        }
    }
}

/// A label and what it stands for.
#[derive(Clone, Debug)]
pub struct Piece {
    label: &'static str,
    text: String,
    mood: Mood,
}

impl Piece {
    /// A fact.
    pub fn new(label: &'static str, text: impl Into<String>) -> Self {
        Self { label, text: text.into(), mood: Mood::Plain }
    }

    /// A fact that is good, bad or less important.
    pub fn with(label: &'static str, text: impl Into<String>, mood: Mood) -> Self {
        Self { label, text: text.into(), mood }
    }

    /// An empty line.
    pub fn gap() -> Self {
        Self::new("", "")
    }
}

/// Something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// What a key does, too.
    Act(Action),
    /// A text to read.
    Read(&'static str),
}

/// The page.
#[derive(Default)]
pub struct Sheet {
    pieces: Vec<Piece>,
    deeds: &'static [(Deed, &'static str)],
    selected: usize,
    offset: usize,
    lines: usize,
    page: usize,
}

impl Sheet {
    pub fn set(&mut self, pieces: Vec<Piece>, deeds: &'static [(Deed, &'static str)]) {
        self.pieces = pieces;
        self.deeds = deeds;
    }

    pub fn selected(&self) -> Option<Deed> {
        self.deeds.get(self.selected).map(|(deed, _)| *deed)
    }

    pub const fn index(&self) -> usize {
        self.selected
    }

    pub fn go(&mut self, row: usize) {
        self.selected = row.min(self.deeds.len().saturating_sub(1));
    }

    pub fn scroll(&mut self, rows: isize) {
        self.offset = self.offset.saturating_add_signed(rows).min(self.lines.saturating_sub(self.page));
    }

    /// Up and down choose; past the first and the last they scroll.
    pub fn act(&mut self, action: Action) -> Handled {
        let page = isize::try_from(self.page.max(1)).unwrap_or(isize::MAX);
        match action {
            Action::Up if self.selected > 0 => self.selected -= 1,
            Action::Down if self.selected + 1 < self.deeds.len() => self.selected += 1,
            Action::Up => self.scroll(-1),
            Action::Down => self.scroll(1),
            Action::PageUp | Action::HalfUp => self.scroll(-page),
            Action::PageDown | Action::HalfDown => self.scroll(page),
            Action::Top => self.scroll(isize::MIN),
            Action::Bottom => self.scroll(isize::MAX),
            _ => return Handled::Ignored,
        }
        Handled::Changed
    }

    pub fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, look: &Look, focus: Focus, pane: u8) {
        let area = layout::inset(area, 1, 0);
        let deeds = u16::try_from(self.deeds.len()).unwrap_or(u16::MAX);
        let (above, below) = layout::bottom(area, deeds.saturating_add(1).min(area.height / 2));
        let (body, below) = if above.height == 0 { (area, below) } else { (above, below) };
        let cells = body.width.saturating_sub(LABEL).saturating_sub(2);
        let mut rows = Vec::new();
        for piece in &self.pieces {
            let sign = piece.mood.sign(canvas.glyphs());
            let said = if sign.is_empty() { piece.text.clone() } else { format!("{sign} {}", piece.text) };
            for (at, line) in text::wrap(&said, cells.max(8)).into_iter().enumerate() {
                rows.push((if at == 0 { piece.label } else { "" }, line, piece.mood.role()));
            }
        }
        self.lines = rows.len();
        let used = u16::try_from(rows.len()).unwrap_or(u16::MAX).min(body.height);
        // Right below the facts, where the eye is.
        let below = Rect { y: body.y.saturating_add(used), ..below };
        self.page = usize::from(body.height).max(1);
        self.offset = self.offset.min(self.lines.saturating_sub(self.page));
        for (at, (label, said, role)) in rows.iter().skip(self.offset).take(self.page).enumerate() {
            let row = layout::row(body, u16::try_from(at).unwrap_or(u16::MAX));
            if row.is_empty() {
                break;
            }
            canvas.fit(row.x, row.y, LABEL.min(row.width), label, Role::Dim);
            canvas.fit(row.x.saturating_add(LABEL), row.y, cells, said, *role);
        }
        scrollbar::draw(canvas, body, self.offset, self.page, self.lines);
        for (at, (deed, title)) in self.deeds.iter().enumerate() {
            let row = layout::row(below, u16::try_from(at + 1).unwrap_or(u16::MAX));
            if row.is_empty() {
                break;
            }
            let selected = at == self.selected;
            let role = match (selected, focus) {
                (true, Focus::Here) => Role::Selected,
                (true, Focus::Elsewhere) => Role::SelectedIdle,
                (false, _) => Role::Text,
            };
            let style = canvas.style(role);
            let bar = Rect { width: row.width.min(44), ..row };
            if selected {
                canvas.print(bar.x, bar.y, bar.width, &" ".repeat(bar.width.into()), style);
            }
            let sign = if selected { canvas.glyphs().selected } else { " " };
            canvas.print(bar.x, bar.y, 1, sign, style);
            canvas.fit(bar.x.saturating_add(2), bar.y, bar.width.saturating_sub(2), title, role);
            let key = match deed {
                Deed::Act(action) => look.keymap.label(Layer::Screen, *action),
                Deed::Read(_) => None,
            };
            if let Some(key) = key {
                let style = if selected { style } else { canvas.style(Role::Key) };
                canvas.spans_right(
                    bar.right().saturating_sub(1),
                    bar.y,
                    12,
                    &[ratatui::text::Span::styled(key, style)],
                );
            }
            if selected && focus.is_here() {
                canvas.cursor(bar.x, bar.y);
            }
            canvas.hit(row, Target::Row { pane, row: at });
        }
    }
}
