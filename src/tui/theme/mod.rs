//! How things look: a role (title, warning, selected row) becomes a style, a key's state a glyph and a word.
//!
//! Sixteen colours come from the terminal's own palette and the background is left alone; true colour only where
//! the terminal announces it. No state is ever told by colour alone. Files: `assets/themes/*.toml`.

mod detect;
mod glyphs;
mod load;

use ratatui::style::Style;

pub use self::{
    detect::{Background, Environment, Palette, QUESTION, take_answer},
    glyphs::{Badge, GlyphSet, Glyphs, in_ascii},
};
use super::located::Located;

worded! {
/// What a piece of the screen is, as far as its look goes.
Role
/// Its name in a theme file.
id {
    Ground "ground" "What all is drawn on, where the terminal's own background will not do.";
    Text "text" "Plain text.";
    Dim "dim" "Text that may be overlooked.";
    Title "title" "The name of what one looks at.";
    Brand "brand" "The program's name.";
    Accent "accent" "The one thing that should catch the eye.";
    Rule "rule" "Lines and borders.";
    Header "header" "Column headers.";
    Selected "selected" "The selected row where the focus is.";
    SelectedIdle "selected-idle" "The selected row where the focus is not.";
    Marked "marked" "The mark of a marked row.";
    Match "match" "Characters that match a search.";
    Tab "tab" "A tab.";
    TabOpen "tab-open" "The open tab.";
    Count "count" "Numbers beside a name.";
    Key "key" "A key one may press.";
    Field "field" "A text field.";
    FieldFocused "field-focused" "The text field that has the cursor.";
    Placeholder "placeholder" "An example in an empty field.";
    Button "button" "A button.";
    ButtonFocused "button-focused" "The button that Enter presses.";
    ButtonDanger "button-danger" "A button that takes access away.";
    Good "good" "All is well.";
    Info "info" "Worth knowing.";
    Warn "warn" "Needs attention soon.";
    Bad "bad" "Wrong, or refused.";
    Gone "gone" "No longer in use.";
    Secret "secret" "A secret being shown.";
}
}

/// Names of the themes that come with the program; `auto` picks one of the first two.
pub const THEMES: [&str; 4] = ["dark", "light", "mono", "contrast"];

const FILES: [&str; 4] = [
    include_str!("../../../assets/themes/dark.toml"),
    include_str!("../../../assets/themes/light.toml"),
    include_str!("../../../assets/themes/mono.toml"),
    include_str!("../../../assets/themes/contrast.toml"),
];

/// Styles for all roles, and the glyphs to draw with.
#[derive(Clone, Debug)]
pub struct Theme {
    styles: [Style; Role::ALL.len()],
    glyphs: &'static Glyphs,
}

impl Theme {
    /// One that comes with the program, on the terminal's own background.
    pub fn built_in(name: &str, palette: Palette, glyphs: GlyphSet) -> Option<Self> {
        let mut theme = Self::on_ground(name, palette, glyphs)?;
        if let Some(ground) = theme.styles.get_mut(Role::Ground as usize) {
            *ground = Style::new();
        }
        Some(theme)
    }

    /// The same on a background of its own: to be read whatever the terminal's is.
    fn on_ground(name: &str, palette: Palette, glyphs: GlyphSet) -> Option<Self> {
        let at = THEMES.iter().position(|known| *known == name)?;
        // A test reads all embedded files.
        Some(Self::from_file(name, FILES.get(at)?, palette, glyphs).0)
    }

    /// A person's own theme, as far as it is right, and what is wrong. Roles it leaves out keep the plain style.
    pub fn from_file(file: &str, text: &str, palette: Palette, glyphs: GlyphSet) -> (Self, Vec<Located>) {
        let (styles, mistakes) = load::styles(file, text, palette);
        (Self { styles, glyphs: glyphs.glyphs() }, mistakes)
    }

    /// Whether a theme of this name comes with the program; all else names a file.
    pub fn is_name(name: &str) -> bool {
        name == "auto" || THEMES.contains(&name)
    }

    /// The same with nothing that moves by itself.
    #[must_use]
    pub fn still(self) -> Self {
        Self { glyphs: self.glyphs.still(), ..self }
    }

    /// No colour, no assumption: what is used when nothing else is known.
    pub fn plain(glyphs: GlyphSet) -> Self {
        Self::built_in("mono", Palette::Sixteen, glyphs)
            .unwrap_or(Self { styles: [Style::new(); Role::ALL.len()], glyphs: glyphs.glyphs() })
    }

