//! Random pipelines over random rows, cut into batches and stopped at random, give the answer that the rows give as a static
//! table.
//!
//! A number makes a [`case::Case`]: a pipeline ([`shape`]), rows on one or two streams ([`rows`]), where they are cut, and
//! after which batches the query stops and starts again, in its session or in another one. It is played through the
//! library ([`play`]), and its result is compared with
//!
//! - DataFusion's answer over the same rows as a static table, less those that were late, for which [`watermark`] says
//!   Spark's rule;
//! - a [`model`] of what is no matter of rows alone: sessions and deduplication that forget.
//!
//! The right answer knows nothing of modes, cuts and restarts. So append mode's rows all together, the last row of each key
//! in update mode, and complete mode's last table are held to one answer; and where nothing is late, so is every cut.
//!
//! `seeds.txt` has the numbers of cases that went wrong once; they are played first. `HIGHWATER_PIPELINES` says how many
//! to play, `HIGHWATER_FIRST_PIPELINE` from which number on: for a longer search than every run makes.
#![allow(missing_docs)]

mod case;
mod join;
mod model;
mod play;
mod rows;
mod shape;
mod sources;
#[path = "../support/mod.rs"]
mod support;
mod watermark;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use case::Case;

/// How many cases one pair of sessions plays.
const AT_A_TIME: usize = 50;

#[test]
fn kept_seeds_pass() {
    let seeds = include_str!("seeds.txt").lines().map(str::trim);
    let seeds = seeds.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let seeds = seeds.map(|line| {
        let number = line.split_whitespace().next().unwrap_or(line);
        number.parse().expect("a number")
    });
    play_seeds(&seeds.collect::<Vec<_>>());
}

#[test]
fn random_pipelines_answer_as_static_tables_do() {
    let number = |name, or| std::env::var(name).map_or(or, |text| text.parse().expect("a number"));
    let first = number("HIGHWATER_FIRST_PIPELINE", 0);
    let count = number("HIGHWATER_PIPELINES", 500);
    play_seeds(&(first..first + count).collect::<Vec<_>>());
}

/// Plays cases on all cores and fails with what is wrong with them.
fn play_seeds(seeds: &[u64]) {
    let chunks = seeds.chunks(AT_A_TIME).collect::<Vec<_>>();
    let next = AtomicUsize::new(0);
    let work = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let mut wrong = Vec::new();
        while let Some(chunk) = chunks.get(next.fetch_add(1, Ordering::Relaxed)) {
            let cases = chunk.iter().map(|seed| Case::of(*seed)).collect::<Vec<_>>();
            match runtime.block_on(play::play_all(&cases)) {
                Ok(found) => wrong.extend(found),
                Err(error) => {
                    wrong.push((chunk[0], format!("from seed {} on: {}", chunk[0], error.report())));
                }
            }
        }
        wrong
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let mut wrong = thread::scope(|scope| {
        let workers = (0..workers).map(|_| scope.spawn(work)).collect::<Vec<_>>();
        let found = workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("no panic"));
        found.collect::<Vec<_>>()
    });
    wrong.sort();
    let seeds = wrong.iter().map(|(seed, _)| seed).collect::<Vec<_>>();
    let shown = wrong
        .iter()
        .take(3)
        .map(|(_, what)| what.as_str())
        .collect::<Vec<_>>();
    assert!(
        wrong.is_empty(),
        "{} cases are wrong, of the seeds {seeds:?}; the first of them:\n{}",
        wrong.len(),
        shown.join("\n\n")
    );
}
