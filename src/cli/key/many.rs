//! One thing done to many keys: which are meant, and the word that they are; `told`: what would become of them, and what did;
//! `undo`: that taken back.
//! Without a number that fits nothing is done: a filter finds other keys tomorrow.

mod told;
pub(super) mod undo;

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use clap::Args;

use self::told::keys;
use crate::cli::Outcome;
use crate::cli::blast::DryRun;
use crate::cli::door::{Deck, Signed};
use crate::cli::fault::Fault;
use crate::cli::find;
use crate::cli::interrupt::Interrupt;
use crate::cli::number::whole;
use crate::domain::filter::Term as _;
use crate::domain::filter::keys::{KeyFilter, Term};
use crate::domain::name::plain;
use crate::domain::undo::Undo;
use crate::domain::view::Sought;
use crate::domain::{Command, Key, KeyId, Refusal, View};
use crate::engine::handover::Purse;
use crate::engine::{Left, Many, foretell};

/// Which keys a verb is about: one, or many.
#[derive(Debug, Args)]
pub struct Which {
    /// Its id, its hint, or its name if only one has it
    #[arg(value_name = "KEY", required_unless_present_any = ["filter", "ids"])]
    key: Option<String>,
    /// Look among everybody's keys (admins; noted in the audit trail)
    #[arg(long)]
    all: bool,
    /// Do it to all keys that this finds, in the words of the console's filter line: '(owner:jonas OR owner:maria) idle>30d'
    #[arg(long = "where", value_name = "FILTER", conflicts_with_all = ["key", "ids"])]
    filter: Option<String>,
    /// Do it to the keys with these ids; `-` reads them from standard input, one a line
    #[arg(long, value_name = "ID", num_args = 1.., conflicts_with = "key")]
    ids: Vec<String>,
    /// How many keys are meant: where there are more or fewer, nothing is done
    #[arg(long, value_name = "N", conflicts_with = "key", value_parser = whole::<usize>(0..=10_000_000))]
    expect: Option<usize>,
    #[command(flatten)]
    dry: DryRun,
}

/// What is done, in words.
#[derive(Clone, Copy)]
pub(super) struct Deed {
    /// `revoke`.
    pub verb: &'static str,
    /// `revoked`.
    pub done: &'static str,
    /// The verb that takes it back, where there is one, and what that does: `takes it back`.
    pub undo: Option<(&'static str, &'static str)>,
}

/// Many keys that are meant, and who means them.
pub(super) struct Crowd<'w> {
    pub signed: Signed,
    which: &'w Which,
    /// As they were when they were found.
    keys: Vec<Key>,
}

impl Which {
    /// The one key that is named; empty where many are meant.
    pub(super) fn one(&self) -> (&str, bool) {
        (self.key.as_deref().unwrap_or_default(), self.all)
    }

    /// Whether it is not one that is named, and to be done.
    pub(super) const fn means_many(&self) -> bool {
        self.key.is_none() || self.is_trial()
    }

    /// Whether it is only to be said what would become of it.
    pub(super) const fn is_trial(&self) -> bool {
        self.dry.dry_run
    }

    /// Whether it is only to be said what would become of the one that is named.
    pub(super) const fn is_trial_of_one(&self) -> bool {
        self.key.is_some() && self.dry.dry_run
    }

    /// The many that are meant; `None` where it is one, and it is to be done.
    pub(super) fn many(&self, deck: &Deck, sought: Sought) -> Result<Option<Crowd<'_>>, Fault> {
        if self.key.is_some() && !self.dry.dry_run {
            return Ok(None);
        }
        // What is wrong with the words is said before a passphrase is asked for.
        let filter = self.filter.as_deref().map(read).transpose()?;
        let ids = ids(&self.ids)?;
        let signed = deck.sign_in()?.widened(self.all)?;
        signed.engine.know_uses(&signed.session)?;
        let keys = match (&self.key, &filter) {
            (Some(reference), _) => vec![find::key(&signed, reference, sought)?],
            (None, Some(filter)) => found(&signed, filter),
            (None, None) => named(&signed, &ids)?,
        };
        Ok(Some(Crowd { signed, which: self, keys }))
    }
}

