//! Plugins in OCI registries.
//!
//! The layout is that of the CNCF's Wasm working group
//! (<https://tag-runtime.cncf.io/wgs/wasm/deliverables/wasm-oci-artifact/>): a
//! manifest with one layer, the component, and a config that lists its imports and
//! exports. The layer's digest is the component's digest, the same `sha256:…` that
//! `vthost.toml` pins, so the registry need not be trusted.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use futures_util::TryStreamExt as _;
use oci_client::client::{ClientConfig, ClientProtocol, Config, ImageLayer};
use oci_client::errors::OciDistributionError;
use oci_client::manifest::{OciDescriptor, OciImageManifest, OciManifest};
use oci_client::secrets::RegistryAuth;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::plugin::{Survey, digest_of};

/// The media type of the layer.
const LAYER_TYPE: &str = "application/wasm";
/// The media type of the config.
const CONFIG_TYPE: &str = "application/vnd.wasm.config.v0+json";

/// The location of a plugin: `registry.example.com/team/our-policy:1.0.0`.
#[derive(Debug, Clone)]
pub struct OciReference(oci_client::Reference);

impl FromStr for OciReference {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain = text.strip_prefix("oci://").unwrap_or(text);
        let reference = plain.parse().map_err(|error| format!("{error}"))?;
        Ok(Self(reference))
    }
}

impl fmt::Display for OciReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl OciReference {
    /// The last part of the path: `our-policy`.
    #[must_use]
    pub fn name(&self) -> &str {
        let repository = self.0.repository();
        repository.rsplit('/').next().unwrap_or(repository)
    }

    /// The registry's host, with the port if it has one.
    #[must_use]
    pub fn registry(&self) -> &str {
        self.0.registry()
    }

    /// Whether the registry is on this machine and needs no TLS.
    fn is_loopback(&self) -> bool {
        let host = self.0.registry();
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
        let address = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost"
            || address
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    }
}

/// Why a plugin could not be pulled or pushed.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The registry could not be reached, or answered with an error.
    #[error("{reference}: registry request failed")]
    Request {
        /// The location.
        reference: String,
        /// The registry's answer, or the network's error.
        source: Box<OciDistributionError>,
    },
    /// The manifest does not consist of one component.
    #[error("{reference} contains {found}; a plugin is one layer of {LAYER_TYPE}")]
    NotAPlugin {
        /// The location.
        reference: String,
        /// What it contains.
        found: String,
    },
    /// The component exceeds the size limit.
    #[error("{reference} has more than {limit_bytes} bytes, which is the limit")]
    TooLarge {
        /// The location.
        reference: String,
        /// `PluginLimits::file_bytes`.
        limit_bytes: u64,
    },
    /// The component has another digest than the expected one.
    #[error("{reference} is {found}, not {expected}; nothing was written")]
    OtherDigest {
        /// The location.
        reference: String,
        /// The component's digest.
        found: String,
        /// The expected digest.
        expected: String,
    },
}

/// How to authenticate to a registry.
pub enum Login {
    /// Without credentials.
    Anonymous,
    /// With a password. It is never printed.
    Password {
        /// The user.
        user: String,
        /// The password or token.
        password: String,
    },
}

impl Login {
    /// Finds the login for a registry in Docker's `config.json`, where `docker login`
    /// stores it.
    #[must_use]
    pub fn from_docker_config(config_json: &str, registry: &str) -> Self {
        #[derive(Deserialize)]
        struct DockerConfig {
            #[serde(default)]
            auths: std::collections::BTreeMap<String, DockerAuth>,
        }
        #[derive(Deserialize)]
        struct DockerAuth {
            #[serde(default)]
            auth: String,
        }
        let config = serde_json::from_str::<DockerConfig>(config_json).ok();
        let entry = config.and_then(|mut config| config.auths.remove(registry));
        let decoded =
            entry.and_then(|entry| base64::prelude::BASE64_STANDARD.decode(entry.auth).ok());
        let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
        match text.as_deref().and_then(|text| text.split_once(':')) {
            Some((user, password)) => Self::Password {
                user: user.to_owned(),
                password: password.to_owned(),
            },
            None => Self::Anonymous,
        }
    }

    fn to_auth(&self) -> RegistryAuth {
        match self {
            Self::Anonymous => RegistryAuth::Anonymous,
            Self::Password { user, password } => {
                RegistryAuth::Basic(user.clone(), password.clone())
            }
        }
    }
}

/// Fetches a component of at most `limit_bytes`. With `expected`, only the one with
/// this digest (`sha256:…`).
///
/// # Errors
///
/// Every [`RegistryError`].
pub async fn pull(
    reference: &OciReference,
    login: &Login,
    expected: Option<&str>,
    limit_bytes: u64,
) -> Result<Vec<u8>, RegistryError> {
    let client = client(reference);
    let failed = |error| failed(reference, error);
    let pulled = client.pull_manifest(&reference.0, &login.to_auth()).await;
    let layer = only_layer(reference, pulled.map_err(failed)?.0)?;
    check_digest(reference, &layer.digest, expected)?;
    let mut stream = client
        .pull_blob_stream(&reference.0, &layer)
        .await
        .map_err(failed)?;
    let mut bytes = Vec::new();
    while let Some(part) = stream.try_next().await.map_err(|e| failed(e.into()))? {
        if (bytes.len() + part.len()) as u64 > limit_bytes {
            return Err(RegistryError::TooLarge {
                reference: reference.to_string(),
                limit_bytes,
            });
        }
        bytes.extend_from_slice(&part);
    }
    let found = format!("sha256:{}", digest_of(&bytes));
    check_digest(reference, &found, Some(&layer.digest))?;
    Ok(bytes)
}

