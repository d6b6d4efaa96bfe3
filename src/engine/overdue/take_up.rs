//! What the process before left in the journal, taken up by this one.

use std::sync::{Arc, PoisonError};

use super::{Note, Overdue};
use crate::domain::Event;

impl Overdue {
    /// Takes up what the process before left in the journal: in force before anybody is answered, and written now if
    /// the disk allows. How many there were.
    pub fn take_up(self: &Arc<Self>, notes: Vec<Note>) -> usize {
        let mut taken = 0;
        for note in notes {
            match self.judge(&note) {
                // It was written and only not crossed out, and the record has been changed since: what it would give back
                // by now, nobody asked for.
                Ok(events) if !events.iter().all(Event::only_takes_away) => {
                    tracing::warn!(
                        command = note.command.name(),
                        "a denial of before gives by now, and is dropped"
                    );
                }
                Ok(events) => {
                    let events = self.put_in_force(events);
                    let denial = self.denial(note, Some(events));
                    self.waiting().denials.push(denial);
                    taken += 1;
                }
                // In doubt nothing is crossed out: the state may be an old one, which does not know the key yet.
                Err(_) if self.frozen.is_some() => {
                    let denial = self.denial(note, None);
                    self.waiting().denials.push(denial);
                }
                // It was written and only not crossed out, or somebody else ended it.
                Err(refusal) => tracing::info!(%refusal, command = note.command.name(), "written already"),
            }
            self.waiting().kept = self.frozen.is_some();
        }
        if self.waiting().kept {
            return taken;
        }
        let mut ledger = self.parts.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = self.clear_the_way(&mut ledger) {
            tracing::warn!(%error, "what was denied before is in force and still not written");
        }
        taken
    }
}
