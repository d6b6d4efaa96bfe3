//! What is done to a key after it was issued, or to many at once. Each verb is one command of the engine; scripts that
//! asked for JSON get the key as it is afterwards, or the report of many.

use std::process::ExitCode;

use super::issue::contacts;
use super::many::{Deed, Which};
use super::{Edit, Final, Pause, Protect, Rescope, Revoke, Transfer, expiry, list, now};
use crate::cli::Outcome;
use crate::cli::blast;
use crate::cli::door::{Deck, Signed};
use crate::cli::fault::Fault;
use crate::cli::find;
use crate::cli::times;
use crate::domain::basis::Basis;
use crate::domain::command::KeyEdit;
use crate::domain::view::Sought;
use crate::domain::{Command, Contacts, Key, KeyId, Motive, Name, Note, Timestamp};
use crate::engine::open::Wants;

pub(super) fn pause(deck: &Deck, args: &Pause) -> Outcome {
    if args.which.is_trial_of_one() {
        let (signed, key) = reach(deck, args.which.one(), Sought::Living)?;
        return blast::of_key(deck, &signed, &key, &Command::PauseKey(key.id, args.time));
    }
    if let Some(crowd) = args.which.many(deck, Sought::Living)? {
        let deed = Deed { verb: "pause", done: "paused", undo: Some(("resume", "takes it back")) };
        return crowd.does(deck, deed, |key| Ok(Command::PauseKey(key.id, args.time)));
    }
    let (signed, key) = reach(deck, args.which.one(), Sought::Living)?;
    signed.engine.execute(&signed.session, Command::PauseKey(key.id, args.time))?;
    let key = now(&signed, key.id)?;
    let until = key.resumes_at().map_or_else(
        || "until it is resumed".to_owned(),
        |at| {
            format!(
                "until the first sweep after {} resumes it: a console or a server that runs sweeps by itself, cron with \
                 `keydeck sweep`",
                times::exact(at)
            )
        },
    );
    done(deck, &signed, &key, &format!("is paused. It is refused from now on, {until}."))
}

pub(super) fn resume(deck: &Deck, which: &Which) -> Outcome {
    if let Some(crowd) = which.many(deck, Sought::Living)? {
        let deed = Deed { verb: "resume", done: "active again", undo: Some(("pause", "takes it back")) };
        return crowd.does(deck, deed, |key| Ok(Command::ResumeKey(key.id)));
    }
    carry_out(deck, which, Command::ResumeKey, "works again.")
}

pub(super) fn restore(deck: &Deck, which: &Which) -> Outcome {
    if let Some(crowd) = which.many(deck, Sought::Deleted)? {
        let deed = Deed {
            verb: "restore",
            done: "back in the lists, as revoked",
            undo: Some(("delete", "takes it back")),
        };
        return crowd.does(deck, deed, |key| Ok(Command::RestoreKey(key.id)));
    }
    let (signed, key) = reach(deck, which.one(), Sought::Deleted)?;
    let said = "is back in the lists, as revoked. Its token stays dead.";
    run(deck, &signed, Command::RestoreKey(key.id), key.id, said)
}

pub(super) fn revoke(deck: &Deck, words: &Revoke) -> Outcome {
    let because = words.because.as_deref().map(Note::new).transpose();
    let because = because.map_err(|why| Fault::usage(format!("--because: {why}.")))?.unwrap_or_default();
    let motive = Motive { why: words.reason, because };
    if words.which.is_trial_of_one() {
        let (signed, key) = reach(deck, words.which.one(), Sought::Living)?;
        return blast::of_key(deck, &signed, &key, &Command::RevokeKey(key.id, motive));
    }
    if let Some(crowd) = words.which.many(deck, Sought::Living)? {
        let deed = Deed { verb: "revoke", done: "revoked", undo: None };
        return crowd.does(deck, deed, |key| Ok(Command::RevokeKey(key.id, motive.clone())));
    }
    let (signed, key) = reach(deck, words.which.one(), Sought::Living)?;
    words.consent.ask(&signed, || {
        let besides = besides(&signed, &key);
        format!("Revoke {} ({})? Its token stops working at once, for good{besides}.", key.name, key.hint())
    })?;
    run(
        deck,
        &signed,
        Command::RevokeKey(key.id, motive),
        key.id,
        "is revoked. It is refused from now on, for good.",
    )
}

