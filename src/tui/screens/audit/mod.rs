//! The audit tab: the trail, newest first, in words. Read page by page as one goes down; what happens meanwhile
//! comes on top without moving the selection. An admin's first look in a session is itself an entry.

mod trail;

use std::time::Duration;

use ratatui::layout::Rect;

use self::trail::{Entries, Sight, Trail};
use super::{Screen, not_here};
use crate::domain::{Command, OperatorId, Role as OperatorRole};
use crate::engine::AuditPage;
use crate::store::Rev;
use crate::tui::action::{Action, Reason};
use crate::tui::app::ask::{Answer, Ask, Errand, Job};
use crate::tui::app::look::Look;
use crate::tui::app::times::Times;
use crate::tui::canvas::Canvas;
use crate::tui::clock::{Moment, Now};
use crate::tui::input::TextFocus;
use crate::tui::list::habit::Habitual;
use crate::tui::list::lines::Lines;
use crate::tui::list::{Change, List};
use crate::tui::overlay::Cue;
use crate::tui::overlays::audit_entry;
use crate::tui::sight::jump::Offer;
use crate::tui::theme::{GlyphSet, Glyphs, Role};
use crate::tui::widgets::{Focus, layout, walks};

/// Entries read at once.
const PAGE: usize = 200;
/// Rows below the selection under which older entries are read.
const AHEAD: usize = 100;
/// Entries a filter looks through by itself; going down looks further.
const BUDGET: usize = 5_000;
/// Entries one can jump to.
const OFFERED: usize = 1_000;
/// Time between two signs of the spinner.
const SPIN: Duration = Duration::from_millis(100);
/// Which list of the screen the table is.
const PANE: u8 = 0;

/// What is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// Nothing yet: the entry that somebody reads is being written.
    Announcement,
    Newest,
    Older,
    /// One entry, to be opened.
    One,
}

/// Whether the newest entries are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Freshness {
    Current,
    /// There may be newer ones.
    Stale,
    /// Reading failed; not tried again before the next key.
    Failed,
}

pub struct Audit {
    trail: Trail,
    list: List<Entries>,
    reading: Option<Reading>,
    /// The entry somebody wants to open.
    wanted: Option<u64>,
    /// Entries the filter may still look through by itself.
    budget: usize,
    /// Somebody went to the last entry, and older ones come: the selection goes on with them.
    to_end: bool,
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

impl Audit {
    pub(super) fn new() -> Self {
        Self {
            trail: Trail::default(),
            list: List::new(PANE, trail::columns(0)),
            reading: None,
            wanted: None,
            budget: BUDGET,
            to_end: false,
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

    /// Shows what was read by now.
    fn show(&mut self, look: &Look) {
        let sight = Sight { trail: &self.trail, times: Times::of(look) };
        self.list.fill(self.trail.numbers(), &sight);
    }

    fn hear_list(&mut self, cue: Cue<'_>, look: &Look) -> bool {
        let change = self.list.hear(cue);
        if change != Change::Ignored {
            self.budget = BUDGET;
        }
        self.list.settle(change, &Sight { trail: &self.trail, times: Times::of(look) })
    }

    fn try_again(&mut self) {
        if self.freshness == Freshness::Failed {
            self.freshness = Freshness::Stale;
        }
    }

    fn wants_older(&self) -> bool {
        let below = self.list.shown().saturating_sub(self.list.index());
        self.trail.older().is_some() && below < AHEAD && (!self.list.is_filtered() || self.budget > 0)
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
                        out.push(Ask::open(audit_entry::entry(line, look)));
                    }
                    None => out.push(Ask::Complain(match &page.older {
                        Some(older) => {
                            let times = Times::of(look);
                            format!("That entry was taken out: {}", older.in_words(|at| times.date(at)))
                        }
                        None => "That entry cannot be read any more. Check the chain.".into(),
                    })),
                }
            }
            Some(Reading::Announcement) | None => {}
        }
        self.show(look);
        if self.to_end {
            self.list.go(usize::MAX);
            self.to_end = self.trail.older().is_some() && self.budget > 0;
        }
    }

    fn set_filter(&mut self, text: &str, look: &Look) {
        self.budget = BUDGET;
        self.list.set_filter(text);
        self.show(look);
    }

    fn act(&mut self, action: Action, look: &Look, now: Now, out: &mut Vec<Ask>) -> bool {
        let typing = self.list.text_focus() == TextFocus::Here;
        match action {
            Action::Open if !typing => self.wanted = self.list.selected(),
            Action::Back if self.checking.take().is_some() => {
                out.push(Ask::Say("the check goes on; nobody waits for it any more".into()));
            }
            Action::Check => {
                self.checking = Some((0, now.at + SPIN));
                out.push(Ask::Do(Job::CheckAudit));
            }
            _ => return self.hear_list(Cue::Do(action), look),
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
        let dot = format!(" {} ", canvas.glyphs().dot);
        let read = self.trail.read();
        let mut said = vec![if read == 1 { "1 entry".into() } else { format!("{read} entries") }];
        match (self.trail.older(), self.trail.reaches_back_to()) {
            (Some(_), Some(at)) if self.budget == 0 => {
                said.push(format!("looked back to {}; go down to look further", times.date(at)));
            }
            (Some(_), Some(at)) => {
                said.push(format!("back to {}; older ones come as you go down", times.date(at)));
            }
            (None, Some(_)) => said.push(match self.trail.elsewhere() {
                Some(older) => older.in_words(|at| times.date(at)),
                None => "that is all".into(),
            }),
            _ => {}
        }
        if !self.is_admin() {
            said.push("only what you did and what concerns your keys".into());
        }
        canvas.fit(row.x, row.y, row.width, &said.join(&dot), Role::Dim);
    }
}

