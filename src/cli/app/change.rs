//! What is done to an app after it was made.

use super::{Delete, NewKey, One, Pause, reach, show};
use crate::cli::Outcome;
use crate::cli::blast;
use crate::cli::door::{Deck, Signed};
use crate::cli::fault::Fault;
use crate::cli::key::{expiry, issue};
use crate::cli::stopped;
use crate::domain::{App, Command, Contacts, Key, KeyId, Motive, Name, Note, Place, Refusal};
use crate::engine::EngineError;

pub(super) fn pause(deck: &Deck, args: &Pause) -> Outcome {
    let (signed, app) = reach(deck, &args.one)?;
    if args.dry.dry_run {
        return blast::of_app(deck, &signed, &app, &Command::PauseApp(app.id));
    }
    let keys_stopped = live(&signed, &app);
    signed.engine.execute(&signed.session, Command::PauseApp(app.id))?;
    let said = format!(
        "is paused, with its access tokens. Refused with it until it is resumed: {}.",
        stopped::live(keys_stopped)
    );
    show::stopped(deck, &signed, app.id, &said, keys_stopped)
}

pub(super) fn resume(deck: &Deck, one: &One) -> Outcome {
    let (signed, app) = reach(deck, one)?;
    signed.engine.execute(&signed.session, Command::ResumeApp(app.id))?;
    show::after(deck, &signed, app.id, "works again.")
}

pub(super) fn delete(deck: &Deck, args: &Delete) -> Outcome {
    let words = &args.which;
    let (signed, app) = reach(deck, &words.one)?;
    if args.dry.dry_run {
        return blast::of_app(deck, &signed, &app, &Command::DeleteApp(app.id));
    }
    words.consent.ask(&signed, || {
        format!(
            "Delete {} ({})? Its secret, {} and all access tokens end at once.",
            app.name,
            app.id,
            stopped::live(live(&signed, &app))
        )
    })?;
    let keys_stopped = live(&signed, &app);
    signed.engine.execute(&signed.session, Command::DeleteApp(app.id))?;
    let said = format!(
        "is deleted, with its secret and access tokens. Revoked with it: {}.",
        stopped::live(keys_stopped)
    );
    show::stopped(deck, &signed, app.id, &said, keys_stopped)
}

/// Also those the operator does not see: a number is no look at somebody's keys.
fn live(signed: &Signed, app: &App) -> usize {
    signed.engine.state().live_keys_of_app(app.id, signed.now())
}

fn live_keys(signed: &Signed, app: &App) -> Vec<KeyId> {
    let now = signed.now();
    // A decoy is no key that another takes the place of.
    let lives = |key: &&Key| !key.state(now).is_over() && !key.is_decoy();
    signed.see(|view| view.keys_of_app(app.id).filter(lives).map(|key| key.id).collect())
}

pub(super) fn new_key(deck: &Deck, args: &NewKey) -> Outcome {
    let name = args.name.as_deref().map(Name::new).transpose().map_err(|why| Fault::bad_text("name", why))?;
    let note = Note::new(&args.note).map_err(|why| Fault::bad_text("note", why))?;
    expiry(args.expires.as_deref(), Deck::wall())?;
    let (signed, app) = reach(deck, &args.which.one)?;
    let others = if args.revoke_others { live_keys(&signed, &app) } else { Vec::new() };
    if !others.is_empty() {
        args.which.consent.ask(&signed, || {
            format!("Issue a key for {} and revoke its other {} at once?", app.name, others.len())
        })?;
    }
    let scopes = if args.scope.is_empty() {
        app.scopes.iter().map(ToString::to_string).collect()
    } else {
        args.scope.clone()
    };
    let expiry = expiry(args.expires.as_deref(), signed.now())?;
    let name = name.unwrap_or_else(|| app.name.clone());
    let new = crate::domain::NewKey { name, place: Place::App(app.id), scopes, expiry, note, decoy: false };
    let issued = issue(deck, &signed, new, &Contacts::default(), &args.aim)?;
    if !others.is_empty() {
        revoke(&signed, &others).map_err(|(left, fault)| {
            let left = left.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
            fault.because(&format!(
                "The new key {} is issued and handed over, but of the app's {} others not all could be revoked. These may \
                 still work: {left}. Revoke each with `keydeck key revoke`.",
                issued.id,
                others.len()
            ))
        })?;
        deck.output.say(&format!("Its other keys are revoked: {}.", others.len()));
    }
    Ok(deck.done(signed.engine.settle()))
}

/// Revokes all it can of these keys; of the others, which, and why the first of them could not be.
fn revoke(signed: &Signed, keys: &[KeyId]) -> Result<(), (Vec<KeyId>, Fault)> {
    let (mut left, mut why) = (Vec::new(), None);
    for id in keys {
        match signed.engine.execute(&signed.session, Command::RevokeKey(*id, Motive::replaced())) {
            // Somebody else was quicker.
            Ok(_) | Err(EngineError::Refused(Refusal::WrongState { .. })) => {}
            Err(error) => {
                left.push(*id);
                why.get_or_insert(error);
            }
        }
    }
    why.map_or(Ok(()), |why| Err((left, why.into())))
}
