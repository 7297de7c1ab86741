//! Statements: checked all, then run in order.
//!
//! A script is checked as a whole before its first statement runs: every statement is carried out on a *trial*
//! session, which has the same names, makes the same plans and opens the same files, but starts no query. What
//! depends on files that an earlier query of the script will write cannot be tried and is left to its run.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use arrow::datatypes::SchemaRef;
use parking_lot::Mutex;

use crate::engine::Rows;
use crate::engine::snapshot::CatalogKind;
use crate::error::{Error, ErrorKind, Position, Result};
use crate::execution::definition::{CheckedQuery, Resumes};
use crate::execution::recovery::recall;
use crate::execution::{StreamingQuery, Trigger};
use crate::options::Options;
use crate::plan::output_mode;
use crate::plan::watermark::EventTimeWatermark;
use crate::session::connectors::{self, StreamSpec};
use crate::session::settings::Settings;
use crate::session::workspace::Remembered;
use crate::session::{DataFrame, Session, show};
use crate::sql::parse_script;
use crate::sql::query::QueryText;
use crate::sql::statement::{
    self, CreateStream, CreateStreamingQuery, CreateTable, CreateView, Creation, DropObject, ExplainTarget,
    OptionEntry, SchemaText, Statement, StatementKind, WatermarkClause,
};

/// How a script is run.
#[derive(Debug, Clone, Copy, Default)]
pub struct ScriptOptions {
    /// Every query's trigger becomes AVAILABLE NOW.
    pub available_now: bool,
}

impl Session {
    /// Checks a script, then runs its statements in order. Gives the rows of those that have some.
    ///
    /// # Errors
    ///
    /// A statement error with its place: nothing was run then. Or what failed while a statement ran.
    pub async fn sql(&self, text: &str) -> Result<Vec<Rows>> {
        let mut rows = Vec::new();
        self.run_script(text, ScriptOptions::default(), |next| rows.push(next))
            .await?;
        Ok(rows)
    }

    /// As [`Self::sql`], with options; gives each statement's rows to `on_rows` as soon as it has run.
    ///
    /// # Errors
    ///
    /// As [`Self::sql`].
    pub async fn run_script(
        &self,
        text: &str,
        options: ScriptOptions,
        mut on_rows: impl FnMut(Rows) + Send,
    ) -> Result<()> {
        let statements = parse_script(text)?;
        self.check_statements(&statements).await?;
        for statement in &statements {
            let run = Runner {
                session: self,
                options,
                starts: true,
                checked: Mutex::default(),
            };
            if self.has_made(statement) {
                if let StatementKind::CreateStreamingQuery(create) = &statement.kind {
                    let query = self.streams().get_by_name(&create.name.value)?;
                    if !query.is_active() {
                        query.start().await?;
                    }
                }
                continue;
            }
            let rows = run.statement(statement).await;
            let rows = rows.map_err(|error| error.at(statement.position))?;
            rows.into_iter().for_each(&mut on_rows);
            self.remember(statement)?;
        }
        Ok(())
    }

    /// Checks a script and runs nothing; says what its queries will be.
    ///
    /// # Errors
    ///
    /// A statement error with its place.
    pub async fn check_script(&self, text: &str) -> Result<Vec<CheckedQuery>> {
        self.check_statements(&parse_script(text)?).await
    }

    /// Makes everything again that the workspace remembers; queries come back stopped. Gives what could not be made,
    /// with the reason; it stays remembered.
    pub async fn restore(&self) -> Vec<(String, Error)> {
        let Some(workspace) = self.workspace() else {
            return Vec::new();
        };
        let mut waiting = workspace.lock().statements().to_vec();
        let before = self.settings();
        // A stream that was replaced stands behind the views over it: what fails is tried again as long as that helps.
        let failed = loop {
            let mut failed = Vec::new();
            let tried = waiting.len();
            for item in waiting {
                if let Err(error) = self.make_again(&item).await {
                    failed.push((item, error));
                }
            }
            if failed.is_empty() || failed.len() == tried {
                break failed;
            }
            waiting = failed.into_iter().map(|(item, _)| item).collect();
        };
        self.replace_settings(before);
        for query in self.streams().all() {
            if let Err(error) = recall(&query).await {
                tracing::warn!("query \"{}\" is not as it was: {}", query.name(), error.report());
            }
        }
        failed
            .into_iter()
            .map(|(item, error)| (item.name, error))
            .collect()
    }

