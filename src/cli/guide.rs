//! `keydeck guide`: a proxy's configuration, ready to paste.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::Outcome;
use super::door::Deck;
use super::number::whole;
use crate::serve::guide::{self, Proxy, Wiring};

/// Words of `guide`.
#[derive(Debug, Args)]
pub struct Guide {
    /// Which proxy
    #[arg(value_enum)]
    proxy: Name,
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
}

/// Prints it.
pub fn run(deck: &Deck, args: &Guide) -> Outcome {
    let proxy = match args.proxy {
        Name::Nginx => Proxy::Nginx,
        Name::Caddy => Proxy::Caddy,
        Name::Haproxy => Proxy::Haproxy,
        Name::HaproxyLua => Proxy::HaproxyLua,
        Name::Traefik => Proxy::Traefik,
        Name::TraefikStatic => Proxy::TraefikStatic,
        Name::Envoy => Proxy::Envoy,
    };
    let text =
        guide::snippet(proxy, Wiring { keydeck: &args.listen, upstream: &args.upstream, port: args.port })
            .map_err(|error| super::Fault::usage(error.to_string()))?;
    deck.output.text(&text)?;
    Ok(ExitCode::SUCCESS)
}
