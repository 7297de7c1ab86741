//! The names of the files: whose they are, and of which batch, is told by the name alone.
//!
//! ```text
//! part-0000000042-00001-1a2b3c4d.snappy.parquet          batch 42, its file 1, query 1a2b3c4d-...
//! .part-0000000042-00001-1a2b3c4d.snappy.parquet.tmp     the same while it is being written
//! ```

use uuid::Uuid;

const TEMPORARY: &str = ".tmp";

/// The name of a batch's file.
pub(super) fn final_name(batch_id: u64, sequence: u32, query_id: Uuid, extension: &str) -> String {
    format!(
        "part-{batch_id:010}-{sequence:05}-{}.{extension}",
        short(query_id)
    )
}

/// The hidden name under which a file is written.
pub(super) fn temporary_name(name: &str) -> String {
    format!(".{name}{TEMPORARY}")
}

/// What a file's name says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owned {
    /// A file that was still being written.
    Temporary,
    /// A file of this batch.
    Batch(u64),
}

/// What a file of this query is; `None` for everything else that lies in the folder.
pub(super) fn owned(name: &str, query_id: Uuid) -> Option<Owned> {
    let (name, is_temporary) = match name.strip_prefix('.') {
        Some(hidden) => (hidden.strip_suffix(TEMPORARY)?, true),
        None => (name, false),
    };
    let mut parts = name.strip_prefix("part-")?.splitn(3, '-');
    let (batch_id, sequence, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let is_number =
        |text: &str, digits| text.len() >= digits && text.bytes().all(|byte| byte.is_ascii_digit());
    let (query, _) = rest.split_once('.')?;
    if query != short(query_id) || !is_number(batch_id, 10) || !is_number(sequence, 5) {
        return None;
    }
    let batch_id = batch_id.parse().ok()?;
    Some(if is_temporary {
        Owned::Temporary
    } else {
        Owned::Batch(batch_id)
    })
}

fn short(query_id: Uuid) -> String {
    let mut text = query_id.simple().to_string();
    text.truncate(8);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        let query = Uuid::from_u128(0x1a2b_3c4d_5e6f << 80);
        let name = final_name(42, 1, query, "snappy.parquet");
        assert_eq!(name, "part-0000000042-00001-1a2b3c4d.snappy.parquet");
        assert_eq!(owned(&name, query), Some(Owned::Batch(42)));
        let temporary = temporary_name(&name);
        assert!(temporary.starts_with('.'));
        assert_eq!(owned(&temporary, query), Some(Owned::Temporary));
        let huge = final_name(u64::MAX, 123_456, query, "json");
        assert_eq!(owned(&huge, query), Some(Owned::Batch(u64::MAX)));
        for other in [
            "part-0000000042-00001-1a2b3c4e.snappy.parquet",
            "part-42-00001-1a2b3c4d.json",
            "part-0000000042-00001-1a2b3c4d",
            ".part-0000000042-00001-1a2b3c4d.json",
            "part-00000-c000.snappy.parquet",
            "_SUCCESS",
        ] {
            assert_eq!(owned(other, query), None, "{other}");
        }
    }
}
