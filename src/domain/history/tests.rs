//! However a history was split into parts, together they say the same; and nothing that is read or said can break it.

use core::net::IpAddr;

use proptest::prelude::*;

use super::*;

const NOW: Timestamp = Timestamp(1_790_000_000_000);

/// One thing that is noted.
#[derive(Clone, Debug)]
enum Noted {
    Allowed(i64, u64),
    Denied(i64, u64),
    Seen(i64, u8, u8, u64),
    Needed(i64, u8),
    /// Since when, and when it lacked what.
    Lacked(i64, i64, u8),
}

fn note(history: &mut History, noted: &Noted) {
    match noted {
        Noted::Allowed(at, count) => history.allow(Timestamp(*at), *count),
        Noted::Denied(at, count) => history.deny(Timestamp(*at), *count),
        Noted::Seen(at, address, agent, count) => {
            let address = Some(IpAddr::from([10, 1, 4, *address]).into());
            let agent = Agent::read(format!("agent/{agent}").as_bytes());
            history.see(&Sighting { at: Timestamp(*at), address, agent }, *count);
        }
        Noted::Needed(at, scope) => {
            history.exercise(&format!("contacts.s{scope}").parse().unwrap(), Timestamp(*at));
        }
        Noted::Lacked(begun, at, scope) => {
            let scopes = [*scope, scope / 2].map(|n| format!("contacts.s{n}").parse().unwrap());
            let address = Some(IpAddr::from([10, 1, 4, *scope]).into());
            let mut lacked = Lacked::since(Timestamp(*begun));
            lacked.note(&scopes, &Sighting { at: Timestamp(*at), address, agent: None });
            history.lack(&lacked);
        }
    }
}

fn of(all: &[Noted]) -> History {
    let mut history = History::default();
    for noted in all {
        note(&mut history, noted);
    }
    history
}

/// Times of months, and now and then what a clock says that is far off.
fn times() -> impl Strategy<Value = i64> {
    prop_oneof![
        8 => (0..200 * DAY_MS).prop_map(|ago| NOW.0 - ago),
        1 => any::<i64>(),
        1 => (0..4_000 * DAY_MS).prop_map(|ahead| NOW.0 + ahead),
    ]
}

fn noted() -> impl Strategy<Value = Noted> {
    prop_oneof![
        (times(), 0..1_000_u64).prop_map(|(at, count)| Noted::Allowed(at, count)),
        (times(), any::<u64>()).prop_map(|(at, count)| Noted::Denied(at, count)),
        (times(), 0..8_u8, 0..4_u8, 0..50_u64).prop_map(|(at, a, b, count)| Noted::Seen(at, a, b, count)),
        (times(), 0..20_u8).prop_map(|(at, scope)| Noted::Needed(at, scope)),
        (0..3_i64, times(), 0..60_u8).prop_map(|(begun, at, scope)| Noted::Lacked(begun, at, scope)),
    ]
}

proptest! {
    #[test]
    fn parts_in_any_order_and_groups_are_the_whole(
        all in prop::collection::vec(noted(), 0..120),
        one in 0..120_usize,
        other in 0..120_usize,
    ) {
        let (one, other) = (one.min(all.len()), other.min(all.len()));
        let (first, last) = (one.min(other), one.max(other));
        let (a, b, c) = (of(&all[..first]), of(&all[first..last]), of(&all[last..]));
        let mut left = a.clone();
        left.merge(&b);
        left.merge(&c);
        let mut right = b;
        right.merge(&c);
        right.merge(&a);
        prop_assert_eq!(&left, &of(&all));
        prop_assert_eq!(&right, &left);
    }

    #[test]
    fn what_is_written_fits_a_row_and_is_read_as_it_was(all in prop::collection::vec(noted(), 0..400)) {
        let mut history = of(&all);
        history.bound(NOW);
        let row = minicbor::to_vec(&history).unwrap();
        prop_assert!(row.len() <= 14 * 1024, "{}", row.len());
        prop_assert_eq!(&minicbor::decode::<History>(&row).unwrap(), &history);
        let again = history.clone();
        history.bound(NOW);
        prop_assert_eq!(history, again);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300), at in any::<i64>()) {
        if let Ok(mut history) = minicbor::decode::<History>(&bytes) {
            history.merge(&of(&[Noted::Allowed(at, 1)]));
            history.bound(Timestamp(at));
            let _ = Picture::of(&history, (Timestamp(at), NOW), &|_, _| true, &|_| None);
        }
        let _ = minicbor::decode::<Coverage>(&bytes);
    }

    #[test]
    fn no_time_is_too_far_for_a_picture(all in prop::collection::vec(noted(), 0..60), now in any::<i64>(), made in any::<i64>()) {
        let mut history = of(&all);
        history.bound(Timestamp(now));
        let shown = Picture::of(&history, (Timestamp(now), Timestamp(made)), &|_, _| false, &|_| None);
        prop_assert_eq!((shown.hours.len(), shown.days.len()), (48, 90));
    }
}

fn shown(history: &History) -> Picture {
    Picture::of(history, (NOW, Timestamp(0)), &|_, _| true, &|_| None)
}

#[test]
fn a_clock_that_was_ahead_or_behind_takes_nothing_from_what_was_counted_in_time() {
    let mut history = History::default();
    (0..48).for_each(|ago| history.allow(Timestamp(NOW.0 - ago * HOUR_MS), 1));
    (0..90).for_each(|ago| history.deny(Timestamp(NOW.0 - ago * DAY_MS), 1));
    // Busy all day, ten years from now and in 1970.
    (0..24).for_each(|hour| history.allow(Timestamp(NOW.0 + 3_650 * DAY_MS + hour * HOUR_MS), 1));
    (0..24).for_each(|hour| history.allow(Timestamp(hour * HOUR_MS), 1));
    history.bound(NOW);
    let picture = shown(&history);
    assert!(picture.hours.iter().all(|bar| bar.tally.allowed == 1));
    assert!(picture.days.iter().all(|bar| bar.tally.denied >= 1));
    assert_eq!(picture.last_day().tally.allowed, 24);
}

