//! The list of locations beside the keys of locations: all of them first, then each with its keys as the table has them.

use std::collections::HashMap;

use ratatui::layout::Rect;

use crate::domain::filter::{self, keys};
use crate::domain::name::plain;
use crate::domain::{Key, Location, LocationId};
use crate::tui::canvas::Canvas;
use crate::tui::list::{Cell, Column, List, Listed};
use crate::tui::overlay::Cue;
use crate::tui::sight::seen::Seen;
use crate::tui::theme::Role;
use crate::tui::widgets::{Focus, layout};

/// The list's number for the mouse.
pub const PANE: u8 = 0;

/// What a row stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    All,
    Open,
    /// It was removed, and keys are left of it that somebody may look for.
    Removed,
}

/// A location, or all of them, with its keys that are not deleted.
pub struct Place {
    name: String,
    kind: Kind,
    keys: usize,
}

type Rows = HashMap<Option<LocationId>, Place>;

/// Locations; `None` stands for all.
pub struct Places {
    rows: Rows,
    /// How many there are that were not removed.
    open: usize,
    pub list: List<Self>,
}

/// Locations have names and nothing else to be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {}

impl filter::Term for Named {
    const EXAMPLES: &'static str = "type to find a location";
    const FIELDS: &'static str = "";

    fn read(field: &str, sign: char, value: String) -> Option<Result<Self, String>> {
        // Whoever asks for keys stands in the wrong half.
        let of_keys = keys::Term::read(field, sign, value).is_some();
        of_keys.then(|| Err(format!("{field}{sign} asks for keys; go to them on the right and filter there")))
    }
}

impl Listed for Places {
    type Id = Option<LocationId>;
    type Row = Place;
    type Sight<'a> = Rows;
    type Term = Named;

    const ONE: &'static str = "location";
    const MARGIN: u16 = 2;

    fn row(rows: &Rows, id: Self::Id) -> Option<&Place> {
        rows.get(&id)
    }

    fn name<'a>(place: &'a Place, _: &'a Rows) -> &'a str {
        &place.name
    }
}

type Col = Column<Places>;

static NAME: Col = Col::text("", 'n', (12, 60), 0, |place, _| match place.kind {
    Kind::All => Cell::new(Role::Title, place.name.as_str()),
    Kind::Open => Cell::new(Role::Text, place.name.as_str()),
    Kind::Removed => Cell::new(Role::Dim, format!("removed: {}", place.name)),
});
static KEYS: Col = Col::number("", 'k', 6, 0, |place, _| {
    let quiet = place.keys == 0 || place.kind == Kind::Removed;
    Cell::new(if quiet { Role::Dim } else { Role::Count }, place.keys.to_string())
});

impl Places {
    /// Empty until it has looked.
    pub fn new() -> Self {
        Self { rows: Rows::new(), open: 0, list: List::new(PANE, vec![&NAME, &KEYS]) }
    }

    pub fn refresh(&mut self, seen: &Seen<'_>) {
        let kept = |key: &&Key| !seen.is_aside(key);
        let place = |at: &Location, kind| {
            let keys = seen.view.keys_at(at.id).filter(kept).count();
            (Some(at.id), Place { name: at.name.to_string(), kind, keys })
        };
        let open = seen.view.locations();
        self.open = open.len();
        let mut gone: Vec<&Location> = seen.state().locations().filter(|at| !at.is_open()).collect();
        gone.sort_by_cached_key(|at| (plain(at.name.as_str()), at.id));
        let gone = gone.into_iter().map(|at| place(at, Kind::Removed)).filter(|(_, place)| place.keys > 0);
        let rows: Vec<_> = open.iter().map(|at| place(at, Kind::Open)).chain(gone).collect();
        let ids: Vec<_> = [None].into_iter().chain(rows.iter().map(|(id, _)| *id)).collect();
        let keys = rows.iter().map(|(_, place)| place.keys).sum();
        let all = Place { name: "All locations".to_owned(), kind: Kind::All, keys };
        self.rows = rows.into_iter().chain([(None, all)]).collect();
        self.list.fill(ids, &self.rows);
    }

    /// Whether there is no location at all.
    pub const fn is_bare(&self) -> bool {
        self.open == 0
    }

    /// Whether the selected location was removed.
    pub fn is_removed(&self) -> bool {
        self.place().is_some_and(|place| place.kind == Kind::Removed)
    }

    fn place(&self) -> Option<&Place> {
        self.rows.get(&self.list.selected()?)
    }

    /// The selected location; `None` for all of them.
    pub fn selected(&self) -> Option<LocationId> {
        self.list.selected().flatten()
    }

    pub fn name(&self) -> &str {
        self.place().map_or("", |place| place.name.as_str())
    }

    /// Selects a location, or all.
    pub fn select(&mut self, location: Option<LocationId>) {
        self.list.set_filter("");
        self.list.sift(&self.rows);
        self.list.select(location, &self.rows);
    }

    /// Hears a cue, and says whether it was for this list.
    pub fn hear(&mut self, cue: Cue<'_>) -> bool {
        let change = self.list.hear(cue);
        self.list.settle(change, &self.rows)
    }

    pub fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, focus: Focus) {
        let (header, rest) = layout::top(area, 1);
        let title = format!("Locations {}", self.open);
        canvas.fit(header.x + 2, header.y, header.width.saturating_sub(2), &title, Role::Header);
        self.list.draw(canvas, rest, &self.rows, focus, "");
    }
}
