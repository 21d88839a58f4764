//! The page: the template and its values.

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::affected::{Affected, MAX_AFFECTED};
use super::chart::{Chart, HEIGHT};
use super::inputs::{MAX_INPUTS, MAX_REASONS, ShownInput, ShownPlugin, ShownReason};
use super::inputs::{plugins, reasons};
use super::language::{ReportLanguage, Words, fill};
use super::lists::{Group, Listed};
use super::model::{BadIndicator, ReportModel};
use super::next_action::{NextAction, next_actions};
use super::shown;
use crate::output::run_facts::RunFacts;
use crate::output::summary_row::SummaryRow;

/// The style of the page.
const STYLE: &str = include_str!("../../../templates/report.css");

/// The script of the page. It sorts and filters tables.
const SCRIPT: &str = include_str!("../../../templates/report.js");

/// The width of the strip of verdicts, in its own units.
const STRIP_WIDTH: u64 = 1_000;

/// The smallest visible part of the strip.
const MIN_PART_WIDTH: u64 = 6;

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    w: &'static Words,
    language: &'static str,
    style: &'static str,
    script: &'static str,
    style_hash: String,
    script_hash: String,
    subtitle: String,
    written: String,
    period: String,
    strip: Vec<StripPart>,
    actions: Vec<NextAction>,
    bad: &'a [BadIndicator],
    bad_total: u64,
    run_written: Option<&'a str>,
    affected: &'a [&'a Affected],
    affected_total: u64,
    not_traced: Vec<String>,
    chart: Option<Chart>,
    chart_height: u64,
    lists: Vec<List<'a>>,
    inputs: Vec<ShownInput>,
    inputs_total: u64,
    reasons: Vec<ShownReason>,
    reasons_total: u64,
    not_read: Vec<(String, String)>,
    run: &'a RunFacts,
    command: String,
    settings: Vec<(String, String)>,
    plugins: Vec<ShownPlugin>,
    program: String,
    zone: String,
}

/// A part of the strip of verdicts.
struct StripPart {
    class: &'static str,
    name: &'static str,
    hint: &'static str,
    count: u64,
    x: u64,
    width: u64,
}

/// A list of indicators that are not bad.
struct List<'a> {
    class: &'static str,
    name: &'static str,
    hint: &'static str,
    total: u64,
    rows: &'a [Listed],
}

/// The page as HTML.
pub(super) fn html(
    model: &ReportModel,
    summary: &SummaryRow<'_>,
    run: &RunFacts,
    language: ReportLanguage,
) -> String {
    let words = language.words();
    let all_affected = model.affected.sorted();
    let affected = all_affected.get(..MAX_AFFECTED).unwrap_or(&all_affected);
    let mut reasons = reasons(summary);
    let reasons_total = reasons.len() as u64;
    reasons.truncate(MAX_REASONS);
    let inputs = summary.inputs.iter().take(MAX_INPUTS);
    let not_read = summary.not_read.iter();
    let settings = run.settings.iter();
    let zone = settings.clone().find(|(name, _)| name == "--utc-offset");
    let page = Page {
        w: words,
        language: language.code(),
        style: STYLE,
        script: SCRIPT,
        style_hash: source_hash(STYLE),
        script_hash: source_hash(SCRIPT),
        subtitle: subtitle(summary, words),
        written: shown::time(run.written.as_deref()),
        period: period(summary, words),
        strip: strip(summary, words),
        actions: next_actions(summary, &all_affected, run, words),
        bad: &model.bad,
        bad_total: summary.bad,
        run_written: run.written.as_deref(),
        affected,
        affected_total: all_affected.len() as u64,
        not_traced: summary
            .not_traced
            .iter()
            .map(|one| shown::text(one))
            .collect(),
        chart: summary.timeline.as_ref().and_then(Chart::new),
        chart_height: HEIGHT,
        lists: lists(model, summary, words),
        inputs: inputs.map(|input| ShownInput::new(input, words)).collect(),
        inputs_total: summary.inputs.len() as u64,
        reasons,
        reasons_total,
        not_read: not_read
            .map(|path| (shown::text(&path.path), shown::text(&path.problem)))
            .collect(),
        run,
        command: shown::command(&run.command),
        settings: settings
            .map(|(name, value)| (shown::text(name), shown::text(value)))
            .collect(),
        plugins: plugins(summary),
        program: format!("vthost {}", shown::text(&summary.vthost)),
        zone: zone.map_or_else(|| "+00:00".to_owned(), |(_, value)| shown::text(value)),
    };
    // Writing to a String cannot fail, and no value of the template does.
    page.render().unwrap_or_default()
}

