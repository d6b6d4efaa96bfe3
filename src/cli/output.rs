//! What leaves the program: results on standard output, everything else on standard error, as text for people
//! or JSON for scripts. The only place of the command line that writes to either; text from outside is shown
//! with its control characters spelt out.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::os::fd::AsFd as _;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Serialize;
use zeroize::Zeroizing;

use super::fault::Fault;
use crate::domain::invisible::invisible;
use crate::tui::theme::in_ascii;

/// Where results and remarks go.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    json: bool,
    colour: bool,
    ascii: bool,
}

/// Room for the JSON of one issued key, so that its token is written into one buffer and not left in others.
const ISSUED: usize = 16 * 1024;

impl Output {
    /// Output for this process: JSON if asked for, colour only on a terminal that wants it.
    pub fn new(json: bool) -> Self {
        let wants_none = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty())
            || std::env::var_os("TERM").is_some_and(|v| v == "dumb");
        Self { json, colour: io::stdout().is_terminal() && !wants_none, ascii: false }
    }

    /// The same, without colours: for what is not written to standard output.
    #[must_use]
    pub const fn plain(self) -> Self {
        Self { colour: false, ..self }
    }

    /// The same, with the signs of texts for people in ASCII if `wanted`.
    #[must_use]
    pub const fn in_ascii(self, wanted: bool) -> Self {
        Self { ascii: wanted, ..self }
    }

    fn spelt(self, text: &str) -> Cow<'_, str> {
        if self.ascii && !self.json { in_ascii(text).into() } else { text.into() }
    }

    /// Whether results are JSON.
    pub const fn is_json(self) -> bool {
        self.json
    }

    /// Whether text may be coloured.
    pub const fn has_colour(self) -> bool {
        self.colour
    }

    /// Writes results. A reader who has seen enough and closed the pipe is no failure.
    pub fn text(self, text: &str) -> Result<(), Fault> {
        self.bytes(self.spelt(text).as_bytes()).map(drop)
    }

    /// Writes a part of a long result; `false` when nobody reads any more.
    #[expect(clippy::unused_self, reason = "standard output is reached through an Output only")]
    pub fn bytes(self, bytes: &[u8]) -> Result<bool, Fault> {
        match write_raw(bytes) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(Fault::refused(
                "output",
                format!("The command was carried out, but its result could not be written: {error}."),
            )),
        }
    }

    /// Cells of a line, where a terminal reads it.
    #[expect(clippy::unused_self, reason = "standard output is reached through an Output only")]
    pub fn cells(self) -> Option<usize> {
        let size = rustix::termios::tcgetwinsize(io::stdout().as_fd()).ok()?;
        Some(usize::from(size.ws_col)).filter(|cells| *cells > 0)
    }

    /// Writes a part of what goes on; `false` when nobody reads any more.
    pub fn part(self, text: &str) -> Result<bool, Fault> {
        self.bytes(self.spelt(text).as_bytes())
    }

    /// Lets time pass; `false`, and at once, when nobody reads what is written.
    #[expect(clippy::unused_self, reason = "standard output is reached through an Output only")]
    pub fn wait(self, time: Duration) -> bool {
        let stdout = io::stdout();
        let nanos = i64::from(time.subsec_nanos());
        let time = Timespec { tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX), tv_nsec: nanos };
        // Nothing is waited for but the end of whoever reads.
        let gone = poll(&mut [PollFd::new(&stdout, PollFlags::empty())], Some(&time));
        !matches!(gone, Ok(1..))
    }

    /// Writes one JSON value and a newline.
    pub fn value(self, value: &impl Serialize) -> Result<(), Fault> {
        let mut text = serde_json::to_string(value).map_err(|e| {
            Fault::refused("output", format!("The result could not be written as JSON: {e}."))
        })?;
        text.push('\n');
        self.text(&text)
    }

    /// Writes a secret: once, past every buffer, and with each failure told, a closed pipe too.
    #[expect(clippy::unused_self, reason = "standard output is reached through an Output only")]
    pub fn secret(self, text: &str) -> io::Result<()> {
        let mut line = Zeroizing::new(Vec::with_capacity(text.len() + 1));
        line.extend_from_slice(text.as_bytes());
        line.push(b'\n');
        write_raw(&line)
    }

    /// `Err` when whatever is written there reaches nobody: a closed standard output is the null device to a program. Asked
    /// before a secret is made, which would be lost.
    #[expect(clippy::unused_self, reason = "standard output is reached through an Output only")]
    pub fn must_lead_somewhere(self) -> Result<(), Fault> {
        let stdout = io::stdout();
        let null = rustix::fs::stat("/dev/null").map(|null| null.st_rdev);
        let lost = rustix::fs::fstat(stdout.as_fd()).is_ok_and(|out| {
            rustix::fs::FileType::from_raw_mode(out.st_mode).is_char_device() && null == Ok(out.st_rdev)
        });
        if lost {
            let text = "Standard output is closed or /dev/null, so the secret would reach nobody. Nothing was made: have it \
                        written to a terminal, a pipe or a file.";
            return Err(Fault::usage(text));
        }
        Ok(())
    }

    /// Writes a JSON value that holds a secret, as [`Output::secret`] does.
    #[expect(clippy::unused_self, reason = "standard output is reached through an Output only")]
    pub fn secret_value(self, value: &impl Serialize) -> io::Result<()> {
        let mut line = Zeroizing::new(Vec::with_capacity(ISSUED));
        serde_json::to_writer(&mut *line, value)?;
        line.push(b'\n');
        write_raw(&line)
    }

    /// A remark for the person; scripts that asked for JSON are spared it.
    pub fn say(self, text: &str) {
        if !self.json {
            complain(&format!("{}\n", self.spelt(&shown_lines(text))));
        }
    }

    /// The same, and a JSON value for scripts.
    pub fn remark(self, text: &str, value: &impl Serialize) {
        match serde_json::to_string(value) {
            Ok(line) if self.json => complain(&format!("{line}\n")),
            _ => self.say(text),
        }
    }

    /// How far something goes that takes long, for the person at a terminal: one line, written over.
    pub fn progress(self, so_far: usize, of: usize, done: &str) {
        if !self.json && io::stderr().is_terminal() {
            let end = if so_far == of { "\r\u{1b}[K" } else { "" };
            complain(&format!("\r{so_far} of {of} {done}\u{1b}[K{end}"));
        }
    }

    /// Something the person should look at, whatever becomes of the command.
    pub fn warn(self, text: &str) {
        if self.json {
            complain(&format!("{}\n", serde_json::json!({ "warning": { "message": text } })));
        } else {
            complain(&format!("keydeck: {}\n", self.spelt(&shown_lines(text))));
        }
    }

    /// Why the command was not carried out.
    pub fn fault(self, fault: &Fault) {
        if self.json {
            let error =
                serde_json::json!({ "error": { "code": fault.code(), "message": fault.to_string() } });
            complain(&format!("{error}\n"));
        } else {
            complain(&format!("keydeck: {}\n", self.spelt(&shown_lines(&fault.to_string()))));
        }
    }
}

