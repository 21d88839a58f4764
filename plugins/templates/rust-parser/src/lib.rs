//! The log of our own gateway. Blanks separate the fields:
//! `2024-05-01T12:00:00Z 192.0.2.10 allow http://www.example.com/`.

use vthost_plugin::parser::{
    Action, Description, Fit, Input, Line, LineParser, NoSettings, Observation, Observations,
};
use vthost_plugin::split::blanks;
use vthost_plugin::time::Stamps;

/// An open input.
struct OurParser {
    stamps: Stamps,
}

vthost_plugin::export_parser!(OurParser);

impl LineParser for OurParser {
    type Settings = NoSettings;

    fn describe() -> Description {
        Description {
            name: "our-plugin",
            version: env!("CARGO_PKG_VERSION"),
            licence: "MIT",
            summary: "The log of our own gateway",
            // The name, the product, and a line that `detect` and `line` accept.
            formats: vec![(
                "our-plugin",
                "Our gateway's access log",
                "2024-05-01T12:00:00Z 192.0.2.10 allow http://www.example.com/",
            )],
            settings_schema: "",
        }
    }

    /// 95 of 100 if nearly all lines have our format.
    fn detect(input: &Input) -> u8 {
        input.confidence(95, |line| Fit::from(fields(line).is_some()))
    }

    fn open(input: &Input, _settings: NoSettings) -> Result<Self, String> {
        Ok(Self {
            stamps: Stamps::of(input),
        })
    }

    fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
        if line.trim_ascii().is_empty() {
            return Line::Ignored("blank");
        }
        let Some([time, client, verdict, url]) = fields(line) else {
            return Line::Rejected("not time, client, verdict and URL");
        };
        let action = match verdict {
            b"allow" => Action::Allowed,
            _ => Action::Blocked,
        };
        let seen = Observation::url(url).client(client).action(action);
        found.push(seen.at(self.stamps.iso8601(time)));
        Line::Record
    }
}

/// The fields of a line, if it has our format.
fn fields(line: &[u8]) -> Option<[&[u8]; 4]> {
    let mut fields = blanks(line);
    let ours = [fields.next()?, fields.next()?, fields.next()?, fields.next()?];
    matches!(ours[2], b"allow" | b"deny").then_some(ours)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vthost_plugin::testing::{detect, parse};

    #[test]
    fn our_lines_are_parsed() {
        let log = b"2024-05-01T12:00:00Z 192.0.2.10 deny http://evil.example.net/\nnoise\n";
        let parsed = parse::<OurParser>(log, "{}").unwrap();
        let seen = &parsed.observations[0];
        assert_eq!(seen.value, "http://evil.example.net/");
        assert_eq!((seen.client.as_str(), seen.action), ("192.0.2.10", Action::Blocked));
        // 2024-05-01T12:00:00Z.
        assert_eq!(seen.time_us, Some(1_714_564_800_000_000));
        let reason = "not time, client, verdict and URL".to_owned();
        assert_eq!(parsed.rejected, [(reason, 1)]);
    }

    #[test]
    fn our_log_is_detected() {
        let example = OurParser::describe().formats[0].2;
        assert_eq!(detect::<OurParser>(example.as_bytes()), 95);
        assert_eq!(detect::<OurParser>(b"something else"), 0);
    }
}
