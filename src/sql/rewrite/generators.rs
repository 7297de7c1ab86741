//! Generators that make several columns: `posexplode(a) AS (p, c)` becomes `generated(posexplode(a), 0) AS p,
//! generated(posexplode(a), 1) AS c`, and the plan's rule makes one unnesting of the equal calls.

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, SelectItem, Spanned, Value,
};

use super::expression::call;
use super::literal::{NUMBER, number};
use super::naming::lower_name;

/// One column of what a generator makes.
pub(crate) const GENERATED: &str = "generated";

/// Gives every column of a generator its own item, where their number is known from the text.
pub(super) fn expand(projection: &mut Vec<SelectItem>) {
    let mut items = Vec::with_capacity(projection.len());
    for mut item in std::mem::take(projection) {
        match &mut item {
            SelectItem::ExprWithAliases { expr, aliases } => {
                as_inline(expr);
                items.extend(columns(expr, aliases));
            }
            SelectItem::UnnamedExpr(expr) => {
                let names = default_names(expr);
                as_inline(expr);
                if names.len() > 1 {
                    items.extend(columns(expr, &names));
                } else {
                    items.push(item);
                }
            }
            _ => items.push(item),
        }
    }
    *projection = items;
}

/// An item for each column.
pub(super) fn columns(generator: &Expr, names: &[Ident]) -> Vec<SelectItem> {
    let span = generator.span();
    if let [alias] = names {
        return vec![SelectItem::ExprWithAlias {
            expr: generator.clone(),
            alias: alias.clone(),
        }];
    }
    let items = names
        .iter()
        .enumerate()
        .map(|(at, name)| SelectItem::ExprWithAlias {
            expr: call(
                GENERATED,
                vec![generator.clone(), number(&at.to_string(), NUMBER, span)],
                span,
            ),
            alias: name.clone(),
        });
    items.collect()
}

/// The names of a generator's columns where none are given; one or none where they depend on types.
pub(super) fn default_names(generator: &Expr) -> Vec<Ident> {
    let Expr::Function(function) = generator else {
        return Vec::new();
    };
    let names: Vec<String> = match (lower_name(function).as_str(), arguments(function)) {
        ("posexplode" | "posexplode_outer", Some(_)) => vec!["pos".to_owned(), "col".to_owned()],
        ("json_tuple", Some(args)) => (0..args.len().saturating_sub(1))
            .map(|at| format!("c{at}"))
            .collect(),
        ("stack", Some(args)) => (0..width_of_stack(&args).unwrap_or(0))
            .map(|at| format!("col{at}"))
            .collect(),
        _ => Vec::new(),
    };
    names.into_iter().map(Ident::new).collect()
}

fn arguments(function: &Function) -> Option<Vec<Expr>> {
    let FunctionArguments::List(list) = &function.args else {
        return None;
    };
    let args = list.args.iter().map(|arg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
        _ => None,
    });
    args.collect()
}

fn rows_of_stack(args: &[Expr]) -> Option<usize> {
    let Expr::Value(rows) = args.first()? else {
        return None;
    };
    match &rows.value {
        Value::Number(rows, _) => rows.parse().ok().filter(|rows| *rows > 0),
        _ => None,
    }
}

fn width_of_stack(args: &[Expr]) -> Option<usize> {
    let (_, values) = args.split_first()?;
    Some(values.len().div_ceil(rows_of_stack(args)?))
}

/// `stack(2, a, b, c)` is `inline(array(struct(a, b), struct(c, NULL)))`.
pub(super) fn as_inline(expr: &mut Expr) {
    let Expr::Function(function) = &*expr else { return };
    if lower_name(function) != "stack" {
        return;
    }
    let span = expr.span();
    let Some((args, rows, width)) = arguments(function)
        .and_then(|args| Some((rows_of_stack(&args)?, width_of_stack(&args)?, args)))
        .map(|(rows, width, args)| (args, rows, width))
    else {
        return;
    };
    let values = args[1..].to_vec();
    let rows = (0..rows).map(|row| {
        let fields = (0..width).flat_map(|column| {
            let nothing = || Expr::Value(Value::Null.into());
            let value = values.get(row * width + column).cloned().unwrap_or_else(nothing);
            let name = Value::SingleQuotedString(format!("col{column}"));
            [Expr::Value(name.into()), value]
        });
        call("named_struct", fields.collect(), span)
    });
    let rows = call("array", rows.collect(), span);
    *expr = call("inline", vec![rows], span);
}
