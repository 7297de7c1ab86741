use super::*;
use crate::engine::snapshot::ResultTable;
use crate::error::ErrorKind;
use crate::sink::test_support::{ints, read, rows, schema, start, stream};

/// A sink with what a checkpoint would keep of it.
struct Kept {
    sink: MemorySink,
    mode: OutputMode,
    keys: Option<Vec<usize>>,
    log: Vec<(u64, Vec<u8>)>,
    last_committed: Option<u64>,
}

impl Kept {
    async fn new(mode: OutputMode, keys: Option<Vec<usize>>) -> Self {
        let mut kept = Self {
            sink: MemorySink::new(schema(), mode),
            mode,
            keys,
            log: Vec::new(),
            last_committed: None,
        };
        kept.start().await;
        kept
    }

    async fn start(&mut self) {
        let start = SinkStart {
            last_committed: self.last_committed,
            log: self.log.clone(),
            ..start(self.mode, self.keys.clone())
        };
        self.sink.start(start).await.expect("a start");
    }

    /// The same in a new process.
    async fn restarted(&self) -> Self {
        let mut other = Self {
            sink: MemorySink::new(schema(), self.mode),
            mode: self.mode,
            keys: self.keys.clone(),
            log: self.log.clone(),
            last_committed: self.last_committed,
        };
        other.start().await;
        other
    }

    async fn write(&self, batch_id: u64, batches: Vec<RecordBatch>) -> SinkCommit {
        let rows = stream(batches.into_iter().map(Ok).collect());
        self.sink.write(batch_id, rows).await.expect("a batch")
    }

    async fn batch(&mut self, batch_id: u64, batches: Vec<RecordBatch>) -> SinkCommit {
        let commit = self.write(batch_id, batches).await;
        if commit.log_replaces {
            self.log.clear();
        }
        if let Some(entry) = &commit.log_entry {
            self.log.push((batch_id, entry.clone()));
        }
        self.last_committed = Some(batch_id);
        self.sink.committed(batch_id).await.expect("a commit");
        commit
    }

    /// Key, number, batch of every row; asks in pages and as a whole, which must agree.
    fn rows(&self) -> Vec<(String, i64, u64)> {
        let table = self.sink.table();
        let mut all = Vec::new();
        for offset in (0..table.num_rows()).step_by(3) {
            let page = table.page(offset, 3).expect("a page");
            assert_eq!(page.num_rows, table.num_rows());
            let rows = read(&[page.rows]);
            assert_eq!(rows.len(), page.changed_in.len());
            all.extend(
                rows.into_iter()
                    .zip(page.changed_in)
                    .map(|((key, number), batch)| (key, number, batch)),
            );
        }
        let whole: Vec<_> = read(&table.batches().expect("rows"));
        let paged: Vec<_> = all
            .iter()
            .map(|(key, number, _)| (key.clone(), *number))
            .collect();
        assert_eq!(whole, paged);
        all
    }
}

fn expected(rows: &[(&str, i64, u64)]) -> Vec<(String, i64, u64)> {
    rows.iter()
        .map(|(key, number, batch)| ((*key).to_string(), *number, *batch))
        .collect()
}

#[tokio::test]
async fn append_adds() {
    let mut kept = Kept::new(OutputMode::Append, None).await;
    kept.batch(0, vec![rows(&[("a", 1)]), rows(&[("b", 2)])]).await;
    let empty = kept.batch(1, vec![]).await;
    assert_eq!((empty.num_output_rows, empty.log_entry), (0, None));
    let commit = kept.batch(2, vec![rows(&[("a", 3), ("", 4)])]).await;
    assert_eq!((commit.num_output_rows, commit.log_replaces), (2, false));
    let all = expected(&[("a", 1, 0), ("b", 2, 0), ("a", 3, 2), ("", 4, 2)]);
    assert_eq!(kept.rows(), all);
    assert_eq!(kept.restarted().await.rows(), all);
}

#[tokio::test]
async fn complete_replaces() {
    let mut kept = Kept::new(OutputMode::Complete, None).await;
    kept.batch(0, vec![rows(&[("a", 1), ("b", 1)])]).await;
    let commit = kept.batch(1, vec![rows(&[("b", 2)])]).await;
    assert!(commit.log_replaces);
    assert_eq!(kept.rows(), expected(&[("b", 2, 1)]));
    assert_eq!(kept.restarted().await.rows(), expected(&[("b", 2, 1)]));
    kept.batch(2, vec![]).await;
    assert_eq!(kept.rows(), expected(&[]));
    assert_eq!(kept.restarted().await.rows(), expected(&[]));
}

#[tokio::test]
async fn update_replaces_by_key_in_place() {
    let mut kept = Kept::new(OutputMode::Update, Some(vec![0])).await;
    kept.batch(0, vec![rows(&[("a", 1), ("", 1), ("b", 1)])]).await;
    kept.batch(1, vec![rows(&[("c", 2), ("", 2)]), rows(&[("a", 2), ("a", 3)])])
        .await;
    let all = expected(&[("a", 3, 1), ("", 2, 1), ("b", 1, 0), ("c", 2, 1)]);
    assert_eq!(kept.rows(), all);
    assert_eq!(kept.restarted().await.rows(), all);
}

#[tokio::test]
async fn update_of_a_global_aggregate_is_one_row() {
    let mut kept = Kept::new(OutputMode::Update, Some(vec![])).await;
    kept.batch(0, vec![ints(&[1])]).await;
    kept.batch(1, vec![ints(&[2, 3])]).await;
    kept.batch(2, vec![]).await;
    assert_eq!(kept.rows(), expected(&[("k", 3, 1)]));
    assert_eq!(kept.restarted().await.rows(), expected(&[("k", 3, 1)]));
    assert_eq!(kept.log.len(), 1);
}

