//! A table of keys with the detail of the selected one beside or over it, and everything that can be done to keys
//! from there. The screens of keys are made of it.

use ratatui::layout::Rect;

use super::acts::Acts;
use super::detail;
use super::history::History;
use super::list::{self, Keys};
use super::sparks::Sparks;
use super::used::Used;
use crate::{
    domain::{Bearer, Key, KeyId, Place, Status},
    tui::{
        action::{Action, Layer, Reason},
        app::{
            ask::{Answer, Ask, Errand, Found, Thing},
            look::Look,
        },
        canvas::Canvas,
        clock::{Moment, Now},
        input::TextFocus,
        list::beside::Beside,
        list::habit::Habitual,
        list::search::{AT_A_TIME, AT_ONCE, Search, Sift},
        list::{Change, List},
        overlay::Cue,
        overlays::create_key::CreateKey,
        screens::{Screen, not_here},
        sight::deeds,
        sight::seen::{Seen, elsewhere, seen},
        sight::subset::Subset,
        widgets::{Focus, walks},
    },
};

/// The table's number for the mouse.
const PANE: u8 = 1;

/// What a key press can be about here, most important first, for the hint bar.
pub const HINTS: [Action; 13] = [
    Action::New,
    Action::Filter,
    Action::Open,
    Action::Edit,
    Action::Scopes,
    Action::Pause,
    Action::Revoke,
    Action::Undo,
    Action::Keep,
    Action::HowTo,
    Action::Mark,
    Action::Sort,
    Action::RowMenu,
];

/// A table of keys with its detail.
pub struct KeyPane {
    subset: Subset,
    /// The table, and the detail beside it.
    pub beside: Beside<Keys>,
    history: History,
    used: Used,
    sparks: Sparks,
    search: Search,
    /// The selected key as it was when last looked at, to notice that something happened to it.
    last: Option<Key>,
    /// Why no key can be issued, judged when the state changed.
    issue: Result<(), Reason>,
    acts: Acts,
}

impl KeyPane {
    /// A pane for `subset`, empty until it has looked.
    pub fn new(subset: Subset) -> Self {
        Self {
            subset,
            beside: Beside::new((PANE, detail::PANE), Vec::new()),
            history: History::default(),
            used: Used::default(),
            sparks: Sparks::default(),
            search: Search::Done,
            last: None,
            issue: Ok(()),
            acts: Acts::default(),
        }
    }

    pub const fn subset(&self) -> Subset {
        self.subset
    }

    pub const fn list(&self) -> &List<Keys> {
        &self.beside.list
    }

    /// Holds other keys from the next look on.
    pub fn hold(&mut self, subset: Subset) {
        // What is still shown of many while those of another place come, nobody should act on.
        if subset != self.subset && self.list().is_long() {
            self.beside.list.clear();
        }
        self.subset = subset;
    }

    /// Whether to open what is selected means to see how all keys are doing: on the first tab, where nothing is.
    fn tells_of_all(&self) -> bool {
        self.subset == Subset::Agency && self.list().selected().is_none()
    }

    fn look_at_selected(&mut self, seen: &Seen<'_>) {
        let now = self.key(seen).cloned();
        if now != self.last {
            self.history.outdate();
            self.last = now;
        }
    }

    /// Has many keys put in order elsewhere.
    fn order(&mut self, look: &Look, out: &mut Vec<Ask>) {
        if !self.search.begin() {
            return;
        }
        let (subset, mut order) = (self.subset, self.beside.list.order());
        out.push(elsewhere(look, move |glance| {
            let mut from = 0;
            loop {
                let mut looked = 0;
                glance(&mut |seen| {
                    for key in subset.keys(seen).skip(from).take(AT_A_TIME) {
                        looked += 1;
                        order.add(key.id, seen);
                    }
                });
                from += looked;
                if looked < AT_A_TIME {
                    return Found::Ordered(subset, order.finish());
                }
            }
        }));
    }

