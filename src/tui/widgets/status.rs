//! The last line: what is due at the left, and at the right the keys that work now, most important first.
//!
//! ```text
//!  ▲ 2 keys expire within 7 days · 3 more  (! to see)              n new  / filter  ? help
//! ```

use ratatui::layout::Rect;

use super::text;
use crate::tui::{
    action::{Action, Layer},
    canvas::{Canvas, Target},
    keymap::Keymap,
    theme::Role,
};

/// One thing the status line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Nothing where it is only told that there is more.
    pub text: String,
    /// How many things it tells of: told where it is left out.
    pub count: usize,
}

impl Said {
    /// So many things in these words.
    pub fn new(text: impl Into<String>, count: usize) -> Self {
        Self { text: text.into(), count }
    }

    /// The same, if there are any.
    pub fn of(count: usize, text: impl FnOnce() -> String) -> Option<Self> {
        (count > 0).then(|| Self::new(text(), count))
    }
}

/// What the status line says at the left.
#[derive(Clone, Debug)]
pub struct Status {
    pub role: Role,
    /// The most urgent first.
    pub said: Vec<Said>,
    /// What is said after them where there is room for all of it: the key that leads there.
    pub more: String,
    /// What a click on it does.
    pub action: Option<Action>,
    /// Hints come before it, and it is left out where it has no room: something is open that wants an answer first.
    pub yields: bool,
}

/// Cells that are kept free of what the status line says: the way to all keys stands there.
const ASIDE: u16 = 12;

impl Status {
    /// Of one thing, which leads nowhere.
    pub fn only(role: Role, text: String) -> Self {
        Self { role, said: vec![Said::new(text, 1)], more: String::new(), action: None, yields: false }
    }

    /// The longest first: all of it, then without the last, and so on, and how many things those are that went. The first is
    /// never left out; the key that leads there goes before anything that is said.
    fn forms(&self, dot: &str) -> impl Iterator<Item = String> {
        let told = self.said.iter().take_while(|said| !said.text.is_empty()).count();
        let forms = (1..=told.max(1)).rev().flat_map(move |kept| {
            let (said, left_out) = self.said.split_at(kept.min(self.said.len()));
            let gone: usize = left_out.iter().map(|said| said.count).sum();
            let rest = (gone > 0).then(|| format!("{gone} more"));
            let texts = said.iter().map(|said| said.text.clone()).chain(rest);
            let line = texts.collect::<Vec<_>>().join(&format!(" {dot} "));
            [format!("{line}{}", self.more), line]
        });
        forms.collect::<Vec<_>>().into_iter()
    }

    /// The cells it takes of a line, with those around it: three quarters, if what comes first and how much more there is need no
    /// more.
    fn wants(&self, dot: &str, width: u16) -> u16 {
        let cells = |form: String| u16::try_from(text::width(&text::clean(&form)) + 3).unwrap_or(u16::MAX);
        let most = width / 4 * 3;
        let leading_there = self.forms(dot).step_by(2).map(cells).find(|wanted| *wanted <= most);
        let least = || self.forms(dot).last().map_or(0, cells);
        leading_there.unwrap_or_else(|| least().max(most).min(width.saturating_sub(ASIDE)))
    }

    /// As much of it as there is room for; the first is cut only where it stands alone, and nothing is where it yields.
    fn in_room(&self, dot: &str, room: usize) -> String {
        let fits = |form: &String| text::width(&text::clean(form)) <= room;
        let first = || self.said.first().map_or_else(String::new, |said| said.text.clone());
        self.forms(dot).find(fits).unwrap_or_else(|| if self.yields { String::new() } else { first() })
    }
}

