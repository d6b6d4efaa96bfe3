//! The owner ends: in order, killed, or with a stale socket left behind. Those attached are told, lose nothing that was
//! acknowledged, and go on with the next owner.
//!
//! This binary starts itself again as the owner that is killed.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use keydeck::engine::{EngineError, Integrity, OpenError, Via};
use keydeck::serve::control::{Control, SOCKET_FILE};
use keydeck::serve::door::is_reachable;

use crate::support::child;

use super::house::{Guest, House, PHRASE, enter, key, open_as, phrase_of, settings};
use crate::support::wait::PATIENCE;

const CHILD: &str = "KEYDECK_CONTROL_OWNER";

/// Another process that owns the store, until it is killed.
struct Owner(Child);

impl Owner {
    fn start(dir: &Path) -> Self {
        let mut process = child::command(concat!(module_path!(), "::owner_child"));
        process.env(CHILD, dir);
        let mut child =
            process.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let owner = Self(child);
        let (tell, ready) = mpsc::channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if line.contains("the socket is open") && tell.send(()).is_err() {
                    return;
                }
            }
        });
        ready.recv_timeout(PATIENCE).unwrap();
        owner
    }

    fn kill(mut self) -> u32 {
        let pid = self.0.id();
        self.0.kill().unwrap();
        self.0.wait().unwrap();
        pid
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The owner that is killed.
#[test]
#[ignore = "not a test: the program that one starts"]
fn owner_child() {
    let Some(dir) = std::env::var_os(CHILD) else { return };
    let open = open_as(Path::new(&dir), "maria");
    let control = Control::start(open.engine, &settings()).unwrap();
    println!("the socket is open");
    // Lives as long as the one who started it.
    let _ = std::io::stdin().read_line(&mut String::new());
    drop(control);
}

fn attach(dir: &Path, who: &str) -> Guest {
    let entrance = enter(dir, who, &phrase_of(who), Via::Console).unwrap();
    assert!(entrance.owner.is_some());
    Guest { engine: entrance.engine, session: entrance.session }
}

#[test]
fn a_killed_owner_is_told_of_and_the_next_takes_over() {
    let mut house = House::with(&[]);
    house.close();
    let first = Owner::start(house.path());
    let (one, two) = (attach(house.path(), "maria"), attach(house.path(), "maria"));
    one.issue("Before");
    let (mut of_one, mut of_two) = (one.listen(), two.listen());
    let pid = first.kill();
    for news in [&mut of_one, &mut of_two] {
        let said = news.end();
        assert_eq!(
            said,
            format!("The process that had the store open (keydeck serve, process {pid}) has gone.")
        );
    }
    let late = one.try_run(key("Late")).err().unwrap();
    assert!(matches!(&late, EngineError::Gone(_)) && late.code() == "owner_gone", "{late}");
    assert_eq!(one.sees(), ["Before"], "what was on the screen stays");
    assert!(one.engine.verify(b"anything", &[]).reason().is_some(), "never an allow out of an error");
    // Somebody who listens only now is told as well.
    assert!(one.listen().end().contains("has gone"));

    assert!(std::fs::symlink_metadata(house.path().join(SOCKET_FILE)).is_ok(), "a socket is left behind");
    assert!(!is_reachable(house.path()));
    let second = Owner::start(house.path());
    let again = attach(house.path(), "maria");
    assert_eq!(again.sees(), ["Before"]);
    again.issue("After");
    second.kill();
    // And nobody at all: who comes next opens the store itself, in spite of the stale socket.
    let own = enter(house.path(), "maria", PHRASE, Via::CommandLine).unwrap();
    assert!(own.owner.is_none());
    assert_eq!(own.engine.state().key_count(), 2);
}

#[test]
fn nothing_acknowledged_is_lost_when_the_owner_is_killed_at_work() {
    let mut house = House::with(&[]);
    let owner = house.owner();
    let set = keydeck::domain::Command::SetPolicy {
        name: "keys-per-operator".into(),
        value: "10000".into(),
        basis: None,
    };
    owner.engine.execute(&owner.session, set).unwrap();
    house.close();
    let mut acknowledged = HashSet::new();
    for round in 0..3_u64 {
        let owner = Owner::start(house.path());
        let dir = house.path().to_owned();
        let (tell, told) = mpsc::channel();
        let worker = std::thread::spawn(move || {
            let guest = attach(&dir, "maria");
            for n in 0.. {
                match guest.try_run(key(&format!("Key {round}-{n}"))) {
                    Ok(done) => drop(tell.send(done.token.unwrap().reveal().to_owned())),
                    Err(error) => return error.to_string(),
                }
            }
            unreachable!()
        });
        acknowledged.insert(told.recv_timeout(PATIENCE).unwrap());
        let deadline = Instant::now() + Duration::from_millis(50 + 70 * round);
        while let Ok(token) = told.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            acknowledged.insert(token);
        }
        owner.kill();
        let said = worker.join().unwrap();
        assert!(said.contains("has gone"), "{said}");
        acknowledged.extend(told.try_iter());
    }
    let own = enter(house.path(), "maria", PHRASE, Via::CommandLine).unwrap();
    assert!(acknowledged.len() > 3, "{} keys were acknowledged", acknowledged.len());
    for token in &acknowledged {
        assert!(own.engine.verify(token.as_bytes(), &[]).is_allow(), "an acknowledged key is lost");
    }
    let report = own.engine.check_audit(&own.session).unwrap();
    assert_eq!(report.integrity, Integrity::Intact, "{:?}", report.faults);
}

#[test]
fn an_owner_that_closes_says_so_and_answers_what_it_was_asked() {
    let mut house = House::with(&[]);
    let maria = house.attach("maria");
    let mut news = maria.listen();
    let (began, begun) = mpsc::channel();
    let answered = std::thread::scope(|scope| {
        let maria = &maria;
        let asks = scope.spawn(move || {
            let mut done = 0;
            loop {
                match maria.try_run(key(&format!("Key {done}"))) {
                    Ok(_) => done += 1,
                    Err(error) => return (done, error.to_string()),
                }
                let _ = began.send(());
            }
        });
        begun.recv_timeout(PATIENCE).unwrap();
        house.close();
        asks.join().unwrap()
    });
    let (done, error) = answered;
    assert!(news.end().contains("(keydeck serve, process"));
    assert!(error.contains("has closed it"), "{error}");
    assert!(!house.path().join(SOCKET_FILE).exists(), "the socket is removed");
    let own = enter(house.path(), "maria", PHRASE, Via::CommandLine).unwrap();
    let kept = own.engine.state().key_count();
    assert!(kept == done, "{done} were acknowledged, {kept} are there: each request under way was answered");
}

#[test]
fn a_store_in_use_without_a_socket_is_said_to_be_in_use() {
    let mut house = House::with(&[]);
    house.control = None;
    let error = enter(house.path(), "maria", PHRASE, Via::CommandLine).err().unwrap();
    assert!(matches!(error, OpenError::Store(keydeck::store::OpenError::InUse { .. })), "{error}");
    // One that lets go in time is waited for.
    let dir = house.path().to_owned();
    let waits = std::thread::spawn(move || {
        enter(&dir, "maria", PHRASE, Via::CommandLine).map(|entrance| entrance.owner)
    });
    house.close();
    assert_eq!(waits.join().unwrap().unwrap(), None);
}
