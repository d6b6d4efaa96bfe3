use std::collections::BTreeSet;

use super::*;
use crate::crypto::passphrase::{Cost, Passphrase};
use crate::domain::{KeyState, View};
use crate::engine::Integrity;
use crate::engine::open::{Key, Options, open as enter};

const SIZE: Size = Size { keys: 400, operators: 12, seed: 3 };
const PHRASE: &str = "correct horse battery staple";

fn on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn names(open: &Open) -> BTreeSet<String> {
    open.engine.state().keys().map(|key| key.name.to_string()).collect()
}

#[test]
fn a_sample_store_of_any_size_has_so_many_keys_and_operators_and_lives_behind_them() {
    let made = open(SIZE, &mut on).unwrap().unwrap();
    let state = made.engine.state();
    let now = made.engine.now().time;
    let view = View::new(&state, made.session.actor());
    assert!(view.is_whole());
    assert_eq!((state.key_count(), state.operators().count()), (SIZE.keys, SIZE.operators));
    for wanted in KeyState::ALL {
        assert!(view.keys().any(|key| key.state(now) == wanted), "no key is {wanted}");
    }
    let used = view.keys().filter(|key| state.usage(key.id).count > 0).count();
    assert!(used > SIZE.keys / 2, "{used} were used");
    assert!(view.keys().any(|key| key.place.app().is_some()));
    drop(state);
    let report = made.engine.check_audit(&made.session).unwrap();
    assert_eq!(report.integrity, Integrity::Intact, "{:?}", report.faults);
    let again = open(SIZE, &mut on).unwrap().unwrap();
    assert_eq!(names(&made), names(&again), "the same number tells the same story");
    assert_ne!(names(&made), names(&open(Size { seed: 4, ..SIZE }, &mut on).unwrap().unwrap()));
}

#[test]
fn one_in_a_directory_opens_like_any_other_and_one_that_was_given_up_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    let name = |text| Name::new(text).unwrap();
    let phrase = Passphrase::choose(PHRASE).unwrap();
    let options = |dir: &str| Options {
        cost: Cost::IMPORTED,
        ..Options::new(&root.path().join(dir), "test", Via::CommandLine)
    };
    let begin = |dir| Making::begin(&options(dir), name("Acme"), name("maria"), &phrase).unwrap();
    let up_to =
        |last: Stage| move |at: Progress| if at.stage == last { ControlFlow::Break(()) } else { on(at) };
    for stage in [Stage::Operators, Stage::Keys, Stage::Uses, Stage::Rows] {
        assert!(begin("given up").complete(SIZE, &mut up_to(stage)).unwrap().is_none(), "{stage:?}");
        assert!(!root.path().join("given up").exists(), "{stage:?}");
    }
    std::fs::create_dir(root.path().join("full")).unwrap();
    std::fs::write(root.path().join("full/theirs"), "x").unwrap();
    assert!(matches!(begin("full").complete(SIZE, &mut on), Err(OpenError::Exists(_))));
    assert!(root.path().join("full/theirs").exists());

    let making = begin("made");
    let code = making.recovery().reveal();
    making.complete(SIZE, &mut on).unwrap().unwrap();
    let key = Key::Operator { name: "maria", passphrase: &phrase };
    let opened = enter(&options("made"), &key).unwrap();
    assert!(opened.notices.is_empty(), "{:?}", opened.notices);
    assert_eq!(opened.engine.state().key_count(), SIZE.keys);
    let report = opened.engine.check_audit(&opened.session).unwrap();
    assert_eq!(report.integrity, Integrity::Intact, "{:?}", report.faults);
    drop(opened);
    let code = crate::crypto::recovery::RecoveryCode::parse(&code).unwrap();
    assert!(enter(&options("made"), &Key::Recovery { name: "maria", code: &code }).is_ok());
}
