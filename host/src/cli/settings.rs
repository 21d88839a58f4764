//! Arguments and environment resolved into what the commands work with.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use directories::ProjectDirs;
use rayon::prelude::*;
use serde_json::{Map, Value};

use super::args::{PolicyArgs, QuotaLimitArgs, ReadArgs, StoreArgs, TriageArgs};
use super::pins::{self, Pins};
use super::printer::Printer;
use crate::clock::{Clock as _, SystemClock, UnixMs};
use crate::extraction::{
    DEFAULT_CHUNK_BYTES, DEFAULT_MAX_MEMORY_BYTES, DEFAULT_MAX_UNPACKED_BYTES, Options, Parsers,
};
use crate::plugin::{
    CompileCache, CompileListener, Engine, Parser, PluginKind, PluginLimits, PluginSettings,
    PluginSource, Policy, builtin,
};
use crate::quota::Limits;
use crate::store::{AccountQuota, Location, Store};
use crate::triage::lookup::FreshSince;
use crate::triage::{LookupPlan, Rescan, Share};
use crate::virustotal::{
    ApiKey, Client, HttpVersions, KeySources, ReqwestTransport, TransportOptions, find_key,
};

/// What the process was started in. It has no `Debug`: there are secrets in it.
pub(super) struct Environment {
    vt_api_key: Option<String>,
    vtcli_apikey: Option<String>,
    pgpassword: Option<String>,
    home: Option<PathBuf>,
    directory: PathBuf,
    data: Option<PathBuf>,
    cache: Option<PathBuf>,
}

impl Environment {
    /// That of this process.
    pub(super) fn of_process() -> Self {
        let variable = |name| std::env::var(name).ok();
        let project = ProjectDirs::from("", "", "vthost");
        Self {
            vt_api_key: variable("VT_API_KEY"),
            vtcli_apikey: variable("VTCLI_APIKEY"),
            pgpassword: variable("PGPASSWORD"),
            directory: PathBuf::from("."),
            home: directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_owned()),
            data: project
                .as_ref()
                .map(|dirs| dirs.data_local_dir().to_owned()),
            cache: project.as_ref().map(|dirs| dirs.cache_dir().to_owned()),
        }
    }

    /// The names of the variables that set a proxy; their values may hold a
    /// password.
    pub(super) fn proxy_variables(&self) -> Vec<&'static str> {
        let names = [
            "HTTPS_PROXY",
            "https_proxy",
            "ALL_PROXY",
            "all_proxy",
            "NO_PROXY",
            "no_proxy",
        ];
        let is_set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        names.into_iter().filter(is_set).collect()
    }

    /// The API key.
    pub(super) fn key(&self, args: &QuotaLimitArgs) -> anyhow::Result<ApiKey> {
        Ok(find_key(&KeySources {
            file: args.api_key_file.clone(),
            vt_api_key: self.vt_api_key.clone(),
            vtcli_apikey: self.vtcli_apikey.clone(),
            home: self.home.clone(),
        })?)
    }

    /// The store that is named, or the one in the user's data directory.
    pub(super) fn store(&self, named: Option<&Location>) -> anyhow::Result<Store> {
        let location = match (named, &self.data) {
            (Some(Location::Postgres(url)), _) => {
                Location::Postgres(url.clone().or_password(self.pgpassword.clone()))
            }
            (Some(file), _) => file.clone(),
            (None, Some(data)) => Location::File(data.join("store.sqlite")),
            (None, None) => {
                bail!("no home directory to keep the store in; name a file with --store")
            }
        };
        Ok(Store::open(&location)?)
    }

    /// What `vthost.toml` allows to run.
    pub(super) fn pins(&self) -> anyhow::Result<Pins> {
        Pins::read(&self.directory)
    }

    /// Pins a plugin in `vthost.toml`, and gives that file.
    pub(super) fn record_pin(&self, file: &Path, digest: &str) -> anyhow::Result<PathBuf> {
        pins::record(&self.directory, file, digest)
    }

    /// Where Docker keeps the logins for registries.
    pub(super) fn docker_config(&self) -> Option<PathBuf> {
        let folder = match std::env::var_os("DOCKER_CONFIG") {
            Some(folder) => PathBuf::from(folder),
            None => self.home.as_ref()?.join(".docker"),
        };
        Some(folder.join("config.json"))
    }

    /// An engine with the plugins' usual limits, and the compiled code kept in
    /// the user's cache directory where that works.
    pub(super) fn engine(&self) -> anyhow::Result<Engine> {
        let directory = self.cache.as_ref().map(|cache| cache.join("compiled"));
        let directory = directory.filter(|directory| private_directory(directory).is_ok());
        let cache = match &directory {
            Some(directory) => CompileCache::Directory(directory),
            None => CompileCache::Off,
        };
        let engine = Engine::new(PluginLimits::default(), cache)
            .map_err(|error| anyhow::anyhow!("{error:#}"))
            .context("cannot start the plugin engine")?;
        Ok(engine.with_listener(Arc::new(CompileNotes)))
    }
}

