//! Drawing a tree.
//!
//! ```text
//! / conta
//! ▾ [–] Contacts        1 of 2
//! ▸   [✓] contacts.read     see contacts and their history
//!     [ ] contacts.write    change and merge contacts
//! ```

use std::hash::{Hash, Hasher};

use ratatui::layout::Rect;

use super::{Ticked, TreeItem, TreeState};
use crate::tui::action::Action;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::form::field::{Build, Field, Slot, Took, draw_below, rows_below};
use crate::tui::overlay::Cue;
use crate::tui::theme::Role;
use crate::tui::widgets::{Focus, Handled, layout, scrollbar, text};

impl<K: Clone + Ord + Hash> Field for TreeState<K> {
    fn hear(&mut self, cue: Cue<'_>) -> Took {
        match cue {
            Cue::Type(_) | Cue::Edit(_) | Cue::Paste(_) => return self.seek(cue),
            Cue::Click(Target::Row { row, .. }) => self.select(row),
            Cue::Click(Target::Tick { row, .. }) => {
                self.select(row);
                return self.hear(Cue::Do(Action::Toggle));
            }
            Cue::Wheel { rows, .. } => {
                let way = if rows < 0 { Action::Up } else { Action::Down };
                (0..rows.unsigned_abs()).for_each(|_| drop(self.act(way)));
            }
            Cue::Do(action) => {
                return match self.act(action) {
                    Ok(Handled::Changed) if matches!(action, Action::Toggle | Action::ToggleAll) => {
                        self.error = None;
                        Took::Changed
                    }
                    Ok(Handled::Changed) => Took::Kept,
                    // Whoever runs down a long tree does not run out of it.
                    Ok(Handled::Unmoved) if action != Action::Up => Took::Kept,
                    Ok(Handled::Unmoved | Handled::Ignored) => Took::Left,
                    Err(reason) => Took::Refused(reason),
                };
            }
            Cue::Click(_) => {}
            Cue::Tick => return Took::Left,
        }
        Took::Kept
    }

    fn build(&self) -> Build {
        Build::Tall
    }

    fn wants_text(&self) -> bool {
        self.searching
    }

    fn hints(&self) -> &'static [Action] {
        if self.searching {
            // A blank goes into what is looked for.
            return &[Action::Press, Action::Cancel, Action::Down];
        }
        &[
            Action::Submit,
            Action::Toggle,
            Action::Filter,
            Action::ToggleAll,
            Action::NextField,
            Action::Cancel,
        ]
    }

    fn rows(&self, _: u16, _: u16) -> u16 {
        3
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, slot: Slot) {
        let wrong = rows_below(self.error.as_deref(), "", area.width).min(area.height / 2);
        let (line, tree) = layout::top(area, wrong);
        draw_below(canvas, line, self.error.as_deref(), "");
        let about = if tree.height >= 12 { 3 } else { u16::from(tree.height >= 5) };
        let (list, below) = layout::bottom(tree, about);
        self.draw_list(canvas, list, slot.focus, slot.number);
        if let Some(item) = self.selected().filter(|_| slot.focus.is_here()) {
            // One line of air above when there is room for it.
            draw_below(canvas, layout::top(below, u16::from(about > 1)).1, None, &item.about);
        }
    }

    fn is_wrong(&self) -> bool {
        self.error.is_some()
    }

    fn sign(&self, mut into: &mut dyn Hasher) {
        self.ticked.hash(&mut into);
    }
}

