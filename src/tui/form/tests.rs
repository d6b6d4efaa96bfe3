//! Every form of the console, held while it waits and asked about before it is thrown away.

use std::path::Path;
use std::time::Duration;

use super::tree::{TreeItem, TreeState};
use crate::domain::{Command, Name};
use crate::tui::app::ask::Job;
use crate::tui::app::look::Look;
use crate::tui::app::testing::{self, Console};
use crate::tui::clock::{Moment, Now};
use crate::tui::overlay::Overlay as _;
use crate::tui::screens;
use crate::tui::testing::FakeClipboard;

/// A form: its name, how it is opened and filled in, and what sends it off.
type Row = (&'static str, fn(&mut Console), &'static str);

/// The settings on a section.
fn settings(console: &mut Console, section: usize) -> &mut Console {
    console.press("7").advance(Duration::from_millis(50)).press("esc g");
    for _ in 0..section {
        console.press("j");
    }
    console.press("enter")
}

fn tick(console: &mut Console, scope: &str) {
    console.press("/").type_text(scope).press("enter space");
}

const PHRASE: &str = "correct horse battery staple";

/// All that implement `Asking`, some in two ways.
const FORMS: [Row; 19] = [
    (
        "create-key",
        |console| {
            console.press("1 n").type_text("Nightly export").press("tab");
            tick(console, "contacts.read");
        },
        "ctrl-s",
    ),
    (
        "app-form",
        |console| {
            console.press("3 n").type_text("Kiosk").press("tab").type_text("https://kiosk.example");
            console.press("tab tab space ctrl-s");
            tick(console, "contacts.read");
        },
        "ctrl-s",
    ),
    ("app-form", |console| _ = console.press("3 e").type_text(" 2"), "ctrl-s"),
    ("rescope", |console| _ = console.press("1").type_text("/state:active").press("enter o space"), "ctrl-s"),
    (
        "key-edit",
        |console| _ = console.press("1").type_text("/state:active").press("enter e").type_text(" 2"),
        "ctrl-s",
    ),
    (
        "protect",
        |console| _ = console.press("1").type_text("/state:active").press("enter f").type_text("needed"),
        "ctrl-s",
    ),
    (
        "many-keys",
        |console| {
            console.press("1").type_text("/state:active").press("enter a e ctrl-u").type_text("90d");
        },
        "ctrl-s",
    ),
    ("rotate", |console| _ = console.press("1").type_text("/state:active").press("enter R left"), "ctrl-s"),
    ("location-add", |console| _ = console.press("2 n").type_text("Somewhere new"), "ctrl-s"),
    ("location-rename", |console| _ = console.press("2 j e").type_text(" Nord"), "ctrl-s"),
    ("policy-edit", |console| _ = settings(console, 0).press("g e ctrl-u").type_text("35"), "ctrl-s"),
    (
        "operator-add",
        |console| {
            settings(console, 1).press("n").type_text("carl").press("tab tab").type_text(PHRASE);
            console.press("tab").type_text(PHRASE);
        },
        "ctrl-s",
    ),
    ("operator-role", |console| _ = settings(console, 1).press("g e down"), "ctrl-s"),
    (
        "operator-passphrase",
        |console| {
            settings(console, 1).press("g p").type_text(PHRASE).press("tab").type_text(PHRASE);
        },
        "ctrl-s",
    ),
    ("operator-disable", |console| _ = settings(console, 1).press("g E tab").type_text("aiko"), "ctrl-s"),
    ("test-token", |console| _ = console.press("1 t").paste("kdag_nothing"), "enter"),
    ("export", |console| _ = console.press("1 > ctrl-u").type_text("/dev/null/keys.csv"), "ctrl-s"),
    ("sign-off", |console| _ = console.press("5 Y").type_text("seen by both of us"), "ctrl-s"),
    ("leak-desk", |console| _ = console.press("1 b").paste("kdim_7HqP2mVx9KtR_secret"), "enter"),
];

fn console() -> Console {
    testing::desk_on(testing::sample(), screens::all(), (120, 40), &FakeClipboard::default())
}

fn open(console: &Console) -> Vec<&'static str> {
    console.program().desk().unwrap().overlays()
}

#[test]
fn no_form_is_left_or_changed_while_what_it_asked_for_is_being_done() {
    for (form, fill, submit) in FORMS {
        let mut console = console();
        fill(&mut console);
        assert_eq!(open(&console), [form], "{}", console.screen());
        console.stall().press(submit);
        console.sees("…").sees_no("[ Cancel ]");
        let waiting = console.screen();
        for keys in ["esc", "esc esc", "tab enter", "shift-tab space", "ctrl-s", "enter"] {
            console.press(keys);
            assert_eq!(open(&console), [form], "{keys}: {}", console.screen());
        }
        console.type_text("x").paste("y").advance(Duration::from_secs(1));
        assert_eq!(open(&console), [form], "{waiting}\n{}", console.screen());
        console.go_on();
    }
}

