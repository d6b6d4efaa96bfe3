//! When something is in the way: the exit code for the script, and words that say what to do for the person.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::{Command as Process, Output, Stdio};

use keydeck::crypto::keyfile::KeyFileSecret;
use keydeck::engine::Via;
use keydeck::engine::open::{Key, Options, open};

use crate::support::desk::{Desk, Said};

#[test]
fn guessing_a_passphrase_gets_slower_and_nobody_else_waits() {
    let desk = Desk::founded();
    desk.file("wrong.pass", "correct horse battery stapler");
    let guess = |name: &str| desk.by_passphrase(name, "wrong.pass").says(&["key", "list", "--json"]);
    let error = |said: &Said| {
        let line = said.err.lines().last().unwrap();
        let error: serde_json::Value = serde_json::from_str(line).unwrap();
        (error["error"]["code"].to_string(), error["error"]["message"].to_string())
    };
    let first = guess("maria").expect(4);
    assert_eq!(error(&first).0, "\"cannot_unseal\"");
    // An unknown operator reads the same as a wrong passphrase.
    assert_eq!(guess("nobody").expect(4).err, first.err);
    let mut tries = 2;
    let slow = loop {
        let said = guess("maria").expect(4);
        tries += 1;
        if said.err.contains("the answer comes after") {
            break said;
        }
        assert!(tries < 20, "no answer ever came late");
    };
    assert!(tries >= 4, "the first mistakes cost nothing but their own work");
    assert_eq!(error(&slow), error(&first), "late, and the same");
    // Whoever has the passphrase gets in all the same, even by a count from the future.
    fs::write(desk.data().join("attempts"), "9 99999999999999\n").unwrap();
    desk.maria().does(&["key", "list"]);
    assert!(!guess("maria").expect(4).err.contains("the answer comes after"), "a success forgets them");
    let trail = desk.maria().asks(&["audit", "list"]).to_string();
    assert!(trail.contains("failed attempts before"), "{trail}");
}

#[test]
fn a_pipe_or_device_where_a_small_file_should_be_hangs_nobody() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let data = desk.data();
    let pipe = |path: &std::path::Path| {
        let _ = fs::remove_file(path);
        rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    };
    // One copy of the header is enough, and the pipe is put out of the way.
    pipe(&data.join("header"));
    ann.does(&["key", "list"]);
    assert!(fs::metadata(data.join("header")).unwrap().is_file());
    for (name, code, what) in [
        ("catalog.toml", 2, "it is a pipe"),
        ("keydeck.lock", 3, "no regular file"),
        ("store/snap.0000000000000000", 3, "no regular file"),
    ] {
        let path = data.join(name);
        let before = fs::read(&path).ok();
        pipe(&path);
        ann.says(&["key", "list"]).fails(code, what);
        fs::remove_file(&path).unwrap();
        if let Some(bytes) = before {
            fs::write(&path, bytes).unwrap();
        }
    }
    ann.does(&["key", "list"]);
    let seal = fs::read(data.join("seal")).unwrap();
    pipe(&data.join("seal"));
    let said = ann.says(&["key", "list"]);
    assert!(said.err.contains("it is a pipe"), "{said:?}");
    fs::remove_file(data.join("seal")).unwrap();
    fs::write(data.join("seal"), seal).unwrap();
    pipe(&data.join("attempts"));
    desk.by_passphrase("maria", "ann.key").says(&["key", "list"]);
    fs::remove_file(data.join("attempts")).unwrap();

    pipe(&desk.path("pipe"));
    for path in ["pipe", "/dev/zero", "."] {
        ann.says(&["key", "list", "--config", path]).fails(2, "no regular file");
        if path != "pipe" {
            ann.says(&["scope", "check", path]).fails(2, "no regular file");
            desk.by_passphrase("maria", path).says(&["key", "list"]).fails(2, "no regular file");
        }
    }
    // What another command writes into a pipe is read, as with `<(pass show keydeck)`.
    let path = desk.path("pipe");
    let writer = std::thread::spawn(move || fs::write(path, "correct horse battery staple\n").unwrap());
    desk.by_passphrase("maria", "pipe").does(&["key", "list"]);
    writer.join().unwrap();
}

