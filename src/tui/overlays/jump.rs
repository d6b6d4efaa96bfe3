//! One jump to anything: what is typed is looked for among keys, apps, locations, operators, actions, settings and what was
//! read of the trail, all at once, the best first. Enter goes there, or does it. With nothing typed: what can be done here.
//! Words of an action with something behind them lead to its question about that: `revoke nightly`.

use std::sync::atomic::{AtomicU64, Ordering};

use ratatui::layout::Rect;

use crate::domain::name::plain;
use crate::tui::action::{Action, Group, Layer, Reason};
use crate::tui::app::ask::{Ask, Errand, Found, Tab};
use crate::tui::app::look::Look;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::clock::Now;
use crate::tui::input::TextFocus;
use crate::tui::overlay::{Cue, Heard, Overlay};
use crate::tui::overlays::confirm;
use crate::tui::sight::jump::{Goal, Hit, Kind, Offer, Trawl, Words, rank};
use crate::tui::sight::seen::elsewhere;
use crate::tui::sight::verb::Said;
use crate::tui::theme::{Role, THEMES};
use crate::tui::widgets::picker::{PickItem, Picker};
use crate::tui::widgets::popup;

/// Its name, for whoever leads back to where one jumped from.
pub const NAME: &str = "jump";

/// How many queries there were: what one jump looked for is not found in the next.
static TURNS: AtomicU64 = AtomicU64::new(0);

/// Columns and rows it takes at most.
const SIZE: (u16, u16) = (92, 22);

pub struct Jump {
    picker: Picker<Goal>,
    /// What need not be looked for elsewhere: actions, and what screens have.
    near: Vec<Offer>,
    /// What was found elsewhere.
    far: Vec<Hit>,
    /// What is looked for.
    line: String,
    /// Which query it is, and the last before it was opened.
    turn: u64,
    opened: u64,
    /// Whether something is looked for elsewhere: once at a time.
    under_way: bool,
    /// Where one jumps from.
    tab: Option<Tab>,
}

impl Jump {
    /// Over all actions that work on a screen, possible ones first, and what lies `beside` in the screens. `told` says what an
    /// action does and why it is not possible now.
    pub fn new(
        told: impl Fn(Action) -> (String, Result<(), Reason>),
        beside: impl Iterator<Item = Offer>,
        tab: Option<Tab>,
        look: &Look,
    ) -> Self {
        let listed = Action::ALL.iter().copied().filter(|action| {
            let layers = action.spec().layers;
            (layers.contains(&Layer::Screen) || layers.contains(&Layer::Always))
                && !matches!(action, Action::Jump | Action::ForceQuit)
        });
        let offer = |action| {
            let (name, possible) = told(action);
            let hint = look.keymap.label(Layer::Screen, action).unwrap_or_default();
            let goal = Goal::Act(action);
            // Whatever it is called now, the words of its title find it.
            let text = plain(action.spec().title);
            (action, Offer { goal, name, text, hint, disabled: possible.err(), thing: None })
        };
        let mut actions: Vec<(Action, Offer)> = listed.map(offer).collect();
        let place = |action: Action| Group::ALL.iter().position(|group| *group == action.spec().group);
        actions.sort_by_key(|(action, offer)| (offer.disabled.is_some(), place(*action)));
        let wear = |name| Offer {
            goal: Goal::Wear(name),
            name: format!("Theme {name}"),
            text: String::new(),
            hint: String::new(),
            disabled: None,
            thing: None,
        };
        let near =
            actions.into_iter().map(|(_, offer)| offer).chain(THEMES.map(wear)).chain(beside).collect();
        let picker = Picker::<Goal>::fed(
            "a key, an app, a location, an operator, a setting, or what to do",
            |goal: &Goal| {
                let kind = goal.kind();
                (kind.word(), if kind == Kind::Action { Role::Key } else { Role::Dim })
            },
        );
        let opened = TURNS.load(Ordering::Relaxed);
        let (far, line) = (Vec::new(), String::new());
        let mut jump = Self { picker, near, far, line, turn: opened, opened, under_way: false, tab };
        jump.show(look);
        jump
    }

    /// Looks for what was typed: here at once, and elsewhere.
    fn search(&mut self, look: &Look, out: &mut Vec<Ask>) {
        // Who opens it by another key writes the one that opens it, too.
        let typed = self.picker.query();
        let typed = typed.strip_prefix(':').unwrap_or(typed).to_owned();
        if typed == self.line {
            return;
        }
        self.line = typed;
        self.turn = TURNS.fetch_add(1, Ordering::Relaxed) + 1;
        // Of what was found before the rest still fits, until better is found.
        let mut words = self.words();
        let before = std::mem::take(&mut self.far);
        if !words.is_empty() {
            self.far = words.among(before.iter().map(|hit| &hit.offer));
        }
        self.begin(look, out);
        self.show(look);
    }

    /// What is looked for elsewhere.
    fn words(&self) -> Words {
        Words::of(Said::of(&self.line).map_or(self.line.as_str(), Said::sought))
    }

    fn begin(&mut self, look: &Look, out: &mut Vec<Ask>) {
        let words = self.words();
        if !self.under_way && !words.is_empty() {
            self.under_way = true;
            Self::go_on(Trawl::new(self.turn, words), look, out);
        }
    }

    fn go_on(trawl: Trawl, look: &Look, out: &mut Vec<Ask>) {
        out.push(elsewhere(look, move |glance| Found::Jump(trawl.run(glance))));
    }

