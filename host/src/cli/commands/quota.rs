//! `vthost quota`: what is left.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use crate::cli::args::QuotaArgs;
use crate::cli::exit::ExitStatus;
use crate::cli::printer::Printer;
use crate::cli::progress::clock_time;
use crate::cli::settings::{self, Environment};
use crate::clock::{Clock as _, SystemClock};
use crate::quota::{self, Slot, next_slot};
use crate::virustotal::{Client, ReqwestTransport, TransportOptions};

pub(in crate::cli) fn run(
    args: &QuotaArgs,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let key = environment.key(&args.limits)?;
    let store = environment.store(args.store.as_ref())?;
    let limits = settings::limits(&args.limits);
    let now = SystemClock.now_ms();
    let usage = store.usage(&key.fingerprint(), &limits, now)?;
    let next = match next_slot(&usage, now, &limits) {
        Slot::Now => "now".to_owned(),
        Slot::At(at) | Slot::DaySpent { resumes_ms: at } | Slot::MonthSpent { resumes_ms: at } => {
            clock_time(at)
        }
    };
    let mut text = String::new();
    let left = |limit: u32, used: u32| limit.saturating_sub(used);
    writeln!(text, "key {}", key.fingerprint())?;
    writeln!(
        text,
        "today: {} used, {} left, until {}",
        usage.today,
        left(limits.per_day, usage.today),
        clock_time(quota::next_day(now))
    )?;
    writeln!(
        text,
        "this month: {} used, {} left",
        usage.this_month,
        left(limits.per_month, usage.this_month)
    )?;
    writeln!(text, "next slot: {next} ({})", limits.rate)?;
    if let Some(user) = &args.user {
        let options = TransportOptions {
            base: args.limits.vt_url.clone(),
            ca_file: args.limits.ca_file.clone(),
            timeout: Duration::from_secs(60),
        };
        let client = Client::new(Arc::new(ReqwestTransport::new(&key, &options)?));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        for (name, quota) in runtime.block_on(client.overall_quotas(user))? {
            writeln!(
                text,
                "VirusTotal says {name}: {} of {} used",
                quota.used, quota.allowed
            )?;
        }
    }
    printer.data(text.as_bytes())?;
    Ok(ExitStatus::Done)
}
