//! Lines of at most 64 bytes, as most are, judged by where bytes of which kind
//! stand: of each kind a bit for each byte. What cannot be told from ASCII
//! alone is left to the rest of the crate, which judges all else alike.

use vthost_plugin::parser::{Line, Observation};
use vthost_plugin::scan::{self, Block, PLACES, first_bits, is_valid_ipv4, places};

use crate::{
    A_COMMENT, A_MAIL_ADDRESS, A_NETWORK, A_PATTERN, BLANK, NO_ADDRESS, NO_HOST, NO_HOST_BEFORE,
    NOTHING, SEVERAL_WORDS, is_ip,
};

/// What a line names, or what it is instead; nothing where that is not told here.
#[inline(always)]
pub(crate) fn read<'a>(
    line: &'a [u8],
    plain: &'a mut Plain,
) -> Option<Result<Observation<'a>, Line>> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    if begins_comment(line) {
        return Some(Err(Line::Ignored(A_COMMENT)));
    }
    if line.len() > PLACES {
        return None;
    }
    let [odd, brackets] = places(line, |block| {
        let brackets = block.mask(0, b'[') | block.mask(0, b']');
        [!(is_usual(block) | brackets), brackets]
    });
    let (word, has_marks) = match odd {
        0 if !line.is_empty() => (line, brackets != 0),
        _ => match word(line)? {
            Ok(word) => word,
            Err(said) => return Some(Err(said)),
        },
    };
    let scheme = defanged_scheme(word);
    let text = if has_marks || scheme.is_some() {
        plain.refanged(word, scheme).unwrap_or(word)
    } else {
        word
    };
    Some(named(text).map_err(Line::Rejected))
}

fn begins_comment(text: &[u8]) -> bool {
    matches!(text, [b'#' | b';', ..] | [b'/', b'/', ..])
}

/// The one word of a line, without what people put around it, and whether it
/// has bytes of marks.
#[inline(always)]
fn word(line: &[u8]) -> Option<Result<(&[u8], bool), Line>> {
    let [blanks, around, slashes, signs, marks, others] = places(line, |block| {
        let blanks = block.between(b'\t', b'\n') | block.between(0x0c, b'\r') | block.mask(0, b' ');
        let quotes = block.mask(0, b'"') | block.mask(0, b'\'') | block.mask(0, b'`');
        let angles = block.mask(0, b'<') | block.mask(0, b'>');
        [
            blanks,
            blanks | quotes | angles | block.mask(0, b','),
            block.mask(0, b'/'),
            block.mask(0, b'#') | block.mask(0, b';'),
            block.between(b'[', b']') | block.between(b'(', b')') | block.mask(0, b'{'),
            block.between(0x80, 0xff) | block.mask(0, 0x0b),
        ]
    });
    let comments = blanks & (signs >> 1 | slashes >> 1 & slashes >> 2);
    let within = first_bits(comments.trailing_zeros() as usize) & first_bits(line.len());
    let kept = within & !around;
    if kept == 0 {
        return Some(Err(Line::Ignored(BLANK)));
    }
    let (first, last) = (
        kept.trailing_zeros() as usize,
        (u64::BITS - 1 - kept.leading_zeros()) as usize,
    );
    if others >> first & 1 == 1 || others >> last & 1 == 1 {
        return None;
    }
    let text = &line[first..=last];
    let (text, from) = match text {
        [b'(', inside @ .., b')'] => (inside, first + 1),
        _ => (text, first),
    };
    let inside = first_bits(text.len()) << from;
    if text.is_empty() {
        Some(Err(Line::Ignored(BLANK)))
    } else if begins_comment(text) {
        Some(Err(Line::Ignored(A_COMMENT)))
    } else if blanks & inside != 0 {
        Some(Err(Line::Rejected(SEVERAL_WORDS)))
    } else if others & inside != 0 {
        None
    } else {
        Some(Ok((text, marks & inside != 0)))
    }
}

/// Bytes of indicators that nobody puts around one.
#[inline(always)]
fn is_usual(block: Block) -> u32 {
    block.between(b'a', b'z')
        | block.between(b'A', b'Z')
        | block.between(b'-', b':')
        | block.mask(0, b'_')
        | block.mask(0, b'=')
        | block.mask(0, b'?')
        | block.between(b'%', b'&')
}

/// Where the bytes of a host stand.
#[derive(Clone, Copy)]
struct Host {
    letters: u64,
    digits: u64,
    dots: u64,
    /// `-` and `_`.
    joints: u64,
    colons: u64,
}