#[test]
fn a_data_directory_others_can_read_is_closed_to_them_with_a_word() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let mode = || fs::metadata(desk.data()).unwrap().permissions().mode() & 0o777;
    for open in [0o755, 0o750, 0o711] {
        fs::set_permissions(desk.data(), fs::Permissions::from_mode(open)).unwrap();
        let said = ann.does(&["key", "list"]);
        assert!(
            said.err.contains(&format!("other users could read the data directory (mode {open:03o})")),
            "{said:?}"
        );
        assert_eq!(mode(), 0o700);
        assert!(!ann.does(&["key", "list"]).err.contains("other users"), "said once");
    }
    fs::set_permissions(desk.data(), fs::Permissions::from_mode(0o770)).unwrap();
    ann.says(&["key", "list"]).fails(3, "others may write in it");
}

#[test]
fn a_passphrase_nobody_could_type_again_is_refused_wherever_one_is_chosen() {
    let desk = Desk::founded();
    desk.hire("ann", "admin");
    desk.hire("bob", "viewer");
    desk.maria().does(&["operator", "disable", "bob", "--keys", "stop", "--yes"]);
    let recovery = ["operator", "passphrase", "maria", "--recovery-file", "recovery"];
    for (text, what) in [
        (&b"\xef\xbb\xbfcorrect horse battery staple\n"[..], "a byte order mark"),
        (b"correct horse battery staple\nand a note below\n", "more than one line"),
        (b"correct horse battery staple \n", "a blank at its end"),
        (b"correct horse battery staple\r", "a carriage return"),
        (b"correct horse\tbattery staple", "a tab"),
    ] {
        desk.file("odd", text);
        let new = ["--new-passphrase-file", "odd"];
        for words in [
            &["operator", "add", "eve", "--role", "viewer"][..],
            &["operator", "passphrase"],
            &["operator", "passphrase", "ann"],
            &["operator", "enable", "bob"],
        ] {
            let words: Vec<_> = words.iter().copied().chain(new).collect();
            let said = desk.maria().says(&words).fails(1, what);
            assert!(!said.err.contains("horse"), "{said:?}");
        }
        let words: Vec<_> = recovery.into_iter().chain(new).collect();
        desk.run(&words, "").fails(1, what);
        let init = ["init", "--agency", "B", "--operator", "m", "--passphrase-file", "odd", "--data", "b"];
        desk.run(&init, "").fails(1, what);
        assert!(!desk.path("b").exists(), "nothing was founded");
    }
    desk.file("even", "an even better passphrase\r\n");
    desk.maria().does(&["operator", "passphrase", "--new-passphrase-file", "even"]);
    desk.file("plain", "an even better passphrase");
    desk.by_passphrase("maria", "plain").does(&["key", "list"]);
}

#[test]
fn an_imported_secret_of_four_digits_is_refused_unless_somebody_means_it() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let import = |secret: &str, name: &str, more: &[&'static str]| {
        desk.file("old.secret", secret);
        let mut words = vec![
            "key",
            "import",
            "--name",
            name,
            "--agency",
            "--scope",
            "contacts.read",
            "--secret-file",
            "old.secret",
        ];
        words.extend(more);
        ann.says(&words)
    };
    let said = import("4711", "PIN", &[]).fails(1, "at most 9 bits");
    assert!(said.err.contains("--weak") && !said.err.contains("4711"), "{said:?}");
    let said = import("4711", "PIN", &["--weak"]).expect(0);
    assert!(said.err.contains("at most 9 bits"), "{said:?}");
    let said = import("tr0ub4dor", "Word", &[]).expect(0);
    assert!(said.err.contains("Replace it as soon as"), "{said:?}");
    assert!(!import("c0ffee5d7a1b4e90a3f2d86517cb29ae", "Good", &[]).expect(0).err.contains("bits"));
}

#[test]
fn a_second_process_is_told_who_has_the_store() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let secret = KeyFileSecret::read(&desk.path("ann.key")).unwrap();
    let options = Options::new(&desk.data(), "keydeck serve", Via::CommandLine);
    let held = open(&options, &Key::KeyFile(&secret)).unwrap();
    let said = ann.says(&["key", "list"]).fails(3, "is in use by process");
    assert!(said.err.contains("keydeck serve") && said.err.contains("Stop that process"), "{said:?}");
    // What needs no store goes on; who asks about it is answered, and the shell told.
    ann.does(&["scope", "list"]);
    assert!(ann.says(&["info"]).expect(3).out.contains("is in use by process"));
    drop(held);
    ann.does(&["key", "list"]);
}

