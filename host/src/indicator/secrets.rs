//! What a URL should not show to anyone: tokens, sessions, personal data,
//! one-time links. A URL with any of these stays off the tiers that show it,
//! and is never submitted: a visit would use a one-time link up.

use std::borrow::Cow;

use super::{Indicator, Kind};

/// Names of query and path parameters whose values are secrets or personal, in
/// lower case. `expires` with `signature` and `se` with `sig` (signed links of
/// storage services) are covered by the second name.
const PARAMETERS: [&str; 46] = [
    "access_token",
    "api_key",
    "apikey",
    "auth",
    "authorization",
    "client_secret",
    "code",
    "email",
    "hmac",
    "id_token",
    "jsessionid",
    "key",
    "login",
    "mail",
    "nonce",
    "otp",
    "pass",
    "passwd",
    "password",
    "phone",
    "phpsessid",
    "pin",
    "pwd",
    "refresh_token",
    "relaystate",
    "samlrequest",
    "samlresponse",
    "secret",
    "session",
    "sessionid",
    "sid",
    "sig",
    "signature",
    "state",
    "ticket",
    "token",
    "user",
    "username",
    "wresult",
    "auth_token",
    "authtoken",
    "reset_token",
    "invite_token",
    "sessid",
    "session_id",
    "credential",
];

/// Prefixes of parameters of signed links.
const PARAMETER_PREFIXES: [&str; 2] = ["x-amz-", "x-goog-"];

/// Path segments that are followed by a one-time or personal secret.
const ONE_TIME_SEGMENTS: [&str; 10] = [
    "reset",
    "invite",
    "share",
    "s",
    "unsubscribe",
    "verify",
    "confirm",
    "activate",
    "magic",
    "password-reset",
];

/// A segment after one of these, or any value, counts as a secret from here.
const LONG_BYTES: usize = 20;
/// A run of letters and digits this long that mixes them well is a key.
const KEY_BYTES: usize = 32;

/// Why an indicator should not be shown in full, each reason in a few words
/// that name the parameter and never its value. Empty when it may be.
#[must_use]
pub fn sensitive(indicator: &Indicator) -> Vec<String> {
    let mut reasons = Vec::new();
    if indicator.kind() != Kind::Url {
        return reasons;
    }
    let url = indicator.value();
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let path = path.splitn(4, '/').nth(3).unwrap_or("");
    let parameters = query
        .split('&')
        .chain(path.split([';', '/']).filter(|s| s.contains('=')));
    for (name, value) in parameters.filter_map(|pair| pair.split_once('=')) {
        if !value.is_empty() && is_secret_name(name) {
            reasons.push(format!("the parameter `{}`", shown(name)));
        } else if let Some(what) = secret_value(value) {
            reasons.push(format!("{what} in the parameter `{}`", shown(name)));
        }
    }
    let segments: Vec<&str> = path.split('/').collect();
    for (index, segment) in segments.iter().enumerate() {
        let follows_one_time = index
            .checked_sub(1)
            .and_then(|before| segments.get(before))
            .is_some_and(|before| {
                ONE_TIME_SEGMENTS.contains(&before.to_ascii_lowercase().as_str())
            });
        if follows_one_time && segment.len() >= LONG_BYTES {
            reasons.push("a one-time link".to_owned());
        } else if let Some(what) = secret_value(segment).filter(|_| !segment.contains('=')) {
            reasons.push(format!("{what} in the path"));
        }
    }
    reasons
}

/// A text with its URLs' secrets and user-info replaced by `***`. The text may be a URL or a log
/// line that contains URLs; other parts of it are kept.
#[must_use]
pub fn masked(text: &str) -> String {
    let ends_word = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '|');
    let words = text.split_inclusive(ends_word);
    words.map(masked_word).collect()
}

/// A word without blanks. Words without a path or a query are kept.
fn masked_word(word: &str) -> String {
    if !word.contains(['/', '?']) {
        return word.to_owned();
    }
    let mut shown = String::with_capacity(word.len());
    let mut before = "";
    for piece in word.split_inclusive(['/', '?', '&', ';', '#', '"', '\'', ' ', '\t']) {
        let part = piece.trim_end_matches(['/', '?', '&', ';', '#', '"', '\'', ' ', '\t']);
        shown.push_str(&masked_part(part, before, shown.ends_with("://")));
        shown.push_str(piece.split_at(part.len()).1);
        if !part.is_empty() {
            before = part;
        }
    }
    shown
}

