//! A connection's seat: what it is doing, since when, and whether it is told to leave.
//!
//! A timer per request would cost more than the decision itself, so a request only notes the time of a clock that
//! ticks about once a second, and one task looks through all seats at each tick. When the house is full, whoever
//! keeps the server waiting longest makes room: slow strangers cannot shut others out.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::limits::Limits;
use super::target::Target;

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Expected to send its first request, or sending its head.
    Head,
    /// Waiting for the server.
    Answer,
    /// Between requests.
    Idle,
    /// Sending the head of another request.
    Next,
}

/// What a connection is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub enum Order {
    /// Go on.
    Stay,
    /// Finish what is in hand, then close.
    Finish,
    /// Close now.
    Leave,
}

/// One connection's place. On a line of memory of its own: its connection writes to it at every request.
#[repr(align(128))]
pub struct Seat {
    // Two bits of stage, thirty of ticks: more than thirty years of seconds.
    stage: AtomicU32,
    order: AtomicU8,
    fragment: AtomicBool,
    waker: AtomicWaker,
    ticks: Arc<AtomicU32>,
}

const TICK_MASK: u32 = u32::MAX >> 2;

impl Seat {
    /// Notes what the connection does now.
    pub fn enter(&self, stage: Stage) {
        let code = match stage {
            Stage::Head => 0,
            Stage::Answer => 1,
            Stage::Idle => 2,
            Stage::Next => 3,
        };
        let now = self.ticks.load(Ordering::Relaxed) & TICK_MASK;
        self.stage.store(code << 30 | now, Ordering::Relaxed);
    }

    /// What it does, and for how many ticks.
    fn stage(&self) -> (Stage, u32) {
        let word = self.stage.load(Ordering::Relaxed);
        let stage = match word >> 30 {
            0 => Stage::Head,
            1 => Stage::Answer,
            2 => Stage::Idle,
            _ => Stage::Next,
        };
        (stage, self.ticks.load(Ordering::Relaxed).wrapping_sub(word) & TICK_MASK)
    }

    /// Bytes came: between two requests that is the beginning of the next one.
    fn heard(&self) {
        if self.stage.load(Ordering::Relaxed) >> 30 == 2 {
            self.enter(Stage::Next);
        }
    }

    /// Whether a request line with a `#` in it came. Nobody else can tell: the parser leaves out what follows the sign.
    pub fn has_fragment(&self) -> bool {
        self.fragment.load(Ordering::Relaxed)
    }

    /// What the connection is told to do; its task is woken when that changes.
    pub fn order(&self, cx: &Context<'_>, obeyed: Option<Order>) -> Order {
        let order = self.read_order();
        if Some(order) == obeyed {
            return order;
        }
        // Waking takes the waker out, so it is left again for the order after this one, and the order read after it.
        self.waker.register(cx.waker());
        self.read_order()
    }

    fn read_order(&self) -> Order {
        match self.order.load(Ordering::Acquire) {
            0 => Order::Stay,
            1 => Order::Finish,
            _ => Order::Leave,
        }
    }

    fn tell(&self, order: Order) {
        // Never softer than before.
        self.order.fetch_max(order as u8, Ordering::AcqRel);
        self.waker.wake();
    }
}

/// All connections.
pub struct Seats {
    limits: Limits,
    ticks: Arc<AtomicU32>,
    taken: Mutex<HashMap<u64, Arc<Seat>>>,
    next: AtomicU64,
}

/// A seat that is given back when dropped.
pub struct Taken {
    seats: Arc<Seats>,
    number: u64,
    /// The seat.
    pub seat: Arc<Seat>,
}

impl Seats {
    /// No connection yet.
    pub fn new(limits: Limits) -> Self {
        Self { limits, ticks: Arc::new(AtomicU32::new(0)), taken: Mutex::default(), next: AtomicU64::new(0) }
    }

    /// The bounds in force.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    fn all(&self) -> MutexGuard<'_, HashMap<u64, Arc<Seat>>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A seat for a new connection. In a full house the one who keeps the server waiting longest is told to leave;
    /// `None` when all are being answered.
    pub fn take(self: &Arc<Self>) -> Option<Taken> {
        let seat = Arc::new(Seat {
            stage: AtomicU32::new(0),
            order: AtomicU8::new(0),
            fragment: AtomicBool::new(false),
            waker: AtomicWaker::new(),
            ticks: Arc::clone(&self.ticks),
        });
        seat.enter(Stage::Head);
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut all = self.all();
        if all.len() >= self.limits.connections {
            let slowest = slowest(&all)?;
            // It no longer counts, though its task may take a moment to end.
            all.remove(&slowest)?.tell(Order::Leave);
        }
        all.insert(number, Arc::clone(&seat));
        Some(Taken { seats: Arc::clone(self), number, seat })
    }

    /// How many there are, and how many of them wait for an answer.
    pub fn count(&self) -> (usize, usize) {
        let all = self.all();
        (all.len(), all.values().filter(|seat| seat.stage().0 == Stage::Answer).count())
    }

    /// One step of the clock: whoever took too long leaves. Returns how many did.
    pub fn tick(&self) -> usize {
        self.ticks.fetch_add(1, Ordering::Relaxed);
        let tick = self.limits.tick();
        let overdue = |seat: &&Arc<Seat>| {
            let (stage, ticks) = seat.stage();
            let limit = match stage {
                Stage::Head | Stage::Next => self.limits.head,
                Stage::Answer => self.limits.answer,
                Stage::Idle => self.limits.idle,
            };
            // The first tick may come right after the stage began, so it does not count.
            seat.read_order() != Order::Leave && tick.saturating_mul(ticks.saturating_sub(1)) >= limit
        };
        let late: Vec<_> = self.all().values().filter(overdue).map(Arc::clone).collect();
        for seat in &late {
            seat.tell(Order::Leave);
        }
        late.len()
    }

