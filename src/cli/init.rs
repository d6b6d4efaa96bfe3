//! `keydeck init`: hands over the recovery code, once, and founds the store when it is written.

use clap::Args;

use super::Outcome;
use super::door::Deck;
use super::fault::Fault;
use crate::domain::Name;
use crate::engine::{Engine as _, open};

/// Words of `init`; the founder's name is the global --operator.
#[derive(Debug, Args)]
#[command(
    override_usage = "keydeck init [OPTIONS] --agency <NAME> --operator <NAME>",
    after_help = "The founder is named with --operator and becomes the first admin. Their passphrase comes \
                        from --passphrase-file or is asked for twice."
)]
pub struct Init {
    /// The agency's name
    #[arg(long, value_name = "NAME")]
    agency: String,
}

#[derive(serde::Serialize)]
struct Founded<'a> {
    agency: &'a str,
    operator: &'a str,
    data: String,
    recovery_code: &'a str,
}

/// Founds the store.
pub fn run(deck: &Deck, args: &Init) -> Outcome {
    let agency = Name::new(&args.agency).map_err(|why| Fault::bad_text("agency", why))?;
    let operator = Name::new(deck.operator()?).map_err(|why| Fault::bad_text("operator", why))?;
    if deck.globals.key_file.is_some() {
        return Err(Fault::usage(
            "The founder needs a passphrase. Found the store with it, then add an operator with --new-key-file.",
        ));
    }
    let options = deck.options()?;
    if options.read_only {
        return Err(Fault::usage("Founding a store changes something: leave out --read-only."));
    }
    if open::is_store(&options.dir)? && !deck.output.is_json() {
        // Whether it is whole is for the founding to say; this only saves a person from typing in vain.
        deck.output.say(&format!("There is something in {} already.", options.dir.display()));
    }
    let passphrase = deck.founders_passphrase(&operator)?;
    let founding = open::begin(&options, agency.clone(), operator.clone(), &passphrase)?;
    let code = founding.recovery().reveal();
    let data = options.dir.display().to_string();
    let written = if deck.output.is_json() {
        let line = Founded {
            agency: agency.as_str(),
            operator: operator.as_str(),
            data: data.clone(),
            recovery_code: &code,
        };
        deck.output.secret_value(&line)
    } else {
        deck.output.secret(&code)
    };
    if let Err(error) = written {
        return Err(Fault::refused(
            "recovery_code_lost",
            format!(
                "The recovery code could not be written ({error}), so nobody has it, and no store was founded in {data}. \
                 Run `keydeck init` again where it can be written."
            ),
        ));
    }
    drop(code);
    // Only now: a store whose recovery code reached nobody is none.
    let founded = founding.complete().map_err(|error| {
        Fault::from(error).because(
            "Nothing says that the store was founded: the recovery code above counts only if it was. Run `keydeck init` \
             again and see.",
        )
    })?;
    deck.output.say(&format!(
        "{agency} has its store in {data}, and {operator} is its admin.\n\
         The line above is the recovery code. Write it down and keep it on paper: it is shown this once, and it is \
         the only way in when every passphrase is forgotten."
    ));
    Ok(deck.done(founded.open.engine.settle()))
}
