//! `keydeck operator`: the people who sign in, their roles, their secrets, and what becomes of their keys when
//! they leave.

use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::Outcome;
use super::base::Base;
use super::blast::Crush;
use super::consent::Consent;
use super::door::{Deck, Signed};
use super::fault::{Exit, Fault};
use super::find;
use super::secrets;
use super::stopped::{self, Stopped};
use super::table::{Cell, Table, Tone};
use super::times;
use crate::crypto::CryptoError;
use crate::crypto::keyfile::KeyFileSecret;
use crate::crypto::passphrase::Passphrase;
use crate::crypto::random::OsEntropy;
use crate::crypto::recovery::RecoveryCode;
use crate::domain::basis::Basis;
use crate::domain::blast::many::Struck;
use crate::domain::notice::of_key;
use crate::domain::view::Sought;
use crate::domain::{
    Command, Key, KeysAfter, Name, Operator, OperatorId, Refusal, Role, Standing, Timestamp, View,
};
use crate::engine::{Brought, EngineError, foretell};
use crate::tui::widgets::text::sentence;

/// What can be done with operators.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Add an operator, with a passphrase or a key file of their own
    Add(Add),
    /// The operators you may see
    List,
    /// Change what an operator may do
    Role(SetRole),
    /// Set a new passphrase: yours, as an admin anybody's, or with the recovery code the one you forgot
    Passphrase(SetPassphrase),
    /// End an operator's access, and say what becomes of their keys
    Disable(Disable),
    /// Give a disabled operator access again, with a new secret
    Enable(Enable),
}

/// Words of `operator add`.
#[derive(Debug, Args)]
pub struct Add {
    /// Their name; no two operators ever have the same
    name: String,
    /// What they may do: admin, manager or viewer
    #[arg(long, value_name = "ROLE", value_parser = Role::from_str)]
    role: Role,
    #[command(flatten)]
    secret: Secret,
}

/// A new secret.
#[derive(Debug, Args)]
pub struct Secret {
    /// File with the new passphrase, `-` for standard input; asked for twice when not given
    #[arg(long, value_name = "FILE", conflicts_with = "new_key_file")]
    new_passphrase_file: Option<PathBuf>,
    /// Make this new key file instead, for a service without a person
    #[arg(long, value_name = "FILE")]
    new_key_file: Option<PathBuf>,
}

/// Words of `operator role`.
#[derive(Debug, Args)]
pub struct SetRole {
    /// Whose
    name: String,
    /// admin, manager or viewer
    #[arg(value_parser = Role::from_str)]
    role: Role,
    #[command(flatten)]
    base: Base,
}

/// Words of `operator passphrase`.
#[derive(Debug, Args)]
pub struct SetPassphrase {
    /// Whose; yours when not given
    name: Option<String>,
    #[command(flatten)]
    secret: Secret,
    /// Sign in with the recovery code in this file instead; a new code is printed, the old one is spent
    #[arg(long, value_name = "FILE", conflicts_with_all = ["passphrase_file", "key_file"])]
    recovery_file: Option<PathBuf>,
}

/// Words of `operator disable`.
#[derive(Debug, Args)]
pub struct Disable {
    /// Whose access
    name: String,
    /// What becomes of their keys: `work`, `stop`, or `give:OTHER`
    #[arg(long, value_name = "CHOICE", value_parser = KeysChoice::from_str)]
    keys: KeysChoice,
    /// Only say what would become of their keys, who uses them and how much
    #[arg(long)]
    dry_run: bool,
    /// Look at everybody's keys when telling that (admins; noted in the audit trail)
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    consent: Consent,
}

/// Words of `operator enable`.
#[derive(Debug, Args)]
pub struct Enable {
    /// Whose access
    name: String,
    #[command(flatten)]
    secret: Secret,
}

/// What becomes of the keys, as it was typed.
#[derive(Clone, Debug)]
pub enum KeysChoice {
    /// They go on working.
    Work,
    /// None works.
    Stop,
    /// They become this operator's.
    Give(String),
}

impl FromStr for KeysChoice {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "work" => Ok(Self::Work),
            "stop" => Ok(Self::Stop),
            _ => text
                .strip_prefix("give:")
                .filter(|heir| !heir.trim().is_empty())
                .map(|heir| Self::Give(heir.to_owned()))
                .ok_or("say work, stop or give:OTHER"),
        }
    }
}

/// Runs one of them.
pub fn run(deck: &Deck, verb: &Verb) -> Outcome {
    match verb {
        Verb::Add(args) => add(deck, args),
        Verb::List => list(deck),
        Verb::Role(args) => role(deck, args),
        Verb::Passphrase(args) => match &args.recovery_file {
            Some(file) => recover(deck, args, file),
            None => passphrase(deck, args),
        },
        Verb::Disable(args) => disable(deck, args),
        Verb::Enable(args) => enable(deck, args),
    }
}

