//! Who may do what: the only place that says so. Called by `decide` at the moment of commit with the role the
//! state holds then, not the one a form was opened with.

use minicbor::{Decode, Encode};

use super::{App, Extent, Key, Operator, OperatorId, Refusal, Role, State};

/// Who asks, as the session knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Actor {
    /// The operator who signed in.
    #[n(0)]
    pub operator: OperatorId,
    /// How far they look and reach.
    #[n(1)]
    pub access: Access,
}

/// How far a session reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Access {
    /// The operator's own keys; others' do not exist.
    #[n(0)]
    Own,
    /// The whole agency: an admin who opened that view, which left an audit entry.
    #[n(1)]
    Agency,
    /// Signed in with the recovery code: may set a new passphrase and renew the code, nothing else.
    #[n(2)]
    Recovery,
    /// The server on its own behalf: renews signing keys, does what is due by time and writes down what callers did.
    /// Nothing else.
    #[n(3)]
    Service,
}

/// What somebody wants to do, with what it is done to.
#[derive(Clone, Copy, Debug)]
pub enum Action<'a> {
    /// Sign in or out.
    Session,
    /// Look beyond one's own keys.
    OpenAgencyView,
    /// Read or check one's own entries of the audit trail.
    ReadOwnAudit,
    /// Read or export the whole trail.
    ReadWholeAudit,
    /// Add, promote, disable, enable operators.
    ManageOperators,
    /// Set a passphrase: one's own, or as an admin anybody's.
    SetPassphrase(OperatorId),
    /// Renew the recovery code.
    RenewRecovery,
    /// Add, rename, remove locations.
    ManageLocations,
    /// Refuse everything of somebody or something.
    LockDown(Extent),
    /// End that, which this operator began.
    LiftLockdown(Extent, OperatorId),
    /// Change the policy.
    SetPolicy,
    /// Issue an agency key.
    IssueAgencyKey,
    /// Issue a location key.
    IssueLocationKey,
    /// See a key.
    SeeKey(&'a Key),
    /// Pause, resume, revoke, delete, restore, rescope, keep or protect a key.
    ManageKey(&'a Key),
    /// Sign a review off.
    SignReview,
    /// Create an app.
    CreateApp,
    /// See an app.
    SeeApp(&'a App),
    /// Edit, pause, resume or delete an app, renew its secret, issue keys for it.
    ManageApp(&'a App),
    /// Replace the key that signs access tokens.
    RotateSigningKey,
    /// Say that the wall clock is right.
    ConfirmClock,
    /// Do what is due by time.
    Sweep,
    /// Copy the whole store into a backup, or put it back from one.
    BackUp,
    /// Take the oldest entries out of the audit trail.
    TrimAudit,
    /// Say that deletions that were held back may go.
    ConfirmHold,
    /// Take care of what waits for a channel.
    ManageChannels,
    /// Revoke an access token on behalf of the app that presented it.
    RevokeToken,
}

/// The operator behind an actor, if they may act at all.
pub fn acting<'s>(state: &'s State, actor: &Actor) -> Result<&'s Operator, Refusal> {
    state.operator(actor.operator).filter(|o| o.standing.is_active()).ok_or(Refusal::SignedOut)
}

/// Says yes, or why not. What the actor cannot see is answered as if it did not exist.
pub fn authorize(state: &State, actor: &Actor, action: Action<'_>) -> Result<(), Refusal> {
    if actor.access == Access::Service {
        return match action {
            Action::Session | Action::RotateSigningKey | Action::RevokeToken | Action::Sweep => Ok(()),
            _ => Err(Refusal::ServiceOnly),
        };
    }
    let operator = acting(state, actor)?;
    let role = operator.role;
    if actor.access == Access::Recovery {
        return match action {
            Action::Session | Action::RenewRecovery => Ok(()),
            Action::SetPassphrase(whose) if whose == operator.id => Ok(()),
            _ => Err(Refusal::RecoveryOnly),
        };
    }
    let need = |least: Role| if role >= least { Ok(()) } else { Err(Refusal::RoleTooLow { role, least }) };
    match action {
        Action::Session | Action::ReadOwnAudit => Ok(()),
        Action::SetPassphrase(whose) if whose == operator.id => Ok(()),
        Action::OpenAgencyView
        | Action::ReadWholeAudit
        | Action::ManageOperators
        | Action::SetPassphrase(_)
        | Action::RenewRecovery
        | Action::ManageLocations
        | Action::RotateSigningKey
        | Action::ConfirmClock
        | Action::BackUp
        | Action::TrimAudit
        | Action::ConfirmHold
        | Action::ManageChannels
        | Action::SetPolicy => need(Role::Admin),
        Action::IssueAgencyKey => need(state.policy().issue_agency.max(Role::Manager)),
        Action::IssueLocationKey => need(state.policy().issue_location.max(Role::Manager)),
        Action::SignReview => need(Role::Manager),
        Action::CreateApp => need(state.policy().issue_app.max(Role::Manager)),
        Action::ManageKey(key) if key.is_purged() => Err(Refusal::NoSuchKey),
        Action::SeeKey(key) => see(operator, actor, key.owner, Refusal::NoSuchKey),
        Action::ManageKey(key) => {
            see(operator, actor, key.owner, Refusal::NoSuchKey).and_then(|()| need(Role::Manager))
        }
        Action::SeeApp(app) => see(operator, actor, app.owner, Refusal::NoSuchApp),
        Action::ManageApp(app) => see(operator, actor, app.owner, Refusal::NoSuchApp)
            .and_then(|()| need(state.policy().issue_app.max(Role::Manager))),
        Action::LockDown(Extent::Owner(id)) if id == operator.id => need(Role::Manager),
        // Their own, as long as nobody else said it of them.
        Action::LiftLockdown(Extent::Owner(id), by) if id == operator.id && by == id => need(Role::Manager),
        Action::LockDown(extent) | Action::LiftLockdown(extent, _) => match extent {
            Extent::App(id) => {
                let owner = state.app(id).map(|app| app.owner).ok_or(Refusal::NoSuchApp)?;
                see(operator, actor, owner, Refusal::NoSuchApp).and_then(|()| need(Role::Admin))
            }
            Extent::Agency | Extent::Owner(_) | Extent::Location(_) => need(Role::Admin),
        },
        Action::RevokeToken | Action::Sweep => Err(Refusal::ServiceOnly),
    }
}

/// An operator's keys and apps do not exist for another operator, unless an admin opened the whole-agency view.
fn see(operator: &Operator, actor: &Actor, owner: OperatorId, absent: Refusal) -> Result<(), Refusal> {
    let whole = actor.access == Access::Agency && operator.role == Role::Admin;
    if whole || owner == operator.id { Ok(()) } else { Err(absent) }
}

impl Actor {
    /// Whether the actor may see the key now.
    pub fn sees(&self, state: &State, key: &Key) -> bool {
        authorize(state, self, Action::SeeKey(key)).is_ok()
    }

    /// Whether the actor may see the app now.
    pub fn sees_app(&self, state: &State, app: &App) -> bool {
        authorize(state, self, Action::SeeApp(app)).is_ok()
    }
}