/// Draws the last line: the status at the left, and at the right as many hints as there is room for, most
/// important first. Only keys that work now are hinted, and no hint is cut in its middle.
pub fn status(
    canvas: &mut Canvas<'_>,
    row: Rect,
    status: Option<&Status>,
    hints: &Hints<'_>,
    works: impl Fn(Action) -> bool,
) {
    if row.is_empty() {
        return;
    }
    let dot = canvas.glyphs().dot;
    let said = status.filter(|status| !status.yields).map_or(0, |status| status.wants(dot, row.width));
    let shown = hints.fitting(works, said, row.width);
    let wide: u16 = shown.iter().map(|hint| hint.cells().saturating_add(2)).sum::<u16>().saturating_sub(2);
    let start = row.right().saturating_sub(wide).saturating_sub(1);
    if let Some(status) = status {
        let left = row.x.saturating_add(1);
        let room = start.saturating_sub(left).saturating_sub(if shown.is_empty() { 0 } else { 2 });
        let said = status.in_room(dot, usize::from(room));
        let end = canvas.fit(left, row.y, room, &said, status.role);
        if let Some(action) = status.action {
            canvas.hit_to(left, row.y, end, Target::Do(action));
        }
    }
    let mut x = start;
    for hint in &shown {
        let word = canvas.span(Role::Dim, format!(" {}", hint.word));
        let spans = [canvas.span(Role::Key, hint.key.as_str()), word];
        let end = canvas.spans(x, row.y, row.right().saturating_sub(x), &spans);
        canvas.hit_to(x, row.y, end, Target::Do(hint.action));
        x = end.saturating_add(2);
    }
}

/// The hints of what is on top now.
pub struct Hints<'a> {
    /// Where the keys come from.
    pub keymap: &'a Keymap,
    /// Which layer is open.
    pub layer: Layer,
    pub actions: &'a [Action],
    /// What some of them are called now.
    pub called: &'a [(Action, &'static str)],
}

/// What keys do that are called like what they do, together.
const MOVE: &str = "move";

/// One hint with its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    pub key: String,
    /// What it does, in a word.
    pub word: &'static str,
    /// What a click on it does.
    pub action: Action,
}

impl Hint {
    fn cells(&self) -> u16 {
        u16::try_from(text::width(&self.key) + 1 + text::width(self.word)).unwrap_or(u16::MAX)
    }
}

