//! Everything possible with the selected app, or the selected or marked keys, one line each with its key; what is not possible says why.

use ratatui::layout::Rect;

use crate::tui::action::{Action, Layer, Reason};
use crate::tui::app::ask::{Answer, Ask};
use crate::tui::app::look::Look;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::clock::Now;
use crate::tui::input::TextFocus;
use crate::tui::overlay::{Cue, Heard, Overlay};
use crate::tui::widgets::picker::{PickItem, Picker};
use crate::tui::widgets::popup;

/// What there is to do with a key, in the order of how often it is done.
const LISTED: [Action; 9] = [
    Action::Open,
    Action::CopyId,
    Action::HowTo,
    Action::TestToken,
    Action::Edit,
    Action::Pause,
    Action::Revoke,
    Action::Delete,
    Action::Restore,
];

/// The menu.
pub struct RowMenu {
    title: &'static str,
    picker: Picker<Action>,
}

impl RowMenu {
    /// Lists what `possible` knows of the keys.
    pub fn new(look: &Look, possible: impl Fn(Action) -> Result<(), Reason>) -> Self {
        let actions: Vec<_> = LISTED.map(|action| (action, action.spec().title)).into();
        Self::of("With this key", &actions, look, possible)
    }

    /// Lists what `possible` knows of `actions`, in these words.
    pub fn of(
        title: &'static str,
        actions: &[(Action, &'static str)],
        look: &Look,
        possible: impl Fn(Action) -> Result<(), Reason>,
    ) -> Self {
        let item = |(action, words): (Action, &'static str)| PickItem {
            key: action,
            text: words.to_owned(),
            hint: look.keymap.label(Layer::Screen, action).unwrap_or_default(),
            disabled: look.permits(action).and_then(|()| possible(action)).err(),
        };
        let items = actions.iter().copied().map(item).collect();
        Self { title, picker: Picker::new(items, "what shall be done?") }
    }

    fn choose(&self, out: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        let Some(item) = self.picker.selected() else { return Heard::Consumed };
        if let Some(why) = &item.disabled {
            out.push(Ask::Say(why.to_string()));
            return Heard::Consumed;
        }
        out.push(Ask::Act(item.key));
        Heard::Close
    }
}

impl Overlay<Look, Ask, Answer> for RowMenu {
    fn name(&self) -> &'static str {
        "row-menu"
    }

    fn layer(&self) -> Layer {
        Layer::Picker
    }

    fn text_focus(&self) -> TextFocus {
        TextFocus::Here
    }

    fn hear(&mut self, cue: Cue<'_>, _: &Look, _: Now, out: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        match cue {
            Cue::Do(Action::Press) => return self.choose(out),
            Cue::Click(Target::Row { row, .. }) => {
                self.picker.select(row);
                return self.choose(out);
            }
            Cue::Do(Action::Cancel) | Cue::Click(_) | Cue::Tick | Cue::Wheel { .. } => return Heard::Ignored,
            Cue::Do(action) => {
                self.picker.act(action);
            }
            Cue::Type(typed) => self.picker.type_char(typed.0),
            Cue::Edit(edit) => self.picker.edit(edit),
            Cue::Paste(pasted) => self.picker.paste(pasted.0),
        }
        Heard::Consumed
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, _: Rect, _: &Look, _: Now) {
        let inside = popup::draw(canvas, self.title, 62, 16);
        self.picker.draw(canvas, inside, 0);
    }

    fn hints(&self) -> &[Action] {
        &[Action::Press, Action::Down, Action::Cancel]
    }
}
