//! The VirusTotal account and the connection to it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::cli::args::{AccountArgs, ProxyUrl};
use crate::pipeline::{Account, QuotaSettings};
use crate::virustotal::{ApiKey, Client, HttpVersions, ReqwestTransport, TransportOptions};

/// The VirusTotal account and the connection to it.
pub(in crate::cli) struct AccountSettings {
    /// The file with the API key, if one is named.
    pub(in crate::cli) key_file: Option<PathBuf>,
    /// The key's user name.
    pub(in crate::cli) user: Option<String>,
    /// The quota to keep to.
    pub(in crate::cli) quota: QuotaSettings,
    /// The address, the proxy and the timeout.
    pub(in crate::cli) transport: TransportOptions,
    /// The proxy of `--proxy`, without its password.
    pub(in crate::cli) proxy: Option<String>,
}

impl AccountSettings {
    pub(super) fn new(args: AccountArgs) -> Self {
        Self {
            key_file: args.api_key_file,
            user: args.vt_user,
            quota: QuotaSettings {
                rate: args.rate,
                per_day: args.per_day,
                per_month: args.per_month,
                reserve: args.reserve,
            },
            proxy: args.proxy.as_ref().map(ToString::to_string),
            transport: TransportOptions {
                base: args.vt_url,
                ca_file: args.ca_file,
                proxy: args.proxy.as_ref().map(ProxyUrl::secret).cloned(),
                http: if args.http1 {
                    HttpVersions::Http1Only
                } else {
                    HttpVersions::All
                },
                timeout: duration(args.timeout),
            },
        }
    }

    /// The connection with a key.
    pub(in crate::cli) fn client(&self, key: &ApiKey) -> anyhow::Result<Client> {
        let transport = ReqwestTransport::new(key, &self.transport)?;
        Ok(Client::new(Arc::new(transport)))
    }

    /// The account as the pipeline sees it. `id` is the key's fingerprint.
    pub(in crate::cli) fn account<'a>(&'a self, client: &'a Client, id: &'a str) -> Account<'a> {
        Account {
            client,
            id,
            user: self.user.as_deref(),
            quota: self.quota,
        }
    }
}

/// A duration of the arguments, which are never negative.
pub(super) fn duration(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}
