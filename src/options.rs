//! What stands in `OPTIONS (...)`: names and texts, read through typed getters.
//!
//! Names are Spark's and their case does not count; order and spelling are kept for showing them again. A value
//! may refer to the environment, `'${KAFKA_PASSWORD}'`: the reference is what is kept and shown, and it is looked
//! up only when a getter reads the option. Every error names the option and stands at the option's place.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, Position, Result};
use crate::suggest::did_you_mean;

/// Parts of a name that make its value a secret.
const SECRET_WORDS: [&str; 5] = ["password", "secret", "token", "credential", "sasl.jaas"];

/// Tells the value of an environment variable.
pub type Lookup = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// One option as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionEntry {
    /// The name, in the user's spelling.
    pub name: String,
    /// The value, references to the environment unresolved.
    pub value: String,
    /// Where the option stands, if it came from a statement.
    pub position: Option<Position>,
}

/// The options of one stream, table or sink.
#[derive(Clone)]
pub struct Options {
    entries: Vec<OptionEntry>,
    lookup: Lookup,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            lookup: Arc::new(|name| std::env::var(name).ok()),
        }
    }
}

impl PartialEq for Options {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
    }
}

impl fmt::Debug for Options {
    /// Shows no secret: debug output ends up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.masked()).finish()
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Options {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut options = Self::default();
        for (name, value) in pairs {
            options.set(name, value);
        }
        options
    }
}

impl Options {
    /// No options yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks environment variables up in `lookup` instead of the process's environment.
    #[must_use]
    pub fn with_lookup(mut self, lookup: Lookup) -> Self {
        self.lookup = lookup;
        self
    }

