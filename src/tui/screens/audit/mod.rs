//! The audit tab: the trail, newest first, in words. Read page by page as one goes down; what happens meanwhile
//! comes on top without moving the selection. An admin's first look in a session is itself an entry.

mod trail;
pub mod words;

use std::time::Duration;

use ratatui::layout::Rect;

use self::trail::{Filter, Roles, Shown, Term, Trail};
use super::Screen;
use crate::domain::{Command, OperatorId, Role as OperatorRole};
use crate::engine::AuditPage;
use crate::store::Rev;
use crate::tui::action::{Action, Reason};
use crate::tui::app::ask::{Answer, Ask, Errand, Job, Tab};
use crate::tui::app::look::Look;
use crate::tui::app::times::Times;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::clock::{Moment, Now};
use crate::tui::input::TextFocus;
use crate::tui::overlay::Cue;
use crate::tui::overlays::audit_entry;
use crate::tui::sight::filter::Term as _;
use crate::tui::theme::{GlyphSet, Glyphs, Role};
use crate::tui::widgets::data_table::{Column, TableState, View};
use crate::tui::widgets::field::TextField;
use crate::tui::widgets::{Focus, Handled, layout, text};

/// Entries read at once.
const PAGE: usize = 200;
/// Rows below the selection under which older entries are read.
const AHEAD: usize = 100;
/// Entries a filter looks through by itself; going down looks further.
const BUDGET: usize = 5_000;
/// Time between two signs of the spinner.
const SPIN: Duration = Duration::from_millis(100);
/// Cells from which on there is room for the roles of those who did something.
const WITH_ROLES: u16 = 100;
/// Which list of the screen the table is.
const PANE: u8 = 0;

const WHEN: Column = Column::text("when", "When", 'w', (10, 10), 0);
const WHAT: Column = Column::text("what", "What", 'h', (26, 120), 0);

/// With room for names with roles, times and ways.
const WIDE: [Column; 5] = [
    WHEN,
    Column::text("at", "Time", 't', (16, 16), 4),
    Column::text("who", "Who", 'o', (18, 18), 2),
    WHAT,
    Column::text("via", "Via", 'v', (12, 12), 3),
];
/// What was done gets the room; the rest is told when an entry is opened.
const NARROW: [Column; 3] = [WHEN, Column::text("who", "Who", 'o', (9, 12), 2), WHAT];

/// What is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// Nothing yet: the entry that somebody reads is being written.
    Announcement,
    /// What is new.
    Newest,
    /// Older entries.
    Older,
    /// One entry, to be opened.
    One,
}

/// Whether the newest entries are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Freshness {
    /// They are.
    Current,
    /// There may be newer ones.
    Stale,
    /// Reading failed; not tried again before the next key.
    Failed,
}

/// The screen.
pub struct Audit {
    trail: Trail,
    table: TableState<u64>,
    /// The filter line while it is typed.
    typing: Option<TextField>,
    filter: String,
    reading: Option<Reading>,
    /// The entry somebody wants to open.
    wanted: Option<u64>,
    /// Entries the filter may still look through by itself.
    budget: usize,
    /// The screen was opened, so there is somebody to read for.
    opened: bool,
    freshness: Freshness,
    /// The store's revision when the screen looked last.
    rev: Option<Rev>,
    reader: Option<(OperatorId, OperatorRole)>,
    /// The trail says that it is read.
    announced: bool,
    /// A check is under way: the step of its spinner, and when it turns.
    checking: Option<(usize, Moment)>,
    glyphs: &'static Glyphs,
}

impl Default for Audit {
    fn default() -> Self {
        Self::new()
    }
}

impl Audit {
    /// Nothing read yet.
    pub fn new() -> Self {
        Self {
            trail: Trail::default(),
            table: TableState::new(),
            typing: None,
            filter: String::new(),
            reading: None,
            wanted: None,
            budget: BUDGET,
            opened: false,
            freshness: Freshness::Stale,
            rev: None,
            reader: None,
            announced: false,
            checking: None,
            glyphs: GlyphSet::Unicode.glyphs(),
        }
    }

    fn is_admin(&self) -> bool {
        self.reader.is_some_and(|(_, role)| role == OperatorRole::Admin)
    }

