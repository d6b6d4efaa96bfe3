//! The operators: all for an admin, oneself for the others.

use ratatui::layout::Rect;

use crate::domain::{OperatorId, Timestamp};
use crate::tui::action::Action;
use crate::tui::app::look::Look;
use crate::tui::app::times::Times;
use crate::tui::canvas::Canvas;
use crate::tui::overlays::operator::Person;
use crate::tui::theme::{Badge, GlyphSet, Glyphs, Role};
use crate::tui::widgets::data_table::{Cell, Column, Rows, TableState, View};
use crate::tui::widgets::{Focus, Handled, layout};

const COLUMNS: [Column; 5] = [
    Column::text("name", "Name", 'n', (12, 34), 0),
    Column::text("role", "Role", 'r', (7, 9), 0),
    Column::text("standing", "Standing", 's', (24, 24), 0),
    Column::number("live", "Live keys", 'k', 9, 1),
    Column::text("added", "Added", 'a', (10, 12), 2),
];

struct Line {
    person: Person,
    added: Timestamp,
}

struct Lines {
    people: Vec<Line>,
    glyphs: &'static Glyphs,
    times: Option<Times>,
}

impl Rows for Lines {
    type Id = OperatorId;

    fn len(&self) -> usize {
        self.people.len()
    }

    fn id(&self, index: usize) -> Option<OperatorId> {
        self.people.get(index).map(|line| line.person.id)
    }

    fn cell(&self, index: usize, column: &'static str) -> Cell<'_> {
        let Some(Line { person, added }) = self.people.get(index) else { return Cell::new("") };
        match column {
            "name" if person.oneself => Cell::new(format!("{} (you)", person.name)),
            "name" => Cell::new(person.name.as_str()),
            "role" => Cell::new(person.role.as_str()),
            "standing" => {
                let (badge, words) = match (person.active, person.keys_work) {
                    (true, _) => (Badge::Active, "active"),
                    (false, true) => (Badge::Paused, "disabled, keys work"),
                    (false, false) => (Badge::Revoked, "disabled, keys stopped"),
                };
                Cell::state(self.glyphs.badge(badge), words, badge.role())
            }
            "live" => match person.live {
                Some(count) => Cell::new(count.to_string()),
                None => Cell::with_role("not shown", Role::Dim),
            },
            _ => Cell::with_role(
                self.times.map_or_else(String::new, |times| times.relative(*added)),
                Role::Dim,
            ),
        }
    }
}

/// The section.
pub struct Operators {
    rows: Lines,
    table: TableState<OperatorId>,
}

impl Default for Operators {
    fn default() -> Self {
        let rows = Lines { people: Vec::new(), glyphs: GlyphSet::Unicode.glyphs(), times: None };
        Self { rows, table: TableState::new() }
    }
}

impl Operators {
    pub fn refresh(&mut self, look: &Look) {
        let ids: Vec<(OperatorId, Timestamp)> =
            look.view(|view| view.operators().into_iter().map(|o| (o.id, o.created_at)).collect());
        let line = |(id, added)| Person::of(id, look).map(|person| Line { person, added });
        self.rows.people = ids.into_iter().filter_map(line).collect();
        self.rows.times = Some(Times::of(look));
        if self.table.selected().is_none() {
            let oneself = self.rows.people.iter().position(|line| line.person.oneself);
            self.table.go(&self.rows, oneself.unwrap_or(0));
        }
        self.table.settle(&self.rows);
    }

    pub fn act(&mut self, action: Action) -> Handled {
        self.table.act(action, &self.rows)
    }

    pub fn go(&mut self, row: usize) {
        self.table.go(&self.rows, row);
    }

    pub fn index(&self) -> Option<usize> {
        self.table.selected_index()
    }

    pub fn scroll(&mut self, rows: isize) {
        self.table.scroll(&self.rows, rows);
    }

    /// The selected operator, as they stand now.
    pub fn selected(&self, look: &Look) -> Option<Person> {
        Person::of(*self.table.selected()?, look)
    }

    pub fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, look: &Look, focus: Focus, pane: u8) {
        self.rows.glyphs = canvas.glyphs();
        self.rows.times = Some(Times::of(look));
        let (body, foot) = layout::bottom(area, 1);
        let view = View { focus, pane, empty: "Nobody may sign in." };
        self.table.draw(canvas, body, &COLUMNS, &self.rows, view);
        let (whole, admin) = look.view(|view| (view.is_whole(), view.role() == crate::domain::Role::Admin));
        let said = match (admin, whole) {
            (false, _) => "You see yourself. An admin sees everybody, adds them and changes their roles.",
            (true, false) => "Live keys of others are counted in the whole-agency view only.",
            (true, true) => "",
        };
        let foot = layout::inset(foot, 1, 0);
        canvas.fit(foot.x, foot.y, foot.width, said, Role::Dim);
    }
}
