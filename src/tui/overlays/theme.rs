//! Choosing a theme: the console wears each as one walks to it, and Esc goes back to the one before.

use ratatui::layout::Rect;

use crate::tui::action::{Action, Layer};
use crate::tui::app::ask::Ask;
use crate::tui::app::look::Look;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::clock::Now;
use crate::tui::input::TextFocus;
use crate::tui::overlay::{Cue, Heard, Overlay};
use crate::tui::theme::THEMES;
use crate::tui::widgets::picker::{PickItem, Picker};
use crate::tui::widgets::popup;

/// Which theme, `None` for the one the console began with.
type Name = Option<&'static str>;

/// The state of the choice.
pub struct Fitting {
    before: Name,
    picker: Picker<Name>,
}

impl Fitting {
    /// Coming from this one.
    pub fn new(before: Name) -> Self {
        let names = [None].into_iter().chain(THEMES.map(Some));
        let item = |name: Name| PickItem {
            key: name,
            text: name.unwrap_or("as it began").to_owned(),
            hint: if name == before { "now".to_owned() } else { String::new() },
            disabled: None,
        };
        let mut picker = Picker::new(names.clone().map(item).collect(), "which theme?");
        picker.select(names.clone().position(|name| name == before).unwrap_or_default());
        Self { before, picker }
    }

    fn worn(&self) -> Name {
        self.picker.selected().map_or(self.before, |item| item.key)
    }
}

impl Overlay for Fitting {
    fn name(&self) -> &'static str {
        "theme"
    }

    fn layer(&self) -> Layer {
        Layer::Picker
    }

    fn text_focus(&self) -> TextFocus {
        TextFocus::Here
    }

    fn hear(&mut self, cue: Cue<'_>, _: &Look, _: Now, out: &mut Vec<Ask>) -> Heard {
        let heard = match cue {
            Cue::Do(Action::Press) => Heard::Close,
            Cue::Do(Action::Cancel) => {
                out.push(Ask::Wear(self.before));
                return Heard::Close;
            }
            Cue::Click(Target::Row { row, .. }) => {
                self.picker.select(row);
                Heard::Close
            }
            Cue::Click(_) | Cue::Tick => return Heard::Ignored,
            cue => {
                self.picker.hear(cue);
                Heard::Consumed
            }
        };
        out.push(Ask::Wear(self.worn()));
        if let (Heard::Close, Some(name)) = (&heard, self.worn()) {
            out.push(Ask::Say(format!("for now; theme = \"{name}\" in the configuration file keeps it")));
        }
        heard
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, _: Rect, _: &Look, _: Now) {
        let inside = popup::draw(canvas, "Theme", 40, 11);
        self.picker.draw(canvas, inside, 0);
    }

    fn hints(&self) -> &[Action] {
        &[Action::Press, Action::Down, Action::Cancel]
    }
}
