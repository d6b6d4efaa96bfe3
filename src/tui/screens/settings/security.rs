//! What guards the store: the seal and its doubts, the slots that open it, the recovery code, the lock.

use super::sheet::{Deed, Mood, Piece};
use crate::crypto::slots::SlotKind;
use crate::domain::Access;
use crate::engine::Doors;
use crate::tui::action::Action;
use crate::tui::app::look::Look;
use crate::tui::app::times::Times;

/// What can be done here.
pub const fn deeds() -> &'static [(Deed, &'static str)] {
    &[
        (Deed::Act(Action::RenewCode), "Renew the recovery code"),
        (Deed::Act(Action::ConfirmClock), "Say that the clock is right"),
        (Deed::Act(Action::Lock), "Lock the console now"),
    ]
}

/// The facts.
pub fn pieces(look: &Look, doors: Option<&Doors>) -> Vec<Piece> {
    let times = Times::of(look);
    let mut pieces = Vec::new();
    let doubts = look.engine.doubts();
    if doubts.is_empty() {
        pieces.push(Piece::with("Store", "sealed, and it agrees with its audit trail", Mood::Good));
        pieces.push(Piece::with(
            "",
            "Each record is encrypted and bound to its place. Whoever edits the files is found out.",
            Mood::Dim,
        ));
    } else {
        pieces.push(Piece::with(
            "Store",
            "in doubt: nothing may be changed until somebody has looked",
            Mood::Bad,
        ));
        pieces.extend(doubts.iter().map(|doubt| Piece::with("", doubt.to_string(), Mood::Bad)));
        pieces.push(Piece::new("", "Check the chain on the audit tab, then restore a backup."));
    }
    let dial = look.engine.clock();
    if let Some(why) = dial.doubt() {
        pieces.push(Piece::with("Clock", format!("in doubt: {why}"), Mood::Bad));
        let says = times.exact(dial.wall);
        pieces.push(Piece::new("", format!("It says {says}. When that is right, an admin can say so here.")));
    }
    pieces.push(Piece::gap());
    match doors {
        None => pieces.push(Piece::with("Opened by", "looking…", Mood::Dim)),
        Some(doors) if doors.slots.is_empty() => {
            pieces
                .push(Piece::new("Opened by", "nothing: the store is in memory, and gone when keydeck ends"));
        }
        Some(doors) => slots(&mut pieces, doors, times),
    }
    pieces.push(Piece::gap());
    match doors.map(|doors| &doors.dir) {
        Some(Some(dir)) => pieces.push(Piece::new("Data in", dir.display().to_string())),
        Some(None) => pieces.push(Piece::new("Data in", "memory; nothing is written to a disk")),
        None => {}
    }
    if let Some(at) = doors.and_then(|doors| doors.sealed_at) {
        pieces.push(Piece::new("Last seal", times.both(at)));
        pieces.push(Piece::with(
            "",
            "The seal beside the database notices a store that was put back in time.",
            Mood::Dim,
        ));
    }
    let lock = look.state(|state| state.policy().lock_minutes);
    pieces.push(Piece::new(
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
    pieces.push(Piece::new("You reach", reach));
    pieces
}

/// The slots in words.
fn slots(pieces: &mut Vec<Piece>, doors: &Doors, times: Times) {
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
        pieces.push(Piece::new(std::mem::take(&mut label), line));
    }
    match of(SlotKind::Recovery).next() {
        Some(slot) => {
            pieces.push(Piece::new(label, format!("the recovery code made {}", times.both(slot.created_at))));
        }
        None => pieces.push(Piece::with(
            label,
            "no recovery code: when every passphrase is forgotten, nothing opens this store",
            Mood::Bad,
        )),
    }
}
