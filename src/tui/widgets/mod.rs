//! The parts screens are made of. Each owns its state, answers to actions and draws itself on a canvas; none
//! knows a key, a store or an engine.

pub mod bars;
pub mod buttons;
pub mod field;
pub mod layout;
pub mod picker;
pub mod popup;
pub mod scrollbar;
pub mod status;
pub mod text;

use super::action::Action;

/// Whether the part being drawn has the keyboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    Here,
    Elsewhere,
}

impl Focus {
    /// `Here` when `condition` holds.
    pub const fn when(condition: bool) -> Self {
        if condition { Self::Here } else { Self::Elsewhere }
    }

    /// Whether the keyboard is here.
    pub const fn is_here(self) -> bool {
        matches!(self, Self::Here)
    }
}

/// What a part did with an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handled {
    Changed,
    /// It was meant for this part, but there was nothing to change.
    Unmoved,
    /// It was meant for somebody else.
    Ignored,
}

/// Where a verb of movement leads from `at` among `len` rows of which `page` are seen at once. `None` for other verbs.
pub fn walk(action: Action, at: usize, page: usize, len: usize) -> Option<usize> {
    let (half, last) = ((page / 2).max(1), len.saturating_sub(1));
    let to = match action {
        Action::Up => at.saturating_sub(1),
        Action::Down => at + 1,
        Action::HalfUp => at.saturating_sub(half),
        Action::HalfDown => at + half,
        Action::PageUp => at.saturating_sub(page),
        Action::PageDown => at + page,
        Action::Top => 0,
        Action::Bottom => last,
        _ => return None,
    };
    Some(to.min(last))
}

/// Whether a verb is one of these.
pub fn walks(action: Action) -> bool {
    walk(action, 0, 1, 1).is_some()
}
