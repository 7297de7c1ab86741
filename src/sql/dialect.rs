//! Spark's SQL, for sqlparser: what its own Spark dialect knows, and what that one lacks or has wrong.
//!
//! `"text"` is a string and `` `name` `` a name; `DIV` binds as `*` does; intervals are Spark's (`INTERVAL 1 HOUR
//! 30 MINUTES`, `INTERVAL '10 minutes'`); `struct(a, b AS c, *)` takes names and stars.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Ident, Interval as IntervalExpr, ObjectName, Value, ValueWithSpan,
};
use datafusion::sql::sqlparser::dialect::Dialect;
use datafusion::sql::sqlparser::keywords::{
    Keyword, RESERVED_FOR_COLUMN_ALIAS, RESERVED_FOR_IDENTIFIER, RESERVED_FOR_TABLE_ALIAS,
};
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Location, Span, Token};

use crate::interval::{Interval, Reason, is_unit};
use crate::sql::rewrite::literal::{self, SUFFIXES};

/// Separates a message from its hint in the text of a [`ParserError`], which has room for one text only.
pub(crate) const HINT_SEPARATOR: char = '\u{1f}';

/// Words that begin a statement, and so are nobody's alias unless AS or back-quotes say so.
const STATEMENT_WORDS: [Keyword; 5] = [
    Keyword::CREATE,
    Keyword::DROP,
    Keyword::SHOW,
    Keyword::DESCRIBE,
    Keyword::SET,
];

/// The dialect in which pipelines are written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct SparkDialect;

impl Dialect for SparkDialect {
    fn is_delimited_identifier_start(&self, letter: char) -> bool {
        letter == '`'
    }

    fn is_identifier_start(&self, letter: char) -> bool {
        letter.is_alphabetic() || letter == '_'
    }

    fn is_identifier_part(&self, letter: char) -> bool {
        letter.is_alphanumeric() || letter == '_'
    }

    fn supports_string_literal_backslash_escape(&self) -> bool {
        true
    }

    fn supports_string_literal_concatenation(&self) -> bool {
        true
    }

    fn supports_nested_comments(&self) -> bool {
        true
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }

    fn supports_window_function_null_treatment_arg(&self) -> bool {
        true
    }

    fn supports_group_by_expr(&self) -> bool {
        true
    }

    fn supports_group_by_with_modifier(&self) -> bool {
        true
    }

    fn supports_order_by_all(&self) -> bool {
        true
    }

    fn allow_extract_custom(&self) -> bool {
        true
    }

    fn supports_lambda_functions(&self) -> bool {
        true
    }

    fn supports_select_wildcard_except(&self) -> bool {
        true
    }

    fn supports_select_item_multi_column_alias(&self) -> bool {
        true
    }

    fn supports_values_as_table_factor(&self) -> bool {
        true
    }

    fn supports_cte_without_as(&self) -> bool {
        true
    }

    fn supports_bang_not_operator(&self) -> bool {
        true
    }

    fn supports_bitwise_shift_operators(&self) -> bool {
        true
    }

    fn supports_long_type_as_bigint(&self) -> bool {
        true
    }

    fn supports_map_literal_with_angle_brackets(&self) -> bool {
        true
    }

    /// Without these, `CASE` without `END` would be a column with an alias.
    fn is_reserved_for_identifier(&self, keyword: Keyword) -> bool {
        RESERVED_FOR_IDENTIFIER.contains(&keyword)
            || matches!(
                keyword,
                Keyword::CASE | Keyword::CAST | Keyword::TRY_CAST | Keyword::EXTRACT
            )
    }

    fn is_column_alias(&self, keyword: &Keyword, _parser: &mut Parser) -> bool {
        !RESERVED_FOR_COLUMN_ALIAS.contains(keyword) && !STATEMENT_WORDS.contains(keyword)
    }

    fn is_table_alias(&self, keyword: &Keyword, _parser: &mut Parser) -> bool {
        !RESERVED_FOR_TABLE_ALIAS.contains(keyword) && !STATEMENT_WORDS.contains(keyword)
    }

    fn parse_prefix(&self, parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
        if let Some(number) = parse_suffixed_number(parser) {
            return Some(Ok(number));
        }
        let Token::Word(word) = &parser.peek_token_ref().token else {
            return None;
        };
        if word.quote_style.is_some() {
            return None;
        }
        let next = &parser.peek_nth_token_ref(1).token;
        match word.keyword {
            Keyword::INTERVAL if starts_interval(|n| parser.peek_nth_token_ref(n + 1).token.clone()) => {
                Some(parse_interval(parser))
            }
            Keyword::EXISTS
                if *next == Token::LParen && !starts_query(&parser.peek_nth_token_ref(2).token) =>
            {
                let name = Ident::with_span(parser.next_token().span, "exists");
                Some(parser.parse_function(ObjectName::from(vec![name])))
            }
            Keyword::STRUCT if *next == Token::LParen => Some(parse_struct(parser)),
            _ => None,
        }
    }

    fn parse_infix(
        &self,
        parser: &mut Parser,
        left: &Expr,
        precedence: u8,
    ) -> Option<Result<Expr, ParserError>> {
        if !parser.parse_keyword(Keyword::DIV) {
            return None;
        }
        Some(parser.parse_subexpr(precedence).map(|right| Expr::BinaryOp {
            left: Box::new(left.clone()),
            op: BinaryOperator::MyIntegerDivide,
            right: Box::new(right),
        }))
    }
}

