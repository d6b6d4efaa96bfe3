//! `keydeck sweep` and `due`: what time does to keys, for cron and for monitoring.

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::Outcome;
use super::consent::Consent;
use super::delivery;
use super::door::{Deck, Signed};
use super::fault::Fault;
use super::notices::show;
use super::number::whole;
use super::table::Table;
use super::times;
use crate::deliver::{Quit, Report, Setup, begin, run};
use crate::domain::coming::Coming;
use crate::domain::event::Subject;
use crate::domain::lifecycle::Told;
use crate::domain::time::BadExpiry;
use crate::domain::{Command, Event, Expiry, Name, Refusal, Timestamp};
use crate::engine::{LocalEngine, Sweeping, Swept};

/// Words of `sweep`.
#[derive(Debug, Args)]
pub struct Sweep {
    /// Show what a sweep would do now, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// First let the deletions go that wait for a word; so many, as the dry run counts them. 0 lets deletions go on in a store
    /// that was put back from a backup (admins)
    #[arg(long, value_name = "COUNT", conflicts_with = "dry_run", value_parser = whole::<u32>(0..=4_096))]
    confirm: Option<u32>,
    /// Tell of everybody's keys (admins; noted in the audit trail)
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    consent: Consent,
}

/// Words of `due`.
#[derive(Debug, Args)]
pub struct Due {
    /// How far ahead to look, such as 7d or 12h
    #[arg(long, value_name = "LIFE", default_value = "7d")]
    within: String,
    /// Everybody's keys (admins; noted in the audit trail)
    #[arg(long)]
    all: bool,
}

/// What was done, in JSON.
#[derive(Serialize)]
struct SweptLine<'a> {
    done: bool,
    actions: Vec<ActionLine<'a>>,
    others: u32,
    /// Deletions that wait for a word, as far as they are seen; a sweep that was done has counted them.
    waiting: usize,
    next_at: Option<String>,
    delivered: usize,
    undelivered: Vec<delivery::Line>,
}

#[derive(Serialize)]
struct ActionLine<'a> {
    action: &'static str,
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<String>,
    name: Option<&'a str>,
    days: Option<u32>,
    at: Option<String>,
    held: Option<usize>,
}

/// Runs `sweep`.
pub fn sweep(deck: &Deck, args: &Sweep) -> Outcome {
    let how = if args.dry_run { Sweeping::Tell } else { Sweeping::Do };
    let channels = if how == Sweeping::Do { deck.channels()? } else { &[] };
    let signed = deck.sign_in()?.widened(args.all)?;
    if let Some(count) = args.confirm {
        let keys = if count == 1 { "1 key".to_owned() } else { format!("{count} keys") };
        let question = match count {
            0 => "Let keys be deleted again that nobody has used for long?".to_owned(),
            _ => format!("Let {keys} be deleted that nobody has used for long?"),
        };
        args.consent.ask(&signed, || question)?;
        signed.engine.execute(&signed.session, Command::ConfirmHold { count })?;
    }
    if let Some(engine) = signed.local.as_ref().filter(|_| how == Sweeping::Do) {
        // Before the sweep: what it does is the first that they tell of.
        begin(engine, channels);
    }
    let swept = signed.engine.sweep(&signed.session, how);
    // Also what kept a sweep from being done is told. Who is attached leaves it to the process that has the store.
    let delivered = match &signed.local {
        Some(engine) if how == Sweeping::Do => deliver(engine, &signed, channels),
        _ => Report::default(),
    };
    let swept = swept.inspect_err(|_| delivery::tell(deck, &delivered))?;
    if deck.output.is_json() {
        let hold = signed.see(|view| view.hold());
        let line = SweptLine {
            waiting: if hold.confirmed.is_none() { hold.keys.len() } else { 0 },
            done: how == Sweeping::Do,
            actions: swept.events.iter().map(action).collect(),
            others: swept.others,
            next_at: swept.next.map(Timestamp::rfc3339),
            delivered: delivered.sent,
            undelivered: delivered.failed.iter().map(delivery::Line::failed).collect(),
        };
        deck.output.value(&line)?;
    } else {
        tell(deck, &signed, &swept, how)?;
    }
    delivery::tell(deck, &delivered);
    let fails = how == Sweeping::Do && delivery::tell_failing(deck, &signed, &delivered);
    let fails = fails || (how == Sweeping::Do && delivery::tell_unnamed(deck, &signed, channels));
    let done = deck.done(signed.engine.settle());
    // It is swept all the same; whoever runs it has to know that colleagues are not told.
    Ok(if fails { ExitCode::from(1) } else { done })
}

