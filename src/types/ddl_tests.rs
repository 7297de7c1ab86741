use super::*;
use crate::types::spark_type_name;

fn type_of(text: &str) -> DataType {
    let schema = parse_ddl(&format!("c {text}"), "UTC").expect("a schema");
    schema.field(0).data_type().clone()
}

fn error_of(text: &str) -> (String, Option<(u64, u64)>, String) {
    let error = parse_ddl(text, "UTC").expect_err("a wrong schema");
    assert_eq!(error.kind(), crate::error::ErrorKind::Statement);
    (
        error.message().to_owned(),
        error.position().map(|position| (position.line, position.column)),
        error.hint_text().unwrap_or_default().to_owned(),
    )
}

/// The names are those that Spark 4.3.0 gives back for these schemas.
#[test]
fn names_go_round_as_in_spark() {
    for (text, expected) in [
        ("id INT, at TIMESTAMP", "struct<id:int,at:timestamp>"),
        ("struct<a: int, b string>", "struct<a:int,b:string>"),
        ("STRUCT<a:INT>", "struct<a:int>"),
        ("a int not null comment 'x', b string", "struct<a:int,b:string>"),
        ("`a b` int, `c``d` long", "struct<a b:int,c`d:bigint>"),
        (
            "a dec, b numeric(5), c decimal(10,2)",
            "struct<a:decimal(10,0),b:decimal(5,0),c:decimal(10,2)>",
        ),
        (
            "a timestamp_ltz, b timestamp_ntz, c date, d binary",
            "struct<a:timestamp,b:timestamp_ntz,c:date,d:binary>",
        ),
        (
            "a byte, b short, c real, d float, e double, f boolean",
            "struct<a:tinyint,b:smallint,c:float,d:float,e:double,f:boolean>",
        ),
        (
            "a map<string,int>, b array<array<int>>",
            "struct<a:map<string,int>,b:array<array<int>>>",
        ),
        ("a void", "struct<a:void>"),
        ("a struct<>", "struct<a:struct<>>"),
        ("a struct<b:int not null comment 'z'>", "struct<a:struct<b:int>>"),
        ("1a int", "struct<1a:int>"),
        (
            "date date, timestamp timestamp",
            "struct<date:date,timestamp:timestamp>",
        ),
        (
            "select int, from string, struct int",
            "struct<select:int,from:string,struct:int>",
        ),
        ("-- c\n a int /* d */", "struct<a:int>"),
        (
            "a timestamp without time zone, b timestamp with local time zone, c timestamp(6)",
            "struct<a:timestamp_ntz,b:timestamp,c:timestamp>",
        ),
        (
            "a varchar(10), b char(3), c character(3)",
            "struct<a:string,b:string,c:string>",
        ),
    ] {
        let schema = parse_ddl(text, "UTC").expect(text);
        assert_eq!(
            spark_type_name(&DataType::Struct(schema.fields().clone())),
            expected,
            "{text}"
        );
    }
}

#[test]
fn arrow_types() {
    assert_eq!(type_of("STRING"), DataType::Utf8);
    assert_eq!(type_of("STRING COLLATE utf8_binary"), DataType::Utf8);
    assert_eq!(
        type_of("Timestamp"),
        DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
    );
    assert_eq!(
        type_of("TIMESTAMP_NTZ"),
        DataType::Timestamp(TimeUnit::Microsecond, None)
    );
    assert_eq!(type_of("DECIMAL(38,18)"), DataType::Decimal128(38, 18));
    assert_eq!(
        type_of("ARRAY<INT>"),
        DataType::List(Arc::new(Field::new("item", DataType::Int32, true)))
    );
    let DataType::Map(entries, false) = type_of("MAP<STRING, BIGINT>") else {
        panic!("an unsorted map");
    };
    let expected = vec![
        Field::new("key", DataType::Utf8, false),
        Field::new("value", DataType::Int64, true),
    ];
    assert_eq!(
        entries.as_ref(),
        &Field::new("entries", DataType::Struct(expected.into()), false)
    );
}

