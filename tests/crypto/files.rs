//! The header's two copies and the key file: a power cut at any step leaves a store that opens, and a file others
//! could have touched is not used.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop")]

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use keydeck::crypto::CryptoError;
use keydeck::crypto::StoreId;
use keydeck::crypto::header::{Header, Unlock};
use keydeck::crypto::header_file::{HEADER, HEADER_COPY, HeaderDisk, HeaderFile};
use keydeck::crypto::keyfile::{KeyFileRefusal, KeyFileSecret};
use keydeck::crypto::keyring::RootKey;
use keydeck::crypto::random::OsEntropy;
use keydeck::crypto::recovery::RecoveryCode;
use keydeck::crypto::slots::{NewSlot, SlotSecret};

const STORE: StoreId = StoreId([3; 16]);

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
fn a_change_of_the_header_cut_off_at_any_step_leaves_the_old_or_the_new_one_whole() {
    let directory = Path::new("data");
    let (root, old, header) = recoverable();
    let new = RecoveryCode::generate(&mut OsEntropy).unwrap();
    let mut begin = FailingDisk::default();
    HeaderFile::on(&mut begin, directory).create(&header).unwrap();
    let next = header.add_slot(&root, by_recovery(&new), &mut OsEntropy).unwrap();

    let opens = |disk: &FailingDisk, code| {
        let mut disk = disk.clone().restart();
        let header = HeaderFile::on(&mut disk, directory).load().unwrap();
        header.unlock(&Unlock::Recovery(code)).is_ok()
    };
    let (mut before, mut after) = (0, 0);
    for at in 1..=6 {
        for cut in [Cut::Lost, Cut::Kept, Cut::Torn] {
            let mut disk = begin.clone();
            (disk.steps, disk.cut) = (0, Some((at, cut)));
            assert!(HeaderFile::on(&mut disk, directory).replace(&next).is_err(), "step {at} {cut:?}");
            assert!(opens(&disk, &old), "step {at} {cut:?}: what opened before opens");
            if opens(&disk, &new) {
                after += 1;
            } else {
                before += 1;
            }
            // Whichever it is: afterwards both copies are the same.
            let mut disk = disk.restart();
            let mut file = HeaderFile::on(&mut disk, directory);
            let found = file.load().unwrap();
            file.heal(&found).unwrap();
            assert_eq!(disk.names[&directory.join(HEADER)], disk.names[&directory.join(HEADER_COPY)]);
        }
    }
    assert!(before > 3 && after > 3, "before {before}, after {after}");
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
            match HeaderFile::on(&mut disk, directory).load() {
                Ok(found) => assert!(found.unlock(&Unlock::Recovery(&code)).is_ok()),
                Err(CryptoError::HeaderMissing(_)) => {}
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
        for damage in
            [Some(&[][..]), Some(&good[..100]), Some(&flipped), Some(&too_large), None, Some(b"pipe")]
        {
            match damage {
                Some(b"pipe") => {
                    fs::remove_file(path(name)).unwrap();
                    rustix::fs::mknodat(
                        rustix::fs::CWD,
                        path(name),
                        rustix::fs::FileType::Fifo,
                        0o600.into(),
                        0,
                    )
                    .unwrap();
                }
                Some(bytes) => fs::write(path(name), bytes).unwrap(),
                None => fs::remove_file(path(name)).unwrap(),
            }
            assert!(file.create(&header).is_err(), "a half store must not be overwritten");
            let found = file.load().unwrap();
            assert!(found.unlock(&Unlock::Recovery(&code)).is_ok());
            file.heal(&found).unwrap();
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
fn a_disk_that_cannot_be_written_keeps_nobody_out() {
    let directory = Path::new("data");
    let (_, code, header) = recoverable();
    let mut disk = FailingDisk::default();
    HeaderFile::on(&mut disk, directory).create(&header).unwrap();
    disk.names.remove(&directory.join(HEADER_COPY));
    (disk.steps, disk.cut) = (0, Some((1, Cut::Lost)));
    let found = HeaderFile::on(&mut disk, directory).load().unwrap();
    assert!(found.unlock(&Unlock::Recovery(&code)).is_ok());
    let healed = HeaderFile::on(&mut disk, directory).heal(&found);
    assert!(matches!(healed, Err(CryptoError::Io { what: "write", .. })));
    disk.cut = None;
    HeaderFile::on(&mut disk, directory).heal(&found).unwrap();
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
    assert!(file.load().unwrap().unlock(&Unlock::Recovery(&code)).is_ok());
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
