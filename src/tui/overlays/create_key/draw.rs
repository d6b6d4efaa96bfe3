//! Drawing the form: what the key is on the left, what it may do on the right; where there is no room for both, one
//! page each, the one the keyboard is on.
//!
//! ```text
//! ╭─ New key ──────────────────────────────────────────────────────────────────────────────╮
//! │  Name      Nightly export              Preset    Read only                             │
//! │  Kind      (*) Agency  ( ) Location    ▾ [–] Contacts              1 of 4              │
//! │  Expires   90d   30d  1y  never        ▸   [✓] contacts.read       read   Read contacts│
//! │  Issues an agency key: 1 scope, risk read, expires in 90 d      Cancel   [ Issue key ] │
//! ╰────────────────────────────────────────────────────────────────────────────────────────╯
//! ```

use ratatui::layout::Rect;

use super::{
    CreateKey,
    for_app::ForApp,
    form::{Form, Kind, Stop},
};
use crate::tui::app::look::Look;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::overlays::scope_tree;
use crate::tui::theme::Role;
use crate::tui::widgets::field::{TextField, draw_error, error_rows};
use crate::tui::widgets::{Focus, layout, popup, text};

/// Columns inside the frame from which both halves are shown.
const TWO_HALVES: u16 = 92;
/// Cells of the labels.
const LABELS: u16 = 10;

impl CreateKey {
    pub(super) fn draw_form(&mut self, canvas: &mut Canvas<'_>, area: Rect, look: &Look) {
        let wide = area.width >= TWO_HALVES + 6;
        let title = match (wide, self.stop.is_about_scopes()) {
            (true, _) => "New key",
            (false, false) => "New key, 1 of 2: what it is",
            (false, true) => "New key, 2 of 2: what it may do",
        };
        let title = match (self.last_step, wide, self.stop.is_about_scopes()) {
            (false, ..) => title,
            (true, true, _) => "Step 3 of 3: its API key",
            (true, false, false) => "Step 3 of 3: its API key, what it is",
            (true, false, true) => "Step 3 of 3: its API key, what it may do",
        };
        let inner = popup::draw(canvas, title, 118, area.height.clamp(14, 32));
        let (upper, last) = layout::bottom(inner, 1);
        let air = u16::from(inner.height >= 13);
        let (role, said) = self.summary(canvas, look);
        let said = text::wrap(&said, inner.width.max(1));
        let rows = u16::try_from(said.len()).unwrap_or(u16::MAX).clamp(1, (upper.height / 3).max(1));
        let (upper, below) = layout::bottom(upper, rows + air);
        for (row, said) in (0..rows).zip(&said) {
            let row = layout::row(below, row);
            canvas.fit(row.x, row.y, row.width, said, role);
        }
        self.draw_buttons(canvas, last, look);
        if wide {
            let (left, right) = layout::left(upper, upper.width * 13 / 25);
            self.draw_fields(canvas, layout::left(left, left.width.saturating_sub(3)).0);
            canvas.vertical(right.x, right.y, right.height);
            self.draw_scopes(canvas, layout::right(right, right.width.saturating_sub(3)).1, look);
        } else if self.stop.is_about_scopes() {
            self.draw_scopes(canvas, upper, look);
        } else {
            self.draw_fields(canvas, upper);
        }
    }

    fn focus(&self, stop: Stop) -> Focus {
        Focus::when(self.stop == stop && self.pick.is_none())
    }

