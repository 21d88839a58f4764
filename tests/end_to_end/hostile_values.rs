//! Values that attack what shows or reads them. Every output is tested with all of them.

/// The texts. Each may be anything that a log, a plugin or VirusTotal contains.
pub(crate) fn texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "</title></style><!--",
        "[click](javascript:alert(1)) **bold** `code`",
        "javascript:alert(document.domain)",
        "data:text/html,<script>alert(1)</script>",
        "=cmd|' /C calc'!A0",
        "=HYPERLINK(\"http://evil.example.com\",\"click\")",
        "+1+1",
        "-2+3",
        "@SUM(1+1)*cmd|' /C calc'!A0",
        "\t=1+1",
        "＝1+1",
        "\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}31m",
        "x\u{202e}gpj.exe\u{2066}\u{200f}",
        "line\nfeed\r\nand carriage return",
        "nul\u{0}byte",
        "quotes \" ' ` and \\ backslash \\\\ \\' \\\"",
        "] OR [url:value = 'x'",
        "' UNION SELECT 1 --",
        "{{7*7}} ${7*7} %s%n",
        "日本語のログに書かれた危険な値です。絵文字👩‍👩‍👧も",
        "e\u{301}\u{301}\u{301} \u{fffd} \u{feff}",
        "",
        " leading and trailing ",
    ]
    .map(str::to_owned)
    .to_vec();
    // Longer than a cell of a spreadsheet and than a value of MISP.
    texts.push("x".repeat(70_000));
    texts
}

/// The indicators, by kind. All of them are in canonical form.
pub(crate) fn indicators() -> Vec<(&'static str, String)> {
    let label = "a".repeat(63);
    let name = |last: usize| format!("{label}.{label}.{label}.{}.example", "b".repeat(last));
    let mut indicators = vec![
        ("domain", "xn--wgv71a119e.example".to_owned()),
        ("domain", "_dmarc.bad.example.com".to_owned()),
        ("domain", "1.1.1.1.example.com".to_owned()),
        ("domain", "bad.example.com".to_owned()),
        ("domain", "www.bad.example.com".to_owned()),
        ("domain", "32.7.100.51.198.rpz-ip".to_owned()),
        // With `rpz.example.com` 253 octets, one more, and a name of the greatest length.
        ("domain", name(37)),
        ("domain", name(38)),
        ("domain", name(53)),
        ("ip", "198.51.100.7".to_owned()),
        ("ip", "2001:db8::1".to_owned()),
        ("ip", "2001:db8:0:1:1:1:1:1".to_owned()),
        ("url", "http://[2001:db8::2]/x".to_owned()),
        ("url", "http://198.51.100.8/mips".to_owned()),
        ("url", "http://page.example.com/?a='b'&c=\\d*^e".to_owned()),
        (
            "url",
            "http://page.example.com/%3Cscript%3Ealert(1)%3C/script%3E".to_owned(),
        ),
        ("url", "https://page.example.com:8443/a;b,c|d".to_owned()),
        ("url", "tunnel://page.example.com:443/".to_owned()),
        ("url", "ftp://page.example.com/=1+1".to_owned()),
    ];
    indicators.push((
        "url",
        format!("http://page.example.com/{}", "x".repeat(1 << 20)),
    ));
    indicators
}
