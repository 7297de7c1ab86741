//! One line of text that is typed: for the filter and the command line.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use unicode_segmentation::UnicodeSegmentation;

/// A line and the place in it where typing goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Input {
    text: String,
    /// In bytes, always at the border of a grapheme.
    cursor: usize,
}

impl Input {
    /// A line with the cursor at its end. Control characters of pasted text become blanks.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            cursor: text.len(),
            text,
        }
    }

    /// What was typed.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// What stands before the cursor.
    pub(crate) fn before(&self) -> &str {
        &self.text[..self.cursor]
    }

    /// Types some text at the cursor.
    pub(crate) fn insert(&mut self, text: &str) {
        let clean: String = text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        self.text.insert_str(self.cursor, &clean);
        self.cursor += clean.len();
    }

    /// Edits by a key; whether the key meant something here.
    pub(crate) fn key(&mut self, key: KeyEvent) -> bool {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('a') if control => self.cursor = 0,
            KeyCode::Char('e') if control => self.cursor = self.text.len(),
            KeyCode::Char('u') if control => self.remove(0, self.cursor),
            KeyCode::Char('w') if control => {
                let kept = self.before().trim_end();
                let word = kept.rfind(' ').map_or(0, |at| at + 1);
                self.remove(word, self.cursor);
            }
            KeyCode::Char(one) if !control && !key.modifiers.contains(KeyModifiers::ALT) => {
                self.insert(one.encode_utf8(&mut [0; 4]));
            }
            KeyCode::Backspace => self.remove(self.previous(), self.cursor),
            KeyCode::Delete => self.remove(self.cursor, self.next()),
            KeyCode::Left => self.cursor = self.previous(),
            KeyCode::Right => self.cursor = self.next(),
            KeyCode::Home => self.cursor = 0,
            KeyCode::End => self.cursor = self.text.len(),
            _ => return false,
        }
        true
    }

    fn previous(&self) -> usize {
        self.before()
            .grapheme_indices(true)
            .next_back()
            .map_or(0, |(at, _)| at)
    }

    fn next(&self) -> usize {
        let rest = &self.text[self.cursor..];
        self.cursor + rest.graphemes(true).next().map_or(0, str::len)
    }

    fn remove(&mut self, from: usize, to: usize) {
        self.text.replace_range(from..to, "");
        self.cursor = from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(input: &mut Input, code: KeyCode) {
        assert!(input.key(KeyEvent::new(code, KeyModifiers::NONE)));
    }

    #[test]
    fn editing_goes_by_graphemes() {
        let mut input = Input::new("ae\u{301}");
        press(&mut input, KeyCode::Left);
        assert_eq!(input.before(), "a");
        press(&mut input, KeyCode::Char('x'));
        press(&mut input, KeyCode::Delete);
        assert_eq!(input.text(), "ax");
        press(&mut input, KeyCode::Backspace);
        press(&mut input, KeyCode::Backspace);
        press(&mut input, KeyCode::Backspace);
        assert_eq!(input.text(), "");
    }

    #[test]
    fn words_and_lines_go_at_once_and_paste_is_one_line() {
        let mut input = Input::new("stop orders now");
        assert!(input.key(KeyEvent::new(KeyCode::Char('w'), KeyModifiers::CONTROL)));
        assert_eq!(input.text(), "stop orders ");
        input.insert("a\n\u{1b}b");
        assert_eq!(input.text(), "stop orders a  b");
        assert!(input.key(KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL)));
        assert_eq!(input.text(), "");
    }
}
