//! What can be done to apps, and what it does to their keys and tokens.

use super::*;
use crate::domain::app::{KEYS_PER_APP, Revoked, RevokedTokens};
use crate::domain::catalog::{AuthMethod, Level};
use crate::domain::verdict::{closed, closed_app};

/// Scopes an app may hold with this authentication, as many as asked for.
pub(super) fn scopes(method: AuthMethod, count: usize) -> Vec<String> {
    let all = Catalog::builtin().allowed_for(Level::App, method);
    let some: Vec<_> = all.map(|p| p.id.to_string()).take(count).collect();
    assert_eq!(some.len(), count);
    some
}

fn url(text: &str) -> Url {
    Url::new(text).unwrap()
}

pub(super) fn new_app(called: &str, method: AuthMethod) -> NewApp {
    NewApp {
        name: name(called),
        profile: Profile {
            uri: url("https://booking.example"),
            description: Note::new("Books rooms.").unwrap(),
            user_type: UserType::Both,
            source: SourceApp::ExternalWebstore,
            post_login: vec![url("https://booking.example/in"), url("http://localhost:3000/in")],
            post_logout: vec![url("https://booking.example/out")],
        },
        method,
        scopes: scopes(method, 3),
        terms: Terms::default(),
    }
}

impl World {
    pub(super) fn app(&mut self, actor: Actor, new: NewApp) -> Result<AppId, Refusal> {
        let events = self.run(actor, &Command::CreateApp(new))?;
        let [Event::AppCreated(app)] = events.as_slice() else { panic!("{events:?}") };
        Ok(app.id)
    }

    fn with_app() -> (Self, Actor, AppId) {
        let (mut world, maria) = Self::founded();
        let app = world.app(maria, new_app("Web store", AuthMethod::ApiKey)).unwrap();
        (world, maria, app)
    }

    fn app_key(
        &mut self,
        actor: Actor,
        app: AppId,
        called: &str,
        scopes: &[String],
    ) -> Result<KeyId, Refusal> {
        let place = Place::App(app);
        self.issue(actor, NewKey { place, scopes: scopes.to_vec(), ..agency_key(called) })
    }
}

#[test]
fn an_app_key_lives_a_year_and_does_no_more_than_its_app() {
    let (mut world, maria, app) = World::with_app();
    let all = scopes(AuthMethod::ApiKey, 4);
    let key = world.app_key(maria, app, "Store key", &all[..3]).unwrap();
    assert_eq!(world.key(key).place.kind(), "app");
    assert!(world.key(key).hint().starts_with("kdap_"));
    assert_eq!(world.key(key).expiry, Expiry::At(Timestamp(NOW.0 + 365 * DAY_MS)));
    let beyond = Refusal::BeyondApp { scopes: all[3].clone() };
    assert_eq!(world.app_key(maria, app, "More", &all), Err(beyond.clone()));
    assert_eq!(world.run(maria, &Command::RescopeKey { key, scopes: all, basis: None }), Err(beyond));
    let unknown = AppId(id(999_999));
    assert_eq!(
        world.app_key(maria, unknown, "None", &scopes(AuthMethod::ApiKey, 1)),
        Err(Refusal::NoSuchApp)
    );
}

#[test]
fn an_app_with_access_tokens_has_no_keys_and_stays_so() {
    let (mut world, maria) = World::founded();
    let app = world.app(maria, new_app("Bot", AuthMethod::Jwt)).unwrap();
    let scopes = scopes(AuthMethod::ApiKey, 1);
    assert!(matches!(world.app_key(maria, app, "Key", &scopes), Err(Refusal::AppWithoutKeys { .. })));
    let change = new_app("Bot", AuthMethod::ApiKey);
    assert!(matches!(
        world.run(maria, &Command::EditApp { app, change, basis: None }),
        Err(Refusal::NoChange(_))
    ));
}

#[test]
fn apps_are_their_owners_and_only_permitted_roles_make_them() {
    let (mut world, maria, app) = World::with_app();
    let jonas = world.operator(maria, "jonas", Role::Manager);
    let denied = world.app(jonas, new_app("Mine", AuthMethod::ApiKey));
    assert!(matches!(denied, Err(Refusal::RoleTooLow { .. })));
    let allow = Command::SetPolicy { name: "issue-app".into(), value: "manager".into(), basis: None };
    world.run(maria, &allow).unwrap();
    let his = world.app(jonas, new_app("Web store", AuthMethod::ApiKey)).expect("names are per owner");
    for command in [
        Command::PauseApp(app),
        Command::DeleteApp(app),
        Command::RenewAppSecret(app, None),
        Command::EditApp { app, change: new_app("Taken over", AuthMethod::ApiKey), basis: None },
    ] {
        assert_eq!(world.run(jonas, &command), Err(Refusal::NoSuchApp), "{}", command.name());
    }
    let scopes = scopes(AuthMethod::ApiKey, 1);
    assert_eq!(world.app_key(jonas, app, "Key", &scopes), Err(Refusal::NoSuchApp));
    let view = View::new(&world.state, jonas);
    assert_eq!(view.apps().iter().map(|a| a.id).collect::<Vec<_>>(), [his]);
    assert!(view.app(app).is_none());
    let whole = Actor { access: Access::Agency, ..maria };
    assert_eq!(View::new(&world.state, whole).apps().len(), 2);
    world.run(whole, &Command::PauseApp(his)).unwrap();
}

