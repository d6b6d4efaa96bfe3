//! Of which time every use is known: what was not written down is told as not known, never as none.

use minicbor::{Decode, Encode};

use crate::domain::Timestamp;

/// From then, until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
struct Span {
    #[n(0)]
    from: Timestamp,
    #[n(1)]
    to: Timestamp,
}

/// Spans of time of which no use was lost, in order, as one process that writes knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Coverage(#[n(0)] Vec<Span>);

impl Coverage {
    /// Spans that are remembered; of one more the oldest is forgotten.
    const MAX: usize = 32;

    /// From here on all is known; of what was since the last span nobody can tell.
    pub fn begin(&mut self, at: Timestamp) {
        // Said by a clock that was ahead, a span must not reach into what comes.
        self.0.iter_mut().for_each(|span| span.to = span.to.min(at));
        self.0.retain(|span| span.from < span.to);
        self.0.push(Span { from: at, to: at });
        let old = self.0.len().saturating_sub(Self::MAX);
        self.0.drain(..old);
    }

    /// All has been known until here. Never goes back.
    pub fn extend(&mut self, to: Timestamp) {
        match self.0.last_mut() {
            Some(span) => span.to = span.to.max(to),
            None => self.begin(to),
        }
    }

    /// Whether no use between the two was lost.
    pub fn covers(&self, from: Timestamp, to: Timestamp) -> bool {
        from >= to || self.0.iter().any(|span| span.from <= from && to <= span.to)
    }
}
