//! `vthost demo`: the triage of bundled logs against a simulated VirusTotal.
//!
//! It needs no key and no network. Everything else is real: the components, HTTP on loopback, the
//! quota in a short window, the files.

use std::path::Path;

use anyhow::Context as _;
use vthost_simulator::{DEMO_KEY, Known, Options, QuotaLimits, Server, Simulator, Stats};

use super::triage::Job;
use crate::cli::exit::ExitStatus;
use crate::cli::printer::Printer;
use crate::cli::settings::{DemoSettings, Environment};
use crate::clock::{Clock as _, SystemClock};
use crate::store::Store;
use crate::virustotal::ApiKey;

/// The bundled logs: names and content.
const LOGS: [(&str, &str); 2] = [
    (
        "access.log",
        include_str!("../../../../tests/logs/demo/access.log"),
    ),
    (
        "indicators.txt",
        include_str!("../../../../tests/logs/demo/indicators.txt"),
    ),
];

/// Four requests in two seconds instead of a minute, so that the demo ends soon.
const RATE: &str = "4/2s";
const WINDOW_MS: i64 = 2_000;

pub(in crate::cli) fn run(
    settings: &DemoSettings,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let logs = if settings.logs.is_empty() {
        let bundled = settings.out.join("logs");
        write_logs(&bundled)?;
        vec![bundled]
    } else {
        settings.logs.clone()
    };
    let shown: Vec<String> = logs.iter().map(|log| log.display().to_string()).collect();
    let now_s = SystemClock.now_ms().div_euclid(1000);
    let server = Server::start(simulator(now_s), 0, || SystemClock.now_ms())
        .context("cannot start the simulated VirusTotal")?;
    let url = server.url();
    printer.say(&format!(
        "The simulated VirusTotal listens on {url}; nothing leaves this machine.\n\
         It reports hosts with `evil` or `malware` in their name as bad; one engine reports mail.example.com.\n\
         Running: vthost --rate {RATE} --out {} {}\n\n",
        settings.out.display(),
        shown.join(" "),
    ));
    let triage = settings.triage(&logs, &url, RATE, environment)?;
    let store = Store::in_memory()?;
    let job = Job {
        settings: &triage,
        environment,
        printer,
        store: &store,
        clock: environment.clock(),
    };
    let status = job.run(Some(&ApiKey::new(DEMO_KEY, "the demo")?))?;
    printer.say(&next_steps(&settings.out));
    Ok(status)
}

fn write_logs(directory: &Path) -> anyhow::Result<()> {
    let write = || {
        std::fs::create_dir_all(directory)?;
        LOGS.iter()
            .try_for_each(|(name, text)| std::fs::write(directory.join(name), text))
    };
    write().with_context(|| format!("cannot write the logs to `{}`", directory.display()))
}

/// Times of the demo's reports before now, in seconds: it shows rules about the age of a report.
const ANALYSED_AGO_S: i64 = 3 * 86_400;

fn simulator(now_s: i64) -> Simulator {
    let mut simulator = Simulator::new(Options {
        limits: QuotaLimits {
            window_ms: WINDOW_MS,
            ..QuotaLimits::default()
        },
        ..Options::default()
    });
    // A false positive of one engine, which the policy `threshold` is made for.
    let one = Stats {
        harmless: 69,
        malicious: 1,
        ..Stats::CLEAN
    };
    simulator.set_analysed(now_s - ANALYSED_AGO_S);
    simulator.know_as(
        "mail.example.com",
        Known {
            stats: Some(one),
            analysed_s: now_s - ANALYSED_AGO_S,
        },
    );
    simulator
}

fn next_steps(out: &Path) -> String {
    let out = out.display();
    format!(
        "\nBad indicators:  cat {out}/bad-domain.txt\n\
         Their clients:   grep '\"verdict\":\"bad\"' {out}/results.jsonl\n\
         Another policy:  vthost demo --policy threshold --policy-config min_engines=3\n\
         Your own logs:   VT_API_KEY=… vthost --dry-run /var/log/squid   (prints the requests, sends nothing)\n\
         \x20                VT_API_KEY=… vthost --out results /var/log/squid"
    )
}
