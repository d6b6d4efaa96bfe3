//! `keydeck app list` and `show`.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde::Serialize;

use super::{AuthWord, List, One, reach};
use crate::cli::Outcome;
use crate::cli::door::{Deck, Signed};
use crate::cli::fault::Fault;
use crate::cli::handover::HandedOver;
use crate::cli::key::picture_cells;
use crate::cli::lockdown;
use crate::cli::output::shown;
use crate::cli::stopped::Stopped;
use crate::cli::table::{Cell, Table, Tone};
use crate::cli::times;
use crate::cli::usage::UseLine;
use crate::domain::basis::Basis;
use crate::domain::catalog::AuthMethod;
use crate::domain::history::Picture;
use crate::domain::name::plain;
use crate::domain::signing::PartyName;
use crate::domain::{App, AppId, AppStatus, Bearer, Key, LastUse, Reason, Refusal, Timestamp, Url, View};
use crate::tui::sight::usage;

/// An app in JSON, the shape scripts rely on.
#[derive(Serialize)]
pub struct AppLine<'a> {
    id: String,
    name: &'a str,
    state: &'static str,
    /// Why its access tokens are refused, in the word of `keydeck verify`; null when it works.
    refused: Option<&'static str>,
    owner: &'a str,
    auth: &'static str,
    uri: &'a str,
    description: &'a str,
    user_type: Vec<&'static str>,
    source: &'static str,
    post_login: Vec<&'a str>,
    post_logout: Vec<&'a str>,
    scopes: Vec<&'a str>,
    /// How its access tokens are signed; null of an app that has none.
    alg: Option<&'static str>,
    /// Whom they may be for, or for whom it checks; empty is the platform.
    audiences: Vec<&'a str>,
    secret_hint: String,
    secret_since: String,
    /// When the present secret was first used since it took the place of another.
    secret_first_used_at: Option<String>,
    /// How it was handed over; null where it was shown.
    handed_over: Option<HandedOver>,
    /// The one before, while it works.
    old_secret: Option<OldSecret>,
    created_at: String,
    last_used_at: Option<String>,
    /// As of a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    uses_known_since: Option<String>,
    keys: Vec<String>,
    /// How it and its keys were used over time; absent but where one app is shown.
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    over_time: Option<UseLine>,
    rev: String,
}

impl<'a> AppLine<'a> {
    /// The app as the view shows it; `keys` are the ids of those that are live.
    pub fn of(app: &'a App, view: View<'a>, now: Timestamp) -> Self {
        let urls = |list: &'a [Url]| list.iter().map(Url::as_str).collect();
        let mut keys: Vec<_> =
            view.keys_of_app(app.id).filter(|k| k.state(now).is_live()).map(|k| k.id.to_string()).collect();
        keys.sort();
        Self {
            id: app.id.to_string(),
            name: app.name.as_str(),
            state: app.status.as_str(),
            refused: view.app_refused(app).map(Reason::code),
            owner: view.app_owner_name(app),
            auth: AuthWord::of(app.method),
            uri: app.profile.uri.as_str(),
            description: app.profile.description.as_str(),
            user_type: app.profile.user_type.code().split(' ').collect(),
            source: app.profile.source.code(),
            post_login: urls(&app.profile.post_login),
            post_logout: urls(&app.profile.post_logout),
            scopes: app.scopes.iter().map(crate::domain::ScopeId::as_str).collect(),
            alg: (app.method == AuthMethod::Jwt).then(|| app.alg().code()),
            audiences: app.audiences().iter().map(PartyName::as_str).collect(),
            secret_hint: app.secret_hint(),
            secret_since: since(app).rfc3339(),
            secret_first_used_at: first_used(app, view).map(Timestamp::rfc3339),
            handed_over: app.handed.as_deref().map(HandedOver::from),
            old_secret: OldSecret::of(app, view, now),
            created_at: app.created_at.rfc3339(),
            last_used_at: view.last_use_of_app(app).at().map(Timestamp::rfc3339),
            uses_known_since: view.last_use_of_app(app).known_since().map(Timestamp::rfc3339),
            keys,
            over_time: None,
            rev: Basis::of_app(app).to_string(),
        }
    }
}

/// The secret an app had before, in JSON, and who used it since another took its place.
#[derive(Serialize)]
struct OldSecret {
    /// Null while that waits for the first use of the new one.
    ends_at: Option<String>,
    last_used_at: Option<String>,
    /// As of a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    uses_known_since: Option<String>,
    use_count: u64,
    last_used_from: Option<String>,
    last_used_agent: Option<String>,
}

