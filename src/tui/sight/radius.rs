//! What stops with a key or an app, in words: before something is done to it, in the console and on the command line.

use crate::domain::Timestamp;
use crate::domain::blast::Blast;
use crate::domain::history::picture::Visit;
use crate::domain::trace::Sighting;

/// Callers and scopes that are named; the others are counted.
const NAMED: usize = 4;

/// A caller, as one names it.
fn whence(visit: &Visit) -> Sighting {
    Sighting { at: visit.last, address: visit.address, agent: visit.agent.clone() }
}

fn many(count: usize, one: &str, more: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {more}") }
}

fn requests(count: u64) -> String {
    format!("{count} request{}", if count == 1 { "" } else { "s" })
}

/// As labels and what stands beside them. `ago` says when.
pub fn lines(
    blast: &Blast,
    now: Timestamp,
    ago: impl Fn(Timestamp) -> String,
) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    if let Some(at) = blast.in_use(now) {
        let by = blast.by.as_ref().map_or_else(String::new, |seen| format!(" by {seen}"));
        all.push(("In use now", format!("{}{by}", ago(at))));
    }
    if let Some(day) = blast.day.filter(|day| !(day.whole && day.tally.is_zero())) {
        let (allowed, denied) = (day.tally.allowed, day.tally.denied);
        all.push((
            "24 hours",
            match (day.whole, day.tally.is_zero()) {
                (true, _) => format!("{} allowed, {denied} refused", requests(allowed)),
                (false, true) => "requests are not known: not counted, or lost".to_owned(),
                (false, false) => format!("at least {} allowed, {denied} refused", requests(allowed)),
            },
        ));
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
        blast.tokens.then(|| "its access tokens".to_owned()),
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
    use crate::domain::LastUse;
    use crate::domain::blast::Day;
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
            tokens: false,
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
}
