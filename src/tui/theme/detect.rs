//! What the terminal is: how many colours, light or dark, whether colour is wanted at all.
//!
//! Reads the environment it is given. The terminal itself is asked in passing: nobody waits for its answer, which comes among
//! the keys or not at all.

use std::io;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};

/// Asks the terminal for its background (xterm, "Change VT100 text background color to Pt").
pub const QUESTION: &[u8] = b"\x1b]11;?\x1b\\";

/// How many colours may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Palette {
    /// The terminal's own sixteen.
    Sixteen,
    True,
}

/// What is known about the terminal before it is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Environment {
    /// `NO_COLOR` is set and not empty (no-color.org).
    pub no_color: bool,
    pub palette: Palette,
    /// Whether the terminal may be asked for its background: not over ssh, where an answer may come in pieces, and would be
    /// taken for what somebody types.
    pub ask: bool,
}

impl Environment {
    /// Reads the variables through `var`.
    pub fn read(var: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| var(name).is_some_and(|value| !value.is_empty());
        let dumb = var("TERM").is_some_and(|term| term == "dumb");
        let announced = var("COLORTERM").is_some_and(|value| value == "truecolor" || value == "24bit");
        Self {
            no_color: set("NO_COLOR") || dumb,
            palette: if announced { Palette::True } else { Palette::Sixteen },
            ask: !dumb && !set("SSH_TTY") && !set("SSH_CONNECTION"),
        }
    }
}

/// Light or dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Background {
    /// Dark text on light.
    Light,
    /// Light text on dark.
    Dark,
}

impl Background {
    /// Of an answer without its frame, `11;rgb:1c1c/1c1c/1c1c`: one to four hexadecimal digits for each of red, green and blue.
    fn of(answer: &str) -> Option<Self> {
        let colours = answer.strip_prefix("11;rgb:").or_else(|| answer.strip_prefix("11;rgba:"))?;
        let mut parts = colours.split('/').map(|digits| {
            let most = 16_f32.powi(i32::try_from(digits.len()).ok()?) - 1.0;
            let value = u16::from_str_radix(digits, 16).ok()?;
            Some(f32::from(value) / most)
        });
        let (red, green, blue) = (parts.next()??, parts.next()??, parts.next()??);
        // How bright people see it (ITU-R BT.709).
        let bright = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
        Some(if bright > 0.5 { Self::Light } else { Self::Dark })
    }
}

/// Takes the answer to [`QUESTION`] out of what came at once, if it is in it. crossterm 0.29 knows no such answers and tells of
/// keys: Alt and `]` for how it begins, Alt and `\` or Ctrl-G for how it ends. Keys beside it stay.
pub fn take_answer(batch: &mut Vec<io::Result<Event>>) -> Option<Background> {
    let key = |event: &io::Result<Event>| match event {
        Ok(Event::Key(KeyEvent { code: KeyCode::Char(c), modifiers, .. })) => Some((*c, *modifiers)),
        _ => None,
    };
    let begin = batch.iter().position(|event| key(event) == Some((']', KeyModifiers::ALT)))?;
    let mut answer = String::new();
    for (end, event) in batch.iter().enumerate().skip(begin + 1) {
        match key(event)? {
            ('\\', KeyModifiers::ALT) | ('g', KeyModifiers::CONTROL) => {
                let background = Background::of(&answer)?;
                batch.drain(begin..=end);
                return Some(background);
            }
            (c, KeyModifiers::NONE | KeyModifiers::SHIFT) => answer.push(c),
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(vars: &[(&str, &str)]) -> Environment {
        Environment::read(|name| {
            vars.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_environment_is_taken_at_its_word() {
        assert_eq!(read(&[]), Environment { no_color: false, palette: Palette::Sixteen, ask: true });
        assert!(!read(&[("NO_COLOR", "")]).no_color);
        assert!(read(&[("NO_COLOR", "1")]).no_color);
        assert_eq!(read(&[("COLORTERM", "truecolor")]).palette, Palette::True);
        assert_eq!(read(&[("COLORTERM", "yes")]).palette, Palette::Sixteen);
    }

    #[test]
    fn nobody_is_asked_over_ssh_or_on_a_dumb_terminal() {
        assert!(!read(&[("SSH_TTY", "/dev/pts/3")]).ask);
        assert!(!read(&[("SSH_CONNECTION", "::1 4 ::1 22")]).ask);
        let dumb = read(&[("TERM", "dumb")]);
        assert!(!dumb.ask && dumb.no_color);
    }

    fn key(c: char, modifiers: KeyModifiers) -> Event {
        Event::Key(KeyEvent::new(KeyCode::Char(c), modifiers))
    }

    /// As crossterm tells of these bytes; `<` stands for the beginning, `>` for ESC `\`, `!` for the bell.
    fn batch(written: &str) -> Vec<io::Result<Event>> {
        let keys = written.chars().map(|c| match c {
            '<' => key(']', KeyModifiers::ALT),
            '>' => key('\\', KeyModifiers::ALT),
            '!' => key('g', KeyModifiers::CONTROL),
            c => key(c, KeyModifiers::NONE),
        });
        keys.map(Ok).collect()
    }

    #[test]
    fn an_answer_is_taken_out_from_among_keys_and_nothing_else_is() {
        for (written, told, left) in [
            ("<11;rgb:1c1c/1c1c/1c1c>", Some(Background::Dark), 0),
            ("ab<11;rgb:ffff/fafa/f0f0>c", Some(Background::Light), 3),
            ("<11;rgb:f/f/f!", Some(Background::Light), 0),
            ("<11;rgba:0000/2b2b/3636/ffff>", Some(Background::Dark), 0),
            // Blue is dark, yellow is light.
            ("<11;rgb:00/00/ff>", Some(Background::Dark), 0),
            ("<11;rgb:ff/ff/00>", Some(Background::Light), 0),
            ("<", None, 1),
            ("<n", None, 2),
            ("<11;rgb:zz/00/00>", None, 17),
            ("<11;rgb:1c1c/1c1c/1c", None, 20),
            ("new key", None, 7),
        ] {
            let mut heard = batch(written);
            assert_eq!((take_answer(&mut heard), heard.len()), (told, left), "{written}");
        }
    }
}
