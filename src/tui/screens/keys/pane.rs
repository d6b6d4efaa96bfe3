//! A table of keys with the detail of the selected one beside or over it, and everything that can be done to keys
//! from there. The screens of keys are made of it.

use ratatui::layout::Rect;

use super::{
    deeds::{self, Deed},
    detail::{self, Detail},
    history::History,
    list::{self, Change, KeyList, Subset},
    seen::seen,
};
use crate::{
    domain::{Command, Event, Key, KeyId, KeyState, Place},
    tui::{
        action::{Action, Layer, Reason},
        app::{
            ask::{Answer, Ask, Errand, Job},
            look::Look,
        },
        canvas::{Canvas, Target},
        clipboard::Keep,
        clock::{Moment, Now},
        input::TextFocus,
        overlay::Cue,
        overlays::{
            confirm::Confirm, create_key::CreateKey, how_to::HowTo, rescope::Rescope, row_menu::RowMenu,
        },
        secret::SecretText,
        widgets::{Focus, Handled, layout},
    },
};

/// Columns from which table and detail stand side by side.
const WIDE: u16 = 104;

/// What a key press can be about here, most important first, for the hint bar.
pub const HINTS: [Action; 11] = [
    Action::New,
    Action::Filter,
    Action::Open,
    Action::Edit,
    Action::Pause,
    Action::Revoke,
    Action::Undo,
    Action::HowTo,
    Action::Mark,
    Action::Sort,
    Action::RowMenu,
];

/// A table of keys with its detail.
pub struct KeyPane {
    /// The table.
    pub list: KeyList,
    detail: Detail,
    history: History,
    /// Whether the detail is open, once a person has said so; before that it is when there is room.
    open: Option<bool>,
    /// Whether the keyboard is in the detail.
    in_detail: bool,
    /// Whether the last frame had room for both.
    wide: bool,
    /// The selected key as it was when last looked at, to notice that something happened to it.
    last: Option<Key>,
    /// Why no key can be issued, judged when the state changed.
    issue: Result<(), Reason>,
    /// The keys of the last pause, which can be taken back.
    paused: Vec<(KeyId, String)>,
}

impl KeyPane {
    /// A pane for `subset`, empty until it has looked.
    pub fn new(subset: Subset) -> Self {
        Self {
            list: KeyList::new(subset),
            detail: Detail::default(),
            history: History::default(),
            open: None,
            in_detail: false,
            wide: false,
            last: None,
            issue: Ok(()),
            paused: Vec::new(),
        }
    }

    /// Looks again.
    pub fn refresh(&mut self, look: &Look) {
        let catalog = look.engine.catalog();
        seen(look, |seen| {
            self.list.refresh(seen);
            let is_paused = |key: &Key| key.state(seen.now()) == KeyState::Paused;
            self.paused.retain(|(key, _)| seen.view.key(*key).is_some_and(is_paused));
            let any = match self.list.subset() {
                Subset::Agency => Some(Place::Agency),
                Subset::At(location) => Some(Place::Location(location)),
                Subset::Locations => {
                    seen.view.locations().first().map(|location| Place::Location(location.id))
                }
                Subset::Of(app) => Some(Place::App(app)),
                Subset::Apps => None,
            };
            self.issue = match any {
                Some(place) => {
                    deeds::may_issue(place, seen, catalog).map_err(|refusal| refusal.to_string().into())
                }
                None if self.list.subset() == Subset::Apps => Err("select one app first".into()),
                None => Err("there is no location yet; add one first".into()),
            };
            let now = self.list.selected().and_then(|id| seen.view.key(id)).cloned();
            if now != self.last {
                self.history.outdate();
                self.last = now;
            }
        });
    }

    /// Opened with something to do.
    pub fn arrive(&mut self, errand: &Errand, look: &Look) {
        match errand {
            Errand::None | Errand::App(_) => {}
            Errand::Filter(text) => {
                self.list.set_filter(text);
                self.leave_detail();
            }
            Errand::Key(key) => seen(look, |seen| self.list.select(*key, seen)),
        }
        seen(look, |seen| self.list.apply(seen));
    }

