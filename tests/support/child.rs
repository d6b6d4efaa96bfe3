//! Programs that only tests need: functions of the test binary, which starts itself again to run nothing but one of
//! them. Each is marked `#[test] #[ignore]`, the one mark that keeps it out of the tests and lets it be called by name.

use std::path::PathBuf;
use std::process::Command;

const ALONE: &str = "KEYDECK_TEST_ALONE";

/// This binary, and the words that have it run the function at `path`, as `concat!(module_path!(), "::name")` says
/// it, and nothing else.
pub fn program(path: &str) -> (PathBuf, [&str; 5]) {
    (
        std::env::current_exe().unwrap(),
        ["--exact", inside(path), "--ignored", "--nocapture", "--test-threads=1"],
    )
}

/// The command that runs that function.
pub fn command(path: &str) -> Command {
    let (program, words) = program(path);
    let mut command = Command::new(program);
    command.args(words);
    command
}

/// What libtest calls it: without the binary's own name.
fn inside(path: &str) -> &str {
    path.split_once("::").unwrap().1
}

/// Whether the test at `path` has a process of its own. When not, it is run in one, and has passed when this returns:
/// what counts the memory of its process would count that of its neighbours.
#[expect(clippy::print_stdout, reason = "what it says is the test's own")]
pub fn is_alone(path: &str) -> bool {
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", inside(path), "--nocapture", "--test-threads=1"]).env(ALONE, "1");
    let ran = command.output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    println!("{said}");
    assert!(ran.status.success() && said.contains("1 passed"), "{}", String::from_utf8_lossy(&ran.stderr));
    false
}
