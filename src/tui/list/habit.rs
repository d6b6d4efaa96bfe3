//! How somebody has a list: what is remembered of it from one day to the next. Nothing of its rows.

use std::collections::BTreeMap;
use std::hash::Hash;

use serde::{Deserialize, Serialize};

use super::beside::Beside;
use super::lines::Lines;
use super::{List, Listed, Sort};

/// The widest a column is made by hand.
pub const WIDEST: u16 = 120;

/// The look of one list. What is as it comes is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Habit {
    /// The letter of the column it is sorted by, where that is not the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<char>,
    /// Whether the largest come first.
    #[serde(skip_serializing_if = "is_not")]
    pub falling: bool,
    /// Letters of the columns that are switched off.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub off: String,
    /// Cells of the columns that were given a width by hand.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub widths: BTreeMap<char, u16>,
    /// What is in the filter line.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub filter: String,
    /// Filter lines of before, and those that have a name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<String>,
    /// Whether the detail beside it is closed.
    #[serde(skip_serializing_if = "is_not")]
    pub closed: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
const fn is_not(flag: &bool) -> bool {
    !*flag
}

/// A list of which habits are remembered.
pub trait Habitual {
    /// How it is had now.
    fn habit(&self) -> Habit;

    /// Has it like that from the next filling on.
    fn adopt(&mut self, habit: &Habit);
}

impl<L: Listed> Habitual for List<L> {
    fn habit(&self) -> Habit {
        let Sort { letter, falling } = self.sort;
        let first = self.columns.first().is_none_or(|column| column.letter == letter);
        let mut off: Vec<char> = self.off.iter().copied().collect();
        off.sort_unstable();
        Habit {
            sort: (!first).then_some(letter),
            falling,
            off: off.into_iter().collect(),
            widths: self.widths.clone(),
            filter: self.filter.text().to_owned(),
            lines: self.lines.all(),
            closed: false,
        }
    }

    fn adopt(&mut self, habit: &Habit) {
        let first = self.columns.first().map_or(super::UNSORTED, |column| column.letter);
        self.sort = Sort { letter: habit.sort.unwrap_or(first), falling: habit.falling };
        self.off = habit.off.chars().collect();
        self.widths =
            habit.widths.iter().map(|(letter, cells)| (*letter, (*cells).clamp(1, WIDEST))).collect();
        self.lines = Lines::of(habit.lines.iter().cloned());
        self.set_filter(&habit.filter);
    }
}

impl<L: Listed> Habitual for Beside<L> {
    fn habit(&self) -> Habit {
        Habit { closed: self.is_closed(), ..self.list.habit() }
    }

    fn adopt(&mut self, habit: &Habit) {
        self.list.adopt(habit);
        self.set_closed(habit.closed);
    }
}
