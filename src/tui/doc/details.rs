//! What there is to know of a query at a glance: what is wrong, how fast it is, where its time and its watermark are.

use super::timings::{self, TIMED_BATCHES, Timings};
use super::{Doc, Facts, LABEL, lane};
use crate::engine::snapshot::ErrorReport;
use crate::tui::app::history::{self, whole_steps};
use crate::tui::app::{Pane, queries};
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::units::{self, to_f64};

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
    if !facts.beside.contains(&Pane::Lane) {
        lane::lines(&mut doc, facts);
        doc.gap();
    }
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
    let steps = history.steps(moment, 60, room);
    let has_room = !facts.beside.contains(&Pane::Rates) && room >= 6;
    if has_room {
        input.push((Role::Spark, symbols.sparkline(&history.rates(steps), room)));
    }
    doc.line(input);
    if newest.sink.num_output_rows >= 0 {
        let written = history.written_per_second(moment);
        let mut output = vec![
            (Role::Muted, text::left("output", LABEL, "")),
            (Role::Text, text::left(&rate(written), 15, "")),
        ];
        if has_room {
            output.push((Role::Trend, symbols.sparkline(&history.written(steps), room)));
        }
        doc.line(output);
    }
    if let Some(most) = history.processed_per_second() {
        let busy = queries::rate(query, history, facts.now_ms).map(|rate| rate / most * 100.0);
        let busy = busy.map_or(String::new(), |busy| format!(", {busy:.0} % busy"));
        doc.pair(
            "processed",
            Role::Text,
            &format!("{}{busy}", rate(Some(most))),
            facts.width,
        );
    }
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
    if !facts.beside.contains(&Pane::Timings) {
        let batches = query.recent_progress.iter().rev();
        let batches = batches.filter(|batch| history::is_batch(batch));
        let timings = Timings::of(batches.take(TIMED_BATCHES).map(AsRef::as_ref));
        if timings.total() > 0 {
            doc.line(timings.bar(symbols, timings.total(), facts.width));
            for line in timings.legend(symbols, facts.width) {
                doc.line(line);
            }
            if let Some(verdict) = timings::verdict(&query.recent_progress, symbols) {
                doc.paragraph("", Role::Text, &verdict, facts.width);
            }
        }
    }
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
