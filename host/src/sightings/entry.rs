//! What is counted of one indicator.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::clients::ClientSet;
use super::table::KeyedObservation;
use crate::indicator::Kind;
use crate::observation::{Action, LogPosition};

/// The counts of one indicator: as many bytes as a line of the processor's cache.
#[derive(Debug, Clone, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub(super) struct Entry {
    pub(super) count: u64,
    pub(super) allowed: u64,
    pub(super) blocked: u64,
    first_us: i64,
    last_us: i64,
    place: u64,
    pub(super) clients: ClientSet,
    kind: u32,
    value_len: u32,
}

const URL: u32 = 1;
const DOMAIN: u32 = 2;
const IP: u32 = 3;

impl Entry {
    /// Nothing counted yet, of a value of this kind and length.
    pub(super) fn new(kind: Kind, value_len: usize, place: LogPosition) -> Self {
        let kind = match kind {
            Kind::Url => URL,
            Kind::Domain => DOMAIN,
            Kind::Ip => IP,
        };
        Self {
            count: 0,
            allowed: 0,
            blocked: 0,
            first_us: i64::MAX,
            last_us: i64::MIN,
            place: place.as_number(),
            clients: ClientSet::default(),
            kind,
            value_len: value_len as u32,
        }
    }

    #[inline]
    pub(super) fn kind(&self) -> Kind {
        match self.kind {
            URL => Kind::Url,
            DOMAIN => Kind::Domain,
            _ => Kind::Ip,
        }
    }

    #[inline]
    pub(super) fn value_len(&self) -> usize {
        self.value_len as usize
    }

    /// Where it was seen first.
    pub(super) fn place(&self) -> LogPosition {
        LogPosition::from_number(self.place)
    }

    pub(super) fn first_us(&self) -> Option<i64> {
        (self.first_us != i64::MAX).then_some(self.first_us)
    }

    pub(super) fn last_us(&self) -> Option<i64> {
        (self.last_us != i64::MIN).then_some(self.last_us)
    }

    #[inline]
    pub(super) fn observe(&mut self, pending: &KeyedObservation<'_>) {
        self.count += 1;
        match pending.action {
            Action::Allowed => self.allowed += 1,
            Action::Blocked => self.blocked += 1,
            Action::Unstated => {}
        }
        if let Some(time_us) = pending.time_us {
            self.first_us = self.first_us.min(time_us);
            self.last_us = self.last_us.max(time_us);
        }
        self.place = self.place.min(pending.place.as_number());
    }

    /// Adds the counts of another; neither the clients nor the value.
    pub(super) fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.allowed += other.allowed;
        self.blocked += other.blocked;
        self.first_us = self.first_us.min(other.first_us);
        self.last_us = self.last_us.max(other.last_us);
        self.place = self.place.min(other.place);
    }
}