/// Tells of large plugins that are compiled; small ones take milliseconds.
struct CompileNotes;

impl CompileListener for CompileNotes {
    fn compiling(&self, source_name: &str, bytes: usize) {
        const LARGE_BYTES: usize = 4 << 20;
        if bytes >= LARGE_BYTES {
            Printer.say(&format!(
                "compiling {source_name} ({} MB); it is kept for the next run",
                bytes / 1_000_000
            ));
        }
    }
}

/// Compiled code is trusted, so nobody else may write there.
fn private_directory(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// The parsers of a run.
pub(super) fn parsers(
    engine: &Engine,
    name: &str,
    config: &[String],
    pins: &Pins,
) -> anyhow::Result<Parsers> {
    let settings = plugin_settings(config)?;
    if name != "auto" {
        let source = pins.admit(PluginSource::named(name), engine.limits())?;
        let parser = Parser::load(engine, &source, &settings)?;
        return Ok(Parsers::Named(Box::new(parser)));
    }
    if !settings.0.is_empty() {
        bail!("--parser-config needs a parser that is named with --parser");
    }
    let names = builtin::names(PluginKind::Parser);
    let all = names.into_par_iter().map(|name| {
        let source = PluginSource::BuiltIn(name.to_owned());
        Parser::load(engine, &source, &settings)
    });
    Ok(Parsers::Detected(all.collect::<Result<_, _>>()?))
}

/// The policies of a run, in their order.
pub(super) fn policies(
    engine: &Engine,
    args: &PolicyArgs,
    pins: &Pins,
) -> anyhow::Result<Vec<Policy>> {
    let mut used = vec![false; args.policy_config.len()];
    let mut policies = Vec::new();
    for name in &args.policy {
        let source = PluginSource::named(name);
        let mut config = Vec::new();
        for (item, used) in args.policy_config.iter().zip(&mut used) {
            if let Some(setting) = addressed(item, &source, args.policy.len()) {
                config.push(setting.to_owned());
                *used = true;
            }
        }
        let source = pins.admit(source, engine.limits())?;
        policies.push(Policy::load(engine, &source, &plugin_settings(&config)?)?);
    }
    if let Some((item, _)) = args.policy_config.iter().zip(used).find(|(_, used)| !used) {
        bail!(
            "`--policy-config {item}` does not say which of the policies it is for; write NAME:KEY=VALUE, with NAME as in --policy without folder and .wasm"
        );
    }
    Ok(policies)
}

/// The part of a setting that is for this policy.
fn addressed<'a>(item: &'a str, source: &PluginSource, policies: usize) -> Option<&'a str> {
    let own = match source {
        PluginSource::BuiltIn(name) => name.clone(),
        PluginSource::File(path) | PluginSource::Read { path, .. } => {
            path.file_stem()?.to_string_lossy().into_owned()
        }
    };
    match item
        .strip_prefix(&own)
        .and_then(|rest| rest.strip_prefix(':'))
    {
        Some(setting) => Some(setting),
        None if policies == 1 => Some(item),
        None => None,
    }
}

/// How inputs are read.
pub(super) fn reading(args: &ReadArgs) -> Options {
    Options {
        max_unpacked_bytes: args.max_unpacked.saturating_mul(1 << 30),
        max_memory_bytes: args.max_memory.saturating_mul(1 << 20),
        ..options(args.threads, args.utc_offset)
    }
}

/// How inputs are read, from the two settings that there are.
pub(super) fn options(threads: Option<usize>, utc_offset_minutes: i16) -> Options {
    let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Options {
        workers: threads.unwrap_or_else(cores).max(1),
        chunk_bytes: DEFAULT_CHUNK_BYTES,
        utc_offset_minutes,
        now_us: SystemClock.now_ms().saturating_mul(1000),
        max_unpacked_bytes: DEFAULT_MAX_UNPACKED_BYTES,
        max_memory_bytes: DEFAULT_MAX_MEMORY_BYTES,
    }
}

