//! The logical node of the first rows of each group of a stream, where the group ends with its event time.
//!
//! ```text
//! Filter: rank <= 3                                               Filter: rank <= 3
//!   Projection: ..., row_number() OVER (...) AS rank                Projection: ..., row_number() OVER (...) AS rank
//!     Window: row_number() OVER (PARTITION BY window, k        =>     TopN: row_number by window, k up to 3
//!             ORDER BY v DESC)                                          Input
//!       Input
//! ```
//!
//! A rank is final once the watermark is past the group, and a row whose rank is beyond the filter's can never come back,
//! so both state and output are bounded. No other window function over a stream is.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::tree_node::{Transformed, TransformedResult};
use datafusion::common::{Column, DFSchema, DFSchemaRef, Result, ScalarValue, TableReference, plan_err};
use datafusion::logical_expr::expr::{Sort, WindowFunction, WindowFunctionParams};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{
    BinaryExpr, Expr, Extension, Filter, LogicalPlan, LogicalPlanBuilder, Operator, Projection,
    SubqueryAlias, UserDefinedLogicalNodeCore, Window,
};
use datafusion::physical_plan::ExecutionPlan;

use crate::error::Error;
use crate::operators::top_n::{Ranking, TopNExec, TopNSpec};
use crate::plan::event_time::is_event_time;
use crate::plan::stream_table::is_streaming;
use crate::sink::OutputMode;

/// The first rows of each group. Schema: the input's and the rank.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TopN {
    input: LogicalPlan,
    ranking: Ranking,
    last: u64,
    partition: Vec<Column>,
    /// The expressions are columns.
    order: Vec<Sort>,
    rank: (Option<TableReference>, FieldRef),
    schema: DFSchemaRef,
}

/// Turns every rank over a stream that is filtered to be small into a [`TopN`].
///
/// # Errors
///
/// An error of DataFusion's planner.
pub fn rewrite_top_n(plan: LogicalPlan) -> Result<LogicalPlan> {
    plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Filter(filter) if is_streaming(&filter.input) => rewrite_filter(filter),
        other => Ok(Transformed::no(other)),
    })
    .data()
}

impl TopN {
    /// Refuses what would never be final.
    ///
    /// # Errors
    ///
    /// A statement error with a hint.
    pub fn check(&self, mode: OutputMode) -> crate::error::Result<()> {
        if mode != OutputMode::Append {
            return Err(Error::statement(format!(
                "the first rows of each group are not possible in output mode {mode}"
            ))
            .hint(
                "A later row may push one out that was given already. Use OUTPUT MODE APPEND: the rows of a group are \
                 given once the watermark is past it.",
            ));
        }
        let schema = self.input.schema();
        let mut columns = self.partition.iter();
        let is_time = |column| {
            schema
                .maybe_index_of_column(column)
                .is_some_and(|at| is_event_time(schema.field(at)))
        };
        if columns.any(is_time) {
            return Ok(());
        }
        Err(
            Error::statement("the first rows of each group need a group that ends with event time").hint(
                "Declare WATERMARK time DELAY OF INTERVAL 10 MINUTES on the stream, and let the group be part of a \
                 window: OVER (PARTITION BY window(time, '10 minutes'), key ORDER BY value DESC).",
            ),
        )
    }

    /// The operator over an input.
    ///
    /// # Errors
    ///
    /// Those of [`TopNExec::try_new`].
    pub fn plan(&self, input: Arc<dyn ExecutionPlan>) -> Result<TopNExec> {
        let schema = self.input.schema();
        let mut partition = Vec::with_capacity(self.partition.len());
        for column in &self.partition {
            let column = schema.index_of_column(column)?;
            if !partition.contains(&column) {
                partition.push(column);
            }
        }
        let order = self.order.iter().map(|sort| {
            let Expr::Column(column) = &sort.expr else {
                return plan_err!("rows ordered by {}, which is no column", sort.expr);
            };
            let options = SortOptions {
                descending: !sort.asc,
                nulls_first: sort.nulls_first,
            };
            Ok((schema.index_of_column(column)?, options))
        });
        let spec = TopNSpec {
            ranking: self.ranking,
            last: self.last,
            partition,
            order: order.collect::<Result<_>>()?,
        };
        TopNExec::try_new(input, &spec, Arc::new(self.schema.as_arrow().clone()))
    }

