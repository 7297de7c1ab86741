use std::sync::Arc;

use arrow::array::*;
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::*;

use super::*;

/// A batch of one column `v`.
fn batch_of(array: ArrayRef) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable([("v", array, true)]).expect("a batch")
}

/// The value of row 0 in Highwater's JSON.
fn row(array: impl Array + 'static) -> String {
    let mut out = String::new();
    write_json_rows(&[batch_of(Arc::new(array))], &mut out).expect("JSON");
    let _: serde_json::Value = serde_json::from_str(&out).expect("valid JSON");
    let start = "[{\"v\":".len();
    let end = out.find("},{\"v\":").unwrap_or(out.len() - 2);
    out[start..end].to_string()
}

/// The value of row 0 in the JSON of Spark's sink.
fn line(array: impl Array + 'static) -> String {
    let mut out = String::new();
    write_json_lines(&[batch_of(Arc::new(array))], true, &mut out).expect("JSON");
    let first = out.lines().next().expect("a line");
    let _: serde_json::Value = serde_json::from_str(first).expect("valid JSON");
    first["{\"v\":".len()..first.len() - 1].to_string()
}

const NINE: i64 = 1_767_258_000;

#[test]
fn numbers() {
    assert_eq!(row(Int8Array::from(vec![-8])), "-8");
    assert_eq!(row(Int16Array::from(vec![-16])), "-16");
    assert_eq!(row(Int32Array::from(vec![-32])), "-32");
    assert_eq!(row(Int64Array::from(vec![i64::MIN])), "-9223372036854775808");
    assert_eq!(row(UInt8Array::from(vec![8])), "8");
    assert_eq!(row(UInt16Array::from(vec![16])), "16");
    assert_eq!(row(UInt32Array::from(vec![32])), "32");
    assert_eq!(row(UInt64Array::from(vec![u64::MAX])), "18446744073709551615");
    assert_eq!(row(Float32Array::from(vec![0.1])), "0.1");
    assert_eq!(row(Float64Array::from(vec![24.5])), "24.5");
    assert_eq!(row(Float64Array::from(vec![f64::NAN])), "\"NaN\"");
    assert_eq!(row(Float64Array::from(vec![f64::NEG_INFINITY])), "\"-Infinity\"");
    assert_eq!(line(Float64Array::from(vec![1e10])), "1.0E10");
    assert_eq!(line(Float64Array::from(vec![f64::NAN])), "\"NaN\"");
    assert_eq!(row(BooleanArray::from(vec![true])), "true");
    let half = arrow::compute::cast(&Float32Array::from(vec![1.5]), &DataType::Float16).expect("a cast");
    assert_eq!(row(half), "1.5");
}

#[test]
fn decimals() {
    let of = |value: i128, to: DataType| {
        let array = Decimal128Array::from(vec![value])
            .with_precision_and_scale(9, 2)
            .expect("a decimal");
        arrow::compute::cast(&array, &to).expect("a cast")
    };
    for to in [
        DataType::Decimal32(9, 2),
        DataType::Decimal64(9, 2),
        DataType::Decimal128(9, 2),
        DataType::Decimal256(9, 2),
    ] {
        assert_eq!(row(of(-2450, to.clone())), "\"-24.50\"");
        assert_eq!(line(of(5, to)), "0.05");
    }
}

#[test]
fn text_and_bytes() {
    let nasty = "a\"\u{1b}[31m\u{9b}\u{202e}\u{e9}";
    let escaped = "\"a\\\"\\u001b[31m\\u009b\\u202e\u{e9}\"";
    assert_eq!(row(StringArray::from(vec![nasty])), escaped);
    assert_eq!(row(LargeStringArray::from(vec![nasty])), escaped);
    assert_eq!(row(StringViewArray::from(vec![nasty])), escaped);
    assert_eq!(
        line(StringArray::from(vec![nasty])),
        "\"a\\\"\\u001b[31m\u{9b}\u{202e}\u{e9}\""
    );
    let bytes: &[u8] = &[0, 255, 16];
    assert_eq!(row(BinaryArray::from(vec![bytes])), "\"00ff10\"");
    assert_eq!(row(LargeBinaryArray::from(vec![bytes])), "\"00ff10\"");
    assert_eq!(row(BinaryViewArray::from(vec![bytes])), "\"00ff10\"");
    let fixed = FixedSizeBinaryArray::try_from_iter([bytes].into_iter()).expect("bytes");
    assert_eq!(row(fixed), "\"00ff10\"");
    assert_eq!(line(BinaryArray::from(vec![bytes])), "\"AP8Q\"");
}

