use arrow::array::Array as _;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde::Deserialize;

use super::*;
use crate::types::parse_ddl;

/// What Spark answered for lines read by a schema; `tests/json/record.py` asked it.
const SPARK_ANSWERS: &str = include_str!("../../tests/json/spark_answers.json");

#[derive(Deserialize)]
struct Case {
    title: String,
    schema: String,
    options: serde_json::Map<String, serde_json::Value>,
    lines: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    line: Input,
    rows: Option<Vec<Vec<String>>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Input {
    Text(String),
    Bytes(Vec<u8>),
}

impl Input {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

fn decoder(schema: &str, settings: &[(&str, &str)]) -> JsonDecoder {
    let mut options = JsonOptions::default();
    for (name, value) in settings {
        assert!(options.set(name, value).expect("an option"), "{name}");
    }
    let schema = parse_ddl(schema, options.time_zone.id()).expect("a schema");
    JsonDecoder::try_new(schema, options).expect("a decoder")
}

/// The rows as texts, timestamps in UTC.
fn rows_of(batch: &RecordBatch) -> Vec<Vec<String>> {
    let format = FormatOptions::default().with_null("null");
    let utc = arrow::datatypes::TimeUnit::Microsecond;
    let columns: Vec<ArrayRef> = batch
        .columns()
        .iter()
        .map(|column| match column.data_type() {
            DataType::Timestamp(..) => arrow::compute::cast(
                &arrow::compute::cast(column, &DataType::Int64).expect("micros"),
                &DataType::Timestamp(utc, None),
            )
            .expect("a timestamp"),
            _ => Arc::clone(column),
        })
        .collect();
    let formatters: Vec<ArrayFormatter> = columns
        .iter()
        .map(|column| ArrayFormatter::try_new(column.as_ref(), &format).expect("a format"))
        .collect();
    (0..batch.num_rows())
        .map(|row| {
            formatters
                .iter()
                .map(|column| column.value(row).to_string())
                .collect()
        })
        .collect()
}

fn decode(schema: &str, settings: &[(&str, &str)], lines: &[&str]) -> Vec<Vec<String>> {
    let mut decoder = decoder(schema, settings);
    for line in lines {
        decoder.decode_line(line.as_bytes()).expect(line);
    }
    rows_of(&decoder.flush().expect("a batch"))
}

fn spark_cases() -> Vec<Case> {
    serde_json::from_str(SPARK_ANSWERS).expect("the recorded answers")
}

#[test]
fn lines_as_spark_reads_them() {
    let mut wrong = Vec::new();
    let mut compared = 0;
    for case in spark_cases() {
        let settings: Vec<(&str, &str)> = case
            .options
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap_or("")))
            .collect();
        for Line { line, rows } in &case.lines {
            // A new decoder each time: what was read before must not matter here.
            let mut decoder = decoder(&case.schema, &settings);
            let actual = decoder
                .decode_line(line.bytes())
                .and_then(|()| decoder.flush())
                .ok()
                .map(|batch| rows_of(&batch));
            compared += 1;
            if actual != *rows {
                let line = shown_record(line.bytes());
                wrong.push(format!(
                    "{}: {line}\n  spark {rows:?}\n  here  {actual:?}",
                    case.title
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {compared} differ\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(compared > 300, "only {compared} lines");
}

/// The same lines through one decoder: what one record left behind must not show in the next.
#[test]
fn records_do_not_disturb_each_other() {
    for case in spark_cases() {
        let settings: Vec<(&str, &str)> = case
            .options
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap_or("")))
            .collect();
        let mut together = decoder(&case.schema, &settings);
        let mut expected = Vec::new();
        // Twice, so that the names are known the second time.
        for Line { line, .. } in case.lines.iter().chain(&case.lines) {
            let mut alone = decoder(&case.schema, &settings);
            let is_read = alone.decode_line(line.bytes()).is_ok();
            assert_eq!(together.decode_line(line.bytes()).is_ok(), is_read);
            expected.extend(rows_of(&alone.flush().expect("a batch")));
            assert_eq!(
                together.num_rows(),
                expected.len(),
                "{}",
                shown_record(line.bytes())
            );
        }
        assert_eq!(
            rows_of(&together.flush().expect("a batch")),
            expected,
            "{}",
            case.title
        );
        assert_eq!(together.num_rows(), 0);
    }
}

#[test]
fn only_the_columns_asked_for_decide() {
    let line = r#"{"a":"x","b":"not a number","c":[1,{"d":null}],"e":2.5}"#;
    // A column that is not asked for cannot make a record bad, what is no JSON always does.
    assert_eq!(
        decode("e DOUBLE, _corrupt_record STRING", &[], &[line]),
        [["2.5", "null"]]
    );
    let cut = &line[..line.len() - 1];
    assert_eq!(
        decode("e DOUBLE, _corrupt_record STRING", &[], &[cut]),
        [["null", cut]]
    );
}

#[test]
fn without_columns_rows_are_counted() {
    let lines = [
        r#"{"a":1}"#,
        "",
        "   ",
        "null",
        "[]",
        r#"[{"a":1},{"a":2}]"#,
        "{oops",
    ];
    for (mode, expected) in [("PERMISSIVE", 5), ("DROPMALFORMED", 3)] {
        let mut options = JsonOptions::default();
        assert!(options.set("mode", mode).expect("an option"));
        let mut decoder = JsonDecoder::try_new(Arc::new(Schema::empty()), options).expect("a decoder");
        for line in lines {
            decoder.decode_line(line.as_bytes()).expect(line);
        }
        let batch = decoder.flush().expect("a batch");
        assert_eq!((batch.num_rows(), batch.num_columns()), (expected, 0), "{mode}");
        assert_eq!(decoder.flush().expect("a batch").num_rows(), 0);
    }
}

#[test]
fn failfast_says_what_is_wrong_and_shows_the_beginning() {
    for (line, message) in [
        (
            r#"{"a":"1","b":"x"}"#,
            r#"malformed record, "x" is not of type int: {"a":"1","b":"x"}"#,
        ),
        (
            "{oops",
            "malformed record, expected a name in quotes at character 2: {oops",
        ),
        (
            r#"{"a":"é" 1}"#,
            r#"malformed record, expected "," or "}" at character 10: {"a":"é" 1}"#,
        ),
        (
            "null",
            "malformed record, expected an object at character 1: null",
        ),
    ] {
        let mut decoder = decoder("a STRING, b INT", &[("mode", "FAILFAST")]);
        decoder.decode_line(br#"{"a":"good"}"#).expect("a good record");
        let error = decoder.decode_line(line.as_bytes()).expect_err(line);
        assert_eq!(error.kind(), crate::error::ErrorKind::Source);
        assert_eq!(error.message(), message);
        assert!(error.hint_text().is_some());
        // What came before is still there, and nothing of the bad one.
        assert_eq!(rows_of(&decoder.flush().expect("a batch")), [["good", "null"]]);
    }
    let long = format!(r#"{{"a":"{}","b":true}}"#, "x".repeat(1000));
    let error = decoder("b INT", &[("mode", "FAILFAST")])
        .decode_line(long.as_bytes())
        .expect_err("bad");
    assert!(error.message().chars().count() < 260, "{error}");
    assert!(
        error
            .message()
            .starts_with("malformed record, true is not of type int: {\"a\":\"xxx"),
        "{error}"
    );
}

#[test]
fn bytes_that_are_not_utf8_make_a_record_malformed() {
    let read = |line: &[u8]| {
        let mut decoder = decoder("a STRING, b INT, _corrupt_record STRING", &[]);
        decoder.decode_line(line).expect("permissive");
        rows_of(&decoder.flush().expect("a batch"))
    };
    // Jackson takes zero bytes in two bytes and reads on behind half a character; both are malformed here.
    for line in [
        &b"{\"a\":\"\xc3\",\"b\":1}"[..],
        b"{\"a\":\"\xc0\x80\",\"b\":1}",
        b"\xff",
        b"{\"b\":1,\"a\":\"\xed\xa0\x80\"}",
    ] {
        let text = String::from_utf8_lossy(line).into_owned();
        assert_eq!(read(line), [["null".to_owned(), "null".to_owned(), text]]);
    }
    assert_eq!(read(b"{\"b\":1} \xff"), [["null", "1", "null"]]);
}

#[test]
fn a_key_that_comes_twice_is_twice_in_a_map() {
    let rows = decode("m MAP<STRING, INT>", &[], &[r#"{"m":{"a":1,"a":2}}"#]);
    assert_eq!(rows, [["{a: 1, a: 2}"]]);
}

#[test]
fn a_time_alone_is_of_the_batchs_day() {
    let schema = parse_ddl("t TIMESTAMP", "UTC").expect("a schema");
    for (now_ms, expected) in [(Some(1_767_225_600_000), "2026-01-01T12:00:00"), (None, "null")] {
        let options = JsonOptions {
            now_ms,
            ..JsonOptions::default()
        };
        let mut decoder = JsonDecoder::try_new(Arc::clone(&schema), options).expect("a decoder");
        decoder.decode_line(br#"{"t":"12:00"}"#).expect("permissive");
        assert_eq!(rows_of(&decoder.flush().expect("a batch")), [[expected]]);
    }
}

#[test]
fn schemas_that_json_cannot_fill_are_refused() {
    let refused =
        |schema: SchemaRef| JsonDecoder::try_new(schema, JsonOptions::default()).expect_err("refused");
    let ddl = |text| parse_ddl(text, "UTC").expect("a schema");
    let error = refused(ddl("a INT, _corrupt_record INT"));
    assert_eq!(
        error.message(),
        "column \"_corrupt_record\" takes the text of corrupt records and is not a STRING"
    );
    let error = refused(ddl("a STRUCT<b: ARRAY<MAP<INT, STRING>>>"));
    assert_eq!(
        error.message(),
        "column \"a.b\" is a map<int,string>, and the keys of JSON objects are texts"
    );
    let field = arrow::datatypes::Field::new("u", DataType::UInt8, true);
    let error = refused(Arc::new(Schema::new(vec![field])));
    assert_eq!(
        error.message(),
        "column \"u\" of type smallint cannot be read from JSON"
    );
}

/// Records made at random and broken at random: nothing panics, what is right is what arrow-json reads, what is malformed
/// is what `serde_json` refuses.
#[test]
fn random_records_are_those_that_arrow_reads() {
    let schema = "i BIGINT, d DOUBLE, s STRING, b BOOLEAN, o STRUCT<i: BIGINT, s: STRING>, l ARRAY<BIGINT>, m MAP<STRING, DOUBLE>";
    let mut random = Random(7);
    let mut lines = Vec::new();
    for _ in 0..2000 {
        lines.push(random.record());
    }
    let rows = decode(schema, &[], &lines.iter().map(String::as_str).collect::<Vec<_>>());
    let mut other = arrow::json::ReaderBuilder::new(parse_ddl(schema, "UTC").expect("a schema"))
        .with_batch_size(lines.len())
        .build(std::io::Cursor::new(lines.join("\n")))
        .expect("a reader");
    let batch = other.next().expect("a batch").expect("right JSON");
    let expected = rows_of(&batch);
    assert_eq!(rows.len(), expected.len());
    for ((line, row), expected) in lines.iter().zip(&rows).zip(&expected) {
        assert_eq!(row, expected, "{line}");
    }

    let settings = [
        ("mode", "DROPMALFORMED"),
        ("allowSingleQuotes", "false"),
        ("allowNonNumericNumbers", "false"),
    ];
    for line in &mut lines {
        let mut bytes = std::mem::take(line).into_bytes();
        let at = random.below(bytes.len());
        bytes[at] = b"{}[]\":,\\ 0e-tx\x01\xff"[random.below(15)];
        let mut whole = decoder(schema, &[]);
        whole.decode_line(&bytes).expect("permissive");
        let rows = whole.num_rows();
        assert_eq!(whole.flush().expect("a batch").num_rows(), rows);
        let mut decoder = decoder("_none STRING", &settings);
        decoder.decode_line(&bytes).expect("permissive");
        // Only the first value of a line is looked at, and the one record a line must be an object.
        let first = serde_json::Deserializer::from_slice(&bytes)
            .into_iter::<serde_json::Value>()
            .next();
        let is_object = first.is_some_and(|value| value.is_ok_and(|value| value.is_object()));
        let text = String::from_utf8_lossy(&bytes);
        // serde_json refuses numbers beyond doubles and half pairs of surrogates, which are right for Jackson.
        if is_object || !text.contains('e') && !text.contains('\\') {
            assert_eq!(decoder.num_rows() == 1, is_object, "{text}");
        }
    }
}

/// Numbers that look random, the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % most
    }

    fn text(&mut self) -> String {
        (0..self.below(20))
            .map(|_| ["a", "Z", " ", "é", "😀", "\\n", "\\\"", "\\u00e9", "0", "}"][self.below(10)])
            .collect()
    }

    fn integer(&mut self) -> String {
        let bits = self.below(31);
        format!("{}{}", ["", "-"][self.below(2)], self.below(1 << bits))
    }

    fn double(&mut self) -> String {
        let exponent = ["", "e5", "E-7", "e+300", "e-320"][self.below(5)];
        format!("{}.{}{exponent}", self.integer(), self.below(1_000_000))
    }

    fn member(&mut self, name: &str) -> String {
        let value = match name {
            _ if self.below(8) == 0 => "null".to_owned(),
            "i" => self.integer(),
            "d" => self.double(),
            "b" => ["true", "false"][self.below(2)].to_owned(),
            "o" => format!("{{{},{}}}", self.member("s"), self.member("i")),
            "l" => format!("[{} , {}]", self.integer(), self.integer()),
            "m" => format!("{{\"k\":{}, \"é\" : {}}}", self.double(), self.double()),
            "x" => format!("[[],{{\"y\":{{}}}},\"{}\"]", self.text()),
            _ => format!("\"{}\"", self.text()),
        };
        format!("\"{name}\":{value}")
    }

    /// Some of the fields, in an order that mostly is the same.
    fn record(&mut self) -> String {
        let mut names = vec!["i", "d", "x", "s", "b", "o", "l", "m"];
        if self.below(5) == 0 {
            let (one, other) = (self.below(names.len()), self.below(names.len()));
            names.swap(one, other);
        }
        names.retain(|_| self.below(6) > 0);
        let members: Vec<String> = names.into_iter().map(|name| self.member(name)).collect();
        format!("{{{}}}", members.join([",", " , "][self.below(2)]))
    }
}
