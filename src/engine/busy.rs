//! What the histories say of many keys and apps together, for whoever is about to do something to all of them.

use super::error::EngineError;
use super::local::LocalEngine;
use super::session::Session;
use crate::domain::authorize::acting;
use crate::domain::blast::many::Busy;
use crate::domain::{Bearer, Key, PublicId, Timestamp, View};

/// Whose histories are one: the rows, and since when there is what they tell of.
pub(super) type Rows = (Vec<PublicId>, Timestamp);

/// To people both halves of a rotation are one key, as long as both work.
pub(super) fn rows_of(view: View<'_>, key: &Key, now: Timestamp) -> Rows {
    let old = view.old_half(key, now);
    let ids = old.into_iter().chain([key]).map(|half| *half.id.public());
    (ids.collect(), old.map_or(key.created_at, |old| old.created_at))
}

impl LocalEngine {
    /// Requests of the last 24 hours of each of these, of an app those with its access tokens. Of what is not seen, and of
    /// what is too much, nothing is known.
    pub(super) fn busy(&self, session: &Session, about: &[Bearer]) -> Result<Busy, EngineError> {
        // Whoever asks wants to know who uses them now.
        self.register.catch_up();
        let now = self.now().time;
        let asked: Vec<(Bearer, Rows)> = {
            let state = self.state();
            acting(&state, &session.actor())?;
            let view = View::new(&state, session.actor());
            let rows = |what: &Bearer| {
                let rows = match what {
                    Bearer::Key(id) => rows_of(view, view.key(*id)?, now),
                    Bearer::App(id) => view.app(*id).map(|app| (vec![*id.public()], app.created_at))?,
                };
                Some((*what, rows))
            };
            about.iter().take(Busy::MOST).filter_map(rows).collect()
        };
        let mut busy = Busy::unknown(about.len().saturating_sub(asked.len()));
        self.register.days(&asked, &mut busy)?;
        Ok(busy)
    }
}