    fn with_input(mut self, input: LogicalPlan) -> Result<Self> {
        let schema = input.schema();
        let fields = schema
            .iter()
            .map(|(qualifier, field)| (qualifier.cloned(), Arc::clone(field)));
        let fields = fields.chain([self.rank.clone()]).collect();
        self.schema = Arc::new(DFSchema::new_with_metadata(
            fields,
            schema.as_arrow().metadata().clone(),
        )?);
        self.input = input;
        Ok(self)
    }
}

fn rewrite_filter(filter: Filter) -> Result<Transformed<LogicalPlan>> {
    for condition in split_conjunction(&filter.predicate) {
        let Some((rank, last)) = upper_bound(condition) else {
            continue;
        };
        let Some(place) = filter.input.schema().maybe_index_of_column(rank) else {
            continue;
        };
        if let Some(input) = with_top_n(&filter.input, place, last)? {
            let filter = Filter::try_new(filter.predicate, Arc::new(input))?;
            return Ok(Transformed::yes(LogicalPlan::Filter(filter)));
        }
    }
    Ok(Transformed::no(LogicalPlan::Filter(filter)))
}

/// The column that a condition holds down, and the largest value that it lets through.
fn upper_bound(condition: &Expr) -> Option<(&Column, u64)> {
    let at_most =
        |expr: &Expr, less: i64| Some(u64::try_from(integer(expr)?.saturating_sub(less)).unwrap_or(0));
    match condition {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op {
            Operator::Eq | Operator::LtEq if column(left).is_some() => {
                Some((column(left)?, at_most(right, 0)?))
            }
            Operator::Lt => Some((column(left)?, at_most(right, 1)?)),
            Operator::Eq | Operator::GtEq => Some((column(right)?, at_most(left, 0)?)),
            Operator::Gt => Some((column(right)?, at_most(left, 1)?)),
            _ => None,
        },
        Expr::Between(between) if !between.negated => {
            Some((column(&between.expr)?, at_most(&between.high, 0)?))
        }
        Expr::InList(list) if !list.negated => {
            let values = list.list.iter().map(|value| at_most(value, 0));
            let values = values.collect::<Option<Vec<_>>>()?;
            Some((column(&list.expr)?, values.into_iter().max()?))
        }
        _ => None,
    }
}

fn column(expr: &Expr) -> Option<&Column> {
    match expr {
        Expr::Column(column) => Some(column),
        Expr::Cast(cast) => column(&cast.expr),
        Expr::Alias(alias) => column(&alias.expr),
        _ => None,
    }
}

fn integer(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Literal(value, _) if value.data_type().is_integer() => match value.cast_to(&DataType::Int64) {
            Ok(ScalarValue::Int64(value)) => value,
            _ => None,
        },
        Expr::Negative(expr) => integer(expr).map(i64::saturating_neg),
        Expr::Cast(cast) => integer(&cast.expr),
        _ => None,
    }
}

/// The plan with a [`TopN`] in the place of the window function that makes its column at `place`; `None` if no rank does.
/// Conditions between the two are no obstacle: they see rows that are ranked already.
fn with_top_n(plan: &LogicalPlan, place: usize, last: u64) -> Result<Option<LogicalPlan>> {
    Ok(match plan {
        LogicalPlan::Window(window) if place + 1 == window.schema.fields().len() => top_n(window, last)?,
        LogicalPlan::Projection(projection) => {
            let input = projection.input.schema();
            let below =
                column(&projection.expr[place]).and_then(|column| input.maybe_index_of_column(column));
            let Some(below) = below else { return Ok(None) };
            with_top_n(&projection.input, below, last)?
                .map(|input| {
                    let (exprs, schema) = (projection.expr.clone(), Arc::clone(&projection.schema));
                    Projection::try_new_with_schema(exprs, Arc::new(input), schema)
                        .map(LogicalPlan::Projection)
                })
                .transpose()?
        }
        LogicalPlan::SubqueryAlias(alias) => with_top_n(&alias.input, place, last)?
            .map(|input| {
                SubqueryAlias::try_new(Arc::new(input), alias.alias.clone()).map(LogicalPlan::SubqueryAlias)
            })
            .transpose()?,
        LogicalPlan::Filter(filter) => with_top_n(&filter.input, place, last)?
            .map(|input| Filter::try_new(filter.predicate.clone(), Arc::new(input)).map(LogicalPlan::Filter))
            .transpose()?,
        _ => None,
    })
}

