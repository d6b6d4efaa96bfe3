//! Which keys mean which action, per layer.
//!
//! The default is `assets/keymap.toml`, embedded; a person's file changes only what it names. A mistake in it is
//! answered with line, column and the nearest valid name, and then the default keys stay: never half a keymap.

use std::collections::{HashMap, HashSet};

use toml::de::DeValue;

use super::{
    action::{Action, Layer},
    chord::Chord,
    located::{Located, TomlReader, strings},
};

/// The keymap that comes with the program.
pub const DEFAULT_KEYMAP: &str = include_str!("../../assets/keymap.toml");

/// Keys to actions and back.
#[derive(Clone, Debug)]
pub struct Keymap {
    /// In the order in which the file lists them: the first key is the one the hint bar shows.
    keys: HashMap<(Layer, Action), Vec<Chord>>,
    actions: HashMap<(Layer, Chord), Action>,
}

impl Keymap {
    /// The keys that come with the program.
    pub fn standard() -> Self {
        // A test reads the embedded file; should it ever be wrong, no keys beat no program.
        Self::empty().changed_by("keymap.toml", DEFAULT_KEYMAP).unwrap_or_else(|_| Self::empty())
    }

    /// The standard keys, changed by a person's file `text`.
    pub fn with_file(file: &str, text: &str) -> Result<Self, Vec<Located>> {
        Self::standard().changed_by(file, text)
    }

    /// What `chord` means where `layer` is open: first the keys that work everywhere, then the layer's own.
    pub fn action(&self, layer: Layer, chord: Chord) -> Option<Action> {
        let found = self.actions.get(&(Layer::Always, chord)).or_else(|| self.actions.get(&(layer, chord)));
        found.copied()
    }

    /// The keys of `action` in `layer`, the one to show first.
    pub fn keys(&self, layer: Layer, action: Action) -> &[Chord] {
        self.keys.get(&(layer, action)).map_or(&[], Vec::as_slice)
    }

    /// The key to show for `action`: its first in `layer`, else in the layer of everywhere.
    pub fn label(&self, layer: Layer, action: Action) -> Option<String> {
        let keys = self.keys(layer, action).first().or_else(|| self.keys(Layer::Always, action).first());
        keys.map(ToString::to_string)
    }

    /// All keys of `action` wherever it works, each once: for help and palette.
    pub fn all_keys(&self, action: Action) -> Vec<Chord> {
        let mut seen = HashSet::new();
        let layers = action.spec().layers.iter();
        layers.flat_map(|layer| self.keys(*layer, action)).copied().filter(|key| seen.insert(*key)).collect()
    }

    /// The key sheet, one section per layer, as Markdown.
    pub fn sheet(&self) -> String {
        let mut sheet = String::new();
        for layer in Layer::ALL.iter().copied() {
            sheet.extend(["## ", layer.id(), "\n\n| Keys | Action |\n|---|---|\n"]);
            for action in Action::ALL.iter().filter(|action| action.spec().layers.contains(&layer)) {
                let keys: Vec<String> =
                    self.keys(layer, *action).iter().map(|key| format!("`{key}`")).collect();
                sheet.extend(["| ", &keys.join(" "), " | ", action.spec().title, " |\n"]);
            }
            sheet.push('\n');
        }
        sheet
    }

    fn empty() -> Self {
        Self { keys: HashMap::new(), actions: HashMap::new() }
    }

    fn changed_by(mut self, file: &str, text: &str) -> Result<Self, Vec<Located>> {
        let mut reader = TomlReader::new(file, text);
        // Where each action was bound, so that a clash can be pointed at.
        let mut places = HashMap::new();
        for (section, body) in &reader.table().unwrap_or_default() {
            let name = section.get_ref();
            let Some(layer) = Layer::find(name) else {
                reader.unknown(section.span(), "section", name, Layer::ALL.iter().map(|layer| layer.id()));
                continue;
            };
            let DeValue::Table(entries) = body.get_ref() else {
                reader.note(body.span(), format!("\"{name}\" must be a section: [{name}]"));
                continue;
            };
            for (id, value) in entries {
                let here = |action: &&Action| action.spec().layers.contains(&layer);
                let known = Action::find(id.get_ref()).filter(|action| here(&action));
                let Some(action) = known else {
                    let names = Action::ALL.iter().filter(here).map(|action| action.spec().id);
                    reader.unknown(id.span(), &format!("action in [{name}]"), id.get_ref(), names);
                    continue;
                };
                let mut chords = Vec::new();
                for (span, text) in strings(&mut reader, value, "a key") {
                    match Chord::parse(text) {
                        Ok(chord) => chords.push(chord),
                        Err(unknown) => reader.note(span, unknown.to_string()),
                    }
                }
                places.insert((layer, action), id.span());
                self.keys.insert((layer, action), chords);
            }
        }
        self.index(&mut reader, &places);
        if self.keys(Layer::Screen, Action::Quit).is_empty()
            && self.keys(Layer::Always, Action::ForceQuit).is_empty()
        {
            reader.note(0..0, "no key quits: give \"quit\" or \"force-quit\" one".to_owned());
        }
        reader.finish(self)
    }

