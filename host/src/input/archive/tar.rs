//! tar, with the sparse files of GNU and pax.

use std::io::{self, BufRead as _, BufReader, Read};

use super::{Members, Reader, Sender, UnpackLimits, Unpacking, microseconds, start};

/// The members of a tar archive.
///
/// # Errors
///
/// When no thread can be started.
pub(super) fn members(archive: Reader, limits: &UnpackLimits) -> io::Result<Members> {
    let max_bytes = limits.max_unpacked_bytes;
    let archive = without_label(archive)?;
    start(move |sender| {
        let mut archive = tar::Archive::new(archive);
        // As `tar --ignore-zeros`: archives that were put together are read to the last.
        archive.set_ignore_zeros(true);
        let read = archive.entries().and_then(|mut entries| {
            let mut left = max_bytes;
            entries.try_for_each(|entry| send(entry?, sender, &mut left))
        });
        if let Err(error) = read
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            sender.fail_archive(&error);
        }
    })
}

/// The archive without the volume label that `tar --label` puts first. Its header has no
/// size, which `tar::Archive` takes for damage.
fn without_label(archive: Reader) -> io::Result<Reader> {
    const TYPE: usize = 156;
    let (head, whole) = crate::input::peek(archive, BLOCK_BYTES)?;
    let is_label = head.get(TYPE) == Some(&b'V');
    let mut whole = whole;
    if is_label {
        whole.read_exact(&mut [0; BLOCK_BYTES])?;
    }
    Ok(whole)
}

/// The unit of the format.
const BLOCK_BYTES: usize = 512;

/// Sends an entry if it is a file. Directories, links and volume labels have no content.
fn send(mut entry: tar::Entry<'_, Reader>, sender: &Sender, left: &mut u64) -> io::Result<()> {
    let kind = entry.header().entry_type();
    if !(kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse()) {
        return Ok(());
    }
    let sparse = PaxSparse::of(&mut entry)?;
    let path = match &sparse.name {
        Some(name) => name.clone(),
        None => String::from_utf8_lossy(&entry.path_bytes()).into_owned(),
    };
    let modified_us = entry.header().mtime().ok().and_then(microseconds);
    let mut content = BufReader::new(&mut entry);
    if sparse.has_map {
        skip_map(&mut content)?;
    }
    let mut content = Unpacking::new("tar", content, *left);
    let is_wanted = sender.send(path, modified_us, &mut content);
    *left = content.left();
    is_wanted
        .then_some(())
        .ok_or_else(|| io::ErrorKind::BrokenPipe.into())
}

/// The pax records of a sparse file
/// (<https://www.gnu.org/software/tar/manual/html_node/PAX-1.html>). The content in the
/// archive is that of the segments with data; the holes between them are zeros, which no log
/// line needs, so they are left out.
#[derive(Default)]
struct PaxSparse {
    /// The name of the file; the entry's own is made up.
    name: Option<String>,
    /// In version 1.0 a map of the segments comes before the content.
    has_map: bool,
}

impl PaxSparse {
    fn of(entry: &mut tar::Entry<'_, Reader>) -> io::Result<Self> {
        let mut sparse = Self::default();
        let Some(records) = entry.pax_extensions()? else {
            return Ok(sparse);
        };
        for record in records {
            let record = record?;
            match record.key_bytes() {
                b"GNU.sparse.name" => {
                    let name = String::from_utf8_lossy(record.value_bytes());
                    sparse.name = Some(name.into_owned());
                }
                b"GNU.sparse.major" => sparse.has_map = record.value_bytes() == b"1",
                _ => {}
            }
        }
        Ok(sparse)
    }
}

/// Passes over the map: decimal numbers with line feeds, the count of segments first, then
/// an offset and a length for each, padded to whole blocks.
fn skip_map(content: &mut impl io::BufRead) -> io::Result<()> {
    const LONGEST_NUMBER: u64 = 32;
    let mut passed = 0;
    let mut number = || -> io::Result<u64> {
        let mut digits = Vec::new();
        passed += content
            .take(LONGEST_NUMBER)
            .read_until(b'\n', &mut digits)?;
        let digits = str::from_utf8(digits.trim_ascii()).unwrap_or_default();
        digits
            .parse()
            .map_err(|_| io::Error::other("the map of a sparse file is damaged"))
    };
    let segments = number()?;
    for _ in 0..segments.saturating_mul(2) {
        number()?;
    }
    let padding = (BLOCK_BYTES - passed % BLOCK_BYTES) % BLOCK_BYTES;
    io::copy(&mut content.take(padding as u64), &mut io::sink()).map(drop)
}

/// Whether bytes begin with a header of the old format, which has no signature: its checksum
/// is right.
pub(in crate::input) fn is_v7(head: &[u8]) -> bool {
    const CHECKSUM: std::ops::Range<usize> = 148..156;
    let Some(header) = head.get(..BLOCK_BYTES) else {
        return false;
    };
    let digits = str::from_utf8(&header[CHECKSUM]).unwrap_or_default();
    let expected = u32::from_str_radix(digits.trim_matches([' ', '\0']), 8);
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>();
    let blank = u32::from(b' ') * CHECKSUM.len() as u32;
    let actual = sum(header) - sum(&header[CHECKSUM]) + blank;
    header[0] != 0 && expected == Ok(actual)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_format_is_recognised_by_its_checksum() {
        let mut header = tar::Header::new_old();
        header.set_path("access.log").unwrap();
        header.set_size(0);
        header.set_cksum();
        assert!(is_v7(header.as_bytes()));
        header.set_size(1);
        assert!(!is_v7(header.as_bytes()));
        assert!(!is_v7(&[0; 512]));
        assert!(!is_v7(&[b'7'; 512]));
    }

    #[test]
    fn the_map_of_a_sparse_file_takes_whole_blocks() {
        let mut map = b"2\n0\n512\n1048576\n20\n".to_vec();
        map.resize(512, 0);
        map.extend(b"content");
        let mut content = map.as_slice();
        skip_map(&mut content).unwrap();
        assert_eq!(content, b"content");
        assert!(skip_map(&mut &b"many\n"[..]).is_err());
    }
}
