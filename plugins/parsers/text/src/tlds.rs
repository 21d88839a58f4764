//! Which names end like domain names.
//!
//! Without such a list every file name and every `Name.Space.Class` would be
//! one. It holds the country codes of ISO 3166 in use as top-level domains, but
//! for those that are file endings or words first, and the generic domains that
//! carry most of the registrations
//! (<https://www.iana.org/domains/root/db>).

/// Country codes, two letters each.
const COUNTRIES: &str = "acadaeafagaialamaoaqarasatauawaxazbabbbdbebfbgbhbibjbmbnbobrbsbtbwbybzcacccdcfcgchcickclcmcncocrcucvcwcxcyczdedjdkdmdodzeceeegereseteufifjfkfmfofrgagdgegfggghgiglgmgngpgqgrgsgtgugwgyhkhmhnhrhthuieiliminioiqirisitjejmjojpkekgkhkikmknkpkrkwkykzlalblclilklrlsltlulvlymamcmemgmhmkmlmmmnmompmqmrmsmtmumvmwmxmymznancnenfngninlnonpnrnunzompapepfpgphpkpnprptpwpyqareroruruwsasbscsdsesgsisjskslsmsnsosrsssvsxsyszthtjtktltmtntotrtttvtwtzuaugukusuyuzvavcvevgvivnvuwfyeytzazmzw";

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
    let last = labels.next().unwrap_or_default();
    let mut others = labels.peekable();
    is_top(last) && others.peek().is_some() && others.all(is_label)
}

fn is_label(label: &[u8]) -> bool {
    (1..=63).contains(&label.len())
        && label.iter().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || !byte.is_ascii()
        })
}

fn is_top(label: &[u8]) -> bool {
    let label = label.to_ascii_lowercase();
    let (pairs, _) = COUNTRIES.as_bytes().as_chunks::<2>();
    label.starts_with(b"xn--")
        || pairs.iter().any(|country| country.as_slice() == label)
        || GENERIC.iter().any(|generic| generic.as_bytes() == label)
}

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
        check("a..com", false);
        check(".com", false);
    }
}
