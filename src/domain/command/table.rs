//! The table of commands: one row for each says all that is fixed about it, so that whoever needs a list of commands
//! asks here and keeps none. A command without a row does not compile, nor does a row without a command.

use super::Command;
use crate::domain::lineage::Grace;
use crate::domain::lockdown::Extent;
use crate::domain::{AppId, KeyId, LocationId, Motive, OperatorId, Place};

/// Whether a command takes access away. One that does is in force in memory even when the disk fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toll {
    /// It may take access away.
    Denies,
    /// It takes access away once that is written and not before; until then whoever is let in keeps it.
    Ends,
    /// Whoever had access keeps it.
    Leaves,
}

/// What a command goes with that is no part of it, because no record holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// Nothing.
    Nothing,
    /// What an operator will sign in with: a passphrase or a key file.
    Passphrase,
    /// The secret of a key that was made elsewhere.
    ImportedSecret,
    /// The slots of an operator, which go with it.
    Slots,
    /// The slot of the recovery code, which is another one from then on.
    RecoverySlot,
    /// The session, which reaches further from then on.
    Session,
}

/// Who may ask for a command at all. Which operator may is for [`crate::domain::authorize()`] to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedBy {
    /// Whoever founds the store, before anybody can sign in.
    Founder,
    /// The door, for somebody who has shown what opens it.
    Door,
    /// An operator who is signed in.
    Operator,
    /// The server on its own behalf.
    Service,
    /// An operator, or the server on its own behalf.
    Both,
}

/// What exists already that a command is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// The store, or something that does not exist yet.
    Nothing,
    /// An operator.
    Operator(OperatorId),
    /// A location.
    Location(LocationId),
    /// A key.
    Key(KeyId),
    /// Several keys, at once.
    Keys,
    /// An app.
    App(AppId),
    /// An access token of an app.
    Token(AppId),
    /// A rule of the policy.
    Policy,
    /// All that a lockdown covers.
    Extent(Extent),
}

/// Whether many of a kind, each about another key, may be judged and written at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// What becomes of one key does not hang on the others.
    Together,
    /// It does, or there is only one thing it can be about.
    Alone,
}

macro_rules! stands {
    () => {
        Stands::Alone
    };
    ($stands:ident) => {
        Stands::$stands
    };
}

/// What has to be drawn from the random generator before a command can be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draws {
    /// Nothing.
    Nothing,
    /// Ids of new records.
    Ids,
    /// The token of a new key at this place.
    Token(Place),
    /// The token of a key that takes over from this one, or from what this one took over from.
    Successor(KeyId),
    /// The secret of an app: of a new one, or of one that keeps its application id.
    AppSecret(Option<AppId>),
    /// The id of a key whose secret was made elsewhere.
    ImportedId,
    /// A recovery code.
    RecoveryCode,
}

/// What a command brings that is shown once and nowhere else: whoever runs it must be there to take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Yields {
    /// Nothing.
    Nothing,
    /// The token of a key, or the secret of an app.
    Secret,
    /// A recovery code.
    RecoveryCode,
}

/// All that is fixed about a command.
#[derive(Debug)]
pub struct Spec {
    /// Which command.
    pub kind: CommandKind,
    /// Its name in the audit trail: `key.revoke`.
    pub code: &'static str,
    /// Whether it takes access away.
    pub toll: Toll,
    /// What it goes with.
    pub beside: Beside,
    /// Who may ask for it.
    pub asked_by: AskedBy,
    /// Whether many of it stand together.
    pub stands: Stands,
    /// What was done, as the beginning of a sentence; `{}` is the name of what it was done to.
    pub done: &'static str,
    /// What somebody wanted to do; `{}` is the name of what it was to be done to.
    pub wanted: &'static str,
    /// What became of it, in a word or two, for the history of one key.
    pub became: &'static str,
}

