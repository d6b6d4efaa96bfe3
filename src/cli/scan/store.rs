//! What the store knows of the secrets that were found, if it can be opened without holding anybody up: whoever wants that
//! says who signs in and with what. Asked as `keydeck verify --explain` asks: no use is counted and the trail says nothing.

use std::collections::BTreeMap;

use super::walk::Found;
use crate::cli::door::{Deck, Signed};
use crate::cli::secrets;
use crate::crypto::scan::Kind;
use crate::domain::{Reason, Timestamp};
use crate::engine::open::Wants;
use crate::engine::{EngineError, Holder, Whose, whose_found};

/// What the store said of each secret; nothing when it was not asked.
#[derive(Default)]
pub struct Answers<'f> {
    about: BTreeMap<&'f [u8], Whose>,
    /// When that was.
    pub at: Option<Timestamp>,
}

impl Answers<'_> {
    /// What it said of this one.
    pub fn about(&self, found: &Found) -> Option<&Whose> {
        self.about.get(found.secret.as_slice())
    }
}

/// Asks about all of them, each once. Else why nobody was asked, in words.
pub fn ask<'f>(deck: &Deck, found: &'f [Found]) -> Result<Answers<'f>, String> {
    const OFFLINE: &str = "The store was not asked whose these secrets are and whether they work";
    let globals = &deck.globals;
    let has_secret = globals.passphrase_file.is_some() || globals.key_file.is_some();
    // A prompt is for somebody who has said who they are, not for a hook or a job.
    let may_ask = globals.operator.is_some() && secrets::has_person();
    if !has_secret && !may_ask {
        return Err(format!(
            "{OFFLINE}: say who asks, with --key-file, or with --operator and --passphrase-file. --no-store says that \
             nobody does."
        ));
    }
    let signed = deck.sign_in_for(Wants::Named).map_err(|fault| format!("{OFFLINE}: {fault}"))?;
    let about = all(&signed, found).map_err(|error| format!("{OFFLINE}: {error}"))?;
    Ok(Answers { about, at: Some(signed.now()) })
}

/// Imported keys that are asked about: each costs the store a hash, and what has only their shape may be anything.
const IMPORTED: usize = 256;

fn all<'f>(signed: &Signed, found: &'f [Found]) -> Result<BTreeMap<&'f [u8], Whose>, EngineError> {
    let mut about = BTreeMap::new();
    let mut imported = 0;
    for found in found {
        let is_new = !about.contains_key(found.secret.as_slice());
        imported += usize::from(is_new && found.kind == Kind::Imported);
        if is_new && (found.kind != Kind::Imported || imported <= IMPORTED) {
            about.insert(
                found.secret.as_slice(),
                whose_found(&*signed.engine, &signed.session, found.kind, &found.secret)?,
            );
        }
    }
    Ok(about)
}

/// The word for scripts.
pub const fn code(whose: &Whose) -> &'static str {
    match whose {
        Whose::Known(_) => "known",
        Whose::ThisStore => "opens_the_store",
        Whose::Other(_) => "other_secret",
        Whose::Nobody => "not_issued_here",
        Whose::NotTold(_) => "not_told",
    }
}

/// What to do about it, as command lines.
pub fn remedies(whose: &Whose) -> Vec<String> {
    match whose {
        Whose::Known(holder) => of_holder(holder),
        Whose::ThisStore => vec!["keydeck operator passphrase NAME --recovery-file FILE".into()],
        Whose::Other(_) | Whose::Nobody | Whose::NotTold(_) => Vec::new(),
    }
}

fn of_holder(Holder { party, is_own, refused, .. }: &Holder) -> Vec<String> {
    let all = if *is_own { "" } else { " --all" };
    let id = &party.id;
    let is_app = party.kind == "app";
    match refused {
        None if is_app => vec![format!("keydeck app new-secret {id}{all}")],
        None => vec![
            format!("keydeck key lost {id}{all}"),
            format!("keydeck key revoke {id} --reason leaked{all}"),
        ],
        // It could be made to work again.
        Some(
            Reason::Disabled
            | Reason::OwnerDisabled
            | Reason::LocationDisabled
            | Reason::AppDisabled
            | Reason::LockedDown
            | Reason::StoreError
            | Reason::Rate
            | Reason::Scope,
        ) => {
            if is_app {
                vec![format!("keydeck app new-secret {id}{all}")]
            } else {
                vec![format!("keydeck key revoke {id} --reason leaked{all}")]
            }
        }
        Some(
            Reason::Malformed
            | Reason::Unknown
            | Reason::MacMismatch
            | Reason::KindMismatch
            | Reason::Revoked
            | Reason::Tombstoned
            // Where it lies it was put.
            | Reason::Decoy
            | Reason::Expired,
        ) => Vec::new(),
    }
}
