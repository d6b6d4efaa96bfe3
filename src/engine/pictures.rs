//! What the histories say of many keys and apps together, for whoever is about to do something to all of them.

use super::error::EngineError;
use super::local::LocalEngine;
use super::scribe::{Rows, rows_of};
use super::session::Session;
use crate::domain::authorize::acting;
use crate::domain::blast::many::Busy;
use crate::domain::{Bearer, View};

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
