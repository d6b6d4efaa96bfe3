//! Everything of somebody or something refused at once: who may, what it covers, and that lifting it leaves all as it was.

use proptest::prelude::*;

use super::*;
use crate::domain::basis::Basis;
use crate::domain::catalog::AuthMethod;
use crate::domain::lifecycle::deletes_at;
use crate::domain::lockdown::{given_back, stops};
use crate::domain::notice::{What, board};
use crate::domain::verdict::{closed_app, refused};

fn lock(what: Extent) -> Command {
    Command::LockDown { what, why: Note::new("a laptop was stolen").unwrap() }
}

fn lift(what: Extent) -> Command {
    Command::LiftLockdown { what, basis: None }
}

/// An agency with somebody of each role, a location, and an app of each kind with an admin and a manager.
struct Agencies {
    world: World,
    maria: Actor,
    jonas: Actor,
    vera: Actor,
    north: LocationId,
    shop: AppId,
    bot: AppId,
    keys: Vec<(&'static str, KeyId)>,
}

impl Agencies {
    fn new() -> Self {
        let (mut world, maria) = World::founded();
        let jonas = world.operator(maria, "jonas", Role::Manager);
        let vera = world.operator(maria, "vera", Role::Viewer);
        let (north, south) = (world.location(maria, "North"), world.location(maria, "South"));
        let rule = Command::SetPolicy { name: "issue-app".into(), value: "manager".into(), basis: None };
        world.run(maria, &rule).unwrap();
        let shop = world.app(jonas, apps::new_app("Shop", AuthMethod::ApiKey)).unwrap();
        let bot = world.app(maria, apps::new_app("Bot", AuthMethod::Jwt)).unwrap();
        let whole = Actor { access: Access::Agency, ..maria };
        let of_shop = |called| NewKey {
            place: Place::App(shop),
            scopes: apps::scopes(AuthMethod::ApiKey, 1),
            ..agency_key(called)
        };
        let keys = [
            ("maria's", maria, agency_key("maria's")),
            ("maria's at North", maria, location_key("maria's at North", north)),
            ("jonas's at North", jonas, location_key("jonas's at North", north)),
            ("jonas's at South", jonas, location_key("jonas's at South", south)),
            ("jonas's of Shop", jonas, of_shop("jonas's of Shop")),
            ("maria's of Shop", whole, of_shop("maria's of Shop")),
        ];
        let keys =
            keys.into_iter().map(|(called, who, new)| (called, world.issue(who, new).unwrap())).collect();
        Self { world, maria, jonas, vera, north, shop, bot, keys }
    }

    fn refused(&self, key: KeyId) -> Option<Reason> {
        refused(&self.world.state, self.world.key(key), self.world.now)
    }

    /// What works, by name; apps with access tokens too.
    fn works(&self) -> Vec<&'static str> {
        let keys = self.keys.iter().filter(|(_, key)| self.refused(*key).is_none());
        let bot = closed_app(&self.world.state, self.world.state.app(self.bot).unwrap());
        keys.map(|(called, _)| *called).chain(bot.is_none().then_some("Bot")).collect()
    }
}

#[test]
fn an_admin_locks_anything_down_and_a_manager_what_is_their_own() {
    let agencies = Agencies::new();
    let (maria, jonas, vera) = (agencies.maria, agencies.jonas, agencies.vera);
    let low = |role| Err(Refusal::RoleTooLow { role, least: Role::Admin });
    let no_app = Err(Refusal::NoSuchApp);
    let own = |actor: Actor| Extent::Owner(actor.operator);
    let whole = Actor { access: Access::Agency, ..maria };
    let manager = || low(Role::Manager);
    for (actor, what, answer) in [
        (maria, Extent::Agency, Ok(())),
        (maria, own(maria), Ok(())),
        (maria, own(jonas), Ok(())),
        (maria, Extent::Location(agencies.north), Ok(())),
        (maria, Extent::App(agencies.bot), Ok(())),
        (maria, Extent::App(agencies.shop), no_app.clone()),
        (whole, Extent::App(agencies.shop), Ok(())),
        (jonas, own(jonas), Ok(())),
        (jonas, own(maria), manager()),
        (jonas, Extent::Agency, manager()),
        (jonas, Extent::Location(agencies.north), manager()),
        (jonas, Extent::App(agencies.shop), manager()),
        (jonas, Extent::App(agencies.bot), no_app),
        (vera, own(vera), Err(Refusal::RoleTooLow { role: Role::Viewer, least: Role::Manager })),
        (vera, Extent::Agency, low(Role::Viewer)),
        (Actor { access: Access::Recovery, ..maria }, Extent::Agency, Err(Refusal::RecoveryOnly)),
    ] {
        let mut world = agencies.world.clone();
        assert_eq!(world.run(actor, &lock(what)).map(drop), answer, "{what:?}");
        if answer.is_ok() {
            assert!(world.run(actor, &lift(what)).is_ok(), "{what:?}");
        }
    }
}

