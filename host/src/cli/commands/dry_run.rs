//! The text of `--dry-run`: the requests of a run in their order, and how long they would take.

use std::fmt;

use crate::cli::zone::DisplayZone;
use crate::output::{counted, visible};
use crate::triage::Share;
use crate::triage::estimate::{Budget, Estimate, EstimatedRequest, RequestCounts};
use crate::triage::request::{LookupStep, Tier};

/// An estimate as it is printed.
pub(super) struct DryRun<'a> {
    pub(super) estimate: Estimate,
    /// The chosen value of `--share`.
    pub(super) share: Share,
    pub(super) budget: Budget,
    pub(super) zone: &'a DisplayZone,
}

impl DryRun<'_> {
    /// The requests as VirusTotal would see them, in their order, one on each line.
    pub(super) fn requests(&self) -> String {
        self.estimate.requests.iter().map(request_line).collect()
    }

    fn write_counts(
        &self,
        f: &mut fmt::Formatter<'_>,
        share: Share,
        counts: &RequestCounts,
    ) -> fmt::Result {
        let mark = if share == self.share { "*" } else { " " };
        write!(f, "{mark} --share {share}: ")?;
        f.write_str(&counted(counts.hosts, "host", "hosts"))?;
        if share >= Share::Hash {
            write!(f, ", up to {}", counted(counts.urls, "URL", "URLs"))?;
        }
        if share == Share::Hash {
            f.write_str(" by SHA-256")?;
        }
        if share == Share::Submit {
            let submissions = counted(counts.submissions, "submission", "submissions");
            write!(f, ", up to {submissions}")?;
        }
        let (least, most) = (counts.least(&self.budget), counts.most(&self.budget));
        let requests = counted(most, "request", "requests");
        let done_at = |requests| self.zone.time(self.budget.finish_ms(requests));
        let latest = done_at(most);
        if least == most {
            return writeln!(f, ": {requests}, done at {latest}");
        }
        let earliest = done_at(least);
        writeln!(
            f,
            ": {least} to {requests}, done between {earliest} and {latest}"
        )
    }

    fn write_shortened_urls(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Estimate {
            redacted,
            sensitive,
            ..
        } = &self.estimate;
        for (logged, sent) in redacted.iter().take(URLS_SHOWN) {
            let (logged, sent) = (visible(logged), visible(sent));
            writeln!(f, "{logged} is sent as {sent}")?;
        }
        if let Some(more) = not_shown(redacted.len()) {
            writeln!(f, "{more} are sent without user, password and fragment")?;
        }
        for (url, reasons) in sensitive.iter().take(URLS_SHOWN) {
            let (url, reasons) = (visible(url), reasons.join(", "));
            let reasons = visible(&reasons);
            writeln!(
                f,
                "{url} is never sent in full: possible secret ({reasons})"
            )?;
        }
        if let Some(more) = not_shown(sensitive.len()) {
            writeln!(f, "{more} are never sent in full: possible secrets")?;
        }
        Ok(())
    }
}

fn request_line(request: &EstimatedRequest) -> String {
    let line = match &request.step {
        LookupStep::Ask(question, _) => format!("GET /api/v3{}", question.path()),
        LookupStep::Submit(url) => format!("POST /api/v3/urls url={url}"),
    };
    match request.step.tier() {
        Tier::Host => format!("{line}\n"),
        Tier::Url => {
            let url = visible(&request.indicator);
            format!("{line}  ({url}, if its host's report does not settle it)\n")
        }
        Tier::Submission => format!("{line}  (if VirusTotal has no report on it)\n"),
    }
}

/// URLs of one kind that are printed; the others are counted.
const URLS_SHOWN: usize = 20;

/// The URLs of one kind that are not printed, if there are any.
fn not_shown(urls: usize) -> Option<String> {
    let more = urls.saturating_sub(URLS_SHOWN) as u64;
    (more > 0).then(|| counted(more, "more URL", "more URLs"))
}

impl fmt::Display for DryRun<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Estimate {
            indicators,
            skipped,
            answered,
            counts,
            ..
        } = &self.estimate;
        let open = indicators - answered - skipped.values().sum::<u64>();
        let indicators = counted(*indicators, "indicator", "indicators");
        writeln!(
            f,
            "{indicators}: {open} to look up, {answered} answered by the store"
        )?;
        for (reason, count) in skipped {
            writeln!(f, "  {count} not looked up: {}", visible(reason))?;
        }
        for (share, counts) in counts {
            self.write_counts(f, *share, counts)?;
        }
        self.write_shortened_urls(f)?;
        let limits = &self.budget.limits;
        writeln!(
            f,
            "With at most {} and {} requests a day. Nothing was sent.",
            limits.rate, limits.per_day
        )
    }
}
