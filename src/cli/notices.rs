//! `keydeck notices`: the board, and saying that one has seen what stands there.

use std::borrow::Cow;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use super::Outcome;
use super::delivery::{Drop, Move, Test, empty, test};
use super::door::{Deck, Signed};
use super::fault::Fault;
use super::find;
use super::key::One;
use super::table::{Cell, Table, Tone};
use super::times;
use crate::domain::command::NoticeRef;
use crate::domain::lifecycle::{NoticeKind, STEPS};
use crate::domain::notice::{Notice, What, board, of_key};
use crate::domain::time::BadExpiry;
use crate::domain::view::Sought;
use crate::domain::{Command, Expiry, Extent, OperatorId, Timestamp, View};
use crate::engine::{Troubles, troubles};

/// What can be done with notices.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// What time is about to do to your keys and what it has done, and what is wrong; what happens next stands first
    List(List),
    /// Say that you have seen the notices of a key: the console shows them no more until the next step
    ///
    /// Nothing else changes: the key ends or is deleted as was told, `notices list` goes on naming it, with who has seen it,
    /// and `due` does not ask whether anybody has.
    Ack(Ack),
    /// Have the notices of a key shown again later; their next step is shown in any case
    Snooze(Snooze),
    /// Send a test message through the channels of the configuration file, and tell what became of it
    Test(Test),
    /// Have what waits for a channel sent through another, such as the one it was renamed to (admins)
    ///
    /// One that has told nobody anything yet goes on where the other stopped, and tells everything since.
    Move(Move),
    /// Give up what waits for a channel, and tell no more of what was given up (admins)
    Drop(Drop),
}

/// Words of `notices list`.
#[derive(Debug, Args)]
pub struct List {
    /// Everybody's keys (admins; noted in the audit trail)
    #[arg(long)]
    all: bool,
}

/// Which notices.
#[derive(Debug, Args)]
pub struct Which {
    #[command(flatten)]
    one: One,
    /// Only its notice of this kind
    #[arg(long, value_name = "WHAT")]
    what: Option<WhatWord>,
}

/// Words of `notices ack`.
#[derive(Debug, Args)]
pub struct Ack {
    #[command(flatten)]
    which: Which,
}

/// Words of `notices snooze`.
#[derive(Debug, Args)]
pub struct Snooze {
    #[command(flatten)]
    which: Which,
    /// How long, such as 3d or 12h
    #[arg(long = "for", value_name = "LIFE")]
    life: String,
}

/// The words for kinds.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum WhatWord {
    /// It is going to be deleted for want of use
    Deletion,
    /// Its end is near
    Ends,
    /// It has ended
    Ended,
    /// It was deleted for want of use
    Deleted,
    /// It was deleted or is a decoy, and somebody presents it
    Presented,
    /// Its record was deleted and is back
    Restored,
}

impl WhatWord {
    const fn kind(self) -> NoticeKind {
        match self {
            Self::Deletion => NoticeKind::Deletion,
            Self::Ends => NoticeKind::Ends,
            Self::Ended => NoticeKind::Ended,
            Self::Deleted => NoticeKind::Deleted,
            Self::Presented => NoticeKind::Presented,
            Self::Restored => NoticeKind::Restored,
        }
    }
}

/// A notice in JSON.
#[derive(Serialize)]
struct NoticeLine<'a> {
    what: &'static str,
    when: String,
    /// What there is to say of it besides: what is wrong.
    why: Option<Cow<'a, str>>,
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<String>,
    name: Option<&'a str>,
    hint: Option<String>,
    owner: Option<&'a str>,
    /// Of a decoy that was presented.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    decoy: bool,
    told: Option<usize>,
    held: Option<usize>,
    keys: Option<usize>,
    /// Who said that they have seen it; `snoozed_until` beside it when that holds for some time only.
    acknowledged_by: Option<&'a str>,
    snoozed_until: Option<String>,
}

/// Runs one of them.
pub fn run(deck: &Deck, verb: &Verb) -> Outcome {
    match verb {
        Verb::List(args) => list(deck, args),
        Verb::Ack(Ack { which }) => see(deck, which, None),
        Verb::Snooze(Snooze { which, life }) => see(deck, which, Some(life)),
        Verb::Test(args) => test(deck, args),
        Verb::Move(Move { channel, to }) => empty(deck, *channel, Some(*to)),
        Verb::Drop(Drop { channel }) => empty(deck, *channel, None),
    }
}

