//! A tree of tick boxes: API groups that unfold into scopes, an operator's reach, anything one gives in parts.
//!
//! A group's box is on, off or partly on by what is below it; ticking it ticks all that is shown below it. Typing
//! narrows the tree to what matches, with the groups above it.

mod draw;

use std::collections::{BTreeSet, HashSet};

use super::field::{Field as _, Took};
use crate::domain::name::plain;
use crate::tui::action::{Action, Reason};
use crate::tui::overlay::Cue;
use crate::tui::widgets::field::TextField;
use crate::tui::widgets::{Handled, walk};

/// One line of the tree, in the order shown; deeper lines belong to the nearest shallower line before them.
#[derive(Clone, Debug)]
pub struct TreeItem<K> {
    /// What it stands for; a group has none.
    pub key: Option<K>,
    pub label: String,
    /// What to know about it.
    pub note: String,
    /// What it means, told below the tree while it is selected.
    pub about: String,
    /// How deep, from 0.
    pub depth: u8,
    /// Why it cannot be ticked.
    pub locked: Option<Reason>,
}

impl<K> TreeItem<K> {
    pub fn group(label: impl Into<String>, note: impl Into<String>, depth: u8) -> Self {
        Self { key: None, label: label.into(), note: note.into(), about: String::new(), depth, locked: None }
    }

    pub fn leaf(key: K, label: impl Into<String>, note: impl Into<String>, depth: u8) -> Self {
        Self { key: Some(key), ..Self::group(label, note, depth) }
    }
}

/// How a box is ticked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ticked {
    /// Nothing below it.
    Off,
    /// Some of what is below it.
    Some,
    /// All of it.
    On,
}

/// The state of a tree.
pub struct TreeState<K> {
    items: Vec<TreeItem<K>>,
    ticked: BTreeSet<K>,
    folded: HashSet<usize>,
    search: TextField,
    searching: bool,
    /// Numbers of the items shown, top to bottom.
    shown: Vec<usize>,
    /// Place of the selection in `shown`.
    at: usize,
    offset: usize,
    page: usize,
    pub error: Option<String>,
}

impl<K: Clone + Ord> TreeState<K> {
    /// A tree with everything folded but the first level, and `ticked` ticked.
    pub fn new(items: Vec<TreeItem<K>>, ticked: impl IntoIterator<Item = K>) -> Self {
        let folded = (0..items.len()).filter(|at| items.get(*at).is_some_and(|item| item.key.is_none()));
        let folded = folded.collect();
        let search = TextField::new("").placeholder("type to find");
        let ticked = ticked.into_iter().collect();
        let mut tree = Self {
            items,
            ticked,
            folded,
            search,
            searching: false,
            shown: Vec::new(),
            at: 0,
            offset: 0,
            page: 1,
            error: None,
        };
        tree.refresh();
        tree
    }

    /// What is ticked, sorted.
    pub const fn ticked(&self) -> &BTreeSet<K> {
        &self.ticked
    }

    fn selected(&self) -> Option<&TreeItem<K>> {
        self.items.get(*self.shown.get(self.at)?)
    }

    /// Types into the search line.
    fn seek(&mut self, cue: Cue<'_>) -> Took {
        let took = self.search.hear(cue);
        self.refresh_from_top();
        if took == Took::Changed { Took::Kept } else { took }
    }

    /// Selects the `row`th shown line, as clicked.
    fn select(&mut self, row: usize) {
        self.at = row.min(self.shown.len().saturating_sub(1));
    }

    /// Moves, folds, ticks, searches. While searching, `Cancel` clears the search and `Press` keeps it; both give
    /// the keyboard back to the tree. `Err` says why a box cannot be ticked.
    fn act(&mut self, action: Action) -> Result<Handled, Reason> {
        if let Some(to) = walk(action, self.at, self.page, self.shown.len()) {
            let before = std::mem::replace(&mut self.at, to);
            return Ok(if self.at == before { Handled::Unmoved } else { Handled::Changed });
        }
        Ok(match action {
            Action::Left => self.fold(),
            Action::Right => self.unfold(),
            Action::Toggle => return self.toggle(),
            Action::ToggleAll => self.flip(self.matching().collect()),
            Action::Filter => {
                self.searching = true;
                Handled::Changed
            }
            Action::Cancel | Action::Press => self.end_search(action),
            _ => Handled::Ignored,
        })
    }

    /// How the box of item number `at` is ticked.
    fn state(&self, at: usize) -> Ticked {
        match self.counts(at) {
            (0, _) => Ticked::Off,
            (on, all) if on == all => Ticked::On,
            _ => Ticked::Some,
        }
    }

    /// How many leaves below item number `at` are ticked, of how many.
    fn counts(&self, at: usize) -> (usize, usize) {
        let keys = self.leaves(at).filter_map(|leaf| self.items.get(leaf)?.key.as_ref());
        keys.fold((0, 0), |(on, all), key| (on + usize::from(self.ticked.contains(key)), all + 1))
    }

    /// The leaves at or below item number `at`.
    fn leaves(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        let depth = self.items.get(at).map_or(0, |item| item.depth);
        let below =
            self.items.iter().enumerate().skip(at + 1).take_while(move |(_, item)| item.depth > depth);
        let own = self.items.get(at).into_iter().map(move |item| (at, item));
        own.chain(below).filter(|(_, item)| item.key.is_some()).map(|(number, _)| number)
    }

