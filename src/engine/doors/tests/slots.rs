//! Which of several slots counts, and which of two headers.

use super::*;

#[test]
fn a_store_in_which_two_names_have_become_one_opens_for_both() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { cost: Cost::IMPORTED, ..Options::new(dir.path(), "test", Via::CommandLine) };
    let phrase = |text: &str| Passphrase::choose(&format!("the passphrase of {text}")).unwrap();
    let store = found(&options, name("Acme"), name("maria"), &phrase("maria")).unwrap().open;
    let both = [
        ("Straße", OperatorId(PublicId::from_bytes([b'2'; 12]).unwrap())),
        ("STRASSE", OperatorId(PublicId::from_bytes([b'3'; 12]).unwrap())),
    ];
    for (called, id) in both {
        // Written as when these were two names: the rules would refuse the second by now.
        let at = store.engine.now().time;
        let operator = Operator {
            id,
            name: name(called),
            role: Role::Viewer,
            standing: Standing::Active,
            created_at: at,
            lockdown: None,
        };
        let mut held = store.engine.held().unwrap();
        let before = held.file.load().unwrap();
        let secret = phrase(called);
        let new =
            NewSlot { label: called, created_ms: 1, secret: SlotSecret::Passphrase(&secret, Cost::IMPORTED) };
        let opens = Unlock::Operator { name: called, passphrase: &secret };
        let added = held.add(&before, new, &opens, |slot| is_of(slot, called)).unwrap();
        let records = vec![Record::Operator(operator), Record::Header(naming(&added.header, |_| true))];
        let entry = Entry::of(store.session.line(&store.engine.state()), at, "operator.add");
        store.engine.ledger().write(entry, records, None, None, Sequel::Nothing).unwrap();
    }
    drop(store);
    let enter = |called: &str, secret: &Passphrase| {
        open(&options, &Key::Operator { name: called, passphrase: secret })
    };
    for (called, id) in both {
        let entered = enter(called, &phrase(called)).unwrap();
        assert_eq!(entered.session.actor().operator, id, "{called}");
    }
    // A new secret of the one leaves the other's alone.
    let entered = enter("Straße", &phrase("Straße")).unwrap();
    let fresh = phrase("x");
    let command = Command::SetSecret(both[0].1);
    entered.engine.act(&entered.session, command, Brought::Passphrase(&fresh)).unwrap();
    drop(entered);
    assert!(enter("STRASSE", &phrase("STRASSE")).is_ok());
    assert!(enter("Straße", &fresh).is_ok());
}

#[test]
fn a_slot_that_the_store_may_name_is_not_taken_back_however_the_outcome_is_told() {
    let unknown = || EngineError::from(CommitError::Unknown("no answer".into()));
    let told = [
        (unknown(), true),
        (EngineError::DeniedKept(Box::new(unknown())), true),
        (EngineError::DeniedNotDurable(Box::new(unknown())), true),
        (EngineError::NeverShown(Box::new(unknown())), true),
        (EngineError::DeniedKept(Box::new(CommitError::Unavailable("full".into()).into())), false),
    ];
    for (error, stays) in told {
        let w = World::new();
        let mut held = w.engine.held().unwrap();
        let before = held.file.load().unwrap();
        let fresh = key_file(7);
        let slot = NewSlot { label: "maria", created_ms: 1, secret: SlotSecret::KeyFile(&fresh) };
        let after = before.add_slot(w.engine.keyring.root(), slot, &mut OsEntropy).unwrap();
        held.file.replace(&after).unwrap();
        held.take_back(&before, &error);
        assert_eq!(held.file.load().unwrap() == after, stays, "{error}");
    }
}

/// A copy of the header from another moment, of this store or of one that was copied from it, beside a good one.
#[test]
fn a_header_of_another_moment_does_not_win_over_the_good_copy_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = |file: &str| dir.path().join(file);
    let options = Options { cost: Cost::IMPORTED, ..Options::new(dir.path(), "test", Via::CommandLine) };
    let phrase = |text: &str| Passphrase::choose(&format!("the passphrase of {text}")).unwrap();
    let (first, second, other) = (phrase("the first"), phrase("the second"), phrase("another day"));
    let enter = |passphrase: &Passphrase| open(&options, &Key::Operator { name: "maria", passphrase });
    let store = found(&options, name("Acme"), name("maria"), &first).unwrap().open;
    let maria = store.session.actor().operator;
    let set = |store: &crate::engine::open::Open, passphrase: &Passphrase| {
        store.engine.act(&store.session, Command::SetSecret(maria), Brought::Passphrase(passphrase)).unwrap();
    };
    let add = |store: &crate::engine::open::Open, called: &str, passphrase: &Passphrase| {
        let secret = Brought::Passphrase(passphrase);
        store
            .engine
            .act(&store.session, Command::AddOperator { name: name(called), role: Role::Viewer }, secret)
            .unwrap();
    };
    drop(store);
    let old = std::fs::read(path(HEADER)).unwrap();
    // What would have become of it: later by its number, and without the slot that counts.
    let twin = tempfile::tempdir().unwrap();
    std::fs::create_dir(twin.path().join("store")).unwrap();
    for file in ["header", "header.bak", "seal", "denials", "recent.0", "store/db", "store/conf"] {
        if path(file).exists() {
            std::fs::copy(path(file), twin.path().join(file)).unwrap();
        }
    }
    let there = Options { dir: twin.path().to_owned(), ..options.clone() };
    let copied = open(&there, &Key::Operator { name: "maria", passphrase: &first }).unwrap();
    set(&copied, &other);
    for called in ["ann", "bob", "cid"] {
        add(&copied, called, &first);
    }
    drop(copied);
    let elsewhere = std::fs::read(twin.path().join(HEADER)).unwrap();
    let store = enter(&first).unwrap();
    set(&store, &second);
    drop(store);
    let good = std::fs::read(path(HEADER)).unwrap();
    for (case, strange) in [("old", &old), ("elsewhere", &elsewhere)] {
        for (at, beside) in [(HEADER, HEADER_COPY), (HEADER_COPY, HEADER)] {
            std::fs::write(path(at), strange).unwrap();
            std::fs::write(path(beside), &good).unwrap();
            for wrong in [&first, &other] {
                assert!(enter(wrong).is_err(), "{case} as {at}: a passphrase of another moment");
            }
            let store = enter(&second).unwrap_or_else(|error| panic!("{case} as {at}: {error}"));
            assert!(std::fs::read(path(at)).unwrap() == good, "{case} as {at}: it was not put right");
            // And while the store is open.
            std::fs::write(path(at), strange).unwrap();
            let key = Key::Operator { name: "maria", passphrase: &second };
            let peer = crate::engine::Peer::this();
            store.engine.admit(&key, Via::CommandLine, peer).unwrap_or_else(|e| panic!("{case}, {at}: {e}"));
            let slots = store.engine.doors(&store.session).unwrap().slots;
            assert_eq!(slots.len(), 2, "{case} as {at}");
        }
    }
}
