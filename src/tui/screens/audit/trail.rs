//! What the audit screen knows of the trail: rows read so far, newest first, which of them the filter lets through,
//! and what to read next. A row keeps the words of an entry; the entry itself is read again when it is opened, so a
//! long trail stays small in memory.

use crate::domain::Timestamp;
use crate::domain::audit::{Entry, Outcome};
use crate::domain::name::plain;
use crate::engine::AuditPage;
use crate::tui::sight::filter::{self, needs};
use crate::tui::widgets::data_table::{Cell, Rows};

use super::words;
use crate::tui::app::times::Times;
use crate::tui::theme::{Glyphs, Role};

/// One entry in words.
pub struct Row {
    /// Its number.
    pub seq: u64,
    at: Timestamp,
    who: String,
    role: String,
    what: String,
    refused: Option<Refused>,
    via: String,
    /// Everything the filter looks into, as a search reads it.
    text: String,
    event: String,
}

/// What was refused.
enum Refused {
    /// What an operator wanted to do, and why.
    Command(String),
    /// Requests with a key; the words say why.
    Requests,
}

impl Row {
    fn of(entry: &Entry) -> Self {
        let refused = match (entry.outcome, entry.denial()) {
            (Outcome::Done, _) => None,
            (Outcome::Refused, Some(_)) => Some(Refused::Requests),
            (Outcome::Refused, None) => Some(Refused::Command(words::reason(entry.reason.as_deref()))),
        };
        let what = words::what(entry);
        let mut text = format!("{what} {} {} {}", entry.event, entry.actor.name, entry.seq);
        for subject in &entry.subjects {
            text.extend([" ", &subject.name, " ", &subject.id]);
        }
        text.extend(match &refused {
            Some(Refused::Command(why)) => Some(format!(" refused {why}")),
            Some(Refused::Requests) => Some(" refused".into()),
            None => None,
        });
        Self {
            seq: entry.seq,
            at: Timestamp(entry.at),
            who: entry.actor.name.clone(),
            role: entry.actor.role.clone(),
            what,
            refused,
            via: words::via(&entry.actor.via).to_owned(),
            text: plain(&text),
            event: entry.event.clone(),
        }
    }
}

/// A filter line over the trail.
pub type Filter = filter::Filter<Term>;

/// Something asked of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// Somebody with this in their name did it.
    Who(String),
    /// Its event has this in its code.
    Event(String),
    /// It came this way.
    Via(String),
    /// It was not done.
    Refused,
}

impl filter::Term for Term {
    const EXAMPLES: &'static str =
        "who:maria  NOT event:key.revoke  via:cli OR via:http  refused  or any text";
    const FIELDS: &'static str = "who: event: via:";

    fn read(field: &str, sign: char, value: String) -> Option<Result<Self, String>> {
        Some(match (field, value.as_str()) {
            ("who", "") => needs(field, sign, "a name"),
            ("who", _) => Ok(Self::Who(value)),
            ("event", "") => needs(field, sign, "an event, such as key.revoke"),
            ("event", _) => Ok(Self::Event(value)),
            ("via", "") => needs(field, sign, "a way, such as cli or console"),
            ("via", _) => Ok(Self::Via(value)),
            _ => return None,
        })
    }

    fn bare(word: &str) -> Option<Self> {
        (word == "refused").then_some(Self::Refused)
    }
}

/// Whether a line asks for an entry.
fn lets(filter: &Filter, row: &Row) -> bool {
    filter.lets(false, &row.text, |term| match term {
        Term::Who(who) => plain(&row.who).contains(who),
        Term::Event(event) => row.event.contains(event.as_str()),
        Term::Via(via) => row.via.contains(via) || (via == "cli" && row.via == "command line"),
        Term::Refused => row.refused.is_some(),
    })
}

/// The trail as far as it was read.
#[derive(Default)]
pub struct Trail {
    /// Newest first.
    rows: Vec<Row>,
    /// Numbers of the rows the filter lets through.
    shown: Vec<usize>,
    filter: Filter,
    /// Where older entries go on; `None` before the first page and at the beginning of the trail.
    older: Option<u64>,
    /// Rows newer than those known, while more than one page of them is read.
    fresh: Vec<Row>,
}

