//! `window`, `window_time` and the two functions that `window` becomes in a plan.
//!
//! `window(time, size [, slide [, start]])` is never computed as it stands: the rule in [`crate::plan::time_window`]
//! turns it into [`window_start`] below the operator that uses it (an integer-like key that groups fast) and
//! [`make_window`] above. All arithmetic is on microseconds since the epoch, as in Spark's `TimeWindowing`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StructArray};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit, TimestampMicrosecondType};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::error::Error;
use crate::plan::event_time::{WINDOW_SIZE_KEY, mark_of};

/// The name of the window function, and of the column that it makes.
pub const WINDOW: &str = "window";

/// The type of a window over times of type `time`.
pub fn window_type(time: &DataType) -> DataType {
    DataType::Struct(Fields::from(vec![
        Field::new("start", time.clone(), true),
        Field::new("end", time.clone(), true),
    ]))
}

/// Size, slide and offset of a window, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WindowSpec {
    /// How long a window is.
    pub size_us: i64,
    /// How far apart windows start; equal to the size for tumbling windows.
    pub slide_us: i64,
    /// Where windows start, counted from the epoch.
    pub offset_us: i64,
}

impl WindowSpec {
    /// Whether each time is in exactly one window.
    pub fn is_tumbling(&self) -> bool {
        self.size_us == self.slide_us
    }

    /// The start of the last window that begins at or before `time`.
    pub fn last_start(&self, time: i64) -> i64 {
        time.wrapping_sub(time.wrapping_sub(self.offset_us).rem_euclid(self.slide_us))
    }
}

/// `window(time, size [, slide [, start]])`.
pub fn window_udf() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::from(Window {
        signature: Signature::user_defined(Volatility::Immutable),
    }))
}

/// The start of the window that a time is in.
pub fn window_start(spec: WindowSpec) -> Arc<ScalarUDF> {
    let signature = Signature::any(1, Volatility::Immutable);
    Arc::new(ScalarUDF::from(WindowStart { spec, signature }))
}

/// The window that begins at a start.
pub fn make_window(size_us: i64) -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::from(MakeWindow {
        size_us,
        signature: Signature::any(1, Volatility::Immutable),
    }))
}

