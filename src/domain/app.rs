//! Apps: integrations that call the platform with an application id and a secret, and either keys of their own or
//! short-lived access tokens. What an app tells about itself travels with each verification, so that what lies
//! behind can mark its records.

mod secret;
mod terms;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use fluent_uri::Uri;
use minicbor::{Decode, Decoder, Encode, Encoder};

pub use self::secret::{Previous, Replaced, Secret};
pub use self::terms::{Terms, TokenAlg, concerns};
use super::catalog::AuthMethod;
use super::handover::Handed;
use super::invisible::is_invisible;
use super::key::{Audience, Verifier};
use super::signing::PartyName;
use super::{AppId, Lockdown, Name, Note, OperatorId, Scopes, Timestamp};

/// The longest address, in bytes.
pub const URL_MAX: usize = 2_048;
/// Addresses one list of an app may hold.
pub const URLS_MAX: usize = 10;
/// Keys of one app that may be live at once: deleting the app revokes them all in one commit.
pub const KEYS_PER_APP: usize = 32;

/// A web address, kept byte for byte as it was given and never fetched: `https`, or `http` on this machine.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Url(Arc<str>);

/// Why a text is no address an app may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    /// Nothing.
    #[error("an address is needed, such as https://example.com/callback")]
    Empty,
    /// More than [`URL_MAX`] bytes.
    #[error("longer than {URL_MAX} bytes")]
    TooLong,
    /// Not an absolute address as RFC 3986 has them.
    #[error(
        "not a complete address; write it like https://example.com/callback, other characters percent-encoded"
    )]
    NotAnAddress,
    /// Neither `https` nor `http` on this machine.
    #[error("only https is safe; http is for localhost, 127.0.0.1 and [::1]")]
    Insecure,
    /// A name or password before the host.
    #[error("no user name or password may stand in it")]
    UserInfo,
    /// A `#…` at the end.
    #[error("no # part may stand in it")]
    Fragment,
    /// No host.
    #[error("it names no host")]
    NoHost,
}

impl Url {
    /// Checks; see the type.
    pub fn new(text: &str) -> Result<Self, BadUrl> {
        if text.is_empty() {
            return Err(BadUrl::Empty);
        }
        if text.len() > URL_MAX {
            return Err(BadUrl::TooLong);
        }
        if text.chars().any(|c| is_invisible(c) || !c.is_ascii()) {
            return Err(BadUrl::NotAnAddress);
        }
        let uri = Uri::parse(text).map_err(|_| BadUrl::NotAnAddress)?;
        let authority = uri.authority().ok_or(BadUrl::NotAnAddress)?;
        if authority.has_userinfo() {
            return Err(BadUrl::UserInfo);
        }
        if uri.has_fragment() {
            return Err(BadUrl::Fragment);
        }
        let host = authority.host();
        if host.is_empty() {
            return Err(BadUrl::NoHost);
        }
        let here = ["localhost", "127.0.0.1", "[::1]"].iter().any(|name| host.eq_ignore_ascii_case(name));
        match uri.scheme().as_str() {
            scheme if scheme.eq_ignore_ascii_case("https") => {}
            scheme if scheme.eq_ignore_ascii_case("http") && here => {}
            _ => return Err(BadUrl::Insecure),
        }
        Ok(Self(text.into()))
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Url {
    type Err = BadUrl;

    fn from_str(text: &str) -> Result<Self, BadUrl> {
        Self::new(text)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<C> Encode<C> for Url {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.str(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Url {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::new(d.str()?).map_err(|_| minicbor::decode::Error::message("not an address"))
    }
}

/// Where the requests of an app come from: travels in `Keydeck-Source-App`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum SourceApp {
    /// A mobile app somebody else built for customers.
    #[n(0)]
    ExternalCma,
    /// A web store somebody else built.
    #[n(1)]
    ExternalWebstore,
    /// A program of the client's own.
    #[n(2)]
    ClientApp,
    /// A bot.
    #[n(3)]
    Bot,
}

impl SourceApp {
    /// All of them, in the order people see them.
    pub const ALL: [Self; 4] = [Self::ExternalCma, Self::ExternalWebstore, Self::ClientApp, Self::Bot];

    /// The word for scripts and headers.
    pub const fn code(self) -> &'static str {
        match self {
            Self::ExternalCma => "external_cma",
            Self::ExternalWebstore => "external_webstore",
            Self::ClientApp => "client_app",
            Self::Bot => "bot",
        }
    }

    /// What people call it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::ExternalCma => "External customer mobile app",
            Self::ExternalWebstore => "External web store",
            Self::ClientApp => "Client app",
            Self::Bot => "Bot",
        }
    }

    /// Reads [`SourceApp::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.code() == code)
    }
}

