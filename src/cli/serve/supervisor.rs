//! What whoever supervises a server brings it, and is told by it: systemd, or anything that speaks as it does. The store's
//! secret (`systemd.exec(5)`, credentials), an open socket (`sd_listen_fds(3)`), how it goes (`sd_notify(3)`).

use std::path::PathBuf;
use std::sync::Arc;

use listenfd::ListenFd;
use sd_notify::NotifyState;

use crate::cli::door::Deck;
use crate::cli::fault::Fault;
use crate::engine::open::Open;
use crate::engine::{Engine as _, LocalEngine};
use crate::serve::http::Bound;

/// Where it puts secrets.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// Tells it how it goes; where there is none, nobody.
pub fn say(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the supervisor cannot be told how it goes");
    }
}

/// Says that this process is awake, twice in the time after which it would be killed, for as long as the engine answers.
pub fn stay_awake(engine: &Arc<LocalEngine>) {
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    let engine = Arc::clone(engine);
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(limit / 2);
        loop {
            ticks.tick().await;
            // Waits for whatever the engine waits for: who is stuck there is not awake.
            drop(engine.condition());
            say(&[NotifyState::Watchdog]);
        }
    });
}

/// The socket it opened for this process.
pub fn passed() -> Result<Option<Bound>, Fault> {
    let mut sockets = ListenFd::from_env();
    match sockets.len() {
        0 => return Ok(None),
        1 => {}
        many => {
            return Err(Fault::usage(format!(
                "{many} sockets were passed, and keydeck answers on one. Leave one ListenStream= in keydeck.socket."
            )));
        }
    }
    let unfit = |error| {
        Fault::usage(format!(
            "The socket that was passed is none to answer on ({error}). Pass a ListenStream=."
        ))
    };
    // One that is not of the first kind stays for the second try.
    if let Ok(Some(listener)) = sockets.take_tcp_listener(0) {
        return Bound::of_tcp(listener).map(Some).map_err(unfit);
    }
    let listener = sockets.take_unix_listener(0).map_err(unfit)?;
    listener.map(Bound::of_unix).transpose().map_err(unfit)
}

/// Signs in as the command line says, else with what it brought, else as any command does.
pub fn sign_in(deck: &Deck, read_only: bool) -> Result<Open, Fault> {
    let (passphrase_file, key_file) =
        (deck.globals.passphrase_file.as_deref(), deck.globals.key_file.as_deref());
    let named = passphrase_file.is_some() || key_file.is_some();
    let brought = std::env::var_os(CREDENTIALS).filter(|dir| !named && !dir.is_empty()).map(PathBuf::from);
    let Some(dir) = brought else { return deck.open_here(passphrase_file, key_file, read_only) };
    let (key, passphrase) = (dir.join("keydeck.key"), dir.join("keydeck.passphrase"));
    // One that may not be looked at is opened all the same: that says why it cannot be.
    if key.try_exists().unwrap_or(true) {
        deck.open_here(None, Some(&key), read_only)
    } else if passphrase.try_exists().unwrap_or(true) {
        deck.open_here(Some(&passphrase), None, read_only)
    } else {
        deck.open_here(None, None, read_only)
    }
}
