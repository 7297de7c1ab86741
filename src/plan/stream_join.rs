//! The logical node of a join of two streams.
//!
//! DataFusion's optimizer works on its own joins: it finds the equal keys, moves conditions into the sides and drops
//! columns. [`plan_stream_joins`] comes after it and puts a [`StreamJoin`] in the place of each join of two streams.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use datafusion::catalog::Session;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Column, DFSchema, DFSchemaRef, JoinType, NullEquality, Result, plan_err};
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::utils::{conjunction, split_conjunction, split_conjunction_owned};
use datafusion::logical_expr::{
    BinaryExpr, Expr, ExprSchemable, Extension, Join, LogicalPlan, Operator, UserDefinedLogicalNodeCore,
};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::PhysicalPlanner;

use crate::error::Error;
use crate::operators::stream_join::{JoinEviction, JoinSpec, SideSpec, StreamJoinExec};
use crate::plan::event_time::{eviction_among, is_event_time};
use crate::plan::stream_table::is_streaming;
use crate::plan::time_bound::state_bound;
use crate::state::store::EvictionTime;

/// A join of two streams. Schema: the join's.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StreamJoin {
    left: LogicalPlan,
    right: LogicalPlan,
    on: Vec<(Expr, Expr)>,
    filter: Option<Expr>,
    join_type: JoinType,
    null_equality: NullEquality,
    schema: DFSchemaRef,
}

/// Turns every join of two streams in an optimized plan into a [`StreamJoin`].
///
/// # Errors
///
/// A statement error if the join has no equal keys, or is of a kind or without a time bound that streams need.
pub fn plan_stream_joins(plan: LogicalPlan) -> Result<LogicalPlan> {
    plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Join(join) if is_streaming(&join.left) && is_streaming(&join.right) => {
            check_stream_join(&join)?;
            let node = StreamJoin::try_new(join)?;
            Ok(Transformed::yes(LogicalPlan::Extension(Extension {
                node: Arc::new(node),
            })))
        }
        other => Ok(Transformed::no(other)),
    })
    .data()
}

/// Refuses a join of two streams whose kind needs more than its condition says: rows without a match are final only
/// once the watermark says so (Spark: `checkForStreamStreamJoinWatermark`).
///
/// # Errors
///
/// A statement error with a hint.
pub fn check_stream_join(join: &Join) -> Result<(), Error> {
    let (left, right) = (join.left.schema(), join.right.schema());
    let conditions = join.filter.iter().flat_map(split_conjunction).collect::<Vec<_>>();
    let bounded = |kept, moving| state_bound(&conditions, kept, moving).is_some();
    let is_bounded = match join.join_type {
        JoinType::Inner => return Ok(()),
        JoinType::Left | JoinType::LeftSemi => bounded(left, right),
        JoinType::Right => bounded(right, left),
        JoinType::Full => bounded(left, right) || bounded(right, left),
        _ => {
            return Err(Error::statement(format!(
                "a {} join of two streams is not possible",
                kind_of(join.join_type)
            ))
            .hint(
                "A row without a match may still get one. Streams can be joined by INNER, LEFT, RIGHT, FULL and LEFT SEMI.",
            ));
        }
    };
    let keys = join.on.iter().map(|(left, right)| (left, right));
    let equalities = conditions.iter().filter_map(|condition| equality(condition));
    let mut keys = keys.chain(equalities);
    let has_time = |expr: &Expr| marks_event_time(expr, left) || marks_event_time(expr, right);
    if is_bounded || keys.any(|(one, other)| has_time(one) || has_time(other)) {
        return Ok(());
    }
    let kind = kind_of(join.join_type);
    let error = Error::statement(format!(
        "a {kind} join of two streams needs a watermark on each and a bound on the time between their rows"
    ));
    let time = |schema: &DFSchema| {
        let mut fields = schema.fields().iter();
        fields
            .find(|field| is_event_time(field))
            .map(|field| field.name().clone())
    };
    Err(error.hint(match (time(left), time(right)) {
        (Some(one), Some(other)) => format!(
            "Add a range to ON, for instance {other} BETWEEN {one} AND {one} + INTERVAL 1 HOUR, or join on equal windows of both."
        ),
        _ => "Declare WATERMARK column DELAY OF INTERVAL 10 MINUTES on both streams, and add a range to ON: \
              b.time BETWEEN a.time AND a.time + INTERVAL 1 HOUR."
            .to_owned(),
    }))
}

