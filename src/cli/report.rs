//! `keydeck report`: how keys and apps are doing, in numbers, and what became of keys in the last days: a sheet for whoever
//! answers for them. To read it changes nothing.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::Outcome;
use super::blast::{Crush, CrushLine};
use super::door::{Deck, Signed};
use super::number::whole;
use super::output::shown;
use super::table::{Cell, Table, Tone};
use super::times;
use crate::domain::blast::many::Struck;
use crate::domain::report::{Block, Count, Report, Section, Topic, report};
use crate::domain::review::Reviewer;
use crate::domain::time::DAY_MS;
use crate::domain::{Timestamp, View};
use crate::tui::sight::report::bar;

/// Words of `report`.
#[derive(Debug, Args)]
pub struct Numbers {
    /// How many days of what became of keys
    #[arg(long, value_name = "COUNT", default_value_t = Report::DAYS, value_parser = whole::<u32>(1..=366))]
    days: u32,
    /// Everybody's keys and apps (admins; noted in the audit trail)
    #[arg(long)]
    all: bool,
}

/// The whole of it, in JSON.
#[derive(Serialize)]
struct Whole<'a> {
    agency: &'a str,
    made_at: String,
    /// `agency`, or `own` keys and apps.
    extent: &'static str,
    /// By what is counted: `state`, `end`, `use`, `age`, `risk`, `place`, `owner`, `app_state`, `app_use`, `app_age`.
    counts: BTreeMap<&'static str, Vec<BlockLine<'a>>>,
    lately: LatelyLine,
    /// Of live keys, and of apps with access tokens.
    used: CrushLine,
}

/// One number, in JSON.
#[derive(Serialize)]
struct BlockLine<'a> {
    code: &'a str,
    /// What finds them: in `key list --where`, of `risk` in the console's review, of `app_state` in its apps. Null where nothing does.
    filter: Option<&'a str>,
    #[serde(flatten)]
    count: CountLine,
}

/// How many of each kind, in JSON.
#[derive(Serialize)]
struct CountLine {
    count: usize,
    agency_keys: usize,
    location_keys: usize,
    app_keys: usize,
    apps: usize,
}

/// What became of keys, in JSON.
#[derive(Serialize)]
struct LatelyLine {
    days: u32,
    since: String,
    #[serde(flatten)]
    keys: BTreeMap<&'static str, CountLine>,
}

impl From<Count> for CountLine {
    fn from(count: Count) -> Self {
        let Count { agency, location, app, apps } = count;
        Self { count: count.total(), agency_keys: agency, location_keys: location, app_keys: app, apps }
    }
}

impl<'a> From<&'a Block> for BlockLine<'a> {
    fn from(block: &'a Block) -> Self {
        let filter = Some(block.filter.as_str()).filter(|filter| !filter.is_empty());
        Self { code: &block.code, filter, count: block.count.into() }
    }
}

/// Runs `report`.
pub fn run(deck: &Deck, args: &Numbers) -> Outcome {
    let signed = deck.sign_in()?.widened(args.all)?;
    let now = signed.now();
    let since = Timestamp(now.0.saturating_sub(i64::from(args.days) * DAY_MS));
    let (told, agency, is_whole) = {
        let state = signed.engine.state();
        let view = View::new(&state, signed.session.actor());
        let by = Reviewer { view, catalog: signed.engine.catalog(), now };
        (report(by, since), view.agency_name().to_owned(), view.is_whole())
    };
    let used = Crush::of(&signed, |view, now| {
        let live = view.keys().filter(|key| key.state(now).is_live() && !key.is_decoy());
        Struck::of(view, live, view.apps().into_iter().filter(|app| !app.is_deleted()), now)
    });
    if deck.output.is_json() {
        let counts = told.sections.iter().map(|section| {
            (section.topic.code(), section.blocks.iter().map(BlockLine::from).collect::<Vec<_>>())
        });
        let keys = told.lately.all().map(|(code, _, count)| (code, CountLine::from(count)));
        deck.output.value(&Whole {
            agency: &agency,
            made_at: told.at.rfc3339(),
            extent: if is_whole { "agency" } else { "own" },
            counts: counts.collect(),
            lately: LatelyLine {
                days: args.days,
                since: told.since.rfc3339(),
                keys: keys.into_iter().collect(),
            },
            used: used.line(&signed),
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    let whose = if is_whole { "all keys and apps" } else { "your keys and apps" };
    let head = format!("{}, {}: {whose}\n", shown(&agency), times::exact(now));
    deck.output.text(&format!("{head}\n{}", page(deck, &signed, &told, args.days, &used)))?;
    Ok(ExitCode::SUCCESS)
}

/// Cells of the longest bar.
const BAR: usize = 20;

fn page(deck: &Deck, signed: &Signed, told: &Report, days: u32, used: &Crush) -> String {
    let mut table = Table::new(&["", "", "All", "Agency", "Locations", "App keys", "Filter"]);
    for section in told.sections.iter().filter(|section| !section.blocks.is_empty()) {
        add(&mut table, section);
    }
    table.row([Cell::from("")]);
    table.row([Cell::toned(format!("In the last {days} days"), Tone::Faint)]);
    for (_, words, count) in told.lately.all() {
        table.row(row(words, "", count, ""));
    }
    let used = used.page(deck, signed);
    let used = if used.is_empty() { used } else { format!("\nUse of live keys\n{used}") };
    format!("{}{used}", table.render(deck.output))
}

fn add(table: &mut Table, section: &Section) {
    let most = section.blocks.iter().map(|block| block.count.total()).max().unwrap_or(0);
    if section.topic != Topic::State {
        table.row([Cell::from("")]);
    }
    table.row([Cell::toned(section.topic.title(), Tone::Faint)]);
    for block in &section.blocks {
        table.row(row(
            &shown(&block.words),
            &bar(block.count.total(), most, BAR),
            block.count,
            &block.filter,
        ));
    }
}

fn row(words: &str, bar: &str, count: Count, filter: &str) -> [Cell; 7] {
    let number = |count: usize, width: usize| Cell::from(format!("{count:>width$}"));
    [
        format!("  {words}").into(),
        bar.into(),
        number(count.total(), 3),
        number(count.agency, 6),
        number(count.location, 9),
        number(count.app, 8),
        Cell::toned(shown(filter), Tone::Faint),
    ]
}
