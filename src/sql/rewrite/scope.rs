//! The names that an expression sees, and how Spark finds one in them: without regard to case.

use datafusion::sql::sqlparser::ast::{Expr, Ident};

use super::using::Shared;

/// The columns of a relation or a query; `None` if they are not known here.
pub(super) type Columns = Option<Vec<String>>;

/// A relation in FROM.
#[derive(Debug, Clone, Default)]
pub(super) struct Relation {
    /// Its alias, or its name.
    pub(super) name: Option<String>,
    /// Further names that stand for it: a LATERAL VIEW becomes part of the relation that it belongs to.
    pub(super) also: Vec<String>,
    pub(super) columns: Columns,
}

/// What the expressions of one SELECT see.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope<'o> {
    pub(super) relations: Vec<Relation>,
    /// Columns that relations share by USING, as `*` gives them.
    pub(super) shared: Vec<Shared>,
    /// Names of the SELECT's own output, where the clause sees them.
    pub(super) aliases: Vec<String>,
    /// Whether those go before the columns of the relations: in ORDER BY.
    pub(super) output_first: bool,
    /// The query around, for subqueries.
    pub(super) outer: Option<&'o Scope<'o>>,
}

impl Relation {
    fn is_named(&self, name: &str, same: fn(&str, &str) -> bool) -> bool {
        let names = self.name.iter().chain(&self.also);
        names.into_iter().any(|known| same(known, name))
    }

    fn has(&self, column: &str) -> bool {
        let mut columns = self.columns.iter().flatten();
        columns.any(|known| known.eq_ignore_ascii_case(column))
    }
}

impl Scope<'_> {
    /// The same without the SELECT's own output, as the SELECT list sees it.
    pub(super) fn without_aliases(&self) -> Self {
        Self {
            aliases: Vec::new(),
            ..self.clone()
        }
    }

    /// Whether a qualifier names a relation here or around.
    pub(super) fn is_relation(&self, name: &str) -> bool {
        self.relation(name).is_some() || self.outer.is_some_and(|outer| outer.is_relation(name))
    }

    /// All columns in their order, of all relations or of one; `None` if some are not known.
    pub(super) fn all_columns(&self, of: Option<&str>) -> Option<Vec<(Option<String>, String)>> {
        let mut all = Vec::new();
        for relation in &self.relations {
            if of.is_some_and(|name| !relation.is_named(name, str::eq_ignore_ascii_case)) {
                continue;
            }
            let columns = relation.columns.as_ref()?;
            all.extend(
                columns
                    .iter()
                    .map(|column| (relation.name.clone(), column.clone())),
            );
        }
        Some(all)
    }

    /// What a name means that relations share by USING, unless it is that of an output column that goes before.
    pub(super) fn shared(&self, name: &str) -> Option<&Expr> {
        if self.column_here(name).is_none() {
            return self.outer?.shared(name);
        }
        if self.output_first && spelling(name, &self.aliases).is_some() {
            return None;
        }
        let mut shared = self.shared.iter();
        shared
            .find(|shared| shared.name.eq_ignore_ascii_case(name))
            .map(|shared| &shared.expr)
    }

    /// Gives a column the spelling under which it is known.
    pub(super) fn respell(&self, ident: &mut Ident) {
        if let Some(spelling) = self.column(&ident.value) {
            ident.value = spelling;
        }
    }

    /// Gives `relation.column`, `column.field` and longer ones the spelling under which they are known.
    pub(super) fn respell_path(&self, path: &mut [Ident]) {
        let [first, rest @ ..] = path else { return };
        let Some(relation) = self.relation(&first.value) else {
            match self.outer {
                Some(outer) if self.column_here(&first.value).is_none() => outer.respell_path(path),
                _ => self.respell(first),
            }
            return;
        };
        if let [column, ..] = rest {
            let is_field = relation.columns.is_some() && !relation.has(&column.value);
            if is_field && self.column_here(&first.value).is_some() {
                self.respell(first);
                return;
            }
            if let Some(spelling) = spelling(&column.value, relation.columns.iter().flatten()) {
                column.value = spelling;
            }
        }
        if let Some(name) = &relation.name {
            first.value.clone_from(name);
        }
    }

    /// The spelling of a relation that a qualifier means.
    pub(super) fn relation_name(&self, name: &str) -> Option<String> {
        self.relation(name)?.name.clone()
    }

    fn relation(&self, name: &str) -> Option<&Relation> {
        let find = |same| {
            self.relations
                .iter()
                .find(|relation| relation.is_named(name, same))
        };
        find(|a, b| a == b).or_else(|| find(str::eq_ignore_ascii_case))
    }

    fn column(&self, name: &str) -> Option<String> {
        self.column_here(name).or_else(|| self.outer?.column(name))
    }

    fn column_here(&self, name: &str) -> Option<String> {
        let columns = self
            .relations
            .iter()
            .filter_map(|relation| relation.columns.as_ref());
        let input = || spelling(name, columns.flatten());
        let output = || spelling(name, &self.aliases);
        if self.output_first {
            output().or_else(input)
        } else {
            input().or_else(output)
        }
    }
}

/// The spelling among `known` that `name` means: the same one, or the only one that differs in case alone.
pub(super) fn spelling<'k>(name: &str, known: impl IntoIterator<Item = &'k String>) -> Option<String> {
    let mut near: Option<&String> = None;
    let mut several = false;
    for candidate in known {
        if candidate == name {
            return Some(name.to_owned());
        }
        if candidate.eq_ignore_ascii_case(name) {
            several |= near.is_some_and(|near| near != candidate);
            near = Some(candidate);
        }
    }
    near.filter(|_| !several).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relation(name: &str, columns: &[&str]) -> Relation {
        Relation {
            name: Some(name.to_owned()),
            columns: Some(columns.iter().map(|&column| column.to_owned()).collect()),
            ..Relation::default()
        }
    }

    fn path(scope: &Scope<'_>, path: &str) -> String {
        let mut idents: Vec<Ident> = path.split('.').map(Ident::new).collect();
        scope.respell_path(&mut idents);
        idents
            .into_iter()
            .map(|ident| ident.value)
            .collect::<Vec<_>>()
            .join(".")
    }

    #[test]
    fn paths_take_the_declared_spelling() {
        let outer = Scope {
            relations: vec![relation("Around", &["Far"])],
            ..Scope::default()
        };
        let scope = Scope {
            relations: vec![
                relation("Events", &["userId", "Who"]),
                relation("who", &["name", "Name"]),
            ],
            aliases: vec!["Total".to_owned()],
            outer: Some(&outer),
            ..Scope::default()
        };
        for (written, known) in [
            ("events.USERID", "Events.userId"),
            ("who.NAME", "who.NAME"),
            ("Who.city", "Who.city"),
            ("WHO.name", "who.name"),
            ("TOTAL.x", "Total.x"),
            ("around.far", "Around.Far"),
            ("FAR.x", "Far.x"),
            ("nowhere.x", "nowhere.x"),
        ] {
            assert_eq!(path(&scope, written), known, "{written}");
        }
        assert_eq!(scope.column("userid").as_deref(), Some("userId"));
        assert_eq!(scope.column("NAME"), None, "two spellings fit");
        let mut scope = Scope {
            relations: vec![relation("t", &["total"])],
            aliases: vec!["TOTAL".to_owned()],
            ..Scope::default()
        };
        assert_eq!(scope.column("Total").as_deref(), Some("total"));
        scope.output_first = true;
        assert_eq!(scope.column("Total").as_deref(), Some("TOTAL"));
    }
}
