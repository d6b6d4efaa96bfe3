use super::*;
use crate::domain::audit::{ActorLine, ChangeLine, Entry, Outcome, SubjectLine};
use crate::domain::notice::Trouble;
use crate::domain::time::DAY_MS;
use crate::domain::{Hold, KeyId, Name};

fn channel() -> Channel {
    Channel { batch: Some(Batch { upto: 9, past: None }), ..Channel::begun("mail".parse().unwrap(), 3) }
}

fn maria() -> Recipient {
    Recipient::Operator(Name::new("maria").unwrap())
}

const NOW: Timestamp = Timestamp(1_790_000_000_000);

#[test]
fn a_channel_is_called_by_what_fits_a_row_of_the_store() {
    for name in ["a", "ops-2", "sixteen-letters1"] {
        assert_eq!(name.parse::<ChannelName>().unwrap().as_str(), name);
    }
    for name in ["", "seventeen-letters", "Mail", "a/b", "a b", "ä", "a\0"] {
        assert!(name.parse::<ChannelName>().is_err(), "{name:?}");
    }
}

#[test]
fn what_nobody_accepts_is_tried_less_and_less_often_and_given_up_after_a_week() {
    let mut channel = channel();
    channel.put_off(&maria(), 9, NOW, "exit status 1");
    channel.reach(Circle::Operators, 9);
    assert_eq!(channel.upto, 9, "nobody else waits for it");
    let (mut now, mut pauses) = (NOW, Vec::new());
    while let Some(next) = channel.waiting.first().cloned() {
        assert_eq!((next.after, next.upto, next.since), (3, 9, NOW), "it stays what it was");
        pauses.push(next.next.since(now) / 60_000);
        now = next.next;
        channel.put_off(&maria(), 9, now, "exit status 1");
    }
    let lost = channel.lost.clone().unwrap();
    assert!(lost.at.since(NOW) >= TRIED_DAYS * DAY_MS && lost.at.since(NOW) < 8 * DAY_MS, "{lost:?}");
    assert!(lost.why.contains("maria"), "{}", lost.why);
    assert!((25..45).contains(&pauses.len()), "{pauses:?}");
    for (pause, least) in pauses.iter().zip([1, 4, 16, 64, 256, 360, 360]) {
        assert!((least..=least * 5 / 4).contains(pause), "{pauses:?}");
    }
}

#[test]
fn what_was_given_up_stays_told_until_a_message_is_accepted() {
    let mut channel = channel();
    let refused = |channel: &mut Channel, at, why| {
        channel.put_off(&maria(), 9, at, why);
        channel.put_off(&maria(), 9, Timestamp(at.0 + 8 * DAY_MS), why);
    };
    let later = Timestamp(NOW.0 + 8 * DAY_MS);
    refused(&mut channel, NOW, "exit status 1");
    let long_after = Timestamp(NOW.0 + 400 * DAY_MS);
    let failing = channel.failing(Named::Yes, long_after).unwrap();
    assert_eq!(failing.since, later);
    assert_eq!(failing.why, "a message was given up: to maria after a week: exit status 1");
    refused(&mut channel, later, "exit status 2");
    let failing = channel.failing(Named::Yes, long_after).unwrap();
    assert_eq!((failing.since, failing.why.starts_with("2 messages were given up")), (later, true));
    channel.accepted(&maria(), 12, long_after);
    assert_eq!(channel.failing(Named::Yes, long_after), None);
}

