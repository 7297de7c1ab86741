//! Where a batch's time goes: a stopwatch with Spark's names for the steps.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Measures the steps of one batch.
#[derive(Debug)]
pub struct Durations {
    begun: Instant,
    steps: BTreeMap<&'static str, Duration>,
}

impl Durations {
    /// Begins a batch.
    pub fn begin() -> Self {
        Self {
            begun: Instant::now(),
            steps: BTreeMap::new(),
        }
    }

    /// Runs a step and adds its time to the step's name.
    pub async fn step<T>(&mut self, name: &'static str, work: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let result = work.await;
        self.add(name, begun.elapsed());
        result
    }

    /// Adds time to a step.
    pub fn add(&mut self, name: &'static str, time: Duration) {
        *self.steps.entry(name).or_default() += time;
    }

    /// Since the batch began.
    pub fn total(&self) -> Duration {
        self.begun.elapsed()
    }

    /// The steps and `triggerExecution`, their sum with what lies between, in microseconds.
    pub fn micros(&self) -> BTreeMap<String, u64> {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let steps = self
            .steps
            .iter()
            .map(|(name, time)| ((*name).to_owned(), micros(*time)));
        steps
            .chain([("triggerExecution".to_owned(), micros(self.total()))])
            .collect()
    }
}
