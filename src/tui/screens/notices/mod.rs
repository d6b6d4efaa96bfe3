//! The notices: one list of what time is about to do to keys and has done, and of what is wrong, what happens next first.
//! Below it why; and all that can be done about it, in place.
//!
//! ```text
//!   When ▲     What happens                 Key               If left alone
//! ▸ in 21 h    ◐ deleted, unused (3 of 3)   Webhook relay     dead for good
//!   in 2 d     ▲ expires                    Lead forms        401 for its callers, last 2 h ago
//! ── Webhook relay ──────────────────────────────────────────────────────────────────────────
//!   Unused since 2026-08-24 14:02 from 10.1.4.20 by curl/8.5.
//!   Deleted on 2026-11-27 23:10, not before. A use stops that, and so does keeping it (K).
//! ```
//!
//! - `rows`: the list. `detail`: why.

mod detail;
mod rows;

use std::sync::Arc;

use ratatui::layout::Rect;

use self::rows::{Row, RowId, Rows, Sight};
use super::keys::acts::Acts;
use super::keys::history::History;
use super::keys::used::Used;
use super::{Screen, not_here};
use crate::domain::command::NoticeRef;
use crate::domain::lifecycle::NoticeKind;
use crate::domain::notice::{Notice, What};
use crate::domain::{Bearer, Command, Expiry, Key, KeyId, Status};
use crate::engine::Troubles;
use crate::tui::action::{Action, Reason};
use crate::tui::app::ask::{Answer, Ask, Errand, Job, Tab};
use crate::tui::app::due::Due;
use crate::tui::app::look::Look;
use crate::tui::app::times::Times;
use crate::tui::canvas::Canvas;
use crate::tui::clock::{Moment, Now};
use crate::tui::input::TextFocus;
use crate::tui::list::beside::Beside;
use crate::tui::list::habit::Habitual;
use crate::tui::list::lines::Lines;
use crate::tui::overlay::Cue;
use crate::tui::overlays::{chooser::Chooser, confirm, key_edit};
use crate::tui::sight::calendar::Calendar;
use crate::tui::sight::deeds;
use crate::tui::sight::seen::{Seen, seen};
use crate::tui::widgets::picker::{PickItem, Picker};
use crate::tui::widgets::{Focus, walks};

/// The numbers of list and detail for the mouse.
const PANES: (u8, u8) = (1, 2);

const HINTS: [Action; 11] = [
    Action::Open,
    Action::Keep,
    Action::Edit,
    Action::Acknowledge,
    Action::Snooze,
    Action::Protect,
    Action::Pause,
    Action::Revoke,
    Action::Undo,
    Action::Calendar,
    Action::Filter,
];

/// Rows from which there is room for a strip of the next days.
const ROOMY: u16 = 22;

/// How long a notice can be put off.
const LATER: [(&str, &str); 3] = [("1d", "1 day"), ("3d", "3 days"), ("1w", "1 week")];

pub struct Notices {
    rows: Rows,
    /// What the rows were made of.
    board: Arc<[Notice]>,
    troubles: Troubles,
    calendar: Option<Calendar>,
    beside: Beside<rows::Notices>,
    acts: Acts,
    history: History,
    used: Used,
    /// The key of the selected notice as it was when last looked at.
    last: Option<Key>,
}

impl Notices {
    /// Empty until it was told what there is.
    pub(super) fn new() -> Self {
        Self {
            rows: Rows::new(),
            board: Arc::default(),
            troubles: Troubles::default(),
            calendar: None,
            beside: Beside::new(PANES, Vec::new()).below(),
            acts: Acts::default(),
            history: History::default(),
            used: Used::default(),
            last: None,
        }
    }

    fn row(&self) -> Option<&Row> {
        self.rows.get(&self.beside.list.selected()?)
    }

    /// The key of the selected notice, if it is about one.
    fn key(&self) -> Option<KeyId> {
        self.row().and_then(|row| row.notice.key)
    }

