//! The fields of a struct, and the fast way from a name in a record to its field.
//!
//! Records of one source mostly have the same names in the same order. So the names seen are kept in that order, and each
//! is first compared with the one that came next last time: one comparison of bytes, quotes included, no search for the
//! name's end and no hashing. A name that is missing is stepped over; one that was never seen is looked up and put in.

use std::collections::HashMap;

use arrow::datatypes::Fields;

use super::column::Column;
use super::scanner::{Scan, Scanner};
use crate::error::Result;

/// How many names are kept: objects with more, or with names that never come again, are looked up.
const MAX_GUESSES: usize = 256;
/// How many names may be missing before the lookup is quicker.
const MAX_STEPS: usize = 8;

/// The fields of a struct.
#[derive(Debug)]
pub(super) struct Members {
    columns: Vec<Column>,
    by_name: HashMap<Box<[u8]>, usize>,
    guesses: Vec<Guess>,
}

/// A name that was seen.
#[derive(Debug)]
struct Guess {
    /// The name with its quotes.
    quoted: Box<[u8]>,
    /// Its first eight bytes, zeros behind a shorter one, and ones for the bytes that count: most names are told by one
    /// comparison of these.
    head: u64,
    mask: u64,
    /// Its field, if the schema has one.
    field: Option<usize>,
}

impl Guess {
    fn new(quoted: &[u8], field: Option<usize>) -> Self {
        let (mut head, mut mask) = ([0; 8], [0; 8]);
        for (at, byte) in quoted.iter().take(8).enumerate() {
            (head[at], mask[at]) = (*byte, 0xff);
        }
        Self {
            quoted: quoted.into(),
            head: u64::from_le_bytes(head),
            mask: u64::from_le_bytes(mask),
            field,
        }
    }

    /// Whether `rest` begins with the name.
    #[inline]
    fn is_at(&self, rest: &[u8]) -> bool {
        // A record that ends within eight bytes is left to the slow way.
        let Some(head) = rest.first_chunk::<8>() else {
            return false;
        };
        u64::from_le_bytes(*head) & self.mask == self.head
            && (self.quoted.len() <= 8 || rest.starts_with(&self.quoted))
    }
}

impl Members {
    /// The columns for `fields`; the one at `aside` gets no values from records.
    pub(super) fn try_new(fields: &Fields, aside: Option<usize>, path: &str) -> Result<Self> {
        let mut columns = Vec::new();
        let mut by_name = HashMap::new();
        for (index, field) in fields.iter().enumerate() {
            let path = if path.is_empty() {
                field.name().clone()
            } else {
                format!("{path}.{}", field.name())
            };
            columns.push(Column::try_new(field.data_type(), &path)?);
            if aside != Some(index) {
                by_name.insert(field.name().as_bytes().into(), index);
            }
        }
        Ok(Self {
            columns,
            by_name,
            guesses: Vec::new(),
        })
    }

    pub(super) fn columns_mut(&mut self) -> impl Iterator<Item = &mut Column> {
        self.columns.iter_mut()
    }

    #[inline]
    pub(super) fn column_mut(&mut self, index: usize) -> &mut Column {
        &mut self.columns[index]
    }

    /// Appends a null wherever a record that began when there were `length` rows had no value.
    #[inline]
    pub(super) fn fill(&mut self, length: usize) {
        for column in &mut self.columns {
            if column.len() == length {
                column.push_null();
            }
        }
    }

    /// Takes a name and the colon behind it and gives its field. `next` is the guess to begin with, 0 at the beginning of an
    /// object.
    #[inline]
    pub(super) fn field(&mut self, scanner: &mut Scanner<'_>, next: &mut usize) -> Scan<Option<usize>> {
        let rest = &scanner.bytes[scanner.at..];
        if let Some(guess) = self.guesses.get(*next)
            && guess.is_at(rest)
        {
            *next += 1;
            scanner.at += guess.quoted.len();
            scanner.colon()?;
            return Ok(guess.field);
        }
        self.field_slowly(scanner, next)
    }

