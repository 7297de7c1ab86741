//! What the families share: a scalar function made of its parameters, its type and its work on columns.
//!
//! A [`Function`] takes Spark's implicit casts on itself ([`Kind`] says what a parameter takes), so that its work sees
//! columns of known types only. Constant arguments come as columns of one row, and if all are constant so is the result.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray, StringArray};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Field, FieldRef, TimeUnit};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::types::spark_type_name;
use crate::types::time_zone::TimeZone;

/// What a parameter takes, and what its arguments are cast to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Anything but a nested value, as text.
    Text,
    /// A number or a text, as INT.
    Int,
    /// A number or a text, as BIGINT.
    Long,
    /// A number or a text, as DOUBLE.
    Double,
    /// A number as it is, a text as DOUBLE.
    Number,
    /// A boolean or a text.
    Boolean,
    /// A date, a timestamp or a text, as DATE.
    Date,
    /// A date, a timestamp or a text, as TIMESTAMP.
    Timestamp,
    /// A time as a `TIMESTAMP_NTZ`.
    LocalTimestamp,
    /// A number or a text, as a decimal of this precision and scale.
    Decimal(u8, i8),
    /// Bytes, or a text as its bytes.
    Binary,
    /// An array as it is.
    Array,
    /// A map as it is.
    Map,
    /// Whatever it is.
    Any,
}

/// TIMESTAMP, in the zone that all of the session's timestamps are in.
pub(crate) fn timestamp_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

impl Kind {
    fn coerce(self, function: &str, position: usize, given: &DataType) -> Result<DataType> {
        use DataType as T;
        let is_text = matches!(given, T::Utf8 | T::LargeUtf8 | T::Utf8View | T::Null);
        let is_number = given.is_numeric();
        let is_time = matches!(given, T::Date32 | T::Date64 | T::Timestamp(..));
        let wanted = match self {
            Self::Text if !given.is_nested() => T::Utf8,
            Self::Int if is_text || is_number => T::Int32,
            Self::Long if is_text || is_number => T::Int64,
            Self::Double if is_text || is_number => T::Float64,
            Self::Number if is_text => T::Float64,
            Self::Number if is_number => given.clone(),
            Self::Boolean if is_text || *given == T::Boolean => T::Boolean,
            Self::Date if is_text || is_time => T::Date32,
            Self::Timestamp if is_text || is_time => timestamp_type(),
            Self::LocalTimestamp if is_text || is_time => T::Timestamp(TimeUnit::Microsecond, None),
            Self::Decimal(precision, scale) if is_text || is_number => T::Decimal128(precision, scale),
            Self::Binary if is_text || is_binary(given) => T::Binary,
            Self::Array if matches!(given, T::List(_) | T::Null) => given.clone(),
            Self::Array if matches!(given, T::LargeList(_) | T::FixedSizeList(..)) => match given {
                T::LargeList(item) | T::FixedSizeList(item, _) => T::List(Arc::clone(item)),
                _ => given.clone(),
            },
            Self::Map if matches!(given, T::Map(..) | T::Null) => given.clone(),
            Self::Any => plain(given),
            _ => {
                let wanted = match self {
                    Self::Text => "a text",
                    Self::Int | Self::Long => "a whole number",
                    Self::Double | Self::Number | Self::Decimal(..) => "a number",
                    Self::Boolean => "a boolean",
                    Self::Date => "a date",
                    Self::Timestamp | Self::LocalTimestamp => "a timestamp",
                    Self::Binary => "bytes",
                    Self::Array => "an array",
                    Self::Map => "a map",
                    Self::Any => "a value",
                };
                return plan_err!(
                    "argument {} of {function} must be {wanted}, not {}",
                    position + 1,
                    spark_type_name(given)
                );
            }
        };
        Ok(wanted)
    }
}

/// The type that a value has where the engine could hold it in several ways.
pub(crate) fn plain(given: &DataType) -> DataType {
    match given {
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView => DataType::Binary,
        other => other.clone(),
    }
}