pub(super) fn delete(deck: &Deck, words: &Final) -> Outcome {
    // Of two that share a name the one that ended already: to end one that lives by mistake cannot be undone.
    let sought = Sought::Ended;
    if words.which.is_trial_of_one() {
        let (signed, key) = reach(deck, words.which.one(), sought)?;
        return blast::of_key(deck, &signed, &key, &Command::DeleteKey(key.id));
    }
    if let Some(crowd) = words.which.many(deck, sought)? {
        let deed = Deed {
            verb: "delete",
            done: "deleted",
            undo: Some(("restore", "brings their records back, not their tokens")),
        };
        return crowd.does(deck, deed, |key| Ok(Command::DeleteKey(key.id)));
    }
    let (signed, key) = reach(deck, words.which.one(), sought)?;
    words.consent.ask(&signed, || {
        let besides = besides(&signed, &key);
        format!("Delete {} ({})? Its token stops working at once, for good{besides}.", key.name, key.hint())
    })?;
    run(
        deck,
        &signed,
        Command::DeleteKey(key.id),
        key.id,
        &format!("({}) is deleted. Its record can be restored for thirty days, its token never.", key.hint()),
    )
}

pub(super) fn rescope(deck: &Deck, args: &Rescope) -> Outcome {
    if args.which.is_trial_of_one() {
        let (signed, key) = reach(deck, args.which.one(), Sought::Living)?;
        let command = if args.enforce { enforced(&key) } else { rescoped(&key, args) };
        return blast::of_key(deck, &signed, &key, &command);
    }
    if let Some(crowd) = args.which.many(deck, Sought::Living)? {
        args.base.alone()?;
        let deed = Deed { verb: "rescope", done: "given other scopes", undo: None };
        // One that does not hold what is taken away is refused as one that would not change.
        return crowd.does(deck, deed, |key| Ok(rescoped(key, args)));
    }
    let (signed, key) = reach(deck, args.which.one(), Sought::Living)?;
    if args.enforce {
        let lost = key.would_lose().map(|lost| format!(" It loses {lost}."));
        let said = format!(
            "keeps the scopes that report-only left it, and no others. It is refused the rest from now on.{}",
            lost.unwrap_or_default()
        );
        return run(deck, &signed, enforced(&key), key.id, &said);
    }
    if args.drop {
        let said = "keeps all its scopes, and nothing is counted any more.";
        return run(deck, &signed, Command::DropReportOnly(key.id), key.id, said);
    }
    if let Some(absent) = args.remove.iter().find(|s| !key.scopes.iter().any(|held| held.as_str() == *s)) {
        return Err(Fault::refused("scope_not_held", format!("{} does not hold {absent}.", key.name)));
    }
    if let Some(days) = &args.report_only {
        return report_only(deck, &signed, &key, args, days_of("--report-only", days)?);
    }
    let said = if key.reports_only().is_some() {
        "has other scopes. They are in force from now on, and report-only has ended; its token is the same."
    } else {
        "has other scopes. They are in force from now on; its token is the same."
    };
    run(deck, &signed, rescoped(&key, args), key.id, said)
}

fn report_only(deck: &Deck, signed: &Signed, key: &Key, args: &Rescope, days: u32) -> Outcome {
    let command = Command::BeginReportOnly { key: key.id, scopes: wanted(key, args), days };
    let said = format!(
        "is on report-only for {days} d. It may do all it could; which requests the fewer scopes would have refused, \
         `keydeck key show {}` tells. Then `keydeck key rescope` with --enforce or --drop.",
        key.id
    );
    run(deck, signed, command, key.id, &said)
}

/// That it keeps only what report-only leaves it, of the set that was read just now.
fn enforced(key: &Key) -> Command {
    Command::EnforceReportOnly { key: key.id, begun: key.reports_only().map(|tried| tried.begun) }
}

/// What a key is to be able to do, as a command.
fn rescoped(key: &Key, args: &Rescope) -> Command {
    // What is added or taken away is worked out from what was read just now; all there shall be is not.
    let read = args.scope.is_empty().then(|| Basis::of_key(key));
    Command::RescopeKey { key: key.id, scopes: wanted(key, args), basis: args.base.if_rev.or(read) }
}

