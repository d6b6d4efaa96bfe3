//! One fault that meets a program, what a person can be told then, and many faults at once.

use std::sync::atomic::{AtomicUsize, Ordering};

use nix::errno::Errno;

use crate::steps::step::Step;
use crate::steps::tracer::{Fault, Trail, point_of};

const ERRORS: [Errno; 2] = [Errno::EIO, Errno::ENOSPC];
/// Calls that fail in a row: this one, a few, all.
const LASTS: [usize; 3] = [1, 5, usize::MAX];

/// Who has the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The command.
    Alone,
    /// A server that is killed while the disk still fails.
    Served,
    /// A server that lives to see the disk well again.
    ServedOn,
}

/// One fault in one way.
#[derive(Clone, Debug)]
pub struct Case {
    pub way: Way,
    pub fault: Fault,
}

/// What the person was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    Done,
    /// In force, also after a restart.
    Kept,
    /// In force in the process that has the store.
    InForce,
    /// Perhaps made, and taken back then.
    NeverShown,
    /// Made, and not written where it was to be kept: what is told of it is what the trail tells.
    Lost,
    /// Perhaps done.
    Unknown,
    /// Not done.
    Refused,
}

/// What it came to.
#[derive(Debug, Default)]
pub struct Figures {
    pub met: usize,
    pub done: usize,
    pub kept: usize,
    pub in_force: usize,
    pub never_shown: usize,
    pub lost: usize,
    pub unknown: usize,
    pub refused: usize,
}

/// Every fault there is in one way, from a step on.
pub fn cases(way: Way, steps: &[Step], from: usize) -> Vec<Case> {
    let mut cases = Vec::new();
    for number in from..steps.len() {
        for error in ERRORS {
            if steps[number].can_fail_with(error) {
                let at = point_of(steps, number + 1);
                let of = |lasts| Case { way, fault: Fault { at: at.clone(), error, lasts } };
                cases.extend(LASTS.map(of));
            }
        }
    }
    cases
}

/// Whether a program lived as long as it had to.
pub fn stood(trail: &Trail, way: Way) -> Result<(), String> {
    match trail.code {
        _ if trail.hung => Err("it hangs".into()),
        Some(code) if way != Way::Alone => Err(format!("the server has ended with {code}")),
        _ => Ok(()),
    }
}

/// Has these faults happen, as many at once as there are processors: what was told of those that were met, and what was
/// wrong.
pub fn suffer(
    what: &str,
    cases: &[Case],
    once: impl Fn(&Case) -> Result<Option<Told>, String> + Sync,
) -> (Figures, Vec<String>) {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut found = Vec::new();
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
            found.push(once(case).map_err(|wrong| {
                let Case { way, fault: Fault { at, error, lasts } } = case;
                let step = format!("{:?} ({})", at.step, at.nth);
                format!("`{what}` {way:?}, {error} at {step} for {lasts}: {wrong}")
            }));
        }
        found
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let found: Vec<Result<Option<Told>, String>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    let (mut figures, mut wrong) = (Figures::default(), Vec::new());
    for one in found {
        match one {
            Ok(Some(told)) => figures.count(told),
            Ok(None) => {}
            Err(what) => wrong.push(what),
        }
    }
    (figures, wrong)
}

impl Figures {
    const fn count(&mut self, told: Told) {
        self.met += 1;
        let of = match told {
            Told::Done => &mut self.done,
            Told::Kept => &mut self.kept,
            Told::InForce => &mut self.in_force,
            Told::NeverShown => &mut self.never_shown,
            Told::Lost => &mut self.lost,
            Told::Unknown => &mut self.unknown,
            Told::Refused => &mut self.refused,
        };
        *of += 1;
    }

    pub const fn add(&mut self, other: &Self) {
        self.met += other.met;
        self.done += other.done;
        self.kept += other.kept;
        self.in_force += other.in_force;
        self.never_shown += other.never_shown;
        self.lost += other.lost;
        self.unknown += other.unknown;
        self.refused += other.refused;
    }
}
