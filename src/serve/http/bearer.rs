//! Who a request comes from, in headers for whoever answers it. All of them, always: a proxy that copies a header
//! which is missing here could leave in place what the client sent.

use std::sync::LazyLock;

use hyper::HeaderMap;
use hyper::body::Bytes;
use hyper::header::{CACHE_CONTROL, HeaderName, HeaderValue};

use super::reply::NO_STORE;
use crate::domain::{Key, KeyId, ScopeId, State};

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

/// The headers of an allowed request, or nothing for a key the state does not know.
pub fn headers(state: &State, id: KeyId) -> Option<HeaderMap> {
    let key = state.key(id)?;
    let mut values = Values::default();
    values.text(id.public().as_str());
    values.fixed(key.place.kind());
    values.name(key.name.as_str());
    values.name(state.operator(key.owner).map_or("", |owner| owner.name.as_str()));
    values.scopes(key);
    match key.place.location() {
        Some(location) => values.text(&location.to_string()),
        None => values.fixed(""),
    }
    Some(values.into_headers())
}

/// Values gathered into one buffer and cut out of it at the end: one piece of memory for all.
#[derive(Default)]
struct Values {
    buffer: Vec<u8>,
    cuts: Vec<Cut>,
}

enum Cut {
    Fixed(&'static str),
    Here(std::ops::Range<usize>),
}

impl Values {
    fn fixed(&mut self, text: &'static str) {
        self.cuts.push(Cut::Fixed(text));
    }

    fn text(&mut self, text: &str) {
        self.with(|buffer| buffer.extend_from_slice(text.as_bytes()));
    }

    fn name(&mut self, name: &str) {
        self.with(|buffer| encode(name, buffer));
    }

    fn scopes(&mut self, key: &Key) {
        self.with(|buffer| {
            for (n, scope) in key.scopes.iter().map(ScopeId::as_str).enumerate() {
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
        self.cuts.push(Cut::Here(start..self.buffer.len()));
    }

    fn into_headers(self) -> HeaderMap {
        let mut map = TEMPLATE.clone();
        let bytes = Bytes::from(self.buffer);
        for (value, cut) in map.values_mut().zip(self.cuts) {
            *value = match cut {
                Cut::Fixed(text) => HeaderValue::from_static(text),
                Cut::Here(range) => HeaderValue::from_maybe_shared(bytes.slice(range)).unwrap_or(EMPTY),
            };
        }
        map
    }
}

/// Letters, digits, space and `-._~` as they are, every other byte of the UTF-8 text as `%` and two digits: what any
/// percent-decoder undoes, and what no header, log or list can misread.
fn encode(name: &str, into: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b" -._~".contains(&byte) {
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
