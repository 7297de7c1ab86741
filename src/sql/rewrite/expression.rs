//! Expressions: names in their declared spelling, Spark's operators as DataFusion's.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    AccessExpr, BinaryOperator, CeilFloorKind, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentList, FunctionArguments, Ident, LambdaFunction, ObjectName, ObjectNamePart, Query,
    Spanned, UnaryOperator, Value, ValueWithSpan, VisitMut, VisitorMut,
};
use datafusion::sql::sqlparser::tokenizer::Span;

use super::naming::lower_name;
use super::query::{Rewriter, unsupported};
use super::scope::Scope;
use super::time_window::{TimeWindow, takes_window};
use crate::error::{Error, Result};

/// Rewrites the expressions of one part of a SELECT; subqueries in them go back to the rewriter.
pub(super) struct Expressions<'e, 'r, 'q> {
    rewriter: &'r mut Rewriter<'q>,
    scope: &'e Scope<'e>,
    /// The window of GROUP BY, where its column is seen.
    windows: &'e [TimeWindow],
    /// How many subqueries are around: they have been rewritten already.
    subqueries: usize,
    /// How many calls are around that take a window column of the input.
    window_calls: usize,
    /// The parameters of the lambdas around.
    lambdas: Vec<Vec<String>>,
}

/// Rewrites every expression in `part`.
pub(super) fn rewrite(
    part: &mut impl VisitMut,
    rewriter: &mut Rewriter<'_>,
    scope: &Scope<'_>,
    windows: &[TimeWindow],
) -> Result<()> {
    let mut expressions = Expressions {
        rewriter,
        scope,
        windows,
        subqueries: 0,
        window_calls: 0,
        lambdas: Vec::new(),
    };
    match part.visit(&mut expressions) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

impl VisitorMut for Expressions<'_, '_, '_> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        if self.subqueries == 0
            && let Err(error) = self.rewriter.query(query, Some(self.scope))
        {
            return ControlFlow::Break(error);
        }
        self.subqueries += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &mut Query) -> ControlFlow<Error> {
        self.subqueries -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        if self.subqueries > 0 {
            return ControlFlow::Continue(());
        }
        self.window_calls += usize::from(takes_window(expr));
        match expr {
            Expr::Lambda(lambda) => self.lambdas.push(parameters(lambda)),
            Expr::CompoundFieldAccess { root, access_chain } => {
                join_path(root, access_chain);
                // A field is no column, though it looks like one from inside.
                for access in access_chain {
                    if let AccessExpr::Dot(Expr::Identifier(field)) = access {
                        *access = AccessExpr::Dot(text(&field.value, field.span));
                    }
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        if self.subqueries > 0 {
            return ControlFlow::Continue(());
        }
        self.window_calls -= usize::from(takes_window(expr));
        if matches!(expr, Expr::Lambda(_)) {
            self.lambdas.pop();
        }
        match self.expression(expr) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }
}

impl Expressions<'_, '_, '_> {
    fn expression(&mut self, expr: &mut Expr) -> Result<()> {
        match expr {
            Expr::Identifier(ident) => {
                if self.is_parameter(&ident.value) {
                    return Ok(());
                }
                match (self.window(&ident.value), self.scope.shared(&ident.value)) {
                    (Some(window), _) => *expr = window.call.clone(),
                    (None, Some(shared)) => *expr = shared.clone(),
                    (None, None) => self.scope.respell(ident),
                }
            }
            Expr::CompoundIdentifier(path) => {
                let first = &path[0].value;
                if self.is_parameter(first) {
                    return Ok(());
                }
                match self.window(first) {
                    Some(window) if !self.scope.is_relation(first) => *expr = field_of(window, &path[1..]),
                    _ => self.scope.respell_path(path),
                }
            }
            Expr::Function(function) => self.function(function)?,
            Expr::Struct { values, .. } => {
                let span = values.first().map_or(Span::empty(), Spanned::span);
                *expr = self.named_struct(std::mem::take(values), span)?;
            }
            Expr::JsonAccess { value, .. } => {
                return Err(unsupported(
                    "a path behind a colon",
                    value.span(),
                    "Write get_json_object(text, '$.a.b').",
                ));
            }
            _ => operator(expr),
        }
        Ok(())
    }

    fn is_parameter(&self, name: &str) -> bool {
        self.lambdas.iter().flatten().any(|parameter| parameter == name)
    }

    /// The window of GROUP BY whose column a name means.
    fn window(&self, name: &str) -> Option<&TimeWindow> {
        let mut windows = self.windows.iter();
        windows.find(|window| self.window_calls == 0 && window.name.eq_ignore_ascii_case(name))
    }

    fn function(&mut self, function: &mut Function) -> Result<()> {
        let name = lower_name(function);
        let span = function.name.span();
        if let [ObjectNamePart::Identifier(ident)] = &mut function.name.0[..] {
            ident.value.clone_from(&name);
            ident.quote_style = None;
        }
        let FunctionArguments::List(list) = &mut function.args else {
            return Ok(());
        };
        if name == "count" || !list.args.iter().any(is_star) {
            return Ok(());
        }
        let mut args = Vec::new();
        for arg in std::mem::take(&mut list.args) {
            if !is_star(&arg) {
                args.push(arg);
                continue;
            }
            let of = match &arg {
                FunctionArg::Unnamed(FunctionArgExpr::QualifiedWildcard(of)) => Some(of.to_string()),
                _ => None,
            };
            args.extend(self.star(of.as_deref(), span)?.into_iter().map(argument));
        }
        list.args = args;
        Ok(())
    }

    /// `struct(a, b AS c, *)`, with the names that Spark gives the fields.
    fn named_struct(&self, values: Vec<Expr>, span: Span) -> Result<Expr> {
        let mut args = Vec::with_capacity(values.len() * 2);
        for value in values {
            let fields = match value {
                Expr::Named { expr, name } => vec![(Some(name.value), *expr)],
                Expr::Wildcard(_) => self
                    .star(None, span)?
                    .into_iter()
                    .map(|column| (None, column))
                    .collect(),
                Expr::QualifiedWildcard(of, _) => {
                    let columns = self.star(Some(&of.to_string()), span)?;
                    columns.into_iter().map(|column| (None, column)).collect()
                }
                other => vec![(None, other)],
            };
            for (name, value) in fields {
                let name = name
                    .or_else(|| field_name(&value))
                    .unwrap_or_else(|| format!("col{}", args.len() / 2 + 1));
                args.extend([text(&name, span), value]);
            }
        }
        Ok(call("named_struct", args, span))
    }

    /// The columns that a star in a call stands for.
    fn star(&self, of: Option<&str>, span: Span) -> Result<Vec<Expr>> {
        let Some(columns) = self.scope.all_columns(of).filter(|columns| !columns.is_empty()) else {
            let star = of.map_or("*".to_owned(), |of| format!("{of}.*"));
            let error = Error::statement(format!(
                "{star} in a call needs relations whose columns are known"
            ))
            .hint("Write the columns out.");
            return Err(match crate::sql::span::span_start(span) {
                Some(place) => error.at(place),
                None => error,
            });
        };
        let several = self.scope.relations.len() > 1;
        Ok(columns
            .into_iter()
            .map(|(relation, column)| {
                let ident = |name: String| Ident {
                    value: name,
                    quote_style: None,
                    span,
                };
                match relation.filter(|_| several) {
                    Some(relation) => Expr::CompoundIdentifier(vec![ident(relation), ident(column)]),
                    None => Expr::Identifier(ident(column)),
                }
            })
            .collect())
    }
}

/// `e.tags[0]` comes as `e` with `.tags[0]` behind; names are found by their whole path.
fn join_path(root: &mut Expr, access_chain: &mut Vec<AccessExpr>) {
    let Expr::Identifier(first) = root else { return };
    let is_name = |access: &AccessExpr| matches!(access, AccessExpr::Dot(Expr::Identifier(_)));
    let names = access_chain.iter().take_while(|access| is_name(access)).count();
    if names == 0 {
        return;
    }
    let mut path = vec![first.clone()];
    path.extend(access_chain.drain(..names).filter_map(|access| match access {
        AccessExpr::Dot(Expr::Identifier(ident)) => Some(ident),
        _ => None,
    }));
    *root = Expr::CompoundIdentifier(path);
}

/// Spark's operators, and what DataFusion has for them.
fn operator(expr: &mut Expr) {
    let span = expr.span();
    let nothing = || Box::new(Expr::Value(Value::Null.into()));
    match expr {
        Expr::BinaryOp { left, op, right } => {
            let (left, right) = match op {
                BinaryOperator::MyIntegerDivide | BinaryOperator::Spaceship => (
                    std::mem::replace(left, nothing()),
                    std::mem::replace(right, nothing()),
                ),
                _ => return,
            };
            *expr = match op {
                BinaryOperator::Spaceship => Expr::IsNotDistinctFrom(left, right),
                _ => call("div", vec![*left, *right], span),
            };
        }
        Expr::RLike {
            negated,
            expr: left,
            pattern,
            ..
        } => {
            let op = if *negated {
                BinaryOperator::PGRegexNotMatch
            } else {
                BinaryOperator::PGRegexMatch
            };
            *expr = Expr::BinaryOp {
                left: std::mem::replace(left, nothing()),
                op,
                right: std::mem::replace(pattern, nothing()),
            };
        }
        Expr::UnaryOp {
            op: op @ UnaryOperator::BangNot,
            ..
        } => *op = UnaryOperator::Not,
        Expr::Ceil {
            expr: value,
            field: CeilFloorKind::Scale(scale),
        } => {
            let args = vec![*std::mem::replace(value, nothing()), Expr::Value(scale.clone())];
            *expr = call("ceil", args, span);
        }
        Expr::Floor {
            expr: value,
            field: CeilFloorKind::Scale(scale),
        } => {
            let args = vec![*std::mem::replace(value, nothing()), Expr::Value(scale.clone())];
            *expr = call("floor", args, span);
        }
        _ => {}
    }
}

fn is_star(arg: &FunctionArg) -> bool {
    matches!(
        arg,
        FunctionArg::Unnamed(FunctionArgExpr::Wildcard | FunctionArgExpr::QualifiedWildcard(_))
    )
}

fn parameters(lambda: &LambdaFunction) -> Vec<String> {
    lambda
        .params
        .iter()
        .map(|parameter| parameter.name.value.clone())
        .collect()
}

/// The field of a window that `window.start` names.
fn field_of(window: &TimeWindow, path: &[Ident]) -> Expr {
    let fields = path.iter().map(|field| {
        let known = ["start", "end"]
            .into_iter()
            .find(|known| known.eq_ignore_ascii_case(&field.value));
        AccessExpr::Dot(text(known.unwrap_or(&field.value), field.span))
    });
    Expr::CompoundFieldAccess {
        root: Box::new(window.call.clone()),
        access_chain: fields.collect(),
    }
}

/// The name of a struct's field that holds the value, if the value has one.
pub(super) fn field_name(value: &Expr) -> Option<String> {
    match value {
        Expr::Identifier(ident) => Some(ident.value.clone()),
        Expr::CompoundIdentifier(path) => path.last().map(|ident| ident.value.clone()),
        Expr::CompoundFieldAccess { access_chain, .. } => match access_chain.last() {
            Some(AccessExpr::Dot(Expr::Value(value))) => value.value.clone().into_string(),
            _ => None,
        },
        _ => None,
    }
}

/// A call of a function, as if it stood at `span`.
pub(crate) fn call(name: &str, args: Vec<Expr>, span: Span) -> Expr {
    Expr::Function(Function {
        name: ObjectName(vec![ObjectNamePart::Identifier(Ident {
            value: name.to_owned(),
            quote_style: None,
            span,
        })]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: args.into_iter().map(argument).collect(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

fn argument(expr: Expr) -> FunctionArg {
    FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))
}

fn text(value: &str, span: Span) -> Expr {
    Expr::Value(ValueWithSpan {
        value: Value::SingleQuotedString(value.to_owned()),
        span,
    })
}
