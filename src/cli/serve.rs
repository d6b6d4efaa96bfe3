//! `keydeck serve`: the store opened once, for as long as the process lives, and proxies answered from it.

use std::io;
use std::num::NonZero;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::Outcome;
use super::door::Deck;
use super::fault::Fault;
use super::logging::Format;
use super::number::whole;
use crate::deliver::Anchorage;
use crate::engine::Engine as _;
use crate::engine::open::Open;
use crate::serve::control::{Control, Settings};
use crate::serve::door::Hosting;
use crate::serve::http::{Endpoint, Limits, Server, default_workers, runtime};

/// Words of `serve`.
#[derive(Debug, Args)]
#[command(
    after_help = "Without --passphrase-file and --key-file, a file keydeck.key or keydeck.passphrase in the directory \
                  $CREDENTIALS_DIRECTORY signs in: what systemd's LoadCredential= brings.\nTLS, HTTP/2 and rate limits \
                  are the proxy's work: `keydeck guide nginx` and the like print its configuration."
)]
pub struct Serve {
    /// Where to answer: an address, port 0 for any free one, or a socket file such as `unix:/run/keydeck/http.sock`
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8787")]
    listen: Endpoint,
    /// Where other keydeck commands attach while this runs [default: control.sock in the store's directory]
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Threads that answer; by default half the processors, which leaves the others to the proxy in front
    #[arg(long, value_name = "N", value_parser = whole::<u16>(1..=256))]
    workers: Option<u16>,
    /// Log to standard error in this form; by default as text there when it is no terminal, else to a file
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<Format>,
}

impl Serve {
    /// How the log is to be written, if that was said.
    pub const fn log_format(&self) -> Option<Format> {
        self.log_format
    }
}

/// Where a supervisor puts secrets.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// Serves until told to stop by INT or TERM.
pub fn run(deck: &Deck, args: &Serve) -> Outcome {
    if deck.globals.read_only {
        return Err(Fault::usage(
            "A server writes down what is used and what is refused, so it cannot run with --read-only.",
        ));
    }
    let (channels, anchoring) = (deck.channels()?, deck.anchoring()?);
    raise_open_files();
    let open = sign_in(deck)?;
    let control = offer(deck, args, &open)?;
    open.engine.write_uses();
    let hosting = Hosting::begin(&open.engine, Some(control), channels);
    let anchorage = anchoring.map(|setup| Anchorage::start(&open.engine, setup));
    let workers = args.workers.and_then(|n| NonZero::new(usize::from(n))).unwrap_or_else(default_workers);
    let runtime =
        runtime(workers).map_err(|e| Fault::unavailable(format!("No threads can be started: {e}.")))?;
    let served = runtime.block_on(serve(deck, args, &open));
    // Nothing of the server holds the engine any longer: what it knows is written down and the store is closed.
    drop(runtime);
    drop(anchorage);
    drop(hosting);
    let settled = open.engine.settle();
    served?;
    settled?;
    Ok(ExitCode::SUCCESS)
}

/// Lets the command line and the console work on the store while this process has it.
fn offer(deck: &Deck, args: &Serve, open: &Open) -> Result<Control, Fault> {
    let settings = Settings { socket: args.socket.clone(), command: deck.words.to_owned() };
    Control::start(Arc::clone(&open.engine), &settings).map_err(|error| match &args.socket {
        Some(path) => Fault::unavailable(format!("{} cannot be the socket. {error}", path.display())),
        None => Fault::unavailable(error.to_string()),
    })
}

async fn serve(deck: &Deck, args: &Serve, open: &Open) -> Result<(), Fault> {
    let cannot = |error: io::Error| {
        Fault::unavailable(format!(
            "{} cannot be listened on: {error}. Choose another address with --listen.",
            args.listen
        ))
    };
    let stop = stop_signal().map_err(|e| Fault::unavailable(format!("Signals cannot be heard: {e}.")))?;
    let engine = Arc::clone(&open.engine);
    let server = Server::bind(engine, &args.listen, Limits::default()).map_err(cannot)?;
    let keys = open.engine.state().key_count();
    tell(deck, args, &format!("listening on {} with {keys} keys", server.endpoint()));
    server.run(stop).await;
    tell(deck, args, "stopped");
    Ok(())
}

/// Says how it goes: a person in words, whoever collects JSON as a line of the log.
fn tell(deck: &Deck, args: &Serve, what: &str) {
    if args.log_format == Some(Format::Json) {
        tracing::info!("{what}");
    } else {
        deck.output.say(what);
    }
}

/// Listens for INT and TERM from now on; done when one of them came.
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// As the command line says, else with what a supervisor brought, else as any command does.
fn sign_in(deck: &Deck) -> Result<Open, Fault> {
    let (passphrase_file, key_file) =
        (deck.globals.passphrase_file.as_deref(), deck.globals.key_file.as_deref());
    let named = passphrase_file.is_some() || key_file.is_some();
    let brought = std::env::var_os(CREDENTIALS).filter(|dir| !named && !dir.is_empty()).map(PathBuf::from);
    let Some(dir) = brought else { return deck.open_here(passphrase_file, key_file) };
    let (key, passphrase) = (dir.join("keydeck.key"), dir.join("keydeck.passphrase"));
    // One that may not be looked at is opened all the same: that says why it cannot be.
    if key.try_exists().unwrap_or(true) {
        deck.open_here(None, Some(&key))
    } else if passphrase.try_exists().unwrap_or(true) {
        deck.open_here(Some(&passphrase), None)
    } else {
        deck.open_here(None, None)
    }
}

/// A connection is an open file; the usual soft limit is below the connections served.
fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}
