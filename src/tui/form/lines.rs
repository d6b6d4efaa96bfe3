//! A list of texts, one a line, with an empty line at its end for the next. A line that is emptied goes when the keyboard
//! leaves it; several pasted words become several lines.

use std::hash::Hasher;

use ratatui::layout::Rect;

use super::field::{Field, Side, Slot, Took, draw_below, draw_label, rows_below};
use crate::tui::action::Action;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::overlay::Cue;
use crate::tui::widgets::field::TextField;
use crate::tui::widgets::{Focus, layout};

pub struct Lines {
    label: &'static str,
    example: &'static str,
    most: usize,
    texts: Vec<TextField>,
    at: usize,
    pub error: Option<String>,
}

impl Lines {
    /// With these texts in it; `example` stands in it while there is none.
    pub fn new<'t>(
        label: &'static str,
        example: &'static str,
        most: usize,
        texts: impl IntoIterator<Item = &'t str>,
    ) -> Self {
        let texts = texts.into_iter().map(|text| TextField::new("").filled(text)).collect();
        let mut list = Self { label, example, most, texts, at: 0, error: None };
        list.tidy(None);
        list
    }

    /// What the lines mean, each once. What is wrong stands beside each line.
    pub fn review<T: PartialEq>(&mut self, read: impl Fn(&str) -> Result<T, String>) -> Vec<T> {
        let mut values = Vec::new();
        self.error = None;
        for line in &mut self.texts {
            line.error = None;
            if line.text().trim().is_empty() {
                continue;
            }
            match read(line.text().trim()) {
                Ok(value) if values.contains(&value) => {
                    line.error = Some("it is on the list already".to_owned());
                }
                Ok(value) => values.push(value),
                Err(why) => line.error = Some(why),
            }
            self.error = self.error.take().or_else(|| line.error.clone());
        }
        values
    }

    /// Takes empty lines out, but for the one the keyboard is on, and keeps one at the end.
    fn tidy(&mut self, focus: Option<usize>) {
        let before =
            self.texts.iter().take(focus.unwrap_or_default()).filter(|line| !line.is_empty()).count();
        let mut number = 0;
        self.texts.retain(|line| {
            number += 1;
            !line.is_empty() || Some(number) == focus.map(|at| at + 1)
        });
        if focus.is_some() {
            self.at = before;
        }
        self.grow();
    }

    fn grow(&mut self) {
        if self.texts.last().is_none_or(|last| !last.is_empty()) && self.texts.len() < self.most {
            let example = if self.texts.is_empty() { self.example } else { "another" };
            self.texts.push(TextField::new("").placeholder(example));
        }
    }

    fn go(&mut self, to: Option<usize>) -> Took {
        let Some(to) = to.filter(|to| *to < self.texts.len()) else {
            self.tidy(None);
            return Took::Left;
        };
        self.tidy(Some(to));
        Took::Kept
    }

    fn change(&mut self, cue: Cue<'_>) -> Took {
        let Some(line) = self.texts.get_mut(self.at) else { return Took::Left };
        match cue {
            Cue::Paste(pasted) => {
                let mut words = pasted.0.split_whitespace();
                line.paste(words.next().unwrap_or_default());
                for word in words.take(self.most.saturating_sub(self.texts.len()) + 1) {
                    self.at += 1;
                    self.texts.insert(self.at.min(self.texts.len()), TextField::new("").filled(word));
                }
                self.tidy(Some(self.at));
                self.texts.truncate(self.most);
                self.at = self.at.min(self.texts.len().saturating_sub(1));
            }
            cue => drop(line.hear(cue)),
        }
        // A line emptied right before the one for the next is that one now.
        if self.texts.len() == self.at + 2 && self.texts.iter().skip(self.at).all(TextField::is_empty) {
            self.texts.pop();
        }
        self.grow();
        Took::Changed
    }

    /// Rows of each line.
    fn heights(&self, cells: u16) -> impl Iterator<Item = u16> {
        self.texts.iter().map(move |line| 1 + rows_below(line.error.as_deref(), "", cells))
    }
}

