//! A new secret takes the place of an app's: both, and what was fetched with them, work for the grace and the old one not a
//! millisecond longer, whatever the clock does; and who still shows which is known.

use std::net::IpAddr;

use keydeck::domain::{App as Record, Command, Counted, Reason, Rotation, Timestamp, Usage, View};
use keydeck::engine::oauth::TokenRefusal;
use keydeck::engine::{Engine as _, Integrity, Origin, Sweeping};

use super::{App, Day, MINUTE, START};

const HOUR: i64 = 60 * MINUTE;

impl Day {
    /// Gives the app a new secret; what it knows then, and what it knew.
    fn rotate(&self, app: &App, grace: &str, counted: Counted) -> App {
        let rotation = Rotation { id: None, grace: grace.parse().unwrap(), counted, expiry: None };
        let command = Command::RenewAppSecret(app.id, Some(rotation));
        let done = self.open().engine.execute(&self.open().session, command).unwrap();
        App { id: app.id, secret: done.token.unwrap().reveal().to_owned() }
    }

    fn lets_in(&self, app: &App) -> bool {
        let said = self.engine().authenticate(&app.id.to_string(), app.secret.as_bytes());
        assert!(matches!(said, Ok(_) | Err(TokenRefusal::InvalidClient)), "{said:?}");
        said.is_ok()
    }

    fn record(&self, app: &App) -> Record {
        self.engine().state().app(app.id).unwrap().clone()
    }

    fn sweep(&self) -> usize {
        self.engine().sweep(&self.open().session, Sweeping::Do).unwrap().events.len()
    }
}

#[test]
fn the_old_secret_and_its_tokens_work_to_the_last_millisecond_of_the_grace() {
    let mut day = Day::new();
    let old = day.app("Web store");
    let before = day.token(&old);
    day.clock.pass(7);
    let new = day.rotate(&old, "1h", Counted::FromNow);
    assert!(day.lets_in(&old) && day.lets_in(&new) && day.verify(&before).is_allow());
    day.clock.pass(HOUR - 5 * MINUTE);
    let (late, fresh) = (day.asks(&old, None).unwrap(), day.token(&new));
    // It says itself that it ends with its secret: who checks it without asking here goes by that.
    assert_eq!(late.seconds, 5 * 60, "and not ten minutes, as the policy has it");
    let late = late.token.reveal().to_owned();
    // The grace ends at 7 ms past a second, and the token with the second before.
    day.clock.pass(5 * MINUTE - 8);
    assert_eq!(day.refused(&late), None);
    day.clock.pass(1);
    assert_eq!(day.refused(&late), Some(Reason::Expired));
    day.clock.pass(6);
    assert!(day.lets_in(&old));
    day.clock.pass(1);
    for at in [START.0 + 7 + HOUR, START.0 + 8 + HOUR, START.0, START.0 + 7 + HOUR - 1] {
        // Also when the clock is set back.
        day.clock.set(Timestamp(at));
        assert!(!day.lets_in(&old) && day.lets_in(&new), "at {at}");
        assert_eq!(day.refused(&fresh), None, "those of the new one go on");
    }
    day.clock.set(Timestamp(START.0 + 8 + HOUR));
    day.restart();
    assert!(!day.lets_in(&old) && day.lets_in(&new));
    assert_eq!((day.sweep(), day.sweep()), (1, 0));
    assert!(day.record(&old).previous().is_none());
    let report = day.engine().check_audit(&day.open().session).unwrap();
    assert_eq!(report.integrity, Integrity::Intact, "{:?}", report.faults);
}

#[test]
fn a_token_of_the_old_secret_ends_with_it_even_where_it_says_something_later() {
    let day = Day::new();
    let old = day.app("Web store");
    let token = day.token(&old);
    let new = day.rotate(&old, "5m", Counted::FromNow);
    let caller = day.client(&new);
    let active = |day: &Day| day.engine().introspect(&caller, token.as_bytes()).is_some();
    day.clock.pass(5 * MINUTE - 1);
    assert!(day.verify(&token).is_allow() && active(&day));
    day.clock.pass(1);
    assert!(!active(&day));
    assert_eq!(day.refused(&token), Some(Reason::Revoked), "it would have lived ten minutes");
}

#[test]
fn a_clock_in_doubt_makes_no_grace_longer_and_ends_none_of_the_new() {
    let day = Day::new();
    let old = day.app("Web store");
    let new = day.rotate(&old, "1h", Counted::FromNow);
    day.clock.pass(HOUR / 2);
    let kept = day.client(&old);
    // Somebody sets it back for ten years: the time believed stands still and does not go back.
    day.clock.set(Timestamp(START.0 - 10 * 365 * 24 * HOUR));
    assert!(day.lets_in(&old) && day.lets_in(&new));
    let more = Command::LengthenAppSecret { app: old.id, by: "1h".parse().unwrap() };
    let said = day.open().engine.execute(&day.open().session, more).err().unwrap();
    assert_eq!(said.code(), "clock_suspect");
    day.clock.set(Timestamp(START.0 + HOUR / 2));
    day.clock.pass(HOUR / 2);
    assert!(!day.lets_in(&old) && day.lets_in(&new));
    // Who proved themselves before gets nothing any more.
    assert_eq!(day.engine().grant(&kept, None, None).err(), Some(TokenRefusal::InvalidClient));
}

