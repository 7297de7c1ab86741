//! Event time on one axis: what has arrived, what the watermark has passed, and what came too late for it.

use super::{Doc, Facts, LABEL, clock_time};
use crate::engine::snapshot::OpenState;
use crate::tui::app::history::{self, parse_ms};
use crate::tui::app::queries;
use crate::tui::symbols::Symbols;
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
    let Some(known) = Known::of(facts) else { return };
    let points = [
        ("max event", known.newest, Role::Spark),
        ("watermark", known.mark, Role::Trend),
        (
            "cut-off",
            known.cut_off.filter(|at| Some(*at) != known.mark),
            Role::Muted,
        ),
    ];
    let windows = facts
        .query
        .event_time
        .iter()
        .flat_map(|facts| &facts.open)
        .filter(|state| state.num_windows > 0);
    let windows: Vec<&OpenState> = windows.collect();
    let ends = windows
        .iter()
        .flat_map(|state| state.first.iter().chain(&state.last));
    let ends = ends.flat_map(|window| {
        window
            .start_us
            .into_iter()
            .chain([window.end_us])
            .map(|us| us.div_euclid(1000))
    });
    let times: Vec<i64> = points.iter().filter_map(|(_, at, _)| *at).chain(ends).collect();
    if let (Some(low), Some(high)) = (times.iter().min(), times.iter().max()) {
        let axis = Axis::over(*low, *high, facts);
        for (label, at, role) in points {
            if let Some(at) = at {
                doc.line([
                    (Role::Muted, text::left(label, LABEL, "")),
                    (Role::Text, axis.time(at, facts.now_ms)),
                    (role, axis.point(at, facts.symbols)),
                ]);
            }
        }
        for state in windows {
            let is_windows = state.first.iter().any(|window| window.start_us.is_some());
            let label = if is_windows { "windows" } else { "keys until" };
            let count = format!("{} open", units::count(to_f64(state.num_windows)).text());
            doc.line([
                (Role::Muted, text::left(label, LABEL, "")),
                (Role::Text, text::left(&count, axis.time, "")),
                (Role::Accent, axis.windows(state, facts.symbols)),
            ]);
        }
    }
    match queries::lag_ms(facts.query, facts.history, facts.now_ms) {
        Some(lag) => doc.pair("lag", Role::Text, &units::lag_ms(lag), facts.width),
        None => doc.pair("watermark", Role::Muted, "waits for the first rows", facts.width),
    }
    late(doc, facts);
    sources(doc, facts);
}

/// `37 rows dropped, last 14:02:11`
fn late(doc: &mut Doc, facts: &Facts<'_>) {
    let dropped = facts.history.dropped;
    if dropped == 0 {
        return doc.pair("late", Role::Muted, "no rows dropped", facts.width);
    }
    let newest = facts.query.event_time.as_ref();
    let newest = newest.and_then(|known| known.late.last_event_us);
    let newest = newest.map_or(String::new(), |us| {
        format!(", newest {}", clock_time(us.div_euclid(1000), facts.now_ms))
    });
    let recent = facts.query.recent_progress.iter().rev();
    let batch = recent
        .map(AsRef::as_ref)
        .find(|batch| history::dropped(batch) > 0);
    let batch = batch.map_or(String::new(), |batch| {
        format!(" by batch {}", units::grouped(batch.batch_id))
    });
    let rows = units::plural(usize::try_from(dropped).unwrap_or(0), "row", "rows");
    let words = format!("{rows} dropped, last{batch}{newest}");
    doc.pair("late", Role::Warning, &words, facts.width);
}

