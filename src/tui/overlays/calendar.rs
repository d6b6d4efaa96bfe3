//! What ends, is deleted or cleared away on each of the next ninety days: weeks as rows, and what comes on the day somebody is on.
//! Read once, when it opens.
//!
//! ```text
//!  ╭─ The next 90 days ──────────────────────────────────────────────────────────────────────╮
//!  │      Mon    Tue    Wed    Thu    Fri    Sat    Sun     │ Thu 3 December                  │
//!  │ Nov                                     28     29 ▲1   │ 2 keys expire                   │
//!  │      30     1      2      3 ▲2   4      5      6       │ ▸ ▲ Lead forms    14:05 expires │
//! ```

use chrono::{Datelike as _, NaiveDate};
use ratatui::layout::Rect;

use crate::domain::coming::Fate;
use crate::domain::notice::{Notice, What};
use crate::tui::action::Action;
use crate::tui::app::ask::{Answer, Ask, Errand, Tab};
use crate::tui::app::look::Look;
use crate::tui::app::times::Times;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::clock::Now;
use crate::tui::overlay::{Cue, Heard, Overlay};
use crate::tui::sight::calendar::{Calendar, DAYS, Fates, badge, place, words};
use crate::tui::sight::seen::{Seen, seen};
use crate::tui::theme::Role;
use crate::tui::widgets::{layout, popup, text};

/// What it is called, for whoever brings it what comes.
pub const NAME: &str = "calendar";
/// Columns and rows of the widest box.
const ROOM: (u16, u16) = (116, 22);
/// Columns beside it from which the screen below is worth being seen.
const BESIDE: u16 = 48;
/// Columns of a month's name, and of a day.
const CELLS: (u16, u16) = (4, 7);
/// Columns of all of it.
const GRID: u16 = CELLS.0 + 7 * CELLS.1;
/// Columns inside from which weeks and what comes stand side by side.
const BOTH: u16 = GRID + 34;
/// Rows that what comes on a day keeps below the weeks.
const BELOW: u16 = 4;
/// Which list this is for the mouse.
const PANE: u8 = 0;

/// What there is to show.
enum Phase {
    Looking,
    /// It is not known, and why.
    Failed(String),
    Known {
        calendar: Calendar,
        /// For each day, what comes first before the rest.
        days: Vec<Vec<Notice>>,
        /// What has no day.
        waiting: usize,
    },
}

pub struct Ahead {
    phase: Phase,
    /// Which day, from today on.
    day: usize,
    /// Which of what comes then.
    nth: usize,
    /// The first week in sight.
    week: usize,
}

impl Default for Ahead {
    /// Waiting for what comes.
    fn default() -> Self {
        Self { phase: Phase::Looking, day: 0, nth: 0, week: 0 }
    }
}

impl Ahead {
    fn take(&mut self, all: &[Notice], look: &Look) {
        let times = Times::of(look);
        let mut calendar = Calendar::new(times);
        let (mut days, mut waiting) = (vec![Vec::new(); DAYS], 0);
        for notice in all {
            if let What::Held(count) = notice.what {
                waiting = count;
            }
            if Fate::of(notice.what).is_some() {
                calendar.add(notice, times);
                if let Some(day) = days.get_mut(calendar.at(notice.when, times)) {
                    day.push(*notice);
                }
            }
        }
        // Whoever opens it wants to see what comes first.
        self.day = days.iter().position(|day| !day.is_empty()).unwrap_or_default();
        self.phase = Phase::Known { calendar, days, waiting };
    }

    fn today(&self) -> &[Notice] {
        match &self.phase {
            Phase::Known { days, .. } => days.get(self.day).map_or(&[], Vec::as_slice),
            Phase::Looking | Phase::Failed(_) => &[],
        }
    }

    fn go(&mut self, by: isize) {
        let day = self.day.saturating_add_signed(by).min(DAYS - 1);
        if day != self.day {
            (self.day, self.nth) = (day, 0);
        }
    }

    fn step(&mut self, by: isize) {
        self.nth = self.nth.saturating_add_signed(by).min(self.today().len().saturating_sub(1));
    }

    fn open(&self, look: &Look, out: &mut Vec<Ask>) -> Heard {
        let Some(notice) = self.today().get(self.nth) else {
            out.push(Ask::Say("nothing comes on that day".to_owned()));
            return Heard::Consumed;
        };
        if let Some(app) = notice.app {
            out.push(Ask::Go(Tab::Apps, Errand::App(app)));
            return Heard::Close;
        }
        let key =
            notice.key.and_then(|id| look.view(|view| view.key(id).map(|key| (Tab::of(key.place), id))));
        let Some((tab, id)) = key else {
            out.push(Ask::Say("it is not there any more".to_owned()));
            return Heard::Consumed;
        };
        out.push(Ask::Go(tab, Errand::Key(id)));
        Heard::Close
    }

