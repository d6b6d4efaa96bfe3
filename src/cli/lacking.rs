//! What is missing from a command line, in whole sentences: which words, what each is for, and a line that would do.

use std::ffi::OsString;
use std::fmt::Write as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory as _};

use super::args::Cli;

/// A line that works for each command that needs words.
const EXAMPLES: &[(&str, &str)] = &[
    ("init", "init --agency Acme --operator maria"),
    ("operator add", "operator add ann --role manager"),
    ("operator role", "operator role ann viewer"),
    ("operator disable", "operator disable ann --keys give:maria"),
    ("operator enable", "operator enable ann"),
    ("location add", "location add Harbour Station"),
    ("location rename", "location rename Harbour Seaside"),
    ("location remove", "location remove Harbour"),
    ("key create", "key create --name Export --agency --scope contacts.read"),
    ("key import", "key import --name Export --agency --scope contacts.read --secret-file old.secret"),
    ("key show", "key show Export"),
    ("key pause", "key pause Export"),
    ("key resume", "key resume Export"),
    ("key rotate", "key rotate Export --grace 24h"),
    ("key undo", "key undo report.json --dry-run"),
    ("key lost", "key lost Export"),
    ("key revoke", "key revoke Export --reason leaked"),
    ("key delete", "key delete Export"),
    ("key restore", "key restore Export"),
    ("key rescope", "key rescope Export --add contacts.write"),
    ("key edit", "key edit Export --expires 1y"),
    ("key keep", "key keep Export"),
    ("key protect", "key protect Export --why yearly"),
    ("key unprotect", "key unprotect Export"),
    ("key transfer", "key transfer Export --to jonas"),
    (
        "app create",
        "app create --name Bot --uri https://bot.example --user-type guest --source bot --auth key --scope contacts.read",
    ),
    ("app show", "app show Bot"),
    ("app edit", "app edit Bot --name Booking"),
    ("app rotate", "app rotate Bot"),
    ("app new-secret", "app new-secret Bot"),
    ("app new-key", "app new-key Bot"),
    ("app pause", "app pause Bot"),
    ("app resume", "app resume Bot"),
    ("app delete", "app delete Bot"),
    ("lockdown", "lockdown --owner jonas --reason 'a laptop was stolen'"),
    ("lockdown lift", "lockdown lift --owner jonas"),
    ("scope check", "scope check catalog.toml"),
    ("policy set", "policy set idle-days 90"),
    ("notices ack", "notices ack Export"),
    ("notices snooze", "notices snooze Export --for 3d"),
    ("notices move", "notices move mail post"),
    ("notices drop", "notices drop mail"),
    ("audit trim", "audit trim --before 2027-01-01 --to trail-2026.jsonl"),
    ("review report", "review report review.md"),
    ("scan", "scan src config"),
    ("backup", "backup /mnt/other/keydeck.kdb"),
    ("restore", "restore /mnt/other/keydeck.kdb --data /srv/keydeck-new"),
    ("guide", "guide nginx"),
    ("completions", "completions bash"),
];

/// What to say instead of the parser's own words, when something is missing.
pub fn in_words(error: &clap::Error, words: &[OsString]) -> Option<String> {
    match error.kind() {
        ErrorKind::UnknownArgument => return token_in_words(error, words),
        ErrorKind::MissingRequiredArgument => {}
        _ => return None,
    }
    let Some(ContextValue::Strings(missing)) = error.get(ContextKind::InvalidArg) else { return None };
    let (path, command) = called(words);
    let mut text = format!("`keydeck {path}` needs more than that. Missing:");
    let founder = (path == "init" && !is_named(words)).then(|| FOUNDER.to_owned());
    for usage in missing.iter().chain(&founder) {
        let _ = write!(text, "\n  {usage}");
        if let Some(help) = help_of(&command, usage) {
            let _ = write!(text, ": {help}");
        }
    }
    if let Some((_, example)) = EXAMPLES.iter().find(|(of, _)| *of == path) {
        let _ = write!(text, "\nFor example: keydeck {example}");
    }
    let _ = write!(text, "\nAll its words: keydeck {path} --help");
    Some(text)
}

/// How the founder of a store is named, unless the configuration file does it.
const FOUNDER: &str = "--operator <NAME>";

/// Whether anything outside of the configuration file says who signs in.
fn is_named(words: &[OsString]) -> bool {
    let named = |word: &OsString| word == "--operator" || word.as_encoded_bytes().starts_with(b"--operator=");
    words.iter().any(named) || std::env::var_os("KEYDECK_OPERATOR").is_some_and(|name| !name.is_empty())
}

