//! The review: which keys and apps may do more than they need, or should not be there, worst first. Below the list why, and
//! the scopes of the selected one with the days on which they were needed; and all that can be done about it, in place.
//!
//! ```text
//!   Risk ▼  Why                                     Key               Granted  Used  Last used
//! ▸ ███▌    admin scope never needed, no expiry     Data warehouse         18     3  1 min ago
//!   ██      never used in 62 d                      Audit snapshot         18     0  never
//! ── Data warehouse ─────────────────────────────────────────────────────────────────────────
//!   employees.admin   ······························  never                            admin
//!   contacts.read     ███████▇██████████████████████  1 min ago
//! ```
//!
//! - `rows`: the list. `detail`: why.

mod detail;
pub mod rows;

use std::sync::Arc;

use ratatui::layout::Rect;

use self::rows::{Reviewed, Rows, Sight};
use super::keys::acts::Acts;
use super::keys::history::History;
use super::keys::used::Used;
use super::{Screen, not_here};
use crate::domain::review::{Concern, Row, looked};
use crate::domain::{Bearer, Event, KeyId};
use crate::tui::action::{Action, Layer, Reason};
use crate::tui::app::ask::{Answer, Ask, Errand, Found, Tab};
use crate::tui::app::due::Due;
use crate::tui::app::look::Look;
use crate::tui::canvas::Canvas;
use crate::tui::clock::{Moment, Now};
use crate::tui::form::Form;
use crate::tui::input::TextFocus;
use crate::tui::list::Change;
use crate::tui::list::beside::Beside;
use crate::tui::list::habit::Habitual;
use crate::tui::list::lines::Lines;
use crate::tui::list::search::{AT_A_TIME, AT_ONCE, Search, Sift};
use crate::tui::overlay::Cue;
use crate::tui::overlays::key_edit;
use crate::tui::overlays::sign_off::{self, SignOff};
use crate::tui::sight::seen::{elsewhere, seen};
use crate::tui::widgets::{Focus, walks};

/// The numbers of list and detail for the mouse.
const PANES: (u8, u8) = (1, 2);

const HINTS: [Action; 12] = [
    Action::Open,
    Action::Narrow,
    Action::ReportOnly,
    Action::Edit,
    Action::Revoke,
    Action::Pause,
    Action::Rotate,
    Action::Transfer,
    Action::Undo,
    Action::SignOff,
    Action::Mark,
    Action::Filter,
];

pub struct Reviews {
    rows: Arc<Rows>,
    beside: Beside<Reviewed>,
    search: Search,
    acts: Acts,
    used: Used,
}

impl Reviews {
    /// Empty until it was told what there is.
    pub(super) fn new() -> Self {
        Self {
            rows: Arc::default(),
            beside: Beside::new(PANES, Vec::new()).below(),
            search: Search::Done,
            acts: Acts::default(),
            used: Used::default(),
        }
    }

    /// The keys an action is about. Where an app is among the rows there are none: apps are changed where they are.
    fn targets(&self) -> Vec<KeyId> {
        let rows = self.beside.list.targets();
        let keys = rows.iter().map(|who| match who {
            Bearer::Key(key) => Some(*key),
            Bearer::App(_) => None,
        });
        keys.collect::<Option<_>>().unwrap_or_default()
    }

    /// Shows the rows there are: many are put in order elsewhere, once at a time.
    fn fill(&mut self, look: &Look, out: &mut Vec<Ask>) {
        if self.rows.len() <= AT_ONCE {
            self.search = Search::Done;
            seen(look, |seen| {
                let sight = Sight { rows: &self.rows, seen };
                self.beside.list.set_columns(rows::columns(seen));
                self.beside.list.fill(self.rows.keys().copied(), &sight);
            });
            return;
        }
        seen(look, |seen| self.beside.list.set_columns(rows::columns(seen)));
        if !self.search.begin() {
            return;
        }
        let (rows, mut order) = (Arc::clone(&self.rows), self.beside.list.order());
        out.push(elsewhere(look, move |glance| {
            let all: Vec<Bearer> = rows.keys().copied().collect();
            for some in all.chunks(AT_A_TIME) {
                glance(&mut |seen| {
                    let sight = Sight { rows: &rows, seen };
                    for who in some {
                        order.add(*who, &sight);
                    }
                });
            }
            Found::Reviewed(order.finish())
        }));
    }

    fn sift(&self, look: &Look, sift: Sift<Reviewed>, out: &mut Vec<Ask>) {
        let rows = Arc::clone(&self.rows);
        out.push(elsewhere(look, move |glance| {
            Found::ReviewSifted(sift.run(&|read| glance(&mut |seen| read(&Sight { rows: &rows, seen }))))
        }));
    }

