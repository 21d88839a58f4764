//! Which names end like domain names.
//!
//! Without such a list every file name and every `Name.Space.Class` would be
//! one. It holds the country codes of ISO 3166 in use as top-level domains and
//! the generic domains that carry most of the registrations
//! (<https://www.iana.org/domains/root/db>).

use vthost_plugin::contact::NAME;
use vthost_plugin::scan::{self, PLACES, first_bits, places};

/// Country codes.
const COUNTRIES: &str = "ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bw by bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr ga gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc sd se sg sh si sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw";

/// Of these, endings of files that logs name: they need a label more.
const FILE_ENDINGS: [[u8; 2]; 7] = [*b"cc", *b"md", *b"ps", *b"py", *b"rs", *b"sh", *b"so"];

/// Generic domains that carry most of the registrations, or are known for
/// abuse, in the order of their bytes. Of those that are endings of files
/// (`zip`) or words of programs (`name`) none is here.
const GENERIC: &[&str] = &[
    "abudhabi",
    "academy",
    "accountant",
    "accountants",
    "adult",
    "aero",
    "africa",
    "agency",
    "amsterdam",
    "apartments",
    "app",
    "army",
    "arpa",
    "art",
    "asia",
    "associates",
    "attorney",
    "auto",
    "bank",
    "bar",
    "bayern",
    "beauty",
    "beer",
    "berlin",
    "bet",
    "bible",
    "bid",
    "bike",
    "bio",
    "biz",
    "blog",
    "bond",
    "boo",
    "boston",
    "boutique",
    "brussels",
    "builders",
    "buzz",
    "cafe",
    "cam",
    "capetown",
    "capital",
    "car",
    "care",
    "cars",
    "casino",
    "cat",
    "center",
    "cfd",
    "charity",
    "chat",
    "cheap",
    "church",
    "city",
    "claims",
    "click",
    "clinic",
    "clothing",
    "cloud",
    "club",
    "codes",
    "coffee",
    "cologne",
    "com",
    "community",
    "company",
    "computer",
    "construction",
    "consulting",
    "contractors",
    "coop",
    "country",
    "credit",
    "creditcard",
    "cricket",
    "cyou",
    "dad",
    "date",
    "dating",
    "deals",
    "democrat",
    "dental",
    "desi",
    "dev",
    "diamonds",
    "diet",
    "digital",
    "discount",
    "doctor",
    "dog",
    "domains",
    "download",
    "dubai",
    "durban",
    "eco",
    "edu",
    "education",
    "email",
    "energy",
    "engineering",
    "enterprises",
    "esq",
    "estate",
    "eus",
    "example",
    "expert",
    "exposed",
    "fail",
    "faith",
    "farm",
    "fashion",
    "finance",
    "fish",
    "fit",
    "flights",
    "food",
    "foundation",
    "frl",
    "fun",
    "fund",
    "fyi",
    "gal",
    "garden",
    "gdn",
    "gift",
    "gifts",
    "giving",
    "global",
    "gmbh",
    "gold",
    "google",
    "gov",
    "green",
    "group",
    "guru",
    "hair",
    "hamburg",
    "health",
    "holdings",
    "holiday",
    "homes",
    "horse",
    "host",
    "hosting",
    "hotel",
    "house",
    "icu",
    "inc",
    "industries",
    "info",
    "ing",
    "insurance",
    "int",
    "international",
    "investments",
    "irish",
    "istanbul",
    "jewelry",
    "jobs",
    "joburg",
    "kim",
    "kitchen",
    "kiwi",
    "koeln",
    "kyoto",
    "land",
    "lat",
    "law",
    "lawyer",
    "lease",
    "legal",
    "life",
    "limited",
    "limo",
    "link",
    "live",
    "llc",
    "loan",
    "loans",
    "lol",
    "london",
    "ltd",
    "makeup",
    "management",
    "marketing",
    "media",
    "melbourne",
    "meme",
    "men",
    "miami",
    "mil",
    "mobi",
    "mobile",
    "moe",
    "mom",
    "money",
    "monster",
    "mortgage",
    "moscow",
    "movie",
    "museum",
    "nagoya",
    "navy",
    "net",
    "network",
    "news",
    "nexus",
    "ninja",
    "nrw",
    "nyc",
    "okinawa",
    "one",
    "online",
    "org",
    "organic",
    "osaka",
    "paris",
    "partners",
    "party",
    "pet",
    "pharmacy",
    "phd",
    "photos",
    "pics",
    "pictures",
    "pizza",
    "poker",
    "porn",
    "press",
    "pro",
    "prof",
    "promo",
    "pub",
    "quebec",
    "quest",
    "racing",
    "recipes",
    "rent",
    "republican",
    "rest",
    "restaurant",
    "review",
    "rocks",
    "rsvp",
    "ruhr",
    "ryukyu",
    "saarland",
    "sale",
    "sarl",
    "sbs",
    "school",
    "science",
    "scot",
    "services",
    "sex",
    "shoes",
    "shop",
    "site",
    "skin",
    "social",
    "software",
    "solar",
    "solutions",
    "soy",
    "space",
    "store",
    "stream",
    "sucks",
    "support",
    "swiss",
    "sydney",
    "systems",
    "taipei",
    "tax",
    "taxi",
    "tech",
    "technology",
    "tel",
    "today",
    "tokyo",
    "top",
    "tours",
    "town",
    "trade",
    "training",
    "travel",
    "university",
    "vacations",
    "vegas",
    "ventures",
    "villas",
    "vip",
    "vlaanderen",
    "vote",
    "voting",
    "wales",
    "webcam",
    "website",
    "wien",
    "wiki",
    "win",
    "wine",
    "work",
    "world",
    "wtf",
    "xxx",
    "xyz",
    "yoga",
    "yokohama",
    "youtube",
];

