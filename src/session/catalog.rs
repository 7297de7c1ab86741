//! The names that SQL sees: streams, static tables, views, and the rows of memory sinks.
//!
//! Names are case-insensitive and shared by all kinds. A view is its plan: what it was made from may be dropped
//! and it still works, as in Spark's temporary views.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::Statement as SqlStatement;

use crate::engine::snapshot::{CatalogEntry, CatalogKind};
use crate::error::{Error, Result};
use crate::plan::deduplicate::check_within_watermark;
use crate::plan::generator::expand_generators;
use crate::plan::stream_table::StreamTable;
use crate::plan::union_event_time::carry_event_time;
use crate::plan::watermark::EventTimeWatermark;
use crate::session::planning::new_context;
use crate::sql::query::QueryText;
use crate::sql::rewrite::calls;
use crate::sql::rewrite::literal::type_numbers;
use crate::sql::{Candidates, KnownRelation, locate, rewrite_query};
use crate::suggest::did_you_mean;

/// One named thing.
#[derive(Debug, Clone)]
pub struct CatalogItem {
    /// Its name, in its maker's spelling.
    pub name: String,
    /// What it is.
    pub kind: CatalogKind,
    /// Where its rows come from, in words.
    pub detail: String,
    provider: Arc<dyn TableProvider>,
}

/// The names of a session, and the DataFusion context that resolves them.
pub struct Catalog {
    context: SessionContext,
    items: BTreeMap<String, CatalogItem>,
    partitions: usize,
}

impl std::fmt::Debug for Catalog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Catalog")
            .field("items", &self.items.keys())
            .finish_non_exhaustive()
    }
}

impl Catalog {
    /// An empty catalog whose plans split work into `partitions` parts.
    pub fn new(partitions: usize) -> Self {
        Self {
            context: new_context(partitions),
            items: BTreeMap::new(),
            partitions,
        }
    }

    /// A catalog of its own with the same names: for trying statements out.
    ///
    /// # Errors
    ///
    /// None that a catalog which was built by its own methods can meet.
    pub fn fork(&self) -> Result<Self> {
        let mut fork = Self::new(self.partitions);
        let zone = self.context.copied_config().options().execution.time_zone.clone();
        fork.set_time_zone(zone.as_deref().unwrap_or("UTC"));
        for item in self.items.values() {
            fork.put(item.clone())?;
        }
        Ok(fork)
    }

    /// What plans and runs over these names.
    pub fn context(&self) -> &SessionContext {
        &self.context
    }

    /// The zone in which functions and casts read and write local times, of statements from here on.
    pub fn set_time_zone(&self, zone: &str) {
        let state = self.context.state_ref();
        state.write().config_mut().options_mut().execution.time_zone = Some(zone.to_owned());
    }

    /// Everything, by name.
    pub fn items(&self) -> impl Iterator<Item = &CatalogItem> {
        self.items.values()
    }

    /// What a name stands for.
    pub fn get(&self, name: &str) -> Option<&CatalogItem> {
        self.items.get(&name.to_lowercase())
    }

    /// The columns of a name.
    pub fn schema_of(&self, name: &str) -> Option<SchemaRef> {
        self.get(name).map(|item| item.provider.schema())
    }

    /// A stream, with the plan that scans it.
    ///
    /// # Errors
    ///
    /// A statement error if the name is taken.
    pub fn add_stream(&mut self, stream: StreamTable, detail: String) -> Result<LogicalPlan> {
        let name = stream.name.to_string();
        let provider: Arc<dyn TableProvider> = Arc::new(stream);
        self.add(CatalogItem {
            name,
            kind: CatalogKind::Stream,
            detail,
            provider,
        })
    }