/// `window_time(window)`: the last microsecond of a window, which carries its event time.
pub fn window_time_udf() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::from(WindowTime {
        signature: Signature::any(1, Volatility::Immutable),
    }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Window {
    signature: Signature,
}

impl ScalarUDFImpl for Window {
    fn name(&self) -> &'static str {
        WINDOW
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        if !(2..=4).contains(&types.len()) {
            return plan_err!("window takes a time, a size, and optionally a slide and a start offset");
        }
        let time = match &types[0] {
            DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Microsecond, zone.clone()),
            window @ DataType::Struct(_) => window.clone(),
            other => return plan_err!("window takes a TIMESTAMP, not {other}"),
        };
        Ok(std::iter::once(time).chain(types[1..].iter().cloned()).collect())
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match &types[0] {
            DataType::Struct(fields) if !fields.is_empty() => Ok(window_type(fields[0].data_type())),
            time => Ok(window_type(time)),
        }
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let types = args
            .arg_fields
            .iter()
            .map(|field| field.data_type().clone())
            .collect::<Vec<_>>();
        let field = Field::new(WINDOW, self.return_type(&types)?, true);
        Ok(Arc::new(field.with_metadata(mark_of(&args.arg_fields[0]))))
    }

    fn invoke_with_args(&self, _args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        exec_err!("window can stand in the SELECT list and in GROUP BY only")
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct WindowStart {
    spec: WindowSpec,
    signature: Signature,
}

impl ScalarUDFImpl for WindowStart {
    fn name(&self) -> &'static str {
        "window_start"
    }

    fn schema_name(&self, args: &[datafusion::logical_expr::Expr]) -> Result<String> {
        let WindowSpec {
            size_us,
            slide_us,
            offset_us,
        } = self.spec;
        Ok(format!(
            "window_start({}, {size_us}, {slide_us}, {offset_us})",
            args[0].schema_name()
        ))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(types[0].clone())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let time = &args.arg_fields[0];
        let mut metadata = mark_of(time);
        metadata.insert(WINDOW_SIZE_KEY.to_owned(), self.spec.size_us.to_string());
        let field = Field::new(self.name(), time.data_type().clone(), time.is_nullable());
        Ok(Arc::new(field.with_metadata(metadata)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let times = args.args[0].to_array(args.number_rows)?;
        let times = times.as_primitive::<TimestampMicrosecondType>();
        // Rows mostly come in the order of time, so most are in the window of the row before.
        let window = std::cell::Cell::new((0, 0));
        let starts = times.unary::<_, TimestampMicrosecondType>(|time| {
            let (start, end) = window.get();
            if time >= start && time < end {
                return start;
            }
            let start = self.spec.last_start(time);
            window.set((start, start.saturating_add(self.spec.slide_us)));
            start
        });
        Ok(ColumnarValue::Array(Arc::new(
            starts.with_data_type(args.return_field.data_type().clone()),
        )))
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct MakeWindow {
    size_us: i64,
    signature: Signature,
}

impl ScalarUDFImpl for MakeWindow {
    fn name(&self) -> &'static str {
        "make_window"
    }

    fn schema_name(&self, args: &[datafusion::logical_expr::Expr]) -> Result<String> {
        Ok(format!(
            "make_window({}, {})",
            args[0].schema_name(),
            self.size_us
        ))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(window_type(&types[0]))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let start = &args.arg_fields[0];
        let field = Field::new(WINDOW, window_type(start.data_type()), start.is_nullable());
        Ok(Arc::new(field.with_metadata(mark_of(start))))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let starts = args.args[0].to_array(args.number_rows)?;
        let typed = starts.as_primitive::<TimestampMicrosecondType>();
        let ends = typed.unary::<_, TimestampMicrosecondType>(|start| start.saturating_add(self.size_us));
        let ends = Arc::new(ends.with_data_type(starts.data_type().clone())) as ArrayRef;
        let DataType::Struct(fields) = args.return_field.data_type() else {
            return exec_err!("a window is a struct");
        };
        let nulls = starts.nulls().cloned();
        Ok(ColumnarValue::Array(Arc::new(StructArray::try_new(
            fields.clone(),
            vec![starts, ends],
            nulls,
        )?)))
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct WindowTime {
    signature: Signature,
}

impl ScalarUDFImpl for WindowTime {
    fn name(&self) -> &'static str {
        "window_time"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match &types[0] {
            DataType::Struct(fields)
                if fields.len() == 2 && fields[1].name() == "end" && fields[1].data_type().is_temporal() =>
            {
                Ok(fields[1].data_type().clone())
            }
            other => plan_err!("window_time takes a window, not {other}"),
        }
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let window = &args.arg_fields[0];
        let field = Field::new(
            self.name(),
            self.return_type(&[window.data_type().clone()])?,
            window.is_nullable(),
        );
        Ok(Arc::new(field.with_metadata(mark_of(window))))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let windows = args.args[0].to_array(args.number_rows)?;
        let windows = windows.as_struct();
        let ends =
            arrow::compute::kernels::nullif::nullif(windows.column(1), &arrow::compute::is_null(windows)?)?;
        let last = ends.as_primitive::<TimestampMicrosecondType>();
        let last = last.unary::<_, TimestampMicrosecondType>(|end| end.wrapping_sub(1));
        Ok(ColumnarValue::Array(Arc::new(
            last.with_data_type(args.return_field.data_type().clone()),
        )))
    }
}

/// The window that the arguments of a `window` call ask for.
///
/// # Errors
///
/// A planning error that says which argument is wrong and what is allowed.
pub fn window_spec(args: &[datafusion::logical_expr::Expr]) -> Result<WindowSpec> {
    let duration = |index: usize| match args.get(index) {
        None => Ok(None),
        Some(arg) => literal_duration_us(arg, ["time", "size", "slide", "start offset"][index]).map(Some),
    };
    let Some(size_us) = duration(1)? else {
        return refuse("window takes a time and a size");
    };
    let slide_us = duration(2)?.unwrap_or(size_us);
    let offset_us = duration(3)?.unwrap_or(0);
    if size_us <= 0 {
        return refuse("the size of a window must be positive");
    }
    if slide_us <= 0 {
        return refuse("the slide of a window must be positive");
    }
    if slide_us > size_us {
        return refuse("the slide of a window must not be longer than its size");
    }
    if offset_us.abs() >= slide_us {
        return refuse("the start offset of a window must be shorter than its slide");
    }
    Ok(WindowSpec {
        size_us,
        slide_us,
        offset_us,
    })
}

fn literal_duration_us(arg: &datafusion::logical_expr::Expr, what: &str) -> Result<i64> {
    use datafusion::logical_expr::Expr;
    let value = match arg {
        Expr::Literal(value, _) => value,
        Expr::Cast(cast) => return literal_duration_us(&cast.expr, what),
        Expr::Alias(alias) => return literal_duration_us(&alias.expr, what),
        _ => {
            return refuse(format!(
                "the {what} of a window must be a literal such as '10 minutes'"
            ));
        }
    };
    match value {
        ScalarValue::Utf8(Some(text))
        | ScalarValue::LargeUtf8(Some(text))
        | ScalarValue::Utf8View(Some(text)) => match crate::interval::parse_duration_us(text) {
            Ok(us) => Ok(us),
            Err(reason) => refuse(format!("the {what} of a window: {}", reason.message)),
        },
        ScalarValue::IntervalMonthDayNano(Some(interval)) if interval.months == 0 => {
            Ok(i64::from(interval.days) * 86_400_000_000 + interval.nanoseconds / 1000)
        }
        ScalarValue::IntervalDayTime(Some(interval)) => {
            Ok(i64::from(interval.days) * 86_400_000_000 + i64::from(interval.milliseconds) * 1000)
        }
        ScalarValue::IntervalMonthDayNano(_) | ScalarValue::IntervalYearMonth(_) => refuse(format!(
            "the {what} of a window cannot be in months or years, whose lengths differ"
        )),
        _ => refuse(format!(
            "the {what} of a window must be a literal such as '10 minutes'"
        )),
    }
}

/// The error for arguments that are no window.
fn refuse<T>(message: impl Into<String>) -> Result<T> {
    let hint = "Write window(time, size [, slide [, start]]) with lengths such as '10 minutes', '1 hour' or '1 day'.";
    Err(Error::statement(message).hint(hint).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_starts_at_or_before_its_times_also_before_1970() {
        let spec = WindowSpec {
            size_us: 10,
            slide_us: 10,
            offset_us: 3,
        };
        for (time, start) in [(3, 3), (12, 3), (13, 13), (2, -7), (-7, -7), (-8, -17)] {
            assert_eq!(spec.last_start(time), start, "{time}");
        }
    }
}
