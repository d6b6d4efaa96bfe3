//! The filter line as somebody writes it: what each word finds, how it goes on, what was written before, and lines with a name.

use keydeck::domain::filter::keys::KeyFilter;
use keydeck::domain::time::DAY_MS;
use keydeck::domain::{Key, LastUse, Timestamp, View};
use keydeck::tui::action::Tab;
use keydeck::tui::app::testing::{sample, whole_desk};

/// Whether a term is to find a key.
type Finds = fn(&Key, View<'_>, Timestamp) -> bool;

fn used(key: &Key, view: View<'_>, now: Timestamp) -> Option<i64> {
    view.last_use(key).at().map(|at| now.since(at))
}

fn agent(key: &Key, view: View<'_>) -> String {
    let seen = view.trace(key).and_then(|trace| trace.sighting.as_ref());
    seen.and_then(|seen| seen.agent.as_ref()).map_or_else(String::new, ToString::to_string)
}

fn address(key: &Key, view: View<'_>) -> String {
    let seen = view.trace(key).and_then(|trace| trace.sighting.as_ref());
    seen.and_then(|seen| seen.address).map_or_else(String::new, |address| address.to_string())
}

#[test]
fn each_word_finds_what_it_says() {
    let words: [(&str, Finds); 14] = [
        ("note:warehouse", |key, _, _| key.note.as_str().contains("warehouse")),
        ("NOT note:warehouse", |key, _, _| !key.note.as_str().contains("warehouse")),
        ("used<1d", |key, view, now| used(key, view, now).is_some_and(|ms| ms <= DAY_MS)),
        ("used>30d", |key, view, now| used(key, view, now).is_some_and(|ms| ms > 30 * DAY_MS)),
        ("used:never", |key, view, _| view.last_use(key) == LastUse::Never),
        ("created<100d", |key, _, now| now.since(key.created_at) <= 100 * DAY_MS),
        ("created>100d", |key, _, now| now.since(key.created_at) > 100 * DAY_MS),
        ("by:curl", |key, view, _| agent(key, view).contains("curl")),
        ("by:okhttp OR by:kiosk", |key, view, _| {
            ["okhttp", "kiosk"].iter().any(|program| agent(key, view).contains(program))
        }),
        ("from:10.0.0.0/8", |key, view, _| address(key, view).starts_with("10.")),
        ("from:10.", |key, view, _| address(key, view).starts_with("10.")),
        ("from:0.0.0.0/0", |key, view, _| !address(key, view).is_empty()),
        ("expires:never", |key, _, _| key.expiry.instant().is_none()),
        ("expires>100d", |key, _, now| key.expiry.instant().is_none_or(|at| at.since(now) > 100 * DAY_MS)),
    ];
    let open = sample();
    let (state, now) = (open.engine.state(), open.engine.now().time);
    let view = View::new(&state, open.session.actor());
    for (line, finds) in words {
        let filter = KeyFilter::parse(line);
        assert!(filter.mistakes.is_empty(), "{line}: {:?}", filter.mistakes);
        let listed: Vec<&Key> = view.keys().filter(|key| !view.is_aside(key, now)).collect();
        let found = listed.iter().filter(|key| filter.finds(key, view, now)).count();
        let wanted = listed.iter().filter(|key| finds(key, view, now)).count();
        assert_eq!(found, wanted, "{line}");
        assert!(wanted < listed.len(), "{line} tells nothing apart");
    }
}

#[test]
fn a_line_goes_on_as_it_is_written_and_tab_takes_the_first() {
    let mut console = whole_desk();
    console.press("1 /").type_text("ow").sees("tab owner:").press("tab").sees("owner:jonas");
    console.type_text("jo").sees("tab owner:jonas").press("tab").sees("/ owner:jonas ");
    assert_eq!(console.program().desk().unwrap().tab(), Some(Tab::Agency));
    console.sees_no("tab owner:").type_text("NOT state:pa").sees("tab state:paused").sees_no("state: needs");
    console.press("tab enter").sees("owner:jonas NOT state:paused").press("tab");
    assert_eq!(console.program().desk().unwrap().tab(), Some(Tab::Locations));
    console.press("l /").type_text("at:berlin").sees("tab at:\"Berlin Mitte\"");
    console.press("ctrl-u").type_text("colour:red").sees("there is no filter colour:");
}

#[test]
fn up_brings_back_the_lines_of_before_until_somebody_writes() {
    let mut console = whole_desk();
    console.press("1 /").type_text("idle>60d").press("enter esc /").type_text("state:paused").press("enter");
    console.press("/ up").sees("/ idle>60d").press("down").sees("/ state:paused").press("esc /");
    console.press("up").sees("/ state:paused").press("up").sees("/ idle>60d").press("up").sees("/ idle>60d");
    console.press("down down").sees("up: lines of before").press("up enter").sees("state:paused");
    console.press("esc /").type_text("s").press("up").sees("/ s");
}

#[test]
fn a_line_with_a_name_is_found_by_it_wherever_keys_are() {
    let mut console = whole_desk();
    console
        .press("1 /")
        .type_text("@quiet=idle>60d OR used:never")
        .sees("Webhook relay")
        .sees_no("Lead forms");
    console.press("enter").sees("idle>60d OR used:never").sees_no("@quiet").press("esc 4 2 l /");
    console.type_text("@q").sees("tab @quiet").press("tab").type_text("state:live").press("enter");
    console.sees("@quiet state:live").press("/ ctrl-u").type_text("NOT @quiet").sees_no("no line is named");
    console.press("ctrl-u").type_text("@quiet=").press("enter /").type_text("@q").sees_no("tab @quiet");
}
