//! Signing in to a store that this process has open already, on behalf of another process of this machine: the same
//! slots, the same count of failed attempts, and one attempt at a time, because each costs memory.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use super::Engine as _;
use super::error::{EngineError, OpenError};
use super::local::LocalEngine;
use super::open::{Key, Purpose, actor_of, unseal};
use super::session::{Peer, Session, Via};
use crate::crypto::CryptoError;
use crate::crypto::random::OsEntropy;
use crate::domain::Command;

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
        let (Some(header), Some(dir)) = (&self.header, self.dir()) else {
            return Err(OpenError::Unseal(CryptoError::SlotUnknown));
        };
        let (session, failed) = {
            let mut file = header.lock().unwrap_or_else(PoisonError::into_inner);
            let (unsealed, failed) = unseal(dir, self.now().time, &mut file, key, purpose)?;
            // The header may be another one by now: what it opens must be this store, and not older than it.
            if !self.keyring.opens_same(&unsealed.keyring) {
                return Err(OpenError::Unseal(CryptoError::HeaderAltered));
            }
            let generation = unsealed.header.generation();
            if generation < self.header_generation.load(Ordering::SeqCst) {
                return Err(OpenError::OldHeader);
            }
            // Opening ends a change of secret that was cut off.
            self.header_generation.fetch_max(generation, Ordering::SeqCst);
            let (actor, auth) = actor_of(key, &unsealed, &self.state())?;
            let session = Session::new(&mut OsEntropy, actor, auth, via).map_err(EngineError::from)?;
            (session.of(peer), failed)
        };
        if purpose == Purpose::Work {
            self.note_start(&session, failed)?;
        }
        Ok(session)
    }

    /// A console session is an event; a command line that only reads leaves no trace, unless somebody failed at the
    /// door before.
    pub(super) fn note_start(&self, session: &Session, failed_attempts: u32) -> Result<(), EngineError> {
        if self.doubts().is_empty() && (session.via() == Via::Console || failed_attempts > 0) {
            self.execute(session, Command::StartSession { failed_attempts })?;
        }
        Ok(())
    }
}
