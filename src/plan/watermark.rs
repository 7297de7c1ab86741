//! The logical node of WATERMARK: passes its rows on and marks a column as event time.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{Column, DFSchema, DFSchemaRef, Result, plan_err};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};

use crate::error::Error;
use crate::interval::format_duration_us;
use crate::plan::event_time::{with_mark, without_mark};

/// `input WATERMARK column DELAY OF delay`: Spark's `EventTimeWatermark`.
///
/// Schema: the input's, with the column's field marked (and any earlier mark of another column removed).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EventTimeWatermark {
    input: LogicalPlan,
    column: Column,
    delay_ms: i64,
    schema: DFSchemaRef,
}

impl EventTimeWatermark {
    /// Puts a watermark on `column` of `input`.
    ///
    /// # Errors
    ///
    /// A statement error if there is no such column, or it is no timestamp and no window.
    pub fn try_new(input: LogicalPlan, column: &str, delay_ms: i64) -> Result<Self, Error> {
        let schema = input.schema();
        let found = schema
            .iter()
            .find(|(_, field)| field.name() == column)
            .or_else(|| {
                // Spark's names are case-insensitive.
                schema
                    .iter()
                    .find(|(_, field)| field.name().eq_ignore_ascii_case(column))
            });
        let Some((qualifier, field)) = found else {
            let names = schema
                .iter()
                .map(|(_, field)| field.name().as_str())
                .collect::<Vec<_>>();
            let hint = match crate::suggest::did_you_mean(column, names.iter().copied()) {
                Some(name) => format!("Did you mean \"{name}\"?"),
                None => format!("The columns are {}.", names.join(", ")),
            };
            return Err(
                Error::statement(format!("there is no column \"{column}\" to put a watermark on")).hint(hint),
            );
        };
        let is_window = matches!(field.data_type(), DataType::Struct(fields)
            if fields.len() == 2 && fields[0].name() == "start" && fields[1].name() == "end");
        if !is_window && !matches!(field.data_type(), DataType::Timestamp(TimeUnit::Microsecond, _)) {
            let of = field.data_type();
            return Err(Error::statement(format!(
                "column \"{column}\" is of type {of}, and a watermark needs a TIMESTAMP"
            ))
            .hint("Declare it as TIMESTAMP, or make it one in a view: to_timestamp(column)."));
        }
        let column = Column::new(qualifier.cloned(), field.name());
        Self::over(input, column, delay_ms).map_err(Error::from)
    }

    /// The marked column.
    pub fn column(&self) -> &Column {
        &self.column
    }

    /// How far the watermark stays behind the newest event time, in milliseconds.
    pub fn delay_ms(&self) -> i64 {
        self.delay_ms
    }

    /// The node as a plan.
    pub fn into_plan(self) -> LogicalPlan {
        LogicalPlan::Extension(Extension { node: Arc::new(self) })
    }

    /// Puts a watermark on a column of `input` that can have one.
    ///
    /// # Errors
    ///
    /// If there is no such column.
    pub fn over(input: LogicalPlan, column: Column, delay_ms: i64) -> Result<Self> {
        let index = input.schema().index_of_column(&column)?;
        let fields = input.schema().iter().enumerate().map(|(i, (qualifier, field))| {
            let field = if i == index {
                with_mark(field, delay_ms)
            } else {
                without_mark(field)
            };
            (qualifier.cloned(), Arc::new(field))
        });
        let schema = DFSchema::new_with_metadata(fields.collect(), input.schema().metadata().clone())?;
        let schema = schema.with_functional_dependencies(input.schema().functional_dependencies().clone())?;
        Ok(Self {
            input,
            column,
            delay_ms,
            schema: Arc::new(schema),
        })
    }
}

impl PartialOrd for EventTimeWatermark {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (&self.column, self.delay_ms)
            .partial_cmp(&(&other.column, other.delay_ms))
            .filter(|_| self == other)
    }
}

impl UserDefinedLogicalNodeCore for EventTimeWatermark {
    fn name(&self) -> &'static str {
        "EventTimeWatermark"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        vec![Expr::Column(self.column.clone())]
    }

    /// Conditions on other columns go below, as in Spark: rows that they drop never move the watermark.
    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        HashSet::from([self.column.flat_name(), self.column.name.clone()])
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "EventTimeWatermark: {}, delay {}",
            self.column,
            format_duration_us(self.delay_ms * 1000)
        )
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let (Some(Expr::Column(column)), Some(input)) = (exprs.into_iter().next(), inputs.pop()) else {
            return plan_err!("a watermark has one column and one input");
        };
        Self::over(input, column, self.delay_ms)
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let own = self.schema.maybe_index_of_column(&self.column)?;
        let mut columns = output_columns.to_vec();
        columns.push(own);
        columns.sort_unstable();
        columns.dedup();
        Some(vec![columns])
    }
}
