//! The program as people and scripts meet it on the command line, alone and attached to the one that has the store.

mod commands;
mod control;
mod day_script;
mod packaging;
mod review;
#[path = "../support/mod.rs"]
mod support;
mod uses;
