//! The configuration file: TOML, every field optional, a field nobody reads is a mistake and said with its line.
//!
//! ```toml
//! data      = "~/keys"        # the store; default: the XDG data directory, `keydeck` in it
//! operator  = "maria"         # who signs in; default: nobody, --operator says it
//! catalog   = "scopes.toml"   # default: catalog.toml beside the store, else the built-in one
//! theme     = "auto"          # a theme's name or a file; default "auto"
//! keymap    = "keymap.toml"   # keys of one's own on top of the built-in ones; default: none
//! clipboard = "auto"          # auto, native, osc52 or off; default "auto"
//! ascii     = false           # draw with ASCII only; default false
//! motion    = "full"          # none: nothing moves by itself; default "full"
//! mouse     = true            # let the mouse click; default true
//! listen    = "unix:/run/keydeck/http.sock"   # where `keydeck serve` answers; default 127.0.0.1:8787
//! ```
//!
//! The console starts whatever is wrong with how it looks and listens: what is right counts, and all mistakes are listed. So does
//! `keydeck info`. What says which store is opened is strict: a file that is no TOML, and `data`, `operator` and `catalog`, also
//! when a name is only near to one of them. Every other command takes no file with a mistake.
//!
//! Tables `[channel.NAME]` set up how notices are delivered, and `[anchor]` where `keydeck serve` keeps anchors of the audit
//! trail: see `channels`. A mistake there stops those that do it, and nobody else.
//!
//! Relative paths, also those of theme and keymap, start at the directory of the file.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::channels;
use super::fault::Fault;
use super::output::shown;
use super::places::Places;
use super::problem::Problem;
use crate::deliver::{Anchoring, Channels};
use crate::domain::catalog::text::nearest;
use crate::files;
use crate::serve::http::{BadEndpoint, Endpoint};
use crate::tui::Located;
use crate::tui::clipboard::Preference;
use crate::tui::theme::{THEMES, Theme};

/// What the file says; see the module for the defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The store's directory.
    pub data: Option<PathBuf>,
    /// Who signs in.
    pub operator: Option<String>,
    /// The scope catalog.
    pub catalog: Option<PathBuf>,
    /// Name or file of a theme.
    pub theme: String,
    /// Keys of one's own.
    pub keymap: Option<PathBuf>,
    /// How secrets reach the clipboard.
    pub clipboard: Preference,
    /// Draw with ASCII only.
    pub ascii: bool,
    /// Nothing moves by itself.
    pub still: bool,
    /// Let the mouse click.
    pub mouse: bool,
    /// Where `keydeck serve` answers.
    pub listen: Option<Endpoint>,
    /// What is wrong with how the console shall look and listen.
    pub mistakes: Vec<Located>,
    /// How notices are delivered.
    pub channels: Channels,
    /// Where anchors of the audit trail are kept, or what is wrong with that.
    pub anchoring: Result<Option<Anchoring>, String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: None,
            operator: None,
            catalog: None,
            theme: "auto".into(),
            keymap: None,
            clipboard: Preference::Auto,
            ascii: false,
            still: false,
            mouse: true,
            listen: None,
            mistakes: Vec::new(),
            channels: Ok(Vec::new()),
            anchoring: Ok(None),
        }
    }
}

const FIELDS: [&str; 12] = [
    "data",
    "operator",
    "catalog",
    "theme",
    "keymap",
    "clipboard",
    "ascii",
    "motion",
    "mouse",
    "listen",
    "channel",
    "anchor",
];
/// What says which store is opened, by whom, and with which scopes.
const STRICT: [&str; 3] = ["data", "operator", "catalog"];
/// Far more than these fields and their comments need.
const MAX_BYTES: usize = 64 * 1024;

/// Reads the file that was named, or the default one if there is one.
pub fn read(named: Option<&Path>, places: &Places) -> Result<Config, Fault> {
    let Some(path) = named.map(Path::to_owned).or_else(|| places.config_file()) else {
        return Ok(Config::default());
    };
    let fail = |why: String| {
        Fault::usage(format!("The configuration file {} cannot be read: {why}.", path.display()))
    };
    let file = match files::open(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound && named.is_none() => return Ok(Config::default()),
        opened => opened.map_err(|error| fail(error.to_string()))?,
    };
    let text = files::text_of(file, MAX_BYTES).map_err(|error| fail(error.to_string()))?;
    let base = path.parent().unwrap_or(Path::new(""));
    let located = |what: String| format!("The configuration file {}, {what}", path.display());
    let (mut config, lenient) =
        parse(&text, |written| places.resolve(written, base)).map_err(|problems| {
            // No command runs, and so none lists the others.
            let mut said = problems.iter().map(|problem| problem.located(&text));
            let first = located(said.next().unwrap_or_default());
            Fault::usage(said.fold(first, |all, other| format!("{all}\nBeside that, {other}")))
        })?;
    let file = path.display().to_string();
    config.mistakes = lenient.into_iter().map(|problem| problem.place(&file, &text)).collect();
    let ours = |what: &str| {
        files::must_be_ours(&path).map_err(|why| {
            let path = path.display();
            format!("The configuration file {path} sets up {what}, and {why}.")
        })
    };
    config.channels = config.channels.map_err(located).and_then(|all| {
        let safe = if all.is_empty() { Ok(()) } else { ours("channels, which run programs") };
        safe.map(|()| all)
    });
    config.anchoring = config.anchoring.map_err(located).and_then(|anchoring| {
        let safe = if anchoring.is_none() { Ok(()) } else { ours("where anchors go") };
        safe.map(|()| anchoring)
    });
    Ok(config)
}

