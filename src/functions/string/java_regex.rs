//! Java's regular expressions, as far as Spark's users write them.
//!
//! A pattern is rewritten where Java means something else by the same letters (`\d`, `\w`, `\s` and `\b` are of ASCII,
//! `\Q...\E` quotes, POSIX classes have other names) and compiled by `regex`; what that one lacks, look-around,
//! back-references and possessive quantifiers, goes to `fancy_regex`.

use datafusion::common::{Result, exec_datafusion_err, exec_err};

/// A compiled pattern.
#[derive(Debug)]
pub(crate) enum JavaRegex {
    Plain(regex::Regex),
    Fancy(Box<fancy_regex::Regex>),
}

/// Where the groups of a match are; the first is all of it.
pub(crate) type Groups = Vec<Option<(usize, usize)>>;

impl JavaRegex {
    /// Compiles a pattern.
    pub(crate) fn try_new(pattern: &str) -> Result<Self> {
        let translated = translate(pattern);
        if let Ok(regex) = regex::Regex::new(&translated) {
            return Ok(Self::Plain(regex));
        }
        match fancy_regex::Regex::new(&translated) {
            Ok(regex) => Ok(Self::Fancy(Box::new(regex))),
            Err(error) => exec_err!("'{pattern}' is no regular expression: {error}"),
        }
    }

    /// How many groups the pattern has, besides the whole.
    pub(crate) fn group_count(&self) -> usize {
        match self {
            Self::Plain(regex) => regex.captures_len() - 1,
            Self::Fancy(regex) => regex.captures_len() - 1,
        }
    }

    /// The number of the group with a name.
    fn group_named(&self, name: &str) -> Option<usize> {
        match self {
            Self::Plain(regex) => regex.capture_names().position(|known| known == Some(name)),
            Self::Fancy(regex) => regex.capture_names().position(|known| known == Some(name)),
        }
    }

    /// Whether the pattern is found in the text.
    pub(crate) fn is_match(&self, text: &str) -> Result<bool> {
        match self {
            Self::Plain(regex) => Ok(regex.is_match(text)),
            Self::Fancy(regex) => regex.is_match(text).map_err(|error| too_hard(&error)),
        }
    }

