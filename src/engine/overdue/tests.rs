//! A disk that takes nothing while somebody takes access away, and what becomes of it when the process has ended: the
//! file that keeps denials is left as it is, changed, or holds what is no longer true.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::*;
use crate::crypto::passphrase::{Cost, Passphrase};
use crate::domain::{Name, NewKey, Place, Reason};
use crate::engine::clock::TestClock;
use crate::engine::open::{Key, Open, Options, found, open as open_store};
use crate::engine::{Engine as _, Via};

/// A store in a directory, whose database can be taken away while it is open.
struct House {
    home: tempfile::TempDir,
    clock: TestClock,
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn phrase() -> Passphrase {
    Passphrase::choose("correct horse battery staple").unwrap()
}

impl House {
    fn new() -> (Self, Open) {
        let clock = TestClock::at(Timestamp(1_790_000_000_000));
        let house = Self { home: tempfile::tempdir().unwrap(), clock };
        let open = found(&house.options(&house.dir()), name("Acme"), name("maria"), &phrase()).unwrap().open;
        (house, open)
    }

    fn dir(&self) -> PathBuf {
        self.home.path().join("data")
    }

    fn options(&self, dir: &Path) -> Options {
        Options {
            cost: Cost::IMPORTED,
            clock: Arc::new(self.clock.clone()),
            ..Options::new(dir, "test", Via::CommandLine)
        }
    }

    fn open(&self) -> Open {
        self.open_at(&self.dir())
    }

    fn open_at(&self, dir: &Path) -> Open {
        open_store(&self.options(dir), &Key::Operator { name: "maria", passphrase: &phrase() }).unwrap()
    }

    /// From now on no commit succeeds.
    fn fail(&self) {
        fs::rename(self.dir().join("store"), self.home.path().join("aside")).unwrap();
    }

    fn mend(&self) {
        fs::rename(self.home.path().join("aside"), self.dir().join("store")).unwrap();
    }

