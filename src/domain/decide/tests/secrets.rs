//! A new secret takes the place of an app's: two for a while, never three, and never none by itself.

use proptest::prelude::*;

use super::*;
use crate::domain::app::{Previous, Revoked, RevokedTokens};
use crate::domain::catalog::{AuthMethod, Level};
use crate::domain::handover::Way;
use crate::domain::lifecycle::{self, Pass};
use crate::domain::lineage::taking_back;
use crate::domain::notice::{What, board};

const HOUR: i64 = 3_600_000;
const SERVICE: Actor = Actor { operator: OperatorId(PublicId::NOBODY), access: Access::Service };

fn later(ms: i64) -> Timestamp {
    Timestamp(NOW.0 + ms)
}

fn for_a_grace(text: &str) -> Rotation {
    Rotation { id: None, grace: text.parse().unwrap(), counted: Counted::FromNow, expiry: None }
}

fn from_first_use(text: &str) -> Rotation {
    Rotation { counted: Counted::FromFirstUse, ..for_a_grace(text) }
}

impl World {
    fn with_client() -> (Self, Actor, AppId) {
        let (mut world, maria) = Self::founded();
        let method = AuthMethod::Jwt;
        let scopes = Catalog::builtin().allowed_for(Level::App, method);
        let new = NewApp {
            name: name("Web store"),
            profile: Profile {
                uri: Url::new("https://booking.example").unwrap(),
                description: Note::default(),
                user_type: UserType::Both,
                source: SourceApp::Bot,
                post_login: Vec::new(),
                post_logout: Vec::new(),
            },
            method,
            scopes: scopes.map(|scope| scope.id.to_string()).take(2).collect(),
            terms: Terms::default(),
        };
        let events = world.run(maria, &Command::CreateApp(new)).unwrap();
        let app = events.iter().find_map(Event::app).unwrap().id;
        (world, maria, app)
    }

    fn client(&self, app: AppId) -> &App {
        self.state.app(app).unwrap()
    }

    fn renew(&mut self, actor: Actor, app: AppId, rotation: &Rotation) -> Result<Vec<Event>, Refusal> {
        self.run(actor, &Command::RenewAppSecret(app, Some(rotation.clone())))
    }

    /// The epochs of the secrets that are good.
    fn good(&self, app: AppId) -> Vec<Timestamp> {
        self.client(app).secrets(self.now).into_iter().flatten().map(|secret| secret.epoch).collect()
    }

    fn is_shown(&mut self, app: AppId, epoch: Timestamp) {
        let uses = self.client(app).secret_of(epoch, self.now).unwrap().uses.unwrap();
        let used = Usage { last_used_at: Some(self.now), count: 1, first_used_at: Some(self.now) };
        self.state.note_use(uses, used);
    }

    fn pass(&mut self, pass: Pass) -> usize {
        self.run_with(SERVICE, &pass.command(), &[], None).map_or(0, |events| events.len())
    }

    fn board(&self, actor: Actor) -> Vec<(What, Option<AppId>, Timestamp)> {
        let notices = board(View::new(&self.state, actor), self.grounds(), &[]);
        notices.into_iter().map(|notice| (notice.what, notice.app, notice.when)).collect()
    }
}

#[test]
fn both_secrets_are_good_to_the_last_millisecond_of_the_grace() {
    let (mut world, maria, app) = World::with_client();
    let old = world.client(app).not_before;
    world.now = later(5);
    world.renew(maria, app, &for_a_grace("1h")).unwrap();
    let new = world.client(app).not_before;
    assert!(new > old);
    for (at, good) in [
        (later(5), vec![new, old]),
        (later(5 + HOUR - 1), vec![new, old]),
        (later(5 + HOUR), vec![new]),
        (later(6 + HOUR), vec![new]),
    ] {
        world.now = at;
        assert_eq!(world.good(app), good, "{at}");
        assert_eq!(world.client(app).secret_of(old, at).is_some(), good.len() == 2);
    }
    assert_eq!(world.pass(Pass::Ended), 1);
    assert!(world.client(app).previous().is_none() && world.pass(Pass::Ended) == 0);
}