    /// Does what a change asks for: with many rows elsewhere.
    fn change(&mut self, change: Change, look: &Look, out: &mut Vec<Ask>) -> bool {
        match change {
            Change::Filter if self.beside.list.is_long() => {
                let sift = self.beside.list.begin();
                self.sift(look, sift, out);
            }
            Change::Order if self.beside.list.is_long() => self.fill(look, out),
            change => {
                return seen(look, |seen| {
                    let sight = Sight { rows: &self.rows, seen };
                    self.beside.list.settle(change, &sight)
                });
            }
        }
        true
    }

    /// Whether that it never ends is among what is said of a key.
    fn lacks_end(&self, key: KeyId, look: &Look) -> bool {
        let row = self.rows.get(&Bearer::Key(key));
        row.is_some_and(|row| seen(look, |seen| seen.reviewer().of(row)).contains(&Concern::NoEnd))
    }

    /// The form that signs off: of all that is listed, whatever the filter hides; the marked keys are kept.
    fn sign_off(&self, look: &Look) -> Form<SignOff> {
        let looked = seen(look, |seen| {
            let said: Vec<_> = self.rows.values().map(|row| seen.reviewer().of(row)).collect();
            looked(said.iter().map(Vec::as_slice))
        });
        let kept = if self.beside.list.marks() > 0 { self.targets() } else { Vec::new() };
        sign_off::new(self.rows.len(), looked, kept)
    }

    fn act(&mut self, action: Action, look: &Look, out: &mut Vec<Ask>) -> bool {
        let targets = self.targets();
        match (action, targets.as_slice(), self.beside.list.selected()) {
            (Action::Open, _, Some(Bearer::App(app))) => out.push(Ask::Go(Tab::Apps, Errand::App(app))),
            // What is wanted of a key that never ends is an end.
            (Action::Edit, [key], _) if self.lacks_end(*key, look) => {
                out.extend(key_edit::extend(look, *key).map(Ask::open));
            }
            // These are about the row under the cursor, as in the tables of keys.
            (Action::HowTo | Action::Watch, _, Some(Bearer::Key(key))) => {
                return self.acts.perform(action, &[key], look, out);
            }
            (Action::SignOff, ..) => out.push(Ask::open(self.sign_off(look))),
            (Action::RowMenu, ..) => {
                let screen = &*self;
                let selected = match self.beside.list.selected() {
                    Some(Bearer::Key(key)) => Some(key),
                    Some(Bearer::App(_)) | None => None,
                };
                out.push(Acts::menu(&targets, selected, look, |action| screen.enabled(action, look)));
            }
            _ => return self.acts.perform(action, &targets, look, out),
        }
        true
    }
}

impl Screen for Reviews {
    fn board(&mut self, due: &Due, look: &Look, out: &mut Vec<Ask>) {
        self.rows = due.review();
        self.fill(look, out);
    }

    fn refresh(&mut self, look: &Look, _: &mut Vec<Ask>) {
        seen(look, |seen| self.acts.refresh(seen));
    }

    fn found(&mut self, found: Found, look: &Look, out: &mut Vec<Ask>) {
        match found {
            Found::Reviewed(ordered) => {
                let again = self.search.end();
                let wanted = self.beside.list.take(ordered);
                if wanted {
                    let sift = self.beside.list.begin();
                    self.sift(look, sift, out);
                }
                if again || !wanted {
                    self.fill(look, out);
                }
            }
            Found::ReviewSifted(sift) => {
                if let Some(more) = self.beside.list.found(sift) {
                    self.sift(look, more, out);
                }
            }
            Found::Ordered(..) | Found::Sifted(_) | Found::Due(_) | Found::Jump(_) => {}
        }
    }

    fn lost_search(&mut self) {
        self.search = Search::Done;
    }

    fn arrive(&mut self, errand: Errand, look: &Look, out: &mut Vec<Ask>) {
        let row = match errand {
            Errand::None | Errand::Location(_) | Errand::Setting(_) | Errand::Entry(_) | Errand::With(..) => {
                return;
            }
            Errand::Filter(text) => {
                self.beside.list.set_filter(&text);
                self.change(Change::Filter, look, out);
                return;
            }
            Errand::Key(key) | Errand::Open(key) => Bearer::Key(key),
            Errand::App(app) => Bearer::App(app),
        };
        if self.rows.contains_key(&row) {
            seen(look, |seen| self.beside.list.select(row, &Sight { rows: &self.rows, seen }));
        }
    }

