//! After a full day of use, with wrong passphrases, a crash and an abort in it and logs at their most talkative,
//! no secret lies anywhere it should not: not in the store, the logs, the configuration, the screen that was there
//! before, a core file, or the arguments and variables of a running keydeck.
#![expect(clippy::unwrap_used, reason = "a test may stop")]

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use crate::support::day::{Day, PASSPHRASE, Wanted, has, issue, put_away, quit, reveal, secret_of, sign_in};
use crate::support::pty::Pty;
use rustix::process::Signal;

const WRONG: &str = "incorrect horse battery staple";
const SECOND: &str = "jonas has his very own words";

/// Everything nobody may find, and where it was looked for.
struct Hunt<'d> {
    day: &'d Day,
    secrets: BTreeSet<String>,
}

impl Hunt<'_> {
    /// From now on this must not be found, nor what it is made of.
    fn hide(&mut self, secret: &str) {
        self.secrets.insert(secret.to_owned());
        if let Some(code) = secret.strip_prefix("kdrc_") {
            self.secrets.insert(code.replace('-', ""));
            self.secrets.insert(code.to_owned());
        } else if secret.starts_with("kd") {
            self.secrets.insert(secret_of(secret).to_owned());
        }
    }

    #[track_caller]
    fn none_in(&self, place: &str, bytes: &[u8]) {
        let found: Vec<_> = self.secrets.iter().filter(|secret| holds(bytes, secret)).collect();
        assert!(found.is_empty(), "{place} holds {found:?}");
    }

    /// Looks through all that others can see of a running process.
    #[track_caller]
    fn none_in_process(&self, pid: i32) {
        let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap();
        assert!(holds(&command, "keydeck"));
        self.none_in("the command line", &command);
        // Closed to everybody but root, since the process made itself undumpable.
        if let Ok(variables) = fs::read(format!("/proc/{pid}/environ")) {
            assert!(holds(&variables, "HOME="));
            self.none_in("the environment", &variables);
        }
    }

    /// Looks through every file below the home: data, configuration, state and working directory.
    #[track_caller]
    fn none_in_files(&self) {
        let planted = self.day.path(".local/share/keydeck/store/planted");
        for secret in &self.secrets {
            let (found, looked) = self.day.search(secret);
            assert!(found.is_empty(), "{secret} is in {found:?}");
            assert!(looked >= 5, "only {looked} files in a whole day");
            // The search finds what is there.
            fs::write(&planted, [b"\0\xffbefore", secret.as_bytes(), b"after"].concat()).unwrap();
            assert_eq!(self.day.search(secret).0, std::slice::from_ref(&planted));
            fs::remove_file(&planted).unwrap();
        }
    }

    /// The screen the terminal had before the console took it, and all that is left of the console there.
    #[track_caller]
    fn none_on_screen_after(&self, console: &Pty) {
        let screen = console.look();
        assert!(!screen.now().alternate_screen(), "the terminal was not given back");
        self.none_in("the screen afterwards", screen.text().as_bytes());
    }
}

fn holds(bytes: &[u8], needle: &str) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
}

/// Core files in the working directory.
fn cores(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("core")).collect()
}

/// A console started from a shell that allows core files as large as they come.
fn console_with_cores_allowed(day: &Day) -> Pty {
    let mut command = day.command("sh");
    command.args(["-c", concat!("ulimit -c unlimited; exec ", env!("CARGO_BIN_EXE_keydeck"))]);
    Pty::spawn(command, 120, 40)
}

/// Issues a key in the console, copies and reads its token; it is still shown.
fn issued(console: &mut Pty, name: &str, hunt: &mut Hunt<'_>) -> String {
    issue(console, &Wanted { name, location: None, expires: "90d", scope: "contacts.read" });
    console.press("c").sees("OSC 52");
    let token = reveal(console);
    hunt.hide(&token);
    hunt.none_in_process(console.pid);
    token
}

