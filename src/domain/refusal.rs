//! Why a command is not carried out. Each text says what happened, why, and what to do; each has a short code
//! for scripts and the audit trail.

use super::app::BadUrl;
use super::catalog::{AuthMethod, ScopeProblem};
use super::lineage::BadGrace;
use super::name::BadText;
use super::policy::BadPolicy;
use super::time::BadExpiry;
use super::{AppId, KeyId, KeyState, Role, Timestamp};

/// A reason for no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The operator is disabled or gone.
    #[error("you are not signed in any more: your access was ended. Ask an admin.")]
    SignedOut,
    /// The role does not reach.
    #[error("this needs the role {least}, and you are {role}. Ask an admin.")]
    RoleTooLow {
        /// The actor's role.
        role: Role,
        /// The least role that may.
        least: Role,
    },
    /// A recovery session wants more than a new passphrase.
    #[error("the recovery code only sets a new passphrase. Set one, then sign in with it.")]
    RecoveryOnly,
    /// The store was founded before.
    #[error("this store already belongs to an agency. Use --data for another store.")]
    AlreadyFounded,
    /// Unknown, or not the actor's to see: the same answer.
    #[error("there is no such key. `keydeck key list` shows yours.")]
    NoSuchKey,
    /// Unknown, or not the actor's to see: the same answer.
    #[error("there is no such app. `keydeck app list` shows yours.")]
    NoSuchApp,
    /// The server's own session wants what only people may do.
    #[error("the server may not do that on its own. Sign in as an operator.")]
    ServiceOnly,
    /// The app's state does not allow it.
    #[error("the app is {state}: {why}")]
    WrongAppState {
        /// Its state.
        state: &'static str,
        /// What that means for the request.
        why: &'static str,
    },
    /// An app with access tokens has no keys.
    #[error("the app {name} uses access tokens, not keys, or checks what others present.")]
    AppWithoutKeys {
        /// Its name.
        name: String,
    },
    /// A key may do no more than its app.
    #[error("the app itself may not do {scopes}. Give these scopes to the app first, or ask for less.")]
    BeyondApp {
        /// What it lacks.
        scopes: String,
    },
    /// A key would be left with nothing to do.
    #[error(
        "the key {name} of this app would be left without scopes. Revoke it first, or keep one of its scopes."
    )]
    KeyLeftEmpty {
        /// Its name.
        name: String,
    },
    /// Too many keys of one app.
    #[error("the app has {limit} live keys, and more do not fit. Revoke one you no longer need.")]
    AppFull {
        /// How many fit.
        limit: usize,
    },
    /// An address that cannot be one.
    #[error("{field}: {why}")]
    BadUrl {
        /// Which field.
        field: &'static str,
        /// What is wrong.
        why: BadUrl,
    },
    /// Too many addresses, or one twice.
    #[error("{field}: at most {limit} different addresses fit.")]
    UrlList {
        /// Which field.
        field: &'static str,
        /// How many fit.
        limit: usize,
    },
    /// What is not said of an app of that kind.
    #[error("{}", not_of(*method))]
    TermsWithoutTokens {
        /// What kind of app it is.
        method: AuthMethod,
    },
    /// Too many audiences, or one twice.
    #[error("at most {limit} different audiences fit.")]
    Audiences {
        /// How many fit.
        limit: usize,
    },
    /// No such location.
    #[error("there is no such location. `keydeck location list` shows them.")]
    NoSuchLocation,
    /// No such operator.
    #[error("there is no such operator. `keydeck operator list` shows them.")]
    NoSuchOperator,
    /// The name is in use.
    #[error("the name {name} is taken by another {what}. Choose another name.")]
    NameTaken {
        /// The name.
        name: String,
        /// key, location or operator.
        what: &'static str,
    },
    /// A name or note that cannot be one.
    #[error("{field}: {why}")]
    BadText {
        /// Which field.
        field: &'static str,
        /// What is wrong.
        why: BadText,
    },
    /// Too many live keys.
    #[error(
        "you own {limit} live keys, and the policy keys-per-operator allows {limit}. Revoke one you no longer need."
    )]
    QuotaReached {
        /// The policy's number.
        limit: u32,
    },
    /// Scopes that cannot be given.
    #[error("{}", list(.0))]
    Scopes(Vec<ScopeProblem>),
    /// None given.
    #[error("a key needs at least one scope. `keydeck scope list` shows them.")]
    NoScopes,
    /// Scopes that the key does not have are no fewer.
    #[error(
        "the key may not do {scopes} now: report-only tries fewer scopes, never others. Name some of those it has."
    )]
    NotNarrower {
        /// Which.
        scopes: String,
    },
    /// More than one sign-off can say.
    #[error(
        "a sign-off keeps {limit} keys at most, each once, and tells of what a review says. Sign off in several steps."
    )]
    BadSignOff {
        /// How many fit.
        limit: usize,
    },
    /// For no time, or for too long.
    #[error("report-only takes from 1 to {limit} days.")]
    BadReportOnly {
        /// The most.
        limit: u32,
    },
    /// No narrower set is tried.
    #[error(
        "the key is not on report-only. `keydeck key rescope {key} --remove SCOPE --report-only 14d` begins that."
    )]
    NoReportOnly {
        /// Which.
        key: KeyId,
    },
    /// The expiry is not one.
    #[error("expiry: {0}")]
    BadExpiry(BadExpiry),
    /// A life beyond the policy's limit.
    #[error("the policy max-life allows {limit} days at most. Ask for a shorter life.")]
    LifeTooLong {
        /// Days allowed.
        limit: u32,
    },
    /// The key's state does not allow it.
    #[error("the key is {state}: {why}")]
    WrongState {
        /// Its state.
        state: KeyState,
        /// What that means for the request.
        why: &'static str,
    },
    /// The rotation was done before; its secret was shown once.
    #[error(
        "that rotation was done before: {by} took over, and its secret was shown once. While nobody has used it, \
         `keydeck key rotate {by} --again` makes another."
    )]
    RotatedBefore {
        /// The key that took over.
        by: KeyId,
    },
    /// A third secret would live.
    #[error(
        "the key took over from {old}, which still works: more than two secrets are never alive. End {old} with \
         `keydeck key rotate {new} --finish`, or take the rotation back with --cancel; while nobody has used the new \
         secret, --again makes another."
    )]
    InGrace {
        /// The old half.
        old: KeyId,
        /// The new half.
        new: KeyId,
    },
    /// It neither took over from a key nor did a key take over from it.
    #[error("the key is no half of a rotation. `keydeck key rotate {key}` rotates it.")]
    NotRotated {
        /// Which.
        key: KeyId,
    },
    /// The old half has ended.
    #[error("the old half {old} has ended, and what has ended stays so. {new} took over from it.")]
    OldHalfOver {
        /// The old half.
        old: KeyId,
        /// The new half.
        new: KeyId,
    },
    /// The secret to be replaced is somebody's.
    #[error(
        "the new secret is in use already, so it is not replaced. End the old half with `keydeck key rotate {new} --finish`, \
         then rotate again."
    )]
    SuccessorUsed {
        /// The new half.
        new: KeyId,
    },
    /// The new secret of the app was made before; it was shown once.
    #[error(
        "that rotation was done before, and its secret was shown once. While nobody has used it, `keydeck app rotate {app} \
         --again` makes another."
    )]
    SecretRotatedBefore {
        /// Whose.
        app: AppId,
    },
    /// A third secret of an app would live.
    #[error(
        "the secret it had before still works: more than two are never alive. End that with `keydeck app rotate {app} \
         --finish`, or take the rotation back with --cancel; while nobody has used the new one, --again makes another."
    )]
    SecretInGrace {
        /// Whose.
        app: AppId,
    },
    /// There is no secret before the present one that works.
    #[error(
        "the app has one secret, and what ended stays so. `keydeck app rotate {app}` gives it a new one."
    )]
    NoOldSecret {
        /// Whose.
        app: AppId,
    },
    /// The secret to be replaced is somebody's.
    #[error(
        "the new secret is in use already, so it is not replaced. End the old one with `keydeck app rotate {app} --finish`, \
         then rotate again."
    )]
    SecretUsed {
        /// Whose.
        app: AppId,
    },
    /// A pause of no time, or of too much.
    #[error("a pause that ends by itself takes more than no time and seven days at most")]
    BadPause,
    /// No grace.
    #[error("grace: {0}.")]
    BadGrace(BadGrace),
    /// The record was deleted too long ago.
    #[error("the thirty days in which it could be restored ended on {ended}. Issue a new key.")]
    RestoreTooLate {
        /// When they ended.
        ended: Timestamp,
    },
    /// The edit is based on what is not so any more.
    #[error("{what} was changed meanwhile: {now}. Look at it again before you change it.")]
    ChangedMeanwhile {
        /// What it is about: `the key Nightly export`.
        what: String,
        /// How it is now, as a clause.
        now: String,
    },
    /// What is refused of a key that opens nothing.
    #[error(
        "it is a decoy: it opens nothing and rings when somebody presents it, so there is nothing to pause, resume, rotate, keep \
         or protect. Revoke or delete it to end it; for another, issue one."
    )]
    Decoy,
    /// Entries that are to leave the trail are needed there, or are others than whoever asks has.
    #[error("no entry was taken out of the trail: {0}")]
    TrailKept(&'static str),
    /// Nothing would change.
    #[error("nothing to do: {0}")]
    NoChange(&'static str),
    /// The clock is in doubt, and the request reckons with it.
    #[error(
        "this machine's clock is in doubt, so no key that signs is made, none that is to end on a certain day, and nothing is \
         done that time brings. Set the clock right; when it is right, an admin says so with `keydeck clock confirm`."
    )]
    ClockSuspect,
    /// Nothing is judged by use while uses are not written down.
    #[error(
        "what is used is not being written down, so nothing is deleted for want of use and no notice is given. \
         `keydeck info` says why."
    )]
    UsesIncomplete,
    /// A key was used while it was about to be deleted.
    #[error("a key was used while it was about to be deleted for want of use, and stays. Sweep again.")]
    UsedMeanwhile,
    /// No day to be told of an end.
    #[error("an end is told of from 1 to 365 days before it.")]
    BadNotice,
    /// The hold is not the one somebody had before their eyes.
    #[error(
        "so many deletions wait for a word: {held}, not {said}. Look at them again with `keydeck sweep --dry-run`."
    )]
    OtherHold {
        /// How many wait.
        held: usize,
        /// How many were said.
        said: u32,
    },
    /// Nothing was ever delivered through it.
    #[error(
        "there is no such channel. One begins with the first sweep whose configuration names it; `keydeck info` tells of those that fail."
    )]
    NoSuchChannel,
    /// Somebody delivers through it just now.
    #[error("somebody delivers through this channel just now. Ask again in two minutes.")]
    ChannelBusy,
    /// Not everybody was told, and the channel that it shall go to cannot go on there.
    #[error(
        "not everybody was told what this channel was telling, and only a channel that has told nobody anything yet goes on there. \
         Name this one in the configuration until it is done, or give that up with `keydeck notices drop`."
    )]
    ChannelUnderWay,
    /// More messages than may wait for one channel.
    #[error("{limit} messages wait for one channel at most. Sweep until there is room, or drop these.")]
    ChannelFull {
        /// How many fit.
        limit: usize,
    },
    /// The last admin.
    #[error("they are the last active admin. Make somebody else an admin first.")]
    LastAdmin,
    /// Somebody must own keys given away.
    #[error("keys can be given to an active manager or admin only, and not to the one who leaves.")]
    BadHeir,
    /// They own as many keys as one operator may.
    #[error(
        "{name} owns {limit} live keys or more, and the policy keys-per-operator allows {limit}. Revoke one of theirs first."
    )]
    HeirFull {
        /// Who.
        name: String,
        /// The policy's number.
        limit: u32,
    },
    /// What is locked down with its owner would work for another.
    #[error(
        "everything of {name} is locked down, and for another owner it would work again. Lift that first with \
         `keydeck lockdown lift`."
    )]
    LockedDown {
        /// The owner.
        name: String,
    },
    /// More keys than one change can carry.
    #[error(
        "{count} keys and apps are too many for one step; at most {limit} can change owner at once. Stop the keys instead, or delete some first."
    )]
    TooManyKeys {
        /// How many.
        count: usize,
        /// How many fit.
        limit: usize,
    },
    /// More than the end of many keys at once.
    #[error("of many keys at once only the end can be changed. Change the rest of this one by itself.")]
    OneByOne,
    /// A policy value that cannot be set.
    #[error("{0}")]
    Policy(#[from] BadPolicy),
    /// A list that is empty or too long.
    #[error("between 1 and {limit} locations can be added at once.")]
    ListSize {
        /// How many fit.
        limit: usize,
    },
    /// A freshly drawn id is in use: draw again. Never seen by people.
    #[error("a fresh id was in use")]
    IdTaken,
}

