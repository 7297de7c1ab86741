use std::sync::Arc;

use super::*;
use crate::engine::snapshot::ResultTable;
use crate::tui::app::rows::KeptRows;
use crate::tui::fake::{BASE_MS, FakeTable, totals, window_rows};

const VIEWPORT: Viewport = Viewport { width: 60, rows: 4 };

fn live(table: &Arc<FakeTable>) -> Rows {
    Rows::Live(Arc::clone(table) as Arc<dyn ResultTable>)
}

/// For each visible row: whether it is new, and which of its cells have just changed.
fn marks(grid: &Grid, now_ms: i64) -> Vec<(bool, Vec<usize>)> {
    let fresh = |at: Option<i64>| age(at, now_ms) == Age::Fresh;
    grid.shown
        .rows
        .iter()
        .map(|row| {
            let cells = row
                .cells
                .iter()
                .enumerate()
                .filter(|(_, cell)| fresh(cell.changed_at));
            (fresh(row.new_at), cells.map(|(at, _)| at).collect())
        })
        .collect()
}

#[test]
fn an_update_marks_the_cell_and_an_append_the_row() {
    let table = Arc::new(FakeTable::new(
        OutputMode::Update,
        totals(&[("a", 1), ("b", 2)]),
        vec![1, 1],
    ));
    let mut grid = Grid::default();
    grid.load(&live(&table), VIEWPORT, 1_000, &Symbols::UNICODE);
    assert_eq!(
        marks(&grid, 1_000),
        [(false, vec![]), (false, vec![])],
        "the first look marks nothing"
    );
    table.set(totals(&[("a", 1), ("b", 3), ("c", 1)]), vec![1, 2, 2]);
    grid.load(&live(&table), VIEWPORT, 2_000, &Symbols::UNICODE);
    assert_eq!(
        marks(&grid, 2_000),
        [(false, vec![]), (false, vec![1]), (true, vec![])]
    );
}

#[test]
fn marks_fade_and_say_when() {
    let table = Arc::new(FakeTable::new(OutputMode::Update, totals(&[("a", 1)]), vec![1]));
    let mut grid = Grid::default();
    grid.load(&live(&table), VIEWPORT, 0, &Symbols::UNICODE);
    assert_eq!(grid.next_change_ms(0), None);
    table.set(totals(&[("a", 2)]), vec![2]);
    grid.load(&live(&table), VIEWPORT, 10_000, &Symbols::UNICODE);
    let changed = grid.shown.rows[0].cells[1].changed_at;
    assert_eq!(
        (changed, grid.next_change_ms(10_000)),
        (Some(10_000), Some(10_000 + FRESH_MS))
    );
    assert_eq!(age(changed, 10_000 + FRESH_MS), Age::Fading);
    assert_eq!(grid.next_change_ms(10_000 + FRESH_MS), Some(10_000 + FADED_MS));
    assert_eq!(age(changed, 10_000 + FADED_MS), Age::Old);
    assert_eq!(grid.next_change_ms(10_000 + FADED_MS), None);
}

#[test]
fn rows_of_a_complete_table_are_known_by_their_words() {
    let table = Arc::new(FakeTable::new(
        OutputMode::Complete,
        totals(&[("a", 5), ("b", 4)]),
        vec![1, 1],
    ));
    let mut grid = Grid::default();
    grid.load(&live(&table), VIEWPORT, 0, &Symbols::UNICODE);
    table.set(totals(&[("b", 6), ("a", 5), ("c", 1)]), vec![2, 2, 2]);
    grid.load(&live(&table), VIEWPORT, 100, &Symbols::UNICODE);
    assert_eq!(
        marks(&grid, 100),
        [(false, vec![1]), (false, vec![]), (true, vec![])]
    );
}

#[test]
fn a_row_that_was_only_scrolled_to_is_not_new() {
    let table = Arc::new(FakeTable::new(OutputMode::Append, window_rows(20), vec![3; 20]));
    let mut grid = Grid::default();
    grid.load(&live(&table), VIEWPORT, 0, &Symbols::UNICODE);
    assert_eq!(grid.offset, 16, "it opens at its end");
    grid.scroll(-4, VIEWPORT.rows);
    grid.load(&live(&table), VIEWPORT, 100, &Symbols::UNICODE);
    assert_eq!(grid.offset, 12);
    assert!(
        marks(&grid, 100)
            .iter()
            .all(|(new, cells)| !new && cells.is_empty())
    );
    table.set(window_rows(30), [vec![3; 20], vec![4; 10]].concat());
    grid.load(&live(&table), VIEWPORT, 200, &Symbols::UNICODE);
    assert_eq!(
        (grid.offset, grid.shown.num_rows),
        (12, 30),
        "scrolled up, it stays where it is"
    );
    grid.bottom();
    grid.load(&live(&table), VIEWPORT, 300, &Symbols::UNICODE);
    assert_eq!(grid.offset, 26);
}

#[test]
fn columns_scroll_one_by_one_and_stop_at_the_last() {
    let table = Arc::new(FakeTable::windows(8));
    let mut grid = Grid::default();
    let narrow = Viewport { width: 30, rows: 4 };
    let load = |grid: &mut Grid| {
        grid.load(&live(&table), narrow, BASE_MS, &Symbols::UNICODE);
        let names: Vec<String> = grid
            .shown
            .columns
            .iter()
            .map(|column| column.name.clone())
            .collect();
        names
    };
    assert_eq!(load(&mut grid), ["window", "kind"]);
    grid.move_columns(1);
    assert_eq!(load(&mut grid), ["window", "kind"], "the cursor is in sight");
    grid.move_columns(1);
    assert_eq!(
        load(&mut grid),
        ["kind", "orders", "revenue", "note"],
        "the last one cut"
    );
    for _ in 0..9 {
        grid.move_columns(1);
        load(&mut grid);
    }
    assert_eq!(load(&mut grid).last().map(String::as_str), Some("note"));
    grid.move_columns(-9);
    assert_eq!(load(&mut grid)[0], "window");
}

#[test]
fn kept_rows_are_a_part_of_the_table_at_one_moment() {
    let table = Arc::new(FakeTable::new(OutputMode::Update, window_rows(100), vec![1; 100]));
    let kept = Rows::Kept(Arc::new(KeptRows::keep(table.as_ref(), 50, 20).expect("rows")));
    table.set(window_rows(2), vec![2; 2]);
    let mut grid = Grid::default();
    grid.load(&kept, VIEWPORT, 0, &Symbols::UNICODE);
    assert_eq!((grid.offset, grid.shown.num_rows), (56, 100));
    grid.top();
    grid.load(&kept, VIEWPORT, 0, &Symbols::UNICODE);
    assert_eq!((grid.offset, grid.shown.rows.len()), (40, 4));
}
