//! The few file operations that the file sink makes, behind a trait, so that tests can let each of them fail.

use std::fmt::Debug;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The operations of the file sink. All of them block.
pub trait FileSystem: Debug + Send + Sync {
    /// Makes a folder in one that exists; says whether it is new.
    fn create_dir(&self, path: &Path) -> io::Result<bool>;

    /// Makes an empty file, or empties the one that is there.
    fn create(&self, path: &Path) -> io::Result<Box<dyn OutputFile>>;

    /// Gives a file another name, in place of the file that has it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// What is in a folder.
    fn list(&self, folder: &Path) -> io::Result<Vec<FolderEntry>>;

    /// Makes the names in a folder durable: files that were made, renamed or removed there.
    fn sync_dir(&self, folder: &Path) -> io::Result<()>;
}

/// A file that is being written.
pub trait OutputFile: Write + Send {
    /// Makes the bytes durable.
    fn sync(&mut self) -> io::Result<()>;
}

/// One name in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderEntry {
    /// The folder's path and the name.
    pub path: PathBuf,
    /// Whether it is a folder itself.
    pub is_dir: bool,
}

/// The machine's file system.
#[derive(Debug, Default, Clone, Copy)]
pub struct LocalFileSystem;

impl FileSystem for LocalFileSystem {
    fn create_dir(&self, path: &Path) -> io::Result<bool> {
        match std::fs::create_dir(path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn OutputFile>> {
        Ok(Box::new(File::create(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<FolderEntry>> {
        std::fs::read_dir(folder)?
            .map(|entry| {
                let entry = entry?;
                Ok(FolderEntry {
                    path: entry.path(),
                    is_dir: entry.file_type()?.is_dir(),
                })
            })
            .collect()
    }

    fn sync_dir(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }
}

impl OutputFile for File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

/// Makes a folder, and those above it that are missing, each durable in the one above it.
pub(super) fn create_dirs(files: &dyn FileSystem, path: &Path) -> io::Result<()> {
    let above = path.parent().filter(|above| !above.as_os_str().is_empty());
    let is_new = match files.create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let Some(above) = above else { return Err(error) };
            create_dirs(files, above)?;
            files.create_dir(path)?
        }
        other => other?,
    };
    if is_new {
        files.sync_dir(above.unwrap_or(Path::new(".")))?;
    }
    Ok(())
}
