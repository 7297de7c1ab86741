//! What there is to know of a query at a glance: what is wrong, how fast it is, where its time and its watermark are.

use chrono::DateTime;

use super::timings::Timings;
use super::{Doc, Facts, LABEL};
use crate::engine::snapshot::ErrorReport;
use crate::tui::app::history::{self, parse_ms, whole_steps};
use crate::tui::app::queries;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::units::{self, to_cells, to_f64};

/// How many batches the split of their durations is taken over, so that it does not jump about.
const TIMED_BATCHES: usize = 20;

pub(super) fn doc(facts: &Facts<'_>) -> Doc {
    let mut doc = Doc::default();
    if let Some(exception) = &facts.query.exception {
        failure(&mut doc, facts, exception);
    }
    for warning in &facts.query.warnings {
        let sign = format!("{} ", facts.symbols.warning);
        doc.paragraph(&sign, Role::Warning, &warning.message, facts.width);
    }
    doc.gap();
    rates(&mut doc, facts);
    doc.gap();
    watermark(&mut doc, facts);
    doc.gap();
    state(&mut doc, facts);
    doc.gap();
    ends(&mut doc, facts);
    doc
}

fn failure(doc: &mut Doc, facts: &Facts<'_>, exception: &ErrorReport) {
    let place = exception
        .position
        .map(|position| format!(" ({position})"))
        .unwrap_or_default();
    let sign = format!("{} ", facts.symbols.state(facts.query.state));
    doc.paragraph(
        &sign,
        Role::Failed,
        &format!("{}{place}", exception.message),
        facts.width,
    );
    for cause in &exception.causes {
        doc.paragraph("  because: ", Role::Muted, cause, facts.width);
    }
    if let Some(hint) = &exception.hint {
        doc.paragraph("  ", Role::Text, hint, facts.width);
    }
    doc.gap();
}

fn rates(doc: &mut Doc, facts: &Facts<'_>) {
    let Facts {
        query,
        history,
        symbols,
        ..
    } = facts;
    let moment = queries::moment_ms(query, history, facts.now_ms);
    let Some(newest) = query.recent_progress.back() else {
        let words = if query.state.is_active() {
            "no batch yet"
        } else {
            "has not run since the workbench opened"
        };
        doc.pair("batch", Role::Muted, words, facts.width);
        if let Some(last) = query.last_committed {
            doc.pair(
                "checkpoint",
                Role::Text,
                &format!("committed up to batch {}", units::grouped(last)),
                facts.width,
            );
        }
        if query.state.is_active() {
            doc.pair("now", Role::Muted, &query.status_message, facts.width);
        }
        return;
    };
    let rate = |rate: Option<f64>| match rate {
        Some(rate) => format!("{} rows/s", units::count(rate).text()),
        None => symbols.none.to_string(),
    };
    let mut input = vec![
        (Role::Muted, text::left("input", LABEL, "")),
        (
            Role::Strong,
            text::left(&rate(queries::rate(query, history, facts.now_ms)), 15, ""),
        ),
    ];
    let room = whole_steps(facts.width.saturating_sub(LABEL + 15).min(30));
    if !facts.has_charts && room >= 6 {
        input.push((
            Role::Spark,
            symbols.sparkline(&history.rates(moment, 60, room), room),
        ));
    }
    doc.line(input);
    doc.pair(
        "processed",
        Role::Text,
        &rate(history.processed_per_second()),
        facts.width,
    );
    let time = |time: Option<u64>| {
        time.map_or(symbols.none.to_string(), |time| {
            units::duration_us(time, symbols.micro).text()
        })
    };
    let dot = symbols.dot;
    doc.pair(
        &format!("batch {}", newest.batch_id),
        Role::Text,
        &format!("{} p50 {dot} {} p99", time(history.p50_us), time(history.p99_us)),
        facts.width,
    );
    if !facts.has_charts {
        let batches = query
            .recent_progress
            .iter()
            .rev()
            .filter(|batch| history::is_batch(batch));
        let timings = Timings::of(batches.take(TIMED_BATCHES).map(AsRef::as_ref));
        if timings.total() > 0 {
            doc.line(timings.bar(symbols, timings.total(), facts.width));
            for line in timings.legend(symbols, facts.width) {
                doc.line(line);
            }
        }
    }
}

