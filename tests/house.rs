//! The house keeps its order: a folder uses those below it and never one above.

#![expect(clippy::unwrap_used, reason = "a test stops where the sources cannot be read")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use keydeck::tui::action::Action;

/// From the top down. Those in one line are siblings and do not use each other, but for the command line, which
/// starts the console.
const FLOORS: [&[&str]; 7] =
    [&["cli"], &["tui"], &["serve"], &["deliver"], &["engine"], &["store", "crypto"], &["domain"]];

fn sources(dir: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

#[test]
fn no_folder_uses_one_above_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (floor, rooms) in FLOORS.iter().enumerate() {
        for room in *rooms {
            let above = FLOORS[..floor].iter().copied().flatten();
            let forbidden: Vec<String> = above
                .chain(rooms.iter().filter(|other| *other != room))
                .map(|other| format!("crate::{other}"))
                .collect();
            let mut files = Vec::new();
            sources(&root.join(room), &mut files);
            seen += files.len();
            for file in files {
                let text = fs::read_to_string(&file).unwrap();
                for (number, line) in text.lines().enumerate() {
                    let code = line.split("//").next().unwrap_or_default();
                    wrong.extend(
                        forbidden
                            .iter()
                            .filter(|path| code.contains(path.as_str()))
                            .map(|path| format!("{}:{} uses {path}", file.display(), number + 1)),
                    );
                }
            }
        }
    }
    assert!(seen > 50, "only {seen} source files were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Within the console: what each folder must not use.
const CONSOLE: [(&str, &[&str]); 4] = [
    ("overlays", &["screens"]),
    ("sight", &["screens", "overlays"]),
    ("list", &["screens", "overlays", "sight", "app"]),
    ("widgets", &["screens", "overlays", "sight", "list", "app"]),
];

#[test]
fn what_lies_above_the_screens_knows_none_of_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tui");
    let mut wrong = Vec::new();
    for (room, above) in CONSOLE {
        let mut files = Vec::new();
        sources(&root.join(room), &mut files);
        assert!(!files.is_empty(), "{room} is gone");
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            for (number, line) in text.lines().enumerate() {
                let code = line.split("//").next().unwrap_or_default();
                let uses = above.iter().filter(|other| code.contains(&format!("tui::{other}::")));
                wrong.extend(uses.map(|other| format!("{}:{} uses {other}", file.display(), number + 1)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The paths of a `use` tree, each in full.
fn paths(tree: &str) -> Vec<String> {
    let Some((stem, rest)) = tree.split_once('{') else { return vec![tree.trim().to_owned()] };
    let inner = rest.rsplit_once('}').map_or(rest, |(inner, _)| inner);
    let mut depth = 0;
    let at_comma = |c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    };
    let parts: Vec<&str> = inner.split(at_comma).collect();
    parts.into_iter().flat_map(paths).map(|path| format!("{}{path}", stem.trim())).collect()
}

/// Where a path of a `use` line in the module at `here` leads, from the root; nothing where it leaves the crate.
fn leads_to(here: &[String], path: &str) -> Option<Vec<String>> {
    let mut steps = path.split("::").map(str::to_owned).peekable();
    let mut at = match steps.next()?.as_str() {
        "crate" => Vec::new(),
        "self" => here.to_vec(),
        "super" => here.split_last()?.1.to_vec(),
        _ => return None,
    };
    while steps.next_if(|step| step == "super").is_some() {
        at.pop();
    }
    at.extend(steps);
    Some(at)
}

/// Two rooms of one folder that use each other are one room with a wall in it. How the rooms of the console lie above each
/// other is said before.
#[test]
fn no_two_rooms_of_a_folder_use_each_other() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut uses = BTreeSet::new();
    for file in files.iter().filter(|file| !is_test(file)) {
        let text = fs::read_to_string(file).unwrap();
        let inside = file.strip_prefix(&root).unwrap().with_extension("");
        let mut here: Vec<String> = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        here.pop_if(|last| last == "mod");
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let lines = code.split(';').filter_map(|statement| {
            let (start, tree) = statement.rsplit_once("use ")?;
            (start.is_empty() || start.ends_with(['\n', ' ', ')'])).then_some(tree)
        });
        for there in lines.flat_map(paths).filter_map(|path| leads_to(&here, &path)) {
            let shared = here.iter().zip(&there).take_while(|(one, other)| one == other).count();
            if let (Some(from), Some(to)) = (here.get(shared), there.get(shared))
                && here.get(..shared).is_some_and(|folder| folder != ["tui"])
            {
                uses.insert((here[..shared].join("/"), from.clone(), to.clone()));
            }
        }
    }
    assert!(uses.len() > 300, "only {} uses were found", uses.len());
    let both = |(folder, from, to): &&(String, String, String)| {
        from < to && uses.contains(&(folder.clone(), to.clone(), from.clone()))
    };
    let circles: Vec<_> = uses.iter().filter(both).collect();
    assert!(circles.is_empty(), "they use each other: {circles:#?}");
}

#[test]
fn the_domain_does_no_input_output_and_reads_no_clock() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/domain");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let forbidden = [
        "std::fs",
        "std::io",
        "std::net",
        "std::env",
        "std::process",
        "std::thread",
        "Instant::now",
        "Utc::now",
        "rand::",
        "tokio",
        "async fn",
    ];
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for word in forbidden {
            let used = text.lines().any(|l| !l.trim_start().starts_with("//") && l.contains(word));
            assert!(!used, "{} uses {word}", file.display());
        }
    }
}

/// A verb that no screen, overlay, widget or the desk knows would be a key that does nothing.
#[test]
fn every_verb_means_something_to_somebody() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tui");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let own = root.join("action.rs");
    let code: String =
        files.iter().filter(|file| **file != own).map(|file| fs::read_to_string(file).unwrap()).collect();
    // Which tab it is does not matter: all are gone to in one way.
    let known = |action: &&Action| {
        let name = format!("Action::{action:?}");
        code.contains(name.split('(').next().unwrap_or_default())
    };
    let lost: Vec<_> = Action::ALL.iter().filter(|action| !known(action)).collect();
    assert!(lost.is_empty(), "nobody knows what to do with {lost:?}");
}

