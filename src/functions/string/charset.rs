//! `encode` and `decode`: texts and their bytes in a charset.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_datafusion_err, exec_err};
use datafusion::logical_expr::ScalarUDF;

use crate::functions::support::Kind::{Binary, Text};
use crate::functions::support::{Call, Function, map_text, params, returns};

/// The functions of this file.
pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    vec![
        Function::new(
            "encode",
            params(&[Text, Text]),
            returns!(DataType::Binary),
            |call| {
                let charsets = call.text(1);
                let bytes = map_text(call, |text, row| {
                    if charsets.is_null(row) {
                        return Ok(None);
                    }
                    encode(text, Charset::parse(charsets.value(row))?).map(Some)
                })?;
                Ok(Arc::new(BinaryArray::from_iter(bytes)))
            },
        )
        .udf(),
        Function::new(
            "decode",
            params(&[Binary, Text]),
            returns!(DataType::Utf8),
            decode_all,
        )
        .udf(),
    ]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Charset {
    Utf8,
    Ascii,
    Latin1,
    /// With a mark of the byte order in front.
    Utf16,
    Utf16Be,
    Utf16Le,
}

impl Charset {
    fn parse(name: &str) -> Result<Self> {
        Ok(match name.to_ascii_lowercase().as_str() {
            "utf-8" => Self::Utf8,
            "us-ascii" => Self::Ascii,
            "iso-8859-1" => Self::Latin1,
            "utf-16" => Self::Utf16,
            "utf-16be" => Self::Utf16Be,
            "utf-16le" => Self::Utf16Le,
            _ => {
                return exec_err!(
                    "there is no charset '{name}': write UTF-8, US-ASCII, ISO-8859-1, UTF-16, UTF-16BE or UTF-16LE"
                );
            }
        })
    }
}

fn encode(text: &str, charset: Charset) -> Result<Vec<u8>> {
    let units = |mark: &[u8], bytes: fn(u16) -> [u8; 2]| {
        let mut encoded = mark.to_vec();
        encoded.extend(text.encode_utf16().flat_map(bytes));
        encoded
    };
    let single = |limit: u32| {
        let bytes = text.chars().map(|letter| {
            u8::try_from(u32::from(letter))
                .ok()
                .filter(|byte| u32::from(*byte) < limit)
        });
        bytes.collect::<Option<Vec<u8>>>()
    };
    let encoded = match charset {
        Charset::Utf8 => Some(text.as_bytes().to_vec()),
        Charset::Ascii => single(128),
        Charset::Latin1 => single(256),
        Charset::Utf16 => Some(units(&[0xfe, 0xff], u16::to_be_bytes)),
        Charset::Utf16Be => Some(units(&[], u16::to_be_bytes)),
        Charset::Utf16Le => Some(units(&[], u16::to_le_bytes)),
    };
    encoded.ok_or_else(|| exec_datafusion_err!("'{text}' has a character that the charset lacks"))
}

fn decode_all(call: &Call) -> Result<ArrayRef> {
    let charsets = call.text(1);
    let values = call.args[0].as_binary::<i32>().iter().enumerate();
    let texts = values.map(|(row, bytes)| match bytes {
        Some(bytes) if charsets.is_valid(row) => {
            decode(bytes, Charset::parse(charsets.value(row))?).map(Some)
        }
        _ => Ok(None),
    });
    Ok(Arc::new(texts.collect::<Result<StringArray>>()?))
}

fn decode(bytes: &[u8], charset: Charset) -> Result<String> {
    let units = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let pairs = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
        String::from_utf16(&pairs.collect::<Vec<_>>()).ok()
    };
    let decoded = match charset {
        Charset::Utf8 => String::from_utf8(bytes.to_vec()).ok(),
        Charset::Ascii => bytes
            .is_ascii()
            .then(|| bytes.iter().copied().map(char::from).collect()),
        Charset::Latin1 => Some(bytes.iter().copied().map(char::from).collect()),
        Charset::Utf16 => match bytes {
            [0xff, 0xfe, rest @ ..] => units(rest, u16::from_le_bytes),
            [0xfe, 0xff, rest @ ..] => units(rest, u16::from_be_bytes),
            bytes => units(bytes, u16::from_be_bytes),
        },
        Charset::Utf16Be => units(bytes, u16::from_be_bytes),
        Charset::Utf16Le => units(bytes, u16::from_le_bytes),
    };
    decoded.ok_or_else(|| exec_datafusion_err!("the bytes are no text in that charset"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded() {
        for charset in [
            Charset::Utf8,
            Charset::Latin1,
            Charset::Utf16,
            Charset::Utf16Be,
            Charset::Utf16Le,
        ] {
            let bytes = encode("né", charset).expect("bytes");
            assert_eq!(decode(&bytes, charset).expect("a text"), "né", "{charset:?}");
        }
        assert!(encode("é", Charset::Ascii).is_err());
        assert!(decode(&[0xff], Charset::Utf8).is_err());
    }
}
