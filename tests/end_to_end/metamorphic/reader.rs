//! Reads texts with all built-in parsers in this process.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use vthost::clock::SystemClock;
use vthost::extraction::{ChunkInfo, InputSummary, Options, Order, Parsers, Sink, extract};
use vthost::indicator::Indicator;
use vthost::input::{Input, UnpackLimits};
use vthost::plugin::{
    Batch, CompileCache, Engine, Parser, PluginKind, PluginLimits, PluginSettings, PluginSource,
    builtin,
};

use super::variant::Variant;

/// An observation as `vthost extract` prints it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Seen {
    /// The line of the file, from 1.
    pub(super) line: u64,
    pub(super) value: String,
    pub(super) client: Option<String>,
    pub(super) user: Option<String>,
    pub(super) action: Option<&'static str>,
    pub(super) time_us: Option<i64>,
}

/// What one text gave.
pub(super) struct Reading {
    pub(super) seen: Vec<Seen>,
    pub(super) summary: InputSummary,
}

impl Reading {
    /// Whether the parser rejected a line.
    pub(super) fn is_rejected(&self, line: u64) -> bool {
        let reasons = self.summary.counts.rejected.values();
        let mut samples = reasons.flat_map(|reason| &reason.samples);
        samples.any(|(number, _)| *number == line)
    }
}

pub(super) struct Reader {
    engine: Engine,
    parsers: Vec<Parser>,
}

/// The modification time of all files: half a year after the envelopes' times, so that a
/// stamp without a year is resolved alike with and without an envelope.
const MODIFIED_S: u64 = 1_714_564_805 + 182 * 86_400;

impl Reader {
    pub(super) fn new() -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache/metamorphic");
        std::fs::create_dir_all(&path).unwrap();
        let cache = CompileCache::Directory {
            path: &path,
            clock: Arc::new(SystemClock),
        };
        let engine = Engine::new(PluginLimits::default(), cache).unwrap();
        let load = |name: &str| {
            let source = PluginSource::BuiltIn(name.to_owned());
            Parser::load(&engine, &source, &PluginSettings::default()).unwrap()
        };
        let parsers = builtin::names(PluginKind::Parser).into_iter().map(load);
        let parsers = parsers.collect();
        Self { engine, parsers }
    }

    /// Reads some variants of a sample, each as a file, by the named parser or any.
    pub(super) fn read(&self, parser: Option<&str>, variants: &[Variant]) -> Vec<Reading> {
        let named = |name: &str| {
            let parser = self.parsers.iter().find(|parser| parser.id().name == name);
            Parsers::Named(Box::new(parser.unwrap().clone()))
        };
        let parsers = parser.map_or_else(|| Parsers::Detected(self.parsers.clone()), named);
        let folder = tempfile::tempdir().unwrap();
        let chunk_bytes = |variant: &Variant| variant.chunk_bytes;
        variants
            .chunk_by(|one, other| chunk_bytes(one) == chunk_bytes(other))
            .flat_map(|variants| self.read_alike(&parsers, folder.path(), variants))
            .collect()
    }

    fn read_alike(&self, parsers: &Parsers, folder: &Path, variants: &[Variant]) -> Vec<Reading> {
        let inputs: Vec<Input> = variants
            .iter()
            .enumerate()
            .map(|(number, variant)| {
                let path = folder.join(format!("{number}.log"));
                std::fs::write(&path, &variant.text).unwrap();
                let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(MODIFIED_S);
                let file = std::fs::File::options().write(true).open(&path).unwrap();
                file.set_modified(modified).unwrap();
                Input::File(path)
            })
            .collect();
        let seen = Arc::new(Mutex::new(vec![Vec::new(); inputs.len()]));
        let options = Options {
            workers: 1,
            chunk_bytes: variants[0].chunk_bytes,
            utc_offset_minutes: 0,
            now_us: 0,
            unpacking: UnpackLimits::default(),
            keeps_duplicates: true,
            max_memory_bytes: 1 << 20,
            progress: Arc::default(),
        };
        let mut sinks = [Recorder(Arc::clone(&seen))];
        let interrupt = self.engine.interrupt();
        let extraction = extract(
            &inputs,
            parsers,
            &options,
            &interrupt,
            Order::AsRead,
            &mut sinks,
        );
        let summaries = extraction.unwrap().inputs;
        let seen = std::mem::take(&mut *seen.lock().unwrap());
        let readings = seen.into_iter().zip(summaries);
        readings
            .map(|(mut seen, summary)| {
                seen.sort();
                seen.dedup();
                Reading { seen, summary }
            })
            .collect()
    }
}

struct Recorder(Arc<Mutex<Vec<Vec<Seen>>>>);

impl Sink for Recorder {
    fn take(&mut self, from: &ChunkInfo<'_>, batch: &Batch) -> std::io::Result<()> {
        let text =
            |bytes: &[u8]| (!bytes.is_empty()).then(|| String::from_utf8_lossy(bytes).into_owned());
        for observation in batch.observations(from.bytes()) {
            let Ok(indicator) = Indicator::parse(observation.kind, observation.value) else {
                continue;
            };
            self.0.lock().unwrap()[from.input as usize].push(Seen {
                line: from.place(observation.line).line(),
                value: indicator.value().to_owned(),
                client: text(observation.client),
                user: text(observation.user),
                action: observation.action.as_str(),
                time_us: observation.time_us,
            });
        }
        Ok(())
    }
}