#[test]
fn what_a_lockdown_covers_is_refused_and_nothing_else() {
    let all = Agencies::new();
    let everything = all.works();
    assert_eq!(everything.len(), 7);
    let at = |world: &World, called: &str| world.state.location_named(&name(called)).unwrap().id;
    let south = at(&all.world, "South");
    for (what, covered) in [
        (Extent::Agency, &everything[..]),
        // The keys of an app with it, whoever issued them.
        (
            Extent::Owner(all.jonas.operator),
            &["jonas's at North", "jonas's at South", "jonas's of Shop", "maria's of Shop"],
        ),
        (Extent::Owner(all.maria.operator), &["maria's", "maria's at North", "maria's of Shop", "Bot"]),
        (Extent::Location(all.north), &["maria's at North", "jonas's at North"]),
        (Extent::Location(south), &["jonas's at South"]),
        (Extent::App(all.shop), &["jonas's of Shop", "maria's of Shop"]),
        (Extent::App(all.bot), &["Bot"]),
    ] {
        let mut all = Agencies::new();
        let whole = Actor { access: Access::Agency, ..all.maria };
        let before = all.world.state.clone();
        let stopped = stops(View::new(&before, whole), what, NOW);
        let said = all.world.run(whole, &lock(what)).unwrap();
        assert!(matches!(&said[..], [Event::LockedDown(_)]), "one record, however much it covers: {said:?}");
        assert!(said.iter().all(Event::only_takes_away));
        let left: Vec<_> = everything.iter().filter(|one| !covered.contains(one)).copied().collect();
        assert_eq!(all.works(), left, "{what:?}");
        let keys = covered.iter().filter(|one| **one != "Bot").count();
        assert_eq!((stopped.keys, stopped.others), (keys, 0), "{what:?}: told before");
        for (called, key) in &all.keys {
            let reason = covered.contains(called).then_some(Reason::LockedDown);
            assert_eq!(all.refused(*key), reason, "{called}");
        }
        let after = all.world.state.clone();
        let back = given_back(View::new(&after, whole), what, NOW);
        assert_eq!(back, stopped, "{what:?}");
        all.world.run(whole, &lift(what)).unwrap();
        assert_eq!(all.works(), everything);
    }
}

#[test]
fn lifting_touches_no_key_what_was_stopped_or_ended_stays_so() {
    let mut all = Agencies::new();
    let maria = all.maria;
    let key = |called: &str| all.keys.iter().find(|(name, _)| *name == called).unwrap().1;
    let (paused, at_north) = (key("maria's"), key("maria's at North"));
    let ends = NewKey { expiry: Some(Expiry::At(Timestamp(NOW.0 + DAY_MS))), ..agency_key("Ends") };
    let ends = all.world.issue(maria, ends).unwrap();
    all.world.run(maria, &Command::PauseKey(paused, None)).unwrap();
    let hour: Grace = "1h".parse().unwrap();
    all.world.run(maria, &Command::PauseKey(at_north, Some(hour))).unwrap();
    all.world.run(maria, &Command::PauseApp(all.bot)).unwrap();
    let before: Vec<Key> = all.world.state.keys().cloned().collect();
    all.world.run(maria, &lock(Extent::Agency)).unwrap();
    assert_eq!(all.works(), [""; 0]);
    // Issued under it, a key is covered like all others, and so is one that takes over.
    let new = all.world.issue(maria, agency_key("New")).unwrap();
    assert_eq!(all.refused(new), Some(Reason::LockedDown));
    // What is revoked is told as revoked, and what is over as over: no lifting gives that back.
    all.world.run(maria, &Command::revoke(new)).unwrap();
    assert_eq!(all.refused(new), Some(Reason::Revoked));
    all.world.now = Timestamp(NOW.0 + 2 * DAY_MS);
    assert_eq!(all.refused(ends), Some(Reason::Expired));
    // A pause for an hour ends by its own rule and gives nothing back meanwhile.
    let service = Actor { operator: OperatorId(PublicId::NOBODY), access: Access::Service };
    all.world.run_with(service, &Command::ResumeDue, &[], None).unwrap();
    assert_eq!(all.refused(at_north), Some(Reason::LockedDown));
    all.world.run(maria, &lift(Extent::Agency)).unwrap();
    let after = |id: KeyId| all.world.key(id).clone();
    for key in before.iter().filter(|key| key.id != at_north) {
        assert_eq!(after(key.id), *key, "not a byte of it");
    }
    let reasons = [paused, at_north, ends, new].map(|key| all.refused(key));
    assert_eq!(reasons, [Some(Reason::Disabled), None, Some(Reason::Expired), Some(Reason::Revoked)]);
    let bot = closed_app(&all.world.state, all.world.state.app(all.bot).unwrap());
    assert_eq!(bot, Some(Reason::AppDisabled));
}