/// Reads what follows the word INTERVAL and gives it back with the number of its tokens: amounts with their units,
/// one text with amounts and units, or a text with `FIRST TO LAST`. `peek(n)` is the n-th token from there.
///
/// # Errors
///
/// The reason, and the number of the token that is wrong.
pub(crate) fn read_interval(peek: impl Fn(usize) -> Token) -> Result<(Interval, usize), (Reason, usize)> {
    let mut interval = Interval::default();
    let mut at = 0;
    loop {
        let start = at;
        let negative = peek(at) == Token::Minus;
        at += usize::from(negative);
        let value = peek(at);
        at += 1;
        // A word that is no keyword is a misspelled unit.
        let next = peek(at);
        let misspelled = matches!(&next, Token::Word(word) if word.keyword == Keyword::NoKeyword)
            && matches!(value, Token::Number(..));
        let unit = word(&next).filter(|unit| misspelled || is_unit(unit));
        let range = word(&peek(at + 1)).is_some_and(|to| to.eq_ignore_ascii_case("to"));
        let part = match (value, unit, word(&peek(at + 2))) {
            (Token::SingleQuotedString(text), Some(first), Some(last)) if range => {
                at += 3;
                Interval::parse_range(&text, &first, &last)
            }
            (Token::SingleQuotedString(text) | Token::Number(text, _), Some(unit), _) => {
                at += 1;
                let mut part = Interval::default();
                part.add(text.trim(), &unit).map(|()| part)
            }
            (Token::SingleQuotedString(text), None, _) => Interval::parse(&text),
            (found, _, _) => Err(Reason {
                message: match found {
                    Token::Number(amount, _) => format!("the interval {amount} has no unit of time"),
                    _ => "an interval is an amount and a unit of time".to_owned(),
                },
                hint: crate::interval::EXAMPLES.to_owned(),
            }),
        };
        let part = part.map_err(|reason| (reason, start))?;
        interval.extend(if negative { part.negated() } else { part });
        if !starts_interval(|n| peek(at + n)) {
            return Ok((interval, at));
        }
    }
}

/// Whether an amount stands here, with a unit unless it is a text that may hold both.
fn starts_interval(peek: impl Fn(usize) -> Token) -> bool {
    let sign = usize::from(peek(0) == Token::Minus);
    match peek(sign) {
        Token::SingleQuotedString(_) => true,
        Token::Number(..) => sign == 0 || word(&peek(sign + 1)).is_some_and(|unit| is_unit(&unit)),
        _ => false,
    }
}

fn word(token: &Token) -> Option<String> {
    match token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.value.clone()),
        _ => None,
    }
}

/// Whether a subquery begins, and not the array of `exists(array, x -> ...)`.
fn starts_query(token: &Token) -> bool {
    match token {
        Token::Word(word) => matches!(
            word.keyword,
            Keyword::SELECT | Keyword::WITH | Keyword::VALUES | Keyword::FROM | Keyword::TABLE
        ),
        Token::LParen => true,
        _ => false,
    }
}

/// `1.5D`, `2BD`: a number with a letter right behind it that says its type.
fn parse_suffixed_number(parser: &mut Parser) -> Option<Expr> {
    let (number, suffix) = (parser.peek_token_ref(), parser.peek_nth_token_ref(1));
    let (Token::Number(text, false), Token::Word(word)) = (&number.token, &suffix.token) else {
        return None;
    };
    let is_suffix = number.span.end == suffix.span.start
        && SUFFIXES
            .iter()
            .any(|suffix| suffix.eq_ignore_ascii_case(&word.value));
    if !is_suffix {
        return None;
    }
    let number = literal::number(text, &word.value, Span::new(number.span.start, suffix.span.end));
    parser.next_token();
    parser.next_token();
    Some(number)
}

fn parse_interval(parser: &mut Parser) -> Result<Expr, ParserError> {
    let start = parser.next_token().span;
    let (interval, count) =
        read_interval(|n| parser.peek_nth_token_ref(n).token.clone()).map_err(|(reason, wrong)| {
            let location = parser.peek_nth_token_ref(wrong).span.start;
            parser_error(&reason.message, &reason.hint, location)
        })?;
    let mut end = start;
    for _ in 0..count {
        end = parser.next_token().span;
    }
    Ok(Expr::Interval(IntervalExpr {
        value: Box::new(Expr::Value(ValueWithSpan {
            value: Value::SingleQuotedString(interval.words()),
            span: Span::new(start.start, end.end),
        })),
        leading_field: None,
        leading_precision: None,
        last_field: None,
        fractional_seconds_precision: None,
    }))
}

fn parse_struct(parser: &mut Parser) -> Result<Expr, ParserError> {
    parser.next_token();
    parser.expect_token(&Token::LParen)?;
    let values = if parser.peek_token_ref().token == Token::RParen {
        Vec::new()
    } else {
        parser.parse_comma_separated(|parser| {
            let value = parser.parse_wildcard_expr()?;
            if !parser.parse_keyword(Keyword::AS) {
                return Ok(value);
            }
            Ok(Expr::Named {
                expr: Box::new(value),
                name: parser.parse_identifier()?,
            })
        })?
    };
    parser.expect_token(&Token::RParen)?;
    Ok(Expr::Struct {
        values,
        fields: Vec::new(),
    })
}

/// A parser error with a hint and a place, as [`crate::sql::syntax_error`] reads it.
pub(crate) fn parser_error(message: &str, hint: &str, location: Location) -> ParserError {
    ParserError::ParserError(format!("{message}{HINT_SEPARATOR}{hint}{location}"))
}
