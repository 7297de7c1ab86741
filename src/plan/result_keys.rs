//! Which output columns name a row of an update-mode result, so that a later row can replace an earlier one.

use datafusion::logical_expr::{Expr, LogicalPlan};

use crate::plan::generator::has_generator;
use crate::plan::stream_table::is_streaming;

/// The output columns that hold the group keys of the query's outermost streaming aggregate: `Some` if every key
/// can be found among them (a window by its start or end too), an empty list for an aggregate without keys,
/// `None` if the query has no aggregate or does not show all of its keys.
pub fn result_keys(plan: &LogicalPlan) -> Option<Vec<usize>> {
    let mut keys = KeySet::of(plan)?;
    keys.columns.sort_unstable();
    keys.columns.dedup();
    (keys.missing == 0).then_some(keys.columns)
}

/// The keys' places in a node's output.
struct KeySet {
    columns: Vec<usize>,
    missing: usize,
}

impl KeySet {
    fn of(plan: &LogicalPlan) -> Option<Self> {
        match plan {
            // The rows of ROLLUP and its kin are told apart by more than their keys.
            LogicalPlan::Aggregate(aggregate)
                if is_streaming(plan)
                    && !aggregate
                        .group_expr
                        .iter()
                        .any(|key| matches!(key, Expr::GroupingSet(_))) =>
            {
                Some(Self {
                    columns: (0..aggregate.group_expr.len()).collect(),
                    missing: 0,
                })
            }
            // A generator makes many rows of one, all with its keys.
            LogicalPlan::Projection(projection) if projection.expr.iter().any(has_generator) => None,
            LogicalPlan::Projection(projection) => {
                let input = Self::of(&projection.input)?;
                let schema = projection.input.schema();
                let mut columns = Vec::new();
                let mut missing = input.missing;
                for key in input.columns {
                    let (qualifier, field) = schema.qualified_field(key);
                    let places = projection.expr.iter().enumerate();
                    let mut places = places.filter(|(_, expr)| names_key(expr, qualifier, field.name()));
                    match places.next() {
                        Some((place, _)) => columns.push(place),
                        None => missing += 1,
                    }
                }
                Some(Self { columns, missing })
            }
            LogicalPlan::Filter(_)
            | LogicalPlan::Sort(_)
            | LogicalPlan::Limit(_)
            | LogicalPlan::SubqueryAlias(_)
            | LogicalPlan::Extension(_) => {
                let inputs = plan.inputs();
                let [input] = inputs.as_slice() else { return None };
                Self::of(input)
            }
            _ => None,
        }
    }
}

/// Whether an expression is the key column itself, or the start or end of it where it is a window.
fn names_key(expr: &Expr, qualifier: Option<&datafusion::common::TableReference>, name: &str) -> bool {
    match expr {
        Expr::Column(column) => column.relation.as_ref() == qualifier && column.name == name,
        Expr::Alias(alias) => names_key(&alias.expr, qualifier, name),
        Expr::ScalarFunction(function) if function.func.name() == "get_field" => {
            let is_bound = matches!(function.args.get(1), Some(Expr::Literal(field, _))
                if matches!(field.try_as_str(), Some(Some("start" | "end"))));
            is_bound && names_key(&function.args[0], qualifier, name)
        }
        _ => false,
    }
}
