//! Client, proxy, keydeck and server in a row, and the day every proxy must get through.

use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use keydeck::domain::{Command as Order, KeyId, Place};
use keydeck::serve::guide::{Proxy, Wiring, snippet};

use crate::http::{Heard, House, PATIENCE, send};
use crate::upstream::Upstream;

/// A proxy that runs until it is dropped.
pub struct Running {
    child: Child,
    pub dir: tempfile::TempDir,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// The four in a row, and two keys: one with `contacts.read`, one without.
pub struct Street {
    pub house: House,
    pub upstream: Upstream,
    pub address: SocketAddr,
    pub reader: (KeyId, String),
    pub other: (KeyId, String),
    proxy: Running,
    /// Where keydeck's socket file is, if it has one.
    socket: Option<tempfile::TempDir>,
}

/// Where a program is, or why the test is skipped.
#[expect(clippy::print_stdout, reason = "says why a test does nothing")]
pub fn program(name: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<_> = std::env::split_paths(&path).collect();
    places.extend(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let found = places.into_iter().map(|dir| dir.join(name)).find(|file| file.is_file());
    if found.is_none() {
        println!("skipped: needs {name}");
    }
    found
}

/// What a proxy's own files are made of: its configuration filled in, and a directory to put it in.
pub struct Site<'s> {
    pub dir: &'s Path,
    pub wiring: Wiring<'s>,
}

impl Site<'_> {
    pub fn snippet(&self, proxy: Proxy) -> String {
        snippet(proxy, self.wiring).unwrap()
    }

