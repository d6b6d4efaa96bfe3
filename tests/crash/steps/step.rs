//! What counts as a step: a system call that changes something in the data directory or keeps it, and the answer
//! itself. Reading a step is reading the registers of a process that is stopped at the call.

use std::fmt;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::libc::{self, c_long, user_regs_struct};
use nix::sys::ptrace;
use nix::unistd::Pid;

/// Where a call names its file.
#[derive(Clone, Copy)]
enum Names {
    /// A descriptor in the first argument.
    File,
    /// A path in the first argument.
    Path,
    /// A directory's descriptor in the first argument, a path in the second.
    PathAt,
}

const CALLS: [(c_long, &str, Names); 27] = [
    (libc::SYS_write, "write", Names::File),
    (libc::SYS_sendto, "sendto", Names::File),
    (libc::SYS_pwrite64, "pwrite64", Names::File),
    (libc::SYS_writev, "writev", Names::File),
    (libc::SYS_pwritev, "pwritev", Names::File),
    (libc::SYS_fsync, "fsync", Names::File),
    (libc::SYS_fdatasync, "fdatasync", Names::File),
    (libc::SYS_sync_file_range, "sync_file_range", Names::File),
    (libc::SYS_ftruncate, "ftruncate", Names::File),
    (libc::SYS_fallocate, "fallocate", Names::File),
    (libc::SYS_fchmod, "fchmod", Names::File),
    (libc::SYS_open, "open", Names::Path),
    (libc::SYS_rename, "rename", Names::Path),
    (libc::SYS_unlink, "unlink", Names::Path),
    (libc::SYS_mkdir, "mkdir", Names::Path),
    (libc::SYS_rmdir, "rmdir", Names::Path),
    (libc::SYS_chmod, "chmod", Names::Path),
    (libc::SYS_link, "link", Names::Path),
    (libc::SYS_symlink, "symlink", Names::Path),
    (libc::SYS_truncate, "truncate", Names::Path),
    (libc::SYS_openat, "openat", Names::PathAt),
    (libc::SYS_renameat, "renameat", Names::PathAt),
    (libc::SYS_renameat2, "renameat2", Names::PathAt),
    (libc::SYS_unlinkat, "unlinkat", Names::PathAt),
    (libc::SYS_mkdirat, "mkdirat", Names::PathAt),
    (libc::SYS_linkat, "linkat", Names::PathAt),
    (libc::SYS_fchmodat, "fchmodat", Names::PathAt),
];

/// Standard output and standard error.
const SPOKEN: [u64; 2] = [1, 2];
/// What those who listen are told.
const WORD: &str = "a word";

/// One step of a program.
#[derive(Clone, PartialEq, Eq)]
pub struct Step {
    call: &'static str,
    /// Relative to the data directory; names that are numbers are left out.
    file: String,
    /// Whether only a part of it can happen.
    pub can_be_cut: bool,
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.call, self.file)
    }
}

impl Step {
    /// The step a process that is about to make a call is at, if it is one on the directory `root`.
    pub fn at(pid: Pid, root: &Path) -> Option<Self> {
        let regs = ptrace::getregs(pid).ok()?;
        let number = c_long::try_from(regs.orig_rax).ok()?;
        let (_, call, names) = *CALLS.iter().find(|(known, ..)| *known == number)?;
        let file = match names {
            Names::File => {
                let file = behind(pid, regs.rdi)?;
                if SPOKEN.contains(&regs.rdi) || file.to_string_lossy().starts_with("socket:") {
                    return Some(Self { call, file: WORD.into(), can_be_cut: false });
                }
                file
            }
            Names::Path => beneath(pid, None, text_at(pid, regs.rdi)?)?,
            Names::PathAt => beneath(pid, Some(regs.rdi), text_at(pid, regs.rsi)?)?,
        };
        let file = file.strip_prefix(root).ok()?.to_string_lossy().into_owned();
        let changes = match call {
            "open" => makes(regs.rsi),
            "openat" => makes(regs.rdx),
            _ => true,
        };
        let can_be_cut = matches!(call, "write" | "pwrite64") && regs.rdx > 1;
        changes.then(|| Self { call, file: without_numbers(&file), can_be_cut })
    }

