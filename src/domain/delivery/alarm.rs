//! What is wrong and told through a channel while it lasts: to every admin once, however long that is. What is told is
//! remembered with the channel where the store takes that, and by the process that delivers where it does not; its id comes from
//! the end of the trail as it was found then, so that it is the same when a process that could write nothing down begins anew.

use std::fmt;

use minicbor::{Decode, Encode};

use super::waiting::{TRIED_DAYS, is_time, pause};
use super::{Channel, ChannelName, Failing, Recipient, brief};
use crate::domain::Timestamp;
use crate::domain::notice::Trouble;
use crate::domain::time::DAY_MS;

/// Something that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct Wrong {
    /// What.
    #[n(0)]
    pub trouble: Trouble,
    /// With which channel, if with one.
    #[n(1)]
    pub channel: Option<ChannelName>,
}

/// One occurrence of it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Alarm {
    /// What is wrong.
    #[n(0)]
    pub wrong: Wrong,
    /// A number that the trail had when it was found, and has at no other time.
    #[n(1)]
    pub at: u64,
    /// When it was found.
    #[n(2)]
    pub since: Timestamp,
    /// Who was told.
    #[n(3)]
    pub told: Vec<Recipient>,
    /// How often somebody was not.
    #[n(4)]
    pub tries: u32,
    /// When it is tried again.
    #[n(5)]
    pub next: Timestamp,
    /// Why it was not accepted the last time; empty when it was.
    #[n(6)]
    pub why: String,
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.wrong.trouble.code())?;
        if let Some(channel) = self.wrong.channel {
            write!(f, " ({channel})")?;
        }
        let told: Vec<String> = self.told.iter().map(ToString::to_string).collect();
        if told.is_empty() { Ok(()) } else { write!(f, " to {}", told.join(" and ")) }
    }
}

impl Alarm {
    /// Whether somebody is to be told of it now.
    pub fn is_due(&self, to: &Recipient, now: Timestamp) -> bool {
        is_time(self.next, now) && !self.told.contains(to)
    }

    pub(super) fn failing(&self) -> Option<Failing> {
        (!self.why.is_empty()).then(|| Failing { since: self.since, why: self.why.clone() })
    }
}

impl Channel {
    /// Begins with what is wrong now, and forgets what is no more.
    pub fn note(&mut self, wrong: &[Wrong], mark: u64, now: Timestamp) {
        self.alarms.retain(|alarm| wrong.contains(&alarm.wrong));
        for wrong in wrong {
            if !self.alarms.iter().any(|alarm| alarm.wrong == *wrong) {
                let (told, why) = (Vec::new(), String::new());
                self.alarms.push(Alarm {
                    wrong: *wrong,
                    at: mark,
                    since: now,
                    told,
                    tries: 0,
                    next: now,
                    why,
                });
            }
        }
    }

    /// Somebody was told of everything that was due for them.
    pub fn alarmed(&mut self, to: &Recipient, now: Timestamp) {
        for alarm in self.alarms.iter_mut().filter(|alarm| alarm.is_due(to, now)) {
            alarm.told.push(to.clone());
        }
        self.lost = None;
    }

    /// What somebody was not told is tried again; after a week it is given up.
    pub fn put_off_alarms(&mut self, to: &[Recipient], now: Timestamp, why: &str) {
        let mut lost = None;
        for alarm in &mut self.alarms {
            let left: Vec<_> = to.iter().filter(|to| !alarm.told.contains(to)).cloned().collect();
            let Some(first) = left.iter().find(|to| alarm.is_due(to, now)) else {
                if left.is_empty() {
                    alarm.why.clear();
                }
                continue;
            };
            if now.since(alarm.since) >= TRIED_DAYS * DAY_MS {
                lost = Some(first.clone());
                alarm.told.extend(left);
                alarm.why.clear();
                continue;
            }
            alarm.tries = alarm.tries.saturating_add(1);
            alarm.why = brief(why);
            alarm.next = Timestamp(now.0.saturating_add(pause(first.name().as_bytes(), alarm.tries)));
        }
        if let Some(to) = lost {
            self.lose(&to, now, &format!("after a week: {}", brief(why)));
        }
    }

    /// When somebody is told again of what they were not.
    pub fn next_alarm(&self, to: &[Recipient]) -> Option<Timestamp> {
        let left = self.alarms.iter().filter(|alarm| to.iter().any(|to| !alarm.told.contains(to)));
        left.map(|alarm| alarm.next).min()
    }

    /// The id of the message that tells somebody of these: the same whenever it is sent.
    pub fn alarm_id(&self, store: &str, to: &Recipient, alarms: &[&Alarm]) -> String {
        let of: Vec<String> = alarms
            .iter()
            .map(|Alarm { wrong, at, .. }| {
                let about = wrong.channel.as_ref().map_or("", ChannelName::as_str);
                format!("{} {about} {at}", wrong.trouble.code())
            })
            .collect();
        let of: Vec<&str> = of.iter().map(String::as_str).collect();
        self.id(store, to, &of)
    }
}
