//! DataFusion plans what queries become, with the names that Spark gives the columns.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema, TimeUnit};
use datafusion::datasource::empty::EmptyTable;
use datafusion::logical_expr::{
    ColumnarValue, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::Statement as SqlStatement;

use super::{lookup, select};
use crate::sql::{QueryText, rewrite_query};

/// A function that is planned and never run: `window` and its like have the type of a window.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Planned {
    name: &'static str,
    signature: Signature,
    returns: DataType,
}

impl ScalarUDFImpl for Planned {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> datafusion::error::Result<DataType> {
        Ok(self.returns.clone())
    }

    fn invoke_with_args(&self, _args: ScalarFunctionArgs) -> datafusion::error::Result<ColumnarValue> {
        datafusion::common::internal_err!("planned only")
    }
}

fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, None)
}

fn window() -> DataType {
    let fields: Fields = vec![
        Field::new("start", timestamp(), true),
        Field::new("end", timestamp(), true),
    ]
    .into();
    DataType::Struct(fields)
}

/// The catalog of these tests, as tables without rows.
pub(crate) fn context() -> SessionContext {
    let mut config = SessionConfig::new();
    config.options_mut().sql_parser.enable_ident_normalization = false;
    config.options_mut().sql_parser.collect_spans = true;
    let context = SessionContext::new_with_config(config);
    for (name, returns) in [
        ("window", window()),
        ("session_window", window()),
        ("window_time", timestamp()),
        ("div", DataType::Int64),
    ] {
        context.register_udf(ScalarUDF::from(Planned {
            name,
            signature: Signature::variadic_any(Volatility::Immutable),
            returns,
        }));
    }
    for relation in ["events", "clicks", "kv", "by_hour"] {
        let known = lookup(relation).expect("a relation of the catalog");
        let fields = known.columns.iter().map(|column| {
            let data_type = match column.as_str() {
                "event_time" | "at" => timestamp(),
                "amount" => DataType::Float64,
                "v" | "n" => DataType::Int32,
                "tags" => DataType::List(Arc::new(Field::new("item", DataType::Utf8, true))),
                "window" => window(),
                _ => DataType::Utf8,
            };
            Field::new(column, data_type, true)
        });
        let schema = Arc::new(Schema::new(fields.collect::<Fields>()));
        context
            .register_table(relation, Arc::new(EmptyTable::new(schema)))
            .expect("a table");
    }
    context
}

/// Plans and optimizes a query; its generated relations are the ones that they stand for.
pub(crate) async fn plan(
    context: &SessionContext,
    query: &QueryText,
) -> datafusion::error::Result<LogicalPlan> {
    let rewritten = rewrite_query(query, &lookup)?;
    for watermark in &rewritten.watermarks {
        let provider = context.table_provider(watermark.relation.as_str()).await?;
        context.register_table(watermark.generated_name.as_str(), provider)?;
    }
    let statement = Statement::Statement(Box::new(SqlStatement::Query(rewritten.query)));
    let state = context.state();
    let plan = state.statement_to_plan(statement).await?;
    state.optimize(&plan)?;
    Ok(plan)
}