    /// The theme a person asked for by `name` (`auto` or one of [`THEMES`]), in the environment found. `NO_COLOR`
    /// wins over every name. `auto` fits the background, dark where nobody told; a name brings one of its own with it unless the
    /// terminal told that its own is of that kind.
    pub fn choose(
        name: &str,
        env: &Environment,
        background: Option<Background>,
        glyphs: GlyphSet,
    ) -> Result<Self, UnknownTheme> {
        let (chosen, fits) = match (name, background) {
            _ if env.no_color => ("mono", true),
            ("auto", Some(Background::Light)) => ("light", true),
            ("auto", Some(Background::Dark) | None) => ("dark", true),
            ("light", told) => ("light", told == Some(Background::Light)),
            (other, told) => (other, told == Some(Background::Dark)),
        };
        let made = if fits { Self::built_in } else { Self::on_ground };
        made(chosen, env.palette, glyphs).ok_or_else(|| UnknownTheme { name: name.to_owned() })
    }

    pub fn style(&self, role: Role) -> Style {
        self.styles.get(role as usize).copied().unwrap_or_default()
    }

    /// The glyphs to draw with.
    pub const fn glyphs(&self) -> &'static Glyphs {
        self.glyphs
    }
}

/// A theme name nobody knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no theme \"{name}\"; choose auto, dark, light, mono or contrast")]
pub struct UnknownTheme {
    name: String,
}

#[cfg(test)]
mod tests {
    use ratatui::style::{Color, Modifier};

    use super::*;

    fn built_in(name: &str) -> Theme {
        Theme::built_in(name, Palette::Sixteen, GlyphSet::Unicode).unwrap()
    }

    fn environment() -> Environment {
        Environment { no_color: false, palette: Palette::Sixteen, ask: false }
    }

    #[test]
    fn every_built_in_theme_names_every_role() {
        for (name, text) in THEMES.iter().zip(FILES) {
            for role in Role::ALL {
                assert!(text.contains(&format!("\n{} = ", role.id())), "{name} lacks {}", role.id());
            }
            for palette in [Palette::Sixteen, Palette::True] {
                assert_eq!(Theme::from_file(name, text, palette, GlyphSet::Unicode).1, [], "{name}");
            }
        }
    }

    #[test]
    fn mono_uses_no_colour_and_still_shows_the_selection() {
        let theme = Theme::built_in("mono", Palette::True, GlyphSet::Unicode).unwrap();
        for role in Role::ALL {
            let style = theme.style(*role);
            assert_eq!((style.fg, style.bg), (None, None), "{}", role.id());
        }
        assert!(theme.style(Role::Selected).add_modifier.contains(Modifier::REVERSED));
        assert_ne!(theme.style(Role::Selected), theme.style(Role::SelectedIdle));
    }

    #[test]
    fn true_colour_only_where_it_is_announced() {
        for name in THEMES {
            let theme = built_in(name);
            for role in Role::ALL {
                let style = theme.style(*role);
                for colour in [style.fg, style.bg].into_iter().flatten() {
                    assert!(!matches!(colour, Color::Rgb(..) | Color::Indexed(_)), "{name} {}", role.id());
                }
            }
        }
        let true_dark = Theme::built_in("dark", Palette::True, GlyphSet::Unicode).unwrap();
        assert_eq!(true_dark.style(Role::Selected).bg, Some(Color::Rgb(0x2c, 0x4a, 0x63)));
    }

    #[test]
    fn no_color_wins_over_every_name() {
        let env = Environment { no_color: true, ..environment() };
        for name in ["dark", "auto"] {
            assert_eq!(
                Theme::choose(name, &env, None, GlyphSet::Unicode).unwrap().styles,
                built_in("mono").styles
            );
        }
    }

    #[test]
    fn auto_is_dark_when_nobody_can_be_asked() {
        let automatic = Theme::choose("auto", &environment(), None, GlyphSet::Unicode).unwrap();
        assert_eq!(automatic.styles, built_in("dark").styles);
        let said = Theme::choose("drak", &environment(), None, GlyphSet::Unicode).unwrap_err().to_string();
        assert_eq!(said, "there is no theme \"drak\"; choose auto, dark, light, mono or contrast");
    }

    #[test]
    fn a_theme_somebody_named_is_read_on_either_background_and_leaves_a_fitting_one_alone() {
        let [dark, light] = [Background::Dark, Background::Light].map(Some);
        for (name, told, on_its_own) in [
            ("auto", None, false),
            ("auto", light, false),
            ("dark", dark, false),
            ("dark", light, true),
            ("light", None, true),
            ("light", light, false),
            ("light", dark, true),
            ("contrast", light, true),
        ] {
            let theme = Theme::choose(name, &environment(), told, GlyphSet::Unicode).unwrap();
            let ground = theme.style(Role::Ground);
            assert_eq!(
                (ground.fg.is_some(), ground.bg.is_some()),
                (on_its_own, on_its_own),
                "{name} {told:?}"
            );
        }
        let automatic = Theme::choose("auto", &environment(), light, GlyphSet::Unicode).unwrap();
        assert_eq!(automatic.styles, built_in("light").styles);
    }
}
