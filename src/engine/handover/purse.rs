//! Where the secrets of many keys go: a file with a line for each, or a directory with a file for each. Each is durably there
//! before the next is made, and what cannot be put there is taken back.

use std::collections::HashSet;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use zeroize::Zeroizing;

use super::Unfit;
use super::file::{SecretFile, Variable, words_of};
use super::sealing::Recipients;
use crate::crypto::token::Token;
use crate::domain::handover::Way;
use crate::domain::lineage::taking_back;
use crate::domain::{Command, Event, Key, KeyId};
use crate::engine::{Done, Engine, EngineError, Session, take_back};

/// Names that are tried for the file of one key.
const NAMES: usize = 1_000;

/// See the module.
pub struct Purse {
    path: PathBuf,
    place: Place,
    /// What the names of variables and files begin with.
    prefix: String,
    recipients: Option<Recipients>,
    /// The variables that are set already.
    set: HashSet<String>,
}

enum Place {
    /// A file for each.
    Directory,
    /// A file with a variable for each.
    Variables(SecretFile),
    /// A file with an object for each, one a line.
    Objects(SecretFile),
}

/// Where one secret will go, while it is not made yet.
enum Room {
    File(SecretFile),
    Variable(Variable),
    Object,
}

/// A key and its token, for scripts.
#[derive(Serialize)]
struct Line<'a> {
    id: String,
    name: &'a str,
    hint: String,
    /// The key it took over from.
    succeeds: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    /// The token, sealed: what `age --decrypt` reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    sealed: Option<&'a str>,
}

impl fmt::Debug for Purse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Purse({})", self.path.display())
    }
}

impl Purse {
    /// Into this directory, or into a new file of this name: with a `NAME=TOKEN` a line, or, where the name ends in `.jsonl`,
    /// an object a line. The file is there from now on, and gone again if nothing comes into it. Names begin with `prefix`.
    ///
    /// # Errors
    /// What is in the way.
    pub fn open(to: &Path, prefix: &str, seal_to: &[String]) -> Result<Self, Unfit> {
        let recipients = Recipients::read(seal_to)?;
        let place = if to.is_dir() {
            Place::Directory
        } else if to.extension().is_some_and(|end| end.eq_ignore_ascii_case("jsonl")) {
            Place::Objects(SecretFile::create(to)?)
        } else if recipients.is_some() {
            let why = "what is sealed takes several lines";
            let then = "Name a directory, or a file whose name ends in .jsonl";
            return Err(Unfit::Words(format!("{} will not do: {why}. {then}.", to.display())));
        } else {
            Place::Variables(SecretFile::create(to)?)
        };
        Ok(Self { path: to.to_owned(), place, prefix: prefix.to_owned(), recipients, set: HashSet::new() })
    }

    /// Where the secrets are, for people: `in tokens.env`.
    pub fn said(&self) -> String {
        let sealed = if self.recipients.is_some() { "sealed, " } else { "" };
        format!("{sealed}in {}", self.path.display())
    }

    /// Where they go, for people: `to tokens.env, a line each`.
    pub fn goes(&self) -> String {
        let each = match self.place {
            Place::Directory => "a file each",
            Place::Variables(_) | Place::Objects(_) => "a line each",
        };
        let sealed = if self.recipients.is_some() { ", sealed" } else { "" };
        format!("to {}, {each}{sealed}", self.path.display())
    }

    /// Runs a command that makes the token of a key which takes over from one, and puts that here.
    ///
    /// # Errors
    /// [`EngineError::Unkept`] where it could not be put here, and was taken back if it was made; else those of
    /// [`Engine::act`].
    pub fn make(
        &mut self,
        engine: &dyn Engine,
        session: &Session,
        command: &Command,
    ) -> Result<Vec<Event>, EngineError> {
        let name = command.key().and_then(|key| engine.state().key(key).map(|key| key.name.to_string()));
        let room = self.room_for(name.as_deref().unwrap_or_default()).map_err(|error| {
            EngineError::Unkept(format!(
                "there is no room for its token in {} ({error}), so none was made.",
                self.path.display()
            ))
        })?;
        let Done { mut events, token, .. } = engine.execute(session, command.clone())?;
        let new = events.iter().find_map(Event::key).cloned();
        let (Some(new), Some(token)) = (new, token) else { return Err(EngineError::unexpected()) };
        let way = match self.put(room, &new, &token) {
            Ok(way) => way,
            Err(error) => return Err(taken_back(engine, session, (&events, &new), &error)),
        };
        drop(token);
        // The answer to what follows comes after the process that made it has heard this.
        let noted = engine.shown(*new.id.public());
        match noted.and_then(|()| engine.execute(session, Command::HandOver { key: new.id, way })) {
            Ok(done) => events.extend(done.events),
            Err(EngineError::Gone(why)) => {
                return Err(EngineError::Unkept(format!(
                    "its token is {}, but the process that made it could not be told and may have taken it back: see whether \
                     it works before you rely on it. {why}",
                    self.said()
                )));
            }
            // It is where it is, whether that can be written or not.
            Err(error) => {
                tracing::warn!(%error, key = %new.id, "the record could not be made to say how a token was handed over");
            }
        }
        Ok(events)
    }

