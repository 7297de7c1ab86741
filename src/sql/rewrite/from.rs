//! FROM: relations by their declared names, WATERMARK clauses as generated ones, joins as DataFusion has them.

use datafusion::sql::sqlparser::ast::{
    Ident, Join, JoinConstraint, JoinOperator, ObjectName, ObjectNamePart, Spanned, TableAlias, TableFactor,
    TableWithJoins,
};

use super::TableWatermark;
use super::expression::rewrite;
use super::query::{Rewriter, unsupported};
use super::scope::{Columns, Relation, Scope, spelling};
use super::using::expand_using;
use crate::error::{Error, Result};
use crate::sql::span::{position, span_start};
use crate::sql::statement::Name;

impl Rewriter<'_> {
    /// Rewrites FROM and adds its relations to what is seen.
    pub(super) fn from(&mut self, from: &mut [TableWithJoins], scope: &mut Scope<'_>) -> Result<()> {
        for table in from {
            self.table_with_joins(table, scope)?;
        }
        Ok(())
    }

    fn table_with_joins(&mut self, table: &mut TableWithJoins, scope: &mut Scope<'_>) -> Result<()> {
        let first = scope.relations.len();
        self.factor(&mut table.relation, scope)?;
        for join in &mut table.joins {
            // What a semi join tests is seen in its condition alone.
            let seen = scope.relations.len();
            self.factor(&mut join.relation, scope)?;
            self.join(join, scope)?;
            if self.expands_using {
                expand_using(join, scope, first, seen);
            }
            match join.join_operator {
                JoinOperator::LeftSemi(_) | JoinOperator::LeftAnti(_) => scope.relations.truncate(seen),
                JoinOperator::RightSemi(_) | JoinOperator::RightAnti(_) => {
                    scope.relations.drain(first..seen);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn join(&mut self, join: &mut Join, scope: &Scope<'_>) -> Result<()> {
        let operator = std::mem::replace(
            &mut join.join_operator,
            JoinOperator::CrossJoin(JoinConstraint::None),
        );
        join.join_operator = match operator {
            JoinOperator::Semi(constraint) => JoinOperator::LeftSemi(constraint),
            JoinOperator::Anti(constraint) => JoinOperator::LeftAnti(constraint),
            // Without a condition every row fits every row.
            JoinOperator::Join(JoinConstraint::None) | JoinOperator::Inner(JoinConstraint::None) => {
                JoinOperator::CrossJoin(JoinConstraint::None)
            }
            JoinOperator::CrossJoin(constraint @ JoinConstraint::On(_)) => JoinOperator::Inner(constraint),
            other => other,
        };
        match constraint(&mut join.join_operator) {
            Some(JoinConstraint::On(condition)) => rewrite(condition, self, scope, &[]),
            Some(JoinConstraint::Using(columns)) => {
                for column in columns {
                    if let [ObjectNamePart::Identifier(ident)] = &mut column.0[..] {
                        scope.respell(ident);
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Rewrites one relation and adds it to what is seen.
    fn factor(&mut self, factor: &mut TableFactor, scope: &mut Scope<'_>) -> Result<()> {
        let span = factor.span();
        match factor {
            TableFactor::Table { sample: Some(_), .. } | TableFactor::Derived { sample: Some(_), .. } => {
                Err(unsupported("TABLESAMPLE", span, "Write WHERE rand() < 0.1."))
            }
            TableFactor::Table {
                name,
                alias,
                args: Some(args),
                ..
            } => {
                if let [ObjectNamePart::Identifier(ident)] = &mut name.0[..] {
                    ident.value = ident.value.to_lowercase();
                }
                rewrite(&mut args.args, self, scope, &[])?;
                scope.relations.push(relation(alias.as_ref(), None, None));
                Ok(())
            }
            TableFactor::Table { name, alias, .. } => {
                let (declared, columns) = self.table(name, alias)?;
                scope
                    .relations
                    .push(relation(alias.as_ref(), Some(declared), columns));
                Ok(())
            }
            TableFactor::Derived {
                subquery,
                alias,
                lateral,
                ..
            } => {
                let outer = if *lateral { Some(&*scope) } else { scope.outer };
                let columns = self.query(subquery, outer)?;
                scope.relations.push(relation(alias.as_ref(), None, columns));
                Ok(())
            }
            TableFactor::NestedJoin {
                table_with_joins,
                alias: None,
            } => self.table_with_joins(table_with_joins, scope),
            TableFactor::UNNEST {
                alias, array_exprs, ..
            } => {
                rewrite(array_exprs, self, scope, &[])?;
                scope.relations.push(relation(alias.as_ref(), None, None));
                Ok(())
            }
            other => Err(unsupported(
                "this kind of relation in FROM",
                other.span(),
                "Write a name, a subquery, or VALUES.",
            )),
        }
    }

    /// Gives a relation its declared name, or a generated one if a WATERMARK stands behind it.
    fn table(&mut self, name: &mut ObjectName, alias: &mut Option<TableAlias>) -> Result<(String, Columns)> {
        let span = name.span();
        let [ObjectNamePart::Identifier(ident)] = &mut name.0[..] else {
            let error = Error::statement(format!("a relation has a name of one part, found \"{name}\""))
                .hint("There are no databases here: write the last part alone.");
            return Err(match span_start(span) {
                Some(place) => error.at(place),
                None => error,
            });
        };
        let place = position(ident.span.start);
        let watermark = self
            .text
            .watermarks
            .iter()
            .find(|known| known.relation_position == place);
        let cte = self
            .ctes
            .iter()
            .rev()
            .find(|(cte, _)| cte.eq_ignore_ascii_case(&ident.value));
        if let Some((declared, columns)) = cte {
            if let Some(watermark) = watermark {
                return Err(
                    Error::statement(format!("\"{declared}\" of WITH cannot have a WATERMARK"))
                        .at(watermark.clause.position)
                        .hint("Put the clause behind the stream's name in the WITH query, or create a view."),
                );
            }
            ident.value.clone_from(declared);
            return Ok((declared.clone(), columns.clone()));
        }
        let (declared, columns) = match (self.lookup)(&ident.value) {
            Some(known) => (known.name, Some(known.columns)),
            None => (ident.value.clone(), None),
        };
        self.relations.push(Name {
            value: declared.clone(),
            position: place,
        });
        ident.value.clone_from(&declared);
        let Some(watermark) = watermark else {
            return Ok((declared, columns));
        };
        let clause = &watermark.clause;
        let column = match &columns {
            None => clause.column.value.clone(),
            Some(columns) => spelling(&clause.column.value, columns)
                .ok_or_else(|| unknown_column(clause, &declared, columns))?,
        };
        let generated_name = format!("__watermark_{}", self.watermarks.len());
        self.watermarks.push(TableWatermark {
            generated_name: generated_name.clone(),
            relation: declared.clone(),
            column,
            delay: clause.delay,
            position: clause.position,
        });
        if alias.is_none() {
            *alias = Some(table_alias(&declared));
        }
        ident.value = generated_name;
        Ok((declared, columns))
    }
}

fn unknown_column(
    clause: &crate::sql::statement::WatermarkClause,
    relation: &str,
    columns: &[String],
) -> Error {
    let written = &clause.column.value;
    let error = Error::statement(format!("column \"{written}\" not found in \"{relation}\""))
        .at(clause.column.position);
    match crate::suggest::did_you_mean(written, columns.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("Did you mean {near}?")),
        None => error.hint(format!("The columns are {}.", columns.join(", "))),
    }
}

/// What is seen of a relation under its alias.
fn relation(alias: Option<&TableAlias>, declared: Option<String>, columns: Columns) -> Relation {
    let renamed = alias.filter(|alias| !alias.columns.is_empty());
    Relation {
        name: alias.map(|alias| alias.name.value.clone()).or(declared),
        also: Vec::new(),
        columns: match renamed {
            Some(alias) => Some(
                alias
                    .columns
                    .iter()
                    .map(|column| column.name.value.clone())
                    .collect(),
            ),
            None => columns,
        },
    }
}

/// Gives subqueries in FROM that have no name one, so that a column of theirs is told apart from an output column of the
/// same name: in `SELECT sum(n) AS n FROM (...) HAVING sum(n) > 1` the aggregate is about the input's `n`.
pub(super) fn name_derived_tables(from: &mut [TableWithJoins]) {
    let factors = from.iter_mut().flat_map(|table| {
        let joined = table.joins.iter_mut().map(|join| &mut join.relation);
        std::iter::once(&mut table.relation).chain(joined)
    });
    for (place, factor) in factors.enumerate() {
        if let TableFactor::Derived {
            alias: alias @ None, ..
        } = factor
        {
            *alias = Some(table_alias(&format!("__subquery_{place}")));
        }
    }
}

/// `AS name`.
pub(super) fn table_alias(name: &str) -> TableAlias {
    TableAlias {
        explicit: true,
        name: Ident::with_quote('`', name),
        columns: Vec::new(),
        at: None,
    }
}

pub(super) fn constraint(operator: &mut JoinOperator) -> Option<&mut JoinConstraint> {
    match operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint)
        | JoinOperator::CrossJoin(constraint)
        | JoinOperator::LeftSemi(constraint)
        | JoinOperator::RightSemi(constraint)
        | JoinOperator::LeftAnti(constraint)
        | JoinOperator::RightAnti(constraint) => Some(constraint),
        _ => None,
    }
}
