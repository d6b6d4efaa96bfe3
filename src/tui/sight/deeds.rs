//! What can be done to keys, and whether the rules would let it be done now. Asks the very function that judges a
//! command when it is run, so a screen never offers what would be refused, and says why in the same words.

use super::seen::Seen;
use crate::domain::command::KeyEdit;
use crate::domain::review::About;
use crate::domain::{
    Command, Context, Counted, Event, Expiry, Grace, Key, KeyId, KeyState, Motive, Name, NewKey, Note,
    OperatorId, Place, Refusal, ReportOnly, Rotation, Timestamp, decide,
};
use crate::tui::action::{Action, Danger, Reason};

/// Something done to a key that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    Pause,
    Resume,
    Revoke,
    Delete,
    /// Bring a deleted record back.
    Restore,
    /// Say that it is needed.
    Keep,
    /// End its protection.
    Unprotect,
    /// Make it this operator's.
    Give(OperatorId),
}

impl Deed {
    /// The command for one key.
    pub fn command(self, key: KeyId) -> Command {
        match self {
            Self::Pause => Command::PauseKey(key, None),
            Self::Resume => Command::ResumeKey(key),
            Self::Revoke => Command::revoke(key),
            Self::Delete => Command::DeleteKey(key),
            Self::Restore => Command::RestoreKey(key),
            Self::Keep => Command::KeepKey(key),
            Self::Unprotect => Command::UnprotectKey(key),
            Self::Give(to) => Command::TransferKey { key, to },
        }
    }

    /// The verb on its button.
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Pause => "Pause",
            Self::Resume => "Resume",
            Self::Revoke => "Revoke",
            Self::Delete => "Delete",
            Self::Restore => "Restore",
            Self::Keep => "Keep",
            Self::Unprotect => "Unprotect",
            Self::Give(_) => "Give",
        }
    }

    /// What a key is afterwards.
    pub const fn done(self) -> &'static str {
        match self {
            Self::Pause => "paused",
            Self::Resume => "active again",
            Self::Revoke => "revoked",
            Self::Delete => "deleted",
            Self::Restore => "restored, as revoked",
            Self::Keep => "kept: days without use count anew",
            Self::Unprotect => "protected no longer: days without use count from now",
            Self::Give(_) => "another operator's now",
        }
    }

    /// The verb of the command line that takes it back, where one does for all.
    pub const fn back(self) -> Option<&'static str> {
        match self {
            Self::Pause => Some("resume"),
            Self::Resume => Some("pause"),
            Self::Delete => Some("restore"),
            Self::Restore => Some("delete"),
            Self::Revoke | Self::Keep | Self::Unprotect | Self::Give(_) => None,
        }
    }

    /// Whether it cannot be taken back, so that a name or number is asked for.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Revoke | Self::Delete)
    }

    /// Whether it takes access away.
    pub const fn danger(self) -> Danger {
        match self {
            Self::Pause | Self::Revoke | Self::Delete => Danger::Dangerous,
            Self::Resume | Self::Restore | Self::Keep | Self::Unprotect | Self::Give(_) => Danger::Safe,
        }
    }

    /// The deed an action means for keys: to pause those that work, or when none does, to resume those that are paused.
    pub fn of(action: Action, keys: &[&Key], seen: &Seen<'_>) -> Option<Self> {
        let any = |state| keys.iter().any(|key| key.state(seen.now()) == state);
        Some(match action {
            Action::Pause if any(KeyState::Paused) && !any(KeyState::Active) => Self::Resume,
            Action::Pause => Self::Pause,
            Action::Revoke => Self::Revoke,
            Action::Delete => Self::Delete,
            Action::Restore => Self::Restore,
            Action::Keep => Self::Keep,
            // To protect one asks why, which is a form.
            Action::Protect if keys.iter().all(|key| key.protection.is_some()) => Self::Unprotect,
            _ => return None,
        })
    }
}

/// The end of a key whose place another has taken.
pub fn replaced(key: KeyId) -> Command {
    Command::RevokeKey(key, Motive::replaced())
}

/// A day more for the old half of a rotation.
pub const fn longer(key: KeyId) -> Command {
    Command::LengthenGrace { key, by: Grace::DEFAULT }
}

