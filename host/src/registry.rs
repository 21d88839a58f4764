//! Plugins in OCI registries, laid out as the component ecosystem does it: a
//! manifest with one layer, which is the component, and a config that names what
//! the component imports and exports.
//!
//! The layer's digest is the component's own: the same `sha256:…` that
//! `vthost.toml` pins. So a registry need not be trusted.

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

/// What the layer is.
const LAYER_TYPE: &str = "application/wasm";
/// What the config is.
const CONFIG_TYPE: &str = "application/vnd.wasm.config.v0+json";

/// Where a plugin is: `registry.example.com/team/our-policy:1.0.0`.
#[derive(Debug, Clone)]
pub struct Place(oci_client::Reference);

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain = text.strip_prefix("oci://").unwrap_or(text);
        let reference = plain.parse().map_err(|error| format!("{error}"))?;
        Ok(Self(reference))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Place {
    /// The last part of its path: `our-policy`.
    #[must_use]
    pub fn name(&self) -> &str {
        let repository = self.0.repository();
        repository.rsplit('/').next().unwrap_or(repository)
    }

    /// The registry's host, perhaps with a port.
    #[must_use]
    pub fn registry(&self) -> &str {
        self.0.registry()
    }

    /// Whether the registry is this machine, which needs no TLS.
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

/// Why a plugin could not be had or given.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The registry or the way to it.
    #[error("{place}: the registry did not do it")]
    Registry {
        /// Where.
        place: String,
        /// What it said.
        source: Box<OciDistributionError>,
    },
    /// Something else than one component.
    #[error("{place} holds {found}; a plugin is one layer of {LAYER_TYPE}")]
    NotAPlugin {
        /// Where.
        place: String,
        /// What it holds.
        found: String,
    },
    /// Larger than a plugin may be.
    #[error("{place} is more than {limit_bytes} bytes; a plugin may have no more")]
    TooLarge {
        /// Where.
        place: String,
        /// `PluginLimits::file_bytes`.
        limit_bytes: u64,
    },
    /// The bytes are not those that were asked for.
    #[error("{place} is {found}, not {wanted}; nothing was written")]
    OtherDigest {
        /// Where.
        place: String,
        /// What it is.
        found: String,
        /// What was wanted.
        wanted: String,
    },
}

/// Who asks a registry.
pub enum Login {
    /// Nobody in particular.
    Anonymous,
    /// A user with a password. Shown nowhere.
    Password {
        /// The user.
        user: String,
        /// The password or token.
        password: String,
    },
}

impl Login {
    /// Finds the login for a registry in Docker's configuration, which is where
    /// `docker login` and its relatives leave it.
    #[must_use]
    pub fn from_docker_config(config_json: &str, registry: &str) -> Self {
        #[derive(Deserialize)]
        struct DockerConfig {
            #[serde(default)]
            auths: std::collections::BTreeMap<String, Entry>,
        }
        #[derive(Deserialize)]
        struct Entry {
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

/// Fetches the component of at most `limit_bytes`. With `wanted`, only the one of
/// this digest (`sha256:…`).
///
/// # Errors
///
/// Every [`RegistryError`].
pub async fn pull(
    place: &Place,
    login: &Login,
    wanted: Option<&str>,
    limit_bytes: u64,
) -> Result<Vec<u8>, RegistryError> {
    let client = client(place);
    let failed = |error| failed(place, error);
    let pulled = client.pull_manifest(&place.0, &login.to_auth()).await;
    let layer = only_layer(place, pulled.map_err(failed)?.0)?;
    check_digest(place, &layer.digest, wanted)?;
    let too_large = || RegistryError::TooLarge {
        place: place.to_string(),
        limit_bytes,
    };
    let mut stream = client
        .pull_blob_stream(&place.0, &layer)
        .await
        .map_err(failed)?;
    let mut bytes = Vec::new();
    while let Some(part) = stream.try_next().await.map_err(|e| failed(e.into()))? {
        if (bytes.len() + part.len()) as u64 > limit_bytes {
            return Err(too_large());
        }
        bytes.extend_from_slice(&part);
    }
    let found = format!("sha256:{}", digest_of(&bytes));
    check_digest(place, &found, Some(&layer.digest))?;
    Ok(bytes)
}

fn only_layer(place: &Place, manifest: OciManifest) -> Result<OciDescriptor, RegistryError> {
    let not = |found: String| RegistryError::NotAPlugin {
        place: place.to_string(),
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

fn check_digest(place: &Place, found: &str, wanted: Option<&str>) -> Result<(), RegistryError> {
    match wanted {
        Some(wanted) if wanted != found => Err(RegistryError::OtherDigest {
            place: place.to_string(),
            found: found.to_owned(),
            wanted: wanted.to_owned(),
        }),
        _ => Ok(()),
    }
}

/// Puts a component there. `created` is RFC 3339.
///
/// # Errors
///
/// [`RegistryError::Registry`].
pub async fn push(
    place: &Place,
    login: &Login,
    component: &[u8],
    survey: &Survey,
    created: &str,
) -> Result<(), RegistryError> {
    let layer = ImageLayer::new(component.to_vec(), LAYER_TYPE.to_owned(), None);
    let config = config_of(&layer, survey, created).to_string();
    let config = Config::new(config, CONFIG_TYPE.to_owned(), None);
    client(place)
        .push(&place.0, &[layer], config, &login.to_auth(), None)
        .await
        .map_err(|error| failed(place, error))?;
    Ok(())
}

fn config_of(layer: &ImageLayer, survey: &Survey, created: &str) -> Value {
    json!({
        "created": created,
        "architecture": "wasm",
        "os": "wasip2",
        "layerDigests": [layer.sha256_digest()],
        "component": { "exports": survey.exports, "imports": survey.imports },
    })
}

fn client(place: &Place) -> oci_client::Client {
    // A second installation finds the first one there: nothing is lost.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let protocol = if place.is_loopback() {
        ClientProtocol::HttpsExcept(vec![place.registry().to_owned()])
    } else {
        ClientProtocol::Https
    };
    oci_client::Client::new(ClientConfig {
        protocol,
        user_agent: concat!("vthost/", env!("CARGO_PKG_VERSION")),
        ..ClientConfig::default()
    })
}

fn failed(place: &Place, source: OciDistributionError) -> RegistryError {
    RegistryError::Registry {
        place: place.to_string(),
        source: Box::new(source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_a_registry_and_a_name() {
        let check = |text: &str, registry: &str, name: &str, is_loopback: bool| {
            let place: Place = text.parse().unwrap();
            let found = (place.registry(), place.name(), place.is_loopback());
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
        assert!("no place".parse::<Place>().is_err());
    }

    #[test]
    fn the_login_is_docker_s() {
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
    fn only_one_component_is_a_plugin() {
        let place: Place = "oci.example.com/ours".parse().unwrap();
        let layer = |media_type: &str| OciDescriptor {
            media_type: media_type.to_owned(),
            ..OciDescriptor::default()
        };
        let check = |layers: Vec<OciDescriptor>, expected: &str| {
            let manifest = OciImageManifest {
                layers,
                ..OciImageManifest::default()
            };
            let error = only_layer(&place, OciManifest::Image(manifest)).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        };
        check(Vec::new(), "holds no layer;");
        check(vec![layer("text/html")], "holds text/html;");
        check(
            vec![layer(LAYER_TYPE), layer(LAYER_TYPE)],
            "holds 2 layers;",
        );
    }
}
