//! A cache of compiled components in a directory.
//!
//! There is one file for each component and compiler configuration, named by the
//! component's digest and a hash of the configuration. It ends with a checksum:
//! machine code is executed without a check, so one flipped bit can crash the host
//! or change a verdict. A file that does not match its checksum is ignored, and the
//! component is compiled again. The checksum detects damage, not manipulation; only
//! the owner may write to the directory.
//!
//! Files are mapped into memory. Copying them took most of the start-up time with
//! all built-in parsers.

use std::fs::File;
use std::hash::{BuildHasher as _, Hasher as _};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use foldhash::quality::FixedState;
use wasmtime::component::Component;

use crate::clock::{Clock, UnixMs};

/// The limit on the size of all files. The least recently used files are removed. A
/// component that contains CPython takes about 60 MB.
const LIMIT_BYTES: u64 = 1 << 30;

/// The last bytes of each file, after the checksum.
const MAGIC: &[u8; 8] = b"vthost 2";
/// The size of the checksum and [`MAGIC`].
const TRAILER_BYTES: usize = 16;
/// The hash depends on this block size.
const BLOCK_BYTES: usize = 1 << 16;

/// A directory of compiled components.
#[derive(Clone)]
pub(super) struct CompiledCache {
    directory: PathBuf,
    clock: Arc<dyn Clock>,
    limit_bytes: u64,
}

impl CompiledCache {
    /// The cache in an existing directory. `clock` gives the time of use of a file.
    pub(super) fn new(directory: &Path, clock: Arc<dyn Clock>) -> Self {
        Self {
            directory: directory.to_owned(),
            clock,
            limit_bytes: LIMIT_BYTES,
        }
    }

    /// The component with this digest, if there is an undamaged file for it.
    pub(super) fn find(&self, engine: &wasmtime::Engine, digest: &str) -> Option<Component> {
        let path = self.path(engine, digest);
        if !is_intact(&mut File::open(&path).ok()?).unwrap_or(false) {
            return None;
        }
        // SAFETY: by its checksum the file is what `keep` wrote. Only its owner can
        // write to the directory, and files in it are replaced, never modified.
        // wasmtime refuses code of another version or configuration.
        let component = unsafe { Component::deserialize_file(engine, &path) }.ok()?;
        // The component is usable even if the time cannot be set.
        let _ = self.mark_as_used(&path);
        Some(component)
    }

    /// Stores a component for later runs. A failure only costs compilation time in
    /// the next run, so it is not reported.
    pub(super) fn keep(&self, engine: &wasmtime::Engine, digest: &str, component: &Component) {
        if let Ok(code) = component.serialize() {
            let _ = self.write(&self.path(engine, digest), &code);
        }
    }

    fn path(&self, engine: &wasmtime::Engine, digest: &str) -> PathBuf {
        let compiler = FixedState::default().hash_one(engine.precompile_compatibility_hash());
        self.directory.join(format!("{digest}-{compiler:016x}"))
    }

    /// Writes a temporary file and renames it, so that other processes see the whole
    /// file or none.
    fn write(&self, path: &Path, code: &[u8]) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.directory)?;
        file.write_all(code)?;
        file.write_all(&trailer_of(code))?;
        file.persist(path)?;
        self.remove_least_recently_used()
    }

    fn remove_least_recently_used(&self) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.directory)? {
            let entry = entry?;
            // Another process may have removed the file.
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            if metadata.is_file() {
                files.push((metadata.modified()?, metadata.len(), entry.path()));
            }
        }
        files.sort();
        let mut total: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, bytes, path) in files {
            if total <= self.limit_bytes {
                break;
            }
            let _ = std::fs::remove_file(path);
            total -= bytes;
        }
        Ok(())
    }

    fn mark_as_used(&self, path: &Path) -> io::Result<()> {
        let file = File::options().append(true).open(path)?;
        file.set_modified(system_time(self.clock.now_ms()))
    }
}

fn system_time(unix_ms: UnixMs) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(unix_ms).unwrap_or(0))
}

