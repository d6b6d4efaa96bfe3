//! What is remembered, over real stores and files in throw-away directories.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;
use crate::domain::{Command, Expiry, NewKey, Note, Place};
use crate::tui::app::testing::stores::{self, PHRASE, name, options};
use crate::tui::app::testing::{Console, remembering_door};
use crate::tui::testing::FakeClipboard;

const STORE: StoreId = StoreId([7; 16]);

fn maria() -> OperatorId {
    "op_7HqP2mVx9KtR".parse().unwrap()
}

fn shelf(dir: &Path) -> Shelf {
    Shelf::of(dir, STORE, maria())
}

fn some() -> Habits {
    let lines = vec!["@old=idle>60d".into(), "owner:jonas".into()];
    let list =
        Habit { sort: Some('u'), falling: true, filter: "state:live".into(), lines, ..Habit::default() };
    Habits::at(Some(Tab::Audit), [("agency-keys".into(), list)].into())
}

#[test]
fn what_is_written_is_read_again_and_is_for_its_owner_alone() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("state/views");
    let shelf = shelf(&place);
    assert_eq!(shelf.read().unwrap(), Habits::default());
    shelf.write(1, &some()).unwrap();
    assert_eq!(shelf.read().unwrap(), some());
    assert_eq!(shelf.read().unwrap().tab(), Some(Tab::Audit));
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&shelf.path), mode(&place)), (0o600, 0o700));
    assert_eq!(fs::read_dir(&place).unwrap().count(), 1);
}

#[test]
fn of_two_that_write_the_last_wins_whole_and_what_comes_too_late_is_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (shelf(dir.path()), shelf(dir.path()));
    one.write(1, &some()).unwrap();
    other.write(1, &Habits::default()).unwrap();
    assert_eq!(one.read().unwrap(), Habits::default());
    one.write(3, &some()).unwrap();
    one.write(2, &Habits::default()).unwrap();
    assert_eq!(one.read().unwrap(), some());
}

#[test]
fn what_is_damaged_or_newer_is_as_if_nothing_was_remembered() {
    let dir = tempfile::tempdir().unwrap();
    let path = shelf(dir.path()).path;
    for (text, said, kept) in [
        ("{", "is damaged", true),
        ("", "is damaged", true),
        ("[]", "is damaged", true),
        ("{\"version\": 1, \"lists\": 3}", "is damaged", true),
        ("{\"version\": 2, \"lists\": 3}", "by a newer keydeck and it stays as it is", false),
    ] {
        fs::write(&path, text).unwrap();
        let left = Left::by(dir.path(), STORE, maria());
        assert_eq!((left.habits, left.shelf.is_some()), (Habits::default(), kept), "{text}");
        assert!(left.said.unwrap().ends_with(said), "{text}");
    }
    fs::write(&path, [0xff]).unwrap();
    assert!(matches!(shelf(dir.path()).read(), Err(Forgotten::Damaged)));
    fs::write(&path, "{\"version\": 1, \"tab\": \"nowhere\", \"later\": []}").unwrap();
    assert_eq!(shelf(dir.path()).read().unwrap().tab(), None);
}

#[test]
fn what_may_be_a_secret_is_never_written() {
    let token = "kdag_7HqP2mVx9KtR_4Ck9mQx7TfWz2LrV8sNhYpE6uJbD3GaR1xkM2p";
    let list = |filter: &str| Habit {
        filter: filter.into(),
        lines: vec![filter.into(), format!("@it={filter}")],
        ..Habit::default()
    };
    for secret in [
        token,
        &token[..24],
        &format!("note:\"{token}\""),
        "9f86d081884c7d659a2feaa0c55ad015",
        "kdrc_J6Af jeMG UTZH yiDF 34JZ 8sNh Y2pE 6uJb D3Ga R1xk M2",
        "nk5zw3RBEUZCe1gsML",
        "r5ko aPdY Fi9b",
        "D3rk-Yjp4",
    ] {
        let habits = Habits::at(None, [("audit".into(), list(secret))].into());
        assert!(!serde_json::to_string(&habits).unwrap().contains(secret), "{secret}");
    }
    for harmless in [
        "kdag_7HqP2mVx9KtR_…",
        "id:7HqP2mVx9KtR",
        "from:203.0.113.0/24",
        "internationalisation team",
        "state:live used<30d NOT expires<7d OR owner:jonas",
        "McDonald branch 12",
        "at:\"Berlin Mitte 2\" note:2026",
    ] {
        let habits = Habits::at(None, [("audit".into(), list(harmless))].into());
        assert_eq!((habits.lists["audit"].filter.as_str(), habits.lists["audit"].lines.len()), (harmless, 2));
    }
}

