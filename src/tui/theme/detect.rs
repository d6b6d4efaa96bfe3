//! What the terminal is: how many colours, light or dark, whether colour is wanted at all.
//!
//! Reads the environment it is given; asks the terminal itself only when that is quick and local.

use std::time::Duration;

use terminal_colorsaurus::{QueryOptions, ThemeMode, theme_mode};

/// How long a terminal has to tell its background. A local one needs about a millisecond.
const ASK_LIMIT: Duration = Duration::from_millis(100);

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
    /// Whether the terminal may be asked for its background: not over ssh, where the answer may take longer
    /// than anyone wants to wait.
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
    /// Light text on dark; also the answer when nobody knows.
    Dark,
}

/// The background of the terminal. Must be called before anything else reads from it.
pub fn background(env: &Environment) -> Background {
    if !env.ask {
        return Background::Dark;
    }
    let mut options = QueryOptions::default();
    options.timeout = ASK_LIMIT;
    match theme_mode(options) {
        Ok(ThemeMode::Light) => Background::Light,
        Ok(ThemeMode::Dark) | Err(_) => Background::Dark,
    }
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
        assert_eq!(background(&dumb), Background::Dark);
    }
}
