//! The options of `vthost.toml` and of the environment.
//!
//! ```toml
//! share = "host"
//! internal-suffix = ["corp.example.com"]
//!
//! [extract]
//! threads = 2
//! ```
//!
//! The tables `[plugins]` and `[trust]` are read by [`Pins`](crate::plugin::Pins), from the
//! current folder only.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use toml::{Table, Value};
use url::Host;

use crate::cli::args::{ConfiguredOption, OptionSource, problem};

/// The name of the file.
pub(super) const FILE: &str = "vthost.toml";

/// The beginning of the names of environment variables for options.
const VARIABLE_PREFIX: &str = "VTHOST_";

/// Variables of this project's tests, which are not options.
const TEST_PREFIX: &str = "VTHOST_TEST_";

/// Tables of the file that contain no options.
const PIN_TABLES: [&str; 2] = ["plugins", "trust"];

/// An invalid file or environment variable.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {problem}")]
pub(in crate::cli) struct ConfigError {
    place: String,
    problem: String,
}

impl ConfigError {
    fn new(place: &OptionSource, problem: impl Into<String>) -> Self {
        let place = match place {
            OptionSource::Variable(name) => format!("the environment variable {name}"),
            OptionSource::File(path) => format!("`{}`", path.display()),
            other => other.to_string(),
        };
        let problem = problem.into();
        Self { place, problem }
    }
}

/// A file with options.
#[derive(Debug, Clone)]
pub(super) struct ConfigFile {
    /// Its path.
    pub(super) path: PathBuf,
    /// Who wrote it.
    pub(super) origin: FileOrigin,
}

/// Who wrote a file with options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileOrigin {
    /// The user named it: it must exist.
    Named,
    /// The user wrote it, if it exists.
    User,
    /// It is in the current folder, if it exists, and may have come with somebody else's logs.
    Folder,
}

/// The options of these files, those of a later file after those of an earlier one.
///
/// # Errors
///
/// If a file cannot be read, is not TOML, or has an option that does not exist or that it must
/// not set.
pub(super) fn of_files(files: &[ConfigFile]) -> Result<Vec<ConfiguredOption>, ConfigError> {
    let mut configured = Vec::new();
    for file in files {
        let place = OptionSource::File(file.path.clone());
        match std::fs::read_to_string(&file.path) {
            Ok(text) => configured.extend(options(&text, &place, file.origin)?),
            Err(error)
                if error.kind() == ErrorKind::NotFound && file.origin != FileOrigin::Named => {}
            Err(error) => return Err(ConfigError::new(&place, format!("cannot be read: {error}"))),
        }
    }
    Ok(configured)
}

/// The options of environment variables: `VTHOST_PER_DAY=9` is `--per-day 9`.
///
/// # Errors
///
/// If a variable with this prefix is not an option, or its value is invalid.
pub(super) fn of_environment(
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Vec<ConfiguredOption>, ConfigError> {
    let variables = variables.into_iter();
    let options = variables.filter_map(|(variable, value)| {
        let is_for_tests = variable.starts_with(TEST_PREFIX);
        let name = variable
            .strip_prefix(VARIABLE_PREFIX)
            .filter(|_| !is_for_tests)?;
        Some(checked(ConfiguredOption {
            command: Vec::new(),
            name: name.to_ascii_lowercase().replace('_', "-"),
            values: vec![value],
            source: OptionSource::Variable(variable.clone()),
        }))
    });
    let mut options = options.collect::<Result<Vec<_>, _>>()?;
    options.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(options)
}

/// The options of a file, those for one command last.
fn options(
    text: &str,
    place: &OptionSource,
    origin: FileOrigin,
) -> Result<Vec<ConfiguredOption>, ConfigError> {
    let mut table: Table = text
        .parse()
        .map_err(|error| ConfigError::new(place, format!("is not valid TOML: {error}")))?;
    table.retain(|name, _| !PIN_TABLES.contains(&name));
    let mut found = Vec::new();
    collect(table, &[], place, &mut found)?;
    found.sort_by_key(|option| option.command.len());
    match found
        .iter()
        .find(|option| origin == FileOrigin::Folder && is_redirecting(option))
    {
        Some(option) => Err(ConfigError::new(
            place,
            format!(
                "`{}` decides where requests and the API key go, and is not taken from the \
                 current folder; use vthost.toml in your configuration folder, or --config-file",
                option.name
            ),
        )),
        None => Ok(found),
    }
}

/// Adds the options of a table and of the tables in it.
fn collect(
    table: Table,
    path: &[String],
    place: &OptionSource,
    found: &mut Vec<ConfiguredOption>,
) -> Result<(), ConfigError> {
    for (name, value) in table {
        if let Value::Table(below) = value {
            let path = [path, std::slice::from_ref(&name)].concat();
            if below.is_empty() {
                let empty = format!("the table `{}` is empty", path.join("."));
                return Err(ConfigError::new(place, empty));
            }
            collect(below, &path, place, found)?;
            continue;
        }
        let Some(values) = texts(value) else {
            let malformed =
                format!("the value of `{name}` is not a text, number, boolean or list of them");
            return Err(ConfigError::new(place, malformed));
        };
        found.push(checked(ConfiguredOption {
            command: path.to_vec(),
            name,
            values,
            source: place.clone(),
        })?);
    }
    Ok(())
}

fn checked(option: ConfiguredOption) -> Result<ConfiguredOption, ConfigError> {
    match problem(&option) {
        Some(problem) => Err(ConfigError::new(&option.source, problem)),
        None => Ok(option),
    }
}

/// Whether an option sends requests, and what they contain, to another machine.
fn is_redirecting(option: &ConfiguredOption) -> bool {
    let is_elsewhere = |value: &String| {
        let url = url::Url::parse(value).ok();
        url.is_some_and(|url| match url.host() {
            Some(Host::Domain(name)) => name != "localhost",
            Some(Host::Ipv4(address)) => !address.is_loopback(),
            Some(Host::Ipv6(address)) => !address.is_loopback(),
            None => false,
        })
    };
    match option.name.as_str() {
        "ca-file" => true,
        "vt-url" | "proxy" | "store" => option.values.iter().any(is_elsewhere),
        _ => false,
    }
}

fn texts(value: Value) -> Option<Vec<String>> {
    match value {
        Value::Array(values) => values.into_iter().map(text).collect(),
        value => text(value).map(|text| vec![text]),
    }
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Integer(number) => Some(number.to_string()),
        Value::Boolean(is_set) => Some(is_set.to_string()),
        _ => None,
    }
}

