//! What a caller may try to get by a proxy with a good key that lacks the scope: paths that read in two ways, headers
//! that say who asks, headers that tell the proxy to drop others.

use std::fmt;

use super::street::{Sent, Street};
use super::upstream::Kind;

/// How much was tried.
pub struct Tried {
    paths: usize,
    headers: usize,
    hops: usize,
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (paths, kinds) = (self.paths, Kind::ALL.len());
        let Self { headers, hops, .. } = self;
        write!(
            f,
            "{paths} paths before {kinds} kinds of server, {headers} spellings of headers, {hops} lists of hops"
        )
    }
}

/// Tries all of it.
pub fn all(street: &Street) -> Tried {
    let tried = Tried { paths: paths(street), headers: headers(street), hops: hops(street) };
    assert!(tried.paths >= 60 && tried.headers >= 90, "{tried}");
    tried
}

const NAMES: [&str; 9] =
    ["Key-Id", "Kind", "Name", "Owner", "Scopes", "Location", "App", "Source-App", "User-Type"];

/// What some server takes for `/contacts`, or for its parent, or cuts off.
const HOSTILE: [&str; 78] = [
    "/a/../contacts",
    "/./contacts",
    "/a/./../contacts",
    "/..",
    "/.",
    "/../contacts",
    "/a/../../contacts",
    "//contacts",
    "///contacts",
    "/a//../contacts",
    "/a/..//contacts",
    "/%2e/contacts",
    "/%2e%2e/contacts",
    "/a/%2E%2e/contacts",
    "/a/.%2e/contacts",
    "/a/%2e./contacts",
    "/%2fcontacts",
    "/%2Fcontacts",
    "/a%2f..%2fcontacts",
    "/x%2f..%2fcontacts",
    "/a/..%2fcontacts",
    "/a/%2e%2e%2fcontacts",
    "/.%2fcontacts",
    "/%2f%2fcontacts",
    "/%5ccontacts",
    "/%5Ccontacts",
    "/a%5c..%5ccontacts",
    "/a/..%5ccontacts",
    "/\\contacts",
    "/a\\..\\contacts",
    "/a/..\\contacts",
    "\\contacts",
    "/.\\contacts",
    "/;/contacts",
    "/;x=y/contacts",
    "/.;/contacts",
    "/.;x=y/contacts",
    "/x/..;/contacts",
    "/x/..;a=b/contacts",
    "/;a/;b/contacts",
    "/%3b/contacts",
    "/x/..%3b/contacts",
    "/x/..%3B/contacts",
    "/.%3b/contacts",
    "/x/%2e%2e;/contacts",
    "/x/..;%2fcontacts",
    "/%63ontacts",
    "/%43ontacts",
    "/c%6fntacts",
    "/contact%73",
    "/%63%6f%6e%74%61%63%74%73",
    "/con%74acts/7",
    "/%252fcontacts",
    "/%252e%252e/contacts",
    "/x/%252e%252e/contacts",
    "/x%252f..%252fcontacts",
    "/%2563ontacts",
    "/x/..%253b/contacts",
    "/%255ccontacts",
    "/%00/../contacts",
    "/%00contacts",
    "/a%00/../contacts",
    "/%0a/contacts",
    "/%09/../contacts",
    "/%7f/../contacts",
    "/%c0%ae%c0%ae/contacts",
    "/%c0%afcontacts",
    "/x/%c0%ae./contacts",
    "/%e0%80%afcontacts",
    "/%u002fcontacts",
    "/x/%u002e%u002e/contacts",
    "/%/../contacts",
    "/%zz/../contacts",
    "/a#/../../contacts",
    "/a/../contacts?x=y",
    "/a/..?/contacts",
    "http://shop.example/a/../contacts",
    "http://shop.example//contacts",
];

/// What means one thing everywhere, and must arrive as it was sent.
const PLAIN: [&str; 9] = [
    "/",
    "/a/b/",
    "/?next=//x/../%2e%2e/y",
    "/a..b/.c/d.",
    "/a-b_c~d%20e",
    "/M%C3%BCller/%E6%97%A5",
    "/a@b:c,d+e=f&g!$'()*",
    "/100%25",
    "/calendars?scope=x&scopes=y&profile=z&a[]=b",
];

fn paths(street: &Street) -> usize {
    let token = &street.other.1;
    for path in HOSTILE {
        if let Some(sent) = street.stops_or_passes(|| street.with(path, token)) {
            for kind in Kind::ALL {
                assert!(!kind.serves_contacts(sent.target()), "{path} as {kind:?}: {sent:?}");
            }
        }
        // Whatever the caller says of its path besides.
        for name in
            ["X-Original-URI", "X-Forwarded-Uri", "X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Prefix"]
        {
            let lines = format!("{name}: /\r\nAuthorization: Bearer {token}\r\n");
            if let Some(sent) = street.stops_or_passes(|| street.ask(path, &lines)) {
                assert!(
                    !Kind::ALL.iter().any(|kind| kind.serves_contacts(sent.target())),
                    "{path}: {sent:?}"
                );
            }
        }
    }
    for path in PLAIN {
        let sent = street.passes(&street.with(path, token));
        assert_eq!(sent.target(), path);
    }
    HOSTILE.len()
}

