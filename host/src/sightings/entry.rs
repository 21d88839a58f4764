//! The counts of one indicator: one cache line.
//!
//! ```text
//! byte  0       8         16        24         32        40           48        56     60          64
//!       │ count │ allowed │ blocked │ first_us │ last_us │ first_seen │ clients │ kind │ value_len │
//! ```

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::clients::ClientSet;
use crate::indicator::Kind;
use crate::observation::{Action, LogPosition};

/// The counts of one indicator. Its value is stored after it in the
/// [`EntryArena`](super::arena::EntryArena).
#[derive(Debug, Clone, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub(super) struct Entry {
    pub(super) count: u64,
    pub(super) allowed: u64,
    pub(super) blocked: u64,
    /// `i64::MAX` without a time.
    first_us: i64,
    /// `i64::MIN` without a time.
    last_us: i64,
    first_seen: u64,
    pub(super) clients: ClientSet,
    kind: u32,
    value_len: u32,
}

const URL: u32 = 1;
const DOMAIN: u32 = 2;
const IP: u32 = 3;

impl Entry {
    /// An entry without observations for a value of this kind and length.
    pub(super) fn new(kind: Kind, value_len: usize, first_seen: LogPosition) -> Self {
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
            first_seen: first_seen.as_number(),
            clients: ClientSet::default(),
            kind,
            value_len: value_len as u32,
        }
    }

    /// The same counts for a value of another kind or length.
    pub(super) fn renamed(&self, kind: Kind, value_len: usize) -> Self {
        Self {
            count: self.count,
            allowed: self.allowed,
            blocked: self.blocked,
            first_us: self.first_us,
            last_us: self.last_us,
            ..Self::new(kind, value_len, self.first_seen())
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

    /// The length of the value in bytes.
    #[inline]
    pub(super) fn value_len(&self) -> usize {
        self.value_len as usize
    }

    /// The position of the first observation in the logs.
    pub(super) fn first_seen(&self) -> LogPosition {
        LogPosition::from_number(self.first_seen)
    }

    pub(super) fn first_us(&self) -> Option<i64> {
        (self.first_us != i64::MAX).then_some(self.first_us)
    }

    pub(super) fn last_us(&self) -> Option<i64> {
        (self.last_us != i64::MIN).then_some(self.last_us)
    }

    /// Counts an observation; its client is not included.
    #[inline]
    pub(super) fn observe(&mut self, action: Action, time_us: Option<i64>, position: LogPosition) {
        self.count += 1;
        match action {
            Action::Allowed => self.allowed += 1,
            Action::Blocked => self.blocked += 1,
            Action::Unstated => {}
        }
        if let Some(time_us) = time_us {
            self.first_us = self.first_us.min(time_us);
            self.last_us = self.last_us.max(time_us);
        }
        self.first_seen = self.first_seen.min(position.as_number());
    }

    /// Adds the counts of another entry; clients and values are not included.
    pub(super) fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.allowed += other.allowed;
        self.blocked += other.blocked;
        self.first_us = self.first_us.min(other.first_us);
        self.last_us = self.last_us.max(other.last_us);
        self.first_seen = self.first_seen.min(other.first_seen);
    }
}
