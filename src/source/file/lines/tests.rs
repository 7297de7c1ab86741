use std::io::Write;

use flate2::Compression as Level;
use flate2::write::GzEncoder;
use tempfile::TempDir;

use super::*;

fn write(folder: &TempDir, name: &str, bytes: &[u8]) -> FileRange {
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("writes");
    FileRange {
        path: path.to_str().expect("is text").to_owned(),
        start: 0,
        end: bytes.len() as u64,
        size: bytes.len() as u64,
        compression: Compression::of(name),
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("makes a folder")
}

fn read_with(lines: &mut LineBlocks, range: &FileRange) -> Vec<Vec<u8>> {
    assert!(lines.open(range, false).expect("opens"));
    let mut all = Vec::new();
    loop {
        let block = lines.block().expect("reads");
        if block.is_empty() {
            return all;
        }
        let (line, taken) = first_line(block);
        all.push(line.to_vec());
        lines.consume(taken);
    }
}

fn read(range: &FileRange) -> Vec<Vec<u8>> {
    read_with(&mut LineBlocks::new(), range)
}

#[test]
fn lines_end_with_or_without_a_carriage_return() {
    let folder = folder();
    let range = write(&folder, "a", b"one\r\ntwo\n\n\r\nthr\ree\nlast");
    assert_eq!(read(&range), [&b"one"[..], b"two", b"", b"", b"thr\ree", b"last"]);
    assert_eq!(read(&write(&folder, "b", b"one\n")), [b"one"]);
}

#[test]
fn a_byte_order_mark_is_passed_over_at_the_start_only() {
    let folder = folder();
    let range = write(&folder, "a", b"\xef\xbb\xbfone\n\xef\xbb\xbftwo");
    assert_eq!(read(&range), [&b"one"[..], b"\xef\xbb\xbftwo"]);
    assert!(read(&write(&folder, "b", BYTE_ORDER_MARK)).is_empty());
}

#[test]
fn wherever_a_file_is_cut_every_line_is_read_once() {
    let folder = folder();
    let mut text = Vec::new();
    for line in 0..40 {
        text.extend_from_slice("x".repeat(line % 7).as_bytes());
        text.extend_from_slice(if line % 3 == 0 { b"\r\n" } else { b"\n" });
    }
    text.extend_from_slice(b"no end");
    let whole = write(&folder, "a", &text);
    let expected = read(&whole);
    assert_eq!(expected.len(), 41);
    let mut lines = LineBlocks::new();
    for cut in 1..whole.size {
        let left = FileRange {
            end: cut,
            ..whole.clone()
        };
        let right = FileRange {
            start: cut,
            ..whole.clone()
        };
        let mut both = read_with(&mut lines, &left);
        both.extend(read_with(&mut lines, &right));
        assert_eq!(both, expected, "cut at {cut}");
    }
}

#[test]
fn long_lines_grow_the_buffer() {
    let folder = folder();
    let long = vec![b'y'; 3 * BLOCK_BYTES + 17];
    let text = [b"short\n", &long[..], b"\nend\n"].concat();
    let range = write(&folder, "a", &text);
    assert_eq!(read(&range), [b"short".to_vec(), long, b"end".to_vec()]);
    let second = FileRange {
        start: 20,
        ..range.clone()
    };
    assert_eq!(read(&second), [b"end"], "a cut in the long line leads behind it");
}

#[test]
fn only_the_listed_length_is_read() {
    let folder = folder();
    let range = write(&folder, "a", b"one\ntwo\n");
    let path = folder.path().join("a");
    std::fs::write(&path, b"one\ntwo\nthree\n").expect("writes");
    assert_eq!(read(&range), [b"one", b"two"]);
    std::fs::write(&path, b"one\n").expect("writes");
    let error = LineBlocks::new().open(&range, false).expect_err("is shorter");
    assert_eq!(
        error.message(),
        format!(
            "file \"{}\" has 4 bytes, but had 8 when it was listed",
            path.display()
        )
    );
    let mut lines = LineBlocks::new();
    assert!(lines.open(&range, true).expect("is lenient"));
    assert_eq!(lines.block().expect("reads"), b"one\n");
}

#[test]
fn a_vanished_file_is_named() {
    let folder = folder();
    let range = write(&folder, "a", b"one\n");
    std::fs::remove_file(&range.path).expect("removes");
    let error = LineBlocks::new().open(&range, false).expect_err("is gone");
    assert_eq!(
        error.message(),
        format!("file \"{}\" vanished before it was read", range.path)
    );
    assert!(error.hint_text().is_some_and(|hint| hint.contains("RESTART")));
    assert!(!LineBlocks::new().open(&range, true).expect("is lenient"));
}

#[test]
fn gzip_and_zstd_are_unpacked() {
    let folder = folder();
    let text = "some line\n".repeat(300_000);
    let mut gzip = GzEncoder::new(Vec::new(), Level::fast());
    gzip.write_all(text.as_bytes()).expect("packs");
    let gzip = gzip.finish().expect("packs");
    let mut members = GzEncoder::new(gzip.clone(), Level::fast());
    members.write_all(b"second member").expect("packs");
    let members = members.finish().expect("packs");
    let zstd = zstd::encode_all(text.as_bytes(), 1).expect("packs");
    assert_eq!(read(&write(&folder, "a.gz", &gzip)).len(), 300_000);
    assert_eq!(
        read(&write(&folder, "m.gz", &members)).last().expect("has lines"),
        b"second member"
    );
    assert_eq!(read(&write(&folder, "a.json.zst", &zstd)).len(), 300_000);
    for (name, packed) in [("cut.gz", gzip), ("cut.zst", zstd)] {
        let range = write(&folder, name, &packed[..packed.len() / 2]);
        let mut lines = LineBlocks::new();
        assert!(lines.open(&range, false).expect("opens"));
        let error = loop {
            match lines.block() {
                Ok(block) => {
                    assert!(!block.is_empty(), "{name}: the cut was not noticed");
                    let count = block.len();
                    lines.consume(count);
                }
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{name}");
    }
}
