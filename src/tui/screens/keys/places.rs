//! The list of locations beside the keys of locations: all of them first, then each with its keys as the table has them, narrowed by
//! typing. The selection is an id and survives renames, additions and searches.

use ratatui::layout::Rect;

use super::seen::Seen;
use crate::domain::name::plain;
use crate::tui::sight::filter::{self, Filter, Term as _};
use crate::{
    domain::{Key, KeyState, Location, LocationId},
    tui::{
        action::Action,
        canvas::{Canvas, Target},
        input::TextFocus,
        overlay::Cue,
        theme::Role,
        widgets::{Focus, field::TextField, layout, scrollbar, text},
    },
};

/// The list's number for the mouse.
pub const PANE: u8 = 0;

struct Place {
    /// `None` stands for all locations.
    id: Option<LocationId>,
    name: String,
    folded: String,
    listed: usize,
    /// It was removed, and keys are left of it that somebody may look for.
    removed: bool,
}

/// The list.
pub struct Places {
    all: Vec<Place>,
    /// How many there are that were not removed.
    open: usize,
    /// Numbers of the places shown.
    shown: Vec<usize>,
    selected: Option<LocationId>,
    at: usize,
    offset: usize,
    page: usize,
    search: TextField,
    query: Query,
    typing: bool,
}

/// A filter line over locations: words only.
type Query = Filter<NoTerm>;

/// Locations have names and nothing else to be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum NoTerm {}

impl filter::Term for NoTerm {
    const EXAMPLES: &'static str = "type to find a location";
    const FIELDS: &'static str = "";

    fn read(field: &str, sign: char, value: String) -> Option<Result<Self, String>> {
        // Whoever asks for keys stands in the wrong half.
        let of_keys = super::query::Term::read(field, sign, value).is_some();
        of_keys.then(|| Err(format!("{field}{sign} asks for keys; go to them on the right and filter there")))
    }
}

impl Places {
    /// Empty until it has looked.
    pub fn new() -> Self {
        Self {
            all: Vec::new(),
            open: 0,
            shown: Vec::new(),
            selected: None,
            at: 0,
            offset: 0,
            page: 1,
            search: TextField::new("").placeholder(NoTerm::EXAMPLES),
            query: Query::default(),
            typing: false,
        }
    }

    /// Looks again.
    pub fn refresh(&mut self, seen: &Seen<'_>) {
        let kept = |key: &&Key| key.state(seen.now()) != KeyState::Deleted;
        let listed = |id| seen.view.keys_at(id).filter(kept).count();
        let place = |location: &Location| Place {
            id: Some(location.id),
            name: location.name.to_string(),
            folded: plain(location.name.as_str()),
            listed: listed(location.id),
            removed: !location.is_open(),
        };
        let name = "All locations".to_owned();
        self.all = vec![Place { id: None, name, folded: String::new(), listed: 0, removed: false }];
        self.all.extend(seen.view.locations().into_iter().map(place));
        self.open = self.all.len() - 1;
        let gone = seen.state().locations().filter(|location| !location.is_open()).map(place);
        let mut gone: Vec<Place> = gone.filter(|place| place.listed > 0).collect();
        gone.sort_by(|one, other| (&one.folded, one.id).cmp(&(&other.folded, other.id)));
        self.all.append(&mut gone);
        let total = self.all.iter().map(|place| place.listed).sum();
        if let Some(all) = self.all.first_mut() {
            all.listed = total;
        }
        self.narrow();
    }

    /// Keys of all locations that are not deleted.
    pub fn listed(&self) -> usize {
        self.all.first().map_or(0, |all| all.listed)
    }

    /// Whether there is no location at all.
    pub const fn is_bare(&self) -> bool {
        self.open == 0
    }

    /// Whether the selected location was removed.
    pub fn is_removed(&self) -> bool {
        self.place().is_some_and(|place| place.removed)
    }

    /// The selected location; `None` for all of them.
    pub const fn selected(&self) -> Option<LocationId> {
        self.selected
    }

    /// The selected location's name.
    pub fn name(&self) -> &str {
        self.place().map_or("", |place| place.name.as_str())
    }

    /// Selects a location, or all.
    pub fn select(&mut self, location: Option<LocationId>) {
        self.search.clear();
        self.typing = false;
        self.selected = location;
        self.narrow();
    }

    /// Whether a search is on.
    pub fn is_narrowed(&self) -> bool {
        !self.search.is_empty()
    }

    /// Whether characters go to the search.
    pub const fn text_focus(&self) -> TextFocus {
        if self.typing { TextFocus::Here } else { TextFocus::Elsewhere }
    }

    /// Hears a cue, and says whether it was for this list.
    pub fn hear(&mut self, cue: Cue<'_>) -> bool {
        match cue {
            Cue::Type(typed) => self.search.type_char(typed.0),
            Cue::Edit(edit) => self.search.edit(edit),
            Cue::Paste(pasted) => self.search.paste(pasted.0),
            Cue::Do(Action::Filter) => {
                self.typing = true;
                return true;
            }
            Cue::Do(Action::Open | Action::Press) if self.typing => {
                self.typing = false;
                return true;
            }
            Cue::Do(Action::Back | Action::Cancel) if self.typing || self.is_narrowed() => {
                self.typing = false;
                self.search.clear();
            }
            Cue::Do(action) => return self.step(action),
            Cue::Click(Target::Row { pane: PANE, row }) => {
                self.typing = false;
                self.go(row);
                return true;
            }
            Cue::Click(Target::Pane(PANE)) => return true,
            Cue::Wheel { pane: PANE, rows } => {
                self.go(self.at.saturating_add_signed(rows));
                return true;
            }
            Cue::Click(_) | Cue::Wheel { .. } | Cue::Tick => return false,
        }
        self.narrow();
        true
    }

