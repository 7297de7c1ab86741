use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{AsArray, Int64Array, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, TimeUnit, TimestampMicrosecondType};

use super::*;

fn layout() -> StateLayout {
    StateLayout {
        schema: Arc::new(Schema::new(vec![
            Field::new("at", DataType::Timestamp(TimeUnit::Microsecond, None), true),
            Field::new("k", DataType::Utf8, true),
            Field::new("n", DataType::Int64, true),
        ])),
        num_keys: 2,
        eviction: Some(EvictionTime {
            column: 0,
            offset_us: 10,
        }),
        is_numbered: false,
    }
}

fn rows(rows: &[(Option<i64>, &str, i64)]) -> RecordBatch {
    RecordBatch::try_new(
        layout().schema,
        vec![
            Arc::new(
                rows.iter()
                    .map(|row| row.0)
                    .collect::<TimestampMicrosecondArray>(),
            ),
            Arc::new(rows.iter().map(|row| Some(row.1)).collect::<StringArray>()),
            Arc::new(rows.iter().map(|row| Some(row.2)).collect::<Int64Array>()),
        ],
    )
    .expect("columns of one length")
}

type Model = BTreeMap<(Option<i64>, String), i64>;

fn content(store: &StateStore) -> Model {
    let Some(rows) = store.all_rows().expect("reads") else {
        return Model::new();
    };
    let at = rows.column(0).as_primitive::<TimestampMicrosecondType>();
    let key = rows.column(1).as_string::<i32>();
    let n = rows.column(2).as_primitive::<Int64Type>();
    (0..rows.num_rows())
        .map(|row| {
            let at = at.is_valid(row).then(|| at.value(row));
            ((at, key.value(row).to_owned()), n.value(row))
        })
        .collect()
}

/// Random puts and evictions against a map, with a second store that only sees the changelog.
#[test]
fn behaves_as_a_map_and_so_does_its_changelog() {
    let mut store = StateStore::try_new(layout()).expect("a state");
    let mut replica = StateStore::try_new(layout()).expect("a state");
    let mut changes = Vec::new();
    let mut model = Model::new();
    let mut random = 7_u64;
    let mut next = move |below: u64| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    for epoch in 0..600_u64 {
        let mut batch = BTreeMap::new();
        for _ in 0..next(60) {
            let at = (next(50) > 0).then(|| i64::try_from(epoch + next(40)).expect("small"));
            batch.insert(
                (at, format!("k{}", next(9))),
                i64::try_from(next(1000)).expect("small"),
            );
        }
        let batch_rows = batch
            .iter()
            .map(|((at, k), n)| (*at, k.as_str(), *n))
            .collect::<Vec<_>>();
        let known = batch.keys().filter(|key| model.contains_key(*key)).count();
        let batch_rows = rows(&batch_rows);
        let found = store
            .lookup(&batch_rows.columns()[..2], batch_rows.num_rows())
            .expect("looks up");
        assert_eq!(found.map_or(0, |rows| rows.num_rows()), known);
        store.put(batch_rows).expect("puts");
        model.extend(batch);
        if epoch % 3 == 0 {
            let watermark = i64::try_from(epoch).expect("small");
            let before = model.len();
            model.retain(|(at, _), _| at.is_none_or(|at| at + 10 > watermark));
            let evicted = store
                .evict(watermark)
                .expect("evicts")
                .map_or(0, |rows| rows.num_rows());
            assert_eq!(evicted, before - model.len());
        }
        let delta = store.take_delta().expect("reads");
        let delta = StateDelta::decode(&delta.encode().expect("encodes")).expect("decodes");
        changes.push(delta.clone());
        replica.apply(delta).expect("applies");
        assert_eq!(store.num_rows(), model.len());
    }
    assert_eq!(content(&store), model);
    assert_eq!(content(&replica), model);
    let mut restored = StateStore::try_new(layout()).expect("a state");
    let snapshot = crate::state::snapshot_of(&layout(), &changes).expect("merges");
    restored.apply(snapshot).expect("applies");
    assert_eq!(content(&restored), model);
}