#[test]
fn pausing_stops_keys_and_tokens_and_deleting_is_final_for_both() {
    let (mut world, maria, app) = World::with_app();
    let key = world.app_key(maria, app, "Key", &scopes(AuthMethod::ApiKey, 1)).unwrap();
    let shut = |world: &World| {
        (closed(&world.state, world.key(key)), closed_app(&world.state, world.state.app(app).unwrap()))
    };
    assert_eq!(shut(&world), (None, None));
    world.run(maria, &Command::PauseApp(app)).unwrap();
    assert_eq!(shut(&world), (Some(Reason::AppDisabled), Some(Reason::AppDisabled)));
    assert!(world.run(maria, &Command::PauseApp(app)).is_err());
    world.run(maria, &Command::ResumeApp(app)).unwrap();
    assert_eq!(shut(&world), (None, None));
    world.run(maria, &Command::DeleteApp(app)).unwrap();
    assert_eq!(shut(&world), (Some(Reason::Revoked), Some(Reason::Tombstoned)));
    for command in [Command::ResumeApp(app), Command::DeleteApp(app), Command::RenewAppSecret(app, None)] {
        let refused = world.run(maria, &command);
        assert!(
            matches!(refused, Err(Refusal::WrongAppState { state: "deleted", .. })),
            "{}",
            command.name()
        );
    }
    let again = world.app_key(maria, app, "Again", &scopes(AuthMethod::ApiKey, 1));
    assert!(matches!(again, Err(Refusal::WrongAppState { .. })));
    assert!(world.app(maria, new_app("Web store", AuthMethod::ApiKey)).is_ok(), "the name is free again");
}

#[test]
fn an_owner_who_leaves_takes_the_apps_along_or_gives_them_away() {
    let (mut world, maria, app) = World::with_app();
    let admin = world.operator(maria, "jonas", Role::Admin);
    let stop = |keys| Command::DisableOperator { operator: maria.operator, keys };
    world.run(admin, &stop(KeysAfter::Stop)).unwrap();
    let closed = closed_app(&world.state, world.state.app(app).unwrap());
    assert_eq!(closed, Some(Reason::OwnerDisabled));
    world.run(admin, &stop(KeysAfter::GiveTo(admin.operator))).unwrap();
    assert_eq!(world.state.app(app).unwrap().owner, admin.operator);
    assert_eq!(closed_app(&world.state, world.state.app(app).unwrap()), None);
}

#[test]
fn editing_the_scopes_of_an_app_moves_its_keys_along() {
    let (mut world, maria, app) = World::with_app();
    let all = scopes(AuthMethod::ApiKey, 4);
    let whole = world.app_key(maria, app, "Whole", &all[..3]).unwrap();
    let part = world.app_key(maria, app, "Part", &all[1..3]).unwrap();
    let held = |world: &World, key| world.key(key).scopes.iter().map(ToString::to_string).collect::<Vec<_>>();
    let sorted = |names: &[String]| {
        let mut names = names.to_vec();
        names.sort();
        names
    };
    let mut change = new_app("Web store", AuthMethod::ApiKey);
    change.scopes = all[2..].to_vec();
    world.run(maria, &Command::EditApp { app, change: change.clone(), basis: None }).unwrap();
    assert_eq!(held(&world, whole), sorted(&all[2..]), "had all, has all");
    assert_eq!(held(&world, part), sorted(&all[2..3]), "keeps what both have");
    change.scopes = all[3..].to_vec();
    let refused = world.run(maria, &Command::EditApp { app, change: change.clone(), basis: None });
    assert_eq!(refused, Err(Refusal::KeyLeftEmpty { name: "Part".into() }));
    world.run(maria, &Command::revoke(part)).unwrap();
    world.run(maria, &Command::EditApp { app, change: change.clone(), basis: None }).unwrap();
    assert!(matches!(
        world.run(maria, &Command::EditApp { app, change, basis: None }),
        Err(Refusal::NoChange(_))
    ));
}

#[test]
fn a_profile_that_cannot_be_is_refused() {
    let (mut world, maria) = World::founded();
    let many: Vec<_> = (0..11).map(|n| url(&format!("https://example.com/{n}"))).collect();
    for list in [many, vec![url("https://example.com"), url("https://example.com")]] {
        let mut new = new_app("App", AuthMethod::ApiKey);
        new.profile.post_logout = list;
        assert!(matches!(world.app(maria, new), Err(Refusal::UrlList { .. })));
    }
    let mut new = new_app("App", AuthMethod::ApiKey);
    new.scopes.clear();
    assert_eq!(world.app(maria, new), Err(Refusal::NoScopes));
    world.app(maria, new_app("App", AuthMethod::ApiKey)).unwrap();
    assert!(matches!(world.app(maria, new_app("APP", AuthMethod::Jwt)), Err(Refusal::NameTaken { .. })));
}

