//! How DataFusion's planner reads Spark's literals, operators and types.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{DFSchema, Result, ScalarValue, plan_err};
use datafusion::logical_expr::planner::{
    ExprPlanner, PlannerResult, RawBinaryExpr, RawDictionaryExpr, RawFieldAccessExpr, TypePlanner,
};
use datafusion::logical_expr::{Expr, ExprSchemable, GetFieldAccess};
use datafusion::sql::sqlparser::ast;

use crate::functions::arithmetic;
use crate::functions::collection::access::{fields_of, subscript};
use crate::types::ddl::map_type;
use crate::types::parse_ddl_type;

/// Plans what Spark means otherwise than DataFusion.
#[derive(Debug, Default)]
pub struct SparkExprPlanner;

impl ExprPlanner for SparkExprPlanner {
    fn plan_binary_op(&self, expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        Ok(
            match arithmetic::operator(&expr.op, &expr.left, &expr.right, schema)? {
                Some(planned) => PlannerResult::Planned(planned),
                None => PlannerResult::Original(expr),
            },
        )
    }

    /// `a[i]` and `m[k]` fail where there is nothing, and fields of arrays of structs are arrays.
    fn plan_field_access(
        &self,
        mut access: RawFieldAccessExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawFieldAccessExpr>> {
        let Ok(data_type) = access.expr.get_type(schema) else {
            return Ok(PlannerResult::Original(access));
        };
        if let (DataType::Struct(fields), GetFieldAccess::NamedStructField { name }) =
            (&data_type, &mut access.field_access)
        {
            // Names go in any case.
            let written = name.try_as_str().flatten().unwrap_or_default();
            let exact = fields.iter().any(|field| field.name() == written);
            let known = fields
                .iter()
                .find(|field| field.name().eq_ignore_ascii_case(written));
            if let Some(known) = known.filter(|_| !exact) {
                *name = ScalarValue::from(known.name().as_str());
            }
            return Ok(PlannerResult::Original(access));
        }
        let key = match (&data_type, &access.field_access) {
            (DataType::List(_) | DataType::Map(..), GetFieldAccess::ListIndex { key }) => {
                key.as_ref().clone()
            }
            (DataType::Map(..) | DataType::List(_), GetFieldAccess::NamedStructField { name }) => {
                Expr::Literal(name.clone(), None)
            }
            _ => return Ok(PlannerResult::Original(access)),
        };
        let is_field = matches!(data_type, DataType::List(_))
            && matches!(access.field_access, GetFieldAccess::NamedStructField { .. });
        let function = if is_field {
            fields_of("fields_of")
        } else {
            subscript()
        };
        Ok(PlannerResult::Planned(function.call(vec![access.expr, key])))
    }

    /// A number, as [`crate::sql`] passes it on: its suffix and its digits.
    fn plan_dictionary_literal(
        &self,
        expr: RawDictionaryExpr,
        _: &DFSchema,
    ) -> Result<PlannerResult<RawDictionaryExpr>> {
        let (Some(Expr::Literal(suffix, _)), Some(Expr::Literal(digits, _))) =
            (expr.keys.first(), expr.values.first())
        else {
            return Ok(PlannerResult::Original(expr));
        };
        let text = |value: &ScalarValue| value.try_as_str().flatten().unwrap_or_default().to_owned();
        let number = number(&text(digits), &text(suffix))?;
        Ok(PlannerResult::Planned(Expr::Literal(number, None)))
    }
}

/// The value of a number with its suffix, in Spark's type for it.
fn number(text: &str, suffix: &str) -> Result<ScalarValue> {
    let value = match suffix {
        "L" => text.parse().ok().map(|value| ScalarValue::Int64(Some(value))),
        "S" => text.parse().ok().map(|value| ScalarValue::Int16(Some(value))),
        "Y" => text.parse().ok().map(|value| ScalarValue::Int8(Some(value))),
        "D" => text.parse().ok().map(|value| ScalarValue::Float64(Some(value))),
        "F" => text.parse().ok().map(|value| ScalarValue::Float32(Some(value))),
        "BD" => decimal(text),
        _ if text.contains(['e', 'E']) => text.parse().ok().map(|value| ScalarValue::Float64(Some(value))),
        _ => None
            .or_else(|| text.parse().ok().map(|value| ScalarValue::Int32(Some(value))))
            .or_else(|| text.parse().ok().map(|value| ScalarValue::Int64(Some(value))))
            .or_else(|| decimal(text)),
    };
    if let Some(value) = value {
        return Ok(value);
    }
    let data_type = match suffix {
        "L" => "BIGINT",
        "S" => "SMALLINT",
        "Y" => "TINYINT",
        _ => "a number, which has 38 digits at most",
    };
    plan_err!("{text} does not fit into {data_type}")
}

/// A decimal of just the digits that are there.
fn decimal(text: &str) -> Option<ScalarValue> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let unscaled: i128 = format!("{whole}{fraction}").parse().ok()?;
    let scale = i32::try_from(fraction.len()).ok()? - exponent;
    let (unscaled, scale) = if scale < 0 {
        let factor = 10_i128.checked_pow(scale.unsigned_abs())?;
        (unscaled.checked_mul(factor)?, 0)
    } else {
        (unscaled, scale)
    };
    let digits = i32::try_from(unscaled.unsigned_abs().to_string().len()).ok()?;
    let precision = u8::try_from(digits.max(scale))
        .ok()
        .filter(|digits| *digits <= 38)?;
    Some(ScalarValue::Decimal128(
        Some(unscaled),
        precision,
        i8::try_from(scale).ok()?,
    ))
}

/// Reads the types of casts and typed literals as Spark's.
#[derive(Debug, Default)]
pub struct SparkTypePlanner;

impl TypePlanner for SparkTypePlanner {
    fn plan_type_field(&self, sql_type: &ast::DataType) -> Result<Option<FieldRef>> {
        let data_type = spark_type(sql_type);
        Ok(data_type.map(|data_type: DataType| Arc::new(Field::new("", data_type, true))))
    }
}

/// The type that a type's text says; maps are shown in another way than they are written.
fn spark_type(sql_type: &ast::DataType) -> Option<DataType> {
    match sql_type {
        ast::DataType::Map(key, value) => Some(map_type(spark_type(key)?, spark_type(value)?)),
        other => parse_ddl_type(&other.to_string(), "UTC").ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_sparks_types() {
        for (text, suffix, expected) in [
            ("1", "NUMBER", ScalarValue::Int32(Some(1))),
            ("-2147483648", "NUMBER", ScalarValue::Int32(Some(i32::MIN))),
            ("2147483648", "NUMBER", ScalarValue::Int64(Some(2_147_483_648))),
            (
                "9223372036854775808",
                "NUMBER",
                ScalarValue::Decimal128(Some(9_223_372_036_854_775_808), 19, 0),
            ),
            ("1.50", "NUMBER", ScalarValue::Decimal128(Some(150), 3, 2)),
            (".5", "NUMBER", ScalarValue::Decimal128(Some(5), 1, 1)),
            ("0.001", "NUMBER", ScalarValue::Decimal128(Some(1), 3, 3)),
            ("1e3", "NUMBER", ScalarValue::Float64(Some(1000.0))),
            ("1", "L", ScalarValue::Int64(Some(1))),
            ("1e2", "BD", ScalarValue::Decimal128(Some(100), 3, 0)),
        ] {
            assert_eq!(
                number(text, suffix).expect("a number"),
                expected,
                "{text}{suffix}"
            );
        }
        assert!(number("128", "Y").is_err());
        assert!(number(&"9".repeat(39), "NUMBER").is_err());
    }
}
