//! How the console looks and which keys it hears, out of files somebody wrote: what is right in them counts, and every mistake
//! is told with its place.

use std::path::Path;

use super::keymap::Keymap;
use super::located::Located;
use super::theme::{Background, Environment, GlyphSet, Theme};
use crate::files;

/// The themes a console can be drawn in: those that come with the program, and the one it began with.
#[derive(Clone, Debug)]
pub struct Themes {
    env: Environment,
    glyphs: GlyphSet,
    still: bool,
    began: Began,
    /// As the terminal told it.
    background: Option<Background>,
}

/// The theme a console begins with.
#[derive(Clone, Debug)]
pub enum Began {
    /// `auto`, or one that comes with the program.
    Named(String),
    /// One of somebody's own.
    Own(Box<Theme>),
}

impl Themes {
    /// Beginning with this one, drawn with these signs.
    pub fn new(began: Began, glyphs: GlyphSet, still: bool) -> Self {
        let env = Environment::read(|name| std::env::var(name).ok());
        Self { env, glyphs, still, began, background: None }
    }

    /// The one of that name, or the one it began with. `NO_COLOR` wins.
    pub fn wear(&self, name: Option<&str>) -> Theme {
        let by_name = |name: &str| Theme::choose(name, &self.env, self.background, self.glyphs).ok();
        let theme = match (name.and_then(by_name), &self.began) {
            (Some(theme), _) => theme,
            (None, Began::Named(name)) => by_name(name).unwrap_or_else(|| Theme::plain(self.glyphs)),
            (None, Began::Own(theme)) => Theme::clone(theme),
        };
        if self.still { theme.still() } else { theme }
    }

    /// Whether it is worth asking the terminal for its background.
    pub const fn asks(&self) -> bool {
        self.env.ask && !self.env.no_color
    }

    /// The terminal told its background.
    pub const fn tell(&mut self, background: Background) {
        self.background = Some(background);
    }
}

/// Far more than a keymap or theme needs.
const MAX_BYTES: usize = 1024 * 1024;

/// Their own keys on top of ours. What there is no place to tell of goes to the `complaints`.
pub fn keymap(file: Option<&Path>, complaints: &mut Vec<String>) -> (Keymap, Vec<Located>) {
    let Some(path) = file else { return (Keymap::standard(), Vec::new()) };
    match files::read_text(path, MAX_BYTES) {
        Ok(text) => Keymap::with_file(&path.display().to_string(), &text),
        Err(why) => {
            let path = path.display();
            complaints.push(format!("The keymap {path} cannot be read: {why}. The standard keys are used."));
            (Keymap::standard(), Vec::new())
        }
    }
}

/// The theme of that name or in that file. `NO_COLOR` wins over both.
pub fn theme(wanted: &str, glyphs: GlyphSet, complaints: &mut Vec<String>) -> (Began, Vec<Located>) {
    let env = Environment::read(|name| std::env::var(name).ok());
    let named = |name: &str| (Began::Named(name.to_owned()), Vec::new());
    if env.no_color || Theme::is_name(wanted) {
        return named(wanted);
    }
    let path = Path::new(wanted);
    match files::read_text(path, MAX_BYTES) {
        Ok(text) => {
            let (theme, mistakes) = Theme::from_file(wanted, &text, env.palette, glyphs);
            (Began::Own(Box::new(theme)), mistakes)
        }
        Err(_) if !path.exists() => {
            let unknown = Theme::choose(wanted, &env, None, glyphs).err();
            complaints.extend(unknown.map(|unknown| format!("{unknown}, or a file.")));
            named("auto")
        }
        Err(why) => {
            complaints.push(format!("The theme {wanted} cannot be read: {why}. The automatic one is used."));
            named("auto")
        }
    }
}

/// What is wrong with a keymap and a theme, without asking the terminal anything.
pub fn mistakes(keymap_file: Option<&Path>, wanted: &str) -> Vec<String> {
    let mut told = Vec::new();
    let (_, mut mistakes) = keymap(keymap_file, &mut told);
    if !Theme::is_name(wanted) {
        let path = Path::new(wanted);
        match files::read_text(path, MAX_BYTES) {
            Ok(text) => {
                let env = Environment::read(|name| std::env::var(name).ok());
                mistakes.extend(Theme::from_file(wanted, &text, env.palette, GlyphSet::Unicode).1);
            }
            Err(why) => told.push(format!("The theme {wanted} cannot be read: {why}.")),
        }
    }
    mistakes.iter().map(ToString::to_string).chain(told).collect()
}

/// What is said of mistakes when the console starts: one in full, of several how many there are.
pub fn said(mistakes: &[Located]) -> Option<String> {
    match mistakes {
        [] => None,
        [one] => Some(format!("A mistake in your settings: {one}. All else in them counts.")),
        many => Some(format!(
            "There are {} mistakes in your settings (f4 lists them). What is right counts.",
            many.len()
        )),
    }
}