impl Config {
    /// Refuses a file in which anything is wrong, as every command does that is no console.
    pub fn strictly(&self) -> Result<(), Fault> {
        let Some(first) = self.mistakes.first() else { return Ok(()) };
        let more = match self.mistakes.len() - 1 {
            0 => String::new(),
            more => format!(" And {more} more: `keydeck info` lists them."),
        };
        let Located { file, line, message, .. } = first;
        Err(Fault::usage(format!("The configuration file {file}, line {line}: {message}{more}")))
    }
}

/// What the text says, and what is wrong with the looks in it; or all that is wrong, what nothing runs with before the rest.
fn parse(text: &str, resolve: impl Fn(&str) -> PathBuf) -> Result<(Config, Vec<Problem>), Vec<Problem>> {
    let document = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(text.len(), |span| span.start);
        vec![Problem::at(at, format!("this is not TOML: {}.", shown(error.message())))]
    })?;
    let (mut config, mut mistakes, mut refused) = (Config::default(), Vec::new(), Vec::new());
    for (name, value) in document.get_ref() {
        let wrong =
            |must: &str| Problem::at(value.span().start, format!("\"{}\" must be {must}.", name.get_ref()));
        let string = || match value.get_ref() {
            DeValue::String(text) => Ok(text.as_ref()),
            _ => Err(wrong("a text in quotes")),
        };
        let switch = || match value.get_ref() {
            DeValue::Boolean(on) => Ok(*on),
            _ => Err(wrong("true or false")),
        };
        let path = || string().map(|written| Some(resolve(written)));
        match name.get_ref().as_ref() {
            "data" => set(&mut config.data, path(), &mut refused),
            "operator" => {
                set(&mut config.operator, string().map(|name| Some(name.to_owned())), &mut refused);
            }
            "catalog" => set(&mut config.catalog, path(), &mut refused),
            "theme" => match string() {
                Ok(word) if Theme::is_name(word) => word.clone_into(&mut config.theme),
                Ok(word) if resolve(word).exists() => config.theme = resolve(word).display().to_string(),
                Ok(word) => mistakes.push(no_theme(value.span().start, word)),
                Err(problem) => mistakes.push(problem),
            },
            "keymap" => set(&mut config.keymap, path(), &mut mistakes),
            "clipboard" => {
                let word = string().ok().and_then(Preference::parse);
                // Who meant off must not have a secret copied for a slip.
                config.clipboard = word.unwrap_or(Preference::Off);
                if word.is_none() {
                    mistakes.push(wrong("auto, native, osc52 or off; until then nothing is copied"));
                }
            }
            "ascii" => set(&mut config.ascii, switch(), &mut mistakes),
            "motion" => match string() {
                Ok("none") => config.still = true,
                Ok("full") => config.still = false,
                _ => mistakes.push(wrong("full or none")),
            },
            "mouse" => set(&mut config.mouse, switch(), &mut mistakes),
            "listen" => match string().map(str::parse::<Endpoint>) {
                Ok(Ok(Endpoint::Unix(path))) => {
                    config.listen = Some(Endpoint::Unix(resolve(&path.to_string_lossy())));
                }
                Ok(Ok(place)) => config.listen = Some(place),
                Ok(Err(BadEndpoint)) => mistakes
                    .push(wrong("an address with its port, such as 127.0.0.1:8787, or unix: and a path")),
                Err(problem) => mistakes.push(problem),
            },
            "anchor" => {
                let read = channels::anchoring(value, &resolve);
                config.anchoring = read.map(Some).map_err(|problem| problem.located(text));
            }
            "channel" => {
                config.channels = channels::parse(value, &resolve).map_err(|problem| problem.located(text));
            }
            other => {
                let hint = nearest(other, FIELDS).map_or_else(String::new, |n| format!(" Did you mean {n}?"));
                let what = format!(
                    "there is no field \"{}\".{hint} The fields are {}.",
                    shown(other),
                    FIELDS.join(", ")
                );
                let problem = Problem::at(name.span().start, what);
                // Who misspells where the store is must not get another one.
                let strict = nearest(other, FIELDS).is_some_and(|near| STRICT.contains(&near));
                if strict { &mut refused } else { &mut mistakes }.push(problem);
            }
        }
    }
    mistakes.sort_by_key(Problem::start);
    if refused.is_empty() {
        return Ok((config, mistakes));
    }
    refused.sort_by_key(Problem::start);
    refused.append(&mut mistakes);
    Err(refused)
}

