//! A screen as text, as text with a terminal's colours, or as SVG: for documents, bug reports and tests.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

use super::text;

/// Cells of one look that stand next to each other.
struct Run<'a> {
    column: u16,
    /// How many cells it covers.
    width: usize,
    text: String,
    look: &'a Cell,
}

/// The runs of a row, without the cells that a wide character covers.
fn runs(buffer: &Buffer, row: u16) -> Vec<Run<'_>> {
    let mut runs: Vec<Run<'_>> = Vec::new();
    let mut column = 0;
    while column < buffer.area.width {
        let cell = &buffer[(column, row)];
        let width = text::width(cell.symbol()).max(1);
        match runs.last_mut() {
            Some(run) if looks_as(run.look, cell) => {
                run.text.push_str(cell.symbol());
                run.width += width;
            }
            _ => runs.push(Run {
                column,
                width,
                text: cell.symbol().to_string(),
                look: cell,
            }),
        }
        column = column.saturating_add(super::units::to_u16(width));
    }
    runs
}

fn looks_as(one: &Cell, other: &Cell) -> bool {
    (one.fg, one.bg, one.modifier) == (other.fg, other.bg, other.modifier)
}

/// The characters alone, a line a row, without blanks at the ends.
pub(crate) fn plain(buffer: &Buffer) -> String {
    let mut picture = String::new();
    for row in 0..buffer.area.height {
        let line: String = runs(buffer, row).into_iter().map(|run| run.text).collect();
        picture.push_str(line.trim_end());
        picture.push('\n');
    }
    picture
}

/// The same with colours and attributes as a terminal is told them; each line ends plain.
pub(crate) fn ansi(buffer: &Buffer) -> String {
    let mut picture = String::new();
    for row in 0..buffer.area.height {
        for run in runs(buffer, row) {
            let codes = codes(run.look);
            if codes.is_empty() {
                picture.push_str(&run.text);
            } else {
                // Writing to a string cannot fail.
                let _ = write!(picture, "\x1b[{}m{}\x1b[0m", codes.join(";"), run.text);
            }
        }
        picture.truncate(picture.trim_end_matches(' ').len());
        picture.push('\n');
    }
    picture
}

const MODIFIERS: [(Modifier, &str); 5] = [
    (Modifier::BOLD, "1"),
    (Modifier::DIM, "2"),
    (Modifier::ITALIC, "3"),
    (Modifier::UNDERLINED, "4"),
    (Modifier::REVERSED, "7"),
];

fn codes(cell: &Cell) -> Vec<String> {
    let mut codes: Vec<String> = MODIFIERS
        .iter()
        .filter(|(modifier, _)| cell.modifier.contains(*modifier))
        .map(|(_, code)| (*code).to_string())
        .collect();
    codes.extend(color_code(cell.fg, 30));
    codes.extend(color_code(cell.bg, 40));
    codes
}

/// The code of a colour; `base` is 30 for text and 40 for what is behind it.
fn color_code(color: Color, base: u8) -> Option<String> {
    match color {
        Color::Rgb(red, green, blue) => Some(format!("{};2;{red};{green};{blue}", base + 8)),
        Color::Indexed(at) => Some(format!("{};5;{at}", base + 8)),
        color => {
            let at = ANSI.iter().position(|(known, _)| *known == color)?;
            let at = u8::try_from(at).ok()?;
            Some((if at < 8 { base + at } else { base + 52 + at }).to_string())
        }
    }
}

/// The sixteen colours in the order of their codes, with the values that a picture shows them in.
const ANSI: [(Color, &str); 16] = [
    (Color::Black, "#000000"),
    (Color::Red, "#cd3131"),
    (Color::Green, "#0dbc79"),
    (Color::Yellow, "#c7a216"),
    (Color::Blue, "#2472c8"),
    (Color::Magenta, "#bc3fbc"),
    (Color::Cyan, "#11a8cd"),
    (Color::Gray, "#d0d0d0"),
    (Color::DarkGray, "#666666"),
    (Color::LightRed, "#f14c4c"),
    (Color::LightGreen, "#23d18b"),
    (Color::LightYellow, "#f5f543"),
    (Color::LightBlue, "#3b8eea"),
    (Color::LightMagenta, "#d670d6"),
    (Color::LightCyan, "#29b8db"),
    (Color::White, "#ffffff"),
];

/// The size of a cell in the picture's own unit.
const CELL: (f64, f64) = (8.4, 18.0);
const MARGIN: f64 = 10.0;

