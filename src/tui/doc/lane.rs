//! Event time on one axis: what has arrived, what the watermark has passed, and what came too late for it.

use chrono::DateTime;

use super::{Doc, Facts, LABEL};
use crate::tui::app::history::{self, parse_ms};
use crate::tui::app::queries;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::units::{self, to_cells, to_f64};

/// Lanes of fewer cells say nothing.
const SHORTEST: usize = 8;
/// Longer ones say nothing more.
const LONGEST: usize = 90;

pub(super) fn doc(facts: &Facts<'_>) -> Doc {
    let mut doc = Doc::default();
    lines(&mut doc, facts);
    if doc.lines.is_empty() {
        let words = if facts.query.recent_progress.is_empty() {
            "No batch has run since the workbench opened."
        } else {
            "Without a watermark this query knows no event time: nothing is ever late, and state is kept for ever."
        };
        doc.paragraph("", Role::Muted, words, facts.width);
    }
    doc
}

/// The same as part of a text.
pub(super) fn lines(doc: &mut Doc, facts: &Facts<'_>) {
    let recent = &facts.query.recent_progress;
    let Some(last) = recent
        .back()
        .filter(|batch| batch.event_time.contains_key("watermark"))
    else {
        return;
    };
    // A batch without rows has no event times of its own.
    let newest = recent
        .iter()
        .rev()
        .find_map(|batch| parse_ms(batch.event_time.get("max")?));
    let mark = queries::watermark_ms(facts.query);
    // Rows are late against the watermark of the batch before.
    let before = recent.iter().rev().nth(1);
    let cut_off = before
        .and_then(|batch| parse_ms(batch.event_time.get("watermark")?))
        .filter(|at| *at > 0);
    let points = [
        ("max event", newest, Role::Spark),
        ("watermark", mark, Role::Trend),
        ("cut-off", cut_off.filter(|at| Some(*at) != mark), Role::Muted),
    ];
    let known = || points.iter().filter_map(|(_, at, _)| *at);
    if let (Some(low), Some(high)) = (known().min(), known().max()) {
        let axis = Axis::over(low, high, facts);
        for (label, at, role) in points {
            if let Some(at) = at {
                doc.line([
                    (Role::Muted, text::left(label, LABEL, "")),
                    (Role::Text, axis.time(at, facts.now_ms)),
                    (role, axis.point(at, facts)),
                ]);
            }
        }
    }
    match queries::lag_ms(facts.query, facts.history, facts.now_ms) {
        Some(lag) => doc.pair("lag", Role::Text, &units::lag_ms(lag), facts.width),
        None => doc.pair("watermark", Role::Muted, "waits for the first rows", facts.width),
    }
    if facts.history.dropped > 0 {
        let late = recent.iter().rev().find(|batch| history::dropped(batch) > 0);
        let when = late.and_then(|batch| parse_ms(&batch.timestamp));
        let when = when.map_or(String::new(), |at| {
            format!(", last {}", clock_time(at, facts.now_ms))
        });
        let rows = units::plural(usize::try_from(facts.history.dropped).unwrap_or(0), "row", "rows");
        doc.pair(
            "late",
            Role::Warning,
            &format!("{rows} dropped{when}"),
            facts.width,
        );
    } else if last.num_input_rows > 0 || recent.len() > 1 {
        doc.pair("late", Role::Muted, "no rows dropped", facts.width);
    }
}

/// From event times to cells.
#[derive(Debug)]
struct Axis {
    begin: i64,
    end: i64,
    cells: usize,
    /// Cells of a time before the lane.
    time: usize,
}

impl Axis {
    fn over(low: i64, high: i64, facts: &Facts<'_>) -> Self {
        // It begins a little before the first point, so that its own line can be seen to move.
        let begin = low - (high - low).max(1_000) / 2;
        let widest = [low, high].map(|at| text::width(&clock_time(at, facts.now_ms)));
        let time = widest.into_iter().max().unwrap_or(8) + 1;
        Self {
            begin,
            end: high,
            cells: facts.width.saturating_sub(LABEL + time).min(LONGEST),
            time,
        }
    }

    fn time(&self, at: i64, now_ms: i64) -> String {
        text::left(&clock_time(at, now_ms), self.time, "")
    }

    /// The cell of a moment, from 1 on.
    fn cell(&self, at: i64) -> usize {
        let span = to_f64((self.end - self.begin).unsigned_abs().max(1));
        let share = to_f64(u64::try_from(at - self.begin).unwrap_or(0)) / span;
        to_cells((share * to_f64(self.cells as u64)).round()).clamp(1, self.cells.max(1))
    }

    /// A line that ends in a point.
    fn point(&self, at: i64, facts: &Facts<'_>) -> String {
        if self.cells < SHORTEST {
            return String::new();
        }
        let [line, point] = facts.symbols.lane;
        format!("{}{point}", line.repeat(self.cell(at) - 1))
    }
}

/// `14:02:31`, with the date where that is not today.
fn clock_time(at_ms: i64, now_ms: i64) -> String {
    let (Some(at), Some(now)) = (
        DateTime::from_timestamp_millis(at_ms),
        DateTime::from_timestamp_millis(now_ms),
    ) else {
        return String::new();
    };
    let form = if at.date_naive() == now.date_naive() {
        "%H:%M:%S"
    } else {
        "%Y-%m-%d %H:%M:%S"
    };
    at.format(form).to_string()
}