    /// Rebuilds the way back from keys to actions, noting keys that would mean two things in one layer.
    fn index(
        &mut self,
        reader: &mut TomlReader<'_>,
        places: &HashMap<(Layer, Action), std::ops::Range<usize>>,
    ) {
        self.actions.clear();
        // What the file says itself goes in last, so that the clash is reported at the line just written.
        let mut bindings: Vec<_> = self.keys.iter().collect();
        bindings.sort_by_key(|(place, _)| (places.get(*place).map_or(0, |span| span.start + 1), **place));
        for (&(layer, action), chords) in bindings {
            for chord in chords {
                let everywhere = self.actions.get(&(Layer::Always, *chord)).copied();
                let taken = self.actions.insert((layer, *chord), action).or(everywhere);
                if let Some(other) = taken.filter(|other| *other != action) {
                    let span = places.get(&(layer, action)).cloned().unwrap_or(0..0);
                    reader.note(
                        span,
                        format!(
                            "\"{chord}\" already means \"{}\" in [{}]; give one of the two another key",
                            other.spec().id,
                            layer.id()
                        ),
                    );
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chord(text: &str) -> Chord {
        Chord::parse(text).unwrap()
    }

    fn mistakes(text: &str) -> Vec<String> {
        Keymap::with_file("my.toml", text).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_embedded_keymap_is_whole() {
        let map = Keymap::empty().changed_by("keymap.toml", DEFAULT_KEYMAP).unwrap();
        for action in Action::ALL {
            for layer in action.spec().layers {
                assert!(!map.keys(*layer, *action).is_empty(), "{} in {}", action.spec().id, layer.id());
            }
        }
    }

    #[test]
    fn the_open_layer_decides() {
        let map = Keymap::standard();
        assert_eq!(map.action(Layer::Screen, chord("q")), Some(Action::Quit));
        assert_eq!(map.action(Layer::Secret, chord("q")), None);
        assert_eq!(map.action(Layer::Screen, chord("n")), Some(Action::New));
        assert_eq!(map.action(Layer::Reader, chord("n")), Some(Action::NextMatch));
        assert_eq!(map.action(Layer::Secret, chord("ctrl-c")), Some(Action::ForceQuit));
        assert_eq!(map.label(Layer::Screen, Action::PageDown).as_deref(), Some("pgdn"));
    }

    #[test]
    fn a_file_changes_only_what_it_names() {
        let map =
            Keymap::with_file("my.toml", "[screen]\nrevoke = [\"ctrl-k\", \"f9\"]\nsort = []\n").unwrap();
        assert_eq!(map.action(Layer::Screen, chord("f9")), Some(Action::Revoke));
        assert_eq!(map.action(Layer::Screen, chord("X")), None);
        assert_eq!(map.action(Layer::Screen, chord("s")), None);
        assert_eq!(map.action(Layer::Screen, chord("D")), Some(Action::Delete));
        assert_eq!(map.all_keys(Action::Revoke).len(), 2);
    }

    #[test]
    fn mistakes_are_answered_with_place_and_nearest_name() {
        let said = mistakes("[screen]\nrevok = \"X\"\nup = [\"k\", \"uup\"]\n\n[dialogue]\nup = 1\n");
        assert_eq!(said.len(), 3, "{said:#?}");
        assert_eq!(said[0], "my.toml:2:1: unknown action in [screen] \"revok\"; did you mean \"revoke\"?");
        assert!(said[1].starts_with("my.toml:3:12: \"uup\" is no key"), "{}", said[1]);
        assert_eq!(said[2], "my.toml:5:2: unknown section \"dialogue\"; did you mean \"dialog\"?");
    }

    #[test]
    fn one_key_cannot_mean_two_things() {
        let said = mistakes("[screen]\nedit = \"n\"\n");
        assert_eq!(
            said,
            ["my.toml:2:1: \"n\" already means \"new\" in [screen]; give one of the two another key"]
        );
        let said = mistakes("[dialog]\nsubmit = \"ctrl-c\"\n");
        assert!(said[0].contains("already means \"force-quit\""), "{said:?}");
    }

    #[test]
    fn one_way_out_must_stay() {
        let said = mistakes("[screen]\nquit = []\n[always]\nforce-quit = []\n");
        assert!(said[0].contains("no key quits"), "{said:?}");
    }

    #[test]
    fn the_sheet_names_every_action_once_per_layer() {
        let sheet = Keymap::standard().sheet();
        assert!(sheet.contains("| `X` | Revoke the key for good |"));
        let rows: usize = Action::ALL.iter().map(|action| action.spec().layers.len()).sum();
        assert_eq!(sheet.matches("\n| `").count(), rows);
    }
}
