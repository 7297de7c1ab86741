//! Queries, set operations and SELECTs: each with the names that it sees and the columns that it gives.

use datafusion::sql::sqlparser::ast::{
    Distinct, ExceptSelectItem, Expr, GroupByExpr, GroupByWithModifier, Ident, LimitClause, ObjectNamePart,
    OrderBy, OrderByKind, Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, Spanned,
    TableAliasColumnDef, TableFactor, Values, WildcardAdditionalOptions,
};
use datafusion::sql::sqlparser::tokenizer::Span;

use super::expression::{call, rewrite};
use super::from::{name_derived_tables, table_alias};
use super::generators;
use super::grouping::{expand_grouping_ids, expand_ordinals};
use super::lateral_view::{expand_lateral_views, query_of, star_and};
use super::naming::output_name;
use super::scope::{Columns, Relation, Scope, spelling};
use super::time_window::{TimeWindow, calls_in, check_single};
use super::using::expand_star;
use super::{KnownRelation, TableWatermark};
use crate::error::{Error, Result};
use crate::plan::deduplicate::WITHIN_WATERMARK;
use crate::sql::query::QueryText;
use crate::sql::span::{position, span_start};
use crate::sql::statement::Name;

/// The state of one rewriting.
pub(super) struct Rewriter<'q> {
    pub(super) text: &'q QueryText,
    pub(super) lookup: &'q dyn Fn(&str) -> Option<KnownRelation>,
    /// The CTEs that are seen, innermost last.
    pub(super) ctes: Vec<(String, Columns)>,
    pub(super) watermarks: Vec<TableWatermark>,
    pub(super) relations: Vec<Name>,
    /// Whether USING is written as ON: not where a LATERAL VIEW takes the joined relations' columns by `*`.
    pub(super) expands_using: bool,
}

impl<'q> Rewriter<'q> {
    pub(super) fn new(text: &'q QueryText, lookup: &'q dyn Fn(&str) -> Option<KnownRelation>) -> Self {
        Self {
            text,
            lookup,
            ctes: Vec::new(),
            watermarks: Vec::new(),
            relations: Vec::new(),
            expands_using: true,
        }
    }

    /// Rewrites a query inside of `outer` and tells its columns.
    pub(super) fn query(&mut self, query: &mut Query, outer: Option<&Scope<'_>>) -> Result<Columns> {
        if let Some(lock) = query.locks.first() {
            return Err(unsupported(
                &format!("{lock}"),
                query.span(),
                "Nothing is locked here: leave it away.",
            ));
        }
        let known_ctes = self.ctes.len();
        if let Some(with) = &mut query.with {
            for cte in &mut with.cte_tables {
                let name = cte.alias.name.value.clone();
                let declared: Vec<String> = cte
                    .alias
                    .columns
                    .iter()
                    .map(|column| column.name.value.clone())
                    .collect();
                if with.recursive {
                    let columns = (!declared.is_empty()).then(|| declared.clone());
                    self.ctes.push((name.clone(), columns));
                }
                let columns = self.query(&mut cte.query, None)?;
                let columns = if declared.is_empty() {
                    columns
                } else {
                    Some(declared)
                };
                self.ctes.push((name, columns));
            }
        }
        let mut order_by = query.order_by.take();
        let columns = self.body(&mut query.body, outer, order_by.as_mut())?;
        query.order_by = order_by;
        let nothing = Scope::default();
        match &mut query.limit_clause {
            Some(LimitClause::LimitOffset { limit, offset, .. }) => {
                rewrite(limit, self, &nothing, &[])?;
                if let Some(offset) = offset {
                    rewrite(&mut offset.value, self, &nothing, &[])?;
                }
            }
            Some(LimitClause::OffsetCommaLimit { offset, limit }) => {
                rewrite(offset, self, &nothing, &[])?;
                rewrite(limit, self, &nothing, &[])?;
            }
            None => {}
        }
        self.ctes.truncate(known_ctes);
        Ok(columns)
    }

