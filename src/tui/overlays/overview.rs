//! How are we doing: keys and apps in numbers, as `keydeck report` counts them. Each line is a filter, which Enter puts on the list it
//! is of. Counted once, when it opens.
//!
//! ```text
//!  ╭─ How are we doing ─────────────────────────────────────────────────────────╮
//!  │  all keys and apps, 2026-11-28 15:50     All  ▸Agency  Locations  App keys  │
//!  │  State                                                                      │
//!  │  ▸ active           █████████████████████      148       12       130     6 │
//!  │    paused           █                            4        1         3     0 │
//! ```

use ratatui::layout::Rect;

use crate::domain::report::{Block, Count, Report, Topic};
use crate::tui::action::{Action, Reason};
use crate::tui::app::ask::{Answer, Ask, Errand, Tab};
use crate::tui::app::look::Look;
use crate::tui::app::times::Times;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::clock::Now;
use crate::tui::overlay::{Cue, Heard, Overlay};
use crate::tui::sight::report::bar;
use crate::tui::theme::Role;
use crate::tui::widgets::{layout, popup, scrollbar, text, walk};

/// What it is called, for whoever brings it its numbers.
pub const NAME: &str = "overview";
/// Columns of the widest box.
const WIDTH: u16 = 110;
/// Columns beside it from which the screen below is worth being seen.
const BESIDE: u16 = 48;
/// Columns inside from which each kind has a column; below them the chosen one has.
const WIDE: u16 = 76;
/// Columns of a number.
const NUMBER: u16 = 9;
/// Columns that a bar keeps, and the most that words take before it.
const BAR: u16 = 8;
const LABEL: u16 = 30;
/// Rows that say where Enter leads.
const FOOT: u16 = 2;
/// Which list this is for the mouse.
const PANE: u8 = 0;

/// Of which keys the numbers lead to their list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Agency,
    Location,
    App,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Agency, Self::Location, Self::App];

    const fn of(self, count: Count) -> usize {
        match self {
            Self::Agency => count.agency,
            Self::Location => count.location,
            Self::App => count.app,
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Agency => "Agency",
            Self::Location => "Locations",
            Self::App => "App keys",
        }
    }

    const fn tab(self) -> Tab {
        match self {
            Self::Agency => Tab::Agency,
            Self::Location => Tab::Locations,
            Self::App => Tab::Apps,
        }
    }

    /// The one so many to the right.
    fn beside(self, by: isize) -> Self {
        let at = Self::ALL.iter().position(|kind| *kind == self).unwrap_or_default();
        at.checked_add_signed(by).and_then(|at| Self::ALL.get(at)).copied().unwrap_or(self)
    }
}

/// A line of the page.
#[derive(Clone)]
enum Row {
    Heading(String),
    Number(Topic, Block, usize),
    /// What became of keys, which leads nowhere.
    Lately(&'static str, Count),
}

/// What there is to show.
enum Phase {
    Counting,
    /// It is not known, and why.
    Failed(String),
    Known {
        head: String,
        rows: Vec<Row>,
    },
}

pub struct Overview {
    phase: Phase,
    kind: Kind,
    /// The selected line.
    at: usize,
    offset: usize,
    /// Lines of the last frame.
    page: usize,
}

impl Overview {
    /// Waiting for its numbers; of those keys first that are on the screen below.
    pub fn new(below: Option<Tab>) -> Self {
        let kind = Kind::ALL.into_iter().find(|kind| Some(kind.tab()) == below);
        Self { phase: Phase::Counting, kind: kind.unwrap_or(Kind::Agency), at: 0, offset: 0, page: 1 }
    }

    fn take(&mut self, report: &Report, look: &Look) {
        let states = report.sections.iter().find(|section| section.topic == Topic::State);
        let sum = |kind: Kind| {
            let blocks = states.iter().flat_map(|section| &section.blocks);
            blocks.map(|block| kind.of(block.count)).sum::<usize>()
        };
        if sum(self.kind) == 0 {
            self.kind = Kind::ALL.into_iter().max_by_key(|kind| sum(*kind)).unwrap_or(self.kind);
        }
        let mut rows = Vec::new();
        for section in report.sections.iter().filter(|section| !section.blocks.is_empty()) {
            let most = section.blocks.iter().map(|block| block.count.total()).max().unwrap_or(0);
            rows.push(Row::Heading(section.topic.title().to_owned()));
            rows.extend(section.blocks.iter().map(|block| Row::Number(section.topic, block.clone(), most)));
        }
        rows.push(Row::Heading(format!("In the last {} days", Report::DAYS)));
        rows.extend(report.lately.all().map(|(_, words, count)| Row::Lately(words, count)));
        let whose = if look.is_whole() { "all keys and apps" } else { "your keys and apps" };
        let head = format!("{whose}, {}", Times::of(look).minute(report.at));
        self.phase = Phase::Known { head, rows };
        self.go(0);
    }