    fn sift(look: &Look, sift: Sift<Keys>, out: &mut Vec<Ask>) {
        out.push(elsewhere(look, move |glance| Found::Sifted(sift.run(glance))));
    }

    /// Takes what was found elsewhere.
    pub fn found(&mut self, found: Found, look: &Look, out: &mut Vec<Ask>) {
        match found {
            Found::Ordered(subset, ordered) => {
                let again = self.search.end();
                let wanted = subset == self.subset && self.beside.list.take(ordered);
                if wanted {
                    Self::sift(look, self.beside.list.begin(), out);
                }
                if again || !wanted {
                    self.order(look, out);
                }
            }
            Found::Sifted(sift) => {
                if let Some(more) = self.beside.list.found(sift) {
                    Self::sift(look, more, out);
                }
            }
            Found::Due(_) | Found::Reviewed(_) | Found::ReviewSifted(_) | Found::Jump(_) => {}
        }
        seen(look, |seen| self.look_at_selected(seen));
    }

    /// Nothing is being put in order any more.
    pub fn lost_search(&mut self) {
        self.search = Search::Done;
    }

    fn key<'a>(&self, seen: &Seen<'a>) -> Option<&'a Key> {
        self.list().selected().and_then(|id| seen.view.key(id))
    }

    /// Does what a change asks for: with many keys elsewhere.
    fn change(&mut self, change: Change, look: &Look, seen: &Seen<'_>, out: &mut Vec<Ask>) -> bool {
        match change {
            Change::Filter if self.list().is_long() => Self::sift(look, self.beside.list.begin(), out),
            Change::Order if self.list().is_long() => self.order(look, out),
            change => return self.beside.list.settle(change, seen),
        }
        true
    }

    fn perform(&mut self, action: Action, look: &Look, out: &mut Vec<Ask>) -> bool {
        match action {
            Action::New | Action::NewKey => out.push(Ask::open(CreateKey::new(look, self.subset))),
            Action::NewDecoy => out.push(Ask::open(CreateKey::decoy(look, self.subset))),
            Action::RowMenu => {
                let pane = &*self;
                let targets = self.list().targets();
                let selected = self.list().selected();
                out.push(Acts::menu(targets, selected, look, |action| pane.enabled(action, look)));
            }
            // With no key to open, all of them together.
            Action::Open if self.tells_of_all() => out.push(Ask::Act(Action::Overview)),
            Action::HowTo | Action::Watch => {
                let selected: Vec<KeyId> = self.list().selected().into_iter().collect();
                return self.acts.perform(action, &selected, look, out);
            }
            action => {
                let targets = self.beside.list.targets();
                return self.acts.perform(action, targets, look, out);
            }
        }
        true
    }

    /// Asks what an action asks of a key, wherever the cursor is and whatever is marked; or says why not.
    pub fn ask_of(&mut self, action: Action, key: KeyId, look: &Look, out: &mut Vec<Ask>) {
        let may = self.acts.enabled(action, &[key], look).unwrap_or_else(|| Err(not_here(action, look)));
        match look.permits(action).and(may) {
            Ok(()) => drop(self.acts.perform(action, &[key], look, out)),
            Err(why) => out.push(Ask::Say(why.to_string())),
        }
    }

    /// Draws itself; `empty` is what to say when there is no key at all.
    pub fn draw_whole(
        &mut self,
        canvas: &mut Canvas<'_>,
        area: Rect,
        look: &Look,
        focus: (Focus, &str),
        now: Now,
    ) {
        let rooms = self.beside.rooms(canvas, area);
        self.draw_in(canvas, rooms, look, focus, now);
    }

    /// Draws table and detail in these rooms, of which one may be empty.
    pub fn draw_in(
        &mut self,
        canvas: &mut Canvas<'_>,
        (table, room): (Rect, Rect),
        look: &Look,
        (focus, empty): (Focus, &str),
        now: Now,
    ) {
        let empty = if self.search == Search::Done { empty } else { "Looking through the keys…" };
        let on_table = Focus::when(focus.is_here() && !(self.beside.is_inside() && self.beside.is_open()));
        seen(look, |seen| {
            if !table.is_empty() {
                self.beside.list.draw(canvas, table, &seen.with(self.sparks.known()), on_table, empty);
            }
            self.sparks
                .want(if table.is_empty() { &[] } else { self.beside.list.in_sight(list::SPARKS) }, now);
            let key = self.key(seen).filter(|_| !room.is_empty());
            self.history.want(key.map(|key| key.id), now);
            let begun = |key: &Key| key.reports_only().map(|tried| tried.begun);
            let mark = |key: &Key| (seen.usage(key).last_used_at, seen.usage(key).count, begun(key));
            self.used.want(key.map(|key| (Bearer::Key(key.id), mark(key))), now);
            let Some(key) = key else { return };
            let used = self.used.of(Bearer::Key(key.id)).map(|picture| (picture, self.beside.cells(room)));
            let told = (self.history.of(key.id), used);
            let lines = detail::lines(canvas.glyphs(), key, seen, told, &look.keymap);
            self.beside.draw_detail(canvas, room, &look.keymap, focus, lines);
        });
    }
}

