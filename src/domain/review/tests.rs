use proptest::prelude::*;

use super::*;
use crate::domain::app::{AppStatus, Profile, SourceApp, Url, UserType};
use crate::domain::catalog::AuthMethod;
use crate::domain::key::Imported;
use crate::domain::lifecycle::{Protection, Word};
use crate::domain::trace::{Denied, Sighting};
use crate::domain::{
    Access, Actor, AppId, Expiry, Name, Note, Operator, Place, Record, Role, Standing, State, Status, Trace,
    Usage, Verifier,
};

pub(in crate::domain) const NOW: Timestamp = Timestamp(1_790_000_000_000);
pub(in crate::domain) const MARIA: u8 = 1;
pub(in crate::domain) const JONAS: u8 = 2;

pub(in crate::domain) fn id(n: usize) -> PublicId {
    let digit = |n: usize| crate::domain::id::BASE58[n % 58];
    let mut id = *b"111111111111";
    (id[0], id[1]) = (digit(n), digit(n / 58));
    PublicId::from_bytes(id).unwrap()
}

pub(in crate::domain) fn ago(days: i64) -> Timestamp {
    Timestamp(NOW.0 - days * DAY_MS)
}

pub(in crate::domain) fn operator(n: u8) -> OperatorId {
    OperatorId(id(n.into()))
}

/// A key against which nothing is to be said, but for what is known of its use.
pub(in crate::domain) fn key(n: usize) -> Key {
    Key {
        id: KeyId(id(100 + n)),
        name: Name::new(&format!("Key {n}")).unwrap(),
        place: Place::Agency,
        owner: operator(MARIA),
        scopes: "contacts.read contacts.delete".parse().unwrap(),
        note: Note::default(),
        created_at: ago(100),
        expiry: Expiry::At(ago(-100)),
        status: Status::Active,
        verifier: Verifier::NONE,
        imported: None,
        counted_from: None,
        protection: None,
        notice_days: None,
        contacts: None,
        succeeds: None,
        superseded: None,
        motive: None,
        pause_ends: None,
        handed: None,
        decoy: None,
        report_only: None,
        kept: None,
    }
}

pub(in crate::domain) fn app() -> App {
    App {
        id: AppId(id(50)),
        name: Name::new("Booking bot").unwrap(),
        owner: operator(MARIA),
        profile: Profile {
            uri: Url::new("https://bot.acme.example").unwrap(),
            description: Note::default(),
            user_type: UserType::Guest,
            source: SourceApp::Bot,
            post_login: Vec::new(),
            post_logout: Vec::new(),
        },
        method: AuthMethod::Jwt,
        scopes: "contacts.read contacts.delete".parse().unwrap(),
        created_at: ago(100),
        status: AppStatus::Active,
        secret: Verifier::NONE,
        not_before: ago(100),
        replaced: None,
        spent: None,
        lockdown: None,
        handed: None,
        terms: None,
    }
}

pub(in crate::domain) struct World {
    pub(in crate::domain) state: State,
}

impl World {
    /// Two admins; no use was lost for so many days.
    pub(in crate::domain) fn new(known_for: i64) -> Self {
        let mut state = State::default();
        for (n, name) in [(MARIA, "maria"), (JONAS, "jonas")] {
            state.put(Record::Operator(Operator {
                id: operator(n),
                name: Name::new(name).unwrap(),
                role: Role::Admin,
                standing: Standing::Active,
                lockdown: None,
                created_at: ago(500),
            }));
        }
        state.know_uses_since(Some(ago(known_for)));
        Self { state }
    }

    fn disable_jonas(&mut self) {
        let mut jonas = self.state.operator(operator(JONAS)).unwrap().clone();
        jonas.standing = Standing::DisabledKeysWork(ago(40));
        self.state.put(Record::Operator(jonas));
    }

    /// It was used so long ago, for these scopes.
    pub(in crate::domain) fn used(&mut self, id: PublicId, days: i64, needed: &[&str]) {
        let usage = Usage { last_used_at: Some(ago(days)), count: 1, first_used_at: Some(ago(days)) };
        self.state.note_use(id, usage);
        let mut trace = Trace::default();
        for scope in needed {
            trace.note_scope(&scope.parse().unwrap(), ago(days));
        }
        self.state.note_trace(id, &trace);
    }

