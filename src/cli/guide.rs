//! `keydeck guide`: a proxy's configuration or a secret scanner's rules, ready to paste; a page of the guide, or all of it as a book.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{ArgGroup, Args};

use super::Outcome;
use super::book::{self, CHAPTERS, Chapter};
use super::door::Deck;
use super::fault::Fault;
use super::man::{DATE, write_public};
use super::number::whole;
use crate::serve::guide::{self, Proxy, Wiring};

/// Words of `guide`.
#[derive(Debug, Args)]
#[command(
    group(ArgGroup::new("what").required(true).multiple(true).args(["name", "html", "man"])),
    after_help = listed()
)]
pub struct Guide {
    /// Which proxy, which scanner, or which page
    #[arg(value_name = "NAME", value_parser = PossibleValuesParser::new(names()), hide_possible_values = true)]
    name: Option<String>,
    /// Where `keydeck serve` listens: HOST:PORT (haproxy: an IP address), or for nginx and caddy `unix:/PATH`
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8787")]
    listen: String,
    /// Where your own server listens, which gets the requests that pass
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:3000")]
    upstream: String,
    /// The port the proxy itself takes
    #[arg(long, value_name = "PORT", default_value_t = 8080, value_parser = whole::<u16>(1..=65_535))]
    port: u16,
    /// Write the whole guide into this directory as one file for a browser, keydeck-guide.html
    #[arg(long, value_name = "DIR")]
    html: Option<PathBuf>,
    /// Write each page into this directory as one of the manual, such as /usr/local/share/man/man7
    #[arg(long, value_name = "DIR")]
    man: Option<PathBuf>,
}

/// Rules for scanners, by file; the tests hold them against what is found here.
const GITLEAKS: &str = include_str!("../../assets/guide/scanners/gitleaks.toml");
const SECRETLINT: &str = include_str!("../../assets/guide/scanners/secretlintrc.json");
const PRE_COMMIT: &str = include_str!("../../assets/guide/scanners/pre-commit-config.yaml");

/// Those rules, by name.
const SCANNERS: [(&str, &str, &str); 3] = [
    ("gitleaks", "Rules for gitleaks", GITLEAKS),
    ("secretlint", "Rules for secretlint", SECRETLINT),
    ("pre-commit", "`keydeck scan` before each commit", PRE_COMMIT),
];

/// Whatever can be asked for.
fn names() -> Vec<PossibleValue> {
    let proxies = Proxy::ALL.into_iter().map(|proxy| PossibleValue::new(proxy.as_str()));
    let scanners = SCANNERS.iter().map(|(name, what, _)| PossibleValue::new(*name).help(*what));
    let pages = CHAPTERS.iter().map(|chapter| PossibleValue::new(chapter.name).help(chapter.title()));
    proxies.chain(scanners).chain(pages).collect()
}

/// The same in lines, for whoever looks for a name.
fn listed() -> String {
    let proxies = Proxy::ALL.map(Proxy::as_str).join(", ");
    let scanners = SCANNERS.map(|(name, ..)| name).join(", ");
    let pages = CHAPTERS.iter().map(|chapter| chapter.name).collect::<Vec<_>>().join(", ");
    format!("Proxies: {proxies}.\nScanners: {scanners}.\nPages of the guide: {pages}.")
}

/// Prints it, or writes the book.
pub fn run(deck: &Deck, args: &Guide) -> Outcome {
    if let Some(dir) = &args.html {
        write(dir, "keydeck-guide.html", &book::html())?;
    }
    if let Some(dir) = &args.man {
        for chapter in CHAPTERS {
            write(dir, &format!("keydeck-guide-{}.7", chapter.name), &book::manual(chapter, DATE))?;
        }
    }
    if let Some(name) = &args.name {
        deck.output.text(&named(args, name)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn write(dir: &Path, name: &str, text: &str) -> Result<(), Fault> {
    let path = dir.join(name);
    let written = std::fs::create_dir_all(dir).and_then(|()| write_public(&path, text.as_bytes()));
    written.map_err(|error: io::Error| Fault::refused("output", format!("{}: {error}.", path.display())))
}

fn named(args: &Guide, name: &str) -> Result<String, Fault> {
    let proxy = Proxy::ALL.into_iter().find(|proxy| proxy.as_str() == name);
    let rules = SCANNERS.iter().find(|(known, ..)| *known == name);
    match (proxy, rules, Chapter::named(name)) {
        (Some(proxy), ..) => of_proxy(args, proxy),
        (_, Some((.., rules)), _) => Ok((*rules).to_owned()),
        (.., Some(chapter)) => Ok(chapter.text()),
        (None, None, None) => Err(Fault::usage(format!("The guide has nothing of the name {name}."))),
    }
}

fn of_proxy(args: &Guide, proxy: Proxy) -> Result<String, Fault> {
    let wiring = Wiring { keydeck: &args.listen, upstream: &args.upstream, port: args.port };
    guide::snippet(proxy, wiring).map_err(|error| Fault::usage(error.to_string()))
}
