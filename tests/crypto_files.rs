//! The header's two copies and the key file: a power cut at any step leaves a store that opens, and a file others
//! could have touched is not used.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop")]

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use keydeck::crypto::CryptoError;
use keydeck::crypto::header::{Header, Unlock};
use keydeck::crypto::header_file::{HEADER, HEADER_COPY, HeaderDisk, HeaderFile};
use keydeck::crypto::keyfile::{KeyFileRefusal, KeyFileSecret};
use keydeck::crypto::keyring::{RootKey, StoreId};
use keydeck::crypto::passphrase::{Cost, Passphrase};
use keydeck::crypto::random::OsEntropy;
use keydeck::crypto::recovery::RecoveryCode;
use keydeck::crypto::slots::{NewSlot, SlotSecret};

const STORE: StoreId = StoreId([3; 16]);

fn as_maria(passphrase: &Passphrase) -> Unlock<'_> {
    Unlock::Operator { name: "maria", passphrase }
}

fn by_recovery(code: &RecoveryCode) -> NewSlot<'_> {
    NewSlot { label: "recovery code", created_ms: 1, secret: SlotSecret::Recovery(code) }
}

fn recoverable() -> (RootKey, RecoveryCode, Header) {
    let root = RootKey::generate(&mut OsEntropy).unwrap();
    let code = RecoveryCode::generate(&mut OsEntropy).unwrap();
    let header = Header::create(STORE, &root, by_recovery(&code), &mut OsEntropy).unwrap();
    (root, code, header)
}

/// What a power cut does to a step it interrupts, and to names that were not forced to disk yet.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Cut {
    /// Nothing of it happened, and unforced names are as before.
    Lost,
    /// It happened, and so did everything unforced.
    Kept,
    /// Half a file was written; unforced names are kept.
    Torn,
}

/// A disk in memory that loses power at a given step. Names are sure only after the directory was forced.
#[derive(Default, Clone)]
struct FailingDisk {
    sure: BTreeMap<PathBuf, Vec<u8>>,
    names: BTreeMap<PathBuf, Vec<u8>>,
    steps: usize,
    cut: Option<(usize, Cut)>,
}

impl FailingDisk {
    /// Counts a step that changes the disk; an error from the one the power goes at on.
    fn step(&mut self, happen: impl FnOnce(&mut Self, Option<Cut>)) -> io::Result<()> {
        self.steps += 1;
        match self.cut {
            Some((at, _)) if self.steps > at => Err(io::Error::other("no power")),
            Some((at, cut)) if self.steps == at => {
                if cut != Cut::Lost {
                    happen(self, Some(cut));
                }
                Err(io::Error::other("the power goes"))
            }
            _ => {
                happen(self, None);
                Ok(())
            }
        }
    }

    /// What is found when the power is back.
    fn restart(mut self) -> Self {
        if self.cut.is_some_and(|(_, cut)| cut == Cut::Lost) {
            self.names = self.sure.clone();
        }
        Self { sure: self.names.clone(), names: self.names, ..Self::default() }
    }
}

impl HeaderDisk for &mut FailingDisk {
    fn read(&mut self, path: &Path, _: usize) -> io::Result<Option<Vec<u8>>> {
        Ok(self.names.get(path).cloned())
    }

    fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.step(|disk, cut| {
            let kept = if cut == Some(Cut::Torn) { bytes.len() / 2 } else { bytes.len() };
            disk.names.insert(path.to_owned(), bytes[..kept].to_vec());
        })
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(|disk, _| {
            let bytes = disk.names.remove(from).unwrap();
            disk.names.insert(to.to_owned(), bytes);
        })
    }

    fn sync_directory(&mut self, _: &Path) -> io::Result<()> {
        self.step(|disk, _| disk.sure = disk.names.clone())
    }
}