#[test]
fn a_lost_secret_ends_at_once_with_all_that_were_there() {
    let (mut world, maria, app) = World::with_client();
    world.renew(maria, app, &for_a_grace("7d")).unwrap();
    world.doubted = true;
    world.run(maria, &Command::RenewAppSecret(app, None)).unwrap();
    assert_eq!(world.good(app), [world.client(app).not_before]);
    world.renew(maria, app, &for_a_grace("0")).unwrap();
    assert_eq!(world.good(app).len(), 1);
    let said = world.renew(maria, app, &for_a_grace("1h"));
    assert_eq!(said, Err(Refusal::ClockSuspect), "a wrong clock would make the grace far too long");
}

#[test]
fn a_third_secret_is_refused_while_a_grace_runs_and_so_is_a_rotation_asked_twice() {
    let (mut world, maria, app) = World::with_client();
    let named = Rotation { id: Some(name("march")), ..for_a_grace("1h") };
    world.renew(maria, app, &named).unwrap();
    let after = world.client(app).clone();
    assert_eq!(world.renew(maria, app, &named), Err(Refusal::SecretRotatedBefore { app }));
    assert_eq!(world.renew(maria, app, &for_a_grace("1h")), Err(Refusal::SecretInGrace { app }));
    assert_eq!(*world.client(app), after, "the same rotation gives the same state");
    world.now = later(HOUR);
    assert_eq!(world.renew(maria, app, &named), Err(Refusal::SecretRotatedBefore { app }));
    assert!(world.renew(maria, app, &for_a_grace("1h")).is_ok());
    world.run(maria, &Command::RenewAppSecret(app, None)).unwrap();
    assert_eq!(world.renew(maria, app, &named), Err(Refusal::SecretRotatedBefore { app }), "lost meanwhile");
    let bad = Rotation { expiry: Some(Expiry::Never), ..for_a_grace("0") };
    assert!(world.renew(maria, app, &bad).is_err());
}

#[test]
fn a_grace_from_the_first_use_begins_with_that_and_not_before() {
    let (mut world, maria, app) = World::with_client();
    let old = world.client(app).not_before;
    world.renew(maria, app, &from_first_use("1h")).unwrap();
    let new = world.client(app).not_before;
    world.now = later(1_000 * HOUR);
    assert_eq!((world.good(app).len(), world.pass(Pass::Graces)), (2, 0));
    // The old one is used all the while, and that begins nothing.
    world.is_shown(app, old);
    assert_eq!(world.pass(Pass::Graces), 0);
    world.is_shown(app, new);
    assert_eq!(world.pass(Pass::Graces), 1);
    assert_eq!(world.client(app).previous().unwrap().until, Expiry::At(later(1_001 * HOUR)));
    world.now = later(1_001 * HOUR);
    assert_eq!(world.good(app), [new]);
}

#[test]
fn a_use_under_a_clock_that_was_ahead_lets_an_old_secret_work_no_longer() {
    let (mut world, maria, app) = World::with_client();
    world.renew(maria, app, &from_first_use("1h")).unwrap();
    let uses = world.client(app).replaced.as_ref().unwrap().uses;
    let ahead = later(400 * DAY_MS);
    let used = Usage { last_used_at: Some(ahead), count: 1, first_used_at: Some(ahead) };
    world.state.note_use(uses, used);
    world.now = later(HOUR);
    assert_eq!(world.pass(Pass::Graces), 1);
    let until = |world: &World| world.client(app).previous().unwrap().until;
    assert_eq!(until(&world), Expiry::At(later(2 * HOUR)));
    world.run(maria, &Command::LengthenAppSecret { app, by: Grace::MAX }).unwrap();
    assert_eq!(until(&world), Expiry::At(later(HOUR + 7 * DAY_MS)), "seven days from when it was counted");
}

