//! The command that resumes a run, rebuilt from its arguments. Their types print no password.

use clap::{Parser as _, ValueEnum as _};

use crate::cli::args::{Arguments, TriageArgs, utc_offset_text};
use crate::duration;

/// The command line of a triage, for a POSIX shell. Options with their default value are left
/// out.
pub(super) fn command_line(args: &TriageArgs) -> String {
    let mut words = vec!["vthost".to_owned()];
    words.extend(changed_options(args, |_| true));
    with_inputs(words, args)
}

/// The command line that prints the log lines of what a triage found to be bad.
pub(super) fn evidence_command(args: &TriageArgs) -> String {
    const READING: [&str; 8] = [
        "--parser",
        "--parser-config",
        "--utc-offset",
        "--max-unpacked",
        "--max-window",
        "--archive-password-file",
        "--keep-duplicates",
        "--threads",
    ];
    let results = args.output.out.join("results.jsonl");
    let mut words: Vec<String> = ["vthost", "evidence", "--results"]
        .map(str::to_owned)
        .into();
    words.push(quoted(&results.display().to_string()));
    words.extend(changed_options(args, |name| READING.contains(&name)));
    with_inputs(words, args)
}

/// The words of those options of a triage that do not have their default value.
fn changed_options(args: &TriageArgs, is_wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let defaults = defaults();
    let given = options(args);
    let of = |options: &[GivenOption], name: &str| -> Vec<Option<String>> {
        let options = options.iter().filter(|(other, _)| *other == name);
        options.map(|(_, value)| value.clone()).collect()
    };
    let mut words = Vec::new();
    for (name, value) in given.iter().filter(|(name, _)| is_wanted(name)) {
        if of(&given, name) != of(&defaults, name) {
            words.push((*name).to_owned());
            words.extend(value.as_deref().map(quoted));
        }
    }
    words
}

fn with_inputs(mut words: Vec<String>, args: &TriageArgs) -> String {
    let inputs = args.read.inputs.iter();
    let inputs: Vec<String> = inputs.map(|input| input.display().to_string()).collect();
    let looks_like_option = |input: &String| input.starts_with('-') && input != "-";
    if inputs.iter().any(looks_like_option) {
        words.push("--".to_owned());
    }
    words.extend(inputs.iter().map(|input| quoted(input)));
    words.join(" ")
}

/// The options of a triage with their values, for a report.
pub(super) fn settings(args: &TriageArgs) -> Vec<(String, String)> {
    let options = options(args).into_iter();
    options
        .map(|(name, value)| (name.to_owned(), value.unwrap_or_else(|| "yes".to_owned())))
        .collect()
}

