//! What the audit screen knows of the trail: rows read so far, newest first, which of them the filter lets through,
//! and what to read next. A row keeps the words of an entry; the entry itself is read again when it is opened, so a
//! long trail stays small in memory.

use crate::domain::Timestamp;
use crate::domain::audit::{Entry, Outcome};
use crate::domain::name::plain;
use crate::engine::AuditPage;
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

/// What the filter line says, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter(Vec<Test>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    Who(String),
    Event(String),
    Via(String),
    Refused,
    Text(String),
}

impl Filter {
    /// Reads words: `who:maria`, `event:key.revoke`, `via:cli`, `refused`, or any text. All must hold.
    pub fn parse(text: &str) -> Self {
        let tests = plain(text);
        let tests = tests.split_whitespace().filter_map(|word| {
            let test = match word.split_once(':') {
                Some(("who", who)) => Test::Who(who.into()),
                Some(("event", event)) => Test::Event(event.into()),
                Some(("via", via)) => Test::Via(via.into()),
                _ if word == "refused" => Test::Refused,
                _ => Test::Text(word.into()),
            };
            // A test still being typed lets everything through.
            let empty = matches!(&test, Test::Who(t) | Test::Event(t) | Test::Via(t) if t.is_empty());
            (!empty).then_some(test)
        });
        Self(tests.collect())
    }

    /// Whether it lets everything through.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn lets(&self, row: &Row) -> bool {
        self.0.iter().all(|test| match test {
            Test::Who(who) => plain(&row.who).contains(who),
            Test::Event(event) => row.event.contains(event.as_str()),
            Test::Via(via) => row.via.contains(via) || (via == "cli" && row.via == "command line"),
            Test::Refused => row.refused.is_some(),
            Test::Text(text) => row.text.contains(text.as_str()),
        })
    }
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
        let added =
            (from..self.rows.len()).filter(|at| self.rows.get(*at).is_some_and(|row| self.filter.lets(row)));
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
        let lets = |(at, row): (usize, &Row)| self.filter.lets(row).then_some(at);
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
