//! What is seen of the program, in words that a [`super::reckoning`] has too: what a sweep did, and how a key stands.

use super::reckoning::Stands;
use super::{Event, Key, KeyId, KeyState, Status, Timestamp, Told};

/// Something a sweep did that somebody sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Did {
    /// Told that a key is deleted for want of use, so many days before.
    Idle(KeyId, u32),
    /// Told that a key ends, so many days before.
    Ends(KeyId, u32),
    /// So many deletions wait for a word.
    Held(usize),
    Deleted(KeyId),
    Purged(KeyId),
    /// Written down that the grace of an old half is over.
    GraceEnded(KeyId),
    /// Ended a pause that was meant for some time.
    Resumed(KeyId),
}

impl Did {
    pub(super) fn of(event: &Event) -> Option<Self> {
        match event {
            // That an old half is still used is told of apart and changes nothing, nor that somebody presents a deleted key.
            Event::NoticeGiven(key, ..) if key.superseded.is_some() => None,
            Event::NoticeGiven(key, cycle, told) => {
                assert_eq!(key.id, cycle.key);
                Some(match told {
                    Told::Unused { days, .. } => Self::Idle(key.id, *days),
                    Told::Ends { days, .. } => Self::Ends(key.id, *days),
                    Told::Presented { .. } => return None,
                })
            }
            Event::DeletionsHeld(hold, _) => (!hold.is_empty()).then_some(Self::Held(hold.keys.len())),
            Event::KeyDeleted(key) => Some(Self::Deleted(key.id)),
            Event::KeyPurged(key, _) => Some(Self::Purged(key.id)),
            Event::KeyRevoked(key) => Some(Self::GraceEnded(key.id)),
            Event::KeyResumed(key, _) => Some(Self::Resumed(key.id)),
            Event::NoticesRenewed(..) | Event::KeySuperseded(..) => None,
            other => panic!("a sweep did {other:?}"),
        }
    }
}

/// How a key stands.
pub(super) fn stands(key: &Key, now: Timestamp) -> Stands {
    match (key.status, key.state(now)) {
        (Status::Purged(_), _) => Stands::Purged,
        (Status::Deleted(at), _) => Stands::Deleted(at.0),
        (_, KeyState::Active) => Stands::Works,
        (_, KeyState::Superseded) => Stands::Superseded,
        (_, KeyState::Paused) => Stands::Paused,
        (_, KeyState::Expired) => Stands::Over,
        (_, KeyState::Revoked | KeyState::Deleted) => Stands::Revoked,
    }
}
