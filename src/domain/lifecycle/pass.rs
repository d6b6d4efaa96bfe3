//! What is due, and what one pass of a sweep makes of it.

use super::{Cycle, Hold, Told};
use crate::domain::app::Previous;
use crate::domain::lineage::Superseded;
use crate::domain::{App, Command, Event, Expiry, Key, Motive, Status, Timestamp};

/// What is due now, and what will be next. Each list is in the order of the keys' ids.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan<'s> {
    /// Notices to give, with what is remembered from then on.
    pub notices: Vec<(&'s Key, Cycle, Told)>,
    /// What is remembered of keys that are told nothing now and whose notices hold no more, as it should be.
    pub renewed: Vec<(&'s Key, Cycle)>,
    /// Old halves of rotations of which the new one was used for the first time: when, and the end that follows.
    pub graces: Vec<(&'s Key, (Timestamp, Expiry))>,
    /// Old halves of rotations whose grace is over.
    pub ended: Vec<&'s Key>,
    /// Apps of which the new secret was used for the first time, with when that was and the end of the old one that follows.
    pub secrets: Vec<(&'s App, (Timestamp, Timestamp))>,
    /// Apps with an old secret whose grace is over.
    pub spent: Vec<&'s App>,
    /// Apps with an old secret that ends soon and is still used, with that end, of which nobody was told yet.
    pub missed: Vec<(&'s App, Timestamp)>,
    /// Keys that were paused for some time that is over.
    pub resumed: Vec<&'s Key>,
    /// Keys to delete for want of use: those that need no word first, then those it was given for.
    pub deletions: Vec<&'s Key>,
    /// What has to wait for a word, as it should be remembered, and how many of these did not before; `None` when that is
    /// remembered already.
    pub hold: Option<(Hold, u32)>,
    /// Expired keys whose records are cleared away.
    pub cleared: Vec<&'s Key>,
    /// Deleted keys to purge.
    pub purges: Vec<&'s Key>,
    /// When something is due that is not now, if anything is.
    pub next: Option<Timestamp>,
}

/// What a sweep does, one after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Puts right what is remembered of notices that hold no more.
    Renewals,
    /// Gives notices.
    Notices,
    /// Deletes for want of use.
    Deletions,
    /// Remembers which deletions wait for a word.
    Hold,
    /// Deletes the records of keys that have expired long ago.
    Cleared,
    /// Purges what was deleted long ago.
    Purges,
    /// Fixes the ends of graces that waited for a first use.
    Graces,
    /// Revokes old halves whose grace is over. They are refused already.
    Ended,
    /// Resumes what was paused for some time.
    Resumptions,
}

impl Pass {
    /// Keys one commit is about at most: their records and its entry must fit it.
    pub const AT_ONCE: usize = 64;

    /// All of them, in the order in which they are done.
    pub const ALL: [Self; 9] = [
        Self::Graces,
        Self::Ended,
        Self::Resumptions,
        Self::Renewals,
        Self::Notices,
        Self::Deletions,
        Self::Hold,
        Self::Cleared,
        Self::Purges,
    ];

    /// The command that does it.
    pub const fn command(self) -> Command {
        match self {
            Self::Renewals => Command::RenewNotices,
            Self::Notices => Command::GiveNotices,
            Self::Deletions => Command::DeleteUnused,
            Self::Hold => Command::HoldDeletions,
            Self::Cleared => Command::ClearEnded,
            Self::Purges => Command::PurgeDeleted,
            Self::Graces => Command::StartGraces,
            Self::Ended => Command::EndGraces,
            Self::Resumptions => Command::ResumeDue,
        }
    }
}

impl Plan<'_> {
    /// Whether nothing is due.
    pub const fn is_empty(&self) -> bool {
        self.notices.is_empty()
            && self.renewed.is_empty()
            && self.deletions.is_empty()
            && self.hold.is_none()
            && self.cleared.is_empty()
            && self.purges.is_empty()
            && self.graces.is_empty()
            && self.ended.is_empty()
            && self.secrets.is_empty()
            && self.spent.is_empty()
            && self.missed.is_empty()
            && self.resumed.is_empty()
    }

    /// What one pass comes to at `now`.
    pub fn events(&self, pass: Pass, now: Timestamp) -> Box<dyn Iterator<Item = Event> + '_> {
        match pass {
            Pass::Renewals => Box::new(
                self.renewed.iter().map(|(key, cycle)| Event::NoticesRenewed((*key).clone(), cycle.clone())),
            ),
            Pass::Notices => {
                let keys = self
                    .notices
                    .iter()
                    .map(|(key, cycle, told)| Event::NoticeGiven((*key).clone(), cycle.clone(), *told));
                Box::new(keys.chain(self.missed.iter().filter_map(|(app, end)| {
                    let told = Previous { missed: Some(*end), ..app.previous()?.clone() };
                    Some(Event::AppSecretMissed(app.with_old_secret(told), *end))
                })))
            }
            Pass::Deletions => Box::new(self.deletions.iter().map(move |key| deleted(key, now))),
            Pass::Hold => {
                Box::new(self.hold.iter().map(|(hold, new)| Event::DeletionsHeld(hold.clone(), *new)))
            }
            Pass::Graces => {
                let keys = self.graces.iter().map(|(key, (first, expiry))| {
                    let begun = Some(*first);
                    let how =
                        key.superseded.clone().map(|how| Box::new(Superseded { waits: None, begun, ..*how }));
                    let old = Key { expiry: *expiry, superseded: how, ..(*key).clone() };
                    Event::KeySuperseded(old, key.expiry)
                });
                Box::new(keys.chain(self.secrets.iter().filter_map(|(app, (first, end))| {
                    let old = app.previous()?;
                    let (until, begun) = (Expiry::At(*end), Some(*first));
                    let fixed = Previous { until, waits: None, begun, ..old.clone() };
                    Some(Event::AppSecretEnds(app.with_old_secret(fixed), old.until))
                })))
            }
            Pass::Ended => {
                let keys = self.ended.iter().map(move |key| {
                    let at = key.expiry.instant().unwrap_or(now);
                    let motive = Motive::replaced().kept();
                    Event::KeyRevoked(Key { status: Status::Revoked(at), motive, ..(*key).clone() })
                });
                let apps = self.spent.iter().map(|app| Event::AppSecretEnded(app.without_old_secret()));
                Box::new(keys.chain(apps))
            }
            Pass::Resumptions => Box::new(self.resumed.iter().map(move |key| {
                let counted_from = Some(now);
                let status = Status::Active;
                let works = Key { status, counted_from, pause_ends: None, ..(*key).clone() };
                Event::KeyResumed(works, key.pause_ends)
            })),
            Pass::Cleared => Box::new(self.cleared.iter().map(move |key| deleted(key, now))),
            Pass::Purges => Box::new(
                self.purges
                    .iter()
                    .map(move |key| Event::KeyPurged(key.purged(now), Box::new((*key).clone()))),
            ),
        }
    }
}

fn deleted(key: &Key, now: Timestamp) -> Event {
    Event::KeyDeleted(Key { status: Status::Deleted(now), pause_ends: None, ..key.clone() })
}
