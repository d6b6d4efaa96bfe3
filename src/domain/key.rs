//! Keys: the records behind the tokens. A record never holds the secret, only the keyed digest that recognises it.

use std::fmt;

use minicbor::encode::{Encoder, Error, Write};
use minicbor::{Decode, Decoder, Encode, decode};

use super::decoy::Decoy;
use super::handover::Handed;
use super::lifecycle::Protection;
use super::lineage::Superseded;
use super::report_only::ReportOnly;
use super::review::Kept;
use super::time::DAY_MS;
use super::{
    AppId, Contacts, Expiry, KeyId, LocationId, Motive, Name, Note, OperatorId, Policy, Scopes, Timestamp,
    Why,
};

/// For whom a record or an event is brought into bytes, or who reads it. What recognises a secret is written for the store alone, whatever it
/// is a part of, so nobody who sends anything else has to take it out.
pub trait Audience {
    /// Whether it is the store.
    const IS_STORE: bool;

    /// Reads a set of scopes. Who reads many keys may hand out one for all that are the same.
    ///
    /// # Errors
    /// When it is none.
    fn scopes(&mut self, from: &mut Decoder<'_>) -> Result<Scopes, decode::Error> {
        Scopes::decode(from, &mut ())
    }
}

impl Audience for () {
    const IS_STORE: bool = true;
}

/// Whoever is not the store.
pub struct Outside;

impl Audience for Outside {
    const IS_STORE: bool = false;
}

/// What recognises a secret without holding it: HMAC-SHA-256 over the token under a pepper.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(context_bound = "Audience")]
pub struct Verifier {
    /// The digest.
    #[cbor(n(0), encode_with = "digest", decode_with = "minicbor::bytes::decode")]
    pub digest: [u8; 32],
    /// Which pepper made it, and of what part of the token.
    #[n(1)]
    pub pepper: u32,
}

fn digest<C: Audience, W: Write>(
    digest: &[u8; 32],
    to: &mut Encoder<W>,
    _: &mut C,
) -> Result<(), Error<W::Error>> {
    to.bytes(if C::IS_STORE { digest } else { &Verifier::NONE.digest })?.ok()
}

impl Verifier {
    /// Recognises nothing: no pepper has that number.
    pub const NONE: Self = Self { digest: [0; 32], pepper: 0 };
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verifier(pepper {})", self.pepper)
    }
}

/// What has to be made of a presented secret before it is compared, where another system handed over no more than that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Digested {
    /// Its SHA-256.
    #[n(0)]
    Sha256,
}

/// What recognises a secret keydeck did not make: an Argon2id hash as a PHC string. Such a key has no digest.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(context_bound = "Audience")]
pub struct Imported {
    /// The PHC string.
    #[cbor(n(0), encode_with = "phc")]
    pub phc: String,
    /// What was hashed, where that is not the secret itself. A keydeck that does not know of it compares the secret, and lets
    /// nobody in.
    #[n(1)]
    pub digested: Option<Digested>,
}

fn phc<C: Audience, W: Write>(phc: &str, to: &mut Encoder<W>, _: &mut C) -> Result<(), Error<W::Error>> {
    to.str(if C::IS_STORE { phc } else { "" })?.ok()
}

impl fmt::Debug for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Imported")
    }
}

/// How a presented text of an imported key starts; its id and the secret as it always was follow.
pub const IMPORTED_PREFIX: &str = "kdim_";

/// What a key is for, which is also its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum Place {
    /// An agency key: the whole agency.
    #[n(0)]
    Agency,
    /// A location key: one location.
    #[n(1)]
    Location(#[n(0)] LocationId),
    /// An app key: one app.
    #[n(2)]
    App(#[n(0)] AppId),
}

impl Place {
    /// The kind's word.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Agency => "agency",
            Self::Location(_) => "location",
            Self::App(_) => "app",
        }
    }

    /// How tokens of this kind start.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Agency => "kdag_",
            Self::Location(_) => "kdlo_",
            Self::App(_) => "kdap_",
        }
    }

    /// The location, for a location key.
    pub const fn location(self) -> Option<LocationId> {
        match self {
            Self::Agency | Self::App(_) => None,
            Self::Location(id) => Some(id),
        }
    }

    /// The app, for an app key.
    pub const fn app(self) -> Option<AppId> {
        match self {
            Self::App(id) => Some(id),
            Self::Agency | Self::Location(_) => None,
        }
    }
}

