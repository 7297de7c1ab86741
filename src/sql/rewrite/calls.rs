//! Calls that are something else in DataFusion's terms: casts by a type's name, units of time that are no columns,
//! conditions that are CASE.

use datafusion::sql::sqlparser::ast::helpers::attached_token::AttachedToken;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CaseWhen, CastKind, DataType, DuplicateTreatment, Expr, Function, FunctionArg,
    FunctionArgExpr, FunctionArgumentClause, FunctionArguments, Ident, NullTreatment, ObjectName,
    ObjectNamePart, Spanned, Value, ValueWithSpan,
};
use datafusion::sql::sqlparser::tokenizer::Span;

use super::expression::{call, field_name};
use super::naming::lower_name;

/// Functions under another name.
const OTHER_NAMES: [(&str, &str); 21] = [
    ("any", "bool_or"),
    ("any_value", "first_value"),
    ("char_length", "length"),
    ("character_length", "length"),
    ("curdate", "current_date"),
    ("every", "bool_and"),
    ("first", "first_value"),
    ("last", "last_value"),
    ("len", "length"),
    ("listagg", "string_agg"),
    ("some", "bool_or"),
    ("try_avg", "avg"),
    ("std", "stddev_samp"),
    ("stddev", "stddev_samp"),
    ("variance", "var_samp"),
    ("lcase", "lower"),
    ("ucase", "upper"),
    ("startswith", "starts_with"),
    ("endswith", "ends_with"),
    ("array_agg", "collect_list"),
    ("approx_percentile", "percentile_approx"),
];

/// What becomes something else here, beside [`OTHER_NAMES`] and [`TYPES`].
const FORMS: [&str; 17] = [
    "current_catalog",
    "current_database",
    "current_schema",
    "count_if",
    "approx_count_distinct",
    "grouping_id",
    "date_part",
    "datepart",
    "decode",
    "equal_null",
    "isnotnull",
    "isnull",
    "map",
    "nullif",
    "nullifzero",
    "zeroifnull",
    "stack",
];

/// Names that only the rewriting uses.
const INTERNAL: [&str; 8] = [
    "ceil_to",
    "empty_map",
    "fields_of",
    "floor_to",
    "generated",
    "second_with_fraction",
    "subscript",
    "cast",
];

/// The functions that are there under these names only before the rewriting, with their kind.
pub(crate) fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
    let aggregates = ["count_if", "approx_count_distinct", "grouping_id"];
    let renamed = OTHER_NAMES.iter().map(|(name, _)| *name);
    let kind = move |name: &'static str| {
        let stands_for = other_name(name).unwrap_or(name);
        let is_scalar = matches!(
            stands_for,
            "length" | "lower" | "upper" | "starts_with" | "ends_with" | "current_date"
        );
        let is_aggregate = aggregates.contains(&name) || (stands_for != name && !is_scalar);
        (name, if is_aggregate { "aggregate" } else { "scalar" })
    };
    renamed.chain(FORMS).chain(TYPES).map(kind)
}

/// Whether nobody but the rewriting calls a function by this name.
pub(crate) fn is_internal(name: &str) -> bool {
    name.starts_with("__") || INTERNAL.contains(&name)
}

/// The function that a name stands for.
pub(crate) fn other_name(name: &str) -> Option<&'static str> {
    let mut names = OTHER_NAMES.iter();
    names.find(|(known, _)| *known == name).map(|(_, other)| *other)
}

/// The types that can be called to cast to them.
const TYPES: [&str; 15] = [
    "bigint",
    "binary",
    "boolean",
    "byte",
    "date",
    "decimal",
    "double",
    "float",
    "int",
    "long",
    "short",
    "smallint",
    "string",
    "timestamp",
    "tinyint",
];

/// Gives a call the form that DataFusion's planner takes.
pub(super) fn rewrite_call(expr: &mut Expr) {
    let span = expr.span();
    match expr {
        Expr::Extract {
            field, expr: value, ..
        } => {
            let name = field_function(&field.to_string());
            if let Some(name) = name {
                let nothing = Expr::Value(Value::Null.into());
                *expr = call(name, vec![std::mem::replace(value, nothing)], span);
            }
        }
        Expr::Function(function) if function.over.is_none() => {
            if let Some(other) = as_other(function, span) {
                *expr = other;
            }
        }
        Expr::Function(function) => {
            rename(function);
            // Places of rows are INT in Spark.
            if matches!(
                lower_name(function).as_str(),
                "row_number" | "rank" | "dense_rank" | "ntile"
            ) {
                *expr = cast_to("int", Expr::Function(function.clone()));
            }
        }
        _ => {}
    }
}

