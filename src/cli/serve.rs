//! `keydeck serve`: the store opened once, for as long as the process lives, and proxies answered from it.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

use super::Outcome;
use super::door::{Deck, Signed};
use super::fault::Fault;
use crate::engine::Engine as _;
use crate::engine::oauth::TokenConfig;
use crate::serve::http::{Limits, Server};

/// Words of `serve`.
#[derive(Debug, Args)]
#[command(
    after_help = "Without --passphrase-file and --key-file, a file keydeck.key or keydeck.passphrase in the directory \
                  $CREDENTIALS_DIRECTORY signs in: what systemd's LoadCredential= brings.\nTLS, HTTP/2 and rate limits \
                  are the proxy's work: `keydeck guide nginx` and the like print its configuration."
)]
pub struct Serve {
    /// Where to answer; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8787")]
    listen: SocketAddr,
    /// Under which name access tokens are issued, the claim iss; by default the store's own, urn:keydeck:…
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// Whom access tokens are for, the claim aud; by default the store's own name
    #[arg(long, value_name = "NAME")]
    audience: Option<String>,
}

/// Where a supervisor puts secrets.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// Serves until told to stop by INT or TERM.
pub fn run(deck: &Deck, args: &Serve) -> Outcome {
    raise_open_files();
    let signed = sign_in(deck)?;
    name_tokens(args, &signed)?;
    let runtime = runtime()?;
    let served = runtime.block_on(serve(deck, args, &signed));
    // Nothing of the server holds the engine any longer: what it knows is written down and the store is closed.
    drop(runtime);
    let settled = signed.engine.settle();
    served?;
    settled?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(deck: &Deck, args: &Serve, signed: &Signed) -> Result<(), Fault> {
    let cannot = |error: io::Error| {
        Fault::unavailable(format!(
            "{} cannot be listened on: {error}. Choose another address with --listen.",
            args.listen
        ))
    };
    let stop = stop_signal().map_err(|e| Fault::unavailable(format!("Signals cannot be heard: {e}.")))?;
    let engine = std::sync::Arc::clone(&signed.engine);
    let server = Server::bind(engine, args.listen, Limits::default()).map_err(cannot)?;
    let keys = signed.engine.state().key_count();
    deck.output.say(&format!("listening on http://{} with {keys} keys", server.address()));
    server.run(stop).await;
    deck.output.say("stopped");
    Ok(())
}

/// Tokens issued before under the store's own name stay good.
fn name_tokens(args: &Serve, signed: &Signed) -> Result<(), Fault> {
    let own = signed.engine.token_config();
    let (issuer, audience) = (args.issuer.as_deref(), args.audience.as_deref());
    if let (None, None) = (issuer, audience) {
        return Ok(());
    }
    let config = TokenConfig::new(issuer.unwrap_or(own.issuer()), audience.unwrap_or(own.audience()))
        .map_err(|bad| Fault::usage(format!("--issuer, --audience: {bad}.")))?;
    signed.engine.configure_tokens(config);
    Ok(())
}

fn runtime() -> Result<Runtime, Fault> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("keydeck-http")
        .build()
        .map_err(|e| Fault::unavailable(format!("No threads can be started: {e}.")))
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
fn sign_in(deck: &Deck) -> Result<Signed, Fault> {
    let named = deck.globals.passphrase_file.is_some() || deck.globals.key_file.is_some();
    let brought = std::env::var_os(CREDENTIALS).filter(|dir| !named && !dir.is_empty()).map(PathBuf::from);
    let Some(dir) = brought else { return deck.sign_in() };
    let (key, passphrase) = (dir.join("keydeck.key"), dir.join("keydeck.passphrase"));
    if key.exists() {
        deck.sign_in_by(None, Some(&key))
    } else if passphrase.exists() {
        deck.sign_in_by(Some(&passphrase), None)
    } else {
        deck.sign_in()
    }
}

/// A connection is an open file; the usual soft limit is below the connections served.
fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}
