//! `grouping_id()` is about all keys of its GROUP BY: it gets them as arguments.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, Select, VisitMut,
    visit_expressions_mut,
};

use super::naming::lower_name;

/// Gives every `grouping_id()` of a SELECT its keys, each once and in their order.
pub(super) fn fill_grouping_id(select: &mut Select) {
    let GroupByExpr::Expressions(exprs, _) = &select.group_by else {
        return;
    };
    let mut keys: Vec<Expr> = Vec::new();
    for expr in exprs {
        let found = match expr {
            Expr::Rollup(sets) | Expr::Cube(sets) | Expr::GroupingSets(sets) => {
                sets.iter().flatten().cloned().collect()
            }
            key => vec![key.clone()],
        };
        for key in found {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
    }
    fill(&mut select.projection, &keys);
    fill(&mut select.having, &keys);
    fill(&mut select.qualify, &keys);
}

fn fill(part: &mut impl VisitMut, keys: &[Expr]) {
    // The visitor never breaks off.
    let _ = visit_expressions_mut(part, |expr| {
        if let Expr::Function(function) = expr
            && lower_name(function) == "grouping_id"
            && let FunctionArguments::List(list) = &mut function.args
            && list.args.is_empty()
        {
            let keys = keys.iter().cloned();
            list.args = keys
                .map(|key| FunctionArg::Unnamed(FunctionArgExpr::Expr(key)))
                .collect();
        }
        ControlFlow::<()>::Continue(())
    });
}
