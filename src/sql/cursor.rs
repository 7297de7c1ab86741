//! A walk over the tokens of one statement, with errors that say what was found.

use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan};

use crate::error::{Error, Position, Result};
use crate::sql::span::position;
use crate::sql::tokens::Source;

/// A place among the tokens of one statement. Words are compared without case; words in back-quotes are names and
/// never compare equal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor<'a> {
    source: &'a Source<'a>,
    tokens: &'a [TokenWithSpan],
    index: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(source: &'a Source<'a>, tokens: &'a [TokenWithSpan]) -> Self {
        Self {
            source,
            tokens,
            index: 0,
        }
    }

    pub(crate) fn source(&self) -> &'a Source<'a> {
        self.source
    }

    pub(crate) fn peek(&self) -> Option<&'a Token> {
        self.peek_nth(0)
    }

    pub(crate) fn peek_nth(&self, n: usize) -> Option<&'a Token> {
        self.tokens.get(self.index + n).map(|token| &token.token)
    }

    pub(crate) fn next(&mut self) -> Option<&'a TokenWithSpan> {
        let token = self.tokens.get(self.index);
        self.index += usize::from(token.is_some());
        token
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.index == self.tokens.len()
    }

    /// Where the next token stands; behind the last one at the end.
    pub(crate) fn position(&self) -> Position {
        position(self.location())
    }

    pub(crate) fn location(&self) -> Location {
        match self.tokens.get(self.index) {
            Some(token) => token.span.start,
            None => self.last_end(),
        }
    }

    /// The end of the token before.
    pub(crate) fn last_end(&self) -> Location {
        let before = self.index.checked_sub(1).and_then(|last| self.tokens.get(last));
        before.map_or(Location::new(1, 1), |token| token.span.end)
    }

    /// The next token, if it is a word without quotes.
    pub(crate) fn peek_word(&self) -> Option<&'a str> {
        self.peek_nth_word(0)
    }

    pub(crate) fn peek_nth_word(&self, n: usize) -> Option<&'a str> {
        match self.peek_nth(n) {
            Some(Token::Word(word)) if word.quote_style.is_none() => Some(&word.value),
            _ => None,
        }
    }

    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.peek_word()
            .is_some_and(|found| found.eq_ignore_ascii_case(word))
    }

    /// Whether these words come next.
    pub(crate) fn are_words(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(n, word)| {
            self.peek_nth_word(n)
                .is_some_and(|found| found.eq_ignore_ascii_case(word))
        })
    }

    /// Goes over a word if it comes next.
    pub(crate) fn take_word(&mut self, word: &str) -> bool {
        self.take_words(&[word])
    }

    /// Goes over these words if all of them come next.
    pub(crate) fn take_words(&mut self, words: &[&str]) -> bool {
        let found = self.are_words(words);
        self.index += if found { words.len() } else { 0 };
        found
    }

    pub(crate) fn take(&mut self, token: &Token) -> bool {
        let found = self.peek() == Some(token);
        self.index += usize::from(found);
        found
    }

    pub(crate) fn expect_word(&mut self, word: &str, hint: &str) -> Result<()> {
        if self.take_word(word) {
            return Ok(());
        }
        Err(self.expected(word).hint(hint))
    }

    pub(crate) fn expect(&mut self, token: &Token, hint: &str) -> Result<()> {
        if self.take(token) {
            return Ok(());
        }
        Err(self.expected(&format!("\"{token}\"")).hint(hint))
    }

    /// The statement must end here.
    pub(crate) fn expect_end(&self, hint: &str) -> Result<()> {
        if self.is_at_end() {
            return Ok(());
        }
        Err(self.expected("\";\" or the end of the statement").hint(hint))
    }

    /// `expected ..., found "..."` at the next token.
    pub(crate) fn expected(&self, what: &str) -> Error {
        Error::statement(format!("expected {what}, found {}", self.found())).at(self.position())
    }

    /// The next token as a message names it.
    pub(crate) fn found(&self) -> String {
        match self.tokens.get(self.index) {
            Some(token) => quoted(self.source.token(token)),
            None => "the end of the statement".to_owned(),
        }
    }
}

/// A piece of the text as a message shows it: in quotes unless it has some, short, on one line.
pub(crate) fn quoted(piece: &str) -> String {
    const MOST: usize = 40;
    let mut shown: String = piece
        .chars()
        .take(MOST)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if shown.len() < piece.len() {
        shown.push_str("...");
    }
    if piece.starts_with(['\'', '"', '`']) {
        return shown;
    }
    format!("\"{shown}\"")
}
