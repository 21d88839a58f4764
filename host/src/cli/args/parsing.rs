//! How a command line is read: with configured defaults, and a command before its options.

use std::ffi::{OsStr, OsString};

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, ColorChoice, Command, CommandFactory as _, FromArgMatches as _};

use super::Arguments;
use super::configured::{ConfiguredOption, with_defaults};

impl Arguments {
    /// Reads a command line, which begins with the name of the program. Options that it does not
    /// have are taken from `configured`.
    ///
    /// # Errors
    ///
    /// If it is invalid or asks for help.
    pub fn read(line: &[OsString], configured: &[ConfiguredOption]) -> Result<Self, clap::Error> {
        let mut command = with_defaults(Self::command(), configured).color(color_choice(line));
        let matches = command.try_get_matches_from_mut(line)?;
        check_order(&mut command, &matches)?;
        let mut arguments =
            Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
        // One of the command line takes precedence over the other of the configuration.
        let is_given = |id| matches.value_source(id) == Some(ValueSource::CommandLine);
        let global = &mut arguments.global;
        if global.quiet && global.verbose {
            (global.quiet, global.verbose) = (!is_given("verbose"), is_given("verbose"));
        }
        if let Some(super::Command::Config(config)) = &mut arguments.command {
            config.line = after_show(line);
        }
        Ok(arguments)
    }
}

/// The value of an option that is needed before the command line is read.
pub(in crate::cli) fn early_value(line: &[OsString], option: &str) -> Option<OsString> {
    let mut words = line.iter().take_while(|word| *word != "--");
    while let Some(word) = words.next() {
        if word == option {
            return words.next().cloned();
        }
        let value = word
            .to_str()
            .and_then(|word| word.strip_prefix(option)?.strip_prefix('='));
        if let Some(value) = value {
            return Some(value.into());
        }
    }
    None
}

/// The colours of help and usage errors. clap itself obeys `NO_COLOR`.
fn color_choice(line: &[OsString]) -> ColorChoice {
    match early_value(line, "--color")
        .as_deref()
        .and_then(OsStr::to_str)
    {
        Some("always") => ColorChoice::Always,
        Some("never") => ColorChoice::Never,
        _ => ColorChoice::Auto,
    }
}

/// The words after `config show`, which are a command line themselves.
fn after_show(line: &[OsString]) -> Vec<OsString> {
    let words = line.iter().skip_while(|word| *word != "config").skip(1);
    words
        .skip_while(|word| *word != "show")
        .skip(1)
        .cloned()
        .collect()
}

/// Refuses options of the triage before a command: the command would ignore them.
fn check_order(command: &mut Command, matches: &ArgMatches) -> Result<(), clap::Error> {
    let Some((name, _)) = matches.subcommand() else {
        return Ok(());
    };
    let is_given = |argument: &&Arg| {
        let source = matches.value_source(argument.get_id().as_str());
        !argument.is_global_set() && source == Some(ValueSource::CommandLine)
    };
    let Some(option) = command.get_arguments().find(is_given) else {
        return Ok(());
    };
    let option = match option.get_long() {
        Some(long) => format!("--{long}"),
        None => "an input".to_owned(),
    };
    let below = command.find_subcommand(name);
    let has_option = below.is_some_and(|below| {
        let mut longs = below.get_arguments().filter_map(Arg::get_long);
        longs.any(|long| option.strip_prefix("--") == Some(long))
    });
    let advice = match has_option {
        true => format!("write the command first: vthost {name} … {option} …"),
        false => format!("`vthost {name}` does not have it"),
    };
    let text = format!(
        "{option} is before the command `{name}`: {advice}. A file of this name is ./{name}"
    );
    Err(command.error(ErrorKind::ArgumentConflict, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &[&str]) -> Result<Arguments, clap::Error> {
        let line: Vec<OsString> = line.iter().map(OsString::from).collect();
        Arguments::read(&line, &[])
    }

    #[test]
    fn command_after_an_option_is_not_an_input() {
        let error = |line: &[&str]| {
            let error = read(line).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{line:?}");
            error.to_string()
        };
        let url = ["vthost", "--vt-url", "http://localhost:1", "explain", "x"];
        assert!(
            error(&url).contains("`vthost explain` does not have it"),
            "{}",
            error(&url)
        );
        assert!(error(&url).contains("./explain"));
        let store = error(&["vthost", "--store", "s", "explain", "x"]);
        assert!(store.contains("vthost explain … --store …"), "{store}");
        error(&["vthost", "--wait", "demo"]);
        assert!(
            read(&["vthost", "--wait", "./explain"])
                .unwrap()
                .command
                .is_none()
        );
        assert!(
            read(&["vthost", "--", "explain"])
                .unwrap()
                .command
                .is_none()
        );
        assert!(read(&["vthost", "explain", "x"]).unwrap().command.is_some());
    }

    #[test]
    fn global_options_are_accepted_before_and_after_a_command() {
        let before = read(&["vthost", "-q", "--tz", "+09:00", "status"]).unwrap();
        let after = read(&["vthost", "status", "--tz=+09:00", "--quiet"]).unwrap();
        for arguments in [before, after] {
            assert!(arguments.command.is_some());
            assert!(arguments.global.quiet);
            assert_eq!(arguments.global.tz.to_string(), "+09:00");
        }
        assert!(read(&["vthost", "-q", "-v", "status"]).is_err());
    }

    #[test]
    fn command_line_overrides_configured_verbosity() {
        let configured = [ConfiguredOption {
            command: Vec::new(),
            name: "quiet".to_owned(),
            values: vec!["true".to_owned()],
            source: super::super::OptionSource::Default,
        }];
        let line = ["vthost", "-v", "status"].map(OsString::from);
        let global = Arguments::read(&line, &configured).unwrap().global;
        assert!(global.verbose && !global.quiet);
    }

    #[test]
    fn early_values_are_found_in_both_forms() {
        let check = |line: &[&str], expected: Option<&str>| {
            let line: Vec<OsString> = line.iter().map(OsString::from).collect();
            let value = early_value(&line, "--config-file");
            assert_eq!(value, expected.map(OsString::from), "{line:?}");
        };
        check(&["vthost", "--config-file", "a"], Some("a"));
        check(&["vthost", "x", "--config-file=a"], Some("a"));
        check(&["vthost", "--config-files=a"], None);
        check(&["vthost", "--", "--config-file=a"], None);
    }

    #[test]
    fn command_line_of_config_show_is_kept() {
        let line = ["vthost", "config", "show", "extract", "--threads", "2"];
        let Some(super::super::Command::Config(config)) = read(&line).unwrap().command else {
            panic!("not config");
        };
        assert_eq!(config.line, ["extract", "--threads", "2"]);
    }
}
