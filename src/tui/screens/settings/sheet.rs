//! A page of facts with a few things to do below: the facts scroll, the things to do stay in sight.

use ratatui::layout::Rect;

use crate::domain::filter::NoTerm;
use crate::tui::action::{Action, Layer};
use crate::tui::app::look::Look;
use crate::tui::canvas::Canvas;
use crate::tui::keymap::Keymap;
use crate::tui::list::page::{Line, Page, wrapped};
use crate::tui::list::{Cell, Change, Column, List, Listed};
use crate::tui::overlay::Cue;
use crate::tui::theme::Role;
use crate::tui::widgets::{Focus, layout};

/// Columns of the labels.
const LABEL: u16 = 16;
/// Columns of what can be done.
const DEED: u16 = 44;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// What a key does, too.
    Act(Action),
    /// A text to read.
    Read(&'static str),
}

/// Things to do, by number.
struct Deeds;

/// What there is to do, and the keys that do it, too.
struct Sight<'a> {
    deeds: &'static [(Deed, &'static str)],
    keymap: &'a Keymap,
}

impl Listed for Deeds {
    type Id = usize;
    type Row = (Deed, &'static str);
    type Sight<'a> = Sight<'a>;
    type Term = NoTerm;

    const ONE: &'static str = "thing to do";
    const MARGIN: u16 = 2;

    fn row<'a>(sight: &'a Sight<'_>, at: usize) -> Option<&'a Self::Row> {
        sight.deeds.get(at)
    }

    fn name<'a>((_, title): &'a Self::Row, _: &'a Sight<'_>) -> &'a str {
        title
    }
}

type Col = Column<Deeds>;

static TITLE: Col = Col::text("", 't', (20, 60), 0, |(_, title), _| Cell::new(Role::Text, *title));
static KEY: Col = Col::number("", 'k', 8, 1, |(deed, _), sight| {
    let key = match deed {
        Deed::Act(action) => sight.keymap.label(Layer::Screen, *action),
        Deed::Read(_) => None,
    };
    Cell::new(Role::Key, key.unwrap_or_default())
});

pub struct Sheet {
    facts: Vec<Line>,
    page: Page,
    deeds: &'static [(Deed, &'static str)],
    list: List<Deeds>,
}

impl Sheet {
    /// An empty page; `pane` is its number for the mouse.
    pub fn new(pane: u8, deeds: &'static [(Deed, &'static str)]) -> Self {
        let list = List::new(pane, vec![&TITLE, &KEY]);
        Self { facts: Vec::new(), page: Page::default(), deeds, list }
    }

    /// Says these facts from now on. What is good or bad gets its sign.
    pub fn set(&mut self, facts: Vec<Line>, look: &Look) {
        self.facts = facts;
        let sight = Sight { deeds: self.deeds, keymap: &look.keymap };
        self.list.fill(0..self.deeds.len(), &sight);
    }

    /// What is about to be done.
    pub fn selected(&self) -> Option<Deed> {
        self.list.selected().and_then(|at| self.deeds.get(at)).map(|(deed, _)| *deed)
    }

    /// Up and down choose; past the first and the last they scroll.
    pub fn hear(&mut self, cue: Cue<'_>) -> Change {
        let (first, last) = (self.list.index() == 0, self.list.index() + 1 >= self.deeds.len());
        match cue {
            Cue::Do(Action::Up) if !first => self.list.hear(cue),
            Cue::Do(Action::Down) if !last => self.list.hear(cue),
            Cue::Do(action) if self.page.act(action) => Change::Looks,
            Cue::Wheel { rows, .. } => {
                self.page.scroll(rows);
                Change::Looks
            }
            Cue::Click(_) => self.list.hear(cue),
            _ => Change::Ignored,
        }
    }

    pub fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, look: &Look, focus: Focus) {
        let area = layout::inset(area, 1, 0);
        let deeds = u16::try_from(self.deeds.len()).unwrap_or(u16::MAX);
        let (above, below) = layout::bottom(area, deeds.saturating_add(1).min(area.height / 2));
        let (body, below) = if above.height == 0 { (area, below) } else { (above, below) };
        let glyphs = canvas.glyphs();
        let signed = |mut line: Line| {
            for (role, said) in &mut line.spans {
                let sign = match role {
                    Role::Good => glyphs.good,
                    Role::Bad => glyphs.bad,
                    _ => continue,
                };
                said.insert_str(0, &format!("{sign} "));
            }
            line
        };
        let facts = wrapped(self.facts.iter().cloned().map(signed), LABEL, body.width.saturating_sub(2));
        let used = u16::try_from(facts.len()).unwrap_or(u16::MAX).min(body.height);
        // Right below the facts, where the eye is.
        let below = Rect { y: body.y.saturating_add(used), ..below };
        self.page.draw(canvas, body, LABEL, &facts, |_| false);
        let (_, list) = layout::top(below, 1);
        let list = Rect { width: list.width.min(DEED), ..list };
        let sight = Sight { deeds: self.deeds, keymap: &look.keymap };
        self.list.draw(canvas, list, &sight, focus, "");
    }
}
