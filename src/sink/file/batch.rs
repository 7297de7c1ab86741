//! The files of one micro-batch while they are being written.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use uuid::Uuid;

use super::file_system::{FileSystem, create_dirs};
use super::format::{FileFormat, RowWriter};
use super::name::{final_name, temporary_name};
use super::partition::{Partitioning, Splitter};
use super::{Run, cannot};
use crate::error::Result;

/// So many files are open at once; a partition that comes back after it was closed gets another file.
const MAX_OPEN_FILES: usize = 64;

/// Writes a batch's rows to hidden files and, in [`Self::publish`], gives all of them their names. Dropped before
/// that, it takes away what it wrote.
pub(super) struct BatchWriter {
    files: Arc<dyn FileSystem>,
    format: Arc<dyn FileFormat>,
    folder: PathBuf,
    max_records_per_file: u64,
    query_id: Uuid,
    batch_id: u64,
    partitioning: Partitioning,
    splitter: Splitter,
    open: Vec<OpenFile>,
    /// Temporary and final paths of all files so far.
    written: Vec<(PathBuf, PathBuf)>,
    /// How many of them have their final names.
    published: usize,
    is_done: bool,
    num_rows: u64,
}

struct OpenFile {
    partition: usize,
    path: PathBuf,
    rows: u64,
    writer: Box<dyn RowWriter>,
}

impl BatchWriter {
    pub(super) fn try_new(sink: &super::FileSink, run: &Run, batch_id: u64) -> Result<Self> {
        Ok(Self {
            files: Arc::clone(&sink.files),
            format: Arc::clone(&sink.format),
            folder: sink.folder.clone(),
            max_records_per_file: sink.max_records_per_file,
            query_id: run.query_id,
            batch_id,
            splitter: run.partitioning.splitter(&run.schema)?,
            partitioning: run.partitioning.clone(),
            open: Vec::new(),
            written: Vec::new(),
            published: 0,
            is_done: false,
            num_rows: 0,
        })
    }

    pub(super) fn num_rows(&self) -> u64 {
        self.num_rows
    }

    /// Adds rows.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        for part in self.splitter.split(batch)? {
            let mut start = 0;
            while start < part.rows.num_rows() {
                let place = self.open_file(part.partition)?;
                let file = &mut self.open[place];
                let room = usize::try_from(self.max_records_per_file - file.rows).unwrap_or(usize::MAX);
                let length = room.min(part.rows.num_rows() - start);
                file.writer
                    .write(&part.rows.slice(start, length))
                    .map_err(|error| cannot("written", &file.path, error))?;
                file.rows += length as u64;
                start += length;
                if file.rows == self.max_records_per_file {
                    let full = self.open.remove(place);
                    finish(full)?;
                }
            }
        }
        self.num_rows += batch.num_rows() as u64;
        Ok(())
    }

    /// The place of the partition's open file, the last place, since the least recently used one comes first.
    fn open_file(&mut self, partition: usize) -> Result<usize> {
        if let Some(place) = self.open.iter().position(|file| file.partition == partition) {
            let file = self.open.remove(place);
            self.open.push(file);
            return Ok(self.open.len() - 1);
        }
        if self.open.len() >= MAX_OPEN_FILES {
            let oldest = self.open.remove(0);
            finish(oldest)?;
        }
        let sequence = u32::try_from(self.written.len()).unwrap_or(u32::MAX);
        let name = final_name(self.batch_id, sequence, self.query_id, self.format.extension());
        let folder = self.folder.join(self.splitter.folder(partition));
        create_dirs(self.files.as_ref(), &folder).map_err(|error| cannot("made", &folder, error))?;
        let path = folder.join(temporary_name(&name));
        self.written.push((path.clone(), folder.join(name)));
        let file = self
            .files
            .create(&path)
            .map_err(|error| cannot("made", &path, error))?;
        let writer = self
            .format
            .open(file, self.partitioning.file_schema())
            .map_err(|error| cannot("written", &path, error))?;
        self.open.push(OpenFile {
            partition,
            path,
            rows: 0,
            writer,
        });
        Ok(self.open.len() - 1)
    }

    /// Makes all files durable and gives them their names: from here on readers see them. Gives their paths.
    pub(super) fn publish(mut self) -> Result<Vec<PathBuf>> {
        for file in std::mem::take(&mut self.open) {
            finish(file)?;
        }
        let mut folders: BTreeSet<&Path> = BTreeSet::new();
        for (temporary, path) in &self.written {
            self.files
                .rename(temporary, path)
                .map_err(|error| cannot("renamed", temporary, error))?;
            self.published += 1;
            folders.extend(path.parent());
        }
        for folder in folders {
            self.files
                .sync_dir(folder)
                .map_err(|error| cannot("synced", folder, error))?;
        }
        self.is_done = true;
        Ok(self.written.iter().map(|(_, path)| path.clone()).collect())
    }
}

/// Writes the end of a file and makes its bytes durable.
fn finish(file: OpenFile) -> Result<()> {
    let path = file.path;
    let mut bytes = file
        .writer
        .finish()
        .map_err(|error| cannot("written", &path, error))?;
    bytes
        .flush()
        .and_then(|()| bytes.sync())
        .map_err(|error| cannot("synced", &path, error))
}

impl Drop for BatchWriter {
    fn drop(&mut self) {
        if self.is_done {
            return;
        }
        self.open.clear();
        for (at, (temporary, path)) in self.written.iter().enumerate() {
            let path = if at < self.published { path } else { temporary };
            // If it stays, the next start of the query finds it.
            if let Err(error) = self.files.remove(path) {
                tracing::debug!(path = %path.display(), %error, "a file of a failed batch stays for now");
            }
        }
    }
}
