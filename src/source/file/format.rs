//! What the lines of a file hold: one implementation a format.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;

use super::options::{FileContext, SHARED_OPTIONS};
use super::text::TextFormat;
use crate::error::{Error, Result};
use crate::options::Options;
use crate::suggest::did_you_mean;

/// The formats that there are.
pub const FORMATS: [&str; 1] = ["text"];

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

/// Finds a format by its name and reads its options. `schema` is the declared one.
pub(super) fn open_format(
    name: &str,
    schema: Option<SchemaRef>,
    options: &Options,
    _context: &FileContext,
) -> Result<Arc<dyn FileFormat>> {
    if name.eq_ignore_ascii_case("text") {
        options.check_known("text", &SHARED_OPTIONS)?;
        return Ok(Arc::new(TextFormat::try_new(schema)?));
    }
    let guess = did_you_mean(name, FORMATS)
        .map(|format| format!("Did you mean {format}? "))
        .unwrap_or_default();
    let error = Error::statement(format!("there is no file format \"{name}\""));
    Err(error.hint(format!("{guess}Formats are {}.", FORMATS.join(", "))))
}
