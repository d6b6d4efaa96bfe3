//! Putting rows in order and filtering them. A list of a few is looked through where it is drawn; of many, on another
//! thread and a few at a time, so that neither the one who draws nor the one who writes waits for the state.

use std::cmp::Ordering;
use std::sync::Arc;

use super::column::Ranking;
use super::{List, Listed, Rank, Sort};
use crate::domain::filter::Filter;
use crate::domain::name::plain;

/// As many rows are looked through at once, in less than a frame. Few in a test, whose store is small.
pub const AT_ONCE: usize = if cfg!(test) { 20 } else { 2_000 };
/// Rows looked at before the state is let go for whoever wants it.
pub const AT_A_TIME: usize = 4_096;
/// Rows a filter goes through before it shows what it has found; then twice as many, and so on.
const PART: usize = 16_384;

/// Looks at what there is to be seen once, and holds it only as long as that takes.
pub type Glance<'g, L> = &'g dyn Fn(&mut dyn FnMut(&<L as Listed>::Sight<'_>));

/// Whether rows are being put in order elsewhere: once at a time, else none would ever be in time in a store that many change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Search {
    /// They are in order.
    #[default]
    Done,
    UnderWay,
    /// They are, and something changed meanwhile.
    Again,
}

impl Search {
    /// Whether to begin now; while one is under way another follows it.
    pub fn begin(&mut self) -> bool {
        let begins = *self == Self::Done;
        *self = if begins { Self::UnderWay } else { Self::Again };
        begins
    }

    /// One has ended; whether another is to follow.
    pub fn end(&mut self) -> bool {
        std::mem::take(self) == Self::Again
    }
}

/// Rows on their way into an order.
pub struct Order<L: Listed> {
    sort: Sort,
    by: Option<Ranking<L>>,
    ranked: Vec<(Rank, String, L::Id)>,
    hidden: usize,
}

pub struct Ordered<L: Listed> {
    sort: Sort,
    all: Arc<Vec<L::Id>>,
    /// How many of them are out of sight unless asked for.
    hidden: usize,
}

impl<L: Listed> Order<L> {
    /// Takes in one more row, if it is still there.
    pub fn add(&mut self, id: L::Id, sight: &L::Sight<'_>) {
        let Some(row) = L::row(sight, id) else { return };
        self.hidden += usize::from(L::is_hidden(row, sight));
        self.ranked.push(self.by.map_or((Rank::Number(0), String::new(), id), |by| {
            (by(row, sight), plain(L::name(row, sight)), id)
        }));
    }

    /// Ties go by name, then id, whichever the direction, so that the order is the same each time.
    pub fn finish(mut self) -> Ordered<L> {
        let turned = |order: Ordering| if self.sort.falling { order.reverse() } else { order };
        if self.by.is_some() {
            self.ranked.sort_unstable_by(|(rank, name, id), (other, others, last)| {
                let names = name.cmp(others);
                let names = if *rank == Rank::Name { turned(names) } else { names };
                turned(rank.cmp(other)).then(names).then_with(|| id.cmp(last))
            });
            // Looked through while it changed, one may have been seen twice.
            self.ranked.dedup_by(|(.., id), (.., last)| id == last);
        }
        let all = Arc::new(self.ranked.into_iter().map(|(.., id)| id).collect());
        Ordered { sort: self.sort, all, hidden: self.hidden }
    }
}

/// A filter on its way through the rows.
pub struct Sift<L: Listed> {
    /// Which of the list's filters it is; what an older one finds is not wanted any more.
    turn: u64,
    query: Filter<L::Term>,
    all: Arc<Vec<L::Id>>,
    found: Vec<L::Id>,
    from: usize,
    part: usize,
}

impl<L: Listed> Sift<L> {
    fn is_done(&self) -> bool {
        self.from >= self.all.len()
    }

    /// Goes through the rows up to `to`.
    fn go(&mut self, to: usize, sight: &L::Sight<'_>) {
        let mut room = String::new();
        let lets = |id: &&L::Id| {
            L::row(sight, **id).is_some_and(|row| {
                room.clear();
                if self.query.has_words() {
                    L::text(row, sight, &mut room);
                }
                self.query.lets(L::is_hidden(row, sight), &room, |term| L::fits(term, row, sight))
            })
        };
        self.found.extend(self.all.get(self.from..to).unwrap_or_default().iter().filter(lets));
        self.from = to;
    }

    /// Goes through some more, of which something can be shown.
    #[must_use]
    pub fn run(mut self, glance: Glance<'_, L>) -> Self {
        let end = self.all.len().min(self.from.saturating_add(self.part));
        while self.from < end {
            let to = end.min(self.from + AT_A_TIME);
            glance(&mut |sight| self.go(to, sight));
        }
        self.part = self.part.saturating_mul(2);
        self
    }
}

impl<L: Listed> List<L> {
    /// Whether it is looked through elsewhere.
    pub fn is_long(&self) -> bool {
        self.all.len() > AT_ONCE
    }

    /// Begins to put rows in the order chosen.
    pub fn order(&self) -> Order<L> {
        let by = self.columns.iter().find(|column| column.letter == self.sort.letter);
        let by = by.or(self.columns.first()).and_then(|column| column.rank);
        Order { sort: self.sort, by, ranked: Vec::new(), hidden: 0 }
    }

    /// Has these rows from now on, to be sifted next; `false` when another order is wanted by now.
    pub fn take(&mut self, ordered: Ordered<L>) -> bool {
        let wanted = ordered.sort == self.sort;
        if wanted {
            (self.all, self.hidden) = (ordered.all, ordered.hidden);
        }
        wanted
    }

    pub fn begin(&mut self) -> Sift<L> {
        self.turn += 1;
        // Whatever rows come first: the selection waits for its own.
        self.awaited = self.awaited.or(self.selected);
        Sift {
            turn: self.turn,
            query: self.query.clone(),
            all: Arc::clone(&self.all),
            found: Vec::new(),
            from: 0,
            part: PART,
        }
    }

    /// Filters here and now.
    pub fn sift(&mut self, sight: &L::Sight<'_>) {
        let mut sift = self.begin();
        sift.go(sift.all.len(), sight);
        self.found(sift);
    }

    /// Shows what a filter has found, and gives it back while it has not been through all rows.
    pub fn found(&mut self, sift: Sift<L>) -> Option<Sift<L>> {
        if sift.turn != self.turn {
            return None;
        }
        let done = sift.is_done();
        // Until there is something to see, or nothing is certain, the rows of before stay.
        if done || !sift.found.is_empty() {
            self.shown.clone_from(&sift.found);
            let wanted = self.awaited.or(self.selected);
            let still = self.shown.get(self.at).copied() == wanted;
            let found = if still { None } else { wanted.and_then(|id| self.find(id)) };
            self.go(found.unwrap_or(self.at));
            self.choose();
        }
        if done {
            self.awaited = None;
            return None;
        }
        Some(sift)
    }
}