#[test]
fn a_grace_from_the_first_use_begins_when_the_new_secret_is_shown_also_after_a_restart() {
    let mut day = Day::new();
    let old = day.app("Web store");
    let new = day.rotate(&old, "1h", Counted::FromFirstUse);
    day.clock.pass(100 * HOUR);
    assert!(day.lets_in(&old) && day.sweep() == 0, "nobody has shown the new one");
    assert!(day.lets_in(&new));
    let first = day.engine().now().time;
    day.clock.pass(HOUR / 2);
    day.restart();
    assert_eq!((day.sweep(), day.sweep()), (2, 0), "it is counted, and told that the old one is still used");
    let record = day.record(&old);
    assert_eq!(record.previous().unwrap().until.instant(), Some(Timestamp(first.0 + HOUR)));
    day.clock.pass(HOUR / 2 - 1);
    assert!(day.lets_in(&old));
    day.clock.pass(1);
    assert!(!day.lets_in(&old) && day.lets_in(&new));
}

#[test]
fn who_still_shows_the_old_secret_or_its_tokens_is_known_by_time_count_and_address() {
    let mut day = Day::new();
    let old = day.app("Web store");
    let token = day.token(&old);
    let new = day.rotate(&old, "24h", Counted::FromNow);
    let seen = |day: &Day, which: fn(&Record) -> keydeck::domain::PublicId| {
        day.engine().settle().unwrap();
        let state = day.engine().state();
        let app = state.app(old.id).unwrap();
        let view = View::new(&state, day.open().session.actor());
        let (usage, whence) = view.noted(which(app));
        (usage, whence.map(ToString::to_string))
    };
    let of_old = |app: &Record| app.previous().unwrap().uses;
    let of_new = |app: &Record| app.replaced.as_ref().unwrap().uses;
    assert_eq!(seen(&day, of_old), (Usage::default(), None), "since it was replaced");
    let address: Option<IpAddr> = Some("10.0.0.7".parse().unwrap());
    let origin = Origin { address, agent: Some(b"kiosk/2.1") };
    day.clock.pass(MINUTE);
    assert!(day.engine().verify_from(token.as_bytes(), &[], origin).is_allow());
    day.clock.pass(MINUTE);
    day.engine().authenticate_from(&old.id.to_string(), old.secret.as_bytes(), origin).unwrap();
    assert!(day.lets_in(&new));
    assert!(day.engine().authenticate_from(&old.id.to_string(), b"guess", origin).is_err());
    let at = |n: i64| Some(Timestamp(START.0 + n * MINUTE));
    let twice = Usage { last_used_at: at(2), count: 2, first_used_at: at(1) };
    let once = Usage { last_used_at: at(2), count: 1, first_used_at: at(2) };
    for _ in 0..2 {
        assert_eq!(seen(&day, of_old), (twice, Some("10.0.0.7 by kiosk/2.1".to_owned())));
        assert_eq!(seen(&day, of_new), (once, None));
        day.restart();
    }
    assert_eq!(day.engine().state().app_usage(old.id).count, 2, "a token fetched and one shown, as before");
    // The next rotation begins anew.
    day.does(Command::EndAppSecret(old.id));
    day.rotate(&new, "24h", Counted::FromNow);
    assert_eq!(seen(&day, of_old).0, Usage::default());
}

#[test]
fn a_rotation_that_is_taken_back_or_done_again_leaves_one_client_as_it_was() {
    let day = Day::new();
    let old = day.app("Web store");
    let token = day.token(&old);
    let lost = day.rotate(&old, "1h", Counted::FromNow);
    let worthless = day.asks(&lost, None).unwrap();
    let again = day.open().engine.execute(&day.open().session, Command::RepeatAppSecret(old.id));
    assert_eq!(again.err().unwrap().code(), "successor_used");
    day.does(Command::CancelAppSecret { app: old.id, epoch: None });
    assert!(day.lets_in(&old) && !day.lets_in(&lost));
    assert_eq!(day.refused(&token), None);
    assert_eq!(day.refused(worthless.token.reveal()), Some(Reason::Revoked));
    let lost = day.rotate(&old, "1h", Counted::FromNow);
    let done = day.open().engine.execute(&day.open().session, Command::RepeatAppSecret(old.id)).unwrap();
    let new = App { id: old.id, secret: done.token.unwrap().reveal().to_owned() };
    assert!(day.lets_in(&old) && day.lets_in(&new) && !day.lets_in(&lost));
    day.does(Command::EndAppSecret(old.id));
    assert!(!day.lets_in(&old) && day.lets_in(&new));
}
