use super::*;
use crate::engine::snapshot::ResultTable;
use crate::error::ErrorKind;
use crate::sink::result::RowChange;
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

/// Plays batches and looks at every one of them again: the table as it was, its marks, and what the batch gave.
async fn look_back(mode: OutputMode, keys: Option<Vec<usize>>) {
    let mut kept = Kept::new(mode, keys.clone()).await;
    let mut tables: Vec<Vec<(String, i64)>> = Vec::new();
    let mut given: Vec<Vec<(String, i64)>> = Vec::new();
    let mut seed = 7_u64;
    for batch_id in 0..60_i64 {
        let mut batch: Vec<(String, i64)> = Vec::new();
        for _ in 0..(seed >> 33) % 5 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let key = format!("k{}", (seed >> 33) % 9);
            if mode == OutputMode::Append || batch.iter().all(|(known, _)| *known != key) {
                batch.push((key, batch_id / 2));
            }
        }
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let mut table = tables.last().cloned().unwrap_or_default();
        match mode {
            OutputMode::Append => table.extend(batch.clone()),
            OutputMode::Complete => table.clone_from(&batch),
            OutputMode::Update => {
                for (key, number) in &batch {
                    match table.iter_mut().find(|(known, _)| known == key) {
                        Some(row) => row.1 = *number,
                        None => table.push((key.clone(), *number)),
                    }
                }
            }
        }
        tables.push(table);
        let written = batch.iter().map(|(key, number)| (key.as_str(), *number));
        kept.batch(
            u64::try_from(batch_id).expect("small"),
            vec![rows(&written.collect::<Vec<_>>())],
        )
        .await;
        given.push(batch);
    }
    let table = kept.sink.table();
    let history = table.history().expect("a history");
    assert_eq!(
        (*history.start() <= 2, *history.end() >= 57),
        (true, true),
        "{history:?}"
    );
    for (at, was) in tables.iter().enumerate().skip(1) {
        let batch_id = at as u64;
        let mut shown = Vec::new();
        for offset in (0..was.len().max(1)).step_by(4) {
            let page = table.marked_page(Some(batch_id), offset, 4).expect("a look");
            let page = page.expect("it is kept");
            assert_eq!(page.page.num_rows, was.len());
            let before = &tables[at - 1];
            for (row, (key, number)) in read(std::slice::from_ref(&page.page.rows))
                .into_iter()
                .enumerate()
            {
                let earlier = before.iter().position(|(known, _)| *known == key);
                let is_new = match mode {
                    OutputMode::Append => offset + row >= before.len(),
                    _ => earlier.is_none(),
                };
                if page.batch_id == Some(batch_id) {
                    assert_eq!(
                        page.changes[row] == RowChange::New,
                        is_new,
                        "{key} in batch {batch_id}"
                    );
                    assert!(!page.is_cell_changed(row, 0) || is_new, "a key does not change");
                    let other = earlier.is_some_and(|earlier| before[earlier].1 != number);
                    let is_changed = is_new || (mode != OutputMode::Append && other);
                    assert_eq!(
                        page.is_cell_changed(row, 1),
                        is_changed,
                        "{key} in batch {batch_id}"
                    );
                }
                if let RowChange::Changed { before: place } = page.changes[row] {
                    assert_eq!(read(&[page.before.slice(place, 1)])[0].0, key);
                }
                shown.push((key, number));
            }
        }
        assert_eq!(shown, *was, "the table as of batch {batch_id}");
        if mode != OutputMode::Complete {
            let rows = table
                .batch_rows(batch_id, 0, 10)
                .expect("a look")
                .expect("it is kept");
            let mut gave = read(&[rows.page.rows]);
            gave.sort();
            let mut expected = given[at].clone();
            expected.sort();
            assert_eq!(gave, expected, "what batch {batch_id} gave");
            assert_eq!(rows.page.num_rows, gave.len());
        }
    }
}

#[tokio::test]
async fn a_table_that_grows_can_be_seen_as_it_was() {
    look_back(OutputMode::Append, None).await;
}

#[tokio::test]
async fn a_table_by_key_can_be_seen_as_it_was() {
    look_back(OutputMode::Update, Some(vec![0])).await;
}

#[tokio::test]
async fn a_complete_table_can_be_seen_as_it_was() {
    look_back(OutputMode::Complete, Some(vec![0])).await;
}

#[tokio::test]
async fn history_has_an_end() {
    let mut kept = Kept::new(OutputMode::Update, Some(vec![0])).await;
    for batch_id in 0..250 {
        kept.batch(batch_id, vec![rows(&[("a", 1), ("b", 2)])]).await;
    }
    let table = kept.sink.table();
    assert_eq!(table.history(), Some(149..=249));
    assert!(table.marked_page(Some(148), 0, 1).expect("a look").is_none());
    let page = table
        .marked_page(Some(149), 0, 1)
        .expect("a look")
        .expect("it is kept");
    assert_eq!(
        page.batch_id, None,
        "what batch 149 changed is forgotten, and not guessed"
    );
}

#[tokio::test]
async fn a_single_row_is_compared_with_itself() {
    let mut kept = Kept::new(OutputMode::Update, Some(vec![])).await;
    for batch_id in 0..3 {
        kept.batch(batch_id, vec![ints(&[i64::try_from(batch_id).expect("small")])])
            .await;
    }
    let page = kept
        .sink
        .table()
        .marked_page(Some(1), 0, 9)
        .expect("a look")
        .expect("it is kept");
    assert_eq!(read(std::slice::from_ref(&page.page.rows)), [("k".to_owned(), 1)]);
    assert_eq!(page.changes, [RowChange::Changed { before: 0 }]);
    assert_eq!(
        (page.is_cell_changed(0, 0), page.is_cell_changed(0, 1)),
        (false, true)
    );
    assert_eq!(read(&[page.before]), [("k".to_owned(), 0)]);
}
