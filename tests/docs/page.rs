//! A Markdown page and its examples.

/// A page, line by line.
pub(crate) struct Page {
    lines: Vec<String>,
    pub(crate) blocks: Vec<Block>,
}

/// What becomes of an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A block marked `sql`.
    Runs,
    /// A block marked `sql,error`.
    Fails,
}

/// An example, and the output behind it.
pub(crate) struct Block {
    pub(crate) kind: Kind,
    /// Where it begins, counted from one.
    pub(crate) line: usize,
    pub(crate) sql: String,
    /// What the page shows right behind it, in a block marked `text`.
    pub(crate) shown: Option<String>,
    shown_lines: std::ops::Range<usize>,
}

impl Page {
    pub(crate) fn read(text: &str) -> Self {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let mut blocks = Vec::new();
        let mut at = 0;
        while at < lines.len() {
            let kind = match lines[at].as_str() {
                "```sql" => Kind::Runs,
                "```sql,error" => Kind::Fails,
                opening if opening.starts_with("```") => {
                    at = end_of(&lines, at) + 1;
                    continue;
                }
                _ => {
                    at += 1;
                    continue;
                }
            };
            let end = end_of(&lines, at);
            let mut shown_lines = end..end;
            let mut shown = None;
            let next = (end + 1..lines.len()).find(|line| !lines[*line].is_empty());
            if let Some(next) = next.filter(|line| lines[*line] == "```text") {
                shown_lines = next + 1..end_of(&lines, next);
                shown = Some(lines[shown_lines.clone()].join("\n"));
            }
            blocks.push(Block {
                kind,
                line: at + 1,
                sql: lines[at + 1..end].join("\n"),
                shown,
                shown_lines: shown_lines.clone(),
            });
            at = end.max(shown_lines.end) + 1;
        }
        Self { lines, blocks }
    }

    /// Puts other outputs in the places of those that are shown, by the blocks' indexes in rising order.
    pub(crate) fn replace(&mut self, outputs: &[(usize, String)]) {
        for (index, output) in outputs.iter().rev() {
            let lines = output.lines().map(str::to_owned);
            self.lines.splice(self.blocks[*index].shown_lines.clone(), lines);
        }
    }

    pub(crate) fn text(&self) -> String {
        let mut text = self.lines.join("\n");
        text.push('\n');
        text
    }
}

/// The line that closes the block which a line opens.
fn end_of(lines: &[String], opening: usize) -> usize {
    (opening + 1..lines.len())
        .find(|line| lines[*line] == "```")
        .unwrap_or_else(|| panic!("the block in line {} is not closed", opening + 1))
}
