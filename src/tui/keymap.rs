//! Which keys mean which action, per layer.
//!
//! The default is `assets/keymap.toml`, embedded; a person's file changes only what it names. A mistake in it is
//! answered with line, column and the nearest valid name; the rest of the file counts. No key ever means two things, and
//! what the mistakes leave without any key keeps its default ones.

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
        // A test reads the embedded file.
        Self::empty().changed_by("keymap.toml", DEFAULT_KEYMAP).0
    }

    /// The standard keys, changed by what is right in a person's file `text`, and what is wrong there.
    pub fn with_file(file: &str, text: &str) -> (Self, Vec<Located>) {
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

    /// All keys of `action` wherever it works, each once: for help and jump.
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

    fn changed_by(mut self, file: &str, text: &str) -> (Self, Vec<Located>) {
        let before = self.keys.clone();
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
                let (mut chords, mut right) = (Vec::new(), true);
                for (span, text) in strings(&mut reader, value, "a key") {
                    match Chord::parse(text) {
                        Ok(chord) => chords.push(chord),
                        Err(unknown) => {
                            reader.note(span, unknown.to_string());
                            right = false;
                        }
                    }
                }
                // Who gives one key, and no key of that name is there, did not mean none.
                let none_meant = matches!(value.get_ref(), DeValue::Array(_)) && right;
                if !chords.is_empty() || none_meant {
                    places.insert((layer, action), id.span());
                    self.keys.insert((layer, action), chords);
                }
            }
        }
        self.index(&mut reader, &places, &before);
        let (quit, always) = ((Layer::Screen, Action::Quit), (Layer::Always, Action::ForceQuit));
        if self.keys(quit.0, quit.1).is_empty() && self.keys(always.0, always.1).is_empty() {
            reader.note(0..0, "no key quits: give \"quit\" or \"force-quit\" one".to_owned());
            for place in [quit, always] {
                self.keep(place, &before);
            }
        }
        (self, reader.finish())
    }

    /// Gives back to an action those keys of before that mean nothing else by now.
    fn keep(&mut self, place: (Layer, Action), before: &HashMap<(Layer, Action), Vec<Chord>>) {
        for chord in before.get(&place).into_iter().flatten() {
            if !self.actions.contains_key(&(Layer::Always, *chord))
                && !self.actions.contains_key(&(place.0, *chord))
            {
                self.actions.insert((place.0, *chord), place.1);
                self.keys.entry(place).or_default().push(*chord);
            }
        }
    }

    /// Rebuilds the way back from keys to actions, noting keys that would mean two things in one layer: they go on meaning
    /// the first.
    fn index(
        &mut self,
        reader: &mut TomlReader<'_>,
        places: &HashMap<(Layer, Action), std::ops::Range<usize>>,
        before: &HashMap<(Layer, Action), Vec<Chord>>,
    ) {
        self.actions.clear();
        // What the file says itself goes in last, so that the clash is reported at the line just written.
        let mut bindings: Vec<_> = self.keys.iter().map(|(place, chords)| (*place, chords.clone())).collect();
        bindings.sort_by_key(|(place, _)| (places.get(place).map_or(0, |span| span.start + 1), *place));
        let mut robbed = Vec::new();
        for ((layer, action), chords) in bindings {
            for chord in &chords {
                let everywhere = self.actions.get(&(Layer::Always, *chord)).copied();
                let taken = everywhere.or_else(|| self.actions.get(&(layer, *chord)).copied());
                if taken.is_none() {
                    self.actions.insert((layer, *chord), action);
                }
                if let Some(other) = taken.filter(|other| *other != action) {
                    robbed.push((layer, action));
                    if let Some(keys) = self.keys.get_mut(&(layer, action)) {
                        keys.retain(|key| key != chord);
                    }
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
        for place in robbed {
            if self.keys(place.0, place.1).is_empty() {
                self.keep(place, before);
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
        Keymap::with_file("my.toml", text).1.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_embedded_keymap_is_whole() {
        let (map, mistakes) = Keymap::empty().changed_by("keymap.toml", DEFAULT_KEYMAP);
        assert_eq!(mistakes, []);
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
        let (map, mistakes) =
            Keymap::with_file("my.toml", "[screen]\nrevoke = [\"ctrl-g\", \"f9\"]\nsort = []\n");
        assert_eq!(mistakes, []);
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
    fn what_is_right_in_a_file_with_mistakes_counts() {
        let text = "[screen]\nrevok = \"f5\"\npause = \"f6\"\nedit = \"n\"\nup = [\"f7\", \"uup\"]\ndown = \"dwn\"\n";
        let (map, mistakes) = Keymap::with_file("my.toml", text);
        assert_eq!(mistakes.len(), 4, "{mistakes:#?}");
        let means = |key| map.action(Layer::Screen, chord(key));
        assert_eq!((means("f6"), means("P")), (Some(Action::Pause), None));
        assert_eq!((means("n"), means("e")), (Some(Action::New), Some(Action::Edit)));
        assert_eq!((means("f7"), means("j")), (Some(Action::Up), Some(Action::Down)));
        assert_eq!(map.label(Layer::Screen, Action::Edit).as_deref(), Some("e"));
        // Keys that change places are no clash.
        let (map, mistakes) = Keymap::with_file("my.toml", "[screen]\nrevoke = \"D\"\ndelete = \"X\"\n");
        assert_eq!((mistakes.len(), map.action(Layer::Screen, chord("X"))), (0, Some(Action::Delete)));
    }

    #[test]
    fn one_way_out_must_stay() {
        let said = mistakes("[screen]\nquit = []\n[always]\nforce-quit = []\n");
        assert!(said[0].contains("no key quits"), "{said:?}");
        let (map, _) = Keymap::with_file("my.toml", "[screen]\nquit = []\n[always]\nforce-quit = []\n");
        assert_eq!(map.action(Layer::Screen, chord("q")), Some(Action::Quit));
    }

    #[test]
    fn the_sheet_names_every_action_once_per_layer() {
        let sheet = Keymap::standard().sheet();
        assert!(sheet.contains("| `X` | Revoke the key for good |"));
        let rows: usize = Action::ALL.iter().map(|action| action.spec().layers.len()).sum();
        assert_eq!(sheet.matches("\n| `").count(), rows);
    }
}
