//! Apps as rows of a list: their columns, and what is looked for in them.

use super::query::Term;
use crate::domain::catalog::AuthMethod;
use crate::domain::filter::push_plain;
use crate::domain::{App, AppId};
use crate::tui::list::{Cell, Column, Listed, Rank};
use crate::tui::screens::keys::list::{urgency, used_rank};
use crate::tui::sight::app_standing::{live_keys, method_word, source_word, standing, user_word};
use crate::tui::sight::seen::Seen;
use crate::tui::sight::values;
use crate::tui::theme::Role;

pub struct AppRows;

impl Listed for AppRows {
    type Id = AppId;
    type Row = App;
    type Sight<'a> = Seen<'a>;
    type Term = Term;

    const ONE: &'static str = "app";

    fn row<'a>(seen: &'a Seen<'_>, id: AppId) -> Option<&'a App> {
        seen.view.app(id)
    }

    fn name<'a>(app: &'a App, _: &'a Seen<'_>) -> &'a str {
        app.name.as_str()
    }

    fn text(app: &App, seen: &Seen<'_>, room: &mut String) {
        let (uri, about) = (app.profile.uri.as_str(), app.profile.description.as_str());
        let (id, secret) = (app.id.to_string(), app.secret_hint());
        for field in [app.name.as_str(), &id, &secret, uri, about, seen.view.app_owner_name(app)] {
            push_plain(room, field);
            room.push('\n');
        }
    }

    fn fits(term: &Term, app: &App, seen: &Seen<'_>) -> bool {
        term.fits(app, seen)
    }

    fn values(field: &str, sign: char, seen: &Seen<'_>) -> Vec<String> {
        let fixed = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        match (field, sign) {
            ("owner", ':') => values::owners(seen),
            ("scope", ':') => values::scopes(seen),
            ("state", ':') => fixed(&["active", "paused", "stopped", "deleted"]),
            ("method", ':') => fixed(&["key", "tokens"]),
            ("source", ':') => fixed(&["cma", "webstore", "client", "bot"]),
            ("user", ':') => fixed(&["guest", "employee"]),
            _ => Vec::new(),
        }
    }

    fn is_hidden(app: &App, _: &Seen<'_>) -> bool {
        app.is_deleted()
    }
}

/// The columns; whose an app is matters to who sees those of others.
pub fn columns(seen: &Seen<'_>) -> Vec<&'static Column<AppRows>> {
    let owner = seen.view.is_whole().then_some(&OWNER);
    [Some(&NAME), Some(&METHOD), Some(&SOURCE), Some(&USER), owner, Some(&KEYS), Some(&USED), Some(&STATE)]
        .into_iter()
        .flatten()
        .collect()
}

type Col = Column<AppRows>;

static NAME: Col =
    Col::text("Name", 'n', (14, 30), 0, |app, seen| Cell::new(quiet(app, seen), app.name.as_str()))
        .by(|_, _| Rank::Name);
static METHOD: Col =
    Col::text("Method", 'm', (8, 8), 3, |app, seen| Cell::new(quiet(app, seen), method_word(app.method)))
        .by(|app, _| Rank::text(method_word(app.method)));
static SOURCE: Col = Col::text("Source app", 'r', (10, 11), 5, |app, seen| {
    Cell::new(quiet(app, seen), source_word(app.profile.source))
})
.by(|app, _| Rank::text(source_word(app.profile.source)));
static USER: Col = Col::text("Users", 't', (9, 9), 6, |app, seen| {
    Cell::new(quiet(app, seen), user_word(app.profile.user_type))
})
.by(|app, _| Rank::text(user_word(app.profile.user_type)));
static OWNER: Col = Col::text("Owner", 'o', (7, 14), 7, |app, seen| {
    Cell::new(quiet(app, seen), seen.view.app_owner_name(app))
})
.by(|app, seen| Rank::text(seen.view.app_owner_name(app)));
static KEYS: Col = Col::number("Keys", 'k', 5, 2, |app, seen| match app.method {
    AuthMethod::Jwt | AuthMethod::ResourceServer => Cell::new(Role::Dim, "-"),
    AuthMethod::ApiKey => Cell::new(quiet(app, seen), live_keys(app, seen).to_string()),
})
.by(|app, seen| Rank::count(live_keys(app, seen)));
static USED: Col = Col::text("Last used", 'u', (10, 11), 4, |app, seen| {
    let last = seen.view.last_use_of_app(app);
    let role = if last.at().is_some() { quiet(app, seen) } else { Role::Dim };
    Cell::new(role, last.brief(|at| seen.times.relative(at)))
})
.by(|app, seen| used_rank(seen.view.last_use_of_app(app)));
static STATE: Col = Col::text("State", 's', (15, 15), 0, |app, seen| {
    let standing = standing(app, seen);
    Cell::badge(standing.badge(), standing.words())
})
.by(|app, seen| Rank::Number(urgency(standing(app, seen))));

fn quiet(app: &App, seen: &Seen<'_>) -> Role {
    if standing(app, seen).works() { Role::Text } else { Role::Dim }
}
