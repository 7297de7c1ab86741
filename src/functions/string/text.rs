//! Parts of texts, places in them, and texts made of others. Positions count characters from 1.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int32Array, StringArray};
use arrow::datatypes::{DataType, Int32Type};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::ScalarUDF;

use crate::functions::collection::array::{concat_lists, reverse_lists};
use crate::functions::support::Kind::{Any, Int, Text};
use crate::functions::support::{Call, Function, Planned, Returns, map_text, params, returns};

/// The functions of this file.
pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    let text: Returns = returns!(DataType::Utf8);
    vec![
        Function::new("left", params(&[Text, Int]), text, |call| {
            part(call, |text, count| text.chars().take(count).collect())
        })
        .udf(),
        Function::new("right", params(&[Text, Int]), text, |call| {
            part(call, |text, count| {
                let skipped = text.chars().count().saturating_sub(count);
                text.chars().skip(skipped).collect()
            })
        })
        .udf(),
        Function::new(
            "locate",
            params(&[Text, Text]).or(&[Int]),
            returns!(DataType::Int32),
            locate,
        )
        .alias(&["position", "charindex"])
        .udf(),
        Function::new("initcap", params(&[Text]), text, |call| {
            let texts = map_text(call, |text, _| Ok(Some(initcap(text))))?;
            Ok(Arc::new(StringArray::from(texts)))
        })
        .udf(),
        Function::new("chr", params(&[Int]), text, |call| {
            let codes = call.primitive::<Int32Type>(0);
            let texts = codes.iter().map(|code| {
                // Spark looks at the last byte only; what is negative is no character.
                let byte = u8::try_from(code? & 0xff).ok()?;
                Some(if code? < 0 {
                    String::new()
                } else {
                    char::from(byte).to_string()
                })
            });
            Ok(Arc::new(texts.collect::<StringArray>()))
        })
        .alias(&["char"])
        .udf(),
        Function::new("replace", params(&[Text, Text]).or(&[Text]), text, replace).udf(),
        Function::new("mask", params(&[Text]).or(&[Text, Text, Text, Text]), text, mask).udf(),
        Function::new(
            "levenshtein",
            params(&[Text, Text]).or(&[Int]),
            returns!(DataType::Int32),
            levenshtein,
        )
        .udf(),
        Function::new(
            "contains",
            params(&[Text, Text]),
            returns!(DataType::Boolean),
            |call| {
                let pairs = call.text(0).iter().zip(call.text(1));
                let found = pairs.map(|(text, part)| Some(text?.contains(part?)));
                Ok(Arc::new(found.collect::<BooleanArray>()))
            },
        )
        .udf(),
        Function::new("concat", params(&[]).and_more(Any), concat_type, concat)
            .coerce(coerce_concat)
            .udf(),
        Function::new("reverse", params(&[Any]), reverse_type, reverse)
            .coerce(|given| {
                Ok(given
                    .iter()
                    .map(|given| match given {
                        DataType::List(_) => given.clone(),
                        _ => DataType::Utf8,
                    })
                    .collect())
            })
            .udf(),
    ]
}

fn part(call: &Call, take: impl Fn(&str, usize) -> String) -> Result<ArrayRef> {
    let counts = call.primitive::<Int32Type>(1);
    let parts = map_text(call, |text, row| {
        let count = counts
            .is_valid(row)
            .then(|| usize::try_from(counts.value(row)).unwrap_or(0));
        Ok(count.map(|count| take(text, count)))
    })?;
    Ok(Arc::new(StringArray::from(parts)))
}

/// `locate(part, text [, from])`: 0 where it is not there, or the search begins before the text.
#[expect(clippy::unnecessary_wraps, reason = "it is a function's work")]
fn locate(call: &Call) -> Result<ArrayRef> {
    let rows = call.text(0).iter().zip(call.text(1)).enumerate();
    let places = rows.map(|(row, (part, text))| {
        let (part, text) = (part?, text?);
        let from = if call.has(2) {
            let starts = call.primitive::<Int32Type>(2);
            if starts.is_null(row) { 0 } else { starts.value(row) }
        } else {
            1
        };
        let Some(skipped) = usize::try_from(from - 1).ok() else {
            return Some(0);
        };
        let start = match text.char_indices().nth(skipped) {
            Some((start, _)) => start,
            None if part.is_empty() && skipped == 0 => 0,
            None => return Some(0),
        };
        let found = text[start..]
            .find(part)
            .map(|at| text[start..start + at].chars().count());
        Some(found.map_or(0, |count| i32::try_from(skipped + count + 1).unwrap_or(i32::MAX)))
    });
    Ok(Arc::new(places.collect::<Int32Array>()))
}

/// Words are what spaces part.
fn initcap(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut is_first = true;
    for letter in text.chars() {
        if is_first {
            out.extend(letter.to_uppercase());
        } else {
            out.extend(letter.to_lowercase());
        }
        is_first = letter == ' ';
    }
    out
}

fn replace(call: &Call) -> Result<ArrayRef> {
    let searched = call.text(1);
    let texts = map_text(call, |text, row| {
        let with = match call.has(2) {
            true if call.text(2).is_null(row) => return Ok(None),
            true => call.text(2).value(row),
            false => "",
        };
        if searched.is_null(row) {
            return Ok(None);
        }
        let search = searched.value(row);
        Ok(Some(if search.is_empty() {
            text.to_owned()
        } else {
            text.replace(search, with)
        }))
    })?;
    Ok(Arc::new(StringArray::from(texts)))
}

