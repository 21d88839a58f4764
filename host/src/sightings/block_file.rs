//! A temporary file of blocks, and streams of bytes in it.
//!
//! A block is used again once it was read, so that a stream can be rewritten in the room that
//! it takes.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::spill::SpillError;

/// Large enough that calls of the system cost little; each open stream has one in memory.
const BLOCK_BYTES: usize = 64 << 10;

/// A temporary file without a name, in the folder for temporary files.
pub(super) struct BlockFile {
    file: File,
    folder: PathBuf,
    /// The number of blocks in the file.
    blocks: u64,
    /// Blocks without content.
    free: Vec<u64>,
}

/// Bytes that are appended to in a [`BlockFile`].
#[derive(Default)]
pub(super) struct BlockStream {
    /// Full blocks.
    blocks: Vec<u64>,
    /// What is after them.
    end: Vec<u8>,
}

/// Reads a [`BlockStream`] once.
pub(super) struct BlockReader {
    /// In reverse order.
    blocks: Vec<u64>,
    end: Vec<u8>,
    block: Vec<u8>,
    at: usize,
}

impl BlockFile {
    /// Creates the file.
    ///
    /// # Errors
    ///
    /// If it cannot be created.
    pub(super) fn new() -> Result<Self, SpillError> {
        let folder = std::env::temp_dir();
        let file = tempfile::tempfile_in(&folder);
        Ok(Self {
            file: file.map_err(|error| SpillError::new(&folder, &error))?,
            folder,
            blocks: 0,
            free: Vec::new(),
        })
    }

    /// The folder of the file.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    fn write(&mut self, block: &[u8]) -> io::Result<u64> {
        let number = self.free.pop().unwrap_or_else(|| {
            self.blocks += 1;
            self.blocks - 1
        });
        self.seek(number)?;
        self.file.write_all(block)?;
        Ok(number)
    }

    /// Reads a block, whose room is free then.
    fn take(&mut self, number: u64, block: &mut [u8]) -> io::Result<()> {
        self.seek(number)?;
        self.file.read_exact(block)?;
        self.free.push(number);
        Ok(())
    }

    fn seek(&mut self, number: u64) -> io::Result<u64> {
        let at = number * BLOCK_BYTES as u64;
        self.file.seek(SeekFrom::Start(at))
    }
}

impl BlockStream {
    /// Appends bytes.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub(super) fn push(&mut self, bytes: &[u8], file: &mut BlockFile) -> Result<(), SpillError> {
        self.end.extend_from_slice(bytes);
        while self.end.len() >= BLOCK_BYTES {
            let written = file.write(&self.end[..BLOCK_BYTES]);
            let number = written.map_err(|error| SpillError::new(&file.folder, &error))?;
            self.blocks.push(number);
            self.end.drain(..BLOCK_BYTES);
        }
        Ok(())
    }

    /// Reads the stream.
    pub(super) fn into_reader(mut self) -> BlockReader {
        self.blocks.reverse();
        BlockReader {
            blocks: self.blocks,
            end: self.end,
            block: Vec::new(),
            at: 0,
        }
    }
}

impl BlockReader {
    /// Whether all was read.
    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.block.len() && self.blocks.is_empty() && self.end.is_empty()
    }

    /// Fills a buffer with the next bytes.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or the stream ends before.
    pub(super) fn read(&mut self, into: &mut [u8], file: &mut BlockFile) -> Result<(), SpillError> {
        let mut filled = 0;
        while filled < into.len() {
            if self.at == self.block.len() {
                let next = self.next_block(file);
                next.map_err(|error| SpillError::new(&file.folder, &error))?;
            }
            let rest = &self.block[self.at..];
            let len = rest.len().min(into.len() - filled);
            into[filled..filled + len].copy_from_slice(&rest[..len]);
            self.at += len;
            filled += len;
        }
        Ok(())
    }

    fn next_block(&mut self, file: &mut BlockFile) -> io::Result<()> {
        self.at = 0;
        match self.blocks.pop() {
            Some(number) => {
                self.block.resize(BLOCK_BYTES, 0);
                file.take(number, &mut self.block)
            }
            None if self.end.is_empty() => Err(io::ErrorKind::UnexpectedEof.into()),
            None => {
                self.block = std::mem::take(&mut self.end);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_read_as_they_were_written_and_their_room_is_used_again() {
        let mut file = BlockFile::new().unwrap();
        let bytes = |seed: usize| -> Vec<u8> {
            let len = BLOCK_BYTES * 3 + 7 * seed;
            (0..len).map(|at| (at * seed % 251) as u8).collect()
        };
        for _ in 0..3 {
            let mut streams = [BlockStream::default(), BlockStream::default()];
            for part in 0..11 {
                for (stream, seed) in streams.iter_mut().zip([3, 5]) {
                    let bytes = bytes(seed);
                    let part_len = bytes.len().div_ceil(11);
                    let part = bytes.chunks(part_len).nth(part).unwrap();
                    stream.push(part, &mut file).unwrap();
                }
            }
            for (stream, seed) in streams.into_iter().zip([3, 5]) {
                let mut read = vec![0; bytes(seed).len()];
                let mut reader = stream.into_reader();
                let (first, second) = read.split_at_mut(BLOCK_BYTES + 1);
                reader.read(first, &mut file).unwrap();
                reader.read(second, &mut file).unwrap();
                assert!(reader.is_at_end() && read == bytes(seed));
                assert!(reader.read(&mut [0], &mut file).is_err());
            }
            assert_eq!(file.blocks, 6);
        }
    }
}
