//! What the shell knows when a command is judged, and the command does not say.

use crate::domain::lifecycle::Outlook;
use crate::domain::{Actor, Catalog, Imported, PublicId, Timestamp, Verifier};

/// A token that was just drawn: its public id and what recognises it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Minted {
    /// Its public id: a key's, or for the secret of an app the application id.
    pub id: PublicId,
    /// What recognises it.
    pub verifier: Verifier,
    /// What recognises a secret made elsewhere.
    pub imported: Option<Box<Imported>>,
}

/// All that `decide` may know besides the state and the command.
pub struct Context<'a> {
    /// Who asks.
    pub actor: Actor,
    /// When.
    pub now: Timestamp,
    /// What the wall clock says while it is in doubt; nothing while it is believed.
    pub doubted: Option<Timestamp>,
    /// Since when no use was lost; `None` while uses are not written down.
    pub complete_since: Option<Timestamp>,
    /// The scopes that exist.
    pub catalog: &'a Catalog,
    /// Fresh random ids for new operators and locations.
    pub ids: &'a [PublicId],
    /// The token of a key about to be issued, or the secret of an app.
    pub minted: Option<Minted>,
    /// Where a sweep is to look; `None` for everywhere.
    pub outlook: Option<&'a Outlook>,
}
