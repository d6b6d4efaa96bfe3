//! What is to be said against keys and apps as rows of a list: how much it weighs, what it is, whose it is, and what of its
//! scopes was needed.

use std::collections::HashMap;

use crate::domain::filter::{self, needs, push_plain};
use crate::domain::name::plain;
use crate::domain::review::{About, Concern, Row, why};
use crate::domain::{Bearer, Timestamp};
use crate::tui::list::{Cell, Column, Listed, Rank};
use crate::tui::screens::keys::list::used_rank;
use crate::tui::sight::review;
use crate::tui::sight::seen::Seen;
use crate::tui::sight::values;
use crate::tui::theme::Role;

/// All rows, by what they are about.
pub type Rows = HashMap<Bearer, Row>;

/// From so much on a row is told as bad.
const HIGH: u16 = 50;

/// What the list looks at.
pub struct Sight<'a> {
    pub rows: &'a Rows,
    pub seen: &'a Seen<'a>,
}

impl<'a> Sight<'a> {
    /// What a row is about, while it is there.
    pub fn about(&self, row: &Row) -> Option<About<'a>> {
        self.seen.reviewer().about(row.who)
    }

    /// Since when fewer scopes are tried on it.
    pub fn begun(&self, row: &Row) -> Option<Timestamp> {
        let Bearer::Key(id) = row.who else { return None };
        self.seen.view.key(id)?.reports_only().map(|tried| tried.begun)
    }

    /// What is to be said of it, in words.
    pub fn why(&self, row: &Row) -> String {
        let by = self.seen.reviewer();
        let all = by.of(row);
        let said = why(&all);
        by.kept(row.who, &all).map_or(said.clone(), |kept| review::kept_words(kept, by, &said))
    }

    fn owner(&self, row: &Row) -> &'a str {
        self.about(row).map_or("", |about| self.seen.view.name_of(about.owner))
    }
}

pub struct Reviewed;

/// What may be asked of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// What is said of it has this in it.
    Why(String),
    /// This is said of it: a word of [`Concern::CODES`].
    Said(String),
    /// Its owner's name has.
    Owner(String),
    /// More weighs against it.
    Above(u16),
    /// Less does.
    Below(u16),
}

impl filter::Term for Term {
    const EXAMPLES: &'static str = "why:never  risk>50  owner:jonas";
    const FIELDS: &'static str = "why: risk> risk< owner:";

    fn read(field: &str, sign: char, value: String) -> Option<Result<Self, String>> {
        Some(match (field, sign, value.as_str()) {
            ("why", ':', "") => needs(field, sign, "a word, such as never or expiry"),
            ("why", ':', code) if Concern::CODES.contains(&code) => Ok(Self::Said(value)),
            ("why", ':', _) => Ok(Self::Why(value)),
            ("owner", ':', "") => needs(field, sign, "a name"),
            ("owner", ':', _) => Ok(Self::Owner(value)),
            ("risk", '>' | '<', number) => match number.parse() {
                Ok(risk) if sign == '>' => Ok(Self::Above(risk)),
                Ok(risk) => Ok(Self::Below(risk)),
                Err(_) => needs(field, sign, "a number, such as 50"),
            },
            _ => return None,
        })
    }
}

impl Listed for Reviewed {
    type Id = Bearer;
    type Row = Row;
    type Sight<'a> = Sight<'a>;
    type Term = Term;

    const ONE: &'static str = "row";

    fn row<'a>(sight: &'a Sight<'_>, id: Bearer) -> Option<&'a Row> {
        sight.rows.get(&id).filter(|row| sight.about(row).is_some())
    }

    fn name<'a>(row: &'a Row, sight: &'a Sight<'_>) -> &'a str {
        sight.seen.reviewer().name(row.who)
    }

    fn text(row: &Row, sight: &Sight<'_>, room: &mut String) {
        let id = row.who.public();
        for field in
            [Self::name(row, sight), "\n", &sight.why(row), "\n", sight.owner(row), "\n", id.as_str()]
        {
            push_plain(room, field);
        }
    }

    fn values(field: &str, sign: char, sight: &Sight<'_>) -> Vec<String> {
        if (field, sign) == ("owner", ':') { values::owners(sight.seen) } else { Vec::new() }
    }

    fn fits(term: &Term, row: &Row, sight: &Sight<'_>) -> bool {
        match term {
            Term::Why(word) => plain(&sight.why(row)).contains(word.as_str()),
            Term::Said(code) => sight.seen.reviewer().of(row).iter().any(|said| said.code() == code),
            Term::Owner(name) => plain(sight.owner(row)).contains(name.as_str()),
            Term::Above(risk) => row.risk > *risk,
            Term::Below(risk) => row.risk < *risk,
        }
    }
}

type Col = Column<Reviewed>;

/// The columns. Whose a key is matters to who sees those of others.
pub fn columns(seen: &Seen<'_>) -> Vec<&'static Col> {
    let owner = seen.view.is_whole().then_some(&OWNER);
    [Some(&RISK), Some(&WHY), Some(&KEY), Some(&GRANTED), Some(&NEEDED), Some(&USED), owner]
        .into_iter()
        .flatten()
        .collect()
}

static RISK: Col =
    Col::text("Risk", 'r', (5, 5), 0, |row, _| Cell::new(risk_role(row.risk), review::bar(row.risk)))
        .by(|row, _| Rank::Number(-i64::from(row.risk)))
        .greatest_first();
static WHY: Col = Col::text("Why", 'w', (24, 52), 0, |row, sight| Cell::new(Role::Text, sight.why(row)))
    .by(|row, sight| Rank::text(&sight.why(row)));
static KEY: Col = Col::text("Key", 'k', (14, 30), 0, |row, sight| {
    let name = Reviewed::name(row, sight);
    match row.who {
        Bearer::Key(_) => Cell::new(Role::Text, name),
        Bearer::App(_) => Cell::new(Role::Text, format!("{name} (app)")),
    }
})
.by(|_, _| Rank::Name);
static GRANTED: Col = Col::number("Granted", 'g', 7, 4, |row, sight| {
    Cell::new(Role::Text, sight.about(row).map_or_else(String::new, |about| about.scopes.len().to_string()))
})
.by(|row, sight| Rank::count(sight.about(row).map_or(0, |about| about.scopes.len())));
static NEEDED: Col = Col::number("Used", 'd', 4, 4, |row, sight| {
    Cell::new(Role::Text, sight.about(row).map_or_else(String::new, |about| review::needed(&about)))
})
.by(|row, sight| Rank::count(sight.about(row).and_then(|about| about.needed_count()).unwrap_or(usize::MAX)));
static USED: Col = Col::text("Last used", 'u', (10, 11), 1, |row, sight| {
    let last = sight.about(row).map(|about| about.last.brief(|at| sight.seen.times.relative(at)));
    Cell::new(Role::Dim, last.unwrap_or_default())
})
.by(|row, sight| sight.about(row).map_or(Rank::Number(i64::MIN), |about| used_rank(about.last)));
static OWNER: Col = Col::text("Owner", 'o', (7, 12), 3, |row, sight| Cell::new(Role::Text, sight.owner(row)))
    .by(|row, sight| Rank::text(sight.owner(row)));

/// The look of so much.
pub const fn risk_role(risk: u16) -> Role {
    if risk >= HIGH { Role::Bad } else { Role::Warn }
}
