//! What the formats of files have in common, and their list.

use std::fmt::Debug;

use arrow::datatypes::Schema;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;

use super::file_system::OutputFile;
use super::json::JsonFormat;
use super::parquet::ParquetFormat;
use crate::error::{Error, Result};
use crate::options::Options;

/// A format of files.
pub(super) trait FileFormat: Debug + Send + Sync {
    /// The end of a file's name: `snappy.parquet`.
    fn extension(&self) -> &str;

    /// Refuses columns that the format cannot hold.
    fn check(&self, schema: &Schema) -> Result<()>;

    /// Begins a file.
    fn open(&self, file: Box<dyn OutputFile>, schema: &SchemaRef) -> Result<Box<dyn RowWriter>>;
}

/// A file of rows that is being written.
pub(super) trait RowWriter: Send {
    /// Adds rows.
    fn write(&mut self, rows: &RecordBatch) -> Result<()>;

    /// Writes what is left, and gives the file back to be synced.
    fn finish(self: Box<Self>) -> Result<Box<dyn OutputFile>>;
}

/// The names of the formats that there are.
pub const FORMATS: [&str; 2] = ["json", "parquet"];

/// The options that every format takes.
const SHARED_OPTIONS: [&str; 3] = ["path", "compression", "maxRecordsPerFile"];

/// The format of that name, with its options; they are all known then.
pub(super) fn format(name: &str, options: &Options) -> Result<Box<dyn FileFormat>> {
    let check = |own: &[&str]| {
        let owner = format!("the {} sink", name.to_ascii_lowercase());
        options.check_known(&owner, &[&SHARED_OPTIONS, own].concat())
    };
    if name.eq_ignore_ascii_case("json") {
        check(&["ignoreNullFields"])?;
        Ok(Box::new(JsonFormat::try_new(options)?))
    } else if name.eq_ignore_ascii_case("parquet") {
        check(&[])?;
        Ok(Box::new(ParquetFormat::try_new(options)?))
    } else {
        Err(Error::statement(format!("there is no file format \"{name}\""))
            .hint(format!("The formats of files are {}.", FORMATS.join(", "))))
    }
}

/// The one of `codecs`, each with all its names, that the option asks for, or `default`.
pub(super) fn codec<C: Copy>(options: &Options, codecs: &[(&'static str, C)], default: C) -> Result<C> {
    let names = codecs.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    let allowed = format!("one of {}", names.join(", "));
    let found = options.parse("compression", &allowed, |wanted| {
        let found = codecs.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, codec)| *codec)
    })?;
    Ok(found.unwrap_or(default))
}

/// A file that could not be written.
pub(super) fn cannot_write(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::sink("rows cannot be written to a file")
        .hint("Make room or mend the folder; RESTART goes on from the checkpoint.")
        .caused_by(error)
}
