//! A look into a query's state: keys and values of one stateful operator, a page at a time.
//!
//! What is looked at is the checkpoint, as of its last commit or of an older one that it keeps, and never the state in
//! memory: so a look sees whole batches only, holds no batch up, and is the same for a query that runs, for one that is
//! stopped, and for a checkpoint whose query is not known at all. The state is read back once for a [`StateView`],
//! which is kept as long as somebody has a page of it; the next page is a look-up in it, and a later batch's page applies
//! the changes since.

use std::sync::Arc;

use arrow::array::Array;
use arrow::datatypes::Schema;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use parking_lot::Mutex;

use crate::checkpoint::store::kept_no_more;
use crate::checkpoint::{Checkpoint, QueryShape};
use crate::error::{Error, Result};
use crate::format::{Dialect, column};
use crate::operators::context::OperatorFacts;
use crate::operators::signature::with_plain_literals;
use crate::state::{StateLayout, StateStore};

/// What is to be seen of a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateRequest {
    /// The operator's number, as in progress (`stateOperators[operator]`).
    pub operator: u32,
    /// The batch after which it is looked at; `None`: the last one that is committed.
    pub as_of: Option<u64>,
    /// Only keys of which a column, as text, has this in it, in any case of letters. A prefix finds what begins with it.
    pub find: Option<String>,
    /// In which order.
    pub order: StateOrder,
    /// How many of them are passed over.
    pub offset: usize,
    /// How many are given at most.
    pub limit: usize,
}

/// The order of a page's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StateOrder {
    /// By key, ascending.
    #[default]
    Key,
    /// The largest first, by [`StatePage::weights`].
    Largest,
}

/// What [`StatePage::weights`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateWeight {
    /// About the bytes of key and values.
    Bytes,
    /// The rows that are kept under the same key: of one side of a join, or the sessions of a key.
    RowsOfKey,
}

/// Some keys of a state with their values.
#[derive(Debug, Clone)]
pub struct StatePage {
    /// The operator's number.
    pub operator: u32,
    /// What the operator keeps, as its checkpoint says: keys, aggregates, types, what evicts.
    pub signature: String,
    /// The state is that after this batch; `None`: no batch is committed yet.
    pub batch_id: Option<u64>,
    /// The oldest batch whose state can be looked at (`spark.sql.streaming.minBatchesToRetain`).
    pub oldest_batch_id: Option<u64>,
    /// The last batch that is committed.
    pub newest_batch_id: Option<u64>,
    /// How many of the columns are keys; the values are behind them.
    pub num_keys: usize,
    /// How many rows the state has.
    pub num_rows: u64,
    /// How many of them the request is about, of which this is a page.
    pub num_found: u64,
    /// The rows.
    pub rows: RecordBatch,
    /// How big each of them is.
    pub weights: Vec<u64>,
    /// What the weights count.
    pub weight: StateWeight,
    /// Held as long as the page is.
    pub(crate) lease: Option<Arc<StateLease>>,
}

/// Where a view waits for the next look.
pub type KeptView = Arc<Mutex<Option<StateView>>>;

/// Keeps a view in memory for as long as somebody holds a page of it.
#[derive(Debug)]
pub struct StateLease(KeptView);

impl StateLease {
    /// A lease on what is kept there.
    pub fn new(kept: KeptView) -> Self {
        Self(kept)
    }
}

impl Drop for StateLease {
    fn drop(&mut self) {
        // Somebody who reads now has a lease of its own on what it puts there.
        if let Some(mut kept) = self.0.try_lock() {
            kept.take();
        }
    }
}

impl PartialEq for StatePage {
    fn eq(&self, other: &Self) -> bool {
        (self.operator, self.batch_id, self.num_found) == (other.operator, other.batch_id, other.num_found)
            && self.rows == other.rows
            && self.weights == other.weights
    }
}

/// One operator's state as of a batch, read back from a checkpoint.
#[derive(Debug)]
pub struct StateView {
    operator: u32,
    batch_id: u64,
    signature: String,
    store: StateStore,
    /// Every key, in ascending order.
    sorted: Vec<u32>,
}

impl StateView {
    /// Whether it shows this.
    pub fn shows(&self, operator: u32, batch_id: u64) -> bool {
        (self.operator, self.batch_id) == (operator, batch_id)
    }