/// As SQL calls it.
pub fn kind_of(join_type: JoinType) -> &'static str {
    match join_type {
        JoinType::Inner => "inner",
        JoinType::Left => "left outer",
        JoinType::Right => "right outer",
        JoinType::Full => "full outer",
        JoinType::LeftSemi => "left semi",
        JoinType::LeftAnti => "left anti",
        JoinType::RightSemi => "right semi",
        JoinType::RightAnti => "right anti",
        JoinType::LeftMark | JoinType::RightMark => "mark",
    }
}

fn equality(condition: &Expr) -> Option<(&Expr, &Expr)> {
    match condition {
        Expr::BinaryExpr(BinaryExpr {
            left,
            op: Operator::Eq,
            right,
        }) => Some((left, right)),
        _ => None,
    }
}

/// Whether an expression is an event time as it stands: the column, or a window made of it.
fn marks_event_time(expr: &Expr, schema: &DFSchema) -> bool {
    match expr {
        Expr::Alias(alias) => marks_event_time(&alias.expr, schema),
        Expr::Column(_) | Expr::ScalarFunction(_) => expr
            .to_field(schema)
            .is_ok_and(|(_, field)| is_event_time(&field)),
        _ => false,
    }
}

/// What evicts the two sides (Spark: `StreamingSymmetricHashJoinHelper.getStateWatermarkPredicates`).
fn evictions(join: &StreamJoin) -> Result<[Option<JoinEviction>; 2]> {
    let (left, right) = (join.left.schema(), join.right.schema());
    let key_time = |keys: &mut dyn Iterator<Item = (&Expr, &DFSchema)>| {
        for (column, (expr, schema)) in keys.enumerate() {
            if marks_event_time(expr, schema) {
                let (_, field) = expr.to_field(schema)?;
                let time = eviction_among([field.as_ref()]);
                return Ok(time.map(|time| EvictionTime { column, ..time }));
            }
        }
        Ok::<_, datafusion::error::DataFusionError>(None)
    };
    let left_time = key_time(&mut join.on.iter().map(|(expr, _)| (expr, left.as_ref())))?;
    let key = match left_time {
        Some(time) => Some(time),
        None => key_time(&mut join.on.iter().map(|(_, expr)| (expr, right.as_ref())))?,
    };
    if let Some(time) = key {
        return Ok([Some(JoinEviction::Key(time)), Some(JoinEviction::Key(time))]);
    }
    let conditions = join.filter.iter().flat_map(split_conjunction).collect::<Vec<_>>();
    let by_value = |kept: &DFSchema, moving: &DFSchema| {
        let bound = state_bound(&conditions, kept, moving)?;
        let column = bound.time?;
        let time = eviction_among([kept.field(column).as_ref()])?;
        let (time, offset_us) = (EvictionTime { column, ..time }, bound.offset_us);
        Some(JoinEviction::Value { time, offset_us })
    };
    Ok([by_value(left, right), by_value(right, left)])
}

impl StreamJoin {
    fn try_new(join: Join) -> Result<Self> {
        if join.on.is_empty() {
            return Err(
                Error::statement("a join of two streams needs columns that are equal")
                    .hint("Add an equality to ON, for instance a.id = b.id: each side's rows are kept by it.")
                    .into(),
            );
        }
        Ok(Self {
            left: Arc::unwrap_or_clone(join.left),
            right: Arc::unwrap_or_clone(join.right),
            on: join.on,
            filter: join.filter,
            join_type: join.join_type,
            null_equality: join.null_equality,
            schema: join.schema,
        })
    }

