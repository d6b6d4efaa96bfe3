//! A list one narrows by typing: the palette, a search for a location.
//!
//! Matching is fuzzy and keeps the best first. What cannot be chosen stays in the list and says why.

use std::collections::HashSet;

use frizbee::{Config, Matcher};
use ratatui::{layout::Rect, text::Span};
use unicode_segmentation::UnicodeSegmentation as _;

use super::{Focus, field::TextField, layout, scrollbar, text, walk};
use crate::domain::name::plain;
use crate::tui::{
    action::{Action, Reason},
    canvas::{Canvas, Target},
    overlay::Cue,
    theme::Role,
};

#[derive(Clone, Debug)]
pub struct PickItem<K> {
    /// What choosing it means.
    pub key: K,
    /// What is matched and shown.
    pub text: String,
    /// Shown at the right: a key, a count.
    pub hint: String,
    /// Why it cannot be chosen right now.
    pub disabled: Option<Reason>,
}

struct Hit {
    item: usize,
    /// Characters of the text that matched.
    chars: HashSet<usize>,
}

/// The state of a picker.
pub struct Picker<K> {
    items: Vec<PickItem<K>>,
    /// What is matched of each: without accents, where it has any.
    texts: Vec<String>,
    query: TextField,
    hits: Vec<Hit>,
    selected: usize,
    offset: usize,
    page: usize,
}

impl<K: Clone> Picker<K> {
    /// Shows all of `items`, the first selected.
    pub fn new(items: Vec<PickItem<K>>, placeholder: &str) -> Self {
        let query = TextField::new("").placeholder(placeholder);
        let texts = items.iter().map(|item| searched(&item.text)).collect();
        let mut picker = Self { items, texts, query, hits: Vec::new(), selected: 0, offset: 0, page: 1 };
        picker.search();
        picker
    }

    pub fn selected(&self) -> Option<&PickItem<K>> {
        self.items.get(self.hits.get(self.selected)?.item)
    }

    /// Hears what moves the selection or changes the query.
    pub fn hear(&mut self, cue: Cue<'_>) {
        match cue {
            Cue::Type(_) | Cue::Edit(_) | Cue::Paste(_) => {
                self.query.take_in(cue);
                self.search();
            }
            Cue::Do(action) => self.act(action),
            Cue::Wheel { rows, .. } => {
                let way = if rows < 0 { Action::Up } else { Action::Down };
                for _ in 0..rows.unsigned_abs() {
                    self.act(way);
                }
            }
            Cue::Click(_) | Cue::Tick => {}
        }
    }

    pub fn type_char(&mut self, c: char) {
        self.query.type_char(c);
        self.search();
    }

    /// Selects the `row`th match, as clicked.
    pub fn select(&mut self, row: usize) {
        self.selected = row.min(self.hits.len().saturating_sub(1));
    }

    pub fn act(&mut self, action: Action) {
        self.selected = walk(action, self.selected, self.page, self.hits.len()).unwrap_or(self.selected);
    }

    /// Draws query, a line, and the matches of which the selected one is always seen.
    pub fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, pane: u8) {
        let (query, below) = layout::top(area, 1);
        self.query.draw_input(canvas, query, Focus::Here);
        let (rule, list) = layout::top(below, 1);
        canvas.rule(rule.x, rule.y, if rule.is_empty() { 0 } else { rule.width });
        canvas.hit(list, Target::Pane(pane));
        let cells = list.width.saturating_sub(1);
        self.page = usize::from(list.height).max(1);
        self.offset = self.first_shown(cells, list.height);
        if self.hits.is_empty() && !list.is_empty() {
            canvas.fit(list.x, list.y, list.width, "nothing matches", Role::Dim);
        }
        let mut rest = list;
        for (line, hit) in self.hits.iter().enumerate().skip(self.offset) {
            let Some(item) = self.items.get(hit.item).filter(|_| !rest.is_empty()) else { continue };
            let (room, below) = layout::top(rest, height(item, cells).min(rest.height));
            draw_item(canvas, layout::left(room, cells).0, item, hit, line == self.selected);
            canvas.hit(room, Target::Row { pane, row: line });
            rest = below;
        }
        let rows = |hits: &[Hit]| -> usize {
            hits.iter()
                .filter_map(|hit| self.items.get(hit.item))
                .map(|item| usize::from(height(item, cells)))
                .sum()
        };
        let above = rows(self.hits.get(..self.offset).unwrap_or_default());
        scrollbar::draw(canvas, list, above, list.height.into(), rows(&self.hits));
    }

    /// The first match to show, so that the selected one is seen whole.
    fn first_shown(&self, cells: u16, rows: u16) -> usize {
        let mut taken = 0;
        let fits = |at: &usize| {
            let item = self.hits.get(*at).and_then(|hit| self.items.get(hit.item));
            taken += item.map_or(0, |item| height(item, cells));
            taken <= rows
        };
        let first = (0..=self.selected).rev().take_while(fits).last().unwrap_or(self.selected);
        self.offset.clamp(first, self.selected)
    }

    fn search(&mut self) {
        let query = self.query.text().trim();
        if query.is_empty() {
            self.hits = (0..self.items.len()).map(|item| Hit { item, chars: HashSet::new() }).collect();
        } else {
            let texts: Vec<&str> = self.texts.iter().map(String::as_str).collect();
            let mut matcher = Matcher::from_query(&searched(query), &Config::default());
            let found = matcher.match_list_indices(&texts).into_iter();
            self.hits = found
                .map(|hit| Hit {
                    item: hit.index as usize,
                    chars: hit.indices.iter().map(|at| *at as usize).collect(),
                })
                .collect();
        }
        self.selected = 0;
        self.offset = 0;
    }
}

