//! Drawing the wizard's two pages. Where the window is short, the first page scrolls so that the focused field is
//! in sight.
//!
//! ```text
//! ╭─ New app ────────────────────────────────────────────────────────────╮
//! │  1 Details · 2 Scopes · 3 Secret                                     │
//! │  Name            Booking bot                                         │
//! │  Users           [✓] guests   [ ] employees                          │
//! │  Source app      ( ) External customer mobile app   external_cma     │
//! │  After login     https://bot.example/callback                        │
//! │                                                 Cancel   [ Next ]    │
//! ╰──────────────────────────────────────────────────────────────────────╯
//! ```

use ratatui::layout::Rect;

use super::AppForm;
use super::form::{Page, Stop};
use crate::tui::app::look::Look;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::overlays::scope_tree;
use crate::tui::theme::Role;
use crate::tui::widgets::field::{TextField, draw_error};
use crate::tui::widgets::{Focus, layout, popup, scrollbar};

/// The kinds of app, for the mouse.
pub const SOURCES: u8 = 10;
/// The ways to authenticate, for the mouse.
pub const METHODS: u8 = 11;

const WIDTH: u16 = 100;
/// Cells of the labels.
const LABELS: u16 = 15;
/// Field numbers of the lists of addresses start here.
const LOGINS: usize = 20;
const LOGOUTS: usize = 40;

/// The steps of creating an app, with the present one marked.
pub fn draw_progress(canvas: &mut Canvas<'_>, row: Rect, step: usize) {
    let names = ["1 Details", "2 Scopes", "3 Secret"];
    draw_steps(canvas, row, &names, step);
}

fn draw_steps(canvas: &mut Canvas<'_>, row: Rect, names: &[&str], step: usize) {
    let glyphs = canvas.glyphs();
    let mut spans = Vec::new();
    for (at, name) in names.iter().enumerate() {
        if at > 0 {
            spans.push(canvas.span(Role::Dim, format!(" {} ", glyphs.dot)));
        }
        spans.push(match at.cmp(&step) {
            std::cmp::Ordering::Less => canvas.span(Role::Good, format!("{} {name}", glyphs.good)),
            std::cmp::Ordering::Equal => canvas.span(Role::TabOpen, format!("{} {name}", glyphs.selected)),
            std::cmp::Ordering::Greater => canvas.span(Role::Dim, *name),
        });
    }
    canvas.spans(row.x, row.y, row.width, &spans);
}

/// The stop with this number.
pub fn stop_of(number: usize) -> Option<Stop> {
    Some(match number {
        0 => Stop::Name,
        1 => Stop::Uri,
        2 => Stop::Description,
        3 => Stop::Guest,
        4 => Stop::Employee,
        5 => Stop::Source,
        6 => Stop::Method,
        7 => Stop::Preset,
        LOGINS..LOGOUTS => Stop::Login(number - LOGINS),
        LOGOUTS.. => Stop::Logout(number - LOGOUTS),
        _ => return None,
    })
}

const fn number_of(stop: Stop) -> usize {
    match stop {
        Stop::Name => 0,
        Stop::Uri => 1,
        Stop::Description => 2,
        Stop::Guest => 3,
        Stop::Employee => 4,
        Stop::Source => 5,
        Stop::Method => 6,
        Stop::Login(at) => LOGINS + at,
        Stop::Logout(at) => LOGOUTS + at,
        Stop::Preset | Stop::Scopes | Stop::Back | Stop::On => 7,
    }
}

/// A part of the first page: what it is, and the rows it takes.
type Part = (Stop, u16);

impl AppForm {
    pub(super) fn draw_form(&mut self, canvas: &mut Canvas<'_>, area: Rect, look: &Look) {
        let editing = self.form.edits.is_some();
        let title = if editing { format!("Edit {}", self.form.name.text()) } else { "New app".to_owned() };
        let wanted = area.height.clamp(14, 36);
        let inner = popup::draw(canvas, &title, WIDTH, wanted);
        let (first, rest) = layout::top(inner, 1);
        let at = usize::from(self.page == Page::Scopes);
        if editing {
            draw_steps(canvas, first, &["1 Details", "2 Scopes"], at);
        } else {
            draw_progress(canvas, first, at);
        }
        let air = u16::from(inner.height >= 14);
        let (_, rest) = layout::top(rest, air);
        let (upper, last) = layout::bottom(rest, 1);
        let (body, said) = layout::bottom(upper, 1 + air);
        self.draw_summary(canvas, layout::row(said, 0), look);
        self.buttons.draw(canvas, last, Focus::when(self.on_buttons() && self.pick.is_none()));
        match self.page {
            Page::Details => self.draw_details(canvas, body),
            Page::Scopes => self.draw_scopes(canvas, body, look),
        }
    }