#[test]
fn each_of_several_lockdowns_has_to_be_lifted() {
    let mut all = Agencies::new();
    let (maria, north) = (all.maria, Extent::Location(all.north));
    let key = all.keys.iter().find(|(called, _)| *called == "jonas's at North").unwrap().1;
    let each = [Extent::Agency, Extent::Owner(all.jonas.operator), north];
    for what in each {
        all.world.run(maria, &lock(what)).unwrap();
        assert_eq!(all.world.run(maria, &lock(what)), Err(Refusal::NoChange("it is locked down already")));
    }
    // What another still covers does not come back with the first.
    for (what, comes_back) in each.into_iter().zip([1, 3, 2]) {
        assert_eq!(all.refused(key), Some(Reason::LockedDown));
        let whole = Actor { access: Access::Agency, ..maria };
        let back = given_back(View::new(&all.world.state, whole), what, NOW).keys;
        assert_eq!(back, comes_back, "{what:?}");
        all.world.run(maria, &lift(what)).unwrap();
        assert_eq!(all.world.run(maria, &lift(what)), Err(Refusal::NoChange("it is not locked down")));
    }
    assert_eq!(all.refused(key), None);
}

#[test]
fn what_an_admin_locked_down_its_owner_does_not_lift_and_of_what_they_did_an_admin_may_take_over() {
    let mut all = Agencies::new();
    let (maria, jonas) = (all.maria, all.jonas);
    let own = Extent::Owner(jonas.operator);
    let low = Err(Refusal::RoleTooLow { role: Role::Manager, least: Role::Admin });
    all.world.run(jonas, &lock(own)).unwrap();
    let seen = Basis::of_lockdown(own, all.world.state.lockdown(own).unwrap());
    assert!(matches!(all.world.run(jonas, &lock(own)), Err(Refusal::NoChange(_))));
    all.world.now = Timestamp(NOW.0 + 1_000);
    all.world.run(maria, &lock(own)).unwrap();
    let stands = all.world.state.lockdown(own).unwrap();
    assert_eq!((stands.by, stands.since), (maria.operator, NOW), "it stands since it began");
    assert_eq!(all.world.run(jonas, &lift(own)), low);
    // Who lifts what they saw is asked again where that is another by now.
    let lift_seen = Command::LiftLockdown { what: own, basis: Some(seen) };
    assert!(matches!(all.world.run(maria, &lift_seen), Err(Refusal::ChangedMeanwhile { .. })));
    let now = Basis::of_lockdown(own, all.world.state.lockdown(own).unwrap());
    assert!(all.world.run(maria, &Command::LiftLockdown { what: own, basis: Some(now) }).is_ok());
    assert_eq!(all.works().len(), 7);
}

#[test]
fn nothing_leaves_an_owner_who_is_locked_down() {
    let mut all = Agencies::new();
    let (maria, jonas) = (all.maria, all.jonas);
    let whole = Actor { access: Access::Agency, ..maria };
    all.world.run(maria, &lock(Extent::Owner(jonas.operator))).unwrap();
    let key = all.keys.iter().find(|(called, _)| *called == "jonas's at South").unwrap().1;
    let locked = Err(Refusal::LockedDown { name: "jonas".into() });
    assert_eq!(all.world.run(whole, &Command::TransferKey { key, to: maria.operator }), locked);
    let give = |keys| Command::DisableOperator { operator: jonas.operator, keys };
    assert_eq!(all.world.run(maria, &give(KeysAfter::GiveTo(maria.operator))), locked);
    assert!(all.world.run(maria, &give(KeysAfter::Stop)).is_ok());
    all.world.run(maria, &Command::EnableOperator(jonas.operator)).unwrap();
    assert_eq!(all.refused(key), Some(Reason::LockedDown), "access is not what was locked down");
}

