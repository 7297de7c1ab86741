//! Spark's rate source: a counter that runs with the clock, for trials and demonstrations.
//!
//! Rows are `timestamp TIMESTAMP, value BIGINT`; value `n` belongs to the moment at which the n-th row is due. An
//! offset counts the ticks since the stream began, `{"value":120}`: a tick is a second, as in Spark, or, as an
//! extension of ours, `tickMillis` milliseconds, for screens on which a second is slow. When the stream began is
//! kept with its first batch, so a restart goes on with the values that are due by then.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use arrow::array::{ArrayRef, Int64Array, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use async_trait::async_trait;
use datafusion::error::DataFusionError;
use datafusion::physical_plan::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::stream;
use parking_lot::Mutex;
use serde_json::json;

use super::{Offset, PlannedOffset, ReadLimit, Source};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::options::{Options, parse_duration};

/// The options that the source takes.
pub const KNOWN_OPTIONS: [&str; 4] = ["rowsPerSecond", "rampUpTime", "numPartitions", "tickMillis"];

const DEFAULT_TICK_MS: i64 = 1000;
const BATCH_ROWS: usize = 8192;

/// A rate source. See the module's documentation.
#[derive(Debug)]
pub struct RateSource {
    schema: SchemaRef,
    rate: Rate,
    num_partitions: Option<usize>,
    tick_ms: i64,
    clock: Arc<dyn Clock>,
    /// When the stream began, in milliseconds since the epoch.
    start_ms: AtomicI64,
    /// The latest moment that the clock has shown: a clock that is set back does not take rows back.
    last_ms: AtomicI64,
    /// The tick at which a run of AVAILABLE NOW ends.
    end: Mutex<Option<i64>>,
}

impl RateSource {
    /// Makes a source that begins now. `time_zone` is the session's, for the type of `timestamp`.
    ///
    /// # Errors
    /// `Statement` for an unknown option or a wrong value.
    pub fn try_new(options: &Options, clock: Arc<dyn Clock>, time_zone: &str) -> Result<Self> {
        options.check_known("rate", &KNOWN_OPTIONS)?;
        let positive = |name: &str| {
            options.parse(name, "a whole number from 1 on", |text| {
                text.parse::<i64>().ok().filter(|number| *number > 0)
            })
        };
        let ramp_up = options.parse("rampUpTime", "a length of time such as '5s'", |text| {
            // A bare number counts seconds, as everywhere in Spark's own time strings.
            let seconds = text
                .parse()
                .ok()
                .or_else(|| Some(parse_duration(text)?.as_secs()))?;
            i64::try_from(seconds).ok()
        })?;
        let now = clock.now_ms();
        Ok(Self {
            schema: schema(time_zone),
            rate: Rate {
                rows_per_second: positive("rowsPerSecond")?.unwrap_or(1),
                ramp_up_seconds: ramp_up.unwrap_or(0),
            },
            num_partitions: positive("numPartitions")?
                .map(|number| usize::try_from(number).unwrap_or(usize::MAX)),
            tick_ms: positive("tickMillis")?.unwrap_or(DEFAULT_TICK_MS),
            clock,
            start_ms: AtomicI64::new(now),
            last_ms: AtomicI64::new(now),
            end: Mutex::new(None),
        })
    }

    fn start_ms(&self) -> i64 {
        self.start_ms.load(Ordering::SeqCst)
    }

    /// The ticks that have passed, but never fewer than `known`.
    fn ticks(&self, known: i64) -> i64 {
        let now = self.clock.now_ms();
        let last = self.last_ms.fetch_max(now, Ordering::SeqCst).max(now);
        ((last - self.start_ms()) / self.tick_ms).max(known)
    }
}

fn schema(time_zone: &str) -> SchemaRef {
    let timestamp = DataType::Timestamp(TimeUnit::Microsecond, Some(time_zone.into()));
    Arc::new(Schema::new(vec![
        Field::new("timestamp", timestamp, true),
        Field::new("value", DataType::Int64, true),
    ]))
}

fn offset(ticks: i64) -> Offset {
    json!({ "value": ticks })
}

