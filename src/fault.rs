//! Test support: storage that fails on demand.
//!
//! A recovery test runs the same work again and again and lets it fail at the first, the second, the n-th write
//! or sync, until it gets through; each time it then starts anew and must end with the same rows. The counter is
//! a [`Trip`], which several kinds of storage may share, so that one number means one moment in a whole run. A
//! session's storage that obeys one is [`FailingStorage`], the file sink's part of it [`FailingFileSystem`].

mod storage;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

pub use storage::FailingStorage;

use crate::sink::file::{FileSystem, FolderEntry, LocalFileSystem, OutputFile};

/// Counts operations and says when one of them is to fail.
#[derive(Debug)]
pub struct Trip {
    count: AtomicU64,
    fail_at: u64,
    fail_once: bool,
}

impl Trip {
    /// Nothing fails: to learn by [`Self::count`] how many operations a run makes.
    pub fn never() -> Arc<Self> {
        Self::new(u64::MAX, false)
    }

    /// The `n`-th operation, counted from 0, and all after it fail, as if the process had died there.
    pub fn crash_at(n: u64) -> Arc<Self> {
        Self::new(n, false)
    }

    /// The `n`-th operation, counted from 0, fails and those after it do not, as on a disk that is full for a
    /// moment.
    pub fn fail_once_at(n: u64) -> Arc<Self> {
        Self::new(n, true)
    }

    fn new(fail_at: u64, fail_once: bool) -> Arc<Self> {
        Arc::new(Self {
            count: AtomicU64::new(0),
            fail_at,
            fail_once,
        })
    }

    /// Counts an operation; an error says that it must not be carried out.
    ///
    /// # Errors
    ///
    /// `Other`, where this operation is the one to fail.
    pub fn step(&self, operation: &str) -> io::Result<()> {
        let number = self.count.fetch_add(1, Ordering::SeqCst);
        if number == self.fail_at || (number > self.fail_at && !self.fail_once) {
            return Err(io::Error::other(format!(
                "{operation} failed on demand, as operation {number}"
            )));
        }
        Ok(())
    }

    /// How many operations were counted.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }

    /// Whether an operation was made to fail.
    pub fn is_tripped(&self) -> bool {
        self.count() > self.fail_at
    }
}

/// The local file system, failing when its [`Trip`] says so. A write that fails has written half of its bytes.
#[derive(Debug)]
pub struct FailingFileSystem {
    trip: Arc<Trip>,
    unsynced: Arc<Mutex<Unsynced>>,
}

/// What a power cut would undo.
#[derive(Debug, Default)]
struct Unsynced {
    /// Files with bytes that were not synced.
    files: BTreeSet<PathBuf>,
    /// Renames whose folder was not synced.
    renames: Vec<(PathBuf, PathBuf)>,
}

impl FailingFileSystem {
    /// A file system that fails when `trip` says so.
    pub fn new(trip: Arc<Trip>) -> Self {
        Self {
            trip,
            unsynced: Arc::default(),
        }
    }

    /// Cuts the power: what was not synced is lost. Files lose their bytes, renames are undone.
    ///
    /// # Errors
    ///
    /// What the real file system says.
    pub fn cut_power(&self) -> io::Result<()> {
        let unsynced = std::mem::take(&mut *self.unsynced.lock());
        for file in unsynced.files.iter().filter(|file| file.exists()) {
            std::fs::OpenOptions::new().write(true).open(file)?.set_len(0)?;
        }
        for (from, to) in unsynced.renames.iter().rev().filter(|(_, to)| to.exists()) {
            std::fs::rename(to, from)?;
        }
        Ok(())
    }
}

impl FileSystem for FailingFileSystem {
    fn create_dir(&self, path: &Path) -> io::Result<bool> {
        self.trip.step("creating a folder")?;
        LocalFileSystem.create_dir(path)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn OutputFile>> {
        self.trip.step("creating a file")?;
        let inner = LocalFileSystem.create(path)?;
        self.unsynced.lock().files.insert(path.to_path_buf());
        Ok(Box::new(FailingFile {
            inner,
            path: path.to_path_buf(),
            trip: Arc::clone(&self.trip),
            unsynced: Arc::clone(&self.unsynced),
        }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.trip.step("renaming a file")?;
        LocalFileSystem.rename(from, to)?;
        let mut unsynced = self.unsynced.lock();
        if unsynced.files.remove(from) {
            unsynced.files.insert(to.to_path_buf());
        }
        unsynced.renames.push((from.to_path_buf(), to.to_path_buf()));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.trip.step("removing a file")?;
        LocalFileSystem.remove(path)?;
        let mut unsynced = self.unsynced.lock();
        unsynced.files.remove(path);
        unsynced.renames.retain(|(_, to)| to != path);
        Ok(())
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<FolderEntry>> {
        self.trip.step("listing a folder")?;
        LocalFileSystem.list(folder)
    }

    fn sync_dir(&self, folder: &Path) -> io::Result<()> {
        self.trip.step("syncing a folder")?;
        LocalFileSystem.sync_dir(folder)?;
        self.unsynced
            .lock()
            .renames
            .retain(|(_, to)| to.parent() != Some(folder));
        Ok(())
    }
}

struct FailingFile {
    inner: Box<dyn OutputFile>,
    path: PathBuf,
    trip: Arc<Trip>,
    unsynced: Arc<Mutex<Unsynced>>,
}

impl Write for FailingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Err(error) = self.trip.step("writing to a file") {
            self.inner.write_all(&bytes[..bytes.len() / 2])?;
            return Err(error);
        }
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl OutputFile for FailingFile {
    fn sync(&mut self) -> io::Result<()> {
        self.trip.step("syncing a file")?;
        self.inner.sync()?;
        self.unsynced.lock().files.remove(&self.path);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_lasts_and_a_failure_passes() {
        let outcomes = |trip: Arc<Trip>| (0..4).map(|_| trip.step("it").is_ok()).collect::<Vec<_>>();
        assert_eq!(outcomes(Trip::never()), [true, true, true, true]);
        assert_eq!(outcomes(Trip::crash_at(1)), [true, false, false, false]);
        assert_eq!(outcomes(Trip::fail_once_at(1)), [true, false, true, true]);
        let trip = Trip::crash_at(1);
        assert!(trip.step("it").is_ok() && !trip.is_tripped());
        assert!(trip.step("it").is_err() && trip.is_tripped());
        assert_eq!(trip.count(), 2);
    }

    #[test]
    fn a_power_cut_undoes_what_was_not_synced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let files = FailingFileSystem::new(Trip::never());
        for (name, is_synced) in [("kept", true), ("lost", false)] {
            let mut file = files.create(&path(".tmp")).expect("a file");
            file.write_all(b"rows").expect("a write");
            if is_synced {
                file.sync().expect("a sync");
            }
            files.rename(&path(".tmp"), &path(name)).expect("a rename");
            files.sync_dir(folder.path()).expect("a sync");
        }
        files.rename(&path("kept"), &path("moved")).expect("a rename");
        files.cut_power().expect("a cut");
        assert_eq!(std::fs::read(path("kept")).expect("a file"), b"rows");
        assert_eq!(std::fs::read(path("lost")).expect("a file"), b"");
        assert!(!path("moved").exists());
    }
}
