//! One partition of a batch: pieces of files in, record batches out.
//!
//! Reading and decoding happen when the next batch is asked for, on whatever thread asks: the engine's workers.

use std::iter::Peekable;
use std::sync::Arc;
use std::vec;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::error::DataFusionError;
use datafusion::physical_plan::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::stream;

use super::folders::{Entered, RecordDecoder, Records};
use super::format::LineDecoder;
use super::lines::{LineBlocks, first_line};
use super::location::cannot;
use super::log::FileEntry;
use super::split::{FileRange, split};
use crate::error::{Error, Result};

/// Rows of a full batch.
const BATCH_ROWS: usize = 8192;
/// Bytes of lines after which a batch ends early: Arrow's strings must stay well below two gigabytes.
const BATCH_BYTES: usize = 64 * 1024 * 1024;

/// Reads the lines of one partition's pieces, in order.
pub(super) struct PartitionReader {
    ranges: Peekable<vec::IntoIter<FileRange>>,
    current: Option<FileRange>,
    lines: LineBlocks,
    decoder: RecordDecoder,
    /// Bytes of lines since the last flush.
    bytes: usize,
    ignore_missing: bool,
    failed: bool,
}

/// Readers over all of `files`, at most `partitions` of them.
pub(super) fn partition_readers(
    files: &[FileEntry],
    records: &Records,
    projection: &[usize],
    partitions: usize,
    ignore_missing: bool,
) -> Result<Vec<PartitionReader>> {
    let parts = split(files, partitions).into_iter();
    parts
        .map(|ranges| {
            Ok(PartitionReader {
                ranges: ranges.into_iter().peekable(),
                current: None,
                lines: LineBlocks::new(),
                decoder: records.decoder(projection)?,
                bytes: 0,
                ignore_missing,
                failed: false,
            })
        })
        .collect()
}

/// Readers as DataFusion's streams of `schema`.
pub(super) fn streams(readers: Vec<PartitionReader>, schema: &SchemaRef) -> Vec<SendableRecordBatchStream> {
    let stream = |reader: PartitionReader| {
        let batches = reader.map(|batch| batch.map_err(DataFusionError::from));
        Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(schema),
            stream::iter(batches),
        )) as SendableRecordBatchStream
    };
    readers.into_iter().map(stream).collect()
}

/// Shows every line of `files` to `visit`, without its end.
pub(super) fn each_line(files: &[FileEntry], mut visit: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let mut lines = LineBlocks::new();
    for range in split(files, 1).into_iter().flatten() {
        lines.open(&range, false)?;
        loop {
            let block = lines.block().map_err(|error| unreadable(&range, error))?;
            if block.is_empty() {
                break;
            }
            let (line, taken) = first_line(block);
            visit(line).map_err(|error| in_file(&range, &error))?;
            lines.consume(taken);
        }
    }
    Ok(())
}

impl Iterator for PartitionReader {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let batch = self.next_batch().transpose();
        self.failed = matches!(batch, Some(Err(_)));
        batch
    }
}

impl PartitionReader {
    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        while !self.is_full() {
            if let Some(range) = &self.current {
                if decode_block(
                    range,
                    &mut self.lines,
                    self.decoder.lines.as_mut(),
                    &mut self.bytes,
                )? {
                    self.current = None;
                }
            } else {
                let Some(range) = self.ranges.peek() else { break };
                match self.decoder.enter(&range.path)? {
                    Entered::Decode => {}
                    Entered::FlushFirst => break,
                    Entered::PassOver => {
                        self.ranges.next();
                        continue;
                    }
                }
                let Some(range) = self.ranges.next() else { break };
                if self.lines.open(&range, self.ignore_missing)? {
                    self.current = Some(range);
                } else {
                    tracing::warn!(path = range.path, "a file vanished before it was read");
                }
            }
        }
        if self.decoder.lines.num_rows() == 0 {
            return Ok(None);
        }
        self.bytes = 0;
        self.decoder.flush().map(Some)
    }

    fn is_full(&self) -> bool {
        is_full(self.decoder.lines.as_ref(), self.bytes)
    }
}

fn is_full(decoder: &dyn LineDecoder, bytes: usize) -> bool {
    decoder.num_rows() >= BATCH_ROWS || (bytes >= BATCH_BYTES && decoder.num_rows() > 0)
}

/// Decodes lines until the batch is full or the block is at its end; says whether the piece is.
fn decode_block(
    range: &FileRange,
    lines: &mut LineBlocks,
    decoder: &mut dyn LineDecoder,
    bytes: &mut usize,
) -> Result<bool> {
    let block = lines.block().map_err(|error| unreadable(range, error))?;
    if block.is_empty() {
        return Ok(true);
    }
    let mut taken = 0;
    while taken < block.len() && !is_full(decoder, *bytes + taken) {
        let (line, count) = first_line(&block[taken..]);
        decoder
            .decode_line(line)
            .map_err(|error| in_file(range, &error))?;
        taken += count;
    }
    *bytes += taken;
    lines.consume(taken);
    Ok(false)
}

fn unreadable(range: &FileRange, error: std::io::Error) -> Error {
    use super::split::Compression;
    if range.compression == Compression::None {
        return cannot("read", range.path.as_ref(), error);
    }
    let what = match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "is cut off in the middle",
        _ => "cannot be unpacked",
    };
    Error::source(format!("compressed file \"{}\" {what}", range.path))
        .hint("Replace it with a whole one of the same name; RESTART goes on from the checkpoint.")
        .caused_by(error)
}

/// Says in which file a line could not be decoded.
fn in_file(range: &FileRange, error: &Error) -> Error {
    let placed = Error::new(
        error.kind(),
        format!("file \"{}\": {}", range.path, error.message()),
    );
    match error.hint_text() {
        Some(hint) => placed.hint(hint),
        None => placed,
    }
}

#[cfg(test)]
mod tests;