    pub fn write(&self, name: &str, text: &str) -> std::path::PathBuf {
        let path = self.dir.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Street {
    /// Starts all four; `command` writes the proxy's files and says how to start it.
    pub fn open(command: impl Fn(&Site<'_>) -> Command) -> Self {
        let house = House::new();
        let address = house.address.to_string();
        Self::before(house, &address, command)
    }

    /// The same with keydeck on a socket file.
    pub fn open_by_socket(command: impl Fn(&Site<'_>) -> Command) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("http.sock");
        let house = House::on_socket(&path);
        let street = Self::before(house, &format!("unix:{}", path.display()), command);
        Self { socket: Some(dir), ..street }
    }

    fn before(house: House, keydeck: &str, command: impl Fn(&Site<'_>) -> Command) -> Self {
        let upstream = Upstream::start();
        let reader = house.issue("Müller, 100 %", Place::Agency, &["contacts.read"]);
        let other = house.issue("Calendar", Place::Agency, &["calendars.read"]);
        let behind = upstream.address.to_string();
        // Between choosing a free port and taking it somebody else may.
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let dir = tempfile::tempdir().unwrap();
            let wiring = Wiring { keydeck, upstream: &behind, port };
            let mut command = command(&Site { dir: dir.path(), wiring });
            let log = File::create(dir.path().join("log")).unwrap();
            command.current_dir(dir.path()).env_clear().env("HOME", dir.path());
            command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
            let mut proxy = Running { child: command.spawn().unwrap(), dir };
            let address = SocketAddr::from(([127, 0, 0, 1], port));
            if proxy.listens_at(address) {
                return Self { house, upstream, address, reader, other, proxy, socket: None };
            }
            assert!(
                proxy.log().contains("in use"),
                "the proxy did not start:
{}",
                proxy.log()
            );
        }
        panic!("no port was free for the proxy");
    }

    pub fn ask(&self, target: &str, headers: &str) -> Heard {
        self.says(&format!(
            "GET {target} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n{headers}\r\n"
        ))
    }

    fn says(&self, text: &str) -> Heard {
        send(self.address, text.as_bytes())
    }

    fn with(&self, target: &str, token: &str) -> Heard {
        self.ask(target, &format!("Authorization: Bearer {token}\r\n"))
    }

    /// It passes, and this is what the server behind was sent.
    #[track_caller]
    fn passes(&self, heard: &Heard) -> Sent {
        assert_eq!(heard.status, 200, "{heard:?}\n{}", self.proxy.log());
        Sent(heard.body.clone())
    }

    /// Nothing of it reaches the server behind.
    #[track_caller]
    fn stops(&self, statuses: &[u16], ask: impl FnOnce() -> Heard) {
        let before = self.upstream.reached();
        let heard = ask();
        assert!(statuses.contains(&heard.status), "{heard:?}\n{}", self.proxy.log());
        assert_eq!(self.upstream.reached(), before, "{heard:?}");
        assert!(!heard.headers.iter().any(|(name, _)| name.starts_with("keydeck")), "{heard:?}");
    }

    /// The whole day, the same for every proxy.
    pub fn day(mut self) {
        self.who_may_and_who_may_not();
        self.nobody_says_who_they_are();
        self.no_path_leads_around();
        self.bodies_pass();
        let (id, token) = (self.reader.0, self.reader.1.clone());
        self.house.does(Order::RevokeKey(id));
        self.stops(&[401], || self.with("/", &token));
        self.passes(&self.with("/", &self.other.1));
        // Without keydeck nobody passes.
        self.house.tell_to_stop();
        assert!(self.house.has_ended(PATIENCE));
        self.stops(&[500, 502, 503, 504], || self.with("/", &self.other.1));
    }

    fn who_may_and_who_may_not(&self) {
        let (reader, other) = (&self.reader.1, &self.other.1);
        let sent = self.passes(&self.with("/contacts/7?x=y", reader));
        assert!(sent.0.starts_with("GET /contacts/7?x=y HTTP/1.1\r\n"), "{sent:?}");
        let id = self.reader.0.to_string();
        let known = [
            ("keydeck-key-id", id.as_str()),
            ("keydeck-kind", "agency"),
            ("keydeck-name", "M%C3%BCller%2C 100 %25"),
            ("keydeck-owner", "maria"),
            ("keydeck-scopes", "contacts.read"),
        ];
        for (name, value) in known {
            assert_eq!(sent.all(name), [value], "{name}: {sent:?}");
        }
        for secret in ["authorization", "x-api-key"] {
            assert!(sent.all(secret).is_empty() && !sent.0.contains(reader.as_str()), "{sent:?}");
        }
        self.passes(&self.ask("/", &format!("X-API-Key: {other}\r\n")));
        self.passes(&self.ask("/", &format!("Keydeck-Require-Scope: \r\nX-API-Key: {other}\r\n")));
        self.stops(&[403], || self.with("/contacts", other));
        self.stops(&[403], || self.with("/contacts/7", other));
        let nobody = self.ask("/", "");
        assert_eq!((nobody.status, nobody.one("www-authenticate")), (401, "Bearer realm=\"keydeck\""));
        self.stops(&[401], || self.with("/", "kdag_nonsense"));
        self.stops(&[401], || self.ask("/", "Authorization: Basic dTpw\r\n"));
        let twice = format!("Authorization: Bearer {reader}\r\nX-API-Key: {reader}\r\n");
        self.stops(&[400, 401], || self.ask("/", &twice));
        let two = format!("X-API-Key: {reader}\r\nX-API-Key: {other}\r\n");
        self.stops(&[400, 401], || self.ask("/", &two));
    }

    /// Row 46: who asks is keydeck's to say, in any spelling.
    fn nobody_says_who_they_are(&self) {
        let names =
            ["Key-Id", "Kind", "Name", "Owner", "Scopes", "Location", "App", "Source-App", "User-Type"];
        let token = &self.other.1;
        for joint in ["-", "_", "."] {
            for case in [str::to_owned, str::to_uppercase, str::to_lowercase] as [fn(&str) -> String; 3] {
                let lies: Vec<_> = names
                    .iter()
                    .map(|name| case(&format!("Keydeck-{name}")).replace('-', joint))
                    .flat_map(|name| [format!("{name}: mallory\r\n"), format!("{name}: admin mallory\r\n")])
                    .collect();
                let lies = lies.concat();
                let heard = self.ask("/", &format!("{lies}Authorization: Bearer {token}\r\n"));
                if heard.status == 200 {
                    self.believes_only_keydeck(&Sent(heard.body));
                } else {
                    // Refusing such a request is as good.
                    assert_eq!(heard.status, 400, "{heard:?}");
                }
            }
        }
    }

    fn believes_only_keydeck(&self, sent: &Sent) {
        let id = self.other.0.to_string();
        assert!(!sent.0.contains("mallory"), "{sent:?}");
        assert_eq!(sent.all("keydeck-key-id"), [id.as_str()]);
        assert_eq!(sent.all("keydeck-owner"), ["maria"]);
        for none in ["keydeck-location", "keydeck-app", "keydeck-source-app", "keydeck-user-type"] {
            assert!(sent.all(none).iter().all(|value| value.is_empty()), "{none}: {sent:?}");
        }
    }

    /// Row 46: a path that reads as one thing here and as another there gets nowhere.
    fn no_path_leads_around(&self) {
        let token = &self.other.1;
        for path in [
            "/a/../contacts",
            "/./contacts",
            "/a/./b",
            "/..",
            "/.",
            "//contacts",
            "/a//contacts",
            "/%2e%2e/contacts",
            "/a/%2E%2e/contacts",
            "/a/.%2e/contacts",
            "/a%2f..%2fcontacts",
            "/contacts%2f..%2fa",
            "/contacts/..%2f",
            "/a%5c..%5ccontacts",
            "/a\\contacts",
            "/a/..\\contacts",
            "/contacts%00",
            "/a/..?x=y",
        ] {
            self.stops(&[400, 403, 404], || self.with(path, token));
        }
        for header in [
            "X-Original-URI: /",
            "X-Original-URL: /",
            "X-Rewrite-URL: /",
            "X-Forwarded-Uri: /",
            "X-Original-Method: GET",
        ] {
            self.stops(&[403], || {
                self.ask("/contacts", &format!("{header}\r\nAuthorization: Bearer {token}\r\n"))
            });
        }
        // In a query and within a name the same signs mean nothing.
        for path in ["/?next=//x/../%2e%2e/y", "/a..b/.c/d.", "/a-b_c~d%20e"] {
            self.passes(&self.with(path, token));
        }
    }

    fn bodies_pass(&self) {
        let token = &self.reader.1;
        let head = format!("Host: shop.example\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n");
        let sent = self
            .passes(&self.says(&format!("POST /contacts HTTP/1.1\r\n{head}Content-Length: 5\r\n\r\nhello")));
        assert!(sent.0.starts_with("POST /contacts "), "{sent:?}");
        assert_eq!(sent.all("content-length"), ["5"]);
        let chunked = format!(
            "PUT /contacts HTTP/1.1\r\n{head}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
        );
        assert!(self.passes(&self.says(&chunked)).0.starts_with("PUT /contacts "));
        let longer = format!("GET /contacts HTTP/1.1\r\n{head}X-Padding: {}\r\n\r\n", "x".repeat(6_000));
        self.passes(&self.says(&longer));
    }
}

impl Running {
    /// Waits until it takes connections; false when it has ended instead.
    fn listens_at(&mut self, address: SocketAddr) -> bool {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if TcpStream::connect(address).is_ok() {
                return true;
            }
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
        false
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }
}

/// What the server behind was sent.
#[derive(Debug)]
struct Sent(String);

impl Sent {
    /// The values of a header in any spelling a server may take for it.
    fn all(&self, name: &str) -> Vec<&str> {
        let same = |known: &str| known.to_ascii_lowercase().replace(['_', '.'], "-") == name;
        let lines = self.0.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines.filter(|(known, _)| same(known)).map(|(_, value)| value.trim()).collect()
    }
}
