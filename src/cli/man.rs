//! `keydeck man`: the manual, made from the same words the parser reads, so that they cannot disagree. One page for a command,
//! each with its exit codes, variables, files and examples; those are in `assets/examples.txt`, and the tests read them as a
//! shell and the parser would.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Command};
use clap_mangen::roff::{Inline, Roff, bold, roman};

use super::Outcome;
use super::door::Deck;
use super::fault::Fault;
use crate::files::{Beside, There};

/// Words of `man`.
#[derive(Debug, Args)]
pub struct Man {
    /// Write a page for each command into this directory, such as /usr/local/share/man/man1, in place of what is there
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Sentences, each above the command lines that do what it says.
const EXAMPLES: &str = include_str!("../../assets/examples.txt");
/// What stands before a command line there.
const PROMPT: &str = "$ ";

const EXIT: [(&str, &str); 5] = [
    ("0", "done"),
    ("1", "refused by a rule, or not found"),
    ("2", "wrong words, or a terminal is needed and there is none"),
    ("3", "the store cannot be used: it is in use, damaged or not there"),
    ("4", "the store cannot be unsealed"),
];
/// Of commands that answer a question by it.
const EXIT_OF: [(&str, &[(&str, &str)]); 6] = [
    ("verify", &[("0", "allow"), ("1", "deny")]),
    ("due", &[("0", "nothing is due"), ("1", "something is")]),
    (
        "scan",
        &[
            ("0", "nothing was found"),
            ("1", "something was"),
            ("3", "something could not be read, nothing was found"),
        ],
    ),
    ("serve", &[("0", "it stopped when told to; with --check: it would start")]),
    (
        "audit verify",
        &[
            ("0", "whole"),
            ("1", "altered, reordered or forged"),
            ("2", "shorter than the anchor, or with a gap"),
            ("3", "sealed, or not to be checked"),
            ("4", "wrong words"),
        ],
    ),
    ("audit fingerprint", &[("0", "it was tried"), ("1", "it never was")]),
];
const VARIABLES: [(&str, &str); 7] = [
    ("KEYDECK_DATA", "the store's directory, as --data"),
    ("KEYDECK_OPERATOR", "who signs in, as --operator"),
    (
        "KEYDECK_LOG",
        "how much is logged: off, error, warn, info, debug, trace, or of a part alone, such as warn,keydeck::deliver=debug",
    ),
    ("XDG_DATA_HOME, XDG_CONFIG_HOME, XDG_STATE_HOME", "where the files below are"),
    ("NO_COLOR", "no colours, whatever it holds"),
    ("TZ", "the zone in which times are shown and dates are meant"),
    ("SSH_CONNECTION, TMUX", "how a secret reaches the clipboard of the terminal"),
];
const OF_SERVE: [(&str, &str); 4] = [
    ("CREDENTIALS_DIRECTORY", "where systemd puts keydeck.key or keydeck.passphrase"),
    ("LISTEN_FDS, LISTEN_PID", "a socket that a supervisor opened, which is answered on"),
    (
        "NOTIFY_SOCKET, WATCHDOG_USEC",
        "where a supervisor is told how it goes, and how often that it is awake",
    ),
    ("JOURNAL_STREAM", "that the journal reads standard error: lines carry their level and no time"),
];
const FILES: [(&str, &str); 5] = [
    ("~/.local/share/keydeck", "the store, its seal and its socket for other commands, control.sock"),
    ("~/.local/share/keydeck/catalog.toml", "the agency's own scopes"),
    ("~/.config/keydeck/config.toml", "the configuration"),
    ("~/.local/state/keydeck/keydeck.log", "the log, but of a server whose standard error somebody collects"),
    ("~/.local/state/keydeck/views", "how each operator left the console"),
];

/// Prints the manual, or writes its pages.
pub fn run(deck: &Deck, args: &Man, mut whole: Command) -> Outcome {
    whole = whole.disable_help_subcommand(true);
    whole.build();
    let failed =
        |what: &Path, error: io::Error| Fault::refused("output", format!("{}: {error}.", what.display()));
    let Some(dir) = &args.dir else {
        let pages: String = pages(&whole, path()).into_iter().map(|page| page.text).collect();
        deck.output.bytes(pages.as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    };
    std::fs::create_dir_all(dir).map_err(|error| failed(dir, error))?;
    let pages = pages(&whole, path());
    for page in &pages {
        let path = dir.join(format!("{}.1", page.name()));
        write_public(&path, page.text.as_bytes()).map_err(|error| failed(&path, error))?;
    }
    deck.output.say(&format!("{} pages in {}", pages.len(), dir.display()));
    Ok(ExitCode::SUCCESS)
}

/// Writes a file that everybody may read, whole or not at all.
pub(super) fn write_public(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;
    let mut file = Beside::of(path)?;
    file.file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
    file.file().write_all(bytes)?;
    file.appear(There::Goes)
}

/// The words of the program alone.
fn path() -> Vec<String> {
    vec!["keydeck".to_owned()]
}

/// A page, by the words of its command.
struct Page {
    path: Vec<String>,
    text: String,
}

impl Page {
    /// `keydeck-key-create`.
    fn name(&self) -> String {
        self.path.join("-")
    }
}

/// The pages of a command, whose words these are, and of all below it.
fn pages(command: &Command, path: Vec<String>) -> Vec<Page> {
    let below = command.get_subcommands().filter(|verb| !verb.is_hide_set()).flat_map(|verb| {
        let path = path.iter().cloned().chain([verb.get_name().to_owned()]);
        pages(verb, path.collect())
    });
    let below: Vec<Page> = below.collect();
    let text = page(command, &path);
    std::iter::once(Page { path, text }).chain(below).collect()
}

fn page(command: &Command, path: &[String]) -> String {
    let man = clap_mangen::Man::new(command.clone())
        .title(path.join("-").to_uppercase())
        .date(DATE)
        .source(concat!("keydeck ", env!("CARGO_PKG_VERSION")))
        .manual("keydeck");
    let mut bytes = Vec::new();
    // Writing to a Vec cannot fail.
    let _ = man.render_title(&mut bytes);
    let _ = man.render_name_section(&mut bytes);
    bytes.extend(synopsis(command).into_bytes());
    let _ = man.render_description_section(&mut bytes);
    let _ = man.render_options_section(&mut bytes);
    if command.get_subcommands().any(|verb| !verb.is_hide_set()) {
        let _ = man.render_subcommands_section(&mut bytes);
    }
    let mut rest = Roff::new();
    if let Some(more) = command.get_after_long_help().or_else(|| command.get_after_help()) {
        rest.control("SH", ["NOTES"]);
        for (at, line) in more.to_string().lines().filter(|line| !line.trim().is_empty()).enumerate() {
            if at > 0 {
                rest.control("PP", []);
            }
            rest.text([roman(line.trim())]);
        }
    }
    let words = path.get(1..).unwrap_or_default();
    let of = words.join(" ");
    list(&mut rest, "EXIT STATUS", exit_codes(&of));
    let more = if of == "serve" { &OF_SERVE[..] } else { &[] };
    list(&mut rest, "ENVIRONMENT", VARIABLES.iter().chain(more).copied());
    list(&mut rest, "FILES", FILES);
    show(&mut rest, examples().filter(|(_, line)| is_of(command, words, line)));
    see_also(&mut rest, path);
    let text = String::from_utf8_lossy(&bytes).into_owned() + &rest.render();
    // Each part begins with what one page needs once; an empty line is a request of its own.
    let preamble = Roff::new().render();
    preamble.clone() + &text.replace(&preamble, "").replace(".br\n\n.br\n", ".sp\n")
}

/// How it is called, as its help says.
fn synopsis(command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    let mut part = Roff::new();
    part.control("SH", ["SYNOPSIS"]);
    for (at, line) in usage.lines().map(|line| line.trim_start_matches("Usage:").trim()).enumerate() {
        if at > 0 {
            part.control("br", []);
        }
        part.text([bold(line)]);
    }
    part.render()
}

fn exit_codes(of: &str) -> Vec<(&'static str, &'static str)> {
    let own =
        EXIT_OF.iter().filter(|(command, _)| *command == of).flat_map(|(_, codes)| codes.iter().copied());
    let own: Vec<(&str, &str)> = own.collect();
    let others = EXIT.iter().copied().filter(|(code, _)| own.iter().all(|(other, _)| code != other));
    let mut codes: Vec<_> = own.iter().copied().chain(others).collect();
    codes.sort_unstable_by_key(|(code, _)| *code);
    codes
}

fn show(page: &mut Roff, examples: impl Iterator<Item = (&'static str, &'static str)>) {
    let mut said = None;
    for (what, line) in examples {
        if said.is_none() {
            page.control("SH", ["EXAMPLES"]);
        }
        if said != Some(what) {
            if said.is_some() {
                page.control("PP", []);
            }
            page.text([roman(what)]);
        }
        said = Some(what);
        page.control("RS", ["4"]).control("nf", []).text([bold(line)]).control("fi", []).control("RE", []);
    }
}

/// The page of the program, and that of the family.
fn see_also(page: &mut Roff, path: &[String]) {
    let above = (1..path.len()).filter_map(|depth| path.get(..depth)).map(|path| path.join("-"));
    let mut others: Vec<Inline> = Vec::new();
    for name in above {
        if !others.is_empty() {
            others.push(roman(", "));
        }
        others.extend([bold(name), roman("(1)")]);
    }
    if !others.is_empty() {
        page.control("SH", ["SEE ALSO"]).text(others);
    }
}

/// Pages bear the day on which this version was made ready; the build sets none of its own, so that it can be repeated.
pub(super) const DATE: &str = "2026-11-28";

fn list<'t>(page: &mut Roff, head: &str, items: impl IntoIterator<Item = (&'t str, &'t str)>) {
    page.control("SH", [head]);
    for (name, what) in items {
        page.control("TP", []).text([bold(name)]).text([roman(what)]);
    }
}

/// Each command line, with the sentence above it.
fn examples() -> impl Iterator<Item = (&'static str, &'static str)> {
    let mut what = "";
    EXAMPLES.lines().filter_map(move |line| match line.strip_prefix(PROMPT) {
        Some(command) => Some((what, command)),
        None => {
            what = line;
            None
        }
    })
}

/// Whether a command line is one of this very command.
fn is_of(command: &Command, path: &[String], line: &str) -> bool {
    // What stands before the command is an option with its value.
    let mut rest: Vec<&str> = line.split(' ').skip(1).collect();
    while rest.first().is_some_and(|word| word.starts_with("--")) {
        rest = rest.split_off(2.min(rest.len()));
    }
    let next = rest.get(path.len());
    let goes_on = command.get_subcommands().any(|verb| Some(&verb.get_name()) == next);
    let begins = rest.iter().zip(path).filter(|(word, step)| *word == step).count() == path.len();
    begins && !goes_on && (!path.is_empty() || rest.is_empty())
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::*;
    use crate::cli::args::Cli;

    fn whole() -> Command {
        let mut whole = Cli::command().disable_help_subcommand(true);
        whole.build();
        whole
    }

    /// The words of a command line as a shell has them, up to the first redirection.
    fn words(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut quoted = false;
        for c in line.chars() {
            match c {
                '"' => quoted = !quoted,
                ' ' if !quoted => words.push(String::new()),
                c => words.last_mut().unwrap().push(c),
            }
        }
        let end =
            words.iter().position(|word| matches!(word.as_str(), "<" | ">" | "|")).unwrap_or(words.len());
        words.truncate(end);
        words
    }

    #[test]
    fn every_example_is_understood_and_every_command_has_one() {
        for (what, line) in examples() {
            assert!(what.ends_with('.') && !what.starts_with('$'), "{what}");
            if let Err(error) = Cli::try_parse_from(words(line)) {
                panic!("{line}: {error}");
            }
        }
        let without = |page: &Page| {
            let is_family = whole_at(&page.path).get_subcommands().count() > 0;
            !is_family && !page.text.contains(".SH EXAMPLES")
        };
        let bare: Vec<String> =
            pages(&whole(), path()).iter().filter(|page| without(page)).map(Page::name).collect();
        assert!(bare.is_empty(), "{bare:?}");
    }

    fn whole_at(path: &[String]) -> Command {
        path.iter().skip(1).fold(whole(), |command, word| command.find_subcommand(word).unwrap().clone())
    }

    #[test]
    fn a_page_says_what_its_exit_code_means_and_shows_its_own_examples() {
        let pages = pages(&whole(), path());
        let page = |name: &str| &pages.iter().find(|page| page.name() == name).unwrap().text;
        assert!(page("keydeck-due").contains("something is\n"));
        assert!(!page("keydeck-due").contains("refused by a rule"));
        assert!(
            page("keydeck-app-new-key").contains("keydeck app new\\-key"),
            "{}",
            page("keydeck-app-new-key")
        );
        assert!(!page("keydeck-app-new-key").contains("new\\-secret \""));
        assert!(page("keydeck-serve").contains("CREDENTIALS_DIRECTORY"));
        assert!(page("keydeck-key-undo").contains("keydeck key undo report.json"));
        assert!(page("keydeck").contains("KEYDECK_LOG") && page("keydeck").contains(".SH EXAMPLES"));
        assert!(pages.len() > 80, "{}", pages.len());
    }
}
