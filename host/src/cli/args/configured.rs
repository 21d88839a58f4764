//! Values of options from `vthost.toml` and from the environment. They replace the defaults of
//! the options of the command line.

use std::fmt;
use std::path::PathBuf;

use clap::builder::ArgAction;
use clap::{Arg, ArgMatches, Command, CommandFactory as _, parser::ValueSource};

use super::Arguments;

/// The value of an option from a file or from the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfiguredOption {
    /// The command that it is for, such as `["plugin", "run"]`. If it is empty, the option is for
    /// the triage of logs and for every command with an option of this name, except for the
    /// commands of `vthost plugin` and for `OWN_OPTIONS`.
    pub command: Vec<String>,
    /// Its name without `--`.
    pub name: String,
    /// Its values; more than one for an option that can be repeated.
    pub values: Vec<String>,
    /// Where it comes from.
    pub source: OptionSource,
}

/// Options that have a separate meaning for each command.
const OWN_OPTIONS: [&str; 5] = ["out", "force", "format", "results", "evidence"];

/// Options that neither a file nor the environment sets.
const COMMAND_LINE_ONLY: [&str; 3] = ["help", "version", "config-file"];

/// Where the value of an option comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OptionSource {
    /// It has no value.
    Unset,
    /// The program.
    Default,
    /// A file.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
    /// The command line.
    CommandLine,
}

impl fmt::Display for OptionSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unset => f.write_str("not set"),
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Variable(name) => write!(f, "environment {name}"),
            Self::CommandLine => f.write_str("command line"),
        }
    }
}

/// An option of a command with its values and their source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownOption {
    /// Its name without `--`.
    pub name: String,
    /// Its values.
    pub values: Vec<String>,
    /// Whether it takes no value on the command line.
    pub is_flag: bool,
    /// Where its values come from.
    pub source: OptionSource,
}

impl ConfiguredOption {
    fn is_for(&self, path: &[String]) -> bool {
        if !self.command.is_empty() {
            return self.command == path;
        }
        let is_plugin = path.first().is_some_and(|command| command == "plugin");
        path.is_empty() || !is_plugin && !OWN_OPTIONS.contains(&self.name.as_str())
    }
}

/// The command line with the configured values as defaults. A later option replaces an earlier
/// one of the same name.
pub(super) fn with_defaults(command: Command, configured: &[ConfiguredOption]) -> Command {
    set_defaults(command, &[], configured)
}

fn set_defaults(command: Command, path: &[String], configured: &[ConfiguredOption]) -> Command {
    let names: Vec<String> = command.get_subcommands().map(name_of).collect();
    let own = configured.iter().filter(|option| option.is_for(path));
    let command = own.fold(command, |command, option| {
        let Some(id) = argument(&command, &option.name).map(|arg| arg.get_id().clone()) else {
            return command;
        };
        let values = option.values.clone();
        command.mut_arg(id, |arg| arg.required(false).default_values(values))
    });
    names.into_iter().fold(command, |command, name| {
        let path = [path, std::slice::from_ref(&name)].concat();
        command.mut_subcommand(name, |below| set_defaults(below, &path, configured))
    })
}

fn name_of(command: &Command) -> String {
    command.get_name().to_owned()
}

fn argument<'a>(command: &'a Command, name: &str) -> Option<&'a Arg> {
    let mut arguments = command.get_arguments();
    arguments.find(|argument| argument.get_long() == Some(name) && is_configurable(argument))
}

fn is_configurable(argument: &Arg) -> bool {
    let name = argument.get_long();
    name.is_some_and(|name| !COMMAND_LINE_ONLY.contains(&name))
}

fn is_flag(argument: &Arg) -> bool {
    matches!(argument.get_action(), ArgAction::SetTrue)
}

/// What is wrong with a configured option, if anything.
pub(in crate::cli) fn problem(option: &ConfiguredOption) -> Option<String> {
    let all = Arguments::command();
    let name = &option.name;
    let commands: Vec<&Command> = if option.command.is_empty() {
        std::iter::once(&all).chain(all.get_subcommands()).collect()
    } else {
        let path = option.command.iter();
        match path
            .clone()
            .try_fold(&all, |all, name| all.find_subcommand(name))
        {
            Some(command) => vec![command],
            None => {
                let known: Vec<String> = all.get_subcommands().map(name_of).collect();
                let unknown = option.command.join(".");
                return Some(format!(
                    "`{unknown}` is not a command; known: {}",
                    known.join(", ")
                ));
            }
        }
    };
    let mut found = commands
        .iter()
        .filter_map(|command| argument(command, name));
    let Some(argument) = found.next() else {
        return Some(unknown_option(name, &commands));
    };
    let is_repeatable = matches!(argument.get_action(), ArgAction::Append);
    if option.values.len() != 1 && !is_repeatable {
        return Some(format!("`{name}` takes one value"));
    }
    option
        .values
        .iter()
        .find_map(|value| bad_value(argument, name, value))
}

