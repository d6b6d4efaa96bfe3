//! The lock file of a data directory: one process at a time, and a message that says which.
//!
//! The kernel drops the lock with the process, however it dies, so a file left behind never keeps anyone out.
//! The file itself is never removed: removing it would let two processes lock two files of one name.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::files;
use crate::store::error::OpenError;

/// More than any holder writes; the rest of a longer file is not shown.
const MAX_BYTES: u64 = 1024;
/// How often, and how long apart, a lock this process itself still has is tried again.
const OWN_TRIES: u32 = 50;
const OWN_PAUSE: Duration = Duration::from_millis(10);

/// The held lock; dropping it lets others in.
#[derive(Debug)]
pub(super) struct DirLock {
    _file: File,
}

impl DirLock {
    /// Takes the lock of `dir` and leaves word who has it: `command` and, when known, since when (UTC ms).
    pub(super) fn take(dir: &Path, command: &str, since: Option<i64>) -> Result<Self, OpenError> {
        let io = |why: String| OpenError::Io { dir: dir.to_path_buf(), why: format!("keydeck.lock: {why}") };
        let path = dir.join("keydeck.lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(|error| io(error.to_string()))?;
        if !file.metadata().is_ok_and(|meta| meta.is_file()) {
            return Err(io("it is no regular file; move it elsewhere".into()));
        }
        // A program this process is just starting holds a copy of the lock until it is running; nobody sends on
        // this channel, waiting on it is waiting for the deadline.
        let (_quiet, never) = mpsc::channel::<()>();
        let mut tries = 0;
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => break,
                Err(Errno::WOULDBLOCK) => {
                    let card = read_card(&mut file);
                    let ours = field(&card, "pid").is_some_and(|pid| pid == std::process::id().to_string());
                    if !ours || tries == OWN_TRIES {
                        return Err(OpenError::InUse { dir: dir.to_path_buf(), holder: holder(&card) });
                    }
                    tries += 1;
                    let _elapsed = never.recv_timeout(OWN_PAUSE);
                }
                Err(errno) => return Err(io(errno.to_string())),
            }
        }
        let card = card(command, since);
        let written =
            file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(card.as_bytes()));
        match written {
            // Words for a message are no reason to refuse: a full disk is found out where it matters.
            Ok(()) | Err(_) => Ok(Self { _file: file }),
        }
    }
}

/// Who has the store in `dir` open, in words; `None` when nobody has. Takes a share of the lock for an instant.
pub fn holder_of(dir: &Path) -> Option<String> {
    let mut file = files::open(&dir.join("keydeck.lock")).ok()?;
    let busy = flock(&file, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK);
    busy.then(|| holder(&read_card(&mut file)))
}

/// What stands in the file.
fn read_card(file: &mut File) -> String {
    let mut bytes = Vec::new();
    // Whatever could not be read is simply not said.
    let _read = file.rewind().and_then(|()| file.take(MAX_BYTES).read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// One line of it. The file may hold anything; it must not reach the terminal as control codes.
fn field(card: &str, name: &str) -> Option<String> {
    let found = card.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
    Some(found.chars().filter(|c| !c.is_control()).take(80).collect())
}

/// What the holder leaves in the file.
fn card(command: &str, since: Option<i64>) -> String {
    let since = since
        .and_then(chrono::DateTime::from_timestamp_millis)
        .map(|time| format!("since {}\n", time.format("%Y-%m-%d %H:%M UTC")))
        .unwrap_or_default();
    format!("pid {}\nhost {}\ncommand {}\n{since}", std::process::id(), host(), command.replace('\n', " "))
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The holder in words: `process 4121 (keydeck serve, since …)`.
fn holder(card: &str) -> String {
    let field = |name| field(card, name);
    let Some(pid) = field("pid") else { return "another process".into() };
    let mut about = Vec::new();
    about.extend(field("command").filter(|command| !command.is_empty()));
    about.extend(field("host").filter(|other| *other != host()).map(|other| format!("on {other}")));
    about.extend(field("since").map(|since| format!("since {since}")));
    if about.is_empty() { format!("process {pid}") } else { format!("process {pid} ({})", about.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_the_first_is() {
        let dir = tempfile::tempdir().unwrap();
        let first = DirLock::take(dir.path(), "keydeck serve", Some(1_790_000_000_000)).unwrap();
        let said = DirLock::take(dir.path(), "keydeck", None).unwrap_err().to_string();
        let pid = std::process::id();
        assert!(
            said.contains(&format!("in use by process {pid} (keydeck serve, since 2026-09-21")),
            "{said}"
        );
        assert!(said.contains("Stop that process, or choose another store with --data"), "{said}");
        drop(first);
        DirLock::take(dir.path(), "keydeck", None).unwrap();
    }

    #[test]
    fn a_stale_or_garbled_file_keeps_nobody_out_and_reaches_no_terminal() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keydeck.lock");
        std::fs::write(&path, "pid 1\ncommand gone long ago\n").unwrap();
        let first = DirLock::take(dir.path(), "keydeck", None).unwrap();
        std::fs::write(&path, b"pid 7\x1b[2J\ncommand \xff\xfe\x07evil\n").unwrap();
        let said = DirLock::take(dir.path(), "keydeck", None).unwrap_err().to_string();
        assert!(said.contains("process 7[2J") && !said.contains(['\x1b', '\x07']), "{said:?}");
        std::fs::write(&path, "").unwrap();
        let said = DirLock::take(dir.path(), "keydeck", None).unwrap_err().to_string();
        assert!(said.contains("in use by another process"), "{said}");
        drop(first);
    }
}
