//! The header's promises: only its secrets open it, nobody else can change it, and reading it is bounded.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop")]

use keydeck::crypto::CryptoError;
use keydeck::crypto::StoreId;
use keydeck::crypto::header::{Header, MAX_BYTES, MAX_SLOTS, Unlock, Unlocked};
use keydeck::crypto::keyfile::KeyFileSecret;
use keydeck::crypto::keyring::{Keyring, Purpose, RootKey};
use keydeck::crypto::passphrase::{Cost, Passphrase};
use keydeck::crypto::random::OsEntropy;
use keydeck::crypto::recovery::RecoveryCode;
use keydeck::crypto::slots::{NewSlot, SlotKind, SlotSecret};

const STORE: StoreId = StoreId([3; 16]);
/// The least cost that is accepted: these tests derive often.
const COST: Cost = Cost::IMPORTED;

/// Offsets into a header with one slot, as documented in `header` and `slots`.
const GENERATION: usize = 26;
const COUNT: usize = 34;
const SLOT: usize = 36;
const KIND: usize = SLOT + 8;
const KDF: usize = KIND + 1;
const MEMORY: usize = KDF + 1;
const PASSES: usize = MEMORY + 4;
const LANES: usize = PASSES + 4;
const SALT: usize = LANES + 4;
const NONCE: usize = SALT + 16;
const WRAPPED: usize = NONCE + 24;
const CREATED: usize = WRAPPED + 48;
const LABEL_LENGTH: usize = CREATED + 8;
const LABEL: usize = LABEL_LENGTH + 2;

fn passphrase(text: &str) -> Passphrase {
    Passphrase::present(text).unwrap()
}

fn by_passphrase<'a>(label: &'a str, passphrase: &'a Passphrase) -> NewSlot<'a> {
    NewSlot { label, created_ms: 1_700_000_000_000, secret: SlotSecret::Passphrase(passphrase, COST) }
}

fn by_recovery(code: &RecoveryCode) -> NewSlot<'_> {
    NewSlot { label: "recovery code", created_ms: 1, secret: SlotSecret::Recovery(code) }
}

/// A header opened by a recovery code: no Argon2, so that many openings are cheap.
fn cheap() -> (Header, RecoveryCode, RootKey) {
    let root = RootKey::generate(&mut OsEntropy).unwrap();
    let code = RecoveryCode::generate(&mut OsEntropy).unwrap();
    let header = Header::create(STORE, &root, by_recovery(&code), &mut OsEntropy).unwrap();
    (header, code, root)
}

fn maria() -> (Header, Passphrase, RootKey) {
    let root = RootKey::generate(&mut OsEntropy).unwrap();
    let secret = passphrase("correct horse battery staple");
    let header = Header::create(STORE, &root, by_passphrase("maria", &secret), &mut OsEntropy).unwrap();
    (header, secret, root)
}

fn as_operator<'a>(name: &'a str, passphrase: &'a Passphrase) -> Unlock<'a> {
    Unlock::Operator { name, passphrase }
}

/// What an attacker without the root key can do to a file: change it and make its checksum fit again.
fn with_checksum(mut bytes: Vec<u8>) -> Vec<u8> {
    let body = bytes.len() - 4;
    let crc = crc32fast::hash(&bytes[..body]).to_be_bytes();
    bytes[body..].copy_from_slice(&crc);
    bytes
}

fn same_root(left: &RootKey, right: &RootKey) -> bool {
    *left.derive(STORE, Purpose::Header) == *right.derive(STORE, Purpose::Header)
}

fn error<T>(result: Result<T, CryptoError>) -> CryptoError {
    match result {
        Ok(_) => panic!("was accepted"),
        Err(error) => error,
    }
}