impl Secret {
    /// Runs a command with the new secret: the file's, or the one somebody types.
    fn goes_with(&self, deck: &Deck, signed: &Signed, whose: &str, command: Command) -> Result<(), Fault> {
        let give =
            |secret| signed.engine.act(&signed.session, command, secret).map(drop).map_err(Fault::from);
        if let Some(path) = &self.new_key_file {
            let content = KeyFileSecret::create(path, &mut OsEntropy)?;
            return give(Brought::KeyFile(&content)).map_err(|fault| match fault.exit() {
                Exit::Refused | Exit::Usage => {
                    // It opens nothing, and would be in the way of the next attempt.
                    let _ = std::fs::remove_file(path);
                    fault
                }
                _ => fault
                    .because(&format!("The key file {} is kept, and may open the store.", path.display())),
            });
        }
        let chosen = self.passphrase(deck, whose)?;
        give(Brought::Passphrase(&chosen))
    }

    fn passphrase(&self, deck: &Deck, whose: &str) -> Result<Passphrase, Fault> {
        secrets::new_passphrase(self.new_passphrase_file.as_deref(), whose, deck.output)
    }

    /// Standard input can be read once, and a key file is always a new file.
    fn check(&self, deck: &Deck) -> Result<(), Fault> {
        if let Some(path) = self.new_key_file.as_ref().filter(|path| path.symlink_metadata().is_ok()) {
            return Err(Fault::usage(format!(
                "There already is a file {}. A key file is always new: name another.",
                path.display()
            )));
        }
        let dash = |path: &Option<PathBuf>| path.as_ref().is_some_and(|p| p.as_os_str() == "-");
        if dash(&self.new_passphrase_file) && dash(&deck.globals.passphrase_file) {
            return Err(Fault::usage("Standard input holds one passphrase. Put one of the two in a file."));
        }
        Ok(())
    }
}

fn add(deck: &Deck, args: &Add) -> Outcome {
    let name = Name::new(&args.name).map_err(|why| Fault::bad_text("name", why))?;
    args.secret.check(deck)?;
    let signed = deck.sign_in()?;
    let command = Command::AddOperator { name: name.clone(), role: args.role };
    args.secret.goes_with(deck, &signed, name.as_str(), command)?;
    let id = find::operator(&signed, name.as_str(), Sought::Living)?;
    deck.output.say(&format!("{name} may sign in, as {}.", args.role));
    print(deck, &signed, id)
}

fn role(deck: &Deck, args: &SetRole) -> Outcome {
    let signed = deck.sign_in()?;
    let operator = find::operator(&signed, &args.name, Sought::Living)?;
    let command = Command::SetRole { operator, role: args.role, basis: args.base.if_rev };
    signed.engine.execute(&signed.session, command)?;
    deck.output.say(&format!("The role is {} from now on.", args.role));
    print(deck, &signed, operator)
}

fn passphrase(deck: &Deck, args: &SetPassphrase) -> Outcome {
    args.secret.check(deck)?;
    let signed = deck.sign_in()?;
    let (id, name) = match &args.name {
        Some(name) => (find::operator(&signed, name, Sought::Living)?, name.clone()),
        None => (signed.session.actor().operator, own_name(&signed)),
    };
    args.secret.goes_with(deck, &signed, &name, Command::SetSecret(id))?;
    deck.output.say(&format!("{name} signs in with the new secret from now on; the old one opens nothing."));
    print(deck, &signed, id)
}

/// With the recovery code: a new passphrase first, then a new code, so that at no moment nobody can get in.
fn recover(deck: &Deck, args: &SetPassphrase, file: &std::path::Path) -> Outcome {
    args.secret.check(deck)?;
    deck.output.must_lead_somewhere()?;
    let name = args.name.as_deref().map_or_else(|| deck.operator(), Ok)?;
    let sealed = |error: CryptoError| Fault::sealed(error.to_string());
    let typed = secrets::read_file(file, deck.output)?;
    let code = RecoveryCode::parse(&typed).map_err(sealed)?;
    drop(typed);
    let signed = deck.recover(name, &code)?;
    let id = signed.session.actor().operator;
    args.secret.goes_with(deck, &signed, name, Command::SetSecret(id))?;
    let renewed = signed.engine.execute(&signed.session, Command::ReplaceRecovery);
    let renewed = renewed.and_then(|done| done.code.ok_or(EngineError::Closed));
    let renewed = renewed.map_err(|error| not_renewed(name, error.into()))?;
    let shown = renewed.reveal();
    let written = if deck.output.is_json() {
        deck.output.secret_value(&serde_json::json!({ "operator": name, "recovery_code": shown.as_str() }))
    } else {
        deck.output.secret(&shown)
    };
    written.map_err(|error| {
        Fault::refused(
            "recovery_code_lost",
            format!(
                "{name} has the new passphrase, but the new recovery code could not be written ({error}) and the old \
                 one is spent. Sign in to the console as an admin and renew it under Settings."
            ),
        )
    })?;
    deck.output.say(&format!(
        "{name} signs in with the new secret. The line above is the new recovery code: write it down; the old one \
         is spent."
    ));
    Ok(ExitCode::SUCCESS)
}

