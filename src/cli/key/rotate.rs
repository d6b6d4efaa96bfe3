//! `keydeck key rotate` and `lost`: a new key takes over from one, or one from each of many, and what follows from there.

use super::change::{reach, run as carry_out};
use super::issue::{self, kept};
use super::many::Deed;
use super::{Consent, Lost, Rotate, Successor, expiry};
use crate::cli::Outcome;
use crate::cli::door::{Deck, Signed};
use crate::cli::fault::Fault;
use crate::cli::handover::Aim;
use crate::cli::times;
use crate::domain::view::Sought;
use crate::domain::{Command, Contacts, Counted, Grace, Key, KeyId, Motive, Name, Refusal, Rotation};
use crate::engine::handover::Purse;

pub(super) fn run(deck: &Deck, args: &Rotate) -> Outcome {
    let (grace, counted) = args.overlap.read();
    if args.finish {
        return finish(deck, args);
    }
    if args.cancel {
        return cancel(deck, args);
    }
    if args.again {
        return again(deck, args);
    }
    if let Some(by) = args.longer {
        return longer(deck, args, by);
    }
    if args.which.means_many() {
        must_fit_many(args, grace)?;
    }
    if let Some(crowd) = args.which.many(deck, Sought::Living)? {
        let rotation = rotation(&args.successor, (grace, counted), &crowd.signed)?;
        let deed = Deed { verb: "rotate", done: "rotated", undo: None };
        // Made first: if there is no place for their tokens, no key is rotated.
        let purse = args.to.as_deref().filter(|_| !crowd.is_trial()).map(|to| {
            let prefix = args.env_prefix.as_ref().map_or_else(String::new, ToString::to_string);
            Purse::open(to, &prefix, &args.successor.aim.seal_to)
        });
        let purse = purse.transpose()?;
        return crowd.does_into(deck, deed, purse, |key| {
            Ok(Command::RotateKey { key: key.id, rotation: rotation.clone() })
        });
    }
    if grace == Grace::NONE {
        return replace(deck, args.which.one(), &args.successor, &args.consent);
    }
    let (signed, key) = reach(deck, args.which.one(), Sought::Living)?;
    let rotation = rotation(&args.successor, (grace, counted), &signed)?;
    let command = Command::RotateKey { key: key.id, rotation };
    let aim = &args.successor.aim;
    let new = make(deck, &signed, command, aim)?;
    let ends = until(&signed, key.id);
    let told =
        format!("{} is rotated: {} took over from {}, which {ends}.", new.name, new.hint(), key.hint());
    deck.output.say(&format!("{told}\n{}", kept(aim)));
    Ok(deck.done(signed.engine.settle()))
}

pub(super) fn lost(deck: &Deck, args: &Lost) -> Outcome {
    replace(deck, args.one.named(), &args.successor, &args.consent)
}

/// Refuses words that go with one key only.
fn must_fit_many(args: &Rotate, grace: Grace) -> Result<(), Fault> {
    if args.to.is_none() && !args.which.is_trial() {
        return Err(Fault::usage(
            "The tokens of many keys are never shown. Say with --to where they go: a new file, or a directory. Nothing was \
             done.",
        ));
    }
    if grace == Grace::NONE {
        return Err(Fault::usage(
            "Many keys are rotated with a grace: were a token lost on its way, nothing of its key would work, and it could not \
             be given again. Replace those that are lost one by one with `keydeck key lost`. Nothing was done.",
        ));
    }
    Ok(())
}

/// The old one is dead with the step that makes the new one.
fn replace(deck: &Deck, named: (&str, bool), successor: &Successor, consent: &Consent) -> Outcome {
    let (signed, key) = reach(deck, named, Sought::Living)?;
    let rotation = rotation(successor, (Grace::NONE, Counted::FromNow), &signed)?;
    let old = signed.engine.state().old_half(&key, signed.now()).map(Key::hint);
    let old = old.map_or_else(String::new, |old| format!(" So does that of its old half {old}."));
    let (name, hint) = (&key.name, key.hint());
    consent.ask(&signed, || {
        format!("Replace {name} ({hint}) as lost? Its token stops working at once, for good.{old}")
    })?;
    let aim = &successor.aim;
    let new = make(deck, &signed, Command::RotateKey { key: key.id, rotation }, aim).map_err(|fault| {
        if matches!(fault.code(), "denied_kept" | "denied_not_durable") {
            return fault.because(&format!(
                "{name} is refused, and no new key was made: issue one when the disk is well."
            ));
        }
        fault
    })?;
    deck.output.say(&format!(
        "{} is replaced: {} took over, and {hint} is refused from now on, for good.\n{}",
        new.name,
        new.hint(),
        kept(aim)
    ));
    Ok(deck.done(signed.engine.settle()))
}