    /// Whether the detail is shown.
    pub fn is_open(&self) -> bool {
        self.open.unwrap_or(self.wide) && self.list.selected().is_some()
    }

    /// Closes the detail if it is open, and says whether it was.
    pub fn close(&mut self) -> bool {
        let was = self.is_open();
        self.open = Some(false);
        self.in_detail = false;
        was
    }

    /// Whether characters are text.
    pub fn text_focus(&self) -> TextFocus {
        self.list.text_focus()
    }

    /// Hears a cue.
    pub fn hear(&mut self, cue: Cue<'_>, look: &Look, now: Now, out: &mut Vec<Ask>) -> bool {
        if cue == Cue::Tick {
            self.history.tick(now, out);
            return true;
        }
        if self.list.text_focus() == TextFocus::Elsewhere && self.hear_first(cue, look, out) {
            return true;
        }
        let before = self.list.selected();
        let change = self.list.hear(cue);
        match change {
            Change::Ignored => return false,
            Change::Looks => {}
            Change::Filter => seen(look, |seen| self.list.apply(seen)),
            Change::Order => seen(look, |seen| self.list.refresh(seen)),
        }
        if self.list.selected() != before {
            self.detail.rewind();
            self.last = seen(look, |seen| self.list.selected().and_then(|id| seen.view.key(id)).cloned());
        } else if matches!(cue, Cue::Click(Target::Row { pane: list::PANE, .. })) {
            self.open = Some(true);
            self.in_detail = !self.wide;
        }
        true
    }

    fn hear_first(&mut self, cue: Cue<'_>, look: &Look, out: &mut Vec<Ask>) -> bool {
        match cue {
            Cue::Do(action) => {
                (self.in_detail && self.scroll(action))
                    || self.navigate(action, look)
                    || self.perform(action, look, out)
            }
            Cue::Wheel { pane: detail::PANE, rows } => {
                self.detail.scroll(rows);
                true
            }
            Cue::Click(Target::Pane(detail::PANE)) => {
                self.in_detail = true;
                true
            }
            Cue::Click(_) => {
                self.leave_detail();
                false
            }
            _ => false,
        }
    }

    fn scroll(&mut self, action: Action) -> bool {
        let by = match action {
            Action::Up => -1,
            Action::Down => 1,
            Action::HalfUp => -(self.detail.page() / 2).max(1),
            Action::HalfDown => (self.detail.page() / 2).max(1),
            Action::PageUp => -self.detail.page(),
            Action::PageDown => self.detail.page(),
            Action::Top => isize::MIN,
            Action::Bottom => isize::MAX,
            _ => return false,
        };
        self.detail.scroll(by);
        true
    }

    fn navigate(&mut self, action: Action, look: &Look) -> bool {
        match action {
            Action::Open | Action::Right => {
                if self.list.selected().is_none() {
                    return false;
                }
                self.in_detail = self.is_open() || !self.wide;
                self.open = Some(true);
                true
            }
            Action::Left if self.in_detail => {
                self.leave_detail();
                true
            }
            Action::Back => self.back(look),
            _ => false,
        }
    }

    /// One step back: out of the detail, then filter, marks, detail.
    fn back(&mut self, look: &Look) -> bool {
        if self.in_detail {
            self.leave_detail();
        } else if self.list.is_filtered() {
            self.list.set_filter("");
            seen(look, |seen| self.list.apply(seen));
        } else if self.list.unmark() == Handled::Changed {
        } else {
            return self.close();
        }
        true
    }

    fn leave_detail(&mut self) {
        self.in_detail = false;
        if !self.wide {
            self.open = None;
        }
    }

