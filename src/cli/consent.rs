//! Asking a person before what cannot be undone.

use std::io::{self, IsTerminal as _, Write as _};

use clap::Args;

use super::door::Signed;
use super::fault::Fault;
use super::output::shown;

/// The word that answers the question beforehand.
#[derive(Debug, Args)]
pub struct Consent {
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

impl Consent {
    /// Asks a person at the terminal to type a word; anybody else has to have said so before. For what stops much at once.
    pub fn ask_word(&self, signed: &Signed, question: &str, word: &str) -> Result<(), Fault> {
        if self.yes {
            return Ok(());
        }
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Err(Fault::usage(
                "Nobody sits here to be asked. Say --yes, or --dry-run to be told what it does.",
            ));
        }
        let _others = signed.waiting();
        let _ = write!(io::stderr(), "{} Type {} to confirm: ", shown(question), shown(word));
        let mut answer = String::new();
        let read = io::stdin().read_line(&mut answer);
        if read.is_ok() && answer.trim() == word { Ok(()) } else { Err(Self::refused()) }
    }

    /// As [`Consent::ask`], but of what somebody uses at this moment a word is typed.
    pub fn ask_in_use(
        &self,
        signed: &Signed,
        (in_use, word): (bool, &str),
        question: impl FnOnce() -> String,
    ) -> Result<(), Fault> {
        if !in_use {
            return self.ask(signed, question);
        }
        if self.yes || !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Ok(());
        }
        self.ask_word(signed, &question(), word)
    }

    fn refused() -> Fault {
        Fault::refused("not_confirmed", "Nothing was done.")
    }

    /// Asks a person who sits at the terminal; a script has said what it wants.
    pub fn ask(&self, signed: &Signed, question: impl FnOnce() -> String) -> Result<(), Fault> {
        if self.yes || !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Ok(());
        }
        let _others = signed.waiting();
        let _ = write!(io::stderr(), "{} [y/N] ", shown(&question()));
        let mut answer = String::new();
        let read = io::stdin().read_line(&mut answer);
        if read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes") { Ok(()) } else { Err(Self::refused()) }
    }
}
