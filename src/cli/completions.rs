//! `keydeck completions` and `keydeck man`: made from the same words the parser reads, so they cannot disagree.

use std::process::ExitCode;

use clap::Args;
use clap_complete::Shell;

use super::Outcome;
use super::door::Deck;
use super::fault::Fault;

/// Words of `completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// For which shell
    shell: Shell,
}

/// Prints the completions of `whole`.
pub fn run(deck: &Deck, args: &Completions, mut whole: clap::Command) -> Outcome {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut whole, "keydeck", &mut text);
    deck.output.bytes(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the manual: one page for the program, and one section after it for each command.
pub fn man(deck: &Deck, mut whole: clap::Command) -> Outcome {
    let mut text = Vec::new();
    whole.build();
    page(&whole, &mut text).map_err(|e| Fault::refused("output", e.to_string()))?;
    deck.output.bytes(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn page(command: &clap::Command, text: &mut Vec<u8>) -> std::io::Result<()> {
    clap_mangen::Man::new(command.clone()).render(text)?;
    let verbs = command.get_subcommands().filter(|c| c.get_name() != "help" && !c.is_hide_set());
    verbs.into_iter().try_for_each(|verb| page(verb, text))
}
