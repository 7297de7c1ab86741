//! `CAST` and `TRY_CAST` as Spark means them, where arrow means something else.
//!
//! The rule in [`crate::plan::casts`] puts [`cast_function`] in the place of DataFusion's own casts, those that it put in
//! by itself included. In ANSI mode what cannot be cast is an error; `TRY_CAST` gives null for it.
//!
//! # Layout
//!
//! - `text`: texts to values
//! - `time`: between times and numbers
//! - `nested`: arrays, maps and structs, member by member

mod nested;
mod text;
mod time;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, Float64Array, StringBuilder};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Float64Type, TimeUnit};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::format::{Dialect, column};
use crate::functions::support::session_zone;
use crate::json::decimal_from_text;
use crate::types::spark_type_name;
use crate::types::time_zone::TimeZone;

/// How a cast is done.
#[derive(Debug, Clone)]
pub(crate) struct Casting {
    /// Whether what cannot be cast is null.
    pub(crate) is_try: bool,
    /// The zone of texts without one, and of dates.
    pub(crate) zone: TimeZone,
}

impl Casting {
    /// What a value that cannot be cast becomes.
    ///
    /// # Errors
    ///
    /// An execution error that shows the value, unless this is a `TRY_CAST`.
    pub(crate) fn fail<T>(&self, value: impl std::fmt::Display, to: &DataType) -> Result<Option<T>> {
        if self.is_try {
            return Ok(None);
        }
        let to = spark_type_name(to).to_uppercase();
        exec_err!("'{value}' cannot be cast to {to}; try_cast gives null instead")
    }
}

/// The function that casts to a type.
pub(crate) fn cast_function(to: &DataType, is_try: bool) -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::from(Cast {
        to: to.clone(),
        is_try,
        signature: Signature::any(1, Volatility::Immutable),
    }))
}

/// Whether Spark's cast is another than arrow's.
pub(crate) fn differs(from: &DataType, to: &DataType) -> bool {
    use DataType as T;
    let is_text = |data_type: &T| matches!(data_type, T::Utf8 | T::LargeUtf8 | T::Utf8View);
    if from == to || *from == T::Null {
        return false;
    }
    match (from, to) {
        (from, to) if is_text(from) => {
            !is_text(to) && !matches!(to, T::Binary | T::LargeBinary | T::BinaryView)
        }
        (from, T::Utf8) => !from.is_integer() && *from != T::Boolean && !from.is_decimal(),
        (T::Timestamp(_, from), T::Timestamp(_, to)) => from.is_some() != to.is_some(),
        (T::Timestamp(..) | T::Date32, to) => to.is_numeric() || to.is_temporal() || *to == T::Boolean,
        (from, T::Timestamp(..)) => from.is_numeric() || *from == T::Boolean,
        (from, T::Decimal128(..)) => from.is_floating() || *from == T::Boolean,
        (T::Boolean, to) => to.is_decimal(),
        (from, T::Boolean) => from.is_decimal(),
        (T::List(from), T::List(to)) | (T::Map(from, _), T::Map(to, _)) => {
            differs(from.data_type(), to.data_type())
        }
        (T::Struct(from), T::Struct(to)) => {
            let mut pairs = from.iter().zip(to);
            from.len() != to.len()
                || pairs
                    .any(|(from, to)| from.name() != to.name() || differs(from.data_type(), to.data_type()))
        }
        _ => false,
    }
}

/// Whether Spark casts between the types at all; where not, what to write instead.
pub(crate) fn refusal(from: &DataType, to: &DataType) -> Option<&'static str> {
    match (from, to) {
        (DataType::Date32, to) if to.is_numeric() => Some("write unix_date(d) for the days since 1970-01-01"),
        (from, DataType::Date32) if from.is_numeric() => Some("write date_from_unix_date(n)"),
        (DataType::Boolean, DataType::Timestamp(..)) => Some("write a CASE"),
        (DataType::Timestamp(..), DataType::Boolean) => Some("compare it with another timestamp"),
        _ => None,
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Cast {
    to: DataType,
    is_try: bool,
    signature: Signature,
}

impl ScalarUDFImpl for Cast {
    fn name(&self) -> &'static str {
        if self.is_try { "try_cast" } else { "cast" }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.to.clone())
    }

    fn display_name(&self, args: &[datafusion::logical_expr::Expr]) -> Result<String> {
        self.schema_name(args)
    }

    fn schema_name(&self, args: &[datafusion::logical_expr::Expr]) -> Result<String> {
        let value = args.first().map(ToString::to_string).unwrap_or_default();
        Ok(format!(
            "{}({value} AS {})",
            self.name(),
            spark_type_name(&self.to)
        ))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let casting = Casting {
            is_try: self.is_try,
            zone: session_zone(&args.config_options),
        };
        match args.args.first() {
            Some(ColumnarValue::Array(values)) => {
                cast_column(values, &self.to, &casting).map(ColumnarValue::Array)
            }
            Some(ColumnarValue::Scalar(value)) => {
                let cast = cast_column(&value.to_array()?, &self.to, &casting)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&cast, 0)?))
            }
            None => exec_err!("a cast takes a value"),
        }
    }
}

