//! What lies above the screens: questions, forms, pickers, the showing of a secret. A stack; the top one has the
//! keyboard.
//!
//! An overlay consumes what it understands; nothing falls through to what lies below. Esc closes exactly one, and
//! one that must not be closed yet says why. Each owns its state and writes what it wants done into `out`.

use ratatui::layout::Rect;

use super::{
    action::{Action, Layer, Reason},
    app::{
        ask::{Answer, Ask, Found},
        look::Look,
    },
    canvas::Canvas,
    clock::{Moment, Now},
    input::TextFocus,
};

pub use super::router::{Cue, PastedRef, Typed};

/// What an overlay did with a cue.
pub enum Heard {
    Consumed,
    /// Understood, and nothing that is on the screen is another.
    Still,
    /// Not understood. For Esc that means: close me.
    Ignored,
    /// Understood, and the overlay is done.
    Close,
    /// Another one takes this one's place.
    Replace(Box<dyn Overlay>),
}

/// One overlay.
pub trait Overlay {
    /// What tells it apart, for tests and to close it by name.
    fn name(&self) -> &'static str;

    /// Whose keys are searched while it is on top.
    fn layer(&self) -> Layer {
        Layer::Dialog
    }

    /// Whether its focus takes text.
    fn text_focus(&self) -> TextFocus {
        TextFocus::Elsewhere
    }

    /// Hears a cue; called only while on top.
    fn hear(&mut self, cue: Cue<'_>, look: &Look, now: Now, out: &mut Vec<Ask>) -> Heard;

    /// Hears the answer to something it asked for, once it has come; also when others lie above it.
    fn told(&mut self, answer: Answer, look: &Look, now: Now, out: &mut Vec<Ask>) -> Heard {
        let _ = (answer, look, now, out);
        Heard::Consumed
    }

    /// Hears what was found that it had searched for elsewhere; nothing, when that broke off.
    fn found(&mut self, found: Option<Found>, look: &Look, out: &mut Vec<Ask>) {
        let _ = (found, look, out);
    }

    /// Draws itself. All from the bottom up are drawn; only the top one can be clicked.
    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, look: &Look, now: Now);

    /// The actions to hint at, most important first.
    fn hints(&self) -> &[Action];

    /// What some of them are called now, where that is not what they are called as a rule.
    fn called(&self) -> &[(Action, &'static str)] {
        &[]
    }

    /// Why an action that its layer has is not possible in it right now.
    fn enabled(&self, _action: Action, _look: &Look) -> Result<(), Reason> {
        Ok(())
    }

    /// Whether closing it would lose what somebody filled in and nobody has asked for yet.
    fn unsaved(&self) -> bool {
        false
    }

    /// Whether it is a question that waits for its answer.
    fn asks(&self) -> bool {
        false
    }

    /// Why Esc may not close it yet; `None` when it may.
    fn held(&self) -> Option<Reason> {
        None
    }

    /// What becomes of the secret it shows, and of what that opens, if it closes now; `None` when it shows none, or somebody
    /// has it.
    fn loses(&self) -> Option<Reason> {
        None
    }

    /// When it wants a tick.
    fn wake_at(&self) -> Option<Moment> {
        None
    }

    /// Whether it waits behind a locked console, to go on as it was when the same operator is back. For forms that
    /// hold what somebody typed and nothing secret.
    fn waits(&self) -> bool {
        false
    }

    /// The operator is back; what it knows of the state may be days old.
    fn resume(&mut self, _look: &Look) -> Return {
        Return::Now
    }

    /// Whether a secret is or was on the screen through it: after it closes the screen is wiped.
    fn secrecy(&self) -> Secrecy {
        Secrecy::Open
    }
}

/// Whether a form that waited can go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Return {
    Now,
    /// Not with what its operator sees at present, and why.
    Later(Reason),
    /// What it was about is gone; why, in words.
    Never(Reason),
}

/// Whether something showed a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrecy {
    Open,
    Secret,
}

/// What became of a cue given to the stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Passed {
    /// There is no overlay: the cue is the screen's.
    Below,
    /// The top one took it.
    Taken,
    /// It did, and looks as before.
    Still,
    /// The top one had no use for it, and nothing below may have it.
    Unused,
    Closed {
        name: &'static str,
        /// Whether the screen must be wiped.
        secrecy: Secrecy,
    },
    Refused(Reason),
}

pub struct OverlayStack {
    layers: Vec<Box<dyn Overlay>>,
}

impl OverlayStack {
    pub(crate) const fn new() -> Self {
        Self { layers: Vec::new() }
    }

