//! Runs a program that is stopped before and after each of its system calls, and kills it at the one that is wanted, or
//! has the call fail. No part of the program knows: the kernel stops it (ptrace(2)). A thread traces what it started
//! itself, so several can be traced at once.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use nix::errno::Errno;
use nix::libc::{PTRACE_SYSCALL_INFO_ENTRY, PTRACE_SYSCALL_INFO_EXIT};
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::step::{Step, answer, cut_in_half, leave_out};
use crate::support::wait::until;

/// No program here lives as long.
const LIFE: Duration = Duration::from_secs(180);

/// A step as it is found again in another run: which of those that are alike. How many words a server needs, and when,
/// is up to the moment, so a number over all steps would mean another step each time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    pub step: Step,
    /// Counted from 1.
    pub nth: usize,
}

/// When to kill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kill {
    Never,
    /// Before the step happens: it does not.
    Before(Point),
    /// When half of it is written.
    Amid(Point),
    /// As soon as it happened, before the program knows.
    After(Point),
}

impl Kill {
    /// The step.
    pub const fn point(&self) -> Option<&Point> {
        match self {
            Self::Never => None,
            Self::Before(point) | Self::Amid(point) | Self::After(point) => Some(point),
        }
    }
}

/// A disk that fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The first step that fails.
    pub at: Point,
    pub error: Errno,
    /// How many fail, that one included, until the disk is well again.
    pub lasts: usize,
}

/// What comes in a program's way.
#[derive(Clone, Copy, Debug)]
pub enum Harm<'h> {
    Death(&'h Kill),
    Fault(&'h Fault),
}

impl Harm<'_> {
    const fn point(&self) -> Option<&Point> {
        match self {
            Self::Death(kill) => kill.point(),
            Self::Fault(fault) => Some(&fault.at),
        }
    }
}

/// Whether the steps of a program count already, for those who look on from other threads.
#[derive(Debug, Default)]
pub struct Counter {
    counting: AtomicBool,
    synced: AtomicBool,
    well: AtomicBool,
}

impl Counter {
    /// All steps count.
    pub fn from_the_start() -> Self {
        Self { counting: AtomicBool::new(true), ..Self::default() }
    }

    /// Those from now on count.
    pub fn count(&self) {
        self.counting.store(true, Ordering::SeqCst);
    }

    /// Nothing fails any more.
    pub fn heal(&self) {
        self.well.store(true, Ordering::SeqCst);
    }

    /// Waits until the program has made a commit durable.
    pub fn wait_for_a_sync(&self) {
        until("a commit", || self.synced.load(Ordering::SeqCst));
    }
}

/// A program that waits to be let go.
pub struct Victim {
    pub child: Child,
    pid: Pid,
}

/// What a program did until its end.
#[derive(Debug)]
pub struct Trail {
    /// The steps it set out to make, in order.
    pub steps: Vec<Step>,
    /// Whether it was met at the step that was wanted.
    pub met: bool,
    /// Its exit code, unless it was killed.
    pub code: Option<i32>,
    /// Whether it had to be killed because it did nothing any more.
    pub hung: bool,
}

impl Victim {
    /// Starts a command, to be traced by this thread; `None` when processes may not be traced here.
    pub fn start(command: &Command) -> Option<Self> {
        // It waits for a line before it becomes the program, so that nothing is missed.
        let mut waiting = Command::new("/bin/sh");
        waiting.args(["-c", "read -r go && exec \"$@\"", "sh"]).arg(command.get_program());
        waiting.args(command.get_args()).current_dir(command.get_current_dir().unwrap());
        waiting.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        waiting.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = waiting.spawn().unwrap();
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
        let options = Options::PTRACE_O_TRACESYSGOOD
            | Options::PTRACE_O_TRACECLONE
            | Options::PTRACE_O_TRACEEXEC
            | Options::PTRACE_O_EXITKILL;
        if ptrace::seize(pid, options).is_err() {
            println!("skipped: needs the right to trace a child");
            child.kill().unwrap();
            child.wait().unwrap();
            return None;
        }
        Some(Self { child, pid })
    }