    async fn make_again(&self, item: &Remembered) -> Result<()> {
        let mut settings = Settings::default();
        for (key, value) in &item.settings {
            settings.set(key, value)?;
        }
        self.replace_settings(settings);
        let run = Runner {
            session: self,
            options: ScriptOptions::default(),
            starts: false,
            checked: Mutex::default(),
        };
        for statement in parse_script(&item.statement)? {
            run.statement(&statement).await?;
        }
        Ok(())
    }

    /// Whether a statement has made what it makes already, in an earlier session: then it is not made again.
    fn has_made(&self, statement: &Statement) -> bool {
        let (Some(workspace), Some(name)) = (self.workspace(), created_name(statement)) else {
            return false;
        };
        let is_there =
            self.catalog().lock().get(&name).is_some() || self.streams().get_by_name(&name).is_ok();
        is_there && workspace.lock().has(&name, &shown(statement))
    }

    fn remember(&self, statement: &Statement) -> Result<()> {
        match (self.workspace(), created_name(statement)) {
            (Some(workspace), Some(name)) => workspace.lock().remember(Remembered {
                name,
                statement: shown(statement),
                settings: self.settings().changed(),
            }),
            _ => Ok(()),
        }
    }

    async fn check_statements(&self, statements: &[Statement]) -> Result<Vec<CheckedQuery>> {
        let trial = self.trial()?;
        let run = Runner {
            session: &trial,
            options: ScriptOptions::default(),
            starts: false,
            checked: Mutex::default(),
        };
        let mut written = Vec::new();
        let mut unknown = HashSet::new();
        for statement in statements {
            if self.has_made(statement) {
                continue;
            }
            if depends_on(statement, &unknown) {
                unknown.extend(created_name(statement));
                continue;
            }
            match run.statement(statement).await {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Source && reads_one_of(statement, &written) => {
                    unknown.extend(created_name(statement));
                }
                Err(error) => return Err(error.at(statement.position).into_statement()),
            }
            written.extend(written_folder(statement));
        }
        Ok(run.checked.into_inner())
    }
}

/// Carries statements out on one session.
struct Runner<'a> {
    session: &'a Session,
    options: ScriptOptions,
    /// Whether queries are started, waited for and read; otherwise they are only made.
    starts: bool,
    /// What the queries that were only made will be.
    checked: Mutex<Vec<CheckedQuery>>,
}

