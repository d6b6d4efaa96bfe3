//! Fields one below the other with a button, and a few lines below that say how things stand.

use crate::tui::action::Action;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::input::TextFocus;
use crate::tui::overlay::{Cue, PastedRef, Typed};
use crate::tui::theme::Role;
use crate::tui::widgets::buttons::{Button, ButtonRow};
use crate::tui::widgets::field::TextField;
use crate::tui::widgets::{Focus, layout, popup, text};

/// Columns of the box.
const WIDTH: u16 = 66;
/// Columns of the labels.
const LABELS: u16 = 13;
/// Lines the message may take.
const SAID: u16 = 4;

/// What a cue meant for the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meant {
    /// A field or the focus changed.
    Changed,
    /// All is filled in: go.
    Submit,
    /// Nothing.
    Nothing,
}

/// The form.
pub struct Form {
    pub fields: Vec<TextField>,
    pub focus: usize,
    button: ButtonRow,
}

impl Form {
    pub fn new(fields: Vec<TextField>, button: &str) -> Self {
        Self { fields, focus: 0, button: ButtonRow::new([Button::safe(button)]) }
    }

    pub fn text(&self, field: usize) -> &str {
        self.fields.get(field).map_or("", TextField::text)
    }

    pub fn text_focus(&self) -> TextFocus {
        if self.focus < self.fields.len() { TextFocus::Here } else { TextFocus::Elsewhere }
    }

    /// Enter goes to the next empty field, and submits from the last one or from the button.
    pub fn hear(&mut self, cue: Cue<'_>) -> Meant {
        let stops = self.fields.len() + 1;
        match cue {
            Cue::Do(Action::NextField | Action::Down) => self.focus = (self.focus + 1) % stops,
            Cue::Do(Action::PrevField | Action::Up) => self.focus = (self.focus + stops - 1) % stops,
            Cue::Do(Action::Submit) | Cue::Click(Target::Button(_)) => return Meant::Submit,
            Cue::Do(Action::Press | Action::Toggle) => {
                if self.focus + 1 >= self.fields.len() {
                    return Meant::Submit;
                }
                self.focus += 1;
            }
            Cue::Click(Target::Field(field)) if field < self.fields.len() => self.focus = field,
            Cue::Type(Typed(c)) => self.change(|field| field.type_char(c)),
            Cue::Edit(edit) => self.change(|field| field.edit(edit)),
            Cue::Paste(PastedRef(pasted)) => self.change(|field| field.paste(pasted)),
            _ => return Meant::Nothing,
        }
        Meant::Changed
    }

    fn change(&mut self, change: impl FnOnce(&mut TextField)) {
        if let Some(field) = self.fields.get_mut(self.focus) {
            change(field);
        }
    }

    /// Draws box, `intro`, fields, `said` and button. Lines between the parts go first when room is short.
    pub fn draw(
        &self,
        canvas: &mut Canvas<'_>,
        title: &str,
        intro: &str,
        said: Option<(Role, &str)>,
        busy: bool,
    ) {
        let inner = WIDTH.min(canvas.area().width).saturating_sub(6);
        let intro = if intro.is_empty() { Vec::new() } else { text::wrap(intro, inner) };
        let said_lines = said.map(|(_, said)| text::wrap(said, inner)).unwrap_or_default();
        let fields = rows(self.fields.len());
        let least = rows(intro.len()) + fields + rows(said_lines.len()).clamp(1, SAID) + 1;
        let room = canvas.area().height.saturating_sub(5);
        let airy = room >= least + fields + 2;
        let gap = u16::from(room >= least + 2);
        let step = if airy { 2 } else { 1 };
        let height = least + gap * 2 + if airy { fields - 1 } else { 0 };
        let inside = popup::draw(canvas, title, WIDTH, height + 4);
        let (head, rest) = layout::top(inside, rows(intro.len()));
        for (row, line) in (0..).zip(&intro) {
            let row = layout::row(head, row);
            canvas.fit(row.x, row.y, row.width, line, Role::Text);
        }
        let (_, rest) = layout::top(rest, if intro.is_empty() { 0 } else { gap });
        let (list, rest) = layout::top(rest, fields * step - (step - 1));
        for (index, field) in self.fields.iter().enumerate() {
            let (_, from) = layout::top(list, rows(index) * step);
            let focus = Focus::when(index == self.focus && !busy);
            field.draw(canvas, layout::top(from, 1).0, LABELS, focus, index);
        }
        let (_, rest) = layout::top(rest, gap);
        let (body, last) = layout::bottom(rest, 1);
        if let Some((role, _)) = said {
            for (row, line) in (0..).zip(said_lines.iter().take(body.height.into())) {
                let row = layout::row(body, row);
                canvas.fit(row.x, row.y, row.width, line, role);
            }
        }
        if !busy {
            self.button.draw(canvas, last, Focus::when(self.focus >= self.fields.len()));
        }
    }
}

fn rows(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}