/// The command that an action means for the rotation of one key, in its plainest form.
pub fn of_rotation(action: Action, key: KeyId, seen: &Seen<'_>) -> Option<Command> {
    let rotate = |grace| {
        let rotation = Rotation { id: None, grace, counted: Counted::FromNow, expiry: None };
        Command::RotateKey { key, rotation }
    };
    Some(match action {
        Action::Rotate => rotate(Grace::DEFAULT),
        Action::Lost => rotate(Grace::NONE),
        // Of a key without an old half it says so; of one whose old half is over, that.
        Action::FinishGrace => {
            let halves = seen.view.key(key).and_then(|key| seen.view.halves(key));
            halves
                .filter(|halves| halves.in_grace(seen.now()))
                .map_or(Command::CancelRotation(key), |halves| replaced(halves.old.id))
        }
        Action::LongerGrace => longer(key),
        Action::CancelRotation => Command::CancelRotation(key),
        Action::RotateAgain => Command::RepeatRotation(key),
        _ => return None,
    })
}

/// What a command would lead to now, as far as can be said before it is run.
pub fn rehearse(command: &Command, seen: &Seen<'_>) -> Result<Vec<Event>, Refusal> {
    let (actor, now, catalog) = (seen.view.actor(), seen.now(), seen.catalog);
    // Where uses were lost, what hangs on them comes later than this.
    let complete_since = Some(Timestamp(0));
    let (ids, minted, outlook) = (&[], None, None);
    let context = Context { actor, now, doubted: None, complete_since, catalog, ids, minted, outlook };
    decide(seen.state(), command, &context)
}

/// Why a command would be refused now, if it would.
pub fn objection(command: &Command, seen: &Seen<'_>) -> Option<Refusal> {
    // A rehearsal mints no token, and lacks nothing else when that is the only thing missing.
    rehearse(command, seen).err().filter(|refusal| *refusal != Refusal::IdTaken)
}

/// Why nothing is done about a rotation, where the rules name a command line.
fn of_halves(refusal: &Refusal) -> Reason {
    match refusal {
        Refusal::InGrace { .. } => {
            "its old half still works, and more than two secrets are never alive".into()
        }
        Refusal::OldHalfOver { .. } => "the old half has ended, and what has ended stays so".into(),
        Refusal::NotRotated { .. } => "it is no half of a rotation".into(),
        Refusal::SuccessorUsed { .. } => {
            "the new secret is in use: end the old half, then rotate again".into()
        }
        _ => refusal.to_string().into(),
    }
}

/// Whether something may be changed: refused for any reason but that nothing would change means refused.
pub fn may_edit(same: &Command, seen: &Seen<'_>) -> Result<(), Reason> {
    match objection(same, seen) {
        None | Some(Refusal::NoChange(_) | Refusal::Scopes(_) | Refusal::NoScopes) => Ok(()),
        Some(refusal) => Err(refusal.to_string().into()),
    }
}

/// Whether it may be done to any of them; else why not to the first.
fn any_may(keys: &[&Key], may: impl Fn(&&Key) -> Result<(), Reason>) -> Result<(), Reason> {
    let mut judged = keys.iter().map(may);
    let of_first = judged.next().unwrap_or(Ok(()));
    if of_first.is_ok() || judged.any(|judged| judged.is_ok()) { Ok(()) } else { of_first }
}

/// Those of `keys` the deed is possible for.
pub fn possible(deed: Deed, keys: &[KeyId], seen: &Seen<'_>) -> Vec<KeyId> {
    keys.iter().copied().filter(|key| objection(&deed.command(*key), seen).is_none()).collect()
}

/// Why the deed is not possible for the others of `keys`: each reason, and for which.
pub fn impossible(deed: Deed, keys: &[KeyId], seen: &Seen<'_>) -> Vec<(Vec<KeyId>, String)> {
    objections(keys.iter().map(|key| deed.command(*key)), seen)
}

/// Why some of these commands would be refused now: each reason, and for which keys.
pub fn objections(commands: impl Iterator<Item = Command>, seen: &Seen<'_>) -> Vec<(Vec<KeyId>, String)> {
    let mut reasons: Vec<(Vec<KeyId>, String)> = Vec::new();
    for command in commands {
        let Some((key, why)) = command.key().zip(objection(&command, seen)) else { continue };
        let why = why.to_string();
        match reasons.iter_mut().find(|(_, known)| *known == why) {
            Some((keys, _)) => keys.push(key),
            None => reasons.push((vec![key], why)),
        }
    }
    reasons
}