#[test]
fn of_new_rows_the_first_of_each_key_is_put() {
    let mut store = StateStore::try_new(layout()).expect("a state");
    let mut replica = StateStore::try_new(layout()).expect("a state");
    let mut model = Model::new();
    for epoch in 0..200_i64 {
        let names = (0..epoch % 23).map(|n| format!("k{}", (epoch * 5 + n * n) % 17));
        let names = names.collect::<Vec<_>>();
        let at = Some(epoch / 4);
        let batch = rows(
            &names
                .iter()
                .map(|name| (at, name.as_str(), epoch))
                .collect::<Vec<_>>(),
        );
        let expected = names.iter().map(|name| {
            let is_new = !model.contains_key(&(at, name.clone()));
            model.entry((at, name.clone())).or_insert(epoch);
            is_new
        });
        let expected = expected.collect::<Vec<_>>();
        let is_new = store.put_new(&batch).expect("puts");
        assert_eq!(is_new, BooleanArray::from(expected), "epoch {epoch}");
        let evicted = store.evict(epoch / 4 + 7).expect("evicts");
        let before = model.len();
        model.retain(|(at, _), _| *at > Some(epoch / 4 - 3));
        assert_eq!(evicted.map_or(0, |rows| rows.num_rows()), before - model.len());
        let next = store.event_times(1, false).first.first().map(|keys| keys.time_us);
        assert_eq!(next.is_some(), !model.is_empty());
        replica
            .apply(store.take_delta().expect("reads"))
            .expect("applies");
    }
    assert_eq!(content(&store), model);
    assert_eq!(content(&replica), model);
}

#[test]
fn a_row_is_evicted_by_its_newest_time() {
    let mut store = StateStore::try_new(numbered_layout()).expect("a state");
    for at in (0..30_000).step_by(3) {
        store.put(numbered_rows(0, &[("a", Some(at))])).expect("puts");
        store.take_delta().expect("reads");
        let next = store.event_times(9, true).first;
        assert_eq!(next.iter().map(|keys| keys.time_us).collect::<Vec<_>>(), [at]);
    }
    assert!(store.evict(29_996).expect("evicts").is_none());
    assert_eq!(
        store.evict(29_997).expect("evicts").map(|rows| rows.num_rows()),
        Some(1)
    );
    assert!(
        store.take_delta().expect("reads").puts.is_empty(),
        "gone before the epoch's end"
    );
    assert_eq!(store.num_rows(), 0);
}

#[test]
fn memory_stays_bounded_when_every_batch_replaces_the_same_keys() {
    let mut store = StateStore::try_new(layout()).expect("a state");
    let names = (0..100).map(|n| format!("k{n}")).collect::<Vec<_>>();
    let batch = rows(
        &names
            .iter()
            .map(|name| (Some(0), name.as_str(), 1))
            .collect::<Vec<_>>(),
    );
    let mut most = 0;
    for _ in 0..2000 {
        store.put(batch.clone()).expect("puts");
        store.take_delta().expect("reads");
        most = most.max(store.log_rows);
    }
    assert_eq!(store.num_rows(), 100);
    assert!(
        most <= compaction::MIN_GARBAGE_ROWS + 300,
        "{most} rows in the log"
    );
}

#[test]
fn a_state_without_keys_is_one_row() {
    let schema = Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, true)]));
    let mut store = StateStore::try_new(StateLayout {
        schema: Arc::clone(&schema),
        num_keys: 0,
        eviction: None,
        is_numbered: false,
    })
    .expect("a state");
    for n in 1..4 {
        let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(Int64Array::from(vec![n]))])
            .expect("one column");
        let old = store.lookup(&[], 1).expect("looks up");
        assert_eq!(
            old.map(|old| old.column(0).as_primitive::<Int64Type>().value(0)),
            (n > 1).then(|| n - 1)
        );
        store.put(batch).expect("puts");
    }
    assert_eq!(store.num_rows(), 1);
}

fn numbered_layout() -> StateLayout {
    StateLayout {
        schema: Arc::new(Schema::new(vec![
            Field::new("k", DataType::Utf8, true),
            Field::new("number", DataType::Int64, false),
            Field::new("at", DataType::Timestamp(TimeUnit::Microsecond, None), true),
        ])),
        num_keys: 2,
        eviction: Some(EvictionTime {
            column: 2,
            offset_us: 0,
        }),
        is_numbered: true,
    }
}

fn numbered_rows(first: i64, rows: &[(&str, Option<i64>)]) -> RecordBatch {
    RecordBatch::try_new(
        numbered_layout().schema,
        vec![
            Arc::new(rows.iter().map(|row| Some(row.0)).collect::<StringArray>()),
            Arc::new((first..).take(rows.len()).collect::<Int64Array>()),
            Arc::new(
                rows.iter()
                    .map(|row| row.1)
                    .collect::<TimestampMicrosecondArray>(),
            ),
        ],
    )
    .expect("columns of one length")
}

