//! The store on its own: what every kind of store does, and what one on disk lives through.

mod conformance;
mod damage;
mod faults;
mod large;
#[path = "../support/mod.rs"]
mod support;
