//! Words by how well they fit what was typed, for completion.

use std::cmp::Reverse;

use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// The items whose text has the typed letters in their order, the best first: those that begin with them before others.
/// Blanks separate words that are looked for one by one. Without letters every item fits, in the order given.
pub(crate) fn ranked<T>(
    items: impl IntoIterator<Item = T>,
    typed: &str,
    text: impl Fn(&T) -> &str,
) -> Vec<T> {
    let typed = typed.trim();
    if typed.is_empty() {
        return items.into_iter().collect();
    }
    let mut matcher = Matcher::new(Config::DEFAULT);
    let kind = AtomKind::Fuzzy;
    let pattern = Pattern::new(typed, CaseMatching::Ignore, Normalization::Smart, kind);
    let low = typed.to_lowercase();
    let mut letters = Vec::new();
    let mut found: Vec<(bool, u32, T)> = items
        .into_iter()
        .filter_map(|item| {
            let text = text(&item);
            let score = pattern.score(Utf32Str::new(text, &mut letters), &mut matcher)?;
            let begins = text.to_lowercase().starts_with(&low);
            Some((begins, score, item))
        })
        .collect();
    found.sort_by_key(|(begins, score, _)| (Reverse(*begins), Reverse(*score)));
    found.into_iter().map(|(_, _, item)| item).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'a>(words: &[&'a str], typed: &str) -> Vec<&'a str> {
        ranked(words.iter().copied(), typed, |word| word)
    }

    #[test]
    fn beginnings_come_before_letters() {
        let words = ["stop", "start", "restart", "sort"];
        assert_eq!(found(&words, "st"), ["stop", "start", "sort", "restart"]);
        assert_eq!(found(&words, "STT"), ["start", "restart"]);
        assert_eq!(found(&words, ""), words);
        assert_eq!(found(&words, "x"), [] as [&str; 0]);
    }

    #[test]
    fn several_words_fit_in_any_order() {
        let words = ["open orders_by_window", "open revenue_closed", "theme dark"];
        assert_eq!(found(&words, "rev open"), ["open revenue_closed"]);
        assert_eq!(found(&words, "obw"), ["open orders_by_window"]);
    }
}