/// The numbers that a probe by some keys finds, a list each.
fn probed(store: &StateStore, keys: &[&str]) -> Vec<Vec<i64>> {
    let asked = Arc::new(StringArray::from(keys.to_vec())) as ArrayRef;
    let mut found = vec![Vec::new(); keys.len()];
    if let Some(probe) = store.probe(&[asked], keys.len()).expect("probes") {
        let numbers = probe.rows.column(1).as_primitive::<Int64Type>();
        for (&row, &stored) in probe.asking.iter().zip(&probe.found) {
            found[row as usize].push(numbers.value(stored as usize));
        }
    }
    for numbers in &mut found {
        numbers.sort_unstable();
    }
    found
}

#[test]
fn a_probe_finds_every_numbered_row_until_it_is_evicted() {
    let mut store = StateStore::try_new(numbered_layout()).expect("a state");
    let mut replica = StateStore::try_new(numbered_layout()).expect("a state");
    let mut model = BTreeMap::new();
    for epoch in 0..300_i64 {
        let first = store.next_number();
        let names = (0..epoch % 7).map(|n| format!("k{}", (epoch + n) % 5));
        let names = names.collect::<Vec<_>>();
        let rows = names
            .iter()
            .map(|name| (name.as_str(), (epoch % 11 > 0).then_some(epoch)));
        let rows = rows.collect::<Vec<_>>();
        for (number, (name, at)) in (first..).zip(&rows) {
            let known = model.insert(number, ((*name).to_owned(), *at));
            assert!(known.is_none(), "{number} twice");
        }
        store.put(numbered_rows(first, &rows)).expect("puts");
        // Some rows are put again, as a join does that marks them.
        store.put(numbered_rows(first, &rows)).expect("puts");
        store.evict(epoch - 20).expect("evicts");
        model.retain(|_, (_, at)| at.is_none_or(|at| at > epoch - 20));
        replica
            .apply(store.take_delta().expect("reads"))
            .expect("applies");
    }
    let keys = ["k0", "k1", "k2", "k3", "k4", "other", "k1"];
    let wanted = keys.map(|key| {
        let numbers = model.iter().filter(|(_, (name, _))| name == key);
        numbers.map(|(number, _)| *number).collect::<Vec<_>>()
    });
    assert_eq!(probed(&store, &keys), wanted);
    assert_eq!(probed(&replica, &keys), wanted);
    assert_eq!(replica.next_number(), store.next_number());
}

#[test]
fn only_the_first_row_of_a_key_is_put_as_new() {
    let mut store = StateStore::try_new(layout()).expect("a state");
    let mut put = |batch: &[(Option<i64>, &str, i64)]| {
        let is_new = store.put_new(&rows(batch)).expect("puts");
        is_new.iter().flatten().collect::<Vec<_>>()
    };
    assert_eq!(
        put(&[(None, "a", 1), (Some(1), "a", 2), (None, "a", 3), (None, "b", 4)]),
        [true, true, false, true]
    );
    assert_eq!(put(&[(None, "b", 5), (Some(2), "b", 6)]), [false, true]);
    let kept = content(&store).into_values().collect::<Vec<_>>();
    assert_eq!(kept, [1, 4, 2, 6]);
}

#[test]
fn small_batches_become_one_and_a_big_one_stays() {
    let mut store = StateStore::try_new(layout()).expect("a state");
    let names = (0..20_000).map(|n| format!("k{n}")).collect::<Vec<_>>();
    let batch = |names: &[String]| {
        let all = names.iter().map(|name| (Some(0), name.as_str(), 1));
        rows(&all.collect::<Vec<_>>())
    };
    store.put(batch(&names[..10_000])).expect("puts");
    for chunk in names[10_000..12_000].chunks(4) {
        store.put(batch(chunk)).expect("puts");
        store.take_delta().expect("reads");
        assert!(store.log.len() <= compaction::MAX_BATCHES);
        assert_eq!(store.log[0].rows.num_rows(), 10_000, "the big batch was copied");
    }
    for chunk in names[12_000..].chunks(4) {
        store.put(batch(chunk)).expect("puts");
        store.take_delta().expect("reads");
    }
    assert!(store.log.len() <= compaction::MAX_BATCHES);
    assert_eq!(content(&store).len(), names.len());
}
