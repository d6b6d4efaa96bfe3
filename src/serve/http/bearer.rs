//! Who a request comes from, in headers for whoever answers it. All of them, always: a proxy that copies a header
//! which is missing here could leave in place what the client sent.

use std::cell::RefCell;
use std::sync::LazyLock;

use bytes::{BufMut as _, BytesMut};
use hyper::HeaderMap;
use hyper::header::{CACHE_CONTROL, HeaderName, HeaderValue};

use super::reply::NO_STORE;
use crate::domain::{PublicId, ScopeId};
use crate::engine::Caller;

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

/// Where values are written, one request after another: a piece of memory for each would cost more than writing them.
/// As large as what is on its way to some dozens of callers.
const BLOCK_BYTES: usize = 16 * 1024;

thread_local! {
    static BLOCK: RefCell<BytesMut> = RefCell::new(BytesMut::with_capacity(BLOCK_BYTES));
}

/// The headers of an allowed request.
pub fn headers(caller: &Caller<'_>) -> HeaderMap {
    BLOCK.with_borrow_mut(|block| {
        let mut values = Values::on(block);
        values.text(caller.key.as_ref().map_or("", PublicId::as_str));
        values.fixed(caller.kind);
        values.name(caller.name());
        values.name(caller.owner);
        values.scopes(caller.scopes);
        match caller.location {
            Some(location) => values.text(&location.to_string()),
            None => values.fixed(""),
        }
        if let Some((app, source, user_type)) = caller.app {
            values.text(&app.to_string());
            values.fixed(source.code());
            values.fixed(user_type.code());
        }
        values.into_headers()
    })
}

/// Values in the order of [`NAMES`], those at the end left empty, written one after another and cut apart at the end.
struct Values<'b> {
    block: &'b mut BytesMut,
    cuts: [Cut; NAMES.len()],
    next: usize,
}

#[derive(Clone, Copy)]
enum Cut {
    Fixed(&'static str),
    /// So many bytes of the block.
    Next(usize),
}

impl<'b> Values<'b> {
    fn on(block: &'b mut BytesMut) -> Self {
        // Whatever an earlier request left by breaking off must not be read as this one's.
        block.clear();
        Self { block, cuts: [Cut::Fixed(""); NAMES.len()], next: 0 }
    }

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
        self.block.extend_from_slice(text.as_bytes());
        self.cut(Cut::Next(text.len()));
    }

    fn name(&mut self, name: &str) {
        let start = self.block.len();
        encode(name, self.block);
        self.cut(Cut::Next(self.block.len() - start));
    }

    fn scopes(&mut self, scopes: &[ScopeId]) {
        let start = self.block.len();
        for (n, scope) in scopes.iter().enumerate() {
            if n > 0 {
                self.block.put_u8(b' ');
            }
            self.block.extend_from_slice(scope.as_str().as_bytes());
        }
        self.cut(Cut::Next(self.block.len() - start));
    }

    fn into_headers(self) -> HeaderMap {
        let mut map = TEMPLATE.clone();
        let mut bytes = self.block.split().freeze();
        for (value, cut) in map.values_mut().zip(self.cuts) {
            *value = match cut {
                Cut::Fixed("") | Cut::Next(0) => continue,
                Cut::Fixed(text) => HeaderValue::from_static(text),
                Cut::Next(length) => HeaderValue::from_maybe_shared(bytes.split_to(length)).unwrap_or(EMPTY),
            };
        }
        map
    }
}

/// Letters, digits, space and `-._~` as they are, every other byte of the UTF-8 text as `%` and two digits: what any
/// percent-decoder undoes, and what no header, log or list can misread.
fn encode(name: &str, into: &mut BytesMut) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b" -._~".contains(&byte);
    if name.bytes().all(is_plain) {
        return into.extend_from_slice(name.as_bytes());
    }
    for byte in name.bytes() {
        if is_plain(byte) {
            into.put_u8(byte);
        } else {
            let digit = |half: u8| DIGITS.get(usize::from(half)).copied().unwrap_or(b'0');
            into.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 15)]);
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
            let mut bytes = BytesMut::new();
            encode(name, &mut bytes);
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b" -._~%".contains(&b)), "{text}");
            let back: Vec<(String, String)> = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
            assert_eq!(back[0].0, name);
        }
    }
}