/// What a word of ASCII names, or why it names nothing.
#[inline(always)]
fn named(text: &[u8]) -> Result<Observation<'_>, &'static str> {
    let [letters, digits, dots, joints, colons, slashes] = places(text, |block| {
        [
            block.between(b'a', b'z') | block.between(b'A', b'Z'),
            block.between(b'0', b'9'),
            block.mask(0, b'.'),
            block.mask(0, b'-') | block.mask(0, b'_'),
            block.mask(0, b':'),
            block.mask(0, b'/'),
        ]
    });
    let schemes = colons & slashes >> 1 & slashes >> 2;
    if schemes != 0 {
        let colon = schemes.trailing_zeros() as usize;
        let has_host = !matches!(text.get(colon + 3), None | Some(b'/' | b'?' | b'#' | b':'));
        return match has_host && colon > 0 {
            true => Ok(Observation::url(text)),
            false => Err(NO_HOST),
        };
    }
    let end = match slashes {
        0 => text.len(),
        _ => slashes.trailing_zeros() as usize,
    };
    let before = first_bits(end);
    let host = Host {
        letters: letters & before,
        digits: digits & before,
        dots: dots & before,
        joints: joints & before,
        colons: colons & before,
    };
    if end < text.len() {
        let length = text.len() - end - 1;
        let is_length = (1..=3).contains(&length) && digits >> (end + 1) == first_bits(length);
        if is_length && is_ip(&text[..end]) {
            return Err(A_NETWORK);
        }
        return match host_kind(&text[..end], host) {
            Ok(_) => Ok(Observation::url(text)),
            Err(_) => Err(NO_HOST_BEFORE),
        };
    }
    if letters | digits | dots | joints | colons != before {
        if scan::find(text, b'@').is_some() {
            return Err(A_MAIL_ADDRESS);
        }
        if scan::find(text, b'*').is_some() {
            return Err(A_PATTERN);
        }
    }
    host_kind(text, host)
}

#[inline(always)]
fn host_kind<'a>(text: &'a [u8], host: Host) -> Result<Observation<'a>, &'static str> {
    if host.colons & host.colons.wrapping_sub(1) != 0 || text.first() == Some(&b'[') {
        return crate::host(text);
    }
    let Host {
        letters,
        digits,
        dots,
        joints,
        colons,
    } = host;
    let end = match colons {
        0 => text.len(),
        _ => colons.trailing_zeros() as usize,
    };
    let before = first_bits(end);
    let behind = first_bits(text.len()) & !before & !colons;
    let is_numeric = (digits | dots) & before == before && dots & before != 0;
    if digits & behind != behind {
        return Err(if is_numeric { NO_ADDRESS } else { NOTHING });
    }
    let name = &text[..end];
    if is_numeric {
        let address = name.strip_suffix(b".").unwrap_or(name);
        return match is_valid_ipv4(address) {
            true => Ok(Observation::ip(address)),
            false => Err(NO_ADDRESS),
        };
    }
    let is_name = (letters | digits | dots | joints) & before == before
        && letters & before != 0
        && dots & dots >> 1 & before == 0
        && !matches!(name, [] | [b'.' | b'-', ..]);
    match is_name {
        true => Ok(Observation::domain(name)),
        false => Err(NOTHING),
    }
}

/// Bytes that are copied at once: a copy of so many as there happen to be is a
/// call out of the component.
const STEP: usize = 16;

/// A text of a word's length, with room for one step more.
type Padded = [u8; PLACES + STEP];

/// A word as it was before somebody defanged it.
pub(crate) struct Plain {
    text: Padded,
    len: usize,
}

impl Plain {
    pub(crate) fn new() -> Self {
        Self {
            text: [0; PLACES + STEP],
            len: 0,
        }
    }

    /// Undoes what a person did to a word; nothing where that did nothing.
    #[inline(always)]
    fn refanged(&mut self, word: &[u8], scheme: Option<Scheme>) -> Option<&[u8]> {
        let [opens, closes, dots, colons, backslashes, ends] = places(word, |block| {
            [
                block.mask(0, b'[') | block.mask(0, b'(') | block.mask(0, b'{'),
                block.mask(0, b']') | block.mask(0, b')'),
                block.mask(0, b'.'),
                block.mask(0, b':'),
                block.mask(0, b'\\'),
                block.mask(0, b'/') | block.mask(0, b'?') | block.mask(0, b'#'),
            ]
        });
        if scheme.is_none() && opens | closes | backslashes == 0 {
            return None;
        }
        let path = path_start(word, ends);
        let head = first_bits(path);
        let in_head = (opens | backslashes | dots & closes >> 1 | colons & backslashes >> 1) & head;
        let in_path = opens & dots >> 1 & closes >> 2;
        self.undo(word, scheme, path, in_head | in_path)
    }