#[test]
fn every_kind_of_slot_opens_the_same_root() {
    let (header, secret, root) = maria();
    let code = RecoveryCode::generate(&mut OsEntropy).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = KeyFileSecret::create(&directory.path().join("key"), &mut OsEntropy).unwrap();
    let new = NewSlot { label: "verify node", created_ms: 5, secret: SlotSecret::KeyFile(&file) };
    let header = header
        .add_slot(&root, by_recovery(&code), &mut OsEntropy)
        .and_then(|header| header.add_slot(&root, new, &mut OsEntropy))
        .and_then(|header| Header::decode(&header.encode()))
        .unwrap();
    assert_eq!(header.generation(), 3);

    let cases = [
        (as_operator("maria", &secret), SlotKind::Passphrase, "maria"),
        (Unlock::Recovery(&code), SlotKind::Recovery, "recovery code"),
        (Unlock::KeyFile(&file), SlotKind::KeyFile, "verify node"),
    ];
    for (with, kind, label) in cases {
        let Unlocked { root: opened, slot } = header.unlock(&with).unwrap();
        assert!(same_root(&opened, &root));
        let slot = header.slots().iter().find(|other| other.id() == slot).unwrap();
        assert_eq!((slot.kind(), slot.label()), (kind, label));
    }
    let other_code = RecoveryCode::generate(&mut OsEntropy).unwrap();
    assert!(matches!(error(header.unlock(&Unlock::Recovery(&other_code))), CryptoError::WrongSecret));
}

#[test]
fn a_passphrase_opens_only_under_its_own_operators_name() {
    let (header, secret, root) = maria();
    let joao = passphrase("a passphrase of jo\u{e3}o");
    let header = header.add_slot(&root, by_passphrase("jo\u{e3}o", &joao), &mut OsEntropy).unwrap();
    assert!(header.unlock(&as_operator("maria", &secret)).is_ok());
    // The name and the passphrase may be typed decomposed.
    let decomposed = passphrase("a passphrase of joa\u{303}o");
    assert!(header.unlock(&as_operator("joa\u{303}o", &decomposed)).is_ok());
    for (name, secret) in [("maria", &joao), ("jo\u{e3}o", &secret), ("nobody", &secret), ("Maria", &secret)]
    {
        assert!(
            matches!(error(header.unlock(&as_operator(name, secret))), CryptoError::WrongSecret),
            "{name}"
        );
    }
}

#[test]
fn an_unknown_operator_costs_as_much_as_a_known_one() {
    let (header, _, _) = maria();
    let wrong = passphrase("something else altogether");
    let time = |name: &str| {
        (0..3)
            .map(|_| {
                let start = std::time::Instant::now();
                assert!(header.unlock(&as_operator(name, &wrong)).is_err());
                start.elapsed()
            })
            .min()
            .unwrap()
    };
    // Coarse on purpose: without the dummy work the unknown name answers some thousand times faster.
    let (known, unknown) = (time("maria"), time("nobody"));
    assert!(unknown * 4 > known, "known {known:?}, unknown {unknown:?}");
}

#[test]
fn a_flipped_byte_anywhere_in_the_header_opens_nothing() {
    let (header, code, root) = cheap();
    let bytes = header.encode();
    for place in 0..bytes.len() {
        for mask in [0x01, 0x80, 0xff] {
            let mut damaged = bytes.clone();
            damaged[place] ^= mask;
            assert!(Header::decode(&damaged).is_err(), "byte {place}: the checksum must tell an accident");
            // With the checksum made to fit, what is left is the seal.
            let Ok(forged) = Header::decode(&with_checksum(damaged)) else { continue };
            match forged.unlock(&Unlock::Recovery(&code)) {
                // Only the checksum's own bytes are put right again.
                Ok(opened) => {
                    assert!(place >= bytes.len() - 4 && same_root(&opened.root, &root), "byte {place}");
                }
                Err(CryptoError::WrongSecret | CryptoError::HeaderAltered) => {}
                Err(other) => panic!("byte {place}: {other}"),
            }
        }
    }
}

#[test]
fn a_changed_field_the_wrap_does_not_cover_is_caught_by_the_seal() {
    let (header, code, _) = cheap();
    for place in [GENERATION + 7, CREATED + 7, LABEL, LABEL + 1] {
        let mut bytes = header.encode();
        bytes[place] ^= 1;
        let forged = Header::decode(&with_checksum(bytes)).unwrap();
        assert!(
            matches!(error(forged.unlock(&Unlock::Recovery(&code))), CryptoError::HeaderAltered),
            "{place}"
        );
    }
    // … and one the wrap covers does not even unwrap.
    for place in [2 + 8, SLOT, SALT, NONCE, WRAPPED, WRAPPED + 47] {
        let mut bytes = header.encode();
        bytes[place] ^= 1;
        let forged = Header::decode(&with_checksum(bytes)).unwrap();
        assert!(
            matches!(error(forged.unlock(&Unlock::Recovery(&code))), CryptoError::WrongSecret),
            "{place}"
        );
    }
}

