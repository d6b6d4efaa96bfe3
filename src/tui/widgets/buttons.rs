//! A row of buttons of which one has the focus. In ASCII and mono too one sees that they are buttons, and which has it: the
//! one in brackets.

use ratatui::layout::Rect;

use super::{Focus, text};
use crate::tui::{
    action::{Action, Danger},
    canvas::{Canvas, Target},
    theme::Role,
};

#[derive(Clone, Debug)]
pub struct Button {
    pub label: String,
    /// Whether it takes access away.
    pub danger: Danger,
}

impl Button {
    pub fn safe(label: impl Into<String>) -> Self {
        Self { label: label.into(), danger: Danger::Safe }
    }

    /// A button that takes access away.
    pub fn dangerous(label: impl Into<String>) -> Self {
        Self { label: label.into(), danger: Danger::Dangerous }
    }
}

/// Buttons side by side.
#[derive(Clone, Debug)]
pub struct ButtonRow {
    buttons: Vec<Button>,
    focused: usize,
}

impl ButtonRow {
    /// With the focus on the first; put Cancel there when the others are dangerous.
    pub fn new(buttons: impl IntoIterator<Item = Button>) -> Self {
        Self { buttons: buttons.into_iter().collect(), focused: 0 }
    }

    /// Which one is the last.
    pub const fn last(&self) -> usize {
        self.buttons.len().saturating_sub(1)
    }

    /// Which button Enter presses, from 0.
    pub const fn focused(&self) -> usize {
        self.focused
    }

    /// Moves the focus to `index` if there is such a button.
    pub fn focus(&mut self, index: usize) {
        if index < self.buttons.len() {
            self.focused = index;
        }
    }

    /// Walks through a row that stands alone: left and right up to its ends, Tab round and round. `false` for other verbs.
    pub fn walk(&mut self, action: Action) -> bool {
        match action {
            Action::Left => self.focused = self.focused.saturating_sub(1),
            Action::Right => self.focus(self.focused + 1),
            Action::NextField | Action::PrevField if self.tab(action).is_some() => {}
            Action::NextField => self.focused = 0,
            Action::PrevField => self.focused = self.last(),
            _ => return false,
        }
        true
    }

    /// Tab order: the next button, or `None` after the last, so that the form can go on to its next field.
    pub fn tab(&mut self, action: Action) -> Option<usize> {
        let next = match action {
            Action::NextField => self.focused.checked_add(1)?,
            Action::PrevField => self.focused.checked_sub(1)?,
            _ => return None,
        };
        (next < self.buttons.len()).then(|| {
            self.focused = next;
            next
        })
    }

    /// Draws the row at the right end of the first line of `area`.
    pub fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, focus: Focus) {
        let faces: Vec<String> = self
            .buttons
            .iter()
            .enumerate()
            .map(|(index, button)| {
                let label = text::clean(&button.label);
                if focus.is_here() && index == self.focused {
                    format!("[ {label} ]")
                } else {
                    format!("‹ {label} ›")
                }
            })
            .collect();
        let wide: usize =
            faces.iter().map(|face| text::width(face)).sum::<usize>() + faces.len().saturating_sub(1);
        let mut x = area.right().saturating_sub(u16::try_from(wide).unwrap_or(u16::MAX)).max(area.x);
        for (index, (face, button)) in faces.iter().zip(&self.buttons).enumerate() {
            let role = match (focus.is_here() && index == self.focused, button.danger) {
                (true, _) => Role::ButtonFocused,
                (false, Danger::Dangerous) => Role::ButtonDanger,
                (false, Danger::Safe) => Role::Button,
            };
            let style = canvas.style(role);
            let end = canvas.print(x, area.y, area.right().saturating_sub(x), face, style);
            canvas.hit_to(x, area.y, end, Target::Button(index));
            if focus.is_here() && index == self.focused {
                canvas.cursor(x.saturating_add(2), area.y);
            }
            x = end.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing;

    fn row() -> ButtonRow {
        ButtonRow::new([Button::safe("Cancel"), Button::dangerous("Revoke")])
    }

    #[test]
    fn the_focus_is_seen_without_colour_and_can_be_clicked() {
        let mut row = row();
        let drawn = testing::draw(30, 1, |canvas, area| row.draw(canvas, area, Focus::Here));
        assert_eq!(drawn, ["         [ Cancel ] ‹ Revoke ›"]);
        assert!(row.walk(Action::Right) && row.walk(Action::Right) && !row.walk(Action::Down));
        let (drawn, hits) = testing::draw_hits(30, 1, |canvas, area| row.draw(canvas, area, Focus::Here));
        assert_eq!(drawn, ["         ‹ Cancel › [ Revoke ]"]);
        assert_eq!(hits.at(21, 0), Some(Target::Button(1)));
        assert_eq!(hits.at(12, 0), Some(Target::Button(0)));
    }

    #[test]
    fn tab_walks_through_and_out() {
        let mut row = row();
        assert_eq!(row.tab(Action::NextField), Some(1));
        assert_eq!(row.tab(Action::NextField), None);
        assert_eq!(row.tab(Action::PrevField), Some(0));
        assert_eq!(row.tab(Action::PrevField), None);
    }

    #[test]
    fn no_window_is_too_small() {
        for width in 0..12 {
            testing::draw(width, 1, |canvas, area| row().draw(canvas, area, Focus::Here));
            testing::draw(width, 0, |canvas, area| row().draw(canvas, area, Focus::Here));
        }
    }
}
