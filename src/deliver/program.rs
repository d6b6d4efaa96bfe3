//! A channel that runs a program: no shell, the message on its standard input, little of this process around it, and not for
//! longer than it may take. Accepted is what ends with exit code 0.

use std::env;
use std::io::{self, Read, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::quit::on_its_own;
use super::{Letter, Quit, Unsent};
use crate::files;

/// What of its output is kept, to say why it failed.
const OUTPUT: usize = 4 * 1024;
/// How long the output of a program that has ended is waited for.
const PATIENCE: Duration = Duration::from_secs(1);
/// What it knows of this process's environment.
const ENVIRONMENT: [&str; 3] = ["PATH", "HOME", "LANG"];

/// A program that takes messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Where it lies, absolute.
    pub path: PathBuf,
    /// Its arguments, as they are: nothing of a message is ever among them.
    pub arguments: Vec<String>,
    /// How long it may take.
    pub limit: Duration,
}

impl Program {
    /// Has the program take a message.
    ///
    /// # Errors
    /// When it cannot be started, takes too long or says that it failed.
    pub(super) fn take(&self, letter: &Letter, quit: &Quit) -> Result<(), Unsent> {
        self.run(&letter.body, quit)
            .map_err(|why| if quit.is_said() { Unsent::BrokenOff } else { Unsent::Failed(why) })
    }

    /// Has the program take a text.
    pub(super) fn run(&self, text: &str, quit: &Quit) -> Result<(), String> {
        let cannot = |error: io::Error| format!("{} cannot be run: {error}", self.path.display());
        files::must_be_ours(&self.path).map_err(cannot)?;
        let (output, end) = io::pipe().map_err(cannot)?;
        let mut command = Command::new(&self.path);
        command
            .args(&self.arguments)
            .env_clear()
            .envs(ENVIRONMENT.iter().filter_map(|name| Some((name, env::var_os(name)?))))
            .current_dir("/")
            // What it starts can be ended with it.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(end.try_clone().map_err(cannot)?)
            .stderr(end);
        let mut child = command.spawn().map_err(cannot)?;
        // With it goes this process's end of the output, so that reading it comes to an end.
        drop(command);
        let group = Pid::from_child(&child);
        let said = listen(output).map_err(cannot);
        let fed = child.stdin.take().map_or(Ok(()), |mut input| {
            let text = text.to_owned();
            // A program that does not care for its input is not waited for.
            on_its_own(move || drop(input.write_all(text.as_bytes()))).map(drop)
        });
        let ended = on_its_own(move || {
            // It stays a process until it is asked for below, so that the number of its group is nobody else's.
            let how = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            let _ended = rustix::io::retry_on_intr(|| waitid(WaitId::Pid(group), how));
        });
        let in_time = match (&fed, &ended) {
            (Ok(()), Ok(ended)) => quit.wait(ended, self.limit).is_some(),
            _ => false,
        };
        let well = in_time && exited_well(group);
        if !well {
            let _gone_already = kill_process_group(group, Signal::KILL);
        }
        let status = child.wait().map_err(cannot)?;
        fed.and(ended).map_err(cannot)?;
        if in_time && status.success() {
            return Ok(());
        }
        let said = said?.recv_timeout(PATIENCE).unwrap_or_default();
        // On one line, as every reason is.
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        let colon = if said.is_empty() { "" } else { ": " };
        Err(format!("{}{colon}{said}", if in_time { ending(status) } else { self.too_late() }))
    }

    fn too_late(&self) -> String {
        format!("it did not end within {} s and was killed", self.limit.as_secs())
    }
}

/// Whether a process that was not asked for yet has ended with exit code 0.
fn exited_well(child: Pid) -> bool {
    let how = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    waitid(WaitId::Pid(child), how).ok().flatten().and_then(|status| status.exit_status()) == Some(0)
}

fn ending(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("it ended with exit code {code}"),
        (None, Some(signal)) => format!("it was ended by signal {signal}"),
        (None, None) => "it ended in an unknown way".into(),
    }
}

