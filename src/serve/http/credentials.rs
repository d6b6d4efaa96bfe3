//! What a program posts to an OAuth endpoint: the fields of its form, and who it says it is (RFC 6749 §2.3.1). By
//! HTTP Basic or in the form, never by both and never in the address, where logs would keep it.

use base64ct::{Base64, Encoding as _};
use hyper::header::{AUTHORIZATION, HeaderMap};
use hyper::http::request::Parts;
use zeroize::Zeroizing;

/// Why a form, or the credentials in it, cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// The request is not as it must be.
    Request(&'static str),
    /// There are no credentials, or none of a kind that is taken.
    Client,
}

/// The fields of a form, each at most once.
pub struct Fields(Vec<(String, Zeroizing<String>)>);

/// Fields a form may have; more are not needed for anything.
const FIELDS: usize = 32;

impl Fields {
    /// Reads a form. A field without a value counts as not there (RFC 6749 §3.1).
    pub fn read(body: &[u8]) -> Result<Self, Unread> {
        let mut fields: Vec<(String, Zeroizing<String>)> = Vec::new();
        for (name, value) in form_urlencoded::parse(body) {
            if fields.iter().any(|(known, _)| *known == name) {
                return Err(Unread::Request("A parameter is there twice."));
            }
            if fields.len() == FIELDS {
                return Err(Unread::Request("There are too many parameters."));
            }
            fields.push((name.into_owned(), Zeroizing::new(value.into_owned())));
        }
        Ok(Self(fields))
    }

    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(known, _)| known == name)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }
}

/// Who asks, and their proof.
pub struct Credentials {
    /// The application id, as it was given.
    pub id: String,
    /// The secret.
    pub secret: Zeroizing<String>,
}

impl Credentials {
    /// Reads them from where they are.
    pub fn read(head: &Parts, fields: &Fields) -> Result<Self, Unread> {
        if head.uri.query().is_some_and(|query| !query.is_empty()) {
            return Err(Unread::Request("Parameters belong into the body, not into the address."));
        }
        let (id, secret) = (fields.get("client_id"), fields.get("client_secret"));
        let Some(basic) = of_basic(&head.headers)? else {
            let (Some(id), Some(secret)) = (id, secret) else { return Err(Unread::Client) };
            return Ok(Self { id: id.to_owned(), secret: Zeroizing::new(secret.to_owned()) });
        };
        if secret.is_some() || id.is_some_and(|id| id != basic.id) {
            return Err(Unread::Request("The client names itself twice. Use the header or the body."));
        }
        Ok(basic)
    }
}

/// `Authorization: Basic`, with id and secret each form-encoded before they were joined.
fn of_basic(headers: &HeaderMap) -> Result<Option<Credentials>, Unread> {
    let mut lines = headers.get_all(AUTHORIZATION).iter();
    let Some(line) = lines.next() else { return Ok(None) };
    if lines.next().is_some() {
        return Err(Unread::Request("There are two Authorization headers."));
    }
    let (scheme, rest) = line.to_str().ok().and_then(|line| line.split_once(' ')).ok_or(Unread::Client)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(Unread::Client);
    }
    let pair = Zeroizing::new(Base64::decode_vec(rest.trim_matches(' ')).map_err(|_| Unread::Client)?);
    let (id, secret) =
        str::from_utf8(&pair).ok().and_then(|pair| pair.split_once(':')).ok_or(Unread::Client)?;
    let id = decoded(id).ok_or(Unread::Client)?;
    let secret = Zeroizing::new(decoded(secret).ok_or(Unread::Client)?);
    Ok(Some(Credentials { id, secret }))
}

/// One form-encoded text.
fn decoded(text: &str) -> Option<String> {
    if text.contains(['&', '=']) {
        return None;
    }
    form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned())
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    const APP: &str = "app_7HqP2mVx9KtR";

    fn read(target: &str, lines: &[&str], body: &str) -> Result<(String, String), Unread> {
        let mut request = Request::builder().uri(target);
        for line in lines {
            request = request.header(AUTHORIZATION, *line);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        let fields = Fields::read(body.as_bytes())?;
        let found = Credentials::read(&head, &fields)?;
        Ok((found.id, found.secret.to_string()))
    }

    fn basic(pair: &str) -> String {
        format!("Basic {}", Base64::encode_string(pair.as_bytes()))
    }

    #[test]
    fn the_header_or_the_body_and_each_in_its_encoding() {
        let found = Ok((APP.to_owned(), "kdas_x".to_owned()));
        let pair = basic(&format!("{APP}:kdas_x"));
        assert_eq!(read("/oauth/token", &[&pair], ""), found);
        assert_eq!(read("/oauth/token", &[&pair.replacen("Basic", "bASIC", 1)], ""), found);
        assert_eq!(read("/oauth/token?", &[&basic("app%5F7HqP2mVx9KtR:kdas%5fx")], ""), found);
        assert_eq!(read("/oauth/token", &[&pair], &format!("client_id={APP}&client_secret=")), found);
        assert_eq!(read("/", &[], &format!("client_id={APP}&client_secret=kdas%5Fx")), found);
        assert_eq!(read("/", &[&basic("a:b:c+d")], "").unwrap().1, "b:c d");
    }

    #[test]
    fn never_both_never_twice_never_in_the_address() {
        let pair = basic(&format!("{APP}:kdas_x"));
        let body = format!("client_id={APP}&client_secret=kdas_x");
        let bad = |target: &str, lines: &[&str], body: &str| {
            matches!(read(target, lines, body), Err(Unread::Request(_)))
        };
        assert!(bad("/", &[&pair], &body), "both");
        assert!(bad("/", &[&pair], "client_secret=kdas_x"), "two secrets");
        assert!(bad("/", &[&pair], "client_id=app_111111111111"), "two ids");
        assert!(bad("/", &[&pair, &pair], ""), "two headers");
        assert!(bad("/", &[], &format!("{body}&client_id={APP}")), "an id twice");
        assert!(bad("/", &[], &format!("{body}&x=1&x=1")), "anything twice");
        assert!(bad(&format!("/?{body}"), &[], ""), "in the address");
        assert!(bad("/?token=x", &[&pair], ""), "anything in the address");
        let crowd: Vec<_> = (0..40).map(|n| format!("a{n}=b")).collect();
        assert!(bad("/", &[], &crowd.join("&")), "a crowd");
    }

    #[test]
    fn nothing_readable_is_nobody() {
        let encoded = Base64::encode_string(b"app_x:y");
        for line in [
            "Basic".to_owned(),
            "Basic ".to_owned(),
            "Bearer x".to_owned(),
            format!("Basic{encoded}"),
            format!("Basic {}", encoded.trim_end_matches('=')),
            "Basic ****".to_owned(),
            basic("no colon"),
            basic("a&b:c"),
            basic("a=b:c"),
            basic("\u{0}"),
            format!("Basic {}", Base64::encode_string(b"a:\xff")),
        ] {
            assert_eq!(read("/", &[&line], ""), Err(Unread::Client), "{line}");
        }
        for body in
            ["", "client_id=x", "client_secret=x", "client_id=&client_secret=x", "client_id=x&client_secret="]
        {
            assert_eq!(read("/", &[], body), Err(Unread::Client), "{body}");
        }
    }
}
