//! The bytes of log entries.
//!
//! ```text
//! entry    version (1 byte, 1), section, section...
//! section  kind (1 byte: 1 image, 2 rows), length (8 bytes, little endian), Arrow IPC stream with lz4
//! ```
//!
//! The stream of an image has one column more than the table, the last: the batch that last changed each row.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt64Type};
use arrow::ipc::CompressionType;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};

use crate::error::{Error, Result};

const VERSION: u8 = 1;
const IMAGE: u8 = 1;
const ROWS: u8 = 2;
const CHANGED_IN: &str = "highwater.changed_in";

/// Rows with the batches that last changed them.
pub(super) type Image = Vec<(RecordBatch, Vec<u64>)>;

/// What a log entry holds.
#[derive(Debug)]
pub(super) struct Entry {
    /// The whole table before the batch.
    pub(super) image: Option<Image>,
    /// The batch's rows.
    pub(super) rows: Option<Vec<RecordBatch>>,
    /// How many bytes of the entry are not the image.
    pub(super) row_bytes: usize,
}

/// An entry as bytes.
#[derive(Debug)]
pub(super) struct Encoded {
    pub(super) bytes: Vec<u8>,
    /// How many of them are not the image.
    pub(super) row_bytes: usize,
}

impl Entry {
    /// The entry of a batch, led by an image if there is one.
    pub(super) fn encode(schema: &SchemaRef, image: Option<Image>, rows: &[RecordBatch]) -> Result<Encoded> {
        let mut bytes = vec![VERSION];
        if let Some(image) = image {
            let schema = with_changed_in(schema);
            let rows = image
                .into_iter()
                .map(|(rows, changed_in)| join(&schema, &rows, changed_in));
            push_section(&mut bytes, IMAGE, &schema, rows)?;
        }
        let start = bytes.len();
        push_section(&mut bytes, ROWS, schema, rows.iter().map(|rows| Ok(rows.clone())))?;
        Ok(Encoded {
            row_bytes: bytes.len() - start,
            bytes,
        })
    }

    /// Reads an entry whose rows must have these columns.
    pub(super) fn decode(bytes: &[u8], schema: &SchemaRef) -> Result<Self> {
        let Some((&VERSION, mut rest)) = bytes.split_first() else {
            return Err(Error::internal("this version cannot read them"));
        };
        let mut entry = Self {
            image: None,
            rows: None,
            row_bytes: 0,
        };
        while let Some((&kind, after)) = rest.split_first() {
            let (length, after) = after.split_first_chunk::<8>().ok_or_else(ends_early)?;
            let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| ends_early())?;
            let (section, after) = after.split_at_checked(length).ok_or_else(ends_early)?;
            match kind {
                IMAGE => {
                    let batches = read_section(section, &with_changed_in(schema))?;
                    entry.image = Some(
                        batches
                            .iter()
                            .map(|batch| split(schema, batch))
                            .collect::<Result<_>>()?,
                    );
                }
                ROWS => {
                    entry.rows = Some(read_section(section, schema)?);
                    entry.row_bytes = rest.len() - after.len();
                }
                other => {
                    return Err(Error::internal(format!(
                        "there is no section of the kind {other}"
                    )));
                }
            }
            rest = after;
        }
        Ok(entry)
    }
}

fn push_section(
    bytes: &mut Vec<u8>,
    kind: u8,
    schema: &SchemaRef,
    rows: impl Iterator<Item = Result<RecordBatch>>,
) -> Result<()> {
    bytes.push(kind);
    let start = bytes.len();
    bytes.extend([0; 8]);
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME))?;
    let mut writer = StreamWriter::try_new_with_options(&mut *bytes, schema, options)?;
    for rows in rows {
        writer.write(&rows?)?;
    }
    writer.finish()?;
    drop(writer);
    let length = bytes.len() - start - 8;
    bytes[start..start + 8].copy_from_slice(&(length as u64).to_le_bytes());
    Ok(())
}

fn read_section(section: &[u8], schema: &SchemaRef) -> Result<Vec<RecordBatch>> {
    let reader = StreamReader::try_new(section, None)?;
    let stored = reader.schema();
    let is_same = stored.fields().len() == schema.fields().len()
        && stored
            .fields()
            .iter()
            .zip(schema.fields())
            .all(|(stored, now)| stored.name() == now.name() && stored.data_type() == now.data_type());
    if !is_same {
        return Err(Error::internal(format!(
            "they have the columns {}, the table has {}",
            columns(&stored),
            columns(schema)
        )));
    }
    let batches = reader.collect::<Result<Vec<_>, _>>()?;
    super::chunks::conform(batches, schema)
}

fn columns(schema: &Schema) -> String {
    let columns: Vec<String> = schema
        .fields()
        .iter()
        .filter(|field| field.name() != CHANGED_IN)
        .map(|field| format!("{} {}", field.name(), field.data_type()))
        .collect();
    format!("({})", columns.join(", "))
}

fn with_changed_in(schema: &Schema) -> SchemaRef {
    let mut fields = schema.fields().to_vec();
    fields.push(Arc::new(Field::new(CHANGED_IN, DataType::UInt64, false)));
    Arc::new(Schema::new(fields))
}

fn join(schema: &SchemaRef, rows: &RecordBatch, changed_in: Vec<u64>) -> Result<RecordBatch> {
    let mut columns = rows.columns().to_vec();
    columns.push(Arc::new(UInt64Array::from(changed_in)) as ArrayRef);
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

fn split(schema: &SchemaRef, batch: &RecordBatch) -> Result<(RecordBatch, Vec<u64>)> {
    let (changed_in, columns) = batch.columns().split_last().ok_or_else(ends_early)?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let rows = RecordBatch::try_new_with_options(Arc::clone(schema), columns.to_vec(), &options)?;
    Ok((rows, changed_in.as_primitive::<UInt64Type>().values().to_vec()))
}

fn ends_early() -> Error {
    Error::internal("they end too early")
}
