use std::collections::BTreeSet;

use filetime::{FileTime, set_file_mtime};
use tempfile::TempDir;

use super::*;

/// A folder with these files, each with a byte in it.
fn tree(files: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().expect("makes a folder");
    for file in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().expect("has a parent")).expect("makes folders");
        fs::write(path, "x").expect("writes");
    }
    folder
}

fn location(folder: &TempDir, path: &str, recursive: bool, filter: Option<&str>) -> Location {
    Location::try_new(Path::new(path), folder.path(), recursive, filter).expect("is a path")
}

/// The paths found, relative to the folder.
fn found(folder: &TempDir, location: &Location) -> Vec<String> {
    let listing = location.list(&|_, _| true).expect("lists");
    let base = format!("{}/", folder.path().display());
    let names = listing
        .files
        .iter()
        .map(|file| file.path.strip_prefix(&base).expect("is below"));
    let mut names: Vec<_> = names.map(str::to_owned).collect();
    names.sort();
    names
}

#[test]
fn a_folder_gives_the_files_in_it() {
    let folder = tree(&[
        "b",
        "a.json",
        "_x",
        ".y",
        "_k=1",
        "z._COPYING_",
        "sub/c",
        "_temporary/d",
    ]);
    assert_eq!(
        found(&folder, &location(&folder, ".", false, None)),
        ["_k=1", "a.json", "b"]
    );
}

#[test]
fn below_it_too_if_asked() {
    let folder = tree(&["a", "sub/c", "sub/deep/d", "_temporary/d", ".git/e"]);
    let all = location(&folder, "", true, None);
    assert_eq!(found(&folder, &all), ["a", "sub/c", "sub/deep/d"]);
    assert_eq!(all.list(&|_, _| true).expect("lists").folders.len(), 3);
}

#[test]
fn names_are_filtered() {
    let folder = tree(&["a.json", "b.csv", "c.json.gz", "d.txt"]);
    let filter = Some("*.{json,csv}");
    assert_eq!(
        found(&folder, &location(&folder, ".", false, filter)),
        ["a.json", "b.csv"]
    );
}

#[test]
fn globs_match_files_and_folders() {
    let folder = tree(&[
        "d1/a.json",
        "d1/b.csv",
        "d2/a.json",
        "e1/a.json",
        "d3",
        "_d4/a.json",
        "d1/sub/x",
    ]);
    let of = |glob: &str| found(&folder, &location(&folder, glob, false, None));
    assert_eq!(of("d?/*.json"), ["d1/a.json", "d2/a.json"]);
    assert_eq!(of("d*"), ["d1/a.json", "d1/b.csv", "d2/a.json", "d3"]);
    assert_eq!(of("{d2,e1}/a.json"), ["d2/a.json", "e1/a.json"]);
    assert_eq!(of("{d1,d[^2]}/a*"), ["d1/a.json"], "a file counts once");
    assert_eq!(of("*/a.json"), ["d1/a.json", "d2/a.json", "e1/a.json"]);
    assert!(of("nowhere/*.json").is_empty());
    location(&folder, "nowhere/*", false, None)
        .check_exists()
        .expect("a glob may match nothing");
}

#[test]
fn a_path_may_be_one_file() {
    let folder = tree(&["a.json", "b.json", "_c.json"]);
    assert_eq!(
        found(&folder, &location(&folder, "a.json", false, None)),
        ["a.json"]
    );
    let path = format!("{}/b.json", folder.path().display());
    let absolute = location(&folder, &path, false, None);
    assert_eq!(found(&folder, &absolute), ["b.json"]);
    assert_eq!(absolute.url(), format!("file:{}/b.json", folder.path().display()));
    let hidden = location(&folder, "_c.json", false, None)
        .check_exists()
        .expect_err("is hidden");
    assert!(
        hidden.message().ends_with("_c.json\" would be passed over"),
        "{hidden}"
    );
}

#[test]
fn known_names_are_not_looked_at() {
    let folder = tree(&["a", "b"]);
    let asked = std::cell::RefCell::new(BTreeSet::new());
    let listing = location(&folder, ".", false, None).list(&|folder, name| {
        asked.borrow_mut().insert((folder.to_owned(), name.to_owned()));
        name == "b"
    });
    let files = listing.expect("lists").files;
    assert_eq!(files.len(), 1);
    assert!(files[0].path.ends_with("/b"));
    let base = folder.path().to_str().expect("is text").to_owned();
    let all = [(base.clone(), "a".to_owned()), (base, "b".to_owned())];
    assert_eq!(asked.into_inner(), BTreeSet::from(all));
}

#[test]
fn entries_hold_time_and_size() {
    let folder = tree(&["a"]);
    set_file_mtime(folder.path().join("a"), FileTime::from_unix_time(-2, 500_000_000))
        .expect("sets the time");
    let listing = location(&folder, ".", false, None)
        .list(&|_, _| true)
        .expect("lists");
    assert_eq!((listing.files[0].modified_ms, listing.files[0].size), (-1500, 1));
}

#[cfg(unix)]
#[test]
fn links_are_followed_but_not_in_circles() {
    use std::os::unix::fs::symlink;
    let folder = tree(&["data/a", "in/b"]);
    let at = |name: &str| folder.path().join(name);
    symlink(at("data/a"), at("in/link")).expect("links");
    symlink(at("nowhere"), at("in/broken")).expect("links");
    symlink(at("in"), at("in/up")).expect("links");
    assert_eq!(
        found(&folder, &location(&folder, "in", false, None)),
        ["in/b", "in/link"]
    );
    let below = found(&folder, &location(&folder, "in", true, None));
    assert_eq!(below, ["in/b", "in/link", "in/up/b", "in/up/link"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_no_text_is_named() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tree(&["a"]);
    fs::write(folder.path().join(OsStr::from_bytes(b"bad\xff")), "x").expect("writes");
    let error = location(&folder, ".", false, None)
        .list(&|_, _| true)
        .expect_err("cannot be kept");
    assert!(error.message().ends_with("is not valid UTF-8"), "{error}");
}

#[test]
fn errors_name_the_path() {
    let folder = tree(&["a"]);
    let missing = location(&folder, "gone", false, None);
    for error in [
        missing.check_exists().expect_err("is not there"),
        missing.list(&|_, _| true).map(|_| ()).expect_err("is not there"),
    ] {
        let path = folder.path().join("gone");
        assert_eq!(error.kind(), crate::error::ErrorKind::Source);
        assert_eq!(
            error.message(),
            format!("path \"{}\" does not exist", path.display())
        );
        assert!(error.hint_text().is_some_and(|hint| hint.contains("RESTART")));
    }
    let wrong =
        |path: &str| Location::try_new(Path::new(path), folder.path(), false, None).expect_err("is wrong");
    assert!(wrong("in/[a-").message().starts_with("\"in/[a-\" is no glob"));
}

#[test]
fn braces_expand() {
    assert_eq!(expand_braces("a{b,c}d"), ["abd", "acd"]);
    assert_eq!(
        expand_braces("{a,b{c,d}}{1,2}"),
        ["a1", "a2", "bc1", "bc2", "bd1", "bd2"]
    );
    assert_eq!(expand_braces("x{,y}"), ["x", "xy"]);
    assert_eq!(expand_braces("open{a,b"), ["open{a,b"]);
}
