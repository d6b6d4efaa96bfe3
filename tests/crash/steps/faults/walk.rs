//! All the faults that can meet one deed, and what must hold after each.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use serde_json::Value;

use super::house::{Change, House, KEY_FILE, Look, opens};
use super::table::Deed;
use crate::steps::step::Step;
use crate::steps::tracer::{Fault, Harm, Kill, Trail, point_of};
use crate::steps::ways::{beside_a_server, by_itself};
use crate::support::desk::{Desk, Said};

/// Nothing here takes as long, on a slow machine either.
const PATIENCE: Duration = Duration::from_secs(60);
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

/// A deed and what it does where nothing fails.
pub struct Walk<'h> {
    house: &'h House,
    deed: Deed,
    clean: Change,
    alone: Vec<Step>,
    served: Vec<Step>,
}

impl<'h> Walk<'h> {
    /// Watches the deed done in both ways; `None` where nothing can be traced.
    pub fn of(house: &'h House, deed: Deed) -> Option<Self> {
        let never = Harm::Death(&Kill::Never);
        let desk = house.copy();
        let (trail, said) = by_itself(&desk, &desk.command(&deed.typed()), never)?;
        assert_eq!(said.code, 0, "{deed:?}: {said:?}");
        let clean = Look::at(&desk).unwrap().standing().since(&house.before);
        assert_eq!(clean.trail, deed.tells, "{deed:?}: {said:?}");
        let desk = house.copy();
        let (beside, said) = beside_a_server(&desk, never, |_| desk.run(&deed.typed(), ""))?;
        assert_eq!(said.code, 0, "{deed:?}: {said:?}");
        Some(Self { house, deed, clean, alone: trail.steps, served: beside.steps })
    }

    /// Every fault there is, from the first step of the deed's own on, or from the first of all.
    pub fn cases(&self, from_the_start: bool) -> Vec<Case> {
        let own = self.alone.iter().position(Step::keeps_names).map_or(0, |at| at + 1);
        let ways = [
            (Way::Alone, &self.alone, if from_the_start { 0 } else { own }),
            (Way::Served, &self.served, 0),
            (Way::ServedOn, &self.served, 0),
        ];
        let mut cases = Vec::new();
        for (way, steps, from) in ways {
            for number in from..steps.len() {
                for error in ERRORS {
                    if steps[number].can_fail_with(error) {
                        let at = point_of(steps, number + 1);
                        let of = |lasts| Case { way, fault: Fault { at: at.clone(), error, lasts } };
                        cases.extend(LASTS.map(of));
                    }
                }
            }
        }
        cases
    }

