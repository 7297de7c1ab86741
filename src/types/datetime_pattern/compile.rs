//! The pattern's text to items.

use super::PatternUse;
use crate::error::{Error, Result};

/// A number in a date or a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Year,
    YearOfEra,
    Month,
    DayOfMonth,
    DayOfYear,
    /// Days 1 to 7 are the first of their weekday in the month, and so on; Java calls it aligned day of week.
    AlignedDayOfWeek,
    Quarter,
    /// 0 is AM, 1 is PM.
    AmPm,
    /// 1 to 12.
    ClockHourOfAmPm,
    /// 0 to 11.
    HourOfAmPm,
    /// 0 to 23.
    HourOfDay,
    /// 1 to 24.
    ClockHourOfDay,
    Minute,
    Second,
    NanoOfSecond,
    /// 0 is before year 1, 1 is from it on.
    Era,
    /// 1 is Monday.
    DayOfWeek,
    ModifiedJulianDay,
}

impl Field {
    /// How many fields there are.
    pub(super) const COUNT: usize = Self::ModifiedJulianDay as usize + 1;
}

/// When a number has a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// A minus before negative ones.
    Normal,
    /// Never.
    NotNegative,
    /// As normal, and a plus before one that is longer than its least width.
    ExceedsPad,
}

/// A number's shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) field: Field,
    pub(super) least: usize,
    pub(super) most: usize,
    pub(super) sign: Sign,
    /// Digits that the numbers right behind it need: it leaves them over.
    pub(super) reserved: usize,
    /// Two digits that stand for the years 2000 to 2099.
    pub(super) is_two_digit_year: bool,
}

/// How a name is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Short,
    Full,
}

/// How an offset is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OffsetShape {
    /// Whether minutes may be left out where they are zero.
    pub(super) short_minutes: bool,
    /// Whether seconds are written where they are not zero.
    pub(super) seconds: bool,
    pub(super) colons: bool,
    /// What stands for no offset.
    pub(super) zero: &'static str,
}

/// One step of formatting and parsing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    Literal(String),
    Number(Number),
    /// So many digits of the second's fraction; any number from 1 on when parsing.
    Fraction(usize),
    Name(Field, Style),
    ZoneId,
    ZoneName(Style),
    Offset(OffsetShape),
    LocalizedOffset(Style),
    Optional(Vec<Item>),
}

/// Compiles a pattern, by Spark's rules first, by Java's then.
pub(super) fn compile(pattern: &str, usage: PatternUse) -> Result<Vec<Item>> {
    let bare: String = pattern.split('\'').step_by(2).collect();
    let invalid = |reason: String| {
        Error::statement(format!("\"{pattern}\" is not a datetime pattern: {reason}"))
            .hint("Write letters as in 'yyyy-MM-dd HH:mm:ss.SSS XXX' and quote other text: 'T'.")
    };
    if let Some(letter) = bare.chars().find(|letter| "YWwuec".contains(*letter)) {
        return Err(
            invalid(format!("week-based letters such as '{letter}' are not supported"))
                .hint("Write the year as 'yyyy' and the weekday as 'E'; weeks have no letter."),
        );
    }
    let refused =
        |letter: &char| "ABnNp".contains(*letter) || (usage == PatternUse::Parse && "EFqQ".contains(*letter));
    if let Some(letter) = bare.chars().find(refused) {
        let why = if usage == PatternUse::Parse && "EFqQ".contains(letter) {
            format!("letter '{letter}' can be formatted, not parsed")
        } else {
            format!("letter '{letter}' is not supported")
        };
        return Err(invalid(why));
    }
    let mut compiler = Compiler {
        has_era: bare.contains('G'),
        sections: vec![Section::default()],
    };
    compiler.run(pattern).map_err(invalid)?;
    compiler.finish().map_err(invalid)
}

/// Items under construction: the pattern itself, or an optional section of it.
#[derive(Default)]
struct Section {
    items: Vec<Item>,
    /// The number that makes room for fixed-width numbers right behind it.
    adjacent: Option<usize>,
}

struct Compiler {
    has_era: bool,
    sections: Vec<Section>,
}

impl Compiler {
    fn run(&mut self, pattern: &str) -> Result<(), String> {
        let letters: Vec<char> = pattern.chars().collect();
        let mut at = 0;
        while at < letters.len() {
            let letter = letters[at];
            match letter {
                _ if letter.is_ascii_alphabetic() => {
                    let count = letters[at..].iter().take_while(|next| **next == letter).count();
                    self.letters(letter, count)?;
                    at += count;
                    continue;
                }
                '\'' => at = self.quoted(&letters, at)?,
                '[' => {
                    self.section().adjacent = None;
                    self.sections.push(Section::default());
                }
                ']' => self.close()?,
                '{' | '}' | '#' => return Err(format!("'{letter}' is reserved")),
                _ => self.push(Item::Literal(letter.to_string())),
            }
            at += 1;
        }
        Ok(())
    }

    /// Reads a quoted text from its opening quote on; gives the closing quote's place.
    fn quoted(&mut self, letters: &[char], open: usize) -> Result<usize, String> {
        let mut text = String::new();
        let mut at = open + 1;
        loop {
            match letters.get(at) {
                None => return Err("a quote has no partner".into()),
                // Two quotes inside are one; two that are all there is are one as well, further down.
                Some('\'') if letters.get(at + 1) == Some(&'\'') && at != open + 1 => {
                    text.push('\'');
                    at += 2;
                }
                Some('\'') => break,
                Some(letter) => {
                    text.push(*letter);
                    at += 1;
                }
            }
        }
        self.push(Item::Literal(if text.is_empty() { "'".into() } else { text }));
        Ok(at)
    }

