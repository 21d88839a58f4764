//! The settings of the triage, of `judge`, and of `demo`, which is a triage of bundled logs.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::bail;
use clap::Parser as _;

use super::account::{AccountSettings, duration};
use super::case::Case;
use super::command_line::{command_line, evidence_command, settings};
use super::environment::Environment;
use super::plugins::PolicySettings;
use super::read::ReadSettings;
use crate::cli::args::{
    Arguments, DemoArgs, FailOn, JudgeArgs, MaxAge, PolicyArgs, StoreArgs, TriageArgs,
};
use crate::clock::UnixMs;
use crate::indicator::scope::InternalSuffixes;
use crate::output::OutputSettings;
use crate::store::Location;
use crate::triage::lookup::FreshSince;
use crate::triage::outcome::WhenSpent;
use crate::triage::{LookupPlan, Rescan, Share};

/// The settings of a triage.
pub(in crate::cli) struct TriageSettings {
    /// The logs.
    pub(in crate::cli) read: ReadSettings,
    /// The policies.
    pub(in crate::cli) policies: PolicySettings,
    /// The store, and what may be sent.
    pub(in crate::cli) lookup: LookupSettings,
    /// The account.
    pub(in crate::cli) account: AccountSettings,
    /// The outputs.
    pub(in crate::cli) outputs: OutputSettings,
    /// What the results depend on.
    pub(in crate::cli) case: Case,
    /// The delay before the first poll of an analysis.
    pub(in crate::cli) first_poll: Duration,
    /// What to do when the quota is spent.
    pub(in crate::cli) when_spent: WhenSpent,
    /// Whether to print the requests instead of sending them.
    pub(in crate::cli) is_dry_run: bool,
    /// Whether a bad indicator makes the exit status 1.
    pub(in crate::cli) fail_on_bad: bool,
    /// The command that resumes the run, for a shell; without passwords.
    pub(in crate::cli) resume_command: String,
    /// The command that prints the log lines of what is bad.
    pub(in crate::cli) evidence_command: String,
    /// The options with their values; without passwords.
    pub(in crate::cli) options: Vec<(String, String)>,
}

/// The store, and what may be looked up.
pub(in crate::cli) struct LookupSettings {
    /// The location of the store, if one is named.
    pub(in crate::cli) store: Option<Location>,
    /// The organisation's domains, which are never sent.
    pub(in crate::cli) internal: InternalSuffixes,
    share: Share,
    rescan: Rescan,
    max_age: MaxAge,
}

impl LookupSettings {
    pub(super) fn new(args: StoreArgs, rescan: Rescan) -> Self {
        Self {
            store: args.store,
            internal: InternalSuffixes::new(&args.internal_suffix),
            share: args.share,
            rescan,
            max_age: args.max_age,
        }
    }

    /// What may be asked of VirusTotal at this time.
    pub(in crate::cli) fn plan(&self, now: UnixMs) -> LookupPlan {
        LookupPlan {
            share: self.share,
            rescan: self.rescan,
            fresh_since: FreshSince {
                bad_ms: now.saturating_sub(self.max_age.bad_ms),
                good_ms: now.saturating_sub(self.max_age.good_ms),
                unknown_ms: now.saturating_sub(self.max_age.unknown_ms),
            },
        }
    }
}

impl TriageSettings {
    pub(super) fn new(args: TriageArgs, now_ms: UnixMs) -> anyhow::Result<Self> {
        if args.rescan && args.store.share != Share::Submit {
            bail!("--rescan submits indicators, so it needs --share submit");
        }
        let options = settings(&args);
        Ok(Self {
            resume_command: command_line(&args),
            evidence_command: evidence_command(&args),
            case: Case::new(&args.read.inputs, &options, args.output.force),
            options,
            read: ReadSettings::new(args.read, now_ms)?,
            policies: PolicySettings::new(args.policy),
            lookup: LookupSettings::new(
                args.store,
                if args.rescan { Rescan::Yes } else { Rescan::No },
            ),
            account: AccountSettings::new(args.account),
            outputs: OutputSettings {
                directory: args.output.out,
                language: args.output.lang,
            },
            first_poll: duration(args.poll_after),
            when_spent: if args.wait {
                WhenSpent::Wait
            } else {
                WhenSpent::End
            },
            is_dry_run: args.dry_run,
            fail_on_bad: args.fail_on == Some(FailOn::Bad),
        })
    }
}