    fn shown<'a>(trail: &'a Trail, times: Times, glyphs: &'static Glyphs) -> Shown<'a> {
        Shown { trail, times, glyphs, roles: Roles::Shown }
    }

    fn with_table<R>(&mut self, look: &Look, act: impl FnOnce(&mut TableState<u64>, &Shown<'_>) -> R) -> R {
        act(&mut self.table, &Self::shown(&self.trail, Times::of(look), self.glyphs))
    }

    fn try_again(&mut self) {
        if self.freshness == Freshness::Failed {
            self.freshness = Freshness::Stale;
        }
    }

    fn wants_older(&self) -> bool {
        let below = self.trail.shown_len().saturating_sub(self.table.selected_index().unwrap_or(0));
        self.trail.older().is_some() && below < AHEAD && (self.trail.filter().is_empty() || self.budget > 0)
    }

    fn wants_to_read(&self) -> bool {
        let something = match self.freshness {
            Freshness::Stale => true,
            Freshness::Current => self.wanted.is_some() || self.wants_older(),
            Freshness::Failed => false,
        };
        self.opened && self.reading.is_none() && something
    }

    /// Asks for what is to be read next, one thing at a time.
    fn read_on(&mut self, out: &mut Vec<Ask>) {
        if !self.wants_to_read() {
            return;
        }
        let page = |before, limit| Ask::Do(Job::Audit { before, limit, about: None });
        let (reading, ask) = if self.is_admin() && !self.announced {
            self.announced = true;
            let job = Job::Run { command: Command::ReadAudit, said: String::new() };
            (Reading::Announcement, Ask::Do(job))
        } else if let Some(seq) = self.wanted {
            (Reading::One, page(Some(seq + 1), 1))
        } else if self.freshness == Freshness::Stale {
            (Reading::Newest, page(None, PAGE))
        } else {
            (Reading::Older, page(self.trail.older(), PAGE))
        };
        self.reading = Some(reading);
        out.push(ask);
    }

    fn took(&mut self, page: &AuditPage, look: &Look, out: &mut Vec<Ask>) {
        match self.reading.take() {
            Some(Reading::Newest) => {
                if let Some(before) = self.trail.add_newest(page) {
                    self.reading = Some(Reading::Newest);
                    out.push(Ask::Do(Job::Audit { before: Some(before), limit: PAGE, about: None }));
                } else {
                    self.freshness = Freshness::Current;
                }
            }
            Some(Reading::Older) => {
                self.budget = self.budget.saturating_sub(page.lines.len().max(1));
                self.trail.add_older(page);
            }
            Some(Reading::One) => {
                let wanted = self.wanted.take();
                match page.lines.first().filter(|line| Some(line.entry.seq) == wanted) {
                    Some(line) => {
                        out.push(Ask::Push(Box::new(audit_entry::entry(line, look))));
                    }
                    None => {
                        out.push(Ask::Complain(
                            "That entry cannot be read any more. Check the chain.".into(),
                        ));
                    }
                }
            }
            Some(Reading::Announcement) | None => {}
        }
        self.with_table(look, |table, rows| table.settle(rows));
    }

    fn set_filter(&mut self, look: &Look) {
        let typed = self.typing.as_ref().map_or(self.filter.as_str(), TextField::text).trim().to_owned();
        self.filter = typed;
        self.budget = BUDGET;
        self.trail.set_filter(Filter::parse(&self.filter));
        self.with_table(look, |table, rows| table.settle(rows));
    }

    fn act(&mut self, action: Action, look: &Look, now: Now, out: &mut Vec<Ask>) -> bool {
        match action {
            Action::Open if self.typing.is_some() => self.typing = None,
            Action::Open => self.wanted = self.table.selected().copied(),
            Action::Filter => {
                let field = TextField::new("").placeholder(Term::EXAMPLES);
                self.typing = Some(field.filled(&self.filter));
            }
            Action::Back => {
                if self.checking.take().is_some() {
                    out.push(Ask::Say("the check goes on; nobody waits for it any more".into()));
                } else {
                    self.typing = None;
                    self.filter.clear();
                    self.set_filter(look);
                }
            }
            Action::Check => {
                self.checking = Some((0, now.at + SPIN));
                out.push(Ask::Do(Job::CheckAudit));
            }
            _ => {
                self.budget = BUDGET;
                return self.with_table(look, |table, rows| table.act(action, rows)) != Handled::Ignored;
            }
        }
        true
    }

    fn draw_last_line(&self, canvas: &mut Canvas<'_>, row: Rect, times: Times) {
        if row.is_empty() {
            return;
        }
        let row = layout::inset(row, 1, 0);
        if let Some((step, _)) = self.checking {
            let said = format!("{} checking the whole chain…  esc stops waiting", canvas.glyphs().spin(step));
            canvas.fit(row.x, row.y, row.width, &said, Role::Info);
            return;
        }
        if let Some(field) = &self.typing {
            let key = canvas.style(Role::Key);
            let x = canvas.print(row.x, row.y, row.width, "/ ", key);
            let cells = row.right().saturating_sub(x);
            let count = format!("{} of {}", self.trail.shown_len(), self.trail.read());
            let (input, rest) =
                layout::left(Rect { x, width: cells, ..row }, cells.saturating_sub(18).max(cells / 2));
            field.draw_input(canvas, input, Focus::Here);
            canvas.fit(rest.x.saturating_add(2), rest.y, rest.width.saturating_sub(2), &count, Role::Dim);
            return;
        }
        let dot = format!(" {} ", canvas.glyphs().dot);
        let mut said = Vec::new();
        let read = self.trail.read();
        if self.filter.is_empty() {
            said.push(if read == 1 { "1 entry".into() } else { format!("{read} entries") });
        } else {
            said.push(format!("{} of {read} entries for \"{}\"", self.trail.shown_len(), self.filter));
        }
        match (self.trail.older(), self.trail.reaches_back_to()) {
            (Some(_), Some(at)) if self.budget == 0 => {
                said.push(format!("looked back to {}; go down to look further", times.date(at)));
            }
            (Some(_), Some(at)) => {
                said.push(format!("back to {}; older ones come as you go down", times.date(at)));
            }
            (None, Some(_)) => said.push("that is all".into()),
            _ => {}
        }
        if !self.is_admin() {
            said.push("only what you did and what concerns your keys".into());
        }
        let end = canvas.fit(row.x, row.y, row.width, &said.join(&dot), Role::Dim);
        if !self.filter.is_empty() {
            canvas.fit(
                end,
                row.y,
                row.right().saturating_sub(end),
                &format!("{dot}esc shows all"),
                Role::Dim,
            );
        }
    }
}

impl Screen for Audit {
    fn tab(&self) -> Tab {
        Tab::Audit
    }