    fn field_slowly(&mut self, scanner: &mut Scanner<'_>, next: &mut usize) -> Scan<Option<usize>> {
        scanner.skip_blanks()?;
        let start = scanner.at;
        let rest = &scanner.bytes[start..];
        let ahead = self.guesses.iter().enumerate().skip(*next).take(MAX_STEPS);
        if let Some((index, guess)) = ahead.into_iter().find(|(_, guess)| guess.is_at(rest)) {
            *next = index + 1;
            scanner.at += guess.quoted.len();
            scanner.colon()?;
            return Ok(guess.field);
        }
        let name = scanner.name()?;
        if name.is_escaped {
            let mut unescaped = Vec::new();
            scanner.unescape(name, &mut unescaped)?;
            return Ok(self.by_name.get(unescaped.as_slice()).copied());
        }
        let bytes = &scanner.bytes[name.start..name.end];
        let field = self.by_name.get(bytes).copied();
        let is_quoted = name.start == start + 1;
        if is_quoted {
            let quoted = &scanner.bytes[start..=name.end];
            if let Some(index) = self.guesses.iter().position(|guess| *guess.quoted == *quoted) {
                *next = index + 1;
            } else if self.guesses.len() < MAX_GUESSES {
                let at = (*next).min(self.guesses.len());
                self.guesses.insert(at, Guess::new(quoted, field));
                *next = at + 1;
            }
        }
        Ok(field)
    }
}

#[cfg(test)]
mod tests {
    use super::super::options::JsonOptions;
    use super::super::scanner::Grammar;
    use super::*;
    use crate::types::parse_ddl;

    /// The fields of the names of `object`, in order; `None` for a name that the schema does not have.
    fn fields_of(members: &mut Members, object: &str) -> Vec<Option<usize>> {
        let mut scanner = Scanner::new(object.as_bytes(), Grammar::new(&JsonOptions::default()));
        let mut found = Vec::new();
        let mut next = 0;
        scanner.enter().expect("an object");
        let mut more = scanner.first_member().expect("a name");
        while more {
            found.push(members.field(&mut scanner, &mut next).expect("a name"));
            scanner.skip_value().expect("a value");
            more = scanner.next_member().expect("more or the end");
        }
        found
    }

    #[test]
    fn names_are_found_in_any_order_and_shape() {
        let schema = parse_ddl("a INT, b INT, c INT, ab INT", "UTC").expect("a schema");
        let mut members = Members::try_new(schema.fields(), None, "").expect("columns");
        let whole = r#"{"a":1,"b":2,"x":3,"c":4,"ab":5}"#;
        for (object, expected) in [
            (whole, vec![Some(0), Some(1), None, Some(2), Some(3)]),
            (r#"{"a":1,"c":4}"#, vec![Some(0), Some(2)]),
            (r#"{"ab":1, "c" : 4 , "a":1}"#, vec![Some(3), Some(2), Some(0)]),
            (r#"{"y":1,"a":4}"#, vec![None, Some(0)]),
            (r#"{'a':1,"\u0061b":4,"A":1}"#, vec![Some(0), Some(3), None]),
            (r#"{"a":1,"a":2}"#, vec![Some(0), Some(0)]),
            (whole, vec![Some(0), Some(1), None, Some(2), Some(3)]),
            ("{}", vec![]),
        ] {
            assert_eq!(fields_of(&mut members, object), expected, "{object}");
        }
    }

    #[test]
    fn names_that_never_come_again_take_no_room() {
        let schema = parse_ddl("a INT", "UTC").expect("a schema");
        let mut members = Members::try_new(schema.fields(), None, "").expect("columns");
        for n in 0..2 * MAX_GUESSES {
            let found = fields_of(&mut members, &format!(r#"{{"k{n}":1,"a":2}}"#));
            assert_eq!(found, vec![None, Some(0)]);
        }
        assert!(members.guesses.len() <= MAX_GUESSES);
    }
}