/// The node in the place of a window function, if that is a rank; keys that are computed are columns below it.
fn top_n(window: &Window, last: u64) -> Result<Option<LogicalPlan>> {
    let [Expr::WindowFunction(function)] = window.window_expr.as_slice() else {
        return Ok(None);
    };
    let Some(ranking) = ranking(function) else {
        return Ok(None);
    };
    let WindowFunctionParams {
        partition_by,
        order_by,
        ..
    } = &function.params;
    let mut computed = Vec::new();
    let mut as_column = |expr: &Expr| match expr {
        Expr::Column(column) => column.clone(),
        expr => {
            let name = expr.schema_name().to_string();
            let column = Column::new_unqualified(name.as_str());
            let expr = expr.clone().alias(name);
            if !computed.contains(&expr) {
                computed.push(expr);
            }
            column
        }
    };
    let partition = partition_by.iter().map(&mut as_column).collect::<Vec<_>>();
    let order = order_by.iter().map(|sort| Sort {
        expr: Expr::Column(as_column(&sort.expr)),
        ..*sort
    });
    let order = order.collect::<Vec<_>>();
    if order.is_empty() {
        return Ok(None);
    }
    let input = Arc::unwrap_or_clone(Arc::clone(&window.input));
    let input = if computed.is_empty() {
        input
    } else {
        let columns = input.schema().columns().into_iter().map(Expr::Column);
        let columns = columns.chain(computed).collect::<Vec<_>>();
        LogicalPlanBuilder::from(input).project(columns)?.build()?
    };
    let (qualifier, rank) = window.schema.qualified_field(window.schema.fields().len() - 1);
    let node = TopN {
        ranking,
        last,
        partition,
        order,
        rank: (qualifier.cloned(), Arc::clone(rank)),
        schema: Arc::clone(input.schema()),
        input: input.clone(),
    };
    let node = LogicalPlan::Extension(Extension {
        node: Arc::new(node.with_input(input)?),
    });
    // Without the computed keys, which nothing above knows.
    let columns = window.schema.columns().into_iter().map(Expr::Column).collect();
    let plan = Projection::try_new(columns, Arc::new(node))?;
    Ok(Some(LogicalPlan::Projection(plan)))
}

fn ranking(function: &WindowFunction) -> Option<Ranking> {
    match function.fun.name() {
        "row_number" => Some(Ranking::RowNumber),
        "rank" => Some(Ranking::Rank),
        "dense_rank" => Some(Ranking::DenseRank),
        _ => None,
    }
}

impl PartialOrd for TopN {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (&self.partition, &self.order, self.last)
            .partial_cmp(&(&other.partition, &other.order, other.last))
            .filter(|_| self == other)
    }
}

impl UserDefinedLogicalNodeCore for TopN {
    fn name(&self) -> &'static str {
        "TopN"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        let order = self.order.iter().map(|sort| sort.expr.clone());
        let partition = self.partition.iter().cloned().map(Expr::Column);
        partition.chain(order).collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let name = match self.ranking {
            Ranking::RowNumber => "row_number",
            Ranking::Rank => "rank",
            Ranking::DenseRank => "dense_rank",
        };
        let partition = self.partition.iter().map(ToString::to_string);
        let partition = partition.collect::<Vec<_>>().join(", ");
        let order = self.order.iter().map(ToString::to_string);
        let order = order.collect::<Vec<_>>().join(", ");
        write!(
            f,
            "TopN: {name} up to {} of each {partition}, by {order}",
            self.last
        )
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let Some(input) = inputs.pop() else {
            return plan_err!("the first rows of groups have one input");
        };
        let columns = exprs.into_iter().map(|expr| match expr {
            Expr::Column(column) => Ok(column),
            other => plan_err!("the first rows of groups by {other}, which is no column"),
        });
        let mut partition = columns.collect::<Result<Vec<_>>>()?;
        let order = partition.split_off(self.partition.len());
        let order = order.into_iter().zip(&self.order).map(|(column, sort)| Sort {
            expr: Expr::Column(column),
            ..*sort
        });
        let order = order.collect();
        Self {
            partition,
            order,
            ..self.clone()
        }
        .with_input(input)
    }

    /// What the nodes above need, and the keys.
    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let schema = self.input.schema();
        let mut columns = output_columns.to_vec();
        columns.retain(|&column| column < schema.fields().len());
        for expr in self.expressions() {
            columns.push(schema.maybe_index_of_column(column(&expr)?)?);
        }
        columns.sort_unstable();
        columns.dedup();
        Some(vec![columns])
    }
}
