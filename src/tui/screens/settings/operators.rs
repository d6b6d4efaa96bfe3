//! The operators: all for an admin, oneself for the others.

use ratatui::layout::Rect;

use crate::domain::filter::NoTerm;
use crate::domain::{OperatorId, Role as OperatorRole, Timestamp};
use crate::tui::app::look::Look;
use crate::tui::app::times::Times;
use crate::tui::canvas::Canvas;
use crate::tui::list::{Cell, Change, Column, List, Listed};
use crate::tui::overlay::Cue;
use crate::tui::overlays::operator::Person;
use crate::tui::theme::{Badge, Role};
use crate::tui::widgets::{Focus, layout};

struct Line {
    person: Person,
    added: Timestamp,
}

/// The operators, and how to say when they came.
struct Sight {
    people: Vec<Line>,
    times: Times,
}

struct People;

impl Listed for People {
    type Id = OperatorId;
    type Row = Line;
    type Sight<'a> = Sight;
    type Term = NoTerm;

    const ONE: &'static str = "operator";

    fn row(sight: &Sight, id: OperatorId) -> Option<&Line> {
        sight.people.iter().find(|line| line.person.id == id)
    }

    fn name<'a>(line: &'a Line, _: &'a Sight) -> &'a str {
        &line.person.name
    }
}

type Col = Column<People>;

static NAME: Col = Col::text("Name", 'n', (12, 34), 0, |line, _| {
    let you = if line.person.oneself { " (you)" } else { "" };
    Cell::new(Role::Text, format!("{}{you}", line.person.name))
});
static ROLE: Col =
    Col::text("Role", 'r', (7, 9), 0, |line, _| Cell::new(Role::Text, line.person.role.as_str()));
static STANDING: Col =
    Col::text("Standing", 's', (24, 24), 0, |line, _| match (line.person.active, line.person.keys_work) {
        (true, _) => Cell::badge(Badge::Active, "active"),
        (false, true) => Cell::badge(Badge::Paused, "disabled, keys work"),
        (false, false) => Cell::badge(Badge::Revoked, "disabled, keys stopped"),
    });
static LIVE: Col =
    Col::number("Live keys", 'k', 9, 1, |line, _| Cell::new(Role::Text, line.person.live.to_string()));
static ADDED: Col = Col::text("Added", 'a', (10, 12), 2, |line, sight| {
    Cell::new(Role::Dim, sight.times.relative(line.added))
});

pub struct Operators {
    people: Vec<Line>,
    list: List<People>,
}

impl Operators {
    /// Empty until it has looked; `pane` is its number for the mouse.
    pub fn new(pane: u8) -> Self {
        Self { people: Vec::new(), list: List::new(pane, vec![&NAME, &ROLE, &STANDING, &LIVE, &ADDED]) }
    }

    fn with<R>(&mut self, look: &Look, act: impl FnOnce(&mut List<People>, &Sight) -> R) -> R {
        let sight = Sight { people: std::mem::take(&mut self.people), times: Times::of(look) };
        let done = act(&mut self.list, &sight);
        self.people = sight.people;
        done
    }

    pub fn refresh(&mut self, look: &Look) {
        let ids: Vec<(OperatorId, Timestamp)> =
            look.view(|view| view.operators().into_iter().map(|o| (o.id, o.created_at)).collect());
        let line = |(id, added)| Person::of(id, look).map(|person| Line { person, added });
        self.people = ids.into_iter().filter_map(line).collect();
        let oneself = self.people.iter().find(|line| line.person.oneself).map(|line| line.person.id);
        let ids: Vec<OperatorId> = self.people.iter().map(|line| line.person.id).collect();
        self.with(look, |list, sight| {
            let first = list.selected().is_none();
            list.fill(ids, sight);
            if let Some(oneself) = oneself.filter(|_| first) {
                list.select(oneself, sight);
            }
        });
    }

    pub fn hear(&mut self, cue: Cue<'_>) -> Change {
        self.list.hear(cue)
    }

    /// Selects an operator.
    pub fn select(&mut self, operator: OperatorId, look: &Look) {
        self.with(look, |list, sight| list.select(operator, sight));
    }

    /// The selected operator, as they stand now.
    pub fn selected(&self, look: &Look) -> Option<Person> {
        Person::of(self.list.selected()?, look)
    }

    pub fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, look: &Look, focus: Focus) {
        let (body, foot) = layout::bottom(area, 1);
        self.with(look, |list, sight| list.draw(canvas, body, sight, focus, "Nobody may sign in."));
        if look.role() != OperatorRole::Admin {
            let said = "You see yourself. An admin sees everybody, adds them and changes their roles.";
            let foot = layout::inset(foot, 1, 0);
            canvas.fit(foot.x, foot.y, foot.width, said, Role::Dim);
        }
    }
}
