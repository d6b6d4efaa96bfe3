//! How an operator left the console, remembered from one day to the next: the open tab, how each list is sorted, filtered
//! and laid out, what was looked for. One small file per store and operator on this machine, for its owner alone, written
//! whole or not at all. Nothing of keys is in it but what was typed into a filter line, and nothing secret.
//!
//! What cannot be read is as if nothing was remembered, and is said once. Of two consoles the one that writes last wins
//! whole.

use std::collections::BTreeMap;
use std::fs::DirBuilder;
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::crypto::StoreId;
use crate::domain::OperatorId;
use crate::files::{self, Beside, There};
use crate::tui::action::{Action, Tab};
use crate::tui::list::habit::Habit;
use crate::tui::list::lines::naming;

/// The form of the file. A console reads no newer one.
const VERSION: u32 = 1;
/// Characters of the longest public part of a token, `kdag_7HqP2mVx9KtR_`.
const PUBLIC: usize = 18;
/// Characters of an id.
const ID: usize = 12;
/// Far more than a file of ours takes.
const MAX_BYTES: usize = 256 * 1024;

/// What is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Habits {
    /// The open tab, by its word.
    #[serde(skip_serializing_if = "Option::is_none")]
    tab: Option<String>,
    /// How each list is had, by its name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub lists: BTreeMap<String, Habit>,
}

impl Habits {
    /// With this tab open.
    pub fn at(tab: Option<Tab>, mut lists: BTreeMap<String, Habit>) -> Self {
        for list in lists.values_mut() {
            list.lines.retain(|line| {
                let (name, line) = naming(line).unwrap_or(("", line));
                !may_be_secret(name) && !may_be_secret(line)
            });
            if may_be_secret(&list.filter) {
                list.filter.clear();
            }
        }
        Self { tab: tab.map(|tab| word(tab).to_owned()), lists }
    }

    /// The tab that was open.
    pub fn tab(&self) -> Option<Tab> {
        Tab::ALL.iter().copied().find(|tab| Some(word(*tab)) == self.tab.as_deref())
    }
}

fn word(tab: Tab) -> &'static str {
    Action::Tab(tab).spec().word
}

/// Whether somebody may have looked for a secret, or for a part of one: a long word of letters and digits, also one in groups as
/// a recovery code is written. What is public of a key is shorter, or begins as a token does and ends before its secret.
fn may_be_secret(line: &str) -> bool {
    let groups: Vec<&str> = line.split([' ', '-', '=']).filter(|group| !group.is_empty()).collect();
    has_secret_word(line) || groups.windows(2).any(|two| two.iter().all(|group| looks_drawn(group)))
}

fn has_secret_word(line: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_-+/=".contains(c);
    line.split(|c| !is_part(c)).any(|word| {
        let has = |kind: fn(&char) -> bool| word.chars().any(|c| kind(&c));
        let most = if word.starts_with("kd") && word.contains('_') { PUBLIC } else { ID };
        word.len() > most && has(char::is_ascii_alphabetic) && has(char::is_ascii_digit)
    })
}

/// Whether a group of letters and digits looks as if it were drawn and not written.
fn looks_drawn(group: &str) -> bool {
    let inner = group.get(1..).unwrap_or_default();
    let has = |text: &str, kind: fn(&char) -> bool| text.chars().any(|c| kind(&c));
    group.len() >= 4
        && group.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && (has(group, char::is_ascii_digit) && has(group, char::is_ascii_alphabetic)
            || has(inner, char::is_ascii_uppercase) && has(inner, char::is_ascii_lowercase))
}

/// As it stands in the file.
#[derive(Serialize, Deserialize)]
struct Written<H> {
    version: u32,
    #[serde(flatten)]
    habits: H,
}

/// Why nothing is remembered although there is a file.
#[derive(Debug, thiserror::Error)]
pub enum Forgotten {
    #[error("what is remembered cannot be read: {0}")]
    Unread(#[from] io::Error),
    #[error("what is remembered is damaged")]
    Damaged,
    /// It stays as it is.
    #[error("what is remembered was written by a newer keydeck")]
    Newer,
}

/// Where the habits of one operator with one store lie.
#[derive(Clone, Debug)]
pub struct Shelf {
    path: PathBuf,
    /// Which of what was to be written was written last: an older one comes too late.
    turn: Arc<Mutex<u64>>,
}

impl Shelf {
    /// The one in this directory.
    pub fn of(dir: &Path, store: StoreId, operator: OperatorId) -> Self {
        Self { path: dir.join(format!("{store}-{operator}.json")), turn: Arc::default() }
    }

    /// What is remembered; nothing where nothing was written yet.
    pub fn read(&self) -> Result<Habits, Forgotten> {
        let text = match files::read_text(&self.path, MAX_BYTES) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Habits::default()),
            Err(error) if error.kind() == ErrorKind::InvalidData => return Err(Forgotten::Damaged),
            read => read?,
        };
        let Written { version, habits } =
            serde_json::from_str::<Written<serde_json::Value>>(&text).map_err(|_| Forgotten::Damaged)?;
        if version > VERSION {
            return Err(Forgotten::Newer);
        }
        serde_json::from_value(habits).map_err(|_| Forgotten::Damaged)
    }

    /// Remembers this, unless what has a higher number is remembered already.
    pub fn write(&self, number: u64, habits: &Habits) -> io::Result<()> {
        let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if number < *turn {
            return Ok(());
        }
        if let Some(dir) = self.path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        }
        let mut part = Beside::of(&self.path)?;
        serde_json::to_writer_pretty(part.file(), &Written { version: VERSION, habits })?;
        part.file().write_all(b"\n")?;
        part.appear(There::Goes)?;
        *turn = number;
        Ok(())
    }
}

/// What a console goes by that just opened a store.
#[derive(Debug)]
pub struct Left {
    pub habits: Habits,
    /// Where they go; nowhere when what is there is to stay.
    pub shelf: Option<Shelf>,
    /// What there is to say.
    pub said: Option<String>,
}

impl Left {
    /// As that operator left a console on that store.
    pub fn by(dir: &Path, store: StoreId, operator: OperatorId) -> Self {
        let shelf = Shelf::of(dir, store, operator);
        match shelf.read() {
            Ok(habits) => Self { habits, shelf: Some(shelf), said: None },
            Err(why) => {
                let stays = matches!(why, Forgotten::Newer);
                let end = if stays { " and it stays as it is" } else { "" };
                let said = format!("the console begins afresh: {why}{end}");
                Self { habits: Habits::default(), shelf: (!stays).then_some(shelf), said: Some(said) }
            }
        }
    }
}

#[cfg(test)]
mod tests;