    fn focus(&self, stop: Stop) -> Focus {
        Focus::when(self.stop == stop && self.pick.is_none())
    }

    /// The parts of the first page with their heights.
    fn parts(&self, air: u16, width: u16) -> Vec<Part> {
        let form = &self.form;
        let cells = width.saturating_sub(LABELS);
        let field = |field: &TextField| 1 + field.rows_below(cells).max(air);
        let mut parts = vec![
            (Stop::Name, field(&form.name)),
            (Stop::Uri, field(&form.uri)),
            (Stop::Description, field(&form.description)),
            (Stop::Guest, 1 + u16::from(form.problems.users.is_some() || air > 0)),
            (Stop::Source, form.source.height() + air),
        ];
        let line = |field: &TextField| 1 + field.rows_below(cells);
        parts.extend(form.login.lines().iter().enumerate().map(|(at, field)| (Stop::Login(at), line(field))));
        // A line of air between the two lists.
        if let Some((_, height)) = parts.last_mut() {
            *height += air;
        }
        parts.extend(
            form.logout.lines().iter().enumerate().map(|(at, field)| (Stop::Logout(at), line(field))),
        );
        parts
    }

    fn draw_details(&self, canvas: &mut Canvas<'_>, body: Rect) {
        let total = |parts: &[Part]| parts.iter().map(|(_, height)| *height).sum::<u16>();
        let roomy = self.parts(1, body.width);
        let parts = if total(&roomy) <= body.height { roomy } else { self.parts(0, body.width) };
        let shown = match self.stop {
            Stop::Employee => Stop::Guest,
            Stop::Back | Stop::On => parts.last().map_or(Stop::Name, |(stop, _)| *stop),
            stop => stop,
        };
        let mut below = 0_u16;
        for (stop, height) in &parts {
            below = below.saturating_add(*height);
            if *stop == shown {
                break;
            }
        }
        let hidden = below.saturating_sub(body.height);
        let bar = Rect { width: body.width.saturating_add(2), ..body };
        scrollbar::draw(canvas, bar, hidden.into(), body.height.into(), total(&parts).into());
        let mut top = 0_u16;
        for (stop, height) in parts {
            let start = top;
            top = top.saturating_add(height);
            if start < hidden {
                continue;
            }
            let area = layout::top(layout::top(body, start - hidden).1, height).0;
            if area.is_empty() {
                break;
            }
            self.draw_part(canvas, area, stop);
        }
    }

    fn draw_part(&self, canvas: &mut Canvas<'_>, area: Rect, stop: Stop) {
        let (form, focus, number) = (&self.form, self.focus(stop), number_of(stop));
        match stop {
            Stop::Name => form.name.draw(canvas, area, LABELS, focus, number),
            Stop::Uri => form.uri.draw(canvas, area, LABELS, focus, number),
            Stop::Description => form.description.draw(canvas, area, LABELS, focus, number),
            Stop::Guest => self.draw_users(canvas, area),
            Stop::Source => form.source.draw(canvas, area, LABELS, focus, SOURCES),
            Stop::Login(at) => {
                let label = if at == 0 { "After login" } else { "" };
                self.draw_url(canvas, area, stop, label, form.login.lines().get(at));
            }
            Stop::Logout(at) => {
                let label = if at == 0 { "After logout" } else { "" };
                self.draw_url(canvas, area, stop, label, form.logout.lines().get(at));
            }
            _ => {}
        }
    }

    fn draw_url(
        &self,
        canvas: &mut Canvas<'_>,
        area: Rect,
        stop: Stop,
        label: &str,
        field: Option<&TextField>,
    ) {
        let Some(field) = field else { return };
        let focus = self.focus(stop);
        canvas.hit(area, Target::Field(number_of(stop)));
        let (name, input) = layout::left(area, LABELS);
        let same_list = match (self.stop, stop) {
            (Stop::Login(_), Stop::Login(_)) | (Stop::Logout(_), Stop::Logout(_)) => self.pick.is_none(),
            _ => false,
        };
        let role = if same_list { Role::Accent } else { Role::Dim };
        canvas.fit(name.x, name.y, name.width, label, role);
        field.draw_input(canvas, layout::row(input, 0), focus);
        if let Some(error) = &field.error {
            draw_error(canvas, layout::top(input, 1).1, error);
        }
    }

