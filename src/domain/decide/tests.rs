//! The rules, told as small stories.

mod apps;
mod each;
mod keys;
mod lifecycle;
mod lockdowns;
mod model;
mod names;
mod preview;
mod report_only;
mod review;
mod rotation;
mod secrets;
mod undo;

use super::decide;
use crate::domain::delivery::{Batch, Channel};
use crate::domain::time::DAY_MS;
use crate::domain::*;

const NOW: Timestamp = Timestamp(1_790_000_000_000);

/// A state and what it takes to run commands on it.
#[derive(Clone)]
struct World {
    state: State,
    now: Timestamp,
    drawn: usize,
    doubted: bool,
    complete_since: Option<Timestamp>,
}

fn id(n: usize) -> PublicId {
    let mut bytes = [b'1'; 12];
    let mut rest = n;
    for byte in &mut bytes {
        *byte = id::BASE58[rest % 58];
        rest /= 58;
    }
    PublicId::from_bytes(bytes).unwrap()
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn scope(text: &str) -> String {
    text.to_owned()
}

impl World {
    /// An agency with its founder, whose id is drawn first.
    fn founded() -> (Self, Actor) {
        let complete_since = Some(Timestamp(0));
        let mut world = Self { state: State::default(), now: NOW, drawn: 1, doubted: false, complete_since };
        let maria = Actor { operator: OperatorId(id(0)), access: Access::Own };
        let command = Command::Found { agency: name("Acme"), operator: name("maria") };
        world.run(maria, &command).unwrap();
        (world, maria)
    }

    fn run(&mut self, actor: Actor, command: &Command) -> Result<Vec<Event>, Refusal> {
        let ids: Vec<_> = (0..70).map(|n| id(self.drawn + n)).collect();
        self.drawn += 70;
        let minted = Some(Minted {
            id: id(self.drawn),
            verifier: Verifier { digest: [0; 32], pepper: 1 },
            imported: None,
        });
        self.drawn += 1;
        self.run_with(actor, command, &ids, minted)
    }

    fn run_with(
        &mut self,
        actor: Actor,
        command: &Command,
        ids: &[PublicId],
        minted: Option<Minted>,
    ) -> Result<Vec<Event>, Refusal> {
        let context = Context {
            actor,
            now: self.now,
            doubted: self.doubted.then_some(self.now),
            complete_since: self.complete_since,
            catalog: Catalog::builtin(),
            ids,
            minted,
            outlook: None,
        };
        let events = decide(&self.state, command, &context)?;
        for event in &events {
            self.state.apply(event);
        }
        Ok(events)
    }

    fn operator(&mut self, admin: Actor, who: &str, role: Role) -> Actor {
        let events = self.run(admin, &Command::AddOperator { name: name(who), role }).unwrap();
        let [Event::OperatorAdded(o)] = events.as_slice() else { panic!("{events:?}") };
        Actor { operator: o.id, access: Access::Own }
    }

    fn location(&mut self, admin: Actor, called: &str) -> LocationId {
        let events = self.run(admin, &Command::AddLocations(vec![name(called)])).unwrap();
        let [Event::LocationAdded(l)] = events.as_slice() else { panic!("{events:?}") };
        l.id
    }

    fn issue(&mut self, actor: Actor, new: NewKey) -> Result<KeyId, Refusal> {
        let events = self.run(actor, &Command::IssueKey(new))?;
        let [Event::KeyIssued(k)] = events.as_slice() else { panic!("{events:?}") };
        Ok(k.id)
    }

    fn key(&self, id: KeyId) -> &Key {
        self.state.key(id).unwrap()
    }
}

fn agency_key(called: &str) -> NewKey {
    NewKey {
        name: name(called),
        place: Place::Agency,
        scopes: vec![scope("contacts.read")],
        expiry: None,
        note: Note::default(),
        decoy: false,
    }
}

fn location_key(called: &str, at: LocationId) -> NewKey {
    NewKey { place: Place::Location(at), ..agency_key(called) }
}

#[test]
fn a_store_is_founded_once() {
    let (mut world, maria) = World::founded();
    assert_eq!(world.state.operator(maria.operator).unwrap().role, Role::Admin);
    let again = Command::Found { agency: name("Other"), operator: name("eve") };
    assert_eq!(world.run(maria, &again), Err(Refusal::AlreadyFounded));
}

#[test]
fn another_operators_key_is_answered_like_one_that_does_not_exist() {
    let (mut world, maria) = World::founded();
    let jonas = world.operator(maria, "jonas", Role::Manager);
    let at = world.location(maria, "North");
    let theirs = world.issue(jonas, location_key("Export", at)).unwrap();
    let nobodys = KeyId(id(1_000_000));
    // Not even an admin sees it before opening the whole-agency view.
    let priya = world.operator(maria, "priya", Role::Manager);
    for actor in [maria, priya, Actor { access: Access::Agency, ..priya }] {
        for make in [
            |key| Command::PauseKey(key, None),
            Command::ResumeKey,
            Command::revoke,
            Command::DeleteKey,
            Command::RestoreKey,
        ] {
            assert_eq!(world.run(actor, &make(theirs)), Err(Refusal::NoSuchKey));
            assert_eq!(world.run(actor, &make(nobodys)), Err(Refusal::NoSuchKey));
        }
        assert_eq!(View::new(&world.state, actor).keys().count(), 0);
        assert_eq!(
            View::new(&world.state, actor).find_key("Export", view::Sought::Living, NOW),
            view::Found::None
        );
        assert_eq!(
            View::new(&world.state, actor).find_key(&theirs.to_string(), view::Sought::Living, NOW),
            view::Found::None
        );
    }
    let whole = Actor { access: Access::Agency, ..maria };
    assert_eq!(View::new(&world.state, whole).keys().count(), 1);
    assert!(world.run(whole, &Command::revoke(theirs)).is_ok());
}

fn trim(upto: u64, file: &str) -> Command {
    Command::TrimAudit { upto, head: String::new(), file: file.into() }
}

#[test]
fn entries_stay_in_the_trail_while_somebody_is_to_be_told_of_them_and_their_file_has_a_name() {
    let (mut world, maria) = World::founded();
    for bad in ["", "/mnt/\u{1b}[2J", "/mnt/\u{202e}gpj", &"x".repeat(1_001)] {
        assert!(matches!(world.run(maria, &trim(4, bad)), Err(Refusal::BadText { .. })), "{bad:?}");
    }
    let mut channel = Channel::begun("mail".parse().unwrap(), 3);
    let with = |world: &mut World, channel: &Channel| world.state.put(Record::Channel(channel.clone()));
    with(&mut world, &channel);
    assert!(world.run(maria, &trim(4, "/mnt/trail")).is_ok(), "nobody is being told anything");
    channel.batch = Some(Batch { upto: 9, past: None });
    with(&mut world, &channel);
    assert!(world.run(maria, &trim(3, "/mnt/trail")).is_ok());
    assert!(matches!(world.run(maria, &trim(4, "/mnt/trail")), Err(Refusal::TrailKept(_))));
}

#[test]
fn every_action_has_its_least_role() {
    let (mut world, maria) = World::founded();
    let jonas = world.operator(maria, "jonas", Role::Manager);
    let vera = world.operator(maria, "vera", Role::Viewer);
    let at = world.location(maria, "North");
    let commands = [
        (Command::OpenAgencyView, Role::Admin),
        (Command::ReadAudit, Role::Admin),
        (Command::ExportAudit, Role::Admin),
        (Command::BackUp, Role::Admin),
        (Command::CloseBackup { sum: [0; 32], seq: 1 }, Role::Admin),
        (trim(4, "/mnt/other/trail"), Role::Admin),
        (Command::PutBack { made: NOW, missing: 0 }, Role::Admin),
        (Command::ReplaceRecovery, Role::Admin),
        (Command::AddOperator { name: name("new"), role: Role::Viewer }, Role::Admin),
        (Command::SetRole { operator: vera.operator, role: Role::Manager, basis: None }, Role::Admin),
        (Command::SetSecret(maria.operator), Role::Admin),
        (Command::DisableOperator { operator: vera.operator, keys: KeysAfter::Stop }, Role::Admin),
        (Command::AddLocations(vec![name("South")]), Role::Admin),
        (Command::RenameLocation { location: at, name: name("Nord"), basis: None }, Role::Admin),
        (Command::RemoveLocation { location: at }, Role::Admin),
        (Command::SetPolicy { name: "notice-days".into(), value: "14d".into(), basis: None }, Role::Admin),
        (Command::IssueKey(agency_key("A")), Role::Admin),
        (Command::IssueKey(location_key("L", at)), Role::Manager),
        (Command::StartSession { failed_attempts: 0 }, Role::Viewer),
        (Command::EndSession, Role::Viewer),
    ];
    for (command, least) in commands {
        for (actor, role) in [(vera, Role::Viewer), (jonas, Role::Manager), (maria, Role::Admin)] {
            let answer = world.clone().run(actor, &command);
            if role >= least {
                assert!(answer.is_ok(), "{role} {command:?}: {answer:?}");
            } else {
                assert_eq!(answer, Err(Refusal::RoleTooLow { role, least }), "{command:?}");
            }
        }
    }
    assert!(world.run(vera, &Command::SetSecret(vera.operator)).is_ok());
}

#[test]
fn the_recovery_code_sets_a_passphrase_and_nothing_else() {
    let (mut world, maria) = World::founded();
    let rescue = Actor { access: Access::Recovery, ..maria };
    assert!(world.run(rescue, &Command::SetSecret(maria.operator)).is_ok());
    assert!(world.run(rescue, &Command::ReplaceRecovery).is_ok());
    for command in [
        Command::IssueKey(agency_key("A")),
        Command::OpenAgencyView,
        Command::ConfirmClock,
        Command::AddOperator { name: name("eve"), role: Role::Admin },
        Command::SetPolicy { name: "max-life".into(), value: "1d".into(), basis: None },
    ] {
        assert_eq!(world.run(rescue, &command), Err(Refusal::RecoveryOnly));
    }
}

#[test]
fn a_doubted_clock_ends_no_key_and_only_an_admin_says_that_it_is_right() {
    let (mut world, maria) = World::founded();
    let jonas = world.operator(maria, "jonas", Role::Manager);
    let wall = Timestamp(NOW.0 - 400 * DAY_MS);
    let judged = |actor, command: &Command| {
        let minted =
            Some(Minted { id: id(900), verifier: Verifier { digest: [0; 32], pepper: 1 }, imported: None });
        let context = Context {
            actor,
            now: NOW,
            doubted: Some(wall),
            complete_since: None,
            catalog: Catalog::builtin(),
            ids: &[],
            minted,
            outlook: None,
        };
        decide(&world.state, command, &context)
    };
    let ends = NewKey { expiry: Some(Expiry::At(Timestamp(NOW.0 + DAY_MS))), ..agency_key("Ends") };
    assert_eq!(judged(maria, &Command::IssueKey(ends)), Err(Refusal::ClockSuspect));
    let never = NewKey { expiry: Some(Expiry::Never), ..agency_key("Never") };
    assert!(judged(maria, &Command::IssueKey(never)).is_ok());
    assert_eq!(judged(maria, &Command::RotateSigningKey), Err(Refusal::ClockSuspect));
    let low = Refusal::RoleTooLow { role: Role::Manager, least: Role::Admin };
    assert_eq!(judged(jonas, &Command::ConfirmClock), Err(low));
    let events = judged(maria, &Command::ConfirmClock).unwrap();
    let [Event::ClockConfirmed(believed, right), Event::SigningKeyAdded(keys)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!((*believed, *right), (NOW, wall));
    assert_eq!(keys.keys.iter().map(|key| (key.number, key.signs_from)).collect::<Vec<_>>(), [(2, wall)]);
    assert!(matches!(world.run(maria, &Command::ConfirmClock), Err(Refusal::NoChange(_))));
}

#[test]
fn a_role_taken_away_counts_at_commit() {
    let (mut world, maria) = World::founded();
    let jonas = world.operator(maria, "jonas", Role::Admin);
    world
        .run(maria, &Command::SetRole { operator: jonas.operator, role: Role::Viewer, basis: None })
        .unwrap();
    let answer = world.run(jonas, &Command::IssueKey(agency_key("Late")));
    assert_eq!(answer, Err(Refusal::RoleTooLow { role: Role::Viewer, least: Role::Admin }));
    world.run(maria, &Command::DisableOperator { operator: jonas.operator, keys: KeysAfter::Stop }).unwrap();
    assert_eq!(world.run(jonas, &Command::EndSession), Err(Refusal::SignedOut));
}

#[test]
fn the_last_active_admin_stays() {
    let (mut world, maria) = World::founded();
    let demote = Command::SetRole { operator: maria.operator, role: Role::Manager, basis: None };
    assert_eq!(world.run(maria, &demote), Err(Refusal::LastAdmin));
    let leave = Command::DisableOperator { operator: maria.operator, keys: KeysAfter::Stop };
    assert_eq!(world.run(maria, &leave), Err(Refusal::LastAdmin));
    world.operator(maria, "jonas", Role::Admin);
    assert!(world.run(maria, &demote).is_ok());
}

#[test]
fn locations_are_added_all_or_none() {
    let (mut world, maria) = World::founded();
    let names = |list: &[&str]| Command::AddLocations(list.iter().map(|n| name(n)).collect());
    assert!(matches!(world.run(maria, &names(&["A", "B", "a"])), Err(Refusal::NameTaken { .. })));
    assert_eq!(world.state.locations().count(), 0);
    assert!(matches!(world.run(maria, &names(&[])), Err(Refusal::ListSize { .. })));
    let many: Vec<_> = (0..65).map(|n| format!("L{n}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    assert!(matches!(world.run(maria, &names(&many)), Err(Refusal::ListSize { .. })));
    assert_eq!(world.run(maria, &names(&many[..64])).unwrap().len(), 64);
}

#[test]
fn an_id_drawn_twice_is_drawn_again() {
    let (mut world, maria) = World::founded();
    let key = world.issue(maria, agency_key("K")).unwrap();
    let minted =
        Some(Minted { id: *key.public(), verifier: Verifier { digest: [1; 32], pepper: 1 }, imported: None });
    let answer = world.run_with(maria, &Command::IssueKey(agency_key("Other")), &[], minted);
    assert_eq!(answer, Err(Refusal::IdTaken));
}

#[test]
fn records_survive_their_bytes_and_no_others() {
    let (mut world, maria) = World::founded();
    let at = world.location(maria, "North");
    let key = world.issue(maria, location_key("K", at)).unwrap();
    let records = [
        Record::Agency(world.state.agency().unwrap().clone()),
        Record::Policy(world.state.policy().clone()),
        Record::Operator(world.state.operator(maria.operator).unwrap().clone()),
        Record::Location(world.state.location(at).unwrap().clone()),
        Record::Key(world.key(key).clone()),
    ];
    for record in records {
        let bytes = record.encode().unwrap();
        let at = record.key();
        assert_eq!(RecordKey::parse(at.to_string().as_bytes()), Some(at));
        assert_eq!(Record::decode(at, &bytes).unwrap(), record);
        for cut in 0..bytes.len() {
            assert!(Record::decode(at, &bytes[..cut]).is_err(), "{at} cut at {cut}");
        }
        assert!(Record::decode(at, &[&bytes[..], &[0]].concat()).is_err());
    }
    let Record::Key(mut other) = Record::Key(world.key(key).clone()) else { unreachable!() };
    other.id = KeyId(id(77));
    assert!(Record::decode(RecordKey::Key(key), &Record::Key(other).encode().unwrap()).is_err());
}