    fn section(&mut self) -> &mut Section {
        let last = self.sections.len() - 1;
        &mut self.sections[last]
    }

    fn push(&mut self, item: Item) {
        let section = self.section();
        section.adjacent = None;
        section.items.push(item);
    }

    fn close(&mut self) -> Result<(), String> {
        if self.sections.len() < 2 {
            return Err("']' has no '['".into());
        }
        if let Some(section) = self.sections.pop() {
            self.push(Item::Optional(section.items));
        }
        Ok(())
    }

    /// Sections that are still open end with the pattern.
    fn finish(mut self) -> Result<Vec<Item>, String> {
        while self.sections.len() > 1 {
            self.close()?;
        }
        Ok(self
            .sections
            .pop()
            .map(|section| section.items)
            .unwrap_or_default())
    }

    /// A number, and the digits that the numbers before and behind it leave to each other: in `yyyyMMdd` the year takes all
    /// digits but the last four.
    fn push_number(&mut self, number: Number) {
        let section = self.section();
        let adjacent = section.adjacent;
        section.items.push(Item::Number(number));
        let is_fixed = number.least == number.most && number.sign == Sign::NotNegative;
        match adjacent {
            Some(before) if is_fixed => {
                if let Item::Number(before) = &mut section.items[before] {
                    before.reserved += number.most;
                }
            }
            _ => section.adjacent = Some(section.items.len() - 1),
        }
    }

    fn number(&mut self, field: Field, least: usize, most: usize, sign: Sign) {
        self.push_number(Number {
            field,
            least,
            most,
            sign,
            reserved: 0,
            is_two_digit_year: false,
        });
    }

    /// One letter: as wide as it comes; two: two digits.
    fn one_or_two(&mut self, field: Field, count: usize) {
        if count == 1 {
            self.number(field, 1, 19, Sign::Normal);
        } else {
            self.number(field, count, count, Sign::NotNegative);
        }
    }

    fn letters(&mut self, letter: char, count: usize) -> Result<(), String> {
        let too_many = || format!("'{}' has too many letters", letter.to_string().repeat(count));
        let at_most = |most: usize| if count <= most { Ok(()) } else { Err(too_many()) };
        let style = if count == 4 { Style::Full } else { Style::Short };
        match letter {
            'y' => {
                // The largest year has six digits.
                at_most(6)?;
                self.year(count);
            }
            'M' | 'L' | 'Q' | 'q' => {
                at_most(4)?;
                let field = if matches!(letter, 'M' | 'L') {
                    Field::Month
                } else {
                    Field::Quarter
                };
                if count > 2 {
                    self.push(Item::Name(field, style));
                } else {
                    self.one_or_two(field, count);
                }
            }
            'D' => {
                at_most(3)?;
                if count == 1 {
                    self.number(Field::DayOfYear, 1, 19, Sign::Normal);
                } else {
                    self.number(Field::DayOfYear, count, 3, Sign::NotNegative);
                }
            }
            'd' | 'h' | 'H' | 'k' | 'K' | 'm' | 's' => {
                at_most(2)?;
                let field = match letter {
                    'd' => Field::DayOfMonth,
                    'h' => Field::ClockHourOfAmPm,
                    'H' => Field::HourOfDay,
                    'k' => Field::ClockHourOfDay,
                    'K' => Field::HourOfAmPm,
                    'm' => Field::Minute,
                    _ => Field::Second,
                };
                self.one_or_two(field, count);
            }
            'F' => {
                at_most(1)?;
                self.number(Field::AlignedDayOfWeek, 1, 19, Sign::Normal);
            }
            'g' => self.number(Field::ModifiedJulianDay, count, 19, Sign::Normal),
            'S' => {
                at_most(9)?;
                self.push(Item::Fraction(count));
            }
            'a' => {
                at_most(1)?;
                self.push(Item::Name(Field::AmPm, Style::Short));
            }
            'E' | 'G' => {
                at_most(4)?;
                let field = if letter == 'E' {
                    Field::DayOfWeek
                } else {
                    Field::Era
                };
                self.push(Item::Name(field, style));
            }
            'V' if count == 2 => self.push(Item::ZoneId),
            'V' => return Err("a zone id is 'VV'".into()),
            'z' => {
                at_most(4)?;
                self.push(Item::ZoneName(style));
            }
            'O' if count == 1 || count == 4 => self.push(Item::LocalizedOffset(style)),
            'O' => return Err("an offset is 'O' or 'OOOO'".into()),
            'X' | 'x' | 'Z' => {
                at_most(5)?;
                self.offset(letter, count);
            }
            _ => return Err(format!("letter '{letter}' is unknown")),
        }
        Ok(())
    }

    fn year(&mut self, count: usize) {
        let field = if self.has_era {
            Field::YearOfEra
        } else {
            Field::Year
        };
        match count {
            2 => self.push_number(Number {
                field,
                least: 2,
                most: 2,
                sign: Sign::NotNegative,
                reserved: 0,
                is_two_digit_year: true,
            }),
            1 | 3 => self.number(field, count, 19, Sign::Normal),
            _ => self.number(field, count, 19, Sign::ExceedsPad),
        }
    }

    fn offset(&mut self, letter: char, count: usize) {
        let zero = match (letter, count) {
            ('Z', 4) => return self.push(Item::LocalizedOffset(Style::Full)),
            ('X', _) | ('Z', 5) => "Z",
            ('x', 1) => "+00",
            ('x', 3 | 5) => "+00:00",
            _ => "+0000",
        };
        self.push(Item::Offset(OffsetShape {
            short_minutes: letter != 'Z' && count == 1,
            seconds: count > 3,
            colons: count == 5 || (count == 3 && letter != 'Z'),
            zero,
        }));
    }
}
