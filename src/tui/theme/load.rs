//! Reading a theme file. Mistakes come back with their place and the nearest valid name.

use ratatui::style::{Color, Modifier, Style};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{Palette, Role};
use crate::tui::located::{Located, TomlReader, string, strings};

const COLOURS: [(&str, Color); 16] = [
    ("black", Color::Black),
    ("red", Color::Red),
    ("green", Color::Green),
    ("yellow", Color::Yellow),
    ("blue", Color::Blue),
    ("magenta", Color::Magenta),
    ("cyan", Color::Cyan),
    ("white", Color::Gray),
    ("bright-black", Color::DarkGray),
    ("bright-red", Color::LightRed),
    ("bright-green", Color::LightGreen),
    ("bright-yellow", Color::LightYellow),
    ("bright-blue", Color::LightBlue),
    ("bright-magenta", Color::LightMagenta),
    ("bright-cyan", Color::LightCyan),
    ("bright-white", Color::White),
];

const MODS: [(&str, Modifier); 5] = [
    ("bold", Modifier::BOLD),
    ("dim", Modifier::DIM),
    ("italic", Modifier::ITALIC),
    ("underlined", Modifier::UNDERLINED),
    ("reverse", Modifier::REVERSED),
];

const FIELDS: [&str; 5] = ["fg", "bg", "fg_rgb", "bg_rgb", "mods"];

type Styles = [Style; Role::ALL.len()];

/// The styles of the theme in `text`, as far as they are right, and what is wrong.
pub fn styles(file: &str, text: &str, palette: Palette) -> (Styles, Vec<Located>) {
    let mut reader = TomlReader::new(file, text);
    let mut styles = [Style::new(); Role::ALL.len()];
    for (key, value) in &reader.table().unwrap_or_default() {
        match (&**key.get_ref(), value.get_ref()) {
            ("name", _) => _ = string(&mut reader, value, "the name"),
            ("roles", DeValue::Table(roles)) => read_roles(&mut reader, roles, palette, &mut styles),
            ("roles", _) => reader.note(value.span(), "\"roles\" must be a section: [roles]".to_owned()),
            (other, _) => reader.unknown(key.span(), "field", other, ["name", "roles"]),
        }
    }
    (styles, reader.finish())
}

fn read_roles(reader: &mut TomlReader<'_>, roles: &DeTable<'_>, palette: Palette, styles: &mut Styles) {
    for (key, value) in roles {
        let name = key.get_ref();
        let Some(at) = Role::ALL.iter().position(|role| role.id() == name) else {
            reader.unknown(key.span(), "role", name, Role::ALL.iter().map(|role| role.id()));
            continue;
        };
        let DeValue::Table(fields) = value.get_ref() else {
            reader.note(value.span(), format!("\"{name}\" must be written {{ fg = \"cyan\" }}"));
            continue;
        };
        if let Some(style) = styles.get_mut(at) {
            *style = read_style(reader, fields, palette);
        }
    }
}

fn read_style(reader: &mut TomlReader<'_>, fields: &DeTable<'_>, palette: Palette) -> Style {
    let mut style = Style::new();
    let (mut fg_rgb, mut bg_rgb) = (None, None);
    for (key, value) in fields {
        match &**key.get_ref() {
            "fg" => style.fg = colour(reader, value),
            "bg" => style.bg = colour(reader, value),
            "fg_rgb" => fg_rgb = rgb(reader, value),
            "bg_rgb" => bg_rgb = rgb(reader, value),
            "mods" => {
                for (span, name) in strings(reader, value, "a modifier") {
                    match MODS.iter().find(|(known, _)| *known == name) {
                        Some((_, modifier)) => style = style.add_modifier(*modifier),
                        None => reader.unknown(span, "modifier", name, MODS.map(|(known, _)| known)),
                    }
                }
            }
            other => reader.unknown(key.span(), "field", other, FIELDS),
        }
    }
    if palette == Palette::True {
        style.fg = fg_rgb.or(style.fg);
        style.bg = bg_rgb.or(style.bg);
    }
    style
}

fn colour(reader: &mut TomlReader<'_>, value: &Spanned<DeValue<'_>>) -> Option<Color> {
    let name = string(reader, value, "a colour")?;
    let found = COLOURS.iter().find(|(known, _)| *known == name).map(|(_, colour)| *colour);
    if found.is_none() {
        reader.unknown(value.span(), "colour", name, COLOURS.map(|(known, _)| known));
    }
    found
}

fn rgb(reader: &mut TomlReader<'_>, value: &Spanned<DeValue<'_>>) -> Option<Color> {
    let text = string(reader, value, "a colour")?;
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6);
    let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
    if number.is_none() {
        reader.note(value.span(), format!("\"{text}\" is no true colour; write it like \"#7cc7c1\""));
    }
    number.map(Color::from_u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_answered_with_place_and_nearest_name() {
        let text = "nmae = \"x\"\n[roles]\ntitel = {}\ntext = { fg = \"cian\", bf = \"red\" }\ndim = { fg_rgb = \"7cc7c1\", mods = [\"blod\"] }\n";
        let said: Vec<_> = styles("t.toml", text, Palette::True).1.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "t.toml:1:1: unknown field \"nmae\"; did you mean \"name\"?",
                "t.toml:3:1: unknown role \"titel\"; did you mean \"title\"?",
                "t.toml:4:15: unknown colour \"cian\"; did you mean \"cyan\"?",
                "t.toml:4:23: unknown field \"bf\"; did you mean \"bg\"?",
                "t.toml:5:18: \"7cc7c1\" is no true colour; write it like \"#7cc7c1\"",
                "t.toml:5:36: unknown modifier \"blod\"; did you mean \"bold\"?",
            ]
        );
    }
}
