//! `JOIN ... USING (k)` and `NATURAL JOIN` as joins ON, with Spark's columns.
//!
//! ```text
//! SELECT *, k FROM l FULL JOIN r USING (k)
//! =>  SELECT coalesce(l.k, r.k) AS k, l.x, r.y, coalesce(l.k, r.k) AS k FROM l FULL JOIN r ON l.k = r.k
//! ```
//!
//! A shared column is the left one, in a right join the right one, in a full join whichever is there; `*` gives the
//! shared columns once and first. DataFusion takes the left one always.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Ident, Join, JoinConstraint, JoinOperator, ObjectNamePart, Select, SelectItem,
};
use datafusion::sql::sqlparser::tokenizer::Span;

use super::expression::call;
use super::from::constraint;
use super::scope::{Relation, Scope, spelling};

/// A column that the two sides of a join share by USING.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    pub(super) name: String,
    /// What its name alone means.
    pub(super) expr: Expr,
    /// Relation and column of those that `*` does not repeat.
    hidden: Vec<(String, String)>,
}

/// Writes a join of the relations from `first` on with those from `right` on by ON, if it is by USING or NATURAL and
/// its columns are known.
pub(super) fn expand_using(join: &mut Join, scope: &mut Scope<'_>, first: usize, right: usize) {
    let operator = &mut join.join_operator;
    let is_right = matches!(operator, JoinOperator::Right(_) | JoinOperator::RightOuter(_));
    let is_full = matches!(operator, JoinOperator::FullOuter(_));
    if matches!(operator, JoinOperator::RightSemi(_) | JoinOperator::RightAnti(_)) {
        return;
    }
    let Some(constraint) = constraint(operator) else {
        return;
    };
    let (left, right) = (&scope.relations[first..right], &scope.relations[right..]);
    let names = match constraint {
        JoinConstraint::Using(columns) => columns
            .iter()
            .map(|column| match &column.0[..] {
                [ObjectNamePart::Identifier(ident)] => Some(ident.value.clone()),
                _ => None,
            })
            .collect(),
        JoinConstraint::Natural => common_columns(left, right),
        _ => return,
    };
    let Some(names) = names.filter(|names: &Vec<String>| !names.is_empty()) else {
        return;
    };
    let mut condition: Option<Expr> = None;
    let mut shared = Vec::with_capacity(names.len());
    for name in names {
        let known = scope
            .shared
            .iter()
            .find(|shared| shared.name.eq_ignore_ascii_case(&name));
        let of_left = match known {
            Some(known) => Some(known.clone()),
            None => single(left, &name),
        };
        let (Some(of_left), Some(of_right)) = (of_left, single(right, &name)) else {
            return;
        };
        let equal = Expr::BinaryOp {
            left: Box::new(of_left.expr.clone()),
            op: BinaryOperator::Eq,
            right: Box::new(of_right.expr.clone()),
        };
        condition = Some(match condition {
            Some(condition) => Expr::BinaryOp {
                left: Box::new(condition),
                op: BinaryOperator::And,
                right: Box::new(equal),
            },
            None => equal,
        });
        let expr = if is_full {
            call("coalesce", vec![of_left.expr, of_right.expr], Span::empty())
        } else if is_right {
            of_right.expr
        } else {
            of_left.expr
        };
        shared.push(Shared {
            name: of_left.name,
            expr,
            hidden: [of_left.hidden, of_right.hidden].concat(),
        });
    }
    if let Some(condition) = condition {
        *constraint = JoinConstraint::On(condition);
    }
    let earlier = std::mem::take(&mut scope.shared).into_iter();
    let earlier = earlier.filter(|earlier| shared.iter().all(|new| new.name != earlier.name));
    let earlier = earlier.collect::<Vec<_>>();
    scope.shared = [shared, earlier].concat();
}

/// Writes the columns of `*` out where some are shared.
pub(super) fn expand_star(select: &mut Select, scope: &Scope<'_>) {
    let is_plain = |item: &SelectItem| {
        matches!(item, SelectItem::Wildcard(options)
            if options.opt_ilike.is_none() && options.opt_exclude.is_none() && options.opt_replace.is_none()
                && options.opt_rename.is_none())
    };
    if scope.shared.is_empty() || !select.projection.iter().any(is_plain) {
        return;
    }
    let Some(columns) = scope.all_columns(None) else {
        return;
    };
    let mut items = Vec::new();
    for item in std::mem::take(&mut select.projection) {
        let SelectItem::Wildcard(options) = &item else {
            items.push(item);
            continue;
        };
        if !is_plain(&item) {
            items.push(item);
            continue;
        }
        let except = options.opt_except.iter();
        let except = except
            .flat_map(|except| std::iter::once(&except.first_element).chain(&except.additional_elements));
        let except = except.map(|ident| ident.value.to_lowercase()).collect::<Vec<_>>();
        let is_wanted = |name: &str| !except.contains(&name.to_lowercase());
        let shared = scope.shared.iter().filter(|shared| is_wanted(&shared.name));
        items.extend(shared.map(|shared| SelectItem::ExprWithAlias {
            expr: shared.expr.clone(),
            alias: quoted(&shared.name),
        }));
        for (relation, column) in &columns {
            let is_hidden = scope.shared.iter().any(|shared| {
                let mut hidden = shared.hidden.iter();
                hidden.any(|(of, name)| Some(of) == relation.as_ref() && name == column)
            });
            if is_hidden || !is_wanted(column) {
                continue;
            }
            items.push(SelectItem::UnnamedExpr(match relation {
                Some(relation) => Expr::CompoundIdentifier(vec![quoted(relation), quoted(column)]),
                None => Expr::Identifier(quoted(column)),
            }));
        }
    }
    select.projection = items;
}

/// The columns that both sides have, in the order of the left one.
fn common_columns(left: &[Relation], right: &[Relation]) -> Option<Vec<String>> {
    let all = |relations: &[Relation]| {
        let columns = relations.iter().map(|relation| relation.columns.clone());
        Some(
            columns
                .collect::<Option<Vec<_>>>()?
                .into_iter()
                .flatten()
                .collect::<Vec<_>>(),
        )
    };
    let right = all(right)?;
    let mut common: Vec<String> = Vec::new();
    for column in all(left)? {
        let is_known = common.iter().any(|known| known.eq_ignore_ascii_case(&column));
        if !is_known && spelling(&column, &right).is_some() {
            common.push(column);
        }
    }
    Some(common)
}

/// The column of that name, if exactly one of the relations has it and has a name itself.
fn single(relations: &[Relation], name: &str) -> Option<Shared> {
    let mut found = relations.iter().filter_map(|relation| {
        let column = spelling(name, relation.columns.as_ref()?)?;
        Some((relation.name.clone(), column))
    });
    let (Some((Some(relation), column)), None) = (found.next(), found.next()) else {
        return None;
    };
    Some(Shared {
        name: column.clone(),
        expr: Expr::CompoundIdentifier(vec![quoted(&relation), quoted(&column)]),
        hidden: vec![(relation, column)],
    })
}

fn quoted(name: &str) -> Ident {
    Ident::with_quote('`', name)
}