    /// Makes the rows anew, by what they are about, so that the selection stays.
    fn fill(&mut self, seen: &Seen<'_>) {
        let rows = self.board.iter().enumerate();
        let rows = rows.filter_map(|(at, notice)| Some((RowId::of(notice)?, Row { at, notice: *notice })));
        self.rows = rows.collect();
        let sight = Sight { rows: &self.rows, troubles: &self.troubles, seen };
        self.beside.list.set_columns(rows::columns(seen));
        self.beside.list.fill(self.rows.keys().copied(), &sight);
        self.look_at_selected(seen);
    }

    fn look_at_selected(&mut self, seen: &Seen<'_>) {
        let now = self.key().and_then(|id| seen.view.key(id)).cloned();
        if now != self.last {
            self.history.outdate();
            self.last = now;
        }
    }

    /// What Enter does: it leads to what the notice is about.
    fn open(&self, look: &Look, out: &mut Vec<Ask>) {
        let Some(row) = self.row() else { return };
        match row.notice.what {
            What::Trouble(_) => out.push(Ask::Go(Tab::Settings, Errand::None)),
            What::Held(_) | What::PutBack => out.extend(confirm::hold::ask(look).map(Ask::open)),
            What::LockedDown(extent) => out.push(Ask::open(confirm::lockdown::ask(look, extent))),
            What::OwnerGone(owner, _) => {
                let (tab, name) = look.view(|view| {
                    let first = view.keys().find(|key| key.owner == owner).map(|key| Tab::of(key.place));
                    (first.unwrap_or(Tab::Agency), view.name_of(owner).to_owned())
                });
                out.push(Ask::Go(tab, Errand::Filter(format!("owner:\"{name}\" state:live"))));
            }
            What::Deletion { .. }
            | What::Ends
            | What::GraceEnds
            | What::StillUsed
            | What::Ended
            | What::Clears
            | What::Deleted
            | What::Presented { .. }
            | What::Restored => {
                out.extend(row.notice.app.map(|app| Ask::Go(Tab::Apps, Errand::App(app))));
                let key = row.notice.key.and_then(|id| look.view(|view| view.key(id).cloned()));
                out.extend(key.map(|key| Ask::Go(Tab::of(key.place), Errand::of(&key, look.now()))));
            }
        }
    }

    /// The notice somebody says they have seen, as they see it.
    fn seen_as(&self) -> Option<NoticeRef> {
        let notice = &self.row()?.notice;
        Some(NoticeRef { key: notice.key?, kind: notice.what.kind()?, since: notice.since })
    }

    fn acknowledge(&self, out: &mut Vec<Ask>, look: &Look) {
        let Some(notice) = self.seen_as() else { return };
        let said = format!("{} is not shown until its next step", self.called(look));
        out.push(Ask::Do(Job::Run { command: Command::AckNotice(notice), said }));
    }

    /// Asks for how long a notice is put off.
    fn snooze(&self, out: &mut Vec<Ask>, look: &Look) {
        let Some(notice) = self.seen_as() else { return };
        let called = self.called(look);
        let item = |(life, words): (&'static str, &str)| PickItem {
            key: (life, words.to_owned()),
            text: words.to_owned(),
            hint: String::new(),
            disabled: None,
        };
        let picker = Picker::new(LATER.map(item).to_vec(), "for how long?");
        out.push(Ask::open(Chooser::new(
            "Show it again later",
            (44, 9),
            picker,
            move |(life, words), look: &Look| {
                let until = Times::of(look).read_expiry(life).ok();
                let Some(until) = until.and_then(Expiry::instant) else {
                    return Ask::Say("that is no time to come".to_owned());
                };
                let said = format!("{called} is shown again in {words}, or at its next step");
                Ask::Do(Job::Run { command: Command::SnoozeNotice { notice, until }, said })
            },
        )));
    }

    /// What a notice is called in a sentence.
    fn called(&self, look: &Look) -> String {
        let name = self.key().and_then(|id| look.view(|view| view.key(id).map(|key| key.name.to_string())));
        format!("the notice of {}", name.unwrap_or_default())
    }

