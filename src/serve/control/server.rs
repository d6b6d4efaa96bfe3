//! The socket of the process that owns the store: who may connect, a thread for each who does, and one that tells
//! them all what happened.

use std::io;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::{broadcast, oneshot};

use super::guest::Guest;
use super::place::Place;
use super::requests::Clerk;
use crate::engine::{Engine as _, LocalEngine, Peer};

/// Connections that may be signed in at once, and as many that are not yet.
pub const GUESTS: usize = 64;
/// All of them, and those that are being hung up.
const MOST: usize = 3 * GUESTS;
/// What one hears for whom there is no room.
const FULL: &str = "Too many processes are attached to this store. End one of them.";
/// How often attached processes hear of trouble with the disk that no command brought up.
const LOOK: Duration = Duration::from_secs(60);
/// After somebody could not attach, before the next is looked at.
const BREATH: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
/// How long those attached have to hear that it is over.
const FAREWELL: Duration = Duration::from_secs(1);

/// What a control socket is offered with.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Another place than [`super::SOCKET_FILE`] in the data directory.
    pub socket: Option<PathBuf>,
    /// What attached processes are told about this one: the command's words without arguments.
    pub command: String,
}

/// Why no control socket is offered.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The store is in memory.
    #[error("A store in memory has no directory for a socket; nobody else could find it.")]
    Memory,
    /// The system said no.
    #[error("Other keydeck commands cannot attach while this one runs: the socket could not be made ({0}).")]
    Io(#[from] io::Error),
}

/// Offers the control socket until dropped; then those attached are told, and the socket is removed.
pub struct Control {
    _engine: Arc<LocalEngine>,
    hub: Arc<Hub>,
    place: Option<Place>,
    wake: UnixStream,
    stop: Option<oneshot::Sender<()>>,
    threads: Vec<JoinHandle<()>>,
}

/// All that are attached.
struct Hub {
    /// Held by [`Control`], and by each guest while it is served: when the last has gone, so has the engine.
    engine: Weak<LocalEngine>,
    command: Arc<str>,
    closing: AtomicBool,
    guests: Mutex<Vec<Arc<Guest>>>,
    left: Condvar,
}