/// By itself it is the tab of the agency keys.
impl Screen for KeyPane {
    fn refresh(&mut self, look: &Look, out: &mut Vec<Ask>) {
        seen(look, |seen| {
            self.beside.list.set_columns(list::columns(self.subset, seen));
            if self.subset.keys(seen).take(AT_ONCE + 1).count() <= AT_ONCE {
                self.search = Search::Done;
                self.beside.list.fill(self.subset.keys(seen).map(|key| key.id), seen);
            } else {
                self.beside.list.forget(seen);
                self.order(look, out);
            }
            self.acts.refresh(seen);
            self.sparks.outdate();
            let any = match self.subset {
                Subset::Agency => Some(Place::Agency),
                Subset::At(location) => Some(Place::Location(location)),
                Subset::Locations => {
                    seen.view.locations().first().map(|location| Place::Location(location.id))
                }
                Subset::Of(app) => Some(Place::App(app)),
                Subset::Apps => None,
            };
            self.issue = match any {
                Some(place) => deeds::may_issue(place, seen).map_err(|refusal| refusal.to_string().into()),
                None if self.subset == Subset::Apps => Err("select one app first".into()),
                None => Err("there is no location yet; add one first".into()),
            };
            // Who knocks at a paused key changes nothing of it but the trail.
            if self.key(seen).is_some_and(|key| matches!(key.status, Status::Paused(_))) {
                self.history.outdate();
            }
            self.look_at_selected(seen);
        });
    }

    fn pane(&mut self) -> Option<&mut Self> {
        Some(self)
    }

    fn arrive(&mut self, errand: Errand, look: &Look, out: &mut Vec<Ask>) {
        if let Errand::With(action, Thing::Key(key)) = errand {
            self.arrive(Errand::Key(key), look, out);
            return self.ask_of(action, key, look, out);
        }
        seen(look, |seen| match errand.clone() {
            Errand::None
            | Errand::App(_)
            | Errand::Location(_)
            | Errand::Setting(_)
            | Errand::Entry(_)
            | Errand::With(..) => {}
            Errand::Filter(text) => {
                self.beside.list.set_filter(&text);
                self.beside.leave();
                self.change(Change::Filter, look, seen, out);
            }
            Errand::Key(key) | Errand::Open(key) => {
                // An old half stands in the row of the key that took over.
                let folded = seen.view.key(key).filter(|key| seen.view.is_folded(key, seen.now()));
                let shown = folded.and_then(|key| key.superseded.as_ref()).map_or(key, |how| how.by);
                self.beside.list.select(shown, seen);
                if errand == Errand::Open(key) {
                    self.beside.show();
                }
            }
        });
    }

