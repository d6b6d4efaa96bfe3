//! Files for secrets: a new one, which is gone again unless a secret was written to it, or one with variables, which gets a
//! line more or stays as it was. Nobody but their owner can read either.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rustix::fs::{FlockOperation, OFlags, flock};
use zeroize::Zeroizing;

use super::{Unfit, note};
use crate::domain::Note;
use crate::domain::name::plain;

/// No file of variables is near as long.
const FILE_MAX: u64 = 1024 * 1024;
/// The longest name of a variable.
const NAME_MAX: usize = 64;

/// The name of a variable: a letter or `_`, then letters, digits and `_`; at most 64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable(String);

/// A file that secrets are written to.
#[derive(Debug)]
pub struct SecretFile {
    path: PathBuf,
    file: File,
    /// What of it is sure to be there: all that was there before, and each secret since.
    length: u64,
    /// Whether the last line of that is not ended.
    open_line: bool,
    /// Whether it was made for this.
    new: bool,
}

impl FromStr for Variable {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let goes_on = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if starts && goes_on && text.len() <= NAME_MAX {
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

    /// The name a text has as a variable: letters and digits of it in capitals, `_` for whatever is between them.
    pub fn like(text: &str) -> Self {
        let mut name = words_of(text, '_').to_ascii_uppercase();
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            name.insert(0, '_');
        }
        name.truncate(NAME_MAX);
        Self(name)
    }

    /// The same, told apart from others by a number.
    #[must_use]
    pub fn numbered(&self, number: usize) -> Self {
        let end = format!("_{number}");
        Self(self.0.chars().take(NAME_MAX - end.len()).chain(end.chars()).collect())
    }

    /// Whether a line sets it.
    fn is_set_by(&self, line: &str) -> bool {
        let line = line.trim_start();
        let exported = line.strip_prefix("export").filter(|rest| rest.starts_with(char::is_whitespace));
        let line = exported.map_or(line, str::trim_start);
        line.strip_prefix(&self.0).is_some_and(|rest| rest.trim_start().starts_with('='))
    }
}

/// The letters and digits of a text without what they wear, `between` for the rest; never nothing.
pub fn words_of(text: &str, between: char) -> String {
    let plain = plain(text);
    let words = plain.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let name = words.collect::<Vec<_>>().join(&between.to_string());
    if name.is_empty() { "key".to_owned() } else { name }
}

impl SecretFile {
    /// A new one.
    ///
    /// # Errors
    /// Why there can be none at that path; one that is there already is left as it is.
    pub fn create(path: &Path) -> Result<Self, Unfit> {
        let file = Self::new_at(path);
        file.map_err(|e| unfit(path, "cannot be made", &e.to_string(), "Name one that is not there yet"))
    }

    /// The same, in the system's own words.
    ///
    /// # Errors
    /// The system's answer.
    pub fn new_at(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        Ok(Self { path: path.to_owned(), file, length: 0, open_line: false, new: true })
    }

    /// One that has no such variable yet: new, or there already. Locked, so that two who write keep apart.
    ///
    /// # Errors
    /// Why nothing can be added to it.
    pub fn with_room_for(path: &Path, name: &Variable) -> Result<Self, Unfit> {
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
        let open_line = !text.is_empty() && !text.ends_with('\n');
        Ok(Self { path: path.to_owned(), file, length: text.len() as u64, open_line, new: false })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes what is said of a secret on a line of its own, so that it outlives a power cut. When that fails, the file is as
    /// it was before.
    ///
    /// # Errors
    /// The system's answer.
    pub fn add(&mut self, line: &str) -> io::Result<()> {
        let line = line.trim_end();
        let mut text = Zeroizing::new(String::with_capacity(line.len() + 2));
        if self.open_line {
            text.push('\n');
        }
        text.push_str(line);
        text.push('\n');
        let written = self.file.write_all(text.as_bytes()).and_then(|()| self.file.sync_all());
        let written =
            written.and_then(|()| if self.new && self.length == 0 { self.name_it() } else { Ok(()) });
        if let Err(error) = written {
            // Its own fault is told; what is half written is no secret's.
            let _ = self.file.set_len(self.length).and_then(|()| self.file.seek(SeekFrom::End(0)));
            return Err(error);
        }
        self.length += text.len() as u64;
        self.open_line = false;
        Ok(())
    }

    /// Has its directory outlive a power cut with it.
    fn name_it(&self) -> io::Result<()> {
        let above = self.path.parent().filter(|above| !above.as_os_str().is_empty());
        File::open(above.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Drop for SecretFile {
    fn drop(&mut self) {
        if self.new && self.length == 0 {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn unfit(path: &Path, what: &str, why: &str, then: &str) -> Unfit {
    Unfit::Words(format!("The file {} {what}: {why}. {then}.", path.display()))
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
    fn any_name_of_a_key_is_made_one_of_a_variable_and_two_are_told_apart() {
        for (text, name) in [
            ("Nightly export", "NIGHTLY_EXPORT"),
            ("Łódź – Kasse 2", "LODZ_KASSE_2"),
            ("2nd till", "_2ND_TILL"),
            ("店", "KEY"),
            ("a\n\"$(rm)\"", "A_RM"),
        ] {
            let like = Variable::like(text);
            assert_eq!(like.to_string(), name);
            assert_eq!(like.to_string().parse::<Variable>(), Ok(like));
        }
        let long = Variable::like(&"a".repeat(80));
        assert_eq!((long.0.len(), long.numbered(12).0.len()), (64, 64));
        assert!(long.numbered(12).0.ends_with("A_12"));
    }

    #[test]
    fn a_file_of_variables_gets_a_line_more_and_no_second_one_of_a_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("env");
        fs::write(&path, "# ours\nexport\tOTHER=1\nLAST=2").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let name: Variable = "CRM_KEY".parse().unwrap();
        SecretFile::with_room_for(&path, &name).unwrap().add("CRM_KEY=kdag_x").unwrap();
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
