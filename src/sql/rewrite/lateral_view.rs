//! `FROM events LATERAL VIEW explode(tags) t AS tag` becomes `FROM (SELECT *, explode(tags) AS tag FROM events) events`.
//!
//! The view's own name `t` goes on to mean the relation that it became a part of.

use datafusion::sql::sqlparser::ast::helpers::attached_token::AttachedToken;
use datafusion::sql::sqlparser::ast::{
    Expr, GroupByExpr, Ident, ObjectNamePart, Query, Select, SelectFlavor, SelectItem, SetExpr, Spanned,
    TableFactor, TableWithJoins, WildcardAdditionalOptions,
};

use super::expression::rewrite;
use super::from::table_alias;
use super::generators::{as_inline, columns, default_names};
use super::naming::lower_name;
use super::query::{Rewriter, factor_alias, unsupported};
use super::scope::Scope;
use crate::error::Result;

/// Takes the LATERAL VIEW clauses into FROM, and their columns into what is seen.
///
/// # Errors
///
/// Views over several relations: their columns are of none of them.
pub(super) fn expand_lateral_views(
    select: &mut Select,
    rewriter: &mut Rewriter<'_>,
    scope: &mut Scope<'_>,
) -> Result<()> {
    for mut view in std::mem::take(&mut select.lateral_views) {
        let span = view.lateral_view.span();
        let [TableWithJoins { relation, joins }] = &mut select.from[..] else {
            return Err(unsupported("LATERAL VIEW over several relations", span, SUBQUERY));
        };
        if !joins.is_empty() {
            return Err(unsupported("LATERAL VIEW over a join", span, SUBQUERY));
        }
        let mut names = std::mem::take(&mut view.lateral_col_alias);
        if names.is_empty() {
            names = default_names(&view.lateral_view);
        }
        if names.is_empty() {
            names.push(Ident::new("col"));
        }
        as_inline(&mut view.lateral_view);
        rewrite(&mut view.lateral_view, rewriter, scope, &[])?;
        if view.outer
            && let Expr::Function(function) = &mut view.lateral_view
            && let outer = format!("{}_outer", lower_name(function).trim_end_matches("_outer"))
            && let Some(ObjectNamePart::Identifier(ident)) = function.name.0.first_mut()
        {
            ident.value = outer;
        }
        let alias =
            factor_alias(relation).map_or_else(|| "lateral_view".to_owned(), |name| name.value.clone());
        let items = columns(&view.lateral_view, &names);
        let inner = std::mem::replace(relation, nothing());
        *relation = TableFactor::Derived {
            lateral: false,
            subquery: Box::new(star_and(items, inner)),
            alias: Some(table_alias(&alias)),
            sample: None,
        };
        if let Some(seen) = scope.relations.last_mut() {
            seen.name = Some(alias);
            seen.also
                .push(view.lateral_view_name.to_string().replace('`', ""));
            if let Some(columns) = &mut seen.columns {
                columns.extend(names.into_iter().map(|name| name.value));
            }
        }
    }
    Ok(())
}

const SUBQUERY: &str = "Write the LATERAL VIEW in a subquery over one relation, and join that.";

/// `SELECT *, items FROM relation`
pub(super) fn star_and(items: Vec<SelectItem>, relation: TableFactor) -> Query {
    let star = SelectItem::Wildcard(WildcardAdditionalOptions::default());
    let select = Select {
        select_token: AttachedToken::empty(),
        optimizer_hints: Vec::new(),
        distinct: None,
        select_modifiers: None,
        top: None,
        top_before_distinct: false,
        projection: std::iter::once(star).chain(items).collect(),
        exclude: None,
        into: None,
        from: vec![TableWithJoins {
            relation,
            joins: Vec::new(),
        }],
        lateral_views: Vec::new(),
        prewhere: None,
        selection: None,
        connect_by: Vec::new(),
        group_by: GroupByExpr::Expressions(Vec::new(), Vec::new()),
        cluster_by: Vec::new(),
        distribute_by: Vec::new(),
        sort_by: Vec::new(),
        having: None,
        named_window: Vec::new(),
        qualify: None,
        window_before_qualify: false,
        value_table_mode: None,
        flavor: SelectFlavor::Standard,
    };
    query_of(SetExpr::Select(Box::new(select)))
}

/// A query of nothing but its body.
pub(super) fn query_of(body: SetExpr) -> Query {
    Query {
        with: None,
        body: Box::new(body),
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks: Vec::new(),
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators: Vec::new(),
    }
}

/// A relation to stand in while the real one is moved.
fn nothing() -> TableFactor {
    TableFactor::UNNEST {
        alias: None,
        array_exprs: Vec::new(),
        with_offset: false,
        with_offset_alias: None,
        with_ordinality: false,
    }
}
