//! A person's machine for a day: a home, the real program on the command line and in a terminal, and the words and
//! keys a person uses there. Waits are for words that stay when a layout changes.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use portable_pty::CommandBuilder;
use tempfile::TempDir;

use super::pty::Pty;

/// What maria signs in with.
pub const PASSPHRASE: &str = "correct horse battery staple";
/// Characters of a whole token; the secret is the 32 after the public id, then comes a checksum of 6.
const TOKEN: usize = 56;
const SECRET: std::ops::Range<usize> = 18..50;

/// A machine with one home.
pub struct Day {
    home: TempDir,
    variables: Vec<(String, String)>,
}

/// What a run of the program came to.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// A key as a person wants it.
pub struct Wanted<'a> {
    pub name: &'a str,
    /// None: a key for the agency.
    pub location: Option<&'a str>,
    /// Empty: what the form proposes.
    pub expires: &'a str,
    pub scope: &'a str,
}

impl Day {
    /// An empty home.
    pub fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap(), variables: Vec::new() }
    }

    /// A home with Acme's store, maria its admin.
    pub fn founded() -> Self {
        let day = Self::new();
        day.found();
        day
    }

    /// Makes the store by a command and returns the recovery code.
    pub fn found(&self) -> String {
        let words = ["init", "--agency", "Acme", "--operator", "maria", "--passphrase-file", "-"];
        self.runs(&words, PASSPHRASE).expect(0).out.trim_end().to_owned()
    }

    /// Sets a variable for every program from now on.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.variables.push((name.to_owned(), value.into()));
    }

    /// A path in the home.
    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Every variable the programs have.
    pub fn variables(&self) -> Vec<(String, String)> {
        let home = self.home.path().to_str().unwrap().to_owned();
        let outside = std::env::var("PATH").unwrap_or_default();
        let own = [("HOME", home.as_str()), ("PATH", outside.as_str()), ("TZ", "UTC"), ("LANG", "C.UTF-8")];
        let own = own.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        own.chain(self.variables.iter().cloned()).collect()
    }

    /// Runs `keydeck` with `input` on standard input.
    pub fn runs(&self, words: &[&str], input: &str) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keydeck"));
        command.args(words).current_dir(self.home.path()).env_clear().envs(self.variables());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A program that needs no input may be gone before it is written.
        let _gone = child.stdin.take().unwrap().write_all(input.as_bytes());
        let done = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Said { code: done.status.code().unwrap_or(-1), out: text(done.stdout), err: text(done.stderr) }
    }

    /// Runs it as maria.
    pub fn maria(&self, words: &[&str]) -> Said {
        let words: Vec<&str> =
            words.iter().copied().chain(["--operator", "maria", "--passphrase-file", "-"]).collect();
        self.runs(&words, PASSPHRASE)
    }

    /// What `verify` says about a presented text: its first line, with the exit code proved to fit.
    pub fn verify(&self, presented: &str, scopes: &[&str]) -> String {
        let passphrase = self.path("verifier.pass");
        fs::write(&passphrase, PASSPHRASE).unwrap();
        fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o600)).unwrap();
        let file = passphrase.to_str().unwrap();
        let mut words = vec!["verify", "--operator", "maria", "--passphrase-file", file];
        for scope in scopes {
            words.extend(["--scope", scope]);
        }
        let said = self.runs(&words, presented);
        fs::remove_file(&passphrase).unwrap();
        assert_eq!(said.code, i32::from(!said.out.starts_with("allow")), "{said:?}");
        said.out.trim_end().to_owned()
    }

    /// Any program in this home, for a terminal.
    pub fn command(&self, program: &str) -> CommandBuilder {
        let mut command = CommandBuilder::new(program);
        command.env_clear();
        command.env("TERM", "xterm-256color");
        for (name, value) in self.variables() {
            command.env(name, value);
        }
        command.cwd(self.home.path());
        command
    }

    /// The console in a terminal of its own.
    pub fn console(&self) -> Pty {
        Pty::spawn(self.command(env!("CARGO_BIN_EXE_keydeck")), 120, 40)
    }

    /// The console, with maria signed in.
    pub fn signed_in(&self) -> Pty {
        let mut console = self.console();
        sign_in(&mut console);
        console
    }

    /// Files below the home that hold `needle`, and how many were looked into.
    pub fn search(&self, needle: &str) -> (Vec<PathBuf>, usize) {
        let (mut found, mut files) = (Vec::new(), 0);
        search(self.home.path(), needle.as_bytes(), &mut found, &mut files);
        (found, files)
    }
}

impl Said {
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    /// The token a command printed.
    #[track_caller]
    pub fn token(self) -> String {
        let said = self.expect(0);
        token_in(&said.out).unwrap_or_else(|| panic!("no token: {said:?}"))
    }
}

/// Signs maria in, at the door or at the locked screen.
pub fn sign_in(console: &mut Pty) {
    console.sees("Passphrase");
    if !console.look().text().contains("maria") {
        console.type_text("maria");
        console.press("tab");
    }
    console.type_text(PASSPHRASE).press("enter");
    console.sees("1 Agency");
}

/// Issues a key through the form; the console shows its secret, still as dots.
pub fn issue(console: &mut Pty, wanted: &Wanted<'_>) {
    console.press("1");
    console.press("n").sees("Issue key");
    console.type_text(wanted.name).press("tab");
    if let Some(location) = wanted.location {
        console.press("right").sees("(*) Location key");
        console.press("tab");
        let found = format!("▸ {location}");
        console.type_text(location).sees(&found);
        console.press("enter").sees_no(&found).sees(location);
    } else {
        console.press("tab");
    }
    console.press("ctrl-u").type_text(wanted.expires).press("tab tab tab");
    // Pasted: a slash and a scope within a few milliseconds would not be taken for typing.
    console.press("/").paste(wanted.scope).sees(wanted.scope);
    console.press("enter ctrl-t").sees("1 scope");
    console.press("ctrl-s");
    console.sees(&format!("{} is issued", wanted.name));
}

/// Reveals the token and reads it from the screen.
pub fn reveal(console: &mut Pty) -> String {
    console.press("r").wait("a token in plain letters", |screen| token_in(&screen.text()).is_some());
    let text = console.look().text();
    token_in(&text).unwrap()
}

/// Ticks that the token is stored, and closes it.
pub fn put_away(console: &mut Pty) {
    console.press("space").sees("enter closes");
    console.press("enter").sees_no("I stored it").sees("1 Agency");
}

/// Quits from a screen.
pub fn quit(console: &mut Pty) {
    console.press("q");
    let status = console.exit();
    assert!(status.success(), "{status:?}");
}

/// The first whole token in a text: prefix, public id, then 38 characters.
pub fn token_in(text: &str) -> Option<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .find(|word| word.len() == TOKEN && word.starts_with("kd") && word[SECRET].chars().all(|c| c != '_'))
        .map(str::to_owned)
}

/// The secret part of a token.
pub fn secret_of(token: &str) -> &str {
    &token[SECRET]
}

/// Whether a program can be started here; says so when not.
#[expect(clippy::print_stdout, reason = "says why a test does nothing")]
pub fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|dir| dir.join(program).is_file());
    if !found {
        println!("skipped: needs {program}");
    }
    found
}

fn search(dir: &Path, needle: &[u8], found: &mut Vec<PathBuf>, files: &mut usize) {
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            search(&entry.path(), needle, found, files);
        } else if kind.is_file() {
            *files += 1;
            let bytes = fs::read(entry.path()).unwrap();
            if bytes.windows(needle.len()).any(|window| window == needle) {
                found.push(entry.path());
            }
        }
    }
}
