//! Columns in the names of folders: `events/day=2026-01-01/kind=click/part-0.json`.
//!
//! Which columns there are is read off the folders that are there when the source is opened, as in Spark; they come last.
//! A column has its declared type, or the narrowest one that fits all values: INT, BIGINT, DOUBLE, DATE, TIMESTAMP, STRING.
//! A file that is not in folders of all columns is passed over.

use std::path::{Component, Path};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Date32Array, StringArray, TimestampMicrosecondArray, UInt32Array};
use arrow::compute::{CastOptions, cast_with_options, take};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};

use super::format::{FileFormat, LineDecoder};
use super::location::Location;
use crate::error::{Error, Result};
use crate::types::{TimeZone, ZoneRules, spark_type_name, string_to_date, string_to_timestamp};

/// What stands for null, or an empty text, in a folder's name.
const DEFAULT_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

/// The columns in the names of a location's folders.
#[derive(Debug, Clone)]
pub(super) struct FolderColumns {
    fields: Vec<FieldRef>,
    /// How many names of a path come before the columns.
    depth: usize,
    zone: TimeZone,
}

/// A format's columns, and behind them those in the names of folders.
#[derive(Debug)]
pub(super) struct Records {
    format: Arc<dyn FileFormat>,
    folders: FolderColumns,
    /// Which columns of the format are given.
    in_files: Vec<usize>,
    schema: SchemaRef,
}

/// Whether a folder's name holds a column.
pub(super) fn is_column(name: &str) -> bool {
    name.split_once('=').is_some_and(|(column, _)| !column.is_empty())
}

impl FolderColumns {
    /// No columns.
    pub(super) fn none(zone: TimeZone) -> Self {
        Self {
            fields: Vec::new(),
            depth: 0,
            zone,
        }
    }

    /// The columns in the folders that are there now. `declared` are all columns of the source, where it declares any.
    pub(super) fn find(location: &Location, declared: Option<&Schema>, zone: TimeZone) -> Result<Self> {
        let mut columns = Self::none(zone);
        columns.depth = location.depth();
        if location.is_recursive() {
            return Ok(columns);
        }
        let folders = location.list(&|_, _| false)?.folders;
        let found = folders.iter().map(|(folder, _)| columns.pairs(folder));
        let found = found.filter(|pairs| !pairs.is_empty()).collect::<Vec<_>>();
        let Some(deepest) = found.iter().max_by_key(|pairs| pairs.len()) else {
            return Ok(columns);
        };
        let names = deepest.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        for pairs in &found {
            if let Some(at) = pairs
                .iter()
                .zip(&names)
                .position(|((name, _), other)| name != other)
            {
                return Err(Error::source(format!(
                    "the folders in \"{}\" do not agree on their columns: \"{}\" and \"{}\"",
                    location.url(),
                    pairs[at].0,
                    names[at]
                ))
                .hint("Let all folders of one level name the same column, or set recursiveFileLookup to 'true'."));
            }
        }
        for (at, name) in names.iter().enumerate() {
            let values = found.iter().filter_map(|pairs| pairs.get(at));
            let values = values.map(|(_, value)| value.as_deref()).collect::<StringArray>();
            let declared = declared.and_then(|schema| {
                let mut fields = schema.fields().iter();
                fields.find(|field| field.name().eq_ignore_ascii_case(name))
            });
            let field = match declared {
                Some(field) => field.as_ref().clone().with_nullable(true),
                None => Field::new(name, columns.type_of(&values), true),
            };
            columns.typed(&values, &field)?;
            columns.fields.push(Arc::new(field));
        }
        Ok(columns)
    }

    /// The columns of `schema` that are in files.
    pub(super) fn in_files(&self, schema: &SchemaRef) -> SchemaRef {
        if self.fields.is_empty() {
            return Arc::clone(schema);
        }
        let is_here = |name: &str| {
            let mut fields = self.fields.iter();
            fields.any(|field| field.name().eq_ignore_ascii_case(name))
        };
        let fields = schema.fields().iter().filter(|field| !is_here(field.name()));
        Arc::new(Schema::new(fields.cloned().collect::<Vec<_>>()))
    }

    /// Names and values in the folders of a path, those that follow one another.
    fn pairs(&self, folder: &Path) -> Vec<(String, Option<String>)> {
        let names = folder.components().filter_map(|component| match component {
            Component::Normal(name) => name.to_str(),
            _ => None,
        });
        let pairs = names.skip(self.depth).map_while(|name| name.split_once('='));
        let pairs = pairs.map(|(name, value)| {
            let value = (value != DEFAULT_PARTITION).then(|| unescaped(value));
            (unescaped(name), value)
        });
        pairs.collect()
    }

    /// The values of a file's folders, a row each; `None` if it is not in folders of all columns.
    fn values(&self, path: &str) -> Result<Option<Vec<ArrayRef>>> {
        if self.fields.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let folder = Path::new(path).parent().unwrap_or(Path::new(""));
        let pairs = self.pairs(folder);
        let names_fit = pairs
            .iter()
            .zip(&self.fields)
            .all(|((name, _), field)| field.name().eq_ignore_ascii_case(name));
        if pairs.len() != self.fields.len() || !names_fit {
            return Ok(None);
        }
        let values = pairs.iter().zip(&self.fields).map(|((_, value), field)| {
            let text = std::iter::once(value.as_deref()).collect::<StringArray>();
            self.typed(&text, field)
        });
        values.collect::<Result<_>>().map(Some)
    }

