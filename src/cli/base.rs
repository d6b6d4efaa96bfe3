//! `--if-rev`: what an edit is based on, for whoever looked before and does not want to undo unseen what was done since.

use std::str::FromStr as _;

use clap::Args;

use crate::domain::basis::Basis;

/// What the caller saw.
#[derive(Clone, Copy, Debug, Args)]
pub struct Base {
    /// Only if it is still as it was: the `rev` that --json told
    #[arg(long, value_name = "REV", value_parser = Basis::from_str)]
    pub if_rev: Option<Basis>,
}
