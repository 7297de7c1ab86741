//! The console sink: hands every batch, empty ones too, to whoever prints.
//!
//! The engine knows no screen, so the sink prints nothing. It collects a batch and calls back; headless mode
//! prints what it gets as Spark's console sink does. The options `numRows` and `truncate` are for the one who
//! prints and travel with the schema's metadata.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use datafusion::physical_plan::SendableRecordBatchStream;
use futures::TryStreamExt;
use parking_lot::Mutex;

use super::{Sink, SinkCommit, SinkStart};
use crate::error::Result;
use crate::format::text_table::ShowOptions;
use crate::options::Options;

/// What is called with each batch: its id, the columns, the rows.
pub type OnBatch = Arc<dyn Fn(u64, SchemaRef, Vec<RecordBatch>) + Send + Sync>;

const NUM_ROWS: &str = "highwater.console.numRows";
const TRUNCATE: &str = "highwater.console.truncate";

/// Hands batches to a callback.
pub struct ConsoleSink {
    options: ShowOptions,
    on_batch: OnBatch,
    /// The columns with the options in their metadata, known from the start of a run on.
    schema: Mutex<Option<SchemaRef>>,
}

impl ConsoleSink {
    /// A console sink with the options `numRows` and `truncate` of its clause, their names in any case.
    ///
    /// # Errors
    ///
    /// `Statement` for an unknown option or a value that is none.
    pub fn try_new(options: &Options, on_batch: OnBatch) -> Result<Self> {
        options.check_known("the console sink", &["numRows", "truncate"])?;
        let mut show = ShowOptions::default();
        let number = |text: &str| text.parse().ok();
        if let Some(rows) = options.parse("numRows", "a number of rows: numRows '20'", number)? {
            show.num_rows = rows;
        }
        let widths = "true, false, or how many columns of the screen a value may take";
        if let Some(width) = options.parse("truncate", widths, truncate)? {
            show.truncate = (width > 0).then_some(width);
        }
        Ok(Self {
            options: show,
            on_batch,
            schema: Mutex::new(None),
        })
    }
}

/// How the batches of a console sink are to be shown, from the columns that its callback was given.
pub fn show_options(schema: &Schema) -> ShowOptions {
    let default = ShowOptions::default();
    let number = |name: &str| schema.metadata().get(name).and_then(|text| text.parse().ok());
    ShowOptions {
        num_rows: number(NUM_ROWS).unwrap_or(default.num_rows),
        truncate: match number(TRUNCATE) {
            Some(0) => None,
            Some(columns) => Some(columns),
            None => default.truncate,
        },
    }
}

/// Spark's three forms: `true` is 20 columns, `false` is all of them, which is 0, a number is that many.
fn truncate(text: &str) -> Option<usize> {
    match text.to_ascii_lowercase().as_str() {
        "true" => ShowOptions::default().truncate,
        "false" => Some(0),
        number => number.parse().ok(),
    }
}

impl fmt::Debug for ConsoleSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsoleSink")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Sink for ConsoleSink {
    fn description(&self) -> String {
        "ConsoleSink".into()
    }

    async fn start(&self, start: SinkStart) -> Result<()> {
        let mut metadata: HashMap<String, String> = start.schema.metadata().clone();
        metadata.insert(NUM_ROWS.into(), self.options.num_rows.to_string());
        metadata.insert(TRUNCATE.into(), self.options.truncate.unwrap_or(0).to_string());
        let schema = Schema::new_with_metadata(start.schema.fields().clone(), metadata);
        *self.schema.lock() = Some(Arc::new(schema));
        Ok(())
    }

    async fn write(&self, batch_id: u64, rows: SendableRecordBatchStream) -> Result<SinkCommit> {
        let schema = self.schema.lock().clone().unwrap_or_else(|| rows.schema());
        let batches: Vec<RecordBatch> = rows.try_collect().await?;
        let num_output_rows = batches.iter().map(|batch| batch.num_rows() as u64).sum();
        (self.on_batch)(batch_id, schema, batches);
        Ok(SinkCommit {
            num_output_rows,
            ..SinkCommit::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::OutputMode;
    use crate::sink::test_support::{ints, read, start, stream};

    #[tokio::test]
    async fn every_batch_reaches_the_callback() {
        let seen: Arc<Mutex<Vec<(u64, usize, ShowOptions)>>> = Arc::default();
        let keep = Arc::clone(&seen);
        let sink = ConsoleSink::try_new(
            &Options::from_iter([("numrows", "3"), ("truncate", "false")]),
            Arc::new(move |id, schema, batches| {
                keep.lock()
                    .push((id, read(&batches).len(), show_options(&schema)));
            }),
        )
        .expect("a sink");
        sink.start(start(OutputMode::Append, None))
            .await
            .expect("a start");
        let commit = sink
            .write(4, stream(vec![Ok(ints(&[1, 2]))]))
            .await
            .expect("a batch");
        assert_eq!(commit.num_output_rows, 2);
        sink.write(5, stream(vec![])).await.expect("an empty batch");
        let options = ShowOptions {
            num_rows: 3,
            truncate: None,
        };
        assert_eq!(*seen.lock(), vec![(4, 2, options), (5, 0, options)]);
    }

    #[test]
    fn options_are_checked() {
        let message = |name: &str, value: &str| {
            ConsoleSink::try_new(&Options::from_iter([(name, value)]), Arc::new(|_, _, _| {}))
                .expect_err("a refusal")
                .report()
        };
        let unknown = "the console sink has no option \"numRow\"\n  hint: Did you mean \"numRows\"?";
        assert!(message("numRow", "3").starts_with(unknown));
        assert!(message("numRows", "x").contains("a number of rows"));
        assert!(message("truncate", "x").contains("how many columns"));
        for (value, expected) in [("true", Some(20)), ("FALSE", None), ("0", None), ("7", Some(7))] {
            let options = Options::from_iter([("truncate", value)]);
            let sink = ConsoleSink::try_new(&options, Arc::new(|_, _, _| {})).expect("a sink");
            assert_eq!(sink.options.truncate, expected);
        }
        assert_eq!(show_options(&Schema::empty()), ShowOptions::default());
    }
}
