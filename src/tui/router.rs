//! From a key press to what it means here.
//!
//! Pure: the open layer, whether the focus takes text, and the keymap decide. A held key repeats movement and
//! typing, nothing else.

use crossterm::event::KeyCode;

use super::{
    action::{Action, Layer},
    canvas::Target,
    chord::Chord,
    input::{Held, TextFocus},
    keymap::Keymap,
};

/// What an overlay or a screen hears, after routing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cue<'a> {
    Do(Action),
    /// A character typed into the focused field.
    Type(Typed),
    /// A change within the focused field.
    Edit(Edit),
    Paste(PastedRef<'a>),
    Click(Target),
    /// The wheel over a list: rows down, or up when negative.
    Wheel {
        pane: u8,
        rows: isize,
    },
    /// The moment asked for has come.
    Tick,
}

/// A typed character that `Debug` does not tell.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Typed(pub char);

impl std::fmt::Debug for Typed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Typed(…)")
    }
}

/// Pasted text that `Debug` does not tell.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PastedRef<'a>(pub &'a str);

impl std::fmt::Debug for PastedRef<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PastedRef({} bytes)", self.0.len())
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
pub fn route(
    keymap: &Keymap,
    layer: Layer,
    focus: TextFocus,
    chord: Chord,
    held: Held,
) -> Option<Cue<'static>> {
    let always = keymap.action(Layer::Always, chord);
    if always.is_none() && focus == TextFocus::Here {
        if let Some(c) = chord.typed() {
            return Some(Cue::Type(Typed(c)));
        }
        if let Some(edit) = edit(chord) {
            return Some(Cue::Edit(edit));
        }
    }
    let action = keymap.action(layer, chord)?;
    (held == Held::First || action.repeats()).then_some(Cue::Do(action))
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

    fn means(layer: Layer, focus: TextFocus, key: &str, held: Held) -> Option<Cue<'static>> {
        route(&Keymap::standard(), layer, focus, Chord::parse(key).unwrap(), held)
    }

    #[test]
    fn in_a_field_letters_are_text_and_commands_wait() {
        let here = |key| means(Layer::Dialog, TextFocus::Here, key, Held::First);
        assert_eq!(here("q"), Some(Cue::Type(Typed('q'))));
        assert_eq!(here("space"), Some(Cue::Type(Typed(' '))));
        assert_eq!(here("left"), Some(Cue::Edit(Edit::Left)));
        assert_eq!(here("tab"), Some(Cue::Do(Action::NextField)));
        assert_eq!(here("esc"), Some(Cue::Do(Action::Cancel)));
        assert_eq!(here("ctrl-c"), Some(Cue::Do(Action::ForceQuit)));
    }

    #[test]
    fn the_ends_of_a_tree_in_a_form_have_the_keys_they_have_elsewhere() {
        for (key, end) in [("g", Action::Top), ("G", Action::Bottom)] {
            assert_eq!(
                means(Layer::Dialog, TextFocus::Elsewhere, key, Held::First),
                Some(Cue::Do(end)),
                "{key}"
            );
            assert!(matches!(means(Layer::Dialog, TextFocus::Here, key, Held::First), Some(Cue::Type(_))));
        }
    }

    #[test]
    fn a_held_key_moves_and_types_but_never_acts() {
        assert_eq!(means(Layer::Screen, TextFocus::Elsewhere, "X", Held::Repeat), None);
        assert_eq!(means(Layer::Dialog, TextFocus::Elsewhere, "enter", Held::Repeat), None);
        assert_eq!(
            means(Layer::Screen, TextFocus::Elsewhere, "j", Held::Repeat),
            Some(Cue::Do(Action::Down))
        );
        assert_eq!(means(Layer::Dialog, TextFocus::Here, "j", Held::Repeat), Some(Cue::Type(Typed('j'))));
    }

    #[test]
    fn debug_shows_neither_typed_nor_pasted_text() {
        let shown = format!("{:?} {:?}", Cue::Type(Typed('h')), Cue::Paste(PastedRef("hunter2")));
        assert_eq!(shown, "Type(Typed(…)) Paste(PastedRef(7 bytes))");
    }
}