impl Hints<'_> {
    /// Hints for actions that have a key and are possible.
    pub fn working(&self, works: impl Fn(Action) -> bool) -> Vec<Hint> {
        let possible = self.actions.iter().filter(|action| works(**action));
        let hints = possible.filter_map(|action| {
            let key = self.keymap.label(self.layer, *action)?;
            let called = self.called.iter().find(|(other, _)| other == action);
            let word = called.map_or(action.spec().word, |(_, word)| *word);
            // A key that is called like what it does would be said twice.
            let word = match (action, self.layer) {
                // Who only reads or looks for something has nothing to take back.
                (Action::Cancel, Layer::Reader | Layer::Watch | Layer::Picker) if called.is_none() => "close",
                _ if key == word => MOVE,
                _ => word,
            };
            // Where one of two ways is hinted at, the other is meant too.
            let other = match action {
                Action::Down => Some(Action::Up),
                Action::Right => Some(Action::Left),
                _ => None,
            };
            let other = other.filter(|other| word == MOVE && !self.actions.contains(other));
            let other = other.and_then(|other| self.keymap.label(self.layer, other));
            let key = other.map_or_else(|| key.clone(), |other| format!("{other}/{key}"));
            Some(Hint { key, word, action: *action })
        });
        hints.fold(Vec::new(), |mut all: Vec<Hint>, hint| {
            let moves = all.iter_mut().find(|other| other.word == MOVE && hint.word == MOVE);
            match moves {
                Some(moves) => moves.key = format!("{}/{}", moves.key, hint.key),
                None => all.push(hint),
            }
            all
        })
    }

    /// As many as fit beside a status of so many cells.
    fn fitting(&self, works: impl Fn(Action) -> bool, said: u16, width: u16) -> Vec<Hint> {
        let room = width.saturating_sub(said).saturating_sub(2);
        let hints = self.working(works);
        // The way to all other keys has its place before any of them, or whoever does not know them is lost.
        let help = hints.iter().find(|hint| hint.action == Action::Help).map_or(0, Hint::cells);
        let mut kept = if help > 0 && help <= room { help + 2 } else { 0 };
        let (mut shown, mut used) = (Vec::new(), 0_u16);
        for hint in hints {
            kept = if hint.action == Action::Help { 0 } else { kept };
            let end = used.saturating_add(hint.cells()).saturating_add(if shown.is_empty() { 0 } else { 2 });
            if end.saturating_add(kept) <= room {
                used = end;
                shown.push(hint);
            } else if kept == 0 {
                break;
            }
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing;

    fn last_line(width: u16, status_text: Option<&str>) -> String {
        let keymap = Keymap::standard();
        let actions = [Action::New, Action::Revoke, Action::Filter, Action::Help];
        let hints = Hints { keymap: &keymap, layer: Layer::Screen, actions: &actions, called: &[] };
        let said = status_text.map(|said| Status {
            role: Role::Warn,
            said: said.split(" · ").map(|said| Said::new(said, 2)).collect(),
            more: "  (! to see)".into(),
            action: Some(Action::Tab(crate::tui::action::Tab::Notices)),
            yields: false,
        });
        let mut lines = testing::draw(width, 1, |canvas, area| {
            status(canvas, area, said.as_ref(), &hints, |action| action != Action::Revoke);
        });
        lines.remove(0)
    }

    #[test]
    fn only_keys_that_work_now_are_hinted_and_none_is_cut() {
        assert_eq!(last_line(40, None), "                n new  / filter  ? help");
        assert_eq!(last_line(20, None), "      n new  ? help", "the way to all keys is never the one to go");
        assert_eq!(last_line(9, None), "  ? help");
        assert_eq!(last_line(5, None), "");
    }

    #[test]
    fn what_is_due_comes_before_hints() {
        let due = Some("▲ 2 keys expire within 7 days");
        assert_eq!(
            last_line(72, due),
            " ▲ 2 keys expire within 7 days  (! to see)      n new  / filter  ? help"
        );
        assert_eq!(last_line(60, due), " ▲ 2 keys expire within 7 days  (! to see)    n new  ? help");
        // The key that leads there is left out whole, not cut.
        assert_eq!(last_line(54, due), " ▲ 2 keys expire within 7 days          n new  ? help");
        assert_eq!(last_line(44, due), " ▲ 2 keys expire within 7 days       ? help", "hints go before it");
    }

    #[test]
    fn of_much_that_is_due_the_last_gives_way_and_how_much_went_is_told() {
        let due = "▲ 3 keys are deleted, the first in 4 h · 1 old half ends, still used · 5 keys expire within 7 days";
        for (width, said) in [
            (160, "still used · 5 keys expire within 7 days  (! to see)  "),
            (120, "▲ 3 keys are deleted, the first in 4 h · 1 old half ends, still used · 2 more"),
            (100, "▲ 3 keys are deleted, the first in 4 h · 4 more  (! to see)  "),
            (80, "▲ 3 keys are deleted, the first in 4 h · 4 more  (! to see)  "),
            (64, "▲ 3 keys are deleted, the first in 4 h · 4 more  "),
            (60, "▲ 3 keys are deleted, the first in 4 h · 4 more  "),
            (50, "▲ 3 keys are deleted, the first in 4 h"),
        ] {
            let line = last_line(width, Some(due));
            assert!(line.contains(said) && line.ends_with("? help"), "{width}: {line}");
        }
    }

    #[test]
    fn the_most_urgent_outlasts_the_hints_and_what_is_only_counted_is_not_told_twice() {
        let said = |texts: &[(&str, usize)]| Status {
            said: texts.iter().map(|(text, count)| Said::new(*text, *count)).collect(),
            ..Status::only(Role::Warn, String::new())
        };
        let forms = |status: &Status| status.forms("·").collect::<Vec<_>>();
        let rest = said(&[("1 key is deleted", 1), ("", 3), ("2 put away", 0)]);
        assert_eq!(forms(&rest).last().unwrap(), "1 key is deleted · 3 more");
        let put_away = said(&[("1 key is deleted", 1), ("2 put away", 0)]);
        assert_eq!(forms(&put_away).first().unwrap(), "1 key is deleted · 2 put away");
        assert_eq!(forms(&put_away).last().unwrap(), "1 key is deleted");
        // Under something that wants an answer it is told with how much more there is, or not at all.
        let below = Status { yields: true, ..rest.clone() };
        assert_eq!(
            (below.in_room("·", 25), below.in_room("·", 24)),
            ("1 key is deleted · 3 more".into(), String::new())
        );
        assert_eq!(rest.in_room("·", 24), "1 key is deleted");
    }

    #[test]
    fn no_window_is_too_small() {
        for width in 0..16 {
            last_line(width, Some("due"));
        }
    }
}
