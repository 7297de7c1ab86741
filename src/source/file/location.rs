//! `path`: a folder, a file or a glob, and what is there now.
//!
//! Names that begin with `_` or `.` are passed over, folders too, as everywhere in Spark. A folder gives the files
//! directly in it and in folders of the form `column=value`, or with `recursiveFileLookup` all files below it. A glob is walked part by part, so that only
//! folders that can match are read, and a name that is known already costs no look at its file.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use glob::Pattern;

use super::folders::is_column;
use super::log::FileEntry;
use crate::error::{Error, Result};

/// Where a source's files are.
#[derive(Debug, Clone)]
pub(super) struct Location {
    /// The absolute path as text, wildcards included.
    text: String,
    roots: Roots,
    recursive: bool,
    name_filter: Vec<Pattern>,
}

#[derive(Debug, Clone)]
enum Roots {
    /// A path without wildcards: it has to exist.
    Plain(PathBuf),
    /// One list of parts for each of a glob's `{a,b}` alternatives.
    Globs(Vec<Vec<Part>>),
}

#[derive(Debug, Clone)]
enum Part {
    Name(String),
    Wildcard(Pattern),
}

/// What one look at a location found.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// The new files, in no order.
    pub(super) files: Vec<FileEntry>,
    /// The folders that were read, each with its modification time from before.
    pub(super) folders: Vec<(PathBuf, Option<SystemTime>)>,
}

impl Location {
    /// Reads `path`; a relative one begins at `base`.
    pub(super) fn try_new(
        path: &Path,
        base: &Path,
        recursive: bool,
        name_filter: Option<&str>,
    ) -> Result<Self> {
        let absolute = std::path::absolute(base.join(path)).map_err(|error| cannot("find", path, error))?;
        let text = printable(&absolute)?.to_owned();
        let roots = if text.contains(['*', '?', '[', ']', '{', '}']) {
            let alternatives = expand_braces(&text).into_iter();
            Roots::Globs(
                alternatives
                    .map(|glob| parts(&glob, printable(path)?))
                    .collect::<Result<_>>()?,
            )
        } else {
            Roots::Plain(absolute)
        };
        let name_filter = match name_filter {
            Some(filter) => expand_braces(filter)
                .iter()
                .map(|pattern| wildcard(pattern, filter))
                .collect::<Result<_>>()?,
            None => Vec::new(),
        };
        Ok(Self {
            text,
            roots,
            recursive,
            name_filter,
        })
    }

    /// The location as a URL: `file:/tmp/in`.
    pub(super) fn url(&self) -> String {
        format!("file:{}", self.text)
    }

    /// How many names a path has before those of the folders below the location.
    pub(super) fn depth(&self) -> usize {
        match &self.roots {
            Roots::Plain(path) => path.components().skip(1).count(),
            Roots::Globs(globs) => globs.iter().map(Vec::len).min().unwrap_or(0),
        }
    }

    /// Whether all folders below it are read, whatever their names.
    pub(super) fn is_recursive(&self) -> bool {
        self.recursive
    }

    /// Fails if there is no such folder or file. A glob may match nothing.
    pub(super) fn check_exists(&self) -> Result<()> {
        match &self.roots {
            Roots::Globs(_) => Ok(()),
            Roots::Plain(path) => {
                let metadata = fs::metadata(path).map_err(|error| cannot("find", path, error))?;
                let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
                if metadata.is_dir() || !is_hidden(name) {
                    return Ok(());
                }
                Err(
                    Error::source(format!("file \"{}\" would be passed over", path.display()))
                        .hint("Names that begin with _ or . do not count: rename the file."),
                )
            }
        }
    }

    /// Looks what is there. `is_new` says of a folder and a name whether that file is of interest; of a file that is
    /// not, nothing but the name is read.
    pub(super) fn list(&self, is_new: &dyn Fn(&str, &str) -> bool) -> Result<Listing> {
        let mut walk = Walk {
            location: self,
            is_new,
            found: Listing::default(),
            linked: HashSet::new(),
        };
        match &self.roots {
            Roots::Plain(path) => {
                let metadata = fs::metadata(path).map_err(|error| cannot("find", path, error))?;
                if metadata.is_dir() {
                    walk.folder(path)?;
                } else if let (Some(folder), Some(name)) = (path.parent(), path.file_name()) {
                    walk.note_folder(folder);
                    let name = printable(Path::new(name))?;
                    walk.file(folder, name, Some(metadata))?;
                }
            }
            Roots::Globs(globs) => {
                for glob in globs {
                    walk.glob(Path::new("/"), glob)?;
                }
            }
        }
        let mut found = walk.found;
        if matches!(&self.roots, Roots::Globs(globs) if globs.len() > 1) {
            // Alternatives may overlap, and a file counts once.
            found.files.sort_by(|left, right| left.path.cmp(&right.path));
            found.files.dedup_by(|left, right| left.path == right.path);
            found.folders.sort();
            found.folders.dedup_by(|left, right| left.0 == right.0);
        }
        Ok(found)
    }
}

