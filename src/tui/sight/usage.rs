//! The use of a key or an app over time, for people: strips of blocks for what was allowed, marks below for what was
//! refused, and the numbers. What is not known is a sign of its own. Nothing here needs a colour.

use crate::domain::Timestamp;
use crate::domain::history::picture::{Bar, Picture, total};

/// The levels of a strip, from the least to the most.
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// No request.
const NONE: char = '·';
/// Nobody knows whether there was one.
const UNKNOWN: char = '?';
/// Some were refused.
const REFUSED: char = '×';
/// Runs of days that are told as not known.
const GAPS: usize = 3;

/// So many beside the most there are of it: the least that is not nothing is the lowest block, the most the highest.
pub fn level(count: usize, most: usize) -> char {
    if count == 0 {
        return NONE;
    }
    let level = count.saturating_mul(8).div_ceil(most.max(1)).saturating_sub(1);
    LEVELS.get(level).copied().unwrap_or('█')
}

/// Bars as signs, the newest last.
#[derive(Debug, PartialEq, Eq)]
pub struct Strip {
    /// What was allowed.
    pub allowed: String,
    /// When something was refused, if it was.
    pub refused: Option<String>,
    /// Bars that one sign stands for.
    pub each: usize,
}

/// Some bars in so many cells.
pub fn strip(bars: &[Bar], cells: usize) -> Strip {
    let each = bars.len().div_ceil(cells.max(1)).max(1);
    let groups: Vec<&[Bar]> = bars.rchunks(each).collect();
    let most = groups.iter().map(|group| total(group.iter()).allowed).max().unwrap_or_default();
    let sign = |group: &&[Bar]| {
        let allowed = total(group.iter()).allowed;
        if allowed == 0 {
            let known = group.iter().all(|bar| bar.known().is_some());
            return if known { NONE } else { UNKNOWN };
        }
        // The least that is not nothing is the lowest block, the most the highest.
        let level = u128::from(allowed - 1) * 8 / u128::from(most.max(1));
        usize::try_from(level).ok().and_then(|level| LEVELS.get(level)).copied().unwrap_or('█')
    };
    let allowed = groups.iter().rev().map(sign).collect();
    let denied = |group: &&[Bar]| total(group.iter()).denied > 0;
    let refused = groups
        .iter()
        .any(denied)
        .then(|| groups.iter().rev().map(|group| if denied(group) { REFUSED } else { NONE }).collect());
    Strip { allowed, refused, each }
}

/// The days on which a scope was needed, so many days ago each, beside all `days`: the more of those of a sign, the higher.
pub fn needed(ago: &[u8], days: &[Bar], cells: usize) -> String {
    let each = days.len().div_ceil(cells.max(1)).max(1);
    let sign = |(nth, group): (usize, &[Bar])| {
        let of_group = nth * each..nth * each + group.len();
        let count = ago.iter().filter(|ago| of_group.contains(&usize::from(**ago))).count();
        if count == 0 {
            return if group.iter().all(|bar| bar.whole) { NONE } else { UNKNOWN };
        }
        LEVELS.get((count * 8).div_ceil(group.len()) - 1).copied().unwrap_or('█')
    };
    let mut signs: Vec<char> = days.rchunks(each).enumerate().map(sign).collect();
    signs.reverse();
    signs.into_iter().collect()
}

/// How many, at least where some may be lost: `1204 allowed, 2 refused`.
pub fn counts(bars: &[Bar]) -> String {
    let all = total(bars.iter());
    let whole = bars.iter().all(|bar| bar.whole);
    match (all.is_zero(), whole) {
        (true, true) => "none".to_owned(),
        (true, false) => "none is known".to_owned(),
        (false, whole) => {
            let least = if whole { "" } else { "at least " };
            format!("{least}{} allowed, {} refused", all.allowed, all.denied)
        }
    }
}

/// The day of a time, in UTC, as all days of a history are.
fn day(at: Timestamp) -> String {
    at.rfc3339().chars().take_while(|c| *c != 'T').collect()
}

/// Of which days not all is known, if of any: `2026-11-03 to 2026-11-05`.
pub fn gaps(days: &[Bar]) -> Option<String> {
    let mut runs: Vec<(Timestamp, Timestamp)> = Vec::new();
    let mut before = true;
    for bar in days {
        if !bar.whole {
            match runs.last_mut() {
                Some((_, to)) if !before => *to = bar.at,
                _ => runs.push((bar.at, bar.at)),
            }
        }
        before = bar.whole;
    }
    let first = days.first().map(|bar| bar.at);
    let told = runs.iter().rev().take(GAPS).map(|(from, to)| match (Some(*from) == first, from == to) {
        (true, _) => format!("until {}", day(*to)),
        (false, true) => day(*from),
        (false, false) => format!("{} to {}", day(*from), day(*to)),
    });
    let mut told: Vec<String> = told.collect();
    told.reverse();
    let more = runs.len().saturating_sub(GAPS);
    if more > 0 {
        told.insert(0, format!("{more} times before"));
    }
    (!told.is_empty()).then(|| told.join(", "))
}

