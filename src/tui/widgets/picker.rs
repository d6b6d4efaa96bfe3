//! A list one narrows by typing: the palette, a search for a location.
//!
//! Matching is fuzzy and keeps the best first. What cannot be chosen stays in the list and says why. Or others look for what
//! is typed, and it is fed with what they have found.

use std::collections::HashSet;

use frizbee::{Config, Matcher};
use ratatui::{layout::Rect, style::Modifier, text::Span};
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

/// What an item is in a word, and how its hint looks.
pub type KindOf<K> = fn(&K) -> (&'static str, Role);

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
    /// Where items of many kinds are fed to it.
    kind: Option<KindOf<K>>,
    /// Said when there is none.
    nothing: &'static str,
    /// Somebody has walked to the selected one.
    walked: bool,
}

impl<K: Clone + PartialEq> Picker<K> {
    /// An empty one, to be fed with what others find.
    pub fn fed(placeholder: &str, kind: KindOf<K>) -> Self {
        Self { kind: Some(kind), ..Self::new(Vec::new(), placeholder) }
    }

    /// Shows these, in this order, and what of their texts was typed; `nothing` is said when there is none. Whoever has walked
    /// to one stays there.
    pub fn feed(&mut self, items: Vec<PickItem<K>>, nothing: &'static str) {
        let kept = self.selected().filter(|_| self.walked).map(|item| item.key.clone());
        self.hits = (0..items.len()).map(|item| Hit { item, chars: HashSet::new() }).collect();
        (self.items, self.nothing) = (items, nothing);
        for word in plain(self.query.text()).split_whitespace() {
            let mut matcher = Matcher::new(word, &Config::default());
            for (hit, item) in self.hits.iter_mut().zip(&self.items) {
                let found = matcher.match_one_indices(plain(&item.text), 0);
                hit.chars.extend(found.iter().flat_map(|found| &found.indices).map(|at| *at as usize));
            }
        }
        let at = kept.and_then(|kept| self.items.iter().position(|item| item.key == kept));
        self.selected = at.unwrap_or(0);
        if at.is_none() {
            (self.offset, self.walked) = (0, false);
        }
    }
}

impl<K: Clone> Picker<K> {
    /// Shows all of `items`, the first selected.
    pub fn new(items: Vec<PickItem<K>>, placeholder: &str) -> Self {
        let query = TextField::new("").placeholder(placeholder);
        let texts = items.iter().map(|item| plain(&item.text)).collect();
        let mut picker = Self {
            items,
            texts,
            query,
            hits: Vec::new(),
            selected: 0,
            offset: 0,
            page: 1,
            kind: None,
            nothing: "nothing matches",
            walked: false,
        };
        picker.search();
        picker
    }

