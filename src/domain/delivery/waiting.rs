//! Messages that nobody accepted: how long they wait, how many of them, and when they are given up.

use minicbor::{Decode, Encode};

use super::{Channel, Lost, Recipient, brief};
use crate::domain::Timestamp;
use crate::domain::time::DAY_MS;

/// Days after which a message that nobody accepts is given up.
pub const TRIED_DAYS: i64 = 7;
/// Messages of one channel that wait at most; half of them those of contacts.
pub const WAITING_MAX: usize = 64;
/// Those of one circle.
pub const OF_A_CIRCLE: usize = WAITING_MAX / 2;
/// Between the first two tries; each further time is four times as long as the one before.
const FIRST_PAUSE_MS: i64 = 60_000;
/// The longest time between two tries.
const LONGEST_PAUSE_MS: i64 = 6 * 3_600_000;

/// A message that was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Waiting {
    /// To whom.
    #[n(0)]
    pub to: Recipient,
    /// It tells of what was done after this entry …
    #[n(1)]
    pub after: u64,
    /// … up to this one.
    #[n(2)]
    pub upto: u64,
    /// When it was first tried.
    #[n(3)]
    pub since: Timestamp,
    /// How often it was tried.
    #[n(4)]
    pub tries: u32,
    /// When it is tried next.
    #[n(5)]
    pub next: Timestamp,
    /// Why it was not accepted.
    #[n(6)]
    pub why: String,
    /// When something was added to it last, if ever: that is tried for as long as any message.
    #[n(7)]
    pub added: Option<Timestamp>,
}

impl Waiting {
    /// Whether it is tried now.
    pub fn is_due(&self, now: Timestamp) -> bool {
        is_time(self.next, now)
    }

    /// Both in one, for one recipient.
    fn and(self, other: Self) -> Self {
        let (after, upto) = (self.after.min(other.after), self.upto.max(other.upto));
        Self { after, upto, since: self.since.min(other.since), added: self.added.max(other.added), ..other }
    }
}

/// Whether the time has come that something is put off to. One further away than any pause was reckoned from a clock that was
/// wrong.
pub(super) fn is_time(next: Timestamp, now: Timestamp) -> bool {
    next <= now || next.since(now) > 2 * LONGEST_PAUSE_MS
}

impl Channel {
    /// Nothing waits for somebody any more.
    pub fn leave(&mut self, to: &Recipient) {
        self.waiting.retain(|message| message.to != *to);
    }

    /// Whether what an entry says waits for somebody.
    pub fn owes(&self, to: &Recipient, entry: u64) -> bool {
        self.waiting.iter().any(|message| message.to == *to && message.after < entry && entry <= message.upto)
    }

    /// A message to somebody was not accepted, which tells of what was done up to an entry. After a week it is given up.
    pub fn put_off(&mut self, to: &Recipient, upto: u64, now: Timestamp, why: &str) {
        let (ours, others) = std::mem::take(&mut self.waiting).into_iter().partition(|known| known.to == *to);
        self.waiting = others;
        let before: Vec<Waiting> = ours;
        let message = match before.into_iter().reduce(Waiting::and) {
            Some(before) if before.upto < upto => Waiting { upto, tries: 1, added: Some(now), ..before },
            // The time of a clock that was wrong is none.
            Some(before) if now.since(before.added.unwrap_or(before.since)) >= TRIED_DAYS * DAY_MS => {
                return self.lose(to, now, &format!("after a week: {}", brief(why)));
            }
            Some(before) => Waiting { tries: before.tries.saturating_add(1), ..before },
            None => {
                let after = self.course(to.circle()).upto;
                let (to, why) = (to.clone(), String::new());
                Waiting { to, after, upto, since: now, tries: 1, next: now, why, added: None }
            }
        };
        let (since, added) = (message.since.min(now), message.added.map(|at| at.min(now)));
        self.wait(Waiting { since, added, next: now, why: brief(why), ..message });
    }

    /// Makes room for a message to somebody to wait. There is none when nothing was accepted since those that wait were refused:
    /// then it may be the channel that does not work, for which nothing is given up.
    pub fn make_room(&mut self, to: &Recipient, now: Timestamp) -> bool {
        let of_circle = |message: &&Waiting| message.to.circle() == to.circle();
        let knows = self.waiting.iter().any(|message| message.to == *to);
        if knows || self.waiting.iter().filter(of_circle).count() < OF_A_CIRCLE {
            return true;
        }
        let works = self.reached.as_ref().and_then(|reached| reached.at);
        let refused = self.waiting.iter().filter(of_circle).filter(|message| Some(message.since) < works);
        let Some(worst) = refused.max_by_key(|message| message.tries).cloned() else { return false };
        self.leave(&worst.to);
        self.lose(&worst.to, now, &format!("because others wait too: {}", worst.why));
        true
    }

    /// When a message that waits is tried.
    pub fn next_try(&self, now: Timestamp) -> Option<Timestamp> {
        self.waiting.iter().map(|message| if message.is_due(now) { now } else { message.next }).min()
    }

    /// A message is given up. That is told until one is accepted.
    pub(super) fn lose(&mut self, to: &Recipient, now: Timestamp, why: &str) {
        let before = self.lost.take();
        let at = before.as_ref().map_or(now, |lost| lost.at);
        let messages = before.map_or(0, |lost| lost.messages).saturating_add(1);
        self.lost = Some(Lost { at, why: format!("to {to} {why}"), messages });
    }

    /// The same with messages that waited elsewhere; each is tried at once, and for as long as any.
    #[must_use]
    pub fn with_waiting(&self, messages: Vec<Waiting>, now: Timestamp) -> Self {
        let mut all = self.clone();
        let taken =
            messages.into_iter().map(|message| Waiting { since: now, tries: 0, next: now, ..message });
        all.waiting.splice(0..0, taken);
        all.waiting.sort_by_key(|message| message.next);
        all
    }

    fn wait(&mut self, mut message: Waiting) {
        let pause = pause(self.message_id("", &message.to, "").as_bytes(), message.tries);
        message.next = Timestamp(message.next.0.saturating_add(pause));
        let at = self.waiting.partition_point(|other| other.next <= message.next);
        self.waiting.insert(at, message);
    }
}

/// How many messages wait, as the beginning of a clause.
pub fn waits(messages: usize) -> String {
    if messages == 1 { "1 message waits".to_owned() } else { format!("{messages} messages wait") }
}

/// How long to wait after so many tries, in milliseconds: a quarter more at most than the step says, by what the message is,
/// so that many that failed at once do not come back at once.
pub(super) fn pause(id: &[u8], tries: u32) -> i64 {
    let step =
        FIRST_PAUSE_MS.saturating_mul(4_i64.saturating_pow(tries.saturating_sub(1))).min(LONGEST_PAUSE_MS);
    let spread = id.iter().fold(0_i64, |all, byte| (all * 31 + i64::from(*byte)) % 1_000);
    step + step / 4 * spread / 1_000
}
