//! Prints a dry run: what would be sent, in which order, and how long it would take.

use std::fmt::{self, Write as _};

use crate::cli::progress::clock_time;
use crate::output::visible;
use crate::triage::Share;
use crate::triage::estimate::{Budget, Estimate, EstimatedRequest, RequestCounts};
use crate::triage::lookup::{LookupStep, Tier};

/// An estimate as it is printed.
pub(super) struct DryRun {
    pub(super) estimate: Estimate,
    /// The chosen value of `--share`.
    pub(super) share: Share,
    pub(super) budget: Budget,
}

impl DryRun {
    /// The requests as VirusTotal would see them, in their order, a line each.
    pub(super) fn requests(&self) -> String {
        self.estimate.requests.iter().map(request_line).collect()
    }

    fn range(&self, counts: &RequestCounts) -> String {
        let (least, most) = (counts.least(&self.budget), counts.most(&self.budget));
        let done_by = |requests| clock_time(self.budget.finish_ms(requests));
        format!(
            "{least} to {most} requests, done between {} and {}",
            done_by(least),
            done_by(most)
        )
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

fn parts(share: Share, counts: &RequestCounts) -> String {
    let mut parts = format!("{} hosts", counts.hosts);
    // Writing to a String cannot fail.
    let _ = match share {
        Share::Host => Ok(()),
        Share::Hash => write!(parts, ", up to {} URLs by SHA-256", counts.urls),
        Share::Url | Share::Submit => write!(parts, ", up to {} URLs themselves", counts.urls),
    };
    if share == Share::Submit {
        let _ = write!(parts, ", up to {} handed in", counts.submissions);
    }
    parts
}

/// For people.
impl fmt::Display for DryRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Estimate {
            indicators,
            skipped,
            answered,
            counts,
            sensitive,
            redacted,
            ..
        } = &self.estimate;
        let open = indicators - answered - skipped.values().sum::<u64>();
        writeln!(
            f,
            "{indicators} indicators: {open} to be asked, {answered} answered by the store"
        )?;
        for (reason, count) in skipped {
            writeln!(f, "  {count} not asked: {}", visible(reason))?;
        }
        for (share, counts) in counts {
            let mark = if *share == self.share { "*" } else { " " };
            let (parts, range) = (parts(*share, counts), self.range(counts));
            writeln!(f, "{mark} --share {share}: {parts}: {range}")?;
        }
        for (written, left) in redacted.iter().take(URLS_SHOWN) {
            writeln!(
                f,
                "of {} no more than {} is sent",
                visible(written),
                visible(left)
            )?;
        }
        if let Some(more) = redacted.len().checked_sub(URLS_SHOWN + 1) {
            writeln!(f, "and {} more URLs without user or fragment", more + 1)?;
        }
        for (url, reasons) in sensitive.iter().take(URLS_SHOWN) {
            let reasons = reasons.join(", ");
            writeln!(
                f,
                "never shown or handed in, for what may be a secret: {} ({})",
                visible(url),
                visible(&reasons)
            )?;
        }
        if let Some(more) = sensitive.len().checked_sub(URLS_SHOWN + 1) {
            writeln!(f, "and {} more URLs with what may be a secret", more + 1)?;
        }
        writeln!(
            f,
            "At {}, {} a day. Nothing was sent.",
            self.budget.limits.rate, self.budget.limits.per_day
        )
    }
}

/// URLs that are named one by one, of those with secrets and of those that are cut.
const URLS_SHOWN: usize = 20;
