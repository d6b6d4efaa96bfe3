//! `keydeck info`: what a person, or whoever helps them, needs to know when something does not work. Nothing is
//! unsealed unless a passphrase file or key file is given; then the store's own health is told too.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use super::door::Deck;
use super::fault::{Exit, Fault};
use super::lockdown::LockdownLine;
use super::output::shown;
use super::{Outcome, logging, times};
use crate::crypto::header_file::HeaderFile;
use crate::domain::delivery::{Channel, ChannelName, Failing, waits};
use crate::domain::{Timestamp, View};
use crate::engine::audit_log::Span;
use crate::engine::{self, Condition, OpenError, Sweeps, Unwritten, Writing, open};
use crate::files;
use crate::store::{Standing, holder_of};
use crate::tui::clipboard::{Preference, Seat};

#[derive(Serialize)]
struct Info {
    version: &'static str,
    paths: Paths,
    /// What is wrong in configuration, keymap and theme. The console starts all the same.
    mistakes: Vec<String>,
    store: StoreInfo,
    catalog: CatalogInfo,
    clipboard: ClipboardInfo,
    terminal: TerminalInfo,
}

#[derive(Serialize)]
struct Paths {
    data: Option<String>,
    config: Option<String>,
    config_exists: bool,
    log: Option<String>,
    log_level: String,
    /// Where it is remembered how operators left the console.
    views: Option<String>,
    /// Why that is remembered nowhere; absent when it is.
    views_problem: Option<String>,
}

#[derive(Serialize)]
struct StoreInfo {
    exists: bool,
    standing: String,
    /// Who has it open, in words: another process.
    owner: Option<String>,
    /// Whether this command worked through that process.
    attached: bool,
    slots: Option<usize>,
    free_bytes: Option<u64>,
    unsealed: Option<Unsealed>,
}

#[derive(Serialize)]
struct Unsealed {
    agency: String,
    backend: &'static str,
    revision: u64,
    disk_bytes: Option<u64>,
    keys: usize,
    trail: Option<TrailLine>,
    clock_suspect: bool,
    /// Why nobody should believe the clock.
    clock_doubt: Option<String>,
    /// Why what is used is not written down; absent when it is.
    uses_failing: Option<UsesFailing>,
    /// Since when no use was lost, as far as it is known.
    uses_complete_since: Option<String>,
    /// Why the seal beside the database could not be replaced; absent when it was.
    seal_behind: Option<String>,
    /// What takes access away, is in force and waits for the disk; absent when all is written.
    denials_unwritten: Option<DenialsUnwritten>,
    /// How sweeps go in the process that has the store; absent while none was begun.
    sweeps: Option<SweepsLine>,
    /// The channels through which notices are not delivered, for admins.
    channels_failing: Vec<ChannelFailing>,
    /// What is locked down, as far as whoever asks may know.
    lockdowns: Vec<LockdownLine>,
    doubts: Vec<String>,
}

/// The audit trail, as far as it is in the store.
#[derive(Serialize)]
struct TrailLine {
    entries: u64,
    since: Option<String>,
    /// The last entry that is no longer in the store, of a trail that was trimmed.
    trimmed_upto: Option<u64>,
    trimmed_into: Option<String>,
    /// The first entry that is in that file, if that is known.
    trimmed_into_from: Option<u64>,
    #[serde(skip)]
    words: String,
}

impl TrailLine {
    fn of(span: Span) -> Self {
        let Span { first, last, since, older } = span;
        let entries = (last + 1).saturating_sub(first);
        let mut words = if entries == 1 { "1 entry".to_owned() } else { format!("{entries} entries") };
        words.extend(since.map(|at| format!(" since {}", times::local(at))));
        words.extend(older.as_ref().map(|older| format!("; {}", older.in_words(times::local))));
        Self {
            entries,
            since: since.map(Timestamp::rfc3339),
            trimmed_upto: older.as_ref().map(|older| older.upto),
            trimmed_into_from: older.as_ref().and_then(|older| older.told.as_ref()?.first),
            trimmed_into: older.and_then(|older| older.told).map(|told| told.file),
            words,
        }
    }
}

#[derive(Serialize)]
struct DenialsUnwritten {
    denials: usize,
    since: Option<String>,
    why: String,
    /// Whether they outlive the process that holds them.
    kept: bool,
    #[serde(skip)]
    words: String,
}

#[derive(Serialize)]
struct SweepsLine {
    tried_at: String,
    done_at: Option<String>,
    /// Why the last one was not done; absent when it was.
    failing: Option<String>,
}

#[derive(Serialize)]
struct ChannelFailing {
    channel: String,
    since: String,
    /// Messages that wait to be tried again.
    waiting: usize,
    /// Whether the other end said that it is gone for good.
    gone: bool,
    why: String,
}

