//! Notices as rows of a list: when, what happens, to which key, whose it is, and what follows if nobody does anything.

use std::collections::HashMap;

use crate::domain::filter::{self, needs, push_plain};
use crate::domain::lifecycle::{NoticeKind, STEPS};
use crate::domain::name::plain;
use crate::domain::notice::{Notice, Trouble, What};
use crate::domain::{App, AppId, Extent, Key, KeyId, LastUse, OperatorId};
use crate::engine::Troubles;
use crate::tui::list::{Cell, Column, Listed, Rank};
use crate::tui::sight::seen::{LOCKED_DOWN, Seen};
use crate::tui::sight::values;
use crate::tui::theme::{Badge, Role};

/// What a notice is about, and of what kind: one of each at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowId {
    Trouble(Trouble),
    Held,
    PutBack,
    LockedDown(Extent),
    Owner(OperatorId),
    Key(KeyId, NoticeKind),
    Grace(KeyId),
    Secret(AppId),
}

impl RowId {
    /// Of a notice.
    pub fn of(notice: &Notice) -> Option<Self> {
        Some(match notice.what {
            What::Trouble(trouble) => Self::Trouble(trouble),
            What::Held(_) => Self::Held,
            What::PutBack => Self::PutBack,
            What::LockedDown(extent) => Self::LockedDown(extent),
            What::OwnerGone(owner, _) => Self::Owner(owner),
            What::GraceEnds | What::StillUsed => match notice.app {
                Some(app) => Self::Secret(app),
                None => Self::Grace(notice.key?),
            },
            What::Deletion { .. }
            | What::Ends
            | What::Ended
            | What::Clears
            | What::Deleted
            | What::Presented { .. }
            | What::Restored => Self::Key(notice.key?, notice.what.kind()?),
        })
    }
}

/// A notice, and which it is of all.
pub struct Row {
    pub at: usize,
    pub notice: Notice,
}

/// The notices by what they are about.
pub type Rows = HashMap<RowId, Row>;

/// What the list looks at.
pub struct Sight<'a> {
    pub rows: &'a Rows,
    pub troubles: &'a Troubles,
    pub seen: &'a Seen<'a>,
}

