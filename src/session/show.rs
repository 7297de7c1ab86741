//! The rows of SHOW, DESCRIBE and EXPLAIN.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray};
use arrow::datatypes::{Field, Schema};
use arrow::record_batch::RecordBatch;

use crate::engine::Rows;
use crate::engine::snapshot::CatalogKind;
use crate::error::{Error, Result};
use crate::execution::StreamingQuery;
use crate::execution::state_page::{StateOrder, StateRequest};
use crate::session::{DataFrame, Session};
use crate::sql::rewrite::calls::other_name;
use crate::sql::statement::{Describe, Show, StateKeys};
use crate::suggest::did_you_mean;
use crate::types::{ddl_of, spark_type_name};

/// `SHOW STREAMS | TABLES | VIEWS | QUERIES | FUNCTIONS`.
pub(super) fn list(session: &Session, what: Show) -> Result<Rows> {
    let kinds: &[CatalogKind] = match what {
        Show::Streams => &[CatalogKind::Stream],
        Show::Tables => &[CatalogKind::Table, CatalogKind::Result],
        Show::Views => &[CatalogKind::View],
        Show::Queries => return queries(session),
        Show::Functions => return functions(session),
    };
    let entries = session.catalog().lock().entries();
    let entries = entries
        .iter()
        .filter(|entry| kinds.contains(&entry.kind))
        .collect::<Vec<_>>();
    rows(vec![
        ("name", text(entries.iter().map(|entry| entry.name.clone()))),
        (
            "kind",
            text(entries.iter().map(|entry| entry.kind.as_str().to_owned())),
        ),
        ("columns", text(entries.iter().map(|entry| ddl_of(&entry.schema)))),
        ("from", text(entries.iter().map(|entry| entry.detail.clone()))),
    ])
}

fn queries(session: &Session) -> Result<Rows> {
    let queries = session.streams().all();
    let statuses = queries.iter().map(StreamingQuery::status).collect::<Vec<_>>();
    rows(vec![
        ("name", text(queries.iter().map(|query| query.name().to_string()))),
        ("id", text(statuses.iter().map(|status| status.id.to_string()))),
        (
            "state",
            text(statuses.iter().map(|status| status.state.as_str().to_owned())),
        ),
        (
            "message",
            text(statuses.iter().map(|status| status.message.clone())),
        ),
        (
            "outputMode",
            text(
                queries
                    .iter()
                    .map(|query| query.definition().output_mode.to_string()),
            ),
        ),
        (
            "trigger",
            text(queries.iter().map(|query| query.definition().trigger.to_string())),
        ),
        (
            "sink",
            text(queries.iter().map(|query| query.definition().sink.description())),
        ),
        ("warnings", text(queries.iter().map(lints))),
    ])
}

/// The names of what is worth a look in a query; DESCRIBE QUERY says it in sentences.
fn lints(query: &StreamingQuery) -> String {
    let warnings = query.warnings();
    let mut lints = warnings.iter().map(|warning| warning.lint).collect::<Vec<_>>();
    lints.dedup();
    lints.join(", ")
}

fn functions(session: &Session) -> Result<Rows> {
    let all = session.catalog().lock().functions();
    rows(vec![
        ("function", text(all.keys().cloned())),
        ("kind", text(all.values().map(|kind| (*kind).to_owned()))),
    ])
}

/// `DESCRIBE FUNCTION f`: what kind it is, and what else it is called.
fn describe_function(session: &Session, name: &str) -> Result<Rows> {
    let catalog = session.catalog().lock();
    let all = catalog.functions();
    let name = name.to_lowercase();
    let Some(kind) = all.get(&name) else {
        let error = Error::statement(format!("function \"{name}\" not found"));
        return Err(match did_you_mean(&name, all.keys().map(String::as_str)) {
            Some(near) => error.hint(format!("Did you mean {near}?")),
            None => error.hint("SHOW FUNCTIONS lists what is there."),
        });
    };
    let state = catalog.context().state();
    let aliases = |own: &str, aliases: &[String]| {
        let others = std::iter::once(own).chain(aliases.iter().map(String::as_str));
        let others = others.filter(|other| *other != name).collect::<Vec<_>>();
        others.join(", ")
    };
    let also = if let Some(function) = state.scalar_functions().get(&name) {
        aliases(function.name(), function.aliases())
    } else if let Some(function) = state.aggregate_functions().get(&name) {
        aliases(function.name(), function.aliases())
    } else {
        other_name(&name).unwrap_or_default().to_owned()
    };
    let facts = [
        ("function", name.clone()),
        ("kind", (*kind).to_owned()),
        ("alsoCalled", also),
    ];
    rows(vec![
        ("property", text(facts.iter().map(|(name, _)| (*name).to_owned()))),
        ("value", text(facts.iter().map(|(_, value)| value.clone()))),
    ])
}