    fn may_be_seen(&self, look: &Look) -> Result<(), Reason> {
        let Some(row) = self.row() else { return Err("there is no notice here".into()) };
        let Some(notice) = self.seen_as() else {
            return Err("that stays until it is over".into());
        };
        if !row.notice.can_be_seen() {
            return Err("nobody was told of that yet".into());
        }
        let command = Command::AckNotice(notice);
        seen(look, |seen| match deeds::objection(&command, seen) {
            Some(refusal) => Err(refusal.to_string().into()),
            None => Ok(()),
        })
    }

    fn act(&mut self, action: Action, look: &Look, out: &mut Vec<Ask>) -> bool {
        let target: Vec<KeyId> = self.key().into_iter().collect();
        match action {
            Action::Open => self.open(look, out),
            Action::Acknowledge => self.acknowledge(out, look),
            Action::Snooze => self.snooze(out, look),
            // What is wanted of a key that ends is another end.
            Action::Edit if self.row().is_some_and(|row| row.notice.what == What::Ends) => {
                out.extend(self.key().and_then(|key| key_edit::extend(look, key)).map(Ask::open));
            }
            Action::RowMenu => {
                let screen = &*self;
                out.push(Acts::menu(&target, self.key(), look, |action| screen.enabled(action, look)));
            }
            action => return self.acts.perform(action, &target, look, out),
        }
        true
    }
}

impl Screen for Notices {
    fn board(&mut self, due: &Due, look: &Look, _: &mut Vec<Ask>) {
        self.board = due.board();
        self.troubles.clone_from(due.troubles());
        self.calendar = due.calendar().cloned();
        seen(look, |seen| self.fill(seen));
    }

    fn refresh(&mut self, look: &Look, _: &mut Vec<Ask>) {
        seen(look, |seen| {
            self.acts.refresh(seen);
            // Who knocks at a paused key changes nothing of it but the trail.
            let key = self.key().and_then(|id| seen.view.key(id));
            if key.is_some_and(|key| matches!(key.status, Status::Paused(_))) {
                self.history.outdate();
            }
            self.look_at_selected(seen);
        });
    }

    fn arrive(&mut self, errand: Errand, look: &Look, _: &mut Vec<Ask>) {
        seen(look, |seen| {
            let sight = Sight { rows: &self.rows, troubles: &self.troubles, seen };
            match errand {
                Errand::None
                | Errand::App(_)
                | Errand::Location(_)
                | Errand::Setting(_)
                | Errand::Entry(_)
                | Errand::With(..) => {}
                Errand::Filter(text) => {
                    self.beside.list.set_filter(&text);
                    self.beside.list.sift(&sight);
                }
                Errand::Key(key) | Errand::Open(key) => {
                    let row = NoticeKind::ALL.map(|kind| RowId::Key(key, kind));
                    if let Some(row) = row.into_iter().find(|row| self.rows.contains_key(row)) {
                        self.beside.list.select(row, &sight);
                    }
                }
            }
        });
    }

    fn hear(&mut self, cue: Cue<'_>, look: &Look, now: Now, out: &mut Vec<Ask>) -> bool {
        if cue == Cue::Tick {
            self.history.tick(now, out);
            self.used.tick(now, out);
            return true;
        }
        if let Cue::Do(action) = cue
            && self.text_focus() == TextFocus::Elsewhere
        {
            // Nothing is done to several notices at once.
            if matches!(action, Action::Mark | Action::MarkAll | Action::MarkRange | Action::MarkNone) {
                return false;
            }
            if self.act(action, look, out) {
                return true;
            }
        }
        let change = self.beside.hear(cue);
        seen(look, |seen| {
            let sight = Sight { rows: &self.rows, troubles: &self.troubles, seen };
            let used = self.beside.list.settle(change, &sight);
            self.look_at_selected(seen);
            used
        })
    }

