//! All the faults that can meet one deed, and what must hold after each.

use std::time::Instant;

use keydeck::crypto::recovery::RecoveryCode;
use serde_json::Value;

use super::case::{Case, Figures, Told, Way, cases, stood, suffer};
use super::house::{Change, House, KEY_FILE, Look, PROBE, opens, opens_with_its_code};
use super::table::Deed;
use crate::steps::step::Step;
use crate::steps::tracer::{Harm, Kill};
use crate::steps::ways::{beside_a_server, by_itself};
use crate::support::desk::{Desk, Said};
use crate::support::wait::PATIENCE;

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
        let desk = house.copy_for(&deed);
        let (trail, said) = by_itself(&desk, &desk.command(&deed.typed()), never)?;
        assert_eq!(said.code, 0, "{deed:?}: {said:?}");
        let mut clean = Look::at(&desk).unwrap().standing().since(&house.before);
        clean.trail.retain(|event| deed.is_about(event));
        assert_eq!(clean.trail, deed.tells, "{deed:?}: {said:?}");
        let desk = house.copy_for(&deed);
        let (beside, said) = beside_a_server(&desk, never, |_, _| desk.run(&deed.typed(), ""))?;
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
        ways.into_iter().flat_map(|(way, steps, from)| cases(way, steps, from)).collect()
    }

    /// Has these faults happen.
    pub fn suffer(&self, cases: &[Case]) -> (Figures, Vec<String>) {
        suffer(&self.deed.words.join(" "), cases, |case| self.suffer_once(case))
    }

    /// What was told, if the fault was met.
    fn suffer_once(&self, case: &Case) -> Result<Option<Told>, String> {
        let desk = self.house.copy_for(&self.deed);
        let harm = Harm::Fault(&case.fault);
        let typed = self.deed.typed();
        let traced = match case.way {
            Way::Alone => by_itself(&desk, &desk.command(&typed), harm)
                .map(|(trail, said)| (trail, told(&said).map(|told| (told, said)))),
            Way::Served | Way::ServedOn => beside_a_server(&desk, harm, |disk, _| {
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
        let (trail, answer) = traced.ok_or("it cannot be traced")?;
        let (told, said) = answer?;
        stood(&trail, case.way).map_err(|wrong| format!("{wrong}: {said:?}"))?;
        self.check(&desk, case, told, &said).map_err(|wrong| format!("{wrong}; {told:?}: {said:?}"))?;
        Ok(trail.met.then_some(told))
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
        change.trail.retain(|event| self.deed.is_about(event));
        let healed = case.way == Way::ServedOn;
        let untidy = self.clean.trail.split_last().filter(|_| self.deed.tidies).map(|(_, before)| before);
        let whole = change.trail == self.clean.trail || untidy == Some(change.trail.as_slice());
        let none = change.trail.is_empty();
        let begun = !none && !whole && self.clean.trail.starts_with(&change.trail);
        // What only tidies may have begun before it failed: then it says that the rest is as it was.
        let short = begun || change.trail.len() < self.clean.trail.len() && !none;
        let in_part = short && self.deed.part.is_some_and(|part| said.err.contains(part));
        let allowed = match told {
            Told::Done | Told::Kept => whole,
            // What is in force in one process only is gone with it; what was done before it stays.
            Told::InForce => whole || !healed && (none || in_part),
            Told::NeverShown => {
                let taken_back = change.trail.last().is_some_and(|last| last.ends_with("secret_unconfirmed"));
                // Where the seal is in its place already and only keeping its name there fails, a disk that takes nothing
                // does not keep the wish to take it back either; that is told.
                let lives = (whole || begun) && !healed && case.fault.at.step.keeps_names();
                none || taken_back || lives
            }
            Told::Lost => {
                let tells = self.deed.tells.split_last().filter(|_| self.deed.tidies);
                let made = tells.map_or(self.deed.tells, |(_, before)| before);
                whole || change.trail == [made, self.deed.loses].concat()
            }
            // Of several commits it may be any that may have been made.
            Told::Unknown => whole || none || begun,
            Told::Refused => none || in_part,
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
        let before = || RecoveryCode::parse(desk.read("recovery").trim()).map_err(|error| error.to_string());
        if said.err.contains("the old one still counts") {
            Look::by_recovery(desk, "otto", &before()?).map_err(|why| format!("the old code: {why}"))?;
        }
        if said.code == 0 && said.out.contains("recovery_code") {
            opens_with_its_code(desk, "otto", &said.json())?;
            if Look::by_recovery(desk, "otto", &before()?).is_ok() {
                return Err("the code before still opens".into());
            }
        }
        if whole || none {
            for lock in self.deed.locks {
                let open = opens(desk, lock.key);
                if open != if whole { lock.after } else { lock.before } {
                    return Err(format!("{} opens: {open}, done: {whole}", lock.key));
                }
            }
        }
        if self.deed.clock.is_some() && believes_the_clock(desk) != whole {
            return Err(format!("the clock is believed: {}", !whole));
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

/// Whether the clock of a machine is believed where its store is opened.
fn believes_the_clock(desk: &Desk) -> bool {
    let said = desk.run(&["clock", "show", "--json", "--key-file", KEY_FILE], "").expect(0);
    said.json()["suspect"] == false
}

/// A token on standard output.
fn handed_over(said: &Said) -> Option<String> {
    let value: Value = serde_json::from_str(&said.out).ok()?;
    Some(value.get("token").or_else(|| value.get("secret"))?.as_str()?.to_owned())
}

/// What an answer says, by its code.
pub fn told(said: &Said) -> Result<Told, String> {
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
pub fn takes_changes_again(desk: &Desk) -> Result<(), String> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let said = desk.run(&["location", "add", PROBE, "--json", "--key-file", KEY_FILE], "");
        if said.code == 0 {
            return Ok(());
        }
        // Perhaps it was made, and nobody could tell.
        if said.err.contains("There is a location called") || Instant::now() > deadline {
            return if said.code == 1 { Ok(()) } else { Err(format!("it takes nothing any more: {said:?}")) };
        }
    }
}
