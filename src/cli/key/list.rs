//! `keydeck key list` and `show`.

use std::fmt::Write as _;
use std::process::ExitCode;

use super::lines::{self, KeyLine, KnockLine};
use super::{List, One, many};
use crate::cli::Outcome;
use crate::cli::door::{Deck, Signed};
use crate::cli::fault::Fault;
use crate::cli::find;
use crate::cli::lockdown;
use crate::cli::output::{Output, shown};
use crate::cli::report_only::ReportOnlyLine;
use crate::cli::table::{Cell, Table, Tone};
use crate::cli::times;
use crate::cli::usage::UseLine;
use crate::domain::audit::Entry;
use crate::domain::history::Picture;
use crate::domain::knock::{Knocked, knocked};
use crate::domain::name::plain;
use crate::domain::view::Sought;
use crate::domain::{
    Bearer, Grace, Grounds, Halves, Key, KeyState, LastUse, Place, ScopeId, Status, Timestamp, Trace, View,
};
use crate::engine::Unwritten;
use crate::engine::open::Wants;
use crate::tui::sight::{export, report_only, usage};

pub(super) fn list(deck: &Deck, args: &List) -> Outcome {
    if args.csv && deck.output.is_json() {
        return Err(Fault::usage("--csv and --json are two forms of one list. Name one of them."));
    }
    let scope = args.scope.as_ref().map(|text| text.parse::<ScopeId>()).transpose();
    let scope = scope.map_err(|error| Fault::usage(error.to_string()))?;
    let filter = args.filter.as_deref().map(many::read).transpose()?;
    let signed = deck.sign_in()?.widened(args.all)?;
    let (grounds, left) = (signed.grounds(), signed.engine.condition().unwritten);
    let now = grounds.now;
    let location = match &args.location {
        Some(reference) => Some(find::location(&signed, reference)?),
        None => None,
    };
    let app = match &args.app {
        Some(reference) => Some(find::app(&signed, reference)?.id),
        None => None,
    };
    let wanted = |key: &Key, view: View<'_>| {
        let shown = filter.as_ref().map(|filter| filter.finds(key, view, now));
        args.state.map_or(shown.unwrap_or_else(|| !view.is_aside(key, now)), |word| {
            word.fits(key, view, now) && shown != Some(false)
        }) && location.is_none_or(|id| key.place == Place::Location(id))
            && app.is_none_or(|id| key.place == Place::App(id))
            && scope.as_ref().is_none_or(|s| key.scopes.contains(s))
    };
    let (rows, text) = signed.see(|view| {
        let mut keys: Vec<&Key> = view.keys().filter(|key| wanted(key, view)).collect();
        keys.sort_by_cached_key(|key| (plain(key.name.as_str()), key.id));
        let text = if args.ids {
            let ids: Vec<String> = keys.iter().map(|key| key.id.to_string()).collect();
            if deck.output.is_json() {
                serde_json::to_string(&ids).map(|json| json + "\n")
            } else {
                Ok(ids.into_iter().map(|id| id + "\n").collect())
            }
        } else if args.csv {
            return (keys.len(), export::csv(keys.iter().copied(), view, now));
        } else if deck.output.is_json() {
            let lines: Vec<KeyLine<'_>> =
                keys.iter().map(|key| KeyLine::of(key, view, &left, grounds)).collect();
            serde_json::to_string(&lines).map(|json| json + "\n")
        } else {
            Ok(table(&keys, view, &left, grounds, args.all).render(deck.output))
        };
        (keys.len(), text.map_err(|error| error.to_string()))
    });
    let text = text.map_err(|why| Fault::refused("output", why))?;
    if rows == 0 && !deck.output.is_json() && !args.ids && !args.csv {
        let none = signed.see(|view| many::none(view, args.all));
        deck.output
            .say(&format!("{none} `keydeck key create` issues one; deleted ones show with --state deleted."));
        return Ok(ExitCode::SUCCESS);
    }
    deck.output.text(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn table(keys: &[&Key], view: View<'_>, left: &Unwritten, grounds: Grounds, with_owner: bool) -> Table {
    let now = grounds.now;
    let mut headings = vec!["Name", "Key", "Location or app", "Scopes", "Last used", "Expires", "State"];
    if with_owner {
        headings.push("Owner");
    }
    let mut table = Table::new(&headings);
    for key in keys {
        let mut row: Vec<Cell> = vec![
            key.name.as_str().into(),
            key.hint().into(),
            view.place_name(key.place).map_or_else(|| Cell::toned("(agency)", Tone::Faint), Cell::from),
            key.scopes.len().to_string().into(),
            view.last_use_of_whole(key, now).brief(|at| times::relative(at, now)).into(),
            times::expiry(key.expiry, now).into(),
            lines::state(key, view, left, grounds),
        ];
        if with_owner {
            row.push(view.owner_name(key).into());
        }
        table.row(row);
    }
    table
}

pub(super) fn show(deck: &Deck, one: &One) -> Outcome {
    let signed = deck.sign_in_for(Wants::Named)?.widened(one.all)?;
    let key = find::key(&signed, &one.key, Sought::Living)?;
    if key.reports_only().is_some() {
        // Who decides whether to enforce it counts what came just now, too.
        signed.engine.know_uses(&signed.session)?;
    }
    // The page is worth having without it.
    let used = signed.engine.history(&signed.session, Bearer::Key(key.id)).ok();
    print_with(deck, &signed, &key, used.as_ref())
}

/// One key: a page for people, an object for scripts.
pub(super) fn print(deck: &Deck, signed: &Signed, key: &Key) -> Outcome {
    print_with(deck, signed, key, None)
}

fn print_with(deck: &Deck, signed: &Signed, key: &Key, used: Option<&Picture>) -> Outcome {
    let (grounds, left) = (signed.grounds(), signed.engine.condition().unwritten);
    let now = grounds.now;
    let knocked = meanwhile(signed, key, now);
    if deck.output.is_json() {
        let state = signed.engine.state();
        let view = View::new(&state, signed.session.actor());
        let mut line = KeyLine::of(key, view, &left, grounds);
        line.over_time = used.map(UseLine::from);
        line.report_only = ReportOnlyLine::of(key, view, now, used.and_then(|used| used.lacked.as_deref()));
        line.knocked = knocked.map(|knocked| knocked.by.into_iter().map(KnockLine::from).collect());
        deck.output.value(&line)?;
    } else {
        // No more than there is: the trail may be unreadable, and the page is worth having all the same.
        let over = matches!(key.state(now), KeyState::Revoked | KeyState::Deleted);
        let trail =
            if over { signed.engine.audit(&signed.session, None, TOLD, Some(key.id)).ok() } else { None };
        let why = trail.as_ref().and_then(|page| page.lines.iter().find_map(|line| line.entry.unasked()));
        let told = (why, knocked.as_ref(), used.map(|used| (used, picture_cells(deck.output))));
        deck.output.text(&signed.see(|view| page(key, view, told, &left, grounds)))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Cells of a strip of days: each has its own.
const CELLS: usize = Picture::DAYS as usize;
/// Cells of a label.
const LABEL: usize = 12;

/// Cells of a picture: as many as there are days, or as fit beside a label into the terminal that shows it.
pub(in crate::cli) fn picture_cells(output: Output) -> usize {
    output.cells().map_or(CELLS, |cells| cells.saturating_sub(LABEL).clamp(LABEL, CELLS))
}

/// Entries of a key that are looked at for why it ended.
const TOLD: usize = 30;

/// Entries of a key in a week in which it is refused each minute: of a pause that lasts longer no more are read.
const WEEK: usize = 7 * 24 * 60;

/// Who presented a key while it was paused, as far as the trail can be read.
fn meanwhile(signed: &Signed, key: &Key, now: Timestamp) -> Option<Knocked> {
    let since = match (key.status, key.counted_from) {
        (Status::Paused(since), _) => since,
        // A pause that ends by itself takes seven days at most, and is told of for as long.
        (Status::Active, Some(at)) if now.since(at) <= Grace::MAX.ms() => {
            Timestamp(at.0.saturating_sub(Grace::MAX.ms()))
        }
        _ => return None,
    };
    let (mut entries, mut before): (Vec<Entry>, _) = (Vec::new(), None);
    loop {
        let page = signed.engine.audit(&signed.session, before, TOLD, Some(key.id)).ok()?;
        let older = page.lines.last().is_none_or(|line| line.entry.at < since.0);
        entries.extend(page.lines.into_iter().map(|line| line.entry));
        before = page.next.filter(|_| !older);
        // That nobody did cannot be told where entries of that time are no longer in the store.
        let is_cut = page.older.is_some_and(|older| older.before.is_none_or(|begins| since < begins));
        if before.is_none() || entries.len() >= WEEK {
            return knocked(key, entries.iter(), now).filter(|knocked| !is_cut || !knocked.by.is_empty());
        }
    }
}

/// When a key goes that nobody uses, or why it does not.
fn goes(key: &Key, view: View<'_>, grounds: Grounds) -> Option<(&'static str, String)> {
    let now = grounds.now;
    if let Some(protection) = &key.protection {
        let (who, since) = (view.name_of(protection.word.by), times::both(protection.word.at, now));
        return Some(("Protected", format!("{}; by {who}, since {since}", protection.why)));
    }
    let at = view.deletes_at(key, grounds)?;
    let when = if view.hold().keeps(key.id) {
        "when an admin says so: it waits with others".to_owned()
    } else if at <= now {
        "at the next sweep".to_owned()
    } else {
        times::both(at, now)
    };
    Some(("Deleted", format!("{when}, unless it is used")))
}

#[expect(clippy::too_many_lines, reason = "one line for each thing there is to say")]
fn page(
    key: &Key,
    view: View<'_>,
    (why, knocked, used): (Option<&str>, Option<&Knocked>, Option<(&Picture, usize)>),
    left: &Unwritten,
    grounds: Grounds,
) -> String {
    let now = grounds.now;
    let mut out = String::new();
    let mut line = |what: &str, text: &str| {
        let _ = writeln!(out, "{what:<12}{}", shown(text));
    };
    line("Name", key.name.as_str());
    line("Key", &key.hint());
    line("Id", &key.id.to_string());
    line("Kind", key.place.kind());
    if let Some(place) = view.place_name(key.place) {
        line(if key.place.app().is_some() { "App" } else { "Location" }, place);
    }
    let state = match key.state(now) {
        KeyState::Revoked if key.superseded.is_some() => "revoked: rotated away",
        state => state.as_str(),
    };
    let stopped = lines::stopped(key, view, now)
        .map_or_else(String::new, |reason| format!("; refused all the same: {}", reason.advice()));
    let waits = if left.concerns(key.id) { " (in force, not written yet)" } else { "" };
    let why = why.map_or_else(String::new, |why| format!("; keydeck took it back: {why}"));
    let decoy =
        if key.is_laid() { "; a decoy: it opens nothing, and you are told who presents it" } else { "" };
    line("State", &format!("{state}{decoy}{waits}{stopped}{why}"));
    if let Some(seen) = view.trace(key).and_then(Trace::presented) {
        line("Presented", &format!("{} from {seen}", times::both(seen.at, now)));
    }
    for locked in lockdown::in_words(view, &view.lockdowns_of_key(key), now) {
        line("Locked down", &locked);
    }
    if let Some(motive) = &key.motive {
        line("Reason", &motive.to_string());
    }
    if let Some(at) = key.resumes_at() {
        line("Resumes", &format!("with the first sweep after {}", times::both(at, now)));
    }
    for (at, said) in knocked.map(|knocked| knocks(knocked, now)).into_iter().flatten().enumerate() {
        line(if at == 0 { "Knocked" } else { "" }, &said);
    }
    line("Owner", view.owner_name(key));
    let future = if key.created_at > now { "; in the future: the clock was wrong" } else { "" };
    line("Created", &format!("{}{future}", times::both(key.created_at, now)));
    let usage = view.usage(key);
    let trace = view.trace(key);
    let last = view.last_use(key);
    let from = trace.and_then(|trace| trace.of_last_use(usage)).filter(|_| last.at().is_some());
    let from = from.map_or_else(String::new, |seen| format!(" from {seen}"));
    let count = last.at().map_or_else(String::new, |_| format!("; uses in all: {}", usage.count));
    line("Last used", &format!("{}{from}{count}", last.words(|at| times::both(at, now))));
    if let Some(seen) = trace.and_then(|trace| trace.sighting.as_ref())
        && trace.is_some_and(|trace| trace.of_last_use(usage).is_none())
    {
        line("Last seen", &format!("{} at {seen}", times::relative(seen.at, now)));
    }
    if let Some(handed) =
        key.handed_words(usage, used.and_then(|(used, _)| used.first.as_ref()), |at| times::relative(at, now))
    {
        line("Handed over", &handed);
    }
    if let Some(at) = usage.first_used_at.filter(|_| key.succeeds.is_some()) {
        line("First used", &times::both(at, now));
    }
    for (what, text) in used
        .map(|(used, cells)| usage::lines(used, cells, |at| times::relative(at, now)))
        .into_iter()
        .flatten()
    {
        line(what, &text);
    }
    match key.expiry.instant() {
        Some(at) => line("Expires", &format!("{} ({})", times::exact(at), times::relative(at, now))),
        None => line("Expires", "never"),
    }
    for (what, text) in rotation(key, view, now) {
        line(what, &text);
    }
    if let Some((what, text)) = goes(key, view, grounds) {
        line(what, &text);
    }
    if let Some(at) = view.clears_at(key, now) {
        line("Cleared", &format!("away by the first sweep after {}", times::both(at, now)));
    }
    if let Some(until) = key.restorable_until() {
        line("Restorable", &format!("until {}", times::both(until, now)));
    }
    if let Some(contacts) = &key.contacts {
        line("Contacts", &contacts.to_string());
    }
    if !key.note.as_str().is_empty() {
        line("Note", key.note.as_str());
    }
    for (what, text) in scopes(key, view, now) {
        line(what, &text);
    }
    let (by, lacked) = (
        key.reports_only().map(|tried| view.name_of(tried.by)),
        used.and_then(|(used, _)| used.lacked.as_deref()),
    );
    let tried = report_only::lines(key, by.unwrap_or_default(), lacked, now, |at| times::relative(at, now));
    for (at, text) in tried.iter().enumerate() {
        line(if at == 0 { "Report only" } else { "" }, text);
    }
    out
}

/// Who presented a key while it was paused, in lines.
fn knocks(knocked: &Knocked, now: Timestamp) -> Vec<String> {
    let mut said: Vec<String> = knocked.words(|at| times::relative(at, now)).into_iter().collect();
    said.extend(knocked.by.iter().map(|knock| {
        let (last, first) = (times::relative(knock.last, now), times::relative(knock.first, now));
        let times =
            if knock.count == 1 { String::new() } else { format!(" {}×, first {first},", knock.count) };
        format!("{}:{times} last {last}", knock.whence())
    }));
    said
}

/// What a key may do, as lines of a page, and when each of it was needed.
fn scopes(key: &Key, view: View<'_>, now: Timestamp) -> Vec<(&'static str, String)> {
    let known = view.trace(key).filter(|trace| !trace.scopes().is_empty());
    let mut all: Vec<(&'static str, String)> = Vec::new();
    for scope in &key.scopes {
        let used = known.map(|trace| view.last_use_since(trace.scope_used_at(scope), key.created_at));
        let used = match used {
            Some(LastUse::At(at)) => format!(" (used {})", times::relative(at, now)),
            Some(LastUse::Never) => " (never used)".to_owned(),
            Some(LastUse::NotKnown(_)) => " (use not known)".to_owned(),
            None => String::new(),
        };
        all.push((if all.is_empty() { "Scopes" } else { "" }, format!("{scope}{used}")));
    }
    if let Some(trace) = known {
        all.push(("Scopes used", format!("{} of {}", trace.scopes().len(), key.scopes.len())));
    }
    all
}

/// Both halves of a rotation, as lines of a page: since when, until when, and who still uses the old one.
fn rotation(key: &Key, view: View<'_>, now: Timestamp) -> Vec<(&'static str, String)> {
    let Some(halves) = view.halves(key) else { return Vec::new() };
    let Halves { old, new, how } = halves;
    let used = |key: &Key| match view.last_use(key) {
        LastUse::At(_) => {
            let from = view.trace(key).and_then(|trace| trace.of_last_use(view.usage(key)));
            let from = from.map_or_else(String::new, |seen| format!(" from {seen}"));
            format!("used {}{from}, {} in all", lines::last_used(key, view, now), view.usage(key).count)
        }
        LastUse::Never => "never used".to_owned(),
        last @ LastUse::NotKnown(_) => format!("use {}", last.words(|at| times::both(at, now))),
    };
    let first = view.usage(new).first_used_at;
    let first = first.map_or_else(String::new, |at| format!("first used {}, ", times::relative(at, now)));
    let ends = match (how.waits, old.state(now)) {
        (Some(grace), KeyState::Superseded) => format!("ends {grace} after the first use of the new half"),
        (_, KeyState::Superseded) => {
            old.expiry.instant().map_or_else(String::new, |at| format!("ends {}", times::both(at, now)))
        }
        _ => "has ended".to_owned(),
    };
    let unused = matches!(view.last_use(new), LastUse::Never) && halves.in_grace(now);
    let again = unused.then(|| {
        let lost = match new.handed {
            Some(_) => "if its token is lost,",
            // Shown, or left in no file by a process that was killed.
            None => "no file it went to is known: unless somebody was shown its token, nobody has it, and",
        };
        format!("{lost} `keydeck key rotate {} --again` makes another", new.id)
    });
    [
        Some(("Rotated", times::both(how.since, now))),
        Some(("New half", format!("{}, {first}{}", new.hint(), used(new)))),
        again.map(|again| ("", again)),
        Some(("Old half", format!("{}, {ends}, {}", old.hint(), used(old)))),
    ]
    .into_iter()
    .flatten()
    .collect()
}
