//! The format `json`: every line is a JSON record, decoded by [`crate::json`].

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;

use super::format::{FileFormat, LineDecoder};
use super::location::Location;
use super::log::sort;
use super::options::FileContext;
use super::reader::each_line;
use crate::error::{Error, Result};
use crate::json::{JsonDecoder, JsonOptions, SchemaInference, as_nullable};
use crate::options::Options;
use crate::types::time_zone::TimeZone;

/// The option that has the schema read off the files.
pub(super) const INFER_SCHEMA: &str = "inferSchema";

/// JSON records.
#[derive(Debug)]
pub(super) struct JsonFormat {
    schema: SchemaRef,
    options: JsonOptions,
}

impl JsonFormat {
    /// Takes the declared schema, or, where there is none and `inferSchema` says so, what the files at `location` hold.
    pub(super) fn try_new(
        schema: Option<SchemaRef>,
        options: &Options,
        location: &Location,
        context: &FileContext,
    ) -> Result<Self> {
        let json_options = read_options(options, context)?;
        let schema = match schema {
            Some(schema) => schema,
            None if options.bool(INFER_SCHEMA)?.unwrap_or(false) => infer(location, &json_options)?,
            None => {
                return Err(Error::statement("a json source needs a schema")
                    .hint("Declare the columns, or set inferSchema to 'true' to read them off the files."));
            }
        };
        // As Spark's `spark.sql.streaming.fileSource.schema.forceNullable`, which is on by default: whatever is
        // declared, a file may lack any field. The decoder says here, and not in the first batch, which types it
        // does not have.
        let schema = as_nullable(&schema);
        JsonDecoder::try_new(Arc::clone(&schema), json_options.clone())?;
        Ok(Self {
            schema,
            options: json_options,
        })
    }
}

fn read_options(options: &Options, context: &FileContext) -> Result<JsonOptions> {
    let mut json_options = JsonOptions {
        time_zone: TimeZone::try_new(&context.time_zone)?,
        ..JsonOptions::default()
    };
    for entry in options.entries() {
        if let Some(value) = options.string(&entry.name)? {
            json_options
                .set(&entry.name, &value)
                .map_err(|error| match entry.position {
                    Some(position) => error.at(position),
                    None => error,
                })?;
        }
    }
    Ok(json_options)
}

/// Reads all files that are there now.
fn infer(location: &Location, options: &JsonOptions) -> Result<SchemaRef> {
    let mut files = location.list(&|_, _| true)?.files;
    if files.is_empty() {
        return Err(Error::statement(format!(
            "there are no files at \"{}\" to infer a schema from",
            location.url()
        ))
        .hint("Declare the columns, or put a file there first."));
    }
    sort(&mut files, false);
    let mut inference = SchemaInference::new(options);
    each_line(&files, |line| inference.push_line(line))?;
    inference.finish()
}

impl FileFormat for JsonFormat {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn decoder(&self, projection: &[usize]) -> Result<Box<dyn LineDecoder>> {
        let projected = Arc::new(self.schema.project(projection)?);
        Ok(Box::new(JsonDecoder::try_new(projected, self.options.clone())?))
    }
}

impl LineDecoder for JsonDecoder {
    fn decode_line(&mut self, line: &[u8]) -> Result<()> {
        self.decode_line(line)
    }

    fn num_rows(&self) -> usize {
        self.num_rows()
    }

    fn flush(&mut self) -> Result<RecordBatch> {
        self.flush()
    }
}

#[cfg(test)]
mod tests;