fn ticks_of(offset: Option<&Offset>) -> Result<i64> {
    let Some(offset) = offset else { return Ok(0) };
    offset
        .get("value")
        .and_then(serde_json::Value::as_i64)
        .filter(|ticks| *ticks >= 0)
        .ok_or_else(|| Error::checkpoint(format!("{offset} is no offset of a rate source")))
}

#[async_trait]
impl Source for RateSource {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn description(&self) -> String {
        let partitions = self
            .num_partitions
            .map_or("default".to_owned(), |number| number.to_string());
        format!(
            "RateStreamV2[rowsPerSecond={}, rampUpTimeSeconds={}, numPartitions={partitions}]",
            self.rate.rows_per_second, self.rate.ramp_up_seconds
        )
    }

    async fn restore(&self, log: Vec<(u64, serde_json::Value)>) -> Result<()> {
        *self.end.lock() = None;
        let Some((batch_id, entry)) = log.first() else {
            return Ok(());
        };
        let field = |name: &str| entry.get(name).and_then(serde_json::Value::as_i64);
        let (Some(start_ms), Some(tick_ms)) = (field("startTimeMs"), field("tickMillis")) else {
            return Err(Error::checkpoint(format!(
                "the log of a rate source holds {entry} for batch {batch_id}"
            )));
        };
        if tick_ms != self.tick_ms {
            return Err(Error::checkpoint(format!(
                "option \"tickMillis\" is {}, but the checkpoint was written with {tick_ms}",
                self.tick_ms
            ))
            .hint(format!(
                "Set tickMillis to '{tick_ms}', or start with a new checkpoint."
            )));
        }
        self.start_ms.store(start_ms, Ordering::SeqCst);
        self.last_ms.fetch_max(start_ms, Ordering::SeqCst);
        Ok(())
    }

    async fn prepare_available_now(&self) -> Result<()> {
        *self.end.lock() = Some(self.ticks(0));
        Ok(())
    }

    async fn latest_offset(
        &self,
        start: Option<&Offset>,
        _limit: ReadLimit,
    ) -> Result<Option<PlannedOffset>> {
        let from = ticks_of(start)?;
        let ticks = self.ticks(from);
        let end = self.end.lock().unwrap_or(ticks).min(ticks);
        // The first batch of all keeps when the stream began; every later one counts from there.
        let log_entry = start
            .is_none()
            .then(|| json!({ "startTimeMs": self.start_ms(), "tickMillis": self.tick_ms }));
        Ok((end > from).then(|| PlannedOffset {
            end: offset(end),
            log_entry,
        }))
    }

    async fn read(
        &self,
        start: Option<&Offset>,
        end: &Offset,
        projection: &[usize],
        partitions: usize,
    ) -> Result<Vec<SendableRecordBatchStream>> {
        let (start, end) = (ticks_of(start)?, ticks_of(Some(end))?);
        let ms_of = |ticks: i64| ticks.checked_mul(self.tick_ms);
        let range = ms_of(start).zip(ms_of(end)).and_then(|(from, to)| {
            Some(Range {
                first: self.rate.value_at(from)?,
                end: self.rate.value_at(to)?,
                from_ms: self.start_ms().checked_add(from)?,
                span_ms: to - from,
            })
        });
        let range = range.ok_or_else(|| {
            Error::source(format!(
                "integer overflow: {} rows per second do not fit a BIGINT at tick {end}",
                self.rate.rows_per_second
            ))
            .hint("Start with a new checkpoint, or with fewer rowsPerSecond.")
        })?;
        let wanted = self.num_partitions.unwrap_or(partitions).min(partitions).max(1);
        let rows = range.end - range.first;
        let stride = i64::try_from(wanted).unwrap_or(i64::MAX).min(rows);
        let schema = Arc::new(self.schema.project(projection)?);
        Ok((0..stride)
            .map(|partition| {
                let rows = Rows {
                    schema: Arc::clone(&schema),
                    range,
                    next: range.first + partition,
                    stride,
                };
                Box::pin(RecordBatchStreamAdapter::new(
                    Arc::clone(&schema),
                    stream::iter(rows),
                )) as SendableRecordBatchStream
            })
            .collect())
    }