/// The quota: as the arguments say, else as VirusTotal said, else as it is for
/// a free account.
pub(super) fn limits(args: &QuotaLimitArgs, told: &AccountQuota) -> Limits {
    let free = Limits::default();
    let per_day = args.per_day.or(told.day_allowed).unwrap_or(free.per_day);
    Limits {
        rate: args.rate,
        per_day: per_day.saturating_sub(args.reserve),
        per_month: args
            .per_month
            .or(told.month_allowed)
            .unwrap_or(free.per_month),
    }
}

/// VirusTotal, by the way the arguments say.
pub(super) fn client(args: &QuotaLimitArgs, key: &ApiKey) -> anyhow::Result<Client> {
    let options = TransportOptions {
        base: args.vt_url.clone(),
        ca_file: args.ca_file.clone(),
        proxy: args.proxy.as_ref().map(|proxy| proxy.secret().clone()),
        http: if args.http1 {
            HttpVersions::Http1Only
        } else {
            HttpVersions::All
        },
        timeout: timeout(args),
    };
    let transport = ReqwestTransport::new(key, &options)?;
    Ok(Client::new(Arc::new(transport)))
}

/// The time for one request in all.
pub(super) fn timeout(args: &QuotaLimitArgs) -> Duration {
    Duration::from_millis(u64::try_from(args.timeout).unwrap_or(0))
}

/// What may be asked, by the arguments of the main job.
pub(super) fn lookup(args: &TriageArgs, now: UnixMs) -> anyhow::Result<LookupPlan> {
    if args.rescan && args.store.share != Share::Submit {
        bail!("--rescan hands indicators in, so it needs --share submit");
    }
    let rescan = if args.rescan { Rescan::Yes } else { Rescan::No };
    Ok(stored_lookup(&args.store, rescan, now))
}

/// What may be asked.
pub(super) fn stored_lookup(args: &StoreArgs, rescan: Rescan, now: UnixMs) -> LookupPlan {
    LookupPlan {
        share: args.share,
        rescan,
        fresh_since: FreshSince {
            bad_ms: now.saturating_sub(args.max_age.bad_ms),
            good_ms: now.saturating_sub(args.max_age.good_ms),
            unknown_ms: now.saturating_sub(args.max_age.unknown_ms),
        },
    }
}

/// Reads `KEY=VALUE` and `@FILE`; a value that is JSON is taken as such, any
/// other as text. Later ones win.
pub(super) fn plugin_settings(config: &[String]) -> anyhow::Result<PluginSettings> {
    let mut settings = Map::new();
    for item in config {
        if let Some(path) = item.strip_prefix('@') {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read the settings `{path}`"))?;
            let object: Map<String, Value> = serde_json::from_str(&text)
                .with_context(|| format!("`{path}` is no JSON object"))?;
            settings.extend(object);
        } else if let Some((key, value)) = item.split_once('=') {
            let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
            settings.insert(key.to_owned(), value);
        } else {
            bail!("`{item}` is no setting; write KEY=VALUE or @FILE");
        }
    }
    Ok(PluginSettings(settings))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn plugin_settings_are_json_where_they_can_be() {
        let check = |config: &[&str], expected: Value| {
            let config: Vec<String> = config.iter().map(ToString::to_string).collect();
            let settings = plugin_settings(&config).unwrap();
            assert_eq!(Value::Object(settings.0), expected);
        };
        check(&[], json!({}));
        check(
            &["min=5", "name=ESET", "all=true"],
            json!({"min": 5, "name": "ESET", "all": true}),
        );
        check(
            &["allow=[\"a\",\"b\"]", "x=a=b"],
            json!({"allow": ["a", "b"], "x": "a=b"}),
        );
        assert!(plugin_settings(&["nothing".to_owned()]).is_err());
    }

    #[test]
    fn a_file_of_settings_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("settings.json");
        std::fs::write(&path, r#"{"min": 1, "max": 2}"#).unwrap();
        let config = [format!("@{}", path.display()), "max=3".to_owned()];
        let settings = plugin_settings(&config).unwrap();
        assert_eq!(Value::Object(settings.0), json!({"min": 1, "max": 3}));
    }
}