/// The source of a style or script for the Content-Security-Policy.
fn source_hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

fn subtitle(summary: &SummaryRow<'_>, words: &Words) -> String {
    let lines = summary.inputs.iter().map(|input| input.lines).sum();
    let inputs = summary.inputs.len() as u64;
    fill(
        words.subtitle,
        &[&shown::number(lines), &shown::number(inputs)],
    )
}

/// The first and the last time of all inputs; empty if they are not known.
fn period(summary: &SummaryRow<'_>, words: &Words) -> String {
    let first = summary
        .inputs
        .iter()
        .filter_map(|input| input.first.as_deref())
        .min();
    let last = summary
        .inputs
        .iter()
        .filter_map(|input| input.last.as_deref())
        .max();
    match (first, last) {
        (Some(_), Some(_)) => fill(words.period, &[&shown::time(first), &shown::time(last)]),
        _ => String::new(),
    }
}

/// The groups with their names and explanations.
fn group_words(group: Group, w: &Words) -> (&'static str, &'static str, &'static str) {
    match group {
        Group::NotAsked => ("not-asked", w.not_asked, w.not_asked_hint),
        Group::NoAnswer => ("no-answer", w.no_answer, w.no_answer_hint),
        Group::NotSent => ("not-sent", w.not_sent, w.not_sent_hint),
        Group::Good => ("good", w.good, w.good_hint),
    }
}

fn strip(summary: &SummaryRow<'_>, words: &Words) -> Vec<StripPart> {
    let groups = Group::ALL.into_iter().map(|group| {
        let (class, name, hint) = group_words(group, words);
        (class, name, hint, group.total(summary))
    });
    let bad = ("bad", words.bad, words.bad_hint, summary.bad);
    let parts: Vec<_> = std::iter::once(bad).chain(groups).collect();
    let all: u64 = parts.iter().map(|part| part.3).sum();
    let mut x = 0;
    let part = |(class, name, hint, count)| {
        let width = match count {
            0 => 0,
            _ => (count * STRIP_WIDTH / all.max(1)).max(MIN_PART_WIDTH),
        };
        let part = StripPart {
            class,
            name,
            hint,
            count,
            x,
            width,
        };
        x += width;
        part
    };
    parts.into_iter().map(part).collect()
}

fn lists<'a>(model: &'a ReportModel, summary: &SummaryRow<'_>, words: &Words) -> Vec<List<'a>> {
    let lists = Group::ALL.into_iter().map(|group| {
        let (class, name, hint) = group_words(group, words);
        List {
            class,
            name,
            hint,
            total: group.total(summary),
            rows: model.lists.rows(group),
        }
    });
    lists.filter(|list| list.total > 0).collect()
}

impl Page<'_> {
    fn number(&self, number: impl ToString) -> String {
        shown::grouped(&number.to_string())
    }

    fn fill(&self, text: &str, values: &[&str]) -> String {
        fill(text, values)
    }

    /// The width of the strip.
    fn strip_width(&self) -> u64 {
        self.strip.iter().map(|part| part.width).sum::<u64>().max(1)
    }

    /// All indicators.
    fn total(&self) -> u64 {
        self.strip.iter().map(|part| part.count).sum()
    }

    /// A notice if a table does not show all rows; else nothing.
    fn capped(&self, shown: usize, total: &u64) -> String {
        let shown = shown as u64;
        match shown < *total {
            true => fill(
                self.w.capped,
                &[&shown::number(shown), &shown::number(*total)],
            ),
            false => String::new(),
        }
    }

    /// The age of an analysis at the time of the run.
    fn age(&self, analysed: Option<&str>) -> String {
        let days = shown::days_between(analysed, self.run_written);
        days.map_or_else(String::new, |days| {
            fill(self.w.days_old, &[&shown::number(days.unsigned_abs())])
        })
    }

    fn time(&self, time: &Option<String>) -> String {
        shown::time(time.as_deref())
    }
}
