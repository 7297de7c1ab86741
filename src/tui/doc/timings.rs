//! Where the time of batches goes: Spark's steps, summed up to the few that one can do something about.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Line;
use crate::execution::progress::StreamingQueryProgress;
use crate::tui::app::history;
use crate::tui::symbols::Symbols;
use crate::tui::theme::Role;
use crate::tui::units::{self, to_cells, to_f64};

/// The parts of a batch, in the order of a bar, each with Spark's names of its steps.
const PARTS: [(&str, &[&str]); 5] = [
    ("execute", &["addBatch"]),
    ("state commit", &["stateCommit"]),
    ("sink", &["commitOffsets"]),
    ("wal", &["walCommit"]),
    ("read", &["latestOffset", "getBatch"]),
];
const OTHER: &str = "other";
/// How many batches the split of their durations is taken over, so that it does not jump about.
pub(crate) const TIMED_BATCHES: usize = 20;

/// Microseconds by part; the sixth is what no step accounts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Timings([u64; 6]);

impl Timings {
    /// Of some batches together.
    pub(crate) fn of<'a>(batches: impl IntoIterator<Item = &'a StreamingQueryProgress>) -> Self {
        let mut sum = Self::default();
        for batch in batches {
            let step = |name: &&str| {
                let exact = batch.duration_us.get(*name).copied();
                exact
                    .or_else(|| batch.duration_ms.get(*name).map(|ms| ms * 1000))
                    .unwrap_or(0)
            };
            let mut known = 0;
            for (part, (_, steps)) in sum.0.iter_mut().zip(PARTS) {
                let time: u64 = steps.iter().map(step).sum();
                *part += time;
                known += time;
            }
            sum.0[5] += history::duration_us(batch).saturating_sub(known);
        }
        sum
    }

    /// All parts together.
    pub(crate) fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The parts with their names, roles and fills, in the order of the bar.
    pub(crate) fn parts(
        &self,
        symbols: &Symbols,
    ) -> impl Iterator<Item = (&'static str, Role, &'static str, u64)> {
        let names = PARTS.into_iter().map(|(name, _)| name).chain([OTHER]);
        let look = Role::PARTS.into_iter().zip(symbols.fills);
        names
            .zip(look)
            .zip(self.0)
            .map(|((name, (role, fill)), time)| (name, role, fill, time))
    }

    /// A stacked bar of `cells`, full at `full_us`.
    pub(crate) fn bar(&self, symbols: &Symbols, full_us: u64, cells: usize) -> Line {
        let mut bar = Line::new();
        let (mut time, mut end) = (0, 0);
        for (_, role, fill, part) in self.parts(symbols) {
            time += part;
            // Each part ends where the sum up to it does, so that rounding never adds up.
            let until =
                to_cells((to_f64(time) / to_f64(full_us.max(1)) * to_f64(cells as u64)).round()).min(cells);
            if until > end {
                bar.push((role, fill.repeat(until - end)));
                end = until;
            }
        }
        bar
    }

    /// `execute 61 %  commit 27 %  other 12 %`, the largest first, broken into lines of `width`.
    pub(crate) fn legend(&self, symbols: &Symbols, width: usize) -> Vec<Line> {
        let total = to_f64(self.total().max(1));
        let mut parts: Vec<_> = self.parts(symbols).filter(|(.., time)| *time > 0).collect();
        parts.sort_by_key(|(.., time)| std::cmp::Reverse(*time));
        let mut lines = vec![Line::new()];
        let mut taken = 0;
        for (name, role, fill, time) in parts {
            let share = to_f64(time) / total * 100.0;
            // What is hardly to be seen in the bar needs no name.
            if share < 4.0 {
                break;
            }
            let word = format!(" {name} {share:.0} %");
            let begins = taken == 0 || taken + 3 + word.len() > width;
            if begins && taken > 0 {
                lines.push(Line::new());
            }
            let (gap, before) = if begins { ("", 0) } else { ("  ", taken) };
            taken = before + gap.len() + 1 + word.len();
            if let Some(line) = lines.last_mut() {
                line.extend([(role, format!("{gap}{fill}")), (Role::Text, word)]);
            }
        }
        lines
    }
}

/// A batch is slow if it takes so many times what the batches before did.
const SLOW: f64 = 1.7;
/// So many slow batches after each other are more than chance.
const SLOW_RUN: usize = 3;

/// One sentence on where the time of recent batches goes: what has become slow and since when, or else what takes
/// most of it.
pub(crate) fn verdict(
    recent: &VecDeque<Arc<StreamingQueryProgress>>,
    symbols: &'static Symbols,
) -> Option<String> {
    let batches: Vec<(u64, Timings)> = recent
        .iter()
        .filter(|batch| history::is_batch(batch))
        .map(|batch| (batch.batch_id, Timings::of([batch.as_ref()])))
        .collect();
    slow_since(&batches, symbols).or_else(|| most_of_it(&batches))
}

