//! Which names end like domain names.
//!
//! Without such a list every file name and every `Name.Space.Class` would be
//! one. It holds the country codes of ISO 3166 in use as top-level domains and
//! the generic domains that carry most of the registrations
//! (<https://www.iana.org/domains/root/db>).

/// Country codes.
const COUNTRIES: &str = "ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bw by bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr ga gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc sd se sg sh si sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw";

/// Of these, endings of files that logs name: they need a label more.
const FILE_ENDINGS: [&str; 7] = ["cc", "md", "ps", "py", "rs", "sh", "so"];

const GENERIC: [&str; 64] = [
    "com",
    "net",
    "org",
    "info",
    "biz",
    "edu",
    "gov",
    "mil",
    "int",
    "arpa",
    "xyz",
    "top",
    "online",
    "shop",
    "site",
    "store",
    "club",
    "vip",
    "app",
    "dev",
    "cloud",
    "icu",
    "live",
    "pro",
    "work",
    "tech",
    "space",
    "website",
    "fun",
    "life",
    "world",
    "today",
    "blog",
    "link",
    "click",
    "host",
    "press",
    "news",
    "email",
    "agency",
    "digital",
    "network",
    "systems",
    "services",
    "solutions",
    "support",
    "center",
    "group",
    "company",
    "bid",
    "loan",
    "win",
    "men",
    "date",
    "stream",
    "download",
    "review",
    "party",
    "science",
    "cyou",
    "buzz",
    "rest",
    "mobi",
    "example",
];

/// Whether a name has two labels at least, of letters, digits and hyphens, and
/// ends with a top-level domain.
pub(crate) fn is_domain(name: &[u8]) -> bool {
    let name = name.strip_suffix(b".").unwrap_or(name);
    let mut labels = name.rsplit(|byte| *byte == b'.');
    let last = labels.next().unwrap_or_default().to_ascii_lowercase();
    let others = labels.clone().count();
    let is_file = FILE_ENDINGS.iter().any(|ending| ending.as_bytes() == last);
    is_top(&last) && others > usize::from(is_file) && labels.all(is_label)
}

fn is_label(label: &[u8]) -> bool {
    (1..=63).contains(&label.len())
        && label.iter().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || !byte.is_ascii()
        })
}

fn is_top(label: &[u8]) -> bool {
    match label {
        [first, second] if first.is_ascii_lowercase() && second.is_ascii_lowercase() => {
            COUNTRY_BITS[usize::from(first - b'a')] >> (second - b'a') & 1 == 1
        }
        _ => label.starts_with(b"xn--") || GENERIC.iter().any(|top| top.as_bytes() == label),
    }
}

/// For each first letter of a country's code a bit for each second one.
const COUNTRY_BITS: [u32; 26] = {
    let codes = COUNTRIES.as_bytes();
    let mut bits = [0; 26];
    let mut at = 0;
    while at < codes.len() {
        bits[(codes[at] - b'a') as usize] |= 1 << (codes[at + 1] - b'a');
        at += 3;
    }
    bits
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_by_their_ends() {
        let check =
            |name: &str, expected| assert_eq!(is_domain(name.as_bytes()), expected, "{name}");
        check("www.example.com", true);
        check("example.co.uk.", true);
        check("EXAMPLE.DE", true);
        check("a_b.example.xn--p1ai", true);
        check("com", false);
        check("setup.exe", false);
        check("run.sh", false);
        check("www.example.rs", true);
        check("a..com", false);
        check(".com", false);
    }
}
