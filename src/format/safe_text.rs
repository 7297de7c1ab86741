//! Text of data made harmless for terminals.
//!
//! Data may hold escape sequences, line breaks, direction overrides: whoever prints them hands the terminal to
//! the data. Here they are shown as what they are (`\n`, `\x1b`, `\u{202e}`), and text is measured in columns of
//! the screen: a wide character takes two, a combining mark none. Clean text, the usual kind, is borrowed and
//! never copied. What is cut costs as much as is shown, not as much as there is.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Text that fits, with the columns that it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fitted<'a> {
    /// The text, harmless, with the ellipsis if it was cut.
    pub text: Cow<'a, str>,
    /// The columns that it takes on a screen.
    pub width: usize,
    /// Whether something was left out.
    pub is_cut: bool,
}

/// How much of a text is looked at to fill so many columns: an emoji of joined parts takes about 30 bytes for its
/// two columns, and a longer pile of combining marks on one letter is not worth more.
pub const fn window_bytes(columns: usize) -> usize {
    columns.saturating_mul(32).saturating_add(64)
}

/// Whether a terminal, or the eye, would take this character for something else than text: the C0 and C1
/// controls, DEL, the separators of lines and paragraphs, the embeddings, overrides and isolates of direction.
pub const fn is_harmful(character: char) -> bool {
    matches!(
        character,
        '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

/// The whole text, harmless.
pub fn clean(text: &str) -> Cow<'_, str> {
    if is_plain_ascii(text.as_bytes()) {
        return Cow::Borrowed(text);
    }
    let Some(first) = text.find(is_harmful) else {
        return with_base(Cow::Borrowed(text));
    };
    let mut shown = String::with_capacity(text.len() + 16);
    shown.push_str(&text[..first]);
    for character in text[first..].chars() {
        if is_harmful(character) {
            push_visible(&mut shown, character);
        } else {
            shown.push(character);
        }
    }
    with_base(Cow::Owned(shown))
}

/// The columns that a text takes once it is clean.
pub fn width(text: &str) -> usize {
    if is_plain_ascii(text.as_bytes()) {
        return text.len();
    }
    clean(text)
        .graphemes(true)
        .fold(0, |sum, grapheme| sum + grapheme_width(grapheme))
}

/// The text, harmless, in at most `columns` columns; if it needs more it is cut and ends in `ellipsis`, which
/// is left out where it would not fit itself.
pub fn fit<'a>(text: &'a str, columns: usize, ellipsis: &str) -> Fitted<'a> {
    let bytes = text.as_bytes();
    if bytes.len() <= columns && is_plain_ascii(bytes) {
        return Fitted {
            text: Cow::Borrowed(text),
            width: bytes.len(),
            is_cut: false,
        };
    }
    let ellipsis_width = ellipsis.width();
    let (ellipsis, ellipsis_width) = if ellipsis_width > columns {
        ("", 0)
    } else {
        (ellipsis, ellipsis_width)
    };
    let seen = &text[..text.floor_char_boundary(window_bytes(columns))];
    let goes_on = seen.len() < text.len();
    let seen = clean(seen);

    // `kept` is where the text is cut if it turns out to be too long; how long it is shows only further on.
    let (mut width, mut kept, mut kept_width) = (0, 0, 0);
    let mut is_too_long = goes_on;
    for (at, grapheme) in seen.grapheme_indices(true) {
        let wide = grapheme_width(grapheme);
        if width + wide > columns {
            is_too_long = true;
            break;
        }
        width += wide;
        if width + ellipsis_width <= columns {
            (kept, kept_width) = (at + grapheme.len(), width);
        }
    }
    if !is_too_long {
        return Fitted {
            text: seen,
            width,
            is_cut: false,
        };
    }
    // A character shown as an escape is left out whole: half of `\x1b` says nothing.
    let (kept, kept_width) = whole_escapes(text, &seen, kept, kept_width);
    let mut shown = String::with_capacity(kept + ellipsis.len());
    shown.push_str(&seen[..kept]);
    shown.push_str(ellipsis);
    Fitted {
        text: Cow::Owned(shown),
        width: kept_width + ellipsis_width,
        is_cut: true,
    }
}

/// Appends one harmful character as Spark's `show()` and Rust's literals write it.
fn push_visible(out: &mut String, character: char) {
    match character {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\x07' => out.push_str("\\a"),
        '\x08' => out.push_str("\\b"),
        '\x0b' => out.push_str("\\v"),
        '\x0c' => out.push_str("\\f"),
        // Writing to a String cannot fail.
        '\0'..='\x7f' => drop(write!(out, "\\x{:02x}", u32::from(character))),
        _ => drop(write!(out, "\\u{{{:x}}}", u32::from(character))),
    }
}

/// Where to cut `shown`, the clean form of a beginning of `text`, so that no escape is cut in the middle.
fn whole_escapes(text: &str, shown: &str, kept: usize, kept_width: usize) -> (usize, usize) {
    let has_added_base = shown.starts_with(BASE) && !text.starts_with(BASE);
    let mut at = if has_added_base { BASE.len_utf8() } else { 0 };
    let mut escape = String::new();
    for character in text.chars() {
        let start = at;
        if is_harmful(character) {
            escape.clear();
            push_visible(&mut escape, character);
            at += escape.len();
            if start < kept && kept < at {
                return (start, kept_width - (kept - start));
            }
        } else {
            at += character.len_utf8();
        }
        if at >= kept {
            break;
        }
    }
    (kept, kept_width)
}