fn is_binary(given: &DataType) -> bool {
    matches!(
        given,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_)
    )
}

/// The parameters of a function.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Params {
    required: &'static [Kind],
    optional: &'static [Kind],
    rest: Option<Kind>,
}

/// Parameters that must all be there.
pub(crate) const fn params(required: &'static [Kind]) -> Params {
    Params {
        required,
        optional: &[],
        rest: None,
    }
}

impl Params {
    /// And some that may be left away.
    pub(crate) const fn or(mut self, optional: &'static [Kind]) -> Self {
        self.optional = optional;
        self
    }

    /// And as many more as the caller likes.
    pub(crate) const fn and_more(mut self, rest: Kind) -> Self {
        self.rest = Some(rest);
        self
    }

    fn coerce(self, function: &str, given: &[DataType]) -> Result<Vec<DataType>> {
        let (least, most) = (self.required.len(), self.required.len() + self.optional.len());
        if given.len() < least || (given.len() > most && self.rest.is_none()) {
            let wanted = match (self.rest, most - least) {
                (Some(_), _) => format!("at least {least}"),
                (None, 0) => least.to_string(),
                (None, _) => format!("{least} to {most}"),
            };
            return plan_err!(
                "{function} takes {wanted} argument{}, not {}",
                if wanted == "1" { "" } else { "s" },
                given.len()
            );
        }
        let kinds = self.required.iter().chain(self.optional).copied();
        let kinds = kinds.chain(std::iter::repeat(self.rest.unwrap_or(Kind::Any)));
        let coerced = given.iter().zip(kinds).enumerate();
        coerced
            .map(|(position, (given, kind))| kind.coerce(function, position, given))
            .collect()
    }
}

/// What is known of the arguments when a call is planned.
#[derive(Debug)]
pub(crate) struct Planned<'a> {
    /// Their types, cast already.
    pub(crate) types: &'a [DataType],
    /// Their values where they are literals.
    pub(crate) literals: &'a [Option<&'a ScalarValue>],
}

impl Planned<'_> {
    /// A literal text, `None` where it is none or null.
    pub(crate) fn text(&self, index: usize) -> Option<&str> {
        self.literals
            .get(index)
            .copied()
            .flatten()
            .and_then(|value| value.try_as_str().flatten())
    }
}

/// The arguments of a call over some rows.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// One column each, all of the same length.
    pub(crate) args: &'a [ArrayRef],
    /// How many rows there are.
    pub(crate) rows: usize,
    /// The type of the result.
    pub(crate) returns: &'a DataType,
    config: &'a ConfigOptions,
}

impl Call<'_> {
    /// A column of text.
    pub(crate) fn text(&self, index: usize) -> &StringArray {
        self.args[index].as_string()
    }

    /// A column of numbers or times.
    pub(crate) fn primitive<T: ArrowPrimitiveType>(&self, index: usize) -> &PrimitiveArray<T> {
        self.args[index].as_primitive()
    }

    /// Whether an optional argument is there.
    pub(crate) fn has(&self, index: usize) -> bool {
        index < self.args.len()
    }

    /// The zone in which texts without one are read and written.
    pub(crate) fn time_zone(&self) -> TimeZone {
        session_zone(self.config)
    }
}

/// The session's time zone.
pub(crate) fn session_zone(config: &ConfigOptions) -> TimeZone {
    let zone = config.execution.time_zone.as_deref().unwrap_or("UTC");
    TimeZone::try_new(zone).unwrap_or_else(|_| TimeZone::utc())
}

/// Casts the arguments in a way that no [`Kind`] says.
pub(crate) type Coerce = fn(&[DataType]) -> Result<Vec<DataType>>;
pub(crate) type Returns = fn(&Planned) -> Result<DataType>;
type Work = fn(&Call) -> Result<ArrayRef>;