    /// Tells everybody.
    pub fn tell_all(&self, order: Order) {
        let all: Vec<_> = self.all().values().map(Arc::clone).collect();
        for seat in all {
            seat.tell(order);
        }
    }

    /// The time between two ticks.
    pub fn period(&self) -> Duration {
        self.limits.tick()
    }
}

/// Whoever never asked anything, else whoever was silent longest, and only then somebody in the middle of asking again:
/// a connection that works is not closed for strangers who have only come.
fn slowest(all: &HashMap<u64, Arc<Seat>>) -> Option<u64> {
    let waited = |seat: &Seat| match seat.stage() {
        (Stage::Answer, _) => None,
        (Stage::Head, ticks) => Some((2, ticks)),
        (Stage::Idle, ticks) => Some((1, ticks)),
        (Stage::Next, ticks) => Some((0, ticks)),
    };
    all.iter()
        .filter_map(|(number, seat)| Some((waited(seat)?, std::cmp::Reverse(*number))))
        .max()
        .map(|(_, std::cmp::Reverse(number))| number)
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.seats.all().remove(&self.number);
    }
}

/// A socket that tells its seat when bytes come, and what is in them that the parser would leave out.
pub struct Watched<I> {
    io: I,
    seat: Arc<Seat>,
    target: Target,
}

impl<I> Watched<I> {
    /// Watches `io` for `seat`.
    pub fn new(io: I, seat: Arc<Seat>) -> Self {
        Self { io, seat, target: Target::default() }
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Watched<I> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.io).poll_read(cx, buffer);
        if read.is_ready() {
            this.seat.heard();
            if this.target.has_fragment(buffer.filled().get(before..).unwrap_or_default()) {
                this.seat.fragment.store(true, Ordering::Relaxed);
            }
        }
        read
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Watched<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seats(connections: usize) -> Arc<Seats> {
        let second = Duration::from_secs(1);
        let limits =
            Limits { head: second, idle: second * 2, answer: second, connections, ..Limits::default() };
        Arc::new(Seats::new(limits))
    }

    fn told(taken: &Taken) -> Order {
        taken.seat.read_order()
    }

    #[test]
    fn each_stage_has_its_own_patience() {
        let seats = seats(8);
        let (head, idle, answer) = (seats.take().unwrap(), seats.take().unwrap(), seats.take().unwrap());
        idle.seat.enter(Stage::Idle);
        answer.seat.enter(Stage::Answer);
        assert_eq!(seats.count(), (3, 1));
        // A tick is a tenth of a second here, and the first one does not count.
        assert_eq!((0..10).map(|_| seats.tick()).sum::<usize>(), 0);
        assert_eq!(seats.tick(), 2);
        assert_eq!([told(&head), told(&idle), told(&answer)], [Order::Leave, Order::Stay, Order::Leave]);
        assert_eq!((0..10).map(|_| seats.tick()).sum::<usize>(), 1, "and nobody is told twice");
        drop((head, idle, answer));
        assert_eq!(seats.count(), (0, 0));
    }

    #[test]
    fn dripping_bytes_buy_no_time() {
        let seats = seats(1);
        let slow = seats.take().unwrap();
        for _ in 0..11 {
            slow.seat.heard();
            seats.tick();
        }
        assert_eq!(told(&slow), Order::Leave);
    }

    #[test]
    fn who_asks_again_is_not_closed_for_strangers_who_came_later() {
        let seats = seats(3);
        let (good, idle, stranger) = (seats.take().unwrap(), seats.take().unwrap(), seats.take().unwrap());
        for served in [&good, &idle] {
            served.seat.enter(Stage::Answer);
            served.seat.enter(Stage::Idle);
        }
        good.seat.heard();
        let second = seats.take().unwrap();
        assert_eq!([told(&good), told(&idle), told(&stranger)], [Order::Stay, Order::Stay, Order::Leave]);
        second.seat.enter(Stage::Answer);
        let third = seats.take().unwrap();
        assert_eq!([told(&good), told(&idle)], [Order::Stay, Order::Leave]);
        third.seat.enter(Stage::Answer);
        assert!(seats.take().is_some(), "a head that takes its time makes room in the end");
        assert_eq!(told(&good), Order::Leave);
    }

    #[test]
    fn in_a_full_house_the_slowest_makes_room_and_never_who_is_being_answered() {
        let seats = seats(3);
        let (idle, head, busy) = (seats.take().unwrap(), seats.take().unwrap(), seats.take().unwrap());
        idle.seat.enter(Stage::Idle);
        busy.seat.enter(Stage::Answer);
        seats.tick();
        let first = seats.take().unwrap();
        assert_eq!([told(&idle), told(&head), told(&busy)], [Order::Stay, Order::Leave, Order::Stay]);
        first.seat.enter(Stage::Answer);
        let second = seats.take().unwrap();
        assert_eq!(told(&idle), Order::Leave);
        second.seat.enter(Stage::Answer);
        assert!(seats.take().is_none());
        drop(busy);
        assert!(seats.take().is_some());
    }
}