    /// Sets an option, in place of an earlier one of the same name: the builder's `.option(name, value)`.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let entry = OptionEntry {
            name: name.into(),
            value: value.into(),
            position: None,
        };
        match self
            .entries
            .iter_mut()
            .find(|old| old.name.eq_ignore_ascii_case(&entry.name))
        {
            Some(old) => *old = entry,
            None => self.entries.push(entry),
        }
    }

    /// Adds an option of a statement.
    ///
    /// # Errors
    /// `Statement` if the name is there already.
    pub fn add(
        &mut self,
        name: impl Into<String>,
        value: impl Into<String>,
        position: Position,
    ) -> Result<()> {
        let name = name.into();
        if self.entry(&name).is_some() {
            return Err(Error::statement(format!("option \"{name}\" is given twice"))
                .hint("Keep one of them; the case of a name does not count.")
                .at(position));
        }
        self.entries.push(OptionEntry {
            name,
            value: value.into(),
            position: Some(position),
        });
        Ok(())
    }

    /// All options in the order in which they were given.
    pub fn entries(&self) -> &[OptionEntry] {
        &self.entries
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether an option of this name was given.
    pub fn contains(&self, name: &str) -> bool {
        self.entry(name).is_some()
    }

    /// Where an option stands, for errors that a caller finds in its value.
    pub fn position(&self, name: &str) -> Option<Position> {
        self.entry(name).and_then(|entry| entry.position)
    }

    /// Refuses an option that is not in `known`, with the nearest name and the list. `owner` is who takes them: `json`.
    ///
    /// # Errors
    /// `Statement`, at the place of the first unknown option.
    pub fn check_known(&self, owner: &str, known: &[&str]) -> Result<()> {
        let is_known = |name: &str| known.iter().any(|known| known.eq_ignore_ascii_case(name));
        let Some(entry) = self.entries.iter().find(|entry| !is_known(&entry.name)) else {
            return Ok(());
        };
        let guess = did_you_mean(&entry.name, known.iter().copied())
            .map(|name| format!("Did you mean \"{name}\"? "))
            .unwrap_or_default();
        let list = if known.is_empty() {
            format!("{owner} takes no options.")
        } else {
            format!("{owner} takes {}.", known.join(", "))
        };
        let error = Error::statement(format!("{owner} has no option \"{}\"", entry.name));
        Err(entry.place(error.hint(guess + &list)))
    }

    /// The text of an option, references to the environment resolved.
    ///
    /// # Errors
    /// `Statement` if the value refers to a variable that is not set.
    pub fn string(&self, name: &str) -> Result<Option<String>> {
        self.entry(name).map(|entry| self.resolve(entry)).transpose()
    }

    /// A path of this machine; `None` also for an empty text.
    ///
    /// # Errors
    /// `Statement` if it is a URL of another machine.
    pub fn path(&self, name: &str) -> Result<Option<PathBuf>> {
        let Some(entry) = self.entry(name) else {
            return Ok(None);
        };
        let text = self.resolve(entry)?;
        let path = local_path(&text).map_err(|error| entry.place(error))?;
        Ok((!path.trim().is_empty()).then(|| PathBuf::from(path)))
    }

    /// A whole number from 0 on.
    ///
    /// # Errors
    /// `Statement` if the value is anything else.
    pub fn u64(&self, name: &str) -> Result<Option<u64>> {
        self.parse(name, "a whole number from 0 on", |text| text.parse().ok())
    }

    /// A whole number from 1 on.
    ///
    /// # Errors
    /// `Statement` if the value is anything else.
    pub fn positive(&self, name: &str) -> Result<Option<u64>> {
        self.parse(name, "a whole number from 1 on", |text| {
            text.parse().ok().filter(|number| *number > 0)
        })
    }

    /// `true` or `false`, in any case.
    ///
    /// # Errors
    /// `Statement` if the value is anything else.
    pub fn bool(&self, name: &str) -> Result<Option<bool>> {
        self.parse(name, "true or false", |text| {
            match text.to_ascii_lowercase().as_str() {
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            }
        })
    }

    /// A length of time as [`parse_duration`] reads it.
    ///
    /// # Errors
    /// `Statement` if the value is anything else.
    pub fn duration(&self, name: &str) -> Result<Option<Duration>> {
        self.parse(
            name,
            "a length of time such as '10 seconds', '1 minute' or '500ms'",
            parse_duration,
        )
    }

    /// One of a few words, in any case; gives back the word as it stands in `allowed`.
    ///
    /// # Errors
    /// `Statement` if the value is anything else.
    pub fn one_of<'a>(&self, name: &str, allowed: &[&'a str]) -> Result<Option<&'a str>> {
        self.parse(name, &format!("one of {}", allowed.join(", ")), |text| {
            allowed
                .iter()
                .copied()
                .find(|word| word.eq_ignore_ascii_case(text))
        })
    }

    /// Reads an option with a function that gives `None` for a value that is wrong; `allowed` says what would be right.
    ///
    /// # Errors
    /// `Statement` if the function gave `None`.
    pub fn parse<T>(
        &self,
        name: &str,
        allowed: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>> {
        let Some(entry) = self.entry(name) else {
            return Ok(None);
        };
        let text = self.resolve(entry)?;
        match read(text.trim()) {
            Some(value) => Ok(Some(value)),
            None => Err(entry.place(
                Error::statement(format!(
                    "option \"{}\" cannot be '{}'",
                    entry.name,
                    entry.masked_value()
                ))
                .hint(format!("Write {allowed}.")),
            )),
        }
    }

    /// Names and values as they may be shown: a secret that is written out is `***`, a reference stands as it is.
    pub fn masked(&self) -> Vec<(&str, &str)> {
        self.entries
            .iter()
            .map(|entry| (entry.name.as_str(), entry.masked_value()))
            .collect()
    }

    fn entry(&self, name: &str) -> Option<&OptionEntry> {
        self.entries
            .iter()
            .find(|entry| entry.name.eq_ignore_ascii_case(name))
    }

    fn resolve(&self, entry: &OptionEntry) -> Result<String> {
        let mut resolved = String::with_capacity(entry.value.len());
        let mut rest = entry.value.as_str();
        while let Some((before, variable, after)) = next_reference(rest) {
            resolved.push_str(before);
            let value = (self.lookup)(variable).ok_or_else(|| {
                entry.place(
                    Error::statement(format!(
                        "option \"{}\" refers to the environment variable \"{variable}\", which is not set",
                        entry.name
                    ))
                    .hint(format!("Set {variable} before starting Highwater.")),
                )
            })?;
            resolved.push_str(&value);
            rest = after;
        }
        resolved.push_str(rest);
        Ok(resolved)
    }
}

