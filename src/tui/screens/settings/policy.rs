//! The policy: each rule with its value and what it does. All operators see it, admins change it.

use ratatui::layout::Rect;

use crate::domain::Policy;
use crate::domain::authorize::Action as Act;
use crate::domain::filter::NoTerm;
use crate::domain::name::plain;
use crate::tui::action::{Action, Layer};
use crate::tui::app::ask::{Errand, Setting, Tab};
use crate::tui::app::look::Look;
use crate::tui::canvas::Canvas;
use crate::tui::list::{Cell, Change, Column, List, Listed};
use crate::tui::overlay::{Cue, Overlay};
use crate::tui::overlays::policy_edit;
use crate::tui::sight::jump::{Kind, Offer};
use crate::tui::theme::Role;
use crate::tui::widgets::{Focus, layout, text};

/// Columns a value gets in the table.
const VALUE: u16 = 10;
/// Rows below the table that say more of the selected rule.
const FOOT: u16 = 6;

/// Rules with their values.
struct Values;

/// A rule's name, its value, and what it does.
type Row = (&'static str, String, &'static str);

impl Listed for Values {
    type Id = &'static str;
    type Row = Row;
    type Sight<'a> = Vec<Row>;
    type Term = NoTerm;

    const ONE: &'static str = "rule";

    fn row<'a>(rules: &'a Vec<Row>, id: &'static str) -> Option<&'a Row> {
        rules.iter().find(|(name, ..)| *name == id)
    }

    fn name<'a>((name, ..): &'a Row, _: &'a Vec<Row>) -> &'a str {
        name
    }
}

type Col = Column<Values>;

static RULE: Col =
    Col::text("Rule", 'r', (22, 24), 0, |(name, ..), _| Cell::new(Role::Text, policy_edit::spoken(name)));
static SET: Col =
    Col::text("Value", 'v', (8, VALUE), 0, |(_, value, _), _| Cell::new(Role::Accent, value.as_str()));
// Said whole or not at all: of the selected rule it stands below.
static ABOUT: Col =
    Col::text("What it does", 'a', (20, 90), 1, |(.., about), _| Cell::new(Role::Dim, *about)).spare();

/// A setting to be jumped to.
pub fn offer(setting: Setting, name: &str, hint: &str) -> Offer {
    Offer::there(Kind::Setting, Tab::Settings, Errand::Setting(setting), name, hint)
}

/// All rules, found by what they do as well.
pub fn offers(look: &Look) -> impl Iterator<Item = Offer> {
    Policy::RULES.iter().map(|rule| {
        let value = look.state(|state| state.policy().get(rule.name)).unwrap_or_default();
        let named = offer(Setting::Rule(rule.name), rule.title, &value);
        Offer { text: plain(&format!("{} {}", rule.name, rule.about)), ..named }
    })
}

pub struct Rules {
    values: Vec<Row>,
    list: List<Values>,
}

impl Rules {
    /// Empty until it has looked; `pane` is its number for the mouse.
    pub fn new(pane: u8) -> Self {
        Self { values: Vec::new(), list: List::new(pane, vec![&RULE, &SET, &ABOUT]) }
    }

    pub fn refresh(&mut self, look: &Look) {
        let rule = |policy: &Policy, name| policy.get(name).unwrap_or_default();
        self.values = look.state(|state| {
            let rules = Policy::RULES.iter();
            rules.map(|known| (known.name, rule(state.policy(), known.name), known.about)).collect()
        });
        self.list.fill(Policy::RULES.iter().map(|known| known.name), &self.values);
    }

    pub fn hear(&mut self, cue: Cue<'_>) -> Change {
        self.list.hear(cue)
    }

    /// Selects a rule.
    pub fn select(&mut self, rule: &'static str) {
        self.list.select(rule, &self.values);
    }

    /// The form that changes the selected rule.
    pub fn form(&self, look: &Look) -> Option<Box<dyn Overlay>> {
        let form = policy_edit::new(self.list.selected()?, look)?;
        Some(Box::new(form))
    }

    pub fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, look: &Look, focus: Focus) {
        let wanted = u16::try_from(self.values.len()).unwrap_or(u16::MAX).saturating_add(1);
        let foot = FOOT.min(area.height.saturating_sub(wanted.min(area.height / 2)));
        // Right below the table, where the eye is.
        let (body, foot) = layout::top(area, wanted.min(area.height.saturating_sub(foot)));
        let foot = layout::top(foot, FOOT).0;
        self.list.draw(canvas, body, &self.values, focus, "");
        self.draw_foot(canvas, layout::inset(foot, 1, 0), look);
    }

    fn draw_foot(&self, canvas: &mut Canvas<'_>, area: Rect, look: &Look) {
        let Some(name) = self.list.selected() else { return };
        let Some(rule) = Policy::RULES.iter().find(|rule| rule.name == name) else { return };
        if area.height < 2 {
            return;
        }
        canvas.rule(area.x, area.y, area.width);
        let mut said = vec![(Role::Text, rule.about.to_owned())];
        let value = look.state(|state| state.policy().get(name)).unwrap_or_default();
        if text::width(&value) > usize::from(VALUE) {
            said.push((Role::Accent, value));
        }
        said.push((Role::Dim, format!("Takes {}.", rule.form)));
        said.push(match look.may(Act::SetPolicy) {
            Ok(()) => {
                let key = look.keymap.label(Layer::Screen, Action::Open).unwrap_or_default();
                (Role::Dim, format!("{key} changes it; so does `keydeck policy set {name} VALUE`."))
            }
            Err(reason) => (Role::Warn, format!("Not yours to change: {reason}")),
        });
        let wrapped = |(role, said): (Role, String)| {
            text::wrap(&said, area.width.max(1)).into_iter().map(move |line| (role, line))
        };
        canvas.lines(layout::top(area, 1).1, &said.into_iter().flat_map(wrapped).collect::<Vec<_>>());
    }
}
