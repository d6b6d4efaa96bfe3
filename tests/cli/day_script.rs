//! `tests/day.sh`, the day with real programs, run with the program under test.

use std::process::Command;

#[test]
fn the_day_with_nginx_tmux_and_curl() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/day.sh");
    let ran = Command::new("bash").arg(script).arg(env!("CARGO_BIN_EXE_keydeck")).output();
    let Ok(ran) = ran else {
        println!("skipped: needs bash");
        return;
    };
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    println!("{out}");
    assert!(ran.status.success(), "{out}\n{err}");
    assert!(out.starts_with("skipped: ") || out.contains("held: console and server end in order"), "{out}");
}
