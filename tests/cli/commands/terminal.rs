//! The same commands with a person at a real terminal: prompts that show nothing, and a question before what is
//! final.

use std::io::{Read as _, Write};
use std::sync::mpsc::{Receiver, channel};

use portable_pty::{Child, CommandBuilder, PtySize, native_pty_system};

use crate::support::desk::{Desk, PASSPHRASE};
use crate::support::wait::PATIENCE;

/// A program in a terminal, and all it has shown.
struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    input: Box<dyn Write + Send>,
    shown: Receiver<Vec<u8>>,
    text: String,
    /// How much of the text the person has read.
    read: usize,
}

impl Terminal {
    fn open(desk: &Desk, words: &[&str]) -> Self {
        let size = PtySize { rows: 24, cols: 200, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_keydeck"));
        command.args(words);
        command.cwd(desk.path(""));
        command.env_clear();
        command.env("HOME", desk.path(""));
        command.env("TERM", "xterm-256color");
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let input = pair.master.take_writer().unwrap();
        let (tell, shown) = channel();
        std::thread::spawn(move || {
            let _open = pair.master;
            let mut bytes = [0; 4096];
            // A terminal whose program has gone ends with an error.
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                if tell.send(bytes[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { child, input, shown, text: String::new(), read: 0 }
    }

    /// Waits until the terminal shows `what`, behind what was seen before.
    #[track_caller]
    fn sees(&mut self, what: &str) -> &mut Self {
        loop {
            if let Some(at) = self.text[self.read..].find(what) {
                self.read += at + what.len();
                return self;
            }
            let Ok(bytes) = self.shown.recv_timeout(PATIENCE) else {
                panic!("no {what:?} in {:?}", self.text)
            };
            self.text.push_str(&String::from_utf8_lossy(&bytes));
        }
    }

    fn types(&mut self, keys: &str) -> &mut Self {
        self.input.write_all(keys.as_bytes()).unwrap();
        self.input.flush().unwrap();
        self
    }

    /// Waits for the end; the exit code and all that was shown.
    fn ends(mut self) -> (u32, String) {
        while let Ok(bytes) = self.shown.recv_timeout(PATIENCE) {
            self.text.push_str(&String::from_utf8_lossy(&bytes));
        }
        (self.child.wait().unwrap().exit_code(), self.text)
    }
}

#[test]
fn passphrases_are_asked_for_without_showing_them() {
    let desk = Desk::new();
    let mut terminal = Terminal::open(&desk, &["init", "--agency", "Acme", "--operator", "maria"]);
    terminal.sees("New passphrase of maria").types(&format!("{PASSPHRASE}\r"));
    terminal.sees("The same again").types("something else entirely\r");
    let (code, text) = terminal.ends();
    assert!(code == 1 && text.contains("not the same"), "{text}");

    let mut terminal = Terminal::open(&desk, &["init", "--agency", "Acme", "--operator", "maria"]);
    terminal.sees("New passphrase of maria").types(&format!("{PASSPHRASE}\r"));
    terminal.sees("The same again").types(&format!("{PASSPHRASE}\r"));
    terminal.sees("kdrc_").sees("Write it down");
    let (code, text) = terminal.ends();
    assert!(code == 0 && !text.contains("horse"), "{text}");

    let mut terminal = Terminal::open(&desk, &["key", "list", "--operator", "maria"]);
    terminal.sees("Passphrase of maria").types("\u{3}");
    let (code, text) = terminal.ends();
    assert_ne!(code, 0, "{text}");
    let mut terminal = Terminal::open(&desk, &["key", "list", "--operator", "maria"]);
    terminal.sees("Passphrase of maria").types(&format!("{PASSPHRASE}\r"));
    terminal.sees("keydeck key create");
    assert_eq!(terminal.ends().0, 0);
}

#[test]
fn what_is_final_is_asked_about_first() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let token = ann.issues("Nightly export", "contacts.read");
    let sign_in = ["--key-file", "ann.key"];
    for (answer, code) in [("\r", 1), ("n\r", 1), ("yess\r", 1), ("\u{4}", 1), ("y\r", 0)] {
        let mut terminal =
            Terminal::open(&desk, &[&["key", "revoke", "Nightly export"][..], &sign_in].concat());
        terminal.sees("Revoke Nightly export (kdag_").sees("[y/N]").types(answer);
        let (ended, text) = terminal.ends();
        assert_eq!(ended, code, "{answer:?}: {text}");
        assert_eq!(ann.verifies(&token), if code == 0 { "deny revoked" } else { "allow" });
    }
    let mut terminal =
        Terminal::open(&desk, &[&["key", "delete", "Nightly export", "--yes"][..], &sign_in].concat());
    terminal.sees("is deleted");
    assert_eq!(terminal.ends().0, 0);
}

#[test]
fn while_somebody_is_asked_others_go_on() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let tokens = ["Nightly export", "Lead forms"].map(|name| ann.issues(name, "contacts.read"));
    let words = ["key", "revoke", "Nightly export", "--key-file", "ann.key"];
    let mut terminal = Terminal::open(&desk, &words);
    terminal.sees("[y/N]");
    ann.does(&["key", "revoke", "Lead forms", "--yes"]);
    assert_eq!(ann.verifies(&tokens[1]), "deny revoked");
    assert_eq!(ann.verifies(&tokens[0]), "allow", "nobody has answered yet");
    terminal.types("y\r");
    let (code, text) = terminal.ends();
    assert_eq!(code, 0, "{text}");
    assert_eq!(ann.verifies(&tokens[0]), "deny revoked");
}

#[test]
fn of_many_the_number_is_asked_for_and_must_still_fit_when_it_was_typed() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let tokens = ["Till 1", "Till 2"].map(|name| ann.issues(name, "contacts.read"));
    let words = ["key", "revoke", "--where", "till", "--key-file", "ann.key"];
    for typed in ["\r", "y\r", "3\r"] {
        let mut terminal = Terminal::open(&desk, &words);
        terminal.sees("2 keys would be revoked").sees("Till 1").sees("Type 2 to revoke them:").types(typed);
        let (code, text) = terminal.ends();
        assert!(code == 1 && text.contains("Nothing was done."), "{typed:?}: {text}");
    }
    // Another one comes to be like that while somebody thinks about it.
    let mut terminal = Terminal::open(&desk, &words);
    terminal.sees("Type 2 to revoke them:");
    ann.issues("Till 3", "contacts.read");
    terminal.types("2\r");
    let (code, text) = terminal.ends();
    assert!(code == 1 && text.contains("3 keys are like that by now, not 2. Nothing was done"), "{text}");
    assert!(tokens.iter().all(|token| ann.verifies(token) == "allow"));
    let mut terminal = Terminal::open(&desk, &words);
    terminal.sees("Type 3 to revoke them:").types("3\r").sees("3 keys are revoked.");
    assert_eq!(terminal.ends().0, 0);
    assert!(tokens.iter().all(|token| ann.verifies(token) == "deny revoked"));
}
