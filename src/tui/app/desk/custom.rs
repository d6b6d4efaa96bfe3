//! How the operator has the desk, from one day to the next: which tab is open, how each list is sorted, filtered and laid out.

use super::super::ask::{Errand, Tab};
use super::super::habits::Habits;
use super::{Asker, Desk};
use crate::tui::clock::Now;
use crate::tui::list::habit::Habit;

impl Desk {
    /// How it is had now.
    pub fn habits(&mut self) -> Habits {
        let tab = self.tab();
        (0..self.screens.len()).for_each(|at| self.bring_lines(at));
        let lists = self.screens.iter_mut().flat_map(|screen| screen.habitual());
        let lists = lists.map(|(name, list)| (name.to_owned(), list.habit()));
        let lists = lists.filter(|(_, habit)| *habit != Habit::default()).collect();
        Habits::at(tab, lists)
    }

    /// Has it like that. What is not remembered is as it comes.
    pub(super) fn adopt(&mut self, habits: &Habits, now: Now) {
        for (name, list) in self.screens.iter_mut().flat_map(|screen| screen.habitual()) {
            list.adopt(habits.lists.get(name).unwrap_or(&Habit::default()));
        }
        // They are brought along from wherever one begins, which may be where no keys are.
        if let Some(pane) = self.screens.iter_mut().find_map(|screen| screen.pane()) {
            self.key_lines.clone_from(&pane.beside.list.lines);
        }
        self.stale = true;
        self.look_again(now);
    }

    /// Begins at this tab instead of the first.
    pub fn start_at(&mut self, tab: Option<Tab>) {
        let Some(at) = self.tabs.iter().position(|known| Some(*known) == tab) else { return };
        self.open = at;
        self.catch_up(at);
        let mut out = Vec::new();
        if let Some(screen) = self.screens.get_mut(at) {
            screen.arrive(Errand::None, &self.look, &mut out);
        }
        self.wishes.extend(out.into_iter().map(|wish| (Asker::Screen(at), wish)));
    }

    /// Has all tables as they come to somebody new; what was looked for stays.
    pub(super) fn forget(&mut self, now: Now) {
        let mut as_it_comes = self.habits();
        for list in as_it_comes.lists.values_mut() {
            *list = Habit { lines: std::mem::take(&mut list.lines), ..Habit::default() };
        }
        self.adopt(&as_it_comes, now);
        self.toasts.answer("order, columns, widths, filters and panes are as they come", now.at);
    }
}