#[test]
fn without_a_terminal_there_is_no_console_and_no_prompt() {
    let desk = Desk::founded();
    for words in [&[][..], &["demo"]] {
        desk.run(words, "").fails(2, "keydeck key list");
    }
    desk.run(&["key", "list", "--operator", "maria"], "").fails(2, "Use --passphrase-file or --key-file");
    desk.run(&["key", "list"], "").fails(2, "Name yourself with --operator");
    desk.run(&["init", "--agency", "B", "--operator", "m", "--data", "b"], "")
        .fails(2, "Use --passphrase-file");
    desk.run(
        &[
            "operator",
            "add",
            "x",
            "--role",
            "viewer",
            "--operator",
            "maria",
            "--passphrase-file",
            "maria.pass",
        ],
        "",
    )
    .fails(2, "Use --new-passphrase-file");
}

#[test]
fn a_secret_on_the_command_line_is_refused_wherever_it_stands_and_not_repeated() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let token = ann.issues("A", "contacts.read");
    let code = desk.read("recovery").trim().to_owned();
    for words in [
        &["verify", &token][..],
        &["key", "show", &token],
        &["key", "revoke", &format!("x{token}x")],
        &[&format!("--operator={token}"), "key", "list"],
        &["operator", "passphrase", "--recovery-file", &code],
        &["operator", "passphrase", &code.replace('-', " ")],
        &["nonsense", &token, "--json"],
    ] {
        let said = ann.says(words).fails(2, "shell's history");
        assert!(!said.err.contains(&token[20..]) && !said.err.contains(&code[10..]), "{said:?}");
    }
    let said = ann.says(&["audit", "verify", &token]);
    assert_eq!(said.code, 4, "{said:?}");
    // One that was cut, mistyped or an access token has no shape to know it by; what it is given to has.
    for half in [&token[..40], "kdag_…", "eyJhbGciOiJFZERTQSJ9.e30.c2ln"] {
        for words in [
            &["verify", half][..],
            &["audit", "fingerprint", half],
            &["audit", "fingerprint", "--json", half],
        ] {
            let said = ann.says(words).fails(2, "goes on standard input");
            assert!(!said.err.contains(half), "{said:?}");
        }
    }
    ann.says(&["verify", "--nonsense"]).fails(2, "--nonsense");
    // The hint is not the secret.
    ann.does(&["key", "show", &format!("{}…", &token[..18])]);
}

#[test]
fn passphrase_and_key_files_are_read_as_documented_or_refused() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let list = |file: &str| desk.by_passphrase("maria", file).says(&["key", "list"]);
    desk.file("two", "correct horse battery staple\n\n");
    list("two").expect(4);
    desk.file("crlf", "correct horse battery staple\r\n");
    list("crlf").expect(0);
    desk.file("huge", "x".repeat(1 << 20));
    list("huge").fails(2, "longer than a passphrase may be");
    desk.file("latin", b"caf\xe9 cr\xe8me et un croissant\n");
    list("latin").fails(2, "not UTF-8");
    for (file, bytes) in [("marked", &b"\xff\xfec\0o\0"[..]), ("wide", b"c\0o\0r\0"), ("big", b"\0c\0o\0r")] {
        desk.file(file, bytes);
        let said = list(file).fails(2, "UTF-16");
        assert!(!said.err.contains("Check the path"), "{said:?}");
    }
    desk.file("empty", "");
    list("empty").expect(4);
    list("absent").fails(2, "cannot be read");
    list(".").fails(2, "directory");
    fs::set_permissions(desk.path("crlf"), fs::Permissions::from_mode(0o644)).unwrap();
    let said = list("crlf").expect(0);
    assert!(said.err.contains("other users of this machine may read"), "{said:?}");
    let typed = desk.by_passphrase("maria", "-");
    typed.gives(&["policy", "show"], "correct horse battery staple\n").expect(0);
    typed.gives(&["verify"], "correct horse battery staple\n").fails(2, "token is on standard input");

    for (name, why) in [("link", "symbolic link"), ("open", "chmod 600"), ("long", "exactly 32")] {
        match name {
            "link" => symlink(desk.path("ann.key"), desk.path(name)).unwrap(),
            "open" => {
                fs::copy(desk.path("ann.key"), desk.path(name)).unwrap();
                fs::set_permissions(desk.path(name), fs::Permissions::from_mode(0o644)).unwrap();
            }
            _ => {
                desk.file(name, [0; 33]);
            }
        }
        desk.run(&["key", "list", "--key-file", name], "").fails(4, why);
    }
    desk.run(&["key", "list", "--key-file", "ann.key", "--passphrase-file", "two"], "")
        .fails(2, "cannot be used with");
    ann.says(&["operator", "passphrase", "--new-key-file", "ann.key"]).fails(2, "always new");
    ann.does(&["key", "list"]);
}

