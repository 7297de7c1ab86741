//! The files of a folder as a static table.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::physical_plan::SendableRecordBatchStream;

use super::folders::Records;
use super::format::open;
use super::log::{FileEntry, sort};
use super::options::{FileContext, FileOptions};
use super::reader::{partition_readers, streams};
use crate::error::Result;
use crate::options::Options;

/// Files that are read as a whole, as often as a query asks. All methods block on the file system.
#[derive(Debug)]
pub struct FileTable {
    records: Records,
    options: FileOptions,
}

/// The files of a table at one moment: while it compares equal, what was read before is still right.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    files: Vec<FileEntry>,
}

impl Fingerprint {
    /// The files in reading order.
    pub fn files(&self) -> &[FileEntry] {
        &self.files
    }
}

impl FileTable {
    /// Opens the table `path` of a format (one of [`super::FORMATS`]). `schema` is the declared one.
    ///
    /// # Errors
    /// `Statement` for an unknown format or option and for a wrong value, `Source` if the folder does not exist.
    pub fn try_new(
        format: &str,
        schema: Option<SchemaRef>,
        options: &Options,
        context: &FileContext,
    ) -> Result<Self> {
        let (records, options) = open(format, schema, options, context)?;
        Ok(Self { records, options })
    }

    /// The columns.
    pub fn schema(&self) -> SchemaRef {
        self.records.schema()
    }

    /// Where the files are: `file:/tmp/users`.
    pub fn url(&self) -> String {
        self.options.location.url()
    }

    /// Lists the files that are there now.
    ///
    /// # Errors
    /// `Source` if the folder cannot be listed.
    pub fn fingerprint(&self) -> Result<Fingerprint> {
        let mut files = self.options.location.list(&|_, _| true)?.files;
        sort(&mut files, self.options.latest_first);
        Ok(Fingerprint { files })
    }

    /// The rows of these files as at most `partitions` streams with the columns of `projection`.
    ///
    /// # Errors
    /// `Internal` if `projection` names a column that is not there; errors while reading come out of the streams.
    pub fn read(
        &self,
        files: &Fingerprint,
        projection: &[usize],
        partitions: usize,
    ) -> Result<Vec<SendableRecordBatchStream>> {
        let ignore_missing = self.options.ignore_missing_files;
        let readers = partition_readers(
            &files.files,
            &self.records,
            projection,
            partitions,
            ignore_missing,
        )?;
        Ok(streams(readers, &Arc::new(self.schema().project(projection)?)))
    }

    /// All rows of these files, all columns.
    ///
    /// # Errors
    /// `Source` if a file cannot be read.
    pub fn read_all(&self, files: &Fingerprint) -> Result<Vec<RecordBatch>> {
        let all: Vec<usize> = (0..self.schema().fields().len()).collect();
        let readers = partition_readers(
            &files.files,
            &self.records,
            &all,
            1,
            self.options.ignore_missing_files,
        )?;
        readers.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests;
