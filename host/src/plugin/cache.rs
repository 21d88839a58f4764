//! Compiled code, kept between runs.
//!
//! A file for each component and engine: named by the component's digest and a
//! hash of all that decides what the compiler does with it, and ending with a
//! checksum. Machine code is run as it is, so that a single damaged bit may be a
//! crash or a wrong verdict: what does not fit its checksum is compiled again.
//! The checksum tells damage, not malice; the directory is its owner's alone.
//!
//! The file is mapped into memory and not copied there: with all built-in parsers
//! the copies were most of a start.

use std::fs::File;
use std::hash::{BuildHasher as _, Hasher as _};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use foldhash::quality::FixedState;
use wasmtime::component::Component;

use crate::clock::{Clock as _, SystemClock};

/// What the files may take together. Past it those that were used longest ago go.
/// A component with a whole Python in it takes some 60 MB.
const LIMIT_BYTES: u64 = 1 << 30;

/// What each file ends with, behind the checksum.
const MAGIC: &[u8; 8] = b"vthost 2";
/// The checksum and that.
const END_BYTES: usize = 16;
/// So much is read and summed up at a time.
const PART_BYTES: usize = 1 << 16;

/// A directory of compiled components.
#[derive(Debug, Clone)]
pub(super) struct CompiledCache {
    directory: PathBuf,
    limit_bytes: u64,
}

impl CompiledCache {
    /// The cache in a directory that is there.
    pub(super) fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            limit_bytes: LIMIT_BYTES,
        }
    }

    /// The component of this digest, if it is kept and whole.
    pub(super) fn find(&self, engine: &wasmtime::Engine, digest: &str) -> Option<Component> {
        let path = self.path(engine, digest);
        let is_whole = is_whole(&mut File::open(&path).ok()?).unwrap_or(false);
        if !is_whole {
            return None;
        }
        // SAFETY: the code is what `keep` wrote, by its checksum, into a directory
        // that only its owner can write, and files there are replaced and never
        // written to. wasmtime itself refuses code of another version or
        // configuration.
        let component = unsafe { Component::deserialize_file(engine, &path) }.ok()?;
        // That it cannot be marked as used makes it no less usable.
        let _ = mark_as_used(&path);
        Some(component)
    }

    /// Keeps a component for the next run. That it cannot be kept costs time there
    /// and nothing else.
    pub(super) fn keep(&self, engine: &wasmtime::Engine, digest: &str, component: &Component) {
        if let Ok(code) = component.serialize() {
            let _ = self.write(&self.path(engine, digest), &code);
        }
    }

    fn path(&self, engine: &wasmtime::Engine, digest: &str) -> PathBuf {
        let compiler = FixedState::default().hash_one(engine.precompile_compatibility_hash());
        self.directory.join(format!("{digest}-{compiler:016x}"))
    }

    /// Written beside and renamed: another process sees all of it or nothing.
    fn write(&self, path: &Path, code: &[u8]) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.directory)?;
        file.write_all(code)?;
        file.write_all(&end_of(code))?;
        file.persist(path)?;
        self.make_room()
    }

    /// Removes what was used longest ago until the rest is within the limit.
    fn make_room(&self) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.directory)? {
            let entry = entry?;
            // Another process may have removed it meanwhile.
            let Ok(about) = entry.metadata() else {
                continue;
            };
            if about.is_file() {
                files.push((about.modified()?, about.len(), entry.path()));
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
}

/// Whether a file is what was written.
fn is_whole(file: &mut File) -> io::Result<bool> {
    let bytes = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    let Some(mut left) = bytes.checked_sub(END_BYTES) else {
        return Ok(false);
    };
    let mut sum = FixedState::default().build_hasher();
    let mut part = vec![0; PART_BYTES];
    while left > 0 {
        let part = &mut part[..left.min(PART_BYTES)];
        file.read_exact(part)?;
        sum.write(part);
        left -= part.len();
    }
    let mut end = [0; END_BYTES];
    file.read_exact(&mut end)?;
    Ok(end == end_with(sum.finish()))
}

/// What a file of this code ends with.
fn end_of(code: &[u8]) -> [u8; END_BYTES] {
    let mut sum = FixedState::default().build_hasher();
    for part in code.chunks(PART_BYTES) {
        sum.write(part);
    }
    end_with(sum.finish())
}

fn end_with(sum: u64) -> [u8; END_BYTES] {
    let mut end = [0; END_BYTES];
    let (first, last) = end.split_at_mut(END_BYTES - MAGIC.len());
    first.copy_from_slice(&sum.to_le_bytes());
    last.copy_from_slice(MAGIC);
    end
}

fn mark_as_used(path: &Path) -> io::Result<()> {
    let file = File::options().append(true).open(path)?;
    file.set_modified(now())
}

fn now() -> SystemTime {
    let ms = u64::try_from(SystemClock.now_ms()).unwrap_or(0);
    UNIX_EPOCH + Duration::from_millis(ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A component with one empty module in it.
    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0\x01\x08\0asm\x01\0\0\0";

    fn engine(is_nan_canonical: bool) -> wasmtime::Engine {
        let mut config = wasmtime::Config::new();
        config.cranelift_nan_canonicalization(is_nan_canonical);
        wasmtime::Engine::new(&config).unwrap()
    }

    /// A cache with one component, `abc`, in it, and the file that holds it.
    fn filled(directory: &Path, engine: &wasmtime::Engine) -> (CompiledCache, PathBuf) {
        let cache = CompiledCache::new(directory);
        let component = Component::new(engine, COMPONENT).unwrap();
        cache.keep(engine, "abc", &component);
        let path = cache.path(engine, "abc");
        assert!(path.exists());
        (cache, path)
    }

    #[test]
    fn code_is_kept_by_component_and_compiler() {
        let directory = tempfile::tempdir().unwrap();
        let (cache, _) = filled(directory.path(), &engine(true));
        assert!(cache.find(&engine(true), "abc").is_some());
        assert!(cache.find(&engine(true), "abd").is_none());
        assert!(cache.find(&engine(false), "abc").is_none());
    }

    #[test]
    fn no_damaged_code_is_taken() {
        let directory = tempfile::tempdir().unwrap();
        let engine = engine(true);
        let (cache, path) = filled(directory.path(), &engine);
        let kept = std::fs::read(&path).unwrap();
        let check = |damaged: &[u8]| {
            std::fs::write(&path, damaged).unwrap();
            assert!(cache.find(&engine, "abc").is_none());
        };
        for place in (0..kept.len()).step_by(kept.len() / 100 + 1) {
            let mut damaged = kept.clone();
            damaged[place] ^= 1;
            check(&damaged);
            check(&kept[..place]);
        }
        check(&[&kept[..], b"\0"].concat());
        std::fs::write(&path, &kept).unwrap();
        assert!(cache.find(&engine, "abc").is_some());
    }

    #[test]
    fn what_was_used_longest_ago_makes_room() {
        let directory = tempfile::tempdir().unwrap();
        let cache = CompiledCache {
            directory: directory.path().to_owned(),
            limit_bytes: 2_500,
        };
        let path = |name: &str| directory.path().join(name);
        for (name, age_s) in [("old", 30), ("oldest", 40), ("young", 10)] {
            std::fs::write(path(name), [0; 1000]).unwrap();
            let file = std::fs::File::options().append(true).open(path(name));
            let used = UNIX_EPOCH + Duration::from_secs(1_000 - age_s);
            file.unwrap().set_modified(used).unwrap();
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
