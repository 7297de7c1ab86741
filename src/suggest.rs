//! "Did you mean": the nearest of the words that would have been right.

/// The candidate that `word` was most likely meant to be, spelled as the candidate is; `None` if nothing is near.
///
/// Case does not count. Near means at most a third of the word's letters (at least one) inserted, removed,
/// replaced, or swapped with their neighbour. Of equally near candidates the first wins.
pub fn did_you_mean<'a, I>(word: &str, candidates: I) -> Option<String>
where
    I: IntoIterator<Item = &'a str>,
{
    let wanted: Vec<char> = word.to_lowercase().chars().collect();
    let limit = (wanted.len() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| {
            let letters: Vec<char> = candidate.to_lowercase().chars().collect();
            (distance(&wanted, &letters), candidate)
        })
        .filter(|(distance, candidate)| *distance <= limit && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate.to_owned())
}

/// The optimal string alignment distance: Levenshtein's, with a swap of neighbours as one step.
fn distance(left: &[char], right: &[char]) -> usize {
    let mut before_last: Vec<usize> = vec![0; right.len() + 1];
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (row, from) in left.iter().enumerate() {
        let mut current = vec![row + 1; right.len() + 1];
        for (column, to) in right.iter().enumerate() {
            let replaced = last[column] + usize::from(from != to);
            let mut best = replaced.min(last[column + 1] + 1).min(current[column] + 1);
            if row > 0 && column > 0 && *from == right[column - 1] && left[row - 1] == *to {
                best = best.min(before_last[column - 1] + 1);
            }
            current[column + 1] = best;
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suggest(word: &str, candidates: &[&str]) -> Option<String> {
        did_you_mean(word, candidates.iter().copied())
    }

    #[test]
    fn typing_errors_are_seen_through() {
        let known = ["maxFilesPerTrigger", "maxBytesPerTrigger", "path", "latestFirst"];
        for (word, meant) in [
            ("maxFilePerTrigger", "maxFilesPerTrigger"),
            ("MAXFILESPERTRIGER", "maxFilesPerTrigger"),
            ("max_bytes_per_trigger", "maxBytesPerTrigger"),
            ("ptah", "path"),
        ] {
            assert_eq!(suggest(word, &known).as_deref(), Some(meant), "{word}");
        }
    }

    #[test]
    fn far_words_are_not_guessed() {
        assert_eq!(suggest("colour", &["path", "mode"]), None);
        assert_eq!(suggest("a", &["b"]), None, "one letter is no evidence");
        assert_eq!(suggest("", &["b"]), None);
        assert_eq!(suggest("json", &[]), None);
    }

    #[test]
    fn the_nearest_wins_then_the_first() {
        assert_eq!(
            suggest("parkuet", &["parquets", "parquet"]).as_deref(),
            Some("parquet")
        );
        assert_eq!(suggest("bat", &["bar", "baz"]).as_deref(), Some("bar"));
    }

    #[test]
    fn letters_count_not_bytes() {
        assert_eq!(suggest("straßen", &["straße"]).as_deref(), Some("straße"));
        assert_eq!(distance(&['a', 'b'], &['b', 'a']), 1);
        assert_eq!(distance(&[], &['b', 'a']), 2);
    }
}