#[derive(Serialize)]
struct UsesFailing {
    since: String,
    why: String,
    unwritten: usize,
}

#[derive(Serialize)]
struct CatalogInfo {
    source: String,
    title: Option<String>,
    scopes: Option<usize>,
    problem: Option<String>,
}

#[derive(Serialize)]
struct ClipboardInfo {
    configured: &'static str,
    uses: &'static str,
}

#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "six facts, each yes or no")]
struct TerminalInfo {
    stdin: bool,
    stdout: bool,
    stderr: bool,
    term: Option<String>,
    colour: bool,
    ssh: bool,
    tmux: bool,
    size: Option<(u16, u16)>,
}

/// Tells all of it.
pub fn run(deck: &Deck) -> Outcome {
    let (store, exit) = store(deck);
    let info = Info {
        version: env!("CARGO_PKG_VERSION"),
        paths: paths(deck),
        mistakes: mistakes(deck),
        store,
        catalog: catalog(deck),
        clipboard: ClipboardInfo {
            configured: word(deck.config.clipboard),
            uses: clipboard(deck.config.clipboard),
        },
        terminal: terminal(deck),
    };
    if deck.output.is_json() {
        deck.output.value(&info)?;
    } else {
        deck.output.text(&page(&info))?;
    }
    let wrong = (!info.mistakes.is_empty()).then_some(Exit::Usage);
    Ok(exit.or(wrong).map_or(ExitCode::SUCCESS, super::code))
}

fn mistakes(deck: &Deck) -> Vec<String> {
    let config = &deck.config;
    let ours = config.mistakes.iter().map(ToString::to_string);
    let looks = crate::tui::looks::mistakes(config.keymap.as_deref(), &config.theme);
    let strict = config.channels.as_ref().err().into_iter().chain(config.anchoring.as_ref().err());
    ours.chain(looks).chain(strict.cloned()).collect()
}

fn paths(deck: &Deck) -> Paths {
    let config = deck.globals.config.clone().or_else(|| deck.places.config_file());
    Paths {
        data: deck.data().ok().map(|p| p.display().to_string()),
        config_exists: config.as_ref().is_some_and(|p| p.exists()),
        config: config.map(|p| p.display().to_string()),
        log: deck.places.log_file().map(|p| p.display().to_string()),
        views: deck.places.habits().map(|p| p.display().to_string()),
        views_problem: match deck.places.habits() {
            Some(dir) => files::not_writable(&dir).map(|why| format!("nothing is remembered: {why}")),
            None => Some("nothing is remembered: there is no home directory".into()),
        },
        log_level: std::env::var(logging::VARIABLE).unwrap_or_else(|_| "warn".into()),
    }
}

/// How the store stands, and what the shell is told when it cannot be used.
fn store(deck: &Deck) -> (StoreInfo, Option<Exit>) {
    let dir = match deck.data() {
        Ok(dir) => dir,
        Err(fault) => return (StoreInfo::none(fault.to_string(), None), Some(fault.exit())),
    };
    let free_bytes = free(&dir);
    match open::is_store(&dir) {
        Ok(true) => {}
        Ok(false) => return (StoreInfo::none("none; `keydeck init` makes one".into(), free_bytes), None),
        Err(error) => {
            let exists = error.is_unseal();
            let fault = Fault::from(error);
            let none = StoreInfo::none(fault.to_string(), free_bytes);
            return (StoreInfo { exists, ..none }, Some(fault.exit()));
        }
    }
    let (slots, mut standing, mut exit) = match HeaderFile::new(&dir).load() {
        Ok(header) => (Some(header.slots().len()), "sealed".to_owned(), None),
        Err(error) => (None, error.to_string(), Some(Exit::Sealed)),
    };
    let owner = holder_of(&dir);
    let mut attached = false;
    let mut unsealed = None;
    if deck.globals.passphrase_file.is_some() || deck.globals.key_file.is_some() {
        match deck.sign_in() {
            Ok(signed) => {
                attached = signed.owner.is_some();
                exit = None;
                let Condition { health, writing, complete_since, unwritten, sweeps, channels } =
                    signed.engine.condition();
                standing = match engine::standing(&*signed.engine) {
                    Standing::Writable => "open, takes changes".into(),
                    Standing::ReadOnly(why) => format!("open, read-only: {why}"),
                    Standing::Down(why) => {
                        exit = Some(Exit::Unavailable);
                        format!("open, not usable now: {why}")
                    }
                };
                let trail = signed.engine.span(&signed.session).ok().map(TrailLine::of);
                let state = signed.engine.state();
                let view = View::new(&state, signed.session.actor());
                unsealed = Some(Unsealed {
                    agency: state.agency_name().to_owned(),
                    backend: health.backend,
                    revision: health.rev.0,
                    disk_bytes: health.disk_bytes,
                    keys: state.key_count(),
                    trail,
                    clock_suspect: signed.engine.now().suspect,
                    clock_doubt: signed.engine.clock().doubt(),
                    uses_failing: match writing {
                        Writing::Ok => None,
                        Writing::Failing { since, why, unwritten } => {
                            Some(UsesFailing { since: since.rfc3339(), why, unwritten })
                        }
                    },
                    uses_complete_since: complete_since.map(Timestamp::rfc3339),
                    seal_behind: health.seal_behind,
                    denials_unwritten: denials_unwritten(unwritten),
                    sweeps: sweeps_line(sweeps),
                    channels_failing: channels_failing(view, channels.as_deref(), signed.engine.now().time),
                    lockdowns: view
                        .lockdowns()
                        .into_iter()
                        .map(|(of, stands)| LockdownLine::of(view, of, stands))
                        .collect(),
                    doubts: signed.engine.doubts().iter().map(ToString::to_string).collect(),
                });
            }
            Err(fault) => {
                standing = fault.to_string();
                exit = Some(fault.exit());
            }
        }
    }
    (StoreInfo { exists: true, standing, owner, attached, slots, free_bytes, unsealed }, exit)
}

