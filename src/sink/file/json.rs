//! JSON files as Spark writes them, one object a line.

use std::io::Write;

use arrow::datatypes::Schema;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use flate2::write::GzEncoder;

use super::file_system::OutputFile;
use super::format::{FileFormat, RowWriter, cannot_write, codec};
use crate::error::Result;
use crate::format::json_rows::write_json_lines;
use crate::options::Options;

/// Text is handed on in pieces of about this size.
const BUFFER_BYTES: usize = 256 * 1024;
/// Rows that are encoded between two looks at the size.
const STEP_ROWS: usize = 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Codec {
    None,
    Gzip,
    Zstd,
}

const CODECS: [(&str, Codec); 4] = [
    ("none", Codec::None),
    ("uncompressed", Codec::None),
    ("gzip", Codec::Gzip),
    ("zstd", Codec::Zstd),
];

#[derive(Debug)]
pub(super) struct JsonFormat {
    codec: Codec,
    keep_nulls: bool,
}

impl JsonFormat {
    pub(super) fn try_new(options: &Options) -> Result<Self> {
        Ok(Self {
            codec: codec(options, &CODECS, Codec::None)?,
            keep_nulls: options.bool("ignoreNullFields")? == Some(false),
        })
    }
}

impl FileFormat for JsonFormat {
    fn extension(&self) -> &'static str {
        match self.codec {
            Codec::None => "json",
            Codec::Gzip => "json.gz",
            Codec::Zstd => "json.zst",
        }
    }

    fn check(&self, _schema: &Schema) -> Result<()> {
        Ok(())
    }

    fn open(&self, file: Box<dyn OutputFile>, _schema: &SchemaRef) -> Result<Box<dyn RowWriter>> {
        let encoder = match self.codec {
            Codec::None => Encoder::None(file),
            Codec::Gzip => Encoder::Gzip(GzEncoder::new(file, flate2::Compression::default())),
            Codec::Zstd => Encoder::Zstd(zstd::Encoder::new(file, 0).map_err(cannot_write)?),
        };
        Ok(Box::new(JsonWriter {
            encoder,
            text: String::new(),
            keep_nulls: self.keep_nulls,
        }))
    }
}

struct JsonWriter {
    encoder: Encoder,
    text: String,
    keep_nulls: bool,
}

enum Encoder {
    None(Box<dyn OutputFile>),
    Gzip(GzEncoder<Box<dyn OutputFile>>),
    Zstd(zstd::Encoder<'static, Box<dyn OutputFile>>),
}

impl JsonWriter {
    fn hand_on(&mut self) -> Result<()> {
        let bytes = self.text.as_bytes();
        match &mut self.encoder {
            Encoder::None(file) => file.write_all(bytes),
            Encoder::Gzip(encoder) => encoder.write_all(bytes),
            Encoder::Zstd(encoder) => encoder.write_all(bytes),
        }
        .map_err(cannot_write)?;
        self.text.clear();
        Ok(())
    }
}

impl RowWriter for JsonWriter {
    fn write(&mut self, rows: &RecordBatch) -> Result<()> {
        for start in (0..rows.num_rows()).step_by(STEP_ROWS) {
            let step = rows.slice(start, STEP_ROWS.min(rows.num_rows() - start));
            write_json_lines(&[step], self.keep_nulls, &mut self.text)?;
            if self.text.len() >= BUFFER_BYTES {
                self.hand_on()?;
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Box<dyn OutputFile>> {
        self.hand_on()?;
        match self.encoder {
            Encoder::None(file) => Ok(file),
            Encoder::Gzip(encoder) => encoder.finish().map_err(cannot_write),
            Encoder::Zstd(encoder) => encoder.finish().map_err(cannot_write),
        }
    }
}
