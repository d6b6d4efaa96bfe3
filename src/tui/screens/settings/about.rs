//! What this program is and works with: version, store, catalog, terminal, clipboard, guide and licences. What one
//! needs when asking for help, and nothing secret.

use std::fmt::Write as _;

use super::sheet::Deed;
use crate::engine::{self, Doors};
use crate::store::Standing;
use crate::tui::action::Action;
use crate::tui::app::look::Look;
use crate::tui::clipboard::Seat;
use crate::tui::list::page::Line;
use crate::tui::overlays::reader::Reader;
use crate::tui::theme::{Environment, Palette, Role};

/// The developer guide's name.
pub const GUIDE: &str = "guide";
const LICENCES: &str = "licences";

const GUIDE_TEXT: &str = include_str!("../../../../assets/guide/using-keys.md");
const LICENCES_TEXT: &str = include_str!("../../../../assets/licences.md");

/// What is known of the terminal and the clipboard.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The terminal: its kind, colours, whether it is far away.
    pub terminal: String,
    /// Which way copies go.
    pub clipboard: String,
}

impl Facts {
    /// Reads the variables through `var`.
    pub fn read(var: impl Fn(&str) -> Option<String>) -> Self {
        let env = Environment::read(&var);
        let seat = Seat::read(&var);
        let colours = match (env.no_color, env.palette) {
            (true, _) => "no colours wanted",
            (false, Palette::Sixteen) => "its own 16 colours",
            (false, Palette::True) => "true colour",
        };
        let kind = var("TERM").filter(|term| !term.is_empty()).unwrap_or_else(|| "unknown".into());
        let program = var("TERM_PROGRAM").filter(|name| !name.is_empty());
        let program = program.map(|name| format!(" ({name})")).unwrap_or_default();
        let (far, clipboard) = match seat {
            Seat::Local => ("", "the desktop's; the terminal's (OSC 52) where there is no desktop"),
            Seat::Remote => (", over ssh", "the terminal's (OSC 52), because the desktop here is not yours"),
        };
        Self { terminal: format!("{kind}{program}, {colours}{far}"), clipboard: clipboard.into() }
    }
}

/// What can be done here.
pub const DEEDS: &[(Deed, &str)] =
    &[(Deed::Act(Action::Guide), "Read the developer guide"), (Deed::Read(LICENCES), "Read the licences")];

pub fn facts(look: &Look, known: &Facts, doors: Option<&Doors>) -> Vec<Line> {
    let health = look.engine.condition().health;
    let catalog = look.engine.catalog();
    let mut facts = vec![Line::fact("keydeck", env!("CARGO_PKG_VERSION")), Line::blank()];
    match doors.map(|doors| &doors.dir) {
        Some(Some(dir)) => facts.push(Line::fact("Data in", dir.as_str())),
        Some(None) => facts.push(Line::fact("Data in", "memory")),
        None => {}
    }
    let mut store = format!("{}, revision {}", health.backend, health.rev.0);
    if let Some(bytes) = health.disk_bytes {
        let _always_fits = write!(store, ", {} on disk", size(bytes));
    }
    if let Some(bytes) = health.free_bytes {
        let _always_fits = write!(store, ", {} free", size(bytes));
    }
    facts.push(match engine::standing(&*look.engine) {
        Standing::Writable => Line::told(Role::Good, "Store", format!("{store}, takes changes")),
        Standing::ReadOnly(why) => Line::told(Role::Bad, "Store", format!("{store}, read-only: {why}")),
        Standing::Down(why) => Line::told(Role::Bad, "Store", format!("{store}, not usable: {why}")),
    });
    facts.push(Line::blank());
    facts.push(Line::fact(
        "Scope catalog",
        format!("{} ({}), version {}", catalog.title(), catalog.id(), catalog.version()),
    ));
    facts.push(Line::told(
        Role::Dim,
        "",
        format!(
            "{} scopes in {} groups, {} presets",
            catalog.len(),
            catalog.groups().len(),
            catalog.presets().len()
        ),
    ));
    facts.push(Line::blank());
    let named = |label, said: &str| {
        let (said, role) = if said.is_empty() { ("not known", Role::Dim) } else { (said, Role::Text) };
        Line::told(role, label, said)
    };
    facts.push(named("Terminal", &known.terminal));
    facts.push(named("Clipboard", &known.clipboard));
    facts.push(Line::blank());
    facts.push(Line::fact("Licence", env!("CARGO_PKG_LICENSE")));
    facts
}

/// A text to read, by its name.
pub fn reader(text: &'static str) -> Reader {
    match text {
        LICENCES => Reader::new(LICENCES, "Licences", blocks(LICENCES_TEXT), None),
        _ => Reader::new(GUIDE, "Developer guide", blocks(GUIDE_TEXT), None),
    }
}

/// The little of Markdown these texts use: headings, paragraphs, code and lists. Lines of a paragraph are joined.
fn blocks(markdown: &str) -> Vec<Line> {
    let mut blocks: Vec<Line> = Vec::new();
    for paragraph in markdown.split("\n\n") {
        let paragraph = paragraph.trim_end();
        if !blocks.is_empty() {
            blocks.push(Line::blank());
        }
        if let Some(heading) = paragraph.trim_start().strip_prefix('#') {
            blocks.push(Line::of(Role::Title, heading.trim_start_matches('#').trim().to_owned()));
        } else if paragraph.starts_with("    ") || paragraph.starts_with("- ") {
            let role = if paragraph.starts_with("- ") { Role::Text } else { Role::Accent };
            blocks.extend(paragraph.lines().map(|line| Line::of(role, line.trim_end().to_owned())));
        } else {
            let joined = paragraph.lines().map(str::trim).collect::<Vec<_>>().join(" ");
            blocks.push(Line::of(Role::Text, joined));
        }
    }
    blocks
}

/// Bytes as people say them.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes;
    let mut unit = "bytes";
    for larger in UNITS {
        if value < 10_240 && unit != "bytes" || value < 1_024 {
            break;
        }
        value /= 1_024;
        unit = larger;
    }
    format!("{value} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_said_in_a_unit_one_can_grasp() {
        let said = [512, 2_048, 10_240, 20 * 1_048_576, 300 * 1_073_741_824].map(size);
        assert_eq!(said, ["512 bytes", "2 KiB", "10 KiB", "20 MiB", "300 GiB"]);
    }

    #[test]
    fn the_environment_becomes_words() {
        let vars = |name: &str| match name {
            "TERM" => Some("xterm-256color".to_owned()),
            "COLORTERM" => Some("truecolor".into()),
            "SSH_TTY" => Some("/dev/pts/3".into()),
            _ => None,
        };
        let facts = Facts::read(vars);
        assert_eq!(facts.terminal, "xterm-256color, true colour, over ssh");
        assert!(facts.clipboard.contains("OSC 52"));
    }

    #[test]
    fn the_texts_have_headings_and_no_marks_of_their_form() {
        for text in [GUIDE_TEXT, LICENCES_TEXT] {
            let blocks = blocks(text);
            assert!(blocks.iter().any(|line| line.spans.iter().any(|(role, _)| *role == Role::Title)));
            assert!(!blocks.iter().any(|line| line.text().trim_start().starts_with('#')));
        }
    }
}
