//! One column of a list: it owns its header, what its rows are sorted by, and what stands in them. Which columns a
//! window of a given width has room for, and how wide each is.

use std::borrow::Cow;

use super::Listed;
use crate::domain::name::plain;
use crate::tui::theme::{Badge, Role};

/// Cells between two columns.
pub const GAP: u16 = 2;

/// A column that may grow by this many cells holds names, and is the first to get spare room.
const ELASTIC: u16 = 10;

/// Columns of a higher number go before a name is cut to its least width.
const GOOD_TO_KNOW: u8 = 1;

/// Which side the text keeps to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
}

/// What a row sorts by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// The row's name, by which ties are settled in any case.
    Name,
    /// Times and counts. What never was is before all times, what never ends after all.
    Number(i64),
    Text(String),
}

impl Rank {
    /// By a text, as a reader compares: without accents and capitals.
    pub fn text(text: &str) -> Self {
        Self::Text(plain(text))
    }

    pub fn count(count: usize) -> Self {
        Self::Number(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

/// What stands in one place of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell<'a> {
    /// Its sign stands before the text: never the sign alone.
    pub badge: Option<Badge>,
    /// Shortened when it does not fit.
    pub text: Cow<'a, str>,
    /// Its look, unless the row is selected.
    pub role: Role,
}

impl<'a> Cell<'a> {
    pub fn new(role: Role, text: impl Into<Cow<'a, str>>) -> Self {
        Self { badge: None, text: text.into(), role }
    }

    /// A badge's sign and look, with these words.
    pub fn badge(badge: Badge, words: impl Into<Cow<'a, str>>) -> Self {
        Self { badge: Some(badge), text: words.into(), role: badge.role() }
    }
}

/// What a row sorts by in one column.
pub type Ranking<L> = fn(&<L as Listed>::Row, &<L as Listed>::Sight<'_>) -> Rank;
/// What stands in one column of a row.
type Making<L> = for<'a> fn(&'a <L as Listed>::Row, &'a <L as Listed>::Sight<'_>) -> Cell<'a>;

pub struct Column<L: Listed> {
    /// Its header. Where none of the columns has one, the list has no header at all.
    pub title: &'static str,
    /// What tells it apart, and sorts by it after the sort key.
    pub letter: char,
    /// Cells below which it is dropped rather than narrowed.
    pub min: u16,
    /// Cells beyond which it does not grow.
    pub max: u16,
    /// 0 is never dropped; the highest number goes first.
    pub priority: u8,
    pub align: Align,
    /// Shown only in room that no other column could use.
    pub is_spare: bool,
    /// Whether the greatest comes first where it is not turned round: the sign in its header says so.
    pub is_greatest_first: bool,
    /// `None` where rows keep the order they come in.
    pub rank: Option<Ranking<L>>,
    pub cell: Making<L>,
}

impl<L: Listed> Column<L> {
    /// A column of text, from `min` to `max` cells wide.
    pub const fn text(
        title: &'static str,
        letter: char,
        (min, max): (u16, u16),
        priority: u8,
        cell: Making<L>,
    ) -> Self {
        let (align, is_spare, is_greatest_first) = (Align::Left, false, false);
        Self { title, letter, min, max, priority, align, is_spare, is_greatest_first, rank: None, cell }
    }

    pub const fn number(
        title: &'static str,
        letter: char,
        cells: u16,
        priority: u8,
        cell: Making<L>,
    ) -> Self {
        Self { align: Align::Right, ..Self::text(title, letter, (cells, cells), priority, cell) }
    }

    /// Cells beyond its least width from which most of its names are read whole; none for what is no name.
    const fn legible(&self) -> u16 {
        let stretch = self.max.saturating_sub(self.min);
        if stretch >= ELASTIC { stretch * 2 / 5 } else { 0 }
    }

    /// The same, for room that no other column could use.
    #[must_use]
    pub const fn spare(self) -> Self {
        Self { is_spare: true, ..self }
    }

    /// The same, to be sorted by.
    #[must_use]
    pub const fn by(self, rank: Ranking<L>) -> Self {
        Self { rank: Some(rank), ..self }
    }

    /// The same, whose rank falls where what it shows rises.
    #[must_use]
    pub const fn greatest_first(self) -> Self {
        Self { is_greatest_first: true, ..self }
    }
}

/// A shown column and its width.
pub struct Shown<L: Listed> {
    pub column: &'static Column<L>,
    pub width: u16,
}

/// The columns for a window of `width` cells, in the order of the definition. `hidden` says which a person has
/// switched off, `given` which width they gave to one.
pub fn fit<L: Listed>(
    columns: &[&'static Column<L>],
    hidden: impl Fn(char) -> bool,
    given: impl Fn(char) -> Option<u16>,
    width: u16,
) -> Vec<Shown<L>> {
    let range = |column: &Column<L>| match given(column.letter) {
        Some(cells) => (cells, cells),
        None => (column.min, column.max),
    };
    let wanted = columns.iter().filter(|column| column.priority == 0 || !hidden(column.letter));
    let most: u32 = wanted.clone().map(|column| u32::from(range(column).1 + GAP)).sum();
    let wanted = wanted.filter(|column| !column.is_spare || most <= u32::from(width + GAP));
    let mut shown: Vec<Shown<L>> = wanted.map(|column| Shown { column, width: range(column).0 }).collect();
    let needed = |shown: &[Shown<L>]| {
        let gaps = shown.len().saturating_sub(1) * usize::from(GAP);
        shown.iter().map(|place| u32::from(place.width)).sum::<u32>()
            + u32::try_from(gaps).unwrap_or(u32::MAX)
    };
    // Names that can be read come before what is only good to know.
    let legible = |shown: &[Shown<L>]| {
        needed(shown) + shown.iter().map(|place| u32::from(place.column.legible())).sum::<u32>()
    };
    // The last of the least important goes first; one column always stays, however narrow.
    while let Some(worst) = shown.iter().map(|place| place.column.priority).max().filter(|worst| *worst > 0) {
        let wants = if worst > GOOD_TO_KNOW { legible(&shown) } else { needed(&shown) };
        if wants <= u32::from(width) || shown.len() == 1 {
            break;
        }
        let Some(at) = shown.iter().rposition(|place| place.column.priority == worst) else { break };
        shown.remove(at);
    }
    // What was widened by hand gives way before it hides what else must be seen.
    if needed(&shown) > u32::from(width) {
        for place in &mut shown {
            place.width = place.width.min(place.column.min);
        }
    }
    let mut spare = u32::from(width).saturating_sub(needed(&shown));
    // Names first, each by how much it may grow: the rest reads well at its least width.
    for names in [true, false] {
        let mut before = 0;
        while spare > 0 && spare != before {
            before = spare;
            for place in &mut shown {
                let (min, max) = range(place.column);
                let stretch = max.saturating_sub(min);
                if (stretch >= ELASTIC) != names {
                    continue;
                }
                let step = (stretch / ELASTIC).max(1).min(max.saturating_sub(place.width));
                let step = step.min(u16::try_from(spare).unwrap_or(u16::MAX));
                place.width += step;
                spare -= u32::from(step);
            }
        }
    }
    shown
}
