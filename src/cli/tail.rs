//! `keydeck tail`: who knocks now, line by line, until somebody ends it.

use std::fmt::Write as _;
use std::time::Duration;

use clap::Args;
use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

use super::Outcome;
use super::door::{Deck, Signed};
use super::fault::Fault;
use super::find::ambiguous;
use super::interrupt::Interrupt;
use super::number::whole;
use super::output::shown;
use super::times;
use crate::domain::tail::{Arrival, Tail as Caught, Totals, Watched};
use crate::domain::view::Sought;
use crate::domain::{Bearer, Key, ScopeId};
use crate::engine::open::Wants;

/// How often is asked what arrived.
const EVERY: Duration = Duration::from_millis(250);
/// Cells of a name, of what was wanted or why not, and of an address.
const CELLS: [usize; 3] = [24, 24, 15];

/// Words of `tail`.
#[derive(Debug, Args)]
#[command(
    after_help = "Requests are seen where they are decided: in `keydeck serve`, or whatever program has the store open; tail \
                  attaches to it. A secret is never told, nor a path. With --json each request is one object on a line of its own."
)]
pub struct Tail {
    /// A key, an app or a location by id, hint or name; without one all that you may see
    #[arg(value_name = "KEY|APP|LOCATION")]
    of: Option<String>,
    /// End after this time, such as 30s, 5m or 1h
    #[arg(long = "for", value_name = "TIME", value_parser = span)]
    time: Option<i64>,
    /// End when so many requests were told
    #[arg(long, value_name = "N", value_parser = whole::<u32>(1..=1_000_000))]
    count: Option<u32>,
    /// Everybody's keys (admins; noted in the audit trail)
    #[arg(long)]
    all: bool,
}

/// Reads a time in milliseconds.
fn span(text: &str) -> Result<i64, String> {
    let none = || "write a time such as 30s, 5m or 1h, up to 24h".to_owned();
    let unit = text.chars().last().ok_or_else(none)?;
    let ms = match unit {
        's' => 1_000,
        'm' => 60_000,
        'h' => 3_600_000,
        _ => return Err(none()),
    };
    let digits = text.strip_suffix(unit).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
    let count: i64 = digits.and_then(|digits| digits.parse().ok()).ok_or_else(none)?;
    let time = count.checked_mul(ms).filter(|time| (1..=24 * 3_600_000).contains(time));
    time.ok_or_else(none)
}

/// One request, in JSON.
#[derive(Serialize)]
struct Line<'a> {
    at: String,
    key: Option<String>,
    app: Option<String>,
    name: &'a str,
    decision: &'static str,
    reason: Option<&'static str>,
    scopes: Vec<&'a str>,
    /// Scopes that are not among these.
    #[serde(skip_serializing_if = "is_none")]
    more_scopes: u32,
    from: Option<String>,
    agent: Option<&'a str>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over what it looks at")]
const fn is_none(count: &u32) -> bool {
    *count == 0
}

/// What is not told one by one, in JSON.
#[derive(Serialize)]
struct Rest {
    until: String,
    /// Too many at once.
    left_out: u64,
    /// Of nobody who is known here.
    unknown: u64,
}

/// All of it, in JSON.
#[derive(Serialize)]
struct Sum {
    allowed: u64,
    refused: u64,
    unknown: u64,
    left_out: u64,
}