    fn hear(&mut self, cue: Cue<'_>, look: &Look, now: Now, out: &mut Vec<Ask>) -> bool {
        if cue == Cue::Tick {
            self.history.tick(now, out);
            self.used.tick(now, out);
            self.sparks.tick(now, out);
            return true;
        }
        if let Cue::Do(action) = cue
            && self.text_focus() == TextFocus::Elsewhere
            && self.perform(action, look, out)
        {
            return true;
        }
        // Where there is nothing to the left to go to.
        let alone = self.subset == Subset::Agency && cue == Cue::Do(Action::Left);
        let before = self.list().selected();
        let change = self.beside.hear(cue);
        seen(look, |seen| {
            let used = self.change(change, look, seen, out);
            if self.list().selected() != before {
                self.last = self.key(seen).cloned();
            }
            used || (alone && self.beside.close())
        })
    }

    fn told(&mut self, answer: Answer, look: &Look, _: Now, out: &mut Vec<Ask>) {
        match answer {
            Answer::Use(about, picture) => self.used.take(about, *picture),
            Answer::Sparks(found) => self.sparks.take(found),
            answer => {
                if let Answer::Refused(_) = answer {
                    self.used.give_up();
                    self.sparks.give_up();
                }
                self.acts.told(answer, &mut self.history, look, out);
            }
        }
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, look: &Look, now: Now) {
        let key = look.keymap.label(Layer::Screen, Action::New).unwrap_or_default();
        let empty = match &self.issue {
            Ok(()) => {
                let all = look.keymap.label(Layer::Screen, Action::Overview).unwrap_or_default();
                format!("No agency keys yet. {key} issues the first one; {all} shows how all are doing.")
            }
            Err(reason) => format!("No agency keys here. You cannot issue one: {reason}"),
        };
        self.draw_whole(canvas, area, look, (Focus::Here, &empty), now);
    }

    fn hints(&self) -> &[Action] {
        &HINTS
    }

    fn enabled(&self, action: Action, look: &Look) -> Result<(), Reason> {
        let when = |possible: bool, why: &'static str| if possible { Ok(()) } else { Err(why.into()) };
        match action {
            _ if walks(action) => Ok(()),
            Action::Sort | Action::Columns => Ok(()),
            Action::Filter => when(!self.list().is_empty(), "there is nothing to filter"),
            Action::Open if self.tells_of_all() => Ok(()),
            Action::Mark
            | Action::MarkRange
            | Action::MarkAll
            | Action::Open
            | Action::Right
            | Action::RowMenu => when(self.list().selected().is_some(), "there is no key here"),
            Action::MarkNone => when(self.list().marks() > 0, "nothing is marked"),
            Action::Left => when(self.beside.is_open(), "there is nothing to the left"),
            Action::Back => {
                let somewhere = self.text_focus() == TextFocus::Here
                    || self.beside.is_open()
                    || self.list().is_filtered()
                    || self.list().marks() > 0;
                when(somewhere, "there is nothing to step back from; q quits")
            }
            Action::New | Action::NewDecoy => self.issue.clone(),
            Action::NewKey if matches!(self.subset, Subset::Of(_) | Subset::Apps) => self.issue.clone(),
            Action::NewKey => Err("only apps have keys of their own kind; n issues one here".into()),
            _ => {
                let targets = self.list().targets();
                match self.acts.enabled(action, targets, look) {
                    Some(Err(_)) if targets.is_empty() && self.list().marks() > 0 => {
                        Err("the filter hides all marked keys".into())
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
        vec![("agency-keys", &mut self.beside)]
    }

    fn text_focus(&self) -> TextFocus {
        self.list().text_focus()
    }

    fn wake_at(&self) -> Option<Moment> {
        let all = [self.history.wake_at(), self.used.wake_at(), self.sparks.wake_at()];
        all.into_iter().flatten().min()
    }
}
