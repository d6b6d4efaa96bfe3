//! The one call into the engine.

use super::Front;
use crate::domain::{Decision, ScopeId};
use crate::engine::Engine as _;

/// Decides about a presented text for a request that needs all of `wanted`.
pub fn decide(front: &Front, presented: &[u8], wanted: &[ScopeId]) -> Decision {
    front.engine.verify(presented, wanted)
}
