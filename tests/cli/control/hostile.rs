//! Strangers, garbage and guessing at the socket: the owner stays, and others are served.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::process::Command as Process;
use std::sync::LazyLock;

use keydeck::engine::open::Key;
use keydeck::engine::{EngineError, OpenError, Peer, Via};
use keydeck::serve::control::{SOCKET_FILE, fuzzing};
use proptest::prelude::*;

use super::house::{House, PHRASE, enter};
use crate::support::child;
use crate::support::wait::until;

static GREETING: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let version = env!("CARGO_PKG_VERSION").as_bytes();
    [b"kdctl\n", &[fuzzing::PROTOCOL, u8::try_from(version.len()).unwrap()][..], version].concat()
});

/// A request for the slots, as its bytes: number 0, own reach, request 2, question 5.
const DOORS: [u8; 9] = [0x83, 0x00, 0x00, 0x82, 0x02, 0x81, 0x82, 0x05, 0x80];

fn knock(house: &House) -> UnixStream {
    UnixStream::connect(house.path().join(SOCKET_FILE)).unwrap()
}

/// Says all of it and waits until the owner hangs up.
fn says(house: &House, bytes: &[u8]) -> Vec<u8> {
    let mut stream = knock(house);
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut heard = Vec::new();
    let _ = stream.read_to_end(&mut heard);
    heard
}

#[test]
fn garbage_is_sent_away_and_others_are_served() {
    let house = House::with(&[]);
    let maria = house.attach("maria");
    let frame = |content: &[u8]| {
        [&GREETING[..], &u32::try_from(content.len()).unwrap().to_be_bytes()[..], content].concat()
    };
    for bytes in [
        &b""[..],
        b"GET / HTTP/1.1\r\n\r\n",
        &GREETING[..],
        &[&GREETING[..], &[0xff; 4]].concat(),
        &[&GREETING[..], &[0, 1, 0, 1]].concat(),
        &[&GREETING[..], &[0, 0, 0, 9, 1, 2]].concat(),
        &frame(b""),
        &frame(&vec![0xff; 60_000]),
        &frame(&vec![0x9f; 60_000]),
        &frame(&DOORS),
    ] {
        let heard = says(&house, bytes);
        assert!(heard.starts_with(b"kdctl\n"), "whoever asks hears which program this is: {heard:?}");
        assert!(heard.len() < 400, "and not much more");
    }
    maria.issue("Still served");
    until("only maria is attached", || house.control.as_ref().unwrap().attached() == 1);
}

#[test]
fn nothing_is_done_before_signing_in() {
    let house = House::with(&[]);
    let frame = [&GREETING[..], &[0, 0, 0, 9], &DOORS].concat();
    let heard = String::from_utf8_lossy(&says(&house, &frame)).into_owned();
    assert!(heard.contains("not_signed_in"), "{heard:?}");
    assert!(!heard.contains("maria"));
}

#[test]
fn another_version_is_told_so() {
    let house = House::with(&[]);
    let heard = says(&house, b"kdctl\n\x01\x059.9.9\x00\x00\x00\x06\x83\x00\x00\x82\x0d\x80");
    assert_eq!(heard, *GREETING, "ours is said, and nothing is done");
    // The other way round: the owner is another version.
    let name = house.path().join(SOCKET_FILE);
    std::fs::remove_file(&name).unwrap();
    let listener = std::os::unix::net::UnixListener::bind(&name).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = stream.unwrap().write_all(b"kdctl\n\x01\x059.9.9");
        }
    });
    let error = enter(house.path(), "maria", PHRASE, Via::CommandLine).err().unwrap();
    let said = error.to_string();
    assert!(said.contains("Another version of keydeck owns the store") && said.contains("9.9.9"), "{said}");
    assert!(matches!(error, OpenError::Engine(EngineError::Remote { .. })));
}

#[test]
fn guessing_is_slowed_down_as_it_is_without_a_socket() {
    let house = House::with(&[]);
    let tries = |who: &str, secret: &str| enter(house.path(), who, secret, Via::CommandLine).err();
    for who in ["maria", "nobody", "maria", "MARIA"] {
        let error = tries(who, "a wrong passphrase").unwrap();
        assert!(matches!(error, OpenError::Unseal(_)), "{error}");
        assert!(
            error.to_string().contains("no slot of this store opens with that"),
            "the same for all: {error}"
        );
    }
    let error = tries("maria", PHRASE).unwrap();
    assert!(matches!(error, OpenError::Throttled { failed: 4, .. }), "a process that guesses waits: {error}");
    assert!(std::fs::read_to_string(house.path().join("attempts")).unwrap().starts_with("4\n"));
    // Another process gets in at once, however wrong this one goes on to be.
    let owner = house.owner();
    let passphrase = super::house::phrase(PHRASE);
    let key = Key::Operator { name: "maria", passphrase: &passphrase };
    let other = Peer { pid: Peer::this().pid + 1, ..Peer::this() };
    std::thread::scope(|scope| {
        let guessing = scope.spawn(|| {
            for _ in 0..50 {
                assert!(tries("maria", "a wrong passphrase").is_some());
            }
        });
        for _ in 0..5 {
            owner.engine.admit(&key, Via::CommandLine, other).unwrap();
        }
        guessing.join().unwrap();
    });
    let page = owner.engine.audit(&owner.session, None, 20, None).unwrap();
    let changed = page.lines.iter().flat_map(|line| &line.entry.changes);
    assert!(changed.into_iter().any(|change| change.field == "failed attempts before" && change.to == "4"));
}

#[test]
fn eighty_silent_connections_keep_nobody_from_attaching() {
    let house = House::with(&[]);
    let crowd: Vec<_> = (0..80).map(|_| knock(&house)).collect();
    let maria = house.attach("maria");
    let more: Vec<_> = (0..80).map(|_| knock(&house)).collect();
    maria.issue("Still served");
    house.attach("maria");
    drop((crowd, more));
}

