//! Many at once. Each is judged by itself; those that may be done are written part by part, each part in one commit with one
//! entry of the trail that names them all. What takes access away is in force even when the disk fails, as it is of one key.

use std::sync::Arc;

use super::LocalEngine;
use crate::domain::audit::Entry;
use crate::domain::command::Together;
use crate::domain::{Command, Event, Key, OperatorId, decide_each};
use crate::engine::ledger::Ledger;
use crate::engine::overdue::entry_of;
use crate::engine::{Done, Left, Session};

/// Records of one part at most: the store takes a hundred rows, and some are of other things.
const RECORDS: usize = 90;
/// Their bytes, before they are sealed.
const RECORD_BYTES: usize = 140 * 1024;
/// The bytes of its entry, which is one value: the store takes 16 KiB with what is sealed around it.
const ENTRY_BYTES: usize = 15 * 1024;
/// Bytes an entry takes for each record it wrote, and for what is filled in when it is chained.
const RECORD_LINE: usize = 84;
const CHAINED: usize = 320;

/// One that may be done, and what happens then.
struct Sound {
    command: Command,
    events: Vec<Event>,
}

impl LocalEngine {
    /// Does what may be done of many, and says of the others why not.
    pub(super) fn run_each(&self, session: &Session, together: &Together) -> Done {
        self.tell_of_starts();
        let (mut ledger, mut done) = (self.ledger(), Done::default());
        // What waits is written first: what it says holds either way.
        let way = self.overdue.clear_the_way(&mut ledger);
        let context = self.context(session, &[], None);
        let judged = decide_each(&self.state(), together, &context);
        let mut sound = Vec::new();
        for (command, judged) in together.commands().iter().zip(judged) {
            match judged {
                Ok(events) => sound.push(Sound { command: command.clone(), events }),
                Err(refusal) => {
                    if way.is_ok() {
                        // What cannot be told now is told with those that follow.
                        let _told_later = self.note_refusal(&mut ledger, session, command, &refusal);
                    }
                    done.left.extend(Left::of(command, &refusal.into()));
                }
            }
        }
        for part in parts(sound) {
            self.write_part(&mut ledger, session, part, &mut done);
        }
        done
    }

    /// Writes a part, or, where it does not fit one commit, its halves.
    fn write_part(&self, ledger: &mut Ledger, session: &Session, mut part: Vec<Sound>, done: &mut Done) {
        let Some(command) = one_command(&part) else { return };
        let events: Arc<Vec<Event>> =
            Arc::new(part.iter().flat_map(|one| one.events.iter().cloned()).collect());
        let at = self.now().time;
        if part.len() > 1 && !fits(&entry_of(&self.state(), session, &command, &events, at), &events) {
            let rest = part.split_off(part.len() / 2);
            self.write_part(ledger, session, part, done);
            return self.write_part(ledger, session, rest, done);
        }
        let written = match self.overdue.clear_the_way(ledger) {
            Ok(()) => self.carry(ledger, session, &command, &events, None),
            Err(error) => Err(self.overdue.deny(session, &command, &events, (at, ledger.head()), error)),
        };
        match written.and_then(|unshown| self.seal_now_or_soon(ledger, &command, unshown)) {
            Ok(()) => {
                self.tell(&events);
                done.events.extend(events.iter().cloned());
            }
            Err(error) => done.left.extend(part.iter().filter_map(|one| Left::of(&one.command, &error))),
        }
    }
}

/// What may stand in one commit. Its entry is read by the owner of each key it names, so it names those of one owner only;
/// and what only takes away is apart from what gives, since it is in force even when it cannot be written.
fn parts(sound: Vec<Sound>) -> Vec<Vec<Sound>> {
    /// Whose, and whether it only takes away.
    type Whose = (Option<OperatorId>, bool);
    let mut parts: Vec<(Whose, Vec<Sound>)> = Vec::new();
    for one in sound {
        let owner = one.events.iter().find_map(Event::key).map(|key: &Key| key.owner);
        let whose = (owner, one.events.iter().all(Event::only_takes_away));
        match parts.iter_mut().find(|(known, _)| *known == whose) {
            Some((_, part)) => part.push(one),
            None => parts.push((whose, vec![one])),
        }
    }
    parts.into_iter().map(|(_, part)| part).collect()
}

/// A part as one command; `None` of an empty one.
fn one_command(part: &[Sound]) -> Option<Command> {
    match part {
        [one] => Some(one.command.clone()),
        many => Together::of(many.iter().map(|one| one.command.clone()).collect()).map(Command::Each),
    }
}

/// Whether a part fits one commit; one of which that cannot be said is tried.
fn fits(entry: &Entry, events: &[Event]) -> bool {
    let records: Vec<_> = events.iter().flat_map(Event::records).collect();
    let bytes: usize =
        records.iter().filter_map(|record| record.encode().ok()).map(|bytes| bytes.len()).sum();
    let entry = serde_json::to_string(entry).map_or(0, |body| body.len());
    records.len() <= RECORDS
        && bytes <= RECORD_BYTES
        && entry + records.len() * RECORD_LINE + CHAINED <= ENTRY_BYTES
}
