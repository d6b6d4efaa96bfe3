//! What stops with a key or an app, or with many at once, in words: before something is done, in the console and on the
//! command line.

use crate::domain::blast::many::{Busy, Named, Struck};
use crate::domain::blast::{Blast, Day};
use crate::domain::history::picture::Visit;
use crate::domain::name::first_few;
use crate::domain::trace::Sighting;
use crate::domain::{LastUse, Timestamp, View};

/// The label of what happens at this moment.
pub const IN_USE: &str = "In use now";

/// Callers and scopes that are named; the others are counted.
const NAMED: usize = 4;

/// A caller, as one names it.
fn whence(visit: &Visit) -> Sighting {
    Sighting { at: visit.last, address: visit.address, agent: visit.agent.clone() }
}

fn many(count: usize, one: &str, more: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {more}") }
}

/// `1 request`, `1204 requests`.
pub fn requests(count: u64) -> String {
    format!("{count} request{}", if count == 1 { "" } else { "s" })
}

/// What is known of a day.
fn of_day(day: Day) -> String {
    let (allowed, denied) = (requests(day.tally.allowed), day.tally.denied);
    match (day.whole, day.tally.is_zero()) {
        (true, true) => "no request".to_owned(),
        (true, false) => format!("{allowed} allowed, {denied} refused"),
        (false, true) => "requests are not known: not counted, or lost".to_owned(),
        (false, false) => format!("at least {allowed} allowed, {denied} refused"),
    }
}

/// Of many at once, as labels and what stands beside them: what is in use now and by whom, the sum of requests where it was
/// asked for, what ends besides.
pub fn summary(
    struck: &Struck,
    busy: Option<&Busy>,
    (view, now): (View<'_>, Timestamp),
) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    if struck.in_use() {
        let by = |one: &Named<'_>| match &one.caller {
            Some(caller) => format!("{} from {caller}", one.name),
            None => one.name.to_owned(),
        };
        let mut users: Vec<String> = struck.users(view, now).iter().map(by).collect();
        // Those that are not told are counted all the same.
        users.resize(struck.used_now.max(users.len()), String::new());
        let users = first_few(users.iter().map(String::as_str));
        all.push((IN_USE, format!("{} of {}: {users}", struck.used_now, struck.told())));
    }
    if let Some(busy) = busy {
        let (day, unknown) = (struck.day(busy), busy.unknown.saturating_add(struck.more));
        let said = match (unknown, day.tally.is_zero()) {
            // Of those in view all is known.
            (0, true) if struck.others > 0 && struck.told() > 0 => "no request of those in view".to_owned(),
            (0, _) | (_, true) => of_day(day),
            (_, false) => format!("{}; of {unknown} not all is known", of_day(day)),
        };
        let unseen = if struck.others > 0 { "; those of others are not in view" } else { "" };
        all.push(("24 hours", format!("{said}{unseen}")));
    }
    if struck.notices > 0 {
        all.push(("Also", many(struck.notices, "notice that ends", "notices that end")));
    }
    all
}

/// Which of many are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// Any, until there are ten.
    Any,
    /// Those that were used.
    Users,
}