#[test]
fn nullability_and_comments_are_kept() {
    let schema = parse_ddl(
        "a INT NOT NULL COMMENT 'it''s \\'so\\'', b STRING COMMENT \"two\"",
        "UTC",
    )
    .expect("a schema");
    let comment = |at: usize| schema.field(at).metadata().get("comment").cloned();
    assert!(!schema.field(0).is_nullable());
    assert!(schema.field(1).is_nullable());
    assert_eq!(comment(0).as_deref(), Some("it's 'so'"));
    assert_eq!(comment(1).as_deref(), Some("two"));
}

#[test]
fn a_single_type_or_a_schema() {
    assert_eq!(
        parse_ddl_type("array<int>", "UTC").expect("a type"),
        list_type(DataType::Int32)
    );
    assert_eq!(parse_ddl_type("int", "UTC").expect("a type"), DataType::Int32);
    let fields = vec![
        Field::new("k", DataType::Utf8, true),
        Field::new("v", DataType::Int32, true),
    ];
    for text in ["k STRING, v INT", "STRUCT<k: STRING, v: INT>"] {
        assert_eq!(
            parse_ddl_type(text, "UTC").expect("a type"),
            DataType::Struct(fields.clone().into())
        );
    }
    // A name that is also a type is a name here.
    let date = parse_ddl_type("date INT", "UTC").expect("a type");
    assert_eq!(spark_type_name(&date), "struct<date:int>");
}

#[test]
fn errors_name_the_place_and_what_to_write() {
    for (text, message, position, hint) in [
        (
            "id INT,\n  at TIMESTMP",
            "unknown type \"TIMESTMP\"",
            (2, 6),
            "Did you mean TIMESTAMP?",
        ),
        ("a INTT", "unknown type \"INTT\"", (1, 3), "Did you mean INT?"),
        ("a json", "unknown type \"json\"", (1, 3), "The types are ARRAY"),
        (
            "a INTERVAL",
            "type INTERVAL is not supported",
            (1, 3),
            "The types are ARRAY",
        ),
        ("", "the schema is empty", (1, 1), "Name at least one column"),
        (
            "a",
            "expected a type and found the end of the schema",
            (1, 2),
            "A schema reads like",
        ),
        (
            "a int,",
            "expected a column's name and found the end of the schema",
            (1, 7),
            "A schema reads like",
        ),
        (
            "a-b int",
            "expected a type and found \"-\"",
            (1, 2),
            "A schema reads like",
        ),
        (
            "a INT b STRING",
            "expected \",\" or the end of the schema and found \"b\"",
            (1, 7),
            "A schema reads like",
        ),
        (
            "a array<int",
            "expected \">\" and found the end of the schema",
            (1, 12),
            "A schema reads like",
        ),
        (
            "a varchar",
            "expected \"(\" and found the end of the schema",
            (1, 10),
            "A schema reads like",
        ),
        (
            "a decimal(50,2)",
            "expected a number from 1 to 38 and found \"50\"",
            (1, 11),
            "A schema reads like",
        ),
        (
            "a decimal(3,5)",
            "expected a number from 0 to 3 and found \"5\"",
            (1, 13),
            "A schema reads like",
        ),
        (
            "a INT, `A` STRING",
            "the schema has two columns \"A\"",
            (1, 8),
            "another name",
        ),
        ("a `b", "a ` has no partner", (1, 3), "Close"),
        (
            "a INT COMMENT b",
            "COMMENT wants a text and found \"b\"",
            (1, 15),
            "COMMENT 'what it is'",
        ),
        ("a INT /* b", "a comment has no end", (1, 7), "*/"),
        (
            "ä STRING, é STRIN",
            "unknown type \"STRIN\"",
            (1, 13),
            "Did you mean STRING?",
        ),
        (
            "a STRING COLLATE de",
            "collation \"de\" is not supported",
            (1, 18),
            "UTF8_BINARY",
        ),
    ] {
        let error = error_of(text);
        assert_eq!((error.0.as_str(), error.1), (message, Some(position)), "{text}");
        assert!(error.2.contains(hint), "{text}: {}", error.2);
    }
}

#[test]
fn absurd_nesting_is_refused() {
    let text = format!("a {}INT{}", "ARRAY<".repeat(5000), ">".repeat(5000));
    assert!(error_of(&text).0.contains("levels deep"));
}
