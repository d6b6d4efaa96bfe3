//! The columns of a table of keys, what stands in them, and how they sort. Cells are made for the rows on the
//! screen only.

use std::cmp::Ordering;

use super::seen::{Seen, Standing};
use crate::{
    domain::{Key, KeyId, name::plain},
    tui::{
        theme::{Glyphs, Role},
        widgets::data_table::{Cell, Column, Direction, Sort},
    },
};

const NAME: Column = Column::text("name", "Name", 'n', (14, 34), 0);
const HINT: Column = Column::text("key", "Key", 'k', (19, 19), 4);
const LOCATION: Column = Column::text("location", "Location", 'l', (12, 24), 2);
const APP: Column = Column::text("location", "App", 'l', (12, 24), 2);
const OWNER: Column = Column::text("owner", "Owner", 'o', (7, 14), 3);
const SCOPES: Column = Column::number("scopes", "Scopes", 'c', 7, 5);
const USED: Column = Column::text("used", "Last used", 'u', (10, 11), 1);
const EXPIRES: Column = Column::text("expires", "Expires", 'e', (9, 10), 1);
const STATE: Column = Column::text("state", "State", 's', (15, 15), 0);

/// Whether a column beside the usual ones is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extra {
    /// It is.
    Wanted,
    /// It would say the same in each row.
    Needless,
}

/// Which column says whose a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// None: it is the same in each row.
    Known,
    /// The location's name.
    Location,
    /// The app's name.
    App,
}

/// The columns of a table.
pub fn columns(whose: Whose, owner: Extra) -> Vec<Column> {
    let all = [
        (NAME, true),
        (LOCATION, whose == Whose::Location),
        (APP, whose == Whose::App),
        (HINT, true),
        (OWNER, owner == Extra::Wanted),
        (SCOPES, true),
        (USED, true),
        (EXPIRES, true),
        (STATE, true),
    ];
    all.into_iter().filter(|(_, wanted)| *wanted).map(|(column, _)| column).collect()
}

/// The sort a table starts with.
pub const BY_NAME: Sort = Sort { column: "name", direction: Direction::Ascending };

/// What a row sorts by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// Times and counts. Never used is before all times, never expiring after all.
    Number(i64),
    /// Names.
    Text(String),
}

/// Sorts keys. Ties go by name, then id, whichever the direction, so the order is the same each time.
pub fn sort(keys: &[&Key], by: Sort, seen: &Seen<'_>) -> Vec<KeyId> {
    let mut ranked: Vec<(Rank, String, KeyId)> =
        keys.iter().map(|key| (rank(key, by.column, seen), plain(key.name.as_str()), key.id)).collect();
    let turned =
        |order: Ordering| if by.direction == Direction::Descending { order.reverse() } else { order };
    ranked.sort_unstable_by(|a, b| {
        turned(a.0.cmp(&b.0)).then_with(|| a.1.cmp(&b.1)).then_with(|| a.2.cmp(&b.2))
    });
    ranked.into_iter().map(|(_, _, id)| id).collect()
}

fn rank(key: &Key, column: &str, seen: &Seen<'_>) -> Rank {
    match column {
        "key" => Rank::Text(key.id.to_string()),
        "location" => Rank::Text(plain(seen.view.place_name(key.place).unwrap_or_default())),
        "owner" => Rank::Text(plain(seen.view.owner_name(key))),
        "scopes" => Rank::Number(i64::try_from(key.scopes.len()).unwrap_or(i64::MAX)),
        "used" => Rank::Number(seen.usage(key).last_used_at.map_or(i64::MIN, |at| at.0)),
        "expires" => Rank::Number(key.expiry.instant().map_or(i64::MAX, |at| at.0)),
        "state" => Rank::Number(urgency(seen.standing(key))),
        _ => Rank::Text(plain(key.name.as_str())),
    }
}

/// What needs a person first comes first; among idle keys the longest unused.
fn urgency(standing: Standing) -> i64 {
    match standing {
        Standing::ExpiresSoon => 0,
        Standing::Idle(days) => 1_000_000 - days.clamp(0, 900_000),
        Standing::OwnerStopped => 2_000_000,
        Standing::LocationGone | Standing::AppStopped => 2_000_001,
        Standing::Paused => 2_000_002,
        Standing::Active => 2_000_003,
        Standing::Expired => 2_000_004,
        Standing::Revoked => 2_000_005,
        Standing::Deleted => 2_000_006,
    }
}

/// What stands in a column of a key's row.
pub fn cell<'a>(id: KeyId, column: &str, seen: &'a Seen<'_>, glyphs: &Glyphs) -> Cell<'a> {
    let Some(key) = seen.view.key(id) else { return Cell::new("") };
    let standing = seen.standing(key);
    let quiet = if standing.works() { Role::Text } else { Role::Dim };
    let times = seen.times;
    match column {
        "key" => Cell::with_role(key.hint(), Role::Dim),
        "location" => Cell::with_role(seen.view.place_name(key.place).unwrap_or_default(), quiet),
        "owner" => Cell::with_role(seen.view.owner_name(key), quiet),
        "scopes" => Cell::with_role(key.scopes.len().to_string(), quiet),
        "used" => match seen.usage(key).last_used_at {
            Some(at) => Cell::with_role(times.relative(at), quiet),
            None => Cell::with_role("never", Role::Dim),
        },
        "expires" => {
            let role = match standing {
                Standing::ExpiresSoon => Role::Warn,
                _ if key.expiry.instant().is_none() => Role::Dim,
                _ => quiet,
            };
            Cell::with_role(times.expiry(key.expiry), role)
        }
        "state" => {
            let badge = standing.badge();
            Cell::state(glyphs.badge(badge), standing.words(), badge.role())
        }
        _ => Cell::with_role(key.name.as_str(), quiet),
    }
}
