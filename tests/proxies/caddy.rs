//! Caddy, by `forward_auth`.

use std::process::Command;

use keydeck::serve::guide::Proxy;

use crate::street::{Street, program};

#[test]
fn caddy_asks_keydeck() {
    let Some(caddy) = program("caddy") else { return };
    let street = Street::open(|site| {
        let around = "{\n\tadmin off\n\tauto_https off\n}\n";
        let config = site.write("Caddyfile", &format!("{around}{}", site.snippet(Proxy::Caddy)));
        let mut command = Command::new(&caddy);
        command.args(["run", "--adapter", "caddyfile", "--config"]).arg(config);
        command
    });
    street.day();
}