/// All of it as labels and what stands beside them, in so many cells; nothing where there is nothing to tell. `ago` says when.
pub fn lines(
    picture: &Picture,
    cells: usize,
    ago: impl Fn(Timestamp) -> String,
) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    if picture.is_blank() {
        return all;
    }
    for (label, unit, bars) in [("48 hours", "h", &picture.hours), ("90 days", "d", &picture.days)] {
        let Strip { allowed, refused, each } = strip(bars, cells);
        all.push((label, allowed));
        all.extend(refused.map(|refused| ("  refused", refused)));
        all.push(("", format!("{}; a sign is {each} {unit}", counts(bars))));
    }
    all.extend(gaps(&picture.days).map(|gaps| ("Not known", format!("{gaps}: not counted, or lost"))));
    for (at, visit) in picture.visits.iter().enumerate() {
        let whence = crate::domain::trace::Sighting {
            at: visit.last,
            address: visit.address,
            agent: visit.agent.clone(),
        };
        let label = if at == 0 { "Callers" } else { "" };
        all.push((label, format!("{}× {whence}, last {}", visit.count, ago(visit.last))));
    }
    if picture.others > 0 {
        let label = if picture.visits.is_empty() { "Callers" } else { "" };
        let more = if picture.visits.is_empty() { "" } else { "and " };
        let others = if picture.others == 1 { "request" } else { "requests" };
        all.push((label, format!("{more}{} {others} from nowhere that is told apart", picture.others)));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::history::History;
    use crate::domain::history::ring::Tally;
    use crate::domain::time::{DAY_MS, HOUR_MS};

    const NOW: Timestamp = Timestamp(1_790_000_000_000);

    fn picture(history: &History, known_for: i64) -> Picture {
        let covered = |from: Timestamp, _| from.0 >= NOW.0 - known_for;
        Picture::of(history, (NOW, Timestamp(0)), &covered, &|_| None)
    }

    #[test]
    fn allowed_refused_none_and_unknown_are_four_signs() {
        let mut history = History::default();
        history.allow(NOW, 80);
        history.allow(Timestamp(NOW.0 - HOUR_MS), 1);
        history.deny(Timestamp(NOW.0 - 2 * HOUR_MS), 3);
        let hours = picture(&history, 6 * HOUR_MS).hours;
        let Strip { allowed, refused, each } = strip(&hours, 48);
        assert!(allowed.ends_with("????····▁█") && allowed.chars().count() == 48, "{allowed}");
        assert!(refused.unwrap().ends_with("·×··"));
        assert_eq!((each, counts(&hours).as_str()), (1, "at least 81 allowed, 3 refused"));
        let narrow = strip(&hours, 20);
        assert_eq!((narrow.each, narrow.allowed.chars().count()), (3, 16));
        assert!(narrow.allowed.ends_with("?·█"), "{}", narrow.allowed);
    }

    #[test]
    fn the_days_of_a_scope_are_blocks_and_those_that_are_not_known_no_gaps() {
        let mut history = History::default();
        history.allow(NOW, 3);
        let days = picture(&history, 6 * DAY_MS).days;
        let told = needed(&[0, 2], &days, 90);
        assert!(told.ends_with("???···█·█") && told.chars().count() == 90, "{told}");
        let told = needed(&[0, 2, 3, 4, 5], &days, 30);
        assert!(told.ends_with("?█▆") && told.chars().count() == 30, "{told}");
    }

    #[test]
    fn what_is_not_known_is_told_by_its_days() {
        let days = |gone: &[usize]| -> Vec<Bar> {
            let bar = |n: usize| Bar {
                at: Timestamp((20_000 + i64::try_from(n).unwrap()) * DAY_MS),
                tally: Tally::default(),
                whole: !gone.contains(&n),
            };
            (0..90).map(bar).collect()
        };
        let told = |gone: &[usize]| gaps(&days(gone));
        assert_eq!(told(&[]), None);
        assert_eq!(told(&[0, 1, 2, 50]).unwrap(), "until 2024-10-06, 2024-11-23");
        assert_eq!(told(&[10, 11]).unwrap(), "2024-10-14 to 2024-10-15");
        assert_eq!(told(&[1, 3, 5, 7, 9]).unwrap(), "2 times before, 2024-10-09, 2024-10-11, 2024-10-13");
    }

    #[test]
    fn a_key_nobody_used_has_nothing_to_tell_and_one_nobody_knows_of_says_so() {
        let never = History::default();
        assert!(lines(&picture(&never, i64::MAX / 4), 90, |_| String::new()).is_empty());
        let told = lines(&picture(&never, DAY_MS), 90, |_| String::new());
        assert!(told.iter().any(|(label, _)| *label == "Not known"), "{told:?}");
        assert!(told.iter().any(|(_, said)| said.starts_with("none is known")), "{told:?}");
    }
}
