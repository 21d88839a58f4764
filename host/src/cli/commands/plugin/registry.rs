//! `vthost plugin pull` and `push`: download plugins from an OCI registry, and upload
//! them.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::cli::exit::ExitStatus;
use crate::cli::printer::Printer;
use crate::cli::settings::Environment;
use crate::plugin::{PluginLimits, PluginSource, digest_of, survey};
use crate::registry::{self, Login, OciReference};

/// Downloads a plugin, checks that it is one, and pins its digest.
pub(super) fn pull(
    reference: &OciReference,
    file: Option<&PathBuf>,
    digest: Option<&str>,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let file = match file {
        Some(file) => file.clone(),
        None => PathBuf::from(format!("{}.wasm", reference.name())),
    };
    let pins = environment.pins()?;
    let pinned = pins.pinned_digest(&file).map(str::to_owned);
    let limits = PluginLimits::default();
    let login = login(reference, environment);
    let expected = digest.or(pinned.as_deref());
    let pulled = registry::pull(reference, &login, expected, limits.file_bytes);
    let bytes = runtime()?.block_on(pulled)?;
    let found = format!("sha256:{}", digest_of(&bytes));
    pins.check_digest(&file, &found)?;
    let temporary = temporary_file(&file, &bytes)?;
    let kind = survey(&PluginSource::File(temporary.path().to_owned()), &limits)?.kind;
    temporary
        .persist(&file)
        .with_context(|| format!("cannot write `{}`", file.display()))?;
    printer.say(&format!("{kind} {}: {found}", file.display()));
    if pinned.is_none() {
        let recorded = pins.record(&file, &found)?;
        printer.say(&format!("pinned in {}", recorded.display()));
    }
    Ok(ExitStatus::Done)
}

/// Writes a temporary file in the folder of `file`.
fn temporary_file(file: &Path, bytes: &[u8]) -> anyhow::Result<tempfile::NamedTempFile> {
    let folder = match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let write = || {
        let mut temporary = tempfile::Builder::new()
            .suffix(".wasm")
            .tempfile_in(folder)?;
        temporary.write_all(bytes)?;
        Ok::<_, std::io::Error>(temporary)
    };
    write().with_context(|| format!("cannot write to `{}`", folder.display()))
}

/// Uploads a plugin file, after checking that it is a plugin.
pub(super) fn push(
    file: &Path,
    reference: &OciReference,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let limits = PluginLimits::default();
    let source = PluginSource::File(file.to_owned()).read(&limits)?;
    let survey = survey(&source, &limits)?;
    let PluginSource::Read { bytes, .. } = source else {
        bail!("`{}` is not a file", file.display());
    };
    let created = jiff::Timestamp::from_millisecond(environment.clock().now_ms())?.to_string();
    let login = login(reference, environment);
    runtime()?.block_on(registry::push(reference, &login, &bytes, &survey, &created))?;
    printer.say(&format!(
        "{} {reference}: sha256:{}",
        survey.kind, survey.digest
    ));
    Ok(ExitStatus::Done)
}

/// Docker's login for the registry, if it has one.
fn login(reference: &OciReference, environment: &Environment) -> Login {
    let config = environment.docker_config();
    let config = config.and_then(|path| std::fs::read_to_string(path).ok());
    config.map_or(Login::Anonymous, |config| {
        Login::from_docker_config(&config, reference.registry())
    })
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the async runtime")
}
