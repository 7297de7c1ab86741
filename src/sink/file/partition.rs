//! Rows by partition: `PARTITIONED BY (day, kind)` makes folders `day=2026-01-01/kind=view`, as Hive and Spark do.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use arrow::row::{RowConverter, SortField};

use crate::error::{Error, Result};
use crate::format::{Dialect, column};

/// The folder of null and of the empty text, which no folder's name can say.
const DEFAULT_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

/// How the columns of a query are split between folders and files.
#[derive(Debug, Clone)]
pub(super) struct Partitioning {
    /// The partition columns, in the order of the clause.
    columns: Vec<usize>,
    /// The others.
    file_columns: Vec<usize>,
    file_schema: SchemaRef,
}

/// The rows of one folder.
#[derive(Debug)]
pub(super) struct PartitionRows {
    /// The partition's number within the batch, by first arrival.
    pub(super) partition: usize,
    /// Its columns without those that the folder tells.
    pub(super) rows: RecordBatch,
}

impl Partitioning {
    /// Looks the partition columns up, as Spark does whatever their case is.
    ///
    /// # Errors
    ///
    /// `Statement` for a column that is not there, that is named twice, whose type makes no folder's name, or if
    /// nothing is left for the files.
    pub(super) fn try_new(schema: &SchemaRef, partition_by: &[String]) -> Result<Self> {
        let mut columns = Vec::with_capacity(partition_by.len());
        for name in partition_by {
            let found = schema
                .fields()
                .iter()
                .position(|field| field.name() == name)
                .or_else(|| {
                    schema
                        .fields()
                        .iter()
                        .position(|field| field.name().eq_ignore_ascii_case(name))
                });
            let Some(at) = found else {
                return Err(
                    Error::statement(format!("there is no column \"{name}\" to partition by"))
                        .hint(format!("The query's columns are {}.", names(schema))),
                );
            };
            if columns.contains(&at) {
                return Err(Error::statement(format!(
                    "column \"{name}\" is twice in PARTITIONED BY"
                )));
            }
            let data_type = schema.field(at).data_type();
            let is_binary = matches!(
                data_type,
                DataType::Binary
                    | DataType::LargeBinary
                    | DataType::BinaryView
                    | DataType::FixedSizeBinary(_)
            );
            if data_type.is_nested() || is_binary {
                return Err(Error::statement(format!(
                    "column \"{name}\" cannot be partitioned by: its type is {data_type}"
                ))
                .hint("Partition by a text, a number, a date or a timestamp; select window.start AS start, say."));
            }
            columns.push(at);
        }
        let file_columns: Vec<usize> = (0..schema.fields().len())
            .filter(|at| !columns.contains(at))
            .collect();
        if file_columns.is_empty() {
            return Err(Error::statement("all columns of the query are in PARTITIONED BY")
                .hint("Leave one out: a file needs a column."));
        }
        Ok(Self {
            file_schema: Arc::new(schema.project(&file_columns)?),
            columns,
            file_columns,
        })
    }

    /// The columns of the files.
    pub(super) fn file_schema(&self) -> &SchemaRef {
        &self.file_schema
    }

    /// Splits the rows of one micro-batch, whose columns are `schema`.
    pub(super) fn splitter(&self, schema: &SchemaRef) -> Result<Splitter> {
        let fields = self
            .columns
            .iter()
            .map(|at| SortField::new(schema.field(*at).data_type().clone()))
            .collect();
        Ok(Splitter {
            partitioning: self.clone(),
            converter: RowConverter::new(fields)?,
            known: HashMap::new(),
            folders: Vec::new(),
        })
    }
}

/// Splits the rows of one micro-batch.
#[derive(Debug)]
pub(super) struct Splitter {
    partitioning: Partitioning,
    converter: RowConverter,
    /// Partitions by the bytes of their values.
    known: HashMap<Box<[u8]>, usize>,
    /// The folders of the partitions, below the sink's.
    folders: Vec<PathBuf>,
}

impl Splitter {
    /// The rows of each partition in turn, each in the order that they came in.
    pub(super) fn split(&mut self, batch: &RecordBatch) -> Result<Vec<PartitionRows>> {
        if batch.num_rows() == 0 {
            return Ok(Vec::new());
        }
        let rows = batch.project(&self.partitioning.file_columns)?;
        if self.partitioning.columns.is_empty() {
            if self.folders.is_empty() {
                self.folders.push(PathBuf::new());
            }
            return Ok(vec![PartitionRows { partition: 0, rows }]);
        }
        let values: Vec<ArrayRef> = self
            .partitioning
            .columns
            .iter()
            .map(|at| Arc::clone(batch.column(*at)))
            .collect();
        let keys = self.converter.convert_columns(&values)?;
        // Partitions in the order of their first row here, with their rows.
        let mut split: Vec<(usize, Vec<u32>)> = Vec::new();
        let mut places: HashMap<usize, usize> = HashMap::new();
        for (row, key) in keys.iter().enumerate() {
            let partition = match self.known.get(key.data()) {
                Some(partition) => *partition,
                None => self.add(key.data(), batch.schema_ref(), &values, row)?,
            };
            let place = *places.entry(partition).or_insert_with(|| {
                split.push((partition, Vec::new()));
                split.len() - 1
            });
            split[place]
                .1
                .push(u32::try_from(row).map_err(|_| Error::internal("a batch has too many rows"))?);
        }
        if let [(partition, _)] = split.as_slice() {
            return Ok(vec![PartitionRows {
                partition: *partition,
                rows,
            }]);
        }
        split
            .into_iter()
            .map(|(partition, indices)| {
                Ok(PartitionRows {
                    partition,
                    rows: take_record_batch(&rows, &UInt32Array::from(indices))?,
                })
            })
            .collect()
    }