impl StoreInfo {
    fn none(standing: String, free_bytes: Option<u64>) -> Self {
        let (owner, attached, slots, unsealed) = (None, false, None, None);
        Self { exists: false, standing, owner, attached, slots, free_bytes, unsealed }
    }
}

fn channels_failing(view: View<'_>, named: Option<&[ChannelName]>, now: Timestamp) -> Vec<ChannelFailing> {
    let line = |(channel, failing): (&Channel, Failing)| ChannelFailing {
        channel: channel.name.to_string(),
        since: failing.since.rfc3339(),
        waiting: channel.waiting.len(),
        gone: channel.gone.is_some(),
        why: failing.why,
    };
    view.channels().filter_map(|channel| engine::fails(channel, named, now)).map(line).collect()
}

fn denials_unwritten(left: Unwritten) -> Option<DenialsUnwritten> {
    let words = left.in_words()?;
    let Unwritten { denials, since, why, kept, .. } = left;
    Some(DenialsUnwritten { denials, since: since.map(Timestamp::rfc3339), why, kept, words })
}

fn sweeps_line(Sweeps { tried, done, why_not }: Sweeps) -> Option<SweepsLine> {
    Some(SweepsLine { tried_at: tried?.rfc3339(), done_at: done.map(Timestamp::rfc3339), failing: why_not })
}

/// Bytes free where the store lives or would live.
fn free(dir: &Path) -> Option<u64> {
    let there = dir.ancestors().find(|path| path.exists())?;
    let about = rustix::fs::statvfs(there).ok()?;
    about.f_bavail.checked_mul(about.f_frsize)
}

fn catalog(deck: &Deck) -> CatalogInfo {
    let source = match (&deck.config.catalog, deck.data()) {
        (Some(path), _) => path.display().to_string(),
        // One that cannot be looked at is not the built-in one; reading it says why.
        (None, Ok(dir)) if dir.join(open::CATALOG_FILE).try_exists().unwrap_or(true) => {
            dir.join(open::CATALOG_FILE).display().to_string()
        }
        _ => "built in".into(),
    };
    match deck.options().map(|options| open::read_catalog(&options)) {
        Ok(Ok(read)) => CatalogInfo {
            source,
            title: Some(format!("{} {}", read.title(), read.version())),
            scopes: Some(read.len()),
            problem: None,
        },
        Ok(Err(error)) => problem(source, &error),
        Err(_) => CatalogInfo { source, title: None, scopes: None, problem: None },
    }
}

fn problem(source: String, error: &OpenError) -> CatalogInfo {
    CatalogInfo { source, title: None, scopes: None, problem: Some(error.to_string()) }
}

fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

const fn word(preference: Preference) -> &'static str {
    match preference {
        Preference::Auto => "auto",
        Preference::Native => "native",
        Preference::Osc52 => "osc52",
        Preference::Off => "off",
    }
}

fn is_remote() -> bool {
    Seat::read(|name| std::env::var(name).ok()) == Seat::Remote
}

/// What the preference comes to here: over SSH the person's clipboard is at the other end of the terminal.
fn clipboard(preference: Preference) -> &'static str {
    let display = cfg!(target_os = "macos") || is_set("WAYLAND_DISPLAY") || is_set("DISPLAY");
    match preference {
        Preference::Off => "none",
        Preference::Native if !display => "none: there is no display",
        Preference::Native => "desktop",
        Preference::Auto if display && !is_remote() => "desktop",
        Preference::Auto | Preference::Osc52 => "terminal (OSC 52)",
    }
}