#[tokio::test]
async fn update_without_keys_adds() {
    let mut kept = Kept::new(OutputMode::Update, None).await;
    kept.batch(0, vec![rows(&[("a", 1)])]).await;
    kept.batch(1, vec![rows(&[("a", 2)])]).await;
    assert_eq!(kept.rows(), expected(&[("a", 1, 0), ("a", 2, 1)]));
}

#[tokio::test]
async fn a_batch_is_seen_once_it_is_committed() {
    let mut kept = Kept::new(OutputMode::Update, Some(vec![0])).await;
    kept.batch(0, vec![rows(&[("a", 1)])]).await;
    let version = kept.sink.table().version();
    kept.write(1, vec![rows(&[("a", 2), ("b", 2)])]).await;
    assert_eq!(kept.rows(), expected(&[("a", 1, 0)]));
    assert_eq!(kept.sink.table().version(), version);
    // The same batch again, in the same run and in another one, replaces what it was.
    kept.write(1, vec![rows(&[("a", 3)])]).await;
    kept.start().await;
    assert_eq!(kept.rows(), expected(&[("a", 1, 0)]));
    kept.batch(1, vec![rows(&[("a", 4)])]).await;
    assert_eq!(kept.rows(), expected(&[("a", 4, 1)]));
    assert!(kept.sink.table().version() > version);
}

#[tokio::test]
async fn a_batch_that_fails_changes_nothing() {
    let mut kept = Kept::new(OutputMode::Append, None).await;
    kept.batch(0, vec![ints(&[1])]).await;
    let broken = stream(vec![Ok(ints(&[2])), Err(Error::execution("overflow").into())]);
    let error = kept.sink.write(1, broken).await.expect_err("an error");
    assert_eq!(error.message(), "overflow");
    assert_eq!(kept.rows(), expected(&[("k", 1, 0)]));
    kept.batch(1, vec![ints(&[3])]).await;
    assert_eq!(kept.rows(), expected(&[("k", 1, 0), ("k", 3, 1)]));
}

/// Whatever the mode, many small batches keep the log in proportion to the table and the restored table equal.
#[tokio::test]
async fn the_log_does_not_outgrow_the_table() {
    for (mode, keys) in [
        (OutputMode::Append, None),
        (OutputMode::Update, Some(vec![0])),
        (OutputMode::Update, None),
    ] {
        let mut kept = Kept::new(mode, keys).await;
        let (mut images, mut written) = (0, 0);
        for batch in 0..1500_u64 {
            let key = format!("k{}", batch * 7 % 50);
            let number = i64::try_from(batch).expect("small");
            let commit = kept.batch(batch, vec![rows(&[(&key, number)])]).await;
            images += usize::from(commit.log_replaces);
            written += commit.log_entry.map_or(0, |entry| entry.len());
            let log: usize = kept.log.iter().map(|(_, entry)| entry.len()).sum();
            let table = kept.sink.table().memory_bytes();
            assert!(
                log < 4 * table + 3 * MIN_LOG_BYTES,
                "{mode}: a log of {log} bytes for {table}"
            );
            if batch % 250 == 249 {
                assert_eq!(
                    kept.restarted().await.rows(),
                    kept.rows(),
                    "{mode}, batch {batch}"
                );
            }
        }
        assert!((2..60).contains(&images), "{mode}: {images} images");
        assert!(written < 5_000_000, "{mode}: {written} bytes written");
    }
}

#[tokio::test]
async fn a_log_that_does_not_fit_is_refused() {
    let mut kept = Kept::new(OutputMode::Append, None).await;
    kept.batch(0, vec![ints(&[1])]).await;
    let entry = kept.log[0].1.clone();
    let other = arrow::datatypes::Schema::new(vec![arrow::datatypes::Field::new(
        "k",
        arrow::datatypes::DataType::Utf8,
        true,
    )]);
    let mut wrong = start(OutputMode::Append, None);
    wrong.schema = Arc::new(other);
    wrong.log = vec![(0, entry.clone())];
    let error = kept.sink.start(wrong).await.expect_err("a refusal");
    assert_eq!(error.kind(), ErrorKind::Checkpoint);
    assert!(
        error
            .report()
            .contains("(k Utf8, n Int64), the table has (k Utf8)"),
        "{}",
        error.report()
    );
    for length in 0..entry.len() - 1 {
        let mut cut = start(OutputMode::Append, None);
        cut.log = vec![(0, entry[..length].to_vec())];
        let restored = kept.sink.start(cut).await;
        assert!(
            restored.is_err() || length == 1,
            "an entry of {length} bytes was taken"
        );
    }
}

/// Readers in another thread see the rows of whole batches only, while batches come and the table is compacted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_see_whole_batches() {
    let mut kept = Kept::new(OutputMode::Update, Some(vec![0])).await;
    let all = |number: i64| rows(&[("a", number), ("b", number), ("c", number), ("d", number)]);
    kept.batch(0, vec![all(0)]).await;
    let table = kept.sink.table();
    let reader = tokio::task::spawn_blocking(move || {
        let mut looks = 0;
        loop {
            let page = table.page(0, 10).expect("a page");
            let numbers: Vec<i64> = read(&[page.rows]).into_iter().map(|(_, number)| number).collect();
            assert_eq!(numbers, vec![numbers[0]; 4]);
            looks += 1;
            if numbers[0] == 2000 {
                return looks;
            }
        }
    });
    for number in 1..=2000 {
        kept.batch(u64::try_from(number).expect("positive"), vec![all(number)])
            .await;
    }
    assert!(reader.await.expect("a reader") > 0);
}
