//! `vthost plugin test`: checks that every plugin must pass, and test cases.

mod cases;
mod conformance;
mod junit;

use super::watch::GuestWatch;
use super::{AnyPlugin, load};
use crate::cli::exit::ExitStatus;
use crate::cli::printer::Printer;
use crate::cli::settings::{Environment, PluginTest};
use crate::output::visible;

use cases::Cases;

/// A check and its result.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Check {
    name: String,
    /// What is wrong, in lines; none if the check passed.
    failure: Option<String>,
}

impl Check {
    fn of(name: impl Into<String>, result: Result<(), String>) -> Self {
        Self {
            name: name.into(),
            failure: result.err(),
        }
    }
}

pub(super) fn run(
    args: &PluginTest,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let (engine, watch) = GuestWatch::of(environment.engine()?);
    let plugin = load(&engine, &args.plugin, &args.config)?;
    let mut checks = match &plugin {
        AnyPlugin::Parser(parser) => conformance::of_parser(parser),
        AnyPlugin::Policy(policy) => conformance::of_policy(policy),
    };
    if let Some(folder) = &args.cases {
        let cases = Cases {
            engine: &engine,
            plugin: &args.plugin,
            config: &args.config,
            folder,
            update: args.update,
        };
        checks.extend(match &plugin {
            AnyPlugin::Parser(parser) => cases.of_parser(parser)?,
            AnyPlugin::Policy(_) => cases.of_policy()?,
        });
    }
    let mut text = String::new();
    for check in &checks {
        let mark = if check.failure.is_none() {
            "ok"
        } else {
            "FAILED"
        };
        text.push_str(&format!("{mark}  {}\n", visible(&check.name)));
        for line in check.failure.iter().flat_map(|failure| failure.lines()) {
            text.push_str(&format!("    {}\n", visible(line)));
        }
    }
    let failed = checks
        .iter()
        .filter(|check| check.failure.is_some())
        .count();
    text.push_str(&format!("{} checks, {failed} failed\n", checks.len()));
    printer.data(text.as_bytes())?;
    watch.report(printer);
    if let Some(path) = &args.junit {
        std::fs::write(path, junit::report(&plugin.id().to_string(), &checks))?;
    }
    Ok(if failed == 0 {
        ExitStatus::Done
    } else {
        ExitStatus::Bad
    })
}
