//! The cockpit of a rotation, in the detail of either of its halves: whether the old one can be let go. How much of the grace
//! is over, each half with its use and who called with it last, and the keys that lead on from there.
//!
//! ```text
//!  Rotated 4 d ago
//!  Grace      ██████────  ends in 3 d
//!  F finish  + longer  Z take back
//!  New half   kdag_9fKeP2mVx9Kt_…
//!             in use: 2 min ago, 24 requests
//!             from 10.1.4.7 by okhttp/4.12
//!             first used 2026-11-24 16:20
//!  Old half   kdag_Qm4Tz8WcB1Ys_…
//!             still in use: 4 min ago, 68 requests
//!             from 10.1.4.20 by kiosk/2.1
//! ```

use crate::domain::time::DAY_MS;
use crate::domain::{Halves, Key, KeyState, LastUse, Timestamp};
use crate::tui::action::{Action, Layer};
use crate::tui::keymap::Keymap;
use crate::tui::list::page::Line;
use crate::tui::sight::deeds;
use crate::tui::sight::seen::Seen;
use crate::tui::theme::{Glyphs, Role};

/// Cells of the clock.
const CLOCK: i64 = 10;

/// What leads on from a rotation.
const NEXT: [Action; 4] =
    [Action::FinishGrace, Action::LongerGrace, Action::CancelRotation, Action::RotateAgain];

/// The lines, with a blank one after them; none of a key that is no half of a rotation.
pub fn lines(glyphs: &Glyphs, key: &Key, seen: &Seen<'_>, keymap: &Keymap) -> Vec<Line> {
    let Some(halves) = seen.view.halves(key) else { return Vec::new() };
    let Halves { old, new, how } = halves;
    let mut all = vec![
        Line::of(Role::Header, format!("Rotated {}", seen.times.relative(how.since))),
        grace(glyphs, halves, seen),
    ];
    all.extend(next(new, seen, keymap));
    let used = seen.usage(new).last_used_at;
    let says = match seen.view.last_use(new) {
        LastUse::At(_) => (Role::Text, "in use"),
        LastUse::Never => (Role::Warn, "nobody has used it yet"),
        LastUse::NotKnown(_) => (Role::Warn, "its use is not known"),
    };
    lane(&mut all, "New half", new, says, seen);
    let first = seen.usage(new).first_used_at.filter(|first| Some(*first) != used);
    all.extend(first.map(|at| Line::told(Role::Dim, "", format!("first used {}", seen.times.minute(at)))));
    let now = seen.now();
    let says = match seen.view.last_use(old) {
        LastUse::Never => (Role::Dim, "never used"),
        LastUse::NotKnown(_) => (Role::Warn, "its use is not known"),
        LastUse::At(_) if !halves.in_grace(now) => (Role::Dim, "used"),
        LastUse::At(at) if at <= how.since => (Role::Good, "not used since then"),
        LastUse::At(at) if now.since(at) <= DAY_MS => (Role::Warn, "still in use"),
        LastUse::At(_) => (Role::Text, "used since then"),
    };
    lane(&mut all, "Old half", old, says, seen);
    all.push(Line::blank());
    all
}

/// The clock of the grace, and when it stops.
fn grace(glyphs: &Glyphs, halves: Halves<'_>, seen: &Seen<'_>) -> Line {
    let Halves { old, how, .. } = halves;
    let end = match (old.state(seen.now()), how.waits, old.expiry.instant()) {
        (KeyState::Superseded, Some(grace), _) => {
            return Line::fact("Grace", format!("{grace} from the first use of the new half"));
        }
        (KeyState::Superseded, None, Some(end)) => end,
        _ => return Line::told(Role::Dim, "Grace", "over: the old half is refused"),
    };
    let (passed, rest) = clock(how.since, end, seen.now());
    Line {
        spans: vec![
            (Role::Info, glyphs.thumb.repeat(passed)),
            (Role::Dim, glyphs.horizontal.repeat(rest)),
            (Role::Text, format!("  ends {}", seen.times.relative(end))),
        ],
        ..Line::fact("Grace", "")
    }
}

/// Cells of the time that has passed between two instants, and of what is left of it: some as long as any is.
fn clock(since: Timestamp, end: Timestamp, now: Timestamp) -> (usize, usize) {
    let passed = now.since(since).max(0).saturating_mul(CLOCK) / end.since(since).max(1);
    let passed = passed.min(CLOCK - 1);
    (usize::try_from(passed).unwrap_or(0), usize::try_from(CLOCK - passed).unwrap_or(0))
}

/// One half: which, how it is used, and who used it last.
fn lane(all: &mut Vec<Line>, label: &'static str, key: &Key, (role, says): (Role, &str), seen: &Seen<'_>) {
    let usage = seen.usage(key);
    all.push(Line::fact(label, key.hint()));
    let used = usage.last_used_at.map(|at| {
        let requests =
            if usage.count == 1 { "1 request".to_owned() } else { format!("{} requests", usage.count) };
        format!(": {}, {requests}", seen.times.relative(at))
    });
    all.push(Line::told(role, "", format!("{says}{}", used.unwrap_or_default())));
    // Of the last use itself: an older request's address would be a wrong answer.
    let caller = seen.trace(key).and_then(|trace| trace.of_last_use(usage));
    all.extend(caller.map(|caller| Line::told(Role::Dim, "", format!("from {caller}"))));
}

/// The keys of what can be done now.
fn next(new: &Key, seen: &Seen<'_>, keymap: &Keymap) -> Option<Line> {
    let can = |action: &Action| deeds::enabled(*action, &[new.id], seen).is_ok();
    let hints = NEXT.into_iter().filter(can).filter_map(|action| {
        let key = keymap.label(Layer::Screen, action)?;
        Some([(Role::Key, key), (Role::Dim, format!(" {}  ", action.spec().word))])
    });
    let spans: Vec<_> = hints.flatten().collect();
    (!spans.is_empty()).then(|| Line { spans, ..Line::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_shows_that_something_is_left_until_nothing_is() {
        let cells = |now: i64| clock(Timestamp(0), Timestamp(1_200), Timestamp(now));
        for (now, expected) in
            [(-5, (0, 10)), (0, (0, 10)), (119, (0, 10)), (120, (1, 9)), (600, (5, 5)), (1_199, (9, 1))]
        {
            assert_eq!(cells(now), expected, "{now}");
        }
        assert_eq!(clock(Timestamp(0), Timestamp(0), Timestamp(0)), (0, 10));
    }
}
