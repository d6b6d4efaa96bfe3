//! One attached process, from its greeting to its end: a thread that reads and carries out requests, and a thread
//! that writes. What changed is collected until the writer comes to it and is then read from the state as it is, so a
//! slow reader costs no memory, misses nothing that lasts, and never holds up the store.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::io::{self, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use zeroize::Zeroizing;

use super::frame::{self, Greeting, REQUEST_MAX};
use super::lines::HealthLine;
use super::requests::Clerk;
use super::visible::{self, InView};
use super::wire::{Ask, Request, Rows, Said};
use crate::domain::{Actor, AppId, Event, KeyId, OperatorId, Place, PublicId, RecordKey};
use crate::engine::open::Wants;
use crate::engine::{LocalEngine, News};

/// A process that attaches and says nothing is sent away after this.
const PATIENCE: Duration = Duration::from_secs(10);
/// Records and events that may wait for a slow reader; beyond, it is sent everything anew instead.
const WAITING: usize = 4_096;
/// Answers that may wait to be read before the next request is.
const UNREAD: usize = 32;
/// Bytes of records in one frame, about.
const PART: usize = 512 * 1024;
/// Records looked up under one lock of the state.
const STRIDE: usize = 2_048;

/// What waits to be written.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "four facts, each yes or no")]
struct Mail {
    /// Who is signed in, and how far they see.
    actor: Option<Actor>,
    wants: Wants,
    answers: VecDeque<Zeroizing<Vec<u8>>>,
    changed: BTreeSet<RecordKey>,
    used: HashSet<PublicId>,
    events: Vec<Arc<Vec<Event>>>,
    /// Something happened, whether or not it may be seen.
    stirred: bool,
    /// Everything is to be sent anew.
    whole: bool,
    bye: Option<String>,
    /// No request is being carried out any more, and none will be.
    read_out: bool,
    /// Nothing is written any more.
    unheard: bool,
}

/// An attached process as the others see it.
pub struct Guest {
    stream: UnixStream,
    /// Its number, as the kernel says.
    pub pid: u32,
    leaving: AtomicBool,
    mail: Mutex<Mail>,
    bell: Condvar,
}

impl Guest {
    /// The process `pid` at the other end of `stream`.
    pub fn new(stream: UnixStream, pid: u32) -> Self {
        Self { stream, pid, leaving: AtomicBool::new(false), mail: Mutex::default(), bell: Condvar::new() }
    }

    /// Whether it has shown a secret; `None` when it is on its way out.
    pub fn signed_in(&self) -> Option<bool> {
        (!self.leaving.load(Ordering::Relaxed)).then(|| self.mail().actor.is_some())
    }

