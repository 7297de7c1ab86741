//! Words for what is being typed: what fits the place first, and of that what fits the letters best.
//!
//! Functions and words of statements are asked of the engine once; streams, tables, views, results, their columns and
//! queries are those of the newest snapshot.

use arrow::datatypes::{DataType, Fields};
use ratatui_textarea::CursorMove;

use super::{App, Sql};
use crate::engine::snapshot::{CatalogEntry, Snapshot};
use crate::sql::highlight::PieceKind;
use crate::tui::fuzzy;
use crate::types::spark_type_name;

/// More are not offered.
const MAX_OFFERED: usize = 60;
/// From so many letters on words are offered unasked.
const LEAST_LETTERS: usize = 2;

/// Words that a relation's name follows.
const BEFORE_RELATIONS: [&str; 8] = [
    "FROM", "JOIN", "STREAM", "TABLE", "VIEW", "DESCRIBE", "INTO", "ON",
];
/// Words that a query's name follows.
const BEFORE_QUERIES: [&str; 3] = ["QUERY", "FOR", "STATE"];

/// A word that could stand where the cursor is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offer {
    /// What is put in.
    pub(crate) text: String,
    /// What it is: `stream`, `double`, `aggregate function`.
    pub(crate) detail: String,
}

/// The words that are offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Completions {
    pub(crate) offers: Vec<Offer>,
    /// The one that Tab puts in.
    pub(crate) at: usize,
    /// Letters before the cursor that it replaces.
    pub(crate) letters: usize,
}

/// Where a word is being typed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Place {
    /// The letters before the cursor.
    word: String,
    /// The name before a dot before them.
    owner: Option<String>,
    /// The word of a statement before that, in capitals, if it is the last thing before.
    after: Option<String>,
}

impl Sql {
    /// Where the cursor is; `None` in quotes and comments.
    fn place(&self) -> Option<Place> {
        let (line, column) = self.cursor();
        let is_quoted = self.pieces.iter().any(|piece| {
            let is_inside = piece.line == line && piece.columns.contains(&column.saturating_sub(1));
            is_inside && column > 0 && matches!(piece.kind, PieceKind::Text | PieceKind::Comment)
        });
        if is_quoted {
            return None;
        }
        let before: Vec<char> = self.text.lines()[line].chars().take(column).collect();
        let start = word_start(&before);
        let word: String = before[start..].iter().collect();
        let owner = (start > 0 && before[start - 1] == '.').then(|| {
            let from = word_start(&before[..start - 1]);
            before[from..start - 1].iter().collect::<String>()
        });
        let last = self
            .pieces
            .iter()
            .rfind(|piece| (piece.line, piece.columns.end) <= (line, start));
        let after = last
            .filter(|piece| matches!(piece.kind, PieceKind::Keyword | PieceKind::Call))
            .map(|piece| self.piece_text(piece.line, &piece.columns).to_uppercase());
        Some(Place { word, owner, after })
    }

    fn piece_text(&self, line: usize, columns: &std::ops::Range<usize>) -> String {
        let letters = self.text.lines()[line].chars();
        letters.skip(columns.start).take(columns.len()).collect()
    }

    /// The names in the statement that the cursor is in, in their order.
    fn names_around(&self) -> Vec<String> {
        let (start, end) = self.statement();
        let is_around = |line, column| (line, column) >= start && (line, column) <= end;
        self.pieces
            .iter()
            .filter(|piece| piece.kind == PieceKind::Name && is_around(piece.line, piece.columns.start))
            .map(|piece| self.piece_text(piece.line, &piece.columns).replace('`', ""))
            .collect()
    }

    /// Whether the person writes the words of statements in small letters.
    fn writes_small(&self) -> bool {
        let first = self.pieces.iter().find(|piece| piece.kind == PieceKind::Keyword);
        first.is_some_and(|piece| {
            let word = self.piece_text(piece.line, &piece.columns);
            word.len() > 1 && word == word.to_lowercase()
        })
    }

    /// What could stand at the cursor, the best first.
    fn offers(&self, place: &Place, snapshot: &Snapshot) -> Vec<Offer> {
        let relations = snapshot.catalog.as_slice();
        let names = self.names_around();
        if let Some(owner) = &place.owner {
            return by_tiers(vec![members(owner, &names, relations)], &place.word);
        }
        let relation_offers = || relations.iter().map(relation_offer).collect::<Vec<_>>();
        let query_offers = || {
            let offer = |query: &std::sync::Arc<crate::engine::snapshot::QuerySnapshot>| Offer {
                text: quoted(&query.name),
                detail: "query".to_string(),
            };
            snapshot.queries.iter().map(offer).collect::<Vec<_>>()
        };
        let after = place.after.as_deref().unwrap_or("");
        if BEFORE_RELATIONS[..7].contains(&after) {
            return by_tiers(vec![relation_offers(), self.keyword_offers()], &place.word);
        }
        if BEFORE_QUERIES.contains(&after) {
            return by_tiers(vec![query_offers(), self.keyword_offers()], &place.word);
        }
        let (near, far): (Vec<&CatalogEntry>, Vec<&CatalogEntry>) = relations
            .iter()
            .partition(|entry| names.iter().any(|name| name.eq_ignore_ascii_case(&entry.name)));
        let columns = |entries: &[&CatalogEntry]| -> Vec<Offer> {
            let all = entries
                .iter()
                .flat_map(|entry| column_offers(entry.schema.fields()));
            let mut found: Vec<Offer> = Vec::new();
            for offer in all {
                if !found.iter().any(|known| known.text == offer.text) {
                    found.push(offer);
                }
            }
            found
        };
        let tiers = vec![
            columns(&near),
            self.keyword_offers(),
            relation_offers(),
            self.function_offers(),
            columns(&far),
        ];
        by_tiers(tiers, &place.word)
    }

