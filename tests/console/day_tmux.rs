//! A console in tmux on a machine reached by ssh: the token goes out through the terminal (OSC 52), the window is
//! resized, left and taken up again, put to the background and back, and nothing of the token stays in what tmux
//! remembers of the screen.
#![expect(clippy::unwrap_used, reason = "a test may stop")]

use std::{path::PathBuf, process::Command};

use crate::support::day::{
    Day, PASSPHRASE, Wanted, has, issue, put_away, reveal, secret_of, sign_in, token_in,
};
use crate::support::pty::Pty;
use crate::support::wait::until;
use rustix::process::{Pid, Signal, kill_process};

/// A tmux server of our own, with one pane in which a shell runs.
struct Tmux<'d> {
    day: &'d Day,
    socket: PathBuf,
}

impl<'d> Tmux<'d> {
    fn start(day: &'d Day) -> Self {
        let tmux = Self { day, socket: day.path("tmux") };
        tmux.asks(&["-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "40", "sh", "-i"]);
        tmux.asks(&["set-option", "-s", "set-clipboard", "on"]);
        tmux.asks(&["set-option", "-g", "status", "off"]);
        tmux
    }

    fn asks(&self, words: &[&str]) -> String {
        let mut command = Command::new("tmux");
        command.arg("-S").arg(&self.socket).args(words);
        command.env_clear().envs(self.day.variables()).current_dir(self.day.path(""));
        let done = command.output().unwrap();
        assert!(done.status.success(), "tmux {words:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    /// Somebody looks at the session, in a window of their own.
    fn attach(&self, columns: u16, rows: u16) -> Pty {
        let mut command = self.day.command("tmux");
        command.args(["-S", self.socket.to_str().unwrap(), "attach-session"]);
        Pty::spawn(command, columns, rows)
    }

    /// The process the shell in the pane has started, while there is one.
    fn console(&self) -> Option<i32> {
        let shell = self.asks(&["display-message", "-p", "#{pane_pid}"]);
        let shell = shell.trim();
        let children = std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).unwrap();
        children.split_whitespace().next().map(|pid| pid.parse().unwrap())
    }

    /// All the pane remembers: what scrolled away, and what is on the screen.
    fn remembers(&self) -> String {
        self.asks(&["capture-pane", "-p", "-J", "-S", "-"])
    }

    /// Every text it keeps for pasting, sorted.
    fn buffers(&self) -> Vec<String> {
        let names = self.asks(&["list-buffers", "-F", "#{buffer_name}"]);
        let mut texts: Vec<_> = names.lines().map(|name| self.asks(&["show-buffer", "-b", name])).collect();
        texts.sort();
        texts
    }
}

impl Drop for Tmux<'_> {
    fn drop(&mut self) {
        let _gone = Command::new("tmux").arg("-S").arg(&self.socket).arg("kill-server").output();
    }
}

/// Nothing of the secret is in what the pane remembers, and the search would have found it.
fn remembers_nothing(tmux: &Tmux<'_>, token: &str) {
    let all = tmux.remembers();
    assert!(all.contains("canary-of-the-day"), "{all}");
    assert!(!all.contains(secret_of(token)), "{all}");
}

#[test]
fn over_ssh_in_tmux_a_token_goes_to_its_buffer_and_stays_nowhere_else() {
    if !has("tmux") {
        return;
    }
    let mut day = Day::founded();
    day.set("SSH_TTY", "/dev/pts/9");
    let tmux = Tmux::start(&day);
    let mut window = tmux.attach(120, 40);
    // What is typed before the shell is there stands before its prompt.
    window.wait("a prompt", |screen| screen.text().contains(['#', '$']));
    window.type_text("echo canary-of-the-day\r").sees("\ncanary-of-the-day");
    window.type_text(concat!(env!("CARGO_BIN_EXE_keydeck"), "\r"));
    sign_in(&mut window);
    issue(&mut window, &Wanted { name: "Booking", location: None, expires: "30d", scope: "contacts.read" });
    window.press("c").sees("OSC 52");
    until("tmux to take the token", || !tmux.buffers().is_empty());
    let token = reveal(&mut window);
    assert_eq!(tmux.asks(&["show-buffer"]), token);
    // Somebody else's text, below ours: it must stay.
    tmux.asks(&["set-buffer", "shopping list"]);

    // A smaller window, then none, then another: the token is still there, whole, and nowhere else.
    window.resize(70, 20).wait("the token in a small window", |screen| token_in(&screen.text()).is_some());
    tmux.asks(&["detach-client"]);
    window.exit();
    assert!(!window.look().text().contains(secret_of(&token)), "left on the screen tmux was started from");
    window = tmux.attach(100, 30);
    window.sees(&token);
    put_away(&mut window);
    // A second copy takes the place of the first, in tmux's list too.
    issue(&mut window, &Wanted { name: "Second", location: None, expires: "30d", scope: "contacts.read" });
    window.press("c").sees("OSC 52");
    until("tmux to take the second token", || tmux.asks(&["show-buffer"]).starts_with("kdag_"));
    let second = reveal(&mut window);
    assert_eq!(tmux.buffers(), [second.as_str(), "shopping list"]);
    put_away(&mut window);

    // To the background and back. The console locks itself there.
    window.press("ctrl-z");
    // What is typed before the shell says so is the console's, and lost.
    window.sees("canary-of-the-day").sees_no("1 Agency").sees("Stopped");
    remembers_nothing(&tmux, &token);
    assert_eq!(tmux.buffers(), ["shopping list"], "the lock takes the token back");
    window.type_text("fg\r").sees("Locked").sees("Passphrase");
    window.type_text(PASSPHRASE).press("enter");
    window.sees("Booking");
    issue(&mut window, &Wanted { name: "Third", location: None, expires: "30d", scope: "contacts.read" });
    window.press("c").sees("OSC 52");
    until("tmux to take the third token", || tmux.buffers().len() == 2);
    put_away(&mut window);
    window.press("q").sees("canary-of-the-day").sees_no("1 Agency");
    until("the console to end", || tmux.console().is_none());
    assert_eq!(tmux.buffers(), ["shopping list"], "quitting takes the token back");
    remembers_nothing(&tmux, &token);
    window.type_text("exit\r");
    window.exit();
    assert_eq!(day.verify(&token, &["contacts.read"]), "allow");
}

#[test]
fn a_revealed_token_is_not_on_the_screen_of_the_shell_however_the_console_is_left() {
    if !has("tmux") {
        return;
    }
    let mut day = Day::founded();
    day.set("SSH_TTY", "/dev/pts/9");
    let tmux = Tmux::start(&day);
    let mut window = tmux.attach(120, 40);
    // What is typed before the shell is there stands before its prompt.
    window.wait("a prompt", |screen| screen.text().contains(['#', '$']));
    window.type_text("echo canary-of-the-day\r").sees("\ncanary-of-the-day");
    let ways = [("Background", Signal::TSTP), ("Terminated", Signal::TERM), ("Hung up", Signal::HUP)];
    for (name, signal) in ways {
        window.type_text(concat!(env!("CARGO_BIN_EXE_keydeck"), "\r"));
        sign_in(&mut window);
        issue(&mut window, &Wanted { name, location: None, expires: "30d", scope: "contacts.read" });
        let token = reveal(&mut window);
        let console = Pid::from_raw(tmux.console().unwrap()).unwrap();
        kill_process(console, signal).unwrap();
        window.sees("canary-of-the-day").sees_no("I stored it");
        remembers_nothing(&tmux, &token);
        if signal == Signal::TSTP {
            window.sees("Stopped");
            window.type_text("fg\r").sees("Locked");
            window.press("ctrl-c");
        }
        // What is typed before the shell has its terminal back is lost.
        until("the console to end", || tmux.console().is_none());
        window.sees("canary-of-the-day");
        remembers_nothing(&tmux, &token);
    }
}