    fn hear(&mut self, cue: Cue<'_>, look: &Look, now: Now, out: &mut Vec<Ask>) -> bool {
        if cue == Cue::Tick {
            self.used.tick(now, out);
            return true;
        }
        if let Cue::Do(action) = cue
            && self.text_focus() == TextFocus::Elsewhere
            && self.act(action, look, out)
        {
            return true;
        }
        let change = self.beside.hear(cue);
        self.change(change, look, out)
    }

    fn told(&mut self, answer: Answer, look: &Look, _: Now, out: &mut Vec<Ask>) {
        match answer {
            Answer::Use(about, picture) => self.used.take(about, *picture),
            answer => {
                if let Answer::Refused(_) = answer {
                    self.used.give_up();
                }
                // What was marked to be kept is kept.
                if let Answer::Done { events, .. } = &answer
                    && events.iter().any(|event| matches!(event, Event::ReviewSigned(_)))
                {
                    let change = self.beside.hear(Cue::Do(Action::MarkNone));
                    self.change(change, look, out);
                }
                self.acts.told(answer, &mut History::default(), look, out);
            }
        }
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, look: &Look, now: Now) {
        const EMPTY: &str = "Nothing to say against any key or app.";
        let empty = if self.search == Search::Done { EMPTY } else { "Looking through the keys…" };
        let (list, room) = self.beside.rooms(canvas, area);
        let on_list = Focus::when(!(self.beside.is_inside() && self.beside.is_open()));
        seen(look, |seen| {
            let sight = Sight { rows: &self.rows, seen };
            if !list.is_empty() {
                self.beside.list.draw(canvas, list, &sight, on_list, empty);
            }
            let row = self.beside.list.selected().and_then(|who| self.rows.get(&who));
            let row = row.filter(|_| !room.is_empty());
            let mark = |row: &Row| (sight.about(row).and_then(|about| about.last.at()), 0, sight.begun(row));
            self.used.want(row.map(|row| (row.who, mark(row))), now);
            let Some(row) = row else { return };
            let lines = detail::lines(row, &sight, self.used.of(row.who), &look.keymap);
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
        let list = &self.beside.list;
        match action {
            Action::Filter => when(!list.is_empty(), "there is nothing to filter"),
            Action::Mark | Action::MarkRange | Action::MarkAll | Action::Open | Action::Right => {
                when(list.selected().is_some(), NOTHING)
            }
            Action::SignOff if list.marks() > 0 && self.targets().is_empty() => {
                Err("only keys are kept: take the marks off the apps".into())
            }
            Action::SignOff | Action::Sort | Action::Columns => Ok(()),
            _ if walks(action) => Ok(()),
            Action::MarkNone => when(list.marks() > 0, "nothing is marked"),
            Action::Left => when(self.beside.is_open(), "there is nothing to the left"),
            Action::Back => {
                let somewhere = self.text_focus() == TextFocus::Here
                    || self.beside.is_open()
                    || list.is_filtered()
                    || list.marks() > 0;
                when(somewhere, "there is nothing to step back from; q quits")
            }
            _ => {
                let targets = self.targets();
                let judged = match action {
                    Action::RowMenu => Some(Ok(())),
                    _ => self.acts.enabled(action, &targets, look),
                };
                match judged {
                    Some(_) if targets.is_empty() && !matches!(action, Action::Undo | Action::TestToken) => {
                        if list.targets().is_empty() {
                            return Err(NOTHING.into());
                        }
                        let apps = look.keymap.label(Layer::Screen, Action::Tab(Tab::Apps));
                        Err(format!("that is for keys; {} goes to the apps", apps.unwrap_or_default()).into())
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
        vec![("review", &mut self.beside)]
    }

    fn text_focus(&self) -> TextFocus {
        self.beside.list.text_focus()
    }

    fn wake_at(&self) -> Option<Moment> {
        self.used.wake_at()
    }
}

/// Why nothing can be done with a row.
const NOTHING: &str = "there is no row here";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::tui::app::testing;

    #[test]
    fn many_rows_are_put_in_order_and_filtered_elsewhere() {
        let mut console = testing::whole_desk();
        console.press("5").advance(Duration::from_secs(1));
        console.sees("Risk ▼").sees_no("Looking through the keys");
        console.press("/").type_text("why:never").press("enter").advance(Duration::from_secs(1));
        console.sees("why:never").sees("never used in ").sees_no("Nothing matches");
        console.press("esc s").sees("Sort by").press("k").advance(Duration::from_secs(1)).sees("Key ▲");
    }
}
