//! What delivery asks of an engine: what sweeps did since an entry of the trail, and to remember what was sent. How it is
//! sent is decided above.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::audit_log::Trail;
use super::rows::open_row;
use super::session::Session;
use super::{EngineError, LocalEngine};
use crate::crypto::random::{self, OsEntropy};
use crate::domain::audit::Entry;
use crate::domain::delivery::{Alarm, Channel, ChannelName, Tiding};
use crate::domain::{Command, Grounds};

/// What sweeps did, from the trail.
#[derive(Debug, Default)]
pub struct Tidings {
    /// What is told of, with the number of the entry that says so, the oldest first.
    pub all: Vec<(u64, Tiding)>,
    /// Number of the newest entry that was looked at.
    pub head: u64,
}

/// What is known of deliveries beside the store.
#[derive(Default)]
pub(super) struct Posting {
    /// This opening of the store: nobody else has it open meanwhile, so who sends under another name has ended.
    life: OnceLock<String>,
    /// The channels of the configuration.
    channels: Mutex<Option<Vec<ChannelName>>>,
    /// What is wrong and was told, where the store did not take that.
    alarms: Mutex<BTreeMap<ChannelName, Vec<Alarm>>>,
}

impl Posting {
    pub(super) fn channels(&self) -> Option<Vec<ChannelName>> {
        held(&self.channels).clone()
    }
}

fn held<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

impl LocalEngine {
    /// Says which channels the configuration has, so that what waits for another is known to wait for nobody.
    pub fn deliver_through(&self, channels: impl IntoIterator<Item = ChannelName>) {
        *held(&self.posting.channels) = Some(channels.into_iter().collect());
    }

    /// What is wrong and was told through a channel, where the store did not take that.
    pub fn alarms(&self, channel: ChannelName) -> Option<Vec<Alarm>> {
        held(&self.posting.alarms).get(&channel).cloned()
    }

    /// Remembers that as long as this process lives; nothing when the store has it.
    pub fn keep_alarms(&self, channel: ChannelName, alarms: Option<Vec<Alarm>>) {
        let mut kept = held(&self.posting.alarms);
        match alarms {
            Some(alarms) => drop(kept.insert(channel, alarms)),
            None => drop(kept.remove(&channel)),
        }
    }

    /// Number of the newest entry of the trail.
    pub fn trail_head(&self) -> u64 {
        self.ledger().head().seq
    }

    /// A number that the trail has as it is, and no other.
    pub fn trail_mark(&self) -> u64 {
        self.ledger().head().hash.first_chunk().map_or(0, |hash| u64::from_be_bytes(*hash))
    }

    /// The hash of an entry, hex.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn entry_mark(&self, entry: u64) -> Result<String, EngineError> {
        Trail { store: &*self.store, keyring: &self.keyring }.hash(entry).map(Option::unwrap_or_default)
    }

    /// What sweeps did after an entry.
    ///
    /// # Errors
    /// When the trail cannot be read.
    pub fn tidings(&self, after: u64) -> Result<Tidings, EngineError> {
        let last = self.ledger().head();
        let (sealer, chain) = (self.keyring.sealer(), self.keyring.audit_chain());
        let mut tidings = Tidings { all: Vec::new(), head: last.seq };
        let trail = Trail { store: &*self.store, keyring: &self.keyring };
        let mut read = Ok(());
        trail.walk(after, last, &mut |seq, row| match open_row(&sealer, &chain, seq, row) {
            Ok(row) => {
                let entry = serde_json::from_str::<Entry>(&row.body);
                let all = entry.map(|entry| Tiding::of(&entry)).unwrap_or_default();
                tidings.all.extend(all.into_iter().map(|tiding| (seq, tiding)));
                ControlFlow::Continue(())
            }
            Err(error) => {
                read = Err(error.into());
                ControlFlow::Break(())
            }
        })?;
        read.map(|()| tidings)
    }

    /// Remembers what was delivered through a channel. Refused as no change when somebody else did meanwhile.
    ///
    /// # Errors
    /// When it is refused or cannot be written.
    pub fn move_channel(&self, from: Option<Channel>, to: Channel) -> Result<(), EngineError> {
        let (to, from) = (Box::new(to), from.map(Box::new));
        self.run(&Session::service()?, &Command::MoveChannel { to, from }).map(drop)
    }

    /// What can be told of now; none while the clock or the uses leave nothing to judge by.
    pub fn telling(&self) -> Option<Grounds> {
        self.grounds().ok()
    }

    /// The store's own name, no other store's.
    pub fn store_name(&self) -> String {
        self.keyring.store().to_string()
    }

    /// A name for one delivery, which no other has.
    ///
    /// # Errors
    /// When the system's generator fails.
    pub fn delivery_name(&self) -> Result<String, EngineError> {
        let life = match self.posting.life.get() {
            Some(life) => life.clone(),
            None => {
                let life = some_name()?;
                self.posting.life.get_or_init(|| life).clone()
            }
        };
        Ok(format!("{life}.{}", some_name()?))
    }

    /// Whether a delivery of that name is of this opening of the store, and may be under way.
    pub fn is_ours(&self, delivery: &str) -> bool {
        let life = delivery.split_once('.').map(|(life, _)| life);
        life.is_some() && life == self.posting.life.get().map(String::as_str)
    }
}

fn some_name() -> Result<String, EngineError> {
    let mut name = [0; 12];
    random::base58(&mut OsEntropy, &mut name)?;
    Ok(String::from_utf8_lossy(&name).into_owned())
}
