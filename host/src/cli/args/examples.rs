//! The examples in the help, which come first. A test runs the command lines.

/// The layout of the help: what the command does, examples, usage, options.
pub(super) const TEMPLATE: &str =
    "{about-with-newline}\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}";

pub(super) const TRIAGE: &str = "Examples:
  vthost --dry-run logs/                       # what would be sent, and how long it takes
  vthost --out results logs/                   # again: resumes; answers are stored
  vthost --share host --internal-suffix corp.example.com --out case-1 logs/
  vthost --wait --out results logs/            # goes on for days, within the quota
  vthost demo                                  # no key, no network";

pub(super) const EXTRACT: &str = "Examples:
  vthost extract logs/ > observations.jsonl
  vthost extract --unique=host logs/           # what was contacted, with counts
  vthost extract --parser squid - < access.log";

pub(super) const EVIDENCE: &str = "Examples:
  vthost evidence --results results/results.jsonl logs/
  vthost evidence --verdict unknown --results results/results.jsonl logs/";

pub(super) const JUDGE: &str = "Examples:
  vthost judge --policy threshold --policy-config min_engines=5 --out strict logs/
  vthost judge --policy threshold --results results/results.jsonl --out again";

pub(super) const REPORT: &str = "Examples:
  vthost report results                        # results/report.html
  vthost report --lang ja --out ja.html results
  vthost report --from-store --policy threshold --out all.html";

pub(super) const EXPORT: &str = "Examples:
  vthost export --format csv results > findings.csv
  vthost export --format stix --out bundle.json results
  vthost export --format squid --out bad-hosts.txt --force results";

pub(super) const AFTER_EXPORT: &str =
    "Only what is bad is in a block list or in threat intelligence, never what is unknown. What a
format cannot express is left out and listed on standard error.";

pub(super) const DEMO: &str = "Examples:
  vthost demo
  vthost demo --policy threshold --policy-config min_engines=3";

pub(super) const QUOTA: &str = "Examples:
  vthost quota
  vthost quota --vt-user me                    # VirusTotal's own count, free of charge";

pub(super) const STATUS: &str = "Examples:
  vthost status
  vthost status --store case-1.sqlite";

pub(super) const DOCTOR: &str = "Examples:
  vthost doctor
  vthost doctor --proxy http://proxy.example.com:3128";

pub(super) const EXPLAIN: &str = "Examples:
  vthost explain evil.example.com
  vthost explain --policy threshold http://www.example.com/page";

pub(super) const CONFIG: &str = "Examples:
  vthost config show                           # the triage of logs
  vthost config show extract --threads 2";

pub(super) const AFTER_CONFIG: &str =
    "Values come from, the first that has one: the command line; \
the environment (VTHOST_SHARE for
--share); vthost.toml in the current folder; vthost.toml in the user's configuration folder (on
Linux ~/.config/vthost); the defaults. A file has an option on each line, in the table of a command
what is for that command only:

  share = \"host\"
  internal-suffix = [\"corp.example.com\"]
  api-key-file = \"/home/me/.vt-key\"
  [extract]
  threads = 2

Without a table, an option is for the triage of logs and for the other commands that have it; out,
force, format, results and evidence are for the triage only. An unknown option is refused. The API
key itself is never read from vthost.toml. The file in the current folder may come with somebody
else's logs: it cannot set where requests go (vt-url, proxy, ca-file, or a store on a server),
except to this machine.";
