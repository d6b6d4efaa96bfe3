//! The table of keys with its filter line: which keys are in it, in which order, selected and marked. Keeps ids
//! only; what stands in a row is looked up when it is drawn.

use ratatui::layout::Rect;

use super::{
    columns::{self, BY_NAME, Extra, Whose},
    query::{self, Query, Term},
    seen::Seen,
};
use crate::domain::{AppId, Key, KeyId, KeyState, LocationId, Place};
use crate::tui::canvas::Canvas;
use crate::tui::input::TextFocus;
use crate::tui::overlay::Cue;
pub use crate::tui::screens::listing::Change;
use crate::tui::screens::listing::{Listing, Words};
use crate::tui::sight::filter::Term as _;
use crate::tui::widgets::{Focus, Handled};

/// The table's number for the mouse.
pub const PANE: u8 = 1;

/// Which keys a list holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subset {
    /// The agency keys.
    Agency,
    /// The keys of all locations.
    Locations,
    /// The keys of one.
    At(LocationId),
    /// The keys of all apps.
    Apps,
    /// The keys of one app.
    Of(AppId),
}

impl Subset {
    /// Whether a key of this place belongs to it.
    pub fn holds(self, place: Place) -> bool {
        match self {
            Self::Agency => place == Place::Agency,
            Self::Locations => place.location().is_some(),
            Self::At(location) => place.location() == Some(location),
            Self::Apps => place.app().is_some(),
            Self::Of(app) => place.app() == Some(app),
        }
    }
}

/// A list of keys.
pub struct KeyList {
    subset: Subset,
    /// All keys of the subset, sorted.
    all: Vec<KeyId>,
    deleted: usize,
    listing: Listing<KeyId>,
    query: Query,
}

impl KeyList {
    /// An empty list of `subset`, by name.
    pub fn new(subset: Subset) -> Self {
        Self {
            subset,
            all: Vec::new(),
            deleted: 0,
            listing: Listing::new(PANE, BY_NAME, Term::EXAMPLES),
            query: Query::default(),
        }
    }

    /// Which keys it holds.
    pub const fn subset(&self) -> Subset {
        self.subset
    }

    /// Holds other keys from the next look on.
    pub fn hold(&mut self, subset: Subset) {
        self.subset = subset;
    }

    /// Keys that the table has without a filter: all that are not deleted.
    pub const fn listed(&self) -> usize {
        self.all.len() - self.deleted
    }

    /// Whether there is no key at all, not even a deleted one.
    pub const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Looks at all keys again, sorts and filters. Selection and marks stay, by id.
    pub fn refresh(&mut self, seen: &Seen<'_>) {
        let keys: Vec<&Key> = match self.subset {
            Subset::At(location) => seen.view.keys_at(location).collect(),
            Subset::Of(app) => seen.view.keys_of_app(app).collect(),
            subset => seen.view.keys().filter(|key| subset.holds(key.place)).collect(),
        };
        let whose = match self.subset {
            Subset::Locations => Whose::Location,
            Subset::Apps => Whose::App,
            Subset::Agency | Subset::At(_) | Subset::Of(_) => Whose::Known,
        };
        let owner = if seen.view.is_whole() { Extra::Wanted } else { Extra::Needless };
        self.listing.columns = columns::columns(whose, owner);
        self.deleted = keys.iter().filter(|key| key.state(seen.now()) == KeyState::Deleted).count();
        self.all = columns::sort(&keys, self.listing.sort(), seen);
        self.listing.keep_marks(|id| seen.view.key(*id).is_some());
        self.apply(seen);
    }

    /// Filters again.
    pub fn apply(&mut self, seen: &Seen<'_>) {
        let mut room = String::new();
        let lets = |id: &&KeyId| {
            seen.view.key(**id).is_some_and(|key| query::lets(&self.query, key, seen, &mut room))
        };
        let shown = self.all.iter().filter(lets).copied().collect();
        self.listing.show(shown);
    }

    /// The selected key.
    pub fn selected(&self) -> Option<KeyId> {
        self.listing.selected()
    }

    /// Selects a key; when a filter hides it, the filter goes.
    pub fn select(&mut self, key: KeyId, seen: &Seen<'_>) {
        if !self.listing.shown().contains(&key) {
            self.set_filter("");
            self.apply(seen);
        }
        self.listing.select(key);
    }

    /// The keys an action is about: the marked ones that are shown, or else the selected one.
    pub fn targets(&self) -> Vec<KeyId> {
        if self.marks() > 0 { self.listing.marked() } else { self.selected().into_iter().collect() }
    }

    /// How many keys are marked.
    pub fn marks(&self) -> usize {
        self.listing.marks()
    }

    /// Forgets all marks.
    pub fn unmark(&mut self) -> Handled {
        self.listing.unmark()
    }

    /// How many keys are shown.
    pub fn shown(&self) -> usize {
        self.listing.shown().len()
    }

    /// Filters by `text`, as if it had been typed and kept.
    pub fn set_filter(&mut self, text: &str) {
        self.listing.set_filter(text);
        self.query = Query::parse(text);
    }

    /// Whether a filter is on.
    pub fn is_filtered(&self) -> bool {
        self.listing.is_filtered()
    }

    /// Whether characters go to a line of the list.
    pub fn text_focus(&self) -> TextFocus {
        self.listing.text_focus()
    }

    /// Hears a cue.
    pub fn hear(&mut self, cue: Cue<'_>) -> Change {
        let change = self.listing.hear(cue);
        if change == Change::Filter {
            self.query = Query::parse(self.listing.filter());
        }
        change
    }

    /// Draws filter line and table; `empty` is what to say when there is no key at all.
    pub fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, seen: &Seen<'_>, focus: Focus, empty: &str) {
        let nothing = if self.all.is_empty() && !self.is_filtered() {
            empty
        } else if self.is_filtered() {
            "No key matches. Esc clears the filter."
        } else {
            "Only deleted keys are left here; the filter state:deleted shows them."
        };
        let mut counted = Vec::new();
        if self.marks() > 0 {
            counted.push(format!("{} {} marked", canvas.glyphs().marked, self.marks()));
        }
        if self.is_filtered() {
            counted.push(format!("{} of {}", self.shown(), self.all.len() - self.hidden_deleted()));
        }
        let words = Words {
            counted: &counted.join("   "),
            mistake: self.query.mistakes.first().map(String::as_str),
            empty: nothing,
        };
        let glyphs = canvas.glyphs();
        let cell = |id, column| columns::cell(id, column, seen, glyphs);
        self.listing.draw(canvas, area, cell, focus, &words);
    }

    fn hidden_deleted(&self) -> usize {
        if self.query.reveals() { 0 } else { self.deleted }
    }
}

#[cfg(test)]
mod tests;