/// The secret was changed before the code was to be.
fn not_renewed(name: &str, why: Fault) -> Fault {
    why.because(&format!(
        "{name} signs in with the new secret from now on, but the recovery code was not renewed: the old one still \
         counts, until an admin renews it in the console under Settings."
    ))
}

fn disable(deck: &Deck, args: &Disable) -> Outcome {
    let signed = deck.sign_in()?.widened(args.all)?;
    let operator = find::operator(&signed, &args.name, Sought::Living)?;
    let keys = match &args.keys {
        KeysChoice::Work => KeysAfter::Work,
        KeysChoice::Stop => KeysAfter::Stop,
        KeysChoice::Give(heir) => KeysAfter::GiveTo(find::operator(&signed, heir, Sought::Living)?),
    };
    let (name, live) = (&args.name, || live_keys(&signed, operator));
    let stopped = !seen(&signed, operator)?.standing.keys_work();
    let fate = |live: usize| {
        let keys = stopped::live(live);
        match &args.keys {
            KeysChoice::Work if stopped => format!("Their keys work again, but for paused ones: {keys}."),
            KeysChoice::Work => format!("Their keys go on working: {keys}."),
            KeysChoice::Stop => format!("Their keys stop: {keys}."),
            KeysChoice::Give(heir) if stopped => {
                format!("Their keys become {heir}'s and work again, but for paused ones: {keys}.")
            }
            KeysChoice::Give(heir) => format!("Their keys become {heir}'s: {keys}."),
        }
    };
    let crush = Crush::of(&signed, |view, now| match keys {
        KeysAfter::Stop => Struck::of_operator(view, operator, now),
        KeysAfter::Work | KeysAfter::GiveTo(_) => Struck::default(),
    });
    let locked = signed.see(|view| view.locked_down_of(operator, signed.now()));
    let locked = match locked {
        0 => String::new(),
        count => format!(" But {} locked down as well: refused until that is lifted.", are(count)),
    };
    if args.dry_run {
        let command = Command::DisableOperator { operator, keys };
        let refusal = foretell(&*signed.engine, &signed.session, std::slice::from_ref(&command));
        if let Some(refusal) = refusal.into_iter().next().flatten() {
            return Err(refusal.into());
        }
        let used = if keys == KeysAfter::Stop {
            format!(" {}.", sentence(&crush.struck.use_in_words()))
        } else {
            String::new()
        };
        let said = format!("{name} could not sign in any more. {}{locked}{used}", fate(live()));
        let about = seen(&signed, operator)?;
        return crush.show(deck, &signed, &said, &OperatorLine::of(&about, live()));
    }
    let soon = if let KeysAfter::GiveTo(_) = keys { soon(&signed, operator) } else { String::new() };
    args.consent.ask_in_use(&signed, (crush.struck.in_use(), name), || {
        format!("Disable {name}? They cannot sign in any more. {}{locked}", fate(live()))
    })?;
    let held = live();
    signed.engine.execute(&signed.session, Command::DisableOperator { operator, keys })?;
    let way_out = keys == KeysAfter::Stop && held > 0;
    let way = format!(
        " They work again for somebody else with `keydeck operator disable {operator} --keys give:OTHER`, or one by one with \
         `keydeck key transfer KEY --to OTHER --all`."
    );
    let way = if way_out { way.as_str() } else { "" };
    deck.output.say(&format!("{name} cannot sign in any more. {}{locked}{soon}{way}", fate(held)));
    if deck.output.is_json() {
        let keys_stopped = if keys == KeysAfter::Stop { held } else { 0 };
        let after = seen(&signed, operator)?;
        let about = OperatorLine::of(&after, live_keys(&signed, operator));
        deck.output.value(&Stopped { about, keys_stopped })?;
    }
    Ok(ExitCode::SUCCESS)
}

fn are(count: usize) -> String {
    if count == 1 { "1 of them is".to_owned() } else { format!("{count} of them are") }
}

