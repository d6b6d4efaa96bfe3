//! Drawing the apps, the keys of the selected one, and everything about what is selected; where there is no room
//! for all that, the one that has the keyboard.

use ratatui::layout::Rect;

use super::{Apps, Part, detail};
use crate::domain::catalog::AuthMethod;
use crate::domain::{App, Bearer};
use crate::tui::action::{Action, Layer};
use crate::tui::app::look::Look;
use crate::tui::canvas::Canvas;
use crate::tui::clock::Now;
use crate::tui::sight::seen::seen;
use crate::tui::theme::Role;
use crate::tui::widgets::{Focus, layout};

/// Rows from which apps and keys are shown together.
const BOTH: u16 = 15;

impl Apps {
    /// Draws what there is room for.
    pub(super) fn draw_all(&mut self, canvas: &mut Canvas<'_>, area: Rect, look: &Look, now: Now) {
        if self.part == Part::Apps {
            self.pane.beside.note_width(area.width);
            let (tables, room) = self.beside.rooms(canvas, area);
            self.draw_tables(canvas, (tables, Rect { width: 0, ..room }), look, now);
            return self.draw_detail(canvas, room, look, now);
        }
        self.beside.note_width(area.width);
        match self.pane.beside.rooms(canvas, area) {
            (table, room) if table.is_empty() => {
                let empty = self.empty_keys(look);
                self.pane.draw_in(canvas, (table, room), look, (Focus::Here, &empty), now);
            }
            rooms => self.draw_tables(canvas, rooms, look, now),
        }
    }

    fn empty_keys(&self, look: &Look) -> String {
        let label = |action| look.keymap.label(Layer::Screen, action).unwrap_or_default();
        if self.all {
            return "No app has a key yet.".to_owned();
        }
        let Some(id) = self.beside.list.selected() else { return String::new() };
        let app =
            look.view(|view| view.app(id).map(|app| (app.name.to_string(), app.method, app.is_deleted())));
        match app {
            Some((name, AuthMethod::Jwt, _)) => format!(
                "{name} has no keys: it fetches access tokens with its id and secret. {} says how.",
                label(Action::HowTo)
            ),
            Some((name, AuthMethod::ResourceServer, _)) => {
                format!("{name} has no keys: it asks about those its callers present.")
            }
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
        let focus = Focus::when(self.part == Part::Apps && !self.beside.is_inside());
        seen(look, |seen| self.beside.list.draw(canvas, area, seen, focus, &empty));
    }

    /// The line between apps and keys.
    fn draw_title(&self, canvas: &mut Canvas<'_>, row: Rect, look: &Look) {
        let name = self
            .beside
            .list
            .selected()
            .and_then(|id| look.view(|view| view.app(id).map(|a| a.name.to_string())));
        let title = match name {
            Some(name) if !self.all => format!("Keys of {name}"),
            _ => "Keys of all apps".to_owned(),
        };
        canvas.rule(row.x, row.y, row.width);
        canvas.title_on(row.x + 2, row.y, row.width.saturating_sub(4), &title, Role::Header);
    }

    fn draw_detail(&mut self, canvas: &mut Canvas<'_>, room: Rect, look: &Look, now: Now) {
        let (selected, focus) = (self.beside.list.selected(), Focus::when(self.beside.is_inside()));
        seen(look, |seen| {
            let app = selected.and_then(|id| seen.view.app(id)).filter(|_| !room.is_empty());
            let mark =
                |app: &App| (seen.view.last_use_of_app(app).at(), seen.view.app_usage(app).count, None);
            self.used.want(app.map(|app| (Bearer::App(app.id), mark(app))), now);
            let Some(app) = app else { return };
            let used = self.used.of(Bearer::App(app.id)).map(|picture| (picture, self.beside.cells(room)));
            let lines = detail::lines(canvas.glyphs(), app, used, seen);
            self.beside.draw_detail(canvas, room, &look.keymap, focus, lines);
        });
    }

    /// Apps above, keys below, the detail of a key in `room` if there is one; or the one that has the keyboard.
    fn draw_tables(&mut self, canvas: &mut Canvas<'_>, (area, room): (Rect, Rect), look: &Look, now: Now) {
        if area.is_empty() {
            return;
        }
        let on_keys = self.part == Part::Keys;
        let both = area.height >= BOTH;
        let rows = u16::try_from(self.beside.list.shown()).unwrap_or(u16::MAX).saturating_add(4);
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
        self.pane.draw_in(canvas, (keys, room), look, (Focus::when(on_keys), &empty), now);
    }
}