/// Capitals count in a match, so plain text stays as it is.
fn searched(text: &str) -> String {
    if text.is_ascii() { text.to_owned() } else { plain(text) }
}

/// Cells before the words, and before a reason below them.
const MARGIN: u16 = 2;
const INDENT: u16 = 4;

/// Why it cannot be chosen, in lines of its own where it has no room beside the words.
fn reason_below<K>(item: &PickItem<K>, cells: u16) -> Vec<String> {
    let Some(why) = &item.disabled else { return Vec::new() };
    let why = why.to_string();
    let both = text::width(&text::clean(&item.text)) + text::width(&text::clean(&why));
    if both + usize::from(MARGIN) * 2 <= usize::from(cells) {
        return Vec::new();
    }
    text::wrap(&why, cells.saturating_sub(INDENT))
}

/// Rows it takes.
fn height<K>(item: &PickItem<K>, cells: u16) -> u16 {
    u16::try_from(reason_below(item, cells).len()).unwrap_or(u16::MAX).saturating_add(1)
}

fn draw_item<K>(canvas: &mut Canvas<'_>, area: Rect, item: &PickItem<K>, hit: &Hit, selected: bool) {
    let base = match (selected, &item.disabled) {
        (true, _) => Role::Selected,
        (false, Some(_)) => Role::Dim,
        (false, None) => Role::Text,
    };
    let style = canvas.style(base);
    let blank = " ".repeat(area.width.into());
    for row in (0..if selected { area.height } else { 0 }).map(|row| layout::row(area, row)) {
        canvas.print(row.x, row.y, row.width, &blank, style);
    }
    let row = layout::row(area, 0);
    let glyphs = canvas.glyphs();
    canvas.print(row.x, row.y, 1, if selected { glyphs.selected } else { " " }, style);
    let below = reason_below(item, area.width);
    // At the lower edge there may be room for the beginning only.
    let last = usize::from(area.height).saturating_sub(2);
    for (at, (row, said)) in (1..area.height).map(|row| layout::row(area, row)).zip(&below).enumerate() {
        let cells = row.width.saturating_sub(INDENT);
        let more = format!("{said} {}", glyphs.ellipsis);
        let said = if at == last && at + 1 < below.len() { &more } else { said };
        let said = text::fit(said, cells, glyphs.ellipsis);
        canvas.print(row.x.saturating_add(INDENT), row.y, cells, &said, style);
    }
    let note = match &item.disabled {
        None => item.hint.clone(),
        Some(why) if below.is_empty() || area.height == 1 => why.to_string(),
        Some(_) => String::new(),
    };
    let note_room = if below.is_empty() { row.width } else { row.width / 2 };
    let note_cells = u16::try_from(text::width(&text::clean(&note))).unwrap_or(u16::MAX).min(note_room);
    let note = text::fit(&note, note_cells, glyphs.ellipsis);
    let note_role = if item.disabled.is_some() { Role::Dim } else { Role::Key };
    let note_style = if selected { style } else { canvas.style(note_role) };
    canvas.spans_right(row.right(), row.y, note_cells, &[Span::styled(note, note_style)]);
    let cells = row.width.saturating_sub(note_cells).saturating_sub(MARGIN * 2);
    let shown = text::fit(&item.text, cells, glyphs.ellipsis);
    let match_style = style.patch(canvas.style(Role::Match));
    let mut x = row.x.saturating_add(MARGIN);
    let mut char_at = 0;
    for grapheme in shown.graphemes(true) {
        let matched = hit.chars.contains(&char_at) && item.disabled.is_none();
        x = canvas.print(x, row.y, 2, grapheme, if matched { match_style } else { style });
        char_at += grapheme.chars().count();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing;

    fn palette() -> Picker<u8> {
        let item = |key, text: &str, hint: &str| PickItem {
            key,
            text: text.to_owned(),
            hint: hint.to_owned(),
            disabled: None,
        };
        let mut items = vec![
            item(1, "Rotate: new secret, old one in grace", "R"),
            item(2, "Revoke the key for good", "X"),
            item(3, "Show all keys", "?"),
        ];
        items[1].disabled = Some("select a key first".into());
        Picker::new(items, "type to find")
    }

    fn typed(text: &str) -> Picker<u8> {
        let mut picker = palette();
        text.chars().for_each(|c| picker.type_char(c));
        picker
    }

    #[test]
    fn words_of_the_title_find_it_in_any_order() {
        assert_eq!(typed("revoke").selected().unwrap().key, 2);
        assert_eq!(typed("rot").selected().unwrap().key, 1);
        assert_eq!(typed("keys show").selected().unwrap().key, 3);
        assert_eq!(typed("zzz").hits.len(), 0);
        assert!(typed("zzz").selected().is_none());
    }

    #[test]
    fn what_cannot_be_chosen_says_why() {
        let mut picker = palette();
        picker.act(Action::Down);
        let drawn = testing::draw(50, 5, |canvas, area| picker.draw(canvas, area, 0));
        assert_eq!(
            drawn,
            [
                "type to find",
                "──────────────────────────────────────────────────",
                "  Rotate: new secret, old one in grace          R",
                "▸ Revoke the key for good      select a key first",
                "  Show all keys                                 ?",
            ]
        );
    }

    #[test]
    fn a_long_reason_is_read_whole_in_a_narrow_window_and_its_row_stays_in_sight() {
        let mut picker = palette();
        picker.items[1].disabled =
            Some("the key is revoked, and what is revoked stays revoked for good".into());
        picker.act(Action::Down);
        let drawn = testing::draw(40, 7, |canvas, area| picker.draw(canvas, area, 0));
        assert_eq!(
            drawn[2..],
            [
                "  Rotate: new secret, old one in gr…  R",
                "▸ Revoke the key for good",
                "    the key is revoked, and what is",
                "    revoked stays revoked for good",
                "  Show all keys                       ?",
            ]
        );
        let drawn = testing::draw(40, 5, |canvas, area| picker.draw(canvas, area, 0));
        assert!(drawn[2].starts_with("▸ Revoke"), "{drawn:?}");
        // At the lower edge it shows that more is missing.
        let mut picker = palette();
        picker.items[1].disabled =
            Some("the key is revoked, and what is revoked stays revoked for good".into());
        for (rows, end) in [(5, "what is …"), (4, "the key is revoked…")] {
            let drawn = testing::draw(40, rows, |canvas, area| picker.draw(canvas, area, 0));
            assert!(drawn.last().unwrap().trim_end_matches(['│', '█', ' ']).ends_with(end), "{drawn:?}");
        }
        picker.act(Action::Bottom);
        let drawn = testing::draw(40, 3, |canvas, area| picker.draw(canvas, area, 0));
        assert!(drawn[2].contains("Show all keys"), "{drawn:?}");
    }

    #[test]
    fn the_selection_stays_in_range_and_in_sight() {
        let mut picker = palette();
        picker.act(Action::Bottom);
        picker.act(Action::Down);
        let drawn = testing::draw(30, 3, |canvas, area| picker.draw(canvas, area, 0));
        assert!(drawn[2].contains("Show all keys"), "{drawn:?}");
        picker.type_char('r');
        assert_eq!(
            picker.selected().map(|item| item.key),
            picker.hits.first().map(|h| picker.items[h.item].key)
        );
        picker.hear(Cue::Edit(crate::tui::router::Edit::Backspace));
        assert_eq!(picker.hits.len(), 3);
    }

    #[test]
    fn no_window_is_too_small() {
        for width in 0..12 {
            for height in 0..6 {
                testing::draw(width, height, |canvas, area| typed("e").draw(canvas, area, 0));
            }
        }
    }
}