/// Past the line buffer of the standard library: it would keep a copy of what it has written.
fn write_raw(mut bytes: &[u8]) -> io::Result<()> {
    let stdout = io::stdout();
    while !bytes.is_empty() {
        match rustix::io::write(stdout.as_fd(), bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

/// Nobody can be told that standard error is gone.
fn complain(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Text on one line, with what cannot be seen spelt out.
pub fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut told = 0;
    for (at, c) in invisible(text) {
        out.push_str(text.get(told..at).unwrap_or_default());
        let _ = write!(out, "{}", c.escape_unicode());
        told = at + c.len_utf8();
    }
    out.push_str(text.get(told..).unwrap_or_default());
    out
}

/// The same for text whose line breaks are ours.
pub fn shown_lines(text: &str) -> String {
    text.split('\n').map(shown).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_steer_a_terminal_is_spelt_out() {
        assert_eq!(shown("a\u{1b}[31mb\u{202e}c\nd"), "a\\u{1b}[31mb\\u{202e}c\\u{a}d");
        assert_eq!(shown_lines("one\ntwo\r"), "one\ntwo\\u{d}");
        assert_eq!(shown("Müller & Söhne 東京"), "Müller & Söhne 東京");
        assert_eq!(shown("👩\u{200d}💻 a\u{200d}b"), "👩\u{200d}💻 a\\u{200d}b");
    }
}