impl Trail {
    /// Takes the newest page. `Some` when there is a gap to what is known: read on before that number.
    pub fn add_newest(&mut self, page: &AuditPage) -> Option<u64> {
        let known = self.rows.first().map(|row| row.seq);
        let new = page.lines.iter().filter(|line| known.is_none_or(|known| line.entry.seq > known));
        self.fresh.extend(new.map(|line| Row::of(&line.entry)));
        let Some(known) = known else {
            self.older = page.next;
            self.rows = std::mem::take(&mut self.fresh);
            self.sift();
            return None;
        };
        // Rows of others are left out for some operators, so a hole in the numbers is no sign; the page's reach is.
        let gap = page.next.filter(|next| *next > known + 1);
        if gap.is_none() {
            let mut rows = std::mem::take(&mut self.fresh);
            rows.append(&mut self.rows);
            self.rows = rows;
            self.sift();
        }
        gap
    }

    /// Takes a page of older entries.
    pub fn add_older(&mut self, page: &AuditPage) {
        let from = self.rows.len();
        let known = self.rows.last().map(|row| row.seq);
        let new = page.lines.iter().filter(|line| known.is_none_or(|known| line.entry.seq < known));
        self.rows.extend(new.map(|line| Row::of(&line.entry)));
        self.older = page.next;
        let added = (from..self.rows.len())
            .filter(|at| self.rows.get(*at).is_some_and(|row| lets(&self.filter, row)));
        self.shown.extend(added);
    }

    /// Filters from now on.
    pub fn set_filter(&mut self, filter: Filter) {
        if self.filter != filter {
            self.filter = filter;
            self.sift();
        }
    }

    /// What is filtered by.
    pub const fn filter(&self) -> &Filter {
        &self.filter
    }

    /// How many entries were read.
    pub const fn read(&self) -> usize {
        self.rows.len()
    }

    /// How many entries the filter lets through.
    pub const fn shown_len(&self) -> usize {
        self.shown.len()
    }

    /// Where older entries go on, if there are any.
    pub const fn older(&self) -> Option<u64> {
        self.older
    }

    /// When the oldest entry read happened.
    pub fn reaches_back_to(&self) -> Option<Timestamp> {
        self.rows.last().map(|row| row.at)
    }

    fn sift(&mut self) {
        let lets = |(at, row): (usize, &Row)| lets(&self.filter, row).then_some(at);
        self.shown = self.rows.iter().enumerate().filter_map(lets).collect();
    }

    fn row(&self, index: usize) -> Option<&Row> {
        self.rows.get(*self.shown.get(index)?)
    }
}

/// The trail as a table shows it.
pub struct Shown<'a> {
    /// The trail.
    pub trail: &'a Trail,
    /// How to say times.
    pub times: Times,
    /// Signs.
    pub glyphs: &'static Glyphs,
    /// Whether roles stand beside names.
    pub roles: Roles,
}

/// Whether the role of who did it stands beside the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Roles {
    /// It does.
    Shown,
    /// What was done needs the room.
    Left,
}

impl Rows for Shown<'_> {
    type Id = u64;

    fn len(&self) -> usize {
        self.trail.shown.len()
    }

    fn id(&self, index: usize) -> Option<u64> {
        self.trail.row(index).map(|row| row.seq)
    }

    fn find(&self, id: &u64) -> Option<usize> {
        // Newest first: the numbers fall.
        let seq = |at: &usize| self.trail.rows.get(*at).map_or(0, |row| row.seq);
        self.trail.shown.binary_search_by(|at| id.cmp(&seq(at))).ok()
    }

    fn cell(&self, index: usize, column: &'static str) -> Cell<'_> {
        let Some(row) = self.trail.row(index) else { return Cell::new("") };
        match column {
            "when" => Cell::new(self.times.relative(row.at)),
            "at" => Cell::with_role(self.times.minute(row.at), Role::Dim),
            "who" if row.role.is_empty() || self.roles == Roles::Left => Cell::new(row.who.as_str()),
            "who" => Cell::new(format!("{} ({})", row.who, row.role)),
            "what" => match &row.refused {
                Some(Refused::Requests) => Cell::state(self.glyphs.bad, row.what.as_str(), Role::Bad),
                Some(Refused::Command(why)) => {
                    Cell::state(self.glyphs.bad, format!("refused, {why}: {}", row.what), Role::Bad)
                }
                None => Cell::new(row.what.as_str()),
            },
            "via" => Cell::with_role(row.via.as_str(), Role::Dim),
            _ => Cell::new(""),
        }
    }
}
