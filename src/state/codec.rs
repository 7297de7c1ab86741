//! A state change as bytes: what the checkpoint's changelog and snapshots hold.
//!
//! ```text
//! byte 0      format version, 1
//! bytes 1..9  length of the first part, u64 little endian
//! ...         rows put: an Arrow IPC stream (LZ4), empty if none
//! ...         keys removed: an Arrow IPC stream of the key columns (LZ4), empty if none
//! ```
//!
//! A snapshot is a change that puts every live row into an empty state, so both share this format.

use std::io::Cursor;
use std::sync::Arc;

use arrow::datatypes::Schema;
use arrow::ipc::CompressionType;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use arrow::record_batch::RecordBatch;

use crate::error::{Error, Result};

const FORMAT_VERSION: u8 = 1;
const HEADER_BYTES: usize = 9;

/// What one epoch did to an operator's state.
#[derive(Debug, Clone, Default)]
pub struct StateDelta {
    /// Rows that are new or replace the row of the same key: key columns first, then values. Keys are unique.
    pub puts: Vec<RecordBatch>,
    /// Keys that are gone: the key columns only. A key is never in both.
    pub removes: Vec<RecordBatch>,
}

impl StateDelta {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.puts
            .iter()
            .chain(&self.removes)
            .all(|batch| batch.num_rows() == 0)
    }

    /// The change as bytes.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let puts = encode_batches(&self.puts)?;
        let removes = encode_batches(&self.removes)?;
        let mut bytes = Vec::with_capacity(HEADER_BYTES + puts.len() + removes.len());
        bytes.push(FORMAT_VERSION);
        bytes.extend_from_slice(&(puts.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&puts);
        bytes.extend_from_slice(&removes);
        Ok(bytes)
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    ///
    /// [`crate::error::ErrorKind::Checkpoint`] for bytes of another format or cut short.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let damaged = || Error::checkpoint("a state change in the checkpoint is damaged");
        let (header, body) = bytes.split_at_checked(HEADER_BYTES).ok_or_else(damaged)?;
        if header[0] != FORMAT_VERSION {
            return Err(Error::checkpoint(format!(
                "a state change in the checkpoint has format {}, this version reads format {FORMAT_VERSION}",
                header[0]
            )));
        }
        let length: [u8; 8] = header[1..].try_into().map_err(|_| damaged())?;
        let length = usize::try_from(u64::from_le_bytes(length)).map_err(|_| damaged())?;
        let (puts, removes) = body.split_at_checked(length).ok_or_else(damaged)?;
        Ok(Self {
            puts: decode_batches(puts)?,
            removes: decode_batches(removes)?,
        })
    }
}

/// Batches of one schema as an Arrow IPC stream, compressed; empty bytes if no batch has a row.
pub fn encode_batches(batches: &[RecordBatch]) -> Result<Vec<u8>> {
    let Some(first) = batches.iter().find(|batch| batch.num_rows() > 0) else {
        return Ok(Vec::new());
    };
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME))?;
    // Field metadata belongs to the plan, not to the bytes.
    let schema = bare_schema(&first.schema());
    let mut writer = StreamWriter::try_new_with_options(Vec::new(), &schema, options)?;
    for batch in batches.iter().filter(|batch| batch.num_rows() > 0) {
        writer.write(batch)?;
    }
    Ok(writer.into_inner()?)
}

/// Reads what [`encode_batches`] wrote.
pub fn decode_batches(bytes: &[u8]) -> Result<Vec<RecordBatch>> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let damaged = |error: arrow::error::ArrowError| {
        Error::checkpoint("rows in the checkpoint are damaged").caused_by(error)
    };
    StreamReader::try_new(Cursor::new(bytes), None)
        .map_err(damaged)?
        .map(|batch| batch.map_err(damaged))
        .collect()
}

fn bare_schema(schema: &Schema) -> Schema {
    let fields = schema.fields().iter().map(|field| {
        Arc::new(
            field
                .as_ref()
                .clone()
                .with_metadata(std::collections::HashMap::new()),
        )
    });
    Schema::new(fields.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Int64Array, StringArray};

    fn rows() -> RecordBatch {
        RecordBatch::try_from_iter([
            ("k", Arc::new(StringArray::from(vec![Some("a"), None])) as _),
            ("n", Arc::new(Int64Array::from(vec![1, 2])) as _),
        ])
        .expect("columns of one length")
    }

    #[test]
    fn a_change_comes_back_as_it_went() {
        let delta = StateDelta {
            puts: vec![rows()],
            removes: vec![rows().project(&[0]).expect("column 0")],
        };
        let back = StateDelta::decode(&delta.encode().expect("encodes")).expect("decodes");
        assert_eq!(back.puts, delta.puts);
        assert_eq!(back.removes, delta.removes);
        assert!(
            StateDelta::decode(&StateDelta::default().encode().expect("encodes"))
                .expect("decodes")
                .is_empty()
        );
    }

    #[test]
    fn cut_or_foreign_bytes_are_an_error() {
        let bytes = StateDelta {
            puts: vec![rows()],
            removes: vec![],
        }
        .encode()
        .expect("encodes");
        assert!(StateDelta::decode(&bytes[..5]).is_err());
        assert!(StateDelta::decode(&bytes[..40]).is_err());
        assert!(StateDelta::decode(&[9; 20]).is_err());
    }
}
