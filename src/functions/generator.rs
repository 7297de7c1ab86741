//! `explode` and its kin: one row becomes several.
//!
//! None of them is computed as it stands: the rule in [`crate::plan::generator`] turns the projection that calls one
//! into an unnesting of [`Generator::items`], an array with an element for each row that is to be made.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int32Array, ListArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Int32Type};
use datafusion::common::{DFSchema, Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility,
};

use crate::functions::support::Kind::{Any, Int};
use crate::functions::support::{Call, Function, Planned, params};
use crate::sql::rewrite::generators::GENERATED;
use crate::types::spark_type_name;

/// A function that makes rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Generator {
    kind: Kind,
    /// Whether a row from which nothing can be made stays, with nulls.
    pub is_outer: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Explode,
    Posexplode,
    Inline,
}

impl Generator {
    /// The generator that an expression calls, and what it is called with.
    pub fn of(expr: &Expr) -> Option<(Self, &[Expr])> {
        let Expr::ScalarFunction(ScalarFunction { func, args }) = expr else {
            return None;
        };
        let call = func.inner().downcast_ref::<GeneratorCall>()?;
        Some((call.generator, args))
    }

    fn name(self) -> &'static str {
        match (self.kind, self.is_outer) {
            (Kind::Explode, false) => "explode",
            (Kind::Explode, true) => "explode_outer",
            (Kind::Posexplode, false) => "posexplode",
            (Kind::Posexplode, true) => "posexplode_outer",
            (Kind::Inline, false) => "inline",
            (Kind::Inline, true) => "inline_outer",
        }
    }

    /// The columns of a call that has no name.
    ///
    /// # Errors
    ///
    /// A plan error if the argument is not of a type that the generator takes.
    pub fn columns(self, call: &Expr, args: &[Expr], schema: &DFSchema) -> Result<Vec<Expr>> {
        let fields = match (self.kind, args) {
            (Kind::Explode, [arg]) if !matches!(arg.get_type(schema)?, DataType::Map(..)) => None,
            _ => match call.get_type(schema)? {
                DataType::Struct(fields) => Some(fields),
                _ => None,
            },
        };
        let Some(fields) = fields else {
            return Ok(vec![call.clone().alias("col")]);
        };
        let columns = (0..).zip(&fields).map(|(at, field)| {
            let at = Expr::Literal(ScalarValue::Int32(Some(at)), None);
            generated().call(vec![call.clone(), at]).alias(field.name())
        });
        Ok(columns.collect())
    }

    /// The array whose elements are the rows' values.
    pub fn items(self, args: &[Expr]) -> Expr {
        let name = match self.kind {
            Kind::Posexplode => "positioned_items",
            Kind::Explode | Kind::Inline => "items",
        };
        let work = match self.kind {
            Kind::Posexplode => positioned_items,
            Kind::Explode | Kind::Inline => items,
        };
        let returns = match self.kind {
            Kind::Posexplode => |planned: &Planned| positioned_type(&planned.types[0]).map(list_of),
            Kind::Explode | Kind::Inline => |planned: &Planned| item_type(&planned.types[0]).map(list_of),
        };
        Function::new(name, params(&[Any]), returns, work)
            .udf()
            .call(args.to_vec())
    }
}

/// The functions of this file.
pub(crate) fn functions() -> Vec<Arc<ScalarUDF>> {
    let kinds = [Kind::Explode, Kind::Posexplode, Kind::Inline];
    let generators = kinds
        .into_iter()
        .flat_map(|kind| [false, true].map(|is_outer| Generator { kind, is_outer }));
    let mut functions: Vec<Arc<ScalarUDF>> = generators
        .map(|generator| {
            Arc::new(ScalarUDF::from(GeneratorCall {
                generator,
                signature: Signature::any(1, Volatility::Volatile),
            }))
        })
        .collect();
    functions.push(generated());
    functions
}

/// `generated(struct, n)`: one column of what a generator makes.
fn generated() -> Arc<ScalarUDF> {
    let field_type = |planned: &Planned| {
        let at = match planned.literals.get(1) {
            Some(Some(ScalarValue::Int32(Some(at)))) => usize::try_from(*at).unwrap_or(0),
            _ => 0,
        };
        match &planned.types[0] {
            DataType::Struct(fields) if at < fields.len() => Ok(fields[at].data_type().clone()),
            DataType::Struct(fields) => plan_err!("{} columns are made, and more are named", fields.len()),
            other => plan_err!(
                "one column is made, of {}, and several are named",
                spark_type_name(other)
            ),
        }
    };
    Function::new(GENERATED, params(&[Any, Int]), field_type, |call| {
        let rows = call.args[0].as_struct();
        let at = call.primitive::<Int32Type>(1);
        let at = if at.is_empty() {
            0
        } else {
            usize::try_from(at.value(0)).unwrap_or(0)
        };
        let column = Arc::clone(rows.column(at));
        let Some(valid) = rows.nulls() else {
            return Ok(column);
        };
        let missing = BooleanArray::new(!valid.inner(), None);
        Ok(arrow::compute::nullif(&column, &missing)?)
    })
    .udf()
}