impl OptionEntry {
    /// The value as it may be shown: `***` for a secret that is written out, wholly or in part.
    pub fn masked_value(&self) -> &str {
        let name = self.name.to_ascii_lowercase();
        let secret = SECRET_WORDS.iter().any(|word| name.contains(word));
        let is_reference = matches!(next_reference(&self.value), Some(("", _, "")));
        if secret && !is_reference {
            "***"
        } else {
            &self.value
        }
    }

    fn place(&self, error: Error) -> Error {
        match self.position {
            Some(position) => error.at(position),
            None => error,
        }
    }
}

/// Splits at the first `${NAME}`: what stands before it, the name, what stands behind it.
fn next_reference(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(found) = text[from..].find("${") {
        let start = from + found;
        let name = &text[start + 2..];
        let length = name
            .find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
            .unwrap_or(name.len());
        let is_name = length > 0 && !name.starts_with(|letter: char| letter.is_ascii_digit());
        if is_name && name[length..].starts_with('}') {
            return Some((&text[..start], &name[..length], &name[length + 1..]));
        }
        from = start + 2;
    }
    None
}

/// Takes Spark's `file:` off a URL and refuses what is not of this machine.
fn local_path(path: &str) -> Result<&str> {
    if let Some(rest) = path.strip_prefix("file:") {
        return Ok(rest.strip_prefix("//").unwrap_or(rest));
    }
    match path.split_once("://") {
        Some((scheme, _)) => Err(Error::statement(format!(
            "\"{scheme}:\" paths are not of this machine: {path}"
        ))
        .hint("Give a local path, or a file: URL.")),
        None => Ok(path),
    }
}

/// A length of time as Spark writes it: `10 seconds`, `1 minute 30 seconds`, `interval 2 hours`, `500ms`, `1.5s`.
/// `None` for anything else, a number without a unit and a negative length included.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let lower = text.trim().to_ascii_lowercase();
    let mut rest = lower.strip_prefix("interval ").unwrap_or(&lower).trim_start();
    let mut total = Duration::ZERO;
    let mut parts = 0;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let tail = tail.trim_start();
        let letters = tail
            .find(|c: char| !c.is_ascii_alphabetic() && c != 'µ')
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        total = total.checked_add(scale(number, unit_nanos(unit)?)?)?;
        rest = tail.trim_start();
        parts += 1;
    }
    (parts > 0).then_some(total)
}

fn unit_nanos(unit: &str) -> Option<u64> {
    const MICROSECOND: u64 = 1_000;
    const SECOND: u64 = 1_000_000_000;
    Some(match unit {
        "us" | "µs" | "microsecond" | "microseconds" => MICROSECOND,
        "ms" | "msec" | "millisecond" | "milliseconds" => 1_000 * MICROSECOND,
        "s" | "sec" | "secs" | "second" | "seconds" => SECOND,
        "m" | "min" | "mins" | "minute" | "minutes" => 60 * SECOND,
        "h" | "hour" | "hours" => 3_600 * SECOND,
        "d" | "day" | "days" => 86_400 * SECOND,
        "week" | "weeks" => 7 * 86_400 * SECOND,
        _ => return None,
    })
}

/// `number` units of `nanos`, exactly: the fraction is scaled as digits, never as a float.
fn scale(number: &str, nanos: u64) -> Option<Duration> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.len() > 9 || fraction.contains('.') {
        return None;
    }
    let whole = whole.parse::<u128>().ok()?.checked_mul(u128::from(nanos))?;
    let digits = u32::try_from(fraction.len()).ok()?;
    let part = fraction.parse::<u128>().ok()? * u128::from(nanos) / 10_u128.pow(digits);
    let total = whole.checked_add(part)?;
    let seconds = u64::try_from(total / 1_000_000_000).ok()?;
    Some(Duration::new(seconds, u32::try_from(total % 1_000_000_000).ok()?))
}

#[cfg(test)]
mod tests;