fn wanted(key: &Key, args: &Rescope) -> Vec<String> {
    if args.scope.is_empty() {
        let kept = key.scopes.iter().map(ToString::to_string).filter(|s| !args.remove.contains(s));
        kept.chain(args.add.iter().cloned()).collect()
    } else {
        args.scope.clone()
    }
}

pub(super) fn keep(deck: &Deck, which: &Which) -> Outcome {
    if let Some(crowd) = which.many(deck, Sought::Living)? {
        let deed = Deed { verb: "keep", done: "kept", undo: None };
        return crowd.does(deck, deed, |key| Ok(Command::KeepKey(key.id)));
    }
    let (signed, key) = reach(deck, which.one(), Sought::Living)?;
    let said = format!("is kept. Its days without use count anew from now.{}", still_ends(&signed, &key));
    run(deck, &signed, Command::KeepKey(key.id), key.id, &said)
}

/// What becomes of a key that nobody does anything about: for who has done what does not stop that.
fn goes(signed: &Signed, key: &Key) -> String {
    let now = signed.now();
    let ends = signed.see(|view| key.expires_soon(view.policy(), now));
    let ends = ends.map_or_else(String::new, |at| format!(" It ends {}.", times::relative(at, now)));
    format!("{}{ends}", still_deleted(signed, key))
}

/// Of a key that nobody uses: that it is deleted all the same.
fn still_deleted(signed: &Signed, key: &Key) -> String {
    let (now, grounds) = (signed.now(), signed.grounds());
    let gone = signed.see(|view| view.deletion(key, grounds));
    gone.map_or_else(String::new, |(at, _)| {
        let when = if at <= now { "by the next sweep".to_owned() } else { times::relative(at, now) };
        format!(
            " It is deleted for want of use {when} unless it is used; `keydeck key keep {}` stops that.",
            key.id
        )
    })
}

/// Of a key that has an end: that nothing but another end puts it off.
fn still_ends(signed: &Signed, key: &Key) -> String {
    key.expiry.instant().map_or_else(String::new, |at| {
        format!(
            " It still ends {}; `keydeck key edit {} --expires` puts that off.",
            times::relative(at, signed.now()),
            key.id
        )
    })
}

pub(super) fn protect(deck: &Deck, args: &Protect) -> Outcome {
    let why = Note::new(&args.why).map_err(|why| Fault::usage(format!("--why: {why}.")))?;
    if let Some(crowd) = args.which.many(deck, Sought::Living)? {
        let deed = Deed { verb: "protect", done: "protected", undo: Some(("unprotect", "takes it back")) };
        return crowd.does(deck, deed, |key| Ok(Command::ProtectKey { key: key.id, why: why.clone() }));
    }
    let (signed, key) = reach(deck, args.which.one(), Sought::Living)?;
    let said = format!("is protected. It is never deleted for want of use.{}", still_ends(&signed, &key));
    run(deck, &signed, Command::ProtectKey { key: key.id, why }, key.id, &said)
}

pub(super) fn unprotect(deck: &Deck, which: &Which) -> Outcome {
    if let Some(crowd) = which.many(deck, Sought::Living)? {
        let deed = Deed { verb: "unprotect", done: "protected no longer", undo: None };
        return crowd.does(deck, deed, |key| Ok(Command::UnprotectKey(key.id)));
    }
    let said = "is protected no longer. Its days without use count from now.";
    carry_out(deck, which, Command::UnprotectKey, said)
}

pub(super) fn transfer(deck: &Deck, args: &Transfer) -> Outcome {
    if let Some(crowd) = args.which.many(deck, Sought::Living)? {
        let to = find::operator(&crowd.signed, &args.to, Sought::Living)?;
        let deed = Deed { verb: "transfer", done: "another operator's", undo: None };
        return crowd.does(deck, deed, |key| Ok(Command::TransferKey { key: key.id, to }));
    }
    let (signed, key) = reach(deck, args.which.one(), Sought::Living)?;
    let to = find::operator(&signed, &args.to, Sought::Living)?;
    let goes = goes(&signed, &key);
    signed.engine.execute(&signed.session, Command::TransferKey { key: key.id, to })?;
    // Who gave it away may see it no longer.
    let key = Key { owner: to, ..key };
    if deck.output.is_json() {
        return list::print(deck, &signed, &key);
    }
    let owner = signed.see(|view| view.owner_name(&key).to_owned());
    deck.output.say(&format!("{} is {owner}'s from now on. Its token is the same.{goes}", key.name));
    Ok(ExitCode::SUCCESS)
}

