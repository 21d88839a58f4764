//! What the process was started in.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use directories::{BaseDirs, ProjectDirs};

use super::account::AccountSettings;
use super::config::{self, ConfigError, ConfigFile, FileOrigin};
use crate::cli::args::{ConfiguredOption, early_value};
use crate::cli::printer::Printer;
use crate::cli::zone::DisplayZone;
use crate::clock::{Clock, SystemClock, UnixMs};
use crate::plugin::{CompileCache, Engine, Pins, PluginLimits};
use crate::store::{Location, Store};
use crate::virustotal::{ApiKey, KeySources, find_key};

/// What the process was started in. It has no `Debug`, because it contains secrets.
pub(in crate::cli) struct Environment {
    clock: SystemClock,
    vt_api_key: Option<String>,
    vtcli_apikey: Option<String>,
    pgpassword: Option<String>,
    home: Option<PathBuf>,
    directory: PathBuf,
    config: Option<PathBuf>,
    data: Option<PathBuf>,
    cache: Option<PathBuf>,
    printer: Printer,
    zone: DisplayZone,
}

impl Environment {
    /// The environment of this process.
    pub(in crate::cli) fn of_process() -> Self {
        let variable = |name| std::env::var(name).ok();
        let project = ProjectDirs::from("", "", "vthost");
        Self {
            clock: SystemClock,
            vt_api_key: variable("VT_API_KEY"),
            vtcli_apikey: variable("VTCLI_APIKEY"),
            pgpassword: variable("PGPASSWORD"),
            directory: PathBuf::from("."),
            home: BaseDirs::new().map(|dirs| dirs.home_dir().to_owned()),
            config: project.as_ref().map(|dirs| dirs.config_dir().to_owned()),
            data: project
                .as_ref()
                .map(|dirs| dirs.data_local_dir().to_owned()),
            cache: project.as_ref().map(|dirs| dirs.cache_dir().to_owned()),
            printer: Printer::default(),
            zone: DisplayZone::default(),
        }
    }

    /// The same environment with another printer and time zone.
    pub(in crate::cli) fn showing(self, printer: Printer, zone: DisplayZone) -> Self {
        Self {
            printer,
            zone,
            ..self
        }
    }

    /// A time for people.
    pub(in crate::cli) fn time(&self, time_ms: UnixMs) -> String {
        self.zone.time(time_ms)
    }

    /// The time zone for people.
    pub(in crate::cli) fn zone(&self) -> &DisplayZone {
        &self.zone
    }

    /// The options of `vthost.toml` in the user's configuration folder, then of the one in the
    /// current folder, or only those of the file that the command line names; then those of the
    /// environment. A later one replaces an earlier one.
    pub(in crate::cli) fn configured(
        &self,
        line: &[OsString],
    ) -> Result<Vec<ConfiguredOption>, ConfigError> {
        let file = |path: PathBuf, origin| ConfigFile { path, origin };
        let folder = self.directory.join(config::FILE);
        let files = match early_value(line, "--config-file") {
            Some(named) => {
                // Its options are not used, its pins are: a misspelt table would admit any plugin.
                config::of_files(&[file(folder, FileOrigin::User)])?;
                vec![file(named.into(), FileOrigin::Named)]
            }
            None => {
                let user = self.config.iter().map(|folder| folder.join(config::FILE));
                user.map(|path| file(path, FileOrigin::User))
                    .chain([file(folder, FileOrigin::Folder)])
                    .collect()
            }
        };
        let mut configured = config::of_files(&files)?;
        let variables = std::env::vars_os();
        configured.extend(config::of_environment(variables.filter_map(
            |(name, value)| {
                Some((
                    name.into_string().ok()?,
                    value.to_string_lossy().into_owned(),
                ))
            },
        ))?);
        Ok(configured)
    }

    /// A message on the options that the file in the current folder sets, if it sets any.
    pub(in crate::cli) fn notice(&self, configured: &[ConfiguredOption]) -> Option<String> {
        config::set_in(&self.directory, configured)
    }

    /// This machine's clock. What uses a store takes the store's clock instead.
    pub(in crate::cli) fn clock(&self) -> &dyn Clock {
        &self.clock
    }

    /// The names of the variables that set a proxy. Their values may contain a password.
    pub(in crate::cli) fn proxy_variables(&self) -> Vec<&'static str> {
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

    /// The API key of an account.
    pub(in crate::cli) fn key(&self, account: &AccountSettings) -> anyhow::Result<ApiKey> {
        Ok(find_key(&KeySources {
            file: account.key_file.clone(),
            vt_api_key: self.vt_api_key.clone(),
            vtcli_apikey: self.vtcli_apikey.clone(),
            home: self.home.clone(),
        })?)
    }

    /// The store at this location, or the one in the user's data directory.
    pub(in crate::cli) fn store(&self, location: Option<&Location>) -> anyhow::Result<Store> {
        let location = match (location, &self.data) {
            (Some(Location::Postgres(url)), _) => {
                Location::Postgres(url.clone().or_password(self.pgpassword.clone()))
            }
            (Some(file), _) => file.clone(),
            (None, Some(data)) => Location::File(data.join("store.sqlite")),
            (None, None) => {
                bail!("no home directory for the store; name a file with --store")
            }
        };
        Ok(Store::open(&location)?)
    }

    /// The plugins that `vthost.toml` allows.
    pub(in crate::cli) fn pins(&self) -> anyhow::Result<Pins> {
        Ok(Pins::read(&self.directory)?)
    }

    /// The file in which Docker stores the logins of registries.
    pub(in crate::cli) fn docker_config(&self) -> Option<PathBuf> {
        let folder = match std::env::var_os("DOCKER_CONFIG") {
            Some(folder) => PathBuf::from(folder),
            None => self.home.as_ref()?.join(".docker"),
        };
        Some(folder.join("config.json"))
    }

    /// An engine with the default limits. Compiled code is cached in the user's cache directory,
    /// if that can be made private.
    pub(in crate::cli) fn engine(&self) -> anyhow::Result<Engine> {
        let directory = self.cache.as_ref().map(|cache| cache.join("compiled"));
        let directory = directory.filter(|directory| private_directory(directory).is_ok());
        let cache = match &directory {
            Some(directory) => CompileCache::Directory {
                path: directory,
                clock: Arc::new(SystemClock),
            },
            None => CompileCache::Off,
        };
        let engine = Engine::new(PluginLimits::default(), cache)
            .map_err(|error| anyhow::anyhow!("{error:#}"))
            .context("cannot start the plugin engine")?;
        Ok(engine.with_listener(Arc::new(self.printer)))
    }
}

/// Creates a directory that only the user may write to: compiled code is trusted.
fn private_directory(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
