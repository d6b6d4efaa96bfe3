//! The promises of a sealed record, the record set, the audit chain, the seal file and an imported secret: whatever
//! is changed, moved, removed or put back is refused, never returned as something else.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop")]

use std::collections::BTreeMap;

use keydeck::crypto::CryptoError;
use keydeck::crypto::StoreId;
use keydeck::crypto::chain::{self, ChainFault, Link};
use keydeck::crypto::fuzzing;
use keydeck::crypto::keyring::{Keyring, RootKey};
use keydeck::crypto::passphrase::Workspace;
use keydeck::crypto::phc::{Known, Phc, PhcRejected};
use keydeck::crypto::random::{Entropy, OsEntropy};
use keydeck::crypto::record::{OVERHEAD, RecordFault, tag};
use keydeck::crypto::state_digest::StateDigest;
use proptest::prelude::*;

struct Broken;
impl Entropy for Broken {
    fn fill(&mut self, _: &mut [u8]) -> Result<(), CryptoError> {
        Err(CryptoError::Randomness("out of order".into()))
    }
}

fn keyring() -> Keyring {
    fuzzing::keyring().unwrap()
}

/// The same root key under another store id, and the same store id over another root key.
fn strangers() -> [Keyring; 2] {
    let same_root = RootKey::generate(&mut fuzzing::Fixed).unwrap();
    let other_root = RootKey::generate(&mut OsEntropy).unwrap();
    [Keyring::new(same_root, StoreId([8; 16])), Keyring::new(other_root, StoreId([9; 16]))]
}

fn fault(keyring: &Keyring, key: &[u8], sealed: &[u8]) -> RecordFault {
    match keyring.sealer().open(key, sealed) {
        Err(CryptoError::Record(fault)) => fault,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("was opened"),
    }
}

#[test]
fn a_flipped_bit_anywhere_in_a_record_opens_nothing() {
    let keyring = keyring();
    let sealed = keyring.sealer().seal(b"k/7HqP2mVx9KtR", 42, b"Marketing automation").unwrap();
    assert_eq!(sealed.len(), OVERHEAD + 20);
    for place in 0..sealed.len() {
        for bit in 0..8 {
            let mut damaged = sealed.clone();
            damaged[place] ^= 1 << bit;
            let expected = match place {
                0 => RecordFault::Algorithm,
                1..=4 => RecordFault::Epoch,
                _ => RecordFault::Altered,
            };
            assert_eq!(fault(&keyring, b"k/7HqP2mVx9KtR", &damaged), expected, "byte {place}");
        }
    }
    for cut in 0..sealed.len() {
        let expected = if cut < OVERHEAD { RecordFault::Truncated } else { RecordFault::Altered };
        assert_eq!(fault(&keyring, b"k/7HqP2mVx9KtR", &sealed[..cut]), expected, "cut at {cut}");
    }
}

#[test]
fn a_record_moved_to_another_place_is_refused() {
    let keyring = keyring();
    let records = keyring.sealer();
    let sealed = records.seal(b"k/one", 1, b"text").unwrap();
    assert_eq!(&records.open(b"k/one", &sealed).unwrap().plain[..], b"text");
    for key in [&b"k/two"[..], b"k/on", b"k/onee", b"", b"p/one"] {
        assert_eq!(fault(&keyring, key, &sealed), RecordFault::Altered);
    }
    for stranger in strangers() {
        assert_eq!(fault(&stranger, b"k/one", &sealed), RecordFault::Altered);
    }
    // Fields must not run together: what leaves the key may not turn up in epoch or revision.
    let long = records.seal(b"k\0\0\0\x01", 1, b"text").unwrap();
    assert_eq!(fault(&keyring, b"k", &long), RecordFault::Altered);
}

