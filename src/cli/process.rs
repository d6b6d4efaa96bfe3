//! Makes this process a poor place to look for secrets, before it holds any: no core dump, no reading by other
//! processes of the same user, no file others can read, no panic message with a payload.

use std::io::Write as _;
use std::path::PathBuf;

use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit};

/// Closes what can be closed. What the system refuses is left: keydeck still works, only less guarded.
pub fn harden() {
    rustix::process::umask(Mode::from_bits_truncate(0o077));
    let _ = rustix::process::setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// A panic says where and nothing else: its message could hold what should not be seen.
pub fn quiet_panics(log: Option<PathBuf>) {
    std::panic::set_hook(Box::new(move |info| {
        let place = info.location().map_or_else(String::new, |at| format!(" at {}:{}", at.file(), at.line()));
        tracing::error!(place, "internal error");
        let more = log.as_ref().map_or_else(String::new, |log| format!(" See {}.", log.display()));
        let _ = writeln!(
            std::io::stderr(),
            "keydeck: internal error{place}. This is a mistake in keydeck, not in what you asked.{more} \
             Run the command again; `keydeck audit list` shows whether it was done."
        );
    }));
}
