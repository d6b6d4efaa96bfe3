//! Everything about one app, as lines of text: what it is, how it proves itself, what it may do, its keys.

use crate::domain::catalog::AuthMethod;
use crate::domain::history::Picture;
use crate::domain::name::plain;
use crate::domain::signing::PartyName;
use crate::domain::{App, LastUse, Url};
use crate::tui::list::page::Line;
use crate::tui::screens::keys::detail::scopes;
use crate::tui::screens::keys::used;
use crate::tui::sight::app_standing::{means, standing};
use crate::tui::sight::seen::Seen;
use crate::tui::theme::{Glyphs, Role};

/// The lines; how it was used, where that is known, for so many cells.
pub fn lines(glyphs: &Glyphs, app: &App, used: Option<(&Picture, u16)>, seen: &Seen<'_>) -> Vec<Line> {
    let standing = standing(app, seen);
    let badge = standing.badge();
    let mut all = vec![
        Line::of(Role::Title, app.name.as_str()),
        Line::of(badge.role(), format!("{} {}", glyphs.badge(badge), standing.words())),
        Line::of(Role::Dim, means(app, seen)),
    ];
    if !app.profile.description.as_str().is_empty() {
        all.extend([Line::blank(), Line::of(Role::Text, app.profile.description.as_str())]);
    }
    all.push(Line::blank());
    facts(&mut all, app, seen);
    if let Some((picture, cells)) = used {
        used::lines(&mut all, picture, cells, seen);
    }
    all.push(Line::blank());
    if app.method != AuthMethod::ResourceServer {
        scopes(&mut all, &app.scopes, (seen.view.app_trace(app), app.created_at), seen);
    }
    if app.method == AuthMethod::ApiKey {
        all.push(Line::blank());
        keys(&mut all, glyphs, app, seen);
    }
    all
}

fn facts(all: &mut Vec<Line>, app: &App, seen: &Seen<'_>) {
    let times = seen.times;
    let mut fact = |label: &'static str, said: &str| all.push(Line::fact(label, said));
    fact("App id", &app.id.to_string());
    fact("Secret", &app.secret_hint());
    let replaced = app.replaced.as_ref();
    let since = times.both(replaced.map_or(app.not_before, |replaced| replaced.since));
    let first = replaced.and_then(|replaced| seen.view.noted(replaced.uses).0.first_used_at);
    let first = first.map_or_else(String::new, |at| format!(", first used {}", times.minute(at)));
    fact("", &format!("since {since}{first}"));
    if let Some(handed) = seen.view.app_handed_words(app, |at| times.relative(at)) {
        fact("Handed", &handed);
    }
    if let Some(old) = app.old_secret(seen.now()) {
        fact(
            "Old secret",
            &match (old.waits, old.until.instant()) {
                (Some(grace), _) => format!("ends {grace} after the first use of the new one"),
                (None, at) => at.map_or_else(String::new, |at| format!("ends {}", times.both(at))),
            },
        );
        let (usage, whence) = seen.view.noted(old.uses);
        match seen.view.last_use_of_old_secret(app, seen.now()) {
            Some(LastUse::At(at)) => {
                let whence = whence.map_or_else(String::new, |whence| format!(" from {whence}"));
                fact(
                    "Still on it",
                    &format!("{}× since then, last {}{whence}", usage.count, times.relative(at)),
                );
            }
            Some(last @ LastUse::NotKnown(_)) => {
                fact("", &format!("use since then {}", last.words(|at| times.both(at))));
            }
            Some(LastUse::Never) | None => fact("", "not used since it was replaced"),
        }
    }
    let minutes = seen.view.policy().token_seconds / 60;
    let sends = match app.method {
        AuthMethod::ApiKey => "an API key of its own".to_owned(),
        AuthMethod::Jwt => {
            format!("access tokens (JWT, {}), each good for {minutes} min", app.alg().code())
        }
        AuthMethod::ResourceServer => "nothing: it asks about what its callers present".to_owned(),
    };
    fact("Sends", &sends);
    let audiences = app.audiences().iter().map(PartyName::as_str);
    let platform = (app.method != AuthMethod::ApiKey && app.audiences().is_empty()).then_some("the platform");
    for (at, audience) in audiences.chain(platform).enumerate() {
        fact(if at == 0 { "For" } else { "" }, audience);
    }
    fact("URI", app.profile.uri.as_str());
    fact("Source app", app.profile.source.title());
    fact("Users", app.profile.user_type.title());
    fact("Owner", seen.view.app_owner_name(app));
    fact("Created", &times.both(app.created_at));
    fact("Last used", &seen.view.last_use_of_app(app).words(|at| times.both(at)));
    for (label, none, urls) in [
        ("Login to", "none given", &app.profile.post_login),
        ("Logout to", "none given", &app.profile.post_logout),
    ] {
        if urls.is_empty() {
            fact(label, none);
        }
        for (at, url) in urls.iter().map(Url::as_str).enumerate() {
            fact(if at == 0 { label } else { "" }, url);
        }
    }
}

fn keys(all: &mut Vec<Line>, glyphs: &Glyphs, app: &App, seen: &Seen<'_>) {
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
            spans: vec![(Role::Text, key.name.to_string()), (Role::Dim, format!("  {}", key.hint()))],
            end: Some((badge.role(), format!("{} {}", glyphs.badge(badge), standing.words()))),
            ..Line::default()
        });
    }
}
