//! The attached side: an engine whose store is another process's. It asks, waits for the answer, and holds what that
//! process lets its operator see.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use zeroize::Zeroizing;

use super::frame::{self, ANSWER_MAX, Greeting};
use super::place;
use super::replica::Replica;
use super::server::peer;
use super::wire::{Answer, Ask, Reach, Request, Said, Welcome, With};
use crate::domain::{Actor, Catalog};
use crate::engine::open::{Key, Options};
use crate::engine::{Class, Doubt, EngineError, News, OpenError, Peer, Session, Via};
use crate::store;

/// How long the other side has to greet.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long to wait for the end of a connection that takes nothing any more.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// The process that has the store open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Its command's words; empty when nobody told.
    pub command: String,
    /// Its number.
    pub pid: u32,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.command.is_empty() {
            write!(f, "process {}", self.pid)
        } else {
            write!(f, "{}, process {}", self.command, self.pid)
        }
    }
}

/// An engine whose store is another process's.
pub struct RemoteEngine {
    pub(super) line: Arc<Line>,
    pub(super) replica: Arc<Replica>,
    pub(super) catalog: Catalog,
    pub(super) doubts: Vec<Doubt>,
}

/// Why a process could not attach.
#[derive(Debug)]
pub enum NotAttached {
    /// Nobody is there, or nobody any more.
    Nobody,
    /// Somebody is, and said no.
    Refused(OpenError),
}

impl RemoteEngine {
    /// The process that has the store open.
    pub fn owner(&self) -> &Owner {
        self.line.owner()
    }
}

impl Drop for RemoteEngine {
    fn drop(&mut self) {
        self.line.waiting().left = true;
        self.line.hang_up();
    }
}

/// Attaches to the process that has the store open, and signs in there.
pub fn attach(options: &Options, key: &Key<'_>) -> Result<(RemoteEngine, Session), NotAttached> {
    let stream = place::knock(&options.dir).map_err(|_| NotAttached::Nobody)?;
    // No secret for a socket that somebody offers who does not have the store.
    if store::holder_of(&options.dir).is_none() {
        return Err(NotAttached::Nobody);
    }
    let other = peer(&stream).ok_or(NotAttached::Nobody)?;
    if other.uid != Peer::this().uid {
        return Err(refused(
            "foreign_owner",
            "The process that has the store open belongs to another user. No passphrase was sent to it.",
        ));
    }
    match greet(&stream) {
        Ok(Greeting::Same) => {}
        Ok(Greeting::Other(version)) => {
            return Err(refused(
                "other_version",
                &format!(
                    "Another version of keydeck owns the store: process {} is keydeck {version}, this is {}. End that \
                     process and start it again.",
                    other.pid,
                    env!("CARGO_PKG_VERSION")
                ),
            ));
        }
        Ok(Greeting::Foreign) | Err(_) => return Err(NotAttached::Nobody),
    }
    let line = Arc::new(Line::new(stream, other.pid));
    let replica = Arc::new(Replica::new(Arc::clone(&options.clock)));
    let ear = (Arc::clone(&line), Arc::clone(&replica));
    let listening = std::thread::Builder::new().name("attached".into()).spawn(move || ear.0.listen(&ear.1));
    if let Err(error) = listening {
        return Err(refused("no_thread", &format!("No thread for the connection: {error}.")));
    }
    let welcome = sign_in(&line, options, key).inspect_err(|_| line.hang_up())?;
    let owner = Owner { command: welcome.command, pid: welcome.pid };
    let _ = line.owner.set(owner);
    let catalog = match welcome.catalog {
        None => Catalog::builtin().clone(),
        Some(text) => Catalog::parse(&text).map_err(|_| {
            line.hang_up();
            refused("bad_catalog", "The scope catalog of the process that has the store open cannot be read.")
        })?,
    };
    replica.set_health(welcome.health);
    let engine = RemoteEngine { line, replica, catalog, doubts: welcome.doubts };
    let actor = Actor { operator: welcome.operator, access: welcome.reach.access() };
    Ok((engine, Session::stand_in(actor, options.via)))
}

