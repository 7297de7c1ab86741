//! From operators of the syntax to functions, with the casts that Spark puts in.

use arrow::datatypes::{DataType, IntervalUnit};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::{Cast, Expr, ExprSchemable, Operator, binary_expr};
use datafusion::sql::sqlparser::ast::BinaryOperator;

use super::types::{decimal_parts, is_integral, operands};
use super::{Operation, function, is_operation};
use crate::functions::support::timestamp_type;

/// The expression of an operator that means more in Spark than in DataFusion, `None` for one that means the same.
///
/// # Errors
///
/// A plan error for operands that are no numbers.
pub(crate) fn operator(
    op: &BinaryOperator,
    left: &Expr,
    right: &Expr,
    schema: &DFSchema,
) -> Result<Option<Expr>> {
    // A name that cannot be resolved is reported by the planner, with its place.
    let (Ok(left_type), Ok(right_type)) = (type_of(left, schema), type_of(right, schema)) else {
        return Ok(None);
    };
    let operation = match op {
        BinaryOperator::Plus => Operation::Add,
        BinaryOperator::Minus => Operation::Subtract,
        BinaryOperator::Multiply => Operation::Multiply,
        BinaryOperator::Divide => Operation::Divide,
        BinaryOperator::Modulo => Operation::Modulo,
        BinaryOperator::Eq
        | BinaryOperator::NotEq
        | BinaryOperator::Lt
        | BinaryOperator::LtEq
        | BinaryOperator::Gt
        | BinaryOperator::GtEq => return Ok(comparison(op, left, right, &left_type, &right_type)),
        _ => return Ok(None),
    };
    if is_time(&left_type) || is_time(&right_type) {
        return Ok(temporal(operation, left, right, &left_type, &right_type));
    }
    let sides = sides(operation, [left, right], [&left_type, &right_type])?;
    let [left, right] = sides;
    let computes_in_double = type_of(&left, schema)?.is_floating();
    let plain = match operation {
        Operation::Add => Operator::Plus,
        Operation::Subtract => Operator::Minus,
        Operation::Multiply => Operator::Multiply,
        _ => return Ok(Some(function(operation, false).call(vec![left, right]))),
    };
    Ok(Some(if computes_in_double {
        binary_expr(left, plain, right)
    } else {
        function(operation, false).call(vec![left, right])
    }))
}

/// The type of an operand. An operator's result takes its type from its operands' types alone: DataFusion would also
/// make up a name for every part of it, and for a long chain that is a large part of planning it.
fn type_of(expr: &Expr, schema: &DFSchema) -> Result<DataType> {
    match expr {
        Expr::Cast(cast) => Ok(cast.field.data_type().clone()),
        Expr::ScalarFunction(call) if is_operation(&call.func) => {
            let types = call.args.iter().map(|arg| type_of(arg, schema));
            call.func.return_type(&types.collect::<Result<Vec<_>>>()?)
        }
        other => other.get_type(schema),
    }
}

/// Both sides cast to what Spark computes in; a literal beside a decimal becomes one of its own digits.
fn sides(operation: Operation, sides: [&Expr; 2], types: [&DataType; 2]) -> Result<[Expr; 2]> {
    let has_decimal = types.iter().any(|data_type| decimal_parts(data_type).is_some());
    let narrowed = [0, 1].map(|at| match sides[at] {
        Expr::Literal(value, metadata) if has_decimal && is_integral(types[at]) => {
            let value = match value {
                ScalarValue::Int32(Some(value)) => i128::from(*value),
                ScalarValue::Int64(Some(value)) => i128::from(*value),
                _ => return (sides[at].clone(), types[at].clone()),
            };
            let digits = u8::try_from(value.unsigned_abs().to_string().len()).unwrap_or(u8::MAX);
            let value = ScalarValue::Decimal128(Some(value), digits, 0);
            let data_type = value.data_type();
            (Expr::Literal(value, metadata.clone()), data_type)
        }
        other => (other.clone(), types[at].clone()),
    });
    let (left, right) = operands(operation, &narrowed[0].1, &narrowed[1].1)?;
    let [first, second] = narrowed;
    Ok([cast(first, &left), cast(second, &right)])
}

