//! What the open console looks like.
//!
//! ```text
//!  keydeck · Acme Agency                                  maria · admin · own keys · sealed ✓
//!  1 Agency keys 12   2 Location keys 148   3 Apps 9   4 Notices ●2   5 Review 7   6 Audit   7 Settings
//! ────────────────────────────────────────────────────────────────────────────────────────────
//!  (the screen)
//! ────────────────────────────────────────────────────────────────────────────────────────────
//!  ▲ 2 keys expire within 7 days  (! to see)                        n new  / filter  ? help
//! ```

use ratatui::layout::Rect;

use super::{Desk, PATIENCE, SPIN};
use crate::serve::control::Owner;
use crate::tui::action::{Action, Layer, Tab};
use crate::tui::canvas::Canvas;
use crate::tui::clock::Now;
use crate::tui::input::TextFocus;
use crate::tui::theme::{Glyphs, Role};
use crate::tui::widgets::bars::{self, Fact, Stays};
use crate::tui::widgets::layout;
use crate::tui::widgets::status::{self, Hints, Status};

/// Hinted at on every screen, after the screen's own.
const ALWAYS: [Action; 3] = [Action::Jump, Action::NextTab, Action::Quit];
/// Hints of the screen that come before the help.
const FIRST: usize = 2;

/// What there is to press while a line over a list takes the letters.
const LINE: [(Action, &str); 2] = [(Action::Open, "done"), (Action::Back, "back")];

