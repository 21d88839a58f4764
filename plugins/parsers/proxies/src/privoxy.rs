//! Privoxy: `yyyy-mm-dd hh:mm:ss.mmm THREAD Kind: text`, without the client. Its
//! `debug 512` is the common log format, which the parser `combined` reads.

use vthost_plugin::contact::Contact;
use vthost_plugin::parser::Action;
use vthost_plugin::scan;
use vthost_plugin::split::{split_once, until};
use vthost_plugin::time::{DateOrder, Stamps};

use crate::Read;

pub(crate) fn read(line: &[u8], stamps: Stamps) -> Option<Read<'_>> {
    let (head, text) = split_once(line, b": ")?;
    let mut words = head.rsplit(|byte| *byte == b' ');
    let mut kind = words.next()?;
    let mut thread = words.next()?;
    // `Fatal error`.
    if kind == b"error" {
        (kind, thread) = (thread, words.next()?);
    }
    let is_thread =
        thread.len() >= 8 && scan::is_all(thread, [b'0'..=b'9', b'a'..=b'f', b'x'..=b'x']);
    let time = &head[..thread.as_ptr() as usize - head.as_ptr() as usize];
    let time_us = stamps
        .any(time, DateOrder::MonthFirst)
        .filter(|_| is_thread)?;
    let contact = Contact {
        time_us: Some(time_us),
        ..Contact::default()
    };
    Some(match kind {
        b"Request" => request(text, contact),
        b"Crunch" => match text.strip_prefix(b"Blocked: ") {
            Some(target) => Read::Contact(Contact {
                url: target,
                action: Action::Blocked,
                ..contact
            }),
            None => Read::Nothing("an answer of Privoxy's own that blocks nothing"),
        },
        _ => Read::Nothing("a message of another kind"),
    })
}

/// `www.example.com/a`, `www.example.com:443/` of a tunnel. The pages of Privoxy
/// itself are at `config.privoxy.org` and `p.p`.
fn request<'a>(target: &'a [u8], contact: Contact<'a>) -> Read<'a> {
    if matches!(until(target, b"/"), b"config.privoxy.org" | b"p.p") {
        return Read::Nothing("a request to Privoxy itself");
    }
    let target = until(target, b" ");
    // Without a scheme, a user would be read as one.
    let authority = until(target, b"/");
    let user = authority.iter().rposition(|byte| *byte == b'@');
    let target = &target[user.map_or(0, |at| at + 1)..];
    Read::Contact(Contact {
        url: target,
        ..contact
    })
}
