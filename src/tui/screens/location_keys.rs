//! The keys of locations: the locations with their counts on the left, the keys of the selected one, or of all, on
//! the right. A narrow window shows one of the two at a time.

use ratatui::layout::Rect;

use super::{
    Screen,
    keys::{
        pane::{HINTS, KeyPane},
        places::Places,
    },
    not_here,
};
use crate::{
    domain::{LocationId, authorize::Action as Act, tail::Watched},
    tui::{
        action::{Action, Group, Layer, Reason},
        app::{
            ask::{Answer, Ask, Errand, Thing},
            look::Look,
        },
        canvas::{Canvas, Target},
        clock::{Moment, Now},
        input::TextFocus,
        list::habit::Habitual,
        overlay::Cue,
        overlays::{chooser, confirm, location_add::AddLocations, location_rename, tail::Tail},
        sight::seen::seen,
        sight::subset::Subset,
        widgets::{Focus, layout, walks},
    },
};

/// Columns from which both halves are shown.
const BOTH: u16 = 90;
/// Columns of the locations.
const PLACES: u16 = 35;

const PLACE_HINTS: [Action; 6] =
    [Action::New, Action::Filter, Action::Open, Action::Edit, Action::Delete, Action::RowMenu];
/// What there is to do with a location.
const LISTED: [(Action, &str); 5] = [
    (Action::Right, "Go to its keys"),
    (Action::Edit, "Rename it"),
    (Action::Delete, "Remove it; all its keys are refused from then on"),
    (Action::Watch, "Watch who knocks with its keys"),
    (Action::New, "Add locations"),
];

/// Which half has the keyboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Half {
    Places,
    Keys,
}

pub struct LocationKeys {
    places: Places,
    pane: KeyPane,
    half: Half,
    /// Why locations cannot be changed, judged when the state changed.
    manage: Result<(), Reason>,
}

impl LocationKeys {
    /// Empty until it has looked.
    pub(super) fn new() -> Self {
        Self {
            places: Places::new(),
            pane: KeyPane::new(Subset::Locations),
            half: Half::Places,
            manage: Ok(()),
        }
    }

    /// Shows the keys of the selected location.
    fn follow(&mut self, look: &Look, out: &mut Vec<Ask>) {
        let wanted = self.places.selected().map_or(Subset::Locations, Subset::At);
        if self.pane.subset() != wanted {
            self.pane.hold(wanted);
            self.pane.refresh(look, out);
        }
    }

    fn hear_places(&mut self, cue: Cue<'_>, look: &Look, out: &mut Vec<Ask>) -> bool {
        if self.places.hear(cue) {
            self.follow(look, out);
            return true;
        }
        match cue {
            Cue::Do(Action::Right | Action::Open) => self.half = Half::Keys,
            Cue::Do(Action::New) => out.push(Ask::open(AddLocations::new())),
            Cue::Do(Action::RowMenu) => {
                let screen = &*self;
                let menu = chooser::row_menu("With this location", &LISTED, look, |action| {
                    screen.enabled_places(action, look)
                });
                out.push(Ask::open(menu));
            }
            Cue::Do(Action::Watch) => {
                let Some(location) = self.places.selected() else { return false };
                out.push(Ask::open(Tail::new(Watched::Location(location), look)));
            }
            Cue::Do(action @ (Action::Edit | Action::Delete)) => {
                let Some(location) = self.places.selected() else { return false };
                if action == Action::Delete {
                    out.push(Ask::open(confirm::location::remove(look, location, self.places.name())));
                } else if let Some(form) = location_rename::new(location, look) {
                    out.push(Ask::open(form));
                }
            }
            _ => return false,
        }
        true
    }

    fn enabled_places(&self, action: Action, look: &Look) -> Result<(), Reason> {
        let right = || look.keymap.label(Layer::Screen, Action::Right).unwrap_or_default();
        let chosen = || match self.places.selected() {
            None => Err("select one location first".into()),
            Some(_) if self.places.is_removed() => Err("it was removed; its keys stay refused".into()),
            Some(_) => Ok(()),
        };
        match action {
            _ if walks(action) => Ok(()),
            Action::Filter | Action::Right | Action::RowMenu | Action::Open => Ok(()),
            Action::Back if self.places.list.is_filtered() || self.text_focus() == TextFocus::Here => Ok(()),
            Action::Back => Err("there is nothing to step back from; q quits".into()),
            Action::New => self.manage.clone(),
            Action::Watch => chosen(),
            Action::Edit => self.manage.clone().and_then(|()| chosen()),
            Action::Delete => self.manage.clone().and_then(|()| chosen()),
            Action::Rotate
            | Action::Lost
            | Action::FinishGrace
            | Action::LongerGrace
            | Action::CancelRotation
            | Action::RotateAgain
            | Action::CopyId
            | Action::Pause
            | Action::Revoke
            | Action::Restore
            | Action::HowTo => Err(format!("that is for a key: {} goes to the keys", right()).into()),
            _ if matches!(action.spec().group, Group::Mark | Group::Sort) => {
                Err(format!("that is for the table of keys: {} goes to it", right()).into())
            }
            _ => Err(not_here(action, look)),
        }
    }