    /// The weeks, from the one it is on; each day in a cell of its own.
    fn draw_weeks(&mut self, canvas: &mut Canvas<'_>, area: Rect) {
        let Phase::Known { calendar, .. } = &self.phase else { return };
        let before = usize::try_from(calendar.first.weekday().num_days_from_monday()).unwrap_or_default();
        let weeks = (before + DAYS).div_ceil(7);
        let (head, rows) = layout::top(area, 1);
        for (at, name) in ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].into_iter().enumerate() {
            canvas.fit(cell(head, at).x, head.y, CELLS.1, name, Role::Header);
        }
        let here = (before + self.day) / 7;
        let shown = usize::from(rows.height).max(1);
        self.week =
            self.week.min(here).max((here + 1).saturating_sub(shown)).min(weeks.saturating_sub(shown));
        let mut month = None;
        for (row, week) in (0..rows.height).zip(self.week..weeks) {
            let row = layout::row(rows, row);
            for at in 0..7 {
                let Some(day) = (week * 7 + at).checked_sub(before).filter(|day| *day < DAYS) else {
                    continue;
                };
                let date = calendar.day(day);
                if month.replace(date.month()) != Some(date.month()) {
                    canvas.fit(row.x, row.y, CELLS.0, &date.format("%b").to_string(), Role::Title);
                }
                let fates = calendar.days.get(day).copied().unwrap_or_default();
                draw_day(canvas, cell(row, at), date, &fates, day == self.day);
                canvas.hit(cell(row, at), Target::Row { pane: PANE, row: day });
            }
        }
    }

    /// What comes on the day.
    fn draw_coming(&self, canvas: &mut Canvas<'_>, area: Rect, seen: &Seen<'_>) {
        let Phase::Known { calendar, waiting, .. } = &self.phase else { return };
        let (head, rest) = layout::top(area, 1);
        let fates = calendar.days.get(self.day).copied().unwrap_or_default();
        let date = calendar.day(self.day).format("%a %-d %b:").to_string();
        let said: Vec<String> = Fate::ALL
            .into_iter()
            .zip(fates)
            .filter(|(_, n)| *n > 0)
            .map(|(fate, n)| words(fate, n))
            .collect();
        let said = if said.is_empty() { "nothing".to_owned() } else { said.join(", ") };
        let end = canvas.fit(head.x, head.y, head.width, &date, Role::Title);
        canvas.fit(end + 1, head.y, head.right().saturating_sub(end + 1), &said, Role::Text);
        let (rows, foot) = layout::bottom(rest, u16::from(rest.height > 1));
        let shown = usize::from(rows.height).max(1);
        let from = (self.nth + 1).saturating_sub(shown);
        let notices = self.today().iter().enumerate().skip(from);
        for (row, (at, notice)) in (0..rows.height).zip(notices) {
            draw_notice(canvas, layout::row(rows, row), notice, at == self.nth, seen);
        }
        let more = match (self.today().len(), *waiting) {
            (n, _) if n > shown => format!("{} of {n}", self.nth + 1),
            (_, 0) => format!("{} in 90 days", calendar.total()),
            (_, 1) => format!("{} in 90 days; 1 deletion waits", calendar.total()),
            (_, n) => format!("{} in 90 days; {n} deletions wait", calendar.total()),
        };
        canvas.fit(foot.x, foot.y, foot.width, &more, Role::Dim);
    }
}

/// The cell of a day of the week.
fn cell(row: Rect, at: usize) -> Rect {
    let at = u16::try_from(at).unwrap_or_default();
    Rect { x: row.x.saturating_add(CELLS.0 + at * CELLS.1), width: CELLS.1, ..row }
}

/// Its number, the sign of what comes first in [`Fate::ALL`], and how much comes in all.
fn draw_day(canvas: &mut Canvas<'_>, area: Rect, date: NaiveDate, fates: &Fates, selected: bool) {
    let count: usize = fates.iter().sum();
    let worst = Fate::ALL.into_iter().find(|fate| fates.get(place(*fate)).is_some_and(|n| *n > 0));
    let look = selected.then_some(Role::Selected);
    let day = format!("{:>2}", date.day());
    let quiet = if count > 0 { Role::Text } else { Role::Dim };
    let end = canvas.fit(area.x, area.y, 3, &format!("{day} "), look.unwrap_or(quiet));
    if let Some(fate) = worst {
        let badge = badge(fate);
        let said = if count > 99 { "99+".to_owned() } else { count.to_string() };
        let said = format!("{}{said}", canvas.glyphs().badge(badge));
        canvas.fit(end, area.y, area.right().saturating_sub(end), &said, look.unwrap_or(badge.role()));
    }
    if selected {
        canvas.cursor(area.x, area.y);
    }
}

