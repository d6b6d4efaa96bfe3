//! The log: a file in the user's state directory, readable by them alone, never the terminal; for a server whose
//! standard error somebody collects, that. Its level comes from `KEYDECK_LOG` (`warn` when unset; `off`, `debug`,
//! `keydeck::store=trace` and the like). Every line passes a last filter that cuts secrets, should one ever get that far.
//! Where systemd's journal reads standard error, it is told the level of each line, and keeps the time itself.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal as _, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use clap::ValueEnum;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use super::tokens;

/// The variable that sets the level.
pub const VARIABLE: &str = "KEYDECK_LOG";
/// A larger log is put aside, once, when the next line is written by a new process.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging to `path`; the file appears with the first line.
pub fn start(path: PathBuf) {
    begin(Log::new(State::Unopened(path)), "warn", Format::Text);
}

/// Starts logging for a server: to standard error when that is no terminal or a format is asked for, else to `path`.
/// Where that cannot be opened, to standard error too, and why is said; a server nobody hears of is worse than a full screen.
pub fn start_serving(path: Option<PathBuf>, format: Option<Format>) {
    let errors = |format| begin(Log { journal: is_journal(), ..Log::new(State::Errors) }, SERVING, format);
    match (format, path) {
        (Some(format), _) => errors(format),
        (None, Some(path)) if io::stderr().is_terminal() => match open(&path) {
            Ok(file) => begin(Log::new(State::Open(file)), "warn", Format::Text),
            Err(error) => {
                errors(Format::Text);
                tracing::warn!(
                    "the log file {} cannot be opened ({error}); what it would hold is told here",
                    path.display()
                );
            }
        },
        (None, _) => errors(Format::Text),
    }
}

/// With when the server began to listen and when it stopped.
const SERVING: &str = "warn,keydeck::cli::serve=info";

fn begin(log: Log, level: &str, format: Format) {
    let filter = EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new(level));
    let to_journal = log.journal && format == Format::Text;
    let log = Log { journal: to_journal, ..log };
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(log);
    // A second start in one process keeps the first log.
    let _ = match format {
        Format::Text if to_journal => {
            tracing::subscriber::set_global_default(lines.without_time().with_level(false).finish())
        }
        Format::Text => tracing::subscriber::set_global_default(lines.finish()),
        Format::Json => tracing::subscriber::set_global_default(lines.json().flatten_event(true).finish()),
    };
}

struct Log {
    state: Mutex<State>,
    /// Whether each line begins with its level, as `sd-daemon(3)` says.
    journal: bool,
}

enum State {
    Unopened(PathBuf),
    Open(File),
    Errors,
    /// Without a log keydeck works all the same.
    Failed,
}

impl Log {
    const fn new(state: State) -> Self {
        Self { state: Mutex::new(state), journal: false }
    }

    fn line(&self, bytes: &[u8]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let State::Unopened(path) = &*state {
            *state = open(path).map_or(State::Failed, State::Open);
        }
        let text = tokens::redacted(&String::from_utf8_lossy(bytes));
        match &mut *state {
            State::Open(file) => {
                if file.write_all(text.as_bytes()).is_err() {
                    *state = State::Failed;
                }
            }
            State::Errors if takes_more(&io::stderr()) => {
                // Nobody can be told that standard error is gone.
                let _ = io::stderr().write_all(text.as_bytes());
            }
            State::Unopened(_) | State::Errors | State::Failed => {}
        }
    }
}

/// Whether the journal itself is at the other end of standard error.
fn is_journal() -> bool {
    let Some(told) = std::env::var_os("JOURNAL_STREAM") else { return false };
    rustix::fs::fstat(io::stderr().as_fd())
        .is_ok_and(|there| told == *format!("{}:{}", there.st_dev, there.st_ino))
}

/// What the journal calls a level.
const fn priority(level: Level) -> &'static [u8] {
    match level {
        Level::ERROR => b"<3>",
        Level::WARN => b"<4>",
        Level::INFO => b"<6>",
        Level::DEBUG | Level::TRACE => b"<7>",
    }
}

/// Whether a line can be written without waiting: whoever reads the log and stops must not stop the server.
fn takes_more(place: &impl AsFd) -> bool {
    let mut polled = [PollFd::new(place, PollFlags::OUT)];
    poll(&mut polled, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(dir) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    }
    if fs::symlink_metadata(path).is_ok_and(|about| about.len() > MAX_BYTES) {
        fs::rename(path, path.with_extension("log.1"))?;
    }
    let no_follow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(no_follow).open(path)
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { log: self, bytes: Vec::new() }
    }

    fn make_writer_for(&'a self, about: &Metadata<'_>) -> Line<'a> {
        let bytes = if self.journal { priority(*about.level()).to_vec() } else { Vec::new() };
        Line { log: self, bytes }
    }
}

/// One event, gathered whole before it is filtered: a secret must not slip through in two parts.
struct Line<'a> {
    log: &'a Log,
    bytes: Vec<u8>,
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        if !self.bytes.is_empty() {
            self.log.line(&self.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::crypto::random::OsEntropy;
    use crate::crypto::token::{Token, TokenKind};

    #[test]
    fn a_reader_of_the_log_who_stops_does_not_stop_the_server() {
        let (reader, writer) = io::pipe().unwrap();
        assert!(takes_more(&writer));
        rustix::fs::fcntl_setfl(&writer, rustix::fs::OFlags::NONBLOCK).unwrap();
        while (&writer).write(&[b'x'; 4096]).is_ok() {}
        assert!(!takes_more(&writer));
        drop(reader);
    }

    #[test]
    fn a_line_written_in_parts_is_filtered_whole_and_only_its_owner_reads_it() {
        let token = Token::mint(TokenKind::Location, &mut OsEntropy).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state/keydeck.log");
        let log = Log::new(State::Unopened(path.clone()));
        let mut line = log.make_writer();
        let (one, two) = token.reveal().split_at(30);
        line.write_all(one.as_bytes()).unwrap();
        line.write_all(two.as_bytes()).unwrap();
        line.write_all(b"\n").unwrap();
        assert!(!path.exists());
        drop(line);
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", token.hint()));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
