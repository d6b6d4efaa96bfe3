//! The disk fails. What takes access away is in force at once all the same; what gives access is not given.

use std::sync::Arc;

use keydeck::crypto::random::OsEntropy;
use keydeck::domain::catalog::AuthMethod;
use keydeck::domain::time::DAY_MS;
use keydeck::domain::{AppId, Command, Name, Reason};
use keydeck::engine::clock::TestClock;
use keydeck::engine::oauth::TokenRefusal;
use keydeck::engine::open::{Open, in_store};
use keydeck::engine::{Engine as _, Via};
use keydeck::store::{Fault, MemoryStore};

use super::{START, described};

struct Machine {
    disk: Arc<MemoryStore>,
    clock: TestClock,
    open: Open,
    id: AppId,
    secret: String,
}

impl Machine {
    fn new() -> Self {
        let disk = Arc::new(MemoryStore::new());
        let (store, clock) = (Arc::clone(&disk), TestClock::at(START));
        let own = Arc::new(clock.clone());
        let name = |text| Name::new(text).unwrap();
        let open =
            in_store(store, name("Acme"), name("maria"), own, Via::CommandLine, Box::new(OsEntropy)).unwrap();
        let new = described("Web store", AuthMethod::Jwt, &["contacts.read", "contacts.write"]);
        let secret = open.engine.execute(&open.session, Command::CreateApp(new)).unwrap().token.unwrap();
        Self { disk, clock, open, id: AppId(secret.id()), secret: secret.reveal().to_owned() }
    }

    fn token(&self) -> Result<String, TokenRefusal> {
        let engine = &self.open.engine;
        let client = engine.authenticate(&self.id.to_string(), self.secret.as_bytes())?;
        engine.grant(&client, None, None).map(|granted| granted.token.reveal().to_owned())
    }

    fn does(&self, command: Command) -> bool {
        self.open.engine.execute(&self.open.session, command).is_ok()
    }

    fn refused(&self, token: &str) -> Option<Reason> {
        self.open.engine.verify(token.as_bytes(), &[]).reason()
    }
}

#[test]
fn what_the_disk_did_not_take_away_is_refused_here_nevertheless() {
    let narrower = |id| Command::EditApp {
        app: id,
        change: described("Web store", AuthMethod::Jwt, &["contacts.read"]),
        basis: None,
    };
    let denials: [(&dyn Fn(AppId) -> Command, Reason); 3] = [
        (&Command::PauseApp, Reason::AppDisabled),
        (&Command::DeleteApp, Reason::Tombstoned),
        (&narrower, Reason::Revoked),
    ];
    for (command, reason) in denials {
        let machine = Machine::new();
        let token = machine.token().unwrap();
        assert_eq!(machine.refused(&token), None);
        machine.disk.fail_next(Fault::Unavailable);
        let command = command(machine.id);
        assert!(!machine.does(command.clone()), "{command:?} was not written");
        assert_eq!(machine.refused(&token), Some(reason), "{command:?}");
        if !matches!(command, Command::EditApp { .. }) {
            assert_eq!(machine.token(), Err(TokenRefusal::InvalidClient), "{command:?}");
        }
        // Once it is written the state says the same, and what follows is the state's to say.
        assert!(machine.does(command));
        assert_eq!(machine.refused(&token), Some(reason));
    }
}

#[test]
fn a_secret_that_was_not_renewed_is_still_the_secret() {
    let machine = Machine::new();
    let token = machine.token().unwrap();
    machine.disk.fail_next(Fault::Unavailable);
    assert!(!machine.does(Command::RenewAppSecret(machine.id, None)), "nobody holds a new one");
    assert_eq!(machine.refused(&token), None);
    assert!(machine.token().is_ok());
}

#[test]
fn a_pause_that_was_not_written_is_written_with_the_next_change_that_is() {
    let machine = Machine::new();
    let token = machine.token().unwrap();
    machine.disk.fail_next(Fault::ReadOnly);
    assert!(!machine.does(Command::PauseApp(machine.id)));
    assert_eq!(machine.refused(&token), Some(Reason::AppDisabled));
    let other = described("Another", AuthMethod::Jwt, &["contacts.read"]);
    assert!(machine.does(Command::CreateApp(other)));
    assert_eq!(machine.refused(&token), Some(Reason::AppDisabled), "another app is not concerned");
    assert_eq!(machine.open.engine.condition().unwritten.denials, 0, "what waited was written first");
    assert!(machine.does(Command::ResumeApp(machine.id)));
    assert_eq!(machine.refused(&token), None);
}

#[test]
fn a_revocation_that_was_not_written_is_no_success_and_yet_in_force() {
    let machine = Machine::new();
    let (token, other) = (machine.token().unwrap(), machine.token().unwrap());
    let engine = &machine.open.engine;
    let client = engine.authenticate(&machine.id.to_string(), machine.secret.as_bytes()).unwrap();
    machine.disk.fail_next(Fault::Unavailable);
    assert_eq!(engine.revoke_token(&client, token.as_bytes()), Err(TokenRefusal::Unavailable));
    assert_eq!(machine.refused(&token), Some(Reason::Revoked));
    assert_eq!(machine.refused(&other), None);
    assert_eq!(engine.revoke_token(&client, token.as_bytes()), Ok(()));
    assert_eq!(machine.refused(&token), Some(Reason::Revoked));
    assert!(engine.state().revoked_tokens(machine.id).len() == 1, "this time it was written");
}

#[test]
fn a_key_that_is_due_does_not_stand_in_the_way() {
    let machine = Machine::new();
    let token = machine.token().unwrap();
    assert_eq!(machine.refused(&token), None);
    machine.clock.pass(31 * DAY_MS);
    machine.disk.fail_next(Fault::Unavailable);
    let token = machine.token().unwrap();
    assert_eq!(machine.refused(&token), None, "the old one signs on");
    assert_eq!(machine.open.engine.jwks().len(), 2, "of each number one for each algorithm");
    machine.token().unwrap();
    assert_eq!(machine.open.engine.jwks().len(), 4);
}

#[test]
fn too_many_revocations_end_all_tokens_of_the_app() {
    let machine = Machine::new();
    let engine = &machine.open.engine;
    let client = engine.authenticate(&machine.id.to_string(), machine.secret.as_bytes()).unwrap();
    let bystander = machine.token().unwrap();
    for _ in 0..400 {
        engine.revoke_token(&client, machine.token().unwrap().as_bytes()).unwrap();
    }
    assert_eq!(machine.refused(&bystander), None);
    engine.revoke_token(&client, machine.token().unwrap().as_bytes()).unwrap();
    assert_eq!(machine.refused(&bystander), Some(Reason::Revoked));
    assert_eq!(machine.refused(&machine.token().unwrap()), None, "those issued from now on are good");
}
