//! Splits DDL schema text into tokens with their places.

use crate::error::{Error, Position, Result};

/// One token of a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A bare word: a name, a type, a keyword, a number.
    Word(String),
    /// A back-quoted name.
    Quoted(String),
    /// A text in single or double quotes.
    Text(String),
    /// One of `< > ( ) , :`, or any other character, which no schema has.
    Symbol(char),
    /// Behind the last token.
    End,
}

impl Token {
    /// The token as a message shows it.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Word(word) => format!("\"{word}\""),
            Self::Quoted(name) => format!("`{name}`"),
            Self::Text(text) => format!("'{text}'"),
            Self::Symbol(symbol) => format!("\"{symbol}\""),
            Self::End => "the end of the schema".into(),
        }
    }
}

/// Splits `text`, the last token being [`Token::End`].
pub(super) fn tokenize(text: &str) -> Result<Vec<(Token, Position)>> {
    let mut lexer = Lexer {
        rest: text.chars().collect(),
        at: 0,
        position: Position { line: 1, column: 1 },
    };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_blanks()?;
        let position = lexer.position;
        let token = lexer.token()?;
        let is_end = token == Token::End;
        tokens.push((token, position));
        if is_end {
            return Ok(tokens);
        }
    }
}

struct Lexer {
    rest: Vec<char>,
    at: usize,
    position: Position,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.rest.get(self.at + ahead).copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek(0)?;
        self.at += 1;
        if next == '\n' {
            self.position = Position {
                line: self.position.line + 1,
                column: 1,
            };
        } else {
            self.position.column += 1;
        }
        Some(next)
    }

    /// Skips white space, `-- comments` and `/* comments */`.
    fn skip_blanks(&mut self) -> Result<()> {
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some(blank), _) if blank.is_whitespace() => {
                    self.next();
                }
                (Some('-'), Some('-')) => while self.next().is_some_and(|next| next != '\n') {},
                (Some('/'), Some('*')) => {
                    let start = self.position;
                    self.next();
                    self.next();
                    while (self.peek(0), self.peek(1)) != (Some('*'), Some('/')) {
                        if self.next().is_none() {
                            return Err(Error::statement("a comment has no end")
                                .hint("Close it with */.")
                                .at(start));
                        }
                    }
                    self.next();
                    self.next();
                }
                _ => return Ok(()),
            }
        }
    }

    fn token(&mut self) -> Result<Token> {
        let Some(first) = self.peek(0) else {
            return Ok(Token::End);
        };
        match first {
            '`' => self.quoted('`').map(Token::Quoted),
            '\'' | '"' => self.quoted(first).map(Token::Text),
            _ if is_word(first) => {
                let mut word = String::new();
                while let Some(next) = self.peek(0).filter(|next| is_word(*next)) {
                    word.push(next);
                    self.next();
                }
                Ok(Token::Word(word))
            }
            _ => {
                self.next();
                Ok(Token::Symbol(first))
            }
        }
    }

    /// Reads up to the closing quote; a doubled quote stands for one, a backslash escapes in texts.
    fn quoted(&mut self, quote: char) -> Result<String> {
        let start = self.position;
        self.next();
        let mut text = String::new();
        while let Some(next) = self.next() {
            if next == quote {
                if self.peek(0) != Some(quote) {
                    return Ok(text);
                }
                self.next();
            } else if next == '\\' && quote != '`' {
                text.extend(self.next());
                continue;
            }
            text.push(next);
        }
        Err(Error::statement(format!("a {quote} has no partner"))
            .hint(format!("Close what begins here with another {quote}."))
            .at(start))
    }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}