/// A store with a key in it.
fn founded(dir: &Path) {
    let open = stores::founded(dir);
    let new = NewKey {
        name: name("Nightly export"),
        place: Place::Agency,
        scopes: vec!["contacts.read".into()],
        expiry: Some(Expiry::Never),
        note: Note::default(),
        decoy: false,
    };
    open.engine.execute(&open.session, Command::IssueKey(new)).unwrap();
}

fn console(dir: &Path, state: Option<PathBuf>) -> Console {
    let mut console = remembering_door(options(dir), (120, 40), &FakeClipboard::default(), state);
    console.type_text("maria").press("enter").type_text(PHRASE).press("enter");
    console.sees("maria · admin · own keys");
    console
}

/// The names of the columns.
fn header(console: &Console) -> String {
    let screen = console.screen();
    let header = screen.lines().find(|line| line.contains('▲') || line.contains('▼')).unwrap_or_default();
    header.split('│').next().unwrap_or_default().to_owned()
}

fn written(state: &Path) -> String {
    let files = fs::read_dir(state).map(|files| files.map(|file| file.unwrap().path()).collect::<Vec<_>>());
    files.unwrap_or_default().iter().map(|file| fs::read_to_string(file).unwrap()).collect()
}

#[test]
fn the_console_is_found_as_it_was_left() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("views");
    founded(dir.path());
    let mut first = console(dir.path(), Some(state.clone()));
    first.press("1 s e").sees("Expires ▲").press("s e").sees("Expires ▼");
    assert!(header(&first).contains("Last used"));
    first.press("S u n right right right esc");
    assert!(!header(&first).contains("Last used"), "{}", first.screen());
    first.press("/").type_text("state:live").press("enter");
    let as_left = header(&first);
    first.press("3");
    assert_eq!(written(&state), "", "not at every key press");
    first.advance(Duration::from_millis(1500));
    let frames = first.frames;
    first.advance(Duration::from_millis(1500));
    assert!(written(&state).contains("state:live"));
    assert_eq!(first.frames, frames, "nothing on the screen is another for it");
    first.press("4 q");
    assert!(first.has_quit());
    drop(first);
    let mut again = console(dir.path(), Some(state.clone()));
    assert_eq!(again.program().desk().unwrap().tab(), Some(Tab::Notices));
    again.press("1").sees("Expires ▼").sees("/ state:live");
    let left = header(&again);
    assert!(!left.contains("Last used"), "{left}");
    assert_eq!(left, as_left, "order, columns and their widths");
    again.press("esc /").sees_no("state:live").press("up").sees("/ state:live").press("enter");
    again.press("f10").sees("as they come").sees("Name ▲").sees_no("state:live");
    assert!(header(&again).contains("Last used"));
    again.press("q");
    drop(again);
    let mut last = console(dir.path(), Some(state));
    last.press("1").sees("Name ▲").sees_no("state:live");
}

#[test]
fn a_locked_console_remembers_and_a_place_that_cannot_be_written_stops_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("views");
    founded(dir.path());
    let mut locked = console(dir.path(), Some(state.clone()));
    locked.press("1 s u ctrl-x").sees("Locked");
    assert!(written(&state).contains("\"sort\": \"u\""));
    locked.type_text(PHRASE).press("enter").sees("Last used ▲");
    locked.press("q");
    drop(locked);
    // A file where the directory should be.
    let nowhere = dir.path().join("file");
    fs::write(&nowhere, "").unwrap();
    for place in [Some(nowhere.join("views")), None] {
        let mut console = console(dir.path(), place);
        console.press("1 s u").sees("Last used ▲").press("q");
        assert!(console.has_quit());
    }
}

#[test]
fn damage_is_said_once_and_mended_by_what_is_written_next() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("views");
    founded(dir.path());
    console(dir.path(), Some(state.clone())).press("1 s u q");
    let file = fs::read_dir(&state).unwrap().next().unwrap().unwrap().path();
    fs::write(&file, "{\"version\":").unwrap();
    console(dir.path(), Some(state.clone()))
        .sees("begins afresh: what is remembered is damaged")
        .press("1 s u q");
    console(dir.path(), Some(state)).sees_no("afresh").press("1").sees("Last used ▲");
}
