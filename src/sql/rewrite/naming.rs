//! What Spark calls an output column that the query gives no name: `count(1)`, `(v + 1)`, `CAST(v AS INT)`.
//!
//! Follows Spark's `toPrettySQL`. Where an expression is beyond what is known here, its own text is its name.

use datafusion::sql::sqlparser::ast::{
    AccessExpr, BinaryOperator, CaseWhen, CastKind, CeilFloorKind, Expr, Function, FunctionArg,
    FunctionArgExpr, FunctionArguments, Subscript, UnaryOperator, Value,
};

use super::literal::digits;
use super::scope::Scope;

/// Functions whose output columns are named by what they take apart.
const GENERATORS: [&str; 10] = [
    "explode",
    "explode_outer",
    "posexplode",
    "posexplode_outer",
    "inline",
    "inline_outer",
    "stack",
    "json_tuple",
    "unnest",
    "variant_explode",
];

/// The name of an output column, from the expression as it was written; `None` leaves it to the planner.
pub(super) fn output_name(expr: &Expr, scope: &Scope<'_>) -> Option<String> {
    match expr {
        Expr::Identifier(ident) => Some(ident.value.clone()),
        Expr::CompoundIdentifier(path) => path.last().map(|ident| ident.value.clone()),
        Expr::Nested(inner) => output_name(inner, scope),
        // A cast of a column keeps the column's name.
        Expr::Cast { expr: inner, .. } if is_column(inner) => output_name(inner, scope),
        Expr::Function(function) if GENERATORS.contains(&lower_name(function).as_str()) => None,
        Expr::Function(function)
            if function.over.is_none()
                && matches!(lower_name(function).as_str(), "window" | "session_window") =>
        {
            Some(lower_name(function))
        }
        _ => Some(pretty(expr, scope)),
    }
}

/// The function's name as Spark shows it.
pub(super) fn lower_name(function: &Function) -> String {
    function.name.to_string().to_lowercase().replace('`', "")
}

fn is_column(expr: &Expr) -> bool {
    matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_))
}

fn pretty(expr: &Expr, scope: &Scope<'_>) -> String {
    let show = |expr: &Expr| pretty(expr, scope);
    match expr {
        Expr::Identifier(ident) => ident.value.clone(),
        Expr::CompoundIdentifier(path) => {
            let qualified = path.len() > 1 && scope.is_relation(&path[0].value);
            let parts = path
                .iter()
                .skip(usize::from(qualified))
                .map(|ident| ident.value.as_str());
            parts.collect::<Vec<_>>().join(".")
        }
        Expr::Nested(inner) => show(inner),
        Expr::Value(value) => literal(&value.value),
        Expr::Dictionary(_) => digits(expr).map_or_else(|| expr.to_string(), ToOwned::to_owned),
        Expr::Function(function) => call(function, scope).unwrap_or_else(|| expr.to_string()),
        Expr::BinaryOp { left, op, right } => {
            let op = match op {
                BinaryOperator::MyIntegerDivide => "div".to_owned(),
                BinaryOperator::StringConcat => return format!("concat({}, {})", show(left), show(right)),
                BinaryOperator::NotEq => return format!("(NOT ({} = {}))", show(left), show(right)),
                other => other.to_string(),
            };
            format!("({} {op} {})", show(left), show(right))
        }
        Expr::UnaryOp { op, expr } => match op {
            UnaryOperator::Not | UnaryOperator::BangNot => format!("(NOT {})", show(expr)),
            UnaryOperator::Minus => match &**expr {
                Expr::Value(_) => format!("-{}", show(expr)),
                _ => format!("(- {})", show(expr)),
            },
            op => format!("({op} {})", show(expr)),
        },
        Expr::Ceil { expr, field } => rounding("CEIL", expr, field, scope),
        Expr::Floor { expr, field } => rounding("FLOOR", expr, field, scope),
        Expr::Struct { values, .. } => {
            let values: Vec<String> = values.iter().map(show).collect();
            format!("struct({})", values.join(", "))
        }
        Expr::Named { expr, name } => format!("{} AS {}", show(expr), name.value),
        Expr::Wildcard(_) => star(None, scope),
        Expr::QualifiedWildcard(of, _) => star(Some(&of.to_string()), scope),
        Expr::Cast {
            expr,
            data_type,
            kind,
            ..
        } => {
            let word = if matches!(kind, CastKind::TryCast | CastKind::SafeCast) {
                "TRY_CAST"
            } else {
                "CAST"
            };
            let data_type = match data_type.to_string().to_uppercase() {
                name if name == "INTEGER" => "INT".to_owned(),
                name => name,
            };
            format!("{word}({} AS {data_type})", show(expr))
        }
        Expr::Case {
            operand,
            conditions,
            else_result,
            ..
        } => case(operand.as_deref(), conditions, else_result.as_deref(), scope),
        Expr::CompoundFieldAccess { root, access_chain } => field(root, access_chain, scope),
        other => predicate(other, scope).unwrap_or_else(|| other.to_string()),
    }
}

fn predicate(expr: &Expr, scope: &Scope<'_>) -> Option<String> {
    let show = |expr: &Expr| pretty(expr, scope);
    Some(match expr {
        Expr::IsNull(inner) => format!("({} IS NULL)", show(inner)),
        Expr::IsNotNull(inner) => format!("({} IS NOT NULL)", show(inner)),
        Expr::RLike {
            expr,
            negated,
            pattern,
            ..
        } => negatable(format!("RLIKE({}, {})", show(expr), show(pattern)), *negated),
        Expr::Like {
            expr,
            negated,
            pattern,
            any: false,
            escape_char: None,
        } => negatable(format!("{} LIKE {}", show(expr), show(pattern)), *negated),
        Expr::Between {
            expr,
            negated,
            low,
            high,
        } => {
            let text = format!("between({}, {}, {})", show(expr), show(low), show(high));
            negatable(text, *negated)
        }
        Expr::InList { expr, list, negated } => {
            let list: Vec<String> = list.iter().map(show).collect();
            let text = format!("({} IN ({}))", show(expr), list.join(", "));
            negatable(text, *negated)
        }
        _ => return None,
    })
}

