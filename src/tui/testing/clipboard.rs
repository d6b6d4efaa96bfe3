//! A clipboard in memory, to look at from a test.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::tui::{
    clipboard::{ClipboardError, Fingerprint, Holds, Provider, Route},
    secret::SecretText,
};

/// A clipboard in memory, shared by the test and the console.
#[derive(Clone, Default)]
pub struct FakeClipboard(Arc<Mutex<FakeState>>);

#[derive(Default)]
struct FakeState {
    text: String,
    refusal: Option<ClipboardError>,
    copies_refused: Option<ClipboardError>,
}

impl FakeClipboard {
    pub fn text(&self) -> String {
        self.state().text.clone()
    }

    /// Somebody else copies `text`.
    pub fn set(&self, text: &str) {
        text.clone_into(&mut self.state().text);
    }

    /// From now on everything fails with this, or works again.
    pub fn refuse(&self, refusal: Option<ClipboardError>) {
        self.state().refusal = refusal;
    }

    /// From now on copying fails, but not clearing.
    pub fn refuse_copies(&self) {
        self.state().copies_refused = Some(ClipboardError::Occupied);
    }

    /// A way to it. One of [`Route::Terminal`] cannot read it, as with a real terminal.
    pub fn provider(&self, route: Route) -> Box<dyn Provider> {
        Box::new(FakeProvider { clipboard: self.clone(), route })
    }

    fn state(&self) -> MutexGuard<'_, FakeState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct FakeProvider {
    clipboard: FakeClipboard,
    route: Route,
}

impl Provider for FakeProvider {
    fn route(&self) -> Route {
        self.route
    }

    fn copy(&mut self, text: &SecretText) -> Result<(), ClipboardError> {
        let mut state = self.clipboard.state();
        if let Some(refusal) = state.refusal.as_ref().or(state.copies_refused.as_ref()) {
            return Err(refusal.clone());
        }
        text.expose().clone_into(&mut state.text);
        Ok(())
    }

    fn holds(&mut self, print: &Fingerprint) -> Holds {
        match self.route {
            Route::Terminal => Holds::Unknown,
            Route::Native if Fingerprint::of(&self.clipboard.text()) == *print => Holds::Ours,
            Route::Native => Holds::Other,
        }
    }

    fn clear(&mut self) -> Result<(), ClipboardError> {
        let mut state = self.clipboard.state();
        if let Some(refusal) = &state.refusal {
            return Err(refusal.clone());
        }
        state.text.clear();
        Ok(())
    }
}