    /// Everything in the directory once more, elsewhere.
    fn copy(&self) -> tempfile::TempDir {
        let copy = tempfile::tempdir().unwrap();
        copy_all(&self.dir(), copy.path());
        copy
    }
}

fn copy_all(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&to).unwrap();
            copy_all(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn does(open: &Open, command: Command) -> Result<(), EngineError> {
    open.engine.execute(&open.session, command).map(drop)
}

fn issue(open: &Open, called: &str) -> (KeyId, String) {
    let new = NewKey {
        name: name(called),
        place: Place::Agency,
        scopes: vec!["contacts.read".into()],
        expiry: None,
        note: crate::domain::Note::default(),
    };
    let token = open.engine.execute(&open.session, Command::IssueKey(new)).unwrap().token.unwrap();
    (KeyId(token.id()), token.reveal().to_owned())
}

fn answer(open: &Open, token: &str) -> Option<Reason> {
    open.engine.verify(token.as_bytes(), &[]).reason()
}

fn is_kept(told: &Result<(), EngineError>) -> bool {
    matches!(told, Err(EngineError::DeniedKept(_)))
}

#[test]
fn what_was_denied_on_a_failing_disk_is_not_forgotten_when_the_file_that_keeps_it_is_gone_emptied_or_an_old_one()
 {
    let (house, open) = House::new();
    let denials = house.dir().join("denials");
    let first = fs::read(&denials).unwrap();
    // Once before, and written since: the file has been another one.
    let (before, _) = issue(&open, "Before");
    house.fail();
    assert!(is_kept(&does(&open, Command::RevokeKey(before))));
    let second = fs::read(&denials).unwrap();
    house.mend();
    let (leaked, token) = issue(&open, "Leaked");
    let (_, bystander) = issue(&open, "Bystander");
    let third = fs::read(&denials).unwrap();
    assert!(first != second && second != third, "it was crossed out");
    house.fail();
    assert!(is_kept(&does(&open, Command::RevokeKey(leaked))));
    drop(open);
    house.mend();
    let whole = fs::read(&denials).unwrap();
    let half = whole.len() / 2;
    let zeros = |from: usize, to: usize| {
        let mut bytes = whole.clone();
        bytes[from..to].fill(0);
        Some(bytes)
    };
    let tampered = [
        ("gone", None),
        ("emptied", Some(Vec::new())),
        ("zeros", zeros(0, 2 * half)),
        ("zeros and a cut", Some(vec![0; half])),
        ("cut short", Some(whole[..100].to_vec())),
        ("bent", Some(whole.iter().map(|byte| byte ^ 1).collect())),
        ("bent in one copy, blank in the other", Some([&vec![9; half][..], &vec![0; half]].concat())),
        ("as it was at the beginning", Some(first)),
        ("as it was when something else was denied", Some(second)),
    ];
    for (case, bytes) in tampered {
        let dir = house.copy();
        let denials = dir.path().join("denials");
        fs::remove_file(&denials).unwrap();
        if let Some(bytes) = &bytes {
            fs::write(&denials, bytes).unwrap();
        }
        let open = house.open_at(dir.path());
        assert_eq!(answer(&open, &token), Some(Reason::StoreError), "{case}");
        let named = open.notices.iter().find(|notice| notice.contains("denials")).unwrap();
        assert!(named.contains("backup"), "{case}: what to do is not said: {named}");
        assert!(matches!(does(&open, Command::ReadAudit), Err(EngineError::Suspect(_))), "{case}");
        // What else is denied now is not kept where something lies that nobody could read.
        let told = does(&open, Command::RevokeKey(leaked));
        assert!(matches!(told, Err(EngineError::DeniedNotDurable(_))), "{case}: {told:?}");
        drop(open);
        assert_eq!(fs::read(&denials).ok(), bytes, "{case}: what lay there was overwritten");
    }
    // Left as it is, or with one copy spoilt, it is in force.
    for (case, bytes) in
        [("whole", Some(whole.clone())), ("first", zeros(0, half)), ("second", zeros(half, 2 * half))]
    {
        let dir = house.copy();
        fs::write(dir.path().join("denials"), bytes.unwrap()).unwrap();
        let open = house.open_at(dir.path());
        assert!(open.engine.doubts().is_empty(), "{case}: {:?}", open.engine.doubts());
        assert_eq!(answer(&open, &token), Some(Reason::Revoked), "{case}");
        assert_eq!(answer(&open, &bystander), None, "{case}");
    }
}

#[test]
fn a_store_of_before_which_never_named_the_file_gets_one_that_can_be_missed() {
    for room in [None, Some(vec![0; 128 * 1024])] {
        let home = tempfile::tempdir().unwrap();
        let house = House { home, clock: TestClock::at(Timestamp(1_790_000_000_000)) };
        let denials = house.dir().join("denials");
        // Where there is no room, entries name none: as a keydeck of before wrote them.
        fs::create_dir_all(&denials).unwrap();
        fs::set_permissions(house.dir(), fs::Permissions::from_mode(0o700)).unwrap();
        let founded = found(&house.options(&house.dir()), name("Acme"), name("maria"), &phrase()).unwrap();
        let (leaked, token) = issue(&founded.open, "Leaked");
        drop(founded);
        fs::remove_dir(&denials).unwrap();
        if let Some(room) = &room {
            fs::write(&denials, room).unwrap();
        }
        let looking = Options { read_only: true, ..house.options(&house.dir()) };
        let phrase = phrase();
        drop(open_store(&looking, &Key::Operator { name: "maria", passphrase: &phrase }).unwrap());
        assert_eq!(fs::read(&denials).ok(), room, "looking changes nothing");
        let open = house.open();
        assert!(open.engine.doubts().is_empty() && open.notices.is_empty(), "{:?}", open.notices);
        does(&open, Command::ReadAudit).unwrap();
        house.fail();
        assert!(is_kept(&does(&open, Command::RevokeKey(leaked))));
        drop(open);
        house.mend();
        fs::remove_file(&denials).unwrap();
        assert_eq!(answer(&house.open(), &token), Some(Reason::StoreError));
    }
}
