//! What is given away beside the program: units, the Debian package, alert rules. Each is read by the program it is for, where that
//! is here.

#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::support::desk::{Desk, PASSPHRASE};

fn packaging(name: &str) -> PathBuf {
    root().join("assets/packaging").join(name)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Whether all of these programs are here; says which is not.
#[expect(clippy::print_stdout, reason = "says why a test does nothing")]
fn has(programs: &[&str]) -> bool {
    let found = |program: &&str| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
    };
    let missing: Vec<&str> = programs.iter().filter(|program| !found(program)).copied().collect();
    if !missing.is_empty() {
        println!("skipped: needs {}", missing.join(", "));
    }
    missing.is_empty()
}

#[track_caller]
fn done(command: &mut Command) -> Output {
    let done = command.stdin(Stdio::null()).output().unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(done.status.success(), "{command:?}: {}\n{}", said(&done.stderr), said(&done.stdout));
    done
}

#[test]
fn the_unit_leaves_the_service_nothing_it_does_not_need() {
    if !has(&["systemd-analyze"]) {
        return;
    }
    let unit = packaging("systemd/keydeck.service");
    // Tenths: 20 is 2.0, and whatever is above fails.
    done(
        Command::new("systemd-analyze")
            .args(["security", "--offline=true", "--no-pager", "--threshold=20"])
            .arg(&unit),
    );
    // What is misspelt is ignored by systemd, and told by this alone. The program is not installed here, and its manual is not.
    let both = [unit, packaging("systemd/keydeck.socket")];
    let verified = Command::new("systemd-analyze").arg("verify").args(both).output().unwrap();
    let said = String::from_utf8_lossy(&verified.stderr);
    let wrong: Vec<&str> =
        said.lines().filter(|line| line.contains("keydeck") && !line.contains("Command ")).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn alerts_come_when_they_should_and_ask_for_what_is_told() {
    let rules = fs::read_to_string(packaging("prometheus/keydeck.rules.yml")).unwrap();
    let board = fs::read_to_string(packaging("prometheus/grafana.json")).unwrap();
    let parsed: serde_json::Value = serde_json::from_str(&board).unwrap();
    assert!(parsed["panels"].as_array().unwrap().len() > 10);
    let src = root().join("src/serve/http");
    let told: String = ["health.rs", "metrics.rs", "process.rs"]
        .map(|file| fs::read_to_string(src.join(file)).unwrap())
        .concat();
    let names = [rules, board].concat();
    let words = names.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let asked: Vec<&str> =
        words.filter(|word| word.starts_with("keydeck_") || word.starts_with("process_")).collect();
    assert!(asked.len() > 40, "{asked:?}");
    for name in asked {
        assert!(told.contains(&format!("\"{name}\"")), "nobody tells {name}");
    }
    if has(&["promtool"]) {
        let tests = packaging("prometheus/keydeck.test.yml");
        done(Command::new("promtool").args(["test", "rules"]).arg(tests));
    }
}

#[test]
fn a_release_tells_beforehand_what_it_would_make_and_what_is_missing() {
    let said = done(Command::new(packaging("release")).arg("--dry-run").current_dir(root()));
    let said = String::from_utf8(said.stdout).unwrap();
    for part in ["cargo build --locked --release", "keydeck man --dir", "SHA256SUMS", "cargo package"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    for (program, part) in [("cargo-deb", "cargo deb"), ("cargo-cyclonedx", "cargo cyclonedx")] {
        assert!(
            said.contains(&format!("+ {part}")) || said.contains(&format!("skipped: needs {program}")),
            "{said}"
        );
    }
}

#[test]
fn the_package_installs_runs_and_goes_without_taking_the_store() {
    if !has(&["cargo-deb", "dpkg", "strip", "systemd-sysusers", "systemd-tmpfiles"]) {
        return;
    }
    if !rustix::process::geteuid().is_root() {
        return println!("skipped: needs root, who makes users and gives files away");
    }
    let desk = Desk::new();
    let program = env!("CARGO_BIN_EXE_keydeck");
    // What the program writes itself goes where the manifest looks for it.
    let made = root().join("target/packaging");
    fs::create_dir_all(made.join("completions")).unwrap();
    done(Command::new(program).args(["man", "--dir"]).arg(made.join("man1")));
    done(Command::new(program).args(["guide", "--man"]).arg(made.join("man7")).arg("--html").arg(&made));
    for shell in ["bash", "zsh", "fish"] {
        let text = done(Command::new(program).args(["completions", shell])).stdout;
        fs::write(made.join(format!("completions/keydeck.{shell}")), text).unwrap();
    }
    let package = desk.path("keydeck.deb");
    // The program of this very build stands for the one that is given away.
    let target = desk.path("target");
    fs::create_dir_all(target.join("release")).unwrap();
    done(Command::new("strip").arg("-o").arg(target.join("release/keydeck")).arg(program));
    let mut build = Command::new("cargo-deb");
    build.args(["deb", "--offline", "--no-build", "--no-strip", "--fast", "--output"]).arg(&package);
    done(build.current_dir(root()).env("CARGO_TARGET_DIR", &target));
    let tree = desk.path("tree");
    for dir in ["var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers", "etc"] {
        fs::create_dir_all(tree.join(dir)).unwrap();
    }
    fs::write(tree.join("var/lib/dpkg/status"), "").unwrap();
    fs::write(tree.join("var/lib/dpkg/available"), "").unwrap();
    let dpkg = |words: &[&str]| {
        let mut command = Command::new("dpkg");
        command.arg(format!("--root={}", tree.display()));
        command.args(["--force-not-root", "--force-script-chrootless", "--force-depends", "--no-debsig"]);
        done(command.args(words));
    };
    dpkg(&["--install", package.to_str().unwrap()]);
    let users = fs::read_to_string(tree.join("etc/passwd")).unwrap();
    assert!(
        users.lines().any(|line| line.starts_with("keydeck:") && line.contains(":/var/lib/keydeck:")),
        "{users}"
    );
    let home = tree.join("var/lib/keydeck");
    let link = fs::read_link(home.join(".config/keydeck/config.toml")).unwrap();
    assert_eq!(link, Path::new("/etc/keydeck/config.toml"));
    for file in [
        "usr/lib/systemd/system/keydeck.service",
        "usr/lib/systemd/system/keydeck.socket",
        "usr/share/man/man1/keydeck-key-create.1.gz",
        "usr/share/man/man7/keydeck-guide-service.7.gz",
        "usr/share/bash-completion/completions/keydeck",
        "usr/share/keydeck/prometheus/keydeck.rules.yml",
        "etc/keydeck/config.toml",
    ] {
        assert!(tree.join(file).exists(), "{file} is not in the package");
    }
    // Its program founds a store where the service has it, and decides about a key.
    let (config, data) = (tree.join("etc/keydeck/config.toml"), home.join("store"));
    desk.file("pass", PASSPHRASE);
    let installed = |words: &[&str], input: Option<&Path>| {
        let mut command = Command::new(tree.join("usr/bin/keydeck"));
        command.args(words).args(["--operator", "maria", "--passphrase-file"]).arg(desk.path("pass"));
        command.arg("--config").arg(&config).arg("--data").arg(&data).env_clear().env("HOME", &home);
        command.stdin(input.map_or(Stdio::null(), |path| fs::File::open(path).unwrap().into()));
        let done = command.output().unwrap();
        assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    };
    installed(&["init", "--agency", "Acme"], None);
    let token =
        installed(&["key", "create", "--name", "Export", "--agency", "--scope", "contacts.read"], None);
    let token = desk.file("token", token);
    assert_eq!(installed(&["verify"], Some(&token)), "allow\n");
    assert!(installed(&["serve", "--check", "--listen", "127.0.0.1:0"], None).contains("ok  store"));
    dpkg(&["--remove", "keydeck"]);
    assert!(!tree.join("usr/bin/keydeck").exists() && config.exists() && data.join("seal").exists());
    dpkg(&["--purge", "keydeck"]);
    assert!(!config.exists() && data.join("seal").exists(), "the store is the agency's");
}
