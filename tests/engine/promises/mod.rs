//! The engine's promises on a real store in a real directory: what was acknowledged is there after reopening,
//! what was taken away stays away, and whoever edits the database behind its back is found out.

#![expect(clippy::unwrap_used, reason = "a test stops where a promise breaks")]

mod crowd;
mod estate;
mod tampering;

use std::path::Path;
use std::sync::Arc;

use keydeck::crypto::passphrase::{Cost, Passphrase};
use keydeck::crypto::recovery::RecoveryCode;
use keydeck::domain::catalog::AuthMethod;
use keydeck::domain::{
    Command, Decision, Expiry, KeyId, KeysAfter, Name, NewApp, NewKey, Note, Place, Profile, Reason, Refusal,
    Role, SourceApp, Timestamp, Url, UserType,
};
use keydeck::engine::clock::TestClock;
use keydeck::engine::open::{Key, Open, Options, found, open};
use keydeck::engine::throttle::Callers;
use keydeck::engine::{Brought, Engine, EngineError, Integrity, OpenError, Origin, Peer, Via};
use keydeck::store::{KeyRange, Op, SledOptions, SledStore, Store};

const START: Timestamp = Timestamp(1_790_000_000_000);
const PHRASE: &str = "correct horse battery staple";

struct Bench {
    dir: tempfile::TempDir,
    clock: TestClock,
    callers: Arc<Callers>,
}

fn phrase(text: &str) -> Passphrase {
    Passphrase::choose(text).unwrap()
}

impl Bench {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), clock: TestClock::at(START), callers: Arc::default() }
    }

    fn options(&self) -> Options {
        // The cheapest passphrase that is accepted: these tests open stores by the dozen.
        Options {
            clock: Arc::new(self.clock.clone()),
            cost: Cost::IMPORTED,
            callers: Arc::clone(&self.callers),
            ..Options::new(self.dir.path(), "test", Via::CommandLine)
        }
    }

    fn found(&self) -> (Open, RecoveryCode) {
        let name = |text| Name::new(text).unwrap();
        let founded = found(&self.options(), name("Acme Agency"), name("maria"), &phrase(PHRASE)).unwrap();
        (founded.open, founded.recovery)
    }

    fn open_as(&self, name: &str, text: &str) -> Result<Open, OpenError> {
        open(&self.options(), &Key::Operator { name, passphrase: &phrase(text) })
    }

    fn open(&self) -> Open {
        self.open_as("maria", PHRASE).unwrap()
    }

    /// Edits the database without any key, as somebody with the files could.
    fn tamper(&self, edit: impl FnOnce(&dyn Store)) {
        let opened = SledStore::open(&SledOptions::new(self.dir.path())).unwrap();
        edit(&opened.store);
    }
}

fn agency_key(name: &str) -> Command {
    Command::IssueKey(NewKey {
        name: Name::new(name).unwrap(),
        place: Place::Agency,
        scopes: vec!["contacts.read".into()],
        expiry: None,
        note: Note::default(),
        decoy: false,
    })
}

fn issue(open: &Open, name: &str) -> (KeyId, String) {
    let done = open.engine.execute(&open.session, agency_key(name)).unwrap();
    let token = done.token.unwrap();
    (KeyId(token.id()), token.reveal().to_owned())
}

fn verify(open: &Open, token: &str) -> Decision {
    open.engine.verify(token.as_bytes(), &[])
}

fn row(store: &dyn Store, key: &str) -> Vec<u8> {
    store.get(key.as_bytes()).unwrap().unwrap().value
}

fn put(store: &dyn Store, key: &str, value: Vec<u8>) {
    store.commit(&[], &[Op::Put(key.as_bytes().to_vec(), value)]).unwrap();
}

