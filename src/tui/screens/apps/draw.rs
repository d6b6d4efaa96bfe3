//! Drawing the apps, the keys of the selected one, and everything about what is selected; where there is no room
//! for all that, the one that has the keyboard.

use ratatui::layout::Rect;

use super::{Apps, Part, detail};
use crate::domain::catalog::AuthMethod;
use crate::tui::action::{Action, Layer};
use crate::tui::app::look::Look;
use crate::tui::canvas::Canvas;
use crate::tui::clock::Now;
use crate::tui::screens::keys::detail as key_detail;
use crate::tui::screens::keys::pane;
use crate::tui::screens::keys::seen::seen;
use crate::tui::theme::Role;
use crate::tui::widgets::{Focus, layout};

/// Rows from which apps and keys are shown together.
const BOTH: u16 = 15;
/// Columns from which the detail stands beside.
const WIDE: u16 = 104;

impl Apps {
    /// Draws what there is room for.
    pub(super) fn draw_all(&mut self, canvas: &mut Canvas<'_>, area: Rect, look: &Look, now: Now) {
        self.wide = area.width >= WIDE;
        self.pane.note_width(area.width);
        let on_keys = self.part == Part::Keys;
        let open = if on_keys { self.pane.is_open() } else { self.is_open() };
        match (self.wide, open) {
            (true, true) => {
                let (tables, room) = pane::beside(canvas, area);
                self.draw_tables(canvas, tables, on_keys.then_some(room), look, now);
                if !on_keys {
                    self.draw_detail(canvas, room, look);
                }
            }
            (false, true) if on_keys => {
                let empty = self.empty_keys(look);
                self.pane.draw(canvas, area, look, now, (Focus::Here, &empty));
            }
            (false, true) if self.part == Part::Detail => {
                let (first, rest) = layout::top(area, 1);
                let back = look.keymap.label(Layer::Screen, Action::Back).unwrap_or_default();
                key_detail::covering(canvas, layout::inset(first, 2, 0), &back);
                self.draw_detail(canvas, layout::inset(rest, 2, 0), look);
            }
            _ => self.draw_tables(canvas, area, None, look, now),
        }
    }

    fn empty_keys(&self, look: &Look) -> String {
        let label = |action| look.keymap.label(Layer::Screen, action).unwrap_or_default();
        if self.all {
            return "No app has a key yet.".to_owned();
        }
        let Some(id) = self.list.selected() else { return String::new() };
        let app =
            look.view(|view| view.app(id).map(|app| (app.name.to_string(), app.method, app.is_deleted())));
        match app {
            Some((name, AuthMethod::Jwt, _)) => format!(
                "{name} has no keys: it fetches access tokens with its id and secret. {} says how.",
                label(Action::HowTo)
            ),
            Some((_, _, true)) => "It is deleted, and had no keys.".to_owned(),
            _ => match self.enabled_apps(Action::NewKey, look) {
                Ok(()) => format!("No keys yet. {} issues the first one.", label(Action::NewKey)),
                Err(why) => format!("No keys here. You cannot issue one: {why}"),
            },
        }
    }

    fn empty_apps(&self, look: &Look) -> String {
        let key = look.keymap.label(Layer::Screen, Action::New).unwrap_or_default();
        match &self.create {
            Ok(()) => format!("No apps yet. {key} creates the first one."),
            Err(reason) => format!("No apps here. You cannot create one: {reason}"),
        }
    }

    fn draw_apps(&mut self, canvas: &mut Canvas<'_>, area: Rect, look: &Look) {
        let empty = self.empty_apps(look);
        let focus = Focus::when(self.part == Part::Apps);
        seen(look, |seen| self.list.draw(canvas, area, seen, focus, &empty));
    }

    /// The line between apps and keys.
    fn draw_title(&self, canvas: &mut Canvas<'_>, row: Rect, look: &Look) {
        let name =
            self.list.selected().and_then(|id| look.view(|view| view.app(id).map(|a| a.name.to_string())));
        let title = match name {
            Some(name) if !self.all => format!("Keys of {name}"),
            _ => "Keys of all apps".to_owned(),
        };
        canvas.rule(row.x, row.y, row.width);
        let style = canvas.style(Role::Rule);
        let end = canvas.fit(row.x + 3, row.y, row.width.saturating_sub(6), &title, Role::Header);
        canvas.print(row.x + 2, row.y, 1, " ", style);
        canvas.print(end, row.y, 1, " ", style);
    }

    fn draw_detail(&mut self, canvas: &mut Canvas<'_>, area: Rect, look: &Look) {
        let (selected, focus) = (self.list.selected(), Focus::when(self.part == Part::Detail));
        let catalog = look.engine.catalog();
        seen(look, |seen| {
            let Some(app) = selected.and_then(|id| seen.view.app(id)) else { return };
            let lines = detail::lines(canvas, app, seen, catalog, area.width.saturating_sub(2));
            self.detail.draw_lines(canvas, area, &lines, focus);
        });
    }

    /// Apps above, keys below; or the one that has the keyboard.
    fn draw_tables(
        &mut self,
        canvas: &mut Canvas<'_>,
        area: Rect,
        key_room: Option<Rect>,
        look: &Look,
        now: Now,
    ) {
        let on_keys = self.part == Part::Keys;
        let both = area.height >= BOTH;
        let rows = u16::try_from(self.list.shown()).unwrap_or(u16::MAX).saturating_add(4);
        let most = area.height * 11 / 20;
        let (upper, lower) = match (both, on_keys) {
            (true, _) => layout::top(area, rows.clamp(6.min(most), most)),
            (false, true) => (Rect { height: 0, ..area }, area),
            (false, false) => (area, Rect { height: 0, ..area }),
        };
        if !upper.is_empty() {
            self.draw_apps(canvas, upper, look);
        }
        if lower.is_empty() {
            return;
        }
        let (title, keys) = layout::top(lower, 1);
        self.draw_title(canvas, title, look);
        let empty = self.empty_keys(look);
        match key_room {
            Some(room) => self.pane.draw_in(canvas, keys, Some(room), look, now, (Focus::Here, &empty)),
            None => self.pane.draw_table(canvas, keys, look, (Focus::when(on_keys), &empty)),
        }
    }
}