    /// Reads an operator's state back. `layout` says what its columns are; what a checkpoint says itself is enough if the
    /// query is not known. `earlier` is gone on from, if it is of the same operator.
    ///
    /// # Errors
    ///
    /// A checkpoint error: a batch that is kept no more, damage.
    pub fn read(
        checkpoint: &Checkpoint,
        operator: u32,
        batch_id: u64,
        layout: Option<&StateLayout>,
        earlier: Option<Self>,
    ) -> Result<Self> {
        if let Some(earlier) = earlier
            && earlier.operator == operator
            && earlier.batch_id < batch_id
            && let Some(changes) = checkpoint.state_since(operator, earlier.batch_id, batch_id)?
        {
            let mut store = earlier.store;
            for change in changes {
                store.apply(change)?;
            }
            return Ok(Self {
                batch_id,
                sorted: store.sorted_entries(),
                store,
                ..earlier
            });
        }
        let shape = checkpoint.metadata()?.map(|metadata| metadata.shape);
        let changes = checkpoint.state_as_of(operator, batch_id)?;
        let layout = match layout {
            Some(layout) => layout.clone(),
            None => layout_of(operator, shape.as_ref(), &changes)?,
        };
        let mut store = StateStore::try_new(layout)?;
        for change in changes {
            store.apply(change)?;
        }
        Ok(Self {
            operator,
            batch_id,
            signature: shape
                .and_then(|shape| shape.operators.get(operator as usize).cloned())
                .unwrap_or_default(),
            sorted: store.sorted_entries(),
            store,
        })
    }

    /// The keys that a request is about, and their weights where all of them have to be known.
    fn found(&self, request: &StateRequest) -> Result<(Vec<u32>, Option<Vec<u64>>)> {
        let mut entries = match &request.find {
            Some(text) if !text.is_empty() => {
                let text = text.to_lowercase();
                self.store
                    .filter_entries(&self.sorted, |rows| self.rows_with(rows, &text))?
            }
            _ => self.sorted.clone(),
        };
        if request.order == StateOrder::Key {
            return Ok((entries, None));
        }
        let mut weighed = if self.weight() == StateWeight::RowsOfKey {
            self.store.entries_by_lookup_key(&entries)
        } else {
            let bytes = self.store.row_bytes(&entries)?;
            entries.iter().copied().zip(bytes).collect()
        };
        // Stable: equally large ones stay in the order of their keys.
        weighed.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
        entries = weighed.iter().map(|(entry, _)| *entry).collect();
        Ok((
            entries,
            Some(weighed.into_iter().map(|(_, weight)| weight).collect()),
        ))
    }

    /// The rows of a batch of which a key column has a text in it.
    fn rows_with(&self, rows: &RecordBatch, text: &str) -> Result<Vec<usize>> {
        let keys = rows.columns()[..self.store.layout().num_keys].iter();
        let keys = keys
            .map(|key| column(key.as_ref() as &dyn Array, Dialect::Cast))
            .collect::<Result<Vec<_>>>()?;
        let mut buffer = String::new();
        let has_text = |&row: &usize| {
            keys.iter().any(|key| {
                buffer.clear();
                key.push(row, &mut buffer);
                buffer.to_lowercase().contains(text)
            })
        };
        Ok((0..rows.num_rows()).filter(has_text).collect())
    }

    fn weight(&self) -> StateWeight {
        if self.store.layout().is_numbered {
            StateWeight::RowsOfKey
        } else {
            StateWeight::Bytes
        }
    }

    fn weights(&self, entries: &[u32]) -> Result<Vec<u64>> {
        if self.weight() == StateWeight::Bytes {
            return self.store.row_bytes(entries);
        }
        let rows = self.store.rows_of(entries)?;
        let keys = &rows.columns()[..self.store.layout().num_keys];
        let mut weights = vec![0; entries.len()];
        if let Some(probe) = self.store.probe(&keys[..keys.len() - 1], rows.num_rows())? {
            for asking in probe.asking {
                weights[asking as usize] += 1;
            }
        }
        Ok(weights)
    }
}

fn page(view: &StateView, checkpoint: &Checkpoint, request: &StateRequest) -> Result<StatePage> {
    let (entries, weights) = view.found(request)?;
    let start = request.offset.min(entries.len());
    let end = start.saturating_add(request.limit).min(entries.len());
    let shown = &entries[start..end];
    Ok(StatePage {
        operator: view.operator,
        signature: view.signature.clone(),
        batch_id: Some(view.batch_id),
        oldest_batch_id: checkpoint.oldest_commit()?,
        newest_batch_id: checkpoint.latest_commit()?.map(|(batch_id, _)| batch_id),
        num_keys: view.store.layout().num_keys,
        num_rows: view.store.num_rows() as u64,
        num_found: entries.len() as u64,
        rows: with_plain_names(&view.store.rows_of(shown)?)?,
        weights: match weights {
            Some(weights) => weights[start..end].to_vec(),
            None => view.weights(shown)?,
        },
        weight: view.weight(),
        lease: None,
    })
}

