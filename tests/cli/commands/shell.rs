//! What stands around the program: proposals of a shell, the manual, the guide as a book.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::desk::Desk;

/// What a real bash proposes for the last of the words.
fn proposals(desk: &Desk, words: &[&str]) -> Vec<String> {
    let script = r#"
        eval "$(keydeck completions bash)"
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_TYPE=9
        _clap_complete_keydeck keydeck "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let program = Path::new(env!("CARGO_BIN_EXE_keydeck")).parent().unwrap();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path =
        std::env::join_paths([program.to_owned()].into_iter().chain(std::env::split_paths(&path))).unwrap();
    let own = desk.command(&[]);
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", script, "bash", "keydeck"]).args(words);
    bash.current_dir(own.get_current_dir().unwrap()).env_clear().env("HOME", desk.path("")).env("PATH", path);
    let done = bash.output().unwrap();
    let text = String::from_utf8(done.stdout).unwrap();
    assert!(done.stderr.is_empty(), "{}", String::from_utf8_lossy(&done.stderr));
    text.lines().map(|line| line.trim_end().to_owned()).filter(|line| !line.is_empty()).collect()
}

#[test]
fn a_shell_proposes_scopes_rules_and_guides_to_anybody_and_names_to_who_has_a_secret() {
    if !has("bash", "--version") {
        return;
    }
    let desk = Desk::founded();
    let maria = desk.maria();
    maria.issues("Nightly export", "contacts.read");
    maria.does(&["location", "add", "Berlin"]);
    assert_eq!(proposals(&desk, &["key", "resc"]), ["rescope"]);
    let scopes = proposals(&desk, &["key", "create", "--scope", "contacts.r"]);
    assert!(scopes.contains(&"contacts.read".to_owned()), "{scopes:?}");
    assert_eq!(proposals(&desk, &["policy", "set", "keys-per"]), ["keys-per-operator"]);
    assert_eq!(proposals(&desk, &["guide", "hapr"]), ["haproxy", "haproxy-lua"]);
    let signed = ["--operator", "maria", "--passphrase-file", "maria.pass"];
    let with = |words: &[&str]| proposals(&desk, &[&signed, words].concat());
    assert!(with(&["key", "show", "Ni"]).is_empty(), "nobody has the store, and it is not opened for this");
    let mut served =
        desk.command(&[&["serve", "--listen", "127.0.0.1:0"], &signed[..]].concat()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(served.stderr.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("listening on"), "{line}");
    assert_eq!(with(&["key", "show", "Ni"]), [r"Nightly\ export"]);
    assert_eq!(with(&["key", "show", r"Nightly\ e"]), [r"Nightly\ export"]);
    assert_eq!(with(&["location", "rename", "B"]), ["Berlin"]);
    assert_eq!(with(&["operator", "role", "m"]), ["maria"]);
    assert!(proposals(&desk, &["key", "show", "Ni"]).is_empty(), "nobody signed in");
    served.kill().unwrap();
    served.wait().unwrap();
}

#[test]
fn the_manual_has_a_page_for_each_command_and_each_page_of_the_guide() {
    let desk = Desk::new();
    desk.run(&["man", "--dir", "man1"], "").expect(0);
    desk.run(&["guide", "--man", "man7", "--html", "book"], "").expect(0);
    let page = desk.read("man1/keydeck-key-create.1");
    for section in ["NAME", "SYNOPSIS", "EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES", "SEE ALSO"] {
        assert!(
            page.contains(&format!("\n.SH {section}\n")) || page.contains(&format!("\n.SH \"{section}\"\n")),
            "{section}"
        );
    }
    assert!(desk.read("book/keydeck-guide.html").contains("<h2 id=\"serving\">"));
    assert!(desk.run(&["guide", "service"], "").expect(0).out.starts_with("# A service of the machine"));
    if !has("mandoc", "-V") {
        return;
    }
    let files = ["man1", "man7"].into_iter().flat_map(|dir| desk.path(dir).read_dir().unwrap());
    let files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() > 90, "{}", files.len());
    let lint = Command::new("mandoc").args(["-Tlint", "-Wwarning"]).args(&files).output().unwrap();
    let said = String::from_utf8_lossy(&lint.stdout).replace(&*desk.path("").to_string_lossy(), "");
    assert!(said.is_empty(), "{said}");
}

/// Whether a program is here; says so when not.
#[expect(clippy::print_stdout, reason = "says why a test does nothing")]
fn has(program: &str, question: &str) -> bool {
    let asked = Command::new(program).arg(question).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let has = asked.is_ok();
    if !has {
        println!("skipped: needs {program}");
    }
    has
}