    fn rows(&self) -> &[Row] {
        if let Phase::Known { rows, .. } = &self.phase { rows } else { &[] }
    }

    /// Numbers of the lines that can be selected.
    fn stops(&self) -> Vec<usize> {
        let rows = self.rows().iter().enumerate();
        rows.filter(|(_, row)| !matches!(row, Row::Heading(_))).map(|(at, _)| at).collect()
    }

    /// Selects the `stop`th of these.
    fn go(&mut self, stop: usize) {
        let stops = self.stops();
        self.at = stops.get(stop.min(stops.len().saturating_sub(1))).copied().unwrap_or_default();
    }

    fn step(&mut self, by: isize) {
        let stops = self.stops();
        let here = stops.iter().position(|stop| *stop == self.at).unwrap_or_default();
        self.go(here.saturating_add_signed(by));
    }

    fn number(&self) -> Option<(Topic, &Block)> {
        match self.rows().get(self.at)? {
            Row::Number(topic, block, _) => Some((*topic, block)),
            Row::Heading(_) | Row::Lately(..) => None,
        }
    }

    /// Where Enter leads, or why nowhere.
    fn leads(&self) -> Result<(Tab, Errand), Reason> {
        let Some((topic, block)) = self.number() else {
            return Err("no list has only these".into());
        };
        let filter = || Errand::Filter(block.filter.clone());
        let (tab, errand, count) = match topic {
            Topic::Risk => (Tab::Review, filter(), block.count.total()),
            Topic::AppState | Topic::AppUse | Topic::AppAge => (Tab::Apps, Errand::None, block.count.total()),
            Topic::State | Topic::End | Topic::Use | Topic::Age | Topic::Place | Topic::Owner => {
                (self.kind.tab(), filter(), self.kind.of(block.count))
            }
        };
        match count {
            0 if block.count.total() > 0 => {
                Err("none of these is of the chosen kind: left and right choose another".into())
            }
            0 => Err("there is none of these".into()),
            _ => Ok((tab, errand)),
        }
    }

    fn open(&self, out: &mut Vec<Ask>) -> Heard {
        match self.leads() {
            Ok((tab, errand)) => {
                out.push(Ask::Go(tab, errand));
                Heard::Close
            }
            Err(Reason(why)) => {
                out.push(Ask::Say(why.into_owned()));
                Heard::Consumed
            }
        }
    }

    /// The kinds that have a column, in so many cells.
    fn kinds(&self, width: u16) -> Vec<Kind> {
        if width >= WIDE { Kind::ALL.to_vec() } else { vec![self.kind] }
    }

    fn draw_head(&self, canvas: &mut Canvas<'_>, area: Rect, head: &str) {
        let mut right = area.right();
        for kind in self.kinds(area.width).into_iter().rev() {
            let (role, sign) =
                if kind == self.kind { (Role::Accent, canvas.glyphs().selected) } else { (Role::Header, "") };
            let span = canvas.span(role, format!("{sign}{}", kind.title()));
            canvas.spans_right(right, area.y, NUMBER + 1, &[span]);
            right = right.saturating_sub(NUMBER + 1);
        }
        let span = canvas.span(Role::Header, "All");
        let right = canvas.spans_right(right, area.y, NUMBER, &[span]);
        canvas.fit(area.x, area.y, right.saturating_sub(area.x + 1), head, Role::Dim);
    }

    fn draw_row(&self, canvas: &mut Canvas<'_>, area: Rect, row: &Row, selected: bool) {
        let (words, count, most, linked) = match row {
            Row::Heading(title) => {
                canvas.fit(area.x, area.y, area.width, title, Role::Title);
                return;
            }
            Row::Number(_, block, most) => (block.words.as_str(), block.count, Some(*most), true),
            Row::Lately(words, count) => (*words, *count, None, false),
        };
        let look = selected.then_some(Role::Selected);
        if selected {
            let style = canvas.style(Role::Selected);
            canvas.print(area.x, area.y, area.width, &" ".repeat(area.width.into()), style);
            canvas.print(area.x, area.y, 1, canvas.glyphs().selected, style);
            canvas.cursor(area.x, area.y);
        }
        let quiet = if count.total() == 0 { Role::Dim } else { Role::Text };
        let mut right = area.right();
        for kind in self.kinds(area.width).into_iter().rev() {
            let span = canvas.span(look.unwrap_or(quiet), kind.of(count).to_string());
            canvas.spans_right(right, area.y, NUMBER, &[span]);
            right = right.saturating_sub(NUMBER + 1);
        }
        let span = canvas.span(look.unwrap_or(quiet), count.total().to_string());
        canvas.spans_right(right, area.y, NUMBER, &[span]);
        right = right.saturating_sub(NUMBER);
        let label = right.saturating_sub(area.x + BAR).clamp(16, LABEL);
        canvas.fit(area.x + 2, area.y, label - 2, words, look.unwrap_or(quiet));
        let cells = right.saturating_sub(area.x + label + 1);
        if let Some(most) = most.filter(|_| linked) {
            let bar = bar(count.total(), most, cells.into());
            canvas.fit(area.x + label, area.y, cells, &bar, look.unwrap_or(Role::Accent));
        }
    }

