//! Whose is this secret, and what does it still open? For somebody who found one where it should not be. Whoever holds a
//! secret may know what it opens, whoever's it is, as with [`super::Engine::test`]: so this is anybody's question, no use is
//! noted, and the trail says nothing of it.

use minicbor::{Decode, Encode};

#[cfg(feature = "console")]
use super::Engine;
use super::doors::counting;
use super::error::EngineError;
use super::local::LocalEngine;
use super::session::Session;
use super::verifier::Counting;
use super::{Party, imported};
use crate::crypto::header::Unlock;
use crate::crypto::recovery::RecoveryCode;
#[cfg(feature = "console")]
use crate::crypto::scan;
use crate::crypto::token::{self, TokenKind};
use crate::domain::LastUse;
use crate::domain::authorize::acting;
use crate::domain::verdict::closed_app;
use crate::domain::{App, AppId, Decision, Key, KeyId, Reason, Timestamp, View};

/// What a store knows of a text that looks like a secret of its own.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Whose {
    /// The secret is right.
    #[n(0)]
    Known(#[n(0)] Box<Holder>),
    /// The code opens this store.
    #[n(1)]
    ThisStore,
    /// The id is somebody's here, and the secret is none that is known. Who, if they are in view.
    #[n(2)]
    Other(#[n(0)] Option<Party>),
    /// This store never issued it.
    #[n(3)]
    Nobody,
    /// The store cannot say now, for that reason.
    #[n(4)]
    NotTold(#[n(0)] Reason),
}

/// Whom a right secret speaks for.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Holder {
    /// The key or app.
    #[n(0)]
    pub party: Party,
    /// Its owner's name.
    #[n(1)]
    pub owner: String,
    /// Whether that is who asks.
    #[n(2)]
    pub is_own: bool,
    /// Why requests with it are refused; `None` when it works today.
    #[n(3)]
    pub refused: Option<Reason>,
    /// When the key or app was used last.
    #[n(4)]
    pub last_use: LastUse,
}

impl Whose {
    /// Whether it opens something now.
    pub const fn works(&self) -> bool {
        match self {
            Self::Known(holder) => holder.refused.is_none(),
            Self::ThisStore => true,
            Self::Other(_) | Self::Nobody | Self::NotTold(_) => false,
        }
    }

    /// In words, with a way to say times: `works today, the key Nightly export of maria, last used 2 h ago`.
    pub fn words(&self, say: impl FnOnce(Timestamp) -> String) -> String {
        match self {
            Self::Known(holder) => {
                let Holder { party: Party { kind, name, .. }, owner, refused, last_use, .. } = &**holder;
                let state = refused.map_or("works today", Reason::brief);
                format!("{state}, the {kind} {name} of {owner}, last used {}", last_use.words(say))
            }
            Self::ThisStore => "opens this store today".into(),
            Self::Other(Some(Party { kind, name, .. })) => {
                format!("not the secret of the {kind} {name}, whose id it has")
            }
            Self::Other(None) => "this store knows its id, and not this secret".into(),
            Self::Nobody => "this store never issued it".into(),
            Self::NotTold(reason) => format!("the store cannot say: {}", reason.brief()),
        }
    }
}

/// Whose something is that was found in a text, where an imported key may end sooner than the text does.
#[cfg(feature = "console")]
pub fn whose_found(
    engine: &dyn Engine,
    session: &Session,
    kind: scan::Kind,
    found: &[u8],
) -> Result<Whose, EngineError> {
    let mut last = Whose::Nobody;
    for reading in scan::readings(kind, found) {
        last = engine.whose(session, reading)?;
        if matches!(last, Whose::Known(_)) {
            break;
        }
    }
    Ok(last)
}

impl LocalEngine {
    pub(super) fn whose(&self, session: &Session, presented: &[u8]) -> Result<Whose, EngineError> {
        acting(&self.state(), &session.actor())?;
        if let Some(code) = str::from_utf8(presented).ok().and_then(|typed| RecoveryCode::parse(typed).ok()) {
            return Ok(if self.opens(&code)? { Whose::ThisStore } else { Whose::Nobody });
        }
        match token::parse(presented) {
            Ok(secret) if secret.kind() == TokenKind::AppSecret => Ok(self.whose_app(session, &secret)),
            _ => Ok(self.whose_key(session, presented)),
        }
    }

    fn whose_key(&self, session: &Session, presented: &[u8]) -> Whose {
        let decision = self.decide(presented, &[], Counting::Off, |_| ());
        if self.is_kept_from(session, presented) {
            return Whose::Nobody;
        }
        let state = self.state();
        let view = View::new(&state, session.actor());
        match (decision.key().and_then(|id| state.key(id)), decision.reason()) {
            (Some(key), refused) => Whose::Known(Box::new(of_key(view, key, refused))),
            (None, Some(Reason::MacMismatch | Reason::KindMismatch | Reason::Unknown)) => {
                // Of an imported key that was cleared away nothing is left that recognises its secret.
                let named = named(presented).filter(|id| state.key(*id).is_some());
                named.map_or(Whose::Nobody, |id| Whose::Other(view.key(id).map(party_of_key)))
            }
            (None, reason) => Whose::NotTold(reason.unwrap_or(Reason::StoreError)),
        }
    }

    /// A decision about a presented text as somebody may hear it.
    pub(super) fn heard(&self, session: &Session, presented: &[u8], decision: Decision) -> Decision {
        if self.is_kept_from(session, presented) { Decision::deny(Reason::Unknown, None) } else { decision }
    }

    /// Whether a text names a decoy, and whoever asks must not know: to them nobody issued it, whatever secret comes with its id.
    fn is_kept_from(&self, session: &Session, presented: &[u8]) -> bool {
        let state = self.state();
        let named = named(presented).and_then(|id| state.key(id)).filter(|key| key.is_decoy());
        named.is_some_and(|decoy| !View::new(&state, session.actor()).may_know_of(decoy))
    }

    fn whose_app(&self, session: &Session, secret: &token::Presented<'_>) -> Whose {
        let state = self.state();
        let id = AppId(secret.id());
        let Some(app) = state.app(id) else {
            return match state.proof().of_absent_app(id) {
                Reason::Unknown => Whose::Nobody,
                reason => Whose::NotTold(reason),
            };
        };
        let view = View::new(&state, session.actor());
        let good = app.secrets(self.now().time).map(|good| good.map(|good| good.verifier));
        if self.verifier().recognises(secret, good).contains(&true) {
            Whose::Known(Box::new(of_app(view, app, closed_app(&state, app))))
        } else {
            Whose::Other(view.app(id).map(party_of_app))
        }
    }

    /// Whether a recovery code opens this store. It has too many possibilities to be guessed, so nothing is counted.
    fn opens(&self, code: &RecoveryCode) -> Result<bool, EngineError> {
        let Some(mut held) = self.held() else { return Ok(false) };
        let header = held.current()?;
        drop(held);
        let counts = {
            let state = self.state();
            counting(&header, state.header(), state.proof().may_be_old_slots())
        };
        Ok(header.unlock_among(&Unlock::Recovery(code), counts).is_ok())
    }
}

/// The key that a text names, whether or not it is its secret.
fn named(presented: &[u8]) -> Option<KeyId> {
    let token = token::parse(presented).ok().map(|token| KeyId(token.id()));
    token.or_else(|| imported::parse(presented).map(|theirs| theirs.id))
}

fn party_of_key(key: &Key) -> Party {
    Party { kind: "key".into(), id: key.id.to_string(), name: key.name.to_string() }
}

fn party_of_app(app: &App) -> Party {
    Party { kind: "app".into(), id: app.id.to_string(), name: app.name.to_string() }
}

fn of_key(view: View<'_>, key: &Key, refused: Option<Reason>) -> Holder {
    Holder {
        party: party_of_key(key),
        owner: view.owner_name(key).to_owned(),
        is_own: key.owner == view.actor().operator,
        refused,
        last_use: view.last_use(key),
    }
}

fn of_app(view: View<'_>, app: &App, refused: Option<Reason>) -> Holder {
    Holder {
        party: party_of_app(app),
        owner: view.app_owner_name(app).to_owned(),
        is_own: app.owner == view.actor().operator,
        refused,
        last_use: view.last_use_of_app(app),
    }
}