#[test]
fn what_was_acknowledged_is_there_after_reopening() {
    let bench = Bench::new();
    let (first, _) = bench.found();
    let (id, token) = issue(&first, "Nightly export");
    assert!(verify(&first, &token).is_allow());
    let scope = "contacts.write".parse().unwrap();
    let missing = first.engine.verify(token.as_bytes(), &[scope]);
    assert_eq!(missing.reason(), Some(Reason::Scope));
    drop(first);
    let second = bench.open();
    assert!(second.notices.is_empty(), "{:?}", second.notices);
    assert!(verify(&second, &token).is_allow());
    assert_eq!(second.engine.state().usage(id).count, 1, "the use before closing was written down");
    second.engine.execute(&second.session, Command::revoke(id)).unwrap();
    assert_eq!(verify(&second, &token).reason(), Some(Reason::Revoked));
    drop(second);
    let third = bench.open();
    assert_eq!(verify(&third, &token).reason(), Some(Reason::Revoked));
    let report = third.engine.check_audit(&third.session).unwrap();
    assert_eq!(report.integrity, Integrity::Intact, "{:?}", report.faults);
}

#[test]
fn a_store_just_closed_opens_again_at_once() {
    let bench = Bench::new();
    let (mut open, _) = bench.found();
    for n in 0..15 {
        issue(&open, &format!("K{n}"));
        drop(open);
        open = bench.open();
    }
    assert_eq!(open.engine.state().key_count(), 15);
}

#[test]
fn a_token_altered_in_any_way_is_refused_for_the_right_reason() {
    let bench = Bench::new();
    let (open, _) = bench.found();
    let (_, token) = issue(&open, "One");
    let (_, other) = issue(&open, "Two");
    for cut in 0..token.len() {
        assert_eq!(verify(&open, &token[..cut]).reason(), Some(Reason::Malformed));
        assert_eq!(verify(&open, &token[cut + 1..]).reason(), Some(Reason::Malformed));
    }
    for bad in [format!(" {token}"), format!("{token}\n"), token.to_uppercase(), token.to_lowercase()] {
        assert_eq!(verify(&open, &bad).reason(), Some(Reason::Malformed));
    }
    // Right id, another key's secret, checksum made to fit.
    let swapped = with_checksum(&format!("{}{}", &token[..18], &other[18..50]));
    assert_eq!(verify(&open, &swapped).reason(), Some(Reason::MacMismatch));
    let renamed = with_checksum(&format!("kdlo_{}", &token[5..50]));
    assert_eq!(verify(&open, &renamed).reason(), Some(Reason::KindMismatch));
    let stranger = with_checksum(&format!("kdag_{}{}", "1".repeat(12), &token[17..50]));
    assert_eq!(verify(&open, &stranger).reason(), Some(Reason::Unknown));
}

/// What an attacker does: CRC-32 in six Base58 digits.
fn with_checksum(body: &str) -> String {
    const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mut rest = crc32fast::hash(body.as_bytes());
    let mut digits = [0; 6];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(rest % 58) as usize];
        rest /= 58;
    }
    format!("{body}{}", std::str::from_utf8(&digits).unwrap())
}

#[test]
fn an_expired_key_stays_expired_when_the_clock_is_set_back() {
    let bench = Bench::new();
    let (open, _) = bench.found();
    let Command::IssueKey(new) = agency_key("Short") else { unreachable!() };
    let new = NewKey { expiry: Some(Expiry::At(START.plus_days(1).unwrap())), ..new };
    let token = open.engine.execute(&open.session, Command::IssueKey(new)).unwrap().token.unwrap();
    bench.clock.pass(86_400_000 - 1);
    assert!(verify(&open, token.reveal()).is_allow());
    bench.clock.pass(1);
    assert_eq!(verify(&open, token.reveal()).reason(), Some(Reason::Expired));
    // Anything written carries the time along.
    issue(&open, "Later");
    drop(open);
    bench.clock.set(START);
    assert_eq!(verify(&bench.open(), token.reveal()).reason(), Some(Reason::Expired));
    // Whoever takes the row with the highest time away has the trail against them.
    bench.tamper(|store| {
        store.commit(&[], &[Op::Delete(b"c/clock".to_vec())]).unwrap();
    });
    assert_eq!(verify(&bench.open(), token.reveal()).reason(), Some(Reason::Expired));
}