    pub(in crate::domain) fn by(&self) -> Reviewer<'_> {
        let actor = Actor { operator: operator(MARIA), access: Access::Agency };
        Reviewer { view: View::new(&self.state, actor), catalog: Catalog::builtin(), now: NOW }
    }

    /// What is said of each, worst first.
    fn says(&self) -> Vec<(&str, u16, String)> {
        let by = self.by();
        review(by, Breadth::Telling)
            .iter()
            .map(|row| (by.name(row.who), row.risk, why(&by.of(row))))
            .collect()
    }

    fn said(&self) -> String {
        self.says().into_iter().map(|(_, _, why)| why).collect::<Vec<_>>().join("; ")
    }
}

/// What is said of a key that is `change`d, was used so long ago for these scopes.
fn said(change: impl FnOnce(&mut Key), used: Option<(i64, &[&str])>) -> String {
    let mut world = World::new(1_000);
    let mut one = key(1);
    change(&mut one);
    let id = *one.id.public();
    world.state.put(Record::Key(one));
    if let Some((days, needed)) = used {
        world.used(id, days, needed);
    }
    world.said()
}

const BOTH: &[&str] = &["contacts.read", "contacts.delete"];

#[test]
fn each_concern_is_said_of_what_gives_reason_for_it_and_of_nothing_else() {
    let nothing = |_: &mut Key| {};
    assert_eq!(said(nothing, Some((1, BOTH))), "");
    // By itself that is no row, beside another it is said.
    assert_eq!(said(|key| key.expiry = Expiry::Never, Some((1, BOTH))), "");
    assert_eq!(said(|key| key.expiry = Expiry::Never, Some((90, BOTH))), "unused for 90 d, no expiry");
    assert_eq!(said(|key| key.created_at = ago(365), Some((1, BOTH))), "not rotated for 365 d");
    assert_eq!(said(|key| key.created_at = ago(364), Some((1, BOTH))), "");
    let imported = Some(Box::new(Imported { phc: String::new(), digested: None }));
    assert_eq!(said(|key| key.imported = imported, Some((1, BOTH))), "secret made elsewhere");
    assert_eq!(said(nothing, Some((90, BOTH))), "unused for 90 d");
    assert_eq!(said(nothing, Some((89, BOTH))), "");
    // What somebody has said to be needed, or may be idle for ever.
    assert_eq!(said(|key| key.counted_from = Some(ago(10)), Some((95, BOTH))), "");
    let word = Word { by: operator(MARIA), at: ago(90) };
    let protection = Some(Box::new(Protection { why: Note::new("yearly").unwrap(), word }));
    assert_eq!(said(|key| key.protection = protection, Some((95, BOTH))), "");
    assert_eq!(said(nothing, Some((1, &["contacts.delete"]))), "1 of 2 scopes never needed");
    assert_eq!(
        said(nothing, Some((1, &["contacts.read"]))),
        "admin scope never needed, 1 of 2 scopes never needed"
    );
    // Requests that do not say what they need tell nothing of scopes.
    assert_eq!(said(nothing, Some((1, &[]))), "");
    assert_eq!(said(nothing, None), "admin scope never needed, never used in 100 d");
    assert_eq!(said(|key| key.created_at = ago(6), None), "");
    let paused = said(|key| key.status = Status::Paused(ago(3)), Some((1, &["contacts.delete"])));
    assert_eq!(paused, "1 of 2 scopes never needed");
    assert_eq!(said(|key| key.status = Status::Revoked(ago(3)), None), "");
    assert_eq!(said(|key| key.expiry = Expiry::At(ago(1)), None), "");
}