    /// The folder of a partition, below the sink's.
    pub(super) fn folder(&self, partition: usize) -> &PathBuf {
        &self.folders[partition]
    }

    fn add(&mut self, key: &[u8], schema: &Schema, values: &[ArrayRef], row: usize) -> Result<usize> {
        let mut folder = PathBuf::new();
        for (at, values) in self.partitioning.columns.iter().zip(values) {
            let mut name = String::new();
            push_escaped(&mut name, schema.field(*at).name());
            name.push('=');
            let column = column(
                values.as_ref(),
                Dialect::Text {
                    max_bytes: usize::MAX,
                },
            )?;
            let mut text = String::new();
            if !column.is_null(row) {
                column.push(row, &mut text);
            }
            if text.is_empty() {
                name.push_str(DEFAULT_PARTITION);
            } else {
                push_escaped(&mut name, &text);
            }
            folder.push(name);
        }
        let partition = self.folders.len();
        self.folders.push(folder);
        self.known.insert(key.into(), partition);
        Ok(partition)
    }
}

/// Appends text as a part of a path, escaped as Spark's `ExternalCatalogUtils.escapePathName` does.
fn push_escaped(out: &mut String, text: &str) {
    for character in text.chars() {
        let is_special = character.is_ascii_control()
            || matches!(
                character,
                '"' | '#' | '%' | '\'' | '*' | '/' | ':' | '=' | '?' | '\\' | '{' | '[' | ']' | '^'
            );
        if is_special {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{:02X}", u32::from(character));
        } else {
            out.push(character);
        }
    }
}

fn names(schema: &Schema) -> String {
    let names: Vec<&str> = schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use arrow::array::{Date32Array, Float64Array, TimestampMicrosecondArray};

    use super::*;
    use crate::sink::test_support::{read, rows, schema};

    #[test]
    fn rows_go_to_their_folders() {
        let wide = |batch: RecordBatch| {
            let mut columns = vec![("p", Arc::clone(batch.column(0)))];
            columns.push(("k", Arc::clone(batch.column(0))));
            columns.push(("n", Arc::clone(batch.column(1))));
            RecordBatch::try_from_iter_with_nullable(
                columns.into_iter().map(|(name, array)| (name, array, true)),
            )
            .expect("a batch")
        };
        let first = wide(rows(&[("b", 1), ("a/b", 2), ("b", 3), ("", 4)]));
        let partitioning = Partitioning::try_new(&first.schema(), &["P".into()]).expect("a partitioning");
        let mut splitter = partitioning.splitter(&first.schema()).expect("a splitter");
        let mut seen = Vec::new();
        for batch in [
            first,
            wide(rows(&[("", 5), ("b", 6)])),
            wide(rows(&[("b", 7), ("b", 8)])),
        ] {
            for part in splitter.split(&batch).expect("a split") {
                let numbers: Vec<i64> = read(&[part.rows]).into_iter().map(|(_, number)| number).collect();
                seen.push((splitter.folder(part.partition).display().to_string(), numbers));
            }
        }
        let default = format!("p={DEFAULT_PARTITION}");
        assert_eq!(
            seen,
            [
                ("p=b".to_string(), vec![1, 3]),
                ("p=a%2Fb".to_string(), vec![2]),
                (default.clone(), vec![4]),
                (default, vec![5]),
                ("p=b".to_string(), vec![6]),
                ("p=b".to_string(), vec![7, 8]),
            ]
        );
    }

    #[test]
    fn values_are_written_as_spark_writes_them() {
        let batch = RecordBatch::try_from_iter([
            (
                "at",
                Arc::new(TimestampMicrosecondArray::from(vec![1_767_258_000_500_000])) as ArrayRef,
            ),
            ("day", Arc::new(Date32Array::from(vec![20_454])) as ArrayRef),
            ("x=y", Arc::new(Float64Array::from(vec![2.0])) as ArrayRef),
            ("n", Arc::new(Float64Array::from(vec![0.0])) as ArrayRef),
        ])
        .expect("a batch");
        let by = ["day", "at", "x=y"].map(String::from);
        let partitioning = Partitioning::try_new(&batch.schema(), &by).expect("a partitioning");
        let mut splitter = partitioning.splitter(&batch.schema()).expect("a splitter");
        let parts = splitter.split(&batch).expect("a split");
        assert_eq!(
            splitter.folder(parts[0].partition),
            &PathBuf::from("day=2026-01-01/at=2026-01-01 09%3A00%3A00.5/x%3Dy=2.0")
        );
        assert_eq!(parts[0].rows.num_columns(), 1);
    }

    #[test]
    fn wrong_columns_are_refused() {
        let message = |by: &[&str]| {
            let by: Vec<String> = by.iter().map(ToString::to_string).collect();
            Partitioning::try_new(&schema(), &by)
                .expect_err("a refusal")
                .report()
        };
        assert_eq!(
            message(&["x"]),
            "there is no column \"x\" to partition by\n  hint: The query's columns are k, n."
        );
        assert!(message(&["k", "K"]).contains("twice"));
        assert!(message(&["k", "n"]).contains("all columns"));
    }
}
