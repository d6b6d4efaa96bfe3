//! Keys as rows of a list: which there are, their columns, and what is looked for in them. Cells are made for the rows on
//! the screen only.

use crate::domain::filter::keys::{self, Term};
use crate::domain::time::HOUR_MS;
use crate::domain::{Key, KeyId, LastUse};
use crate::tui::list::{Cell, Column, Listed, Rank};
use crate::tui::sight::seen::{Seen, Standing};
use crate::tui::sight::subset::Subset;
use crate::tui::sight::usage;
use crate::tui::sight::values;
use crate::tui::theme::Role;

/// The columns of a table of these. Whose a key is matters to who sees those of others.
pub fn columns(subset: Subset, seen: &Seen<'_>) -> Vec<&'static Column<Keys>> {
    let place = match subset {
        Subset::Locations => Some(&LOCATION),
        Subset::Apps => Some(&APP),
        Subset::Agency | Subset::At(_) | Subset::Of(_) => None,
    };
    let owner = seen.view.is_whole().then_some(&OWNER);
    let all = [Some(&NAME), place, Some(&HINT), owner, Some(&SCOPES), Some(&USED), Some(&SPARK)];
    let all = all.into_iter().chain([Some(&EXPIRES), Some(&STATE)]);
    all.flatten().collect()
}

/// The letter of the column with the last days.
pub const SPARKS: char = 'd';

pub struct Keys;

impl Listed for Keys {
    type Id = KeyId;
    type Row = Key;
    type Sight<'a> = Seen<'a>;
    type Term = Term;

    const ONE: &'static str = "key";

    fn row<'a>(seen: &'a Seen<'_>, id: KeyId) -> Option<&'a Key> {
        seen.view.key(id)
    }

    fn name<'a>(key: &'a Key, _: &'a Seen<'_>) -> &'a str {
        key.name.as_str()
    }

    fn text(key: &Key, seen: &Seen<'_>, room: &mut String) {
        keys::text(key, seen.view, room);
    }

    fn fits(term: &Term, key: &Key, seen: &Seen<'_>) -> bool {
        term.fits(key, seen.view, seen.now())
    }

    fn values(field: &str, sign: char, seen: &Seen<'_>) -> Vec<String> {
        values::of_keys(field, sign, seen)
    }

    fn is_hidden(key: &Key, seen: &Seen<'_>) -> bool {
        seen.is_aside(key)
    }
}

type Col = Column<Keys>;

static NAME: Col =
    Col::text("Name", 'n', (14, 34), 0, |key, seen| Cell::new(quiet(key, seen), key.name.as_str()))
        .by(|_, _| Rank::Name);
static LOCATION: Col = Col::text("Location", 'l', (12, 24), 2, place).by(place_rank);
static APP: Col = Col::text("App", 'l', (12, 24), 2, place).by(place_rank);
static HINT: Col = Col::text("Key", 'k', (19, 19), 4, |key, _| Cell::new(Role::Dim, key.hint()))
    .by(|key, _| Rank::Text(key.id.to_string()));
static OWNER: Col =
    Col::text("Owner", 'o', (7, 14), 3, |key, seen| Cell::new(quiet(key, seen), seen.view.owner_name(key)))
        .by(|key, seen| Rank::text(seen.view.owner_name(key)));
static SCOPES: Col =
    Col::number("Scopes", 'c', 7, 5, |key, seen| Cell::new(quiet(key, seen), key.scopes.len().to_string()))
        .by(|key, _| Rank::count(key.scopes.len()));
static USED: Col = Col::text("Last used", 'u', (10, 11), 2, |key, seen| {
    // Of a rotated key people see one row: while its old half works, that is used too.
    let last = seen.view.last_use_of_whole(key, seen.now());
    let role = if last.at().is_some() { quiet(key, seen) } else { Role::Dim };
    Cell::new(role, last.brief(|at| seen.times.relative(at)))
})
.by(|key, seen| used_rank(seen.view.last_use_of_whole(key, seen.now())));
static SPARK: Col = Col::text("14 days", SPARKS, (14, 14), 6, |key, seen| {
    let strip = seen.spark(key).map(|days| usage::strip(days, days.len()).allowed);
    Cell::new(quiet(key, seen), strip.unwrap_or_default())
})
.spare();
static EXPIRES: Col = Col::text("Expires", 'e', (9, 10), 1, |key, seen| {
    let role = match seen.standing(key) {
        Standing::ExpiresSoon => Role::Warn,
        _ if key.expiry.instant().is_none() => Role::Dim,
        _ => quiet(key, seen),
    };
    Cell::new(role, seen.times.expiry(key.expiry))
})
.by(|key, _| Rank::Number(key.expiry.instant().map_or(i64::MAX, |at| at.0)));
static STATE: Col = Col::text("State", 's', (15, 15), 0, |key, seen| {
    let standing = seen.standing(key);
    Cell::badge(standing.badge(), standing.words())
})
.by(|key, seen| Rank::Number(urgency(seen.standing(key))));

/// What was never used comes first, then what may have been.
pub fn used_rank(last: LastUse) -> Rank {
    Rank::Number(match last {
        LastUse::Never => i64::MIN,
        LastUse::NotKnown(_) => i64::MIN + 1,
        LastUse::At(at) => at.0,
    })
}

fn quiet(key: &Key, seen: &Seen<'_>) -> Role {
    if seen.standing(key).works() { Role::Text } else { Role::Dim }
}

fn place<'a>(key: &'a Key, seen: &'a Seen<'_>) -> Cell<'a> {
    Cell::new(quiet(key, seen), seen.view.place_name(key.place).unwrap_or_default())
}

fn place_rank(key: &Key, seen: &Seen<'_>) -> Rank {
    Rank::text(seen.view.place_name(key.place).unwrap_or_default())
}

/// What needs a person first comes first; among idle keys the longest unused.
pub fn urgency(standing: Standing) -> i64 {
    match standing {
        Standing::ExpiresSoon => 0,
        Standing::Going(ms) => (ms / HOUR_MS).clamp(1, 900_000),
        Standing::Idle(days) => 1_900_000 - days.clamp(0, 900_000),
        Standing::LockedDown => 1_999_998,
        Standing::InDoubt => 1_999_999,
        Standing::OwnerStopped => 2_000_000,
        Standing::LocationGone | Standing::AppStopped => 2_000_001,
        Standing::Paused => 2_000_002,
        Standing::Active | Standing::InGrace(_) | Standing::Superseded | Standing::Decoy => 2_000_003,
        Standing::Expired => 2_000_004,
        Standing::Revoked => 2_000_005,
        Standing::Deleted => 2_000_006,
    }
}