/// Watches until it is enough.
pub fn run(deck: &Deck, args: &Tail) -> Outcome {
    let signed = deck.sign_in_for(Wants::Named)?.widened(args.all)?;
    let watched = match &args.of {
        Some(reference) => meant(&signed, reference)?,
        None => Watched::All,
    };
    let interrupt = Interrupt::listen();
    let first = signed.engine.tail(&signed.session, watched)?;
    let _attached = signed.waiting();
    begin(deck, &signed, watched);
    let (begun, mut until, mut told) = (first.until, first.until, 0);
    let mut totals = Totals::default();
    loop {
        let read = deck.output.wait(EVERY);
        let mut caught = signed.engine.tail(&signed.session, watched)?;
        if caught.since > until {
            let (from, to) = (times::second(until), times::second(caught.since));
            deck.output.warn(&format!("what arrived between {from} and {to} was not seen."));
        }
        until = caught.until;
        let most = args.count.map_or(usize::MAX, |count| usize::try_from(count).unwrap_or(usize::MAX) - told);
        // Of those that came at once with the last one that is told, the sums tell as of others that are not.
        let untold = caught.arrivals.len().saturating_sub(most);
        caught.arrivals.truncate(most);
        told += caught.arrivals.len();
        totals.add(&caught);
        totals.left_out = totals.left_out.saturating_add(u64::try_from(untold).unwrap_or(u64::MAX));
        if !read || !tell(deck, &caught)? {
            // Who has seen enough and closed the pipe wants to hear no more.
            break;
        }
        let is_over =
            args.time.is_some_and(|time| until.since(begun) >= time) || caught.arrivals.len() == most;
        if is_over || interrupt.has_come() {
            end(deck, &totals);
            break;
        }
    }
    signed.engine.stop_watching(&signed.session)?;
    Ok(deck.done(signed.engine.settle()))
}

/// What a reference means, among all that can be watched.
fn meant(signed: &Signed, reference: &str) -> Result<Watched, Fault> {
    signed.engine.look_up(&signed.session, reference)?;
    let now = signed.now();
    let found: Vec<(Watched, String)> = signed.see(|view| {
        let keys = view.find_key(reference, Sought::Living, now).all();
        let key = |key: &Key| (Watched::Key(key.id), key.hint());
        let apps = view.find_app(reference).all();
        let places = view.find_location(reference).all();
        keys.into_iter()
            .map(key)
            .chain(apps.into_iter().map(|app| (Watched::App(app.id), app.id.to_string())))
            .chain(places.into_iter().map(|place| (Watched::Location(place.id), place.id.to_string())))
            .collect()
    });
    match found.as_slice() {
        [] => Err(Fault::refused(
            "not_found",
            "No key, app or location that you may see has that id or name. `keydeck key list`, `app list` and `location \
             list` show them; admins add --all for those of others.",
        )),
        [(watched, _)] => Ok(*watched),
        many => Err(ambiguous("thing", many.iter().map(|(_, id)| id.clone()).collect())),
    }
}

fn begin(deck: &Deck, signed: &Signed, watched: Watched) {
    let what = signed.see(|view| match watched.name(view) {
        Some(name) => name.to_string(),
        None if view.is_whole() => "the whole agency".to_owned(),
        None => "your keys and apps".to_owned(),
    });
    deck.output.say(&format!("Who knocks: {what}. Ctrl-C ends it."));
    if signed.local.is_some() {
        deck.output.warn(
            "nobody else has the store open, so nothing but a keydeck command can knock. To see the requests of callers, end \
             this, start `keydeck serve`, and run `keydeck tail` again: it attaches.",
        );
    }
}

/// Tells what arrived; `false` when nobody reads any more.
fn tell(deck: &Deck, caught: &Caught) -> Result<bool, Fault> {
    let strangers = caught.seconds.iter().map(|second| second.strangers).fold(0, u64::saturating_add);
    let quiet = caught.left_out == 0 && strangers == 0;
    let mut text = String::new();
    for arrival in &caught.arrivals {
        text += &if deck.output.is_json() { in_json(&line(arrival))? } else { in_words(arrival) };
    }
    if deck.output.is_json() && !quiet {
        let until = caught.until.rfc3339();
        text += &in_json(&Rest { until, left_out: caught.left_out, unknown: strangers })?;
    } else {
        let at = times::second(caught.until);
        let rest =
            [(caught.left_out, "too many to be told one by one"), (strangers, "of nobody who is known here")];
        for (count, what) in rest.into_iter().filter(|(count, _)| *count > 0) {
            let _ = writeln!(text, "{at}  … {count} more, {what}");
        }
    }
    if text.is_empty() { Ok(true) } else { deck.output.part(&text) }
}

