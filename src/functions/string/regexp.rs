//! `split`, `rlike` and the `regexp_` functions.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int32Array, ListBuilder, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Int32Type};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ScalarUDF;

use super::java_regex::{JavaRegex, Replacement};
use crate::functions::support::Kind::{Int, Text};
use crate::functions::support::{Cached, Call, Function, map_text, params, returns};
use crate::types::ddl::list_type;

/// The functions of this file.
pub(crate) fn functions() -> Vec<Arc<ScalarUDF>> {
    vec![
        Function::new(
            "split",
            params(&[Text, Text]).or(&[Int]),
            returns!(list_type(DataType::Utf8)),
            split,
        )
        .udf(),
        rlike(),
        Function::new(
            "regexp_extract",
            params(&[Text, Text]).or(&[Int]),
            returns!(DataType::Utf8),
            extract,
        )
        .udf(),
        Function::new(
            "regexp_extract_all",
            params(&[Text, Text]).or(&[Int]),
            returns!(list_type(DataType::Utf8)),
            extract_all,
        )
        .udf(),
        Function::new(
            "regexp_replace",
            params(&[Text, Text, Text]).or(&[Int]),
            returns!(DataType::Utf8),
            replace,
        )
        .udf(),
        Function::new(
            "regexp_count",
            params(&[Text, Text]),
            returns!(DataType::Int32),
            count,
        )
        .udf(),
        Function::new(
            "regexp_substr",
            params(&[Text, Text]),
            returns!(DataType::Utf8),
            substr,
        )
        .udf(),
        Function::new(
            "regexp_instr",
            params(&[Text, Text]).or(&[Int]),
            returns!(DataType::Int32),
            instr,
        )
        .udf(),
    ]
}

/// Whether a text matches somewhere; the operator RLIKE too.
pub(crate) fn rlike() -> Arc<ScalarUDF> {
    Function::new(
        "rlike",
        params(&[Text, Text]),
        returns!(DataType::Boolean),
        |call| {
            let matches = each_regex(call, |text, regex, _| regex.is_match(text).map(Some))?;
            Ok(Arc::new(BooleanArray::from(matches)))
        },
    )
    .alias(&["regexp", "regexp_like"])
    .udf()
}

/// Calls `value` for each row with a text and a pattern.
fn each_regex<R>(
    call: &Call,
    value: impl Fn(&str, &JavaRegex, usize) -> Result<Option<R>>,
) -> Result<Vec<Option<R>>> {
    let cached = std::cell::RefCell::new(Cached::default());
    let patterns = call.text(1);
    map_text(call, |text, row| {
        if arrow::array::Array::is_null(patterns, row) {
            return Ok(None);
        }
        let mut cached = cached.borrow_mut();
        value(text, cached.get(patterns.value(row), JavaRegex::try_new)?, row)
    })
}

/// The number in an optional argument of a row, `None` where it is null.
fn number(call: &Call, index: usize, row: usize, default: i32) -> Option<i32> {
    if !call.has(index) {
        return Some(default);
    }
    let numbers = call.primitive::<Int32Type>(index);
    arrow::array::Array::is_valid(numbers, row).then(|| numbers.value(row))
}

/// As `String.split`: with a limit above 0 at most so many parts, otherwise all, the empty ones at the end too.
fn split(call: &Call) -> Result<ArrayRef> {
    let mut lists = ListBuilder::new(StringBuilder::new());
    let parts = each_regex(call, |text, regex, row| {
        let Some(limit) = number(call, 2, row, -1) else {
            return Ok(None);
        };
        let is_empty_pattern = call.text(1).value(row).is_empty();
        let limit = usize::try_from(limit).ok().filter(|limit| *limit > 0);
        let limit = limit.unwrap_or(usize::MAX);
        let mut parts = Vec::new();
        let mut done = 0;
        regex.each(text, |from, to| {
            // A match of nothing at the beginning cuts nothing off.
            if to > 0 && parts.len() + 1 < limit && !(is_empty_pattern && from == text.len()) {
                parts.push((done, from));
                done = to;
            }
            parts.len() + 1 < limit
        })?;
        parts.push((done, text.len()));
        Ok(Some(parts))
    })?;
    for (row, parts) in parts.iter().enumerate() {
        if let Some(parts) = parts {
            let text = call.text(0).value(row);
            for (from, to) in parts {
                lists.values().append_value(&text[*from..*to]);
            }
        }
        lists.append(parts.is_some());
    }
    Ok(Arc::new(lists.finish()))
}