#[test]
fn absurd_parameters_are_an_error_before_any_memory_is_taken() {
    let (header, _, _) = maria();
    let with = |place: usize, value: &[u8]| {
        let mut bytes = header.encode();
        bytes[place..place + value.len()].copy_from_slice(value);
        error(Header::decode(&with_checksum(bytes)))
    };
    for (place, value) in [
        (MEMORY, u32::MAX),        // 4 TiB
        (MEMORY, 1024 * 1024 + 1), // a little over 1 GiB
        (MEMORY, 8),
        (MEMORY, 0),
        (PASSES, u32::MAX),
        (PASSES, 17),
        (PASSES, 1),
        (PASSES, 0),
        (LANES, 0),
        (LANES, 17),
        (LANES, u32::MAX),
    ] {
        assert!(matches!(with(place, &value.to_be_bytes()), CryptoError::Cost(_)), "{value} at {place}");
    }
    for count in [0, 2, 64, 65, u16::MAX] {
        assert!(matches!(with(COUNT, &count.to_be_bytes()), CryptoError::HeaderDamaged(_)), "{count} slots");
    }
    for (place, code) in [(KIND, 0), (KIND, 2), (KIND, 4), (KDF, 0), (KDF, 2), (KDF, 3)] {
        assert!(matches!(with(place, &[code]), CryptoError::HeaderDamaged(_)), "{code} at {place}");
    }
    for length in [0, 4, 257, u16::MAX] {
        assert!(
            matches!(with(LABEL_LENGTH, &length.to_be_bytes()), CryptoError::HeaderDamaged(_)),
            "{length}"
        );
    }
    assert!(matches!(with(LABEL, &[0xff]), CryptoError::HeaderDamaged(_)));
    for format in [0, 4, u16::MAX] {
        assert!(
            matches!(with(8, &format.to_be_bytes()), CryptoError::HeaderVersion { found, known: 3 } if found == format)
        );
    }
    assert!(matches!(with(0, b"LUKS"), CryptoError::HeaderDamaged(_)));
}

#[test]
fn a_truncated_or_extended_header_is_an_error() {
    let (header, _, _) = cheap();
    let bytes = header.encode();
    for cut in 0..bytes.len() {
        assert!(Header::decode(&bytes[..cut]).is_err());
        if cut >= 4 {
            assert!(Header::decode(&with_checksum(bytes[..cut].to_vec())).is_err());
        }
    }
    for more in [1, 4, 36, MAX_BYTES, 10 << 20] {
        let mut long = bytes.clone();
        long.resize(bytes.len() + more, 0);
        assert!(Header::decode(&with_checksum(long)).is_err());
    }
}

#[test]
fn a_weakened_slot_is_not_opened() {
    let root = RootKey::generate(&mut OsEntropy).unwrap();
    let secret = passphrase("correct horse battery staple");
    let cost = Cost::new(32 * 1024, 3, 1).unwrap();
    let new = NewSlot { label: "maria", created_ms: 1, secret: SlotSecret::Passphrase(&secret, cost) };
    let bytes = Header::create(STORE, &root, new, &mut OsEntropy).unwrap().encode();
    for (place, value) in [(MEMORY, 19 * 1024u32), (PASSES, 2), (LANES, 2)] {
        let mut weaker = bytes.clone();
        weaker[place..place + 4].copy_from_slice(&value.to_be_bytes());
        let weaker = Header::decode(&with_checksum(weaker)).unwrap();
        assert!(matches!(error(weaker.unlock(&as_operator("maria", &secret))), CryptoError::WrongSecret));
    }
}

