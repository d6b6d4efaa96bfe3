//! A list of addresses, one line each, with an empty line at its end for the next. A line that is emptied goes
//! when the keyboard leaves it; several pasted lines become several addresses.

use crate::domain::Url;
use crate::domain::app::URLS_MAX;
use crate::tui::router::Edit;
use crate::tui::widgets::field::TextField;

/// The lines.
pub struct UrlLines {
    lines: Vec<TextField>,
}

impl UrlLines {
    /// With these addresses in it.
    pub fn new(urls: &[Url]) -> Self {
        let lines = urls.iter().map(|url| TextField::new("").filled(url.as_str())).collect();
        let mut list = Self { lines };
        list.tidy(None);
        list
    }

    /// The lines, the empty one too.
    pub fn lines(&self) -> &[TextField] {
        &self.lines
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Types a character into a line.
    pub fn type_char(&mut self, at: usize, c: char) {
        self.change(at, |line| line.type_char(c));
    }

    /// Edits a line.
    pub fn edit(&mut self, at: usize, edit: Edit) {
        self.change(at, |line| line.edit(edit));
    }

    /// Pastes; each further word becomes a line of its own. Says which line the keyboard is on then.
    pub fn paste(&mut self, at: usize, pasted: &str) -> usize {
        let mut words = pasted.split_whitespace();
        let first = words.next().unwrap_or_default();
        self.change(at, |line| line.paste(first));
        let mut last = at;
        for word in words {
            if self.lines.len() > URLS_MAX {
                break;
            }
            let next = (last + 1).min(self.lines.len());
            self.lines.insert(next, TextField::new("").filled(word));
            last = next;
        }
        self.tidy(Some(last));
        last.min(self.lines.len().saturating_sub(1))
    }

    /// Takes empty lines out, but for the one the keyboard is on, and keeps one at the end. Says where the line of
    /// the keyboard is now.
    pub fn tidy(&mut self, focus: Option<usize>) -> usize {
        let mut at = focus.unwrap_or_default();
        let mut line = 0;
        let mut kept = 0;
        self.lines.retain(|field| {
            let keep = !field.is_empty() || Some(line) == focus;
            if !keep && Some(line) < focus {
                at = at.saturating_sub(1);
            }
            line += 1;
            kept += usize::from(keep);
            keep
        });
        if self.lines.last().is_none_or(|last| !last.is_empty()) && self.lines.len() < URLS_MAX {
            self.lines.push(TextField::new("").placeholder(if kept == 0 {
                "https://example.com/callback"
            } else {
                "another"
            }));
        }
        at
    }

    /// The addresses, or the first line that is none. What is wrong stands beside each line.
    pub fn review(&mut self) -> Result<Vec<Url>, usize> {
        let (mut urls, mut wrong) = (Vec::new(), None);
        for (at, line) in self.lines.iter_mut().enumerate() {
            line.error = None;
            let text = line.text().trim();
            if text.is_empty() {
                continue;
            }
            match Url::new(text) {
                Ok(url) if urls.contains(&url) => {
                    line.error = Some("it is on the list already".to_owned());
                    wrong = wrong.or(Some(at));
                }
                Ok(url) => urls.push(url),
                Err(why) => {
                    line.error = Some(why.to_string());
                    wrong = wrong.or(Some(at));
                }
            }
        }
        wrong.map_or(Ok(urls), Err)
    }

    fn change(&mut self, at: usize, how: impl FnOnce(&mut TextField)) {
        if let Some(line) = self.lines.get_mut(at) {
            how(line);
        }
        // A line emptied right before the one for the next is that one now.
        if self.lines.len() == at + 2 && self.lines.iter().skip(at).all(TextField::is_empty) {
            self.lines.pop();
        }
        let full = self.lines.last().is_some_and(|last| !last.is_empty());
        if full && self.lines.len() < URLS_MAX {
            self.lines.push(TextField::new("").placeholder("another"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(list: &UrlLines) -> Vec<&str> {
        list.lines().iter().map(TextField::text).collect()
    }

    #[test]
    fn there_is_always_a_line_for_the_next_until_it_is_full() {
        let mut list = UrlLines::new(&[]);
        assert_eq!(texts(&list), [""]);
        list.type_char(0, 'h');
        assert_eq!(texts(&list), ["h", ""]);
        let many: Vec<String> = (0..20).map(|n| format!("https://example.com/{n}")).collect();
        let mut list = UrlLines::new(&[]);
        list.paste(0, &many.join("\n"));
        assert_eq!(list.review().map(|urls| urls.len()), Ok(URLS_MAX));
    }

    #[test]
    fn an_emptied_line_goes_when_the_keyboard_leaves_it() {
        let mut list = UrlLines::new(&[]);
        list.paste(0, "https://a.example https://b.example\nhttps://c.example");
        assert_eq!(texts(&list), ["https://a.example", "https://b.example", "https://c.example", ""]);
        list.edit(1, Edit::DeleteToStart);
        assert_eq!(list.tidy(Some(1)), 1);
        assert_eq!(list.len(), 4);
        assert_eq!(list.tidy(Some(2)), 1);
        assert_eq!(texts(&list), ["https://a.example", "https://c.example", ""]);
    }

    #[test]
    fn the_first_wrong_line_is_named_and_each_says_why() {
        let mut list = UrlLines::new(&[]);
        list.paste(0, "https://a.example http://b.example https://a.example");
        assert_eq!(list.review(), Err(1));
        assert!(list.lines()[1].error.as_ref().unwrap().contains("only https is safe"));
        assert!(list.lines()[2].error.as_ref().unwrap().contains("already"));
    }
}