#[test]
fn what_is_not_known_of_use_is_not_told_as_none() {
    // Uses may have been lost five days ago.
    let mut world = World::new(5);
    world.state.put(Record::Key(key(1)));
    assert_eq!(world.said(), "");
    world.used(*key(1).id.public(), 1, &["contacts.read"]);
    assert_eq!(world.said(), "", "the other scope may have been needed before");
    // Of days in which none was lost it is certain.
    let mut world = World::new(95);
    world.state.put(Record::Key(key(1)));
    assert_eq!(world.said(), "unused for 95 d");
    world.state.know_uses_since(None);
    assert_eq!(world.said(), "");
}

#[test]
fn a_deleted_key_that_somebody_comes_with_is_told_and_one_that_rests_is_not() {
    let mut world = World::new(1_000);
    world.state.put(Record::Key(Key { status: Status::Deleted(ago(9)), ..key(1) }));
    assert_eq!(world.said(), "");
    let mut trace = Trace::default();
    trace.note_presented(Sighting { at: ago(2), address: None, agent: None });
    world.state.note_trace(*key(1).id.public(), &trace);
    assert_eq!(world.said(), "deleted, still presented");
}

#[test]
fn a_key_whose_owner_left_and_names_that_two_owners_use_are_told() {
    let mut world = World::new(1_000);
    let named = |n: usize, name: &str, owner: u8| Key {
        name: Name::new(name).unwrap(),
        owner: operator(owner),
        ..key(n)
    };
    for key in [named(1, "Export", MARIA), named(2, "ＥＸＰＯＲＴ", JONAS), named(3, "Import", JONAS)] {
        let id = *key.id.public();
        world.state.put(Record::Key(key));
        world.used(id, 1, BOTH);
    }
    let twice = "name used twice".to_owned();
    assert_eq!(world.says(), [("Export", 5, twice.clone()), ("ＥＸＰＯＲＴ", 5, twice)]);
    world.disable_jonas();
    let told: Vec<_> = world.says().into_iter().map(|(name, risk, _)| (name, risk)).collect();
    assert_eq!(told, [("ＥＸＰＯＲＴ", 35), ("Import", 30), ("Export", 5)]);
    // Who sees their own keys only learns nothing of those of others.
    let own = Actor { operator: operator(MARIA), access: Access::Own };
    let by = Reviewer { view: View::new(&world.state, own), ..world.by() };
    assert!(review(by, Breadth::All).is_empty());
}

#[test]
fn an_app_is_used_when_one_of_its_keys_is() {
    let mut world = World::new(1_000);
    world.state.put(Record::App(app()));
    assert_eq!(world.said(), "admin scope never needed, never used in 100 d");
    world.used(id(50), 2, BOTH);
    assert_eq!(world.said(), "");
    let mut world = World::new(1_000);
    world.state.put(Record::App(App { method: AuthMethod::ApiKey, not_before: ago(400), ..app() }));
    world.state.put(Record::Key(Key { place: Place::App(app().id), ..key(1) }));
    world.used(*key(1).id.public(), 2, BOTH);
    assert_eq!(world.said(), "not rotated for 400 d");
    world.state.put(Record::App(App { status: AppStatus::Deleted(ago(1)), ..app() }));
    assert_eq!(world.said(), "");
}

#[test]
fn the_narrower_set_leaves_what_was_needed_and_never_nothing() {
    let mut world = World::new(1_000);
    world.state.put(Record::Key(key(1)));
    let narrower = |world: &World| -> Vec<String> {
        world
            .by()
            .about(Bearer::Key(key(1).id))
            .unwrap()
            .surplus()
            .into_iter()
            .map(ToString::to_string)
            .collect()
    };
    assert_eq!(narrower(&world), [""; 0], "of a key nobody uses all would go");
    world.used(*key(1).id.public(), 2, &["contacts.read"]);
    assert_eq!(narrower(&world), ["contacts.delete"]);
}

#[test]
fn all_concerns_tell_also_what_is_no_row_by_itself() {
    let mut world = World::new(1_000);
    world.state.put(Record::Key(Key { expiry: Expiry::Never, ..key(1) }));
    world.used(*key(1).id.public(), 1, BOTH);
    let rows = |breadth| review(world.by(), breadth).len();
    assert_eq!((rows(Breadth::Telling), rows(Breadth::All)), (0, 1));
}

