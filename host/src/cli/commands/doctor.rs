//! `vthost doctor`: whether everything a run needs is there, and what to mend.

use std::fmt::Display;

use crate::cli::args::DoctorArgs;
use crate::cli::exit::ExitStatus;
use crate::cli::pins::Pins;
use crate::cli::printer::Printer;
use crate::cli::progress::clock_time;
use crate::cli::settings::{self, Environment};
use crate::clock::{Clock as _, SystemClock};
use crate::output::visible;
use crate::plugin::{Engine, PluginKind, builtin};
use crate::quota::{Slot, next_slot};
use crate::store::Store;
use crate::triage::run::reconcile;
use crate::virustotal::{ApiKey, Client, Fault};

/// VirusTotal's clock and ours may differ by this much before it is said.
const CLOCK_TOLERANCE_S: i64 = 30;

pub(in crate::cli) fn run(
    args: &DoctorArgs,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<ExitStatus> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut doctor = Doctor {
        printer,
        is_ill: false,
    };
    doctor.proxy(args, environment);
    let key = doctor.key(args, environment);
    let store = doctor.store(args, environment);
    let is_answering = match &key {
        Some(key) => doctor.virustotal(args, key, &runtime),
        None => None,
    };
    if let (Some(key), Some(store)) = (&key, &store) {
        doctor.quota(args, key, store, is_answering.as_ref(), &runtime)?;
    }
    doctor.plugins(environment);
    printer.data(match doctor.is_ill {
        false => b"All is well.\n".as_slice(),
        true => b"Mend what is marked `no`, and ask again.\n",
    })?;
    Ok(if doctor.is_ill {
        ExitStatus::CouldNotRun
    } else {
        ExitStatus::Done
    })
}

struct Doctor<'a> {
    printer: &'a Printer,
    is_ill: bool,
}

impl Doctor<'_> {
    fn well(&self, what: &str, words: impl Display) {
        self.line("ok", what, words);
    }

    fn ill(&mut self, what: &str, words: impl Display) {
        self.is_ill = true;
        self.line("no", what, words);
    }

    fn line(&self, mark: &str, what: &str, words: impl Display) {
        let line = format!("{mark}  {what}: {words}");
        // Whoever reads no more needs no more.
        let _ = self
            .printer
            .data(format!("{}\n", visible(&line)).as_bytes());
    }

    fn proxy(&self, args: &DoctorArgs, environment: &Environment) {
        match (&args.limits.proxy, environment.proxy_variables()) {
            (Some(proxy), _) => self.well("proxy", format_args!("{proxy}, from --proxy")),
            (None, names) if names.is_empty() => self.well("proxy", "none is set"),
            (None, names) => self.well("proxy", format_args!("from {}", names.join(", "))),
        }
    }

    fn key(&mut self, args: &DoctorArgs, environment: &Environment) -> Option<ApiKey> {
        match environment.key(&args.limits) {
            Ok(key) => {
                self.well("key", format_args!("fingerprint {}", key.fingerprint()));
                Some(key)
            }
            Err(error) => {
                self.ill("key", format_args!("{error:#}"));
                None
            }
        }
    }

    fn store(&mut self, args: &DoctorArgs, environment: &Environment) -> Option<Store> {
        let held = environment.store(args.store.as_ref()).and_then(|store| {
            let answers: u32 = store.held()?.iter().map(|held| held.count).sum();
            Ok((store, answers))
        });
        match held {
            Ok((store, answers)) => {
                self.well("store", format_args!("{answers} answers"));
                Some(store)
            }
            Err(error) => {
                self.ill("store", format_args!("{error:#}"));
                None
            }
        }
    }

    /// Asks for an analysis that cannot be: free of charge, and answered only
    /// to a good key. Gives the client when it was.
    fn virustotal(
        &mut self,
        args: &DoctorArgs,
        key: &ApiKey,
        runtime: &tokio::runtime::Runtime,
    ) -> Option<Client> {
        let client = match settings::client(&args.limits, key) {
            Ok(client) => client,
            Err(error) => {
                self.ill("VirusTotal", format_args!("{error:#}"));
                return None;
            }
        };
        let server_s = match runtime.block_on(client.check()) {
            Ok(server_s) => server_s,
            Err(fault) => {
                let advice = match &fault {
                    Fault::WrongKey(_) => "; check VT_API_KEY, --api-key-file or ~/.vt.toml",
                    Fault::NotVirusTotal { .. } => {
                        "; check --proxy, HTTPS_PROXY and the proxy's rules"
                    }
                    Fault::Network(_) => {
                        "; check the network, --proxy, and --ca-file where a proxy opens TLS"
                    }
                    _ => "",
                };
                self.ill("VirusTotal", format_args!("{fault}{advice}"));
                return None;
            }
        };
        self.well(
            "VirusTotal",
            format_args!("{} answers and takes the key", args.limits.vt_url),
        );
        let ours_s = SystemClock.now_ms().div_euclid(1000);
        match server_s.map(|server_s| ours_s - server_s) {
            None => self.well("clock", "VirusTotal's answer has no time to compare with"),
            Some(ahead) if ahead.abs() <= CLOCK_TOLERANCE_S => {
                self.well("clock", format_args!("{ahead} s ahead of VirusTotal's"));
            }
            Some(ahead) => self.ill(
                "clock",
                format_args!(
                    "{ahead} s ahead of VirusTotal's; the quota's day ends by its clock: set this machine's"
                ),
            ),
        }
        Some(client)
    }

    fn quota(
        &mut self,
        args: &DoctorArgs,
        key: &ApiKey,
        store: &Store,
        client: Option<&Client>,
        runtime: &tokio::runtime::Runtime,
    ) -> anyhow::Result<()> {
        let account = key.fingerprint();
        let now = store.clock().now_ms();
        if let (Some(user), Some(client)) = (&args.limits.vt_user, client)
            && let Err(fault) = runtime.block_on(reconcile(client, user, store, &account, now))?
        {
            self.ill("quota", format_args!("VirusTotal does not say: {fault}"));
        }
        let limits = settings::limits(&args.limits, &store.allowed(&account)?);
        let usage = store.usage(&account, &limits, now)?;
        let used = format!(
            "{} of {} used today, {} of {} this month",
            usage.today, limits.per_day, usage.this_month, limits.per_month
        );
        match next_slot(&usage, now, &limits) {
            Slot::Now | Slot::At(_) => self.well("quota", used),
            Slot::DaySpent { resumes_ms } | Slot::MonthSpent { resumes_ms } => self.ill(
                "quota",
                format_args!("{used}; it goes on at {}", clock_time(resumes_ms)),
            ),
        }
        Ok(())
    }

    fn plugins(&mut self, environment: &Environment) {
        let loaded = environment.engine().and_then(|engine| load_all(&engine));
        match loaded {
            Ok(count) => self.well("plugins", format_args!("{count} built-in ones load")),
            Err(error) => self.ill("plugins", format_args!("{error:#}")),
        }
    }
}

fn load_all(engine: &Engine) -> anyhow::Result<usize> {
    settings::parsers(engine, "auto", &[], &Pins::default())?;
    for name in builtin::names(PluginKind::Policy) {
        super::plugin::describe_builtin(engine, PluginKind::Policy, name)?;
    }
    Ok(builtin::all().len())
}