fn list(deck: &Deck, args: &List) -> Outcome {
    let signed = deck.sign_in()?.widened(args.all)?;
    let (grounds, troubles) = (signed.grounds(), troubles(&*signed.engine));
    signed.see(|view| {
        let notices = board(view, grounds, &troubles.when());
        print(deck, view, (&notices, &troubles), grounds.now, "There is no notice.")
    })?;
    if grounds.complete_since.is_none() {
        deck.output.say(
            "The clock is in doubt or uses are not written down, so nothing is deleted and nothing is told of that. \
             `keydeck info` says why.",
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn see(deck: &Deck, which: &Which, life: Option<&str>) -> Outcome {
    let signed = deck.sign_in()?.widened(which.one.all)?;
    let key = find::key(&signed, &which.one.key, Sought::Living)?;
    let until = life.map(|life| until(life, &signed)).transpose()?;
    let grounds = signed.grounds();
    let mut found = of_key(&signed.engine.state(), &key, grounds);
    found.retain(|notice| match which.what {
        Some(word) => notice.what.kind() == Some(word.kind()),
        // Those that were put away for good already are no reason to refuse the others.
        None => {
            let is_new = notice.seen.is_none_or(|seen| until.is_some() || seen.until.is_some());
            notice.can_be_seen() && is_new
        }
    });
    if found.is_empty() {
        return Err(Fault::refused("no_notice", format!("there is no notice of {} to be seen.", key.name)));
    }
    for notice in &found {
        let Some(kind) = notice.what.kind() else { continue };
        let notice = NoticeRef { key: key.id, kind, since: notice.since };
        let command = match until {
            None => Command::AckNotice(notice),
            Some(until) => Command::SnoozeNotice { notice, until },
        };
        signed.engine.execute(&signed.session, command)?;
    }
    if deck.output.is_json() {
        let grounds = signed.grounds();
        let found = of_key(&signed.engine.state(), &key, grounds);
        signed.see(|view| show(deck, view, &found, grounds.now, ""))?;
        return Ok(ExitCode::SUCCESS);
    }
    let shown = until.map_or_else(
        || "its next step, if there is one".to_owned(),
        |until| format!("{}, or its next step", times::both(until, signed.now())),
    );
    for notice in &found {
        let (what, _) = in_words(notice.what, notice.when <= grounds.now);
        deck.output.say(&format!("{}: {what}. It is not shown until {shown}.", key.name));
    }
    Ok(ExitCode::SUCCESS)
}

fn until(life: &str, signed: &Signed) -> Result<Timestamp, Fault> {
    match Expiry::parse(life, signed.now(), &chrono::Local) {
        Ok(Expiry::At(until)) => Ok(until),
        Ok(Expiry::Never) => {
            Err(Fault::usage("--for: a time such as 3d; for good there is `keydeck notices ack`."))
        }
        Err(BadExpiry::TooFar) => Err(Fault::usage(format!(
            "--for {life}: that is more than ten years away; for good there is `keydeck notices ack`."
        ))),
        Err(why) => Err(Fault::usage(format!("--for {life}: {why}."))),
    }
}

/// Prints notices, as a table or as JSON; `nothing` is said when there are none.
pub(super) fn show(
    deck: &Deck,
    view: View<'_>,
    notices: &[Notice],
    now: Timestamp,
    nothing: &str,
) -> Result<(), Fault> {
    print(deck, view, (notices, &Troubles::default()), now, nothing)
}

fn print(
    deck: &Deck,
    view: View<'_>,
    (notices, troubles): (&[Notice], &Troubles),
    now: Timestamp,
    nothing: &str,
) -> Result<(), Fault> {
    if deck.output.is_json() {
        let lines: Vec<_> = notices.iter().map(|notice| line(view, notice, troubles)).collect();
        return deck.output.value(&lines);
    }
    if notices.is_empty() {
        deck.output.say(nothing);
        return Ok(());
    }
    let any_seen = notices.iter().any(|notice| notice.seen.is_some());
    let heads = ["When", "What happens", "Key", "Owner", "Seen by"];
    let mut table = Table::new(heads.get(..if any_seen { 5 } else { 4 }).unwrap_or(&heads));
    for notice in notices {
        let (what, tone) = in_words(notice.what, notice.when <= now);
        let what = why(view, notice, troubles).map_or_else(|| what.clone(), |why| format!("{what}: {why}"));
        let mut cells = vec![
            times::both(notice.when, now).into(),
            Cell::toned(what, if notice.seen.is_some() { Tone::Faint } else { tone }),
            whose(view, notice).map_or_else(String::new, |(name, hint)| format!("{name} ({hint})")).into(),
            owner(view, notice).unwrap_or_default().into(),
        ];
        if any_seen {
            cells.push(seen(view, notice, now).into());
        }
        table.row(cells);
    }
    deck.output.text(&table.render(deck.output))
}

fn seen(view: View<'_>, notice: &Notice, now: Timestamp) -> String {
    let Some(seen) = notice.seen else { return String::new() };
    let until = seen.until.map_or_else(String::new, |at| format!(", until {}", times::both(at, now)));
    format!("{}{until}", view.name_of(seen.word.by))
}

/// The name of the key or app it is about, and the hint of what ends; of a lockdown, whose or what's it is.
fn whose<'a>(view: View<'a>, notice: &Notice) -> Option<(&'a str, String)> {
    if let What::LockedDown(extent) = notice.what {
        return Some((view.extent_name(extent), extent.code().to_owned()));
    }
    let key = notice.key.and_then(|id| view.key(id)).map(|key| (key.name.as_str(), key.hint()));
    key.or_else(|| notice.app.and_then(|id| view.app(id)).map(|app| (app.name.as_str(), app.secret_hint())))
}

/// Whose it is.
fn owner<'a>(view: View<'a>, notice: &Notice) -> Option<&'a str> {
    let whose = |id: OperatorId| view.name_of(id);
    match notice.what {
        What::OwnerGone(owner, _) | What::LockedDown(Extent::Owner(owner)) => Some(whose(owner)),
        _ => {
            let key = notice.key.and_then(|id| view.key(id)).map(|key| key.owner);
            key.or_else(|| notice.app.and_then(|id| view.app(id)).map(|app| app.owner)).map(whose)
        }
    }
}

