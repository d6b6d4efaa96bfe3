//! The one way out to the terminal. A frame is gathered and written in one piece, marked as one (synchronized
//! output), so it neither flickers nor is torn by something else written meanwhile.
//!
//! Writes to the file descriptor itself: the standard library's buffer would keep what passed through it, and a
//! secret passes here. Our own buffer is zeroed after each frame.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
};
use zeroize::Zeroize as _;

/// Begin and end of synchronized output; terminals that do not know it ignore it.
const BEGIN: &[u8] = b"\x1b[?2026h";
pub(super) const END: &[u8] = b"\x1b[?2026l";

/// A handle to the terminal's output; clones share it.
#[derive(Clone)]
pub struct Output(Arc<Mutex<Inner>>);

struct Inner {
    sink: Box<dyn Write + Send>,
    frame: Vec<u8>,
    gathering: bool,
}

impl Output {
    /// The terminal on standard output.
    pub fn stdout() -> Self {
        Self::to(RawStdout)
    }

    /// Any other place, for tests.
    pub fn to(sink: impl Write + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Inner { sink: Box::new(sink), frame: Vec::new(), gathering: false })))
    }

    /// Starts gathering a frame: until [`Output::end_frame`] nothing written here reaches the terminal.
    pub fn begin_frame(&self) {
        self.with(|inner| {
            inner.frame.extend_from_slice(BEGIN);
            inner.gathering = true;
        });
    }

    /// Writes the gathered frame.
    pub fn end_frame(&self) -> io::Result<()> {
        self.with(|inner| {
            inner.gathering = false;
            inner.frame.extend_from_slice(END);
            let written = inner.sink.write_all(&inner.frame).and_then(|()| inner.sink.flush());
            // The allocation stays for the next frame; its content does not.
            inner.frame.as_mut_slice().zeroize();
            inner.frame.clear();
            written
        })
    }

    /// Writes one sequence past the frame being gathered, whole.
    pub fn send(&self, sequence: &[u8]) -> io::Result<()> {
        self.with(|inner| inner.sink.write_all(sequence).and_then(|()| inner.sink.flush()))
    }

    /// From now on everything written here goes nowhere: the terminal is no longer ours.
    pub fn close(&self) {
        self.with(|inner| inner.sink = Box::new(io::sink()));
    }

    fn with<T>(&self, act: impl FnOnce(&mut Inner) -> T) -> T {
        // A panic elsewhere must not keep the terminal from being restored.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.with(|inner| {
            if inner.gathering {
                reserve_clean(&mut inner.frame, bytes.len());
                inner.frame.extend_from_slice(bytes);
                return Ok(bytes.len());
            }
            inner.sink.write(bytes)
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.with(|inner| if inner.gathering { Ok(()) } else { inner.sink.flush() })
    }
}

/// Grows `buffer` by hand, because growing in place may leave the old content behind in freed memory.
fn reserve_clean(buffer: &mut Vec<u8>, more: usize) {
    if buffer.capacity() - buffer.len() < more {
        let mut larger = Vec::with_capacity((buffer.len() + more).next_power_of_two().max(16 * 1024));
        larger.extend_from_slice(buffer);
        buffer.zeroize();
        *buffer = larger;
    }
}

/// File descriptor 1, without a buffer.
pub(super) struct RawStdout;

impl Write for RawStdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let stdout = rustix::stdio::stdout();
        loop {
            match rustix::io::write(stdout, bytes) {
                Ok(written) => return Ok(written),
                Err(Errno::INTR) => {}
                // Somebody who shares the terminal with us made it non-blocking.
                Err(Errno::AGAIN) => {
                    let _ready = poll(&mut [PollFd::new(&stdout, PollFlags::OUT)], None);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A terminal that remembers each write.
    #[derive(Clone, Default)]
    pub struct Recorder(pub Arc<Mutex<Vec<Vec<u8>>>>);

    impl Write for Recorder {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().push(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_frame_is_one_write_and_nothing_gets_into_it() {
        let recorder = Recorder::default();
        let mut output = Output::to(recorder.clone());
        output.begin_frame();
        output.write_all(b"half ").unwrap();
        output.flush().unwrap();
        output.send(b"\x1b]52;c;AA==\x07").unwrap();
        output.write_all(b"whole").unwrap();
        output.end_frame().unwrap();
        let writes = recorder.0.lock().unwrap();
        assert_eq!(*writes, [b"\x1b]52;c;AA==\x07".to_vec(), b"\x1b[?2026hhalf whole\x1b[?2026l".to_vec()]);
    }

    #[test]
    fn a_frame_is_forgotten_once_written() {
        let mut output = Output::to(Recorder::default());
        output.begin_frame();
        output.write_all(&vec![b's'; 40_000]).unwrap();
        output.end_frame().unwrap();
        output.with(|inner| {
            // What lies beyond the length cannot be read here; the length itself is what zeroing went over.
            assert!(inner.frame.is_empty() && inner.frame.capacity() >= 40_000);
        });
    }
}
