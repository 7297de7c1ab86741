//! Parquet files.

use arrow::array::new_null_array;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::properties::WriterProperties;

use super::file_system::OutputFile;
use super::format::{FileFormat, RowWriter, cannot_write, codec};
use crate::error::{Error, Result};
use crate::options::Options;

/// A row group is written out when it takes about this much: several files may be open at once.
const ROW_GROUP_BYTES: usize = 64 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Codec {
    None,
    Snappy,
    Gzip,
    Lz4,
    Brotli,
    Zstd,
}

const CODECS: [(&str, Codec); 8] = [
    ("none", Codec::None),
    ("uncompressed", Codec::None),
    ("snappy", Codec::Snappy),
    ("gzip", Codec::Gzip),
    ("lz4", Codec::Lz4),
    ("lz4_raw", Codec::Lz4),
    ("brotli", Codec::Brotli),
    ("zstd", Codec::Zstd),
];

#[derive(Debug)]
pub(super) struct ParquetFormat {
    codec: Codec,
}

impl ParquetFormat {
    pub(super) fn try_new(options: &Options) -> Result<Self> {
        Ok(Self {
            codec: codec(options, &CODECS, Codec::Snappy)?,
        })
    }

    /// Writes one null to nowhere: the writer alone knows what it can write, and tells only when it does.
    fn try_column(&self, field: &Field) -> Result<(), ParquetError> {
        if holds_union(field.data_type()) {
            // The writer panics on these.
            return Err(ParquetError::NYI("unions are not written".into()));
        }
        let field = field.clone().with_nullable(true);
        let null = new_null_array(field.data_type(), 1);
        let schema = SchemaRef::new(Schema::new(vec![field]));
        let row = RecordBatch::try_new(SchemaRef::clone(&schema), vec![null])?;
        let mut writer = ArrowWriter::try_new(std::io::sink(), schema, Some(self.properties()))?;
        writer.write(&row)?;
        writer.close()?;
        Ok(())
    }

    fn properties(&self) -> WriterProperties {
        let compression = match self.codec {
            Codec::None => Compression::UNCOMPRESSED,
            Codec::Snappy => Compression::SNAPPY,
            Codec::Gzip => Compression::GZIP(GzipLevel::default()),
            // The framed form, LZ4 alone, is deprecated, and readers disagree on it.
            Codec::Lz4 => Compression::LZ4_RAW,
            Codec::Brotli => Compression::BROTLI(BrotliLevel::default()),
            Codec::Zstd => Compression::ZSTD(ZstdLevel::default()),
        };
        WriterProperties::builder()
            .set_compression(compression)
            .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
            .build()
    }
}

fn holds_union(data_type: &DataType) -> bool {
    match data_type {
        DataType::Union(..) => true,
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::FixedSizeList(field, _)
        | DataType::Map(field, _)
        | DataType::RunEndEncoded(_, field) => holds_union(field.data_type()),
        DataType::Struct(fields) => fields.iter().any(|field| holds_union(field.data_type())),
        DataType::Dictionary(_, values) => holds_union(values),
        _ => false,
    }
}

impl FileFormat for ParquetFormat {
    fn extension(&self) -> &'static str {
        match self.codec {
            Codec::None => "parquet",
            Codec::Snappy => "snappy.parquet",
            Codec::Gzip => "gz.parquet",
            Codec::Lz4 => "lz4raw.parquet",
            Codec::Brotli => "br.parquet",
            Codec::Zstd => "zstd.parquet",
        }
    }

    fn check(&self, schema: &Schema) -> Result<()> {
        for field in schema.fields() {
            self.try_column(field).map_err(|error| {
                Error::statement(format!(
                    "column \"{}\" cannot be written to Parquet: its type is {}",
                    field.name(),
                    field.data_type()
                ))
                .hint("CAST it to another type, to STRING for instance.")
                .caused_by(error)
            })?;
        }
        Ok(())
    }

    fn open(&self, file: Box<dyn OutputFile>, schema: &SchemaRef) -> Result<Box<dyn RowWriter>> {
        let writer = ArrowWriter::try_new(file, SchemaRef::clone(schema), Some(self.properties()))
            .map_err(cannot_write)?;
        Ok(Box::new(ParquetWriter { writer }))
    }
}

struct ParquetWriter {
    writer: ArrowWriter<Box<dyn OutputFile>>,
}

impl RowWriter for ParquetWriter {
    fn write(&mut self, rows: &RecordBatch) -> Result<()> {
        self.writer.write(rows).map_err(cannot_write)
    }

    fn finish(self: Box<Self>) -> Result<Box<dyn OutputFile>> {
        self.writer.into_inner().map_err(cannot_write)
    }
}