/// Makes the new half, which has the contacts of the old one.
fn make(deck: &Deck, signed: &Signed, command: Command, aim: &Aim) -> Result<Key, Fault> {
    issue::make(deck, signed, (command, &Contacts::default()), aim).map(|(key, _)| key)
}

fn rotation(
    words: &Successor,
    (grace, counted): (Grace, Counted),
    signed: &Signed,
) -> Result<Rotation, Fault> {
    let id = words.id.as_deref().map(Name::new).transpose();
    let id = id.map_err(|why| Fault::usage(format!("--id: {why}.")))?;
    Ok(Rotation { id, grace, counted, expiry: expiry(words.expires.as_deref(), signed.now())? })
}

fn finish(deck: &Deck, args: &Rotate) -> Outcome {
    let (signed, key) = reach(deck, args.which.one(), Sought::Living)?;
    let (old, new) = halves(&signed, &key)?;
    args.consent.ask(&signed, || {
        let used = |half| signed.see(|view| super::lines::last_used(half, view, signed.now()));
        format!(
            "End the old half {} now? Its token stops working at once; it was used: {}. The new half was used: {}.",
            old.hint(),
            used(&old),
            used(&new)
        )
    })?;
    carry_out(
        deck,
        &signed,
        Command::RevokeKey(old.id, Motive::replaced()),
        old.id,
        "has one secret again: its old half is refused.",
    )
}

fn cancel(deck: &Deck, args: &Rotate) -> Outcome {
    let (signed, key) = reach(deck, args.which.one(), Sought::Living)?;
    let (old, new) = halves(&signed, &key)?;
    args.consent.ask(&signed, || {
        let used = signed.see(|view| super::lines::last_used(&new, view, signed.now()));
        format!("Revoke the new half {} for good? It was used: {used}. The old one stays.", new.hint())
    })?;
    let said = "is as it was before it was rotated; the new half is refused.";
    carry_out(deck, &signed, Command::CancelRotation(new.id), old.id, said)
}

fn again(deck: &Deck, args: &Rotate) -> Outcome {
    let (signed, key) = reach(deck, args.which.one(), Sought::Living)?;
    let aim = &args.successor.aim;
    let new = make(deck, &signed, Command::RepeatRotation(key.id), aim)?;
    let said = format!("{} has another new half: {}. The one before is refused.", new.name, new.hint());
    deck.output.say(&format!("{said}\n{}", kept(aim)));
    Ok(deck.done(signed.engine.settle()))
}

fn longer(deck: &Deck, args: &Rotate, by: Grace) -> Outcome {
    let (signed, key) = reach(deck, args.which.one(), Sought::Living)?;
    let old = halves(&signed, &key)?.0.id;
    signed.engine.execute(&signed.session, Command::LengthenGrace { key: key.id, by })?;
    let old = super::now(&signed, old)?;
    if deck.output.is_json() {
        return super::list::print(deck, &signed, &old);
    }
    deck.output.say(&format!("The old half of {} {}.", old.name, until(&signed, old.id)));
    Ok(deck.done(signed.engine.settle()))
}

/// Both halves of the rotation a key is a part of: the old one and the new one.
fn halves(signed: &Signed, key: &Key) -> Result<(Key, Key), Fault> {
    let state = signed.engine.state();
    let halves = state.halves(key).ok_or(Refusal::NotRotated { key: key.id })?;
    Ok((halves.old.clone(), halves.new.clone()))
}

/// How long an old half works, as a clause.
fn until(signed: &Signed, old: KeyId) -> String {
    let old = signed.engine.state().key(old).cloned();
    let waits = old.as_ref().and_then(|old| old.superseded.as_ref()).and_then(|how| how.waits);
    let ends = old.as_ref().and_then(|old| old.expiry.instant());
    let ends = ends.map(|at| format!("{} ({})", times::exact(at), times::relative(at, signed.now())));
    match (waits, ends) {
        (Some(grace), None) => format!("works for {grace} after the new one is first used"),
        (Some(grace), Some(at)) => {
            format!("works for {grace} after the new one is first used, at most until {at}")
        }
        (None, Some(at)) => format!("works until {at}"),
        (None, None) => "works".into(),
    }
}
