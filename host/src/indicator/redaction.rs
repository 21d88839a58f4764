//! What the canonical form removes from a URL, for display:
//! user-info and fragment.

/// A URL as a log has it, the password hidden, where it has user-info or a
/// fragment. None where it has neither.
#[must_use]
pub fn before_cut(written: &str) -> Option<String> {
    let (scheme, rest) = written
        .find("://")
        .filter(|at| !written.split_at(*at).0.contains(['/', '?', '#', '\\']))
        .map_or(("", written), |at| written.split_at(at + "://".len()));
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let user_info = authority.rsplit_once('@');
    if user_info.is_none() && !path.contains('#') {
        return None;
    }
    let shown = match user_info.map(|(user_info, host)| (user_info.split_once(':'), host)) {
        Some((Some((user, _)), host)) => format!("{user}:***@{host}"),
        // A name alone may be a token.
        Some((None, host)) => format!("***@{host}"),
        None => authority.to_owned(),
    };
    Some(format!("{scheme}{shown}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_is_shown_without_passwords() {
        let check = |written, expected: Option<&str>| {
            assert_eq!(before_cut(written).as_deref(), expected, "{written}");
        };
        check(
            "http://me:hunter2@example.com/a#b",
            Some("http://me:***@example.com/a#b"),
        );
        check(
            "http://me:a:b@c@example.com",
            Some("http://me:***@example.com"),
        );
        check(
            "http://:hunter2@example.com/",
            Some("http://:***@example.com/"),
        );
        check("http://token@example.com/", Some("http://***@example.com/"));
        check("me:hunter2@example.com/a", Some("me:***@example.com/a"));
        check("http://example.com#b", Some("http://example.com#b"));
        check("http://example.com/a?b#c", Some("http://example.com/a?b#c"));
        check("http://example.com/@a:b", None);
        check("http://example.com/?a=me:b@c", None);
        check("example.com/?a=http://me@b", None);
        check("HTTP://Example.COM", None);
        check(
            "http://日本:語@example.com/",
            Some("http://日本:***@example.com/"),
        );
    }
}