/// A filter line. On the command line nobody sees what it finds while they type, so what is wrong with it ends it.
pub(super) fn read(text: &str) -> Result<KeyFilter, Fault> {
    let filter = KeyFilter::parse(text);
    if !filter.mistakes.is_empty() {
        return Err(Fault::usage(format!("--where: {}.", filter.mistakes.join("; "))));
    }
    if filter.is_empty() {
        return Err(Fault::usage(format!("--where is empty. Say which keys are meant: {}", Term::EXAMPLES)));
    }
    Ok(filter)
}

/// The ids that were given, each once.
fn ids(words: &[String]) -> Result<Vec<KeyId>, Fault> {
    let mut all: Vec<String> = Vec::new();
    for word in words {
        if word == "-" {
            let lines = io::stdin().lock().lines().collect::<Result<Vec<_>, _>>();
            let lines = lines.map_err(|error| Fault::usage(format!("The ids cannot be read: {error}.")))?;
            all.extend(lines.iter().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()));
        } else {
            all.push(word.clone());
        }
    }
    let mut ids = Vec::with_capacity(all.len());
    for word in all {
        let id = word.parse().map_err(|_| Fault::usage(format!("--ids: {word} is no id of a key.")))?;
        ids.push(id);
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

fn found(signed: &Signed, filter: &KeyFilter) -> Vec<Key> {
    let now = signed.now();
    signed
        .see(|view| in_order(view, view.keys().filter(|key| filter.finds(key, view, now)).cloned().collect()))
}

fn named(signed: &Signed, ids: &[KeyId]) -> Result<Vec<Key>, Fault> {
    signed.see(|view| {
        let one = |id: &KeyId| {
            let none = || Fault::from(Refusal::NoSuchKey).because(&format!("{id}:"));
            view.key(*id).cloned().ok_or_else(none)
        };
        Ok(in_order(view, ids.iter().map(one).collect::<Result<_, _>>()?))
    })
}

/// Those of one owner together, then by name.
fn in_order(view: View<'_>, mut keys: Vec<Key>) -> Vec<Key> {
    keys.sort_by_cached_key(|key| (plain(view.owner_name(key)), plain(key.name.as_str()), key.id));
    keys
}

impl Crowd<'_> {
    /// Whether it is only to be said what would become of them.
    pub const fn is_trial(&self) -> bool {
        self.which.is_trial()
    }

    /// Does it to all of them, if that is meant, and tells what came of it. `command` says what it is for one key.
    pub fn does(self, deck: &Deck, deed: Deed, command: impl Fn(&Key) -> Result<Command, Fault>) -> Outcome {
        self.does_into(deck, deed, None, command)
    }

    /// The same; the secrets that it makes go in there.
    pub fn does_into(
        self,
        deck: &Deck,
        deed: Deed,
        purse: Option<Purse>,
        command: impl Fn(&Key) -> Result<Command, Fault>,
    ) -> Outcome {
        let commands = self.keys.iter().map(command).collect::<Result<Vec<_>, _>>()?;
        self.carries_out(deck, deed, purse, (commands, Vec::new()))
    }

    /// The same of these commands; `gone` are those that it is known not to be done to.
    fn carries_out(
        self,
        deck: &Deck,
        deed: Deed,
        purse: Option<Purse>,
        (commands, gone): (Vec<Command>, Vec<Left>),
    ) -> Outcome {
        let refusals = foretell(&*self.signed.engine, &self.signed.session, &commands);
        let would = commands.iter().zip(refusals);
        let would = would.filter_map(|(command, refusal)| Left::of(command, &refusal?.into()));
        let would: Vec<Left> = gone.iter().cloned().chain(would).collect();
        if self.which.dry.dry_run {
            return self.foretell(deck, deed, &would);
        }
        self.agreed(deck, deed, &would)?;
        let mut many = Many::of(commands);
        many.left = gone;
        if let Some(purse) = purse {
            many = many.keeping(purse);
        }
        let mut events = Vec::new();
        let interrupt = Interrupt::listen();
        while !many.is_over() && !interrupt.has_come() {
            events.extend(many.go_on(&*self.signed.engine, &self.signed.session));
            deck.output.progress(many.total() - many.untried(), many.total(), deed.done);
        }
        let undos = self.signed.see(|view| Undo::of_all(&events, view));
        self.report(deck, deed, &many, &undos)
    }

    /// Refuses unless somebody has said how many they mean, and that is how many there are.
    fn agreed(&self, deck: &Deck, deed: Deed, would: &[Left]) -> Result<(), Fault> {
        let found = self.keys.len();
        if let Some(expected) = self.which.expect {
            return if expected == found {
                Ok(())
            } else {
                let none = if found == 0 {
                    format!(" ({})", self.none().trim_end_matches('.'))
                } else {
                    String::new()
                };
                let now = if self.which.filter.is_some() { " now" } else { "" };
                Err(other_count(&format!("{}{now}, not {expected}{none}", self.are_meant(found))))
            };
        }
        if found == 0 {
            return Err(Fault::refused("no_such_key", format!("{} Nothing was done.", self.none())));
        }
        if deck.output.is_json() || !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Err(Fault::usage(format!(
                "{}. Nothing was done: --expect {found} says that they are meant, --dry-run shows them.",
                self.are_meant(found)
            )));
        }
        let others = self.signed.waiting();
        deck.output.say(self.preview(deed, would).trim_end());
        let _ = write!(io::stderr(), "Type {found} to {} them: ", deed.verb);
        let mut answer = String::new();
        let read = io::stdin().read_line(&mut answer);
        drop(others);
        if read.is_err() || answer.trim() != found.to_string() {
            return Err(Fault::refused("not_confirmed", "Nothing was done."));
        }
        self.still(found)
    }

    /// So many as the filter finds, or as were named.
    fn are_meant(&self, count: usize) -> String {
        if self.which.filter.is_some() { are_like(count) } else { format!("{} named", are(count)) }
    }

    fn none(&self) -> &'static str {
        self.signed.see(|view| none(view, self.which.all))
    }

    /// Refuses where others came to be like that while somebody thought about it.
    fn still(&self, found_before: usize) -> Result<(), Fault> {
        let Some(filter) = self.which.filter.as_deref().map(read).transpose()? else { return Ok(()) };
        let now: Vec<KeyId> = found(&self.signed, &filter).iter().map(|key| key.id).collect();
        if now.iter().eq(self.keys.iter().map(|key| &key.id)) {
            return Ok(());
        }
        let what = if now.len() == found_before {
            "others are like that by now".to_owned()
        } else {
            format!("{} by now, not {found_before}", are_like(now.len()))
        };
        Err(other_count(&what))
    }
}

