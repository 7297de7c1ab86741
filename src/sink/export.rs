//! Writes all rows of a result table to a file: CSV, JSON lines or Parquet, as the file's name says.
//!
//! The rows are those of one version of the table, and go out chunk by chunk. The file is written under another name
//! beside its own and gets that in one step, when it is whole: nobody ever reads half of it, and what is there already
//! stays until then.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::parquet::arrow::ArrowWriter;

use crate::error::{Error, Result};
use crate::format::json_rows::write_json_lines;
use crate::format::{Dialect, column};
use crate::sink::result::ResultTable;

/// A format that rows can be exported to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Json,
    Parquet,
}

/// The ends of file names, with what they mean.
const FORMATS: [(&str, Format); 5] = [
    ("csv", Format::Csv),
    ("json", Format::Json),
    ("jsonl", Format::Json),
    ("ndjson", Format::Json),
    ("parquet", Format::Parquet),
];

/// Writes all rows of `table` to `path` and gives their number. Blocks.
///
/// # Errors
///
/// A statement error for a name that says no format; a sink error if the file cannot be written. What was at `path` is
/// unchanged then.
pub fn export(table: &dyn ResultTable, path: &Path) -> Result<u64> {
    let format = format_of(path)?;
    let partial = partial_path(path);
    let written = write(table, format, &partial).and_then(|rows| {
        fs::rename(&partial, path).map_err(|error| cannot_write(path, error))?;
        Ok(rows)
    });
    if written.is_err() {
        // What is left of it is of no use; that it cannot be removed is not what went wrong.
        let _ = fs::remove_file(&partial);
    }
    written
}

/// Checks that the end of a file's name says a format.
///
/// # Errors
///
/// A statement error with the formats that there are.
pub fn check(path: &Path) -> Result<()> {
    format_of(path).map(|_| ())
}

fn format_of(path: &Path) -> Result<Format> {
    let extension = path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or("");
    let format = FORMATS
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(extension));
    format.map(|(_, format)| *format).ok_or_else(|| {
        Error::statement(format!("the name {} says no format to write", path.display()))
            .hint("End it with .csv, .json (one object a line) or .parquet.")
    })
}

/// Hidden, and beside the file: a rename within a folder is one step.
fn partial_path(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.part", std::process::id()))
}

fn write(table: &dyn ResultTable, format: Format, path: &Path) -> Result<u64> {
    let (schema, rows) = table.rows()?;
    let file = File::create(path).map_err(|error| cannot_write(path, error))?;
    let mut out: Box<dyn RowWriter> = match format {
        Format::Csv => {
            Box::new(Csv::begin(BufWriter::new(file), &schema).map_err(|error| cannot_write(path, error))?)
        }
        Format::Json => Box::new(JsonLines(BufWriter::new(file))),
        Format::Parquet => {
            let writer = ArrowWriter::try_new(file, schema, None);
            Box::new(writer.map_err(|error| cannot_write(path, error.into()))?)
        }
    };
    let mut count = 0;
    for rows in rows {
        let rows = rows?;
        count += rows.num_rows() as u64;
        out.write(&rows)?;
    }
    let file = out.finish().map_err(|error| cannot_write(path, error))?;
    file.sync_all().map_err(|error| cannot_write(path, error))?;
    Ok(count)
}

trait RowWriter {
    fn write(&mut self, rows: &RecordBatch) -> Result<()>;

    /// Writes what is left and gives the file back.
    fn finish(self: Box<Self>) -> io::Result<File>;
}

impl RowWriter for ArrowWriter<File> {
    fn write(&mut self, rows: &RecordBatch) -> Result<()> {
        Self::write(self, rows)
            .map_err(|error| Error::sink("the rows do not fit a Parquet file").caused_by(error))
    }

    fn finish(self: Box<Self>) -> io::Result<File> {
        self.into_inner().map_err(io::Error::other)
    }
}

/// An object a line, as Spark's JSON sink writes them, nulls included.
struct JsonLines(BufWriter<File>);

impl RowWriter for JsonLines {
    fn write(&mut self, rows: &RecordBatch) -> Result<()> {
        let mut lines = String::new();
        write_json_lines(std::slice::from_ref(rows), true, &mut lines)?;
        self.0
            .write_all(lines.as_bytes())
            .map_err(|error| Error::sink("the file takes no more rows").caused_by(error))
    }

    fn finish(self: Box<Self>) -> io::Result<File> {
        self.0.into_inner().map_err(io::IntoInnerError::into_error)
    }
}

/// A line of names, then a line a row: values as a cast to STRING has them, null as nothing, an empty text as `""`.
struct Csv(BufWriter<File>);

impl Csv {
    fn begin(mut out: BufWriter<File>, schema: &SchemaRef) -> io::Result<Self> {
        let mut line = String::new();
        for (at, field) in schema.fields().iter().enumerate() {
            if at > 0 {
                line.push(',');
            }
            push_csv(&mut line, field.name());
        }
        line.push('\n');
        out.write_all(line.as_bytes())?;
        Ok(Self(out))
    }
}