impl Runner<'_> {
    async fn statement(&self, statement: &Statement) -> Result<Option<Rows>> {
        let session = self.session;
        match &statement.kind {
            StatementKind::CreateStream(create) => self.create_stream(create).map(|()| None),
            StatementKind::CreateTable(create) => self.create_table(create).await.map(|()| None),
            StatementKind::CreateView(create) => self.create_view(create).map(|()| None),
            StatementKind::CreateStreamingQuery(create) => {
                self.create_query(create, &shown(statement)).await.map(|()| None)
            }
            StatementKind::Start(name) => {
                let query = self.query(name)?;
                if self.starts {
                    query.start().await?;
                }
                Ok(None)
            }
            StatementKind::Stop(name) => {
                self.query(name)?.stop().await;
                Ok(None)
            }
            StatementKind::Restart(name) => {
                let query = self.query(name)?;
                query.stop().await;
                if self.starts {
                    query.start().await?;
                }
                Ok(None)
            }
            StatementKind::Reset(name) => {
                let query = self.query(name)?;
                if self.starts {
                    query
                        .reset_checkpoint()
                        .await
                        .map_err(|error| error.at(name.position))?;
                }
                Ok(None)
            }
            StatementKind::Export(export) => {
                let query = self.query(&export.query)?;
                let path = Path::new(&export.path.value);
                let exported = query.exportable(path);
                exported.map_err(|error| error.at(export.path.position))?;
                if self.starts {
                    let written = query.export(path).await;
                    written.map_err(|error| error.at(export.path.position))?;
                }
                Ok(None)
            }
            StatementKind::Drop(drop) => self.drop_object(drop).await.map(|()| None),
            StatementKind::Await(wait) => {
                let query = self.query(&wait.query)?;
                if self.starts {
                    query.await_termination(wait.timeout).await?;
                }
                Ok(None)
            }
            StatementKind::Show(what) => show::list(session, *what).map(Some),
            StatementKind::ShowProgress(name) => {
                let query = self.query(name)?;
                show::progress(&query).map(Some)
            }
            StatementKind::ShowState(state) => {
                let query = self.query(&state.query)?;
                match &state.keys {
                    None => show::state(&query).map(Some),
                    // A trial has no checkpoint to look into.
                    Some(_) if !self.starts => Ok(None),
                    Some(keys) => show::state_keys(&query, keys).await.map(Some),
                }
            }
            StatementKind::Describe(what) => {
                let (statement::Describe::Query(name)
                | statement::Describe::Relation(name)
                | statement::Describe::Function(name)) = what;
                show::describe(session, what)
                    .map(Some)
                    .map_err(|error| error.at(name.position))
            }
            StatementKind::Explain(explain) => self.explain(explain).await.map(Some),
            StatementKind::Set(set) => session
                .set(&set.key.value, &set.value.value)
                .map(|()| None)
                .map_err(|error| error.at(set.key.position)),
            StatementKind::Select(query) => self.select(query).await,
        }
    }

    /// A query by its name; an error is put to the name's place.
    fn query(&self, name: &statement::Name) -> Result<StreamingQuery> {
        let query = self.session.streams().get_by_name(&name.value);
        query.map_err(|error| error.at(name.position))
    }

    async fn select(&self, query: &QueryText) -> Result<Option<Rows>> {
        let frame = self.session.frame(query)?;
        if frame.is_streaming() {
            return Err(Error::statement("a SELECT over a stream never ends")
                .hint("Make it a query: CREATE STREAMING QUERY name AS SELECT ...")
                .at(query.position));
        }
        if !self.starts {
            frame.check().await.map_err(|error| error.at(query.position))?;
            return Ok(None);
        }
        Ok(Some(Rows {
            schema: frame.schema(),
            batches: frame.collect().await?,
        }))
    }

    fn create_stream(&self, create: &CreateStream) -> Result<()> {
        let session = self.session;
        if !self.make_room(&create.name, create.creation, CatalogKind::Stream)? {
            return Ok(());
        }
        let spec = spec(&create.format, create.schema.as_ref(), &create.options);
        let schema = self.schema(&spec, create.schema.as_ref())?;
        let stream = connectors::stream_table(&create.name.value, &spec, schema, session)
            .map_err(|error| at_source(error, &spec, &create.format))?;
        let detail = detail(&spec);
        let mut catalog = session.catalog().lock();
        match &create.watermark {
            Some(mark) => catalog
                .add_watermarked_stream(stream, detail, &mark.column.value, delay_ms(mark))
                .map_err(|error| error.at(mark.column.position)),
            None => catalog.add_stream(stream, detail),
        }
        .map(|_| ())
        .map_err(|error| error.at(create.name.position))
    }

    async fn create_table(&self, create: &CreateTable) -> Result<()> {
        if !self.make_room(&create.name, create.creation, CatalogKind::Table)? {
            return Ok(());
        }
        let spec = spec(&create.format, create.schema.as_ref(), &create.options);
        let schema = self.schema(&spec, create.schema.as_ref())?;
        let table = connectors::static_table(&spec, schema, self.session).await;
        let table = table.map_err(|error| at_source(error, &spec, &create.format))?;
        let mut catalog = self.session.catalog().lock();
        catalog
            .add_table(&create.name.value, CatalogKind::Table, detail(&spec), table)
            .map(|_| ())
            .map_err(|error| error.at(create.name.position))
    }

    fn create_view(&self, create: &CreateView) -> Result<()> {
        // Planned before the old view goes: a view that replaces itself may read itself, and a wrong one changes
        // nothing.
        let mut plan = self.session.frame(&create.query)?.logical_plan().clone();
        if let Some(mark) = &create.watermark {
            plan = EventTimeWatermark::try_new(plan, &mark.column.value, delay_ms(mark))
                .map_err(|error| error.at(mark.column.position))?
                .into_plan();
        }
        if !self.make_room(&create.name, create.creation, CatalogKind::View)? {
            return Ok(());
        }
        let mut catalog = self.session.catalog().lock();
        catalog
            .add_view(&create.name.value, plan, &create.query.text)
            .map(|_| ())
    }

    async fn create_query(&self, create: &CreateStreamingQuery, text: &str) -> Result<()> {
        let session = self.session;
        let position = create.name.position;
        let existing = session.streams().get_by_name(&create.name.value).ok();
        match (create.creation, &existing) {
            (Creation::IfNotExists, Some(_)) => return Ok(()),
            (Creation::New, Some(_)) => {
                return Err(
                    Error::statement(format!("there is a query \"{}\" already", create.name.value))
                        .hint("Choose another name, or DROP QUERY it first; its checkpoint stays.")
                        .at(position),
                );
            }
            _ => {}
        }
        if existing.is_none() {
            session
                .catalog()
                .lock()
                .check_free(&create.name.value)
                .map_err(|error| error.at(position))?;
        }
        let mut trigger = create.trigger;
        if self.options.available_now {
            trigger = Trigger::AvailableNow;
        }
        let frame = session.frame(&create.query)?;
        let locate = |error: Error| {
            let at = match error.kind() {
                ErrorKind::Statement => create
                    .output_mode_position
                    .filter(|_| error.message().contains("output mode")),
                _ => None,
            };
            let window = || {
                error
                    .message()
                    .contains("window")
                    .then(|| place_of(&create.query, "window("))
                    .flatten()
            };
            let at = at.or_else(window);
            error.at(at.unwrap_or(create.query.position))
        };
        if !frame.is_streaming() {
            return Err(Error::statement(format!("query \"{}\" reads no stream", create.name.value))
                .hint("Read from a CREATE STREAM in FROM, or run the SELECT by itself, without CREATE STREAMING QUERY.")
                .at(create.query.position));
        }
        output_mode::check(frame.logical_plan(), create.output_mode).map_err(locate)?;
        let sink_position = create.sink.position;
        let partition_by = create.sink.partition_by.iter().map(|column| column.value.clone());
        let mut writer = frame
            .write_stream()
            .format(create.sink.format.as_str())
            .options(options(&create.sink.options))
            .partition_by(partition_by.collect::<Vec<_>>())
            .output_mode(create.output_mode)
            .trigger(trigger)
            .query_name(create.name.value.as_str())
            .sql(text);
        if let Some(folder) = &create.checkpoint {
            writer = writer.option("checkpointLocation", &folder.value);
        }
        let (definition, sink) = writer
            .define(session)
            .map_err(|error| error.at(sink_position.unwrap_or(position)))?;
        definition.check().await.map_err(locate)?;
        let at_folder = |error: Error| {
            let folder = create.checkpoint.as_ref();
            error.at(folder.map_or(position, |folder| folder.position))
        };
        let mut resumes = definition.check_checkpoint().await.map_err(at_folder)?;
        if let Some(query) = existing {
            // A checkpoint that is in use cannot be looked at: what holds it is known.
            let running = query.definition();
            if query.is_active() && running.checkpoint == definition.checkpoint {
                definition.check_takes_over(running).await.map_err(at_folder)?;
                let last = query.status().last_committed;
                resumes = last.map_or(Resumes::New, |batch_id| Resumes::At(batch_id + 1));
            }
            session.drop_query(&query).await?;
        }
        if !self.starts {
            let facts = definition.facts(resumes).await?;
            self.checked.lock().push(facts);
        }
        let query = session
            .add_query(definition, sink)
            .map_err(|error| error.at(position))?;
        if self.starts {
            query.start().await?;
        }
        Ok(())
    }

    async fn drop_object(&self, drop: &statement::Drop) -> Result<()> {
        let (session, name) = (self.session, &drop.name.value);
        if drop.object == DropObject::Query {
            return match session.streams().get_by_name(name) {
                Ok(query) => session.drop_query(&query).await,
                Err(_) if drop.if_exists => Ok(()),
                Err(error) => Err(error.at(drop.name.position)),
            };
        }
        let kind = match drop.object {
            DropObject::Stream => CatalogKind::Stream,
            DropObject::Table => CatalogKind::Table,
            _ => CatalogKind::View,
        };
        let mut catalog = session.catalog().lock();
        match catalog.get(name).map(|item| item.kind) {
            Some(found) if found == kind => {
                catalog.remove(name);
                session.forget(name)
            }
            None if drop.if_exists => Ok(()),
            None => Err(catalog.unknown(name).at(drop.name.position)),
            Some(found) => Err(Error::statement(format!(
                "\"{name}\" is a {}, not a {}",
                found.as_str(),
                kind.as_str()
            ))
            .hint(match found {
                CatalogKind::Result => format!("Write DROP QUERY {name}."),
                _ => format!("Write DROP {} {name}.", found.as_str().to_uppercase()),
            })
            .at(drop.name.position)),
        }
    }

    async fn explain(&self, explain: &statement::Explain) -> Result<Rows> {
        match &explain.target {
            ExplainTarget::Query(name) => {
                let query = self.query(name)?;
                // A trial has run no batch that could be analyzed.
                show::explain_query(&query, explain.analyze && self.starts).await
            }
            ExplainTarget::Select(query) => {
                let frame = self.session.frame(query)?;
                show::explain_frame(&frame)
                    .await
                    .map_err(|error| error.at(query.position))
            }
        }
    }

    /// The declared columns; an error is put to its place in the whole text.
    fn schema(&self, spec: &StreamSpec, text: Option<&SchemaText>) -> Result<Option<SchemaRef>> {
        connectors::declared_schema(spec, self.session).map_err(|error| match (text, error.position()) {
            (Some(text), Some(inner)) => {
                let (base, is_first) = (text.position, inner.line == 1);
                let column = if is_first {
                    base.column + inner.column - 1
                } else {
                    inner.column
                };
                error.moved_to(Position {
                    line: base.line + inner.line - 1,
                    column,
                })
            }
            _ => error,
        })
    }

    /// Makes room for a new name as the statement says; `false`: what is there stays and nothing is to be done.
    fn make_room(&self, name: &statement::Name, creation: Creation, kind: CatalogKind) -> Result<bool> {
        let mut catalog = self.session.catalog().lock();
        let Some(found) = catalog.get(&name.value).map(|item| item.kind) else {
            return Ok(true);
        };
        match creation {
            Creation::IfNotExists if found == kind => Ok(false),
            Creation::OrReplace if found == kind => {
                catalog.remove(&name.value);
                Ok(true)
            }
            _ => catalog
                .check_free(&name.value)
                .map(|()| true)
                .map_err(|error| error.at(name.position)),
        }
    }
}

