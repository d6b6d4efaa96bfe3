//! A disk that fails at every single write, sync and rename of every command: for one call, for a while, for ever. What
//! was acknowledged holds, what was refused is refused, and writing works again when the disk does.
//!
//! - `table`: every command and how a person gives it. `house`: a store that is copied for each fault.
//! - `walk`: all the faults that can meet one command, and what must hold after each.
//!
//! `KEYDECK_FAULTS=all cargo nextest run --test crash faults --no-capture` has all of them happen; a word instead of
//! `all` those of the commands with that word.

mod house;
mod table;
mod walk;

use house::House;
use walk::{Figures, Walk};

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
    cases.retain(|case| {
        case.way == walk::Way::Alone && case.fault.lasts == 1 && case.fault.at.step.hands_over()
    });
    let (figures, found) = walk.suffer(&vec![cases; AGAIN].concat());
    println!("{figures:?}");
    assert!(found.is_empty() && figures.met > 0, "{found:#?}");
}

#[test]
fn whatever_call_of_whatever_command_fails_what_was_said_holds_and_writing_goes_on_after_it() {
    let wanted = std::env::var("KEYDECK_FAULTS").ok();
    let house = House::new();
    let deeds = table::deeds();
    let (mut all, mut wrong) = (Figures::default(), Vec::new());
    let every = deeds.len() / EVERYDAY.0;
    for (n, deed) in deeds.into_iter().enumerate() {
        let name = deed.words.join(" ");
        let is_wanted = match &wanted {
            Some(word) => word == "all" || name.contains(word.as_str()),
            None => n % every == 0,
        };
        if !is_wanted {
            continue;
        }
        let Some(walk) = Walk::of(&house, deed) else { return };
        let mut cases = walk.cases(wanted.is_some() && n == 0);
        if wanted.is_none() {
            // Far apart.
            let step = cases.len() / EVERYDAY.1;
            cases = cases.into_iter().skip(n % step).step_by(step).collect();
        }
        let (figures, found) = walk.suffer(&cases);
        println!("{} faults in `{name}`: {figures:?}, {} wrong", cases.len(), found.len());
        for what in &found {
            println!("  {what}");
        }
        all.add(&figures);
        wrong.extend(found);
    }
    println!("{all:?}");
    assert!(wrong.is_empty(), "{} wrong, as told above", wrong.len());
    assert!(all.met > 0);
}
