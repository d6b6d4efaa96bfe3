//! The closed sets of words a catalog uses: levels, authentication, risk.
//!
//! Each word is spelt once, here; the reader, the messages and the console take it from here.

use std::fmt;

use minicbor::{Decode, Encode};

/// At which level of the platform a key stands, and so which permissions it may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// A key of the agency itself, over all its locations.
    Agency,
    /// A key of one location.
    Location,
    /// The key or the access tokens of an app.
    App,
}

impl Level {
    /// Every level, widest first.
    pub const ALL: [Self; 3] = [Self::Agency, Self::Location, Self::App];

    /// The word for it in a catalog.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agency => "agency",
            Self::Location => "location",
            Self::App => "app",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Agency => 1,
            Self::Location => 2,
            Self::App => 4,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A set of levels.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Levels(u8);

impl Levels {
    /// Is this level in the set?
    pub const fn contains(self, level: Level) -> bool {
        self.0 & level.bit() != 0
    }

    /// Is there none?
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub const fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The levels, widest first.
    pub fn iter(self) -> impl Iterator<Item = Level> {
        Level::ALL.into_iter().filter(move |level| self.contains(*level))
    }
}

impl FromIterator<Level> for Levels {
    fn from_iter<I: IntoIterator<Item = Level>>(levels: I) -> Self {
        Self(levels.into_iter().fold(0, |bits, level| bits | level.bit()))
    }
}

/// As a sentence lists them: `agency`, `agency and app`, `agency, location and app`.
impl fmt::Display for Levels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.iter().map(Level::as_str).collect();
        f.write_str(&listed(&words, "and"))
    }
}

impl fmt::Debug for Levels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// How a caller proves who it is: what a request carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum AuthMethod {
    /// An API key, sent as it is.
    #[n(0)]
    ApiKey,
    /// A short-lived access token (JWT) an app obtained with its id and secret.
    #[n(1)]
    Jwt,
    /// Nothing: it is no caller but a service that is called, and asks about what its callers present.
    #[n(2)]
    ResourceServer,
}

impl AuthMethod {
    /// All of them, in the order people see them.
    pub const ALL: [Self; 3] = [Self::ApiKey, Self::Jwt, Self::ResourceServer];

    /// What a sentence calls it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "API keys",
            Self::Jwt => "access tokens (JWT)",
            Self::ResourceServer => "nothing, it checks what others present",
        }
    }
}

impl fmt::Display for AuthMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// With which authentication a permission may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Auth {
    /// With an API key only.
    ApiKey,
    /// With an access token only.
    Jwt,
    /// With either.
    Both,
}

impl Auth {
    /// Every possibility.
    pub const ALL: [Self; 3] = [Self::ApiKey, Self::Jwt, Self::Both];

    /// The word for it in a catalog.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "api-key",
            Self::Jwt => "jwt",
            Self::Both => "both",
        }
    }

    /// May a permission marked like this be used with that authentication?
    pub const fn accepts(self, method: AuthMethod) -> bool {
        match method {
            AuthMethod::ApiKey => matches!(self, Self::Both | Self::ApiKey),
            AuthMethod::Jwt => matches!(self, Self::Both | Self::Jwt),
            // It calls nobody.
            AuthMethod::ResourceServer => false,
        }
    }
}

impl fmt::Display for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How much harm a permission does in the wrong hands. Ordered: `Read < Write < Admin`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Risk {
    /// Looks at things.
    Read,
    /// Changes the daily business: bookings, contacts, messages.
    Write,
    /// Moves money, removes for good, changes who may do what, or reaches everybody at once.
    Admin,
}

impl Risk {
    /// Every risk, lowest first.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Admin];

    /// The word for it in a catalog.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Words as a sentence lists them: `a`, `a or b`, `a, b or c`.
pub(super) fn listed(words: &[&str], conjunction: &str) -> String {
    match words {
        [] => "none".to_owned(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} {conjunction} {last}", first.join(", ")),
    }
}
