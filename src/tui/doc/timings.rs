//! Where the time of batches goes: Spark's steps, summed up to the few that one can do something about.

use super::Line;
use crate::execution::progress::StreamingQueryProgress;
use crate::tui::app::history;
use crate::tui::symbols::Symbols;
use crate::tui::theme::Role;
use crate::tui::units::{to_cells, to_f64};

/// The parts of a batch, in the order of a bar, each with Spark's names of its steps.
const PARTS: [(&str, &[&str]); 5] = [
    ("execute", &["addBatch"]),
    ("commit", &["commitOffsets", "stateCommit"]),
    ("wal", &["walCommit"]),
    ("read", &["latestOffset", "getBatch"]),
    ("plan", &["queryPlanning"]),
];
const OTHER: &str = "other";

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fake;

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
        assert_eq!(legend(50), ["# execute 60 %  = commit 30 %  . other 10 %"]);
        assert_eq!(legend(29), ["# execute 60 %  = commit 30 %", ". other 10 %"]);
        assert_eq!(legend(28)[0], "# execute 60 %");
    }
}