    fn empty(&self, look: &Look) -> String {
        let label = |action| look.keymap.label(Layer::Screen, action).unwrap_or_default();
        let (new, left) = (label(Action::New), label(Action::Left));
        if self.places.is_bare() {
            return match &self.manage {
                Ok(()) => format!("No locations yet. {left} goes to the left, {new} there adds the first."),
                Err(_) => "No locations yet. An admin adds them.".to_owned(),
            };
        }
        match (self.half, self.pane.enabled(Action::New, look)) {
            (_, Err(reason)) => format!("No keys here. You cannot issue one: {reason}"),
            (Half::Keys, Ok(())) => format!("No keys here yet. {new} issues the first one."),
            (Half::Places, Ok(())) => format!(
                "No keys here yet. {} goes to the right, {new} there issues one.",
                label(Action::Right)
            ),
        }
    }
}

impl Screen for LocationKeys {
    fn refresh(&mut self, look: &Look, out: &mut Vec<Ask>) {
        seen(look, |seen| self.places.refresh(seen));
        self.manage = look.may(Act::ManageLocations);
        let wanted = self.places.selected().map_or(Subset::Locations, Subset::At);
        self.pane.hold(wanted);
        self.pane.refresh(look, out);
    }

    fn pane(&mut self) -> Option<&mut KeyPane> {
        Some(&mut self.pane)
    }

    fn arrive(&mut self, errand: Errand, look: &Look, out: &mut Vec<Ask>) {
        match errand {
            Errand::With(action, Thing::Location(location)) => {
                self.arrive(Errand::Location(location), look, out);
                // Of one that is gone no other is meant.
                let there = self.places.selected() == Some(location);
                match look.permits(action).and_then(|()| self.enabled_places(action, look)) {
                    Ok(()) if there => drop(self.hear_places(Cue::Do(action), look, out)),
                    Ok(()) => {}
                    Err(why) => out.push(Ask::Say(why.to_string())),
                }
                return;
            }
            Errand::With(action, Thing::Key(key)) => {
                self.arrive(Errand::Key(key), look, out);
                return self.pane.ask_of(action, key, look, out);
            }
            _ => {}
        }
        match &errand {
            Errand::None | Errand::App(_) | Errand::Setting(_) | Errand::Entry(_) | Errand::With(..) => {}
            Errand::Location(location) => {
                self.places.select(Some(*location));
                self.half = Half::Places;
            }
            Errand::Filter(_) => {
                self.places.select(None);
                self.half = Half::Keys;
            }
            Errand::Key(key) | Errand::Open(key) => {
                let place: Option<LocationId> =
                    look.view(|view| view.key(*key).and_then(|key| key.place.location()));
                self.places.select(place);
                self.half = Half::Keys;
            }
        }
        self.follow(look, out);
        self.pane.arrive(errand, look, out);
    }

    fn hear(&mut self, cue: Cue<'_>, look: &Look, now: Now, out: &mut Vec<Ask>) -> bool {
        match cue {
            Cue::Click(Target::Pane(pane) | Target::Row { pane, .. } | Target::Header { pane, .. }) => {
                self.half = if pane == super::keys::places::PANE { Half::Places } else { Half::Keys };
            }
            Cue::Wheel { pane: super::keys::places::PANE, .. } => return self.hear_places(cue, look, out),
            Cue::Tick | Cue::Wheel { .. } => return self.pane.hear(cue, look, now, out),
            _ => {}
        }
        // What was paused is taken back from either half.
        if self.half == Half::Places && cue != Cue::Do(Action::Undo) {
            return self.hear_places(cue, look, out);
        }
        if self.pane.hear(cue, look, now, out) {
            return true;
        }
        if matches!(cue, Cue::Do(Action::Left | Action::Back)) {
            self.half = Half::Places;
            return true;
        }
        false
    }

    fn told(&mut self, answer: Answer, look: &Look, now: Now, out: &mut Vec<Ask>) {
        self.pane.told(answer, look, now, out);
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, look: &Look, now: Now) {
        let empty = self.empty(look);
        let on_keys = Focus::when(self.half == Half::Keys);
        if area.width < BOTH {
            match self.half {
                Half::Places => self.places.draw(canvas, area, Focus::Here),
                Half::Keys => self.pane.draw_whole(canvas, area, look, (on_keys, &empty), now),
            }
            return;
        }
        let (left, right) = layout::left(area, PLACES);
        self.places.draw(canvas, layout::left(left, PLACES - 1).0, Focus::when(self.half == Half::Places));
        canvas.vertical(left.right() - 1, left.y, left.height);
        self.pane.draw_whole(canvas, right, look, (on_keys, &empty), now);
    }

    fn hints(&self) -> &[Action] {
        match self.half {
            Half::Places => &PLACE_HINTS,
            Half::Keys => &HINTS,
        }
    }

    fn enabled(&self, action: Action, look: &Look) -> Result<(), Reason> {
        match (self.half, action) {
            (Half::Places, Action::Undo) => self.pane.enabled(action, look),
            (Half::Places, _) => self.enabled_places(action, look),
            (Half::Keys, Action::Left | Action::Back) => Ok(()),
            (Half::Keys, _) => self.pane.enabled(action, look),
        }
    }

    fn undoes(&self) -> Option<String> {
        self.pane.undoes()
    }

    fn habitual(&mut self) -> Vec<(&'static str, &mut dyn Habitual)> {
        vec![("locations", &mut self.places.list), ("location-keys", &mut self.pane.beside)]
    }

    fn text_focus(&self) -> TextFocus {
        match self.half {
            Half::Places => self.places.list.text_focus(),
            Half::Keys => self.pane.text_focus(),
        }
    }

    fn wake_at(&self) -> Option<Moment> {
        self.pane.wake_at()
    }
}