    fn body(
        &mut self,
        body: &mut SetExpr,
        outer: Option<&Scope<'_>>,
        order_by: Option<&mut OrderBy>,
    ) -> Result<Columns> {
        let columns = match body {
            SetExpr::Select(select) => return self.select(select, outer, order_by),
            SetExpr::Query(query) => self.query(query, outer)?,
            SetExpr::SetOperation { left, right, .. } => {
                let columns = self.body(left, outer, None)?;
                self.body(right, outer, None)?;
                columns
            }
            SetExpr::Values(values) => {
                let width = values.rows.first().map_or(0, |row| row.len());
                rewrite(values, self, &Scope::default(), &[])?;
                let columns = (1..=width).map(|n| format!("col{n}")).collect::<Vec<_>>();
                name_values(body, &columns);
                Some(columns)
            }
            _ => None,
        };
        if let Some(order_by) = order_by {
            let output = Relation {
                columns: columns.clone(),
                ..Relation::default()
            };
            let scope = Scope {
                relations: vec![output],
                outer,
                ..Scope::default()
            };
            self.order_by(order_by, &scope, &[])?;
        }
        Ok(columns)
    }

    fn select(
        &mut self,
        select: &mut Select,
        outer: Option<&Scope<'_>>,
        order_by: Option<&mut OrderBy>,
    ) -> Result<Columns> {
        check_supported(select)?;
        let mut scope = Scope {
            outer,
            ..Scope::default()
        };
        let expanded = std::mem::replace(&mut self.expands_using, select.lateral_views.is_empty());
        if select.having.is_some() {
            name_derived_tables(&mut select.from);
        }
        self.from(&mut select.from, &mut scope)?;
        self.expands_using = expanded;
        expand_star(select, &scope);
        expand_lateral_views(select, self, &mut scope)?;
        rewrite(&mut select.selection, self, &scope, &[])?;
        generators::expand(&mut select.projection);

        // Names come from what was written, so they are taken before anything is changed.
        let names: Vec<Option<String>> = select
            .projection
            .iter()
            .map(|item| item_name(item, &scope))
            .collect();
        let explicit = select.projection.iter().filter_map(|item| match item {
            SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.clone()),
            _ => None,
        });
        scope.aliases = explicit.collect();
        let mut order_by = order_by;
        expand_ordinals(select);
        expand_grouping_ids(select, order_by.as_deref_mut());
        let windows = self.group_by(select, &scope)?;

        let input = scope.without_aliases();
        let mut columns: Columns = Some(Vec::new());
        for (item, name) in select.projection.iter_mut().zip(names) {
            let given = self.item(item, name, &input, &windows)?;
            match (columns.as_mut(), given) {
                (Some(columns), Some(given)) => columns.extend(given),
                _ => columns = None,
            }
        }
        let mut calls = windows.clone();
        calls.extend(calls_in(&select.projection));
        check_single(&calls)?;

