//! Opening a checkpoint: who holds it, whether it is whole.
//!
//! 1. A checkpoint that is not there is made under another name, wholly, and gets its name then. So a file of the
//!    checkpoint's name that is empty or cut short is damaged, never new.
//! 2. The file's lock is taken; if another process has it, that process is named (from `checkpoint.owner`).
//! 3. The file is checked, checksums and all, through an overlay that keeps redb's repairs to itself, so that a
//!    damaged file, or one of another query, is refused and not changed.
//! 4. Only then redb opens it for writing, and repairs what an interrupted write left.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use redb::{Builder, Database, DatabaseError, StorageError};

use crate::checkpoint::overlay::OverlayBackend;
use crate::checkpoint::quiet;
use crate::checkpoint::store::read_metadata;
use crate::checkpoint::{Checkpoint, CheckpointMetadata};
use crate::error::{Error, Result};

/// The checkpoint's file in its folder.
pub const FILE_NAME: &str = "checkpoint.redb";
/// Its name while it is being made.
const NEW_FILE_NAME: &str = "checkpoint.redb.new";
/// Says which process holds the checkpoint, for the message to the next one.
const OWNER_FILE_NAME: &str = "checkpoint.owner";
/// A checkpoint is read in large pieces and rarely: a small cache is enough.
const CACHE_BYTES: usize = 8 * 1024 * 1024;
/// How often, and after which pauses, a lock is asked for that a look at the file may hold.
const LOOK_TRIES: u32 = 10;
const LOOK_PAUSE: Duration = Duration::from_millis(10);

/// Puts redb on a checkpoint's file: [`Builder::create_file`], or a test's own way.
pub type OpenDatabase<'a> = &'a dyn Fn(&Builder, &Path, File) -> Result<Database, DatabaseError>;

/// Says whether a query can go on from the checkpoint that is described.
pub type AcceptMetadata<'a> = &'a dyn Fn(&CheckpointMetadata) -> Result<()>;