/// What is wrong, of a notice that something is; what ends one of a store put back; who presents a key that was deleted; why something is locked down, and by whom.
fn why<'a>(view: View<'_>, notice: &Notice, troubles: &'a Troubles) -> Option<Cow<'a, str>> {
    match notice.what {
        What::Trouble(trouble) => troubles.why(trouble).map(Cow::from),
        What::PutBack => {
            let count = view.hold().keys.len();
            Some(format!("`keydeck sweep --confirm {count}` lets deletions go on").into())
        }
        What::Presented { .. } => {
            let key = notice.key.and_then(|id| view.key(id))?;
            Some(format!("last from {}", view.trace(key)?.presented()?).into())
        }
        What::LockedDown(extent) => {
            let lockdowns = view.lockdowns();
            let (_, lockdown) = lockdowns.into_iter().find(|(stands, _)| *stands == extent)?;
            let by = view.name_of(lockdown.by);
            let why = lockdown.why.as_str();
            Some(if why.is_empty() { format!("by {by}") } else { format!("{why} (said by {by})") }.into())
        }
        _ => None,
    }
}

fn in_words(what: What, is_due: bool) -> (String, Tone) {
    match what {
        What::Trouble(trouble) => (trouble.words().to_owned(), Tone::Bad),
        What::Held(1) => ("1 deletion waits for a word".into(), Tone::Warn),
        What::Held(count) => (format!("{count} deletions wait for a word"), Tone::Warn),
        What::PutBack => (
            "the store was put back from a backup of then; what was ended since lives again".into(),
            Tone::Bad,
        ),
        What::LockedDown(_) => ("locked down".into(), Tone::Bad),
        What::OwnerGone(_, 1) => ("owner disabled, 1 key works".into(), Tone::Warn),
        What::OwnerGone(_, keys) => (format!("owner disabled, {keys} keys work"), Tone::Warn),
        What::Deletion { .. } if is_due => {
            ("to be deleted for want of use by the next sweep".into(), Tone::Bad)
        }
        What::Deletion { told } => {
            (format!("deleted for want of use (told {told} of {})", STEPS.len()), Tone::Bad)
        }
        What::Ends => ("ends".into(), Tone::Warn),
        What::GraceEnds => ("its grace ends; another took over".into(), Tone::Faint),
        What::StillUsed => ("its grace ends, and it is still used".into(), Tone::Bad),
        What::Ended => ("ended".into(), Tone::Faint),
        What::Clears if is_due => ("to be cleared away after its end by the next sweep".into(), Tone::Faint),
        What::Clears => ("cleared away after its end".into(), Tone::Faint),
        What::Deleted => ("deleted for want of use; can be restored until then".into(), Tone::Faint),
        What::Presented { decoy: false } => ("deleted, and somebody still presents it".into(), Tone::Bad),
        What::Presented { decoy: true } => ("a decoy, and somebody presents it".into(), Tone::Bad),
        What::Restored => ("its record was restored, as revoked".into(), Tone::Faint),
    }
}

fn line<'a>(view: View<'a>, notice: &Notice, troubles: &'a Troubles) -> NoticeLine<'a> {
    let whose = whose(view, notice);
    NoticeLine {
        what: notice.what.code(),
        when: notice.when.rfc3339(),
        why: why(view, notice, troubles),
        key: notice.key.map(|id| id.to_string()),
        app: notice.app.map(|id| id.to_string()),
        name: whose.as_ref().map(|(name, _)| *name),
        hint: whose.map(|(_, hint)| hint),
        owner: owner(view, notice),
        decoy: notice.what == What::Presented { decoy: true },
        told: if let What::Deletion { told } = notice.what { Some(told) } else { None },
        held: if let What::Held(count) = notice.what { Some(count) } else { None },
        keys: if let What::OwnerGone(_, keys) = notice.what { Some(keys) } else { None },
        acknowledged_by: notice.seen.map(|seen| view.name_of(seen.word.by)),
        snoozed_until: notice.seen.and_then(|seen| seen.until).map(Timestamp::rfc3339),
    }
}