/// Whether a key of this place could be issued at all, whatever its name and scopes.
pub fn may_issue(place: Place, seen: &Seen<'_>) -> Result<(), Refusal> {
    // A name nobody has typed, and no scopes: what is refused for these alone is no refusal of the wish itself.
    let Ok(name) = Name::new("-") else { return Ok(()) };
    let new = NewKey {
        name,
        place,
        scopes: Vec::new(),
        expiry: Some(Expiry::Never),
        note: Note::default(),
        decoy: false,
    };
    match objection(&Command::IssueKey(new), seen) {
        Some(
            refusal @ (Refusal::SignedOut
            | Refusal::RoleTooLow { .. }
            | Refusal::RecoveryOnly
            | Refusal::QuotaReached { .. }
            | Refusal::NoSuchLocation
            | Refusal::NoSuchApp
            | Refusal::WrongAppState { .. }
            | Refusal::AppWithoutKeys { .. }
            | Refusal::AppFull { .. }),
        ) => Err(refusal),
        _ => Ok(()),
    }
}

/// Why an action on `keys` is not possible, if it is not.
pub fn enabled(action: Action, keys: &[KeyId], seen: &Seen<'_>) -> Result<(), Reason> {
    let found: Vec<&Key> = keys.iter().filter_map(|id| seen.view.key(*id)).collect();
    let Some(first) = found.first() else { return Err("there is no key here".into()) };
    let (id, alone) = (first.id, found.len() == 1);
    let one = |what: &str| Err(format!("{what} one key at a time; A removes the marks").into());
    match action {
        Action::Edit => {
            // Of many it is the end that is changed, and that is another for any that may be changed at all.
            let same = |key: &&Key| {
                let change = KeyEdit::of(key);
                may_edit(&Command::EditKey { key: key.id, change, basis: None }, seen)
            };
            return any_may(&found, same);
        }
        Action::Duplicate if alone => {
            return may_issue(first.place, seen).map_err(|refusal| refusal.to_string().into());
        }
        Action::Duplicate => return one("keys are duplicated"),
        // To whom is asked later: whether a key may be given at all does not hang on that.
        Action::Transfer => {
            return any_may(&found, |key| {
                may_edit(&Command::TransferKey { key: key.id, to: key.owner }, seen)
            });
        }
        Action::Scopes => {
            return any_may(&found, |key| {
                let scopes = key.scopes.iter().map(ToString::to_string).collect();
                may_edit(&Command::RescopeKey { key: key.id, scopes, basis: None }, seen)
            });
        }
        Action::Narrow if alone && About::key(seen.view, first).surplus().is_empty() => {
            return Err("there is no scope to take away: each was needed, or that is not known".into());
        }
        Action::Narrow if alone => return enabled(Action::Scopes, keys, seen),
        Action::ReportOnly if alone => {
            let scopes = first.scopes.iter().map(ToString::to_string).collect();
            let begin = Command::BeginReportOnly { key: id, scopes, days: ReportOnly::DAYS };
            let may = may_edit(&begin, seen);
            return if may.is_ok() && first.scopes.len() == 1 && first.reports_only().is_none() {
                Err("it has one scope, and without that it could do nothing".into())
            } else {
                may
            };
        }
        Action::Narrow => return one("what no request needed is taken from"),
        Action::ReportOnly => return one("fewer scopes are tried with"),
        Action::Protect if found.iter().any(|key| key.protection.is_none()) => {
            // A reason that nobody has typed yet.
            let Ok(why) = Note::new("-") else { return Ok(()) };
            return any_may(&found, |key| {
                may_edit(&Command::ProtectKey { key: key.id, why: why.clone() }, seen)
            });
        }
        _ => {}
    }
    if let Some(command) = of_rotation(action, first.id, seen) {
        if !alone && action != Action::Rotate {
            return one("keys are rotated");
        }
        let rotates = |key: &&Key| {
            of_rotation(action, key.id, seen).is_some_and(|command| objection(&command, seen).is_none())
        };
        if !alone && found.iter().any(rotates) {
            return Ok(());
        }
        return objection(&command, seen).map_or(Ok(()), |refusal| Err(of_halves(&refusal)));
    }
    let Some(deed) = Deed::of(action, &found, seen) else { return Ok(()) };
    match objection(&deed.command(first.id), seen) {
        Some(refusal) if found.len() == 1 => Err(refusal.to_string().into()),
        Some(refusal) if possible(deed, keys, seen).is_empty() => {
            Err(format!("none of the {} marked keys can be {}: {refusal}", found.len(), deed.done()).into())
        }
        _ => Ok(()),
    }
}
