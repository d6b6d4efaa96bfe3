//! What happened. An event carries the whole new records, so applying it is putting them, and what is written
//! to disk is what is held in memory.

mod changes;

/// What the entry that says that a backup was made calls the SHA-256 of its file.
pub const BACKUP_SUM: &str = "sha256";

use minicbor::{Decode, Encode};

use super::app::RevokedTokens;
use super::delivery::Channel;
use super::lifecycle::{Seen, Told};
use super::lockdown::Locked;
use super::review::Signed;
use super::signing::SigningKeys;
use super::{
    Agency, App, Audience, Cycle, Expiry, Hold, Key, Location, Note, Operator, OperatorId, Policy, Record,
    Role, Scopes, Timestamp,
};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(context_bound = "Audience")]
pub enum Event {
    /// The store was founded.
    #[n(0)]
    AgencyFounded(#[n(0)] Agency, #[n(1)] Policy),
    /// An operator signed in; failed attempts since the last time.
    #[n(1)]
    SessionStarted(#[n(0)] u32),
    /// An operator signed out.
    #[n(2)]
    SessionEnded,
    /// An admin looked at the whole agency.
    #[n(3)]
    AgencyViewOpened,
    /// The whole trail was read.
    #[n(4)]
    AuditRead,
    /// The whole trail was exported.
    #[n(5)]
    AuditExported,
    /// A new operator.
    #[n(6)]
    OperatorAdded(#[n(0)] Operator),
    /// A new role; the old one beside it.
    #[n(7)]
    RoleSet(#[n(0)] Operator, #[n(1)] Role),
    /// A new passphrase or key file.
    #[n(8)]
    SecretSet(#[n(0)] Operator),
    /// A new recovery code.
    #[n(9)]
    RecoveryRenewed,
    /// Access ended.
    #[n(10)]
    OperatorDisabled(#[n(0)] Operator),
    /// Access given again.
    #[n(11)]
    OperatorEnabled(#[n(0)] Operator),
    /// A key changed owner; who owned it before beside it.
    #[n(12)]
    KeyGiven(#[n(0)] Key, #[n(1)] Operator, #[n(2)] OperatorId),
    /// New location.
    #[n(13)]
    LocationAdded(#[n(0)] Location),
    /// New name; the old one beside it.
    #[n(14)]
    LocationRenamed(#[n(0)] Location, #[n(1)] super::Name),
    /// Removed.
    #[n(15)]
    LocationRemoved(#[n(0)] Location),
    /// Everything of this is refused from then on.
    #[n(150)]
    LockedDown(#[n(0)] Locked),
    /// It is as it would be without.
    #[n(151)]
    LockdownLifted(#[n(0)] Locked),
    /// A new key.
    #[n(16)]
    KeyIssued(#[n(0)] Key),
    /// Stopped for a while; beside it whether it was stopped before, for another time.
    #[n(17)]
    KeyPaused(#[n(0)] Key, #[n(1)] bool),
    /// Works again; beside it when that would have come by itself.
    #[n(18)]
    KeyResumed(#[n(0)] Key, #[n(1)] Option<Timestamp>),
    /// Stopped for good.
    #[n(19)]
    KeyRevoked(#[n(0)] Key),
    /// Gone from sight.
    #[n(20)]
    KeyDeleted(#[n(0)] Key),
    /// The record is back, revoked.
    #[n(21)]
    KeyRestored(#[n(0)] Key),
    /// New scopes; the old ones beside it.
    #[n(22)]
    KeyRescoped(#[n(0)] Key, #[n(1)] Scopes),
    /// It is counted from now on what fewer scopes would refuse.
    #[n(160)]
    ReportOnlyBegun(#[n(0)] Key),
    /// It has the fewer scopes that were tried; those it had beside it.
    #[n(161)]
    ReportOnlyEnforced(#[n(0)] Key, #[n(1)] Scopes),
    /// It keeps its scopes, and nothing is counted any more.
    #[n(162)]
    ReportOnlyDropped(#[n(0)] Key),
    /// A review was signed off.
    #[n(165)]
    ReviewSigned(#[n(0)] Signed),
    /// A key was kept in one.
    #[n(166)]
    ReviewKept(#[n(0)] Key),
    /// A new app.
    #[n(23)]
    AppCreated(#[n(0)] App),
    /// What an app is changed; as it was beside it.
    #[n(24)]
    AppEdited(#[n(0)] App, #[n(1)] Box<App>),
    /// A new secret.
    #[n(25)]
    AppSecretRenewed(#[n(0)] App),
    /// The present secret of an app was handed over.
    #[n(121)]
    AppHandedOver(#[n(0)] App),
    /// Stopped for a while.
    #[n(26)]
    AppPaused(#[n(0)] App),
    /// Works again.
    #[n(27)]
    AppResumed(#[n(0)] App),
    /// Gone.
    #[n(28)]
    AppDeleted(#[n(0)] App),
    /// An app changed owner.
    #[n(29)]
    AppGiven(#[n(0)] App, #[n(1)] Operator),
    /// One access token ended early; all that are remembered beside the app.
    #[n(30)]
    TokenRevoked(#[n(0)] App, #[n(1)] RevokedTokens),
    /// All access tokens of an app ended.
    #[n(31)]
    AppTokensEnded(#[n(0)] App),
    /// A new key signs access tokens, or will.
    #[n(32)]
    SigningKeyAdded(#[n(0)] SigningKeys),
    /// A key whose secret was made elsewhere.
    #[n(34)]
    KeyImported(#[n(0)] Key),
    /// The wall clock is right: what was believed before, and what it says.
    #[n(35)]
    ClockConfirmed(#[n(0)] Timestamp, #[n(1)] Timestamp),
    /// What a key is changed; as it was beside it.
    #[n(44)]
    KeyEdited(#[n(0)] Key, #[n(1)] Box<Key>),
    /// An operator said that a key is needed: days without use count anew.
    #[n(36)]
    KeyKept(#[n(0)] Key),
    /// A key is never deleted for want of use from then on.
    #[n(37)]
    KeyProtected(#[n(0)] Key),
    /// It may be again; why it was protected beside it.
    #[n(38)]
    KeyUnprotected(#[n(0)] Key, #[n(1)] Note),
    /// The token of a key was handed over.
    #[n(120)]
    KeyHandedOver(#[n(0)] Key),
    /// The owner of a key was told what time will do to it; the key as it is beside what is remembered.
    #[n(39)]
    NoticeGiven(#[n(0)] Key, #[n(1)] Cycle, #[n(2)] Told),
    /// Notices hold no more.
    #[n(40)]
    NoticesRenewed(#[n(0)] Key, #[n(1)] Cycle),
    /// An operator has seen a notice.
    #[n(70)]
    NoticeSeen(#[n(0)] Key, #[n(1)] Cycle, #[n(2)] Seen),
    /// Which deletions wait for a word; beside it how many of them did not before.
    #[n(41)]
    DeletionsHeld(#[n(0)] Hold, #[n(1)] u32),
    /// Somebody began to copy the whole store into a backup.
    #[n(140)]
    BackupBegun,
    /// A backup lies on a disk and was proven.
    #[n(142)]
    BackedUp {
        /// SHA-256 of its file.
        #[cbor(n(0), with = "minicbor::bytes")]
        sum: [u8; 32],
        /// The audit entry it goes up to.
        #[n(1)]
        seq: u64,
    },
    /// The header has a format that keydecks of before refuse.
    #[n(143)]
    Upgraded {
        /// The format it had.
        #[n(0)]
        from: u16,
        /// The one it has.
        #[n(1)]
        to: u16,
    },
    /// The entries of the trail up to this one were taken out of the store; beside it its hash, hex, and the file they are in.
    #[n(180)]
    AuditTrimmed(#[n(0)] u64, #[n(1)] String, #[n(2)] String),
    /// The store was put back from a backup, and deletions wait for a word; beside it how many audit entries are known to be
    /// missing.
    #[n(141)]
    StorePutBack(#[n(0)] Hold, #[n(1)] u64),
    /// An operator said that they may go.
    #[n(42)]
    HoldConfirmed(#[n(0)] Hold),
    /// Nothing is left of a key but its id; as it was beside it.
    #[n(43)]
    KeyPurged(#[n(0)] Key, #[n(1)] Box<Key>),
    /// What was delivered through a channel, or was not; as it was remembered beside it.
    #[n(80)]
    ChannelMoved(#[n(0)] Box<Channel>, #[n(1)] Option<Box<Channel>>),
    /// A key that takes over from another; beside it when that one would have stopped working.
    #[n(45)]
    KeySucceeded(#[n(0)] Key, #[n(1)] Expiry),
    /// A key that another took over from, with the end of its grace as its own; beside it the end it had.
    #[n(46)]
    KeySuperseded(#[n(0)] Key, #[n(1)] Expiry),
    /// A key from which no other takes over any more; beside it the end it had meanwhile.
    #[n(47)]
    KeyReinstated(#[n(0)] Key, #[n(1)] Expiry),
    /// The secret an app had before is the present one again, and the one that took its place has ended; beside it when the
    /// old one would have ended.
    #[n(110)]
    AppSecretReinstated(#[n(0)] App, #[n(1)] Expiry),
    /// The secret an app had before ends at another time; beside it when it would have.
    #[n(111)]
    AppSecretEnds(#[n(0)] App, #[n(1)] Expiry),
    /// The secret an app had before has ended.
    #[n(112)]
    AppSecretEnded(#[n(0)] App),
    /// The secret an app had before ends then, which was told, and is still used.
    #[n(113)]
    AppSecretMissed(#[n(0)] App, #[n(1)] Timestamp),
    /// A rule changed: the whole policy, the rule, old and new value.
    #[n(33)]
    PolicySet(#[n(0)] Policy, #[n(1)] String, #[n(2)] String, #[n(3)] String),
}

/// What an event is about, with what it is from then on.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// The store as a whole, of which no record changes.
    Store,
    /// The agency and its policy, when it is founded.
    Founding(&'a Agency, &'a Policy),
    /// The agency.
    Agency(&'a Agency),
    /// The policy.
    Policy(&'a Policy),
    /// The keys that sign access tokens.
    Signing(&'a SigningKeys),
    /// An operator.
    Operator(&'a Operator),
    /// A location.
    Location(&'a Location),
    /// A key.
    Key(&'a Key),
    /// An app.
    App(&'a App),
    /// The access tokens of an app that were revoked.
    Tokens(&'a App, &'a RevokedTokens),
    /// The notices of a key.
    Notices(&'a Key, &'a Cycle),
    /// The deletions that wait for a word.
    Hold(&'a Hold),
    /// A channel that delivers notices.
    Channel(&'a Channel),
}

/// One field that changed, for the audit trail. Never a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The field.
    pub field: String,
    /// Before.
    pub from: String,
    /// After.
    pub to: String,
}

impl Event {
    /// The field of the trail that names the file into which entries were taken out.
    pub const TRIMMED_INTO: &'static str = "file";

    /// The records it writes.
    pub fn records(&self) -> Vec<Record> {
        match self.subject() {
            Subject::Store => Vec::new(),
            Subject::Agency(agency) => vec![Record::Agency(agency.clone())],
            Subject::Founding(agency, policy) => {
                vec![Record::Agency(agency.clone()), Record::Policy(policy.clone())]
            }
            Subject::Policy(policy) => vec![Record::Policy(policy.clone())],
            Subject::Signing(keys) => vec![Record::Signing(keys.clone())],
            Subject::Operator(operator) => vec![Record::Operator(operator.clone())],
            Subject::Location(location) => vec![Record::Location(location.clone())],
            Subject::Key(key) => vec![Record::Key(key.clone())],
            Subject::App(app) => vec![Record::App(app.clone())],
            Subject::Tokens(_, tokens) => vec![Record::Revoked(tokens.clone())],
            Subject::Notices(_, cycle) => vec![Record::Cycle(cycle.clone())],
            Subject::Hold(hold) => vec![Record::Hold(hold.clone())],
            Subject::Channel(channel) => vec![Record::Channel(channel.clone())],
        }
    }

    /// Whether it takes access away and gives none: what may be in force before it is written.
    pub fn only_takes_away(&self) -> bool {
        match self {
            Self::OperatorDisabled(_)
            | Self::LocationRemoved(_)
            | Self::LockedDown(_)
            | Self::KeyPaused(..)
            | Self::KeyRevoked(_)
            | Self::KeyDeleted(_)
            | Self::AppPaused(_)
            | Self::AppDeleted(_)
            | Self::TokenRevoked(..)
            | Self::AppTokensEnded(_)
            | Self::AppSecretEnded(_)
            // With the owner who is disabled: the keys work as before, or not.
            | Self::KeyGiven(..)
            | Self::AppGiven(..)
            | Self::KeyPurged(..) => true,
            Self::RoleSet(operator, before) => operator.role < *before,
            Self::KeyRescoped(key, before) | Self::ReportOnlyEnforced(key, before) => {
                key.scopes.is_subset(before)
            }
            Self::AppEdited(after, before) => after.scopes.is_subset(&before.scopes),
            Self::KeySuperseded(key, before) => {
                let waits = key.superseded.as_ref().is_some_and(|how| how.waits.is_some());
                let is_later = before.instant().is_some_and(|end| !key.expiry.is_over(end));
                !waits && !is_later
            }
            Self::AgencyFounded(..)
            | Self::SessionStarted(_)
            | Self::SessionEnded
            | Self::AgencyViewOpened
            | Self::AuditRead
            | Self::AuditExported
            | Self::OperatorAdded(_)
            | Self::SecretSet(_)
            | Self::RecoveryRenewed
            | Self::OperatorEnabled(_)
            | Self::LocationAdded(_)
            | Self::LocationRenamed(..)
            | Self::LockdownLifted(_)
            | Self::KeyIssued(_)
            | Self::KeyResumed(..)
            | Self::KeyRestored(_)
            | Self::AppCreated(_)
            | Self::AppSecretRenewed(_)
            | Self::AppHandedOver(_)
            | Self::AppSecretReinstated(..)
            | Self::AppSecretEnds(..)
            | Self::AppSecretMissed(..)
            | Self::AppResumed(_)
            | Self::SigningKeyAdded(_)
            | Self::KeyImported(_)
            | Self::KeySucceeded(..)
            | Self::KeyReinstated(..)
            | Self::ClockConfirmed(..)
            | Self::KeyEdited(..)
            | Self::KeyKept(_)
            | Self::KeyProtected(_)
            | Self::KeyUnprotected(..)
            | Self::KeyHandedOver(_)
            | Self::ReportOnlyBegun(_)
            | Self::ReportOnlyDropped(_)
            | Self::ReviewSigned(_)
            | Self::ReviewKept(_)
            | Self::NoticeGiven(..)
            | Self::NoticesRenewed(..)
            | Self::NoticeSeen(..)
            | Self::BackupBegun
            | Self::BackedUp { .. }
            | Self::Upgraded { .. }
            | Self::AuditTrimmed(..)
            | Self::StorePutBack(..)
            | Self::DeletionsHeld(..)
            | Self::HoldConfirmed(_)
            | Self::ChannelMoved(..)
            | Self::PolicySet(..) => false,
        }
    }

    /// What it is about.
    pub const fn subject(&self) -> Subject<'_> {
        match self {
            Self::OperatorAdded(o)
            | Self::RoleSet(o, _)
            | Self::SecretSet(o)
            | Self::OperatorDisabled(o)
            | Self::OperatorEnabled(o) => Subject::Operator(o),
            Self::LocationAdded(l) | Self::LocationRenamed(l, _) | Self::LocationRemoved(l) => {
                Subject::Location(l)
            }
            Self::KeyIssued(k)
            | Self::KeyImported(k)
            | Self::KeyGiven(k, ..)
            | Self::KeyPaused(k, _)
            | Self::KeyResumed(k, _)
            | Self::KeyRevoked(k)
            | Self::KeyDeleted(k)
            | Self::KeyRestored(k)
            | Self::KeyKept(k)
            | Self::KeyProtected(k)
            | Self::KeyUnprotected(k, _)
            | Self::KeyHandedOver(k)
            | Self::ReportOnlyBegun(k)
            | Self::ReviewKept(k)
            | Self::ReportOnlyDropped(k)
            | Self::ReportOnlyEnforced(k, _)
            | Self::KeyEdited(k, _)
            | Self::KeySucceeded(k, _)
            | Self::KeySuperseded(k, _)
            | Self::KeyReinstated(k, _)
            | Self::KeyPurged(k, _)
            | Self::KeyRescoped(k, _) => Subject::Key(k),
            Self::NoticeGiven(k, cycle, _)
            | Self::NoticesRenewed(k, cycle)
            | Self::NoticeSeen(k, cycle, _) => Subject::Notices(k, cycle),
            Self::DeletionsHeld(hold, _) | Self::HoldConfirmed(hold) | Self::StorePutBack(hold, _) => {
                Subject::Hold(hold)
            }
            Self::AppCreated(a)
            | Self::AppEdited(a, _)
            | Self::AppSecretRenewed(a)
            | Self::AppHandedOver(a)
            | Self::AppSecretReinstated(a, _)
            | Self::AppSecretEnds(a, _)
            | Self::AppSecretEnded(a)
            | Self::AppSecretMissed(a, _)
            | Self::AppPaused(a)
            | Self::AppResumed(a)
            | Self::AppDeleted(a)
            | Self::AppGiven(a, _)
            | Self::AppTokensEnded(a) => Subject::App(a),
            Self::TokenRevoked(a, tokens) => Subject::Tokens(a, tokens),
            Self::ChannelMoved(channel, _) => Subject::Channel(channel),
            Self::SigningKeyAdded(keys) => Subject::Signing(keys),
            Self::LockedDown(locked) | Self::LockdownLifted(locked) => match locked {
                Locked::Agency(agency) => Subject::Agency(agency),
                Locked::Operator(operator) => Subject::Operator(operator),
                Locked::Location(location) => Subject::Location(location),
                Locked::App(app) => Subject::App(app),
            },
            Self::AgencyFounded(agency, policy) => Subject::Founding(agency, policy),
            Self::PolicySet(policy, ..) => Subject::Policy(policy),
            Self::SessionStarted(_)
            | Self::SessionEnded
            | Self::AgencyViewOpened
            | Self::AuditRead
            | Self::AuditExported
            | Self::BackupBegun
            | Self::BackedUp { .. }
            | Self::Upgraded { .. }
            | Self::ReviewSigned(_)
            | Self::AuditTrimmed(..)
            | Self::ClockConfirmed(..)
            | Self::RecoveryRenewed => Subject::Store,
        }
    }

    /// The key it is about.
    pub const fn key(&self) -> Option<&Key> {
        if let Subject::Key(key) = self.subject() { Some(key) } else { None }
    }

    /// The key it is about, or whose notices it is about.
    pub const fn key_or_noticed(&self) -> Option<&Key> {
        if let Subject::Key(key) | Subject::Notices(key, _) = self.subject() { Some(key) } else { None }
    }

    /// The app it is about.
    pub const fn app(&self) -> Option<&App> {
        if let Subject::App(app) = self.subject() { Some(app) } else { None }
    }

    /// The location it is about.
    pub const fn location(&self) -> Option<&Location> {
        if let Subject::Location(location) = self.subject() { Some(location) } else { None }
    }
}