#[test]
fn what_the_key_before_needed_the_one_that_took_over_needs() {
    let mut world = World::new(1_000);
    let (old, new) = (key(1), Key { succeeds: Some(key(1).id), created_at: ago(20), ..key(2) });
    for key in [&old, &new] {
        world.state.put(Record::Key(key.clone()));
    }
    world.used(*old.id.public(), 21, BOTH);
    world.used(*new.id.public(), 1, &["contacts.read"]);
    assert_eq!(world.by().of_key(&new, false), []);
    assert_eq!(world.by().about(Bearer::Key(new.id)).unwrap().needed_count(), Some(2));
    // That nobody came with the new secret is said all the same, and nothing of its scopes.
    let other = Key { succeeds: Some(old.id), created_at: ago(20), ..key(3) };
    world.state.put(Record::Key(other.clone()));
    assert_eq!(why(&world.by().of_key(&other, false)), "never used in 20 d");
}

#[test]
fn requests_that_are_refused_often_are_told_for_as_long_as_they_are_of_these_days() {
    let mut world = World::new(1_000);
    world.state.put(Record::Key(key(1)));
    let id = *key(1).id.public();
    world.used(id, 1, BOTH);
    let denied = |at, count| Trace::refused(Denied { at, count });
    world.state.note_trace(id, &denied(ago(7), 40));
    assert_eq!(world.said(), "");
    world.state.note_trace(id, &denied(ago(6), 40));
    assert_eq!(world.said(), "40 requests refused in 7 d");
    world.state.note_trace(id, &denied(ago(1), 0));
    assert_eq!(world.said(), "");
}

#[test]
fn a_kept_key_is_quiet_for_its_days_and_as_long_as_nothing_else_is_said_of_it() {
    let kept_at = |days: i64, key: Key| {
        let mut world = World::new(1_000);
        world.state.put(Record::Key(key.clone()));
        let word = Word { by: operator(MARIA), at: ago(days) };
        let kept = Kept::new(Note::new("the auditors need it").unwrap(), word, &[Concern::NeverUsed(9)]);
        world.state.put(Record::Key(Key { kept: Some(Box::new(kept)), ..key }));
        world
    };
    let one = Key { scopes: "contacts.read".parse().unwrap(), ..key(1) };
    let says = |world: &World| world.says().into_iter().map(|(_, risk, why)| (risk, why)).collect::<Vec<_>>();
    let never = "never used in 100 d".to_owned();
    assert_eq!(says(&kept_at(89, one.clone())), [(3, never.clone())]);
    assert_eq!(says(&kept_at(90, one.clone())), [(20, never.clone())]);
    let endless = Key { expiry: Expiry::Never, ..one.clone() };
    assert_eq!(says(&kept_at(1, endless)), [(22, format!("{never}, no expiry"))], "that was not known");
    let mut world = kept_at(1, one);
    world.disable_jonas();
    assert_eq!(says(&world), [(3, never)]);
}

/// One of each, as they are declared.
const ALL: [Concern; 12] = [
    Concern::AdminUnneeded(1),
    Concern::OwnerGone,
    Concern::Presented,
    Concern::NeverUsed(7),
    Concern::Unused(30),
    Concern::DeniedOften(20),
    Concern::ReportOnlyOver(1),
    Concern::ScopesUnneeded { unneeded: 1, granted: 2 },
    Concern::NotRotated(365),
    Concern::SameName,
    Concern::MadeElsewhere,
    Concern::NoEnd,
];

#[test]
fn each_concern_has_a_bit_and_a_word_of_its_own_and_is_counted_by_it() {
    assert_eq!(ALL.map(Concern::code), Concern::CODES);
    assert_eq!(ALL.iter().map(|concern| concern.bit().count_ones()).sum::<u32>(), 12);
    assert_eq!(ALL.iter().fold(0, |bits, concern| bits | concern.bit()), (1 << 12) - 1);
    let rows = [vec![Concern::NoEnd, Concern::NeverUsed(9)], vec![Concern::NeverUsed(40)]];
    let told: Vec<_> =
        looked(rows.iter().map(Vec::as_slice)).into_iter().map(|one| (one.code, one.count)).collect();
    assert_eq!(told, [("never_used".to_owned(), 2), ("no_expiry".to_owned(), 1)]);
}