/// Whether Spark passes a name over.
pub(super) fn is_hidden(name: &str) -> bool {
    name.starts_with('.') || (name.starts_with('_') && !name.contains('=')) || name.ends_with("._COPYING_")
}

struct Walk<'a> {
    location: &'a Location,
    is_new: &'a dyn Fn(&str, &str) -> bool,
    found: Listing,
    /// The folders that symbolic links led to: a link back up must not lead around for ever.
    linked: HashSet<PathBuf>,
}

impl Walk<'_> {
    fn note_folder(&mut self, folder: &Path) {
        let modified = fs::metadata(folder).and_then(|metadata| metadata.modified()).ok();
        self.found.folders.push((folder.to_owned(), modified));
    }

    /// The files of a folder, and of those folders in it that count.
    fn folder(&mut self, folder: &Path) -> Result<()> {
        for entry in self.entries(folder)? {
            let (name, file_type) = entry?;
            if is_hidden(&name) {
                continue;
            }
            if file_type == Kind::Folder {
                if self.location.recursive || is_column(&name) {
                    self.folder(&folder.join(name))?;
                }
            } else {
                self.file(folder, &name, None)?;
            }
        }
        Ok(())
    }

    /// Everything below `folder` that the rest of a glob matches.
    fn glob(&mut self, folder: &Path, rest: &[Part]) -> Result<()> {
        let Some((part, rest)) = rest.split_first() else {
            return self.folder(folder);
        };
        match part {
            Part::Name(name) => self.matched(folder, name, Kind::Unknown, rest),
            Part::Wildcard(pattern) => {
                for entry in self.entries(folder)? {
                    let (name, kind) = entry?;
                    if !is_hidden(&name) && pattern.matches(&name) {
                        self.matched(folder, &name, kind, rest)?;
                    }
                }
                Ok(())
            }
        }
    }

    fn matched(&mut self, folder: &Path, name: &str, kind: Kind, rest: &[Part]) -> Result<()> {
        let path = folder.join(name);
        match kind {
            Kind::Folder => self.glob(&path, rest),
            Kind::File if rest.is_empty() => self.file(folder, name, None),
            Kind::File => Ok(()),
            // A symbolic link, or a name that was not read from its folder: only a look tells.
            Kind::Unknown => match fs::metadata(&path) {
                Ok(metadata) if metadata.is_dir() => self.glob(&path, rest),
                Ok(metadata) if rest.is_empty() => self.file(folder, name, Some(metadata)),
                Ok(_) => Ok(()),
                Err(error) if is_gone(&error) => Ok(()),
                Err(error) => Err(cannot("look at", &path, error)),
            },
        }
    }

    /// Adds a file if it is new and wanted. `metadata` where it is known already.
    fn file(&mut self, folder: &Path, name: &str, metadata: Option<fs::Metadata>) -> Result<()> {
        let filter = &self.location.name_filter;
        if is_hidden(name) || !(filter.is_empty() || filter.iter().any(|pattern| pattern.matches(name))) {
            return Ok(());
        }
        if !(self.is_new)(printable(folder)?, name) {
            return Ok(());
        }
        let path = folder.join(name);
        let metadata = match metadata.map_or_else(|| fs::metadata(&path), Ok) {
            Ok(metadata) => metadata,
            // Moved away while the folder was read, or a link that leads nowhere.
            Err(error) if is_gone(&error) => return Ok(()),
            Err(error) => return Err(cannot("look at", &path, error)),
        };
        if metadata.is_dir() {
            let target = fs::canonicalize(&path).map_err(|error| cannot("find", &path, error))?;
            let follow = (self.location.recursive || is_column(name)) && self.linked.insert(target);
            return if follow { self.folder(&path) } else { Ok(()) };
        }
        if metadata.is_file() {
            self.found
                .files
                .push(FileEntry::new(printable(&path)?, &metadata));
        }
        Ok(())
    }

    /// Names and kinds of a folder's entries. A folder below a glob may vanish at any time; a plain one may not.
    fn entries(&mut self, folder: &Path) -> Result<impl Iterator<Item = Result<(String, Kind)>> + use<>> {
        self.note_folder(folder);
        let must_exist = matches!(&self.location.roots, Roots::Plain(path) if path == folder);
        let entries = match fs::read_dir(folder) {
            Ok(entries) => Some(entries),
            Err(error) if is_gone(&error) && !must_exist => None,
            Err(error) => return Err(cannot("list", folder, error)),
        };
        let folder = folder.to_owned();
        Ok(entries.into_iter().flatten().map(move |entry| {
            let entry = entry.map_err(|error| cannot("list", &folder, error))?;
            let kind = match entry.file_type() {
                Ok(kind) if kind.is_dir() => Kind::Folder,
                Ok(kind) if kind.is_file() => Kind::File,
                _ => Kind::Unknown,
            };
            let name = entry.file_name().into_string();
            let name = name.map_err(|name| not_text(&folder.join(name)))?;
            Ok((name, kind))
        }))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Folder,
    File,
    Unknown,
}

