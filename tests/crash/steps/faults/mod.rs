//! A disk that fails at every single write, sync and rename of every command: for one call, for a while, for ever. What
//! was acknowledged holds, what was refused is refused, and writing works again when the disk does.
//!
//! - `table`: every command and how a person gives it. `house`: a store that is copied for each fault.
//! - `walk`: all the faults that can meet one command, and what must hold after each. `rows`: what is not asked for by a
//!   command beside a store. `case`: one fault, and many at once.
//!
//! `KEYDECK_FAULTS=all cargo nextest run --test crash faults --no-capture` has all of them happen; a word instead of
//! `all` those of the commands with that word.

mod case;
mod house;
mod rows;
mod table;
mod walk;

use case::{Case, Figures, Way, suffer};
use house::House;
use rows::ROWS;
use walk::Walk;

use super::step::Step;

/// Rows of the table that are looked at on an ordinary day, and faults of each.
const EVERYDAY: (usize, usize) = (6, 4);

/// Whether a thread waits for the write already when it fails is up to the moment.
const AGAIN: usize = 3;

#[test]
fn a_write_that_fails_keeps_nobody_waiting_for_ever() {
    let house = House::new();
    let Some(deed) = table::deeds().into_iter().find(|deed| deed.words == ["key", "pause", "Nightly"]) else {
        panic!("nobody pauses a key");
    };
    let Some(walk) = Walk::of(&house, deed) else { return };
    let mut cases = walk.cases(false);
    cases.retain(|case| case.way == Way::Alone && case.fault.lasts == 1 && case.fault.at.step.hands_over());
    let (figures, found) = walk.suffer(&vec![cases; AGAIN].concat());
    println!("{figures:?}");
    assert!(found.is_empty() && figures.met > 0, "{found:#?}");
}

#[test]
fn a_founding_on_a_disk_that_fails_can_be_repeated_or_has_handed_over_its_recovery_code() {
    let (house, row) = (House::new(), &ROWS[0]);
    let Some(mut cases) = row.cases(&house) else { return };
    let counts = |step: &Step| step.makes_durable() || step.makes_settings();
    cases.retain(|case| case.fault.lasts == usize::MAX && counts(&case.fault.at.step));
    let (figures, found) = suffer(row.name, &cases, |case| row.suffer_once(&house, case));
    println!("{figures:?}");
    assert!(found.is_empty() && figures.met > 0, "{found:#?}");
}

/// What came of all rows.
#[derive(Default)]
struct Sum {
    figures: Figures,
    wrong: usize,
}

impl Sum {
    fn tell(&mut self, name: &str, cases: usize, (figures, found): (Figures, Vec<String>)) {
        println!("{cases} faults in `{name}`: {figures:?}, {} wrong", found.len());
        for what in &found {
            println!("  {what}");
        }
        self.figures.add(&figures);
        self.wrong += found.len();
    }
}

/// A few of many, far apart; which, differs from one row to the next.
fn a_few(cases: Vec<Case>, row: usize) -> Vec<Case> {
    let step = (cases.len() / EVERYDAY.1).max(1);
    cases.into_iter().skip(row % step).step_by(step).collect()
}

#[test]
fn whatever_call_of_whatever_command_fails_what_was_said_holds_and_writing_goes_on_after_it() {
    let wanted = std::env::var("KEYDECK_FAULTS").ok();
    let is_wanted = |name: &str, everyday: bool, sets_the_clock: bool| {
        let is_wanted = match &wanted {
            Some(word) => word == "all" || name.contains(word.as_str()),
            None => everyday,
        };
        let can_be = !sets_the_clock || cfg!(debug_assertions);
        if is_wanted && !can_be {
            println!("skipped: `{name}` needs a debug build, which alone can be told another time");
        }
        is_wanted && can_be
    };
    let house = House::new();
    let deeds = table::deeds();
    let mut sum = Sum::default();
    let every = deeds.len() / EVERYDAY.0;
    for (n, deed) in deeds.into_iter().enumerate() {
        let name = deed.words.join(" ");
        if is_wanted(&name, n % every == 0, deed.clock.is_some()) {
            let Some(walk) = Walk::of(&house, deed) else { return };
            let mut cases = walk.cases(wanted.is_some() && n == 0);
            if wanted.is_none() {
                cases = a_few(cases, n);
            }
            sum.tell(&name, cases.len(), walk.suffer(&cases));
        }
    }
    for (n, row) in ROWS.iter().enumerate() {
        if is_wanted(row.name, true, row.sets_the_clock) {
            let Some(mut cases) = row.cases(&house) else { return };
            if wanted.is_none() {
                cases = a_few(cases, n);
            }
            let found = suffer(row.name, &cases, |case| row.suffer_once(&house, case));
            sum.tell(row.name, cases.len(), found);
        }
    }
    println!("{:?}", sum.figures);
    assert!(sum.wrong == 0, "{} wrong, as told above", sum.wrong);
    assert!(sum.figures.met > 0);
}
