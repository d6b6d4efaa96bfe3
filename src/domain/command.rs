//! What an operator asks for, and what the shell knows when it asks. Owner, role and time are never part of a
//! command: they come from the session and the clock, so no request can claim them.

mod back;
mod carried;
mod context;
mod table;
mod together;
mod typed;

use minicbor::{Decode, Encode};

pub use self::back::{Back, Undo};
pub use self::carried::{KeyEdit, KeysAfter, NewApp, NewKey, NoticeRef};
pub use self::context::{Context, Minted};
pub use self::table::{About, AskedBy, Beside, CommandKind, Draws, Spec, Stands, Toll, Yields};
pub use self::together::Together;
use super::app::Revoked;
use super::basis::Basis;
use super::delivery::{Channel, ChannelName};
use super::handover::Way;
use super::lineage::{Grace, Rotation};
use super::lockdown::Extent;
use super::review::{Keep, Looked};
use super::{AppId, KeyId, LocationId, Motive, Name, Note, OperatorId, Role, Timestamp};

/// A request to change something, or to do something that is audited. An edit without a basis replaces whatever is there.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Command {
    /// Found the store: its agency and first admin. Only on an empty store.
    #[n(0)]
    Found {
        /// The agency's name.
        #[n(0)]
        agency: Name,
        /// The first operator's name.
        #[n(1)]
        operator: Name,
    },
    /// Sign in; carries what happened at the door before.
    #[n(1)]
    StartSession {
        /// Failed attempts to unseal since the last successful one.
        #[n(0)]
        failed_attempts: u32,
    },
    /// Sign out.
    #[n(2)]
    EndSession,
    /// Open the whole-agency view.
    #[n(3)]
    OpenAgencyView,
    /// Read the whole audit trail.
    #[n(4)]
    ReadAudit,
    /// Export the whole audit trail.
    #[n(5)]
    ExportAudit,
    /// Add an operator.
    #[n(6)]
    AddOperator {
        /// Unique among operators.
        #[n(0)]
        name: Name,
        /// What they may do.
        #[n(1)]
        role: Role,
    },
    /// Change what an operator may do.
    #[n(7)]
    SetRole {
        /// Whose role.
        #[n(0)]
        operator: OperatorId,
        /// The new role.
        #[n(1)]
        role: Role,
        /// What it is based on.
        #[n(2)]
        basis: Option<Basis>,
    },
    /// Replace the passphrase or key file an operator signs in with.
    #[n(8)]
    SetSecret(#[n(0)] OperatorId),
    /// Replace the recovery code; written when a used or lost one is renewed.
    #[n(9)]
    ReplaceRecovery,
    /// End an operator's access.
    #[n(10)]
    DisableOperator {
        /// Whose access.
        #[n(0)]
        operator: OperatorId,
        /// What becomes of their keys: an explicit choice.
        #[n(1)]
        keys: KeysAfter,
    },
    /// Give an operator access again; their passphrase is new.
    #[n(11)]
    EnableOperator(#[n(0)] OperatorId),
    /// Add locations, up to [`MAX_LOCATIONS_AT_ONCE`].
    #[n(12)]
    AddLocations(#[n(0)] Vec<Name>),
    /// Rename a location.
    #[n(13)]
    RenameLocation {
        /// Which.
        #[n(0)]
        location: LocationId,
        /// Its new name.
        #[n(1)]
        name: Name,
        /// What it is based on.
        #[n(2)]
        basis: Option<Basis>,
    },
    /// Remove a location; all its keys are refused from then on.
    #[n(14)]
    RemoveLocation {
        /// Which.
        #[n(0)]
        location: LocationId,
    },
    /// Refuse everything of an owner, a location, an app or the agency until that is lifted, whatever is issued meanwhile.
    #[n(150)]
    LockDown {
        /// Of whom or what.
        #[n(0)]
        what: Extent,
        /// Why, as far as that is said.
        #[n(1)]
        why: Note,
    },
    /// Lift a lockdown: each key and app is as if there had been none.
    #[n(151)]
    LiftLockdown {
        /// Of whom or what.
        #[n(0)]
        what: Extent,
        /// What it is based on.
        #[n(1)]
        basis: Option<Basis>,
    },
    /// Issue a key; its token is minted and in the context.
    #[n(15)]
    IssueKey(#[n(0)] NewKey),
    /// Stop a key until somebody resumes it, or for so long.
    #[n(16)]
    PauseKey(#[n(0)] KeyId, #[n(1)] Option<Grace>),
    /// Resume the keys that were paused for some time that is over.
    #[n(110)]
    ResumeDue,
    /// Let a paused key work again.
    #[n(17)]
    ResumeKey(#[n(0)] KeyId),
    /// Stop a key for good; why, as far as that was said.
    #[n(18)]
    RevokeKey(#[n(0)] KeyId, #[cbor(n(1), default)] Motive),
    /// Revoke a key and remove it from sight.
    #[n(19)]
    DeleteKey(#[n(0)] KeyId),
    /// Bring a deleted record back, as revoked.
    #[n(20)]
    RestoreKey(#[n(0)] KeyId),
    /// Change what a key may do.
    #[n(21)]
    RescopeKey {
        /// Which.
        #[n(0)]
        key: KeyId,
        /// All it may do from now on, as they were chosen or typed.
        #[n(1)]
        scopes: Vec<String>,
        /// What it is based on.
        #[n(2)]
        basis: Option<Basis>,
    },
    /// Count for a time which requests a narrower set of scopes would refuse, and let them through.
    #[n(160)]
    BeginReportOnly {
        /// Of which key.
        #[n(0)]
        key: KeyId,
        /// The narrower set, as it was chosen or typed.
        #[n(1)]
        scopes: Vec<String>,
        /// For how many days.
        #[n(2)]
        days: u32,
    },
    /// Have a key keep no more than the narrower set that was tried.
    #[n(161)]
    EnforceReportOnly {
        /// Which.
        #[n(0)]
        key: KeyId,
        /// Which of its sets is meant, by when that was begun; `None` means the present one.
        #[n(1)]
        begun: Option<Timestamp>,
    },
    /// Leave a key its scopes and count no more.
    #[n(162)]
    DropReportOnly(#[n(0)] KeyId),
    /// Sign a review off.
    #[n(165)]
    SignReview {
        /// What was looked at, as the list said it.
        #[n(0)]
        looked: Vec<Looked>,
        /// Keys that are kept in spite of what is said of them.
        #[n(1)]
        kept: Vec<Keep>,
        /// What whoever signs has to say.
        #[n(2)]
        note: Note,
    },
    /// Create an app; its secret is minted and in the context.
    #[n(22)]
    CreateApp(#[n(0)] NewApp),
    /// Change what an app tells about itself and what it may do.
    #[n(23)]
    EditApp {
        /// Which.
        #[n(0)]
        app: AppId,
        /// All of it, as it shall be. The authentication stays.
        #[n(1)]
        change: NewApp,
        /// What it is based on.
        #[n(2)]
        basis: Option<Basis>,
    },
    /// Give an app a new secret, minted and in the context. The old one and its access tokens work on for a grace, or, where
    /// nothing is said of one, end at once.
    #[n(24)]
    RenewAppSecret(#[n(0)] AppId, #[n(1)] Option<Rotation>),
    /// Replace the new secret of an app, which nobody has used, by another, minted and in the context.
    #[n(111)]
    RepeatAppSecret(#[n(0)] AppId),
    /// End the new secret of an app and leave the old one as it was before.
    #[n(112)]
    CancelAppSecret {
        /// Which.
        #[n(0)]
        app: AppId,
        /// The `not_before` of the secret that is meant; `None` means the present one.
        #[n(1)]
        epoch: Option<Timestamp>,
    },
    /// End the old secret of an app before its grace is over.
    #[n(113)]
    EndAppSecret(#[n(0)] AppId),
    /// Let the old secret of an app work for longer.
    #[n(114)]
    LengthenAppSecret {
        /// Which.
        #[n(0)]
        app: AppId,
        /// By so much, as far as may be.
        #[n(1)]
        by: Grace,
    },
    /// Note how the present secret of an app was handed over.
    #[n(121)]
    HandOverSecret {
        /// Whose.
        #[n(0)]
        app: AppId,
        /// How.
        #[n(1)]
        way: Way,
    },
    /// Stop an app, its keys and its access tokens for a while.
    #[n(25)]
    PauseApp(#[n(0)] AppId),
    /// Let a paused app work again.
    #[n(26)]
    ResumeApp(#[n(0)] AppId),
    /// End an app for good; its keys are revoked.
    #[n(27)]
    DeleteApp(#[n(0)] AppId),
    /// Revoke one access token before its end.
    #[n(28)]
    RevokeToken {
        /// Whose it is.
        #[n(0)]
        app: AppId,
        /// Which.
        #[n(1)]
        token: Revoked,
    },
    /// Make the next key that signs access tokens.
    #[n(29)]
    RotateSigningKey,
    /// Take over a key whose secret was made elsewhere; what recognises it is in the context. It is another operator's where one
    /// is named.
    #[n(31)]
    ImportKey(#[n(0)] NewKey, #[n(1)] Option<OperatorId>),
    /// Say that the wall clock is right, whatever was believed before.
    #[n(32)]
    ConfirmClock,
    /// Change what a key is called, what it is for, when it ends and who is told of that.
    #[n(42)]
    EditKey {
        /// Which.
        #[n(0)]
        key: KeyId,
        /// All of it, as it shall be.
        #[n(1)]
        change: KeyEdit,
        /// What it is based on.
        #[n(2)]
        basis: Option<Basis>,
    },
    /// Have a new key take over from one, which goes on working for a grace; its token is minted and in the context.
    #[n(43)]
    RotateKey {
        /// Which.
        #[n(0)]
        key: KeyId,
        /// How.
        #[n(1)]
        rotation: Rotation,
    },
    /// Replace the new half of a rotation, which nobody has used, by another; its token is minted and in the context.
    #[n(44)]
    RepeatRotation(#[n(0)] KeyId),
    /// Revoke the new half of a rotation and leave the old one as it was before.
    #[n(45)]
    CancelRotation(#[n(0)] KeyId),
    /// Let the old half of a rotation work for longer.
    #[n(46)]
    LengthenGrace {
        /// Either half.
        #[n(0)]
        key: KeyId,
        /// By so much, as far as may be.
        #[n(1)]
        by: Grace,
    },
    /// Fix the ends of graces that waited for a first use.
    #[n(47)]
    StartGraces,
    /// Revoke the old halves of rotations whose grace is over.
    #[n(48)]
    EndGraces,
    /// Say that a key is needed: days without use count anew from now.
    #[n(33)]
    KeepKey(#[n(0)] KeyId),
    /// Never delete a key for want of use.
    #[n(34)]
    ProtectKey {
        /// Which.
        #[n(0)]
        key: KeyId,
        /// Why, for whoever wonders in a year.
        #[n(1)]
        why: Note,
    },
    /// Protect a key no longer.
    #[n(35)]
    UnprotectKey(#[n(0)] KeyId),
    /// Note how the token of a key was handed over.
    #[n(120)]
    HandOver {
        /// Which.
        #[n(0)]
        key: KeyId,
        /// How.
        #[n(1)]
        way: Way,
    },
    /// Give a key to another operator. Its token and what it may do stay.
    #[n(60)]
    TransferKey {
        /// Which.
        #[n(0)]
        key: KeyId,
        /// Who owns it from then on.
        #[n(1)]
        to: OperatorId,
    },
    /// Begin to copy the whole store as it lies, sealed, into a backup.
    #[n(140)]
    BackUp,
    /// Say that a backup lies on a disk and was read again and proven.
    #[n(142)]
    CloseBackup {
        /// SHA-256 of its file.
        #[cbor(n(0), with = "minicbor::bytes")]
        sum: [u8; 32],
        /// The audit entry it goes up to.
        #[n(1)]
        seq: u64,
    },
    /// Say that the header has a format which keydecks of before refuse, since they would ignore what they do not know.
    #[n(143)]
    Upgrade {
        /// The format it had.
        #[n(0)]
        from: u16,
        /// The one it has.
        #[n(1)]
        to: u16,
    },
    /// Say that the store was put back from a backup: deletions wait for an admin's word from then on.
    #[n(141)]
    PutBack {
        /// When the backup was made.
        #[n(0)]
        made: Timestamp,
        /// Audit entries an anchor knows of that the backup does not have.
        #[n(1)]
        missing: u64,
    },
    /// Take the oldest entries of the audit trail out of the store: they lie in a file.
    #[n(180)]
    TrimAudit {
        /// Number of the last of them.
        #[n(0)]
        upto: u64,
        /// Its hash, hex, as the file has it.
        #[n(1)]
        head: String,
        /// Where the file is.
        #[n(2)]
        file: String,
    },
    /// Say that the deletions that were held back may go, and in a store that was put back that deletions go on.
    #[n(36)]
    ConfirmHold {
        /// How many there are, as whoever says so has seen.
        #[n(0)]
        count: u32,
    },
    /// Say that a notice was seen: it is shown no more until its next step.
    #[n(70)]
    AckNotice(#[n(0)] NoticeRef),
    /// Have a notice shown again later, or at its next step.
    #[n(71)]
    SnoozeNotice {
        /// Which.
        #[n(0)]
        notice: NoticeRef,
        /// When it is shown again.
        #[n(1)]
        until: Timestamp,
    },
    /// Give the notices that are due.
    #[n(37)]
    GiveNotices,
    /// Put right what is remembered of notices that hold no more.
    #[n(38)]
    RenewNotices,
    /// Delete the keys that are due for want of use.
    #[n(39)]
    DeleteUnused,
    /// Remember which deletions wait for a word.
    #[n(40)]
    HoldDeletions,
    /// Clear the expired keys away whose end is long enough ago.
    #[n(49)]
    ClearEnded,
    /// Purge deleted keys that can no longer be restored.
    #[n(41)]
    PurgeDeleted,
    /// Remember what was delivered through a channel, unless somebody else has meanwhile.
    #[n(80)]
    MoveChannel {
        /// As it is from then on.
        #[n(0)]
        to: Box<Channel>,
        /// As it is; none where the channel is new.
        #[n(1)]
        from: Option<Box<Channel>>,
    },
    /// Have nothing wait for a channel any more, and tell no more of what was given up.
    #[n(90)]
    EmptyChannel {
        /// Which.
        #[n(0)]
        channel: ChannelName,
        /// Where what waits is sent from then on; nowhere when there is none.
        #[n(1)]
        into: Option<ChannelName>,
    },
    /// Change one rule of the policy.
    #[n(30)]
    SetPolicy {
        /// The rule.
        #[n(0)]
        name: String,
        /// Its new value.
        #[n(1)]
        value: String,
        /// What it is based on.
        #[n(2)]
        basis: Option<Basis>,
    },
    /// Take a deed on a key back, unless somebody made something else of it since. In the trail it is what it does.
    #[n(190)]
    TakeBack(#[n(0)] Undo),
    /// Many of one kind, each about another key.
    #[n(130)]
    Each(#[n(0)] Together),
}

impl Command {
    /// The edit of a key that it is, or that it takes back.
    pub const fn edit(&self) -> Option<(KeyId, &KeyEdit)> {
        match self {
            Self::EditKey { key, change, .. } => Some((*key, change)),
            Self::TakeBack(Undo { key, back: Back::Edit(change), .. }) => Some((*key, change)),
            _ => None,
        }
    }
}

/// Locations one command may add: their records must fit one commit.
pub const MAX_LOCATIONS_AT_ONCE: usize = 64;