fn refused(code: &str, text: &str) -> NotAttached {
    let error = EngineError::Remote { class: Class::Unavailable, code: code.into(), text: text.into() };
    NotAttached::Refused(error.into())
}

fn greet(stream: &UnixStream) -> io::Result<Greeting> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut both = stream;
    // Whoever hangs up before it hears us may still have said who it is.
    let _ = frame::greet(&mut both);
    let greeting = frame::greeting(&mut both)?;
    stream.set_read_timeout(None)?;
    stream.set_write_timeout(None)?;
    Ok(greeting)
}

fn sign_in(line: &Line, options: &Options, key: &Key<'_>) -> Result<Welcome, NotAttached> {
    let console = options.via == Via::Console;
    let (code, reach) = match key {
        Key::Recovery { code, .. } => (Some(code.reveal()), Reach::Recovery),
        Key::Operator { .. } | Key::KeyFile(_) => (None, Reach::Own),
    };
    let with = match key {
        Key::Operator { name, passphrase } => With::Passphrase { name, passphrase: passphrase.expose() },
        Key::KeyFile(secret) => With::KeyFile { content: secret.expose() },
        Key::Recovery { name, .. } => {
            With::Recovery { name, code: code.as_ref().map_or("", |code| code.as_str()) }
        }
    };
    let _ = line.base.set(reach);
    let bytes = line
        .ask(reach, Request::SignIn { console, with, read_only: options.read_only, wants: options.wants })
        .map_err(|error| match error {
            // Gone, or sent away before it began.
            EngineError::Gone(why) if line.was_sent_away() => {
                NotAttached::Refused(EngineError::Gone(why).into())
            }
            _ => NotAttached::Nobody,
        })?;
    match frame::message(&bytes) {
        Some(Said::Answer { answer: Answer::Welcome(welcome), .. }) => Ok(*welcome),
        Some(Said::Refused { fault, .. }) => Err(NotAttached::Refused(fault.into_open())),
        _ => Err(NotAttached::Refused(EngineError::unexpected().into())),
    }
}

/// The connection: requests out, answers back to who asked.
pub struct Line {
    stream: UnixStream,
    /// One request at a time is written, whole.
    pen: Mutex<()>,
    waiting: Mutex<Waiting>,
    /// How far the session reaches by itself.
    base: OnceLock<Reach>,
    /// Known from the welcome on.
    owner: OnceLock<Owner>,
    /// Known from the kernel at once.
    first: Owner,
}

/// Who waits for which answer.
#[derive(Default)]
struct Waiting {
    next: u32,
    asked: HashMap<u32, SyncSender<Zeroizing<Vec<u8>>>>,
    gone: Option<Arc<str>>,
    sent_away: bool,
    /// We are the ones who end it.
    left: bool,
}

impl Line {
    fn new(stream: UnixStream, pid: u32) -> Self {
        let first = Owner { command: String::new(), pid };
        let (base, owner) = (OnceLock::new(), OnceLock::new());
        Self { stream, pen: Mutex::default(), waiting: Mutex::default(), base, owner, first }
    }

    /// How far the session reaches by itself.
    pub fn base(&self) -> Reach {
        self.base.get().copied().unwrap_or(Reach::Own)
    }