#[test]
fn the_configuration_file_is_obeyed_and_its_mistakes_are_located() {
    let desk = Desk::founded();
    fs::create_dir_all(desk.path(".config/keydeck")).unwrap();
    desk.file(".config/keydeck/config.toml", "operator = 'maria'\n");
    desk.run(&["key", "list", "--passphrase-file", "maria.pass"], "").expect(0);
    desk.file("other.toml", "data = 'elsewhere'\noperator = 'maria'\n");
    let other = ["key", "list", "--passphrase-file", "maria.pass", "--config", "other.toml"];
    desk.run(&other, "").fails(3, "elsewhere");
    // The option wins over the environment, the environment over the file.
    let mut command = desk.command(&other);
    command.env("KEYDECK_DATA", desk.data());
    Desk::finish(command, &other, b"").expect(0);
    desk.file("other.toml", "\noprator = 'maria'\n");
    desk.run(&other, "").fails(2, "line 2: there is no field \"oprator\". Did you mean operator?");
    // Where nothing runs, nothing else lists what is wrong besides.
    desk.file("other.toml", "mous = true\noprator = 'maria'\nmotion = 'fast'\n");
    for words in [&other[..], &["info", "--config", "other.toml"]] {
        let said = desk.run(words, "").expect(2);
        let lines: Vec<&str> = said.err.lines().map(|line| line.split(':').next().unwrap()).collect();
        assert!(said.err.contains("line 2: there is no field \"oprator\""), "{}", said.err);
        assert!(
            lines.contains(&"Beside that, line 1") && lines.contains(&"Beside that, line 3"),
            "{lines:?}"
        );
    }
    // What only the console looks at stops commands, and is listed with the rest; the console goes by what is right.
    desk.file("keys.toml", "[screen]\nrevok = 'f5'\n");
    desk.file("other.toml", "operator = 'maria'\nkeymap = 'keys.toml'\nmous = true\nmotion = 'fast'\n");
    desk.run(&other, "").fails(2, "line 3: there is no field \"mous\". Did you mean mouse?");
    desk.run(&other, "").fails(2, "And 1 more: `keydeck info` lists them.");
    let told = desk.run(&["info", "--json", "--config", "other.toml"], "").expect(2).json();
    let mistakes: Vec<&str> =
        told["mistakes"].as_array().unwrap().iter().map(|m| m.as_str().unwrap()).collect();
    assert!(mistakes[0].ends_with("The fields are data, operator, catalog, theme, keymap, clipboard, ascii, motion, mouse, listen, channel, anchor."));
    assert!(mistakes[1].ends_with("4:10: \"motion\" must be full or none."), "{mistakes:?}");
    assert!(
        mistakes[2]
            .ends_with("keys.toml:2:1: unknown action in [screen] \"revok\"; did you mean \"revoke\"?")
    );
    assert!(told["paths"]["views"].as_str().unwrap().ends_with("keydeck/views"));
    desk.run(&["info", "--config", "absent.toml"], "").fails(2, "absent.toml");
    desk.file("catalog.toml", "nonsense");
    desk.file("other.toml", "catalog = 'catalog.toml'\n");
    desk.run(&["scope", "list", "--config", "other.toml"], "").fails(2, "scope check");
    let info = desk.run(&["info", "--json", "--config", "other.toml"], "").expect(0).json();
    assert!(info["catalog"]["problem"].is_string(), "{info}");
    assert_eq!(info["store"]["standing"], "sealed");
}

#[test]
fn nothing_but_the_log_is_written_beside_the_store_and_others_cannot_read_it() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    ann.issues("A", "contacts.read");
    assert!(!desk.path(".local/state").exists(), "there was nothing to log");
    let words =
        ["key", "create", "--name", "B", "--agency", "--scope", "contacts.read", "--key-file", "ann.key"];
    for code in [0, 1] {
        let mut command = desk.command(&words);
        command.env("KEYDECK_LOG", "trace");
        let said = Desk::finish(command, &words, b"").expect(code);
        let log = desk.read(".local/state/keydeck/keydeck.log");
        assert!(log.contains("asked for") && log.contains("name_taken") == (code == 1), "{log}");
        let token = said.out.get(18..56).unwrap_or("not issued");
        assert!(!log.contains(token), "{log}");
    }
    let mut left = vec![desk.path(".local")];
    let mut seen = 0;
    while let Some(path) = left.pop() {
        let about = fs::metadata(&path).unwrap();
        // What lies in a closed directory is closed with it.
        if path.starts_with(desk.data()) || path.is_file() {
            assert_eq!(about.permissions().mode() & 0o077, 0, "{}", path.display());
            seen += 1;
        }
        if path.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    assert!(seen > 4, "{seen} files");
}