#[test]
fn a_passphrase_change_cut_off_at_any_step_leaves_the_old_or_the_new_one_opening() {
    let directory = Path::new("data");
    let root = RootKey::generate(&mut OsEntropy).unwrap();
    let old = Passphrase::choose("the old passphrase of maria").unwrap();
    let new = Passphrase::choose("the new passphrase of maria").unwrap();
    let secret = SlotSecret::Passphrase(&old, Cost::IMPORTED);
    let first = NewSlot { label: "maria", created_ms: 1, secret };
    let header = Header::create(STORE, &root, first, &mut OsEntropy).unwrap();
    let mut begin = FailingDisk::default();
    HeaderFile::on(&mut begin, directory).create(&header).unwrap();

    let change = |disk: &mut FailingDisk| {
        disk.steps = 0;
        let new = (&new, Cost::IMPORTED);
        HeaderFile::on(disk, directory).change_passphrase("maria", &old, new, 2, &mut OsEntropy)
    };
    let opens = |disk: &FailingDisk, with| {
        HeaderFile::on(&mut disk.clone().restart(), directory).unseal(&as_maria(with)).is_ok()
    };
    let mut whole = begin.clone();
    change(&mut whole).unwrap();
    assert_eq!(whole.steps, 12, "two headers, two copies each, three steps for a copy");
    assert_eq!((opens(&whole, &old), opens(&whole, &new)), (false, true));

    // Each step once; the next test takes every way to cut each of them, with a secret that costs nothing to try.
    for (at, cut) in (1..=whole.steps).zip([Cut::Lost, Cut::Kept, Cut::Torn].into_iter().cycle()) {
        let mut disk = begin.clone();
        disk.cut = Some((at, cut));
        assert!(change(&mut disk).is_err(), "step {at} {cut:?} reported success");
        assert!(opens(&disk, &old) || opens(&disk, &new), "step {at} {cut:?}: neither opens");
    }
}

#[test]
fn a_change_cut_off_in_any_way_is_ended_in_favour_of_the_secret_that_opens_next() {
    let directory = Path::new("data");
    let (root, old, header) = recoverable();
    let new = RecoveryCode::generate(&mut OsEntropy).unwrap();
    let mut begin = FailingDisk::default();
    HeaderFile::on(&mut begin, directory).create(&header).unwrap();

    let change = |disk: &mut FailingDisk| {
        disk.steps = 0;
        let slot = header.slots()[0].id();
        let steps = header.replace_slot(&root, slot, SlotSecret::Recovery(&new), 2, &mut OsEntropy)?;
        HeaderFile::on(disk, directory).carry_out(steps, &Unlock::Recovery(&new))
    };
    let (mut old_opened, mut new_opened) = (0, 0);
    for at in 1..=12 {
        for cut in [Cut::Lost, Cut::Kept, Cut::Torn] {
            let mut disk = begin.clone();
            disk.cut = Some((at, cut));
            assert!(change(&mut disk).is_err(), "step {at} {cut:?} reported success");

            let opens = |code| {
                let mut disk = disk.clone().restart();
                HeaderFile::on(&mut disk, directory).unseal(&Unlock::Recovery(code)).is_ok().then_some(disk)
            };
            let (by_old, by_new) = (opens(&old), opens(&new));
            assert!(by_old.is_some() || by_new.is_some(), "step {at} {cut:?}: neither opens");
            old_opened += usize::from(by_old.is_some());
            new_opened += usize::from(by_new.is_some());

            for (opened, by, other) in [(by_old, &old, &new), (by_new, &new, &old)] {
                let Some(mut disk) = opened else { continue };
                assert_eq!(disk.names[&directory.join(HEADER)], disk.names[&directory.join(HEADER_COPY)]);
                let mut file = HeaderFile::on(&mut disk, directory);
                assert!(file.unseal(&Unlock::Recovery(by)).is_ok());
                assert!(matches!(file.unseal(&Unlock::Recovery(other)), Err(CryptoError::WrongSecret)));
            }
        }
    }
    // The simulation did reach both sides of the change.
    assert!(old_opened > 5 && new_opened > 5, "old {old_opened}, new {new_opened}");
}

