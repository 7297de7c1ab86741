use super::*;
use crate::types::spark_type_name;

fn infer(lines: &[&str], settings: &[(&str, &str)]) -> Result<String> {
    let mut options = JsonOptions::default();
    for (name, value) in settings {
        assert!(options.set(name, value).expect("an option"), "{name}");
    }
    let schema = infer_schema(lines.iter().map(|line| line.as_bytes()), &options)?;
    Ok(spark_type_name(&DataType::Struct(schema.fields().clone())))
}

/// What Spark 4.3.0 infers: lines, options, schema.
#[expect(clippy::type_complexity, reason = "a table")]
const INFERRED: &[(&[&str], &[(&str, &str)], &str)] = &[
    (
        &["{\"b\":1,\"a\":\"x\"}", "{\"a\":null,\"c\":1.5}"],
        &[],
        "struct<a:string,b:bigint,c:double>",
    ),
    (&["{\"a\":1}", "{\"a\":1.5}"], &[], "struct<a:double>"),
    (&["{\"a\":1}", "{\"a\":\"x\"}"], &[], "struct<a:string>"),
    (&["{\"a\":1}", "{\"a\":true}"], &[], "struct<a:string>"),
    (&["{\"a\":null}"], &[], "struct<a:string>"),
    (&["{\"a\":\"\"}"], &[], "struct<a:string>"),
    (&["{\"a\":\"\"}", "{\"a\":1}"], &[], "struct<a:bigint>"),
    (&["{\"a\":[]}"], &[], "struct<a:array<string>>"),
    (&["{\"a\":[1,\"x\"]}"], &[], "struct<a:array<string>>"),
    (&["{\"a\":[1,2.5]}"], &[], "struct<a:array<double>>"),
    (&["{\"a\":{}}"], &[], "struct<>"),
    (
        &["{\"a\":{\"x\":1}}", "{\"a\":{\"y\":2}}"],
        &[],
        "struct<a:struct<x:bigint,y:bigint>>",
    ),
    (&["{\"a\":{\"x\":1}}", "{\"a\":5}"], &[], "struct<a:string>"),
    (&["{\"a\":[1]}", "{\"a\":{\"x\":1}}"], &[], "struct<a:string>"),
    (&["{\"a\":[null]}"], &[], "struct<a:array<string>>"),
    (&["{\"a\":9223372036854775808}"], &[], "struct<a:decimal(19,0)>"),
    (
        &["{\"a\":9223372036854775808}", "{\"a\":1}"],
        &[],
        "struct<a:decimal(20,0)>",
    ),
    (
        &["{\"a\":9223372036854775808}", "{\"a\":1.5}"],
        &[],
        "struct<a:double>",
    ),
    (
        &["{\"a\":1234567890123456789012345678901234567890}"],
        &[],
        "struct<a:double>",
    ),
    (
        &[
            "{\"a\":9223372036854775808}",
            "{\"a\":12345678901234567890123456789012345678}",
        ],
        &[],
        "struct<a:decimal(38,0)>",
    ),
    (
        &["{\"a\":1.50}"],
        &[("prefersDecimal", "true")],
        "struct<a:decimal(3,2)>",
    ),
    (
        &["{\"a\":1.50}", "{\"a\":100}"],
        &[("prefersDecimal", "true")],
        "struct<a:decimal(22,2)>",
    ),
    (
        &["{\"a\":\"1.50\"}"],
        &[("prefersDecimal", "true")],
        "struct<a:decimal(3,2)>",
    ),
    (
        &["{\"a\":1.5}", "{\"a\":\"x\"}"],
        &[("prefersDecimal", "true")],
        "struct<a:string>",
    ),
    (
        &["{\"a\":1.5}", "{\"a\":9223372036854775807}"],
        &[("prefersDecimal", "true")],
        "struct<a:decimal(21,1)>",
    ),
    (
        &["{\"a\":0.00001}"],
        &[("prefersDecimal", "true")],
        "struct<a:decimal(5,5)>",
    ),
    (
        &["{\"a\":1,\"b\":true,\"c\":\"x\"}"],
        &[("primitivesAsString", "true")],
        "struct<a:string,b:string,c:string>",
    ),
    (&["{\"a\":\"2026-01-01T00:00:00Z\"}"], &[], "struct<a:string>"),
    (
        &["{\"a\":\"2026-01-01T00:00:00Z\"}"],
        &[("inferTimestamp", "true")],
        "struct<a:timestamp>",
    ),
    (
        &["{\"a\":\"2026-01-01\"}"],
        &[("inferTimestamp", "true")],
        "struct<a:timestamp>",
    ),
    (
        &["{\"a\":\"2026-01-01 00:00:00\"}", "{\"a\":\"x\"}"],
        &[("inferTimestamp", "true")],
        "struct<a:string>",
    ),
    (
        &["{\"a\":\"01/02/2026\"}"],
        &[("inferTimestamp", "true"), ("timestampFormat", "dd/MM/yyyy")],
        "struct<a:timestamp>",
    ),
    (
        &["{\"a\":\"2026\"}"],
        &[("inferTimestamp", "true")],
        "struct<a:timestamp>",
    ),
    (
        &["{\"a\":\"12:00:00\"}"],
        &[("inferTimestamp", "true")],
        "struct<a:timestamp>",
    ),
    (
        &["{\"a\":\"2026-01-01 00:00:00\"}", "{\"a\":\"\"}", "{\"a\":null}"],
        &[("inferTimestamp", "true")],
        "struct<a:timestamp>",
    ),
    (
        &["{\"a\":1}", "{oops"],
        &[],
        "struct<_corrupt_record:string,a:bigint>",
    ),
    (
        &["{\"a\":1}", "5"],
        &[],
        "struct<_corrupt_record:string,a:bigint>",
    ),
    (&["{\"a\":1}", "null", "", "[]"], &[], "struct<a:bigint>"),
    (&["[{\"a\":1},{\"b\":2}]"], &[], "struct<a:bigint,b:bigint>"),
    (&["{\"a\":1}", "[{\"b\":2}]"], &[], "struct<a:bigint,b:bigint>"),
    (&["{oops"], &[("mode", "DROPMALFORMED")], "struct<>"),
    (
        &["{\"a\":1}", "{oops"],
        &[("mode", "DROPMALFORMED")],
        "struct<a:bigint>",
    ),
    (&["5"], &[], "struct<_corrupt_record:string>"),
    (
        &["[1]", "{\"a\":1}"],
        &[],
        "struct<_corrupt_record:string,a:bigint>",
    ),
    (
        &["{\"a\":1}", "{oops"],
        &[("columnNameOfCorruptRecord", "bad")],
        "struct<a:bigint,bad:string>",
    ),
    (
        &["{\"bad\":1}", "{oops"],
        &[("columnNameOfCorruptRecord", "bad")],
        "struct<bad:string>",
    ),
    (
        &["{\"a\":null,\"b\":1}"],
        &[("dropFieldIfAllNull", "true")],
        "struct<b:bigint>",
    ),
    (
        &["{\"a\":[],\"b\":1}"],
        &[("dropFieldIfAllNull", "true")],
        "struct<b:bigint>",
    ),
    (
        &["{\"a\":[null],\"c\":{\"x\":null},\"b\":1}"],
        &[("dropFieldIfAllNull", "true")],
        "struct<b:bigint>",
    ),
    (&["{\"\":1,\"a\":2}"], &[], "struct<a:bigint>"),
    (&["{\"a\":NaN}"], &[], "struct<a:double>"),
    (&["{\"a\":-0}"], &[], "struct<a:bigint>"),
    (&["{\"a\":\"NaN\"}"], &[], "struct<a:string>"),
    (&["{\"a\":true}", "{\"a\":false}"], &[], "struct<a:boolean>"),
    (
        &["{\"a\":[{\"x\":1},{\"y\":\"z\"}]}"],
        &[],
        "struct<a:array<struct<x:bigint,y:string>>>",
    ),
    (&[""], &[], "struct<>"),
    (&["{\"a\":[[1],[2.5]]}"], &[], "struct<a:array<array<double>>>"),
    (&["{\"a\":1} trailing"], &[], "struct<a:bigint>"),
];

#[test]
fn schemas_as_spark_infers_them() {
    for (lines, settings, expected) in INFERRED {
        assert_eq!(
            infer(lines, settings).expect("a schema"),
            *expected,
            "{lines:?} {settings:?}"
        );
    }
}

#[test]
fn a_power_of_ten_has_no_negative_scale() {
    // Spark fails here, over the scale of -3 that Java gives it.
    let inferred = infer(&["{\"a\":1e3}"], &[("prefersDecimal", "true")]);
    assert_eq!(inferred.expect("a schema"), "struct<a:decimal(4,0)>");
}

#[test]
fn names_that_differ_in_case_are_refused() {
    let error = infer(&["{\"A\":1,\"a\":\"x\"}"], &[]).expect_err("one column");
    assert_eq!(
        error.message(),
        "the records have fields \"A\" and \"a\", which are one column"
    );
}

#[test]
fn failfast_refuses_what_is_no_record() {
    for line in ["{oops", "5"] {
        let error = infer(&["{\"a\":1}", line], &[("mode", "FAILFAST")]).expect_err(line);
        assert!(
            error.message().starts_with("malformed record, expected "),
            "{error}"
        );
    }
}