#[test]
fn what_is_gone_cannot_be_locked_down_and_stays_to_be_lifted_when_it_was() {
    let mut all = Agencies::new();
    let (maria, north, bot) = (all.maria, Extent::Location(all.north), Extent::App(all.bot));
    all.world.run(maria, &lock(north)).unwrap();
    all.world.run(maria, &Command::RemoveLocation { location: all.north }).unwrap();
    assert!(all.world.run(maria, &lift(north)).is_ok());
    assert_eq!(all.world.run(maria, &lock(north)), Err(Refusal::NoSuchLocation));
    all.world.run(maria, &Command::DeleteApp(all.bot)).unwrap();
    assert!(matches!(all.world.run(maria, &lock(bot)), Err(Refusal::WrongAppState { .. })));
    let nobody = Extent::Owner(OperatorId(id(900_000)));
    assert_eq!(all.world.run(maria, &lock(nobody)), Err(Refusal::NoSuchOperator));
}

#[test]
fn days_without_use_do_not_count_under_a_lockdown_and_count_anew_when_it_is_lifted() {
    let (mut world, maria) = World::founded();
    let key = world.issue(maria, NewKey { expiry: Some(Expiry::Never), ..agency_key("Idle") }).unwrap();
    let deletes_at = |world: &World| {
        let grounds = Grounds::of(world.now, false, world.complete_since);
        deletes_at(&world.state, world.key(key), grounds).map(|(at, _)| at.since(NOW) / DAY_MS)
    };
    assert_eq!(deletes_at(&world), Some(90));
    world.now = Timestamp(NOW.0 + 80 * DAY_MS);
    world.run(maria, &lock(Extent::Agency)).unwrap();
    assert_eq!(deletes_at(&world), None);
    world.now = Timestamp(NOW.0 + 300 * DAY_MS);
    assert_eq!(deletes_at(&world), None);
    world.run(maria, &lift(Extent::Agency)).unwrap();
    assert_eq!(deletes_at(&world), Some(390), "as of a key that was paused and resumed");
}

#[test]
fn the_board_tells_of_a_lockdown_as_long_as_it_stands_to_those_it_concerns() {
    let mut all = Agencies::new();
    let (maria, jonas, vera) = (all.maria, all.jonas, all.vera);
    let told = |all: &Agencies, who| {
        let grounds = Grounds::of(NOW, false, Some(Timestamp(0)));
        let notices = board(View::new(&all.world.state, who), grounds, &[]);
        notices.into_iter().filter(|notice| matches!(notice.what, What::LockedDown(_))).count()
    };
    let each = [Extent::Agency, Extent::Owner(jonas.operator), Extent::App(all.bot)];
    for what in each {
        all.world.run(maria, &lock(what)).unwrap();
    }
    assert_eq!([maria, jonas, vera].map(|who| told(&all, who)), [3, 2, 1]);
    for what in each {
        all.world.run(maria, &lift(what)).unwrap();
    }
    assert_eq!([maria, jonas, vera].map(|who| told(&all, who)), [0, 0, 0]);
}

#[test]
fn what_a_lockdown_is_a_part_of_survives_its_bytes_and_is_read_as_it_was_written_before() {
    let mut all = Agencies::new();
    let whole = Actor { access: Access::Agency, ..all.maria };
    let bytes = |all: &Agencies| Record::Agency(all.world.state.agency().unwrap().clone()).encode().unwrap();
    let before = bytes(&all);
    assert_eq!(before, minicbor::to_vec((name("Acme"), NOW)).unwrap(), "as stores of before have it");
    for what in [
        Extent::Agency,
        Extent::Owner(all.jonas.operator),
        Extent::Location(all.north),
        Extent::App(all.shop),
    ] {
        let events = all.world.run(whole, &lock(what)).unwrap();
        for record in events.iter().flat_map(Event::records) {
            assert_eq!(Record::decode(record.key(), &record.encode().unwrap()).unwrap(), record);
        }
        let travelled: Event =
            minicbor::decode_with(&minicbor::to_vec_with(&events[0], &mut ()).unwrap(), &mut ()).unwrap();
        assert_eq!(travelled, events[0]);
    }
    let old = Record::decode(RecordKey::Agency, &before).unwrap();
    assert!(matches!(old, Record::Agency(Agency { lockdown: None, .. })));
}

