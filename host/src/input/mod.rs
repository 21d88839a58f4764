//! Inputs: log files, directories of them, and standard input.
//!
//! [`find`] turns the paths that the user named into a list of inputs in a fixed order.
//! [`Input::open`] decompresses, enters archives and decodes text, by the [`KINDS`] of file;
//! [`Chunks`] cuts the text into pieces of whole lines.

mod ahead;
mod archive;
mod buffered;
mod chunks;
mod frames;
mod kinds;
mod limits;
mod live;
mod lzw;
mod packing;
mod rotation;
mod temporary;
mod text;
mod walk;
mod watch;

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

pub use archive::{Format, Member, Members, Unreadable};
pub use chunks::{Chunk, Chunks, MAX_LINE_BYTES, RecordEnd};
pub use kinds::{FileKind, Handling, KINDS};
pub use limits::{DEFAULT_MAX_UNPACKED_BYTES, DEFAULT_MAX_WINDOW_BYTES, Password, UnpackLimits};
pub use live::without_pauses;
pub use packing::Packing;
pub use temporary::cannot_store;
pub use walk::{Found, Skipped, find};
pub use watch::{ReadProgress, Watch};

use archive::Bytes;
use chunks::KeptFailure;
use live::live;
use watch::Counted;

/// One thing to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A regular file.
    File(PathBuf),
    /// A named pipe or a device, which can be read once.
    Pipe(PathBuf),
    /// Standard input, written `-`.
    Stdin,
}

/// The bytes of an input.
pub type Reader = Box<dyn Read + Send>;

/// What an input turned out to be.
pub enum Content {
    /// One log.
    One(Opened),
    /// An archive of logs.
    Archive(Members),
    /// A file of a kind that holds no log; the name of the kind.
    NoLog(&'static str),
}

/// An input being read, and what is known of it.
pub struct Opened {
    /// The bytes: text, decompressed.
    pub reader: Reader,
    /// When the file was last written, in microseconds since 1970.
    pub modified_us: Option<i64>,
    /// How it is compressed, if it is; of several layers the slowest.
    pub packing: Option<Packing>,
    /// Whether the input can be opened again: it is a file and no pipe.
    pub is_rereadable: bool,
}

/// Compression within compression, and archives within archives, are followed to this
/// depth. Beyond it the input is refused: only an attack nests deeper.
const MAX_DEPTH: u32 = 8;

impl Input {
    /// The name for messages and outputs: the path as given, or `-`.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::File(path) | Self::Pipe(path) => path.to_string_lossy().into_owned(),
            Self::Stdin => "-".to_owned(),
        }
    }

    /// The file's name without directories; empty for standard input.
    #[must_use]
    pub fn file_name(&self) -> String {
        match self {
            Self::File(path) | Self::Pipe(path) => path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default(),
            Self::Stdin => String::new(),
        }
    }

    /// Opens the input as the kind of file that its first bytes show.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened or its first bytes not be read, and for kinds of file
    /// that are not read, with what to do instead.
    pub fn open(&self, limits: &UnpackLimits, watch: &Watch) -> io::Result<Content> {
        let once = |reader| Opened {
            reader,
            modified_us: None,
            packing: None,
            is_rereadable: false,
        };
        let (file, opened) = match self {
            Self::File(path) => {
                let (file, opened) = open_file(path, watch)?;
                (Some(file), opened)
            }
            Self::Pipe(path) => {
                let path = path.clone();
                (None, once(live(move || File::open(path), watch)?))
            }
            Self::Stdin => (None, once(live(|| Ok(io::stdin()), watch)?)),
        };
        let content = open(opened, file.as_ref(), &self.file_name(), limits, 0)?;
        if let (Content::Archive(_), Some(file)) = (&content, file) {
            // Its reader seeks, which is not counted.
            watch.progress.add(file.metadata()?.len());
        }
        Ok(content)
    }

    /// Whether the input can be opened again.
    #[must_use]
    pub fn is_rereadable(&self) -> bool {
        matches!(self, Self::File(_))
    }
}

