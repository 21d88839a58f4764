//! The line that states what to do about an error.

use std::error::Error;
use std::io::{self, ErrorKind};

use super::settings::ConfigError;
use crate::output::export::ReadExportError;
use crate::output::{ExistingResults, OutputError, ReadResultsError};
use crate::plugin::{LoadError, PinError};
use crate::registry::RegistryError;
use crate::sightings::SpillError;
use crate::store::StoreError;
use crate::virustotal::{Fault, KeyError, TransportError};

/// What to do about an error. The outermost cause with a hint counts.
pub(super) fn hint_for(error: &anyhow::Error) -> String {
    let hint = error.chain().find_map(hint_for_cause);
    hint.unwrap_or("`vthost help` lists the commands; --log-file FILE records what a run does")
        .to_owned()
}

fn hint_for_cause(cause: &(dyn Error + 'static)) -> Option<&'static str> {
    const RESULTS: &str = "name the folder that a run wrote with --out, or the results.jsonl in it";
    const NETWORK: &str = "`vthost doctor` checks the network, the proxy and the key";
    let hints: [(bool, &str); 11] = [
        (
            cause.is::<KeyError>(),
            "`vthost doctor` checks the key; `vthost demo` and --dry-run need none",
        ),
        (
            cause.is::<StoreError>(),
            "`vthost doctor` checks the store; --store names another one",
        ),
        (
            cause.is::<PinError>(),
            "`vthost plugin inspect FILE` prints a plugin's digest; pins are in vthost.toml",
        ),
        (
            cause.is::<LoadError>(),
            "`vthost plugin check FILE` tests a plugin; `vthost plugin list` lists the built-in ones",
        ),
        (
            cause.is::<OutputError>(),
            "check the folder's permissions and free space, or name another with --out",
        ),
        (
            cause.is::<ExistingResults>(),
            "name another folder with --out, or replace the results with --force",
        ),
        (
            cause.is::<ReadResultsError>() || cause.is::<ReadExportError>(),
            RESULTS,
        ),
        (cause.is::<TransportError>() || cause.is::<Fault>(), NETWORK),
        (
            cause.is::<RegistryError>(),
            "check the name, the network and the login of the registry (`docker login`)",
        ),
        (
            cause.is::<SpillError>(),
            "TMPDIR needs free space; --max-memory allows more memory instead",
        ),
        (
            cause.is::<ConfigError>(),
            "`vthost config show` prints each option with the source of its value",
        ),
    ];
    let mut hints = hints.into_iter();
    let named = hints.find_map(|(is_cause, hint)| is_cause.then_some(hint));
    named.or_else(|| match cause.downcast_ref::<io::Error>()?.kind() {
        ErrorKind::NotFound => Some("check the path"),
        ErrorKind::PermissionDenied => Some("check the permissions of the file and its folder"),
        ErrorKind::StorageFull => Some("free some space, or write to another disk"),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    #[test]
    fn hint_follows_from_the_cause() {
        let check = |error: anyhow::Error, expected: &str| {
            assert!(hint_for(&error).contains(expected), "{}", hint_for(&error));
        };
        check(KeyError::Missing.into(), "vthost demo");
        let missing = io::Error::from(ErrorKind::NotFound);
        let missing = Err::<(), _>(missing).context("cannot read `a`");
        check(missing.unwrap_err(), "check the path");
        check(StoreError::Damaged { column: 1 }.into(), "--store");
        check(anyhow::anyhow!("anything"), "vthost help");
    }
}
