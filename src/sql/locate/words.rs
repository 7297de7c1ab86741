//! The words of a query and where they stand.

use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::Position;
use crate::sql::query::QueryText;
use crate::sql::span::position;
use crate::sql::tokens::{Source, tokenize};

/// A query's tokens with their places in the whole text.
pub(super) struct Words<'q> {
    query: &'q QueryText,
    tokens: Vec<TokenWithSpan>,
}

impl<'q> Words<'q> {
    pub(super) fn new(query: &'q QueryText) -> Self {
        // A query that was parsed has tokens.
        let tokens = tokenize(&Source::new(&query.text)).unwrap_or_default();
        Self { query, tokens }
    }

    /// Where a function is called.
    pub(super) fn call(&self, name: &str) -> Option<Position> {
        self.find(|words, at| words.is_word(at, name) && words.token(at + 1) == Some(&Token::LParen))
            // Some have a syntax of their own, `CEIL(x TO DAY)`, and some stand for an operator.
            .or_else(|| self.find(|words, at| words.is_word(at, name)))
    }

    /// Where a column or a relation is named; with its relation before it, if it is there so somewhere.
    pub(super) fn column(&self, relation: Option<&str>, name: &str) -> Option<Position> {
        let qualified = relation.and_then(|relation| {
            self.find(|words, at| {
                words.is_word(at, relation)
                    && words.token(at + 1) == Some(&Token::Period)
                    && words.is_word(at + 2, name)
            })
        });
        qualified.or_else(|| self.find(|words, at| words.is_word(at, name)))
    }

    /// Where a name stands last: of two columns of one name, the second one.
    pub(super) fn last_column(&self, name: &str) -> Option<Position> {
        let select_list = self.tokens.iter().position(|token| is_plain(token, "FROM"));
        let end = select_list.unwrap_or(self.tokens.len());
        let last = (0..end).rev().find(|at| self.is_word(*at, name));
        last.map(|at| self.place(&self.tokens[at]))
            .or_else(|| self.column(None, name))
    }

    /// Where an operator stands.
    pub(super) fn operator(&self, operator: &str) -> Option<Position> {
        self.find(|words, at| match words.token(at) {
            Some(Token::Word(word)) => {
                word.quote_style.is_none() && word.value.eq_ignore_ascii_case(operator)
            }
            Some(token) => token.to_string() == operator,
            None => false,
        })
    }

    /// Where the first name stands that a message quotes, calls with parentheses, or writes with a dot; or else the
    /// first of its words that the query has as well.
    pub(super) fn named_in(&self, message: &str) -> Option<Position> {
        let quoted = message.split(['\'', '"', '`']).skip(1).step_by(2);
        let called = message
            .split('(')
            .filter_map(|before| before.rsplit(|c: char| !(c.is_alphanumeric() || c == '_')).next());
        let dotted = message
            .split_whitespace()
            .filter(|word| word.trim_end_matches(['.', ',']).contains('.'));
        let named = quoted
            .chain(called)
            .chain(dotted)
            .filter(|name| !name.is_empty())
            .filter_map(|name| name.split(['(', ' ']).next())
            .find_map(|name| match name.rsplit_once('.') {
                Some((relation, column)) => self.column(relation.rsplit('.').next(), column),
                None => self.column(None, name),
            });
        named.or_else(|| {
            let mut words = message.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
            words.find_map(|word| self.find(|words, at| word.len() > 1 && words.is_exactly(at, word)))
        })
    }

    fn find(&self, is_it: impl Fn(&Self, usize) -> bool) -> Option<Position> {
        let at = (0..self.tokens.len()).find(|at| is_it(self, *at))?;
        Some(self.place(&self.tokens[at]))
    }

    fn token(&self, at: usize) -> Option<&Token> {
        self.tokens.get(at).map(|token| &token.token)
    }

    fn is_word(&self, at: usize, name: &str) -> bool {
        matches!(self.token(at), Some(Token::Word(word)) if word.value.eq_ignore_ascii_case(name))
    }

    fn is_exactly(&self, at: usize, name: &str) -> bool {
        matches!(self.token(at), Some(Token::Word(word)) if word.value == name)
    }

    /// A token's place in the whole text: the query starts somewhere on its first line.
    fn place(&self, token: &TokenWithSpan) -> Position {
        let (inner, start) = (position(token.span.start), self.query.position);
        Position {
            line: start.line + inner.line - 1,
            column: if inner.line == 1 {
                start.column + inner.column - 1
            } else {
                inner.column
            },
        }
    }
}

fn is_plain(token: &TokenWithSpan, word: &str) -> bool {
    matches!(&token.token, Token::Word(found) if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word))
}