fn draw_notice(canvas: &mut Canvas<'_>, row: Rect, notice: &Notice, selected: bool, seen: &Seen<'_>) {
    let Some(fate) = Fate::of(notice.what) else { return };
    let name = notice.key.and_then(|id| seen.view.key(id)).map(|key| key.name.as_str());
    let name = name.or_else(|| notice.app.and_then(|id| seen.view.app(id)).map(|app| app.name.as_str()));
    let what = match notice.what {
        What::StillUsed => "old one ends, still used",
        What::GraceEnds => "old one ends",
        What::Clears => "cleared away",
        What::Deletion { .. } => "deleted, unused",
        _ => "expires",
    };
    let sign = if selected { canvas.glyphs().selected } else { " " };
    let spans = [
        canvas.span(Role::Accent, format!("{sign} ")),
        canvas.span(badge(fate).role(), format!("{} ", canvas.glyphs().badge(badge(fate)))),
    ];
    let x = canvas.spans(row.x, row.y, row.width, &spans);
    let end = canvas.span(Role::Dim, format!("{} {what}", seen.times.clock(notice.when)));
    let right = canvas.spans_right(row.right(), row.y, row.width / 2, &[end]);
    canvas.fit(x, row.y, right.saturating_sub(x + 1), name.unwrap_or("?"), Role::Text);
}

impl Overlay for Ahead {
    fn name(&self) -> &'static str {
        NAME
    }

    fn hear(&mut self, cue: Cue<'_>, look: &Look, _: Now, out: &mut Vec<Ask>) -> Heard {
        match cue {
            Cue::Do(Action::Press) => return self.open(look, out),
            Cue::Do(Action::Left) => self.go(-1),
            Cue::Do(Action::Right) => self.go(1),
            Cue::Do(Action::Up) => self.go(-7),
            Cue::Do(Action::Down) => self.go(7),
            Cue::Do(Action::PageUp) => self.go(-28),
            Cue::Do(Action::PageDown) => self.go(28),
            Cue::Do(Action::Top) => self.go(isize::MIN),
            Cue::Do(Action::Bottom) => self.go(isize::MAX),
            Cue::Do(Action::NextField) => self.step(1),
            Cue::Do(Action::PrevField) => self.step(-1),
            Cue::Wheel { rows, .. } => self.step(rows.signum()),
            Cue::Click(Target::Row { row, .. }) => (self.day, self.nth) = (row.min(DAYS - 1), 0),
            _ => return Heard::Ignored,
        }
        Heard::Consumed
    }

    fn told(&mut self, answer: Answer, look: &Look, _: Now, _: &mut Vec<Ask>) -> Heard {
        match answer {
            Answer::Coming(all) => self.take(&all, look),
            Answer::Refused(why) => self.phase = Phase::Failed(why),
            _ => return Heard::Still,
        }
        Heard::Consumed
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, _: Rect, look: &Look, _: Now) {
        // What would be seen beside it says nothing.
        let (wide, most) = (canvas.area().width, ROOM.0);
        let width = if wide > most + BESIDE { most } else { wide };
        let inner = popup::draw(canvas, "The next 90 days", width, ROOM.1);
        // Of the air below one row is enough, where there is any.
        let spare = u16::from(canvas.area().height >= popup::LOW);
        let inner = Rect { height: inner.height + spare, ..inner };
        canvas.hit(inner, Target::Pane(PANE));
        match &self.phase {
            Phase::Looking => {
                canvas.fit(inner.x, inner.y, inner.width, "Looking ahead…", Role::Dim);
                canvas.cursor(inner.x, inner.y);
                return;
            }
            Phase::Failed(why) => {
                canvas.lines(
                    inner,
                    &text::wrap(&text::sentence(why), inner.width)
                        .into_iter()
                        .map(|line| (Role::Bad, line))
                        .collect::<Vec<_>>(),
                );
                canvas.cursor(inner.x, inner.y);
                return;
            }
            Phase::Known { .. } => {}
        }
        let (weeks, coming) = if inner.width >= BOTH {
            let (weeks, rest) = layout::left(inner, GRID);
            canvas.vertical(rest.x, rest.y, rest.height);
            (weeks, layout::left(rest, 2).1)
        } else {
            let (weeks, rest) = layout::bottom(inner, (inner.height / 2).max(BELOW));
            canvas.rule(rest.x, rest.y, rest.width);
            (weeks, layout::top(rest, 1).1)
        };
        self.draw_weeks(canvas, weeks);
        seen(look, |seen| self.draw_coming(canvas, coming, seen));
    }

    fn hints(&self) -> &[Action] {
        &[Action::Press, Action::NextField, Action::Cancel, Action::Right, Action::Down]
    }

    fn called(&self) -> &[(Action, &'static str)] {
        &[
            (Action::Press, "go there"),
            (Action::NextField, "next of the day"),
            (Action::Cancel, "close"),
            (Action::Right, "a day on"),
            (Action::Down, "a week on"),
        ]
    }
}