fn in_json(value: &impl Serialize) -> Result<String, Fault> {
    let text = serde_json::to_string(value)
        .map_err(|e| Fault::refused("output", format!("A request could not be written as JSON: {e}.")))?;
    Ok(text + "\n")
}

fn line(arrival: &Arrival) -> Line<'_> {
    let (key, app) = match arrival.bearer {
        Bearer::Key(id) => (Some(id.to_string()), None),
        Bearer::App(id) => (None, Some(id.to_string())),
    };
    Line {
        at: arrival.from.at.rfc3339(),
        key,
        app,
        name: arrival.name.as_str(),
        decision: if arrival.reason.is_none() { "allow" } else { "deny" },
        reason: arrival.reason.map(crate::domain::Reason::code),
        scopes: arrival.scopes.iter().map(ScopeId::as_str).collect(),
        more_scopes: arrival.more,
        from: arrival.from.address.map(|address| address.to_string()),
        agent: arrival.from.agent.as_ref().map(crate::domain::trace::Agent::as_str),
    }
}

fn in_words(arrival: &Arrival) -> String {
    let (sign, what) = match arrival.reason {
        None => ("●", arrival.wanted()),
        Some(reason) => ("✗", reason.brief().to_owned()),
    };
    let address = arrival.from.address.map_or_else(|| "-".to_owned(), |address| address.to_string());
    let mut text = format!("{}  {sign} ", times::second(arrival.from.at));
    for (cell, cells) in [shown(arrival.name.as_str()), what, address].iter().zip(CELLS) {
        text.push_str(cell);
        text.extend(std::iter::repeat_n(' ', cells.saturating_sub(cell.width()) + 2));
    }
    text.push_str(arrival.from.agent.as_ref().map_or("-", |agent| agent.as_str()));
    text.push('\n');
    text
}

fn end(deck: &Deck, totals: &Totals) {
    let Totals { allowed, refused, strangers, left_out } = *totals;
    let mut text = format!("{allowed} allowed, {refused} refused");
    if left_out > 0 {
        let _ = write!(text, ", {left_out} of them not told one by one");
    }
    if strangers > 0 {
        let _ = write!(text, "; {strangers} of nobody who is known here");
    }
    deck.output.remark(&text, &Sum { allowed, refused, unknown: strangers, left_out });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::trace::{Agent, Sighting};
    use crate::domain::{KeyId, Name, PublicId, Reason, Timestamp};

    #[test]
    fn times_are_read_in_seconds_minutes_and_hours() {
        assert_eq!((span("30s"), span("5m"), span("1h")), (Ok(30_000), Ok(300_000), Ok(3_600_000)));
        for bad in ["", "s", "0s", "30", "-1s", "25h", "1d", "1.5h", "99999999999999999999s", "9️⃣s"] {
            assert!(span(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_request_is_one_line_of_columns() {
        let from = Sighting {
            at: Timestamp(0),
            address: Some("10.2.0.7".parse::<std::net::IpAddr>().unwrap().into()),
            agent: Agent::read(b"kiosk/2.1"),
        };
        let arrival = |reason| Arrival {
            bearer: Bearer::Key(KeyId(PublicId::NOBODY)),
            name: Name::new("Booking widget").unwrap(),
            reason,
            scopes: vec!["appointments.read".parse().unwrap()],
            more: 0,
            from: from.clone(),
        };
        let of = |reason| in_words(&arrival(reason)).split_off(8);
        assert_eq!(
            of(None),
            "  ● Booking widget            appointments.read         10.2.0.7         kiosk/2.1\n"
        );
        assert_eq!(
            of(Some(Reason::Revoked)),
            "  ✗ Booking widget            revoked                   10.2.0.7         kiosk/2.1\n"
        );
    }
}
