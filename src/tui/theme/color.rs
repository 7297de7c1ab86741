//! Colours, and what becomes of them on terminals that show fewer.

use ratatui::style::Color;

/// How many colours the terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorDepth {
    /// None at all: symbols, bold and reverse say what colours would.
    Mono,
    /// The sixteen colours that the terminal's own settings define.
    Ansi16,
    /// The 256 fixed colours.
    Ansi256,
    /// 24 bits.
    True,
}

impl ColorDepth {
    /// What the environment says: `NO_COLOR`, then `COLORTERM`, then `TERM`.
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Self {
        if variable("NO_COLOR").is_some_and(|value| !value.is_empty()) {
            return Self::Mono;
        }
        if variable("COLORTERM").is_some_and(|value| value == "truecolor" || value == "24bit") {
            return Self::True;
        }
        let term = variable("TERM").unwrap_or_default();
        match term.as_str() {
            "dumb" | "vt100" | "vt220" => Self::Mono,
            _ if term.ends_with("-direct") => Self::True,
            _ if term.contains("256color") => Self::Ansi256,
            _ => Self::Ansi16,
        }
    }
}

/// A colour as a theme names it: 24 bits, one of the terminal's sixteen, or both, the second for terminals that
/// have no more than sixteen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Paint {
    /// Red, green, blue.
    pub(crate) rgb: Option<[u8; 3]>,
    /// One of the sixteen, or the terminal's default.
    pub(crate) named: Option<Color>,
}

impl Paint {
    /// The colour to send to a terminal of this depth; `None` leaves the colour alone.
    pub(crate) fn at(self, depth: ColorDepth) -> Option<Color> {
        let [red, green, blue] = match (self.rgb, self.named) {
            (None, named) => return if depth == ColorDepth::Mono { None } else { named },
            (Some(rgb), _) => rgb,
        };
        match depth {
            ColorDepth::Mono => None,
            ColorDepth::True => Some(Color::Rgb(red, green, blue)),
            ColorDepth::Ansi256 => Some(Color::Indexed(nearest_256([red, green, blue]))),
            ColorDepth::Ansi16 => Some(self.named.unwrap_or_else(|| nearest_16([red, green, blue]))),
        }
    }
}

/// The names of the sixteen colours and of the terminal's own default.
pub(crate) const NAMED: [(&str, Color); 17] = [
    ("default", Color::Reset),
    ("black", Color::Black),
    ("red", Color::Red),
    ("green", Color::Green),
    ("yellow", Color::Yellow),
    ("blue", Color::Blue),
    ("magenta", Color::Magenta),
    ("cyan", Color::Cyan),
    ("white", Color::Gray),
    ("bright-black", Color::DarkGray),
    ("bright-red", Color::LightRed),
    ("bright-green", Color::LightGreen),
    ("bright-yellow", Color::LightYellow),
    ("bright-blue", Color::LightBlue),
    ("bright-magenta", Color::LightMagenta),
    ("bright-cyan", Color::LightCyan),
    ("bright-white", Color::White),
];

/// `#rrggbb` or one of [`NAMED`].
pub(crate) fn parse(text: &str) -> Option<Paint> {
    if let Some(digits) = text.strip_prefix('#') {
        if digits.len() != 6 || !digits.is_ascii() {
            return None;
        }
        let part = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
        return Some(Paint {
            rgb: Some([part(0)?, part(2)?, part(4)?]),
            named: None,
        });
    }
    let (_, color) = NAMED.iter().find(|(name, _)| *name == text)?;
    Some(Paint {
        rgb: None,
        named: Some(*color),
    })
}

/// The usual values of the sixteen colours, only for finding the nearest.
const ANSI: [[u8; 3]; 16] = [
    [0, 0, 0],
    [205, 49, 49],
    [13, 188, 121],
    [229, 229, 16],
    [36, 114, 200],
    [188, 63, 188],
    [17, 168, 205],
    [229, 229, 229],
    [102, 102, 102],
    [241, 76, 76],
    [35, 209, 139],
    [245, 245, 67],
    [59, 142, 234],
    [214, 112, 214],
    [41, 184, 219],
    [255, 255, 255],
];

fn nearest_16(rgb: [u8; 3]) -> Color {
    let at = (0..16).min_by_key(|at| distance(rgb, ANSI[*at])).unwrap_or(7);
    NAMED[at + 1].1
}

/// The nearest of the 6x6x6 cube and the 24 greys.
fn nearest_256(rgb: [u8; 3]) -> u8 {
    const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let level = |part: u8| {
        (0..6u8)
            .min_by_key(|at| LEVELS[usize::from(*at)].abs_diff(part))
            .unwrap_or(0)
    };
    let [red, green, blue] = rgb.map(level);
    let cube = [red, green, blue].map(|at| LEVELS[usize::from(at)]);
    let grey_at = (0..24u8)
        .min_by_key(|at| distance(rgb, [8 + 10 * at; 3]))
        .unwrap_or(0);
    if distance(rgb, [8 + 10 * grey_at; 3]) < distance(rgb, cube) {
        232 + grey_at
    } else {
        16 + 36 * red + 6 * green + blue
    }
}

/// Squared distance, green weighing most, as the eye has it.
fn distance(one: [u8; 3], other: [u8; 3]) -> u32 {
    let part = |at: usize| u32::from(one[at].abs_diff(other[at])).pow(2);
    3 * part(0) + 6 * part(1) + 2 * part(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(pairs: &[(&str, &str)]) -> ColorDepth {
        ColorDepth::detect(|name| {
            pairs
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_string())
        })
    }

    #[test]
    fn the_environment_decides_the_depth() {
        assert_eq!(
            detect(&[("NO_COLOR", "1"), ("COLORTERM", "truecolor")]),
            ColorDepth::Mono
        );
        assert_eq!(
            detect(&[("COLORTERM", "truecolor"), ("TERM", "xterm")]),
            ColorDepth::True
        );
        assert_eq!(detect(&[("TERM", "screen-256color")]), ColorDepth::Ansi256);
        assert_eq!(detect(&[("TERM", "linux")]), ColorDepth::Ansi16);
        assert_eq!(detect(&[("NO_COLOR", ""), ("TERM", "dumb")]), ColorDepth::Mono);
    }

    #[test]
    fn a_colour_degrades_to_the_nearest() {
        let red = parse("#ff0000").expect("a colour");
        assert_eq!(red.at(ColorDepth::True), Some(Color::Rgb(255, 0, 0)));
        assert_eq!(red.at(ColorDepth::Ansi256), Some(Color::Indexed(196)));
        assert_eq!(red.at(ColorDepth::Ansi16), Some(Color::Red));
        assert_eq!(red.at(ColorDepth::Mono), None);
        let grey = parse("#303030").expect("a colour");
        assert_eq!(grey.at(ColorDepth::Ansi256), Some(Color::Indexed(236)));
        assert_eq!(parse("#12345"), None);
        assert_eq!(parse("#ääää"), None);
        assert_eq!(parse("pink"), None);
    }
}