/// Delivers until nothing is new: while a program takes its time others go on, and may do what is to be told.
fn deliver(engine: &LocalEngine, signed: &Signed, channels: &[Setup]) -> Report {
    if channels.is_empty() {
        return Report::default();
    }
    let _others = signed.waiting();
    let quit = Quit::default();
    let mut all = run(engine, channels, &quit);
    let mut sent = all.sent;
    while sent > 0 {
        let works = |setup: &&Setup| all.failed.iter().all(|(failed, _)| *failed != setup.name);
        let well: Vec<Setup> = channels.iter().filter(works).cloned().collect();
        let more = run(engine, &well, &quit);
        sent = more.sent;
        all.add(more);
    }
    all
}

fn action(event: &Event) -> ActionLine<'_> {
    let key = match event.subject() {
        Subject::Key(key) | Subject::Notices(key, _) => Some(key),
        _ => None,
    };
    let app = event.app();
    // Of what was purged only the name it had is left.
    let named = if let Event::KeyPurged(_, before) = event { Some(&**before) } else { key };
    let told = told(event);
    let held = if let Event::DeletionsHeld(hold, _) = event { Some(hold.keys.len()) } else { None };
    let action = if let Some((action, ..)) = told {
        action
    } else if held.is_some() {
        "held"
    } else if let Event::NoticesRenewed(..) = event {
        "notices_withdrawn"
    } else if let Event::KeyDeleted(key) = event {
        // Of what a sweep deletes only what had ended is not deleted for want of use.
        if key.was_over() { "cleared" } else { "deleted" }
    } else if let Event::KeySuperseded(..) | Event::AppSecretEnds(..) = event {
        "grace_begun"
    } else if let Event::KeyRevoked(_) | Event::AppSecretEnded(_) = event {
        "grace_ended"
    } else if let Event::KeyResumed(..) = event {
        "resumed"
    } else {
        "purged"
    };
    ActionLine {
        action,
        key: key.map(|key| key.id.to_string()),
        app: app.map(|app| app.id.to_string()),
        name: named.map(|key| &key.name).or_else(|| app.map(|app| &app.name)).map(Name::as_str),
        days: told.and_then(|(_, days, _)| days),
        at: told.map(|(.., at)| at).or_else(|| ends(event)).map(Timestamp::rfc3339),
        held,
    }
}

/// Which notice was given, how many days before what it tells of, and when that is.
const fn told(event: &Event) -> Option<(&'static str, Option<u32>, Timestamp)> {
    // As of the old half of a rotation.
    if let Event::AppSecretMissed(_, at) = event {
        return Some(("end_notice", Some(1), *at));
    }
    let Event::NoticeGiven(_, _, told) = event else { return None };
    Some(match *told {
        Told::Unused { days, deletes_at } => ("deletion_notice", Some(days), deletes_at),
        Told::Ends { days, at } => ("end_notice", Some(days), at),
        Told::Presented { at } => ("presented_notice", None, at),
    })
}

/// When the grace ends that was counted.
fn ends(event: &Event) -> Option<Timestamp> {
    if let Event::AppSecretEnds(app, _) = event {
        return app.previous().and_then(|old| old.until.instant());
    }
    if let Event::KeySuperseded(old, _) = event { old.grace_ends() } else { None }
}