#[test]
fn a_record_cannot_be_passed_off_as_another_revision() {
    let keyring = keyring();
    let records = keyring.sealer();
    let mut sealed = records.seal(b"k/one", 1, b"text").unwrap();
    sealed[5..13].copy_from_slice(&2u64.to_be_bytes());
    assert_eq!(fault(&keyring, b"k/one", &sealed), RecordFault::Altered);
}

#[test]
fn sealing_twice_never_gives_the_same_bytes_and_needs_randomness() {
    let records = keyring().sealer();
    assert_ne!(records.seal(b"k", 1, b"text").unwrap(), records.seal(b"k", 1, b"text").unwrap());
    assert!(matches!(records.seal_with(&mut Broken, b"k", 1, b"text"), Err(CryptoError::Randomness(_))));
}

#[test]
fn an_old_revision_put_back_changes_the_state_digest() {
    let keyring = keyring();
    let records = keyring.sealer();
    let revoked = records.seal(b"k/one", 2, b"revoked").unwrap();
    let active = records.seal(b"k/one", 1, b"active").unwrap();
    let mut state = keyring.empty_state();
    state.add(b"k/one", 1, &tag(&active).unwrap());
    let before = state.commitment();
    state.remove(b"k/one", 1, &tag(&active).unwrap());
    state.add(b"k/one", 2, &tag(&revoked).unwrap());
    let head = state.commitment();

    // At opening the digest is made from what the disk holds; the old record alone is still a well-sealed one.
    let seen = |found: &[(&[u8], &[u8])]| {
        let mut state = keyring.empty_state();
        for (key, sealed) in found {
            let opened = records.open(key, sealed).unwrap();
            state.add(key, opened.revision, &tag(sealed).unwrap());
        }
        state
    };
    assert!(seen(&[(b"k/one", &revoked)]).matches(&head));
    assert!(!seen(&[(b"k/one", &active)]).matches(&head));
    assert!(seen(&[(b"k/one", &active)]).matches(&before));
    assert!(!seen(&[]).matches(&head));
    assert!(!seen(&[(b"k/one", &revoked), (b"k/one", &revoked)]).matches(&head));
    // Another store's digest of the same set fits nothing here.
    for stranger in strangers() {
        let mut state = stranger.empty_state();
        state.add(b"k/one", 2, &tag(&revoked).unwrap());
        assert!(!state.matches(&head));
    }
}

#[derive(Debug, Clone)]
enum Change {
    Put(u8, u64, [u8; 16]),
    Delete(u8),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let put =
        (0..20u8, any::<u64>(), any::<[u8; 16]>()).prop_map(|(key, rev, tag)| Change::Put(key, rev, tag));
    let delete = (0..20u8).prop_map(Change::Delete);
    proptest::collection::vec(prop_oneof![3 => put, 1 => delete], 0..60)
}

fn apply(state: &mut StateDigest, live: &mut BTreeMap<u8, (u64, [u8; 16])>, change: &Change) {
    let (key, new) = match change {
        Change::Put(key, revision, tag) => (*key, Some((*revision, *tag))),
        Change::Delete(key) => (*key, None),
    };
    if let Some((revision, tag)) = live.remove(&key) {
        state.remove(&[key], revision, &tag);
    }
    if let Some((revision, tag)) = new {
        state.add(&[key], revision, &tag);
        live.insert(key, (revision, tag));
    }
}

