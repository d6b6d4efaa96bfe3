//! Which records are vouched for. What is not is refused, and lists and pages say so, because they and the verifier ask
//! the same [`super::verdict`]. How a store comes to its proof is the engine's to find out.

use std::collections::HashMap;

use super::{App, AppId, HeaderMark, Key, KeyId, Operator, Reason, RecordKey, Role};

/// Which records may not be believed.
#[derive(Clone, Debug, Default)]
pub struct Proof {
    /// Nothing is vouched for: not even how far the trail should go is known.
    nothing: bool,
    /// The trail has a gap, so there may have been records that nobody names any more.
    blind: bool,
    unproven: HashMap<RecordKey, Against>,
}

/// What speaks against a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Against {
    /// Nobody vouches for it: who wrote it last is not known any more.
    Silence,
    /// It is not what was written last, or cannot be read.
    Word,
}

impl Proof {
    /// Why a key is refused whatever its record says: it, or a record its answer hangs on, is not proven.
    pub fn of_key(&self, key: &Key) -> Option<Reason> {
        let hangs_on = [
            Some(RecordKey::Key(key.id)),
            // A lockdown may be a part of any of those that follow.
            Some(RecordKey::Agency),
            Some(RecordKey::Operator(key.owner)),
            key.place.location().map(RecordKey::Location),
            key.place.app().map(RecordKey::App),
        ];
        self.refuses(hangs_on.into_iter().flatten())
    }

    /// Why access tokens are refused, whichever app's they are.
    pub fn of_tokens(&self) -> Option<Reason> {
        self.refuses([RecordKey::Signing, RecordKey::Policy])
    }

    /// Why an app and its access tokens are refused whatever the records say.
    pub fn of_app(&self, app: &App) -> Option<Reason> {
        let hangs_on = [
            RecordKey::App(app.id),
            RecordKey::Revoked(app.id),
            RecordKey::Agency,
            RecordKey::Operator(app.owner),
        ];
        self.refuses(hangs_on).or_else(|| self.of_tokens())
    }

    /// What to say of a key that is not among the records. "Never issued" is for those who know all that was issued.
    pub fn of_absent_key(&self, id: KeyId) -> Reason {
        self.absent(RecordKey::Key(id))
    }

    /// What to say of an app that is not among the records.
    pub fn of_absent_app(&self, id: AppId) -> Reason {
        self.absent(RecordKey::App(id))
    }

    /// Whether the record that names the slots that open the store may be another than was written last. Refused is only what
    /// an entry speaks against: behind a gap in the trail nobody is proven, and somebody has to look. A store without this
    /// record lets every slot count, so its absence must be known.
    pub fn belies_slots(&self, mark: &HeaderMark) -> bool {
        self.belies(RecordKey::Header) || mark.slots.is_none() && self.blind
    }

    /// Whether that record may be from before, as far as is known.
    pub fn may_be_old_slots(&self) -> bool {
        self.nothing || self.unproven.contains_key(&RecordKey::Header)
    }

    /// Whether somebody may sign in as this operator. While nothing is vouched for, only who is needed to look into it:
    /// an admin, by the trail as far as it reaches.
    pub fn admits(&self, operator: &Operator) -> bool {
        !self.belies(RecordKey::Operator(operator.id)) && (!self.nothing || operator.role == Role::Admin)
    }

    fn belies(&self, at: RecordKey) -> bool {
        self.unproven.get(&at) == Some(&Against::Word)
    }

    /// Whether nothing at all is vouched for.
    pub const fn is_nothing(&self) -> bool {
        self.nothing
    }

    fn refuses(&self, records: impl IntoIterator<Item = RecordKey>) -> Option<Reason> {
        let unproven = || records.into_iter().any(|at| self.unproven.contains_key(&at));
        (self.nothing || (!self.unproven.is_empty() && unproven())).then_some(Reason::StoreError)
    }

    fn absent(&self, at: RecordKey) -> Reason {
        let known = !self.nothing && !self.blind && !self.unproven.contains_key(&at);
        if known { Reason::Unknown } else { Reason::StoreError }
    }

    /// Knows that the trail has a gap.
    pub const fn be_blind(&mut self) {
        self.blind = true;
    }

    /// Vouches for nothing.
    pub const fn vouch_for_nothing(&mut self) {
        self.nothing = true;
    }

    /// Does not believe these.
    pub fn doubt(&mut self, records: impl IntoIterator<Item = RecordKey>, against: Against) {
        for at in records {
            let worst = self.unproven.entry(at).or_insert(against);
            *worst = against.max(*worst);
        }
    }
}
