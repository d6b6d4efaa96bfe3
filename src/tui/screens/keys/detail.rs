//! Everything about one key, as lines of text: what it is, what it may do, how it stands, what happened to it.
//! Drawn beside the table, or over it when there is no room beside.

use super::history::{Happening, is_cut, reaches};
use super::{rotation, used};
use crate::domain::catalog::Risk;
use crate::domain::history::Picture;
use crate::domain::knock;
use crate::domain::trace::Sighting;
use crate::domain::{Catalog, Key, LastUse, Place, ScopeId, Scopes, Status, Timestamp, Trace};
use crate::tui::keymap::Keymap;
use crate::tui::list::page::Line;
use crate::tui::sight::report_only;
use crate::tui::sight::seen::Seen;
use crate::tui::theme::{Glyphs, Role};

/// The pane's number for the mouse.
pub const PANE: u8 = 2;

/// The lines. `history` is `None` while it is not known, and so is how the key was used; that is drawn for so many cells.
pub fn lines(
    glyphs: &Glyphs,
    key: &Key,
    seen: &Seen<'_>,
    (history, used): (Option<&[Happening]>, Option<(&Picture, u16)>),
    keymap: &Keymap,
) -> Vec<Line> {
    let standing = seen.standing(key);
    let badge = standing.badge();
    let mut all = vec![
        Line::of(Role::Title, key.name.as_str()),
        Line::of(badge.role(), format!("{} {}", glyphs.badge(badge), standing.words())),
        Line::of(Role::Dim, standing.means(key, seen)),
        Line::blank(),
    ];
    all.extend(rotation::lines(glyphs, key, seen, keymap));
    let first = used.and_then(|(picture, _)| picture.first.as_ref());
    facts(&mut all, glyphs.protected, (key, first), seen);
    knocked(&mut all, key, seen, history);
    if let Some((picture, cells)) = used {
        used::lines(&mut all, picture, cells, seen);
    }
    all.push(Line::blank());
    scopes(&mut all, &key.scopes, (seen.trace(key), key.created_at), seen);
    tried(&mut all, key, seen, used.map(|(picture, _)| picture));
    all.push(Line::blank());
    all.push(Line::of(Role::Header, "History"));
    match history {
        None => all.push(Line::of(Role::Dim, "…")),
        Some([]) => all.push(Line::of(Role::Dim, "nothing is known")),
        Some(happenings) => {
            for happening in happenings {
                let role = if happening.refused { Role::Bad } else { Role::Text };
                all.push(Line {
                    spans: vec![
                        (Role::Dim, format!("{}  ", seen.times.minute(happening.at))),
                        (role, happening.what.clone()),
                    ],
                    ..Line::default()
                });
                if !happening.detail.is_empty() {
                    all.push(Line { indent: 18, ..Line::of(Role::Dim, happening.detail.as_str()) });
                }
            }
        }
    }
    all
}

/// What is known of a key; `first` is where the first request came from, as far as that was read.
fn facts(all: &mut Vec<Line>, sign: &str, (key, first): (&Key, Option<&Sighting>), seen: &Seen<'_>) {
    let times = seen.times;
    let mut fact = |label: &'static str, said: String| all.push(Line::fact(label, said));
    fact("Key", key.hint());
    fact("Kind", format!("{} key", key.place.kind()));
    let place = seen.view.place_name(key.place).unwrap_or_default().to_owned();
    match key.place {
        Place::Agency => {}
        Place::Location(_) => fact("Location", place),
        Place::App(_) => fact("App", place),
    }
    if let Some(motive) = &key.motive {
        fact("Reason", motive.to_string());
    }
    fact("Owner", seen.view.owner_name(key).to_owned());
    let future = if key.created_at > times.now() { ": the clock was wrong" } else { "" };
    fact("Created", format!("{}{future}", times.both(key.created_at)));
    fact("Expires", key.expiry.instant().map_or_else(|| "never".to_owned(), |at| times.both(at)));
    let usage = seen.usage(key);
    let sighting = seen.trace(key).and_then(|trace| trace.sighting.as_ref());
    let last = seen.trace(key).and_then(|trace| trace.of_last_use(usage));
    let from = last.map_or_else(String::new, |seen| format!(" from {seen}"));
    fact("Last used", format!("{}{from}", seen.view.last_use(key).words(|at| times.both(at))));
    if let (None, Some(seen)) = (last, sighting) {
        fact("Last seen", format!("{} at {seen}", times.relative(seen.at)));
    }
    if let Some(handed) = key.handed_words(usage, first, |at| times.relative(at)) {
        fact("Handed", handed);
    }
    if usage.count > 0 {
        fact("Requests", format!("{} allowed", usage.count));
    }
    if let Some(who) = seen.trace(key).and_then(Trace::presented) {
        fact("Presented", format!("{} from {who}", times.both(who.at)));
    }
    if !key.note.as_str().is_empty() {
        fact("Note", key.note.to_string());
    }
    if let Some(contacts) = &key.contacts {
        fact("Contacts", contacts.to_string());
    }
    if let Some(days) = key.notice_days {
        fact("Notice", format!("{days} d before its end"));
    }
    let told = seen.view.cycle(key).map(|cycle| cycle.idle.as_slice()).unwrap_or_default();
    if !told.is_empty() && seen.goes(key).is_some() {
        let told = told.iter().map(|step| format!("{} ({} d before)", times.date(step.at), step.days));
        fact("Told", format!("of its deletion {}", told.collect::<Vec<_>>().join(", ")));
    }
    if let Some(protection) = &key.protection {
        let who = seen.view.name_of(protection.word.by);
        let since = times.relative(protection.word.at);
        fact("Protected", format!("{sign} by {who} {since}: {}", protection.why));
    }
}