#[test]
fn a_wrong_passphrase_unseals_nothing_and_costs_more_each_time() {
    let bench = Bench::new();
    drop(bench.found());
    for _ in 0..4 {
        let error = bench.open_as("maria", "wrong horse battery staple").err().unwrap();
        assert!(error.is_unseal(), "{error}");
    }
    let Err(OpenError::Throttled { failed: 4, .. }) = bench.open_as("maria", PHRASE) else {
        panic!("no wait")
    };
    // Another process is none the worse for it, and this one only for a while.
    let other = Options { callers: Arc::default(), ..bench.options() };
    let maria = phrase(PHRASE);
    let open = open(&other, &Key::Operator { name: "maria", passphrase: &maria }).unwrap();
    let page = open.engine.audit(&open.session, None, 1, None).unwrap();
    assert_eq!(page.lines[0].entry.changes[0].to, "4", "the next session says how often somebody failed");
    drop(open);
    bench.clock.pass(60_000);
    let open = bench.open_as("MARIA", PHRASE).unwrap();
    assert!(open.engine.doubts().is_empty());
}

#[test]
fn an_operator_called_recovery_signs_in_like_anybody() {
    // As the slot of the code is labelled itself, and in other letters.
    for called in ["recovery", "Recovery"] {
        let bench = Bench::new();
        let (open, _) = bench.found();
        for name in [called, "RECOVERY CODE"] {
            let (name, secret) = (Name::new(name).unwrap(), phrase(&format!("the passphrase of {name}")));
            let secret = Brought::Passphrase(&secret);
            open.engine.act(&open.session, Command::AddOperator { name, role: Role::Admin }, secret).unwrap();
        }
        drop(open);
        let passphrase = format!("the passphrase of {called}");
        let theirs = bench.open_as("RECOVERY", &passphrase).unwrap();
        let code = theirs.engine.execute(&theirs.session, Command::ReplaceRecovery).unwrap().code.unwrap();
        drop(theirs);
        drop(bench.open_as("recovery code", "the passphrase of RECOVERY CODE").unwrap());
        let theirs = bench.open_as(called, &passphrase).unwrap();
        let (own, other) = (theirs.session.actor().operator, phrase("another one for them"));
        theirs.engine.act(&theirs.session, Command::SetSecret(own), Brought::Passphrase(&other)).unwrap();
        drop(theirs);
        drop(bench.open_as(called, "another one for them").unwrap());
        let opened = open_with(&bench, &code);
        assert!(opened.is_ok(), "{called}: their name and the code do not get into each other's way");
    }
}

#[test]
fn operators_come_and_go_with_their_slots() {
    let bench = Bench::new();
    let (open, _) = bench.found();
    let secret = phrase("jonas has a long passphrase");
    let name = Name::new("Jonas").unwrap();
    open.engine
        .act(&open.session, Command::AddOperator { name, role: Role::Manager }, Brought::Passphrase(&secret))
        .unwrap();
    let jonas = open.engine.state().operator_named("jonas").unwrap().id;
    drop(open);
    let theirs = bench.open_as("jonas", "jonas has a long passphrase").unwrap();
    let refused = theirs.engine.execute(&theirs.session, agency_key("Mine"));
    assert!(matches!(refused, Err(EngineError::Refused(Refusal::RoleTooLow { .. }))));
    let fresh = phrase("jonas chose another passphrase");
    theirs.engine.act(&theirs.session, Command::SetSecret(jonas), Brought::Passphrase(&fresh)).unwrap();
    drop(theirs);
    assert!(bench.open_as("jonas", "jonas has a long passphrase").is_err());
    drop(bench.open_as("jonas", "jonas chose another passphrase").unwrap());
    let open = bench.open();
    open.engine
        .execute(&open.session, Command::DisableOperator { operator: jonas, keys: KeysAfter::Stop })
        .unwrap();
    drop(open);
    assert!(bench.open_as("jonas", "jonas chose another passphrase").err().unwrap().is_unseal());
    let open = bench.open();
    open.engine.act(&open.session, Command::EnableOperator(jonas), Brought::Passphrase(&fresh)).unwrap();
    drop(open);
    assert!(bench.open_as("jonas", "jonas chose another passphrase").is_ok());
}

