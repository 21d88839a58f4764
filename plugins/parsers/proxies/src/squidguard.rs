//! squidGuard: `yyyy-mm-dd hh:mm:ss [pid] Request(source/target/rule) URL
//! CLIENT/NAME USER METHOD REDIRECT`. It logs only what it redirects.

use vthost_plugin::contact::Contact;
use vthost_plugin::parser::Action;
use vthost_plugin::split::{split_once, until};
use vthost_plugin::time::Stamps;

use crate::{Read, requested};

pub(crate) fn read(line: &[u8], stamps: Stamps) -> Option<Read<'_>> {
    let (time, rest) = split_once(line, b" [")?;
    let (_, request) = split_once(rest, b"] Request(")?;
    let (_, request) = split_once(request, b") ")?;
    let mut words = request.split(|byte| *byte == b' ');
    let target = words.next()?;
    let (client, user, method) = (words.next()?, words.next()?, words.next()?);
    Some(Read::Contact(Contact {
        client: until(client, b"/"),
        user,
        time_us: Some(stamps.iso8601(time)?),
        action: Action::Blocked,
        ..requested(target, method)
    }))
}
