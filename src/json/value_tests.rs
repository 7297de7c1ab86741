use arrow::array::Array as _;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::*;
use crate::types::parse_ddl_type;

const TEXTS: [Option<&str>; 18] = [
    Some(r#"{"k":"a","v":1}"#),
    Some("{oops"),
    Some(r#"{"k":"b","v":"x"}"#),
    Some(r#"{"k":3,"v":2.5}"#),
    Some("[]"),
    Some(r#"[{"k":"q"}]"#),
    Some(""),
    Some("  "),
    Some("null"),
    None,
    Some("5"),
    Some("{}"),
    Some(r#"{"k":{"a": 1}}"#),
    Some(r#"{"k":[1, 2.50,"\u0041"]}"#),
    Some(r#"{"k":"a"} x"#),
    Some(r#"{"k":1.50}"#),
    Some(r#"{"k":{"a":1e3}}"#),
    Some(r#""k""#),
];

fn decode(schema: &str, texts: &[Option<&str>]) -> Vec<String> {
    let data_type = parse_ddl_type(schema, "UTC").expect("a type");
    let array = decode_values(texts.iter().copied(), &data_type, JsonOptions::default()).expect("values");
    let format = FormatOptions::default().with_null("null");
    let formatter = ArrayFormatter::try_new(array.as_ref(), &format).expect("a format");
    assert_eq!(array.len(), texts.len());
    (0..array.len())
        .map(|row| formatter.value(row).to_string())
        .collect()
}

/// What Spark 4.3.0's `from_json` gives for the texts above.
#[test]
fn values_as_spark_reads_them() {
    assert_eq!(
        decode("k STRING, v INT", &TEXTS),
        [
            "{k: a, v: 1}",
            "{k: null, v: null}",
            "{k: b, v: null}",
            "{k: 3, v: null}",
            "{k: null, v: null}",
            "{k: null, v: null}",
            "null",
            "null",
            "{k: null, v: null}",
            "null",
            "{k: null, v: null}",
            "{k: null, v: null}",
            "{k: {\"a\":1}, v: null}",
            "{k: [1,2.5,\"A\"], v: null}",
            "{k: a, v: null}",
            "{k: 1.5, v: null}",
            "{k: {\"a\":1000.0}, v: null}",
            "{k: null, v: null}",
        ]
    );
    assert_eq!(
        decode("array<struct<k:string>>", &TEXTS),
        [
            "[{k: a}]",
            "null",
            "[{k: b}]",
            "[{k: 3}]",
            "[]",
            "[{k: q}]",
            "null",
            "null",
            "null",
            "null",
            "null",
            "[{k: null}]",
            "[{k: {\"a\":1}}]",
            "[{k: [1,2.5,\"A\"]}]",
            "[{k: a}]",
            "[{k: 1.5}]",
            "[{k: {\"a\":1000.0}}]",
            "null",
        ]
    );
    assert_eq!(
        decode("map<string,string>", &TEXTS),
        [
            "{k: a, v: 1}",
            "null",
            "{k: b, v: x}",
            "{k: 3, v: 2.5}",
            "null",
            "null",
            "null",
            "null",
            "null",
            "null",
            "null",
            "{}",
            "{k: {\"a\":1}}",
            "{k: [1,2.5,\"A\"]}",
            "{k: a}",
            "{k: 1.5}",
            "{k: {\"a\":1000.0}}",
            "null",
        ]
    );
    let arrays = decode("array<int>", &TEXTS);
    assert_eq!(
        arrays.iter().filter(|value| *value != "null").collect::<Vec<_>>(),
        ["[]"]
    );
}

#[test]
fn bad_values_go_into_the_corrupt_column() {
    assert_eq!(
        decode("k STRING, v INT, _corrupt_record STRING", &TEXTS[..11]),
        [
            "{k: a, v: 1, _corrupt_record: null}",
            "{k: null, v: null, _corrupt_record: {oops}",
            "{k: b, v: null, _corrupt_record: {\"k\":\"b\",\"v\":\"x\"}}",
            "{k: 3, v: null, _corrupt_record: {\"k\":3,\"v\":2.5}}",
            "{k: null, v: null, _corrupt_record: []}",
            "{k: null, v: null, _corrupt_record: [{\"k\":\"q\"}]}",
            "null",
            "null",
            "{k: null, v: null, _corrupt_record: null}",
            "null",
            "{k: null, v: null, _corrupt_record: 5}",
        ]
    );
}

#[test]
fn partial_values_inside_arrays_stay() {
    let texts = [
        Some(r#"[{"k":"x"},{"k":1}]"#),
        Some(r#"{"k":"x"}"#),
        Some("[1]"),
        Some("[{},"),
    ];
    assert_eq!(
        decode("array<struct<k:int>>", &texts),
        ["[{k: null}, {k: 1}]", "[{k: null}]", "null", "null"]
    );
}

#[test]
fn modes_and_types_that_are_refused() {
    let ddl = |text| parse_ddl_type(text, "UTC").expect("a type");
    let with_mode = |mode| JsonOptions {
        mode,
        ..JsonOptions::default()
    };
    let error =
        decode_values([Some("{oops")], &ddl("a INT"), with_mode(ParseMode::FailFast)).expect_err("bad");
    assert_eq!(
        error.message(),
        "malformed record, expected a name in quotes at character 2: {oops"
    );
    let error = decode_values(
        [Some("{\"a\":true}")],
        &ddl("a INT"),
        with_mode(ParseMode::FailFast),
    )
    .expect_err("bad");
    assert_eq!(
        error.message(),
        "malformed record, true is not of type int: {\"a\":true}"
    );
    for (schema, mode) in [
        ("a INT", ParseMode::DropMalformed),
        ("int", ParseMode::Permissive),
    ] {
        let error = JsonValueDecoder::try_new(&ddl(schema), with_mode(mode)).expect_err("refused");
        assert_eq!(error.kind(), crate::error::ErrorKind::Statement);
    }
}
