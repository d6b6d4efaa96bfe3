//! A store that is made once and copied for every death; what is done to it, and what must hold afterwards.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::desk::{Desk, Person, Said};

/// The key file of the operator who does it all: no passphrase is paid for.
const KEY_FILE: &str = "cron.key";
/// The keys of the store; the first is the one things are done to.
const NAMES: [&str; 3] = ["Nightly", "Weekly", "Monthly"];

/// What is said of a snapshot that was cut off.
const SET_ASIDE: &str = ".generating was left unfinished and has been set aside";

/// What is said of a secret that is taken back, because nothing says that somebody was shown it.
const TAKEN_BACK: &str = "so nothing says that somebody was shown it: it is taken back";

/// Something a person does with the first key, and what comes of it.
#[derive(Debug)]
pub struct Deed {
    pub words: &'static [&'static str],
    /// What the answer holds when it is done.
    pub answer: &'static str,
    /// What `verify` says of the first key's token afterwards.
    pub verdict: &'static str,
}

/// A store at rest, and what there is to know about it.
pub struct Site {
    home: Desk,
    /// Of the first key.
    token: String,
    before: Standing,
}

/// What can be told of a store from outside, but for times and ids of what is new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// All about the keys a deed does not concern.
    others: Vec<Value>,
    /// The names, states and scopes of those it does.
    touched: Vec<String>,
    /// Entries of the audit trail.
    entries: u64,
}

impl Site {
    pub fn new() -> Self {
        let home = Desk::founded();
        let cron = home.hire("cron", "admin");
        let [token, ..] = NAMES.map(|name| cron.issues(name, "contacts.read"));
        let before = Standing { others: Vec::new(), touched: Vec::new(), entries: 0 };
        let site = Self { home, token, before };
        // Looked at in a copy: the next to open the store itself has something to put in order, as after any command.
        let before = standing(&site.copy()).unwrap();
        Self { before, ..site }
    }

    /// Another machine with the same store.
    pub fn copy(&self) -> Desk {
        let desk = Desk::new();
        desk.file(KEY_FILE, fs::read(self.home.path(KEY_FILE)).unwrap());
        copy_into(&self.home.data(), &desk.data());
        desk
    }

    /// How the store stands after an undisturbed deed.
    pub fn after(&self, deed: &Deed) -> Standing {
        let desk = self.copy();
        let said = person(&desk).does(deed.words);
        assert!(was_said(&said, deed), "{said:?}");
        let after = standing(&desk).unwrap();
        assert_eq!((&after.others, after.entries), (&self.before.others, self.before.entries + 1));
        assert_ne!(after.touched, self.before.touched);
        after
    }

    /// Opens the store of a process that was killed at a deed, and finds it whole: the deed done or not done at all,
    /// done if the process said so, and to be done now if not. Whether it was done.
    pub fn check(&self, desk: &Desk, deed: &Deed, after: &Standing, said: bool) -> Result<bool, String> {
        let (store, quarantine) = (desk.data().join("store"), desk.data().join("quarantine"));
        // sled does not open beside a snapshot it did not finish. That it is out of the way is the one thing said.
        let unfinished: Vec<String> =
            names_in(&store).into_iter().filter(|name| name.ends_with(".generating")).collect();
        let found = standing(desk)?;
        let set_aside: Vec<String> = unfinished.iter().map(|name| format!("001-{name}")).collect();
        if names_in(&quarantine) != set_aside {
            return Err(format!("set aside: {:?}, and not {set_aside:?}", names_in(&quarantine)));
        }
        let done = match (found == self.before, found == *after) {
            (true, false) => false,
            (false, true) => true,
            _ if !said && found == self.taken_back(after) => false,
            _ => return Err(format!("half done: {found:?}")),
        };
        if said && !done {
            return Err("it was said to be done, and is not".into());
        }
        let verify = |wanted: &str| {
            let said = person(desk).gives(&["verify"], &self.token);
            if said.out.trim_end() == wanted { Ok(()) } else { Err(format!("{said:?} instead of {wanted}")) }
        };
        verify(if done { deed.verdict } else { "allow" })?;
        if !done {
            let again = person(desk).says(deed.words);
            if again.code != 0 {
                return Err(format!("it cannot be done any more: {again:?}"));
            }
            verify(deed.verdict)?;
        }
        Ok(done)
    }
}

impl Site {
    /// How the store stands when a new key was taken back because nobody was shown its secret.
    fn taken_back(&self, after: &Standing) -> Standing {
        let back = |key: &String| {
            if self.before.touched.contains(key) { key.clone() } else { key.replace("active", "revoked") }
        };
        let mut touched: Vec<String> = after.touched.iter().map(back).collect();
        touched.sort();
        Standing { touched, entries: after.entries + 1, ..after.clone() }
    }
}

/// The operator of these stores.
pub fn person(desk: &Desk) -> Person<'_> {
    desk.by_key_file(KEY_FILE)
}

/// A program as the operator starts it.
pub fn command(desk: &Desk, words: &[&str]) -> Command {
    desk.command(&person(desk).words(words))
}

/// Opens a store and reads how it stands. `Err` with what was said if there is anything to say about it.
fn standing(desk: &Desk) -> Result<Standing, String> {
    let cron = person(desk);
    let ask = |words: &[&str]| {
        let said = cron.says(words);
        let aside =
            |line: &str| line.starts_with("keydeck: quarantine/001-snap.") && line.ends_with(SET_ASIDE);
        let fine = said.code == 0 && said.err.lines().all(|line| aside(line) || line.ends_with(TAKEN_BACK));
        if fine { Ok(said) } else { Err(format!("{said:?}")) }
    };
    // The first to open it after a death says what is wrong, if anything.
    let checked = ask(&["audit", "verify"])?.out;
    let entries = checked.strip_prefix("intact: ").and_then(|rest| rest.split(' ').next()?.parse().ok());
    let entries = entries.ok_or(checked)?;
    let Value::Array(mut keys) = ask(&["key", "list", "--json"])?.json() else {
        return Err("no keys".into());
    };
    for key in keys.iter_mut().filter_map(Value::as_object_mut) {
        // A process that was killed may have lost a use: days without use count anew from the next opening.
        for told in ["deletes_at", "uses_known_since"] {
            key.remove(told);
        }
    }
    let (others, touched): (Vec<_>, Vec<_>) =
        keys.into_iter().partition(|key| NAMES[1..].iter().any(|name| key["name"] == *name));
    let mut touched: Vec<String> =
        touched.iter().map(|key| format!("{} {} {}", key["name"], key["state"], key["scopes"])).collect();
    touched.sort();
    Ok(Standing { others, touched, entries })
}

/// Whether a process said that a deed is done.
pub fn was_said(said: &Said, deed: &Deed) -> bool {
    said.code == 0 || said.out.contains(deed.answer) || said.err.contains(deed.answer)
}

/// The names in a directory, sorted; none when there is no such directory.
fn names_in(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

pub fn copy_into(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        if path.is_dir() {
            copy_into(&path, &to.join(name));
        } else {
            fs::copy(&path, to.join(name)).unwrap();
        }
    }
}