/// The first of what comes, when no more does. All is read, so that nobody waits for room.
fn listen(mut output: impl Read + Send + 'static) -> io::Result<Receiver<String>> {
    on_its_own(move || {
        let mut kept = Vec::new();
        let read = (&mut output).take(OUTPUT as u64).read_to_end(&mut kept);
        drop(read.and_then(|_| io::copy(&mut output, &mut io::sink())));
        String::from_utf8_lossy(&kept).into_owned()
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    fn script(dir: &TempDir, text: &str) -> Program {
        let path = dir.path().join("hook");
        fs::write(&path, text).unwrap();
        // Not run itself: a file that was just written may be busy.
        let words = [path.display().to_string(), "-x".into(), "$(id) `id`".into()];
        Program { path: "/bin/sh".into(), arguments: words.to_vec(), limit: Duration::from_secs(60) }
    }

    #[test]
    fn a_program_gets_the_message_whole_its_arguments_as_they_are_and_little_else() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        // More than a pipe holds.
        let text = "n".repeat(300_000);
        let program = script(&dir, &format!("cat >{0}; echo \"$@\" >{0}.args; env >{0}.env", out.display()));
        assert_eq!(program.run(&text, &Quit::default()), Ok(()));
        assert_eq!(fs::read_to_string(&out).unwrap(), text);
        assert_eq!(fs::read_to_string(dir.path().join("out.args")).unwrap(), "-x $(id) `id`\n");
        let env = fs::read_to_string(dir.path().join("out.env")).unwrap();
        let known = ["PATH", "HOME", "LANG", "PWD", "OLDPWD", "SHLVL", "_"];
        for line in env.lines() {
            assert!(known.contains(&line.split('=').next().unwrap()), "{line}");
        }
    }

    #[test]
    fn one_that_others_may_write_or_replace_is_not_run() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        let program = script(&dir, &format!("touch {}", out.display()));
        let ours = Program { path: dir.path().join("hook"), arguments: Vec::new(), ..program };
        for (path, mode) in [(ours.path.clone(), 0o775), (dir.path().to_owned(), 0o777)] {
            fs::set_permissions(&ours.path, fs::Permissions::from_mode(0o755)).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let said = ours.run("{}", &Quit::default()).unwrap_err();
            assert!(said.contains("others may write it") && said.contains("chmod go-w"), "{said}");
        }
        assert!(!out.exists());
    }

    #[test]
    fn one_that_does_not_read_is_taken_at_its_word() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(script(&dir, "exit 0").run(&"n".repeat(300_000), &Quit::default()), Ok(()));
    }

    #[test]
    fn one_that_fails_says_why_and_not_more_than_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let said = script(&dir, "echo no such user >&2; exit 3").run("{}", &Quit::default()).unwrap_err();
        assert_eq!(said, "it ended with exit code 3: no such user");
        let said = script(&dir, "head -c 10000000 /dev/zero | tr '\\0' x; exit 1")
            .run("{}", &Quit::default())
            .unwrap_err();
        assert!(said.len() < 5_000 && said.ends_with("xxx"), "{} bytes", said.len());
        assert_eq!(
            script(&dir, "kill -9 $$").run("{}", &Quit::default()).unwrap_err(),
            "it was ended by signal 9"
        );
        let absent = Program { path: dir.path().join("none"), ..script(&dir, "") };
        assert!(absent.run("{}", &Quit::default()).unwrap_err().contains("none cannot be run: No such file"));
    }

    #[test]
    fn one_that_hangs_is_ended_with_all_that_it_started() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("pid");
        let hangs = script(&dir, &format!("echo so far; sleep 1000 & echo $! >{}; wait", out.display()));
        let said =
            Program { limit: Duration::from_millis(300), ..hangs }.run("{}", &Quit::default()).unwrap_err();
        assert!(said.starts_with("it did not end within 0 s and was killed"), "{said}");
        // Where it came so far before it was killed.
        if let Some(pid) =
            fs::read_to_string(&out).ok().and_then(|pid| Pid::from_raw(pid.trim().parse().ok()?))
        {
            let gone = || rustix::process::test_kill_process(pid).is_err() || is_dead(pid);
            while !gone() {
                std::thread::yield_now();
            }
        }
    }

    #[test]
    fn one_that_runs_when_this_process_ends_is_broken_off_and_did_not_fail() {
        let dir = tempfile::tempdir().unwrap();
        let quit = Quit::default();
        quit.say();
        let letter = Letter { id: "msg_1".into(), at: crate::domain::Timestamp(0), body: "{}".into() };
        assert_eq!(script(&dir, "sleep 1000").take(&letter, &quit), Err(Unsent::BrokenOff));
    }

    /// Whether nobody has asked yet how it ended.
    fn is_dead(pid: Pid) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
        stat.rsplit(") ").next().is_none_or(|rest| rest.starts_with('Z'))
    }
}