fn spellings() -> Vec<String> {
    let mut all = Vec::new();
    for joint in ["-", "_", "."] {
        for case in [str::to_owned, str::to_uppercase, str::to_lowercase] as [fn(&str) -> String; 3] {
            all.extend(NAMES.map(|name| case(&format!("Keydeck-{name}")).replace('-', joint)));
        }
    }
    all.extend(
        [
            "Keydeck_Key-Id",
            "Keydeck-Key_Id",
            "Keydeck.Key-Id",
            "Keydeck-Key.Id",
            "Keydeck_User.Type",
            "kEYDECK-oWNER",
            "Keydeck--Owner",
            "Keydeck__Owner",
            "Keydeck~Owner",
            "Keydeck+Owner",
            "Keydeck!Owner",
            "Keydeck Owner",
            "Keydeck-Owner ",
            " Keydeck-Owner",
            "\tKeydeck-Owner",
            "Keydeck-Owner\t",
            "KeydeckOwner",
            "Keydeck-Owner\0",
        ]
        .map(str::to_owned),
    );
    all
}

/// Who asks is keydeck's to say, in any spelling.
fn headers(street: &Street) -> usize {
    let token = &street.other.1;
    let spellings = spellings();
    for name in &spellings {
        let lies = format!(
            "X-First: 1\r\n{name}: mallory\r\n{name}: admin mallory\r\nAuthorization: Bearer {token}\r\n"
        );
        if let Some(sent) = street.stops_or_passes(|| street.ask("/", &lies)) {
            believes_only_keydeck(street, &sent);
        }
    }
    // All at once, and a question of the caller's own.
    let lies = NAMES.map(|name| format!("Keydeck-{name}: mallory\r\n")).concat();
    for question in [
        "Keydeck-Require-Scope:\r\n",
        "Keydeck-Require-Scope: calendars.read\r\n",
        "Keydeck-Require-Scope: any\r\n",
        &lies,
    ] {
        let lines = format!("{question}Authorization: Bearer {token}\r\n");
        street.stops(&[400, 403], || street.ask("/contacts", &lines));
        if let Some(sent) = street.stops_or_passes(|| street.ask("/", &lines)) {
            believes_only_keydeck(street, &sent);
            assert!(sent.all("keydeck-require-scope").is_empty(), "{sent:?}");
        }
    }
    spellings.len()
}

fn believes_only_keydeck(street: &Street, sent: &Sent) {
    let (id, location) = (street.other.0.to_string(), street.location.to_string());
    // Folded into a line before it, it is that line's.
    let lies = |line: &&str| line.contains("mallory") && !line.to_ascii_lowercase().starts_with("x-first:");
    assert_eq!(sent.0.lines().find(lies), None, "{sent:?}");
    for (name, value) in [
        ("keydeck-key-id", id.as_str()),
        ("keydeck-kind", "location"),
        ("keydeck-owner", "maria"),
        ("keydeck-location", &location),
    ] {
        assert_eq!(sent.all(name), [value], "{name}: {sent:?}");
    }
    for none in ["keydeck-app", "keydeck-source-app", "keydeck-user-type"] {
        assert!(sent.all(none).iter().all(|value| value.is_empty()), "{none}: {sent:?}");
    }
}

/// What `Connection` names is for the next hop alone, and dropped there: not so what keydeck says, nor what it is asked.
fn hops(street: &Street) -> usize {
    let token = &street.other.1;
    let every = NAMES.map(|name| format!("Keydeck-{name}")).join(", ");
    let mut lists: Vec<String> = NAMES.map(|name| format!("close, Keydeck-{name}")).into();
    lists.extend(
        [
            "close, Keydeck-Location, Keydeck-Kind",
            "Keydeck-Location, Keydeck-Kind",
            "keep-alive, keydeck-location\r\nConnection: KEYDECK-KIND, close",
            "close, Authorization, X-API-Key",
            "close, X-Forwarded-For, X-Real-IP, Host",
            "close, X-Forwarded-Uri, X-Original-URI, X-Forwarded-Method",
            "close, Keydeck-Require-Scope",
            "Keydeck-Kind, upgrade\r\nUpgrade: h2c",
        ]
        .map(str::to_owned),
    );
    lists.push(format!("close, {every}"));
    lists.push(every.to_lowercase());
    let ask = |list: &str, target: &str| {
        street.says(format!(
            "GET {target} HTTP/1.1\r\nHost: shop.example\r\nConnection: {list}\r\nAuthorization: Bearer {token}\r\n\r\n"
        ))
    };
    for list in &lists {
        if let Some(sent) = street.stops_or_passes(|| ask(list, "/")) {
            believes_only_keydeck(street, &sent);
            // A proxy behind this one would do what it says.
            let left = sent.all("connection").join(",").to_lowercase();
            assert!(!left.contains("keydeck") && !left.contains("h2c"), "{list}: {sent:?}");
        }
        street.stops(&[400, 401, 403], || ask(list, "/contacts"));
        street.stops(&[400, 401, 403, 404], || ask(list, "/;/contacts"));
    }
    lists.len()
}
