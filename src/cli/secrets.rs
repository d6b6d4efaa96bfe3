//! Secrets that come in: from a file, from standard input, from a prompt without echo. Never from the command
//! line, where other users and the shell's history would see them.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal as _, Read as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::fault::Fault;
use super::output::Output;
use crate::crypto::passphrase::{self, Passphrase};
use crate::files;

/// A file named `-` is standard input.
const STDIN: &str = "-";
/// A passphrase in its longest form, and a newline.
const FILE_MAX: usize = passphrase::MAX_BYTES + 2;
/// No token is near as long. What is longer is malformed and not read to its end.
const TOKEN_MAX: usize = 64 * 1024;

/// Who may do anything but root itself, and its group reading.
const NOT_ITS_GROUP: u32 = 0o037;

/// Text of a passphrase file: everything up to one newline at its end, which is not part of the passphrase.
pub fn read_file(path: &Path, output: Output) -> Result<Zeroizing<String>, Fault> {
    let what = format!("The file {}", path.display());
    let fail = |why: String| Fault::usage(format!("{what} cannot be read: {why}. Check the path."));
    // Found and read: the path is not what is wrong.
    let unfit = |why: &str| Fault::usage(format!("{what} holds no passphrase or secret: {why}"));
    let mut bytes = if path.as_os_str() == STDIN {
        read_stdin(FILE_MAX + 1).map_err(|e| fail(e.to_string()))?
    } else {
        let file = files::open_given(path).map_err(|e| fail(e.to_string()))?;
        let about = file.metadata().map_err(|e| fail(e.to_string()))?;
        // What systemd hands over is root's, and its access list shows as the mode of root's group.
        let is_handed_over = about.uid() == 0 && about.gid() == 0 && about.mode() & NOT_ITS_GROUP == 0;
        if about.mode() & 0o077 != 0 && !is_handed_over {
            output.warn(&format!(
                "other users of this machine may read {}. Close it with `chmod 600`.",
                path.display()
            ));
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(FILE_MAX + 1));
        file.take(FILE_MAX as u64 + 1).read_to_end(&mut bytes).map_err(|e| fail(e.to_string()))?;
        bytes
    };
    if bytes.len() > FILE_MAX {
        return Err(unfit(&format!(
            "it is longer than a passphrase may be ({} bytes). Is it another file?",
            passphrase::MAX_BYTES
        )));
    }
    // A byte order mark, or every other byte a zero.
    if matches!(**bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [_, 0, ..] | [0, _, ..]) {
        return Err(unfit("it is written in UTF-16. Save it as UTF-8 without a byte order mark."));
    }
    strip_newline(&mut bytes);
    // Moved, not copied: the one buffer becomes the text.
    String::from_utf8(std::mem::take(&mut *bytes)).map(Zeroizing::new).map_err(|error| {
        drop(Zeroizing::new(error.into_bytes()));
        unfit("it is not UTF-8 text. Save it as UTF-8; a passphrase with accents may be in another encoding.")
    })
}

/// Refuses a passphrase on standard input, where a token will be.
pub fn free_stdin(passphrase_file: Option<&Path>) -> Result<(), Fault> {
    if passphrase_file.is_some_and(|path| path.as_os_str() == STDIN) {
        return Err(Fault::usage("The token is on standard input, so the passphrase cannot be. Use a file."));
    }
    Ok(())
}

/// A token: standard input without the one newline a shell leaves at its end, and nothing else taken off.
pub fn presented() -> Result<Zeroizing<Vec<u8>>, Fault> {
    if io::stdin().is_terminal() {
        let typed = prompt("Token: ", "standard input")?;
        return Ok(Zeroizing::new(typed.as_bytes().to_vec()));
    }
    let mut bytes = read_stdin(TOKEN_MAX + 1)
        .map_err(|e| Fault::usage(format!("Standard input cannot be read: {e}. Give the token there.")))?;
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    Ok(bytes)
}

/// Removes one newline at the end, as editors and `echo` leave it: `\n` or `\r\n`.
fn strip_newline(bytes: &mut Vec<u8>) {
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
}

/// Up to `limit` bytes of standard input, past the buffer the standard library would leave a copy in.
pub fn read_stdin(limit: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let stdin = io::stdin();
    let mut bytes = Zeroizing::new(vec![0; limit]);
    let mut length = 0;
    while let Some(rest) = bytes.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match rustix::io::read(stdin.as_fd(), rest) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    bytes.truncate(length);
    Ok(bytes)
}

/// Whether somebody sits at a terminal: input or remarks go to one. A process without either is a script, even
/// when a terminal is somewhere above it.
pub fn has_person() -> bool {
    io::stdin().is_terminal() || io::stderr().is_terminal()
}

/// Asks on the terminal, without echo. `instead` is the option a script would use.
pub fn prompt(question: &str, instead: &str) -> Result<Zeroizing<String>, Fault> {
    let nobody = || {
        Fault::no_terminal(format!(
            "{} is needed, and there is no terminal to ask on. Use {instead}.",
            question.trim_end_matches([':', ' '])
        ))
    };
    if !has_person() {
        return Err(nobody());
    }
    // Before the question, or somebody who types at once shows what they type.
    let _quiet = Quiet::start();
    match rpassword::prompt_password(question) {
        Ok(answer) => Ok(Zeroizing::new(answer)),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {
            Err(Fault::usage("Nothing was done: the question was not answered."))
        }
        Err(_) => Err(nobody()),
    }
}

/// The terminal without echo, until dropped.
struct Quiet(Option<(File, Termios)>);

impl Quiet {
    fn start() -> Self {
        let quieten = || {
            let tty = OpenOptions::new().read(true).write(true).open("/dev/tty").ok()?;
            let before = tcgetattr(&tty).ok()?;
            let mut after = before.clone();
            after.local_modes.remove(LocalModes::ECHO);
            tcsetattr(&tty, OptionalActions::Now, &after).ok()?;
            Some((tty, before))
        };
        Self(quieten())
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if let Some((tty, before)) = &self.0 {
            // A terminal that is gone shows nothing.
            let _ = tcsetattr(tty, OptionalActions::Now, before);
        }
    }
}

/// A new passphrase: from a file, or asked for twice.
pub fn new_passphrase(file: Option<&Path>, whose: &str, output: Output) -> Result<Passphrase, Fault> {
    const INSTEAD: &str = "--new-passphrase-file";
    let text = match file {
        Some(path) => read_file(path, output)?,
        None => twice(whose, INSTEAD)?,
    };
    Ok(Passphrase::choose(&text)?)
}

/// Asks for a new passphrase twice, since nobody sees what is typed.
pub fn twice(whose: &str, instead: &str) -> Result<Zeroizing<String>, Fault> {
    let first = prompt(
        &format!("New passphrase of {whose} (at least {} characters): ", passphrase::MIN_CHARS),
        instead,
    )?;
    let second = prompt("The same again: ", instead)?;
    if *first == *second {
        Ok(first)
    } else {
        Err(Fault::refused(
            "passphrase_mismatch",
            "The two were not the same. Nothing was changed; try again.",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_newline_is_taken_off() {
        for (written, left) in [
            ("a b\n", "a b"),
            ("a\r\n", "a"),
            ("a\n\n", "a\n"),
            ("a ", "a "),
            ("", ""),
            ("\n", ""),
            ("a\r", "a\r"),
        ] {
            let mut bytes = written.as_bytes().to_vec();
            strip_newline(&mut bytes);
            assert_eq!(bytes, left.as_bytes(), "{written:?}");
        }
    }
}
