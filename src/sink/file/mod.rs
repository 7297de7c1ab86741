//! The file sink: a folder of JSON or Parquet files in which every row is exactly once.
//!
//! A file's name says which query and which batch it belongs to (`name`), so no list of files has to be kept beside
//! them and any reader of the folder sees clean data. The life of a batch:
//!
//! ```text
//! write(batch)   rows -> .part-*.tmp, hidden, as they come
//!                write the end of each file, fsync it
//!                rename all of them to part-*, fsync their folders      now readers see them
//! (the checkpoint commits the batch)
//!
//! start          remove every .part-*.tmp of this query, and every part-* of this query whose batch is beyond
//!                the checkpoint's last commit: they will be written again
//! ```
//!
//! A crash before the checkpoint's commit thus leaves files that the next start removes, before the batch comes
//! again. An empty batch writes no file. `PARTITIONED BY` makes Hive's folders (`partition`).
//!
//! # Layout
//!
//! - `batch`: the files of one batch while they are written
//! - `format`, `json`, `parquet`: what is in a file
//! - `name`: the names of files
//! - `partition`: rows by folder
//! - `file_system`: the operations, so that tests can let them fail

mod batch;
mod file_system;
mod format;
mod json;
mod name;
mod parquet;
mod partition;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::physical_plan::SendableRecordBatchStream;
use futures::TryStreamExt;
use parking_lot::Mutex;
use uuid::Uuid;

pub use file_system::{FileSystem, FolderEntry, LocalFileSystem, OutputFile};
pub use format::FORMATS;

use self::batch::BatchWriter;
use self::file_system::create_dirs;
use self::format::FileFormat;
use self::name::Owned;
use self::partition::Partitioning;
use super::{OutputMode, Sink, SinkCommit, SinkStart};
use crate::error::{Error, Result};
use crate::options::Options;

/// Writes rows to the files of a folder.
#[derive(Debug)]
pub struct FileSink {
    files: Arc<dyn FileSystem>,
    format: Arc<dyn FileFormat>,
    folder: PathBuf,
    partition_by: Vec<String>,
    /// `u64::MAX` where there is no limit.
    max_records_per_file: u64,
    run: Mutex<Option<Run>>,
}

/// What is known from a run's start on.
#[derive(Debug, Clone)]
struct Run {
    schema: SchemaRef,
    query_id: Uuid,
    partitioning: Partitioning,
    /// Files of batches that are not known to be committed.
    uncommitted: Vec<(u64, Vec<PathBuf>)>,
}

impl FileSink {
    /// A file sink of a format (`json`, `parquet`) with the options of its clause, their names in any case: `path`,
    /// `compression`, `maxRecordsPerFile`, and for JSON `ignoreNullFields`.
    ///
    /// # Errors
    ///
    /// `Statement` for an unknown format, an unknown option, a value that is none, or if `path` is missing.
    pub fn try_new(format: &str, options: &Options, partition_by: Vec<String>) -> Result<Self> {
        let format = Arc::from(format::format(format, options)?);
        let folder = options.path("path")?.ok_or_else(|| {
            Error::statement("a file sink needs a folder").hint("Write it as OPTIONS (path 'out/purchases').")
        })?;
        // As in Spark, zero and less mean that there is no limit.
        let rows = "how many rows a file may have, 0 for no limit";
        let limit = options.parse("maxRecordsPerFile", rows, |text| text.parse::<i64>().ok())?;
        let limit = limit.and_then(|limit| u64::try_from(limit).ok());
        let max_records_per_file = limit.filter(|limit| *limit > 0).unwrap_or(u64::MAX);
        Ok(Self {
            files: Arc::new(LocalFileSystem),
            format,
            folder,
            partition_by,
            max_records_per_file,
            run: Mutex::new(None),
        })
    }

    /// Does its file operations through `files`.
    #[must_use]
    pub fn with_file_system(mut self, files: Arc<dyn FileSystem>) -> Self {
        self.files = files;
        self
    }

    /// Whether a query of these columns can write here: asked before anything is started.
    ///
    /// # Errors
    ///
    /// `Statement` for an output mode other than append, a wrong partition column, a type that the format lacks.
    pub fn check(&self, schema: &SchemaRef, mode: OutputMode) -> Result<()> {
        self.partitioning(schema, mode).map(drop)
    }