#[test]
fn an_old_header_put_back_lets_no_old_passphrase_in() {
    let bench = Bench::new();
    drop(bench.found());
    let old: Vec<_> =
        ["header", "header.bak"].map(|f| std::fs::read(bench.dir.path().join(f)).unwrap()).into();
    let open = bench.open();
    let maria = open.session.actor().operator;
    let fresh = phrase("the old passphrase was on a note");
    open.engine.act(&open.session, Command::SetSecret(maria), Brought::Passphrase(&fresh)).unwrap();
    drop(open);
    drop(bench.open_as("maria", "the old passphrase was on a note").unwrap());
    for (file, bytes) in ["header", "header.bak"].iter().zip(&old) {
        std::fs::write(bench.dir.path().join(file), bytes).unwrap();
    }
    assert!(matches!(bench.open_as("maria", PHRASE), Err(OpenError::OldHeader)));
}

#[test]
fn an_old_header_with_the_old_records_beside_it_lets_nobody_in_who_was_shut_out() {
    let bench = Bench::new();
    let (open, _) = bench.found();
    let jonas_phrase = phrase("jonas has a long passphrase");
    let secret = Brought::Passphrase(&jonas_phrase);
    open.engine
        .act(
            &open.session,
            Command::AddOperator { name: Name::new("Jonas").unwrap(), role: Role::Viewer },
            secret,
        )
        .unwrap();
    let (jonas, maria) =
        (open.engine.state().operator_named("jonas").unwrap().id, open.session.actor().operator);
    drop(open);
    let files = ["header", "header.bak"].map(|file| bench.dir.path().join(file));
    let headers = files.each_ref().map(|file| std::fs::read(file).unwrap());
    let at = format!("u/{}", jonas.public());
    let (mut operator, mut mark) = (Vec::new(), Vec::new());
    bench.tamper(|store| (operator, mark) = (row(store, &at), row(store, "m/header")));
    let open = bench.open();
    open.engine
        .execute(&open.session, Command::DisableOperator { operator: jonas, keys: KeysAfter::Stop })
        .unwrap();
    let fresh = phrase("the old passphrase was on a note");
    open.engine.act(&open.session, Command::SetSecret(maria), Brought::Passphrase(&fresh)).unwrap();
    drop(open);
    // A proven admin looks although something is wrong.
    bench.tamper(|store| put(store, &at, operator));
    let open = bench.open_as("maria", "the old passphrase was on a note").unwrap();
    assert!(!open.engine.doubts().is_empty());
    drop(open);
    bench.tamper(|store| put(store, "m/header", mark));
    for (file, bytes) in files.iter().zip(&headers) {
        std::fs::write(file, bytes).unwrap();
    }
    for (who, text) in [("jonas", "jonas has a long passphrase"), ("maria", PHRASE)] {
        let told = bench.open_as(who, text).err();
        assert!(matches!(told, Some(OpenError::Unproven(_))), "{who}: {told:?}");
    }
    bench.tamper(|store| {
        store.commit(&[], &[Op::Delete(b"m/header".to_vec())]).unwrap();
    });
    assert!(matches!(bench.open_as("maria", PHRASE), Err(OpenError::Unproven(_))));
}

