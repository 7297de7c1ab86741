use super::*;
use crate::error::ErrorKind;

fn options(pairs: &[(&str, &str)]) -> Options {
    pairs
        .iter()
        .copied()
        .collect::<Options>()
        .with_lookup(Arc::new(|name| {
            (name == "PASSWORD_1").then(|| "hunter2".to_owned())
        }))
}

fn place(line: u64, column: u64) -> Position {
    Position { line, column }
}

#[test]
fn names_ignore_case_and_keep_their_spelling() {
    let options = options(&[("MaxFilesPerTrigger", "3"), ("path", "in")]);
    assert_eq!(options.u64("maxfilespertrigger").expect("is a number"), Some(3));
    assert_eq!(options.masked(), [("MaxFilesPerTrigger", "3"), ("path", "in")]);
    assert!(options.contains("PATH") && !options.contains("pat"));
}

#[test]
fn the_builder_replaces_and_a_statement_refuses_twice() {
    let mut options = options(&[("path", "a")]);
    options.set("PATH", "b");
    assert_eq!(options.string("path").expect("is text").as_deref(), Some("b"));
    assert_eq!(options.entries().len(), 1);
    let error = options
        .add("Path", "c", place(2, 7))
        .expect_err("it is there already");
    assert_eq!(error.message(), "option \"Path\" is given twice");
    assert_eq!(error.position(), Some(place(2, 7)));
}

#[test]
fn an_unknown_option_is_refused_with_a_guess_and_the_list() {
    let mut options = Options::new();
    options.add("path", "in", place(1, 10)).expect("is new");
    options
        .add("maxFilePerTrigger", "1", place(1, 21))
        .expect("is new");
    let error = options
        .check_known("json", &["path", "maxFilesPerTrigger"])
        .expect_err("is unknown");
    assert_eq!(error.kind(), ErrorKind::Statement);
    assert_eq!(error.message(), "json has no option \"maxFilePerTrigger\"");
    assert_eq!(
        error.hint_text(),
        Some("Did you mean \"maxFilesPerTrigger\"? json takes path, maxFilesPerTrigger.")
    );
    assert_eq!(error.position(), Some(place(1, 21)));
    options
        .check_known("json", &["PATH", "maxFilePerTrigger"])
        .expect("both are known");
}

#[test]
fn wrong_values_name_option_value_and_what_is_allowed() {
    let mut options = Options::new();
    options
        .add("maxFilesPerTrigger", "many", place(3, 4))
        .expect("is new");
    options.add("zero", "0", place(3, 5)).expect("is new");
    options.add("flag", "yes", place(3, 6)).expect("is new");
    options.add("wait", "10", place(3, 7)).expect("is new");
    options.add("mode", "lax", place(3, 8)).expect("is new");
    let errors = [
        options.u64("maxFilesPerTrigger").expect_err("is no number"),
        options.positive("zero").expect_err("is not positive"),
        options.bool("flag").expect_err("is neither"),
        options.duration("wait").expect_err("has no unit"),
        options
            .one_of("mode", &["FAILFAST", "PERMISSIVE"])
            .expect_err("is neither"),
    ];
    let said: Vec<_> = errors
        .iter()
        .map(|error| format!("{} {}", error.message(), error.hint_text().unwrap_or_default()))
        .collect();
    assert_eq!(
        said,
        [
            "option \"maxFilesPerTrigger\" cannot be 'many' Write a whole number from 0 on.",
            "option \"zero\" cannot be '0' Write a whole number from 1 on.",
            "option \"flag\" cannot be 'yes' Write true or false.",
            "option \"wait\" cannot be '10' Write a length of time such as '10 seconds', '1 minute' or '500ms'.",
            "option \"mode\" cannot be 'lax' Write one of FAILFAST, PERMISSIVE.",
        ]
    );
    assert_eq!(errors[2].position(), Some(place(3, 6)));
}

