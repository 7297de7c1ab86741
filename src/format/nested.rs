//! The encoders of values that hold values, and of columns that hold them by reference.

use arrow::array::{Array, AsArray, ListLikeArray, StructArray};
use arrow::datatypes::{ArrowDictionaryKeyType, DataType, RunEndIndexType};

use super::encoder::{Column, Dialect, Encode, column, no_text};
use crate::error::Result;

pub(super) fn structure(array: &StructArray, dialect: Dialect) -> Result<Encode<'_>> {
    let columns = array
        .columns()
        .iter()
        .map(|values| column(values.as_ref(), dialect))
        .collect::<Result<Vec<_>>>()?;
    if !dialect.is_json() {
        return Ok(Box::new(move |row, out| {
            push_elements(out, ('{', '}'), dialect, columns.iter(), |out, column| {
                column.push(row, out);
            });
        }));
    }
    let object = Object::new(
        array.fields().iter().map(|field| field.name().as_str()),
        columns,
        dialect,
    );
    Ok(Box::new(move |row, out| object.push(row, out)))
}

pub(super) fn list<L: ListLikeArray>(array: &L, dialect: Dialect) -> Result<Encode<'_>> {
    let values = column(array.values().as_ref(), dialect)?;
    Ok(Box::new(move |row, out| {
        let elements = array.element_range(row);
        push_elements(out, ('[', ']'), dialect, elements, |out, at| values.push(at, out));
    }))
}

pub(super) fn map(array: &dyn Array, dialect: Dialect) -> Result<Encode<'_>> {
    let array = array.as_map();
    let keys = column(array.keys().as_ref(), dialect)?;
    let values = column(array.values().as_ref(), dialect)?;
    Ok(Box::new(move |row, out| {
        let offsets = array.value_offsets();
        let start = usize::try_from(offsets[row]).unwrap_or_default();
        let end = usize::try_from(offsets[row + 1]).unwrap_or_default();
        push_elements(out, ('{', '}'), dialect, start..end, |out, at| {
            if dialect.is_json() {
                push_json_key(out, &keys, at, dialect);
                out.push(':');
            } else {
                keys.push(at, out);
                out.push_str(" -> ");
            }
            values.push(at, out);
        });
    }))
}

/// Appends a map's key, which in JSON is text whatever its type is.
fn push_json_key(out: &mut String, keys: &Column<'_>, at: usize, dialect: Dialect) {
    let start = out.len();
    keys.push(at, out);
    if !out[start..].starts_with('"') {
        let bare = out.split_off(start);
        dialect.push_text(out, &bare);
    }
}

/// Appends elements in brackets: `[1,2]` in JSON, `[1, 2]` in text, where it ends early once it is long enough.
fn push_elements<T>(
    out: &mut String,
    (open, close): (char, char),
    dialect: Dialect,
    elements: impl Iterator<Item = T>,
    push: impl Fn(&mut String, T),
) {
    let start = out.len();
    out.push(open);
    for (at, element) in elements.enumerate() {
        if at > 0 {
            out.push_str(if dialect.is_json() { "," } else { ", " });
        }
        push(out, element);
        if out.len() - start > dialect.max_bytes() {
            return;
        }
    }
    out.push(close);
}

pub(super) fn dictionary<K: ArrowDictionaryKeyType>(
    array: &dyn Array,
    dialect: Dialect,
) -> Result<Encode<'_>> {
    let array = array.as_dictionary::<K>();
    let values = column(array.values().as_ref(), dialect)?;
    Ok(Box::new(move |row, out| {
        if let Some(key) = array.key(row) {
            values.push(key, out);
        }
    }))
}

pub(super) fn runs<R: RunEndIndexType>(array: &dyn Array, dialect: Dialect) -> Result<Encode<'_>> {
    let array = array.as_run::<R>();
    let values = column(array.values().as_ref(), dialect)?;
    Ok(Box::new(move |row, out| {
        values.push(array.get_physical_index(row), out);
    }))
}

pub(super) fn union(array: &dyn Array, dialect: Dialect) -> Result<Encode<'_>> {
    let DataType::Union(fields, _) = array.data_type() else {
        return Err(no_text(array.data_type()));
    };
    let array = array.as_union();
    let children = fields
        .iter()
        .map(|(id, _)| Ok((id, column(array.child(id).as_ref(), dialect)?)))
        .collect::<Result<Vec<_>>>()?;
    Ok(Box::new(move |row, out| {
        let id = array.type_id(row);
        if let Some((_, child)) = children.iter().find(|(child, _)| *child == id) {
            child.push(array.value_offset(row), out);
        }
    }))
}

/// The encoder of JSON objects: the names are escaped once.
pub(crate) struct Object<'a> {
    /// Each with its name in quotes and the colon behind it.
    members: Vec<(String, Column<'a>)>,
    keep_nulls: bool,
}

impl<'a> Object<'a> {
    /// An object of these columns.
    pub(crate) fn new<'n>(
        names: impl Iterator<Item = &'n str>,
        columns: Vec<Column<'a>>,
        dialect: Dialect,
    ) -> Self {
        let members = names
            .zip(columns)
            .map(|(name, column)| {
                let mut key = String::with_capacity(name.len() + 3);
                dialect.push_text(&mut key, name);
                key.push(':');
                (key, column)
            })
            .collect();
        Self {
            members,
            keep_nulls: !matches!(dialect, Dialect::SparkJson { keep_nulls: false }),
        }
    }

    /// Appends the object of one row.
    pub(crate) fn push(&self, row: usize, out: &mut String) {
        out.push('{');
        let mut is_first = true;
        for (key, column) in &self.members {
            if !self.keep_nulls && column.is_null(row) {
                continue;
            }
            if !is_first {
                out.push(',');
            }
            is_first = false;
            out.push_str(key);
            column.push(row, out);
        }
        out.push('}');
    }
}
