//! Killed while it changes something: at any moment, and at every single step.

mod each;
mod issue;
mod rotate;
mod steps;
#[path = "../support/mod.rs"]
mod support;
mod trim;
mod victim;
