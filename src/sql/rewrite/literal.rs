//! Numbers as Spark types them: `1` is an INT, `1.5` a DECIMAL(2,1), `1L`, `1.5D` and `1.5BD` what their suffix says.
//!
//! DataFusion's planner would make every whole number a BIGINT before anything could be said against it. So numbers travel
//! as a dictionary, which Spark's SQL has no syntax for: `{NUMBER: '1'}`, `{L: '1'}`. The planner in
//! [`crate::functions::planner`] makes the literal of it.

use std::convert::Infallible;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    DictionaryField, Expr, Function, GroupByExpr, Ident, LimitClause, OrderByKind, Query, SetExpr, Spanned,
    UnaryOperator, Value, ValueWithSpan, VisitMut, VisitorMut, WindowFrameBound, WindowType,
};
use datafusion::sql::sqlparser::tokenizer::Span;

use super::calls::rewrite_call;
use super::expression::call;

/// The key of a number without a suffix.
pub(crate) const NUMBER: &str = "NUMBER";

/// The suffixes of numbers, but for the `L` that sqlparser knows.
pub(crate) const SUFFIXES: [&str; 5] = ["D", "F", "S", "Y", "BD"];

/// Types the numbers of a query that has been rewritten otherwise; what overflows becomes a call.
pub(crate) fn type_numbers(query: &mut Query) {
    let flow = query.visit(&mut Numbers);
    debug_assert!(flow.is_continue(), "nothing breaks off");
}

struct Numbers;

impl VisitorMut for Numbers {
    type Break = Infallible;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Infallible> {
        if rewrite_number(expr) {
            return ControlFlow::Continue(());
        }
        rewrite_call(expr);
        match expr {
            Expr::Function(function) => restore_frame(function),
            Expr::UnaryOp { op, .. } => {
                let name = match op {
                    UnaryOperator::Minus => "negative",
                    UnaryOperator::BitwiseNot => "bitwise_not",
                    _ => return ControlFlow::Continue(()),
                };
                let span = expr.span();
                let nothing = Expr::Value(Value::Null.into());
                if let Expr::UnaryOp { expr: value, .. } = std::mem::replace(expr, nothing) {
                    *expr = call(name, vec![*value], span);
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    /// Numbers that are positions of columns, or count rows, stay.
    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<Infallible> {
        if let Some(order_by) = &mut query.order_by
            && let OrderByKind::Expressions(exprs) = &mut order_by.kind
        {
            for by in exprs {
                restore_number(&mut by.expr);
            }
        }
        match &mut query.limit_clause {
            Some(LimitClause::LimitOffset { limit, offset, .. }) => {
                let offset = offset.as_mut().map(|offset| &mut offset.value);
                limit.iter_mut().chain(offset).for_each(restore_number);
            }
            Some(LimitClause::OffsetCommaLimit { offset, limit }) => {
                [offset, limit].into_iter().for_each(restore_number);
            }
            None => {}
        }
        restore_groups(&mut query.body);
        ControlFlow::Continue(())
    }
}

fn restore_groups(body: &mut SetExpr) {
    match body {
        SetExpr::Select(select) => {
            if let GroupByExpr::Expressions(exprs, _) = &mut select.group_by {
                for expr in exprs {
                    if let Expr::Rollup(sets) | Expr::Cube(sets) | Expr::GroupingSets(sets) = expr {
                        sets.iter_mut().flatten().for_each(restore_number);
                    }
                    restore_number(expr);
                }
            }
        }
        SetExpr::SetOperation { left, right, .. } => {
            restore_groups(left);
            restore_groups(right);
        }
        _ => {}
    }
}

/// A number as the planner takes it.
pub(crate) fn number(text: &str, suffix: &str, span: Span) -> Expr {
    Expr::Dictionary(vec![DictionaryField {
        key: Ident {
            value: suffix.to_ascii_uppercase(),
            quote_style: None,
            span,
        },
        value: Box::new(Expr::Value(ValueWithSpan {
            value: Value::SingleQuotedString(text.to_owned()),
            span,
        })),
    }])
}

/// The digits of a number made by [`number`].
pub(super) fn digits(expr: &Expr) -> Option<&str> {
    let Expr::Dictionary(fields) = expr else {
        return None;
    };
    match &*fields.first()?.value {
        Expr::Value(ValueWithSpan {
            value: Value::SingleQuotedString(text),
            ..
        }) => Some(text),
        _ => None,
    }
}

/// Turns a number, or a minus before one, into what the planner takes. Says whether it has.
fn rewrite_number(expr: &mut Expr) -> bool {
    match expr {
        Expr::Value(ValueWithSpan {
            value: Value::Number(text, is_long),
            span,
        }) => {
            *expr = number(text, if *is_long { "L" } else { NUMBER }, *span);
            true
        }
        Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr: inner,
        } => {
            let is_positive = digits(inner).is_some_and(|text| !text.starts_with('-'));
            let Expr::Dictionary(fields) = &mut **inner else {
                return false;
            };
            if is_positive
                && let Some(field) = fields.first_mut()
                && let Expr::Value(value) = &mut *field.value
                && let Value::SingleQuotedString(text) = &mut value.value
            {
                text.insert(0, '-');
                *expr = Expr::Dictionary(std::mem::take(fields));
                return true;
            }
            false
        }
        _ => false,
    }
}

/// Gives a plain number back as it was written: where it is the position of a column, or counts rows.
fn restore_number(expr: &mut Expr) {
    let Expr::Dictionary(fields) = expr else { return };
    let [field] = &fields[..] else { return };
    if field.key.value == NUMBER
        && let Expr::Value(value) = &*field.value
        && let Value::SingleQuotedString(text) = &value.value
        && text.bytes().all(|byte| byte.is_ascii_digit())
    {
        *expr = Expr::Value(ValueWithSpan {
            value: Value::Number(text.clone(), false),
            span: value.span,
        });
    }
}

/// Gives back the numbers of a window's frame.
fn restore_frame(function: &mut Function) {
    let Some(WindowType::WindowSpec(spec)) = &mut function.over else {
        return;
    };
    let Some(frame) = &mut spec.window_frame else {
        return;
    };
    for bound in std::iter::once(&mut frame.start_bound).chain(&mut frame.end_bound) {
        if let WindowFrameBound::Preceding(Some(rows)) | WindowFrameBound::Following(Some(rows)) = bound {
            restore_number(rows);
        }
    }
}
