//! Which columns are shown in a window of a given width, and how wide each is.

/// Cells between two columns.
pub const GAP: u16 = 2;

/// A column that may grow by this many cells holds names, and is the first to get spare room.
const ELASTIC: u16 = 10;

/// Which side the text keeps to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// One column of a table's definition.
#[derive(Clone, Debug)]
pub struct Column {
    /// What the rows know it by, and what a remembered layout names.
    pub id: &'static str,
    /// Its header.
    pub title: &'static str,
    /// The letter that sorts by it after the sort key.
    pub letter: char,
    /// Cells below which it is dropped rather than narrowed.
    pub min: u16,
    /// Cells beyond which it does not grow.
    pub max: u16,
    /// 0 is never dropped; the highest number goes first.
    pub priority: u8,
    /// Which side.
    pub align: Align,
}

impl Column {
    /// A column of text.
    pub const fn text(
        id: &'static str,
        title: &'static str,
        letter: char,
        (min, max): (u16, u16),
        priority: u8,
    ) -> Self {
        Self { id, title, letter, min, max, priority, align: Align::Left }
    }

    /// A column of numbers.
    pub const fn number(
        id: &'static str,
        title: &'static str,
        letter: char,
        cells: u16,
        priority: u8,
    ) -> Self {
        Self { id, title, letter, min: cells, max: cells, priority, align: Align::Right }
    }
}

/// A shown column: its number in the definition, and its width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Number in the definition.
    pub column: usize,
    /// Cells.
    pub width: u16,
}

/// The columns for a window of `width` cells, in the order of the definition. `hidden` says which a person has
/// switched off.
pub fn fit(columns: &[Column], hidden: impl Fn(&Column) -> bool, width: u16) -> Vec<Shown> {
    let mut wanted: Vec<(usize, &Column)> =
        columns.iter().enumerate().filter(|(_, column)| column.priority == 0 || !hidden(column)).collect();
    // The last of the least important goes first; one column always stays, however narrow.
    while wanted.len() > 1 && needed(&wanted) > u32::from(width) {
        let worst = wanted.iter().map(|(_, column)| column.priority).max().unwrap_or_default();
        if worst == 0 {
            break;
        }
        if let Some(at) = wanted.iter().rposition(|(_, column)| column.priority == worst) {
            wanted.remove(at);
        }
    }
    let mut shown: Vec<Shown> =
        wanted.iter().map(|(number, column)| Shown { column: *number, width: column.min }).collect();
    let mut spare = u32::from(width).saturating_sub(needed(&wanted));
    // Names first, each by how much it may grow: the rest reads well at its least width.
    for names in [true, false] {
        let mut before = 0;
        while spare > 0 && spare != before {
            before = spare;
            for (place, (_, column)) in shown.iter_mut().zip(&wanted) {
                let stretch = column.max.saturating_sub(column.min);
                if (stretch >= ELASTIC) != names {
                    continue;
                }
                let step = (stretch / ELASTIC).max(1).min(column.max.saturating_sub(place.width));
                let step = step.min(u16::try_from(spare).unwrap_or(u16::MAX));
                place.width += step;
                spare -= u32::from(step);
            }
        }
    }
    shown
}

fn needed(columns: &[(usize, &Column)]) -> u32 {
    let gaps = columns.len().saturating_sub(1) * usize::from(GAP);
    let cells: u32 = columns.iter().map(|(_, column)| u32::from(column.min)).sum();
    cells + u32::try_from(gaps).unwrap_or(u32::MAX)
}