macro_rules! commands {
    ($($kind:ident $fields:tt $code:literal $about:ident $(($of:expr))? $toll:ident $draws:ident $(($what:expr))?
       $beside:ident $asked_by:ident $($stands:ident)? $done:literal $wanted:literal $became:literal;)+) => {
        /// A command without what it says.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum CommandKind {
            $(#[doc = concat!("`", $code, "`")] $kind,)+
        }

        impl CommandKind {
            /// Every command, in table order.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)+];

            /// What is fixed about it.
            pub const fn spec(self) -> &'static Spec {
                match self {
                    $(Self::$kind => &Spec {
                        kind: Self::$kind,
                        code: $code,
                        toll: Toll::$toll,
                        beside: Beside::$beside,
                        asked_by: AskedBy::$asked_by,
                        stands: stands!($($stands)?),
                        done: $done,
                        wanted: $wanted,
                        became: $became,
                    },)+
                }
            }
        }

        impl Command {
            /// Which command it is; of many that stand together, which each of them is.
            pub const fn kind(&self) -> CommandKind {
                match self {
                    $(Self::$kind { .. } => CommandKind::$kind,)+
                    Self::TakeBack(undo) => undo.back.kind(),
                    Self::Each(together) => together.kind(),
                }
            }

            /// What it is about, and what has to be drawn for it.
            const fn reads(&self) -> (About, Draws) {
                match self {
                    $(Self::$kind $fields => (About::$about $(($of))?, Draws::$draws $(($what))?),)+
                    Self::TakeBack(undo) => (About::Key(undo.key), Draws::Nothing),
                    Self::Each(_) => (About::Keys, Draws::Nothing),
                }
            }
        }
    };
}

