//! The channels of the configuration file: how notices leave the screen. They name programs that this process runs, so they
//! are taken from a file that nobody else can write, and from nowhere else.
//!
//! ```toml
//! [channel.mail]                             # any name: small letters, digits and hyphens
//! command = ["/usr/local/bin/notice-mail"]   # a program, absolute, and its arguments; no shell
//! seconds = 30                               # how long it may take; default 30, 600 at most
//! only    = ["deletion", "ends"]             # kinds of notices; default all
//! ```

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::config::Problem;
use super::output::shown;
use crate::deliver::{Program, Setup, Way};
use crate::domain::catalog::text::nearest;
use crate::domain::delivery::KINDS;

/// How long a channel takes that does not say.
const SECONDS: i64 = 30;
const MAX_SECONDS: i64 = 600;
const FIELDS: [&str; 3] = ["command", "seconds", "only"];

/// Refuses a file that somebody else may write.
pub fn must_be_ours(file: &std::fs::File) -> io::Result<()> {
    let about = file.metadata()?;
    let (ours, others) = (rustix::process::geteuid().as_raw(), about.mode() & 0o022);
    if others == 0 && (about.uid() == ours || about.uid() == 0) {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::PermissionDenied,
        "it sets up channels, which run programs, and others may write it. Make it yours and close it with `chmod go-w`",
    ))
}

/// Reads the table of channels.
pub fn parse(table: &Spanned<DeValue<'_>>) -> Result<Vec<Setup>, Problem> {
    let DeValue::Table(table) = table.get_ref() else {
        return Err(Problem::at(table.span().start, "\"channel\" must be tables, such as [channel.mail]."));
    };
    let mut all = Vec::new();
    for (name, value) in table {
        let start = name.span().start;
        let called = name.get_ref().parse().map_err(|why| {
            Problem::at(start, format!("\"{}\" is no name for a channel: {why}.", shown(name.get_ref())))
        })?;
        let DeValue::Table(fields) = value.get_ref() else {
            return Err(Problem::at(value.span().start, format!("[channel.{called}] must be a table.")));
        };
        let (way, only) = one(fields, start)?;
        all.push(Setup { name: called, way, only });
    }
    Ok(all)
}

fn one(fields: &DeTable<'_>, start: usize) -> Result<(Way, Vec<String>), Problem> {
    let (mut command, mut seconds, mut only) = (None, SECONDS, Vec::new());
    for (name, value) in fields {
        let wrong =
            |must: &str| Problem::at(value.span().start, format!("\"{}\" must be {must}.", name.get_ref()));
        match name.get_ref().as_ref() {
            "command" => {
                command = Some(texts(value).filter(|words| is_command(words)).ok_or_else(|| {
                    wrong("a list of texts: an absolute path to a program, and its arguments")
                })?);
            }
            "seconds" => {
                let DeValue::Integer(number) = value.get_ref() else { return Err(wrong("a number")) };
                seconds = i64::from_str_radix(number.as_str(), number.radix())
                    .ok()
                    .filter(|number| (1..=MAX_SECONDS).contains(number))
                    .ok_or_else(|| wrong(&format!("a number from 1 to {MAX_SECONDS}")))?;
            }
            "only" => {
                let known = |words: &Vec<String>| words.iter().all(|word| KINDS.contains(&word.as_str()));
                only = texts(value)
                    .filter(known)
                    .ok_or_else(|| wrong(&format!("a list of kinds: {}", KINDS.join(", "))))?;
            }
            other => {
                let hint = nearest(other, FIELDS).map_or_else(String::new, |n| format!(" Did you mean {n}?"));
                let what = format!(
                    "a channel has no field \"{}\".{hint} The fields are {}.",
                    shown(other),
                    FIELDS.join(", ")
                );
                return Err(Problem::at(name.span().start, what));
            }
        }
    }
    let limit = Duration::from_secs(seconds.unsigned_abs());
    let mut words = command.ok_or_else(|| Problem::at(start, "a channel needs a \"command\"."))?.into_iter();
    let path = words.next().map(PathBuf::from).unwrap_or_default();
    Ok((Way::Program(Program { path, arguments: words.collect(), limit }), only))
}

fn texts(value: &Spanned<DeValue<'_>>) -> Option<Vec<String>> {
    let DeValue::Array(values) = value.get_ref() else { return None };
    let text = |value: &Spanned<DeValue<'_>>| match value.get_ref() {
        DeValue::String(text) => Some(text.to_string()),
        _ => None,
    };
    values.iter().map(text).collect()
}

fn is_command(words: &[String]) -> bool {
    words.first().is_some_and(|program| Path::new(program).is_absolute())
        && words.iter().all(|word| !word.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Setup>, String> {
        let document = DeTable::parse(text).unwrap();
        let (_, value) = document.get_ref().iter().next().unwrap();
        parse(value).map_err(|problem| problem.what)
    }

    #[test]
    fn a_channel_runs_a_program_with_its_arguments_and_for_so_long() {
        let all = read(
            "[channel.mail]\ncommand = ['/bin/mail', '-s', 'a b']\nseconds = 5\nonly = ['ends']\n\
             [channel.desk]\ncommand = ['/bin/notify']\n",
        );
        let all = all.unwrap();
        let [desk, mail] = &all[..] else { panic!("{all:?}") };
        assert_eq!(desk.name.as_str(), "desk");
        assert!(desk.only.is_empty());
        let Way::Program(program) = &mail.way;
        assert_eq!(program.path, Path::new("/bin/mail"));
        assert_eq!(program.arguments, ["-s", "a b"]);
        assert_eq!(program.limit, Duration::from_secs(5));
        assert_eq!(mail.only, ["ends"]);
    }

    #[test]
    fn a_mistake_in_a_channel_is_said_in_words() {
        for (text, said) in [
            ("[channel.Mail]\ncommand = ['/bin/mail']", "is no name for a channel"),
            ("[channel.mail]\ncommand = ['mail']", "an absolute path to a program"),
            ("[channel.mail]\ncommand = '/bin/mail -s'", "a list of texts"),
            ("[channel.mail]\ncommand = []", "an absolute path to a program"),
            ("[channel.mail]\ncommand = ['/bin/mail']\nseconds = 0", "a number from 1 to 600"),
            ("[channel.mail]\ncommand = ['/bin/mail']\nonly = ['end']", "a list of kinds: deletion, "),
            ("[channel.mail]\ncomand = ['/bin/mail']", "Did you mean command?"),
            ("[channel.mail]\nseconds = 3", "needs a \"command\""),
            ("channel = 1", "must be tables"),
            ("channel.mail = 1", "must be a table"),
        ] {
            let problem = read(text).unwrap_err();
            assert!(problem.contains(said), "{text}: {problem}");
        }
    }
}
