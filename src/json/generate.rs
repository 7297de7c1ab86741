//! Writes a value anew as Jackson's generator does: without blanks, texts in double quotes with the escapes they need.
//!
//! This is what `from_json` puts into a STRING field where the record has an array or an object.

use std::io::Write as _;

use super::numbers;
use super::scan_text::Text;
use super::scanner::{Scan, Scanner};

/// Appends the value at `start`, which was skipped already and so is right.
pub(super) fn generate(scanner: &Scanner<'_>, start: usize, out: &mut Vec<u8>) -> Scan<()> {
    let mut copy = Scanner::new(&scanner.bytes[..scanner.at], scanner.grammar);
    copy.at = start;
    write_value(&mut copy, out)
}

fn write_value(scanner: &mut Scanner<'_>, out: &mut Vec<u8>) -> Scan<()> {
    match scanner.skip_blanks()? {
        quote if scanner.is_quote(quote) => {
            let text = scanner.text()?;
            write_text(scanner, text, out)
        }
        b'{' => {
            out.push(b'{');
            scanner.enter()?;
            let mut more = scanner.first_member()?;
            while more {
                let name = scanner.name()?;
                write_text(scanner, name, out)?;
                out.push(b':');
                write_value(scanner, out)?;
                more = scanner.next_member()?;
                if more {
                    out.push(b',');
                }
            }
            out.push(b'}');
            Ok(())
        }
        b'[' => {
            out.push(b'[');
            scanner.enter()?;
            let mut more = scanner.first_element()?;
            while more {
                write_value(scanner, out)?;
                more = scanner.next_element()?;
                if more {
                    out.push(b',');
                }
            }
            out.push(b']');
            Ok(())
        }
        b't' => write_word(scanner, b"true", out),
        b'f' => write_word(scanner, b"false", out),
        b'n' => write_word(scanner, b"null", out),
        _ => {
            let number = scanner.number()?;
            numbers::generate(&number, &scanner.bytes[number.start..number.end], out);
            Ok(())
        }
    }
}

fn write_word(scanner: &mut Scanner<'_>, word: &'static [u8], out: &mut Vec<u8>) -> Scan<()> {
    scanner.word(word)?;
    out.extend_from_slice(word);
    Ok(())
}

fn write_text(scanner: &Scanner<'_>, text: Text, out: &mut Vec<u8>) -> Scan<()> {
    let mut unescaped = Vec::new();
    scanner.unescape(text, &mut unescaped)?;
    out.push(b'"');
    for byte in unescaped {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            8 => out.extend_from_slice(b"\\b"),
            12 => out.extend_from_slice(b"\\f"),
            // Writing to a Vec does not fail.
            0..b' ' => drop(write!(out, "\\u{byte:04X}")),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::options::JsonOptions;
    use super::super::scanner::Grammar;
    use super::*;

    #[test]
    fn values_are_written_compactly() {
        let text = r#" { 'a' : [ 1 , 2.50, "\u0041\"\/\u0001é\n" ] , "b" : { } , "c" : [ ] , "d" : [null, true,false, 1e3] } "#;
        let mut scanner = Scanner::new(text.as_bytes(), Grammar::new(&JsonOptions::default()));
        let start = scanner.skip_value().expect("a value");
        let mut out = Vec::new();
        generate(&scanner, start, &mut out).expect("a value");
        assert_eq!(
            String::from_utf8_lossy(&out),
            r#"{"a":[1,2.5,"A\"/\u0001é\n"],"b":{},"c":[],"d":[null,true,false,1000.0]}"#
        );
    }
}