#[test]
fn after_a_full_day_no_secret_lies_where_it_should_not() {
    if !has("sh") {
        return;
    }
    let mut day = Day::new();
    day.set("KEYDECK_LOG", "trace");
    let day = day;
    let mut hunt = Hunt { day: &day, secrets: BTreeSet::new() };
    let recovery = day.found();
    for secret in [PASSPHRASE, WRONG, SECOND, recovery.as_str()] {
        hunt.hide(secret);
    }

    // The morning, by script: three keys, a colleague, a store opened with a wrong passphrase.
    day.maria(&["location", "add", "Berlin Mitte"]).expect(0);
    let mut tokens = Vec::new();
    for (name, place) in
        [("Export", "--agency"), ("Import", "--agency"), ("Widget", "--location=Berlin Mitte")]
    {
        let token = day.maria(&["key", "create", "--name", name, place, "--scope", "contacts.read"]).token();
        hunt.hide(&token);
        tokens.push(token);
    }
    let said = day.runs(&["key", "list", "--operator", "maria", "--passphrase-file", "-"], WRONG).expect(4);
    hunt.none_in("the refusal", said.err.as_bytes());

    // In the console: wrong, then right; a key issued, copied and put away; a key revoked.
    let mut console = day.console();
    console.sees("Passphrase");
    if !console.look().text().contains("maria") {
        console.type_text("maria").press("tab");
    }
    console.type_text(WRONG).press("enter").sees_no("checking").sees("✗");
    sign_in(&mut console);
    tokens.push(issued(&mut console, "Afternoon", &mut hunt));
    put_away(&mut console);
    console.press("g").sees("Afternoon");
    quit(&mut console);
    hunt.none_on_screen_after(&console);
    day.maria(&["key", "revoke", "Import"]).expect(0);

    // Good and bad tokens are asked about; what was presented is not told on.
    assert_eq!(day.verify(&tokens[0], &["contacts.read"]), "allow");
    assert_eq!(day.verify(&tokens[1], &[]), "deny revoked");
    assert_eq!(day.verify(&tokens[3], &[]), "allow");
    let torn = format!("{}{}", &tokens[0][..30], &tokens[3][30..]);
    hunt.hide(&torn);
    assert!(day.verify(&torn, &[]).starts_with("deny"));

    // A crash and an abort, each with a token on the screen.
    for (name, signal) in [("Crash", Signal::KILL), ("Abort", Signal::ABORT)] {
        let mut console = console_with_cores_allowed(&day);
        sign_in(&mut console);
        tokens.push(issued(&mut console, name, &mut hunt));
        console.signal(signal);
        assert!(!console.exit().success());
    }
    assert_eq!(cores(&day.path("")), Vec::<String>::new());
    a_core_file_would_have_been_seen(&day);

    // The evening: all that was acknowledged is there, and nothing lies about.
    for token in tokens.iter().enumerate().filter(|(n, _)| *n != 1).map(|(_, token)| token) {
        assert_eq!(day.verify(token, &["contacts.read"]), "allow");
    }
    day.maria(&["audit", "verify"]).expect(0);
    let audit = day.maria(&["audit", "list", "--json"]).expect(0);
    hunt.none_in("the audit trail", audit.out.as_bytes());
    let log = fs::read_to_string(day.path(".local/state/keydeck/keydeck.log")).unwrap();
    assert!(
        log.contains("TRACE") || log.contains("DEBUG") || log.contains("INFO"),
        "the log is not talkative: {log}"
    );
    hunt.none_in_files();
}

/// Something else that aborts leaves a core file there, where the system writes them beside the program at all.
#[expect(clippy::print_stdout, reason = "says why a test does nothing")]
fn a_core_file_would_have_been_seen(day: &Day) {
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default();
    if !pattern.starts_with("core") {
        println!("skipped: needs a system that writes core files into the working directory");
        return;
    }
    let dir = day.path("abort");
    fs::create_dir(&dir).unwrap();
    let words = ["-c", "ulimit -c unlimited; kill -ABRT $$"];
    Command::new("sh").args(words).current_dir(&dir).status().unwrap();
    assert_ne!(cores(&dir), Vec::<String>::new());
    fs::remove_dir_all(&dir).unwrap();
}
