//! A DataFrame over streams or static rows: lazy, made of DataFusion expressions or SQL texts.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::displayable;

use crate::error::{Error, Result};
use crate::functions::window::WINDOW;
use crate::interval::{Interval, Reason};
use crate::plan::physical::StreamingPlan;
use crate::plan::stream_table::is_streaming;
use crate::plan::time_window::rewrite_windows;
use crate::plan::watermark::EventTimeWatermark;
use crate::session::{DataStreamWriter, Session};
use crate::sink::OutputMode;

/// A column or an expression: a DataFusion expression, or SQL text such as `"upper(kind) AS kind"`.
pub trait IntoExpr {
    /// The expression over the columns of `frame`.
    ///
    /// # Errors
    ///
    /// A statement error if a text is no expression over those columns.
    fn into_expr(self, frame: &DataFrame) -> Result<Expr>;
}

impl IntoExpr for Expr {
    fn into_expr(self, _: &DataFrame) -> Result<Expr> {
        Ok(self)
    }
}

impl IntoExpr for &str {
    fn into_expr(self, frame: &DataFrame) -> Result<Expr> {
        let state = frame.session.catalog().lock().context().state();
        let (text, alias) = split_alias(self);
        let expr = state.create_logical_expr(text, frame.plan.schema())?;
        Ok(match alias {
            Some(alias) => expr.alias(alias),
            None => expr,
        })
    }
}

/// A lazy table of rows. Nothing is read before [`DataFrame::collect`] or a started query asks for it.
#[derive(Debug, Clone)]
pub struct DataFrame {
    session: Session,
    plan: LogicalPlan,
}

impl DataFrame {
    pub(crate) fn new(session: Session, plan: LogicalPlan) -> Self {
        Self { session, plan }
    }

    /// The plan so far.
    pub fn logical_plan(&self) -> &LogicalPlan {
        &self.plan
    }

    /// The session that it belongs to.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The columns.
    pub fn schema(&self) -> SchemaRef {
        Arc::new(self.plan.schema().as_arrow().clone())
    }

    /// Whether its rows come from a stream.
    pub fn is_streaming(&self) -> bool {
        is_streaming(&self.plan)
    }

    /// Declares a column as event time that rows may be late for by `delay`: `"10 minutes"`.
    ///
    /// # Errors
    ///
    /// A statement error if there is no such column, if it is no timestamp, or if the delay is none.
    pub fn with_watermark(self, column: &str, delay: &str) -> Result<Self> {
        let wrong = |reason: Reason| {
            Error::statement(format!("the delay of a watermark: {}", reason.message)).hint(reason.hint)
        };
        let delay = Interval::parse(delay).and_then(|delay| delay.to_duration());
        let delay_ms = i64::try_from(delay.map_err(wrong)?.as_millis()).unwrap_or(i64::MAX);
        let plan = EventTimeWatermark::try_new(self.plan, column, delay_ms)?.into_plan();
        Ok(Self {
            session: self.session,
            plan,
        })
    }

    /// Some columns or expressions.
    ///
    /// # Errors
    ///
    /// A statement error for what is no expression over the columns.
    pub fn select<E: IntoExpr>(self, exprs: impl IntoIterator<Item = E>) -> Result<Self> {
        let exprs = self.exprs(exprs)?;
        self.with_plan(|plan| plan.project(exprs))
    }

    /// The rows for which a condition is true.
    ///
    /// # Errors
    ///
    /// A statement error for what is no condition over the columns.
    pub fn filter(self, condition: impl IntoExpr) -> Result<Self> {
        let condition = condition.into_expr(&self)?;
        self.with_plan(|plan| plan.filter(condition))
    }

    /// Groups rows; `"window(at, '10 minutes')"` makes a column `window`.
    ///
    /// # Errors
    ///
    /// A statement error for what is no expression over the columns.
    pub fn group_by<E: IntoExpr>(self, keys: impl IntoIterator<Item = E>) -> Result<GroupedData> {
        let keys = self.exprs(keys)?;
        Ok(GroupedData { frame: self, keys })
    }

    /// Makes it a view under a name that SQL can use.
    ///
    /// # Errors
    ///
    /// A statement error if the name is taken.
    pub fn create_view(&self, name: &str) -> Result<()> {
        let plan = self.plan.clone();
        self.session
            .catalog()
            .lock()
            .add_view(name, plan, "made by the program")
            .map(|_| ())
    }

    /// Begins to define a query that writes its rows somewhere, batch after batch.
    pub fn write_stream(self) -> DataStreamWriter {
        DataStreamWriter::new(self)
    }

