//! The time window of a SELECT: `window(...)` or `session_window(...)` in GROUP BY, which gives the columns `window`,
//! `window.start` and `window.end` to the rest of the SELECT.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Query, Visit, Visitor};

use super::naming::lower_name;
use crate::error::{Error, Result};
use crate::sql::span::span_start;

/// The calls that make a window column.
pub(super) const WINDOWS: [&str; 2] = ["window", "session_window"];

/// A call that makes a window column, rewritten.
#[derive(Debug, Clone)]
pub(super) struct TimeWindow {
    /// `window` or `session_window`: the column's name.
    pub(super) name: String,
    pub(super) call: Expr,
}

/// Whether the expression calls one of the functions whose argument is a window column of the *input*.
pub(super) fn takes_window(expr: &Expr) -> bool {
    match expr {
        Expr::Function(function) => {
            function.over.is_none()
                && matches!(
                    lower_name(function).as_str(),
                    "window" | "session_window" | "window_time"
                )
        }
        _ => false,
    }
}

/// The outermost window calls in a part of a SELECT, subqueries left out.
pub(super) fn calls_in(part: &impl Visit) -> Vec<TimeWindow> {
    let mut finder = Finder::default();
    // The finder never breaks off.
    let _ = part.visit(&mut finder);
    finder.found
}

/// A SELECT may group by one window.
///
/// # Errors
///
/// As Spark: several windows would multiply the rows.
pub(super) fn check_single(calls: &[TimeWindow]) -> Result<()> {
    let Some((first, rest)) = calls.split_first() else {
        return Ok(());
    };
    let text = first.call.to_string();
    let Some(other) = rest.iter().find(|other| other.call.to_string() != text) else {
        return Ok(());
    };
    let error = Error::statement(format!(
        "a SELECT has one time window, found {text} and {}",
        other.call
    ))
    .hint("Several windows would multiply the rows. Write one query a window.");
    Err(match place(&other.call) {
        Some(place) => error.at(place),
        None => error,
    })
}

fn place(call: &Expr) -> Option<crate::error::Position> {
    match call {
        Expr::Function(function) => {
            let name = function.name.0.first().and_then(|part| part.as_ident())?;
            span_start(name.span)
        }
        _ => None,
    }
}

#[derive(Default)]
struct Finder {
    found: Vec<TimeWindow>,
    /// How many window calls and subqueries are around.
    depth: usize,
}

impl Finder {
    fn window(expr: &Expr) -> Option<String> {
        match expr {
            Expr::Function(function) if function.over.is_none() => {
                Some(lower_name(function)).filter(|name| WINDOWS.contains(&name.as_str()))
            }
            _ => None,
        }
    }
}

impl Visitor for Finder {
    type Break = ();

    fn pre_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Some(name) = Self::window(expr) {
            if self.depth == 0 {
                self.found.push(TimeWindow {
                    name,
                    call: expr.clone(),
                });
            }
            self.depth += 1;
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        self.depth -= usize::from(Self::window(expr).is_some());
        ControlFlow::Continue(())
    }
}
