//! The records a store holds and the keys they live under. The bytes of a record are CBOR with numbered fields:
//! a newer keydeck may add a field and still read the records of an older one.

use std::collections::BTreeSet;
use std::fmt;

use minicbor::{Decode, Encode};

use super::app::RevokedTokens;
use super::delivery::{Channel, ChannelName};
use super::signing::SigningKeys;
use super::{
    Agency, App, AppId, Audience, Cycle, Hold, Key, KeyId, Location, LocationId, Operator, OperatorId, Policy,
};

/// Where a record lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKey {
    /// `m/agency`
    Agency,
    /// `m/policy`
    Policy,
    /// `m/header`
    Header,
    /// `u/<operator>`
    Operator(OperatorId),
    /// `l/<location>`
    Location(LocationId),
    /// `p/<public id of the key>`
    Key(KeyId),
    /// `m/signing`
    Signing,
    /// `x/<application id>`
    App(AppId),
    /// `r/<application id>`
    Revoked(AppId),
    /// `i/<public id of the key>`
    Cycle(KeyId),
    /// `m/hold`
    Hold,
    /// `d/<channel>`
    Channel(ChannelName),
}

impl fmt::Display for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agency => f.write_str("m/agency"),
            Self::Policy => f.write_str("m/policy"),
            Self::Header => f.write_str("m/header"),
            Self::Operator(id) => write!(f, "u/{}", id.public()),
            Self::Location(id) => write!(f, "l/{}", id.public()),
            Self::Key(id) => write!(f, "p/{}", id.public()),
            Self::Signing => f.write_str("m/signing"),
            Self::App(id) => write!(f, "x/{}", id.public()),
            Self::Revoked(id) => write!(f, "r/{}", id.public()),
            Self::Cycle(id) => write!(f, "i/{}", id.public()),
            Self::Hold => f.write_str("m/hold"),
            Self::Channel(name) => write!(f, "d/{name}"),
        }
    }
}

impl RecordKey {
    /// The prefixes under which records live; nothing else may be there.
    pub const PREFIXES: [&'static str; 8] = ["m/", "u/", "l/", "x/", "p/", "r/", "i/", "d/"];

    /// Reads a key back.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        match text {
            "m/agency" => return Some(Self::Agency),
            "m/policy" => return Some(Self::Policy),
            "m/header" => return Some(Self::Header),
            "m/signing" => return Some(Self::Signing),
            "m/hold" => return Some(Self::Hold),
            _ => {}
        }
        let (prefix, id) = text.split_at_checked(2)?;
        if prefix == "d/" {
            return id.parse().ok().map(Self::Channel);
        }
        let id = id.parse().ok()?;
        match prefix {
            "u/" => Some(Self::Operator(OperatorId(id))),
            "l/" => Some(Self::Location(LocationId(id))),
            "p/" => Some(Self::Key(KeyId(id))),
            "x/" => Some(Self::App(AppId(id))),
            "r/" => Some(Self::Revoked(AppId(id))),
            "i/" => Some(Self::Cycle(KeyId(id))),
            _ => None,
        }
    }
}

/// What the store remembers of its header. The header lies beside the store and cannot change in one step with it: so a
/// slot opens only once this record, written with the change it belongs to, names it, and never again once it does not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct HeaderMark {
    /// Changes to the header so far. An older header put back is not accepted.
    #[n(0)]
    pub generation: u64,
    /// The slots that count, by number; `None` in a store that never wrote them down, where all do.
    #[n(1)]
    pub slots: Option<BTreeSet<u64>>,
}

impl HeaderMark {
    /// Whether the slot of that number opens the store.
    pub fn counts(&self, slot: u64) -> bool {
        self.slots.as_ref().is_none_or(|slots| slots.contains(&slot))
    }
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// The agency.
    Agency(Agency),
    /// The policy.
    Policy(Policy),
    /// How often the store's header has been changed.
    Header(HeaderMark),
    /// An operator.
    Operator(Operator),
    /// A location.
    Location(Location),
    /// An API key.
    Key(Key),
    /// The keys that sign access tokens.
    Signing(SigningKeys),
    /// An app.
    App(App),
    /// Access tokens of an app that were revoked.
    Revoked(RevokedTokens),
    /// The notices a key was given.
    Cycle(Cycle),
    /// Deletions that wait for a word.
    Hold(Hold),
    /// What is remembered of a channel that delivers notices.
    Channel(Channel),
}

