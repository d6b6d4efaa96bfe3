//! The headers that matter, found in one walk: a look-up of each by name would cost more than the decision.

use hyper::HeaderMap;
use hyper::header::HeaderValue;

use super::path;

/// What `/verify` reads of a request's headers.
#[derive(Default)]
pub struct Lines<'r> {
    /// `Authorization`.
    pub authorization: Line<'r>,
    /// `X-API-Key`.
    pub api_key: Line<'r>,
    /// `Keydeck-Require-Scope`: scopes by header, for proxies that cannot put them into the address they ask.
    pub require: Vec<&'r HeaderValue>,
    /// Another header that begins with `Keydeck`: a misspelt question, or a caller who says who they are.
    pub is_odd: bool,
    /// The proxy tells the caller's path, by `X-Original-URI` or `X-Forwarded-Uri`, and it reads in two ways.
    pub is_ambiguous: bool,
    /// `X-Forwarded-For`: the last one.
    pub forwarded_for: Option<&'r HeaderValue>,
    /// `X-Real-IP`.
    pub real_ip: Option<&'r HeaderValue>,
    /// `User-Agent`.
    pub agent: Option<&'r HeaderValue>,
}

/// A header that must come once.
#[derive(Default)]
pub enum Line<'r> {
    /// It did not come.
    #[default]
    None,
    /// It came once.
    One(&'r [u8]),
    /// It came again.
    Several,
}

impl<'r> Line<'r> {
    fn add(&mut self, value: &'r HeaderValue) {
        *self = match self {
            Self::None => Self::One(value.as_bytes()),
            Self::One(_) | Self::Several => Self::Several,
        };
    }
}

impl<'r> Lines<'r> {
    /// Walks through `headers`; names come in small letters.
    pub fn of(headers: &'r HeaderMap) -> Self {
        let mut lines = Self::default();
        for (name, value) in headers {
            match name.as_str() {
                "authorization" => lines.authorization.add(value),
                "x-api-key" => lines.api_key.add(value),
                "keydeck-require-scope" => lines.require.push(value),
                "x-original-uri" | "x-forwarded-uri" => {
                    lines.is_ambiguous |= !path::is_plain(value.as_bytes());
                }
                "x-forwarded-for" => lines.forwarded_for = Some(value),
                "x-real-ip" => lines.real_ip = Some(value),
                "user-agent" => lines.agent = Some(value),
                odd => lines.is_odd |= odd.starts_with("keydeck"),
            }
        }
        lines
    }
}