fn as_other(function: &mut Function, span: Span) -> Option<Expr> {
    let name = lower_name(function);
    ignore_nulls(function, &name);
    rename(function);
    let FunctionArguments::List(list) = &mut function.args else {
        return None;
    };
    if name == "count"
        && list.duplicate_treatment == Some(DuplicateTreatment::Distinct)
        && list.args.len() > 1
    {
        let args = std::mem::take(&mut list.args);
        list.args = vec![argument(whole_rows(
            args.into_iter().filter_map(value_of).collect(),
            span,
        ))];
        return None;
    }
    let mut args = Vec::with_capacity(list.args.len());
    for arg in &list.args {
        args.push(value_of(arg.clone())?);
    }
    let boxed = |at: usize| Box::new(args[at].clone());
    match (name.as_str(), args.len()) {
        (name, 1) if TYPES.contains(&name) => Some(cast_to(name, args[0].clone())),
        ("isnull", 1) => Some(Expr::IsNull(boxed(0))),
        ("isnotnull", 1) => Some(Expr::IsNotNull(boxed(0))),
        ("equal_null", 2) => Some(Expr::IsNotDistinctFrom(boxed(0), boxed(1))),
        ("nullif" | "nullifzero", 1 | 2) => {
            // The type is the first one's, whatever it is compared with.
            let other = args.get(1).cloned().unwrap_or_else(|| number("0", span));
            let condition = Expr::BinaryOp {
                left: boxed(0),
                op: BinaryOperator::Eq,
                right: Box::new(other),
            };
            let nothing = Expr::Value(Value::Null.into());
            let when = CaseWhen {
                condition,
                result: nothing,
            };
            Some(case(vec![when], Some(boxed(0))))
        }
        ("zeroifnull", 1) => Some(call("coalesce", vec![args[0].clone(), number("0", span)], span)),
        ("count_if", 1) => {
            let when = CaseWhen {
                condition: args[0].clone(),
                result: number("1", span),
            };
            list.args = vec![argument(case(vec![when], None))];
            set_name(function, "count");
            None
        }
        ("ceil" | "ceiling" | "floor", 2) => {
            let name = if name == "floor" { "floor_to" } else { "ceil_to" };
            Some(call(name, args, span))
        }
        ("approx_count_distinct", 1 | 2) => {
            list.args.truncate(1);
            set_name(function, "approx_distinct");
            Some(cast_to("bigint", Expr::Function(function.clone())))
        }
        ("regr_count", 2) => Some(cast_to("bigint", Expr::Function(function.clone()))),
        // What is trimmed away comes first, which is the other way round than elsewhere.
        ("ltrim" | "rtrim", 2) => {
            list.args.reverse();
            None
        }
        ("current_database" | "current_schema", 0) => Some(text("default", span)),
        ("current_catalog", 0) => Some(text("spark_catalog", span)),
        ("grouping", 1) => Some(cast_to("tinyint", Expr::Function(function.clone()))),
        ("map", 0) => Some(call("empty_map", args, span)),
        ("arrays_zip", _) => {
            let named = args.into_iter().enumerate().flat_map(|(at, value)| {
                let name = field_name(&value).unwrap_or_else(|| at.to_string());
                let name = Value::SingleQuotedString(name);
                [Expr::Value(ValueWithSpan { value: name, span }), value]
            });
            list.args = named.map(argument).collect();
            None
        }
        ("decode", 3..) => {
            let mut rest = args[1..].chunks_exact(2);
            let conditions = rest.by_ref().map(|pair| CaseWhen {
                condition: Expr::IsNotDistinctFrom(boxed(0), Box::new(pair[0].clone())),
                result: pair[1].clone(),
            });
            let conditions = conditions.collect();
            Some(case(conditions, rest.remainder().first().cloned().map(Box::new)))
        }
        ("date_part" | "datepart", 2) => {
            let Expr::Value(field) = &args[0] else { return None };
            let name = field_function(&field.value.clone().into_string()?)?;
            Some(call(name, vec![args[1].clone()], span))
        }
        ("dateadd" | "date_add" | "timestampadd", 3) => Some(timed("timestampadd", args, span)),
        ("datediff" | "date_diff" | "timestampdiff", 3) => Some(timed("timestampdiff", args, span)),
        _ => None,
    }
}

