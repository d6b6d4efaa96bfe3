//! A disk that takes nothing while somebody takes access away, and what becomes of it when the process has ended: the
//! file that keeps denials is left as it is, changed, or holds what is no longer true.

mod each;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::*;
use crate::crypto::passphrase::{Cost, Passphrase};
use crate::crypto::public_id;
use crate::crypto::random::OsEntropy;
use crate::domain::app::Revoked;
use crate::domain::catalog::AuthMethod;
use crate::domain::{
    AppId, Counted, Grace, Name, NewApp, NewKey, Place, Profile, Reason, Rotation, SourceApp, Status,
    Timestamp, Url, UserType,
};
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
        decoy: false,
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
    assert!(is_kept(&does(&open, Command::revoke(before))));
    let second = fs::read(&denials).unwrap();
    house.mend();
    let (leaked, token) = issue(&open, "Leaked");
    let (_, bystander) = issue(&open, "Bystander");
    let third = fs::read(&denials).unwrap();
    assert!(first != second && second != third, "it was crossed out");
    house.fail();
    assert!(is_kept(&does(&open, Command::revoke(leaked))));
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
        let told = does(&open, Command::revoke(leaked));
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
        assert!(is_kept(&does(&open, Command::revoke(leaked))));
        drop(open);
        house.mend();
        fs::remove_file(&denials).unwrap();
        assert_eq!(answer(&house.open(), &token), Some(Reason::StoreError));
    }
}

/// What waits at the moment.
fn waiting(open: &Open) -> Vec<Note> {
    open.engine.overdue.waiting().denials.iter().map(|denial| denial.note.clone()).collect()
}

/// The process ends, and these are in its journal: what was written could not be crossed out.
fn end_with(open: Open, notes: &[Note]) {
    let kept = open.engine.overdue.parts.kept.as_ref().unwrap();
    kept.write(&notes.iter().collect::<Vec<_>>()).unwrap();
    drop(open);
}

/// What the journal of a store that is not open holds.
fn kept(house: &House) -> Vec<String> {
    let open = house.open();
    let keyring = Arc::clone(&open.engine.keyring);
    drop(open);
    let (_, notes) = Kept::open(&house.dir(), &keyring, 0).unwrap().unwrap();
    notes.iter().map(|note| note.command.name().to_owned()).collect()
}

fn rescope(key: KeyId, scopes: &[&str]) -> Command {
    Command::RescopeKey { key, scopes: scopes.iter().map(ToString::to_string).collect(), basis: None }
}

fn scopes(open: &Open, key: KeyId) -> String {
    open.engine.state().key(key).unwrap().scopes.to_string()
}

#[test]
fn a_key_that_was_resumed_is_not_paused_again_by_a_denial_that_was_written_and_not_crossed_out() {
    for of_before in [false, true] {
        let (house, open) = House::new();
        let (paused, token) = issue(&open, "Paused");
        let (deleted, _) = issue(&open, "Deleted");
        let (narrowed, _) = issue(&open, "Narrowed");
        does(&open, rescope(narrowed, &["contacts.read", "contacts.write", "locations.read"])).unwrap();
        house.fail();
        assert!(is_kept(&does(&open, Command::PauseKey(paused, None))));
        assert!(is_kept(&does(&open, Command::DeleteKey(deleted))));
        assert!(is_kept(&does(&open, rescope(narrowed, &["contacts.read", "contacts.write"]))));
        let mut notes = waiting(&open);
        house.mend();
        does(&open, Command::ResumeKey(paused)).unwrap();
        does(&open, Command::RestoreKey(deleted)).unwrap();
        does(&open, rescope(narrowed, &["contacts.read"])).unwrap();
        does(&open, rescope(narrowed, &["contacts.read", "contacts.write", "locations.read"])).unwrap();
        if of_before {
            for note in &mut notes {
                note.after = None;
            }
        }
        end_with(open, &notes);
        let open = house.open();
        assert_eq!(open.notices, Vec::<String>::new());
        assert_eq!(answer(&open, &token), None, "it was paused again");
        assert!(scopes(&open, narrowed).contains("locations.read"), "a scope was taken away again");
        let status = open.engine.state().key(deleted).unwrap().status;
        assert!(matches!(status, Status::Revoked(_)), "{status:?}");
        assert_eq!(open.engine.condition().unwritten.denials, 0);
        drop(open);
        assert_eq!(kept(&house), Vec::<String>::new(), "it is crossed out now");
    }
}

