//! The columns of the table of apps, what stands in them, and how they sort.

use super::standing::{Standing, last_used, live_keys, method_word, source_word, user_word};
use crate::domain::catalog::AuthMethod;
use crate::domain::name::plain;
use crate::domain::{App, AppId};
use crate::tui::screens::keys::columns::Rank;
use crate::tui::screens::keys::seen::Seen;
use crate::tui::theme::{Glyphs, Role};
use crate::tui::widgets::data_table::{Cell, Column, Direction, Sort};

const NAME: Column = Column::text("name", "Name", 'n', (14, 30), 0);
const METHOD: Column = Column::text("method", "Method", 'm', (8, 8), 3);
const SOURCE: Column = Column::text("source", "Source app", 'r', (10, 11), 5);
const USER: Column = Column::text("user", "Users", 't', (9, 9), 6);
const OWNER: Column = Column::text("owner", "Owner", 'o', (7, 14), 7);
const KEYS: Column = Column::number("keys", "Keys", 'k', 5, 2);
const USED: Column = Column::text("used", "Last used", 'u', (10, 11), 4);
const STATE: Column = Column::text("state", "State", 's', (15, 15), 0);

/// The columns; whose an app is matters to who sees those of others.
pub fn columns(whole: bool) -> Vec<Column> {
    let mut all = vec![NAME, METHOD, SOURCE, USER, OWNER, KEYS, USED, STATE];
    all.retain(|column| whole || column.id != OWNER.id);
    all
}

/// The sort it starts with.
pub const BY_NAME: Sort = Sort { column: "name", direction: Direction::Ascending };

/// Sorts apps. Ties go by name, then id.
pub fn sort(apps: &[&App], by: Sort, seen: &Seen<'_>) -> Vec<AppId> {
    let mut ranked: Vec<(Rank, String, AppId)> =
        apps.iter().map(|app| (rank(app, by.column, seen), plain(app.name.as_str()), app.id)).collect();
    ranked.sort_unstable_by(|a, b| {
        let order = a.0.cmp(&b.0);
        let order = if by.direction == Direction::Descending { order.reverse() } else { order };
        order.then_with(|| a.1.cmp(&b.1)).then_with(|| a.2.cmp(&b.2))
    });
    ranked.into_iter().map(|(_, _, id)| id).collect()
}

fn rank(app: &App, column: &str, seen: &Seen<'_>) -> Rank {
    let text = |text: &str| Rank::Text(plain(text));
    match column {
        "method" => text(method_word(app.method)),
        "source" => text(source_word(app.profile.source)),
        "user" => text(user_word(app.profile.user_type)),
        "owner" => text(seen.view.app_owner_name(app)),
        "keys" => Rank::Number(i64::try_from(live_keys(app, seen)).unwrap_or(i64::MAX)),
        "used" => Rank::Number(last_used(app, seen).map_or(i64::MIN, |at| at.0)),
        "state" => Rank::Number(match Standing::of(app, seen) {
            Standing::OwnerStopped => 0,
            Standing::Paused(_) => 1,
            Standing::Active => 2,
            Standing::Deleted(_) => 3,
        }),
        _ => text(app.name.as_str()),
    }
}

/// What stands in a column of an app's row.
pub fn cell<'a>(id: AppId, column: &str, seen: &'a Seen<'_>, glyphs: &Glyphs) -> Cell<'a> {
    let Some(app) = seen.view.app(id) else { return Cell::new("") };
    let standing = Standing::of(app, seen);
    let quiet = if standing.works() { Role::Text } else { Role::Dim };
    match column {
        "method" => Cell::with_role(method_word(app.method), quiet),
        "source" => Cell::with_role(source_word(app.profile.source), quiet),
        "user" => Cell::with_role(user_word(app.profile.user_type), quiet),
        "owner" => Cell::with_role(seen.view.app_owner_name(app), quiet),
        "keys" if app.method == AuthMethod::Jwt => Cell::with_role("-", Role::Dim),
        "keys" => Cell::with_role(live_keys(app, seen).to_string(), quiet),
        "used" => match last_used(app, seen) {
            Some(at) => Cell::with_role(seen.times.relative(at), quiet),
            None => Cell::with_role("never", Role::Dim),
        },
        "state" => {
            let badge = standing.badge();
            Cell::state(glyphs.badge(badge), standing.words(), badge.role())
        }
        _ => Cell::with_role(app.name.as_str(), quiet),
    }
}