proptest! {
    #[test]
    fn sealed_text_comes_back_as_it_was(key: Vec<u8>, revision: u64, plain: Vec<u8>) {
        let records = keyring().sealer();
        let sealed = records.seal(&key, revision, &plain).unwrap();
        let opened = records.open(&key, &sealed).unwrap();
        prop_assert_eq!((opened.revision, &opened.plain[..]), (revision, &plain[..]));
        prop_assert_eq!(&tag(&sealed).unwrap()[..], &sealed[sealed.len() - 16..]);
    }

    /// However a set came about, its digest is that of the same set built in one go; any other set differs.
    #[test]
    fn the_state_digest_is_of_the_set_and_not_of_its_history(changes in changes(), more: [u8; 16]) {
        let keyring = keyring();
        let (mut state, mut live) = (keyring.empty_state(), BTreeMap::new());
        for change in &changes {
            apply(&mut state, &mut live, change);
        }
        let mut fresh = keyring.empty_state();
        for (key, (revision, tag)) in live.iter().rev() {
            fresh.add(&[*key], *revision, tag);
        }
        prop_assert_eq!(fresh.commitment(), state.commitment());
        prop_assert_eq!(state.count(), live.len() as u64);

        let mut resumed = keyring.empty_state().resume(&state.to_bytes());
        prop_assert!(resumed.matches(&fresh.commitment()));
        resumed.add(b"another", 1, &more);
        prop_assert!(!resumed.matches(&fresh.commitment()));
        resumed.remove(b"another", 1, &more);
        prop_assert!(resumed.matches(&fresh.commitment()));

        if let Some((key, (revision, tag))) = live.first_key_value() {
            fresh.remove(&[*key], *revision, tag);
            prop_assert!(!state.matches(&fresh.commitment()), "one deleted");
            fresh.add(&[*key], revision.wrapping_add(1), tag);
            prop_assert!(!state.matches(&fresh.commitment()), "one of another revision");
        }
    }
}

/// Checks a whole trail the way a reader does: from the beginning, each entry against the one before it.
fn walk(keyring: &Keyring, trail: &[(Vec<u8>, Link)]) -> Result<chain::ChainHash, CryptoError> {
    let chain = keyring.audit_chain();
    trail.iter().try_fold(chain.genesis(), |previous, (body, link)| {
        chain.verify(&previous, body, link)?;
        Ok(link.hash)
    })
}

#[test]
fn an_edited_inserted_removed_or_moved_entry_breaks_the_chain() {
    let keyring = keyring();
    let chain = keyring.audit_chain();
    let mut previous = chain.genesis();
    let mut trail = Vec::new();
    for number in 0..5u8 {
        let body = vec![b'e', number];
        let link = chain.extend(&previous, &body);
        previous = link.hash;
        trail.push((body, link));
    }
    let head = walk(&keyring, &trail).unwrap();
    assert_eq!(head, previous);
    let broken = |trail: &[(Vec<u8>, Link)]| {
        matches!(walk(&keyring, trail), Err(CryptoError::Chain(ChainFault::Hash)))
    };

    for place in 0..5 {
        let mut edited = trail.clone();
        edited[place].0[1] = 99;
        assert!(broken(&edited), "edited {place}");
        if place < 4 {
            let mut removed = trail.clone();
            removed.remove(place);
            assert!(broken(&removed), "removed {place}");
            let mut moved = trail.clone();
            moved.swap(place, place + 1);
            assert!(broken(&moved), "moved {place}");
        }
        let mut doubled = trail.clone();
        doubled.insert(place, trail[place].clone());
        assert!(broken(&doubled), "doubled {place}");
        let mut stripped = trail.clone();
        stripped[place].1.mac = [0; 32];
        assert!(
            matches!(walk(&keyring, &stripped), Err(CryptoError::Chain(ChainFault::Mac))),
            "stripped {place}"
        );
    }

    // Somebody without the key can make hashes that fit, but not one MAC.
    let mut forged = trail.clone();
    forged[4].0[1] = 99;
    forged[4].1.hash = chain::next(&forged[3].1.hash, &forged[4].0);
    assert!(matches!(walk(&keyring, &forged), Err(CryptoError::Chain(ChainFault::Mac))));

    // A missing tail is what a chain cannot see: the head then differs from the anchor.
    assert_ne!(walk(&keyring, &trail[..4]).unwrap(), head);

    // Another store's keys: the beginning differs, and so does every MAC.
    let [other_store, other_root] = strangers();
    assert!(matches!(walk(&other_store, &trail), Err(CryptoError::Chain(ChainFault::Hash))));
    assert!(matches!(walk(&other_root, &trail), Err(CryptoError::Chain(ChainFault::Mac))));
}