/// What fewer scopes would have refused, where that is tried.
fn tried(all: &mut Vec<Line>, key: &Key, seen: &Seen<'_>, picture: Option<&Picture>) {
    let Some(by) = key.reports_only().map(|tried| seen.view.name_of(tried.by)) else { return };
    let lacked = picture.and_then(|picture| picture.lacked.as_deref());
    let said = report_only::lines(key, by, lacked, seen.now(), |at| seen.times.relative(at));
    all.push(Line::blank());
    all.push(Line::of(Role::Header, "Report only"));
    all.extend(said.into_iter().map(|text| Line::of(Role::Text, text)));
}

/// Who presented the key while it was paused, as far as its history is read: nobody only where all of that is.
fn knocked(all: &mut Vec<Line>, key: &Key, seen: &Seen<'_>, history: Option<&[Happening]>) {
    let Some(history) = history.filter(|history| !history.is_empty()) else { return };
    let entries = history.iter().filter_map(|happening| happening.entry.as_ref());
    let Some(knocked) = knock::knocked(key, entries, seen.now()) else { return };
    let mut said: Vec<String> = knocked.words(|at| seen.times.relative(at)).into_iter().collect();
    said.extend(knocked.by.iter().map(|knock| {
        format!("{}× {}, last {}", knock.count, knock.whence(), seen.times.relative(knock.last))
    }));
    if let Status::Paused(since) = key.status
        && !reaches(history, since)
    {
        if knocked.by.is_empty() {
            said.clear();
        }
        said.push(if is_cut(history) {
            "what came before is no longer in the store".to_owned()
        } else {
            "before that, see `keydeck key show`".to_owned()
        });
    }
    for (at, said) in said.into_iter().enumerate() {
        all.push(Line::fact(if at == 0 { "Knocked" } else { "" }, said));
    }
}

/// Scopes by group of the catalog, in its order; what it does not know comes last. Where a request said which scopes it
/// needed, those never needed are named; of what is there since `made`.
pub fn scopes(
    all: &mut Vec<Line>,
    scopes: &Scopes,
    (trace, made): (Option<&Trace>, Timestamp),
    seen: &Seen<'_>,
) {
    let (count, catalog) = (scopes.len(), seen.catalog);
    let trace = trace.filter(|trace| !trace.scopes().is_empty());
    let told = match trace {
        Some(trace) => format!("Scopes used {} of {count}", trace.scopes().len()),
        None => format!("{count} {}", if count == 1 { "scope" } else { "scopes" }),
    };
    all.push(Line { end: Some((Role::Dim, highest(scopes, catalog))), ..Line::of(Role::Header, told) });
    let last = |at| seen.view.last_use_since(at, made);
    let when = |scope: &ScopeId| match trace.map(|trace| last(trace.scope_used_at(scope))) {
        Some(LastUse::Never) => (Role::Warn, "  never used".to_owned()),
        Some(last) => (Role::Dim, format!("  {}", last.brief(|at| seen.times.relative(at)))),
        None => (Role::Dim, String::new()),
    };
    for group in catalog.groups() {
        let held: Vec<_> = group.permissions.iter().filter(|known| scopes.contains(&known.id)).collect();
        if held.is_empty() {
            continue;
        }
        // A heading over a single one would only say it twice.
        let lead = if held.len() > 1 { "  " } else { "" };
        if held.len() > 1 {
            all.push(Line::of(Role::Text, group.title.clone()));
        }
        for permission in held {
            all.push(Line {
                spans: vec![
                    (Role::Accent, format!("{lead}{}", permission.id)),
                    when(&permission.id),
                    (Role::Dim, format!("  {}", permission.title)),
                ],
                end: Some((risk_role(permission.risk), permission.risk.to_string())),
                ..Line::default()
            });
        }
    }
    let unknown: Vec<&ScopeId> =
        scopes.iter().filter(|scope| catalog.permission(scope.as_str()).is_none()).collect();
    if !unknown.is_empty() {
        all.push(Line::of(Role::Text, "No longer in the catalog"));
        all.extend(unknown.into_iter().map(|scope| {
            let mut line = Line::of(Role::Dim, format!("  {scope}"));
            line.spans.push(when(scope));
            line
        }));
    }
}

fn highest(scopes: &Scopes, catalog: &Catalog) -> String {
    catalog
        .highest_risk(scopes)
        .map(|risk| if risk == Risk::Read { "risk: read".to_owned() } else { format!("risk: up to {risk}") })
        .unwrap_or_default()
}

/// The look of a risk's word.
pub const fn risk_role(risk: Risk) -> Role {
    match risk {
        Risk::Read => Role::Dim,
        Risk::Write => Role::Info,
        Risk::Admin => Role::Warn,
    }
}