impl RowWriter for Csv {
    fn write(&mut self, rows: &RecordBatch) -> Result<()> {
        let columns = rows
            .columns()
            .iter()
            .map(|values| column(values.as_ref(), Dialect::Cast));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let (mut lines, mut value) = (String::new(), String::new());
        for row in 0..rows.num_rows() {
            for (at, column) in columns.iter().enumerate() {
                if at > 0 {
                    lines.push(',');
                }
                if !column.is_null(row) {
                    value.clear();
                    column.push(row, &mut value);
                    push_csv(&mut lines, &value);
                }
            }
            lines.push('\n');
        }
        self.0
            .write_all(lines.as_bytes())
            .map_err(|error| Error::sink("the file takes no more rows").caused_by(error))
    }

    fn finish(self: Box<Self>) -> io::Result<File> {
        self.0.into_inner().map_err(io::IntoInnerError::into_error)
    }
}

/// A value of a line, in quotes where it would be read as something else without.
fn push_csv(line: &mut String, value: &str) {
    let is_plain = !value.is_empty()
        && !value.contains(['"', ',', '\n', '\r'])
        && !value.starts_with(' ')
        && !value.ends_with(' ');
    if is_plain {
        line.push_str(value);
    } else {
        line.push('"');
        line.push_str(&value.replace('"', "\"\""));
        line.push('"');
    }
}

fn cannot_write(path: &Path, error: io::Error) -> Error {
    Error::sink(format!("{} cannot be written", path.display()))
        .hint("Name a file in a folder that is there and that this user may write.")
        .caused_by(error)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray};
    use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;
    use crate::sink::OutputMode;
    use crate::sink::result::ResultPage;

    #[derive(Debug)]
    struct Table(RecordBatch);

    impl ResultTable for Table {
        fn schema(&self) -> SchemaRef {
            self.0.schema()
        }

        fn mode(&self) -> OutputMode {
            OutputMode::Append
        }

        fn version(&self) -> u64 {
            0
        }

        fn num_rows(&self) -> usize {
            self.0.num_rows()
        }

        fn page(&self, _: usize, _: usize) -> Result<ResultPage> {
            Err(Error::internal("nobody asks for pages here"))
        }

        fn batches(&self) -> Result<Vec<RecordBatch>> {
            Ok(vec![self.0.slice(0, 2), self.0.slice(2, 2)])
        }
    }

    fn table() -> Table {
        let names = StringArray::from(vec![Some("a"), Some("b, \"c\"\nd"), None, Some("")]);
        let numbers = Int64Array::from(vec![Some(1), None, Some(3), Some(4)]);
        let rows = RecordBatch::try_from_iter([
            ("name", Arc::new(names) as _),
            ("n, of it", Arc::new(numbers) as _),
        ]);
        Table(rows.expect("columns of one length"))
    }

    #[test]
    fn the_name_says_the_format() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        for name in ["a.csv", "a.JSONL", "a.parquet"] {
            assert_eq!(export(&table(), &path(name)).expect(name), 4);
        }
        assert_eq!(
            fs::read_to_string(path("a.csv")).expect("a file"),
            "name,\"n, of it\"\na,1\n\"b, \"\"c\"\"\nd\",\n,3\n\"\",4\n"
        );
        assert_eq!(
            fs::read_to_string(path("a.JSONL"))
                .expect("a file")
                .lines()
                .nth(1),
            Some("{\"name\":\"b, \\\"c\\\"\\nd\",\"n, of it\":null}")
        );
        let file = File::open(path("a.parquet")).expect("a file");
        let reader =
            ParquetRecordBatchReaderBuilder::try_new(file).and_then(ParquetRecordBatchReaderBuilder::build);
        let rows = reader
            .expect("a reader")
            .map(|rows| rows.expect("rows").num_rows());
        assert_eq!(rows.sum::<usize>(), 4);
        assert_eq!(
            fs::read_dir(folder.path()).expect("a folder").count(),
            3,
            "nothing else is left"
        );
    }

    #[test]
    fn what_is_there_stays_if_it_fails() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = export(&table(), &folder.path().join("a.xml")).expect_err("no format");
        assert!(
            error.hint_text().is_some_and(|hint| hint.contains(".csv")),
            "{error}"
        );
        let error = export(&table(), &folder.path().join("none/a.csv")).expect_err("no folder");
        assert!(error.message().contains("cannot be written"), "{error}");
        // A folder in the file's place: the last step fails.
        fs::create_dir(folder.path().join("a.csv")).expect("a folder");
        fs::write(folder.path().join("a.csv/kept"), "").expect("a file");
        assert!(export(&table(), &folder.path().join("a.csv")).is_err());
        assert_eq!(
            fs::read_dir(folder.path()).expect("a folder").count(),
            1,
            "nothing half-made stays"
        );
    }
}
