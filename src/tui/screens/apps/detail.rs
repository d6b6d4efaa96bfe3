//! Everything about one app, as lines of text: what it is, how it proves itself, what it may do, its keys.

use super::standing::{Standing, last_used};
use crate::domain::catalog::AuthMethod;
use crate::domain::name::plain;
use crate::domain::{App, Catalog, Url};
use crate::tui::canvas::Canvas;
use crate::tui::screens::keys::detail::{Line, scopes};
use crate::tui::screens::keys::seen::Seen;
use crate::tui::theme::Role;
use crate::tui::widgets::text;

/// The lines, for a room of `width` cells.
pub fn lines(canvas: &Canvas<'_>, app: &App, seen: &Seen<'_>, catalog: &Catalog, width: u16) -> Vec<Line> {
    let mut all: Vec<Line> = Vec::new();
    let wrapped = |all: &mut Vec<Line>, role: Role, said: &str| {
        all.extend(text::wrap(said, width.max(8)).into_iter().map(|line| Line::of(role, line)));
    };
    wrapped(&mut all, Role::Title, app.name.as_str());
    let standing = Standing::of(app, seen);
    let badge = standing.badge();
    all.push(Line::of(badge.role(), format!("{} {}", canvas.glyphs().badge(badge), standing.words())));
    wrapped(&mut all, Role::Dim, &standing.means(seen));
    if !app.profile.description.as_str().is_empty() {
        all.push(Line::blank());
        wrapped(&mut all, Role::Text, app.profile.description.as_str());
    }
    all.push(Line::blank());
    facts(&mut all, app, seen, width);
    all.push(Line::blank());
    scopes(&mut all, &app.scopes, seen.view.app_trace(app), seen, catalog);
    if app.method == AuthMethod::ApiKey {
        all.push(Line::blank());
        keys(&mut all, canvas, app, seen);
    }
    all
}

fn facts(all: &mut Vec<Line>, app: &App, seen: &Seen<'_>, width: u16) {
    let times = seen.times;
    let mut fact = |label: &'static str, said: &str| all.extend(Line::facts(label, said, width));
    fact("App id", &app.id.to_string());
    fact("Secret", &app.secret_hint());
    fact(" ", &format!("since {}", times.both(app.not_before)));
    let minutes = seen.view.policy().token_seconds / 60;
    let sends = match app.method {
        AuthMethod::ApiKey => "an API key of its own".to_owned(),
        AuthMethod::Jwt => format!("access tokens (JWT), each good for {minutes} min"),
    };
    fact("Sends", &sends);
    fact("URI", app.profile.uri.as_str());
    fact("Source app", app.profile.source.title());
    fact("Users", app.profile.user_type.title());
    fact("Owner", seen.view.app_owner_name(app));
    fact("Created", &times.both(app.created_at));
    fact("Last used", &last_used(app, seen).map_or_else(|| "never".to_owned(), |at| times.both(at)));
    for (label, none, urls) in [
        ("Login to", "none given", &app.profile.post_login),
        ("Logout to", "none given", &app.profile.post_logout),
    ] {
        if urls.is_empty() {
            fact(label, none);
        }
        for (at, url) in urls.iter().map(Url::as_str).enumerate() {
            fact(if at == 0 { label } else { " " }, url);
        }
    }
}

fn keys(all: &mut Vec<Line>, canvas: &Canvas<'_>, app: &App, seen: &Seen<'_>) {
    let mut keys: Vec<_> = seen.view.keys_of_app(app.id).collect();
    keys.sort_by_cached_key(|key| (!key.state(seen.now()).is_live(), plain(key.name.as_str()), key.id));
    let count = keys.len();
    let title = if count == 1 { "1 key".to_owned() } else { format!("{count} keys") };
    all.push(Line::of(Role::Header, title));
    if keys.is_empty() {
        all.push(Line::of(Role::Dim, "none yet"));
    }
    for key in keys {
        let standing = seen.standing(key);
        let badge = standing.badge();
        all.push(Line {
            label: "",
            spans: vec![(Role::Text, key.name.to_string()), (Role::Dim, format!("  {}", key.hint()))],
            end: Some((badge.role(), format!("{} {}", canvas.glyphs().badge(badge), standing.words()))),
        });
    }
}