/// Letters and digits covered; a null in place of a cover leaves its kind as it is.
fn mask(call: &Call) -> Result<ArrayRef> {
    let texts = map_text(call, |text, row| {
        let cover = |index: usize, default: Option<char>| {
            if !call.has(index) {
                return default;
            }
            let covers = call.text(index);
            covers
                .is_valid(row)
                .then(|| covers.value(row).chars().next())
                .flatten()
        };
        let (upper, lower) = (cover(1, Some('X')), cover(2, Some('x')));
        let (digit, other) = (cover(3, Some('n')), cover(4, None));
        let masked = text.chars().map(|letter| {
            let cover = if letter.is_uppercase() {
                upper
            } else if letter.is_lowercase() {
                lower
            } else if letter.is_ascii_digit() {
                digit
            } else {
                other
            };
            cover.unwrap_or(letter)
        });
        Ok(Some(masked.collect::<String>()))
    })?;
    Ok(Arc::new(StringArray::from(texts)))
}

/// -1 where the distance is over the threshold.
fn levenshtein(call: &Call) -> Result<ArrayRef> {
    let others = call.text(1);
    let distances = map_text(call, |text, row| {
        if others.is_null(row) {
            return Ok(None);
        }
        let distance = distance(text, others.value(row));
        if call.has(2) {
            let thresholds = call.primitive::<Int32Type>(2);
            if thresholds.is_null(row) {
                return Ok(None);
            }
            return Ok(Some(if distance > thresholds.value(row) {
                -1
            } else {
                distance
            }));
        }
        Ok(Some(distance))
    })?;
    Ok(Arc::new(Int32Array::from(distances)))
}

fn distance(left: &str, right: &str) -> i32 {
    let right: Vec<char> = right.chars().collect();
    let mut costs: Vec<i32> = (0..=i32::try_from(right.len()).unwrap_or(i32::MAX)).collect();
    for letter in left.chars() {
        let mut diagonal = costs[0];
        costs[0] += 1;
        for (at, other) in right.iter().enumerate() {
            let cost = (diagonal + i32::from(letter != *other))
                .min(costs[at] + 1)
                .min(costs[at + 1] + 1);
            diagonal = costs[at + 1];
            costs[at + 1] = cost;
        }
    }
    costs[right.len()]
}

/// Texts, or arrays of one type.
fn coerce_concat(given: &[DataType]) -> Result<Vec<DataType>> {
    let is_list = |given: &DataType| matches!(given, DataType::List(_));
    if given.iter().any(is_list) {
        if given.contains(&DataType::Null) {
            return plan_err!(
                "concat takes arrays or texts, and a mere NULL is no array: cast it to the arrays' type"
            );
        }
        return crate::functions::collection::common_lists("concat", given);
    }
    if !given.is_empty() && given.iter().all(|given| *given == DataType::Binary) {
        return Ok(given.to_vec());
    }
    Ok(vec![DataType::Utf8; given.len()])
}

#[expect(clippy::unnecessary_wraps, reason = "it is the type of a function")]
fn concat_type(planned: &Planned) -> Result<DataType> {
    Ok(planned.types.first().cloned().unwrap_or(DataType::Utf8))
}

/// Null where one of the values is.
fn concat(call: &Call) -> Result<ArrayRef> {
    match call.returns {
        DataType::List(item) => concat_lists(call.args, item),
        DataType::Binary => {
            let rows = (0..call.rows).map(|row| {
                let parts = call.args.iter().map(|part| {
                    let part = part.as_binary::<i32>();
                    part.is_valid(row).then(|| part.value(row))
                });
                parts.collect::<Option<Vec<_>>>().map(|parts| parts.concat())
            });
            let rows = rows.collect::<Vec<_>>();
            Ok(Arc::new(arrow::array::BinaryArray::from_iter(rows)))
        }
        _ => {
            let columns: Vec<&StringArray> = (0..call.args.len()).map(|index| call.text(index)).collect();
            let mut texts = arrow::array::StringBuilder::new();
            for row in 0..call.rows {
                if columns.iter().any(|column| column.is_null(row)) {
                    texts.append_null();
                    continue;
                }
                for column in &columns {
                    // What is written is part of the value that is appended next.
                    let _ = std::fmt::Write::write_str(&mut texts, column.value(row));
                }
                texts.append_value("");
            }
            Ok(Arc::new(texts.finish()))
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it is the type of a function")]
fn reverse_type(planned: &Planned) -> Result<DataType> {
    Ok(planned.types[0].clone())
}

fn reverse(call: &Call) -> Result<ArrayRef> {
    if matches!(call.returns, DataType::List(_)) {
        return reverse_lists(&call.args[0]);
    }
    let texts = map_text(call, |text, _| Ok(Some(text.chars().rev().collect::<String>())))?;
    Ok(Arc::new(StringArray::from(texts)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_and_words() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("naïve", "naive"), 1);
        assert_eq!(initcap("it's a-b c_d ÉTÉ"), "It's A-b C_d Été");
    }
}
