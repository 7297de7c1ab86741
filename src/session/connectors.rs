//! Sources and sinks by name, with their options: what `USING` and `SINK` can say.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::TableProvider;

use crate::error::{Error, Result};
use crate::execution::event::QueryEvent;
use crate::options::Options;
use crate::plan::stream_table::{SourceFactory, StreamTable};
use crate::session::Session;
use crate::session::static_table::StaticTable;
use crate::sink::console::ConsoleSink;
use crate::sink::file::FileSink;
use crate::sink::memory::{MemorySink, MemoryTable};
use crate::sink::noop::NoopSink;
use crate::sink::{OutputMode, SinkRef};
use crate::source::SourceRef;
use crate::source::file::{self, FileContext, FileSource, FileTable};
use crate::source::rate::RateSource;
use crate::suggest::did_you_mean;
use crate::types::ddl::parse_ddl;

/// What `SINK` can say.
pub const SINKS: [&str; 5] = ["memory", "console", "parquet", "json", "noop"];

/// What `CREATE STREAM ... USING` can say.
pub fn sources() -> Vec<&'static str> {
    file::FORMATS.iter().copied().chain(["rate"]).collect()
}

/// What `CREATE TABLE ... USING` can say.
pub fn tables() -> Vec<&'static str> {
    file::FORMATS.iter().copied().chain(["parquet"]).collect()
}

/// The columns of a declaration. An error's place is counted within its text.
///
/// # Errors
///
/// A statement error for what is no schema.
pub fn declared_schema(spec: &StreamSpec, session: &Session) -> Result<Option<SchemaRef>> {
    let settings = session.settings();
    spec.schema
        .as_deref()
        .map(|ddl| parse_ddl(ddl, settings.time_zone()))
        .transpose()
}

/// A stream as it was declared.
#[derive(Debug, Clone)]
pub struct StreamSpec {
    /// The connector.
    pub format: String,
    /// The columns in Spark's DDL.
    pub schema: Option<String>,
    /// The connector's options.
    pub options: Options,
}

/// What makes sources of one declaration.
#[derive(Debug)]
struct Factory {
    format: String,
    schema: Option<SchemaRef>,
    options: Options,
    session: FactoryContext,
}

#[derive(Debug, Clone)]
struct FactoryContext {
    clock: Arc<dyn crate::clock::Clock>,
    time_zone: String,
}

impl SourceFactory for Factory {
    fn create(&self) -> Result<SourceRef> {
        let clock = Arc::clone(&self.session.clock);
        let time_zone = self.session.time_zone.as_str();
        if self.format == "rate" {
            return Ok(Arc::new(RateSource::try_new(&self.options, clock, time_zone)?));
        }
        let context = file_context(time_zone);
        Ok(Arc::new(FileSource::try_new(
            &self.format,
            self.schema.clone(),
            &self.options,
            &context,
        )?))
    }
}

/// The stream of a declaration, its source tried once.
///
/// # Errors
///
/// A statement error for an unknown connector or a wrong option; a source error for a missing folder.
pub fn stream_table(
    name: &str,
    spec: &StreamSpec,
    schema: Option<SchemaRef>,
    session: &Session,
) -> Result<StreamTable> {
    let format = known(&spec.format, "source", &sources())?;
    let time_zone = session.settings().time_zone().to_owned();
    if format == "rate" && schema.is_some() {
        return Err(Error::statement(
            "the rate source has columns of its own: timestamp TIMESTAMP, value BIGINT",
        )
        .hint("Leave the schema out."));
    }
    let session = FactoryContext {
        clock: Arc::clone(session.clock()),
        time_zone,
    };
    let factory = Factory {
        format,
        schema,
        options: spec.options.clone(),
        session,
    };
    let schema = factory.create()?.schema();
    Ok(StreamTable {
        name: Arc::from(name),
        schema,
        factory: Arc::new(factory),
    })
}

/// The static table of a declaration.
///
/// # Errors
///
/// As [`stream_table`].
pub async fn static_table(
    spec: &StreamSpec,
    schema: Option<SchemaRef>,
    session: &Session,
) -> Result<Arc<dyn TableProvider>> {
    let format = known(&spec.format, "table", &tables())?;
    let time_zone = session.settings().time_zone().to_owned();
    if format == "parquet" {
        return crate::session::parquet_table::parquet_table(spec, schema, session).await;
    }
    let context = file_context(&time_zone);
    let table = FileTable::try_new(&format, schema, &spec.options, &context)?;
    Ok(Arc::new(StaticTable::new(table)))
}

/// A sink, and the rows that it can show.
#[derive(Debug)]
pub struct NewSink {
    /// Where the query's rows go.
    pub sink: SinkRef,
    /// A memory sink's rows.
    pub table: Option<Arc<MemoryTable>>,
}

/// The sink of a declaration.
///
/// # Errors
///
/// A statement error for an unknown sink, a wrong option, or a mode that the sink cannot take.
pub fn sink(
    format: &str,
    options: &Options,
    partition_by: Vec<String>,
    schema: &Schema,
    mode: OutputMode,
    query: &Arc<str>,
    session: &Session,
) -> Result<NewSink> {
    let format = known(format, "sink", &SINKS)?;
    if !partition_by.is_empty() && !matches!(format.as_str(), "parquet" | "json") {
        return Err(
            Error::statement(format!("the {format} sink has no folders to partition"))
                .hint("PARTITIONED BY goes with the parquet and json sinks."),
        );
    }
    let plain = |sink: SinkRef| NewSink { sink, table: None };
    match format.as_str() {
        "memory" => {
            options.check_known("the memory sink", &[])?;
            let sink = MemorySink::new(Arc::new(schema.clone()), mode);
            let table = sink.table();
            Ok(NewSink {
                sink: Arc::new(sink),
                table: Some(table),
            })
        }
        "noop" => {
            options.check_known("the noop sink", &[])?;
            Ok(plain(Arc::new(NoopSink)))
        }
        "console" => {
            let (context, name) = (Arc::clone(session.context()), Arc::clone(query));
            let on_batch = move |batch_id, schema, rows| {
                let (name, rows) = (Arc::clone(&name), Arc::new(rows));
                context.events.send(&QueryEvent::Batch {
                    name,
                    batch_id,
                    schema,
                    rows,
                });
            };
            ConsoleSink::try_new(options, Arc::new(on_batch)).map(|sink| plain(Arc::new(sink)))
        }
        _ => FileSink::try_new(&format, options, partition_by).and_then(|sink| {
            sink.check(&Arc::new(schema.clone()), mode)?;
            let files = session.context().storage.sink_files();
            Ok(plain(Arc::new(sink.with_file_system(files))))
        }),
    }
}

fn file_context(time_zone: &str) -> FileContext {
    FileContext {
        time_zone: time_zone.to_owned(),
        ..FileContext::default()
    }
}

/// The connector's name in lower case.
fn known(format: &str, what: &str, all: &[&'static str]) -> Result<String> {
    let lower = format.to_ascii_lowercase();
    if all.contains(&lower.as_str()) {
        return Ok(lower);
    }
    let list = all.join(", ");
    let hint = match did_you_mean(&lower, all.iter().copied()) {
        Some(meant) => format!("Did you mean {meant}? There are {list}."),
        None => format!("There are {list}."),
    };
    Err(Error::statement(format!("there is no {what} \"{format}\"")).hint(hint))
}
