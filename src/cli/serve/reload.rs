//! What a running server takes from its configuration file anew when it is told to: how notices are delivered and where anchors
//! go. Which store it has, who opened it, its scopes and where it answers are as they were when it started. A file with a
//! mistake changes nothing.

use std::sync::Arc;

use sd_notify::NotifyState;

use super::supervisor::say;
use crate::cli::config::{self, Config};
use crate::cli::door::Deck;
use crate::cli::fault::Fault;
use crate::deliver::{Anchorage, Anchoring, Setup};
use crate::engine::LocalEngine;
use crate::serve::door::Hosting;

/// What a server does beside answering.
pub struct Household<'d> {
    deck: &'d Deck,
    engine: Arc<LocalEngine>,
    /// First, because anchors are kept as long as something can happen.
    anchorage: Option<Anchorage>,
    hosting: Hosting,
}

/// What is in force from now on.
struct Fresh {
    channels: Vec<Setup>,
    anchoring: Option<Anchoring>,
    /// What the file says otherwise than at the start, and this process cannot follow.
    late: Vec<&'static str>,
}

impl<'d> Household<'d> {
    /// As it was begun.
    pub fn new(
        deck: &'d Deck,
        engine: &Arc<LocalEngine>,
        hosting: Hosting,
        anchorage: Option<Anchorage>,
    ) -> Self {
        Self { deck, engine: Arc::clone(engine), anchorage, hosting }
    }

    /// Reads the file again, and goes by it from now on, if it is right.
    pub fn reload(&mut self) {
        match NotifyState::monotonic_usec_now() {
            Ok(since) => say(&[NotifyState::Reloading, since]),
            Err(_) => say(&[NotifyState::Reloading]),
        }
        let told = match self.fresh() {
            Ok(fresh) => self.follow(fresh),
            Err(fault) => {
                let told = format!("not reloaded, all stays as it was: {fault}");
                tracing::error!("{told}");
                told
            }
        };
        // A second line would be read as another message.
        say(&[NotifyState::Ready, NotifyState::Status(&told.replace('\n', " "))]);
    }

    fn fresh(&self) -> Result<Fresh, Fault> {
        let Deck { globals, places, config: before, .. } = self.deck;
        let now = config::read(globals.config.as_deref(), places)?;
        now.strictly()?;
        let late = late(before, &now);
        let channels = now.channels.map_err(Fault::usage)?;
        let anchoring = now.anchoring.map_err(Fault::usage)?;
        Ok(Fresh { channels, anchoring, late })
    }

    fn follow(&mut self, fresh: Fresh) -> String {
        let Fresh { channels, anchoring, late } = fresh;
        let anchored = if anchoring.is_some() { "anchors kept" } else { "no anchors kept" };
        let told = format!("reloaded: {} channels, {anchored}", channels.len());
        self.hosting.deliver_through(&self.engine, &channels);
        // The one of before ends first: two would write the same line twice.
        drop(self.anchorage.take());
        self.anchorage = anchoring.map(|setup| Anchorage::start(&self.engine, setup));
        if late.is_empty() {
            tracing::info!("{told}");
            return told;
        }
        let told = format!("{told}; a restart is needed for {}", late.join(", "));
        tracing::warn!("{told}");
        told
    }
}

/// The fields that were changed and count only at the start.
fn late(before: &Config, now: &Config) -> Vec<&'static str> {
    let changed = [
        ("data", before.data != now.data),
        ("operator", before.operator != now.operator),
        ("catalog", before.catalog != now.catalog),
        ("listen", before.listen != now.listen),
    ];
    changed.into_iter().filter_map(|(name, changed)| changed.then_some(name)).collect()
}
