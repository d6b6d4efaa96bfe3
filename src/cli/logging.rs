//! The log: a file in the user's state directory, readable by them alone, never the terminal. Its level comes
//! from `KEYDECK_LOG` (`warn` when unset; `off`, `debug`, `keydeck::store=trace` and the like). Every line passes
//! a last filter that cuts secrets, should one ever get that far.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use super::tokens;

/// The variable that sets the level.
pub const VARIABLE: &str = "KEYDECK_LOG";
/// A larger log is put aside, once, when the next line is written by a new process.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Starts logging to `path`; the file appears with the first line.
pub fn start(path: PathBuf) {
    let filter = EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new("warn"));
    let log = Log { path, file: Mutex::default() };
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(log).finish();
    // A second start in one process keeps the first log.
    let _ = tracing::subscriber::set_global_default(lines);
}

struct Log {
    path: PathBuf,
    file: Mutex<State>,
}

#[derive(Default)]
enum State {
    #[default]
    Unopened,
    Open(File),
    /// Without a log keydeck works all the same.
    Failed,
}

impl Log {
    fn line(&self, bytes: &[u8]) {
        let mut state = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*state, State::Unopened) {
            *state = open(&self.path).map_or(State::Failed, State::Open);
        }
        if let State::Open(file) = &mut *state {
            let text = tokens::redacted(&String::from_utf8_lossy(bytes));
            if file.write_all(text.as_bytes()).is_err() {
                *state = State::Failed;
            }
        }
    }
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
    fn a_line_written_in_parts_is_filtered_whole_and_only_its_owner_reads_it() {
        let token = Token::mint(TokenKind::Location, &mut OsEntropy).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state/keydeck.log");
        let log = Log { path: path.clone(), file: Mutex::default() };
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
