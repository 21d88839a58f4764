//! A `logformat` line of squid.conf as a [`Layout`].

use crate::layout::{Layout, Role};

/// The codes whose values are needed. The longest that fits counts.
const CODES: &[(&str, Role)] = &[
    ("ts.%03tu", Role::Time),
    ("ts", Role::Time),
    ("tl", Role::Time),
    ("tg", Role::TimeUtc),
    (">a", Role::Client),
    (">A", Role::Client),
    (">p", Role::ClientPort),
    ("Ss", Role::Result),
    ("Sh", Role::Hierarchy),
    (">Hs", Role::Status),
    ("Hs", Role::Status),
    ("rm", Role::Method),
    (">rm", Role::Method),
    ("ru", Role::Url),
    (">ru", Role::Url),
    (">rs", Role::Scheme),
    (">rd", Role::Host),
    (">rP", Role::Port),
    (">rp", Role::Path),
    ("rp", Role::Path),
    ("un", Role::User),
    ("ul", Role::User),
    ("ui", Role::User),
    ("us", Role::User),
    ("ue", Role::User),
    ("ssl::>sni", Role::Sni),
    ("ssl::bump_mode", Role::BumpMode),
];

/// Other codes. Their names end where the text after them may go on.
const OTHERS: &[&str] = &[
    "busy_time",
    "credentials",
    "err_code",
    "err_detail",
    "ext_tag",
    "master_xaction",
    "note",
    ">eui",
    ">qos",
    "<qos",
    ">nfmark",
    "<nfmark",
    ">la",
    ">lp",
    "la",
    "lp",
    "<a",
    "<A",
    "<la",
    "<lp",
    "<p",
    "<Hs",
    "<rm",
    "<ru",
    "<rs",
    "<rd",
    "<rP",
    "<rp",
    "rv",
    ">ha",
    ">h",
    "<h",
    "<pt",
    "<bs",
    "mt",
    "et",
    "ea",
    "sn",
    "dt",
    "tS",
    "tu",
    "rG",
];

/// Codes of numbers.
const NUMBERS: &[&str] = &["tr", "<tt", "<st", ">st", "st", ">sh", "<sh", "sh"];

/// The layout of a line: `logformat NAME FORMAT`, or the format alone.
pub(crate) fn compile(line: &str) -> Result<Layout, String> {
    let mut rest = format_of(line);
    let mut layout = Layout::default();
    let mut text = Vec::new();
    while !rest.is_empty() {
        let Some(after) = rest.strip_prefix('%') else {
            let (literal, codes) = rest.split_at(rest.find('%').unwrap_or(rest.len()));
            text.extend_from_slice(literal.as_bytes());
            rest = codes;
            continue;
        };
        if let Some(after) = after.strip_prefix('%') {
            text.push(b'%');
            rest = after;
        } else {
            let (role, after) =
                code(after).ok_or_else(|| format!("no `logformat` code at `{}`", shown(rest)))?;
            if text.is_empty() && !layout.is_empty() {
                return Err(format!(
                    "no text before `{}`, so that the value before it has no end",
                    shown(rest)
                ));
            }
            layout.push(&text, role);
            text.clear();
            rest = after;
        }
    }
    layout.set_end(&text);
    let has_target = layout.has(Role::Url) || layout.has(Role::Host);
    match has_target {
        true => Ok(layout),
        false => Err("the `logformat` has no URL (`%ru`)".to_owned()),
    }
}

/// Without `logformat NAME`.
fn format_of(line: &str) -> &str {
    let line = line.trim();
    let Some(named) = line.strip_prefix("logformat ") else {
        return line;
    };
    named
        .trim_start()
        .split_once(' ')
        .map_or("", |(_, format)| format.trim_start())
}

/// The role of the code that a text begins with, without its `%`, and what
/// follows it: `["|[|'|#|/] [-] [width] [{argument}] code [{argument}]`.
fn code(text: &str) -> Option<(Role, &str)> {
    let rest = text.trim_start_matches(['"', '[', '\'', '#', '/', '\\']);
    let rest = rest.strip_prefix('-').unwrap_or(rest);
    // `%ts.%03tu` has a width inside and is one code.
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let rest = without_argument(rest)?;
    let rest = rest.strip_prefix("http::").unwrap_or(rest);
    let (role, name_len) = longest(rest)?;
    let (_, rest) = rest.split_at_checked(name_len)?;
    Some((role, without_argument(rest)?))
}

fn without_argument(text: &str) -> Option<&str> {
    match text.strip_prefix('{') {
        Some(inside) => inside.split_once('}').map(|(_, rest)| rest),
        None => Some(text),
    }
}

/// The longest code that a text begins with: its role and its length.
fn longest(text: &str) -> Option<(Role, usize)> {
    let known = CODES.iter().map(|(code, role)| (*role, *code));
    let numbers = NUMBERS.iter().map(|code| (Role::Number, *code));
    let others = OTHERS.iter().map(|code| (Role::Other, *code));
    let fits = known
        .chain(numbers)
        .chain(others)
        .filter(|(_, code)| text.starts_with(code));
    let best = fits.max_by_key(|(_, code)| code.len());
    best.map(|(role, code)| (role, code.len()))
        .or_else(|| namespaced(text))
}

/// `adapt::sum_trs`, `icap::<last_h`: codes of a namespace that has no needed one.
fn namespaced(text: &str) -> Option<(Role, usize)> {
    let (namespace, name) = text.split_once("::")?;
    let is_word = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let word = name.trim_start_matches(['<', '>']);
    let rest = word.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
    is_word(namespace).then_some((Role::Other, text.len() - rest.len()))
}

/// The beginning of a text, for a message.
fn shown(text: &str) -> &str {
    text.split_at_checked(16).map_or(text, |(start, _)| start)
}