#[test]
fn of_many_callers_the_busiest_and_the_latest_are_told_and_the_others_counted() {
    let mut history = History::default();
    let seen = |at: i64, n: u16| {
        let [high, low] = n.to_be_bytes();
        let address = Some(IpAddr::from([10, 0, high, low]).into());
        Sighting { at: Timestamp(at), address, agent: Agent::read(b"python-requests/2.31") }
    };
    for n in 0..100 {
        let count = if n == 7 { 500 } else { 1 };
        history.allow(Timestamp(NOW.0 - 10_000 + i64::from(n)), count);
        history.see(&seen(NOW.0 - 10_000 + i64::from(n), n), count);
    }
    // Eight days ago: known, and not of the last seven days.
    history.see(&seen(NOW.0 - 8 * DAY_MS, 4_000), 9);
    history.bound(NOW);
    let picture = shown(&history);
    assert!(picture.visits.len() <= VISITORS);
    assert_eq!(picture.visits.first().map(|visit| visit.count), Some(500), "the busiest stays");
    assert!(picture.visits.iter().any(|visit| visit.last.0 == NOW.0 - 10_000 + 99), "and the latest");
    let told: u64 = picture.visits.iter().map(|visit| visit.count).sum();
    assert_eq!(told + picture.others, 599);
}

#[test]
fn what_was_not_written_is_not_known_and_never_nothing() {
    let mut coverage = Coverage::default();
    coverage.begin(Timestamp(NOW.0 - 30 * DAY_MS));
    coverage.extend(Timestamp(NOW.0 - 5 * DAY_MS));
    coverage.begin(Timestamp(NOW.0 - 3 * DAY_MS));
    coverage.extend(NOW);
    let mut history = History::default();
    history.allow(Timestamp(NOW.0 - 4 * DAY_MS), 3);
    let made = Timestamp(NOW.0 - 60 * DAY_MS);
    let covered = |from, to| coverage.covers(from, to);
    let picture = Picture::of(&history, (NOW, made), &covered, &|_| None);
    let ago = |days: usize| picture.days[89 - days].known().map(|tally| tally.allowed);
    assert_eq!(ago(80), Some(0), "it was not made yet");
    assert_eq!((ago(40), ago(20), ago(1), ago(0)), (None, Some(0), Some(0), Some(0)));
    // In the gap what is known is told, as the least there was.
    assert_eq!((ago(4), picture.days[85].whole), (Some(3), false));
    assert!(!picture.is_blank() && shown(&History::default()).is_blank());
}

#[test]
fn a_coverage_does_not_reach_past_what_a_process_saw() {
    let mut coverage = Coverage::default();
    coverage.extend(Timestamp(100));
    coverage.extend(Timestamp(500));
    coverage.extend(Timestamp(50));
    assert!(
        coverage.covers(Timestamp(100), Timestamp(500)) && !coverage.covers(Timestamp(99), Timestamp(101))
    );
    // Its clock was ahead when it ended without a word.
    coverage.begin(Timestamp(300));
    coverage.extend(Timestamp(400));
    assert!(
        coverage.covers(Timestamp(100), Timestamp(300)) && coverage.covers(Timestamp(300), Timestamp(400))
    );
    assert!(
        !coverage.covers(Timestamp(300), Timestamp(401)) && !coverage.covers(Timestamp(299), Timestamp(301))
    );
    (0..100).for_each(|n| {
        coverage.begin(Timestamp(1_000 + n * 10));
        coverage.extend(Timestamp(1_005 + n * 10));
    });
    assert!(
        !coverage.covers(Timestamp(100), Timestamp(300))
            && coverage.covers(Timestamp(1_990), Timestamp(1_995))
    );
}

#[test]
fn days_of_a_scope_are_told_each_once() {
    let mut history = History::default();
    let scope: ScopeId = "contacts.read".parse().unwrap();
    for ago in [0, 3, 3, 64, 89, 90, 200] {
        history.exercise(&scope, Timestamp(NOW.0 - ago * DAY_MS));
    }
    assert_eq!(shown(&history).scopes[0].days, [0, 3, 64, 89]);
    assert_eq!(Bits::of(-1).0, -1);
    assert_eq!(Bits(1).join(Bits(2)), Bits(3));
}

#[test]
fn refused_often_is_so_many_in_a_week_and_a_part_of_all() {
    let of = |allowed, denied, ago: i64| {
        let mut history = History::default();
        let at = Timestamp(NOW.0 - ago * DAY_MS);
        history.allow(at, allowed);
        history.deny(at, denied);
        history
    };
    let often = |history: &History, known: Option<u64>| {
        let known = known.map(|count| Denied { at: NOW, count });
        history.denied_often(known, NOW).map(|denied| denied.count)
    };
    assert_eq!(often(&of(0, 20, 0), None), Some(20));
    assert_eq!(often(&of(180, 20, 6), None), Some(20));
    for rare in [of(0, 19, 0), of(181, 20, 0), of(0, 20, 7), of(0, 20, -1)] {
        assert_eq!(often(&rare, None), None);
        // It was, and is no longer.
        assert_eq!(often(&rare, Some(20)), Some(0));
        assert_eq!(often(&rare, Some(0)), None);
    }
    assert_eq!(often(&of(0, 20, 0), Some(20)), None, "it is known");
}