fn terminal(deck: &Deck) -> TerminalInfo {
    TerminalInfo {
        stdin: io::stdin().is_terminal(),
        stdout: io::stdout().is_terminal(),
        stderr: io::stderr().is_terminal(),
        term: std::env::var("TERM").ok(),
        colour: deck.output.has_colour(),
        ssh: is_remote(),
        tmux: is_set("TMUX"),
        size: crossterm::terminal::size().ok().filter(|_| io::stdout().is_terminal()),
    }
}

fn page(info: &Info) -> String {
    let mut out = format!("keydeck {}\n", info.version);
    let mut line = |what: &str, text: &str| {
        let _ = writeln!(out, "  {what:<10} {}", shown(text));
    };
    let or_none = |path: &Option<String>| path.clone().unwrap_or_else(|| "none".into());
    line("data", &or_none(&info.paths.data));
    let absent = if info.paths.config_exists { "" } else { " (not there)" };
    line("config", &format!("{}{absent}", or_none(&info.paths.config)));
    line("log", &format!("{}, level {}", or_none(&info.paths.log), info.paths.log_level));
    line("views", &or_none(&info.paths.views));
    if let Some(why) = &info.paths.views_problem {
        line("", why);
    }
    for mistake in &info.mistakes {
        line("mistake", mistake);
    }
    line("store", &info.store.standing);
    if let Some(owner) = &info.store.owner {
        let how = if info.store.attached { "; this command is attached to it" } else { "" };
        line("owner", &format!("{owner}{how}"));
    }
    if let Some(slots) = info.store.slots {
        line("slots", &format!("{slots} ways to unseal it"));
    }
    if let Some(free) = info.store.free_bytes {
        line("free", &format!("{} MiB", free / 1024 / 1024));
    }
    if let Some(open) = &info.store.unsealed {
        line("agency", &open.agency);
        line("backend", &format!("{}, revision {}", open.backend, open.revision));
        let whose = if info.store.attached { " that you may see" } else { "" };
        line("keys", &format!("{}{whose}", open.keys));
        if let Some(trail) = &open.trail {
            line("trail", &trail.words);
        }
        if let Some(why) = &open.clock_doubt {
            line("clock", &format!("in doubt: {why}; `keydeck clock show` tells more"));
        }
        if let Some(failing) = &open.uses_failing {
            let UsesFailing { since, why, unwritten } = failing;
            line("uses", &format!("not written down since {since} ({unwritten} keys wait): {why}"));
        } else if let Some(since) = &open.uses_complete_since {
            line("uses", &format!("none lost since {since}"));
        }
        if let Some(left) = &open.denials_unwritten {
            line("denials", &left.words);
        }
        if let Some(why) = &open.seal_behind {
            line("seal", &format!("behind, a store put back in time might go unnoticed: {why}"));
        }
        if let Some(SweepsLine { tried_at, done_at, failing }) = &open.sweeps {
            let done =
                done_at.as_ref().map_or_else(|| "none done".to_owned(), |at| format!("last done {at}"));
            match failing {
                Some(why) => line("sweeps", &format!("{done}; not done {tried_at}: {why}")),
                None => line("sweeps", &done),
            }
        }
        for ChannelFailing { channel, since, waiting, gone, why } in &open.channels_failing {
            let left = match waiting {
                _ if *gone => "nothing is sent any more".into(),
                0 => "no message waits".into(),
                n => waits(*n),
            };
            line("channel", &format!("{channel} delivers nothing since {since}, {left}: {why}"));
        }
        for lockdown in &open.lockdowns {
            line("lockdown", &lockdown.in_words());
        }
        for doubt in &open.doubts {
            line("doubt", doubt);
        }
    }
    let scopes = info.catalog.scopes.map_or_else(String::new, |n| format!(", {n} scopes"));
    let title = info.catalog.title.as_ref().map_or_else(String::new, |t| format!(": {t}"));
    line("catalog", &format!("{}{title}{scopes}", info.catalog.source));
    if let Some(problem) = &info.catalog.problem {
        line("", problem);
    }
    line("clipboard", &format!("{} (configured: {})", info.clipboard.uses, info.clipboard.configured));
    let t = &info.terminal;
    let size = t.size.map_or_else(String::new, |(w, h)| format!(", {w}×{h}"));
    let yes = |on: bool| if on { "yes" } else { "no" };
    line(
        "terminal",
        &format!(
            "{}{size}; input {}, output {}, colour {}, ssh {}, tmux {}",
            t.term.as_deref().unwrap_or("TERM unset"),
            yes(t.stdin),
            yes(t.stdout),
            yes(t.colour),
            yes(t.ssh),
            yes(t.tmux)
        ),
    );
    out
}
