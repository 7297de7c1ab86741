//! Opening a checkpoint: who holds it, whether it is whole.
//!
//! 1. The file's lock is taken; if another process has it, that process is named (from `checkpoint.owner`).
//! 2. The file is checked, checksums and all, through an overlay that keeps redb's repairs to itself, so that a
//!    damaged file is refused and not changed.
//! 3. Only then redb opens it for writing, and repairs what an interrupted write left.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::{Database, DatabaseError};

use crate::checkpoint::overlay::OverlayBackend;
use crate::checkpoint::store::{CheckpointMetadata, read_metadata};
use crate::error::{Error, Result};

/// The checkpoint's file in its folder.
pub const FILE_NAME: &str = "checkpoint.redb";
/// Says which process holds the checkpoint, for the message to the next one.
const OWNER_FILE_NAME: &str = "checkpoint.owner";
/// A checkpoint is read in large pieces and rarely: a small cache is enough.
const CACHE_BYTES: usize = 8 * 1024 * 1024;

/// Opens, or makes, the checkpoint in `folder`.
///
/// # Errors
///
/// [`crate::error::ErrorKind::Checkpoint`]: in use, damaged, or not to be read.
pub fn open(folder: &Path) -> Result<Database> {
    let unreadable = |error: std::io::Error| {
        Error::checkpoint(format!("checkpoint {} cannot be opened", folder.display()))
            .hint("Give CHECKPOINT a folder that this user may write.")
            .caused_by(error)
    };
    fs::create_dir_all(folder).map_err(unreadable)?;
    let path = folder.join(FILE_NAME);
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path);
    let file = file.map_err(unreadable)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(in_use(folder)),
        Err(TryLockError::Error(error)) => return Err(unreadable(error)),
    }
    if file.metadata().map_err(unreadable)?.len() > 0 {
        check(&path, &file)?;
    }
    // redb takes the same lock; nobody can slip in between for longer than one failed open.
    drop(file);
    let database = Database::builder()
        .set_cache_size(CACHE_BYTES)
        .create(&path)
        .map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => in_use(folder),
            other => damaged(&path, &other.to_string()),
        })?;
    // Only for the message: failing to write it must not fail the query.
    let _ = fs::write(owner_path(folder), std::process::id().to_string());
    Ok(database)
}

/// Looks at the checkpoint in `folder` and leaves it as it is; `None` if there is none, or if somebody holds it now.
///
/// # Errors
///
/// [`crate::error::ErrorKind::Checkpoint`] if it is damaged.
pub fn peek(folder: &Path) -> Result<Option<CheckpointMetadata>> {
    let path = folder.join(FILE_NAME);
    let Ok(file) = File::open(&path) else {
        return Ok(None);
    };
    if file.try_lock_shared().is_err() || file.metadata().is_ok_and(|metadata| metadata.len() == 0) {
        return Ok(None);
    }
    let overlay = OverlayBackend::new(Arc::new(file)).map_err(|error| damaged(&path, &error.to_string()))?;
    let read = catch_unwind(AssertUnwindSafe(|| {
        let database = Database::builder()
            .set_cache_size(CACHE_BYTES)
            .create_with_backend(overlay);
        read_metadata(&database.map_err(|error| damaged(&path, &error.to_string()))?)
    }));
    read.unwrap_or_else(|_| Err(damaged(&path, "its structure is broken")))
}

/// Checks a file and leaves it as it is.
fn check(path: &Path, file: &File) -> Result<()> {
    let cloned = file
        .try_clone()
        .map_err(|error| damaged(path, &error.to_string()))?;
    let overlay = OverlayBackend::new(Arc::new(cloned)).map_err(|error| damaged(path, &error.to_string()))?;
    // redb trusts what its checksums cover and may panic on what they do not.
    let checked = catch_unwind(AssertUnwindSafe(|| {
        let mut builder = Database::builder();
        let mut database = builder.set_cache_size(CACHE_BYTES).create_with_backend(overlay)?;
        database.check_integrity()
    }));
    match checked {
        // `false` says that it was not whole and could be repaired: what a crash leaves.
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(damaged(path, &error.to_string())),
        Err(_) => Err(damaged(path, "its structure is broken")),
    }
}

fn damaged(path: &Path, reason: &str) -> Error {
    Error::checkpoint(format!("checkpoint {} is damaged: {reason}", path.display())).hint(
        "It was not changed. Restore it from a copy, or give the query another CHECKPOINT folder to start anew.",
    )
}

fn in_use(folder: &Path) -> Error {
    let owner = fs::read_to_string(owner_path(folder)).ok();
    let owner = owner.and_then(|text| text.trim().parse::<u32>().ok());
    let by = match owner {
        Some(id) if id == std::process::id() => "another query of this process".to_owned(),
        Some(id) => format!("process {id}"),
        None => "another process".to_owned(),
    };
    Error::checkpoint(format!("checkpoint {} is in use by {by}", folder.display()))
        .hint("Stop the query there first, or give this one another CHECKPOINT folder.")
}

fn owner_path(folder: &Path) -> PathBuf {
    folder.join(OWNER_FILE_NAME)
}