/// Runs `plain` and what it starts under a tracer that interferes.
#[expect(clippy::print_stdout, reason = "says why a test does nothing")]
fn traced(mut strace: Process, plain: &Process) -> Option<Output> {
    strace.args(["-f", "-qq"]).arg(plain.get_program()).args(plain.get_args());
    strace.current_dir(plain.get_current_dir().unwrap());
    strace.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let ran = strace.output().ok().filter(|ran| !String::from_utf8_lossy(&ran.stderr).contains("PTRACE"));
    if ran.is_none() {
        println!("skipped: needs strace and the right to trace a child");
    }
    ran
}

#[test]
fn a_command_that_was_done_does_not_end_as_a_crash_when_the_disk_takes_no_last_sync() {
    let desk = Desk::founded();
    let (database, log) = (desk.data().join("store/db"), desk.path("calls"));
    let adds = |place: &str, wrong: &[String]| {
        let plain = desk.command(&desk.maria().words(&["location", "add", place]));
        let mut strace = Process::new("strace");
        strace.args(["-e", "trace=fsync", "-P"]).arg(&database).args(wrong).arg("-o").arg(&log);
        let ran = traced(strace, &plain)?;
        let syncs = fs::read_to_string(&log).ok()?.lines().filter(|line| line.contains("fsync(")).count();
        Some((ran.status.code(), String::from_utf8_lossy(&ran.stderr).into_owned(), syncs))
    };
    let Some((Some(0), _, syncs @ 1..)) = adds("North Street", &[]) else { return };
    // The last of them is the database's own, when it is let go of.
    let (code, said, met) =
        adds("South Street", &["-e".into(), format!("inject=fsync:error=EIO:when={syncs}")]).unwrap();
    assert_eq!((code, met), (Some(0), syncs), "{said}");
    assert!(!said.contains("mistake in keydeck"), "{said}");
    assert!(desk.maria().asks(&["location", "list"]).to_string().contains("South Street"));
}

#[test]
fn info_about_a_store_that_does_not_open_tells_the_shell_too() {
    let desk = Desk::founded();
    desk.maria().does(&["info"]);
    desk.file("wrong.pass", "correct horse battery stapler");
    let said = desk.by_passphrase("maria", "wrong.pass").says(&["info"]).expect(4);
    assert!(said.out.contains("Cannot unseal"), "{said:?}");
    let nobody = Desk::new();
    assert!(nobody.run(&["info"], "").expect(0).out.contains("none; `keydeck init` makes one"));
    for name in ["header", "header.bak"] {
        fs::write(desk.data().join(name), "no header").unwrap();
    }
    desk.run(&["info"], "").expect(4);
}

#[test]
fn a_store_without_its_seal_or_its_header_stands_in_one_way_whoever_is_asked() {
    let desk = Desk::founded();
    let seal = fs::read(desk.data().join("seal")).unwrap();
    fs::remove_file(desk.data().join("seal")).unwrap();
    let said = desk.maria().does(&["info"]);
    assert!(
        said.out.contains("open, read-only: it is in doubt") && !said.out.contains("takes changes"),
        "{said:?}"
    );
    desk.maria().says(&["location", "add", "Harbour"]).expect(3);

    for name in ["header", "header.bak"] {
        fs::remove_file(desk.data().join(name)).unwrap();
    }
    let gone = "The header of this store is missing";
    for seal in [None, Some(seal)] {
        if let Some(seal) = seal {
            fs::write(desk.data().join("seal"), seal).unwrap();
        }
        let said = desk.maria().says(&["info"]).expect(4);
        assert!(said.out.contains(gone) && !said.out.contains("keydeck init"), "{said:?}");
        assert_eq!(desk.maria().says(&["info", "--json"]).expect(4).json()["store"]["exists"], true);
        desk.maria().says(&["key", "list"]).fails(4, gone);
        desk.maria().says(&["init", "--agency", "Another"]).fails(4, gone);
    }
}

