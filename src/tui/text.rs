//! Measuring, cutting and breaking text by the cells that it takes on a screen. Whatever comes out is harmless: the
//! text of data reaches the screen only through here and through [`crate::format::text_table`].

use unicode_segmentation::UnicodeSegmentation;

use crate::format::safe_text;

/// Cells that the text takes.
pub(crate) fn width(text: &str) -> usize {
    safe_text::width(text)
}

/// The text, made harmless, if it fits into `cells`, else its beginning with `ellipsis` at the end.
pub(crate) fn cut(text: &str, cells: usize, ellipsis: &str) -> String {
    safe_text::fit(text, cells, ellipsis).text.into_owned()
}

/// Cut and filled with blanks on the right to exactly `cells`.
pub(crate) fn left(text: &str, cells: usize, ellipsis: &str) -> String {
    let mut text = cut(text, cells, ellipsis);
    text.extend(std::iter::repeat_n(' ', cells.saturating_sub(width(&text))));
    text
}

/// Cut and filled with blanks on the left to exactly `cells`.
pub(crate) fn right(text: &str, cells: usize, ellipsis: &str) -> String {
    let text = cut(text, cells, ellipsis);
    let fill = cells.saturating_sub(width(&text));
    format!("{}{text}", " ".repeat(fill))
}

/// Breaks text into lines of at most `cells`, at blanks where there are some.
pub(crate) fn wrap(text: &str, cells: usize) -> Vec<String> {
    let cells = cells.max(1);
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let paragraph = &*safe_text::clean(paragraph);
        let mut line = String::new();
        for word in paragraph.split_inclusive(' ') {
            if !line.is_empty() && width(&line) + width(word.trim_end()) > cells {
                lines.push(std::mem::take(&mut line).trim_end().to_string());
            }
            let mut rest = word;
            while width(rest) > cells {
                // A word that no line holds: cut where the line ends, at least one grapheme.
                let head = head(rest, cells - width(&line).min(cells - 1));
                line.push_str(head);
                lines.push(std::mem::take(&mut line));
                rest = &rest[head.len()..];
            }
            line.push_str(rest);
        }
        lines.push(line.trim_end().to_string());
    }
    lines
}

/// The longest beginning that fits into `cells`, but at least one grapheme.
fn head(text: &str, cells: usize) -> &str {
    let mut taken = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        taken += width(grapheme);
        if taken > cells && at > 0 {
            return &text[..at];
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cutting_counts_cells_not_characters() {
        assert_eq!(cut("日本語", 6, "…"), "日本語");
        assert_eq!(cut("日本語", 5, "…"), "日本…");
        assert_eq!(cut("日本語", 4, "…"), "日…");
        assert_eq!(cut("e\u{301}e\u{301}e\u{301}", 2, "…"), "e\u{301}…");
        assert_eq!(cut("abc", 0, "…"), "");
        assert_eq!(left("ab", 4, "…"), "ab  ");
        assert_eq!(right("日本語", 4, "…"), " 日…");
    }

    #[test]
    fn wrapping_breaks_at_blanks_and_inside_giants() {
        assert_eq!(wrap("to be or not", 5), ["to be", "or", "not"]);
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrap("a\nb", 9), ["a", "b"]);
    }
}