    /// Room for the secret of a key of that name.
    fn room_for(&mut self, name: &str) -> io::Result<Room> {
        match &self.place {
            Place::Objects(_) => Ok(Room::Object),
            Place::Variables(_) => {
                let first = Variable::like(&format!("{}{name}", self.prefix));
                let mut variable = first.clone();
                let mut number = 1;
                while self.set.contains(&variable.to_string()) {
                    number += 1;
                    variable = first.numbered(number);
                }
                self.set.insert(variable.to_string());
                Ok(Room::Variable(variable))
            }
            Place::Directory => self.file_for(name).map(Room::File),
        }
    }

    /// A new file that is called as the key is.
    fn file_for(&self, name: &str) -> io::Result<SecretFile> {
        let end = if self.recipients.is_some() { "age" } else { "token" };
        let stem: String = words_of(&format!("{}{name}", self.prefix), '-').chars().take(100).collect();
        for number in 1..=NAMES {
            let number = if number == 1 { String::new() } else { format!("-{number}") };
            match SecretFile::new_at(&self.path.join(format!("{stem}{number}.{end}"))) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => return made,
            }
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, "too many files are called like it"))
    }

    fn put(&mut self, room: Room, key: &Key, token: &Token) -> io::Result<Way> {
        let sealed = self.recipients.as_ref().map(|to| to.seal(token.reveal())).transpose()?;
        let text = sealed.as_deref().unwrap_or(token.reveal());
        let way = match (&self.recipients, &room) {
            (Some(to), _) => Way::Sealed(to.called()),
            (None, Room::Variable(name)) => Way::Variable(name.as_note()),
            (None, Room::File(_) | Room::Object) => Way::File,
        };
        match (room, &mut self.place) {
            (Room::File(mut file), _) => file.add(text)?,
            (Room::Variable(name), Place::Variables(file)) => {
                file.add(&Zeroizing::new(format!("{name}={text}")))?;
            }
            (Room::Object, Place::Objects(file)) => {
                let line = Line {
                    id: key.id.to_string(),
                    name: key.name.as_str(),
                    hint: key.hint(),
                    succeeds: key.succeeds.as_ref().map(KeyId::to_string),
                    token: sealed.is_none().then_some(text),
                    sealed: sealed.as_deref(),
                };
                file.add(&Zeroizing::new(serde_json::to_string(&line)?))?;
            }
            (Room::Variable(_) | Room::Object, _) => return Err(io::Error::other("there is no such room")),
        }
        Ok(way)
    }
}

/// Nobody has the token: the old half is as it was, and where that was replaced as lost, the new one does not live.
fn taken_back(
    engine: &dyn Engine,
    session: &Session,
    (events, new): (&[Event], &Key),
    error: &io::Error,
) -> EngineError {
    let back = taking_back(events, engine.now().time).unwrap_or(Command::revoke(new.id));
    EngineError::Unkept(match take_back(engine, session, back) {
        Ok(Command::CancelRotation(_)) => format!(
            "its token could not be written ({error}), so nobody has it. The rotation was cancelled at once, and the old one is \
             as it was before."
        ),
        Ok(_) => format!(
            "its token could not be written ({error}), so nobody has it. {} was revoked at once.",
            new.id
        ),
        Err(failed) => format!(
            "its token could not be written ({error}), so nobody has it, and it could not be taken back either: {failed} Give \
             it another with `keydeck key rotate {} --again`.",
            new.id
        ),
    })
}