#[test]
fn a_rotation_that_is_taken_back_leaves_the_old_secret_and_its_tokens_as_they_were() {
    let (mut world, maria, app) = World::with_client();
    let before = world.client(app).clone();
    let mut dead = Vec::new();
    for _ in 0..3 {
        // The clock stands still all the while.
        let events = world.renew(maria, app, &for_a_grace("1h")).unwrap();
        dead.push(world.client(app).not_before);
        let back = taking_back(&events, world.now).unwrap();
        assert_eq!(back, Command::CancelAppSecret { app, epoch: dead.last().copied() });
        world.run(maria, &back).unwrap();
        let after = App { spent: None, ..world.client(app).clone() };
        assert_eq!(after, before);
        assert!(dead.iter().all(|epoch| world.client(app).secret_of(*epoch, world.now).is_none()));
    }
    dead.dedup();
    assert_eq!(dead.len(), 3, "no two secrets have the same tokens");
    world.renew(maria, app, &for_a_grace("1h")).unwrap();
    assert!(!dead.contains(&world.client(app).not_before));
    let other = Command::CancelAppSecret { app, epoch: Some(dead[0]) };
    assert!(matches!(world.run(maria, &other), Err(Refusal::NoChange(_))), "another secret is meant");
    world.now = later(HOUR);
    let late = world.run(maria, &Command::CancelAppSecret { app, epoch: None });
    assert_eq!(late, Err(Refusal::NoOldSecret { app }), "what has ended stays ended");
}

#[test]
fn a_secret_says_how_it_was_handed_over_and_one_that_takes_its_place_says_it_for_itself() {
    let (mut world, maria, app) = World::with_client();
    let to = |text: &str| Way::Variable(Note::new(text).unwrap());
    let said = |world: &World| {
        let words = View::new(&world.state, maria).app_handed_words(world.client(app), |at| at.to_string());
        words.map(|words| words.replace(&NOW.to_string(), "now"))
    };
    assert_eq!(said(&world), None, "it was shown");
    world.run(maria, &Command::HandOverSecret { app, way: to("SHOP") }).unwrap();
    assert_eq!(said(&world).as_deref(), Some("in a file, as SHOP, now; not used yet"));
    let at = later(3 * 60_000);
    let used = Usage { last_used_at: Some(at), count: 1, first_used_at: Some(at) };
    world.state.note_use(*app.public(), used);
    let first = said(&world);
    assert_eq!(first.as_deref(), Some("in a file, as SHOP, now; first used 3 min later"));
    world.renew(maria, app, &for_a_grace("1h")).unwrap();
    assert_eq!(said(&world), None, "that was another secret");
    world.run(maria, &Command::HandOverSecret { app, way: Way::File }).unwrap();
    assert_eq!(said(&world).as_deref(), Some("in a file, now; not used yet"));
    world.run(maria, &Command::RepeatAppSecret(app)).unwrap();
    assert_eq!(said(&world), None);
    world.run(maria, &Command::CancelAppSecret { app, epoch: None }).unwrap();
    assert_eq!(said(&world), first, "the old one is as it was");
}

#[test]
fn only_a_new_secret_that_nobody_used_is_replaced() {
    let (mut world, maria, app) = World::with_client();
    assert_eq!(world.run(maria, &Command::RepeatAppSecret(app)), Err(Refusal::NoOldSecret { app }));
    let old = world.client(app).not_before;
    world.renew(maria, app, &for_a_grace("1h")).unwrap();
    let first = world.client(app).not_before;
    let events = world.run(maria, &Command::RepeatAppSecret(app)).unwrap();
    let second = world.client(app).not_before;
    assert!(second > first);
    assert_eq!(world.good(app), [second, old]);
    assert!(matches!(taking_back(&events, world.now), Some(Command::CancelAppSecret { .. })));
    world.is_shown(app, second);
    assert_eq!(world.run(maria, &Command::RepeatAppSecret(app)), Err(Refusal::SecretUsed { app }));
}

