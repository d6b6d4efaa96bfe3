//! The secrets of an app: the present one, and the one before while its grace runs. An app keeps its id, so both are in its
//! record; which of them is good, and which access tokens with it, is said here and nowhere else.

use minicbor::{Decode, Encode};

use super::App;
use crate::domain::handover::Handed;
use crate::domain::key::{Audience, Verifier};
use crate::domain::trace::Sighting;
use crate::domain::{Expiry, Grace, Name, PublicId, State, Timestamp, Usage, View};

/// How the present secret of an app took the place of another.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(context_bound = "Audience")]
pub struct Replaced {
    /// When.
    #[n(0)]
    pub since: Timestamp,
    /// What whoever asked called the last rotation that had a name.
    #[n(1)]
    pub rotation: Option<Name>,
    /// The one before, until it has ended.
    #[n(2)]
    pub previous: Option<Previous>,
    /// Under what the use of the present one is noted since then.
    #[n(3)]
    pub uses: PublicId,
}

/// The secret an app had before.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(context_bound = "Audience")]
pub struct Previous {
    /// Recognises it.
    #[n(0)]
    pub secret: Verifier,
    /// The `not_before` of its access tokens.
    #[n(1)]
    pub epoch: Timestamp,
    /// When it ends. It has no end of its own, so while that waits for the first use of the present one it is `Never`.
    #[n(2)]
    pub until: Expiry,
    /// The grace that begins with that first use, while it is not known; `None` once the end is fixed.
    #[n(3)]
    pub waits: Option<Grace>,
    /// Under what its use is noted since another took its place.
    #[n(4)]
    pub uses: PublicId,
    /// When that first use was, once the end is fixed by it.
    #[n(5)]
    pub begun: Option<Timestamp>,
    /// The end of which it was told that it is near, and the secret still used.
    #[n(6)]
    pub missed: Option<Timestamp>,
    /// How it was handed over, where that was not by being shown.
    #[n(7)]
    pub handed: Option<Box<Handed>>,
}

/// A secret of an app that is good.
#[derive(Clone, Copy, Debug)]
pub struct Secret<'a> {
    /// Recognises it.
    pub verifier: &'a Verifier,
    /// What the access tokens say that are fetched with it.
    pub epoch: Timestamp,
    /// When it ends, and they with it.
    pub until: Expiry,
    /// Under what its use is noted, besides that of the app.
    pub uses: Option<PublicId>,
}

impl Previous {
    /// When it ends, in words for the trail.
    pub fn end(&self) -> String {
        match self.waits {
            Some(grace) => format!("{grace} after the first use of the new one"),
            None => self.until.to_string(),
        }
    }
}

impl App {
    /// The secret it had before, until that has been written down as ended.
    pub fn previous(&self) -> Option<&Previous> {
        self.replaced.as_ref()?.previous.as_ref()
    }

    /// The secret it had before, while it works.
    pub fn old_secret(&self, now: Timestamp) -> Option<&Previous> {
        self.previous().filter(|old| !old.until.is_over(now))
    }

    /// The secrets that are good: the present one, and the one before. Always two places, so that whoever compares does
    /// the same work with one and with two.
    pub fn secrets(&self, now: Timestamp) -> [Option<Secret<'_>>; 2] {
        let uses = self.replaced.as_ref().map(|replaced| replaced.uses);
        let present = Secret { verifier: &self.secret, epoch: self.not_before, until: Expiry::Never, uses };
        let old = self.old_secret(now).map(|old| Secret {
            verifier: &old.secret,
            epoch: old.epoch,
            until: old.until,
            uses: Some(old.uses),
        });
        [Some(present), old]
    }

    /// The good secret that an access token was fetched with; `None` where that has ended.
    pub fn secret_of(&self, epoch: Timestamp, now: Timestamp) -> Option<Secret<'_>> {
        self.secrets(now).into_iter().flatten().find(|secret| secret.epoch == epoch)
    }

    /// What the access tokens of its next secret say. Later than any before even within one millisecond: each token
    /// carries that of its secret, and no two secrets may share it.
    pub fn next_epoch(&self, now: Timestamp) -> Timestamp {
        let last = self.spent.max(Some(self.not_before)).unwrap_or(self.not_before);
        now.max(Timestamp(last.0.saturating_add(1)))
    }

    /// The same app, of whose access tokens none is good any more. Its secrets stay.
    #[must_use]
    pub fn without_tokens(&self, now: Timestamp) -> Self {
        let mut after = self.clone();
        if let Some(old) = after.replaced.as_mut().and_then(|replaced| replaced.previous.as_mut()) {
            old.epoch = self.next_epoch(now);
            after.not_before = old.epoch;
        }
        Self { not_before: after.next_epoch(now), ..after }
    }

    /// The same app with its old secret as given.
    #[must_use]
    pub fn with_old_secret(&self, old: Previous) -> Self {
        self.replacing(Some(old))
    }

    /// The same app without its old secret.
    #[must_use]
    pub fn without_old_secret(&self) -> Self {
        self.replacing(None)
    }

    fn replacing(&self, previous: Option<Previous>) -> Self {
        let replaced = self.replaced.clone().map(|replaced| Box::new(Replaced { previous, ..*replaced }));
        Self { replaced, ..self.clone() }
    }

    /// Under what the use of its secrets is noted, besides its own: of the present one, and of the one before.
    pub fn notes_uses(&self) -> impl Iterator<Item = PublicId> + use<> {
        let present = self.replaced.as_ref().map(|replaced| replaced.uses);
        present.into_iter().chain(self.previous().map(|old| old.uses))
    }
}

impl<'a> View<'a> {
    /// What is known of the use of one secret of an app, noted under this, and where it came from last.
    pub fn noted(&self, uses: PublicId) -> (Usage, Option<&'a Sighting>) {
        let usage = self.state().usage_of(uses);
        let trace = self.state().trace_of(uses);
        // Of the last use itself: an older request's address would be a wrong answer.
        (usage, trace.and_then(|trace| trace.of_last_use(usage)))
    }
}

impl State {
    /// What is known of the use of an app's present secret since it took the place of another.
    pub fn secret_usage(&self, app: &App) -> Usage {
        app.replaced.as_ref().map_or_else(Usage::default, |replaced| self.usage_of(replaced.uses))
    }

    /// When the present secret was used for the first time, of a grace that waits for that, and when the grace ends.
    pub(in crate::domain) fn secret_grace_end(
        &self,
        app: &App,
        now: Timestamp,
    ) -> Option<(Timestamp, Timestamp)> {
        let grace = app.old_secret(now)?.waits?;
        let used = self.secret_usage(app);
        // As of a key: a clock that was ahead may have been believed when the use was noted.
        let first = used.first_used_at.or(used.last_used_at)?.min(now);
        Some((first, grace.after(first)))
    }
}