/// What people did to a key. Expiry is not here: it is computed when read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Status {
    /// Works.
    #[n(0)]
    Active,
    /// Stopped for a while; can be resumed.
    #[n(1)]
    Paused(#[n(0)] Timestamp),
    /// Stopped for good.
    #[n(2)]
    Revoked(#[n(0)] Timestamp),
    /// Removed from sight; the record can be restored for thirty days, the secret never.
    #[n(3)]
    Deleted(#[n(0)] Timestamp),
    /// Deleted, and nothing is left of it but its id, which no other key gets, and what recognises its token.
    #[n(4)]
    Purged(#[n(0)] Timestamp),
}

/// The state of a key at a moment, as people see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyState {
    /// Works.
    Active,
    /// Stopped, can be resumed.
    Paused,
    /// Another took over; it works until its grace is over, unless it is stopped.
    Superseded,
    /// Its time is over.
    Expired,
    /// Stopped for good.
    Revoked,
    /// Deleted; restorable for a while.
    Deleted,
}

impl KeyState {
    /// All states, the liveliest first.
    pub const ALL: [Self; 6] =
        [Self::Active, Self::Paused, Self::Superseded, Self::Expired, Self::Revoked, Self::Deleted];

    /// The word people use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Superseded => "superseded",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Deleted => "deleted",
        }
    }

    /// Whether the key works or could be made to work again, and no other took over; such keys count against the quota,
    /// and their names differ.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Active | Self::Paused)
    }

    /// Whether neither its secret works nor could be made to work again.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Expired | Self::Revoked | Self::Deleted)
    }
}

impl fmt::Display for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An API key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(context_bound = "Audience")]
pub struct Key {
    /// The public id in the middle of its token.
    #[n(0)]
    pub id: KeyId,
    /// Unique among the live keys of its owner.
    #[n(1)]
    pub name: Name,
    /// Agency, which location or which app.
    #[n(2)]
    pub place: Place,
    /// The operator who issued it.
    #[n(3)]
    pub owner: OperatorId,
    /// What it may do.
    #[cbor(n(4), decode_with = "scopes_read")]
    pub scopes: Scopes,
    /// What it is for, in somebody's words.
    #[n(5)]
    pub note: Note,
    /// When it was issued.
    #[n(6)]
    pub created_at: Timestamp,
    /// When it stops working.
    #[n(7)]
    pub expiry: Expiry,
    /// What people did to it.
    #[n(8)]
    pub status: Status,
    /// Recognises its token, also after revocation: a stolen key that is tried again is told from noise.
    #[n(9)]
    pub verifier: Verifier,
    /// Recognises the secret of an imported key instead.
    #[n(10)]
    pub imported: Option<Box<Imported>>,
    /// When somebody last said that it is needed: by resuming it, keeping it, or protecting it no longer. Days without
    /// use count from there.
    #[n(11)]
    pub counted_from: Option<Timestamp>,
    /// That it is never deleted for want of use.
    #[n(12)]
    pub protection: Option<Box<Protection>>,
    /// Days before its end at which it is told of; `None` goes by the policy.
    #[n(13)]
    pub notice_days: Option<u32>,
    /// Who is told of it besides its owner.
    #[n(16)]
    pub contacts: Option<Box<Contacts>>,
    /// The key it took over from.
    #[n(14)]
    pub succeeds: Option<KeyId>,
    /// The key that took over from it. Its expiry is the end of the grace from then on.
    #[n(15)]
    pub superseded: Option<Box<Superseded>>,
    /// Why it was revoked, if anything was said.
    #[n(17)]
    pub motive: Option<Box<Motive>>,
    /// When a pause ends by itself that was meant for some time; see [`Key::resumes_at`].
    #[n(19)]
    pub pause_ends: Option<Timestamp>,
    /// How its token was handed over, where that was not by being shown.
    #[n(20)]
    pub handed: Option<Box<Handed>>,
    /// That it opens nothing and rings when it is presented.
    #[n(22)]
    pub decoy: Option<Decoy>,
    /// The narrower set of scopes that is tried; see [`Key::reports_only`].
    #[n(21)]
    pub report_only: Option<Box<ReportOnly>>,
    /// That it was kept in a review, and why.
    #[n(24)]
    pub kept: Option<Box<Kept>>,
}

fn scopes_read<C: Audience>(from: &mut Decoder<'_>, by: &mut C) -> Result<Scopes, decode::Error> {
    by.scopes(from)
}

/// How long a deleted record can be restored.
pub const RESTORE_DAYS: u32 = 30;

impl Key {
    /// Its state at `now`. What people did wins over what time did.
    pub fn state(&self, now: Timestamp) -> KeyState {
        match self.status {
            Status::Deleted(_) | Status::Purged(_) => KeyState::Deleted,
            Status::Revoked(_) => KeyState::Revoked,
            // The end of a grace is no end of a life: the key was replaced.
            _ if self.expiry.is_over(now) && self.superseded.is_some() => KeyState::Revoked,
            _ if self.expiry.is_over(now) => KeyState::Expired,
            Status::Active | Status::Paused(_) if self.superseded.is_some() => KeyState::Superseded,
            Status::Paused(_) => KeyState::Paused,
            Status::Active => KeyState::Active,
        }
    }