#[test]
fn an_old_record_put_back_attaches_nobody_with_the_role_they_had() {
    let bench = Bench::new();
    let (open, _) = bench.found();
    let (jonas, vera) = (phrase("jonas has a long passphrase"), phrase("vera has a long passphrase"));
    let add = |name: &str, role, secret: &Passphrase| {
        let name = Name::new(name).unwrap();
        open.engine
            .act(&open.session, Command::AddOperator { name, role }, Brought::Passphrase(secret))
            .unwrap();
    };
    add("jonas", Role::Admin, &jonas);
    add("vera", Role::Viewer, &vera);
    let id = open.engine.state().operator_named("jonas").unwrap().id;
    drop(open);
    let at = format!("u/{}", id.public());
    let mut before = Vec::new();
    bench.tamper(|store| before = row(store, &at));
    let open = bench.open();
    open.engine
        .execute(&open.session, Command::SetRole { operator: id, role: Role::Viewer, basis: None })
        .unwrap();
    drop(open);
    bench.tamper(|store| put(store, &at, before));
    let open = bench.open();
    let attach = |name: &str, passphrase: &Passphrase| {
        open.engine.admit(&Key::Operator { name, passphrase }, Via::CommandLine, Peer::this())
    };
    assert!(matches!(attach("jonas", &jonas), Err(OpenError::Unproven(_))), "an admin again");
    assert!(attach("vera", &vera).is_ok(), "nothing speaks against her");
    assert!(attach("maria", &phrase(PHRASE)).is_ok());
    drop(open);
    // Where nothing is vouched for, only an admin may look.
    std::fs::remove_file(bench.dir.path().join("seal")).unwrap();
    let open = bench.open();
    let attach = |name: &str, passphrase: &Passphrase| {
        open.engine.admit(&Key::Operator { name, passphrase }, Via::CommandLine, Peer::this())
    };
    assert!(matches!(attach("vera", &vera), Err(OpenError::Unproven(_))));
    assert!(attach("maria", &phrase(PHRASE)).is_ok());
}

/// Whoever steals the disk learns how much there is, who signs in, and nothing else.
#[test]
fn the_files_on_disk_give_away_no_name_scope_location_or_note() {
    let bench = Bench::new();
    let (open, _) = bench.found();
    let marked = |text: &str| Name::new(&format!("{text} Zwölfgelb")).unwrap();
    let does = |command| open.engine.execute(&open.session, command).unwrap();
    does(Command::AddLocations(vec![marked("Harbour")]));
    let place = Place::Location(open.engine.state().locations().next().unwrap().id);
    let scopes: Vec<String> = vec!["contacts.read".into(), "locations.read".into()];
    let note = Note::new("what it is for: Zwölfgelb").unwrap();
    let new = NewKey {
        name: marked("Export"),
        place,
        scopes: scopes.clone(),
        expiry: None,
        note: note.clone(),
        decoy: false,
    };
    let token = does(Command::IssueKey(new)).token.unwrap();
    let url = |path: &str| Url::new(&format!("https://zwoelfgelb.example/{path}")).unwrap();
    does(Command::CreateApp(NewApp {
        name: marked("Connector"),
        profile: Profile {
            uri: url("home"),
            description: note,
            user_type: UserType::Both,
            source: SourceApp::ClientApp,
            post_login: vec![url("in")],
            post_logout: vec![url("out")],
        },
        method: AuthMethod::Jwt,
        scopes: scopes.clone(),
        terms: keydeck::domain::Terms::default(),
    }));
    does(Command::SetPolicy {
        name: "base-url".into(),
        value: "https://zwoelfgelb.example".into(),
        basis: None,
    });
    // Used, refused, told: what callers say of themselves is kept too.
    let agent = Some(&b"zwoelfgelb-agent/1"[..]);
    let origin = Origin { address: Some("203.0.113.77".parse().unwrap()), agent };
    let wanted = [scopes[0].parse().unwrap()];
    assert!(open.engine.verify_from(token.reveal().as_bytes(), &wanted, origin).is_allow());
    assert!(
        !open
            .engine
            .verify_from(token.reveal().as_bytes(), &["contacts.write".parse().unwrap()], origin)
            .is_allow()
    );
    open.engine.settle().unwrap();
    // And once on a disk that takes nothing, for what lies beside the database.
    let (store, aside) = (bench.dir.path().join("store"), bench.dir.path().join("aside"));
    let key = KeyId(token.id());
    std::fs::rename(&store, &aside).unwrap();
    let narrower = Command::RescopeKey { key, scopes: vec![scopes[0].clone()], basis: None };
    let told = open.engine.execute(&open.session, narrower).err();
    assert!(matches!(told, Some(EngineError::DeniedKept(_))), "{told:?}");
    drop(open);
    std::fs::rename(&aside, &store).unwrap();
    let mut files = Vec::new();
    raw(bench.dir.path(), &mut files);
    let holds = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|found| found == text.as_bytes());
    let mut secret: Vec<String> =
        ["Zwölfgelb", "zwoelfgelb", "Acme Agency", "Harbour", "Connector", "203.0.113.77", "key.issue"]
            .map(str::to_owned)
            .into();
    secret.extend(scopes);
    secret.push("contacts.write".into());
    for (path, bytes) in &files {
        for text in &secret {
            assert!(!holds(bytes, text), "{} tells {text:?}", path.display());
        }
        // Who signs in: a slot has to be found by a name before anything is unsealed.
        let named = path.file_name().unwrap().to_string_lossy().starts_with("header");
        assert_eq!(holds(bytes, "maria"), named, "{}", path.display());
    }
    assert!(files.len() > 5 && files.iter().any(|(_, bytes)| bytes.len() > 10_000), "nothing was looked at");
    let reopened = bench.open();
    assert_eq!(reopened.engine.state().key(key).unwrap().name, marked("Export"), "and yet it is all there");
}

