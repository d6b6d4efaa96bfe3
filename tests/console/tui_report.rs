//! How we are doing, as a person reads it off the console: numbers first, then the rows behind one of them.

use keydeck::domain::coming::{Coming, Fate};
use keydeck::domain::time::DAY_MS;
use keydeck::domain::{Grounds, Timestamp, View};
use keydeck::tui::app::testing::{Console, desk_on, sample};
use keydeck::tui::screens;
use keydeck::tui::testing::FakeClipboard;

fn console(size: (u16, u16)) -> Console {
    desk_on(sample(), screens::all(), size, &FakeClipboard::default())
}

/// The numbers of the selected line: all, then each kind.
fn numbers(console: &Console) -> Vec<usize> {
    let screen = console.screen();
    let line = screen.lines().find(|line| line.contains("│  ▸ ")).unwrap_or_else(|| unreachable!("{screen}"));
    let words: Vec<&str> = line.trim_end_matches(['│', ' ', '█']).split_whitespace().collect();
    let mut all: Vec<usize> = words.iter().rev().map_while(|word| word.parse().ok()).take(4).collect();
    all.reverse();
    all
}

#[test]
fn each_number_leads_to_as_many_rows_by_a_filter_that_is_told_before() {
    let mut console = console((120, 40));
    console.press("1 0").sees("How are we doing").sees("▸Agency").sees("End of live keys");
    let mut seen = 0;
    for down in 0..24 {
        console.press("1 0");
        for _ in 0..down {
            console.press("down");
        }
        let screen = console.screen();
        if !screen.contains("Enter shows them in Agency keys") {
            console.press("esc");
            continue;
        }
        let told = numbers(&console);
        assert_eq!(told[0], told[1..].iter().sum::<usize>(), "{screen}");
        console.press("enter").sees_no("How are we doing").sees(&format!("{} of ", told[1]));
        console.press("esc");
        seen += 1;
    }
    assert!(seen > 8, "only {seen}");
}

#[test]
fn another_kind_of_keys_leads_to_its_own_tab_and_what_is_said_of_them_to_the_review() {
    let mut console = console((120, 40));
    console.press("0 right").sees("▸Locations").sees("Enter shows them in Location keys: state:active");
    let told = numbers(&console);
    console.press("enter").sees("/ state:active").sees(&format!("{} of ", told[2]));
    console.press("0").sees("▸Locations").press("esc");
    console.press("0");
    for _ in 0..40 {
        if console.screen().contains("Enter shows them in Review: why:never_used") {
            break;
        }
        console.press("down");
    }
    let told = numbers(&console);
    console.press("enter").sees("/ why:never_used").sees(&format!("{} of ", told[0])).sees("never used in ");
    // What the review does not say alone has a number of none, and says so.
    console.press("0 end").sees("In the last 30 days").press("enter").sees("no list has only these");
}

#[test]
fn a_small_window_has_the_numbers_of_one_kind_and_the_way_to_the_others() {
    let mut console = console((60, 16));
    console.press("0").sees("How are we doing").sees("▸Agency").sees_no("Locations");
    console.press("right").sees("▸Locations").sees("active").press("right").sees("▸App keys");
    console.press("down down down down").sees("End of live keys").press("end").sees("deleted");
}

#[test]
fn where_nothing_is_selected_on_the_first_tab_enter_tells_of_all() {
    let mut console = console((100, 30));
    console.press("1 /").type_text("nobody at all").press("enter").sees("No key matches");
    console.press("enter").sees("How are we doing").press("esc").sees("No key matches");
}

#[test]
fn the_calendar_has_what_due_tells_and_leads_from_a_day_to_its_key() {
    let open = sample();
    let now = open.engine.now().time;
    let grounds = Grounds::of(now, false, open.engine.condition().complete_since);
    let all = {
        let state = open.engine.state();
        Coming::new(View::new(&state, open.session.actor()), grounds, Timestamp(now.0 + 90 * DAY_MS)).all()
    };
    let dated = all.iter().filter(|notice| Fate::of(notice.what).is_some()).count();
    assert!(dated > 3, "{all:?}");
    let first = all.iter().find(|notice| Fate::of(notice.what).is_some() && notice.key.is_some()).unwrap();
    let name = open.engine.state().key(first.key.unwrap()).unwrap().name.to_string();
    let mut console = desk_on(open, screens::all(), (120, 40), &FakeClipboard::default());
    console.press("4").sees("│").press("#").sees("The next 90 days").sees(" Mon    Tue ");
    console.sees(&format!("{dated} in 90 days")).sees(&name);
    console.press("end").sees_no(&name);
    console.press("esc #").sees(&name).press("enter").sees_no("The next 90 days").sees(&name);
    // Weeks stand above what comes where the window is narrow.
    console.resize(60, 16);
    console.press("#").sees(" Mon    Tue ").sees(&name[..8]);
}
