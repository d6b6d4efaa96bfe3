//! `--if-rev`: what an edit is based on, for whoever looked before and does not want to undo unseen what was done since.

use std::str::FromStr as _;

use clap::Args;

use super::fault::Fault;
use crate::domain::basis::Basis;

/// What the caller saw.
#[derive(Clone, Copy, Debug, Args)]
pub struct Base {
    /// Only if it is still as it was: the `rev` that --json told
    #[arg(long, value_name = "REV", value_parser = Basis::from_str)]
    pub if_rev: Option<Basis>,
}

impl Base {
    /// Refuses where many are meant, of which each has a revision of its own.
    pub fn alone(&self) -> Result<(), Fault> {
        match self.if_rev {
            None => Ok(()),
            Some(_) => Err(Fault::usage(
                "--if-rev is of one key. Of many, each is changed only if it is as it was found.",
            )),
        }
    }
}
