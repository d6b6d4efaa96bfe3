//! Lists that come from a file: read whole and bounded, and judged whole before anything is done, with every mistake named by
//! its line.

use std::fmt::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::fault::Fault;
use super::output::Output;
use crate::domain::sheet::Mistake;
use crate::files;

/// Mistakes shown at once; a file in another encoding has one on every line.
const SHOWN: usize = 20;

/// The bytes of a list; `-` is standard input. With `secret_for`, the person who is warned where others may read it.
pub fn bytes_of(path: &Path, limit: usize, secret_for: Option<Output>) -> Result<Vec<u8>, Fault> {
    let read = || {
        if path.as_os_str() == "-" {
            return files::bytes_of(std::io::stdin().lock(), limit);
        }
        let file = files::open_given(path)?;
        let is_open = file.metadata()?.mode() & 0o077 != 0;
        if let Some(output) = secret_for.filter(|_| is_open) {
            output.warn(&format!(
                "other users of this machine may read {}. Close it with `chmod 600`.",
                path.display()
            ));
        }
        files::bytes_of(file, limit)
    };
    read().map_err(|why| {
        Fault::usage(format!("The file {} cannot be read: {why}. Nothing was done.", path.display()))
    })
}

/// Refuses a list in which there are mistakes: `what` they stand in (`line`), what was not done (`added`).
pub fn refuse(code: &'static str, (what, done): (&str, &str), mistakes: &mut [Mistake]) -> Result<(), Fault> {
    if mistakes.is_empty() {
        return Ok(());
    }
    mistakes.sort();
    let mut text = format!("Nothing was {done}, because not all of it can be:");
    for (place, why) in mistakes.iter().take(SHOWN) {
        let _ = write!(text, "\n{what} {place}: {why}");
    }
    if mistakes.len() > SHOWN {
        let _ = write!(text, "\n… and {} more. Mend these first.", mistakes.len() - SHOWN);
    }
    Err(Fault::refused(code, text))
}