commands! {
    // Command, its fields         code                  about                takes    draws                   beside         asked by, stands
    //     what was done, what was wanted, what became of it
    Found {..}                     "store.found"         Nothing              Leaves   RecoveryCode            Passphrase     Founder
        "Founded the store" "founding the store" "founded";
    StartSession {..}              "session.start"       Nothing              Leaves   Nothing                 Nothing        Door
        "Signed in" "signing in" "signed in";
    EndSession {}                  "session.end"         Nothing              Leaves   Nothing                 Nothing        Operator
        "Signed out" "signing out" "signed out";
    OpenAgencyView {}              "view.agency"         Nothing              Leaves   Nothing                 Session        Operator
        "Opened the whole-agency view" "opening the whole-agency view" "whole-agency view opened";
    ReadAudit {}                   "audit.read"          Nothing              Leaves   Nothing                 Nothing        Operator
        "Read the audit trail" "reading the whole audit trail" "audit trail read";
    ExportAudit {}                 "audit.export"        Nothing              Leaves   Nothing                 Nothing        Operator
        "Exported the audit trail" "exporting the audit trail" "audit trail exported";
    TrimAudit {..}                 "audit.trim"          Nothing              Leaves   Nothing                 Nothing        Operator
        "Took the oldest entries out of the audit trail" "taking entries out of the audit trail" "audit trail trimmed";
    BackUp {}                      "store.backup"        Nothing              Leaves   Nothing                 Nothing        Operator
        "Began a backup of the store" "backing the store up" "backup begun";
    CloseBackup {..}               "store.backed-up"     Nothing              Leaves   Nothing                 Nothing        Operator
        "Backed the store up" "saying that a backup is whole" "store backed up";
    PutBack {..}                   "store.restore"       Nothing              Leaves   Nothing                 Nothing        Door
        "Put the store back from a backup" "putting the store back from a backup" "store put back from a backup";
    Upgrade {..}                   "store.upgrade"       Nothing              Leaves   Nothing                 Nothing        Door
        "Gave the store to this keydeck and newer ones" "giving the store to this keydeck and newer ones" "store upgraded";
    AddOperator {..}               "operator.add"        Nothing              Leaves   Ids                     Passphrase     Operator
        "Added operator {}" "adding an operator" "operator added";
    SetRole { operator, .. }       "operator.role"       Operator(*operator)  Denies   Nothing                 Nothing        Operator
        "Changed the role of {}" "changing a role" "role changed";
    SetSecret (operator)           "operator.passphrase" Operator(*operator)  Leaves   Nothing                 Passphrase     Operator
        "Set the passphrase of {}" "setting a passphrase" "passphrase set";
    ReplaceRecovery {}             "recovery.renew"      Nothing              Leaves   RecoveryCode            RecoverySlot   Operator
        "Renewed the recovery code" "renewing the recovery code" "recovery code renewed";
    DisableOperator { operator, .. } "operator.disable"  Operator(*operator)  Denies   Nothing                 Slots          Operator
        "Disabled {}" "disabling an operator" "given to another owner";
    EnableOperator (operator)      "operator.enable"     Operator(*operator)  Leaves   Nothing                 Passphrase     Operator
        "Enabled {} again" "enabling an operator" "operator enabled again";
    AddLocations (_)               "location.add"        Nothing              Leaves   Ids                     Nothing        Operator
        "Added location {}" "adding locations" "location added";
    RenameLocation { location, .. } "location.rename"    Location(*location)  Leaves   Nothing                 Nothing        Operator
        "Renamed a location to {}" "renaming a location" "location renamed";
    RemoveLocation { location }    "location.remove"     Location(*location)  Denies   Nothing                 Nothing        Operator
        "Removed location {}" "removing a location" "location removed";
    LockDown { what, .. }          "lockdown.begin"      Extent(*what)        Denies   Nothing                 Nothing        Operator
        "Locked down {}" "locking down {}" "locked down";
    LiftLockdown { what, .. }      "lockdown.lift"       Extent(*what)        Leaves   Nothing                 Nothing        Operator
        "Lifted the lockdown of {}" "lifting the lockdown of {}" "lockdown lifted";
    IssueKey (new)                 "key.issue"           Nothing              Leaves   Token(new.place)        Nothing        Operator
        "Issued {}" "issuing a key" "issued";
    ImportKey (_, _)               "key.import"          Nothing              Leaves   ImportedId              ImportedSecret Operator
        "Took over {}, whose secret was made elsewhere" "taking over a key" "taken over";
    PauseKey (key, _)              "key.pause"           Key(*key)            Denies   Nothing                 Nothing        Operator Together
        "Paused {}" "pausing {}" "paused";
    ResumeDue {}                   "key.resume-due"      Nothing              Leaves   Nothing                 Nothing        Service
        "Resumed {}, whose pause was over" "resuming keys" "resumed by itself";
    ResumeKey (key)                "key.resume"          Key(*key)            Leaves   Nothing                 Nothing        Operator Together
        "Resumed {}" "resuming {}" "resumed";
    RevokeKey (key, _)             "key.revoke"          Key(*key)            Denies   Nothing                 Nothing        Operator Together
        "Revoked {}" "revoking {}" "revoked";
    DeleteKey (key)                "key.delete"          Key(*key)            Denies   Nothing                 Nothing        Operator Together
        "Deleted {}" "deleting {}" "deleted";
    RestoreKey (key)               "key.restore"         Key(*key)            Leaves   Nothing                 Nothing        Operator Together
        "Restored {}, revoked" "restoring {}" "restored as revoked";
    RescopeKey { key, .. }         "key.rescope"         Key(*key)            Denies   Nothing                 Nothing        Operator Together
        "Changed the scopes of {}" "changing the scopes of {}" "scopes changed";
    BeginReportOnly { key, .. }    "key.report-only"     Key(*key)            Leaves   Nothing                 Nothing        Operator
        "Put {} on report-only" "putting {} on report-only" "report-only begun";
    EnforceReportOnly { key, .. }  "key.report-only-enforce" Key(*key)        Denies   Nothing                 Nothing        Operator
        "Enforced the report-only of {}" "enforcing the report-only of {}" "report-only enforced";
    DropReportOnly (key)           "key.report-only-drop" Key(*key)           Leaves   Nothing                 Nothing        Operator
        "Dropped the report-only of {}" "dropping the report-only of {}" "report-only dropped";
    SignReview {..}                "review.sign"         Nothing              Leaves   Nothing                 Nothing        Operator
        "Signed the review off" "signing the review off" "kept in a review";
    CreateApp (_)                  "app.create"          Nothing              Leaves   AppSecret(None)         Nothing        Operator
        "Created app {}" "creating an app" "created";
    EditApp { app, .. }            "app.edit"            App(*app)            Denies   Nothing                 Nothing        Operator
        "Changed app {}" "changing app {}" "scopes changed with its app";
    RenewAppSecret (app, _)        "app.new-secret"      App(*app)            Denies   AppSecret(Some(*app))   Nothing        Operator
        "Gave app {} a new secret" "giving app {} a new secret" "app given a new secret";
    RepeatAppSecret (app)          "app.new-secret-again" App(*app)           Denies   AppSecret(Some(*app))   Nothing        Operator
        "Gave app {} another new secret" "giving app {} another new secret" "app given another new secret";
    CancelAppSecret { app, .. }    "app.secret-cancel"   App(*app)            Denies   Nothing                 Nothing        Operator
        "Took the new secret of app {} back" "taking the new secret of app {} back" "app's new secret taken back";
    EndAppSecret (app)             "app.secret-end"      App(*app)            Denies   Nothing                 Nothing        Operator
        "Ended the old secret of app {}" "ending the old secret of app {}" "app's old secret ended";
    LengthenAppSecret { app, .. }  "app.secret-longer"   App(*app)            Leaves   Nothing                 Nothing        Operator
        "Let the old secret of app {} work for longer" "lengthening the grace of app {}" "app's old secret lengthened";
    HandOverSecret { app, .. }     "app.hand-over"       App(*app)            Leaves   Nothing                 Nothing        Operator
        "Handed the secret of app {} over" "noting how the secret of app {} was handed over" "secret handed over";
    PauseApp (app)                 "app.pause"           App(*app)            Denies   Nothing                 Nothing        Operator
        "Paused app {}" "pausing app {}" "paused with its app";
    ResumeApp (app)                "app.resume"          App(*app)            Leaves   Nothing                 Nothing        Operator
        "Resumed app {}" "resuming app {}" "resumed with its app";
    DeleteApp (app)                "app.delete"          App(*app)            Denies   Nothing                 Nothing        Operator
        "Deleted app {}" "deleting app {}" "revoked with its app";
    RevokeToken { app, .. }        "token.revoke"        Token(*app)          Denies   Nothing                 Nothing        Service
        "Revoked an access token of {}" "revoking an access token of {}" "access token revoked";
    RotateSigningKey {}            "signing.rotate"      Nothing              Leaves   Nothing                 Nothing        Both
        "Made the next key that signs access tokens" "making the next key that signs access tokens" "signing key made";
    ConfirmClock {}                "clock.confirm"       Nothing              Leaves   Nothing                 Nothing        Operator
        "Said that the clock is right" "saying that the clock is right" "clock said to be right";
    EditKey { key, .. }            "key.edit"            Key(*key)            Leaves   Nothing                 Nothing        Operator Together
        "Changed {}" "changing {}" "changed";
    KeepKey (key)                  "key.keep"            Key(*key)            Leaves   Nothing                 Nothing        Operator Together
        "Kept {}" "keeping {}" "kept";
    ProtectKey { key, .. }         "key.protect"         Key(*key)            Leaves   Nothing                 Nothing        Operator Together
        "Protected {} from deletion for want of use" "protecting {}" "protected";
    UnprotectKey (key)             "key.unprotect"       Key(*key)            Leaves   Nothing                 Nothing        Operator Together
        "Ended the protection of {}" "ending the protection of {}" "protected no longer";
    HandOver { key, .. }           "key.hand-over"       Key(*key)            Leaves   Nothing                 Nothing        Operator
        "Handed the token of {} over" "noting how the token of {} was handed over" "token handed over";
    TransferKey { key, .. }        "key.transfer"        Key(*key)            Leaves   Nothing                 Nothing        Operator
        "Gave {} to another operator" "giving {} to another operator" "given to another owner by hand";
    ConfirmHold {..}               "hold.confirm"        Nothing              Leaves   Nothing                 Nothing        Operator
        "Let the deletions go that were held back" "letting deletions go that are held back" "deletions let go";
    AckNotice (notice)             "notice.ack"          Key(notice.key)      Leaves   Nothing                 Nothing        Operator
        "Acknowledged a notice of {}" "acknowledging a notice of {}" "notice acknowledged";
    SnoozeNotice { notice, .. }    "notice.snooze"       Key(notice.key)      Leaves   Nothing                 Nothing        Operator
        "Put a notice of {} off" "putting a notice of {} off" "notice put off";
    GiveNotices {}                 "notice.give"         Nothing              Leaves   Nothing                 Nothing        Service
        "Gave notice of {}" "giving notices" "notice given";
    RenewNotices {}                "notice.renew"        Nothing              Leaves   Nothing                 Nothing        Service
        "Withdrew the notices of {}" "withdrawing notices" "notices withdrawn";
    DeleteUnused {}                "key.delete-unused"   Nothing              Ends     Nothing                 Nothing        Service
        "Deleted {} for want of use" "deleting unused keys" "deleted for want of use";
    HoldDeletions {}               "hold.place"          Nothing              Leaves   Nothing                 Nothing        Service
        "Held deletions back" "holding deletions back" "deletions held back";
    ClearEnded {}                  "key.clear"           Nothing              Leaves   Nothing                 Nothing        Service
        "Cleared {} away after its end" "clearing ended keys away" "cleared away after its end";
    PurgeDeleted {}                "key.purge"           Nothing              Leaves   Nothing                 Nothing        Service
        "Purged {}, deleted long ago" "purging deleted keys" "purged";
    MoveChannel {..}               "notice.deliver"      Nothing              Leaves   Nothing                 Nothing        Service
        "Noted deliveries through {}" "noting deliveries" "deliveries noted";
    EmptyChannel {..}              "notice.empty"        Nothing              Leaves   Nothing                 Nothing        Operator
        "Took care of what waited for {}" "emptying a channel" "what waited was taken care of";
    RotateKey { key, .. }          "key.rotate"          Key(*key)            Denies   Successor(*key)         Nothing        Operator
        "Rotated {}" "rotating {}" "rotated";
    RepeatRotation (key)           "key.rotate-again"    Key(*key)            Denies   Successor(*key)         Nothing        Operator
        "Rotated {} again" "rotating {} again" "rotated again";
    CancelRotation (key)           "key.rotate-cancel"   Key(*key)            Denies   Nothing                 Nothing        Operator
        "Cancelled the rotation of {}" "cancelling the rotation of {}" "rotation cancelled";
    LengthenGrace { key, .. }      "key.grace-longer"    Key(*key)            Leaves   Nothing                 Nothing        Operator
        "Let the old half of {} work for longer" "lengthening the grace of {}" "grace lengthened";
    StartGraces {}                 "key.grace-start"     Nothing              Leaves   Nothing                 Nothing        Service
        "Counted the grace of {} from the first use of its new secret" "counting graces" "grace begun";
    EndGraces {}                   "key.grace-end"       Nothing              Leaves   Nothing                 Nothing        Service
        "Ended the old secret of {}, whose grace was over" "ending graces" "grace ended";
    SetPolicy {..}                 "policy.set"          Policy               Leaves   Nothing                 Nothing        Operator
        "Changed the policy" "changing the policy" "policy changed";
}

