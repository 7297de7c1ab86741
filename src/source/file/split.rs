//! Which partition reads which bytes.
//!
//! The files in reading order are laid end to end and the whole is cut into parts of equal length; partition order
//! is reading order. A cut inside a file moves on to the next line end when it is read. A compressed file cannot be
//! cut and goes where its middle lies, and so does a file of which a cut would leave only a sliver.

use super::log::FileEntry;

/// Less than this for a partition is not worth another one.
const MIN_PART_BYTES: u64 = 256 * 1024;
/// No cut leaves less than this of a file on either side.
const MIN_PIECE_BYTES: u64 = 64 * 1024;

/// A piece of a file: the lines that begin in `start..end`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileRange {
    pub(super) path: String,
    pub(super) start: u64,
    pub(super) end: u64,
    /// How many bytes of the file count at all.
    pub(super) size: u64,
    pub(super) compression: Compression,
}

/// How a file's bytes are packed, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Compression {
    pub(super) fn of(path: &str) -> Self {
        match path.rsplit_once('.').map(|(_, extension)| extension) {
            Some("gz" | "gzip") => Self::Gzip,
            Some("zst" | "zstd") => Self::Zstd,
            _ => Self::None,
        }
    }
}

/// Spreads files over at most `partitions` parts, none of them empty. The same files and the same number of
/// partitions always give the same parts.
pub(super) fn split(files: &[FileEntry], partitions: usize) -> Vec<Vec<FileRange>> {
    let total: u64 = files.iter().map(|file| file.size).sum();
    let worthwhile = total.div_ceil(MIN_PART_BYTES).max(1);
    let count = worthwhile.min(partitions.max(1) as u64);
    let mut parts: Vec<Vec<FileRange>> = (0..count).map(|_| Vec::new()).collect();
    let boundary = |part: u64| scale(total, part, count);
    let mut position = 0;
    for file in files {
        let compression = Compression::of(&file.path);
        let mut cuts = vec![0];
        if compression == Compression::None {
            cuts.extend((1..count).map(boundary).filter_map(|cut| {
                let within = cut.checked_sub(position)?;
                let rest = file.size.checked_sub(within)?;
                (within >= MIN_PIECE_BYTES && rest >= MIN_PIECE_BYTES).then_some(within)
            }));
        }
        cuts.push(file.size);
        for piece in cuts.windows(2) {
            let middle = position + piece[0].midpoint(piece[1]);
            // The part whose stretch holds the middle; the last one also takes what lies at the very end.
            let part = (1..count).take_while(|part| boundary(*part) <= middle).count();
            parts[part].push(FileRange {
                path: file.path.clone(),
                start: piece[0],
                end: piece[1],
                size: file.size,
                compression,
            });
        }
        position += file.size;
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// `total * part / count` without overflow.
fn scale(total: u64, part: u64, count: u64) -> u64 {
    let exact = u128::from(total) * u128::from(part) / u128::from(count);
    u64::try_from(exact).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: u64 = 1024 * 1024;

    fn files(sizes: &[(&str, u64)]) -> Vec<FileEntry> {
        let entry = |(path, size): &(&str, u64)| FileEntry {
            path: (*path).to_owned(),
            modified_ms: 0,
            size: *size,
        };
        sizes.iter().map(entry).collect()
    }

    fn shape(parts: &[Vec<FileRange>]) -> Vec<Vec<(&str, u64, u64)>> {
        let piece = |range: &'_ FileRange| (range.start, range.end);
        parts
            .iter()
            .map(|part| {
                part.iter()
                    .map(|range| (range.path.as_str(), piece(range).0, piece(range).1))
                    .collect()
            })
            .collect()
    }

    #[test]
    fn a_big_file_is_cut_evenly() {
        let parts = split(&files(&[("a", 12 * MB)]), 3);
        assert_eq!(
            shape(&parts),
            [
                [("a", 0, 4 * MB)],
                [("a", 4 * MB, 8 * MB)],
                [("a", 8 * MB, 12 * MB)]
            ]
        );
    }

    #[test]
    fn little_data_stays_together() {
        let parts = split(&files(&[("a", 1000), ("b", 2000)]), 8);
        assert_eq!(shape(&parts), [[("a", 0, 1000), ("b", 0, 2000)]]);
        assert!(split(&[], 4).is_empty());
    }

    #[test]
    fn compressed_files_stay_whole() {
        let parts = split(&files(&[("a.gz", 3 * MB), ("b.zst", MB), ("c", 4 * MB)]), 2);
        assert_eq!(
            shape(&parts),
            [
                vec![("a.gz", 0, 3 * MB), ("b.zst", 0, MB)],
                vec![("c", 0, 4 * MB)]
            ]
        );
        assert_eq!(split(&files(&[("a.json.gz", 100 * MB)]), 4).len(), 1);
    }

    #[test]
    fn slivers_are_not_cut_off() {
        let parts = split(&files(&[("a", 4 * MB + 10), ("b", 4 * MB - 10)]), 2);
        assert_eq!(shape(&parts), [[("a", 0, 4 * MB + 10)], [("b", 0, 4 * MB - 10)]]);
    }

    #[test]
    fn every_byte_is_read_once_in_order() {
        let list = files(&[
            ("a", 5 * MB + 3),
            ("b", 1),
            ("c.gz", 2 * MB),
            ("d", 9 * MB + 1),
            ("e", 70_000),
        ]);
        for partitions in 1..20 {
            let parts = split(&list, partitions);
            assert!(parts.len() <= partitions);
            let mut flat = parts.into_iter().flatten().peekable();
            for file in &list {
                let mut at = 0;
                while let Some(range) = flat.next_if(|range| range.path == file.path && at < file.size) {
                    assert_eq!(range.start, at, "{partitions} partitions, {}", file.path);
                    at = range.end;
                }
                assert_eq!(at, file.size, "{partitions} partitions, {}", file.path);
            }
            assert!(flat.next().is_none());
        }
    }
}
