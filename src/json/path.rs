//! Parts of a JSON text: what `get_json_object`, `json_tuple` and their kin look for.
//!
//! A path is `$` and then `.name`, `['name']`, `[0]`, `[*]`. The walk is Spark's (`JsonPathEvaluator`), which is Hive's:
//! `[*]` gives an array of what it finds, or what it finds alone if that is one thing.

use super::generate::generate;
use super::options::JsonOptions;
use super::scanner::{Grammar, Scan, Scanner};

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
    EveryElement,
    /// `.*`, which finds nothing, as in Spark.
    EveryMember,
}

/// What becomes of what is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// A text is given without quotes.
    Raw,
    Quoted,
    /// The elements of arrays take the array's place.
    Flat,
}

/// A path into a JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPath {
    steps: Vec<Step>,
}

impl JsonPath {
    /// Reads a path; `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text.strip_prefix('$')?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            if let Some(tail) = rest
                .strip_prefix(".*")
                .filter(|tail| tail.is_empty() || tail.starts_with(['.', '[']))
            {
                steps.push(Step::EveryMember);
                rest = tail;
            } else if let Some(tail) = rest.strip_prefix('.') {
                let end = tail.find(['.', '[']).unwrap_or(tail.len());
                if end == 0 {
                    return None;
                }
                steps.push(Step::Name(tail[..end].to_owned()));
                rest = &tail[end..];
            } else if let Some(tail) = rest.strip_prefix("['") {
                let (name, tail) = tail.split_once("']")?;
                if name.is_empty() {
                    return None;
                }
                steps.push(if name == "*" {
                    Step::EveryMember
                } else {
                    Step::Name(name.to_owned())
                });
                rest = tail;
            } else {
                let (index, tail) = rest.strip_prefix('[')?.split_once(']')?;
                steps.push(match index {
                    "*" => Step::EveryElement,
                    digits => Step::Index(digits.parse().ok()?),
                });
                rest = tail;
            }
        }
        Some(Self { steps })
    }

    /// What the path leads to, as text; `None` where there is nothing, or null, or the text is no JSON.
    pub fn find(&self, text: &str) -> Option<String> {
        let mut scanner = scanner(text);
        let mut found = Vec::new();
        scanner.skip_blanks().ok()?;
        if !walk(&mut scanner, &self.steps, Style::Raw, &mut found).ok()? {
            return None;
        }
        String::from_utf8(found.concat()).ok()
    }
}

fn scanner(text: &str) -> Scanner<'_> {
    Scanner::new(text.as_bytes(), Grammar::new(&JsonOptions::default()))
}

/// Takes a value, appends what the steps find in it, and tells whether that is anything.
fn walk(scanner: &mut Scanner<'_>, steps: &[Step], style: Style, found: &mut Vec<Vec<u8>>) -> Scan<bool> {
    let byte = scanner.skip_blanks()?;
    match (byte, steps) {
        (quote, []) if scanner.is_quote(quote) && style == Style::Raw => {
            let text = scanner.text()?;
            let mut plain = Vec::new();
            scanner.unescape(text, &mut plain)?;
            found.push(plain);
            Ok(true)
        }
        (b'[', []) if style == Style::Flat => {
            elements(scanner, |scanner, _| walk(scanner, &[], style, found))
        }
        (_, []) => {
            let start = scanner.skip_value()?;
            let mut copy = Vec::new();
            generate(scanner, start, &mut copy)?;
            found.push(copy);
            Ok(true)
        }
        (b'{', [Step::Name(wanted), rest @ ..]) => {
            let mut is_found = false;
            members(scanner, |scanner, name| {
                if is_found || name != wanted.as_bytes() || scanner.skip_blanks()? == b'n' {
                    scanner.skip_value()?;
                } else {
                    is_found = walk(scanner, rest, style, found)?;
                }
                Ok(())
            })?;
            Ok(is_found)
        }
        (b'[', [Step::EveryElement, Step::EveryElement, rest @ ..]) => {
            let mut inner = Vec::new();
            let any = elements(scanner, |scanner, _| walk(scanner, rest, Style::Flat, &mut inner))?;
            found.push(array(&inner));
            Ok(any)
        }
        (b'[', [Step::EveryElement, rest @ ..]) => {
            let mut inner = Vec::new();
            let mut count = 0;
            let inner_style = if style == Style::Flat {
                Style::Flat
            } else {
                Style::Quoted
            };
            elements(scanner, |scanner, _| {
                let any = walk(scanner, rest, inner_style, &mut inner)?;
                count += usize::from(any);
                Ok(any)
            })?;
            if style == Style::Quoted || count > 1 {
                found.push(array(&inner));
            } else if count == 1 {
                found.push(inner.join(&b','));
            }
            Ok(count > 0)
        }
        (b'[', [Step::Index(wanted), rest @ ..]) => {
            let style = if matches!(rest, [Step::EveryElement, ..]) {
                Style::Quoted
            } else {
                style
            };
            elements(scanner, |scanner, index| {
                if index == *wanted {
                    return walk(scanner, rest, style, found);
                }
                scanner.skip_value()?;
                Ok(false)
            })
        }
        _ => {
            scanner.skip_value()?;
            Ok(false)
        }
    }
}