impl Session {
    /// A SELECT of a script as a DataFrame.
    pub(crate) fn frame(&self, query: &QueryText) -> Result<DataFrame> {
        let plan = self.catalog().lock().plan_select(query)?;
        Ok(DataFrame::new(self.clone(), plan))
    }
}

fn spec(format: &statement::Name, schema: Option<&SchemaText>, entries: &[OptionEntry]) -> StreamSpec {
    StreamSpec {
        format: format.value.clone(),
        schema: schema.map(|schema| schema.text.clone()),
        options: options(entries),
    }
}

fn options(entries: &[OptionEntry]) -> Options {
    let mut options = Options::new();
    for entry in entries {
        // A name that comes twice was refused by the parser.
        let _ = options.add(entry.name.clone(), entry.value.clone(), entry.position);
    }
    options
}

/// Puts an error of a source to its path, and any other without a place to the connector's name.
fn at_source(error: Error, spec: &StreamSpec, format: &statement::Name) -> Error {
    match (error.kind(), spec.options.position("path")) {
        (ErrorKind::Source, Some(path)) => error.at(path),
        _ => error.at(format.position),
    }
}

/// Where a word stands in a SELECT for the first time.
fn place_of(query: &QueryText, word: &str) -> Option<Position> {
    let before = &query.text[..query.text.to_ascii_lowercase().find(word)?];
    let last_line = before.rsplit('\n').next().unwrap_or(before).chars().count() as u64;
    let lines = before.matches('\n').count() as u64;
    let first = query.position;
    Some(if lines == 0 {
        Position {
            line: first.line,
            column: first.column + last_line,
        }
    } else {
        Position {
            line: first.line + lines,
            column: last_line + 1,
        }
    })
}

