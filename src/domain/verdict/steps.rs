//! A decision told step by step, in the order in which a verifier takes the steps: for whoever asks why a token is
//! refused. Made of the reason alone, so it can say nothing the decision did not.

use super::{Decision, Reason};

/// One thing that is asked of every token. The order is that of the verifier and of [`super::judge`]: what is final
/// comes before what time or people may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// Length, alphabet, prefix, checksum.
    Form,
    /// Whether the store knows its id.
    Known,
    /// Whether the prefix names the kind of the record.
    Kind,
    /// Whether the secret is the one that was issued.
    Secret,
    /// Whether the store can vouch for what it holds.
    Store,
    /// Whether the record is still there.
    Kept,
    /// Whether nobody ended it for good.
    NotRevoked,
    /// Whether its time is not over.
    InTime,
    /// Whether it is no decoy.
    Real,
    /// Whether no lockdown covers it.
    NotLockedDown,
    /// Whether its owner's keys work.
    Owner,
    /// Whether its location is open.
    Location,
    /// Whether its app works.
    App,
    /// Whether nobody stopped it for a while.
    NotPaused,
    /// Whether it holds what the request needs.
    Scopes,
}

impl Question {
    /// All, in order.
    pub const ALL: [Self; 15] = [
        Self::Form,
        Self::Known,
        Self::Kind,
        Self::Secret,
        Self::Store,
        Self::Kept,
        Self::NotRevoked,
        Self::InTime,
        Self::Real,
        Self::NotLockedDown,
        Self::Owner,
        Self::Location,
        Self::App,
        Self::NotPaused,
        Self::Scopes,
    ];

    /// The word for scripts.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Known => "known",
            Self::Kind => "kind",
            Self::Secret => "secret",
            Self::Store => "store",
            Self::Kept => "not_deleted",
            Self::NotRevoked => "not_revoked",
            Self::InTime => "not_expired",
            Self::Real => "not_decoy",
            Self::NotLockedDown => "not_locked_down",
            Self::Owner => "owner",
            Self::Location => "location",
            Self::App => "app",
            Self::NotPaused => "not_paused",
            Self::Scopes => "scopes",
        }
    }

    /// What holds when it is passed.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Form => "form: length, alphabet, prefix, checksum",
            Self::Known => "known: issued by this store",
            Self::Kind => "kind: the prefix is the record's",
            Self::Secret => "secret: the one that was issued",
            Self::Store => "store: vouches for the record",
            Self::Kept => "not deleted",
            Self::NotRevoked => "not revoked",
            Self::InTime => "not expired",
            Self::Real => "not a decoy",
            Self::NotLockedDown => "not locked down",
            Self::Owner => "owner: their keys work",
            Self::Location => "location: none, or open",
            Self::App => "app: none, or works",
            Self::NotPaused => "not paused",
            Self::Scopes => "scopes: all that the request needs",
        }
    }
}

/// How a question was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As it should be.
    Passed,
    /// Refused here, and why.
    Failed(Reason),
    /// Nobody asked: it was refused before.
    NotReached,
}

/// A question and its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// What was asked.
    pub question: Question,
    /// What came of it.
    pub outcome: Outcome,
}

/// Where a reason refuses.
pub const fn question_of(reason: Reason) -> Question {
    match reason {
        Reason::Malformed => Question::Form,
        Reason::Unknown => Question::Known,
        Reason::KindMismatch => Question::Kind,
        Reason::MacMismatch | Reason::Rate => Question::Secret,
        Reason::StoreError => Question::Store,
        Reason::Tombstoned => Question::Kept,
        Reason::Revoked => Question::NotRevoked,
        Reason::Expired => Question::InTime,
        Reason::Decoy => Question::Real,
        Reason::LockedDown => Question::NotLockedDown,
        Reason::OwnerDisabled => Question::Owner,
        Reason::LocationDisabled => Question::Location,
        Reason::AppDisabled => Question::App,
        Reason::Disabled => Question::NotPaused,
        Reason::Scope => Question::Scopes,
    }
}

/// A decision, step by step.
pub fn steps(decision: &Decision) -> Vec<Step> {
    let failed = decision.reason().map(|reason| (question_of(reason), reason));
    let step = |question| {
        let outcome = match failed {
            Some((at, reason)) if at == question => Outcome::Failed(reason),
            Some((at, _)) if question > at => Outcome::NotReached,
            _ => Outcome::Passed,
        };
        Step { question, outcome }
    };
    Question::ALL.into_iter().map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::{Bearer, judge};
    use crate::domain::{Expiry, KeyId, Scopes, Timestamp};

    const REASONS: [Reason; 15] = [
        Reason::Malformed,
        Reason::Unknown,
        Reason::KindMismatch,
        Reason::MacMismatch,
        Reason::StoreError,
        Reason::Tombstoned,
        Reason::Revoked,
        Reason::Expired,
        Reason::Decoy,
        Reason::LockedDown,
        Reason::OwnerDisabled,
        Reason::LocationDisabled,
        Reason::AppDisabled,
        Reason::Disabled,
        Reason::Scope,
    ];

    fn key() -> Bearer {
        let id: KeyId = "7HqP2mVx9KtR".parse().unwrap();
        Bearer::Key(id)
    }

    fn allow() -> Decision {
        let scopes = Scopes::new(["contacts.read".parse().unwrap()]).unwrap();
        judge(key(), None, Expiry::Never, &scopes, &[], Timestamp(0))
    }

    #[test]
    fn an_allow_passes_every_question() {
        let all = steps(&allow());
        assert_eq!(all.len(), Question::ALL.len());
        assert!(all.iter().all(|step| step.outcome == Outcome::Passed));
    }

    #[test]
    fn every_reason_fails_one_question_and_nothing_after_it_is_asked() {
        for (at, reason) in REASONS.into_iter().enumerate() {
            let all = steps(&Decision::deny(reason, None));
            let outcomes: Vec<Outcome> = all.iter().map(|step| step.outcome).collect();
            assert_eq!(outcomes[at], Outcome::Failed(reason), "{reason}");
            assert!(outcomes[..at].iter().all(|outcome| *outcome == Outcome::Passed), "{reason}");
            assert!(outcomes[at + 1..].iter().all(|outcome| *outcome == Outcome::NotReached), "{reason}");
        }
    }

    #[test]
    fn who_tried_too_often_is_told_that_the_secret_was_not_looked_at() {
        assert_eq!(question_of(Reason::Rate), Question::Secret);
    }

    #[test]
    fn the_order_is_that_of_the_judge() {
        // Of two reasons to refuse, the judge names the one whose question comes first.
        let scopes = Scopes::new(["contacts.read".parse().unwrap()]).unwrap();
        let wanted = ["contacts.write".parse().unwrap()];
        let over = Expiry::At(Timestamp(1));
        let mut last = Question::Store;
        for closed in [
            Some(Reason::Tombstoned),
            Some(Reason::Revoked),
            Some(Reason::Decoy),
            Some(Reason::LockedDown),
            Some(Reason::OwnerDisabled),
            Some(Reason::Disabled),
            None,
        ] {
            let decided = judge(key(), closed, over, &scopes, &wanted, Timestamp(2));
            let question = question_of(decided.reason().unwrap());
            assert!(question >= last, "{closed:?}");
            last = question;
            let in_time = judge(key(), closed, Expiry::Never, &scopes, &wanted, Timestamp(2));
            assert!(question_of(in_time.reason().unwrap()) >= question, "{closed:?}");
        }
    }
}
