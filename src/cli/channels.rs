//! The channels of the configuration file: how notices leave the screen. They name programs that this process runs, so they
//! are taken from a file that nobody else can write or replace, and from nowhere else.
//!
//! ```toml
//! [channel.mail]                             # any name: small letters, digits and hyphens
//! command = ["/usr/local/bin/notice-mail"]   # a program, absolute, and its arguments; no shell
//! seconds = 30                               # how long it may take; default 30, 600 at most
//! only    = ["deletion", "ends"]             # kinds of notices; default all
//!
//! [channel.chat]                             # in a build with the feature webhook
//! webhook = "https://hooks.example.com/keys" # in place of a command
//! secret  = "chat.secret"                    # file with whsec_…, for nobody else to read
//! ca      = "ca.pem"                         # certificates that vouch for it; default the system's
//!
//! [anchor]                                   # the newest entry of the audit trail, kept elsewhere by `keydeck serve`
//! file    = "/mnt/other/keydeck.anchors"     # grows by a line each time
//! command = ["/usr/local/bin/keep-anchor"]   # takes the line on its standard input
//! every   = "1h"                             # default 1h, 7d at most
//! ```

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::Utc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::output::shown;
use super::problem::Problem;
use crate::deliver::{Anchoring, Program, Setup, Way};
use crate::domain::catalog::text::nearest;
use crate::domain::delivery::KINDS;
use crate::domain::time::DAY_MS;
use crate::domain::{Expiry, Timestamp};

/// How long a channel takes that does not say.
const SECONDS: i64 = 30;
const MAX_SECONDS: i64 = 600;
const FIELDS: [&str; 6] = ["command", "webhook", "secret", "ca", "seconds", "only"];

/// Reads the table of channels.
pub fn parse(table: &Spanned<DeValue<'_>>, resolve: &dyn Fn(&str) -> PathBuf) -> Result<Vec<Setup>, Problem> {
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
        let (way, only) = one(fields, start, resolve)?;
        all.push(Setup { name: called, way, only });
    }
    Ok(all)
}

