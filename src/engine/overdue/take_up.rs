//! What the process before left in the journal. A denial is crossed out when the trail tells of it, and of nothing less;
//! it is carried out when the trail does not, unless its record was changed since: somebody gave back what it took.

use std::sync::{Arc, PoisonError};

use super::Overdue;
use crate::domain::Event;
use crate::domain::name::first_few;
use crate::domain::proof::Against;
use crate::engine::audit_log::Doubt;
use crate::engine::load::Loaded;
use crate::engine::owed::{Note, Why};
use crate::engine::proof::Trail;
use crate::store::StoreError;

const UNSHOWN: &str = "the newest secret was made by a change that the seal does not know of, so nothing says that somebody \
                       was shown it: it is taken back";

/// What was left, held against the trail.
#[derive(Default)]
pub struct Left {
    /// What the trail does not tell of.
    pub open: Vec<Note>,
    /// What is not carried out, and not crossed out either.
    pub held: Vec<Note>,
    /// How many the trail tells of.
    pub told: usize,
    /// What takes back the newest secret, which nobody was shown. It is not in the journal.
    pub unshown: Option<Note>,
}

/// Holds what was left against the trail. In doubt nothing is crossed out: the trail may be another one tomorrow.
pub fn sort_out(trail: &Trail<'_>, notes: Vec<Note>, loaded: &mut Loaded) -> Result<Left, StoreError> {
    let mut left = Left::default();
    let Some(after) = notes.iter().map(|note| note.after.unwrap_or(0)).min() else { return Ok(left) };
    let in_doubt = !loaded.doubts.is_empty();
    let (mut entries, gap) = trail.since(loaded.head, after)?;
    if let Some(seq) = gap.filter(|_| !in_doubt) {
        loaded.doubts.push(Doubt::short(format!(
            "audit entry {seq} is missing or was changed: whether it wrote what the file denials keeps cannot be told"
        )));
    }
    let mut rest = Vec::new();
    for note in notes {
        // Each has an entry of its own, in their order: of two that look the same, one entry is one of them.
        match entries.iter().position(|entry| note.is_told_by(entry)) {
            Some(at) => {
                entries.remove(at);
                left.told += 1;
                if in_doubt {
                    left.held.push(note);
                }
            }
            None => rest.push(note),
        }
    }
    for note in rest {
        let Some(later) = entries.iter().find(|entry| note.is_outdated_by(entry)) else {
            left.open.push(note);
            continue;
        };
        // What waits is written before anything else, so the entry that should have told of it was lost.
        let records = note.records();
        loaded.proof.doubt(records.iter().copied(), Against::Word);
        loaded.doubts.push(Doubt::altered(format!(
            "the file denials keeps {} of {}, no audit entry tells of it, and entry {} changed that record since",
            note.command.name(),
            first_few(records.iter().map(ToString::to_string).collect::<Vec<_>>().iter().map(String::as_str)),
            later.seq
        )));
        left.held.push(note);
    }
    Ok(left)
}

impl Overdue {
    /// Takes up what was left: in force before anybody is answered, and written now if the disk allows. How many there
    /// were, and what is to be said of a secret that is taken back and of what cannot be carried out.
    pub fn take_up(self: &Arc<Self>, left: Left) -> (usize, Vec<String>) {
        let (mut taken, mut said, mut stale) = (0, Vec::new(), self.frozen.is_none() && left.told > 0);
        self.waiting().held = left.held;
        let open = left.open.into_iter().map(|note| (note, true));
        for (note, kept) in open.chain(left.unshown.map(|note| (note, false))) {
            match self.judge(&note) {
                // What takes back a rotation that nobody saw gives the old half its own end back.
                Ok(events) if note.why == Why::NeverShown || events.iter().all(Event::only_takes_away) => {
                    let events = self.put_in_force(events);
                    let mut denial = self.denial(note, Some(events));
                    denial.kept = kept;
                    self.waiting().denials.push(denial);
                    if kept {
                        taken += 1;
                    } else {
                        stale = true;
                        said.push(UNSHOWN.to_owned());
                    }
                }
                // What may have been made was not: there is nothing to take back.
                Err(refusal) if note.why == Why::NeverShown && self.frozen.is_none() => {
                    tracing::info!(%refusal, command = note.command.name(), "nothing to take back");
                    stale = true;
                }
                // The state may be an old one, which does not know the key yet, or the scopes are others by now.
                other => {
                    let why = other.err().map_or_else(
                        || "it would give access by now.".to_owned(),
                        |refusal| refusal.to_string(),
                    );
                    let what = note.command.name();
                    said.push(format!("{what}, kept on a failing disk, cannot be carried out: {why}"));
                    self.waiting().held.push(note);
                }
            }
        }
        self.waiting().current = !stale;
        if self.frozen.is_none() {
            let mut ledger = self.parts.ledger.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = self.clear_the_way(&mut ledger) {
                tracing::warn!(%error, "what was denied before is in force and still not written");
            }
        }
        (taken, said)
    }
}