#[test]
fn a_slot_slipped_in_by_somebody_without_the_root_key_is_noticed() {
    let (header, code, root) = cheap();
    let thief = RecoveryCode::generate(&mut OsEntropy).unwrap();
    let thiefs_root = RootKey::generate(&mut OsEntropy).unwrap();
    let named = NewSlot { label: "thief", created_ms: 1, secret: SlotSecret::Recovery(&thief) };
    let thiefs = Header::create(STORE, &thiefs_root, named, &mut OsEntropy).unwrap().encode();

    // The victim's slot and MAC, the thief's slot in between.
    let mut bytes = header.encode();
    let slot = thiefs[SLOT..thiefs.len() - 36].to_vec();
    let at = bytes.len() - 36;
    bytes.splice(at..at, slot);
    bytes[COUNT..COUNT + 2].copy_from_slice(&2u16.to_be_bytes());
    let forged = Header::decode(&with_checksum(bytes)).unwrap();

    assert_eq!(forged.slots().len(), 2);
    assert!(matches!(error(forged.unlock(&Unlock::Recovery(&code))), CryptoError::HeaderAltered));
    assert!(matches!(error(forged.unlock(&Unlock::Recovery(&thief))), CryptoError::HeaderAltered));
    // Nobody with the root key can be made to bless it, either.
    assert!(matches!(error(forged.keep(&root, |_| true)), CryptoError::HeaderAltered));
    assert!(matches!(
        error(forged.add_slot(&root, by_recovery(&thief), &mut OsEntropy)),
        CryptoError::HeaderAltered
    ));
}

#[test]
fn a_list_of_slots_keydeck_would_not_write_is_not_read() {
    let (header, _, _) = cheap();
    let bytes = header.encode();
    let slot = &bytes[SLOT..bytes.len() - 36];
    // `copies` of the one slot, each under an id of its own unless told otherwise.
    let with = |copies: u8, ids: fn(u8) -> u8| {
        let mut more = bytes[..SLOT].to_vec();
        more[COUNT + 1] = copies;
        for copy in 0..copies {
            let start = more.len();
            more.extend_from_slice(slot);
            more[start] = ids(copy);
        }
        more.extend_from_slice(&[0; 36]);
        Header::decode(&with_checksum(more))
    };
    assert!(with(2, |copy| copy).is_ok(), "two of a name are a change in progress");
    assert!(matches!(error(with(3, |copy| copy)), CryptoError::HeaderDamaged(_)), "three of a name are none");
    assert!(matches!(error(with(2, |_| 1)), CryptoError::HeaderDamaged(_)), "one id for two slots");

    let mut keyfile_only = bytes.clone();
    keyfile_only[KIND] = 3;
    assert!(matches!(error(Header::decode(&with_checksum(keyfile_only))), CryptoError::LastSlot));
}

#[test]
fn a_slot_of_another_store_does_not_open_this_one() {
    let (header, code, _) = cheap();
    let mut bytes = header.encode();
    bytes[10..26].copy_from_slice(&[4; 16]);
    let moved = Header::decode(&with_checksum(bytes)).unwrap();
    assert_eq!(moved.store(), StoreId([4; 16]));
    assert!(matches!(error(moved.unlock(&Unlock::Recovery(&code))), CryptoError::WrongSecret));
}

#[test]
fn a_way_in_for_a_person_always_remains() {
    let (header, _, root) = cheap();
    let only = header.slots()[0].id();
    assert!(matches!(error(header.keep(&root, |_| false)), CryptoError::LastSlot));

    let directory = tempfile::tempdir().unwrap();
    let file = KeyFileSecret::create(&directory.path().join("key"), &mut OsEntropy).unwrap();
    let new = NewSlot { label: "service", created_ms: 1, secret: SlotSecret::KeyFile(&file) };
    assert!(matches!(error(Header::create(STORE, &root, new, &mut OsEntropy)), CryptoError::LastSlot));
    let header = header.add_slot(&root, new, &mut OsEntropy).unwrap();
    // The key file remains, but nobody can type it.
    assert!(matches!(error(header.keep(&root, |slot| slot.id() != only)), CryptoError::LastSlot));
    let header = header.keep(&root, |slot| slot.id() == only).unwrap();
    assert_eq!(header.slots().len(), 1);
    assert_eq!(header.slots()[0].id(), only);
}