    fn owner(&self) -> &Owner {
        self.owner.get().unwrap_or(&self.first)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn was_sent_away(&self) -> bool {
        self.waiting().sent_away
    }

    /// Why the owner cannot be reached any more, if so.
    pub fn gone(&self) -> Option<Arc<str>> {
        self.waiting().gone.clone()
    }

    fn hang_up(&self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// Asks, and waits for the frame that holds the answer.
    pub fn ask(&self, reach: Reach, what: Request<'_>) -> Result<Zeroizing<Vec<u8>>, EngineError> {
        let changes = what.changes();
        let (tell, answer) = mpsc::sync_channel(1);
        let id = self.next(Some(tell))?;
        let bytes = frame::frame(&Ask { id, reach, what });
        if bytes.len() > frame::REQUEST_MAX {
            self.waiting().asked.remove(&id);
            return Err(EngineError::Remote {
                class: Class::Refused,
                code: "too_large".into(),
                text: "The change is too large for one step.".into(),
            });
        }
        let written = self.write(&bytes);
        drop(bytes);
        // A connection that takes nothing may still bring why; then it ends, and with it the waiting.
        let answer = match written {
            Ok(()) => answer.recv().ok(),
            Err(_) => answer.recv_timeout(LAST_WORDS).ok(),
        };
        answer.ok_or_else(|| self.gone_without_answer(changes))
    }

    /// Says something whose answer nobody waits for.
    pub fn tell(&self, reach: Reach, what: Request<'_>) -> Result<(), EngineError> {
        let id = self.next(None)?;
        self.write(&frame::frame(&Ask { id, reach, what })).map_err(|_| self.gone_without_answer(false))
    }

    /// The number of the next request, and who waits for its answer.
    fn next(&self, tell: Option<SyncSender<Zeroizing<Vec<u8>>>>) -> Result<u32, EngineError> {
        let mut waiting = self.waiting();
        if let Some(why) = &waiting.gone {
            return Err(EngineError::Gone(Arc::clone(why)));
        }
        let id = waiting.next;
        waiting.next = id.wrapping_add(1);
        waiting.asked.extend(tell.map(|tell| (id, tell)));
        Ok(id)
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let _pen = self.pen.lock().unwrap_or_else(PoisonError::into_inner);
        (&self.stream).write_all(bytes)
    }

    fn gone_without_answer(&self, changes: bool) -> EngineError {
        let why = self.waiting().gone.clone().unwrap_or_else(|| self.has_gone().into());
        EngineError::Gone(if changes {
            format!("{why} It did not say whether the change was made: look before you do it again.").into()
        } else {
            why
        })
    }

    fn has_gone(&self) -> String {
        format!("The process that had the store open ({}) has gone.", self.owner())
    }

    /// Hears the owner until the end, and tells everybody why it ended.
    fn listen(&self, replica: &Replica) {
        let (mut stream, mut bye) = (&self.stream, None);
        while let Ok(Some(bytes)) = frame::read(&mut stream, ANSWER_MAX) {
            match frame::message::<Said<'_>>(&bytes) {
                Some(Said::Answer { id, .. } | Said::Refused { id, .. }) => {
                    let asked = self.waiting().asked.remove(&id);
                    if let Some(asked) = asked {
                        let _ = asked.try_send(bytes);
                    }
                }
                Some(Said::Bye { why }) => bye = Some(why),
                said => {
                    if said.and_then(|said| replica.hear(said).ok()).is_none() {
                        tracing::warn!("the process that has the store open sent what cannot be understood");
                        break;
                    }
                }
            }
        }
        self.hang_up();
        let sent_away = bye.is_some();
        let why: Arc<str> = bye.unwrap_or_else(|| self.has_gone()).into();
        let left = {
            let mut waiting = self.waiting();
            waiting.gone = Some(Arc::clone(&why));
            waiting.sent_away = sent_away;
            // Whoever waits is told by the end of its channel.
            waiting.asked.clear();
            waiting.left
        };
        if !left {
            replica.tell(News::Gone(why));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_hangs_up_before_it_hears_us_has_still_said_which_version_it_is() {
        let (ours, mut other) = UnixStream::pair().unwrap();
        other.write_all(b"kdctl\n\x01\x059.9.9").unwrap();
        drop(other);
        assert_eq!(greet(&ours).unwrap(), Greeting::Other("9.9.9".into()));
    }
}
