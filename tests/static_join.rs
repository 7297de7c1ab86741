//! A stream joined with a static table sees the table's files as they are in each batch.
#![allow(missing_docs)]

mod support;

use std::fs;
use std::sync::Arc;

use arrow::array::{Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use highwater::session::Session;
use highwater::source::memory::MemoryStream;

use support::{TIMEOUT, sorted_lines};

#[tokio::test]
async fn parquet_files_that_a_query_writes_are_seen_by_another_one() {
    tokio::time::timeout(TIMEOUT, async {
        let folder = tempfile::tempdir().expect("a folder");
        let written = folder.path().join("names");
        let session = Session::builder()
            .checkpoint_root(folder.path().join("checkpoints"))
            .threads(2)
            .build()
            .expect("a session");
        let schema = Arc::new(Schema::new(vec![Field::new("id", DataType::Int64, true)]));
        let stream = MemoryStream::new(Arc::clone(&schema));
        session.add_memory_stream("ids", &stream).expect("a stream");
        let add = |id: i64| {
            let rows = RecordBatch::try_new(
                Arc::clone(&schema),
                vec![Arc::new(Int64Array::from(vec![id])) as _],
            );
            stream.add_batch(rows.expect("one column")).expect("adds");
        };
        let process = async |name: &str| {
            let query = session.streams().get_by_name(name).expect("a query");
            query.process_all_available().await.expect("processes");
        };
        let writer = format!(
            "CREATE STREAMING QUERY writer SINK parquet OPTIONS (path '{}') AS SELECT id FROM ids;",
            written.display()
        );
        session.sql(&writer).await.expect("starts");
        add(1);
        process("writer").await;
        let reader = format!(
            "CREATE TABLE names (id BIGINT) USING parquet OPTIONS (path '{}');
             CREATE STREAMING QUERY reader SINK memory AS
               SELECT ids.id, names.id AS known FROM ids LEFT JOIN names ON ids.id + 1 = names.id + 1;",
            written.display()
        );
        session.sql(&reader).await.expect("starts");
        process("reader").await;
        session.sql("STOP QUERY reader").await.expect("stops");
        add(2);
        process("writer").await;
        session.sql("START QUERY reader").await.expect("starts");
        process("reader").await;
        session.sql("STOP QUERY writer").await.expect("stops");
        add(3);
        process("reader").await;
        session
            .sql("START QUERY writer; STOP QUERY reader")
            .await
            .expect("starts");
        add(4);
        process("writer").await;
        session.sql("START QUERY reader").await.expect("starts");
        process("reader").await;
        let count = session
            .sql("SELECT count(*) AS n FROM names")
            .await
            .expect("reads");
        assert_eq!(
            count[0].batches[0]
                .column(0)
                .as_any()
                .downcast_ref::<Int64Array>()
                .expect("a count")
                .value(0),
            4
        );
        let rows = session
            .table("reader")
            .expect("a table")
            .collect()
            .await
            .expect("reads");
        let lines = sorted_lines(&rows).into_iter();
        let lines = lines
            .filter(|line| line.starts_with("| ") && !line.contains("id"))
            .collect::<Vec<_>>();
        assert_eq!(
            lines,
            [
                "| 1  | 1     |",
                "| 2  | 2     |",
                "| 3  |       |",
                "| 4  | 4     |"
            ]
        );
    })
    .await
    .expect("ends in time");
}

#[tokio::test]
async fn changed_files_count_from_the_next_batch_on() {
    tokio::time::timeout(TIMEOUT, async {
        let folder = tempfile::tempdir().expect("a folder");
        let users = folder.path().join("users");
        fs::create_dir(&users).expect("a folder");
        fs::write(users.join("1.json"), "{\"id\":1,\"name\":\"Ann\"}\n").expect("writes");
        let session = Session::builder()
            .checkpoint_root(folder.path().join("checkpoints"))
            .threads(2)
            .build()
            .expect("a session");
        let schema = Arc::new(Schema::new(vec![
            Field::new("id", DataType::Int64, true),
            Field::new("what", DataType::Utf8, true),
        ]));
        let stream = MemoryStream::new(Arc::clone(&schema));
        session.add_memory_stream("events", &stream).expect("a stream");
        let add = |ids: &[i64], what: &str| {
            let columns = vec![
                Arc::new(Int64Array::from(ids.to_vec())) as _,
                Arc::new(StringArray::from(vec![what; ids.len()])) as _,
            ];
            let rows = RecordBatch::try_new(Arc::clone(&schema), columns).expect("columns of one length");
            stream.add_batch(rows).expect("adds");
        };
        let script = format!(
            "CREATE TABLE users (id BIGINT, name STRING) USING json OPTIONS (path '{}');
             CREATE STREAMING QUERY named SINK memory AS
               SELECT what, events.id, name FROM events LEFT JOIN users ON events.id = users.id;
             CREATE STREAMING QUERY other_way SINK memory AS
               SELECT what, events.id, name FROM users RIGHT JOIN events ON events.id = users.id;
             CREATE STREAMING QUERY unknown SINK memory AS
               SELECT what, id FROM events LEFT ANTI JOIN users ON events.id = users.id;",
            users.display()
        );
        session.sql(&script).await.expect("starts");
        let names = ["named", "other_way", "unknown"];
        let steps = ["first", "renamed", "another file"];
        for step in steps {
            match step {
                "renamed" => fs::write(users.join("1.json"), "{\"id\":1,\"name\":\"Anna-Maria\"}\n"),
                "another file" => fs::write(users.join("2.json"), "{\"id\":2,\"name\":\"Bob\"}\n"),
                _ => Ok(()),
            }
            .expect("writes");
            add(&[1, 2], step);
            for name in names {
                let query = session.streams().get_by_name(name).expect("a query");
                query.process_all_available().await.expect("processes");
            }
        }
        for name in names {
            let rows = session
                .table(name)
                .expect("a table")
                .collect()
                .await
                .expect("reads");
            let lines = sorted_lines(&rows)
                .into_iter()
                .filter(|line| line.starts_with("| "));
            let lines = lines.filter(|line| !line.contains("what")).collect::<Vec<_>>();
            let wanted: &[&str] = if name == "unknown" {
                &["| first   | 2  |", "| renamed | 2  |"]
            } else {
                &[
                    "| another file | 1  | Anna-Maria |",
                    "| another file | 2  | Bob        |",
                    "| first        | 1  | Ann        |",
                    "| first        | 2  |            |",
                    "| renamed      | 1  | Anna-Maria |",
                    "| renamed      | 2  |            |",
                ]
            };
            assert_eq!(lines, wanted, "{name}");
        }
        session.streams().stop_all().await;
    })
    .await
    .expect("ends in time");
}