#[test]
fn right_values_are_read() {
    let options = options(&[("a", " 7 "), ("b", "TRUE"), ("c", "2 minutes"), ("d", "failfast")]);
    assert_eq!(options.positive("a").expect("is a number"), Some(7));
    assert_eq!(options.bool("b").expect("is a truth"), Some(true));
    assert_eq!(
        options.duration("c").expect("is a time"),
        Some(Duration::from_mins(2))
    );
    assert_eq!(
        options.one_of("d", &["FAILFAST"]).expect("is a word"),
        Some("FAILFAST")
    );
    assert_eq!(options.u64("absent").expect("absent is no error"), None);
}

#[test]
fn references_are_resolved_by_the_getters_alone() {
    let options = options(&[
        ("kafka.password", "${PASSWORD_1}"),
        ("mixed", "a-${PASSWORD_1}-${not a name}-$x"),
        ("missing", "${NOWHERE}"),
    ]);
    assert_eq!(
        options.string("kafka.password").expect("is set").as_deref(),
        Some("hunter2")
    );
    assert_eq!(
        options.string("mixed").expect("is set").as_deref(),
        Some("a-hunter2-${not a name}-$x")
    );
    let error = options.string("missing").expect_err("is not set");
    assert_eq!(
        error.message(),
        "option \"missing\" refers to the environment variable \"NOWHERE\", which is not set"
    );
    assert_eq!(error.hint_text(), Some("Set NOWHERE before starting Highwater."));
    assert_eq!(options.entries()[0].value, "${PASSWORD_1}");
}

#[test]
fn secrets_are_masked_wherever_they_could_show() {
    let options = options(&[
        ("kafka.sasl.jaas.config", "... password=\"x\";"),
        ("Access_TOKEN", "abc"),
        ("my.secret", "pre-${PASSWORD_1}"),
        ("password", "${PASSWORD_1}"),
        ("aws.credentials", "key"),
        ("path", "in"),
    ]);
    let shown: Vec<_> = options.masked().into_iter().map(|(_, value)| value).collect();
    assert_eq!(shown, ["***", "***", "***", "${PASSWORD_1}", "***", "in"]);
    assert!(!format!("{options:?}").contains("abc"));
    let error = options.u64("Access_TOKEN").expect_err("is no number");
    assert_eq!(error.message(), "option \"Access_TOKEN\" cannot be '***'");
}

#[test]
fn durations_are_spark_s() {
    let millis = |text: &str| parse_duration(text).map(|duration| duration.as_micros());
    for (text, micros) in [
        ("10 seconds", 10_000_000),
        ("1 minute", 60_000_000),
        ("500ms", 500_000),
        ("1.5s", 1_500_000),
        ("0.1 seconds", 100_000),
        ("INTERVAL 1 hour 30 MINUTES", 5_400_000_000),
        ("2h5m", 7_500_000_000),
        ("250 microseconds", 250),
        ("1 week 1 day", 8 * 86_400_000_000),
        ("0 seconds", 0),
    ] {
        assert_eq!(millis(text), Some(micros), "{text}");
    }
    for text in [
        "",
        "10",
        "ten seconds",
        "-1 second",
        "1 fortnight",
        "1..5s",
        ".5s",
        "5 s s",
        "99999999999999999999999999999999999999999 days",
    ] {
        assert_eq!(millis(text), None, "{text}");
    }
}

#[test]
fn paths_are_of_this_machine() {
    let path = |text: &str| Options::from_iter([("path", text)]).path("path");
    for (text, expected) in [
        ("in/a b", Some("in/a b")),
        ("file:/tmp/in", Some("/tmp/in")),
        ("file:///tmp/in", Some("/tmp/in")),
        (" ", None),
    ] {
        assert_eq!(path(text).expect("a path"), expected.map(PathBuf::from), "{text}");
    }
    let error = path("s3://bucket/in").expect_err("another machine's");
    assert_eq!(
        error.message(),
        "\"s3:\" paths are not of this machine: s3://bucket/in"
    );
    assert_eq!(Options::new().path("path").expect("none"), None);
}
