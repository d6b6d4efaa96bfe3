//! What the audit screen knows of the trail: the entries read so far as rows of a list, newest first, and what to read next.
//! A row keeps the words of an entry; the entry itself is read again when it is opened, so a long trail stays small in
//! memory.

use crate::domain::Timestamp;
use crate::domain::audit::{Entry, Outcome};
use crate::domain::filter::{self, needs};
use crate::domain::name::plain;
use crate::engine::AuditPage;
use crate::engine::audit_log::Older;
use crate::tui::app::ask::{Errand, Tab};
use crate::tui::app::times::Times;
use crate::tui::list::{Cell, Column, Listed};
use crate::tui::sight::jump::{Kind, Offer};
use crate::tui::sight::words;
use crate::tui::theme::{Badge, Role};

/// One entry in words.
pub struct Row {
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

/// The trail as far as it was read.
#[derive(Default)]
pub struct Trail {
    rows: Vec<Row>,
    /// Where older entries go on; `None` before the first page and at the beginning of the trail.
    older: Option<u64>,
    /// Where those are that are no longer in the store, once its beginning was read.
    elsewhere: Option<Box<Older>>,
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
            self.rows = std::mem::take(&mut self.fresh);
            self.end(page);
            return None;
        };
        if page.older.is_some() {
            self.end(page);
        }
        // Rows of others are left out for some operators, so a hole in the numbers is no sign; the page's reach is.
        let gap = page.next.filter(|next| *next > known + 1);
        if gap.is_none() {
            let mut rows = std::mem::take(&mut self.fresh);
            rows.append(&mut self.rows);
            self.rows = rows;
        }
        gap
    }

    /// Takes a page of older entries.
    pub fn add_older(&mut self, page: &AuditPage) {
        let known = self.rows.last().map(|row| row.seq);
        let new = page.lines.iter().filter(|line| known.is_none_or(|known| line.entry.seq < known));
        self.rows.extend(new.map(|line| Row::of(&line.entry)));
        self.end(page);
    }

    /// Where the trail goes on after a page, or where it ends: what was taken out meanwhile is not shown any more.
    fn end(&mut self, page: &AuditPage) {
        (self.older, self.elsewhere) = (page.next, page.older.clone());
        if let Some(older) = &page.older {
            self.rows.retain(|row| row.seq > older.upto);
        }
    }

    /// The numbers of the entries read, newest first.
    pub fn numbers(&self) -> impl Iterator<Item = u64> {
        self.rows.iter().map(|row| row.seq)
    }

    /// What was read, newest first, to be jumped to.
    pub fn offers(&self, times: Times) -> impl Iterator<Item = Offer> {
        self.rows.iter().map(move |row| {
            let hint = format!("{}, {}", times.relative(row.at), row.who);
            let offer =
                Offer::there(Kind::Entry, Tab::Audit, Errand::Entry(row.seq), row.what.as_str(), hint);
            Offer { text: row.text.clone(), ..offer }
        })
    }

    /// How many entries were read.
    pub const fn read(&self) -> usize {
        self.rows.len()
    }

    /// Where older entries go on, if there are any.
    pub const fn older(&self) -> Option<u64> {
        self.older
    }

    /// Where entries are that are no longer in the store.
    pub fn elsewhere(&self) -> Option<&Older> {
        self.elsewhere.as_deref()
    }

    /// When the oldest entry read happened.
    pub fn reaches_back_to(&self) -> Option<Timestamp> {
        self.rows.last().map(|row| row.at)
    }
}

/// The trail as a list shows it.
pub struct Sight<'a> {
    pub trail: &'a Trail,
    pub times: Times,
}

pub struct Entries;

impl Listed for Entries {
    type Id = u64;
    type Row = Row;
    type Sight<'a> = Sight<'a>;
    type Term = Term;

    const ONE: &'static str = "entry";

    fn row<'a>(sight: &'a Sight<'_>, seq: u64) -> Option<&'a Row> {
        // Newest first: the numbers fall.
        let at = sight.trail.rows.binary_search_by(|row| seq.cmp(&row.seq)).ok()?;
        sight.trail.rows.get(at)
    }

    fn name<'a>(row: &'a Row, _: &'a Sight<'_>) -> &'a str {
        &row.what
    }

    fn text(row: &Row, _: &Sight<'_>, room: &mut String) {
        room.push_str(&row.text);
    }

    fn values(field: &str, sign: char, sight: &Sight<'_>) -> Vec<String> {
        let rows = sight.trail.rows.iter();
        match (field, sign) {
            ("who", ':') => rows.map(|row| row.who.clone()).collect(),
            ("event", ':') => rows.map(|row| row.event.clone()).collect(),
            ("via", ':') => rows.map(|row| row.via.clone()).collect(),
            _ => Vec::new(),
        }
    }

    fn fits(term: &Term, row: &Row, _: &Sight<'_>) -> bool {
        match term {
            Term::Who(who) => plain(&row.who).contains(who),
            Term::Event(event) => row.event.contains(event.as_str()),
            Term::Via(via) => row.via.contains(via) || (via == "cli" && row.via == "command line"),
            Term::Refused => row.refused.is_some(),
        }
    }
}

type Col = Column<Entries>;

static WHEN: Col =
    Col::text("When", 'w', (10, 10), 0, |row, sight| Cell::new(Role::Text, sight.times.relative(row.at)));
static TIME: Col =
    Col::text("Time", 't', (16, 16), 4, |row, sight| Cell::new(Role::Dim, sight.times.minute(row.at)));
static WHO: Col = Col::text("Who", 'o', (18, 18), 2, |row, _| {
    let said = if row.role.is_empty() { row.who.clone() } else { format!("{} ({})", row.who, row.role) };
    Cell::new(Role::Text, said)
});
static NAME: Col = Col::text("Who", 'o', (9, 12), 2, |row, _| Cell::new(Role::Text, row.who.as_str()));
static WHAT: Col = Col::text("What", 'h', (26, 120), 0, |row, _| match &row.refused {
    Some(why) => Cell {
        badge: Some(Badge::Revoked),
        text: match why {
            Refused::Requests => row.what.as_str().into(),
            Refused::Command(why) => format!("refused, {why}: {}", row.what).into(),
        },
        role: Role::Bad,
    },
    None => Cell::new(Role::Text, row.what.as_str()),
});
static VIA: Col = Col::text("Via", 'v', (12, 12), 3, |row, _| Cell::new(Role::Dim, row.via.as_str()));

/// Cells from which on there is room for the roles of those who did something.
const WITH_ROLES: u16 = 100;

/// The columns for a window of `width` cells. In a narrow one what was done gets the room; the rest is told when an entry is
/// opened.
pub fn columns(width: u16) -> Vec<&'static Col> {
    if width < WITH_ROLES { vec![&WHEN, &NAME, &WHAT] } else { vec![&WHEN, &TIME, &WHO, &WHAT, &VIA] }
}
