//! `HAProxy`, by a few lines of Lua.

use std::process::Command;

use keydeck::serve::guide::Proxy;

use crate::street::{Street, program};

#[test]
fn haproxy_asks_keydeck() {
    let Some(haproxy) = program("haproxy") else { return };
    let street = Street::open(|site| {
        let lua = site.write("keydeck.lua", &site.snippet(Proxy::HaproxyLua));
        let config = site.snippet(Proxy::Haproxy).replace("/etc/haproxy/keydeck.lua", lua.to_str().unwrap());
        let config = site.write("haproxy.cfg", &config);
        let mut command = Command::new(&haproxy);
        command.args(["-db", "-f"]).arg(config);
        command
    });
    street.day();
}
