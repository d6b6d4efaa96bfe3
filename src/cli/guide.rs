//! `keydeck guide`: a proxy's configuration or a secret scanner's rules, ready to paste.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::Outcome;
use super::door::Deck;
use super::fault::Fault;
use super::number::whole;
use crate::serve::guide::{self, Proxy, Wiring};

/// Words of `guide`.
#[derive(Debug, Args)]
pub struct Guide {
    /// Which proxy, or which scanner
    #[arg(value_enum, value_name = "PROXY")]
    name: Name,
    /// Where `keydeck serve` listens: HOST:PORT (haproxy: an IP address), or for nginx and caddy `unix:/PATH`
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8787")]
    listen: String,
    /// Where your own server listens, which gets the requests that pass
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:3000")]
    upstream: String,
    /// The port the proxy itself takes
    #[arg(long, value_name = "PORT", default_value_t = 8080, value_parser = whole::<u16>(1..=65_535))]
    port: u16,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Name {
    Nginx,
    Caddy,
    Haproxy,
    HaproxyLua,
    Traefik,
    TraefikStatic,
    Envoy,
    /// Rules for gitleaks
    Gitleaks,
    /// Rules for secretlint
    Secretlint,
    /// `keydeck scan` before each commit
    PreCommit,
}

/// Rules for scanners, by file; the tests hold them against what is found here.
const GITLEAKS: &str = include_str!("../../assets/guide/scanners/gitleaks.toml");
const SECRETLINT: &str = include_str!("../../assets/guide/scanners/secretlintrc.json");
const PRE_COMMIT: &str = include_str!("../../assets/guide/scanners/pre-commit-config.yaml");

/// Prints it.
pub fn run(deck: &Deck, args: &Guide) -> Outcome {
    let text = match args.name {
        Name::Nginx => of_proxy(args, Proxy::Nginx),
        Name::Caddy => of_proxy(args, Proxy::Caddy),
        Name::Haproxy => of_proxy(args, Proxy::Haproxy),
        Name::HaproxyLua => of_proxy(args, Proxy::HaproxyLua),
        Name::Traefik => of_proxy(args, Proxy::Traefik),
        Name::TraefikStatic => of_proxy(args, Proxy::TraefikStatic),
        Name::Envoy => of_proxy(args, Proxy::Envoy),
        Name::Gitleaks => Ok(GITLEAKS.to_owned()),
        Name::Secretlint => Ok(SECRETLINT.to_owned()),
        Name::PreCommit => Ok(PRE_COMMIT.to_owned()),
    }?;
    deck.output.text(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn of_proxy(args: &Guide, proxy: Proxy) -> Result<String, Fault> {
    let wiring = Wiring { keydeck: &args.listen, upstream: &args.upstream, port: args.port };
    guide::snippet(proxy, wiring).map_err(|error| Fault::usage(error.to_string()))
}