fn unknown_option(name: &str, commands: &[&Command]) -> String {
    if name.replace('_', "-").contains("api-key") || name.contains("apikey") {
        return format!(
            "`{name}` is not an option: the API key itself is never read from this file; store it \
             in another file and name that with api-key-file"
        );
    }
    let arguments = commands.iter().flat_map(|command| command.get_arguments());
    let arguments = arguments.filter(|argument| is_configurable(argument));
    let mut known: Vec<&str> = arguments.filter_map(Arg::get_long).collect();
    known.sort_unstable();
    known.dedup();
    format!("`{name}` is not an option; known: {}", known.join(", "))
}

/// Why an option does not accept a value, in the words of its parser.
fn bad_value(argument: &Arg, name: &str, value: &str) -> Option<String> {
    if is_flag(argument) {
        let is_boolean = matches!(value, "true" | "false");
        return (!is_boolean).then(|| format!("`{name}` is true or false, not `{value}`"));
    }
    let alone = Arg::new("value")
        .long(name.to_owned())
        .allow_hyphen_values(true)
        .action(ArgAction::Set)
        .value_parser(argument.get_value_parser().clone());
    let line = [format!("--{name}={value}")];
    let parsed = Command::new("vthost")
        .no_binary_name(true)
        .arg(alone)
        .try_get_matches_from(line);
    let text = parsed.err()?.to_string();
    let first = text.split("\n\n").next().unwrap_or_default();
    let words: Vec<&str> = first
        .trim_start_matches("error: ")
        .split_whitespace()
        .collect();
    Some(words.join(" "))
}

/// Each option of the command of a command line, with its values and where they come from.
///
/// # Errors
///
/// If the command line is invalid. Inputs may be missing.
pub fn shown_options(
    line: &[String],
    configured: &[ConfiguredOption],
) -> Result<(Vec<String>, Vec<ShownOption>), clap::Error> {
    let program = ["vthost".to_owned()];
    let all = without_requirements(with_defaults(Arguments::command(), configured));
    let mut all = all.args_conflicts_with_subcommands(false);
    let matches = all.try_get_matches_from_mut(program.iter().chain(line))?;
    let (mut command, mut matches, mut path) = (&all, &matches, Vec::new());
    while let Some((name, below)) = matches.subcommand() {
        path.push(name.to_owned());
        let Some(found) = command.find_subcommand(name) else {
            break;
        };
        (command, matches) = (found, below);
    }
    let options = command
        .get_arguments()
        .filter(|argument| is_configurable(argument));
    let options = options.filter_map(|argument| shown(argument, &path, matches, configured));
    let options = options.collect();
    Ok((path, options))
}

/// The command without required arguments, also below it.
fn without_requirements(command: Command) -> Command {
    let command = command
        .subcommand_required(false)
        .arg_required_else_help(false)
        .mut_args(|argument| argument.required(false));
    command.mut_subcommands(without_requirements)
}

