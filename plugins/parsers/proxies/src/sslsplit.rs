//! sslsplit's connection log: time, zone, kind, client and port, address and port,
//! then for HTTP the host, method, path, status and size, then for TLS `sni:NAME`
//! and the names of the certificate, which were not contacted.

use vthost_plugin::contact::Contact;
use vthost_plugin::split::{after, until};
use vthost_plugin::time::{DateOrder, Stamps};

use crate::Read;

pub(crate) fn read(line: &[u8], stamps: Stamps) -> Option<Read<'_>> {
    let time_us = stamps.any(line.get(..23)?, DateOrder::MonthFirst)?;
    let mut words = line.get(24..)?.split(|byte| *byte == b' ');
    let kind = words.next()?;
    let (client, _, address, port) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let contact = Contact {
        client,
        address,
        time_us: Some(time_us),
        ..Contact::default()
    };
    let sni = || after(line, b" sni:").map_or(&b""[..], |name| until(name, b" "));
    Some(Read::Connection(match kind {
        b"http" | b"https" => Contact {
            scheme: kind,
            host: words.next()?,
            path: words.nth(1)?,
            port,
            ..contact
        },
        b"tcp" | b"ssl" | b"autossl" | b"upgrade" => Contact {
            host: sni(),
            ..contact
        },
        _ => return None,
    }))
}
