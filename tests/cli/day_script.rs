//! The scripts beside the tests, run with the program under test: `tests/day.sh`, the day with real programs, and
//! `tests/ladder.sh`, the months in which a key nobody uses comes to its end.

use std::process::Command;

/// Runs a script; says why not where it cannot be.
#[expect(clippy::print_stdout, reason = "says what held, or why a test does nothing")]
fn held(script: &str, last: &str) {
    let script = format!("{}/tests/{script}", env!("CARGO_MANIFEST_DIR"));
    let ran = Command::new("bash").arg(script).arg(env!("CARGO_BIN_EXE_keydeck")).output();
    let Ok(ran) = ran else {
        println!("skipped: needs bash");
        return;
    };
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    println!("{out}");
    assert!(ran.status.success(), "{out}\n{err}");
    assert!(out.starts_with("skipped: ") || out.contains(last), "{out}");
}

#[test]
fn the_day_with_nginx_tmux_and_curl() {
    held("day.sh", "held: console and server end in order");
}

#[test]
fn the_months_in_which_a_key_nobody_uses_comes_to_its_end() {
    if !cfg!(debug_assertions) {
        println!("skipped: needs a debug build, which alone can be told another time");
        return;
    }
    held("ladder.sh", "held: the trail has each of it and verifies");
}