pub(super) fn edit(deck: &Deck, args: &Edit) -> Outcome {
    let told = match args.contact.as_slice() {
        [] => None,
        [nobody] if nobody == "none" => Some(Contacts::default()),
        texts => Some(contacts(texts)?),
    };
    if let Some(crowd) = args.which.many(deck, Sought::Living)? {
        args.base.alone()?;
        if args.name.is_some() || args.note.is_some() || args.notice.is_some() || told.is_some() {
            return Err(Fault::usage("Of many keys at once only the end can be changed, with --expires."));
        }
        let now = crowd.signed.now();
        let deed = Deed { verb: "edit", done: "given another end", undo: None };
        return crowd.does(deck, deed, |key| edited(key, args, None, now));
    }
    let (signed, key) = reach(deck, args.which.one(), Sought::Living)?;
    signed.engine.execute(&signed.session, edited(&key, args, told, signed.now())?)?;
    let after = now(&signed, key.id)?;
    // Who puts an end off may think that it stays.
    let gone = if after.expiry == key.expiry { String::new() } else { still_deleted(&signed, &after) };
    done(deck, &signed, &after, &format!("is changed. Its token is the same.{gone}"))
}

/// What a key shall be, as a command; `told` are its contacts, where they are others.
fn edited(key: &Key, args: &Edit, told: Option<Contacts>, now: Timestamp) -> Result<Command, Fault> {
    let KeyEdit { name, note, expiry: end, notice_days, contacts } = KeyEdit::of(key);
    let change = KeyEdit {
        name: match &args.name {
            Some(name) => Name::new(name).map_err(|why| Fault::usage(format!("--name {name}: {why}.")))?,
            None => name,
        },
        note: match &args.note {
            Some(note) => Note::new(note).map_err(|why| Fault::usage(format!("--note: {why}.")))?,
            None => note,
        },
        expiry: expiry(args.expires.as_deref(), now)?.unwrap_or(end),
        notice_days: match args.notice.as_deref() {
            Some("policy") => None,
            Some(days) => Some(days_of("--notice", days)?),
            None => notice_days,
        },
        contacts: told.unwrap_or(contacts),
    };
    // What is not named stays as it was read just now.
    let basis = args.base.if_rev.or_else(|| Some(Basis::of_key(key)));
    Ok(Command::EditKey { key: key.id, change, basis })
}

fn days_of(word: &str, text: &str) -> Result<u32, Fault> {
    let days = text.strip_suffix('d').unwrap_or(text);
    let digits = !days.is_empty() && days.bytes().all(|byte| byte.is_ascii_digit());
    let or = if word == "--notice" { ", or policy" } else { "" };
    let form = || Fault::usage(format!("{word} {text}: a number of days such as 30d{or}."));
    days.parse().ok().filter(|_| digits).ok_or_else(form)
}

/// What ends with a key besides: people see one key where there are two secrets.
fn besides(signed: &Signed, key: &Key) -> String {
    let old = signed.engine.state().old_half(key, signed.now()).map(Key::hint);
    old.map_or_else(String::new, |old| format!(", and so does that of its old half {old}"))
}

fn carry_out(deck: &Deck, which: &Which, command: impl FnOnce(KeyId) -> Command, said: &str) -> Outcome {
    let (signed, key) = reach(deck, which.one(), Sought::Living)?;
    run(deck, &signed, command(key.id), key.id, said)
}

pub(super) fn reach(deck: &Deck, (key, all): (&str, bool), sought: Sought) -> Result<(Signed, Key), Fault> {
    let signed = deck.sign_in_for(Wants::Named)?.widened(all)?;
    let key = find::key(&signed, key, sought)?;
    Ok((signed, key))
}

pub(super) fn run(deck: &Deck, signed: &Signed, command: Command, id: KeyId, said: &str) -> Outcome {
    signed.engine.execute(&signed.session, command)?;
    done(deck, signed, &now(signed, id)?, said)
}

/// What was done, for people; the key as it is now, for scripts.
fn done(deck: &Deck, signed: &Signed, key: &Key, said: &str) -> Outcome {
    if deck.output.is_json() {
        return list::print(deck, signed, key);
    }
    deck.output.say(&format!("{} {said}", key.name));
    Ok(ExitCode::SUCCESS)
}
