//! The house keeps its order: a folder uses those below it and never one above.

#![expect(clippy::unwrap_used, reason = "a test stops where the sources cannot be read")]

use std::fs;
use std::path::{Path, PathBuf};

/// From the top down. Those in one line are siblings and do not use each other, but for the command line, which
/// starts the console.
const FLOORS: [&[&str]; 6] = [&["cli"], &["tui"], &["serve"], &["engine"], &["store", "crypto"], &["domain"]];

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
    let lost: Vec<_> = keydeck::tui::action::Action::ALL
        .iter()
        .filter(|action| !code.contains(&format!("Action::{action:?}")))
        .collect();
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
