//! Query logs of Amazon Route 53 hosted zones. See "Public DNS query logging" in the
//! Route 53 Developer Guide.
use vthost_plugin::time::Stamps;

use crate::{Query, Report};

/// `1.0 TIME ZONE NAME TYPE RCODE PROTOCOL EDGE RESOLVER SUBNET`.
pub(crate) fn read(line: &[u8], stamps: Stamps) -> Option<Report<'_>> {
    if !line.starts_with(b"1.0 ") {
        return None;
    }
    let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').take(11).collect();
    let [_, time, _, name, _, _, b"UDP" | b"TCP", _, client, _] = *words.as_slice() else {
        return None;
    };
    let report: Report<'_> = Query::new(name, client).into();
    Some(report.at(stamps.iso8601(time)))
}
