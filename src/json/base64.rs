//! Base64 as Jackson reads it: padded, blanks only between groups of four, groups with padding anywhere.

/// Appends what `text` stands for to `out`; `false`, with nothing appended, if it is not base64.
pub(super) fn decode(text: &[u8], out: &mut Vec<u8>) -> bool {
    let before = out.len();
    let is_right = decode_groups(text, out).is_some();
    if !is_right {
        out.truncate(before);
    }
    is_right
}

fn decode_groups(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut rest = text.trim_ascii_start();
    while !rest.is_empty() {
        let (group, behind) = rest.split_first_chunk::<4>()?;
        let padding = match group {
            [_, _, b'=', b'='] => 2,
            [_, _, _, b'='] => 1,
            _ => 0,
        };
        let bits = group[..4 - padding]
            .iter()
            .try_fold(0_u32, |bits, letter| Some(bits << 6 | sextet(*letter)?))?;
        let [_, bytes @ ..] = (bits << (6 * padding)).to_be_bytes();
        out.extend_from_slice(&bytes[..3 - padding]);
        rest = behind.trim_ascii_start();
    }
    Some(())
}

fn sextet(letter: u8) -> Option<u32> {
    let value = match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Spark 4.3.0 reads into a BINARY column.
    #[test]
    fn as_spark_reads_it() {
        for (text, expected) in [
            ("aGk=", Some("hi")),
            ("aGk", None),
            ("a GkK", None),
            ("!!", None),
            ("", Some("")),
            ("aGk=\n", Some("hi")),
            ("a", None),
            ("aG", None),
            ("_-==", None),
            ("aGk=aGk=", Some("hihi")),
            ("aGVsbG8gd29ybGQ=", Some("hello world")),
            ("a===", None),
        ] {
            let mut out = b"x".to_vec();
            let is_right = decode(text.as_bytes(), &mut out);
            assert_eq!(
                is_right.then_some(&out[1..]),
                expected.map(str::as_bytes),
                "{text:?}"
            );
            assert!(is_right || out == b"x", "{text:?}");
        }
    }
}