/// Opens, or makes, the checkpoint in `folder`.
///
/// # Errors
///
/// [`crate::error::ErrorKind::Checkpoint`]: in use, damaged, not to be read; or what `accept` says. The file is
/// unchanged then.
pub fn open(folder: &Path, database: OpenDatabase<'_>, accept: AcceptMetadata<'_>) -> Result<Database> {
    let unreadable = |error: io::Error| {
        Error::checkpoint(format!("checkpoint {} cannot be opened", folder.display()))
            .hint("Give CHECKPOINT a folder that this user may write.")
            .caused_by(error)
    };
    fs::create_dir_all(folder).map_err(unreadable)?;
    let path = folder.join(FILE_NAME);
    let existing = OpenOptions::new().read(true).write(true).open(&path);
    let file = match existing {
        Ok(file) if lock_soon(&file).map_err(unreadable)? => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(folder, &path)
            .map_err(unreadable)?
            .ok_or_else(|| in_use(folder))?,
        Ok(_) => return Err(in_use(folder)),
        Err(error) => return Err(unreadable(error)),
    };
    check(&path, &file, accept)?;
    // redb takes the same lock; nobody can slip in between for longer than one failed open.
    file.unlock().map_err(unreadable)?;
    let database = database(&builder(), &path, file).map_err(|error| match error {
        DatabaseError::DatabaseAlreadyOpen => in_use(folder),
        DatabaseError::Storage(StorageError::Io(error)) => unreadable(error),
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
/// [`crate::error::ErrorKind::Checkpoint`] if it is damaged; what `look` says.
pub fn peek<T>(folder: &Path, look: impl FnOnce(&Checkpoint) -> Result<T>) -> Result<Option<T>> {
    let path = folder.join(FILE_NAME);
    let Ok(file) = File::open(&path) else {
        return Ok(None);
    };
    if file.try_lock_shared().is_err() {
        return Ok(None);
    }
    overlaid(&path, file, |database| {
        look(&Checkpoint::with_database(database)?)
    })
    .map(Some)
}

/// Moves the checkpoint in `folder` to a new folder beside it and gives that one. Only the checkpoint's own files go:
/// whatever else is there stays.
///
/// # Errors
///
/// A statement error if there is none; [`crate::error::ErrorKind::Checkpoint`] if it is in use or cannot be moved.
pub fn put_aside(folder: &Path, now_ms: i64) -> Result<PathBuf> {
    let unmovable = |error: io::Error| {
        Error::checkpoint(format!("checkpoint {} cannot be put aside", folder.display()))
            .hint("It is as it was. Mend its folder's permissions, or move it yourself.")
            .caused_by(error)
    };
    let path = folder.join(FILE_NAME);
    let file = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(
                Error::statement(format!("there is no checkpoint in {}", folder.display()))
                    .hint("The query begins anew in any case."),
            );
        }
        file => file.map_err(unmovable)?,
    };
    // Held until the file has its new name: nobody opens it by the old one meanwhile and writes.
    if !lock_soon(&file).map_err(unmovable)? {
        return Err(in_use(folder));
    }
    let aside = free_name(folder, now_ms);
    fs::create_dir(&aside).map_err(unmovable)?;
    // The new folder is durable before the old one lets the file go.
    let parent = aside.parent().filter(|parent| !parent.as_os_str().is_empty());
    sync_folder(parent.unwrap_or(Path::new("."))).map_err(unmovable)?;
    if let Err(error) = fs::rename(&path, aside.join(FILE_NAME)) {
        // Empty, and of no use.
        let _ = fs::remove_dir(&aside);
        return Err(unmovable(error));
    }
    // Only for messages to others.
    let _ = fs::remove_file(owner_path(folder));
    sync_folder(&aside)
        .and_then(|()| sync_folder(folder))
        .map_err(unmovable)?;
    Ok(aside)
}

/// A name beside `folder` that nothing has: `by_hour.reset-20260301T140230Z`.
fn free_name(folder: &Path, now_ms: i64) -> PathBuf {
    let stamp = chrono::DateTime::from_timestamp_millis(now_ms).unwrap_or_default();
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let name = format!("{name}.reset-{}", stamp.format("%Y%m%dT%H%M%SZ"));
    let mut free = folder.with_file_name(&name);
    let mut number = 2;
    while free.exists() {
        free = folder.with_file_name(format!("{name}-{number}"));
        number += 1;
    }
    free
}

fn builder() -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

/// As [`lock`], and waits a moment for somebody who only looks at the file.
fn lock_soon(file: &File) -> io::Result<bool> {
    for _ in 0..LOOK_TRIES {
        if lock(file)? {
            return Ok(true);
        }
        std::thread::sleep(LOOK_PAUSE);
    }
    lock(file)
}

/// Takes a file's lock; says whether it was free.
fn lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Makes an empty checkpoint and locks it; `None` if another process is about to, or has.
fn make(folder: &Path, path: &Path) -> io::Result<Option<File>> {
    let new_path = folder.join(NEW_FILE_NAME);
    // What is in the way is left over from a crash.
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&new_path)?;
    // Who holds this lock gives the file its name before it lets go of it: two cannot both come through.
    if !lock(&file)? || path.exists() {
        return Ok(None);
    }
    file.set_len(0)?;
    let overlay = OverlayBackend::new(Arc::new(file.try_clone()?))?;
    let database = builder().create_with_backend(overlay.clone());
    drop(database.map_err(io::Error::other)?);
    overlay.write_to(&file)?;
    fs::rename(&new_path, path)?;
    sync_folder(folder)?;
    Ok(Some(file))
}

/// Makes the names in a folder durable.
fn sync_folder(folder: &Path) -> io::Result<()> {
    // Windows has no such operation; it keeps names durable itself.
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Checks a file and leaves it as it is.
fn check(path: &Path, file: &File, accept: AcceptMetadata<'_>) -> Result<()> {
    let cloned = file
        .try_clone()
        .map_err(|error| damaged(path, &error.to_string()))?;
    let metadata = overlaid(path, cloned, |mut database| {
        // What an interrupted write left was repaired, on the overlay, when the file was opened there.
        match database.check_integrity() {
            Ok(true) => read_metadata(&database),
            Ok(false) => Err(damaged(path, "its checksums do not fit its content")),
            Err(error) => Err(damaged(path, &error.to_string())),
        }
    })?;
    metadata.as_ref().map_or(Ok(()), accept)
}

/// Does `work` on a file's database and leaves the file as it is.
fn overlaid<T>(path: &Path, file: File, work: impl FnOnce(Database) -> Result<T>) -> Result<T> {
    if file.metadata().is_ok_and(|metadata| metadata.len() == 0) {
        return Err(damaged(path, "it is empty"));
    }
    let overlay = OverlayBackend::new(Arc::new(file)).map_err(|error| damaged(path, &error.to_string()))?;
    let done = quiet::catch(|| {
        let database = builder()
            .create_with_backend(overlay)
            .map_err(|error| damaged(path, &error.to_string()))?;
        work(database)
    });
    done.unwrap_or_else(|| Err(damaged(path, "its structure is broken")))
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
