//! Notices that leave the screen: what is remembered of a channel, so that each step is told through it once, whoever sends
//! and whenever it fails; `told` says who is told what. How a message travels is none of this folder's business.
//!
//! A channel goes through the audit trail once for operators and once for contacts: these are named by whoever makes keys, and
//! hold up no operator. What sweeps did since is a batch: its end is written down before the first message leaves, so a message
//! that is sent again after a crash is the same one and has the same id. What is not accepted waits, and what is new for the
//! same recipient joins it. What is wrong with the store, this machine or another channel is told apart from that, since it may
//! be wrong while nothing can be read or written: `alarm`.

mod alarm;
mod told;

use std::fmt;
use std::str::FromStr;

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use sha2::{Digest as _, Sha256};

pub use self::alarm::{Alarm, Wrong};
pub use self::told::{KINDS, Matter, Parcel, Pending, Recipient, Tiding, admins, mail, still};
use super::Timestamp;
use super::time::DAY_MS;

/// Days after which a message that nobody accepts is given up.
pub const TRIED_DAYS: i64 = 7;
/// Messages of one channel that wait at most; half of them those of contacts.
pub const WAITING_MAX: usize = 64;
/// Those of one circle.
pub const OF_A_CIRCLE: usize = WAITING_MAX / 2;
/// Characters of a reason that are kept.
const WHY_MAX: usize = 200;
/// Between the first two tries; each further time is four times as long as the one before.
const FIRST_PAUSE_MS: i64 = 60_000;
/// The longest time between two tries.
const LONGEST_PAUSE_MS: i64 = 6 * 3_600_000;

/// The name of a channel: 1 to 16 small letters, digits and hyphens.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelName([u8; Self::MAX]);

/// The text is no name of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a channel's name is 1 to 16 small letters, digits and hyphens")]
pub struct BadChannelName;

impl ChannelName {
    const MAX: usize = 16;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        // ASCII and zeros, checked when the value was made.
        std::str::from_utf8(&self.0).unwrap_or_default().trim_end_matches('\0')
    }
}

impl FromStr for ChannelName {
    type Err = BadChannelName;

    fn from_str(text: &str) -> Result<Self, BadChannelName> {
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let mut name = [0; Self::MAX];
        match name.get_mut(..text.len()) {
            Some(room) if !text.is_empty() && text.bytes().all(fits) => room.copy_from_slice(text.as_bytes()),
            _ => return Err(BadChannelName),
        }
        Ok(Self(name))
    }
}

impl fmt::Display for ChannelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for ChannelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<C> Encode<C> for ChannelName {
    fn encode<W: encode::Write>(
        &self,
        to: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        to.str(self.as_str())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for ChannelName {
    fn decode(from: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        from.str()?.parse().map_err(|_| decode::Error::message("not the name of a channel"))
    }
}

/// What is remembered of a channel.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Channel {
    /// What it is called in the configuration.
    #[n(0)]
    pub name: ChannelName,
    /// Number of the audit entry up to which operators were told of everything, or it is over, or waits.
    #[n(1)]
    pub upto: u64,
    /// What they are being told.
    #[n(2)]
    pub batch: Option<Batch>,
    /// Messages that were not accepted, the one that is tried next first.
    #[n(3)]
    pub waiting: Vec<Waiting>,
    /// Who sends just now.
    #[n(4)]
    pub claim: Option<Claim>,
    /// That the other end said that it is gone for good: nothing is sent any more.
    #[n(5)]
    pub gone: Option<Lost>,
    /// What was given up since a message was accepted last.
    #[n(6)]
    pub lost: Option<Lost>,
    /// Whose message was accepted last.
    #[n(7)]
    pub reached: Option<Reached>,
    /// What is wrong and told through it, while it lasts.
    #[cbor(n(8), default)]
    pub alarms: Vec<Alarm>,
    /// How far contacts were told; none where they always were with the operators.
    #[n(9)]
    pub contacts: Option<Course>,
}

/// Those who are told apart from others, so that these are not held up by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Circle {
    /// The operators.
    Operators,
    /// The contacts of keys.
    Contacts,
}

/// How far one circle was told.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Course {
    /// Number of the audit entry up to which everybody was told of everything, or it is over, or waits.
    #[n(0)]
    pub upto: u64,
    /// What is being told.
    #[n(1)]
    pub batch: Option<Batch>,
}

impl Course {
    /// What is being told.
    pub fn under_way(&self) -> Option<&Batch> {
        self.batch.as_ref().filter(|batch| batch.upto > self.upto)
    }
}

/// A message that was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Reached {
    /// Who was told.
    #[n(0)]
    pub to: Recipient,
    /// Of what was done up to this entry.
    #[n(1)]
    pub upto: u64,
    /// When.
    #[n(2)]
    pub at: Option<Timestamp>,
}

