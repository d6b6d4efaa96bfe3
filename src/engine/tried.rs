//! Was this token ever tried here? For somebody who found one where it should not be. An admin's question, since the
//! answer may be about anybody's key, and the trail says that it was asked.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use minicbor::{Decode, Encode};

use super::audit_log::Trail;
use super::error::EngineError;
use super::ledger::Head;
use super::rows::open_row;
use crate::domain::audit::{Entry, SubjectLine, TriesLine};
use crate::domain::trace::Sighting;
use crate::domain::{Bearer, Reason, State, Timestamp, Usage};
use crate::store::StoreError;

/// Entries told one by one; older ones are counted.
const TOLD: usize = 1_000;

/// What is known of a presented text.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Tried {
    /// Its fingerprint: how the trail names it where nobody recognised it.
    #[n(0)]
    pub fingerprint: String,
    /// Whom it speaks for, when this store recognises it.
    #[n(1)]
    pub speaks_for: Option<Party>,
    /// How often it was allowed. Of an access token: how often any of its app was.
    #[n(2)]
    pub usage: Usage,
    /// Where the last allowed request came from.
    #[n(3)]
    pub seen: Option<Sighting>,
    /// How often it was refused.
    #[n(4)]
    pub refused: u64,
    /// When, the newest first: one line for each entry of the trail, as many as can be told.
    #[n(5)]
    pub tries: Vec<Try>,
    /// The entry after which the trail was read: those up to it are no longer in the store.
    #[n(6)]
    pub base: u64,
}

/// A key or an app, by name.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Party {
    /// `key` or `app`.
    #[n(0)]
    pub kind: String,
    /// Its id.
    #[n(1)]
    pub id: String,
    /// Its name.
    #[n(2)]
    pub name: String,
}

/// What one entry of the trail says of the text.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Try {
    /// Number of the entry.
    #[n(0)]
    pub seq: u64,
    /// The word for why it was refused.
    #[n(1)]
    pub reason: String,
    /// How often.
    #[n(2)]
    pub n: u64,
    /// When first.
    #[n(3)]
    pub first: Timestamp,
    /// When last.
    #[n(4)]
    pub last: Timestamp,
    /// Where from the last time.
    #[n(5)]
    pub address: Option<String>,
}

impl Tried {
    /// Whether it was never tried, as far as is known.
    pub const fn is_never(&self) -> bool {
        self.refused == 0 && self.usage.count == 0
    }
}

/// What is known before the trail is read, and what an entry must say to be about the text.
pub(super) struct Search {
    tried: Tried,
    /// The key or app whose secret it is.
    subject: Option<(&'static str, String)>,
}

impl Search {
    /// For a text with this fingerprint, which speaks for `bearer`.
    pub fn of(state: &State, fingerprint: String, bearer: Option<Bearer>) -> Self {
        let (usage, trace, subject) = match bearer {
            Some(Bearer::Key(id)) => (state.usage(id), state.trace(id), Some(("key", id.to_string()))),
            Some(Bearer::App(id)) => {
                (state.app_usage(id), state.app_trace(id), Some(("app", id.to_string())))
            }
            None => (Usage::default(), None, None),
        };
        let line = bearer.and_then(|bearer| SubjectLine::of_bearer(state, bearer));
        let speaks_for = line.map(|line| Party { kind: line.kind, id: line.id, name: line.name });
        // Of the last use itself: an older request's address would be a wrong answer.
        let seen = trace.and_then(|trace| trace.of_last_use(usage)).cloned();
        let tried = Tried { fingerprint, speaks_for, usage, seen, refused: 0, tries: Vec::new(), base: 0 };
        Self { tried, subject }
    }

    fn find(&self, entry: &Entry) -> Option<Try> {
        let tries = entry.tries.as_ref()?;
        let reason = entry.reason.clone().unwrap_or_default();
        let seq = entry.seq;
        if let Some(token) = tries.tokens.iter().find(|token| token.fp == self.tried.fingerprint) {
            let (first, last) = (Timestamp(token.first), Timestamp(token.last));
            return Some(Try { seq, reason, n: token.n, first, last, address: token.address.clone() });
        }
        // What named a key and was not recognised was another text.
        let (kind, id) = self.subject.as_ref()?;
        let theirs = |subject: &SubjectLine| subject.kind == *kind && subject.id == *id;
        let recognised = !matches!(
            Reason::of_code(&reason),
            None | Some(Reason::MacMismatch | Reason::KindMismatch | Reason::Rate)
        );
        let TriesLine { n, first, last, address, .. } = tries.clone();
        (recognised && entry.subjects.iter().any(theirs)).then_some(Try {
            seq,
            reason,
            n,
            first: Timestamp(first),
            last: Timestamp(last),
            address,
        })
    }

    /// Reads the trail, which is known to begin after entry `base`, to its end, which is known to be at `known`.
    pub fn through(self, trail: Trail<'_>, known: Head, base: u64) -> Result<Tried, EngineError> {
        let mut tries: VecDeque<Try> = VecDeque::new();
        let mut refused: u64 = 0;
        let (sealer, chain) = (trail.keyring.sealer(), trail.keyring.audit_chain());
        let mut broken = None;
        let mut read = 0;
        trail.walk(base, known, &mut |seq, value| {
            read += 1;
            match open_row(&sealer, &chain, seq, value) {
                Ok(opened) => {
                    let entry = serde_json::from_str::<Entry>(&opened.body).ok();
                    if let Some(found) = entry.and_then(|entry| self.find(&entry)) {
                        refused = refused.saturating_add(found.n);
                        tries.push_front(found);
                        tries.truncate(TOLD);
                    }
                    ControlFlow::Continue(())
                }
                // "Never" would be a guess.
                Err(error) => {
                    broken = Some(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        match broken {
            Some(error) => Err(EngineError::from(error)),
            None if base + read < known.seq => {
                let missing = format!("{} entries of the audit trail are missing", known.seq - base - read);
                Err(StoreError::Damaged(missing).into())
            }
            None => Ok(Tried { refused, tries: tries.into(), base, ..self.tried }),
        }
    }
}
