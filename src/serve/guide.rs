//! Proxy configurations, ready to paste. The files in `assets/guide/proxies/` are what people get and what the tests
//! run, with two placeholders: where keydeck listens and where the platform's own server does.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// The proxies there is a configuration for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proxy {
    /// nginx, `auth_request`.
    Nginx,
    /// Caddy, `forward_auth`.
    Caddy,
    /// `HAProxy`.
    Haproxy,
    /// The few lines of Lua by which `HAProxy` asks.
    HaproxyLua,
    /// Traefik, `ForwardAuth`: its dynamic configuration.
    Traefik,
    /// Traefik's static configuration, which has the ports.
    TraefikStatic,
    /// Envoy, `ext_authz` over HTTP.
    Envoy,
}

/// An address that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {text:?} {why}")]
pub struct BadAddress {
    what: &'static str,
    text: String,
    why: &'static str,
}

const NO_ADDRESS: &str = "is no HOST:PORT. Write it like 127.0.0.1:8787 or app.internal:3000.";
const NO_PATH: &str = "is no socket file. Name it by its whole path: unix:/run/keydeck/http.sock.";
const NO_SOCKETS: &str = "is a socket file. Of the printed configurations, those for nginx and caddy can ask by one; \
                          write HOST:PORT.";
const NO_NAMES: &str = "is a name. HAProxy asks by Lua, which does not look names up as the system does, so every request \
                        would get 503. Write the IP address that keydeck listens at: 127.0.0.1:8787.";

/// What stands before the path of a socket file.
const UNIX: &str = "unix:";

impl Proxy {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Nginx,
        Self::Caddy,
        Self::Haproxy,
        Self::HaproxyLua,
        Self::Traefik,
        Self::TraefikStatic,
        Self::Envoy,
    ];

    /// Its name, as a person writes it in a command.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Caddy => "caddy",
            Self::Haproxy => "haproxy",
            Self::HaproxyLua => "haproxy-lua",
            Self::Traefik => "traefik",
            Self::TraefikStatic => "traefik-static",
            Self::Envoy => "envoy",
        }
    }

    /// The configuration with its placeholders.
    const fn template(self) -> &'static str {
        match self {
            Self::Nginx => include_str!("../../assets/guide/proxies/nginx.conf"),
            Self::Caddy => include_str!("../../assets/guide/proxies/Caddyfile"),
            Self::Haproxy => include_str!("../../assets/guide/proxies/haproxy.cfg"),
            Self::HaproxyLua => include_str!("../../assets/guide/proxies/keydeck.lua"),
            Self::Traefik => include_str!("../../assets/guide/proxies/traefik.yml"),
            Self::TraefikStatic => include_str!("../../assets/guide/proxies/traefik-static.yml"),
            Self::Envoy => include_str!("../../assets/guide/proxies/envoy.yaml"),
        }
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Who listens where.
#[derive(Clone, Copy, Debug)]
pub struct Wiring<'a> {
    /// Where keydeck listens: `HOST:PORT`, or `unix:/PATH` for a proxy that can ask by a socket file.
    pub keydeck: &'a str,
    /// Where the platform's own server does.
    pub upstream: &'a str,
    /// The port of the proxy itself.
    pub port: u16,
}

/// The configuration of `proxy`.
pub fn snippet(proxy: Proxy, wiring: Wiring<'_>) -> Result<String, BadAddress> {
    let Wiring { keydeck, upstream, port } = wiring;
    let socket = keydeck.strip_prefix(UNIX).map(|path| at_socket(proxy, path)).transpose()?;
    let (keydeck_host, keydeck_port) = if socket.is_some() { ("", "") } else { parts("--listen", keydeck)? };
    if matches!(proxy, Proxy::Haproxy | Proxy::HaproxyLua) && keydeck_host.parse::<IpAddr>().is_err() {
        return Err(BadAddress { what: "--listen", text: keydeck.to_owned(), why: NO_NAMES });
    }
    let keydeck = socket.as_deref().unwrap_or(keydeck);
    let (upstream_host, upstream_port) = parts("--upstream", upstream)?;
    Ok(proxy
        .template()
        .replace("@PORT@", &port.to_string())
        .replace("@KEYDECK@", keydeck)
        .replace("@KEYDECK_HOST@", keydeck_host)
        .replace("@KEYDECK_PORT@", keydeck_port)
        .replace("@UPSTREAM@", upstream)
        .replace("@UPSTREAM_HOST@", upstream_host)
        .replace("@UPSTREAM_PORT@", upstream_port))
}

