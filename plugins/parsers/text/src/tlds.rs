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
    let mut labels = name.rsplit(|byte| *byte == b'.');
    let mut lower = [0; MAX_TOP];
    let last = labels.next().unwrap_or_default();
    let Some(lower) = lower.get_mut(..last.len()) else {
        return false;
    };
    lower.copy_from_slice(last);
    lower.make_ascii_lowercase();
    let last = &*lower;
    let others = labels.clone().count();
    let is_file = FILE_ENDINGS.iter().any(|ending| ending.as_bytes() == last);
    is_top(last) && others > usize::from(is_file) && labels.all(is_label)
}

/// A label is no longer (RFC 1035).
const MAX_TOP: usize = 63;

fn is_label(label: &[u8]) -> bool {
    (1..=MAX_TOP).contains(&label.len())
        && label.iter().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || !byte.is_ascii()
        })
}

fn is_top(label: &[u8]) -> bool {
    match label {
        [first, second] if first.is_ascii_lowercase() && second.is_ascii_lowercase() => {
            COUNTRY_BITS[usize::from(first - b'a')] >> (second - b'a') & 1 == 1
        }
        _ => label.starts_with(b"xn--") || is_generic(label),
    }
}

fn is_generic(label: &[u8]) -> bool {
    GENERIC
        .binary_search_by(|top| top.as_bytes().cmp(label))
        .is_ok()
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
        check("bad.lol", true);
        check("archive.zip", false);
    }

    #[test]
    fn the_list_is_in_order() {
        assert!(GENERIC.is_sorted());
    }
}