/// `SHOW PROGRESS FOR q`: a row a batch.
pub(super) fn progress(query: &StreamingQuery) -> Result<Rows> {
    let recent = query.recent_progress();
    let state_rows = |index: usize| {
        recent[index]
            .state_operators
            .iter()
            .map(|op| op.num_rows_total)
            .sum::<u64>()
    };
    rows(vec![
        (
            "batchId",
            integers(recent.iter().map(|progress| progress.batch_id)),
        ),
        (
            "timestamp",
            text(recent.iter().map(|progress| progress.timestamp.clone())),
        ),
        (
            "numInputRows",
            integers(recent.iter().map(|progress| progress.num_input_rows)),
        ),
        (
            "processedRowsPerSecond",
            doubles(recent.iter().map(|progress| progress.processed_rows_per_second)),
        ),
        (
            "batchDuration",
            integers(recent.iter().map(|progress| progress.batch_duration)),
        ),
        (
            "watermark",
            optional(
                recent
                    .iter()
                    .map(|progress| progress.event_time.get("watermark").cloned()),
            ),
        ),
        ("numRowsTotal", integers((0..recent.len()).map(state_rows))),
        (
            "numOutputRows",
            integers(
                recent
                    .iter()
                    .map(|p| u64::try_from(p.sink.num_output_rows).unwrap_or(0)),
            ),
        ),
    ])
}

/// `SHOW STATE FOR q`: a row a stateful operator, as of the last batch.
pub(super) fn state(query: &StreamingQuery) -> Result<Rows> {
    let last = query.last_progress();
    let operators = last
        .as_ref()
        .map(|progress| progress.state_operators.as_slice())
        .unwrap_or_default();
    rows(vec![
        ("operator", integers(0..operators.len() as u64)),
        (
            "operatorName",
            text(operators.iter().map(|operator| operator.operator_name.clone())),
        ),
        (
            "numRowsTotal",
            integers(operators.iter().map(|operator| operator.num_rows_total)),
        ),
        (
            "numRowsUpdated",
            integers(operators.iter().map(|operator| operator.num_rows_updated)),
        ),
        (
            "numRowsRemoved",
            integers(operators.iter().map(|operator| operator.num_rows_removed)),
        ),
        (
            "numRowsDroppedByWatermark",
            integers(
                operators
                    .iter()
                    .map(|operator| operator.num_rows_dropped_by_watermark),
            ),
        ),
        (
            "memoryUsedBytes",
            integers(operators.iter().map(|operator| operator.memory_used_bytes)),
        ),
    ])
}

/// `SHOW STATE FOR q OPERATOR n`: keys and values of a stateful operator, by key.
pub(super) async fn state_keys(query: &StreamingQuery, keys: &StateKeys) -> Result<Rows> {
    let page = query.read_state(StateRequest {
        operator: keys.operator,
        as_of: keys.as_of,
        find: keys.find.clone(),
        order: StateOrder::Key,
        offset: 0,
        limit: keys.limit.unwrap_or(usize::MAX),
    });
    let rows = page.await?.rows;
    Ok(Rows {
        schema: rows.schema(),
        batches: vec![rows],
    })
}