/// An option, and its value if it takes one. An option that is given several times has several
/// entries.
type GivenOption = (&'static str, Option<String>);

/// The options of a command line that has none.
fn defaults() -> Vec<GivenOption> {
    let parsed = Arguments::try_parse_from(["vthost", "-"]);
    parsed.map_or_else(|_| Vec::new(), |defaults| options(&defaults.triage))
}

/// All options except `--dry-run` and `--force`, which a resumed run does not have, and those of
/// messages.
fn options(args: &TriageArgs) -> Vec<GivenOption> {
    let TriageArgs {
        read,
        policy,
        store,
        account,
        ..
    } = args;
    let mut options = OptionList(Vec::new());
    options.value("--parser", Some(&read.parser));
    options.values("--parser-config", &read.parser_config);
    options.value("--utc-offset", Some(utc_offset_text(read.utc_offset)));
    options.value("--max-unpacked", Some(read.max_unpacked));
    options.value("--max-window", Some(read.max_window));
    let password_file = read.archive_password_file.as_ref();
    options.value(
        "--archive-password-file",
        password_file.map(|path| path.display()),
    );
    options.flag("--keep-duplicates", read.keep_duplicates);
    options.value("--threads", read.threads);
    options.value("--max-memory", Some(read.max_memory));
    options.values("--policy", &policy.policy);
    options.values("--policy-config", &policy.policy_config);
    options.value("--out", Some(args.output.out.display()));
    let language = args.output.lang.to_possible_value();
    options.value(
        "--lang",
        language.as_ref().map(|language| language.get_name()),
    );
    options.flag("--rescan", args.rescan);
    options.value("--poll-after", Some(duration::format_ms(args.poll_after)));
    options.flag("--wait", args.wait);
    let fail_on = args.fail_on.and_then(|verdict| verdict.to_possible_value());
    options.value(
        "--fail-on",
        fail_on.as_ref().map(|verdict| verdict.get_name()),
    );
    options.value("--store", store.store.as_ref());
    options.value("--max-age", Some(store.max_age));
    options.values("--internal-suffix", &store.internal_suffix);
    options.value("--share", Some(store.share));
    options.value("--rate", Some(account.rate));
    options.value("--per-day", account.per_day);
    options.value("--per-month", account.per_month);
    options.value("--reserve", Some(account.reserve));
    options.value("--vt-user", account.vt_user.as_ref());
    let key_file = account.api_key_file.as_deref();
    options.value("--api-key-file", key_file.map(std::path::Path::display));
    options.value("--vt-url", Some(&account.vt_url));
    let ca_file = account.ca_file.as_deref();
    options.value("--ca-file", ca_file.map(std::path::Path::display));
    options.value(
        "--proxy",
        account.proxy.as_ref().map(|proxy| proxy.template()),
    );
    options.value("--timeout", Some(duration::format_ms(account.timeout)));
    options.flag("--http1", account.http1);
    options.0
}

struct OptionList(Vec<GivenOption>);

impl OptionList {
    fn flag(&mut self, name: &'static str, is_set: bool) {
        self.0.extend(is_set.then_some((name, None)));
    }

    fn value(&mut self, name: &'static str, value: Option<impl ToString>) {
        self.0
            .extend(value.map(|value| (name, Some(value.to_string()))));
    }

    fn values(&mut self, name: &'static str, values: &[String]) {
        self.0
            .extend(values.iter().map(|value| (name, Some(value.clone()))));
    }
}

/// A word, quoted for a POSIX shell if necessary.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    /// Every option of a triage except `--dry-run`, with a value other than its default, in the
    /// order of [`options`].
    const ALL: &str = "vthost --parser squid --parser-config a=1 --parser-config b=2 \
        --utc-offset +09:00 --max-unpacked 7 --max-window 5 \
        --archive-password-file password --keep-duplicates --threads 3 --max-memory 9 \
        --policy strict --policy threshold --policy-config threshold:min_engines=3 \
        --out results --lang ja --rescan --poll-after 90s --wait \
        --fail-on bad --store s.sqlite --max-age bad=30d,good=7d,unknown=1d \
        --internal-suffix corp.example.org --share submit --rate 4/2s --per-day 9 \
        --per-month 99 --reserve 1 --vt-user me --api-key-file key --vt-url http://localhost:1/ \
        --ca-file ca.pem --proxy http://proxy.example.com:3128 --timeout 30s --http1 logs/ -";

    fn rebuilt(line: &str) -> String {
        let words = line.split_whitespace();
        command_line(&Arguments::try_parse_from(words).unwrap().triage)
    }

    #[test]
    fn every_option_is_rebuilt() {
        let words: Vec<&str> = ALL.split_whitespace().collect();
        assert_eq!(rebuilt(ALL), words.join(" "));
        for option in Arguments::command().get_arguments() {
            let Some(name) = option.get_long() else {
                continue;
            };
            let is_listed = words.contains(&format!("--{name}").as_str());
            // A resumed run replaces nothing but its results.
            let is_left_out =
                ["dry-run", "force", "help", "version"].contains(&name) || option.is_global_set();
            assert!(is_listed != is_left_out, "--{name}");
        }
    }

    #[test]
    fn default_values_are_left_out() {
        let check = |line: &str, expected: &str| assert_eq!(rebuilt(line), expected);
        check("vthost logs", "vthost logs");
        check("vthost --rate 4/min --share hash logs", "vthost logs");
        check("vthost --dry-run logs", "vthost logs");
        check("vthost --policy strict logs", "vthost logs");
        check("vthost -- -dash.log", "vthost -- -dash.log");
    }

    #[test]
    fn evidence_is_read_as_the_logs_were() {
        let line = "vthost --parser squid --share host --out results logs -";
        let arguments = Arguments::try_parse_from(line.split_whitespace()).unwrap();
        assert_eq!(
            evidence_command(&arguments.triage),
            "vthost evidence --results results/results.jsonl --parser squid logs -"
        );
    }

    #[test]
    fn passwords_are_left_out() {
        let line = rebuilt(
            "vthost --proxy http://me:hunter2@192.0.2.1:3128 \
             --store postgres://me:hunter2@db.example.com/vt?sslmode=disable logs",
        );
        assert_eq!(
            line,
            "vthost --store 'postgres://me@db.example.com/vt?sslmode=disable' \
             --proxy http://USER:PASSWORD@192.0.2.1:3128 logs"
        );
    }

    #[test]
    fn words_are_quoted_for_a_shell() {
        let check = |word: &str, expected: &str| assert_eq!(quoted(word), expected);
        check("a/b-c_d.e:f=g@h%i+j,k", "a/b-c_d.e:f=g@h%i+j,k");
        check("", "''");
        check("a b", "'a b'");
        check("it's", r"'it'\''s'");
        check("$(x)`y`", "'$(x)`y`'");
        check("日本", "'日本'");
    }
}
