//! Proxy configurations, ready to paste. The files in `assets/guide/proxies/` are what people get and what the tests
//! run, with two placeholders: where keydeck listens and where the platform's own server does.

use std::fmt;

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
    /// Traefik, `ForwardAuth`.
    Traefik,
    /// Envoy, `ext_authz` over HTTP.
    Envoy,
}

/// An address that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {text:?} is no HOST:PORT. Write it like 127.0.0.1:8787 or app.internal:3000.{more}")]
pub struct BadAddress {
    what: &'static str,
    text: String,
    more: &'static str,
}

/// What stands before the path of a socket file.
const UNIX: &str = "unix:";

impl Proxy {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Nginx, Self::Caddy, Self::Haproxy, Self::HaproxyLua, Self::Traefik, Self::Envoy];

    /// Its name, as a person writes it in a command.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Caddy => "caddy",
            Self::Haproxy => "haproxy",
            Self::HaproxyLua => "haproxy-lua",
            Self::Traefik => "traefik",
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
    let bad = |more| BadAddress { what: "--listen", text: format!("{UNIX}{path}"), more };
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'-' | b'_');
    if !path.starts_with('/') || !path.bytes().all(plain) {
        return Err(bad(" Or name a socket file by its whole path: unix:/run/keydeck/http.sock."));
    }
    match proxy {
        Proxy::Nginx => Ok(format!("{UNIX}{path}")),
        Proxy::Caddy => Ok(format!("unix/{path}")),
        _ => Err(bad(" Of the printed configurations, those for nginx and caddy can ask by a socket file.")),
    }
}

/// Host and port; neither may hold what would end a word in a configuration.
fn parts<'t>(what: &'static str, text: &'t str) -> Result<(&'t str, &'t str), BadAddress> {
    let bad = || BadAddress { what, text: text.to_owned(), more: "" };
    let (host, port) = text.rsplit_once(':').ok_or_else(bad)?;
    let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_host = match inner {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        }
    };
    let is_port = port.parse::<u16>().is_ok_and(|port| port > 0) && !port.starts_with('+');
    if is_host && is_port { Ok((host, port)) } else { Err(bad()) }
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
        for (what, places) in [("10.0.0.5", 5), ("app.internal", 5), ("4711", 4)] {
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