/// Every file under `dir`, as it lies there.
fn raw(dir: &Path, into: &mut Vec<(std::path::PathBuf, Vec<u8>)>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            raw(&path, into);
        } else {
            let bytes = std::fs::read(&path).unwrap();
            into.push((path, bytes));
        }
    }
}

#[test]
fn the_recovery_code_gives_a_new_passphrase_once() {
    let bench = Bench::new();
    let (open, code) = bench.found();
    drop(open);
    let rescue = open_with(&bench, &code).unwrap();
    let refused = rescue.engine.execute(&rescue.session, agency_key("Mine"));
    assert!(matches!(refused, Err(EngineError::Refused(Refusal::RecoveryOnly))));
    let maria = rescue.session.actor().operator;
    let fresh = phrase("maria found her paper again");
    rescue.engine.act(&rescue.session, Command::SetSecret(maria), Brought::Passphrase(&fresh)).unwrap();
    let next = rescue.engine.execute(&rescue.session, Command::ReplaceRecovery).unwrap().code.unwrap();
    drop(rescue);
    drop(bench.open_as("maria", "maria found her paper again").unwrap());
    assert!(open_with(&bench, &code).is_err(), "the used code is worthless");
    assert!(open_with(&bench, &next).is_ok());
}

fn open_with(bench: &Bench, code: &RecoveryCode) -> Result<Open, OpenError> {
    open(&bench.options(), &Key::Recovery { name: "maria", code })
}

#[test]
fn a_revoked_key_put_back_as_it_was_is_noticed_and_refused() {
    let bench = Bench::new();
    let (open, _) = bench.found();
    let (id, token) = issue(&open, "Victim");
    let (_, bystander) = issue(&open, "Bystander");
    drop(open);
    let at = format!("p/{id}");
    let mut before = Vec::new();
    bench.tamper(|store| before = row(store, &at));
    let open = bench.open();
    open.engine.execute(&open.session, Command::revoke(id)).unwrap();
    drop(open);
    bench.tamper(|store| put(store, &at, before));
    let open = bench.open();
    assert_eq!(open.notices.len(), 1, "{:?}", open.notices);
    assert!(open.notices[0].contains(&at), "{:?}", open.notices);
    assert_eq!(verify(&open, &token).reason(), Some(Reason::StoreError));
    assert!(verify(&open, &bystander).is_allow(), "the others go on working");
    let refused = open.engine.execute(&open.session, agency_key("More"));
    assert!(matches!(refused, Err(EngineError::Suspect(_))));
    let report = open.engine.check_audit(&open.session).unwrap();
    assert_eq!(report.integrity, Integrity::Altered);
}