#[test]
fn creating_a_header_cut_off_at_any_step_leaves_none_or_a_good_one() {
    let directory = Path::new("data");
    let (_, code, header) = recoverable();
    for at in 1..=6 {
        for cut in [Cut::Lost, Cut::Kept, Cut::Torn] {
            let mut disk = FailingDisk { cut: Some((at, cut)), ..FailingDisk::default() };
            assert!(HeaderFile::on(&mut disk, directory).create(&header).is_err());
            let mut disk = disk.restart();
            match HeaderFile::on(&mut disk, directory).unseal(&Unlock::Recovery(&code)) {
                Ok(_) | Err(CryptoError::HeaderMissing(_)) => {}
                Err(other) => panic!("step {at} {cut:?}: {other}"),
            }
        }
    }
}

#[test]
fn one_damaged_or_missing_copy_is_made_good_from_the_other() {
    let directory = tempfile::tempdir().unwrap();
    let (_, code, header) = recoverable();
    let mut file = HeaderFile::new(directory.path());
    assert!(matches!(file.load(), Err(CryptoError::HeaderMissing(_))));
    file.create(&header).unwrap();
    assert!(matches!(file.create(&header), Err(CryptoError::HeaderExists(_))));

    let good = header.encode();
    let path = |name| directory.path().join(name);
    for name in [HEADER, HEADER_COPY] {
        assert_eq!(fs::metadata(path(name)).unwrap().permissions().mode() & 0o7777, 0o600);
        let too_large = vec![0; 100_000];
        let mut flipped = good.clone();
        flipped[20] ^= 1;
        for damage in [Some(&[][..]), Some(&good[..100]), Some(&flipped), Some(&too_large), None] {
            match damage {
                Some(bytes) => fs::write(path(name), bytes).unwrap(),
                None => fs::remove_file(path(name)).unwrap(),
            }
            assert!(file.create(&header).is_err(), "a half store must not be overwritten");
            file.unseal(&Unlock::Recovery(&code)).unwrap();
            assert_eq!(
                (fs::read(path(HEADER)).unwrap(), fs::read(path(HEADER_COPY)).unwrap()),
                (good.clone(), good.clone())
            );
        }
    }
    for name in [HEADER, HEADER_COPY] {
        fs::write(path(name), "not a header").unwrap();
    }
    assert!(matches!(file.load(), Err(CryptoError::HeaderDamaged(_))));
    assert_eq!(fs::read(path(HEADER)).unwrap(), b"not a header", "evidence stays");
}

#[test]
fn a_wrong_secret_changes_nothing_on_disk() {
    let directory = tempfile::tempdir().unwrap();
    let (root, code, header) = recoverable();
    let mut file = HeaderFile::new(directory.path());
    file.create(&header).unwrap();
    let fresh = RecoveryCode::generate(&mut OsEntropy).unwrap();
    let slot = header.slots()[0].id();
    let steps = header.replace_slot(&root, slot, SlotSecret::Recovery(&fresh), 2, &mut OsEntropy).unwrap();
    // A change left half way, and one copy older than the other.
    fs::write(directory.path().join(HEADER), steps.with_both.encode()).unwrap();
    let before = |name| fs::read(directory.path().join(name)).unwrap();
    let (first, second) = (before(HEADER), before(HEADER_COPY));

    let stranger = RecoveryCode::generate(&mut OsEntropy).unwrap();
    assert!(matches!(file.unseal(&Unlock::Recovery(&stranger)), Err(CryptoError::WrongSecret)));
    assert_eq!((before(HEADER), before(HEADER_COPY)), (first, second));
    // The right one ends it, in both copies.
    let unsealed = file.unseal(&Unlock::Recovery(&fresh)).unwrap();
    assert_eq!(unsealed.header.slots().len(), 1);
    assert_eq!((before(HEADER), before(HEADER_COPY)), (unsealed.header.encode(), unsealed.header.encode()));
    assert!(matches!(file.unseal(&Unlock::Recovery(&code)), Err(CryptoError::WrongSecret)));
}

#[test]
fn the_old_secret_goes_only_after_the_new_one_has_opened_the_header_on_disk() {
    let directory = tempfile::tempdir().unwrap();
    let (root, old, header) = recoverable();
    let mut file = HeaderFile::new(directory.path());
    file.create(&header).unwrap();
    let [new, lost] = [(); 2].map(|()| RecoveryCode::generate(&mut OsEntropy).unwrap());
    let steps = header
        .replace_slot(&root, header.slots()[0].id(), SlotSecret::Recovery(&new), 2, &mut OsEntropy)
        .unwrap();
    // What the operator holds is not what was wrapped.
    assert!(matches!(file.carry_out(steps, &Unlock::Recovery(&lost)), Err(CryptoError::WrongSecret)));
    assert!(file.unseal(&Unlock::Recovery(&old)).is_ok());
}