    /// Shows what was found by now.
    fn show(&mut self, look: &Look) {
        let mut words = Words::of(&self.line);
        let offers: Vec<Offer> = if words.is_empty() {
            self.near.iter().filter(|offer| offer.goal.kind() == Kind::Action).cloned().collect()
        } else {
            let mut hits = words.among(self.near.iter());
            match Said::of(&self.line) {
                Some(said) => self.said(said, hits, look),
                None => {
                    hits.extend(self.far.iter().cloned());
                    rank(&mut hits);
                    hits.into_iter().map(|hit| hit.offer).collect()
                }
            }
        };
        let item =
            |Offer { goal, name, hint, disabled, .. }| PickItem { key: goal, text: name, hint, disabled };
        let nothing = if self.under_way { "looking…" } else { "nothing matches" };
        self.picker.feed(offers.into_iter().map(item).collect(), nothing);
    }

    /// What the line says that is to be done, with what was found for it. What all its words stand in as they are comes first:
    /// that may be what was meant.
    fn said(&self, said: Said<'_>, mut near: Vec<Hit>, look: &Look) -> Vec<Offer> {
        rank(&mut near);
        let count = Words::of(&self.line).count();
        let (whole, loose): (Vec<Hit>, Vec<Hit>) = near.into_iter().partition(|hit| hit.is_whole(count));
        let beside = self.near.iter().filter(|offer| matches!(offer.goal, Goal::There(..)));
        let mut found = Words::of(said.sought()).among(beside);
        found.extend(self.far.iter().cloned());
        rank(&mut found);
        let mut offers: Vec<Offer> = found.iter().filter_map(|hit| said.offer(&hit.offer, look)).collect();
        offers.sort_by_key(|offer| offer.disabled.is_some());
        let first = said.filtering(self.tab).into_iter().chain(whole.into_iter().map(|hit| hit.offer));
        first.chain(offers).chain(loose.into_iter().map(|hit| hit.offer)).collect()
    }

    fn choose(&self, look: &Look, out: &mut Vec<Ask>) -> Heard {
        let Some(item) = self.picker.selected() else { return Heard::Consumed };
        if let Some(why) = &item.disabled {
            out.push(Ask::Say(why.to_string()));
            return Heard::Consumed;
        }
        out.push(match item.key.clone() {
            Goal::Act(action) => Ask::Act(action),
            Goal::Wear(name) => Ask::Wear(Some(name)),
            Goal::With(action, tab, thing) => Ask::Go(tab, Errand::With(action, thing)),
            Goal::LockDown(extent) => Ask::open(confirm::lockdown::ask(look, extent)),
            Goal::There(_, tab, errand) => Ask::Go(tab, errand),
        });
        Heard::Close
    }
}

impl Overlay for Jump {
    fn name(&self) -> &'static str {
        NAME
    }

    fn layer(&self) -> Layer {
        Layer::Picker
    }

    fn text_focus(&self) -> TextFocus {
        TextFocus::Here
    }

    fn hear(&mut self, cue: Cue<'_>, look: &Look, _: Now, out: &mut Vec<Ask>) -> Heard {
        match cue {
            Cue::Do(Action::Press) => return self.choose(look, out),
            Cue::Click(Target::Row { row, .. }) => {
                self.picker.select(row);
                return self.choose(look, out);
            }
            Cue::Do(Action::Cancel) | Cue::Click(_) | Cue::Tick => return Heard::Ignored,
            cue => self.picker.hear(cue),
        }
        self.search(look, out);
        Heard::Consumed
    }

    fn found(&mut self, found: Option<Found>, look: &Look, out: &mut Vec<Ask>) {
        match found {
            // For a jump that is closed.
            Some(Found::Jump(trawl)) if trawl.turn <= self.opened => return,
            Some(Found::Jump(trawl)) if trawl.turn == self.turn => {
                trawl.found().clone_into(&mut self.far);
                self.under_way = !trawl.is_done();
                if self.under_way {
                    Self::go_on(trawl, look, out);
                }
            }
            // Of another query: what is wanted now is looked for from the beginning.
            Some(_) => {
                self.under_way = false;
                self.begin(look, out);
            }
            None => self.under_way = false,
        }
        self.show(look);
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, _: Rect, _: &Look, _: Now) {
        let (width, height) = SIZE;
        let inside = popup::draw(canvas, "Jump", width, height);
        self.picker.draw(canvas, inside, 0);
    }

    fn hints(&self) -> &[Action] {
        &[Action::Press, Action::Down, Action::Cancel]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::app::testing::{look, sample};

    #[test]
    fn every_action_is_found_by_each_word_of_its_title_with_its_key_beside_it() {
        let look = look(sample());
        // One is called otherwise at the moment, and nothing is possible: found all the same.
        let told = |action: Action| {
            let name = if action == Action::Undo { "Take the pause back" } else { action.spec().title };
            (name.to_owned(), Err("not now".into()))
        };
        let jump = Jump::new(told, std::iter::empty(), None, &look);
        let mut looked_for = 0;
        for action in Action::ALL {
            let layers = action.spec().layers;
            let works = layers.contains(&Layer::Screen) || layers.contains(&Layer::Always);
            if !works || matches!(action, Action::Jump | Action::ForceQuit) {
                continue;
            }
            let words = action.spec().title.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
            for word in words {
                let hits = Words::of(word).among(jump.near.iter());
                let found = hits.iter().find(|hit| hit.offer.goal == Goal::Act(*action));
                let offer = &found.unwrap_or_else(|| panic!("{action:?} is not found by {word:?}")).offer;
                let key = look.keymap.label(Layer::Screen, *action).unwrap_or_default();
                assert_eq!(offer.hint, key, "{action:?}");
                looked_for += 1;
            }
        }
        assert!(looked_for > 200, "{looked_for} words");
    }
}