    /// Calls `found` with each match, until it says to stop.
    pub(crate) fn each(&self, text: &str, mut found: impl FnMut(usize, usize) -> bool) -> Result<()> {
        match self {
            Self::Plain(regex) => {
                for at in regex.find_iter(text) {
                    if !found(at.start(), at.end()) {
                        break;
                    }
                }
            }
            Self::Fancy(regex) => {
                for at in regex.find_iter(text) {
                    let at = at.map_err(|error| too_hard(&error))?;
                    if !found(at.start(), at.end()) {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// Calls `found` with the groups of each match from the byte `start` on, until it says to stop.
    pub(crate) fn each_groups(
        &self,
        text: &str,
        start: usize,
        mut found: impl FnMut(&Groups) -> bool,
    ) -> Result<()> {
        match self {
            Self::Plain(regex) => {
                for captures in regex.captures_iter(text) {
                    let groups: Groups = captures
                        .iter()
                        .map(|group| group.map(|group| (group.start(), group.end())))
                        .collect();
                    if groups[0].is_some_and(|(at, _)| at >= start) && !found(&groups) {
                        break;
                    }
                }
            }
            Self::Fancy(regex) => {
                for captures in regex.captures_iter(text) {
                    let captures = captures.map_err(|error| too_hard(&error))?;
                    let groups: Groups = captures
                        .iter()
                        .map(|group| group.map(|group| (group.start(), group.end())))
                        .collect();
                    if groups[0].is_some_and(|(at, _)| at >= start) && !found(&groups) {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// Replaces every match from the byte `start` on, as `Matcher.replaceAll` does.
    pub(crate) fn replace_all(&self, text: &str, replacement: &Replacement, start: usize) -> Result<String> {
        let mut out = String::with_capacity(text.len());
        let mut done = 0;
        self.each_groups(text, start, |groups| {
            if let Some((from, to)) = groups[0] {
                out.push_str(&text[done..from]);
                replacement.push(text, groups, &mut out);
                done = to;
            }
            true
        })?;
        out.push_str(&text[done..]);
        Ok(out)
    }
}

fn too_hard(error: &fancy_regex::Error) -> datafusion::error::DataFusionError {
    exec_datafusion_err!("a regular expression gave up: {error}")
}

/// The replacement of `regexp_replace`, where `$1`, `${name}` and `\$` mean what they do in Java.
#[derive(Debug)]
pub(crate) struct Replacement {
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Text(String),
    Group(usize),
}

impl Replacement {
    /// Reads a replacement for the matches of `regex`.
    pub(crate) fn try_new(text: &str, regex: &JavaRegex) -> Result<Self> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => match letters.next() {
                    Some(letter) => plain.push(letter),
                    None => return exec_err!("the replacement '{text}' ends with a backslash"),
                },
                '$' => {
                    if !plain.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut plain)));
                    }
                    let group = if letters.next_if_eq(&'{').is_some() {
                        let name: String = letters.by_ref().take_while(|letter| *letter != '}').collect();
                        regex.group_named(&name)
                    } else {
                        let mut group = None;
                        while let Some(digit) = letters.peek().and_then(|letter| letter.to_digit(10)) {
                            // More digits belong to the number as long as there is such a group.
                            let longer = group.unwrap_or(0) * 10 + digit as usize;
                            if group.is_some() && longer > regex.group_count() {
                                break;
                            }
                            group = Some(longer);
                            letters.next();
                        }
                        group.filter(|group| *group <= regex.group_count())
                    };
                    match group {
                        Some(group) => parts.push(Part::Group(group)),
                        None => return exec_err!("the replacement '{text}' names a group that is not there"),
                    }
                }
                other => plain.push(other),
            }
        }
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self { parts })
    }

    fn push(&self, text: &str, groups: &Groups, out: &mut String) {
        for part in &self.parts {
            match part {
                Part::Text(plain) => out.push_str(plain),
                Part::Group(group) => {
                    if let Some((from, to)) = groups[*group] {
                        out.push_str(&text[from..to]);
                    }
                }
            }
        }
    }
}

/// Rewrites what means something else in Java.
fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern;
    // How many brackets are around.
    let mut classes = 0;
    while let Some(letter) = rest.chars().next() {
        if letter == '\\' {
            rest = escape(&rest[1..], classes > 0, &mut out);
            continue;
        }
        match letter {
            '[' => {
                classes += 1;
                out.push('[');
                rest = &rest[1..];
                // A caret, and a bracket behind it, are plain.
                if let Some(tail) = rest.strip_prefix('^') {
                    out.push('^');
                    rest = tail;
                }
                if let Some(tail) = rest.strip_prefix(']') {
                    out.push_str("\\]");
                    rest = tail;
                }
                continue;
            }
            ']' if classes > 0 => classes -= 1,
            _ => {}
        }
        out.push(letter);
        rest = &rest[letter.len_utf8()..];
    }
    out
}

/// Translates what follows a backslash, and gives what follows that.
fn escape<'p>(rest: &'p str, in_class: bool, out: &mut String) -> &'p str {
    let Some(letter) = rest.chars().next() else {
        out.push('\\');
        return rest;
    };
    let tail = &rest[letter.len_utf8()..];
    let ascii = match letter {
        'd' => Some("0-9"),
        'w' => Some("a-zA-Z0-9_"),
        's' => Some(" \\t\\n\\x0B\\f\\r"),
        'h' => Some(" \\t\\u{A0}\\u{1680}\\u{180e}\\u{2000}-\\u{200a}\\u{202f}\\u{205f}\\u{3000}"),
        _ => None,
    };
    if let Some(class) = ascii {
        if in_class {
            out.push_str(class);
            // What would be a range from the class on is a hyphen.
            if let Some(after) = tail.strip_prefix('-') {
                out.push_str("\\-");
                return after;
            }
        } else {
            out.extend(["[", class, "]"]);
        }
        return tail;
    }
    match letter {
        'D' => out.push_str("[^0-9]"),
        'W' => out.push_str("[^a-zA-Z0-9_]"),
        'S' => out.push_str("[^ \\t\\n\\x0B\\f\\r]"),
        'b' if !in_class => out.push_str("(?-u:\\b)"),
        'Z' => out.push_str("\\n?\\z"),
        'e' => out.push_str("\\x1B"),
        'R' => out.push_str("(?:\\r\\n|[\\n\\x0B\\f\\r\\u{85}\\u{2028}\\u{2029}])"),
        'Q' => {
            let (quoted, after) = tail.split_once("\\E").unwrap_or((tail, ""));
            out.push_str(&regex::escape(quoted));
            return after;
        }
        'p' | 'P' => {
            if let Some((name, after)) = tail.strip_prefix('{').and_then(|tail| tail.split_once('}')) {
                let negated = letter == 'P';
                if let Some(class) = posix(name) {
                    out.extend([if negated { "[^" } else { "[" }, class, "]"]);
                } else {
                    let name = name.strip_prefix("Is").unwrap_or(name);
                    out.extend([if negated { "\\P{" } else { "\\p{" }, name, "}"]);
                }
                return after;
            }
            out.extend(['\\', letter]);
        }
        // In Java any other sign may be escaped, needed or not.
        letter if letter.is_ascii_alphanumeric() => out.extend(['\\', letter]),
        letter => {
            let mut one = [0; 4];
            out.push_str(&regex::escape(letter.encode_utf8(&mut one)));
        }
    }
    tail
}