#[tokio::test]
async fn datafusion_plans_them_with_sparks_names() {
    let context = context();
    let cases: [(&str, &[&str]); 26] = [
        ("SELECT EVENT_ID, Events.User_Id, UPPER(Event_Type) FROM EVENTS", &["EVENT_ID", "User_Id", "upper(Event_Type)"]),
        (
            "SELECT window, event_type, count(*) AS n, round(sum(amount), 2) AS amount FROM events
             GROUP BY window(event_time, '1 hour'), event_type HAVING count(*) > 1 ORDER BY window.start, window",
            &["window", "event_type", "n", "amount"],
        ),
        (
            "SELECT window.start, window.end AS till, count(*) FROM events GROUP BY window(event_time, '10 minutes')",
            &["start", "till", "count(1)"],
        ),
        (
            "SELECT session_window.start AS start, user_id, count(*) AS n FROM events
             GROUP BY session_window(event_time, '5 minutes'), user_id HAVING session_window.end IS NOT NULL",
            &["start", "user_id", "n"],
        ),
        (
            "SELECT window(window_time(window), '20 minutes').start AS start, sum(n) AS n FROM (
             SELECT window, count(*) AS n FROM events GROUP BY window(event_time, '5 minutes'))
             GROUP BY window(window_time(window), '20 minutes')",
            &["start", "n"],
        ),
        ("SELECT window.start, n FROM by_hour ORDER BY window.start", &["start", "n"]),
        (
            "SELECT i.window.start AS start, i.n, c.n AS m FROM
             (SELECT window, count(*) AS n FROM events GROUP BY window(event_time, '1 hour')) i
             JOIN by_hour c ON i.window = c.window",
            &["start", "n", "m"],
        ),
        (
            "SELECT k, count(*) AS n FROM kv GROUP BY k ORDER BY n DESC, k LIMIT 2",
            &["k", "n"],
        ),
        ("SELECT upper(k), count(*) FROM kv GROUP BY upper(k) ORDER BY upper(k), count(*)", &["upper(k)", "count(1)"]),
        ("SELECT v % 2 AS parity, count(*) AS n FROM kv GROUP BY v % 2", &["parity", "n"]),
        ("SELECT V % 2, sum(V) + 1 FROM kv GROUP BY v % 2", &["(V % 2)", "(sum(V) + 1)"]),
        ("SELECT DISTINCT ON (user_id) user_id, event_type FROM events", &["user_id", "event_type"]),
        ("SELECT DISTINCT k FROM kv ORDER BY K", &["k"]),
        (
            "SELECT event_id, at FROM events WATERMARK event_time DELAY OF INTERVAL 10 MINUTES AS e
             JOIN clicks WATERMARK at DELAY OF '1 hour' ON e.user_id = clicks.user_id AND at <= event_time + INTERVAL 1 HOUR 30 MINUTES",
            &["event_id", "at"],
        ),
        ("SELECT * FROM events LEFT SEMI JOIN kv ON user_id = k", &["event_id", "user_id", "event_type", "event_time", "amount", "tags"]),
        ("SELECT struct(k, v AS w) AS s, struct(*) AS all FROM kv", &["s", "all"]),
        ("SELECT k AS a FROM kv UNION ALL SELECT event_id FROM events ORDER BY A LIMIT 3", &["a"]),
        ("SELECT Col1, b.x FROM (VALUES (1, 'a')), (VALUES (2)) AS b (x)", &["Col1", "x"]),
        (
            "SELECT v <=> 1 AS a, v == 2 AS b, v DIV 2 AS c, k RLIKE 'x+' AS d, !(v > 1) AS e, k NOT RLIKE 'y' AS f FROM kv",
            &["a", "b", "c", "d", "e", "f"],
        ),
        ("SELECT k, v, count(*) AS n FROM kv GROUP BY k, v WITH CUBE", &["k", "v", "n"]),
        (
            "WITH Totals AS (SELECT K, sum(v) AS total FROM kv GROUP BY k) SELECT t.TOTAL FROM TOTALS t JOIN kv ON t.k = kv.k",
            &["TOTAL"],
        ),
        (
            "SELECT k FROM kv WHERE v > (SELECT avg(V) FROM KV) AND k IN (SELECT user_id FROM events)
             AND EXISTS (SELECT 1 FROM clicks WHERE click_id = k)",
            &["k"],
        ),
        ("SELECT k, row_number() OVER (PARTITION BY K ORDER BY V) AS r FROM kv QUALIFY r = 1", &["k", "r"]),
        ("SELECT E.Tags[1], user_id FROM events e", &["E.Tags[1]", "user_id"]),
        ("SELECT sum(v) AS Total, max(k) AS total_k FROM kv HAVING total > 1 ORDER BY TOTAL", &["Total", "total_k"]),
        ("SELECT a.k FROM kv a JOIN kv b ON a.K = B.k CROSS JOIN events", &["k"]),
    ];
    for (text, names) in cases {
        let plan = plan(&context, &select(text))
            .await
            .unwrap_or_else(|error| panic!("{text}\n{error}"));
        let found: Vec<&str> = plan
            .schema()
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        assert_eq!(found, names, "{text}");
    }
}
