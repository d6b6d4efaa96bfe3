//! Rounds of a test that hits a process at random moments: how many, when, and the waiting.

use std::process::Child;
use std::sync::mpsc;
use std::time::Duration;

/// Lets time pass for a process that is to be hit at a random moment; ends early when it has ended by itself.
pub fn let_run(child: &mut Child, time: Duration) {
    let (done, ended) = mpsc::channel();
    let mut stderr = child.stderr.take().unwrap();
    let reader = std::thread::spawn(move || {
        // A child that panics says why before its pipe closes.
        let mut said = Vec::new();
        let _ = std::io::copy(&mut stderr, &mut said);
        let _ = done.send(());
        String::from_utf8_lossy(&said).into_owned()
    });
    let early = ended.recv_timeout(time).is_ok();
    assert!(!early, "the child ended by itself: {}", reader.join().unwrap());
}

/// How many rounds to play: from the environment, or the everyday number.
pub fn rounds(variable: &str, everyday: u32) -> u32 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(everyday)
}

/// A number below `limit` that differs from round to round and is the same in every run.
pub fn scatter(round: u32, limit: u64) -> u64 {
    let word = u64::from(round).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (word ^ (word >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9).rotate_left(31) % limit
}