/// The folder of a file and the options that the file in it sets, for a message.
pub(super) fn set_in(folder: &Path, configured: &[ConfiguredOption]) -> Option<String> {
    let file = OptionSource::File(folder.join(FILE));
    let set = configured.iter().filter(|option| option.source == file);
    let names: Vec<&str> = set.map(|option| option.name.as_str()).collect();
    (!names.is_empty()).then(|| format!("{FILE} in this folder sets {}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(options: &[ConfiguredOption]) -> Vec<(String, String)> {
        let options = options.iter();
        options
            .map(|option| {
                let name = [option.command.clone(), vec![option.name.clone()]].concat();
                (name.join(" "), option.values.join(" "))
            })
            .collect()
    }

    #[test]
    fn later_files_come_after_earlier_ones() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str, origin| {
            let path = directory.path().join(name);
            std::fs::write(&path, text).unwrap();
            ConfigFile { path, origin }
        };
        let user = write("user.toml", "share = \"url\"\n", FileOrigin::User);
        let folder = write(
            "folder.toml",
            "wait = true\npolicy = [\"a\", \"b\"]\n[extract]\nthreads = 2\n\
             [plugin.run]\nlimit = 5\n[plugins]\n\"a.wasm\" = \"sha256:00\"\n",
            FileOrigin::Folder,
        );
        let mut missing = folder.clone();
        missing.path = directory.path().join("missing.toml");
        let read = of_files(&[user, missing.clone(), folder]).unwrap();
        let expected = [
            ("share", "url"),
            ("policy", "a b"),
            ("wait", "true"),
            ("extract threads", "2"),
            ("plugin run limit", "5"),
        ];
        let mut read = names(&read);
        read[1..3].sort();
        assert_eq!(
            read,
            expected.map(|(name, value)| (name.into(), value.into()))
        );
        missing.origin = FileOrigin::Named;
        assert!(of_files(&[missing]).is_err());
    }

    #[test]
    fn invalid_options_are_refused() {
        let check = |text: &str, expected: &str| {
            let place = OptionSource::File("vthost.toml".into());
            let error = options(text, &place, FileOrigin::User).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        };
        check(
            "shared = 1\n",
            "`vthost.toml`: `shared` is not an option; known: ",
        );
        check("share = [[1]]\n", "the value of `share`");
        check("[explode]\nshare = 1\n", "`explode` is not a command");
        check("[extract]\n", "`extract` is empty");
        check("api-key = \"0\"\n", "never read from this file");
        check("per-day = \"many\"\n", "invalid value 'many'");
        check("[extract", "TOML");
    }

    #[test]
    fn file_of_the_folder_cannot_redirect_requests() {
        let is_accepted = |text: &str, origin| {
            let place = OptionSource::File("vthost.toml".into());
            options(text, &place, origin).is_ok()
        };
        for text in [
            "vt-url = \"https://vt.example.com\"\n",
            "proxy = \"http://192.0.2.1:3128\"\n",
            "ca-file = \"ca.pem\"\n",
            "store = \"postgres://me@db.example.com/vthost\"\n",
            "[quota]\nvt-url = \"https://vt.example.com\"\n",
        ] {
            assert!(is_accepted(text, FileOrigin::User), "{text}");
            assert!(!is_accepted(text, FileOrigin::Folder), "{text}");
        }
        for text in [
            "vt-url = \"http://127.0.0.1:8080\"\n",
            "store = \"case.sqlite\"\n",
            "share = \"host\"\n",
        ] {
            assert!(is_accepted(text, FileOrigin::Folder), "{text}");
        }
    }

    #[test]
    fn environment_variables_are_options() {
        let read = |variables: &[(&str, &str)]| {
            let variables = variables.iter();
            of_environment(variables.map(|(name, value)| ((*name).into(), (*value).into())))
        };
        let options = read(&[
            ("VTHOST_WAIT", "true"),
            ("VTHOST_PER_DAY", "9"),
            ("VTHOST_TEST_POSTGRES", "x"),
            ("PATH", "/bin"),
        ]);
        let expected = [("per-day", "9"), ("wait", "true")];
        let expected = expected.map(|(name, value)| (name.into(), value.into()));
        assert_eq!(names(&options.unwrap()), expected);
        let error = read(&[("VTHOST_SHAER", "host")]).unwrap_err().to_string();
        assert!(
            error.contains("VTHOST_SHAER: `shaer` is not an option"),
            "{error}"
        );
    }
}