impl<'a> Sight<'a> {
    /// The key a notice is about, if it is about one.
    pub fn key(&self, notice: &Notice) -> Option<&'a Key> {
        self.seen.view.key(notice.key?)
    }

    /// The app whose secret it is about, if it is about one.
    pub fn app(&self, notice: &Notice) -> Option<&'a App> {
        self.seen.view.app(notice.app?)
    }

    /// What happens, with its sign.
    pub fn what(&self, notice: &Notice) -> (Badge, String) {
        let late = notice.when <= self.seen.now();
        match notice.what {
            What::Trouble(trouble) => (Badge::Revoked, trouble.words().to_owned()),
            What::Held(1) => (Badge::Pending, "1 deletion waits for you".to_owned()),
            What::Held(count) => (Badge::Pending, format!("{count} deletions wait for you")),
            What::PutBack => (Badge::Pending, "put back, waits for you".to_owned()),
            What::LockedDown(_) => (Badge::Pending, LOCKED_DOWN.to_owned()),
            What::OwnerGone(..) => (Badge::Pending, "owner disabled, keys work".to_owned()),
            What::Deletion { .. } if late => (Badge::Idle, "deleted by the next sweep".to_owned()),
            What::Deletion { told: 0 } => (Badge::Idle, "is told of its deletion".to_owned()),
            What::Deletion { told } => (Badge::Idle, format!("deleted, unused ({told} of {})", STEPS.len())),
            What::Ends => (Badge::Expiring, "expires".to_owned()),
            What::GraceEnds if notice.app.is_some() => (Badge::Superseded, "old secret ends".to_owned()),
            What::StillUsed if notice.app.is_some() => {
                (Badge::Superseded, "old secret ends, still used".to_owned())
            }
            What::GraceEnds => (Badge::Superseded, "old half ends".to_owned()),
            What::StillUsed => (Badge::Superseded, "old half ends, still used".to_owned()),
            What::Ended => (Badge::Expired, "has expired".to_owned()),
            What::Clears => (Badge::Expired, "is cleared away".to_owned()),
            What::Deleted => (Badge::Deleted, "was deleted, unused".to_owned()),
            What::Presented { decoy: false } => (Badge::Pending, "deleted, still presented".to_owned()),
            What::Presented { decoy: true } => (Badge::Pending, "decoy, presented".to_owned()),
            What::Restored => (Badge::Revoked, "was restored, revoked".to_owned()),
        }
    }

    /// When, as short as it can be said.
    fn when(&self, notice: &Notice) -> String {
        match notice.what {
            What::Trouble(_) => "now".to_owned(),
            What::Deletion { .. } if notice.when <= self.seen.now() => "now".to_owned(),
            What::Held(_) => "waiting".to_owned(),
            What::Deleted | What::LockedDown(_) | What::OwnerGone(..) | What::PutBack => {
                self.seen.times.relative(notice.since)
            }
            What::Deletion { .. }
            | What::Ends
            | What::GraceEnds
            | What::StillUsed
            | What::Ended
            | What::Clears
            | What::Presented { .. }
            | What::Restored => self.seen.times.relative(notice.when),
        }
    }

    /// What follows if nobody does anything. Its beginning says it where the column is narrow.
    fn nothing(&self, notice: &Notice) -> String {
        match notice.what {
            What::Trouble(trouble) => match trouble {
                Trouble::Doubt => "requests are refused that it should let in",
                Trouble::Denials => "they are tried again, and in force meanwhile",
                Trouble::ReadOnly | Trouble::Disk => "nothing can be changed",
                Trouble::Seal => "it is tried again",
                Trouble::Delivery => "some are told nowhere but here",
                Trouble::Uses | Trouble::Clock | Trouble::Sweep => "nothing is deleted, and nobody is told",
            }
            .to_owned(),
            What::Held(_) | What::PutBack => "nothing is deleted".to_owned(),
            What::LockedDown(_) => "all of it stays refused".to_owned(),
            What::OwnerGone(..) => "their keys work on".to_owned(),
            What::Deletion { .. } => "dead for good".to_owned(),
            What::Ends | What::GraceEnds | What::StillUsed | What::Ended => self.callers(notice),
            What::Clears => "it stays refused".to_owned(),
            What::Deleted => format!("purged {}", self.seen.times.relative(notice.when)),
            What::Presented { .. } => "401 for whoever has it".to_owned(),
            What::Restored => "it stays revoked".to_owned(),
        }
    }

    /// Who misses a key: whoever used it last.
    fn callers(&self, notice: &Notice) -> String {
        let key = self.key(notice).map(|key| self.seen.view.last_use(key));
        let old = || self.seen.view.last_use_of_old_secret(self.app(notice)?, self.seen.now());
        match key.or_else(old).unwrap_or(LastUse::Never) {
            LastUse::At(at) => format!("401 for its callers, last {}", self.seen.times.relative(at)),
            LastUse::Never => "nobody is cut off: never used".to_owned(),
            LastUse::NotKnown(_) => "401 for callers, if it has any: not known".to_owned(),
        }
    }

    /// Whose it is.
    fn owner(&self, notice: &Notice) -> &'a str {
        match notice.what {
            What::OwnerGone(owner, _) | What::LockedDown(Extent::Owner(owner)) => {
                self.seen.view.name_of(owner)
            }
            _ => match self.app(notice) {
                Some(app) => self.seen.view.app_owner_name(app),
                None => self.key(notice).map_or("", |key| self.seen.view.owner_name(key)),
            },
        }
    }

    fn name(&self, notice: &Notice) -> &'a str {
        if let What::LockedDown(extent) = notice.what {
            return self.seen.view.extent_name(extent);
        }
        let app = self.app(notice).map(|app| app.name.as_str());
        app.or_else(|| self.key(notice).map(|key| key.name.as_str())).unwrap_or_default()
    }
}

pub struct Notices;

/// What may be asked of notices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// Somebody has seen it.
    Seen,
    /// What happens has this in it.
    What(String),
    /// Its owner's name has.
    Owner(String),
}

impl filter::Term for Term {
    const EXAMPLES: &'static str = "is:seen  what:expires  owner:jonas";
    const FIELDS: &'static str = "is: what: owner:";

