//! What the lines of a file hold: one implementation a format.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;

use super::folders::{FolderColumns, Records};
use super::json::{INFER_SCHEMA, JsonFormat};
use super::options::{FileContext, FileOptions, SHARED_OPTIONS};
use super::text::TextFormat;
use crate::error::{Error, Result};
use crate::json::JsonOptions;
use crate::options::Options;
use crate::suggest::did_you_mean;
use crate::types::TimeZone;

/// The formats that there are.
pub const FORMATS: [&str; 2] = ["json", "text"];

/// Makes decoders for the lines of one source's files.
pub(super) trait FileFormat: Debug + Send + Sync {
    /// The columns of all rows.
    fn schema(&self) -> SchemaRef;

    /// A decoder that gives the columns of `projection` only, in that order.
    fn decoder(&self, projection: &[usize]) -> Result<Box<dyn LineDecoder>>;
}

/// Collects lines and gives them back as rows.
pub(super) trait LineDecoder: Send {
    /// Takes one line, without its end. It may give no row, or several.
    fn decode_line(&mut self, line: &[u8]) -> Result<()>;

    /// How many rows were collected since the last flush.
    fn num_rows(&self) -> usize;

    /// Gives the rows collected so far.
    fn flush(&mut self) -> Result<RecordBatch>;
}

/// Opens what a source and a table have in common: finds the format by its name, reads all options, and makes sure
/// that the path is there. `schema` is the declared one.
pub(super) fn open(
    name: &str,
    schema: Option<SchemaRef>,
    options: &Options,
    context: &FileContext,
) -> Result<(Records, FileOptions)> {
    let Some(name) = FORMATS
        .into_iter()
        .find(|format| format.eq_ignore_ascii_case(name))
    else {
        let guess = did_you_mean(name, FORMATS)
            .map(|format| format!("Did you mean {format}? "))
            .unwrap_or_default();
        let error = Error::statement(format!("there is no file format \"{name}\""));
        return Err(error.hint(format!("{guess}Formats are {}.", FORMATS.join(", "))));
    };
    let own_options = match name {
        "json" => [&JsonOptions::NAMES[..], &[INFER_SCHEMA]].concat(),
        _ => Vec::new(),
    };
    options.check_known(name, &[&SHARED_OPTIONS, &own_options[..]].concat())?;
    let shared = FileOptions::try_new(name, options, context)?;
    shared.location.check_exists()?;
    let zone = TimeZone::try_new(&context.time_zone)?;
    let folders = FolderColumns::find(&shared.location, schema.as_deref(), zone)?;
    let schema = schema.map(|schema| folders.in_files(&schema));
    let format: Arc<dyn FileFormat> = match name {
        "json" => Arc::new(JsonFormat::try_new(schema, options, &shared.location, context)?),
        _ => Arc::new(TextFormat::try_new(schema)?),
    };
    Ok((Records::new(format, folders), shared))
}