/// A parameter, a segment or an authority of a URL. `before` is the part before it.
fn masked_part<'a>(part: &'a str, before: &str, is_authority: bool) -> Cow<'a, str> {
    if is_authority {
        return match part.rsplit_once('@') {
            Some((_, host)) => format!("***@{host}").into(),
            None => part.into(),
        };
    }
    let is_one_time = ONE_TIME_SEGMENTS.contains(&before.to_ascii_lowercase().as_str());
    match part.split_once('=') {
        Some((name, value))
            if !value.is_empty() && (is_secret_name(name) || secret_value(value).is_some()) =>
        {
            format!("{name}=***").into()
        }
        None if secret_value(part).is_some() || is_one_time && part.len() >= LONG_BYTES => {
            "***".into()
        }
        _ => part.into(),
    }
}

fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    PARAMETERS.contains(&name.as_str())
        || PARAMETER_PREFIXES
            .iter()
            .any(|prefix| name.starts_with(prefix))
}

/// What kind of secret a value looks like.
fn secret_value(value: &str) -> Option<&'static str> {
    let is_mail = value
        .split_once('@')
        .or_else(|| value.split_once("%40"))
        .is_some_and(|(user, host)| !user.is_empty() && host.contains('.'));
    if value.starts_with("eyJ") && value.contains('.') && value.len() >= LONG_BYTES {
        Some("a JSON web token")
    } else if is_mail {
        Some("a mail address")
    } else if looks_like_key(value) {
        Some("a key")
    } else {
        None
    }
}

/// A long unbroken run with digits and letters: base64 or hexadecimal.
fn looks_like_key(value: &str) -> bool {
    let is_key_byte = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'+' | b'=');
    let longest = value
        .split(|c: char| !c.is_ascii() || !is_key_byte(c as u8))
        .max_by_key(|run| run.len())
        .unwrap_or("");
    let has = |test: fn(&u8) -> bool| longest.as_bytes().iter().any(test);
    longest.len() >= KEY_BYTES && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)
}

/// A parameter's name for messages.
fn shown(name: &str) -> String {
    name.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, expected: &[&str]) {
        let indicator = Indicator::parse(Kind::Url, url.as_bytes()).unwrap();
        assert_eq!(sensitive(&indicator), expected, "{url}");
    }

    #[test]
    fn secrets_are_found_and_named_without_their_values() {
        check("http://example.com/?token=abc", &["the parameter `token`"]);
        check(
            "http://example.com/?a=1&PassWord=x",
            &["the parameter `PassWord`"],
        );
        check(
            "http://example.com/a;jsessionid=12?b=1",
            &["the parameter `jsessionid`"],
        );
        check(
            "http://example.com/?X-Amz-Signature=1",
            &["the parameter `X-Amz-Signature`"],
        );
        check(
            "http://example.com/?to=a@example.org",
            &["a mail address in the parameter `to`"],
        );
        check(
            "http://example.com/?to=a%40example.org",
            &["a mail address in the parameter `to`"],
        );
        check(
            "http://example.com/?j=eyJhbGciOiJIUzI1NiJ9.e30.x",
            &["a JSON web token in the parameter `j`"],
        );
        check(
            "http://example.com/reset/abcdefghijklmnopqrst",
            &["a one-time link"],
        );
        check(
            "http://example.com/f/0123456789abcdef0123456789abcdef",
            &["a key in the path"],
        );
    }

    #[test]
    fn secrets_are_masked_in_urls_and_lines() {
        let check = |text: &str, expected: &str| assert_eq!(masked(text), expected);
        check(
            "http://me:hunter2@example.com/?a=1&token=abc#x",
            "http://***@example.com/?a=1&token=***#x",
        );
        check(
            "http://example.com/reset/abcdefghijklmnopqrst?to=a@example.org",
            "http://example.com/reset/***?to=***",
        );
        check(
            "1 10.0.0.1 \"GET /a;jsessionid=12?b=1 HTTP/1.1\" user=jane /f/0123456789abcdef0123456789abcdef",
            "1 10.0.0.1 \"GET /a;jsessionid=***?b=1 HTTP/1.1\" user=jane /f/***",
        );
        check("user=jane key=1", "user=jane key=1");
        check(
            "日本語 http://例え.jp/?q=日本",
            "日本語 http://例え.jp/?q=日本",
        );
    }

    #[test]
    fn ordinary_urls_may_be_shown() {
        check("http://example.com/", &[]);
        check("http://example.com/?q=weather&page=2", &[]);
        check("http://example.com/?token=", &[]);
        check("http://example.com/reset/help", &[]);
        check(
            "http://example.com/a-rather-long-title-of-some-article-in-2024",
            &[],
        );
    }
}