    async fn wait_for_data(&self, start: Option<&Offset>) {
        let Ok(start) = ticks_of(start) else { return };
        let due = (start + 1)
            .saturating_mul(self.tick_ms)
            .saturating_add(self.start_ms());
        let wait = due.saturating_sub(self.clock.now_ms()).clamp(0, self.tick_ms);
        tokio::time::sleep(Duration::from_millis(wait.unsigned_abs())).await;
    }

    fn newest_known(&self) -> Option<Offset> {
        Some(offset(self.ticks(0)))
    }
}

/// How many rows are due when.
#[derive(Debug, Clone, Copy)]
struct Rate {
    rows_per_second: i64,
    ramp_up_seconds: i64,
}

impl Rate {
    /// How many rows are due `ms` milliseconds after the start; `None` if that is no BIGINT. Within a second, which
    /// Spark does not look into, the rows of that second come evenly.
    fn value_at(self, ms: i64) -> Option<i64> {
        let (second, rest) = (ms / 1000, ms % 1000);
        let before = self.value_at_second(second)?;
        if rest == 0 {
            return Some(before);
        }
        let within = self.value_at_second(second + 1)? - before;
        i64::try_from(i128::from(before) + i128::from(within) * i128::from(rest) / 1000).ok()
    }

    /// As Spark's `RateStreamProvider.valueAtSecond`: with a ramp-up of 4 s and 10 rows per second, the speed at
    /// seconds 0 to 6 is 0 2 4 6 8 10 10 and the rows due are 0 2 6 12 20 30 40.
    fn value_at_second(self, second: i64) -> Option<i64> {
        let ramp = self.ramp_up_seconds;
        let step = i128::from(self.rows_per_second / ramp.checked_add(1)?);
        let climbed = i128::from(second.min(ramp));
        // Half of two neighbours is whole; the second product is what may overflow.
        let ramped = (climbed * (climbed + 1) / 2).checked_mul(step)?;
        let level = i128::from((second - ramp).max(0)).checked_mul(i128::from(self.rows_per_second))?;
        i64::try_from(ramped.checked_add(level)?).ok()
    }
}

/// The rows of a batch: values and the time over which they are spread.
#[derive(Debug, Clone, Copy)]
struct Range {
    first: i64,
    end: i64,
    from_ms: i64,
    span_ms: i64,
}

impl Range {
    /// When a value is due, in microseconds since the epoch: whole milliseconds, rounded half up as Java's `Math.round`.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "the arithmetic is Spark's, in doubles"
    )]
    fn micros(self, value: i64) -> i64 {
        let ms_per_value = self.span_ms as f64 / (self.end - self.first) as f64;
        let relative = ((value - self.first) as f64 * ms_per_value + 0.5).floor() as i64;
        (self.from_ms + relative) * 1000
    }
}

/// One partition's rows: every `stride`-th value.
struct Rows {
    schema: SchemaRef,
    range: Range,
    next: i64,
    stride: i64,
}

impl Iterator for Rows {
    type Item = Result<RecordBatch, DataFusionError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut values = Vec::with_capacity(BATCH_ROWS);
        while self.next < self.range.end && values.len() < BATCH_ROWS {
            values.push(self.next);
            self.next = self.next.saturating_add(self.stride);
        }
        if values.is_empty() {
            return None;
        }
        let options = RecordBatchOptions::new().with_row_count(Some(values.len()));
        let fields = self.schema.fields().iter();
        let columns = fields
            .map(|field| self.column(field.data_type(), &values))
            .collect();
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options);
        Some(batch.map_err(DataFusionError::from))
    }
}

impl Rows {
    fn column(&self, data_type: &DataType, values: &[i64]) -> ArrayRef {
        match data_type {
            DataType::Timestamp(_, zone) => {
                let micros = values.iter().map(|value| self.range.micros(*value));
                Arc::new(TimestampMicrosecondArray::from_iter_values(micros).with_timezone_opt(zone.clone()))
            }
            _ => Arc::new(Int64Array::from(values.to_vec())),
        }
    }
}

#[cfg(test)]
mod tests;
