//! Time travel: a query as it was when one of its recent batches was the newest.
//!
//! A [`Past`] is made once, when somebody goes to a batch, and does not change while the engine runs on and the batch
//! leaves the ring. Whatever shows a query shows this account of it instead of the present one, so charts, state,
//! texts and results move together without knowing of it.

use std::collections::VecDeque;
use std::sync::Arc;

use super::history::{self, History, parse_ms};
use super::{App, Screen};
use crate::engine::snapshot::QuerySnapshot;
use crate::execution::progress::StreamingQueryProgress;

/// A query at an earlier batch.
#[derive(Debug, Clone)]
pub(crate) struct Past {
    /// The query's account of itself, ending with that batch.
    pub(crate) query: Arc<QuerySnapshot>,
    /// What the workbench remembered then.
    pub(crate) history: Arc<History>,
    /// When that batch was done, in milliseconds since the epoch.
    pub(crate) at_ms: i64,
    /// The batch.
    pub(crate) batch: Arc<StreamingQueryProgress>,
}

impl Past {
    /// The query at the batch at a place of its ring.
    fn at(query: &QuerySnapshot, history: &History, at: usize) -> Option<Self> {
        let ring = &query.recent_progress;
        let batch = Arc::clone(ring.get(at)?);
        let took_ms = i64::try_from(history::duration_us(&batch) / 1000).unwrap_or(0);
        let mut then = query.clone();
        then.recent_progress = Arc::new(ring.iter().take(at + 1).map(Arc::clone).collect());
        then.last_committed = Some(batch.batch_id);
        // What a batch's progress does not tell is known of the batches that were seen as the newest.
        let account = history.account_at(&batch);
        then.event_time = account.and_then(|account| account.event_time.clone());
        then.warnings = account.map_or_else(Vec::new, |account| account.warnings.clone());
        if let Some(account) = account {
            then.plan_nodes.clone_from(&account.plan_nodes);
        }
        Some(Self {
            query: Arc::new(then),
            history: Arc::new(history.until(ring, at)),
            at_ms: parse_ms(&batch.timestamp)? + took_ms,
            batch,
        })
    }
}

impl App {
    /// The selected query's recent batches, whichever of them is shown.
    pub(crate) fn ring(&self) -> Arc<VecDeque<Arc<StreamingQueryProgress>>> {
        self.picture_query()
            .map(|query| Arc::clone(&query.recent_progress))
            .unwrap_or_default()
    }

    /// Where the batch that is shown stands in the ring, if it still does.
    pub(crate) fn place_in_ring(&self) -> Option<usize> {
        let ring = self.ring();
        match &self.past {
            Some(past) => ring.iter().position(|batch| Arc::ptr_eq(batch, &past.batch)),
            None => ring.len().checked_sub(1),
        }
    }

    /// Goes to a batch by its place in the ring.
    pub(super) fn travel_to(&mut self, at: usize) {
        let Some(query) = self.picture_query().map(Arc::clone) else {
            return;
        };
        let history = self.picture().histories.of(query.id);
        self.past = Past::at(&query, &history, at);
    }

    /// Goes by some batches; behind the newest one it is the present again.
    pub(super) fn travel(&mut self, by: isize) {
        let ring = self.ring();
        // A batch that has left the ring was older than all that are in it.
        let place = self.place_in_ring().map_or(-1, usize::cast_signed);
        let to = place.saturating_add(by);
        if to >= ring.len().cast_signed() {
            self.past = None;
        } else {
            self.travel_to(usize::try_from(to).unwrap_or(0));
        }
    }

    /// Stays at the newest batch, or goes back to the present.
    pub(super) fn turn_pause(&mut self) {
        match (self.past.take(), self.ring().len().checked_sub(1)) {
            (None, Some(newest)) => self.travel_to(newest),
            _ => self.past = None,
        }
    }

    /// The account of an earlier batch, where one is shown.
    pub(crate) fn past(&self) -> Option<&Past> {
        let past = self.past.as_ref()?;
        (matches!(self.screen, Screen::Query(_)) && Some(past.query.id) == self.selected).then_some(past)
    }
}
