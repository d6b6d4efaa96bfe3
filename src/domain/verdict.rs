//! Allow or deny of a presented token, and why. The rules that need no secret are here; the engine brings the
//! record whose digest matched.

pub mod steps;

use std::fmt;

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

use super::{App, AppId, AppStatus, Expiry, Key, KeyId, PublicId, ScopeId, Scopes, State, Status, Timestamp};

/// Why a token is refused. For the operator and the audit counters; a caller is told less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Reason {
    /// Not a token: length, alphabet, prefix or checksum.
    #[n(0)]
    Malformed,
    /// No key has that id.
    #[n(1)]
    Unknown,
    /// The id exists, the secret is another.
    #[n(2)]
    MacMismatch,
    /// The token names another kind than the record.
    #[n(3)]
    KindMismatch,
    /// Revoked.
    #[n(4)]
    Revoked,
    /// Paused.
    #[n(5)]
    Disabled,
    /// Deleted.
    #[n(6)]
    Tombstoned,
    /// Its time is over.
    #[n(7)]
    Expired,
    /// Its owner was disabled and the keys stopped with them.
    #[n(8)]
    OwnerDisabled,
    /// Its location was removed.
    #[n(9)]
    LocationDisabled,
    /// Its app is paused or deleted.
    #[n(10)]
    AppDisabled,
    /// Everything of its owner, location, app or the agency is locked down.
    #[n(14)]
    LockedDown,
    /// Tried too often, or too many at once: imported keys cost work to check.
    #[n(13)]
    Rate,
    /// It works, but not for that scope.
    #[n(11)]
    Scope,
    /// The store cannot be read, or what it holds does not agree with its audit trail.
    #[n(12)]
    StoreError,
    /// It is a decoy: it opens nothing, and that somebody presented it is told.
    #[n(19)]
    Decoy,
}

impl Reason {
    /// The word for scripts.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
            Self::MacMismatch => "mac_mismatch",
            Self::KindMismatch => "kind_mismatch",
            Self::Revoked => "revoked",
            Self::Disabled => "disabled",
            Self::Tombstoned => "tombstoned",
            Self::Expired => "expired",
            Self::OwnerDisabled => "owner_disabled",
            Self::LocationDisabled => "location_disabled",
            Self::AppDisabled => "app_disabled",
            Self::LockedDown => "locked_down",
            Self::Rate => "rate",
            Self::Scope => "scope",
            Self::StoreError => "store_error",
            Self::Decoy => "decoy",
        }
    }

    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Malformed,
        Self::Unknown,
        Self::MacMismatch,
        Self::KindMismatch,
        Self::Revoked,
        Self::Disabled,
        Self::Tombstoned,
        Self::Expired,
        Self::OwnerDisabled,
        Self::LocationDisabled,
        Self::AppDisabled,
        Self::LockedDown,
        Self::Rate,
        Self::Scope,
        Self::StoreError,
        Self::Decoy,
    ];

    /// The reason a word for scripts means.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// A few words for a list.
    pub const fn brief(self) -> &'static str {
        match self {
            Self::Malformed => "not a token",
            Self::Unknown => "never issued here",
            Self::MacMismatch => "wrong secret",
            Self::KindMismatch => "altered prefix",
            Self::Revoked => "revoked",
            Self::Disabled => "paused",
            Self::Tombstoned => "deleted",
            Self::Expired => "expired",
            Self::OwnerDisabled => "owner disabled",
            Self::LocationDisabled => "location removed",
            Self::AppDisabled => "app paused or deleted",
            Self::LockedDown => "locked down",
            Self::Rate => "tried too often",
            Self::Scope => "lacks the scope",
            Self::StoreError => "the store is in doubt",
            Self::Decoy => "a decoy",
        }
    }

    /// What it means and what would make it pass.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Malformed => {
                "not a keydeck token: copied in part, mistyped, or something else. Copy it again."
            }
            Self::Unknown => "well formed, but this store never issued it. Is it another store's?",
            Self::MacMismatch => "the key exists, but this is not its secret. Somebody may be guessing.",
            Self::KindMismatch => "the prefix names another kind than the key has. It was altered.",
            Self::Revoked => "the key was revoked. Issue a new one.",
            Self::Disabled => "the key is paused. Resume it if it should work.",
            Self::Tombstoned => "the key was deleted. Issue a new one.",
            Self::Expired => "the key's time is over. Issue a new one.",
            Self::OwnerDisabled => {
                "its owner was disabled and their keys stopped. Give the keys to another operator."
            }
            Self::LocationDisabled => "its location was removed. Issue a key for another location.",
            Self::AppDisabled => "its app is paused or deleted. Resume the app if it should work.",
            Self::LockedDown => {
                "everything of its owner, its location, its app or the agency is locked down. `keydeck lockdown list` says what, by whom and why."
            }
            Self::Rate => {
                "too many tries of an imported key with a wrong secret, or too many at once. Try again in a second."
            }
            Self::Scope => {
                "the key works, but lacks a scope that was asked for. Change its scopes, or ask for less."
            }
            Self::StoreError => "the store is in doubt and does not vouch for it. Run keydeck info.",
            Self::Decoy => {
                "it is a decoy and opens nothing. Whoever presented it came by what they should not have: find out where it lay."
            }
        }
    }
}

