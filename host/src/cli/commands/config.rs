//! `vthost config`: the values of the options and where they come from.

use std::fmt::Write as _;

use crate::cli::exit::ExitStatus;
use crate::cli::printer::Printer;
use crate::cli::settings::{ConfigShow, OptionSource, ShownOption};
use crate::output::visible;

/// Prints the options of a command as `vthost.toml` has them, each with the source of its value.
pub(in crate::cli) fn show(shown: &ConfigShow, printer: &Printer) -> anyhow::Result<ExitStatus> {
    printer.data(text(shown)?.as_bytes())?;
    Ok(ExitStatus::Done)
}

fn text(shown: &ConfigShow) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    if !shown.command.is_empty() {
        writeln!(text, "[{}]", shown.command.join("."))?;
    }
    for option in &shown.options {
        let (name, source) = (&option.name, option.source.to_string());
        match &option.source {
            OptionSource::Unset => writeln!(text, "# {name} is not set")?,
            _ => writeln!(text, "{name} = {}  # {}", value(option), visible(&source))?,
        }
    }
    Ok(text)
}

/// The value in the form of TOML, without passwords.
fn value(option: &ShownOption) -> String {
    let shown = |value: &String| match option.is_flag || value.parse::<i64>().is_ok() {
        true => value.clone(),
        false => toml::Value::String(without_password(value)).to_string(),
    };
    let values: Vec<String> = option.values.iter().map(shown).collect();
    match values.as_slice() {
        [one] => one.clone(),
        several => format!("[{}]", several.join(", ")),
    }
}

/// A value; the password of a URL is replaced.
fn without_password(value: &str) -> String {
    match url::Url::parse(value) {
        Ok(mut url) if url.password().is_some() => {
            // Fails only for a URL that cannot have a password.
            let _ = url.set_password(Some("PASSWORD"));
            url.to_string()
        }
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_shown_as_toml_with_their_source() {
        let option = |name: &str, values: &[&str], source| ShownOption {
            name: name.to_owned(),
            values: values.iter().map(ToString::to_string).collect(),
            is_flag: name == "wait",
            source,
        };
        let shown = ConfigShow {
            command: vec!["plugin".to_owned(), "run".to_owned()],
            options: vec![
                option("wait", &["true"], OptionSource::CommandLine),
                option(
                    "per-day",
                    &["9"],
                    OptionSource::Variable("VTHOST_PER_DAY".into()),
                ),
                option(
                    "policy",
                    &["a\"b", "c"],
                    OptionSource::File("vthost.toml".into()),
                ),
                option(
                    "proxy",
                    &["http://me:hunter2@192.0.2.1:3128"],
                    OptionSource::Default,
                ),
                option("store", &[], OptionSource::Unset),
            ],
        };
        assert_eq!(
            text(&shown).unwrap(),
            "[plugin.run]\n\
             wait = true  # command line\n\
             per-day = 9  # environment VTHOST_PER_DAY\n\
             policy = ['a\"b', \"c\"]  # file vthost.toml\n\
             proxy = \"http://me:PASSWORD@192.0.2.1:3128/\"  # default\n\
             # store is not set\n"
        );
    }
}