    /// What was typed.
    pub fn query(&self) -> &str {
        self.query.text()
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
        if let Some(to) = walk(action, self.selected, self.page, self.hits.len()) {
            (self.selected, self.walked) = (to, true);
        }
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
            canvas.fit(list.x, list.y, list.width, self.nothing, Role::Dim);
        }
        let mut rest = list;
        for (line, hit) in self.hits.iter().enumerate().skip(self.offset) {
            let Some(item) = self.items.get(hit.item).filter(|_| !rest.is_empty()) else { continue };
            let selected = line == self.selected;
            let rows = height(item, cells, selected && self.kind.is_none()).min(rest.height);
            let (room, below) = layout::top(rest, rows);
            let kind = self.kind.map(|kind| kind(&item.key));
            draw_item(canvas, layout::left(room, cells).0, item, hit, (selected, kind));
            canvas.hit(room, Target::Row { pane, row: line });
            rest = below;
        }
        let rows = |below: usize| -> usize {
            let heights = self.hits.iter().take(below).enumerate().filter_map(|(line, hit)| {
                self.items.get(hit.item).map(|item| {
                    usize::from(height(item, cells, line == self.selected && self.kind.is_none()))
                })
            });
            heights.sum()
        };
        scrollbar::draw(canvas, list, rows(self.offset), list.height.into(), rows(self.hits.len()));
    }

    /// The first match to show, so that the selected one is seen whole.
    fn first_shown(&self, cells: u16, rows: u16) -> usize {
        let mut taken = 0;
        let fits = |at: &usize| {
            let item = self.hits.get(*at).and_then(|hit| self.items.get(hit.item));
            taken += item.map_or(0, |item| height(item, cells, *at == self.selected && self.kind.is_none()));
            taken <= rows
        };
        let first = (0..=self.selected).rev().take_while(fits).last().unwrap_or(self.selected);
        self.offset.clamp(first, self.selected)
    }

    fn search(&mut self) {
        self.walked = false;
        if self.kind.is_some() {
            return;
        }
        let query = self.query.text().trim();
        if query.is_empty() {
            self.hits = (0..self.items.len()).map(|item| Hit { item, chars: HashSet::new() }).collect();
        } else {
            let texts: Vec<&str> = self.texts.iter().map(String::as_str).collect();
            let mut matcher = Matcher::from_query(&plain(query), &Config::default());
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

/// Cells before the words, and before a reason below them.
const MARGIN: u16 = 2;
const INDENT: u16 = 4;
/// Cells of what an item is.
const KIND: u16 = 10;
/// Cells a hint has in any case; more only where the words leave them.
const HINT: u16 = 12;

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

/// What of its words has no room in one line, in lines of its own.
fn words_below<K>(item: &PickItem<K>, cells: u16) -> Vec<String> {
    let room = cells.saturating_sub(hint_cells(&item.hint, cells)).saturating_sub(MARGIN * 2);
    if item.disabled.is_some() || text::width(&text::clean(&item.text)) <= usize::from(room) {
        return Vec::new();
    }
    let rest: Vec<String> = text::wrap(&item.text, room.saturating_sub(1)).into_iter().skip(1).collect();
    text::wrap(&rest.join(" "), cells.saturating_sub(INDENT))
}

fn hint_cells(hint: &str, most: u16) -> u16 {
    u16::try_from(text::width(&text::clean(hint))).unwrap_or(u16::MAX).min(most)
}

/// What stands below its first line; all its words where they are shown whole, as those of the selected one are.
fn below<K>(item: &PickItem<K>, cells: u16, whole: bool) -> Vec<String> {
    let why = reason_below(item, cells);
    if whole && why.is_empty() { words_below(item, cells) } else { why }
}

/// Rows it takes.
fn height<K>(item: &PickItem<K>, cells: u16, whole: bool) -> u16 {
    u16::try_from(below(item, cells, whole).len()).unwrap_or(u16::MAX).saturating_add(1)
}

fn draw_item<K>(
    canvas: &mut Canvas<'_>,
    area: Rect,
    item: &PickItem<K>,
    hit: &Hit,
    (selected, kind): (bool, Option<(&'static str, Role)>),
) {
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
    let below = below(item, area.width, selected && kind.is_none());
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
    let left = MARGIN + if kind.is_some() { KIND } else { 0 };
    let words = u16::try_from(text::width(&text::clean(&item.text))).unwrap_or(u16::MAX);
    let spare = row.width.saturating_sub(left).saturating_sub(words).saturating_sub(MARGIN);
    let note_room = match (item.disabled.is_some(), below.is_empty()) {
        (false, _) => spare.max(HINT),
        (true, true) => row.width,
        (true, false) => row.width / 2,
    };
    let note_cells = hint_cells(&note, note_room);
    let note = text::fit(&note, note_cells, glyphs.ellipsis);
    let note_role =
        if item.disabled.is_some() { Role::Dim } else { kind.map_or(Role::Key, |(_, role)| role) };
    let note_style = if selected { style } else { canvas.style(note_role) };
    canvas.spans_right(row.right(), row.y, note_cells, &[Span::styled(note, note_style)]);
    if let Some((kind, _)) = kind {
        let style = if selected { style } else { canvas.style(Role::Dim) };
        canvas.print(row.x.saturating_add(MARGIN), row.y, KIND, kind, style);
    }
    let cells = row.width.saturating_sub(note_cells).saturating_sub(left + MARGIN);
    let shown = if below.is_empty() || item.disabled.is_some() {
        text::fit(&item.text, cells, glyphs.ellipsis)
    } else {
        text::wrap(&item.text, cells.saturating_sub(1)).into_iter().next().unwrap_or_default().into()
    };
    // On the bar of the selected one no colour of another ground is read.
    let on_bar = style.add_modifier(Modifier::BOLD | Modifier::UNDERLINED);
    let match_style = if selected { on_bar } else { style.patch(canvas.style(Role::Match)) };
    let mut x = row.x.saturating_add(left);
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
    fn of_the_selected_one_all_words_are_read() {
        let item =
            |key, text: &str| PickItem { key, text: text.to_owned(), hint: "7".into(), disabled: None };
        let items = vec![
            item(1, "Lead capture: turns forms into contacts"),
            item(2, "Payroll: fetches hours and tips"),
        ];
        let mut picker = Picker::new(items, "");
        let seen =
            |picker: &mut Picker<u8>| testing::draw(30, 6, |canvas, area| picker.draw(canvas, area, 0));
        assert_eq!(
            seen(&mut picker)[2..],
            ["▸ Lead capture: turns       7", "    forms into contacts", "  Payroll: fetches hours …  7", ""]
        );
        picker.act(Action::Down);
        assert_eq!(
            seen(&mut picker)[2..],
            ["  Lead capture: turns for…  7", "▸ Payroll: fetches hours    7", "    and tips", ""]
        );
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
        for (rows, end) in [(6, "what is …"), (5, "the key is revoked…")] {
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
