//! What screens and overlays both need to look at keys, apps and entries, below the two: neither is known here.
//!
//! - [`filter`]: what a filter line means, whatever the list.

pub mod filter;