impl Reason {
    /// The same where it is not a key's own, but the access token of an app.
    pub const fn token_advice(self) -> &'static str {
        match self {
            Self::Revoked => {
                "the access token was ended: by itself, by a new secret of its app, or because it holds more than the app may do now. Fetch another one."
            }
            Self::Expired => "the access token's time is over. Fetch another one.",
            Self::Tombstoned => "its app was deleted.",
            Self::OwnerDisabled => {
                "the owner of its app was disabled, and the app stopped. Give the app to another operator."
            }
            Self::Scope => {
                "the access token works, but lacks a scope that was asked for. Fetch one that has it."
            }
            _ => self.advice(),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Who a presented token speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum Bearer {
    /// A key, with the key itself.
    #[n(0)]
    Key(#[n(0)] KeyId),
    /// An app, with an access token.
    #[n(1)]
    App(#[n(0)] AppId),
}

impl Bearer {
    /// Its bare id.
    pub const fn public(self) -> PublicId {
        match self {
            Self::Key(KeyId(id)) | Self::App(AppId(id)) => id,
        }
    }
}

/// The answer to a presented token. Allow is made in one place only: [`judge`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision(Outcome);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Allow(Bearer),
    Deny { reason: Reason, bearer: Option<Bearer>, missing: Option<ScopeId> },
}

impl Decision {
    /// A refusal.
    pub const fn deny(reason: Reason, bearer: Option<Bearer>) -> Self {
        Self(Outcome::Deny { reason, bearer, missing: None })
    }

    /// Whether it is allowed.
    pub const fn is_allow(&self) -> bool {
        matches!(self.0, Outcome::Allow(_))
    }

    /// The reason of a refusal.
    pub const fn reason(&self) -> Option<Reason> {
        match &self.0 {
            Outcome::Allow(_) => None,
            Outcome::Deny { reason, .. } => Some(*reason),
        }
    }

    /// Who was recognised: the secret or signature matched, whatever the answer.
    pub const fn bearer(&self) -> Option<Bearer> {
        match &self.0 {
            Outcome::Allow(bearer) => Some(*bearer),
            Outcome::Deny { bearer, .. } => *bearer,
        }
    }

    /// The key that was recognised.
    pub const fn key(&self) -> Option<KeyId> {
        match self.bearer() {
            Some(Bearer::Key(key)) => Some(key),
            _ => None,
        }
    }

    /// The app whose access token was recognised.
    pub const fn app(&self) -> Option<AppId> {
        match self.bearer() {
            Some(Bearer::App(app)) => Some(app),
            _ => None,
        }
    }

    /// The scope that was asked for and not held.
    pub const fn missing(&self) -> Option<&ScopeId> {
        match &self.0 {
            Outcome::Allow(_) => None,
            Outcome::Deny { missing, .. } => missing.as_ref(),
        }
    }
}

/// A decision travels as what it says.
impl<C> Encode<C> for Decision {
    fn encode<W: encode::Write>(
        &self,
        to: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        (self.reason(), self.bearer(), self.missing()).encode(to, ctx)
    }
}

/// … and is said again by the one function that can say allow.
impl<'b, C> Decode<'b, C> for Decision {
    fn decode(from: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, decode::Error> {
        let (none, at) = (Scopes::default(), Timestamp(0));
        Ok(match from.decode_with(ctx)? {
            (None, Some(bearer), None::<ScopeId>) => judge(bearer, None, Expiry::Never, &none, &[], at),
            (Some(Reason::Scope), Some(bearer), Some(missing)) => {
                judge(bearer, None, Expiry::Never, &none, &[missing], at)
            }
            (Some(reason), bearer, _) => Self::deny(reason, bearer),
            (None, ..) => Self::deny(Reason::StoreError, None),
        })
    }
}

/// The reasons to refuse a key that depend neither on time nor on what is asked: its status, that it is a decoy, its owner, its
/// location or app, a lockdown of these, or that one of these is not vouched for. Computed when one of them changes, kept beside the digest.
pub fn closed(state: &State, key: &Key) -> Option<Reason> {
    match unlocked(state, key) {
        // What is final is told before what can be lifted.
        last @ Some(Reason::StoreError | Reason::Tombstoned | Reason::Revoked | Reason::Decoy) => last,
        _ if state.lockdowns_of_key(key).next().is_some() => Some(Reason::LockedDown),
        other => other,
    }
}

/// The same as if nothing were locked down.
pub(super) fn unlocked(state: &State, key: &Key) -> Option<Reason> {
    if let Some(unproven) = state.proof().of_key(key) {
        return Some(unproven);
    }
    match key.status {
        Status::Deleted(_) | Status::Purged(_) => return Some(Reason::Tombstoned),
        Status::Revoked(_) => return Some(Reason::Revoked),
        // Whatever becomes of its owner or place, it rings until somebody ends it.
        Status::Paused(_) | Status::Active if key.is_decoy() => return Some(Reason::Decoy),
        Status::Paused(_) | Status::Active => {}
    }
    if !state.operator(key.owner).is_some_and(|o| o.standing.keys_work()) {
        return Some(Reason::OwnerDisabled);
    }
    let location = key.place.location();
    if location.is_some_and(|id| !state.location(id).is_some_and(super::Location::is_open)) {
        return Some(Reason::LocationDisabled);
    }
    if key.place.app().is_some_and(|id| !state.app(id).is_some_and(App::is_active)) {
        return Some(Reason::AppDisabled);
    }
    matches!(key.status, Status::Paused(_)).then_some(Reason::Disabled)
}

/// Why a request with the key's own secret is refused at `now` whatever it needs; `None` when it is allowed. What lists
/// and pages say of a key beside its state, so that they cannot say other than the verifier does.
pub fn refused(state: &State, key: &Key, now: Timestamp) -> Option<Reason> {
    judge(Bearer::Key(key.id), closed(state, key), key.expiry, &key.scopes, &[], now).reason()
}

/// The reasons to refuse every access token of an app.
pub fn closed_app(state: &State, app: &App) -> Option<Reason> {
    match unlocked_app(state, app) {
        last @ Some(Reason::StoreError | Reason::Tombstoned) => last,
        _ if state.lockdowns_of_app(app).next().is_some() => Some(Reason::LockedDown),
        other => other,
    }
}

/// The same as if nothing were locked down.
pub(super) fn unlocked_app(state: &State, app: &App) -> Option<Reason> {
    if let Some(unproven) = state.proof().of_app(app) {
        return Some(unproven);
    }
    match app.status {
        AppStatus::Deleted(_) => Some(Reason::Tombstoned),
        _ if !state.operator(app.owner).is_some_and(|o| o.standing.keys_work()) => {
            Some(Reason::OwnerDisabled)
        }
        AppStatus::Paused(_) => Some(Reason::AppDisabled),
        AppStatus::Active => None,
    }
}

/// Judges a key or an access token whose secret or signature matched. The only place where an allow is made.
pub fn judge(
    bearer: Bearer,
    closed: Option<Reason>,
    expiry: Expiry,
    scopes: &Scopes,
    wanted: &[ScopeId],
    now: Timestamp,
) -> Decision {
    let deny = |reason| Decision::deny(reason, Some(bearer));
    match closed {
        // Final reasons first: neither waiting nor resuming would help.
        Some(reason @ (Reason::Tombstoned | Reason::Revoked | Reason::StoreError)) => deny(reason),
        _ if expiry.is_over(now) => deny(Reason::Expired),
        Some(reason) => deny(reason),
        None => match wanted.iter().find(|scope| !scopes.contains(scope)) {
            Some(missing) => {
                let missing = Some(missing.clone());
                Decision(Outcome::Deny { reason: Reason::Scope, bearer: Some(bearer), missing })
            }
            None => Decision(Outcome::Allow(bearer)),
        },
    }
}