/// What sweeps did between two entries, on its way to whom it concerns. They are told in the order of [`Recipient`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Batch {
    /// Its last entry.
    #[n(0)]
    pub upto: u64,
    /// The last who was told, or whose message waits.
    #[n(1)]
    pub past: Option<Recipient>,
}

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
fn is_time(next: Timestamp, now: Timestamp) -> bool {
    next <= now || next.since(now) > 2 * LONGEST_PAUSE_MS
}

/// That one process sends, so that no other does.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Claim {
    /// A name that no other process has.
    #[n(0)]
    pub by: String,
    /// Until when, should it not be heard of again.
    #[n(1)]
    pub until: Timestamp,
}

/// What will not be delivered.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Lost {
    /// Since when.
    #[n(0)]
    pub at: Timestamp,
    /// What was told why, the last time.
    #[n(1)]
    pub why: String,
    /// Messages that were given up and counted: those of before they were counted are none of them.
    #[cbor(n(2), default)]
    pub messages: u32,
}

/// That a channel does not do what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failing {
    /// Since when.
    pub since: Timestamp,
    /// Why, as a clause: mostly in the words of whoever did not accept.
    pub why: String,
}

/// Whether whoever delivers has a channel in its configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// It has, or nobody knows.
    Yes,
    /// It was there once, and nothing leaves through it any more.
    NoMore,
}

impl Channel {
    /// One that tells of what is done after an entry.
    pub const fn begun(name: ChannelName, upto: u64) -> Self {
        Self {
            name,
            upto,
            batch: None,
            waiting: Vec::new(),
            claim: None,
            gone: None,
            lost: None,
            reached: None,
            alarms: Vec::new(),
            contacts: Some(Course { upto, batch: None }),
        }
    }

    /// How far one circle was told.
    pub fn course(&self, circle: Circle) -> Course {
        let operators = || Course { upto: self.upto, batch: self.batch.clone() };
        match circle {
            Circle::Operators => operators(),
            Circle::Contacts => self.contacts.clone().unwrap_or_else(operators),
        }
    }

    fn set(&mut self, circle: Circle, course: Course) {
        match circle {
            Circle::Operators => {
                // From now on they go apart.
                self.contacts = Some(self.course(Circle::Contacts));
                (self.upto, self.batch) = (course.upto, course.batch);
            }
            Circle::Contacts => self.contacts = Some(course),
        }
    }

    /// Who is sending, as far as that is known, and until when.
    pub fn claimed(&self, now: Timestamp) -> Option<&Claim> {
        self.claim.as_ref().filter(|claim| now < claim.until)
    }

    /// Whether somebody is being told.
    fn is_under_way(&self) -> bool {
        [Circle::Operators, Circle::Contacts].iter().any(|circle| self.course(*circle).under_way().is_some())
    }

    /// A circle is being told.
    pub fn start(&mut self, circle: Circle, batch: Batch) {
        let upto = self.course(circle).upto;
        self.set(circle, Course { upto, batch: Some(batch) });
    }

    /// The next of the batch was told, waits, or is concerned no more.
    pub fn pass(&mut self, to: &Recipient) {
        let mut course = self.course(to.circle());
        if let Some(batch) = &mut course.batch {
            batch.past = Some(to.clone());
        }
        self.set(to.circle(), course);
    }

    /// Everybody of a circle was told of what was done up to an entry, or waits.
    pub fn reach(&mut self, circle: Circle, upto: u64) {
        self.set(circle, Course { upto, batch: None });
    }

    /// A message was accepted: the channel works, and nothing waits for that recipient.
    pub fn accepted(&mut self, to: &Recipient, upto: u64, now: Timestamp) {
        self.reached = Some(Reached { to: to.clone(), upto, at: Some(now) });
        self.leave(to);
        self.lost = None;
        for alarm in &mut self.alarms {
            alarm.why.clear();
        }
    }

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
    fn lose(&mut self, to: &Recipient, now: Timestamp, why: &str) {
        let before = self.lost.take();
        let at = before.as_ref().map_or(now, |lost| lost.at);
        let messages = before.map_or(0, |lost| lost.messages).saturating_add(1);
        self.lost = Some(Lost { at, why: format!("to {to} {why}"), messages });
    }

