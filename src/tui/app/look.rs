//! What screens and overlays may look at: the engine, seen as the signed-in operator may see it, and the settings
//! of this console. Never changed by them; what they want done they ask for.

use std::sync::Arc;

use super::times::{Times, Zone};
use crate::domain::authorize::{Action as Act, authorize};
use crate::domain::{Role, State, Timestamp, View};
use crate::engine::{Engine, Session};
use crate::serve::control::Owner;
use crate::tui::Located;
use crate::tui::action::{Action, Reason};
use crate::tui::keymap::Keymap;

/// Everything an open console can look at.
pub struct Look {
    /// Runs commands and holds the state. Screens read; asking goes through [`super::ask::Ask`].
    pub engine: Arc<dyn Engine>,
    /// Who is signed in, and how far they see.
    pub session: Session,
    /// Which keys mean what, for texts that name keys.
    pub keymap: Arc<Keymap>,
    /// What is wrong in the files that say how it looks and listens.
    pub mistakes: Arc<[Located]>,
    /// Whose calendar local times are in.
    pub zone: Zone,
    /// The theme somebody chose; `None` for the one the console began with.
    pub worn: Option<&'static str>,
    /// The process that has the store, when it is another.
    pub owner: Option<Owner>,
    /// Whether nothing is changed (`--read-only`). The engine sees to that; here it is said before somebody tries.
    pub read_only: bool,
}

impl Look {
    /// Reads the state as the operator may see it. Holds a lock: copy what is needed, draw afterwards or inside,
    /// and never ask the engine for anything else meanwhile.
    pub fn view<R>(&self, read: impl FnOnce(&View<'_>) -> R) -> R {
        let state = self.engine.state();
        read(&View::new(&state, self.session.actor()))
    }

    /// Why what changes something is not possible, if the console only looks.
    pub fn may_change(&self) -> Result<(), Reason> {
        if self.read_only { Err("this console was started with --read-only".into()) } else { Ok(()) }
    }

    /// The same for a verb.
    pub fn permits(&self, action: Action) -> Result<(), Reason> {
        if action.changes() { self.may_change() } else { Ok(()) }
    }

    /// Whether they may do that, in the words of the rules when not.
    pub fn may(&self, act: Act<'_>) -> Result<(), Reason> {
        let judged = authorize(&self.engine.state(), &self.session.actor(), act);
        judged.map_err(|refusal| refusal.to_string().into())
    }

    pub fn role(&self) -> Role {
        View::new(&self.engine.state(), self.session.actor()).role()
    }

    /// Whether they see the whole agency.
    pub fn is_whole(&self) -> bool {
        View::new(&self.engine.state(), self.session.actor()).is_whole()
    }

    /// The whole state, for counts that do not depend on who looks (locations, policy).
    pub fn state<R>(&self, read: impl FnOnce(&State) -> R) -> R {
        read(&self.engine.state())
    }

    /// What time it is for decisions.
    pub fn now(&self) -> Timestamp {
        self.engine.now().time
    }
}

impl Times {
    /// As the console of `look` sees them.
    pub fn of(look: &Look) -> Self {
        Self::new(look.now(), look.zone)
    }
}
