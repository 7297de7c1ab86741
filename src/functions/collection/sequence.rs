//! `sequence(start, stop [, step])`: numbers, dates and timestamps in a row.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, IntervalMonthDayNanoType, IntervalUnit, TimeUnit};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::ScalarUDF;

use super::lists::{common, item_of, list_of};
use crate::functions::datetime::add_interval;
use crate::functions::support::Kind::Any;
use crate::functions::support::{Call, Function, params};
use crate::types::ddl::list_type;
use crate::types::spark_type_name;

/// More elements than this are refused: Spark's own bound is the length of a Java array.
const MOST: usize = 10_000_000;

/// `sequence`.
pub(super) fn sequence() -> Arc<ScalarUDF> {
    Function::new(
        "sequence",
        params(&[Any, Any]).or(&[Any]),
        |planned| Ok(list_type(planned.types[0].clone())),
        make,
    )
    .coerce(coerce)
    .udf()
}

fn coerce(given: &[DataType]) -> Result<Vec<DataType>> {
    let (Some(start), Some(end)) = (given.first(), given.get(1)) else {
        return plan_err!("sequence takes a start and a stop, and a step if it is not 1");
    };
    let value = common("sequence", &[start.clone(), end.clone()])?;
    let step = match &value {
        value if value.is_integer() => value.clone(),
        DataType::Date32 | DataType::Timestamp(TimeUnit::Microsecond, _) => {
            DataType::Interval(IntervalUnit::MonthDayNano)
        }
        other => {
            return plan_err!(
                "sequence makes whole numbers, dates and timestamps, not {}",
                spark_type_name(other)
            );
        }
    };
    let mut types = vec![value.clone(), value];
    types.extend((given.len() > 2).then_some(step));
    Ok(types)
}

fn make(call: &Call) -> Result<ArrayRef> {
    let item = item_of(call.returns)?;
    let is_number = item.data_type().is_integer();
    // Dates count in microseconds here, as timestamps do.
    let as_counts = |column: &ArrayRef| -> Result<ArrayRef> {
        let moments = DataType::Timestamp(TimeUnit::Microsecond, None);
        Ok(match column.data_type() {
            DataType::Date32 => cast(&cast(column, &moments)?, &DataType::Int64)?,
            _ => cast(column, &DataType::Int64)?,
        })
    };
    let (starts, ends) = (as_counts(&call.args[0])?, as_counts(&call.args[1])?);
    let (starts, ends) = (
        starts.as_primitive::<Int64Type>(),
        ends.as_primitive::<Int64Type>(),
    );
    let steps = match (is_number, call.has(2)) {
        (true, true) => Some(cast(&call.args[2], &DataType::Int64)?),
        _ => None,
    };
    let rules = match item.data_type() {
        DataType::Timestamp(_, Some(_)) => call.time_zone().rules(),
        _ => crate::types::ZoneRules::Fixed(0),
    };
    let mut values = Vec::new();
    let (mut lengths, mut valid) = (Vec::new(), Vec::new());
    for row in 0..call.rows {
        let is_null = starts.is_null(row) || ends.is_null(row) || (call.has(2) && call.args[2].is_null(row));
        valid.push(!is_null);
        if is_null {
            lengths.push(0);
            continue;
        }
        let (start, end) = (starts.value(row), ends.value(row));
        let before = values.len();
        let direction = if end >= start { 1 } else { -1 };
        let nth = |n: usize| -> Option<i64> {
            let n = i64::try_from(n).ok()?;
            if is_number {
                let step = steps
                    .as_ref()
                    .map_or(direction, |steps| steps.as_primitive::<Int64Type>().value(row));
                return start.checked_add(step.checked_mul(n)?);
            }
            if !call.has(2) {
                return add_interval(start, 0, direction.checked_mul(n)?, 0, rules);
            }
            let step = call.args[2].as_primitive::<IntervalMonthDayNanoType>().value(row);
            let months = i64::from(step.months).checked_mul(n)?;
            let days = i64::from(step.days).checked_mul(n)?;
            add_interval(
                start,
                months,
                days,
                step.nanoseconds.checked_mul(n)? / 1_000,
                rules,
            )
        };
        let goes = nth(1).map_or(direction, |next| (next - start).signum());
        if goes == 0 || (goes != direction && start != end) {
            return exec_err!("sequence: the step does not lead from the start to the stop");
        }
        let mut n = 0;
        while let Some(value) = nth(n).filter(|value| if goes > 0 { *value <= end } else { *value >= end }) {
            values.push(value);
            n += 1;
            if n > MOST {
                return exec_err!("sequence: more than {MOST} elements");
            }
        }
        lengths.push(values.len() - before);
    }
    let values: ArrayRef = Arc::new(Int64Array::from(values));
    let values = match item.data_type() {
        DataType::Date32 => cast(
            &cast(&values, &DataType::Timestamp(TimeUnit::Microsecond, None))?,
            &DataType::Date32,
        )?,
        other => cast(&values, other)?,
    };
    list_of(values, lengths, valid, item)
}
