//! `vthost doctor`: checks what a run needs.

use std::fmt::Display;

use tokio::runtime::Runtime;

use super::request_runtime;
use crate::cli::exit::ExitStatus;
use crate::cli::printer::Printer;
use crate::cli::settings::{AccountSettings, AccountTask, Environment, parsers};
use crate::output::{counted, visible};
use crate::pipeline::Account;
use crate::plugin::{Engine, PluginKind, builtin};
use crate::quota::{Slot, next_slot};
use crate::store::Store;
use crate::virustotal::{ApiKey, Client, Fault};

/// The accepted difference between VirusTotal's clock and this machine's.
const CLOCK_TOLERANCE_S: i64 = 30;

pub(in crate::cli) fn run(
    settings: &AccountTask,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let runtime = request_runtime()?;
    let mut doctor = Doctor {
        account: &settings.account,
        environment,
        printer,
        runtime: &runtime,
        has_failed: false,
    };
    doctor.check_proxy();
    let key = doctor.check_key();
    let store = doctor.check_store(settings);
    let client = key.as_ref().and_then(|key| doctor.check_virustotal(key));
    if let (Some(key), Some(store)) = (&key, &store) {
        doctor.check_quota(key, store, client.as_ref())?;
    }
    doctor.check_plugins();
    let (status, last_line) = if doctor.has_failed {
        let line = "Fix the failed checks and run `vthost doctor` again.\n";
        (ExitStatus::CouldNotRun, line)
    } else {
        (ExitStatus::Done, "All checks passed.\n")
    };
    printer.data(last_line.as_bytes())?;
    Ok(status)
}

struct Doctor<'a> {
    account: &'a AccountSettings,
    environment: &'a Environment,
    printer: &'a Printer,
    runtime: &'a Runtime,
    has_failed: bool,
}

impl Doctor<'_> {
    fn passed(&self, check: &str, detail: impl Display) {
        self.line("ok", check, detail);
    }

    fn failed(&mut self, check: &str, detail: impl Display) {
        self.has_failed = true;
        self.line("no", check, detail);
    }

    fn line(&self, mark: &str, check: &str, detail: impl Display) {
        let line = format!("{mark}  {check}: {detail}");
        // If standard output is closed, the exit status still reports the result.
        let _ = self
            .printer
            .data(format!("{}\n", visible(&line)).as_bytes());
    }

    fn check_proxy(&self) {
        let names = self.environment.proxy_variables();
        match &self.account.proxy {
            Some(proxy) => self.passed("proxy", format_args!("{proxy}, from --proxy")),
            None if names.is_empty() => self.passed("proxy", "none"),
            None => self.passed("proxy", format_args!("from {}", names.join(", "))),
        }
    }

    fn check_key(&mut self) -> Option<ApiKey> {
        match self.environment.key(self.account) {
            Ok(key) => {
                self.passed("key", format_args!("fingerprint {}", key.fingerprint()));
                Some(key)
            }
            Err(error) => {
                self.failed("key", format_args!("{error:#}"));
                None
            }
        }
    }

    fn check_store(&mut self, settings: &AccountTask) -> Option<Store> {
        let opened = self.environment.store(settings.store.as_ref());
        let opened = opened.and_then(|store| {
            let answers: u32 = store.answer_stats()?.iter().map(|held| held.count).sum();
            Ok((store, answers))
        });
        match opened {
            Ok((store, answers)) => {
                self.passed("store", counted(answers.into(), "answer", "answers"));
                Some(store)
            }
            Err(error) => {
                self.failed("store", format_args!("{error:#}"));
                None
            }
        }
    }

    /// Asks VirusTotal for an analysis that does not exist: that is free of charge, and answered
    /// only if the key is valid. Returns the client if it was answered.
    fn check_virustotal(&mut self, key: &ApiKey) -> Option<Client> {
        let client = match self.account.client(key) {
            Ok(client) => client,
            Err(error) => {
                self.failed("VirusTotal", format_args!("{error:#}"));
                return None;
            }
        };
        match self.runtime.block_on(client.check()) {
            Ok(server_s) => {
                let url = &self.account.transport.base;
                self.passed("VirusTotal", format_args!("{url} accepts the key"));
                self.check_clock(server_s);
                Some(client)
            }
            Err(fault) => {
                self.failed("VirusTotal", format_args!("{fault}{}", advice_on(&fault)));
                None
            }
        }
    }

    fn check_clock(&mut self, server_s: Option<i64>) {
        let Some(server_s) = server_s else {
            self.passed("clock", "not compared: VirusTotal's answer has no date");
            return;
        };
        let ahead_s = self.environment.clock().now_ms().div_euclid(1000) - server_s;
        if ahead_s.abs() <= CLOCK_TOLERANCE_S {
            self.passed("clock", format_args!("{ahead_s} s ahead of VirusTotal's"));
        } else {
            self.failed(
                "clock",
                format_args!(
                    "{ahead_s} s ahead of VirusTotal's, by which the quota's day ends; set this machine's clock"
                ),
            );
        }
    }

    fn check_quota(
        &mut self,
        key: &ApiKey,
        store: &Store,
        client: Option<&Client>,
    ) -> anyhow::Result<()> {
        let id = key.fingerprint();
        let now = store.clock().now_ms();
        if let Some(client) = client {
            let account: Account<'_> = self.account.account(client, &id);
            if let Err(fault) = self.runtime.block_on(account.reconcile(store, now))? {
                self.failed(
                    "quota",
                    format_args!("VirusTotal does not report it: {fault}"),
                );
            }
        }
        let limits = self.account.quota.limits(&store.account_quota(&id)?);
        let usage = store.usage(&id, &limits, now)?;
        let used = format!(
            "{} of {} used today, {} of {} this month",
            usage.today, limits.per_day, usage.this_month, limits.per_month
        );
        match next_slot(&usage, now, &limits) {
            Slot::Now | Slot::At(_) => self.passed("quota", used),
            Slot::DaySpent { resumes_ms } | Slot::MonthSpent { resumes_ms } => self.failed(
                "quota",
                format_args!(
                    "{used}; the next request is possible at {}",
                    self.environment.time(resumes_ms)
                ),
            ),
        }
        Ok(())
    }

    fn check_plugins(&mut self) {
        let loaded = self
            .environment
            .engine()
            .and_then(|engine| load_built_in_plugins(&engine, self.environment));
        match loaded {
            Ok(count) => self.passed("plugins", format_args!("all {count} built-in plugins load")),
            Err(error) => self.failed("plugins", format_args!("{error:#}")),
        }
    }
}

/// What the user can do about a fault, as the end of a line.
fn advice_on(fault: &Fault) -> &'static str {
    match fault {
        Fault::WrongKey(_) => "; check VT_API_KEY, --api-key-file or ~/.vt.toml",
        Fault::NotVirusTotal { .. } => "; check --proxy, HTTPS_PROXY and the proxy's rules",
        Fault::Network(_) => {
            "; check the network and --proxy, and --ca-file if a proxy intercepts TLS"
        }
        _ => "",
    }
}

/// Loads every built-in plugin and returns their number.
fn load_built_in_plugins(engine: &Engine, environment: &Environment) -> anyhow::Result<usize> {
    parsers(engine, "auto", &[], &environment.pins()?)?;
    for name in builtin::names(PluginKind::Policy) {
        super::plugin::describe_builtin(engine, PluginKind::Policy, name)?;
    }
    Ok(builtin::all().len())
}