    fn partitioning(&self, schema: &SchemaRef, mode: OutputMode) -> Result<Partitioning> {
        if mode != OutputMode::Append {
            return Err(
                Error::statement(format!("a file sink takes no output mode {mode}")).hint(
                    "Use OUTPUT MODE APPEND, with a watermark if the query aggregates: a file cannot change.",
                ),
            );
        }
        let partitioning = Partitioning::try_new(schema, &self.partition_by)?;
        self.format.check(partitioning.file_schema())?;
        Ok(partitioning)
    }
}

/// The error of an operation on one path.
fn cannot(done: &str, path: &Path, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::sink(format!("\"{}\" cannot be {done}", path.display())).caused_by(cause)
}

#[async_trait]
impl Sink for FileSink {
    fn description(&self) -> String {
        format!("FileSink[{}]", self.folder.display())
    }

    async fn start(&self, start: SinkStart) -> Result<()> {
        let partitioning = self.partitioning(&start.schema, start.mode)?;
        let (files, folder) = (Arc::clone(&self.files), self.folder.clone());
        let (query_id, last_committed) = (start.query_id, start.last_committed);
        blocking(move || {
            create_dirs(files.as_ref(), &folder).map_err(|error| cannot("made", &folder, error))?;
            remove_leftovers(files.as_ref(), &folder, query_id, last_committed)
        })
        .await?;
        *self.run.lock() = Some(Run {
            schema: start.schema,
            query_id,
            partitioning,
            uncommitted: Vec::new(),
        });
        Ok(())
    }

    async fn write(&self, batch_id: u64, mut rows: SendableRecordBatchStream) -> Result<SinkCommit> {
        let run = self.run.lock().clone();
        let run = run.ok_or_else(|| Error::internal("the file sink was not started"))?;
        let earlier: Vec<PathBuf> = run
            .uncommitted
            .iter()
            .filter(|(id, _)| *id >= batch_id)
            .flat_map(|(_, paths)| paths.clone())
            .collect();
        if !earlier.is_empty() {
            let files = Arc::clone(&self.files);
            blocking(move || remove_all(files.as_ref(), &earlier)).await?;
            self.forget(|id| id >= batch_id);
        }
        let mut writer = BatchWriter::try_new(self, &run, batch_id)?;
        while let Some(batch) = rows.try_next().await? {
            writer.write(&batch)?;
        }
        let num_output_rows = writer.num_rows();
        let paths = blocking(move || writer.publish()).await?;
        if let Some(run) = self.run.lock().as_mut() {
            run.uncommitted.push((batch_id, paths));
        }
        Ok(SinkCommit {
            num_output_rows,
            ..SinkCommit::default()
        })
    }

    async fn committed(&self, batch_id: u64) -> Result<()> {
        self.forget(|id| id <= batch_id);
        Ok(())
    }
}

impl FileSink {
    fn forget(&self, is_settled: impl Fn(u64) -> bool) {
        if let Some(run) = self.run.lock().as_mut() {
            run.uncommitted.retain(|(id, _)| !is_settled(*id));
        }
    }
}

/// Runs what waits for the disk where it holds up no computation.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::internal("a file operation was broken off").caused_by(error))?
}

/// Removes what a crash left: this query's temporary files and the files of its uncommitted batches.
fn remove_leftovers(
    files: &dyn FileSystem,
    folder: &Path,
    query_id: Uuid,
    last_committed: Option<u64>,
) -> Result<()> {
    let mut leftovers = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in files
            .list(&folder)
            .map_err(|error| cannot("listed", &folder, error))?
        {
            let Some(name) = entry.path.file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            if entry.is_dir {
                if name.contains('=') {
                    folders.push(entry.path);
                }
                continue;
            }
            let is_leftover = match name::owned(name, query_id) {
                Some(Owned::Temporary) => true,
                Some(Owned::Batch(batch_id)) => last_committed.is_none_or(|last| batch_id > last),
                None => false,
            };
            if is_leftover {
                leftovers.push(entry.path);
            }
        }
    }
    remove_all(files, &leftovers)
}

/// Removes files, durably; that one is gone already is fine.
fn remove_all(files: &dyn FileSystem, paths: &[PathBuf]) -> Result<()> {
    let mut folders: Vec<&Path> = Vec::new();
    for path in paths {
        match files.remove(path) {
            Ok(()) => folders.extend(path.parent()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(cannot("removed", path, error)),
        }
    }
    folders.sort_unstable();
    folders.dedup();
    for folder in folders {
        files
            .sync_dir(folder)
            .map_err(|error| cannot("synced", folder, error))?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