#[test]
fn what_nobody_tries_any_more_is_not_forgotten() {
    let mut channel = channel();
    channel.put_off(&maria(), 9, NOW, "exit status 1");
    let long_after = Timestamp(NOW.0 + 400 * DAY_MS);
    assert_eq!(channel.failing(Named::Yes, long_after).unwrap().why, "exit status 1");
    let failing = channel.failing(Named::NoMore, long_after).unwrap();
    let said = "1 message waits for it, and the configuration in use does not name it. `keydeck notices move mail OTHER`";
    assert!(failing.why.starts_with(said), "{}", failing.why);
    // Taken out on purpose, with nothing left to be sent.
    let empty = channel.emptied().0.stopped();
    assert_eq!(empty.failing(Named::NoMore, long_after), None);
    let gone = Channel { gone: Some(Lost { at: NOW, why: "410".into(), messages: 0 }), ..empty };
    assert_eq!(gone.failing(Named::NoMore, long_after), None);
}

#[test]
fn nobody_was_reached_whose_message_waits() {
    let before = channel();
    let mut after = before.clone();
    after.put_off(&maria(), 9, NOW, "exit status 1");
    let told =
        |channel: &Channel| channel.edited().into_iter().find(|(word, _)| *word == "reached").unwrap().1;
    assert_eq!((told(&before), told(&after)), (String::new(), String::new()));
    after.accepted(&maria(), 9, NOW);
    assert_eq!(told(&after), "maria, entry 9");
}

#[test]
fn what_is_wrong_is_told_everybody_once_while_it_lasts_and_given_up_after_a_week() {
    let clock = Wrong { trouble: Trouble::Clock, channel: None };
    let mut channel = channel();
    channel.note(&[clock], 20, NOW);
    let others = Recipient::Operator(Name::new("jonas").unwrap());
    let all = [maria(), others.clone()];
    channel.alarmed(&maria(), NOW);
    channel.put_off_alarms(&all, NOW, "exit status 1");
    let next = channel.next_alarm(&all).unwrap();
    assert!((60_000..=75_000).contains(&next.since(NOW)), "{next:?}");
    let alarm = channel.alarms.first().unwrap();
    assert!(!alarm.is_due(&maria(), next) && !alarm.is_due(&others, NOW) && alarm.is_due(&others, next));
    assert_eq!(channel.failing(Named::Yes, NOW).unwrap().why, "exit status 1");
    // It is the same as long as it lasts, also for one that noted nothing down; what comes later is another.
    channel.note(&[clock], 30, next);
    let id = |channel: &Channel| channel.alarm_id("s", &others, &[channel.alarms.first().unwrap()]);
    let first = id(&channel);
    let mut anew = self::channel();
    anew.note(&[clock], 20, next);
    assert_eq!(first, id(&anew));
    let mut works = channel.clone();
    works.accepted(&maria(), 9, NOW);
    assert_eq!(works.failing(Named::Yes, NOW), None);
    let much_later = Timestamp(NOW.0 + 8 * DAY_MS);
    channel.put_off_alarms(&all, much_later, "exit status 1");
    assert_eq!(channel.next_alarm(&all), None);
    assert!(
        channel
            .failing(Named::Yes, much_later)
            .unwrap()
            .why
            .contains("given up: to jonas after a week: exit status 1")
    );
    channel.note(&[], 40, much_later);
    assert!(channel.alarms.is_empty());
    channel.note(&[clock], 41, much_later);
    assert_ne!(first, id(&channel));
}

#[test]
fn messages_that_failed_at_once_do_not_come_back_at_once() {
    let mut channel = channel();
    for n in 0..8 {
        channel.put_off(&Recipient::Operator(Name::new(&format!("operator {n}")).unwrap()), 9, NOW, "");
    }
    let mut times: Vec<_> = channel.waiting.iter().map(|message| message.next).collect();
    assert!(times.is_sorted(), "the next one stands first");
    times.dedup();
    assert!(times.len() > 4, "{times:?}");
}

#[test]
fn a_message_keeps_its_id_and_shares_it_with_no_other() {
    let channel = channel();
    let id = channel.message_id("s", &maria(), "9");
    assert_eq!(id, channel.message_id("s", &maria(), "9"));
    let other = Channel::begun("mails".parse().unwrap(), 3);
    for id_of_another in [
        channel.message_id("t", &maria(), "9"),
        channel.message_id("s", &maria(), "10"),
        channel.message_id("s", &Recipient::Operator(Name::new("jonas").unwrap()), "9"),
        other.message_id("s", &maria(), "9"),
    ] {
        assert_ne!(id, id_of_another);
    }
}