/// Who signs in to the platform through the app: travels in `Keydeck-User-Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum UserType {
    /// Guests.
    #[n(0)]
    Guest,
    /// Employees.
    #[n(1)]
    Employee,
    /// Both.
    #[n(2)]
    Both,
}

impl UserType {
    /// Of two check boxes; none of them is no answer.
    pub const fn of(guest: bool, employee: bool) -> Option<Self> {
        match (guest, employee) {
            (true, true) => Some(Self::Both),
            (true, false) => Some(Self::Guest),
            (false, true) => Some(Self::Employee),
            (false, false) => None,
        }
    }

    /// Whether guests are among them.
    pub const fn guest(self) -> bool {
        matches!(self, Self::Guest | Self::Both)
    }

    /// Whether employees are among them.
    pub const fn employee(self) -> bool {
        matches!(self, Self::Employee | Self::Both)
    }

    /// The words for scripts and headers, separated by a space.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::Employee => "employee",
            Self::Both => "guest employee",
        }
    }

    /// What people call it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Guest => "guests",
            Self::Employee => "employees",
            Self::Both => "guests and employees",
        }
    }
}

/// What an app tells about itself.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Profile {
    /// Where the app lives.
    #[n(0)]
    pub uri: Url,
    /// What it is for.
    #[n(1)]
    pub description: Note,
    /// Who signs in through it.
    #[n(2)]
    pub user_type: UserType,
    /// What kind of app it is.
    #[n(3)]
    pub source: SourceApp,
    /// Where a person may be sent after signing in.
    #[n(4)]
    pub post_login: Vec<Url>,
    /// Where a person may be sent after signing out.
    #[n(5)]
    pub post_logout: Vec<Url>,
}

/// What people did to an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum AppStatus {
    /// Works.
    #[n(0)]
    Active,
    /// Stopped for a while; can be resumed.
    #[n(1)]
    Paused(#[n(0)] Timestamp),
    /// Gone, and its keys with it.
    #[n(2)]
    Deleted(#[n(0)] Timestamp),
}

impl AppStatus {
    /// The word people use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused(_) => "paused",
            Self::Deleted(_) => "deleted",
        }
    }
}

/// An app.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(context_bound = "Audience")]
pub struct App {
    /// The application id, also in the middle of its secret.
    #[n(0)]
    pub id: AppId,
    /// Unique among the apps of its owner that are not deleted.
    #[n(1)]
    pub name: Name,
    /// The operator who made it.
    #[n(2)]
    pub owner: OperatorId,
    /// What it tells about itself.
    #[n(3)]
    pub profile: Profile,
    /// Keys of its own, or access tokens.
    #[n(4)]
    pub method: AuthMethod,
    /// All it may do; its keys may do a part of it.
    #[n(5)]
    pub scopes: Scopes,
    /// When it was made.
    #[n(6)]
    pub created_at: Timestamp,
    /// What people did to it.
    #[n(7)]
    pub status: AppStatus,
    /// Recognises its secret.
    #[n(8)]
    pub secret: Verifier,
    /// Since when the secret is this one; later with each secret, even within a millisecond. Access tokens issued
    /// before are refused.
    #[n(9)]
    pub not_before: Timestamp,
    /// How the present secret took the place of another; `None` of one that never was replaced.
    #[n(10)]
    pub replaced: Option<Box<Replaced>>,
    /// The latest that `not_before` ever was, where it is an earlier one again: no two secrets may share it.
    #[n(11)]
    pub spent: Option<Timestamp>,
    /// That it, its keys and its access tokens are refused, or were.
    #[n(12)]
    pub lockdown: Option<Box<Lockdown>>,
    /// How its present secret was handed over, where that was not by being shown.
    #[n(13)]
    pub handed: Option<Box<Handed>>,
    /// What its access tokens are like; `None` where that is as usual.
    #[n(14)]
    pub terms: Option<Box<Terms>>,
}

