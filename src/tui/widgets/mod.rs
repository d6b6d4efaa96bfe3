//! The parts screens are made of. Each owns its state, answers to actions and draws itself on a canvas; none
//! knows a key, a store or an engine.

pub mod bars;
pub mod buttons;
pub mod choice;
pub mod data_table;
pub mod field;
pub mod layout;
pub mod picker;
pub mod popup;
pub mod scrollbar;
pub mod text;
pub mod tree;

/// Whether the part being drawn has the keyboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    /// It has.
    Here,
    /// Something else has.
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
    /// Something changed.
    Changed,
    /// It was meant for this part, but there was nothing to change.
    Unmoved,
    /// It was meant for somebody else.
    Ignored,
}