        rewrite(&mut select.named_window, self, &input, &windows)?;
        rewrite(&mut select.having, self, &scope, &windows)?;
        rewrite(&mut select.qualify, self, &scope, &windows)?;
        self.distinct(select, &scope, &windows)?;
        if let Some(order_by) = order_by {
            scope.aliases.extend(columns.iter().flatten().cloned());
            scope.output_first = true;
            self.order_by(order_by, &scope, &windows)?;
        }
        Ok(columns)
    }

    /// Rewrites GROUP BY and gives back the windows that it makes.
    fn group_by(&mut self, select: &mut Select, scope: &Scope<'_>) -> Result<Vec<TimeWindow>> {
        match &mut select.group_by {
            GroupByExpr::All(_) => {
                let input = scope.without_aliases();
                let mut projection = select.projection.clone();
                // Each relation is noted once, when the projection itself is rewritten.
                let noted = (self.watermarks.len(), self.relations.len());
                rewrite(&mut projection, self, &input, &[])?;
                self.watermarks.truncate(noted.0);
                self.relations.truncate(noted.1);
                Ok(calls_in(&projection))
            }
            GroupByExpr::Expressions(exprs, modifiers) => {
                rewrite(exprs, self, scope, &[])?;
                let windows = calls_in(exprs);
                check_single(&windows)?;
                // DataFusion would leave the modifier out of account.
                for modifier in std::mem::take(modifiers) {
                    let groups = std::mem::take(exprs).into_iter().map(|expr| vec![expr]).collect();
                    exprs.push(match modifier {
                        GroupByWithModifier::Rollup => Expr::Rollup(groups),
                        GroupByWithModifier::Cube => Expr::Cube(groups),
                        GroupByWithModifier::GroupingSets(sets) => sets,
                        GroupByWithModifier::Totals => {
                            return Err(unsupported("WITH TOTALS", select.span(), "Write WITH ROLLUP."));
                        }
                    });
                }
                Ok(windows)
            }
        }
    }

    /// Rewrites one item of the SELECT list and tells the columns that it gives.
    fn item(
        &mut self,
        item: &mut SelectItem,
        name: Option<String>,
        scope: &Scope<'_>,
        windows: &[TimeWindow],
    ) -> Result<Columns> {
        match item {
            SelectItem::UnnamedExpr(expr) => {
                let span = expr.span();
                rewrite(expr, self, scope, windows)?;
                let Some(name) = name else { return Ok(None) };
                if !gives_name(expr, &name, scope) {
                    *item = SelectItem::ExprWithAlias {
                        expr: std::mem::replace(
                            expr,
                            Expr::Value(datafusion::sql::sqlparser::ast::Value::Null.into()),
                        ),
                        alias: Ident {
                            value: name.clone(),
                            quote_style: Some('`'),
                            span,
                        },
                    };
                }
                Ok(Some(vec![name]))
            }
            SelectItem::ExprWithAlias { expr, alias } => {
                rewrite(expr, self, scope, windows)?;
                Ok(Some(vec![alias.value.clone()]))
            }
            // Taken apart before.
            SelectItem::ExprWithAliases { .. } => Ok(None),
            SelectItem::Wildcard(options) => {
                let columns = scope.all_columns(None);
                Ok(wildcard(options, columns.map(names_only)))
            }
            SelectItem::QualifiedWildcard(kind, options) => {
                let SelectItemQualifiedWildcardKind::ObjectName(name) = kind else {
                    return Ok(None);
                };
                let [ObjectNamePart::Identifier(ident)] = &mut name.0[..] else {
                    return Ok(None);
                };
                if let Some(spelling) = scope.relation_name(&ident.value) {
                    ident.value = spelling;
                }
                let columns = scope.all_columns(Some(&ident.value));
                Ok(wildcard(options, columns.map(names_only)))
            }
        }
    }

    fn distinct(&mut self, select: &mut Select, scope: &Scope<'_>, windows: &[TimeWindow]) -> Result<()> {
        let Some(Distinct::On(exprs)) = &mut select.distinct else {
            return Ok(());
        };
        rewrite(exprs, self, scope, windows)?;
        let place = position(select.select_token.0.span.start);
        if !self.text.within_watermark.contains(&place) {
            return Ok(());
        }
        let Some(first) = exprs.first_mut() else {
            return Err(Error::statement("DISTINCT ON () WITHIN WATERMARK has no column")
                .at(place)
                .hint("Write the columns that tell rows apart: DISTINCT ON (event_id) WITHIN WATERMARK."));
        };
        let span = first.span();
        let column = std::mem::replace(
            first,
            Expr::Value(datafusion::sql::sqlparser::ast::Value::Null.into()),
        );
        *first = call(WITHIN_WATERMARK, vec![column], span);
        Ok(())
    }

    fn order_by(&mut self, order_by: &mut OrderBy, scope: &Scope<'_>, windows: &[TimeWindow]) -> Result<()> {
        match &mut order_by.kind {
            OrderByKind::All(_) => Ok(()),
            OrderByKind::Expressions(exprs) => rewrite(exprs, self, scope, windows),
        }
    }
}