#[test]
fn the_old_secret_is_ended_early_or_works_longer_but_seven_days_at_most() {
    let (mut world, maria, app) = World::with_client();
    world.renew(maria, app, &for_a_grace("24h")).unwrap();
    let longer = |by: &str| Command::LengthenAppSecret { app, by: by.parse().unwrap() };
    let until = |world: &World| world.client(app).previous().unwrap().until;
    world.run(maria, &longer("1d")).unwrap();
    assert_eq!(until(&world), Expiry::At(later(2 * DAY_MS)));
    world.run(maria, &longer("7d")).unwrap();
    assert_eq!(until(&world), Expiry::At(later(7 * DAY_MS)));
    assert!(matches!(world.run(maria, &longer("1h")), Err(Refusal::NoChange(_))));
    let ended = world.run(maria, &Command::EndAppSecret(app)).unwrap();
    assert!(ended.iter().all(Event::only_takes_away), "it is in force also when the disk fails");
    assert_eq!(world.good(app), [world.client(app).not_before]);
    for command in [Command::EndAppSecret(app), longer("1h")] {
        assert_eq!(world.run(maria, &command), Err(Refusal::NoOldSecret { app }));
    }
}

#[test]
fn when_all_tokens_are_ended_those_of_both_secrets_are_and_both_go_on() {
    let (mut world, maria, app) = World::with_client();
    world.renew(maria, app, &for_a_grace("1h")).unwrap();
    let before = world.good(app);
    for n in 0..=RevokedTokens::MAX {
        let token = Revoked { token: id(n), until: later(HOUR) };
        world.run(SERVICE, &Command::RevokeToken { app, token }).unwrap();
    }
    let after = world.good(app);
    assert_eq!(after.len(), 2);
    assert!(before.iter().all(|epoch| world.client(app).secret_of(*epoch, world.now).is_none()));
    assert_ne!(after[0], after[1]);
}

#[test]
fn the_board_tells_of_an_old_secret_and_that_it_is_used_before_it_ends() {
    let (mut world, maria, app) = World::with_client();
    let jonas = world.operator(maria, "jonas", Role::Manager);
    let old = world.client(app).not_before;
    world.renew(maria, app, &for_a_grace("24h")).unwrap();
    let ends = later(DAY_MS);
    assert_eq!(world.board(maria), [(What::GraceEnds, Some(app), ends)]);
    assert_eq!(world.board(jonas), [], "it is not theirs");
    world.now = later(20 * HOUR);
    world.is_shown(app, old);
    assert_eq!(world.board(maria), [(What::GraceEnds, Some(app), ends)]);
    world.now = later(23 * HOUR);
    assert_eq!(world.board(maria), [(What::StillUsed, Some(app), ends)]);
    world.now = ends;
    assert_eq!(world.board(maria), [], "what is over is never announced");
}

#[test]
fn that_an_old_secret_is_still_used_is_told_once_for_each_end_it_has() {
    let (mut world, maria, app) = World::with_client();
    let old = world.client(app).not_before;
    world.renew(maria, app, &for_a_grace("24h")).unwrap();
    let next = |world: &World| lifecycle::plan(&world.state, world.grounds()).next;
    world.now = later(22 * HOUR);
    assert_eq!((world.pass(Pass::Notices), next(&world)), (0, Some(later(DAY_MS))), "nobody uses it");
    world.is_shown(app, old);
    assert_eq!((world.pass(Pass::Notices), next(&world)), (0, Some(later(23 * HOUR))));
    world.now = later(23 * HOUR);
    assert_eq!((world.pass(Pass::Notices), world.pass(Pass::Notices)), (1, 0));
    assert!(lifecycle::plan(&world.state, world.grounds()).is_empty());
    assert_eq!(next(&world), Some(later(DAY_MS)));
    world.run(maria, &Command::LengthenAppSecret { app, by: Grace::DEFAULT }).unwrap();
    assert_eq!(world.pass(Pass::Notices), 0, "it has a day again");
    world.now = later(47 * HOUR);
    world.is_shown(app, old);
    assert_eq!((world.pass(Pass::Notices), world.pass(Pass::Notices)), (1, 0), "another end");
    world.run(maria, &Command::EndAppSecret(app)).unwrap();
    assert!(lifecycle::plan(&world.state, world.grounds()).is_empty());
}