fn rename(function: &mut Function) {
    let name = lower_name(function);
    if let Some(other) = other_name(&name) {
        set_name(function, other);
    }
    // `string_agg(v, ',') WITHIN GROUP (ORDER BY v)` has its order in the parentheses.
    if matches!(name.as_str(), "listagg" | "string_agg")
        && let FunctionArguments::List(list) = &mut function.args
    {
        if list.args.len() == 1 {
            let nothing = Value::SingleQuotedString(String::new());
            list.args.push(argument(Expr::Value(nothing.into())));
        }
        let order = std::mem::take(&mut function.within_group);
        if !order.is_empty() {
            list.clauses.push(FunctionArgumentClause::OrderBy(order));
        }
    }
}

/// `first(v, true)` is `first(v) IGNORE NULLS`; lists of values never hold nulls.
fn ignore_nulls(function: &mut Function, name: &str) {
    let FunctionArguments::List(list) = &mut function.args else {
        return;
    };
    if matches!(
        name,
        "first" | "last" | "any_value" | "first_value" | "last_value"
    ) && list.args.len() == 2
    {
        let is_true = matches!(
            &list.args[1],
            FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(ValueWithSpan {
                value: Value::Boolean(true),
                ..
            })))
        );
        list.args.truncate(1);
        if is_true {
            function.null_treatment = Some(NullTreatment::IgnoreNulls);
        }
    }
}

fn set_name(function: &mut Function, name: &str) {
    if let [ObjectNamePart::Identifier(ident)] = &mut function.name.0[..] {
        name.clone_into(&mut ident.value);
    }
}

/// The unit of time comes as a name.
fn timed(name: &str, mut args: Vec<Expr>, span: Span) -> Expr {
    if let Expr::Identifier(unit) = &args[0] {
        args[0] = Expr::Value(ValueWithSpan {
            value: Value::SingleQuotedString(unit.value.clone()),
            span: unit.span,
        });
    }
    call(name, args, span)
}

fn cast_to(data_type: &str, value: Expr) -> Expr {
    let name = ObjectName(vec![ObjectNamePart::Identifier(Ident::new(data_type))]);
    Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(value),
        data_type: DataType::Custom(name, Vec::new()),
        array: false,
        format: None,
    }
}

/// A struct of the values, null if one of them is: `count(DISTINCT a, b)` counts those.
fn whole_rows(values: Vec<Expr>, span: Span) -> Expr {
    let is_there = values
        .iter()
        .cloned()
        .map(|value| Expr::IsNotNull(Box::new(value)));
    let condition = is_there.reduce(|left, right| Expr::BinaryOp {
        left: Box::new(left),
        op: BinaryOperator::And,
        right: Box::new(right),
    });
    let fields = values.into_iter().enumerate().flat_map(|(at, value)| {
        let name = Value::SingleQuotedString(format!("c{at}"));
        [Expr::Value(name.into()), value]
    });
    let row = call("named_struct", fields.collect(), span);
    match condition {
        Some(condition) => case(
            vec![CaseWhen {
                condition,
                result: row,
            }],
            None,
        ),
        None => row,
    }
}

fn case(conditions: Vec<CaseWhen>, otherwise: Option<Box<Expr>>) -> Expr {
    Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions,
        else_result: otherwise,
    }
}

fn number(text: &str, span: Span) -> Expr {
    super::literal::number(text, super::literal::NUMBER, span)
}

fn text(text: &str, span: Span) -> Expr {
    let value = Value::SingleQuotedString(text.to_owned());
    Expr::Value(ValueWithSpan { value, span })
}

fn argument(expr: Expr) -> FunctionArg {
    FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))
}

fn value_of(arg: FunctionArg) -> Option<Expr> {
    match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    }
}

/// The function that takes a field out of a time.
fn field_function(field: &str) -> Option<&'static str> {
    Some(match field.to_ascii_lowercase().as_str() {
        "year" | "y" | "years" | "yr" | "yrs" => "year",
        "yearofweek" => "yearofweek",
        "quarter" | "qtr" => "quarter",
        "month" | "mon" | "mons" | "months" => "month",
        "week" | "w" | "weeks" => "weekofyear",
        "day" | "d" | "days" => "day",
        "dayofweek" | "dow" => "dayofweek",
        "dayofweek_iso" | "dow_iso" => "dayofweek_iso",
        "doy" => "dayofyear",
        "hour" | "h" | "hours" | "hr" | "hrs" => "hour",
        "minute" | "m" | "min" | "mins" | "minutes" => "minute",
        "second" | "s" | "sec" | "seconds" | "secs" => "second_with_fraction",
        _ => return None,
    })
}
