//! Who a request comes from, in headers for whoever answers it. All of them, always: a proxy that copies a header
//! which is missing here could leave in place what the client sent.

use std::sync::LazyLock;

use hyper::HeaderMap;
use hyper::body::Bytes;
use hyper::header::{CACHE_CONTROL, HeaderName, HeaderValue};

use super::reply::NO_STORE;
use crate::domain::{App, Bearer, Key, OperatorId, Place, ScopeId, State};

/// The headers, in the order they are sent.
pub const NAMES: [&str; 9] = [
    "keydeck-key-id",
    "keydeck-kind",
    "keydeck-name",
    "keydeck-owner",
    "keydeck-scopes",
    "keydeck-location",
    "keydeck-app",
    "keydeck-source-app",
    "keydeck-user-type",
];

const EMPTY: HeaderValue = HeaderValue::from_static("");

/// All headers, empty. Cloning it and filling in the values costs a fraction of building the map.
static TEMPLATE: LazyLock<HeaderMap> = LazyLock::new(|| {
    let mut map = HeaderMap::with_capacity(NAMES.len() + 1);
    for name in NAMES {
        map.insert(HeaderName::from_static(name), EMPTY);
    }
    map.insert(CACHE_CONTROL, NO_STORE);
    map
});

/// The headers of an allowed request that needed `wanted`, or nothing for a bearer the state does not know.
pub fn headers(state: &State, bearer: Bearer, wanted: &[ScopeId]) -> Option<HeaderMap> {
    match bearer {
        Bearer::Key(id) => of_key(state, state.key(id)?),
        Bearer::App(id) => Some(of_app(state, state.app(id)?, wanted)),
    }
}

fn of_key(state: &State, key: &Key) -> Option<HeaderMap> {
    let mut values = Values::default();
    values.text(key.id.public().as_str());
    values.fixed(key.place.kind());
    values.name(key.name.as_str());
    values.owner(state, key.owner);
    values.scopes(key.scopes.iter());
    match key.place {
        Place::Agency => {}
        Place::Location(location) => values.text(&location.to_string()),
        Place::App(app) => {
            values.fixed("");
            values.app(state.app(app)?);
        }
    }
    Some(values.into_headers())
}

/// An app with an access token. The token may hold less than the app, so it is named with what was asked and found.
fn of_app(state: &State, app: &App, wanted: &[ScopeId]) -> HeaderMap {
    let mut values = Values::default();
    values.fixed("");
    values.fixed("app");
    values.name(app.name.as_str());
    values.owner(state, app.owner);
    values.scopes(wanted.iter());
    values.fixed("");
    values.app(app);
    values.into_headers()
}

/// Values in the order of [`NAMES`], those at the end left empty, gathered into one buffer and cut out of it at the
/// end: one piece of memory for all.
struct Values {
    buffer: Vec<u8>,
    cuts: [Cut; NAMES.len()],
    next: usize,
}

#[derive(Clone, Copy)]
enum Cut {
    Fixed(&'static str),
    Here { start: usize, end: usize },
}

/// Most keys' values fit, so that the buffer seldom grows.
const ROOM: usize = 256;

impl Default for Values {
    fn default() -> Self {
        Self { buffer: Vec::with_capacity(ROOM), cuts: [Cut::Fixed(""); NAMES.len()], next: 0 }
    }
}

impl Values {
    fn fixed(&mut self, text: &'static str) {
        self.cut(Cut::Fixed(text));
    }

    fn cut(&mut self, cut: Cut) {
        if let Some(place) = self.cuts.get_mut(self.next) {
            *place = cut;
        }
        self.next += 1;
    }

    fn text(&mut self, text: &str) {
        self.with(|buffer| buffer.extend_from_slice(text.as_bytes()));
    }

    fn name(&mut self, name: &str) {
        self.with(|buffer| encode(name, buffer));
    }

    fn owner(&mut self, state: &State, owner: OperatorId) {
        self.name(state.operator(owner).map_or("", |owner| owner.name.as_str()));
    }

    fn app(&mut self, app: &App) {
        self.text(&app.id.to_string());
        self.fixed(app.profile.source.code());
        self.fixed(app.profile.user_type.code());
    }

    fn scopes<'s>(&mut self, scopes: impl Iterator<Item = &'s ScopeId>) {
        self.with(|buffer| {
            for (n, scope) in scopes.map(ScopeId::as_str).enumerate() {
                if n > 0 {
                    buffer.push(b' ');
                }
                buffer.extend_from_slice(scope.as_bytes());
            }
        });
    }

    fn with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.buffer.len();
        write(&mut self.buffer);
        self.cut(Cut::Here { start, end: self.buffer.len() });
    }

    fn into_headers(self) -> HeaderMap {
        let mut map = TEMPLATE.clone();
        let bytes = Bytes::from(self.buffer);
        for (value, cut) in map.values_mut().zip(self.cuts) {
            *value = match cut {
                Cut::Fixed("") => continue,
                Cut::Fixed(text) => HeaderValue::from_static(text),
                Cut::Here { start, end } => {
                    HeaderValue::from_maybe_shared(bytes.slice(start..end)).unwrap_or(EMPTY)
                }
            };
        }
        map
    }
}

/// Letters, digits, space and `-._~` as they are, every other byte of the UTF-8 text as `%` and two digits: what any
/// percent-decoder undoes, and what no header, log or list can misread.
fn encode(name: &str, into: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b" -._~".contains(&byte);
    if name.bytes().all(is_plain) {
        return into.extend_from_slice(name.as_bytes());
    }
    for byte in name.bytes() {
        if is_plain(byte) {
            into.push(byte);
        } else {
            let digit = |half: u8| DIGITS.get(usize::from(half)).copied().unwrap_or(b'0');
            into.extend([b'%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_keeps_the_order_of_the_names() {
        let names: Vec<_> = TEMPLATE.keys().map(HeaderName::as_str).collect();
        assert_eq!(names[..9], NAMES);
        assert_eq!(names[9..], ["cache-control"]);
    }

    #[test]
    fn a_name_comes_back_whole_from_any_percent_decoder() {
        for name in ["Nightly export 2.0_b-~", "Müller & Söhne, 100 % (\"neu\")", "日本 🦊", "=cmd()\\;:\r\n"]
        {
            let mut bytes = Vec::new();
            encode(name, &mut bytes);
            let text = String::from_utf8(bytes).unwrap();
            assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b" -._~%".contains(&b)), "{text}");
            let back: Vec<(String, String)> = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
            assert_eq!(back[0].0, name);
        }
    }
}