/// The settings of `vthost judge`.
pub(in crate::cli) struct JudgeSettings {
    /// What is judged.
    pub(in crate::cli) subject: JudgeSubject,
    /// The policies.
    pub(in crate::cli) policies: PolicySettings,
    /// The store, and the age of reports.
    pub(in crate::cli) lookup: LookupSettings,
    /// The outputs.
    pub(in crate::cli) outputs: OutputSettings,
    /// What the results depend on.
    pub(in crate::cli) case: Case,
}

/// The indicators that `vthost judge` judges.
pub(in crate::cli) enum JudgeSubject {
    /// All indicators in the store.
    Store,
    /// The indicators in logs.
    Logs(ReadSettings),
    /// The indicators of an earlier run, by its `results.jsonl`.
    Results(PathBuf),
}

impl JudgeSettings {
    pub(super) fn new(args: JudgeArgs, now_ms: UnixMs) -> Self {
        let case = judge_case(&args);
        let subject = match args.results {
            Some(results) => JudgeSubject::Results(results),
            None if args.inputs.is_empty() => JudgeSubject::Store,
            None => JudgeSubject::Logs(ReadSettings::with_defaults(
                args.inputs,
                args.parser,
                now_ms,
            )),
        };
        Self {
            subject,
            policies: PolicySettings::new(args.policy),
            lookup: LookupSettings::new(args.store, Rescan::No),
            outputs: OutputSettings {
                directory: args.output.out,
                language: args.output.lang,
            },
            case,
        }
    }
}

fn judge_case(args: &JudgeArgs) -> Case {
    let judged = match (&args.results, args.inputs.is_empty()) {
        (Some(results), _) => format!("results {}", results.display()),
        (None, true) => "the store".to_owned(),
        (None, false) => "logs".to_owned(),
    };
    let named = |name: &str, values: &[String]| -> Vec<(String, String)> {
        let values = values.iter();
        values
            .map(|value| (name.to_owned(), value.clone()))
            .collect()
    };
    let mut case = Case::new(
        &args.inputs,
        &[
            named("--parser", std::slice::from_ref(&args.parser)),
            named("--policy", &args.policy.policy),
            named("--policy-config", &args.policy.policy_config),
            named("--internal-suffix", &args.store.internal_suffix),
        ]
        .concat(),
        args.output.force,
    );
    case.facts.insert(0, ("judged".to_owned(), judged));
    case
}

/// The settings of `vthost demo`.
pub(in crate::cli) struct DemoSettings {
    /// The folder for the logs and the results.
    pub(in crate::cli) out: PathBuf,
    /// The user's logs; none for the bundled ones.
    pub(in crate::cli) logs: Vec<PathBuf>,
    policy: PolicyArgs,
}

impl DemoSettings {
    pub(super) fn new(args: DemoArgs) -> Self {
        Self {
            out: args.out,
            logs: args.logs,
            policy: args.policy,
        }
    }

    /// The settings that a user would have typed for the triage of `logs` against a simulated
    /// VirusTotal.
    pub(in crate::cli) fn triage(
        &self,
        logs: &[PathBuf],
        vt_url: &str,
        rate: &str,
        environment: &Environment,
    ) -> anyhow::Result<TriageSettings> {
        let out = self.out.display().to_string();
        let logs: Vec<String> = logs.iter().map(|log| log.display().to_string()).collect();
        let mut line = vec!["vthost", "--rate", rate, "--vt-url", vt_url, "--out", &out];
        for policy in &self.policy.policy {
            line.extend(["--policy", policy]);
        }
        for setting in &self.policy.policy_config {
            line.extend(["--policy-config", setting]);
        }
        line.push("--");
        line.extend(logs.iter().map(String::as_str));
        let arguments = Arguments::try_parse_from(line)?;
        let triage = TriageSettings::new(arguments.triage, environment.clock().now_ms())?;
        Ok(TriageSettings {
            case: triage.case.of_inputs(),
            ..triage
        })
    }
}