/// The group that an optional argument asks for, the first by default.
fn group(call: &Call, function: &str, regex: &JavaRegex, row: usize) -> Result<Option<usize>> {
    let Some(group) = number(call, 2, row, 1) else {
        return Ok(None);
    };
    match usize::try_from(group) {
        Ok(group) if group <= regex.group_count() => Ok(Some(group)),
        _ => exec_err!(
            "{function}: there is no group {group}, the pattern has {}",
            regex.group_count()
        ),
    }
}

fn extract(call: &Call) -> Result<ArrayRef> {
    let found = each_regex(call, |text, regex, row| {
        let Some(group) = group(call, "regexp_extract", regex, row)? else {
            return Ok(None);
        };
        let mut found = String::new();
        regex.each_groups(text, 0, |groups| {
            if let Some((from, to)) = groups[group] {
                text[from..to].clone_into(&mut found);
            }
            false
        })?;
        Ok(Some(found))
    })?;
    Ok(Arc::new(StringArray::from(found)))
}

fn extract_all(call: &Call) -> Result<ArrayRef> {
    let found = each_regex(call, |text, regex, row| {
        let Some(group) = group(call, "regexp_extract_all", regex, row)? else {
            return Ok(None);
        };
        let mut found = Vec::new();
        regex.each_groups(text, 0, |groups| {
            found.push(groups[group].map_or(String::new(), |(from, to)| text[from..to].to_owned()));
            true
        })?;
        Ok(Some(found))
    })?;
    let mut lists = ListBuilder::new(StringBuilder::new());
    for found in found {
        match found {
            Some(found) => lists.append_value(found.into_iter().map(Some)),
            None => lists.append_null(),
        }
    }
    Ok(Arc::new(lists.finish()))
}

fn replace(call: &Call) -> Result<ArrayRef> {
    let cached = std::cell::RefCell::new(Cached::default());
    let replacements = call.text(2);
    let replaced = each_regex(call, |text, regex, row| {
        let Some(position) = number(call, 3, row, 1) else {
            return Ok(None);
        };
        if arrow::array::Array::is_null(replacements, row) {
            return Ok(None);
        }
        let Some(skipped) = usize::try_from(position)
            .ok()
            .and_then(|position| position.checked_sub(1))
        else {
            return exec_err!("regexp_replace: positions count from 1, not from {position}");
        };
        let Some((start, _)) = text.char_indices().nth(skipped) else {
            return Ok(Some(text.to_owned()));
        };
        let mut cached = cached.borrow_mut();
        // The same text may name groups of another pattern.
        let key = format!("{}\0{}", call.text(1).value(row), replacements.value(row));
        let replacement = cached.get(&key, |_| Replacement::try_new(replacements.value(row), regex))?;
        regex.replace_all(text, replacement, start).map(Some)
    })?;
    Ok(Arc::new(StringArray::from(replaced)))
}

fn count(call: &Call) -> Result<ArrayRef> {
    let counts = each_regex(call, |text, regex, _| {
        let mut count = 0;
        regex.each(text, |_, _| {
            count += 1;
            true
        })?;
        Ok(Some(count))
    })?;
    Ok(Arc::new(Int32Array::from(counts)))
}

fn first(text: &str, regex: &JavaRegex) -> Result<Option<(usize, usize)>> {
    let mut first = None;
    regex.each(text, |from, to| {
        first = Some((from, to));
        false
    })?;
    Ok(first)
}

fn substr(call: &Call) -> Result<ArrayRef> {
    let found = each_regex(call, |text, regex, _| {
        Ok(first(text, regex)?.map(|(from, to)| text[from..to].to_owned()))
    })?;
    Ok(Arc::new(StringArray::from(found)))
}

fn instr(call: &Call) -> Result<ArrayRef> {
    let places = each_regex(call, |text, regex, row| {
        if number(call, 2, row, 0).is_none() {
            return Ok(None);
        }
        let place = first(text, regex)?.map_or(0, |(from, _)| text[..from].chars().count() + 1);
        Ok(i32::try_from(place).ok())
    })?;
    Ok(Arc::new(Int32Array::from(places)))
}
