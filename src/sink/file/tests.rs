use std::collections::BTreeMap;

use arrow::record_batch::RecordBatch;
use datafusion::prelude::{ParquetReadOptions, SessionContext};

use super::*;
use crate::error::ErrorKind;
use crate::fault::{FailingFileSystem, Trip};
use crate::sink::test_support::{ints, read, rows, schema, start, stream};

fn sink(format: &str, folder: &Path, options: &[(&str, &str)], partition_by: &[&str]) -> FileSink {
    let path = folder.to_str().expect("a path of text");
    let options = [("path", path)]
        .into_iter()
        .chain(options.iter().copied())
        .collect();
    let partition_by = partition_by.iter().map(ToString::to_string).collect();
    FileSink::try_new(format, &options, partition_by).expect("a sink")
}

async fn begin(sink: &FileSink, last_committed: Option<u64>) -> Result<()> {
    let start = SinkStart {
        last_committed,
        ..start(OutputMode::Append, None)
    };
    sink.start(start).await
}

async fn write(sink: &FileSink, batch_id: u64, batches: Vec<RecordBatch>) -> Result<SinkCommit> {
    sink.write(batch_id, stream(batches.into_iter().map(Ok).collect()))
        .await
}

/// All files below a folder, hidden ones too, by their path in it, with their bytes.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in LocalFileSystem.list(&next).expect("a folder") {
            if entry.is_dir {
                folders.push(entry.path);
            } else {
                let name = entry.path.strip_prefix(folder).expect("a path below it");
                let bytes = std::fs::read(&entry.path).expect("a file");
                found.insert(name.display().to_string(), bytes);
            }
        }
    }
    found
}

fn names(folder: &Path) -> Vec<String> {
    files(folder).into_keys().collect()
}

#[tokio::test]
async fn json_files_as_spark_writes_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("made/on/start");
    let sink = sink("json", &path, &[], &[]);
    assert_eq!(sink.description(), format!("FileSink[{}]", path.display()));
    begin(&sink, None).await.expect("a start");
    let commit = write(&sink, 0, vec![rows(&[("a", 1)]), rows(&[("", 2)])])
        .await
        .expect("a batch");
    assert_eq!((commit.num_output_rows, commit.log_entry), (2, None));
    sink.committed(0).await.expect("a commit");
    write(&sink, 1, vec![]).await.expect("an empty batch");
    let files = files(&path);
    assert_eq!(files.len(), 1, "{files:?}");
    assert_eq!(
        files["part-0000000000-00000-1a2b3c4d.json"],
        b"{\"k\":\"a\",\"n\":1}\n{\"n\":2}\n"
    );
}

#[tokio::test]
async fn json_codecs_and_explicit_nulls() {
    use std::io::Read as _;
    let folder = tempfile::tempdir().expect("a folder");
    for (codec, extension) in [("gzip", "json.gz"), ("ZSTD", "json.zst"), ("none", "json")] {
        let path = folder.path().join(codec);
        let sink = sink(
            "json",
            &path,
            &[("compression", codec), ("ignoreNullFields", "false")],
            &[],
        );
        begin(&sink, None).await.expect("a start");
        write(&sink, 0, vec![rows(&[("", 2)])]).await.expect("a batch");
        let files = files(&path);
        let bytes = &files[&format!("part-0000000000-00000-1a2b3c4d.{extension}")];
        let mut text = String::new();
        match codec {
            "gzip" => flate2::read::GzDecoder::new(bytes.as_slice()).read_to_string(&mut text),
            "ZSTD" => {
                zstd::Decoder::new(bytes.as_slice()).and_then(|mut decoder| decoder.read_to_string(&mut text))
            }
            _ => bytes.as_slice().read_to_string(&mut text),
        }
        .expect("text");
        assert_eq!(text, "{\"k\":null,\"n\":2}\n");
    }
}

#[tokio::test]
async fn parquet_files_of_every_codec_are_read_back() {
    let folder = tempfile::tempdir().expect("a folder");
    for codec in ["none", "snappy", "gzip", "lz4", "brotli", "zstd"] {
        let path = folder.path().join(codec);
        let sink = sink("parquet", &path, &[("compression", codec)], &[]);
        begin(&sink, None).await.expect("a start");
        write(&sink, 0, vec![rows(&[("a", 1), ("", 2)])])
            .await
            .expect("a batch");
        write(&sink, 1, vec![rows(&[("b", 3)])]).await.expect("a batch");
        let context = SessionContext::new();
        let frame = context
            .read_parquet(path.to_str().expect("text"), ParquetReadOptions::default())
            .await
            .expect("a table");
        let sorted = frame
            .select_columns(&["k", "n"])
            .and_then(|frame| frame.sort_by(vec![datafusion::prelude::col("n")]))
            .expect("a query");
        let batches = sorted.collect().await.expect("rows");
        let batches: Vec<RecordBatch> = batches
            .iter()
            .map(|batch| {
                let keys =
                    arrow::compute::cast(batch.column(0), &arrow::datatypes::DataType::Utf8).expect("text");
                RecordBatch::try_new(schema(), vec![keys, Arc::clone(batch.column(1))]).expect("a batch")
            })
            .collect();
        assert_eq!(
            read(&batches),
            [("a".to_string(), 1), (String::new(), 2), ("b".to_string(), 3)],
            "{codec}"
        );
    }
    assert_eq!(
        names(&folder.path().join("snappy")),
        [
            "part-0000000000-00000-1a2b3c4d.snappy.parquet",
            "part-0000000001-00000-1a2b3c4d.snappy.parquet"
        ]
    );
}

