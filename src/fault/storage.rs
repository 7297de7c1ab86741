//! Checkpoints and file sinks on storage that fails on demand and can lose what was not synced.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use redb::backends::FileBackend;
use redb::{Builder, Database, DatabaseError, StorageBackend};

use super::{FailingFileSystem, Trip};
use crate::execution::storage::Storage;
use crate::sink::file::FileSystem;

/// The machine's files, failing when a [`Trip`] says so: every write, sync and change of length of a checkpoint, and
/// every operation of a file sink, is one operation of the trip.
#[derive(Debug)]
pub struct FailingStorage {
    trip: Arc<Trip>,
    sink_files: Arc<FailingFileSystem>,
    checkpoints: Mutex<Vec<(PathBuf, UndoLog)>>,
}

/// What a power cut would undo in one file, oldest first.
type UndoLog = Arc<Mutex<Vec<Undo>>>;

#[derive(Debug)]
struct Undo {
    /// How long the file was.
    len: u64,
    /// Where bytes were changed or cut off, and what they were.
    offset: u64,
    bytes: Vec<u8>,
}

impl FailingStorage {
    /// Storage that fails when `trip` says so.
    pub fn new(trip: Arc<Trip>) -> Self {
        Self {
            sink_files: Arc::new(FailingFileSystem::new(Arc::clone(&trip))),
            trip,
            checkpoints: Mutex::default(),
        }
    }

    /// Cuts the power: what was not synced is lost. Checkpoints have to be closed.
    ///
    /// # Errors
    ///
    /// What the real file system says.
    pub fn cut_power(&self) -> io::Result<()> {
        for (path, undo) in self.checkpoints.lock().drain(..) {
            let mut file = OpenOptions::new().write(true).open(path)?;
            for undo in undo.lock().drain(..).rev() {
                file.set_len(undo.len)?;
                file.seek(SeekFrom::Start(undo.offset))?;
                file.write_all(&undo.bytes)?;
            }
        }
        self.sink_files.cut_power()
    }
}

impl Storage for FailingStorage {
    fn database(&self, builder: &Builder, path: &Path, file: File) -> Result<Database, DatabaseError> {
        let undo = UndoLog::default();
        self.checkpoints
            .lock()
            .push((path.to_path_buf(), Arc::clone(&undo)));
        builder.create_with_backend(FailingBackend {
            file: FileBackend::new(file)?,
            trip: Arc::clone(&self.trip),
            undo,
        })
    }

    fn sink_files(&self) -> Arc<dyn FileSystem> {
        Arc::clone(&self.sink_files) as _
    }
}

/// redb's storage in a file, failing when its trip says so. A write that fails has written half of its bytes.
///
/// It takes no lock: the files are the test's own.
#[derive(Debug)]
struct FailingBackend {
    file: FileBackend,
    trip: Arc<Trip>,
    undo: UndoLog,
}

impl FailingBackend {
    /// Remembers what `length` bytes from `offset` on are now.
    fn remember(&self, offset: u64, length: u64) -> io::Result<()> {
        let len = self.file.len()?;
        let end = len.min(offset.saturating_add(length));
        let there = usize::try_from(end.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; there];
        self.file.read(offset, &mut bytes)?;
        self.undo.lock().push(Undo { len, offset, bytes });
        Ok(())
    }

    fn write_through(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.remember(offset, bytes.len() as u64)?;
        self.file.write(offset, bytes)
    }
}

impl StorageBackend for FailingBackend {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.trip.step("changing a checkpoint's length")?;
        self.remember(len, u64::MAX)?;
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.trip.step("syncing a checkpoint")?;
        // A power cut is played by the undo log, so the disk need not be waited for.
        self.undo.lock().clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        if let Err(error) = self.trip.step("writing to a checkpoint") {
            self.write_through(offset, &data[..data.len() / 2])?;
            return Err(error);
        }
        self.write_through(offset, data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_cut_takes_back_writes_and_lengths() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)
            .expect("a file");
        let undo = UndoLog::default();
        let storage = FailingStorage::new(Trip::crash_at(6));
        storage.checkpoints.lock().push((path.clone(), Arc::clone(&undo)));
        let backend = FailingBackend {
            file: FileBackend::new(file).expect("a backend"),
            trip: Arc::clone(&storage.trip),
            undo,
        };
        backend.set_len(8).expect("a length");
        backend.write(0, b"12345678").expect("a write");
        backend.sync_data().expect("a sync");
        backend.write(2, b"xx").expect("a write");
        backend.set_len(4).expect("a length");
        backend.set_len(12).expect("a length");
        assert!(backend.write(0, b"yyzz").is_err(), "the trip says so");
        assert_eq!(
            std::fs::read(&path).expect("a file"),
            b"yyxx\0\0\0\0\0\0\0\0",
            "half of a failing write is written"
        );
        storage.cut_power().expect("a cut");
        assert_eq!(std::fs::read(&path).expect("a file"), b"12345678");
    }
}