#[test]
fn what_a_program_said_is_kept_on_one_line_and_not_all_of_it() {
    let mut channel = channel();
    channel.put_off(&maria(), 9, NOW, &format!("\x1b[31mno\nsuch user\n{}", "x".repeat(9_000)));
    let why = &channel.waiting.first().unwrap().why;
    assert!(why.starts_with("[31mno such user") && why.chars().count() <= 200, "{why}");
}

#[test]
fn what_is_new_joins_what_waits_for_the_same_recipient_and_is_tried_for_a_week() {
    let mut channel = channel();
    channel.put_off(&maria(), 9, NOW, "exit status 1");
    channel.reach(Circle::Operators, 9);
    let later = Timestamp(NOW.0 + 6 * DAY_MS);
    channel.put_off(&maria(), 20, later, "exit status 1");
    let [one] = &channel.waiting[..] else { panic!("{:?}", channel.waiting) };
    assert_eq!((one.after, one.upto, one.since, one.tries), (3, 20, NOW, 1));
    channel.put_off(&maria(), 20, Timestamp(NOW.0 + 8 * DAY_MS), "exit status 1");
    assert_eq!(channel.waiting.len(), 1, "the new part had two days");
    channel.put_off(&maria(), 20, Timestamp(NOW.0 + 14 * DAY_MS), "exit status 1");
    assert!(channel.waiting.is_empty() && channel.lost.is_some());
}

#[test]
fn contacts_that_nobody_accepts_leave_room_for_operators_and_for_each_other_where_the_channel_works() {
    let contact = |n: usize| Recipient::Contact(format!("bad{n}@acme.example").parse().unwrap());
    let mut channel = channel();
    channel.start(Circle::Contacts, Batch { upto: 9, past: None });
    for n in 0..OF_A_CIRCLE {
        assert!(channel.make_room(&contact(n), NOW));
        channel.put_off(&contact(n), 9, NOW, "no such user");
    }
    assert!(channel.make_room(&maria(), NOW) && channel.make_room(&contact(0), NOW));
    assert!(!channel.make_room(&contact(99), NOW), "it may be the channel, for which nothing is given up");
    channel.put_off(&contact(7), 9, NOW, "no such user");
    channel.accepted(&maria(), 9, Timestamp(NOW.0 + 1));
    assert!(channel.make_room(&contact(99), NOW));
    assert!(channel.waiting.len() == OF_A_CIRCLE - 1 && !channel.owes(&contact(7), 9));
    assert!(
        channel.lost.unwrap().why.starts_with("to bad7@acme.example because others wait too: no such user")
    );
}

#[test]
fn a_channel_of_before_told_contacts_with_the_operators() {
    let mut channel = Channel { contacts: None, ..channel() };
    channel.pass(&maria());
    assert_eq!(
        channel.course(Circle::Contacts),
        Course { upto: 3, batch: Some(Batch { upto: 9, past: None }) }
    );
    channel.reach(Circle::Operators, 9);
    assert_eq!((channel.upto, channel.course(Circle::Contacts).upto), (9, 3));
}