    /// A stream with a watermark on one of its columns.
    ///
    /// # Errors
    ///
    /// A statement error if the name is taken or the column cannot carry a watermark.
    pub fn add_watermarked_stream(
        &mut self,
        stream: StreamTable,
        detail: String,
        column: &str,
        delay_ms: i64,
    ) -> Result<LogicalPlan> {
        let name = stream.name.to_string();
        let source = provider_as_source(Arc::new(stream));
        let scan = LogicalPlanBuilder::scan(name.as_str(), source, None)?.build()?;
        let plan = EventTimeWatermark::try_new(scan, column, delay_ms)?.into_plan();
        self.add_plan(&name, CatalogKind::Stream, detail, plan)
    }

    /// A view: a plan under a name.
    ///
    /// # Errors
    ///
    /// A statement error if the name is taken.
    pub fn add_view(&mut self, name: &str, plan: LogicalPlan, text: &str) -> Result<LogicalPlan> {
        let detail = text.split_whitespace().collect::<Vec<_>>().join(" ");
        self.add_plan(name, CatalogKind::View, detail, plan)
    }

    /// Rows that are there as a whole: a static table, or a memory sink's.
    ///
    /// # Errors
    ///
    /// A statement error if the name is taken.
    pub fn add_table(
        &mut self,
        name: &str,
        kind: CatalogKind,
        detail: String,
        provider: Arc<dyn TableProvider>,
    ) -> Result<LogicalPlan> {
        self.add(CatalogItem {
            name: name.to_owned(),
            kind,
            detail,
            provider,
        })
    }

    /// Refuses a name that is taken.
    ///
    /// # Errors
    ///
    /// A statement error that says by what.
    pub fn check_free(&self, name: &str) -> Result<()> {
        match self.get(name) {
            None => Ok(()),
            Some(item) => Err(Error::statement(format!(
                "the name \"{}\" is taken by a {}",
                item.name,
                item.kind.as_str()
            ))
            .hint("Choose another name, DROP the other one first, or write CREATE OR REPLACE.")),
        }
    }

    /// Takes a name away; says whether it was there.
    pub fn remove(&mut self, name: &str) -> bool {
        let Some(item) = self.items.remove(&name.to_lowercase()) else {
            return false;
        };
        // A name that is in the catalog is in the context.
        let removed = self.context.deregister_table(table_reference(&item.name));
        debug_assert!(
            removed.is_ok_and(|table| table.is_some()),
            "catalog and context agree"
        );
        true
    }

    /// The plan that gives a name's rows.
    ///
    /// # Errors
    ///
    /// A statement error with "did you mean" if there is no such name.
    pub fn plan_of(&self, name: &str) -> Result<LogicalPlan> {
        let item = self.get(name).ok_or_else(|| self.unknown(name))?;
        let source = provider_as_source(Arc::clone(&item.provider));
        Ok(LogicalPlanBuilder::scan(table_reference(&item.name), source, None)?.build()?)
    }

    /// The plan of a SELECT, its clauses of Spark's dialect resolved against these names.
    ///
    /// # Errors
    ///
    /// A statement error with its place.
    pub fn plan_select(&self, query: &QueryText) -> Result<LogicalPlan> {
        let mut rewritten = rewrite_query(query, &|name| {
            let item = self.get(name)?;
            let schema = item.provider.schema();
            let columns = schema.fields().iter().map(|field| field.name().clone()).collect();
            Some(KnownRelation {
                name: item.name.clone(),
                columns,
            })
        })?;
        for relation in &rewritten.relations {
            if self.get(&relation.value).is_none() {
                return Err(self.unknown(&relation.value).at(relation.position));
            }
        }
        let state = self.context.state();
        let mut marked = Vec::new();
        for mark in &rewritten.watermarks {
            let delay_ms = i64::try_from(mark.delay.as_millis()).unwrap_or(i64::MAX);
            let plan = self
                .plan_of(&mark.relation)
                .map_err(|error| error.at(mark.position))?;
            let plan = EventTimeWatermark::try_new(plan, &mark.column, delay_ms);
            let plan = plan.map_err(|error| error.at(mark.position))?.into_plan();
            let reference = table_reference(&mark.generated_name);
            self.context
                .register_table(reference.clone(), Arc::new(ViewTable::new(plan, None)))?;
            marked.push(reference);
        }
        type_numbers(&mut rewritten.query);
        let statement = Statement::Statement(Box::new(SqlStatement::Query(rewritten.query)));
        // Planning a SELECT resolves names and nothing else: no table here does I/O for it.
        let planned = futures::executor::block_on(state.statement_to_plan(statement));
        let planned = planned.and_then(|plan| {
            check_within_watermark(&plan)?;
            carry_event_time(plan).and_then(expand_generators)
        });
        for reference in marked {
            self.context.deregister_table(reference)?;
        }
        planned.map_err(|error| {
            let functions = self.functions().into_keys().collect::<Vec<_>>();
            let relations = self
                .items
                .values()
                .map(|item| item.name.clone())
                .collect::<Vec<_>>();
            locate(
                error,
                query,
                Candidates {
                    functions: &functions,
                    relations: &relations,
                },
            )
        })
    }