fn list_of(item: FieldRef) -> DataType {
    DataType::List(item)
}

/// The elements of an array, or a map's entries.
fn item_type(given: &DataType) -> Result<FieldRef> {
    match given {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            Ok(Arc::new(Field::new("item", item.data_type().clone(), true)))
        }
        DataType::Map(entries, _) => Ok(Arc::new(Field::new("item", entries.data_type().clone(), true))),
        other => plan_err!("explode takes an array or a map, not {}", spark_type_name(other)),
    }
}

/// As [`item_type`], with the position before.
fn positioned_type(given: &DataType) -> Result<FieldRef> {
    let item = item_type(given)?;
    let mut fields = vec![Arc::new(Field::new("pos", DataType::Int32, false))];
    match (given, item.data_type()) {
        (DataType::Map(..), DataType::Struct(entry)) => fields.extend(entry.iter().cloned()),
        (_, item) => fields.push(Arc::new(Field::new("col", item.clone(), true))),
    }
    Ok(Arc::new(Field::new(
        "item",
        DataType::Struct(Fields::from(fields)),
        true,
    )))
}

/// The elements as an array, whatever they come in.
fn as_list(values: &ArrayRef) -> Result<ListArray> {
    let DataType::List(item) = item_type(values.data_type()).map(list_of)? else {
        return exec_err!("items are in an array");
    };
    Ok(match values.data_type() {
        DataType::Map(..) => {
            let map = values.as_map();
            let entries = Arc::new(map.entries().clone()) as ArrayRef;
            ListArray::try_new(item, map.offsets().clone(), entries, map.nulls().cloned())?
        }
        DataType::List(_) => {
            let list = values.as_list::<i32>();
            ListArray::try_new(
                item,
                list.offsets().clone(),
                Arc::clone(list.values()),
                list.nulls().cloned(),
            )?
        }
        _ => {
            let list = arrow::compute::cast(values, &DataType::List(item))?;
            list.as_list::<i32>().clone()
        }
    })
}

fn items(call: &Call) -> Result<ArrayRef> {
    Ok(Arc::new(as_list(&call.args[0])?))
}

fn positioned_items(call: &Call) -> Result<ArrayRef> {
    let list = as_list(&call.args[0])?;
    let DataType::List(item) = call.returns else {
        return exec_err!("items are in an array");
    };
    let DataType::Struct(fields) = item.data_type() else {
        return exec_err!("an item has a position");
    };
    // Positions count from the beginning of each row's own elements.
    let offsets: &OffsetBuffer<i32> = list.offsets();
    let begin = offsets.first().copied().unwrap_or(0);
    let end = offsets.last().copied().unwrap_or(0);
    let mut positions = Vec::with_capacity(list.values().len());
    for row in offsets.windows(2) {
        positions.extend(0..row[1] - row[0]);
    }
    let length = usize::try_from(end - begin).unwrap_or(0);
    let values = list.values().slice(usize::try_from(begin).unwrap_or(0), length);
    let mut columns = vec![Arc::new(Int32Array::from(positions)) as ArrayRef];
    if fields.len() == 3 {
        columns.extend(values.as_struct().columns().iter().cloned());
    } else {
        columns.push(values);
    }
    let entries = StructArray::try_new(fields.clone(), columns, None)?;
    let offsets = OffsetBuffer::from_lengths(list.offsets().lengths());
    Ok(Arc::new(ListArray::try_new(
        Arc::clone(item),
        offsets,
        Arc::new(entries),
        list.nulls().cloned(),
    )?))
}

/// A generator in a plan that no rule has seen yet.
#[derive(Debug, PartialEq, Eq, Hash)]
struct GeneratorCall {
    generator: Generator,
    signature: Signature,
}

impl ScalarUDFImpl for GeneratorCall {
    fn name(&self) -> &str {
        self.generator.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(match self.generator.kind {
            Kind::Posexplode => positioned_type(&types[0])?.data_type().clone(),
            Kind::Explode => item_type(&types[0])?.data_type().clone(),
            Kind::Inline => match item_type(&types[0])?.data_type() {
                DataType::Struct(fields) => DataType::Struct(fields.clone()),
                _ => return plan_err!("inline takes an array of structs"),
            },
        })
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let returns = self.return_type(&[args.arg_fields[0].data_type().clone()])?;
        Ok(Arc::new(Field::new(self.name(), returns, true)))
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        exec_err!("{} can stand in the SELECT list only", self.name())
    }
}