/// A drawing that any browser shows: text that can be searched, in the reader's own fixed-width font.
pub(crate) fn svg(buffer: &Buffer) -> String {
    let area = buffer.area;
    let (width, height) = (
        f64::from(area.width) * CELL.0 + 2.0 * MARGIN,
        f64::from(area.height) * CELL.1 + 2.0 * MARGIN,
    );
    let ground = buffer
        .content()
        .first()
        .map_or_else(|| hex(Color::Black, ""), |cell| hex(cell.bg, "#12151c"));
    let mut picture = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.1} {height:.1}\" width=\"{width:.0}\" \
         font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"14\" \
         xml:space=\"preserve\">\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{ground}\"/>\n"
    );
    for row in 0..area.height {
        let top = MARGIN + f64::from(row) * CELL.1;
        for run in runs(buffer, row) {
            let (mut fg, mut bg) = (hex(run.look.fg, "#cfd6e4"), hex(run.look.bg, &ground));
            if run.look.modifier.contains(Modifier::REVERSED) {
                std::mem::swap(&mut fg, &mut bg);
            }
            let left = MARGIN + f64::from(run.column) * CELL.0;
            let wide = f64::from(super::units::to_u16(run.width)) * CELL.0;
            if bg != ground {
                let _ = writeln!(
                    picture,
                    "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{wide:.1}\" height=\"{:.0}\" fill=\"{bg}\"/>",
                    CELL.1
                );
            }
            if run.text.trim().is_empty() {
                continue;
            }
            // The length is told, so that no font can shift what stands below each other.
            let _ = writeln!(
                picture,
                "<text x=\"{left:.1}\" y=\"{:.1}\" textLength=\"{wide:.1}\" fill=\"{fg}\"{}>{}</text>",
                top + 13.5,
                attributes(run.look.modifier),
                escaped(&run.text)
            );
        }
    }
    picture.push_str("</svg>\n");
    picture
}

fn attributes(modifier: Modifier) -> String {
    let mut all = String::new();
    for (part, attribute) in [
        (Modifier::BOLD, " font-weight=\"bold\""),
        (Modifier::DIM, " opacity=\"0.7\""),
        (Modifier::ITALIC, " font-style=\"italic\""),
        (Modifier::UNDERLINED, " text-decoration=\"underline\""),
    ] {
        if modifier.contains(part) {
            all.push_str(attribute);
        }
    }
    all
}

/// A colour as SVG writes it; the terminal's own is `default`.
fn hex(color: Color, default: &str) -> String {
    match color {
        Color::Rgb(red, green, blue) => format!("#{red:02x}{green:02x}{blue:02x}"),
        Color::Indexed(at) => {
            const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
            let [red, green, blue] = match at {
                0..16 => return ANSI[usize::from(at)].1.to_string(),
                16..232 => {
                    [(at - 16) / 36, (at - 16) / 6 % 6, (at - 16) % 6].map(|level| LEVELS[usize::from(level)])
                }
                232.. => [8 + 10 * (at - 232); 3],
            };
            format!("#{red:02x}{green:02x}{blue:02x}")
        }
        color => ANSI
            .iter()
            .find(|(known, _)| *known == color)
            .map_or(default, |(_, value)| value)
            .to_string(),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    fn buffer() -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 8, 2));
        let style = Style::new().fg(Color::Rgb(1, 2, 3)).bg(Color::LightBlue);
        buffer.set_string(0, 0, "日<&", style.add_modifier(Modifier::BOLD));
        buffer.set_string(0, 1, "x", Style::new().add_modifier(Modifier::REVERSED));
        buffer
    }

    #[test]
    fn a_screen_is_written_in_three_ways() {
        assert_eq!(plain(&buffer()), "日<&\nx\n");
        assert_eq!(
            ansi(&buffer()),
            "\x1b[1;38;2;1;2;3;104m日<&\x1b[0m\n\x1b[7mx\x1b[0m\n"
        );
        let svg = svg(&buffer());
        for part in [
            "fill=\"#010203\" font-weight=\"bold\">日&lt;&amp;</text>",
            "textLength=\"33.6\"",
            "fill=\"#3b8eea\"/>",
            "</svg>\n",
        ] {
            assert!(svg.contains(part), "{part} in\n{svg}");
        }
        assert_eq!(svg.matches('<').count(), svg.matches('>').count());
    }

    #[test]
    fn fixed_colours_have_their_values() {
        assert_eq!(hex(Color::Indexed(16), ""), "#000000");
        assert_eq!(hex(Color::Indexed(196), ""), "#ff0000");
        assert_eq!(hex(Color::Indexed(255), ""), "#eeeeee");
        assert_eq!(hex(Color::Reset, "#abcdef"), "#abcdef");
    }
}