    /// Has these faults happen, as many at once as there are processors; says what was wrong.
    pub fn suffer(&self, cases: &[Case]) -> (Figures, Vec<String>) {
        let next = AtomicUsize::new(0);
        let work = || {
            let mut found = Vec::new();
            while let Some(case) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
                let one = self.suffer_once(case);
                found.push(one.map_err(|wrong| {
                    let Case { way, fault: Fault { at, error, lasts } } = case;
                    let step = format!("{:?} ({})", at.step, at.nth);
                    format!("`{}` {way:?}, {error} at {step} for {lasts}: {wrong}", self.deed.words.join(" "))
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

    /// What was told, if the fault was met.
    fn suffer_once(&self, case: &Case) -> Result<Option<Told>, String> {
        let desk = self.house.copy();
        let harm = Harm::Fault(&case.fault);
        let typed = self.deed.typed();
        let traced = match case.way {
            Way::Alone => by_itself(&desk, &desk.command(&typed), harm).map(|(trail, said)| {
                let told = if trail.hung { Err("it hangs".into()) } else { told(&said) };
                (trail, told.map(|told| (told, said)))
            }),
            Way::Served | Way::ServedOn => beside_a_server(&desk, harm, |disk| {
                let said = desk.run(&typed, "");
                let told = told(&said)?;
                self.holds_now(&desk, told)?;
                if case.way == Way::ServedOn {
                    disk.heal();
                    takes_changes_again(&desk)?;
                }
                Ok((told, said))
            }),
        };
        let (Trail { met, code, hung, .. }, answer) = traced.ok_or("it cannot be traced")?;
        let (told, said) = answer?;
        if hung {
            return Err("the server hangs".into());
        }
        if case.way != Way::Alone && code.is_some() {
            return Err(format!("the server has ended with {code:?}: {said:?}"));
        }
        self.check(&desk, case, told, &said).map_err(|wrong| format!("{wrong}; {told:?}: {said:?}"))?;
        Ok(met.then_some(told))
    }

    /// What was taken away is refused at once.
    fn holds_now(&self, desk: &Desk, told: Told) -> Result<(), String> {
        let Some((whose, answer)) = self.deed.ends else { return Ok(()) };
        if matches!(told, Told::Done | Told::Kept | Told::InForce) {
            let words = ["verify", "--key-file", KEY_FILE];
            let said = desk.run(&words, self.house.token(whose));
            if said.out.trim_end() != answer {
                return Err(format!("in force, and answered so: {said:?}"));
            }
        }
        Ok(())
    }

    /// Opens what is left, on a disk that is well.
    fn check(&self, desk: &Desk, case: &Case, told: Told, said: &Said) -> Result<(), String> {
        let look = Look::at(desk)?;
        look.is_whole()?;
        let mut change = look.standing().since(&self.house.before);
        // Written by the one who tried whether the server takes a change.
        change.trail.retain(|event| event != "location.add" || self.deed.tells.contains(&"location.add"));
        let healed = case.way == Way::ServedOn;
        let whole = change.trail == self.clean.trail;
        let none = change.trail.is_empty();
        let begun = self.clean.trail.starts_with(&change.trail);
        let allowed = match told {
            Told::Done | Told::Kept => whole,
            Told::InForce => whole || (none && !healed),
            Told::NeverShown => {
                let taken_back = change.trail.last().is_some_and(|last| last.ends_with("secret_unconfirmed"));
                // Where the seal is in its place already and only keeping its name there fails, a disk that takes nothing
                // does not keep the wish to take it back either; that is told.
                let lives = whole && !healed && case.fault.at.step.keeps_names();
                none || taken_back || lives
            }
            Told::Lost => whole || change.trail == [self.deed.tells, self.deed.loses].concat(),
            Told::Unknown => whole || none,
            Told::Refused => {
                none || begun && !whole && self.deed.part.is_some_and(|part| said.err.contains(part))
            }
        };
        if !allowed {
            return Err(format!("{change:?} is not what was said"));
        }
        if none && !healed && look.standing().since(&self.house.before).records != [""; 0] {
            return Err(format!("half done: {change:?}"));
        }
        if whole && !healed && change.records != self.clean.records {
            return Err(format!("half done: {change:?} instead of {:?}", self.clean));
        }
        self.answers(&look, whole, said)?;
        look.takes_a_change()?;
        drop(look);
        if whole || none {
            for lock in self.deed.locks {
                let open = opens(desk, lock.key);
                if open != if whole { lock.after } else { lock.before } {
                    return Err(format!("{} opens: {open}, done: {whole}", lock.key));
                }
            }
        }
        if none {
            // What was made for a deed that was not done may be kept, and is told.
            self.deed.files.iter().for_each(|name| drop(std::fs::remove_file(desk.path(name))));
            let again = desk.run(&self.deed.typed(), "");
            if again.code != 0 {
                return Err(format!("it cannot be done any more: {again:?}"));
            }
        }
        Ok(())
    }

    /// Whether tokens are answered as they must be.
    fn answers(&self, look: &Look, done: bool, said: &Said) -> Result<(), String> {
        let wanted = |token: &str, wanted: &str| {
            let answer = look.answer(token);
            if answer == wanted { Ok(()) } else { Err(format!("{answer:?} instead of {wanted:?}")) }
        };
        if let Some((whose, ended)) = self.deed.ends {
            wanted(self.house.token(whose), if done { ended } else { "allow" })?;
        }
        if let Some(whose) = self.deed.gives {
            let answer = look.answer(self.house.token(whose));
            if (answer == "allow") != done {
                return Err(format!("{whose}: {answer}"));
            }
        }
        // What was handed over works, whatever was said beside it.
        if let Some(token) = handed_over(said).filter(|token| !token.starts_with("kdas_")) {
            wanted(&token, "allow")?;
        }
        Ok(())
    }
}

/// A token on standard output.
fn handed_over(said: &Said) -> Option<String> {
    let value: Value = serde_json::from_str(&said.out).ok()?;
    Some(value.get("token").or_else(|| value.get("secret"))?.as_str()?.to_owned())
}

/// What an answer says, by its code.
fn told(said: &Said) -> Result<Told, String> {
    if said.err.contains("panicked") || !matches!(said.code, 0..=4) {
        return Err(format!("no answer: {said:?}"));
    }
    if said.code == 0 {
        return Ok(Told::Done);
    }
    let error = said.err.lines().rev().find_map(|line| {
        let value: Value = serde_json::from_str(line).ok()?;
        Some((value["error"]["code"].as_str()?.to_owned(), value["error"]["message"].as_str()?.to_owned()))
    });
    let (code, message) = error.ok_or_else(|| format!("no answer: {said:?}"))?;
    Ok(match code.as_str() {
        _ if message.contains("so nobody has it") => Told::Lost,
        "denied_kept" => Told::Kept,
        "denied_not_durable" => Told::InForce,
        "never_shown" => Told::NeverShown,
        _ if message.contains("may or may not") => Told::Unknown,
        _ => Told::Refused,
    })
}

/// On a disk that is well, a server goes on by itself.
fn takes_changes_again(desk: &Desk) -> Result<(), String> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let said = desk.run(&["location", "add", "Again", "--json", "--key-file", KEY_FILE], "");
        if said.code == 0 {
            return Ok(());
        }
        // Perhaps it was made, and nobody could tell.
        if said.err.contains("There is a location called") || Instant::now() > deadline {
            return if said.code == 1 { Ok(()) } else { Err(format!("it takes nothing any more: {said:?}")) };
        }
    }
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
