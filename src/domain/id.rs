//! Public identifiers: twelve Base58 characters, random, safe to show, log and type. Each kind of object has a
//! type of its own, so a location's id cannot be passed where a key's is wanted.

use std::fmt;
use std::str::FromStr;

use minicbor::{Decode, Decoder, Encode, Encoder};

/// The Base58 alphabet of Bitcoin: digits and letters without `0 O I l`, which people misread.
pub const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// Number of characters of a public id (70 bits).
pub const PUBLIC_ID_LEN: usize = 12;

/// Twelve Base58 characters. Sorts and compares by its bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicId([u8; PUBLIC_ID_LEN]);

/// The text is not an id of the kind asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is {prefix}12 characters of 1-9 A-Z a-z without O, I and l")]
pub struct BadId {
    prefix: &'static str,
}

impl PublicId {
    /// An id that is never drawn in practice, for acts that are nobody's.
    pub const NOBODY: Self = Self([b'1'; PUBLIC_ID_LEN]);

    /// Takes twelve ASCII bytes when each is of the Base58 alphabet.
    pub fn from_bytes(bytes: [u8; PUBLIC_ID_LEN]) -> Option<Self> {
        // No way out in the middle: this is checked for every request, and all bytes at once are quicker than one
        // after the other.
        bytes.iter().fold(true, |sound, byte| sound & is_base58(*byte)).then_some(Self(bytes))
    }

    /// The twelve ASCII bytes.
    pub const fn as_bytes(&self) -> &[u8; PUBLIC_ID_LEN] {
        &self.0
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        // Base58 is ASCII, checked when the value was made.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// Whether the byte is of the Base58 alphabet. In comparisons that a compiler can make of many bytes side by side.
pub const fn is_base58(byte: u8) -> bool {
    let digit = byte.wrapping_sub(b'1') < 9;
    let upper = byte.wrapping_sub(b'A') < 26 && byte != b'I' && byte != b'O';
    let lower = byte.wrapping_sub(b'a') < 26 && byte != b'l';
    digit || upper || lower
}

impl FromStr for PublicId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let bytes: [u8; PUBLIC_ID_LEN] = text.as_bytes().try_into().map_err(|_| BadId { prefix: "" })?;
        Self::from_bytes(bytes).ok_or(BadId { prefix: "" })
    }
}

impl fmt::Display for PublicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for PublicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<C> Encode<C> for PublicId {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.str(self.as_str())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for PublicId {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        d.str()?.parse().map_err(|_| minicbor::decode::Error::message("not a public id"))
    }
}

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
        #[cbor(transparent)]
        pub struct $name(#[n(0)] pub PublicId);

        impl $name {
            /// What stands before the twelve characters when the id is written.
            pub const PREFIX: &'static str = $prefix;

            /// The bare twelve characters.
            pub const fn public(&self) -> &PublicId {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                let bare = text.strip_prefix($prefix).ok_or(BadId { prefix: $prefix })?;
                bare.parse().map(Self).map_err(|_| BadId { prefix: $prefix })
            }
        }
    };
}

id_type!(
    /// A key. Written bare, as it stands in the middle of its token.
    KeyId, ""
);
id_type!(
    /// An operator, `op_…`.
    OperatorId, "op_"
);
id_type!(
    /// An app, `app_…`: its application id.
    AppId, "app_"
);
id_type!(
    /// A location, `loc_…`.
    LocationId, "loc_"
);

/// Whether a text reads like an id with its prefix, or begins like a hint or token. Nothing may be called so: a name that
/// reads like what means another thing would have commands hit that one, and a token is no name.
pub fn reads_like_one(text: &str) -> bool {
    let begins = |rest: &str| rest.as_bytes().first_chunk().copied().and_then(PublicId::from_bytes).is_some();
    match text.split_once('_') {
        Some(("op" | "app" | "loc", rest)) => rest.parse::<PublicId>().is_ok(),
        Some((kind, rest)) => kind.len() == 4 && kind.starts_with("kd") && begins(rest),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_different_kinds_do_not_parse_as_each_other() {
        assert_eq!("7HqP2mVx9KtR".parse::<KeyId>().unwrap().to_string(), "7HqP2mVx9KtR");
        assert_eq!("loc_7HqP2mVx9KtR".parse::<LocationId>().unwrap().to_string(), "loc_7HqP2mVx9KtR");
        assert!("op_7HqP2mVx9KtR".parse::<LocationId>().is_err());
        assert!("loc_7HqP2mVx9KtR".parse::<KeyId>().is_err());
    }

    #[test]
    fn what_reads_like_an_id_is_told_from_a_name() {
        for like in [
            "op_7HqP2mVx9KtR",
            "app_7HqP2mVx9KtR",
            "loc_7HqP2mVx9KtR",
            "kdag_7HqP2mVx9KtR",
            "kdim_7HqP2mVx9KtR_…",
            "kdas_7HqP2mVx9KtR_and a secret",
        ] {
            assert!(reads_like_one(like), "{like}");
        }
        // Twelve letters are a word as well.
        for name in
            ["Headquarters", "app_Berlin", "loc_7HqP2mVx9KtR 2", "kdag_", "kdag_Berlin", "a_7HqP2mVx9KtR"]
        {
            assert!(!reads_like_one(name), "{name}");
        }
    }

    #[test]
    fn lookalikes_lengths_and_other_alphabets_are_no_ids() {
        for bad in ["", "7HqP2mVx9Kt", "7HqP2mVx9KtRR", "0HqP2mVx9KtR", "lHqP2mVx9KtR", "7HqP2mVx9Kté"] {
            assert!(bad.parse::<PublicId>().is_err(), "{bad}");
        }
        assert!(BASE58.iter().all(|b| is_base58(*b)));
        assert_eq!((0..=255u8).filter(|b| is_base58(*b)).count(), 58);
    }
}
