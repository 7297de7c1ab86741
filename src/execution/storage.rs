//! What queries write to: the machine's files, unless a test puts something else there.

use std::fmt::Debug;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use redb::{Builder, Database, DatabaseError};

use crate::sink::file::{FileSystem, LocalFileSystem};

/// Where checkpoints and file sinks put their bytes. There is one implementation beside the tests' failing one
/// ([`crate::fault`]): [`LocalStorage`].
pub trait Storage: Debug + Send + Sync {
    /// Puts redb on a checkpoint's open file, which is whole and lies at `path`.
    ///
    /// # Errors
    ///
    /// What redb says.
    fn database(&self, builder: &Builder, path: &Path, file: File) -> Result<Database, DatabaseError>;

    /// The operations of file sinks.
    fn sink_files(&self) -> Arc<dyn FileSystem>;
}

/// The machine's files.
#[derive(Debug, Default, Clone, Copy)]
pub struct LocalStorage;

impl Storage for LocalStorage {
    fn database(&self, builder: &Builder, _path: &Path, file: File) -> Result<Database, DatabaseError> {
        builder.create_file(file)
    }

    fn sink_files(&self) -> Arc<dyn FileSystem> {
        Arc::new(LocalFileSystem)
    }
}