/// Casts a column.
///
/// # Errors
///
/// An execution error for a value that cannot be cast, unless it shall be null.
pub(crate) fn cast_column(values: &ArrayRef, to: &DataType, casting: &Casting) -> Result<ArrayRef> {
    use DataType as T;
    if !differs(values.data_type(), to) {
        return plain(values, to, casting);
    }
    let through = |between: &T| {
        let between = cast_column(values, between, casting)?;
        cast_column(&between, to, casting)
    };
    match (values.data_type(), to) {
        (T::LargeUtf8 | T::Utf8View, _) => through(&T::Utf8),
        (T::Utf8, _) => text::from_text(values.as_string(), to, casting),
        (T::List(_) | T::Map(..) | T::Struct(_), to) if to.is_nested() => nested::cast(values, to, casting),
        (_, T::Utf8) => to_text(values, casting),
        (T::Float32, T::Decimal128(..)) | (T::Boolean, T::Timestamp(..)) => {
            // By its digits: 0.1 as FLOAT is 0.1, and not what lies nearest to it as DOUBLE.
            if *values.data_type() == T::Boolean {
                through(&T::Int64)
            } else {
                through(&T::Utf8)
            }
        }
        (T::Float64, T::Decimal128(precision, scale)) => {
            decimals(values.as_primitive::<Float64Type>(), *precision, *scale, casting)
        }
        (T::Boolean, T::Decimal128(..)) | (T::Decimal128(..), T::Boolean) => {
            through(if to.is_decimal() { &T::Int32 } else { &T::Float64 })
        }
        (T::Timestamp(..) | T::Date32, _) | (_, T::Timestamp(..)) => time::cast_times(values, to, casting),
        _ => plain(values, to, casting),
    }
}

/// Arrow's own cast.
fn plain(values: &ArrayRef, to: &DataType, casting: &Casting) -> Result<ArrayRef> {
    let options = CastOptions {
        safe: casting.is_try,
        ..CastOptions::default()
    };
    cast_with_options(values, to, &options).map_err(|error| {
        exec_datafusion_err!(
            "a value of {} cannot be cast to {} ({error}); try_cast gives null instead",
            spark_type_name(values.data_type()).to_uppercase(),
            spark_type_name(to).to_uppercase()
        )
    })
}

/// Any value as text.
fn to_text(values: &ArrayRef, casting: &Casting) -> Result<ArrayRef> {
    let values = time::in_zone(values, casting.zone.id())?;
    let encoder = column(values.as_ref(), Dialect::Cast)?;
    let mut texts = StringBuilder::new();
    let mut text = String::new();
    for row in 0..values.len() {
        if encoder.is_null(row) {
            texts.append_null();
        } else {
            text.clear();
            encoder.push(row, &mut text);
            texts.append_value(&text);
        }
    }
    Ok(Arc::new(texts.finish()))
}

/// Doubles as decimals, by the digits that they are shown with.
fn decimals(values: &Float64Array, precision: u8, scale: i8, casting: &Casting) -> Result<ArrayRef> {
    let to = DataType::Decimal128(precision, scale);
    let cast = values.iter().map(|value| {
        let Some(value) = value else { return Ok(None) };
        match decimal_from_text(format!("{value:e}").as_bytes(), precision, scale) {
            Some(value) => Ok(Some(value)),
            None => casting.fail(value, &to),
        }
    });
    let cast = cast.collect::<Result<Decimal128Array>>()?;
    Ok(Arc::new(cast.with_precision_and_scale(precision, scale)?))
}

/// TIMESTAMP as all of the session's are.
pub(crate) fn is_microseconds(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Timestamp(TimeUnit::Microsecond, _))
}
