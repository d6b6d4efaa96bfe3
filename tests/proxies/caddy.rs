//! Caddy, by `forward_auth`.

use std::path::Path;
use std::process::Command;

use keydeck::serve::guide::Proxy;

use crate::street::{Site, Street, program};

/// How it is started in front of keydeck.
fn start(caddy: &Path, site: &Site<'_>) -> Command {
    let around = "{\n\tadmin off\n\tauto_https off\n}\n";
    let config = site.write("Caddyfile", &format!("{around}{}", site.snippet(Proxy::Caddy)));
    let mut command = Command::new(caddy);
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(config);
    command
}

#[test]
fn caddy_asks_keydeck() {
    let Some(caddy) = program("caddy") else { return };
    Street::open(|site| start(&caddy, site)).day();
}

#[test]
fn caddy_asks_keydeck_by_a_socket_file() {
    let Some(caddy) = program("caddy") else { return };
    Street::open_by_socket(|site| start(&caddy, site)).day();
}