#[test]
fn a_new_secret_ends_the_tokens_of_the_old_one() {
    let (mut world, maria, app) = World::with_app();
    world.now = Timestamp(NOW.0 + 5_000);
    let before = world.state.app(app).unwrap().clone();
    world.run(maria, &Command::RenewAppSecret(app, None)).unwrap();
    let after = world.state.app(app).unwrap();
    assert_eq!((before.not_before, after.not_before), (NOW, world.now));
    assert_eq!(after.id, before.id, "the application id stays");
}

#[test]
fn revoked_tokens_are_remembered_until_they_end_and_too_many_end_them_all() {
    let (mut world, maria, app) = World::with_app();
    let service = Actor { access: Access::Service, ..maria };
    let revoke = |n: usize, until| Command::RevokeToken { app, token: Revoked { token: id(n), until } };
    let soon = Timestamp(NOW.0 + 1_000);
    assert_eq!(world.run(maria, &revoke(1, soon)), Err(Refusal::ServiceOnly));
    world.run(service, &revoke(1, soon)).unwrap();
    world.run(service, &revoke(1, soon)).unwrap();
    assert_eq!(world.state.revoked_tokens(app).len(), 1);
    world.now = Timestamp(NOW.0 + 2_000);
    let later = Timestamp(NOW.0 + 600_000);
    for n in 2..RevokedTokens::MAX + 2 {
        world.run(service, &revoke(n, later)).unwrap();
    }
    assert_eq!(world.state.revoked_tokens(app).len(), RevokedTokens::MAX);
    assert_eq!(world.state.app(app).unwrap().not_before, NOW);
    world.run(service, &revoke(0, later)).unwrap();
    assert_eq!(world.state.revoked_tokens(app).len(), 0);
    assert_eq!(world.state.app(app).unwrap().not_before, world.now);
}

#[test]
fn the_service_session_does_nothing_else() {
    let (mut world, maria, app) = World::with_app();
    let service = Actor { access: Access::Service, ..maria };
    world.run(service, &Command::RotateSigningKey).unwrap();
    assert_eq!(world.state.signing().keys.len(), 2);
    for command in [
        Command::OpenAgencyView,
        Command::ReadAudit,
        Command::IssueKey(agency_key("Key")),
        Command::CreateApp(new_app("App", AuthMethod::ApiKey)),
        Command::DeleteApp(app),
        Command::SetSecret(maria.operator),
        Command::ConfirmClock,
        Command::SetPolicy { name: "idle-days".into(), value: "off".into(), basis: None },
    ] {
        assert_eq!(world.run(service, &command), Err(Refusal::ServiceOnly), "{}", command.name());
    }
    assert!(View::new(&world.state, service).apps().is_empty());
}

#[test]
fn an_app_has_room_for_so_many_keys() {
    let (mut world, maria, app) = World::with_app();
    let many = Command::SetPolicy { name: "keys-per-operator".into(), value: "1000".into(), basis: None };
    world.run(maria, &many).unwrap();
    let scopes = scopes(AuthMethod::ApiKey, 1);
    for n in 0..KEYS_PER_APP {
        world.app_key(maria, app, &format!("Key {n}"), &scopes).unwrap();
    }
    let full = world.app_key(maria, app, "One more", &scopes);
    assert_eq!(full, Err(Refusal::AppFull { limit: KEYS_PER_APP }));
    let events = world.run(maria, &Command::DeleteApp(app)).unwrap();
    assert_eq!(events.len(), 1 + KEYS_PER_APP);
}

#[test]
fn an_edit_that_takes_scopes_from_a_key_ends_what_was_tried_on_it_and_any_other_leaves_it() {
    let (mut world, maria, app) = World::with_app();
    let all = scopes(AuthMethod::ApiKey, 3);
    let key = world.app_key(maria, app, "Store key", &all).unwrap();
    let begin = Command::BeginReportOnly { key, scopes: vec![all[0].clone()], days: 14 };
    world.run(maria, &begin).unwrap();
    let edit = |called: &str, kept: usize| {
        let change = NewApp { scopes: all[..kept].to_vec(), ..new_app(called, AuthMethod::ApiKey) };
        Command::EditApp { app, change, basis: None }
    };
    world.run(maria, &edit("Stall", 3)).unwrap();
    assert!(world.key(key).reports_only().is_some());
    world.run(maria, &edit("Stall", 2)).unwrap();
    assert_eq!((world.key(key).scopes.len(), world.key(key).reports_only()), (2, None));
}
