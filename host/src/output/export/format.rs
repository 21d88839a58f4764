//! The formats by name.

use std::fmt;
use std::str::FromStr;

/// A format of `vthost export`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// All findings as a table.
    Csv,
    /// Clients and the bad indicators that they contacted, as a table.
    Affected,
    /// A STIX 2.1 bundle.
    Stix,
    /// A MISP event.
    Misp,
    /// Contacts with bad indicators as Timesketch's JSON Lines.
    Timesketch,
    /// Bad indicators as OCSF detection findings, in JSON Lines.
    Ocsf,
    /// A block list: hosts and URLs.
    Plain,
    /// A block list for Squid's `dstdomain`.
    Squid,
    /// A DNS response policy zone.
    Rpz,
    /// A hosts file.
    Hosts,
    /// A configuration file of Unbound.
    Unbound,
    /// A FortiGate threat feed of type category.
    Fortigate,
    /// A PAN-OS external dynamic list of type URL.
    Panos,
}

impl ExportFormat {
    /// All formats, each with its name and a description of a few words.
    pub const ALL: [(Self, &'static str, &'static str); 13] = [
        (Self::Csv, "csv", "all findings as a table"),
        (
            Self::Affected,
            "affected",
            "who contacted what is bad, as a table (affected.csv)",
        ),
        (Self::Stix, "stix", "a STIX 2.1 bundle of what is bad"),
        (Self::Misp, "misp", "a MISP event of what is bad"),
        (
            Self::Timesketch,
            "timesketch",
            "contacts with what is bad, for Timesketch (JSON Lines)",
        ),
        (
            Self::Ocsf,
            "ocsf",
            "OCSF 1.3 detection findings of what is bad (JSON Lines)",
        ),
        (Self::Plain, "plain", "a block list of hosts and URLs"),
        (
            Self::Squid,
            "squid",
            "a block list of names for Squid's dstdomain",
        ),
        (Self::Rpz, "rpz", "a DNS response policy zone"),
        (Self::Hosts, "hosts", "a hosts file"),
        (Self::Unbound, "unbound", "a file for Unbound's include"),
        (
            Self::Fortigate,
            "fortigate",
            "a FortiGate threat feed of type category (URLs)",
        ),
        (
            Self::Panos,
            "panos",
            "a PAN-OS external dynamic list of type URL",
        ),
    ];

    /// The name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        let mut all = Self::ALL.iter();
        all.find(|(format, ..)| *format == self)
            .map_or("", |(_, name, _)| name)
    }
}

impl fmt::Display for ExportFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ExportFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut all = Self::ALL.iter();
        all.find(|(_, name, _)| *name == text)
            .map(|(format, ..)| *format)
            .ok_or_else(|| format!("`{text}` is not a format"))
    }
}