/// Whether a file has the trailer that belongs to its content.
fn is_intact(file: &mut File) -> io::Result<bool> {
    let bytes = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    let Some(mut left) = bytes.checked_sub(TRAILER_BYTES) else {
        return Ok(false);
    };
    let mut hasher = FixedState::default().build_hasher();
    let mut block = vec![0; BLOCK_BYTES];
    while left > 0 {
        let block = &mut block[..left.min(BLOCK_BYTES)];
        file.read_exact(block)?;
        hasher.write(block);
        left -= block.len();
    }
    let mut found = [0; TRAILER_BYTES];
    file.read_exact(&mut found)?;
    Ok(found == trailer(hasher.finish()))
}

fn trailer_of(code: &[u8]) -> [u8; TRAILER_BYTES] {
    let mut hasher = FixedState::default().build_hasher();
    for block in code.chunks(BLOCK_BYTES) {
        hasher.write(block);
    }
    trailer(hasher.finish())
}

fn trailer(checksum: u64) -> [u8; TRAILER_BYTES] {
    let mut bytes = [0; TRAILER_BYTES];
    let (first, last) = bytes.split_at_mut(TRAILER_BYTES - MAGIC.len());
    first.copy_from_slice(&checksum.to_le_bytes());
    last.copy_from_slice(MAGIC);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::future::Future;
    use std::pin::Pin;

    /// A clock that always shows this time.
    struct FixedClock(UnixMs);

    impl Clock for FixedClock {
        fn now_ms(&self) -> UnixMs {
            self.0
        }

        fn sleep(&self, _duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
            Box::pin(std::future::ready(()))
        }
    }

    fn cache_at(directory: &Path, now_ms: UnixMs) -> CompiledCache {
        CompiledCache::new(directory, Arc::new(FixedClock(now_ms)))
    }

    /// A component that contains one empty module.
    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0\x01\x08\0asm\x01\0\0\0";

    fn engine(is_nan_canonical: bool) -> wasmtime::Engine {
        let mut config = wasmtime::Config::new();
        config.cranelift_nan_canonicalization(is_nan_canonical);
        wasmtime::Engine::new(&config).unwrap()
    }

    /// A cache that contains a component with the digest `abc`, and its file.
    fn filled(directory: &Path, engine: &wasmtime::Engine) -> (CompiledCache, PathBuf) {
        let cache = cache_at(directory, 0);
        let component = Component::new(engine, COMPONENT).unwrap();
        cache.keep(engine, "abc", &component);
        let path = cache.path(engine, "abc");
        assert!(path.exists());
        (cache, path)
    }

    #[test]
    fn code_is_found_by_digest_and_compiler_configuration() {
        let directory = tempfile::tempdir().unwrap();
        let (cache, _) = filled(directory.path(), &engine(true));
        assert!(cache.find(&engine(true), "abc").is_some());
        assert!(cache.find(&engine(true), "abd").is_none());
        assert!(cache.find(&engine(false), "abc").is_none());
    }

    #[test]
    fn damaged_code_is_ignored() {
        let directory = tempfile::tempdir().unwrap();
        let engine = engine(true);
        let (cache, path) = filled(directory.path(), &engine);
        let intact = std::fs::read(&path).unwrap();
        let check = |damaged: &[u8]| {
            std::fs::write(&path, damaged).unwrap();
            assert!(cache.find(&engine, "abc").is_none());
        };
        for place in (0..intact.len()).step_by(intact.len() / 100 + 1) {
            let mut damaged = intact.clone();
            damaged[place] ^= 1;
            check(&damaged);
            check(&intact[..place]);
        }
        check(&[&intact[..], b"\0"].concat());
        std::fs::write(&path, &intact).unwrap();
        assert!(cache.find(&engine, "abc").is_some());
    }

    #[test]
    fn least_recently_used_file_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let cache = CompiledCache {
            limit_bytes: 2_500,
            ..cache_at(directory.path(), 1_000_000)
        };
        let path = |name: &str| directory.path().join(name);
        for (name, age_ms) in [("old", 30_000), ("oldest", 40_000), ("young", 10_000)] {
            std::fs::write(path(name), [0; 1000]).unwrap();
            let used = cache_at(directory.path(), 1_000_000 - age_ms);
            used.mark_as_used(&path(name)).unwrap();
        }
        cache.write(&path("new"), &[0; 400]).unwrap();
        let mut left: Vec<String> = std::fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["new", "old", "young"]);
    }
}