#[test]
fn a_seal_fits_one_store_one_revision_and_one_audit_head() {
    let keyring = keyring();
    let seal = keyring.seal_key();
    let mac = seal.mac(7, &[1; 32]);
    assert!(seal.verify(7, &[1; 32], &mac).is_ok());
    assert!(matches!(seal.verify(6, &[1; 32], &mac), Err(CryptoError::Seal)));
    assert!(seal.verify(7, &[2; 32], &mac).is_err());
    assert!(seal.verify(7, &[1; 32], &[0; 32]).is_err());
    for stranger in strangers() {
        assert!(stranger.seal_key().verify(7, &[1; 32], &mac).is_err());
    }
}

#[test]
fn a_fingerprint_finds_the_same_text_again_in_this_store_only() {
    let keyring = keyring();
    let print = keyring.fingerprint(b"kdag_presented");
    assert_eq!(print.len(), 16);
    assert_eq!(print, keyring.fingerprint(b"kdag_presented"));
    assert_ne!(print, keyring.fingerprint(b"kdag_presentee"));
    for stranger in strangers() {
        assert_ne!(print, stranger.fingerprint(b"kdag_presented"));
    }
}

#[test]
fn an_imported_secret_is_known_again_and_no_other_is() {
    let secrets = keyring().imported_secrets();
    let stored = secrets.hash(Known::Secret(b"legacy-key-from-2019"), &mut OsEntropy).unwrap();
    let text = stored.to_string();
    let stored: Phc = text.parse().unwrap();
    assert_eq!(stored.to_string(), text);
    assert!(secrets.verify(b"legacy-key-from-2019", None, &stored, &mut Workspace::default()).unwrap());
    assert!(!secrets.verify(b"legacy-key-from-2018", None, &stored, &mut Workspace::default()).unwrap());
    // Without the root key the string cannot even be guessed against.
    for stranger in strangers() {
        assert!(
            !stranger
                .imported_secrets()
                .verify(b"legacy-key-from-2019", None, &stored, &mut Workspace::default())
                .unwrap()
        );
    }
    for wrong in [&b""[..], &[b'x'; 1025], &vec![b'x'; 10 << 20]] {
        assert!(matches!(
            secrets.verify(wrong, None, &stored, &mut Workspace::default()),
            Err(CryptoError::ImportedSecret)
        ));
        assert!(secrets.hash(Known::Secret(wrong), &mut OsEntropy).is_err());
    }
    assert!(matches!(secrets.hash(Known::Secret(b"secret"), &mut Broken), Err(CryptoError::Randomness(_))));
}

#[test]
fn a_secret_is_known_by_the_digest_another_system_stored_and_the_digest_opens_nothing() {
    let secrets = keyring().imported_secrets();
    let mut sum = keydeck::crypto::sum::Sum::default();
    sum.add(b"legacy-key-from-2019");
    let digest = sum.so_far();
    let hex = digest.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let stored = secrets.hash(Known::Sha256(&digest), &mut OsEntropy).unwrap();
    let by = |digested, secret: &[u8]| {
        secrets.verify(secret, digested, &stored, &mut Workspace::default()).unwrap()
    };
    let digested = Known::Sha256(&digest).digested();
    assert!(by(digested, b"legacy-key-from-2019"));
    assert!(!by(digested, b"legacy-key-from-2018"));
    // Whoever stole the other system's table has these, and a keydeck of before compares what is presented as it is.
    for stolen in [&digest[..], hex.as_bytes(), &[b"sha256\0", &digest[..]].concat()] {
        assert!(!by(digested, stolen) && (stolen.starts_with(b"sha256") || !by(None, stolen)));
    }
    assert!(!by(None, b"legacy-key-from-2019"));
}