fn cast((expr, from): (Expr, DataType), to: &DataType) -> Expr {
    if from == *to {
        return expr;
    }
    Expr::Cast(Cast::new(Box::new(expr), to.clone()))
}

fn is_time(data_type: &DataType) -> bool {
    data_type.is_temporal()
}

/// What DataFusion lacks of times: days added to a date, and intervals shorter than a day.
fn temporal(
    operation: Operation,
    left: &Expr,
    right: &Expr,
    left_type: &DataType,
    right_type: &DataType,
) -> Option<Expr> {
    let plain = match operation {
        Operation::Add => Operator::Plus,
        Operation::Subtract => Operator::Minus,
        _ => return None,
    };
    match (left_type, right_type) {
        (DataType::Date32, days) if is_integral(days) => {
            let name = if operation == Operation::Add {
                datafusion_spark::function::datetime::date_add()
            } else {
                datafusion_spark::function::datetime::date_sub()
            };
            Some(name.call(vec![
                left.clone(),
                cast((right.clone(), days.clone()), &DataType::Int32),
            ]))
        }
        (days, DataType::Date32) if is_integral(days) && operation == Operation::Add => {
            let days = cast((left.clone(), days.clone()), &DataType::Int32);
            Some(datafusion_spark::function::datetime::date_add().call(vec![right.clone(), days]))
        }
        (DataType::Date32, DataType::Interval(IntervalUnit::MonthDayNano)) if has_time(right) => {
            let left = cast((left.clone(), left_type.clone()), &timestamp_type());
            Some(binary_expr(left, plain, right.clone()))
        }
        (DataType::Utf8, DataType::Interval(_)) => {
            let left = cast((left.clone(), left_type.clone()), &timestamp_type());
            Some(binary_expr(left, plain, right.clone()))
        }
        _ => None,
    }
}

/// Whether a literal interval has a part that is no whole day.
fn has_time(interval: &Expr) -> bool {
    match interval {
        Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(interval)), _) => interval.nanoseconds != 0,
        _ => false,
    }
}

/// A text compared with something else is read as that, in numbers as BIGINT or DOUBLE.
fn comparison(
    op: &BinaryOperator,
    left: &Expr,
    right: &Expr,
    left_type: &DataType,
    right_type: &DataType,
) -> Option<Expr> {
    let read_as = |other: &DataType| match other {
        other if is_integral(other) => Some(DataType::Int64),
        other if other.is_numeric() => Some(DataType::Float64),
        DataType::Boolean | DataType::Date32 | DataType::Timestamp(..) => Some(other.clone()),
        _ => None,
    };
    let plain = match op {
        BinaryOperator::Eq => Operator::Eq,
        BinaryOperator::NotEq => Operator::NotEq,
        BinaryOperator::Lt => Operator::Lt,
        BinaryOperator::LtEq => Operator::LtEq,
        BinaryOperator::Gt => Operator::Gt,
        BinaryOperator::GtEq => Operator::GtEq,
        _ => return None,
    };
    match (left_type, right_type) {
        (DataType::Utf8, other) => {
            let left = cast((left.clone(), DataType::Utf8), &read_as(other)?);
            Some(binary_expr(left, plain, right.clone()))
        }
        (other, DataType::Utf8) => {
            let right = cast((right.clone(), DataType::Utf8), &read_as(other)?);
            Some(binary_expr(left.clone(), plain, right))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_beside_a_decimal_has_its_own_digits() {
        let two = Expr::Literal(ScalarValue::Int32(Some(2)), None);
        let price = Expr::Literal(ScalarValue::Decimal128(Some(35), 2, 1), None);
        let types = [&DataType::Int32, &DataType::Decimal128(2, 1)];
        let [left, _] = sides(Operation::Multiply, [&two, &price], types).expect("numbers");
        assert_eq!(left, Expr::Literal(ScalarValue::Decimal128(Some(2), 1, 0), None));
    }

    #[test]
    fn the_functions_are_what_the_operators_call() {
        let schema = DFSchema::empty();
        let one = Expr::Literal(ScalarValue::Int32(Some(1)), None);
        let sum = operator(&BinaryOperator::Plus, &one, &one, &schema).expect("numbers");
        assert_eq!(
            sum,
            Some(function(Operation::Add, false).call(vec![one.clone(), one]))
        );
    }
}
