//! The lists that open above the form: locations and presets, narrowed by typing.

use ratatui::layout::Rect;

use crate::domain::LocationId;
use crate::domain::catalog::{AuthMethod, Level};
use crate::tui::action::Action;
use crate::tui::app::look::Look;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::overlay::Cue;
use crate::tui::widgets::picker::{PickItem, Picker};
use crate::tui::widgets::{layout, popup};

#[derive(Clone, Debug)]
enum Entry {
    Location(LocationId, String),
    Preset(String),
}

/// What became of a cue.
pub enum Picked {
    /// The list stays open.
    Still,
    /// It was closed without a choice.
    Gone,
    /// A location and its name.
    Location(LocationId, String),
    /// A preset's id.
    Preset(String),
}

/// An open list.
pub struct Pick {
    title: &'static str,
    picker: Picker<Entry>,
}

impl Pick {
    /// The locations keys can be issued for, with how many they have.
    pub fn location(look: &Look) -> Self {
        let items = look.view(|view| {
            let item = |location: &crate::domain::Location| {
                let name = location.name.to_string();
                let keys = view.keys_at(location.id).count();
                PickItem {
                    key: Entry::Location(location.id, name.clone()),
                    text: name,
                    hint: match keys {
                        0 => String::new(),
                        1 => "1 key".to_owned(),
                        n => format!("{n} keys"),
                    },
                    disabled: None,
                }
            };
            view.locations().into_iter().map(item).collect()
        });
        Self { title: "Location", picker: Picker::new(items, "type part of its name") }
    }

    /// The presets for keys of a level, or for apps that authenticate so.
    pub fn preset(look: &Look, level: Level, method: AuthMethod) -> Self {
        let presets = look.engine.catalog().presets_for(level, method);
        let items = presets.map(|preset| PickItem {
            key: Entry::Preset(preset.id.clone()),
            text: format!("{}: {}", preset.title, preset.description),
            hint: preset.scopes.len().to_string(),
            disabled: None,
        });
        Self { title: "Preset", picker: Picker::new(items.collect(), "type what it is for") }
    }

    /// Types into the search.
    pub fn type_char(&mut self, c: char) {
        self.picker.type_char(c);
    }

    /// Hears a cue.
    pub fn hear(&mut self, cue: Cue<'_>) -> Picked {
        match cue {
            Cue::Do(Action::Press) => return self.chosen(),
            Cue::Click(Target::Row { row, .. }) => {
                self.picker.select(row);
                return self.chosen();
            }
            Cue::Do(Action::Cancel) | Cue::Click(Target::Outside) => return Picked::Gone,
            Cue::Do(action) => {
                self.picker.act(action);
            }
            Cue::Type(typed) => self.picker.type_char(typed.0),
            Cue::Edit(edit) => self.picker.edit(edit),
            Cue::Paste(pasted) => self.picker.paste(pasted.0),
            Cue::Wheel { rows, .. } => {
                for _ in 0..rows.unsigned_abs() {
                    self.picker.act(if rows < 0 { Action::Up } else { Action::Down });
                }
            }
            Cue::Click(_) | Cue::Tick => {}
        }
        Picked::Still
    }

    fn chosen(&self) -> Picked {
        match self.picker.selected().map(|item| item.key.clone()) {
            Some(Entry::Location(id, name)) => Picked::Location(id, name),
            Some(Entry::Preset(id)) => Picked::Preset(id),
            None => Picked::Still,
        }
    }

    /// Draws the list in the middle of `area`.
    pub fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect) {
        let inner = popup::framed(canvas, layout::centred(area, 76, 18), self.title);
        self.picker.draw(canvas, inner, 9);
    }
}