impl OldSecret {
    fn of(app: &App, view: View<'_>, now: Timestamp) -> Option<Self> {
        let old = app.old_secret(now)?;
        let (usage, seen) = view.noted(old.uses);
        Some(Self {
            ends_at: old.until.instant().map(Timestamp::rfc3339),
            last_used_at: usage.last_used_at.map(Timestamp::rfc3339),
            uses_known_since: view
                .last_use_of_old_secret(app, now)
                .and_then(LastUse::known_since)
                .map(Timestamp::rfc3339),
            use_count: usage.count,
            last_used_from: seen.and_then(|seen| seen.address).map(|address| address.to_string()),
            last_used_agent: seen.and_then(|seen| seen.agent.as_ref()).map(ToString::to_string),
        })
    }
}

/// Since when the present secret is that.
fn since(app: &App) -> Timestamp {
    app.replaced.as_ref().map_or(app.not_before, |replaced| replaced.since)
}

fn first_used(app: &App, view: View<'_>) -> Option<Timestamp> {
    app.replaced.as_ref().and_then(|replaced| view.noted(replaced.uses).0.first_used_at)
}

/// Who still uses the old secret, as a clause; `None` when it has ended.
pub(super) fn old_use(app: &App, view: View<'_>, now: Timestamp) -> Option<String> {
    let (usage, seen) = view.noted(app.old_secret(now)?.uses);
    Some(match view.last_use_of_old_secret(app, now)? {
        LastUse::At(at) => {
            let from = seen.map_or_else(String::new, |seen| format!(" from {seen}"));
            format!("used {}{from}, {} in all since it was replaced", times::relative(at, now), usage.count)
        }
        LastUse::Never => "not used since it was replaced".to_owned(),
        last @ LastUse::NotKnown(_) => {
            format!("use since it was replaced {}", last.words(|at| times::both(at, now)))
        }
    })
}

pub(super) fn list(deck: &Deck, args: &List) -> Outcome {
    let signed = deck.sign_in()?.widened(args.all)?;
    let now = signed.now();
    let (rows, text) = signed.see(|view| {
        let apps: Vec<&App> =
            view.apps().into_iter().filter(|app| args.deleted || !app.is_deleted()).collect();
        let text = if deck.output.is_json() {
            let lines: Vec<AppLine<'_>> = apps.iter().map(|app| AppLine::of(app, view, now)).collect();
            serde_json::to_string(&lines).map(|json| json + "\n")
        } else {
            Ok(table(&apps, view, now, args.all).render(deck.output))
        };
        (apps.len(), text)
    });
    if rows == 0 && !deck.output.is_json() {
        deck.output.say("There is no app yet. `keydeck app create` makes one.");
        return Ok(ExitCode::SUCCESS);
    }
    deck.output.text(&text.map_err(|e| Fault::refused("output", e.to_string()))?)?;
    Ok(ExitCode::SUCCESS)
}

fn table(apps: &[&App], view: View<'_>, now: Timestamp, with_owner: bool) -> Table {
    let mut headings =
        vec!["Name", "Application id", "Auth", "Source", "Scopes", "Keys", "Last used", "State"];
    if with_owner {
        headings.push("Owner");
    }
    let mut table = Table::new(&headings);
    for app in apps {
        let keys = view.keys_of_app(app.id).filter(|k| k.state(now).is_live()).count();
        let used = view.last_use_of_app(app).brief(|at| times::relative(at, now));
        let mut row: Vec<Cell> = vec![
            app.name.as_str().into(),
            app.id.to_string().into(),
            AuthWord::of(app.method).into(),
            app.profile.source.code().into(),
            app.scopes.len().to_string().into(),
            keys.to_string().into(),
            used.into(),
            state(app, view),
        ];
        if with_owner {
            row.push(view.app_owner_name(app).into());
        }
        table.row(row);
    }
    table
}

fn state(app: &App, view: View<'_>) -> Cell {
    match app.status {
        AppStatus::Deleted(_) => Cell::toned("✕ deleted", Tone::Faint),
        AppStatus::Active | AppStatus::Paused(_) => match view.app_refused(app) {
            None => Cell::toned("● active", Tone::Good),
            Some(Reason::AppDisabled) => Cell::toned("‖ paused", Tone::Warn),
            Some(reason) => Cell::toned(format!("✕ {}", reason.brief()), Tone::Bad),
        },
    }
}

pub(super) fn show(deck: &Deck, one: &One) -> Outcome {
    let (signed, app) = reach(deck, one)?;
    let used = signed.engine.history(&signed.session, Bearer::App(app.id)).ok();
    print_with(deck, &signed, app.id, used.as_ref())
}

/// What a command did, for people; the app as it is now, for scripts.
pub(super) fn after(deck: &Deck, signed: &Signed, id: AppId, said: &str) -> Outcome {
    if deck.output.is_json() {
        return print(deck, signed, id);
    }
    let name = signed.see(|view| view.app(id).map(|app| app.name.to_string()));
    deck.output.say(&format!("{} {said}", name.ok_or(Refusal::NoSuchApp)?));
    Ok(ExitCode::SUCCESS)
}

