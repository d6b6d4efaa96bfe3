//! `keydeck key create`. The token passes through here once: to standard output or a new file. A key whose token
//! reached nobody is revoked before the command ends, so that none is left alive that nobody holds.

use std::io;

use chrono::Local;

use super::lines::KeyLine;
use super::{Create, NewWords};
use crate::cli::Outcome;
use crate::cli::door::{Deck, Signed};
use crate::cli::fault::Fault;
use crate::cli::find;
use crate::cli::handover::{self, Aim};
use crate::cli::lockdown;
use crate::cli::times;
use crate::domain::catalog::text::{did_you_mean, nearest};
use crate::domain::command::KeyEdit;
use crate::domain::lineage::taking_back;
use crate::domain::view::Sought;
use crate::domain::{
    Catalog, Command, Contacts, Event, Expiry, Key, Name, NewKey, Note, Place, Timestamp, View,
};
use crate::engine::open::Wants;
use crate::engine::{self, Unwritten};

pub(super) fn run(deck: &Deck, args: &Create) -> Outcome {
    let (signed, mut new, told) = prepare(deck, &args.new)?;
    not_of_a_decoy(&signed, args)?;
    if args.decoy {
        // The life of the one it is made like is no end of its own.
        new.expiry = new.expiry.filter(|_| args.new.expires.is_some());
        new.decoy = true;
    }
    issue(deck, &signed, new, &told, &args.aim)?;
    Ok(deck.done(signed.engine.settle()))
}

/// Who makes a key like a decoy means another decoy, or took it for a key that works.
fn not_of_a_decoy(signed: &Signed, args: &Create) -> Result<(), Fault> {
    let Some(reference) = args.new.like.as_ref().filter(|_| !args.decoy) else { return Ok(()) };
    let like = find::key(signed, reference, Sought::Living)?;
    if !like.is_decoy() {
        return Ok(());
    }
    Err(Fault::refused(
        "like_decoy",
        format!(
            "{} is a decoy, and this would make a key that works. Nothing was made. Another decoy like it: add --decoy. A key: \
             say what it shall be without --like, or name a key that is none.",
            like.name
        ),
    ))
}

/// Reads the words for a new key and signs in: what it shall be, and who is told of it.
pub(super) fn prepare(deck: &Deck, words: &NewWords) -> Result<(Signed, NewKey, Contacts), Fault> {
    let name =
        words.name.as_deref().map(Name::new).transpose().map_err(|why| Fault::bad_text("name", why))?;
    let note =
        words.note.as_deref().map(Note::new).transpose().map_err(|why| Fault::bad_text("note", why))?;
    let told = contacts(&words.contact)?;
    // Judged before a passphrase is asked for; what counts is computed again when the key is made.
    expiry(words.expires.as_deref(), Deck::wall())?;
    let chosen = scopes(&words.scope, words.preset.as_deref(), &*deck.catalog()?)?;
    // Whether a name is free can be said only where all of one's keys are seen.
    let wants = if name.is_some() { Wants::Named } else { Wants::All };
    let signed = deck.sign_in_for(wants)?;
    let like = match &words.like {
        Some(reference) => Some(find::key(&signed, reference, Sought::Living)?),
        None => None,
    };
    let place = match (&words.location, &words.app, &like) {
        (Some(reference), ..) => Place::Location(find::location(&signed, reference)?),
        (None, Some(reference), _) => Place::App(find::app(&signed, reference)?.id),
        (None, None, Some(like)) if !words.agency => like.place,
        (None, None, _) => Place::Agency,
    };
    let now = signed.now();
    let other = |like: &Key| signed.see(|view| view.another_name(&like.name, now));
    let name = name.or_else(|| like.as_ref().and_then(other));
    let name = name.ok_or_else(|| Fault::usage("Say with --name what the key is called."))?;
    let life =
        |like: &Key| like.life_days().map_or(Some(Expiry::Never), |days| now.plus_days(days).map(Expiry::At));
    let expiry = expiry(words.expires.as_deref(), now)?.or_else(|| like.as_ref().and_then(life));
    let as_there = |like: &Key| like.scopes.iter().map(ToString::to_string).collect();
    let scopes = match &like {
        Some(like) if chosen.is_empty() => as_there(like),
        _ => chosen,
    };
    let (note, told) = match like {
        Some(like) => {
            let theirs = like.contacts.map(|contacts| *contacts).unwrap_or_default();
            (note.unwrap_or(like.note), if told.is_empty() { theirs } else { told })
        }
        None => (note.unwrap_or_default(), told),
    };
    Ok((signed, NewKey { name, place, scopes, expiry, note, decoy: false }, told))
}

/// Issues a key and hands its token over.
pub fn issue(
    deck: &Deck,
    signed: &Signed,
    new: NewKey,
    contacts: &Contacts,
    aim: &Aim,
) -> Result<Key, Fault> {
    let (key, untold) = make(deck, signed, (Command::IssueKey(new), contacts), aim)?;
    let until = key.expiry.instant().map_or_else(
        || "It never expires.".into(),
        |at| format!("It expires {} ({}).", times::exact(at), times::relative(at, signed.now())),
    );
    let decoy = if key.is_decoy() {
        " It is a decoy: it opens nothing, and you are told who presents it."
    } else {
        ""
    };
    deck.output.say(&format!("{} is issued: {}. {until}{decoy}\n{}", key.name, key.hint(), kept(aim)));
    let now = signed.now();
    let locked = |view: View<'_>| lockdown::in_words(view, &view.lockdowns_of_key(&key), now);
    for locked in signed.see(locked).into_iter().filter(|_| !key.is_decoy()) {
        deck.output.warn(&format!("it is refused as long as it is locked down {locked}."));
    }
    untold.map_or(Ok(key), Err)
}