    fn draw_users(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let (label, input) = layout::left(area, LABELS);
        let here = matches!(self.stop, Stop::Guest | Stop::Employee);
        canvas.fit(
            label.x,
            label.y,
            label.width,
            "Who signs in",
            if here { Role::Accent } else { Role::Dim },
        );
        let glyphs = canvas.glyphs();
        let mut x = input.x;
        for (stop, ticked, name) in
            [(Stop::Guest, self.form.guest, "guests"), (Stop::Employee, self.form.employee, "employees")]
        {
            let focus = self.focus(stop);
            let role = match (focus.is_here(), ticked) {
                (true, _) => Role::Selected,
                (false, true) => Role::Accent,
                (false, false) => Role::Text,
            };
            let said = format!("{} {name}", if ticked { glyphs.box_on } else { glyphs.box_off });
            let end = canvas.fit(x, input.y, input.right().saturating_sub(x), &said, role);
            let width = end.saturating_sub(x);
            canvas.hit(Rect { x, y: input.y, width, height: 1 }, Target::Field(number_of(stop)));
            if focus.is_here() {
                canvas.cursor(x.saturating_add(1), input.y);
            }
            x = end.saturating_add(3);
        }
        if let Some(problem) = &self.form.problems.users {
            let below = layout::row(input, 1);
            canvas.fit(below.x, below.y, below.width, &format!("{} {problem}", glyphs.bad), Role::Bad);
        }
    }

    fn draw_scopes(&mut self, canvas: &mut Canvas<'_>, area: Rect, look: &Look) {
        let air = u16::from(area.height >= 12);
        let method = if self.form.edits.is_some() { 1 } else { self.form.method.height() };
        let (upper, rest) = layout::top(area, method);
        if self.form.edits.is_some() {
            let (label, value) = layout::left(upper, LABELS);
            canvas.fit(label.x, label.y, label.width, "Sends", Role::Dim);
            let said = format!("{}, as it was made", self.form.chosen_method());
            canvas.fit(value.x, value.y, value.width, &said, Role::Text);
        } else {
            self.form.method.draw(canvas, upper, LABELS, self.focus(Stop::Method), METHODS);
        }
        let (_, rest) = layout::top(rest, air);
        let (preset, rest) = layout::top(rest, 1);
        self.draw_preset(canvas, preset);
        let (_, mut tree) = layout::top(rest, air);
        if let Some(problem) = &self.form.problems.scopes {
            let (line, below) = layout::top(tree, 1);
            let said = format!("{} {problem}", canvas.glyphs().bad);
            canvas.fit(line.x, line.y, line.width, &said, Role::Bad);
            tree = below;
        }
        let focus = self.focus(Stop::Scopes);
        scope_tree::draw(canvas, tree, &mut self.form.tree, look.engine.catalog(), focus);
    }

    fn draw_preset(&self, canvas: &mut Canvas<'_>, row: Rect) {
        canvas.hit(row, Target::Field(number_of(Stop::Preset)));
        let focus = self.focus(Stop::Preset);
        let (label, input) = layout::left(row, LABELS);
        canvas.fit(
            label.x,
            label.y,
            label.width,
            "Preset",
            if focus.is_here() { Role::Accent } else { Role::Dim },
        );
        let style = canvas.style(if focus.is_here() { Role::FieldFocused } else { Role::Field });
        canvas.print(input.x, input.y, input.width, &" ".repeat(input.width.into()), style);
        let cells = input.width.saturating_sub(2);
        match self.form.preset_words() {
            Some(words) => {
                canvas.print(input.x, input.y, cells, &words, style);
            }
            None => {
                canvas.fit(input.x, input.y, cells, "none; type to find one", Role::Placeholder);
            }
        }
        let sign = canvas.glyphs().unfolded;
        canvas.print(input.right().saturating_sub(1), input.y, 1, sign, style);
        if focus.is_here() {
            canvas.cursor(input.x, input.y);
        }
    }

    fn draw_summary(&self, canvas: &mut Canvas<'_>, row: Rect, look: &Look) {
        let bad = canvas.glyphs().bad;
        let (role, said) = match (&self.form.refused, &self.form.problems.whole) {
            (Some(why), _) | (None, Some(why)) => (Role::Bad, format!("{bad} {why}")),
            (None, None) if self.busy => (Role::Info, "writing…".to_owned()),
            (None, None) => match (self.page, self.stop) {
                (Page::Details, Stop::Login(_) | Stop::Logout(_)) => (
                    Role::Dim,
                    "One address a line; enter goes to the next, an emptied line goes.".to_owned(),
                ),
                (Page::Details, Stop::Source | Stop::Guest | Stop::Employee) => (
                    Role::Dim,
                    "Travels with each verification, so that your systems can mark their records.".to_owned(),
                ),
                (Page::Details, _) => (Role::Dim, String::new()),
                (Page::Scopes, _) => (Role::Text, self.form.summary(look)),
            },
        };
        canvas.fit(row.x, row.y, row.width, &said, role);
    }
}