    fn draw_fields(&mut self, canvas: &mut Canvas<'_>, area: Rect) {
        let location = self.form.kind == Kind::Location;
        let air = u16::from(area.height >= if location { 13 } else { 11 });
        self.form.name.note = self.form.name_room().unwrap_or_default();
        let mut rest = area;
        let mut take = |rows: u16| {
            let (row, below) = layout::top(rest, rows);
            rest = layout::top(below, air).1;
            row
        };
        let below = |field: &TextField| field.rows_below(area.width.saturating_sub(LABELS));
        let name = take(1 + below(&self.form.name).max(1));
        self.form.name.draw(canvas, name, LABELS, self.focus(Stop::Name), Stop::Name.number());
        let kind = take(1);
        match &self.form.app {
            Some(app) => draw_app(canvas, kind, &app.name),
            None => self.draw_kind(canvas, kind),
        }
        let cells = area.width.saturating_sub(LABELS);
        if location {
            let wrong = self.form.problems.location.as_deref();
            let row = take(1 + wrong.map_or(0, |why| error_rows(why, cells)));
            let shown = self.form.location.as_ref().map(|(_, name)| name.clone());
            self.draw_choice(canvas, row, Stop::Location, shown, self.form.problems.location.as_deref());
        }
        let expires = take(1 + self.form.expires.rows_below(cells).max(1));
        self.form.expires.draw(canvas, expires, LABELS, self.focus(Stop::Expires), Stop::Expires.number());
        let note = take(1 + below(&self.form.note));
        self.form.note.draw(canvas, note, LABELS, self.focus(Stop::Note), Stop::Note.number());
        if let Some(app) = self.form.app.as_ref().filter(|app| !app.others.is_empty()) {
            self.draw_others(canvas, take(2), app);
        }
    }

    /// What becomes of the keys the app has: nothing, unless it is ticked.
    fn draw_others(&self, canvas: &mut Canvas<'_>, area: Rect, app: &ForApp) {
        canvas.hit(area, Target::Field(Stop::Others.number()));
        let focus = self.focus(Stop::Others);
        let (label, input) = layout::left(area, LABELS);
        let role = if focus.is_here() { Role::Accent } else { Role::Dim };
        canvas.fit(label.x, label.y, label.width, "Old keys", role);
        let glyphs = canvas.glyphs();
        let tick = if app.retire { glyphs.box_on } else { glyphs.box_off };
        let what = match app.others.as_slice() {
            [(_, name)] => format!("{tick} revoke {name}"),
            others => format!("{tick} revoke its {} keys", others.len()),
        };
        let role = match (focus.is_here(), app.retire) {
            (true, _) => Role::Selected,
            (false, true) => Role::Warn,
            (false, false) => Role::Text,
        };
        canvas.fit(input.x, input.y, input.width, &what, role);
        if focus.is_here() {
            canvas.cursor(input.x.saturating_add(1), input.y);
        }
        let note = match (app.retire, app.others.len()) {
            (true, _) => "for good, once the new one is stored",
            (false, 1) => "it goes on working",
            (false, _) => "they go on working",
        };
        let below = layout::row(input, 1);
        canvas.fit(below.x, below.y, below.width, note, Role::Dim);
    }

    fn draw_kind(&self, canvas: &mut Canvas<'_>, row: Rect) {
        canvas.hit(row, Target::Field(Stop::Kind.number()));
        let focus = self.focus(Stop::Kind);
        let (label, input) = layout::left(row, LABELS);
        canvas.fit(
            label.x,
            label.y,
            label.width,
            "Kind",
            if focus.is_here() { Role::Accent } else { Role::Dim },
        );
        let mut x = input.x;
        for (kind, name) in [(Kind::Agency, "Agency key"), (Kind::Location, "Location key")] {
            let chosen = self.form.kind == kind;
            let role = match (chosen, focus) {
                (true, Focus::Here) => Role::Selected,
                (true, Focus::Elsewhere) => Role::Accent,
                (false, _) => Role::Text,
            };
            if chosen && focus.is_here() {
                canvas.cursor(x.saturating_add(1), input.y);
            }
            let said = format!("{} {name}", if chosen { "(*)" } else { "( )" });
            x = canvas.fit(x, input.y, input.right().saturating_sub(x), &said, role).saturating_add(2);
        }
    }