fn detail(spec: &StreamSpec) -> String {
    match spec
        .options
        .masked()
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("path"))
    {
        Some((_, path)) => format!("{}, {path}", spec.format),
        None => spec.format.clone(),
    }
}

fn delay_ms(mark: &WatermarkClause) -> i64 {
    i64::try_from(mark.delay.as_millis()).unwrap_or(i64::MAX)
}

/// A statement's text as it may be shown and kept: secrets that are written out are masked.
fn shown(statement: &Statement) -> String {
    let entries = match &statement.kind {
        StatementKind::CreateStream(create) => create.options.as_slice(),
        StatementKind::CreateTable(create) => &create.options,
        StatementKind::CreateStreamingQuery(create) => &create.sink.options,
        _ => &[],
    };
    let mut text = statement.text.clone();
    let all = options(entries);
    for (entry, (_, shown)) in entries.iter().zip(all.masked()) {
        if shown != entry.value {
            text = text.replace(&format!("'{}'", entry.value), &format!("'{shown}'"));
        }
    }
    text
}

fn created_name(statement: &Statement) -> Option<String> {
    let name = match &statement.kind {
        StatementKind::CreateTable(create) => &create.name,
        StatementKind::CreateStream(create) => &create.name,
        StatementKind::CreateView(create) => &create.name,
        StatementKind::CreateStreamingQuery(create) => &create.name,
        _ => return None,
    };
    Some(name.value.to_lowercase())
}

