//! Notices that leave the screen: what is remembered of a channel, so that each step is told through it once, whoever sends
//! and whenever it fails; `tiding` says what an entry of the trail has people told, `told` who is told what, `waiting` what becomes
//! of messages that nobody accepts. How a message travels is none of this folder's business.
//!
//! A channel goes through the audit trail once for operators and once for contacts: these are named by whoever makes keys, and
//! hold up no operator. What sweeps did since is a batch: its end is written down before the first message leaves, so a message
//! that is sent again after a crash is the same one and has the same id. What is not accepted waits, and what is new for the
//! same recipient joins it. What is wrong with the store, this machine or another channel is told apart from that, since it may
//! be wrong while nothing can be read or written: `alarm`.

mod alarm;
mod name;
mod tiding;
mod told;
mod waiting;

use minicbor::{Decode, Encode};
use sha2::{Digest as _, Sha256};

pub use self::alarm::{Alarm, Wrong};
pub use self::name::{BadChannelName, ChannelName};
pub use self::tiding::Tiding;
pub use self::told::{KINDS, Matter, Parcel, Pending, Recipient, admins, mail, still};
pub use self::waiting::{OF_A_CIRCLE, TRIED_DAYS, WAITING_MAX, Waiting, waits};
use super::Timestamp;

/// Characters of a reason that are kept.
const WHY_MAX: usize = 200;

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

impl Circle {
    const ALL: [Self; 2] = [Self::Operators, Self::Contacts];
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
    pub fn is_under_way(&self) -> bool {
        Circle::ALL.iter().any(|circle| self.course(*circle).under_way().is_some())
    }

    /// The entry after which it still reads the trail, for those who are being told and for messages that wait; nothing
    /// where nobody waits.
    pub fn reads_after(&self) -> Option<u64> {
        let told = |circle: &Circle| {
            let course = self.course(*circle);
            course.under_way().is_some().then_some(course.upto)
        };
        let waiting = self.waiting.iter().map(|message| message.after);
        Circle::ALL.iter().filter_map(told).chain(waiting).min()
    }

    /// Whether nobody was told anything through it, as far as is known.
    pub fn has_told_nothing(&self) -> bool {
        self.reached.is_none() && self.waiting.is_empty() && !self.is_under_way()
    }

    /// Whether it has something to tell that it had not before, from another channel.
    pub fn was_given_more(&self, before: &Self) -> bool {
        let goes_back = |circle: &Circle| self.course(*circle).upto < before.course(*circle).upto;
        self.waiting.len() > before.waiting.len()
            || Circle::ALL.iter().any(goes_back)
            || (self.is_under_way() && !before.is_under_way())
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

    /// Has nothing wait any more and tells of nothing that was given up: somebody takes care of it elsewhere. What is returned
    /// waited.
    pub fn emptied(&self) -> (Self, Vec<Waiting>) {
        (Self { waiting: Vec::new(), lost: None, ..self.clone() }, self.waiting.clone())
    }

    /// The same with nobody being told: another channel goes on with that, or nobody does.
    #[must_use]
    pub fn stopped(mut self) -> Self {
        for circle in Circle::ALL {
            if let Some(batch) = self.course(circle).under_way() {
                self.reach(circle, batch.upto);
            }
        }
        self
    }

    /// The same, going on where another channel stopped.
    #[must_use]
    pub fn going_on_from(mut self, other: &Self) -> Self {
        for circle in Circle::ALL {
            let (own, theirs) = (self.course(circle), other.course(circle));
            let upto = own.upto.min(theirs.upto);
            self.set(circle, Course { upto, batch: theirs.under_way().cloned() });
        }
        self
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

/// What somebody else said, as far as it is kept and on one line.
fn brief(why: &str) -> String {
    let seen = |c: char| if super::invisible::is_invisible(c) { ' ' } else { c };
    why.chars().map(seen).take(WHY_MAX).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests;