    fn perform(&mut self, action: Action, look: &Look, out: &mut Vec<Ask>) -> bool {
        let targets = self.list.targets();
        match action {
            Action::New | Action::NewKey => {
                out.push(Ask::Push(Box::new(CreateKey::new(look, self.list.subset()))));
            }
            Action::Edit => {
                if let Some(form) = targets.first().and_then(|key| Rescope::new(look, *key)) {
                    out.push(Ask::Push(Box::new(form)));
                }
            }
            Action::CopyId => {
                let ids: Vec<String> = targets.iter().map(ToString::to_string).collect();
                out.push(Ask::Copy(SecretText::new(ids.join("\n")), Keep::Stays));
            }
            Action::HowTo => {
                let guide = self.list.selected().and_then(|key| HowTo::key(look, key));
                out.extend(guide.map(|guide| Ask::Push(Box::new(guide))));
            }
            Action::RowMenu => {
                let pane = &*self;
                let menu = RowMenu::new(look, |action| pane.enabled(action, look));
                out.push(Ask::Push(Box::new(menu)));
            }
            Action::Undo => {
                let paused = std::mem::take(&mut self.paused);
                if let [(key, name)] = paused.as_slice() {
                    let said = format!("{name} is active again");
                    out.push(Ask::Do(Job::Run { command: Command::ResumeKey(*key), said }));
                } else {
                    let keys: Vec<KeyId> = paused.iter().map(|(key, _)| *key).collect();
                    out.push(match Confirm::new(look, Deed::Resume, &keys) {
                        Some(question) => Ask::Push(Box::new(question.willing())),
                        None => Ask::Say("none of the keys that were paused can be resumed now".to_owned()),
                    });
                    // Until they are resumed: who cancels may still change their mind.
                    self.paused = paused;
                }
            }
            Action::Pause | Action::Revoke | Action::Delete | Action::Restore => {
                let deed = seen(look, |seen| {
                    let keys: Vec<&Key> = targets.iter().filter_map(|id| seen.view.key(*id)).collect();
                    Deed::of(action, &keys, seen)
                });
                if let Some(question) = deed.and_then(|deed| Confirm::new(look, deed, &targets)) {
                    out.push(Ask::Push(Box::new(question)));
                }
            }
            _ => return false,
        }
        true
    }

    /// Hears an answer.
    pub fn told(&mut self, answer: &Answer) {
        match answer {
            Answer::Audit(page) => self.history.take(page),
            Answer::Done { events, .. } => {
                let paused = events.iter().filter_map(|event| match event {
                    Event::KeyPaused(key) => Some((key.id, key.name.to_string())),
                    _ => None,
                });
                let paused: Vec<_> = paused.collect();
                if !paused.is_empty() {
                    self.paused = paused;
                }
            }
            Answer::Refused(_) => self.history.give_up(),
            Answer::Widened(_)
            | Answer::Recovery(_)
            | Answer::Checked(_)
            | Answer::Doors(_)
            | Answer::Tested(_) => {}
        }
    }

    /// Why an action is not possible now.
    pub fn enabled(&self, action: Action, look: &Look) -> Result<(), Reason> {
        let when = |possible: bool, why: &'static str| if possible { Ok(()) } else { Err(why.into()) };
        match action {
            Action::Up
            | Action::Down
            | Action::HalfUp
            | Action::HalfDown
            | Action::PageUp
            | Action::PageDown
            | Action::Top
            | Action::Bottom
            | Action::Sort
            | Action::Columns
            | Action::TestToken => Ok(()),
            Action::Filter => when(!self.list.is_empty(), "there is nothing to filter"),
            Action::Mark
            | Action::MarkRange
            | Action::MarkAll
            | Action::Open
            | Action::Right
            | Action::RowMenu => when(self.list.selected().is_some(), "there is no key here"),
            Action::MarkNone => when(self.list.marks() > 0, "nothing is marked"),
            Action::Left => when(self.is_open(), "there is nothing to the left"),
            Action::Back => {
                let somewhere = self.text_focus() == TextFocus::Here
                    || self.is_open()
                    || self.list.is_filtered()
                    || self.list.marks() > 0;
                when(somewhere, "there is nothing to step back from; q quits")
            }
            Action::Undo => {
                when(!self.paused.is_empty(), "only a pause can be undone, and none was made just now")
            }
            Action::New => self.issue.clone(),
            Action::NewKey if matches!(self.list.subset(), Subset::Of(_) | Subset::Apps) => {
                self.issue.clone()
            }
            Action::NewKey => Err("only apps have keys of their own kind; n issues one here".into()),
            Action::CopyId | Action::HowTo => when(self.list.selected().is_some(), "select a key first"),
            Action::Edit | Action::Pause | Action::Revoke | Action::Delete | Action::Restore => {
                let targets = self.list.targets();
                if targets.is_empty() && self.list.marks() > 0 {
                    return Err("the filter hides all marked keys".into());
                }
                seen(look, |seen| deeds::enabled(action, &targets, look, seen))
            }
            _ => Err("that is not possible here".into()),
        }
    }