    /// Has nothing wait any more and tells of nothing that was given up: somebody takes care of it elsewhere. What is returned
    /// waited; what was being told goes with it where nobody takes that over.
    pub fn emptied(&self, into: Option<ChannelName>) -> (Self, Vec<Waiting>) {
        let mut empty = Self { waiting: Vec::new(), lost: None, ..self.clone() };
        for circle in [Circle::Operators, Circle::Contacts] {
            if let Some(batch) = self.course(circle).under_way().filter(|_| into.is_none()) {
                empty.reach(circle, batch.upto);
            }
        }
        (empty, self.waiting.clone())
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

    /// The other end is gone for good.
    pub fn close(&mut self, now: Timestamp, why: &str) {
        self.gone = Some(Lost { at: now, why: brief(why), messages: 0 });
        (self.batch, self.contacts, self.waiting) = (None, None, Vec::new());
    }

    /// Whether it fails, since when and why: until a message is accepted again, or somebody takes care of what waits.
    pub fn failing(&self, named: Named, now: Timestamp) -> Option<Failing> {
        let first = self.waiting.iter().min_by_key(|message| message.since);
        let lost = self.lost.as_ref().map(|lost| Failing { since: lost.at, why: lost.in_words() });
        if named == Named::NoMore {
            let left = match self.waiting.len() {
                0 => lost.as_ref().map(|lost| lost.why.clone()),
                n => Some(format!("{} for it", waits(n))),
            };
            let left =
                left.or_else(|| self.is_under_way().then(|| "not everybody was told through it".into()))?;
            let since =
                first.map(|message| message.since.min(now)).or(lost.map(|lost| lost.since)).unwrap_or(now);
            let why = format!(
                "{left}, and the configuration in use does not name it. `keydeck notices move {0} OTHER` sends that through another \
                 channel, `keydeck notices drop {0}` through none",
                self.name
            );
            return Some(Failing { since, why });
        }
        if let Some(gone) = &self.gone {
            return Some(Failing { since: gone.at, why: gone.why.clone() });
        }
        let waiting =
            first.map(|message| Failing { since: message.since.min(now), why: message.why.clone() });
        waiting.or(lost).or_else(|| self.alarms.iter().find_map(Alarm::failing))
    }

    /// The id of a message: the same whenever it is sent, and no other message's. `mark` is the hash of the last entry it tells
    /// of: entries of other numbers or of other times have others, also where a store was put back to what it was.
    pub fn message_id(&self, store: &str, to: &Recipient, mark: &str) -> String {
        self.id(store, to, &[mark])
    }

    fn id(&self, store: &str, to: &Recipient, of: &[&str]) -> String {
        let mut sum = Sha256::new();
        for part in [store, self.name.as_str(), to.kind(), to.name()].iter().chain(of) {
            // With its length, so that no two messages read the same.
            sum.update((part.len() as u64).to_be_bytes());
            sum.update(part.as_bytes());
        }
        let sum: [u8; 32] = sum.finalize().into();
        sum.iter().take(16).fold("msg_".to_owned(), |id, byte| id + &format!("{byte:02x}"))
    }

    /// What the trail tells of it, each with its word.
    pub(super) fn edited(&self) -> [(&'static str, String); 9] {
        let reached = self.reached.as_ref().map(|last| format!("{}, entry {}", last.to, last.upto));
        let waiting: Vec<String> = self.waiting.iter().map(|message| message.to.to_string()).collect();
        let alarms: Vec<String> = self.alarms.iter().map(ToString::to_string).collect();
        let (operators, contacts) = (self.course(Circle::Operators), self.course(Circle::Contacts));
        let end =
            |course: &Course| course.under_way().map_or_else(String::new, |batch| batch.upto.to_string());
        let of_contacts =
            if contacts.upto == operators.upto { String::new() } else { contacts.upto.to_string() };
        [
            ("entry", operators.upto.to_string()),
            ("up to entry", end(&operators)),
            ("entry for contacts", of_contacts),
            ("up to entry for contacts", end(&contacts)),
            ("reached", reached.unwrap_or_default()),
            ("waiting", waiting.join(", ")),
            ("gone", self.gone.as_ref().map_or_else(String::new, |lost| lost.why.clone())),
            ("given up", self.lost.as_ref().map_or_else(String::new, Lost::in_words)),
            ("told what is wrong", alarms.join(", ")),
        ]
    }
}

impl Lost {
    fn in_words(&self) -> String {
        match self.messages {
            0 | 1 => format!("a message was given up: {}", self.why),
            n => format!("{n} messages were given up, the last {}", self.why),
        }
    }
}

/// How many messages wait, as the beginning of a clause.
pub fn waits(messages: usize) -> String {
    if messages == 1 { "1 message waits".to_owned() } else { format!("{messages} messages wait") }
}

/// How long to wait after so many tries, in milliseconds: a quarter more at most than the step says, by what the message is,
/// so that many that failed at once do not come back at once.
fn pause(id: &[u8], tries: u32) -> i64 {
    let step =
        FIRST_PAUSE_MS.saturating_mul(4_i64.saturating_pow(tries.saturating_sub(1))).min(LONGEST_PAUSE_MS);
    let spread = id.iter().fold(0_i64, |all, byte| (all * 31 + i64::from(*byte)) % 1_000);
    step + step / 4 * spread / 1_000
}

/// What somebody else said, as far as it is kept and on one line.
fn brief(why: &str) -> String {
    let seen = |c: char| if super::invisible::is_invisible(c) { ' ' } else { c };
    why.chars().map(seen).take(WHY_MAX).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests;
