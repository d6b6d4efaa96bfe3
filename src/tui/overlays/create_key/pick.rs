//! What is chosen from a list: locations, and presets of scopes.

use std::collections::BTreeSet;

use crate::domain::catalog::{AuthMethod, Level};
use crate::domain::{LocationId, ScopeId};
use crate::tui::app::look::Look;
use crate::tui::form::drop_down::DropDown;
use crate::tui::form::field::Field;
use crate::tui::widgets::picker::PickItem;

/// The locations keys can be issued for, with how many they have.
pub fn locations(look: &Look) -> Vec<PickItem<LocationId>> {
    look.view(|view| {
        let item = |location: &crate::domain::Location| PickItem {
            key: location.id,
            text: location.name.to_string(),
            hint: match view.keys_at(location.id).count() {
                0 => String::new(),
                1 => "1 key".to_owned(),
                n => format!("{n} keys"),
            },
            disabled: None,
        };
        view.locations().into_iter().map(item).collect()
    })
}

/// A ready choice of scopes.
pub struct Preset {
    field: DropDown<String>,
    /// The one chosen last, and its scopes.
    chosen: Option<(String, Vec<ScopeId>)>,
}

impl Preset {
    /// The field, for a form.
    pub fn field(&mut self) -> &mut dyn Field {
        &mut self.field
    }

    /// Opens the list, if somebody just asked for it: presets for keys of a level, or for apps that authenticate so.
    pub fn offer(&mut self, look: &Look, level: Level, method: AuthMethod) {
        self.field.offer(|| {
            let presets = look.engine.catalog().presets_for(level, method);
            let item = |preset: &crate::domain::catalog::Preset| PickItem {
                key: preset.id.clone(),
                text: format!("{}: {}", preset.title, preset.description),
                hint: preset.scopes.len().to_string(),
                disabled: None,
            };
            presets.map(item).collect()
        });
    }

    /// The scopes of the one chosen just now, which take the place of what is ticked, and that they do.
    pub fn take_fresh(
        &mut self,
        look: &Look,
        ticked: &BTreeSet<ScopeId>,
    ) -> Option<(Vec<ScopeId>, Option<String>)> {
        let id = self.field.take_fresh()?;
        let preset = look.engine.catalog().preset(&id)?;
        let scopes: Vec<ScopeId> = preset.scopes.iter().cloned().collect();
        self.chosen = Some((preset.title.clone(), scopes.clone()));
        let said = format!("{} takes the place of what was ticked", preset.title);
        Some((scopes, (!ticked.is_empty()).then_some(said)))
    }

    /// Says whether the ticks are still its.
    pub fn compare(&mut self, ticked: &BTreeSet<ScopeId>) {
        let Some((title, scopes)) = &self.chosen else { return };
        let same = ticked.len() == scopes.len() && scopes.iter().all(|scope| ticked.contains(scope));
        self.field.words = if same { title.clone() } else { format!("{title}, changed") };
    }
}

impl Default for Preset {
    fn default() -> Self {
        Self { field: DropDown::new("Preset", "none; type to find one", "type what it is for"), chosen: None }
    }
}