/// Whether a name has two labels at least, of letters, digits and hyphens, and
/// ends with a top-level domain.
pub(crate) fn is_domain(name: &[u8]) -> bool {
    let name = name.strip_suffix(b".").unwrap_or(name);
    let labels_and_last = match name.len() {
        0..=PLACES => labels(name),
        _ => labels_of_long(name),
    };
    let Some((labels, last)) = labels_and_last else {
        return false;
    };
    let is_file = last.first_chunk().is_some_and(|two| {
        let lower = two.map(|byte: u8| byte.to_ascii_lowercase());
        last.len() == 2 && FILE_ENDINGS.contains(&lower)
    });
    labels > u32::from(is_file) && is_top(last)
}

/// The number of labels before the last, and the last; none if one of the others is invalid.
#[inline]
fn labels(name: &[u8]) -> Option<(u32, &[u8])> {
    let [dots, others] = places(name, |block| {
        let letters = block.between(b'a', b'z') | block.between(b'A', b'Z');
        let in_name = letters
            | block.between(b'0', b'9')
            | block.between(b'-', b'.')
            | block.mask(0, b'_')
            | block.between(0x80, 0xff);
        [block.mask(0, b'.'), !in_name]
    });
    let last = u64::BITS - dots.leading_zeros();
    // A label before each dot: neither the start nor another dot is there.
    let is_any_empty = dots & (dots << 1 | 1) != 0;
    let has_others = others & first_bits(last as usize) != 0;
    (!is_any_empty && !has_others).then(|| (dots.count_ones(), &name[last as usize..]))
}

#[cold]
fn labels_of_long(name: &[u8]) -> Option<(u32, &[u8])> {
    let mut rest = name;
    let mut labels = 0;
    while let Some(dot) = scan::find(rest, b'.') {
        if !(1..=MAX_LABEL).contains(&dot) || !scan::is_all(&rest[..dot], NAME) {
            return None;
        }
        labels += 1;
        rest = &rest[dot + 1..];
    }
    Some((labels, rest))
}

/// A label is no longer (RFC 1035).
const MAX_LABEL: usize = 63;

fn is_top(label: &[u8]) -> bool {
    match label {
        [first, second] if first.is_ascii_alphabetic() && second.is_ascii_alphabetic() => {
            let [first, second] = [first, second].map(|byte| byte.to_ascii_lowercase() - b'a');
            COUNTRY_BITS[usize::from(first)] >> second & 1 == 1
        }
        // Most names end with one of these.
        [b'c' | b'C', b'o' | b'O', b'm' | b'M']
        | [b'n' | b'N', b'e' | b'E', b't' | b'T']
        | [b'o' | b'O', b'r' | b'R', b'g' | b'G'] => true,
        [b'x' | b'X', b'n' | b'N', b'-', b'-', ..] => label.len() <= MAX_LABEL,
        _ => is_generic(label),
    }
}

fn is_generic(label: &[u8]) -> bool {
    let start = scan::start(label) | LOWER;
    let mut at = STARTS.partition_point(|known| *known < start);
    while STARTS.get(at) == Some(&start) {
        if GENERIC[at].as_bytes().eq_ignore_ascii_case(label) {
            return true;
        }
        at += 1;
    }
    false
}

/// What makes letters lower; it leaves the order of labels as it is.
const LOWER: u64 = u64::from_ne_bytes([0x20; 8]);

/// The starts of [`GENERIC`] as numbers, which are compared without a loop.
const STARTS: [u64; GENERIC.len()] = {
    let mut starts = [LOWER; GENERIC.len()];
    let mut index = 0;
    while index < starts.len() {
        let top = GENERIC[index].as_bytes();
        let mut place = 0;
        while place < top.len() && place < 8 {
            starts[index] |= (top[place] as u64) << (56 - place * 8);
            place += 1;
        }
        index += 1;
    }
    starts
};

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
        check("bad.lol", true);
        check("archive.zip", false);
    }

    #[test]
    fn each_label_counts() {
        let long = "a".repeat(63);
        let firsts = [
            "",
            "a",
            "A-9_",
            "b\u{fc}",
            "a b",
            "a@",
            "sh",
            &long,
            &format!("{long}a"),
        ];
        let tops = [
            ("com", true),
            ("CoM", true),
            ("de", true),
            ("d1", false),
            ("zz", false),
            ("sh", false),
            ("international", true),
            ("internationale", false),
            ("internat", false),
            ("accountant", true),
            ("accountants", true),
            ("accounta", false),
            ("xn--p1ai", true),
            ("XN--p1ai", true),
            ("xn-p1ai", false),
            ("1", false),
            ("", false),
        ];
        for first in firsts {
            let is_label = !matches!(first, "" | "a b" | "a@") && first.len() <= 63;
            for (top, is_top) in tops {
                let check = |name: String, expected| {
                    assert_eq!(is_domain(name.as_bytes()), expected, "{name}");
                };
                check(format!("{first}.{top}"), is_label && is_top);
                let is_top = is_top || top == "sh";
                check(format!("www.{first}.{top}"), is_label && is_top);
                check(format!("{first}.www.{top}."), is_label && is_top);
            }
        }
    }

    #[test]
    fn the_list_is_in_order() {
        assert!(GENERIC.is_sorted());
        assert!(STARTS.is_sorted());
        assert!(GENERIC.iter().all(|top| is_generic(top.as_bytes())));
    }
}
