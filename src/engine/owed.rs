//! A change that takes access away and is owed to the store: the disk has not taken it, or may have to.

use minicbor::{Decode, Encode};

use super::session::Session;
use crate::domain::audit::{Entry, Outcome, SubjectLine};
use crate::domain::command::About;
use crate::domain::{Command, Extent, RecordKey, Timestamp};

/// Why something waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Why {
    /// Somebody asked for it.
    #[n(0)]
    Asked,
    /// Its secret was made, perhaps, and never shown to anybody.
    #[n(1)]
    NeverShown,
}

/// One denial.
#[derive(Clone, Debug, Encode, Decode)]
pub struct Note {
    /// Who asked.
    #[n(0)]
    pub session: Session,
    /// For what.
    #[n(1)]
    pub command: Command,
    /// When.
    #[n(2)]
    pub at: Timestamp,
    /// Why it waits.
    #[n(3)]
    pub why: Why,
    /// The newest audit entry at that time: its own comes later. Notes of before have none.
    #[n(4)]
    pub after: Option<u64>,
}

impl Note {
    /// Whether `entry` is the one this denial was written with.
    pub fn is_told_by(&self, entry: &Entry) -> bool {
        // As it stands in the trail: all but that of a key begin with what they are of.
        let of = |id: String| entry.subjects.iter().any(|subject| subject.id == id);
        self.after.is_none_or(|after| entry.seq > after)
            && entry.outcome == Outcome::Done
            && entry.at == self.at.0
            && self.command.comes_with(&entry.event)
            && self.session.is(&entry.actor.session)
            && match self.command.about() {
                About::Nothing | About::Policy => true,
                About::Operator(id) => of(id.to_string()),
                About::Location(id) => of(id.to_string()),
                About::Key(id) => of(id.to_string()),
                // Each part has an entry of its own, and no key is in two of them.
                About::Keys => self.command.keys().any(|id| of(id.to_string())),
                About::App(id) | About::Token(id) => of(id.to_string()),
                About::Extent(extent) => of(extent.id().unwrap_or_else(|| SubjectLine::AGENCY.to_owned())),
            }
    }

    /// The records it is about.
    pub fn records(&self) -> Vec<RecordKey> {
        match self.command.about() {
            About::Nothing => Vec::new(),
            About::Policy => vec![RecordKey::Policy],
            About::Operator(id) => vec![RecordKey::Operator(id)],
            About::Location(id) => vec![RecordKey::Location(id)],
            About::Key(id) => vec![RecordKey::Key(id)],
            About::Keys => self.command.keys().map(RecordKey::Key).collect(),
            About::App(id) => vec![RecordKey::App(id)],
            About::Token(id) => vec![RecordKey::Revoked(id)],
            About::Extent(extent) => vec![match extent {
                Extent::Agency => RecordKey::Agency,
                Extent::Owner(id) => RecordKey::Operator(id),
                Extent::Location(id) => RecordKey::Location(id),
                Extent::App(id) => RecordKey::App(id),
            }],
        }
    }

    /// Whether `entry` changed one of them after this was asked for.
    pub fn is_outdated_by(&self, entry: &Entry) -> bool {
        let later = self.after.map_or(entry.at > self.at.0, |after| entry.seq > after);
        let written = |record: RecordKey| {
            entry.records.iter().any(|line| line.wrote.is_none() && line.key == record.to_string())
        };
        later && self.records().into_iter().any(written)
    }
}
