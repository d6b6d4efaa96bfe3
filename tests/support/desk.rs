//! A person at a machine of their own: a home, a store, and the real program run with words and files. Everything
//! they type or read is here; nothing reaches the home of whoever runs the tests.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use keydeck::crypto::passphrase::{Cost, Passphrase};
use keydeck::domain::Name;
use keydeck::engine::Via;
use keydeck::engine::open::{Options, found};
use serde_json::Value;
use tempfile::TempDir;

pub const PASSPHRASE: &str = "correct horse battery staple";

/// A machine with one home.
pub struct Desk {
    home: TempDir,
}

/// Somebody at the desk: the words that sign them in.
#[derive(Clone)]
pub struct Person<'d> {
    desk: &'d Desk,
    sign_in: Vec<String>,
}

/// What a run of the program came to.
#[derive(Debug, Default)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
    pub words: String,
}

impl Desk {
    pub fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap() }
    }

    /// A desk whose store belongs to Acme, with maria as its admin. Her passphrase costs the least that is accepted:
    /// the program is run by the hundred here, and obeys what the store says of it.
    pub fn founded() -> Self {
        let desk = Self::new();
        desk.file("maria.pass", PASSPHRASE);
        let options =
            Options { cost: Cost::IMPORTED, ..Options::new(&desk.data(), "init", Via::CommandLine) };
        let [agency, maria] = ["Acme", "maria"].map(|name| Name::new(name).unwrap());
        let founded = found(&options, agency, maria, &Passphrase::choose(PASSPHRASE).unwrap()).unwrap();
        fs::write(desk.path("recovery"), format!("{}\n", founded.recovery.reveal().as_str())).unwrap();
        desk
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub fn data(&self) -> PathBuf {
        self.path(".local/share/keydeck")
    }

    /// Writes a file that only its owner reads.
    pub fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The program in this home, with no variable of the outside. A file `clock` there sets the clock of the machine.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keydeck"));
        command.args(words).current_dir(self.home.path()).env_clear().env("HOME", self.home.path());
        command.env("TZ", "UTC").env("PATH", std::env::var_os("PATH").unwrap_or_default());
        let clock = self.path("clock");
        if clock.exists() {
            command.env("KEYDECK_TEST_CLOCK", clock);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the program with `input` on standard input.
    pub fn run(&self, words: &[&str], input: impl AsRef<[u8]>) -> Said {
        Self::finish(self.command(words), words, input.as_ref())
    }

    pub fn finish(mut command: Command, words: &[&str], input: &[u8]) -> Said {
        let mut child = command.spawn().unwrap();
        // A program that needs no input may be gone before it is written.
        let _ = child.stdin.take().unwrap().write_all(input);
        let done = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Said {
            code: done.status.code().unwrap_or(-1),
            out: text(done.stdout),
            err: text(done.stderr),
            words: words.join(" "),
        }
    }

    /// The admin, signed in with the passphrase: honest, if quick.
    pub fn maria(&self) -> Person<'_> {
        self.by_passphrase("maria", "maria.pass")
    }

    pub fn by_passphrase(&self, name: &str, file: &str) -> Person<'_> {
        let sign_in = ["--operator", name, "--passphrase-file", file].map(str::to_owned).to_vec();
        Person { desk: self, sign_in }
    }

    /// A new operator who signs in with a key file, as a cron job would: quick.
    pub fn hire(&self, name: &str, role: &str) -> Person<'_> {
        let file = format!("{name}.key");
        self.maria().does(&["operator", "add", name, "--role", role, "--new-key-file", &file]);
        self.by_key_file(&file)
    }

    pub fn by_key_file(&self, file: &str) -> Person<'_> {
        Person { desk: self, sign_in: vec!["--key-file".into(), file.into()] }
    }
}

impl Person<'_> {
    /// Runs the program as this person.
    pub fn says(&self, words: &[&str]) -> Said {
        self.gives(words, "")
    }

    /// The same, with something on standard input.
    pub fn gives(&self, words: &[&str], input: impl AsRef<[u8]>) -> Said {
        self.desk.run(&self.words(words), input)
    }

    pub fn words<'w>(&'w self, words: &[&'w str]) -> Vec<&'w str> {
        words.iter().copied().chain(self.sign_in.iter().map(String::as_str)).collect()
    }

    /// Runs the program and expects it done.
    #[track_caller]
    pub fn does(&self, words: &[&str]) -> Said {
        self.says(words).expect(0)
    }

    /// Runs the program with `--json` and reads what it says.
    #[track_caller]
    pub fn asks(&self, words: &[&str]) -> Value {
        let words: Vec<&str> = words.iter().copied().chain(["--json"]).collect();
        self.says(&words).expect(0).json()
    }

    /// Issues a key with one scope and returns its token.
    #[track_caller]
    pub fn issues(&self, name: &str, scope: &str) -> String {
        let said = self.does(&["key", "create", "--name", name, "--agency", "--scope", scope]);
        said.out.strip_suffix('\n').unwrap().to_owned()
    }

    /// What `verify` prints about a presented text.
    #[track_caller]
    pub fn verifies(&self, presented: impl AsRef<[u8]>) -> String {
        let said = self.gives(&["verify"], presented);
        assert_eq!(said.code, i32::from(!said.out.starts_with("allow")), "{said:?}");
        said.out.trim_end().to_owned()
    }
}

impl Said {
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    /// Expects a failure that says `what` on standard error and nothing on standard output.
    #[track_caller]
    pub fn fails(self, code: i32, what: &str) -> Self {
        assert!(self.code == code && self.err.contains(what) && self.out.is_empty(), "{what:?}: {self:?}");
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }
}

/// The token with its checksum computed anew: what a forger who knows the format would present.
pub fn with_checksum(token: &str) -> String {
    const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let signed = &token[..token.len() - 6];
    let mut rest = crc32fast::hash(signed.as_bytes());
    let mut digits = [b'1'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = BASE58[(rest % 58) as usize];
        rest /= 58;
    }
    format!("{signed}{}", std::str::from_utf8(&digits).unwrap())
}

/// Whether a directory and all below it hold a text.
pub fn holds(dir: &Path, needle: &str) -> bool {
    fs::read_dir(dir).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            holds(&path, needle)
        } else {
            let bytes = fs::read(&path).unwrap();
            bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
        }
    })
}
