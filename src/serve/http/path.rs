//! Whether a path can be read in one way only. A proxy chooses the scope by its reading of the path and the server behind
//! serves by its own; where the two could differ, nobody passes. Plain is what RFC 3986 §3.3 allows, less what one
//! server resolves and another does not.

use percent_encoding::percent_decode;

/// Signs of a segment that mean themselves everywhere: `pchar` without `;`, behind which some servers see parameters.
const SIGNS: &[u8] = b"-._~!$&'()*+,=:@";

/// Whether `uri`, a path and maybe a query, has a path in normal form: it starts with `/`, no segment is empty but the
/// last, none is `.` or `..`, and nothing is encoded that need not be or that a decoder would take for more than a sign.
pub fn is_plain(uri: &[u8]) -> bool {
    let path = uri.split(|byte| *byte == b'?').next().unwrap_or_default();
    let Some(path) = path.strip_prefix(b"/") else { return false };
    let mut segments = path.split(|byte| *byte == b'/').peekable();
    while let Some(segment) = segments.next() {
        let is_named = !segment.is_empty() || segments.peek().is_none();
        if !is_named || segment == b"." || segment == b".." || !is_segment(segment) {
            return false;
        }
    }
    // An overlong `/` or `.` is none in UTF-8, and one to a careless decoder.
    !path.contains(&b'%') || percent_decode(path).decode_utf8().is_ok()
}

fn is_segment(mut rest: &[u8]) -> bool {
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte == b'%' {
            let Some(encoded) = hex(rest) else { return false };
            rest = rest.get(2..).unwrap_or_default();
            if !may_be_encoded(encoded, rest) {
                return false;
            }
        } else if !byte.is_ascii_alphanumeric() && !SIGNS.contains(byte) {
            return false;
        }
    }
    true
}

/// Whether `byte` encoded is still one thing to a server that decodes and to one that does not.
fn may_be_encoded(byte: u8, rest: &[u8]) -> bool {
    match byte {
        b'/' | b'\\' | b';' | b'-' | b'.' | b'_' | b'~' => false,
        // Decoded twice it would be something else.
        b'%' => hex(rest).is_none(),
        _ => !byte.is_ascii_alphanumeric() && !byte.is_ascii_control(),
    }
}

/// What the next two hex digits say.
fn hex(text: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*text.get(at)?).to_digit(16);
    u8::try_from(digit(0)? << 4 | digit(1)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_in_one_way_is_plain() {
        for uri in [
            "/",
            "/contacts",
            "/contacts/",
            "/contacts/7?x=//../%2e%2e;\\",
            "/a..b/.c/d./...",
            "/a-b_c~d%20e/(f)'g'!*,=:@$&+",
            "/M%C3%BCller/%E6%97%A5/%f0%9f%a6%8a",
            "/100%25/100%25g",
            "/what%3F/%23/%3A%7B%7D%5B",
        ] {
            assert!(is_plain(uri.as_bytes()), "{uri}");
        }
    }

    #[test]
    fn what_reads_in_two_ways_is_not() {
        for uri in [
            "",
            "*",
            "contacts",
            "?x",
            "http://shop/contacts",
            "//",
            "//contacts",
            "/a//b",
            "/.",
            "/..",
            "/./a",
            "/a/..",
            "/a/../b",
            "/..?x",
            "/;/contacts",
            "/;",
            "/a;x=1/b",
            "/x/..;/contacts",
            "/.;/contacts",
            "/%3b/contacts",
            "/x/..%3B/contacts",
            "/%63ontacts",
            "/contact%73",
            "/%31",
            "/%2d",
            "/%2e",
            "/a%2E%2e/b",
            "/%5f",
            "/%7E",
            "/%2fcontacts",
            "/x%2F..%2Fcontacts",
            "/%5ccontacts",
            "/\\contacts",
            "/contacts%00",
            "/%0d%0a",
            "/%7f",
            "/%252e%252e/a",
            "/%252fcontacts",
            "/%25%32%66",
            "/%",
            "/%2",
            "/%zz",
            "/%u002e",
            "/%c0%ae",
            "/%c0%af",
            "/%e0%80%af",
            "/%ff",
            "/a b",
            "/a#b",
            "/a|b",
            "/{a}",
            "/m\u{fc}ller",
            "/a\"b",
            "/a<b",
            "/a^b",
            "/a`b",
        ] {
            assert!(!is_plain(uri.as_bytes()), "{uri}");
        }
        for byte in (0..=b' ').chain(0x7f..=0xff) {
            assert!(!is_plain(&[b'/', byte]), "{byte:#x}");
        }
    }
}