#[tokio::test]
async fn partitions_and_the_limit_of_rows_make_further_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let sink = sink("json", folder.path(), &[("maxRecordsPerFile", "2")], &["k"]);
    begin(&sink, None).await.expect("a start");
    let batch = vec![
        rows(&[("a", 1), ("b", 2), ("a", 3)]),
        rows(&[("a", 4), ("", 5), ("b", 6)]),
    ];
    write(&sink, 3, batch).await.expect("a batch");
    let files = files(folder.path());
    let texts: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, bytes)| (name.as_str(), std::str::from_utf8(bytes).expect("text")))
        .collect();
    assert_eq!(
        texts,
        [
            (
                "k=__HIVE_DEFAULT_PARTITION__/part-0000000003-00003-1a2b3c4d.json",
                "{\"n\":5}\n"
            ),
            (
                "k=a/part-0000000003-00000-1a2b3c4d.json",
                "{\"n\":1}\n{\"n\":3}\n"
            ),
            ("k=a/part-0000000003-00002-1a2b3c4d.json", "{\"n\":4}\n"),
            (
                "k=b/part-0000000003-00001-1a2b3c4d.json",
                "{\"n\":2}\n{\"n\":6}\n"
            ),
        ]
    );
}

#[tokio::test]
async fn more_partitions_than_files_may_be_open() {
    let folder = tempfile::tempdir().expect("a folder");
    let sink = sink("json", folder.path(), &[], &["k"]);
    begin(&sink, None).await.expect("a start");
    let keys: Vec<String> = (0..200).map(|key| format!("k{key}")).collect();
    let batch: Vec<(&str, i64)> = keys.iter().map(|key| (key.as_str(), 1)).collect();
    write(&sink, 0, vec![rows(&batch), rows(&batch)])
        .await
        .expect("a batch");
    let files = files(folder.path());
    let lines: usize = files
        .values()
        .map(|bytes| std::str::from_utf8(bytes).expect("text").lines().count())
        .sum();
    assert_eq!(lines, 400);
    assert!(
        files.keys().all(|name| name.contains("/part-")),
        "{:?}",
        files.keys()
    );
}

#[tokio::test]
async fn a_start_removes_what_was_not_committed_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let put = |name: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, "").expect("a file");
    };
    let stay = [
        "k=a/part-0000000001-00000-1a2b3c4d.json",
        "part-0000000007-00000-ffffffff.json",
        ".part-0000000007-00000-ffffffff.json.tmp",
        "notes.txt",
        "sub/part-0000000009-00000-1a2b3c4d.json",
    ];
    let go = [
        "k=a/part-0000000002-00000-1a2b3c4d.json",
        "k=a/.part-0000000001-00000-1a2b3c4d.json.tmp",
        "part-0000000003-00001-1a2b3c4d.snappy.parquet",
    ];
    stay.iter().chain(&go).for_each(|name| put(name));
    begin(&sink("json", folder.path(), &[], &["k"]), Some(1))
        .await
        .expect("a start");
    let mut expected: Vec<String> = stay.iter().map(ToString::to_string).collect();
    expected.sort();
    assert_eq!(names(folder.path()), expected);
}

#[tokio::test]
async fn a_batch_that_comes_again_replaces_its_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let sink = sink("json", folder.path(), &[("maxRecordsPerFile", "1")], &[]);
    begin(&sink, None).await.expect("a start");
    write(&sink, 0, vec![ints(&[1, 2, 3])]).await.expect("a batch");
    write(&sink, 0, vec![ints(&[1])]).await.expect("a batch");
    assert_eq!(names(folder.path()), ["part-0000000000-00000-1a2b3c4d.json"]);
    sink.committed(0).await.expect("a commit");
    write(&sink, 1, vec![ints(&[4])]).await.expect("a batch");
    assert_eq!(names(folder.path()).len(), 2);
}

#[tokio::test]
async fn a_query_that_fails_leaves_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let sink = sink("parquet", folder.path(), &[("maxRecordsPerFile", "1")], &[]);
    begin(&sink, None).await.expect("a start");
    let broken = stream(vec![Ok(ints(&[1, 2])), Err(Error::execution("overflow").into())]);
    let error = sink.write(0, broken).await.expect_err("an error");
    assert_eq!(
        (error.kind(), error.message()),
        (ErrorKind::Execution, "overflow")
    );
    assert_eq!(names(folder.path()), Vec::<String>::new());
}

