//! The agency keys: one table, the detail of the selected key beside it.

use ratatui::layout::Rect;

use super::{
    Screen,
    keys::pane::{HINTS, KeyPane},
};
use crate::tui::{
    action::{Action, Layer, Reason},
    app::{
        ask::{Answer, Ask, Errand, Tab},
        look::Look,
    },
    canvas::Canvas,
    clock::{Moment, Now},
    input::TextFocus,
    overlay::Cue,
    sight::subset::Subset,
    widgets::Focus,
};

pub struct AgencyKeys {
    pane: KeyPane,
}

impl AgencyKeys {
    /// Empty until it has looked.
    pub fn new() -> Self {
        Self { pane: KeyPane::new(Subset::Agency) }
    }
}

impl Default for AgencyKeys {
    fn default() -> Self {
        Self::new()
    }
}

impl Screen for AgencyKeys {
    fn tab(&self) -> Tab {
        Tab::Agency
    }

    fn refresh(&mut self, look: &Look, out: &mut Vec<Ask>) {
        self.pane.refresh(look, out);
    }

    fn pane(&mut self) -> Option<&mut KeyPane> {
        Some(&mut self.pane)
    }

    fn arrive(&mut self, errand: Errand, look: &Look, out: &mut Vec<Ask>) {
        self.pane.arrive(&errand, look, out);
    }

    fn hear(&mut self, cue: Cue<'_>, look: &Look, now: Now, out: &mut Vec<Ask>) -> bool {
        self.pane.hear(cue, look, now, out) || (cue == Cue::Do(Action::Left) && self.pane.beside.close())
    }

    fn told(&mut self, answer: Answer, _: &Look, _: Now, _: &mut Vec<Ask>) {
        self.pane.told(&answer);
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, look: &Look, now: Now) {
        let key = look.keymap.label(Layer::Screen, Action::New).unwrap_or_default();
        let empty = match self.pane.enabled(Action::New, look) {
            Ok(()) => format!("No agency keys yet. {key} issues the first one."),
            Err(reason) => format!("No agency keys here. You cannot issue one: {reason}"),
        };
        self.pane.draw(canvas, area, look, (Focus::Here, &empty), now);
    }

    fn hints(&self) -> &[Action] {
        &HINTS
    }

    fn enabled(&self, action: Action, look: &Look) -> Result<(), Reason> {
        self.pane.enabled(action, look)
    }

    fn undoes(&self) -> Option<String> {
        self.pane.undoes()
    }

    fn text_focus(&self) -> TextFocus {
        self.pane.text_focus()
    }

    fn wake_at(&self) -> Option<Moment> {
        self.pane.wake_at()
    }
}