fn shown(
    argument: &Arg,
    path: &[String],
    matches: &ArgMatches,
    configured: &[ConfiguredOption],
) -> Option<ShownOption> {
    let name = argument.get_long()?;
    let id = argument.get_id().as_str();
    let values = matches.get_raw(id).into_iter().flatten();
    let values: Vec<String> = values.map(|value| value.to_string_lossy().into()).collect();
    let mut last = configured.iter().rev();
    let configured = last.find(|option| option.name == name && option.is_for(path));
    let source = match (matches.value_source(id), configured) {
        (Some(ValueSource::CommandLine), _) => OptionSource::CommandLine,
        (Some(_), Some(option)) => option.source.clone(),
        (Some(_), None) => OptionSource::Default,
        (None, _) => OptionSource::Unset,
    };
    Some(ShownOption {
        name: name.to_owned(),
        values,
        is_flag: is_flag(argument),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::super::Command as VthostCommand;
    use super::*;
    use clap::FromArgMatches as _;

    fn option(command: &[&str], name: &str, values: &[&str]) -> ConfiguredOption {
        ConfiguredOption {
            command: command.iter().map(ToString::to_string).collect(),
            name: name.to_owned(),
            values: values.iter().map(ToString::to_string).collect(),
            source: OptionSource::File("vthost.toml".into()),
        }
    }

    fn parsed(configured: &[ConfiguredOption], line: &[&str]) -> Arguments {
        let command = with_defaults(Arguments::command(), configured);
        let matches = command.try_get_matches_from(line).unwrap();
        Arguments::from_arg_matches(&matches).unwrap()
    }

    #[test]
    fn configured_values_are_defaults() {
        let configured = [
            option(&[], "per-day", &["9"]),
            option(&[], "wait", &["true"]),
            option(&[], "policy", &["strict", "threshold"]),
            option(&[], "out", &["results"]),
            option(&[], "lang", &["ja"]),
            option(&["extract"], "threads", &["3"]),
        ];
        let arguments = parsed(&configured, &["vthost", "log"]);
        assert_eq!(arguments.triage.account.per_day, Some(9));
        assert!(arguments.triage.wait);
        assert_eq!(arguments.triage.policy.policy, ["strict", "threshold"]);
        assert_eq!(arguments.triage.output.out, PathBuf::from("results"));
        assert_eq!(arguments.triage.read.threads, None);
        let line = ["vthost", "--per-day", "7", "--policy", "strict", "log"];
        let arguments = parsed(&configured, &line);
        assert_eq!(arguments.triage.account.per_day, Some(7));
        assert_eq!(arguments.triage.policy.policy, ["strict"]);
        let Some(VthostCommand::Demo(demo)) = parsed(&configured, &["vthost", "demo"]).command
        else {
            panic!("not the demo");
        };
        assert_eq!(demo.out, PathBuf::from("vthost-demo"));
        assert_eq!(demo.policy.policy, ["strict", "threshold"]);
        // `--lang` of `plugin new` is a programming language.
        parsed(&configured, &["vthost", "plugin", "new", "policy", "ours"]);
    }

    #[test]
    fn required_option_can_be_configured() {
        let configured = [option(&["export"], "format", &["csv"])];
        let arguments = parsed(&configured, &["vthost", "export", "results"]);
        assert!(matches!(arguments.command, Some(VthostCommand::Export(_))));
    }

    #[test]
    fn problems_are_named() {
        let check = |option: ConfiguredOption, expected: Option<&str>| {
            let problem = problem(&option);
            match expected {
                None => assert_eq!(problem, None),
                Some(words) => assert!(problem.as_ref().unwrap().contains(words), "{problem:?}"),
            }
        };
        check(option(&[], "share", &["url"]), None);
        check(option(&[], "policy", &["a", "b"]), None);
        check(option(&["plugin", "new"], "lang", &["c"]), None);
        check(option(&[], "utc-offset", &["-05:30"]), None);
        check(
            option(&[], "shared", &["url"]),
            Some("`shared` is not an option; known: api-key-file, archive-password-file, ca-file"),
        );
        check(option(&[], "config-file", &["x"]), Some("not an option"));
        check(
            option(&[], "api_key", &["x"]),
            Some("never read from this file"),
        );
        check(
            option(&["explode"], "share", &["url"]),
            Some("`explode` is not a command; known: extract"),
        );
        check(
            option(&[], "share", &["url", "host"]),
            Some("takes one value"),
        );
        check(
            option(&[], "per-day", &["many"]),
            Some("invalid value 'many' for '--per-day"),
        );
        check(option(&[], "wait", &["yes"]), Some("true or false"));
    }

    #[test]
    fn sources_are_shown() {
        let configured = [
            option(&[], "share", &["url"]),
            option(&[], "threads", &["3"]),
            option(&["extract"], "threads", &["4"]),
        ];
        let source = |line: &[&str], name: &str| {
            let line: Vec<String> = line.iter().map(ToString::to_string).collect();
            let (_, options) = shown_options(&line, &configured).unwrap();
            let mut options = options.into_iter();
            let found = options.find(|option| option.name == name).unwrap();
            (found.values.join(" "), found.source)
        };
        let file = OptionSource::File("vthost.toml".into());
        assert_eq!(source(&[], "share"), ("url".into(), file.clone()));
        assert_eq!(source(&[], "rate"), ("4/min".into(), OptionSource::Default));
        assert_eq!(source(&[], "per-day"), (String::new(), OptionSource::Unset));
        let line = ["--share", "host", "--wait"];
        assert_eq!(
            source(&line, "share"),
            ("host".into(), OptionSource::CommandLine)
        );
        assert_eq!(
            source(&line, "wait"),
            ("true".into(), OptionSource::CommandLine)
        );
        assert_eq!(source(&["extract"], "threads"), ("4".into(), file));
        assert!(shown_options(&["--shared".into()], &configured).is_err());
    }
}