/// Milliseconds since the epoch, before it too.
pub(super) fn millis(time: SystemTime) -> i64 {
    let clamp = |millis: u128| i64::try_from(millis).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => clamp(since.as_millis()),
        Err(before) => -clamp(before.duration().as_millis()),
    }
}

/// An I/O error on a path, phrased for the one who can mend it.
pub(super) fn cannot(what: &str, path: &Path, error: std::io::Error) -> Error {
    let shown = path.display();
    let (message, hint) = match error.kind() {
        ErrorKind::NotFound => (
            format!("path \"{shown}\" does not exist"),
            "Create it or correct the path; RESTART goes on from the checkpoint.".to_owned(),
        ),
        ErrorKind::PermissionDenied => (
            format!("cannot {what} \"{shown}\": permission denied"),
            "Let this user read it; RESTART goes on from the checkpoint.".to_owned(),
        ),
        _ => (
            format!("cannot {what} \"{shown}\""),
            "Mend the file or folder; RESTART goes on from the checkpoint.".to_owned(),
        ),
    };
    Error::source(message).hint(hint).caused_by(error)
}

fn is_gone(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn not_text(path: &Path) -> Error {
    Error::source(format!("the name of \"{}\" is not valid UTF-8", path.display()))
        .hint("Rename it or move it away; RESTART goes on from the checkpoint.")
}

fn printable(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| not_text(path))
}

/// `a{b,c}d` as `abd` and `acd`, as often as there are braces, nested ones too.
fn expand_braces(text: &str) -> Vec<String> {
    let Some((open, close)) = outer_braces(text) else {
        return vec![text.to_owned()];
    };
    let (before, inside, after) = (&text[..open], &text[open + 1..close], &text[close + 1..]);
    let mut depth = 0;
    let alternatives = inside.split(|letter: char| {
        depth += i32::from(letter == '{') - i32::from(letter == '}');
        letter == ',' && depth == 0
    });
    let expanded = alternatives.flat_map(|choice| expand_braces(&format!("{before}{choice}{after}")));
    expanded.collect()
}

fn outer_braces(text: &str) -> Option<(usize, usize)> {
    let open = text.find('{')?;
    let mut depth = 0;
    for (at, letter) in text[open..].char_indices() {
        depth += i32::from(letter == '{') - i32::from(letter == '}');
        if depth == 0 {
            return Some((open, open + at));
        }
    }
    None
}

fn parts(glob: &str, written: &str) -> Result<Vec<Part>> {
    let components = Path::new(glob).components();
    let names = components.filter_map(|component| match component {
        Component::Normal(name) => name.to_str(),
        _ => None,
    });
    names
        .map(|name| {
            if name.contains(['*', '?', '[']) {
                wildcard(name, written).map(Part::Wildcard)
            } else {
                Ok(Part::Name(name.to_owned()))
            }
        })
        .collect()
}

fn wildcard(pattern: &str, written: &str) -> Result<Pattern> {
    // Hadoop negates a class with ^ as well as with !.
    Pattern::new(&pattern.replace("[^", "[!")).map_err(|error| {
        Error::statement(format!("\"{written}\" is no glob: {}", error.msg))
            .hint("Globs know *, ?, [a-z], [!a-z] and {one,other}.")
    })
}

#[cfg(test)]
mod tests;