/// A scalar function.
pub(crate) struct Function {
    name: &'static str,
    aliases: Vec<String>,
    params: Params,
    coerce: Option<Coerce>,
    returns: Returns,
    work: Work,
    signature: Signature,
}

impl Function {
    /// A function that gives the same for the same arguments.
    pub(crate) fn new(name: &'static str, params: Params, returns: Returns, work: Work) -> Self {
        Self {
            name,
            aliases: Vec::new(),
            params,
            coerce: None,
            returns,
            work,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }

    /// Gives it other names.
    pub(crate) fn alias(mut self, names: &[&str]) -> Self {
        self.aliases.extend(names.iter().map(|name| (*name).to_owned()));
        self
    }

    /// Has it computed for the rows that reach it, and never beforehand.
    pub(crate) fn volatile(mut self) -> Self {
        self.signature = Signature::user_defined(Volatility::Volatile);
        self
    }

    /// Lets the arguments' types be decided together.
    pub(crate) fn coerce(mut self, coerce: Coerce) -> Self {
        self.coerce = Some(coerce);
        self
    }

    /// As DataFusion takes it.
    pub(crate) fn udf(self) -> Arc<ScalarUDF> {
        Arc::new(ScalarUDF::from(self))
    }
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Function")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        self.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let by_kind = self.params.coerce(self.name, given)?;
        match self.coerce {
            Some(coerce) => coerce(&by_kind),
            None => Ok(by_kind),
        }
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let literals = vec![None; types.len()];
        (self.returns)(&Planned {
            types,
            literals: &literals,
        })
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let types = args.arg_fields.iter().map(|field| field.data_type().clone());
        let types = types.collect::<Vec<_>>();
        let planned = Planned {
            types: &types,
            literals: args.scalar_arguments,
        };
        let returns = (self.returns)(&planned)?;
        Ok(Arc::new(Field::new(self.name, returns, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_constant = args
            .args
            .iter()
            .all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if is_constant { 1 } else { args.number_rows };
        let columns = args.args.iter().map(|arg| match arg {
            ColumnarValue::Array(array) => Ok(Arc::clone(array)),
            ColumnarValue::Scalar(value) => value.to_array_of_size(rows),
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let result = (self.work)(&Call {
            args: &columns,
            rows,
            returns: args.return_field.data_type(),
            config: &args.config_options,
        })?;
        if result.len() != rows {
            return exec_err!("{} gave {} rows for {rows}", self.name, result.len());
        }
        Ok(if is_constant {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?)
        } else {
            ColumnarValue::Array(result)
        })
    }
}

/// Always this type.
macro_rules! returns {
    ($data_type:expr) => {
        |_| Ok($data_type)
    };
}
pub(crate) use returns;

/// A text for each row, where the first argument is one: the other arguments are asked for by row.
pub(crate) fn map_text<R>(
    call: &Call,
    value: impl Fn(&str, usize) -> Result<Option<R>>,
) -> Result<Vec<Option<R>>> {
    let texts = call.text(0).iter().enumerate();
    texts
        .map(|(row, text)| text.map_or(Ok(None), |text| value(text, row)))
        .collect()
}

/// What the rows of one argument become, kept while the argument stays the same: patterns and schemas mostly do.
#[derive(Debug)]
pub(crate) struct Cached<T> {
    key: Option<String>,
    value: Option<T>,
}

impl<T> Default for Cached<T> {
    fn default() -> Self {
        Self {
            key: None,
            value: None,
        }
    }
}

impl<T> Cached<T> {
    /// The value made of `key`, from last time if `key` is the same.
    pub(crate) fn get(&mut self, key: &str, make: impl FnOnce(&str) -> Result<T>) -> Result<&mut T> {
        if self.key.as_deref() != Some(key) {
            self.value = None;
            self.key = None;
        }
        if self.value.is_none() {
            self.value = Some(make(key)?);
            self.key = Some(key.to_owned());
        }
        let Some(value) = &mut self.value else {
            return exec_err!("a value was made and is gone");
        };
        Ok(value)
    }
}