#[test]
fn a_hostile_phc_string_is_refused_before_any_work() {
    let salt = "AAAAAAAAAAAAAAAAAAAAAA";
    let output = "ggggggggggggggggggggggggggggggggggggggggggA";
    let whole = |head: &str| format!("{head}${salt}${output}");
    let good = whole("$argon2id$v=19$m=19456,t=2,p=1");
    assert_eq!(good.parse::<Phc>().unwrap().to_string(), good);
    assert!(whole("$argon2id$v=19$m=1048576,t=16,p=16").parse::<Phc>().is_ok());

    let cases = [
        (String::new(), PhcRejected::Shape),
        ("$".repeat(1 << 20), PhcRejected::Shape),
        (good.replace("$argon2id", "argon2id"), PhcRejected::Shape),
        (format!("{good}$"), PhcRejected::Shape),
        (format!(" {good}"), PhcRejected::Shape),
        (whole("$argon2i$v=19$m=19456,t=2,p=1"), PhcRejected::Algorithm),
        (whole("$argon2d$v=19$m=19456,t=2,p=1"), PhcRejected::Algorithm),
        (whole("$Argon2id$v=19$m=19456,t=2,p=1"), PhcRejected::Algorithm),
        (whole("$argon2id$v=16$m=19456,t=2,p=1"), PhcRejected::Version),
        (whole("$argon2id$m=19456,t=2,p=1"), PhcRejected::Shape),
        (whole("$argon2id$v=19$m=8,t=2,p=1"), PhcRejected::Parameters),
        (whole("$argon2id$v=19$m=19455,t=2,p=1"), PhcRejected::Parameters),
        (whole("$argon2id$v=19$m=1048577,t=2,p=1"), PhcRejected::Parameters),
        (whole("$argon2id$v=19$m=4294967295,t=2,p=1"), PhcRejected::Parameters),
        (whole("$argon2id$v=19$m=4294967296,t=2,p=1"), PhcRejected::Parameters),
        (whole("$argon2id$v=19$m=19456,t=4294967295,p=1"), PhcRejected::Parameters),
        (whole("$argon2id$v=19$m=19456,t=1,p=1"), PhcRejected::Parameters),
        (whole("$argon2id$v=19$m=19456,t=2,p=0"), PhcRejected::Parameters),
        (whole("$argon2id$v=19$m=19456,t=2,p=17"), PhcRejected::Parameters),
        (whole("$argon2id$v=19$m=+19456,t=2,p=1"), PhcRejected::Parameters),
        (whole("$argon2id$v=19$m=019456,t=2,p=1"), PhcRejected::Parameters),
        (whole("$argon2id$v=19$m=19456,t=2,p=1,keyid=AA"), PhcRejected::Parameters),
        (whole("$argon2id$v=19$t=2,m=19456,p=1"), PhcRejected::Parameters),
        (whole("$argon2id$v=19$m=１９４５６,t=2,p=1"), PhcRejected::Parameters),
        (good.replace(salt, ""), PhcRejected::Salt),
        (good.replace(salt, "AAAA"), PhcRejected::Salt),
        (good.replace(salt, "AAAAAAAAAAAAAAAAAAAAA="), PhcRejected::Salt),
        // The same 16 bytes with stray bits set beyond the end.
        (good.replace(salt, "AAAAAAAAAAAAAAAAAAAAAB"), PhcRejected::Salt),
        (good.replace(salt, "AAAAAAAAAAAAAAAAAAAAé"), PhcRejected::Salt),
        (good.replace(output, ""), PhcRejected::Output),
        (good.replace(output, &output[1..]), PhcRejected::Output),
        (good.replace(output, &output.replace('A', "B")), PhcRejected::Output),
    ];
    for (text, expected) in cases {
        assert_eq!(text.parse::<Phc>().err(), Some(expected), "{text:.80}");
    }
}
