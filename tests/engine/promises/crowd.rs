//! A store of many operators: each has a slot of their own, found by name. `KEYDECK_OPERATORS=1023` for as many as there may be
//! beside the founder.

use keydeck::crypto::keyfile::KeyFileSecret;
use keydeck::crypto::random::OsEntropy;
use keydeck::domain::OperatorId;

use super::*;

struct Crowd {
    bench: Bench,
    keys: tempfile::TempDir,
}

impl Crowd {
    /// A key file: a thousand passphrases would cost a thousand Argon2.
    fn secret(&self, called: &str) -> KeyFileSecret {
        KeyFileSecret::create(&self.keys.path().join(called), &mut OsEntropy).unwrap()
    }

    fn known(&self, called: &str) -> KeyFileSecret {
        KeyFileSecret::read(&self.keys.path().join(called)).unwrap()
    }

    fn add(&self, open: &Open, called: &str) -> Result<OperatorId, EngineError> {
        let add = Command::AddOperator { name: Name::new(called).unwrap(), role: Role::Viewer };
        open.engine.act(&open.session, add, Brought::KeyFile(&self.secret(called)))?;
        Ok(open.engine.state().operator_named(called).unwrap().id)
    }

    fn enters(&self, open: &Open, called: &str) -> bool {
        let secret = self.known(called);
        open.engine.admit(&Key::KeyFile(&secret), Via::CommandLine, Peer::this()).is_ok()
    }
}

#[test]
fn many_operators_sign_in_get_other_secrets_and_are_disabled_each_by_themselves() {
    // More than fitted a header once.
    let many: usize = std::env::var("KEYDECK_OPERATORS").map_or(100, |n| n.parse().unwrap());
    let crowd = Crowd { bench: Bench::new(), keys: tempfile::tempdir().unwrap() };
    let (open, _) = crowd.bench.found();
    let called = |n: usize| format!("operator {n}");
    let ids: Vec<OperatorId> = (0..many).map(|n| crowd.add(&open, &called(n)).unwrap()).collect();
    let (first, middle, last) = (0, many / 2, many - 1);
    assert!([first, middle, last].iter().all(|n| crowd.enters(&open, &called(*n))));

    // A passphrase instead of a key file, of a header that may be full.
    let fresh = phrase("somebody chose another passphrase");
    open.engine.act(&open.session, Command::SetSecret(ids[middle]), Brought::Passphrase(&fresh)).unwrap();
    assert!(!crowd.enters(&open, &called(middle)));
    for gone in [first, last] {
        let disable = Command::DisableOperator { operator: ids[gone], keys: KeysAfter::Stop };
        open.engine.execute(&open.session, disable).unwrap();
        assert!(!crowd.enters(&open, &called(gone)));
    }
    assert!(crowd.enters(&open, &called(1)));
    crowd.add(&open, "somebody new").unwrap();
    drop(open);

    // And so it stands in the files.
    drop(crowd.bench.open_as(&called(middle).to_uppercase(), "somebody chose another passphrase").unwrap());
    let open = crowd.bench.open();
    assert!(open.notices.is_empty(), "{:?}", open.notices);
    assert!(crowd.enters(&open, "somebody new") && crowd.enters(&open, &called(1)));
    assert!(!crowd.enters(&open, &called(first)));
}