    fn draw_rows(&mut self, canvas: &mut Canvas<'_>, area: Rect) {
        self.page = usize::from(area.height).max(1);
        let first = self.stops().first().copied();
        // The heading above the first line is seen with it.
        let top = if Some(self.at) == first { 0 } else { self.at };
        self.offset = self.offset.min(top).max((self.at + 1).saturating_sub(self.page));
        self.offset = self.offset.min(self.rows().len().saturating_sub(self.page));
        let rows = self.rows();
        let rows: Vec<(usize, Row)> =
            rows.iter().cloned().enumerate().skip(self.offset).take(self.page).collect();
        canvas.hit(area, Target::Pane(PANE));
        let inner = Rect { width: area.width.saturating_sub(2), ..area };
        for (line, (at, row)) in (0..area.height).zip(&rows) {
            let place = layout::row(inner, line);
            self.draw_row(canvas, place, row, *at == self.at);
            if !matches!(row, Row::Heading(_)) {
                canvas.hit(place, Target::Row { pane: PANE, row: *at });
            }
        }
        scrollbar::draw(canvas, area, self.offset, self.page, self.rows().len());
    }

    /// What Enter would do.
    fn foot(&self) -> String {
        match (self.leads(), self.number()) {
            (Ok((_, Errand::None)), _) => "Enter goes to the apps".to_owned(),
            (Ok((tab, _)), Some((_, block))) => {
                format!("Enter shows them in {}: {}", tab.title(), block.filter)
            }
            (Err(Reason(why)), Some(_)) => text::sentence(&why),
            _ => String::new(),
        }
    }
}

impl Overlay for Overview {
    fn name(&self) -> &'static str {
        NAME
    }

    fn hear(&mut self, cue: Cue<'_>, _: &Look, _: Now, out: &mut Vec<Ask>) -> Heard {
        match cue {
            Cue::Do(Action::Press) => return self.open(out),
            Cue::Do(Action::Left) => self.kind = self.kind.beside(-1),
            Cue::Do(Action::Right) => self.kind = self.kind.beside(1),
            Cue::Do(action) => {
                let stops = self.stops();
                let here = stops.iter().position(|stop| *stop == self.at).unwrap_or_default();
                let Some(to) = walk(action, here, self.page, stops.len()) else { return Heard::Ignored };
                self.go(to);
            }
            Cue::Wheel { rows, .. } => self.step(rows),
            Cue::Click(Target::Row { row, .. }) if row == self.at => return self.open(out),
            Cue::Click(Target::Row { row, .. }) => self.at = row,
            _ => return Heard::Ignored,
        }
        Heard::Consumed
    }

    fn told(&mut self, answer: Answer, look: &Look, _: Now, _: &mut Vec<Ask>) -> Heard {
        match answer {
            Answer::Counted(report) => self.take(&report, look),
            Answer::Refused(why) => self.phase = Phase::Failed(why),
            _ => return Heard::Still,
        }
        Heard::Consumed
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, _: Rect, _: &Look, _: Now) {
        let whole = canvas.area();
        // What would be seen beside it says nothing.
        let width = if whole.width > WIDTH + BESIDE { WIDTH } else { whole.width };
        let inner = popup::draw(canvas, "How are we doing", width, whole.height.saturating_sub(1));
        // The bar of the list stands beside its rows.
        let spare = u16::from(canvas.area().height >= popup::LOW);
        let inner = Rect { width: inner.width.saturating_add(2), height: inner.height + spare, ..inner };
        let (head, rest) = layout::top(inner, 1);
        match &self.phase {
            Phase::Counting => {
                canvas.fit(inner.x, inner.y, inner.width, "Counting keys and apps…", Role::Dim);
                canvas.cursor(inner.x, inner.y);
                return;
            }
            Phase::Failed(why) => {
                canvas.fit(inner.x, inner.y, inner.width, &text::sentence(why), Role::Bad);
                canvas.cursor(inner.x, inner.y);
                return;
            }
            Phase::Known { head: said, .. } => {
                self.draw_head(canvas, Rect { width: head.width.saturating_sub(2), ..head }, said);
            }
        }
        let foot = text::wrap(&self.foot(), rest.width.saturating_sub(2));
        let foot: Vec<_> = foot.into_iter().map(|line| (Role::Dim, line)).collect();
        let (rows, below) = layout::bottom(rest, FOOT);
        self.draw_rows(canvas, rows);
        canvas.lines(below, &foot);
    }

    fn hints(&self) -> &[Action] {
        &[Action::Press, Action::Right, Action::Cancel, Action::Down]
    }

    fn called(&self) -> &[(Action, &'static str)] {
        &[
            (Action::Press, "shows them"),
            (Action::Right, "other keys"),
            (Action::Cancel, "close"),
            (Action::Down, "next"),
        ]
    }
}
