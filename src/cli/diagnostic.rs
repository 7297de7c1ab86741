//! Errors with the place in the script that they mean.
//!
//! ```text
//! error: column "ts" has no watermark
//!  --> pipeline.sql:3:12
//!   |
//! 3 | GROUP BY window(ts, '1 hour')
//!   |                 ^
//! because: append mode emits a window when the watermark has passed it
//! hint: Declare WATERMARK ts DELAY OF ... in CREATE STREAM events.
//! ```

use std::fmt::Write as _;

use super::script::Script;
use crate::engine::snapshot::ErrorReport;
use crate::error::Position;
use crate::format::safe_text;

/// A source line wider than this is shown in part.
const MAX_LINE_CHARACTERS: usize = 100;
/// How much of a wide line is shown before the place.
const CHARACTERS_BEFORE: usize = 60;

/// The lines of an error, harmless for a terminal, the last one ended.
pub(super) fn render(report: &ErrorReport, script: Option<&Script>) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail, here and below.
    let _ = writeln!(out, "error: {}", clean_lines(&report.message));
    if let (Some(position), Some(script)) = (report.position, script) {
        push_place(&mut out, position, script);
    }
    for cause in &report.causes {
        let _ = writeln!(out, "because: {}", clean_lines(cause));
    }
    if let Some(hint) = &report.hint {
        let _ = writeln!(out, "hint: {}", clean_lines(hint));
    }
    out
}

fn push_place(out: &mut String, position: Position, script: &Script) {
    let Position { line, column } = position;
    let name = script.name();
    let _ = writeln!(out, " --> {}:{line}:{column}", safe_text::clean(&name));
    let at = |number: u64| usize::try_from(number).ok()?.checked_sub(1);
    let (Some(text), Some(column)) = (at(line).and_then(|at| script.sql.lines().nth(at)), at(column)) else {
        return;
    };
    let characters: Vec<char> = text
        .chars()
        .map(|character| if character == '\t' { ' ' } else { character })
        .collect();
    let column = column.min(characters.len());
    let (start, end) = if characters.len() > MAX_LINE_CHARACTERS {
        let start = column.saturating_sub(CHARACTERS_BEFORE);
        (start, (start + MAX_LINE_CHARACTERS).min(characters.len()))
    } else {
        (0, characters.len())
    };
    let before: String = characters[start..column].iter().collect();
    let after: String = characters[column..end].iter().collect();
    let lead = if start > 0 { "... " } else { "" };
    let trail = if end < characters.len() { " ..." } else { "" };
    let number = line.to_string();
    let gutter = " ".repeat(number.len());
    let shown = format!(
        "{lead}{}{}{trail}",
        safe_text::clean(&before),
        safe_text::clean(&after)
    );
    let indent = " ".repeat(lead.len() + safe_text::width(&before));
    let _ = writeln!(
        out,
        "{gutter} |\n{number} | {}\n{gutter} | {indent}^",
        shown.trim_end()
    );
}

/// Messages may have several lines, a plan's for instance; each is harmless, and those after the first are indented.
pub(super) fn clean_lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(safe_text::clean).collect();
    lines.join("\n  ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    fn script(sql: &str) -> Script {
        Script {
            sql: sql.into(),
            origin: Some("pipeline.sql".into()),
        }
    }

    fn rendered(error: &Error, script: &Script) -> String {
        render(&ErrorReport::from(error), Some(script))
    }

    #[test]
    fn an_error_points_at_its_place() {
        let error = Error::statement("there is no column \"tz\"")
            .hint("Did you mean \"ts\"?")
            .at(Position { line: 2, column: 10 })
            .caused_by(std::io::Error::other("planning\nfailed"));
        assert_eq!(
            rendered(&error, &script("SELECT *\n\tFROM t, tz\n;")),
            "\
error: there is no column \"tz\"
 --> pipeline.sql:2:10
  |
2 |  FROM t, tz
  |          ^
because: planning
  failed
hint: Did you mean \"ts\"?
"
        );
    }

    #[test]
    fn a_place_behind_wide_characters_and_escapes_is_met() {
        let error = Error::statement("no").at(Position { line: 1, column: 4 });
        let text = rendered(&error, &script("\u{4f60}\x1b\u{597d}x"));
        assert!(
            text.ends_with("1 | \u{4f60}\\x1b\u{597d}x\n  |         ^\n"),
            "{text}"
        );
    }

    #[test]
    fn a_wide_line_is_shown_in_part() {
        let sql = format!("{}!{}", "a".repeat(500), "b".repeat(500));
        let error = Error::statement("no").at(Position { line: 1, column: 501 });
        let text = rendered(&error, &script(&sql));
        let lines: Vec<&str> = text.lines().collect();
        let caret = lines[4]
            .chars()
            .position(|character| character == '^')
            .expect("a caret");
        assert_eq!(lines[3].chars().nth(caret), Some('!'), "{text}");
        assert!(
            lines[3].len() < 120 && lines[3].contains("| ... a") && lines[3].ends_with("b ..."),
            "{text}"
        );
    }

    #[test]
    fn a_place_beyond_the_text_is_named_all_the_same() {
        for (line, column) in [(9, 1), (0, 0), (1, 99)] {
            let error = Error::statement("no").at(Position { line, column });
            let text = rendered(&error, &script("SELECT"));
            assert!(text.contains(&format!("pipeline.sql:{line}:{column}")), "{text}");
        }
        let stdin = Script {
            sql: String::new(),
            origin: None,
        };
        let error = Error::statement("no").at(Position { line: 1, column: 1 });
        assert!(rendered(&error, &stdin).contains(" --> <stdin>:1:1\n"));
    }

    #[test]
    fn data_in_messages_is_harmless() {
        let error = Error::execution("cannot cast \"\x1b[2J\"").caused_by(std::io::Error::other("\x07"));
        let text = render(&ErrorReport::from(&error), None);
        assert_eq!(text, "error: cannot cast \"\\x1b[2J\"\nbecause: \\a\n");
    }
}