/// A socket file as the proxy writes it.
fn at_socket(proxy: Proxy, path: &str) -> Result<String, BadAddress> {
    let bad = |why| BadAddress { what: "--listen", text: format!("{UNIX}{path}"), why };
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'-' | b'_');
    if !path.starts_with('/') || !path.bytes().all(plain) {
        return Err(bad(NO_PATH));
    }
    match proxy {
        Proxy::Nginx => Ok(format!("{UNIX}{path}")),
        Proxy::Caddy => Ok(format!("unix/{path}")),
        Proxy::Haproxy | Proxy::HaproxyLua | Proxy::Traefik | Proxy::TraefikStatic | Proxy::Envoy => {
            Err(bad(NO_SOCKETS))
        }
    }
}

/// Host, without brackets, and port; neither may hold what would end a word in a configuration.
fn parts<'t>(what: &'static str, text: &'t str) -> Result<(&'t str, &'t str), BadAddress> {
    let bad = || BadAddress { what, text: text.to_owned(), why: NO_ADDRESS };
    let (host, port) = text.rsplit_once(':').ok_or_else(bad)?;
    let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_host = match inner {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        }
    };
    let is_port = port.parse::<u16>().is_ok_and(|port| port > 0) && !port.starts_with('+');
    if is_host && is_port { Ok((inner.unwrap_or(host), port)) } else { Err(bad()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_placeholder_is_filled() {
        let wiring = Wiring { keydeck: "10.0.0.5:8787", upstream: "app.internal:3000", port: 4711 };
        let mut all = String::new();
        for proxy in Proxy::ALL {
            let text = snippet(proxy, wiring).unwrap();
            assert!(
                !text.contains("@KEYDECK") && !text.contains("@UPSTREAM") && !text.contains("@PORT"),
                "{proxy}"
            );
            all.push_str(&text);
        }
        for (what, places) in [("10.0.0.5", 6), ("app.internal", 5), ("4711", 6)] {
            assert!(all.matches(what).count() >= places, "{what}");
        }
    }

    #[test]
    fn a_socket_file_is_named_as_each_proxy_writes_it() {
        let at = |proxy, keydeck| snippet(proxy, Wiring { keydeck, upstream: "h:1", port: 80 });
        let nginx = at(Proxy::Nginx, "unix:/run/keydeck/http.sock").unwrap();
        assert!(nginx.contains("server unix:/run/keydeck/http.sock;"), "{nginx}");
        let caddy = at(Proxy::Caddy, "unix:/run/keydeck/http.sock").unwrap();
        assert!(caddy.contains("forward_auth unix//run/keydeck/http.sock {"), "{caddy}");
        let envoy = at(Proxy::Envoy, "unix:/run/keydeck/http.sock").unwrap_err().to_string();
        assert!(envoy.contains("nginx and caddy"), "{envoy}");
        for bad in ["unix:", "unix:http.sock", "unix:/a b", "unix:/a;b", "unix:/a{b", "unix:/a\nb"] {
            assert!(at(Proxy::Nginx, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_ipv6_address_has_brackets_only_where_the_proxy_wants_them() {
        let at = |proxy| snippet(proxy, Wiring { keydeck: "[::1]:8787", upstream: "[::2]:3000", port: 80 });
        let envoy = at(Proxy::Envoy).unwrap();
        assert!(envoy.contains(r#"address: "::1", port_value: 8787"#), "{envoy}");
        assert!(envoy.contains(r#"address: "::2", port_value: 3000"#), "{envoy}");
        assert!(envoy.contains(r#"uri: "http://[::1]:8787""#), "{envoy}");
        for proxy in [Proxy::Nginx, Proxy::Caddy, Proxy::Haproxy, Proxy::HaproxyLua, Proxy::Traefik] {
            assert!(at(proxy).unwrap().contains("[::1]:8787"), "{proxy}");
        }
    }

    #[test]
    fn haproxy_is_not_told_a_name_it_could_not_look_up() {
        for proxy in [Proxy::Haproxy, Proxy::HaproxyLua] {
            for name in ["localhost:8787", "keydeck.internal:8787", "1.2.3:8787"] {
                let wiring = Wiring { keydeck: name, upstream: "app.internal:3000", port: 80 };
                let error = snippet(proxy, wiring).unwrap_err().to_string();
                assert!(error.contains("--listen") && error.contains("127.0.0.1:8787"), "{error}");
            }
        }
    }

    #[test]
    fn an_address_cannot_bring_configuration_of_its_own() {
        for bad in
            ["", "host", ":1", "h:0", "h:70000", "h:+1", "a b:1", "h;:1", "h{}:1", "[::1:1", "::1:1", "h:1;"]
        {
            for (keydeck, upstream) in [(bad, "h:1"), ("h:1", bad)] {
                assert!(snippet(Proxy::Nginx, Wiring { keydeck, upstream, port: 80 }).is_err(), "{bad}");
            }
        }
        for good in ["127.0.0.1:8787", "[::1]:8787", "app_1.example-site.com:80"] {
            let wiring = Wiring { keydeck: good, upstream: good, port: 80 };
            assert!(snippet(Proxy::Envoy, wiring).is_ok(), "{good}");
        }
    }
}
