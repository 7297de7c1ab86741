//! The plan that runs a query, as a tree with what each node does, and the statement that made it.

use super::{Doc, Facts, Line};
use crate::engine::snapshot::{NodeNumbers, PlanNode};
use crate::format::safe_text;
use crate::tui::symbols::Symbols;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::units::{self, to_cells, to_f64};

/// Cells of the numbers before a node: rows, time, share.
const NUMBER: usize = 8;
/// Cells of a node's share as a bar.
const BAR: usize = 8;

pub(super) fn doc(facts: &Facts<'_>) -> Doc {
    let mut doc = Doc::default();
    let nodes = &facts.query.plan_nodes;
    if nodes.is_empty() {
        doc.heading("Physical plan");
        if facts.query.plan.is_empty() {
            doc.line([(
                Role::Muted,
                "The query has not been planned yet: START plans it.".to_string(),
            )]);
        } else {
            lines(&mut doc, &facts.query.plan);
        }
    } else {
        tree(&mut doc, nodes, facts.symbols);
    }
    doc.heading("Statement");
    lines(&mut doc, &facts.query.sql);
    doc
}

/// A line a node, root first: rows of the last batch, its own time, and its share of all the time lately.
fn tree(doc: &mut Doc, nodes: &[PlanNode], symbols: &'static Symbols) {
    doc.line([
        (Role::Header, text::right("rows", NUMBER, "")),
        (Role::Header, text::right("time", NUMBER + 1, "")),
        (Role::Header, format!("  {}", text::left("lately", BAR, ""))),
        (Role::Header, "  node".to_string()),
    ]);
    let all: u64 = (0..nodes.len())
        .filter_map(|at| own_us(nodes, at, |node| &node.recent))
        .sum();
    let mut ends = Vec::new();
    for (at, node) in nodes.iter().enumerate() {
        ends.truncate(node.depth);
        let is_last = !nodes[at + 1..]
            .iter()
            .any(|later| later.parent == node.parent && node.parent.is_some());
        let mut branch = String::new();
        for is_ended in ends.iter().skip(1) {
            branch.push_str(if *is_ended { "   " } else { symbols.branch[2] });
        }
        if node.depth > 0 {
            branch.push_str(symbols.branch[usize::from(is_last)]);
        }
        ends.push(is_last);
        let none = || symbols.none.to_string();
        let rows = node
            .last
            .rows
            .map_or_else(none, |rows| units::count(to_f64(rows)).text());
        let time = own_us(nodes, at, |node| &node.last)
            .map_or_else(none, |time| units::duration_us(time, symbols.micro).text());
        let share = own_us(nodes, at, |node| &node.recent)
            .filter(|_| all > 0)
            .map_or(0.0, |time| to_f64(time) / to_f64(all));
        let bar = symbols.fills[0].repeat(to_cells((share * to_f64(BAR as u64)).round()));
        let mut line: Line = vec![
            (Role::Text, text::right(&rows, NUMBER, symbols.ellipsis)),
            (Role::Text, text::right(&time, NUMBER + 1, symbols.ellipsis)),
            (Role::Part1, format!("  {}", text::left(&bar, BAR, ""))),
            (Role::Border, format!("  {branch}")),
            (Role::Accent, safe_text::clean(&node.name).into_owned()),
        ];
        if let Some(evicts) = &node.evicts {
            line.push((Role::Trend, format!("  {}", safe_text::clean(evicts))));
        }
        line.push((Role::Muted, format!("  {}", safe_text::clean(&node.detail))));
        doc.line(line);
    }
    let batches = nodes.first().map_or(0, |node| node.num_recent);
    let batches = units::plural(usize::try_from(batches).unwrap_or(0), "batch", "batches");
    doc.line([(
        Role::Muted,
        format!("rows and time of the newest batch; the bar is of the last {batches}"),
    )]);
}

/// A node's own time: what is known of it, or its time with inputs less that of its inputs.
fn own_us(nodes: &[PlanNode], at: usize, numbers: impl Fn(&PlanNode) -> &NodeNumbers) -> Option<u64> {
    let own = numbers(&nodes[at]);
    own.own_us.or_else(|| {
        let inputs = nodes.iter().filter(|node| node.parent == Some(at));
        let inputs: u64 = inputs
            .filter_map(|node| numbers(node).with_inputs_us.or(numbers(node).own_us))
            .sum();
        Some(own.with_inputs_us?.saturating_sub(inputs))
    })
}

/// Lines as they are: indentation says something here, so long ones are scrolled to, not broken.
fn lines(doc: &mut Doc, text: &str) {
    for line in text.lines() {
        let line = line.replace('\t', "    ");
        let clean = safe_text::clean(&line).into_owned();
        let (name, rest) = split_operator(&clean);
        doc.line([(Role::Accent, name.to_string()), (Role::Text, rest.to_string())]);
    }
}

/// An operator's name and what it says of itself; a line of SQL has no such name.
fn split_operator(line: &str) -> (&str, &str) {
    match line.find(':') {
        Some(at) if line[..at].trim_start().chars().all(char::is_alphanumeric) => line.split_at(at),
        _ if line.trim_end().ends_with("Exec") => (line, ""),
        _ => ("", line),
    }
}
