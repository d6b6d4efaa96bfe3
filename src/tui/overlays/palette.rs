//! Every action by the words of its title, with its key; what is not possible now says why.

use ratatui::layout::Rect;

use crate::tui::action::{Action, Group, Layer, Reason};
use crate::tui::app::ask::{Answer, Ask};
use crate::tui::app::look::Look;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::clock::Now;
use crate::tui::input::TextFocus;
use crate::tui::overlay::{Cue, Heard, Overlay, PastedRef, Typed};
use crate::tui::widgets::picker::{PickItem, Picker};
use crate::tui::widgets::popup;

const WIDTH: u16 = 76;
const HEIGHT: u16 = 20;

/// The palette.
pub struct Palette {
    picker: Picker<Action>,
}

impl Palette {
    /// Lists what works on a screen, possible actions first.
    pub fn new(possible: impl Fn(Action) -> Result<(), Reason>, look: &Look) -> Self {
        let listed = Action::ALL.iter().copied().filter(|action| {
            let layers = action.spec().layers;
            (layers.contains(&Layer::Screen) || layers.contains(&Layer::Always))
                && !matches!(action, Action::Palette | Action::ForceQuit)
        });
        let mut items: Vec<_> = listed
            .map(|action| PickItem {
                key: action,
                text: action.spec().title.to_owned(),
                hint: look.keymap.label(Layer::Screen, action).unwrap_or_default(),
                disabled: possible(action).err(),
            })
            .collect();
        let place = |action: Action| Group::ALL.iter().position(|group| *group == action.spec().group);
        items.sort_by_key(|item| (item.disabled.is_some(), place(item.key)));
        Self { picker: Picker::new(items, "what do you want to do?") }
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

impl Overlay<Look, Ask, Answer> for Palette {
    fn name(&self) -> &'static str {
        "palette"
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
            Cue::Do(Action::Cancel) | Cue::Click(_) | Cue::Tick => return Heard::Ignored,
            Cue::Do(action) => {
                self.picker.act(action);
            }
            Cue::Wheel { rows, .. } => {
                let action = if rows < 0 { Action::Up } else { Action::Down };
                for _ in 0..rows.unsigned_abs() {
                    self.picker.act(action);
                }
            }
            Cue::Type(Typed(c)) => self.picker.type_char(c),
            Cue::Edit(edit) => self.picker.edit(edit),
            Cue::Paste(PastedRef(text)) => self.picker.paste(text),
        }
        Heard::Consumed
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, _: Rect, _: &Look, _: Now) {
        let inside = popup::draw(canvas, "Actions", WIDTH, HEIGHT);
        self.picker.draw(canvas, inside, 0);
    }

    fn hints(&self) -> &[Action] {
        &[Action::Press, Action::Cancel]
    }
}