#[test]
fn times() {
    assert_eq!(
        row(TimestampSecondArray::from(vec![NINE])),
        "\"2026-01-01T09:00:00Z\""
    );
    assert_eq!(
        row(TimestampMillisecondArray::from(vec![NINE * 1_000 + 50]).with_timezone("Europe/Berlin")),
        "\"2026-01-01T09:00:00.05Z\""
    );
    assert_eq!(
        row(TimestampMicrosecondArray::from(vec![NINE * 1_000_000 + 1]).with_timezone_utc()),
        "\"2026-01-01T09:00:00.000001Z\""
    );
    assert_eq!(
        row(TimestampNanosecondArray::from(vec![NINE * 1_000_000_000 + 1])),
        "\"2026-01-01T09:00:00Z\""
    );
    let zoned = TimestampMicrosecondArray::from(vec![NINE * 1_000_000]).with_timezone("+02:00");
    assert_eq!(line(zoned), "\"2026-01-01T11:00:00.000+02:00\"");
    let bare = TimestampMicrosecondArray::from(vec![NINE * 1_000_000]);
    assert_eq!(line(bare), "\"2026-01-01T09:00:00.000\"");
    assert_eq!(row(Date32Array::from(vec![20_454])), "\"2026-01-01\"");
    assert_eq!(row(Date64Array::from(vec![NINE * 1_000])), "\"2026-01-01\"");
    assert_eq!(row(Time32SecondArray::from(vec![32_400])), "\"09:00:00\"");
    assert_eq!(
        row(Time32MillisecondArray::from(vec![32_400_500])),
        "\"09:00:00.5\""
    );
    assert_eq!(row(Time64MicrosecondArray::from(vec![1])), "\"00:00:00.000001\"");
    assert_eq!(
        row(Time64NanosecondArray::from(vec![1_000_000_000])),
        "\"00:00:01\""
    );
    let second = "\"INTERVAL '0 00:00:01' DAY TO SECOND\"";
    assert_eq!(row(DurationSecondArray::from(vec![1])), second);
    assert_eq!(row(DurationMillisecondArray::from(vec![1_000])), second);
    assert_eq!(row(DurationMicrosecondArray::from(vec![1_000_000])), second);
    assert_eq!(row(DurationNanosecondArray::from(vec![1_000_000_000])), second);
    assert_eq!(
        row(IntervalYearMonthArray::from(vec![14])),
        "\"INTERVAL '1-2' YEAR TO MONTH\""
    );
    let day_time = IntervalDayTimeArray::from(vec![IntervalDayTime::new(1, 1_500)]);
    assert_eq!(row(day_time), "\"1 days 1.5 seconds\"");
    let mixed = IntervalMonthDayNanoArray::from(vec![IntervalMonthDayNano::new(1, 2, 0)]);
    assert_eq!(row(mixed), "\"1 months 2 days\"");
}