#[test]
fn a_second_sign_in_on_one_connection_and_a_disabled_operator_get_nothing() {
    let house = House::with(&[("carl", keydeck::domain::Role::Manager)]);
    let owner = house.owner();
    let carl = owner.engine.state().operator_named("carl").unwrap().id;
    let keys = keydeck::domain::KeysAfter::Work;
    let command = keydeck::domain::Command::DisableOperator { operator: carl, keys };
    owner.engine.execute(&owner.session, command).unwrap();
    let error =
        enter(house.path(), "carl", &super::house::phrase_of("carl"), Via::CommandLine).err().unwrap();
    assert!(matches!(error, OpenError::Unseal(_)), "the slot is gone: {error}");
}

#[test]
fn a_text_nobody_could_type_is_refused_from_a_process_that_does_not_look_at_it() {
    let house = House::with(&[]);
    let maria = house.attach("maria");
    for bad in ["Ro\u{1b}[2Jme", "Rome\u{202e}", "two\nlines", " Rome ", ""] {
        // As it is read where nobody looks at it.
        let name = minicbor::decode(&minicbor::to_vec(bad).unwrap()).unwrap();
        let refused = maria.try_run(keydeck::domain::Command::AddLocations(vec![name])).err().unwrap();
        assert_eq!(refused.code(), "bad_text", "{bad:?}: {refused}");
    }
    assert_eq!(house.owner().engine.state().locations().count(), 0);
}

#[test]
fn a_slow_reader_holds_up_nobody_and_catches_up() {
    let house = House::with(&[]);
    let owner = house.owner();
    let run = |command| owner.engine.execute(&owner.session, command).unwrap();
    run(keydeck::domain::Command::SetPolicy {
        name: "keys-per-operator".into(),
        value: "10000".into(),
        basis: None,
    });
    let slow = house.attach("maria");
    let mut news = slow.listen();
    // Its reader thread must take the state to write to it: so it is stopped in the middle of the news.
    let held = slow.engine.state();
    for n in 0..300 {
        let (id, _) = super::house::issued(run(super::house::key(&format!("Key {n}"))));
        run(keydeck::domain::Command::PauseKey(id, None));
    }
    assert_eq!(held.key_count(), 0);
    drop(held);
    slow.until(&mut news, "it has caught up", |slow| {
        let state = slow.engine.state();
        state.key_count() == 300
            && state.keys().all(|key| matches!(key.status, keydeck::domain::Status::Paused(_)))
    });
}

#[test]
fn more_than_sixty_four_that_are_signed_in_are_told_to_wait() {
    let house = House::with(&[]);
    let crowd: Vec<_> = (0..64).map(|_| house.attach("maria")).collect();
    until("all of them are there", || house.control.as_ref().unwrap().attached() == 64);
    let error = enter(house.path(), "maria", PHRASE, Via::CommandLine).err().unwrap();
    assert!(error.to_string().contains("Too many processes are attached"), "{error}");
    drop(crowd);
    until("they are gone", || house.control.as_ref().unwrap().attached() == 0);
    house.attach("maria");
}

const STRANGER: &str = "KEYDECK_CONTROL_STRANGER";

/// Another user who tries the socket.
#[test]
#[ignore = "not a test: the program that one starts"]
fn stranger_child() {
    let Some(socket) = std::env::var_os(STRANGER) else { return };
    match UnixStream::connect(socket) {
        Err(error) => println!("no connection: {:?}", error.kind()),
        Ok(mut stream) => {
            let mut heard = Vec::new();
            let _ = stream.set_read_timeout(Some(crate::support::wait::PATIENCE));
            let _ = stream.read_to_end(&mut heard);
            println!("heard {} bytes", heard.len());
        }
    }
}

#[test]
fn another_user_gets_nothing_even_where_the_files_let_them() {
    let has_setpriv = Process::new("setpriv").arg("--version").output().is_ok();
    if !rustix::process::getuid().is_root() || !has_setpriv {
        println!("skipped: needs root and setpriv");
        return;
    }
    let mode = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let house = House::with(&[]);
    let socket = house.path().join(SOCKET_FILE);
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    // Where this binary lies, others may not look.
    let open = tempfile::tempdir().unwrap();
    mode(open.path(), 0o755);
    let program = open.path().join("stranger");
    let (own, words) = child::program(concat!(module_path!(), "::stranger_child"));
    std::fs::copy(own, &program).unwrap();
    mode(&program, 0o755);
    let asks = || {
        let mut process = Process::new("setpriv");
        process.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program);
        process.args(words).env(STRANGER, &socket);
        String::from_utf8(process.output().unwrap().stdout).unwrap()
    };
    mode(house.path(), 0o755);
    assert!(asks().contains("no connection: PermissionDenied"), "the mode keeps them out");
    mode(&socket, 0o666);
    let said = asks();
    assert!(said.contains("heard 0 bytes"), "not even a greeting: {said}");
    assert!(!says(&house, b"").is_empty(), "we ourselves are greeted");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_break_the_decoder(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        fuzzing::request(&bytes);
        // As the content of a frame, too.
        let mut frame = u32::try_from(bytes.len()).unwrap().to_be_bytes().to_vec();
        frame.extend_from_slice(&bytes);
        fuzzing::request(&frame);
    }

    #[test]
    fn no_damaged_request_breaks_the_decoder(edits in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..6)) {
        for sample in fuzzing::samples() {
            let mut bytes = sample.to_vec();
            for (place, byte) in &edits {
                let at = place.index(bytes.len());
                bytes[at] = *byte;
            }
            fuzzing::request(&bytes);
        }
    }
}