fn one(
    fields: &DeTable<'_>,
    start: usize,
    resolve: &dyn Fn(&str) -> PathBuf,
) -> Result<(Way, Vec<String>), Problem> {
    let (mut command, mut seconds, mut only) = (None, SECONDS, Vec::new());
    let mut post = Post::default();
    for (name, value) in fields {
        let wrong =
            |must: &str| Problem::at(value.span().start, format!("\"{}\" must be {must}.", name.get_ref()));
        let quoted = || text(value).ok_or_else(|| wrong("a text in quotes"));
        match name.get_ref().as_ref() {
            "command" => {
                command = Some(texts(value).filter(|words| is_command(words)).ok_or_else(|| {
                    wrong("a list of texts: an absolute path to a program, and its arguments")
                })?);
            }
            "webhook" => {
                post.url = Some((quoted()?, value.span().start));
            }
            "secret" => post.secret = Some(resolve(&quoted()?)),
            "ca" => post.ca = Some(resolve(&quoted()?)),
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
    let way = match (command, post) {
        (Some(words), Post { url: None, secret: None, ca: None }) => {
            let mut words = words.into_iter();
            let path = words.next().map(PathBuf::from).unwrap_or_default();
            Way::Program(Program { path, arguments: words.collect(), limit })
        }
        (None, post) => post.way(limit).map_err(|(at, what)| Problem::at(at.unwrap_or(start), what))?,
        (Some(_), _) => {
            return Err(Problem::at(start, "a channel has a \"command\" or a \"webhook\", and not both."));
        }
    };
    Ok((way, only))
}

/// How often anchors are kept that do not say.
const HOURLY: Duration = Duration::from_secs(3_600);
const ANCHOR_FIELDS: [&str; 3] = ["file", "command", "every"];

/// Reads the table `[anchor]`.
pub fn anchoring(
    table: &Spanned<DeValue<'_>>,
    resolve: &dyn Fn(&str) -> PathBuf,
) -> Result<Anchoring, Problem> {
    let start = table.span().start;
    let DeValue::Table(fields) = table.get_ref() else {
        return Err(Problem::at(start, "\"anchor\" must be a table: [anchor]."));
    };
    let mut anchoring = Anchoring { file: None, program: None, every: HOURLY };
    for (name, value) in fields {
        let wrong =
            |must: &str| Problem::at(value.span().start, format!("\"{}\" must be {must}.", name.get_ref()));
        match name.get_ref().as_ref() {
            "file" => anchoring.file = Some(resolve(&text(value).ok_or_else(|| wrong("a text in quotes"))?)),
            "command" => {
                let words = texts(value).filter(|words| is_command(words));
                let words = words.ok_or_else(|| {
                    wrong("a list of texts: an absolute path to a program, and its arguments")
                })?;
                let mut words = words.into_iter();
                let path = words.next().map(PathBuf::from).unwrap_or_default();
                let limit = Duration::from_secs(SECONDS.unsigned_abs());
                anchoring.program = Some(Program { path, arguments: words.collect(), limit });
            }
            "every" => {
                let life =
                    text(value).and_then(|text| Expiry::parse(&text, Timestamp(0), &Utc).ok()?.instant());
                let life = life.filter(|life| (1..=7 * DAY_MS).contains(&life.0));
                let life = life.ok_or_else(|| wrong("a time such as \"1h\", 7d at most"))?;
                anchoring.every = Duration::from_millis(life.0.unsigned_abs());
            }
            other => {
                let hint =
                    nearest(other, ANCHOR_FIELDS).map_or_else(String::new, |n| format!(" Did you mean {n}?"));
                let (other, fields) = (shown(other), ANCHOR_FIELDS.join(", "));
                let what = format!("[anchor] has no field \"{other}\".{hint} The fields are {fields}.");
                return Err(Problem::at(name.span().start, what));
            }
        }
    }
    if anchoring.file.is_none() && anchoring.program.is_none() {
        return Err(Problem::at(start, "[anchor] needs a \"file\" or a \"command\"."));
    }
    Ok(anchoring)
}

/// What is said of a server.
#[derive(Default)]
struct Post {
    /// Its address, and where that stands.
    url: Option<(String, usize)>,
    secret: Option<PathBuf>,
    ca: Option<PathBuf>,
}

impl Post {
    /// How to post to it, or what is wrong, and where.
    #[cfg(feature = "webhook")]
    fn way(self, limit: Duration) -> Result<Way, (Option<usize>, String)> {
        let Some((url, at)) = self.url else {
            return Err((None, "a channel needs a \"command\" or a \"webhook\".".into()));
        };
        let url = crate::deliver::WebhookUrl::parse(&url)
            .map_err(|must| (Some(at), format!("\"webhook\" must be {must}.")))?;
        let secret = self.secret.ok_or_else(|| {
            (
                None,
                "a webhook needs a \"secret\": a file with whsec_ and the Base64 of 24 to 64 bytes."
                    .to_owned(),
            )
        })?;
        let authorities = self.ca;
        Ok(Way::Webhook(crate::deliver::Webhook { url, secret, authorities, limit }))
    }

    #[cfg(not(feature = "webhook"))]
    fn way(self, _: Duration) -> Result<Way, (Option<usize>, String)> {
        Err(match self.url {
            None => (None, "a channel needs a \"command\".".into()),
            Some((_, at)) => {
                let what = "this keydeck was built without webhooks. Build it with --features webhook, or have a \"command\" \
                            post the message.";
                (Some(at), what.into())
            }
        })
    }
}

fn text(value: &Spanned<DeValue<'_>>) -> Option<String> {
    if let DeValue::String(text) = value.get_ref() { Some(text.to_string()) } else { None }
}

fn texts(value: &Spanned<DeValue<'_>>) -> Option<Vec<String>> {
    let DeValue::Array(values) = value.get_ref() else { return None };
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
        parse(value, &|path| Path::new("/base").join(path)).map_err(|problem| problem.what)
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
        let arguments = vec!["-s".into(), "a b".into()];
        let limit = Duration::from_secs(5);
        assert_eq!(mail.way, Way::Program(Program { path: "/bin/mail".into(), arguments, limit }));
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
            ("[channel.chat]\ncommand = ['/bin/mail']\nwebhook = 'https://a.example/'", "and not both"),
            ("channel = 1", "must be tables"),
            ("channel.mail = 1", "must be a table"),
        ] {
            let problem = read(text).unwrap_err();
            assert!(problem.contains(said), "{text}: {problem}");
        }
    }

    #[test]
    fn anchors_go_to_a_file_or_a_program_each_so_often_and_a_mistake_is_said_in_words() {
        let read = |text: &str| {
            let document = DeTable::parse(text).unwrap();
            let (_, value) = document.get_ref().iter().next().unwrap();
            anchoring(value, &|path| Path::new("/base").join(path)).map_err(|problem| problem.what)
        };
        let known = read("[anchor]\nfile = 'a'\ncommand = ['/bin/logger', '-t', 'k']\nevery = '2h'").unwrap();
        assert_eq!(known.file.as_deref(), Some(Path::new("/base/a")));
        assert_eq!(known.program.unwrap().arguments, ["-t", "k"]);
        assert_eq!((known.every, read("[anchor]\nfile = 'a'").unwrap().every), (HOURLY * 2, HOURLY));
        for (text, said) in [
            ("anchor = 1", "must be a table"),
            ("[anchor]\nevery = '1h'", "needs a \"file\" or a \"command\""),
            ("[anchor]\nfile = 'a'\nevery = 'never'", "a time such as"),
            ("[anchor]\nfile = 'a'\nevery = '8d'", "7d at most"),
            ("[anchor]\nfil = 'a'", "Did you mean file?"),
            ("[anchor]\ncommand = ['logger']", "an absolute path"),
        ] {
            let problem = read(text).unwrap_err();
            assert!(problem.contains(said), "{text}: {problem}");
        }
    }

    #[cfg(not(feature = "webhook"))]
    #[test]
    fn a_build_without_webhooks_says_so() {
        let problem = read("[channel.chat]\nwebhook = 'https://a.example/'\nsecret = 's'").unwrap_err();
        assert!(problem.contains("built without webhooks"), "{problem}");
    }

    #[cfg(feature = "webhook")]
    #[test]
    fn a_server_is_named_by_its_address_and_a_file_with_a_secret() {
        let all =
            read("[channel.chat]\nwebhook = 'https://a.example/'\nsecret = 's'\nca = '/ca.pem'").unwrap();
        let [Setup { way: Way::Webhook(hook), .. }] = &all[..] else { panic!("{all:?}") };
        assert_eq!(hook.secret, Path::new("/base/s"));
        assert_eq!(hook.authorities.as_deref(), Some(Path::new("/ca.pem")));
        let problem = read("[channel.chat]\nwebhook = 'http://a.example/'\nsecret = 's'").unwrap_err();
        assert!(problem.contains("http:// only to 127.0.0.1"), "{problem}");
        let problem = read("[channel.chat]\nwebhook = 'https://a.example/'").unwrap_err();
        assert!(problem.contains("needs a \"secret\""), "{problem}");
    }
}
