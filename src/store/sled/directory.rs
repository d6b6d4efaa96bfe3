//! The data directory: whose it is, what lies in it, how much room there is. Everything done to files before and
//! around sled, and nothing inside the database.
//!
//! ```text
//! DIR/keydeck.lock   who has the store open
//! DIR/store/         sled's own files
//! DIR/recent.0, .1   the newest commits once more
//! DIR/seal           how far the store had come
//! DIR/quarantine/    files set aside, never deleted by keydeck
//! ```

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access, statvfs};

use crate::store::error::OpenError;

/// A data directory that is ours to use.
#[derive(Clone, Debug)]
pub(super) struct DataDir {
    root: PathBuf,
    /// The mode it had, when others could read it.
    pub(super) closed: Option<u32>,
}

impl DataDir {
    /// Checks `root`, and creates it when `create` says so; closes it to others who could read it. Changes nothing in a
    /// directory it refuses.
    pub(super) fn claim(root: &Path, create: bool) -> Result<Self, OpenError> {
        let mut dir = Self { root: root.to_path_buf(), closed: None };
        let bad = |why: String| OpenError::BadDirectory { dir: root.to_path_buf(), why };
        let meta = match fs::metadata(root) {
            Ok(meta) => meta,
            Err(error) if error.kind() == io::ErrorKind::NotFound && create => {
                DirBuilder::new()
                    .recursive(true)
                    .mode(0o700)
                    .create(root)
                    .map_err(|error| bad(format!("it cannot be created ({error})")))?;
                if let Some(parent) = root.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                    // The new name must survive a power cut as well as what will lie under it. A parent that we
                    // may not read cannot be synced by us.
                    let _synced = dir.sync(parent);
                }
                fs::metadata(root).map_err(|error| bad(error.to_string()))?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(OpenError::Absent { dir: root.to_path_buf() });
            }
            Err(error) => return Err(bad(error.to_string())),
        };
        if !meta.is_dir() {
            return Err(bad("it is not a directory".into()));
        }
        let me = rustix::process::geteuid().as_raw();
        if meta.uid() != me {
            let why =
                format!("it belongs to user {}, and you are user {me}; run keydeck as its owner", meta.uid());
            return Err(bad(why));
        }
        if meta.mode() & 0o022 != 0 {
            let why = format!(
                "others may write in it (mode {:03o}); take that away with `chmod go-w`",
                meta.mode() & 0o777
            );
            return Err(bad(why));
        }
        access(root, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK)
            .map_err(|errno| bad(format!("it cannot be written to ({errno})")))?;
        if meta.mode() & 0o077 != 0 {
            // Names and sizes tell, and what is made here by other programs may be readable itself.
            fs::set_permissions(root, fs::Permissions::from_mode(0o700)).map_err(|error| {
                bad(format!("others may read it, and it cannot be closed to them ({error})"))
            })?;
            dir.closed = Some(meta.mode() & 0o777);
        }
        Ok(dir)
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// sled's own directory.
    pub(super) fn store(&self) -> PathBuf {
        self.root.join("store")
    }

    /// Where a damaged store is rebuilt; thrown away when that fails.
    pub(super) fn attempt(&self) -> PathBuf {
        self.root.join("store.attempt")
    }

    /// A rebuilt store that is whole and waits to take the place of the damaged one.
    fn rebuilt(&self) -> PathBuf {
        self.root.join("store.rebuilt")
    }

    /// Whether a database with something in it is there.
    pub(super) fn has_database(&self) -> bool {
        fs::metadata(self.store().join("db")).is_ok_and(|meta| meta.len() > 0)
    }

