//! Why an append query has given no rows yet: what waits, for what, and who holds it back.

use super::{Doc, Facts, clock_time};
use crate::engine::snapshot::{EventTimeFacts, OpenWindow, Waiting, WaitingKind};
use crate::tui::theme::Role;
use crate::tui::units::{self, grouped};

/// A source that has given nothing for this long is worth a word.
const SILENT_MS: i64 = 5_000;

pub(super) fn doc(facts: &Facts<'_>) -> Doc {
    let mut doc = Doc::default();
    let event_time = facts.query.event_time.as_deref();
    let Some((event_time, waiting)) = event_time.and_then(|known| Some((known, known.waiting.as_ref()?)))
    else {
        doc.paragraph(
            "",
            Role::Muted,
            "Nothing waits: this query gives what it has with each batch.",
            facts.width,
        );
        return doc;
    };
    doc.paragraph("", Role::Text, &what(facts, event_time, waiting), facts.width);
    doc.paragraph("", Role::Text, &who(facts, event_time, waiting), facts.width);
    doc
}

/// `3 windows wait. The next one, 14:01:50 – 14:02:00, closes when the watermark passes 14:02:00.`
fn what(facts: &Facts<'_>, event_time: &EventTimeFacts, waiting: &Waiting) -> String {
    let kind = waiting.kind.as_str();
    let Some(next) = &waiting.next else {
        return format!("No {kind} wait: no row has come that belongs to one which is still open.");
    };
    let (count, noun) = match waiting.kind {
        WaitingKind::Windows => (waiting.num_windows, kind),
        WaitingKind::Sessions | WaitingKind::Groups => (waiting.num_groups, kind),
    };
    let noun = if count == 1 {
        noun.trim_end_matches('s')
    } else {
        noun
    };
    let verb = if count == 1 { "waits" } else { "wait" };
    let groups = if waiting.kind == WaitingKind::Windows && waiting.num_groups != count {
        format!(" with {} rows", grouped(waiting.num_groups))
    } else {
        String::new()
    };
    let closes_ms = ceil_ms(next.closes_at_us);
    let closes = if event_time.watermark_ms.is_some_and(|mark| mark >= closes_ms) {
        "closes with the next batch".to_string()
    } else {
        format!(
            "closes when the watermark reaches {}",
            clock_time(closes_ms, facts.now_ms)
        )
    };
    let row = match waiting.needs_event_ms {
        Some(needs) if event_time.watermark_ms.is_none_or(|mark| mark < closes_ms) => {
            format!(": a row of {} or later does it", clock_time(needs, facts.now_ms))
        }
        _ => String::new(),
    };
    format!(
        "{} {noun}{groups} {verb}. The next one, {}, {closes}{row}.",
        grouped(count),
        bounds(facts, next)
    )
}

/// `The watermark is 14:01:58: newest event 14:02:28 − 30 s. Stream orders has been silent for 21 s.`
fn who(facts: &Facts<'_>, event_time: &EventTimeFacts, waiting: &Waiting) -> String {
    let time = |at_ms: i64| clock_time(at_ms, facts.now_ms);
    let Some(holder) = waiting
        .held_back_by
        .and_then(|index| event_time.watermarks.get(index))
    else {
        return String::new();
    };
    let streams = holder.streams.join(", ");
    let mut words = match (event_time.watermark_ms, holder.newest_event_ms) {
        (Some(mark), Some(newest)) => format!(
            "The watermark is {}: newest {} of {streams} {} {} {}.",
            time(mark),
            holder.column,
            time(newest),
            facts.symbols.minus,
            units::lag_ms(holder.delay_ms),
        ),
        (Some(mark), None) => format!(
            "The watermark is {}, and no row of {streams} has come in this run to move it.",
            time(mark)
        ),
        (None, _) => format!("There is no watermark yet: it waits for the first rows of {streams}."),
    };
    let silent = facts.now_ms - holder.silent_since_ms;
    if event_time.watermarks.len() > 1 {
        words = format!("{words} {streams} holds it back.");
    }
    if silent >= SILENT_MS && facts.query.state.is_active() {
        words = format!("{words} {streams} has been silent for {}.", units::lag_ms(silent));
    }
    words
}

fn bounds(facts: &Facts<'_>, window: &OpenWindow) -> String {
    let end = clock_time(window.end_us.div_euclid(1000), facts.now_ms);
    match window.start_us {
        Some(start) => format!(
            "{} {} {end}",
            clock_time(start.div_euclid(1000), facts.now_ms),
            facts.symbols.dash
        ),
        None => end,
    }
}

fn ceil_ms(us: i64) -> i64 {
    us.div_euclid(1000) + i64::from(us.rem_euclid(1000) > 0)
}
