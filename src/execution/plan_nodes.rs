//! A running query's physical plan as a tree of nodes with numbers, for front ends that draw it.

use std::collections::VecDeque;
use std::sync::Arc;

use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::physical_plan::{ExecutionPlan, displayable};

use crate::operators::measured::TIME_WITH_INPUTS;
use crate::operators::operators_of;

/// How many batches [`PlanNode::recent`] reaches back.
pub const RECENT_BATCHES: usize = 100;

/// One node of a query's physical plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanNode {
    /// Its place in the tree, root first, each node before its inputs: the index in the list.
    pub id: usize,
    /// The node that takes its rows; `None` for the root.
    pub parent: Option<usize>,
    /// How deep it is: 0 for the root.
    pub depth: usize,
    /// What it is: `StreamingAggregateExec`.
    pub name: Arc<str>,
    /// The rest of its line in EXPLAIN; may be empty.
    pub detail: Arc<str>,
    /// The stateful operators in it (a join of two streams has one for each side), by their numbers in progress.
    pub operators: Arc<[u32]>,
    /// What takes keys out of its state, in words; `None`: it has no state, or nothing ever does.
    pub evicts: Option<Arc<str>>,
    /// What it did in the last batch.
    pub last: NodeNumbers,
    /// What it did in the last [`Self::num_recent`] batches together.
    pub recent: NodeNumbers,
    /// How many batches [`Self::recent`] is the sum of.
    pub num_recent: u64,
}

/// What a node did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NodeNumbers {
    /// Rows that it gave; `None` if it does not count them.
    pub rows: Option<u64>,
    /// Its own computing time in microseconds, all partitions together; `None` if only [`Self::with_inputs_us`] is known.
    pub own_us: Option<u64>,
    /// The time until its rows were there, that of its inputs included, in microseconds.
    pub with_inputs_us: Option<u64>,
}

impl NodeNumbers {
    /// Adds those of another batch.
    fn add(&mut self, other: &Self) {
        self.combine(other, u64::saturating_add);
    }

    /// Takes those of a batch out that were added before.
    fn take_out(&mut self, other: &Self) {
        self.combine(other, u64::saturating_sub);
    }

    fn combine(&mut self, other: &Self, combine: fn(u64, u64) -> u64) {
        for (sum, number) in [
            (&mut self.rows, other.rows),
            (&mut self.own_us, other.own_us),
            (&mut self.with_inputs_us, other.with_inputs_us),
        ] {
            if let Some(number) = number {
                *sum = Some(combine(sum.unwrap_or(0), number));
            }
        }
    }
}

/// The nodes of a run's plan, with their numbers of the recent batches.
#[derive(Debug, Default)]
pub(super) struct PlanNumbers {
    nodes: Vec<PlanNode>,
    batches: VecDeque<Vec<NodeNumbers>>,
}

impl PlanNumbers {
    /// A plan that has not run yet, its operators in their places.
    pub(super) fn new(root: &Arc<dyn ExecutionPlan>) -> Self {
        let mut nodes = Vec::new();
        describe(root, None, 0, &mut nodes);
        Self {
            nodes,
            batches: VecDeque::new(),
        }
    }

    /// Takes in what the nodes of the same plan did in a batch.
    pub(super) fn ran(&mut self, root: &Arc<dyn ExecutionPlan>) {
        let mut numbers = Vec::with_capacity(self.nodes.len());
        measure(root, &mut numbers);
        self.take_in(numbers);
    }

    fn take_in(&mut self, numbers: Vec<NodeNumbers>) {
        if self.batches.len() >= RECENT_BATCHES
            && let Some(oldest) = self.batches.pop_front()
        {
            for (node, numbers) in self.nodes.iter_mut().zip(&oldest) {
                node.recent.take_out(numbers);
                node.num_recent -= 1;
            }
        }
        for (node, numbers) in self.nodes.iter_mut().zip(&numbers) {
            node.last = *numbers;
            node.recent.add(numbers);
            node.num_recent += 1;
        }
        self.batches.push_back(numbers);
    }

    /// The nodes with their numbers.
    pub(super) fn nodes(&self) -> Vec<PlanNode> {
        self.nodes.clone()
    }
}

fn describe(node: &Arc<dyn ExecutionPlan>, parent: Option<usize>, depth: usize, nodes: &mut Vec<PlanNode>) {
    let id = nodes.len();
    let line = displayable(node.as_ref()).one_line().to_string();
    let (name, detail) = line.trim_end().split_once(':').unwrap_or((line.trim_end(), ""));
    let operators = operators_of(node.as_ref());
    nodes.push(PlanNode {
        id,
        parent,
        depth,
        name: Arc::from(name.trim()),
        detail: Arc::from(detail.trim()),
        operators: operators.iter().map(|operator| operator.id()).collect(),
        evicts: operators
            .iter()
            .find_map(|operator| operator.evicts())
            .map(Arc::from),
        last: NodeNumbers::default(),
        recent: NodeNumbers::default(),
        num_recent: 0,
    });
    for child in node.children() {
        describe(child, Some(id), depth + 1, nodes);
    }
}

/// In the order of [`describe`].
fn measure(node: &Arc<dyn ExecutionPlan>, numbers: &mut Vec<NodeNumbers>) {
    let metrics = node.metrics();
    let count = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
    numbers.push(NodeNumbers {
        rows: metrics.as_ref().and_then(MetricsSet::output_rows).map(count),
        own_us: metrics
            .as_ref()
            .and_then(MetricsSet::elapsed_compute)
            .map(|nanos| count(nanos) / 1000),
        with_inputs_us: metrics
            .as_ref()
            .and_then(|metrics| metrics.sum_by_name(TIME_WITH_INPUTS))
            .map(|nanos| count(nanos.as_usize()) / 1000),
    });
    for child in node.children() {
        measure(child, numbers);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::Schema;
    use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
    use datafusion::physical_plan::empty::EmptyExec;

    use super::*;

    #[test]
    fn the_recent_batches_are_summed_and_the_oldest_goes() {
        let leaf = Arc::new(EmptyExec::new(Arc::new(Schema::empty())));
        let root: Arc<dyn ExecutionPlan> = Arc::new(CoalescePartitionsExec::new(leaf));
        let mut plan = PlanNumbers::new(&root);
        let names = plan
            .nodes()
            .into_iter()
            .map(|node| (node.name.to_string(), node.parent, node.depth));
        assert_eq!(
            names.collect::<Vec<_>>(),
            [
                ("CoalescePartitionsExec".to_owned(), None, 0),
                ("EmptyExec".to_owned(), Some(0), 1)
            ]
        );
        let of = |rows: u64| NodeNumbers {
            rows: Some(rows),
            own_us: None,
            with_inputs_us: Some(1),
        };
        let batches = RECENT_BATCHES as u64 + 5;
        for batch in 0..batches {
            plan.take_in(vec![of(batch), NodeNumbers::default()]);
        }
        let nodes = plan.nodes();
        assert_eq!((nodes[0].last, nodes[0].num_recent), (of(batches - 1), 100));
        let sum = (5..batches).sum::<u64>();
        assert_eq!((nodes[0].recent.rows, nodes[0].recent.own_us), (Some(sum), None));
        assert_eq!(
            (nodes[0].recent.with_inputs_us, nodes[1].recent.rows),
            (Some(100), None)
        );
    }
}