impl Screen for Audit {
    fn refresh(&mut self, look: &Look, _: &mut Vec<Ask>) {
        let reader = look.view(|view| view.operator().map(|operator| (operator.id, operator.role)));
        if self.reader.is_some() && self.reader != reader {
            // Somebody else, or another role: another trail.
            *self = Self { opened: self.opened, ..Self::new() };
        }
        self.reader = reader;
        let rev = Some(look.engine.condition().health.rev);
        if self.rev != rev {
            self.rev = rev;
            self.freshness = Freshness::Stale;
        }
        self.show(look);
    }

    fn arrive(&mut self, errand: Errand, look: &Look, out: &mut Vec<Ask>) {
        self.opened = true;
        self.try_again();
        match errand {
            Errand::None | Errand::Location(_) | Errand::Setting(_) | Errand::With(..) => {}
            Errand::Entry(seq) => {
                self.set_filter("", look);
                self.list.select(seq, &Sight { trail: &self.trail, times: Times::of(look) });
                self.wanted = Some(seq);
            }
            Errand::Filter(text) => self.set_filter(&text, look),
            Errand::App(id) => self.set_filter(&id.to_string(), look),
            Errand::Key(id) | Errand::Open(id) => self.set_filter(&id.to_string(), look),
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
                self.to_end = action == Action::Bottom && self.trail.older().is_some();
                self.act(action, look, now, out)
            }
            cue => {
                self.to_end = false;
                self.hear_list(cue, look)
            }
        };
        self.read_on(out);
        used
    }

    fn told(&mut self, answer: Answer, look: &Look, _: Now, out: &mut Vec<Ask>) {
        match answer {
            Answer::Audit(page) => self.took(&page, look, out),
            Answer::Checked(report) if self.checking.take().is_some() => {
                out.push(Ask::open(audit_entry::report(&report, self.glyphs)));
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

    /// What was read of the trail. Reading more of it is an entry itself, so nobody reads it by typing.
    fn offers(&self, look: &Look) -> Vec<Offer> {
        self.trail.offers(Times::of(look)).take(OFFERED).collect()
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, look: &Look, _: Now) {
        self.glyphs = canvas.glyphs();
        let times = Times::of(look);
        let (body, last) = layout::bottom(area, 1);
        let empty = if self.reading.is_some() || self.freshness == Freshness::Stale {
            "Reading the trail…"
        } else {
            "The trail is empty."
        };
        self.list.set_columns(trail::columns(body.width));
        let sight = Sight { trail: &self.trail, times };
        self.list.draw(canvas, body, &sight, Focus::Here, empty);
        self.draw_last_line(canvas, last, times);
    }

    fn lines(&mut self) -> Option<&mut Lines> {
        Some(&mut self.list.lines)
    }

    fn hints(&self) -> &[Action] {
        if self.text_focus() == TextFocus::Here {
            &[Action::Open, Action::Back]
        } else {
            &[Action::Open, Action::Filter, Action::Check, Action::Back]
        }
    }

    fn enabled(&self, action: Action, look: &Look) -> Result<(), Reason> {
        let typing = self.text_focus() == TextFocus::Here;
        match action {
            Action::Open if !typing && self.list.selected().is_none() => {
                Err("there is no entry to open".into())
            }
            Action::Check if self.checking.is_some() => Err("the check is under way".into()),
            Action::Back if !typing && !self.list.is_filtered() && self.checking.is_none() => {
                Err("there is nothing to step back from".into())
            }
            _ if walks(action) => Ok(()),
            Action::Open | Action::Filter | Action::Check | Action::Back => Ok(()),
            _ => Err(not_here(action, look)),
        }
    }

    fn habitual(&mut self) -> Vec<(&'static str, &mut dyn Habitual)> {
        vec![("audit", &mut self.list)]
    }

    fn text_focus(&self) -> TextFocus {
        self.list.text_focus()
    }

    fn wake_at(&self) -> Option<Moment> {
        let read = self.wants_to_read().then(Moment::default);
        self.checking.map(|(_, at)| at).into_iter().chain(read).min()
    }
}