    /// Lets it go and follows it to its end. Its steps in the directory `root` are those that count.
    pub fn follow(mut self, root: &Path, harm: Harm<'_>, counter: &Counter) -> Trail {
        let mut stdin = self.child.stdin.take().unwrap();
        stdin.write_all(b"\n").unwrap();
        drop(stdin);
        let mut trace = Trace {
            root: known_by(root),
            harm,
            counter,
            steps: Vec::new(),
            inside: HashMap::new(),
            met: false,
            failing: 0,
        };
        let own = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
        let (ended, end) = mpsc::channel::<()>();
        let pid = self.pid;
        let watch = std::thread::spawn(move || {
            let hangs = end.recv_timeout(LIFE) == Err(RecvTimeoutError::Timeout);
            hangs && kill(pid, Signal::SIGKILL).is_ok()
        });
        let code = loop {
            match waitpid(None, Some(own)).unwrap() {
                WaitStatus::Exited(pid, code) if pid == self.pid => break Some(code),
                WaitStatus::Signaled(pid, ..) if pid == self.pid => break None,
                WaitStatus::PtraceSyscall(pid) => {
                    if trace.is_time(pid) {
                        trace.met = true;
                        self.child.kill().unwrap();
                    } else {
                        go_on(ptrace::syscall(pid, None));
                    }
                }
                WaitStatus::PtraceEvent(pid, ..) => go_on(ptrace::syscall(pid, None)),
                WaitStatus::Stopped(pid, signal) => go_on(ptrace::syscall(pid, signal)),
                _ => {}
            }
        };
        drop(ended);
        Trail { steps: trace.steps, met: trace.met, code, hung: watch.join().unwrap() }
    }
}

/// A directory by the name the system has for it, if it is made only later.
fn known_by(root: &Path) -> PathBuf {
    let known = |above: &Path| Some(above.canonicalize().ok()?.join(root.strip_prefix(above).ok()?));
    root.ancestors().find_map(known).unwrap()
}

/// A thread that was killed meanwhile does not go on.
fn go_on(told: nix::Result<()>) {
    assert!(matches!(told, Ok(()) | Err(Errno::ESRCH)), "a thread cannot be let go: {told:?}");
}

/// What becomes of a call on its way out.
enum Way {
    /// Nothing but what the system does.
    Free,
    /// The program dies after it.
    Deadly,
    /// It did not happen, and this is what the program is told.
    Failed(Errno),
}

struct Trace<'c> {
    root: PathBuf,
    harm: Harm<'c>,
    counter: &'c Counter,
    steps: Vec<Step>,
    /// The step each thread is in.
    inside: HashMap<Pid, (Step, Way)>,
    met: bool,
    /// How many more steps fail.
    failing: usize,
}

impl Trace<'_> {
    /// Whether the process is to be killed where this thread of it has stopped: before a call or after it.
    fn is_time(&mut self, pid: Pid) -> bool {
        // A thread that dies says nothing any more.
        match ptrace::syscall_info(pid).map(|stop| stop.op) {
            Ok(PTRACE_SYSCALL_INFO_ENTRY) => self.enters(pid),
            Ok(PTRACE_SYSCALL_INFO_EXIT) => self.leaves(pid),
            _ => false,
        }
    }

    fn enters(&mut self, pid: Pid) -> bool {
        let Some(step) = Step::at(pid, &self.root) else { return false };
        let counts = self.counter.counting.load(Ordering::SeqCst);
        if counts && !(self.met && matches!(self.harm, Harm::Death(_))) {
            self.steps.push(step.clone());
        }
        let wanted =
            counts && !self.met && self.harm.point() == Some(&point_of(&self.steps, self.steps.len()));
        let way = match self.harm {
            Harm::Death(kill) => {
                if wanted && matches!(kill, Kill::Amid(_)) {
                    cut_in_half(pid).unwrap();
                }
                if wanted && matches!(kill, Kill::Before(_)) {
                    return true;
                }
                if wanted { Way::Deadly } else { Way::Free }
            }
            Harm::Fault(fault) => {
                if wanted {
                    (self.met, self.failing) = (true, fault.lasts);
                }
                let fails = self.failing > 0
                    && step.can_fail_with(fault.error)
                    && !self.counter.well.load(Ordering::SeqCst);
                if fails {
                    self.failing -= 1;
                    leave_out(pid).unwrap();
                }
                if fails { Way::Failed(fault.error) } else { Way::Free }
            }
        };
        self.inside.insert(pid, (step, way));
        false
    }

    fn leaves(&mut self, pid: Pid) -> bool {
        let Some((step, way)) = self.inside.remove(&pid) else { return false };
        match way {
            Way::Failed(error) => {
                answer(pid, error).unwrap();
                false
            }
            Way::Free | Way::Deadly => {
                if step.makes_durable() {
                    self.counter.synced.store(true, Ordering::SeqCst);
                }
                matches!(way, Way::Deadly)
            }
        }
    }
}

/// What finds step `number` of these again, counted from 1.
pub fn point_of(steps: &[Step], number: usize) -> Point {
    let step = steps[number - 1].clone();
    let nth = steps[..number].iter().filter(|other| **other == step).count();
    Point { step, nth }
}
