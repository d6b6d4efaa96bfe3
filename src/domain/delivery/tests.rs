use super::*;
use crate::domain::Name;

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
    channel.put_off(&maria(), NOW, "exit status 1");
    channel.finish();
    assert_eq!(channel.upto, 9, "nobody else waits for it");
    let (mut now, mut pauses) = (NOW, Vec::new());
    while let Some(next) = channel.waiting.pop() {
        assert_eq!((next.after, next.upto, next.since), (3, 9, NOW), "it stays what it was");
        pauses.push(next.next.since(now) / 60_000);
        now = next.next;
        channel.put_off_again(next, now, "exit status 1");
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
fn messages_that_failed_at_once_do_not_come_back_at_once() {
    let mut channel = channel();
    for n in 0..8 {
        channel.put_off(&Recipient::Operator(Name::new(&format!("operator {n}")).unwrap()), NOW, "");
    }
    let mut times: Vec<_> = channel.waiting.iter().map(|message| message.next).collect();
    assert!(times.is_sorted(), "the next one stands first");
    times.dedup();
    assert!(times.len() > 4, "{times:?}");
}

#[test]
fn a_message_keeps_its_id_and_shares_it_with_no_other() {
    let channel = channel();
    let id = channel.message_id("s", &maria(), 9);
    assert_eq!(id, channel.message_id("s", &maria(), 9));
    let other = Channel::begun("mails".parse().unwrap(), 3);
    for id_of_another in [
        channel.message_id("t", &maria(), 9),
        channel.message_id("s", &maria(), 10),
        channel.message_id("s", &Recipient::Operator(Name::new("jonas").unwrap()), 9),
        other.message_id("s", &maria(), 9),
    ] {
        assert_ne!(id, id_of_another);
    }
}

#[test]
fn what_a_program_said_is_kept_on_one_line_and_not_all_of_it() {
    let mut channel = channel();
    channel.put_off(&maria(), NOW, &format!("\x1b[31mno\nsuch user\n{}", "x".repeat(9_000)));
    let why = &channel.waiting.first().unwrap().why;
    assert!(why.starts_with("[31mno such user") && why.chars().count() <= 200, "{why}");
}
