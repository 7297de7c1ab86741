//! DataFusion's planning errors in our words, at their place in the statement.
//!
//! DataFusion knows the place of a column that it did not find and of little else. What it names in its message is
//! looked for among the words of the query; a message that names nothing stands at the query's start.

mod message;
mod words;

use datafusion::common::{Column, SchemaError};
use datafusion::error::DataFusionError;

use crate::error::{Error, ErrorKind, Position};
use crate::sql::locate::message::{
    advice, between, first_line, listed, lower_first, spark_types, strip_prefixes,
};
use crate::sql::locate::words::Words;
use crate::sql::query::QueryText;
use crate::sql::span::plan_span_start;
use crate::suggest::did_you_mean;

/// What an unknown name may have been meant to be.
#[derive(Debug, Clone, Copy, Default)]
pub struct Candidates<'c> {
    /// The functions of the session.
    pub functions: &'c [String],
    /// The streams, tables, views and results of the session.
    pub relations: &'c [String],
}

/// Turns what DataFusion's planner says of a query into an error with a place and, where there is one, a hint.
/// An error of our own comes out as it went in, with the query's place if it had none.
pub fn locate(error: DataFusionError, query: &QueryText, candidates: Candidates<'_>) -> Error {
    let span = error
        .diagnostic()
        .and_then(|diagnostic| diagnostic.span)
        .and_then(plan_span_start);
    let words = Words::new(query);
    let error = match root(error) {
        DataFusionError::External(inner) => match inner.downcast::<Error>() {
            Ok(own) => return own.at(query.position),
            Err(other) => Error::statement(first_line(&other.to_string())),
        },
        DataFusionError::SchemaError(error, _) => schema_error(&error, span, &words),
        other => described(&other.message(), span, &words, candidates),
    };
    error.at(span.unwrap_or(query.position))
}

/// The error that matters in wrappings and collections: the first one.
fn root(error: DataFusionError) -> DataFusionError {
    match error {
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => root(*inner),
        DataFusionError::Collection(mut errors) if !errors.is_empty() => root(errors.swap_remove(0)),
        DataFusionError::Shared(inner) => match std::sync::Arc::try_unwrap(inner) {
            Ok(inner) => root(inner),
            Err(shared) => DataFusionError::Shared(shared),
        },
        other => other,
    }
}

fn schema_error(error: &SchemaError, span: Option<Position>, words: &Words<'_>) -> Error {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            field_not_found(field, valid_fields, span, words)
        }
        // A column with a name of a relation's column beside it: both are the SELECT's own.
        SchemaError::AmbiguousReference { field } if field.relation.is_some() => {
            duplicate(&field.name, words)
        }
        SchemaError::AmbiguousReference { field } => {
            let name = &field.name;
            located(
                format!("column \"{name}\" is ambiguous"),
                span.or_else(|| words.column(None, name)),
            )
            .hint(format!(
                "Several relations have it: write which one, as in relation.{name}."
            ))
        }
        SchemaError::DuplicateQualifiedField { name, .. }
        | SchemaError::DuplicateUnqualifiedField { name } => duplicate(name, words),
    }
}

fn field_not_found(field: &Column, valid: &[Column], span: Option<Position>, words: &Words<'_>) -> Error {
    let relation = field
        .relation
        .as_ref()
        .map(|relation| relation.table().to_owned());
    let name = &field.name;
    let noted = field.spans().first().and_then(plan_span_start);
    let place = noted.or(span).or_else(|| words.column(relation.as_deref(), name));
    let message = match &relation {
        Some(relation) => format!("column \"{name}\" not found in \"{relation}\""),
        None => format!("column \"{name}\" not found"),
    };
    let error = located(message, place);
    let of_relation = |column: &&Column| match (&relation, &column.relation) {
        (Some(wanted), Some(found)) => found.table() == wanted,
        (wanted, _) => wanted.is_none(),
    };
    let mut names: Vec<&str> = valid
        .iter()
        .filter(of_relation)
        .map(|column| column.name.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        let relations = valid
            .iter()
            .filter_map(|column| Some(column.relation.as_ref()?.table()));
        let mut relations: Vec<&str> = relations.collect();
        relations.dedup();
        return match (&relation, relations.as_slice()) {
            (_, []) => error.hint("No column can be read here."),
            (Some(relation), known) => match did_you_mean(relation, known.iter().copied()) {
                Some(near) => error.hint(format!("Did you mean {near}.{name}?")),
                None => error.hint(format!("The relations in FROM are {}.", listed(known))),
            },
            (None, known) => error.hint(format!("The relations in FROM are {}.", listed(known))),
        };
    }
    match did_you_mean(name, names.iter().copied()) {
        Some(near) => error.hint(format!("Did you mean {near}?")),
        None => error.hint(format!("The columns are {}.", listed(&names))),
    }
}