#[test]
fn a_disk_that_cannot_be_written_keeps_nobody_out() {
    let directory = Path::new("data");
    let (_, code, header) = recoverable();
    let mut disk = FailingDisk::default();
    HeaderFile::on(&mut disk, directory).create(&header).unwrap();
    disk.names.remove(&directory.join(HEADER_COPY));
    (disk.steps, disk.cut) = (0, Some((1, Cut::Lost)));
    let unsealed = HeaderFile::on(&mut disk, directory).unseal(&Unlock::Recovery(&code)).unwrap();
    assert!(matches!(unsealed.unrepaired, Some(CryptoError::Io { what: "write", .. })));
    disk.cut = None;
    let unsealed = HeaderFile::on(&mut disk, directory).unseal(&Unlock::Recovery(&code)).unwrap();
    assert!(unsealed.unrepaired.is_none());
    assert!(disk.names.contains_key(&directory.join(HEADER_COPY)));
}

#[test]
fn a_link_in_place_of_the_temporary_file_is_not_followed() {
    let directory = tempfile::tempdir().unwrap();
    let victim = directory.path().join("victim");
    fs::write(&victim, "untouched").unwrap();
    symlink(&victim, directory.path().join("header.new")).unwrap();
    let (_, code, header) = recoverable();
    let mut file = HeaderFile::new(directory.path());
    file.create(&header).unwrap();
    assert_eq!(fs::read(&victim).unwrap(), b"untouched");
    assert!(file.unseal(&Unlock::Recovery(&code)).is_ok());
}

fn refusal(path: &Path) -> KeyFileRefusal {
    match KeyFileSecret::read(path) {
        Err(CryptoError::KeyFile { reason, .. }) => reason,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("{} was accepted", path.display()),
    }
}

#[test]
fn a_key_file_others_could_have_touched_is_refused_with_its_reason() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    KeyFileSecret::create(&path, &mut OsEntropy).unwrap();
    assert!(KeyFileSecret::read(&path).is_ok());
    assert!(
        matches!(KeyFileSecret::create(&path, &mut OsEntropy), Err(CryptoError::Io { .. })),
        "never replaced"
    );

    let mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    for wrong in [0o644, 0o640, 0o604, 0o620, 0o601, 0o700, 0o4600] {
        mode(wrong);
        assert_eq!(refusal(&path), KeyFileRefusal::Mode(wrong));
    }
    mode(0o400);
    assert!(KeyFileSecret::read(&path).is_ok(), "read-only is as good");
    mode(0o600);

    let link = directory.path().join("link");
    symlink(&path, &link).unwrap();
    assert_eq!(refusal(&link), KeyFileRefusal::Link);
    assert_eq!(refusal(directory.path()), KeyFileRefusal::NotRegular);
    let pipe = directory.path().join("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    assert_eq!(refusal(&pipe), KeyFileRefusal::NotRegular);

    for size in [0u64, 31, 33, 64, 1 << 20] {
        fs::write(&path, vec![7; usize::try_from(size).unwrap()]).unwrap();
        assert_eq!(refusal(&path), KeyFileRefusal::Length(size));
    }
    fs::write(&path, format!("{}\n", "x".repeat(32))).unwrap();
    assert_eq!(refusal(&path), KeyFileRefusal::Length(33));

    assert!(matches!(KeyFileSecret::read(&directory.path().join("none")), Err(CryptoError::Io { .. })));
}

#[test]
fn a_key_file_of_another_user_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    KeyFileSecret::create(&path, &mut OsEntropy).unwrap();
    if std::os::unix::fs::chown(&path, Some(12345), None).is_err() {
        eprintln!("skipped: needs the right to give a file away");
        return;
    }
    let runs_as = rustix::process::geteuid().as_raw();
    assert_eq!(refusal(&path), KeyFileRefusal::Owner { owner: 12345, runs_as });
}
