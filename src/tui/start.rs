//! From what the command line knows to a running console, and back to a clean terminal.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::app::console::{Keydeck, Setting};
use super::app::custody::Custody;
use super::app::door::Way;
use super::app::effect::Outcome;
use super::app::times::{Zone, unknown_zone};
use super::app::worker::{Hand, NewsLine};
use super::clipboard::{Clipboard, Preference, Seat};
use super::clock::SteadyClock;
use super::located::Located;
use super::looks;
use super::program::Capture;
use super::runtime::{Ending, Runtime, Surroundings};
use super::signals;
use super::terminal::{self, TerminalError, TerminalKeys, Tty};
use super::theme::{GlyphSet, QUESTION};
use crate::crypto::header_file::HeaderFile;
use crate::crypto::slots::SlotKind;
use crate::deliver::Channels;
use crate::engine::clock::{Clock as _, SystemClock};
use crate::engine::open::{Open, Options};
use crate::serve::door::is_reachable;
use crate::store::{SledOptions, SledStore, holder_of};

/// How long a console that ends waits for a secret that is just being made, to take back what it opens.
const GRACE: Duration = Duration::from_secs(2);

/// How long it waits for work of which nobody hears any more.
const LAST: Duration = Duration::from_millis(900);

/// What the console starts with.
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct Start {
    pub store: Store,
    /// Name or file of the theme.
    pub theme: String,
    /// Keys of one's own.
    pub keymap: Option<PathBuf>,
    /// How secrets reach the clipboard.
    pub clipboard: Preference,
    pub ascii: bool,
    /// Whether nothing moves by itself.
    pub still: bool,
    /// What is wrong in the configuration file; the rest of it counts.
    pub mistakes: Vec<Located>,
    /// Let the mouse click.
    pub mouse: bool,
    pub read_only: bool,
    /// How notices are delivered while this process has the store.
    pub channels: Channels,
    /// Where it is remembered how operators left the console; nowhere when there is no place for it.
    pub habits: Option<PathBuf>,
}

/// Which store the console works on.
pub enum Store {
    /// The one in a data directory; founded first when there is none.
    At {
        /// Where, and how to open it.
        options: Box<Options>,
        /// Who signs in, when known.
        operator: Option<String>,
    },
    /// A throw-away one full of sample data: this, or one to be made.
    Demo(Option<Box<Open>>),
}

/// Why there was no console, or why it ended early.
#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    #[error("{0}")]
    Terminal(#[from] TerminalError),
    /// Another process has the store.
    #[error("{0}")]
    InUse(crate::store::OpenError),
    /// The system did not give what the console runs on.
    #[error("The console cannot run: {0}.")]
    System(#[from] io::Error),
}

/// Runs the console until its person leaves it, and leaves the terminal as it was.
pub fn run(start: Start) -> Result<Ending, TuiError> {
    terminal::check()?;
    if let Store::At { options, .. } = &start.store {
        free(&options.dir)?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let custody = Custody::default();
    let ended = runtime.block_on(live(start, &custody));
    for said in custody.wait(GRACE) {
        // The terminal may be gone, and the log has it too.
        let _ = writeln!(io::stderr(), "{said}");
    }
    // Whoever still counts or derives for nobody holds the store, which is closed whole when they let it go; they may not keep
    // the shell waiting for long either.
    runtime.shutdown_timeout(LAST);
    ended
}

async fn live(start: Start, custody: &Custody) -> Result<Ending, TuiError> {
    let mut complaints = Vec::from_iter(unknown_zone(std::env::var_os("TZ").as_deref()));
    let (keymap, wrong) = looks::keymap(start.keymap.as_deref(), &mut complaints);
    let mut mistakes = start.mistakes;
    mistakes.extend(wrong);
    let capture = if start.mouse { Capture::Taken } else { Capture::Free };
    let glyphs = if start.ascii { GlyphSet::Ascii } else { GlyphSet::Unicode };
    let (theme, wrong) = looks::theme(&start.theme, glyphs, &mut complaints);
    mistakes.extend(wrong);
    complaints.extend(looks::said(&mistakes));
    let setting = Setting {
        themes: looks::Themes::new(theme, glyphs, start.still),
        worn: None,
        keymap: Arc::new(keymap),
        mistakes: mistakes.into(),
        zone: Zone::Here,
        read_only: start.read_only,
        capture,
        custody: custody.clone(),
        breakable: cfg!(debug_assertions) && std::env::var_os("KEYDECK_TEST_BREAK").is_some(),
    };
    let (way, operator) = match start.store {
        Store::Demo(made) => (Way::Demo(made), None),
        Store::At { options, operator } => {
            let operator = operator.or_else(|| only_operator(&options.dir));
            (Way::Store(options), operator)
        }
    };
    let signals = signals::listen()?;
    let mut stage = Tty::enter(capture)?;
    if setting.themes.asks() {
        stage.ask(QUESTION);
    }
    let seat = Seat::read(|name| std::env::var(name).ok());
    let clipboard = Clipboard::new(start.clipboard, seat, &stage.output());
    let line: NewsLine = Arc::new(OnceLock::new());
    let told = Arc::clone(&line);
    let around = Surroundings {
        worker: Hand::new(clipboard, Arc::clone(&line), custody.clone())
            .delivering(start.channels)
            .remembering(start.habits),
        stage,
        input: TerminalKeys::listen(move |background| {
            // Whoever has just ended needs no theme.
            if let Some(feed) = told.get() {
                drop(feed.blocking_send(Outcome::Background(background)));
            }
        })?,
        signals,
        clock: SteadyClock::start(|| SystemClock.read().wall.0),
    };
    let program = Keydeck::start(setting, way, operator.as_deref(), complaints);
    let runtime = Runtime::new(program, around);
    drop(line.set(runtime.feed()));
    match runtime.run().await {
        Ok((_, ending)) => Ok(ending),
        // A dead terminal fails whoever uses it first, in ways of its own.
        Err(_) if signals::is_hung_up() => Ok(Ending::HungUp),
        Err(error) => Err(error.into()),
    }
}

/// The one who signs in, when only one person can.
fn only_operator(dir: &Path) -> Option<String> {
    let header = HeaderFile::new(dir).load().ok()?;
    let mut people = header.slots().iter().filter(|slot| slot.kind() == SlotKind::Passphrase);
    let first = people.next()?.label().to_owned();
    people.next().is_none().then_some(first)
}

/// Whether the store can be had, asked before anybody types a passphrase for nothing: it is free, or the process that
/// has it lets others attach. Looking takes a share of the lock for an instant, which is let go of at once; only when
/// that is refused is the store itself asked who has it.
fn free(dir: &Path) -> Result<(), TuiError> {
    if holder_of(dir).is_none() || is_reachable(dir) {
        return Ok(());
    }
    match SledStore::open(&SledOptions::new(dir)) {
        Err(error @ crate::store::OpenError::InUse { .. }) => Err(TuiError::InUse(error)),
        // Free by now, or another trouble: the sign-in tells of that one.
        Ok(_) | Err(_) => Ok(()),
    }
}
