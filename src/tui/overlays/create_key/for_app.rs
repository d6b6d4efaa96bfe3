//! What the form knows of the app a key is for: what the key may do at most, what it could be called, and which keys
//! it might take the place of.

use crate::domain::{AppId, Command, KeyId, Name, Scopes};
use crate::tui::app::look::Look;
use crate::tui::form::ticks::Ticks;
use crate::tui::sight::deeds;
use crate::tui::sight::seen::seen;

/// What is known of the app a key is for.
pub struct ForApp {
    pub id: AppId,
    pub name: String,
    /// What it may do, and so the most its keys may.
    pub scopes: Scopes,
    /// The name the form offers for the key.
    pub offered: String,
    /// Its live keys that the operator could revoke.
    pub others: Vec<(KeyId, String)>,
}

impl ForApp {
    /// The explicit choice to revoke them.
    pub fn ticks(&self) -> Ticks {
        let what = match self.others.as_slice() {
            [(_, name)] => format!("revoke {name}"),
            others => format!("revoke its {} keys", others.len()),
        };
        Ticks::new("Old keys", [(what, false)])
    }

    /// What becomes of them.
    pub fn said(&self, retires: bool) -> String {
        let said = match (retires, self.others.len()) {
            (true, _) => "for good, once the new one is stored",
            (false, 1) => "it goes on working",
            (false, _) => "they go on working",
        };
        said.to_owned()
    }
}

/// For an app the operator sees.
pub fn for_app(look: &Look, id: AppId) -> Option<ForApp> {
    let name = look.view(|view| view.app(id).map(|app| app.name.to_string()))?;
    let offered = free_name(look, &name);
    seen(look, |seen| {
        let app = seen.view.app(id)?;
        let could_go = |key: &&crate::domain::Key| {
            // A decoy is no key that another takes the place of.
            let lives = !key.state(seen.now()).is_over() && !key.is_decoy();
            lives && deeds::objection(&Command::revoke(key.id), seen).is_none()
        };
        let mut others: Vec<_> =
            seen.view.keys_of_app(id).filter(could_go).map(|key| (key.id, key.name.to_string())).collect();
        others.sort_by(|a, b| a.1.cmp(&b.1));
        Some(ForApp { id, name, scopes: app.scopes.clone(), offered, others })
    })
}

/// The app's name, with a number when a live key of the operator has it already.
fn free_name(look: &Look, app: &str) -> String {
    seen(look, |seen| {
        let own = seen.view.actor().operator;
        let Ok(name) = Name::new(app) else { return String::new() };
        match seen.state().live_key_named(own, &name, seen.now()) {
            None => app.to_owned(),
            Some(_) => {
                seen.view.another_name(&name, seen.now()).map_or_else(String::new, |name| name.to_string())
            }
        }
    })
}
