//! What an attached process holds of the state: what the owner sends, kept up to date by what the owner sends next.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio::sync::broadcast;

use super::lines::HealthLine;
use super::wire::{Row, Rows, Said};
use crate::domain::{Event, Record, RecordKey, State};
use crate::engine::clock::Clock;
use crate::engine::{Condition, News, Sweeps, Timekeeper, Unwritten, Writing};
use crate::store::{Health, Rev, Standing};

/// Events a slow listener may fall behind.
const FEED: usize = 256;

/// The state as far as it may be seen.
pub struct Replica {
    state: RwLock<State>,
    /// A whole state that is still coming.
    coming: Mutex<State>,
    condition: Mutex<Condition>,
    pub time: Timekeeper,
    feed: broadcast::Sender<News>,
}

/// The owner sent what makes no sense.
#[derive(Debug)]
pub struct Garbled;

impl Replica {
    /// Nothing yet, and the time by this machine's clocks.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let health = Health {
            backend: "another process",
            rev: Rev(0),
            standing: Standing::Writable,
            disk_bytes: None,
            free_bytes: None,
            last_sync: None,
            seal_behind: None,
        };
        Self {
            state: RwLock::default(),
            coming: Mutex::default(),
            condition: Mutex::new(Condition {
                health,
                writing: Writing::Ok,
                complete_since: None,
                unwritten: Unwritten::default(),
                sweeps: Sweeps::default(),
                channels: None,
            }),
            time: Timekeeper::new(clock, None),
            feed: broadcast::channel(FEED).0,
        }
    }

    /// Where the state is held.
    pub const fn state(&self) -> &RwLock<State> {
        &self.state
    }

    /// How the store was doing when something happened last.
    pub fn condition(&self) -> Condition {
        self.condition.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Hears how the store is doing, and what time its owner believes in.
    pub fn set_health(&self, line: HealthLine) {
        self.time.follow(line.mark.clone());
        let condition = Condition::from(line);
        // What is used while the owner cannot write is known to it all the same.
        if condition.complete_since.is_some() {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            state.know_uses_since(condition.complete_since);
        }
        *self.condition.lock().unwrap_or_else(PoisonError::into_inner) = condition;
    }

    /// Everything that happens from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<News> {
        self.feed.subscribe()
    }

    /// Tells listeners.
    pub fn tell(&self, news: News) {
        // Nobody may be listening.
        let _ = self.feed.send(news);
    }

    /// Takes in what the owner sent; answers are not for here.
    pub fn hear(&self, said: Said<'_>) -> Result<(), Garbled> {
        match said {
            Said::Whole { more, rows } => {
                let mut coming = self.coming.lock().unwrap_or_else(PoisonError::into_inner);
                put(&mut coming, rows)?;
                if !more {
                    let mut whole = std::mem::take(&mut *coming);
                    drop(coming);
                    let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
                    whole.know_uses_since(state.uses_since());
                    *state = whole;
                    drop(state);
                    self.tell(News::Happened(Arc::new(Vec::new())));
                }
            }
            Said::Changed { rows, events, health } => {
                let used: Arc<[_]> = rows.uses.iter().map(|(id, ..)| *id).collect();
                let only_used =
                    events.is_empty() && rows.records.is_empty() && rows.census.is_none() && !used.is_empty();
                put(&mut self.state.write().unwrap_or_else(PoisonError::into_inner), rows)?;
                self.set_health(*health);
                self.tell(if only_used { News::Used(used) } else { happened(events) });
            }
            Said::Answer { .. } | Said::Refused { .. } | Said::Bye { .. } => {}
        }
        Ok(())
    }

    /// Takes in one record that came with an answer, unless it is known.
    pub fn learn(&self, row: &Row) -> Result<(), Garbled> {
        let record = read(row)?;
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        match &record {
            Record::Key(key) if state.key(key.id).is_some() => {}
            _ => take(&mut state, row, record),
        }
        Ok(())
    }
}

fn happened(events: Vec<Event>) -> News {
    News::Happened(Arc::new(events))
}

fn put(state: &mut State, rows: Rows) -> Result<(), Garbled> {
    for row in &rows.records {
        take(state, row, read(row)?);
    }
    for (id, known, trace) in rows.uses {
        state.put_use(id, known, trace);
    }
    if let Some(census) = rows.census {
        let census: BTreeMap<_, _> =
            census.into_iter().map(|(owner, place, count)| ((owner, place), count)).collect();
        state.set_census(census);
    }
    Ok(())
}

fn take(state: &mut State, row: &Row, record: Record) {
    if row.unproven {
        state.doubt(record.key());
    }
    state.put(record);
}

fn read(row: &Row) -> Result<Record, Garbled> {
    let key = RecordKey::parse(row.key.as_bytes()).ok_or(Garbled)?;
    Record::decode(key, &row.value).map_err(|_| Garbled)
}
