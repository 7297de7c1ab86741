//! One side of a join: the rows that arrive, and the rows that are kept.
//!
//! ```text
//! state   key0 .. keyN | number | the side's columns | matched
//! ```

use std::sync::Arc;
use std::time::Instant;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, UInt32Array};
use arrow::compute::{and, filter_record_batch, is_not_null, not, prep_null_mask_filter, take_record_batch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use datafusion::common::Result;
use datafusion::physical_expr::PhysicalExpr;

use super::{JoinEviction, SideSpec};
use crate::operators::context::{OperatorContext, OperatorSpec};
use crate::operators::signature::join_side_signature;
use crate::state::store::EvictionTime;
use crate::state::{Probe, StateLayout};

/// What a side is to its join.
#[derive(Debug, Clone, Copy)]
pub(super) struct SideKind {
    /// The operator's name in progress: Spark's, and the side.
    pub(super) name: &'static str,
    /// Whether its rows come out with nulls where they have no match.
    pub(super) is_outer: bool,
    /// Whether null keys match each other.
    pub(super) nulls_match: bool,
    /// Whether the join wants a batch without data once the watermark has moved.
    pub(super) wants_no_data_batch: bool,
}

/// One side of a join.
#[derive(Debug)]
pub(super) struct JoinSide {
    keys: Vec<Arc<dyn PhysicalExpr>>,
    only: Option<Arc<dyn PhysicalExpr>>,
    schema: SchemaRef,
    /// The watermark less this is what the state is evicted by; `None`: it never is.
    eviction_offset_us: Option<i64>,
    pub(super) kind: SideKind,
    pub(super) operator: Arc<OperatorContext>,
}

/// Rows of a side that may match, with their keys.
#[derive(Debug)]
pub(super) struct Arrived {
    pub(super) rows: RecordBatch,
    keys: Vec<ArrayRef>,
    /// Which rows have keys that can be equal to others; `None`: all.
    matchable: Option<BooleanArray>,
    /// Rows of an outer side that can never match, by the condition on the side alone.
    pub(super) rejected: Option<RecordBatch>,
}

impl JoinSide {
    pub(super) fn try_new(kind: SideKind, spec: SideSpec, schema: SchemaRef) -> Result<Self> {
        let mut fields = Vec::with_capacity(spec.keys.len() + schema.fields().len() + 2);
        for (place, key) in spec.keys.iter().enumerate() {
            fields.push(Field::new(format!("key{place}"), key.data_type(&schema)?, true));
        }
        fields.push(Field::new("number", DataType::Int64, false));
        let num_keys = fields.len();
        fields.extend(schema.fields().iter().map(|field| field.as_ref().clone()));
        fields.push(Field::new("matched", DataType::Boolean, false));
        let state_schema = Arc::new(Schema::new(fields));
        let (eviction, eviction_offset_us) = match spec.eviction {
            Some(JoinEviction::Key(time)) => (Some(time), Some(0)),
            Some(JoinEviction::Value { time, offset_us }) => {
                let column = num_keys + time.column;
                (Some(EvictionTime { column, ..time }), Some(offset_us))
            }
            None => (None, None),
        };
        let signature = join_side_signature(kind.name, &spec.key_names, &state_schema, num_keys, eviction);
        let operator = OperatorContext::try_new(OperatorSpec {
            name: kind.name,
            signature,
            layout: StateLayout {
                schema: state_schema,
                num_keys,
                eviction,
                is_numbered: true,
            },
            wants_no_data_batch: kind.wants_no_data_batch,
            // A row may come out as long after the watermark has passed it as it is kept.
            output_lag_us: Some(eviction_offset_us.map_or(0, |offset_us| offset_us.saturating_neg().max(0))),
        })?;
        Ok(Self {
            keys: spec.keys,
            only: spec.only,
            schema,
            eviction_offset_us,
            kind,
            operator,
        })
    }

    /// Splits rows into those that may match and those that cannot.
    pub(super) fn arrive(&self, rows: &RecordBatch) -> Result<Arrived> {
        let mut kept = rows.clone();
        let mut rejected = None;
        if let Some(only) = &self.only {
            let passes = only.evaluate(rows)?.into_array(rows.num_rows())?;
            let mut passes = passes.as_boolean().clone();
            if passes.null_count() > 0 {
                passes = prep_null_mask_filter(&passes);
            }
            if passes.has_false() {
                kept = filter_record_batch(rows, &passes)?;
                if self.kind.is_outer {
                    rejected = Some(filter_record_batch(rows, &not(&passes)?)?);
                }
            }
        }
        let evaluate = |rows: &RecordBatch| -> Result<Vec<ArrayRef>> {
            let keys = self.keys.iter();
            keys.map(|key| key.evaluate(rows)?.into_array(rows.num_rows()))
                .collect()
        };
        let mut keys = evaluate(&kept)?;
        let mut matchable = None;
        if !self.kind.nulls_match && keys.iter().any(|key| key.logical_null_count() > 0) {
            let mut valid = BooleanArray::from(vec![true; kept.num_rows()]);
            for key in &keys {
                valid = and(&valid, &is_not_null(key)?)?;
            }
            if self.kind.is_outer {
                matchable = Some(valid);
            } else {
                kept = filter_record_batch(&kept, &valid)?;
                keys = evaluate(&kept)?;
            }
        }
        Ok(Arrived {
            rows: kept,
            keys,
            matchable,
            rejected,
        })
    }

    /// The rows that are kept with the keys of rows that arrived on the other side.
    pub(super) fn probe(&self, arrived: &Arrived) -> Result<Option<Probe>> {
        let num_rows = arrived.rows.num_rows();
        let mut probe = self
            .operator
            .with_state(|store, _| store.probe(&arrived.keys, num_rows))?;
        if let (Some(probe), Some(matchable)) = (&mut probe, &arrived.matchable) {
            let pairs = probe.asking.iter().copied().zip(probe.found.iter().copied());
            (probe.asking, probe.found) = pairs.filter(|&(row, _)| matchable.value(row as usize)).unzip();
        }
        Ok(probe)
    }

    /// The side's own columns of state rows.
    pub(super) fn columns_of(&self, state_rows: &RecordBatch) -> Result<RecordBatch> {
        let first = self.keys.len() + 1;
        let columns = state_rows.columns()[first..first + self.schema.fields().len()].to_vec();
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }

    /// Keeps rows that arrived; without those that have matched, if `only_unmatched`.
    pub(super) fn keep(&self, arrived: &Arrived, matched: BooleanArray, only_unmatched: bool) -> Result<()> {
        if arrived.rows.num_rows() == 0 {
            return Ok(());
        }
        let begun = Instant::now();
        self.operator.with_state(|store, numbers| {
            let num_rows = arrived.rows.num_rows();
            let first = store.next_number();
            let mut columns = arrived.keys.clone();
            columns.push(Arc::new((first..).take(num_rows).collect::<Int64Array>()));
            columns.extend(arrived.rows.columns().iter().cloned());
            let unmatched = only_unmatched.then(|| not(&matched)).transpose()?;
            columns.push(Arc::new(matched));
            let mut rows = RecordBatch::try_new(Arc::clone(&store.layout().schema), columns)?;
            if let Some(unmatched) = unmatched {
                rows = filter_record_batch(&rows, &unmatched)?;
            }
            numbers.updated += rows.num_rows() as u64;
            store.put(rows)?;
            numbers.update_time += begun.elapsed();
            Ok(())
        })?;
        Ok(())
    }

    /// Notes that some of `state_rows` have matched, and gives the columns of those for which it is the first time.
    pub(super) fn mark_matched(
        &self,
        state_rows: &RecordBatch,
        matched: &UInt32Array,
    ) -> Result<Option<RecordBatch>> {
        let last = state_rows.num_columns() - 1;
        let before = state_rows.column(last).as_boolean();
        let mut is_first = vec![false; state_rows.num_rows()];
        for &row in matched.values() {
            is_first[row as usize] = !before.value(row as usize);
        }
        let places = (0_u32..)
            .zip(&is_first)
            .filter(|(_, is_first)| **is_first)
            .map(|(row, _)| row);
        let places = places.collect::<UInt32Array>();
        if places.is_empty() {
            return Ok(None);
        }
        let first = take_record_batch(state_rows, &places)?;
        let mut columns = first.columns().to_vec();
        columns[last] = Arc::new(BooleanArray::from(vec![true; places.len()]));
        let marked = RecordBatch::try_new(first.schema(), columns)?;
        let own = self.columns_of(&marked)?;
        self.operator.with_state(|store, _| store.put(marked))?;
        Ok(Some(own))
    }

    /// Evicts what the batch's watermark lets go, and gives the columns of an outer side's rows that never matched.
    pub(super) fn evict(&self) -> Result<Option<RecordBatch>> {
        let Some(offset_us) = self.eviction_offset_us else {
            return Ok(None);
        };
        let watermark_us = self.operator.watermarks().eviction_us;
        let evicted = self.operator.with_state(|store, numbers| {
            let begun = Instant::now();
            let evicted = store.evict(watermark_us.saturating_add(offset_us))?;
            numbers.removed += evicted.as_ref().map_or(0, |rows| rows.num_rows() as u64);
            numbers.removal_time += begun.elapsed();
            Ok(evicted)
        })?;
        let Some(evicted) = evicted.filter(|_| self.kind.is_outer) else {
            return Ok(None);
        };
        let matched = evicted.column(evicted.num_columns() - 1).as_boolean();
        let unmatched = filter_record_batch(&evicted, &not(matched)?)?;
        if unmatched.num_rows() == 0 {
            return Ok(None);
        }
        self.columns_of(&unmatched).map(Some)
    }
}