fn not_of(method: AuthMethod) -> &'static str {
    match method {
        AuthMethod::ApiKey => {
            "an app with API keys has no access tokens: how they are signed and whom they are for is not said of it. \
             Leave that out, or create an app with access tokens."
        }
        AuthMethod::Jwt => "an app with access tokens needs no more than that.",
        AuthMethod::ResourceServer => {
            "an app that checks what others present has no access tokens and no scopes, only audiences. Leave the rest out."
        }
    }
}

fn list(problems: &[ScopeProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

impl Refusal {
    /// The code of what is too late because what was to be kept has ended, also where only that comes from another process.
    pub const OVER: &'static str = "old_half_over";

    /// A short word for scripts and the audit trail.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::RoleTooLow { .. } => "role_too_low",
            Self::RecoveryOnly => "recovery_only",
            Self::AlreadyFounded => "already_founded",
            Self::NoSuchKey => "no_such_key",
            Self::NoSuchApp => "no_such_app",
            Self::ServiceOnly => "service_only",
            Self::AppWithoutKeys { .. } => "app_without_keys",
            Self::BeyondApp { .. } => "beyond_app",
            Self::KeyLeftEmpty { .. } => "key_left_empty",
            Self::AppFull { .. } => "app_full",
            Self::BadUrl { .. } => "bad_url",
            Self::UrlList { .. } => "url_list",
            Self::TermsWithoutTokens { .. } => "terms_without_tokens",
            Self::Audiences { .. } => "audiences",
            Self::NoSuchLocation => "no_such_location",
            Self::NoSuchChannel => "no_such_channel",
            Self::ChannelBusy => "channel_busy",
            Self::ChannelUnderWay => "channel_under_way",
            Self::ChannelFull { .. } => "channel_full",
            Self::NoSuchOperator => "no_such_operator",
            Self::NameTaken { .. } => "name_taken",
            Self::BadText { .. } => "bad_text",
            Self::QuotaReached { .. } => "quota_reached",
            Self::Scopes(_) => "bad_scopes",
            Self::NoScopes => "no_scopes",
            Self::BadSignOff { .. } => "bad_sign_off",
            Self::NotNarrower { .. } => "not_narrower",
            Self::BadReportOnly { .. } => "bad_report_only",
            Self::NoReportOnly { .. } => "no_report_only",
            Self::BadExpiry(_) => "bad_expiry",
            Self::LifeTooLong { .. } => "life_too_long",
            Self::WrongState { .. } | Self::WrongAppState { .. } => "wrong_state",
            Self::RestoreTooLate { .. } => "restore_too_late",
            Self::RotatedBefore { .. } | Self::SecretRotatedBefore { .. } => "rotated_before",
            Self::InGrace { .. } | Self::SecretInGrace { .. } => "in_grace",
            Self::NotRotated { .. } => "not_rotated",
            Self::OldHalfOver { .. } | Self::NoOldSecret { .. } => Self::OVER,
            Self::SuccessorUsed { .. } | Self::SecretUsed { .. } => "successor_used",
            Self::BadGrace(_) => "bad_grace",
            Self::BadPause => "bad_pause",
            Self::ChangedMeanwhile { .. } => "changed_meanwhile",
            Self::Decoy => "decoy",
            Self::TrailKept(_) => "trail_kept",
            Self::NoChange(_) => "no_change",
            Self::ClockSuspect => "clock_suspect",
            Self::UsesIncomplete => "uses_incomplete",
            Self::UsedMeanwhile => "used_meanwhile",
            Self::BadNotice => "bad_notice",
            Self::OtherHold { .. } => "other_hold",
            Self::LastAdmin => "last_admin",
            Self::BadHeir => "bad_heir",
            Self::HeirFull { .. } => "heir_full",
            Self::LockedDown { .. } => "locked_down",
            Self::TooManyKeys { .. } => "too_many_keys",
            Self::OneByOne => "one_by_one",
            Self::Policy(_) => "bad_policy",
            Self::ListSize { .. } => "list_size",
            Self::IdTaken => "id_taken",
        }
    }
}
