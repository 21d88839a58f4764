//! Generated documentation: `docs/cli.md` is the help of all commands, `docs/formats.md` the output
//! of `vthost formats`, `docs/inputs.md` the table of kinds of file. To regenerate them: `UPDATE_DOCS=1 cargo test docs`.

use std::fmt::Write as _;
use std::path::Path;

use clap::{Command, CommandFactory as _};
use vthost::cli::args::Arguments;

const HEAD: &str = "# The command line\n\n\
    This page is what `--help` prints. A test keeps it up to date. The options of \"Messages and\n\
    settings\" are the same for every command and are listed for the first only.\n";

/// Appends the help of a command and of its subcommands.
fn describe(command: &mut Command, path: &str, text: &mut String) {
    let mut shown = command.clone();
    if path != "vthost" {
        shown = shown.mut_args(|argument| {
            let is_global = argument.is_global_set();
            argument.hide(is_global)
        });
    }
    let help = shown.render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    write!(text, "\n## `{path}`\n\n```text\n{}\n```\n", help.join("\n")).unwrap();
    let below: Vec<String> = command
        .get_subcommands()
        .map(|sub| sub.get_name().to_owned())
        .collect();
    for name in below.iter().filter(|name| *name != "help") {
        let sub = command.find_subcommand_mut(name).unwrap();
        describe(sub, &format!("{path} {name}"), text);
    }
}

#[test]
fn cli_page_is_the_help() {
    let mut text = HEAD.to_owned();
    let mut command = Arguments::command().term_width(100);
    command.build();
    describe(&mut command, "vthost", &mut text);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cli.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), text);
}

#[test]
fn formats_page_is_the_list_of_formats() {
    let ran = crate::support::Home::new().run(&["formats"]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/formats.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &ran.stdout).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), ran.stdout);
}

const INPUTS_HEAD: &str = "# Inputs\n\n\
    A file is read as what its first bytes are, whatever its name. A test keeps the tables of this\n\
    page as the program has them. What is in no table is text: UTF-8, UTF-16, or the usual encodings\n\
    of Windows and Japan; other binary data is refused.\n";

const INPUTS_END: &str = "\n## Several inputs\n\n\
    - Files in a directory are read in the order of their names, rotated ones from the oldest to the\n  \
      current one (`access.log.2.gz`, `access.log.1`, `access.log`). Symbolic links in a directory are\n  \
      passed over.\n\
    - A member of an archive has its own date: stamps without a year are not later than that.\n\
    - Content that was read before is left out and named; `--keep-duplicates` reads it again\n  \
      ([how it is found](decisions/duplicates.md)).\n\n\
    ## Damage and limits\n\n\
    What can be read before the damage is used, and the run is partial (status 4). `--max-unpacked`\n\
    bounds what an input unpacks to, `--max-window` the memory of a decoder. An input of which every\n\
    line is rejected makes the run partial, too.\n\n\
    The content of the read that fails is lost: at most 16 KiB, but of xz the chunk (up to 2 MiB),\n\
    which its decoder reads whole.\n";

#[test]
fn inputs_page_has_all_kinds_of_file() {
    use vthost::input::{Handling, KINDS};
    let row = |kind: &vthost::input::FileKind| match kind.handling {
        Handling::Unpack(_) => (0, format!("- {}\n", kind.name)),
        Handling::Enter(_) => (1, format!("- {}\n", kind.name)),
        Handling::PassOver => (2, format!("- {}\n", kind.name)),
        Handling::Refuse(advice) => {
            let advice = advice.replace('|', "\\|");
            (3, format!("| {} | {advice} |\n", kind.name))
        }
    };
    let mut sections = [
        "\n## Unpacked\n\n".to_owned(),
        "\n## Archives, of which each member is an input\n\n".to_owned(),
        "\n## Passed over, without making a run partial\n\n".to_owned(),
        "\n## Refused\n\nThe run is partial (status 4), and the message is \
            `KIND, which is not read: WHAT TO DO`.\n\n| kind | what to do |\n|---|---|\n"
            .to_owned(),
    ];
    for kind in KINDS {
        let (section, row) = row(kind);
        if !sections[section].contains(&row) {
            sections[section].push_str(&row);
        }
    }
    let text = [INPUTS_HEAD, &sections.concat(), INPUTS_END].concat();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/inputs.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), text);
}

/// The code blocks of a page without comments.
fn code_blocks(page: &str) -> Vec<String> {
    let blocks = page.split("\n```").skip(1).step_by(2);
    let code = |line: &str| {
        line.split("  #")
            .next()
            .unwrap_or_default()
            .trim_end()
            .to_owned()
    };
    let block = |block: &str| block.lines().map(code).collect::<Vec<_>>().join("\n");
    blocks.map(block).collect()
}

/// What a translation has in common with its original: the levels of its headings, the rows of its
/// tables and the targets of its links.
fn structure(page: &str) -> Vec<String> {
    let mut is_code = false;
    let mut found = Vec::new();
    for line in page.lines() {
        is_code ^= line.starts_with("```");
        if is_code {
            continue;
        }
        if line.starts_with('#') || line.starts_with("|") || line.starts_with("- ") {
            let mark = line.split(' ').next().unwrap_or_default();
            found.push(mark.to_owned());
        }
    }
    found
}

#[test]
fn japanese_readme_is_in_step() {
    let (english, japanese) = (
        include_str!("../../README.md"),
        include_str!("../../README.ja.md"),
    );
    assert_eq!(code_blocks(japanese), code_blocks(english));
    assert_eq!(structure(japanese), structure(english));
    let links = |page: &str| {
        let targets = page.split("](").skip(1);
        let targets = targets.filter_map(|rest| Some(rest.split_once(')')?.0.to_owned()));
        let targets = targets.filter(|target| !target.starts_with("README"));
        targets.collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(links(japanese), links(english));
}

#[test]
fn commands_in_documents_are_valid() {
    let documents = [
        include_str!("../../README.md"),
        include_str!("../../docs/cli.md"),
        include_str!("../../docs/cookbook.md"),
        include_str!("../../docs/plugins.md"),
        include_str!("../../docs/report.md"),
        include_str!("../../docs/virustotal.md"),
        include_str!("../../plugins/templates/c-parser/README.md"),
        include_str!("../../plugins/templates/c-policy/README.md"),
        include_str!("../../plugins/templates/js-parser/README.md"),
        include_str!("../../plugins/templates/js-policy/README.md"),
        include_str!("../../plugins/templates/python-parser/README.md"),
        include_str!("../../plugins/templates/python-policy/README.md"),
        include_str!("../../plugins/templates/rust-parser/README.md"),
        include_str!("../../plugins/templates/rust-policy/README.md"),
    ];
    let lines = documents
        .iter()
        .flat_map(|document| document.lines())
        .filter_map(|line| line.trim_start().strip_prefix("vthost "))
        // Not the usage lines of the help.
        .filter(|line| !line.contains("[OPTIONS]") && !line.contains("<COMMAND>"));
    let mut checked = 0;
    for line in lines {
        // Without a comment and the redirection of the output.
        let line = line.split(" #").next().unwrap();
        let line = line.split(" > ").next().unwrap();
        let line = line.split(" < ").next().unwrap();
        let line = line.split(" || ").next().unwrap();
        let words = std::iter::once("vthost").chain(line.split_whitespace());
        let words: Vec<std::ffi::OsString> = words.map(Into::into).collect();
        let parsed = Arguments::read(&words, &[]);
        assert!(parsed.is_ok(), "{line}: {}", parsed.err().unwrap());
        checked += 1;
    }
    assert!(checked >= 30, "{checked}");
}