/// What a combining mark at the beginning of a text is put on, lest it lands on what stands before the text.
const BASE: char = '\u{25cc}';

fn with_base(text: Cow<'_, str>) -> Cow<'_, str> {
    let starts_with_mark = text
        .chars()
        .next()
        .is_some_and(|first| !first.is_ascii() && unicode_width::UnicodeWidthChar::width(first) == Some(0));
    if starts_with_mark {
        Cow::Owned(format!("{BASE}{text}"))
    } else {
        text
    }
}

fn grapheme_width(grapheme: &str) -> usize {
    grapheme.width()
}

fn is_plain_ascii(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b' '..=b'~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(text: &str, columns: usize) -> (String, usize, bool) {
        let fitted = fit(text, columns, "...");
        assert_eq!(
            width(&fitted.text),
            fitted.width,
            "the width of {:?}",
            fitted.text
        );
        assert!(fitted.width <= columns, "{:?} in {columns} columns", fitted.text);
        (fitted.text.into_owned(), fitted.width, fitted.is_cut)
    }

    #[test]
    fn clean_text_is_borrowed() {
        for text in [
            "",
            "plain text",
            "gr\u{fc}n \u{1f600} \u{4f60}\u{597d}",
            "e\u{301}",
        ] {
            assert!(
                matches!(clean(text), Cow::Borrowed(same) if same == text),
                "{text:?}"
            );
        }
    }

    #[test]
    fn control_characters_are_shown() {
        assert_eq!(clean("a\nb\tc\r"), "a\\nb\\tc\\r");
        assert_eq!(clean("\x1b[31mred\x07\x7f"), "\\x1b[31mred\\a\\x7f");
        assert_eq!(
            clean("a\u{85}\u{9b}b\u{202e}c\u{2066}\u{2028}"),
            "a\\u{85}\\u{9b}b\\u{202e}c\\u{2066}\\u{2028}"
        );
    }

    #[test]
    fn no_character_that_comes_out_is_harmful() {
        for character in (0..=0x2070).filter_map(char::from_u32) {
            let text = format!("a{character}b");
            assert!(!clean(&text).contains(is_harmful), "{character:?}");
            assert!(
                !fit(&text, 2, "\u{2026}").text.contains(is_harmful),
                "{character:?}"
            );
        }
    }

    #[test]
    fn width_counts_columns() {
        assert_eq!(width("abc"), 3);
        assert_eq!(width("\u{4f60}\u{597d}"), 4);
        assert_eq!(width("e\u{301}a\u{308}"), 2);
        assert_eq!(width("\n"), 2);
    }

    #[test]
    fn a_mark_at_the_beginning_gets_something_to_stand_on() {
        assert_eq!(clean("\u{301}a"), "\u{25cc}\u{301}a");
        assert_eq!(width("\u{301}a"), 2);
        assert_eq!(
            fitted("\u{301}abcdef", 5),
            ("\u{25cc}\u{301}a...".into(), 5, true)
        );
    }

    #[test]
    fn text_is_cut_by_columns() {
        assert_eq!(fitted("abcdefgh", 8), ("abcdefgh".into(), 8, false));
        assert_eq!(fitted("abcdefghi", 8), ("abcde...".into(), 8, true));
        assert_eq!(
            fitted("\u{4f60}\u{597d}\u{4f60}\u{597d}", 7),
            ("\u{4f60}\u{597d}...".into(), 7, true)
        );
        assert_eq!(
            fitted("\u{4f60}\u{597d}\u{4f60}\u{597d}", 6),
            ("\u{4f60}...".into(), 5, true)
        );
        assert_eq!(
            fitted("e\u{301}e\u{301}e\u{301}", 3),
            ("e\u{301}e\u{301}e\u{301}".into(), 3, false)
        );
        assert_eq!(fitted("abc", 2), ("ab".into(), 2, true));
        assert_eq!(fitted("abc", 0), (String::new(), 0, true));
        assert_eq!(fitted("", 0), (String::new(), 0, false));
    }

    #[test]
    fn an_escape_is_not_cut_in_the_middle() {
        assert_eq!(fitted("ab\x1b[31m", 8), ("ab...".into(), 5, true));
        assert_eq!(fitted("ab\x1b[31m", 9), ("ab\\x1b...".into(), 9, true));
        assert_eq!(fitted("ab\x1b", 6), ("ab\\x1b".into(), 6, false));
        assert_eq!(fitted("\u{25cc}\n\n\n\n", 6), ("\u{25cc}\\n...".into(), 6, true));
    }

    #[test]
    fn a_pile_of_marks_is_cut_too() {
        let pile = format!("a{}", "\u{301}".repeat(500_000));
        let fitted = fit(&pile, 20, "\u{2026}");
        assert!(fitted.is_cut);
        assert!(fitted.text.len() < 1000, "{} bytes", fitted.text.len());
        assert_eq!(fitted.width, 2);
    }
}