/// The name that Spark gives an item without one.
fn item_name(item: &SelectItem, scope: &Scope<'_>) -> Option<String> {
    match item {
        SelectItem::UnnamedExpr(expr) => output_name(expr, scope),
        _ => None,
    }
}

/// Whether the planner gives the column this name without being told.
fn gives_name(expr: &Expr, name: &str, scope: &Scope<'_>) -> bool {
    match expr {
        Expr::Identifier(ident) => ident.value == name,
        Expr::CompoundIdentifier(path) => match &path[..] {
            [relation, column] => column.value == name && scope.is_relation(&relation.value),
            _ => false,
        },
        _ => false,
    }
}

fn names_only(columns: Vec<(Option<String>, String)>) -> Vec<String> {
    columns.into_iter().map(|(_, column)| column).collect()
}

/// Gives the columns of `* EXCEPT (...)` their spelling, and tells what is left.
fn wildcard(options: &mut WildcardAdditionalOptions, columns: Columns) -> Columns {
    let mut columns = columns?;
    if let Some(ExceptSelectItem {
        first_element,
        additional_elements,
    }) = &mut options.opt_except
    {
        for except in std::iter::once(first_element).chain(additional_elements) {
            if let Some(known) = spelling(&except.value, &columns) {
                except.value = known;
            }
            columns.retain(|column| *column != except.value);
        }
    }
    Some(columns)
}

/// Refuses what sqlparser reads and DataFusion would refuse without a place, or not at all.
fn check_supported(select: &Select) -> Result<()> {
    let sorted = "A result is sorted as a whole: write ORDER BY, in a batch SELECT or in complete mode.";
    let first = |exprs: &[Expr]| exprs.first().map_or(Span::empty(), Spanned::span);
    if let Some(by) = select.sort_by.first() {
        return Err(unsupported("SORT BY", by.expr.span(), sorted));
    }
    if !select.cluster_by.is_empty() {
        return Err(unsupported("CLUSTER BY", first(&select.cluster_by), sorted));
    }
    if !select.distribute_by.is_empty() {
        let hint = "The engine distributes rows by itself: leave it away.";
        return Err(unsupported("DISTRIBUTE BY", first(&select.distribute_by), hint));
    }
    if select.into.is_some() || select.top.is_some() {
        let what = if select.into.is_some() {
            "SELECT INTO"
        } else {
            "TOP"
        };
        return Err(unsupported(
            what,
            select.select_token.0.span,
            "Write a SINK, or LIMIT.",
        ));
    }
    Ok(())
}

/// An error for a part of Spark's SQL that is not there.
pub(super) fn unsupported(what: &str, span: Span, hint: &str) -> Error {
    let error = Error::statement(format!("{what} is not supported")).hint(hint);
    match span_start(span) {
        Some(place) => error.at(place),
        None => error,
    }
}

/// `VALUES ...` becomes `SELECT * FROM (VALUES ...) AS values (col1, col2)`: the columns have Spark's names.
fn name_values(body: &mut SetExpr, columns: &[String]) {
    let mut alias = table_alias("values");
    alias.columns = columns
        .iter()
        .map(|name| TableAliasColumnDef {
            name: Ident::new(name),
            data_type: None,
        })
        .collect();
    let nothing = Values {
        explicit_row: false,
        value_keyword: false,
        rows: Vec::new(),
    };
    let values = std::mem::replace(body, SetExpr::Values(nothing));
    let values = TableFactor::Derived {
        lateral: false,
        subquery: Box::new(query_of(values)),
        alias: Some(alias),
        sample: None,
    };
    *body = *star_and(Vec::new(), values).body;
}

/// The relation that a FROM clause's item is called by.
pub(super) fn factor_alias(factor: &TableFactor) -> Option<&Ident> {
    match factor {
        TableFactor::Table { name, alias, .. } => match alias {
            Some(alias) => Some(&alias.name),
            None => name.0.last().and_then(|part| part.as_ident()),
        },
        TableFactor::Derived { alias, .. } => alias.as_ref().map(|alias| &alias.name),
        _ => None,
    }
}