/// Takes what was read, or notes what is wrong with it.
fn set<T>(field: &mut T, read: Result<T, Problem>, mistakes: &mut Vec<Problem>) {
    match read {
        Ok(value) => *field = value,
        Err(problem) => mistakes.push(problem),
    }
}

fn no_theme(at: usize, word: &str) -> Problem {
    let hint = nearest(word, THEMES).map_or_else(String::new, |near| format!(" Did you mean {near}?"));
    let names = THEMES.join(", ");
    Problem::at(
        at,
        format!(
            "there is no theme \"{}\", and no such file.{hint} The themes are auto, {names}.",
            shown(word)
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lenient(text: &str) -> Result<(Config, Vec<String>), String> {
        let (config, mistakes) = parse(text, |written| Path::new("/base").join(written))
            .map_err(|problems| problems[0].located(text))?;
        Ok((config, mistakes.iter().map(|problem| problem.located(text)).collect()))
    }

    /// What a command makes of it.
    fn read(text: &str) -> Result<Config, String> {
        let (config, mistakes) = lenient(text)?;
        mistakes.into_iter().next().map_or(Ok(config), Err)
    }

    #[test]
    fn all_fields_are_read_and_paths_start_at_the_file() {
        let config = read(
            "data = 'keys'\noperator = \"maria\"\ncatalog='/c.toml'\ntheme='dark'\nkeymap='k.toml'\n\
             clipboard='osc52'\nascii=true\nmouse=false\nmotion='none'\nlisten='unix:http.sock'\n",
        )
        .unwrap();
        assert_eq!(config.data.unwrap(), Path::new("/base/keys"));
        assert_eq!(config.catalog.unwrap(), Path::new("/c.toml"));
        assert_eq!(config.clipboard, Preference::Osc52);
        assert_eq!(config.listen, Some(Endpoint::Unix("/base/http.sock".into())));
        assert!(config.ascii && !config.mouse && config.still);
        assert_eq!(read("# nothing\n"), Ok(Config::default()));
    }

    #[test]
    fn a_mistake_is_said_with_its_line_and_what_was_meant() {
        let said = read("\n# x\noprator = 'maria'\n").unwrap_err();
        assert!(said.starts_with("line 3: there is no field \"oprator\". Did you mean operator?"), "{said}");
        assert!(read("listen = 'here'").unwrap_err().contains("must be an address with its port"));
        assert_eq!(read("mouse = 1").unwrap_err(), "line 1: \"mouse\" must be true or false.");
        assert!(read("\nclipboard = 'x'").unwrap_err().contains("2: \"clipboard\" must be auto, native"));
        assert!(read("a = [\n").unwrap_err().contains("this is not TOML"));
        assert!(read("[channel.mail]\na = [\n").unwrap_err().contains("this is not TOML"));
        assert!(read("theme='a'\ntheme='b'\n").unwrap_err().starts_with("line 2: "));
    }

    #[test]
    fn what_is_right_beside_a_mistake_in_the_looks_counts_and_all_mistakes_are_told() {
        let text = "theme = 'drak'\nascii = true\nmous = false\nmotion = 3\nclipboard = 'of'\nkeymap = 1\n";
        let (config, mistakes) = lenient(text).unwrap();
        assert!(config.ascii && config.mouse && !config.still);
        assert_eq!((config.theme.as_str(), config.clipboard), ("auto", Preference::Off));
        let begin: Vec<_> = mistakes.iter().map(|said| said.split('.').next().unwrap()).collect();
        assert_eq!(
            begin,
            [
                "line 1: there is no theme \"drak\", and no such file",
                "line 3: there is no field \"mous\"",
                "line 4: \"motion\" must be full or none",
                "line 5: \"clipboard\" must be auto, native, osc52 or off; until then nothing is copied",
                "line 6: \"keymap\" must be a text in quotes",
            ]
        );
        assert!(mistakes[0].contains("Did you mean dark?") && mistakes[1].contains("Did you mean mouse?"));
    }

    #[test]
    fn what_says_which_store_is_opened_is_strict() {
        for text in ["daat = 'keys'\n", "oprator = 'x'\n", "data = 1\n", "catalogue = 'x'\n", "a = [\n"] {
            assert!(lenient(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_mistake_in_a_channel_leaves_the_rest_of_the_file_as_it_is() {
        for (channel, said) in [
            ("[channel.mail]\ncommand = 'mail'\n", "line 3: \"command\" must be a list of texts"),
            ("[channel.mail]\ncomand = ['/bin/mail']\n", "line 3: a channel has no field \"comand\""),
            ("channel = 1\n", "line 2: \"channel\" must be tables"),
        ] {
            let config = read(&format!("operator = 'maria'\n{channel}")).unwrap();
            assert_eq!(config.operator.as_deref(), Some("maria"));
            let told = config.channels.unwrap_err();
            assert!(told.starts_with(said), "{told}");
        }
    }
}