/// Whoever adds a form adds it above.
#[test]
fn every_form_is_in_the_table() {
    fn forms(dir: &Path) -> usize {
        let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
        entries
            .map(|path| {
                if path.is_dir() {
                    return forms(&path);
                }
                let text = std::fs::read_to_string(path).unwrap();
                text.lines().filter(|line| line.starts_with("impl Asking for ")).count()
            })
            .sum()
    }
    let there = forms(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tui"));
    let names: std::collections::BTreeSet<_> = FORMS.iter().map(|(name, ..)| name).collect();
    assert_eq!(names.len(), there);
}

/// A form with a tree, and much that is wrong with it.
struct Wrong(TreeState<u8>);

impl super::Asking for Wrong {
    fn manner(&self) -> super::Manner {
        super::Manner { tall: Some(32), labels: 0, ..super::Manner::small("wrong") }
    }

    fn fields(&mut self) -> super::Pages<'_> {
        vec![vec![&mut self.0]]
    }

    fn face(&self, _: &Look, _: super::Spot) -> super::Face {
        super::Face { wrong: Some(long("choose another")), ..super::Face::default() }
    }

    fn submit(&mut self, _: &Look) -> Result<Job, String> {
        Err("nothing".into())
    }
}

fn long(end: &str) -> String {
    format!("{} {end}", "the app has no such scope; ".repeat(3))
}

#[test]
fn what_is_wrong_with_the_scopes_or_the_whole_is_told_to_its_end() {
    let look = testing::look(testing::sample());
    let mut tree = TreeState::new(vec![TreeItem::leaf(1, "contacts.read", "", 0)], []);
    tree.error = Some(long("tick less"));
    let mut form = super::Form::blank(Wrong(tree));
    let now = Now { at: Moment::default(), utc_ms: 0 };
    for (width, height) in [(120, 34), (80, 24), (60, 16)] {
        let drawn = crate::tui::testing::draw(width, height, |canvas, area| {
            form.draw(canvas, area, &look, now);
        });
        for end in ["tick less", "choose another"] {
            assert!(drawn.iter().any(|line| line.contains(end)), "{end} {drawn:#?}");
        }
    }
}

#[test]
fn ctrl_c_and_esc_ask_before_a_pasted_token_is_thrown_away() {
    let mut console = console();
    console.press("t").paste("kdag_nothing").press("esc").sees("esc again forgets the token");
    assert_eq!(open(&console), ["test-token"]);
    console.press("ctrl-c").sees("What you filled in is not saved");
    assert!(!console.has_quit());
    console.press("enter enter").sees("Not a keydeck token").press("esc");
    assert!(open(&console).is_empty(), "tested, and nothing to lose");
}

#[test]
fn a_refusal_that_came_back_stands_in_the_form_with_all_that_was_typed() {
    let sample = testing::sample();
    let (engine, session) = (std::sync::Arc::clone(&sample.engine), sample.session.clone());
    let mut console = testing::desk_on(sample, screens::all(), (120, 40), &FakeClipboard::default());
    console.press("2 n").type_text("Somewhere new").stall().press("ctrl-s");
    let taken = Command::AddLocations(vec![Name::new("Somewhere new").unwrap()]);
    engine.execute(&session, taken).unwrap();
    console.go_on().sees("Somewhere new").sees("is taken").sees("1 location");
}

fn locations() -> Console {
    let mut console = testing::desk(screens::all());
    console.press("2 n").sees("Add locations");
    console
}

#[test]
fn a_pasted_table_becomes_its_names_and_says_what_was_taken_for_what() {
    for (table, taken) in [
        ("id,Standort\n1,Aachen\n2,Bern", ["column 2 of 2", "commas;"]),
        ("id;Standort\r\n1;Aachen\r\n2;Bern\r\n", ["column 2 of 2", "semicolons;"]),
        ("id\tStandort\r1\tAachen\r2\tBern", ["column 2 of 2", "tabs;"]),
        ("| id | Standort |\n|----|---|\n| 1 | Aachen |\n| 2 | Bern |", ["column 2 of 2", "bars;"]),
        ("Standort\nAachen\nBern\n", ["the only column;", "heading"]),
    ] {
        let mut console = locations();
        console.paste(table).sees("2 locations").sees("`Standort`.");
        for part in taken {
            console.sees(part);
        }
        console.sees("Aachen").sees("Bern").sees_no("1,Aachen").press("ctrl-s").sees("2 locations are added");
    }
}

#[test]
fn a_table_that_leaves_open_which_column_holds_the_names_is_not_taken_and_says_so() {
    let mut console = locations();
    console
        .paste("a;b\nAachen;1\nBern;2")
        .sees("nothing is taken: line 1 of the table")
        .sees("write `name` above");
    console
        .sees_no("2 locations")
        .type_text("Aachen")
        .press("enter")
        .sees("1 location")
        .sees_no("nothing is taken");
    // One bad line is told, the others are on the list.
    console.paste("name,x\nBern,1\nSmith, Jones,2\nChur,3").sees("line 3 of the table: it has 3");
    console.sees("3 locations").sees("Chur");
}

#[test]
fn pasted_lines_without_a_table_are_names_as_they_stand() {
    let mut console = locations();
    console.paste("Smith, Jones & Co\nFilialen\nBern").sees("3 locations").sees("Smith, Jones & Co");
    console.sees_no("heading").press("ctrl-s").sees("3 locations are added");
}
