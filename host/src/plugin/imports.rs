//! Which interfaces a component may import. Others are refused by name before
//! anything is compiled.

use super::component::listed;
use super::error::LoadError;

/// Refuses a component that imports an interface that the sandbox does not provide.
pub(super) fn check_imports(source_name: &str, imports: &[String]) -> Result<(), LoadError> {
    let mut refused: Vec<String> = Vec::new();
    let mut capabilities: Vec<Capability> = Vec::new();
    for import in imports {
        if let Some(capability) = forbidden_capability(import) {
            refused.push(import.clone());
            if !capabilities.contains(&capability) {
                capabilities.push(capability);
            }
        }
    }
    let advice = match capabilities.as_slice() {
        [] => return Ok(()),
        [one] => one.advice(),
        _ => {
            "componentize-py and componentize-qjs remove such imports with `--stub-wasi`; other tools add them even for code that is never called"
        }
    };
    let names: Vec<&str> = capabilities.iter().map(|what| what.name()).collect();
    Err(LoadError::Forbidden {
        source_name: source_name.to_owned(),
        what: names.join(", "),
        imports: listed(&refused),
        advice,
    })
}

/// What an import would give access to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Capability {
    Clock,
    Files,
    Network,
    Unknown,
}

impl Capability {
    fn name(self) -> &'static str {
        match self {
            Self::Clock => "the clock",
            Self::Files => "the file system",
            Self::Network => "the network",
            Self::Unknown => "interfaces that this host does not have",
        }
    }

    fn advice(self) -> &'static str {
        match self {
            Self::Clock => {
                "A common cause is std::time::Instant or thread::sleep; a policy gets the time as an argument"
            }
            Self::Files => "Pass data to a plugin in its settings",
            Self::Network => "Only the host sends requests to VirusTotal",
            Self::Unknown => "A plugin can import wasi:io, wasi:cli and wasi:random",
        }
    }
}

/// The capability that an import needs, unless the sandbox provides the interface.
fn forbidden_capability(import: &str) -> Option<Capability> {
    let interface = import.split('@').next().unwrap_or(import);
    let package = interface.split('/').next().unwrap_or(interface);
    match package {
        "wasi:io" | "wasi:cli" | "wasi:random" => None,
        "wasi:clocks" => Some(Capability::Clock),
        "wasi:filesystem" => Some(Capability::Files),
        "wasi:sockets" | "wasi:http" => Some(Capability::Network),
        _ => Some(Capability::Unknown),
    }
}
