//! Accepting connections, serving them, stopping. One task accepts, one watches the clock, each connection has one.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::endpoint::{Accept, Bound, Endpoint, Listener};
use super::limits::{HEAD_BYTES, Limits};
use super::router::Router;
use super::seat::{Order, Stage, Taken, Watched};
use super::{Front, metrics};
use crate::engine::LocalEngine;

/// How long to wait when the system has no room for another connection.
const BREATH: Duration = Duration::from_millis(50);

/// A listener that is open and not yet served.
pub struct Server {
    front: Arc<Front>,
    listener: Listener,
    endpoint: Endpoint,
}

impl Server {
    /// Opens the listener. Must be called on a tokio runtime; port 0 takes any free one.
    pub fn bind(engine: Arc<LocalEngine>, endpoint: &Endpoint, limits: Limits) -> io::Result<Self> {
        Self::on(engine, endpoint.bind()?, limits)
    }

    /// The same at a place that is taken already.
    ///
    /// # Errors
    /// It cannot be listened on.
    pub fn on(engine: Arc<LocalEngine>, place: Bound, limits: Limits) -> io::Result<Self> {
        let (listener, endpoint) = place.listen()?;
        engine.publish_first_key();
        Ok(Self { front: Arc::new(Front::new(engine, limits)), listener, endpoint })
    }

    /// Where it listens.
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// What requests are answered with.
    pub const fn front(&self) -> &Arc<Front> {
        &self.front
    }

    /// Serves until `stop` comes true, then says it is not ready, takes no new connection and gives those that are
    /// being answered their time to end.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Self { front, listener, .. } = self;
        let clock = tokio::spawn(watch_the_clock(Arc::clone(&front)));
        let accept = async {
            match listener {
                Listener::Tcp(listener) => accept(&front, listener).await,
                Listener::Unix(file) => accept(&front, file).await,
            }
        };
        tokio::select! {
            () = accept => {}
            () = stop => {}
        }
        front.stop();
        drain(&front).await;
        clock.abort();
    }
}

/// Never ends; what it owns closes when it is dropped.
async fn accept(front: &Arc<Front>, listener: impl Accept) {
    let mut http = http1::Builder::new();
    // The seats keep the time; hyper's own timer costs more than a decision. An answer is a head and at most a few
    // bytes, which the system takes more readily as one piece than as a list of pieces. Who has said all and closes that
    // half is still listening.
    http.max_header_size(HEAD_BYTES).header_read_timeout(None).writev(false).half_close(true);
    loop {
        match listener.next().await {
            Ok((socket, peer)) => match front.seats.take() {
                Some(taken) => {
                    front.metrics.count_connection();
                    tokio::spawn(Connection::new(&http, front, taken, socket, peer));
                }
                None => front.metrics.count_fault(metrics::Fault::Full),
            },
            Err(error) => {
                front.metrics.count_fault(metrics::Fault::Accept);
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

async fn watch_the_clock(front: Arc<Front>) {
    let mut ticks = tokio::time::interval(front.seats.period());
    // The first comes at once.
    ticks.tick().await;
    loop {
        ticks.tick().await;
        for _ in 0..front.seats.tick() {
            front.metrics.count_fault(metrics::Fault::Slow);
        }
    }
}

async fn drain(front: &Front) {
    front.seats.tell_all(Order::Finish);
    let empty = async {
        while front.seats.count().0 > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let drain = front.seats.limits().drain;
    if tokio::time::timeout(drain, empty).await.is_err() {
        let (left, _) = front.seats.count();
        tracing::warn!(left, "connections were cut off");
        front.seats.tell_all(Order::Leave);
    }
}

type Socket<S> = TokioIo<Watched<S>>;

/// One connection until it closes or is told to.
struct Connection<S: AsyncRead + AsyncWrite + Unpin> {
    http: http1::Connection<Socket<S>, Router>,
    taken: Taken,
    obeyed: Option<Order>,
    front: Arc<Front>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    fn new(
        builder: &http1::Builder,
        front: &Arc<Front>,
        taken: Taken,
        socket: S,
        peer: Option<IpAddr>,
    ) -> Self {
        let socket = TokioIo::new(Watched::new(socket, Arc::clone(&taken.seat)));
        let desk = Router::new(Arc::clone(front), Arc::clone(&taken.seat), peer);
        let http = builder.serve_connection(socket, desk);
        taken.seat.enter(Stage::Head);
        Self { http, taken, obeyed: None, front: Arc::clone(front) }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Future for Connection<S> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let order = match self.taken.seat.order(cx, self.obeyed) {
            // The order is on its way: what is answered meanwhile is told that it is the last.
            Order::Stay if self.front.is_stopping() => Order::Finish,
            order => order,
        };
        if self.obeyed != Some(order) {
            self.obeyed = Some(order);
            match order {
                Order::Stay => {}
                Order::Finish => Pin::new(&mut self.http).graceful_shutdown(),
                Order::Leave => return Poll::Ready(()),
            }
        }
        match Pin::new(&mut self.http).poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(())) => Poll::Ready(()),
            Poll::Ready(Err(error)) => {
                if error.is_parse() {
                    self.front.metrics.count_fault(metrics::Fault::Malformed);
                }
                Poll::Ready(())
            }
        }
    }
}