/// How many keys of somebody end soon or are about to be deleted: whoever has them next should know, as far as they are seen.
fn soon(signed: &Signed, whose: OperatorId) -> String {
    let grounds = signed.grounds();
    let state = signed.engine.state();
    let goes = |key: &&Key| !of_key(&state, key, grounds).is_empty() && !key.state(grounds.now).is_over();
    match state.keys_of(whose).filter(goes).count() {
        0 => String::new(),
        1 => " Of 1 of them there is a notice: `keydeck notices list` tells its new owner.".to_owned(),
        count => {
            format!(" Of {count} of them there are notices: `keydeck notices list` tells their new owner.")
        }
    }
}

fn enable(deck: &Deck, args: &Enable) -> Outcome {
    args.secret.check(deck)?;
    let signed = deck.sign_in()?;
    let id = find::operator(&signed, &args.name, Sought::Ended)?;
    let stopped = !seen(&signed, id)?.standing.keys_work();
    args.secret.goes_with(deck, &signed, &args.name, Command::EnableOperator(id))?;
    let live = stopped::live(live_keys(&signed, id));
    let keys =
        if stopped { format!(" Their keys work again, but for paused ones: {live}.") } else { String::new() };
    deck.output.say(&format!("{} may sign in again, with the new secret.{keys}", args.name));
    print(deck, &signed, id)
}

fn own_name(signed: &Signed) -> String {
    signed.see(|view| view.operator().map_or_else(String::new, |o| o.name.to_string()))
}

#[derive(Serialize)]
struct OperatorLine<'a> {
    id: String,
    name: &'a str,
    role: &'static str,
    standing: &'static str,
    disabled_at: Option<String>,
    created_at: String,
    keys: usize,
    rev: String,
}

impl<'a> OperatorLine<'a> {
    fn of(operator: &'a Operator, keys: usize) -> Self {
        let (standing, at) = standing(operator.standing);
        Self {
            id: operator.id.to_string(),
            name: operator.name.as_str(),
            role: operator.role.as_str(),
            standing,
            disabled_at: at.map(Timestamp::rfc3339),
            created_at: operator.created_at.rfc3339(),
            keys,
            rev: Basis::of_role(operator.id, operator.role).to_string(),
        }
    }
}

const fn standing(standing: Standing) -> (&'static str, Option<Timestamp>) {
    match standing {
        Standing::Active => ("active", None),
        Standing::DisabledKeysWork(at) => ("disabled, keys work", Some(at)),
        Standing::DisabledKeysStopped(at) => ("disabled, keys stopped", Some(at)),
    }
}

/// Live keys are what the quota counts; a number is no look at somebody's keys.
fn live_keys(signed: &Signed, id: OperatorId) -> usize {
    signed.engine.state().live_keys_of(id, signed.now())
}

fn list(deck: &Deck) -> Outcome {
    let signed = deck.sign_in()?;
    let now = signed.now();
    let operators: Vec<Operator> =
        signed.see(|view: View<'_>| view.operators().into_iter().cloned().collect());
    if deck.output.is_json() {
        let lines: Vec<_> = operators.iter().map(|o| OperatorLine::of(o, live_keys(&signed, o.id))).collect();
        deck.output.value(&lines)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new(&["Name", "Role", "Live keys", "Added", "Standing"]);
    for operator in &operators {
        let (word, at) = standing(operator.standing);
        let standing = match at {
            None => Cell::toned(format!("● {word}"), Tone::Good),
            Some(at) => Cell::toned(format!("✕ {word}, {}", times::relative(at, now)), Tone::Bad),
        };
        table.row([
            operator.name.as_str().into(),
            operator.role.as_str().into(),
            live_keys(&signed, operator.id).to_string().into(),
            times::local(operator.created_at).into(),
            standing,
        ]);
    }
    deck.output.text(&table.render(deck.output))?;
    Ok(ExitCode::SUCCESS)
}

/// The operator as they are now, for scripts; people were told in words.
fn print(deck: &Deck, signed: &Signed, id: OperatorId) -> Outcome {
    if deck.output.is_json() {
        deck.output.value(&OperatorLine::of(&seen(signed, id)?, live_keys(signed, id)))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn seen(signed: &Signed, id: OperatorId) -> Result<Operator, Fault> {
    let operator = signed.see(|view| view.operators().into_iter().find(|o| o.id == id).cloned());
    Ok(operator.ok_or(Refusal::NoSuchOperator)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::EngineError;

    #[test]
    fn whose_code_could_not_be_renewed_is_told_that_the_new_passphrase_is_in_force() {
        let told = not_renewed("maria", EngineError::Closed.into());
        assert_eq!(told.code(), "store_unavailable", "as a script would be told");
        let told = told.to_string();
        for part in ["maria signs in with the new secret", "the old one still counts", "The store is locked"]
        {
            assert!(told.contains(part), "{told}");
        }
    }
}