#[derive(Clone, Debug)]
enum Step {
    Lock(usize, usize),
    Lift(usize, usize),
    Key(usize, u8),
    Operator(bool),
    App(bool),
    Issue(usize),
    Pass,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..5usize, 0..3usize).prop_map(|(what, who)| Step::Lock(what, who)),
        3 => (0..5usize, 0..3usize).prop_map(|(what, who)| Step::Lift(what, who)),
        3 => (any::<usize>(), 0..4u8).prop_map(|(key, verb)| Step::Key(key, verb)),
        1 => any::<bool>().prop_map(Step::Operator),
        1 => any::<bool>().prop_map(Step::App),
        1 => (0..2usize).prop_map(Step::Issue),
        1 => Just(Step::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// Beside a world in which nobody ever locks anything down: a key is let in when it would be there, and none that stands
    /// covers it; what is refused there is refused here.
    #[test]
    fn a_key_works_when_it_would_without_and_nothing_that_stands_covers_it(steps in prop::collection::vec(step(), 1..60)) {
        let mut all = Agencies::new();
        let mut plain = all.world.clone();
        let whole = Actor { access: Access::Agency, ..all.maria };
        let people = [whole, all.jonas, all.vera];
        let (jonas, maria) = (all.jonas.operator, all.maria.operator);
        let (north, shop) = (all.north, all.shop);
        let extents =
            [Extent::Agency, Extent::Owner(jonas), Extent::Owner(maria), Extent::Location(north), Extent::App(shop)];
        let mut standing = std::collections::BTreeSet::new();
        for (n, step) in steps.into_iter().enumerate() {
            let mut keys: Vec<_> = plain.state.keys().map(|key| key.id).collect();
            keys.sort();
            // Ids are drawn alike in both.
            (all.world.drawn, plain.drawn) = (1_000 * (n + 10), 1_000 * (n + 10));
            let now = plain.now;
            let mut both = |actor, command: &Command| {
                (all.world.run(actor, command).is_ok(), plain.run(actor, command).is_ok())
            };
            match step {
                Step::Lock(what, who) => {
                    if all.world.run(people[who], &lock(extents[what])).is_ok() {
                        standing.insert(extents[what]);
                    }
                }
                Step::Lift(what, who) => {
                    if all.world.run(people[who], &lift(extents[what])).is_ok() {
                        prop_assert!(standing.remove(&extents[what]));
                    }
                }
                Step::Key(key, verb) => {
                    let key = keys[key % keys.len()];
                    let command = match verb {
                        0 => Command::PauseKey(key, None),
                        1 => Command::ResumeKey(key),
                        2 => Command::revoke(key),
                        _ => Command::DeleteKey(key),
                    };
                    let (here, there) = both(whole, &command);
                    prop_assert_eq!(here, there, "a lockdown is no state of a key");
                }
                Step::Operator(off) => {
                    let stop = Command::DisableOperator { operator: jonas, keys: KeysAfter::Stop };
                    both(whole, &if off { stop } else { Command::EnableOperator(jonas) });
                }
                Step::App(off) => {
                    both(whole, &if off { Command::PauseApp(shop) } else { Command::ResumeApp(shop) });
                }
                Step::Issue(who) => {
                    let ends = Some(Expiry::At(Timestamp(now.0 + 2 * DAY_MS)));
                    let new = NewKey { expiry: ends, ..location_key(&format!("K{n}"), north) };
                    both(people[who], &Command::IssueKey(new));
                }
                Step::Pass => {
                    plain.now = Timestamp(plain.now.0 + DAY_MS);
                    all.world.now = plain.now;
                }
            }
            prop_assert_eq!(all.world.state.key_count(), plain.state.key_count());
            for key in plain.state.keys() {
                let without = refused(&plain.state, key, plain.now);
                let covers = |what: &Extent| match what {
                    Extent::Agency => true,
                    Extent::Owner(who) => {
                        let app = key.place.app().and_then(|app| plain.state.app(app));
                        key.owner == *who || app.is_some_and(|app| app.owner == *who)
                    }
                    Extent::Location(at) => key.place.location() == Some(*at),
                    Extent::App(app) => key.place.app() == Some(*app),
                };
                let here = refused(&all.world.state, all.world.key(key.id), all.world.now);
                prop_assert_eq!(here.is_none(), without.is_none() && !standing.iter().any(covers));
                if matches!(without, Some(Reason::Revoked | Reason::Tombstoned | Reason::Expired)) {
                    prop_assert_eq!(here, without, "what is final is told as it is");
                }
            }
        }
    }
}