impl App {
    /// Among what is [`App::edited`], what it may do.
    pub const SCOPES: &'static str = "scopes";

    /// What an edit can change, field by field, in words for the trail.
    pub fn edited(&self) -> [(&'static str, String); 10] {
        let profile = &self.profile;
        let audiences = self.audiences().iter().map(PartyName::as_str).collect::<Vec<_>>();
        let list = |urls: &[Url]| urls.iter().map(Url::as_str).collect::<Vec<_>>().join(" ");
        [
            ("name", self.name.to_string()),
            (Self::SCOPES, self.scopes.to_string()),
            ("URI", profile.uri.to_string()),
            ("description", profile.description.to_string()),
            ("user type", profile.user_type.code().into()),
            ("source app", profile.source.code().into()),
            ("post-login URLs", list(&profile.post_login)),
            ("post-logout URLs", list(&profile.post_logout)),
            ("signature", self.alg().code().into()),
            ("audiences", audiences.join(" ")),
        ]
    }

    /// Whether it works.
    pub const fn is_active(&self) -> bool {
        matches!(self.status, AppStatus::Active)
    }

    /// Whether it is gone.
    pub const fn is_deleted(&self) -> bool {
        matches!(self.status, AppStatus::Deleted(_))
    }

    /// The public part of its secret, as lists show it: `kdas_7HqP2mVx9KtR_…`.
    pub fn secret_hint(&self) -> String {
        format!("kdas_{}_…", self.id.public())
    }
}

/// An access token that was revoked before its end.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Revoked {
    /// Its `jti`.
    #[n(0)]
    pub token: super::PublicId,
    /// When it would have ended: after that nobody needs to remember it.
    #[n(1)]
    pub until: Timestamp,
}

/// The revoked access tokens of one app.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct RevokedTokens {
    /// Whose.
    #[n(0)]
    pub app: AppId,
    /// Which, the newest last. At most [`RevokedTokens::MAX`].
    #[n(1)]
    pub tokens: Vec<Revoked>,
}

impl RevokedTokens {
    /// How many one app may have at a time; beyond, all its tokens are revoked together.
    pub const MAX: usize = 400;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_may_be_kept() {
        for good in [
            "https://example.com",
            "https://example.com:8443/a/b?c=d&e=%20",
            "HTTPS://Example.COM/",
            "http://localhost:3000/callback",
            "http://127.0.0.1/",
            "http://[::1]:8080/x",
            "https://xn--bcher-kva.example/",
        ] {
            assert_eq!(Url::new(good).map(|u| u.as_str().to_owned()), Ok(good.to_owned()));
        }
    }

    #[test]
    fn addresses_that_may_not() {
        let long = format!("https://example.com/{}", "a".repeat(URL_MAX));
        for (bad, why) in [
            ("", BadUrl::Empty),
            (long.as_str(), BadUrl::TooLong),
            ("example.com/callback", BadUrl::NotAnAddress),
            ("//example.com", BadUrl::NotAnAddress),
            ("/callback", BadUrl::NotAnAddress),
            ("https://exa mple.com", BadUrl::NotAnAddress),
            ("https://example.com/\u{202e}", BadUrl::NotAnAddress),
            ("https://bücher.example", BadUrl::NotAnAddress),
            ("https://example.com/\\evil", BadUrl::NotAnAddress),
            ("javascript:alert(1)", BadUrl::NotAnAddress),
            ("mailto:a@example.com", BadUrl::NotAnAddress),
            ("http://example.com", BadUrl::Insecure),
            ("http://localhost.example.com", BadUrl::Insecure),
            ("ftp://example.com", BadUrl::Insecure),
            ("https://user:secret@example.com", BadUrl::UserInfo),
            ("https://@example.com", BadUrl::UserInfo),
            ("https://example.com/#top", BadUrl::Fragment),
            ("https:///path", BadUrl::NoHost),
        ] {
            assert_eq!(Url::new(bad), Err(why), "{bad}");
        }
    }

    #[test]
    fn words_read_back() {
        for source in SourceApp::ALL {
            assert_eq!(SourceApp::from_code(source.code()), Some(source));
        }
        for user in [UserType::Guest, UserType::Employee, UserType::Both] {
            assert_eq!(UserType::of(user.guest(), user.employee()), Some(user));
        }
    }
}