impl Field for Lines {
    fn hear(&mut self, cue: Cue<'_>) -> Took {
        match cue {
            Cue::Type(_) | Cue::Edit(_) | Cue::Paste(_) => self.change(cue),
            Cue::Do(Action::NextField | Action::Press | Action::Down) => self.go(Some(self.at + 1)),
            Cue::Do(Action::PrevField | Action::Up) => self.go(self.at.checked_sub(1)),
            Cue::Click(Target::Row { row, .. }) => self.go(Some(row)),
            Cue::Click(_) => Took::Kept,
            Cue::Do(_) | Cue::Wheel { .. } | Cue::Tick => Took::Left,
        }
    }

    fn wants_text(&self) -> bool {
        true
    }

    fn rows(&self, cells: u16, air: u16) -> u16 {
        self.heights(cells).sum::<u16>() + air
    }

    fn seen(&self, cells: u16) -> Option<u16> {
        Some(self.heights(cells).take(self.at + 1).sum())
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, slot: Slot) {
        let heights: Vec<u16> = self.heights(area.width.saturating_sub(slot.labels)).collect();
        let mut top = 0;
        for (row, (line, height)) in self.texts.iter().zip(heights).enumerate() {
            let start = top;
            top += height;
            if start < slot.skip {
                continue;
            }
            let place = layout::top(layout::top(area, start - slot.skip).1, height).0;
            let input = draw_label(canvas, place, if row == 0 { self.label } else { "" }, slot);
            canvas.hit(place, Target::Row { pane: slot.number, row });
            line.draw_input(
                canvas,
                layout::row(input, 0),
                Focus::when(slot.focus.is_here() && row == self.at),
            );
            draw_below(canvas, layout::top(input, 1).1, line.error.as_deref(), "");
        }
    }

    fn is_wrong(&self) -> bool {
        self.error.is_some()
    }

    fn sign(&self, into: &mut dyn Hasher) {
        self.texts.iter().for_each(|line| line.sign(into));
    }

    fn enter(&mut self, from: Side) {
        let wrong = self.texts.iter().position(|line| line.error.is_some());
        let end = if from == Side::Above { 0 } else { self.texts.len().saturating_sub(1) };
        self.at = wrong.unwrap_or(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::overlay::{PastedRef, Typed};
    use crate::tui::router::Edit;

    const MOST: usize = 10;

    fn pasted(text: &str) -> Lines {
        let mut list = Lines::new("", "", MOST, []);
        list.hear(Cue::Paste(PastedRef(text)));
        list
    }

    fn texts(list: &Lines) -> Vec<&str> {
        list.texts.iter().map(TextField::text).collect()
    }

    fn secure(text: &str) -> Result<String, String> {
        text.starts_with("https:").then(|| text.to_owned()).ok_or_else(|| "only https is safe".to_owned())
    }

    #[test]
    fn there_is_always_a_line_for_the_next_until_it_is_full() {
        let mut list = pasted("");
        assert_eq!(texts(&list), [""]);
        list.hear(Cue::Type(Typed('h')));
        assert_eq!(texts(&list), ["h", ""]);
        let many: Vec<String> = (0..20).map(|n| format!("https://example.com/{n}")).collect();
        assert_eq!(pasted(&many.join("\n")).review(secure).len(), MOST);
    }

    #[test]
    fn an_emptied_line_goes_when_the_keyboard_leaves_it() {
        let mut list = pasted("https://a.example https://b.example\nhttps://c.example");
        assert_eq!(texts(&list), ["https://a.example", "https://b.example", "https://c.example", ""]);
        list.hear(Cue::Do(Action::Up));
        list.hear(Cue::Edit(Edit::DeleteToStart));
        assert_eq!(texts(&list).len(), 4);
        assert_eq!((list.hear(Cue::Do(Action::Down)), list.at), (Took::Kept, 1));
        assert_eq!(texts(&list), ["https://a.example", "https://c.example", ""]);
    }

    #[test]
    fn the_first_wrong_line_is_gone_to_and_each_says_why() {
        let mut list = pasted("https://a.example http://b.example https://a.example");
        assert_eq!(list.review(secure), ["https://a.example"]);
        list.enter(Side::Above);
        assert_eq!((list.at, list.error.as_deref()), (1, Some("only https is safe")));
        assert!(list.texts[2].error.as_ref().unwrap().contains("already"));
    }
}