    fn step(&mut self, action: Action) -> bool {
        let half = (self.page / 2).max(1);
        let to = match action {
            Action::Up => self.at.saturating_sub(1),
            Action::Down => self.at + 1,
            Action::HalfUp => self.at.saturating_sub(half),
            Action::HalfDown => self.at + half,
            Action::PageUp => self.at.saturating_sub(self.page),
            Action::PageDown => self.at + self.page,
            Action::Top => 0,
            Action::Bottom => self.shown.len(),
            _ => return false,
        };
        self.go(to);
        true
    }

    fn go(&mut self, to: usize) {
        self.at = to.min(self.shown.len().saturating_sub(1));
        self.selected = self.place().and_then(|place| place.id);
    }

    fn place(&self) -> Option<&Place> {
        self.all.get(*self.shown.get(self.at)?)
    }

    /// Which places are shown, the selected one among them if it is still there.
    fn narrow(&mut self) {
        self.query = Query::parse(self.search.text());
        let fits = |place: &Place| match place.id {
            Some(_) => self.query.lets(false, &place.folded, |term| match *term {}),
            None => self.query.is_empty(),
        };
        self.shown = (0..self.all.len()).filter(|at| self.all.get(*at).is_some_and(fits)).collect();
        let still = self.shown.iter().position(|at| {
            self.all.get(*at).is_some_and(|place| {
                place.id == self.selected && (place.id.is_some() || self.query.is_empty())
            })
        });
        self.go(still.unwrap_or(if self.query.is_empty() { self.at } else { 0 }));
    }

    /// Draws the list.
    pub fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, focus: Focus) {
        canvas.hit(area, Target::Pane(PANE));
        let (header, rest) = layout::top(area, 1);
        let title = format!("Locations {}", self.open);
        canvas.fit(header.x + 2, header.y, header.width.saturating_sub(2), &title, Role::Header);
        let (line, list) = layout::top(rest, u16::from(self.typing || self.is_narrowed()));
        let wrong = self.query.mistakes.first().map(|mistake| format!("{} {mistake}", canvas.glyphs().bad));
        let wrong =
            wrong.map_or_else(Vec::new, |said| text::wrap(&said, list.width.saturating_sub(3).max(1)));
        let (told, list) =
            layout::top(list, u16::try_from(wrong.len()).unwrap_or(u16::MAX).min(list.height / 2));
        for (row, said) in (0..told.height).zip(&wrong) {
            let row = layout::row(told, row);
            canvas.fit(row.x + 2, row.y, row.width.saturating_sub(2), said, Role::Bad);
        }
        if !line.is_empty() {
            let style = canvas.style(Role::Key);
            let x = canvas.print(line.x, line.y, line.width, "/ ", style);
            let input = Rect { x, width: line.right().saturating_sub(x + 1), ..line };
            self.search.draw_input(canvas, input, Focus::when(self.typing && focus.is_here()));
        }
        self.page = usize::from(list.height).max(1);
        self.offset = self.offset.min(self.shown.len().saturating_sub(self.page));
        self.offset = self.offset.clamp((self.at + 1).saturating_sub(self.page), self.at);
        if self.shown.is_empty() {
            canvas.fit(list.x + 2, list.y, list.width.saturating_sub(2), "no location matches", Role::Dim);
        }
        for line in 0..list.height {
            let index = self.offset + usize::from(line);
            let Some(place) = self.shown.get(index).and_then(|at| self.all.get(*at)) else { break };
            let row = layout::row(list, line);
            canvas.hit(row, Target::Row { pane: PANE, row: index });
            let bar = Rect { width: row.width.saturating_sub(1), ..row };
            draw_row(canvas, bar, place, index == self.at, Focus::when(focus.is_here() && !self.typing));
        }
        scrollbar::draw(canvas, list, self.offset, list.height.into(), self.shown.len());
    }
}

impl Default for Places {
    fn default() -> Self {
        Self::new()
    }
}

fn draw_row(canvas: &mut Canvas<'_>, row: Rect, place: &Place, selected: bool, focus: Focus) {
    let look = match (selected, focus) {
        (true, Focus::Here) => Some(Role::Selected),
        (true, Focus::Elsewhere) => Some(Role::SelectedIdle),
        (false, _) => None,
    };
    if let Some(look) = look {
        let style = canvas.style(look);
        canvas.print(row.x, row.y, row.width, &" ".repeat(row.width.into()), style);
    }
    let sign = if selected { canvas.glyphs().selected } else { " " };
    let style = canvas.style(look.unwrap_or(Role::Text));
    canvas.print(row.x, row.y, 1, sign, style);
    let quiet = if place.listed == 0 || place.removed { Role::Dim } else { Role::Count };
    let count = canvas.span(look.unwrap_or(quiet), place.listed.to_string());
    let right = canvas.spans_right(row.right().saturating_sub(1), row.y, 8, &[count]);
    let x = row.x.saturating_add(2);
    let role = look.unwrap_or(match (place.id, place.removed) {
        (None, _) => Role::Title,
        (Some(_), false) => Role::Text,
        (Some(_), true) => Role::Dim,
    });
    let name = if place.removed { format!("removed: {}", place.name) } else { place.name.clone() };
    canvas.fit(x, row.y, right.saturating_sub(x).saturating_sub(1), &name, role);
    if selected && focus.is_here() {
        canvas.cursor(row.x, row.y);
    }
}