    fn read(field: &str, sign: char, value: String) -> Option<Result<Self, String>> {
        Some(match (field, sign, value.as_str()) {
            ("is", ':', "seen") => Ok(Self::Seen),
            ("is", ':', _) => needs(field, sign, "seen"),
            ("what", ':', "") => needs(field, sign, "a word, such as deleted or expires"),
            ("what", ':', _) => Ok(Self::What(value)),
            ("owner", ':', "") => needs(field, sign, "a name"),
            ("owner", ':', _) => Ok(Self::Owner(value)),
            _ => return None,
        })
    }

    fn reveals(&self) -> bool {
        *self == Self::Seen
    }
}

impl Listed for Notices {
    type Id = RowId;
    type Row = Row;
    type Sight<'a> = Sight<'a>;
    type Term = Term;

    const ONE: &'static str = "notice";
    const HIDDEN: (&'static str, &'static str) = ("acknowledged", "is:seen");
    const MARGIN: u16 = 2;

    fn row<'a>(sight: &'a Sight<'_>, id: RowId) -> Option<&'a Row> {
        sight.rows.get(&id)
    }

    fn name<'a>(row: &'a Row, sight: &'a Sight<'_>) -> &'a str {
        sight.name(&row.notice)
    }

    fn text(row: &Row, sight: &Sight<'_>, room: &mut String) {
        let (_, what) = sight.what(&row.notice);
        for field in [sight.name(&row.notice), "\n", &what, "\n", sight.owner(&row.notice)] {
            push_plain(room, field);
        }
    }

    fn fits(term: &Term, row: &Row, sight: &Sight<'_>) -> bool {
        match term {
            Term::Seen => row.notice.seen.is_some(),
            Term::What(word) => plain(&sight.what(&row.notice).1).contains(word.as_str()),
            Term::Owner(name) => plain(sight.owner(&row.notice)).contains(name.as_str()),
        }
    }

    fn values(field: &str, sign: char, sight: &Sight<'_>) -> Vec<String> {
        match (field, sign) {
            ("owner", ':') => values::owners(sight.seen),
            ("is", ':') => vec!["seen".to_owned()],
            ("what", ':') => sight.rows.values().map(|row| sight.what(&row.notice).1).collect(),
            _ => Vec::new(),
        }
    }

    fn is_hidden(row: &Row, _: &Sight<'_>) -> bool {
        row.notice.seen.is_some()
    }
}

type Col = Column<Notices>;

/// The columns. Whose a key is matters to who sees those of others.
pub fn columns(seen: &Seen<'_>) -> Vec<&'static Col> {
    let owner = seen.view.is_whole().then_some(&OWNER);
    [Some(&WHEN), Some(&WHAT), Some(&KEY), owner, Some(&NOTHING)].into_iter().flatten().collect()
}

static WHEN: Col =
    Col::text("When", 'w', (10, 11), 0, |row, sight| Cell::new(quiet(row), sight.when(&row.notice)))
        .by(|row, _| Rank::count(row.at));
static WHAT: Col = Col::text("What happens", 'h', (27, 32), 0, |row, sight| {
    let (badge, words) = sight.what(&row.notice);
    let badge = Cell::badge(badge, words);
    if row.notice.seen.is_some() { Cell { role: Role::Dim, ..badge } } else { badge }
})
.by(|row, sight| Rank::text(&sight.what(&row.notice).1));
static KEY: Col = Col::text("Key", 'k', (14, 30), 1, |row, sight| {
    let name = sight.name(&row.notice);
    match row.notice.what {
        What::Held(count) | What::OwnerGone(_, count) => Cell::new(Role::Dim, keys(count)),
        _ if name.is_empty() => Cell::new(Role::Dim, "–"),
        _ => Cell::new(quiet(row), name),
    }
})
.by(|_, _| Rank::Name);
static OWNER: Col =
    Col::text("Owner", 'o', (7, 12), 3, |row, sight| Cell::new(quiet(row), sight.owner(&row.notice)))
        .by(|row, sight| Rank::text(sight.owner(&row.notice)));
static NOTHING: Col = Col::text("If left alone", 'i', (18, 46), 2, |row, sight| {
    Cell::new(Role::Dim, sight.nothing(&row.notice))
});

fn quiet(row: &Row) -> Role {
    if row.notice.seen.is_some() { Role::Dim } else { Role::Text }
}

fn keys(count: usize) -> String {
    if count == 1 { "1 key".to_owned() } else { format!("{count} keys") }
}