#[test]
fn records_moved_copied_removed_or_bent_are_noticed() {
    type Edit = Box<dyn Fn(&dyn Store, &str, &str)>;
    let edits: [(&str, Edit); 5] = [
        (
            "moved",
            Box::new(|s, a, b| {
                let (one, two) = (row(s, a), row(s, b));
                put(s, a, two);
                put(s, b, one);
            }),
        ),
        ("copied to a new id", Box::new(|s, a, _| put(s, "p/111111111111", row(s, a)))),
        (
            "removed",
            Box::new(|s, a, _| {
                s.commit(&[], &[Op::Delete(a.as_bytes().to_vec())]).unwrap();
            }),
        ),
        (
            "bent",
            Box::new(|s, a, _| {
                let mut value = row(s, a);
                let last = value.len() - 1;
                value[last] ^= 1;
                put(s, a, value);
            }),
        ),
        ("strange", Box::new(|s, _, _| put(s, "m/backdoor", b"x".to_vec()))),
    ];
    for (what, edit) in edits {
        let bench = Bench::new();
        let (open, _) = bench.found();
        let (one, token) = issue(&open, "One");
        let (two, _) = issue(&open, "Two");
        drop(open);
        bench.tamper(|store| edit(store, &format!("p/{one}"), &format!("p/{two}")));
        let open = bench.open();
        assert!(!open.notices.is_empty(), "{what} went unnoticed");
        // What was added takes nothing from what is vouched for.
        let added = matches!(what, "copied to a new id" | "strange");
        assert_eq!(verify(&open, &token).is_allow(), added, "{what}");
        assert!(
            matches!(open.engine.execute(&open.session, agency_key("N")), Err(EngineError::Suspect(_))),
            "{what}"
        );
    }
}

#[test]
fn the_trail_shows_edits_cuts_and_gaps() {
    type Case = (&'static str, Integrity, fn(&dyn Store));
    let cases: [Case; 4] = [
        ("tail cut", Integrity::Short, |s| {
            let last = s.range_back(&KeyRange::prefix(b"a/"), None, 1).unwrap().rows.pop().unwrap().0;
            s.commit(&[], &[Op::Delete(last)]).unwrap();
        }),
        ("gap", Integrity::Short, |s| {
            s.commit(&[], &[Op::Delete(format!("a/{:020}", 2).into_bytes())]).unwrap();
        }),
        ("swapped", Integrity::Altered, |s| {
            let (two, three) = (format!("a/{:020}", 2), format!("a/{:020}", 3));
            let (one, other) = (row(s, &two), row(s, &three));
            put(s, &two, other);
            put(s, &three, one);
        }),
        ("bent", Integrity::Altered, |s| {
            let at = format!("a/{:020}", 2);
            let mut value = row(s, &at);
            value[60] ^= 4;
            put(s, &at, value);
        }),
    ];
    for (what, standing, edit) in cases {
        let bench = Bench::new();
        let (open, _) = bench.found();
        for n in 0..4 {
            issue(&open, &format!("K{n}"));
        }
        drop(open);
        bench.tamper(|store| edit(store));
        let open = bench.open();
        let report = open.engine.check_audit(&open.session).unwrap();
        assert_eq!(report.integrity, standing, "{what}: {:?}", report.faults);
    }
}

#[test]
fn a_whole_store_put_back_in_time_is_found_by_its_seal() {
    let bench = Bench::new();
    let (open, _) = bench.found();
    let (id, token) = issue(&open, "Victim");
    drop(open);
    let kept = tempfile::tempdir().unwrap();
    copy(&bench.dir.path().join("store"), kept.path());
    let open = bench.open();
    open.engine.execute(&open.session, Command::revoke(id)).unwrap();
    drop(open);
    std::fs::remove_dir_all(bench.dir.path().join("store")).unwrap();
    copy(kept.path(), &bench.dir.path().join("store"));
    let open = bench.open();
    assert!(!open.notices.is_empty());
    assert!(!verify(&open, &token).is_allow(), "a revoked key came alive again");
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[test]
fn fifty_threads_cannot_pass_a_quota_of_twenty() {
    let bench = Bench::new();
    let (open, _) = bench.found();
    let (engine, session) = (&open.engine, &open.session);
    let issued: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..50)
            .map(|n| {
                scope
                    .spawn(move || usize::from(engine.execute(session, agency_key(&format!("K{n}"))).is_ok()))
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).sum()
    });
    assert_eq!(issued, 20);
    assert_eq!(open.engine.state().key_count(), 20);
}