impl<K: Clone + Ord> TreeState<K> {
    /// Draws the tree in `area`, with the search line above while there is one.
    pub(super) fn draw_list(&mut self, canvas: &mut Canvas<'_>, area: Rect, focus: Focus, pane: u8) {
        let search = u16::from(self.searching || self.is_narrowed());
        let (line, list) = layout::top(area, search);
        if !line.is_empty() {
            let style = canvas.style(Role::Key);
            let x = canvas.print(line.x, line.y, line.width, "/ ", style);
            let input = Rect { x, width: line.right().saturating_sub(x), ..line };
            self.search.draw_input(canvas, input, Focus::when(self.searching && focus.is_here()));
        }
        canvas.hit(list, Target::Pane(pane));
        self.page = usize::from(list.height).max(1);
        self.offset = self.offset.min(self.shown.len().saturating_sub(self.page));
        self.offset = self.offset.clamp((self.at + 1).saturating_sub(self.page), self.at);
        if self.shown.is_empty() && !list.is_empty() {
            canvas.fit(list.x, list.y, list.width, "nothing matches", Role::Dim);
        }
        let label_cells = self
            .items
            .iter()
            .map(|item| text::width(&text::clean(&item.label)) + usize::from(item.depth) * 2);
        let label_cells = u16::try_from(label_cells.max().unwrap_or_default()).unwrap_or(u16::MAX);
        for line in 0..list.height {
            let index = self.offset + usize::from(line);
            let Some(&number) = self.shown.get(index) else { break };
            let Some(item) = self.items.get(number) else { break };
            let row = layout::row(list, line);
            let row = Rect { width: row.width.saturating_sub(1), ..row };
            let look = match (index == self.at, focus.is_here() && !self.searching) {
                (true, true) => Some(Role::Selected),
                (true, false) => Some(Role::SelectedIdle),
                (false, _) => None,
            };
            self.draw_row(canvas, row, (number, item), look, label_cells);
            canvas.hit(row, Target::Row { pane, row: index });
            let box_x = row.x.saturating_add(2 + u16::from(item.depth) * 2);
            canvas
                .hit(Rect { x: box_x, width: 3, ..row }.intersection(row), Target::Tick { pane, row: index });
            if look == Some(Role::Selected) {
                canvas.cursor(box_x.saturating_add(1), row.y);
            }
        }
        scrollbar::draw(canvas, list, self.offset, list.height.into(), self.shown.len());
    }

    fn draw_row(
        &self,
        canvas: &mut Canvas<'_>,
        row: Rect,
        (number, item): (usize, &TreeItem<K>),
        look: Option<Role>,
        label_cells: u16,
    ) {
        let glyphs = canvas.glyphs();
        if let Some(look) = look {
            let style = canvas.style(look);
            canvas.print(row.x, row.y, row.width, &" ".repeat(row.width.into()), style);
        }
        let sign = match (&item.key, look) {
            (None, _) if self.is_narrowed() || !self.folded.contains(&number) => glyphs.unfolded,
            (None, _) => glyphs.folded,
            (Some(_), Some(_)) => glyphs.selected,
            (Some(_), None) => " ",
        };
        let state = self.state(number);
        let tick = match state {
            Ticked::On => glyphs.box_on,
            Ticked::Some => glyphs.box_some,
            Ticked::Off => glyphs.box_off,
        };
        let plain = look.unwrap_or(if item.locked.is_some() { Role::Dim } else { Role::Text });
        let tick_role = look.unwrap_or(if state == Ticked::Off { Role::Dim } else { Role::Accent });
        let label_role = look.unwrap_or(if item.key.is_none() { Role::Title } else { plain });
        let end = row.right();
        let room = |x: u16| end.saturating_sub(x);
        let style = canvas.style(look.unwrap_or(Role::Dim));
        canvas.print(row.x, row.y, row.width.min(1), sign, style);
        let x = row.x.saturating_add(2).saturating_add(u16::from(item.depth) * 2);
        let style = canvas.style(tick_role);
        let x = canvas.print(x, row.y, room(x), tick, style).saturating_add(1);
        canvas.fit(x, row.y, room(x), &item.label, label_role);
        let x = row.x.saturating_add(8).saturating_add(label_cells);
        let note_role = look.unwrap_or(Role::Dim);
        let note = match (&item.locked, &item.key) {
            (Some(reason), _) => reason.to_string(),
            (None, Some(_)) => item.note.clone(),
            (None, None) => {
                let (on, all) = self.counts(number);
                let gap = if item.note.is_empty() { "" } else { "  " };
                format!("{on} of {all}{gap}{}", item.note)
            }
        };
        canvas.fit(x, row.y, room(x), &note, note_role);
    }
}
