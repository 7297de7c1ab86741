//! `grouping_id()` becomes `grouping(...)` of all keys of GROUP BY, and ordinals in CUBE and its kin the items they mean.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    CastKind, DataType, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, OrderBy, Query,
    Select, SelectItem, Spanned, Value, VisitMut, VisitorMut,
};

use super::expression::call;
use super::naming::lower_name;

/// Writes the ordinals in grouping sets out: DataFusion knows those of plain keys alone.
pub(super) fn expand_ordinals(select: &mut Select) {
    let GroupByExpr::Expressions(exprs, modifiers) = &select.group_by else {
        return;
    };
    let has_modifier = !modifiers.is_empty();
    let mut exprs = exprs.clone();
    for expr in &mut exprs {
        let keys: Vec<&mut Expr> = match expr {
            Expr::Rollup(sets) | Expr::Cube(sets) | Expr::GroupingSets(sets) => {
                sets.iter_mut().flatten().collect()
            }
            key if has_modifier => vec![key],
            _ => continue,
        };
        for key in keys {
            if let Some(item) = item_at(key, select) {
                *key = item.clone();
            }
        }
    }
    if let GroupByExpr::Expressions(group_by, _) = &mut select.group_by {
        *group_by = exprs;
    }
}

/// Writes `grouping_id` out in everything behind GROUP BY.
pub(super) fn expand_grouping_ids(select: &mut Select, order_by: Option<&mut OrderBy>) {
    let mut ids = GroupingIds {
        keys: keys_of(select),
        subqueries: 0,
    };
    let _: ControlFlow<()> = select.projection.visit(&mut ids);
    let _: ControlFlow<()> = select.having.visit(&mut ids);
    let _: ControlFlow<()> = select.qualify.visit(&mut ids);
    if let Some(order_by) = order_by {
        let _: ControlFlow<()> = order_by.visit(&mut ids);
    }
}

struct GroupingIds {
    keys: Vec<Expr>,
    subqueries: usize,
}

impl VisitorMut for GroupingIds {
    type Break = ();

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.subqueries += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.subqueries -= 1;
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let Expr::Function(function) = expr else {
            return ControlFlow::Continue(());
        };
        if self.subqueries > 0 || lower_name(function) != "grouping_id" {
            return ControlFlow::Continue(());
        }
        let mut keys = match &function.args {
            FunctionArguments::List(list) => list.args.iter().filter_map(argument).cloned().collect(),
            FunctionArguments::None | FunctionArguments::Subquery(_) => Vec::new(),
        };
        if keys.is_empty() {
            keys.clone_from(&self.keys);
        }
        let span = expr.span();
        *expr = Expr::Cast {
            kind: CastKind::Cast,
            expr: Box::new(call("grouping", keys, span)),
            data_type: DataType::BigInt(None),
            array: false,
            format: None,
        };
        ControlFlow::Continue(())
    }
}

fn argument(argument: &FunctionArg) -> Option<&Expr> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    }
}

/// The keys of GROUP BY, each once, in the order in which they stand; an ordinal is the item that it means.
fn keys_of(select: &Select) -> Vec<Expr> {
    let GroupByExpr::Expressions(exprs, _) = &select.group_by else {
        return Vec::new();
    };
    let mut keys = Vec::new();
    for expr in exprs {
        match expr {
            Expr::Rollup(sets) | Expr::Cube(sets) | Expr::GroupingSets(sets) => {
                for key in sets.iter().flatten() {
                    add(key, select, &mut keys);
                }
            }
            key => add(key, select, &mut keys),
        }
    }
    keys
}

fn add(key: &Expr, select: &Select, keys: &mut Vec<Expr>) {
    let key = match key {
        Expr::Nested(inner) => inner,
        key => key,
    };
    let key = item_at(key, select).unwrap_or(key);
    if !keys.contains(key) {
        keys.push(key.clone());
    }
}

fn item_at<'s>(key: &Expr, select: &'s Select) -> Option<&'s Expr> {
    let Expr::Value(value) = key else { return None };
    let Value::Number(number, _) = &value.value else {
        return None;
    };
    let place = number.parse::<usize>().ok()?.checked_sub(1)?;
    match select.projection.get(place)? {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
        _ => None,
    }
}