/// An error that DataFusion tells in words alone.
fn described(message: &str, span: Option<Position>, words: &Words<'_>, candidates: Candidates<'_>) -> Error {
    let line = first_line(message);
    if let Some(name) = between(message, "Invalid function '", "'") {
        return unknown_function(name, span, words, candidates);
    }
    if let Some(name) =
        between(message, "able '", "' not found").or_else(|| between(message, "No table named '", "'"))
    {
        return unknown_relation(name, span, words, candidates);
    }
    if let Some(column) = between(message, "column \"", "\" must appear in the GROUP BY") {
        return not_grouped(column, span, words);
    }
    if let Some(name) = duplicate_name(message) {
        return duplicate(name, words);
    }
    if let Some(error) = wrong_call(message, words) {
        return error;
    }
    if let Some(error) = wrong_operands(message, words) {
        return error;
    }
    if let Some(name) = between(&format!("{line}\n"), "Unsupported SQL type ", "\n") {
        return unknown_type(name, span, words);
    }
    if let Some((condition, found)) =
        between(message, "predicate '", "' returning ").zip(line.split(" returning ").last())
    {
        let name = condition.rsplit('.').next().unwrap_or(condition);
        return located(
            format!("a condition is BOOLEAN, \"{name}\" is {}", spark_types(found)),
            words.named_in(&line).or(span),
        )
        .hint("Compare it with something.");
    }
    let place = span.or_else(|| words.named_in(&line));
    let shown = lower_first(&spark_types(&line));
    match shown.split_once(". ") {
        Some((message, advice)) => located(message.to_owned(), place).hint(format!("{advice}.")),
        None => match advice(&line) {
            Some(advice) => located(shown, place).hint(advice),
            None => located(shown, place),
        },
    }
}

fn unknown_type(name: &str, span: Option<Position>, words: &Words<'_>) -> Error {
    const TYPES: [&str; 13] = [
        "STRING",
        "INT",
        "BIGINT",
        "SMALLINT",
        "TINYINT",
        "DOUBLE",
        "FLOAT",
        "DECIMAL",
        "BOOLEAN",
        "DATE",
        "TIMESTAMP",
        "BINARY",
        "ARRAY",
    ];
    let error = located(
        format!("unknown type \"{name}\""),
        span.or_else(|| words.column(None, name)),
    );
    match did_you_mean(name, TYPES) {
        Some(near) => error.hint(format!("Did you mean {near}?")),
        None => error.hint(format!("The types are {}.", listed(&TYPES))),
    }
}

fn unknown_function(
    name: &str,
    span: Option<Position>,
    words: &Words<'_>,
    candidates: Candidates<'_>,
) -> Error {
    let place = span.or_else(|| words.call(name));
    let error = located(format!("function \"{name}\" not found"), place);
    match did_you_mean(name, candidates.functions.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("Did you mean {near}?")),
        None => error.hint("SHOW FUNCTIONS lists what is there."),
    }
}

fn unknown_relation(
    name: &str,
    span: Option<Position>,
    words: &Words<'_>,
    candidates: Candidates<'_>,
) -> Error {
    // DataFusion writes the catalog's and the schema's names before.
    let name = name.rsplit('.').next().unwrap_or(name);
    let place = words.column(None, name).or(span);
    let error = located(format!("\"{name}\" not found"), place);
    match did_you_mean(name, candidates.relations.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("Did you mean {near}?")),
        None if candidates.relations.is_empty() => {
            error.hint("CREATE STREAM, CREATE TABLE or CREATE VIEW it before it is read.")
        }
        None => {
            let known: Vec<&str> = candidates.relations.iter().map(String::as_str).collect();
            error.hint(format!(
                "There are {}. CREATE it before it is read.",
                listed(&known)
            ))
        }
    }
}

