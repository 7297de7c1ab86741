//! A storage that reads a file and keeps writes to itself.
//!
//! redb repairs a file while it opens it. To look at a checkpoint that may be damaged without changing a byte of
//! it, the check runs on this overlay first.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::sync::Arc;

use parking_lot::Mutex;
use redb::StorageBackend;

const PAGE: u64 = 4096;
const PAGE_BYTES: usize = 4096;

/// Reads from a file; written pages shadow it. Clones share them.
#[derive(Debug, Clone)]
pub struct OverlayBackend {
    file: Arc<File>,
    written: Arc<Mutex<Written>>,
}

#[derive(Debug)]
struct Written {
    pages: BTreeMap<u64, Vec<u8>>,
    len: u64,
    /// From here on bytes are zero unless written, whatever the file has.
    file_len: u64,
}

impl OverlayBackend {
    /// An overlay over `file`, whose position it does not use.
    pub fn new(file: Arc<File>) -> io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self {
            file,
            written: Arc::new(Mutex::new(Written {
                pages: BTreeMap::new(),
                len,
                file_len: len,
            })),
        })
    }

    /// Carries the writes out on `file`, which must have the content of the file below, durably.
    pub fn write_to(&self, mut file: &File) -> io::Result<()> {
        let written = self.written.lock();
        file.set_len(written.len)?;
        for (page, bytes) in &written.pages {
            let start = page * PAGE;
            let length = usize::try_from(written.len.saturating_sub(start)).unwrap_or(usize::MAX);
            file.seek(SeekFrom::Start(start))?;
            file.write_all(&bytes[..bytes.len().min(length)])?;
        }
        file.sync_all()
    }

    fn read_file(&self, offset: u64, out: &mut [u8], file_len: u64) -> io::Result<()> {
        let available = file_len.saturating_sub(offset);
        let available = usize::try_from(available).unwrap_or(usize::MAX).min(out.len());
        let (there, beyond) = out.split_at_mut(available);
        beyond.fill(0);
        read_exact_at(&self.file, there, offset)
    }

    fn read_page(&self, written: &Written, page: u64, out: &mut [u8]) -> io::Result<()> {
        match written.pages.get(&page) {
            Some(bytes) => {
                out.copy_from_slice(&bytes[..out.len()]);
                Ok(())
            }
            None => self.read_file(page * PAGE, out, written.file_len),
        }
    }
}

impl StorageBackend for OverlayBackend {
    fn len(&self) -> io::Result<u64> {
        Ok(self.written.lock().len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let written = self.written.lock();
        if offset + out.len() as u64 > written.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut at = offset;
        let mut rest = out;
        while !rest.is_empty() {
            let (page, within) = (at / PAGE, usize::try_from(at % PAGE).unwrap_or(0));
            let length = rest.len().min(PAGE_BYTES - within);
            let (now, later) = rest.split_at_mut(length);
            match written.pages.get(&page) {
                Some(bytes) => now.copy_from_slice(&bytes[within..within + length]),
                None => self.read_file(at, now, written.file_len)?,
            }
            at += length as u64;
            rest = later;
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut written = self.written.lock();
        if len < written.len {
            written.file_len = written.file_len.min(len);
            let cut = len / PAGE;
            written.pages.split_off(&(cut + 1));
            if let Some(bytes) = written.pages.get_mut(&cut) {
                let within = usize::try_from(len % PAGE).unwrap_or(0);
                bytes[within..].fill(0);
            }
        }
        written.len = len;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut written = self.written.lock();
        let mut at = offset;
        let mut rest = data;
        while !rest.is_empty() {
            let (page, within) = (at / PAGE, usize::try_from(at % PAGE).unwrap_or(0));
            let length = rest.len().min(PAGE_BYTES - within);
            let mut bytes = vec![0; PAGE_BYTES];
            self.read_page(&written, page, &mut bytes)?;
            bytes[within..within + length].copy_from_slice(&rest[..length]);
            written.pages.insert(page, bytes);
            at += length as u64;
            rest = &rest[length..];
        }
        written.len = written.len.max(offset + data.len() as u64);
        Ok(())
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, out: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, out, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, out: &mut [u8], offset: u64) -> io::Result<()> {
    use std::os::windows::fs::FileExt;
    let mut read = 0;
    while read < out.len() {
        match file.seek_read(&mut out[read..], offset + read as u64)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => read += count,
        }
    }
    Ok(())
}
