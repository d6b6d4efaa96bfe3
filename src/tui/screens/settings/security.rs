//! What guards the store: the seal and its doubts, the slots that open it, the recovery code, the lock.

use super::sheet::Deed;
use crate::crypto::slots::SlotKind;
use crate::domain::Access;
use crate::engine::Doors;
use crate::tui::action::Action;
use crate::tui::app::look::Look;
use crate::tui::app::times::Times;
use crate::tui::list::page::Line;
use crate::tui::theme::Role;

/// What can be done here.
pub const DEEDS: &[(Deed, &str)] = &[
    (Deed::Act(Action::RenewCode), "Renew the recovery code"),
    (Deed::Act(Action::ConfirmClock), "Say that the clock is right"),
    (Deed::Act(Action::Lock), "Lock the console now"),
];

pub fn facts(look: &Look, doors: Option<&Doors>) -> Vec<Line> {
    let times = Times::of(look);
    let mut facts = Vec::new();
    let doubts = look.engine.doubts();
    if doubts.is_empty() {
        facts.push(Line::told(Role::Good, "Store", "sealed, and it agrees with its audit trail"));
        facts.push(Line::told(
            Role::Dim,
            "",
            "Each record is encrypted and bound to its place. Whoever edits the files is found out.",
        ));
    } else {
        facts.push(Line::told(
            Role::Bad,
            "Store",
            "in doubt: what it does not vouch for is refused, and nothing may be changed until somebody has looked",
        ));
        facts.extend(doubts.iter().map(|doubt| Line::told(Role::Bad, "", doubt.to_string())));
        facts.push(Line::fact("", "Check the chain on the audit tab, then restore a backup."));
    }
    let dial = look.engine.clock();
    if let Some(why) = dial.doubt() {
        facts.push(Line::told(Role::Bad, "Clock", format!("in doubt: {why}")));
        let says = times.exact(dial.wall);
        facts.push(Line::fact("", format!("It says {says}. When that is right, an admin can say so here.")));
    }
    facts.push(Line::blank());
    match doors {
        None => facts.push(Line::told(Role::Dim, "Opened by", "looking…")),
        Some(doors) if doors.slots.is_empty() => {
            facts
                .push(Line::fact("Opened by", "nothing: the store is in memory, and gone when keydeck ends"));
        }
        Some(doors) => slots(&mut facts, doors, times),
    }
    facts.push(Line::blank());
    match doors.map(|doors| &doors.dir) {
        Some(Some(dir)) => facts.push(Line::fact("Data in", dir.as_str())),
        Some(None) => facts.push(Line::fact("Data in", "memory; nothing is written to a disk")),
        None => {}
    }
    if let Some(at) = doors.and_then(|doors| doors.sealed_at) {
        facts.push(Line::fact("Last seal", times.both(at)));
        facts.push(Line::told(
            Role::Dim,
            "",
            "The seal beside the database notices a store that was put back in time.",
        ));
    }
    let lock = look.state(|state| state.policy().lock_minutes);
    facts.push(Line::fact(
        "Locks itself",
        match lock {
            Some(1) => "after a minute without a key press".to_owned(),
            Some(minutes) => format!("after {minutes} minutes without a key press"),
            None => "never; the policy lock-minutes is off".to_owned(),
        },
    ));
    let reach = match look.session.actor().access {
        Access::Own => "your own keys",
        Access::Agency => "the whole agency; the audit trail says so",
        Access::Service => "what the server does on its own",
        Access::Recovery => "a new passphrase only: you signed in with the recovery code",
    };
    facts.push(Line::fact("You reach", reach));
    facts
}

/// The slots in words.
fn slots(facts: &mut Vec<Line>, doors: &Doors, times: Times) {
    let of = |kind| doors.slots.iter().filter(move |slot| slot.kind == kind);
    let names = |kind| of(kind).map(|slot| slot.label.as_str()).collect::<Vec<_>>().join(", ");
    let count = |kind, one: &str, many: &str| match of(kind).count() {
        0 => None,
        1 => Some(format!("1 {one}: {}", names(kind))),
        count => Some(format!("{count} {many}: {}", names(kind))),
    };
    let lines = [
        count(SlotKind::Passphrase, "passphrase", "passphrases"),
        count(SlotKind::KeyFile, "key file", "key files"),
    ];
    let mut label = "Opened by";
    for line in lines.into_iter().flatten() {
        facts.push(Line::fact(std::mem::take(&mut label), line));
    }
    match of(SlotKind::Recovery).next() {
        Some(slot) => {
            facts.push(Line::fact(label, format!("the recovery code made {}", times.both(slot.created_at))));
        }
        None => facts.push(Line::told(
            Role::Bad,
            label,
            "no recovery code: when every passphrase is forgotten, nothing opens this store",
        )),
    }
}
