//! `keydeck serve --check`: what the server would do before it answers, done one after the other and undone. The store is
//! opened as every command opens it: what that mends is mended, and a wrong secret counts as tried.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde::Serialize;

use super::{Serve, supervisor};
use crate::cli::Outcome;
use crate::cli::door::Deck;
use crate::cli::fault::{Exit, Fault};
use crate::cli::output::shown;
use crate::serve::control::try_offer;
use crate::serve::http::Bound;

/// What was looked at, and what was found.
#[derive(Serialize)]
struct Finding {
    what: &'static str,
    ok: bool,
    said: String,
    #[serde(skip)]
    exit: Option<Exit>,
}

#[derive(Serialize)]
struct Report {
    would_start: bool,
    checks: Vec<Finding>,
}

impl Finding {
    fn of(what: &'static str, found: Result<String, Fault>) -> Self {
        match found {
            Ok(said) => Self { what, ok: true, said, exit: None },
            Err(fault) => Self { what, ok: false, said: fault.to_string(), exit: Some(fault.exit()) },
        }
    }
}

/// Looks at everything, says what was found, and exits as the server would.
pub fn run(deck: &Deck, args: &Serve, passed: Option<Bound>) -> Outcome {
    let checks = vec![
        Finding::of("configuration", configuration(deck)),
        Finding::of("store", store(deck, args)),
        Finding::of("address", args.place(deck, passed).map(|place| place.endpoint().to_string())),
    ];
    let exit = checks.iter().find_map(|finding| finding.exit);
    if deck.output.is_json() {
        deck.output.value(&Report { would_start: exit.is_none(), checks })?;
    } else {
        let mut text = String::new();
        for Finding { what, ok, said, .. } in &checks {
            let sign = if *ok { "ok" } else { "no" };
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{sign}  {what:<13}  {}", shown(said));
        }
        deck.output.text(&text)?;
    }
    Ok(exit.map_or(ExitCode::SUCCESS, |exit| ExitCode::from(exit as u8)))
}

/// What is wrong with the rest of the file was said before.
fn configuration(deck: &Deck) -> Result<String, Fault> {
    let channels = deck.channels()?.len();
    let anchors = if deck.anchoring()?.is_some() { "anchors kept" } else { "no anchors kept" };
    let named =
        deck.globals.config.clone().or_else(|| deck.places.config_file().filter(|path| path.exists()));
    let file = named.map_or_else(|| "no file".to_owned(), |path| path.display().to_string());
    Ok(format!("{file}: {channels} channels, {anchors}"))
}

/// Opens and unseals it, and makes for an instant the socket that others would attach to.
fn store(deck: &Deck, args: &Serve) -> Result<String, Fault> {
    let open = supervisor::sign_in(deck, true)?;
    let dir = deck.data()?;
    try_offer(&dir, args.socket.as_deref())
        .map_err(|error| Fault::unavailable(format!("The control socket cannot be made: {error}.")))?;
    let doubts = match open.engine.doubts().len() {
        0 => String::new(),
        doubts => format!(", in doubt ({doubts}): what is not vouched for would be refused"),
    };
    Ok(format!("{}: {} keys{doubts}", dir.display(), open.engine.state().key_count()))
}
