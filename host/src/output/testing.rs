//! What the tests of this module share.

use crate::indicator::{Indicator, Kind};
use crate::sightings::Sightings;
use crate::triage::{Cause, Finding};

/// An unknown finding on a domain that was not looked up.
pub(super) fn not_asked(name: &str) -> Finding {
    let indicator = Indicator::parse(Kind::Domain, name.as_bytes()).unwrap();
    let reason = "no slot".to_owned();
    Finding::unknown(Sightings::unseen(indicator), Cause::NotAsked, reason)
}