#[test]
fn names_are_taken_once_and_the_list_is_bounded() {
    let (mut header, code, root) = cheap();
    let twice = header.add_slot(&root, by_recovery(&code), &mut OsEntropy).unwrap();
    assert!(matches!(
        error(twice.add_slot(&root, by_recovery(&code), &mut OsEntropy)),
        CryptoError::SlotTaken(_)
    ));
    for label in ["", &"x".repeat(257)] {
        let new = NewSlot { label, created_ms: 1, secret: SlotSecret::Recovery(&code) };
        assert!(matches!(
            error(header.add_slot(&root, new, &mut OsEntropy)),
            CryptoError::SlotLabel { max: 256 }
        ));
    }
    let label = |place: usize| format!("{place:0>256}");
    for place in 1..MAX_SLOTS - 1 {
        let new = NewSlot { label: &label(place), created_ms: 1, secret: SlotSecret::Recovery(&code) };
        header = header.add_slot(&root, new, &mut OsEntropy).unwrap();
    }
    let new = NewSlot { label: "one too many", created_ms: 1, secret: SlotSecret::Recovery(&code) };
    assert!(
        matches!(error(header.add_slot(&root, new, &mut OsEntropy)), CryptoError::SlotsFull { max } if max == MAX_SLOTS - 1)
    );

    // Even then a secret can be changed, and the largest header of all is still read.
    let fresh = RecoveryCode::generate(&mut OsEntropy).unwrap();
    let last = label(MAX_SLOTS - 2);
    let new = NewSlot { label: &last, created_ms: 2, secret: SlotSecret::Recovery(&fresh) };
    let with_both = header.add_slot(&root, new, &mut OsEntropy).unwrap();
    assert_eq!(with_both.slots().len(), MAX_SLOTS);
    assert!(Header::decode(&with_both.encode()).is_ok());
    assert!(with_both.encode().len() <= MAX_BYTES);
}

#[test]
fn of_two_slots_of_a_name_those_that_count_open_and_the_same_passphrase_in_the_other_is_no_hindrance() {
    let (header, old, root) = maria();
    let new = passphrase("an entirely new passphrase");
    let first = header.slots()[0].id();
    let both = header.add_slot(&root, by_passphrase("maria", &new), &mut OsEntropy).unwrap();
    let second = both.slots()[1].id();
    assert_eq!(both.generation(), header.generation() + 1);
    for (counts, opens) in [(first, [true, false]), (second, [false, true])] {
        let by = |secret| both.unlock_among(&as_operator("maria", secret), |slot| slot == counts).is_ok();
        assert_eq!([by(&old), by(&new)], opens);
    }
    assert!(both.unlock_among(&as_operator("maria", &old), |_| false).is_err());
    let alone = both.keep(&root, |slot| slot.id() == second).unwrap();
    assert!(alone.unlock(&as_operator("maria", &old)).is_err());
    assert!(same_root(&alone.unlock(&as_operator("maria", &new)).unwrap().root, &root));
    assert_eq!(alone.keep(&root, |_| true).unwrap().generation(), alone.generation(), "nothing to change");

    let again = header.add_slot(&root, by_passphrase("maria", &old), &mut OsEntropy).unwrap();
    let named = again.slots()[1].id();
    let opened = again.unlock_among(&as_operator("maria", &old), |slot| slot == named).unwrap();
    assert_eq!(opened.slot, named);
}

#[test]
fn an_opened_header_makes_working_tools() {
    let (header, code, _) = cheap();
    let ring =
        |header: &Header| Keyring::new(header.unlock(&Unlock::Recovery(&code)).unwrap().root, header.store());
    let sealed = ring(&header).sealer().seal(b"k/1", 7, b"text").unwrap();
    let opened = ring(&Header::decode(&header.encode()).unwrap()).sealer().open(b"k/1", &sealed).unwrap();
    assert_eq!((opened.revision, &opened.plain[..]), (7, &b"text"[..]));
}

#[test]
fn a_full_header_lets_a_passphrase_take_the_place_of_a_key_file_and_nobody_else_in() {
    let (mut header, _, root) = cheap();
    let directory = tempfile::tempdir().unwrap();
    let file = KeyFileSecret::create(&directory.path().join("key"), &mut OsEntropy).unwrap();
    let name = |n: usize| format!("operator {n}");
    for n in 1..MAX_SLOTS - 1 {
        let new = NewSlot { label: &name(n), created_ms: 1, secret: SlotSecret::KeyFile(&file) };
        header = header.add_slot(&root, new, &mut OsEntropy).unwrap();
    }
    let secret = passphrase("correct horse battery staple");
    let add = |called: &str| header.add_slot(&root, by_passphrase(called, &secret), &mut OsEntropy);
    assert!(matches!(error(add("somebody new")), CryptoError::SlotsFull { .. }));
    let both = add(&name(512)).unwrap();
    assert!(both.unlock(&as_operator(&name(512), &secret)).is_ok());
    assert!(both.unlock(&as_operator(&name(513), &secret)).is_err());
}