    pub fn push(&mut self, overlay: Box<dyn Overlay>) {
        self.layers.push(overlay);
    }

    /// Brings an answer to the overlay of that name, if it is open.
    pub fn tell(&mut self, name: &str, answer: Answer, look: &Look, now: Now, out: &mut Vec<Ask>) -> Passed {
        let found = self.layers.iter_mut().enumerate().rfind(|(_, layer)| layer.name() == name);
        let Some((at, layer)) = found else { return Passed::Below };
        match layer.told(answer, look, now, out) {
            Heard::Close => {
                let layer = self.layers.remove(at);
                Passed::Closed { name: layer.name(), secrecy: layer.secrecy() }
            }
            Heard::Replace(overlay) => {
                let old = std::mem::replace(layer, overlay);
                Passed::Closed { name: old.name(), secrecy: old.secrecy() }
            }
            Heard::Still => Passed::Still,
            Heard::Consumed | Heard::Ignored => Passed::Taken,
        }
    }

    /// Brings what was found to the overlay of that name, if it is still open.
    pub fn find(&mut self, name: &str, found: Option<Found>, look: &Look, out: &mut Vec<Ask>) {
        if let Some(layer) = self.layers.iter_mut().rfind(|layer| layer.name() == name) {
            layer.found(found, look, out);
        }
    }

    /// The one that has the keyboard.
    pub fn top(&self) -> Option<&dyn Overlay> {
        self.layers.last().map(AsRef::as_ref)
    }

    /// Names from the bottom up.
    pub fn names(&self) -> Vec<&'static str> {
        self.layers.iter().map(|layer| layer.name()).collect()
    }

    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }

    /// Closes all, held or not: the console locks or ends. Says whether the screen must be wiped.
    pub fn clear(&mut self) -> Secrecy {
        let secret = self.layers.drain(..).any(|layer| layer.secrecy() == Secrecy::Secret);
        if secret { Secrecy::Secret } else { Secrecy::Open }
    }

    /// Takes out those that wait behind a locked console, from the bottom up.
    pub fn take_waiting(&mut self) -> Vec<Box<dyn Overlay>> {
        let (waiting, others) = self.layers.drain(..).partition(|layer| layer.waits());
        self.layers = others;
        waiting
    }

    /// What becomes of the secret that one of them shows, whatever lies above it, and that nobody has yet.
    pub fn lose(&self) -> Option<Reason> {
        self.layers.iter().rev().find_map(|layer| layer.loses())
    }

    /// Whether one of them, whatever lies above it, holds what somebody filled in and nobody has asked for yet.
    pub fn unsaved(&self) -> bool {
        self.layers.iter().any(|layer| layer.unsaved())
    }

    /// Whether one of them is a question that waits for its answer.
    pub fn ask(&self) -> bool {
        self.layers.iter().any(|layer| layer.asks())
    }

    /// Whether closing all would lose what was typed, because it is secret.
    pub fn has_secrets(&self) -> bool {
        self.layers.iter().any(|layer| layer.secrecy() == Secrecy::Secret)
    }

    /// Gives a cue to the top one.
    pub fn hear(&mut self, cue: Cue<'_>, look: &Look, now: Now, out: &mut Vec<Ask>) -> Passed {
        let Some(top) = self.layers.last_mut() else { return Passed::Below };
        match top.hear(cue, look, now, out) {
            Heard::Consumed => Passed::Taken,
            Heard::Still => Passed::Still,
            Heard::Close => self.pop(),
            Heard::Replace(overlay) => {
                let closed = self.pop();
                self.layers.push(overlay);
                closed
            }
            Heard::Ignored if cue == Cue::Do(Action::Cancel) => match top.held() {
                Some(reason) => Passed::Refused(reason),
                None => self.pop(),
            },
            Heard::Ignored => Passed::Unused,
        }
    }

    /// Draws all from the bottom up.
    pub fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, look: &Look, now: Now) {
        for layer in &mut self.layers {
            canvas.shield();
            layer.draw(canvas, area, look, now);
        }
    }

    /// The earliest tick any of them wants.
    pub fn wake_at(&self) -> Option<Moment> {
        self.layers.iter().filter_map(|layer| layer.wake_at()).reduce(|a, b| if a < b { a } else { b })
    }

    fn pop(&mut self) -> Passed {
        match self.layers.pop() {
            Some(layer) => Passed::Closed { name: layer.name(), secrecy: layer.secrecy() },
            None => Passed::Below,
        }
    }
}
