//! What the desk waits for, and what comes of it.

use super::*;

fn later(now: Now, by: Duration) -> Now {
    Now { at: now.at + by, ..now }
}

fn waiting_desk(now: Now) -> Desk {
    let look = testing::look(testing::sample());
    Desk::new(look, vec![Diary::behind(Tab::Agency)], true, Capture::Taken, now)
}

fn job_of(orders: &mut Orders<Effect>) -> JobId {
    let (list, _) = orders.take();
    let job = list.into_iter().find_map(|order| match order {
        crate::tui::program::Order::Perform(job, _) => Some(job),
        _ => None,
    });
    job.unwrap()
}

#[test]
fn esc_stops_waiting_and_what_comes_of_it_is_said_all_the_same() {
    let (now, mut orders) = (Now { at: Moment::default(), utc_ms: 0 }, Orders::new());
    let mut desk = waiting_desk(now);
    desk.overlays.push(Box::new(Form));
    desk.grant(Asker::Overlay("form", 0), vec![Ask::Do(Job::Widen)], now, &mut orders);
    let job = job_of(&mut orders);
    // As long as no spinner shows, Esc is the form's.
    desk.act(Action::Cancel, later(now, PATIENCE / 2), &mut orders);
    assert_eq!((desk.toasts.current(), desk.waited_since().count()), (None, 1));
    desk.act(Action::Cancel, later(now, PATIENCE), &mut orders);
    assert_eq!(desk.toasts.to_copy(), Some("the form is free again"));
    assert_eq!(desk.overlays(), ["form"], "one press, one step");
    assert_eq!(desk.waited_since().count(), 0, "the spinner turns for nobody");
    assert!(desk.is_changing(), "leaving would ask");
    desk.toasts.dismiss();
    let done = Answer::Done { events: Vec::new(), token: None, said: "Done at last".into() };
    desk.finished(job, Outcome::Answered(done), later(now, PATIENCE * 2), &mut orders);
    assert_eq!(desk.toasts.to_copy(), Some("Done at last"));
}

#[test]
fn who_only_looks_for_something_leaves_without_being_asked() {
    let (now, mut orders) = (Now { at: Moment::default(), utc_ms: 0 }, Orders::new());
    let mut desk = waiting_desk(now);
    desk.grant(Asker::Desk, vec![Ask::Do(Job::Doors)], now, &mut orders);
    assert_eq!((desk.waited_since().count(), desk.is_changing()), (1, false));
}

#[test]
fn a_secret_on_its_way_is_waited_for() {
    let (now, mut orders) = (Now { at: Moment::default(), utc_ms: 0 }, Orders::new());
    let mut desk = waiting_desk(now);
    desk.grant(Asker::Desk, vec![Ask::Do(Job::RenewRecovery)], now, &mut orders);
    desk.act(Action::Back, later(now, PATIENCE), &mut orders);
    assert!(desk.toasts.to_copy().unwrap().contains("shown once"), "{:?}", desk.toasts);
    assert_eq!(desk.waited_since().count(), 1);
}

#[test]
fn ones_own_command_is_not_looked_at_twice() {
    let now = Now { at: Moment::default(), utc_ms: 0 };
    let mut desk = waiting_desk(now);
    let events = vec![Event::KeyPaused(desk.look.view(|view| view.keys().next().unwrap().clone()), false)];
    desk.happened(&events);
    assert!(std::mem::take(&mut desk.stale));
    desk.happened(&events);
    assert!(!desk.stale, "the answer and the news tell the same");
    desk.happened(&[]);
    assert!(desk.stale, "what nobody knows is looked at");
}

#[test]
fn what_was_refused_is_forgotten_when_it_is_done_after_all() {
    let (now, mut orders) = (Now { at: Moment::default(), utc_ms: 0 }, Orders::new());
    let mut desk = waiting_desk(now);
    let key = desk.look.view(|view| view.keys().next().unwrap().id);
    let said = "The first key is revoked".to_owned();
    let mut revoke = |desk: &mut Desk, answer| {
        let job = Job::Run { command: Command::revoke(key), said: said.clone() };
        desk.grant(Asker::Desk, vec![Ask::Do(job)], now, &mut orders);
        let job = job_of(&mut orders);
        desk.finished(job, Outcome::Answered(answer), now, &mut orders);
    };
    revoke(&mut desk, Answer::Refused("the disk is full".into()));
    assert_eq!(desk.toasts.to_copy(), Some("The disk is full"));
    revoke(&mut desk, Answer::Done { events: Vec::new(), token: None, said: said.clone() });
    assert_eq!(desk.toasts.to_copy(), Some(said.as_str()));
}

#[test]
fn no_note_covers_the_names_of_the_columns() {
    let now = Now { at: Moment::default(), utc_ms: 0 };
    for height in 15..40 {
        let mut desk = waiting_desk(now);
        for at in 0..4 {
            desk.complain(format!("{at} {}", "The disk is full. ".repeat(60)));
        }
        let drawn = crate::tui::testing::draw(60, height, |canvas, area| desk.draw(canvas, area, now));
        assert!(drawn[3].starts_with("refreshed") && !drawn[3].contains("full"), "{drawn:#?}");
        assert!(drawn.iter().any(|line| line.contains("The disk is full")), "{drawn:#?}");
    }
}

#[test]
fn what_takes_long_says_what_it_is_and_how_to_stop_waiting() {
    let mut console = testing::whole_desk();
    console
        .press("1 g P tab")
        .stall()
        .press("enter")
        .advance(PATIENCE.saturating_sub(SPIN))
        .sees_no("saving");
    console.advance(SPIN).sees("saving… (esc stops waiting)");
    let turning = console.screen();
    console.advance(SPIN).sees("saving…");
    assert_ne!(console.screen(), turning, "it turns");
    // Who would leave meanwhile is asked, once.
    console.press("ctrl-c").sees("Work is still under way").press("enter");
    assert!(!console.has_quit());
    console.go_on().sees_no("saving…").sees("is paused");
}
