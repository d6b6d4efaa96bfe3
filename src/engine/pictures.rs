//! How keys and apps were used, for whoever asks: one of them, those of a page, many together.

use super::error::EngineError;
use super::local::LocalEngine;
use super::scribe::{Rows, rows_of};
use super::session::Session;
use crate::domain::authorize::acting;
use crate::domain::blast::many::Busy;
use crate::domain::history::Picture;
use crate::domain::history::spark::{MOST, Spark};
use crate::domain::{Bearer, KeyId, Refusal, Timestamp, View, report_only};

/// Where the use of one is noted, without that of an app's keys.
fn rows(view: View<'_>, what: Bearer, now: Timestamp) -> Result<Rows, Refusal> {
    match what {
        Bearer::Key(id) => view.key(id).map(|key| rows_of(view, key, now)).ok_or(Refusal::NoSuchKey),
        Bearer::App(id) => {
            view.app(id).map(|app| (vec![*id.public()], app.created_at)).ok_or(Refusal::NoSuchApp)
        }
    }
}

impl LocalEngine {
    /// What may be seen of the use of a key or an app: of an app, that of its keys as well.
    pub(super) fn picture(&self, session: &Session, about: Bearer) -> Result<Picture, EngineError> {
        let now = self.now().time;
        let (ids, made, traces, tried) = {
            let state = self.state();
            acting(&state, &session.actor())?;
            let view = View::new(&state, session.actor());
            let (mut ids, made) = rows(view, about, now)?;
            let tried = match about {
                Bearer::Key(id) => view.key(id).and_then(|key| report_only::lineage(&state, key)),
                Bearer::App(app) => {
                    ids.extend(view.keys_of_app(app).map(|key| *key.id.public()));
                    None
                }
            };
            let traces: Vec<_> = ids.iter().filter_map(|id| state.trace_of(*id).cloned()).collect();
            (ids, made, traces, tried)
        };
        let mut picture = self.register.picture(&ids, made, &traces)?;
        if let Some((ids, begun)) = tried {
            picture.lacked = Some(Box::new(self.register.lacked(&ids, begun)?));
        }
        Ok(picture)
    }

    /// How keys were used in the last days: those that are in view.
    pub(super) fn sparks(&self, session: &Session, keys: &[KeyId]) -> Result<Vec<Spark>, EngineError> {
        let mut sparks = Vec::with_capacity(keys.len().min(MOST));
        for key in keys.iter().take(MOST) {
            match self.picture(session, Bearer::Key(*key)) {
                Ok(picture) => sparks.push(Spark::of(*key, &picture)),
                Err(EngineError::Refused(Refusal::NoSuchKey)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(sparks)
    }

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
            let seen = |what: &Bearer| Some((*what, rows(view, *what, now).ok()?));
            about.iter().take(Busy::MOST).filter_map(seen).collect()
        };
        let mut busy = Busy::unknown(about.len().saturating_sub(asked.len()));
        self.register.days(&asked, &mut busy)?;
        Ok(busy)
    }
}