/// What to say of a word that may be a token, given to what reads one. It is not repeated: in part or mistyped it is
/// nearly a secret, and an access token is one in any shape.
fn token_in_words(error: &clap::Error, words: &[OsString]) -> Option<String> {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidArg) else { return None };
    let (path, _) = called(words);
    let reads = matches!(path.as_str(), "verify" | "audit fingerprint") && !word.starts_with('-');
    reads.then(|| {
        format!(
            "The token goes on standard input, never on the command line, where the shell's history and other users \
             can read it: keydeck {path} < FILE. If that was a whole token, revoke its key now."
        )
    })
}

/// The command that the words call, and its name behind the program's.
fn called(words: &[OsString]) -> (String, Command) {
    let mut command = Cli::command();
    command.build();
    let mut path = Vec::new();
    for word in words.iter().skip(1) {
        if let Some(verb) = word.to_str().and_then(|word| command.find_subcommand(word)).cloned() {
            path.push(verb.get_name().to_owned());
            command = verb;
        }
    }
    (path.join(" "), command)
}

/// What a word is for, as its help says. A choice of several says it of each.
fn help_of(command: &Command, usage: &str) -> Option<String> {
    let said = |arg: &clap::Arg| arg.get_help().map(ToString::to_string);
    // What is needed only where another is not stands in brackets by itself, and here as what is needed.
    let bare = |text: &str| text.replace(['<', '>', '[', ']'], "");
    if let Some(arg) = command.get_arguments().find(|arg| bare(&arg.to_string()) == bare(usage)) {
        return said(arg);
    }
    let choice = usage.strip_prefix('<')?.strip_suffix('>')?;
    let each = choice.split('|').filter_map(|one| {
        let arg = command.get_arguments().find(|arg| bare(&arg.to_string()) == bare(one))?;
        said(arg).map(|help| format!("\n    {one}: {help}"))
    });
    Some(format!("one of these{}", each.collect::<String>()))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn leaves(command: &Command, path: &str, all: &mut Vec<(String, Command)>) {
        for verb in command.get_subcommands().filter(|verb| verb.get_name() != "help") {
            let path = format!("{path} {}", verb.get_name()).trim().to_owned();
            if verb.has_subcommands() {
                leaves(verb, &path, all);
            } else {
                all.push((path, verb.clone()));
            }
        }
    }

    #[test]
    fn whatever_is_missing_is_named_with_what_it_is_for_and_an_example_that_works() {
        let mut whole = Cli::command();
        whole.build();
        let mut all = Vec::new();
        leaves(&whole, "", &mut all);
        for (path, _) in all {
            let words: Vec<OsString> =
                ["keydeck"].into_iter().chain(path.split(' ')).map(OsString::from).collect();
            let Err(error) = Cli::try_parse_from(&words) else { continue };
            let told = in_words(&error, &words).unwrap_or_else(|| panic!("{path}: {error}"));
            let example = told.lines().find_map(|line| line.strip_prefix("For example: "));
            let example = example.unwrap_or_else(|| panic!("{path} has no example"));
            assert!(example.starts_with(&format!("keydeck {path}")), "{example}");
            assert!(Cli::try_parse_from(example.split(' ')).is_ok(), "{example}");
            for line in told.lines().filter(|line| line.starts_with("  ")) {
                assert!(line.contains(": "), "{path}: {line} says not what it is for");
            }
        }
    }

    #[test]
    fn no_value_is_answered_with_words_of_the_standard_library() {
        let mut whole = Cli::command();
        whole.build();
        let mut all = vec![(String::new(), whole.clone())];
        leaves(&whole, "", &mut all);
        for (path, command) in all {
            for name in command.get_arguments().filter_map(clap::Arg::get_long) {
                for value in ["\u{bf}", "-1", "99999999999999999999", "1e400"] {
                    let option = format!("--{name}={value}");
                    let words =
                        ["keydeck"].into_iter().chain(path.split_whitespace()).chain([option.as_str()]);
                    let Err(error) = Cli::try_parse_from(words) else { continue };
                    let told = error.to_string();
                    for raw in ["invalid digit", "number too", "empty string", "invalid float", "premature"] {
                        assert!(!told.contains(raw), "{told}");
                    }
                }
            }
        }
    }
}