impl Control {
    /// Offers the socket of an engine's store.
    pub fn start(engine: Arc<LocalEngine>, settings: &Settings) -> Result<Self, ControlError> {
        let dir = engine.dir().ok_or(ControlError::Memory)?;
        let (place, listener) = Place::offer(dir, settings.socket.as_deref())?;
        listener.set_nonblocking(true)?;
        let (wake, woken) = UnixStream::pair()?;
        let (stop, stopped) = oneshot::channel();
        let news = engine.subscribe();
        let hub = Arc::new(Hub {
            engine: Arc::downgrade(&engine),
            command: settings.command.as_str().into(),
            closing: AtomicBool::new(false),
            guests: Mutex::default(),
            left: Condvar::new(),
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let mut control = Self {
            _engine: engine,
            hub: Arc::clone(&hub),
            place: Some(place),
            wake,
            stop: Some(stop),
            threads: Vec::new(),
        };
        let teller = Arc::clone(&hub);
        control.threads.push(
            Builder::new()
                .name("control-news".into())
                .spawn(move || runtime.block_on(teller.tell(news, stopped)))?,
        );
        control
            .threads
            .push(Builder::new().name("control".into()).spawn(move || hub.accept(&listener, &woken))?);
        Ok(control)
    }

    /// Where the socket is.
    pub fn socket(&self) -> Option<&Path> {
        self.place.as_ref().map(Place::socket)
    }

    /// How many processes are attached.
    pub fn attached(&self) -> usize {
        self.hub.guests().len()
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        // Nobody new can find it from here on.
        self.place = None;
        self.hub.closing.store(true, Ordering::SeqCst);
        let _ = self.wake.shutdown(std::net::Shutdown::Both);
        drop(self.stop.take());
        let farewell = format!(
            "The process that had the store open ({}, process {}) has closed it.",
            self.hub.command,
            std::process::id()
        );
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
        let guests = self.hub.guests();
        for guest in guests.iter() {
            guest.send_away(&farewell);
        }
        let here = |guests: &mut Vec<Arc<Guest>>| !guests.is_empty();
        let waited = self.hub.left.wait_timeout_while(guests, FAREWELL, here);
        let (guests, _) = waited.unwrap_or_else(PoisonError::into_inner);
        for guest in guests.iter() {
            guest.hang_up();
        }
        // What they asked for last comes to its end: the engine is let go of by all.
        drop(self.hub.left.wait_while(guests, here));
    }
}

impl Hub {
    fn guests(&self) -> MutexGuard<'_, Vec<Arc<Guest>>> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accept(self: &Arc<Self>, listener: &UnixListener, woken: &UnixStream) {
        loop {
            let mut ready =
                [PollFd::new(listener, PollFlags::IN), PollFd::new(woken, PollFlags::IN | PollFlags::HUP)];
            match poll(&mut ready, None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return tracing::warn!(%error, "nobody can attach any more"),
            }
            if self.closing.load(Ordering::SeqCst) {
                return;
            }
            match listener.accept() {
                Ok((stream, _)) => self.receive(stream),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // Out of descriptors, or the other side is gone: the next may have more luck, a little later.
                Err(error) => {
                    tracing::warn!(%error, "somebody could not attach");
                    let _ = poll(&mut [PollFd::new(woken, PollFlags::IN | PollFlags::HUP)], Some(&BREATH));
                }
            }
        }
    }

    fn receive(self: &Arc<Self>, stream: UnixStream) {
        let Some(peer) = peer(&stream) else { return };
        if peer.uid != Peer::this().uid {
            // The file's mode keeps others out; this keeps them out of an inherited or wrongly opened one.
            return tracing::warn!(uid = peer.uid, pid = peer.pid, "another user tried to attach");
        }
        if stream.set_nonblocking(false).is_err() {
            return;
        }
        let guest = Arc::new(Guest::new(stream, peer.pid));
        let refuse = {
            let mut guests = self.guests();
            if guests.len() >= MOST {
                return;
            }
            // Who says nothing makes room for who just came: they may have the secret.
            if let Some((silent, _)) = most_crowded(&guests, false) {
                silent.hang_up();
            }
            // Who has shown a secret makes room only when its process has more than its share.
            let full = most_crowded(&guests, true).and_then(|(crowded, count)| {
                if count > from(&guests, peer.pid, true) + 1 {
                    crowded.send_away(FULL);
                    return None;
                }
                Some(FULL)
            });
            guests.push(Arc::clone(&guest));
            full
        };
        let hub = Arc::clone(self);
        let served = Arc::clone(&guest);
        let serve = move || {
            let present = Present { hub: &hub, guest: &served };
            // Let go of before the guest counts as gone.
            let Some(engine) = hub.engine.upgrade() else { return };
            let clerk = Clerk::new(Arc::clone(&engine), Arc::clone(&hub.command), peer);
            present.guest.serve(&engine, clerk, refuse);
        };
        if let Err(error) = Builder::new().name("control-in".into()).spawn(serve) {
            tracing::warn!(%error, "no thread for an attached process");
            self.guests().retain(|other| !Arc::ptr_eq(other, &guest));
        }
    }

    /// Tells everybody what happens, until told to stop.
    async fn tell(
        &self,
        mut news: broadcast::Receiver<crate::engine::News>,
        mut stopped: oneshot::Receiver<()>,
    ) {
        use broadcast::error::RecvError;
        loop {
            let heard = tokio::select! {
                heard = tokio::time::timeout(LOOK, news.recv()) => heard,
                _ = &mut stopped => return,
            };
            let Some(engine) = self.engine.upgrade() else { return };
            let guests = self.guests().clone();
            for guest in guests {
                match &heard {
                    Ok(Ok(news)) => guest.tell(news, &engine),
                    Ok(Err(RecvError::Lagged(_))) => guest.resend(),
                    Ok(Err(RecvError::Closed)) => return,
                    Err(_) => guest.stir(),
                }
            }
        }
    }
}

/// How many connections of a process are signed in, or not yet.
fn from(guests: &[Arc<Guest>], pid: u32, signed_in: bool) -> usize {
    guests.iter().filter(|guest| guest.pid == pid && guest.signed_in() == Some(signed_in)).count()
}

/// When no more have room of those that are signed in, or not yet: the one that came first of the process that has the
/// most of them, and how many that has.
fn most_crowded(guests: &[Arc<Guest>], signed_in: bool) -> Option<(&Arc<Guest>, usize)> {
    let counted: Vec<_> = guests.iter().filter(|guest| guest.signed_in() == Some(signed_in)).collect();
    if counted.len() < GUESTS {
        return None;
    }
    let crowds = counted.into_iter().map(|guest| (guest, from(guests, guest.pid, signed_in)));
    // Of equals, the last one is the greatest.
    crowds.rev().max_by_key(|(_, crowd)| *crowd)
}

/// A guest among the others, until dropped.
struct Present<'h> {
    hub: &'h Hub,
    guest: &'h Arc<Guest>,
}

impl Drop for Present<'_> {
    fn drop(&mut self) {
        self.hub.guests().retain(|other| !Arc::ptr_eq(other, self.guest));
        self.hub.left.notify_all();
    }
}

/// Who is at the other end, as the kernel says.
#[cfg(target_os = "linux")]
pub(super) fn peer(stream: &UnixStream) -> Option<Peer> {
    let known = rustix::net::sockopt::socket_peercred(stream).ok()?;
    Some(Peer { uid: known.uid.as_raw(), pid: known.pid.as_raw_nonzero().get().cast_unsigned() })
}

/// Where the kernel is not asked, the mode of the socket says who it can be.
#[cfg(not(target_os = "linux"))]
pub(super) fn peer(_: &UnixStream) -> Option<Peer> {
    Some(Peer { uid: Peer::this().uid, pid: 0 })
}