impl Desk {
    pub fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, now: Now) {
        let (title, below) = layout::top(area, 1);
        let (tabs, below) = layout::top(below, 1);
        let (upper, below) = layout::top(below, 1);
        let (body, last) = layout::bottom(below, 2);
        let (lower, status) = layout::top(last, 1);
        self.paint_title(canvas, title);
        self.paint_tabs(canvas, tabs);
        canvas.rule(upper.x, upper.y, upper.width);
        canvas.rule(lower.x, lower.y, lower.width);
        if let Some(screen) = self.screens.get_mut(self.open) {
            screen.draw(canvas, body, &self.look, now);
        }
        canvas.lay_ground(body);
        self.overlays.draw(canvas, body, &self.look, now);
        self.paint_status(canvas, status, now);
        let dismiss = self.look.keymap.label(Layer::Screen, Action::Dismiss).unwrap_or_default();
        let (above, _) = layout::bottom(area, 1);
        // What a dialog or the showing of a secret says is read whole; on a screen the row that is selected is.
        let kept = match self.overlays.top() {
            Some(_) if canvas.kept().is_none() => Some(body),
            Some(_) => canvas.kept(),
            None => canvas.cursor_position().map(|cursor| Rect { y: cursor.y, height: 1, ..above }),
        };
        // On a screen they stay below the names of its columns.
        let free = match self.overlays.top() {
            Some(_) => above,
            None => layout::top(above, canvas.headers_end().max(body.y + 1) - above.y).1,
        };
        self.toasts.draw(canvas, free, &dismiss, kept);
    }

    fn paint_title(&self, canvas: &mut Canvas<'_>, row: Rect) {
        let glyphs = canvas.glyphs();
        let (agency, who, role, whole) = self.look.view(|view| {
            let who = view.operator().map_or_else(String::new, |operator| operator.name.to_string());
            (view.agency_name().to_owned(), who, view.role(), view.is_whole())
        });
        let seal = match (self.look.engine.doubts(), self.demo) {
            ([_, ..], _) => Fact::new(Role::Bad, format!("{} in doubt", glyphs.bad), Stays::ToTheEnd),
            ([], true) => Fact::new(Role::Info, "demo", Stays::Long),
            ([], false) => Fact::new(Role::Good, format!("sealed {}", glyphs.good), Stays::Briefly),
        };
        let reach = if whole {
            Fact::new(Role::Warn, "whole agency", Stays::Long)
        } else {
            Fact::new(Role::Dim, "own keys", Stays::AWhile)
        };
        let mut facts = Vec::new();
        if self.look.read_only {
            facts.push(Fact::new(Role::Warn, "read-only", Stays::Long));
        }
        facts.push(Fact::new(Role::Text, who, Stays::Long));
        facts.push(Fact::new(Role::Dim, role.to_string(), Stays::Briefly));
        facts.push(reach);
        facts.extend(self.look.owner.as_ref().map(|owner| self.attachment(owner, glyphs)));
        facts.push(seal);
        bars::title(canvas, row, &agency, &facts);
    }

    /// Whose store this is, when another process has it: with that process it goes.
    fn attachment(&self, owner: &Owner, glyphs: &Glyphs) -> Fact {
        let command = if owner.command.is_empty() { "process" } else { &owner.command };
        let short = command.strip_prefix("keydeck ").unwrap_or(command);
        let (pid, stays) = (owner.pid, Stays::ToTheEnd);
        if self.owner_gone {
            let bad = glyphs.bad;
            let fact = Fact::new(Role::Bad, format!("{bad} {command} {pid} has gone"), stays);
            return Fact { short: Some(format!("{bad} {short} has gone")), ..fact };
        }
        let fact = Fact::new(Role::Info, format!("attached to {command} {pid}"), stays);
        Fact { short: Some(format!("attached: {short} {pid}")), ..fact }
    }

    fn paint_tabs(&self, canvas: &mut Canvas<'_>, row: Rect) {
        let dot = canvas.glyphs().info;
        let label = |tab: &Tab| {
            let count = self.due.beside(*tab).map_or_else(String::new, |count| count.to_string());
            let calls = *tab == Tab::Notices && !count.is_empty();
            let count = if calls { format!("{dot}{count}") } else { count };
            bars::TabLabel { title: tab.title(), short: tab.short(), brief: tab.brief(), count, calls }
        };
        let tabs: Vec<_> = self.tabs.iter().map(label).collect();
        bars::tabs(canvas, row, &tabs, self.open);
    }

    fn paint_status(&self, canvas: &mut Canvas<'_>, row: Rect, now: Now) {
        canvas.erase(row);
        let due = self.status(canvas, now);
        let layer = self.layer();
        let screen = self.screens.get(self.open);
        let is_typed = screen.is_some_and(|screen| screen.text_focus() == TextFocus::Here);
        let mut actions: Vec<Action> = match self.overlays.top() {
            Some(top) => top.hints().to_vec(),
            // What is pressed goes into the line.
            None if is_typed => LINE.map(|(action, _)| action).to_vec(),
            None => screen.map(|screen| screen.hints().to_vec()).unwrap_or_default(),
        };
        if self.overlays.is_empty() && !is_typed {
            // The way to all other keys must not be the first to give way.
            actions.insert(actions.len().min(FIRST), Action::Help);
            actions.extend(ALWAYS);
        }
        let called = match self.overlays.top() {
            Some(top) => top.called(),
            None if is_typed => &LINE,
            None => &[],
        };
        let hints = Hints { keymap: &self.look.keymap, layer, actions: &actions, called };
        status::status(canvas, row, due.as_ref(), &hints, |action| self.enabled(action).is_ok());
    }

    /// What matters most: a secret in the clipboard, work under way, then what is due.
    fn status(&self, canvas: &Canvas<'_>, now: Now) -> Option<Status> {
        let glyphs = canvas.glyphs();
        if let Some(lease) = self.lease {
            return Some(Status::only(Role::Accent, lease.said(now.at)));
        }
        let waited = self.waited_for().map(|(since, label)| (now.at.since(since), label));
        if let Some((passed, label)) = waited.max().filter(|(passed, _)| *passed >= PATIENCE) {
            let step = usize::try_from(passed.as_millis() / SPIN.as_millis()).unwrap_or(0);
            let way_out = if self.awaits_secret() { "" } else { " (esc stops waiting)" };
            return Some(Status::only(Role::Info, format!("{} {label}…{way_out}", glyphs.spin(step))));
        }
        let there = Action::Tab(Tab::Notices);
        let action = (self.overlays.is_empty() && self.enabled(there).is_ok()).then_some(there);
        let key = action.and_then(|action| self.look.keymap.label(Layer::Screen, action));
        let (role, said) = self.due.said(glyphs)?;
        let more = key.filter(|_| self.tab() != Some(Tab::Notices)).map(|key| format!("  ({key} to see)"));
        let yields = !self.overlays.is_empty();
        Some(Status { role, said, more: more.unwrap_or_default(), action, yields })
    }
}