#[test]
fn nulls_are_explicit_or_left_out() {
    let batch = RecordBatch::try_from_iter_with_nullable([
        (
            "a",
            Arc::new(Int32Array::from(vec![None, Some(1)])) as ArrayRef,
            true,
        ),
        (
            "b",
            Arc::new(StringArray::from(vec![Some("x"), None])) as ArrayRef,
            true,
        ),
        ("c", Arc::new(NullArray::new(2)) as ArrayRef, true),
    ])
    .expect("a batch");
    let batches = [batch.slice(0, 1), batch.slice(1, 1)];
    let mut out = String::new();
    write_json_rows(&batches, &mut out).expect("JSON");
    assert_eq!(out, r#"[{"a":null,"b":"x","c":null},{"a":1,"b":null,"c":null}]"#);
    out.clear();
    write_json_lines(&batches, false, &mut out).expect("JSON");
    assert_eq!(out, "{\"b\":\"x\"}\n{\"a\":1}\n");
    out.clear();
    write_json_lines(&batches[..1], true, &mut out).expect("JSON");
    assert_eq!(out, "{\"a\":null,\"b\":\"x\",\"c\":null}\n");
    out.clear();
    write_json_rows(&[], &mut out).expect("JSON");
    assert_eq!(out, "[]");
}

#[test]
fn nested_values() {
    let window = StructArray::from(vec![
        (
            Arc::new(Field::new(
                "start",
                DataType::Timestamp(TimeUnit::Second, None),
                true,
            )),
            Arc::new(TimestampSecondArray::from(vec![Some(NINE), None])) as ArrayRef,
        ),
        (
            Arc::new(Field::new("n \"q\"", DataType::Int32, true)),
            Arc::new(Int32Array::from(vec![None, Some(1)])) as ArrayRef,
        ),
    ]);
    assert_eq!(
        row(window.clone()),
        r#"{"start":"2026-01-01T09:00:00Z","n \"q\"":null}"#
    );
    let mut out = String::new();
    write_json_lines(&[batch_of(Arc::new(window))], false, &mut out).expect("JSON");
    assert_eq!(
        out,
        "{\"v\":{\"start\":\"2026-01-01T09:00:00.000\"}}\n{\"v\":{\"n \\\"q\\\"\":1}}\n"
    );

    let item = || Arc::new(Field::new("item", DataType::Int32, true));
    let values: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None, Some(3)]));
    let lists: [ArrayRef; 5] = [
        Arc::new(ListArray::new(
            item(),
            OffsetBuffer::from_lengths([3]),
            Arc::clone(&values),
            None,
        )),
        Arc::new(LargeListArray::new(
            item(),
            OffsetBuffer::from_lengths([3]),
            Arc::clone(&values),
            None,
        )),
        Arc::new(FixedSizeListArray::new(item(), 3, Arc::clone(&values), None)),
        Arc::new(ListViewArray::new(
            item(),
            ScalarBuffer::from(vec![0]),
            ScalarBuffer::from(vec![3]),
            Arc::clone(&values),
            None,
        )),
        Arc::new(LargeListViewArray::new(
            item(),
            ScalarBuffer::from(vec![0]),
            ScalarBuffer::from(vec![3]),
            Arc::clone(&values),
            None,
        )),
    ];
    for list in lists {
        assert_eq!(row(list), "[1,null,3]");
    }
}

#[test]
fn map_keys_are_text() {
    let mut builder = MapBuilder::new(None, Int32Builder::new(), StringBuilder::new());
    builder.keys().append_value(1);
    builder.values().append_value("a");
    builder.keys().append_value(2);
    builder.values().append_null();
    builder.append(true).expect("a map");
    assert_eq!(row(builder.finish()), r#"{"1":"a","2":null}"#);
    let mut builder = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    builder.keys().append_value("k\n");
    builder.values().append_value(1);
    builder.append(true).expect("a map");
    assert_eq!(row(builder.finish()), r#"{"k\n":1}"#);
}

#[test]
fn encoded_columns() {
    let dictionary: DictionaryArray<Int8Type> = vec![None, Some("a"), None].into_iter().collect();
    assert_eq!(row(dictionary.slice(1, 1)), "\"a\"");
    assert_eq!(row(dictionary), "null");
    let runs = RunArray::<Int32Type>::try_new(
        &Int32Array::from(vec![2, 3]),
        &StringArray::from(vec![Some("r"), None]),
    )
    .expect("runs");
    assert_eq!(row(runs.slice(1, 2)), "\"r\"");
    assert_eq!(row(runs.slice(2, 1)), "null");
    let mut union = UnionBuilder::new_dense();
    union.append::<Int32Type>("i", 7).expect("a value");
    union.append::<Float64Type>("f", 0.5).expect("a value");
    let union = union.build().expect("a union");
    assert_eq!(row(union.clone()), "7");
    assert_eq!(row(union.slice(1, 1)), "0.5");
}
