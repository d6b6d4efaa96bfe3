//! What the trail tells of an event: each field with what it was and what it became.

use super::{Change, Event};
use crate::domain::app::Previous;
use crate::domain::lifecycle::Told;
use crate::domain::review::Signed;
use crate::domain::{App, Cycle, Expiry, Hold, Key, Lockdown, Motive, ReportOnly};

impl Event {
    /// The fields that changed.
    #[expect(clippy::too_many_lines, reason = "an arm for each event")]
    pub fn changes(&self) -> Vec<Change> {
        let one = |field: &str, from: String, to: String| vec![Change { field: field.into(), from, to }];
        match self {
            Self::RoleSet(o, before) => one("role", before.to_string(), o.role.to_string()),
            Self::OperatorAdded(o) => one("role", String::new(), o.role.to_string()),
            Self::OperatorDisabled(o) => {
                let keys = if o.standing.keys_work() { "keys work" } else { "keys stopped" };
                one("standing", "active".into(), format!("disabled, {keys}"))
            }
            Self::OperatorEnabled(_) => one("standing", "disabled".into(), "active".into()),
            Self::KeyGiven(_, to, _) | Self::AppGiven(_, to) => {
                one("owner", String::new(), to.name.to_string())
            }
            Self::LocationRenamed(l, before) => one("name", before.to_string(), l.name.to_string()),
            Self::LockedDown(locked) => {
                let why = locked.lockdown().map_or_else(String::new, |lockdown| lockdown.why.to_string());
                if why.is_empty() { Vec::new() } else { one(Lockdown::WHY, String::new(), why) }
            }
            Self::LockdownLifted(locked) => {
                let since = locked.lockdown().map_or_else(String::new, |lockdown| lockdown.since.to_string());
                one("locked down since", since, String::new())
            }
            Self::KeyIssued(k) | Self::KeyImported(k) => {
                let mut all = one("scopes", String::new(), k.scopes.to_string());
                all.extend(one("expires", String::new(), k.expiry.to_string()));
                if k.is_decoy() {
                    all.extend(one("decoy", String::new(), "opens nothing, rings".into()));
                }
                all
            }
            Self::KeySucceeded(k, before) if k.expiry == *before => {
                one("expires", String::new(), k.expiry.to_string())
            }
            // Told apart from the rotation, which lengthens no life.
            Self::KeySucceeded(k, before) => one("extended", before.to_string(), k.expiry.to_string()),
            Self::KeySuperseded(k, before) => match k.superseded.as_ref().and_then(|how| how.waits) {
                Some(grace) => one(
                    "old half ends",
                    before.to_string(),
                    format!("{grace} after the first use of the new one"),
                ),
                None => one("old half ends", before.to_string(), k.expiry.to_string()),
            },
            Self::KeyPaused(Key { pause_ends: Some(at), .. }, _) => {
                one("resumes", String::new(), at.to_string())
            }
            Self::AppSecretRenewed(a) => old_secret(Expiry::Never, a),
            Self::AppSecretEnds(a, before) | Self::AppSecretReinstated(a, before) => old_secret(*before, a),
            Self::AppSecretMissed(_, at) => one(Told::MISSED, String::new(), at.to_string()),
            Self::KeyReinstated(k, before) => one("expires", before.to_string(), k.expiry.to_string()),
            Self::ReviewSigned(signed) => {
                let looked =
                    signed.looked.iter().map(|looked| (looked.code.as_str(), looked.count.to_string()));
                let note = (Signed::NOTE, signed.note.to_string());
                let told = looked.chain([note].into_iter().filter(|(_, note)| !note.is_empty()));
                told.flat_map(|(field, to)| one(field, String::new(), to)).collect()
            }
            Self::ReviewKept(k) => {
                let why = k.kept.as_ref().map_or_else(String::new, |kept| kept.why.to_string());
                one(Signed::KEPT, String::new(), why)
            }
            Self::ReportOnlyBegun(k) => {
                let told =
                    |of: fn(&ReportOnly) -> String| k.report_only.as_deref().map(of).unwrap_or_default();
                let mut all =
                    one("report only", k.scopes.to_string(), told(|tried| tried.scopes.to_string()));
                all.extend(one("until", String::new(), told(|tried| tried.until.to_string())));
                all
            }
            Self::KeyRescoped(k, before) | Self::ReportOnlyEnforced(k, before) => {
                one("scopes", before.to_string(), k.scopes.to_string())
            }
            Self::AppCreated(a) => one("scopes", String::new(), a.scopes.to_string()),
            Self::AppEdited(after, before) => different(before.edited(), after.edited()),
            Self::KeyEdited(after, before) => different(before.edited(), after.edited()),
            Self::TokenRevoked(_, tokens) => {
                let token = tokens.tokens.last().map_or_else(|| "all".into(), |t| t.token.to_string());
                one("token", String::new(), token)
            }
            Self::SigningKeyAdded(keys) => {
                let number = keys.keys.last().map_or(0, |key| key.number);
                one("signing key", String::new(), number.to_string())
            }
            Self::ClockConfirmed(believed, wall) => one("clock", believed.to_string(), wall.to_string()),
            Self::PolicySet(_, rule, from, to) => one(rule, from.clone(), to.clone()),
            Self::NoticeGiven(k, cycle, told) => given(k, cycle, *told),
            Self::NoticeSeen(_, _, seen) => {
                let until = seen.until.map_or_else(|| "its next step".to_owned(), |at| at.to_string());
                one("notice", seen.kind.code().to_owned(), format!("not shown until {until}"))
            }
            Self::KeyProtected(k) => one(
                "protected",
                String::new(),
                k.protection.as_ref().map_or_else(String::new, |p| p.why.to_string()),
            ),
            Self::KeyHandedOver(Key { handed, .. }) | Self::AppHandedOver(App { handed, .. }) => {
                let way = handed.as_ref().map_or_else(String::new, |handed| handed.way.to_string());
                one("handed over", String::new(), way)
            }
            Self::DeletionsHeld(hold, new) => {
                let mut all = one("deletions held", String::new(), hold.keys.len().to_string());
                all.extend(one(Hold::NEW, String::new(), new.to_string()));
                all
            }
            Self::StorePutBack(hold, missing) => {
                let made = hold.put_back.map_or_else(String::new, |made| made.to_string());
                let mut all = one("backup of", String::new(), made);
                if *missing > 0 {
                    all.extend(one("entries missing", String::new(), missing.to_string()));
                }
                all
            }
            Self::Upgraded { from, to } => one("format", from.to_string(), to.to_string()),
            Self::BackedUp { sum, seq } => {
                let hex = sum.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
                let mut all = one(super::BACKUP_SUM, String::new(), hex);
                all.extend(one("up to entry", String::new(), seq.to_string()));
                all
            }
            Self::AuditTrimmed(upto, head, file) => {
                let mut all = one("entries up to", String::new(), upto.to_string());
                all.extend(one("hash", String::new(), head.clone()));
                all.extend(one(Self::TRIMMED_INTO, String::new(), file.clone()));
                all
            }
            Self::HoldConfirmed(hold) => one("deletions held", String::new(), hold.keys.len().to_string()),
            Self::ChannelMoved(after, before) => match before {
                Some(before) => different(before.edited(), after.edited()),
                None => one("entry", String::new(), after.upto.to_string()),
            },
            Self::KeyRevoked(k) => k.motive.iter().flat_map(|motive| told(motive)).collect(),
            Self::KeyPurged(_, before) => one("name", before.name.to_string(), String::new()),
            Self::SessionStarted(failed) if *failed > 0 => {
                one("failed attempts before", "0".into(), failed.to_string())
            }
            Self::AgencyFounded(..)
            | Self::SessionStarted(_)
            | Self::SessionEnded
            | Self::AgencyViewOpened
            | Self::AuditRead
            | Self::AuditExported
            | Self::BackupBegun
            | Self::SecretSet(_)
            | Self::RecoveryRenewed
            | Self::LocationAdded(_)
            | Self::LocationRemoved(_)
            | Self::KeyPaused(..)
            | Self::KeyResumed(..)
            | Self::KeyDeleted(_)
            | Self::KeyRestored(_)
            | Self::KeyKept(_)
            | Self::ReportOnlyDropped(_)
            | Self::KeyUnprotected(..)
            | Self::NoticesRenewed(..)
            | Self::AppSecretEnded(_)
            | Self::AppPaused(_)
            | Self::AppResumed(_)
            | Self::AppDeleted(_)
            | Self::AppTokensEnded(_) => Vec::new(),
        }
    }
}