    /// Puts the word together again without the marks that begin at some of
    /// `marks`, those of the path from `path` on.
    #[inline]
    fn undo(
        &mut self,
        word: &[u8],
        scheme: Option<Scheme>,
        path: usize,
        mut marks: u64,
    ) -> Option<&[u8]> {
        let mut source: Padded = [0; PLACES + STEP];
        source[..word.len()].copy_from_slice(word);
        let mut done = 0;
        if let Some(scheme) = scheme {
            self.text[..scheme.text.len()].copy_from_slice(&scheme.text);
            done = scheme.len;
        }
        self.len = done;
        while marks != 0 {
            let at = marks.trailing_zeros() as usize;
            marks &= marks - 1;
            if at < done {
                continue;
            }
            let mark = match at < path {
                true => mark(&word[at..path]),
                // A path is undone only behind a head that was.
                false if done == 0 => break,
                false => word[at..]
                    .starts_with(b"[.]")
                    .then_some(Mark::byte(3, b'.')),
            };
            if let Some(mark) = mark {
                self.copy(&source, done, at);
                self.text[self.len..self.len + 3].copy_from_slice(&mark.text);
                self.len += mark.text_len;
                done = at + mark.len;
            }
        }
        if done == 0 {
            return None;
        }
        self.copy(&source, done, word.len());
        Some(&self.text[..self.len])
    }

    #[inline(always)]
    fn copy(&mut self, source: &Padded, mut from: usize, to: usize) {
        while from < to {
            self.text[self.len..self.len + STEP].copy_from_slice(&source[from..from + STEP]);
            let copied = STEP.min(to - from);
            self.len += copied;
            from += copied;
        }
    }
}

/// What the scheme at the start of a text stands for, which has its length.
#[derive(Clone, Copy)]
struct Scheme {
    text: [u8; 5],
    len: usize,
}

#[inline(always)]
fn defanged_scheme(text: &[u8]) -> Option<Scheme> {
    let (text_of, rest) = match text {
        [
            b'h' | b'H',
            b'x' | b'X',
            b'x' | b'X',
            b'p' | b'P',
            rest @ ..,
        ]
        | [b'h' | b'H', b'_', b'_', b'p' | b'P', rest @ ..]
        | [b'h' | b'H', b'0', b'0', b'p' | b'P', rest @ ..] => (*b"https", rest),
        [b'f' | b'F', b'x' | b'X', b'p' | b'P', rest @ ..] => (*b"ftps\0", rest),
        _ => return None,
    };
    let rest = match rest {
        [b's' | b'S', rest @ ..] => rest,
        _ => rest,
    };
    matches!(rest, [b':' | b'[' | b'(', ..]).then_some(Scheme {
        text: text_of,
        len: text.len() - rest.len(),
    })
}

/// What a mark at the start of a text stands for.
#[derive(Clone, Copy)]
struct Mark {
    /// Of the mark.
    len: usize,
    text: [u8; 3],
    text_len: usize,
}

impl Mark {
    #[inline(always)]
    fn byte(len: usize, byte: u8) -> Self {
        Self {
            len,
            text: [byte, 0, 0],
            text_len: 1,
        }
    }

    #[inline(always)]
    fn scheme_end(len: usize) -> Self {
        Self {
            len,
            text: *b"://",
            text_len: 3,
        }
    }
}

