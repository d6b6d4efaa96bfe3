//! Which actions work right now, and why not the others: asked before a key acts, by the hint bar, by the help and
//! by the palette, so that all four agree.

use super::Desk;
use crate::domain::Role;
use crate::tui::action::{Action, Availability, Layer, Reason};

impl Desk {
    /// The layer whose keys are searched.
    pub(super) fn layer(&self) -> Layer {
        self.overlays.top().map_or(Layer::Screen, crate::tui::overlay::Overlay::layer)
    }

    /// Whether `action` works on the screen, whatever lies above it: for help and palette.
    pub fn on_screen(&self, action: Action) -> Result<(), Reason> {
        self.look.permits(action)?;
        if let Some(answer) = self.own(action) {
            return answer;
        }
        match self.screens.get(self.open) {
            Some(screen) => screen.enabled(action, &self.look),
            None => Err("nothing is open".into()),
        }
    }

    /// What `action` does on the screen, as exactly as can be said before it is done.
    pub(super) fn title(&self, action: Action) -> String {
        let title = action.spec().title;
        let screen = self.screens.get(self.open).filter(|_| action == Action::Undo);
        screen
            .and_then(|screen| screen.undoes())
            .map_or_else(|| title.to_owned(), |what| format!("Undo {what}"))
    }

    /// The desk's own actions.
    fn own(&self, action: Action) -> Option<Result<(), Reason>> {
        let when =
            |possible: bool, why: &'static str| Some(if possible { Ok(()) } else { Err(Reason::from(why)) });
        match action {
            Action::Tab(tab) => {
                when(self.screens.iter().any(|screen| screen.tab() == tab), "there is no such tab")
            }
            Action::NextTab | Action::PrevTab => when(self.screens.len() > 1, "there is only one tab"),
            Action::ShowDue => when(!self.due.is_nothing(), "nothing is due"),
            Action::CopyMessage | Action::Dismiss => {
                when(self.toasts.current().is_some(), "there is no message on the screen")
            }
            Action::Whole => {
                let admin = self.look.role() == Role::Admin;
                when(admin, "only an admin may see the keys of others; you see your own")
            }
            Action::Lock => {
                when(self.can_lock(), "the demo has no passphrase to unlock it again; quit with q")
            }
            Action::Help
            | Action::TestToken
            | Action::Guide
            | Action::Palette
            | Action::MouseToggle
            | Action::Quit
            | Action::ForceQuit
            | Action::Suspend
            | Action::Redraw => Some(Ok(())),
            _ => None,
        }
    }
}

impl Availability for Desk {
    fn enabled(&self, action: Action) -> Result<(), Reason> {
        match self.overlays.top() {
            None => self.on_screen(action),
            Some(_) if action.spec().layers.contains(&Layer::Always) => self.own(action).unwrap_or(Ok(())),
            Some(top) => {
                self.look.permits(action)?;
                top.enabled(action, &self.look)
            }
        }
    }
}