/// Where a query has several watermarks, one line each: the slowest may hold the others back.
fn sources(doc: &mut Doc, facts: &Facts<'_>) {
    let Some(known) = facts
        .query
        .event_time
        .as_ref()
        .filter(|known| known.watermarks.len() > 1)
    else {
        return;
    };
    for source in &known.watermarks {
        let at = source
            .watermark_ms
            .map_or_else(|| "no rows yet".to_string(), |at| clock_time(at, facts.now_ms));
        let decides = if source.decides { ", holds it back" } else { "" };
        let words = format!(
            "{at}  {}.{}, delay {}{decides}",
            source.streams.join("+"),
            source.column,
            units::lag_ms(source.delay_ms)
        );
        let role = if source.decides { Role::Text } else { Role::Muted };
        doc.pair("", role, &words, facts.width);
    }
}

/// What is known of a query's event time: from the engine's account, or, of a batch that no account was seen of, from its
/// progress.
#[derive(Debug)]
struct Known {
    newest: Option<i64>,
    mark: Option<i64>,
    /// Rows before it are late.
    cut_off: Option<i64>,
}

impl Known {
    fn of(facts: &Facts<'_>) -> Option<Self> {
        if let Some(known) = &facts.query.event_time {
            return Some(Self {
                newest: known.newest_event_ms,
                mark: known.watermark_ms,
                cut_off: known.late_cutoff_ms,
            });
        }
        let recent = &facts.query.recent_progress;
        recent
            .back()
            .filter(|batch| batch.event_time.contains_key("watermark"))?;
        // A batch without rows has no event times of its own.
        let newest = recent
            .iter()
            .rev()
            .find_map(|batch| parse_ms(batch.event_time.get("max")?));
        // Rows are late against the watermark of the batch before.
        let before = recent.iter().rev().nth(1);
        let cut_off = before.and_then(|batch| parse_ms(batch.event_time.get("watermark")?));
        Some(Self {
            newest,
            mark: queries::watermark_ms(facts.query),
            cut_off: cut_off.filter(|at| *at > 0),
        })
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
        let begin = low - (high - low).max(1_000) / 8;
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
    fn point(&self, at: i64, symbols: &Symbols) -> String {
        if self.cells < SHORTEST {
            return String::new();
        }
        let [line, point] = symbols.lane;
        format!("{}{point}", line.repeat(self.cell(at) - 1))
    }

    /// Open windows where they are on the axis; where they overlap or are smaller than a few cells, how many there are
    /// in each cell.
    fn windows(&self, state: &OpenState, symbols: &Symbols) -> String {
        if self.cells < SHORTEST {
            return String::new();
        }
        let mut spans: Vec<(usize, usize)> = Vec::new();
        for window in state.first.iter().chain(&state.last) {
            // A window ends where the next one begins: it has the cells from its start up to the one before its end.
            let end = (self.cell(window.end_us.div_euclid(1000)) - 1).max(1);
            let start = window
                .start_us
                .map_or(end, |start| self.cell(start.div_euclid(1000)) - 1);
            let span = (start.min(end - 1), end);
            if spans.last() != Some(&span) {
                spans.push(span);
            }
        }
        let stand_apart = spans.windows(2).all(|pair| pair[0].1 <= pair[1].0);
        let are_wide = spans.iter().all(|(start, end)| end - start >= 2);
        if stand_apart && are_wide {
            return brackets(&spans, symbols);
        }
        let mut depth = vec![0.0; self.cells];
        for (start, end) in spans {
            for cell in &mut depth[start..end.min(self.cells)] {
                *cell += 1.0;
            }
        }
        let line = symbols.sparkline(&depth, depth.len());
        let blank = |(sign, depth): (char, f64)| if depth > 0.0 { sign } else { ' ' };
        line.chars().zip(depth).map(blank).collect()
    }
}

/// Windows that stand apart, as brackets.
fn brackets(spans: &[(usize, usize)], symbols: &Symbols) -> String {
    let [open, middle, close] = symbols.window;
    let mut line = String::new();
    let mut at = 0;
    for (start, end) in spans {
        // What is between two of those that are known are further ones.
        let gap = if at == 0 { " " } else { symbols.none };
        line.push_str(&gap.repeat(start - at));
        line.push_str(open);
        line.push_str(&middle.repeat(end - start - 2));
        line.push_str(close);
        at = *end;
    }
    line
}