    /// All rows, if they do not come from a stream.
    ///
    /// # Errors
    ///
    /// A statement error over a stream; what fails while it runs.
    pub async fn collect(&self) -> Result<Vec<RecordBatch>> {
        if self.is_streaming() {
            return Err(Error::statement("a SELECT over a stream never ends").hint(
                "Make it a query: CREATE STREAMING QUERY name AS SELECT ..., or write_stream() in Rust.",
            ));
        }
        let context = self.session.catalog().lock().context().clone();
        let plan = rewrite_windows(self.plan.clone())?;
        let session = self.session.clone();
        // On the session's threads: the caller's may be too few, or no runtime's at all.
        let run = session.context().runtime.spawn(async move {
            let frame = context.execute_logical_plan(plan).await?;
            frame.collect().await
        });
        let batches = run
            .await
            .map_err(|panic| Error::internal("a SELECT panicked").caused_by(panic))?;
        Ok(batches?)
    }

    /// Finds what is wrong with it without reading a row.
    pub(crate) async fn check(&self) -> Result<()> {
        self.physical_text().await.map(|_| ())
    }

    /// The physical plan as indented text.
    pub(crate) async fn physical_text(&self) -> Result<String> {
        if self.is_streaming() {
            let state = self.session.catalog().lock().context().state();
            return Ok(
                StreamingPlan::try_new(&state, self.plan.clone(), OutputMode::Append)
                    .await?
                    .explain(),
            );
        }
        let context = self.session.catalog().lock().context().clone();
        let plan = context
            .state()
            .create_physical_plan(&rewrite_windows(self.plan.clone())?)
            .await?;
        Ok(displayable(plan.as_ref()).indent(false).to_string())
    }

    fn exprs<E: IntoExpr>(&self, exprs: impl IntoIterator<Item = E>) -> Result<Vec<Expr>> {
        exprs.into_iter().map(|expr| expr.into_expr(self)).collect()
    }

    fn with_plan(
        self,
        build: impl FnOnce(LogicalPlanBuilder) -> datafusion::common::Result<LogicalPlanBuilder>,
    ) -> Result<Self> {
        let plan = build(LogicalPlanBuilder::from(self.plan)).and_then(LogicalPlanBuilder::build);
        let plan = plan.map_err(|error| Error::statement(error.strip_backtrace()))?;
        Ok(Self {
            session: self.session,
            plan,
        })
    }
}

/// Rows in groups, waiting for what to compute of each.
#[derive(Debug)]
pub struct GroupedData {
    frame: DataFrame,
    keys: Vec<Expr>,
}

impl GroupedData {
    /// Computes aggregates of each group: the keys, then these.
    ///
    /// # Errors
    ///
    /// A statement error for what is no aggregate over the columns.
    pub fn agg<E: IntoExpr>(self, aggregates: impl IntoIterator<Item = E>) -> Result<DataFrame> {
        let aggregates = self.frame.exprs(aggregates)?;
        let names = self
            .keys
            .iter()
            .chain(&aggregates)
            .map(column_name)
            .collect::<Vec<_>>();
        let keys = self.keys.into_iter().map(Expr::unalias).collect::<Vec<_>>();
        let aggregates = aggregates.into_iter().map(Expr::unalias).collect::<Vec<_>>();
        let frame = self.frame.with_plan(|plan| plan.aggregate(keys, aggregates))?;
        let columns = frame.plan.schema().columns().into_iter().zip(names);
        let columns = columns.map(|(column, name)| {
            if column.name == name {
                Expr::Column(column)
            } else {
                Expr::Column(column).alias(name)
            }
        });
        let columns = columns.collect::<Vec<_>>();
        frame.with_plan(|plan| plan.project(columns))
    }
}

/// The name of an output column, as Spark gives it.
fn column_name(expr: &Expr) -> String {
    match expr {
        Expr::ScalarFunction(function) if function.func.name() == WINDOW => WINDOW.to_owned(),
        other => other.qualified_name().1,
    }
}

/// Splits `expr AS name`, where `AS` is a word of its own outside of quotes and parentheses.
fn split_alias(text: &str) -> (&str, Option<&str>) {
    let (mut depth, mut quote) = (0_i32, None);
    let mut found = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (None, '\'' | '"' | '`') => quote = Some(c),
            (None, '(' | '[') => depth += 1,
            (None, ')' | ']') => depth -= 1,
            (None, ' ')
                if depth == 0
                    && text[at..]
                        .get(..4)
                        .is_some_and(|word| word.eq_ignore_ascii_case(" as ")) =>
            {
                found = Some(at);
            }
            _ => {}
        }
    }
    match found {
        Some(at) => (text[..at].trim(), Some(text[at + 4..].trim().trim_matches('`'))),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_is_a_word_of_its_own() {
        assert_eq!(split_alias("cast(a as int)"), ("cast(a as int)", None));
        assert_eq!(
            split_alias("cast(a as int) AS `b c`"),
            ("cast(a as int)", Some("b c"))
        );
        assert_eq!(split_alias("concat(a, ' as ')"), ("concat(a, ' as ')", None));
        assert_eq!(split_alias("' as ' as x"), ("' as '", Some("x")));
    }
}
