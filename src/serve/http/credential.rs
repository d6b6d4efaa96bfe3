//! The credential of a request: one, from one place. Two are refused even when they are the same, because whoever
//! is asked next may pick the other one.

use super::lines::{Line, Lines};

const BEARER: &[u8] = b"bearer";

/// What a request presents.
#[derive(Debug, PartialEq, Eq)]
pub enum Presented<'r> {
    /// No credential of a kind that is taken here.
    Nothing,
    /// This text, not yet looked at: the engine knows what a token is.
    One(&'r [u8]),
    /// More than one.
    Several,
}

/// Reads `Authorization: Bearer` and `X-API-Key`, and nothing else: no query, no cookie, no form.
pub fn read<'r>(lines: &Lines<'r>) -> Presented<'r> {
    match (&lines.authorization, &lines.api_key) {
        (Line::None, Line::None) => Presented::Nothing,
        (Line::One(value), Line::None) => of_authorization(value),
        (Line::None, Line::One(value)) => Presented::One(value),
        _ => Presented::Several,
    }
}

/// The scheme by its name in any case, spaces (RFC 6750 §2.1: `1*SP`), and the rest as it is.
fn of_authorization(value: &[u8]) -> Presented<'_> {
    let (scheme, rest) = match value.iter().position(|byte| *byte == b' ') {
        Some(at) => value.split_at(at),
        None => (value, &[][..]),
    };
    if scheme.eq_ignore_ascii_case(BEARER) {
        let token = rest.iter().position(|byte| *byte != b' ').and_then(|at| rest.get(at..));
        Presented::One(token.unwrap_or_default())
    } else {
        Presented::Nothing
    }
}

#[cfg(test)]
mod tests {
    use hyper::HeaderMap;

    use super::*;

    type Line = (&'static str, &'static [u8]);

    fn headers(lines: &[Line]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in lines {
            map.append(*name, hyper::header::HeaderValue::from_bytes(value).unwrap());
        }
        map
    }

    #[test]
    fn one_credential_from_one_place() {
        let read = |lines| match read(&Lines::of(&headers(lines))) {
            Presented::Nothing => "nothing".to_owned(),
            Presented::Several => "several".to_owned(),
            Presented::One(bytes) => format!("one {}", String::from_utf8_lossy(bytes)),
        };
        let table: [(&[Line], &str); 17] = [
            (&[], "nothing"),
            (&[("authorization", b"Bearer t")], "one t"),
            (&[("authorization", b"bEARER t")], "one t"),
            (&[("x-api-key", b"t")], "one t"),
            (&[("authorization", b"Bearer")], "one "),
            (&[("authorization", b"Bearer  t")], "one t"),
            (&[("authorization", b"Bearer   t u")], "one t u"),
            (&[("authorization", b"Bearer \tt")], "one \tt"),
            (&[("authorization", b"Bearer a, Bearer b")], "one a, Bearer b"),
            (&[("x-api-key", b"")], "one "),
            (&[("authorization", b"Basic dTpw")], "nothing"),
            (&[("authorization", b"Bearert")], "nothing"),
            (&[("authorization", b"t")], "nothing"),
            (&[("authorization", b"Bearer t"), ("authorization", b"Bearer t")], "several"),
            (&[("x-api-key", b"t"), ("x-api-key", b"t")], "several"),
            (&[("authorization", b"Bearer t"), ("x-api-key", b"t")], "several"),
            (&[("authorization", b"Basic dTpw"), ("x-api-key", b"t")], "several"),
        ];
        for (lines, wanted) in table {
            assert_eq!(read(lines), wanted, "{lines:?}");
        }
        assert_eq!(read(&[("cookie", b"t"), ("proxy-authorization", b"Bearer t")]), "nothing");
    }
}