    /// Whether it is nothing but telling somebody.
    pub fn is_a_word(&self) -> bool {
        self.file == WORD
    }

    /// Whether a disk can answer so. One that is full still removes, and still reads and closes what is there.
    pub fn can_fail_with(&self, error: Errno) -> bool {
        let takes_room =
            !matches!(self.call, "unlink" | "unlinkat" | "rmdir" | "chmod" | "fchmod" | "fchmodat");
        !self.is_a_word() && (error != Errno::ENOSPC || takes_room)
    }

    /// Whether it hands a commit to the system.
    pub fn hands_over(&self) -> bool {
        self.call == "pwrite64" && self.file == "store/db"
    }

    /// Whether it makes a commit durable.
    pub fn makes_durable(&self) -> bool {
        self.call == "fdatasync" && self.file == "store/db"
    }

    /// Whether it writes how a database is laid out.
    pub fn makes_settings(&self) -> bool {
        self.file == "store/conf"
    }

    /// Whether it keeps the names in the data directory, the last thing that is done before a store is open.
    pub fn keeps_names(&self) -> bool {
        self.call == "fsync" && self.file.is_empty()
    }
}

/// Lets only the first half of a call happen that a process is about to make and that can be cut.
pub fn cut_in_half(pid: Pid) -> nix::Result<()> {
    let regs = ptrace::getregs(pid)?;
    ptrace::setregs(pid, user_regs_struct { rdx: regs.rdx / 2, ..regs })
}

/// Lets a call not happen that a process is about to make.
pub fn leave_out(pid: Pid) -> nix::Result<()> {
    let regs = ptrace::getregs(pid)?;
    // There is no call of that number.
    ptrace::setregs(pid, user_regs_struct { orig_rax: u64::MAX, ..regs })
}

/// Tells a process that the call it comes from has failed.
pub fn answer(pid: Pid, error: Errno) -> nix::Result<()> {
    let regs = ptrace::getregs(pid)?;
    ptrace::setregs(pid, user_regs_struct { rax: (-i64::from(error as i32)).cast_unsigned(), ..regs })
}

/// Whether `open` with these flags changes the directory.
fn makes(flags: u64) -> bool {
    let making = u64::from((libc::O_CREAT | libc::O_TRUNC).unsigned_abs());
    flags & making != 0
}

/// What a descriptor of the process stands for.
fn behind(pid: Pid, descriptor: u64) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/fd/{descriptor}")).ok()
}

/// A path as the process means it.
fn beneath(pid: Pid, directory: Option<u64>, path: PathBuf) -> Option<PathBuf> {
    if path.is_absolute() {
        return Some(path);
    }
    let base = directory.and_then(|descriptor| behind(pid, descriptor));
    Some(base.or_else(|| fs::read_link(format!("/proc/{pid}/cwd")).ok())?.join(path))
}

/// The text at an address of the process.
fn text_at(pid: Pid, address: u64) -> Option<PathBuf> {
    let mut bytes = vec![0; 4096];
    let read = File::open(format!("/proc/{pid}/mem")).ok()?.read_at(&mut bytes, address).ok()?;
    let text = bytes.get(..read)?.split(|byte| *byte == 0).next()?;
    Some(PathBuf::from(String::from_utf8_lossy(text).into_owned()))
}

/// `store/snap.00000000000031ED.generating` → `store/snap.*.generating`
fn without_numbers(file: &str) -> String {
    let numbered = |part: &str| part.len() == 16 && part.chars().all(|c| c.is_ascii_hexdigit());
    file.split('.').map(|part| if numbered(part) { "*" } else { part }).collect::<Vec<_>>().join(".")
}