#[test]
fn wrong_options_are_refused_by_name() {
    let message = |format: &str, options: &[(&str, &str)]| {
        let error =
            FileSink::try_new(format, &options.iter().copied().collect(), vec![]).expect_err("a refusal");
        assert_eq!(error.kind(), ErrorKind::Statement);
        error.report()
    };
    assert!(message("json", &[]).contains("needs a folder"));
    assert!(message("orc", &[("path", "x")]).contains("The formats of files are json, parquet."));
    assert!(message("json", &[("path", "x"), ("pth", "y")]).contains("no option \"pth\""));
    assert!(message("json", &[("path", "s3://bucket/x")]).contains("\"s3:\""));
    assert!(
        message("parquet", &[("path", "x"), ("compression", "lzo")])
            .contains("gzip, lz4, lz4_raw, brotli, zstd")
    );
    assert!(message("json", &[("path", "x"), ("compression", "snappy")]).contains("gzip, zstd"));
    assert!(message("json", &[("path", "x"), ("maxRecordsPerFile", "many")]).contains("how many rows"));
    assert!(message("json", &[("path", "x"), ("ignoreNullFields", "1")]).contains("true or false"));
}

#[test]
fn what_cannot_be_written_is_refused_before_the_start() {
    use arrow::datatypes::{DataType, Field, IntervalUnit, Schema};
    let sink =
        |format| FileSink::try_new(format, &Options::from_iter([("path", "x")]), vec![]).expect("a sink");
    for mode in [OutputMode::Update, OutputMode::Complete] {
        let error = sink("json").check(&schema(), mode).expect_err("a refusal");
        assert_eq!(
            error.message(),
            format!("a file sink takes no output mode {mode}")
        );
    }
    assert!(sink("parquet").check(&schema(), OutputMode::Append).is_ok());
    let interval = Field::new("every", DataType::Interval(IntervalUnit::MonthDayNano), true);
    let union = arrow::datatypes::UnionFields::try_new([0], [Field::new("i", DataType::Int32, true)]);
    let union = DataType::Union(union.expect("a union"), arrow::datatypes::UnionMode::Dense);
    let nested = Field::new("every", DataType::new_list(union, true), true);
    for field in [interval, nested] {
        let odd = Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, false), field]));
        let error = sink("parquet")
            .check(&odd, OutputMode::Append)
            .expect_err("a refusal");
        assert!(
            error
                .message()
                .starts_with("column \"every\" cannot be written to Parquet"),
            "{error}"
        );
        assert!(sink("json").check(&odd, OutputMode::Append).is_ok());
    }
}

const BATCHES: u64 = 3;

/// Plays batches from the first uncommitted one on; `committed` is what a checkpoint would hold.
async fn play(
    folder: &Path,
    format: &str,
    files: Arc<FailingFileSystem>,
    committed: &mut Option<u64>,
) -> Result<()> {
    let sink = sink(format, folder, &[("maxRecordsPerFile", "2")], &["k"]).with_file_system(files);
    begin(&sink, *committed).await?;
    let first = committed.map_or(0, |last| last + 1);
    for batch_id in first..BATCHES {
        let number = i64::try_from(batch_id).expect("small");
        let batch = rows(&[
            ("a", number),
            ("b", number),
            ("a", -number),
            ("a", number * 10),
            ("", number),
        ]);
        write(&sink, batch_id, vec![batch.slice(0, 2), batch.slice(2, 3)]).await?;
        *committed = Some(batch_id);
        sink.committed(batch_id).await?;
    }
    Ok(())
}

/// Whatever operation fails, and however, the next run ends with the files of an undisturbed one.
async fn every_operation_may_fail(format: &str) {
    let undisturbed = tempfile::tempdir().expect("a folder");
    let trip = Trip::never();
    let calm = Arc::new(FailingFileSystem::new(Arc::clone(&trip)));
    play(&undisturbed.path().join("out"), format, calm, &mut None)
        .await
        .expect("a run");
    let expected = files(&undisturbed.path().join("out"));
    assert_eq!(expected.len(), 12);
    let operations = trip.count();
    assert!(
        operations > 12 * 4,
        "each file is made, written, synced and renamed: {operations}"
    );

    for at in 0..operations {
        for (trip, is_power_cut) in [
            (Trip::crash_at(at), false),
            (Trip::crash_at(at), true),
            (Trip::fail_once_at(at), false),
        ] {
            let folder = tempfile::tempdir().expect("a folder");
            let out = folder.path().join("out");
            let mut committed = None;
            let failing = Arc::new(FailingFileSystem::new(Arc::clone(&trip)));
            let error = play(&out, format, Arc::clone(&failing), &mut committed)
                .await
                .expect_err("the failure");
            assert_eq!(error.kind(), ErrorKind::Sink, "{}", error.report());
            if is_power_cut {
                failing.cut_power().expect("a power cut");
            }
            let calm = Arc::new(FailingFileSystem::new(Trip::never()));
            play(&out, format, calm, &mut committed)
                .await
                .expect("a second run");
            assert!(
                files(&out) == expected,
                "{format}, operation {at}: {:?}",
                names(&out)
            );
        }
    }
}

#[tokio::test]
async fn every_operation_on_json_files_may_fail() {
    every_operation_may_fail("json").await;
}

#[tokio::test]
async fn every_operation_on_parquet_files_may_fail() {
    every_operation_may_fail("parquet").await;
}