    /// The physical node over the two planned inputs.
    ///
    /// # Errors
    ///
    /// An expression that cannot be planned, a key type that has no row format.
    pub fn plan(
        &self,
        planner: &dyn PhysicalPlanner,
        inputs: [Arc<dyn ExecutionPlan>; 2],
        session: &dyn Session,
        context: &PhysicalPlanningContext,
    ) -> Result<StreamJoinExec> {
        let physical = |expr: &Expr, schema: &DFSchema| -> Result<Arc<dyn PhysicalExpr>> {
            planner.create_physical_expr(expr, schema, session, context)
        };
        let (left, right) = (self.left.schema(), self.right.schema());
        let split = SplitCondition::of(self.filter.clone(), left, right);
        let joined = left.join(right)?;
        let filter = split.both.map(|filter| physical(&filter, &joined)).transpose()?;
        let [left_eviction, right_eviction] = evictions(self)?;
        let side = |schema: &DFSchema, keys: Vec<&Expr>, only: Option<Expr>, eviction| -> Result<SideSpec> {
            let key_names = keys.iter().map(|key| name_of(key)).collect::<Result<_>>()?;
            Ok(SideSpec {
                key_names,
                keys: keys
                    .into_iter()
                    .map(|key| physical(key, schema))
                    .collect::<Result<_>>()?,
                only: only.map(|only| physical(&only, schema)).transpose()?,
                eviction,
            })
        };
        let spec = JoinSpec {
            left: side(
                left,
                self.on.iter().map(|(key, _)| key).collect(),
                split.left,
                left_eviction,
            )?,
            right: side(
                right,
                self.on.iter().map(|(_, key)| key).collect(),
                split.right,
                right_eviction,
            )?,
            filter,
            join_type: self.join_type,
            // In a full join Spark takes null keys for equal: it finds rows by their keys' bytes, and only its other joins
            // drop rows with null keys beforehand.
            nulls_match: self.null_equality == NullEquality::NullEqualsNull
                || self.join_type == JoinType::Full,
            schema: Arc::new(self.schema.as_arrow().clone()),
        };
        let [left, right] = inputs;
        StreamJoinExec::try_new(left, right, spec)
    }
}

/// An expression as text, without the relations that its columns are of: a query may get another source.
fn name_of(expr: &Expr) -> Result<String> {
    let plain = expr.clone().transform(|expr| match expr {
        Expr::Column(column) => Ok(Transformed::yes(Expr::Column(Column::new_unqualified(
            column.name,
        )))),
        other => Ok(Transformed::no(other)),
    });
    Ok(plain.data()?.schema_name().to_string())
}

/// A condition in parts: what one side's rows fulfil by themselves, and what pairs fulfil.
struct SplitCondition {
    left: Option<Expr>,
    right: Option<Expr>,
    both: Option<Expr>,
}

impl SplitCondition {
    fn of(condition: Option<Expr>, left: &DFSchema, right: &DFSchema) -> Self {
        let (mut of_left, mut of_right, mut of_both) = (Vec::new(), Vec::new(), Vec::new());
        for part in condition.map(split_conjunction_owned).unwrap_or_default() {
            let columns = part.column_refs();
            let within = |schema: &DFSchema| columns.iter().all(|column| schema.has_column(column));
            let parts = match (part.is_volatile(), within(left), within(right)) {
                (false, true, false) => &mut of_left,
                (false, false, true) => &mut of_right,
                _ => &mut of_both,
            };
            parts.push(part);
        }
        Self {
            left: conjunction(of_left),
            right: conjunction(of_right),
            both: conjunction(of_both),
        }
    }
}

impl PartialOrd for StreamJoin {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (&self.on, &self.filter)
            .partial_cmp(&(&other.on, &other.filter))
            .filter(|order| *order != Ordering::Equal || self == other)
    }
}

impl UserDefinedLogicalNodeCore for StreamJoin {
    fn name(&self) -> &'static str {
        "StreamJoin"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.left, &self.right]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    /// The keys in pairs, then the condition.
    fn expressions(&self) -> Vec<Expr> {
        let keys = self.on.iter().flat_map(|(left, right)| [left, right]);
        keys.chain(&self.filter).cloned().collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let keys = self.on.iter().map(|(left, right)| format!("{left} = {right}"));
        let keys = keys.collect::<Vec<_>>().join(", ");
        write!(f, "StreamJoin: {}, {keys}", kind_of(self.join_type))?;
        match &self.filter {
            Some(filter) => write!(f, ", {filter}"),
            None => Ok(()),
        }
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let (Some(right), Some(left), true) = (inputs.pop(), inputs.pop(), inputs.is_empty()) else {
            return plan_err!("a join has two inputs");
        };
        let mut exprs = exprs.into_iter();
        let mut on = Vec::with_capacity(self.on.len());
        for _ in &self.on {
            match (exprs.next(), exprs.next()) {
                (Some(left), Some(right)) => on.push((left, right)),
                _ => return plan_err!("a join's keys come in pairs"),
            }
        }
        Ok(Self {
            left,
            right,
            on,
            filter: exprs.next(),
            join_type: self.join_type,
            null_equality: self.null_equality,
            schema: Arc::clone(&self.schema),
        })
    }
}