    /// A field whose value comes from a list.
    fn draw_choice(
        &self,
        canvas: &mut Canvas<'_>,
        area: Rect,
        stop: Stop,
        shown: Option<String>,
        error: Option<&str>,
    ) {
        canvas.hit(area, Target::Field(stop.number()));
        let focus = self.focus(stop);
        let (label, input) = layout::left(area, LABELS);
        let name = if stop == Stop::Location { "Location" } else { "Preset" };
        canvas.fit(
            label.x,
            label.y,
            label.width,
            name,
            if focus.is_here() { Role::Accent } else { Role::Dim },
        );
        let row = layout::row(input, 0);
        let style = canvas.style(if focus.is_here() { Role::FieldFocused } else { Role::Field });
        canvas.print(row.x, row.y, row.width, &" ".repeat(row.width.into()), style);
        let sign = canvas.glyphs().unfolded;
        let cells = row.width.saturating_sub(2);
        match shown {
            Some(shown) => {
                canvas.print(row.x, row.y, cells, &shown, style);
            }
            None => {
                let hint = if stop == Stop::Location { "type to find one" } else { "none; type to find one" };
                canvas.fit(row.x, row.y, cells, hint, Role::Placeholder);
            }
        }
        canvas.print(row.right().saturating_sub(1), row.y, 1, sign, style);
        if focus.is_here() {
            canvas.cursor(row.x, row.y);
        }
        if let Some(error) = error {
            draw_error(canvas, layout::top(input, 1).1, error);
        }
    }

    fn draw_scopes(&mut self, canvas: &mut Canvas<'_>, area: Rect, look: &Look) {
        let below = if self.form.kind == Kind::App {
            area
        } else {
            let (preset, below) = layout::top(area, 1);
            self.draw_choice(canvas, preset, Stop::Preset, self.form.preset_words(), None);
            layout::top(below, u16::from(area.height >= 12)).1
        };
        let tree = match &self.form.problems.scopes {
            Some(problem) => {
                // The tree keeps the better half.
                let rows = error_rows(problem, below.width).min(below.height / 2).max(1);
                let (told, tree) = layout::top(below, rows);
                draw_error(canvas, told, problem);
                tree
            }
            None => below,
        };
        let focus = self.focus(Stop::Scopes);
        scope_tree::draw(canvas, tree, &mut self.form.tree, look.engine.catalog(), focus);
    }

    fn summary(&self, canvas: &Canvas<'_>, look: &Look) -> (Role, String) {
        let bad = canvas.glyphs().bad;
        match (&self.form.problems.whole, &self.form.refused) {
            (Some(why), _) | (None, Some(why)) => (Role::Bad, format!("{bad} {why}")),
            (None, None) if self.busy => (Role::Info, "issuing…".to_owned()),
            (None, None) => (Role::Text, self.form.summary(look)),
        }
    }

    fn draw_buttons(&self, canvas: &mut Canvas<'_>, row: Rect, look: &Look) {
        let here = matches!(self.stop, Stop::Issue | Stop::Cancel) && self.pick.is_none();
        self.buttons.draw(canvas, row, Focus::when(here));
        canvas.fit(row.x, row.y, row.width.saturating_sub(30), &Form::quota(look), Role::Dim);
    }
}

fn draw_app(canvas: &mut Canvas<'_>, row: Rect, name: &str) {
    let (label, value) = layout::left(row, LABELS);
    canvas.fit(label.x, label.y, label.width, "App", Role::Dim);
    canvas.fit(value.x, value.y, value.width, name, Role::Text);
}

#[cfg(test)]
mod tests {
    use crate::tui::app::look::Look;
    use crate::tui::app::testing;
    use crate::tui::app::times::Zone;
    use crate::tui::overlays::create_key::CreateKey;
    use crate::tui::sight::subset::Subset;

    #[test]
    fn what_is_wrong_with_the_scopes_or_the_whole_is_told_to_its_end() {
        let (open, keymap) = (testing::sample(), crate::tui::keymap::Keymap::standard());
        let look = Look {
            engine: open.engine,
            session: open.session,
            keymap: keymap.into(),
            zone: Zone::UTC,
            owner: None,
            read_only: false,
        };
        let mut form = CreateKey::new(&look, Subset::Agency);
        let long = |end: &str| Some(format!("{} {end}", "the app has no such scope; ".repeat(3)));
        form.form.problems.whole = long("choose another");
        form.form.problems.scopes = long("tick less");
        for (width, height) in [(120, 34), (80, 24), (60, 16)] {
            for (stop, end) in [(super::Stop::Scopes, "tick less"), (super::Stop::Name, "choose another")] {
                form.stop = stop;
                let drawn = crate::tui::testing::draw(width, height, |canvas, area| {
                    form.draw_form(canvas, area, &look);
                });
                assert!(drawn.iter().any(|line| line.contains(end)), "{stop:?} {drawn:#?}");
            }
        }
    }
}