/// The bytes are not a record of that kind, or a record cannot be brought into bytes.
#[derive(Debug, thiserror::Error)]
#[error("the record {key} cannot be read or written: {why}")]
pub struct BadRecord {
    key: RecordKey,
    why: String,
}

impl Record {
    /// Where it lives.
    pub const fn key(&self) -> RecordKey {
        match self {
            Self::Agency(_) => RecordKey::Agency,
            Self::Policy(_) => RecordKey::Policy,
            Self::Header(_) => RecordKey::Header,
            Self::Operator(o) => RecordKey::Operator(o.id),
            Self::Location(l) => RecordKey::Location(l.id),
            Self::Key(k) => RecordKey::Key(k.id),
            Self::Signing(_) => RecordKey::Signing,
            Self::App(a) => RecordKey::App(a.id),
            Self::Revoked(r) => RecordKey::Revoked(r.app),
            Self::Cycle(c) => RecordKey::Cycle(c.key),
            Self::Hold(_) => RecordKey::Hold,
            Self::Channel(c) => RecordKey::Channel(c.name),
        }
    }

    /// Its bytes. Never an empty text in place of what could not be written: it would be sealed as the truth.
    pub fn encode(&self) -> Result<Vec<u8>, BadRecord> {
        self.encode_for(&mut ())
    }

    /// Its bytes for somebody else, without what recognises a secret.
    pub fn encode_for(&self, audience: &mut impl Audience) -> Result<Vec<u8>, BadRecord> {
        let written = match self {
            Self::Agency(r) => minicbor::to_vec_with(r, audience),
            Self::Policy(r) => minicbor::to_vec_with(r, audience),
            Self::Header(r) => minicbor::to_vec_with(r, audience),
            Self::Operator(r) => minicbor::to_vec_with(r, audience),
            Self::Location(r) => minicbor::to_vec_with(r, audience),
            Self::Key(r) => minicbor::to_vec_with(r, audience),
            Self::Signing(r) => minicbor::to_vec_with(r, audience),
            Self::App(r) => minicbor::to_vec_with(r, audience),
            Self::Revoked(r) => minicbor::to_vec_with(r, audience),
            Self::Cycle(r) => minicbor::to_vec_with(r, audience),
            Self::Hold(r) => minicbor::to_vec_with(r, audience),
            Self::Channel(r) => minicbor::to_vec_with(r, audience),
        };
        written.map_err(|error| BadRecord { key: self.key(), why: error.to_string() })
    }

    /// Reads the record of `key`; its own id must agree with the key.
    pub fn decode(key: RecordKey, bytes: &[u8]) -> Result<Self, BadRecord> {
        Self::decode_for(key, bytes, &mut ())
    }

    /// The same, by somebody who reads many.
    pub fn decode_for(key: RecordKey, bytes: &[u8], by: &mut impl Audience) -> Result<Self, BadRecord> {
        fn read<'b, C, T: Decode<'b, C>>(
            key: RecordKey,
            bytes: &'b [u8],
            by: &mut C,
        ) -> Result<T, BadRecord> {
            let mut decoder = minicbor::Decoder::new(bytes);
            let value = decoder.decode_with(by).map_err(|e| BadRecord { key, why: e.to_string() })?;
            if decoder.position() == bytes.len() {
                Ok(value)
            } else {
                Err(BadRecord { key, why: "bytes after its end".into() })
            }
        }
        let record = match key {
            RecordKey::Agency => Self::Agency(read(key, bytes, by)?),
            RecordKey::Policy => Self::Policy(read(key, bytes, by)?),
            RecordKey::Header => Self::Header(read(key, bytes, by)?),
            RecordKey::Operator(_) => Self::Operator(read(key, bytes, by)?),
            RecordKey::Location(_) => Self::Location(read(key, bytes, by)?),
            RecordKey::Key(_) => Self::Key(read(key, bytes, by)?),
            RecordKey::Signing => Self::Signing(read(key, bytes, by)?),
            RecordKey::App(_) => Self::App(read(key, bytes, by)?),
            RecordKey::Revoked(_) => Self::Revoked(read(key, bytes, by)?),
            RecordKey::Cycle(_) => Self::Cycle(read(key, bytes, by)?),
            RecordKey::Hold => Self::Hold(read(key, bytes, by)?),
            RecordKey::Channel(_) => Self::Channel(read(key, bytes, by)?),
        };
        if record.key() == key {
            Ok(record)
        } else {
            Err(BadRecord { key, why: format!("it calls itself {}", record.key()) })
        }
    }
}
