//! The table of apps with its filter line. Keeps ids only; what stands in a row is looked up when it is drawn.

use ratatui::layout::Rect;

use super::query::{self, Query, Term};
use super::table::{self, BY_NAME};
use crate::domain::AppId;
use crate::tui::action::Action;
use crate::tui::canvas::Canvas;
use crate::tui::input::TextFocus;
use crate::tui::overlay::Cue;
use crate::tui::screens::keys::seen::Seen;
pub use crate::tui::screens::listing::Change;
use crate::tui::screens::listing::{Listing, Words};
use crate::tui::sight::filter::Term as _;
use crate::tui::widgets::Focus;

/// The table's number for the mouse.
pub const PANE: u8 = 3;

/// A list of apps.
pub struct AppList {
    /// All apps that may be shown, deleted ones left out.
    kept: usize,
    any: bool,
    listing: Listing<AppId>,
    query: Query,
}

impl AppList {
    /// An empty list, by name.
    pub fn new() -> Self {
        Self {
            kept: 0,
            any: false,
            listing: Listing::new(PANE, BY_NAME, Term::EXAMPLES),
            query: Query::default(),
        }
    }

    /// Looks at all apps again, sorts and filters. The selection stays, by id.
    pub fn refresh(&mut self, seen: &Seen<'_>) {
        let apps = seen.view.apps();
        self.any = !apps.is_empty();
        self.kept = apps.iter().filter(|app| !app.is_deleted()).count();
        self.listing.columns = table::columns(seen.view.is_whole());
        let wanted: Vec<_> = apps.into_iter().filter(|app| query::lets(&self.query, app, seen)).collect();
        self.listing.show(table::sort(&wanted, self.listing.sort(), seen));
    }

    /// Apps that are not deleted.
    pub const fn kept(&self) -> usize {
        self.kept
    }

    /// Whether there is no app at all, not even a deleted one.
    pub const fn is_bare(&self) -> bool {
        !self.any
    }

    /// How many are shown.
    pub fn shown(&self) -> usize {
        self.listing.shown().len()
    }

    /// The selected app.
    pub fn selected(&self) -> Option<AppId> {
        self.listing.selected()
    }

    /// Selects an app; when a filter hides it, the filter goes.
    pub fn select(&mut self, app: AppId, seen: &Seen<'_>) {
        if !self.listing.shown().contains(&app) {
            self.set_filter("");
            self.refresh(seen);
        }
        self.listing.select(app);
    }

    /// Filters by `text`, as if it had been typed and kept. Takes effect with the next look.
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

    /// Hears a cue. Nothing is done to several apps at once, so none is marked.
    pub fn hear(&mut self, cue: Cue<'_>) -> Change {
        if let Cue::Do(Action::Mark | Action::MarkAll | Action::MarkRange | Action::MarkNone) = cue {
            return Change::Ignored;
        }
        let change = self.listing.hear(cue);
        if change == Change::Filter {
            self.query = Query::parse(self.listing.filter());
        }
        change
    }

    /// Draws filter line and table; `empty` is what to say when there is no app at all.
    pub fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, seen: &Seen<'_>, focus: Focus, empty: &str) {
        let nothing = if self.is_filtered() {
            "No app matches. Esc clears the filter."
        } else if self.any {
            "Only deleted apps are left here; the filter state:deleted shows them."
        } else {
            empty
        };
        let words = Words {
            counted: &format!("{} of {}", self.shown(), self.kept.max(self.shown())),
            mistake: self.query.mistakes.first().map(String::as_str),
            empty: nothing,
        };
        let glyphs = canvas.glyphs();
        let cell = |id, column| table::cell(id, column, seen, glyphs);
        self.listing.draw(canvas, area, cell, focus, &words);
    }
}

impl Default for AppList {
    fn default() -> Self {
        Self::new()
    }
}
