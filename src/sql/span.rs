//! Places: from sqlparser's and DataFusion's spans to [`Position`].
//!
//! All of them count lines and columns from 1, columns in characters, and write a place that is not known as 0, 0.

use datafusion::common::Span as PlanSpan;
use datafusion::sql::sqlparser::tokenizer::{Location, Span};

use crate::error::Position;

/// The place of a token's start. An unknown location becomes the start of the text.
pub fn position(location: Location) -> Position {
    Position {
        line: location.line.max(1),
        column: location.column.max(1),
    }
}

/// Where a syntax tree's span starts, if it has one.
pub fn span_start(span: Span) -> Option<Position> {
    (span.start.line > 0).then(|| position(span.start))
}

/// Where a span starts that DataFusion's planner has noted.
pub fn plan_span_start(span: PlanSpan) -> Option<Position> {
    (span.start.line > 0).then_some(Position {
        line: span.start.line,
        column: span.start.column,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_spans_have_no_place() {
        assert_eq!(span_start(Span::empty()), None);
        let span = Span::new(Location::new(3, 7), Location::new(3, 9));
        assert_eq!(span_start(span), Some(Position { line: 3, column: 7 }));
        assert_eq!(position(Location::empty()), Position { line: 1, column: 1 });
    }

    #[test]
    fn spans_of_plans_are_the_same_places() {
        let span = Span::new(Location::new(2, 4), Location::new(2, 9));
        let through = PlanSpan::try_from_sqlparser_span(span).expect("a known span");
        assert_eq!(plan_span_start(through), span_start(span));
    }
}