#[test]
fn of_two_denials_in_one_moment_the_one_that_was_written_does_not_cross_out_the_other() {
    let (house, open) = House::new();
    let (key, _) = issue(&open, "Narrowed");
    does(&open, rescope(key, &["contacts.read", "contacts.write", "locations.read"])).unwrap();
    house.fail();
    assert!(is_kept(&does(&open, rescope(key, &["contacts.read", "contacts.write"]))));
    let first = waiting(&open).remove(0);
    house.mend();
    open.engine.settle().unwrap();
    let second = Note { command: rescope(key, &["contacts.read"]), ..first.clone() };
    end_with(open, &[first, second]);
    let open = house.open();
    assert_eq!(scopes(&open, key), "contacts.read");
    assert_eq!(open.notices.len(), 1, "{:?}", open.notices);
    assert_eq!(open.engine.condition().unwritten.denials, 0);
}

#[test]
fn a_denial_the_trail_does_not_tell_of_is_not_carried_out_over_a_later_change_and_not_forgotten() {
    let (house, open) = House::new();
    let (key, token) = issue(&open, "Paused");
    let (_, bystander) = issue(&open, "Bystander");
    house.fail();
    assert!(is_kept(&does(&open, Command::PauseKey(key, None))));
    let note = Note { after: Some(1), at: Timestamp(1), ..waiting(&open).remove(0) };
    house.mend();
    does(&open, Command::ResumeKey(key)).unwrap();
    end_with(open, &[note]);
    let open = house.open();
    assert_eq!(answer(&open, &token), Some(Reason::StoreError));
    assert_eq!(answer(&open, &bystander), None);
    let doubt = open.notices.iter().find(|said| said.contains("key.pause")).unwrap();
    assert!(doubt.contains(&format!("p/{key}")), "{doubt}");
    drop(open);
    assert_eq!(kept(&house), ["key.pause"]);
}

#[test]
fn a_denial_that_would_give_by_now_is_neither_carried_out_nor_dropped_while_the_store_is_in_doubt() {
    let (house, open) = House::new();
    let (key, _) = issue(&open, "Narrowed");
    let (other, _) = issue(&open, "Other");
    does(&open, rescope(key, &["contacts.read", "contacts.write"])).unwrap();
    house.fail();
    assert!(is_kept(&does(&open, rescope(key, &["contacts.read"]))));
    let mut stale = waiting(&open).remove(0);
    house.mend();
    open.engine.settle().unwrap();
    stale.command = rescope(key, &["contacts.read", "locations.read"]);
    stale.after = Some(open.engine.anchor(&open.session).unwrap().seq);
    end_with(open, &[stale]);
    let in_doubt = house.copy();
    fs::remove_file(in_doubt.path().join("seal")).unwrap();
    let open = house.open_at(in_doubt.path());
    assert_eq!(scopes(&open, key), "contacts.read", "nobody gets anything from a store in doubt");
    // Told as it is: nothing is tried again here, and no backup knows of it.
    let told = does(&open, Command::revoke(other));
    assert!(is_kept(&told), "{told:?}");
    let told = told.unwrap_err().to_string();
    assert!(!told.contains("tries again") && told.contains("backup does not know"), "{told}");
    drop(open);
    fs::copy(in_doubt.path().join("denials"), house.dir().join("denials")).unwrap();
    assert_eq!(kept(&house), ["key.rescope"], "and the other is written where nothing is in doubt");
    let open = house.open();
    assert_eq!(scopes(&open, key), "contacts.read");
    assert!(open.notices.iter().any(|said| said.contains("key.rescope")), "{:?}", open.notices);
}