#[test]
fn side_by_side_each_scope_is_needed_never_needed_not_known_or_not_granted() {
    let mut world = World::new(50);
    let narrow = Key { scopes: "contacts.read".parse().unwrap(), created_at: ago(20), ..key(2) };
    let unused = Key { created_at: ago(20), ..key(3) };
    for key in [key(1), narrow, unused] {
        world.state.put(Record::Key(key));
    }
    // Made before uses were known, and used for one of its scopes since.
    world.used(*key(1).id.public(), 1, &["contacts.read"]);
    world.used(*key(2).id.public(), 1, &["contacts.read"]);
    let keys = [1, 2, 3, 9].map(|n| key(n).id);
    let by = world.by();
    let matrix = by.matrix(&keys);
    let told: Vec<(&str, String)> = matrix
        .rows
        .iter()
        .map(|(scope, grants)| (scope.as_str(), grants.iter().map(|grant| grant.sign()).collect()))
        .collect();
    assert_eq!(told, [("contacts.delete", "?·○".to_owned()), ("contacts.read", "●●○".to_owned())]);
    assert_eq!((matrix.keys.len(), matrix.column(0), matrix.column(2)), (3, (2, 1), (2, 0)));
    assert_eq!(
        matrix.rows.iter().map(|(_, grants)| matrix::count(grants)).collect::<Vec<_>>(),
        [(2, 0), (3, 2)]
    );
    let signs: BTreeSet<char> = Grant::ALL.iter().map(|grant| grant.sign()).collect();
    assert_eq!(signs.len(), Grant::ALL.len());
}

#[test]
fn what_is_declared_first_weighs_the_most() {
    assert!(ALL.is_sorted() && ALL.is_sorted_by_key(|concern| Reverse(concern.weight())));
    let codes: BTreeSet<_> = ALL.iter().map(|concern| concern.code()).collect();
    assert_eq!(codes.len(), ALL.len());
}

proptest! {
    #[test]
    fn a_key_without_any_reason_has_no_concern_and_the_order_is_the_same_whatever_comes_first(
        keys in prop::collection::vec((any::<bool>(), any::<bool>(), 0_i64..400, 0_usize..3, any::<bool>()), 1..40),
        turn in 0_usize..40,
    ) {
        let made: Vec<(Key, bool)> = keys
            .iter()
            .enumerate()
            .map(|(n, (ends, young, used, needs, again))| {
                let mut key = key(n);
                key.expiry = if *ends { key.expiry } else { Expiry::Never };
                key.created_at = ago(if *young { 300 } else { 700 });
                // Of the same risk and name.
                if *again {
                    key.name = Name::new("Again").unwrap();
                }
                // Requests that say nothing of scopes give no reason.
                (key, !*young || *needs == 1 || *used >= 90)
            })
            .collect();
        let fill = |world: &mut World, from: usize| {
            let (first, last) = made.split_at(from % made.len());
            for (key, _) in last.iter().chain(first) {
                world.state.put(Record::Key(key.clone()));
                let at = made.iter().position(|(other, _)| other.id == key.id).unwrap();
                let (_, _, used, needs, _) = keys[at];
                world.used(*key.id.public(), used, &BOTH[..needs]);
            }
        };
        let (mut one, mut other) = (World::new(1_000), World::new(1_000));
        fill(&mut one, 0);
        fill(&mut other, turn);
        let rows = review(one.by(), Breadth::Telling);
        prop_assert_eq!(&rows, &review(other.by(), Breadth::Telling));
        prop_assert!(rows.windows(2).all(|pair| rank(one.by(), &pair[0]) < rank(one.by(), &pair[1])));
        for (key, reasons) in &made {
            let row = rows.iter().find(|row| row.who == Bearer::Key(key.id));
            let said = row.map_or_else(String::new, |row| why(&one.by().of(row)));
            prop_assert_eq!(row.is_some(), *reasons, "{}: {}", key.name, said);
        }
    }
}
