//! From a key press to what it means here.
//!
//! Pure: the open layer, whether the focus takes text, and the keymap decide. A held key repeats movement and
//! typing, nothing else.

use std::fmt;

use crossterm::event::KeyCode;

use super::{
    action::{Action, Layer},
    chord::Chord,
    input::{Held, TextFocus},
    keymap::Keymap,
};

/// What a key press means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    Do(Action),
    /// A character for the focused field.
    Type(char),
    /// A change within the focused field.
    Edit(Edit),
}

/// `Debug` keeps the typed character to itself: it may be part of a passphrase.
impl fmt::Debug for Meaning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Do(action) => write!(f, "Do({action:?})"),
            Self::Type(_) => f.write_str("Type(…)"),
            Self::Edit(edit) => write!(f, "Edit({edit:?})"),
        }
    }
}

/// Changes within a line of text. Their keys are those of every shell and are not remapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Remove the grapheme before the cursor.
    Backspace,
    /// Remove the grapheme under the cursor.
    Delete,
    /// Remove the word before the cursor.
    DeleteWord,
    /// Remove everything before the cursor.
    DeleteToStart,
    /// Remove everything from the cursor on.
    DeleteToEnd,
    /// One grapheme to the left.
    Left,
    /// One grapheme to the right.
    Right,
    Start,
    End,
}

/// What `chord` means in `layer`.
pub fn route(keymap: &Keymap, layer: Layer, focus: TextFocus, chord: Chord, held: Held) -> Option<Meaning> {
    let always = keymap.action(Layer::Always, chord);
    if always.is_none() && focus == TextFocus::Here {
        if let Some(c) = chord.typed() {
            return Some(Meaning::Type(c));
        }
        if let Some(edit) = edit(chord) {
            return Some(Meaning::Edit(edit));
        }
    }
    let action = keymap.action(layer, chord)?;
    (held == Held::First || action.repeats()).then_some(Meaning::Do(action))
}

fn edit(chord: Chord) -> Option<Edit> {
    match (chord.code(), chord.ctrl()) {
        (KeyCode::Backspace, false) | (KeyCode::Char('h'), true) => Some(Edit::Backspace),
        (KeyCode::Delete, false) => Some(Edit::Delete),
        (KeyCode::Char('w') | KeyCode::Backspace, true) => Some(Edit::DeleteWord),
        (KeyCode::Char('u'), true) => Some(Edit::DeleteToStart),
        (KeyCode::Char('k'), true) => Some(Edit::DeleteToEnd),
        (KeyCode::Left, false) => Some(Edit::Left),
        (KeyCode::Right, false) => Some(Edit::Right),
        (KeyCode::Home, false) | (KeyCode::Char('a'), true) => Some(Edit::Start),
        (KeyCode::End, false) | (KeyCode::Char('e'), true) => Some(Edit::End),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn means(layer: Layer, focus: TextFocus, key: &str, held: Held) -> Option<Meaning> {
        route(&Keymap::standard(), layer, focus, Chord::parse(key).unwrap(), held)
    }

    #[test]
    fn in_a_field_letters_are_text_and_commands_wait() {
        let here = |key| means(Layer::Dialog, TextFocus::Here, key, Held::First);
        assert_eq!(here("q"), Some(Meaning::Type('q')));
        assert_eq!(here("space"), Some(Meaning::Type(' ')));
        assert_eq!(here("left"), Some(Meaning::Edit(Edit::Left)));
        assert_eq!(here("tab"), Some(Meaning::Do(Action::NextField)));
        assert_eq!(here("esc"), Some(Meaning::Do(Action::Cancel)));
        assert_eq!(here("ctrl-c"), Some(Meaning::Do(Action::ForceQuit)));
    }

    #[test]
    fn the_ends_of_a_tree_in_a_form_have_the_keys_they_have_elsewhere() {
        for (key, end) in [("g", Action::Top), ("G", Action::Bottom)] {
            assert_eq!(
                means(Layer::Dialog, TextFocus::Elsewhere, key, Held::First),
                Some(Meaning::Do(end)),
                "{key}"
            );
            assert!(matches!(
                means(Layer::Dialog, TextFocus::Here, key, Held::First),
                Some(Meaning::Type(_))
            ));
        }
    }

    #[test]
    fn a_held_key_moves_and_types_but_never_acts() {
        assert_eq!(means(Layer::Screen, TextFocus::Elsewhere, "X", Held::Repeat), None);
        assert_eq!(means(Layer::Dialog, TextFocus::Elsewhere, "enter", Held::Repeat), None);
        assert_eq!(
            means(Layer::Screen, TextFocus::Elsewhere, "j", Held::Repeat),
            Some(Meaning::Do(Action::Down))
        );
        assert_eq!(means(Layer::Dialog, TextFocus::Here, "j", Held::Repeat), Some(Meaning::Type('j')));
    }

    #[test]
    fn debug_shows_no_typed_character() {
        assert_eq!(format!("{:?}", Meaning::Type('q')), "Type(…)");
    }
}