    /// When it wants a tick.
    pub fn wake_at(&self) -> Option<Moment> {
        self.history.wake_at()
    }

    /// Draws itself; `empty` is what to say when there is no key at all.
    pub fn draw(
        &mut self,
        canvas: &mut Canvas<'_>,
        area: Rect,
        look: &Look,
        now: Now,
        (focus, empty): (Focus, &str),
    ) {
        self.note_width(area.width);
        if !(self.wide && self.is_open()) {
            return self.draw_in(canvas, area, None, look, now, (focus, empty));
        }
        let (table, detail) = beside(canvas, area);
        self.draw_in(canvas, table, Some(detail), look, now, (focus, empty));
    }

    /// How wide the room is that table and detail share.
    pub const fn note_width(&mut self, cells: u16) {
        self.wide = cells >= WIDE;
    }

    /// Draws the table alone.
    pub fn draw_table(
        &mut self,
        canvas: &mut Canvas<'_>,
        area: Rect,
        look: &Look,
        (focus, empty): (Focus, &str),
    ) {
        seen(look, |seen| self.list.draw(canvas, area, seen, focus, empty));
    }

    /// Draws the table in one room and the detail in another, or over the table when there is no other.
    pub fn draw_in(
        &mut self,
        canvas: &mut Canvas<'_>,
        area: Rect,
        beside: Option<Rect>,
        look: &Look,
        now: Now,
        (focus, empty): (Focus, &str),
    ) {
        let selected = self.list.selected().filter(|_| self.is_open());
        self.history.want(selected, now);
        let catalog = look.engine.catalog();
        seen(look, |seen| {
            let Some(key) = selected.and_then(|id| seen.view.key(id)) else {
                self.in_detail = false;
                return self.list.draw(canvas, area, seen, focus, empty);
            };
            let history = self.history.of(key.id);
            if let Some(room) = beside {
                let on_table = Focus::when(focus.is_here() && !self.in_detail);
                self.list.draw(canvas, area, seen, on_table, empty);
                let on_detail = Focus::when(focus.is_here() && self.in_detail);
                self.detail.draw(canvas, room, key, (seen, catalog), history, on_detail);
            } else {
                let (first, rest) = layout::top(area, 1);
                let back = look.keymap.label(Layer::Screen, Action::Back).unwrap_or_default();
                let line = layout::inset(first, 2, 0);
                detail::covering(canvas, line, &back);
                self.detail.draw(canvas, layout::inset(rest, 2, 0), key, (seen, catalog), history, focus);
            }
        });
    }
}

/// Room for a table and for the detail beside it, with a line between.
pub fn beside(canvas: &mut Canvas<'_>, area: Rect) -> (Rect, Rect) {
    let cells = (area.width * 2 / 5).clamp(44, 60);
    let (table, right) = layout::right(area, cells);
    detail::divide(canvas, layout::left(right, 1).0);
    (table, layout::right(right, cells.saturating_sub(3)).1)
}
