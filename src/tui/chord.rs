//! One key press as the keymap writes it: `k`, `G`, `ctrl-d`, `shift-tab`, `pgdn`, `f1`.
//!
//! Upper and lower case are two different keys and need no `shift-`; nothing binds Alt or Super, which some
//! keyboard layouts swallow.

use std::fmt;

use crossterm::event::{KeyCode, KeyModifiers};

/// A key with its modifiers, in the one form in which two equal presses are equal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd)]
pub struct Chord {
    code: KeyCode,
    ctrl: bool,
    shift: bool,
    alt: bool,
}

/// Names of keys that are not one visible character.
const NAMED: &[(&str, KeyCode)] = &[
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("space", KeyCode::Char(' ')),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pgup", KeyCode::PageUp),
    ("pgdn", KeyCode::PageDown),
];

impl Chord {
    /// From what the terminal reports. Shift is kept only where it is not already in the character, and
    /// `ctrl-A` is `ctrl-a`, since few terminals can tell them apart.
    pub fn new(code: KeyCode, modifiers: KeyModifiers) -> Self {
        let ctrl = modifiers.contains(KeyModifiers::CONTROL);
        let alt = modifiers.intersects(KeyModifiers::ALT | KeyModifiers::SUPER | KeyModifiers::META);
        let shift = modifiers.contains(KeyModifiers::SHIFT);
        match code {
            KeyCode::BackTab => Self { code: KeyCode::Tab, ctrl, shift: true, alt },
            KeyCode::Char(c) if ctrl => {
                Self { code: KeyCode::Char(c.to_ascii_lowercase()), ctrl, shift: false, alt }
            }
            KeyCode::Char(c) if shift => {
                Self { code: KeyCode::Char(c.to_ascii_uppercase()), ctrl, shift: false, alt }
            }
            KeyCode::Char(_) => Self { code, ctrl, shift: false, alt },
            _ => Self { code, ctrl, shift, alt },
        }
    }

    pub fn parse(text: &str) -> Result<Self, UnknownKey> {
        let unknown = || UnknownKey { text: text.to_owned() };
        let mut rest = text;
        let (mut ctrl, mut shift) = (false, false);
        loop {
            if let Some(after) = rest.strip_prefix("ctrl-").filter(|after| !after.is_empty() && !ctrl) {
                (rest, ctrl) = (after, true);
            } else if let Some(after) =
                rest.strip_prefix("shift-").filter(|after| !after.is_empty() && !shift)
            {
                (rest, shift) = (after, true);
            } else {
                break;
            }
        }
        let code = named(rest).or_else(|| function_key(rest)).or_else(|| single(rest)).ok_or_else(unknown)?;
        if let KeyCode::Char(c) = code {
            // `shift-g` would be a second spelling of `G`, and `ctrl-D` one that no terminal sends.
            if shift || (ctrl && c.is_ascii_uppercase()) {
                return Err(unknown());
            }
        }
        Ok(Self { code, ctrl, shift, alt: false })
    }

    /// The character this press types into a text field, if it types one.
    pub fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if !self.ctrl && !self.alt => Some(c),
            _ => None,
        }
    }

    pub const fn code(self) -> KeyCode {
        self.code
    }

    pub const fn ctrl(self) -> bool {
        self.ctrl
    }
}

fn named(text: &str) -> Option<KeyCode> {
    NAMED.iter().find(|(name, _)| *name == text).map(|(_, code)| *code)
}

fn function_key(text: &str) -> Option<KeyCode> {
    let number: u8 = text.strip_prefix('f')?.parse().ok()?;
    (1..=12).contains(&number).then_some(KeyCode::F(number))
}

fn single(text: &str) -> Option<KeyCode> {
    let mut chars = text.chars();
    let first = chars.next()?;
    (chars.next().is_none() && !first.is_control() && first != ' ').then_some(KeyCode::Char(first))
}

/// The form the hint bar and the help show: arrows as words would be too long there, so they are the keymap's
/// own names.
impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("ctrl-")?;
        }
        if self.alt {
            f.write_str("alt-")?;
        }
        if self.shift {
            f.write_str("shift-")?;
        }
        if let Some((name, _)) = NAMED.iter().find(|(_, code)| *code == self.code) {
            return f.write_str(name);
        }
        match self.code {
            KeyCode::Char(c) => write!(f, "{c}"),
            KeyCode::F(number) => write!(f, "f{number}"),
            _ => f.write_str("?"),
        }
    }
}

/// A typed character may be part of a passphrase, so `Debug` keeps it to itself; control keys say their name.
impl fmt::Debug for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.typed() {
            Some(_) => f.write_str("Chord(typed)"),
            None => write!(f, "Chord({self})"),
        }
    }
}

/// A key name nobody knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{text}\" is no key; write one character (k, G, ?), a name (enter, esc, tab, space, pgdn, f1) or ctrl- and a small letter"
)]
pub struct UnknownKey {
    text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_shown() {
        for text in "k G ? - ctrl-d ctrl-- shift-tab space pgdn f12 é ctrl-space [".split(' ') {
            assert_eq!(Chord::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn nonsense_is_refused_with_its_own_name() {
        for text in ", ,ctrl-,shift-g,ctrl-D,f0,f13,pagedown,gg,ctrl-ctrl-a,alt-x,\t".split(',') {
            let said = Chord::parse(text).unwrap_err().to_string();
            assert!(said.starts_with(&format!("\"{text}\" is no key")), "{said}");
        }
    }

    #[test]
    fn presses_are_brought_to_one_form() {
        let shifted = Chord::new(KeyCode::Char('G'), KeyModifiers::SHIFT);
        assert_eq!(shifted, Chord::parse("G").unwrap());
        assert_eq!(Chord::new(KeyCode::Char('g'), KeyModifiers::SHIFT), shifted);
        assert_eq!(Chord::new(KeyCode::BackTab, KeyModifiers::SHIFT), Chord::parse("shift-tab").unwrap());
        assert_eq!(Chord::new(KeyCode::BackTab, KeyModifiers::NONE), Chord::parse("shift-tab").unwrap());
        let ctrl = Chord::new(KeyCode::Char('D'), KeyModifiers::CONTROL);
        assert_eq!(ctrl, Chord::parse("ctrl-d").unwrap());
        assert_eq!(ctrl.typed(), None);
        assert_eq!(shifted.typed(), Some('G'));
        assert_eq!(Chord::new(KeyCode::Char('x'), KeyModifiers::ALT).typed(), None);
    }

    #[test]
    fn debug_shows_no_typed_character() {
        assert_eq!(format!("{:?}", Chord::parse("q").unwrap()), "Chord(typed)");
        assert_eq!(format!("{:?}", Chord::parse("esc").unwrap()), "Chord(esc)");
    }
}