#[test]
fn a_key_refused_because_the_store_is_in_doubt_is_nowhere_said_to_work() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let token = ann.issues("Nightly export", "contacts.read");
    let ended = ann.issues("Old export", "contacts.read");
    ann.does(&["key", "revoke", "Old export", "--yes"]);
    let app = ["app", "create", "--name", "Bot", "--uri", "https://bot.example", "--user-type", "guest"];
    let more = ["--source", "bot", "--auth", "key", "--scope", "contacts.read"];
    ann.does(&app.into_iter().chain(more).collect::<Vec<_>>());
    assert_eq!(ann.verifies(&token), "allow");
    fs::remove_file(desk.data().join("seal")).unwrap();
    assert_eq!(ann.verifies(&token), "deny store_error");
    assert_eq!(ann.verifies(&ended), "deny store_error");
    let refused = |words: &[&str]| ann.asks(words)[0]["refused"].as_str().map(str::to_owned);
    for words in [&["key", "list"][..], &["key", "list", "--state", "stopped"], &["app", "list"]] {
        assert_eq!(refused(words).as_deref(), Some("store_error"), "{words:?}");
        let said = ann.does(words);
        assert!(said.out.contains("the store is in doubt") && !said.out.contains("active"), "{said:?}");
        assert!(said.err.contains("requests that it does not vouch for are refused"), "{said:?}");
    }
    assert_eq!(ann.asks(&["key", "list", "--state", "active"]).as_array().map(Vec::len), Some(0));
    for words in [["key", "show", "Nightly export"], ["app", "show", "Bot"]] {
        let said = ann.does(&words).out;
        assert!(said.contains("refused all the same: the store is in doubt"), "{said}");
        assert_eq!(ann.asks(&words)["refused"], "store_error");
    }
    let said = ann.does(&["info"]).out;
    assert!(said.contains("requests that it does not vouch for are refused"), "{said}");
}

#[test]
fn a_time_zone_that_does_not_exist_is_told_once() {
    let desk = Desk::founded();
    let words = desk.maria().words(&["key", "list"]).into_iter().map(str::to_owned).collect::<Vec<_>>();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut command = desk.command(&words);
    command.env("TZ", "Mars/Base");
    let said = Desk::finish(command, &words, b"").expect(0);
    assert_eq!(said.err.matches("There is no time zone called Mars/Base").count(), 1, "{said:?}");
    assert!(!desk.maria().does(&["key", "list"]).err.contains("time zone"));
}

#[test]
fn a_new_key_is_owned_up_to_when_the_old_ones_could_not_be_revoked() {
    let desk = Desk::founded();
    let (ann, log) = (desk.hire("ann", "admin"), desk.path("calls"));
    let app = ["app", "create", "--name", "Bot", "--uri", "https://a.example", "--source", "bot"];
    ann.does(&[&app[..], &["--user-type", "guest", "--auth", "key", "--scope", "contacts.read"]].concat());
    let renews = |round: u32, wrong: &[String]| {
        let (old, new) = (format!("Old {round}"), format!("New {round}"));
        ann.does(&["app", "new-key", "Bot", "--name", &old]);
        let plain = desk.command(&ann.words(&["app", "new-key", "Bot", "--name", &new, "--revoke-others"]));
        let mut strace = Process::new("strace");
        strace.args(["-e", "trace=fdatasync"]).args(wrong).arg("-o").arg(&log);
        let ran = traced(strace, &plain)?;
        let syncs = fs::read_to_string(&log).ok()?.lines().filter(|line| line.contains("fdatasync(")).count();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Some((ran.status.code(), text(&ran.stdout), text(&ran.stderr), syncs))
    };
    let Some((Some(0), _, _, syncs @ 1..)) = renews(0, &[]) else { return };
    // From a later and later sync on the disk fails: somewhere between the new key and the end of the old ones.
    let told = (1..=syncs).rev().zip(1..).find_map(|(sync, round)| {
        let (code, token, err, _) =
            renews(round, &["-e".into(), format!("inject=fdatasync:error=EIO:when={sync}+")])?;
        (code != Some(0) && !token.is_empty()).then_some(err)
    });
    let told = told.expect("the disk fails between the two");
    assert!(told.contains("is issued and handed over") && told.contains("may still work"), "{told}");
}

