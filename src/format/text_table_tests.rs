use std::sync::Arc;

use arrow::array::*;
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, TimeUnit};

use super::*;

fn shown(columns: Vec<(&str, ArrayRef)>, options: ShowOptions) -> String {
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )
    .expect("a batch");
    let rows = batch.num_rows();
    // In two halves, as a stream gives them.
    let halves = [batch.slice(0, rows / 2), batch.slice(rows / 2, rows - rows / 2)];
    show(&batch.schema(), &halves, options).expect("a table")
}

#[test]
fn a_table_as_spark_shows_it() {
    let table = shown(
        vec![
            ("user_id", Arc::new(StringArray::from(vec![Some("u01"), None]))),
            ("n", Arc::new(Int64Array::from(vec![2, 11]))),
            ("amount", Arc::new(Float64Array::from(vec![24.5, 1e10]))),
        ],
        ShowOptions::default(),
    );
    assert_eq!(
        table,
        "\
+-------+---+------+
|user_id|  n|amount|
+-------+---+------+
|    u01|  2|  24.5|
|   NULL| 11|1.0E10|
+-------+---+------+
"
    );
}

#[test]
fn long_values_and_further_rows_are_cut() {
    let values: ArrayRef = Arc::new(StringArray::from(vec!["abcdefghijklmnopqrstuvwxyz", "b", "c"]));
    let options = ShowOptions {
        num_rows: 2,
        truncate: Some(6),
    };
    assert_eq!(
        shown(vec![("v", Arc::clone(&values))], options),
        "+------+\n|     v|\n+------+\n|abc...|\n|     b|\n+------+\nonly showing top 2 rows\n"
    );
    let options = ShowOptions {
        num_rows: 1,
        truncate: Some(3),
    };
    assert_eq!(
        shown(vec![("v", Arc::clone(&values))], options),
        "+---+\n|  v|\n+---+\n|abc|\n+---+\nonly showing top 1 row\n"
    );
    assert_eq!(
        shown(vec![("v", values.slice(0, 2))], ShowOptions::ALL),
        "+--------------------------+\n|v                         |\n+--------------------------+\n\
         |abcdefghijklmnopqrstuvwxyz|\n|b                         |\n+--------------------------+\n"
    );
}

#[test]
fn no_rows_and_no_columns() {
    assert_eq!(
        shown(
            vec![("value", Arc::new(Int32Array::from(Vec::<i32>::new())))],
            ShowOptions::default()
        ),
        "+-----+\n|value|\n+-----+\n+-----+\n"
    );
    assert_eq!(
        show(&Schema::empty(), &[], ShowOptions::default()).expect("a table"),
        "++\n||\n++\n++\n"
    );
}

#[test]
fn columns_are_aligned_by_what_the_screen_shows() {
    let values: ArrayRef = Arc::new(StringArray::from(vec![
        "plain",
        "\u{4f60}\u{597d}",
        "e\u{301}",
        "\x1b[2J",
        "\u{202e}x\ny",
    ]));
    let table = shown(vec![("v\t", values)], ShowOptions::default());
    let widths: Vec<usize> = table.lines().map(safe_text::width).collect();
    assert_eq!(widths, vec![widths[0]; widths.len()], "{table}");
    assert!(
        !table.replace('\n', "").contains(safe_text::is_harmful),
        "{table:?}"
    );
    assert!(
        table.contains("|     \\x1b[2J|") && table.contains("|\\u{202e}x\\ny|"),
        "{table}"
    );
}

#[test]
fn nested_values_as_spark_shows_them() {
    let start = TimestampMicrosecondArray::from(vec![1_767_258_000_000_000]);
    let window: ArrayRef = Arc::new(StructArray::from(vec![
        (
            Arc::new(Field::new(
                "start",
                DataType::Timestamp(TimeUnit::Microsecond, None),
                true,
            )),
            Arc::new(start) as ArrayRef,
        ),
        (
            Arc::new(Field::new("n", DataType::Int32, true)),
            Arc::new(Int32Array::from(vec![None::<i32>])) as ArrayRef,
        ),
    ]));
    let list: ArrayRef = Arc::new(ListArray::new(
        Arc::new(Field::new("item", DataType::Float64, true)),
        OffsetBuffer::from_lengths([2]),
        Arc::new(Float64Array::from(vec![Some(2.0), None])),
        None,
    ));
    let mut map = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    map.keys().append_value("k");
    map.values().append_value(1);
    map.append(true).expect("a map");
    let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![&b"ab"[..]]));
    let table = shown(
        vec![
            ("s", window),
            ("l", list),
            ("m", Arc::new(map.finish())),
            ("b", bytes),
        ],
        ShowOptions::ALL,
    );
    assert!(
        table.contains("|{2026-01-01 09:00:00, NULL}|[2.0, NULL]|{k -> 1}|[61 62]|"),
        "{table}"
    );
}

#[test]
fn what_is_not_shown_of_a_long_value_is_not_written_either() {
    let text: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(1 << 20)]));
    let list: ArrayRef = Arc::new(ListArray::new(
        Arc::new(Field::new("item", DataType::Int32, false)),
        OffsetBuffer::from_lengths([1 << 20]),
        Arc::new(Int32Array::from_iter_values(0..1 << 20)),
        None,
    ));
    let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![&[7; 1 << 20][..]]));
    for (array, expected) in [(text, "xxxxxxx..."), (list, "[0, 1, ..."), (bytes, "[07 07 ...")] {
        let mut buffer = String::new();
        let cells = CellText::try_new(array.as_ref(), 10).expect("cells");
        let fitted = cells.cell(0, "...", &mut buffer);
        assert_eq!((fitted.text.as_ref(), fitted.is_cut), (expected, true));
        assert!(buffer.len() < 4096, "{} bytes for 10 columns", buffer.len());
    }
}