fn not_grouped(column: &str, span: Option<Position>, words: &Words<'_>) -> Error {
    let (relation, name) = match column.rsplit_once('.') {
        Some((relation, name)) => (Some(relation), name),
        None => (None, column),
    };
    let name = name.trim_matches('"');
    let place = span.or_else(|| words.column(relation, name));
    located(
        format!("column \"{name}\" is neither grouped nor aggregated"),
        place,
    )
    .hint(format!(
        "Add {name} to GROUP BY, or aggregate it: first({name}), max({name})."
    ))
}

fn duplicate(name: &str, words: &Words<'_>) -> Error {
    located(
        format!("two columns are named \"{name}\""),
        words.last_column(name),
    )
    .hint("Give one of them another name with AS.")
}

/// `Projections require unique expression names but the expression "a AS k" at position 0 and ...`
fn duplicate_name(message: &str) -> Option<&str> {
    let expression = between(
        message,
        "unique expression names but the expression \"",
        "\" at position",
    )?;
    let name = expression
        .rsplit_once(" AS ")
        .map_or(expression, |(_, name)| name);
    Some(name.rsplit('.').next().unwrap_or(name))
}

/// Arguments that a function does not take.
fn wrong_call(message: &str, words: &Words<'_>) -> Option<Error> {
    let line = first_line(message);
    let signature = between(message, "argument types '", "'");
    let name = signature
        .and_then(|signature| signature.split('(').next())
        .or_else(|| between(message, "call to '", "'"))
        .or_else(|| between(message, "call to function '", "'"))
        .or_else(|| between(message, "Function '", "'"))
        .or_else(|| between(message, "function '", "'"))
        .or_else(|| between(message, "'", "' does not support"))?;
    let place = words.call(name)?;
    let types = signature
        .and_then(|signature| signature.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')'))
        .or_else(|| between(message, "coercion from ", " to the signature"));
    let Some(types) = types else {
        let said = match line.split_once("failed with: ") {
            Some((_, inner)) => strip_prefixes(inner),
            None => line.as_str(),
        };
        return Some(located(lower_first(&spark_types(said)), Some(place)));
    };
    let mut message_of_ours = format!("{name} does not take ({})", spark_types(types));
    if types.is_empty() {
        message_of_ours = format!("{name} needs arguments");
    }
    let error = located(message_of_ours, Some(place));
    let forms = message
        .lines()
        .map(str::trim)
        .filter(|form| form.starts_with(&format!("{name}(")));
    let mut forms: Vec<String> = forms.map(spark_types).collect();
    forms.dedup();
    forms.truncate(4);
    Some(match forms.as_slice() {
        [] => error.hint("Cast the arguments to types that it takes: CAST(x AS DOUBLE)."),
        forms => error.hint(format!("It takes {}.", forms.join(" or "))),
    })
}

/// Operands that do not go together.
fn wrong_operands(message: &str, words: &Words<'_>) -> Option<Error> {
    let operation = [
        "comparison operation ",
        "arithmetic expression ",
        "arithmetic operation ",
    ]
    .into_iter()
    .find_map(|what| message.split_once(what))
    .map(|(_, operation)| operation)?;
    let mut parts = operation.split_whitespace();
    let (left, op) = (parts.next()?, parts.next()?);
    let right = parts.next()?.trim_end_matches(['.', ',']);
    Some(
        located(
            format!(
                "{op} does not go with {} and {}",
                spark_types(left),
                spark_types(right)
            ),
            words.operator(op),
        )
        .hint("Cast one side to the type of the other."),
    )
}

fn located(message: String, place: Option<Position>) -> Error {
    let error = Error::new(ErrorKind::Statement, message);
    match place {
        Some(place) => error.at(place),
        None => error,
    }
}

#[cfg(test)]
mod tests;
