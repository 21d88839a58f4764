//! `vthost plugin pull` and `push`: plugins from and to an OCI registry.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::cli::exit::ExitStatus;
use crate::cli::printer::Printer;
use crate::cli::settings::Environment;
use crate::clock::{Clock as _, SystemClock};
use crate::plugin::{PluginLimits, PluginSource, digest_of, survey};
use crate::registry::{self, Login, Place};

/// Fetches a plugin, checks that it is one, and records its digest.
pub(super) fn pull(
    place: &Place,
    file: Option<&PathBuf>,
    digest: Option<&str>,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let file = match file {
        Some(file) => file.clone(),
        None => PathBuf::from(format!("{}.wasm", place.name())),
    };
    let pins = environment.pins()?;
    let pinned = pins.digest_of(&file).map(str::to_owned);
    let limits = PluginLimits::default();
    let login = login(place, environment);
    let wanted = digest.or(pinned.as_deref());
    let bytes = runtime()?.block_on(registry::pull(place, &login, wanted, limits.file_bytes))?;
    let found = format!("sha256:{}", digest_of(&bytes));
    pins.agree(&file, &found)?;
    let fresh = fresh_file(&file, &bytes)?;
    let seen = survey(&PluginSource::File(fresh.path().to_owned()), &limits)?;
    fresh
        .persist(&file)
        .with_context(|| format!("cannot write `{}`", file.display()))?;
    let kind = seen.kind;
    printer.say(&format!("{kind} {}: {found}", file.display()));
    if pinned.is_none() {
        let recorded = environment.record_pin(&file, &found)?;
        printer.say(&format!("recorded in {}", recorded.display()));
    }
    Ok(ExitStatus::Done)
}

/// The bytes in a file beside the one they are for.
fn fresh_file(file: &Path, bytes: &[u8]) -> anyhow::Result<tempfile::NamedTempFile> {
    let folder = match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let write = || {
        let mut fresh = tempfile::Builder::new()
            .suffix(".wasm")
            .tempfile_in(folder)?;
        fresh.write_all(bytes)?;
        Ok::<_, std::io::Error>(fresh)
    };
    write().with_context(|| format!("cannot write into `{}`", folder.display()))
}

/// Puts a plugin that this host could load into a registry.
pub(super) fn push(
    file: &Path,
    place: &Place,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let limits = PluginLimits::default();
    let source = PluginSource::File(file.to_owned()).read(&limits)?;
    let seen = survey(&source, &limits)?;
    let PluginSource::Read { bytes, .. } = source else {
        bail!("`{}` is no file", file.display());
    };
    let created = jiff::Timestamp::from_millisecond(SystemClock.now_ms())?.to_string();
    let login = login(place, environment);
    runtime()?.block_on(registry::push(place, &login, &bytes, &seen, &created))?;
    printer.say(&format!("{} {place}: sha256:{}", seen.kind, seen.digest));
    Ok(ExitStatus::Done)
}

/// Docker's login for the registry, if there is one.
fn login(place: &Place, environment: &Environment) -> Login {
    let config = environment.docker_config();
    let config = config.and_then(|path| std::fs::read_to_string(path).ok());
    config.map_or(Login::Anonymous, |config| {
        Login::from_docker_config(&config, place.registry())
    })
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the network")
}