    fn told(&mut self, answer: Answer, look: &Look, _: Now, out: &mut Vec<Ask>) {
        match answer {
            Answer::Use(about, picture) => self.used.take(about, *picture),
            answer => {
                if let Answer::Refused(_) = answer {
                    self.used.give_up();
                }
                self.acts.told(answer, &mut self.history, look, out);
            }
        }
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, look: &Look, now: Now) {
        const EMPTY: &str = "Nothing is due: no key ends soon or goes unused for long, and nothing is wrong.";
        let ahead = self.calendar.as_ref().filter(|ahead| area.height >= ROOMY && ahead.total() > 0);
        let area = ahead.map_or(area, |ahead| ahead.draw_strip(canvas, area));
        let (list, room) = self.beside.rooms(canvas, area);
        let on_list = Focus::when(!(self.beside.is_inside() && self.beside.is_open()));
        seen(look, |seen| {
            let sight = Sight { rows: &self.rows, troubles: &self.troubles, seen };
            if !list.is_empty() {
                self.beside.list.draw(canvas, list, &sight, on_list, EMPTY);
            }
            let row = self.beside.list.selected().and_then(|id| self.rows.get(&id));
            let row = row.filter(|_| !room.is_empty());
            self.history.want(row.and_then(|row| row.notice.key), now);
            // Who would miss it is asked of what lives or did until now.
            let key = row.and_then(|row| sight.key(&row.notice)).filter(|key| !key.is_decoy());
            let mark = |key: &Key| (seen.usage(key).last_used_at, seen.usage(key).count, None);
            self.used.want(key.map(|key| (Bearer::Key(key.id), mark(key))), now);
            let Some(row) = row else { return };
            let used = key.and_then(|key| self.used.of(Bearer::Key(key.id)));
            let told = (
                row.notice.key.and_then(|key| self.history.of(key)),
                used.map(|picture| (picture, self.beside.cells(room))),
            );
            let lines = detail::lines(canvas.glyphs(), row, &sight, told, &look.keymap);
            self.beside.draw_detail(canvas, room, &look.keymap, Focus::Here, lines);
        });
    }

    fn lines(&mut self) -> Option<&mut Lines> {
        Some(&mut self.beside.list.lines)
    }

    fn hints(&self) -> &[Action] {
        &HINTS
    }

    fn enabled(&self, action: Action, look: &Look) -> Result<(), Reason> {
        let when = |possible: bool, why: &'static str| if possible { Ok(()) } else { Err(why.into()) };
        let some = || when(self.row().is_some(), "there is no notice here");
        match action {
            _ if walks(action) => Ok(()),
            Action::Sort | Action::Columns => Ok(()),
            Action::Filter => when(!self.beside.list.is_empty(), "there is nothing to filter"),
            Action::Open | Action::Right => some(),
            Action::Left => when(self.beside.is_open(), "there is nothing to the left"),
            Action::Back => {
                let somewhere = self.text_focus() == TextFocus::Here
                    || self.beside.is_open()
                    || self.beside.list.is_filtered();
                when(somewhere, "there is nothing to step back from; q quits")
            }
            Action::Acknowledge | Action::Snooze => self.may_be_seen(look),
            Action::RowMenu => {
                some().and_then(|()| when(self.key().is_some(), "that is not about one key; Enter opens it"))
            }
            _ => {
                let target: Vec<KeyId> = self.key().into_iter().collect();
                match self.acts.enabled(action, &target, look) {
                    Some(_) if target.is_empty() && !matches!(action, Action::Undo | Action::TestToken) => {
                        some().and(Err("that is not about one key; Enter opens it".into()))
                    }
                    Some(judged) => judged,
                    None => Err(not_here(action, look)),
                }
            }
        }
    }

    fn undoes(&self) -> Option<String> {
        self.acts.undoes()
    }

    fn habitual(&mut self) -> Vec<(&'static str, &mut dyn Habitual)> {
        vec![("notices", &mut self.beside)]
    }

    fn text_focus(&self) -> TextFocus {
        self.beside.list.text_focus()
    }

    fn wake_at(&self) -> Option<Moment> {
        self.history.wake_at().into_iter().chain(self.used.wake_at()).min()
    }
}