    fn toggle(&mut self) -> Result<Handled, Reason> {
        let Some(&at) = self.shown.get(self.at) else { return Ok(Handled::Unmoved) };
        if let Some(reason) = self.items.get(at).and_then(|item| item.locked.clone()) {
            return Err(reason);
        }
        // Of a group only what the search shows, or one would tick what one does not see.
        let matching: HashSet<usize> = self.matching().collect();
        Ok(self.flip(self.leaves(at).filter(|leaf| *leaf == at || matching.contains(leaf)).collect()))
    }

    /// Ticks all of `leaves` that may be, or unticks them when all were ticked.
    fn flip(&mut self, leaves: Vec<usize>) -> Handled {
        let free =
            leaves.into_iter().filter_map(|at| self.items.get(at)).filter(|item| item.locked.is_none());
        let keys: Vec<K> = free.filter_map(|item| item.key.clone()).collect();
        if keys.is_empty() {
            return Handled::Unmoved;
        }
        if keys.iter().all(|key| self.ticked.contains(key)) {
            self.ticked.retain(|key| !keys.contains(key));
        } else {
            self.ticked.extend(keys);
        }
        Handled::Changed
    }

    /// Left: folds the group, or goes up to the group of a leaf.
    fn fold(&mut self) -> Handled {
        let Some(&at) = self.shown.get(self.at) else { return Handled::Unmoved };
        let Some(item) = self.items.get(at) else { return Handled::Unmoved };
        if item.key.is_none() && !self.is_narrowed() && self.folded.insert(at) {
            self.refresh();
            return Handled::Changed;
        }
        let parent =
            self.shown.iter().take(self.at).rposition(|above| {
                self.items.get(*above).is_some_and(|candidate| candidate.depth < item.depth)
            });
        match parent {
            Some(parent) => {
                self.at = parent;
                Handled::Changed
            }
            None => Handled::Unmoved,
        }
    }

    fn unfold(&mut self) -> Handled {
        let Some(at) = self.shown.get(self.at) else { return Handled::Unmoved };
        if self.folded.remove(at) {
            self.refresh();
            return Handled::Changed;
        }
        Handled::Unmoved
    }

    fn end_search(&mut self, action: Action) -> Handled {
        let had_text = !self.search.is_empty();
        if !self.searching && (action != Action::Cancel || !had_text) {
            return Handled::Ignored;
        }
        self.searching = false;
        if action == Action::Cancel {
            self.search.clear();
            self.refresh_from_top();
        }
        Handled::Changed
    }

    fn is_narrowed(&self) -> bool {
        !self.search.text().trim().is_empty()
    }

    /// Numbers of the leaves that match the search: every word stands in the label, the note, or the label of a
    /// group above.
    fn matching(&self) -> impl Iterator<Item = usize> + '_ {
        let wanted = plain(self.search.text());
        let words: Vec<String> = wanted.split_whitespace().map(str::to_owned).collect();
        let mut above: Vec<String> = Vec::new();
        let lines = self.items.iter().enumerate().map(move |(at, item)| {
            above.truncate(item.depth.into());
            let text = plain(&format!("{} {} {}", above.join(" "), item.label, item.note));
            above.push(item.label.clone());
            (at, item.key.is_some() && words.iter().all(|word| text.contains(word)))
        });
        lines.filter(|(_, matches)| *matches).map(|(at, _)| at)
    }

    fn refresh_from_top(&mut self) {
        self.refresh();
        // On the first match rather than on its group: Space then ticks what was looked for.
        let first =
            self.shown.iter().position(|at| self.items.get(*at).is_some_and(|item| item.key.is_some()));
        self.at = if self.is_narrowed() { first.unwrap_or(0) } else { 0 };
        self.offset = 0;
    }

    /// Works out which lines are shown, keeping the selection on its line if that is still there.
    fn refresh(&mut self) {
        let selected = self.shown.get(self.at).copied();
        self.shown = if self.is_narrowed() { self.narrowed() } else { self.unfolded() };
        let again = selected.and_then(|at| self.shown.iter().position(|shown| *shown == at));
        self.at = again.unwrap_or(self.at).min(self.shown.len().saturating_sub(1));
    }

    fn unfolded(&self) -> Vec<usize> {
        let mut hidden_below: Option<u8> = None;
        let mut shown = Vec::new();
        for (at, item) in self.items.iter().enumerate() {
            if hidden_below.is_some_and(|depth| item.depth > depth) {
                continue;
            }
            hidden_below = self.folded.contains(&at).then_some(item.depth);
            shown.push(at);
        }
        shown
    }

    fn narrowed(&self) -> Vec<usize> {
        let mut shown = BTreeSet::new();
        for leaf in self.matching() {
            shown.insert(leaf);
            let mut depth = self.items.get(leaf).map_or(0, |item| item.depth);
            for (at, item) in self.items.iter().enumerate().take(leaf).rev() {
                if item.depth < depth {
                    depth = item.depth;
                    shown.insert(at);
                }
            }
        }
        shown.into_iter().collect()
    }
}

#[cfg(test)]
mod tests;