    fn type_of(&self, values: &StringArray) -> DataType {
        let zoned = DataType::Timestamp(TimeUnit::Microsecond, Some(self.zone.id().into()));
        let types = [
            DataType::Int32,
            DataType::Int64,
            DataType::Float64,
            DataType::Date32,
            zoned,
        ];
        let mut types = types.into_iter();
        let fits = |data_type: &DataType| {
            values.null_count() < values.len()
                && self
                    .typed(values, &Field::new("", data_type.clone(), true))
                    .is_ok()
        };
        types.find(fits).unwrap_or(DataType::Utf8)
    }

    fn typed(&self, values: &StringArray, field: &Field) -> Result<ArrayRef> {
        let wrong = |value: &str| {
            Error::source(format!(
                "folder \"{}={value}\" has no value of type {}",
                field.name(),
                spark_type_name(field.data_type())
            ))
            .hint("Declare the column as STRING, or rename the folder.")
        };
        let texts = values.iter();
        Ok(match field.data_type() {
            DataType::Date32 => {
                let days = texts.map(|text| {
                    text.map(|text| string_to_date(text).ok_or_else(|| wrong(text)))
                        .transpose()
                });
                Arc::new(days.collect::<Result<Date32Array>>()?)
            }
            DataType::Timestamp(TimeUnit::Microsecond, zone) => {
                // A timestamp without a zone is its own clock's, which is UTC's here.
                let rules = if zone.is_some() {
                    self.zone.rules()
                } else {
                    ZoneRules::Fixed(0)
                };
                let micros = texts.map(|text| {
                    text.map(|text| string_to_timestamp(text, rules, None).ok_or_else(|| wrong(text)))
                        .transpose()
                });
                let micros = micros.collect::<Result<TimestampMicrosecondArray>>()?;
                Arc::new(micros.with_timezone_opt(zone.clone()))
            }
            data_type => {
                let options = CastOptions {
                    safe: true,
                    ..CastOptions::default()
                };
                let cast = cast_with_options(values, data_type, &options)?;
                if let Some(row) = (0..values.len()).find(|&row| cast.is_null(row) && values.is_valid(row)) {
                    return Err(wrong(values.value(row)));
                }
                cast
            }
        })
    }
}

impl Records {
    /// The columns of a format, but those that are in the names of folders too, and behind them these.
    pub(super) fn new(format: Arc<dyn FileFormat>, folders: FolderColumns) -> Self {
        let all = format.schema();
        let kept = folders.in_files(&all);
        let in_files = kept
            .fields()
            .iter()
            .filter_map(|field| all.index_of(field.name()).ok());
        let in_files = in_files.collect::<Vec<_>>();
        let fields = kept.fields().iter().chain(&folders.fields).cloned();
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        Self {
            format,
            folders,
            in_files,
            schema,
        }
    }

    /// All columns.
    pub(super) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// What makes rows with the columns of `projection`.
    pub(super) fn decoder(&self, projection: &[usize]) -> Result<RecordDecoder> {
        let in_files = projection.iter().filter_map(|&column| self.in_files.get(column));
        let lines = self.format.decoder(&in_files.copied().collect::<Vec<_>>())?;
        let num_in_files = self.in_files.len();
        let places = projection.iter().map(|&column| column.checked_sub(num_in_files));
        Ok(RecordDecoder {
            lines,
            folders: self.folders.clone(),
            places: places.collect(),
            schema: Arc::new(self.schema.project(projection)?),
            values: Vec::new(),
        })
    }
}

/// Collects the lines of one folder after the other.
pub(super) struct RecordDecoder {
    /// Decodes what is in the files.
    pub(super) lines: Box<dyn LineDecoder>,
    folders: FolderColumns,
    /// Which of the folders' columns each column is; `None`: the next one of the files.
    places: Vec<Option<usize>>,
    schema: SchemaRef,
    /// The values of the folders that lines come from now.
    values: Vec<ArrayRef>,
}

impl RecordDecoder {
    /// Makes ready for the lines of a file.
    pub(super) fn enter(&mut self, path: &str) -> Result<Entered> {
        let Some(values) = self.folders.values(path)? else {
            return Ok(Entered::PassOver);
        };
        if values != self.values && self.lines.num_rows() > 0 {
            return Ok(Entered::FlushFirst);
        }
        self.values = values;
        Ok(Entered::Decode)
    }

    /// Gives the rows collected so far.
    pub(super) fn flush(&mut self) -> Result<RecordBatch> {
        let rows = self.lines.flush()?;
        if self.values.is_empty() {
            return Ok(rows);
        }
        let num_rows = rows.num_rows();
        let first = UInt32Array::from(vec![0; num_rows]);
        let mut in_files = rows.columns().iter();
        let mut columns = Vec::with_capacity(self.places.len());
        for place in &self.places {
            match place {
                Some(folder) => columns.push(take(&self.values[*folder], &first, None)?),
                None => columns.extend(in_files.next().cloned()),
            }
        }
        let options = RecordBatchOptions::new().with_row_count(Some(num_rows));
        let schema = Arc::clone(&self.schema);
        Ok(RecordBatch::try_new_with_options(schema, columns, &options)?)
    }
}

/// What there is to do with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entered {
    /// Its lines may come.
    Decode,
    /// The rows collected so far are of another folder.
    FlushFirst,
    /// It is not in folders of all columns.
    PassOver,
}

/// A name as it was before it became a folder's: `%XX` stands for a character.
fn unescaped(name: &str) -> String {
    let mut text = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        let digits = behind
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let code = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let Some(code) = code.filter(|_| byte == b'%') {
            text.push(code);
            rest = &behind[2..];
        } else {
            text.push(byte);
            rest = behind;
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests;
