//! `keydeck serve`: the store opened once, for as long as the process lives, and proxies answered from it.
//!
//! - `check`: whether it would start. `healthy`: whether one that runs is ready. `supervisor`: what systemd brings and wants to be told. `reload`: what a running server
//!   takes from its configuration anew. `signals`: when to stop, when to do that.

mod check;
mod healthy;
mod reload;
mod signals;
mod supervisor;

use std::io;
use std::num::NonZero;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};

use clap::Args;
use sd_notify::NotifyState;
use tokio::signal::unix::Signal;

use self::reload::Household;
use self::signals::Signals;
use self::supervisor::say;
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
use crate::serve::http::{Bound, Endpoint, Limits, Server, default_workers, runtime};

/// Words of `serve`.
#[derive(Debug, Args)]
#[command(
    after_help = "Without --passphrase-file and --key-file, a file keydeck.key or keydeck.passphrase in the directory \
                  $CREDENTIALS_DIRECTORY signs in: what systemd's LoadCredential= brings.\nA socket that a supervisor opened \
                  ($LISTEN_FDS) is answered on in place of an address, and it is told how the server goes ($NOTIFY_SOCKET, \
                  $WATCHDOG_USEC).\nHUP takes channels and [anchor] from the configuration file anew; TERM and INT stop it.\n\
                  $KEYDECK_LOG says how much is logged: off, error, warn, info, debug, or of a part of keydeck alone, such as \
                  warn,keydeck::deliver=debug.\nTLS, HTTP/2 and rate limits are the proxy's work: `keydeck guide nginx` and \
                  the like print its configuration."
)]
pub struct Serve {
    /// Where to answer: an address, port 0 for any free one, or a socket file such as `unix:/run/keydeck/http.sock`
    /// [default: `listen` of the configuration file, else 127.0.0.1:8787]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<Endpoint>,
    /// Where other keydeck commands attach while this runs [default: control.sock in the store's directory]
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Threads that answer; by default half the processors, which leaves the others to the proxy in front
    #[arg(long, value_name = "N", value_parser = whole::<u16>(1..=256))]
    workers: Option<u16>,
    /// Log to standard error in this form; by default as text there when it is no terminal, else to a file
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<Format>,
    /// Tell whether it would start; exits 0 when it would, else 2 (configuration), 3 (store, address) or 4 (cannot unseal), as
    /// the server would. The store is opened for that, and what every opening mends is mended
    #[arg(long)]
    check: bool,
    /// Ask the server that answers there whether it is ready, as a container's health check does; exits 0 when it is, else 3
    #[arg(long, conflicts_with = "check")]
    healthy: bool,
}

impl Serve {
    /// Whether it is for a server, and not only to ask about one.
    pub const fn stays(&self) -> bool {
        !self.check && !self.healthy
    }

    /// How the log is to be written, if that was said.
    pub const fn log_format(&self) -> Option<Format> {
        self.log_format
    }

    /// Where to answer, as it was said or by default.
    fn endpoint(&self, deck: &Deck) -> Endpoint {
        let said = self.listen.clone().or_else(|| deck.config.listen.clone());
        said.unwrap_or(Endpoint::Tcp(DEFAULT.into()))
    }

    /// The place to answer at: one that was opened for this process, else that of the words and the configuration.
    fn place(&self, deck: &Deck, passed: Option<Bound>) -> Result<Bound, Fault> {
        match passed {
            Some(_) if self.listen.is_some() => Err(Fault::usage(
                "A socket was passed to answer on, and --listen names a place as well. Leave one of them out.",
            )),
            Some(passed) => Ok(passed),
            None => {
                let endpoint = self.endpoint(deck);
                endpoint.bind().map_err(|error| cannot_listen(&endpoint, &error))
            }
        }
    }
}

/// Where it answers when nobody says.
const DEFAULT: ([u8; 4], u16) = ([127, 0, 0, 1], 8787);

/// Serves until told to stop.
pub fn run(deck: &Deck, args: &Serve) -> Outcome {
    if deck.globals.read_only {
        return Err(Fault::usage(
            "A server writes down what is used and what is refused, so it cannot run with --read-only.",
        ));
    }
    if args.healthy {
        return healthy::run(deck, &args.endpoint(deck));
    }
    // Looked for while there is one thread only: the variables that tell of it are taken away.
    let passed = supervisor::passed()?;
    if args.check {
        return check::run(deck, args, passed);
    }
    let (channels, anchoring) = (deck.channels()?, deck.anchoring()?);
    raise_open_files();
    let workers = args.workers.and_then(|n| NonZero::new(usize::from(n))).unwrap_or_else(default_workers);
    let runtime =
        runtime(workers).map_err(|e| Fault::unavailable(format!("No threads can be started: {e}.")))?;
    let hang_up = runtime.block_on(async { signals::hang_up() }).map_err(|error| deaf(&error))?;
    say(&[NotifyState::Status("opening the store")]);
    let open = supervisor::sign_in(deck, false)?;
    let place = args.place(deck, passed)?;
    let control = offer(deck, args, &open)?;
    open.engine.write_uses();
    let hosting = Hosting::begin(&open.engine, Some(control), channels);
    let anchorage = anchoring.map(|setup| Anchorage::start(&open.engine, setup));
    let mut household = Household::new(deck, &open.engine, hosting, anchorage);
    let served = std::thread::scope(|scope| {
        let (reload, wanted) = mpsc::channel();
        scope.spawn(|| {
            for () in wanted {
                household.reload();
            }
        });
        runtime.block_on(serve(deck, args, &open, place, (reload, hang_up)))
    });
    // Nothing of the server holds the engine any longer: what it knows is written down and the store is closed.
    drop(runtime);
    drop(household);
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

async fn serve(
    deck: &Deck,
    args: &Serve,
    open: &Open,
    place: Bound,
    (reload, hang_up): (Sender<()>, Signal),
) -> Result<(), Fault> {
    let signals = Signals::listen(hang_up).map_err(|error| deaf(&error))?;
    let (engine, endpoint) = (Arc::clone(&open.engine), place.endpoint().clone());
    let server = Server::on(engine, place, Limits::default()).map_err(|e| cannot_listen(&endpoint, &e))?;
    let keys = open.engine.state().key_count();
    let listening = format!("listening on {} with {keys} keys", server.endpoint());
    tell(deck, args, &listening);
    say(&[NotifyState::Ready, NotifyState::Status(&listening)]);
    supervisor::stay_awake(&open.engine);
    let stop = async {
        signals.until_stop(&reload).await;
        say(&[NotifyState::Stopping, NotifyState::Status("requests in hand are answered")]);
    };
    server.run(stop).await;
    tell(deck, args, "stopped");
    Ok(())
}

fn deaf(error: &io::Error) -> Fault {
    Fault::unavailable(format!("Signals cannot be heard: {error}."))
}

fn cannot_listen(endpoint: &Endpoint, error: &io::Error) -> Fault {
    Fault::unavailable(format!(
        "{endpoint} cannot be listened on: {error}. Choose another address with --listen."
    ))
}

/// Says how it goes: a person in words, whoever collects JSON as a line of the log.
fn tell(deck: &Deck, args: &Serve, what: &str) {
    if args.log_format == Some(Format::Json) {
        tracing::info!("{what}");
    } else {
        deck.output.say(what);
    }
}

/// A connection is an open file; the usual soft limit is below the connections served.
fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}