/// Which notice was given of a key, and whether something was told of it before.
fn given(key: &Key, cycle: &Cycle, told: Told) -> Vec<Change> {
    let (field, to) = match told {
        Told::Unused { days, deletes_at } => (Told::UNUSED, format!("{deletes_at}, told {days} d before")),
        Told::Ends { at, .. } if key.superseded.is_some() => (Told::MISSED, at.to_string()),
        Told::Ends { days: 0, at } => (Told::ENDED, at.to_string()),
        Told::Presented { at } if key.is_laid() => (Told::RANG, at.to_string()),
        Told::Presented { at } => (Told::PRESENTED, at.to_string()),
        Told::Ends { days, at } => (Told::ENDS, format!("{at}, told {days} d before")),
    };
    let is_step = field == Told::UNUSED || field == Told::ENDS;
    let from = if is_step && !told.is_first(cycle) { "told before" } else { "" };
    vec![Change { field: field.into(), from: from.into(), to }]
}

/// When the secret an app had before ends, and would have.
fn old_secret(before: Expiry, app: &App) -> Vec<Change> {
    let from = before.to_string();
    let to = app.previous().map_or_else(|| Expiry::Never.to_string(), Previous::end);
    if from == to { Vec::new() } else { vec![Change { field: "old secret ends".into(), from, to }] }
}

/// Why a key was revoked, word and words apart.
fn told(motive: &Motive) -> impl Iterator<Item = Change> {
    let fields = [(Motive::REASON, motive.why.code()), (Motive::BECAUSE, motive.because.as_str())];
    let said = fields.into_iter().filter(|(_, to)| !to.is_empty());
    said.map(|(field, to)| Change { field: field.into(), from: String::new(), to: to.into() })
}

fn different<const N: usize>(
    before: [(&'static str, String); N],
    after: [(&'static str, String); N],
) -> Vec<Change> {
    before
        .into_iter()
        .zip(after)
        .filter(|((_, from), (_, to))| from != to)
        .map(|((field, from), (_, to))| Change { field: field.into(), from, to })
        .collect()
}
