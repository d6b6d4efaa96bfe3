//! The policy: each rule with its value and what it does. All operators see it, admins change it.

use ratatui::layout::Rect;

use crate::domain::Policy;
use crate::domain::authorize::Action as Act;
use crate::tui::action::{Action, Layer};
use crate::tui::app::ask::Layered;
use crate::tui::app::look::Look;
use crate::tui::canvas::Canvas;
use crate::tui::overlays::{operator, policy_edit};
use crate::tui::theme::Role;
use crate::tui::widgets::data_table::{Cell, Column, Rows, TableState, View};
use crate::tui::widgets::{Focus, Handled, layout, text};

/// Columns a value gets in the table.
const VALUE: u16 = 10;

const COLUMNS: [Column; 3] = [
    Column::text("rule", "Rule", 'r', (22, 24), 0),
    Column::text("value", "Value", 'v', (8, VALUE), 0),
    Column::text("about", "What it does", 'a', (20, 90), 1),
];

/// Rows below the table that say more of the selected rule.
const FOOT: u16 = 5;

/// The rules with their values.
struct Values(Vec<(&'static str, String, &'static str)>);

impl Rows for Values {
    type Id = &'static str;

    fn len(&self) -> usize {
        self.0.len()
    }

    fn id(&self, index: usize) -> Option<&'static str> {
        self.0.get(index).map(|(name, ..)| *name)
    }

    fn cell(&self, index: usize, column: &'static str) -> Cell<'_> {
        let Some((name, value, about)) = self.0.get(index) else { return Cell::new("") };
        match column {
            "rule" => Cell::new(policy_edit::spoken(name)),
            "value" => Cell::with_role(value.as_str(), Role::Accent),
            _ => Cell::with_role(*about, Role::Dim),
        }
    }
}

/// The section.
pub struct Rules {
    values: Values,
    table: TableState<&'static str>,
}

impl Default for Rules {
    fn default() -> Self {
        Self { values: Values(Vec::new()), table: TableState::new() }
    }
}

impl Rules {
    pub fn refresh(&mut self, look: &Look) {
        let rule = |policy: &Policy, name| policy.get(name).unwrap_or_default();
        let rows = look.state(|state| {
            let rows =
                Policy::RULES.iter().map(|known| (known.name, rule(state.policy(), known.name), known.about));
            rows.collect()
        });
        self.values = Values(rows);
        self.table.settle(&self.values);
    }

    pub fn act(&mut self, action: Action) -> Handled {
        self.table.act(action, &self.values)
    }

    pub fn go(&mut self, row: usize) {
        self.table.go(&self.values, row);
    }

    pub fn index(&self) -> Option<usize> {
        self.table.selected_index()
    }

    pub fn scroll(&mut self, rows: isize) {
        self.table.scroll(&self.values, rows);
    }

    /// The form that changes the selected rule.
    pub fn form(&self, look: &Look) -> Option<Box<Layered>> {
        let form = policy_edit::new(self.table.selected()?, look)?;
        Some(Box::new(form))
    }

    pub fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, look: &Look, focus: Focus, pane: u8) {
        let wanted = u16::try_from(self.values.0.len()).unwrap_or(u16::MAX).saturating_add(1);
        let foot = FOOT.min(area.height.saturating_sub(wanted.min(area.height / 2)));
        // Right below the table, where the eye is.
        let (body, foot) = layout::top(area, wanted.min(area.height.saturating_sub(foot)));
        let foot = layout::top(foot, FOOT).0;
        let view = View { focus, pane, empty: "" };
        self.table.draw(canvas, body, &COLUMNS, &self.values, view);
        self.draw_foot(canvas, layout::inset(foot, 1, 0), look);
    }

    fn draw_foot(&self, canvas: &mut Canvas<'_>, area: Rect, look: &Look) {
        let Some(name) = self.table.selected() else { return };
        let Some(rule) = Policy::RULES.iter().find(|rule| rule.name == *name) else { return };
        if area.height < 2 {
            return;
        }
        canvas.rule(area.x, area.y, area.width);
        let mut lines: Vec<(Role, String)> =
            text::wrap(rule.about, area.width.max(1)).into_iter().map(|line| (Role::Text, line)).collect();
        let value = look.state(|state| state.policy().get(name)).unwrap_or_default();
        if text::width(&value) > usize::from(VALUE) {
            lines.push((Role::Accent, value));
        }
        lines.push((Role::Dim, format!("Takes {}.", rule.form)));
        lines.push(match operator::may(Act::SetPolicy, look) {
            Ok(()) => {
                let key = look.keymap.label(Layer::Screen, Action::Open).unwrap_or_default();
                (Role::Dim, format!("{key} changes it; so does `keydeck policy set {name} VALUE`."))
            }
            Err(reason) => (Role::Warn, format!("Not yours to change: {reason}")),
        });
        for (line, (role, said)) in (1..).zip(&lines) {
            let row = layout::row(area, line);
            if !row.is_empty() {
                canvas.fit(row.x, row.y, row.width, said, *role);
            }
        }
    }
}
