//! Who is signed in: made by the engine when a slot opens, never by a request.

use minicbor::{Decode, Encode};

use crate::crypto::CryptoError;
use crate::crypto::random::{self, Entropy, OsEntropy};
use crate::domain::audit::ActorLine;
use crate::domain::{Access, Actor, OperatorId, PublicId, State};

/// What somebody signs in for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Whatever their role lets them do.
    Work,
    /// Changing nothing, and leaving no trace.
    Looking,
}

/// How somebody proved who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Auth {
    /// A passphrase.
    #[n(0)]
    Passphrase,
    /// A key file.
    #[n(1)]
    KeyFile,
    /// The recovery code.
    #[n(2)]
    Recovery,
    /// Nothing: the throw-away store of the demo.
    #[n(3)]
    Demo,
    /// Nobody signed in: the server acts on its own behalf.
    #[n(4)]
    Service,
}

/// Where from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Via {
    /// The console.
    #[n(0)]
    Console,
    /// The command line.
    #[n(1)]
    CommandLine,
    /// The server.
    #[n(2)]
    Server,
}

/// The process a session speaks for: this one, or one that is attached to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Peer {
    /// Operating system user.
    #[n(0)]
    pub uid: u32,
    /// Process number.
    #[n(1)]
    pub pid: u32,
}

impl Peer {
    /// This process.
    pub fn this() -> Self {
        Self { uid: rustix::process::getuid().as_raw(), pid: std::process::id() }
    }
}

/// A signed-in operator.
#[derive(Clone, Debug, Encode, Decode)]
pub struct Session {
    #[n(0)]
    id: String,
    #[n(1)]
    actor: Actor,
    #[n(2)]
    auth: Auth,
    #[n(3)]
    via: Via,
    #[n(4)]
    peer: Peer,
}

impl Session {
    pub(super) fn new(
        entropy: &mut (impl Entropy + ?Sized),
        actor: Actor,
        auth: Auth,
        via: Via,
    ) -> Result<Self, CryptoError> {
        let mut id = [0; 12];
        random::base58(entropy, &mut id)?;
        Ok(Self { id: String::from_utf8_lossy(&id).into_owned(), actor, auth, via, peer: Peer::this() })
    }

    /// The same session, held by another process.
    pub(super) fn of(self, peer: Peer) -> Self {
        Self { peer, ..self }
    }

    /// What an attached process holds in place of the session that the owner of the store keeps for it. It opens
    /// nothing here: the owner goes by its own.
    pub fn stand_in(actor: Actor, via: Via) -> Self {
        Self { id: String::new(), actor, auth: Auth::Passphrase, via, peer: Peer::this() }
    }

    /// The server's own: it may renew signing keys and write down what callers did to their tokens.
    pub(super) fn service() -> Result<Self, CryptoError> {
        let nobody = OperatorId(PublicId::NOBODY);
        let actor = Actor { operator: nobody, access: Access::Service };
        Self::new(&mut OsEntropy, actor, Auth::Service, Via::Server)
    }

    /// Who acts, and how far they reach.
    pub const fn actor(&self) -> Actor {
        self.actor
    }

    /// Whether nobody signed in: the server acts for whoever calls it.
    pub(super) fn is_service(&self) -> bool {
        self.auth == Auth::Service
    }

    /// Its name in the audit trail.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Whether it goes by that name in the audit trail.
    pub(super) fn is(&self, id: &str) -> bool {
        self.id == id
    }

    /// Where from.
    pub const fn via(&self) -> Via {
        self.via
    }

    /// The same session with another reach. Reaching further is the engine's to grant, after its audit entry.
    pub(super) fn with_access(&self, access: Access) -> Self {
        Self { actor: Actor { access, ..self.actor }, ..self.clone() }
    }

    /// The same session, seeing its operator's own keys only.
    #[must_use]
    pub fn narrowed(&self) -> Self {
        self.with_access(Access::Own)
    }

    pub(super) fn line(&self, state: &State) -> ActorLine {
        let operator = state.operator(self.actor.operator);
        let nobody = || if self.auth == Auth::Service { "keydeck".to_owned() } else { String::new() };
        ActorLine {
            id: self.actor.operator.to_string(),
            name: operator.map_or_else(nobody, |o| o.name.to_string()),
            role: operator.map_or_else(String::new, |o| o.role.to_string()),
            auth: match self.auth {
                Auth::Passphrase => "passphrase",
                Auth::KeyFile => "keyfile",
                Auth::Recovery => "recovery",
                Auth::Demo => "demo",
                Auth::Service => "service",
            }
            .into(),
            access: self.actor.access.as_str().into(),
            via: match self.via {
                Via::Console => "console",
                Via::CommandLine => "cli",
                Via::Server => "server",
            }
            .into(),
            uid: self.peer.uid,
            pid: self.peer.pid,
            session: self.id.clone(),
        }
    }
}