fn array(items: &[Vec<u8>]) -> Vec<u8> {
    let mut array = vec![b'['];
    array.extend(items.join(&b','));
    array.push(b']');
    array
}

/// Takes an array; `element` takes each element. Tells whether one of them said true.
fn elements(
    scanner: &mut Scanner<'_>,
    mut element: impl FnMut(&mut Scanner<'_>, usize) -> Scan<bool>,
) -> Scan<bool> {
    let (mut any, mut index) = (false, 0);
    scanner.enter()?;
    let mut more = scanner.first_element()?;
    while more {
        any |= element(scanner, index)?;
        index += 1;
        more = scanner.next_element()?;
    }
    Ok(any)
}

/// Takes an object; `member` takes each value behind its name.
fn members(
    scanner: &mut Scanner<'_>,
    mut member: impl FnMut(&mut Scanner<'_>, &[u8]) -> Scan<()>,
) -> Scan<()> {
    let mut name = Vec::new();
    scanner.enter()?;
    let mut more = scanner.first_member()?;
    while more {
        let text = scanner.name()?;
        name.clear();
        scanner.unescape(text, &mut name)?;
        member(scanner, &name)?;
        more = scanner.next_member()?;
    }
    Ok(())
}

/// The members of an object that have these names, as text; none where the text is no object.
pub fn tuple(text: &str, names: &[&str]) -> Vec<Option<String>> {
    let nothing = vec![None; names.len()];
    let mut found = nothing.clone();
    let mut scanner = scanner(text);
    if scanner.skip_blanks() != Ok(b'{') {
        return nothing;
    }
    let walked = members(&mut scanner, |scanner, name| {
        if !names.iter().any(|wanted| wanted.as_bytes() == name) || scanner.skip_blanks()? == b'n' {
            return scanner.skip_value().map(drop);
        }
        let mut value = Vec::new();
        walk(scanner, &[], Style::Raw, &mut value)?;
        let value = String::from_utf8(value.concat()).ok();
        for (slot, wanted) in found.iter_mut().zip(names) {
            if wanted.as_bytes() == name {
                slot.clone_from(&value);
            }
        }
        Ok(())
    });
    if walked.is_ok() { found } else { nothing }
}

/// How many elements an array has; `None` where the text is none.
pub fn array_length(text: &str) -> Option<usize> {
    let mut scanner = scanner(text);
    if scanner.skip_blanks().ok()? != b'[' {
        return None;
    }
    let mut length = 0;
    elements(&mut scanner, |scanner, _| {
        length += 1;
        scanner.skip_value().map(|_| true)
    })
    .ok()?;
    Some(length)
}

/// The names of an object's members; `None` where the text is no object.
pub fn object_keys(text: &str) -> Option<Vec<String>> {
    let mut scanner = scanner(text);
    if scanner.skip_blanks().ok()? != b'{' {
        return None;
    }
    let mut keys = Vec::new();
    members(&mut scanner, |scanner, name| {
        keys.push(String::from_utf8_lossy(name).into_owned());
        scanner.skip_value().map(drop)
    })
    .ok()?;
    Some(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(text: &str, path: &str) -> Option<String> {
        JsonPath::parse(path)?.find(text)
    }

    #[test]
    fn paths_are_read_or_refused() {
        for path in ["$", "$.a", "$['a b'][0].c[*]", "$.a.*", "$[*][*]"] {
            assert!(JsonPath::parse(path).is_some(), "{path}");
        }
        for path in ["", "a", "$a", "$.", "$[", "$[x]", "$[-1]", "$['']", "$.a..b"] {
            assert!(JsonPath::parse(path).is_none(), "{path}");
        }
    }

    #[test]
    fn stars_give_arrays_or_the_one_thing() {
        let text = r#"{"a":[{"b":"x"},{"c":1},{"b":[2,3]}],"d":[[1,2],[3]]}"#;
        assert_eq!(find(text, "$.a[*].b").as_deref(), Some(r#"["x",[2,3]]"#));
        assert_eq!(find(text, "$.a[*].c").as_deref(), Some("1"));
        assert_eq!(find(text, "$.a[0].b").as_deref(), Some("x"));
        assert_eq!(find(text, "$.d[*][*]").as_deref(), Some("[1,2,3]"));
        assert_eq!(find(text, "$.a[7]"), None);
    }

    #[test]
    fn what_is_no_json_has_no_parts() {
        assert_eq!(find(r#"{"a":1"#, "$.a"), None);
        assert_eq!(find("", "$"), None);
        assert_eq!(tuple("[1]", &["a"]), [None]);
        assert_eq!(array_length("[1,2"), None);
        assert_eq!(object_keys("1"), None);
    }
}