/// Java's classes of ASCII.
fn posix(name: &str) -> Option<&'static str> {
    Some(match name {
        "Lower" => "a-z",
        "Upper" => "A-Z",
        "ASCII" => "\\x00-\\x7F",
        "Alpha" => "a-zA-Z",
        "Digit" => "0-9",
        "Alnum" => "a-zA-Z0-9",
        "Punct" => "!-/:-@\\[-`{-~",
        "Graph" => "!-~",
        "Print" => " -~",
        "Blank" => " \\t",
        "Cntrl" => "\\x00-\\x1F\\x7F",
        "XDigit" => "0-9a-fA-F",
        "Space" => " \\t\\n\\x0B\\f\\r",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pattern: &str, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        let regex = JavaRegex::try_new(pattern).expect(pattern);
        regex
            .each(text, |from, to| {
                found.push(text[from..to].to_owned());
                true
            })
            .expect("is not too hard");
        found
    }

    #[test]
    fn classes_are_of_ascii() {
        assert_eq!(found(r"\d+", "12 ٣"), ["12"]);
        assert_eq!(found(r"[\w-]+", "a-b é"), ["a-b"]);
        assert_eq!(found(r"\p{Punct}", "a!"), ["!"]);
        assert_eq!(found(r"[^\s,]+", "a, b"), ["a", "b"]);
    }

    #[test]
    fn quotes_brackets_and_escapes() {
        assert_eq!(found(r"\Q.*\E", "a.*"), [".*"]);
        assert_eq!(found(r"[]]", "a]"), ["]"]);
        assert_eq!(found(r"\-\.\/", "-./"), ["-./"]);
    }

    #[test]
    fn what_the_fast_engine_lacks_is_there() {
        assert_eq!(found(r"(?<=a)b", "ab b"), ["b"]);
        assert_eq!(found(r"(\w)\1", "abb"), ["bb"]);
    }

    #[test]
    fn replacements_take_groups_and_escapes() {
        let regex = JavaRegex::try_new("(?<x>a)(b)").expect("a pattern");
        let replace = |text: &str| {
            let replacement = Replacement::try_new(text, &regex)?;
            regex.replace_all("-ab-", &replacement, 0)
        };
        assert_eq!(replace(r"$2${x}\$$12").expect("groups"), "-ba$a2-");
        assert!(replace("$3").is_err());
        assert!(replace("\\").is_err());
    }

    #[test]
    fn a_wrong_pattern_is_named() {
        let error = JavaRegex::try_new("(a").expect_err("no pattern");
        assert!(error.to_string().contains("'(a'"), "{error}");
    }
}