#[test]
fn what_was_denied_of_an_app_or_a_location_is_known_again_in_the_trail_as_what_was_denied_of_a_key() {
    let (house, open) = House::new();
    let app = create(&open, "Chatty");
    let rotation = Rotation { id: None, grace: Grace::DEFAULT, counted: Counted::FromNow, expiry: None };
    does(&open, Command::RenewAppSecret(app, Some(rotation))).unwrap();
    does(&open, Command::AddLocations(vec![name("North")])).unwrap();
    let location = open.engine.state().locations().next().unwrap().id;
    house.fail();
    for denial in [Command::EndAppSecret(app), Command::PauseApp(app), Command::RemoveLocation { location }] {
        let told = does(&open, denial);
        assert!(is_kept(&told), "{told:?}");
    }
    let notes = waiting(&open);
    house.mend();
    does(&open, Command::ResumeApp(app)).unwrap();
    end_with(open, &notes);
    let open = house.open();
    assert_eq!(open.notices, Vec::<String>::new(), "all of it was written");
    let known = open.engine.state().app(app).unwrap().clone();
    assert!(known.is_active() && known.previous().is_none(), "{known:?}");
    assert_eq!(open.engine.condition().unwritten.denials, 0);
    drop(open);
    assert_eq!(kept(&house), Vec::<String>::new(), "it is crossed out now");
}

fn create(open: &Open, called: &str) -> AppId {
    let new = NewApp {
        name: name(called),
        profile: Profile {
            uri: Url::new("https://example.com").unwrap(),
            description: crate::domain::Note::default(),
            user_type: UserType::Both,
            source: SourceApp::ClientApp,
            post_login: Vec::new(),
            post_logout: Vec::new(),
        },
        method: AuthMethod::Jwt,
        scopes: vec!["contacts.read".into()],
        terms: crate::domain::Terms::default(),
    };
    AppId(open.engine.execute(&open.session, Command::CreateApp(new)).unwrap().token.unwrap().id())
}

#[test]
fn callers_who_revoke_their_tokens_without_end_leave_room_for_what_an_operator_denies() {
    let (house, open) = House::new();
    let (leaked, _) = issue(&open, "Leaked");
    let app = create(&open, "Chatty");
    let service = Session::service().unwrap();
    let token = |n: u32| {
        let id = public_id::generate(&mut OsEntropy).unwrap();
        Command::RevokeToken { app, token: Revoked { token: id, until: Timestamp(n.into()) } }
    };
    house.fail();
    // A thousand before, of which it need not be known here how each came to be.
    for n in 0..1_000 {
        let (session, command) = (service.clone(), token(n));
        let note = Note { session, command, at: Timestamp(1), why: Why::Asked, after: Some(1) };
        let denial = Denial { note, events: None, keys: Vec::new(), kept: false };
        open.engine.overdue.waiting().denials.push(denial);
    }
    let told = open.engine.execute(&service, token(1_000)).map(drop);
    assert!(matches!(told, Err(EngineError::DeniedNotDurable(_))), "{told:?}");
    let fits = open.engine.overdue.waiting().denials.iter().filter(|denial| denial.kept).count();
    assert!((100..900).contains(&fits), "{fits}");
    let told = does(&open, Command::revoke(leaked));
    assert!(is_kept(&told), "{told:?}");
    assert!(!open.engine.condition().unwritten.kept, "a restart would forget the last of the tokens");
    let (_, notes) = Kept::open(&house.dir(), &open.engine.keyring, 0).unwrap().unwrap();
    assert_eq!(notes.last().unwrap().command, Command::revoke(leaked));
}