/// The same, and then the ten that matter most, each on a line. `ago` says when.
pub fn of_many(
    struck: &Struck,
    (busy, whom): (Option<&Busy>, Whom),
    here: (View<'_>, Timestamp),
    ago: impl Fn(Timestamp) -> String,
) -> Vec<(&'static str, String)> {
    let mut all = summary(struck, busy, here);
    let mut first = struck.first(here.0, busy, here.1);
    first.retain(|one| whom == Whom::Any || one.day.is_some() || one.last.at().is_some());
    for (at, one) in first.iter().enumerate() {
        let label = match (at, one.day, one.last.at()) {
            (0, Some(_), _) => "Busiest",
            (0, None, Some(_)) => "Used last",
            (0, None, None) => "Among them",
            _ => "",
        };
        all.push((label, of_one(one, &ago)));
    }
    let more = struck.told().saturating_sub(first.len());
    if more > 0 && whom == Whom::Any {
        all.push(("", format!("and {more} more")));
    }
    all
}

/// One of many: `Nightly export: 1204 requests, used 40 s ago by 10.1.4.20`.
fn of_one(one: &Named<'_>, ago: impl Fn(Timestamp) -> String) -> String {
    let count = one.day.map_or_else(String::new, |day| format!("{}, ", requests(day.tally.allowed)));
    let used = match one.last {
        LastUse::At(at) => format!("used {}", ago(at)),
        LastUse::Never => "never used".to_owned(),
        LastUse::NotKnown(None) => "use not known".to_owned(),
        LastUse::NotKnown(Some(since)) => format!("use not known before {}", ago(since)),
    };
    let from = one.caller.as_ref().map_or_else(String::new, |caller| format!(" from {caller}"));
    format!("{}: {count}{used}{from}", one.name)
}

/// As labels and what stands beside them. `ago` says when.
pub fn lines(
    blast: &Blast,
    now: Timestamp,
    ago: impl Fn(Timestamp) -> String,
) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    if let Some(at) = blast.in_use(now) {
        let by = blast.by.as_ref().map_or_else(String::new, |seen| format!(" from {seen}"));
        all.push((IN_USE, format!("{}{by}", ago(at))));
    }
    if let Some(day) = blast.day.filter(|day| !(day.whole && day.tally.is_zero())) {
        all.push(("24 hours", of_day(day)));
    }
    for (at, visit) in blast.callers.iter().take(NAMED).enumerate() {
        let said = format!("{}× {}, last {}", visit.count, whence(visit), ago(visit.last));
        all.push((if at == 0 { "Callers" } else { "" }, said));
    }
    let more = blast.callers.len().saturating_sub(NAMED);
    if more > 0 {
        all.push(("", format!("and {more} more")));
    }
    for (at, (scope, used)) in blast.lost.iter().take(NAMED).enumerate() {
        all.push((if at == 0 { "Would stop" } else { "" }, format!("{scope}, used {}", ago(*used))));
    }
    let more = blast.lost.len().saturating_sub(NAMED);
    if more > 0 {
        all.push(("", format!("and {more} more that were used")));
    }
    let also: Vec<String> = [
        (blast.keys > 0).then(|| many(blast.keys, "live key of it", "live keys of it")),
        blast
            .tokens
            .until()
            .map(|at| format!("access tokens of it, of which the last is over {} at the latest", ago(at))),
        (blast.notices > 0).then(|| many(blast.notices, "notice that ends", "notices that end")),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !also.is_empty() {
        all.push(("Also", also.join(", ")));
    }
    if blast.siblings > 0 {
        let go = if blast.siblings == 1 { "goes on" } else { "go on" };
        let others = many(blast.siblings, "other key of its app", "other keys of its app");
        all.push(("Beside it", format!("{others} {go}")));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::blast::Tokens;
    use crate::domain::history::ring::Tally;

    const NOW: Timestamp = Timestamp(1_790_000_000_000);

    fn blast() -> Blast {
        Blast {
            last: LastUse::At(Timestamp(NOW.0 - 40_000)),
            by: None,
            day: Some(Day { tally: Tally { allowed: 1_204, denied: 2 }, whole: true }),
            callers: Vec::new(),
            others: 0,
            lost: vec![("payments.read".parse().unwrap(), NOW)],
            unused: 1,
            siblings: 0,
            keys: 0,
            tokens: Tokens::Over,
            notices: 1,
        }
    }

    fn told(blast: &Blast) -> Vec<String> {
        let words = lines(blast, NOW, |at| format!("{} s ago", NOW.since(at) / 1_000));
        words.into_iter().map(|(label, said)| format!("{label}: {said}")).collect()
    }

    #[test]
    fn what_stops_is_told_with_what_it_is_used_for() {
        let said = [
            "In use now: 40 s ago",
            "24 hours: 1204 requests allowed, 2 refused",
            "Would stop: payments.read, used 0 s ago",
            "Also: 1 notice that ends",
        ];
        assert_eq!(told(&blast()), said);
    }

    #[test]
    fn what_is_not_known_is_not_nothing() {
        let unknown = Some(Day { tally: Tally::default(), whole: false });
        let quiet =
            Blast { last: LastUse::NotKnown(None), day: unknown, lost: Vec::new(), notices: 0, ..blast() };
        assert_eq!(told(&quiet), ["24 hours: requests are not known: not counted, or lost"]);
        let none = Some(Day { tally: Tally::default(), whole: true });
        assert!(told(&Blast { last: LastUse::Never, day: none, ..quiet }).is_empty());
    }

    #[test]
    fn of_a_day_at_least_what_is_known_is_told_and_nothing_only_where_that_is_known() {
        let day = |allowed, denied, whole| of_day(Day { tally: Tally { allowed, denied }, whole });
        assert_eq!(day(0, 0, true), "no request");
        assert_eq!(day(0, 0, false), "requests are not known: not counted, or lost");
        assert_eq!(day(1, 0, true), "1 request allowed, 0 refused");
        assert_eq!(day(7, 2, false), "at least 7 requests allowed, 2 refused");
    }
}
