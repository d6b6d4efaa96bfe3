//! `keydeck completions`: a few lines for a shell, which has it ask this program what may follow (see `complete`).

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use clap_complete::env::{Bash, Elvish, EnvCompleter, Fish, Powershell, Zsh};

use super::Outcome;
use super::complete::VARIABLE;
use super::door::Deck;
use super::fault::Fault;

/// Words of `completions`.
#[derive(Debug, Args)]
#[command(
    after_help = "The shell asks keydeck what may follow: commands, options, scopes, presets, policy rules and guides at any time; \
                  keys, apps, locations and operators while a console or server has the store, and --key-file or \
                  --passphrase-file stands on the line."
)]
pub struct Completions {
    /// For which shell
    shell: Shell,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Shell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

impl Shell {
    const fn completer(self) -> &'static dyn EnvCompleter {
        match self {
            Self::Bash => &Bash,
            Self::Elvish => &Elvish,
            Self::Fish => &Fish,
            Self::Powershell => &Powershell,
            Self::Zsh => &Zsh,
        }
    }
}

/// Prints those lines.
pub fn run(deck: &Deck, args: &Completions) -> Outcome {
    let mut text = Vec::new();
    let written =
        args.shell.completer().write_registration(VARIABLE, "keydeck", "keydeck", "keydeck", &mut text);
    written.map_err(|error| Fault::refused("output", error.to_string()))?;
    deck.output.bytes(&text)?;
    Ok(ExitCode::SUCCESS)
}