    /// Removes the settings of a database that never got anything: of a disk that failed, they may be cut off, and then no
    /// database can be begun beside them.
    pub(super) fn forget_settings(&self) -> Result<(), OpenError> {
        match fs::remove_file(self.store().join("conf")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.io("store/conf", &error)),
            _ => Ok(()),
        }
    }

    /// Creates sled's directory, closed to everyone else.
    pub(super) fn create_store(&self) -> Result<(), OpenError> {
        let path = self.store();
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => self.sync(&self.root),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(self.io("store", &error)),
        }
    }

    /// sled's files whose name starts with `snap.`: finished snapshots or those cut off while being written.
    pub(super) fn snapshots(&self, cut_off: bool) -> Result<Vec<PathBuf>, OpenError> {
        let mut found = Vec::new();
        for item in fs::read_dir(self.store()).map_err(|error| self.io("store", &error))? {
            let path = item.map_err(|error| self.io("store", &error))?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if name.starts_with("snap.") && is_unfinished(&name) == cut_off {
                found.push(path);
            }
        }
        found.sort();
        Ok(found)
    }

    /// Moves a file or directory into the quarantine and answers with its new name, relative to the root.
    pub(super) fn set_aside(&self, path: &Path) -> Result<String, OpenError> {
        let quarantine = self.root.join("quarantine");
        match DirBuilder::new().mode(0o700).create(&quarantine) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(self.io("quarantine", &error));
            }
            _ => {}
        }
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let free =
            (1_u32..=u32::MAX).map(|n| format!("{n:03}-{name}")).find(|name| !quarantine.join(name).exists());
        let target = free.unwrap_or_else(|| name.clone());
        fs::rename(path, quarantine.join(&target)).map_err(|error| self.io(&name, &error))?;
        self.sync(&quarantine)?;
        self.sync(path.parent().unwrap_or(&self.root))?;
        Ok(format!("quarantine/{target}"))
    }

    /// Copies the damaged store's log to [`attempt`](Self::attempt). Its snapshot and its `conf` stay behind: sled
    /// makes both anew, and refuses a whole log when one of them is broken.
    pub(super) fn copy_for_attempt(&self) -> Result<(), OpenError> {
        let target = self.attempt();
        self.discard_attempt()?;
        let copy = || {
            DirBuilder::new().mode(0o700).create(&target)?;
            fs::copy(self.store().join("db"), target.join("db"))
        };
        copy().map(|_bytes| ()).map_err(|error| self.io("store.attempt", &error))
    }

    /// Removes what is left of an attempt.
    pub(super) fn discard_attempt(&self) -> Result<(), OpenError> {
        match fs::remove_dir_all(self.attempt()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.io("store.attempt", &error)),
            _ => Ok(()),
        }
    }

    /// Puts a successful, closed attempt in the place of the damaged store, which goes into the quarantine.
    pub(super) fn promote_attempt(&self) -> Result<Vec<String>, OpenError> {
        self.sync_tree(&self.attempt())?;
        fs::rename(self.attempt(), self.rebuilt()).map_err(|error| self.io("store.rebuilt", &error))?;
        self.sync(&self.root)?;
        self.finish_promotion()
    }

    /// Goes on with a promotion that was cut off half-way; does nothing when there is none.
    pub(super) fn finish_promotion(&self) -> Result<Vec<String>, OpenError> {
        if !self.rebuilt().exists() {
            return Ok(Vec::new());
        }
        let mut set_aside = Vec::new();
        if self.store().exists() {
            set_aside.push(self.set_aside(&self.store())?);
        }
        fs::rename(self.rebuilt(), self.store()).map_err(|error| self.io("store.rebuilt", &error))?;
        self.sync(&self.root)?;
        Ok(set_aside)
    }

    /// Makes sled's files durable and closed to everyone else: it creates them 0644 and syncs no directory.
    pub(super) fn settle(&self, store: &Path) -> Result<(), OpenError> {
        for item in fs::read_dir(store).map_err(|error| self.io("store", &error))? {
            let path = item.map_err(|error| self.io("store", &error))?.path();
            let meta = fs::metadata(&path).map_err(|error| self.io("store", &error))?;
            if !meta.is_file() && !meta.is_dir() {
                return Err(
                    self.io(&path.display().to_string(), &"it is no regular file, and no part of a store")
                );
            }
            if meta.mode() & 0o077 != 0 {
                let closed = fs::Permissions::from_mode(if meta.is_dir() { 0o700 } else { 0o600 });
                fs::set_permissions(&path, closed).map_err(|error| self.io("store", &error))?;
            }
        }
        self.sync_tree(store)?;
        self.sync(&self.root)
    }

    /// Bytes an unprivileged process may still write here.
    pub(super) fn free_bytes(&self) -> Option<u64> {
        let stat = statvfs(&self.root).ok()?;
        Some(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    /// `Err` when there is less than `need`. A file system that cannot tell is believed.
    pub(super) fn require_free(&self, need: u64) -> Result<(), OpenError> {
        match self.free_bytes() {
            Some(free) if free < need => Err(OpenError::NoSpace { dir: self.root.clone(), free, need }),
            _ => Ok(()),
        }
    }

    /// Bytes of the files in sled's directory.
    pub(super) fn store_bytes(&self) -> u64 {
        let files = fs::read_dir(self.store()).into_iter().flatten().flatten();
        files
            .filter_map(|item| item.metadata().ok())
            .filter(fs::Metadata::is_file)
            .map(|meta| meta.len())
            .sum()
    }

    /// An [`OpenError::Io`] about `what`.
    pub(super) fn io(&self, what: &str, error: &dyn std::fmt::Display) -> OpenError {
        OpenError::Io { dir: self.root.clone(), why: format!("{what}: {error}") }
    }

    fn sync(&self, path: &Path) -> Result<(), OpenError> {
        let synced = File::open(path).and_then(|file| file.sync_all());
        synced.map_err(|error| self.io(&path.display().to_string(), &error))
    }

    fn sync_tree(&self, dir: &Path) -> Result<(), OpenError> {
        for item in fs::read_dir(dir).map_err(|error| self.io("store", &error))? {
            let path = item.map_err(|error| self.io("store", &error))?.path();
            self.sync(&path)?;
        }
        self.sync(dir)
    }
}

/// Whether a name of sled's is that of a snapshot it was still writing.
pub(super) fn is_unfinished(name: &str) -> bool {
    name.ends_with(".generating")
}