#[test]
fn the_key_sheet_in_the_guide_is_the_keymap() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/guide/keys.md");
    let sheet = format!(
        "# Keys\n\nMade from the built-in keymap, `assets/keymap.toml`. `KEYDECK_UPDATE=1 cargo test --test house` writes it \
         anew.\n\n{}",
        keydeck::tui::keymap::Keymap::standard().sheet()
    );
    if std::env::var_os("KEYDECK_UPDATE").is_some() {
        fs::write(&path, &sheet).unwrap();
    }
    assert_eq!(
        fs::read_to_string(&path).unwrap_or_default(),
        sheet,
        "the guide's key sheet is behind the keymap"
    );
}

/// What is sealed or signed must be what was meant: an empty text in place of what an encoder could not write would be
/// chained, stored or signed as the truth.
#[test]
fn nothing_empty_stands_in_for_what_could_not_be_encoded() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let encoders = ["minicbor::", "serde_json::to_", ".encode()"];
    let mut wrong = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        // A call may be broken over lines: a statement is judged whole.
        for statement in text.split_inclusive([';', '{', '}']) {
            let encodes = encoders.iter().any(|encoder| statement.contains(encoder));
            if encodes && statement.contains(".unwrap_or_default()") {
                wrong.push(format!("{}: {}", file.display(), statement.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Where something must not be forgotten about a new command or event, the compiler has to ask: the folders that decide,
/// keep, send and verify name each of them, or ask the table of commands.
#[test]
fn a_new_command_or_event_is_asked_about_wherever_safety_hangs_on_it() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    let mut seen = 0;
    for room in ["domain", "engine", "serve", "cli"] {
        let mut files = Vec::new();
        sources(&src.join(room), &mut files);
        for file in files.iter().filter(|file| !is_test(file)) {
            let text = fs::read_to_string(file).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            seen += code.matches("Event::").count() + code.matches("Command::").count();
            wrong.extend(swallowed(code).map(|line| format!("{}:{line}", file.display())));
        }
    }
    assert!(seen > 100, "only {seen} commands and events were found");
    assert!(wrong.is_empty(), "a list that fails open:\n{}", wrong.join("\n"));
}

fn is_test(file: &Path) -> bool {
    file.ends_with("tests.rs") || file.components().any(|part| part.as_os_str() == "tests")
}

/// Lines, from 1, of an arm for all the rest beside arms for commands or events, and of lists of them in `matches!`.
fn swallowed(code: &str) -> impl Iterator<Item = usize> {
    let lines: Vec<&str> = code.lines().collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let names = |line: &str| ["Command::", "Event::", "C::", "E::"].iter().any(|name| line.contains(name));
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let arm = line.trim_start();
        if arm.starts_with("_ =>") || arm.starts_with("_ if ") {
            // The arms of the same match: as far back as nothing stands further left.
            let above = lines[..at]
                .iter()
                .rev()
                .take_while(|other| other.trim().is_empty() || indent(other) >= indent(line));
            let pattern = |other: &&&str| {
                indent(other) == indent(line) && names(other.split("=>").next().unwrap_or_default())
            };
            if above.filter(pattern).count() > 0 {
                found.push(at + 1);
            }
        }
        if line.contains("matches!(") {
            let list: String = lines[at..].iter().take(16).copied().collect();
            let list = list.split(';').next().unwrap_or_default();
            let list = list.split("matches!(").nth(1).unwrap_or_default().replace("{ .. }", "");
            let list = list.split('{').next().unwrap_or_default();
            if list.matches("Command::").count() + list.matches("Event::").count() > 1 {
                found.push(at + 1);
            }
        }
    }
    found.into_iter()
}

#[test]
fn the_judge_of_such_lists_sees_one() {
    let open = "match command {\n    Command::A(_) => 1,\n    _ => 0,\n}\n";
    let list = "matches!(\n    self,\n    Command::A(_)\n        | Command::B(_)\n)\n";
    let closed = "match state {\n    State::A => Event::A(x),\n    _ => Event::B(x),\n}\n";
    assert_eq!(swallowed(open).collect::<Vec<_>>(), [3]);
    assert_eq!(swallowed(list).collect::<Vec<_>>(), [1]);
    assert_eq!(swallowed(closed).count(), 0);
}

#[test]
fn a_service_that_verifies_brings_nothing_of_the_program() {
    let words =
        ["tree", "--locked", "--offline", "--edges", "normal", "--prefix", "none", "--no-default-features"];
    let run = std::process::Command::new(env!("CARGO"))
        .args(words)
        .args(["--features", "tower"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let tree = String::from_utf8(run.stdout).unwrap();
    let brought: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(
        brought.contains("hyper") && brought.contains("sled"),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    let program =
        ["ratatui", "ratatui-core", "crossterm", "arboard", "clap", "clap_builder", "rpassword", "csv"];
    let too_many: Vec<&str> = program.into_iter().filter(|name| brought.contains(name)).collect();
    assert!(too_many.is_empty(), "{too_many:?}");
}

/// What lies at the top: nothing comes in by accident.
const TOP: [&str; 9] = [
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "clippy.toml",
    "deny.toml",
    "rustfmt.toml",
];

#[test]
fn nothing_lies_at_the_top_that_does_not_belong_there() {
    let entries = fs::read_dir(env!("CARGO_MANIFEST_DIR")).unwrap().map(Result::unwrap);
    let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
    let names = files.map(|entry| entry.file_name().into_string().unwrap());
    let strange: Vec<String> =
        names.filter(|name| !TOP.contains(&name.as_str()) && !name.starts_with('.')).collect();
    assert!(strange.is_empty(), "{strange:?}");
}
