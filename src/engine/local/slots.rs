//! Commands that go with a change of the header. It is held from before they are judged until it says what they came to.

use std::sync::PoisonError;

use super::LocalEngine;
use crate::crypto::CryptoError;
use crate::crypto::header::{Header, Unlock};
use crate::crypto::slots::{NewSlot, SlotSecret};
use crate::domain::authorize::acting;
use crate::domain::command::About;
use crate::domain::{Access, Command, Refusal, Role, Timestamp};
use crate::engine::doors::Held;
use crate::engine::{Brought, Done, Doors, EngineError, Session};

impl LocalEngine {
    /// The header, held until dropped; none for a store in memory, which is never unsealed again: its operators are names.
    pub(in crate::engine) fn held(&self) -> Option<Held<'_>> {
        let file = self.header.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        Some(Held { file, root: self.keyring.root(), state: &self.state })
    }

    /// Makes a store of a keydeck of before one that only this and newer ones open.
    pub(in crate::engine) fn upgrade(&self, session: &Session) -> Result<(), EngineError> {
        // A store in doubt is written to by nobody.
        let Some(mut held) = self.held().filter(|_| self.doubts.is_empty()) else { return Ok(()) };
        held.upgrade(|from, named| {
            self.run_naming(session, &Command::Upgrade { from, to: Header::FORMAT }, named)
        })
    }

    pub(super) fn see_doors(&self, session: &Session) -> Result<Doors, EngineError> {
        let (own, sees_all) = {
            let state = self.state();
            let operator = acting(&state, &session.actor())?;
            let sees_all = operator.role == Role::Admin && session.actor().access != Access::Recovery;
            (operator.name.clone(), sees_all)
        };
        let Some(mut held) = self.held() else { return Ok(Doors::default()) };
        let slots = held.doors(&own, sees_all)?;
        let sealed_at = self.dir().and_then(|dir| {
            let written = std::fs::metadata(dir.join("seal")).and_then(|file| file.modified()).ok()?;
            let since = written.duration_since(std::time::UNIX_EPOCH).ok()?;
            Some(Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
        });
        Ok(Doors { dir: self.dir().map(|dir| dir.display().to_string()), slots, sealed_at })
    }

    /// Ends the access a command is about, and takes the slots away that go with it.
    pub(super) fn shut_out(&self, session: &Session, command: &Command) -> Result<Done, EngineError> {
        let Some(mut held) = self.held() else { return self.run(session, command) };
        // Whether there is such an operator is the command's to say.
        let name = self.name_of(command).unwrap_or_default();
        held.shut_out(&name, |named| self.run_naming(session, command, named))
    }

    /// Makes a new recovery code.
    pub(super) fn renew_recovery(&self, session: &Session, command: &Command) -> Result<Done, EngineError> {
        let mut held = self.held().ok_or(CryptoError::SlotUnknown)?;
        self.rehearse(session, command)?;
        held.renew_recovery(self.now_ms(), |named| self.run_naming(session, command, named))
    }

    /// Gives a slot to the one a command lets in, and lets them in. Who they are is asked only if the command may be given.
    pub(super) fn let_in(
        &self,
        session: &Session,
        command: &Command,
        secret: Brought<'_>,
    ) -> Result<Done, EngineError> {
        let Some(mut held) = self.held() else { return self.run(session, command) };
        self.rehearse(session, command)?;
        let name = self.name_of(command)?;
        let (secret, opens) = match secret {
            Brought::Passphrase(passphrase) => {
                (SlotSecret::Passphrase(passphrase, self.cost), Unlock::Operator { name: &name, passphrase })
            }
            Brought::KeyFile(content) => (SlotSecret::KeyFile(content), Unlock::KeyFile(content)),
            Brought::Nothing | Brought::Imported(_) | Brought::ImportedSha256(_) => {
                return Err(EngineError::Misfit);
            }
        };
        let new = NewSlot { label: &name, created_ms: self.now_ms(), secret };
        held.let_in(new, &opens, |named| self.run_naming(session, command, named))
    }

    /// The name of the operator a command is about, who may not exist yet.
    fn name_of(&self, command: &Command) -> Result<String, EngineError> {
        if let Command::AddOperator { name, .. } = command {
            return Ok(name.to_string());
        }
        let About::Operator(id) = command.about() else { return Err(Refusal::NoSuchOperator.into()) };
        Ok(self.state().operator(id).ok_or(Refusal::NoSuchOperator)?.name.to_string())
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.now().time.0).unwrap_or(0)
    }
}
