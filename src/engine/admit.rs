//! Signing in to a store that this process has open already, on behalf of another process of this machine: the same
//! slots, and wrong secrets held against the process that sent them.

use std::sync::PoisonError;

use super::doors;
use super::error::{EngineError, OpenError};
use super::local::LocalEngine;
use super::open::{Key, actor_of, label_of, unlock, unproven};
use super::session::Purpose;
use super::session::{Peer, Session, Via};
use crate::crypto::header::Header;
use crate::crypto::random::OsEntropy;
use crate::crypto::{CryptoError, Keyring};
use crate::domain::Command;
use crate::store::CommitError;

/// As many sign-ins are remembered while the disk takes none.
const UNTOLD: usize = 64;

impl LocalEngine {
    /// Tries a secret and makes the session it opens. What the audit trail will say of it names `peer`.
    pub fn admit(&self, key: &Key<'_>, via: Via, peer: Peer) -> Result<Session, OpenError> {
        self.admit_for(Purpose::Work, key, via, peer)
    }

    /// The same for somebody who only looks: signing in leaves no trace.
    pub fn admit_to_look(&self, key: &Key<'_>, via: Via, peer: Peer) -> Result<Session, OpenError> {
        self.admit_for(Purpose::Looking, key, via, peer)
    }

    fn admit_for(&self, purpose: Purpose, key: &Key<'_>, via: Via, peer: Peer) -> Result<Session, OpenError> {
        let no_slots = || OpenError::Unseal(CryptoError::SlotUnknown);
        let dir = self.dir().ok_or_else(no_slots)?;
        let attempt = self.callers.attempt(peer.pid, dir, self.clock.read().since_boot)?;
        let belied = {
            let state = self.state();
            state.proof().belies_slots(state.header())
        };
        if belied {
            return Err(unproven(self.doubts()));
        }
        let counting = |header: &Header| {
            let state = self.state();
            doors::counting(header, state.header(), state.proof().may_be_old_slots())
        };
        let (header, unlocked) = {
            let _alone = self.callers.hashing();
            let header = self.held().ok_or_else(no_slots)?.current().map_err(OpenError::Unseal)?;
            let unlocked = attempt.judge(unlock(&header, key, counting(&header)))?;
            (header, unlocked)
        };
        // The header may be another one by now: what it opens must be this store, and not older than it.
        if !self.keyring.opens_same(&Keyring::new(unlocked.root, header.store())) {
            return Err(OpenError::Unseal(CryptoError::HeaderAltered));
        }
        if header.generation() < self.state().header().generation {
            return Err(OpenError::OldHeader);
        }
        // Hashing takes a while: the secret may have been replaced meanwhile.
        if !counting(&header)(unlocked.slot) {
            return attempt.judge(Err(CryptoError::WrongSecret));
        }
        let (actor, auth) = actor_of(key, label_of(&header, unlocked.slot), &self.state())?;
        let admitted = {
            let state = self.state();
            state.operator(actor.operator).is_some_and(|operator| state.proof().admits(operator))
        };
        if !admitted {
            return Err(unproven(self.doubts()));
        }
        let session = Session::new(&mut OsEntropy, actor, auth, via).map_err(EngineError::from)?.of(peer);
        let failed = attempt.passed(purpose);
        if purpose == Purpose::Work {
            self.note_start(&session, failed)?;
        }
        Ok(session)
    }

    /// A console session is an event; a command line that only reads leaves no trace, unless somebody failed at the
    /// door before. A disk that does not take it keeps nobody out: who comes may be about to take access away.
    pub(super) fn note_start(&self, session: &Session, failed_attempts: u32) -> Result<(), EngineError> {
        if !self.doubts().is_empty() || (session.via() != Via::Console && failed_attempts == 0) {
            return Ok(());
        }
        let Err(error) = self.execute(session, Command::StartSession { failed_attempts }) else {
            return Ok(());
        };
        let EngineError::Commit(why) = &error else { return Err(error) };
        match why {
            // Whether it was written the ledger finds out.
            CommitError::Unknown(_) => {}
            CommitError::Unavailable(_) | CommitError::ReadOnly(_) => {
                let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
                if untold.len() < UNTOLD {
                    untold.push((session.clone(), failed_attempts));
                }
            }
            CommitError::Conflict { .. } | CommitError::TooLarge { .. } | CommitError::Invalid(_) => {
                return Err(error);
            }
        }
        tracing::warn!(%error, "a sign-in could not be written into the audit trail");
        Ok(())
    }

    /// Tells the trail of those who signed in while the disk did not take it.
    pub(super) fn tell_of_starts(&self) {
        let mut untold =
            std::mem::take(&mut *self.untold.lock().unwrap_or_else(PoisonError::into_inner)).into_iter();
        while let Some((session, failed_attempts)) = untold.next() {
            if self.execute(&session, Command::StartSession { failed_attempts }).is_err() {
                let mut again = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
                again.push((session, failed_attempts));
                again.extend(untold);
                return;
            }
        }
    }
}
