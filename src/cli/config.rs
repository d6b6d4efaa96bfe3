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
//! mouse     = true            # let the mouse click; default true
//! ```
//!
//! Tables `[channel.NAME]` set up how notices are delivered, and `[anchor]` where `keydeck serve` keeps anchors of the audit
//! trail: see `channels`. A mistake there stops those that do it, and nobody else.
//!
//! Relative paths start at the directory of the file.

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
use crate::tui::clipboard::Preference;

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
    /// Let the mouse click.
    pub mouse: bool,
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
            mouse: true,
            channels: Ok(Vec::new()),
            anchoring: Ok(None),
        }
    }
}

const FIELDS: [&str; 10] =
    ["data", "operator", "catalog", "theme", "keymap", "clipboard", "ascii", "mouse", "channel", "anchor"];
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
    let mut config = parse(&text, |written| places.resolve(written, base))
        .map_err(|problem| Fault::usage(located(problem.located(&text))))?;
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

fn parse(text: &str, resolve: impl Fn(&str) -> PathBuf) -> Result<Config, Problem> {
    let document = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(text.len(), |span| span.start);
        Problem::at(at, format!("this is not TOML: {}.", shown(error.message())))
    })?;
    let mut config = Config::default();
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
            "data" => config.data = path()?,
            "operator" => config.operator = Some(string()?.to_owned()),
            "catalog" => config.catalog = path()?,
            "theme" => string()?.clone_into(&mut config.theme),
            "keymap" => config.keymap = path()?,
            "clipboard" => {
                let word = string()?;
                config.clipboard =
                    Preference::parse(word).ok_or_else(|| wrong("auto, native, osc52 or off"))?;
            }
            "ascii" => config.ascii = switch()?,
            "mouse" => config.mouse = switch()?,
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
                return Err(Problem::at(name.span().start, what));
            }
        }
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, String> {
        parse(text, |written| Path::new("/base").join(written)).map_err(|problem| problem.located(text))
    }

    #[test]
    fn all_fields_are_read_and_paths_start_at_the_file() {
        let config = read(
            "data = 'keys'\noperator = \"maria\"\ncatalog='/c.toml'\ntheme='dark'\nkeymap='k.toml'\n\
             clipboard='osc52'\nascii=true\nmouse=false\n",
        )
        .unwrap();
        assert_eq!(config.data.unwrap(), Path::new("/base/keys"));
        assert_eq!(config.catalog.unwrap(), Path::new("/c.toml"));
        assert_eq!(config.clipboard, Preference::Osc52);
        assert!(config.ascii && !config.mouse);
        assert_eq!(read("# nothing\n"), Ok(Config::default()));
    }

    #[test]
    fn a_mistake_is_said_with_its_line_and_what_was_meant() {
        let said = read("\n# x\noprator = 'maria'\n").unwrap_err();
        assert!(said.starts_with("line 3: there is no field \"oprator\". Did you mean operator?"), "{said}");
        assert_eq!(read("mouse = 1").unwrap_err(), "line 1: \"mouse\" must be true or false.");
        assert!(read("\nclipboard = 'x'").unwrap_err().contains("2: \"clipboard\" must be auto, native"));
        assert!(read("a = [\n").unwrap_err().contains("this is not TOML"));
        assert!(read("[channel.mail]\na = [\n").unwrap_err().contains("this is not TOML"));
        assert!(read("theme='a'\ntheme='b'\n").unwrap_err().starts_with("line 2: "));
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