/// Where a token is that was handed over.
pub(super) fn kept(aim: &Aim) -> String {
    format!("Its token is {}; keydeck keeps only a digest of it.", aim.where_it_is())
}

/// Does what makes a key, and hands its token over: with the key, why it has no contacts when they cannot be written.
pub(super) fn make(
    deck: &Deck,
    signed: &Signed,
    (command, contacts): (Command, &Contacts),
    aim: &Aim,
) -> Result<(Key, Option<Fault>), Fault> {
    // Made first: if the file cannot be made, no key is.
    let way = aim.open(deck.output)?;
    let done = signed.engine.execute(&signed.session, command)?;
    let key = done.events.iter().find_map(Event::key).cloned();
    let (Some(key), Some(token)) = (key, done.token) else {
        return Err(Fault::unavailable("The key was issued without a token. Revoke it and issue another."));
    };
    let (key, untold) = match told_of(signed, key, contacts) {
        Ok(key) => (key, None),
        // The token is handed over all the same.
        Err((key, fault)) => (*key, Some(fault)),
    };
    let handed = {
        let state = signed.engine.state();
        let view = View::new(&state, signed.session.actor());
        let about = KeyLine::of(&key, view, &Unwritten::default(), signed.grounds());
        handover::give(way, deck.output, &token, about)
    };
    drop(token);
    let way = handed.map_err(|error| take_back(signed, &done.events, &key, &error))?;
    signed.handed_over(*key.id.public())?;
    handover::note(deck, signed, way, |way| Command::HandOver { key: key.id, way });
    Ok((key, untold))
}

/// What `--contact` says.
pub fn contacts(texts: &[String]) -> Result<Contacts, Fault> {
    Contacts::of(texts).map_err(|why| Fault::usage(format!("--contact: {why}.")))
}

/// The key with its contacts; as it is, and why it has none, when they cannot be written.
pub(super) fn told_of(signed: &Signed, key: Key, contacts: &Contacts) -> Result<Key, (Box<Key>, Fault)> {
    if contacts.is_empty() {
        return Ok(key);
    }
    let change = KeyEdit { contacts: contacts.clone(), ..KeyEdit::of(&key) };
    let command = Command::EditKey { key: key.id, change, basis: None };
    match signed.engine.execute(&signed.session, command) {
        Ok(done) => Ok(done.events.iter().find_map(Event::key).cloned().unwrap_or(key)),
        Err(error) => {
            let what = format!("The key {} is made, but its contacts are not written:", key.id);
            Err((Box::new(key), Fault::from(error).because(&what)))
        }
    }
}

/// What `--expires` says.
pub fn expiry(text: Option<&str>, now: Timestamp) -> Result<Option<Expiry>, Fault> {
    let read = |text| {
        Expiry::parse(text, now, &Local).map_err(|why| Fault::usage(format!("--expires {text}: {why}.")))
    };
    text.map(read).transpose()
}

/// The preset's scopes, and those named besides.
pub fn scopes(named: &[String], preset: Option<&str>, catalog: &Catalog) -> Result<Vec<String>, Fault> {
    let mut all = named.to_vec();
    if let Some(wanted) = preset {
        let preset = catalog.preset(wanted).ok_or_else(|| {
            let known: Vec<&str> = catalog.presets().iter().map(|p| p.id.as_str()).collect();
            let hint = did_you_mean(nearest(wanted, known.iter().copied()));
            Fault::usage(format!("There is no preset called {wanted}.{hint} There are {}.", known.join(", ")))
        })?;
        all.extend(preset.scopes.iter().map(ToString::to_string).filter(|s| !named.contains(s)));
    }
    Ok(all)
}

/// Nobody has the token: the key must not live.
fn take_back(signed: &Signed, events: &[Event], key: &Key, error: &io::Error) -> Fault {
    let what = format!("The token of {} could not be written ({error}), so nobody has it.", key.name);
    let back = taking_back(events, signed.now()).unwrap_or(Command::revoke(key.id));
    let by_hand = if matches!(back, Command::CancelRotation(_)) {
        format!("keydeck key rotate {} --cancel", key.id)
    } else {
        format!("keydeck key revoke {}", key.id)
    };
    match engine::take_back(&*signed.engine, &signed.session, back) {
        Ok(Command::CancelRotation(_)) => Fault::refused(
            "token_lost",
            format!(
                "{what} The rotation was cancelled at once, and the old one is as it was before. Rotate it again."
            ),
        ),
        Ok(_) => {
            let then = if key.succeeds.is_some() {
                ", and the one it took over from stays dead. Issue a new one."
            } else {
                ". Issue it again."
            };
            Fault::refused("token_lost", format!("{what} The key {} was revoked at once{then}", key.id))
        }
        Err(failed) => Fault::from(failed)
            .because(&format!("{what} It could not be taken back either: do it with `{by_hand}`.")),
    }
}
