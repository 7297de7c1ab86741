//! The format `text`: every line is a row with the one column `value STRING`.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};

use super::format::{FileFormat, LineDecoder};
use crate::error::{Error, Result};

/// Lines as they are.
#[derive(Debug)]
pub(super) struct TextFormat {
    schema: SchemaRef,
}

impl TextFormat {
    /// Takes the declared schema, which may give the one column another name.
    pub(super) fn try_new(schema: Option<SchemaRef>) -> Result<Self> {
        let Some(schema) = schema else {
            let value = Field::new("value", DataType::Utf8, true);
            return Ok(Self {
                schema: Arc::new(Schema::new(vec![value])),
            });
        };
        match schema.fields().as_ref() {
            [only] if only.data_type() == &DataType::Utf8 => Ok(Self { schema }),
            fields => Err(Error::statement(format!(
                "text files have one column of type STRING, but {} are declared",
                match fields.len() {
                    1 => "one of another type".to_owned(),
                    count => format!("{count} columns"),
                }
            ))
            .hint("Declare (value STRING).")),
        }
    }
}

impl FileFormat for TextFormat {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn decoder(&self, projection: &[usize]) -> Result<Box<dyn LineDecoder>> {
        Ok(Box::new(TextDecoder {
            schema: Arc::new(self.schema.project(projection)?),
            values: StringBuilder::new(),
            rows: 0,
        }))
    }
}

#[derive(Debug)]
struct TextDecoder {
    schema: SchemaRef,
    values: StringBuilder,
    rows: usize,
}

impl LineDecoder for TextDecoder {
    fn decode_line(&mut self, line: &[u8]) -> Result<()> {
        self.rows += 1;
        if self.schema.fields().is_empty() {
            return Ok(());
        }
        match std::str::from_utf8(line) {
            Ok(text) => self.values.append_value(text),
            // Spark keeps such bytes in its strings; Arrow's are always valid, so a replacement stands for them.
            Err(_) => self.values.append_value(String::from_utf8_lossy(line)),
        }
        Ok(())
    }

    fn num_rows(&self) -> usize {
        self.rows
    }

    fn flush(&mut self) -> Result<RecordBatch> {
        let rows = std::mem::take(&mut self.rows);
        // The column may be asked for more than once.
        let values: ArrayRef = Arc::new(self.values.finish());
        let columns = self.schema.fields().iter().map(|_| Arc::clone(&values)).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(
            Arc::clone(&self.schema),
            columns,
            &options,
        )?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_string_column_and_nothing_else() {
        let of = |fields: Vec<Field>| TextFormat::try_new(Some(Arc::new(Schema::new(fields))));
        let line = Field::new("line", DataType::Utf8, true);
        let format = of(vec![line.clone()]).expect("may be renamed");
        assert_eq!(format.schema().field(0).name(), "line");
        let error = of(vec![line.clone(), line]).expect_err("are two");
        assert_eq!(
            error.message(),
            "text files have one column of type STRING, but 2 columns are declared"
        );
        assert!(of(vec![Field::new("n", DataType::Int64, true)]).is_err());
    }

    #[test]
    fn a_decoder_begins_anew_after_a_flush() {
        let format = TextFormat::try_new(None).expect("needs no schema");
        let mut decoder = format.decoder(&[0]).expect("is a column");
        decoder.decode_line(b"a").expect("is text");
        assert_eq!(
            (decoder.num_rows(), decoder.flush().expect("fits").num_rows()),
            (1, 1)
        );
        assert_eq!(
            (decoder.num_rows(), decoder.flush().expect("fits").num_rows()),
            (0, 0)
        );
    }
}
