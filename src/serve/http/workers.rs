//! The threads that answer. Few of them: whatever asks here, a proxy with TLS or the service behind it, spends several
//! times the processor time on the same request, and needs the other processors for that.

use std::io;
use std::num::NonZero;

use tokio::runtime::Runtime;

/// Half the processors this process may use, and at least one.
pub fn default_workers() -> NonZero<usize> {
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    NonZero::new(processors / 2).unwrap_or(NonZero::<usize>::MIN)
}

/// A runtime to run the server on.
///
/// # Errors
/// No threads can be started.
pub fn runtime(workers: NonZero<usize>) -> io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers.get())
        .enable_all()
        .thread_name("keydeck-http")
        .build()
}