#[test]
fn somebody_elses_wrong_passphrase_does_not_keep_a_denial_from_a_failing_disk() {
    let desk = Desk::founded();
    let token = desk.maria().issues("Leaked", "contacts.read");
    desk.file("wrong.pass", "correct horse battery stapler");
    desk.by_passphrase("maria", "wrong.pass").says(&["key", "list"]).expect(4);
    let plain = desk.command(&desk.maria().words(&["key", "revoke", "Leaked"]));
    let mut strace = Process::new("strace");
    strace.arg("-o").arg(desk.path("calls")).args(["-e", "inject=fdatasync:error=EIO:when=1+"]);
    strace.arg("-P").arg(desk.data().join("store/db"));
    let Some(ran) = traced(strace, &plain) else { return };
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(said.contains("refused from now on, after a restart too"), "{said}");
    assert_eq!(desk.maria().verifies(&token), "deny revoked");
    // The trail tells of the tries all the same, with the next change.
    desk.maria().does(&["location", "add", "Harbour"]);
    assert!(desk.maria().does(&["audit", "list"]).out.contains("Leaked"));
}

#[test]
fn a_founding_that_did_not_come_to_its_first_commit_is_begun_anew() {
    let desk = Desk::new();
    desk.file("maria.pass", "correct horse battery staple");
    let init = ["init", "--agency", "Acme", "--operator", "maria", "--passphrase-file", "maria.pass"];
    let plain = desk.command(&init);
    let mut strace = Process::new("strace");
    strace.arg("-o").arg(desk.path("calls")).args(["-e", "inject=pwrite64:error=ENOSPC:when=1+"]);
    let Some(ran) = traced(strace, &plain) else { return };
    assert!(!ran.status.success());
    desk.run(&init, "").expect(0);
    desk.maria().does(&["key", "list"]);
}

#[test]
fn a_secret_is_not_made_for_a_closed_standard_output_and_not_said_to_be_shown() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let app = ["app", "create", "--name", "Bot", "--uri", "https://bot.example", "--user-type", "guest"];
    let app = [&app[..], &["--source", "bot", "--auth", "key", "--scope", "contacts.read"]].concat();
    let key = ["key", "create", "--name", "Nightly", "--agency", "--scope", "contacts.read"];
    for words in [&key[..], &app, &["init", "--agency", "Acme", "--operator", "maria"]] {
        let words = if words[0] == "init" { words.to_vec() } else { ann.words(words) };
        let program = desk.command(&words);
        let mut closed = Process::new("sh");
        closed.args(["-c", "exec \"$0\" \"$@\" >&-"]).arg(program.get_program()).args(program.get_args());
        closed.current_dir(desk.path("")).env_clear();
        closed.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        closed.stdin(Stdio::piped()).stderr(Stdio::piped());
        Desk::finish(closed, &words, b"").fails(2, "Nothing was made");
        let mut null = desk.command(&words);
        null.stdout(Stdio::null());
        Desk::finish(null, &words, b"").fails(2, "Nothing was made");
    }
    assert_eq!(ann.asks(&["key", "list"]), serde_json::json!([]));
    assert_eq!(ann.asks(&["app", "list"]), serde_json::json!([]));
    // A file is a place, whatever becomes of the rest.
    let words = ann.words(&[&key[..], &["--token-file", "token"]].concat());
    let mut null = desk.command(&words);
    null.stdout(Stdio::null());
    Desk::finish(null, &words, b"").expect(0);
    assert!(ann.verifies(desk.read("token").trim()).starts_with("allow"));
}

#[test]
fn an_init_that_ends_before_anybody_has_the_recovery_code_is_begun_anew() {
    let desk = Desk::new();
    desk.file("maria.pass", "correct horse battery staple");
    let words = ["init", "--agency", "Acme", "--operator", "maria", "--passphrase-file", "maria.pass"];
    for _ in 0..2 {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut unheard = desk.command(&words);
        unheard.stdout(writer);
        Desk::finish(unheard, &words, b"").fails(1, "no store was founded");
        desk.maria().says(&["key", "list"]).fails(3, "Run `keydeck init` again");
    }
    let code = desk.run(&words, "").expect(0).out;
    desk.file("recovery", &code);
    desk.maria().does(&["key", "list"]);
    desk.run(&words, "").expect(1);
    let recover = ["operator", "passphrase", "maria", "--recovery-file", "recovery"];
    desk.file("new.pass", "another horse battery staple");
    desk.run(&[&recover[..], &["--new-passphrase-file", "new.pass"]].concat(), "").expect(0);
}

