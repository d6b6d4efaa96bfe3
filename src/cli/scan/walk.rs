//! Reads files, directories and standard input, several files at a time, in a window that is wiped.

use std::fs;
use std::io::{self, Read};
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ignore::{DirEntry, WalkBuilder, WalkState};
use zeroize::Zeroizing;

use super::{STDIN, Scan};
use crate::cli::tokens;
use crate::crypto::scan::{Kind, Place, Window};
use crate::domain::PublicId;
use crate::files;

/// What stands for standard input in results.
const STDIN_NAME: &str = "(standard input)";
/// Secrets that are listed; more are counted.
const LISTED: usize = 100_000;

/// A secret that was found. It is kept to ask the store about it, and wiped.
pub struct Found {
    /// The path as it was named, with secrets in it cut down to what may be shown.
    pub path: String,
    /// Where it begins.
    pub place: Place,
    /// By its prefix.
    pub kind: Kind,
    /// The public id, where the kind has one.
    pub id: Option<PublicId>,
    /// All of it.
    pub secret: Zeroizing<Vec<u8>>,
}

impl Found {
    /// As much of it as may be shown.
    pub fn hint(&self) -> String {
        self.kind.hint(&self.secret)
    }
}

/// What a search came to.
#[derive(Default)]
pub struct Gathered {
    /// In the order of paths and places.
    pub found: Vec<Found>,
    /// How many are not among them for want of room.
    pub more: usize,
    /// What could not be read, and why.
    pub unread: Vec<String>,
    /// Pipes, sockets and devices that lay on the way.
    pub passed: usize,
}

/// Searches everything that was named.
pub fn search(args: &Scan) -> Gathered {
    let gathered = Mutex::default();
    let sink = Sink { gathered: &gathered, first_only: args.quiet };
    let (stdin, paths): (Vec<_>, Vec<_>) = args.paths.iter().partition(|path| path.as_os_str() == STDIN);
    if !stdin.is_empty() {
        sink.read(Path::new(STDIN_NAME), &mut Stdin, &mut Window::default());
    }
    if !paths.is_empty() && !sink.has_enough() {
        walk(&paths, args.no_ignore, sink);
    }
    let mut gathered = gathered.into_inner().unwrap_or_else(PoisonError::into_inner);
    gathered.found.sort_by(|one, other| (&one.path, one.place).cmp(&(&other.path, other.place)));
    gathered.unread.sort();
    gathered
}

fn walk(paths: &[&PathBuf], no_ignore: bool, sink: Sink<'_>) {
    let Some((first, rest)) = paths.split_first() else { return };
    let mut builder = WalkBuilder::new(first);
    for path in rest {
        builder.add(path);
    }
    builder.hidden(false).ignore(false).follow_links(false).require_git(false);
    builder.parents(!no_ignore).git_ignore(!no_ignore).git_global(!no_ignore).git_exclude(!no_ignore);
    builder.filter_entry(|entry| entry.depth() == 0 || entry.file_name() != ".git");
    builder.build_parallel().run(|| {
        let mut window = Window::default();
        Box::new(move |entry| {
            match entry {
                Ok(entry) => sink.entry(&entry, &mut window),
                // A rule in .gitignore that nobody understands leaves nothing out.
                Err(error) if error.io_error().is_none() => tracing::debug!(%error, "a rule is ignored"),
                Err(error) => sink.unread(&error.to_string()),
            }
            if sink.has_enough() { WalkState::Quit } else { WalkState::Continue }
        })
    });
}

fn is_pipe(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|there| there.file_type().is_fifo())
}

/// Where all threads put what they find.
#[derive(Clone, Copy)]
struct Sink<'g> {
    gathered: &'g Mutex<Gathered>,
    first_only: bool,
}

impl Sink<'_> {
    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_enough(&self) -> bool {
        self.first_only && !self.gathered().found.is_empty()
    }

    fn unread(&self, why: &str) {
        self.gathered().unread.push(format!("Not searched: {}.", tokens::redacted(why)));
    }

    /// Searches a file. Whatever is none has no end that could be waited for: what was named and is none is said to be, what
    /// lies on the way is counted.
    fn entry(&self, entry: &DirEntry, window: &mut Window) {
        let (path, named) = (entry.path(), entry.depth() == 0);
        match entry.file_type() {
            Some(kind) if kind.is_dir() || kind.is_symlink() && !named => return,
            Some(kind) if kind.is_file() || named => {}
            _ => {
                self.gathered().passed += 1;
                return;
            }
        }
        match files::open(path) {
            Ok(mut file) => self.read(path, &mut file, window),
            Err(error) if is_pipe(path) => {
                let path = path.display();
                self.unread(&format!(
                    "{path}: {error}; what comes through it is searched with `keydeck scan - < {path}`"
                ));
            }
            Err(error) => self.unread(&format!("{}: {error}", path.display())),
        }
    }

    fn read(&self, path: &Path, source: &mut impl Read, window: &mut Window) {
        window.begin();
        loop {
            let read = match source.read(window.room()) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    self.unread(&format!("{}: {error}", path.display()));
                    // What was read until then is searched.
                    0
                }
            };
            window.take(read, |place, hit| {
                let mut gathered = self.gathered();
                if gathered.found.len() >= LISTED {
                    gathered.more += 1;
                    return;
                }
                let secret = Zeroizing::new(hit.bytes.to_vec());
                let path = tokens::redacted(&path.to_string_lossy());
                gathered.found.push(Found { path, place, kind: hit.kind, id: hit.id(), secret });
            });
            if read == 0 || self.has_enough() {
                return;
            }
        }
    }
}

/// Standard input, past the buffer in which the standard library would leave a copy.
struct Stdin;

impl Read for Stdin {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(io::stdin().as_fd(), into)?)
    }
}
