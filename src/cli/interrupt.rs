//! Ctrl-C while something goes on part by part: what is under way comes to its end, and nothing follows it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};

/// Whether somebody wants it to end.
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens from now on. Where that cannot be, Ctrl-C ends the process as ever.
    pub fn listen() -> Self {
        let come = Arc::new(AtomicBool::new(false));
        let heard = Arc::clone(&come);
        let listen = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut interrupt = signal(SignalKind::interrupt())?;
                interrupt.recv().await;
                heard.store(true, Ordering::Relaxed);
                Ok::<(), std::io::Error>(())
            })
        };
        let thread = std::thread::Builder::new().name("keydeck-interrupt".into()).spawn(move || {
            if let Err(error) = listen() {
                tracing::debug!(%error, "Ctrl-C is not heard");
            }
        });
        if let Err(error) = thread {
            tracing::debug!(%error, "no thread to hear Ctrl-C");
        }
        Self(come)
    }

    /// Whether it came.
    pub fn has_come(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