impl CommandKind {
    /// The command of that name in the audit trail.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.spec().code == code)
    }
}

impl Command {
    /// Stops a key for good, and says nothing of why.
    pub fn revoke(key: KeyId) -> Self {
        Self::RevokeKey(key, Motive::default())
    }

    /// What is fixed about it.
    pub const fn spec(&self) -> &'static Spec {
        self.kind().spec()
    }

    /// Its name in the audit trail.
    pub const fn name(&self) -> &'static str {
        self.spec().code
    }

    /// What exists already that it is about.
    pub const fn about(&self) -> About {
        self.reads().0
    }

    /// The key it is about, if it is about one that exists.
    pub const fn key(&self) -> Option<KeyId> {
        if let About::Key(id) = self.about() { Some(id) } else { None }
    }

    /// The keys it is about.
    pub fn keys(&self) -> impl Iterator<Item = KeyId> + '_ {
        let many = if let Self::Each(together) = self { together.commands() } else { &[] };
        self.key().into_iter().chain(many.iter().filter_map(Self::key))
    }

    /// What has to be drawn from the random generator before it can be judged.
    pub const fn draws(&self) -> Draws {
        self.reads().1
    }

    /// What it brings that is shown once.
    pub const fn yields(&self) -> Yields {
        match self.draws() {
            Draws::Token(_) | Draws::Successor(_) | Draws::AppSecret(_) => Yields::Secret,
            Draws::RecoveryCode => Yields::RecoveryCode,
            Draws::Nothing | Draws::Ids | Draws::ImportedId => Yields::Nothing,
        }
    }

    /// Whether it takes access away.
    pub const fn denies(&self) -> bool {
        matches!(self.spec().toll, Toll::Denies)
    }

    /// What of it is in force even when the disk fails, as a command of its own. A new secret is not made by itself later
    /// on, nobody would be there to take it; a key that was lost is refused all the same.
    pub fn at_once(&self) -> Option<Self> {
        match (self, self.yields()) {
            (Self::RotateKey { key, rotation }, _) if rotation.grace == Grace::NONE => {
                Some(Self::RevokeKey(*key, Motive::replaced()))
            }
            (_, Yields::Nothing) if self.denies() => Some(self.clone()),
            _ => None,
        }
    }

    /// Whether an entry of that name tells of this: of itself, or of what it is [`Self::at_once`].
    pub fn comes_with(&self, name: &str) -> bool {
        let whole = if let Self::RevokeKey(..) = self { CommandKind::RotateKey } else { self.kind() };
        name == self.name() || name == whole.spec().code
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_words_of_its_own_for_the_trail() {
        let said = |words: fn(&Spec) -> &'static str| {
            let mut said: Vec<_> = CommandKind::ALL.iter().map(|kind| words(kind.spec())).collect();
            said.sort_unstable();
            said.dedup();
            assert_eq!(said.len(), CommandKind::ALL.len(), "two commands are told in the same words");
            said
        };
        for code in said(|spec| spec.code) {
            let (subject, verb) = code.split_once('.').unwrap();
            assert!(!subject.is_empty() && !verb.is_empty(), "{code}");
        }
        for words in [said(|spec| spec.done), said(|spec| spec.wanted), said(|spec| spec.became)].concat() {
            assert!(!words.is_empty() && !words.contains('.'), "a code instead of words: {words}");
        }
    }

    #[test]
    fn a_code_of_the_trail_leads_back_to_its_command() {
        for kind in CommandKind::ALL {
            assert_eq!(CommandKind::of_code(kind.spec().code), Some(*kind));
        }
        assert_eq!(CommandKind::of_code("verify.denied"), None);
    }
}
