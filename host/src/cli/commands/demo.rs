//! `vthost demo`: the main job on bundled logs against a simulated VirusTotal.
//! No key, no network, and all the rest as it really is: the components, HTTP
//! on loopback, the quota in a short window, the files.

use std::path::Path;

use anyhow::Context as _;
use clap::Parser as _;
use vthost_simulator::{DEMO_KEY, Options, QuotaLimits, Server, Simulator, Stats};

use super::triage::Job;
use crate::cli::args::{Arguments, DemoArgs};
use crate::cli::exit::ExitStatus;
use crate::cli::printer::Printer;
use crate::cli::settings::{self, Environment};
use crate::clock::{Clock as _, SystemClock};
use crate::store::Store;
use crate::virustotal::ApiKey;

/// The bundled logs.
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

/// Four requests in two seconds instead of a minute: the same limiter, and a
/// demonstration that ends.
const RATE: &str = "4/2s";
const WINDOW_MS: i64 = 2_000;

pub(in crate::cli) fn run(
    args: &DemoArgs,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let logs = args.out.join("logs");
    write_logs(&logs)?;
    let server = Server::start(simulator(), 0, || SystemClock.now_ms())
        .context("cannot start the simulated VirusTotal")?;
    printer.say(&format!(
        "A simulated VirusTotal listens on {}; nothing leaves this machine.\nIt calls hosts with `evil` or `malware` in their names bad; of mail.example.com a single engine does.\nRunning: vthost --rate {RATE} --out {} {}\n",
        server.url(),
        args.out.display(),
        logs.display(),
    ));
    let triage = arguments(args, &logs, &server.url())?;
    let now = SystemClock.now_ms();
    let store = Store::in_memory()?;
    let job = Job {
        args: &triage.triage,
        environment,
        printer,
        lookup: settings::lookup(&triage.triage, now)?,
        now,
        store: &store,
        clock: &SystemClock,
    };
    let status = job.run(Some(&ApiKey::new(DEMO_KEY, "the demo")?))?;
    printer.say(&next_steps(args));
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

fn simulator() -> Simulator {
    let mut simulator = Simulator::new(Options {
        limits: QuotaLimits {
            window_ms: WINDOW_MS,
            ..QuotaLimits::default()
        },
        ..Options::default()
    });
    // One engine that is wrong: what the policy `threshold` is for.
    let one = Stats {
        harmless: 69,
        malicious: 1,
        ..Stats::CLEAN
    };
    simulator.know("mail.example.com", one);
    simulator
}

/// The arguments that a user would have typed.
fn arguments(args: &DemoArgs, logs: &Path, url: &str) -> anyhow::Result<Arguments> {
    let out = args.out.display().to_string();
    let logs = logs.display().to_string();
    let mut line = vec!["vthost", "--rate", RATE, "--vt-url", url, "--out", &out];
    for policy in &args.policy.policy {
        line.extend(["--policy", policy]);
    }
    for setting in &args.policy.policy_config {
        line.extend(["--policy-config", setting]);
    }
    line.extend(["--", &logs]);
    Ok(Arguments::try_parse_from(line)?)
}

fn next_steps(args: &DemoArgs) -> String {
    let out = args.out.display();
    format!(
        "\nLook at it:      cat {out}/bad-domain.txt\n\
         Who was it:      grep '\"verdict\":\"bad\"' {out}/results.jsonl\n\
         Another policy:  vthost demo --policy threshold --policy-config min_engines=3\n\
         Your own logs:   VT_API_KEY=… vthost --dry-run /var/log/squid   (shows what would be sent)\n\
         \x20                VT_API_KEY=… vthost --out results /var/log/squid"
    )
}