    fn refresh(&mut self, look: &Look) {
        let reader = look.view(|view| view.operator().map(|operator| (operator.id, operator.role)));
        if self.reader.is_some() && self.reader != reader {
            // Somebody else, or another role: another trail.
            *self = Self { opened: self.opened, ..Self::new() };
        }
        self.reader = reader;
        let rev = Some(look.engine.health().rev);
        if self.rev != rev {
            self.rev = rev;
            self.freshness = Freshness::Stale;
        }
    }

    fn arrive(&mut self, errand: Errand, look: &Look, out: &mut Vec<Ask>) {
        self.opened = true;
        self.try_again();
        match errand {
            Errand::None => {}
            Errand::Filter(text) => {
                self.filter = text;
                self.typing = None;
                self.set_filter(look);
            }
            Errand::Key(_) | Errand::App(_) => {
                self.filter = match errand {
                    Errand::App(id) => id.to_string(),
                    Errand::Key(id) => id.to_string(),
                    Errand::None | Errand::Filter(_) => String::new(),
                };
                self.typing = None;
                self.set_filter(look);
            }
        }
        self.read_on(out);
    }

    fn hear(&mut self, cue: Cue<'_>, look: &Look, now: Now, out: &mut Vec<Ask>) -> bool {
        let used = match cue {
            Cue::Tick => {
                if let Some((step, at)) = &mut self.checking {
                    *step += 1;
                    *at = now.at + SPIN;
                }
                true
            }
            Cue::Do(action) => {
                self.try_again();
                self.act(action, look, now, out)
            }
            Cue::Type(_) | Cue::Edit(_) | Cue::Paste(_) => match &mut self.typing {
                Some(field) => {
                    match cue {
                        Cue::Type(c) => field.type_char(c.0),
                        Cue::Edit(edit) => field.edit(edit),
                        Cue::Paste(pasted) => field.paste(pasted.0),
                        _ => {}
                    }
                    self.set_filter(look);
                    true
                }
                None => false,
            },
            Cue::Click(Target::Row { row, .. }) => {
                if self.table.selected_index() == Some(row) {
                    self.wanted = self.table.selected().copied();
                } else {
                    self.with_table(look, |table, rows| table.go(rows, row));
                }
                true
            }
            Cue::Wheel { rows: by, .. } => {
                self.with_table(look, |table, rows| table.scroll(rows, by));
                true
            }
            Cue::Click(_) => false,
        };
        self.read_on(out);
        used
    }