fn only_layer(
    reference: &OciReference,
    manifest: OciManifest,
) -> Result<OciDescriptor, RegistryError> {
    let not = |found: String| RegistryError::NotAPlugin {
        reference: reference.to_string(),
        found,
    };
    let OciManifest::Image(OciImageManifest { mut layers, .. }) = manifest else {
        return Err(not("an index of several artifacts".to_owned()));
    };
    match (layers.pop(), layers.len()) {
        (Some(layer), 0) if layer.media_type == LAYER_TYPE => Ok(layer),
        (Some(layer), 0) => Err(not(layer.media_type)),
        (None, _) => Err(not("no layer".to_owned())),
        (Some(_), more) => Err(not(format!("{} layers", more + 1))),
    }
}

fn check_digest(
    reference: &OciReference,
    found: &str,
    expected: Option<&str>,
) -> Result<(), RegistryError> {
    match expected {
        Some(expected) if expected != found => Err(RegistryError::OtherDigest {
            reference: reference.to_string(),
            found: found.to_owned(),
            expected: expected.to_owned(),
        }),
        _ => Ok(()),
    }
}

/// Uploads a component. `created` is a time in RFC 3339.
///
/// # Errors
///
/// [`RegistryError::Request`].
pub async fn push(
    reference: &OciReference,
    login: &Login,
    component: &[u8],
    survey: &Survey,
    created: &str,
) -> Result<(), RegistryError> {
    let layer = ImageLayer::new(component.to_vec(), LAYER_TYPE.to_owned(), None);
    let config = config_of(&layer, survey, created).to_string();
    let config = Config::new(config, CONFIG_TYPE.to_owned(), None);
    client(reference)
        .push(&reference.0, &[layer], config, &login.to_auth(), None)
        .await
        .map_err(|error| failed(reference, error))?;
    Ok(())
}

fn config_of(layer: &ImageLayer, survey: &Survey, created: &str) -> Value {
    let imports: Vec<&str> = survey.imports.iter().map(|import| &*import.name).collect();
    json!({
        "created": created,
        "architecture": "wasm",
        "os": "wasip2",
        "layerDigests": [layer.sha256_digest()],
        "component": { "exports": survey.exports, "imports": imports },
    })
}

fn client(reference: &OciReference) -> oci_client::Client {
    // An error means that a provider is already installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let protocol = if reference.is_loopback() {
        ClientProtocol::HttpsExcept(vec![reference.registry().to_owned()])
    } else {
        ClientProtocol::Https
    };
    oci_client::Client::new(ClientConfig {
        protocol,
        user_agent: concat!("vthost/", env!("CARGO_PKG_VERSION")),
        ..ClientConfig::default()
    })
}

fn failed(reference: &OciReference, source: OciDistributionError) -> RegistryError {
    RegistryError::Request {
        reference: reference.to_string(),
        source: Box::new(source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_have_a_registry_and_a_name() {
        let check = |text: &str, registry: &str, name: &str, is_loopback: bool| {
            let reference: OciReference = text.parse().unwrap();
            let found = (
                reference.registry(),
                reference.name(),
                reference.is_loopback(),
            );
            assert_eq!(found, (registry, name, is_loopback), "{text}");
        };
        check(
            "oci.example.com/team/ours:1",
            "oci.example.com",
            "ours",
            false,
        );
        check(
            "oci://oci.example.com/ours",
            "oci.example.com",
            "ours",
            false,
        );
        check("localhost:5000/ours:1", "localhost:5000", "ours", true);
        check("127.0.0.1:5000/a/b/ours", "127.0.0.1:5000", "ours", true);
        check("127.example.com/ours", "127.example.com", "ours", false);
        assert!("no reference".parse::<OciReference>().is_err());
    }

    #[test]
    fn login_is_read_from_docker_config() {
        // `printf 'me:my:word' | base64`.
        let config = r#"{"auths": {"oci.example.com": {"auth": "bWU6bXk6d29yZA=="}}}"#;
        let login = |registry| match Login::from_docker_config(config, registry) {
            Login::Anonymous => None,
            Login::Password { user, password } => Some((user, password)),
        };
        let expected = ("me".to_owned(), "my:word".to_owned());
        assert_eq!(login("oci.example.com"), Some(expected));
        assert_eq!(login("other.example.com"), None);
        assert!(matches!(
            Login::from_docker_config("no JSON", "oci.example.com"),
            Login::Anonymous
        ));
    }

    #[test]
    fn manifests_other_than_one_component_are_refused() {
        let reference: OciReference = "oci.example.com/ours".parse().unwrap();
        let layer = |media_type: &str| OciDescriptor {
            media_type: media_type.to_owned(),
            ..OciDescriptor::default()
        };
        let check = |layers: Vec<OciDescriptor>, expected: &str| {
            let manifest = OciImageManifest {
                layers,
                ..OciImageManifest::default()
            };
            let error = only_layer(&reference, OciManifest::Image(manifest)).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        };
        check(Vec::new(), "contains no layer;");
        check(vec![layer("text/html")], "contains text/html;");
        check(
            vec![layer(LAYER_TYPE), layer(LAYER_TYPE)],
            "contains 2 layers;",
        );
    }
}