    /// The functions that SQL can call, with their kind.
    pub fn functions(&self) -> BTreeMap<String, &'static str> {
        let state = self.context.state();
        let mut functions = BTreeMap::new();
        functions.extend(
            state
                .window_functions()
                .keys()
                .map(|name| (name.clone(), "window")),
        );
        functions.extend(
            state
                .scalar_functions()
                .keys()
                .map(|name| (name.clone(), "scalar")),
        );
        functions.extend(
            state
                .higher_order_functions()
                .keys()
                .map(|name| (name.clone(), "scalar")),
        );
        functions.extend(
            state
                .aggregate_functions()
                .keys()
                .map(|name| (name.clone(), "aggregate")),
        );
        functions.extend(calls::names().map(|(name, kind)| (name.to_owned(), kind)));
        functions.retain(|name, _| !calls::is_internal(name));
        functions
    }

    /// The error for a name that is not there.
    pub fn unknown(&self, name: &str) -> Error {
        let names = self
            .items
            .values()
            .map(|item| item.name.as_str())
            .collect::<Vec<_>>();
        let hint = match did_you_mean(name, names.iter().copied()) {
            Some(known) => format!("Did you mean \"{known}\"?"),
            None if names.is_empty() => {
                "Nothing is declared: begin with CREATE STREAM or CREATE TABLE.".to_owned()
            }
            None => format!("There are {}.", names.join(", ")),
        };
        Error::statement(format!("there is no stream, table or view \"{name}\"")).hint(hint)
    }

    /// Everything, for front ends.
    pub fn entries(&self) -> Vec<CatalogEntry> {
        let entries = self.items.values().map(|item| CatalogEntry {
            name: item.name.clone(),
            kind: item.kind,
            schema: item.provider.schema(),
            detail: item.detail.clone(),
        });
        entries.collect()
    }

    fn add_plan(
        &mut self,
        name: &str,
        kind: CatalogKind,
        detail: String,
        plan: LogicalPlan,
    ) -> Result<LogicalPlan> {
        let provider: Arc<dyn TableProvider> = Arc::new(ViewTable::new(plan, None));
        self.add(CatalogItem {
            name: name.to_owned(),
            kind,
            detail,
            provider,
        })
    }

    fn add(&mut self, item: CatalogItem) -> Result<LogicalPlan> {
        self.check_free(&item.name)?;
        let name = item.name.clone();
        self.put(item)?;
        self.plan_of(&name)
    }

    fn put(&mut self, item: CatalogItem) -> Result<()> {
        self.context
            .register_table(table_reference(&item.name), Arc::clone(&item.provider))?;
        self.items.insert(item.name.to_lowercase(), item);
        Ok(())
    }
}

/// A name as it is: dots and capitals in it mean nothing.
fn table_reference(name: &str) -> datafusion::common::TableReference {
    datafusion::common::TableReference::bare(name)
}