    fn told(&mut self, answer: Answer, look: &Look, _: Now, out: &mut Vec<Ask>) {
        match answer {
            Answer::Audit(page) => self.took(&page, look, out),
            Answer::Checked(report) if self.checking.take().is_some() => {
                out.push(Ask::Push(Box::new(audit_entry::report(&report, self.glyphs))));
            }
            // Whether the reading could be written down or not: a store in doubt must be looked at all the more.
            Answer::Done { .. } => self.reading = None,
            Answer::Refused(_) => {
                if self.reading.take() != Some(Reading::Announcement) {
                    self.freshness = Freshness::Failed;
                }
                self.wanted = None;
                self.checking = None;
            }
            _ => {}
        }
        self.read_on(out);
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, look: &Look, _: Now) {
        self.glyphs = canvas.glyphs();
        let times = Times::of(look);
        let wrong = self.trail.filter().mistakes.first();
        let wrong = wrong.map(|mistake| format!("{} {mistake}", self.glyphs.bad));
        let wrong =
            wrong.map_or_else(Vec::new, |said| text::wrap(&said, area.width.saturating_sub(4).max(1)));
        let told = u16::try_from(wrong.len()).unwrap_or(u16::MAX).min(area.height / 2);
        let (body, last) = layout::bottom(area, 1 + told);
        let (last, told) = layout::top(last, 1);
        for (row, said) in (0..told.height).zip(&wrong) {
            let row = layout::row(told, row);
            canvas.fit(row.x + 3, row.y, row.width.saturating_sub(4), said, Role::Bad);
        }
        let empty = if self.reading.is_some() || self.freshness == Freshness::Stale {
            "Reading the trail…"
        } else if self.filter.is_empty() {
            "The trail is empty."
        } else {
            "No entry matches. Try who:NAME, event:key.revoke, via:cli, refused, or other words."
        };
        let (roles, columns): (_, &[Column]) =
            if body.width < WITH_ROLES { (Roles::Left, &NARROW) } else { (Roles::Shown, &WIDE) };
        let rows = Shown { roles, ..Self::shown(&self.trail, times, self.glyphs) };
        let view = View { focus: Focus::Here, pane: PANE, empty };
        self.table.draw(canvas, body, columns, &rows, view);
        self.draw_last_line(canvas, last, times);
    }

    fn count(&self) -> Option<usize> {
        None
    }

    fn hints(&self) -> &[Action] {
        if self.typing.is_some() {
            &[Action::Open, Action::Back]
        } else {
            &[Action::Open, Action::Filter, Action::Check, Action::Back]
        }
    }

    fn enabled(&self, action: Action, _: &Look) -> Result<(), Reason> {
        match action {
            Action::Open if self.typing.is_none() && self.table.selected().is_none() => {
                Err("there is no entry to open".into())
            }
            Action::Check if self.checking.is_some() => Err("the check is under way".into()),
            Action::Back if self.typing.is_none() && self.filter.is_empty() && self.checking.is_none() => {
                Err("there is nothing to step back from".into())
            }
            Action::Up
            | Action::Down
            | Action::HalfUp
            | Action::HalfDown
            | Action::PageUp
            | Action::PageDown
            | Action::Top
            | Action::Bottom
            | Action::Open
            | Action::Filter
            | Action::Check
            | Action::Back => Ok(()),
            _ => Err("this is not possible in the audit trail".into()),
        }
    }

    fn text_focus(&self) -> TextFocus {
        if self.typing.is_some() { TextFocus::Here } else { TextFocus::Elsewhere }
    }

    fn wake_at(&self) -> Option<Moment> {
        let read = self.wants_to_read().then(Moment::default);
        self.checking.map(|(_, at)| at).into_iter().chain(read).min()
    }
}
