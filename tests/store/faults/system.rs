//! Programs of the system: mounting, making file systems, copying images.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Tries until it works: a child that another test starts holds all our files between its fork and its exec, and for
/// that moment a disk is busy.
pub fn run_in_the_end(program: &str, arguments: &[&str]) -> bool {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !run(program, arguments) {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
    true
}

/// Whether a program can be run and says yes.
pub fn run(program: &str, arguments: &[&str]) -> bool {
    let status = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}