/// The mark of [`crate::MARKS`] that a text begins with.
#[inline(always)]
fn mark(text: &[u8]) -> Option<Mark> {
    Some(match text {
        [b'[', b'.', b']', ..] | [b'(', b'.', b')', ..] | [b'{', b'.', b'}', ..] => {
            Mark::byte(3, b'.')
        }
        [b'[', b':', b'/', b'/', b']', ..] => Mark::scheme_end(5),
        [b'[', byte @ (b':' | b'/' | b'@'), b']', ..] => Mark::byte(3, *byte),
        [b'(', b':', b')', ..] => Mark::byte(3, b':'),
        [b'[', b'd' | b'D', b'o' | b'O', b't' | b'T', b']', ..]
        | [b'(', b'd' | b'D', b'o' | b'O', b't' | b'T', b')', ..]
        | [b'{', b'd' | b'D', b'o' | b'O', b't' | b'T', b'}', ..] => Mark::byte(5, b'.'),
        [b'[', b'a' | b'A', b't' | b'T', b']', ..] | [b'(', b'a' | b'A', b't' | b'T', b')', ..] => {
            Mark::byte(4, b'@')
        }
        [b'[' | b'(' | b'\\', b'.', ..] | [b'.', b']' | b')', ..] => Mark::byte(2, b'.'),
        [b':', b'\\', b'\\', ..] => Mark::scheme_end(3),
        _ => return None,
    })
}

/// Where the path, query or fragment begins, of which one of `ends` is the
/// first byte; see [`crate::path_start`].
#[inline(always)]
fn path_start(text: &[u8], mut ends: u64) -> usize {
    while ends != 0 {
        let at = ends.trailing_zeros() as usize;
        let head = &text[..at];
        let passed = match (head.last(), &text[at..]) {
            (Some(b':'), [b'/', b'/', ..]) => 2,
            (Some(b'['), [b'/', b']', ..]) => 1,
            (_, [b'/', behind @ ..]) if matches!(head, [.., b'[', b':', b']']) => {
                1 + usize::from(behind.first() == Some(&b'/'))
            }
            _ => return at,
        };
        ends &= !(first_bits(passed) << at);
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::List;
    use vthost_plugin::parser::{Description, Input, LineParser, NoSettings, Observations};
    use vthost_plugin::testing;

    /// The list's parser without this module.
    struct General;

    impl LineParser for General {
        type Settings = NoSettings;

        fn describe() -> Description {
            List::describe()
        }

        fn detect(input: &Input) -> u8 {
            List::detect(input)
        }

        fn open(_input: &Input, _settings: NoSettings) -> Result<Self, String> {
            Ok(Self)
        }

        fn line(&mut self, line: &[u8], found: &mut Observations<'_>) -> Line {
            crate::line_of_any_kind(line, found)
        }
    }

    /// What lists have in their lines, between `|`.
    const PIECES: &[u8] = b"|www|1|192.0.2.1|com|.|..|:|::|://|/|//|?|#|;|@|*|%|-|_| |\t|\x0b|\
        \xc3\xbc|\xff|\xe2\x80\x83|\xef\xbb\xbf|[.]|[:]|[/]|[://]|(.)|{.}|[DOT]|(at)|[|]|(|)|\\|\
        hxxp|fxPS|h__ps|2001:db8::1";

    /// Texts of lines: of three pieces each, and of two with more around them.
    fn generated() -> impl Iterator<Item = Vec<u8>> {
        const AROUND: [(&[u8], &[u8]); 3] = [
            (b"http://", b"/a[.]b"),
            (b"\"(", b"),"),
            (b"a.example", b"x:80 # z"),
        ];
        let pieces = || PIECES.split(|byte| *byte == b'|');
        pieces().flat_map(move |first| {
            pieces().map(move |second| {
                let alone = pieces().map(|third| [first, second, third, b"\n"].concat());
                let within =
                    AROUND.map(|(before, behind)| [before, first, second, behind, b"\n"].concat());
                alone.chain(within).collect::<Vec<_>>().concat()
            })
        })
    }

    #[test]
    fn lines_are_judged_as_by_the_rest_of_the_crate() {
        for lines in generated() {
            let all = testing::parse::<General>(&lines, "{}").unwrap();
            let short = testing::parse::<List>(&lines, "{}").unwrap();
            for (short, all) in short.observations.iter().zip(&all.observations) {
                assert_eq!(short, all);
            }
            assert_eq!(short, all);
        }
    }

    #[test]
    fn few_lines_are_left_to_the_rest_of_the_crate() {
        let check = |line: &str, expected: bool| {
            let is_told = read(line.as_bytes(), &mut Plain::new()).is_some();
            assert_eq!(is_told, expected, "{line}");
        };
        check("hxxp://www[.]example[.]com/a[.]php", true);
        check("\u{feff}# a list with bücher.example.com", true);
        check("jane@example.com and bücher.example.com", true);
        check(&"a".repeat(PLACES), true);
        check(&"a".repeat(PLACES + 1), false);
        check("bücher.example.com", false);
        check("\u{3000}example.com", false);
    }
}