/// `DESCRIBE name`: its columns; `DESCRIBE QUERY q`: what is known of the query.
pub(super) fn describe(session: &Session, what: &Describe) -> Result<Rows> {
    match what {
        Describe::Query(name) => describe_query(&session.streams().get_by_name(&name.value)?),
        Describe::Function(name) => describe_function(session, &name.value),
        Describe::Relation(name) => {
            let catalog = session.catalog().lock();
            let Some(schema) = catalog.schema_of(&name.value) else {
                return match session.streams().get_by_name(&name.value) {
                    Ok(query) => describe_query(&query),
                    Err(_) => Err(catalog.unknown(&name.value)),
                };
            };
            let fields = schema.fields();
            rows(vec![
                ("col_name", text(fields.iter().map(|field| field.name().clone()))),
                (
                    "data_type",
                    text(fields.iter().map(|field| spark_type_name(field.data_type()))),
                ),
                (
                    "nullable",
                    Arc::new(
                        fields
                            .iter()
                            .map(|field| Some(field.is_nullable()))
                            .collect::<BooleanArray>(),
                    ),
                ),
            ])
        }
    }
}

fn describe_query(query: &StreamingQuery) -> Result<Rows> {
    let (status, definition) = (query.status(), query.definition());
    let mut facts = vec![
        ("name", definition.name.to_string()),
        ("id", status.id.to_string()),
        (
            "runId",
            status.run_id.map(|id| id.to_string()).unwrap_or_default(),
        ),
        ("state", status.state.as_str().to_owned()),
        ("message", status.message),
        ("outputMode", definition.output_mode.to_string()),
        ("trigger", definition.trigger.to_string()),
        ("checkpoint", definition.checkpoint.display().to_string()),
        ("sources", status.sources.join(", ")),
        ("sink", definition.sink.description()),
        (
            "lastCommittedBatch",
            status.last_committed.map(|id| id.to_string()).unwrap_or_default(),
        ),
        ("statement", definition.sql.to_string()),
    ];
    if let Some(exception) = status.exception {
        facts.push(("exception", exception.message));
    }
    let warnings = query.warnings();
    facts.extend(warnings.iter().map(|warning| ("warning", warning.to_string())));
    rows(vec![
        ("property", text(facts.iter().map(|(name, _)| (*name).to_owned()))),
        ("value", text(facts.iter().map(|(_, value)| value.clone()))),
    ])
}

/// `EXPLAIN [ANALYZE] QUERY q`.
pub(super) async fn explain_query(query: &StreamingQuery, analyze: bool) -> Result<Rows> {
    if analyze {
        let Some(plan) = query.explain_analyze() else {
            return Err(
                Error::statement(format!("query \"{}\" has run no batch yet", query.name()))
                    .hint("START QUERY it and wait for data; EXPLAIN QUERY shows its plans."),
            );
        };
        let lines = plan.lines().map(str::to_owned).collect::<Vec<_>>();
        return rows(vec![("plan", text(lines.into_iter()))]);
    }
    let definition = query.definition();
    plan_rows(
        &definition.plan.display_indent().to_string(),
        &definition.plan().await?.explain(),
    )
}

/// `EXPLAIN SELECT ...`.
pub(super) async fn explain_frame(frame: &DataFrame) -> Result<Rows> {
    let physical = frame.physical_text().await?;
    plan_rows(&frame.logical_plan().display_indent().to_string(), &physical)
}

/// A row a line, so that a plan reads as a tree wherever rows are shown.
fn plan_rows(logical: &str, physical: &str) -> Result<Rows> {
    let logical = logical.lines().map(|line| ("logical", line));
    let physical = physical.lines().map(|line| ("physical", line));
    let lines = logical.chain(physical).collect::<Vec<_>>();
    rows(vec![
        (
            "plan_type",
            text(lines.iter().map(|(plan, _)| (*plan).to_owned())),
        ),
        ("plan", text(lines.iter().map(|(_, line)| (*line).to_owned()))),
    ])
}

fn rows(columns: Vec<(&str, ArrayRef)>) -> Result<Rows> {
    let fields = columns
        .iter()
        .map(|(name, array)| Field::new(*name, array.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays)?;
    Ok(Rows {
        schema,
        batches: vec![batch],
    })
}

fn text(values: impl Iterator<Item = String>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn optional(values: impl Iterator<Item = Option<String>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

fn integers(values: impl Iterator<Item = u64>) -> ArrayRef {
    Arc::new(
        values
            .map(|value| i64::try_from(value).ok())
            .collect::<Int64Array>(),
    )
}

fn doubles(values: impl Iterator<Item = f64>) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(values))
}