fn watermark(doc: &mut Doc, facts: &Facts<'_>) {
    let Facts {
        query,
        history,
        symbols,
        ..
    } = facts;
    // A batch without rows has no event times of its own.
    let newest = query
        .recent_progress
        .iter()
        .rev()
        .find_map(|batch| parse_ms(batch.event_time.get("max")?));
    let has_watermark = query
        .recent_progress
        .back()
        .is_some_and(|batch| batch.event_time.contains_key("watermark"));
    let mark = queries::watermark_ms(query);
    if let Some(newest) = newest {
        let low = mark.unwrap_or(newest).min(newest);
        let high = mark.unwrap_or(newest).max(newest);
        // The lane begins a little before the watermark, so that its own line can be seen to move.
        let span = (high - low).max(1_000);
        let begin = low - span / 2;
        let cells = facts.width.saturating_sub(LABEL + 20).min(32);
        let mut lane = |label: &str, at: i64, role: Role| {
            let share =
                to_f64(u64::try_from(at - begin).unwrap_or(0)) / to_f64((high - begin).unsigned_abs().max(1));
            let point = to_cells(share * to_f64(cells as u64)).clamp(1, cells.max(1));
            let line = if cells < 8 {
                String::new()
            } else {
                format!("{}{}", symbols.lane[0].repeat(point - 1), symbols.lane[1])
            };
            let time = clock_time(at, facts.now_ms);
            doc.line([
                (Role::Muted, text::left(label, LABEL, "")),
                (Role::Text, text::left(&time, text::width(&time).max(8) + 1, "")),
                (role, line),
            ]);
        };
        lane("max event", newest, Role::Spark);
        if let Some(mark) = mark {
            lane("watermark", mark, Role::Trend);
        }
    }
    match queries::lag_ms(query, history, facts.now_ms) {
        Some(lag) => doc.pair("lag", Role::Text, &units::lag_ms(lag), facts.width),
        None if has_watermark => doc.pair("watermark", Role::Muted, "waits for the first rows", facts.width),
        None => {}
    }
    if has_watermark && history.dropped > 0 {
        let dropped = format!("{} rows dropped", units::grouped(history.dropped));
        doc.pair("late", Role::Warning, &dropped, facts.width);
    }
}

/// `14:02:31`, with the date where that is not today.
pub(super) fn clock_time(at_ms: i64, now_ms: i64) -> String {
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

fn state(doc: &mut Doc, facts: &Facts<'_>) {
    let Some(progress) = facts.query.recent_progress.back() else {
        return;
    };
    for operator in &progress.state_operators {
        let removed = match operator.num_rows_removed {
            0 => String::new(),
            removed => format!(" {}{}", facts.symbols.minus, units::count(to_f64(removed)).text()),
        };
        let text = format!(
            "{} {}, {}, +{}{removed} last batch, {}",
            units::count(to_f64(operator.num_rows_total)).text(),
            if operator.num_rows_total == 1 {
                "key"
            } else {
                "keys"
            },
            units::bytes(operator.memory_used_bytes).text(),
            units::count(to_f64(operator.num_rows_updated)).text(),
            operator.operator_name,
        );
        doc.pair("state", Role::Text, &text, facts.width);
    }
}

fn ends(doc: &mut Doc, facts: &Facts<'_>) {
    let query = facts.query;
    for source in &query.sources {
        doc.pair("source", Role::Text, source, facts.width);
    }
    doc.pair("sink", Role::Text, &query.sink, facts.width);
    doc.pair("trigger", Role::Text, &query.trigger, facts.width);
    doc.pair(
        "checkpoint",
        Role::Muted,
        &query.checkpoint.display().to_string(),
        facts.width,
    );
}
