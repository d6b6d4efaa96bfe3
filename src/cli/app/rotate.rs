//! `keydeck app rotate` and `new-secret`: a new secret takes the place of the present one, and what follows from there.

use std::io;

use super::show::{self, AppLine};
use super::{Final, NewSecret, Rotate, reach};
use crate::cli::Outcome;
use crate::cli::door::{Deck, Signed};
use crate::cli::fault::Fault;
use crate::cli::handover::{self, Aim};
use crate::cli::times;
use crate::domain::lineage::taking_back;
use crate::domain::{App, Command, Event, Expiry, Grace, Name, Refusal, Rotation, View};

pub(super) fn run(deck: &Deck, args: &Rotate) -> Outcome {
    let aim = &args.aim;
    if args.finish {
        return finish(deck, &args.which);
    }
    if args.cancel {
        return cancel(deck, &args.which);
    }
    if args.again {
        let (signed, app) = reach(deck, &args.which.one)?;
        make(deck, &signed, &app, Command::RepeatAppSecret(app.id), aim)?;
        deck.output.say(&format!(
            "{} has another new secret, {}. The one before is refused.",
            app.name,
            aim.where_it_is()
        ));
        return Ok(deck.done(signed.engine.settle()));
    }
    if let Some(by) = args.longer {
        return longer(deck, &args.which, by);
    }
    let id = args.id.as_deref().map(Name::new).transpose();
    let id = id.map_err(|why| Fault::usage(format!("--id: {why}.")))?;
    let (grace, counted) = args.overlap.read();
    let rotation = Rotation { id, grace, counted, expiry: None };
    if grace == Grace::NONE {
        return replace(deck, &args.which, Some(rotation), aim);
    }
    let (signed, app) = reach(deck, &args.which.one)?;
    let new = make(deck, &signed, &app, Command::RenewAppSecret(app.id, Some(rotation)), aim)?;
    let ends = until(&new, &signed);
    deck.output.say(&format!(
        "{} has a new secret, {}. The old one {ends}, and the access tokens fetched with it as long.",
        app.name,
        aim.where_it_is()
    ));
    Ok(deck.done(signed.engine.settle()))
}

pub(super) fn new_secret(deck: &Deck, args: &NewSecret) -> Outcome {
    replace(deck, &args.which, None, &args.aim)
}

/// The old one is dead with the step that makes the new one.
fn replace(deck: &Deck, which: &Final, rotation: Option<Rotation>, aim: &Aim) -> Outcome {
    let (signed, app) = reach(deck, &which.one)?;
    which.consent.ask(&signed, || {
        format!(
            "A new secret for {} ({})? Every secret it has and every access token ends at once.",
            app.name, app.id
        )
    })?;
    make(deck, &signed, &app, Command::RenewAppSecret(app.id, rotation), aim)?;
    deck.output.say(&format!(
        "{} has a new secret, {}. What it had before is refused from now on; so are all access tokens.",
        app.name,
        aim.where_it_is()
    ));
    Ok(deck.done(signed.engine.settle()))
}

/// Makes a secret and hands it over; the app as it is then.
fn make(deck: &Deck, signed: &Signed, app: &App, command: Command, aim: &Aim) -> Result<App, Fault> {
    // Made first: if the file cannot be made, the present secret stays.
    let way = aim.open(deck.output)?;
    let done = signed.engine.execute(&signed.session, command)?;
    let secret = done.token.ok_or_else(|| Fault::unavailable("No secret was made. Try again."))?;
    let handed = {
        let state = signed.engine.state();
        let view = View::new(&state, signed.session.actor());
        let line = view.app(app.id).map(|app| AppLine::of(app, view, signed.now()));
        handover::give(way, deck.output, &secret, line)
    };
    drop(secret);
    let way = handed.map_err(|error| take_back(signed, &done.events, app, &error))?;
    signed.handed_over(*app.id.public())?;
    handover::note(deck, signed, way, |way| Command::HandOverSecret { app: app.id, way });
    let made = done.events.iter().find_map(Event::app).cloned();
    made.ok_or_else(|| Refusal::NoSuchApp.into())
}

/// Nobody has the new secret: where the old one still works it is the only one again.
fn take_back(signed: &Signed, events: &[Event], app: &App, error: &io::Error) -> Fault {
    let (name, id) = (&app.name, app.id);
    let what = format!("The new secret of {name} could not be written ({error}), so nobody has it");
    let over = || {
        let then = format!("the old one has ended. Make another with `keydeck app new-secret {id}`.");
        Fault::refused("secret_lost", format!("{what}, and {then}"))
    };
    let Some(command) = taking_back(events, signed.now()) else { return over() };
    match signed.engine.execute(&signed.session, command) {
        Err(failed) if failed.code() == Refusal::OVER => over(),
        Ok(_) => Fault::refused(
            "secret_lost",
            format!(
                "{what}. It was taken back at once, and the old one is as it was before. Rotate it again."
            ),
        ),
        Err(failed) => Fault::from(failed).because(&format!(
            "{what}. It could not be taken back either: do it with `keydeck app rotate {id} --cancel`."
        )),
    }
}

fn finish(deck: &Deck, which: &Final) -> Outcome {
    let (signed, app) = reach(deck, &which.one)?;
    which.consent.ask(&signed, || {
        let used = signed.see(|view| show::old_use(&app, view, signed.now()));
        let used = used.unwrap_or_else(|| "it has ended".to_owned());
        format!(
            "End the old secret of {} now? It and its access tokens stop working at once; {used}.",
            app.name
        )
    })?;
    signed.engine.execute(&signed.session, Command::EndAppSecret(app.id))?;
    show::after(deck, &signed, app.id, "has one secret again: the old one is refused.")
}

fn cancel(deck: &Deck, which: &Final) -> Outcome {
    let (signed, app) = reach(deck, &which.one)?;
    which.consent.ask(&signed, || {
        let name = &app.name;
        format!(
            "End the new secret of {name} for good, and the access tokens fetched with it? The old one stays."
        )
    })?;
    let command = Command::CancelAppSecret { app: app.id, epoch: Some(app.not_before) };
    signed.engine.execute(&signed.session, command)?;
    show::after(deck, &signed, app.id, "has the secret it had before; the new one is refused.")
}

fn longer(deck: &Deck, which: &Final, by: Grace) -> Outcome {
    let (signed, app) = reach(deck, &which.one)?;
    let done = signed.engine.execute(&signed.session, Command::LengthenAppSecret { app: app.id, by })?;
    let ends = done.events.iter().find_map(Event::app).map(|app| until(app, &signed));
    show::after(deck, &signed, app.id, &format!("goes on: the old secret {}.", ends.unwrap_or_default()))
}

/// How long the old secret works, as a clause.
fn until(app: &App, signed: &Signed) -> String {
    match app.previous().map(|old| (old.waits, old.until)) {
        Some((Some(grace), _)) => format!("works for {grace} after the new one is first used"),
        Some((None, Expiry::At(at))) => {
            format!("works until {} ({})", times::exact(at), times::relative(at, signed.now()))
        }
        Some((None, Expiry::Never)) | None => "has ended".to_owned(),
    }
}