#[test]
fn every_command_leaves_one_entry_and_no_entry_a_secret() {
    let bench = Bench::new();
    let (open, _) = bench.found();
    let (id, token) = issue(&open, "K");
    let _ = open.engine.execute(&open.session, agency_key("K"));
    open.engine.execute(&open.session, Command::PauseKey(id, None)).unwrap();
    let page = open.engine.audit(&open.session, None, 100, None).unwrap();
    let events: Vec<_> = page.lines.iter().rev().map(|l| l.entry.event.as_str()).collect();
    assert_eq!(events, ["store.found", "key.issue", "key.issue", "key.pause"]);
    assert_eq!(page.lines[1].entry.reason.as_deref(), Some("name_taken"));
    let secret = &token[18..50];
    assert!(page.lines.iter().all(|l| !l.body.contains(secret)));
    let about = open.engine.audit(&open.session, None, 100, Some(id)).unwrap();
    assert_eq!(about.lines.len(), 2);
    let pages = open.engine.audit(&open.session, None, 3, None).unwrap();
    assert_eq!(pages.lines.len(), 3);
    let rest = open.engine.audit(&open.session, pages.next, 3, None).unwrap();
    assert_eq!(rest.lines.len(), 1);
    assert_eq!(rest.next, None);
}

#[test]
fn a_second_set_up_in_the_same_directory_is_refused() {
    let bench = Bench::new();
    drop(bench.found());
    let name = |text| Name::new(text).unwrap();
    let again = found(&bench.options(), name("Other"), name("eve"), &phrase(PHRASE));
    assert!(matches!(again, Err(OpenError::Exists(_))));
    assert!(bench.open_as("maria", PHRASE).is_ok());
}

#[test]
fn everybody_may_know_what_opens_the_store_for_them_and_admins_all_of_it() {
    let bench = Bench::new();
    let (founder, _) = bench.found();
    let sam = Name::new("sam").unwrap();
    let secret = phrase("sam's own long passphrase");
    founder
        .engine
        .act(
            &founder.session,
            Command::AddOperator { name: sam, role: Role::Viewer },
            Brought::Passphrase(&secret),
        )
        .unwrap();
    let labels = |open: &Open| -> Vec<String> {
        let doors = open.engine.doors(&open.session).unwrap();
        assert_eq!(doors.dir.as_deref(), bench.dir.path().to_str());
        assert!(doors.sealed_at.is_some() && doors.slots.iter().all(|slot| slot.created_at == START));
        doors.slots.into_iter().map(|slot| slot.label).collect()
    };
    assert_eq!(labels(&founder), ["maria", "recovery", "sam"]);
    founder.engine.settle().unwrap();
    drop(founder);
    assert_eq!(labels(&bench.open_as("sam", "sam's own long passphrase").unwrap()), ["recovery", "sam"]);
}
