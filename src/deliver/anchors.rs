//! Anchors kept elsewhere: the newest entry of the trail as a line, time and again, at the end of a file and to a program. Who
//! can write the store cannot take back what was said there: no cut or rewritten trail, and no older backup, goes through it.

use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::time::sleep;

use super::{Program, Quit};
use crate::engine::LocalEngine;
use crate::files;

/// How long it waits at first: whoever opens a store wants to see it before anything else is done.
const FIRST: Duration = Duration::from_secs(3);
/// After this at the latest what failed is tried again.
const AGAIN: Duration = Duration::from_secs(60);

/// Where anchors go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchoring {
    /// A file that grows by a line each time.
    pub file: Option<PathBuf>,
    /// A program that takes the line on its standard input.
    pub program: Option<Program>,
    /// How often.
    pub every: Duration,
}

/// Keeps anchors elsewhere until it is dropped.
#[must_use = "it keeps anchors only as long as somebody has it"]
pub struct Anchorage {
    quit: Arc<Quit>,
    thread: Option<JoinHandle<()>>,
}

impl Anchorage {
    /// Keeps them from now on.
    pub fn start(engine: &Arc<LocalEngine>, setup: Anchoring) -> Self {
        let quit: Arc<Quit> = Arc::default();
        let (engine, heard) = (Arc::downgrade(engine), Arc::clone(&quit));
        let body = move || match Builder::new_current_thread().enable_time().build() {
            Ok(runtime) => runtime.block_on(attend(&engine, &setup, &heard)),
            Err(error) => tracing::warn!(%error, "no timer for anchors; `keydeck audit anchor` prints one"),
        };
        let thread = thread::Builder::new().name("keydeck-anchor".into()).spawn(body);
        let thread = thread
            .inspect_err(
                |error| tracing::warn!(%error, "no thread for anchors; `keydeck audit anchor` prints one"),
            )
            .ok();
        Self { quit, thread }
    }
}

impl Drop for Anchorage {
    fn drop(&mut self) {
        self.quit.say();
        if let Some(thread) = self.thread.take() {
            // It panics only if the store does, which has been logged.
            let _ = thread.join();
        }
    }
}

async fn attend(engine: &Weak<LocalEngine>, setup: &Anchoring, quit: &Quit) {
    let (mut next, mut kept) = (FIRST, None);
    loop {
        tokio::select! {
            () = quit.heard() => return,
            () = sleep(next) => {}
        }
        let Some(engine) = engine.upgrade() else { return };
        let anchor = engine.newest_anchor();
        drop(engine);
        next = setup.every;
        // The same entry once more proves nothing new.
        if kept == Some(anchor.seq) {
            continue;
        }
        match setup.keep(&format!("{anchor}\n"), quit) {
            Ok(()) => kept = Some(anchor.seq),
            Err(why) if quit.is_said() => tracing::debug!(why, "an anchor was broken off"),
            Err(why) => {
                tracing::warn!(why, "the anchor of the audit trail could not be kept elsewhere");
                next = next.min(AGAIN);
            }
        }
    }
}

impl Anchoring {
    /// Keeps one line in both places.
    fn keep(&self, line: &str, quit: &Quit) -> Result<(), String> {
        let filed = self.file.as_ref().map_or(Ok(()), |path| {
            files::append(path, line.as_bytes()).map_err(|error| format!("{}: {error}", path.display()))
        });
        let told = self.program.as_ref().map_or(Ok(()), |program| program.run(line, quit));
        filed.and(told)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_line_goes_to_the_end_of_the_file_and_to_the_program_and_not_where_others_write() {
        let dir = tempfile::tempdir().unwrap();
        let (file, out) = (dir.path().join("anchors"), dir.path().join("out"));
        let arguments = vec!["-c".into(), format!("cat >>{}", out.display())];
        let program = Program { path: "/bin/sh".into(), arguments, limit: AGAIN };
        let setup = Anchoring { file: Some(file.clone()), program: Some(program), every: AGAIN };
        for line in ["one\n", "two\n"] {
            setup.keep(line, &Quit::default()).unwrap();
        }
        for kept in [&file, &out] {
            assert_eq!(std::fs::read_to_string(kept).unwrap(), "one\ntwo\n");
        }
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o666)).unwrap();
        let said = setup.keep("three\n", &Quit::default()).unwrap_err();
        assert!(said.contains("others may write it"), "{said}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "one\ntwo\n");
    }
}