/// Reads a page of a checkpoint. `known` is what is known of the operator, if the query is; `kept` is the view of an earlier page, and
/// then that of this one.
///
/// # Errors
///
/// A statement error for an operator that there is not; a checkpoint error: a batch that is kept no more, damage.
pub fn read(
    checkpoint: &Checkpoint,
    request: &StateRequest,
    known: Option<&OperatorFacts>,
    kept: &mut Option<StateView>,
) -> Result<StatePage> {
    let shape = checkpoint.metadata()?.map(|metadata| metadata.shape);
    let operators = shape.map(|shape| shape.operators).unwrap_or_default();
    let Some(signature) = operators.get(request.operator as usize) else {
        return Err(no_operator(request.operator, operators.len()));
    };
    // Of a query that has changed, the checkpoint tells what is in it.
    let layout = known
        .filter(|known| known.signature == *signature)
        .map(|known| &known.layout);
    let Some((newest, _)) = checkpoint.latest_commit()? else {
        return Ok(StatePage {
            operator: request.operator,
            signature: signature.clone(),
            batch_id: None,
            oldest_batch_id: None,
            newest_batch_id: None,
            num_keys: layout.map_or(0, |layout| layout.num_keys),
            num_rows: 0,
            num_found: 0,
            rows: RecordBatch::new_empty(
                layout.map_or_else(|| Arc::new(Schema::empty()), |layout| Arc::clone(&layout.schema)),
            ),
            weights: Vec::new(),
            weight: StateWeight::Bytes,
            lease: None,
        });
    };
    let batch_id = request.as_of.unwrap_or(newest);
    if batch_id > newest {
        return Err(Error::statement(format!(
            "batch {batch_id} is not committed: the last one is {newest}"
        ))
        .hint("Ask for an earlier batch, or for none to see the last one."));
    }
    let oldest = checkpoint.oldest_commit()?.unwrap_or(newest);
    if batch_id < oldest {
        return Err(kept_no_more(batch_id, oldest));
    }
    let view = match kept.take() {
        Some(view) if view.shows(request.operator, batch_id) => view,
        earlier => StateView::read(checkpoint, request.operator, batch_id, layout, earlier)?,
    };
    page(kept.insert(view), checkpoint, request)
}

/// The rows under names for people: `count(1)` and not `count(Int64(1))`.
fn with_plain_names(rows: &RecordBatch) -> Result<RecordBatch> {
    let schema = rows.schema();
    let fields = schema.fields().iter();
    let fields = fields.map(|field| {
        field
            .as_ref()
            .clone()
            .with_name(with_plain_literals(field.name()))
    });
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    Ok(RecordBatch::try_new_with_options(
        schema,
        rows.columns().to_vec(),
        &options,
    )?)
}

fn no_operator(operator: u32, count: usize) -> Error {
    let error = Error::statement(format!("there is no stateful operator {operator}"));
    error.hint(match count {
        0 => "The query keeps no state.".to_owned(),
        1 => "The query has one, 0.".to_owned(),
        count => format!("The query has {count} of them, 0 to {}.", count - 1),
    })
}

/// What the columns of a state are as far as the checkpoint tells. What evicts is not needed to look at it.
fn layout_of(
    operator: u32,
    shape: Option<&QueryShape>,
    changes: &[crate::state::StateDelta],
) -> Result<StateLayout> {
    let puts = changes.iter().flat_map(|change| &change.puts).next();
    let removed = changes.iter().flat_map(|change| &change.removes).next();
    let stored = shape.and_then(|shape| shape.key_columns.get(operator as usize));
    let num_keys = match (stored, removed, puts) {
        (Some(keys), _, _) => *keys as usize,
        (None, Some(keys), _) => keys.num_columns(),
        (None, None, None) => 0,
        (None, None, Some(_)) => {
            return Err(
                Error::checkpoint("the checkpoint does not say which columns of the state are keys").hint(
                    "An earlier version of highwater wrote it: it is added when the query starts again.",
                ),
            );
        }
    };
    Ok(StateLayout {
        schema: puts.map_or_else(|| Arc::new(Schema::empty()), RecordBatch::schema),
        num_keys,
        eviction: None,
        is_numbered: false,
    })
}
