//! From what the user named to a list of inputs: directories in name order, so
//! that the same logs always give the same output, and rotated logs in the order of time.

use std::io;
use std::path::{Path, PathBuf};

use super::Input;
use super::rotation::in_order_of_time;

/// What was found under the names that the user gave.
#[derive(Debug, Default)]
pub struct Found {
    /// The inputs, in the order of the names; within a directory by path.
    pub inputs: Vec<Input>,
    /// What was not read, and why.
    pub skipped: Vec<Skipped>,
    /// Symbolic links in directories, which are passed over: what they point to is read where
    /// it is.
    pub links: Vec<PathBuf>,
    /// The size of all files.
    pub bytes: u64,
}

/// Something that was not read.
#[derive(Debug)]
pub struct Skipped {
    /// The path.
    pub path: PathBuf,
    /// Why.
    pub error: io::Error,
}

/// Directories nested deeper than this are reported and not entered; it ends
/// loops that hard links or mounts could make.
const MAX_DEPTH: usize = 64;

/// Finds the inputs. `-` is standard input, a directory all files below it.
/// Symbolic links are followed where the user names them, not inside
/// directories.
#[must_use]
pub fn find(names: &[PathBuf]) -> Found {
    let mut found = Found::default();
    for name in names {
        if name.as_os_str() == "-" {
            found.inputs.push(Input::Stdin);
        } else if name.is_dir() {
            found.walk(name, 0);
        } else {
            found.file(name);
        }
    }
    found.inputs = in_order_of_time(found.inputs);
    found
}

impl Found {
    fn file(&mut self, path: &Path) {
        match path.metadata() {
            Ok(metadata) if metadata.is_file() => {
                self.bytes += metadata.len();
                self.inputs.push(Input::File(path.to_owned()));
            }
            Ok(_) => self.inputs.push(Input::Pipe(path.to_owned())),
            Err(error) => self.skip(path, error),
        }
    }

    fn skip(&mut self, path: &Path, error: io::Error) {
        self.skipped.push(Skipped {
            path: path.to_owned(),
            error,
        });
    }

    fn walk(&mut self, directory: &Path, depth: usize) {
        if depth > MAX_DEPTH {
            let error = io::Error::other(format!("more than {MAX_DEPTH} directories deep"));
            return self.skip(directory, error);
        }
        let entries =
            std::fs::read_dir(directory).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut paths: Vec<PathBuf> = match entries {
            Ok(entries) => entries.iter().map(std::fs::DirEntry::path).collect(),
            Err(error) => return self.skip(directory, error),
        };
        paths.sort();
        for path in paths {
            match path.symlink_metadata() {
                Ok(metadata) if metadata.is_dir() => self.walk(&path, depth + 1),
                Ok(metadata) if metadata.is_file() => {
                    self.bytes += metadata.len();
                    self.inputs.push(Input::File(path));
                }
                Ok(metadata) if metadata.is_symlink() => self.links.push(path),
                Ok(_) => self.skip(&path, io::Error::other("not a regular file")),
                Err(error) => self.skip(&path, error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_walked_in_name_order() {
        let root = tempfile::tempdir().unwrap();
        for name in ["b/2.log", "b/10.log", "a.log", "c.log"] {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let found = find(&[root.path().to_owned(), PathBuf::from("-")]);
        let names: Vec<String> = found
            .inputs
            .iter()
            .map(|input| input.name().replace(&root.path().display().to_string(), ""))
            .collect();
        assert_eq!(names, ["/a.log", "/b/10.log", "/b/2.log", "/c.log", "-"]);
        assert!(found.skipped.is_empty());
    }

    #[test]
    fn what_is_missing_is_reported() {
        let found = find(&[PathBuf::from("/nowhere/access.log")]);
        assert!(found.inputs.is_empty());
        assert_eq!(found.skipped.len(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn symbolic_link_in_a_directory_is_passed_over() {
        let root = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/etc", root.path().join("link")).unwrap();
        let found = find(&[root.path().to_owned()]);
        assert!(found.inputs.is_empty() && found.skipped.is_empty());
        assert_eq!(found.links, [root.path().join("link")]);
    }
}