    fn keyword_offers(&self) -> Vec<Offer> {
        let small = self.writes_small();
        let words = self.words.iter().flat_map(|words| words.keywords.iter());
        let offer = |word: &&str| Offer {
            text: if small {
                word.to_lowercase()
            } else {
                (*word).to_string()
            },
            detail: String::new(),
        };
        words.map(offer).collect()
    }

    fn function_offers(&self) -> Vec<Offer> {
        let functions = self.words.iter().flat_map(|words| words.functions.iter());
        let offer = |(name, kind): &(String, &'static str)| Offer {
            text: format!("{name}("),
            detail: format!("{kind} function"),
        };
        // Operators have names as functions do.
        functions
            .filter(|(name, _)| name.chars().all(is_letter))
            .map(offer)
            .collect()
    }
}

impl App {
    /// Offers words for what was typed, or, when asked to, for whatever could be typed.
    pub(in crate::tui::app) fn offer_words(&mut self, is_asked: bool) {
        self.sql.completions = None;
        let Some(place) = self.sql.place() else { return };
        let letters = place.word.chars().count();
        let is_enough = letters >= LEAST_LETTERS || place.owner.is_some();
        let is_number = place.word.starts_with(|first: char| first.is_ascii_digit());
        if !is_asked && !is_enough || is_number {
            return;
        }
        let offers = self.sql.offers(&place, &self.live.snapshot);
        let is_whole = |offer: &Offer| offer.text.trim_end_matches('(').eq_ignore_ascii_case(&place.word);
        if offers.is_empty() || !is_asked && offers.first().is_some_and(is_whole) {
            return;
        }
        self.sql.completions = Some(Completions {
            offers,
            at: 0,
            letters,
        });
    }

    /// Puts the chosen word in.
    pub(in crate::tui::app) fn take_offer(&mut self) {
        let Some(completions) = self.sql.completions.take() else {
            return;
        };
        let Some(offer) = completions.offers.get(completions.at) else {
            return;
        };
        let (line, column) = self.sql.cursor();
        let next = self.sql.lines()[line].chars().nth(column);
        let text = match (offer.text.strip_suffix('('), next) {
            (Some(name), Some('(')) => name,
            _ => &offer.text,
        };
        for _ in 0..completions.letters {
            self.sql.text.move_cursor(CursorMove::Back);
        }
        self.sql.text.delete_str(completions.letters);
        self.sql.text.insert_str(text);
        self.text_changed();
    }
}

/// Those that fit the letters: those that begin with them before others, of these by tiers, of a tier the best first.
fn by_tiers(tiers: Vec<Vec<Offer>>, typed: &str) -> Vec<Offer> {
    let low = typed.to_lowercase();
    let ranked = tiers
        .into_iter()
        .flat_map(|tier| fuzzy::ranked(tier, typed, |offer| offer.text.as_str()));
    let begins = |offer: &Offer| {
        offer
            .text
            .trim_start_matches('`')
            .to_lowercase()
            .starts_with(&low)
    };
    let (first, rest): (Vec<Offer>, Vec<Offer>) = ranked.partition(begins);
    first.into_iter().chain(rest).take(MAX_OFFERED).collect()
}

fn relation_offer(entry: &CatalogEntry) -> Offer {
    Offer {
        text: quoted(&entry.name),
        detail: entry.kind.as_str().to_string(),
    }
}

fn column_offers(fields: &Fields) -> Vec<Offer> {
    let offer = |field: &std::sync::Arc<arrow::datatypes::Field>| Offer {
        text: quoted(field.name()),
        detail: spark_type_name(field.data_type()),
    };
    fields.iter().map(offer).collect()
}

/// What a name before a dot has: the columns of a relation, also by its alias, or the fields of a column.
fn members(owner: &str, names: &[String], relations: &[CatalogEntry]) -> Vec<Offer> {
    let relation = |name: &str| {
        relations
            .iter()
            .find(|entry| entry.name.eq_ignore_ascii_case(name))
    };
    // `FROM orders AS o`: the alias is the name behind the relation's.
    let aliased = || {
        let pairs = names.iter().zip(names.iter().skip(1));
        let mut owners = pairs.filter(|(_, alias)| alias.eq_ignore_ascii_case(owner));
        owners.find_map(|(name, _)| relation(name))
    };
    if let Some(entry) = relation(owner).or_else(aliased) {
        return column_offers(entry.schema.fields());
    }
    let mut columns = relations.iter().flat_map(|entry| entry.schema.fields().iter());
    let column = columns.find(|field| {
        matches!(field.data_type(), DataType::Struct(_)) && field.name().eq_ignore_ascii_case(owner)
    });
    match column.map(|field| field.data_type()) {
        Some(DataType::Struct(fields)) => column_offers(fields),
        _ => Vec::new(),
    }
}

/// A name as it is written: in back-quotes where it is no plain word.
fn quoted(name: &str) -> String {
    let is_plain = name.chars().all(is_letter) && !name.starts_with(|first: char| first.is_ascii_digit());
    if is_plain && !name.is_empty() {
        name.to_string()
    } else {
        format!("`{}`", name.replace('`', "``"))
    }
}

fn is_letter(one: char) -> bool {
    one.is_alphanumeric() || one == '_'
}

/// Where the word begins that ends at the end.
fn word_start(letters: &[char]) -> usize {
    letters
        .iter()
        .rposition(|one| !is_letter(*one))
        .map_or(0, |at| at + 1)
}