    /// Whether somebody ended it for good. Any other is live until its time is over.
    pub const fn is_ended(&self) -> bool {
        matches!(self.status, Status::Revoked(_) | Status::Deleted(_) | Status::Purged(_))
    }

    /// Whether it was deleted after its own end: nothing that worked was taken away.
    pub fn was_over(&self) -> bool {
        matches!(self.status, Status::Deleted(at) if self.expiry.is_over(at))
    }

    /// Whether nothing is left of it but its id.
    pub const fn is_purged(&self) -> bool {
        matches!(self.status, Status::Purged(_))
    }

    /// What is left of a deleted key when it can no longer be restored: its id, whose it
    /// was, what recognises its token, and when it ended.
    #[must_use]
    pub fn purged(&self, now: Timestamp) -> Self {
        Self {
            id: self.id,
            name: Name::purged(),
            place: self.place,
            owner: self.owner,
            scopes: Scopes::default(),
            note: Note::default(),
            created_at: self.created_at,
            expiry: Expiry::Never,
            status: Status::Purged(now),
            // So that one who still has its token is told from somebody who guesses.
            verifier: self.verifier,
            imported: None,
            counted_from: None,
            protection: None,
            notice_days: None,
            contacts: None,
            succeeds: None,
            superseded: None,
            motive: None,
            pause_ends: None,
            handed: None,
            // Whoever could not know of it is told the same as before.
            decoy: self.decoy,
            report_only: None,
            kept: None,
        }
    }

    /// When the old half of a rotation ends; `None` while that waits for the first use of the new one, and of any other
    /// key.
    pub fn grace_ends(&self) -> Option<Timestamp> {
        self.superseded.as_ref().filter(|superseded| superseded.waits.is_none())?;
        self.expiry.instant()
    }

    /// When a sweep resumes the paused key. It is refused until one has, whatever a clock says meanwhile.
    pub const fn resumes_at(&self) -> Option<Timestamp> {
        if let Status::Paused(_) = self.status { self.pause_ends } else { None }
    }

    /// The public part of its token, as lists show it: `kdag_7HqP2mVx9KtR_…`.
    pub fn hint(&self) -> String {
        let prefix = if self.imported.is_some() { IMPORTED_PREFIX } else { self.place.prefix() };
        format!("{prefix}{}_…", self.id)
    }

    /// What can be changed of it, each with its word.
    pub fn edited(&self) -> [(&'static str, String); 6] {
        let notice =
            self.notice_days.map_or_else(|| "as the policy".into(), |days| format!("{days} d before"));
        [
            ("name", self.name.to_string()),
            ("scopes", self.scopes.to_string()),
            ("note", self.note.as_str().to_owned()),
            ("expires", self.expiry.to_string()),
            ("notice", notice),
            (Contacts::FIELD, self.contacts.as_ref().map_or_else(String::new, ToString::to_string)),
        ]
    }

    /// Days before its end at which it is told of.
    pub fn notice(&self, policy: &Policy) -> u32 {
        self.notice_days.unwrap_or(policy.notice_for(self.place))
    }

    /// Whether it is live and its end is so near that it is told of, and when that is.
    pub fn expires_soon(&self, policy: &Policy, now: Timestamp) -> Option<Timestamp> {
        let at = self.expiry.instant().filter(|_| self.state(now).is_live())?;
        (at.since(now) <= i64::from(self.notice(policy)) * DAY_MS).then_some(at)
    }

    /// Days it was made to live, rounded up; `None` for ever. Of the old half of a rotation those it would have had.
    pub fn life_days(&self) -> Option<u32> {
        let own = self.superseded.as_ref().map_or(self.expiry, |how| how.expiry);
        let life = own.instant()?.since(self.created_at).max(1);
        Some(u32::try_from(life.saturating_add(DAY_MS - 1) / DAY_MS).unwrap_or(u32::MAX))
    }

    /// Until when the deleted record can be restored.
    pub fn restorable_until(&self) -> Option<Timestamp> {
        match self.status {
            Status::Deleted(at) => at.plus_days(RESTORE_DAYS),
            _ => None,
        }
    }

    /// When its record came back, revoked, after it had been deleted. Of one that was revoked for a reason before, that stands.
    pub fn restored_at(&self) -> Option<Timestamp> {
        match (self.status, &self.motive) {
            (Status::Revoked(at), Some(motive)) if motive.why == Why::Restored => Some(at),
            _ => None,
        }
    }
}