fn tell(deck: &Deck, signed: &Signed, swept: &Swept, how: Sweeping) -> Result<(), Fault> {
    let now = signed.now();
    let mut table = Table::new(&["What", "Key", "When"]);
    for event in &swept.events {
        let done = action(event);
        let what = match done.action {
            "deletion_notice" => {
                format!("told: deleted for want of use, {} d before", done.days.unwrap_or(0))
            }
            "end_notice" if done.app.is_some() => "told: its old secret ends and is still used".into(),
            "end_notice" if done.days == Some(0) => "told: has ended".into(),
            "end_notice" => format!("told: ends, {} d before", done.days.unwrap_or(0)),
            "presented_notice" => "told: deleted, and somebody still presents it".into(),
            "notices_withdrawn" => "notices withdrawn".into(),
            "deleted" => "deleted for want of use".into(),
            "cleared" => "cleared away after its end".into(),
            "grace_begun" if done.app.is_some() => {
                "its new secret was used: the grace of the old one is counted".into()
            }
            "grace_ended" if done.app.is_some() => "its old secret ended: the grace is over".into(),
            "grace_begun" => "its successor was used: its grace is counted".into(),
            "grace_ended" => "its grace is over: revoked".into(),
            "resumed" => "its pause is over: resumed".into(),
            "held" if done.held == Some(0) => "no deletion waits for a word any more".into(),
            "held" if done.held == Some(1) => "1 deletion waits for a word".into(),
            "held" => format!("{} deletions wait for a word", done.held.unwrap_or(0)),
            _ => "purged".into(),
        };
        let at = told(event).map(|(.., at)| at).or_else(|| ends(event));
        let when = at.map_or_else(String::new, |at| times::both(at, now));
        table.row([what.into(), done.name.unwrap_or("").into(), when.into()]);
    }
    if !swept.events.is_empty() {
        deck.output.text(&table.render(deck.output))?;
    }
    let done = if how == Sweeping::Do { "was" } else { "is" };
    if swept.events.is_empty() {
        deck.output.say(&format!("Nothing {done} due for keys of yours."));
    }
    if swept.others > 0 {
        let things = match (swept.others, how) {
            (1, _) => format!("1 thing {done}"),
            (count, Sweeping::Do) => format!("{count} things were"),
            (count, Sweeping::Tell) => format!("{count} things are"),
        };
        deck.output.say(&format!("Besides, {things} due for keys of others."));
    }
    let (held, sees_all) = signed.see(|view| (view.hold(), view.sets_policy()));
    let is_stale =
        how == Sweeping::Tell && swept.events.iter().any(|e| matches!(e, Event::DeletionsHeld(..)));
    if is_stale {
        deck.output.say("A sweep writes down how many wait; then an admin can let them go.");
    } else if !held.is_empty() && held.confirmed.is_none() {
        let count = held.keys.len();
        let wait = if count == 1 { "1 deletion waits".to_owned() } else { format!("{count} deletions wait") };
        // Who sees a part of them does not know the number that is asked for.
        let confirm = if sees_all { count.to_string() } else { "COUNT".to_owned() };
        deck.output
            .say(&format!("{wait} for a word: an admin says it with `keydeck sweep --confirm {confirm}`."));
    }
    if let Some(next) = swept.next {
        deck.output.say(&format!("The next thing is due {}.", times::both(next, now)));
    }
    if how == Sweeping::Tell {
        deck.output.say("Nothing was changed.");
    }
    Ok(())
}

/// Runs `due`: exit code 1 when something is due.
pub fn due(deck: &Deck, args: &Due) -> Outcome {
    let signed = deck.sign_in()?.widened(args.all)?;
    let now = signed.now();
    let until = match Expiry::parse(&args.within, now, &chrono::Local) {
        Ok(Expiry::At(until)) => until,
        Ok(Expiry::Never) => return Err(Fault::usage("--within: a time such as 7d or 12h.")),
        Err(BadExpiry::TooFar) => {
            return Err(Fault::usage(format!("--within {}: that is more than ten years away.", args.within)));
        }
        Err(why) => return Err(Fault::usage(format!("--within {}: {why}.", args.within))),
    };
    let grounds = signed.grounds();
    if grounds.complete_since.is_none() {
        // Nothing due would be the wrong answer.
        let why = if signed.engine.now().suspect { Refusal::ClockSuspect } else { Refusal::UsesIncomplete };
        return Err(why.into());
    }
    let found = signed.see(|view| {
        // The board tells of what was told; whoever asks wants what comes before that as well, seen or not.
        let found = Coming::new(view, grounds, until).all();
        let nothing = if view.is_whole() { "Nothing is due." } else { "Nothing is due for keys of yours." };
        show(deck, view, &found, now, nothing)?;
        Ok::<_, Fault>(found.len())
    })?;
    Ok(if found == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
