//! One thing chosen of several, by typing or walking: what can be done with a row, what can be done about
//! an operator. What is not possible stays in the list and says why.

use ratatui::layout::Rect;

use crate::tui::action::{Action, Layer, Reason};
use crate::tui::app::ask::Ask;
use crate::tui::app::look::Look;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::clock::Now;
use crate::tui::input::TextFocus;
use crate::tui::overlay::{Cue, Heard, Overlay};
use crate::tui::widgets::picker::{PickItem, Picker};
use crate::tui::widgets::popup;

/// What follows from a choice.
type Then<K> = Box<dyn Fn(K, &Look) -> Ask>;

pub struct Chooser<K> {
    title: String,
    size: (u16, u16),
    picker: Picker<K>,
    then: Then<K>,
}

impl<K: Clone> Chooser<K> {
    /// Lets somebody choose, in a box of so many columns and rows.
    pub fn new(
        title: impl Into<String>,
        size: (u16, u16),
        picker: Picker<K>,
        then: impl Fn(K, &Look) -> Ask + 'static,
    ) -> Self {
        Self { title: title.into(), size, picker, then: Box::new(then) }
    }

    fn choose(&self, look: &Look, out: &mut Vec<Ask>) -> Heard {
        let Some(item) = self.picker.selected() else { return Heard::Consumed };
        if let Some(why) = &item.disabled {
            out.push(Ask::Say(why.to_string()));
            return Heard::Consumed;
        }
        out.push((self.then)(item.key.clone(), look));
        Heard::Close
    }
}

/// What `possible` knows of `actions` with the selected row, in these words.
pub fn row_menu(
    title: &str,
    actions: &[(Action, impl AsRef<str>)],
    look: &Look,
    possible: impl Fn(Action) -> Result<(), Reason>,
) -> Chooser<Action> {
    let items = actions.iter().map(|(action, words)| {
        item(*action, words.as_ref().to_owned(), look, look.permits(*action).and_then(|()| possible(*action)))
    });
    let picker = Picker::new(items.collect(), "what shall be done?");
    Chooser::new(title, (62, 20), picker, |action, _| Ask::Act(action))
}

fn item(action: Action, text: String, look: &Look, possible: Result<(), Reason>) -> PickItem<Action> {
    let hint = look.keymap.label(Layer::Screen, action).unwrap_or_default();
    PickItem { key: action, text, hint, disabled: possible.err() }
}

impl<K: Clone> Overlay for Chooser<K> {
    fn name(&self) -> &'static str {
        "chooser"
    }

    fn layer(&self) -> Layer {
        Layer::Picker
    }

    fn text_focus(&self) -> TextFocus {
        TextFocus::Here
    }

    fn hear(&mut self, cue: Cue<'_>, look: &Look, _: Now, out: &mut Vec<Ask>) -> Heard {
        match cue {
            Cue::Do(Action::Press) => return self.choose(look, out),
            Cue::Click(Target::Row { row, .. }) => {
                self.picker.select(row);
                return self.choose(look, out);
            }
            Cue::Do(Action::Cancel) | Cue::Click(_) | Cue::Tick => return Heard::Ignored,
            cue => self.picker.hear(cue),
        }
        Heard::Consumed
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, _: Rect, _: &Look, _: Now) {
        let (width, height) = self.size;
        let inside = popup::draw(canvas, &self.title, width, height);
        self.picker.draw(canvas, inside, 0);
    }

    fn hints(&self) -> &[Action] {
        &[Action::Press, Action::Cancel, Action::Down]
    }
}
