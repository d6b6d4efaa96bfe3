//! Files for secrets: a new one, which is gone again unless the secret was written to it, or one with variables, which gets a
//! line more or stays as it was. Nobody but their owner can read either.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::str::FromStr;

use rustix::fs::{FlockOperation, OFlags, flock};
use zeroize::Zeroizing;

use super::note;
use crate::cli::fault::Fault;
use crate::domain::Note;

/// No file of variables is near as long.
const FILE_MAX: u64 = 1024 * 1024;

/// The name of a variable: a letter or `_`, then letters, digits and `_`; at most 64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable(String);

/// What the file says of a secret.
pub enum Line<'a> {
    /// It, and nothing else.
    Alone,
    /// It is the value of this variable.
    Of(&'a Variable),
}

/// A file a secret will be written to.
pub struct SecretFile<'a> {
    path: &'a Path,
    file: File,
    /// How long it was when it was there already.
    before: Option<u64>,
    written: bool,
}

impl FromStr for Variable {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let goes_on = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if starts && goes_on && text.len() <= 64 {
            Ok(Self(text.to_owned()))
        } else {
            Err("write the name of a variable: up to 64 letters, digits and _, no digit first")
        }
    }
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Variable {
    /// It, for the record.
    pub fn as_note(&self) -> Note {
        note(&self.0)
    }

    /// Whether a line sets it.
    fn is_set_by(&self, line: &str) -> bool {
        let line = line.trim_start();
        let exported = line.strip_prefix("export").filter(|rest| rest.starts_with(char::is_whitespace));
        let line = exported.map_or(line, str::trim_start);
        line.strip_prefix(&self.0).is_some_and(|rest| rest.trim_start().starts_with('='))
    }
}

impl<'a> SecretFile<'a> {
    /// A new one.
    pub fn create(path: &'a Path) -> Result<Self, Fault> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let file = file
            .map_err(|e| unfit(path, "cannot be made", &e.to_string(), "Name one that is not there yet"))?;
        Ok(Self { path, file, before: None, written: false })
    }

    /// One that has no such variable yet: new, or there already. Locked, so that two who write keep apart.
    pub fn with_room_for(path: &'a Path, name: &Variable) -> Result<Self, Fault> {
        if fs::symlink_metadata(path).is_err() {
            return Self::create(path);
        }
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY).bits();
        let file = OpenOptions::new().read(true).append(true).custom_flags(flags.cast_signed()).open(path);
        let file = file.map_err(|e| {
            unfit(
                path,
                "cannot be added to",
                &e.to_string(),
                "Name a plain file of yours, or one that is not there yet",
            )
        })?;
        let cannot = |why: &str, then: &str| unfit(path, "is left as it is", why, then);
        let failed = |e: io::Error| unfit(path, "cannot be read", &e.to_string(), "Name another");
        let about = file.metadata().map_err(failed)?;
        if !about.is_file() || about.len() > FILE_MAX {
            return Err(cannot("it is no file of variables", "Name another"));
        }
        if about.uid() != rustix::process::geteuid().as_raw() || about.mode() & 0o077 != 0 {
            return Err(cannot(
                "others may read it or it is not yours",
                "Close it with `chmod 600`, or name another",
            ));
        }
        flock(&file, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| cannot("another program writes to it", "Try again"))?;
        let mut text = Zeroizing::new(String::new());
        (&file).take(FILE_MAX + 1).read_to_string(&mut text).map_err(failed)?;
        if text.trim_end_matches('\n').ends_with('\\') {
            return Err(cannot("its last line goes on in the next one", "End that line first"));
        }
        if text.lines().any(|line| name.is_set_by(line)) {
            return Err(cannot(
                &format!("it sets {name} already"),
                "Take that line out, or choose another name",
            ));
        }
        Ok(Self { path, file, before: Some(text.len() as u64), written: false })
    }

    /// Where it is.
    pub const fn path(&self) -> &Path {
        self.path
    }

    /// Writes the secret, so that it outlives a power cut.
    pub fn fill(mut self, line: &Line<'_>, secret: &str) -> io::Result<()> {
        let mut text = Zeroizing::new(Vec::with_capacity(secret.len() + 80));
        if let Line::Of(name) = line {
            if self.must_end_a_line()? {
                text.push(b'\n');
            }
            text.extend_from_slice(name.0.as_bytes());
            text.push(b'=');
        }
        text.extend_from_slice(secret.trim_end().as_bytes());
        text.push(b'\n');
        self.file.write_all(&text)?;
        self.file.sync_all()?;
        self.written = true;
        Ok(())
    }

    /// Whether the last line of what is there is not ended.
    fn must_end_a_line(&mut self) -> io::Result<bool> {
        let Some(last) = self.before.and_then(|length| length.checked_sub(1)) else { return Ok(false) };
        let mut end = [0];
        self.file.seek(SeekFrom::Start(last))?;
        self.file.read_exact(&mut end)?;
        Ok(end != *b"\n")
    }
}

impl Drop for SecretFile<'_> {
    fn drop(&mut self) {
        if self.written {
            return;
        }
        match self.before {
            None => drop(fs::remove_file(self.path)),
            Some(length) => drop(self.file.set_len(length)),
        }
    }
}

fn unfit(path: &Path, what: &str, why: &str, then: &str) -> Fault {
    Fault::usage(format!("The file {} {what}: {why}. {then}. No secret was made.", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn names_of_variables_are_told_from_what_a_shell_would_not_take() {
        for (text, fits) in
            [("CRM_KEY", true), ("_x1", true), ("", false), ("1A", false), ("A-B", false), ("A=B", false)]
        {
            assert_eq!(text.parse::<Variable>().is_ok(), fits, "{text}");
        }
        assert!("A".repeat(65).parse::<Variable>().is_err());
    }

    #[test]
    fn a_file_of_variables_gets_a_line_more_and_no_second_one_of_a_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("env");
        fs::write(&path, "# ours\nexport\tOTHER=1\nLAST=2").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let name: Variable = "CRM_KEY".parse().unwrap();
        SecretFile::with_room_for(&path, &name).unwrap().fill(&Line::Of(&name), "kdag_x").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "# ours\nexport\tOTHER=1\nLAST=2\nCRM_KEY=kdag_x\n");
        for (set, said) in [("CRM_KEY", "sets CRM_KEY already"), ("OTHER", "sets OTHER already")] {
            let refused = SecretFile::with_room_for(&path, &set.parse().unwrap()).err().unwrap();
            assert!(refused.to_string().contains(said), "{refused}");
        }
        drop(SecretFile::with_room_for(&path, &"LAS".parse().unwrap()).unwrap());
        assert!(
            fs::read_to_string(&path).unwrap().ends_with("CRM_KEY=kdag_x\n"),
            "what is not used changes nothing"
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(SecretFile::with_room_for(&path, &"NEW".parse().unwrap()).is_err(), "others may read it");
    }

    #[test]
    fn a_new_file_is_gone_again_when_no_secret_came() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        drop(SecretFile::create(&path).unwrap());
        assert!(!path.exists());
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(SecretFile::with_room_for(&link, &"A".parse().unwrap()).is_err(), "a link is not followed");
    }
}