fn case(
    operand: Option<&Expr>,
    conditions: &[CaseWhen],
    otherwise: Option<&Expr>,
    scope: &Scope<'_>,
) -> String {
    let show = |expr: &Expr| pretty(expr, scope);
    let mut words = vec!["CASE".to_owned()];
    for when in conditions {
        let condition = match operand {
            Some(operand) => format!("({} = {})", show(operand), show(&when.condition)),
            None => show(&when.condition),
        };
        words.push(format!("WHEN {condition} THEN {}", show(&when.result)));
    }
    words.extend(otherwise.map(|otherwise| format!("ELSE {}", show(otherwise))));
    words.push("END".to_owned());
    words.join(" ")
}

fn field(root: &Expr, access_chain: &[AccessExpr], scope: &Scope<'_>) -> String {
    let show = |expr: &Expr| pretty(expr, scope);
    let root = match root {
        Expr::Function(function) if matches!(lower_name(function).as_str(), "window" | "session_window") => {
            lower_name(function)
        }
        root => show(root),
    };
    let accesses = access_chain.iter().map(|access| match access {
        AccessExpr::Dot(Expr::Value(value)) => format!(".{}", literal(&value.value)),
        AccessExpr::Dot(field) => format!(".{}", show(field)),
        AccessExpr::Subscript(Subscript::Index { index }) => format!("[{}]", show(index)),
        AccessExpr::Subscript(slice @ Subscript::Slice { .. }) => format!("[{slice}]"),
    });
    root + &accesses.collect::<String>()
}

fn negatable(text: String, negated: bool) -> String {
    if negated { format!("(NOT {text})") } else { text }
}

/// Spark shows `CEIL(x)` and `ceil(x, 2)`.
fn rounding(name: &str, expr: &Expr, field: &CeilFloorKind, scope: &Scope<'_>) -> String {
    match field {
        CeilFloorKind::Scale(scale) => {
            format!(
                "{}({}, {})",
                name.to_lowercase(),
                pretty(expr, scope),
                literal(&scale.value)
            )
        }
        CeilFloorKind::DateTimeField(_) => format!("{name}({})", pretty(expr, scope)),
    }
}

/// The columns that a star stands for.
fn star(of: Option<&str>, scope: &Scope<'_>) -> String {
    match scope.all_columns(of) {
        Some(columns) => columns
            .into_iter()
            .map(|(_, column)| column)
            .collect::<Vec<_>>()
            .join(", "),
        None => of.map_or("*".to_owned(), |of| format!("{of}.*")),
    }
}

fn call(function: &Function, scope: &Scope<'_>) -> Option<String> {
    let FunctionArguments::List(list) = &function.args else {
        return match function.args {
            FunctionArguments::None => Some(format!("{}()", lower_name(function))),
            _ => None,
        };
    };
    let name = lower_name(function);
    let is_list = matches!(name.as_str(), "listagg" | "string_agg");
    let is_ordered = !function.within_group.is_empty();
    if function.over.is_some() || !list.clauses.is_empty() || (is_ordered && !is_list) {
        return None;
    }
    let mut args = Vec::with_capacity(list.args.len());
    for arg in &list.args {
        args.push(match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => pretty(expr, scope),
            FunctionArg::Unnamed(FunctionArgExpr::Wildcard) if name == "count" => "1".to_owned(),
            FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => star(None, scope),
            FunctionArg::Unnamed(FunctionArgExpr::QualifiedWildcard(of)) => {
                star(Some(&of.to_string()), scope)
            }
            other => other.to_string(),
        });
    }
    match (name.as_str(), args.len()) {
        // What is left away is shown where Spark shows it.
        ("percentile", 2) => args.push("1".to_owned()),
        ("percentile_approx" | "approx_percentile", 2) => args.push("10000".to_owned()),
        ("sort_array", 1) => args.push("true".to_owned()),
        ("string_agg" | "listagg", 1) => args.push("NULL".to_owned()),
        ("first" | "last" | "any_value", 2) => args.truncate(1),
        _ => {}
    }
    let distinct = match &list.duplicate_treatment {
        Some(treatment) => format!("{treatment} "),
        None => String::new(),
    };
    let mut text = format!("{name}({distinct}{})", args.join(", "));
    if is_ordered {
        let order = function.within_group.iter().map(|order| {
            let is_ascending = order.options.asc != Some(false);
            let nulls_first = order.options.nulls_first.unwrap_or(is_ascending);
            let direction = if is_ascending { "ASC" } else { "DESC" };
            let nulls = if nulls_first { "FIRST" } else { "LAST" };
            format!("{} {direction} NULLS {nulls}", pretty(&order.expr, scope))
        });
        text = format!(
            "{text} WITHIN GROUP (ORDER BY {})",
            order.collect::<Vec<_>>().join(", ")
        );
    }
    Some(match &function.filter {
        Some(filter) => format!("{text} FILTER (WHERE {})", pretty(filter, scope)),
        None => text,
    })
}

fn literal(value: &Value) -> String {
    match value {
        Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => text.clone(),
        Value::Boolean(value) => value.to_string(),
        Value::Null => "NULL".to_owned(),
        Value::Number(number, _) => number.clone(),
        other => other.to_string(),
    }
}
