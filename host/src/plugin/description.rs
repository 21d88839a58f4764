//! A plugin's description of itself, and the limits on it. The plugin's author
//! controls all of it; a plugin that exceeds a limit is not loaded.

use super::PluginId;

/// A plugin's description of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Kind, name, version and digest.
    pub id: PluginId,
    /// An SPDX licence expression.
    pub licence: String,
    /// One sentence: the logs that it reads, or its rule.
    pub summary: String,
    /// The log formats; empty for a policy.
    pub formats: Vec<LogFormat>,
    /// A JSON Schema for its settings; empty if it has no settings.
    pub settings_schema: String,
}

/// A log format that a parser reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFormat {
    /// The name that the product's users know: `squid`.
    pub name: String,
    /// The product and the log.
    pub title: String,
    /// An example line.
    pub example: String,
}

const MAX_NAME_BYTES: usize = 64;
/// The limit for a version, licence or summary, and a format's name, title or example.
const MAX_TEXT_BYTES: usize = 8 << 10;
const MAX_SCHEMA_BYTES: usize = 64 << 10;
const MAX_FORMATS: usize = 256;

impl Description {
    /// Why the description is not acceptable, if it is not.
    pub(super) fn fault(&self) -> Option<String> {
        fault_of_name(&self.id.name)
            .or_else(|| self.fault_of_lengths())
            .or_else(|| fault_of_version(&self.id.version))
    }

    fn fault_of_lengths(&self) -> Option<String> {
        let formats = self.formats.len();
        if formats > MAX_FORMATS {
            return Some(format!("{formats} formats; the limit is {MAX_FORMATS}"));
        }
        let own = [
            ("version", &self.id.version, MAX_TEXT_BYTES),
            ("licence", &self.licence, MAX_TEXT_BYTES),
            ("summary", &self.summary, MAX_TEXT_BYTES),
            ("settings schema", &self.settings_schema, MAX_SCHEMA_BYTES),
        ];
        let of_formats = self.formats.iter().flat_map(|format| {
            [
                ("format's name", &format.name, MAX_TEXT_BYTES),
                ("format's title", &format.title, MAX_TEXT_BYTES),
                ("format's example", &format.example, MAX_TEXT_BYTES),
            ]
        });
        let mut texts = own.into_iter().chain(of_formats);
        let (what, text, limit) = texts.find(|(_, text, limit)| text.len() > *limit)?;
        let bytes = text.len();
        Some(format!("a {what} of {bytes} bytes; the limit is {limit}"))
    }
}

fn fault_of_name(name: &str) -> Option<String> {
    if name.len() > MAX_NAME_BYTES {
        let bytes = name.len();
        return Some(format!(
            "a name of {bytes} bytes; the limit is {MAX_NAME_BYTES}"
        ));
    }
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_plain = !name.is_empty() && name.chars().all(plain);
    let name = name.escape_debug();
    (!is_plain).then(|| format!("its name `{name}` must consist of a-z, 0-9 and -"))
}

fn fault_of_version(version: &str) -> Option<String> {
    let dots = version.split(['-', '+']).next().unwrap_or_default();
    let is_semantic =
        dots.split('.').count() == 3 && dots.split('.').all(|n| n.parse::<u64>().is_ok());
    let version = version.escape_debug();
    (!is_semantic).then(|| format!("its version `{version}` is not a semantic version"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::PluginKind;

    /// The fault of a valid description after `change`.
    fn fault(change: impl FnOnce(&mut Description)) -> Option<String> {
        let format = LogFormat {
            name: "ours".to_owned(),
            title: "Our gateway".to_owned(),
            example: "x".repeat(8192),
        };
        let mut description = Description {
            id: PluginId {
                kind: PluginKind::Parser,
                name: "n".repeat(64),
                version: "1.0.0-rc.1".to_owned(),
                digest: String::new(),
            },
            licence: "MIT".to_owned(),
            summary: "s".repeat(8192),
            formats: vec![format; 256],
            settings_schema: "{".repeat(65_536),
        };
        change(&mut description);
        description.fault()
    }

    #[test]
    fn descriptions_are_bounded() {
        assert_eq!(fault(|_| ()), None);
        let check = |change: &dyn Fn(&mut Description), expected: &str| {
            assert_eq!(fault(|d| change(d)).as_deref(), Some(expected));
        };
        check(
            &|d| d.id.name.push('n'),
            "a name of 65 bytes; the limit is 64",
        );
        check(
            &|d| "A b".clone_into(&mut d.id.name),
            "its name `A b` must consist of a-z, 0-9 and -",
        );
        check(
            &|d| d.id.version = "1.0".to_owned(),
            "its version `1.0` is not a semantic version",
        );
        check(
            &|d| d.id.version = "1".repeat(9000),
            "a version of 9000 bytes; the limit is 8192",
        );
        check(
            &|d| d.licence = "MIT".repeat(3000),
            "a licence of 9000 bytes; the limit is 8192",
        );
        check(
            &|d| d.summary.push('s'),
            "a summary of 8193 bytes; the limit is 8192",
        );
        check(
            &|d| d.settings_schema.push('}'),
            "a settings schema of 65537 bytes; the limit is 65536",
        );
        check(
            &|d| d.formats.extend_from_within(..1),
            "257 formats; the limit is 256",
        );
        check(
            &|d| d.formats[255].name = "f".repeat(8193),
            "a format's name of 8193 bytes; the limit is 8192",
        );
        check(
            &|d| d.formats[255].title = "f".repeat(8193),
            "a format's title of 8193 bytes; the limit is 8192",
        );
        check(
            &|d| d.formats[255].example.push('x'),
            "a format's example of 8193 bytes; the limit is 8192",
        );
    }
}
