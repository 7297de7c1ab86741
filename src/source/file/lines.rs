//! A piece of a file as blocks of whole lines.
//!
//! A piece owns the lines that begin in it. Both of its ends are moved to the next line's beginning by the same
//! rule, so neighbours meet at the same byte, and what is left is to read the bytes between them.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use memchr::{memchr, memrchr};

use super::location::cannot;
use super::split::{Compression, FileRange};
use crate::error::{Error, Result};

const BLOCK_BYTES: usize = 1024 * 1024;
const SCAN_BYTES: usize = 8 * 1024;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads pieces one after the other, into one buffer.
pub(super) struct LineBlocks {
    input: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    /// Where the bytes begin that were not taken yet.
    start: usize,
    /// Where the whole lines end.
    whole: usize,
    /// Where the bytes read end.
    filled: usize,
    finished: bool,
    at_file_start: bool,
}

impl LineBlocks {
    /// Reads nothing until a piece is opened.
    pub(super) fn new() -> Self {
        Self {
            input: Box::new(io::empty()),
            buffer: Vec::new(),
            start: 0,
            whole: 0,
            filled: 0,
            finished: true,
            at_file_start: false,
        }
    }

    /// Goes to a piece. Gives `false`, and nothing to read, if the file is gone or shorter than it was and
    /// `ignore_missing` says that this is no error.
    pub(super) fn open(&mut self, range: &FileRange, ignore_missing: bool) -> Result<bool> {
        let path = Path::new(&range.path);
        (self.start, self.whole, self.filled) = (0, 0, 0);
        self.finished = true;
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return if ignore_missing {
                    Ok(false)
                } else {
                    Err(vanished(path, error))
                };
            }
            Err(error) => return Err(cannot("read", path, error)),
        };
        let unreadable = |error| cannot("read", path, error);
        let length = file.metadata().map_err(unreadable)?.len();
        if length < range.size && !ignore_missing {
            return Err(Error::source(format!(
                "file \"{}\" has {length} bytes, but had {} when it was listed",
                range.path, range.size
            ))
            .hint("Restore it, or set ignoreMissingFiles to 'true'; RESTART goes on from the checkpoint."));
        }
        let size = range.size.min(length);
        let start = next_line(&mut file, range.start, size).map_err(unreadable)?;
        let end = next_line(&mut file, range.end, size).map_err(unreadable)?;
        if start >= end {
            return Ok(true);
        }
        file.seek(SeekFrom::Start(start)).map_err(unreadable)?;
        let bytes = file.take(end - start);
        self.input = match range.compression {
            Compression::None => Box::new(bytes),
            Compression::Gzip => Box::new(MultiGzDecoder::new(io::BufReader::with_capacity(
                64 * 1024,
                bytes,
            ))),
            Compression::Zstd => Box::new(zstd::Decoder::new(bytes).map_err(unreadable)?),
        };
        // A small file does not need a big buffer: one byte more than it has shows its end at the first read.
        let small = usize::try_from(end - start).unwrap_or(BLOCK_BYTES) + 1;
        let wanted = match range.compression {
            Compression::None => small.min(BLOCK_BYTES),
            _ => BLOCK_BYTES,
        };
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        self.finished = false;
        self.at_file_start = start == 0;
        Ok(true)
    }

    /// Whole lines, the last one perhaps without its end; empty at the end of the piece.
    pub(super) fn block(&mut self) -> io::Result<&[u8]> {
        while self.start == self.whole && !self.finished {
            self.fill()?;
        }
        Ok(&self.buffer[self.start..self.whole])
    }

    /// Takes the first `count` bytes of the block.
    pub(super) fn consume(&mut self, count: usize) {
        self.start += count;
    }

    fn fill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.start..self.filled, 0);
        self.filled -= self.start;
        (self.start, self.whole) = (0, 0);
        if self.filled == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let carried = self.filled;
        while self.filled < self.buffer.len() {
            match self.input.read(&mut self.buffer[self.filled..]) {
                Ok(0) => {
                    self.finished = true;
                    break;
                }
                Ok(count) => self.filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.whole = if self.finished {
            self.filled
        } else {
            // What was carried over holds no line end: look only at what is new.
            memrchr(b'\n', &self.buffer[carried..self.filled]).map_or(0, |at| carried + at + 1)
        };
        if self.at_file_start {
            self.at_file_start = false;
            if self.buffer[..self.whole].starts_with(BYTE_ORDER_MARK) {
                self.start = BYTE_ORDER_MARK.len();
            }
        }
        Ok(())
    }
}

/// The first line of a block without its end (`\n` or `\r\n`), and how many bytes it takes with it.
pub(super) fn first_line(block: &[u8]) -> (&[u8], usize) {
    let (line, taken) = match memchr(b'\n', block) {
        Some(at) => (&block[..at], at + 1),
        None => (block, block.len()),
    };
    (line.strip_suffix(b"\r").unwrap_or(line), taken)
}

fn vanished(path: &Path, error: io::Error) -> Error {
    Error::source(format!("file \"{}\" vanished before it was read", path.display()))
        .hint("Restore it, or set ignoreMissingFiles to 'true'; RESTART goes on from the checkpoint.")
        .caused_by(error)
}

/// The beginning of the first line that begins at `position` or later, `size` if there is none.
fn next_line(file: &mut File, position: u64, size: u64) -> io::Result<u64> {
    if position == 0 || position >= size {
        return Ok(position.min(size));
    }
    let mut at = position - 1;
    file.seek(SeekFrom::Start(at))?;
    let mut chunk = vec![0; SCAN_BYTES];
    while at < size {
        let count = file.read(&mut chunk)?;
        if count == 0 {
            break;
        }
        if let Some(found) = memchr(b'\n', &chunk[..count]) {
            return Ok((at + found as u64 + 1).min(size));
        }
        at += count as u64;
    }
    Ok(size)
}

#[cfg(test)]
mod tests;
