//! What a shell may propose for the word somebody is writing. The shell asks this program, which knows its own words; what else
//! there is, is looked up at that moment: the catalog is read, and a running console or server is asked for names, if a secret is at
//! hand in a file. Nothing is opened, nobody is asked for a passphrase, and nothing is said but proposals.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Arg, Command, CommandFactory as _};
use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};

use super::args::Cli;
use super::config;
use super::door::Deck;
use super::globals::Globals;
use super::output::Output;
use super::places::Places;
use crate::domain::{Catalog, Policy, View};

/// By what a shell says that it asks: its name is in this variable.
pub const VARIABLE: &str = "KEYDECK_COMPLETE";

/// Answers a shell that asks. `None` when none does.
pub fn told(words: &[OsString]) -> Option<ExitCode> {
    let shell = std::env::var_os(VARIABLE).filter(|name| !name.is_empty())?;
    let seeker = Arc::new(Seeker { globals: globals(words), escapes: shell == "bash" });
    let answered = CompleteEnv::with_factory(|| taught(Cli::command(), "", &seeker))
        .var(VARIABLE)
        .try_complete(words.iter().cloned(), std::env::current_dir().ok().as_deref());
    Some(if answered.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What names of a kind stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Scope,
    Preset,
    Rule,
    Key,
    App,
    Location,
    Operator,
}

/// A name, and what is to be said of it.
type Named = (String, String);

impl Kind {
    /// Of an argument, by what its help calls it; of some by the command they belong to.
    fn of(command: &str, arg: &Arg) -> Option<Self> {
        let value = arg.get_value_names().and_then(<[_]>::first)?.as_str();
        match (value, command) {
            ("SCOPE", _) => Some(Self::Scope),
            ("PRESET", _) => Some(Self::Preset),
            ("KEY" | "KEY|APP|LOCATION", _) => Some(Self::Key),
            ("APP", _) => Some(Self::App),
            ("LOCATION", _) => Some(Self::Location),
            ("OPERATOR", _) => Some(Self::Operator),
            ("NAME", "policy set") if arg.is_positional() => Some(Self::Rule),
            ("NAME", "operator role" | "operator passphrase" | "operator disable" | "operator enable")
                if arg.is_positional() =>
            {
                Some(Self::Operator)
            }
            _ => None,
        }
    }
}

/// The command line with what its words can be.
fn taught(command: Command, path: &str, seeker: &Arc<Seeker>) -> Command {
    let own = path.to_owned();
    let command = command.mut_args(|arg| match Kind::of(&own, &arg) {
        Some(kind) => {
            let seeker = Arc::clone(seeker);
            arg.add(ArgValueCompleter::new(move |begun: &OsStr| seeker.proposes(kind, begun)))
        }
        None => arg,
    });
    command.mut_subcommands(|verb| {
        let path = format!("{path} {}", verb.get_name());
        taught(verb, path.trim(), seeker)
    })
}

/// Looks names up.
struct Seeker {
    globals: Globals,
    /// Whether the shell takes a proposal as it is, with the blanks in it.
    escapes: bool,
}

impl Seeker {
    fn proposes(&self, kind: Kind, begun: &OsStr) -> Vec<CompletionCandidate> {
        let begun = plain(&begun.to_string_lossy());
        let fits = |name: &str| name.starts_with(&begun) && (self.escapes || is_plain(name));
        let named = self.names(kind).into_iter().filter(|(name, _)| fits(name));
        let candidate = |(name, what): Named| {
            let value = if self.escapes { escaped(&name) } else { name };
            CompletionCandidate::new(value).help((!what.is_empty()).then(|| what.into()))
        };
        named.map(candidate).collect()
    }

    fn names(&self, kind: Kind) -> Vec<Named> {
        let found = match kind {
            Kind::Rule => {
                Some(Policy::RULES.iter().map(|rule| (rule.name.to_owned(), rule.about.to_owned())).collect())
            }
            Kind::Scope => self.catalog().map(|catalog| {
                catalog.permissions().map(|scope| (scope.id.to_string(), scope.title.clone())).collect()
            }),
            Kind::Preset => self.catalog().map(|catalog| {
                catalog.presets().iter().map(|preset| (preset.id.clone(), preset.title.clone())).collect()
            }),
            Kind::Key => {
                self.seen(|view| view.keys().map(|key| (key.name.to_string(), key.id.to_string())).collect())
            }
            Kind::App => self
                .seen(|view| named(view.apps().iter().map(|app| (app.name.to_string(), app.id.to_string())))),
            Kind::Location => self.seen(|view| {
                named(view.locations().iter().map(|place| (place.name.to_string(), place.id.to_string())))
            }),
            Kind::Operator => self.seen(|view| {
                named(view.operators().iter().map(|one| (one.name.to_string(), one.role.to_string())))
            }),
        };
        found.unwrap_or_default()
    }

    fn deck(&self) -> Option<Deck> {
        let places = Places::find();
        let config = config::read(self.globals.config.as_deref(), &places).ok()?;
        let (globals, output) = (self.globals.clone(), Output::new(false));
        Some(Deck { globals, config, places, output, words: "keydeck" })
    }

    fn catalog(&self) -> Option<Arc<Catalog>> {
        self.deck()?.catalog().ok()
    }

    fn seen(&self, look: impl FnOnce(View<'_>) -> Vec<Named>) -> Option<Vec<Named>> {
        self.deck()?.look_through(look)
    }
}

fn named(all: impl Iterator<Item = Named>) -> Vec<Named> {
    all.collect()
}

/// The options that say which store is meant and who asks, of a line that is not whole yet.
fn globals(words: &[OsString]) -> Globals {
    let said = |name: &str| {
        let joined = format!("{name}=");
        words.iter().enumerate().find_map(|(at, word)| {
            let word = word.to_str()?;
            if word == name {
                words.get(at + 1)?.to_str().map(plain)
            } else {
                word.strip_prefix(&joined).map(plain)
            }
        })
    };
    let or_variable = |said: Option<String>, name: &str| said.or_else(|| std::env::var(name).ok());
    let path = |said: Option<String>| said.filter(|text| !text.is_empty()).map(PathBuf::from);
    Globals {
        data: path(or_variable(said("--data"), "KEYDECK_DATA")),
        operator: or_variable(said("--operator"), "KEYDECK_OPERATOR").filter(|name| !name.is_empty()),
        passphrase_file: path(said("--passphrase-file")),
        key_file: path(said("--key-file")),
        config: path(said("--config")),
        ..Globals::default()
    }
}

/// A word as it is meant: without the quote it begins with and the signs that keep blanks in it.
fn plain(word: &str) -> String {
    let bare = word.strip_prefix(['"', '\'']).unwrap_or(word);
    let bare = bare.strip_suffix(['"', '\'']).unwrap_or(bare);
    let mut plain = String::new();
    let mut signs = bare.chars();
    while let Some(sign) = signs.next() {
        plain.extend(if sign == '\\' { signs.next() } else { Some(sign) });
    }
    plain
}

/// Whether no shell takes a sign in it for more than it is: of one that is not, the id can be written.
fn is_plain(name: &str) -> bool {
    name.chars()
        .all(|sign| sign.is_alphanumeric() || matches!(sign, ' ' | '-' | '_' | '.' | ':' | '/' | '@' | '+'))
}

/// A word as a shell reads it back.
fn escaped(word: &str) -> String {
    let mut escaped = String::new();
    for sign in word.chars() {
        if sign.is_ascii()
            && !sign.is_ascii_alphanumeric()
            && !matches!(sign, '-' | '_' | '.' | ':' | '/' | '@' | '+')
        {
            escaped.push('\\');
        }
        escaped.push(sign);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_blanks_comes_back_as_it_was() {
        for name in ["Nightly export", "a$(b)`c`", "Müller & Söhne", "it's", "plain-1"] {
            assert_eq!(plain(&escaped(name)), name);
        }
        assert_eq!(escaped("plain-1"), "plain-1");
        assert!(
            is_plain("Nightly export 2")
                && is_plain("Müller")
                && !is_plain("$(touch x)")
                && !is_plain("it's")
        );
        assert_eq!(plain("\"Nightly ex"), "Nightly ex");
    }

    #[test]
    fn every_word_that_names_something_is_known_to_do_so() {
        let mut all = Vec::new();
        let mut whole = Cli::command();
        whole.build();
        collect(&whole, "", &mut all);
        for (path, id, kind) in [
            ("key create", "scope", Kind::Scope),
            ("key create", "preset", Kind::Preset),
            ("key rescope", "add", Kind::Scope),
            ("verify", "scope", Kind::Scope),
            ("policy set", "name", Kind::Rule),
            ("operator disable", "name", Kind::Operator),
            ("lockdown", "owner", Kind::Operator),
            ("location remove", "location", Kind::Location),
            ("key show", "key", Kind::Key),
            ("app show", "app", Kind::App),
        ] {
            assert!(all.contains(&(path.to_owned(), id.to_owned(), kind)), "{path} {id}: {all:?}");
        }
        assert!(!all.iter().any(|(path, ..)| path == "operator add"), "a new name is nobody's yet");
    }

    fn collect(command: &Command, path: &str, all: &mut Vec<(String, String, Kind)>) {
        for arg in command.get_arguments() {
            all.extend(Kind::of(path, arg).map(|kind| (path.to_owned(), arg.get_id().to_string(), kind)));
        }
        for verb in command.get_subcommands() {
            collect(verb, format!("{path} {}", verb.get_name()).trim(), all);
        }
    }
}