/// The same for what stopped keys.
pub(super) fn stopped(deck: &Deck, signed: &Signed, id: AppId, said: &str, keys_stopped: usize) -> Outcome {
    if !deck.output.is_json() {
        return after(deck, signed, id, said);
    }
    let state = signed.engine.state();
    let view = View::new(&state, signed.session.actor());
    let app = view.app(id).ok_or(Refusal::NoSuchApp)?;
    deck.output.value(&Stopped { about: AppLine::of(app, view, signed.now()), keys_stopped })?;
    Ok(ExitCode::SUCCESS)
}

fn print(deck: &Deck, signed: &Signed, id: AppId) -> Outcome {
    print_with(deck, signed, id, None)
}

fn print_with(deck: &Deck, signed: &Signed, id: AppId, used: Option<&Picture>) -> Outcome {
    let now = signed.now();
    let state = signed.engine.state();
    let view = View::new(&state, signed.session.actor());
    let app = view.app(id).ok_or(Refusal::NoSuchApp)?;
    if deck.output.is_json() {
        deck.output.value(&AppLine { over_time: used.map(UseLine::from), ..AppLine::of(app, view, now) })?;
    } else {
        let used = used.map(|used| (used, picture_cells(deck.output)));
        deck.output.text(&page(app, view, used, now))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn page(app: &App, view: View<'_>, used: Option<(&Picture, usize)>, now: Timestamp) -> String {
    let mut out = String::new();
    let mut line = |what: &str, text: &str| {
        let _ = writeln!(out, "{what:<16}{}", shown(text));
    };
    line("Name", app.name.as_str());
    line("Application id", &app.id.to_string());
    let first = first_used(app, view);
    let first = first.map_or_else(String::new, |at| format!(", first used {}", times::relative(at, now)));
    line("Secret", &format!("{}, since {}{first}", app.secret_hint(), times::both(since(app), now)));
    if let Some(handed) = view.app_handed_words(app, |at| times::relative(at, now)) {
        line("Handed over", &handed);
    }
    if let Some((old, used)) = app.old_secret(now).zip(old_use(app, view, now)) {
        let ends = match (old.waits, old.until.instant()) {
            (Some(grace), _) => format!("ends {grace} after the first use of the new one"),
            (None, at) => at.map_or_else(String::new, |at| format!("ends {}", times::both(at, now))),
        };
        line("Old secret", &format!("{ends}; {used}"));
    }
    let stopped = view
        .app_refused(app)
        .filter(|reason| !app.is_deleted() && *reason != Reason::AppDisabled)
        .map_or_else(String::new, |reason| format!("; refused all the same: {}", reason.token_advice()));
    line("State", &format!("{}{stopped}", app.status.as_str()));
    for locked in lockdown::in_words(view, &view.lockdowns_of_app(app), now) {
        line("Locked down", &locked);
    }
    line("Owner", view.app_owner_name(app));
    line("Uses", app.method.as_str());
    if app.method == AuthMethod::Jwt {
        line("Signed with", app.alg().code());
    }
    line("Created", &times::both(app.created_at, now));
    line("Last used", &view.last_use_of_app(app).words(|at| times::both(at, now)));
    for (what, text) in used
        .map(|(used, cells)| usage::lines(used, cells, |at| times::relative(at, now)))
        .into_iter()
        .flatten()
    {
        line(what, &text);
    }
    line("Source app", app.profile.source.title());
    line("Signed in", app.profile.user_type.title());
    line("URI", app.profile.uri.as_str());
    if !app.profile.description.as_str().is_empty() {
        line("Description", app.profile.description.as_str());
    }
    let mut several = |what: &str, all: Vec<String>| {
        for (at, text) in all.into_iter().enumerate() {
            line(if at == 0 { what } else { "" }, &text);
        }
    };
    several("After login", app.profile.post_login.iter().map(Url::to_string).collect());
    several("After logout", app.profile.post_logout.iter().map(Url::to_string).collect());
    several("For", app.audiences().iter().map(|name| name.as_str().to_owned()).collect());
    several("Scopes", app.scopes.iter().map(ToString::to_string).collect());
    let mut keys: Vec<_> = view.keys_of_app(app.id).collect();
    keys.sort_by_cached_key(|key| (plain(key.name.as_str()), key.id));
    let stands = |key: &Key| view.refused(key, now).map_or_else(|| key.state(now).as_str(), Reason::brief);
    several("Keys", keys.iter().map(|k| format!("{}  {}  {}", k.hint(), stands(k), k.name)).collect());
    out
}