/// `2.4 times as long since batch 141: state commit takes 4.1 ms, before 1.2 ms`.
fn slow_since(batches: &[(u64, Timings)], symbols: &'static Symbols) -> Option<String> {
    let mut totals: Vec<u64> = batches.iter().map(|(_, timings)| timings.total()).collect();
    totals.sort_unstable();
    // The median of the faster half is what a batch usually takes, even while half of them are slow.
    let usual = to_f64(*totals.get(totals.len() / 4)?);
    let is_slow = |timings: &Timings| to_f64(timings.total()) > usual * SLOW;
    let run = batches
        .iter()
        .rev()
        .take_while(|(_, timings)| is_slow(timings))
        .count();
    if run < SLOW_RUN || batches.len() - run < SLOW_RUN {
        return None;
    }
    let (before, since) = batches.split_at(batches.len() - run);
    let mean = |some: &[(u64, Timings)]| {
        let count = some.len().max(1) as u64;
        let mut mean = Timings::default();
        for (part, sum) in mean.0.iter_mut().enumerate() {
            *sum = some.iter().map(|(_, timings)| timings.0[part]).sum::<u64>() / count;
        }
        mean
    };
    let (then, now) = (mean(before), mean(since));
    let grown = (0..then.0.len()).max_by_key(|part| now.0[*part].saturating_sub(then.0[*part]))?;
    let time = |us: u64| units::duration_us(us, symbols.micro).text();
    Some(format!(
        "{:.1} times as long since batch {}: {} takes {}, before {}",
        to_f64(now.total()) / to_f64(then.total().max(1)),
        since.first()?.0,
        name(grown),
        time(now.0[grown]),
        time(then.0[grown]),
    ))
}

/// `82 % state commit since batch 118`.
fn most_of_it(batches: &[(u64, Timings)]) -> Option<String> {
    let largest = |timings: &Timings| (0..timings.0.len()).max_by_key(|part| timings.0[*part]);
    let recent = &batches[batches.len().saturating_sub(TIMED_BATCHES)..];
    let mut sum = Timings::default();
    for (_, timings) in recent {
        for (sum, part) in sum.0.iter_mut().zip(timings.0) {
            *sum += part;
        }
    }
    let part = largest(&sum).filter(|_| sum.total() > 0)?;
    let share = to_f64(sum.0[part]) / to_f64(sum.total()) * 100.0;
    // Where it has been so since a batch that is still remembered, that batch may say why.
    let other = batches
        .iter()
        .rposition(|(_, timings)| largest(timings) != Some(part));
    let since = match other {
        Some(at) if at + SLOW_RUN < batches.len() => format!("since batch {}", batches[at + 1].0),
        Some(_) => format!("in the last {} batches", recent.len()),
        None => format!("in all of the last {} batches", batches.len()),
    };
    Some(format!("{share:.0} % {} {since}", name(part)))
}

fn name(part: usize) -> &'static str {
    PARTS.get(part).map_or(OTHER, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fake;

    fn ring(times: &[(u64, u64)]) -> VecDeque<Arc<StreamingQueryProgress>> {
        let batch = |(id, (execute, commit)): (usize, &(u64, u64))| {
            let mut batch = fake::progress(id as u64, fake::BASE_MS, 10);
            batch.duration_us = [
                ("addBatch", *execute),
                ("stateCommit", *commit),
                ("triggerExecution", execute + commit),
            ]
            .map(|(name, time)| (name.to_string(), time))
            .into();
            batch.duration_ms.clear();
            batch.duration_ms.insert("addBatch".to_string(), 0);
            Arc::new(batch)
        };
        times.iter().enumerate().map(batch).collect()
    }

    fn said(times: &[(u64, u64)]) -> Option<String> {
        verdict(&ring(times), &Symbols::ASCII)
    }

    #[test]
    fn the_verdict_names_what_takes_most_and_since_when() {
        assert_eq!(said(&[]), None);
        assert_eq!(
            said(&[(600, 400); 10]).as_deref(),
            Some("60 % execute in all of the last 10 batches")
        );
        let mut changes = vec![(500, 400); 6];
        changes.extend([(200, 800); 24]);
        assert_eq!(said(&changes).as_deref(), Some("80 % state commit since batch 6"));
    }

    #[test]
    fn the_verdict_sees_batches_become_slow() {
        let mut slower = vec![(500, 400); 20];
        slower.extend([(500, 1_700); 5]);
        assert_eq!(
            said(&slower).as_deref(),
            Some("2.4 times as long since batch 20: state commit takes 1.7 ms, before 400 us")
        );
        let mut once = vec![(500, 400); 20];
        once.push((500, 2_000));
        assert!(
            said(&once).is_some_and(|said| said.contains("execute")),
            "one slow batch is chance"
        );
    }

    #[test]
    fn a_bar_is_as_long_as_its_time() {
        let mut batch = fake::progress(1, fake::BASE_MS, 10);
        batch.duration_us = [
            ("addBatch", 600),
            ("stateCommit", 300),
            ("triggerExecution", 1_000),
        ]
        .map(|(name, time)| (name.to_string(), time))
        .into();
        batch.duration_ms.clear();
        let timings = Timings::of([&batch]);
        assert_eq!(timings.total(), 1_000);
        let cells = |full| {
            timings
                .bar(&Symbols::ASCII, full, 20)
                .into_iter()
                .map(|(_, fill)| fill)
                .collect::<String>()
        };
        assert_eq!(cells(1_000), "############======..");
        assert_eq!(cells(2_000), "######===.");
        let legend = |width| -> Vec<String> {
            let lines = timings.legend(&Symbols::ASCII, width).into_iter();
            lines
                .map(|line| line.into_iter().map(|(_, text)| text).collect())
                .collect()
        };
        assert_eq!(legend(56), ["# execute 60 %  = state commit 30 %  . other 10 %"]);
        assert_eq!(
            legend(35),
            ["# execute 60 %  = state commit 30 %", ". other 10 %"]
        );
        assert_eq!(legend(34)[0], "# execute 60 %");
    }
}
