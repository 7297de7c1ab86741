//! `session_window` and the functions that it becomes in a plan.
//!
//! `session_window(time, gap)` is never computed as it stands: the rule in [`crate::plan::session_window`] gives each
//! row a session of its own, from its time to its time plus the gap, and what is above merges those that touch.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StructArray, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, IntervalUnit, TimeUnit, TimestampMicrosecondType};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::functions::window::window_type;
use crate::interval::parse_duration_us;
use crate::plan::event_time::{Bound, mark_of, with_session_bound};

/// The name of the function, and of the column that it makes.
pub const SESSION_WINDOW: &str = "session_window";

/// `session_window(time, gap)`.
pub fn session_window_udf() -> Arc<ScalarUDF> {
    udf(Part::Call)
}

/// `session_start(time)`: the time, marked as where a session begins.
pub fn session_start_udf() -> Arc<ScalarUDF> {
    udf(Part::Start)
}

/// `session_end(time, gap)`: the time plus the gap, marked as where a session ends. Null where the gap is no length.
pub fn session_end_udf() -> Arc<ScalarUDF> {
    udf(Part::End)
}

/// `make_session(start, end)`: the session as a struct.
pub fn make_session_udf() -> Arc<ScalarUDF> {
    udf(Part::Make)
}

fn udf(part: Part) -> Arc<ScalarUDF> {
    let signature = match part {
        Part::Call => Signature::user_defined(Volatility::Immutable),
        Part::Start => Signature::any(1, Volatility::Immutable),
        Part::End | Part::Make => Signature::any(2, Volatility::Immutable),
    };
    Arc::new(ScalarUDF::from(Session { part, signature }))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Part {
    Call,
    Start,
    End,
    Make,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Session {
    part: Part,
    signature: Signature,
}

impl ScalarUDFImpl for Session {
    fn name(&self) -> &'static str {
        match self.part {
            Part::Call => SESSION_WINDOW,
            Part::Start => "session_start",
            Part::End => "session_end",
            Part::Make => "make_session",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let [time, gap] = types else {
            return plan_err!("session_window takes a time and a gap");
        };
        let time = match time {
            DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Microsecond, zone.clone()),
            window @ DataType::Struct(_) => window.clone(),
            other => return plan_err!("session_window takes a TIMESTAMP, not {other}"),
        };
        let gap = match gap {
            DataType::Utf8View | DataType::LargeUtf8 | DataType::Null => DataType::Utf8,
            gap @ (DataType::Utf8 | DataType::Interval(_)) => gap.clone(),
            other => return plan_err!("the gap of a session_window is a length of time, not {other}"),
        };
        Ok(vec![time, gap])
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(match (self.part, &types[0]) {
            (Part::Start | Part::End, time) => time.clone(),
            (Part::Call, DataType::Struct(fields)) if !fields.is_empty() => {
                window_type(fields[0].data_type())
            }
            (Part::Call | Part::Make, time) => window_type(time),
        })
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let first = &args.arg_fields[0];
        let data_type = self.return_type(&[first.data_type().clone()])?;
        let is_nullable = first.is_nullable() || self.part == Part::End;
        let field = Field::new(self.name(), data_type, is_nullable).with_metadata(mark_of(first));
        Ok(Arc::new(match self.part {
            Part::Call | Part::Make => field,
            Part::Start => with_session_bound(field, Bound::Start),
            Part::End => with_session_bound(field, Bound::End),
        }))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let first = args.args[0].to_array(args.number_rows)?;
        Ok(ColumnarValue::Array(match self.part {
            Part::Call => return exec_err!("session_window can stand in GROUP BY only"),
            Part::Start => first,
            Part::End => ends(&first, &args.args[1].to_array(args.number_rows)?)?,
            Part::Make => {
                let DataType::Struct(fields) = args.return_field.data_type() else {
                    return exec_err!("a session is a struct");
                };
                let end = args.args[1].to_array(args.number_rows)?;
                let nulls = first.nulls().cloned();
                Arc::new(StructArray::try_new(fields.clone(), vec![first, end], nulls)?)
            }
        }))
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        let args = args.iter().map(|arg| arg.schema_name().to_string());
        Ok(format!(
            "{}({})",
            self.name(),
            args.collect::<Vec<_>>().join(", ")
        ))
    }
}

fn ends(times: &ArrayRef, gaps: &ArrayRef) -> Result<ArrayRef> {
    let DataType::Timestamp(_, zone) = times.data_type() else {
        return exec_err!("a session's time is a timestamp, not {}", times.data_type());
    };
    let times = times.as_primitive::<TimestampMicrosecondType>();
    let ends = match gaps.data_type() {
        DataType::Utf8 => ends_of_texts(times, gaps),
        DataType::Interval(_) => ends_of_intervals(times, gaps)?,
        other => return exec_err!("the gap of a session_window is a length of time, not {other}"),
    };
    Ok(Arc::new(ends.with_timezone_opt(zone.clone())))
}

fn ends_of_texts(times: &TimestampMicrosecondArray, gaps: &ArrayRef) -> TimestampMicrosecondArray {
    // Rows mostly have the gap of the row before. A text that is no length is a null, as in Spark.
    let mut known: Option<(&str, Option<i64>)> = None;
    let mut ends = Vec::with_capacity(times.len());
    for (time, gap) in times.iter().zip(gaps.as_string::<i32>()) {
        let gap_us = gap.and_then(|text| match known {
            Some((before, gap_us)) if text == before => gap_us,
            _ => {
                let gap_us = parse_duration_us(text).ok();
                known = Some((text, gap_us));
                gap_us
            }
        });
        ends.push(time.zip(gap_us).map(|(time, gap_us)| time.saturating_add(gap_us)));
    }
    ends.into_iter().collect()
}

fn ends_of_intervals(
    times: &TimestampMicrosecondArray,
    gaps: &ArrayRef,
) -> Result<TimestampMicrosecondArray> {
    let gaps = cast(gaps, &DataType::Interval(IntervalUnit::MonthDayNano))?;
    let gaps = gaps.as_primitive::<arrow::datatypes::IntervalMonthDayNanoType>();
    let ends = times.iter().zip(gaps).map(|(time, gap)| {
        let Some((time, gap)) = time.zip(gap) else {
            return Ok(None);
        };
        if gap.months != 0 {
            return exec_err!(
                "the gap of a session_window cannot be in months or years, whose lengths differ"
            );
        }
        let gap_us = i64::from(gap.days) * 86_400_000_000 + gap.nanoseconds / 1000;
        Ok(Some(time.saturating_add(gap_us)))
    });
    ends.collect()
}