    fn mail(&self) -> MutexGuard<'_, Mail> {
        self.mail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, put: impl FnOnce(&mut Mail)) {
        put(&mut self.mail());
        self.bell.notify_all();
    }

    /// Something happened in the store.
    pub fn tell(&self, news: &News, engine: &LocalEngine) {
        let Some(actor) = self.mail().actor else { return };
        if InView::of(&engine.state(), actor).is_blind() {
            return self.send_away("Your access was ended. Ask an admin.");
        }
        self.put(|mail| match news {
            News::Happened(events) => {
                mail.stirred = true;
                mail.changed.extend(events.iter().flat_map(Event::records).map(|record| record.key()));
                mail.events.push(Arc::clone(events));
                if mail.changed.len() + mail.events.len() > WAITING {
                    mail.start_anew();
                }
            }
            News::Used(ids) => {
                mail.used.extend(ids.iter().copied());
                if mail.used.len() > WAITING {
                    mail.start_anew();
                }
            }
            News::Gone(_) => {}
        });
    }

    /// News were missed: everything is sent anew.
    pub fn resend(&self) {
        self.put(|mail| {
            mail.stirred = true;
            if mail.actor.is_some() {
                mail.start_anew();
            }
        });
    }

    /// Has the writer look whether the store is doing as it was.
    pub fn stir(&self) {
        self.put(|mail| mail.stirred |= mail.actor.is_some());
    }

    /// Lets the request under way come to its end, then says why and hangs up.
    pub fn send_away(&self, why: &str) {
        self.leaving.store(true, Ordering::Relaxed);
        self.put(|mail| mail.bye = Some(why.to_owned()));
        // The reader hears the end of the connection; the writer may still write.
        let _ = self.stream.shutdown(Shutdown::Read);
    }

    /// Hangs up at once.
    pub fn hang_up(&self) {
        self.leaving.store(true, Ordering::Relaxed);
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// Serves until the end. `refuse` is said instead when there is no room for one more.
    pub fn serve(self: &Arc<Self>, engine: &Arc<LocalEngine>, clerk: Clerk, refuse: Option<&str>) {
        let served = self.greet();
        let writer = {
            let (guest, engine) = (Arc::clone(self), Arc::clone(engine));
            std::thread::Builder::new().name("control-out".into()).spawn(move || guest.write(&engine))
        };
        match (served, refuse) {
            (Ok(()), None) if writer.is_ok() => {
                if let Err(error) = self.read(clerk) {
                    tracing::debug!(%error, "an attached process was cut off");
                }
            }
            (Ok(()), Some(why)) => self.put(|mail| mail.bye = Some(why.to_owned())),
            _ => {}
        }
        self.put(|mail| mail.read_out = true);
        match writer {
            Ok(writer) => drop(writer.join()),
            Err(error) => tracing::warn!(%error, "no thread for an attached process"),
        }
        self.hang_up();
    }

    /// Both sides say who they are. One that is of another version hears ours, and that is all.
    fn greet(&self) -> io::Result<()> {
        self.stream.set_read_timeout(Some(PATIENCE))?;
        self.stream.set_write_timeout(Some(PATIENCE))?;
        let mut stream = &self.stream;
        frame::greet(&mut stream)?;
        match frame::greeting(&mut stream)? {
            Greeting::Same => self.stream.set_write_timeout(None),
            Greeting::Other(_) | Greeting::Foreign => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    fn read(&self, mut clerk: Clerk) -> io::Result<()> {
        let mut stream = &self.stream;
        while let Some(bytes) = frame::read(&mut stream, REQUEST_MAX)? {
            let no_request = || io::Error::new(io::ErrorKind::InvalidData, "a frame that holds no request");
            let ask = frame::message::<Ask<'_>>(&bytes).ok_or_else(no_request)?;
            let id = ask.id;
            let signs_in = matches!(ask.what, Request::SignIn { .. });
            let carried = clerk.carry_out(ask);
            if signs_in && clerk.actor().is_some() {
                self.stream.set_read_timeout(None)?;
            }
            let answer = match carried {
                Ok(reply) => reply.into_frame(id),
                Err(fault) => frame::frame(&Said::Refused { id, fault }),
            };
            let (touched, used) = (clerk.take_touched(), clerk.take_used());
            self.put(|mail| {
                // What was done is seen before it is answered, whoever else is told when.
                mail.changed.extend(touched);
                mail.used.extend(used);
                if mail.actor != clerk.actor() {
                    mail.actor = clerk.actor();
                    mail.wants = clerk.wants();
                    mail.whole = true;
                }
                mail.stirred = true;
                mail.answers.push_back(answer);
            });
            // One that asks and does not read waits with us.
            let full = |mail: &mut Mail| mail.answers.len() > UNREAD && !mail.unheard;
            drop(self.bell.wait_while(self.mail(), full).unwrap_or_else(PoisonError::into_inner));
        }
        Ok(())
    }

    fn write(&self, engine: &LocalEngine) {
        let mut pen = Pen { stream: &self.stream, engine, in_view: None, seen: HashSet::new(), health: None };
        loop {
            let (mail, actor, last) = {
                let waiting = self.mail();
                let mut waiting = self
                    .bell
                    .wait_while(waiting, |mail| !mail.is_due())
                    .unwrap_or_else(PoisonError::into_inner);
                let last = waiting.read_out;
                let actor = waiting.actor;
                let mail = std::mem::take(&mut *waiting);
                waiting.actor = actor;
                waiting.wants = mail.wants;
                waiting.bye.clone_from(&mail.bye);
                waiting.read_out = last;
                (mail, actor, last)
            };
            let bye = mail.bye.clone().filter(|_| last);
            let written = pen.write(&mail, actor, bye);
            if let Err(error) = &written {
                tracing::debug!(%error, "an attached process does not listen");
            }
            if last || written.is_err() {
                self.hang_up();
                return self.put(|mail| mail.unheard = true);
            }
            self.bell.notify_all();
        }
    }
}

impl Mail {
    fn is_due(&self) -> bool {
        self.read_out
            || !self.answers.is_empty()
            || self.whole
            || self.stirred
            || !self.changed.is_empty()
            || !self.used.is_empty()
    }

    fn start_anew(&mut self) {
        self.changed.clear();
        self.used.clear();
        self.events.clear();
        self.whole = true;
    }
}

/// Writes to one guest.
struct Pen<'g> {
    stream: &'g UnixStream,
    engine: &'g LocalEngine,
    /// How much was in view when everything was sent.
    in_view: Option<InView>,
    /// Records the guest holds and may have to forget.
    seen: HashSet<RecordKey>,
    health: Option<HealthLine>,
}

impl Pen<'_> {
    /// News first, then answers: who asked sees the state that led to the answer, or a later one.
    fn write(&mut self, mail: &Mail, actor: Option<Actor>, bye: Option<String>) -> io::Result<()> {
        if let Some(actor) = actor {
            if mail.whole || self.has_lost(mail, actor) {
                self.whole(actor, mail.wants)?;
            } else {
                self.changed(mail, actor)?;
            }
        }
        for answer in &mail.answers {
            self.stream.write_all(answer)?;
        }
        match bye {
            Some(why) => self.stream.write_all(&frame::frame(&Said::Bye { why })),
            None => Ok(()),
        }
    }

    /// Whether something that was in view is not any more, or the view as a whole is another one.
    fn has_lost(&self, mail: &Mail, actor: Actor) -> bool {
        let state = self.engine.state();
        let lost = |at: &RecordKey| self.seen.contains(at) && visible::record(&state, actor, *at).is_none();
        let gained = |at: &RecordKey| {
            // An app that comes into view brings what hangs on it.
            mail.wants == Wants::All
                && matches!(at, RecordKey::App(_))
                && !self.seen.contains(at)
                && visible::record(&state, actor, *at).is_some()
        };
        self.in_view != Some(InView::of(&state, actor))
            || mail.changed.iter().any(|at| lost(at) || gained(at))
    }

    fn whole(&mut self, actor: Actor, wants: Wants) -> io::Result<()> {
        let (all, in_view) = {
            let state = self.engine.state();
            (visible::all(&state, actor, wants, &self.seen), InView::of(&state, actor))
        };
        self.seen.clear();
        let mut rows = Rows::default();
        let mut weight = 0;
        for stride in all.chunks(STRIDE) {
            let state = self.engine.state();
            for at in stride {
                let Some(record) = visible::record(&state, actor, *at) else { continue };
                let row = visible::row(&record, state.proof())?;
                weight += row.value.len() + 64;
                rows.records.push(row);
                rows.uses.extend(visible::used(&state, *at));
                self.seen.insert(*at);
            }
            drop(state);
            if weight > PART {
                weight = 0;
                let rows = std::mem::take(&mut rows);
                self.stream.write_all(&frame::frame(&Said::Whole { more: true, rows }))?;
            }
        }
        rows.census = if wants == Wants::All { self.census(actor) } else { None };
        self.in_view = Some(in_view);
        self.stream.write_all(&frame::frame(&Said::Whole { more: false, rows }))?;
        self.changed(&Mail::default(), actor)
    }

    fn census(&self, actor: Actor) -> Option<Vec<(OperatorId, Place, u32)>> {
        let now = self.engine.now().time;
        let census = visible::census(&self.engine.state(), actor, now)?;
        Some(census.into_iter().map(|((owner, place), count)| (owner, place, count)).collect())
    }

    fn changed(&mut self, mail: &Mail, actor: Actor) -> io::Result<()> {
        let mut rows = Rows::default();
        let mut hidden = false;
        let events = {
            let state = self.engine.state();
            for at in &mail.changed {
                match visible::record(&state, actor, *at) {
                    Some(record) => {
                        rows.records.push(visible::row(&record, state.proof())?);
                        if self.seen.insert(*at) {
                            rows.uses.extend(visible::used(&state, *at));
                        }
                    }
                    None => hidden |= matches!(at, RecordKey::Key(_)),
                }
            }
            for id in &mail.used {
                let app = state.app_noting(*id).map_or(AppId(*id), |app| app.id);
                let places = [RecordKey::Key(KeyId(*id)), RecordKey::App(app)];
                let seen = places.into_iter().filter(|at| self.seen.contains(at));
                rows.uses.extend(seen.flat_map(|at| visible::used(&state, at)));
            }
            visible::events(&state, actor, mail.events.iter().flat_map(|events| events.iter()))
        };
        if hidden {
            rows.census = self.census(actor);
        }
        let health = Box::new(HealthLine::of(self.engine, actor));
        let news = self.health.as_ref().is_none_or(|before| health.tells_more_than(before));
        if rows.is_empty() && events.is_empty() && !news {
            return Ok(());
        }
        self.health = Some((*health).clone());
        self.stream.write_all(&frame::frame(&Said::Changed { rows, events, health }))
    }
}