/// That no key is like that, and of whose keys that is true.
pub(super) fn none(view: View<'_>, all: bool) -> &'static str {
    if !all && view.sets_policy() && !view.is_whole() {
        "No key of yours is like that, and no others were looked at: --all looks at everybody's."
    } else {
        "No key is like that."
    }
}

fn are(count: usize) -> String {
    format!("{} {}", keys(count), if count == 1 { "is" } else { "are" })
}

fn are_like(count: usize) -> String {
    format!("{} like that", are(count))
}

fn other_count(what: &str) -> Fault {
    Fault::refused("other_count", format!("{what}. Nothing was done; --dry-run shows them."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fault::Exit;

    #[test]
    fn a_filter_that_is_empty_or_misunderstood_is_no_filter_for_many() {
        assert!(read("owner:jonas idle>30d").is_ok());
        for (text, said) in [
            ("", "--where is empty"),
            ("  ", "--where is empty"),
            ("\"\"", "--where is empty"),
            ("colour:red", "there is no filter colour:"),
            ("owner:jonas or owner:maria", "or is looked for as a word"),
            ("owner:jonas expires<soon", "expires< needs a time"),
        ] {
            let fault = read(text).err().unwrap();
            assert!(fault.to_string().contains(said) && fault.exit() == Exit::Usage, "{text}: {fault}");
        }
    }

    #[test]
    fn ids_are_taken_once_each_and_nothing_else_is_one() {
        let words = |all: &[&str]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(ids(&words(&["7HqP2mVx9KtR", "7HqP2mVx9KtR"])).unwrap().len(), 1);
        assert!(ids(&words(&["Nightly export"])).err().unwrap().to_string().contains("no id of a key"));
    }
}