fn open_file(path: &std::path::Path, watch: &Watch) -> io::Result<(Arc<File>, Opened)> {
    let file = Arc::new(File::open(path)?);
    let metadata = file.metadata()?;
    let since_epoch = metadata
        .modified()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let opened = Opened {
        modified_us: since_epoch.and_then(|time| i64::try_from(time.as_micros()).ok()),
        reader: Box::new(Counted {
            reader: Arc::clone(&file),
            progress: Arc::clone(&watch.progress),
        }),
        packing: None,
        is_rereadable: metadata.is_file(),
    };
    Ok((file, opened))
}

impl Member {
    /// Opens the member as [`Input::open`] opens a file.
    ///
    /// # Errors
    ///
    /// As for [`Input::open`].
    pub fn open(self, limits: &UnpackLimits) -> io::Result<Content> {
        let file_name = self.path.rsplit('/').next().unwrap_or_default().to_owned();
        open(self.opened, None, &file_name, limits, self.depth)
    }
}

/// Removes one layer of compression after the other. `file` is the same as `opened`, for
/// formats that need to seek.
fn open(
    mut opened: Opened,
    file: Option<&Arc<File>>,
    file_name: &str,
    limits: &UnpackLimits,
    depth: u32,
) -> io::Result<Content> {
    let mut file_name = file_name;
    for layer in depth..=MAX_DEPTH {
        let (head, whole) = peek(opened.reader, kinds::HEAD_BYTES)?;
        let Some(kind) = FileKind::of(&head, file_name) else {
            if kinds::is_binary(&head) {
                return Err(refusal(
                    "binary data of an unknown kind",
                    "if it is a log, export it as text",
                ));
            }
            opened.reader = text::utf8(whole)?;
            return Ok(Content::One(opened));
        };
        match kind.handling {
            Handling::Refuse(advice) => return Err(refusal(kind.name, advice)),
            Handling::PassOver => return Ok(Content::NoLog(kind.name)),
            Handling::Enter(format) => {
                let bytes = match file {
                    Some(file) if opened.packing.is_none() => {
                        let mut file = file.try_clone()?;
                        io::Seek::rewind(&mut file)?;
                        Bytes::File(file)
                    }
                    _ => Bytes::Stream(without_pauses(whole)),
                };
                return archive::open(format, bytes, limits, layer).map(Content::Archive);
            }
            Handling::Unpack(packing) => {
                opened.reader = packing::unpack(packing, without_pauses(whole), limits)?;
                let is_slower = opened.packing.is_none_or(|outer| !outer.is_slow());
                opened.packing = if is_slower {
                    Some(packing)
                } else {
                    opened.packing
                };
                file_name = file_name
                    .rsplit_once('.')
                    .map_or(file_name, |(stem, _)| stem);
            }
        }
    }
    Err(io::Error::other(format!(
        "it is packed more than {MAX_DEPTH} times; unpack it first"
    )))
}

fn refusal(name: &str, advice: &str) -> io::Error {
    io::Error::other(format!("{name}, which is not read: {advice}"))
}

/// The first bytes of a reader, and all of its bytes. They are fewer than `bytes` where it ends,
/// pauses or fails.
///
/// # Errors
///
/// When reading fails before the first byte. Later failures come after what was read.
fn peek(mut reader: Reader, bytes: usize) -> io::Result<(Vec<u8>, Reader)> {
    let mut head = vec![0; bytes];
    let (len, failure) = loop {
        match ahead::read_full(&mut reader, &mut head) {
            (0, Some(error)) if live::is_pause(&error) => {}
            read => break read,
        }
    };
    head.truncate(len);
    let whole = io::Cursor::new(head.clone());
    let whole: Reader = match failure.filter(|error| !live::is_pause(error)) {
        Some(error) if head.is_empty() => return Err(error),
        Some(error) => Box::new(whole.chain(KeptFailure(Some(error)))),
        None => Box::new(whole.chain(reader)),
    };
    Ok((head, whole))
}