#[test]
fn a_channel_goes_on_where_another_stopped_each_circle_with_its_place() {
    let under_way = |upto, past| Some(Batch { upto, past });
    let before = || Channel { contacts: None, batch: under_way(9, Some(maria())), ..channel() };
    let apart = || Channel {
        contacts: Some(Course { upto: 7, batch: None }),
        batch: under_way(9, Some(maria())),
        ..channel()
    };
    let new = |upto| Channel::begun("post".parse().unwrap(), upto);
    for (old, upto, operators, contacts) in [
        (apart(), 20, Course { upto: 3, batch: apart().batch }, Course { upto: 7, batch: None }),
        (before(), 20, Course { upto: 3, batch: before().batch }, Course { upto: 3, batch: before().batch }),
        (apart(), 2, Course { upto: 2, batch: apart().batch }, Course { upto: 2, batch: None }),
    ] {
        let next = new(upto).going_on_from(&old);
        assert_eq!((next.course(Circle::Operators), next.course(Circle::Contacts)), (operators, contacts));
        assert_eq!(next.name.as_str(), "post");
        assert!(next.was_given_more(&new(upto)) && !next.has_told_nothing());
        let rest = old.emptied().0.stopped();
        assert!(!rest.is_under_way() && rest.course(Circle::Operators).upto == 9, "{rest:?}");
    }
    assert!(new(20).has_told_nothing() && !new(20).was_given_more(&new(20)));
}

const KEY: &str = "7HqP2mVx9KtR";

/// An entry of the trail about a key, with these changes.
fn entry(event: &str, changes: &[[&str; 3]]) -> Entry {
    let name = "Webhook relay".into();
    let subject = SubjectLine { kind: "key".into(), id: KEY.into(), name, owner: None };
    let change = |[field, from, to]: &[&str; 3]| ChangeLine {
        field: (*field).into(),
        from: (*from).into(),
        to: (*to).into(),
        of: None,
    };
    let changes = changes.iter().map(change).collect();
    Entry { subjects: vec![subject], changes, ..Entry::of(ActorLine::of("maria", "admin"), NOW, event) }
}

#[test]
fn an_edit_has_those_told_who_were_no_contacts_before() {
    let key: KeyId = KEY.parse().unwrap();
    let told = |changes: &[[&str; 3]]| -> Vec<String> {
        let all = Tiding::of(&entry("key.edit", changes)).into_iter();
        all.filter_map(|tiding| match tiding {
            Tiding::Named(contact, Matter::Ends(of)) if of == key => Some(contact.to_string()),
            Tiding::Named(..) => None,
            other => panic!("{other:?}"),
        })
        .collect()
    };
    assert_eq!(told(&[["note", "", "moved"]]), [""; 0]);
    assert_eq!(told(&[["note", "", "moved"], ["contacts", "", "a@x.example, ops"]]), ["a@x.example", "ops"]);
    assert_eq!(told(&[["contacts", "a@x.example, ops", "web, ops"]]), ["web"]);
    assert_eq!(told(&[["contacts", "a@x.example, ops", "ops"]]), [""; 0]);
    let refused =
        Entry { outcome: Outcome::Refused, ..entry("key.edit", &[["contacts", "", "a@x.example"]]) };
    assert_eq!(Tiding::of(&refused), []);
}

#[test]
fn of_held_deletions_only_those_are_news_that_did_not_wait_before() {
    let held = |new: &[[&str; 3]]| {
        let all = [&[["deletions held", "", "6"]][..], new].concat();
        Tiding::of(&entry("hold.place", &all))
    };
    assert_eq!(held(&[[Hold::NEW, "", "2"]]), [Tiding::Done(Matter::Held)]);
    assert_eq!(held(&[[Hold::NEW, "", "0"]]), []);
    // Entries of before do not say it.
    assert_eq!(held(&[]), [Tiding::Done(Matter::Held)]);
}

#[test]
fn a_step_of_which_something_was_told_before_is_no_first_one() {
    let key: KeyId = KEY.parse().unwrap();
    for (from, tiding) in
        [("", Tiding::First(Matter::Unused(key))), ("told before", Tiding::Done(Matter::Unused(key)))]
    {
        let step = [["deleted for want of use", from, "2026-12-12T06:17:03Z, told 7 d before"]];
        assert_eq!(Tiding::of(&entry("notice.give", &step)), [tiding]);
    }
}