#[test]
fn of_a_deleted_app_no_secret_is_judged_any_more() {
    let (mut world, maria, app) = World::with_client();
    world.renew(maria, app, &for_a_grace("1h")).unwrap();
    world.run(maria, &Command::DeleteApp(app)).unwrap();
    world.now = later(2 * HOUR);
    assert!(lifecycle::plan(&world.state, world.grounds()).is_empty());
    assert_eq!(world.board(maria), []);
}

#[test]
fn an_app_written_before_secrets_were_replaced_reads_as_it_was() {
    let (world, _, app) = World::with_client();
    let before = world.client(app).clone();
    let bytes = minicbor::to_vec(&before).unwrap();
    // An array of the ten fields there were: what is not there is not written.
    assert_eq!(bytes.first(), Some(&0x8a));
    assert_eq!(minicbor::decode::<App>(&bytes).unwrap(), before);
    // As it was asked for then: the command, in an array of its number and its one field.
    let mut old = Vec::new();
    minicbor::Encoder::new(&mut old).array(2).unwrap().u32(24).unwrap().array(1).unwrap();
    minicbor::encode(app, &mut old).unwrap();
    assert_eq!(minicbor::decode::<Command>(&old).unwrap(), Command::RenewAppSecret(app, None));
}

#[derive(Clone, Debug)]
enum Deed {
    Renew(u8),
    Again,
    Cancel,
    End,
    Longer,
    Show(bool),
    Sweep,
    Wait(i64),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        (0..4_u8).prop_map(Deed::Renew),
        Just(Deed::Again),
        Just(Deed::Cancel),
        Just(Deed::End),
        Just(Deed::Longer),
        any::<bool>().prop_map(Deed::Show),
        Just(Deed::Sweep),
        (0..2 * HOUR).prop_map(Deed::Wait),
    ]
}

proptest! {
    #[test]
    fn whatever_is_done_there_is_one_secret_or_two_and_none_that_ended_comes_back(
        deeds in prop::collection::vec(deed(), 0..60),
    ) {
        let (mut world, maria, app) = World::with_client();
        let (mut known, mut dead) = (Vec::new(), std::collections::BTreeSet::new());
        for deed in deeds {
            let done = match deed {
                Deed::Renew(0) => world.run(maria, &Command::RenewAppSecret(app, None)),
                Deed::Renew(1) => world.renew(maria, app, &from_first_use("1h")),
                Deed::Renew(_) => world.renew(maria, app, &for_a_grace("1h")),
                Deed::Again => world.run(maria, &Command::RepeatAppSecret(app)),
                Deed::Cancel => world.run(maria, &Command::CancelAppSecret { app, epoch: None }),
                Deed::End => world.run(maria, &Command::EndAppSecret(app)),
                Deed::Longer => {
                    let by = "30m".parse().unwrap();
                    world.run(maria, &Command::LengthenAppSecret { app, by })
                }
                Deed::Show(old) => {
                    let epoch = world.good(app)[usize::from(old && world.good(app).len() == 2)];
                    if world.client(app).replaced.is_some() {
                        world.is_shown(app, epoch);
                    }
                    Ok(Vec::new())
                }
                Deed::Sweep => {
                    world.pass(Pass::Graces);
                    world.pass(Pass::Ended);
                    Ok(Vec::new())
                }
                Deed::Wait(ms) => {
                    world.now = Timestamp(world.now.0 + ms);
                    Ok(Vec::new())
                }
            };
            let good = world.good(app);
            prop_assert!(matches!(good.len(), 1 | 2), "{good:?} after {deed:?}: {done:?}");
            prop_assert!(good.iter().all(|epoch| !dead.contains(epoch)), "{deed:?} revived one");
            dead.extend(known.iter().filter(|epoch| !good.contains(epoch)).copied());
            known = good;
            let ends = world.client(app).previous().and_then(|old: &Previous| old.until.instant());
            prop_assert!(ends.is_none_or(|end| end.since(world.now) <= 7 * DAY_MS));
        }
    }
}