#[test]
fn files_that_keep_the_newest_changes_are_named_in_words_when_they_cannot_be_read() {
    let desk = Desk::founded();
    for name in ["recent.0", "recent.1"] {
        let _there = fs::remove_file(desk.data().join(name));
    }
    fs::create_dir(desk.data().join("recent.0")).unwrap();
    desk.maria().says(&["key", "list"]).fails(3, "which hold the newest changes once more");
}

/// Every file below a directory but the card of who has it open: when it was written, and what is in it.
fn files_of(dir: &std::path::Path) -> Vec<(std::path::PathBuf, std::time::SystemTime, Vec<u8>)> {
    let (mut left, mut files) = (vec![dir.to_owned()], Vec::new());
    while let Some(dir) = left.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                // What the database does when it is opened is its own; what it holds is compared below.
                true if path.ends_with("store") => {}
                true => left.push(path),
                false if path.ends_with("keydeck.lock") => {}
                false => {
                    files.push((
                        path.clone(),
                        path.metadata().unwrap().modified().unwrap(),
                        fs::read(path).unwrap(),
                    ));
                }
            }
        }
    }
    files.sort();
    files
}

#[test]
fn whoever_only_looks_changes_no_file_of_the_store() {
    let desk = Desk::founded();
    let maria = desk.maria();
    maria.issues("Export", "contacts.read");
    let before = (files_of(&desk.data()), fs::read(desk.data().join("store/db")).unwrap());
    assert!(before.0.iter().any(|(path, ..)| path.ends_with("denials")));
    for words in [
        &["--read-only", "info"][..],
        &["--read-only", "key", "list"],
        &["--read-only", "key", "show", "Export"],
        &["--read-only", "audit", "list"],
    ] {
        maria.does(words);
        let after = (files_of(&desk.data()), fs::read(desk.data().join("store/db")).unwrap());
        let changed: Vec<_> =
            after.0.iter().filter(|file| !before.0.contains(file)).map(|file| &file.0).collect();
        assert!(changed.is_empty() && after.0.len() == before.0.len(), "{words:?}: {changed:?}");
        assert!(after.1 == before.1, "{words:?} changed the database");
    }
}

#[test]
fn with_ascii_nothing_else_is_printed() {
    let desk = Desk::founded();
    let maria = desk.maria();
    maria.does(&["location", "add", "Harbour"]);
    let issue = |name: &str| maria.issues(name, "contacts.read");
    for name in ["Export", "Paused", "Revoked"] {
        issue(name);
    }
    maria.does(&["key", "pause", "Paused"]);
    maria.does(&["key", "revoke", "Revoked", "--yes"]);
    desk.file("list.csv", (0..30).map(|_| "Harbour\n").collect::<String>());
    for words in [
        &["key", "list"][..],
        &["key", "show", "Export"],
        &["operator", "list"],
        &["audit", "list"],
        &["info"],
        &["policy", "show"],
        &["scope", "list"],
        &["key", "create", "--name", "Another", "--agency", "--scope", "contacts.read"],
        &["location", "add", "--from", "list.csv", "--no-heading"],
    ] {
        let said = maria.says(&[&["--ascii"], words].concat());
        for text in [&said.out, &said.err] {
            assert!(text.is_ascii(), "{words:?}: {text}");
        }
    }
    // Scripts get what they always got.
    let hint = |words: &[&str]| maria.asks(words)[0]["hint"].clone();
    assert_eq!(hint(&["--ascii", "key", "list"]), hint(&["key", "list"]));
}

#[test]
fn what_is_left_of_a_store_is_not_founded_over() {
    let desk = Desk::founded();
    desk.maria().issues("Export", "contacts.read");
    fs::remove_file(desk.data().join("seal")).unwrap();
    fs::remove_dir_all(desk.data().join("store")).unwrap();
    let left = files_of(&desk.data());
    for empty in [false, true] {
        if empty {
            fs::create_dir(desk.data().join("store")).unwrap();
        }
        desk.maria().says(&["key", "list"]).fails(3, "Put your backup of the data directory back");
        let words = ["init", "--agency", "Other", "--operator", "maria", "--passphrase-file", "maria.pass"];
        desk.run(&words, "").fails(3, "Put your backup of the data directory back");
        assert!(files_of(&desk.data()) == left, "something was changed");
    }
}
