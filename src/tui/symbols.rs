//! The signs on the screen, once with Unicode and once for terminals that have only ASCII.

use ratatui::symbols::border;

use crate::engine::snapshot::QueryState;

/// One set of signs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Symbols {
    /// Frames of panels.
    pub(crate) border: border::Set<'static>,
    /// Eight heights of a sparkline, lowest first.
    pub(crate) spark: [&'static str; 8],
    /// Fills of a stacked bar, one a part, so that parts differ without colour too.
    pub(crate) fills: [&'static str; 6],
    /// Stands before the selected row.
    pub(crate) selected: &'static str,
    /// Ends a text that was cut.
    pub(crate) ellipsis: &'static str,
    /// Stands for "nothing here".
    pub(crate) none: &'static str,
    /// Sorted upwards, downwards.
    pub(crate) sort: [&'static str; 2],
    /// Before a warning.
    pub(crate) warning: &'static str,
    /// More to the left, right, above, below.
    pub(crate) more: [&'static str; 4],
    /// A changed and a new row.
    pub(crate) changed: [&'static str; 2],
    /// The line and the point of the watermark lane.
    pub(crate) lane: [&'static str; 2],
    /// The points of a line in a chart.
    pub(crate) trace: &'static str,
    /// Before a marked row.
    pub(crate) marked: &'static str,
    /// A window of time: its start, its middle, its end.
    pub(crate) window: [&'static str; 3],
    /// Branches of a tree: to a node with others below it, to the last one, past one.
    pub(crate) branch: [&'static str; 3],
    /// Between a file and a query in the header.
    pub(crate) crumb: &'static str,
    /// Between facts on one line.
    pub(crate) dot: &'static str,
    /// Minus, as a lag has it.
    pub(crate) minus: &'static str,
    /// Microseconds.
    pub(crate) micro: &'static str,
    /// Between the two ends of a window.
    pub(crate) dash: &'static str,
    /// Axes of charts: vertical with tick, corner, horizontal, tick below.
    pub(crate) axis: [&'static str; 4],
    /// What is well.
    pub(crate) right: &'static str,
    /// What is wrong.
    pub(crate) wrong: &'static str,
    states: [&'static str; 6],
}

impl Symbols {
    /// For terminals that show Unicode: all of them by now, but for some serial lines and logs.
    pub(crate) const UNICODE: Self = Self {
        border: border::ROUNDED,
        spark: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
        fills: ["▓", "▒", "░", "▪", "▚", "·"],
        selected: "▌",
        ellipsis: "…",
        none: "·",
        sort: ["▲", "▼"],
        warning: "▲",
        more: ["‹", "›", "↑", "↓"],
        changed: ["•", "+"],
        lane: ["─", "●"],
        trace: "•",
        marked: "◆",
        window: ["├", "─", "┤"],
        branch: ["├─ ", "└─ ", "│  "],
        crumb: "▸",
        dot: "·",
        minus: "−",
        micro: "µs",
        dash: "–",
        axis: ["┤", "└", "─", "┬"],
        right: "✓",
        wrong: "✗",
        states: ["◌", "●", "◍", "○", "✓", "✗"],
    };

    /// Nothing beyond ASCII.
    pub(crate) const ASCII: Self = Self {
        border: border::Set {
            top_left: "+",
            top_right: "+",
            bottom_left: "+",
            bottom_right: "+",
            vertical_left: "|",
            vertical_right: "|",
            horizontal_top: "-",
            horizontal_bottom: "-",
        },
        spark: ["_", ".", ":", "-", "=", "+", "*", "#"],
        fills: ["#", "=", "-", "+", "o", "."],
        selected: ">",
        ellipsis: "~",
        none: ".",
        sort: ["^", "v"],
        warning: "!",
        more: ["<", ">", "^", "v"],
        changed: ["*", "+"],
        lane: ["-", "o"],
        trace: "o",
        marked: "x",
        window: ["[", "-", "]"],
        branch: ["|- ", "`- ", "|  "],
        crumb: ">",
        dot: "|",
        minus: "-",
        micro: "us",
        dash: "-",
        axis: ["|", "+", "-", "+"],
        right: "+",
        wrong: "x",
        states: ["~", "*", "~", "-", "+", "x"],
    };

    /// The sign of a query's state, always shown beside its word.
    pub(crate) fn state(&self, state: QueryState) -> &'static str {
        self.states[match state {
            QueryState::Starting => 0,
            QueryState::Running => 1,
            QueryState::Stopping => 2,
            QueryState::Stopped => 3,
            QueryState::Finished => 4,
            QueryState::Failed => 5,
        }]
    }

    /// A sparkline of `cells` signs over the values, newest last, scaled to the largest; blank where nothing is known.
    pub(crate) fn sparkline(&self, values: &[f64], cells: usize) -> String {
        let shown = &values[values.len().saturating_sub(cells)..];
        let top = shown.iter().copied().fold(0.0, f64::max);
        let mut line = " ".repeat(cells - shown.len());
        for value in shown {
            let step = if top > 0.0 {
                super::units::to_cells((value / top * 7.0).round())
            } else {
                0
            };
            line.push_str(self.spark[step.min(7)]);
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sparklines_scale_to_their_largest_value() {
        assert_eq!(Symbols::UNICODE.sparkline(&[0.0, 5.0, 10.0], 3), "▁▅█");
        assert_eq!(Symbols::UNICODE.sparkline(&[1.0, 2.0], 4), "  ▅█");
        assert_eq!(Symbols::ASCII.sparkline(&[0.0, 0.0], 2), "__");
        assert_eq!(Symbols::UNICODE.sparkline(&[9.0, 1.0, 1.0], 2), "██");
    }

    #[test]
    fn ascii_is_ascii() {
        let set = Symbols::ASCII;
        let mut all = vec![
            set.selected,
            set.ellipsis,
            set.none,
            set.warning,
            set.trace,
            set.marked,
            set.crumb,
            set.dot,
            set.minus,
            set.micro,
            set.right,
            set.wrong,
        ];
        all.extend(
            set.spark
                .iter()
                .chain(&set.fills)
                .chain(&set.states)
                .chain(&set.more)
                .chain(&set.axis),
        );
        all.extend(set.sort.iter().chain(&set.changed).chain(&set.lane));
        all.extend(set.window.iter().chain(&set.branch));
        assert!(all.iter().all(|sign| sign.is_ascii()), "{all:?}");
    }
}