/// The folder that a query's file sink will write.
fn written_folder(statement: &Statement) -> Option<PathBuf> {
    let StatementKind::CreateStreamingQuery(create) = &statement.kind else {
        return None;
    };
    path_of(&create.sink.options)
}

fn reads_one_of(statement: &Statement, written: &[PathBuf]) -> bool {
    let entries = match &statement.kind {
        StatementKind::CreateTable(create) => &create.options,
        StatementKind::CreateStream(create) => &create.options,
        _ => return false,
    };
    path_of(entries).is_some_and(|path| written.iter().any(|folder| path.starts_with(folder)))
}

fn path_of(entries: &[OptionEntry]) -> Option<PathBuf> {
    let path = options(entries).string("path").ok().flatten()?;
    Some(PathBuf::from(path.trim_end_matches('/')))
}

/// Whether a statement mentions one of some names.
fn depends_on(statement: &Statement, names: &HashSet<String>) -> bool {
    !names.is_empty()
        && statement
            .text
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .any(|word| names.contains(&word.to_lowercase()))
}

impl Session {
    /// A session with the same names and settings, whose queries are never started.
    fn trial(&self) -> Result<Self> {
        let catalog = self.catalog().lock().fork()?;
        let trial = self.with_catalog(catalog);
        for query in self.streams().all() {
            let definition = query.definition().clone();
            trial.streams().add(definition)?;
        }
        Ok(trial)
    }
}
